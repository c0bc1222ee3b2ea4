//! Folders that phones make, rename, move and delete, at the mail server (RFC 9051, sections 6.3.4 to 6.3.8).
//!
//! Books come first where something is made, and last where something goes: what a sudden end leaves is known again by the name that it
//! has. A folder goes at the server when it is empty there: its mirrored messages went to the trash as the phone's deletions, and one
//! that still has others stays, and comes back to the phones.

use super::carry;
use super::imap::{INBOX, Imap};
use super::task::Ended;
use crate::mail::batch::Tree;
use crate::mail::error::MailError;
use crate::mail::imap::{ListedFolder, wire_part};
use crate::sync::{ItemId, MailboxKind, MirrorChange, MirrorFolder};

/// Folders within each other.
const MAX_DEPTH: usize = 20;
/// Folders of one name that get a number behind it.
const MAX_TWINS: usize = 9;

/// Carries what became of a folder.
pub(super) async fn carry_folder(
    imap: &mut Imap<'_>,
    item: ItemId,
    gone: bool,
) -> Result<(), Ended> {
    let mine: Vec<MirrorFolder> = imap
        .folders
        .iter()
        .filter(|folder| folder.folder == item)
        .cloned()
        .collect();
    match (mine.last().cloned(), gone) {
        (None, true) => Ok(()),
        (Some(folder), true) => delete(imap, folder).await,
        (Some(folder), false) => rename(imap, item, folder).await,
        (None, false) => create(imap, item).await,
    }
}

/// The name that a folder of ours has, or should have, at the server; and whether it is at its top.
fn wire_name(
    tree: &Tree,
    folders: &[MirrorFolder],
    item: ItemId,
    delimiter: &str,
) -> Option<(String, bool)> {
    let mut parts = Vec::new();
    let mut at = item;
    for _ in 0..MAX_DEPTH {
        let known = tree.known(at)?;
        if known.folder.role.is_some() && at == item {
            return None;
        }
        parts.push(wire_part(&known.folder.name, delimiter));
        at = known.parent;
        let base = folders.iter().rev().find(|folder| folder.folder == at);
        if at == ItemId(0) || base.is_some() {
            let top = base.is_none();
            parts.extend(base.map(|base| base.name.clone()));
            parts.reverse();
            let fits = parts.len() == 1 || !delimiter.is_empty();
            let named = parts.iter().all(|part| !part.is_empty());
            return (fits && named).then(|| (parts.join(delimiter), top));
        }
        if known.folder.role.is_some() {
            // The outbox is at no server.
            return None;
        }
    }
    None
}

/// What may be tried: many servers take a user's own folders within the inbox only.
fn candidates((name, top): (String, bool), delimiter: &str) -> Vec<String> {
    let within = format!("{INBOX}{delimiter}{name}");
    match top && !delimiter.is_empty() {
        true => vec![name, within],
        false => vec![name],
    }
}

impl Imap<'_> {
    fn delimiter(&self) -> String {
        let inbox = self.listed.iter().find(|listed| listed.name == INBOX);
        let any = inbox.or(self.listed.first());
        any.map_or_else(String::new, |listed| listed.delimiter.clone())
    }

    fn is_listed(&self, name: &str) -> bool {
        self.listed.iter().any(|listed| listed.name == name)
    }

    /// Names that the folder may have at the server; none if it can have none.
    async fn names_for(&mut self, item: ItemId) -> Result<Vec<String>, Ended> {
        let account = self.books.id.account;
        let tree = self
            .stored(move |books| Tree::load(&books.store, account))
            .await?;
        let delimiter = self.delimiter();
        let name = wire_name(&tree, &self.folders, item, &delimiter);
        Ok(name.map_or_else(Vec::new, |name| candidates(name, &delimiter)))
    }
}

fn refused(text: &str) -> Ended {
    Ended::Mail(MailError::Refused {
        command: "CREATE",
        text: text.to_owned(),
    })
}

