//! The outbox over every kind of database.

use super::*;
use crate::content::{Digest, Format, Kind, MatchKey};
use crate::store::{
    GatewayNote, NewItem, NewNotification, NotedReceipt, Settlement, Store, Submission,
};
use crate::sync::{
    Change, Commit, Generation, PartReceipt, Round, Secret, SessionWrite, StoredSession, ViewState,
};

const LEASE: i64 = 30_000;

struct World {
    store: Store,
    account: AccountId,
    phone: DeviceId,
    other: DeviceId,
}

/// Runs a check in a new world on each kind of database.
fn on_every_store(check: impl Fn(World)) {
    crate::store::tests::on_every_store(|store| check(World::new(store.clone())));
}

impl World {
    /// An account with two phones that have synchronised contacts; both have numbers.
    fn new(store: Store) -> Self {
        let account = store
            .add_account("alice", &Secret("secret".into()))
            .unwrap()
            .id;
        let mut world = Self {
            store,
            account,
            phone: DeviceId(0),
            other: DeviceId(0),
        };
        world.phone = world.add_phone("IMEI:1", Some("+46700000001"));
        world.other = world.add_phone("IMEI:2", Some("+46700000002"));
        world.synchronised(world.phone, "1");
        world.synchronised(world.other, "1");
        world
    }

    fn add_phone(&self, uri: &str, msisdn: Option<&str>) -> DeviceId {
        let device = self.store.register_device(self.account, uri, 100).unwrap();
        self.store
            .set_device(self.account, device.id, msisdn, None)
            .unwrap();
        device.id
    }

    /// A session of the device, in which it learned everything.
    fn synchronised(&self, device: DeviceId, session: &str) {
        let account = self.store.account_by_id(self.account).unwrap();
        let commit = Commit {
            device: Some(device),
            changes: vec![Change::PutView {
                view: Datastore::Contacts,
                state: ViewState {
                    round: Round(session.parse().unwrap_or(1)),
                    confirmed: Some(Generation {
                        client_anchor: "a".into(),
                        server_anchor: "b".into(),
                        base: account.modseq,
                        filter: None,
                    }),
                    ..ViewState::default()
                },
            }],
            session: Some(SessionWrite {
                state: StoredSession {
                    session: session.into(),
                    step: 1,
                    ended: true,
                    updated: now().div_euclid(1000),
                    ..StoredSession::default()
                },
                ..session_write()
            }),
            ..self.commit()
        };
        self.store.commit(commit).unwrap();
    }

    fn commit(&self) -> Commit {
        let account = self.store.account_by_id(self.account).unwrap();
        Commit {
            account: self.account,
            device: None,
            expected: account.modseq,
            modseq: account.modseq,
            next_item: account.next_item,
            changes: Vec::new(),
            session: None,
            now: 1000,
        }
    }

    /// New contacts, from a device or the command line.
    fn change(&self, origin: Option<DeviceId>, body: &str) {
        let items = vec![NewItem {
            datastore: Datastore::Contacts,
            kind: Kind::Contact,
            format: Format::VCard30,
            body: body.into(),
            digest: Digest([body.len() as u8; 16]),
            key: MatchKey(body.len() as i64),
        }];
        self.store.put_items(self.account, origin, items).unwrap();
    }

    fn open(&self) -> Vec<Notification> {
        let all = self.store.notifications(Some(self.account), 100).unwrap();
        let open = all.into_iter().filter(|known| known.finished.is_none());
        open.collect()
    }

    fn claim(&self, node: &str, at: i64) -> Vec<Notification> {
        self.store
            .claim_notifications(node, at, at + LEASE)
            .unwrap()
    }

    fn facts(&self, notification: &Notification) -> NotificationFacts {
        self.store
            .notification_facts(notification, now(), 7)
            .unwrap()
    }

    fn push(&self) -> Notification {
        let new = NewNotification {
            account: self.account,
            device: self.phone,
            kind: NotificationKind::Push,
            wanted: vec![Datastore::Contacts],
            parameters: Some(b"parameters".to_vec()),
            asked_by: "asked for by a test".into(),
        };
        self.store.queue_notification(new).unwrap()
    }
}

