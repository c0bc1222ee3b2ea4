//! Configuration: `candybar.toml`, the environment and flags, as one typed value that is checked once.
//!
//! A flag wins over the environment, that over the file, that over the default. Unknown keys are errors, and all
//! errors are told at once. [`key::KEYS`] is the one list of keys; `docs/configuration.md` is checked against it.

pub mod gateway;
pub mod key;
mod layer;
mod mailbox;
mod print;
mod profiles;
mod push;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub use layer::{Flag, Origin, Setting};

pub use mailbox::MailboxConfig;
pub use push::PushConfig;

use crate::exchange::Depth;
use crate::sms::settings::{GatewaySettings, Secret};
use crate::sync::{ConflictPolicy, Datastore, Window};
use key::{KEYS, Kind};
use layer::Layers;

/// The environment variable that names the configuration file.
pub const CONFIG_VARIABLE: &str = "CANDYBAR_CONFIG";

/// The environment variable with the password of the virtual phone; no key of the configuration.
pub const HANDSET_VARIABLE: &str = "CANDYBAR_HANDSET_PASSWORD";

/// The configuration file that is read if none is named and it exists.
pub const DEFAULT_FILE: &str = "candybar.toml";

/// `[sync]`: how sessions are led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncConfig {
    /// For datastores that [`Self::conflicts`] does not name.
    pub conflict: ConflictPolicy,
    /// By datastore.
    pub conflicts: BTreeMap<Datastore, ConflictPolicy>,
    /// Largest message, octets.
    pub max_message_bytes: u32,
    /// Largest item, octets.
    pub max_object_bytes: u32,
    /// How long a session may rest between two messages, seconds.
    pub session_timeout_seconds: i64,
    /// Items that an account may hold; 0: no limit.
    pub quota_items: u64,
    /// Octets that an account's items may have together; 0: no limit.
    pub quota_bytes: u64,
    /// For phones with local time.
    pub time_zone: chrono_tz::Tz,
    /// More addresses of datastores, as phones send them.
    pub aliases: BTreeMap<String, Datastore>,
    /// Share of a datastore whose deletion in one session is held; 100: none is.
    pub hold_deletes_percent: u8,
}

/// `[mail]`: the mail of the accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailConfig {
    /// Which mails of a folder a phone has.
    pub window: Window,
}

/// `[recording]`: what is kept of sessions for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordingConfig {
    /// How much of each session.
    pub depth: Depth,
    /// For how many days.
    pub days: u32,
    /// Of each account, how many sessions at most.
    pub sessions: u32,
    /// Octets of messages that are kept of one session; the items are traced beyond that too.
    pub session_bytes: u64,
}

/// `[keep]`: for how many days the database keeps what is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeepConfig {
    /// Older versions of items.
    pub revision_days: u32,
    /// Items that were deleted.
    pub tombstone_days: u32,
    /// Sessions that ended or were given up.
    pub session_days: u32,
}

/// `[http]`: the HTTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpConfig {
    /// Largest request body, octets.
    pub max_body_bytes: usize,
    /// How many messages are worked on at once, at least 1.
    pub workers: usize,
    /// How long a phone may take to send a request, seconds.
    pub request_timeout_seconds: u64,
    /// How long a phone waits for a reply before it is told that the server is busy, seconds.
    pub patience_seconds: u64,
}

/// `[log]`: what is logged, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// The least severe level that is logged.
    pub level: tracing::level_filters::LevelFilter,
    /// One JSON object a line instead of text.
    pub json: bool,
}

