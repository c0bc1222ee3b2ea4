//! Push mail, whole: a mail in Dovecot is an SMS in Kannel's centre; the phone reads, files, deletes and answers; Dovecot and a mail server show it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use candybar::content::email::{Folder, Mail};
use candybar::content::{self, Format, ReadHint};
use candybar::handset::{Addresses, HttpTransport, Luid, Phone, Settings, Wanted};
use candybar::push::{san, wdp, wsp};

use super::{ACCOUNT, World, sync, until};
use crate::submission::sink::Sink;
use crate::support::dovecot::Dovecot;
use crate::support::kannel::Kannel;

const MAIL: &str = "mail";
/// Seconds between looks where the server tells nothing.
const POLL: u32 = 1;

fn mail_phone(world: &World) -> Phone<HttpTransport> {
    let mut phone = world.phone(1);
    let settings: &mut Settings = phone.client_mut().settings_mut();
    settings.datastores = [(MAIL.to_owned(), Addresses::same("./mail"))].into();
    sync(&mut phone, &[MAIL]);
    let number = ["--msisdn", "+46700000001"];
    let set = ["device", "set", ACCOUNT.0, "IMEI:1"];
    world.server.command(&[&set[..], &number].concat());
    phone
}

fn folder(phone: &Phone<HttpTransport>, name: &str) -> Luid {
    let items = phone.items(MAIL);
    let found = items.into_iter().find(|(_, item)| {
        item.content_type == Format::Folder.mime()
            && Folder::read(&item.body.0).is_ok_and(|folder| folder.name == name)
    });
    found.unwrap_or_else(|| panic!("no folder {name}")).0
}

fn mails(phone: &Phone<HttpTransport>) -> impl Iterator<Item = (Luid, Mail)> {
    let hint = ReadHint {
        format: Some(Format::Email),
        ..ReadHint::default()
    };
    let items = phone.items(MAIL).into_iter();
    items.filter_map(move |(luid, item)| {
        let record = content::read(&item.body.0, &hint).ok()?.record;
        Some((luid, Mail::of(record)?))
    })
}

fn mail(phone: &Phone<HttpTransport>, subject: &str) -> Option<(Luid, Mail)> {
    mails(phone).find(|(_, mail)| mail.head().subject == subject)
}

fn message(subject: &str) -> String {
    format!(
        "From: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: {subject}\r\n\
         Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@example.net>\r\n\r\nThe text of {subject}.\r\n"
    )
}

/// Alice's mailbox at Dovecot becomes one of the account.
fn join(world: &World, dovecot: &Dovecot, beside: &[&str]) {
    let imap = format!("imap://alice@127.0.0.1:{}", dovecot.imap);
    join_by(world, &["--imap", &imap], beside);
}

fn join_by(world: &World, server: &[&str], beside: &[&str]) {
    let password = world.server.file("password");
    std::fs::write(&password, "alice-pw\n").expect("written");
    let password = password.display().to_string();
    let add = ["mailbox", "add", ACCOUNT.0];
    let who = [
        "--address",
        "alice@example.org",
        "--password-file",
        &password,
    ];
    world.server.command(&[&add, server, &who, beside].concat());
}

fn is_watched(world: &World) {
    until("the watch", || {
        let listed = world.server.command(&["mailbox", "list", "--json"]);
        listed.contains("\"watched\"").then_some(())
    });
}

/// A server that looks at mailboxes each second where nothing tells it, and sends by Kannel.
fn world_before(kannel: &Kannel, rules: &str) -> World {
    World::new(&format!(
        "[mail]\npoll_seconds = {POLL}\n[push]\ncoalesce_seconds = 0\n{rules}\n[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\n\
         url = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    ))
}

/// Waits for the SMS that has the phone ask for its mail, and synchronises.
fn called(kannel: &mut Kannel, phone: &mut Phone<HttpTransport>) {
    let sms = kannel.next();
    assert!(sms.to.ends_with("46700000001"), "{}", sms.to);
    let whole = wdp::Reassembly::new().add(&sms.from, &sms.udh, &sms.body);
    let datagram = whole.expect("a segment").expect("it is one SMS");
    let package = wsp::Push::read(&datagram.payload).expect("a push");
    let asked = san::read(&package.body).expect("package #0").notice.syncs;
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].uri, "./mail");
    sync(phone, &[MAIL]);
}

