//! Work that outlasts a phone's patience (101, Alert 221): the real server over a database whose writes a test holds back
//! with the lock of another connection, until it has seen what it waits for.

use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use candybar::handset::{
    Answer, Behaviour, HttpTransport, Memory, Mode, Phone, Post, Report, Request, Settings,
    Transport, TransportError,
};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, Code, Command, Message};
use diesel::connection::{Connection as _, SimpleConnection as _};

use crate::support::program::Program;

const ACCOUNT: (&str, &str) = ("tester", "sync-it-7");

/// Keeps everybody else from writing until it is dropped.
struct Held(diesel::SqliteConnection);

impl Held {
    fn new(program: &Program) -> Self {
        let path = program.file("candybar.db");
        let mut connection =
            diesel::SqliteConnection::establish(path.to_str().expect("a path of ours"))
                .expect("the database can be opened");
        connection
            .batch_execute("PRAGMA busy_timeout = 60000; BEGIN IMMEDIATE")
            .expect("nobody else keeps the lock");
        Self(connection)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.batch_execute("ROLLBACK").expect("it is ours");
    }
}

/// HTTP, which tells the test of each answer before the phone gets it.
struct Told {
    http: HttpTransport,
    answers: Sender<Message<'static>>,
}

impl Transport for Told {
    fn exchange(&mut self, post: &Post<'_>) -> Result<Answer, TransportError> {
        let answer = self.http.exchange(post)?;
        // The test may have seen enough.
        let _unheard = self.answers.send(read(&answer));
        Ok(answer)
    }
}

fn read(answer: &Answer) -> Message<'static> {
    assert_eq!(
        answer.status,
        200,
        "{:?}",
        String::from_utf8_lossy(&answer.body)
    );
    let carrier = Carrier::from_mime(&answer.content_type).expect("SyncML");
    decode(&answer.body, carrier, &Limits::default())
        .expect("a message")
        .into_owned()
}

fn is_busy(message: &Message<'_>) -> bool {
    let mut statuses = message.body.iter();
    statuses.any(|command| {
        matches!(command, Command::Status(status) if status.cmd == "SyncHdr" && status.code == Code::IN_PROGRESS)
    })
}

fn card(number: u32) -> String {
    format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Person{number};Test\r\nTEL:{number}\r\nEND:VCARD\r\n")
}

fn phone<T: Transport>(program: &Program, transport: T) -> Phone<T> {
    let settings = Settings::new(&program.url(), ACCOUNT.0, ACCOUNT.1);
    Phone::new(
        settings,
        Behaviour::default(),
        Memory::new("IMEI:patient"),
        transport,
    )
}

fn request(number: i64) -> Request {
    Request::new(&["contacts"], Mode::TwoWay, 1_700_000_000 + number)
}

fn http() -> HttpTransport {
    HttpTransport::new(Duration::from_secs(60))
}

/// Names of the account's contacts, in order.
fn names(program: &Program) -> Vec<String> {
    let export = program.command(&["export", ACCOUNT.0, "contacts", "--format", "vcard"]);
    let mut names: Vec<String> = export
        .lines()
        .filter_map(|line| line.strip_prefix("N:"))
        .map(|name| name.split(';').next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names
}

/// Every message of a session meets a store that is held until the phone was told that the server is busy.
#[test]
fn a_phone_that_is_told_to_wait_gets_everything_once() {
    let program = Program::start("[http]\npatience_seconds = 1\n", &[ACCOUNT]);
    let mut other = phone(&program, http());
    *other.client_mut().memory_mut() = Memory::new("IMEI:other");
    other.add("contacts", card(1));
    other.sync(&request(0)).expect("the other phone syncs");

    let (answers, seen) = channel();
    let mut patient = phone(
        &program,
        Told {
            http: http(),
            answers,
        },
    );
    patient.add("contacts", card(2));
    let mut held = Some(Held::new(&program));
    let session = std::thread::spawn(move || {
        let report: Report = patient.sync(&request(0)).expect("the session ends well");
        (report, patient.items("contacts").len())
    });
    let mut told = 0;
    while let Ok(answer) = seen.recv() {
        if is_busy(&answer) {
            assert!(!answer.last, "busy has no Final");
            told += 1;
            held = None;
        } else if held.is_none() && !answer.last {
            held = Some(Held::new(&program));
        }
    }
    drop(held);
    let (report, items) = session.join().expect("the phone");
    assert!(told >= 1, "the phone was told to wait");
    assert_eq!(report.complaints, Vec::<String>::new());
    assert_eq!(items, 2);
    assert_eq!(names(&program), ["Person1", "Person2"], "each once");
}

/// A phone that sends its message again instead of asking gets the reply to it, and nothing is done twice.
#[test]
fn a_message_that_comes_again_waits_for_the_work_on_it() {
    let program = Program::start("[http]\npatience_seconds = 1\n", &[ACCOUNT]);
    let (answers, seen) = channel();
    // Each message goes twice: the first answer is thrown away if it says that the server is busy.
    let mut doubled = http();
    let transport = move |post: &Post<'_>| {
        let first = doubled.exchange(post)?;
        if !is_busy(&read(&first)) {
            return Ok(first);
        }
        answers.send(()).expect("the test waits");
        loop {
            let again = doubled.exchange(post)?;
            if !is_busy(&read(&again)) {
                return Ok(again);
            }
        }
    };
    let mut patient = phone(&program, transport);
    patient.add("contacts", card(3));
    let held = Held::new(&program);
    let session =
        std::thread::spawn(move || patient.sync(&request(0)).map(|report| report.complaints));
    seen.recv().expect("the phone was told to wait");
    drop(held);
    let complaints = session.join().expect("the phone").expect("a good end");
    assert_eq!(complaints, Vec::<String>::new());
    assert_eq!(names(&program), ["Person3"], "once");
}
