//! SyncEvolution's command-line client as a phone: its own home, device id and one folder of files per datastore.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use tempfile::TempDir;

use super::datastore::{Datastore, Edit, Items, read_items};
use super::process;
use super::recording;
use super::report::Report;
use super::server::SyncServer;

/// A session that takes longer has hung.
const LIMIT: Duration = Duration::from_secs(180);

/// The name of the phone's configuration; the part after `@` is SyncEvolution's context.
const CONFIGURATION: &str = "phone@tests";

/// The form of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Xml,
    Wbxml,
}

/// The SyncML version that the phone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    V10,
    V11,
    V12,
}

/// The credentials in the phone's first message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    Basic,
    Md5,
}

/// The kind of sync that the phone asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    TwoWay,
    Slow,
    OneWayFromClient,
    RefreshFromClient,
    OneWayFromServer,
    RefreshFromServer,
}

impl Mode {
    /// SyncEvolution's word: local is the phone.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TwoWay => "two-way",
            Self::Slow => "slow",
            Self::OneWayFromClient => "one-way-from-local",
            Self::RefreshFromClient => "refresh-from-local",
            Self::OneWayFromServer => "one-way-from-remote",
            Self::RefreshFromServer => "refresh-from-remote",
        }
    }
}

/// How a phone speaks.
#[derive(Clone, Debug)]
pub(crate) struct Dialect {
    pub(crate) carrier: Carrier,
    pub(crate) version: Version,
    pub(crate) auth: Auth,
    /// The largest message that the phone takes, in bytes; SyncEvolution does not go below 10240.
    pub(crate) max_message: u32,
    /// Items as vCard 2.1 and vCalendar 1.0 instead of vCard 3.0 and iCalendar 2.0.
    pub(crate) legacy_items: bool,
    /// Other datastore addresses than the server's own.
    pub(crate) uris: BTreeMap<Datastore, &'static str>,
    /// Another password than the account's.
    pub(crate) password: Option<&'static str>,
}

impl Dialect {
    pub(crate) fn new(carrier: Carrier, version: Version, auth: Auth) -> Self {
        Self {
            carrier,
            version,
            auth,
            max_message: 150_000,
            legacy_items: false,
            uris: BTreeMap::new(),
            password: None,
        }
    }
}

/// True when SyncEvolution's client can run here; see [`super::peer::present`].
pub(crate) fn present() -> bool {
    super::peer::present("SyncEvolution's client", &["syncevolution", "cc"])
}

/// One SyncEvolution client.
pub(crate) struct Phone {
    device: String,
    folder: TempDir,
    sessions: Mutex<u32>,
}

impl Phone {
    /// Configures a client for an account of `server`; its datastores are empty.
    pub(crate) fn new(server: &dyn SyncServer, device: &str, dialect: &Dialect) -> Self {
        server.expect_device(device);
        let phone = Self {
            device: device.to_owned(),
            folder: tempfile::tempdir().expect("a temporary folder"),
            sessions: Mutex::new(0),
        };
        let (name, password) = server.credentials();
        let wbxml = u8::from(dialect.carrier == Carrier::Wbxml);
        let version = match dialect.version {
            Version::V10 => "1.0",
            Version::V11 => "1.1",
            Version::V12 => "1.2",
        };
        let auth = match dialect.auth {
            Auth::Basic => "basic",
            Auth::Md5 => "md5",
        };
        let mut properties = vec![
            format!("syncURL={}", server.url()),
            format!("username={name}"),
            format!("password={}", dialect.password.unwrap_or(password)),
            format!("deviceId={device}"),
            format!("logdir={}", phone.logs().display()),
            format!("loglevel={}", recording::log_level(false)),
            format!("enableWBXML={wbxml}"),
            format!("SyncMLVersion={version}"),
            format!("clientAuthType={auth}"),
            format!("maxMsgSize={}", dialect.max_message),
        ];
        // Refresh as Alert 205 and not as a slow sync of an emptied store; no backups; no resends; keep all logs.
        properties.extend(
            [
                "enableRefreshSync=1",
                "preventSlowSync=0",
                "printChanges=0",
                "dumpData=0",
                "RetryInterval=0",
                "maxlogdirs=0",
            ]
            .map(String::from),
        );
        for datastore in Datastore::ALL {
            let source = datastore.source();
            let folder = phone.datastore(datastore);
            fs::create_dir(&folder).expect("a folder for the datastore");
            let uri = dialect
                .uris
                .get(&datastore)
                .copied()
                .unwrap_or_else(|| server.uri(datastore));
            let media_type = datastore.media_type();
            properties.extend([
                format!("{source}/backend=file"),
                format!("{source}/database=file://{}", folder.display()),
                format!("{source}/databaseFormat={media_type}"),
                format!(
                    "{source}/syncFormat={}",
                    if dialect.legacy_items {
                        legacy(media_type)
                    } else {
                        media_type
                    }
                ),
                // Else the client sends in the form that the server prefers.
                format!("{source}/forceSyncFormat=1"),
                format!("{source}/uri={uri}"),
                format!("{source}/sync=two-way"),
            ]);
        }
        let sources = Datastore::ALL.map(Datastore::source);
        let ended = process::run(
            phone
                .command()
                .args(["--configure", "--template", "none"])
                .args(&properties)
                .arg(CONFIGURATION)
                .args(sources),
            LIMIT,
        );
        assert!(
            ended.success(),
            "SyncEvolution cannot be configured: {}",
            ended.text
        );
        phone
    }

