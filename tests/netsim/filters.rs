//! Filters end to end: virtual phones that want only some items or fields, against the server's engine.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use candybar::content::{self, Format, ReadHint};
use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Behaviour, DatastoreReport, Failure, FaultRates, Faults, Memory, Mode, Phone,
    PhoneError, Post, Request, Settings, TransportError, Wanted,
};
use candybar::session;
use candybar::store::{NewItem, Store, StoreConfig};
use candybar::sync::{Account, Cursor, Datastore, ItemId, Secret};
use candybar::syncml::{Carrier, Code, Version};

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;

/// A server and a phone.
struct Filtered {
    store: Store,
    account: Account,
    datastore: Datastore,
    phone: Phone<Faults<Box<Delivery>>>,
    clock: Rc<Cell<i64>>,
}

impl Filtered {
    fn new(
        datastore: Datastore,
        faults: (u64, FaultRates),
        change: impl Fn(&mut Settings),
    ) -> Self {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .expect("a store in memory");
        let account = store
            .add_account("alice", &Secret("wonderland".into()))
            .expect("an account");
        let server = Exchange::new(
            store.clone(),
            ServerSettings {
                session: session::Settings::default(),
                session_timeout: 3600,
                nonce_secret: b"netsim".to_vec(),
            },
        );
        let clock = Rc::new(Cell::new(1_700_000_000));
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
            let reply = server
                .handle(request, time.get())
                .expect("the server answers");
            Ok(Answer::ok(reply.content_type, reply.body))
        });
        let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
        change(&mut settings);
        let network = Faults::new(deliver, faults.0, faults.1);
        Self {
            store,
            account,
            datastore,
            phone: Phone::new(
                settings,
                Behaviour::default(),
                Memory::new("IMEI:1"),
                network,
            ),
            clock,
        }
    }

    fn want(&mut self, wanted: Option<Wanted>) {
        let filters = &mut self.phone.client_mut().settings_mut().filters;
        filters.clear();
        filters.extend(wanted.map(|wanted| (self.datastore.name().to_owned(), wanted)));
    }

    fn try_sync(&mut self, mode: Mode) -> Result<DatastoreReport, PhoneError> {
        self.clock.set(self.clock.get() + 300);
        let request = Request::new(&[self.datastore.name()], mode, self.clock.get());
        let report = self.phone.sync(&request)?;
        Ok(report.datastores[0].clone())
    }

    fn sync(&mut self, mode: Mode) -> DatastoreReport {
        let report = self.try_sync(mode).expect("a sync");
        assert_eq!((report.used, report.refused), (mode, None));
        assert!(report.failures.is_empty(), "{report:?}");
        report
    }

    /// Writes an item on the server; a new one without an id.
    fn put(&self, id: Option<ItemId>, body: &str) {
        let record = content::read(body.as_bytes(), &ReadHint::default())
            .expect("an item of ours")
            .record;
        let item = NewItem {
            datastore: self.datastore,
            kind: record.kind,
            format: match self.datastore {
                Datastore::Contacts => Format::VCard21,
                _ => Format::VCalendar10,
            },
            digest: content::digest(&record),
            key: content::match_key(&record),
            body: body.as_bytes().to_vec(),
        };
        if let Some(id) = id {
            self.store
                .delete_items(self.account.id, None, &[id])
                .expect("deleted");
        }
        self.store
            .put_items(self.account.id, None, vec![item])
            .expect("written");
    }

    fn on_server(&self) -> Vec<(ItemId, String)> {
        self.store
            .items(self.account.id, self.datastore, Cursor::default(), 1_000)
            .expect("items")
            .into_iter()
            .filter(|item| !item.meta.deleted)
            .map(|item| {
                let body = String::from_utf8(item.body.into()).expect("text");
                (item.meta.id, body)
            })
            .collect()
    }

    fn titles_on_server(&self) -> Vec<String> {
        sorted(self.on_server().into_iter().map(|(_, body)| title(&body)))
    }

    fn titles_on_phone(&self) -> Vec<String> {
        let items = self.phone.items(self.datastore.name()).into_values();
        sorted(items.map(|item| title(&String::from_utf8(item.body.0).expect("text"))))
    }
}

