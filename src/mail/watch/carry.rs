//! From the store to the server: marks, moves, deletions and new mails that phones made.
//!
//! The queue is the account's own list of changes: each item that was written since the last look is compared with what the
//! books say the server has, and the difference is carried there. So nothing is carried twice, and nothing is lost by a
//! sudden end: the look is repeated, and finds what is left.

use super::imap::Imap;
use super::pull::{Books, flags_of};
use super::task::Ended;
use super::{drafts, tree};
use crate::content::Format;
use crate::content::email::{FolderRole, Head, Mail};
use crate::mail::batch::{self, Tree};
use crate::mail::error::MailError;
use crate::mail::flags::Flags;
use crate::store::StoreError;
use crate::sync::{ItemId, MirrorChange, MirrorFolder, MirrorMessage, Modseq};

/// What has to be done for one item.
#[derive(Debug)]
pub(super) enum Task {
    Mail {
        row: Option<MirrorMessage>,
        state: State,
    },
    Folder {
        item: ItemId,
        gone: bool,
    },
}

#[derive(Debug)]
pub(super) enum State {
    /// It is a tombstone.
    Gone,
    /// It is there, with these marks, in this folder of ours.
    There {
        item: ItemId,
        flags: Flags,
        parent: ItemId,
    },
}

/// Carries what phones changed; fetches what they want more of.
pub(super) async fn carry(imap: &mut Imap<'_>) -> Result<(), Ended> {
    loop {
        let carried = imap
            .stored(|books| Ok(books.store.mailbox(books.id)?.carried))
            .await?;
        let (tasks, upto) = imap.stored(move |books| tasks(books, carried)).await?;
        let Some(upto) = upto else { break };
        each(imap, tasks).await?;
        imap.stored(move |books| books.note(vec![MirrorChange::Carried(upto)]))
            .await?;
    }
    if std::mem::take(&mut imap.astray) {
        // What could not be carried when its turn was: the server refused it, or did not have it where it was thought to be.
        let tasks = imap
            .stored(|books| tasks_of(books, books.store.astray_mail(books.id)?))
            .await?;
        each(imap, tasks).await?;
    }
    wanted(imap).await
}

async fn each(imap: &mut Imap<'_>, tasks: Vec<Task>) -> Result<(), Ended> {
    for task in tasks {
        match one(imap, task).await {
            // It cannot be carried now; the rest can.
            Err(Ended::Mail(error @ MailError::Refused { .. })) => {
                tracing::warn!(mailbox.id = %imap.books.id, "a change of a phone is not at the mail server: {error}");
            }
            other => other?,
        }
    }
    Ok(())
}

/// What was written since then, and up to where that goes; `None`: nothing was.
fn tasks(books: &Books, since: Modseq) -> Result<(Vec<Task>, Option<Modseq>), StoreError> {
    let account = books.id.account;
    // The counter first: what comes meanwhile is looked at next.
    let now = books.store.account_by_id(account)?.modseq;
    let changed = books.store.changed_mail(account, since)?;
    let upto = match changed.last() {
        Some((last, _)) => Some(*last),
        None => (now > since).then_some(now),
    };
    let items = changed.into_iter().map(|(_, item)| item).collect();
    Ok((tasks_of(books, items)?, upto))
}

/// What has to be done for items, in their order.
pub(super) fn tasks_of(books: &Books, items: Vec<ItemId>) -> Result<Vec<Task>, StoreError> {
    let account = books.id.account;
    let mut tasks = Vec::new();
    for part in items.chunks(16) {
        let mut found = batch::items(&books.store, account, part)?;
        found.sort_by_key(|item| part.iter().position(|id| *id == item.meta.id));
        for item in found {
            if item.meta.format == Format::Folder {
                tasks.push(Task::Folder {
                    item: item.meta.id,
                    gone: item.meta.deleted,
                });
                continue;
            }
            if item.meta.format != Format::Mail {
                continue;
            }
            let row = match books.store.mirror_of(account, item.meta.id)? {
                Some((mailbox, _)) if mailbox != books.id => continue,
                found => found.map(|(_, row)| row),
            };
            let state = match Mail::state(&item.body) {
                _ if item.meta.deleted => State::Gone,
                Ok((mail, _)) => State::There {
                    item: item.meta.id,
                    flags: flags_of(&mail),
                    parent: item.meta.parent,
                },
                Err(_) => continue,
            };
            tasks.push(Task::Mail { row, state });
        }
    }
    Ok(tasks)
}

