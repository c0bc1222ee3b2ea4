//! What is refused before there is a session is counted for each device and Status.

use std::cell::Cell;

use candybar::exchange::{Exchange, Request, Settings};
use candybar::handset::{Behaviour, Mode};
use candybar::session;
use candybar::store::Refusal;
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, Code, Command, Data};

use super::world::{STORE, World, card};

/// The refusals once they are so: they are written behind the answers, in their order.
fn once(world: &World, so: impl Fn(&[Refusal]) -> bool) -> Vec<Refusal> {
    let begin = std::time::Instant::now();
    loop {
        let refusals = world.store.refusals(world.account.id).expect("refusals");
        if so(&refusals) {
            return refusals;
        }
        assert!(begin.elapsed().as_secs() < 60, "{refusals:?}");
        std::thread::yield_now();
    }
}

#[test]
fn wrong_passwords_late_messages_and_nonsense_are_counted() {
    let world = World::new();
    let mut stranger = world.phone_with(
        1,
        Behaviour {
            wrong_password: true,
            ..Behaviour::default()
        },
    );
    for _ in 0..3 {
        world
            .try_sync(&mut stranger, Mode::TwoWay)
            .expect_err("refused");
    }
    let count = Cell::new(0);
    let mut late = world.phone_changed(2, Behaviour::default(), move |message| {
        count.set(count.get() + 1);
        if count.get() == 2 {
            message.header.msg_id = "9".into();
        }
    });
    late.add(STORE, card("Anna", "1"));
    world
        .try_sync(&mut late, Mode::TwoWay)
        .expect_err("out of order");
    let server = Exchange::new(
        world.store.clone(),
        Settings {
            session: session::Settings::default(),
            session_timeout: 3600,
            nonce_secret: b"recorded".to_vec(),
        },
    );
    let query = format!("s={}", world.account.id);
    let nonsense = Request {
        content_type: "application/vnd.syncml+wbxml",
        body: b"nonsense",
        user_agent: None,
        profile_header: None,
        query: Some(&query),
    };
    server
        .handle(nonsense, 1_700_100_000)
        .expect_err("no message");
    let refusals = once(&world, |refusals| refusals.iter().any(|of| of.code == 400));
    let found: Vec<_> = refusals
        .iter()
        .map(|refusal| (refusal.device.as_str(), refusal.code, refusal.times))
        .collect();
    assert_eq!(found[0], ("", 400, 1), "the latest first");
    assert!(found.contains(&("IMEI:2", 405, 1)), "{found:?}");
    let passwords = refusals.iter().find(|of| of.device == "IMEI:1");
    let passwords = passwords.expect("the stranger is remembered");
    assert_eq!(passwords.code, 401);
    assert!(
        passwords.times >= 3 && passwords.began < passwords.latest,
        "{passwords:?}"
    );
}

/// A phone that begins without credentials is only asked for them; one that shows none when it was asked is counted.
#[test]
fn who_shows_no_credentials_though_asked_is_counted() {
    let world = World::new();
    let strip = |only_first: bool| {
        move |message: &mut candybar::syncml::Message<'_>| {
            if !only_first || message.header.msg_id == "1" {
                message.header.cred = None;
            }
        }
    };
    let mut shy = world.phone_changed(1, Behaviour::default(), strip(true));
    for _ in 0..5 {
        world.sync(&mut shy, Mode::TwoWay);
    }
    let mut mute = world.phone_changed(2, Behaviour::default(), strip(false));
    for _ in 0..3 {
        world
            .try_sync(&mut mute, Mode::TwoWay)
            .expect_err("refused");
    }
    let refusals = once(&world, |refusals| {
        refusals
            .iter()
            .any(|of| of.device == "IMEI:2" && of.code == 407 && of.times >= 3)
    });
    assert!(
        refusals.iter().all(|of| of.device != "IMEI:1"),
        "{refusals:?}"
    );
}

