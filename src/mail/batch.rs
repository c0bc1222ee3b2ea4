//! Changes of an account's mail as one commit, over the state that they rest on.

use crate::content::email::{Folder, FolderRole, Mail};
use crate::content::{self, Format, Record};
use crate::store::{Store, StoreError};
use crate::sync::{
    AccountId, Answer, Change, Commit, Datastore, Item, ItemId, ItemMeta, ItemWrite, MirrorChange,
    Newest, NewestQuery, Query,
};

/// Attempts at a commit while others write to the account.
pub(super) const ATTEMPTS: u32 = 200;

/// What is to be written.
pub(super) struct Batch {
    pub(super) commit: Commit,
    pub(super) books: Vec<MirrorChange>,
}

impl Batch {
    /// Nothing yet, over the account's present state. `now`: seconds since 1970.
    pub(super) fn begin(store: &Store, account: AccountId, now: i64) -> Result<Self, StoreError> {
        let account = store.account_by_id(account)?;
        Ok(Self {
            commit: Commit {
                account: account.id,
                device: None,
                expected: account.modseq,
                modseq: account.modseq,
                next_item: account.next_item,
                changes: Vec::new(),
                session: None,
                now,
            },
            books: Vec::new(),
        })
    }

    /// Works out changes over an account's present state and writes them; again, while others write to the account. `now`: seconds
    /// since 1970.
    pub(super) fn write<T>(
        store: &Store,
        account: AccountId,
        now: i64,
        mut work: impl FnMut(&mut Self, &mut Tree) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut attempts = 0;
        loop {
            let mut batch = Self::begin(store, account, now)?;
            let mut tree = Tree::load(store, account)?;
            let value = work(&mut batch, &mut tree)?;
            if batch.is_empty() {
                return Ok(value);
            }
            match store.commit(batch.commit) {
                // Each time another one of them is done.
                Err(StoreError::Conflict) if attempts < ATTEMPTS => attempts += 1,
                result => return result.map(|()| value),
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commit.changes.is_empty() && self.books.is_empty()
    }

    /// A new mail in a folder.
    pub(super) fn add_mail(&mut self, mail: Mail, parent: ItemId) -> ItemId {
        let body = mail.write();
        self.add(Format::Mail, body, &mail.into_record(), parent)
    }

    /// A new folder in a folder.
    pub(super) fn add_folder(&mut self, folder: Folder, parent: ItemId) -> ItemId {
        let body = folder.write();
        self.add(Format::Folder, body, &folder.into_record(), parent)
    }

    fn add(&mut self, format: Format, body: Vec<u8>, record: &Record, parent: ItemId) -> ItemId {
        let id = self.commit.next_item;
        self.commit.next_item = ItemId(id.0 + 1);
        self.put(id, format, body, record, parent);
        id
    }

    /// A new version of a mail.
    pub(super) fn replace_mail(&mut self, id: ItemId, mail: Mail, parent: ItemId) {
        let body = mail.write();
        self.put(id, Format::Mail, body, &mail.into_record(), parent);
    }

    fn put(&mut self, id: ItemId, format: Format, body: Vec<u8>, record: &Record, parent: ItemId) {
        self.commit.modseq = self.commit.modseq.next();
        self.commit.changes.push(Change::PutItem(ItemWrite {
            meta: ItemMeta {
                id,
                datastore: Datastore::Mail,
                modseq: self.commit.modseq,
                deleted: false,
                format,
                digest: content::digest(record),
                key: content::match_key(record),
                updated: self.commit.now,
                parent,
                content: self.commit.modseq,
            },
            body: body.into(),
            original: None,
            origin: None,
        }));
    }

    /// An item goes into another folder.
    pub(super) fn move_item(&mut self, item: ItemId, parent: ItemId) {
        self.commit.modseq = self.commit.modseq.next();
        self.commit.changes.push(Change::MoveItem {
            item,
            parent,
            modseq: self.commit.modseq,
            origin: None,
        });
    }

    /// An item becomes a tombstone.
    pub(super) fn delete(&mut self, item: ItemId) {
        self.commit.modseq = self.commit.modseq.next();
        self.commit.changes.push(Change::DeleteItem {
            item,
            modseq: self.commit.modseq,
            origin: None,
        });
    }
}

/// Items with their bodies, tombstones too.
pub(super) fn items(
    store: &Store,
    account: AccountId,
    ids: &[ItemId],
) -> Result<Vec<Item>, StoreError> {
    let query = Query::Items(ids.to_vec());
    match store.reader()?.load(account, None, &query)? {
        Answer::Items(items) => Ok(items),
        _ => Ok(Vec::new()),
    }
}

/// Whether living mail is in a folder.
pub(super) fn has_mail(
    store: &Store,
    account: AccountId,
    folder: ItemId,
) -> Result<bool, StoreError> {
    let newest = Newest {
        folder,
        since: i64::MIN,
        count: 1,
    };
    let query = Query::Newest(NewestQuery {
        view: Datastore::Mail,
        folders: vec![newest],
    });
    match store.reader()?.load(account, None, &query)? {
        Answer::Known(known) => Ok(!known.is_empty()),
        _ => Ok(false),
    }
}

/// A folder of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: ItemId,
    pub(super) parent: ItemId,
    pub(super) folder: Folder,
}

/// The folders of an account's mail.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree(Vec<Known>);

impl Tree {
    /// As they are now.
    pub(super) fn load(store: &Store, account: AccountId) -> Result<Self, StoreError> {
        let folders = store.folders(account)?.into_iter().filter_map(|item| {
            Some(Known {
                id: item.meta.id,
                parent: item.meta.parent,
                folder: Folder::read(&item.body).ok()?,
            })
        });
        Ok(Self(folders.collect()))
    }