    /// From now on the messages of each session are in its log folder, or are not.
    pub(crate) fn log_messages(&self, log: bool) {
        let level = format!("loglevel={}", recording::log_level(log));
        let ended = process::run(
            self.command().args(["--configure", &level, CONFIGURATION]),
            LIMIT,
        );
        assert!(
            ended.success(),
            "SyncEvolution cannot be configured: {}",
            ended.text
        );
    }

    /// Writes an item; a new name is a new item.
    pub(crate) fn put(&self, datastore: Datastore, name: &str, body: &str) {
        fs::write(self.datastore(datastore).join(name), body).expect("an item can be written");
    }

    /// Writes items.
    pub(crate) fn put_all(&self, datastore: Datastore, items: &Items) {
        for (name, body) in items {
            self.put(datastore, name, body);
        }
    }

    /// Does to the phone's items what its user does.
    pub(crate) fn edit(&self, edits: &[(Datastore, Edit)]) {
        for (datastore, edit) in edits {
            let before = self.items(*datastore);
            let mut after = before.clone();
            edit.apply(&mut after);
            for (name, body) in &after {
                if before.get(name) != Some(body) {
                    self.put(*datastore, name, body);
                }
            }
            for name in before.keys().filter(|name| !after.contains_key(*name)) {
                fs::remove_file(self.datastore(*datastore).join(name))
                    .expect("an item can be deleted");
            }
        }
    }

    /// The items of a datastore by LUID.
    pub(crate) fn items(&self, datastore: Datastore) -> Items {
        read_items(&self.datastore(datastore))
    }

    /// The bodies of the items of a datastore.
    pub(crate) fn bodies(&self, datastore: Datastore) -> Vec<String> {
        self.items(datastore).into_values().collect()
    }

    /// Runs one session over `datastores`.
    pub(crate) fn sync(&self, mode: Mode, datastores: &[Datastore]) -> Report {
        self.sync_watched(mode, datastores, |_| {})
    }

    /// The same; `started` is told the client's process.
    pub(crate) fn sync_watched(
        &self,
        mode: Mode,
        datastores: &[Datastore],
        started: impl FnOnce(u32),
    ) -> Report {
        let before = self.log_folders();
        let sources = datastores.iter().map(|datastore| datastore.source());
        let ended = process::run_watched(
            self.command()
                .args(["--sync", mode.name(), CONFIGURATION])
                .args(sources),
            LIMIT,
            started,
        );
        let log = self
            .log_folders()
            .into_iter()
            .find(|folder| !before.contains(folder));
        let mut sessions = self.sessions.lock().expect("no sync has panicked");
        *sessions += 1;
        if let Some(log) = &log {
            recording::keep(log, &self.device, *sessions);
        }
        Report::new(ended, log)
    }

    /// Runs one session over `datastores` that must succeed without a failed item.
    pub(crate) fn sync_well(&self, mode: Mode, datastores: &[Datastore]) -> Report {
        let report = self.sync(mode, datastores);
        report.expect_success(&format!("{} {mode:?}", self.device));
        report
    }

    fn command(&self) -> Command {
        let folder = self.folder.path();
        let mut command = Command::new("syncevolution");
        command
            .env("HOME", folder)
            .env("XDG_CONFIG_HOME", folder.join("config"))
            .env("XDG_DATA_HOME", folder.join("data"))
            .env("XDG_CACHE_HOME", folder.join("cache"))
            .env("LC_ALL", "C.UTF-8")
            .env("LD_PRELOAD", callbacks())
            .env("GIO_USE_VFS", "local")
            .env("GSETTINGS_BACKEND", "memory")
            .env_remove("DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .env_remove("http_proxy")
            .args(["--daemon=no", "--keyring=no"]);
        command
    }

    fn datastore(&self, datastore: Datastore) -> PathBuf {
        self.folder.path().join(datastore.name())
    }

    fn logs(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    fn log_folders(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.logs()) else {
            return Vec::new();
        };
        entries
            .map(|entry| entry.expect("the log folder can be listed").path())
            .collect()
    }
}

impl Drop for Phone {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.folder.disable_cleanup(true);
            eprintln!(
                "--- {}'s files and logs are kept in {}",
                self.device,
                self.folder.path().display()
            );
        }
    }
}

/// The older form of an item's media type.
fn legacy(media_type: &'static str) -> &'static str {
    match media_type {
        "text/vcard" => "text/x-vcard",
        "text/calendar" => "text/x-vcalendar",
        other => other,
    }
}

/// Where the preloaded object is that mends Debian's build of the client; compiled once.
fn callbacks() -> &'static Path {
    static OBJECT: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let object = folder.path().join("curl_callbacks.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/curl_callbacks.c");
        let ended = process::run(
            Command::new("cc")
                .args(["-shared", "-fPIC", "-O1", "-o"])
                .arg(&object)
                .arg(source)
                .arg("-ldl"),
            LIMIT,
        );
        assert!(
            ended.success(),
            "cannot compile curl_callbacks.c: {}",
            ended.text
        );
        (folder, object)
    });
    &OBJECT.1
}
