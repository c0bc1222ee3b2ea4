//! Large objects: borders anywhere, sizes that are wrong, photos over the smallest messages.

use base64::Engine as _;
use candybar::handset::{Behaviour, Mode};
use candybar::session;
use candybar::syncml::ChangeKind::Add;
use candybar::syncml::{Command, Item, Location, Meta};

use super::super::world::card;
use super::raw::{Talk, change};
use super::{STORE, Server};

/// A chunk of an object: the first has the size.
fn chunk(
    luid: &str,
    data: &[u8],
    size: Option<u64>,
    more: bool,
    format: Option<&'static str>,
) -> Command<'static> {
    let mut part = change(2, Add, luid, Some(data));
    part.items[0].meta = Some(Box::new(Meta {
        size,
        format: format.map(Into::into),
        ..Meta::default()
    }));
    part.items[0].more_data = more;
    Command::Change(part)
}

/// Sends an object in two chunks, cut at this octet; gives the Statuses of both.
fn in_two(server: &Server, body: &[u8], at: usize, format: Option<&'static str>) -> [u16; 2] {
    let mut talk = Talk::begin(server, "1", 201);
    let mut send = |command, last| {
        let answer = talk.send(vec![Talk::element(vec![command])], last);
        let codes = super::raw::statuses(&answer);
        codes
            .iter()
            .find(|(name, _)| name == "Add")
            .expect("a Status")
            .1
    };
    let size = Some(body.len() as u64);
    let first = send(chunk("1", &body[..at], size, true, format), false);
    let second = send(chunk("1", &body[at..], None, false, format), true);
    talk.end();
    [first, second]
}

/// Every border of a card with lines, letters of two and three octets, and base64.
#[test]
fn chunks_may_be_cut_anywhere() {
    let plain = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:\u{d6}berg;\u{20ac}va\r\nFN:\u{d6}\r\nTEL:12\r\nPHOTO;ENCODING=b:AAECAwQFBgc=\r\nEND:VCARD\r\n";
    let encoded = base64::engine::general_purpose::STANDARD.encode(plain);
    for (body, format) in [(plain, None), (encoded.as_str(), Some("b64"))] {
        for at in 1..body.len() {
            let server = Server::new();
            assert_eq!(
                in_two(&server, body.as_bytes(), at, format),
                [213, 201],
                "cut at {at}"
            );
            assert_eq!(
                server.held(),
                [("\u{d6}berg".to_owned(), "12".to_owned())],
                "cut at {at}"
            );
            let item = &server.bodies()[0];
            assert_eq!(String::from_utf8_lossy(item), plain, "cut at {at}");
        }
    }
}

#[test]
fn a_chunked_object_has_to_say_its_size_and_to_keep_to_it() {
    let body = card("Anna", "1");
    let whole = body.len() as u64;
    for (size, expected) in [
        (None, vec![411]),
        (Some(0), vec![411]),
        (Some(5_000), vec![416]),
        (Some(whole - 1), vec![213, 424]),
        (Some(whole + 1), vec![213, 424]),
        (Some(whole), vec![213, 201]),
    ] {
        let server = Server::with(session::Settings {
            max_object: 4_000,
            ..session::Settings::default()
        });
        let mut talk = Talk::begin(&server, "1", 201);
        let mut codes = Vec::new();
        for (part, size, more) in [(&body[..20], size, true), (&body[20..], None, false)] {
            let answer = talk.send(
                vec![Talk::element(vec![chunk("1", part, size, more, None)])],
                !more,
            );
            codes.extend(
                super::raw::statuses(&answer)
                    .into_iter()
                    .map(|(_, code)| code),
            );
            if codes.len() == expected.len() {
                break;
            }
        }
        codes.retain(|code| *code != 200);
        assert_eq!(codes, expected, "{size:?}");
        let held = usize::from(expected.contains(&201));
        assert_eq!(server.held().len(), held, "{size:?}");
    }
}

#[test]
fn an_object_that_grows_beyond_the_limit_is_refused() {
    let server = Server::with(session::Settings {
        max_object: 4_000,
        ..session::Settings::default()
    });
    let mut talk = Talk::begin(&server, "1", 201);
    let part = vec![b'x'; 3_000];
    let mut codes = Vec::new();
    for size in [Some(3_500), None] {
        let answer = talk.send(
            vec![Talk::element(vec![chunk("1", &part, size, true, None)])],
            false,
        );
        codes.extend(
            super::raw::statuses(&answer)
                .into_iter()
                .map(|(_, code)| code),
        );
    }
    assert_eq!(codes, [213, 416]);
}

