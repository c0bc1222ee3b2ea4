//! Phones that hold a connection: pushed over it for nothing, and by SMS, once, if they do not come. And who may hold one.

use std::net::SocketAddr;

use candybar::handset::{Behaviour, HttpTransport, Memory, Phone, Settings};
use candybar::push::san;
use serde_json::Value;

use super::{ACCOUNT, LIMIT, World, push, sync, until};
use crate::support::ctp::Held;
use crate::support::kannel::free_ports;

/// A server with a connection as its first way and SMS as its second.
fn world(push: &str) -> (World, SocketAddr) {
    let [port] = free_ports();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let world = World::new(&format!(
        "[push]\ncoalesce_seconds = 0\n{push}\n[[gateway]]\nname = \"held\"\nkind = \"ctp\"\nurl = \"{address}\"\n\
         [[gateway]]\nname = \"out\"\nkind = \"file\"\nurl = \"sms.jsonl\"\n"
    ));
    (world, address)
}

#[test]
fn who_does_not_come_for_the_connection_gets_an_sms_once() {
    let (world, address) = world("answer_seconds = 5");
    let _lazy = world.known_phone(1);
    let mut held = Held::ready(address, "IMEI:1", ACCOUNT.0, ACCOUNT.1);
    world.server.command(&["push", ACCOUNT.0]);
    let (code, package) = held.next();
    assert_eq!(code, Held::SYNC);
    let over_connection = san::read(&package).expect("package #0");
    assert!(over_connection.is_signed_with(ACCOUNT.1, b""));
    assert_eq!(world.reaches("sent")["gateway"], "held");
    assert_eq!(world.sms().len(), 0, "it costs nothing");

    let sms = until("the SMS", || {
        Some(world.sms()).filter(|sms| !sms.is_empty())
    });
    assert_eq!(sms[0]["to"], "+46700000001");
    let by_sms = san::read(&push(&sms).body).expect("package #0");
    assert_eq!(by_sms.notice.syncs, over_connection.notice.syncs);
    // Nor does it come for the SMS: that is all.
    let over = world.reaches("unanswered");
    assert_eq!(
        (&over["gateway"], &over["attempts"]),
        (&"out".into(), &2.into())
    );
    assert_eq!(world.sms().len(), 1);
    let shown = world.server.command(&["outbox", "show", "1-1"]);
    for part in ["held took it", "out took it", "the phone did not come"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn who_comes_for_the_connection_gets_no_sms() {
    let (world, address) = world("");
    let mut phone = world.known_phone(1);
    let mut other = world.known_phone(2);
    let mut held = Held::ready(address, "IMEI:1", ACCOUNT.0, ACCOUNT.1);
    other.add("contacts", super::card("Lovelace"));
    sync(&mut other, &["contacts"]);
    assert_eq!(held.next().0, Held::SYNC);
    sync(&mut phone, &["contacts"]);
    assert_eq!(phone.items("contacts").len(), 1);
    assert_eq!(world.reaches("synced")["gateway"], "held");
    assert_eq!(world.sms().len(), 0);
    // Without its connection it is an SMS at once.
    drop(held);
    other.add("contacts", super::card("Hopper"));
    sync(&mut other, &["contacts"]);
    let sms = until("the SMS", || {
        Some(world.sms()).filter(|sms| !sms.is_empty())
    });
    assert_eq!(sms[0]["to"], "+46700000001");
}

#[test]
fn a_connection_is_for_devices_of_the_account_that_show_its_password_or_their_own() {
    let (world, address) = world("");
    let url = world.server.url();
    let _phone = world.known_phone(1);
    world
        .server
        .command(&["account", "add", "bob", "--password", "bobs-7"]);
    let log_in = |device: &str, user: &str, password: &str| {
        Held::connect(address).log_in(device, user, password)
    };
    let told = world.server.command(&[
        "provision",
        ACCOUNT.0,
        "--msisdn",
        "+46700000007",
        "--url",
        &url,
        "--json",
    ]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let own = told["password"].as_str().expect("a password");
    let stand_in = told["device"].as_str().expect("a device");
    assert_eq!(log_in(stand_in, ACCOUNT.0, own), Held::UNAUTHORIZED);
    assert_eq!(
        log_in("IMEI:7", ACCOUNT.0, own),
        Held::UNAUTHORIZED,
        "no phone has come with it yet"
    );
    let mut new = Phone::new(
        Settings::new(&url, ACCOUNT.0, own),
        Behaviour::default(),
        Memory::new("IMEI:7"),
        HttpTransport::new(LIMIT),
    );
    sync(&mut new, &["contacts"]);
    assert_eq!(log_in("IMEI:7", ACCOUNT.0, own), Held::OK);
    assert_eq!(log_in("IMEI:7", ACCOUNT.0, ACCOUNT.1), Held::OK);
    assert_eq!(log_in("IMEI:1", ACCOUNT.0, ACCOUNT.1), Held::OK);
    for (device, user, password) in [
        ("IMEI:1", ACCOUNT.0, own),
        ("IMEI:1", "bob", "bobs-7"),
        ("IMEI:1", "nobody", "x"),
        ("IMEI:9", ACCOUNT.0, ACCOUNT.1),
    ] {
        assert_eq!(
            log_in(device, user, password),
            Held::UNAUTHORIZED,
            "{device} {user}"
        );
    }
}