/// Device information that cannot be read costs a phone nothing: it is served as one that said nothing.
#[test]
fn device_information_that_is_broken_is_left_out() {
    let world = World::new();
    world.put("Anna", "1");
    let mut phone = world.phone_changed(1, Behaviour::default(), |message| {
        for command in &mut message.body {
            let items = match command {
                Command::Put(put) => &mut put.items,
                Command::Results(results) => &mut results.items,
                _ => continue,
            };
            for item in items {
                item.data = Data::Bytes(b"\x02\x03j".to_vec().into());
            }
        }
    });
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(phone.items(STORE).len(), 1);
    let number = world.last().number;
    let messages = world.store.recorded_messages(world.account.id, number);
    let mut puts = Vec::new();
    for message in messages.expect("recorded") {
        let carrier = Carrier::from_mime(&message.content_type).expect("a carrier");
        let reply = decode(&message.reply, carrier, &Limits::default()).expect("our own reply");
        puts.extend(reply.body.iter().filter_map(|command| match command {
            Command::Status(status) if status.cmd == "Put" => Some(status.code),
            _ => None,
        }));
    }
    assert_eq!(puts, [Code::OK]);
}

/// However many devices are refused, so many are remembered.
#[test]
fn refusals_are_bounded() {
    let world = World::new();
    for number in 0..150 {
        let device = format!("IMEI:{number}");
        let account = world.account.id;
        world.store.refused(account, &device, 401, 1_000 + number);
    }
    let refusals = once(&world, |refusals| {
        refusals.first().is_some_and(|of| of.device == "IMEI:149")
    });
    assert_eq!(refusals.len(), 100);
    assert_eq!(refusals[0].device, "IMEI:149");
    assert_eq!(refusals[99].device, "IMEI:50");
}

/// A text is shown once on each device that there was, in its next session, in every version.
#[test]
fn a_text_is_shown_once_on_each_device() {
    let world = World::new();
    let mut phones = [world.phone(1), world.phone(2)];
    for phone in &mut phones {
        assert_eq!(world.sync(phone, Mode::TwoWay).displayed, [""; 0]);
    }
    let ids: Vec<_> = world
        .store
        .devices(world.account.id)
        .expect("devices")
        .iter()
        .map(|device| device.id)
        .collect();
    for text in ["Maintenance at <noon> & after", "Åsa says: hello"] {
        let told = world.store.announce(world.account.id, &ids, text);
        assert_eq!(told.expect("queued"), 2);
    }
    let only_first = &ids[..1];
    let told = world
        .store
        .announce(world.account.id, only_first, "for one");
    assert_eq!(told.expect("queued"), 1);
    let both = ["Maintenance at <noon> & after", "Åsa says: hello"];
    let first = world.sync(&mut phones[0], Mode::TwoWay);
    assert_eq!(first.displayed, [both[0], both[1], "for one"]);
    assert_eq!(world.sync(&mut phones[0], Mode::TwoWay).displayed, [""; 0]);
    assert_eq!(world.sync(&mut phones[1], Mode::Slow).displayed, both);
    assert_eq!(world.sync(&mut phones[1], Mode::TwoWay).displayed, [""; 0]);
}

/// Texts that do not fit into the phone's first answer come in later sessions, none is lost.
#[test]
fn texts_wait_for_room() {
    let world = World::new();
    let mut phone = world.phone(1);
    phone.client_mut().settings_mut().max_msg_size = 4_000;
    world.sync(&mut phone, Mode::TwoWay);
    let id = world.store.devices(world.account.id).expect("devices")[0].id;
    let texts: Vec<String> = (0..8)
        .map(|number| format!("{number} {}", "x".repeat(900)))
        .collect();
    for text in &texts {
        world
            .store
            .announce(world.account.id, &[id], text)
            .expect("queued");
    }
    let mut shown = Vec::new();
    let mut sessions = 0;
    while shown.len() < texts.len() && sessions < 8 {
        shown.extend(world.sync(&mut phone, Mode::TwoWay).displayed);
        sessions += 1;
    }
    assert_eq!(shown, texts);
    assert!(sessions > 1, "they do not fit into one answer");
}