fn sorted(titles: impl Iterator<Item = String>) -> Vec<String> {
    let mut titles: Vec<_> = titles.collect();
    titles.sort();
    titles
}

/// Value of SUMMARY, or the family name.
fn title(body: &str) -> String {
    let line = body
        .lines()
        .find_map(|line| line.strip_prefix("SUMMARY:").or(line.strip_prefix("N:")));
    let line = line.unwrap_or_else(|| panic!("no title: {body}"));
    line.split(';').next().unwrap_or_default().to_owned()
}

fn sound() -> (u64, FaultRates) {
    (1, FaultRates::default())
}

fn event(summary: &str, start: &str, more: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY:{summary}\r\nDTSTART:{start}\r\n{more}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
}

fn card(name: &str, more: &str) -> String {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\n{more}END:VCARD\r\n")
}

fn exclusive(record: &str) -> Option<Wanted> {
    Some(Wanted {
        record: Some(record.to_owned()),
        ..Wanted::default()
    })
}

fn inclusive(record: &str) -> Option<Wanted> {
    Some(Wanted {
        record: Some(record.to_owned()),
        inclusive: true,
        ..Wanted::default()
    })
}

const AUGUST: &str = "SINCE&EQ;20070801T000000Z&AND;BEFORE&EQ;20070901T000000Z";
const SEPTEMBER: &str = "SINCE&EQ;20070901T000000Z&AND;BEFORE&EQ;20071001T000000Z";

#[test]
fn a_window_moves_over_the_calendar_without_a_slow_sync() {
    for carrier in [Carrier::Xml, Carrier::Wbxml] {
        let mut world = Filtered::new(Datastore::Calendar, sound(), |settings| {
            settings.carrier = carrier
        });
        for (name, start, more) in [
            ("July", "20070715T100000Z", ""),
            ("August", "20070815T100000Z", ""),
            ("September", "20070915T100000Z", ""),
            ("Weekly", "20070102T100000Z", "RRULE:W1 TU #0\r\n"),
        ] {
            world.put(None, &event(name, start, more));
        }
        world.want(exclusive(AUGUST));
        world.sync(Mode::Slow);
        assert_eq!(world.titles_on_phone(), ["August", "Weekly"]);
        // Nothing changed, nothing is sent.
        let report = world.sync(Mode::TwoWay);
        assert_eq!((report.received.total(), report.sent.total()), (0, 0));

        // The window moves: what leaves it leaves the phone and stays on the server.
        world.want(exclusive(SEPTEMBER));
        let report = world.sync(Mode::TwoWay);
        assert_eq!(world.titles_on_phone(), ["September", "Weekly"]);
        assert_eq!((report.received.adds, report.received.deletes), (1, 1));
        assert_eq!(report.received.replaces, 0);
        assert_eq!(world.on_server().len(), 4);
        assert_eq!(world.sync(Mode::TwoWay).received.total(), 0);
        // It moves back, and then there is none.
        world.want(exclusive(AUGUST));
        world.sync(Mode::TwoWay);
        assert_eq!(world.titles_on_phone(), ["August", "Weekly"]);
        world.want(None);
        world.sync(Mode::TwoWay);
        assert_eq!(
            world.titles_on_phone(),
            ["August", "July", "September", "Weekly"]
        );
        world.want(exclusive(AUGUST));
        world.sync(Mode::Slow);
        assert_eq!(world.titles_on_phone(), ["August", "Weekly"]);
        assert_eq!(world.on_server().len(), 4);
    }
}

