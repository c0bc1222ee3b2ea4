//! Child processes of the tests: commands that must end in time, and servers that end with their test.
//!
//! Every child leads its own process group and the whole group is killed, so that nothing a peer forks stays behind.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// How a command ended, and what it printed on both outputs.
pub(crate) struct Ended {
    /// `None` when the time was up and the command was killed.
    pub(crate) status: Option<ExitStatus>,
    pub(crate) text: String,
}

impl Ended {
    pub(crate) fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }
}

/// Runs `command` to its end, without standard input; kills it after `limit`.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Ended {
    run_watched(command, limit, |_| {})
}

/// The same; `started` is told the process, which is also its group.
pub(crate) fn run_watched(
    command: &mut Command,
    limit: Duration,
    started: impl FnOnce(u32),
) -> Ended {
    let mut output = tempfile::tempfile().expect("a temporary file for the output");
    let duplicate =
        |file: &File| Stdio::from(file.try_clone().expect("a second handle of the output"));
    let mut child = command
        .stdin(Stdio::null())
        .stdout(duplicate(&output))
        .stderr(duplicate(&output))
        .process_group(0)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let group = child.id();
    started(group);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || sender.send(child.wait()));
    let status = match ended.recv_timeout(limit) {
        Ok(status) => Some(status.expect("the child can be waited for")),
        Err(_) => {
            kill_group(group);
            ended.recv().ok();
            None
        }
    };
    let mut bytes = Vec::new();
    output
        .rewind()
        .and_then(|()| output.read_to_end(&mut bytes))
        .expect("the output can be read back");
    Ended {
        status,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

/// A server started by a test; killed with all its children when dropped.
pub(crate) struct Daemon {
    child: Child,
}

impl Daemon {
    /// Starts `command` with its standard error in `log`.
    pub(crate) fn start(command: &mut Command, log: File) -> Self {
        Self::spawn(
            command.stdout(log.try_clone().expect("a second handle of the log")),
            log,
        )
    }

    /// Starts `command` and waits until it prints a line from which `ready` makes a value; later lines are dropped.
    pub(crate) fn start_until<T: Send + 'static>(
        command: &mut Command,
        log: File,
        limit: Duration,
        mut ready: impl FnMut(&str) -> Option<T> + Send + 'static,
    ) -> (Self, T) {
        let mut daemon = Self::spawn(command.stdout(Stdio::piped()), log);
        let lines = BufReader::new(
            daemon
                .child
                .stdout
                .take()
                .expect("standard output is piped"),
        );
        let (sender, value) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if let Some(value) = ready(&line) {
                    sender.send(value).ok();
                }
            }
        });
        match value.recv_timeout(limit) {
            Ok(value) => (daemon, value),
            Err(error) => panic!("{command:?} did not become ready: {error}"),
        }
    }

    /// The process id, which is also the id of its group.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends SIGKILL at once, without a shell in between. Dropping waits for the end, and ends children too.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child can be killed");
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn end(&mut self) {
        Command::new("sh")
            .args(["-c", "kill -s TERM \"$0\"", &self.child.id().to_string()])
            .status()
            .expect("a shell");
        self.child.wait().expect("the child can be waited for");
    }

    fn spawn(command: &mut Command, log: File) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { child }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        kill_group(self.child.id());
        self.child.wait().ok();
    }
}

/// Ends a process that leads a group, and its children, by SIGKILL.
pub(crate) fn kill_group(leader: u32) {
    // The shell's own kill: the program of that name is in a package that a small system lacks.
    Command::new("sh")
        .args(["-c", "kill -s KILL -- \"-$0\"", &leader.to_string()])
        .stderr(Stdio::null())
        .status()
        .ok();
}
