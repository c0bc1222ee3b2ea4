//! Loads of a hierarchical datastore: its folders, the newest mails of a folder, and what a device has of it.
//!
//! The newest mails are a range of the index `item_received`, read backwards: it costs what is asked for, however many
//! mails the folder has, and no body is touched.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::Store;
use super::connection::Database;
use super::error::StoreError;
use super::load::{KnownRow, KnownSql};
use super::row::{
    self, EntryRow, EntrySql, MetaRow, MetaSql, entry_columns, folder_number, meta_columns,
};
use super::statement::{Bind, all, each, statement};
use crate::sync::{
    AccountId, Datastore, DeviceId, Item, ItemId, Known, MAX_FOLDERS, NewestQuery, Outgoing,
};

/// Values: device, view.
macro_rules! with_entry {
    () => {
        " LEFT JOIN entry e ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id"
    };
}

statement!(
    /// Kind 6 is a folder: see `row::kind_number`.
    FoldersOf((MetaSql, Nullable<EntrySql>, Binary)) =
    ["SELECT " meta_columns!() ", " entry_columns!() ", i.body FROM item i" with_entry!()
     " WHERE i.account = ? AND i.kind = 6 AND i.deleted = 0 ORDER BY i.folder, i.id"]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() ", i.body FROM item i" with_entry!()
     " WHERE i.account = ? AND i.kind = 6 AND i.deleted = 0 ORDER BY i.folder, i.id LIMIT ?"]);
statement!(
    /// Kind 5 is a mail.
    NewestIn(KnownSql) =
    ["SELECT " meta_columns!() ", " entry_columns!() " FROM item i" with_entry!()
     " WHERE i.account = ? AND i.folder = ? AND i.received >= ? AND i.kind = 5 AND i.deleted = 0 \
     ORDER BY i.received DESC, i.id DESC"]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() " FROM item i" with_entry!()
     " WHERE i.account = ? AND i.folder = ? AND i.received >= ? AND i.kind = 5 AND i.deleted = 0 \
     ORDER BY i.received DESC, i.id DESC LIMIT ?"]);
statement!(
    /// Kind 5 is a mail.
    OfThread((Binary,)) =
    ["SELECT body FROM item INDEXED BY item_thread WHERE account = ? AND thread = ? AND kind = 5 AND deleted = 0 \
      ORDER BY id DESC LIMIT ?"]
    postgresql ["SELECT body FROM item WHERE account = ? AND thread = ? AND kind = 5 AND deleted = 0 \
      ORDER BY id DESC LIMIT ?"]);
statement!(
    MailWithin((BigInt,)) = "SELECT id FROM item WHERE account = ? AND folder = ? AND kind = 5 AND deleted = 0 \
                             ORDER BY received DESC, id DESC LIMIT 1000"
);
statement!(
    FoldersWithin((BigInt,)) = "SELECT id FROM item WHERE account = ? AND folder = ? AND kind = 6 AND deleted = 0 \
                                ORDER BY id LIMIT 1000"
);
statement!(OnDevice((MetaSql, EntrySql)) =
    ["SELECT " meta_columns!() ", " entry_columns!() " FROM entry e CROSS JOIN item i \
     ON i.account = e.account AND i.id = e.item \
     WHERE e.account = ? AND e.device = ? AND e.view = ? ORDER BY e.item"]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() " FROM entry e JOIN item i \
     ON i.account = e.account AND i.id = e.item \
     WHERE e.account = ? AND e.device = ? AND e.view = ? ORDER BY e.item"]);

impl Store {
    /// The living folders of an account's mail.
    pub fn folders(&self, account: AccountId) -> Result<Vec<Item>, StoreError> {
        let mut reader = self.reader()?;
        // Devices are numbered from 1: none has an entry.
        let found = folders(reader.connection()?, account, DeviceId(0), Datastore::Mail)?;
        Ok(found.items.into_iter().map(|(item, _)| item).collect())
    }
}

