//! The books of what is mirrored, and commits of watchers.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::statement::{Bind, all, each, execute, first, statement};
use super::super::{Store, apply, octets};
use crate::sync::{
    AccountId, Commit, ItemId, MailboxId, MirrorChange, MirrorFolder, MirrorMessage, Modseq,
};

/// Changed items that one look gives at most.
const CHANGED: usize = 256;

macro_rules! message_columns {
    () => {
        "folder, uid, item, flags, received, uidl, wanted"
    };
}

type MessageSql = (
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Nullable<Text>,
    BigInt,
);
type MessageRow = (i64, i64, i64, i64, i64, Option<String>, i64);

statement!(
    Folders((BigInt, Text, BigInt, BigInt, BigInt, BigInt)) = "SELECT id, name, folder, uid_validity, uid_next, modseq \
     FROM mirror_folder WHERE account = ? AND mailbox = ? ORDER BY id"
);
statement!(MessagesOf(MessageSql) = "SELECT " message_columns!() " FROM mirror_message \
     WHERE account = ? AND mailbox = ? AND folder = ? ORDER BY uid");
statement!(MessageOfItem((BigInt, MessageSql)) = "SELECT mailbox, " message_columns!() " FROM mirror_message \
     WHERE account = ? AND item = ?");
statement!(WantedOf(MessageSql) = "SELECT " message_columns!() " FROM mirror_message \
     WHERE account = ? AND mailbox = ? AND wanted = 1");
statement!(
    ChangedItems((BigInt, BigInt)) = "SELECT i.modseq, i.id FROM item i WHERE i.account = ? AND i.datastore = 5 \
     AND i.modseq > ? ORDER BY i.modseq, i.id"
);
statement!(
    /// Items elsewhere than their messages, and tombstones. The numbers of folders: see `row::folder_number`.
    Astray((BigInt,)) = "SELECT m.item FROM mirror_message m \
     JOIN mirror_folder f ON f.account = m.account AND f.mailbox = m.mailbox AND f.id = m.folder \
     JOIN item i ON i.account = m.account AND i.id = m.item \
     WHERE m.account = ? AND m.mailbox = ? AND (i.deleted = 1 OR \
     i.folder <> CASE WHEN f.folder > 0 THEN 16 + f.folder ELSE 5 END) ORDER BY m.item LIMIT 1000"
);
statement!(
    HasLease((BigInt,)) =
        "SELECT CAST(1 AS BIGINT) FROM mailbox WHERE account = ? AND id = ? AND node = ?"
);
statement!(
    PutFolder(()) = "INSERT INTO mirror_folder (account, mailbox, id, name, folder, uid_validity, uid_next, modseq) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, mailbox, id) DO UPDATE SET name = excluded.name, \
     folder = excluded.folder, uid_validity = excluded.uid_validity, uid_next = excluded.uid_next, \
     modseq = excluded.modseq"
);
statement!(
    DropFolder(()) = "DELETE FROM mirror_folder WHERE account = ? AND mailbox = ? AND id = ?"
);
statement!(
    DropFolderMessages(()) =
        "DELETE FROM mirror_message WHERE account = ? AND mailbox = ? AND folder = ?"
);
statement!(
    PutMessage(()) = "INSERT INTO mirror_message (account, mailbox, folder, uid, item, flags, received, uidl, wanted) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (account, mailbox, folder, uid) DO UPDATE SET item = excluded.item, \
     flags = excluded.flags, received = excluded.received, uidl = excluded.uidl, wanted = excluded.wanted"
);
statement!(
    DropMessage(()) =
        "DELETE FROM mirror_message WHERE account = ? AND mailbox = ? AND folder = ? AND uid = ?"
);
statement!(
    Carried(()) = "UPDATE mailbox SET carried = ? WHERE account = ? AND id = ? AND carried < ?"
);
statement!(
    CarriedOwn(()) = "UPDATE mailbox SET carried = ? WHERE account = ? AND id = ? AND carried = ?"
);

fn message(row: MessageRow) -> MirrorMessage {
    let (folder, uid, item, flags, received, uidl, wanted) = row;
    MirrorMessage {
        folder,
        uid,
        item: ItemId(item),
        flags,
        received,
        uidl,
        wanted: wanted != 0,
    }
}

/// Where an item's message is.
pub(super) fn message_of(
    connection: &mut Database,
    account: AccountId,
    item: ItemId,
) -> Result<Option<(MailboxId, MirrorMessage)>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(item.0)];
    let row: Option<(i64, MessageRow)> = first(connection, MessageOfItem, &binds)?;
    Ok(row.map(|(number, row)| (MailboxId { account, number }, message(row))))
}

impl Store {
    /// The folders of a mailbox that are mirrored.
    pub fn mirror_folders(&self, id: MailboxId) -> Result<Vec<MirrorFolder>, StoreError> {
        type Row = (i64, String, i64, i64, i64, i64);
        let mut reader = self.reader()?;
        let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
        let rows: Vec<Row> = all(reader.connection()?, Folders, &binds)?;
        Ok(rows
            .into_iter()
            .map(
                |(id, name, folder, uid_validity, uid_next, modseq)| MirrorFolder {
                    id,
                    name,
                    folder: ItemId(folder),
                    uid_validity,
                    uid_next,
                    modseq,
                },
            )
            .collect())
    }

