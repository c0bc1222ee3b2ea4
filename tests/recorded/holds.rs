//! Mass deletions are held: nothing is lost on either side until the operator has decided.

use candybar::handset::Mode;
use candybar::store::{Decision, Held};
use candybar::sync::recording::What;

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

const ITEMS: usize = 40;

/// A server and a phone with the same contacts.
fn synced(world: &World) -> Handset {
    synced_with(world, ITEMS)
}

fn synced_with(world: &World, items: usize) -> Handset {
    let mut phone = world.phone(1);
    for number in 0..items {
        phone.add(STORE, card(&format!("Person{number}"), "+46 1"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), items);
    phone
}

fn delete(phone: &mut Handset, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let luid = luid_of(phone, &format!("Person{number}"));
        assert!(phone.delete(STORE, &luid));
    }
}

#[test]
fn a_phone_that_deletes_most_is_held_whatever_the_size_of_messages() {
    for max_message in [1 << 20, 2_000] {
        let mut world = World::new();
        world.settings.max_message = max_message;
        let mut phone = synced(&world);
        let before = world.held();
        delete(&mut phone, 0..21);
        world.sync(&mut phone, Mode::TwoWay);
        let held = world.last();
        assert_eq!(held.held, Held::Waiting, "{max_message}");
        assert_eq!(world.held(), before, "nothing is deleted");
        assert_eq!(on_phone(&phone).len(), ITEMS - 21, "nothing comes back yet");
        assert_eq!(world.count(&held, What::HeldReceived), 21);
        assert!(
            held.summary.contains("\"received_held\":21"),
            "{}",
            held.summary
        );
        assert!(
            held.summary.contains("\"received_deleted\":0"),
            "{}",
            held.summary
        );

        // The phone goes on as if nothing were, as long as nobody decides.
        phone.add(STORE, card("New", "+46 2"));
        for _ in 0..2 {
            world.sync(&mut phone, Mode::TwoWay);
            assert_eq!(world.last().held, Held::Nothing);
        }
        assert_eq!(world.held().len(), ITEMS + 1);
        assert_eq!(on_phone(&phone).len(), ITEMS - 21 + 1);
        // Another phone gets all.
        let mut other = world.phone(2);
        world.sync(&mut other, Mode::TwoWay);
        assert_eq!(on_phone(&other), world.held());
    }
}

#[test]
fn exactly_half_and_few_items_are_deleted() {
    let world = World::new();
    let mut phone = synced(&world);
    delete(&mut phone, 0..20);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Nothing);
    assert_eq!(world.held().len(), 20);
    // 11 of 20 is more than half, and more than 9.
    delete(&mut phone, 20..31);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Waiting);
    assert_eq!(world.held().len(), 20);
    let number = world.last().number;
    world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    assert_eq!(world.held().len(), 9);
    // 9 of 9: fewer than ten are never held.
    delete(&mut phone, 31..40);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Nothing);
    assert_eq!(world.held().len(), 0);
}

#[test]
fn what_a_session_adds_does_not_hide_what_it_deletes() {
    let mut world = World::new();
    world.settings.max_message = 2_000;
    let mut phone = synced(&world);
    delete(&mut phone, 0..ITEMS);
    for number in 0..2 * ITEMS {
        phone.add(STORE, card(&format!("Other{number}"), "+46 2"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Waiting);
    assert_eq!(world.held().len(), 3 * ITEMS);
    assert_eq!(on_phone(&phone).len(), 2 * ITEMS);
}

#[test]
fn released_deletions_happen_everywhere() {
    let world = World::new();
    let mut phone = synced(&world);
    let mut other = world.phone(2);
    world.sync(&mut other, Mode::TwoWay);
    delete(&mut phone, 0..30);
    world.sync(&mut phone, Mode::TwoWay);
    let number = world.last().number;
    // One of them is changed by the other phone meanwhile: it is not deleted unseen.
    let luid = luid_of(&other, "Person7");
    other.replace(STORE, &luid, card("Person7", "+46 7"));
    world.sync(&mut other, Mode::TwoWay);
    let decided = world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    assert_eq!((decided.deleted, decided.changed_since), (29, 1));
    let recording = world.store.recording(world.account.id, number).unwrap();
    assert_eq!(recording.held, Held::Released);
    assert_eq!(world.held().len(), 11);
    world.sync(&mut other, Mode::TwoWay);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&other), world.held());
    assert_eq!(on_phone(&phone), world.held());
    assert_eq!(world.held()["Person7"], "+46 7");

    // Decided once more, there is nothing left; and it can all be undone.
    let again = world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    assert_eq!((again.deleted, again.settled), (0, 30));
    let undone = world
        .store
        .undo(world.account.id, number, None, false)
        .unwrap();
    assert_eq!(undone.brought_back, 29);
    world.sync(&mut other, Mode::TwoWay);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), ITEMS);
    assert_eq!(on_phone(&other), world.held());
    assert_eq!(on_phone(&phone), world.held());
}