#[test]
fn an_item_follows_its_own_changes_in_and_out() {
    let mut world = Filtered::new(Datastore::Calendar, sound(), |_| {});
    world.want(exclusive(AUGUST));
    world
        .phone
        .add("calendar", event("Own", "20070815T100000Z", ""));
    world.sync(Mode::Slow);
    assert_eq!(world.titles_on_phone(), ["Own"]);
    // The phone's user moves it out of the window: it leaves the phone, not the server.
    let luid = world
        .phone
        .items("calendar")
        .keys()
        .next()
        .expect("one")
        .clone();
    world
        .phone
        .replace("calendar", &luid, event("Own", "20071115T100000Z", ""));
    let report = world.sync(Mode::TwoWay);
    assert_eq!((report.sent.replaces, report.received.deletes), (1, 1));
    assert!(world.titles_on_phone().is_empty());
    assert_eq!(world.titles_on_server(), ["Own"]);
    // And what is made outside of it as well.
    world
        .phone
        .add("calendar", event("Far", "20201224T100000Z", ""));
    world.sync(Mode::TwoWay);
    assert!(world.titles_on_phone().is_empty());
    assert_eq!(world.titles_on_server(), ["Far", "Own"]);
    // Deleted on the server, nothing is sent to a phone that does not have it.
    let (far, _) = world.on_server()[1];
    world
        .store
        .delete_items(world.account.id, None, &[far])
        .expect("deleted");
    assert_eq!(world.sync(Mode::TwoWay).received.total(), 0);
    world.want(None);
    world.sync(Mode::TwoWay);
    assert_eq!(world.titles_on_phone(), ["Own"]);
}

#[test]
fn inclusive_filters_and_addresses_only_limit_what_is_new() {
    let on_address = |settings: &mut Settings| {
        settings.version = Version::V11;
        settings.carrier = Carrier::Xml;
    };
    for old in [false, true] {
        let mut world = Filtered::new(Datastore::Contacts, sound(), |settings| {
            if old {
                on_address(settings);
            }
        });
        world.put(None, &card("Family", "CATEGORIES:Family\r\n"));
        world.put(None, &card("Work", "CATEGORIES:Work\r\n"));
        world.phone.add("contacts", card("Mine", "TEL:1\r\n"));
        let filter = "CATEGORIES&EQ;Family";
        if old {
            let settings = world.phone.client_mut().settings_mut();
            let addresses = settings.datastores.get_mut("contacts").expect("contacts");
            addresses.remote = format!("./contacts?{filter}");
        } else {
            world.want(inclusive(filter));
        }
        world.sync(Mode::Slow);
        assert_eq!(world.titles_on_phone(), ["Family", "Mine"], "old: {old}");
        assert_eq!(world.titles_on_server(), ["Family", "Mine", "Work"]);
        // What the phone has goes on being synced though it does not pass.
        let (mine, _) = world
            .on_server()
            .into_iter()
            .find(|(_, body)| body.contains("Mine"))
            .expect("Mine");
        world
            .store
            .delete_items(world.account.id, None, &[mine])
            .expect("deleted");
        world.sync(Mode::TwoWay);
        assert_eq!(world.titles_on_phone(), ["Family"], "old: {old}");
    }
}

#[test]
fn fields_that_are_not_wanted_are_neither_sent_nor_lost() {
    let mut world = Filtered::new(Datastore::Contacts, sound(), |_| {});
    world.put(
        None,
        &card(
            "Anna",
            "TEL;CELL:1\r\nEMAIL:anna@example.org\r\nNOTE:likes tea\r\n",
        ),
    );
    world.want(Some(Wanted {
        fields: vec!["TEL".to_owned()],
        ..Wanted::default()
    }));
    world.sync(Mode::Slow);
    let (luid, item) = world.phone.items("contacts").pop_first().expect("Anna");
    let body = String::from_utf8(item.body.0).expect("text");
    assert!(body.contains("TEL") && body.contains("N:Anna"), "{body}");
    assert!(!body.contains("EMAIL") && !body.contains("NOTE"), "{body}");
    // The phone knows no more, and edits that.
    world
        .phone
        .replace("contacts", &luid, card("Anna", "TEL;CELL:2\r\n"));
    world.sync(Mode::TwoWay);
    let body = world.on_server()[0].1.clone();
    assert!(
        body.contains("anna@example.org") && body.contains("likes tea"),
        "{body}"
    );
    assert!(body.contains(":2"), "{body}");
    // It edits again in the very session in which it wants everything: still nothing is lost, and it gets the rest.
    world
        .phone
        .replace("contacts", &luid, card("Anna", "TEL;CELL:3\r\n"));
    world.want(None);
    world.sync(Mode::TwoWay);
    let body = world.on_server()[0].1.clone();
    assert!(
        body.contains("anna@example.org") && body.contains(":3"),
        "{body}"
    );
    let (_, item) = world.phone.items("contacts").pop_first().expect("Anna");
    let body = String::from_utf8(item.body.0).expect("text");
    assert!(
        body.contains("anna@example.org") && body.contains("likes tea"),
        "{body}"
    );
    assert_eq!(world.sync(Mode::TwoWay).received.total(), 0);
}

