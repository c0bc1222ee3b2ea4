//! A server with mail, and phones that have mail and folders.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use candybar::content::email::{Folder, FolderRole, Mail};
use candybar::content::{self, Format, ReadHint, Record};
use candybar::device::profile::Catalogue;
use candybar::exchange::{
    Depth, Exchange, Request as ServerRequest, SESSION_OCTETS, Settings as ServerSettings,
};
use candybar::handset::{
    Addresses, Answer, Behaviour, DatastoreReport, FaultRates, Faults, Luid, Memory, Mode, Phone,
    Post, Request, Settings, StoredItem, TransportError, Wanted,
};
use candybar::session;
use candybar::store::{self, Recording, Store, StoreConfig, Undone};
use candybar::sync::{
    Account, Answer as Loaded, Change, Commit, Datastore, Item, ItemId, ItemMeta, ItemWrite,
    MailboxId, MailboxKind, MirrorChange, MirrorFolder, MirrorMessage, Newest, NewestQuery, Query,
    Secret, Window, Windows,
};
use candybar::syncml::{Carrier, Version};

const MAIL: &str = "mail";
const EMAIL: &str = "application/vnd.omads-email+xml";
const FOLDER: &str = "application/vnd.omads-folder+xml";

thread_local! {
    /// In what the messages of this thread's phones travel.
    static CARRIER: Cell<Carrier> = const { Cell::new(Carrier::Wbxml) };
}

thread_local! {
    /// Effects of the profile of this thread's phones, as a profile's file has them.
    static EFFECTS: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs something whose phones have a profile with these effects.
pub(super) fn with_effects(effects: &str, run: impl FnOnce()) {
    EFFECTS.set(effects.to_owned());
    run();
    EFFECTS.set(String::new());
}

/// The profiles of this thread.
fn profiles() -> Arc<Catalogue> {
    let effects = EFFECTS.with_borrow(String::clone);
    if effects.is_empty() {
        return Catalogue::embedded();
    }
    let text = format!(
        "name = \"odd\"\ntitle = \"An odd phone\"\nmatch = [{{ device = \"IMEI:*\" }}]\n\n[[rule]]\nname = \"odd\"\n\
         source = \"this test\"\n{effects}\n"
    );
    let odd = Catalogue::embedded().with([("odd.toml", text.as_str())]);
    Arc::new(odd.expect("a profile"))
}

/// Runs something whose phones speak XML.
pub(super) fn in_xml(run: fn()) {
    CARRIER.set(Carrier::Xml);
    run();
    CARRIER.set(Carrier::Wbxml);
}

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;
type Network = Faults<Box<Delivery>>;

/// A message as somebody sends it.
pub(super) fn message(subject: &str) -> Vec<u8> {
    format!(
        "From: Bob <bob@example.org>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n\
         Date: Sun, 1 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{}@example.org>\r\n\r\n\
         Dear Alice,\r\n{subject}?\r\nBob\r\n",
        subject.replace(' ', "-")
    )
    .into_bytes()
}

/// What the server did, as counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Work {
    pub(super) messages: usize,
    pub(super) rows: u64,
    pub(super) octets: usize,
}

/// A server and its phones.
pub(super) struct Peers {
    store: Store,
    account: Account,
    phones: Vec<Phone<Network>>,
    clock: Rc<Cell<i64>>,
    /// Messages that the server answered, rows that it read for them, octets of its answers.
    work: Rc<Cell<Work>>,
    /// A text to watch for in what the server sends, and whether it was there.
    watched: Rc<RefCell<(String, bool)>>,
}

impl Peers {
    pub(super) fn new(phones: usize) -> Self {
        Self::with(phones, Version::V12, true, 0, FaultRates::default())
    }

    /// One phone of 1.1.
    pub(super) fn flat() -> Self {
        Self::with(1, Version::V11, false, 0, FaultRates::default())
    }

    /// One phone over a bad network.
    pub(super) fn over(seed: u64, rates: FaultRates) -> Self {
        Self::with(1, Version::V12, true, seed, rates)
    }