/// The same; gives the mail that is on the phone then.
fn woken(kannel: &mut Kannel, phone: &mut Phone<HttpTransport>, subject: &str) -> Luid {
    called(kannel, phone);
    let (luid, read) = mail(phone, subject).expect("the mail is on the phone");
    let text = String::from_utf8_lossy(&read.message).into_owned();
    assert!(text.contains(&format!("The text of {subject}.")), "{text}");
    luid
}

/// The phone puts an answer to that mail into its outbox.
fn answer(phone: &mut Phone<HttpTransport>, subject: &str) {
    send(phone, "bob@example.net", &format!("Re: {subject}"));
}

/// The phone puts a mail into its outbox.
fn send(phone: &mut Phone<HttpTransport>, to: &str, subject: &str) {
    let outbox = folder(phone, "Outbox");
    let written = format!("To: {to}\r\nSubject: {subject}\r\n\r\nAt four.\r\n");
    let written = phone.add_as(
        MAIL,
        Format::Email.mime(),
        format!("<Email><emailitem><![CDATA[{written}]]></emailitem></Email>"),
    );
    let memory = phone.client_mut().memory_mut().datastore_mut(MAIL);
    assert!(memory.move_to(&written, &outbox.0));
}

/// The phone marks a mail as read.
fn read(phone: &mut Phone<HttpTransport>, luid: &Luid) {
    let body = phone.items(MAIL)[luid].body.0.clone();
    let body = String::from_utf8_lossy(&body).replace("<read>false", "<read>true");
    assert!(phone.replace(MAIL, luid, body));
}

/// All that a mail passes. They end in this order.
struct Peers {
    phone: Phone<HttpTransport>,
    world: World,
    sink: Sink,
    kannel: Kannel,
    dovecot: Dovecot,
}

/// A watched mailbox that is joined in that way, with a server that sends; `None` if a peer is not installed.
fn peers(capability: Option<&str>, join: impl FnOnce(&World, &Dovecot, &[&str])) -> Option<Peers> {
    let dovecot = Dovecot::start(&["alice"], capability)?;
    let kannel = Kannel::start("http://127.0.0.1:9/mo?")?;
    let sink = Sink::start(&["login"])?;
    let world = world_before(&kannel, "");
    let smtp = format!("smtp://127.0.0.1:{}", sink.port);
    join(&world, &dovecot, &["--smtp", &smtp]);
    let phone = mail_phone(&world);
    is_watched(&world);
    Some(Peers {
        phone,
        world,
        sink,
        kannel,
        dovecot,
    })
}

#[test]
fn a_mail_wakes_the_phone_which_reads_files_deletes_and_answers() {
    whole_way(None);
}

#[test]
fn a_mail_wakes_the_phone_with_idle_and_qresync_without_notify() {
    whole_way(Some(
        "IMAP4rev1 LITERAL+ SASL-IR UIDPLUS IDLE ENABLE CONDSTORE QRESYNC MOVE SPECIAL-USE",
    ));
}

#[test]
fn a_mail_wakes_the_phone_with_idle_alone() {
    whole_way(Some("IMAP4rev1 LITERAL+ SASL-IR UIDPLUS IDLE SPECIAL-USE"));
}

#[test]
fn a_mail_wakes_the_phone_without_idle() {
    whole_way(Some("IMAP4rev1 LITERAL+ SASL-IR UIDPLUS SPECIAL-USE"));
}

