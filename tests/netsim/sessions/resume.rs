//! Suspended and broken sessions that are resumed (OMA DS 1.2), at every message, with every restart of the server.

use candybar::handset::{Behaviour, Mode, PhoneError, Settings};
use candybar::syncml::{ChangeKind, Version};

use super::super::world::card;
use super::{Handset, STORE, Server, on_phone, people};

/// How a session breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Break {
    /// The phone suspends it.
    Suspended,
    /// An answer is lost.
    AnswerLost,
    /// A message is lost.
    MessageLost,
}

const BREAKS: [Break; 3] = [Break::Suspended, Break::AnswerLost, Break::MessageLost];

fn resuming() -> Behaviour {
    Behaviour {
        resumes: true,
        ..Behaviour::default()
    }
}

fn small(settings: &mut Settings) {
    settings.max_msg_size = 2_000;
}

/// A server that takes small messages only.
fn small_server() -> Server {
    Server::with(candybar::session::Settings {
        max_message: 2_000,
        ..candybar::session::Settings::default()
    })
}

/// Breaks a session at this message; `false` if it ended before.
fn broken(server: &Server, phone: &mut Handset, mode: Mode, how: Break, at: u32) -> bool {
    phone.client_mut().behaviour_mut().suspend_after = None;
    match how {
        Break::Suspended => phone.client_mut().behaviour_mut().suspend_after = Some(at),
        Break::AnswerLost => server.cut.set(Some(at)),
        Break::MessageLost => server.cut_before.set(Some(at)),
    }
    let outcome = server.sync(phone, mode);
    server.cut.set(None);
    server.cut_before.set(None);
    phone.client_mut().behaviour_mut().suspend_after = None;
    match outcome {
        Ok(_) => false,
        Err(PhoneError::Suspended) => {
            assert_eq!(how, Break::Suspended);
            let wire = server.wire.borrow();
            let (_, answer) = wire.last().expect("a message");
            assert!(answer.last, "the answer to 224 is final");
            true
        }
        Err(PhoneError::Transport(_)) => true,
        Err(error) => panic!("{how:?} at {at}: {error}"),
    }
}

/// A server with people that the phone does not have, and the other way; the large ones have photos.
fn filled(server: &Server, phone: &mut Handset) {
    let mut other = server.phone("IMEI:other", Behaviour::default(), |_| {});
    for (_, body) in people(0..12) {
        other.add(STORE, body);
    }
    other.add(STORE, with_photo("Large1", 101));
    server.sync_well(&mut other, Mode::TwoWay);
    for (_, body) in people(20..32) {
        phone.add(STORE, body);
    }
    phone.add(STORE, with_photo("Large2", 102));
}

/// A card of some 9,000 octets whose base64 lines all differ.
fn with_photo(name: &str, seed: u32) -> Vec<u8> {
    let plain = String::from_utf8(card(name, &seed.to_string())).expect("text");
    let lines: String = (0..120_u32)
        .map(|line| {
            let digits = (0..8).map(|part| {
                format!(
                    "{:08x}",
                    (seed * 7 + line * 31 + part).wrapping_mul(0x9E37_79B9)
                )
            });
            format!(" {}\r\n", digits.collect::<String>())
        })
        .collect();
    plain
        .replace(
            "END:VCARD",
            &format!("PHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n{lines}\r\nEND:VCARD"),
        )
        .into_bytes()
}

/// All of them, as name and number.
fn everybody() -> Vec<(String, String)> {
    let mut all: Vec<_> = (0..12)
        .chain(20..32)
        .map(|number| (format!("Person{number}"), number.to_string()))
        .collect();
    all.extend([1, 2].map(|number| (format!("Large{number}"), (100 + number).to_string())));
    all.sort();
    all
}

/// Photos arrived as they were sent.
fn assert_photos(phone: &Handset) {
    for (name, seed) in [("Large1", 101), ("Large2", 102)] {
        let items = phone.items(STORE);
        let held = items
            .values()
            .map(|item| String::from_utf8_lossy(&item.body.0).into_owned())
            .find(|body| body.contains(name))
            .expect("it is there");
        let compact = |text: &str| text.split_whitespace().collect::<String>();
        let photo = String::from_utf8(with_photo(name, seed)).expect("text");
        let (_, wanted) = photo.split_once("BASE64:").expect("a photo");
        let wanted = compact(wanted.split("END").next().expect("a photo"));
        assert!(compact(&held).contains(&wanted), "{name}: {held}");
    }
}

