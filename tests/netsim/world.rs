//! One seed's world: a server, some phones, what happens to them, and what must hold at the end.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use candybar::content::{self, Format, ReadHint};
use candybar::exchange::{
    Exchange, ExchangeError, Request as ServerRequest, Settings as ServerSettings,
};
use candybar::handset::{
    Answer, Auth, Behaviour, FaultRates, Faults, Luid, Memory, Mode, Phone, Post, Request,
    Settings, TransportError,
};
use candybar::session;
use candybar::store::{NewItem, Store, StoreConfig};
use candybar::sync::{Account, Cursor, Datastore, ItemId, Secret};
use candybar::syncml::{Carrier, Command, Version};

const STORE: &str = "contacts";
const ROUNDS: u32 = 5;

/// What kind of world it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape {
    pub faults: FaultRates,
    /// Octets; 0 for the phone's default.
    pub max_message: u64,
    pub slow_syncs: bool,
    pub xml: bool,
    pub old: bool,
    pub without_init: bool,
    pub maps_late: bool,
}

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;
type Network = Faults<Box<Delivery>>;

/// What may be true of an item at the end.
#[derive(Debug, Default)]
struct Fate {
    /// Every telephone number that it ever had.
    numbers: BTreeSet<String>,
    deleted: bool,
}

pub(super) struct World {
    seed: u64,
    shape: Shape,
    random: u64,
    store: Store,
    account: Account,
    phones: Vec<Phone<Network>>,
    clock: Rc<Cell<i64>>,
    fates: BTreeMap<String, Fate>,
    /// What happened; shown if the world fails.
    log: Vec<String>,
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log.join("\n"));
        }
    }
}

