//! Gateways that are down, answer garbage, flap: nothing is lost, and what is in doubt is said.

use super::gateway::{Answer, Gateway};
use super::{ACCOUNT, World, until};

fn world(gateway: &Gateway, push: &str) -> World {
    World::new(&format!("[push]\n{push}\n{}", gateway.configuration()))
}

#[test]
fn a_gateway_that_is_down_gets_it_once_it_is_up() {
    let gateway = Gateway::start(Answer::Down);
    let world = world(&gateway, "coalesce_seconds = 0");
    let _phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    until("a try", || {
        (!gateway.requests(Answer::Down).is_empty()).then_some(())
    });
    let why = until("the reason", || {
        let outbox = world.outbox();
        let why = outbox.first()?["why"].as_str()?.to_owned();
        why.starts_with("kannel: ").then_some(why)
    });
    assert!(why.contains("503"), "the operator sees why: {why}");
    gateway.answer(Answer::Take);
    world.reaches("sent");
    assert_eq!(gateway.requests(Answer::Take).len(), 1);
}

#[test]
fn a_gateway_that_is_not_there_at_all_is_told() {
    let gateway = Gateway::start(Answer::Take);
    let configuration = gateway
        .configuration()
        .replace(&gateway.address.to_string(), "127.0.0.1:9");
    let world = World::new(&configuration);
    let _phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    let why = until("the reason", || {
        let outbox = world.outbox();
        outbox.first()?["why"]
            .as_str()
            .filter(|why| why.contains("kannel"))
            .map(str::to_owned)
    });
    assert!(why.contains("not reached"), "{why}");
    assert_eq!(world.outbox()[0]["state"], "waiting");
}

#[test]
fn what_is_in_doubt_is_not_sent_again_before_its_time() {
    for answer in [Answer::Garbage, Answer::Cut] {
        let gateway = Gateway::start(answer);
        let world = world(&gateway, "coalesce_seconds = 0");
        let mut phone = world.known_phone(1);
        world.server.command(&["push", ACCOUNT.0]);
        let sent = world.reaches("sent");
        let why = sent["why"].as_str().expect("a reason").to_owned();
        assert!(why.contains("in doubt"), "{answer:?}: {why}");
        assert_eq!(gateway.requests(answer).len(), 1);
        until("the answer", || {
            super::sync(&mut phone, &["contacts"]);
            (world.outbox().first()?["state"] == "synced").then_some(())
        });
        assert_eq!(gateway.requests(answer).len(), 1, "{answer:?}");
    }
}

#[test]
fn a_gateway_that_flaps_gets_each_once() {
    let gateway = Gateway::start(Answer::Take);
    let world = world(&gateway, "coalesce_seconds = 0");
    let phones: Vec<_> = (1..=6).map(|number| world.known_phone(number)).collect();
    for (number, _) in (1..).zip(&phones) {
        let up = number % 2 == 0;
        gateway.answer(if up { Answer::Take } else { Answer::Down });
        let device = format!("IMEI:{number}");
        world
            .server
            .command(&["push", ACCOUNT.0, "--device", &device]);
        until("a try", || {
            let tries = gateway.requests(Answer::Take).len() + gateway.requests(Answer::Down).len();
            (tries >= number).then_some(())
        });
    }
    gateway.answer(Answer::Take);
    until("all of them", || {
        let outbox = world.outbox();
        outbox
            .iter()
            .all(|known| known["state"] == "sent")
            .then_some(())
    });
    let taken = gateway.requests(Answer::Take);
    for number in 1..=6 {
        let to = format!("467000{number:05}");
        let times = taken.iter().filter(|head| head.contains(&to)).count();
        assert_eq!(times, 1, "{number}: {taken:#?}");
    }
}
