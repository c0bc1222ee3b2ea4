//! Mail that was made to hurt.

use super::super::*;
use crate::content::{self, Target};

fn all_ways(message: &[u8]) {
    let record = Mail::received(message.to_vec(), 0).into_record();
    for format in [Format::Email, Format::Message] {
        for mail in [
            Shape::default(),
            Shape::WHOLE,
            Shape::FLAGS,
            Shape {
                trim_quotes: true,
                ..Shape::default()
            },
        ] {
            let sent = content::write(
                &record,
                &Target {
                    mail,
                    ..Target::new(format)
                },
            );
            // A name in an object can have any letters; a message has none but ASCII.
            let valid = std::str::from_utf8(&sent).is_ok();
            assert!(valid && (format == Format::Email || sent.is_ascii()));
            if format == Format::Email {
                let element = markup::read(&sent).expect("an object that can be read");
                assert_eq!(element.name, "email");
            }
            if mail == Shape::default() {
                assert!(sent.len() < 120_000, "{} octets", sent.len());
            }
        }
    }
    let mailbox = Mailbox {
        name: String::new(),
        address: "a@example.org".to_owned(),
    };
    let author = Author {
        addresses: &[mailbox],
        id: "1",
        now: 0,
        answered: None,
        max_octets: 80 << 20,
    };
    if let Ok(sent) = compose(message, &author) {
        assert!(sent.message.is_ascii() && !sent.message.contains(&0));
        let text = String::from_utf8(sent.message).unwrap();
        assert!(
            !text.replace("\r\n", "").contains(['\r', '\n']),
            "bare line ends"
        );
        let longest = text.lines().map(str::len).max().unwrap_or_default();
        assert!(longest <= 998, "a line of {longest} octets");
        let head = text.split("\r\n\r\n").next().unwrap_or_default();
        let fields = head
            .lines()
            .filter(|line| line.to_ascii_lowercase().starts_with("bcc:"));
        assert_eq!(fields.count(), 0);
    }
}

#[test]
fn bombs_of_depth_parts_and_names_are_survived() {
    let nested: String = (0..10_000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n"))
        .collect();
    let wide = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n{}",
        "--b\nContent-Type: image/png\n\nx\n".repeat(8_000)
    );
    let messages = "Content-Type: message/rfc822\n\n".repeat(8_000);
    let name = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png; name=\"{}\"\n\nx\n--b--",
        "../a\u{202e}".repeat(4_000)
    );
    let header = format!(
        "Subject: {}\nTo: {}\n\nx",
        "=?utf-8?q?a?= ".repeat(4_000),
        "a@b.example, ".repeat(4_000)
    );
    let line = format!("Subject: {}\nX: y\n\nx", "a".repeat(3_000_000));
    let fields: String = (0..20_000).map(|n| format!("X-{n}: {n}\n")).collect();
    let same_fields = "To: a@b.example\nSubject: x\n".repeat(5_000) + "\nx";
    let continued: String = (0..5_000)
        .map(|n| format!(" filename*{n}*=%41%0D%0A;\n"))
        .collect();
    let continued = format!(
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: image/png\nContent-Disposition: attachment;\n{continued} x=y\n\nx\n--b--"
    );
    let words = format!(
        "Subject: {}\n\nx",
        "=?utf-8?b?4oCu4oCu4oCu4oCu4oCu?=\n ".repeat(20_000)
    );
    let ids = format!(
        "To: a@b.example\nIn-Reply-To: <{0}@{0}>\nReferences: {1}\nMessage-ID: <{0}>\n\nx",
        "i".repeat(5_000),
        "<a@b> ".repeat(20_000)
    );
    let html = format!(
        "Content-Type: text/html\n\n{}",
        "<blockquote><div>".repeat(8_000)
    );
    let tags = format!("Content-Type: text/html\n\n{}", "<a \"".repeat(8_000));
    let same = format!(
        "Content-Type: multipart/mixed; boundary=-\n\n{}",
        "-".repeat(200_000)
    );
    let headers = [line, fields, same_fields, continued, words, ids];
    let bodies = [nested, wide, messages, name, header, html, tags, same];
    for bomb in headers.into_iter().chain(bodies) {
        all_ways(bomb.as_bytes());
        all_ways(format!("To: a@example.org\n{bomb}").as_bytes());
    }
}

