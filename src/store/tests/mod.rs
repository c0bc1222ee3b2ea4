//! The store's contract, over every back end, and what only one of them can show.

mod administration;
mod contract;
mod crash;
mod hierarchy;
mod migrations;
mod outgoing;
#[cfg(feature = "postgres")]
mod postgresql;
mod recording;
mod revision;
mod speed;
mod submission;
mod writing;

use tempfile::TempDir;

use super::connection::Database;
use super::{Store, StoreConfig, StoreError};
use crate::content::{Digest, Format, MatchKey};
use crate::sync::{
    AccountId, Answer, Change, Commit, Cursor, Datastore, DeviceId, Echo, Entry, Item, ItemId,
    ItemMeta, ItemWrite, Known, KnownQuery, Mark, Modseq, Outgoing, OutgoingQuery, Query, Round,
    Secret, Selection, SessionWrite, StoredSession,
};

/// Runs a part of the contract on a new store of each kind.
pub(in crate::store) fn on_every_store(check: impl Fn(&Store)) {
    check(&memory_store());
    on_every_database(|config| check(&Store::open(config).unwrap()));
}

fn on_sqlite_stores(check: impl Fn(&Store)) {
    let folder = tempfile::tempdir().unwrap();
    check(&file_store(&folder));
    check(&memory_store());
}

/// Runs a check on new databases that several stores can open: a file, and a schema of PostgreSQL if the feature is
/// on and `TEST_DATABASE_URL` names a database where schemas can be made.
fn on_every_database(check: impl Fn(&StoreConfig)) {
    let folder = tempfile::tempdir().unwrap();
    check(&file_config(&folder));
    #[cfg(feature = "postgres")]
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => postgresql::in_a_schema(&url, |config, _, _| check(config)),
        Err(_) => eprintln!("SKIPPED on PostgreSQL: TEST_DATABASE_URL is not set"),
    }
}

/// The connection, where there can be no other.
fn sqlite(connection: &mut Database) -> &mut diesel::SqliteConnection {
    match connection {
        Database::Sqlite(sqlite) => sqlite,
        #[cfg(feature = "postgres")]
        Database::Postgresql(_) => panic!("the store is on PostgreSQL"),
    }
}

fn file_config(folder: &TempDir) -> StoreConfig {
    StoreConfig {
        url: format!("sqlite:{}", folder.path().join("test.db").display()),
        key: None,
    }
}

fn file_store(folder: &TempDir) -> Store {
    Store::open(&file_config(folder)).unwrap()
}

fn memory_store() -> Store {
    Store::open(&StoreConfig {
        url: "sqlite::memory:".into(),
        key: None,
    })
    .unwrap()
}

fn account(store: &Store, name: &str) -> AccountId {
    store
        .add_account(name, &Secret(format!("password of {name}")))
        .unwrap()
        .id
}

fn account_and_device(store: &Store) -> (AccountId, DeviceId) {
    let account = account(store, "alice");
    let device = store.register_device(account, "IMEI:1", 100).unwrap();
    (account, device.id)
}

/// A commit in the making, over the numbers that the account has when it is begun.
struct Draft(Commit);

impl Draft {
    fn begin(store: &Store, account: AccountId, device: DeviceId) -> Self {
        let now = store.account_by_id(account).unwrap();
        Self(Commit {
            account,
            device: Some(device),
            expected: now.modseq,
            modseq: now.modseq,
            next_item: now.next_item,
            changes: Vec::new(),
            session: None,
            now: 1000,
        })
    }

    /// A new item; its match key is the length of its body.
    fn add(&mut self, datastore: Datastore, body: &str) -> ItemId {
        let id = self.0.next_item;
        self.0.next_item = ItemId(id.0 + 1);
        self.write(id, datastore, body);
        id
    }

    fn write(&mut self, id: ItemId, datastore: Datastore, body: &str) {
        self.0.modseq = self.0.modseq.next();
        self.0.changes.push(Change::PutItem(ItemWrite {
            meta: ItemMeta {
                id,
                datastore,
                modseq: self.0.modseq,
                deleted: false,
                format: Format::VCard30,
                digest: digest(body),
                key: MatchKey(body.len() as i64),
                updated: 1000,
                parent: ItemId(0),
                content: self.0.modseq,
            },
            body: body.to_owned().into(),
            original: None,
            origin: self.0.device,
        }));
    }

