//! No room: the phone's memory (Mem, 420) and the account's quota.

use candybar::handset::{Behaviour, Mode};
use candybar::session;

use super::{STORE, Server, on_phone, people};

fn phone_with_room(items: usize, tells: bool) -> Behaviour {
    Behaviour {
        device_full_after: Some(items),
        tells_memory: tells,
        ..Behaviour::default()
    }
}

fn crowd(server: &Server, count: u32) {
    let mut other = server.phone("IMEI:other", Behaviour::default(), |_| {});
    for (_, body) in people(0..count) {
        other.add(STORE, body);
    }
    server.sync_well(&mut other, Mode::TwoWay);
}

#[test]
fn a_phone_that_tells_its_memory_gets_no_more_than_it_holds() {
    let server = Server::new();
    crowd(&server, 10);
    let mut phone = server.phone("IMEI:phone", phone_with_room(4, true), |_| {});
    let report = server.sync_well(&mut phone, Mode::Slow);
    assert_eq!(on_phone(&phone).len(), 4, "{report:?}");
    // There is room again: the rest comes without a slow sync.
    phone.client_mut().behaviour_mut().device_full_after = Some(7);
    let report = server.sync_well(&mut phone, Mode::TwoWay);
    assert_eq!(
        report.datastore(STORE).expect("asked for").used,
        Mode::TwoWay
    );
    assert_eq!(on_phone(&phone).len(), 7);
    phone.client_mut().behaviour_mut().device_full_after = None;
    server.sync_well(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), server.held());
}

#[test]
fn a_phone_that_says_420_gets_no_more_adds_in_this_session() {
    let server = Server::new();
    crowd(&server, 60);
    let mut phone = server.phone("IMEI:phone", phone_with_room(3, false), |settings| {
        settings.max_msg_size = 2_000;
    });
    let report = server.sync(&mut phone, Mode::Slow).expect("no error");
    let refused = report.datastore(STORE).expect("asked for").failures.len();
    // What was under way when it said so, and no more.
    assert!((1..25).contains(&refused), "{refused} were refused");
    assert_eq!(on_phone(&phone).len(), 3);
    phone.client_mut().behaviour_mut().device_full_after = None;
    server.sync_well(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), server.held());
}

#[test]
fn an_account_whose_quota_is_used_up_takes_no_more() {
    let server = Server::with(session::Settings {
        quota_items: 5,
        ..session::Settings::default()
    });
    let mut phone = server.phone("IMEI:phone", Behaviour::default(), |_| {});
    for (_, body) in people(0..8) {
        phone.add(STORE, body);
    }
    let report = server.sync(&mut phone, Mode::Slow).expect("no error");
    let refused = &report.datastore(STORE).expect("asked for").failures;
    assert_eq!(
        refused
            .iter()
            .map(|failure| failure.code.0)
            .collect::<Vec<_>>(),
        [420; 3]
    );
    assert_eq!(server.held().len(), 5);
    // An item that is deleted makes room for one.
    let (luid, _) = phone.items(STORE).into_iter().next().expect("an item");
    assert!(phone.delete(STORE, &luid));
    let report = server.sync(&mut phone, Mode::TwoWay).expect("no error");
    assert_eq!(
        report.datastore(STORE).expect("asked for").failures.len(),
        2
    );
    assert_eq!(server.held().len(), 5);
}

#[test]
fn an_account_has_a_quota_of_octets() {
    let server = Server::with(session::Settings {
        quota_octets: 300,
        ..session::Settings::default()
    });
    let mut phone = server.phone("IMEI:phone", Behaviour::default(), |_| {});
    for (_, body) in people(0..8) {
        phone.add(STORE, body);
    }
    server.sync(&mut phone, Mode::Slow).expect("no error");
    let held = server.held().len();
    assert!((1..8).contains(&held), "{held}");
    // Whether it was counted in one message or in another session.
    server.sync(&mut phone, Mode::TwoWay).expect("no error");
    assert_eq!(server.held().len(), held);
}
