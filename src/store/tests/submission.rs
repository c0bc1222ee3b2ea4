//! Mail in the outbox of a phone: it is queued with the transaction that puts it there.

use super::*;
use crate::content::email::Mail;
use crate::store::{Keep, SubmissionState};
use crate::sync::{Asked, MailboxKind, MirrorChange, MirrorFolder, MirrorMessage};

fn mail(draft: &mut Draft) -> ItemId {
    let id = draft.add(Datastore::Mail, "");
    let Some(Change::PutItem(write)) = draft.0.changes.last_mut() else {
        panic!("an item was added");
    };
    write.meta.format = Format::Mail;
    write.body = Mail {
        message: b"To: bob@example.net\r\n\r\nx".to_vec(),
        ..Mail::default()
    }
    .write()
    .into();
    id
}

#[test]
fn what_a_phone_puts_into_its_outbox_is_queued_once_with_its_commit() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let (letter, unfinished) = (mail(&mut draft), mail(&mut draft));
        draft.0.changes.push(Change::SubmitMail { item: letter });
        draft.commit(store).unwrap();
        let queued = store.queued_mail(account, letter).unwrap().expect("queued");
        assert_eq!(queued.state, SubmissionState::Waiting);
        assert_eq!(queued.created, 1_000_000);
        assert_eq!(store.queued_mail(account, unfinished).unwrap(), None);
        // What is queued already stays as it is.
        for item in [letter, unfinished] {
            let mut draft = Draft::begin(store, account, device);
            draft.0.now = 2_000;
            draft.0.changes.push(Change::SubmitMail { item });
            draft.commit(store).unwrap();
        }
        assert_eq!(store.queued_mail(account, letter).unwrap(), Some(queued));
        // A commit that fails queues nothing.
        let mut late = Draft::begin(store, account, device);
        let lost = mail(&mut late);
        late.0.changes.push(Change::SubmitMail { item: lost });
        let mut quick = Draft::begin(store, account, device);
        quick.add(Datastore::Notes, "quick");
        quick.commit(store).unwrap();
        assert!(matches!(late.commit(store), Err(StoreError::Conflict)));
        assert_eq!(store.queued_mail(account, lost).unwrap(), None);
        // Each is claimed once.
        let due = store.next_mail_due().unwrap().expect("due");
        let claimed = store.claim_mail("a", 2_000_000, due + 9_000_000).unwrap();
        assert_eq!(claimed.len(), 2);
        let none = store.claim_mail("b", due + 8_999_999, due + 9_000_000);
        assert!(none.unwrap().is_empty());
        let until = due + 10_000_000;
        assert!(store.renew_mail("a", &claimed[0], until).unwrap());
        assert!(!store.renew_mail("b", &claimed[0], until).unwrap());
    });
}

#[test]
fn the_queue_is_listed_and_changed_by_its_operator() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let (first, second) = (mail(&mut draft), mail(&mut draft));
        for item in [first, second] {
            draft.0.changes.push(Change::SubmitMail { item });
        }
        draft.commit(store).unwrap();
        let list = || -> Vec<(ItemId, SubmissionState)> {
            let found = store.queued_mails(account, 9).unwrap();
            found
                .into_iter()
                .map(|mail| (mail.item, mail.state))
                .collect()
        };
        let claimed = store.claim_mail("n", 1_000_000, 2_000_000).unwrap();
        let mut done = claimed.into_iter().find(|mail| mail.item == first).unwrap();
        done.state = SubmissionState::Finished;
        store
            .settle_mail("n", &done, None, false, 1_500_000)
            .unwrap();
        let expected = [
            (second, SubmissionState::Waiting),
            (first, SubmissionState::Finished),
        ];
        assert_eq!(list(), expected);
        assert_eq!(store.queued_mails(account, 1).unwrap().len(), 1);
        let again = |item: ItemId, now: i64| {
            store.change_mail(account, item, now, |mail| {
                mail.state = SubmissionState::Waiting;
                true
            })
        };
        // A node has the second one until its lease ends.
        let (held, changed) = again(second, 1_999_999).unwrap();
        assert!(!changed && held.held);
        assert!(again(second, 2_000_000).unwrap().1);
        let (waiting, changed) = again(first, 3_000_000).unwrap();
        assert!(changed && !waiting.held);
        assert_eq!((waiting.due, waiting.finished), (Some(3_000_000), None));
        assert_eq!(waiting.created, 3_000_000);
        let left = store
            .change_mail(account, first, 4_000_000, |_| false)
            .unwrap();
        assert_eq!(left, (waiting, false));
        assert!(matches!(again(ItemId(99), 1), Err(StoreError::NotFound)));
    });
}

#[test]
fn who_asks_for_the_rest_of_a_mail_is_known_until_he_has_it() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let asked = |device| {
            let mut reader = store.reader().unwrap();
            match reader.load(account, Some(device), &Query::Asked) {
                Ok(Answer::Asked(asked)) => asked,
                other => panic!("{other:?}"),
            }
        };
        let mut draft = Draft::begin(store, account, device);
        let (here, there) = (mail(&mut draft), mail(&mut draft));
        draft.commit(store).unwrap();
        let mailbox = store
            .add_mailbox(account, MailboxKind::Imap, "i@x", &Secret("{}".into()))
            .unwrap()
            .id;
        let now = chrono::Utc::now().timestamp_millis() + 1_000;
        store.claim_mailboxes("n", now, now + 60_000).unwrap();
        let row = MirrorMessage {
            folder: 1,
            uid: 7,
            item: there,
            flags: 0,
            received: 0,
            uidl: None,
            wanted: false,
        };
        let folder = MirrorFolder {
            id: 1,
            name: "INBOX".into(),
            folder: ItemId(0),
            uid_validity: 1,
            uid_next: 8,
            modseq: 0,
        };
        let books = vec![
            MirrorChange::PutFolder(folder),
            MirrorChange::PutMessage(row),
        ];
        let empty = Draft::begin(store, account, device).0;
        store.mirror("n", mailbox, empty, books).unwrap();
        let mut draft = Draft::begin(store, account, device);
        for item in [here, there] {
            let asked = Asked { item, whole: true };
            draft.0.changes.push(Change::AskForRest(asked));
        }
        draft.commit(store).unwrap();
        // Of one of them there is no more anywhere.
        let expected = Asked {
            item: there,
            whole: true,
        };
        assert_eq!(asked(device), [expected]);
        let wanted = store.wanted_messages(mailbox).unwrap();
        assert_eq!(
            wanted.iter().map(|row| row.item).collect::<Vec<_>>(),
            [there]
        );
        assert_eq!(store.stirred_mailboxes("n").unwrap(), [mailbox]);
        let other = store.register_device(account, "IMEI:2", 100).unwrap().id;
        assert!(asked(other).is_empty());
        let mut draft = Draft::begin(store, account, device);
        draft.0.changes.push(Change::GotRest { item: there });
        draft.commit(store).unwrap();
        assert!(asked(device).is_empty());
        // What is gone is not asked for any more; who is gone asks for nothing.
        let mut draft = Draft::begin(store, account, device);
        draft.0.changes.push(Change::AskForRest(expected));
        draft.delete(there);
        draft.commit(store).unwrap();
        assert_eq!(asked(device), [expected]);
        store
            .prune(&Keep {
                recording_days: 9,
                recordings: 9,
                revision_days: 9,
                tombstone_days: 9,
                session_days: 9,
            })
            .unwrap();
        assert!(asked(device).is_empty());
        store.forget_device(account, device).unwrap();
        store.remove_account(account).unwrap();
    });
}
