//! `candybar handset listen` against a real server: a notification arrives by UDP, the phone syncs.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use candybar::push::wdp::{Ports, Reference, segments};
use candybar::push::wsp::Push;
use candybar::push::{Notice, ServerAlert, Sync, san};

use crate::support::process::Daemon;
use crate::support::program::Program;

const LIMIT: Duration = Duration::from_secs(60);
const CARD: &str =
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Lovelace;Ada\r\nTEL;CELL:+442071234567\r\nEND:VCARD\r\n";

fn notification(password: &str) -> Vec<u8> {
    let notice = Notice {
        session_id: 4711,
        server_id: "candybar".to_owned(),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "text/x-vcard", "./contacts")],
        ..Notice::default()
    };
    let package = san::build(&notice, password, b"nonce").expect("a notification");
    Push::notification(package).octets().expect("a push")
}

#[test]
fn a_phone_that_listens_syncs_when_it_is_asked_to() {
    let server = Program::start("", &[("alice", "s3cret")]);
    std::fs::write(server.file("ada.vcf"), CARD).expect("a card");
    server.command(&["import", "alice", "contacts", "ada.vcf"]);

    let state = server.file("phone.json");
    let log = std::fs::File::create(server.file("phone.log")).expect("a log");
    let url = server.url();
    let (sender, lines) = std::sync::mpsc::channel();
    let mut command = Command::new(env!("CARGO_BIN_EXE_candybar"));
    command
        .args([
            "handset",
            "listen",
            "--listen",
            "127.0.0.1:0",
            "--url",
            &url,
            "--user",
            "alice",
        ])
        .args([
            "--password",
            "s3cret",
            "--server-password",
            "pushed",
            "--nonce",
            "bm9uY2U=",
            "--once",
            "--state",
        ])
        .arg(&state);
    let (_phone, address) = Daemon::start_until(&mut command, log, LIMIT, move |line| {
        sender.send(line.to_owned()).ok();
        line.strip_prefix("listening on udp://").map(str::to_owned)
    });
    let gateway = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let next = || lines.recv_timeout(LIMIT).expect("a line of the phone");
    assert!(next().starts_with("listening"));

    // Someone who does not know the secret is not obeyed.
    gateway
        .send_to(&notification("guessed"), &address)
        .expect("sent");
    let line = next();
    assert!(line.contains("its digest is wrong"), "{line}");
    assert!(!state.exists(), "nothing was synchronised");

    // As a short message with its header.
    let octets = notification("pushed");
    for segment in segments(&octets, Ports::PUSH, Reference::Octet(1)).expect("segments") {
        let datagram = [segment.udh, segment.body].concat();
        gateway.send_to(&datagram, &address).expect("sent");
    }
    let line = next();
    assert!(
        line.contains("candybar asks for a sync of ./contacts"),
        "{line}"
    );
    assert!(
        line.contains("session 4711") && line.contains("its digest is right"),
        "{line}"
    );
    let report = next();
    assert!(report.contains("Contacts: 0 sent, 1 received"), "{report}");
    assert!(next().contains("messages"));
    assert_eq!(next(), "  new in contacts: Ada Lovelace");
    // The phone ends after it (--once): its output ends.
    while lines.recv_timeout(LIMIT).is_ok() {}
    let phone = std::fs::read_to_string(&state).expect("the phone's memory");
    assert!(phone.contains("Lovelace"), "{phone}");
    let log = server.log();
    assert!(log.contains("4711"), "the server saw the session: {log}");
}

/// Puts a mail into alice's inbox.
fn receive(server: &Program, subject: &str) {
    let url = format!("http://{}/api/v1/accounts/alice/mail", server.address());
    let message = format!(
        "From: Ada Lovelace <ada@example.org>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n\
         Message-ID: <{subject}@example.org>\r\n\r\nAt noon?\r\n"
    );
    ureq::post(&url)
        .header("Authorization", "Bearer a-token")
        .header("Content-Type", "message/rfc822")
        .send(message.as_bytes())
        .expect("delivered");
}

#[test]
fn new_mail_is_named_with_who_wrote_it() {
    let air = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    air.set_read_timeout(Some(LIMIT)).expect("a time limit");
    let server = Program::start(
        &format!(
            "[api]\ntoken = \"a-token\"\n[push]\ncoalesce_seconds = 0\n[[gateway]]\nname = \"air\"\nkind = \"loopback\"\nurl = \"{}\"\n",
            air.local_addr().expect("an address")
        ),
        &[("alice", "s3cret")],
    );
    let own = [
        "mailbox",
        "add",
        "alice",
        "--local",
        "--address",
        "alice@example.org",
    ];
    server.command(&own);
    let (state, url) = (server.file("phone.json"), server.url());
    let state = state.to_str().expect("a path");
    let user = ["--user", "alice", "--password", "s3cret", "--url", &url];
    let user = [&user[..], &["--state", state, "--device", "IMEI:5"]].concat();
    let sync = ["handset", "sync", "--datastore", "mail"];
    server.command(&[&sync[..], &user].concat());
    let set = ["device", "set", "alice", "IMEI:5"];
    server.command(&[&set[..], &["--msisdn", "+46700000005"]].concat());

    let log = std::fs::File::create(server.file("phone.log")).expect("a log");
    let (sender, lines) = std::sync::mpsc::channel();
    let mut command = Command::new(env!("CARGO_BIN_EXE_candybar"));
    command
        .args(["handset", "listen", "--listen", "127.0.0.1:0"])
        .args(&user);
    let (_phone, address) = Daemon::start_until(&mut command, log, LIMIT, move |line| {
        sender.send(line.to_owned()).ok();
        line.strip_prefix("listening on udp://").map(str::to_owned)
    });
    let until = |wanted: &str| {
        let mut seen = Vec::new();
        while let Ok(line) = lines.recv_timeout(LIMIT) {
            if line.contains(wanted) {
                return;
            }
            seen.push(line);
        }
        panic!("no {wanted:?} in {seen:#?}");
    };
    let carry = || {
        let mut datagram = vec![0; 65_536];
        let length = air.recv(&mut datagram).expect("a notification");
        air.send_to(&datagram[..length], &address).expect("sent");
    };
    receive(&server, "Lunch");
    carry();
    until("asks for a sync of ./mail");
    until("  new in mail: Lunch (from Ada Lovelace)");

    // The form that says nothing but that there is mail.
    server.command(&[&set[..], &["--notification", "emn"]].concat());
    receive(&server, "Tea");
    carry();
    until("new mail in mailat:alice@");
    until("  new in mail: Tea (from Ada Lovelace)");
}