#[test]
fn names_of_attachments_lead_nowhere() {
    for (field, shown) in [
        ("filename=\"../../etc/passwd\"", "passwd"),
        ("filename=\"C:\\\\Windows\\\\a.exe\"", "a.exe"),
        ("filename=\"..\"", ""),
        ("filename=\"/\"", ""),
        (
            "filename*=utf-8''..%2F..%2Fa%0D%0AX-Evil%3A%20b.txt",
            "a X-Evil: b.txt",
        ),
        (
            "filename*0*=utf-8''%2e%2e%2f; filename*1=\"../b.txt\"",
            "b.txt",
        ),
        ("filename=\"=?utf-8?q?=2E=2E=2Fc=00=2Etxt?=\"", "c .txt"),
    ] {
        let message = format!(
            "From: a@example.org\r\nTo: b@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee.\r\n--b\r\n\
             Content-Type: application/pdf\r\nContent-Disposition: attachment; {field}\r\n\r\nx\r\n--b--\r\n"
        );
        let parts::Node::Multi(_, children) = parts::parts(message.as_bytes()) else {
            panic!("no parts: {field}");
        };
        let parts::Node::Leaf(part) = &children[1] else {
            panic!("no attachment: {field}");
        };
        assert_eq!(part.name.as_deref().unwrap_or_default(), shown, "{field}");
        all_ways(message.as_bytes());
    }
}

#[test]
fn a_large_attachment_is_looked_at_and_not_decoded() {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let mut message = b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nSee there.\r\n--b\r\n\
        Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    message.extend_from_slice(line.repeat(30_000_000 / line.len()).as_bytes());
    message.extend_from_slice(b"--b--\r\n");
    let record = Mail::received(message, 0).into_record();
    let sent = content::write(
        &record,
        &Target {
            mail: Shape::default(),
            ..Target::new(Format::Message)
        },
    );
    let text = String::from_utf8(sent).unwrap();
    assert!(text.contains("[a.zip, application/zip, 21.9 MB]"), "{text}");
    assert!(text.len() < 1_000);
}

#[test]
fn broken_mail_is_read_as_far_as_it_goes() {
    for (message, expected) in [
        (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello",
            "hello",
        ),
        (
            "Content-Type: multipart/mixed\n\nno boundary",
            "no boundary",
        ),
        (
            "Content-Type: multipart/mixed; boundary=b\n\nno part at all\n",
            "",
        ),
        (
            "Content-Type: text/plain; charset=x-none\n\nh\u{e9}llo",
            "h\u{e9}llo",
        ),
        ("Content-Transfer-Encoding: base64\n\n!!!", ""),
        (
            "Content-Transfer-Encoding: quoted-printable\n\na=ZZ=3D=\n b=",
            "a=ZZ= b",
        ),
        ("Content-Type: nonsense\n\nx", ""),
        ("\nonly a body", "only a body"),
        ("no header at all", ""),
        ("Subject: x\r\rbare\rreturns", ""),
    ] {
        let tree = parts::parts(message.as_bytes());
        let record = Mail::received(message.as_bytes().to_vec(), 0).into_record();
        let sent = content::write(
            &record,
            &Target {
                mail: Shape::default(),
                ..Target::new(Format::Message)
            },
        );
        let parts::Node::Leaf(part) = parts::parts(&sent) else {
            panic!("parts")
        };
        let text = part.text(9_999);
        let first = text.lines().next().unwrap_or_default();
        assert_eq!(
            if first.starts_with('[') { "" } else { first },
            expected,
            "{message:?} {tree:?}"
        );
        all_ways(message.as_bytes());
    }
}

proptest::proptest! {
    #[test]
    fn no_message_panics(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "From: a@example.org\n", "To: =?utf-8?b?w6U=?= <b@example.org>, \"x\" <y>\n", "Bcc: c@example.org\n", "Subject: =?x?q?=0D=0A?=\n",
            "Content-Type: multipart/mixed; boundary=b\n", "Content-Type: multipart/alternative; boundary=\"c\"\n", "Content-Type: text/html\n",
            "Content-Type: text/plain; charset=utf-16; format=flowed\n", "Content-Transfer-Encoding: base64\n",
            "Content-Transfer-Encoding: quoted-printable\n", "Content-Disposition: attachment; filename*0*=utf-8''%0D; filename*1=x\n",
            "\n", "\r\n", "\r", "\0", "--b\n", "--c\n", "--b--\n", "--c--", "<p>x&amp;", "<!--", "=0D=", "QUJD", "]]>", "> q\n", "\u{1F600}", " ", "Date: x\n",
        ]), 0..40),
        bytes: Vec<u8>,
    ) {
        let mut message = pieces.concat().into_bytes();
        all_ways(&message);
        message.extend_from_slice(&bytes);
        all_ways(&message);
        all_ways(&bytes);
    }
}