fn session_write() -> SessionWrite {
    SessionWrite {
        state: StoredSession::default(),
        supersede: true,
        recording: None,
    }
}

fn settlement(notification: &Notification, state: NotificationState) -> Settlement {
    Settlement {
        id: notification.id,
        device: notification.device,
        state,
        due: now() + 1000,
        why: Some("because".into()),
        noted: true,
        tried: true,
        submission: None,
        considered: None,
        again: false,
    }
}

fn submission(parts: u8, modseq: i64) -> Submission {
    Submission {
        gateway: "kannel".into(),
        parts: (0..parts)
            .map(|part| (part, Some(format!("id-{part}"))))
            .collect(),
        cost: u32::from(parts),
        day: 7,
        told_modseq: Modseq(modseq),
        told_round: 1,
        told: vec![Datastore::Contacts],
        begun: now(),
        whole: true,
        certain: true,
        frozen: None,
    }
}

#[test]
fn a_change_marks_the_other_devices_once() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        world.change(Some(world.phone), "two!");
        let open = world.open();
        assert_eq!(open.len(), 1);
        let marked = &open[0];
        assert_eq!(
            (marked.device, marked.kind),
            (world.other, NotificationKind::Change)
        );
        assert_eq!(marked.state, NotificationState::Waiting);
        assert_eq!(world.facts(marked).changed, [Datastore::Contacts]);
        world.change(None, "three");
        assert_eq!(
            world.open().len(),
            2,
            "what the command line changes is for both"
        );
    });
}

#[test]
fn who_cannot_be_spoken_to_is_not_marked() {
    on_every_store(|world| {
        world
            .store
            .set_device(world.account, world.other, None, None)
            .unwrap();
        let never = world.add_phone("IMEI:3", Some("+46700000003"));
        world.change(Some(world.phone), "one");
        assert_eq!(
            world.open(),
            [],
            "no number, and one that never synchronised"
        );
        let channel = |device, channel: &str| {
            world
                .store
                .set_channels(world.account, device, &[channel.to_owned()])
                .unwrap();
        };
        channel(world.other, "none");
        world.change(Some(world.phone), "two!");
        assert_eq!(world.open(), []);
        channel(world.other, "emulator");
        world.change(Some(world.phone), "three");
        assert_eq!(world.open().len(), 1);
        world.store.set_connected(world.account, never, 5).unwrap();
        assert_eq!(
            world.store.reach(world.account, never).unwrap().0.connected,
            5
        );
    });
}

#[test]
fn a_lease_keeps_others_away_until_it_ends() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        let begun = now();
        let claimed = world.claim("a", begun);
        assert_eq!(claimed.len(), 1);
        assert_eq!(world.open()[0].state, NotificationState::Sending);
        assert_eq!(world.claim("b", begun + LEASE - 1), []);
        world
            .store
            .renew_notifications("a", vec![claimed[0].id], begun + 2 * LEASE)
            .unwrap();
        assert_eq!(world.claim("b", begun + 2 * LEASE - 1), []);
        assert_eq!(world.claim("b", begun + 2 * LEASE).len(), 1);
        let late = settlement(&claimed[0], NotificationState::Failed);
        let settle = |node, settlement| {
            world
                .store
                .settle_notifications(node, now(), vec![settlement])
        };
        assert_eq!(settle("a", late.clone()).unwrap(), 0, "it is no longer a's");
        assert_eq!(settle("b", late).unwrap(), 1);
        assert_eq!(world.open(), []);
        assert_eq!(world.store.next_notification_due().unwrap(), None);
    });
}

