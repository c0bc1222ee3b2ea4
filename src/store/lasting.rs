//! When writes reach the disk.
//!
//! Most are there before they are answered. What the server keeps for itself (leases, what gateways took, the copy of a
//! mailbox) may be done again after a loss of power, and must only outlast the process: it is in the log of the database when it is
//! answered, and on the disk within [`LONGEST`], or with the next write that has to be there. What is lost with the power is
//! always the newest: nobody has seen a later write without an earlier one.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::connection::{Database, Place};
use super::error::StoreError;

/// How long a write may be in the system's hands alone.
pub(super) const LONGEST: Duration = Duration::from_millis(50);

/// What the writer's connection does with the disk.
#[derive(Debug)]
pub(super) struct Lasting {
    /// The log of the database; `None` if nothing of it is ever to be on a disk.
    log: Option<PathBuf>,
    /// The connection does not wait for the disk.
    relaxed: bool,
    /// When the oldest write that may not be on the disk was done.
    since: Option<Instant>,
}

impl Lasting {
    /// For a new connection to a place.
    pub(super) fn of(place: &Place) -> Self {
        let path = match place {
            Place::File(path) => Some(path),
            Place::Passing(_) => None,
            #[cfg(feature = "postgres")]
            Place::Server(_) => None,
        };
        let log = path.map(|path| {
            // The log is beside the file itself, not beside a link to it.
            let path = path.canonicalize().unwrap_or_else(|_| path.clone());
            let mut name = OsString::from(path);
            name.push("-wal");
            PathBuf::from(name)
        });
        Self {
            log,
            relaxed: false,
            since: None,
        }
    }

    /// How long until something has to be on the disk; `None` if everything is.
    pub(super) fn rest(&self) -> Option<Duration> {
        self.since
            .map(|since| LONGEST.saturating_sub(since.elapsed()))
    }

    /// Before a transaction: whether all of it may reach the disk later.
    pub(super) fn prepare(
        &mut self,
        connection: &mut Database,
        soon: bool,
    ) -> Result<(), StoreError> {
        let late = self.rest().is_some_and(|rest| rest.is_zero());
        let relaxed = soon && !late;
        if relaxed == self.relaxed {
            return Ok(());
        }
        match connection {
            Database::Sqlite(sqlite) if self.log.is_some() => {
                sqlite.batch_execute(match relaxed {
                    true => "PRAGMA synchronous = NORMAL",
                    false => "PRAGMA synchronous = FULL",
                })?;
            }
            Database::Sqlite(_) => {}
            #[cfg(feature = "postgres")]
            Database::Postgresql(postgresql) => {
                postgresql.batch_execute(match relaxed {
                    true => "SET synchronous_commit = off",
                    false => "SET synchronous_commit = on",
                })?;
            }
        }
        self.relaxed = relaxed;
        Ok(())
    }

    /// After a transaction.
    pub(super) fn written(&mut self) {
        if !self.relaxed {
            self.since = None;
        } else if self.log.is_some() {
            self.since.get_or_insert_with(Instant::now);
        }
    }

    /// Brings what was written to the disk.
    pub(super) fn sync(&mut self) {
        if self.since.take().is_none() {
            return;
        }
        let Some(log) = &self.log else { return };
        // Without a log everything is in the database already.
        if let Ok(file) = File::open(log)
            && let Err(error) = file.sync_data()
        {
            tracing::error!(
                "{}: it cannot be written to the disk: {error}",
                log.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::Purpose;
    use super::super::statement::{first, statement};
    use super::*;
    use diesel::sql_types::BigInt;

    statement!(Synchronous((BigInt,)) = "PRAGMA synchronous");

    fn level(connection: &mut Database) -> i64 {
        let row: Option<(i64,)> = first(connection, Synchronous, &[]).unwrap();
        row.unwrap().0
    }

    #[test]
    fn what_may_come_later_does_so_within_the_time_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("a.db").display());
        let place = Place::of_url(&url).unwrap();
        place.prepare().unwrap();
        let mut connection = place.connect(Purpose::Write).unwrap();
        let mut lasting = Lasting::of(&place);
        let mut write = |lasting: &mut Lasting, soon: bool| {
            lasting.prepare(&mut connection, soon).unwrap();
            let level = level(&mut connection);
            lasting.written();
            level
        };
        assert_eq!((write(&mut lasting, false), lasting.rest()), (2, None));
        assert_eq!(write(&mut lasting, true), 1);
        assert!(lasting.rest().is_some_and(|rest| rest <= LONGEST));
        // The next one that has to be there brings the others with it.
        assert_eq!((write(&mut lasting, false), lasting.rest()), (2, None));
        assert_eq!(write(&mut lasting, true), 1);
        lasting.since = lasting.since.and_then(|since| since.checked_sub(LONGEST));
        assert_eq!((write(&mut lasting, true), lasting.rest()), (2, None));
        assert_eq!(write(&mut lasting, true), 1);
        lasting.sync();
        assert_eq!(lasting.rest(), None);
    }

    #[test]
    fn a_passing_database_never_waits_for_a_disk() {
        let place = Place::of_url("sqlite::memory:").unwrap();
        place.prepare().unwrap();
        let mut connection = place.connect(Purpose::Write).unwrap();
        let mut lasting = Lasting::of(&place);
        for soon in [true, false, true] {
            lasting.prepare(&mut connection, soon).unwrap();
            lasting.written();
            assert_eq!((level(&mut connection), lasting.rest()), (0, None));
        }
    }
}
