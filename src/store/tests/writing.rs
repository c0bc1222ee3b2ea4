//! Many writers, other processes, a full disk.

use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection;

use super::super::connection::{Place, Purpose};
use super::administration::note;
use super::*;

const THREADS: usize = 8;
const COMMITS: usize = 25;
/// Items of one commit.
const ITEMS: usize = 3;

/// Eight sessions write to one account: conflicts are many, and each commit is there whole or not at all.
#[test]
fn commits_of_many_sessions_are_each_whole_or_not_there() {
    on_every_store(|store| {
        let account = account(store, "alice");
        let conflicts = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let conflicts = &conflicts;
                scope.spawn(move || {
                    let uri = format!("IMEI:{thread}");
                    let device = store.register_device(account, &uri, 1).unwrap().id;
                    for number in 0..COMMITS {
                        // One that fails at its end leaves nothing of its beginning.
                        let mut spoilt = draft(store, account, device, "spoilt");
                        spoilt.0.next_item.0 += 1;
                        spoilt.delete(ItemId(spoilt.0.next_item.0 - 1));
                        let failure = spoilt.commit(store).unwrap_err();
                        assert!(
                            matches!(failure, StoreError::NotFound | StoreError::Conflict),
                            "{failure}"
                        );
                        let body = format!("{thread} {number}");
                        while let Err(failure) = draft(store, account, device, &body).commit(store)
                        {
                            assert!(matches!(failure, StoreError::Conflict), "{failure}");
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
        });
        assert!(conflicts.load(Ordering::Relaxed) > 0);

        let all = (THREADS * COMMITS * ITEMS) as i64;
        let now = store.account("alice").unwrap();
        assert_eq!((now.modseq, now.next_item), (Modseq(all), ItemId(all + 1)));
        let items = store
            .items(account, Datastore::Notes, Cursor::default(), 10_000)
            .unwrap();
        assert_eq!(items.len() as i64, all);
        for thread in 0..THREADS {
            for number in 0..COMMITS {
                let body = format!("{thread} {number}");
                let is = |item: &&Item| item.body == body.as_bytes();
                assert_eq!(items.iter().filter(is).count(), ITEMS, "{body}");
            }
            let uri = format!("IMEI:{thread}");
            let device = store.device(account, &uri).unwrap().id;
            let entries = store.entry_count(account, device, Datastore::Notes);
            assert_eq!(entries.unwrap(), (COMMITS * ITEMS) as u64);
        }
    });
}

fn draft(store: &Store, account: AccountId, device: DeviceId, body: &str) -> Draft {
    let mut draft = Draft::begin(store, account, device);
    for _ in 0..ITEMS {
        let item = draft.add(Datastore::Notes, body);
        let luid = item.to_string();
        draft.entry(Datastore::Notes, seen(item, &luid, draft.0.modseq.0, 1));
    }
    draft
}

/// The command line writes beside a running server, or several nodes write to one database.
#[test]
fn several_stores_write_to_one_database() {
    on_every_database(|config| {
        let server = Store::open(config).unwrap();
        let (account, device) = account_and_device(&server);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let store = Store::open(config).unwrap();
                    let found = store.register_device(account, "IMEI:2", 1).unwrap();
                    assert_eq!(found.id.0, device.0 + 1);
                    for _ in 0..COMMITS {
                        while let Err(failure) = draft(&store, account, device, "x").commit(&store)
                        {
                            assert!(matches!(failure, StoreError::Conflict), "{failure}");
                        }
                    }
                    let notes = vec![note("y"), note("z")];
                    store.put_items(account, None, notes).unwrap();
                });
            }
        });
        let all = (3 * (COMMITS * ITEMS + 2)) as u64;
        assert_eq!(server.item_counts(account).unwrap()[3].1, all);
        assert_eq!(server.account("alice").unwrap().modseq, Modseq(all as i64));
        assert_eq!(server.devices(account).unwrap().len(), 2);
    });
}

#[test]
fn a_database_that_others_hold_is_busy() {
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(&folder);
    let (account, device) = account_and_device(&store);
    store
        .write(0, |connection| {
            Ok(connection.batch_execute("PRAGMA busy_timeout = 20")?)
        })
        .unwrap();
    let place = Place::of_url(&file_config(&folder).url).unwrap();
    let mut other = place.connect(Purpose::Write).unwrap();
    other.batch_execute("BEGIN IMMEDIATE").unwrap();
    let failure = draft(&store, account, device, "x").commit(&store);
    assert!(matches!(failure, Err(StoreError::Busy { .. })));
    other.batch_execute("ROLLBACK").unwrap();
    draft(&store, account, device, "x").commit(&store).unwrap();
    assert_eq!(store.account("alice").unwrap().modseq.0 as usize, ITEMS);
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_no_halves() {
    on_sqlite_stores(|store| {
        let (account, device) = account_and_device(store);
        let limit = |pages: u32| {
            store
                .write(0, move |connection| {
                    let pragma = format!("PRAGMA max_page_count = {pages}");
                    Ok(connection.batch_execute(&pragma)?)
                })
                .unwrap();
        };
        limit(100);
        let long = "x".repeat(3000);
        let mut whole = 0;
        let failure = loop {
            match draft(store, account, device, &long).commit(store) {
                Ok(()) => whole += 1,
                Err(failure) => break failure,
            }
        };
        assert!(matches!(failure, StoreError::Full), "{failure}");
        assert!(whole > 0);
        let check = |whole: usize| {
            let items = store
                .items(account, Datastore::Notes, Cursor::default(), 10_000)
                .unwrap();
            assert_eq!(items.len(), whole * ITEMS);
            assert!(items.iter().all(|item| item.body == long.as_bytes()));
            assert_eq!(
                store
                    .entry_count(account, device, Datastore::Notes)
                    .unwrap(),
                (whole * ITEMS) as u64
            );
            let now = store.account("alice").unwrap();
            assert_eq!(now.modseq.0 as usize, whole * ITEMS);
        };
        check(whole);
        limit(1_000_000);
        draft(store, account, device, &long).commit(store).unwrap();
        check(whole + 1);
    });
}