#[test]
fn what_was_sent_is_answered_by_the_sync_that_follows() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        let claimed = world.claim("a", now());
        let modseq = world.store.account_by_id(world.account).unwrap().modseq.0;
        let sent = Settlement {
            submission: Some(submission(2, modseq)),
            due: now() + 600_000,
            ..settlement(&claimed[0], NotificationState::Sent)
        };
        world
            .store
            .settle_notifications("a", now(), vec![sent])
            .unwrap();
        let open = &world.open()[0];
        assert_eq!((open.attempts, open.used), (1, 1));
        assert_eq!(open.told, [Datastore::Contacts]);
        let facts = world.facts(open);
        assert!(!facts.answered);
        assert_eq!((facts.spent_device, facts.spent_account), (2, 2));
        assert_eq!(facts.spent_gateways, [("kannel".to_owned(), 2)]);
        assert_eq!(facts.receipts.len(), 2);
        world.change(Some(world.phone), "two!");
        assert_eq!(
            world.open().len(),
            1,
            "one that is open covers what follows"
        );
        world.synchronised(world.other, "2");
        let open = &world.open()[0];
        assert!(
            open.due.unwrap() <= now(),
            "the end of a session makes it due"
        );
        assert!(world.facts(open).answered);
    });
}

#[test]
fn what_changed_after_it_was_sent_makes_another_one() {
    on_every_store(|world| {
        for newer in [false, true] {
            world.change(Some(world.phone), "one");
            let claimed = world.claim("a", now());
            let modseq = world.store.account_by_id(world.account).unwrap().modseq.0;
            let sent = Settlement {
                submission: Some(submission(1, modseq)),
                due: now(),
                ..settlement(&claimed[0], NotificationState::Sent)
            };
            world
                .store
                .settle_notifications("a", now(), vec![sent])
                .unwrap();
            if newer {
                world.change(Some(world.phone), "two!");
            }
            let claimed = world.claim("a", now());
            let over = Settlement {
                again: true,
                ..settlement(&claimed[0], NotificationState::Unanswered)
            };
            world
                .store
                .settle_notifications("a", now(), vec![over])
                .unwrap();
            assert_eq!(world.open().len(), usize::from(newer));
        }
        assert_eq!(world.facts(&world.open()[0]).ignored, 2);
    });
}

#[test]
fn receipts_find_their_part_and_the_last_word_stays() {
    on_every_store(|world| {
        let id = world.push().id;
        let claimed = world.claim("a", now());
        assert_eq!(
            world.facts(&claimed[0]).parameters.as_deref(),
            Some(&b"parameters"[..])
        );
        let sent = Settlement {
            submission: Some(submission(2, 0)),
            ..settlement(&claimed[0], NotificationState::Sent)
        };
        world
            .store
            .settle_notifications("a", now(), vec![sent])
            .unwrap();
        let note = |named, gateway_id, word| {
            world
                .store
                .note_receipt("kannel", named, gateway_id, word, "")
                .unwrap()
        };
        let noted = NotedReceipt::Noted(id);
        assert_eq!(note(Some((id, 1, 0)), None, PartReceipt::Pending), noted);
        assert_eq!(note(None, Some("id-1"), PartReceipt::Delivered), noted);
        let known = NotedReceipt::Known;
        assert_eq!(note(None, Some("id-1"), PartReceipt::Failed), known);
        assert_eq!(note(Some((id, 1, 1)), None, PartReceipt::Failed), known);
        // Nothing of these is written down, yet or at all.
        let unknown = NotedReceipt::Unknown;
        assert_eq!(note(None, Some("id-7"), PartReceipt::Failed), unknown);
        assert_eq!(note(Some((id, 9, 0)), None, PartReceipt::Failed), unknown);
        let receipts = world.facts(&world.open()[0]).receipts;
        assert_eq!(
            receipts,
            [(0, PartReceipt::Pending), (1, PartReceipt::Delivered)]
        );
        let (events, parts) = world.store.notification_history(id).unwrap();
        let words: Vec<&str> = events.iter().map(|event| &*event.what).collect();
        assert_eq!(
            words,
            [
                "asked for by a test",
                "because",
                "receipt from kannel: pending",
                "receipt from kannel: delivered"
            ]
        );
        assert_eq!(parts.len(), 2);
    });
}

