//! A server under attack: what it holds, and a phone that has to be served whatever else comes.

use std::cell::{Cell, RefCell};
use std::fs;
use std::time::Duration;

use candybar::handset::{
    Behaviour, HttpTransport, Luid, Memory, Mode, Phone, Report, Request, Settings,
};
use candybar::syncml::Carrier;

use super::http::{Connection, Response};
use crate::support::program::Program;

/// The accounts: name and password.
pub(super) const ACCOUNT: (&str, &str) = ("tester", "sync-it-7");
pub(super) const OTHER: (&str, &str) = ("other", "sync-it-8");

/// Device id of the phone that has to be served.
pub(super) const WITNESS: &str = "IMEI:witness";

pub(super) struct Target {
    program: Program,
    witness: RefCell<Phone<HttpTransport>>,
    luid: Luid,
    rounds: Cell<i64>,
    held: RefCell<String>,
}

impl Target {
    /// With the default configuration.
    pub(super) fn start() -> Self {
        Self::with("")
    }

    /// With this text as configuration. The account has one contact, which the witness made.
    pub(super) fn with(configuration: &str) -> Self {
        let program = Program::start(configuration, &[ACCOUNT, OTHER]);
        let mut witness = phone(&program, ACCOUNT, WITNESS);
        let luid = witness.add("contacts", card("Witness", 0));
        let target = Self {
            program,
            witness: RefCell::new(witness),
            luid,
            rounds: Cell::new(0),
            held: RefCell::default(),
        };
        target.sync();
        target.keep();
        target
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// A phone that keeps to the specification.
    pub(super) fn phone(&self, account: (&str, &str), device: &str) -> Phone<HttpTransport> {
        phone(&self.program, account, device)
    }

    pub(super) fn connect(&self) -> Connection {
        Connection::open(self.program.address())
    }

    /// One message on a connection of its own.
    pub(super) fn post(&self, carrier: Carrier, body: &[u8]) -> Response {
        self.connect().post(carrier.mime(), body)
    }

    /// The answer to a message that has to be refused as unreadable.
    pub(super) fn refuses(&self, what: &str, carrier: Carrier, body: &[u8]) {
        let response = self.post(carrier, body);
        assert_eq!(response.status, 400, "{what}: {}", response.text());
        assert!(
            response.text().starts_with("the message cannot be read"),
            "{what}: {}",
            response.text()
        );
    }

    /// The server serves, and of what came nothing was written.
    pub(super) fn unharmed(&self) {
        assert_eq!(
            *self.held.borrow(),
            self.held_now(),
            "something was written"
        );
        self.alive();
    }

    /// The server serves: the witness edits its card, syncs, and the edit is there.
    pub(super) fn alive(&self) {
        self.rounds.set(self.rounds.get() + 1);
        let body = card("Witness", self.rounds.get());
        let number = number(self.rounds.get());
        assert!(
            self.witness
                .borrow_mut()
                .replace("contacts", &self.luid, body)
        );
        let report = self.sync();
        let contacts = report.datastore("contacts").expect("it was asked for");
        assert_eq!(contacts.used, Mode::TwoWay, "{report:?}");
        assert_eq!(contacts.sent.replaces, 1, "{report:?}");
        assert!(self.export(ACCOUNT, "contacts").contains(&number));
        self.keep();
    }

    /// Everything of a datastore of an account.
    pub(super) fn export(&self, account: (&str, &str), datastore: &str) -> String {
        self.program
            .command(&["export", account.0, datastore, "--format", "json"])
    }

    /// Names of an account's contacts, in order.
    pub(super) fn names(&self, account: (&str, &str)) -> Vec<String> {
        let export = self
            .program
            .command(&["export", account.0, "contacts", "--format", "vcard"]);
        let mut names: Vec<String> = export
            .lines()
            .filter_map(|line| line.strip_prefix("N:"))
            .map(|name| name.split(';').next().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    }

    /// The names of the contacts of the witness's phone, in order.
    pub(super) fn names_of_witness(&self) -> Vec<String> {
        names_on(&self.witness.borrow())
    }

    /// What is there now is as it should be.
    pub(super) fn keep(&self) {
        *self.held.borrow_mut() = self.held_now();
    }

    /// The witness syncs, which has to go well.
    pub(super) fn sync(&self) -> Report {
        let mut witness = self.witness.borrow_mut();
        sync(&mut witness, Mode::TwoWay)
    }

    /// Number of a counter or gauge of `/metrics`.
    pub(super) fn metric(&self, name: &str) -> u64 {
        let mut connection = self.connect();
        connection.send(b"GET /metrics HTTP/1.1\r\nHost: candybar\r\n\r\n");
        let text = connection.response().text();
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
            .unwrap_or_else(|| panic!("no {name} in {text}"))
    }

    /// The most memory that the server ever had, in octets (Linux).
    pub(super) fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.program.id()));
        let status = status.expect("the server runs");
        let peak = status.lines().find_map(|line| {
            let line = line.strip_prefix("VmHWM:")?;
            line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()
        });
        peak.expect("the peak is told") * 1024
    }

    fn held_now(&self) -> String {
        let mut held = self.export(OTHER, "contacts");
        for datastore in ["contacts", "calendar", "tasks", "notes"] {
            held += &self.export(ACCOUNT, datastore);
        }
        held
    }
}

/// Syncs contacts, which has to go well.
pub(super) fn sync(phone: &mut Phone<HttpTransport>, mode: Mode) -> Report {
    let now = 1_700_000_000 + phone.memory().session_counter as i64;
    let report = phone
        .sync(&Request::new(&["contacts"], mode, now))
        .unwrap_or_else(|error| panic!("a good phone is not served: {error}"));
    assert!(!report.has_failures(), "{report:?}");
    assert!(report.complaints.is_empty(), "{report:?}");
    report
}

/// The names of the contacts of a phone, in order.
pub(super) fn names_on(phone: &Phone<HttpTransport>) -> Vec<String> {
    let items = phone.items("contacts").into_values();
    let mut names: Vec<String> = items
        .filter_map(|item| {
            let body = String::from_utf8_lossy(&item.body.0).into_owned();
            let name = body.lines().find_map(|line| line.strip_prefix("N:"))?;
            Some(name.split(';').next().unwrap_or_default().to_owned())
        })
        .collect();
    names.sort();
    names
}

fn phone(program: &Program, account: (&str, &str), device: &str) -> Phone<HttpTransport> {
    let settings = Settings::new(&program.url(), account.0, account.1);
    let transport = HttpTransport::new(Duration::from_secs(60));
    Phone::new(
        settings,
        Behaviour::default(),
        Memory::new(device),
        transport,
    )
}

fn number(number: i64) -> String {
    format!("+46{number:08}")
}

/// A card as phones write it.
pub(super) fn card(name: &str, number: i64) -> String {
    let number = self::number(number);
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL;CELL:{number}\r\nEND:VCARD\r\n")
}
