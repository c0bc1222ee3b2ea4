//! From the server to the store: what a look at folders found becomes items and books.
//!
//! Deletions wait until all folders that changed were looked at: a message that is gone here and new there was moved, and
//! the phone need not fetch it again. What a round found of a folder is final (UIDNEXT, the number of changes) only
//! when all of it is stored, so that a sudden end repeats the look, and the books tell what is there already.

use super::drafts;
use crate::content::email::{FolderRole, Mail};
use crate::content::{self, Format};
use crate::mail::batch::{self, ATTEMPTS, Batch, Tree};
use crate::mail::flags::Flags;
use crate::store::{Store, StoreError};
use crate::sync::{Datastore, Item, ItemId, MailboxId, MirrorChange, MirrorFolder, MirrorMessage};

/// A message that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Arrived {
    /// [`MirrorFolder::id`].
    pub(super) folder: i64,
    pub(super) uid: i64,
    pub(super) uidl: Option<String>,
    pub(super) flags: Flags,
    /// Seconds since 1970.
    pub(super) received: i64,
    /// All of it, or its beginning.
    pub(super) octets: Vec<u8>,
    /// Octets of it that the server keeps.
    pub(super) missing: u64,
}

/// Where a watcher's writes go.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) store: Store,
    pub(super) node: String,
    pub(super) id: MailboxId,
    /// The server cannot move: what is moved is there twice for a moment.
    pub(super) copies: bool,
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// The marks of a stored mail.
pub(super) fn flags_of(mail: &Mail) -> Flags {
    Flags::READ
        .when(mail.read)
        .with(Flags::REPLIED.when(mail.replied))
        .with(Flags::FORWARDED.when(mail.forwarded))
        .with(Flags::FLAGGED.when(mail.flagged))
        .with(Flags::DELETED.when(mail.deleted))
        .with(Flags::DRAFT.when(mail.draft))
}

fn set_flags(mail: &mut Mail, flags: Flags) {
    mail.read = flags.has(Flags::READ);
    mail.replied = flags.has(Flags::REPLIED);
    mail.forwarded = flags.has(Flags::FORWARDED);
    mail.flagged = flags.has(Flags::FLAGGED);
    mail.deleted = flags.has(Flags::DELETED);
    mail.draft = flags.has(Flags::DRAFT);
}

fn mail_of(arrived: &Arrived) -> Mail {
    let mut mail = Mail::received(arrived.octets.clone(), arrived.received);
    mail.missing = arrived.missing;
    set_flags(&mut mail, arrived.flags);
    mail
}

/// The same message, as far as its header tells.
fn is_twin(item: &Item, arrived: &Arrived) -> bool {
    // A draft that was put there, as it is now or as it was before its last edits.
    if drafts::item_of(&arrived.octets) == Some(item.meta.id) {
        return true;
    }
    let Ok(stored) = Mail::read(&item.body) else {
        return false;
    };
    let (stored, came) = (
        stored.head(),
        Mail::received(arrived.octets.clone(), 0).head(),
    );
    match (&stored.message_id, &came.message_id) {
        (Some(a), Some(b)) => a == b,
        _ => stored == came,
    }
}

