//! A session is undone: its items are what they were, on the server and on every phone.

use candybar::handset::Mode;
use candybar::sync::Datastore;

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

/// Two phones and a server with 20 contacts.
fn synced() -> (World, Handset, Handset) {
    let world = World::new();
    let (mut one, mut two) = (world.phone(1), world.phone(2));
    for number in 0..20 {
        one.add(STORE, card(&format!("Person{number}"), "+46 1"));
    }
    world.sync(&mut one, Mode::TwoWay);
    world.sync(&mut two, Mode::TwoWay);
    (world, one, two)
}

fn edit(phone: &mut Handset, name: &str, number: &str) {
    let luid = luid_of(phone, name);
    assert!(phone.replace(STORE, &luid, card(name, number)));
}

fn delete(phone: &mut Handset, name: &str) {
    let luid = luid_of(phone, name);
    assert!(phone.delete(STORE, &luid));
}

/// A session that adds, changes and deletes; its number.
fn busy_session(world: &World, phone: &mut Handset) -> i64 {
    phone.add(STORE, card("New", "+46 9"));
    edit(phone, "Person1", "+46 8");
    edit(phone, "Person2", "+46 8");
    delete(phone, "Person3");
    delete(phone, "Person4");
    world.sync(phone, Mode::TwoWay);
    world.last().number
}

#[test]
fn all_that_a_session_wrote_is_as_before_everywhere() {
    let (world, mut one, mut two) = synced();
    let before = world.held();
    let number = busy_session(&world, &mut one);
    // The second phone knows of it, when it is undone.
    world.sync(&mut two, Mode::TwoWay);
    assert_ne!(world.held(), before);
    let undone = world
        .store
        .undo(world.account.id, number, None, false)
        .unwrap();
    assert_eq!(
        (undone.restored, undone.brought_back, undone.deleted),
        (2, 2, 1)
    );
    assert_eq!((undone.kept, undone.lost), (Vec::new(), Vec::new()));
    assert_eq!(world.held(), before);
    for phone in [&mut one, &mut two] {
        world.sync(phone, Mode::TwoWay);
        assert_eq!(on_phone(phone), before);
    }
    // Once more, there is nothing to do; nothing comes back from the phones.
    let again = world
        .store
        .undo(world.account.id, number, None, true)
        .unwrap();
    assert_eq!(
        (
            again.unchanged,
            again.restored + again.brought_back + again.deleted
        ),
        (5, 0)
    );
    world.sync(&mut two, Mode::TwoWay);
    assert_eq!(world.held(), before);
}

#[test]
fn what_others_did_since_is_kept_and_told_unless_forced() {
    let (world, mut one, mut two) = synced();
    let before = world.held();
    let number = busy_session(&world, &mut one);
    world.sync(&mut two, Mode::TwoWay);
    edit(&mut two, "Person1", "+46 7");
    delete(&mut two, "New");
    edit(&mut two, "Person9", "+46 7");
    world.sync(&mut two, Mode::TwoWay);
    let changed = world.id_of("Person1");
    let undone = world
        .store
        .undo(world.account.id, number, None, false)
        .unwrap();
    assert_eq!(undone.kept, [changed]);
    // What was made and is deleted already is as before.
    assert_eq!(
        (undone.restored, undone.brought_back, undone.unchanged),
        (1, 2, 1)
    );
    assert_eq!(world.held()["Person1"], "+46 7");
    assert_eq!(world.held()["Person2"], "+46 1");
    let forced = world
        .store
        .undo(world.account.id, number, None, true)
        .unwrap();
    assert_eq!((forced.restored, forced.unchanged), (1, 4));
    let mut expected = before;
    expected.insert("Person9".to_owned(), "+46 7".to_owned());
    assert_eq!(world.held(), expected);
    for phone in [&mut one, &mut two] {
        world.sync(phone, Mode::TwoWay);
        assert_eq!(on_phone(phone), expected);
    }
}

#[test]
fn any_of_the_last_sessions_can_be_undone_and_only_the_datastore_that_is_meant() {
    let (world, mut one, _) = synced();
    let mut numbers = Vec::new();
    for round in 0..4 {
        edit(&mut one, &format!("Person{round}"), "+46 8");
        world.sync(&mut one, Mode::TwoWay);
        numbers.push(world.last().number);
    }
    let undo = |number, of| {
        world
            .store
            .undo(world.account.id, number, of, false)
            .unwrap()
    };
    assert_eq!(undo(numbers[1], Some(Datastore::Notes)).restored, 0);
    assert_eq!(undo(numbers[1], Some(Datastore::Contacts)).restored, 1);
    let held = world.held();
    assert_eq!(held["Person1"], "+46 1");
    for name in ["Person0", "Person2", "Person3"] {
        assert_eq!(held[name], "+46 8");
    }
    world.sync(&mut one, Mode::TwoWay);
    assert_eq!(on_phone(&one), held);
}

#[test]
fn a_session_of_many_messages_is_undone_as_a_whole() {
    let mut world = World::new();
    world.settings.max_message = 1_500;
    let mut phone = world.phone(1);
    for number in 0..30 {
        phone.add(STORE, card(&format!("Person{number}"), "+46 1"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    let first = world.last().number;
    let messages = world
        .store
        .recorded_messages(world.account.id, first)
        .unwrap();
    assert!(messages.iter().filter(|of| !of.written.is_empty()).count() > 1);
    let undone = world
        .store
        .undo(world.account.id, first, None, false)
        .unwrap();
    assert_eq!(undone.deleted, 30);
    assert_eq!(world.held().len(), 0);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(
        on_phone(&phone).len(),
        0,
        "what the operator does is not held"
    );
}

#[test]
fn a_large_session_is_undone() {
    const ITEMS: usize = 3_000;
    let world = World::new();
    world.put_many(ITEMS);
    let mut phone = world.phone(1);
    world.sync(&mut phone, Mode::TwoWay);
    let before = world.held();
    let names: Vec<String> = before.keys().cloned().collect();
    for (name, luid) in super::world::luids(&phone) {
        let at = names
            .iter()
            .position(|of| *of == name)
            .expect("it is there");
        if at % 3 == 0 {
            assert!(phone.delete(STORE, &luid));
        } else if at % 3 == 1 {
            assert!(phone.replace(STORE, &luid, card(&name, "+46 8")));
        }
    }
    world.sync(&mut phone, Mode::TwoWay);
    let number = world.last().number;
    assert_eq!(world.held().len(), ITEMS - ITEMS / 3);
    let undone = world
        .store
        .undo(world.account.id, number, None, false)
        .unwrap();
    assert_eq!(undone.brought_back, ITEMS as u64 / 3);
    assert_eq!(undone.restored, ITEMS as u64 / 3);
    assert_eq!(world.held(), before);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), before);
}
