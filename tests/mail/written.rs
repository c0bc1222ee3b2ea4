//! What phones write becomes no header field, no recipient and no line of the protocol: from a phone through the whole program to a
//! mail server that we did not write.

use std::time::Duration;

use candybar::content::Format;
use candybar::content::email::{Folder, FolderRole};
use candybar::handset::{
    Addresses, Behaviour, HttpTransport, Memory, Mode, Phone, Request, Settings,
};

use super::line_file;
use crate::submission::sink::Sink;
use crate::support::program::Program;

const MAIL: &str = "mail";
const ACCOUNT: (&str, &str) = ("alice", "sync-it-7");

fn sync(phone: &mut Phone<HttpTransport>) {
    let now = chrono::Utc::now().timestamp();
    let report = phone
        .sync(&Request::new(&[MAIL], Mode::TwoWay, now))
        .expect("a sync");
    assert!(!report.has_failures(), "{report}");
}

#[test]
fn nothing_that_a_phone_writes_gets_into_a_header_or_an_envelope() {
    let Some(mut sink) = Sink::start(&["login"]) else {
        return;
    };
    let server = Program::start("", &[ACCOUNT]);
    let password = server.file("password");
    line_file(&password, "alice-pw");
    server.command(&[
        "mailbox",
        "add",
        ACCOUNT.0,
        "--local",
        "--address",
        "alice@example.org",
        "--smtp",
        &format!("smtp://alice@127.0.0.1:{}?tls=none", sink.port),
        "--password-file",
        &password.display().to_string(),
    ]);
    let mut settings = Settings::new(&server.url(), ACCOUNT.0, ACCOUNT.1);
    settings.datastores = [(MAIL.to_owned(), Addresses::same("./mail"))].into();
    let mut phone = Phone::new(
        settings,
        Behaviour::default(),
        Memory::new("IMEI:1"),
        HttpTransport::new(Duration::from_secs(60)),
    );
    sync(&mut phone);
    let outbox = phone.items(MAIL).into_iter().find(|(_, item)| {
        item.content_type == Format::Folder.mime()
            && Folder::read(&item.body.0)
                .is_ok_and(|folder| folder.role == Some(FolderRole::Outbox))
    });
    let outbox = outbox.expect("the outbox").0;
    let written = [
        "To: bob@example.net\nSubject: a\rBcc: evil@example.com\n\nx",
        "To: bob@example.net\nSubject: =?utf-8?q?b=0D=0ABcc:_evil@example.com?=\n\nx",
        "To: \"c\r\n\tBcc: evil@example.com\" <bob@example.net>\nSubject: c\n\nx",
        "To: bob@example.net\nSubject: d\nIn-Reply-To: <x\r\n\tBcc: evil@example.com>\nReferences: <y\r\n\tX-Evil: 1>\n\nx",
        "To: bob@example.net\nFrom: evil@example.com\nSender: evil@example.com\nReturn-Path: <evil@example.com>\nX-Evil: 1\nSubject: e\n\nx",
        "To: bob@example.net\nSubject: f\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b; name=\"x\r\n\tX-Evil: 1\"\n\nx\n--b--",
        "To: bob@example.net\nSubject: g\n\nx\r\n.\r\nMAIL FROM:<evil@example.com>\r\nRCPT TO:<evil@example.com>\r\nDATA\r\nX-Evil: 1\r\n.\r\n",
        "To: bob@example.net\nSubject: h\n\nx\n.\nx\r.\r\nQUIT\n",
    ];
    for message in written {
        let object =
            format!("<Email><emailitem><![CDATA[{message}]]></emailitem></Email>").into_bytes();
        let luid = phone.add_as(MAIL, Format::Email.mime(), object);
        let memory = phone.client_mut().memory_mut().datastore_mut(MAIL);
        assert!(memory.move_to(&luid, &outbox.0));
        sync(&mut phone);
        let taken = sink.mail();
        assert_eq!(taken.sender, "alice@example.org", "{message:?}");
        assert_eq!(taken.to, ["bob@example.net"], "{message:?}");
        let text = taken.message.replace("\r\n", "\n");
        let (head, _) = text.split_once("\n\n").expect("a header");
        let names: Vec<String> = head
            .lines()
            .filter(|line| !line.starts_with([' ', '\t']))
            .map(|line| line.split(':').next().unwrap_or_default().to_lowercase())
            .collect();
        for name in ["bcc", "x-evil", "sender", "return-path"] {
            assert!(!names.contains(&name.to_owned()), "{message:?}\n{head}");
        }
        assert_eq!(
            names.iter().filter(|name| *name == "from").count(),
            1,
            "{head}"
        );
        assert!(head.contains("alice@example.org"), "{head}");
    }
    assert_eq!(sink.count(), written.len(), "each went out once");
}
