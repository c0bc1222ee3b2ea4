//! One phone's life with the server.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use candybar::content::{self, Format, ReadHint};
use candybar::exchange::{Exchange, Request as ServerRequest, Settings as ServerSettings};
use candybar::handset::{
    Answer, Behaviour, DatastoreCapability, DeviceInfo, Luid, Memory, Mode, Model, Phone,
    PhoneError, Post, Report, Request, Settings, TransportError,
};
use candybar::session;
use candybar::store::{NewItem, Store, StoreConfig};
use candybar::sync::{Account, Cursor, Datastore, Secret};
use chrono_tz::Europe::Stockholm;

use super::items;

type Delivery = dyn FnMut(&Post<'_>) -> Result<Answer, TransportError>;
type Handset = Phone<Box<Delivery>>;

const STORES: [(&str, Datastore); 2] = [
    ("contacts", Datastore::Contacts),
    ("calendar", Datastore::Calendar),
];

/// A server, the phone, and another one that holds everything.
pub(crate) struct World {
    store: Store,
    account: Account,
    clock: Rc<Cell<i64>>,
    phone: Handset,
    other: Handset,
    findings: BTreeSet<String>,
    /// What each item of the server says, by its title.
    truth: BTreeMap<Datastore, BTreeMap<String, BTreeSet<String>>>,
    verbose: bool,
}

impl World {
    /// A server with so many contacts and events, which no phone has seen; `now` in seconds since 1970.
    pub(crate) fn new(model: &Model, (contacts, events): (usize, usize), now: i64) -> Self {
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
                session: session::Settings {
                    time_zone: Stockholm,
                    ..session::Settings::default()
                },
                session_timeout: 3600,
                nonce_secret: b"models".to_vec(),
            },
        );
        let clock = Rc::new(Cell::new(now));
        let deliver = || -> Box<Delivery> {
            let (server, time) = (exchange.clone(), clock.clone());
            Box::new(move |post| {
                time.set(time.get() + 1);
                let request = ServerRequest {
                    content_type: post.content_type,
                    body: post.body,
                    user_agent: Some(post.user_agent),
                    profile_header: post.profile,
                    query: None,
                };
                let reply = server
                    .handle(request, time.get())
                    .expect("the server answers");
                Ok(Answer::ok(reply.content_type, reply.body))
            })
        };
        let mut settings = model.settings("http://server/sync", "alice", "wonderland");
        settings.storage.time_zone = Stockholm;
        // A phone of that model with more memory, where it has too little for the test.
        for capability in settings.devinf.datastores.values_mut() {
            capability.max_items = capability.max_items.map(|items| items.max(2_000));
        }
        let id = model.device_id("490154203237518");
        let phone = Phone::new(
            settings,
            model.behaviour.clone(),
            Memory::new(id),
            deliver(),
        );
        let other = Phone::new(
            holds_everything(),
            Behaviour::default(),
            Memory::new("IMEI:other"),
            deliver(),
        );
        let mut world = Self {
            store,
            account,
            clock,
            phone,
            other,
            findings: BTreeSet::new(),
            truth: BTreeMap::new(),
            verbose: std::env::var_os("CANDYBAR_MODEL").is_some(),
        };
        world.import((0..contacts).map(items::contact), Datastore::Contacts);
        world.import((0..events).map(items::event), Datastore::Calendar);
        world.truth = world.on_server("before");
        world
    }

    fn import(&self, bodies: impl Iterator<Item = String>, datastore: Datastore) {
        let new = bodies
            .map(|body| {
                let record = content::read(body.as_bytes(), &ReadHint::default())
                    .expect("an item of ours")
                    .record;
                NewItem {
                    datastore,
                    kind: record.kind,
                    format: match datastore {
                        Datastore::Contacts => Format::VCard30,
                        _ => Format::ICalendar20,
                    },
                    digest: content::digest(&record),
                    key: content::match_key(&record),
                    body: body.into_bytes(),
                }
            })
            .collect();
        self.store
            .put_items(self.account.id, None, new)
            .expect("items can be written");
    }

    /// What the server's items say, by title.
    fn on_server(&mut self, when: &str) -> BTreeMap<Datastore, BTreeMap<String, BTreeSet<String>>> {
        let mut all = BTreeMap::new();
        for (name, datastore) in STORES {
            let items = self
                .store
                .items(self.account.id, datastore, Cursor::default(), 10_000)
                .expect("items can be read");
            let found: &mut BTreeMap<_, _> = all.entry(datastore).or_default();
            for item in items.into_iter().filter(|item| !item.meta.deleted) {
                let said = items::says(&item.body);
                if found.insert(title(&item.body), said).is_some() {
                    self.find(format!("{when}: items of {name} are doubled"));
                }
            }
        }
        all
    }

    /// The whole life; gives what went wrong.
    pub(crate) fn live(mut self) -> BTreeSet<String> {
        // Items of the phone's own, one of which the server has as well.
        let own = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Own;Card\r\nTEL;CELL:1234567\r\nEND:VCARD\r\n";
        let meeting = "BEGIN:VCALENDAR\r\nVERSION:1.0\r\nBEGIN:VEVENT\r\nSUMMARY:Own meeting\r\nDTSTART:20240115T100000\r\nDTEND:20240115T110000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        self.phone.add("contacts", own);
        self.phone.add("calendar", meeting);
        if !self.sync_phone("the first sync", Mode::TwoWay) {
            return self.findings;
        }
        self.settle();
        self.check("the first sync");
        self.edit();
        self.settle();
        self.check("edits on both sides");
        self.unchanged();
        if self.sync_phone("another slow sync", Mode::Slow) {
            self.settle();
            self.check("another slow sync");
        }
        self.findings
    }

    fn find(&mut self, finding: String) {
        if self.verbose && self.findings.len() < 40 {
            eprintln!("{finding}");
        }
        // Numbers would make the same finding a new one each time.
        let plain: String = finding
            .chars()
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect();
        let mut short = String::new();
        for c in plain.chars() {
            if c != '#' || !short.ends_with('#') {
                short.push(c);
            }
        }
        self.findings.insert(short);
    }

    fn sync(&mut self, odd: bool, mode: Mode) -> Result<Report, PhoneError> {
        self.clock.set(self.clock.get() + 300);
        let stores: Vec<&str> = STORES.iter().map(|(name, _)| *name).collect();
        let request = Request::new(&stores, mode, self.clock.get());
        let phone = if odd {
            &mut self.phone
        } else {
            &mut self.other
        };
        phone.sync(&request)
    }

    /// Syncs the phone; notes what was wrong. `false` if it failed.
    fn sync_phone(&mut self, when: &str, mode: Mode) -> bool {
        let report = match self.sync(true, mode) {
            Ok(report) => report,
            Err(error) => {
                self.find(format!("{when}: {error}"));
                return false;
            }
        };
        for complaint in &report.complaints {
            self.find(format!("{when}: the server: {complaint}"));
        }
        for mishap in &report.mishaps {
            self.find(format!("{when}: {mishap}"));
        }
        for store in &report.datastores {
            if let Some(code) = store.refused {
                self.find(format!("{when}: {} was refused with {code}", store.name));
            }
            for failure in &store.failures {
                self.find(format!(
                    "{when}: {} in {} failed with {} ({:?})",
                    failure.command, store.name, failure.code, failure.direction
                ));
            }
        }
        true
    }

    fn sync_other(&mut self) {
        let report = self
            .sync(false, Mode::TwoWay)
            .unwrap_or_else(|error| panic!("the other phone: {error}"));
        assert!(!report.has_failures(), "{report:?}");
    }

    fn settle(&mut self) {
        for _ in 0..2 {
            self.sync_phone("settling", Mode::TwoWay);
            self.sync_other();
        }
    }

    /// Nothing has changed, so nothing is sent.
    fn unchanged(&mut self) {
        let Ok(report) = self.sync(true, Mode::TwoWay) else {
            self.find("a sync without changes failed".to_owned());
            return;
        };
        for store in &report.datastores {
            if store.sent.total() + store.received.total() > 0 {
                self.find(format!(
                    "a sync without changes: {:?} sent, {:?} received in {} ({})",
                    store.sent, store.received, store.name, store.used
                ));
            }
        }
    }

    /// A tenth of the items is edited on the phone, another tenth on the other one; both delete and add.
    fn edit(&mut self) {
        for (name, datastore) in STORES {
            let (property, text) = match datastore {
                Datastore::Contacts => ("TEL", "TEL;CELL:+4670999"),
                _ => ("SUMMARY", "SUMMARY:Changed "),
            };
            let of_phone: Vec<(Luid, Vec<u8>)> = self
                .phone
                .items(name)
                .into_iter()
                .map(|(luid, item)| (luid, item.body.0))
                .collect();
            let mut touched = BTreeSet::new();
            for (index, (luid, body)) in of_phone.iter().enumerate() {
                let Some(key) = key(&self.phone, name, body) else {
                    self.find(format!("an item of {name} on the phone has no title"));
                    continue;
                };
                let Some(title) = self.truth[&datastore]
                    .keys()
                    .find(|title| **title == key)
                    .cloned()
                else {
                    continue;
                };
                if index % 10 == 3 {
                    let line = format!("{text}{index}");
                    let changed = self.edited(name, body, property, &line);
                    self.phone
                        .client_mut()
                        .memory_mut()
                        .datastore_mut(name)
                        .replace(luid, &changed);
                    touched.insert(title.clone());
                    self.rename(datastore, &title, property, &line);
                } else if index % 20 == 7 {
                    assert!(self.phone.delete(name, luid));
                    touched.insert(title.clone());
                    if let Some(items) = self.truth.get_mut(&datastore) {
                        items.remove(&title);
                    }
                }
            }
            let of_other: Vec<(Luid, Vec<u8>)> = self
                .other
                .items(name)
                .into_iter()
                .map(|(luid, item)| (luid, item.body.0))
                .collect();
            for (index, (luid, body)) in of_other.iter().enumerate() {
                let title = title(body);
                if touched.contains(&title) || !self.truth[&datastore].contains_key(&title) {
                    continue;
                }
                if index % 10 == 5 {
                    let (property, line) = match datastore {
                        Datastore::Contacts => ("ROLE", format!("ROLE:Changed {index}")),
                        _ => ("URL", format!("URL:http://example.org/changed/{index}")),
                    };
                    assert!(
                        self.other
                            .replace(name, luid, replace_line(body, property, &line))
                    );
                    self.rename(datastore, &title, property, &line);
                } else if index % 20 == 8 {
                    assert!(self.other.delete(name, luid));
                    if let Some(items) = self.truth.get_mut(&datastore) {
                        items.remove(&title);
                    }
                }
            }
        }
        let new = items::contact(900_001);
        self.other.add("contacts", &new);
        let said = items::says(new.as_bytes());
        let contacts = self.truth.entry(Datastore::Contacts).or_default();
        contacts.insert(title(new.as_bytes()), said);
    }

    /// An item of the phone with another line for a property.
    fn edited(&self, store: &str, body: &[u8], property: &str, line: &str) -> Vec<u8> {
        let storage = &self.phone.client().settings().storage;
        if !storage.wraps(store) {
            return replace_line(body, property, line);
        }
        let field = match property {
            "TEL" => "MobileTelephoneNumber",
            _ => "Subject",
        };
        let text = line.split_once(':').map_or("", |(_, text)| text);
        storage.with_field(store, body, field, text)
    }

    /// A property of an item says something else now.
    fn rename(&mut self, datastore: Datastore, title: &str, property: &str, line: &str) {
        let Some(items) = self.truth.get_mut(&datastore) else {
            return;
        };
        let Some(mut said) = items.remove(title) else {
            return;
        };
        let value = line.split_once(':').map_or("", |(_, value)| value);
        let component = if datastore == Datastore::Contacts {
            "VCARD"
        } else {
            "VEVENT"
        };
        let prefix = format!("{component}.{property}=");
        let first = match property {
            // The phone's first number is the mobile one.
            "TEL" => said
                .iter()
                .find(|entry| entry.starts_with(&format!("{prefix}+46700")))
                .cloned(),
            _ => said
                .iter()
                .find(|entry| entry.starts_with(&prefix))
                .cloned(),
        };
        if let Some(first) = first {
            said.remove(&first);
        }
        said.insert(format!("{prefix}{value}"));
        let title = if property == "SUMMARY" { value } else { title };
        items.insert(title.to_owned(), said);
    }

    /// The server says all that it said, and the phone has every item once.
    fn check(&mut self, when: &str) {
        let now = self.on_server(when);
        for (name, datastore) in STORES {
            let (truth, now) = (self.truth[&datastore].clone(), &now[&datastore]);
            for (title, said) in &truth {
                let Some(says) = now.get(title) else {
                    self.find(format!("{when}: an item of {name} is gone from the server"));
                    if self.verbose {
                        eprintln!("  {title}");
                    }
                    continue;
                };
                for lost in said.difference(says) {
                    let property = lost.split('=').next().unwrap_or_default();
                    let of_now = says
                        .iter()
                        .find(|entry| entry.starts_with(&format!("{property}=")));
                    self.find(format!("{when}: the server lost {property}"));
                    if self.verbose {
                        eprintln!("  {title}: {lost}, now {of_now:?}");
                    }
                }
            }
            let own = now.len().saturating_sub(truth.len());
            if own > 1 {
                self.find(format!("{when}: items of {name} that nobody made"));
                if self.verbose {
                    let new: Vec<_> = now
                        .keys()
                        .filter(|title| !truth.contains_key(*title))
                        .collect();
                    eprintln!("  {:?}", &new[..new.len().min(5)]);
                }
            }
            let held = self.phone.items(name);
            if held.len() != now.len() {
                let (held, now) = (held.len(), now.len());
                self.find(format!(
                    "{when}: the phone does not have the items of {name}"
                ));
                if self.verbose {
                    eprintln!("  {held} on the phone, {now} on the server");
                }
            }
        }
        self.check_hours(when);
    }

    /// Events are shown at the hour at which they are.
    fn check_hours(&mut self, when: &str) {
        let storage = self.phone.client().settings().storage.clone();
        let mut wrong = 0;
        for item in self.phone.items("calendar").into_values() {
            let body = &item.body.0;
            let (summary, start) = match storage.wraps("calendar") {
                true => ("Subject", "Start"),
                false => ("SUMMARY", "DTSTART"),
            };
            let shown = storage.shown("calendar", body, summary);
            let Some(title) = shown.first() else { continue };
            let truth = &self.truth[&Datastore::Calendar];
            let Some(said) = truth.get(title) else {
                continue;
            };
            let starts = storage.shown_times("calendar", body, start);
            let meant = items::value(said, "DTSTART").and_then(local);
            if meant.is_some() && starts.first() != meant.as_ref() {
                wrong += 1;
                if self.verbose && wrong < 4 {
                    eprintln!("  {title}: shown {starts:?}, meant {meant:?}");
                }
            }
        }
        if wrong > 0 {
            self.find(format!("{when}: events are shown at a wrong hour"));
        }
    }
}

