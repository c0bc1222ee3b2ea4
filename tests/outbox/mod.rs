//! The server speaks first: from a change to the sync that follows, over the real server, with a file or a gateway written
//! here as the way out, and virtual phones.

mod channels;
mod faults;
mod filtered;
mod forms;
mod gateway;
mod kannel;
mod mail;
mod many;
mod nonce;
mod receipts;
mod settings;
mod sudden_ends;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use candybar::handset::{Behaviour, HttpTransport, Memory, Mode, Phone, Request, Settings};
use candybar::push::{san, wdp, wsp};
use serde_json::Value;

use crate::support::program::Program;

const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");
/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits until something is there.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < LIMIT, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server with one account whose SMS go into a file.
struct World {
    server: Program,
}

/// A configuration with a file as gateway.
fn with_file(push: &str) -> String {
    format!("[push]\n{push}\n[[gateway]]\nname = \"out\"\nkind = \"file\"\nurl = \"sms.jsonl\"\n")
}

impl World {
    fn new(configuration: &str) -> Self {
        Self {
            server: Program::start(configuration, &[ACCOUNT]),
        }
    }

    fn phone(&self, number: u32) -> Phone<HttpTransport> {
        let settings = Settings::new(&self.server.url(), ACCOUNT.0, ACCOUNT.1);
        let memory = Memory::new(format!("IMEI:{number}"));
        Phone::new(
            settings,
            Behaviour::default(),
            memory,
            HttpTransport::new(LIMIT),
        )
    }

    /// A phone that has synchronised, and whose number is known.
    fn known_phone(&self, number: u32) -> Phone<HttpTransport> {
        let mut phone = self.phone(number);
        sync(&mut phone, &["contacts"]);
        let device = format!("IMEI:{number}");
        let msisdn = format!("+467000{number:05}");
        self.server
            .command(&["device", "set", ACCOUNT.0, &device, "--msisdn", &msisdn]);
        phone
    }

    /// The SMS that went out so far.
    fn sms(&self) -> Vec<Value> {
        let path: PathBuf = self.server.file("sms.jsonl");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line));
        lines.collect()
    }

    fn outbox(&self) -> Vec<Value> {
        let text = self.server.command(&["outbox", "list", "--json"]);
        serde_json::from_str(&text).expect("JSON")
    }

    /// The only notification, in that state.
    fn reaches(&self, state: &str) -> Value {
        until(state, || {
            let outbox = self.outbox();
            let [notification] = &outbox[..] else {
                return None;
            };
            (notification["state"] == state).then(|| notification.clone())
        })
    }
}

fn sync(phone: &mut Phone<HttpTransport>, datastores: &[&str]) {
    let now = 1_800_000_000;
    let report = phone
        .sync(&Request::new(datastores, Mode::TwoWay, now))
        .expect("a sync");
    assert!(!report.has_failures(), "{report}");
}

fn card(name: &str) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL:+46812345\r\nEND:VCARD\r\n").into()
}

fn octets(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hex");
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
        .collect()
}

/// The push that SMS with these user data make.
fn push(sms: &[Value]) -> wsp::Push {
    let mut reassembly = wdp::Reassembly::new();
    for sms in sms {
        let whole = reassembly
            .add("sender", &octets(&sms["udh"]), &octets(&sms["body"]))
            .expect("a segment");
        if let Some(datagram) = whole {
            return wsp::Push::read(&datagram.payload).expect("a push");
        }
    }
    panic!("segments are missing");
}

