//! What phones want to be sent.

use super::super::*;
use crate::content;

fn addresses() -> Vec<Mailbox> {
    let one = |name: &str, address: &str| Mailbox {
        name: name.to_owned(),
        address: address.to_owned(),
    };
    vec![one("Ann", "ann@example.org"), one("", "ann.b@example.org")]
}

fn composed(given: &[u8], answered: Option<&Head>) -> Result<Outgoing, Refused> {
    let addresses = addresses();
    compose(
        given,
        &Author {
            addresses: &addresses,
            id: "19.7",
            now: 1_772_355_600,
            answered,
            max_octets: 100_000,
        },
    )
}

fn text(outgoing: &Outgoing) -> String {
    String::from_utf8(outgoing.message.clone()).expect("ASCII")
}

#[test]
fn half_a_message_is_completed() {
    let sent = composed(
        b"To: Bob <bob@example.net>\nSubject: Hej p\xC3\xA5 dig\n\nHall\xC3\xA5\rthere\n.\n",
        None,
    )
    .unwrap();
    assert_eq!(sent.recipients, ["bob@example.net"]);
    assert_eq!(sent.from, "ann@example.org");
    assert_eq!(
        text(&sent),
        "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.net>\r\nSubject: =?utf-8?B?SGVqIHDDpSBkaWc=?=\r\n\
         Date: Sun, 01 Mar 2026 09:00:00 +0000\r\nMessage-ID: <19.7@example.org>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
         Hall=C3=A5\r\nthere\r\n=2E\r\n"
    );
    let head = Head::of(&sent.message);
    assert_eq!(head.subject, "Hej på dig");
}

#[test]
fn the_sender_is_one_of_the_account_and_bcc_is_for_the_envelope() {
    let given = b"From: \"Annie\" <ANN.B@example.org>\nTo: a@example.net, A@EXAMPLE.NET\nCc: c@example.net\nBcc: secret@example.net\nSubject: x\n\nx";
    let sent = composed(given, None).unwrap();
    assert_eq!(sent.from, "ann.b@example.org");
    assert_eq!(
        sent.recipients,
        ["a@example.net", "c@example.net", "secret@example.net"]
    );
    let wire = text(&sent);
    assert!(
        wire.starts_with("From: Annie <ann.b@example.org>\r\n"),
        "{wire}"
    );
    assert!(!wire.to_lowercase().contains("secret") && !wire.to_lowercase().contains("bcc"));
    let filed = String::from_utf8(sent.filed()).unwrap();
    assert!(
        filed.starts_with("Bcc: secret@example.net\r\nFrom: "),
        "{filed}"
    );
    let other = composed(b"From: boss@example.com\nTo: a@example.net\n\nx", None).unwrap();
    assert!(text(&other).starts_with("From: Ann <ann@example.org>\r\n"));
    assert!(!text(&other).contains("boss"));
}

#[test]
fn nothing_that_a_phone_writes_becomes_a_field_of_its_own() {
    for given in [
        &b"To: a@example.net\nSubject: x\rBcc: evil@example.com\n\nx"[..],
        b"To: a@example.net\nSubject: =?utf-8?q?x=0D=0ABcc:_evil@example.com?=\n\nx",
        b"To: \"a\r\n\tBcc: evil@example.com\" <a@example.net>\nSubject: x\n\nx",
        b"To: a@example.net\nSubject: x\0\x0bBcc: evil@example.com\n\nx",
        b"To: =?utf-8?q?x=0ABcc:_evil@example.com?= <a@example.net>\n\nx",
        b"To: a@example.net\nIn-Reply-To: <x\r\n\tBcc: evil@example.com>\n\nx",
        b"To: a@example.net\nMIME-Version: 1.0\nContent-Type: text/plain; charset=\"x\r\n\r\nBcc: evil@example.com\"\n\nx",
        b"To: a@example.net\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b; name=\"x\r\n\tBcc: evil@example.com\"\n\nx\n--b--",
    ] {
        let shown = String::from_utf8_lossy(given).into_owned();
        let sent = composed(given, None).unwrap_or_else(|why| panic!("{why}: {shown}"));
        assert_eq!(sent.recipients, ["a@example.net"], "{shown}");
        let wire = text(&sent);
        let head = wire.split("\r\n\r\n").next().unwrap_or_default();
        let injected = head.lines().any(|line| line.to_lowercase().starts_with("bcc"));
        assert!(!injected && !wire.contains('\0') && !wire.contains('\u{b}'), "{wire}");
        assert!(!wire.replace("\r\n", "").contains(['\r', '\n']), "{wire:?}");
    }
}

