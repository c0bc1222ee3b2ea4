//! What a scenario needs of a SyncML server, and candybar as one.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::datastore::Datastore;
use super::process::Daemon;
use super::program;

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// A SyncML server with one account.
pub(crate) trait SyncServer {
    /// The address that phones post to.
    fn url(&self) -> String;
    /// The datastore's address within the server.
    fn uri(&self, datastore: Datastore) -> &'static str;
    /// Name and password of the account.
    fn credentials(&self) -> (&str, &str);
    /// Says that a phone with this device id will come.
    fn expect_device(&self, device: &str);
    /// The ids of the processes that do the server's work; what their children do counts as theirs.
    fn processes(&self) -> Vec<u32>;
    /// True for a server that, after a one-way sync from the client, no longer tells that client of items which had been
    /// changed on the server before.
    fn forgets_changes_in_one_way(&self) -> bool {
        false
    }
    /// The items that the server holds for the account: one calendar object, card or text each.
    fn items(&self, datastore: Datastore) -> Vec<String>;
}

/// The release binary, serving on a free port from a database of its own.
pub(crate) struct Candybar {
    url: String,
    // Fields are dropped in order: the server ends before its folder goes.
    daemon: Daemon,
    folder: TempDir,
}

impl Candybar {
    pub(crate) const ACCOUNT: (&str, &str) = ("tester", "sync-it-7");

    /// Starts the server with one account.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (name, password) = Self::ACCOUNT;
        command_in(
            folder.path(),
            &["account", "add", name, "--password", password],
        );
        let log = File::create(folder.path().join("server.log")).expect("a log file");
        let mut serve = candybar(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
        let (daemon, url) = Daemon::start_until(&mut serve, log, LIMIT, |line| {
            line.strip_prefix("listening on ")
                .map(|url| url.trim().to_owned())
        });
        Self {
            url,
            daemon,
            folder,
        }
    }

    /// Runs a subcommand on the server's database and returns its standard output and errors.
    pub(crate) fn command(&self, arguments: &[&str]) -> String {
        command_in(self.folder.path(), arguments)
    }

    /// Imports the text of a file into a datastore of the account.
    pub(crate) fn import(&self, datastore: Datastore, extension: &str, body: &str) {
        let path: PathBuf = self.folder.path().join(format!("import.{extension}"));
        std::fs::write(&path, body).expect("the file to import can be written");
        self.command(&[
            "import",
            Self::ACCOUNT.0,
            datastore.name(),
            &path.to_string_lossy(),
        ]);
    }
}

impl SyncServer for Candybar {
    fn url(&self) -> String {
        format!("{}/sync", self.url)
    }

    fn uri(&self, datastore: Datastore) -> &'static str {
        datastore.name()
    }

    fn credentials(&self) -> (&str, &str) {
        Self::ACCOUNT
    }

    fn expect_device(&self, _: &str) {}

    fn processes(&self) -> Vec<u32> {
        vec![self.daemon.id()]
    }

    fn items(&self, datastore: Datastore) -> Vec<String> {
        exported(datastore, Self::ACCOUNT.0, |arguments| {
            self.command(arguments)
        })
    }
}

impl Drop for Candybar {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log =
                std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
            eprintln!("--- the server's log\n{log}");
        }
    }
}

/// The program with its database named, wherever its configuration would have it.
fn candybar(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = program::candybar(folder, arguments);
    let database = format!("sqlite:{}", folder.join("candybar.db").display());
    command.args(["--database", &database]);
    command
}

fn command_in(folder: &Path, arguments: &[&str]) -> String {
    program::succeed(&mut candybar(folder, arguments), arguments)
}

/// The items of an account, as `command` exports them.
pub(crate) fn exported(
    datastore: Datastore,
    account: &str,
    command: impl Fn(&[&str]) -> String,
) -> Vec<String> {
    let format = match datastore {
        Datastore::Contacts => "vcard",
        Datastore::Calendar | Datastore::Tasks => "icalendar",
        Datastore::Notes => "json",
    };
    let text = command(&["export", account, datastore.name(), "--format", format]);
    split_export(datastore, &text)
}

/// The bodies in an export: cards and calendars as one text, notes one by one.
///
/// A note is its text: the octets that the server keeps may be a vNote.
fn split_export(datastore: Datastore, text: &str) -> Vec<String> {
    if datastore != Datastore::Notes {
        return vec![text.to_owned()];
    }
    let notes: Vec<Value> =
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in the export\n{text}"));
    let body = |note: &Value| {
        note["item"]["body"]
            .as_str()
            .unwrap_or_else(|| panic!("no text in {note}"))
            .to_owned()
    };
    notes.iter().map(body).collect()
}