impl Store {
    /// Shows the stored forms of an account's newest mails of a thread, as many as `most`, until `look` gives false.
    pub fn mails_of_thread(
        &self,
        account: AccountId,
        thread: i64,
        most: u32,
        mut look: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let binds = [
            Bind::Int(account.0),
            Bind::Int(thread),
            Bind::Int(i64::from(most)),
        ];
        let mut left = most;
        let connection = &mut self.reader()?;
        each(
            connection.connection()?,
            OfThread,
            &binds,
            |(body,): (Vec<u8>,)| {
                left = left.saturating_sub(1);
                Ok(match look(&body) && left > 0 {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                })
            },
        )
    }
}

/// Living folders with what the device has of them, in no order that matters.
pub(super) fn folders(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    view: Datastore,
) -> Result<Outgoing, StoreError> {
    let binds = [
        Bind::Int(device.0),
        Bind::Int(i64::from(view.number())),
        Bind::Int(account.0),
        Bind::Int(MAX_FOLDERS as i64 + 1),
    ];
    let mut found = Outgoing::default();
    each(
        connection,
        FoldersOf,
        &binds,
        |(meta, entry, body): (MetaRow, Option<EntryRow>, Vec<u8>)| {
            if found.items.len() == MAX_FOLDERS {
                found.more = true;
                return Ok(ControlFlow::Break(()));
            }
            let item = row::item(meta, Some(body))?;
            if view.collections().contains(&item.meta.datastore) {
                found.items.push((item, entry.map(row::entry).transpose()?));
            }
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

/// Living items that are in a folder, as many as can matter.
pub(super) fn within(
    connection: &mut Database,
    account: AccountId,
    folder: ItemId,
) -> Result<Vec<ItemId>, StoreError> {
    let number = Bind::Int(folder_number(Datastore::Mail, folder));
    let binds = [Bind::Int(account.0), number];
    let rows: Vec<(i64,)> = all(connection, MailWithin, &binds)?;
    let folders: Vec<(i64,)> = all(connection, FoldersWithin, &binds)?;
    let ids = rows.into_iter().chain(folders);
    Ok(ids.map(|(id,)| ItemId(id)).collect())
}

/// The newest mails of folders, folder after folder.
pub(super) fn newest(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    query: &NewestQuery,
) -> Result<Vec<Known>, StoreError> {
    let mut found = Vec::new();
    for of in query.folders.iter().filter(|of| of.count > 0) {
        let binds = [
            Bind::Int(device.0),
            Bind::Int(i64::from(query.view.number())),
            Bind::Int(account.0),
            Bind::Int(folder_number(query.view, of.folder)),
            Bind::Int(of.since),
            Bind::Int(i64::from(of.count)),
        ];
        let mut left = of.count;
        each(connection, NewestIn, &binds, |row: KnownRow| {
            found.push(known(row)?);
            left -= 1;
            Ok(if left > 0 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        })?;
    }
    Ok(found)
}

/// What a device has of a view, or was sent of it.
pub(super) fn on_device(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    view: Datastore,
) -> Result<Vec<Known>, StoreError> {
    let binds = [
        Bind::Int(account.0),
        Bind::Int(device.0),
        Bind::Int(i64::from(view.number())),
    ];
    let mut found = Vec::new();
    each(
        connection,
        OnDevice,
        &binds,
        |(meta, entry): (MetaRow, EntryRow)| {
            found.push(known((meta, Some(entry)))?);
            Ok(ControlFlow::Continue(()))
        },
    )?;
    Ok(found)
}

fn known((meta, entry): KnownRow) -> Result<Known, StoreError> {
    Ok(Known {
        item: row::meta(meta)?,
        entry: entry.map(row::entry).transpose()?,
    })
}

/// Names and texts of all statements, to look at their plans.
#[cfg(test)]
pub(super) const STATEMENTS: [(&str, &str); 4] = {
    use super::statement::Sql;
    [
        ("FoldersOf", FoldersOf::TEXT),
        ("NewestIn", NewestIn::TEXT),
        ("OfThread", OfThread::TEXT),
        ("OnDevice", OnDevice::TEXT),
    ]
};