/// A folder that a phone made: it is the mailbox's that has the folder it is in. What is at the top, or in one that all have, is the first
/// one's.
async fn create(imap: &mut Imap<'_>, item: ItemId) -> Result<(), Ended> {
    let ours = imap
        .stored(move |books| {
            let tree = Tree::load(&books.store, books.id.account)?;
            let mut mailboxes = Vec::new();
            for mailbox in books.store.mailboxes(books.id.account)? {
                let folders = books.store.mirror_folders(mailbox.id)?;
                // One that is but the way to others was not made by a phone.
                if folders
                    .iter()
                    .any(|folder| tree.is_within(folder.folder, item))
                {
                    return Ok(false);
                }
                if mailbox.kind == MailboxKind::Imap {
                    mailboxes.push((mailbox.id, folders));
                }
            }
            let mut at = item;
            for _ in 0..MAX_DEPTH {
                let Some(known) = tree.known(at) else { break };
                at = known.parent;
                let has =
                    |folders: &[MirrorFolder]| folders.iter().any(|folder| folder.folder == at);
                if let Some((id, _)) = mailboxes.iter().find(|(_, folders)| has(folders)) {
                    return Ok(*id == books.id);
                }
            }
            Ok(mailboxes.first().is_some_and(|(id, _)| *id == books.id))
        })
        .await?;
    if ours {
        make(imap, item).await?;
    }
    Ok(())
}

