//! Commits and what they leave: items, revisions, tombstones, entries, views, sessions.

use super::*;
use crate::sync::{Device, Generation, PeerQuery, ViewState};

#[test]
fn an_item_comes_back_as_it_was_written() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let id = draft.add(Datastore::Contacts, "BEGIN:VCARD\r\nN:Å;\0\r\nEND:VCARD");
        draft.commit(store).unwrap();

        let found = items(store, account, &Query::Items(vec![id, ItemId(99)]));
        let [item] = &found[..] else {
            panic!("{found:?}")
        };
        assert_eq!(item.body, "BEGIN:VCARD\r\nN:Å;\0\r\nEND:VCARD".as_bytes());
        assert_eq!(item.meta.modseq, Modseq(1));
        assert_eq!(item.meta.format, Format::VCard30);
        assert_eq!(item.meta.digest, digest("BEGIN:VCARD\r\nN:Å"));
        assert_eq!(item.meta.updated, 1000);
        assert!(!item.meta.deleted);
        let now = store.account("alice").unwrap();
        assert_eq!((now.modseq, now.next_item), (Modseq(1), ItemId(2)));
    });
}

#[test]
fn versions_and_tombstones_are_kept() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let id = draft.add(Datastore::Notes, "one");
        draft.commit(store).unwrap();
        let mut draft = Draft::begin(store, account, device);
        draft.write(id, Datastore::Notes, "two");
        draft.commit(store).unwrap();
        let mut draft = Draft::begin(store, account, device);
        draft.delete(id);
        draft.commit(store).unwrap();

        let now = &items(store, account, &Query::Items(vec![id]))[0];
        assert!(now.meta.deleted);
        assert_eq!((now.meta.modseq, &now.body[..]), (Modseq(3), &b"two"[..]));
        for (modseq, expected) in [
            (0, None),
            (1, Some(("one", false, 1))),
            (2, Some(("two", false, 2))),
            (3, Some(("two", true, 3))),
            (9, Some(("two", true, 3))),
        ] {
            let query = Query::Revisions(vec![(id, Modseq(modseq)), (ItemId(77), Modseq(9))]);
            let found = items(store, account, &query);
            let found = found.first().map(|item| {
                let body = std::str::from_utf8(&item.body).unwrap();
                (body, item.meta.deleted, item.meta.modseq.0)
            });
            assert_eq!(found, expected, "at {modseq}");
        }

        let mut draft = Draft::begin(store, account, device);
        draft.write(id, Datastore::Notes, "again");
        draft.commit(store).unwrap();
        let now = &items(store, account, &Query::Items(vec![id]))[0];
        assert!(!now.meta.deleted);
        let before = &items(store, account, &Query::Revisions(vec![(id, Modseq(3))]))[0];
        assert!(before.meta.deleted);
    });
}

#[test]
fn one_commit_can_add_change_and_delete_an_item() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let one = draft.add(Datastore::Notes, "one");
        let two = draft.add(Datastore::Notes, "two");
        draft.write(one, Datastore::Notes, "changed");
        draft.delete(two);
        draft.write(one, Datastore::Tasks, "moved");
        draft.commit(store).unwrap();
        let found = items(store, account, &Query::Items(vec![one, two]));
        assert_eq!(found[0].body, b"moved"[..]);
        assert_eq!(found[0].meta.datastore, Datastore::Tasks);
        assert!(found[1].meta.deleted);
        let versions = Query::Revisions(vec![(one, Modseq(1)), (one, Modseq(4)), (two, Modseq(3))]);
        let bodies: Vec<_> = items(store, account, &versions)
            .into_iter()
            .map(|item| item.body)
            .collect();
        assert_eq!(bodies, [&b"one"[..], b"changed", b"two"]);
    });
}

#[test]
fn a_commit_over_old_numbers_writes_nothing() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut late = Draft::begin(store, account, device);
        let item = late.add(Datastore::Contacts, "late");
        late.entry(Datastore::Contacts, seen(item, "L1", 1, 1));
        late.0.session = Some(first_session("1", 1));
        let mut quick = Draft::begin(store, account, device);
        quick.add(Datastore::Contacts, "quick");
        quick.commit(store).unwrap();

        assert!(matches!(late.commit(store), Err(StoreError::Conflict)));
        let found = known(store, account, device, by_ids(Datastore::Contacts, &[item]));
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].entry, None);
        assert_eq!(found[0].item.digest, digest("quick"));
        assert_eq!(peer(store, "IMEI:1", "1").session, None);

        // Entries alone do not rest on the counter.
        let mut draft = Draft::begin(store, account, device);
        draft.0.expected = Modseq(0);
        draft.0.modseq = Modseq(0);
        draft.entry(Datastore::Contacts, seen(item, "L1", 1, 1));
        draft.commit(store).unwrap();
        assert_eq!(store.account("alice").unwrap().modseq, Modseq(1));
    });
}