#[test]
fn a_refresh_from_the_phone_leaves_what_its_filter_hid() {
    for still_filtered in [true, false] {
        let mut world = Filtered::new(Datastore::Calendar, sound(), |_| {});
        world.put(None, &event("July", "20070715T100000Z", ""));
        world.put(None, &event("August", "20070815T100000Z", ""));
        world.want(exclusive(AUGUST));
        world.sync(Mode::Slow);
        assert_eq!(world.titles_on_phone(), ["August"]);
        let luid = world
            .phone
            .items("calendar")
            .keys()
            .next()
            .expect("one")
            .clone();
        world.phone.delete("calendar", &luid);
        world
            .phone
            .add("calendar", event("New", "20070816T100000Z", ""));
        if !still_filtered {
            world.want(None);
        }
        world.sync(Mode::RefreshFromClient);
        assert_eq!(world.titles_on_server(), ["July", "New"]);
        // What was hidden comes when it is wanted.
        world.want(None);
        world.sync(Mode::TwoWay);
        assert_eq!(world.titles_on_phone(), ["July", "New"]);
    }
}

#[test]
fn only_tasks_of_a_calendar() {
    let mut world = Filtered::new(Datastore::Calendar, sound(), |settings| {
        let addresses = settings.datastores.get_mut("calendar").expect("calendar");
        addresses.remote = "./Calendar?TODO".to_owned();
    });
    world.put(None, &event("Meeting", "20070815T100000Z", ""));
    world
        .phone
        .add("calendar", "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VTODO\r\nSUMMARY:Milk\r\nEND:VTODO\r\nEND:VCALENDAR\r\n");
    world.sync(Mode::Slow);
    assert_eq!(world.titles_on_phone(), ["Milk"]);
    assert_eq!(world.titles_on_server(), ["Meeting"]);
    world.datastore = Datastore::Tasks;
    assert_eq!(world.titles_on_server(), ["Milk"]);
}

