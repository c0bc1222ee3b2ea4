//! Effects of profiles on a session: each with a phone that needs it, and the same phone without it.

use std::sync::Arc;

use candybar::device::profile::Catalogue;
use candybar::handset::{Behaviour, Mode, Wanted};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, ChangeKind, Command, Message};

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

/// A world in which the first phone has this effect.
fn world_with(effect: &str) -> World {
    let text = format!(
        "name = \"odd\"\ntitle = \"An odd phone\"\nmatch = [{{ device = \"IMEI:1\" }}]\n\n[[rule]]\nname = \"odd\"\n\
         about = \"It is odd.\"\nsource = \"this test\"\nsession = {{ {effect} }}\n"
    );
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
        let world = world_with(effect);
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
        let mut found = deletes(&world);
        found.sort_unstable();
        assert_eq!(found, [false, soft], "{effect}");
        // Without the filter it comes back.
        phone.client_mut().settings_mut().filters.clear();
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(
            on_phone(&phone).into_keys().collect::<Vec<_>>(),
            ["Anna", "Bert"]
        );
    }
}
