//! Conflicts by the policies of accounts and datastores; their losers are kept.

use candybar::handset::Mode;
use candybar::store::RecordedMessage;
use candybar::sync::recording::{What, events};
use candybar::sync::{ConflictPolicy, Conflicts, Datastore, Modseq};

use super::world::{STORE, World, card, luid_of, on_phone};

/// Bodies (or versions) of the losers of a session.
fn losers(messages: &[RecordedMessage]) -> Vec<(What, Modseq, String)> {
    let mut found = Vec::new();
    for message in messages {
        for event in events(&message.trace).unwrap() {
            if matches!(event.what, What::DeviceLost | What::ServerLost) {
                let body = event
                    .body
                    .map(|(_, body)| String::from_utf8_lossy(body).into_owned());
                found.push((event.what, event.version, body.unwrap_or_default()));
            }
        }
    }
    found
}

/// Two phones change the number of one contact; gives what the second one's session left behind.
fn conflict(world: &World) -> (Vec<String>, Vec<(What, Modseq, String)>) {
    let (mut one, mut two) = (world.phone(1), world.phone(2));
    one.add(STORE, card("Jane", "+46 1"));
    world.sync(&mut one, Mode::TwoWay);
    world.sync(&mut two, Mode::TwoWay);
    for (phone, number) in [(&mut one, "+46 2"), (&mut two, "+46 3")] {
        let luid = luid_of(phone, "Jane");
        assert!(phone.replace(STORE, &luid, card("Jane", number)));
        world.sync(phone, Mode::TwoWay);
    }
    let messages = world
        .store
        .recorded_messages(world.account.id, world.last().number)
        .unwrap();
    world.sync(&mut two, Mode::TwoWay);
    world.sync(&mut one, Mode::TwoWay);
    let numbers: Vec<String> = world
        .items()
        .into_values()
        .map(|(_, number)| number)
        .collect();
    if numbers.len() == 1 {
        assert_eq!(on_phone(&one), world.held());
        assert_eq!(on_phone(&two), world.held());
    }
    (numbers, losers(&messages))
}

#[test]
fn the_policy_of_an_account_wins_over_the_configuration_and_the_loser_is_kept() {
    for (policy, numbers, lost) in [
        (
            ConflictPolicy::Server,
            &["+46 2"][..],
            &[What::DeviceLost][..],
        ),
        (ConflictPolicy::Client, &["+46 3"], &[What::ServerLost]),
        (ConflictPolicy::Duplicate, &["+46 2", "+46 3"], &[]),
    ] {
        let mut world = World::new();
        world.settings.conflict = ConflictPolicy::Merge;
        let mut conflicts = Conflicts::default();
        conflicts.set(Some(Datastore::Contacts), Some(policy));
        conflicts.set(None, Some(ConflictPolicy::Newer));
        world
            .store
            .set_conflicts(world.account.id, &conflicts)
            .unwrap();
        let (found, losers) = conflict(&world);
        assert_eq!(found, numbers, "{policy:?}");
        let whats: Vec<What> = losers.iter().map(|(what, ..)| *what).collect();
        assert_eq!(whats, lost, "{policy:?}");
        match policy {
            ConflictPolicy::Server => assert!(losers[0].2.contains("+46 3")),
            // Written by the first phone's session, after the one that made it.
            ConflictPolicy::Client => assert_eq!(losers[0].1, Modseq(2)),
            _ => {}
        }
    }
}

#[test]
fn a_deletion_loses_against_a_change_unless_the_client_wins() {
    for (policy, there) in [
        (ConflictPolicy::Merge, true),
        (ConflictPolicy::Client, false),
    ] {
        let world = World::new();
        let mut conflicts = Conflicts::default();
        conflicts.set(None, Some(policy));
        world
            .store
            .set_conflicts(world.account.id, &conflicts)
            .unwrap();
        let (mut one, mut two) = (world.phone(1), world.phone(2));
        one.add(STORE, card("Jane", "+46 1"));
        world.sync(&mut one, Mode::TwoWay);
        world.sync(&mut two, Mode::TwoWay);
        let luid = luid_of(&one, "Jane");
        assert!(one.replace(STORE, &luid, card("Jane", "+46 2")));
        world.sync(&mut one, Mode::TwoWay);
        let luid = luid_of(&two, "Jane");
        assert!(two.delete(STORE, &luid));
        world.sync(&mut two, Mode::TwoWay);
        let lost = world.count(&world.last(), What::ServerLost);
        assert_eq!(lost, usize::from(!there));
        world.sync(&mut two, Mode::TwoWay);
        world.sync(&mut one, Mode::TwoWay);
        assert_eq!(world.held().contains_key("Jane"), there);
        assert_eq!(on_phone(&one), world.held());
        assert_eq!(on_phone(&two), world.held());
    }
}
