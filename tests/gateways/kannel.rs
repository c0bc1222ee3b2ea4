//! Kannel: what its SMS centre gets is what was meant, octet for octet; receipts and texts come back.

use std::collections::BTreeSet;

use candybar::push::{san, wdp, wsp};
use candybar::sms::{CircuitState, Event, GatewayError, Payload, ReceiptState};

use super::world::{Callbacks, NUMBER, World, notification, push, text};
use crate::support::kannel::{Kannel, Shown};

fn sendsms(kannel: &Kannel, method: &str) -> String {
    format!(
        "[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nmethod = \"{method}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    )
}

fn proxy(kannel: &Kannel) -> String {
    format!(
        "[[gateway]]\nname = \"proxy\"\nkind = \"pap\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\n",
        kannel.ppg(),
        Kannel::USER,
        Kannel::PASSWORD
    )
}

/// What a phone makes of SMS that arrive.
fn reassembled(shown: &[Shown]) -> wsp::Push {
    let mut reassembly = wdp::Reassembly::new();
    let mut datagrams = shown.iter().filter_map(|sms| {
        assert_eq!(sms.to, NUMBER);
        reassembly
            .add(&sms.from, &sms.udh, &sms.body)
            .expect("a segment")
    });
    let datagram = datagrams.next().expect("the last one completes it");
    assert_eq!(datagram.ports, Some(wdp::Ports::PUSH));
    wsp::Push::read(&datagram.payload).expect("a push")
}

#[test]
fn sendsms_carries_every_octet() {
    let callbacks = Callbacks::new();
    let Some(mut kannel) = Kannel::start(&callbacks.url("kannel", "mo")) else {
        return;
    };
    for method in ["get", "post"] {
        let world = World::start(&sendsms(&kannel, method));
        for parts in [1, 2, 3] {
            let message = notification(&format!("m-{method}-{parts}"), parts);
            let outcome = world.submit(&message);
            assert_eq!(
                (outcome.error, outcome.accepted.len()),
                (None, usize::from(parts))
            );
            let shown: Vec<Shown> = (0..parts).map(|_| kannel.next()).collect();
            for (shown, segment) in shown.iter().zip(push(&message).segments()) {
                assert_eq!(
                    (&shown.udh, &shown.body),
                    (&segment.udh, &segment.body),
                    "{method} {parts}"
                );
                assert_eq!((&*shown.from, &*shown.to), ("12345", NUMBER));
            }
            let read = reassembled(&shown);
            assert_eq!(read.body, push(&message).wsp().body);
            assert!(
                san::read(&read.body)
                    .expect("a notification")
                    .is_signed_with("password", b"nonce")
            );
        }
        let outcome = world.submit(&text("t-1", "Hello & good-bye, 100%"));
        assert_eq!(outcome.error, None);
        assert_eq!(kannel.next().body, b"Hello & good-bye, 100%");
        world.stop();
    }
}

#[test]
fn receipts_and_texts_come_back() {
    let callbacks = Callbacks::new();
    let Some(mut kannel) = Kannel::start(&callbacks.url("kannel", "mo")) else {
        return;
    };
    let world = World::start_at(&sendsms(&kannel, "post"), &callbacks);
    let outcome = world.submit(&notification("m-1", 2));
    assert_eq!(outcome.error, None);
    // Kannel tells more than once how each part fares.
    let mut named = BTreeSet::new();
    while named.len() < 2 {
        let receipt = world.receipt();
        let reference = receipt.reference.expect("it names the part");
        assert_eq!(reference.message, "m-1");
        assert_ne!(receipt.state, ReceiptState::Failed, "{}", receipt.text);
        named.insert(reference.part);
    }
    assert_eq!(named, BTreeSet::from([0, 1]));
    kannel.phone_sends(NUMBER, "12345", "SYNC+alice");
    let incoming = loop {
        match world.event() {
            Event::Incoming(incoming) => break incoming,
            other => assert!(matches!(other, Event::Receipt(_)), "{other:?}"),
        }
    };
    assert_eq!((incoming.from.as_str(), &*incoming.to), (NUMBER, "12345"));
    assert!(
        matches!(&incoming.payload, Payload::Text(text) if text.replace('+', " ") == "SYNC alice")
    );
    assert_eq!(world.state().accepted, 2);
    world.stop();
}

#[test]
fn the_push_proxy_carries_every_octet() {
    let callbacks = Callbacks::new();
    let Some(mut kannel) = Kannel::start(&callbacks.url("kannel", "mo")) else {
        return;
    };
    let world = World::start(&proxy(&kannel));
    for parts in [1, 3] {
        let message = notification(&format!("p-{parts}"), parts);
        let outcome = world.submit(&message);
        assert_eq!(
            (outcome.error, outcome.accepted.len()),
            (None, usize::from(parts))
        );
        let id = format!("p-{parts}@candybar");
        assert_eq!(outcome.accepted[0].gateway_id.as_deref(), Some(&*id));
        let shown: Vec<Shown> = (0..parts).map(|_| kannel.next()).collect();
        let read = reassembled(&shown);
        let meant = push(&message).wsp();
        assert_eq!(read.content_type, meant.content_type);
        assert_eq!(read.application(), meant.application());
        assert_eq!(read.body, meant.body);
    }
    world.stop();
}

#[test]
fn a_wrong_password_is_told_as_such() {
    let callbacks = Callbacks::new();
    let Some(kannel) = Kannel::start(&callbacks.url("kannel", "mo")) else {
        return;
    };
    for configuration in [
        sendsms(&kannel, "post"),
        sendsms(&kannel, "get"),
        proxy(&kannel),
    ] {
        let world = World::start(&configuration.replace(Kannel::PASSWORD, "wrong"));
        let error = world
            .submit(&notification("m-1", 1))
            .error
            .expect("an error");
        assert!(
            matches!(error, GatewayError::Misconfigured { .. }),
            "{error}"
        );
        assert!(
            !error.to_string().contains("wrong"),
            "the password is not shown: {error}"
        );
        let CircuitState::Open { why, .. } = world.state().circuit else {
            panic!("it is left alone at once");
        };
        assert!(why.contains("look at username"), "{why}");
        world.stop();
    }
}
