//! A server in memory, its phones, and what is said about its sessions.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use candybar::content::{self, Format, ReadHint};
use candybar::exchange::{
    Depth, Exchange, Request as ServerRequest, SESSION_OCTETS, Settings as ServerSettings,
};
use candybar::handset::{
    Answer, Behaviour, Luid, Memory, Mode, Phone, PhoneError, Post, Report, Request, Settings,
    TransportError,
};
use candybar::session;
use candybar::store::{NewItem, Recording, Store, StoreConfig};
use candybar::sync::recording::{What, events};
use candybar::sync::{Account, Cursor, Datastore, ItemId, Secret};
use candybar::syncml::codec::{Form, Limits, decode, encode};
use candybar::syncml::{Carrier, Message};

pub(super) const STORE: &str = "contacts";

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;
pub(super) type Handset = Phone<Box<Delivery>>;

pub(super) struct World {
    pub(super) store: Store,
    pub(super) account: Account,
    pub(super) settings: session::Settings,
    pub(super) depth: Depth,
    pub(super) session_octets: u64,
    clock: Rc<Cell<i64>>,
}

impl World {
    pub(super) fn new() -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        Self {
            store,
            account,
            settings: session::Settings::default(),
            depth: Depth::Messages,
            session_octets: SESSION_OCTETS,
            clock: Rc::new(Cell::new(1_700_000_000)),
        }
    }

    pub(super) fn phone(&self, number: u32) -> Handset {
        self.phone_with(number, Behaviour::default())
    }

    /// A phone, with the settings that the world has now.
    pub(super) fn phone_with(&self, number: u32, behaviour: Behaviour) -> Handset {
        self.phone_changed(number, behaviour, |_| {})
    }

    /// A phone whose messages are changed before they are sent.
    pub(super) fn phone_changed(
        &self,
        number: u32,
        behaviour: Behaviour,
        change: impl Fn(&mut Message<'_>) + 'static,
    ) -> Handset {
        let exchange = Exchange::new(
            self.store.clone(),
            ServerSettings {
                session: self.settings.clone(),
                session_timeout: 3600,
                nonce_secret: b"recorded".to_vec(),
            },
        )
        .recorded(self.depth, self.session_octets);
        let settings = Settings::new("http://server/sync", "alice", "wonderland");
        let time = self.clock.clone();
        let deliver: Box<Delivery> = Box::new(move |post| {
            time.set(time.get() + 1);
            let carrier = Carrier::from_mime(post.content_type).expect("a carrier");
            let mut message =
                decode(post.body, carrier, &Limits::default()).expect("a phone's own message");
            change(&mut message);
            let version = message.header.version().expect("a version");
            let body = encode(&message, &Form::new(carrier, version));
            let request = ServerRequest {
                content_type: post.content_type,
                body: &body,
                user_agent: None,
                profile_header: None,
                query: None,
            };
            let reply = exchange
                .handle(request, time.get())
                .expect("the server answers");
            Ok(Answer::ok(reply.content_type, reply.body))
        });
        Phone::new(
            settings,
            behaviour,
            Memory::new(format!("IMEI:{number}")),
            deliver,
        )
    }

    pub(super) fn sync(&self, phone: &mut Handset, mode: Mode) -> Report {
        let report = self
            .try_sync(phone, mode)
            .unwrap_or_else(|error| panic!("the sync failed: {error}"));
        assert!(report.complaints.is_empty(), "{:?}", report.complaints);
        report
    }

    pub(super) fn try_sync(&self, phone: &mut Handset, mode: Mode) -> Result<Report, PhoneError> {
        self.clock.set(self.clock.get() + 300);
        phone.sync(&Request::new(&[STORE], mode, self.clock.get()))
    }

    /// Name and number of each living contact.
    pub(super) fn held(&self) -> BTreeMap<String, String> {
        let cards: Vec<_> = self.items().into_values().collect();
        let count = cards.len();
        let named: BTreeMap<_, _> = cards.into_iter().collect();
        assert_eq!(named.len(), count, "nothing is there twice");
        named
    }

    /// Living contacts by id: name and number.
    pub(super) fn items(&self) -> BTreeMap<ItemId, (String, String)> {
        self.store
            .items(
                self.account.id,
                Datastore::Contacts,
                Cursor::default(),
                20_000,
            )
            .expect("items can be read")
            .into_iter()
            .map(|item| (item.meta.id, name_and_number(&item.body)))
            .collect()
    }

    pub(super) fn id_of(&self, name: &str) -> ItemId {
        let items = self.items();
        let found = items.iter().find(|(_, (of, _))| of == name);
        *found.unwrap_or_else(|| panic!("there is no {name}")).0
    }

    pub(super) fn put(&self, name: &str, number: &str) {
        self.put_all(vec![new_item(name, number)]);
    }

    /// So many contacts.
    pub(super) fn put_many(&self, count: usize) {
        let items = (0..count).map(|at| new_item(&format!("Person{at}"), "+46 1"));
        self.put_all(items.collect());
    }

    fn put_all(&self, items: Vec<NewItem>) {
        self.store
            .put_items(self.account.id, None, items)
            .expect("items can be written");
    }

    pub(super) fn delete(&self, items: &[ItemId]) {
        self.store
            .delete_items(self.account.id, None, items)
            .expect("items can be deleted");
    }

    /// The newest recorded session.
    pub(super) fn last(&self) -> Recording {
        let mut found = self
            .store
            .recordings(self.account.id, 1, |_| true)
            .expect("recordings can be read");
        found.pop().expect("a session was recorded")
    }

    /// What happened in a session, with the item's id, in order.
    pub(super) fn happened(&self, recording: &Recording) -> Vec<(What, ItemId, String)> {
        self.store
            .recorded_messages(self.account.id, recording.number)
            .expect("messages can be read")
            .iter()
            .flat_map(|message| {
                events(&message.trace)
                    .expect("a trace")
                    .into_iter()
                    .map(|event| (event.what, event.item, event.text.to_owned()))
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// How often something happened in a session.
    pub(super) fn count(&self, recording: &Recording, what: What) -> usize {
        let happened = self.happened(recording);
        happened.iter().filter(|(of, ..)| *of == what).count()
    }
}

pub(super) fn on_phone(phone: &Handset) -> BTreeMap<String, String> {
    let items = phone.items(STORE);
    let count = items.len();
    let named: BTreeMap<_, _> = items
        .into_values()
        .map(|item| name_and_number(&item.body.0))
        .collect();
    assert_eq!(named.len(), count, "nothing is there twice");
    named
}

/// Names and LUIDs.
pub(super) fn luids(phone: &Handset) -> Vec<(String, Luid)> {
    let items = phone.items(STORE).into_iter();
    items
        .map(|(luid, item)| (name_and_number(&item.body.0).0, luid))
        .collect()
}

fn new_item(name: &str, number: &str) -> NewItem {
    let body = card(name, number);
    let record = content::read(&body, &ReadHint::default())
        .expect("our own card")
        .record;
    NewItem {
        datastore: Datastore::Contacts,
        kind: record.kind,
        format: Format::VCard21,
        digest: content::digest(&record),
        key: content::match_key(&record),
        body,
    }
}

pub(super) fn luid_of(phone: &Handset, name: &str) -> Luid {
    let items = phone.items(STORE);
    let found = items
        .iter()
        .find(|(_, item)| name_and_number(&item.body.0).0 == name);
    found
        .unwrap_or_else(|| panic!("there is no {name}"))
        .0
        .clone()
}

pub(super) fn card(name: &str, number: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL;CELL:{number}\r\nEND:VCARD\r\n")
        .into_bytes()
}

pub(super) fn name_and_number(body: &[u8]) -> (String, String) {
    let text = std::str::from_utf8(body).expect("a card of ours");
    let value = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.split([':', ';']).next() == Some(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
        line.split_once(':').map(|(_, value)| value.to_owned())
    };
    let name = value("N").expect("a value");
    let name = name.split(';').next().expect("a family name").to_owned();
    (name, value("TEL").expect("a value"))
}
