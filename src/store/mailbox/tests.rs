use super::*;
use crate::store::tests::on_every_store;
use crate::sync::{Commit, ItemId, MirrorChange, MirrorFolder, MirrorMessage};

fn settings() -> Secret {
    Secret("{}".into())
}

fn folder(validity: i64) -> MirrorChange {
    MirrorChange::PutFolder(MirrorFolder {
        id: 1,
        name: "INBOX".into(),
        folder: ItemId(0),
        uid_validity: validity,
        uid_next: 1,
        modseq: 0,
    })
}

fn empty(store: &Store, id: MailboxId) -> Commit {
    let account = store.account_by_id(id.account).unwrap();
    Commit {
        account: account.id,
        device: None,
        expected: account.modseq,
        modseq: account.modseq,
        next_item: account.next_item,
        changes: Vec::new(),
        session: None,
        now: 0,
    }
}

#[test]
fn an_address_has_one_local_mailbox_and_settings_come_back() {
    on_every_store(|store| {
        let alice = store.add_account("alice", &settings()).unwrap().id;
        let bob = store.add_account("bob", &settings()).unwrap().id;
        let secret = Secret("{\"a\":1}".into());
        let added = store
            .add_mailbox(alice, MailboxKind::Local, "A@Example.org", &secret)
            .unwrap();
        assert_eq!(added.settings, secret);
        let found = store.local_mailbox("a@EXAMPLE.org").unwrap().unwrap();
        assert_eq!(found, added);
        let again = store.add_mailbox(bob, MailboxKind::Local, "a@example.org", &settings());
        assert!(matches!(again, Err(StoreError::Exists)));
        // At a server, two accounts may share one.
        store
            .add_mailbox(bob, MailboxKind::Imap, "a@example.org", &settings())
            .unwrap();
        store.remove_account(alice).unwrap();
        assert_eq!(store.local_mailbox("a@example.org").unwrap(), None);
        assert_eq!(store.mailboxes(bob).unwrap().len(), 1);
    });
}

#[test]
fn a_mailbox_is_watched_by_one_node_and_comes_back_when_that_dies() {
    on_every_store(|store| {
        let alice = store.add_account("alice", &settings()).unwrap().id;
        let local = store
            .add_mailbox(alice, MailboxKind::Local, "l@x", &settings())
            .unwrap();
        let id = store
            .add_mailbox(alice, MailboxKind::Imap, "i@x", &settings())
            .unwrap()
            .id;
        let later = now() + 1_000;
        let claimed = store.claim_mailboxes("one", later, later + 500).unwrap();
        assert_eq!(
            claimed.iter().map(|found| found.id).collect::<Vec<_>>(),
            [id]
        );
        assert_ne!(local.id, id);
        assert!(
            store
                .claim_mailboxes("two", later + 499, later + 900)
                .unwrap()
                .is_empty()
        );
        assert_eq!(store.renew_mailboxes("one", later + 700).unwrap(), [id]);
        assert_eq!(
            store
                .claim_mailboxes("two", later + 700, later + 1_900)
                .unwrap()
                .len(),
            1
        );
        assert!(
            store
                .renew_mailboxes("one", later + 2_000)
                .unwrap()
                .is_empty()
        );
        // What the first one writes now is refused.
        let late = store.mirror("one", id, empty(store, id), vec![folder(1)]);
        assert!(matches!(late, Err(StoreError::NotFound)));
        store
            .mirror("two", id, empty(store, id), vec![folder(2)])
            .unwrap();
        assert_eq!(store.mirror_folders(id).unwrap()[0].uid_validity, 2);
        let outcome = WatchOutcome {
            state: MailboxState::Down,
            why: Some("lost".into()),
            due: later + 5_000,
            failures: 3,
            told: false,
        };
        store
            .settle_mailbox("one", id, later, outcome.clone())
            .unwrap();
        assert_eq!(store.mailbox(id).unwrap().failures, 0);
        store.settle_mailbox("two", id, later, outcome).unwrap();
        let settled = store.mailbox(id).unwrap();
        assert_eq!((settled.failures, settled.state), (3, MailboxState::Down));
        assert_eq!(settled.why.as_deref(), Some("lost"));
        assert!(
            store
                .claim_mailboxes("three", later + 4_999, later + 9_000)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            store
                .claim_mailboxes("three", later + 5_000, later + 9_000)
                .unwrap()
                .len(),
            1
        );
    });
}

#[test]
fn books_are_kept_by_folder_and_found_by_item() {
    on_every_store(|store| {
        let alice = store.add_account("alice", &settings()).unwrap().id;
        let id = store
            .add_mailbox(alice, MailboxKind::Imap, "i@x", &settings())
            .unwrap()
            .id;
        store.claim_mailboxes("n", now(), now() + 9_000).unwrap();
        let row = |uid: i64| MirrorMessage {
            folder: 1,
            uid,
            item: ItemId(uid * 10),
            flags: 5,
            received: 7,
            uidl: None,
            wanted: false,
        };
        let changes = vec![
            folder(1),
            MirrorChange::PutMessage(row(1)),
            MirrorChange::PutMessage(row(2)),
            MirrorChange::PutMessage(MirrorMessage { flags: 1, ..row(2) }),
            MirrorChange::DropMessage { folder: 1, uid: 1 },
            MirrorChange::Carried(Modseq(4)),
        ];
        store.mirror("n", id, empty(store, id), changes).unwrap();
        let kept = MirrorMessage { flags: 1, ..row(2) };
        assert_eq!(store.mirror_messages(id, 1).unwrap(), vec![kept.clone()]);
        assert_eq!(
            store.mirror_of(alice, ItemId(20)).unwrap(),
            Some((id, kept))
        );
        assert_eq!(store.mirror_of(alice, ItemId(10)).unwrap(), None);
        assert_eq!(store.mailbox(id).unwrap().carried, Modseq(4));
        assert!(store.wanted_messages(id).unwrap().is_empty());
        let wanted = MirrorMessage {
            wanted: true,
            ..row(2)
        };
        let changes = vec![MirrorChange::PutMessage(wanted.clone())];
        store.mirror("n", id, empty(store, id), changes).unwrap();
        assert_eq!(store.wanted_messages(id).unwrap(), [wanted]);
        assert_eq!(store.stirred_mailboxes("n").unwrap(), [id]);
        assert!(store.stirred_mailboxes("other").unwrap().is_empty());
    });
}
