//! Push mail: a mail comes, the phone is woken, fetches it, reads it, answers it, and the answer arrives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use super::emulator::{Air, Home, LIMIT, is_here};
use super::{ACCOUNT, device};
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
