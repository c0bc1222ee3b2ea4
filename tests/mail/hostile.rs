//! Mail that was made to hurt, through a real Dovecot to a phone's form of it: what is fetched and stored is bounded.

use candybar::content::email::Shape;
use candybar::content::{self, Format, Target};
use candybar::mail::watch::Settings;
use candybar::sync::MailboxState;

use super::world::{World, message, settings};
use crate::support::cutter::Cutter;
use crate::support::dovecot::Dovecot;

/// What a phone with the usual limits gets of a mail.
fn on_a_phone(world: &World, subject: &str) -> String {
    let (_, mail) = world.mail(subject).expect("the mail");
    let target = Target {
        mail: Shape::default(),
        ..Target::new(Format::Email)
    };
    let object = content::write(&mail.into_record(), &target);
    String::from_utf8(object).expect("text")
}

#[test]
fn of_a_large_attachment_little_is_fetched_and_a_phone_gets_the_text() {
    const FETCHED: usize = 64 << 10;
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let cutter = Cutter::start(dovecot.imap);
    let url = format!("imap://127.0.0.1:{}", cutter.port());
    world.join(&url, "alice", "alice-pw");
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let attachment = line.repeat(30_000_000 / line.len());
    let head = message("large").replace(
        "\r\n\r\n",
        "\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n",
    );
    let large = format!(
        "{head}--b\r\nContent-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{attachment}--b--\r\n"
    );
    dovecot.deliver("alice", &large);
    world.watch(Settings {
        octets: FETCHED,
        max_message: 1 << 20,
        ..settings()
    });
    let (item, mail) = world.until("the large mail", |world| world.mail("large"));
    assert!(mail.message.len() <= FETCHED && mail.missing > 29_000_000);
    assert!(
        cutter.octets_back() < FETCHED + (16 << 10),
        "{} octets came from the server",
        cutter.octets_back()
    );
    let object = on_a_phone(&world, "large");
    assert!(object.contains("The text of large."), "{object}");
    assert!(object.len() < 10_000, "{} octets", object.len());
    // Nor does a phone that asks for all of it make the server take more than the operator allows; and it is not called all of it.
    world.ask_for_rest(item.meta.id);
    let (_, mail) = world.until("more of it", |world| {
        let (item, mail) = world.mail("large")?;
        (mail.message.len() > FETCHED).then_some((item, mail))
    });
    assert_eq!(mail.message.len(), 1 << 20);
    assert!(mail.missing > 28_000_000, "{}", mail.missing);
    assert!(cutter.octets_back() < (1 << 20) + (128 << 10));
}

#[test]
fn bombs_come_through_a_mail_server_and_stop_nobody() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let mut world = World::new();
    let mailbox = world.join(
        &format!("imap://127.0.0.1:{}", dovecot.imap),
        "alice",
        "alice-pw",
    );
    world.watch(settings());
    let with = |subject: &str, fields: &str, body: &str| {
        let plain = message(subject);
        let (head, _) = plain.split_once("\r\n\r\n").expect("a header");
        format!("{head}\r\n{fields}\r\n{body}\r\n")
    };
    let nested: String = (0..10_000)
        .map(|n| {
            format!(
                "--b{n}\r\nContent-Type: multipart/mixed; boundary=b{}\r\n\r\n",
                n + 1
            )
        })
        .collect();
    let fields: String = (0..5_000).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let names: String = (0..3_000)
        .map(|n| format!(" name*{n}*=%41%0D%0A;\r\n"))
        .collect();
    let words = "=?utf-8?b?4oCu4oCu4oCu4oCu4oCu?=\r\n ".repeat(5_000);
    let long = format!("X-Long: {}\r\n", "a".repeat(2_000_000));
    let bombs = [
        (
            "nested",
            "Content-Type: multipart/mixed; boundary=b0\r\n".to_owned(),
            nested,
        ),
        ("fields", fields, "The text.".to_owned()),
        (
            "names",
            format!("Content-Type: image/png;\r\n{names} x=y\r\n"),
            "x".to_owned(),
        ),
        (
            "words",
            format!("To: {words}\r\n <alice@example.org>\r\n"),
            "The text.".to_owned(),
        ),
        ("long", long, "The text.".to_owned()),
        (
            "zeros",
            "Content-Type: text/plain; charset=utf-16\r\n".to_owned(),
            "\u{0}\u{1b}[2J\u{7f}".to_owned(),
        ),
        (
            "half",
            "Content-Type: multipart/mixed; boundary=\"b\r\nContent-Transfer-Encoding: base64\r\n"
                .to_owned(),
            "--b\r\n!!!".to_owned(),
        ),
    ];
    for (subject, fields, body) in &bombs {
        dovecot.deliver("alice", &with(subject, fields, body));
        world.until(subject, |world| world.mail(subject));
        let object = on_a_phone(&world, subject);
        assert!(object.len() < 130_000, "{subject}: {} octets", object.len());
        assert!(!object.contains('\u{1b}'), "{subject}");
    }
    dovecot.deliver("alice", &message("after all"));
    world.until("what comes after them", |world| world.mail("after all"));
    assert_eq!(world.mails().len(), bombs.len() + 1, "each is there once");
    let known = world.store.mailbox(mailbox.id).expect("the mailbox");
    assert_eq!((known.state, known.failures), (MailboxState::Watched, 0));
}
