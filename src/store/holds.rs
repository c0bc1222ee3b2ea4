//! Deletions that wait for the end of a package or for the operator: what a decision needs to know, and the operator's own.

use bytes::Bytes;

use std::ops::ControlFlow;

use diesel::sql_types::BigInt;

use super::connection::Database;
use super::error::StoreError;
use super::recording::{self, Held};
use super::row::{self, EntryRow, EntrySql, MetaRow, MetaSql, entry_columns, meta_columns};
use super::statement::{Bind, all, each, execute, first, statement};
use super::{Store, apply, items, load, revision};
use crate::sync::recording::{Event, Trace, What, events};
use crate::sync::{
    AccountId, Change, Commit, Datastore, DeviceId, Entry, ItemId, ItemMeta, ItemWrite, Known,
    KnownQuery, Modseq, Tally,
};

statement!(Marked((MetaSql, EntrySql)) =
    "SELECT " meta_columns!() ", " entry_columns!() " FROM entry e JOIN item i \
     ON i.account = e.account AND i.id = e.item \
     WHERE e.account = ? AND e.device = ? AND e.view = ? AND e.failures = ? AND e.failures < 0 ORDER BY e.item");
statement!(
    Living((BigInt,)) =
        "SELECT count(*) FROM item WHERE account = ? AND datastore = ? AND deleted = 0"
);
statement!(
    OnDevice((BigInt,)) = "SELECT count(*) FROM entry WHERE account = ? AND device = ? AND view = ? AND luid IS NOT NULL"
);
statement!(Gone((MetaSql, EntrySql)) =
    "SELECT " meta_columns!() ", " entry_columns!() " FROM entry e JOIN item i \
     ON i.account = e.account AND i.id = e.item \
     WHERE e.account = ? AND e.device = ? AND e.view = ? AND e.luid IS NOT NULL AND e.sent IS NULL \
     AND i.deleted = 1 ORDER BY e.item");
statement!(
    Untold((BigInt,)) = "SELECT count(*) FROM entry WHERE account = ? AND device = ? AND view = ? \
     AND failures = ? AND failures < 0"
);
statement!(DeviceIds((BigInt,)) = "SELECT id FROM device WHERE account = ?");
statement!(
    /// As if the Delete had been sent before, and never confirmed.
    AllowDelete(()) = "UPDATE entry SET sent = ?, failures = 0 WHERE account = ? AND device = ? AND view = ? AND item = ? \
     AND luid IS NOT NULL AND (failures >= 0 OR failures = ?)"
);
statement!(
    LookForUnconfirmed(()) =
        "UPDATE \"view\" SET unsettled = 1 WHERE account = ? AND device = ? AND view = ?"
);
statement!(
    Deletions((BigInt,)) = "SELECT count(*) FROM item i JOIN entry e \
     ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id \
     WHERE i.account = ? AND i.datastore = ? AND i.modseq > ? AND i.deleted = 1 \
     AND e.luid IS NOT NULL AND e.sent IS NULL AND e.failures >= 0 AND e.seen < i.modseq"
);

/// Items whose deletion by the device waits for the end of its package.
pub(super) fn pending(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    view: Datastore,
) -> Result<Vec<Known>, StoreError> {
    let binds = [
        Bind::Int(account.0),
        Bind::Int(device.0),
        Bind::Int(i64::from(view.number())),
        Bind::Int(i64::from(Entry::PENDING)),
    ];
    let mut found = Vec::new();
    each(connection, Marked, &binds, |row| keep(&mut found, row))?;
    Ok(found)
}

/// Items that the device has, and that are deleted here without its having been told.
pub(super) fn gone(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    view: Datastore,
) -> Result<Vec<Known>, StoreError> {
    let view = Bind::Int(i64::from(view.number()));
    let binds = [Bind::Int(account.0), Bind::Int(device.0), view];
    let mut found = Vec::new();
    each(connection, Gone, &binds, |row| keep(&mut found, row))?;
    Ok(found)
}

fn keep(
    found: &mut Vec<Known>,
    (meta, entry): (MetaRow, EntryRow),
) -> Result<ControlFlow<()>, StoreError> {
    found.push(Known {
        item: row::meta(meta)?,
        entry: Some(row::entry(entry)?),
    });
    Ok(ControlFlow::Continue(()))
}

