//! Accounts, devices, import and export, secrets.

use super::super::NewItem;
use super::*;
use crate::content::Kind;
use crate::secret::SecretError;
use crate::sync::{Device, PeerQuery, ViewState};

pub(super) fn note(body: &str) -> NewItem {
    NewItem {
        datastore: Datastore::Notes,
        kind: Kind::Note,
        format: Format::PlainText,
        body: body.into(),
        digest: digest(body),
        key: MatchKey(body.len() as i64),
    }
}

#[test]
fn accounts_are_added_listed_changed_and_found() {
    on_every_store(|store| {
        let secret = Secret("pässword".into());
        let bob = store.add_account("bob", &secret).unwrap();
        assert_eq!((bob.modseq, bob.next_item), (Modseq(0), ItemId(1)));
        account(store, "Bob");
        account(store, "al");
        assert!(matches!(
            store.add_account("bob", &secret),
            Err(StoreError::Exists)
        ));
        let names: Vec<String> = store
            .accounts()
            .unwrap()
            .into_iter()
            .map(|account| account.name)
            .collect();
        assert_eq!(names, ["Bob", "al", "bob"]);
        assert_eq!(store.account("bob").unwrap(), bob);
        assert!(matches!(store.account("none"), Err(StoreError::NotFound)));

        store.set_password(bob.id, &Secret("new".into())).unwrap();
        assert_eq!(store.account("bob").unwrap().password.0, "new");
        assert!(!format!("{:?}", store.account("bob")).contains("new"));
        assert!(matches!(
            store.set_password(AccountId(99), &secret),
            Err(StoreError::NotFound)
        ));
    });
}

#[test]
fn a_removed_account_leaves_nothing_and_its_id_is_not_used_again() {
    on_every_store(|store| {
        let (alice, device) = account_and_device(store);
        let bob = account(store, "bob");
        store.put_items(bob, None, vec![note("of bob")]).unwrap();
        // More than one step of a removal takes.
        let notes = (0..4500).map(|number| note(&number.to_string())).collect();
        let ids = store.put_items(alice, Some(device), notes).unwrap();
        let mut draft = Draft::begin(store, alice, device);
        for id in &ids {
            draft.entry(Datastore::Notes, seen(*id, &id.to_string(), 1, 1));
        }
        draft.write(ids[0], Datastore::Notes, "changed");
        draft.0.session = Some(first_session("1", 1));
        draft.0.changes.push(Change::PutView {
            view: Datastore::Notes,
            state: ViewState::default(),
        });
        draft.commit(store).unwrap();

        store.remove_account(alice).unwrap();
        assert!(matches!(store.account("alice"), Err(StoreError::NotFound)));
        assert!(matches!(
            store.remove_account(alice),
            Err(StoreError::NotFound)
        ));
        let mut late = Draft::begin(store, bob, device);
        late.0.account = alice;
        assert!(matches!(late.commit(store), Err(StoreError::NotFound)));
        assert_eq!(rows_of(store, alice), 0);
        assert!(rows_of(store, bob) > 0);
        assert_eq!(
            store.item_counts(bob).unwrap()[3],
            (Datastore::Notes, 1),
            "others keep theirs"
        );

        let again = account(store, "alice");
        assert!(again.0 > bob.0.max(alice.0));
    });
}

/// How many rows the tables hold for an account.
fn rows_of(store: &Store, account: AccountId) -> i64 {
    use diesel::sql_types::BigInt;
    use diesel::{QueryableByName, RunQueryDsl};
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let tables = [
        "device", "folder", "item", "revision", "entry", "\"view\"", "session",
    ];
    let counts =
        tables.map(|table| format!("(SELECT count(*) FROM {table} WHERE account = {account})"));
    let text = format!("SELECT {} AS count", counts.join(" + "));
    store
        .write(0, move |connection| {
            let row: Count = diesel::sql_query(&text).get_result(connection)?;
            Ok(row.count)
        })
        .unwrap()
}

#[test]
fn devices_are_added_registered_set_and_forgotten() {
    on_every_store(|store| {
        let alice = account(store, "alice");
        let bob = account(store, "bob");
        let by_hand = Device {
            uri: "IMEI:1".into(),
            msisdn: Some("+4670".into()),
            ..Device::default()
        };
        let added = store.add_device(alice, by_hand.clone()).unwrap();
        assert_eq!(added.id, DeviceId(1));
        assert!(matches!(
            store.add_device(alice, by_hand.clone()),
            Err(StoreError::Exists)
        ));
        assert!(matches!(
            store.add_device(AccountId(99), by_hand),
            Err(StoreError::NotFound)
        ));
        // The first message binds to it.
        assert_eq!(store.register_device(alice, "IMEI:1", 7).unwrap(), added);
        let other = store.register_device(alice, "IMEI:2", 7).unwrap();
        assert_eq!((other.id, other.created), (DeviceId(2), 7));
        assert_eq!(
            store.devices(alice).unwrap(),
            [added.clone(), other.clone()]
        );
        assert_eq!(store.devices(bob).unwrap(), []);

        store.set_device(alice, other.id, Some("+1"), None).unwrap();
        assert_eq!(
            store.device(alice, "IMEI:2").unwrap().msisdn,
            Some("+1".into())
        );
        assert!(matches!(
            store.set_device(bob, other.id, None, None),
            Err(StoreError::NotFound)
        ));

        let items = store.put_items(alice, None, vec![note("stays")]).unwrap();
        let mut draft = Draft::begin(store, alice, other.id);
        draft.entry(Datastore::Notes, seen(items[0], "1", 1, 1));
        draft.0.session = Some(first_session("1", 1));
        draft.0.changes.push(Change::PutView {
            view: Datastore::Notes,
            state: ViewState::default(),
        });
        draft.commit(store).unwrap();
        store.forget_device(alice, other.id).unwrap();
        assert!(matches!(
            store.forget_device(alice, other.id),
            Err(StoreError::NotFound)
        ));
        assert_eq!(store.devices(alice).unwrap(), [added]);
        assert_eq!(store.item_counts(alice).unwrap()[3].1, 1);

        let again = store.register_device(alice, "IMEI:2", 9).unwrap();
        assert_eq!(again.id, DeviceId(3), "ids are not used again");
        assert_eq!(store.views(alice, again.id).unwrap(), []);
        assert_eq!(
            store
                .entry_count(alice, again.id, Datastore::Notes)
                .unwrap(),
            0
        );
        let query = PeerQuery {
            account: Some("alice".into()),
            device: "IMEI:2".into(),
            session: "1".into(),
            ..PeerQuery::default()
        };
        assert_eq!(store.reader().unwrap().peer(&query).unwrap().session, None);
    });
}