/// The whole way both ways, with what IMAP offers.
fn whole_way(capability: Option<&str>) {
    let Some(Peers {
        dovecot,
        mut kannel,
        mut sink,
        world: _world,
        mut phone,
    }) = peers(capability, join)
    else {
        return;
    };
    dovecot.deliver("alice", &message("Tea"));
    let tea = woken(&mut kannel, &mut phone, "Tea");
    for subject in ["Cake", "Spam"] {
        dovecot.deliver("alice", &message(subject));
    }
    until("the other mails", || {
        sync(&mut phone, &[MAIL]);
        mail(&phone, "Cake").and(mail(&phone, "Spam"))
    });

    // Read; filed; deleted; answered.
    read(&mut phone, &tea);
    let (cake, _) = mail(&phone, "Cake").expect("the mail");
    let (spam, _) = mail(&phone, "Spam").expect("the mail");
    let drafts = folder(&phone, "Drafts");
    answer(&mut phone, "Tea");
    let memory = phone.client_mut().memory_mut().datastore_mut(MAIL);
    assert!(memory.move_to(&cake, &drafts.0));
    assert!(phone.delete(MAIL, &spam));
    sync(&mut phone, &[MAIL]);

    let taken = sink.mail();
    assert_eq!(taken.sender, "alice@example.org");
    assert_eq!(taken.to, ["bob@example.net"]);
    for field in [
        "In-Reply-To: <Tea@example.net>",
        "Subject: Re: Tea",
        "At four.",
    ] {
        assert!(taken.message.contains(field), "{field}: {}", taken.message);
    }
    for (folder, expected) in [
        ("INBOX", "Tea: \\Seen"),
        ("Drafts", "Cake:"),
        ("Trash", "Spam:"),
        ("Sent", "Re: Tea: \\Seen"),
    ] {
        until(&format!("{expected} in {folder}"), || {
            (dovecot.marks("alice", folder) == [expected]).then_some(())
        });
    }
    until("the answer among the sent", || {
        sync(&mut phone, &[MAIL]);
        let sent = folder(&phone, "Sent");
        let (luid, _) = mail(&phone, "Re: Tea")?;
        (phone.items(MAIL)[&luid].parent == sent.0).then_some(())
    });
    assert_eq!(sink.count(), 1, "it went out once");
}

#[test]
fn mail_in_three_folders_wakes_the_phone_with_notify() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let Some(mut kannel) = Kannel::start("http://127.0.0.1:9/mo?") else {
        return;
    };
    dovecot.imaplib("alice", "imap.create('Club')\n");
    // No look comes before the test is over: it is the server that tells.
    let world = World::new(&format!(
        "[mail]\npoll_seconds = 3600\n[push]\ncoalesce_seconds = 0\n[push.mail]\nfolders = \"all\"\n[[gateway]]\nname = \"kannel\"\n\
         kind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    ));
    join(&world, &dovecot, &[]);
    let mut phone = mail_phone(&world);
    is_watched(&world);
    // The phone learns of the folders.
    sync(&mut phone, &[MAIL]);
    for (name, shown, subject) in [
        ("Work", "Work", "Plan"),
        ("INBOX", "Inbox", "Tea"),
        ("Club", "Club", "Match"),
        ("Work", "Work", "Report"),
    ] {
        let append = format!(
            "imap.append('{name}', None, None, {:?}.encode())\n",
            message(subject)
        );
        dovecot.imaplib("alice", &append);
        let luid = woken(&mut kannel, &mut phone, subject);
        assert_eq!(phone.items(MAIL)[&luid].parent, folder(&phone, shown).0);
        read(&mut phone, &luid);
        sync(&mut phone, &[MAIL]);
        until("the mark", || {
            let marks = dovecot.marks("alice", name);
            marks.contains(&format!("{subject}: \\Seen")).then_some(())
        });
    }
}

#[test]
fn a_mail_in_a_maildrop_wakes_the_phone_which_deletes_and_answers() {
    let by_pop3 = |world: &World, dovecot: &Dovecot, beside: &[&str]| {
        let pop3 = format!("pop3://alice@127.0.0.1:{}", dovecot.pop3);
        join_by(world, &["--pop3", &pop3], beside);
    };
    let Some(Peers {
        dovecot,
        mut kannel,
        mut sink,
        world: _world,
        mut phone,
    }) = peers(None, by_pop3)
    else {
        return;
    };
    dovecot.deliver("alice", &message("Tea"));
    let tea = woken(&mut kannel, &mut phone, "Tea");
    dovecot.deliver("alice", &message("Spam"));
    let spam = woken(&mut kannel, &mut phone, "Spam");
    read(&mut phone, &tea);
    assert!(phone.delete(MAIL, &spam));
    answer(&mut phone, "Tea");
    sync(&mut phone, &[MAIL]);
    let taken = sink.mail();
    assert_eq!(taken.to, ["bob@example.net"]);
    assert!(taken.message.contains("In-Reply-To: <Tea@example.net>"));
    until("the deletion at the maildrop", || {
        let left = dovecot.marks("alice", "INBOX");
        matches!(&*left, [one] if one.starts_with("Tea:")).then_some(())
    });
    until("the answer among the sent", || {
        sync(&mut phone, &[MAIL]);
        let sent = folder(&phone, "Sent");
        let (luid, _) = mail(&phone, "Re: Tea")?;
        (phone.items(MAIL)[&luid].parent == sent.0).then_some(())
    });
    assert!(mail(&phone, "Tea").is_some_and(|(_, mail)| mail.read));
}

#[test]
fn a_mail_that_its_server_refuses_comes_back_and_wakes_the_phone() {
    let Some(Peers {
        dovecot: _dovecot,
        mut kannel,
        mut sink,
        world: _world,
        mut phone,
    }) = peers(None, join)
    else {
        return;
    };
    send(&mut phone, "never@example.net", "Tea");
    sync(&mut phone, &[MAIL]);
    called(&mut kannel, &mut phone);
    let reports: Vec<String> = mails(&phone)
        .map(|(_, mail)| String::from_utf8_lossy(&mail.message).into_owned())
        .filter(|text| text.contains("no such user"))
        .collect();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("never@example.net"), "{}", reports[0]);
    assert_eq!(sink.count(), 0);
}