#[test]
fn a_session_that_breaks_at_any_message_is_resumed() {
    for how in BREAKS {
        for mode in [Mode::Slow, Mode::TwoWay] {
            let mut at = 1;
            loop {
                let server = small_server();
                let mut phone = server.phone("IMEI:phone", resuming(), small);
                if mode == Mode::TwoWay {
                    server.sync_well(&mut phone, Mode::Slow);
                }
                filled(&server, &mut phone);
                if !broken(&server, &mut phone, mode, how, at) {
                    break;
                }
                let before = phone.memory().datastores[STORE].clone();
                let what = format!("{how:?} of {mode} at message {at}");
                let report = server.sync_well(&mut phone, mode);
                if let Some(before) = &before.interrupted {
                    let used = report.datastore(STORE).expect("it was asked for").used;
                    assert_eq!(used, before.mode, "{what}");
                }
                assert_eq!(server.held(), everybody(), "{what}: the server");
                assert_eq!(on_phone(&phone), everybody(), "{what}: the phone");
                assert_photos(&phone);
                // Nothing is left over for the sync after.
                let after = server.sync_well(&mut phone, Mode::TwoWay);
                let after = after.datastore(STORE).expect("it was asked for");
                assert_eq!(after.used, Mode::TwoWay, "{what}");
                assert_eq!(
                    (after.sent.total(), after.received.total()),
                    (0, 0),
                    "{what}: {after:?}"
                );
                at += 1;
            }
            assert!(at > 10, "the session was long enough: {at} messages");
        }
    }
}

/// A slow sync that broke when the phone had sent all and had got some of the server's items.
fn half_received(behaviour: &Behaviour) -> (Server, Handset) {
    for at in 1.. {
        let server = small_server();
        let mut phone = server.phone("IMEI:phone", behaviour.clone(), small);
        filled(&server, &mut phone);
        assert!(broken(
            &server,
            &mut phone,
            Mode::Slow,
            Break::AnswerLost,
            at
        ));
        // The last answer was lost.
        let lost = server.items(false).len();
        server.wire.borrow_mut().pop();
        let got = server.items(false).len();
        if got >= 5 && lost > got {
            return (server, phone);
        }
    }
    unreachable!("the session has an end")
}

#[test]
fn what_was_acknowledged_is_not_sent_again() {
    let (server, mut phone) = half_received(&resuming());
    let before = server.items(false);
    server.sync_well(&mut phone, Mode::Slow);
    assert_eq!(server.codes("Alert")[0], 200, "225 is granted");
    assert_eq!(server.items(true), [], "the server has all of the phone");
    let after = server.items(false);
    let only_adds = after.iter().all(|(kind, _)| *kind == ChangeKind::Add);
    assert!(only_adds, "{after:?}");
    // What the phone had answered is not sent again.
    let answered = before.iter().filter(|item| !after.contains(item)).count();
    assert!(answered >= before.len() - 1, "{before:?}, then {after:?}");
    assert_eq!(on_phone(&phone), everybody());
}

#[test]
fn a_phone_that_only_asks_for_more_gets_the_rest() {
    let behaviour = Behaviour {
        bare_when_resumed: true,
        ..resuming()
    };
    let (server, mut phone) = half_received(&behaviour);
    server.sync_well(&mut phone, Mode::Slow);
    let syncs = server.wire.borrow();
    let syncs = syncs.iter().flat_map(|(asked, _)| &asked.body);
    let syncs = syncs.filter(|command| command.name() == "Sync").count();
    assert_eq!(syncs, 0, "no Sync of the phone");
    assert_eq!(on_phone(&phone), everybody());
    assert_eq!(server.held(), everybody());
}

#[test]
fn a_phone_that_cannot_be_resumed_begins_anew() {
    let server = small_server();
    let mut phone = server.phone("IMEI:phone", resuming(), small);
    filled(&server, &mut phone);
    assert!(broken(
        &server,
        &mut phone,
        Mode::Slow,
        Break::AnswerLost,
        8
    ));
    let kept = phone.memory().clone();
    // Another sync of the same phone has begun since (the memory comes from a backup).
    phone.client_mut().behaviour_mut().resumes = false;
    server.sync_well(&mut phone, Mode::Slow);
    let mut restored = server.phone("IMEI:phone", resuming(), small);
    *restored.client_mut().memory_mut() = kept;
    restored.client_mut().memory_mut().session_counter += 5;
    let nonce = phone.memory().nonce.clone();
    restored.client_mut().memory_mut().nonce = nonce;
    let report = server.sync_well(&mut restored, Mode::TwoWay);
    assert_eq!(server.codes("Alert")[0], 508, "225 cannot be granted");
    assert_eq!(server.alerts()[0], 201);
    assert_eq!(report.datastore(STORE).expect("asked for").used, Mode::Slow);
    assert_eq!(server.held(), everybody());
    assert_eq!(on_phone(&restored), everybody());
}

#[test]
fn before_1_2_nothing_is_suspended_or_resumed() {
    use candybar::syncml::Code;
    for version in [Version::V10, Version::V11] {
        for code in [224, 225] {
            let server = small_server();
            let answer = super::raw::alert(&server, version, code);
            assert_eq!(answer, Code::FEATURE_NOT_SUPPORTED, "{code} in {version:?}");
        }
    }
}
