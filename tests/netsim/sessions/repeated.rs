//! Slow syncs in which the phone sends what it sent before.

use candybar::handset::{Behaviour, Luid, Mode, Settings};
use candybar::syncml::ChangeKind;

use super::super::world::card;
use super::{Handset, STORE, Server, on_phone, people};

fn small(settings: &mut Settings) {
    settings.max_msg_size = 2_000;
}

/// A server that takes small messages only and a phone that resumes, with the same forty people, sent by the phone; and another phone.
fn forty() -> (Server, Handset, Handset) {
    let server = Server::with(candybar::session::Settings {
        max_message: 2_000,
        ..candybar::session::Settings::default()
    });
    let resumes = Behaviour {
        resumes: true,
        ..Behaviour::default()
    };
    let mut phone = server.phone("IMEI:phone", resumes, small);
    for (_, body) in people(0..40) {
        phone.add(STORE, body);
    }
    server.sync_well(&mut phone, Mode::Slow);
    let mut other = server.phone("IMEI:other", Behaviour::default(), |_| {});
    server.sync_well(&mut other, Mode::Slow);
    (server, phone, other)
}

fn luids(phone: &Handset) -> Vec<Luid> {
    phone.items(STORE).into_keys().collect()
}

/// What follows shows that the server knows under which ids the phone has its items, and as of when.
fn assert_known(server: &Server, phone: &mut Handset, other: &mut Handset) {
    let first = luids(other)[0].clone();
    assert!(other.replace(STORE, &first, card("Changed", "1")));
    server.sync_well(other, Mode::TwoWay);
    server.sync_well(phone, Mode::TwoWay);
    let sent = server.items(false);
    assert!(matches!(&sent[..], [(ChangeKind::Replace, _)]), "{sent:?}");
    let last = luids(phone).pop().expect("an item");
    assert!(phone.delete(STORE, &last));
    server.sync_well(phone, Mode::TwoWay);
    server.sync_well(other, Mode::TwoWay);
    assert_eq!(on_phone(phone), server.held());
    assert_eq!(on_phone(other), server.held());
}

#[test]
fn nothing_goes_to_and_fro_and_all_is_known_after_it() {
    let (server, mut phone, mut other) = forty();
    for _ in 0..2 {
        let report = server.sync_well(&mut phone, Mode::Slow);
        assert_eq!(server.items(true).len(), 40);
        assert_eq!(server.items(false), [], "{report:?}");
        assert_eq!(server.held().len(), 40);
    }
    assert_known(&server, &mut phone, &mut other);
    assert_eq!(server.held().len(), 39);
}

#[test]
fn what_the_phone_lost_comes_again() {
    let (server, mut phone, mut other) = forty();
    let lost = luids(&phone)[17].clone();
    assert!(phone.delete(STORE, &lost));
    server.sync_well(&mut phone, Mode::Slow);
    let sent = server.items(false);
    assert!(matches!(&sent[..], [(ChangeKind::Add, _)]), "{sent:?}");
    assert_eq!(on_phone(&phone), server.held());
    assert_known(&server, &mut phone, &mut other);
}

#[test]
fn something_new_at_the_end_doubles_nothing() {
    let (server, mut phone, mut other) = forty();
    for number in 0..3 {
        phone.add(STORE, card("Zoe", &number.to_string()));
        let lost = luids(&phone)[number].clone();
        assert!(phone.delete(STORE, &lost));
    }
    server.sync_well(&mut phone, Mode::Slow);
    assert_eq!(server.items(false).len(), 3, "those that were lost");
    assert_eq!(server.held().len(), 43);
    assert_eq!(on_phone(&phone), server.held());
    server.sync_well(&mut other, Mode::TwoWay);
    assert_known(&server, &mut phone, &mut other);
}

#[test]
fn what_changed_here_since_is_told() {
    for delete in [false, true] {
        let (server, mut phone, mut other) = forty();
        let first = luids(&other)[0].clone();
        if delete {
            assert!(other.delete(STORE, &first));
        } else {
            assert!(other.replace(STORE, &first, card("Changed", "0")));
        }
        server.sync_well(&mut other, Mode::TwoWay);
        server.sync_well(&mut phone, Mode::Slow);
        server.sync_well(&mut other, Mode::TwoWay);
        assert_eq!(on_phone(&phone), server.held(), "delete: {delete}");
        assert_eq!(on_phone(&other), server.held(), "delete: {delete}");
        assert_known(&server, &mut phone, &mut other);
    }
}

#[test]
fn a_session_that_breaks_anywhere_leaves_what_was_known() {
    let mut at = 0;
    let mut went_through = false;
    while !went_through {
        at += 1;
        for resumed in [true, false] {
            let (server, mut phone, mut other) = forty();
            server.cut.set(Some(at));
            went_through = server.sync(&mut phone, Mode::Slow).is_ok();
            server.cut.set(None);
            phone.client_mut().behaviour_mut().resumes = resumed;
            server.sync(&mut phone, Mode::TwoWay).expect("a sync");
            assert_eq!(on_phone(&phone), server.held(), "broken at {at}");
            assert_eq!(server.held().len(), 40, "broken at {at}");
            assert_known(&server, &mut phone, &mut other);
        }
    }
    assert!(at > 4, "{at} messages");
}