#[test]
fn discarded_deletions_bring_the_items_back_to_the_phone() {
    let world = World::new();
    let mut phone = synced(&world);
    let before = world.held();
    delete(&mut phone, 0..ITEMS);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone).len(), 0);
    let number = world.last().number;
    let decided = world
        .store
        .decide(world.account.id, number, Decision::Discard)
        .unwrap();
    assert_eq!(decided.sent_again, ITEMS as u64);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), before);
    assert_eq!(world.held(), before);
    // And from then on all is as ever.
    delete(&mut phone, 3..4);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), ITEMS - 1);
}

#[test]
fn a_slow_sync_of_a_held_phone_brings_everything_back() {
    let world = World::new();
    let mut phone = synced(&world);
    let before = world.held();
    delete(&mut phone, 0..30);
    world.sync(&mut phone, Mode::TwoWay);
    let number = world.last().number;
    world.sync(&mut phone, Mode::Slow);
    assert_eq!(world.held(), before);
    assert_eq!(on_phone(&phone), before);
    let decided = world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    assert_eq!((decided.deleted, decided.settled), (0, 30));
}

#[test]
fn a_held_item_that_the_phone_makes_again_is_not_doubled() {
    let world = World::new();
    let mut phone = synced(&world);
    delete(&mut phone, 0..30);
    world.sync(&mut phone, Mode::TwoWay);
    phone.add(STORE, card("Person3", "+46 1"));
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), ITEMS);
    let number = world.last().number - 1;
    let decided = world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    assert_eq!((decided.deleted, decided.settled), (29, 1));
    assert!(world.held().contains_key("Person3"));
}

#[test]
fn a_refresh_by_an_empty_phone_is_held() {
    for (kept, held) in [(0, true), (15, true), (25, false)] {
        let world = World::new();
        let mut phone = synced(&world);
        let before = world.held();
        delete(&mut phone, kept..ITEMS);
        world.sync(&mut phone, Mode::RefreshFromClient);
        let session = world.last();
        assert_eq!(session.held == Held::Waiting, held, "{kept}");
        assert_eq!(on_phone(&phone).len(), kept);
        if !held {
            assert_eq!(world.held().len(), kept);
            assert_eq!(world.count(&session, What::Deleted), ITEMS - kept);
            continue;
        }
        assert_eq!(world.held(), before);
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(
            on_phone(&phone).len(),
            kept,
            "not sent as long as nobody decides"
        );
        let decision = if kept == 0 {
            Decision::Discard
        } else {
            Decision::Release
        };
        world
            .store
            .decide(world.account.id, session.number, decision)
            .unwrap();
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(on_phone(&phone), world.held());
        let expected = if kept == 0 { ITEMS } else { kept };
        assert_eq!(world.held().len(), expected);
    }
}