    fn with(phones: usize, version: Version, folders: bool, seed: u64, rates: FaultRates) -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let forever = Window {
            days: Some(0),
            ..Window::default()
        };
        let server = Exchange::new(
            store.clone(),
            ServerSettings {
                session: session::Settings {
                    mail_windows: Windows::all(forever.over(Window::DEFAULT)),
                    profiles: profiles(),
                    ..session::Settings::default()
                },
                session_timeout: 3600,
                nonce_secret: b"netsim".to_vec(),
            },
        )
        .recorded(Depth::Messages, SESSION_OCTETS);
        let clock = Rc::new(Cell::new(1_700_000_000));
        let watched = Rc::new(RefCell::new((String::new(), false)));
        let work = Rc::new(Cell::new(Work::default()));
        let phones = (0..phones)
            .map(|number| {
                let (server, time, seen) = (server.clone(), clock.clone(), watched.clone());
                let work = work.clone();
                let deliver: Box<Delivery> = Box::new(move |post| {
                    time.set(time.get() + 1);
                    let request = ServerRequest {
                        content_type: post.content_type,
                        body: post.body,
                        user_agent: None,
                        profile_header: None,
                        query: None,
                    };
                    let rows = store::rows_read();
                    let reply = server
                        .handle(request, time.get())
                        .expect("the server answers");
                    let before = work.get();
                    work.set(Work {
                        messages: before.messages + 1,
                        rows: before.rows + store::rows_read() - rows,
                        octets: before.octets + reply.body.len(),
                    });
                    let (text, found) = &mut *seen.borrow_mut();
                    let text = text.as_bytes();
                    *found |= !text.is_empty()
                        && reply.body.windows(text.len()).any(|window| window == text);
                    Ok(Answer::ok(reply.content_type, reply.body))
                });
                let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
                settings.version = version;
                settings.carrier = CARRIER.get();
                settings.datastores = [(MAIL.to_owned(), Addresses::same("./mail"))].into();
                let capability = settings.devinf.datastores.get_mut(MAIL).expect("mail");
                capability.hierarchical = folders;
                if !folders {
                    capability.content_types.truncate(1);
                }
                let memory = Memory::new(format!("IMEI:{number}"));
                let network = Faults::new(deliver, seed, rates);
                Phone::new(settings, Behaviour::default(), memory, network)
            })
            .collect();
        Self {
            store,
            account,
            phones,
            clock,
            work,
            watched,
        }
    }

    /// What the server did since this was asked last.
    pub(super) fn work(&self) -> Work {
        self.work.take()
    }

    // What the server has.

    fn commit(&self, change: impl Fn(&mut Commit)) {
        let account = self
            .store
            .account_by_id(self.account.id)
            .expect("the account");
        let mut commit = Commit {
            account: account.id,
            device: None,
            expected: account.modseq,
            modseq: account.modseq.next(),
            next_item: account.next_item,
            changes: Vec::new(),
            session: None,
            now: self.clock.get(),
        };
        change(&mut commit);
        self.store.commit(commit).expect("a write");
    }

    fn put(&self, id: Option<ItemId>, mail: &Mail, parent: ItemId) -> ItemId {
        let record = mail.clone().into_record();
        self.put_record(id, Format::Mail, &mail.write(), &record, parent)
    }

    fn make_folder(&self, role: FolderRole) {
        let name = match role {
            FolderRole::Inbox => "Inbox",
            FolderRole::Outbox => "Outbox",
            FolderRole::Sent => "Sent",
            FolderRole::Drafts => "Drafts",
            FolderRole::Trash => "Trash",
        };
        let folder = Folder::new(name, Some(role));
        let record = folder.clone().into_record();
        self.put_record(None, Format::Folder, &folder.write(), &record, ItemId(0));
    }

    fn put_record(
        &self,
        id: Option<ItemId>,
        format: Format,
        body: &[u8],
        record: &Record,
        parent: ItemId,
    ) -> ItemId {
        let written = Cell::new(ItemId(0));
        self.commit(|commit| {
            let id = id.unwrap_or(commit.next_item);
            written.set(id);
            commit.next_item = commit.next_item.max(ItemId(id.0 + 1));
            commit.changes.push(Change::PutItem(ItemWrite {
                meta: ItemMeta {
                    id,
                    datastore: Datastore::Mail,
                    modseq: commit.modseq,
                    deleted: false,
                    format,
                    digest: content::digest(record),
                    key: content::match_key(record),
                    updated: commit.now,
                    parent,
                    content: commit.modseq,
                },
                body: body.to_vec().into(),
                original: None,
                origin: None,
            }));
        });
        written.get()
    }

    /// Mail that comes in; the folders are made by the first sync, or now.
    pub(super) fn deliver(&mut self, subject: &str, received: i64) -> ItemId {
        if self.roles().is_empty() {
            for role in FolderRole::ALL {
                self.make_folder(role);
            }
        }
        let mail = Mail::received(message(subject), received);
        self.put(None, &mail, self.role(FolderRole::Inbox))
    }

    /// Much mail at once, each 2 KB.
    pub(super) fn deliver_many(&mut self, count: i64) {
        self.deliver("First", 0);
        let inbox = self.role(FolderRole::Inbox);
        let numbers: Vec<i64> = (1..count).collect();
        for some in numbers.chunks(500) {
            self.commit(|commit| {
                for number in some {
                    let mut message = message(&format!("Mail {number}"));
                    message.extend(b"Lorem ipsum dolor sit amet.\r\n".repeat(60));
                    let mail = Mail::received(message, *number);
                    let record = mail.clone().into_record();
                    if number != &some[0] {
                        commit.modseq = commit.modseq.next();
                    }
                    let id = commit.next_item;
                    commit.next_item = ItemId(id.0 + 1);
                    commit.changes.push(Change::PutItem(ItemWrite {
                        meta: ItemMeta {
                            id,
                            datastore: Datastore::Mail,
                            modseq: commit.modseq,
                            deleted: false,
                            format: Format::Mail,
                            digest: content::digest(&record),
                            key: content::match_key(&record),
                            updated: commit.now,
                            parent: inbox,
                            content: commit.modseq,
                        },
                        body: mail.write().into(),
                        original: None,
                        origin: None,
                    }));
                }
            });
        }
    }

    pub(super) fn edit(&self, id: ItemId, change: impl Fn(&mut Mail)) {
        let mut mail = self.stored(id);
        change(&mut mail);
        self.put(Some(id), &mail, self.parent(id));
    }

    /// Undoes the session that was recorded last.
    pub(super) fn undo(&self) -> Undone {
        self.undo_newest(|_| true)
    }

    /// Undoes the last session of a phone.
    pub(super) fn undo_of(&self, phone: usize) -> Undone {
        let uri = format!("IMEI:{phone}");
        self.undo_newest(|recording| recording.device_uri == uri)
    }

    fn undo_newest(&self, wanted: impl Fn(&Recording) -> bool) -> Undone {
        let newest = self.store.recordings(self.account.id, 1, wanted);
        let newest = newest.expect("recordings").pop().expect("a session").number;
        let undone = self.store.undo(self.account.id, newest, None, false);
        undone.expect("it is undone")
    }

    pub(super) fn delete_here(&self, item: ItemId) {
        let deleted = self.store.delete_items(self.account.id, None, &[item]);
        assert_eq!(deleted.expect("it is deleted"), 1);
    }

    pub(super) fn folder_named(&self, name: &str) -> ItemId {
        let found = self
            .folders()
            .into_iter()
            .find(|(_, folder)| folder.name == name);
        found.unwrap_or_else(|| panic!("no folder {name}")).0
    }

    /// How many mails are to be sent.
    pub(super) fn queued(&self) -> usize {
        let next = self
            .store
            .account_by_id(self.account.id)
            .expect("it")
            .next_item;
        let all = (1..next.0).filter(|id| self.is_queued(ItemId(*id)));
        all.count()
    }

    pub(super) fn is_queued(&self, id: ItemId) -> bool {
        let queued = self.store.queued_mail(self.account.id, id);
        queued.expect("the queue").is_some()
    }

    /// A mail server has these mails, and their rest.
    pub(super) fn mirror(&self, mails: &[ItemId]) -> MailboxId {
        let added = self.store.add_mailbox(
            self.account.id,
            MailboxKind::Imap,
            "alice@example.org",
            &Secret("{}".into()),
        );
        let id = added.expect("a mailbox").id;
        let until = i64::MAX / 2;
        let claimed = self.store.claim_mailboxes("node", until, until + 1);
        assert_eq!(claimed.expect("a lease").len(), 1);
        let account = self.store.account_by_id(id.account).expect("the account");
        let mut books = vec![MirrorChange::PutFolder(MirrorFolder {
            id: 1,
            name: "INBOX".into(),
            folder: self.role(FolderRole::Inbox),
            uid_validity: 1,
            uid_next: 100,
            modseq: 0,
        })];
        books.extend(mails.iter().map(|item| {
            MirrorChange::PutMessage(MirrorMessage {
                folder: 1,
                uid: item.0,
                item: *item,
                flags: 0,
                received: 0,
                uidl: None,
                wanted: false,
            })
        }));
        let commit = Commit {
            account: account.id,
            device: None,
            expected: account.modseq,
            modseq: account.modseq,
            next_item: account.next_item,
            changes: Vec::new(),
            session: None,
            now: 0,
        };
        let mirrored = self.store.mirror("node", id, commit, books);
        mirrored.expect("books");
        id
    }

    /// Mails whose rest is to be fetched from the mail server.
    pub(super) fn wanted(&self, mailbox: MailboxId) -> Vec<ItemId> {
        let wanted = self.store.wanted_messages(mailbox).expect("the books");
        wanted.into_iter().map(|row| row.item).collect()
    }

    pub(super) fn move_here(&self, item: ItemId, parent: ItemId) {
        self.commit(|commit| {
            commit.changes.push(Change::MoveItem {
                item,
                parent,
                modseq: commit.modseq,
                origin: None,
            });
        });
    }

    fn item(&self, id: ItemId) -> Item {
        let mut reader = self.store.reader().expect("a reader");
        match reader.load(self.account.id, None, &Query::Items(vec![id])) {
            Ok(Loaded::Items(mut items)) => items.pop().expect("the item"),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn stored(&self, id: ItemId) -> Mail {
        Mail::read(&self.item(id).body).expect("a mail")
    }

    pub(super) fn parent(&self, id: ItemId) -> ItemId {
        self.item(id).meta.parent
    }

    pub(super) fn is_deleted(&self, id: ItemId) -> bool {
        self.item(id).meta.deleted
    }

    fn folders(&self) -> Vec<(ItemId, Folder)> {
        let mut reader = self.store.reader().expect("a reader");
        let query = Query::Folders(Datastore::Mail);
        let Ok(Loaded::Outgoing(found)) = reader.load(self.account.id, None, &query) else {
            panic!("no answer");
        };
        let read = |item: Item| (item.meta.id, Folder::read(&item.body).expect("a folder"));
        found
            .items
            .into_iter()
            .map(|(item, _)| read(item))
            .collect()
    }

    fn roles(&self) -> BTreeMap<FolderRole, ItemId> {
        let role = |(id, folder): (ItemId, Folder)| Some((folder.role?, id));
        self.folders().into_iter().filter_map(role).collect()
    }

    pub(super) fn role(&self, role: FolderRole) -> ItemId {
        self.roles()[&role]
    }

    pub(super) fn mails_in(&self, role: FolderRole) -> Vec<ItemId> {
        let newest = Newest {
            folder: self.role(role),
            since: i64::MIN,
            count: u32::MAX,
        };
        let query = NewestQuery {
            view: Datastore::Mail,
            folders: vec![newest],
        };
        let mut reader = self.store.reader().expect("a reader");
        match reader.load(self.account.id, None, &Query::Newest(query)) {
            Ok(Loaded::Known(known)) => known.into_iter().map(|known| known.item.id).collect(),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn count(&self) -> u64 {
        let counts = self.store.item_counts(self.account.id).expect("counts");
        let mail = counts.iter().find(|(of, _)| *of == Datastore::Mail);
        mail.map_or(0, |(_, count)| *count)
    }

    /// What every phone is to have.
    pub(super) fn window(&self, text: &str) {
        let windows = text.parse().expect("limits");
        for number in 0..self.phones.len() {
            let uri = format!("IMEI:{number}");
            let now = self.clock.get();
            let device = self.store.register_device(self.account.id, &uri, now);
            let device = device.expect("a device");
            let set = self
                .store
                .set_mail_window(self.account.id, device.id, &windows);
            set.expect("windows are set");
        }
    }

    pub(super) fn newest(&self, numbers: std::ops::Range<u32>) -> Vec<String> {
        let mut subjects: Vec<String> = numbers.map(|number| format!("Mail {number}")).collect();
        subjects.sort();
        subjects
    }

    // What is sent.

    pub(super) fn watch_for(&self, text: &str) {
        *self.watched.borrow_mut() = (text.to_owned(), false);
    }

    pub(super) fn was_seen(&self) -> bool {
        std::mem::take(&mut *self.watched.borrow_mut()).1
    }

    pub(super) fn want(&mut self, record: Option<&str>, inclusive: bool) {
        for phone in &mut self.phones {
            let filters = &mut phone.client_mut().settings_mut().filters;
            filters.clear();
            filters.extend(record.map(|record| {
                let wanted = Wanted {
                    record: Some(record.to_owned()),
                    fields: Vec::new(),
                    inclusive,
                };
                (MAIL.to_owned(), wanted)
            }));
        }
    }

    /// The single mail that every phone asks for, and the fields of it.
    pub(super) fn want_fields(&mut self, record: &str, fields: &[&str]) {
        self.want(Some(record), true);
        for phone in &mut self.phones {
            for wanted in phone.client_mut().settings_mut().filters.values_mut() {
                wanted.fields = fields.iter().map(|field| (*field).to_owned()).collect();
            }
        }
    }

    /// From now on the network is bad.
    pub(super) fn disturb(&mut self, phone: usize, rates: FaultRates) {
        self.phones[phone].transport_mut().disturb(rates);
    }

    /// Syncs; items may be refused.
    pub(super) fn try_sync(&mut self, phone: usize, mode: Mode) -> DatastoreReport {
        self.clock.set(self.clock.get() + 300);
        let request = Request::new(&[MAIL], mode, self.clock.get());
        let report = self.phones[phone].sync(&request).expect("a sync");
        assert!(report.complaints.is_empty(), "{:?}", report.complaints);
        let report = report.datastores[0].clone();
        assert_eq!((report.used, report.refused), (mode, None));
        report
    }

    pub(super) fn sync(&mut self, phone: usize, mode: Mode) -> DatastoreReport {
        let report = self.try_sync(phone, mode);
        assert!(report.failures.is_empty(), "{report:?}");
        report
    }

    /// Syncs over a network that may break it.
    pub(super) fn sync_somehow(&mut self, phone: usize) {
        self.clock.set(self.clock.get() + 300);
        let request = Request::new(&[MAIL], Mode::TwoWay, self.clock.get());
        // What breaks is done by the next.
        let _ = self.phones[phone].sync(&request);
    }

    /// A sound network, and syncs until there is nothing left to do.
    pub(super) fn settle(&mut self, phone: usize) {
        self.phones[phone].transport_mut().heal();
        for _ in 0..4 {
            self.sync_somehow(phone);
        }
    }

    // What a phone has.

    fn items(&self, phone: usize) -> BTreeMap<Luid, StoredItem> {
        self.phones[phone].items(MAIL)
    }

    pub(super) fn phone_item(&self, phone: usize, luid: &Luid) -> StoredItem {
        self.items(phone)[luid].clone()
    }

    /// The message that a phone has of a mail.
    pub(super) fn phone_message(&self, phone: usize, luid: &Luid) -> Vec<u8> {
        let hint = ReadHint {
            format: Some(Format::Email),
            ..ReadHint::default()
        };
        let item = self.phone_item(phone, luid);
        let record = content::read(&item.body.0, &hint).expect("an Email").record;
        Mail::of(record).expect("a mail").message
    }

    pub(super) fn phone_text(&self, phone: usize, luid: &Luid) -> String {
        String::from_utf8(self.phone_item(phone, luid).body.0).expect("text")
    }

    fn titles(&self, phone: usize, kind: &str) -> Vec<(String, Luid)> {
        let of_kind = self.items(phone).into_iter();
        let of_kind = of_kind.filter(|(_, item)| item.content_type == kind);
        let titled = of_kind.map(|(luid, item)| {
            let hint = ReadHint {
                format: Format::from_mime(kind, None),
                ..ReadHint::default()
            };
            let record = content::read(&item.body.0, &hint).expect("an item").record;
            (content::title(&record), luid)
        });
        titled.collect()
    }

    pub(super) fn folder_names(&self, phone: usize) -> Vec<String> {
        let titles = self.titles(phone, FOLDER).into_iter();
        titles.map(|(title, _)| title).collect()
    }

    pub(super) fn subjects(&self, phone: usize) -> Vec<String> {
        let titles = self.titles(phone, EMAIL).into_iter();
        let mut subjects: Vec<String> = titles.map(|(title, _)| title).collect();
        subjects.sort();
        subjects
    }

    pub(super) fn phone_folder(&self, phone: usize, name: &str) -> Luid {
        let found = self
            .titles(phone, FOLDER)
            .into_iter()
            .find(|(title, _)| title == name);
        found.unwrap_or_else(|| panic!("no folder {name}")).1
    }

    pub(super) fn find_mail(&self, phone: usize, subject: &str) -> Option<Luid> {
        let found = self
            .titles(phone, EMAIL)
            .into_iter()
            .find(|(title, _)| title == subject);
        found.map(|(_, luid)| luid)
    }

    pub(super) fn phone_mail(&self, phone: usize, subject: &str) -> Luid {
        let found = self.find_mail(phone, subject);
        found.unwrap_or_else(|| panic!("no mail {subject}"))
    }

    // What its user does.

    pub(super) fn flag_on_phone(&mut self, phone: usize, luid: &Luid, flag: &str) {
        let (no, yes) = (format!("<{flag}>false"), format!("<{flag}>true"));
        let body = self.phone_text(phone, luid).replace(&no, &yes);
        self.replace_on_phone(phone, luid, &body);
    }

    pub(super) fn replace_on_phone(&mut self, phone: usize, luid: &Luid, body: &str) {
        assert!(self.phones[phone].replace(MAIL, luid, body));
    }

    pub(super) fn delete_on_phone(&mut self, phone: usize, luid: &Luid) {
        assert!(self.phones[phone].delete(MAIL, luid));
    }

    fn memory(&mut self, phone: usize) -> &mut candybar::handset::DatastoreMemory {
        self.phones[phone]
            .client_mut()
            .memory_mut()
            .datastore_mut(MAIL)
    }

    pub(super) fn move_on_phone(&mut self, phone: usize, luid: &Luid, folder: &Luid) {
        assert!(self.memory(phone).move_to(luid, &folder.0));
    }

    /// Says of an item that it is in a folder, whatever that means.
    pub(super) fn force_parent(&mut self, phone: usize, luid: &Luid, folder: &str) {
        let item = self.memory(phone).items.get_mut(luid).expect("an item");
        folder.clone_into(&mut item.parent);
        item.moved = true;
    }

    /// The phone has lost an item, and does not know.
    pub(super) fn forget_on_phone(&mut self, phone: usize, luid: &Luid) {
        assert!(self.memory(phone).items.remove(luid).is_some());
    }

    pub(super) fn add_folder(&mut self, phone: usize, name: &str, within: &str) -> Luid {
        let body = format!("<Folder><name>{name}</name></Folder>");
        let luid = self.phones[phone].add_as(MAIL, FOLDER, body);
        assert!(self.memory(phone).move_to(&luid, within));
        luid
    }

    pub(super) fn add_mail(&mut self, phone: usize, subject: &str, folder: &Luid) -> Luid {
        let message = String::from_utf8(message(subject)).expect("text");
        let body =
            format!("<Email><read>true</read><emailitem><![CDATA[{message}]]></emailitem></Email>");
        let luid = self.phones[phone].add_as(MAIL, EMAIL, body);
        self.move_on_phone(phone, &luid, folder);
        luid
    }

    /// The phone has the same as the server, each once, in its place.
    pub(super) fn assert_same(&self, phone: usize, seed: u64) {
        let mut here = Vec::new();
        for (id, folder) in self.folders() {
            let newest = Newest {
                folder: id,
                since: i64::MIN,
                count: 5,
            };
            let query = NewestQuery {
                view: Datastore::Mail,
                folders: vec![newest],
            };
            let mut reader = self.store.reader().expect("a reader");
            let Ok(Loaded::Known(known)) =
                reader.load(self.account.id, None, &Query::Newest(query))
            else {
                panic!("no answer");
            };
            for known in known {
                let mail = self.stored(known.item.id);
                here.push((folder.name.clone(), mail.head().subject, mail.read));
            }
        }
        let mut there = Vec::new();
        for (subject, luid) in self.titles(phone, EMAIL) {
            let item = self.phone_item(phone, &luid);
            let folder = Luid(item.parent.clone());
            let name = self
                .titles(phone, FOLDER)
                .into_iter()
                .find(|(_, of)| *of == folder);
            let read = self.phone_text(phone, &luid).contains("<read>true");
            there.push((name.expect("its folder").0, subject, read));
        }
        here.sort();
        there.sort();
        assert_eq!(there, here, "seed {seed}");
    }
}