/// A UTC time in Stockholm.
fn local(utc: &str) -> Option<chrono::NaiveDateTime> {
    let time = chrono::NaiveDateTime::parse_from_str(utc, "%Y%m%dT%H%M%SZ").ok()?;
    Some(time.and_utc().with_timezone(&Stockholm).naive_local())
}

/// A phone that holds everything in the modern forms.
fn holds_everything() -> Settings {
    let capability = |kind: &str, version: &str| DatastoreCapability {
        content_types: vec![(kind.to_owned(), version.to_owned())],
        max_guid_size: Some(64),
        sync_types: (1..=7).collect(),
        ..DatastoreCapability::default()
    };
    let mut settings = Settings::new("http://server/sync", "alice", "wonderland");
    settings.devinf = DeviceInfo::default();
    settings.devinf.datastores = [
        ("contacts".to_owned(), capability("text/vcard", "3.0")),
        ("calendar".to_owned(), capability("text/calendar", "2.0")),
    ]
    .into();
    settings
}

fn title(body: &[u8]) -> String {
    let record = content::read(body, &ReadHint::default())
        .expect("an item of ours")
        .record;
    let said = items::says(body);
    match items::value(&said, "N") {
        Some(name) => name.split(';').take(2).collect::<Vec<_>>().join(" "),
        None => content::title(&record),
    }
}