    fn delete(&mut self, item: ItemId) {
        self.0.modseq = self.0.modseq.next();
        self.0.changes.push(Change::DeleteItem {
            item,
            modseq: self.0.modseq,
            origin: self.0.device,
        });
    }

    fn entry(&mut self, view: Datastore, entry: Entry) {
        self.0.changes.push(Change::PutEntry { view, entry });
    }

    fn commit(self, store: &Store) -> Result<(), StoreError> {
        store.commit(self.0)
    }
}

fn digest(body: &str) -> Digest {
    let mut digest = [7; 16];
    for (octet, value) in digest.iter_mut().zip(body.bytes()) {
        *octet = value;
    }
    Digest(digest)
}

/// The device confirmed a version of the item.
fn seen(item: ItemId, luid: &str, seen: i64, round: i64) -> Entry {
    Entry {
        item,
        luid: Some(luid.into()),
        seen: Modseq(seen),
        sent: None,
        digest: Digest::default(),
        mark: Mark::default(),
        round: Round(round),
        failures: 0,
        parent: ItemId(0),
        echo: Echo::default(),
    }
}

/// A version of the item was sent in a round, and is not confirmed.
fn sent(item: ItemId, sent: i64, round: i64) -> Entry {
    Entry {
        item,
        luid: None,
        seen: Modseq(0),
        sent: Some(Modseq(sent)),
        digest: Digest::default(),
        mark: Mark::default(),
        round: Round(round),
        failures: 0,
        parent: ItemId(0),
        echo: Echo::default(),
    }
}

fn first_session(session: &str, request: u8) -> SessionWrite {
    SessionWrite {
        state: StoredSession {
            session: session.into(),
            step: 1,
            msg_id: "1".into(),
            request: [request; 16],
            reply: b"reply".to_vec(),
            reply_type: "application/vnd.syncml+xml".into(),
            snapshot: b"snapshot".to_vec(),
            ended: false,
            updated: 1000,
            recording: 0,
        },
        supersede: true,
        recording: None,
    }
}

fn known(store: &Store, account: AccountId, device: DeviceId, query: KnownQuery) -> Vec<Known> {
    let mut reader = store.reader().unwrap();
    match reader.load(account, Some(device), &Query::Known(query)) {
        Ok(Answer::Known(mut known)) => {
            known.sort_by_key(|known| known.item.id);
            known
        }
        other => panic!("{other:?}"),
    }
}

fn by_ids(view: Datastore, items: &[ItemId]) -> KnownQuery {
    KnownQuery {
        view,
        luids: Vec::new(),
        items: items.to_vec(),
        keys: Vec::new(),
    }
}

fn items(store: &Store, account: AccountId, query: &Query) -> Vec<Item> {
    match store.reader().unwrap().load(account, None, query) {
        Ok(Answer::Items(items)) => items,
        other => panic!("{other:?}"),
    }
}

fn changes(view: Datastore, round: i64, base: i64) -> OutgoingQuery {
    OutgoingQuery {
        view,
        round: Round(round),
        selection: Selection::Changes { base: Modseq(base) },
        unsettled: true,
        after: Cursor::default(),
        max_items: 100,
        max_octets: u64::MAX,
    }
}

fn outgoing(store: &Store, account: AccountId, device: DeviceId, query: OutgoingQuery) -> Outgoing {
    let mut reader = store.reader().unwrap();
    match reader.load(account, Some(device), &Query::Outgoing(query)) {
        Ok(Answer::Outgoing(outgoing)) => outgoing,
        other => panic!("{other:?}"),
    }
}

fn count(store: &Store, account: AccountId, device: DeviceId, query: OutgoingQuery) -> u64 {
    let mut reader = store.reader().unwrap();
    match reader.load(account, Some(device), &Query::Count(query)) {
        Ok(Answer::Count(count)) => count,
        other => panic!("{other:?}"),
    }
}

/// The ids of a page, and that the count agrees with them.
fn outgoing_ids(
    store: &Store,
    account: AccountId,
    device: DeviceId,
    query: OutgoingQuery,
) -> Vec<i64> {
    let page = outgoing(store, account, device, query);
    assert!(!page.more);
    let ids: Vec<i64> = page.items.iter().map(|(item, _)| item.meta.id.0).collect();
    assert_eq!(count(store, account, device, query), ids.len() as u64);
    ids
}
