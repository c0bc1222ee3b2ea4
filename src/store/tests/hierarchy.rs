//! Folders as items, and the newest mails of a folder.

use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;

use super::super::hierarchy::STATEMENTS;
use super::*;
use crate::content::email::{Folder, Mail};
use crate::sync::{Newest, NewestQuery};

impl Draft {
    fn put(&mut self, format: Format, body: Vec<u8>, parent: ItemId) -> ItemId {
        let id = self.add(Datastore::Mail, "");
        let Some(Change::PutItem(write)) = self.0.changes.last_mut() else {
            panic!("an item was added");
        };
        write.meta.format = format;
        write.meta.parent = parent;
        write.body = body.into();
        id
    }

    fn folder(&mut self, name: &str, parent: ItemId) -> ItemId {
        self.put(Format::Folder, Folder::new(name, None).write(), parent)
    }

    fn mail(&mut self, received: i64, parent: ItemId) -> ItemId {
        let mail = Mail::received(b"Subject: x\r\n\r\n".to_vec(), received);
        self.put(Format::Mail, mail.write(), parent)
    }

    fn relocate(&mut self, item: ItemId, parent: ItemId) {
        self.0.modseq = self.0.modseq.next();
        self.0.changes.push(Change::MoveItem {
            item,
            parent,
            modseq: self.0.modseq,
            origin: self.0.device,
        });
    }
}

fn newest(store: &Store, account: AccountId, device: DeviceId, of: Newest) -> Vec<Known> {
    let query = NewestQuery {
        view: Datastore::Mail,
        folders: vec![of],
    };
    let mut reader = store.reader().unwrap();
    match reader.load(account, Some(device), &Query::Newest(query)) {
        Ok(Answer::Known(known)) => known,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_newest_mails_of_a_folder_come_first_and_no_others() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let folder = draft.folder("Work", ItemId(0));
        let inner = draft.folder("Inner", folder);
        let mails: Vec<ItemId> = [30, 10, 20]
            .map(|received| draft.mail(received, folder))
            .into();
        let elsewhere = draft.mail(40, inner);
        draft.commit(store).unwrap();
        let ids = |since: i64, count: u32| {
            let of = Newest {
                folder,
                since,
                count,
            };
            let known = newest(store, account, device, of);
            known
                .into_iter()
                .map(|known| known.item.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(ids(i64::MIN, 10), [mails[0], mails[2], mails[1]]);
        assert_eq!(ids(i64::MIN, 2), [mails[0], mails[2]]);
        assert_eq!(ids(15, 10), [mails[0], mails[2]]);

        let mut draft = Draft::begin(store, account, device);
        draft.relocate(elsewhere, folder);
        draft.delete(mails[0]);
        draft.commit(store).unwrap();
        assert_eq!(ids(i64::MIN, 10), [elsewhere, mails[2], mails[1]]);

        let mut reader = store.reader().unwrap();
        let Ok(Answer::Outgoing(folders)) =
            reader.load(account, Some(device), &Query::Folders(Datastore::Mail))
        else {
            panic!("no answer");
        };
        let places: Vec<_> = folders
            .items
            .iter()
            .map(|(item, _)| (item.meta.id, item.meta.parent))
            .collect();
        assert_eq!(places, [(folder, ItemId(0)), (inner, folder)]);
    });
}

#[test]
fn a_move_changes_the_place_and_nothing_else() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let folder = draft.folder("Work", ItemId(0));
        let mail = draft.mail(10, ItemId(0));
        draft.commit(store).unwrap();
        let load = || {
            let mut reader = store.reader().unwrap();
            match reader.load(account, None, &Query::Items(vec![mail])) {
                Ok(Answer::Items(mut items)) => items.pop().unwrap(),
                other => panic!("{other:?}"),
            }
        };
        let before = load();
        let mut draft = Draft::begin(store, account, device);
        draft.relocate(mail, folder);
        draft.commit(store).unwrap();
        let after = load();
        assert_eq!((after.meta.parent, &after.body), (folder, &before.body));
        assert_eq!(after.meta.content, before.meta.modseq);
        assert_eq!(after.meta.modseq, before.meta.modseq.next());
        // Where it was can be looked up.
        let query = Query::Revisions(vec![(mail, before.meta.modseq)]);
        let Ok(Answer::Items(old)) = store.reader().unwrap().load(account, None, &query) else {
            panic!("no answer");
        };
        assert_eq!(old[0].meta.parent, ItemId(0));

        let mut draft = Draft::begin(store, account, device);
        draft.delete(mail);
        draft.commit(store).unwrap();
        let mut draft = Draft::begin(store, account, device);
        draft.relocate(mail, folder);
        assert!(matches!(draft.commit(store), Err(StoreError::NotFound)));
    });
}

#[test]
fn the_mails_of_a_thread_are_found_with_the_newest_first() {
    on_every_store(|store| {
        let (account, device) = account_and_device(store);
        let mut draft = Draft::begin(store, account, device);
        let write = |draft: &mut Draft, subject: &str, text: &str| {
            let message = format!("Subject: {subject}\r\n\r\n{text}");
            draft.put(
                Format::Mail,
                Mail::received(message.into(), 1).write(),
                ItemId(0),
            )
        };
        write(&mut draft, "Tea", "first");
        write(&mut draft, "Cake", "other");
        let gone = write(&mut draft, "RE: tea", "gone");
        write(&mut draft, "Fwd: Re: Tea", "last");
        draft.delete(gone);
        draft.commit(store).unwrap();
        let thread = crate::content::email::thread_key("Tea");
        let found = |most: u32, enough: usize| {
            let mut texts = Vec::new();
            store
                .mails_of_thread(account, thread, most, |stored| {
                    let message = Mail::read(stored).unwrap().message;
                    let text = String::from_utf8(message).unwrap();
                    texts.push(text.split("\r\n\r\n").nth(1).unwrap().to_owned());
                    texts.len() < enough
                })
                .unwrap();
            texts
        };
        assert_eq!(found(9, 9), ["last", "first"]);
        assert_eq!(found(1, 9), ["last"]);
        assert_eq!(found(9, 1), ["last"]);
    });
}

#[derive(diesel::QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[test]
fn no_query_of_folders_scans_or_sorts() {
    let store = memory_store();
    for (name, text) in STATEMENTS {
        let plan = store
            .write(0, move |connection| {
                let explain = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}"));
                let plan: Vec<Plan> = explain.load(sqlite(connection))?;
                Ok(plan.into_iter().map(|row| row.detail).collect::<Vec<_>>())
            })
            .unwrap();
        for detail in &plan {
            let sorts = detail.contains("SCAN") || detail.contains("TEMP B-TREE");
            assert!(!sorts, "{name}: {plan:#?}");
        }
        let index = match name {
            "FoldersOf" => "item_folder",
            "NewestIn" => "item_received (account=? AND folder=? AND received>?)",
            "OfThread" => "item_thread (account=? AND thread=?)",
            _ => "PRIMARY KEY (account=? AND device=? AND view=?)",
        };
        assert!(
            plan.iter().any(|detail| detail.contains(index)),
            "{name}: {plan:#?}"
        );
    }
}