    /// The messages of a folder that are mirrored, by UID.
    pub fn mirror_messages(
        &self,
        id: MailboxId,
        folder: i64,
    ) -> Result<Vec<MirrorMessage>, StoreError> {
        let mut reader = self.reader()?;
        let binds = [
            Bind::Int(id.account.0),
            Bind::Int(id.number),
            Bind::Int(folder),
        ];
        let rows: Vec<MessageRow> = all(reader.connection()?, MessagesOf, &binds)?;
        Ok(rows.into_iter().map(message).collect())
    }

    /// Where an item's message is, in whichever mailbox of the account.
    pub fn mirror_of(
        &self,
        account: AccountId,
        item: ItemId,
    ) -> Result<Option<(MailboxId, MirrorMessage)>, StoreError> {
        message_of(self.reader()?.connection()?, account, item)
    }

    /// Messages of which a device wants the rest.
    pub fn wanted_messages(&self, id: MailboxId) -> Result<Vec<MirrorMessage>, StoreError> {
        let mut reader = self.reader()?;
        let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
        let rows: Vec<MessageRow> = all(reader.connection()?, WantedOf, &binds)?;
        Ok(rows.into_iter().map(message).collect())
    }

    /// Items that are in another folder than their message at the server, or deleted while that is there still; at most 1,000.
    pub fn astray_mail(&self, id: MailboxId) -> Result<Vec<ItemId>, StoreError> {
        let mut reader = self.reader()?;
        let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
        let rows: Vec<(i64,)> = all(reader.connection()?, Astray, &binds)?;
        Ok(rows.into_iter().map(|(item,)| ItemId(item)).collect())
    }

    /// Items of the mail datastore that were written after a number, tombstones too, in order; not more than a few
    /// hundred at once. With the number of each write.
    pub fn changed_mail(
        &self,
        account: AccountId,
        since: Modseq,
    ) -> Result<Vec<(Modseq, ItemId)>, StoreError> {
        let mut reader = self.reader()?;
        let binds = [Bind::Int(account.0), Bind::Int(since.0)];
        let mut found = Vec::new();
        each(
            reader.connection()?,
            ChangedItems,
            &binds,
            |(modseq, item): (i64, i64)| {
                found.push((Modseq(modseq), ItemId(item)));
                Ok(if found.len() < CHANGED {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                })
            },
        )?;
        Ok(found)
    }

    /// Writes what a watcher found: items and books at once. [`StoreError::Conflict`]: the account moved on, so what is
    /// stored has to be looked at again. [`StoreError::NotFound`]: the lease is another's, or the mailbox is gone.
    pub fn mirror(
        &self,
        node: &str,
        id: MailboxId,
        commit: Commit,
        changes: Vec<MirrorChange>,
    ) -> Result<(), StoreError> {
        let size = octets(&commit) + changes.len() * 128;
        let wakes = commit.modseq != commit.expected;
        let node = node.to_owned();
        self.write_soon(size, move |connection| {
            let binds = [
                Bind::Int(id.account.0),
                Bind::Int(id.number),
                Bind::Text(&node),
            ];
            let lease: Option<(i64,)> = first(connection, HasLease, &binds)?;
            lease.ok_or(StoreError::NotFound)?;
            apply::commit(connection, &commit)?;
            for change in &changes {
                put(connection, id, change)?;
            }
            // What came from the server need not be carried there.
            let binds = [
                Bind::Int(commit.modseq.0),
                Bind::Int(id.account.0),
                Bind::Int(id.number),
                Bind::Int(commit.expected.0),
            ];
            execute(connection, CarriedOwn, &binds).map(drop)
        })?;
        if wakes {
            self.wake();
        }
        Ok(())
    }
}

fn put(connection: &mut Database, id: MailboxId, change: &MirrorChange) -> Result<(), StoreError> {
    let (account, mailbox) = (Bind::Int(id.account.0), Bind::Int(id.number));
    match change {
        MirrorChange::PutFolder(folder) => {
            let binds = [
                account,
                mailbox,
                Bind::Int(folder.id),
                Bind::Text(&folder.name),
                Bind::Int(folder.folder.0),
                Bind::Int(folder.uid_validity),
                Bind::Int(folder.uid_next),
                Bind::Int(folder.modseq),
            ];
            execute(connection, PutFolder, &binds)
        }
        MirrorChange::DropFolder(folder) => {
            let binds = [account, mailbox, Bind::Int(*folder)];
            execute(connection, DropFolderMessages, &binds)?;
            execute(connection, DropFolder, &binds)
        }
        MirrorChange::PutMessage(message) => {
            let binds = [
                account,
                mailbox,
                Bind::Int(message.folder),
                Bind::Int(message.uid),
                Bind::Int(message.item.0),
                Bind::Int(message.flags),
                Bind::Int(message.received),
                Bind::OptionalText(message.uidl.as_deref()),
                Bind::Int(i64::from(message.wanted)),
            ];
            execute(connection, PutMessage, &binds)
        }
        MirrorChange::DropMessage { folder, uid } => {
            let binds = [account, mailbox, Bind::Int(*folder), Bind::Int(*uid)];
            execute(connection, DropMessage, &binds)
        }
        MirrorChange::Carried(modseq) => {
            let modseq = Bind::Int(modseq.0);
            execute(connection, Carried, &[modseq, account, mailbox, modseq])
        }
    }
    .map(drop)
}
