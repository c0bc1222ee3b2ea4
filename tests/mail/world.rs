//! Watchers in this process, over a store of their own, and what a phone does to the store.

use std::time::{Duration, Instant};

use candybar::content;
use candybar::content::email::{Folder, FolderRole, Mail};
use candybar::mail::settings::{Address, Credential, Incoming, Login, MailboxSettings, Protocol};
use candybar::mail::watch::{Settings, Watchers};
use candybar::store::{Store, StoreConfig, StoreError};
use candybar::sync::{
    AccountId, Asked, Change, Commit, Cursor, Datastore, Item, ItemId, ItemMeta, ItemWrite,
    Mailbox, MailboxKind, Modseq, Secret,
};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(90);

/// What watchers of tests are run with: they come back at once, and poll so seldom that only the server can wake them.
pub(super) fn settings() -> Settings {
    Settings {
        age: Duration::from_secs(30 * 86_400),
        count: 500,
        octets: 128 << 10,
        max_message: 32 << 20,
        poll: Duration::from_secs(3600),
        lease: Duration::from_secs(60),
        watchers: 5000,
        pause: Duration::from_millis(20),
    }
}

/// A store with an account, and a node that watches its mailboxes.
pub(super) struct World {
    pub(super) store: Store,
    pub(super) account: AccountId,
    node: Option<Node>,
}

struct Node {
    watchers: Watchers,
    runtime: tokio::runtime::Runtime,
    work: tokio::task::JoinHandle<()>,
}

