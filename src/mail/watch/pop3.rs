//! Watching a mailbox over POP3: a look at the names of its messages (UIDL) from time to time.
//!
//! A maildrop has no marks and no folders: what phones mark and move stays here; what they delete is deleted there, and
//! stays in the trash here. What another program took out of the maildrop stays here too.

use std::collections::HashSet;
use std::convert::Infallible;

use tokio::time::Instant;

use super::pull::{Arrived, Books, Place};
use super::task::{Context, Ended};
use crate::content::email::{FolderRole, Mail};
use crate::mail::batch::{self, Tree};
use crate::mail::error::MailError;
use crate::mail::flags::Flags;
use crate::mail::pop3::{Listed, Pop3};
use crate::mail::settings::Incoming;
use crate::store::StoreError;
use crate::sync::{Item, ItemId, MirrorChange, MirrorFolder, MirrorMessage};

/// Messages that are stored at once.
const BATCH: usize = 8;

/// Watches until something goes wrong.
pub(super) async fn watch(context: &Context<'_>) -> Result<Infallible, Ended> {
    let incoming = context
        .settings
        .incoming
        .as_ref()
        .ok_or_else(|| MailError::Settings("the mailbox has no server".to_owned()))?;
    let shared = &context.watchers.0;
    let drop = Maildrop {
        context,
        incoming,
        books: Books {
            store: shared.store.clone(),
            node: shared.node.clone(),
            id: context.mailbox.id,
            copies: false,
        },
    };
    loop {
        let next = Instant::now() + shared.settings.poll;
        drop.look().await?;
        context.checked().await?;
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            // A deletion goes out at once.
            () = drop.deletion() => {}
        }
    }
}

struct Maildrop<'a> {
    context: &'a Context<'a>,
    incoming: &'a Incoming,
    books: Books,
}

