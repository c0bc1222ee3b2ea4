//! What commands share: configuration, log, database.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::Global;
use super::failure::{Code, Failure};
use crate::config::{Config, Flag};
use crate::exchange;
use crate::session;
use crate::store::{Keep, Store, StoreConfig, StoreError};
use crate::sync::{Account, Windows};
use crate::telemetry;

/// Reads the configuration, with a command's own flags over it.
pub(super) fn config(global: &Global, flags: Vec<Flag>) -> anyhow::Result<Config> {
    let mut all = flags;
    for (key, name, value) in [
        ("database", "--database", &global.database),
        ("key_file", "--key-file", &global.key_file),
    ] {
        if let Some(value) = value {
            all.push(Flag {
                key,
                name,
                value: value.clone(),
            });
        }
    }
    let variables = std::env::vars_os().filter_map(|(name, value)| {
        // Names and values that are not Unicode are none of ours.
        Some((name.into_string().ok()?, value.into_string().ok()?))
    });
    Ok(Config::load(global.config.as_deref(), variables, &all)?)
}

/// Opens the database for a command that works on it and ends: only warnings are logged.
pub(super) fn store(global: &Global) -> anyhow::Result<(Config, Store)> {
    let config = config(global, Vec::new())?;
    telemetry::start(&config.log, telemetry::Mode::Command, global.verbose);
    let store = open(&config)?;
    Ok((config, store))
}

/// Opens the database.
pub(super) fn open(config: &Config) -> anyhow::Result<Store> {
    Store::open(&StoreConfig {
        url: config.database.clone(),
        key: key_file(config),
    })
    .with_context(|| format!("cannot open the database {}", config.shown_database()))
}

/// The key file: as configured, else `candybar.key` beside a database file; none for a database that passes.
fn key_file(config: &Config) -> Option<PathBuf> {
    let beside = || {
        let path = config.database.strip_prefix("sqlite:")?;
        (path != ":memory:").then(|| Path::new(path).with_file_name("candybar.key"))
    };
    config.key_file.clone().or_else(beside)
}

/// What the engine needs to know of the configuration; the store was opened before, so the key file exists.
pub(super) fn settings(config: &Config) -> anyhow::Result<exchange::Settings> {
    // Every node of a cluster has the same key file, so any of them can check the nonce that another one gave.
    let mut hash = Sha256::new();
    hash.update(b"candybar nonces of unknown devices");
    match key_file(config) {
        Some(path) => hash.update(
            std::fs::read(&path)
                .with_context(|| format!("cannot read the key file {}", path.display()))?,
        ),
        None => {
            let mut random = [0_u8; 32];
            getrandom::fill(&mut random)
                .map_err(|error| anyhow::anyhow!("the system gives no random numbers: {error}"))?;
            hash.update(random);
        }
    }
    let sync = &config.sync;
    Ok(exchange::Settings {
        session: session::Settings {
            max_message: sync.max_message_bytes.into(),
            max_object: sync.max_object_bytes.into(),
            quota_items: sync.quota_items,
            quota_octets: sync.quota_bytes,
            conflict: sync.conflict,
            conflicts: sync.conflicts.clone().into_iter().collect(),
            time_zone: sync.time_zone,
            aliases: sync.aliases.clone().into_iter().collect(),
            public_url: config.public_url.clone(),
            server_id: config.server_id.clone(),
            profiles: config.catalogue()?,
            hold_deletes_percent: sync.hold_deletes_percent,
            mail_windows: Windows::all(config.mail.window),
        },
        session_timeout: sync.session_timeout_seconds,
        nonce_secret: hash.finalize().to_vec(),
    })
}

/// For how long what is kept.
pub(super) fn keep(config: &Config) -> Keep {
    Keep {
        recording_days: config.recording.days,
        recordings: config.recording.sessions,
        revision_days: config.keep.revision_days,
        tombstone_days: config.keep.tombstone_days,
        session_days: config.keep.session_days,
    }
}

/// The account of that name.
pub(super) fn account(store: &Store, name: &str) -> anyhow::Result<Account> {
    match store.account(name) {
        Ok(account) => Ok(account),
        Err(StoreError::NotFound) => Err(Failure::new(
            Code::Refused,
            format!("there is no account {name}"),
        )
        .hint(format!(
            "candybar account list shows the accounts; candybar account add {name} makes this one"
        ))
        .into()),
        Err(error) => Err(error.into()),
    }
}

/// The address to type into a phone, for a server that listens at `host:port`.
pub(super) fn sync_address(listen: &str) -> String {
    let (host, port) = listen.rsplit_once(':').unwrap_or((listen, "8080"));
    let local = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::]"];
    let host = if local.contains(&host) {
        "THIS-HOST"
    } else {
        host
    };
    let port = if port == "0" { "PORT" } else { port };
    format!("http://{host}:{port}/sync")
}