#[test]
fn people_cancel_and_try_again() {
    on_every_store(|world| {
        let id = world.push().id;
        assert!(
            world.store.retry_notification(id).unwrap(),
            "it waits: at once"
        );
        let claimed = world.claim("a", now());
        assert!(
            !world.store.retry_notification(id).unwrap(),
            "it is under way"
        );
        assert!(world.store.cancel_notification(id).unwrap());
        assert!(!world.store.cancel_notification(id).unwrap());
        let late = settlement(&claimed[0], NotificationState::Sent);
        assert_eq!(
            world
                .store
                .settle_notifications("a", now(), vec![late])
                .unwrap(),
            0
        );
        assert!(world.store.retry_notification(id).unwrap());
        assert_eq!(world.claim("b", now()).len(), 1);
        let nothing = NotificationId { number: 99, ..id };
        assert!(matches!(
            world.store.cancel_notification(nothing),
            Err(StoreError::NotFound)
        ));
    });
}

#[test]
fn nothing_of_it_stays_behind() {
    on_every_store(|world| {
        world.push();
        world.change(None, "one");
        let claimed = world.claim("a", now());
        assert_eq!(claimed.len(), 3);
        let over: Vec<_> = claimed
            .iter()
            .map(|claimed| settlement(claimed, NotificationState::Failed))
            .collect();
        world.store.settle_notifications("a", now(), over).unwrap();
        assert_eq!(world.store.prune_notifications(now() - 60_000).unwrap(), 0);
        assert_eq!(world.store.prune_notifications(now() + 60_000).unwrap(), 3);
        world.push();
        world
            .store
            .forget_device(world.account, world.phone)
            .unwrap();
        assert_eq!(world.open(), []);
        world.change(None, "two!");
        world.store.remove_account(world.account).unwrap();
        assert_eq!(world.store.notifications(None, 10).unwrap(), []);
    });
}

#[test]
fn a_phone_binds_to_the_password_that_was_made_for_it() {
    on_every_store(|world| {
        let (store, account) = (&world.store, world.account);
        let password = Secret("own".into());
        let number = Some("+46700000009");
        let stand_in = store.add_stand_in(account, number, &password, 5).unwrap();
        let again = store.add_stand_in(account, number, &password, 5).unwrap();
        assert_eq!(stand_in.id, again.id, "one for a number");
        let keys = |device| {
            store
                .reader()
                .unwrap()
                .device_keys(account, device)
                .unwrap()
        };
        assert_eq!(keys(None).len(), 1);
        assert_eq!(keys(None)[0].password, password);
        store.bind_device(account, stand_in.id, "IMEI:9").unwrap();
        let bound = store.device(account, "IMEI:9").unwrap();
        assert_eq!(bound.id, stand_in.id);
        assert_eq!(keys(None), [], "nobody else may use it");
        assert_eq!(keys(Some(bound.id)).len(), 1);
        let second = store
            .add_stand_in(account, number, &Secret("new".into()), 6)
            .unwrap();
        store.bind_device(account, second.id, "IMEI:1").unwrap();
        let known = store.device(account, "IMEI:1").unwrap();
        assert_eq!((known.id, known.msisdn.as_deref()), (world.phone, number));
        assert_eq!(keys(Some(known.id))[0].password, Secret("new".into()));
        let left = store.devices(account).unwrap();
        assert!(left.iter().all(|device| device.id != second.id));
        let found = store.devices_by_number("+46700000009").unwrap();
        assert_eq!(found.len(), 2);
    });
}

#[test]
fn what_was_considered_is_not_told_again() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        let [notification] = &world.claim("n", now() + 10)[..] else {
            panic!("one device is marked");
        };
        let facts = world.facts(notification);
        let dropped = Settlement {
            considered: Some(facts.account.modseq),
            again: true,
            ..settlement(notification, NotificationState::Dropped)
        };
        world
            .store
            .settle_notifications("n", now(), vec![dropped])
            .unwrap();
        assert!(world.open().is_empty());
        world.change(Some(world.phone), "two!");
        assert_eq!(world.open().len(), 1);
    });
}

