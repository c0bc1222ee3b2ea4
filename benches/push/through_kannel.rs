//! From a change to Kannel, and to the sync of the phone that got the SMS: the whole program, over real sockets.

use std::time::{Duration, Instant};

use candybar::handset::{Behaviour, HttpTransport, Memory, Mode, Phone, Request, Settings};
use candybar::push::{san, wdp, wsp};
use serde_json::Value;

use crate::alone::Alone;
use crate::support::kannel::Kannel;
use crate::support::program::Program;

/// Changes that are measured one by one.
const CHANGES: usize = 300;
const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");
const LIMIT: Duration = Duration::from_secs(60);

fn phone(server: &Program, number: u32) -> Phone<HttpTransport> {
    let settings = Settings::new(&server.url(), ACCOUNT.0, ACCOUNT.1);
    let memory = Memory::new(format!("IMEI:{number}"));
    let transport = HttpTransport::new(LIMIT);
    Phone::new(settings, Behaviour::default(), memory, transport)
}

fn sync(phone: &mut Phone<HttpTransport>) {
    let request = Request::new(&["contacts"], Mode::TwoWay, 1_800_000_000);
    phone.sync(&request).expect("a sync");
}

/// Milliseconds since 1970.
fn time(value: &Value) -> i64 {
    let text = value.as_str().expect("a time");
    let time = chrono::DateTime::parse_from_rfc3339(text).expect(text);
    time.timestamp_millis()
}

/// Prints median and 99th percentile.
fn show(what: &str, mut milliseconds: Vec<f64>) {
    milliseconds.sort_by(f64::total_cmp);
    let at =
        |share: usize| milliseconds[(milliseconds.len() * share / 100).min(milliseconds.len() - 1)];
    println!("  {what}: median {:.1} ms, p99 {:.1} ms", at(50), at(99));
}

/// What Kannel itself takes for a message.
fn floor(kannel: &mut Kannel) {
    let alone = Alone::of(kannel);
    let agent = ureq::Agent::new_with_defaults();
    let mut took = Vec::with_capacity(CHANGES);
    for number in 0..CHANGES {
        let begin = Instant::now();
        alone.send(&agent, number);
        took.push(begin.elapsed().as_secs_f64() * 1000.0);
        kannel.next();
    }
    show("sendsms alone, with receipts, which is the floor", took);
}

/// Measures, if Kannel is installed.
pub(crate) fn measure() {
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    floor(&mut kannel);
    let server = Program::start(
        &format!(
            "[push]\ncoalesce_seconds = 0\nsms_per_device_per_day = 0\nsms_per_account_per_day = 0\n[[gateway]]\nname = \"kannel\"\n\
             kind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
            kannel.sendsms(),
            Kannel::USER,
            Kannel::PASSWORD
        ),
        &[ACCOUNT],
    );
    let mut author = phone(&server, 1);
    sync(&mut author);
    let mut other = phone(&server, 2);
    sync(&mut other);
    server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        "IMEI:2",
        "--msisdn",
        "+46700000002",
    ]);
    let mut reassembly = wdp::Reassembly::new();
    for number in 0..CHANGES {
        let card = format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Change;{number}\r\nEND:VCARD\r\n");
        author.add("contacts", card);
        sync(&mut author);
        let sms = kannel.next();
        let datagram = reassembly
            .add(&sms.from, &sms.udh, &sms.body)
            .expect("a segment")
            .expect("it is one SMS");
        let push = wsp::Push::read(&datagram.payload).expect("a push");
        san::read(&push.body).expect("package #0");
        sync(&mut other);
    }
    let deadline = Instant::now() + LIMIT;
    let outbox: Vec<Value> = loop {
        let text = server.command(&["outbox", "list", "--json", "--last", "10000"]);
        let outbox: Vec<Value> = serde_json::from_str(&text).expect("JSON");
        let open = |known: &Value| known["finished"].is_null();
        if !outbox.iter().any(open) || Instant::now() > deadline {
            break outbox;
        }
        std::thread::sleep(Duration::from_millis(100));
    };
    let synced: Vec<&Value> = outbox
        .iter()
        .filter(|known| known["state"] == "synced")
        .collect();
    let between = |from: &str, to: &str| {
        let pairs = synced.iter();
        pairs
            .map(|known| (time(&known[to]) - time(&known[from])) as f64)
            .collect()
    };
    println!(
        "  {} changes, {} notifications synced",
        CHANGES,
        synced.len()
    );
    show(
        "change to submit, to the millisecond",
        between("created", "submitted"),
    );
    show(
        "submit to the end of the phone's sync",
        between("submitted", "finished"),
    );
}