/// A new item before the end of a chunked one, and a package that ends before it: Alert 223 names it.
#[test]
fn an_object_whose_end_does_not_come_is_asked_for() {
    for last in [false, true] {
        let server = Server::new();
        let mut talk = Talk::begin(&server, "1", 201);
        let body = card("Anna", "1");
        let size = Some(body.len() as u64);
        let other = Command::Change(change(3, Add, "2", Some(&card("Berta", "2"))));
        let first = vec![chunk("1", &body[..20], size, true, None)];
        let answer = if last {
            talk.send(vec![Talk::element(first)], true)
        } else {
            talk.send(vec![Talk::element(first)], false);
            talk.send(vec![Talk::element(vec![other])], true)
        };
        let lost = answer.body.iter().find_map(|command| match command {
            Command::Alert(alert) if alert.code == Some(223) => alert.items.first(),
            _ => None,
        });
        let source = lost.and_then(|item: &Item<'_>| item.source.clone());
        assert_eq!(source, Some(Location::new("1")), "{answer:?}");
        assert_eq!(server.held().len(), usize::from(!last));
    }
}

/// A card with a photo of some 300 KB, of which no two lines are equal.
fn with_photo(name: &str, seed: u32) -> Vec<u8> {
    let mut octets = Vec::with_capacity(225_000);
    let mut state = seed;
    while octets.len() < 225_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        octets.extend_from_slice(&state.to_be_bytes());
    }
    let text = base64::engine::general_purpose::STANDARD.encode(octets);
    let lines: Vec<_> = text
        .as_bytes()
        .chunks(72)
        .map(|line| String::from_utf8_lossy(line))
        .collect();
    format!(
        "BEGIN:VCARD\r\nVERSION:2.1\r\nN:{name};Test\r\nTEL:{seed}\r\nPHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n {}\r\n\r\nEND:VCARD\r\n",
        lines.join("\r\n ")
    )
    .into_bytes()
}

fn photo_of(body: &[u8]) -> String {
    let text: String = String::from_utf8_lossy(body).split_whitespace().collect();
    let (_, rest) = text
        .split_once("BASE64:")
        .or_else(|| text.split_once("ENCODING=b:"))
        .expect("a photo");
    rest.split("END:").next().expect("a photo").to_owned()
}

#[test]
fn photos_of_300_kb_go_both_ways_over_messages_of_1850_octets() {
    let server = Server::with(session::Settings {
        max_message: 1_850,
        ..session::Settings::default()
    });
    let mut phone = server.phone("IMEI:small", Behaviour::default(), |settings| {
        settings.max_msg_size = 1_850;
    });
    let mut other = server.phone("IMEI:large", Behaviour::default(), |_| {});
    phone.add(STORE, with_photo("Sent", 7));
    other.add(STORE, with_photo("Received", 8));
    server.sync_well(&mut other, Mode::TwoWay);
    let report = server.sync_well(&mut phone, Mode::Slow);
    assert!(report.messages > 300, "{} messages", report.messages);
    server.sync_well(&mut other, Mode::TwoWay);
    for of in [&phone, &other] {
        let photos: Vec<_> = of
            .items(STORE)
            .values()
            .map(|item| photo_of(&item.body.0))
            .collect();
        for (name, seed) in [("Sent", 7), ("Received", 8)] {
            let wanted = photo_of(&with_photo(name, seed));
            assert!(photos.contains(&wanted), "{name}");
        }
        assert_eq!(photos.len(), 2);
    }
}

/// The device's answer to our chunks: an error ends the object, which is offered again.
#[test]
fn a_chunk_that_the_device_refuses_ends_the_object() {
    let server = Server::new();
    let mut other = server.phone("IMEI:other", Behaviour::default(), |_| {});
    other.add(STORE, with_photo("Large", 9));
    server.sync_well(&mut other, Mode::TwoWay);
    let mut phone = server.phone("IMEI:phone", Behaviour::default(), |settings| {
        settings.max_msg_size = 4_000;
    });
    // The phone announces more than it then takes: 416 to the first chunk.
    phone.client_mut().behaviour_mut().refuses_chunks = true;
    let report = server
        .sync(&mut phone, Mode::Slow)
        .expect("the session goes on");
    assert_eq!(
        report.datastore(STORE).expect("asked for").failures.len(),
        1
    );
    phone.client_mut().behaviour_mut().refuses_chunks = false;
    server.sync_well(&mut phone, Mode::TwoWay);
    assert_eq!(phone.items(STORE).len(), 1);
}
