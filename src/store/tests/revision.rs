//! What is kept of older versions of mail: a mark or a move costs no copy of it.

use super::super::revision;
use super::*;
use crate::content::email::Mail;

fn write(
    store: &Store,
    account: AccountId,
    device: DeviceId,
    id: Option<ItemId>,
    mail: &Mail,
) -> ItemId {
    let mut draft = Draft::begin(store, account, device);
    let id = match id {
        Some(id) => {
            draft.write(id, Datastore::Mail, "");
            id
        }
        None => draft.add(Datastore::Mail, ""),
    };
    let Some(Change::PutItem(write)) = draft.0.changes.last_mut() else {
        panic!("a write");
    };
    write.meta.format = Format::Mail;
    write.body = mail.write().into();
    draft.commit(store).unwrap();
    id
}

fn relocate(store: &Store, account: AccountId, device: DeviceId, item: ItemId, parent: ItemId) {
    let mut draft = Draft::begin(store, account, device);
    draft.0.modseq = draft.0.modseq.next();
    draft.0.changes.push(Change::MoveItem {
        item,
        parent,
        modseq: draft.0.modseq,
        origin: None,
    });
    draft.commit(store).unwrap();
}

/// All versions, the present one too.
fn versions(store: &Store, account: AccountId, id: ItemId) -> Vec<(Mail, ItemId, bool)> {
    let newest = items(store, account, &Query::Items(vec![id]))[0]
        .meta
        .modseq
        .0;
    let mut found: Vec<Item> = (1..=newest)
        .flat_map(|number| {
            items(
                store,
                account,
                &Query::Revisions(vec![(id, Modseq(number))]),
            )
        })
        .collect();
    found.dedup_by_key(|item| item.meta.modseq);
    found
        .into_iter()
        .map(|item| {
            let mail = Mail::read(&item.body).unwrap();
            (mail, item.meta.parent, item.meta.deleted)
        })
        .collect()
}

#[test]
fn marks_and_moves_cost_no_copy_and_every_version_can_be_read() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let folder = write(store, account, device, None, &Mail::default());
        let mut mail = Mail::received(b"Subject: short\r\n\r\nx".to_vec(), 5);
        let id = write(store, account, device, None, &mail);
        mail.message = [
            &b"Subject: long\r\n\r\n"[..],
            &b"Lorem ipsum.\r\n".repeat(10_000),
        ]
        .concat();
        write(store, account, device, Some(id), &mail);
        let mut expected = vec![
            (
                Mail::received(b"Subject: short\r\n\r\nx".to_vec(), 5),
                ItemId(0),
                false,
            ),
            (mail.clone(), ItemId(0), false),
        ];
        let octets = || {
            store
                .write(0, move |connection| {
                    revision::octets(connection, account, id)
                })
                .unwrap()
        };
        let before = octets();
        for _ in 0..5 {
            mail.read = !mail.read;
            write(store, account, device, Some(id), &mail);
            expected.push((mail.clone(), ItemId(0), false));
            relocate(store, account, device, id, folder);
            expected.push((mail.clone(), folder, false));
            relocate(store, account, device, id, ItemId(0));
            expected.push((mail.clone(), ItemId(0), false));
        }
        let mut draft = Draft::begin(store, account, device);
        draft.delete(id);
        draft.commit(store).unwrap();
        expected.push((mail.clone(), ItemId(0), true));
        let cost = octets() - before;
        assert!(
            cost < 16 * 150,
            "{cost} octets for 16 versions of {}",
            mail.message.len()
        );
        assert_eq!(versions(store, account, id), expected);
        // Another message is kept; what is before it stays what it was.
        mail.flagged = true;
        mail.message.truncate(40);
        write(store, account, device, Some(id), &mail);
        expected.push((mail.clone(), ItemId(0), false));
        assert_eq!(versions(store, account, id), expected);
        assert!(octets() - before > 100_000);
    });
}

#[test]
fn what_is_no_mail_is_kept_whole() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let id = draft.add(Datastore::Notes, "one");
        draft.commit(store).unwrap();
        let mut draft = Draft::begin(store, account, device);
        draft.delete(id);
        draft.commit(store).unwrap();
        let mut draft = Draft::begin(store, account, device);
        draft.write(id, Datastore::Notes, "two");
        draft.commit(store).unwrap();
        let octets = store.write(0, move |connection| {
            revision::octets(connection, account, id)
        });
        assert_eq!(octets.unwrap(), 6);
        let before = items(store, account, &Query::Revisions(vec![(id, Modseq(2))]));
        assert_eq!(
            (&*before[0].body, before[0].meta.deleted),
            (&b"one"[..], true)
        );
    });
}