#[test]
fn what_cannot_be_sent_is_refused_in_plain_words() {
    let many: String = (0..101).map(|n| format!("u{n}@example.net,")).collect();
    for (given, expected) in [
        ("Subject: x\n\nx".to_owned(), "the mail has no recipient"),
        ("To: \n\n".to_owned(), "the mail has no recipient"),
        (
            "To: bob\n\nx".to_owned(),
            "bob is no address that mail can be sent to",
        ),
        (
            "To: a@b@c\n\nx".to_owned(),
            "a@b@c is no address that mail can be sent to",
        ),
        (
            "To: å@example.net\n\nx".to_owned(),
            "å@example.net is no address that mail can be sent to",
        ),
        (
            format!("To: {many}\n\nx"),
            "the mail has more than 100 recipients",
        ),
        (
            format!("To: a@example.net\n\n{}", "x".repeat(100_000)),
            "the mail has 100019 octets; 100000 can be sent",
        ),
    ] {
        let why = composed(given.as_bytes(), None)
            .expect_err(&given)
            .to_string();
        assert_eq!(why, expected);
    }
    let none = Author {
        addresses: &[],
        id: "1",
        now: 0,
        answered: None,
        max_octets: 9_999,
    };
    assert_eq!(compose(b"To: a@b.c\n\n", &none), Err(Refused::NoAddress));
    for bad in [
        "",
        "a",
        "@",
        "a@",
        "@b",
        "a b@c",
        "a@b c",
        "a@-\u{e5}",
        ".a@b",
        "a..b@c",
        "a@b.",
        "a@b\r\nx",
        "<a@b>",
        "\"a\"@b",
    ] {
        assert!(!is_address(bad), "{bad:?}");
    }
    assert!(is_address("first.last+tag@mail.example.org"));
}

#[test]
fn an_answer_joins_its_thread() {
    let received = Head {
        from: vec![Mailbox {
            name: String::new(),
            address: "bob@example.net".to_owned(),
        }],
        subject: "Lunch".to_owned(),
        message_id: Some("2@example.net".to_owned()),
        references: vec!["1@example.org".to_owned()],
        ..Head::default()
    };
    let given = b"To: Bob@example.net\nSubject: Re: lunch\n\nYes";
    assert!(answers(&Head::of(given), &received));
    for other in [
        "To: bob@example.net\nSubject: Lunch\n\n",
        "To: bob@example.net\nSubject: Re: dinner\n\n",
        "To: eve@example.net\nSubject: Re: Lunch\n\n",
    ] {
        assert!(!answers(&Head::of(other.as_bytes()), &received), "{other}");
    }
    let wire = text(&composed(given, Some(&received)).unwrap());
    assert!(
        wire.contains(
            "In-Reply-To: <2@example.net>\r\nReferences: <1@example.org> <2@example.net>\r\n"
        ),
        "{wire}"
    );
    // What the phone says itself wins.
    let told = b"To: bob@example.net\nSubject: Re: lunch\nIn-Reply-To: <9@example.com>\n\nYes";
    let wire = text(&composed(told, Some(&received)).unwrap());
    assert!(
        wire.contains("In-Reply-To: <9@example.com>\r\nReferences: <9@example.com>\r\n"),
        "{wire}"
    );
}