pub(super) async fn one(imap: &mut Imap<'_>, task: Task) -> Result<(), Ended> {
    let (row, state) = match task {
        Task::Folder { item, gone } => {
            // It may come back here for what is in it.
            return Box::pin(tree::carry_folder(imap, item, gone)).await;
        }
        Task::Mail { row, state } => (row, state),
    };
    match (row, state) {
        (None, State::Gone) => Ok(()),
        (Some(row), State::Gone) => remove(imap, row).await,
        (Some(row), State::There { flags, parent, .. }) => settle(imap, row, flags, parent).await,
        (
            None,
            State::There {
                item,
                flags,
                parent,
            },
        ) => file(imap, item, flags, parent).await,
    }
}

fn folder_of(imap: &Imap<'_>, id: i64) -> Option<MirrorFolder> {
    imap.folders.iter().find(|folder| folder.id == id).cloned()
}

/// The server's folder that is this one of ours.
fn folder_for(imap: &Imap<'_>, parent: ItemId) -> Option<MirrorFolder> {
    let found = imap
        .folders
        .iter()
        .rev()
        .find(|folder| folder.folder == parent);
    found.cloned()
}

/// A deleted item goes into the server's trash, from there for good.
async fn remove(imap: &mut Imap<'_>, row: MirrorMessage) -> Result<(), Ended> {
    let mut moved = None;
    if let Some(folder) = folder_of(imap, row.folder) {
        if !imap.select_valid(&folder).await? {
            imap.astray = true;
            return Ok(());
        }
        let uid = u32::try_from(row.uid).unwrap_or(0);
        match imap.of_role(FolderRole::Trash).cloned() {
            Some(trash) if trash.name != folder.name => {
                moved = transfer(imap, uid, &folder, &trash, true)
                    .await?
                    .map(|uid| (trash.id, i64::from(uid)));
                // The phones see it there.
                imap.doubtful.insert(trash.name);
            }
            _ => imap.session.expunge(uid).await?,
        }
    }
    imap.stored(move |books| {
        let mut changes = vec![MirrorChange::DropMessage {
            folder: row.folder,
            uid: row.uid,
        }];
        let item = batch::items(&books.store, books.id.account, &[row.item])?.pop();
        if let (Some((folder, uid)), true) = (moved, item.is_some_and(|item| !item.meta.deleted)) {
            // It was brought back meanwhile: that is carried next.
            changes.push(MirrorChange::PutMessage(MirrorMessage {
                folder,
                uid,
                ..row
            }));
        }
        books.note(changes)
    })
    .await
}

/// Octets of a message that its header is looked for in.
const HEADER: usize = 16 << 10;

/// Moves a message of the selected folder; gives its new UID, if the server tells. Where the server cannot move, a copy that an attempt
/// before a sudden end has left is taken for the new one. `known`: even if it is in the books, as what is in the trash is.
async fn transfer(
    imap: &mut Imap<'_>,
    uid: u32,
    folder: &MirrorFolder,
    target: &MirrorFolder,
    known: bool,
) -> Result<Option<u32>, Ended> {
    if !imap.session.can("MOVE") {
        let found = imap.session.fetch(&[uid], HEADER).await?.pop();
        let id = found.and_then(|found| Head::of(&found.octets).message_id);
        if let Some(id) = id {
            let valid = imap.select_valid(target).await?;
            let mut uids = imap.session.uids_of(&format!("<{id}>")).await?;
            if !known && valid {
                let target = target.id;
                let rows = imap
                    .stored(move |books| books.store.mirror_messages(books.id, target))
                    .await?;
                uids.retain(|uid| !rows.iter().any(|row| row.uid == i64::from(*uid)));
            }
            imap.select_valid(folder).await?;
            if let Some(copy) = uids.pop() {
                imap.session.expunge(uid).await?;
                return Ok(Some(copy));
            }
        }
    }
    Ok(imap.session.move_to(uid, &target.name).await?)
}