#[test]
fn numbers_that_do_not_follow_each_other_are_refused() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let refused = |spoil: &dyn Fn(&mut Draft)| {
            let mut draft = Draft::begin(store, account, device);
            draft.add(Datastore::Contacts, "a");
            spoil(&mut draft);
            assert!(matches!(draft.commit(store), Err(StoreError::Corrupt(_))));
        };
        refused(&|draft| draft.0.modseq = Modseq(0));
        refused(&|draft| draft.0.next_item = ItemId(1));
        refused(&|draft| draft.0.changes.push(draft.0.changes[0].clone()));
        let mut draft = Draft::begin(store, account, device);
        draft.0.next_item = ItemId(10);
        draft.delete(ItemId(5));
        assert!(matches!(draft.commit(store), Err(StoreError::NotFound)));
        assert_eq!(store.account("alice").unwrap().modseq, Modseq(0));
    });
}

#[test]
fn items_are_known_by_luid_id_and_key() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let contacts = Datastore::Contacts;
        let one = draft.add(contacts, "1");
        let two = draft.add(contacts, "22");
        let twin = draft.add(contacts, "2b");
        let gone = draft.add(contacts, "2c");
        let event = draft.add(Datastore::Calendar, "2e");
        draft.delete(gone);
        let luid = "L \"1\" \\ é ' 7";
        draft.entry(contacts, seen(one, luid, 1, 1));
        draft.entry(contacts, seen(gone, "7", 4, 1));
        draft.entry(Datastore::Agenda, seen(event, luid, 5, 1));
        draft.commit(store).unwrap();

        let query = |luids: &[&str], items: &[ItemId], keys: &[i64]| KnownQuery {
            view: contacts,
            luids: luids.iter().map(|luid| (*luid).to_owned()).collect(),
            items: items.to_vec(),
            keys: keys.iter().copied().map(MatchKey).collect(),
        };
        let ids = |query| -> Vec<ItemId> {
            known(store, account, device, query)
                .iter()
                .map(|known| known.item.id)
                .collect()
        };
        assert_eq!(ids(query(&[luid, "7", "absent"], &[], &[])), [one, gone]);
        assert_eq!(ids(query(&[], &[two, gone, ItemId(50)], &[])), [two, gone]);
        assert_eq!(
            ids(query(&[], &[], &[2, 2, i64::MIN, i64::MAX])),
            [two, twin]
        );
        assert_eq!(
            ids(query(&[luid], &[one, two], &[1, 2])),
            [one, two, twin],
            "each item once"
        );
        assert_eq!(ids(query(&[], &[], &[])), []);

        let found = known(store, account, device, query(&[luid], &[], &[]));
        assert_eq!(found[0].entry, Some(seen(one, luid, 1, 1)));
        let found = known(store, account, device, query(&[], &[two], &[]));
        assert_eq!(found[0].entry, None);

        let mut agenda = query(&[luid], &[], &[2]);
        agenda.view = Datastore::Agenda;
        let found = known(store, account, device, agenda);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].item.id, event);
        assert!(found[0].entry.is_some());

        let mut nobody = store.reader().unwrap();
        let answer = nobody.load(account, None, &Query::Known(query(&[luid], &[one], &[])));
        let Ok(Answer::Known(found)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].entry, None);
    });
}

#[test]
fn one_key_gives_64_items_at_most() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        for number in 100..200 {
            draft.add(Datastore::Calendar, &number.to_string());
            draft.add(Datastore::Tasks, &number.to_string());
        }
        draft.add(Datastore::Tasks, "four");
        draft.commit(store).unwrap();
        for view in [Datastore::Tasks, Datastore::Agenda] {
            let query = KnownQuery {
                view,
                luids: Vec::new(),
                items: Vec::new(),
                keys: vec![MatchKey(3), MatchKey(4)],
            };
            let found = known(store, account, device, query);
            let of_key = |key| {
                let is = |known: &&Known| known.item.key == MatchKey(key);
                found.iter().filter(is).count()
            };
            assert_eq!((of_key(3), of_key(4)), (64, 1));
        }
    });
}

