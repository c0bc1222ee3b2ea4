//! Items from outside a session: import, export, deletion by hand.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary};
use rustc_hash::FxHashSet;

use super::connection::Database;
use super::error::StoreError;
use super::load::{self, Reader};
use super::row::{self, MetaRow, MetaSql, kind_of, meta_columns};
use super::statement::{Bind, each, first, statement};
use super::{Store, apply, now};
use crate::content::{Digest, Format, Kind, MatchKey};
use crate::sync::{
    AccountId, Answer, Change, Commit, Cursor, Datastore, DeviceId, Item, ItemId, ItemMeta,
    ItemWrite, KnownQuery, Modseq, Query,
};

/// Items in one transaction.
pub(super) const CHUNK: usize = 256;

/// An item that comes from outside a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Where it goes; never [`Datastore::Agenda`].
    pub datastore: Datastore,
    /// What it is about; has to be what the datastore holds.
    pub kind: Kind,
    /// Form of the body.
    pub format: Format,
    /// The body.
    pub body: Vec<u8>,
    /// Of the meaning of the body.
    pub digest: Digest,
    /// For slow-sync matching.
    pub key: MatchKey,
}

macro_rules! page {
    () => {
        " FROM item i WHERE i.account = ? AND i.datastore = ? AND (i.modseq, i.id) > (?, ?) \
         AND i.deleted = 0 ORDER BY i.modseq, i.id"
    };
}

statement!(ItemsPage((MetaSql, Binary)) =
    ["SELECT " meta_columns!() ", i.body" page!()] postgresql ["SELECT " meta_columns!() ", i.body" page!() " LIMIT ?"]);
statement!(
    ItemCount((BigInt,)) =
        "SELECT count(*) FROM item WHERE account = ? AND datastore = ? AND deleted = 0"
);

impl Store {
    /// Adds items, some hundred in a transaction; gives their ids in order. If it fails, what was added before stays.
    pub fn put_items(
        &self,
        account: AccountId,
        origin: Option<DeviceId>,
        items: Vec<NewItem>,
    ) -> Result<Vec<ItemId>, StoreError> {
        let mut ids = Vec::with_capacity(items.len());
        if let Some(item) = items
            .iter()
            .find(|item| kind_of(item.datastore) != Some(item.kind))
        {
            return Err(StoreError::Corrupt(format!(
                "{:?} does not belong into {}",
                item.kind, item.datastore
            )));
        }
        let mut items = items.into_iter();
        loop {
            let chunk: Vec<NewItem> = items.by_ref().take(CHUNK).collect();
            if chunk.is_empty() {
                self.wake();
                return Ok(ids);
            }
            let octets = chunk.iter().map(|item| item.body.len() + 256).sum();
            ids.extend(self.write(octets, move |connection| {
                put_chunk(connection, account, origin, &chunk)
            })?);
        }
    }

    /// Makes tombstones of living items; unknown and deleted ones are passed over. Gives how many were deleted.
    pub fn delete_items(
        &self,
        account: AccountId,
        origin: Option<DeviceId>,
        items: &[ItemId],
    ) -> Result<u64, StoreError> {
        let mut deleted = 0;
        for chunk in items.chunks(CHUNK) {
            let chunk = chunk.to_vec();
            deleted += self.write(chunk.len() * 1024, move |connection| {
                delete_chunk(connection, account, origin, &chunk)
            })?;
        }
        self.wake();
        Ok(deleted)
    }

    /// Writes an item as it is given, as a new version of it; a deleted one lives again. [`StoreError::NotFound`]: its
    /// tombstone is not kept any more.
    pub fn put_version(&self, account: AccountId, item: Item) -> Result<(), StoreError> {
        self.write(item.body.len(), move |connection| {
            let mut commit = empty(connection, account, now())?;
            if load::created(connection, account, item.meta.id)?.is_none() {
                return Err(StoreError::NotFound);
            }
            super::undo::house(connection, &mut commit, item.meta.parent)?;
            super::holds::revive(&mut commit, &item.meta, item.body.clone());
            apply::commit(connection, &commit)
        })
    }

    /// Living items of a datastore behind a place, from a snapshot of its own; see [`Reader::items`].
    pub fn items(
        &self,
        account: AccountId,
        datastore: Datastore,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        self.reader()?.items(account, datastore, after, limit)
    }

