//! The server speaks first: package #0 through the loopback gateway wakes the MIDlet.

use candybar::push::wsp::{MediaType, Push};
use candybar::push::{Notice, ServerAlert, Sync, notification, san};

use super::emulator::{Air, Emulated, Home, is_here};
use super::{ACCOUNT, card, device, import};
use crate::support::program::Program;

fn world(air: &Air) -> (Program, Home) {
    let configuration = format!("[push]\ncoalesce_seconds = 1\n{}", air.gateway("air", "*"));
    let server = Program::start(&configuration, &[ACCOUNT]);
    import(&server, "contacts", &card("Hopper", "Grace", "TEL:+1\r\n"));
    let phone = Home::new(1);
    phone.run(&server, &[], &["sync"]);
    server.command(&[
        "device",
        "set",
        ACCOUNT.0,
        &device(1),
        "--msisdn",
        "+46700000001",
    ]);
    (server, phone)
}

#[test]
fn a_change_on_the_server_wakes_the_midlet() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);

    let mut phone = home.start(&server, &[], &["listen", "wait", "show contacts"]);
    phone.until("listening");
    import(&server, "contacts", &card("Turing", "Alan", "TEL:+44\r\n"));
    air.carry(&phone);
    let notification = phone.until("notification");
    assert_eq!(notification["believed"], true);
    assert_eq!(notification["datastores"], 1);
    let events = phone.done();
    assert_eq!(events.sync("contacts")["added"], 1);
    assert_eq!(events.titles(), ["Alan Turing", "Grace Hopper"]);
    let outbox = server.command(&["outbox", "list", "--json"]);
    assert!(outbox.contains(r#""state": "synced""#), "{outbox}");
}

#[test]
fn the_notification_of_the_versions_before_wakes_it_as_well() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);
    let set = ["device", "set", ACCOUNT.0, &device(1)];
    server.command(&[&set[..], &["--notification", "syncml-1.1"]].concat());

    let mut phone = home.start(&server, &[], &["listen", "wait", "show contacts"]);
    phone.until("listening");
    import(&server, "contacts", &card("Turing", "Alan", "TEL:+44\r\n"));
    let datagram = air.receive();
    // Anybody can send such a message: without the server's credentials it is not believed.
    let push = Push::read(&datagram).expect("a push");
    assert_eq!(push.content_type, MediaType::SYNCML_WBXML);
    let read = notification::read(&push.body).expect("a message of 1.1");
    assert!(read.has_credentials());
    let bare = notification::push(&read.notice, read.version, &read.target, None);
    air.send(&bare.expect("a push").octets().expect("octets"), &phone);
    assert_eq!(phone.until("notification")["believed"], false);

    air.send(&datagram, &phone);
    let notification = phone.until("notification");
    assert_eq!(notification["form"], "syncml-1.1");
    assert_eq!(notification["believed"], true);
    let session = notification["session"].as_str().expect("an id").to_owned();
    assert_eq!(session, read.session_id);
    let events = phone.done();
    assert_eq!(events.titles(), ["Alan Turing", "Grace Hopper"]);
    let outbox = server.command(&["outbox", "list", "--json"]);
    assert!(outbox.contains(r#""state": "synced""#), "{outbox}");
    let log = server.log();
    assert!(
        log.contains(&session),
        "the session has the id of the notification: {log}"
    );
}

#[test]
fn a_midlet_that_does_not_run_is_started_by_a_notification() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);
    let mut phone = home.start(&server, &[], &["listen", "show contacts"]);
    phone.until("listening");
    phone.done();

    let mut phone = home.start(&server, &["--wait"], &["wait", "show contacts"]);
    phone.until("asleep");
    import(&server, "contacts", &card("Turing", "Alan", "TEL:+44\r\n"));
    air.carry(&phone);
    assert_eq!(phone.until("started")["woken"], true);
    assert_eq!(phone.done().titles(), ["Alan Turing", "Grace Hopper"]);
}

#[test]
fn who_does_not_know_the_password_wakes_nobody() {
    if !is_here() {
        return;
    }
    let air = Air::new();
    let (server, home) = world(&air);
    let mut phone: Emulated = home.start(&server, &[], &["listen", "wait", "show contacts"]);
    phone.until("listening");
    let notice = Notice {
        session_id: 77,
        server_id: "candybar".to_owned(),
        syncs: vec![Sync::new(
            ServerAlert::RefreshFromServer,
            "text/x-vcard",
            "./contacts",
        )],
        ..Notice::default()
    };
    let forged = san::build(&notice, "guessed", b"").expect("a notification");
    let forged = Push::notification(forged).octets().expect("a push");
    air.send(&forged[..forged.len() - 5], &phone);
    assert!(
        phone.until("message")["why"]
            .as_str()
            .expect("why")
            .contains("cut")
    );
    air.send(&forged, &phone);
    assert_eq!(phone.until("notification")["believed"], false);
    import(&server, "contacts", &card("Turing", "Alan", "TEL:+44\r\n"));
    air.carry(&phone);
    assert_eq!(phone.until("notification")["believed"], true);
    let events = phone.done();
    assert_eq!(events.sync("contacts")["alert"], 200);
    assert_eq!(events.of("synced").len(), 1);
}

#[test]
fn five_phones_of_one_account_are_woken_by_one_change() {
    if !is_here() {
        return;
    }
    let air: Vec<Air> = (1..=5).map(|_| Air::new()).collect();
    let mut configuration = "[push]\ncoalesce_seconds = 1\n".to_owned();
    for (number, air) in (1..).zip(&air) {
        configuration += &air.gateway(&format!("air{number}"), &format!("+4670000000{number}"));
    }
    let server = Program::start(&configuration, &[ACCOUNT]);
    let homes: Vec<Home> = (1..=5).map(Home::new).collect();
    let mut phones = Vec::new();
    for (number, home) in (1..).zip(&homes) {
        home.run(&server, &[], &["sync"]);
        let msisdn = format!("+4670000000{number}");
        server.command(&[
            "device",
            "set",
            ACCOUNT.0,
            &device(number),
            "--msisdn",
            &msisdn,
        ]);
        phones.push(home.start(&server, &[], &["listen", "wait", "show contacts"]));
    }
    for phone in &mut phones {
        phone.until("listening");
    }
    import(&server, "contacts", &card("Turing", "Alan", "TEL:+44\r\n"));
    for (phone, air) in phones.iter().zip(&air) {
        air.carry(phone);
    }
    for phone in phones {
        assert_eq!(phone.done().titles(), ["Alan Turing"]);
    }
}