#[test]
fn import_and_export() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        draft.add(Datastore::Contacts, "a contact");
        draft.commit(store).unwrap();
        let bodies: Vec<String> = (0..600).map(|number| format!("note {number}")).collect();
        let notes = bodies.iter().map(|body| note(body)).collect();
        let ids = store.put_items(account, None, notes).unwrap();
        assert_eq!(ids.len(), 600);
        assert_eq!(ids[0], ItemId(2));
        let counts = store.item_counts(account).unwrap();
        assert_eq!(counts[0], (Datastore::Contacts, 1));
        assert_eq!(counts[3], (Datastore::Notes, 600));
        assert_eq!(counts.len(), 5);

        let deleted = store
            .delete_items(account, None, &[ids[5], ids[5], ids[1], ItemId(9999)])
            .unwrap();
        assert_eq!(deleted, 2);
        assert_eq!(store.delete_items(account, None, &ids[5..6]).unwrap(), 0);

        let mut exported = Vec::new();
        let mut after = Cursor::default();
        let mut reader = store.reader().unwrap();
        loop {
            let page = reader.items(account, Datastore::Notes, after, 77).unwrap();
            let Some(last) = page.last() else { break };
            after = Cursor {
                modseq: last.meta.modseq,
                item: last.meta.id,
            };
            // What is changed meanwhile is not seen by this reader.
            let mut draft = Draft::begin(store, account, device);
            draft.write(last.meta.id, Datastore::Notes, "changed");
            draft.commit(store).unwrap();
            exported.extend(page.into_iter().map(|item| item.body));
        }
        let mut expected: Vec<&[u8]> = bodies.iter().map(|body| body.as_bytes()).collect();
        expected.remove(5);
        expected.remove(1);
        assert_eq!(exported, expected);
        assert_eq!(
            store
                .items(account, Datastore::Notes, Cursor::default(), 3)
                .unwrap()
                .len(),
            3
        );

        let keys = [MatchKey(6), MatchKey(1000)];
        let found = store.matching(account, Datastore::Notes, &keys).unwrap();
        let mut found: Vec<ItemId> = found.iter().map(|meta| meta.id).collect();
        found.sort();
        let expected = [0, 2, 3, 4, 6, 7, 8, 9].map(|index| ids[index]);
        assert_eq!(found, expected);

        let mut wrong = note("x");
        wrong.datastore = Datastore::Contacts;
        assert!(store.put_items(account, None, vec![wrong]).is_err());
        assert!(matches!(
            store.put_items(AccountId(99), None, vec![note("x")]),
            Err(StoreError::NotFound)
        ));
    });
}

#[test]
fn passwords_open_with_their_key_file_only() {
    let folder = tempfile::tempdir().unwrap();
    let config = file_config(&folder);
    let store = Store::open(&config).unwrap();
    let secret = Secret("a password of mine".into());
    store.add_account("alice", &secret).unwrap();
    drop(store);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let octets = std::fs::read(file.unwrap().path()).unwrap();
        let mut windows = octets.windows(secret.0.len());
        assert!(!windows.any(|window| window == secret.0.as_bytes()));
    }
    let store = Store::open(&config).unwrap();
    assert_eq!(store.account("alice").unwrap().password, secret);
    drop(store);

    let key = folder.path().join("candybar.key");
    let aside = folder.path().join("aside.key");
    std::fs::rename(&key, &aside).unwrap();
    let error = |config: &StoreConfig| match Store::open(config) {
        Err(StoreError::Secret(error)) => error,
        other => panic!("{other:?}"),
    };
    assert!(matches!(*error(&config), SecretError::Missing(_)));
    assert!(!key.exists(), "no new key where passwords need the old one");
    crate::secret::KeyFile::read_or_make(&key).unwrap();
    assert!(matches!(*error(&config), SecretError::WrongKey));
    let elsewhere = StoreConfig {
        key: Some(aside),
        ..config
    };
    let store = Store::open(&elsewhere).unwrap();
    assert_eq!(store.account("alice").unwrap().password, secret);
}

#[cfg(unix)]
#[test]
fn a_new_database_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let store = file_store(&folder);
    account(&store, "alice");
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(
        names,
        ["candybar.key", "test.db", "test.db-shm", "test.db-wal"]
    );
}
