//! SyncEvolution's own HTTP server: a second opinion on the scenarios, and what candybar's figures are compared with.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use super::datastore::{Datastore, read_items};
use super::process::{self, Daemon};
use super::server::SyncServer;

const LIMIT: Duration = Duration::from_secs(60);

/// Where Debian puts the process that does the work.
const DBUS_SERVER: &str = "/usr/libexec/syncevo-dbus-server";

/// True when the server can run here; see [`super::peer::present`].
pub(crate) fn present() -> bool {
    let programs = [
        "/usr/bin/syncevo-http-server",
        DBUS_SERVER,
        "dbus-daemon",
        "/usr/bin/python3",
    ];
    super::peer::present("SyncEvolution's HTTP server", &programs)
}

/// A running server with one account, a file per item.
pub(crate) struct SyncEvolutionServer {
    url: String,
    configured: RefCell<Vec<String>>,
    // In the order in which they are ended.
    http: Daemon,
    worker: Daemon,
    bus: Daemon,
    folder: TempDir,
}

impl SyncEvolutionServer {
    const ACCOUNT: (&str, &str) = ("tester", "sync-it-7");

    /// The name of the configuration that holds the items.
    const CONTEXT: &str = "@server";

    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path();
        let logs = path.join("log");
        fs::create_dir(&logs).expect("a folder for the logs");
        // Without a real log folder every session ends with an error.
        let mut properties = vec![format!("logdir={}", logs.display())];
        for datastore in Datastore::ALL {
            let source = datastore.source();
            let items = items_folder(path, datastore);
            fs::create_dir(&items).expect("a folder for the items");
            properties.extend([
                format!("{source}/backend=file"),
                format!("{source}/database=file://{}", items.display()),
                format!("{source}/databaseFormat={}", datastore.media_type()),
            ]);
        }
        configure(path, &properties, Self::CONTEXT);
        let log = |name: &str| File::create(path.join(name)).expect("a log file");
        let (bus, address) = Daemon::start_until(
            Command::new("dbus-daemon").args(["--session", "--nofork", "--print-address=1"]),
            log("dbus.log"),
            LIMIT,
            |line| Some(line.trim().to_owned()),
        );
        let mut worker = Command::new(DBUS_SERVER);
        worker
            .args(["--duration", "unlimited", "--stdout"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address);
        let worker = Daemon::start(in_folder(&mut worker, path), log("worker.log"));
        let mut http = Command::new("/usr/bin/python3");
        http.arg(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/syncevolution_server.py"),
        );
        http.env("DBUS_SESSION_BUS_ADDRESS", &address);
        // Both lines come once, in any order.
        let mut listening = None;
        let mut working = false;
        let ready = move |line: &str| {
            working |= line == "the worker is there";
            listening = line
                .strip_prefix("listening on ")
                .map(str::to_owned)
                .or(listening.take());
            listening.clone().filter(|_| working)
        };
        let (http, url) =
            Daemon::start_until(in_folder(&mut http, path), log("http.log"), LIMIT, ready);
        Self {
            url,
            configured: RefCell::default(),
            http,
            worker,
            bus,
            folder,
        }
    }
}

impl SyncServer for SyncEvolutionServer {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn uri(&self, datastore: Datastore) -> &'static str {
        datastore.source()
    }

    fn credentials(&self) -> (&str, &str) {
        Self::ACCOUNT
    }

    fn expect_device(&self, device: &str) {
        if self.configured.borrow().iter().any(|known| known == device) {
            return;
        }
        let (name, password) = Self::ACCOUNT;
        let mut properties: Vec<String> = vec![
            format!("remoteDeviceId={device}"),
            format!("username={name}"),
            format!("password={password}"),
            // A rate of preliminary answers of 0 spares a second of waiting per datastore and session.
            "SyncMLVersion=REQUESTMAXTIME=0".to_owned(),
        ];
        properties.extend(
            [
                "PeerIsClient=1",
                "syncURL=",
                "loglevel=1",
                "printChanges=0",
                "dumpData=0",
                "preventSlowSync=0",
            ]
            .map(String::from),
        );
        for datastore in Datastore::ALL {
            let source = datastore.source();
            properties.extend([
                format!("{source}/sync=two-way"),
                format!("{source}/uri={source}"),
                format!("{source}/syncFormat={}", datastore.media_type()),
            ]);
        }
        configure(
            self.folder.path(),
            &properties,
            &format!("{device}{}", Self::CONTEXT),
        );
        self.configured.borrow_mut().push(device.to_owned());
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.http.id(), self.worker.id(), self.bus.id()]
    }

    fn forgets_changes_in_one_way(&self) -> bool {
        true
    }

    fn items(&self, datastore: Datastore) -> Vec<String> {
        read_items(&items_folder(self.folder.path(), datastore))
            .into_values()
            .collect()
    }
}

impl Drop for SyncEvolutionServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in ["http.log", "worker.log"] {
                eprintln!(
                    "--- {name}\n{}",
                    fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
                );
            }
        }
    }
}

fn items_folder(folder: &Path, datastore: Datastore) -> PathBuf {
    folder.join(datastore.name())
}

fn configure(folder: &Path, properties: &[String], configuration: &str) {
    let mut command = Command::new("syncevolution");
    command.args([
        "--daemon=no",
        "--keyring=no",
        "--configure",
        "--template",
        "none",
    ]);
    command
        .args(properties)
        .arg(configuration)
        .args(Datastore::ALL.map(Datastore::source));
    let ended = process::run(in_folder(&mut command, folder), LIMIT);
    assert!(
        ended.success(),
        "SyncEvolution's server cannot be configured: {}",
        ended.text
    );
}

fn in_folder<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    command
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_DATA_HOME", folder.join("data"))
        .env("XDG_CACHE_HOME", folder.join("cache"))
        .env("LC_ALL", "C.UTF-8")
        .env("GIO_USE_VFS", "local")
        .env("GSETTINGS_BACKEND", "memory")
        .env_remove("DISPLAY")
}
