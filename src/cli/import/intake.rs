//! Items on their way into the store: what is there already, what replaces what, and writing in batches.

use std::collections::{HashMap, HashSet};

use super::super::output;
use super::{Ready, Tally, uid};
use crate::content::{self, Digest, ReadHint};
use crate::store::{NewItem, Store, StoreError};
use crate::sync::{
    Account, AccountId, Change, Commit, Cursor, Datastore, ItemId, ItemMeta, ItemWrite,
};

/// Items that are written at once.
const CHUNK: usize = 256;

/// Items on their way into the store.
pub(super) struct Intake<'a> {
    store: &'a Store,
    account: &'a Account,
    keep_doubles: bool,
    pub(super) tally: Tally,
    /// Items that wait to be added.
    new: Vec<Ready>,
    /// Items that wait to replace stored ones.
    replacing: Vec<(ItemId, Ready)>,
    /// Stored items by UID, for each datastore that was looked through.
    uids: HashMap<Datastore, HashMap<String, (ItemId, Digest)>>,
    /// What waits: digests and UIDs.
    digests: HashSet<(Datastore, Digest)>,
    waiting_uids: HashSet<(Datastore, String)>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(store: &'a Store, account: &'a Account, keep_doubles: bool) -> Self {
        Self {
            store,
            account,
            keep_doubles,
            tally: Tally::default(),
            new: Vec::new(),
            replacing: Vec::new(),
            uids: HashMap::new(),
            digests: HashSet::new(),
            waiting_uids: HashSet::new(),
        }
    }

    pub(super) fn take(&mut self, ready: Ready) -> anyhow::Result<()> {
        let waits = ready
            .uid
            .as_ref()
            .is_some_and(|uid| self.waiting_uids.contains(&(ready.datastore, uid.clone())));
        if waits {
            self.flush()?;
        }
        let stored = match &ready.uid {
            Some(uid) => self.stored_uids(ready.datastore)?.get(uid).copied(),
            None => None,
        };
        if let Some(uid) = &ready.uid {
            self.waiting_uids.insert((ready.datastore, uid.clone()));
        }
        match stored {
            Some((id, digest)) if digest != ready.digest => self.replacing.push((id, ready)),
            Some(_) if !self.keep_doubles => self.tally.doubles += 1,
            _ if !self.keep_doubles && !self.digests.insert((ready.datastore, ready.digest)) => {
                self.tally.doubles += 1;
            }
            _ => self.new.push(ready),
        }
        if self.new.len() + self.replacing.len() >= CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// Ids of the stored items of a datastore by UID; they are looked through once.
    fn stored_uids(
        &mut self,
        datastore: Datastore,
    ) -> anyhow::Result<&mut HashMap<String, (ItemId, Digest)>> {
        if !self.uids.contains_key(&datastore) {
            let mut uids = HashMap::new();
            let mut reader = self.store.reader()?;
            let mut after = Cursor::default();
            loop {
                let page = reader.items(self.account.id, datastore, after, 500)?;
                let Some(last) = page.last() else { break };
                after = Cursor {
                    modseq: last.meta.modseq,
                    item: last.meta.id,
                };
                for item in &page {
                    let hint = ReadHint {
                        format: Some(item.meta.format),
                        ..ReadHint::default()
                    };
                    if let Ok(parsed) = content::read(&item.body, &hint)
                        && let Some(uid) = uid(&parsed.record)
                    {
                        uids.insert(uid, (item.meta.id, item.meta.digest));
                    }
                }
            }
            self.uids.insert(datastore, uids);
        }
        Ok(self.uids.entry(datastore).or_default())
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.waiting_uids.clear();
        self.digests.clear();
        let new = std::mem::take(&mut self.new);
        let replacing = std::mem::take(&mut self.replacing);
        let doubles = if self.keep_doubles {
            HashSet::new()
        } else {
            self.stored_digests(&new)?
        };
        let (doubles, new): (Vec<_>, Vec<_>) = new
            .into_iter()
            .partition(|ready| doubles.contains(&(ready.datastore, ready.digest)));
        self.tally.doubles += doubles.len();
        let items = new.iter().map(Ready::new_item).collect();
        let ids = self.store.put_items(self.account.id, None, items)?;
        for (ready, id) in new.into_iter().zip(ids) {
            *self.tally.added.entry(ready.datastore).or_default() += 1;
            if let Some(uid) = ready.uid
                && let Some(uids) = self.uids.get_mut(&ready.datastore)
            {
                uids.insert(uid, (id, ready.digest));
            }
        }
        replace(self.store, self.account.id, &replacing)?;
        for (id, ready) in replacing {
            self.tally.replaced += 1;
            if let (Some(uid), Some(uids)) = (ready.uid, self.uids.get_mut(&ready.datastore)) {
                uids.insert(uid, (id, ready.digest));
            }
        }
        Ok(())
    }

    fn stored_digests(&self, items: &[Ready]) -> anyhow::Result<HashSet<(Datastore, Digest)>> {
        let mut found = HashSet::new();
        for datastore in Datastore::ALL {
            let keys: Vec<_> = items
                .iter()
                .filter(|ready| ready.datastore == datastore)
                .map(|ready| ready.key)
                .collect();
            if !keys.is_empty() {
                let stored = self.store.matching(self.account.id, datastore, &keys)?;
                found.extend(stored.into_iter().map(|meta| (datastore, meta.digest)));
            }
        }
        Ok(found)
    }
}

impl Ready {
    fn new_item(&self) -> NewItem {
        NewItem {
            datastore: self.datastore,
            kind: self.kind,
            format: self.format,
            body: self.body.clone(),
            digest: self.digest,
            key: self.key,
        }
    }
}

/// Writes new versions of stored items, in one transaction.
fn replace(store: &Store, id: AccountId, items: &[(ItemId, Ready)]) -> anyhow::Result<()> {
    while !items.is_empty() {
        let account = store.account_by_id(id)?;
        let now = output::now();
        let mut modseq = account.modseq;
        let changes = items
            .iter()
            .map(|(item, ready)| {
                modseq = modseq.next();
                Change::PutItem(ItemWrite {
                    meta: ItemMeta {
                        id: *item,
                        datastore: ready.datastore,
                        modseq,
                        deleted: false,
                        format: ready.format,
                        digest: ready.digest,
                        key: ready.key,
                        updated: now,
                        parent: ItemId(0),
                        content: modseq,
                    },
                    body: ready.body.clone().into(),
                    original: None,
                    origin: None,
                })
            })
            .collect();
        let commit = Commit {
            account: id,
            device: None,
            expected: account.modseq,
            modseq,
            next_item: account.next_item,
            changes,
            session: None,
            now,
        };
        match store.commit(commit) {
            // A phone was faster; what it wrote is a revision after this.
            Err(StoreError::Conflict) => {}
            other => return Ok(other?),
        }
    }
    Ok(())
}