/// Counts.
pub(super) fn tally(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    tally: Tally,
) -> Result<u64, StoreError> {
    let account = Bind::Int(account.0);
    let device = Bind::Int(device.0);
    let number = |view: Datastore| Bind::Int(i64::from(view.number()));
    let mut sum = 0;
    let mut add = |row: Option<(i64,)>| sum += row.map_or(0, |(count,)| count.unsigned_abs());
    match tally {
        Tally::Living(view) => {
            for datastore in view.collections() {
                add(first(connection, Living, &[account, number(*datastore)])?);
            }
        }
        Tally::OnDevice(view) => add(first(
            connection,
            OnDevice,
            &[account, device, number(view)],
        )?),
        Tally::Untold(view) => {
            let untold = Bind::Int(i64::from(Entry::UNTOLD));
            add(first(
                connection,
                Untold,
                &[account, device, number(view), untold],
            )?);
        }
        Tally::Deletions { view, base } => {
            for datastore in view.collections() {
                let base = Bind::Int(base.0);
                let binds = [device, number(view), account, number(*datastore), base];
                add(first(connection, Deletions, &binds)?);
            }
        }
    }
    Ok(sum)
}

/// What the operator decides about deletions that are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They happen.
    Release,
    /// They do not: the side that lost the items gets them again.
    Discard,
}

/// What became of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Decided {
    /// Items that are deleted on the server now.
    pub deleted: u64,
    /// Deletes that the device gets in its next sync.
    pub to_be_told: u64,
    /// Items that the device gets again in its next sync.
    pub sent_again: u64,
    /// Items that live on the server again.
    pub restored: u64,
    /// Items that were changed on the server after they were held: they stay, and the device gets them again.
    pub changed_since: u64,
    /// Items that are held no longer: the device has named or got them meanwhile, or was forgotten.
    pub settled: u64,
}

/// An item that a session held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Hold {
    view: Datastore,
    item: ItemId,
    mark: i32,
}

impl Store {
    /// Decides about the deletions that a session held, some hundred in a transaction. If the program ends before all
    /// are decided, the same call goes on where it stopped. [`StoreError::NotFound`]: there is no such recording.
    pub fn decide(
        &self,
        account: AccountId,
        recording: i64,
        decision: Decision,
    ) -> Result<Decided, StoreError> {
        let device = self.recording(account, recording)?.device;
        let mut holds = Vec::new();
        for message in self.recorded_messages(account, recording)? {
            let events =
                events(&message.trace).map_err(|error| StoreError::Corrupt(error.to_string()))?;
            holds.extend(events.into_iter().filter_map(|event| {
                let mark = match event.what {
                    What::HeldReceived => Entry::HELD,
                    What::HeldSent => Entry::UNTOLD,
                    _ => return None,
                };
                Some(Hold {
                    view: event.view?,
                    item: event.item,
                    mark,
                })
            }));
        }
        let mut decided = Decided::default();
        for chunk in holds.chunks(items::CHUNK) {
            let chunk = chunk.to_vec();
            let part = self.write(chunk.len() * 1024, move |connection| {
                decide_chunk(connection, account, recording, device, &chunk, decision)
            })?;
            decided.deleted += part.deleted;
            decided.to_be_told += part.to_be_told;
            decided.sent_again += part.sent_again;
            decided.restored += part.restored;
            decided.changed_since += part.changed_since;
            decided.settled += part.settled;
        }
        let held = match decision {
            Decision::Release => Held::Released,
            Decision::Discard => Held::Discarded,
        };
        self.write(0, move |connection| {
            recording::set_held(connection, account, recording, held)
        })?;
        Ok(decided)
    }
}

