//! What commands share: configuration, log, database.

use anyhow::Context as _;

use super::Global;
use super::failure::{Code, Failure};
use crate::config::{Config, Flag};
use crate::exchange::Settings;
use crate::store::{Store, StoreConfig, StoreError};
use crate::sync::Account;
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
        key: config.key_file.clone(),
    })
    .with_context(|| format!("cannot open the database {}", config.shown_database()))
}

/// What sessions need to know of the configuration.
pub(super) fn settings(config: &Config) -> Settings {
    Settings {
        server_id: config.server_id.clone(),
        public_url: config.public_url.clone(),
        sync: config.sync.clone(),
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
