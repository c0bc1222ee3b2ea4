//! A mailbox without a server: mail by LMTP from Python's client, and by HTTP.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::{has_python, line_file, mails, python, store};
use crate::support::program::Program;

const CONFIGURATION: &str = "mail.lmtp = \"127.0.0.1:0\"\napi.token = \"a-token\"\n";

/// Sends a message by LMTP to recipients, and prints who was refused with which code.
const LMTP: &str = r#"
import smtplib, sys
port, count, *recipients = sys.argv[1:]
with smtplib.LMTP("127.0.0.1", int(port)) as lmtp:
    for number in range(int(count)):
        body = f"Message-ID: <{number}@test>\r\nFrom: s@example.org\r\nSubject: number {number}\r\n\r\n.dot\r\nend\r\n"
        # This client reads one answer for each message, so each has one recipient.
        for recipient in recipients:
            try:
                lmtp.sendmail("s@example.org", [recipient], body)
            except smtplib.SMTPRecipientsRefused as error:
                print(recipient, error.recipients[recipient][0])
"#;

fn lmtp_port(program: &Program) -> String {
    let log = program.log();
    let (_, rest) = log
        .split_once("listening for LMTP on 127.0.0.1:")
        .expect("the log says where");
    rest.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn mail_by_lmtp_is_in_the_store_when_it_is_answered() {
    if !has_python() {
        return;
    }
    let mut program = Program::start(CONFIGURATION, &[("alice", "secret-1"), ("bob", "secret-2")]);
    program.command(&[
        "mailbox",
        "add",
        "alice",
        "--local",
        "--address",
        "Alice@Example.org",
    ]);
    program.command(&[
        "mailbox",
        "add",
        "bob",
        "--local",
        "--address",
        "bob@example.org",
    ]);
    let recipients = [
        "alice+news@EXAMPLE.org",
        "bob@example.org",
        "carol@example.org",
    ];
    let port = lmtp_port(&program);
    let mut arguments = vec![&*port, "5"];
    arguments.extend(recipients);
    let refused = python(LMTP, &arguments);
    program.kill();
    assert_eq!(refused.lines().count(), 5, "{refused}");
    assert!(
        refused.lines().all(|line| line == "carol@example.org 550"),
        "{refused}"
    );
    let store = store(&program);
    for account in ["alice", "bob"] {
        let found = mails(&store, account);
        assert_eq!(found.len(), 5, "{account}");
        for (number, (_, mail)) in found.iter().enumerate() {
            let head = mail.head();
            assert_eq!(head.message_id, Some(format!("{number}@test")));
            let begins = b"Return-Path: <s@example.org>\r\nMessage-ID:";
            assert!(mail.message.starts_with(begins));
            assert!(mail.message.ends_with(b"\r\n\r\n.dot\r\nend\r\n"));
            assert!(!mail.read && mail.missing == 0);
        }
    }
}

#[test]
fn mail_by_http_is_in_the_store_when_it_is_answered() {
    let program = Program::start(CONFIGURATION, &[("alice", "secret-1")]);
    let post = |token: &str, account: &str, body: &[u8]| {
        let mut stream = TcpStream::connect(program.address()).expect("connected");
        let head = format!(
            "POST /api/v1/accounts/{account}/mail HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: message/rfc822\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("sent");
        // Who is refused early may be cut off while it sends.
        let _refused = stream.write_all(body);
        let mut answer = Vec::new();
        let _reset = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    let mut large = b"Subject: large\r\n\r\n".to_vec();
    large.resize(3_000_000, b'x');
    for message in [&b"Subject: small\r\n\r\nhello\r\n"[..], &large] {
        let answer = post("a-token", "alice", message);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(post("a-token", "nobody", b"A: b\r\n\r\n").starts_with("HTTP/1.1 404"));
    assert!(post("wrong", "alice", b"A: b\r\n\r\n").starts_with("HTTP/1.1 401"));
    assert!(post("a-token", "alice", b"not a message").starts_with("HTTP/1.1 400"));
    let found = mails(&store(&program), "alice");
    let sizes: Vec<usize> = found.iter().map(|(_, mail)| mail.message.len()).collect();
    assert_eq!(sizes, [25, large.len()]);
}

#[test]
fn mailboxes_are_added_listed_and_removed() {
    let program = Program::start("", &[("alice", "secret-1"), ("bob", "secret-2")]);
    program.command(&["mailbox", "add", "alice", "--local"]);
    let password = program.file("password");
    line_file(&password, "hush-hush");
    let password = password.display().to_string();
    program.command(&[
        "mailbox",
        "add",
        "alice",
        "--imap",
        "imaps://alice%40work.example@mail.work.example",
        "--smtp",
        "smtp://mail.work.example",
        "--password-file",
        &password,
        "--unchecked",
    ]);
    let listed = program.command(&["mailbox", "list", "--json"]);
    assert!(!listed.contains("hush-hush"), "{listed}");
    let listed: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed[0]["address"], "alice@localhost");
    assert_eq!(listed[0]["state"], "ready");
    assert_eq!(listed[1]["address"], "alice@work.example");
    assert_eq!(
        listed[1]["incoming"]["url"],
        "imaps://mail.work.example:993"
    );
    assert_eq!(
        listed[1]["outgoing"]["url"],
        "smtp://mail.work.example:587?tls=start"
    );
    let database = std::fs::read(program.file("candybar.db")).expect("the database");
    let log = std::fs::read(program.file("candybar.db-wal")).unwrap_or_default();
    for octets in [database, log] {
        assert!(
            memchr::memmem::find(&octets, b"hush-hush").is_none(),
            "the password is sealed"
        );
    }
    program.command(&[
        "mailbox",
        "set",
        "alice",
        "alice@work.example",
        "--token-command",
        "echo x",
    ]);
    program.command(&["mailbox", "remove", "alice", "Alice@Work.example"]);
    let listed = program.command(&["mailbox", "list", "alice"]);
    assert!(
        listed.contains("alice@localhost") && !listed.contains("work.example"),
        "{listed}"
    );
    // The account goes with its mailboxes, and the address is free again.
    program.command(&["account", "remove", "alice", "--yes"]);
    program.command(&[
        "mailbox",
        "add",
        "bob",
        "--local",
        "--address",
        "alice@localhost",
    ]);
}