#[test]
fn parts_are_sent_as_parts() {
    let given = b"To: a@example.net\nSubject: p\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=iso-8859-1\n\n\xE5\n--b\n\
        Content-Type: image/jpeg; name=\"p\xC3\xA5.jpg\"\nContent-Transfer-Encoding: base64\n\nAQ ID\nBA==\n--b\nContent-Type: message/rfc822\n\nSubject: in\n\nx\n--b--\n";
    let sent = composed(given, None).unwrap();
    let wire = text(&sent);
    let parts::Node::Multi(subtype, children) = parts::parts(&sent.message) else {
        panic!("{wire}");
    };
    assert_eq!((subtype.as_str(), children.len()), ("mixed", 3));
    let leaf = |index: usize| match &children[index] {
        parts::Node::Leaf(part) => part,
        parts::Node::Multi(..) => panic!("{wire}"),
    };
    assert_eq!(leaf(0).text(99), "å");
    assert_eq!(&*leaf(1).octets(99), [1, 2, 3, 4]);
    assert_eq!(leaf(1).name.as_deref(), Some("på.jpg"));
    assert_eq!(leaf(2).media, "application/octet-stream");
}

#[test]
fn a_failure_is_told_by_mail() {
    let of = Head {
        subject: "Lunch\u{e5}".to_owned(),
        message_id: Some("1@example.org".to_owned()),
        ..Head::default()
    };
    let unreached = [Unreached {
        recipient: "bob@example.net".to_owned(),
        why: "550: 5.1.1 no such user\r\nBcc: x".to_owned(),
        perhaps: false,
    }];
    let report = report(
        &of,
        &unreached,
        &addresses()[0],
        "19.7.report",
        1_772_355_600,
    );
    let head = Head::of(&report);
    assert_eq!(head.subject, "Not sent: Lunchå");
    assert_eq!(head.in_reply_to, ["1@example.org"]);
    assert_eq!(head.from[0].address, "mailer-daemon@example.org");
    let parts::Node::Multi(kind, children) = parts::parts(&report) else {
        panic!("no parts")
    };
    let leaves: Vec<_> = children
        .iter()
        .map(|child| match child {
            parts::Node::Leaf(part) => part,
            parts::Node::Multi(..) => panic!("parts within"),
        })
        .collect();
    let media: Vec<&str> = leaves.iter().map(|part| &*part.media).collect();
    assert_eq!(kind, "report");
    assert_eq!(
        media,
        [
            "text/plain",
            "message/delivery-status",
            "text/rfc822-headers"
        ]
    );
    assert_eq!(
        leaves[0].text(9_999),
        "Your mail \"Lunchå\" was not sent to:\n\nbob@example.net\n  550: 5.1.1 no such user Bcc: x\n\n"
    );
    assert_eq!(
        leaves[1].text(9_999),
        "Reporting-MTA: dns; example.org\n\nFinal-Recipient: rfc822; bob@example.net\nAction: failed\nStatus: 5.1.1\n\
         Diagnostic-Code: smtp; 550: 5.1.1 no such user Bcc: x\n"
    );
    assert_eq!(Head::of(leaves[2].body).subject, "Lunchå");
    // A phone is shown the words alone.
    let record = Mail::received(report, 0).into_record();
    let target = Target {
        mail: Shape::default(),
        ..Target::new(Format::Message)
    };
    let shown = content::write(&record, &target);
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("no such user") && !shown.contains("Final-Recipient"),
        "{shown}"
    );
    assert!(!shown.contains("delivery-status"), "{shown}");
}

#[test]
fn the_status_of_a_report_is_the_servers() {
    let of = Head::default();
    let status = |why: &str, perhaps: bool| {
        let one = Unreached {
            recipient: String::new(),
            why: why.to_owned(),
            perhaps,
        };
        let report = report(&of, &[one], &addresses()[0], "1", 0);
        let report = String::from_utf8(report).unwrap();
        let line = report
            .lines()
            .find_map(|line| line.strip_prefix("Status: "));
        line.expect("a status").to_owned()
    };
    for (why, expected) in [
        ("permanent error (550): 5.7.1 spam", "5.7.1"),
        ("the account has no server", "5.0.0"),
        ("5.1.1.1 or 5.a.1 or 5.12345.1, at 10.5.0.1", "5.0.0"),
        ("(5.2.2)", "5.2.2"),
    ] {
        assert_eq!(status(why, false), expected, "{why}");
    }
    assert_eq!(status("5.1.1", true), "4.4.2");
}