/// A mail with a file of that many octets.
fn with_file_of(subject: &str, octets: u32) -> (String, Vec<u8>) {
    let file: Vec<u8> = (0..octets)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let coded = BASE64.encode(&file);
    let lines: Vec<&str> = (0..coded.len())
        .step_by(76)
        .map(|at| &coded[at..coded.len().min(at + 76)])
        .collect();
    let message = format!(
        "From: Bob <bob@example.net>\r\nTo: alice@example.org\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.net>\r\n\
         Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\nContent-Type: application/pdf; name=plan.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        lines.join("\r\n")
    );
    (message, file)
}

/// The file that a mail on the phone has within it.
fn file_in(mail: &Mail) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(&mail.message);
    let (_, part) = text.split_once("Content-Type: application/pdf")?;
    let (_, body) = part.split_once("\r\n\r\n")?;
    let lines = body.lines().take_while(|line| !line.starts_with("--"));
    Some(BASE64.decode(lines.collect::<String>()).expect("base64"))
}

#[test]
fn a_long_mail_that_is_asked_for_arrives_whole_and_a_push_says_so() {
    let Some(dovecot) = Dovecot::start(&["alice"], None) else {
        return;
    };
    let world = World::new(&super::with_file("coalesce_seconds = 0"));
    join(&world, &dovecot, &[]);
    let mut phone = mail_phone(&world);
    is_watched(&world);
    let (message, file) = with_file_of("Plan", 150_000);
    assert!(message.len() > 200_000);
    dovecot.deliver("alice", &message);
    until("the SMS for the mail", || {
        (world.sms().len() == 1).then_some(())
    });
    sync(&mut phone, &[MAIL]);
    let (plan, cut) = mail(&phone, "Plan").expect("the mail");
    assert_eq!(file_in(&cut), None);
    let text = String::from_utf8_lossy(&cut.message).into_owned();
    assert!(
        text.contains("See the file.") && text.contains("plan.pdf"),
        "{text}"
    );

    // The user wants all of it.
    let wanted = Wanted {
        record: Some(format!("&LUID;&EQ;{plan}")),
        fields: Vec::new(),
        inclusive: true,
    };
    let settings = phone.client_mut().settings_mut();
    settings.filters.insert(MAIL.to_owned(), wanted);
    sync(&mut phone, &[MAIL]);
    assert_eq!(file_in(&mail(&phone, "Plan").expect("the mail").1), None);
    phone.client_mut().settings_mut().filters.clear();
    until("the SMS that it is there", || {
        (world.sms().len() == 2).then_some(())
    });
    sync(&mut phone, &[MAIL]);
    let (same, whole) = mail(&phone, "Plan").expect("the mail");
    assert_eq!(same, plan);
    assert!(file_in(&whole) == Some(file), "octet for octet");
    // Nothing more is told, and nothing was marked at the server.
    sync(&mut phone, &[MAIL]);
    assert_eq!(world.sms().len(), 2);
    assert_eq!(dovecot.marks("alice", "INBOX"), ["Plan:"]);
}
