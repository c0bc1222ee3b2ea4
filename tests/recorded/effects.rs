//! Effects of profiles on a session: each with a phone that needs it, and the same phone without it.

use std::sync::Arc;

use candybar::config::Config;
use candybar::device::profile::Catalogue;
use candybar::handset::{Behaviour, Mode, Wanted};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, ChangeKind, Command, Data, Message};

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

/// A profile with this effect, for the first phone.
fn odd(effect: &str) -> String {
    format!(
        "name = \"odd\"\ntitle = \"An odd phone\"\nmatch = [{{ device = \"IMEI:1\" }}]\n\n[[rule]]\nname = \"odd\"\n\
         about = \"It is odd.\"\nsource = \"this test\"\nsession = {{ {effect} }}\n"
    )
}

/// A world in which the first phone has this effect.
fn world_with(effect: &str) -> World {
    let text = odd(effect);
    let odd = Catalogue::embedded().with([("odd.toml", text.as_str())]);
    let mut world = World::new();
    world.settings.profiles = Arc::new(odd.expect("a profile"));
    world
}

fn without_statuses_of_replace(message: &mut Message<'_>) {
    message
        .body
        .retain(|command| !matches!(command, Command::Status(status) if status.cmd == "Replace"));
}

/// `silent_success`: commands without a Status were carried out.
#[test]
fn statuses_that_never_come() {
    for (effect, again) in [("silent_success = true", 0), ("silent_success = false", 1)] {
        let world = world_with(effect);
        let mut silent = world.phone_changed(1, Behaviour::default(), without_statuses_of_replace);
        let mut other = world.phone(2);
        other.add(STORE, card("Anna", "+46 1"));
        world.sync(&mut other, Mode::TwoWay);
        world.sync(&mut silent, Mode::TwoWay);
        let luid = luid_of(&other, "Anna");
        other.replace(STORE, &luid, card("Anna", "+46 2"));
        world.sync(&mut other, Mode::TwoWay);
        let report = world.sync(&mut silent, Mode::TwoWay);
        assert_eq!(report.datastores[0].received.replaces, 1, "{effect}");
        assert_eq!(on_phone(&silent)["Anna"], "+46 2");
        let report = world.sync(&mut silent, Mode::TwoWay);
        assert_eq!(report.datastores[0].received.replaces, again, "{effect}");
    }
}

fn body_on(phone: &Handset) -> String {
    let items = phone.items(STORE);
    let item = items.values().next().expect("it has one");
    String::from_utf8_lossy(&item.body.0).into_owned()
}

/// `ignore_capabilities`: the device holds more than its CTCap lists, and deletes what it is not sent no less.
#[test]
fn a_list_of_fields_that_is_not_complete() {
    for (effect, sent) in [
        ("ignore_capabilities = true", true),
        ("ignore_capabilities = false", false),
    ] {
        let world = world_with(effect);
        let mut phone = world.phone(1);
        let devinf = &mut phone.client_mut().settings_mut().devinf;
        let contacts = devinf.datastores.get_mut(STORE).expect("it has contacts");
        contacts
            .properties
            .retain(|property| property.name != "NOTE");
        let mut other = world.phone(2);
        let note = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Anna;Test\r\nTEL;CELL:1\r\nNOTE:Only here\r\nEND:VCARD\r\n";
        other.add(STORE, note);
        world.sync(&mut other, Mode::TwoWay);
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(body_on(&phone).contains("Only here"), sent, "{effect}");
        // An edit without the note takes it away only from where it could be.
        let luid = luid_of(&phone, "Anna");
        phone.replace(STORE, &luid, card("Anna", "2"));
        world.sync(&mut phone, Mode::TwoWay);
        world.sync(&mut other, Mode::TwoWay);
        assert_eq!(body_on(&other).contains("Only here"), !sent, "{effect}");
        assert_eq!(on_phone(&other)["Anna"], "2", "{effect}");
    }
}

/// `legacy_forms`: a phone that prefers the modern form, but needs the old one.
#[test]
fn a_phone_that_does_not_hold_what_it_prefers() {
    for (effect, version) in [
        ("legacy_forms = true", "VERSION:2.1"),
        ("legacy_forms = false", "VERSION:3.0"),
    ] {
        let world = world_with(effect);
        world.put("Anna", "+46 1");
        let mut phone = world.phone(1);
        let devinf = &mut phone.client_mut().settings_mut().devinf;
        let contacts = devinf.datastores.get_mut(STORE).expect("it has contacts");
        contacts.content_types = vec![
            ("text/vcard".to_owned(), "3.0".to_owned()),
            ("text/x-vcard".to_owned(), "2.1".to_owned()),
        ];
        world.sync(&mut phone, Mode::TwoWay);
        assert!(
            body_on(&phone).contains(version),
            "{effect}: {}",
            body_on(&phone)
        );
    }
}

