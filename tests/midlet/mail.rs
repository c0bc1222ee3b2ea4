//! Push mail: a mail comes, the phone is woken, fetches it, reads it, answers it, and the answer arrives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use super::emulator::{Air, Emulated, Home, LIMIT, is_here};
use super::{ACCOUNT, card, device, import, titles};
use crate::submission::sink::{Sink, Taken};
use crate::support::program::Program;

const ADDRESS: &str = "alice@example.org";
const OWN: &str = "Mail=alice@example.org";
/// Who writes to her, on the same server.
const FRIEND: (&str, &str) = ("bob", "sync-it-8");
const MAIL: &str = "From: Bob Beispiel <bob@example.org>\r\nTo: alice@example.org\r\n\
    Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?= from Bob\r\nMessage-ID: <noon@example.org>\r\n\
    Date: Fri, 27 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n\
    Content-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
    Lunch at noon? It is =E2=82=AC 5.\r\n";

/// Hands a message over as a delivery agent does (RFC 2033).
fn deliver(server: &Program, message: &str) {
    let log = server.log();
    let (_, port) = log
        .split_once("listening for LMTP on 127.0.0.1:")
        .unwrap_or_else(|| panic!("no LMTP in {log}"));
    let port: String = port.chars().take_while(char::is_ascii_digit).collect();
    let stream = TcpStream::connect(("127.0.0.1", port.parse().expect("a port"))).expect("LMTP");
    stream.set_read_timeout(Some(LIMIT)).expect("a time limit");
    let mut answers = BufReader::new(stream.try_clone().expect("a second handle"));
    let mut answer = |code: &str| {
        loop {
            let mut line = String::new();
            answers.read_line(&mut line).expect("an answer");
            assert!(line.starts_with(code), "{line}");
            if line.as_bytes().get(3) == Some(&b' ') {
                return;
            }
        }
    };
    let say = |line: &str| (&stream).write_all(line.as_bytes()).expect("written");
    answer("220");
    for (line, code) in [
        ("LHLO test.example\r\n", "250"),
        ("MAIL FROM:<bob@example.net>\r\n", "250"),
        (format!("RCPT TO:<{ADDRESS}>\r\n").as_str(), "250"),
        ("DATA\r\n", "354"),
        (format!("{message}.\r\n").as_str(), "250"),
        ("QUIT\r\n", "221"),
    ] {
        say(line);
        answer(code);
    }
}

fn world(air: &Air) -> (Program, Home) {
    let gateway = air.gateway("air", "*");
    let configuration =
        format!("mail.lmtp = \"127.0.0.1:0\"\n[push]\ncoalesce_seconds = 1\n{gateway}");
    let server = Program::start(&configuration, &[ACCOUNT, FRIEND]);
    for (name, _) in [ACCOUNT, FRIEND] {
        let address = format!("{name}@example.org");
        server.command(&["mailbox", "add", name, "--local", "--address", &address]);
    }
    let home = Home::new(1);
    home.run(&server, &[OWN], &["sync", "listen"]);
    let number = "+46700000001";
    server.command(&["device", "set", ACCOUNT.0, &device(1), "--msisdn", number]);
    (server, home)
}

#[test]
fn a_mail_wakes_the_midlet_which_reads_and_answers_it() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);
    let commands = [
        "listen",
        "wait",
        "read Grüße from Bob",
        "answer Grüße from Bob;Yes. Ünd you?",
        "sync mail",
    ];
    let mut phone = home.start(&server, &[OWN], &commands);
    phone.until("listening");
    deliver(&server, MAIL);
    air.carry(&phone);
    assert_eq!(phone.until("notification")["believed"], true);
    let mail = phone.until("mail");
    assert_eq!(mail["from"], "Bob Beispiel <bob@example.org>");
    assert_eq!(mail["subject"], "Grüße from Bob");
    let text = mail["text"].as_str().map(str::trim);
    assert_eq!(text, Some("Lunch at noon? It is € 5."));
    let events = phone.done();
    // The answer, and the flags of what was answered.
    assert_eq!(events.sync("mail")["sent"], 2);
    assert_eq!(events.sync("mail")["failed"], 0);

    // Bob gets it, on a phone of his own.
    let friend = Home::new(2);
    let (name, password) = FRIEND;
    let user = format!("User={name}");
    let password = format!("Password={password}");
    let bob = [user.as_str(), password.as_str(), "Mail=bob@example.org"];
    let answer = (0..60).find_map(|_| {
        let events = friend.run(&server, &bob, &["sync mail", "show mail"]);
        let arrived = events.titles().contains(&"Re: Grüße from Bob");
        arrived.then_some(events)
    });
    assert!(answer.is_some(), "the answer did not arrive");
    let read = friend.run(&server, &bob, &["read Re: Grüße from Bob"]);
    let mail = read.of("mail")[0];
    let text = mail["text"].as_str().map(str::trim);
    assert_eq!(text, Some("Yes. Ünd you?"));
    assert!(
        mail["from"]
            .as_str()
            .is_some_and(|from| from.contains(ADDRESS))
    );
}

const SUBJECT: &str = "Grüße from Bob";

/// Phones of one account, each in an air of its own, whose mail goes out through a mail server. Each has synchronised twice, made a
/// contact and got those of the others.
struct Town {
    server: Program,
    airs: Vec<Air>,
    homes: Vec<Home>,
}

