//! Rows that differ in few columns, written many at once: a statement costs as much as the row that it writes.
//!
//! Gathers new items and entries of a commit, and writes them when a statement is full, when something else touches what they may
//! touch, and at the end. SQLite only: PostgreSQL is given each row alone.

use super::connection::Database;
use super::error::StoreError;
use super::row::{folder_number, format_number, kind_in, kind_number};
use super::statement::{Bind, execute, statement};
use crate::content::Format;
use crate::sync::{Datastore, Echo, Entry, ItemId, ItemWrite, Round};

/// Rows of a statement.
const ROWS: usize = 16;

macro_rules! sixteen {
    ($row:literal) => {
        concat!(
            $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ",
            $row, ", ", //
            $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ", $row, ", ",
            $row
        )
    };
}

macro_rules! five {
    () => {
        sixteen!("(?, ?, ?, ?, ?)")
    };
}

macro_rules! six {
    () => {
        sixteen!("(?, ?, ?, ?, ?, ?)")
    };
}

statement!(
    PutEntries(()) = "INSERT INTO entry (account, device, view, round, item, luid, seen, digest, mark, sent, failures, parent, echo) \
     SELECT ?, ?, ?, ?, column1, column2, column3, column4, column5, NULL, 0, 0, 0 FROM (VALUES "
    five!() ") WHERE true ON CONFLICT (account, device, view, item) DO UPDATE SET luid = excluded.luid, \
     seen = excluded.seen, sent = NULL, digest = excluded.digest, mark = excluded.mark, round = excluded.round, \
     failures = 0, parent = 0, echo = 0"
);
statement!(
    /// Without OR FAIL each statement keeps a copy of the pages that it changes. What fails is undone with its transaction.
    InsertItems(()) = "INSERT OR FAIL INTO item (account, datastore, kind, format, updated, origin, folder, deleted, received, original, \
     id, modseq, content_modseq, flag_modseq, created_modseq, digest, match_key, uid, body) \
     SELECT ?, ?, ?, ?, ?, ?, ?, 0, 0, NULL, column1, column2, column2, column2, column2, column3, column4, column5, column6 \
     FROM (VALUES " six!() ")"
);

/// Entries of one view and round that say no more than what the device has.
#[derive(Default)]
pub(super) struct Entries<'a> {
    of: Option<(Datastore, Round)>,
    waiting: Vec<&'a Entry>,
}

impl<'a> Entries<'a> {
    /// Takes an entry that can wait for others. False: it has to be written now, and [`Self::take`] before it.
    pub(super) fn gather(&mut self, view: Datastore, entry: &'a Entry) -> bool {
        let is_plain = entry.luid.is_some()
            && entry.sent.is_none()
            && entry.failures == 0
            && entry.parent == ItemId(0)
            && entry.echo == Echo::default();
        let of = Some((view, entry.round));
        let fits = is_plain
            && self.waiting.len() < ROWS
            && (self.waiting.is_empty() || self.of == of)
            && self.waiting.iter().all(|other| other.item != entry.item);
        if fits {
            self.of = of;
            self.waiting.push(entry);
        }
        fits
    }

    /// What waits is as many as a statement writes.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() == ROWS
    }

    /// Gives what waits.
    pub(super) fn take(&mut self) -> Option<(Datastore, Vec<&'a Entry>)> {
        let (view, _) = self.of.take()?;
        Some((view, std::mem::take(&mut self.waiting)))
    }
}

/// Writes [`ROWS`] entries. [`StoreError::Exists`]: one of the LUIDs is another item's, and nothing is written.
pub(super) fn put_entries(
    connection: &mut Database,
    [account, device, view]: [Bind<'_>; 3],
    entries: &[&Entry],
) -> Result<(), StoreError> {
    let round = entries.first().map_or(0, |entry| entry.round.0);
    let mut binds = Vec::with_capacity(4 + ROWS * 5);
    binds.extend([account, device, view, Bind::Int(round)]);
    for entry in entries {
        binds.extend([
            Bind::Int(entry.item.0),
            Bind::OptionalText(entry.luid.as_deref()),
            Bind::Int(entry.seen.0),
            Bind::Blob(&entry.digest.0),
            Bind::Int(entry.mark.0),
        ]);
    }
    execute(connection, PutEntries, &binds).map(drop)
}

/// New items that are alike in all but what they say, each with its UID.
#[derive(Default)]
pub(super) struct Items<'a> {
    waiting: Vec<(&'a ItemWrite, Bind<'static>)>,
}

impl<'a> Items<'a> {
    /// Whether a new item can wait for others.
    pub(super) fn may_wait(write: &ItemWrite) -> bool {
        write.original.is_none() && !matches!(write.meta.format, Format::Mail | Format::Folder)
    }

    /// Whether it goes into one statement with those that wait.
    pub(super) fn fits(&self, write: &ItemWrite) -> bool {
        self.waiting.first().is_none_or(|(other, _)| {
            let (a, b) = (&other.meta, &write.meta);
            self.waiting.len() < ROWS
                && (a.datastore, a.format, a.updated, a.parent, other.origin)
                    == (b.datastore, b.format, b.updated, b.parent, write.origin)
        })
    }

    pub(super) fn push(&mut self, write: &'a ItemWrite, uid: Bind<'static>) {
        self.waiting.push((write, uid));
    }

    /// What waits is as many as a statement writes.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() == ROWS
    }

    /// Gives what waits.
    pub(super) fn take(&mut self) -> Vec<(&'a ItemWrite, Bind<'static>)> {
        std::mem::take(&mut self.waiting)
    }
}

/// Writes [`ROWS`] items.
pub(super) fn insert_items(
    connection: &mut Database,
    account: Bind<'_>,
    items: &[(&ItemWrite, Bind<'static>)],
) -> Result<(), StoreError> {
    let Some((first, _)) = items.first() else {
        return Ok(());
    };
    let meta = &first.meta;
    let kind = kind_in(meta.datastore, meta.format).map(kind_number);
    let mut binds = Vec::with_capacity(7 + ROWS * 6);
    binds.extend([
        account,
        Bind::Int(i64::from(meta.datastore.number())),
        Bind::OptionalInt(kind),
        Bind::Int(format_number(meta.format)),
        Bind::Int(meta.updated),
        Bind::OptionalInt(first.origin.map(|device| device.0)),
        Bind::Int(folder_number(meta.datastore, meta.parent)),
    ]);
    for (write, uid) in items {
        binds.extend([
            Bind::Int(write.meta.id.0),
            Bind::Int(write.meta.modseq.0),
            Bind::Blob(&write.meta.digest.0),
            Bind::Int(write.meta.key.0),
            *uid,
            Bind::Blob(&write.body),
        ]);
    }
    execute(connection, InsertItems, &binds).map(drop)
}