impl World {
    pub(super) fn new() -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store");
        let account = store
            .add_account("alice", &Secret("secret".into()))
            .expect("an account")
            .id;
        Self {
            store,
            account,
            node: None,
        }
    }

    /// Adds a mailbox of Dovecot's user.
    pub(super) fn join(&self, url: &str, user: &str, password: &str) -> Mailbox {
        let protocol = match url.starts_with("pop3") {
            true => Protocol::Pop3,
            false => Protocol::Imap,
        };
        let kind = match protocol {
            Protocol::Pop3 => MailboxKind::Pop3,
            _ => MailboxKind::Imap,
        };
        let (address, _) = Address::of_url(url, protocol).expect("an address");
        let settings = MailboxSettings {
            incoming: Some(Incoming {
                protocol,
                login: Login {
                    address,
                    user: user.to_owned(),
                    credential: Credential::Password(password.to_owned()),
                },
            }),
            outgoing: None,
        };
        let text = serde_json::to_string(&settings).expect("JSON");
        self.store
            .add_mailbox(
                self.account,
                kind,
                &format!("{user}@localhost"),
                &Secret(text),
            )
            .expect("a mailbox")
    }

    /// Begins to watch, as a node of its own.
    pub(super) fn watch(&mut self, settings: Settings) {
        self.stop();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let watchers = Watchers::new(self.store.clone(), settings);
        let running = watchers.clone();
        let work = runtime.spawn(async move { running.run().await });
        self.node = Some(Node {
            watchers,
            runtime,
            work,
        });
    }

    /// Ends the node in order.
    pub(super) fn stop(&mut self) {
        if let Some(node) = self.node.take() {
            node.watchers.stop();
            node.runtime.block_on(node.work).expect("it ends");
        }
    }

    /// Ends the node in the middle of what it does; its leases end by themselves, or are taken here.
    pub(super) fn kill(&mut self) {
        if let Some(node) = self.node.take() {
            node.runtime.shutdown_background();
        }
        for mailbox in self.store.mailboxes(self.account).expect("mailboxes") {
            let settings = mailbox.settings.clone();
            self.store
                .set_mailbox(mailbox.id, &settings)
                .expect("due at once");
        }
    }

    /// The account's living mails.
    pub(super) fn mails(&self) -> Vec<(Item, Mail)> {
        let items = self
            .store
            .items(self.account, Datastore::Mail, Cursor::default(), 100_000)
            .expect("items");
        let mail = |item: Item| Mail::read(&item.body).ok().map(|mail| (item, mail));
        items.into_iter().filter_map(mail).collect()
    }

    /// The living mail of that subject, if there is one.
    pub(super) fn mail(&self, subject: &str) -> Option<(Item, Mail)> {
        self.mails()
            .into_iter()
            .find(|(_, mail)| mail.head().subject == subject)
    }

    /// The folder of a name.
    pub(super) fn folder(&self, name: &str) -> ItemId {
        let folders = self.store.folders(self.account).expect("folders");
        let found = folders.into_iter().find(|item| {
            Folder::read(&item.body).is_ok_and(|folder| folder.name.eq_ignore_ascii_case(name))
        });
        found.unwrap_or_else(|| panic!("no folder {name}")).meta.id
    }

    /// The folder of a role.
    pub(super) fn role(&self, role: FolderRole) -> ItemId {
        let folders = self.store.folders(self.account).expect("folders");
        let found = folders
            .into_iter()
            .find(|item| Folder::read(&item.body).is_ok_and(|folder| folder.role == Some(role)));
        found.unwrap_or_else(|| panic!("no {role:?}")).meta.id
    }

    /// Waits until that is so.
    pub(super) fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(value) = look(self) {
                return value;
            }
            if begun.elapsed() > LIMIT {
                let mailboxes = self.store.mailboxes(self.account).expect("mailboxes");
                let subjects: Vec<String> = self
                    .mails()
                    .iter()
                    .map(|(_, mail)| mail.head().subject)
                    .collect();
                let states: Vec<_> = mailboxes
                    .iter()
                    .map(|mailbox| (mailbox.state, mailbox.why.clone()))
                    .collect();
                panic!("{what} does not come: {states:?}, {subjects:?}");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Writes what a phone would; gives the id of what is new.
    fn write(&self, change: impl Fn(Modseq, ItemId) -> Change, new: bool) -> ItemId {
        loop {
            let account = self.store.account_by_id(self.account).expect("the account");
            let modseq = account.modseq.next();
            let commit = Commit {
                account: self.account,
                device: None,
                expected: account.modseq,
                modseq,
                next_item: ItemId(account.next_item.0 + i64::from(new)),
                changes: vec![change(modseq, account.next_item)],
                session: None,
                now: chrono::Utc::now().timestamp(),
            };
            match self.store.commit(commit) {
                Err(StoreError::Conflict) => {}
                result => {
                    result.expect("written");
                    return account.next_item;
                }
            }
        }
    }

    fn put(&self, id: Option<ItemId>, mail: &Mail, parent: ItemId) -> ItemId {
        let record = mail.clone().into_record();
        self.put_record(id, content::Format::Mail, &mail.write(), &record, parent)
    }

    fn put_folder(&self, id: Option<ItemId>, folder: &Folder, parent: ItemId) -> ItemId {
        let record = folder.clone().into_record();
        self.put_record(
            id,
            content::Format::Folder,
            &folder.write(),
            &record,
            parent,
        )
    }

    fn put_record(
        &self,
        id: Option<ItemId>,
        format: content::Format,
        body: &[u8],
        record: &content::Record,
        parent: ItemId,
    ) -> ItemId {
        self.write(
            |modseq, next| {
                Change::PutItem(ItemWrite {
                    meta: ItemMeta {
                        id: id.unwrap_or(next),
                        datastore: Datastore::Mail,
                        modseq,
                        deleted: false,
                        format,
                        digest: content::digest(record),
                        key: content::match_key(record),
                        updated: chrono::Utc::now().timestamp(),
                        parent,
                        content: modseq,
                    },
                    body: body.to_vec().into(),
                    original: None,
                    origin: None,
                })
            },
            id.is_none(),
        )
    }

    /// Edits the marks of a mail, as a phone does.
    pub(super) fn edit(&self, subject: &str, edit: impl Fn(&mut Mail)) {
        let (item, mut mail) = self.mail(subject).expect("the mail");
        edit(&mut mail);
        self.put(Some(item.meta.id), &mail, item.meta.parent);
    }

    /// Puts a new mail into a folder, as a phone does.
    pub(super) fn add(&self, mail: &Mail, parent: ItemId) -> ItemId {
        self.put(None, mail, parent)
    }

    /// Asks for all of a mail, as a session does for a phone.
    pub(super) fn ask_for_rest(&self, item: ItemId) {
        let device = self.store.register_device(self.account, "IMEI:1", 0);
        let account = self.store.account_by_id(self.account).expect("the account");
        let asked = Asked { item, whole: true };
        let commit = Commit {
            account: self.account,
            device: Some(device.expect("a device").id),
            expected: account.modseq,
            modseq: account.modseq,
            next_item: account.next_item,
            changes: vec![Change::AskForRest(asked)],
            session: None,
            now: 0,
        };
        self.store.commit(commit).expect("asked for");
    }

    /// Writes a mail anew, as a phone does.
    pub(super) fn rewrite(&self, id: ItemId, mail: &Mail, parent: ItemId) {
        self.put(Some(id), mail, parent);
    }

    /// Moves a mail, as a phone does.
    pub(super) fn relocate(&self, subject: &str, parent: ItemId) {
        let (item, _) = self.mail(subject).expect("the mail");
        self.move_folder(item.meta.id, parent);
    }

    /// Makes a folder, as a phone does.
    pub(super) fn add_folder(&self, name: &str, parent: ItemId) -> ItemId {
        self.put_folder(None, &Folder::new(name, None), parent)
    }

    /// Gives a folder another name, as a phone does.
    pub(super) fn rename_folder(&self, id: ItemId, name: &str) {
        let parent = self.parent(id);
        self.put_folder(Some(id), &Folder::new(name, None), parent);
    }

    /// Puts a folder, or a mail, into another one, as a phone does.
    pub(super) fn move_folder(&self, item: ItemId, parent: ItemId) {
        self.write(
            |modseq, _| Change::MoveItem {
                item,
                parent,
                modseq,
                origin: None,
            },
            false,
        );
    }

    /// Deletes a folder with what is in it, as a phone does.
    pub(super) fn delete_folder(&self, folder: ItemId) {
        let within = self.mails().into_iter().map(|(item, _)| item.meta);
        let within = within.filter(|meta| meta.parent == folder);
        let mut all: Vec<ItemId> = within.map(|meta| meta.id).collect();
        all.push(folder);
        self.store
            .delete_items(self.account, None, &all)
            .expect("deleted");
    }

    fn parent(&self, id: ItemId) -> ItemId {
        let folders = self.store.folders(self.account).expect("folders");
        let found = folders.iter().find(|item| item.meta.id == id);
        found.expect("the folder").meta.parent
    }

    /// Names of all folders.
    pub(super) fn folder_names(&self) -> Vec<String> {
        let folders = self.store.folders(self.account).expect("folders");
        let names = folders
            .iter()
            .filter_map(|item| Folder::read(&item.body).ok());
        names.map(|folder| folder.name).collect()
    }

    /// Subjects of all mails.
    pub(super) fn subjects(&self) -> Vec<String> {
        let mails = self.mails().into_iter();
        mails.map(|(_, mail)| mail.head().subject).collect()
    }

    /// The outbox, which is at no server.
    pub(super) fn outbox(&self) -> ItemId {
        let folder = Folder::new("Outbox", Some(FolderRole::Outbox));
        self.put_folder(None, &folder, ItemId(0))
    }

    /// Deletes a mail, as a phone does.
    pub(super) fn delete(&self, subject: &str) {
        let (item, _) = self.mail(subject).expect("the mail");
        self.store
            .delete_items(self.account, None, &[item.meta.id])
            .expect("deleted");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(node) = self.node.take() {
            node.watchers.stop();
            node.runtime.shutdown_background();
        }
    }
}

/// A message of that subject.
pub(super) fn message(subject: &str) -> String {
    let id = subject.replace(' ', ".");
    format!(
        "From: Someone <someone@example.org>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n\
         Date: Thu, 05 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{id}@test>\r\n\r\nThe text of {subject}.\r\n"
    )
}