#[test]
fn even_a_small_datastore_is_not_emptied_by_an_empty_phone() {
    let world = World::new();
    let mut phone = world.phone(1);
    for name in ["A", "B", "C"] {
        phone.add(STORE, card(name, "+46 1"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    let mut empty = world.phone(1);
    world.sync(&mut empty, Mode::RefreshFromClient);
    assert_eq!(world.last().held, Held::Waiting);
    assert_eq!(world.held().len(), 3);
}

#[test]
fn deletions_of_a_session_that_breaks_off_count_in_the_next() {
    let mut world = World::new();
    world.settings.max_message = 1_500;
    let mut phone = synced_with(&world, 200);
    let before = world.held();
    delete(&mut phone, 0..150);
    phone.client_mut().behaviour_mut().crash_after = Some(2);
    world
        .try_sync(&mut phone, Mode::TwoWay)
        .expect_err("it breaks off");
    let received = world.count(&world.last(), What::ReceivedDelete);
    assert!(received > 0 && received < 90, "{received}");
    assert_eq!(world.last().held, Held::Nothing);
    assert_eq!(
        world.held(),
        before,
        "nothing is decided before the package is complete"
    );
    phone.client_mut().behaviour_mut().crash_after = None;
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Waiting);
    assert_eq!(world.count(&world.last(), What::HeldReceived), 150);
    assert_eq!(world.held(), before);
}

#[test]
fn few_deletions_of_a_session_that_breaks_off_happen_in_the_next() {
    let mut world = World::new();
    world.settings.max_message = 1_500;
    let mut phone = synced_with(&world, 200);
    delete(&mut phone, 0..90);
    phone.client_mut().behaviour_mut().crash_after = Some(2);
    world
        .try_sync(&mut phone, Mode::TwoWay)
        .expect_err("it breaks off");
    let received = world.count(&world.last(), What::ReceivedDelete);
    assert!(received > 0 && received < 90, "{received}");
    assert_eq!(world.last().held, Held::Nothing);
    phone.client_mut().behaviour_mut().crash_after = None;
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Nothing);
    assert_eq!(world.held().len(), 200 - 90);
    assert_eq!(on_phone(&phone), world.held());
}

#[test]
fn an_emptied_server_does_not_empty_the_phone() {
    for decision in [Decision::Release, Decision::Discard] {
        let world = World::new();
        let mut phone = synced(&world);
        let before = on_phone(&phone);
        let ids: Vec<_> = world.items().into_keys().take(30).collect();
        world.delete(&ids);
        for _ in 0..2 {
            world.sync(&mut phone, Mode::TwoWay);
            assert_eq!(on_phone(&phone), before, "nothing is deleted on the phone");
        }
        let found = world
            .store
            .recordings(world.account.id, 9, |of| of.held == Held::Waiting)
            .unwrap();
        assert_eq!(found.len(), 1, "it is told once");
        assert_eq!(world.count(&found[0], What::HeldSent), 30);
        let number = found[0].number;
        let decided = world
            .store
            .decide(world.account.id, number, decision)
            .unwrap();
        world.sync(&mut phone, Mode::TwoWay);
        if decision == Decision::Release {
            assert_eq!(decided.to_be_told, 30);
            assert_eq!(on_phone(&phone).len(), 10);
        } else {
            assert_eq!(decided.restored, 30);
            assert_eq!(on_phone(&phone), before);
        }
        assert_eq!(on_phone(&phone), world.held());
        assert_eq!(world.last().held, Held::Nothing);
    }
}

#[test]
fn a_phone_that_edits_what_it_was_not_told_of_keeps_it() {
    let world = World::new();
    let mut phone = synced(&world);
    let ids: Vec<_> = world.items().into_keys().collect();
    world.delete(&ids);
    world.sync(&mut phone, Mode::TwoWay);
    let number = world.last().number;
    let luid = luid_of(&phone, "Person5");
    phone.replace(STORE, &luid, card("Person5", "+46 5"));
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), 1);
    world
        .store
        .decide(world.account.id, number, Decision::Release)
        .unwrap();
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), world.held());
    assert_eq!(world.held()["Person5"], "+46 5");
}

#[test]
fn a_hundred_percent_holds_nothing() {
    let mut world = World::new();
    world.settings.hold_deletes_percent = 100;
    let mut phone = synced(&world);
    delete(&mut phone, 0..ITEMS);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.last().held, Held::Nothing);
    assert_eq!(world.held().len(), 0);
}
