//! What SyncEvolution says of a session: the exit status, and the numbers of its `status.ini`, from which it also
//! prints its table.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::datastore::Datastore;
use super::process::Ended;

/// What changed on one side of a datastore in a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    pub(crate) added: u32,
    pub(crate) updated: u32,
    pub(crate) removed: u32,
}

impl Changes {
    pub(crate) const NONE: Self = Self {
        added: 0,
        updated: 0,
        removed: 0,
    };
}

/// The outcome of one session.
pub(crate) struct Report {
    /// True when the client ended with exit status 0.
    pub(crate) success: bool,
    /// What the client printed.
    pub(crate) text: String,
    /// Where the client left its log.
    pub(crate) log: Option<PathBuf>,
    values: BTreeMap<String, String>,
}

impl Report {
    pub(crate) fn new(ended: Ended, log: Option<PathBuf>) -> Self {
        let status = log
            .as_ref()
            .and_then(|log| fs::read_to_string(log.join("status.ini")).ok())
            .unwrap_or_default();
        let values = status
            .lines()
            .filter_map(|line| line.split_once(" = "))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        Self {
            success: ended.success(),
            text: ended.text,
            log,
            values,
        }
    }

    /// The SyncML status of the session; 200 when all went well.
    pub(crate) fn status(&self) -> u32 {
        self.number("status")
    }

    /// The SyncML status of a datastore; 0 when all went well.
    pub(crate) fn datastore_status(&self, datastore: Datastore) -> u32 {
        self.number(&format!("source-{}-status", datastore.source()))
    }

    /// The mode in which a datastore was synced in the end, in SyncEvolution's words.
    pub(crate) fn mode(&self, datastore: Datastore) -> &str {
        self.values
            .get(&format!("source-{}-mode", datastore.source()))
            .map_or("", String::as_str)
    }

    /// What the phone's datastore was changed by.
    pub(crate) fn on_phone(&self, datastore: Datastore) -> Changes {
        self.changes("local", datastore)
    }

    /// What the server's datastore was changed by, as the phone counts it.
    pub(crate) fn on_server(&self, datastore: Datastore) -> Changes {
        self.changes("remote", datastore)
    }

    /// Fails unless the session ended well and no item was refused.
    pub(crate) fn expect_success(&self, context: &str) {
        let failed = self.values.keys().any(|key| key.ends_with("-error"));
        assert!(
            self.success && self.status() == 200 && !failed,
            "{context} failed\n{}",
            self.describe()
        );
    }

    /// All that is known of the session, for a failure's message.
    pub(crate) fn describe(&self) -> String {
        format!(
            "--- SyncEvolution's output\n{}\n--- its status\n{:#?}\n--- its log: {:?}",
            self.text, self.values, self.log
        )
    }

    fn changes(&self, side: &str, datastore: Datastore) -> Changes {
        let count = |change: &str| {
            self.number(&format!(
                "source-{}-stat-{side}-{change}-total",
                datastore.source()
            ))
        };
        Changes {
            added: count("added"),
            updated: count("updated"),
            removed: count("removed"),
        }
    }

    fn number(&self, key: &str) -> u32 {
        self.values
            .get(key)
            .and_then(|value| value.parse().ok())
            .unwrap_or(0)
    }
}