/// The effective configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`.
    pub listen: String,
    /// Database URL; may hold a password, so it is not for logs (see [`Config::shown_database`]).
    pub database: String,
    /// The key file; the store's own choice if there is none.
    pub key_file: Option<PathBuf>,
    /// The sync address as phones see it.
    pub public_url: Option<String>,
    /// The server's name towards phones.
    pub server_id: String,
    /// `[sync]`
    pub sync: SyncConfig,
    /// `[devices]`: the folder of the operator's own device profiles.
    pub profiles: Option<PathBuf>,
    /// `[mail]`
    pub mail: MailConfig,
    /// `[recording]`
    pub recording: RecordingConfig,
    /// `[keep]`
    pub keep: KeepConfig,
    /// `[http]`
    pub http: HttpConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[push]`
    pub push: PushConfig,
    /// `[mail]`: mailboxes.
    pub mailboxes: MailboxConfig,
    /// What callers of the API show; without it there is no API.
    pub api_token: Option<Secret>,
    /// `[[gateway]]`, in order.
    pub gateways: Vec<GatewaySettings>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    layers: Layers,
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, with the key's name and where it was set.
    pub what: String,
    /// Why, or what was meant.
    pub why: String,
}

/// The configuration is wrong; all that is, at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{}: {}", problem.what, problem.why)?;
        }
        Ok(())
    }
}

impl Config {
    /// Reads the file (by flag, else by `CANDYBAR_CONFIG`, else [`DEFAULT_FILE`] if it exists) and lays environment
    /// and flags over it.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[Flag],
    ) -> Result<Self, ConfigError> {
        let variables: Vec<_> = variables.into_iter().collect();
        let named = file.map(Path::to_owned).or_else(|| {
            variables
                .iter()
                .find(|(name, value)| name == CONFIG_VARIABLE && !value.is_empty())
                .map(|(_, value)| PathBuf::from(value))
        });
        let path = named.clone().unwrap_or_else(|| DEFAULT_FILE.into());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text),
            Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                return Err(ConfigError {
                    problems: vec![Problem {
                        what: format!("the configuration file {} cannot be read", path.display()),
                        why: error.to_string(),
                    }],
                });
            }
        };
        let mut layers = Layers::new();
        if let Some(text) = &text {
            layers.add_file(&path, text);
        }
        layers.add_environment(variables);
        layers.add_flags(flags);
        Self::check(layers, text.is_some().then_some(path))
    }

    /// From flags alone, over the defaults.
    pub fn load_flags(flags: &[Flag]) -> Result<Self, ConfigError> {
        let mut layers = Layers::new();
        layers.add_flags(flags);
        Self::check(layers, None)
    }

    fn check(layers: Layers, file: Option<PathBuf>) -> Result<Self, ConfigError> {
        let mut problems: Vec<Problem> = KEYS
            .iter()
            .filter_map(|key| {
                let setting = layers.setting(key.name);
                let why = fault(key.kind, &setting.text)?;
                let shown = print::shown(key, &setting.text);
                Some(Problem {
                    what: format!("{} = {shown} is wrong ({})", key.name, setting.origin),
                    why,
                })
            })
            .collect();
        let octets = |name: &str| layers.setting(name).text.parse::<u64>().unwrap_or(0);
        if problems.is_empty() && octets("sync.max_message_bytes") > octets("http.max_body_bytes") {
            problems.push(Problem {
                what: "sync.max_message_bytes is larger than http.max_body_bytes".to_owned(),
                why: "a phone that sends as large a message would be refused".to_owned(),
            });
        }
        if problems.is_empty() {
            let needed = octets("recording.days");
            for name in ["keep.revision_days", "keep.tombstone_days"] {
                if octets(name) < needed {
                    problems.push(Problem {
                        what: format!("{name} is less than recording.days"),
                        why: "a recorded session could not be undone".to_owned(),
                    });
                }
            }
        }
        let gateways = layers.gateways.settings(&mut problems);
        let layers = layers.finish(problems)?;
        let text = |name: &str| layers.setting(name).text.clone();
        let conflict = |name: &str| policy(&layers.setting(name).text);
        let conflicts = Datastore::ALL
            .into_iter()
            .filter(|datastore| *datastore != Datastore::Agenda)
            .filter_map(|datastore| {
                let chosen = conflict(&format!("sync.{datastore}.conflict"))?;
                Some((datastore, chosen))
            })
            .collect();
        Ok(Self {
            listen: text("listen"),
            database: text("database"),
            key_file: Some(text("key_file"))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            public_url: Some(text("public_url")).filter(|url| !url.is_empty()),
            server_id: text("server_id"),
            sync: SyncConfig {
                conflict: conflict("sync.conflict").unwrap_or_default(),
                conflicts,
                max_message_bytes: number(&layers, "sync.max_message_bytes"),
                max_object_bytes: number(&layers, "sync.max_object_bytes"),
                session_timeout_seconds: number(&layers, "sync.session_timeout_seconds"),
                quota_items: number(&layers, "sync.quota_items"),
                quota_bytes: number(&layers, "sync.quota_bytes"),
                time_zone: number(&layers, "sync.time_zone"),
                aliases: aliases(&text("sync.aliases")).unwrap_or_default(),
                hold_deletes_percent: number(&layers, "sync.hold_deletes_percent"),
            },
            mail: MailConfig {
                window: Window {
                    days: Some(number(&layers, "mail.window_days")),
                    count: Some(number(&layers, "mail.window_count")),
                    bytes: Some(number(&layers, "mail.body_bytes")),
                },
            },
            recording: RecordingConfig {
                depth: match text("recording.depth").as_str() {
                    "numbers" => Depth::Numbers,
                    "items" => Depth::Items,
                    _ => Depth::Messages,
                },
                days: number(&layers, "recording.days"),
                sessions: number(&layers, "recording.sessions"),
                session_bytes: number(&layers, "recording.session_bytes"),
            },
            keep: KeepConfig {
                revision_days: number(&layers, "keep.revision_days"),
                tombstone_days: number(&layers, "keep.tombstone_days"),
                session_days: number(&layers, "keep.session_days"),
            },
            profiles: Some(text("devices.profiles"))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            http: HttpConfig {
                max_body_bytes: number(&layers, "http.max_body_bytes"),
                workers: match number(&layers, "http.workers") {
                    0 => 4 * std::thread::available_parallelism().map_or(1, usize::from),
                    workers => workers,
                },
                request_timeout_seconds: number(&layers, "http.request_timeout_seconds"),
                patience_seconds: number(&layers, "http.patience_seconds"),
            },
            log: LogConfig {
                level: number(&layers, "log.level"),
                json: text("log.format") == "json",
            },
            gateways,
            push: PushConfig::of(&layers),
            mailboxes: MailboxConfig::of(&layers),
            api_token: Some(text("api.token"))
                .filter(|token| !token.is_empty())
                .map(Secret::new),
            file,
            layers,
        })
    }

    /// The database URL without its password.
    pub fn shown_database(&self) -> String {
        print::without_password(&self.database)
    }

    /// Where a key's value was set; the key must exist.
    pub fn setting(&self, name: &str) -> &Setting {
        self.layers.setting(name)
    }
}

/// The policy of a word; `None` for an unset one.
fn policy(word: &str) -> Option<ConflictPolicy> {
    match word {
        "server" => Some(ConflictPolicy::Server),
        "client" => Some(ConflictPolicy::Client),
        "newer" => Some(ConflictPolicy::Newer),
        "duplicate" => Some(ConflictPolicy::Duplicate),
        "merge" => Some(ConflictPolicy::Merge),
        _ => None,
    }
}

/// A value that was checked before.
fn number<T: FromStr>(layers: &Layers, name: &str) -> T {
    let parsed = layers.setting(name).text.parse().ok();
    parsed.expect("the value was checked against its kind")
}

/// Why a value is none of this kind.
fn fault(kind: Kind, text: &str) -> Option<String> {
    match kind {
        Kind::Text => None,
        Kind::Name => (text.trim().is_empty() || text.len() > 255)
            .then(|| "it is a name of 1 to 255 octets".to_owned()),
        Kind::OptionalAddress if text.is_empty() => None,
        Kind::Address | Kind::OptionalAddress => {
            let good = text
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
            (!good).then(|| "it is host:port, such as 127.0.0.1:8080 or [::]:8080".to_owned())
        }
        Kind::Database => {
            let known = ["sqlite:", "postgres://", "postgresql://"];
            let good = known.iter().any(|start| {
                text.strip_prefix(start)
                    .is_some_and(|rest| !rest.is_empty())
            });
            (!good).then(|| "it is sqlite:PATH or postgres://…".to_owned())
        }
        Kind::Url => {
            let host = text
                .strip_prefix("http://")
                .or_else(|| text.strip_prefix("https://"));
            let good = text.is_empty()
                || host.is_some_and(|rest| {
                    !rest.is_empty()
                        && !rest.starts_with('/')
                        && !rest.contains(['?', '#', ' ', '"', '<', '>'])
                });
            (!good).then(|| {
                "it is an address such as http://sync.example.org:8080/sync, without a query"
                    .to_owned()
            })
        }
        Kind::Number { min, max } => {
            let good = text
                .parse()
                .is_ok_and(|number| (min..=max).contains(&number));
            (!good).then(|| format!("it is a whole number from {min} to {max}"))
        }
        Kind::Choice(words) => {
            let unset = text.is_empty() && words == key::CONFLICT_WORDS;
            (!unset && !words.contains(&text)).then(|| format!("it is one of {}", words.join(", ")))
        }
        Kind::TimeZone => text
            .parse::<chrono_tz::Tz>()
            .is_err()
            .then(|| "it is the name of a zone, such as Europe/Stockholm".to_owned()),
        Kind::QuietHours => match text {
            "" => None,
            hours => hours.parse::<crate::outbox::policy::QuietHours>().err(),
        },
        Kind::Aliases => aliases(text).err(),
    }
}

/// `address=datastore,…`
fn aliases(text: &str) -> Result<BTreeMap<String, Datastore>, String> {
    text.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (address, datastore) = pair
                .split_once('=')
                .ok_or_else(|| format!("{pair} is not address=datastore"))?;
            let datastore = Datastore::ALL
                .into_iter()
                .find(|known| known.name() == datastore.trim())
                .ok_or_else(|| {
                    format!(
                        "there is no datastore {}; there are {}",
                        datastore.trim(),
                        Datastore::ALL.map(Datastore::name).join(", ")
                    )
                })?;
            Ok((address.trim().to_owned(), datastore))
        })
        .collect()
}
