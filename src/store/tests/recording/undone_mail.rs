//! Mail that comes back with an undone session: its message in the books is taken out of the trash, or missed.

use super::super::*;
use crate::content::email::{Folder, FolderRole, Mail};
use crate::content::{self, Record};
use crate::sync::recording::pack_items;
use crate::sync::{
    MailboxId, MailboxKind, MirrorChange, MirrorFolder, MirrorMessage, RecordingWrite,
};

const NODE: &str = "node";

/// Adds an item as it is stored.
fn put(
    draft: &mut Draft,
    format: Format,
    body: Vec<u8>,
    record: &Record,
    parent: ItemId,
) -> ItemId {
    let id = draft.0.next_item;
    draft.0.next_item = ItemId(id.0 + 1);
    draft.0.modseq = draft.0.modseq.next();
    draft.0.changes.push(Change::PutItem(ItemWrite {
        meta: ItemMeta {
            id,
            datastore: Datastore::Mail,
            modseq: draft.0.modseq,
            deleted: false,
            format,
            digest: content::digest(record),
            key: content::match_key(record),
            updated: 1000,
            parent,
            content: draft.0.modseq,
        },
        body: body.into(),
        original: None,
        origin: None,
    }));
    id
}

fn put_folder(draft: &mut Draft, name: &str, role: Option<FolderRole>) -> ItemId {
    let folder = Folder::new(name, role);
    let record = folder.clone().into_record();
    put(draft, Format::Folder, folder.write(), &record, ItemId(0))
}

fn put_mail(draft: &mut Draft, subject: &str, parent: ItemId) -> ItemId {
    let message = format!("Message-ID: <{subject}@b>\r\nSubject: {subject}\r\n\r\nx\r\n");
    let mail = Mail::received(message.into_bytes(), 1000);
    let record = mail.clone().into_record();
    put(draft, Format::Mail, mail.write(), &record, parent)
}

/// Deletes items in a session that is recorded; gives its number.
fn deleting_session(store: &Store, account: AccountId, device: DeviceId, items: &[ItemId]) -> i64 {
    let mut draft = Draft::begin(store, account, device);
    let mut write = first_session(&format!("s{}", draft.0.modseq.0), 1);
    write.recording = Some(RecordingWrite {
        device: "IMEI:1".into(),
        holds: false,
        modseq_before: draft.0.modseq,
        content_type: "application/vnd.syncml+xml".into(),
        summary: "[]".into(),
        written: pack_items(items.iter().copied()),
        trace: Vec::new(),
        request: Vec::new(),
        keeps_reply: true,
    });
    write.state.ended = true;
    for item in items {
        draft.delete(*item);
    }
    draft.0.session = Some(write);
    draft.commit(store).unwrap();
    let newest = store.recordings(account, 1, |_| true).unwrap();
    newest[0].number
}

fn note(store: &Store, id: MailboxId, device: DeviceId, changes: Vec<MirrorChange>) {
    let empty = Draft::begin(store, id.account, device).0;
    let empty = Commit {
        device: None,
        ..empty
    };
    store.mirror(NODE, id, empty, changes).unwrap();
}

#[test]
fn a_message_in_the_trash_is_the_mails_again_and_what_is_at_no_server_is_named() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let trash = put_folder(&mut draft, "Trash", Some(FolderRole::Trash));
        let work = put_folder(&mut draft, "Work", None);
        let mail = put_mail(&mut draft, "one", work);
        let twin = put_mail(&mut draft, "one", trash);
        let alone = put_mail(&mut draft, "two", work);
        let there = put_mail(&mut draft, "three", work);
        draft.commit(store).unwrap();

        // Without a mail server there is nothing to say.
        let number = deleting_session(store, account, device, &[alone]);
        let undone = store.undo(account, number, None, false).unwrap();
        assert_eq!((undone.brought_back, undone.here_only.len()), (1, 0));

        let id = store
            .add_mailbox(account, MailboxKind::Imap, "a@x", &Secret("{}".into()))
            .unwrap()
            .id;
        let claimed = store
            .claim_mailboxes(NODE, i64::MAX / 4, i64::MAX / 2)
            .unwrap();
        assert_eq!(claimed.len(), 1);
        let folder = |number: i64, name: &str, folder| {
            MirrorChange::PutFolder(MirrorFolder {
                id: number,
                name: name.into(),
                folder,
                uid_validity: 1,
                uid_next: 10,
                modseq: 1,
            })
        };
        let row = |folder, uid, item| MirrorMessage {
            folder,
            uid,
            item,
            flags: 0,
            received: 1000,
            uidl: None,
            wanted: false,
        };
        let changes = vec![
            folder(1, "Trash", trash),
            folder(2, "Work", work),
            MirrorChange::PutMessage(row(1, 9, twin)),
            MirrorChange::PutMessage(row(2, 4, there)),
        ];
        note(store, id, device, changes);
        assert_eq!(store.astray_mail(id).unwrap(), []);

        let number = deleting_session(store, account, device, &[mail, alone, there]);
        assert_eq!(store.astray_mail(id).unwrap(), [there]);
        let undone = store.undo(account, number, None, false).unwrap();
        assert_eq!(
            (undone.brought_back, undone.out_of_trash, undone.here_only),
            (3, 1, vec![alone])
        );
        assert_eq!(
            store.mirror_of(account, mail).unwrap(),
            Some((id, row(1, 9, mail)))
        );
        assert_eq!(store.mirror_of(account, twin).unwrap(), None);
        // It is to be moved; the one that is where it was is not.
        assert_eq!(store.astray_mail(id).unwrap(), [mail]);
        let found = items(store, account, &Query::Items(vec![mail, twin]));
        let living: Vec<(ItemId, bool)> = found
            .iter()
            .map(|item| (item.meta.id, !item.meta.deleted))
            .collect();
        assert_eq!(living, [(mail, true), (twin, false)]);
    });
}
