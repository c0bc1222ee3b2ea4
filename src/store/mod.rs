//! Accounts, devices, items, views and sessions in a database.
//!
//! - All that one message changes is one [`Commit`]: one transaction, written whole or not at
//!   all, durable when [`Store::commit`](crate::store::Store::commit) comes back.
//! - Writes compare and set: on the account's change counter if they touch items, on the session's step if they
//!   answer a message.
//! - Reads of one message come from one snapshot ([`Reader`]) and never wait for writes.
//! - The key of every table begins with the account. No query scans accounts, and none costs more because an account
//!   has more items than it asks for.
//! - Items are never taken out: a deletion leaves a tombstone, a change leaves a revision.
//!
//! One connection writes (SQLite has one writer at a time anyway); what waits for it goes into one transaction. Methods block;
//! asynchronous callers call them from threads that may block.
//!
//! SQLite is always there, PostgreSQL behind the feature `postgres`: the same tables (`migrations/`), the same
//! statements but for lists of values, limits and row locks.

mod account;
mod announcement;
mod apply;
mod bulk;
mod connection;
mod device;
mod error;
mod hierarchy;
mod holds;
mod items;
mod lasting;
mod load;
mod mailbox;
mod outbox;
mod outgoing;
mod prune;
mod readers;
mod recording;
mod rest;
mod revision;
mod row;
mod sign;
mod statement;
mod submission;
#[cfg(test)]
mod tests;
mod undo;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

pub use announcement::Refusal;
pub use error::StoreError;
pub use holds::{Decided, Decision};
pub use items::NewItem;
pub use load::Reader;
pub use mailbox::{MAX_MAILBOXES, WatchOutcome};
pub use outbox::{
    DeviceKey, GatewayNote, NewNotification, News, NotedReceipt, NotificationFacts, Settlement,
    StoredMailRules, Submission,
};
pub use prune::{Keep, Pruned};
pub use recording::{Held, RecordedMessage, Recording};
pub use sign::ChangeSign;
pub use statement::rows_read;
pub use submission::{QueuedMail, Reached, Recipient, SubmissionState};
pub use undo::Undone;

use crate::secret::KeyFile;
use crate::sync::{Change, Commit};
use connection::{Database, Place, Purpose};
use readers::Readers;
use writer::Writer;

/// Where the database and the key to its secrets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// `sqlite:FILE`, `sqlite::memory:` for a database that goes with the store (in a private folder of `/dev/shm`,
    /// where there is one), or `postgres://…` if the program was built with the feature.
    pub url: String,
    /// The key file; without one it is `candybar.key` beside the database file or in the working directory.
    pub key: Option<PathBuf>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            url: "sqlite:candybar.db".into(),
            key: None,
        }
    }
}

/// The store; clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

// The order matters: the writer ends first, then connections are closed, then a passing database is removed.
#[derive(Debug)]
struct Shared {
    writer: Writer,
    readers: Arc<Readers>,
    key: KeyFile,
    waker: OnceLock<Waker>,
    place: Arc<Place>,
}

struct Waker(Box<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Waker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waker")
    }
}

impl Store {
    /// Opens the database; makes it and the key file if they do not exist, and brings older tables up to date.
    pub fn open(config: &StoreConfig) -> Result<Self, StoreError> {
        let place = Arc::new(Place::of_url(&config.url)?);
        place.prepare()?;
        let mut connection = place.connect(Purpose::Write)?;
        let key = open_key(&place, config.key.as_deref(), &mut connection)?;
        let readers = Readers::new(Arc::clone(&place));
        let writer = Writer::start(Arc::clone(&place), connection)?;
        Ok(Self {
            shared: Arc::new(Shared {
                writer,
                readers,
                key,
                waker: OnceLock::new(),
                place,
            }),
        })
    }

    /// Begins to read: all loads of the reader see the same state.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        let lent = self.shared.readers.lend()?;
        Ok(Reader::new(lent, self.shared.key.clone()))
    }

    /// Writes all changes of one message and comes back when they are durable.
    ///
    /// [`StoreError::Conflict`]: the account's counter or the session's step is not what the commit rests on; nothing
    /// is written. [`StoreError::NotFound`]: the account or device is gone.
    pub fn commit(&self, commit: Commit) -> Result<(), StoreError> {
        let octets = octets(&commit);
        let wakes = commit.modseq != commit.expected || apply::ends_session(&commit);
        self.write(octets, move |connection| apply::commit(connection, &commit))?;
        if wakes {
            self.wake();
        }
        Ok(())
    }

    /// Calls this whenever something was written that may give the outbox work, from whatever thread wrote it. Only
    /// the first one is kept. What other processes write does not call it.
    pub fn when_outbox_changes(&self, waker: impl Fn() + Send + Sync + 'static) {
        let _unused = self.shared.waker.set(Waker(Box::new(waker)));
    }

    fn wake(&self) {
        if let Some(Waker(waker)) = self.shared.waker.get() {
            waker();
        }
    }

    /// Does `work` in a transaction of the writer, with others' work.
    fn write<T, F>(&self, octets: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.writer.run(octets, work)
    }

    /// The same for what may be done again after a loss of power: it outlasts the process, and is on the disk a moment
    /// later ([`lasting`]).
    fn write_soon<T, F>(&self, octets: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    {
        self.shared.writer.run_soon(octets, work)
    }
}

/// About how much a commit writes.
fn octets(commit: &Commit) -> usize {
    let session = commit.session.as_ref().map_or(0, |session| {
        let recorded = session.recording.as_ref().map_or(0, |recording| {
            recording.request.len() + recording.trace.len() + session.state.reply.len()
        });
        session.state.reply.len() + session.state.snapshot.len() + recorded
    });
    let changes: usize = commit
        .changes
        .iter()
        .map(|change| match change {
            Change::PutItem(write) => {
                256 + write.body.len() + write.original.as_ref().map_or(0, Vec::len)
            }
            Change::PutDevice(device) => device.devinf.len(),
            _ => 128,
        })
        .sum();
    session + changes
}

/// The key, tried on a password that is there. A database with passwords never gets a new key.
fn open_key(
    place: &Place,
    path: Option<&Path>,
    connection: &mut Database,
) -> Result<KeyFile, StoreError> {
    let sealed = account::any_sealed(connection)?;
    let Some(path) = path.map(Path::to_path_buf).or_else(|| place.key()) else {
        return Ok(KeyFile::ephemeral()?);
    };
    let key = match sealed {
        Some(_) => KeyFile::read(&path)?,
        None => KeyFile::read_or_make(&path)?,
    };
    if let Some((account, password)) = sealed {
        key.open(account, &password)?;
    }
    Ok(key)
}

/// Seconds since 1970.
fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_secs()).ok())
        .unwrap_or_default()
}
