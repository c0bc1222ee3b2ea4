//! Mails of which only the beginning is stored: who asks for more of one gets all of it as soon as it is there.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use candybar::content::email::Mail;
use candybar::handset::{FaultRates, Luid, Mode};
use candybar::sync::{ItemId, MailboxId};

use super::peers::{Peers, message};

/// Octets of a message that are stored at first.
const STORED: usize = 128 << 10;

/// A mail with 150 KB of a file behind its text: 200 KB as it travels.
fn with_file(subject: &str) -> (Vec<u8>, Vec<u8>) {
    let file: Vec<u8> = (0..150_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let coded = BASE64.encode(&file);
    let lines: Vec<&[u8]> = coded.as_bytes().chunks(76).collect();
    let mut whole = format!(
        "From: bob@example.org\r\nTo: alice@example.org\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.org>\r\n\
         Date: Sun, 1 Mar 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--b\r\nContent-Type: application/pdf; name=plan.pdf\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=plan.pdf\r\n\r\n"
    )
    .into_bytes();
    whole.extend(lines.join(&b"\r\n"[..]));
    whole.extend(b"\r\n--b--\r\n");
    (whole, file)
}

/// The file that a message has within it, decoded.
fn file_of(message: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(message);
    let (_, part) = text.split_once("Content-Type: application/pdf")?;
    let (_, body) = part.split_once("\r\n\r\n")?;
    let coded: String = body
        .lines()
        .take_while(|line| !line.is_empty() && !line.starts_with("--"))
        .collect();
    Some(BASE64.decode(coded).expect("base64"))
}

/// A mail of which the beginning is here, on a phone that has it in part.
fn cut(peers: &mut Peers, whole: &[u8]) -> (ItemId, Luid, MailboxId) {
    let id = peers.deliver("Plan", 100);
    peers.edit(id, |mail| {
        mail.message = whole[..STORED.min(whole.len())].to_vec();
        mail.missing = whole.len().saturating_sub(STORED) as u64;
    });
    let mailbox = peers.mirror(&[id]);
    peers.sync(0, Mode::Slow);
    let luid = peers.phone_mail(0, "Plan");
    (id, luid, mailbox)
}

/// The mail server gave all of it.
fn arrives(peers: &Peers, id: ItemId, whole: &[u8]) {
    peers.edit(id, |mail: &mut Mail| {
        mail.message = whole.to_vec();
        mail.missing = 0;
    });
}

#[test]
fn all_of_a_mail_comes_with_the_sync_after_it_was_asked_for() {
    let mut peers = Peers::new(2);
    let (whole, file) = with_file("Plan");
    assert!(whole.len() > 200_000);
    let (id, luid, mailbox) = cut(&mut peers, &whole);
    peers.sync(1, Mode::Slow);
    assert!(peers.wanted(mailbox).is_empty(), "nobody asked");
    let part = peers.phone_text(0, &luid);
    assert!(
        part.contains("See the file.") && part.contains("plan.pdf"),
        "{part}"
    );
    assert!(file_of(&peers.phone_message(0, &luid)).is_none());

    peers.want(Some(&format!("&LUID;&EQ;{luid}")), true);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.replaces, 1, "what is there comes at once");
    assert_eq!(peers.wanted(mailbox), [id]);
    let part = peers.phone_message(0, &luid);
    assert!(file_of(&part).is_none(), "a file in part is no file");
    peers.want(None, false);
    // It takes a while; what happens meanwhile brings nothing that is not there.
    peers.edit(id, |mail| mail.flagged = true);
    peers.watch_for("See the file.");
    peers.sync(0, Mode::TwoWay);
    assert!(!peers.was_seen());

    arrives(&peers, id, &whole);
    let report = peers.sync(0, Mode::TwoWay);
    assert_eq!(report.received.replaces, 1);
    assert_eq!(
        file_of(&peers.phone_message(0, &luid)),
        Some(file.clone()),
        "octet for octet"
    );
    assert!(!peers.phone_text(0, &luid).contains("<truncated>"));
    // Once; and who did not ask for it gets the news alone.
    peers.edit(id, |mail| mail.read = true);
    peers.watch_for("See the file.");
    for phone in 0..2 {
        peers.sync(phone, Mode::TwoWay);
    }
    assert!(!peers.was_seen());
    assert_eq!(file_of(&peers.phone_message(0, &luid)), Some(file));
    let other = peers.phone_mail(1, "Plan");
    assert!(file_of(&peers.phone_message(1, &other)).is_none());
}

#[test]
fn the_rest_gets_through_a_bad_network() {
    let (whole, file) = with_file("Plan");
    for seed in 1..=6 {
        let mut peers = Peers::over(seed, FaultRates::default());
        let (id, luid, mailbox) = cut(&mut peers, &whole);
        peers.disturb(0, FaultRates::all(60));
        peers.want(Some(&format!("&LUID;&EQ;{luid}")), true);
        for _ in 0..20 {
            if peers.wanted(mailbox).is_empty() {
                peers.sync_somehow(0);
            }
        }
        assert_eq!(peers.wanted(mailbox), [id], "seed {seed}");
        peers.want(None, false);
        arrives(&peers, id, &whole);
        peers.sync_somehow(0);
        peers.settle(0);
        let got = file_of(&peers.phone_message(0, &luid));
        assert!(got.as_ref() == Some(&file), "seed {seed}");
    }
}

#[test]
fn a_window_that_is_wider_than_what_is_stored_asks_for_the_rest_of_texts() {
    let mut peers = Peers::new(1);
    peers.window("bytes=0,days=0");
    let line = "All work and no play makes Jack a dull boy.\r\n";
    let mut text = message("Plan");
    text.extend(line.repeat(5_000).as_bytes());
    text.extend(b"The end\r\n");
    // It goes in chunks, and the folder that it is in is named in each of them.
    let (id, luid, mailbox) = cut(&mut peers, &text);
    assert_eq!(peers.wanted(mailbox), [id]);
    arrives(&peers, id, &text);
    peers.sync(0, Mode::TwoWay);
    let got = String::from_utf8(peers.phone_message(0, &luid)).expect("text");
    assert_eq!(got.matches("a dull boy.").count(), 5_000);
    assert!(got.contains("The end"));
    // A file behind a text that is there in full is nothing that this window asks for.
    let mut peers = Peers::new(1);
    peers.window("bytes=0,days=0");
    let (whole, _) = with_file("Plan");
    let (_, _, mailbox) = cut(&mut peers, &whole);
    assert!(peers.wanted(mailbox).is_empty());
}

#[test]
fn the_header_alone_asks_for_nothing() {
    let mut peers = Peers::new(1);
    let (whole, _) = with_file("Plan");
    let (id, luid, mailbox) = cut(&mut peers, &whole);
    peers.want_fields(&format!("&LUID;&EQ;{luid}"), &["emailitem"]);
    peers.sync(0, Mode::TwoWay);
    assert!(peers.wanted(mailbox).is_empty());
    assert_eq!(peers.stored(id).missing as usize, whole.len() - STORED);
}