#[test]
fn entries_are_replaced_dropped_and_have_their_luid_alone() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let view = Datastore::Contacts;
        let [a, b, c] = ["a", "b", "c"].map(|body| draft.add(view, body));
        draft.entry(view, sent(a, 1, 1));
        draft.entry(view, seen(b, "B", 2, 1));
        draft.entry(view, seen(c, "C", 3, 2));
        draft.commit(store).unwrap();
        let entries = || -> Vec<Option<Entry>> {
            known(store, account, device, by_ids(view, &[a, b, c]))
                .into_iter()
                .map(|known| known.entry)
                .collect()
        };
        assert_eq!(
            entries(),
            [
                Some(sent(a, 1, 1)),
                Some(seen(b, "B", 2, 1)),
                Some(seen(c, "C", 3, 2))
            ]
        );

        // The phone gave B's id to a.
        let mut draft = Draft::begin(store, account, device);
        let mut moved = seen(a, "B", 1, 2);
        moved.failures = 3;
        moved.digest = digest("a");
        draft.entry(view, moved.clone());
        draft.commit(store).unwrap();
        assert_eq!(entries(), [Some(moved), None, Some(seen(c, "C", 3, 2))]);

        let mut draft = Draft::begin(store, account, device);
        draft.entry(view, seen(b, "B2", 2, 1));
        draft.0.changes.push(Change::DropEntriesBefore {
            view,
            round: Round(2),
        });
        draft.0.changes.push(Change::DropEntry { view, item: c });
        draft.commit(store).unwrap();
        assert_eq!(
            entries().iter().map(Option::is_some).collect::<Vec<_>>(),
            [true, false, false]
        );
        assert_eq!(store.entry_count(account, device, view).unwrap(), 1);
    });
}

fn peer(store: &Store, device: &str, session: &str) -> crate::sync::Peer {
    let query = PeerQuery {
        account: Some("alice".into()),
        device: device.into(),
        session: session.into(),
        ..PeerQuery::default()
    };
    store.reader().unwrap().peer(&query).unwrap()
}

#[test]
fn what_is_known_of_a_device_is_replaced_and_what_was_set_by_hand_stays() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        store
            .set_device(account, device, Some("+46700000001"), Some("nokia-s40"))
            .unwrap();
        let change = Device {
            id: device,
            uri: "another".into(),
            nonce: vec![1],
            previous_nonce: vec![0, 2],
            notification_nonce: vec![3],
            openings: vec![7; 16],
            devinf: b"<DevInf/>".to_vec(),
            user_agent: Some("phone".into()),
            last_seen: 55,
            ..Device::default()
        };
        let mut draft = Draft::begin(store, account, device);
        draft
            .0
            .changes
            .push(Change::PutDevice(Box::new(change.clone())));
        let state = ViewState {
            round: Round(4),
            confirmed: Some(Generation {
                client_anchor: "c2".into(),
                server_anchor: "s2".into(),
                base: Modseq(9),
                filter: Some("some filter".into()),
            }),
            previous: None,
            sending_since: Modseq(8),
            unsettled: Round(0),
            pending: true,
        };
        for view in [Datastore::Agenda, Datastore::Notes] {
            draft.0.changes.push(Change::PutView {
                view,
                state: state.clone(),
            });
        }
        draft.commit(store).unwrap();
        let both = ViewState {
            previous: Some(Generation {
                client_anchor: String::new(),
                server_anchor: "s1".into(),
                base: Modseq(0),
                filter: None,
            }),
            ..state.clone()
        };
        let mut draft = Draft::begin(store, account, device);
        draft.0.changes.push(Change::PutView {
            view: Datastore::Agenda,
            state: both.clone(),
        });
        draft.commit(store).unwrap();

        let found = peer(store, "IMEI:1", "none");
        assert_eq!(
            found.device,
            Some(Device {
                uri: "IMEI:1".into(),
                msisdn: Some("+46700000001".into()),
                profile: Some("nokia-s40".into()),
                created: 100,
                ..change
            })
        );
        let views = vec![(Datastore::Notes, state), (Datastore::Agenda, both)];
        assert_eq!(found.views, views);
        assert_eq!(store.views(account, device).unwrap(), views);
        assert_eq!(found.session, None);
    });
}

#[test]
fn a_session_steps_once() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let step = |write: SessionWrite| {
            let mut draft = Draft::begin(store, account, device);
            draft.0.session = Some(write);
            draft.commit(store)
        };
        let stored = || {
            let found = peer(store, "IMEI:1", "1").session.unwrap();
            assert_eq!(found.reply, b"", "it is read where it is asked for");
            let mut reader = store.reader().unwrap();
            let reply = reader.last_reply(account, device, "1").unwrap();
            StoredSession { reply, ..found }
        };
        let first = first_session("1", 1);
        step(first.clone()).unwrap();
        assert_eq!(stored(), first.state);
        assert!(matches!(step(first), Err(StoreError::Conflict)));

        let mut second = first_session("1", 2);
        second.supersede = false;
        second.state.step = 2;
        second.state.ended = true;
        step(second.clone()).unwrap();
        assert!(matches!(step(second.clone()), Err(StoreError::Conflict)));
        assert_eq!(stored(), second.state);

        // The last message again is no new session, another first message under the same SessionID is.
        assert!(matches!(
            step(first_session("1", 2)),
            Err(StoreError::Conflict)
        ));
        step(first_session("1", 3)).unwrap();

        // Another session ends it.
        step(first_session("2", 4)).unwrap();
        assert_eq!(peer(store, "IMEI:1", "1").session, None);
        assert!(peer(store, "IMEI:1", "2").session.is_some());
        second.state.step = 2;
        assert!(matches!(step(second), Err(StoreError::Conflict)));
    });
}

