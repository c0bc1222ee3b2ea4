//! Undoing a recorded session: every item that it wrote becomes again what it was before, as a new change.
//!
//! What was before is among the revisions, by the numbers that each message wrote. An item that somebody else wrote
//! afterwards is left alone and named, unless that is wanted too. Folders that come back do so before what is in them, and folders go
//! last, if nothing is in them: no mail is left in a folder that is not there.

use std::collections::BTreeMap;

use super::connection::Database;
use super::error::StoreError;
use super::holds::{allow, bury, other_devices, revive};
use super::mailbox::{self, Back};
use super::{Store, apply, hierarchy, items, load, revision};
use crate::content::Format;
use crate::content::email::Folder;
use crate::sync::recording::unpack_items;
use crate::sync::{
    AccountId, Answer, Change, Commit, Datastore, DeviceId, Item, ItemId, KnownQuery, MAX_FOLDERS,
    Modseq, Query,
};

/// What undoing did.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Undone {
    /// Items that the session had changed, and that are as before.
    pub restored: u64,
    /// Items that it had deleted, and that are there again.
    pub brought_back: u64,
    /// Items that it had made, and that are deleted.
    pub deleted: u64,
    /// Items that were as before already.
    pub unchanged: u64,
    /// Items that were written by others since, and were left as they are.
    pub kept: Vec<ItemId>,
    /// Items whose older version is not kept any more.
    pub lost: Vec<ItemId>,
    /// Mails that are brought back at the mail server too, out of its trash.
    pub out_of_trash: u64,
    /// Mails that are brought back here and on the devices, and that no mail server has any more.
    pub here_only: Vec<ItemId>,
}

impl Undone {
    fn add(&mut self, other: Self) {
        self.restored += other.restored;
        self.brought_back += other.brought_back;
        self.deleted += other.deleted;
        self.unchanged += other.unchanged;
        self.kept.extend(other.kept);
        self.lost.extend(other.lost);
        self.out_of_trash += other.out_of_trash;
        self.here_only.extend(other.here_only);
    }
}

/// First and last number of what a session wrote of an item.
type Span = (ItemId, Modseq, Modseq);

impl Store {
    /// Undoes what a session wrote, some hundred items in a transaction; `of` limits it to a datastore, `force` takes
    /// items that others wrote since too. If the program ends before all is done, the same call does the rest.
    /// [`StoreError::NotFound`]: there is no such recording.
    pub fn undo(
        &self,
        account: AccountId,
        recording: i64,
        of: Option<Datastore>,
        force: bool,
    ) -> Result<Undone, StoreError> {
        self.recording(account, recording)?;
        let mut spans: BTreeMap<ItemId, (Modseq, Modseq)> = BTreeMap::new();
        for message in self.recorded_messages(account, recording)? {
            let items = unpack_items(&message.written)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?;
            let mut number = message.modseq_before;
            for item in items {
                number = number.next();
                spans.entry(item).or_insert((number, number)).1 = number;
            }
        }
        let spans: Vec<Span> = spans
            .into_iter()
            .map(|(item, (first, last))| (item, first, last))
            .collect();
        let (mut folders, mut rest): (Vec<Span>, Vec<Span>) = (Vec::new(), Vec::new());
        for chunk in spans.chunks(items::CHUNK) {
            let of_kind = self.folders_among(account, chunk.iter().map(|(item, ..)| *item))?;
            for span in chunk {
                match of_kind.contains(&span.0) {
                    true => folders.push(*span),
                    false => rest.push(*span),
                }
            }
        }
        // What was made last is the innermost.
        rest.extend(folders.into_iter().rev());
        let mut undone = Undone::default();
        for chunk in rest.chunks(items::CHUNK) {
            let chunk = chunk.to_vec();
            undone.add(self.write(chunk.len() * 1024, move |connection| {
                undo_chunk(connection, account, &chunk, of, force)
            })?);
        }
        Ok(undone)
    }
}

impl Store {
    /// Which of the items are folders.
    fn folders_among(
        &self,
        account: AccountId,
        items: impl Iterator<Item = ItemId>,
    ) -> Result<Vec<ItemId>, StoreError> {
        let query = KnownQuery {
            view: Datastore::Mail,
            luids: Vec::new(),
            items: items.collect(),
            keys: Vec::new(),
        };
        let Answer::Known(known) = self.reader()?.load(account, None, &Query::Known(query))? else {
            return Ok(Vec::new());
        };
        let folders = known.into_iter().map(|known| known.item);
        Ok(folders
            .filter(|meta| meta.format == Format::Folder)
            .map(|meta| meta.id)
            .collect())
    }
}