    /// A folder.
    pub(super) fn known(&self, id: ItemId) -> Option<&Known> {
        self.0.iter().find(|known| known.id == id)
    }

    /// Whether a folder is another one, or somewhere in it.
    pub(super) fn is_within(&self, id: ItemId, folder: ItemId) -> bool {
        let mut at = id;
        // No way to the top is longer than there are folders.
        for _ in 0..=self.0.len() {
            if at == folder {
                return true;
            }
            match self.known(at) {
                Some(known) => at = known.parent,
                None => return false,
            }
        }
        false
    }

    /// Whether folders are in it.
    pub(super) fn has_within(&self, id: ItemId) -> bool {
        self.0.iter().any(|known| known.parent == id)
    }

    /// The role of a folder.
    pub(super) fn role(&self, id: ItemId) -> Option<FolderRole> {
        self.known(id)?.folder.role
    }

    /// The folder of a role; it is made if there is none.
    pub(super) fn of_role(&mut self, role: FolderRole, batch: &mut Batch) -> ItemId {
        let known = self.0.iter().find(|known| known.folder.role == Some(role));
        if let Some(known) = known {
            return known.id;
        }
        self.add(Folder::new(role.title(), Some(role)), ItemId(0), batch)
    }

    /// The folder at a path; what of it is missing is made.
    pub(super) fn at(&mut self, path: &[String], batch: &mut Batch) -> ItemId {
        let mut parent = ItemId(0);
        for name in path {
            let known = self.0.iter().find(|known| {
                known.parent == parent && known.folder.role.is_none() && known.folder.name == *name
            });
            parent = match known {
                Some(known) => known.id,
                None => self.add(Folder::new(name.clone(), None), parent, batch),
            };
        }
        parent
    }

    fn add(&mut self, folder: Folder, parent: ItemId, batch: &mut Batch) -> ItemId {
        let id = batch.add_folder(folder.clone(), parent);
        self.0.push(Known { id, parent, folder });
        id
    }
}