#[test]
fn the_sender_is_found_by_name_id_or_device() {
    on_every_store(|store| {
        let (alice, device) = account_and_device(store);
        let bob = account(store, "bob");
        let find = |name: Option<&str>, id: Option<AccountId>, device: &str, session: &str| {
            let query = PeerQuery {
                account: name.map(str::to_owned),
                account_id: id,
                device: device.into(),
                session: session.into(),
            };
            let peer = store.reader().unwrap().peer(&query).unwrap();
            (peer.account.map(|found| found.id), peer.device.is_some())
        };
        assert_eq!(
            find(Some("alice"), None, "IMEI:1", "1"),
            (Some(alice), true)
        );
        assert_eq!(find(Some("bob"), None, "IMEI:1", "1"), (Some(bob), false));
        assert_eq!(find(Some("Alice"), None, "IMEI:1", "1"), (None, false));
        assert_eq!(find(None, Some(bob), "IMEI:1", "1"), (Some(bob), false));
        assert_eq!(
            find(None, Some(AccountId(99)), "IMEI:2", "1"),
            (None, false)
        );
        assert_eq!(find(None, None, "IMEI:1", "1"), (Some(alice), true));
        assert_eq!(find(None, None, "IMEI:2", "1"), (None, false));

        // Two accounts with the same device: the open session tells.
        let second = store.register_device(bob, "IMEI:1", 5).unwrap().id;
        assert_eq!(find(None, None, "IMEI:1", "1"), (None, false));
        let mut draft = Draft::begin(store, bob, second);
        draft.0.session = Some(first_session("9", 1));
        draft.commit(store).unwrap();
        assert_eq!(find(None, None, "IMEI:1", "9"), (Some(bob), true));
        let mut draft = Draft::begin(store, alice, device);
        draft.0.session = Some(first_session("9", 1));
        draft.commit(store).unwrap();
        assert_eq!(find(None, None, "IMEI:1", "9"), (None, false));
    });
}

#[test]
fn a_reader_sees_one_state() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let query = Query::Count(changes(Datastore::Contacts, 1, 0));
        let mut reader = store.reader().unwrap();
        let mut load = || reader.load(account, Some(device), &query).unwrap();
        assert_eq!(load(), Answer::Count(0));
        let mut draft = Draft::begin(store, account, device);
        draft.add(Datastore::Contacts, "new");
        draft.commit(store).unwrap();
        assert_eq!(load(), Answer::Count(0));
        drop(reader);
        assert_eq!(
            count(store, account, device, changes(Datastore::Contacts, 1, 0)),
            1
        );
    });
}

#[test]
fn a_view_says_whether_something_is_on_its_way() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let unsettled = || {
            let query = PeerQuery {
                account: Some("alice".into()),
                device: "IMEI:1".into(),
                ..PeerQuery::default()
            };
            let views = store.reader().unwrap().peer(&query).unwrap().views;
            views.first().map(|(_, state)| state.unsettled)
        };
        let mut draft = Draft::begin(store, account, device);
        let item = draft.add(Datastore::Contacts, "body");
        draft.0.changes.push(Change::PutView {
            view: Datastore::Contacts,
            state: ViewState::default(),
        });
        draft.commit(store).unwrap();
        let put = |entry: Entry| {
            let mut draft = Draft::begin(store, account, device);
            draft.entry(Datastore::Contacts, entry);
            draft.commit(store).unwrap();
        };
        let settle = |round: i64| {
            let mut draft = Draft::begin(store, account, device);
            draft.0.changes.push(Change::Settle {
                view: Datastore::Contacts,
                round: Round(round),
            });
            draft.commit(store).unwrap();
        };
        settle(9);
        assert_eq!(unsettled(), Some(Round(0)));
        put(sent(item, 1, 4));
        assert_eq!(unsettled(), Some(Round(4)));
        put(sent(item, 1, 6));
        assert_eq!(unsettled(), Some(Round(4)), "the first of them counts");
        put(sent(item, 1, 3));
        assert_eq!(unsettled(), Some(Round(3)));
        settle(2);
        assert_eq!(unsettled(), Some(Round(3)), "round 3 is not over");
        settle(6);
        assert_eq!(unsettled(), Some(Round(0)));
        put(seen(item, "1", 1, 6));
        assert_eq!(unsettled(), Some(Round(0)));
    });
}