impl Town {
    fn new(phones: u32, sink: &Sink) -> Self {
        let airs: Vec<Air> = (0..phones).map(|_| Air::new()).collect();
        let mut configuration =
            "mail.lmtp = \"127.0.0.1:0\"\n[push]\ncoalesce_seconds = 1\n".to_owned();
        for (number, air) in (1..).zip(&airs) {
            configuration += &air.gateway(&format!("air{number}"), &msisdn(number));
        }
        let server = Program::start(&configuration, &[ACCOUNT]);
        let smtp = format!("smtp://127.0.0.1:{}", sink.port);
        let mailbox = ["mailbox", "add", ACCOUNT.0, "--local", "--smtp", &smtp];
        server.command(&[&mailbox[..], &["--address", ADDRESS]].concat());
        import(&server, "contacts", &card("Hopper", "Grace", "TEL:+1\r\n"));
        let homes: Vec<Home> = (1..=phones).map(Home::new).collect();
        for (number, home) in (1..).zip(&homes) {
            let own = format!("contact Phone;Number {number};+{number}");
            let first = home.run(&server, &[OWN], &[&own, "sync"]);
            assert_eq!(first.sync("contacts")["alert"], 201);
        }
        // The first one edits; then all know everything.
        let edit = ["number Grace Hopper;+2", "sync", "show contacts"];
        for (number, home) in (1..).zip(&homes) {
            let edits = number == 1;
            let events = home.run(&server, &[OWN], &edit[usize::from(!edits)..]);
            assert_eq!(events.titles(), titles(&server, "contacts"));
            assert_eq!(events.sync("contacts")["sent"], u32::from(edits));
            let grace = events.body("Grace Hopper");
            assert!(grace.contains("+2"), "{grace}");
        }
        for number in 1..=phones {
            let set = ["device", "set", ACCOUNT.0, &device(number), "--msisdn"];
            server.command(&[&set[..], &[&msisdn(number)]].concat());
        }
        Self {
            server,
            airs,
            homes,
        }
    }

    /// All phones are on; a mail comes, each is woken by its own notification, fetches it, answers it.
    fn answer(&self) {
        let phones = (1..).zip(&self.homes).map(|(number, home)| {
            let answer = format!("answer {SUBJECT};Phone {number} says yes. Ünd you?");
            let read = format!("read {SUBJECT}");
            let commands = ["listen", "wait", &read, &answer, "sync mail"];
            home.start(&self.server, &[OWN], &commands)
        });
        let mut phones: Vec<Emulated> = phones.collect();
        for phone in &mut phones {
            phone.until("listening");
        }
        deliver(&self.server, &MAIL.replace("bob@example.org", BOB));
        // They follow it all at once.
        for (phone, air) in phones.iter().zip(&self.airs) {
            air.carry(phone);
        }
        for mut phone in phones {
            let notification = phone.until("notification");
            assert_eq!(notification["believed"], true);
            assert_eq!(notification["datastores"], 1);
            let mail = phone.until("mail");
            assert_eq!(mail["from"], format!("Bob Beispiel <{BOB}>"));
            let text = mail["text"].as_str().map(str::trim);
            assert_eq!(text, Some("Lunch at noon? It is € 5."));
            let events = phone.done();
            assert_eq!(events.sync("mail")["failed"], 0);
        }
    }
}

const BOB: &str = "bob@example.net";

fn msisdn(number: u32) -> String {
    format!("+4670000000{number}")
}

/// The value of a header field, unfolded.
fn field<'a>(taken: &'a Taken, name: &str) -> &'a str {
    let mut lines = taken.message.lines();
    lines
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .unwrap_or_else(|| panic!("no {name} in {}", taken.message))
}

/// An answer of a phone as the mail server has it; gives its text.
fn answered(taken: &Taken) -> String {
    assert_eq!(taken.sender, ADDRESS);
    assert_eq!(taken.to, [BOB]);
    assert!(field(taken, "From").contains(ADDRESS), "{}", taken.message);
    assert!(field(taken, "To").contains(BOB), "{}", taken.message);
    assert_eq!(field(taken, "In-Reply-To"), "<noon@example.org>");
    let mail = candybar::content::email::Mail {
        message: taken.message.clone().into_bytes(),
        ..Default::default()
    };
    assert_eq!(mail.head().subject, format!("Re: {SUBJECT}"));
    let parsed = mail_parser::MessageParser::default().parse(taken.message.as_bytes());
    let text = parsed
        .expect("a mail")
        .body_text(0)
        .map(|text| text.trim().to_owned());
    text.expect("a text")
}

fn all_answer(phones: u32) {
    if !is_here() {
        return;
    }
    let Some(mut sink) = Sink::start(&[]) else {
        return;
    };
    let town = Town::new(phones, &sink);
    town.answer();
    let mut texts: Vec<String> = (0..phones).map(|_| answered(&sink.mail())).collect();
    texts.sort_unstable();
    let expected = (1..=phones).map(|number| format!("Phone {number} says yes. Ünd you?"));
    assert_eq!(texts, expected.collect::<Vec<_>>());
    assert_eq!(sink.count(), texts.len(), "each went out once");
}

#[test]
fn an_answer_of_the_midlet_reaches_the_mail_server() {
    all_answer(1);
}

#[test]
fn five_phones_of_one_account_are_woken_by_a_mail_and_answer_it_at_once() {
    all_answer(5);
}

#[test]
fn a_mail_starts_a_midlet_that_does_not_run() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);
    let mut phone = home.start(&server, &["--wait"], &["wait", "read Grüße from Bob"]);
    phone.until("asleep");
    deliver(&server, MAIL);
    air.carry(&phone);
    assert_eq!(phone.until("started")["woken"], true);
    assert_eq!(phone.until("mail")["missing"], 0);
    phone.done();
}
