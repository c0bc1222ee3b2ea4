//! Two phones that rewrite what they get: the same item would go to and fro for ever, though nobody edits it.

use candybar::handset::Mode;
use candybar::sync::recording::What;

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

/// What each phone makes of a number.
const SPELLINGS: [&str; 2] = ["00461", "+46 1"];

/// The phone writes the number its own way, if it has it in another.
fn rewrite(phone: &mut Handset, own: &str) {
    if on_phone(phone)["Anna"] != own {
        let luid = luid_of(phone, "Anna");
        assert!(phone.replace(STORE, &luid, card("Anna", own)));
    }
}

#[test]
fn an_item_that_is_only_rewritten_comes_to_rest() {
    let world = World::new();
    let mut phones = [world.phone(1), world.phone(2)];
    phones[0].add(STORE, card("Anna", SPELLINGS[0]));
    for phone in &mut phones {
        world.sync(phone, Mode::TwoWay);
    }
    let mut received = Vec::new();
    let mut told = 0;
    for _ in 0..40 {
        let mut of_round = 0;
        for (phone, own) in phones.iter_mut().zip(SPELLINGS) {
            rewrite(phone, own);
            world.sync(phone, Mode::TwoWay);
            let session = world.last();
            of_round += world.count(&session, What::SentReplace);
            let happened = world.happened(&session);
            told += happened
                .iter()
                .filter(|(_, _, text)| text.contains("again and again"))
                .count();
        }
        received.push(of_round);
    }
    let first: usize = received[..10].iter().sum();
    assert!(first > 4, "it goes to and fro: {received:?}");
    assert_eq!(received[30..], [0; 10], "{received:?}");
    assert!(told >= 1, "the session's record tells of it");

    // A real edit passes, whoever makes it, and is not mistaken for more of the same.
    for (editor, number) in [(0, "+46 777"), (1, "+46 888")] {
        let luid = luid_of(&phones[editor], "Anna");
        phones[editor].replace(STORE, &luid, card("Anna", number));
        for phone in [editor, 1 - editor, editor] {
            world.sync(&mut phones[phone], Mode::TwoWay);
        }
        assert_eq!(world.held()["Anna"], number);
        for phone in &phones {
            assert_eq!(on_phone(phone)["Anna"], number);
        }
    }
}

/// Someone who really changes something back, once, is not cut off.
#[test]
fn a_change_that_is_taken_back_counts() {
    let world = World::new();
    let mut phones = [world.phone(1), world.phone(2)];
    phones[0].add(STORE, card("Anna", "1"));
    for phone in &mut phones {
        world.sync(phone, Mode::TwoWay);
    }
    for _ in 0..3 {
        for (phone, number) in [(0, "2"), (1, "1")] {
            let luid = luid_of(&phones[phone], "Anna");
            phones[phone].replace(STORE, &luid, card("Anna", number));
            world.sync(&mut phones[phone], Mode::TwoWay);
            assert_eq!(world.held()["Anna"], number);
            world.sync(&mut phones[1 - phone], Mode::TwoWay);
            assert_eq!(on_phone(&phones[1 - phone])["Anna"], number);
        }
    }
}

/// Two phones that write the number another way each time they get it: no version ever comes again.
#[test]
fn an_item_that_is_answered_with_something_new_each_time_comes_to_rest() {
    let world = World::new();
    let mut phones = [world.phone(1), world.phone(2)];
    phones[0].add(STORE, card("Anna", "1"));
    for phone in &mut phones {
        world.sync(phone, Mode::TwoWay);
    }
    let mut own = ["1".to_owned(), String::new()];
    let mut received = Vec::new();
    let mut told = 0;
    for round in 0..60 {
        let mut of_round = 0;
        for (at, phone) in phones.iter_mut().enumerate() {
            if on_phone(phone)["Anna"] != own[at] {
                own[at] = format!("+{at} {round}");
                let luid = luid_of(phone, "Anna");
                assert!(phone.replace(STORE, &luid, card("Anna", &own[at])));
            }
            world.sync(phone, Mode::TwoWay);
            let session = world.last();
            of_round += world.count(&session, What::SentReplace);
            let happened = world.happened(&session);
            told += happened
                .iter()
                .filter(|(_, _, text)| text.contains("again and again"))
                .count();
        }
        received.push(of_round);
    }
    let first: usize = received[..15].iter().sum();
    assert!(first > 4, "it goes to and fro: {received:?}");
    assert_eq!(received[40..], [0; 20], "{received:?}");
    assert!(told >= 1, "the session's record tells of it");

    // An edit that is no answer passes.
    let luid = luid_of(&phones[0], "Anna");
    phones[0].replace(STORE, &luid, card("Anna", "+46 999"));
    for phone in &mut phones {
        world.sync(phone, Mode::TwoWay);
    }
    assert_eq!(world.held()["Anna"], "+46 999");
    assert_eq!(on_phone(&phones[1])["Anna"], "+46 999");
}

/// Two people who write by turns for days are no loop: now and then one of them syncs without having written.
#[test]
fn people_who_write_by_turns_are_heard() {
    let world = World::new();
    let mut phones = [world.phone(1), world.phone(2)];
    phones[0].add(STORE, card("Anna", "0"));
    for phone in &mut phones {
        world.sync(phone, Mode::TwoWay);
    }
    for turn in 1..40 {
        let (writer, reader) = (turn % 2, 1 - turn % 2);
        let number = turn.to_string();
        let luid = luid_of(&phones[writer], "Anna");
        phones[writer].replace(STORE, &luid, card("Anna", &number));
        world.sync(&mut phones[writer], Mode::TwoWay);
        assert_eq!(world.held()["Anna"], number);
        world.sync(&mut phones[reader], Mode::TwoWay);
        if turn % 7 == 0 {
            world.sync(&mut phones[reader], Mode::TwoWay);
        }
    }
}
