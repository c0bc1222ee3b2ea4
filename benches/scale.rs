//! Whether a sync costs what its changes cost, not what the account holds; and where the time of a sync goes.
//!
//! ```text
//! cargo bench --bench scale
//! ```
//!
//! Everything runs in this process: a virtual phone, the engine, a SQLite file with every fsync. CPU is user and system
//! time of the process. Prints tables, and asserts nothing.

use candybar::content::{self, Format, Kind, ReadHint};
use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Auth, Behaviour, Memory, Mode, Phone, Post, Request, Settings, TransportError,
};
use candybar::session;
use candybar::store::{NewItem, Store, StoreConfig};
use candybar::sync::{
    Account, Change, Commit, Cursor, Datastore, Device, Echo, Entry, ItemId, ItemMeta, ItemWrite,
    Mark, Modseq, Round, Secret,
};

const STORE: &str = "contacts";
/// Sessions without changes of each size.
const SESSIONS: u32 = 500;
/// The unit of the times in `/proc/self/stat`; Linux shows them in hundredths of a second on every architecture.
const TICKS_PER_SECOND: f64 = 100.0;

type Delivery = Box<dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>>;

struct World {
    _folder: tempfile::TempDir,
    store: Store,
    account: Account,
    phone: Phone<Delivery>,
    clock: i64,
}

fn main() {
    println!("{SESSIONS} sessions without changes, engine and phone in one process");
    let few = no_changes(100);
    let many = no_changes(100_000);
    println!("{:>10} items  {:>8.3} ms CPU a session", 100, few * 1000.0);
    println!(
        "{:>10} items  {:>8.3} ms CPU a session",
        100_000,
        many * 1000.0
    );
    println!("{:>16}  {:>8.2}", "ratio", many / few);

    println!("\nupload of 20,000 contacts, microseconds of CPU an item");
    let whole = upload(20_000);
    let rows = rows_alone(20_000);
    println!("  engine, phone and store  {whole:>7.1}");
    println!("  the same rows alone      {rows:>7.1}");
    println!("  ratio                    {:>7.1}", whole / rows);
}

/// CPU seconds of a session without changes in an account with that many items, all of them on the phone.
fn no_changes(items: u32) -> f64 {
    let mut world = World::new();
    world.fill(items);
    world.sync(Mode::Slow);
    // The virtual phone looks through all its items at each sync; without them what is left is the server's work.
    world
        .phone
        .client_mut()
        .memory_mut()
        .datastore_mut(STORE)
        .items
        .clear();
    world.sync(Mode::TwoWay);
    let before = cpu();
    for _ in 0..SESSIONS {
        world.sync(Mode::TwoWay);
    }
    (cpu() - before) / f64::from(SESSIONS)
}

fn upload(items: u32) -> f64 {
    let mut world = World::new();
    for number in 0..items {
        world.phone.add(STORE, card(number));
    }
    let before = cpu();
    world.sync(Mode::Slow);
    let spent = cpu() - before;
    let held = world
        .store
        .items(
            world.account.id,
            Datastore::Contacts,
            Cursor::default(),
            items + 1,
        )
        .expect("the items can be read");
    assert_eq!(held.len(), items as usize, "all items have arrived");
    spent * 1e6 / f64::from(items)
}

/// The rows of an upload, written by the store with nothing before it.
fn rows_alone(items: u32) -> f64 {
    let world = World::new();
    let account = world.account.id;
    let device = world
        .store
        .add_device(
            account,
            Device {
                uri: "IMEI:rows".into(),
                ..Device::default()
            },
        )
        .expect("a device");
    let commits: Vec<Commit> = (0..items)
        .collect::<Vec<_>>()
        .chunks(250)
        .map(|numbers| {
            let first = i64::from(numbers[0]);
            let last = first + numbers.len() as i64;
            let changes = numbers.iter().flat_map(|number| row(*number)).collect();
            Commit {
                account,
                device: Some(device.id),
                expected: Modseq(first),
                modseq: Modseq(last),
                next_item: ItemId(last + 1),
                changes,
                session: None,
                now: 1_700_000_000,
            }
        })
        .collect();
    let before = cpu();
    for commit in commits {
        world.store.commit(commit).expect("the rows can be written");
    }
    (cpu() - before) * 1e6 / f64::from(items)
}