#[test]
fn an_edit_on_one_phone_wakes_the_other() {
    let world = World::new(&with_file("coalesce_seconds = 1"));
    let mut a = world.known_phone(1);
    let mut b = world.known_phone(2);
    a.add("contacts", card("Lovelace"));
    a.add("contacts", card("Hopper"));
    sync(&mut a, &["contacts"]);
    let sms = until("an SMS", || Some(world.sms()).filter(|sms| !sms.is_empty()));
    assert_eq!(
        sms[0]["to"], "+46700000002",
        "for the phone that did not make the change"
    );
    let package = push(&sms);
    assert_eq!(package.content_type, wsp::MediaType::DS_NOTIFICATION);
    let received = san::read(&package.body).expect("package #0");
    let shown = world
        .server
        .command(&["device", "show", ACCOUNT.0, "IMEI:2", "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let notification = &shown["notification"];
    let text = |name: &str| notification[name].as_str().expect(name);
    assert_eq!(received.notice.server_id, text("server_id"));
    let nonce = BASE64.decode(text("nonce")).expect("base64");
    assert!(received.is_signed_with(text("password"), &nonce));
    let [asked] = &received.notice.syncs[..] else {
        panic!("{received:?}");
    };
    assert_eq!(asked.uri, "./contacts", "as the phone addresses it");
    assert_eq!(asked.alert.code(), 206);
    let sent = world.reaches("sent");
    assert_eq!(sent["kind"], "change");
    assert_eq!(sent["device"], "IMEI:2");
    sync(&mut b, &["contacts"]);
    assert_eq!(b.items("contacts").len(), 2);
    let synced = world.reaches("synced");
    assert_eq!(synced["gateway"], "out");
    assert_eq!(world.sms().len(), 1, "both changes were one notification");
}

#[test]
fn what_the_command_line_changes_wakes_all_and_a_sync_in_time_drops_it() {
    let world = World::new(&with_file("coalesce_seconds = 3"));
    let mut early = world.known_phone(1);
    let _late = world.known_phone(2);
    std::fs::write(world.server.file("card.vcf"), card("Lovelace")).expect("written");
    let path = world.server.file("card.vcf");
    let path = path.to_str().expect("a path");
    world
        .server
        .command(&["import", ACCOUNT.0, "contacts", path]);
    sync(&mut early, &["contacts"]);
    let state_of = |device: &str| {
        let outbox = world.outbox();
        let of = outbox.iter().find(|known| known["device"] == device);
        of.map(|known| known["state"].as_str().unwrap_or_default().to_owned())
    };
    until("the drop", || {
        (state_of("IMEI:1")? == "dropped").then_some(())
    });
    until("the SMS", || (state_of("IMEI:2")? == "sent").then_some(()));
    let sms = world.sms();
    assert_eq!(sms.len(), 1);
    assert_eq!(sms[0]["to"], "+46700000002");
}

#[test]
fn a_push_names_what_was_asked_for() {
    let world = World::new(&with_file(""));
    let _phone = world.known_phone(1);
    let told = world.server.command(&[
        "push",
        ACCOUNT.0,
        "--device",
        "IMEI:1",
        "--datastore",
        "contacts",
        "--datastore",
        "notes",
    ]);
    assert!(told.contains("queued 1-1 for IMEI:1"), "{told}");
    let sms = until("an SMS", || Some(world.sms()).filter(|sms| !sms.is_empty()));
    let received = san::read(&push(&sms).body).expect("package #0");
    let uris: Vec<&str> = received
        .notice
        .syncs
        .iter()
        .map(|sync| &*sync.uri)
        .collect();
    assert_eq!(uris, ["./contacts", "notes"]);
    let shown = world.server.command(&["outbox", "show", "1-1"]);
    assert!(shown.contains("asked for on the command line"), "{shown}");
    assert!(shown.contains("out took it"), "{shown}");
    world.server.command(&["outbox", "cancel", "1-1"]);
    assert_eq!(
        world.reaches("cancelled")["why"],
        "cancelled after it was sent: its answer is not waited for"
    );
    world.server.command(&["outbox", "retry", "1-1"]);
    until("another SMS", || (world.sms().len() == 2).then_some(()));
}

#[test]
fn budgets_and_quiet_hours_hold_and_say_so() {
    let world = World::new(&with_file(
        "sms_per_device_per_day = 1\ncoalesce_seconds = 0",
    ));
    let _phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    until("an SMS", || (world.sms().len() == 1).then_some(()));
    world.server.command(&["push", ACCOUNT.0]);
    let held = until("the hold", || {
        let outbox = world.outbox();
        let held = outbox.iter().find(|known| known["state"] == "waiting")?;
        held["why"].as_str().map(str::to_owned)
    });
    assert_eq!(held, "the budget of the device is used up: 1 SMS a day");
    assert_eq!(world.sms().len(), 1);

    let world = World::new(&with_file(
        "quiet_hours = \"00:00-23:59\"\ncoalesce_seconds = 0",
    ));
    let mut a = world.known_phone(1);
    let _b = world.known_phone(2);
    a.add("contacts", card("Lovelace"));
    sync(&mut a, &["contacts"]);
    until("the hold", || {
        let outbox = world.outbox();
        (outbox.first()?["why"] == "quiet hours").then_some(())
    });
    assert_eq!(world.sms().len(), 0);
}