#[test]
fn what_cannot_be_filtered_is_refused() {
    for (datastore, filter, code) in [
        (Datastore::Contacts, "CLASS&EQ", Code::BAD_CGI_SCRIPT),
        (Datastore::Calendar, "SINCE&EQ;soon", Code::BAD_CGI_SCRIPT),
        (
            Datastore::Calendar,
            "(CLASS&EQ;PUBLIC",
            Code::BAD_CGI_SCRIPT,
        ),
        // A filter on a misspelt property would take everything from the phone.
        (
            Datastore::Contacts,
            "KLASS&EQ;PRIVATE",
            Code::FEATURE_NOT_SUPPORTED,
        ),
        (
            Datastore::Contacts,
            "SINCE&EQ;20070801",
            Code::FEATURE_NOT_SUPPORTED,
        ),
        (
            Datastore::Calendar,
            "MAXCOUNT&EQ;5",
            Code::FEATURE_NOT_SUPPORTED,
        ),
    ] {
        for old in [false, true] {
            let mut world = Filtered::new(datastore, sound(), |_| {});
            if old {
                let settings = world.phone.client_mut().settings_mut();
                settings.version = Version::V11;
                let addresses = settings.datastores.get_mut(datastore.name()).expect("it");
                addresses.remote = format!("./{datastore}?{filter}");
                if filter == "CLASS&EQ" {
                    continue;
                }
            } else {
                world.want(exclusive(filter));
            }
            match world.try_sync(Mode::TwoWay) {
                Err(PhoneError::Failed(Failure::DatastoresRefused(given))) => {
                    assert_eq!(given, code, "{filter}")
                }
                other => panic!("{filter}: {other:?}"),
            }
        }
    }
    let mut world = Filtered::new(Datastore::Contacts, sound(), |settings| {
        let store = settings.devinf.datastores.get_mut("contacts");
        let types = &mut store.expect("contacts").content_types;
        types[0].0 = "text/calendar".to_owned();
    });
    world.want(exclusive("CLASS&EQ;PRIVATE"));
    match world.try_sync(Mode::TwoWay) {
        Err(PhoneError::Failed(Failure::DatastoresRefused(given))) => {
            assert_eq!(given, Code::UNSUPPORTED_MEDIA_TYPE)
        }
        other => panic!("{other:?}"),
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % limit
    }
}

/// Items change on both sides and filters change from sync to sync, over a bad network; when all is well again the phone
/// has exactly what passes, and the server everything that nobody deleted.
#[test]
fn filters_change_while_the_network_fails() {
    const GROUPS: u64 = 4;
    for seed in super::seeds(300).filter(|seed| super::only().is_none_or(|one| one == *seed)) {
        let mut random = Random(seed);
        let small = random.below(3) == 0;
        let mut world = Filtered::new(
            Datastore::Contacts,
            (seed, FaultRates::all(80)),
            |settings| {
                if small {
                    settings.max_msg_size = 2_000;
                }
            },
        );
        let mut group_wanted = None;
        let mut alive = BTreeSet::new();
        let grouped = |name: &str, group: u64| card(name, &format!("CATEGORIES:G{group}\r\n"));
        for round in 0..6 {
            for step in 0..random.below(4) {
                let name = format!("P{round}x{step}");
                let group = random.below(GROUPS);
                let held: Vec<_> = world.phone.items("contacts").into_iter().collect();
                match random.below(4) {
                    0 => {
                        world.phone.add("contacts", grouped(&name, group));
                        alive.insert(name);
                    }
                    1 if !held.is_empty() => {
                        // The phone's user puts one into another group.
                        let (luid, item) = &held[random.below(held.len() as u64) as usize];
                        let name = title(&String::from_utf8(item.body.0.clone()).expect("text"));
                        world.phone.replace("contacts", luid, grouped(&name, group));
                    }
                    _ => {
                        world.put(None, &grouped(&name, group));
                        alive.insert(name);
                    }
                }
            }
            if random.below(2) == 0 {
                group_wanted = Some(random.below(GROUPS + 1)).filter(|group| *group < GROUPS);
                let filter = group_wanted.map(|group| format!("CATEGORIES&EQ;G{group}"));
                world.want(filter.and_then(|filter| exclusive(&filter)));
            }
            let mode = if random.below(6) == 0 {
                Mode::Slow
            } else {
                Mode::TwoWay
            };
            // It may fail: that is what the faults are for.
            let _ = world.try_sync(mode);
        }
        world.phone.transport_mut().heal();
        for _ in 0..4 {
            world
                .try_sync(Mode::TwoWay)
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
        let on_server = world.on_server();
        let names = sorted(on_server.iter().map(|(_, body)| title(body)));
        assert_eq!(
            names,
            alive.into_iter().collect::<Vec<_>>(),
            "seed {seed}: the server"
        );
        let passing = on_server.iter().filter(|(_, body)| {
            group_wanted.is_none_or(|group| body.contains(&format!("G{group}")))
        });
        let passing = sorted(passing.map(|(_, body)| title(body)));
        assert_eq!(world.titles_on_phone(), passing, "seed {seed}: the phone");
    }
}