/// `message_percent` and `max_message`: a phone whose messages must not be as large as it says.
#[test]
fn messages_that_must_be_smaller_than_the_phone_says() {
    for (effect, most) in [
        ("message_percent = 50", 5_000),
        ("max_message = 3000", 3_000),
        ("message_percent = 100", 10_000),
    ] {
        let world = world_with(effect);
        world.put_many(100);
        let mut phone = world.phone(1);
        phone.client_mut().settings_mut().max_msg_size = 10_000;
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(phone.items(STORE).len(), 100);
        let number = world.last().number;
        let messages = world.store.recorded_messages(world.account.id, number);
        let sizes: Vec<usize> = messages
            .expect("recorded")
            .iter()
            .map(|message| message.reply.len())
            .collect();
        let largest = sizes.into_iter().max().unwrap_or_default();
        assert!(largest <= most, "{effect}: {largest}");
        assert!(
            largest > most * 3 / 4,
            "{effect}: {largest} is less than it need be"
        );
    }
}

/// `devinf_params`: how our device information tells the kinds of a number.
#[test]
fn kinds_are_told_as_the_phone_reads_them() {
    for (effect, names) in [
        ("devinf_params = \"names\"", true),
        ("devinf_params = \"type\"", false),
    ] {
        let world = world_with(effect);
        let mut phone = world.phone(1);
        phone.client_mut().settings_mut().ask_devinf = true;
        world.sync(&mut phone, Mode::TwoWay);
        let number = world.last().number;
        let messages = world.store.recorded_messages(world.account.id, number);
        let mut told = Vec::new();
        for message in messages.expect("recorded") {
            let carrier = Carrier::from_mime(&message.content_type).expect("a carrier");
            let reply = decode(&message.reply, carrier, &Limits::default()).expect("our own reply");
            for command in &reply.body {
                let Command::Results(results) = command else {
                    continue;
                };
                let items = results.items.iter();
                let devinfs = items.filter_map(|item| match &item.data {
                    Data::DevInf(devinf) => Some(devinf),
                    _ => None,
                });
                let stores = devinfs.flat_map(|devinf| &devinf.datastores);
                let properties = stores
                    .flat_map(|store| &store.ct_caps)
                    .flat_map(|cap| &cap.properties)
                    .filter(|property| property.name == "TEL");
                told.extend(properties.flat_map(|property| {
                    property.params.iter().map(|param| param.name.to_string())
                }));
            }
        }
        assert!(!told.is_empty(), "{effect}");
        assert_eq!(told.iter().any(|name| name == "CELL"), names, "{told:?}");
        assert_eq!(told.iter().any(|name| name == "TYPE"), !names, "{told:?}");
    }
}

/// The Deletes that the server sent in its newest session: whether each was soft.
fn deletes(world: &World) -> Vec<bool> {
    let number = world.last().number;
    let messages = world.store.recorded_messages(world.account.id, number);
    let mut found = Vec::new();
    for message in messages.expect("recorded") {
        let carrier = Carrier::from_mime(&message.content_type).expect("a carrier");
        let reply = decode(&message.reply, carrier, &Limits::default()).expect("our own reply");
        for command in &reply.body {
            let Command::Sync(sync) = command else {
                continue;
            };
            found.extend(sync.commands.iter().filter_map(|command| match command {
                Command::Change(change) if change.kind == ChangeKind::Delete => Some(change.soft),
                _ => None,
            }));
        }
    }
    found
}

/// `soft_deletes`: what only the filter takes from the device lives on, and it is told so.
#[test]
fn what_a_filter_takes_away_is_a_soft_delete() {
    for (effect, soft) in [
        ("soft_deletes = true", true),
        ("soft_deletes = false", false),
    ] {
        filtered_away(&world_with(effect), soft);
    }
}

/// The same, by a profile in the folder that the operator's configuration names.
#[test]
fn a_profile_of_the_operator_is_obeyed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("own")).expect("a folder");
    std::fs::write(path("own/odd.toml"), odd("soft_deletes = true")).expect("written");
    let own = path("own");
    let text = format!("[devices]\nprofiles = {:?}\n", own.display().to_string());
    std::fs::write(path("candybar.toml"), text).expect("written");
    let config = Config::load(Some(&path("candybar.toml")), [], &[]).expect("right");
    let mut world = World::new();
    world.settings.profiles = config.catalogue().expect("a profile");
    filtered_away(&world, true);
}

fn filtered_away(world: &World, soft: bool) {
    let mut phone = world.phone(1);
    for name in ["Anna", "Bert", "Cilly"] {
        phone.add(STORE, card(name, "1"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    // One is really deleted, by another phone.
    let mut other = world.phone(2);
    world.sync(&mut other, Mode::TwoWay);
    let luid = luid_of(&other, "Cilly");
    assert!(other.delete(STORE, &luid));
    world.sync(&mut other, Mode::TwoWay);
    let wanted = Wanted {
        record: Some("N&CON;Anna".to_owned()),
        ..Wanted::default()
    };
    let filters = &mut phone.client_mut().settings_mut().filters;
    filters.insert(STORE.to_owned(), wanted);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone).into_keys().collect::<Vec<_>>(), ["Anna"]);
    assert_eq!(world.held().len(), 2, "Bert lives on");
    let mut found = deletes(world);
    found.sort_unstable();
    assert_eq!(found, [false, soft]);
    // Without the filter it comes back.
    phone.client_mut().settings_mut().filters.clear();
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(
        on_phone(&phone).into_keys().collect::<Vec<_>>(),
        ["Anna", "Bert"]
    );
}