/// Marks and place of a message as the phone has them.
async fn settle(
    imap: &mut Imap<'_>,
    row: MirrorMessage,
    flags: Flags,
    parent: ItemId,
) -> Result<(), Ended> {
    let Some(folder) = folder_of(imap, row.folder) else {
        return Ok(());
    };
    let base = Flags::from_number(row.flags);
    if base.has(Flags::DRAFT) {
        // What is being sent stays there until it is among what was sent.
        let target = match parent == folder.folder {
            true => Some(folder.clone()),
            false => folder_for(imap, parent),
        };
        if let Some(target) = target
            && drafts::replace(imap, &row, &folder, &target).await?
        {
            return Ok(());
        }
    }
    let target = match folder_for(imap, parent) {
        _ if parent == folder.folder => None,
        // One that a phone made, or that is of another mailbox, is made here.
        None => tree::make(imap, parent).await?,
        found => found,
    };
    if flags == base && target.is_none() {
        return Ok(());
    }
    if !imap.select_valid(&folder).await? {
        // It is new there, and looked at next.
        imap.astray = true;
        return Ok(());
    }
    let uid = u32::try_from(row.uid).unwrap_or(0);
    if flags != base {
        let (added, removed) = (flags.without(base), base.without(flags));
        imap.session.mark(uid, added, removed).await?;
        let marked = MirrorMessage {
            flags: flags.number(),
            ..row.clone()
        };
        imap.stored(move |books| books.note(vec![MirrorChange::PutMessage(marked)]))
            .await?;
    }
    if let Some(target) = target {
        let moved = transfer(imap, uid, &folder, &target, false).await?;
        if moved.is_none() {
            match imap.session.seen(&[uid]).await?.pop() {
                // Another program was first, or the server does not tell the new UID: a look at both folders finds it.
                None => {
                    imap.doubtful.extend([folder.name, target.name]);
                    imap.astray = true;
                    return Ok(());
                }
                Some(seen) if !seen.flags.has(Flags::DELETED) => {
                    return Err(MailError::Refused {
                        command: "UID MOVE",
                        text: "the message is where it was".to_owned(),
                    }
                    .into());
                }
                Some(_) => {}
            }
        }
        imap.stored(move |books| {
            let mut changes = vec![MirrorChange::DropMessage {
                folder: row.folder,
                uid: row.uid,
            }];
            // Without the new UID the next look finds the message, and knows the item.
            changes.extend(moved.map(|uid| {
                MirrorChange::PutMessage(MirrorMessage {
                    folder: target.id,
                    uid: i64::from(uid),
                    flags: flags.number(),
                    ..row
                })
            }));
            books.note(changes)
        })
        .await?;
    }
    Ok(())
}

/// A mail that only we have goes to the server if it is a copy of what was sent, or is being written.
async fn file(
    imap: &mut Imap<'_>,
    item: ItemId,
    flags: Flags,
    parent: ItemId,
) -> Result<(), Ended> {
    let account = imap.books.id.account;
    let role = imap
        .stored(move |books| Ok(Tree::load(&books.store, account)?.role(parent)))
        .await?;
    if !matches!(role, Some(FolderRole::Sent | FolderRole::Drafts)) {
        return Ok(());
    }
    let first = imap
        .stored(|books| {
            let mailboxes = books.store.mailboxes(books.id.account)?;
            let first = mailboxes
                .iter()
                .find(|mailbox| mailbox.kind == crate::sync::MailboxKind::Imap);
            Ok(first.is_some_and(|first| first.id == books.id))
        })
        .await?;
    let (true, Some(folder)) = (first, folder_for(imap, parent)) else {
        return Ok(());
    };
    let items = imap
        .stored(move |books| batch::items(&books.store, account, &[item]))
        .await?;
    let mail = items.first().and_then(|item| Mail::read(&item.body).ok());
    let Some(mail) = mail.filter(|mail| mail.missing == 0 && !mail.message.is_empty()) else {
        return Ok(());
    };
    let marks = match role {
        Some(FolderRole::Sent) => flags.with(Flags::READ),
        _ => flags.with(Flags::DRAFT),
    };
    let uid = drafts::put(imap, item, &mail, &folder, marks, None).await?;
    if let Some(uid) = uid {
        let row = MirrorMessage {
            folder: folder.id,
            uid: i64::from(uid),
            item,
            flags: flags.number(),
            received: mail.received.unwrap_or_default(),
            uidl: None,
            wanted: false,
        };
        imap.stored(move |books| books.note(vec![MirrorChange::PutMessage(row)]))
            .await?;
    }
    Ok(())
}

/// Fetches the rest of mails.
async fn wanted(imap: &mut Imap<'_>) -> Result<(), Ended> {
    let rows = imap
        .stored(|books| books.store.wanted_messages(books.id))
        .await?;
    let limit = imap.context.watchers.0.settings.max_message;
    for row in rows {
        let Some(folder) = folder_of(imap, row.folder) else {
            continue;
        };
        if !imap.select_valid(&folder).await? {
            continue;
        }
        let uid = u32::try_from(row.uid).unwrap_or(0);
        let fetched = imap.session.fetch(&[uid], limit).await?.pop();
        imap.stored(move |books| match fetched {
            Some(fetched) => {
                // Servers are not always right about sizes.
                let size = match fetched.octets.len() < limit {
                    true => fetched.octets.len() as u64,
                    false => u64::from(fetched.seen.size),
                };
                books.complete(&row, fetched.octets, size)
            }
            None => books.note(vec![MirrorChange::PutMessage(MirrorMessage {
                wanted: false,
                ..row
            })]),
        })
        .await?;
    }
    Ok(())
}
