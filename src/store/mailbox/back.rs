//! Mail that comes back when a session that deleted it is undone: what can be done about its message at the mail server.
//!
//! A mail that went with its folder is in the server's trash, and on the phones as another item there. Then the message's row in the
//! books becomes the mail's again: that the two are in different folders is what the watcher carries to the server.

use diesel::sql_types::BigInt;

use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::holds::{allow, bury};
use super::super::load;
use super::super::statement::{Bind, execute, first, statement};
use super::mirror::message_of;
use crate::content::Format;
use crate::content::email::{Folder, FolderRole, Mail};
use crate::sync::{Change, Commit, Datastore, DeviceId, Item, ItemId, KnownQuery, MailboxKind};

statement!(AtServers((BigInt,)) = "SELECT COUNT(*) FROM mailbox WHERE account = ? AND kind <> ?");
statement!(OfKind((BigInt,)) = "SELECT kind FROM mailbox WHERE account = ? AND id = ?");
statement!(
    SetItem(()) = "UPDATE mirror_message SET item = ? WHERE account = ? AND mailbox = ? AND folder = ? AND uid = ?"
);

/// What becomes of the message of a mail that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Back {
    /// It is where it was, or is put there; or no server has to do with it.
    There,
    /// It is moved out of the trash.
    OutOfTrash,
    /// No server has it any more.
    Nowhere,
}

/// Finds the message of a mail that this commit brings back; a twin in the trash goes with it. `mail` is the mail as it is going to be.
pub(in crate::store) fn bring(
    connection: &mut Database,
    commit: &mut Commit,
    devices: &[DeviceId],
    mail: &Item,
) -> Result<Back, StoreError> {
    let account = commit.account;
    let binds = [Bind::Int(account.0), Bind::Int(MailboxKind::Local.number())];
    let servers: Option<(i64,)> = first(connection, AtServers, &binds)?;
    if servers.is_none_or(|(count,)| count == 0)
        || message_of(connection, account, mail.meta.id)?.is_some()
    {
        return Ok(Back::There);
    }
    let Ok(ours) = Mail::read(&mail.body) else {
        return Ok(Back::There);
    };
    let role = role(connection, commit, mail.meta.parent)?;
    if matches!(role, Some(FolderRole::Sent | FolderRole::Drafts)) && ours.missing == 0 {
        // The watcher puts it there.
        return Ok(Back::There);
    }
    let query = KnownQuery {
        view: Datastore::Mail,
        luids: Vec::new(),
        items: Vec::new(),
        keys: vec![mail.meta.key],
    };
    let known = load::known(connection, account, DeviceId(0), &query)?;
    let ids: Vec<ItemId> = known
        .iter()
        .map(|known| &known.item)
        .filter(|meta| meta.format == Format::Mail && meta.id != mail.meta.id)
        .filter(|meta| !goes(commit, meta.id))
        .map(|meta| meta.id)
        .collect();
    for twin in load::items(connection, account, &ids)? {
        let parent = twin.meta.parent;
        if parent == mail.meta.parent
            || self::role(connection, commit, parent)? != Some(FolderRole::Trash)
            || !Mail::read(&twin.body).is_ok_and(|twin| is_same(&ours, &twin))
        {
            continue;
        }
        let Some((mailbox, row)) = message_of(connection, account, twin.meta.id)? else {
            continue;
        };
        let binds = [Bind::Int(account.0), Bind::Int(mailbox.number)];
        let kind: Option<(i64,)> = first(connection, OfKind, &binds)?;
        if kind.is_none_or(|(kind,)| kind != MailboxKind::Imap.number()) {
            continue;
        }
        let binds = [
            Bind::Int(mail.meta.id.0),
            Bind::Int(account.0),
            Bind::Int(mailbox.number),
            Bind::Int(row.folder),
            Bind::Int(row.uid),
        ];
        execute(connection, SetItem, &binds)?;
        bury(commit, twin.meta.id);
        allow(connection, account, devices, &twin.meta, commit.modseq)?;
        return Ok(Back::OutOfTrash);
    }
    Ok(Back::Nowhere)
}

/// Whether an item goes with this commit.
fn goes(commit: &Commit, id: ItemId) -> bool {
    let mut changes = commit.changes.iter();
    changes.any(|change| matches!(change, Change::DeleteItem { item, .. } if *item == id))
}

/// The role of a folder, which may come back with this commit.
fn role(
    connection: &mut Database,
    commit: &Commit,
    folder: ItemId,
) -> Result<Option<FolderRole>, StoreError> {
    let found = load::items(connection, commit.account, &[folder])?.pop();
    let found = found.filter(|item| item.meta.format == Format::Folder);
    let read = found.and_then(|item| Folder::read(&item.body).ok());
    Ok(read.and_then(|folder| folder.role))
}

fn is_same(one: &Mail, other: &Mail) -> bool {
    let (one, other) = (one.head(), other.head());
    match (&one.message_id, &other.message_id) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}