/// What names an item on the phone.
fn key(phone: &Handset, store: &str, body: &[u8]) -> Option<String> {
    let storage = &phone.client().settings().storage;
    let shown = |property| storage.shown(store, body, property).into_iter().next();
    if storage.wraps(store) {
        return match shown("LastName") {
            Some(name) => Some(format!("{name} {}", shown("FirstName").unwrap_or_default())),
            None => shown("Subject"),
        };
    }
    match shown("N") {
        Some(name) => Some(name.split(';').take(2).collect::<Vec<_>>().join(" ")),
        None => shown("SUMMARY"),
    }
}

/// Replaces the first line of a property; of numbers, that of the mobile one, wherever the phone has put it.
fn replace_line(body: &[u8], property: &str, line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut done = false;
    let mut skipping = false;
    for old in body.split_inclusive(|byte| *byte == b'\n') {
        let name = old
            .split(|byte| matches!(byte, b':' | b';'))
            .next()
            .unwrap_or_default();
        let other_number = property == "TEL" && !contains(old, b"+46700");
        if !done && name.eq_ignore_ascii_case(property.as_bytes()) && !other_number {
            out.extend_from_slice(line.as_bytes());
            out.extend_from_slice(b"\r\n");
            done = true;
            skipping = old.trim_ascii_end().ends_with(b"=");
            continue;
        }
        if skipping
            || (done
                && out.ends_with(b"\r\n")
                && old.starts_with(b" ")
                && out.ends_with(format!("{line}\r\n").as_bytes()))
        {
            skipping = old.trim_ascii_end().ends_with(b"=");
            continue;
        }
        out.extend_from_slice(old);
    }
    out
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