/// Makes one of our folders at the server; `None` if that is none for a server.
pub(super) async fn make(imap: &mut Imap<'_>, item: ItemId) -> Result<Option<MirrorFolder>, Ended> {
    let names = imap.names_for(item).await?;
    if names.is_empty() {
        return Ok(None);
    }
    if imap.is_full() {
        return Err(refused("there are more folders than are watched"));
    }
    let next = imap
        .stored(move |books| {
            let mine = books.store.mirror_folders(books.id)?;
            Ok(mine.iter().map(|folder| folder.id).max().unwrap_or(0) + 1)
        })
        .await?;
    let mut last = None;
    for name in names {
        // Another folder of ours has this name there.
        let taken = |name: &String| imap.folders.iter().any(|folder| folder.name == *name);
        let numbered = (2..=MAX_TWINS).map(|number| format!("{name} {number}"));
        let Some(name) = std::iter::once(name.clone())
            .chain(numbered)
            .find(|name| !taken(name))
        else {
            continue;
        };
        let folder = MirrorFolder {
            id: next,
            name: name.clone(),
            folder: item,
            uid_validity: 0,
            uid_next: 0,
            modseq: 0,
        };
        let row = folder.clone();
        imap.stored(move |books| books.note(vec![MirrorChange::PutFolder(row)]))
            .await?;
        match imap.session.create(&name).await {
            Ok(()) => {}
            // It is there: a sudden end may have come before the answer.
            Err(MailError::Refused { .. }) if imap.session.status(&name).await?.is_some() => {}
            Err(error @ MailError::Refused { .. }) => {
                imap.stored(move |books| books.note(vec![MirrorChange::DropFolder(next)]))
                    .await?;
                last = Some(error);
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        let delimiter = imap.delimiter();
        imap.listed.push(ListedFolder::new(name, &delimiter));
        imap.folders.push(folder.clone());
        imap.renewed = true;
        return Ok(Some(folder));
    }
    Err(last.map_or_else(
        || refused("there are too many folders of this name"),
        Ended::Mail,
    ))
}

/// A folder that may have another name or place.
async fn rename(imap: &mut Imap<'_>, item: ItemId, folder: MirrorFolder) -> Result<(), Ended> {
    let names = imap.names_for(item).await?;
    let has_role = imap
        .listed
        .iter()
        .any(|listed| listed.name == folder.name && listed.role.is_some());
    let delimiter = imap.delimiter();
    // Some servers' names are coded in a way of their own.
    let path = |name: &String| ListedFolder::new(name.clone(), &delimiter).path;
    let same = names.iter().any(|name| path(name) == path(&folder.name));
    if names.is_empty() || same || has_role {
        return Ok(());
    }
    let mut last = None;
    for name in names {
        if imap.is_listed(&name) || is_within(&name, &folder.name, &delimiter) {
            // What is tried next is for servers that refuse this one.
            break;
        }
        imap.leave(&folder.name).await?;
        match imap.session.rename(&folder.name, &name).await {
            Ok(()) => return renamed(imap, &folder.name, &name).await,
            Err(error @ MailError::Refused { .. }) => last = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.map_or_else(
        || refused("there is another folder of this name"),
        Ended::Mail,
    ))
}

fn is_within(name: &str, folder: &str, delimiter: &str) -> bool {
    name == folder || (!delimiter.is_empty() && name.starts_with(&format!("{folder}{delimiter}")))
}

/// The books of a folder that has another name at the server, and of those within it.
pub(super) async fn renamed(imap: &mut Imap<'_>, from: &str, to: &str) -> Result<(), Ended> {
    let delimiter = imap.delimiter();
    let new_name = |name: &str| {
        is_within(name, from, &delimiter).then(|| format!("{to}{}", &name[from.len()..]))
    };
    let mut rows = Vec::new();
    for folder in &mut imap.folders {
        if let Some(name) = new_name(&folder.name) {
            folder.name = name;
            rows.push(MirrorChange::PutFolder(folder.clone()));
        }
    }
    let mut moved = Vec::new();
    for listed in &mut imap.listed {
        if let Some(name) = new_name(&listed.name) {
            moved.push((std::mem::replace(&mut listed.name, name.clone()), name));
        }
    }
    imap.stored(move |books| books.note(rows)).await?;
    for (old, new) in moved {
        imap.session.subscribe(&old, false).await?;
        imap.session.subscribe(&new, true).await?;
    }
    imap.renewed = true;
    Ok(())
}

/// A folder that a phone deleted.
async fn delete(imap: &mut Imap<'_>, folder: MirrorFolder) -> Result<(), Ended> {
    // What was in it has to be out first.
    let id = folder.id;
    let tasks = imap
        .stored(move |books| {
            let rows = books.store.mirror_messages(books.id, id)?;
            carry::tasks_of(books, rows.iter().map(|row| row.item).collect())
        })
        .await?;
    for task in tasks {
        match carry::one(imap, task).await {
            Err(Ended::Mail(MailError::Refused { .. })) | Ok(()) => {}
            other => other?,
        }
    }
    let delimiter = imap.delimiter();
    let has_folders = imap.listed.iter().any(|listed| {
        listed.name != folder.name && is_within(&listed.name, &folder.name, &delimiter)
    });
    let has_role = imap
        .listed
        .iter()
        .any(|listed| listed.name == folder.name && listed.role.is_some());
    let status = imap.session.status(&folder.name).await?;
    let empty = status.is_none_or(|status| status.messages == 0);
    if empty && !has_folders && !has_role {
        imap.leave(&folder.name).await?;
        match imap.session.delete(&folder.name).await {
            Ok(()) => {}
            Err(MailError::Refused { text, .. }) => {
                tracing::warn!(mailbox.id = %imap.books.id, "a folder that a phone deleted stays at the mail server: {text}");
            }
            Err(error) => return Err(error.into()),
        }
    } else {
        tracing::info!(mailbox.id = %imap.books.id, "a folder that a phone deleted has more at the mail server, and stays");
    }
    let gone: Vec<i64> = imap
        .folders
        .iter()
        .filter(|known| known.name == folder.name)
        .map(|known| known.id)
        .collect();
    imap.folders.retain(|known| known.name != folder.name);
    imap.stored(move |books| books.note(gone.into_iter().map(MirrorChange::DropFolder).collect()))
        .await?;
    imap.renewed = true;
    Ok(())
}

/// What is gone from the server's list under its name, and is there under the one that it has with us: a rename whose answer was lost.
pub(super) async fn find_renamed(imap: &mut Imap<'_>) -> Result<(), Ended> {
    let lost: Vec<MirrorFolder> = imap
        .folders
        .iter()
        .filter(|folder| !imap.is_listed(&folder.name))
        .cloned()
        .collect();
    for folder in lost {
        // With those above it, it may be found already.
        let known = imap.folders.iter().find(|known| known.id == folder.id);
        if known.is_none_or(|known| imap.is_listed(&known.name)) {
            continue;
        }
        let names = imap.names_for(folder.folder).await?;
        let taken = |name: &String| imap.folders.iter().any(|known| known.name == *name);
        let mut found = names
            .into_iter()
            .find(|name| imap.is_listed(name) && !taken(name));
        if found.is_none() && folder.uid_validity > 0 {
            // The phone may have renamed it again since; what the server keeps of it is its UIDVALIDITY.
            let unknown: Vec<String> = imap
                .listed
                .iter()
                .map(|listed| listed.name.clone())
                .filter(|name| !taken(name))
                .collect();
            for name in unknown {
                let status = imap.session.status(&name).await?;
                if status.is_some_and(|of| i64::from(of.uid_validity) == folder.uid_validity) {
                    found = Some(name);
                    break;
                }
            }
        }
        if let Some(name) = found {
            renamed(imap, &folder.name, &name).await?;
        }
    }
    Ok(())
}