fn row(number: u32) -> [Change; 2] {
    let id = ItemId(i64::from(number) + 1);
    let modseq = Modseq(id.0);
    let item = new_item(number);
    let meta = ItemMeta {
        id,
        datastore: item.datastore,
        modseq,
        deleted: false,
        format: item.format,
        digest: item.digest,
        key: item.key,
        updated: 1_700_000_000,
        parent: ItemId(0),
        content: modseq,
    };
    let entry = Entry {
        item: id,
        luid: Some(id.0.to_string()),
        seen: modseq,
        sent: None,
        digest: item.digest,
        mark: Mark::default(),
        round: Round(1),
        failures: 0,
        parent: ItemId(0),
        echo: Echo::default(),
    };
    let write = ItemWrite {
        meta,
        body: item.body.into(),
        original: None,
        origin: None,
    };
    [
        Change::PutItem(write),
        Change::PutEntry {
            view: Datastore::Contacts,
            entry,
        },
    ]
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite:{}", folder.path().join("scale.db").display());
        let store = Store::open(&StoreConfig { url, key: None }).expect("a store");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let exchange = Exchange::new(
            store.clone(),
            ServerSettings {
                session: session::Settings::default(),
                session_timeout: 3600,
                nonce_secret: b"scale".to_vec(),
            },
        );
        let mut now = 1_700_000_000;
        let deliver: Delivery = Box::new(move |post| {
            now += 1;
            let request = ServerRequest {
                content_type: post.content_type,
                body: post.body,
                user_agent: None,
                profile_header: None,
                query: None,
            };
            let reply = exchange.handle(request, now).expect("the server answers");
            Ok(Answer::ok(reply.content_type, reply.body))
        });
        let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
        settings.auth = Auth::Basic;
        settings.max_msg_size = 150_000;
        let phone = Phone::new(
            settings,
            Behaviour::default(),
            Memory::new("IMEI:1"),
            deliver,
        );
        Self {
            _folder: folder,
            store,
            account,
            phone,
            clock: 1_700_000_000,
        }
    }

    fn fill(&self, items: u32) {
        let items = (0..items).map(new_item).collect();
        self.store
            .put_items(self.account.id, None, items)
            .expect("items can be written");
    }

    fn sync(&mut self, mode: Mode) {
        self.clock += 1;
        let report = self
            .phone
            .sync(&Request::new(&[STORE], mode, self.clock))
            .expect("the sync succeeds");
        assert!(!report.has_failures(), "{report:?}");
    }
}

fn new_item(number: u32) -> NewItem {
    let body = card(number);
    let record = content::read(&body, &ReadHint::default())
        .expect("our own card")
        .record;
    NewItem {
        datastore: Datastore::Contacts,
        kind: Kind::Contact,
        format: Format::VCard21,
        digest: content::digest(&record),
        key: content::match_key(&record),
        body,
    }
}

fn card(number: u32) -> Vec<u8> {
    format!(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Name{number:06};Given{};;;\r\nFN:Given Name{number:06}\r\nORG:Company {};Sales\r\n\
         TITLE:Engineer\r\nTEL;CELL:+49170{number:07}\r\nTEL;WORK:+4930{number:07}\r\n\
         EMAIL;INTERNET:name{number}@example.com\r\nADR;HOME:;;Street {};Town;;{:05};Country\r\nBDAY:19700{}01\r\n\
         NOTE:Number {number} of many\r\nEND:VCARD\r\n",
        number % 97,
        number % 40,
        number % 200,
        number % 100_000,
        1 + number % 9,
    )
    .into_bytes()
}

/// User and system time of this process so far, in seconds.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux tells a process its times");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |index: usize| {
        fields
            .get(index)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or_default()
    };
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}