fn decide_chunk(
    connection: &mut Database,
    account: AccountId,
    recording: i64,
    device: DeviceId,
    holds: &[Hold],
    decision: Decision,
) -> Result<Decided, StoreError> {
    let mut commit = items::empty(connection, account, super::now())?;
    commit.device = Some(device);
    let mut decided = Decided::default();
    let others = other_devices(connection, account, device)?;
    for hold in holds {
        let query = KnownQuery {
            view: hold.view,
            luids: Vec::new(),
            items: vec![hold.item],
            keys: Vec::new(),
        };
        let known = load::known(connection, account, device, &query)?.pop();
        let known = known.and_then(|known| Some((known.item, known.entry?)));
        let Some((meta, entry)) = known.filter(|(_, entry)| entry.failures == hold.mark) else {
            decided.settled += 1;
            continue;
        };
        let view = hold.view;
        let free = Entry {
            failures: 0,
            ..entry.clone()
        };
        let again = free.clone().owed(meta.modseq, entry.round);
        match (hold.mark, decision) {
            (Entry::HELD, _) if meta.deleted => {
                let item = hold.item;
                commit.changes.push(Change::DropEntry { view, item });
                decided.settled += 1;
            }
            (Entry::HELD, Decision::Release) if meta.modseq > entry.seen => {
                commit.changes.push(Change::PutEntry { view, entry: again });
                decided.changed_since += 1;
            }
            (Entry::HELD, Decision::Release) => {
                bury(&mut commit, hold.item);
                allow(connection, account, &others, &meta, commit.modseq)?;
                let item = hold.item;
                commit.changes.push(Change::DropEntry { view, item });
                decided.deleted += 1;
            }
            (Entry::HELD, Decision::Discard) => {
                commit.changes.push(Change::PutEntry { view, entry: again });
                decided.sent_again += 1;
            }
            // Somebody has brought it back: the device gets what it does not have.
            (_, _) if !meta.deleted => {
                commit.changes.push(Change::PutEntry { view, entry: free });
                decided.settled += 1;
            }
            (_, Decision::Release) => {
                // As if it had been sent before, and never confirmed.
                let entry = Entry {
                    sent: Some(meta.modseq),
                    ..free
                };
                commit.changes.push(Change::PutEntry { view, entry });
                allow(connection, account, &others, &meta, meta.modseq)?;
                decided.to_be_told += 1;
            }
            (_, Decision::Discard) => {
                let before =
                    revision::version(connection, account, hold.item, Modseq(meta.modseq.0 - 1))?;
                let body = load::items(connection, account, &[hold.item])?.pop();
                let Some(body) = body.map(|item| item.body) else {
                    continue;
                };
                let version = revive(&mut commit, &meta, body);
                // The device has the very version that was deleted: there is nothing to tell.
                let current = before.is_some_and(|before| before.meta.modseq <= entry.seen);
                let entry = Entry {
                    seen: if current { version } else { entry.seen },
                    ..free
                };
                commit.changes.push(Change::PutEntry { view, entry });
                decided.restored += 1;
            }
        }
    }
    apply::commit(connection, &commit)?;
    recording::append(
        connection,
        account,
        recording,
        &commit,
        trace(holds, &commit, decision),
    )?;
    Ok(decided)
}

/// The account's devices but one.
pub(super) fn other_devices(
    connection: &mut Database,
    account: AccountId,
    but: DeviceId,
) -> Result<Vec<DeviceId>, StoreError> {
    let ids: Vec<(i64,)> = all(connection, DeviceIds, &[Bind::Int(account.0)])?;
    let ids = ids.into_iter().map(|(id,)| DeviceId(id));
    Ok(ids.filter(|id| *id != but).collect())
}

/// The operator has decided that an item goes: other devices are told without being asked about it again.
pub(super) fn allow(
    connection: &mut Database,
    account: AccountId,
    devices: &[DeviceId],
    meta: &ItemMeta,
    version: Modseq,
) -> Result<(), StoreError> {
    for device in devices {
        for view in [meta.datastore, Datastore::Agenda] {
            let binds = [
                Bind::Int(version.0),
                Bind::Int(account.0),
                Bind::Int(device.0),
                Bind::Int(i64::from(view.number())),
                Bind::Int(meta.id.0),
                Bind::Int(i64::from(Entry::UNTOLD)),
            ];
            if execute(connection, AllowDelete, &binds)? > 0 {
                let binds = [
                    Bind::Int(account.0),
                    Bind::Int(device.0),
                    Bind::Int(i64::from(view.number())),
                ];
                execute(connection, LookForUnconfirmed, &binds)?;
            }
        }
    }
    Ok(())
}

/// What the operator decided, as it is shown.
fn trace(holds: &[Hold], commit: &Commit, decision: Decision) -> Trace {
    let mut trace = Trace::default();
    let text = match decision {
        Decision::Release => "released by the operator",
        Decision::Discard => "discarded by the operator",
    };
    trace.push(&Event {
        text,
        ..Event::new(What::Note, holds.first().map(|hold| hold.view))
    });
    for change in &commit.changes {
        if let Change::DeleteItem { item, modseq, .. } = change {
            let hold = holds.iter().find(|hold| hold.item == *item);
            trace.push(&Event {
                item: *item,
                version: *modseq,
                ..Event::new(What::Deleted, hold.map(|hold| hold.view))
            });
        }
    }
    trace
}

/// Adds a deletion by the operator to a commit.
pub(super) fn bury(commit: &mut Commit, item: ItemId) {
    commit.modseq = commit.modseq.next();
    commit.changes.push(Change::DeleteItem {
        item,
        modseq: commit.modseq,
        origin: None,
    });
}

/// Adds a write by the operator to a commit: an item as it was; gives its number.
pub(super) fn revive(commit: &mut Commit, meta: &ItemMeta, body: Bytes) -> Modseq {
    commit.modseq = commit.modseq.next();
    commit.changes.push(Change::PutItem(ItemWrite {
        meta: ItemMeta {
            modseq: commit.modseq,
            deleted: false,
            updated: commit.now,
            ..meta.clone()
        },
        body,
        original: None,
        origin: None,
    }));
    commit.modseq
}
