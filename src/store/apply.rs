//! Writes the changes of one message; runs inside a transaction.

use diesel::sql_types::{BigInt, Binary};
use rustc_hash::FxHashMap;

use super::bulk;
use super::connection::Database;
use super::error::StoreError;
use super::recording;
use super::row::{folder_number, format_number, kind_in, kind_number, mail_columns};
use super::statement::{Bind, execute, first, statement};
use super::{announcement, outbox, rest, revision, submission};
use crate::sync::{
    AccountId, Change, Commit, Datastore, Device, DeviceId, Entry, Generation, ItemId, ItemWrite,
    Modseq, Round, SessionWrite, ViewState,
};

statement!(Numbers((BigInt, BigInt)) =
    ["SELECT modseq, next_item FROM account WHERE id = ? AND name IS NOT NULL"]
    postgresql ["SELECT modseq, next_item FROM account WHERE id = ? AND name IS NOT NULL FOR UPDATE"]);
statement!(SetNumbers(()) = "UPDATE account SET modseq = ?, next_item = ? WHERE id = ?");

/// Writes all of a commit, or fails; the caller then undoes what was written.
pub(super) fn commit(connection: &mut Database, commit: &Commit) -> Result<(), StoreError> {
    let account = Bind::Int(commit.account.0);
    let (modseq, next_item) = numbers(connection, commit.account)?;
    let writes_items = check_numbers(commit)?;
    if writes_items && modseq != commit.expected.0 {
        return Err(StoreError::Conflict);
    }
    let mut writes = Writes {
        connection,
        account,
        account_id: commit.account,
        device: commit.device,
        now: commit.now,
        next_item,
        uids: FxHashMap::default(),
        unsettled: Vec::new(),
        entries: bulk::Entries::default(),
        items: bulk::Items::default(),
    };
    if let Some(session) = &commit.session {
        writes.put_session(session)?;
    }
    for change in &commit.changes {
        writes.change(change)?;
    }
    writes.put_waiting()?;
    writes.unsettle()?;
    writes.put_uids()?;
    if writes_items {
        let binds = [
            Bind::Int(commit.modseq.0),
            Bind::Int(commit.next_item.0.max(next_item)),
            account,
        ];
        execute(connection, SetNumbers, &binds)?;
        outbox::mark(connection, commit.account, writer(commit))?;
        if commit.changes.iter().any(is_mail) {
            outbox::mail_came(connection, commit.account)?;
        }
    }
    if let (Some(device), true) = (commit.device, ends_session(commit)) {
        outbox::session_ended(connection, commit.account, device)?;
    }
    Ok(())
}

/// A mail is written.
fn is_mail(change: &Change) -> bool {
    matches!(change, Change::PutItem(write) if write.meta.datastore == Datastore::Mail)
}

/// The device that the changes are of.
fn writer(commit: &Commit) -> Option<DeviceId> {
    let origin = |change: &Change| match change {
        Change::PutItem(write) => Some(write.origin),
        Change::MoveItem { origin, .. } | Change::DeleteItem { origin, .. } => Some(*origin),
        _ => None,
    };
    let first = || commit.changes.iter().find_map(origin).flatten();
    commit.device.or_else(first)
}

/// It is the last message of a session.
pub(super) fn ends_session(commit: &Commit) -> bool {
    commit
        .session
        .as_ref()
        .is_some_and(|session| session.state.ended)
}

/// The account's counter and next item; nobody else writes to the account until the transaction ends.
pub(super) fn numbers(
    connection: &mut Database,
    account: AccountId,
) -> Result<(i64, i64), StoreError> {
    first(connection, Numbers, &[Bind::Int(account.0)])?.ok_or(StoreError::NotFound)
}

