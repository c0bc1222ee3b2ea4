//! What happened in a session, for programs (serde) and for people (Display).

use std::fmt;

use serde::Serialize;

use super::mode::Mode;
use crate::syncml::Code;

/// Numbers of item commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Changes {
    /// Add
    pub adds: u64,
    /// Replace
    pub replaces: u64,
    /// Delete
    pub deletes: u64,
}

impl Changes {
    /// All together.
    pub const fn total(&self) -> u64 {
        self.adds + self.replaces + self.deletes
    }
}

/// Who sent the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// The phone; the server refused it.
    Sent,
    /// The server; the phone refused it.
    Received,
}

/// An item that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ItemFailure {
    /// Who sent it.
    pub direction: Direction,
    /// Add, Replace or Delete.
    pub command: &'static str,
    /// LUID of a sent item and of a known one, else the server's id.
    pub id: String,
    /// Why.
    pub code: Code,
}

/// What happened to one datastore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DatastoreReport {
    /// Its name on the phone.
    pub name: String,
    /// What the user asked for.
    pub asked: Mode,
    /// What was done.
    pub used: Mode,
    /// The server refused the datastore with this code; nothing was done.
    pub refused: Option<Code>,
    /// Confirmed by the server.
    pub sent: Changes,
    /// Taken from the server.
    pub received: Changes,
    /// Items that were refused.
    pub failures: Vec<ItemFailure>,
    /// The phone's anchor of the session before.
    pub last_anchor: Option<String>,
    /// The phone's anchor of this session.
    pub next_anchor: String,
    /// The server's anchor of this session.
    pub server_anchor: Option<String>,
    /// How many changes the server announced.
    pub announced: Option<u64>,
}

/// What happened in a session.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// SessionID.
    pub session_id: String,
    /// In the order of the request.
    pub datastores: Vec<DatastoreReport>,
    /// Messages that were sent, without those that were sent again.
    pub messages: u32,
    /// Messages that were sent again because no answer came.
    pub resends: u32,
    /// Octets of the messages that were sent.
    pub octets_sent: u64,
    /// Octets of the answers.
    pub octets_received: u64,
    /// How often the server asked for credentials.
    pub challenges: u32,
    /// Maker and model of the server, if it told.
    pub server: Option<String>,
    /// The answer to the command that no server need know, if one was sent.
    pub unknown_command: Option<Code>,
    /// Texts that the server had the phone show to its user (Alert 100), at most 100.
    pub displayed: Vec<String>,
    /// Where the server did not keep to the specification, at most 100.
    pub complaints: Vec<String>,
    /// What the phone misunderstood because the server did not speak its dialect, at most 100; without contents.
    pub mishaps: Vec<String>,
}

impl Report {
    /// The part of one datastore.
    pub fn datastore(&self, name: &str) -> Option<&DatastoreReport> {
        self.datastores
            .iter()
            .find(|datastore| datastore.name == name)
    }

    /// Some items or whole datastores were refused.
    pub fn has_failures(&self) -> bool {
        self.datastores
            .iter()
            .any(|store| store.refused.is_some() || !store.failures.is_empty())
    }
}

impl fmt::Display for DatastoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut letters = self.name.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string());
        write!(f, "{}{}: ", first.unwrap_or_default(), letters.as_str())?;
        if let Some(code) = self.refused {
            return write!(f, "refused by the server ({code} {})", code.text());
        }
        write!(
            f,
            "{} sent, {} received",
            self.sent.total(),
            self.received.total()
        )?;
        if self.used != self.asked {
            write!(f, " ({})", self.used)?;
        }
        match self.failures.len() {
            0 => Ok(()),
            1 => f.write_str(", 1 item failed"),
            n => write!(f, ", {n} items failed"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for datastore in &self.datastores {
            writeln!(f, "{datastore}")?;
            for failure in datastore.failures.iter().take(10) {
                let whose = match failure.direction {
                    Direction::Sent => "not taken by the server",
                    Direction::Received => "not taken by the phone",
                };
                let ItemFailure {
                    command, id, code, ..
                } = failure;
                writeln!(f, "  {command} {id} {whose}: {code} {}", code.text())?;
            }
            if datastore.failures.len() > 10 {
                writeln!(f, "  and {} more", datastore.failures.len() - 10)?;
            }
        }
        write!(
            f,
            "{} messages, {} octets sent, {} octets received",
            self.messages, self.octets_sent, self.octets_received
        )
    }
}