impl Maildrop<'_> {
    async fn stored<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Books) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Ended> {
        let books = self.books.clone();
        let done = self.context.watchers.blocking(move |_| work(&books)).await;
        match done.ok_or(Ended::Failed)? {
            Ok(value) => Ok(value),
            Err(StoreError::NotFound) => Err(Ended::Later(0)),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends when the account changed in a way that concerns the server.
    async fn deletion(&self) {
        loop {
            self.context.stirred.notified().await;
            match self.stored(doomed).await {
                Ok((rows, _)) if rows.is_empty() && !self.is_wanted().await => {
                    // Nothing of it concerns the server.
                    let noted = self
                        .stored(|books| {
                            let now = books.store.account_by_id(books.id.account)?.modseq;
                            books.note(vec![MirrorChange::Carried(now)])
                        })
                        .await;
                    if noted.is_err() {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    /// Whether a device wants the rest of a mail.
    async fn is_wanted(&self) -> bool {
        let wanted = self.stored(|books| books.store.wanted_messages(books.id));
        wanted.await.is_ok_and(|wanted| !wanted.is_empty())
    }

    /// Looks once.
    async fn look(&self) -> Result<(), Ended> {
        let settings = &self.context.watchers.0.settings;
        let shown = self.context.shown().await?;
        let mut pop3 = Pop3::connect(&self.incoming.login.address).await?;
        pop3.login(&self.incoming.login.user, &shown).await?;
        let folder = self.stored(folder).await?;
        let id = folder.id;
        let rows = self
            .stored(move |books| books.store.mirror_messages(books.id, id))
            .await?;
        let listed = pop3.list().await?;
        let (doomed, upto) = self.stored(doomed).await?;
        let known: HashSet<&str> = rows.iter().filter_map(|row| row.uidl.as_deref()).collect();
        let newest = &listed[listed.len().saturating_sub(settings.count)..];
        let new: Vec<&Listed> = newest
            .iter()
            .filter(|message| !known.contains(&*message.uidl))
            .collect();
        let mut uid = folder.uid_next;
        for part in new.chunks(BATCH) {
            let mut arrived = Vec::new();
            for message in part {
                let (octets, _) = pop3.retrieve(message, settings.octets).await?;
                let size = u64::from(message.size);
                arrived.push(Arrived {
                    folder: folder.id,
                    uid,
                    uidl: Some(message.uidl.clone()),
                    flags: Flags::NONE,
                    received: chrono::Utc::now().timestamp(),
                    missing: size.saturating_sub(octets.len() as u64),
                    octets,
                });
                uid += 1;
            }
            let state = MirrorFolder {
                uid_next: uid,
                ..folder.clone()
            };
            self.stored(move |books| {
                // The numbers are taken before they are used: none is used twice.
                books.note(vec![MirrorChange::PutFolder(state.clone())])?;
                books.add(&[state], &arrived, &mut Vec::new())
            })
            .await?;
        }
        for row in rows.iter().filter(|row| row.wanted) {
            let message = listed
                .iter()
                .find(|listed| row.uidl.as_deref() == Some(&*listed.uidl));
            if let Some(message) = message {
                let (octets, all) = pop3.retrieve(message, settings.max_message).await?;
                let row = row.clone();
                let size = match all {
                    true => octets.len() as u64,
                    false => u64::from(message.size),
                };
                self.stored(move |books| books.complete(&row, octets, size))
                    .await?;
            }
        }
        let mut changes = Vec::new();
        for row in &doomed {
            let message = listed
                .iter()
                .find(|listed| row.uidl.as_deref() == Some(&*listed.uidl));
            if let Some(message) = message {
                pop3.delete(message.number).await?;
            }
            changes.push(MirrorChange::DropMessage {
                folder: row.folder,
                uid: row.uid,
            });
        }
        // What is gone from the maildrop has no row to keep.
        let there: HashSet<&str> = listed.iter().map(|message| &*message.uidl).collect();
        for row in &rows {
            let gone = row.uidl.as_deref().is_none_or(|uidl| !there.contains(uidl));
            if gone && !doomed.iter().any(|doomed| doomed.uid == row.uid) {
                changes.push(MirrorChange::DropMessage {
                    folder: row.folder,
                    uid: row.uid,
                });
            }
        }
        pop3.close().await?;
        changes.push(MirrorChange::Carried(upto));
        self.stored(move |books| books.note(changes)).await
    }
}

/// The books' folder of the maildrop.
fn folder(books: &Books) -> Result<MirrorFolder, StoreError> {
    let listed = [("INBOX".to_owned(), Place::Role(FolderRole::Inbox))];
    let mut folder = books
        .folders(&listed)?
        .into_iter()
        .next()
        .ok_or(StoreError::NotFound)?;
    folder.uid_validity = 1;
    folder.uid_next = folder.uid_next.max(1);
    Ok(folder)
}

/// Messages whose items were deleted, or are in the trash and whole there; and up to which change that was looked at.
fn doomed(books: &Books) -> Result<(Vec<MirrorMessage>, crate::sync::Modseq), StoreError> {
    let account = books.id.account;
    let mut upto = books.store.mailbox(books.id)?.carried;
    let now = books.store.account_by_id(account)?.modseq;
    let mut rows = Vec::new();
    let tree = Tree::load(&books.store, account)?;
    let thrown_away = |item: &Item| {
        tree.role(item.meta.parent) == Some(FolderRole::Trash)
            && Mail::read(&item.body).is_ok_and(|mail| mail.missing == 0)
    };
    loop {
        let changed = books.store.changed_mail(account, upto)?;
        let Some((last, _)) = changed.last() else {
            return Ok((rows, upto.max(now)));
        };
        upto = *last;
        let ids: Vec<ItemId> = changed.iter().map(|(_, item)| *item).collect();
        for part in ids.chunks(16) {
            for item in batch::items(&books.store, account, part)? {
                if (item.meta.deleted || thrown_away(&item))
                    && let Some((mailbox, row)) = books.store.mirror_of(account, item.meta.id)?
                    && mailbox == books.id
                {
                    rows.push(row);
                }
            }
        }
    }
}