    /// Living items of a datastore with one of these match keys, at most 64 for a key.
    pub fn matching(
        &self,
        account: AccountId,
        datastore: Datastore,
        keys: &[MatchKey],
    ) -> Result<Vec<ItemMeta>, StoreError> {
        let query = Query::Known(KnownQuery {
            view: datastore,
            luids: Vec::new(),
            items: Vec::new(),
            keys: keys.to_vec(),
        });
        match self.reader()?.load(account, None, &query)? {
            Answer::Known(known) => Ok(known.into_iter().map(|known| known.item).collect()),
            _ => Ok(Vec::new()),
        }
    }

    /// How many living items each datastore has.
    pub fn item_counts(&self, account: AccountId) -> Result<Vec<(Datastore, u64)>, StoreError> {
        let mut reader = self.reader()?;
        Datastore::ALL
            .into_iter()
            .filter(|datastore| datastore.collections() == [*datastore])
            .map(|datastore| {
                let binds = [
                    Bind::Int(account.0),
                    Bind::Int(i64::from(datastore.number())),
                ];
                let row: Option<(i64,)> = first(reader.connection()?, ItemCount, &binds)?;
                Ok((datastore, row.map_or(0, |(count,)| count.unsigned_abs())))
            })
            .collect()
    }
}

impl Reader {
    /// Living items of a datastore behind a place, in the order of [`Cursor`]: the place of the last item is where
    /// the next page begins. Pages of one reader are of one state; pages of several may give an item twice that was
    /// changed between them.
    pub fn items(
        &mut self,
        account: AccountId,
        datastore: Datastore,
        after: Cursor,
        limit: u32,
    ) -> Result<Vec<Item>, StoreError> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let binds = [
            Bind::Int(account.0),
            Bind::Int(i64::from(datastore.number())),
            Bind::Int(after.modseq.0),
            Bind::Int(after.item.0),
            Bind::Int(i64::from(limit)),
        ];
        let mut items = Vec::new();
        each(
            self.connection()?,
            ItemsPage,
            &binds,
            |(meta, body): (MetaRow, Vec<u8>)| {
                items.push(row::item(meta, Some(body))?);
                Ok(if items.len() < limit as usize {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(items)
    }
}

/// Adds items with the next numbers of the account: the writer is alone, so nothing can come between.
fn put_chunk(
    connection: &mut Database,
    account: AccountId,
    origin: Option<DeviceId>,
    items: &[NewItem],
) -> Result<Vec<ItemId>, StoreError> {
    let now = now();
    let mut commit = empty(connection, account, now)?;
    let mut ids = Vec::with_capacity(items.len());
    for item in items {
        let id = commit.next_item;
        commit.next_item = ItemId(id.0 + 1);
        commit.modseq = commit.modseq.next();
        ids.push(id);
        commit.changes.push(Change::PutItem(ItemWrite {
            meta: ItemMeta {
                id,
                datastore: item.datastore,
                modseq: commit.modseq,
                deleted: false,
                format: item.format,
                digest: item.digest,
                key: item.key,
                updated: now,
                parent: ItemId(0),
                content: commit.modseq,
            },
            body: item.body.clone().into(),
            original: None,
            origin,
        }));
    }
    apply::commit(connection, &commit)?;
    Ok(ids)
}

fn delete_chunk(
    connection: &mut Database,
    account: AccountId,
    origin: Option<DeviceId>,
    items: &[ItemId],
) -> Result<u64, StoreError> {
    let mut commit = empty(connection, account, now())?;
    let mut seen = FxHashSet::default();
    for item in load::items(connection, account, items)? {
        if item.meta.deleted || !seen.insert(item.meta.id) {
            continue;
        }
        commit.modseq = commit.modseq.next();
        commit.changes.push(Change::DeleteItem {
            item: item.meta.id,
            modseq: commit.modseq,
            origin,
        });
    }
    apply::commit(connection, &commit)?;
    Ok(commit.changes.len() as u64)
}

/// A commit of no changes yet, over the account's present numbers.
pub(super) fn empty(
    connection: &mut Database,
    account: AccountId,
    now: i64,
) -> Result<Commit, StoreError> {
    let (modseq, next_item) = apply::numbers(connection, account)?;
    Ok(Commit {
        account,
        device: None,
        expected: Modseq(modseq),
        modseq: Modseq(modseq),
        next_item: ItemId(next_item),
        changes: Vec::new(),
        session: None,
        now,
    })
}