/// The numbers of item writes follow each other between the counter before and after. Gives whether there are any.
fn check_numbers(commit: &Commit) -> Result<bool, StoreError> {
    let mut last = commit.expected;
    for change in &commit.changes {
        let (item, modseq) = match change {
            Change::PutItem(write) => (write.meta.id, write.meta.modseq),
            Change::MoveItem { item, modseq, .. } | Change::DeleteItem { item, modseq, .. } => {
                (*item, *modseq)
            }
            _ => continue,
        };
        if modseq <= last || modseq > commit.modseq || item >= commit.next_item || item.0 < 1 {
            return Err(StoreError::Corrupt(format!(
                "a write of item {item} has number {modseq} after {last}, the counter ends at {}, ids at {}",
                commit.modseq, commit.next_item
            )));
        }
        last = modseq;
    }
    Ok(last != commit.expected)
}

struct Writes<'a> {
    connection: &'a mut Database,
    account: Bind<'a>,
    account_id: AccountId,
    device: Option<DeviceId>,
    now: i64,
    /// Items from here on do not exist yet.
    next_item: i64,
    /// Next UID of the folders that got items.
    uids: FxHashMap<i64, i64>,
    /// First rounds of what is on its way, by view.
    unsettled: Vec<(Datastore, Round)>,
    /// What is written together with what comes.
    entries: bulk::Entries<'a>,
    items: bulk::Items<'a>,
}

