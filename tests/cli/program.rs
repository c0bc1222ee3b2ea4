//! The real program in a folder of its own.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A working directory with a database.
pub(super) struct Place {
    folder: TempDir,
}

/// What a run printed.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) code: Option<i32>,
    pub(super) out: String,
    pub(super) err: String,
}

impl Run {
    /// The run, if it ended with this exit code.
    #[track_caller]
    pub(super) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for trace in ["panicked", "RUST_BACKTRACE", "Error {", "Err("] {
            assert!(!self.err.contains(trace), "no words for people: {self:#?}");
        }
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Standard error has these words.
    #[track_caller]
    pub(super) fn says(self, words: &str) -> Self {
        assert!(self.err.contains(words), "{words:?} is not in {self:#?}");
        self
    }
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("a file can be written");
        path
    }

    pub(super) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_candybar"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CANDYBAR_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .args(args);
        command
    }

    pub(super) fn run(&self, args: &[&str]) -> Run {
        run(&mut self.command(args))
    }

    /// Runs with this on standard input.
    pub(super) fn run_with(&self, args: &[&str], input: &[u8]) -> Run {
        let mut command = self.command(args);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("piped");
        stdin.write_all(input).expect("written");
        drop(stdin);
        of(&child.wait_with_output().expect("it ends"))
    }

    /// Starts the server and waits until it listens.
    pub(super) fn serve(&self, more: &[&str]) -> Serving {
        let mut args = vec!["serve", "--listen", "127.0.0.1:0"];
        args.extend(more);
        let log = std::fs::File::create(self.path("serve.log")).expect("a log file");
        let mut child = self
            .command(&args)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let mut out = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        out.read_line(&mut line).expect("a line");
        let Some(address) = line.trim().strip_prefix("listening on http://") else {
            let _unused = child.wait();
            let log = std::fs::read_to_string(self.path("serve.log")).unwrap_or_default();
            panic!("the server does not listen: {line:?}\n{log}");
        };
        Serving {
            address: address.to_owned(),
            child,
            _out: out,
        }
    }
}

pub(super) fn run(command: &mut Command) -> Run {
    of(&command.output().expect("the program starts"))
}

fn of(output: &std::process::Output) -> Run {
    Run {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A running server; it is killed if a test forgets it.
pub(super) struct Serving {
    pub(super) address: String,
    child: Child,
    _out: BufReader<ChildStdout>,
}

impl Serving {
    /// Sends a request and reads the whole answer.
    pub(super) fn request(&self, head: &str, body: &[u8]) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("connected");
        stream.write_all(head.as_bytes()).expect("sent");
        stream
            .write_all(b"\r\nConnection: close\r\n\r\n")
            .expect("sent");
        stream.write_all(body).expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// Asks it to end, by this signal, and gives its exit code.
    pub(super) fn stop(mut self, name: &str) -> Option<i32> {
        signal(&self.child, name);
        self.child.wait().expect("it ends").code()
    }
}

/// Sends a signal to a process of ours.
pub(super) fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(status.success());
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Errors mean that it has ended.
        let _unused = self.child.kill();
        let _unused = self.child.wait();
    }
}

pub(super) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in Unicode")
}
