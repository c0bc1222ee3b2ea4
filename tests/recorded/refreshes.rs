//! A refresh from the server makes a phone give up all that it has: past the share of mass deletions it is held. And what
//! was held before a session broke off meets the session that goes on.

use candybar::handset::{Behaviour, Failure, Mode, PhoneError};
use candybar::store::{Decision, Held};
use candybar::sync::recording::What;
use candybar::syncml::Code;

use super::world::{Handset, STORE, World, card, luid_of, on_phone};

const ITEMS: usize = 40;

fn synced(world: &World, items: usize, behaviour: Behaviour) -> Handset {
    let mut phone = world.phone_with(1, behaviour);
    for number in 0..items {
        phone.add(STORE, card(&format!("Person{number}"), "+46 1"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(world.held().len(), items);
    phone
}

fn delete_here(world: &World, count: usize) {
    let ids: Vec<_> = world.items().into_keys().take(count).collect();
    world.delete(&ids);
}

fn refused(world: &World, phone: &mut Handset) -> Option<Code> {
    match world.try_sync(phone, Mode::RefreshFromServer) {
        Ok(report) => report.datastores[0].refused,
        Err(PhoneError::Failed(Failure::DatastoresRefused(code))) => Some(code),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn an_emptied_server_does_not_empty_the_phone_by_a_refresh() {
    for decision in [Decision::Release, Decision::Discard] {
        let world = World::new();
        let mut phone = synced(&world, ITEMS, Behaviour::default());
        let before = on_phone(&phone);
        delete_here(&world, 30);
        assert_eq!(refused(&world, &mut phone), Some(Code::FORBIDDEN));
        let session = world.last();
        assert_eq!(session.held, Held::Waiting);
        assert_eq!(world.count(&session, What::HeldSent), 30);
        assert_eq!(on_phone(&phone), before, "nothing is lost");
        // As often as the phone asks; but it is told once.
        assert_eq!(refused(&world, &mut phone), Some(Code::FORBIDDEN));
        assert_eq!(world.last().held, Held::Nothing);
        // An ordinary sync goes on and takes nothing either.
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(on_phone(&phone), before);
        let decided = world
            .store
            .decide(world.account.id, session.number, decision)
            .expect("decided");
        assert_eq!(refused(&world, &mut phone), None);
        assert_eq!(on_phone(&phone), world.held());
        if decision == Decision::Release {
            assert_eq!((decided.to_be_told, world.held().len()), (30, 10));
        } else {
            assert_eq!((decided.restored, world.held().len()), (30, ITEMS));
        }
    }
}

#[test]
fn a_refresh_that_takes_little_is_granted() {
    let world = World::new();
    let mut phone = synced(&world, ITEMS, Behaviour::default());
    delete_here(&world, 20);
    assert_eq!(refused(&world, &mut phone), None);
    assert_eq!(on_phone(&phone).len(), 20);
    assert_eq!(world.last().held, Held::Nothing);
}

#[test]
fn even_a_small_datastore_is_not_emptied() {
    let world = World::new();
    let mut phone = synced(&world, 3, Behaviour::default());
    delete_here(&world, 3);
    assert_eq!(refused(&world, &mut phone), Some(Code::FORBIDDEN));
    assert_eq!(on_phone(&phone).len(), 3);
    let number = world.last().number;
    world
        .store
        .decide(world.account.id, number, Decision::Release)
        .expect("decided");
    assert_eq!(refused(&world, &mut phone), None);
    assert_eq!(on_phone(&phone).len(), 0);
}

#[test]
fn a_new_phone_is_refreshed_from_an_empty_account() {
    let world = World::new();
    let mut phone = world.phone(1);
    phone.add(STORE, card("Own", "1"));
    assert_eq!(refused(&world, &mut phone), None);
    assert_eq!(on_phone(&phone).len(), 0);
}

#[test]
fn a_hundred_percent_holds_no_refresh() {
    let mut world = World::new();
    world.settings.hold_deletes_percent = 100;
    let mut phone = synced(&world, ITEMS, Behaviour::default());
    delete_here(&world, ITEMS);
    assert_eq!(refused(&world, &mut phone), None);
    assert_eq!(on_phone(&phone).len(), 0);
}

/// The Deletes that were kept back before a session broke off count with those that the next one finds, resumed or not.
#[test]
fn deletes_that_are_held_meet_a_session_that_goes_on() {
    for (resumes, cut) in [(true, 3), (true, 5), (false, 3), (false, 5)] {
        let mut world = World::new();
        world.settings.max_message = 2_000;
        let behaviour = Behaviour {
            resumes,
            ..Behaviour::default()
        };
        let mut phone = synced(&world, 100, behaviour);
        phone.client_mut().settings_mut().max_msg_size = 2_000;
        // Deleted here, with changes in between, so that not all Deletes come in one message.
        let ids: Vec<_> = world.items().into_keys().collect();
        for (at, id) in ids.iter().take(60).enumerate() {
            world.delete(&[*id]);
            world.put(&format!("New{at}"), "+46 9");
        }
        phone.client_mut().behaviour_mut().crash_after = Some(cut);
        world
            .try_sync(&mut phone, Mode::TwoWay)
            .expect_err("it breaks off");
        let held = world.count(&world.last(), What::HeldSent);
        phone.client_mut().behaviour_mut().crash_after = None;
        world.sync(&mut phone, Mode::TwoWay);
        world.sync(&mut phone, Mode::TwoWay);
        let old = on_phone(&phone)
            .into_keys()
            .filter(|name| name.starts_with("Person"))
            .count();
        assert_eq!(old, 100, "resumes {resumes}, cut {cut}");
        assert_eq!(held, 60, "all in the session that meets the first of them");
        // What waits is decided session by session.
        let waiting = world
            .store
            .recordings(world.account.id, 50, |of| of.held == Held::Waiting)
            .expect("recordings");
        let mut told = 0;
        for session in waiting {
            let decided = world
                .store
                .decide(world.account.id, session.number, Decision::Release)
                .expect("decided");
            told += decided.to_be_told;
        }
        assert_eq!(told, 60, "resumes {resumes}, cut {cut}");
        world.sync(&mut phone, Mode::TwoWay);
        assert_eq!(on_phone(&phone), world.held());
    }
}

/// Deletions of the phone that are held stay held when the session's end is lost and the session is resumed.
#[test]
fn deletions_of_the_phone_stay_held_over_a_resume() {
    let mut world = World::new();
    world.settings.max_message = 2_000;
    let behaviour = Behaviour {
        resumes: true,
        ..Behaviour::default()
    };
    let mut phone = synced(&world, ITEMS, behaviour);
    for number in 0..20 {
        world.put(&format!("New{number}"), "+46 9");
    }
    let before = world.held();
    phone.client_mut().settings_mut().max_msg_size = 2_000;
    for number in 0..ITEMS {
        let luid = luid_of(&phone, &format!("Person{number}"));
        assert!(phone.delete(STORE, &luid));
    }
    let mut held = 0;
    for cut in [2, 3, 4, 5, 6] {
        phone.client_mut().behaviour_mut().crash_after = Some(cut);
        let _ = world.try_sync(&mut phone, Mode::TwoWay);
        held += world.count(&world.last(), What::HeldReceived);
        assert_eq!(world.held(), before, "cut {cut}");
    }
    phone.client_mut().behaviour_mut().crash_after = None;
    world.sync(&mut phone, Mode::TwoWay);
    held += world.count(&world.last(), What::HeldReceived);
    assert_eq!(world.held(), before);
    assert!(held >= ITEMS, "{held} are held");
    let all = world
        .store
        .recordings(world.account.id, 50, |of| of.held == Held::Waiting)
        .expect("recordings");
    let deleted: u64 = all
        .iter()
        .map(|session| {
            let decided = world
                .store
                .decide(world.account.id, session.number, Decision::Release);
            decided.expect("decided").deleted
        })
        .sum();
    assert_eq!(deleted, ITEMS as u64);
    world.sync(&mut phone, Mode::TwoWay);
    assert_eq!(on_phone(&phone), world.held());
}
