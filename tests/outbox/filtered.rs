//! Phones that want a part: what a filter leaves out wakes nobody.

use candybar::handset::Wanted;

use super::{World, card, sync, until, with_file};

#[test]
fn what_a_phone_does_not_want_does_not_wake_it() {
    let world = World::new(&with_file("coalesce_seconds = 0"));
    let mut author = world.phone(1);
    sync(&mut author, &["contacts"]);
    let mut phone = world.phone(2);
    let wanted = Wanted {
        record: Some("N&CON;Love".to_owned()),
        ..Wanted::default()
    };
    let settings = phone.client_mut().settings_mut();
    settings.filters.insert("contacts".to_owned(), wanted);
    sync(&mut phone, &["contacts"]);
    world.server.command(&[
        "device",
        "set",
        super::ACCOUNT.0,
        "IMEI:2",
        "--msisdn",
        "+46700000002",
    ]);
    author.add("contacts", card("Hopper"));
    sync(&mut author, &["contacts"]);
    let dropped = world.reaches("dropped");
    assert_eq!(
        dropped["why"],
        "nothing changed that passes the phone's filter"
    );
    author.add("contacts", card("Lovelace"));
    sync(&mut author, &["contacts"]);
    until("the SMS", || (!world.sms().is_empty()).then_some(()));
    sync(&mut phone, &["contacts"]);
    assert_eq!(phone.items("contacts").len(), 1);
    let states: Vec<String> = until("both", || {
        let outbox = world.outbox();
        let states = outbox.iter().map(|known| known["state"].as_str());
        let states: Vec<String> = states
            .map(|state| state.unwrap_or_default().into())
            .collect();
        (states.first()? == "synced").then_some(states)
    });
    assert_eq!(states, ["synced", "dropped"]);
    assert_eq!(world.sms().len(), 1);
}