statement!(
    InsertItem(()) = "INSERT INTO item (account, id, datastore, modseq, content_modseq, flag_modseq, created_modseq, \
     deleted, kind, format, digest, match_key, updated, origin, folder, uid, received, thread, body, original) \
     VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
statement!(
    UpdateItem(()) = "UPDATE item SET datastore = ?, modseq = ?, content_modseq = ?, deleted = 0, kind = ?, format = ?, \
     digest = ?, match_key = ?, updated = ?, origin = ?, folder = ?, uid = ?, received = ?, thread = ?, body = ?, \
     original = ? WHERE account = ? AND id = ?"
);
statement!(
    MoveItem(()) = "UPDATE item SET modseq = ?, flag_modseq = ?, updated = ?, origin = ?, folder = ?, uid = ? \
     WHERE account = ? AND id = ? AND deleted = 0"
);
statement!(DatastoreOfItem((BigInt,)) = "SELECT datastore FROM item WHERE account = ? AND id = ?");
statement!(
    BuryItem(()) = "UPDATE item SET deleted = 1, modseq = ?, content_modseq = ?, updated = ?, origin = ? \
     WHERE account = ? AND id = ?"
);
statement!(
    PlaceOfItem((BigInt, BigInt, BigInt, BigInt)) =
        "SELECT datastore, folder, uid, deleted FROM item WHERE account = ? AND id = ?"
);
statement!(NextUid((BigInt,)) = "SELECT next_uid FROM folder WHERE account = ? AND id = ?");
statement!(
    /// A folder that is an item: its name is there.
    InsertFolder(()) = "INSERT INTO folder (account, id, datastore, name, modseq, uid_validity, next_uid) \
     VALUES (?, ?, ?, '', 0, ?, 1)"
);
statement!(SetNextUid(()) = "UPDATE folder SET next_uid = ? WHERE account = ? AND id = ?");

statement!(
    PutEntry(()) = "INSERT INTO entry (account, device, view, item, luid, seen, sent, digest, mark, round, failures, parent, echo) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (account, device, view, item) DO UPDATE SET luid = excluded.luid, \
     seen = excluded.seen, sent = excluded.sent, digest = excluded.digest, mark = excluded.mark, \
     round = excluded.round, failures = excluded.failures, parent = excluded.parent, \
     echo = excluded.echo"
);
statement!(
    ClaimEntries(()) =
    ["UPDATE entry SET round = ? WHERE account = ? AND device = ? AND view = ? \
      AND item IN (SELECT value FROM json_each(?))"]
    postgresql ["UPDATE entry SET round = ? WHERE account = ? AND device = ? AND view = ? \
      AND item IN (SELECT value::bigint FROM jsonb_array_elements_text(?::jsonb) j(value))"]
);
statement!(
    DropLuid(()) = "DELETE FROM entry WHERE account = ? AND device = ? AND view = ? AND luid = ? AND item <> ?"
);
statement!(
    DropEntry(()) = "DELETE FROM entry WHERE account = ? AND device = ? AND view = ? AND item = ?"
);
statement!(
    DropEntriesBefore(()) =
        "DELETE FROM entry WHERE account = ? AND device = ? AND view = ? AND round < ?"
);

statement!(
    PutView(()) = "INSERT INTO \"view\" (account, device, view, round, sending_since, pending, unsettled, client_anchor, \
     server_anchor, base, filter, previous_client_anchor, previous_server_anchor, previous_base, previous_filter) \
     VALUES (?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (account, device, view) DO UPDATE SET round = excluded.round, \
     sending_since = excluded.sending_since, pending = excluded.pending, client_anchor = excluded.client_anchor, \
     server_anchor = excluded.server_anchor, base = excluded.base, filter = excluded.filter, \
     previous_client_anchor = excluded.previous_client_anchor, \
     previous_server_anchor = excluded.previous_server_anchor, \
     previous_base = excluded.previous_base, previous_filter = excluded.previous_filter"
);

statement!(
    Unsettle(()) = "UPDATE \"view\" SET unsettled = ? WHERE account = ? AND device = ? AND view = ? \
     AND (unsettled = 0 OR unsettled > ?)"
);
statement!(
    Settle(()) = "UPDATE \"view\" SET unsettled = 0 WHERE account = ? AND device = ? AND view = ? AND unsettled <= ?"
);

statement!(
    PutDevice(()) = "UPDATE device SET nonce = ?, previous_nonce = ?, notification_nonce = ?, openings = ?, user_agent = ?, \
     profile_header = ?, last_seen = ?, devinf = ? WHERE account = ? AND id = ?"
);

statement!(
    OtherSessions(()) = "DELETE FROM session WHERE account = ? AND device = ? AND session <> ?"
);
statement!(
    StateOfSession((BigInt, Binary)) =
        "SELECT ended, request FROM session WHERE account = ? AND device = ? AND session = ?"
);
statement!(
    BeginSession(()) = "INSERT INTO session (step, msg_id, request, reply_type, ended, updated, snapshot, reply, \
     recording, account, device, session) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
     ON CONFLICT (account, device, session) DO UPDATE SET step = excluded.step, \
     msg_id = excluded.msg_id, request = excluded.request, reply_type = excluded.reply_type, \
     ended = excluded.ended, updated = excluded.updated, snapshot = excluded.snapshot, \
     reply = excluded.reply, recording = excluded.recording"
);
statement!(
    StepSession(()) = "UPDATE session SET step = ?, msg_id = ?, request = ?, reply_type = ?, ended = ?, updated = ?, \
     snapshot = ?, reply = ?, recording = ? WHERE account = ? AND device = ? AND session = ? AND step = ?"
);

impl<'a> Writes<'a> {
    fn change(&mut self, change: &'a Change) -> Result<(), StoreError> {
        if !matches!(change, Change::PutItem(_) | Change::PutEntry { .. }) {
            self.put_waiting()?;
        }
        match change {
            Change::PutItem(write) => self.put_item(write),
            Change::MoveItem {
                item,
                parent,
                modseq,
                origin,
            } => self.move_item(*item, *parent, *modseq, *origin),
            Change::DeleteItem {
                item,
                modseq,
                origin,
            } => self.delete_item(*item, *modseq, *origin),
            Change::PutEntry { view, entry } => self.gather_entry(*view, entry),
            Change::ClaimEntries { view, round, items } => {
                let numbers: Vec<i64> = items.iter().map(|item| item.0).collect();
                let list = serde_json::to_string(&numbers)
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?;
                let binds = [
                    Bind::Int(round.0),
                    self.account,
                    self.device()?,
                    number(*view),
                    Bind::Text(&list),
                ];
                execute(self.connection, ClaimEntries, &binds).map(drop)
            }
            Change::DropEntry { view, item } => {
                let binds = [
                    self.account,
                    self.device()?,
                    number(*view),
                    Bind::Int(item.0),
                ];
                execute(self.connection, DropEntry, &binds).map(drop)
            }
            Change::DropEntriesBefore { view, round } => self.drop_entries_before(*view, *round),
            Change::PutView { view, state } => self.put_view(*view, state),
            Change::Settle { view, round } => self.settle(*view, *round),
            Change::DropAnnouncements { upto } => {
                let device = self.device()?;
                announcement::shown(self.connection, self.account, device, *upto)
            }
            Change::SubmitMail { item } => {
                let now = self.now.saturating_mul(1_000);
                submission::queue(self.connection, self.account_id, *item, now)
            }
            Change::AskForRest(asked) => {
                rest::ask(self.connection, self.account, self.device()?, *asked)
            }
            Change::GotRest { item } => {
                rest::got(self.connection, self.account, self.device()?, *item)
            }
            Change::PutDevice(device) => self.put_device(device),
        }
    }

    /// The device that entries, views and sessions are of.
    fn device(&self) -> Result<Bind<'static>, StoreError> {
        let device = self.device.ok_or(StoreError::NotFound)?;
        Ok(Bind::Int(device.0))
    }

    /// Writes what waits for others.
    fn put_waiting(&mut self) -> Result<(), StoreError> {
        self.put_waiting_items()?;
        self.put_waiting_entries()
    }

    fn put_waiting_items(&mut self) -> Result<(), StoreError> {
        let is_full = self.items.is_full();
        let items = self.items.take();
        if is_full {
            return bulk::insert_items(self.connection, self.account, &items);
        }
        for (write, uid) in items {
            self.insert_item(write, uid)?;
        }
        Ok(())
    }

    fn put_waiting_entries(&mut self) -> Result<(), StoreError> {
        let is_full = self.entries.is_full();
        let Some((view, entries)) = self.entries.take() else {
            return Ok(());
        };
        if is_full {
            let of = [self.account, self.device()?, number(view)];
            match bulk::put_entries(self.connection, of, &entries) {
                // One of the LUIDs was another item's.
                Err(StoreError::Exists) => {}
                result => return result,
            }
        }
        for entry in entries {
            self.put_entry(view, entry)?;
        }
        Ok(())
    }

    fn gathers(&self) -> bool {
        matches!(self.connection, Database::Sqlite(_))
    }

    fn put_item(&mut self, write: &'a ItemWrite) -> Result<(), StoreError> {
        let meta = &write.meta;
        if self.gathers() && meta.id.0 >= self.next_item && bulk::Items::may_wait(write) {
            if !self.items.fits(write) {
                self.put_waiting_items()?;
            }
            self.next_item = meta.id.0 + 1;
            let folder = folder_number(meta.datastore, meta.parent);
            let uid = self.next_uid(meta.datastore, folder)?;
            self.items.push(write, uid);
            return Ok(());
        }
        self.put_waiting_items()?;
        let id = Bind::Int(meta.id.0);
        let modseq = Bind::Int(meta.modseq.0);
        let datastore = number(meta.datastore);
        let kind = Bind::OptionalInt(kind_in(meta.datastore, meta.format).map(kind_number));
        let format = Bind::Int(format_number(meta.format));
        let digest = Bind::Blob(&meta.digest.0);
        let key = Bind::Int(meta.key.0);
        let updated = Bind::Int(meta.updated);
        let origin = Bind::OptionalInt(write.origin.map(|device| device.0));
        let body = Bind::Blob(&write.body);
        let original = Bind::OptionalBlob(write.original.as_deref());
        let place: Option<(i64, i64, i64, i64)> = if meta.id.0 < self.next_item {
            first(self.connection, PlaceOfItem, &[self.account, id])?
        } else {
            None
        };
        let datastore_number = i64::from(meta.datastore.number());
        let folder = folder_number(meta.datastore, meta.parent);
        let (received, thread) = mail_columns(meta.format, &write.body);
        let (received, thread) = (Bind::Int(received), Bind::OptionalInt(thread));
        let Some((old_datastore, old_folder, old_uid, deleted)) = place else {
            self.next_item = self.next_item.max(meta.id.0 + 1);
            let uid = self.next_uid(meta.datastore, folder)?;
            return self.insert_item(write, uid);
        };
        self.keep_revision(meta.id, Some(&write.body))?;
        // What moves or comes back is new to whoever knows items by UID.
        let stays = old_datastore == datastore_number && old_folder == folder && deleted == 0;
        let uid = if stays {
            Bind::Int(old_uid)
        } else {
            self.next_uid(meta.datastore, folder)?
        };
        #[rustfmt::skip]
        let binds = [
            datastore, modseq, modseq, kind, format, digest, key, updated, origin,
            Bind::Int(folder), uid, received, thread, body, original, self.account, id,
        ];
        execute(self.connection, UpdateItem, &binds).map(drop)
    }

    fn insert_item(&mut self, write: &ItemWrite, uid: Bind<'_>) -> Result<(), StoreError> {
        let meta = &write.meta;
        let modseq = Bind::Int(meta.modseq.0);
        let (received, thread) = mail_columns(meta.format, &write.body);
        let binds = [
            self.account,
            Bind::Int(meta.id.0),
            number(meta.datastore),
            modseq,
            modseq,
            modseq,
            modseq,
            Bind::OptionalInt(kind_in(meta.datastore, meta.format).map(kind_number)),
            Bind::Int(format_number(meta.format)),
            Bind::Blob(&meta.digest.0),
            Bind::Int(meta.key.0),
            Bind::Int(meta.updated),
            Bind::OptionalInt(write.origin.map(|device| device.0)),
            Bind::Int(folder_number(meta.datastore, meta.parent)),
            uid,
            Bind::Int(received),
            Bind::OptionalInt(thread),
            Bind::Blob(&write.body),
            Bind::OptionalBlob(write.original.as_deref()),
        ];
        execute(self.connection, InsertItem, &binds).map(drop)
    }

    fn move_item(
        &mut self,
        item: ItemId,
        parent: ItemId,
        modseq: Modseq,
        origin: Option<DeviceId>,
    ) -> Result<(), StoreError> {
        let id = Bind::Int(item.0);
        self.keep_revision(item, None)?;
        let row: Option<(i64,)> = first(self.connection, DatastoreOfItem, &[self.account, id])?;
        let datastore = super::row::datastore(row.ok_or(StoreError::NotFound)?.0)?;
        let folder = folder_number(datastore, parent);
        let uid = self.next_uid(datastore, folder)?;
        let modseq = Bind::Int(modseq.0);
        let origin = Bind::OptionalInt(origin.map(|device| device.0));
        let now = Bind::Int(self.now);
        #[rustfmt::skip]
        let binds = [modseq, modseq, now, origin, Bind::Int(folder), uid, self.account, id];
        if execute(self.connection, MoveItem, &binds)? == 0 {
            return Err(StoreError::NotFound);
        }
        Ok(())
    }

    fn delete_item(
        &mut self,
        item: ItemId,
        modseq: Modseq,
        origin: Option<DeviceId>,
    ) -> Result<(), StoreError> {
        let id = Bind::Int(item.0);
        self.keep_revision(item, None)?;
        let modseq = Bind::Int(modseq.0);
        let origin = Bind::OptionalInt(origin.map(|device| device.0));
        let binds = [
            modseq,
            modseq,
            Bind::Int(self.now),
            origin,
            self.account,
            id,
        ];
        execute(self.connection, BuryItem, &binds).map(drop)
    }

    /// Keeps an item as it is; `next` is its new body, if it gets one.
    fn keep_revision(&mut self, item: ItemId, next: Option<&[u8]>) -> Result<(), StoreError> {
        revision::keep(self.connection, self.account, item, self.now, next)
    }

    fn next_uid(&mut self, datastore: Datastore, folder: i64) -> Result<Bind<'static>, StoreError> {
        let next = match self.uids.get_mut(&folder) {
            Some(next) => next,
            None => {
                let binds = [self.account, Bind::Int(folder)];
                let stored: Option<(i64,)> = first(self.connection, NextUid, &binds)?;
                let next = match stored {
                    Some((next,)) => next,
                    None if folder > i64::from(datastore.number()) => {
                        let binds = [
                            self.account,
                            Bind::Int(folder),
                            number(datastore),
                            Bind::Int(self.now),
                        ];
                        execute(self.connection, InsertFolder, &binds)?;
                        1
                    }
                    None => {
                        let why = format!("the account has no folder {folder}");
                        return Err(StoreError::Corrupt(why));
                    }
                };
                self.uids.entry(folder).or_insert(next)
            }
        };
        let uid = *next;
        *next += 1;
        Ok(Bind::Int(uid))
    }

    fn put_uids(&mut self) -> Result<(), StoreError> {
        for (folder, next) in std::mem::take(&mut self.uids) {
            let binds = [Bind::Int(next), self.account, Bind::Int(folder)];
            execute(self.connection, SetNextUid, &binds)?;
        }
        Ok(())
    }

    fn gather_entry(&mut self, view: Datastore, entry: &'a Entry) -> Result<(), StoreError> {
        if self.gathers() && self.entries.gather(view, entry) {
            return Ok(());
        }
        self.put_waiting_entries()?;
        if self.gathers() && self.entries.gather(view, entry) {
            return Ok(());
        }
        self.put_entry(view, entry)
    }

    fn put_entry(&mut self, view: Datastore, entry: &Entry) -> Result<(), StoreError> {
        if entry.sent.is_some() {
            match self.unsettled.iter_mut().find(|(of, _)| *of == view) {
                Some((_, first)) => *first = entry.round.min(*first),
                None => self.unsettled.push((view, entry.round)),
            }
        }
        let device = self.device()?;
        let view = number(view);
        let item = Bind::Int(entry.item.0);
        #[rustfmt::skip]
        let binds = [
            self.account, device, view, item,
            Bind::OptionalText(entry.luid.as_deref()),
            Bind::Int(entry.seen.0),
            Bind::OptionalInt(entry.sent.map(|modseq| modseq.0)),
            Bind::Blob(&entry.digest.0),
            Bind::Int(entry.mark.0),
            Bind::Int(entry.round.0),
            Bind::Int(i64::from(entry.failures)),
            Bind::Int(entry.parent.0),
            Bind::Int(entry.echo.0),
        ];
        #[cfg(feature = "postgres")]
        if let (Database::Postgresql(_), Some(luid)) = (&self.connection, &entry.luid) {
            // An error would end the transaction there.
            let claim = [self.account, device, view, Bind::Text(luid), item];
            execute(self.connection, DropLuid, &claim)?;
        }
        match (execute(self.connection, PutEntry, &binds), &entry.luid) {
            (Ok(_), _) => Ok(()),
            // The device gave an id to another item: the older claim goes.
            (Err(StoreError::Exists), Some(luid)) => {
                let claim = [self.account, device, view, Bind::Text(luid), item];
                execute(self.connection, DropLuid, &claim)?;
                execute(self.connection, PutEntry, &binds).map(drop)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn drop_entries_before(&mut self, view: Datastore, round: Round) -> Result<(), StoreError> {
        let binds = [
            self.account,
            self.device()?,
            number(view),
            Bind::Int(round.0),
        ];
        execute(self.connection, DropEntriesBefore, &binds).map(drop)
    }

    /// Notes in the views that something is on its way.
    fn unsettle(&mut self) -> Result<(), StoreError> {
        for (view, round) in std::mem::take(&mut self.unsettled) {
            // 0 stands for nothing.
            let round = Bind::Int(round.0.max(1));
            let binds = [round, self.account, self.device()?, number(view), round];
            execute(self.connection, Unsettle, &binds)?;
        }
        Ok(())
    }

    fn settle(&mut self, view: Datastore, round: Round) -> Result<(), StoreError> {
        self.unsettle()?;
        let binds = [
            self.account,
            self.device()?,
            number(view),
            Bind::Int(round.0),
        ];
        execute(self.connection, Settle, &binds).map(drop)
    }

    fn put_view(&mut self, view: Datastore, state: &ViewState) -> Result<(), StoreError> {
        let [client, server, base, filter] = generation(state.confirmed.as_ref());
        let [
            previous_client,
            previous_server,
            previous_base,
            previous_filter,
        ] = generation(state.previous.as_ref());
        #[rustfmt::skip]
        let binds = [
            self.account, self.device()?, number(view),
            Bind::Int(state.round.0), Bind::Int(state.sending_since.0), Bind::Int(i64::from(state.pending)),
            client, server, base, filter,
            previous_client, previous_server, previous_base, previous_filter,
        ];
        execute(self.connection, PutView, &binds).map(drop)
    }

    fn put_device(&mut self, device: &Device) -> Result<(), StoreError> {
        let binds = [
            Bind::Blob(&device.nonce),
            Bind::Blob(&device.previous_nonce),
            Bind::Blob(&device.notification_nonce),
            Bind::Blob(&device.openings),
            Bind::OptionalText(device.user_agent.as_deref()),
            Bind::OptionalText(device.profile_header.as_deref()),
            Bind::Int(device.last_seen),
            Bind::Blob(&device.devinf),
            self.account,
            Bind::Int(device.id.0),
        ];
        match execute(self.connection, PutDevice, &binds)? {
            0 => Err(StoreError::NotFound),
            _ => Ok(()),
        }
    }

    fn put_session(&mut self, write: &SessionWrite) -> Result<(), StoreError> {
        let state = &write.state;
        let device = self.device()?;
        let name = Bind::Text(&state.session);
        if state.step == 1 {
            let key = [self.account, device, name];
            let there: Option<(i64, Vec<u8>)> = first(self.connection, StateOfSession, &key)?;
            // Phones use a SessionID again. What is over gives way, unless it is this very message.
            if there.is_some_and(|(ended, request)| ended == 0 || request == state.request) {
                return Err(StoreError::Conflict);
            }
        }
        let recording = self.recording(write)?;
        // What the recording keeps of the reply is not kept twice.
        let is_kept = recording > 0 && write.recording.as_ref().is_some_and(|of| of.keeps_reply);
        let reply: &[u8] = if is_kept { &[] } else { &state.reply };
        #[rustfmt::skip]
        let binds = [
            Bind::Int(state.step), Bind::Text(&state.msg_id), Bind::Blob(&state.request),
            Bind::Text(&state.reply_type), Bind::Int(i64::from(state.ended)),
            Bind::Int(state.updated), Bind::Blob(&state.snapshot), Bind::Blob(reply),
            Bind::Int(recording), self.account, device, name, Bind::Int(state.step - 1),
        ];
        if state.step == 1 {
            let [begin @ .., _] = &binds;
            execute(self.connection, BeginSession, begin)?;
        } else if execute(self.connection, StepSession, &binds)? == 0 {
            return Err(StoreError::Conflict);
        }
        if write.supersede {
            execute(
                self.connection,
                OtherSessions,
                &[self.account, device, name],
            )?;
        }
        match &write.recording {
            Some(kept) if recording > 0 => {
                recording::put(self.connection, self.account_id, recording, state, kept)
            }
            _ => Ok(()),
        }
    }

    /// Number of the session's recording: a new one where one begins, 0 where there is none.
    fn recording(&mut self, write: &SessionWrite) -> Result<i64, StoreError> {
        let state = &write.state;
        match &write.recording {
            Some(begun) if write.supersede => recording::begin(
                self.connection,
                self.account_id,
                self.device.ok_or(StoreError::NotFound)?,
                &state.session,
                begun,
                self.now,
            ),
            Some(_) => Ok(state.recording),
            None => Ok(0),
        }
    }
}

fn number(datastore: Datastore) -> Bind<'static> {
    Bind::Int(i64::from(datastore.number()))
}

fn generation(generation: Option<&Generation>) -> [Bind<'_>; 4] {
    [
        Bind::OptionalText(generation.map(|generation| generation.client_anchor.as_str())),
        Bind::OptionalText(generation.map(|generation| generation.server_anchor.as_str())),
        Bind::OptionalInt(generation.map(|generation| generation.base.0)),
        Bind::OptionalText(generation.and_then(|generation| generation.filter.as_deref())),
    ]
}
