//! The program as a server that can be configured, killed and started again on the same database.

use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::process::{self, Daemon};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// A server in a folder of its own, which it outlives only by what is on the disk.
pub(crate) struct Program {
    daemon: Option<Daemon>,
    address: SocketAddr,
    folder: TempDir,
}

impl Program {
    /// Starts a server with these accounts (name and password) and this text as its configuration file.
    pub(crate) fn start(configuration: &str, accounts: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("candybar.toml"), configuration)
            .expect("the configuration can be written");
        for (name, password) in accounts {
            run(
                folder.path(),
                &["account", "add", name, "--password", password],
            );
        }
        let (daemon, address) = serve(folder.path());
        Self {
            daemon: Some(daemon),
            address,
            folder,
        }
    }

    /// Where it listens; another place after each start.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that phones post to.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/sync", self.address)
    }

    /// The server's process.
    pub(crate) fn id(&self) -> u32 {
        self.daemon.as_ref().expect("the server runs").id()
    }

    /// Ends the server as a lost power supply does: SIGKILL, and nothing of it runs on.
    pub(crate) fn kill(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.kill();
        }
    }

    /// Ends the server as an operator does: SIGTERM, and it finishes what it is at.
    pub(crate) fn end(&mut self) {
        if let Some(mut daemon) = self.daemon.take() {
            daemon.end();
        }
    }

    /// Starts it again, after [`Self::kill`].
    pub(crate) fn restart(&mut self) {
        assert!(self.daemon.is_none(), "the server still runs");
        let (daemon, address) = serve(self.folder.path());
        self.daemon = Some(daemon);
        self.address = address;
    }

    /// Runs a subcommand on the server's database and gives what it prints.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        run(self.folder.path(), arguments)
    }

    /// A file in the server's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the server has logged so far.
    pub(crate) fn log(&self) -> String {
        let log = fs::read(self.file("server.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(100)..];
            eprintln!("--- the end of the server's log\n{}", last.join("\n"));
        }
    }
}

fn serve(folder: &Path) -> (Daemon, SocketAddr) {
    let log = OpenOptions::new()
        .create(true)
        .append(true)
        .open(folder.join("server.log"))
        .expect("a log file");
    let mut serve = candybar(folder, &["serve", "--listen", "127.0.0.1:0"]);
    Daemon::start_until(&mut serve, log, LIMIT, |line| {
        line.strip_prefix("listening on http://")?
            .trim()
            .parse()
            .ok()
    })
}

/// The program with its database and working directory in `folder`, and no configuration of whoever runs the tests.
pub(crate) fn candybar(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_candybar"));
    command.current_dir(folder).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CANDYBAR_") {
            command.env_remove(name);
        }
    }
    command
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    succeed(&mut candybar(folder, arguments), arguments)
}

/// Runs a subcommand in a folder to whatever end.
pub(crate) fn ended(folder: &Path, arguments: &[&str]) -> process::Ended {
    process::run(&mut candybar(folder, arguments), LIMIT)
}

/// Runs it to its end, which has to be a good one; gives standard output and errors.
pub(super) fn succeed(command: &mut Command, arguments: &[&str]) -> String {
    let ended = process::run(command, LIMIT);
    assert!(
        ended.success(),
        "candybar {arguments:?} ended with {:?}:\n{}",
        ended.status,
        ended.text
    );
    ended.text
}