#[test]
fn news_are_what_a_device_does_not_know() {
    on_every_store(|world| {
        let news = |most| {
            world
                .store
                .news(world.account, world.other, Datastore::Contacts, most)
                .unwrap()
        };
        assert!(news(10).is_empty());
        for body in ["one", "two!", "three"] {
            world.change(Some(world.phone), body);
        }
        let found = news(10);
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|news| !news.known));
        assert_eq!(found[0].item.body, b"one"[..]);
        assert_eq!(news(1).len(), 2, "one more says that there are more");
        world.synchronised(world.other, "2");
        assert!(news(10).is_empty());
    });
}

#[test]
fn what_nodes_say_of_gateways_is_kept_for_a_while() {
    on_every_store(|world| {
        let note = |gateway: &str, node: &str, seen: i64| GatewayNote {
            gateway: gateway.into(),
            node: node.into(),
            kind: "kannel".into(),
            accepted: 7,
            seen,
            ..GatewayNote::default()
        };
        let store = &world.store;
        let (a, b) = (note("a", "1", 100), note("b", "1", 100));
        store.note_gateways(vec![b.clone(), a.clone()], 0).unwrap();
        let other = note("a", "2", 50);
        store.note_gateways(vec![other.clone()], 0).unwrap();
        assert_eq!(
            store.gateway_notes(0).unwrap(),
            [a.clone(), other, b.clone()]
        );
        assert_eq!(store.gateway_notes(60).unwrap(), [a.clone(), b.clone()]);
        let down = GatewayNote {
            open_until: Some(500),
            why: Some("the gateway cannot be reached".into()),
            seen: 200,
            ..a
        };
        store.note_gateways(vec![down.clone()], 60).unwrap();
        assert_eq!(store.gateway_notes(0).unwrap(), [down, b]);
        store.forget_gateways("1").unwrap();
        assert_eq!(store.gateway_notes(0).unwrap(), []);
    });
}

#[test]
fn what_stirs_a_notification_while_it_is_looked_at_is_not_missed() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        let first = world.claim("n", now() + 10).remove(0);
        let later = now() + 600_000;
        let settle = |state: NotificationState, submission: Option<Submission>| {
            let settlement = Settlement {
                due: later,
                submission,
                ..settlement(&first, state)
            };
            let settled = world
                .store
                .settle_notifications("n", now(), vec![settlement]);
            assert_eq!(settled.unwrap(), 1);
            world.store.next_notification_due().unwrap()
        };
        let stirred = |due: Option<i64>| due.is_some_and(|due| due < later);
        // There was no session yet when it was looked at, and there is none any more when that is written down.
        world.synchronised(world.other, "2");
        assert!(stirred(settle(NotificationState::Waiting, None)));
        world.claim("n", now() + 10);
        let sent = submission(1, 9);
        let sent = Submission {
            begun: now() + 60_000,
            ..sent
        };
        assert_eq!(settle(NotificationState::Sent, Some(sent)), Some(later));
        // A receipt comes while it is looked at for another reason.
        world.claim("n", later + 1);
        let receipt = PartReceipt::Delivered;
        world
            .store
            .note_receipt("kannel", None, Some("id-0"), receipt, "")
            .unwrap();
        assert!(stirred(settle(NotificationState::Sent, None)));
        world.claim("n", now() + 10);
        assert_eq!(settle(NotificationState::Sent, None), Some(later));
    });
}

#[test]
fn a_session_that_ends_while_it_is_looked_at_is_not_waited_for() {
    on_every_store(|world| {
        world.change(Some(world.phone), "one");
        let notification = &world.claim("n", now() + 10)[0];
        // The session was open when it was looked at, and ends before that is written down.
        world.synchronised(world.other, "2");
        let later = now() + 15_000;
        let wait = Settlement {
            due: later,
            ..settlement(notification, NotificationState::Waiting)
        };
        world
            .store
            .settle_notifications("n", now(), vec![wait.clone()])
            .unwrap();
        let due = world.store.next_notification_due().unwrap();
        assert!(due.is_some_and(|due| due < later), "{due:?}");
        let again = &world.claim("n", now() + 10)[0];
        assert_eq!(again.id, wait.id);
        world
            .store
            .settle_notifications("n", now(), vec![wait])
            .unwrap();
        assert_eq!(world.store.next_notification_due().unwrap(), Some(later));
    });
}