impl World {
    pub(super) fn new(seed: u64, shape: Shape) -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let exchange = Exchange::new(
            store.clone(),
            ServerSettings {
                session: session::Settings::default(),
                session_timeout: 3600,
                nonce_secret: b"netsim".to_vec(),
            },
        );
        let clock = Rc::new(Cell::new(1_700_000_000));
        let phones = (0..2_u64)
            .map(|number| {
                let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
                settings.carrier = if shape.xml {
                    Carrier::Xml
                } else {
                    Carrier::Wbxml
                };
                settings.version = if shape.old {
                    Version::V11
                } else {
                    Version::V12
                };
                settings.auth = if number == 0 { Auth::Md5 } else { Auth::Basic };
                if shape.max_message > 0 {
                    settings.max_msg_size = shape.max_message;
                }
                let behaviour = Behaviour {
                    maps_late: shape.maps_late,
                    sync_without_init: shape.without_init,
                    ..Behaviour::default()
                };
                let server = exchange.clone();
                let time = clock.clone();
                let deliver: Box<Delivery> = Box::new(move |post| {
                    time.set(time.get() + 1);
                    let request = ServerRequest {
                        content_type: post.content_type,
                        body: post.body,
                        user_agent: None,
                        profile_header: None,
                        query: None,
                    };
                    trace(post.content_type, post.body, ">");
                    match server.handle(request, time.get()) {
                        Ok(reply) => {
                            trace(reply.content_type, &reply.body, "<");
                            Ok(Answer::ok(reply.content_type, reply.body))
                        }
                        Err(ExchangeError::Undecodable(text)) => {
                            panic!("the server could not read a phone: {text}")
                        }
                        Err(error) => panic!("the server failed: {error}"),
                    }
                });
                let network = Faults::new(deliver, seed * 2 + number, shape.faults);
                Phone::new(
                    settings,
                    behaviour,
                    Memory::new(format!("IMEI:{number}")),
                    network,
                )
            })
            .collect();
        Self {
            seed,
            shape,
            random: seed ^ 0xC0FFEE,
            store,
            account,
            phones,
            clock,
            fates: BTreeMap::new(),
            log: Vec::new(),
        }
    }

    /// Lets things happen, then repairs the network and checks that all agree.
    pub(super) fn live(mut self) {
        for round in 0..ROUNDS {
            for phone in 0..self.phones.len() {
                for _ in 0..self.below(4) {
                    self.edit_on_phone(phone);
                }
            }
            for _ in 0..self.below(3) {
                self.edit_on_server();
            }
            for phone in 0..self.phones.len() {
                let slow = self.shape.slow_syncs && self.below(4) == 0;
                let mode = if slow { Mode::Slow } else { Mode::TwoWay };
                // It may fail: that is what the faults are for.
                let _ = self.sync(phone, mode);
            }
            let _ = round;
        }
        for phone in &mut self.phones {
            phone.transport_mut().heal();
        }
        self.settle();
        self.check();
    }

    /// Syncs until nothing moves any more.
    fn settle(&mut self) {
        for _ in 0..8 {
            let mut moved = false;
            for phone in 0..self.phones.len() {
                let before = self.held_by_phone(phone);
                let server = self.held_by_server();
                if let Err(error) = self.sync(phone, Mode::TwoWay) {
                    panic!(
                        "seed {}: a sync failed on a sound network: {error}",
                        self.seed
                    );
                }
                moved |= before != self.held_by_phone(phone) || server != self.held_by_server();
            }
            if !moved {
                return;
            }
        }
        panic!(
            "seed {}: still moving after 8 rounds on a sound network",
            self.seed
        );
    }

    fn check(&mut self) {
        let seed = self.seed;
        let server = self.held_by_server();
        for phone in 0..self.phones.len() {
            assert_eq!(
                self.held_by_phone(phone),
                server,
                "seed {seed}: phone {phone} and the server differ"
            );
        }
        for (name, fate) in &self.fates {
            let held: Vec<_> = server.iter().filter(|(title, _)| title == name).collect();
            assert!(
                held.len() <= 1,
                "seed {seed}: {name} is there {} times",
                held.len()
            );
            match held.first() {
                None => assert!(fate.deleted, "seed {seed}: {name} is lost"),
                Some((_, number)) => {
                    assert!(
                        fate.numbers.contains(number),
                        "seed {seed}: {name} has {number:?}, which nobody wrote"
                    );
                }
            }
        }
        for (name, _) in &server {
            assert!(
                self.fates.contains_key(name),
                "seed {seed}: {name} came from nowhere"
            );
        }
    }

    fn sync(&mut self, phone: usize, mode: Mode) -> Result<(), String> {
        // Copies that come late come within minutes; a server cannot tell older ones from a phone that begins again.
        self.clock.set(self.clock.get() + 1);
        let request = Request::new(&[STORE], mode, self.clock.get());
        let faultless = self.shape.faults == FaultRates::default();
        let result = self.phones[phone]
            .sync(&request)
            .map_err(|error| error.to_string());
        let faults = self.phones[phone].transport_mut().counts();
        let told = result
            .as_ref()
            .map(|report| report.datastores[0].to_string())
            .map_err(Clone::clone);
        if std::env::var_os("CANDYBAR_SEED").is_some() {
            eprintln!("phone {phone} has synced");
        }
        self.log
            .push(format!("phone {phone} {mode:?}: {told:?} {faults:?}"));
        let held: Vec<_> = self.phones[phone]
            .items(STORE)
            .into_iter()
            .map(|(luid, item)| (luid.0, name_and_number(&item.body.0), item.state))
            .collect();
        self.log.push(format!("  phone: {held:?}"));
        self.log
            .push(format!("  server: {:?}", self.held_by_server()));
        let report = result?;
        if faultless {
            assert!(
                report.complaints.is_empty(),
                "seed {}: {:?}",
                self.seed,
                report.complaints
            );
            assert!(!report.has_failures(), "seed {}: {report:?}", self.seed);
        }
        Ok(())
    }

    fn edit_on_phone(&mut self, phone: usize) {
        let luids: Vec<(Luid, String)> = self.phones[phone]
            .items(STORE)
            .into_iter()
            .filter_map(|(luid, item)| Some((luid, name_and_number(&item.body.0)?.0)))
            .collect();
        match (self.below(5), luids.is_empty()) {
            (3, false) => {
                let (luid, name) = luids[self.below(luids.len() as u64) as usize].clone();
                let number = self.number(&name);
                self.log
                    .push(format!("phone {phone} edits {luid:?} {name} {number}"));
                self.phones[phone].replace(STORE, &luid, card(&name, &number));
            }
            (4, false) => {
                let (luid, name) = luids[self.below(luids.len() as u64) as usize].clone();
                self.fates.entry(name).or_default().deleted = true;
                self.log.push(format!("phone {phone} deletes {luid:?}"));
                self.phones[phone].delete(STORE, &luid);
            }
            _ => {
                let name = self.new_name();
                let number = self.number(&name);
                self.log.push(format!("phone {phone} adds {name} {number}"));
                self.phones[phone].add(STORE, card(&name, &number));
            }
        }
    }

    fn edit_on_server(&mut self) {
        let items = self.items();
        if self.below(3) == 0 && !items.is_empty() {
            let (id, body) = &items[self.below(items.len() as u64) as usize];
            if let Some((name, _)) = name_and_number(body) {
                self.fates.entry(name).or_default().deleted = true;
                self.store
                    .delete_items(self.account.id, None, &[*id])
                    .expect("an item can be deleted");
            }
            return;
        }
        let name = self.new_name();
        let number = self.number(&name);
        let body = card(&name, &number);
        let record = content::read(&body, &ReadHint::default())
            .expect("our own card")
            .record;
        let item = NewItem {
            datastore: Datastore::Contacts,
            kind: record.kind,
            format: Format::VCard21,
            digest: content::digest(&record),
            key: content::match_key(&record),
            body,
        };
        self.store
            .put_items(self.account.id, None, vec![item])
            .expect("an item can be written");
    }

    fn items(&self) -> Vec<(ItemId, Vec<u8>)> {
        self.store
            .items(
                self.account.id,
                Datastore::Contacts,
                Cursor::default(),
                10_000,
            )
            .expect("items can be read")
            .into_iter()
            .filter(|item| !item.meta.deleted)
            .map(|item| (item.meta.id, item.body.into()))
            .collect()
    }

    fn held_by_server(&self) -> Vec<(String, String)> {
        sorted(self.items().into_iter().map(|(_, body)| body))
    }

    fn held_by_phone(&self, phone: usize) -> Vec<(String, String)> {
        sorted(
            self.phones[phone]
                .items(STORE)
                .into_values()
                .map(|item| item.body.0),
        )
    }

    fn new_name(&mut self) -> String {
        let name = format!("Person{}", self.fates.len());
        self.fates.insert(name.clone(), Fate::default());
        name
    }

    fn number(&mut self, name: &str) -> String {
        let number = format!("+46{:08}", self.below(100_000_000));
        self.fates
            .entry(name.to_owned())
            .or_default()
            .numbers
            .insert(number.clone());
        number
    }

    /// SplitMix64.
    fn below(&mut self, limit: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Shows a message, if one seed is being looked at.
fn trace(content_type: &str, body: &[u8], direction: &str) {
    if std::env::var_os("CANDYBAR_SEED").is_none() {
        return;
    }
    let carrier = Carrier::from_mime(content_type).expect("a SyncML message");
    let limits = candybar::syncml::codec::Limits::default();
    let message =
        candybar::syncml::codec::decode(body, carrier, &limits).expect("a SyncML message");
    let mut text = format!(
        "  {direction} {} {}",
        message.header.session_id, message.header.msg_id
    );
    let mut rest: Vec<&Command<'_>> = message.body.iter().rev().collect();
    while let Some(command) = rest.pop() {
        text += " ";
        text += command.name();
        match command {
            Command::Status(status) => text += &format!(":{}={}", status.cmd, status.code),
            Command::Alert(alert) => text += &format!("{:?}", alert.code),
            Command::Map(map) => map
                .items
                .iter()
                .for_each(|item| text += &format!("({}={})", item.target, item.source)),
            Command::Change(change) => change.items.iter().for_each(|item| {
                let of = item
                    .source
                    .as_ref()
                    .or(item.target.as_ref())
                    .map(|place| &*place.uri);
                let name = item.data.bytes().and_then(name_and_number);
                text += &format!("({of:?} {name:?})");
            }),
            Command::Sync(sync) => rest.extend(sync.commands.iter().rev()),
            _ => {}
        }
    }
    eprintln!("{text}{}", if message.last { " Final" } else { "" });
}

pub(super) fn card(name: &str, number: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL;CELL:{number}\r\nEND:VCARD\r\n")
        .into_bytes()
}

pub(super) fn name_and_number(body: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(body).ok()?;
    let value = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.split([':', ';']).next() == Some(name))?;
        line.split_once(':').map(|(_, value)| value.to_owned())
    };
    Some((value("N")?.split(';').next()?.to_owned(), value("TEL")?))
}

fn sorted(bodies: impl Iterator<Item = Vec<u8>>) -> Vec<(String, String)> {
    let mut held: Vec<_> = bodies
        .map(|body| {
            name_and_number(&body)
                .unwrap_or_else(|| panic!("no card of ours: {}", String::from_utf8_lossy(&body)))
        })
        .collect();
    held.sort();
    held
}