/// Brings back the folders that an item is in, from the top, if they are not there.
pub(super) fn house(
    connection: &mut Database,
    commit: &mut Commit,
    parent: ItemId,
) -> Result<(), StoreError> {
    let mut gone = Vec::new();
    let mut at = parent;
    while at != ItemId(0) && gone.len() < MAX_FOLDERS {
        let coming = commit
            .changes
            .iter()
            .any(|change| matches!(change, Change::PutItem(write) if write.meta.id == at));
        let found = load::items(connection, commit.account, &[at])?.pop();
        let Some(folder) = found.filter(|item| item.meta.deleted && !coming) else {
            break;
        };
        at = folder.meta.parent;
        gone.push(folder);
    }
    for folder in gone.into_iter().rev() {
        revive(commit, &folder.meta, folder.body);
    }
    Ok(())
}

fn undo_chunk(
    connection: &mut Database,
    account: AccountId,
    spans: &[Span],
    of: Option<Datastore>,
    force: bool,
) -> Result<Undone, StoreError> {
    let mut commit = items::empty(connection, account, super::now())?;
    let mut undone = Undone::default();
    let ids: Vec<ItemId> = spans.iter().map(|(item, ..)| *item).collect();
    let current: BTreeMap<ItemId, Item> = load::items(connection, account, &ids)?
        .into_iter()
        .map(|item| (item.meta.id, item))
        .collect();
    let devices = other_devices(connection, account, DeviceId(0))?;
    for (id, first, last) in spans {
        let Some(now) = current.get(id) else {
            // Its tombstone is not kept any more.
            undone.lost.push(*id);
            continue;
        };
        if of.is_some_and(|of| !of.collections().contains(&now.meta.datastore)) {
            continue;
        }
        let made = load::created(connection, account, *id)? == Some(*first);
        let before = revision::version(connection, account, *id, Modseq(first.0 - 1))?;
        let lived = before.as_ref().filter(|before| !before.meta.deleted);
        let as_before = match lived {
            Some(before) => {
                !now.meta.deleted
                    && now.meta.digest == before.meta.digest
                    && now.meta.parent == before.meta.parent
            }
            None => now.meta.deleted,
        };
        if before.is_none() && !made {
            undone.lost.push(*id);
        } else if as_before {
            undone.unchanged += 1;
        } else if now.meta.modseq != *last && !force {
            undone.kept.push(*id);
        } else if let Some(before) = before.filter(|before| !before.meta.deleted) {
            if now.meta.deleted {
                undone.brought_back += 1;
            } else {
                undone.restored += 1;
            }
            house(connection, &mut commit, before.meta.parent)?;
            if now.meta.deleted && before.meta.format == Format::Mail {
                match mailbox::bring(connection, &mut commit, &devices, &before)? {
                    Back::There => {}
                    Back::OutOfTrash => undone.out_of_trash += 1,
                    Back::Nowhere => undone.here_only.push(*id),
                }
            }
            revive(&mut commit, &before.meta, before.body);
        } else if has_role(now) {
            // It would be made again at once.
            undone.unchanged += 1;
        } else if !is_empty(connection, &commit, now)? {
            undone.kept.push(*id);
        } else {
            bury(&mut commit, *id);
            allow(connection, account, &devices, &now.meta, commit.modseq)?;
            undone.deleted += 1;
        }
    }
    apply::commit(connection, &commit)?;
    Ok(undone)
}

/// A folder that every account has.
fn has_role(item: &Item) -> bool {
    item.meta.format == Format::Folder
        && Folder::read(&item.body).is_ok_and(|folder| folder.role.is_some())
}

/// Whether nothing is in a folder but what goes with this very commit. What is no folder is empty.
fn is_empty(connection: &mut Database, commit: &Commit, item: &Item) -> Result<bool, StoreError> {
    if item.meta.format != Format::Folder {
        return Ok(true);
    }
    let goes = |item: &ItemId| {
        let mut changes = commit.changes.iter();
        changes.any(|change| match change {
            Change::DeleteItem { item: of, .. } => of == item,
            Change::PutItem(write) => write.meta.id == *item,
            _ => false,
        })
    };
    let within = hierarchy::within(connection, commit.account, item.meta.id)?;
    let comes = |change: &Change| matches!(change, Change::PutItem(write) if write.meta.parent == item.meta.id);
    Ok(within.iter().all(goes) && !commit.changes.iter().any(comes))
}
