//! Mail in the outbox of a phone: it is queued with the transaction that puts it there, and filed when it was sent.

use super::*;
use crate::content::email::{Folder, FolderRole, Mail};
use crate::store::SubmissionState;

fn written(draft: &mut Draft, format: Format, body: Vec<u8>, parent: ItemId) -> ItemId {
    let id = draft.add(Datastore::Mail, "");
    let Some(Change::PutItem(write)) = draft.0.changes.last_mut() else {
        panic!("an item was added");
    };
    write.meta.format = format;
    write.meta.parent = parent;
    write.body = body;
    id
}

fn folder(draft: &mut Draft, role: FolderRole) -> ItemId {
    let body = Folder::new(role.name(), Some(role)).write();
    written(draft, Format::Folder, body, ItemId(0))
}

fn mail(draft: &mut Draft, parent: ItemId) -> ItemId {
    let mail = Mail {
        message: b"To: bob@example.net\r\n\r\nx".to_vec(),
        draft: true,
        ..Mail::default()
    };
    written(draft, Format::Mail, mail.write(), parent)
}

fn item(store: &Store, account: AccountId, id: ItemId) -> Item {
    let mut reader = store.reader().unwrap();
    match reader.load(account, None, &Query::Items(vec![id])) {
        Ok(Answer::Items(items)) => items.into_iter().next().expect("the item"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_phone_puts_into_its_outbox_is_queued_and_then_filed() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let [outbox, sent, drafts] = [FolderRole::Outbox, FolderRole::Sent, FolderRole::Drafts]
            .map(|role| folder(&mut draft, role));
        let (letter, unfinished) = (mail(&mut draft, outbox), mail(&mut draft, drafts));
        draft.commit(store).unwrap();
        let queued = store.queued_mail(account, letter).unwrap().expect("queued");
        assert_eq!(queued.state, SubmissionState::Waiting);
        assert_eq!(store.queued_mail(account, unfinished).unwrap(), None);
        // A draft that moves there is to be sent as well; what the server puts there is not.
        let mut draft = Draft::begin(store, account, device);
        draft.0.modseq = draft.0.modseq.next();
        draft.0.changes.push(Change::MoveItem {
            item: unfinished,
            parent: outbox,
            modseq: draft.0.modseq,
            origin: Some(device),
        });
        draft.commit(store).unwrap();
        assert!(store.queued_mail(account, unfinished).unwrap().is_some());
        // Each is claimed once.
        let due = store.next_mail_due().unwrap().expect("due");
        let claimed = store.claim_mail("a", due, due + 1_000).unwrap();
        assert_eq!(claimed.len(), 2);
        assert!(
            store
                .claim_mail("b", due + 999, due + 2_000)
                .unwrap()
                .is_empty()
        );
        assert!(store.renew_mail("a", &claimed[0], due + 3_000).unwrap());
        assert!(!store.renew_mail("b", &claimed[0], due + 3_000).unwrap());
        let body = store
            .mail_to_send(account, letter)
            .unwrap()
            .expect("the mail");
        assert!(Mail::read(&body).unwrap().draft);
        let message = b"From: ann@example.org\r\n\r\nx".to_vec();
        for _ in 0..2 {
            store
                .file_sent(account, letter, message.clone(), 2_000)
                .unwrap();
        }
        let filed = item(store, account, letter);
        assert_eq!(filed.meta.parent, sent);
        let filed = Mail::read(&filed.body).unwrap();
        assert!(filed.read && !filed.draft && filed.message == message);
        assert_eq!(filed.received, Some(2_000));
    });
}
