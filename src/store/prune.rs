//! Takes away what is kept no longer: recordings, older versions of items, tombstones, sessions that are over.
//!
//! One account after the other, in small transactions, so that no message waits for long; any number of processes may do
//! it at once. What an operator has to decide on stays, and so do tombstones of items that a device still has.

use diesel::sql_types::BigInt;

use super::connection::Database;
use super::error::StoreError;
use super::statement::{Bind, all, execute, statement};
use super::{Store, now, rest};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Accounts of one page.
const PAGE: usize = 100;

/// For how long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Recordings, in days.
    pub recording_days: u32,
    /// Recordings of each account, the newest.
    pub recordings: u32,
    /// Older versions of items, in days.
    pub revision_days: u32,
    /// Deleted items, in days.
    pub tombstone_days: u32,
    /// Sessions that ended or were given up, in days.
    pub session_days: u32,
}

/// What was taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Pruned {
    /// Recorded sessions.
    pub recordings: usize,
    /// Older versions of items.
    pub revisions: usize,
    /// Deleted items.
    pub tombstones: usize,
    /// Sessions that ended or were given up.
    pub sessions: usize,
}

statement!(
    AccountsBehind((BigInt,)) =
        "SELECT id FROM account WHERE id > ? AND name IS NOT NULL ORDER BY id LIMIT 100"
);
/// Recordings that go: too old, or too many; not the one that has the reply of a session whose device may repeat its message. Values: account, time, account, number of those that stay.
macro_rules! old_recordings {
    () => {
        "SELECT r.id FROM recording r WHERE r.account = ? AND r.held <> 1 AND (r.began < ? OR \
         r.id <= (SELECT n.next_recording FROM account n WHERE n.id = ?) - 1 - ?) \
         AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account = r.account AND s.recording = r.id)"
    };
}
statement!(PruneMessages(()) =
    "DELETE FROM recorded_message WHERE account = ? AND (recording, number) IN \
     (SELECT m.recording, m.number FROM recorded_message m WHERE m.account = ? AND m.recording IN ("
    old_recordings!() ") LIMIT 200)");
statement!(PruneRecordings(()) =
    "DELETE FROM recording WHERE account = ? AND id IN (" old_recordings!() ")");
statement!(
    PruneRevisions(()) = "DELETE FROM revision WHERE account = ? AND (item, modseq) IN \
     (SELECT item, modseq FROM revision WHERE account = ? AND replaced_at < ? ORDER BY item, modseq LIMIT 1000)"
);
statement!(
    PruneTombstones(()) = "DELETE FROM item WHERE account = ? AND id IN \
     (SELECT i.id FROM item i WHERE i.account = ? AND i.deleted = 1 AND i.updated < ? \
     AND NOT EXISTS (SELECT 1 FROM device d JOIN entry e ON e.account = d.account AND e.device = d.id \
     AND e.view IN (i.datastore, 6) AND e.item = i.id WHERE d.account = i.account) LIMIT 500)"
);
statement!(PruneSessions(()) = "DELETE FROM session WHERE account = ? AND updated < ?");

impl Store {
    /// Takes away what is older than it is to be kept, of all accounts.
    pub fn prune(&self, keep: &Keep) -> Result<Pruned, StoreError> {
        let before = |days: u32| Bind::Int(now() - i64::from(days) * DAY);
        let mut pruned = Pruned::default();
        let mut last = 0;
        loop {
            let page: Vec<(i64,)> = {
                let mut reader = self.reader()?;
                all(reader.connection()?, AccountsBehind, &[Bind::Int(last)])?
            };
            for (id,) in &page {
                last = *id;
                let account = Bind::Int(*id);
                let old = before(keep.session_days);
                pruned.sessions += self.write(0, move |connection| {
                    execute(connection, PruneSessions, &[account, old])
                })?;
                let count = Bind::Int(i64::from(keep.recordings));
                let old = before(keep.recording_days);
                self.steps(move |connection| {
                    let binds = [account, account, account, old, account, count];
                    execute(connection, PruneMessages, &binds)
                })?;
                pruned.recordings += self.write(0, move |connection| {
                    let binds = [account, account, old, account, count];
                    execute(connection, PruneRecordings, &binds)
                })?;
                let old = before(keep.revision_days);
                pruned.revisions += self.steps(move |connection| {
                    execute(connection, PruneRevisions, &[account, account, old])
                })?;
                let old = before(keep.tombstone_days);
                pruned.tombstones += self.steps(move |connection| {
                    execute(connection, PruneTombstones, &[account, account, old])
                })?;
                self.write(0, move |connection| rest::prune(connection, account))?;
            }
            if page.len() < PAGE {
                return Ok(pruned);
            }
        }
    }

    /// Transactions until nothing is left to do.
    fn steps(
        &self,
        work: impl FnMut(&mut Database) -> Result<usize, StoreError> + Clone + Send + 'static,
    ) -> Result<usize, StoreError> {
        let mut sum = 0;
        loop {
            let count = self.write(0, work.clone())?;
            if count == 0 {
                return Ok(sum);
            }
            sum += count;
        }
    }
}