impl Books {
    /// Works out a batch over the present state and writes it; again, while others write to the account.
    pub(super) fn write(
        &self,
        mut work: impl FnMut(&Store, &mut Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut attempts = 0;
        loop {
            let mut batch = Batch::begin(&self.store, self.id.account, now())?;
            work(&self.store, &mut batch)?;
            if batch.is_empty() {
                return Ok(());
            }
            match self
                .store
                .mirror(&self.node, self.id, batch.commit, batch.books)
            {
                Err(StoreError::Conflict) if attempts < ATTEMPTS => attempts += 1,
                result => return result,
            }
        }
    }

    /// Stores messages that came: as new items, or as the items that they are already. `limbo`: messages that are gone
    /// from where they were; what is found again is taken out of it.
    pub(super) fn add(
        &self,
        folders: &[MirrorFolder],
        arrived: &[Arrived],
        limbo: &mut Vec<MirrorMessage>,
    ) -> Result<(), StoreError> {
        let before = limbo.clone();
        self.write(|store, batch| {
            limbo.clone_from(&before);
            for message in arrived {
                self.add_one(store, batch, folders, message, limbo)?;
            }
            Ok(())
        })
    }

    fn add_one(
        &self,
        store: &Store,
        batch: &mut Batch,
        folders: &[MirrorFolder],
        arrived: &Arrived,
        limbo: &mut Vec<MirrorMessage>,
    ) -> Result<(), StoreError> {
        let Some(folder) = folders.iter().find(|folder| folder.id == arrived.folder) else {
            return Ok(());
        };
        let mail = mail_of(arrived);
        let mut row = MirrorMessage {
            folder: arrived.folder,
            uid: arrived.uid,
            item: ItemId(0),
            flags: arrived.flags.number(),
            received: arrived.received,
            uidl: arrived.uidl.clone(),
            wanted: false,
        };
        match self.known(store, batch, &mail, arrived, folder.folder, limbo)? {
            // The books come when what it replaces is gone.
            Twin::Replacing => return Ok(()),
            Twin::Item(item, gone) => {
                row.item = item.meta.id;
                if let Some(gone) = gone {
                    batch.books.push(MirrorChange::DropMessage {
                        folder: gone.folder,
                        uid: gone.uid,
                    });
                    let mut stored = Mail::read(&item.body).unwrap_or_else(|_| mail.clone());
                    let ours = flags_of(&stored);
                    let base = Flags::from_number(gone.flags);
                    let merged = Flags::merged(base, ours, arrived.flags);
                    // Where the user has moved it meanwhile, it stays: that is carried to the server next.
                    let was = folders.iter().find(|folder| folder.id == gone.folder);
                    let moved_here = was.is_some_and(|was| was.folder != item.meta.parent);
                    let parent = match moved_here {
                        true => item.meta.parent,
                        false => folder.folder,
                    };
                    if merged != ours {
                        set_flags(&mut stored, merged);
                        batch.replace_mail(item.meta.id, stored, parent);
                    } else if parent != item.meta.parent {
                        batch.move_item(item.meta.id, parent);
                    }
                }
            }
            Twin::None => row.item = batch.add_mail(mail, folder.folder),
        }
        batch.books.push(MirrorChange::PutMessage(row));
        Ok(())
    }

    /// The living item that a message is already, with where it was at the server if it is gone from there.
    fn known(
        &self,
        store: &Store,
        batch: &Batch,
        mail: &Mail,
        arrived: &Arrived,
        parent: ItemId,
        limbo: &mut Vec<MirrorMessage>,
    ) -> Result<Twin, StoreError> {
        let key = content::match_key(&mail.clone().into_record());
        let twins = store.matching(self.id.account, Datastore::Mail, &[key])?;
        let mut ids: Vec<ItemId> = twins
            .iter()
            .filter(|meta| meta.format == Format::Mail)
            .map(|meta| meta.id)
            .collect();
        let draft_of = drafts::item_of(&arrived.octets);
        ids.extend(draft_of.filter(|item| !ids.contains(item)));
        if ids.is_empty() {
            return Ok(Twin::None);
        }
        let taken = |item: ItemId| {
            batch.books.iter().any(|change| {
                matches!(change, MirrorChange::PutMessage(message) if message.item == item)
            })
        };
        for item in batch::items(store, self.id.account, &ids)? {
            if item.meta.deleted || taken(item.meta.id) || !is_twin(&item, arrived) {
                continue;
            }
            match store.mirror_of(self.id.account, item.meta.id)? {
                // It is ours alone: a copy of what was sent, or one whose new UID the server did not tell. In another
                // folder it is another copy: who writes to himself has it in the inbox and among what was sent.
                None if item.meta.parent == parent => return Ok(Twin::Item(item, None)),
                None => {}
                Some((mailbox, row)) if mailbox == self.id => {
                    let at = limbo
                        .iter()
                        .position(|gone| (gone.folder, gone.uid) == (row.folder, row.uid));
                    if let Some(at) = at {
                        let gone = limbo.swap_remove(at);
                        return Ok(Twin::Item(item, Some(gone)));
                    }
                    // A copy was made, and a sudden end came before the original was gone: that goes when it is carried again.
                    if self.copies && item.meta.parent == parent {
                        let folders = self.store.mirror_folders(self.id)?;
                        let was = folders.iter().find(|folder| folder.id == row.folder);
                        if was.is_some_and(|was| was.folder != parent) {
                            return Ok(Twin::Replacing);
                        }
                    }
                    // An edited draft was put there, and a sudden end came before the older one was gone. The draft may have
                    // been edited again since: then that copy goes when the newest one is put there.
                    let stored = Mail::read(&item.body).unwrap_or_default();
                    let left = draft_of == Some(item.meta.id)
                        || drafts::is_same(item.meta.id, &stored.message, &arrived.octets);
                    if Flags::from_number(row.flags).has(Flags::DRAFT)
                        && item.meta.content > self.store.mailbox(self.id)?.carried
                        && left
                    {
                        return Ok(Twin::Replacing);
                    }
                }
                Some(_) => {}
            }
        }
        Ok(Twin::None)
    }

    /// Whether the account has this message in another folder of the mailbox; gives that folder.
    pub(super) fn elsewhere(&self, arrived: &Arrived) -> Result<Option<i64>, StoreError> {
        let key = content::match_key(&mail_of(arrived).into_record());
        let twins = self
            .store
            .matching(self.id.account, Datastore::Mail, &[key])?;
        for meta in twins {
            if let Some((mailbox, row)) = self.store.mirror_of(self.id.account, meta.id)?
                && mailbox == self.id
                && row.folder != arrived.folder
            {
                return Ok(Some(row.folder));
            }
        }
        Ok(None)
    }

    /// Stores marks that changed at the server, of messages of one folder.
    pub(super) fn mark(&self, changed: &[(MirrorMessage, Flags)]) -> Result<(), StoreError> {
        self.write(|store, batch| {
            // The books as they are now: a session that was undone may have given a message to another item.
            let mut rows = Vec::new();
            if let Some((row, _)) = changed.first() {
                rows = store.mirror_messages(self.id, row.folder)?;
            }
            let changed: Vec<(&MirrorMessage, &Flags)> = changed
                .iter()
                .filter_map(|(row, theirs)| {
                    let row = rows.iter().find(|now| now.uid == row.uid)?;
                    Some((row, theirs))
                })
                .collect();
            let ids: Vec<ItemId> = changed.iter().map(|(row, _)| row.item).collect();
            let items = batch::items(store, self.id.account, &ids)?;
            for (row, theirs) in changed {
                let base = Flags::from_number(row.flags);
                let item = items.iter().find(|item| item.meta.id == row.item);
                if let Some(item) = item.filter(|item| !item.meta.deleted)
                    && let Ok(mut mail) = Mail::read(&item.body)
                {
                    let ours = flags_of(&mail);
                    let merged = Flags::merged(base, ours, *theirs);
                    if merged != ours {
                        set_flags(&mut mail, merged);
                        batch.replace_mail(item.meta.id, mail, item.meta.parent);
                    }
                }
                batch.books.push(MirrorChange::PutMessage(MirrorMessage {
                    flags: theirs.number(),
                    ..row.clone()
                }));
            }
            Ok(())
        })
    }

    /// Messages that are gone from the server, or from the window: their items become tombstones.
    pub(super) fn drop(&self, gone: &[MirrorMessage]) -> Result<(), StoreError> {
        for part in gone.chunks(100) {
            self.write(|store, batch| {
                let ids: Vec<ItemId> = part.iter().map(|row| row.item).collect();
                let items = batch::items(store, self.id.account, &ids)?;
                for row in part {
                    batch.books.push(MirrorChange::DropMessage {
                        folder: row.folder,
                        uid: row.uid,
                    });
                    let item = items.iter().find(|item| item.meta.id == row.item);
                    if item.is_some_and(|item| !item.meta.deleted) {
                        batch.delete(row.item);
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// A folder that is gone from the server goes here too, if nothing is left in it that is elsewhere. One that a phone has made or
    /// changed since is made there next.
    pub(super) fn forget_folder(&self, item: ItemId) -> Result<(), StoreError> {
        let carried = self.store.mailbox(self.id)?.carried;
        let found = batch::items(&self.store, self.id.account, &[item])?.pop();
        if found.is_some_and(|item| item.meta.modseq > carried) {
            return Ok(());
        }
        for mailbox in self.store.mailboxes(self.id.account)? {
            let folders = self.store.mirror_folders(mailbox.id)?;
            if folders.iter().any(|folder| folder.folder == item) {
                return Ok(());
            }
        }
        self.write(|store, batch| {
            let tree = Tree::load(store, self.id.account)?;
            let plain = tree
                .known(item)
                .is_some_and(|known| known.folder.role.is_none());
            if plain && !tree.has_within(item) && !batch::has_mail(store, self.id.account, item)? {
                batch.delete(item);
            }
            Ok(())
        })
    }

    /// Books alone.
    pub(super) fn note(&self, changes: Vec<MirrorChange>) -> Result<(), StoreError> {
        self.write(|_, batch| {
            batch.books.clone_from(&changes);
            Ok(())
        })
    }

    /// The rest of a mail came, or as much of it as is fetched; `size` is that of all of it.
    pub(super) fn complete(
        &self,
        row: &MirrorMessage,
        octets: Vec<u8>,
        size: u64,
    ) -> Result<(), StoreError> {
        let missing = size.saturating_sub(octets.len() as u64);
        self.write(|store, batch| {
            let items = batch::items(store, self.id.account, &[row.item])?;
            if let Some(item) = items.iter().find(|item| !item.meta.deleted)
                && let Ok(mut mail) = Mail::read(&item.body)
                && (mail.missing, mail.message.len()) != (missing, octets.len())
            {
                mail.message.clone_from(&octets);
                mail.missing = missing;
                batch.replace_mail(item.meta.id, mail, item.meta.parent);
            }
            batch.books.push(MirrorChange::PutMessage(MirrorMessage {
                wanted: false,
                ..row.clone()
            }));
            Ok(())
        })
    }

    /// The folders as they are listed at the server, in our own; new ones are made on both sides of the books. Gives all that
    /// have a name of `listed`, the ones of an older UIDVALIDITY too.
    pub(super) fn folders(
        &self,
        listed: &[(String, Place)],
    ) -> Result<Vec<MirrorFolder>, StoreError> {
        let known = self.store.mirror_folders(self.id)?;
        let missing = |name: &str| !known.iter().any(|folder| folder.name == name);
        if listed.iter().any(|(name, _)| missing(name)) {
            let mut next = known.iter().map(|folder| folder.id).max().unwrap_or(0) + 1;
            let first = next;
            self.write(|store, batch| {
                next = first;
                let mut tree = Tree::load(store, self.id.account)?;
                for (name, place) in listed.iter().filter(|(name, _)| missing(name)) {
                    let folder = match place {
                        Place::Role(role) => tree.of_role(*role, batch),
                        Place::Path(path) => tree.at(path, batch),
                    };
                    batch.books.push(MirrorChange::PutFolder(MirrorFolder {
                        id: next,
                        name: name.clone(),
                        folder,
                        uid_validity: 0,
                        uid_next: 0,
                        modseq: 0,
                    }));
                    next += 1;
                }
                Ok(())
            })?;
        }
        self.store.mirror_folders(self.id)
    }
}

/// What a message that came is with us already.
enum Twin {
    None,
    /// This item; and where it was at the server, if it is gone from there.
    Item(Item, Option<MirrorMessage>),
    /// The new version of a draft, or the copy that a move has made, while the older one is at the server still.
    Replacing,
}

/// Where a folder of the server is among ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    Role(FolderRole),
    Path(Vec<String>),
}
