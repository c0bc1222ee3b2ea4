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
    // After some failures it is left alone, which is seen from outside.
    let state = || {
        let text = world.server.command(&["gateways", "--json"]);
        let shown: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        shown[0]["nodes"][0].clone()
    };
    for _ in 0..4 {
        world.server.command(&["push", ACCOUNT.0]);
    }
    let down = until("the pause", || {
        Some(state()).filter(|node| node["up"] == false)
    });
    let why = down["why"].as_str().expect("a reason");
    assert!(why.contains("503"), "{why}");
    let table = world.server.command(&["gateways"]);
    assert!(table.contains("503"), "{table}");
    gateway.answer(Answer::Take);
    until("all of them", || {
        let outbox = world.outbox();
        let sent = outbox.iter().all(|known| known["state"] == "sent");
        sent.then_some(())
    });
    until("the end of the pause", || {
        (state()["up"] == true).then_some(())
    });
    assert_eq!(gateway.requests(Answer::Take).len(), 5);
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

#[test]
fn what_is_refused_for_good_is_not_offered_again() {
    let gateway = Gateway::start(Answer::Refuse);
    let world = world(&gateway, "coalesce_seconds = 0");
    let mut author = world.known_phone(1);
    world
        .server
        .command(&["device", "set", ACCOUNT.0, "IMEI:1", "--msisdn", ""]);
    let _phone = world.known_phone(2);
    author.add("contacts", super::card("Lovelace"));
    super::sync(&mut author, &["contacts"]);
    let failed = world.reaches("failed");
    let why = failed["why"].as_str().expect("a reason");
    assert!(why.contains("rejected"), "{why}");
    // Another phone's notification goes through all of the outbox meanwhile.
    gateway.answer(Answer::Take);
    let _other = world.known_phone(3);
    world
        .server
        .command(&["push", ACCOUNT.0, "--device", "IMEI:3"]);
    until("the other one", || {
        (gateway.requests(Answer::Take).len() == 1).then_some(())
    });
    assert_eq!(gateway.requests(Answer::Refuse).len(), 1);
    let outbox = world.outbox();
    assert_eq!(outbox.len(), 2, "{outbox:#?}");
    // What changes next is told.
    author.add("contacts", super::card("Hopper"));
    super::sync(&mut author, &["contacts"]);
    until("the next change", || {
        let taken = gateway.requests(Answer::Take);
        taken
            .iter()
            .any(|head| head.contains("46700000002"))
            .then_some(())
    });
}

#[test]
fn a_gateway_that_says_nothing_is_left_in_doubt_and_others_go_on() {
    let gateway = Gateway::start(Answer::Silent);
    let world = World::new(&format!(
        "{}timeout_seconds = 1\nprefixes = [\"+46700000001\"]\n[[gateway]]\nname = \"out\"\nkind = \"file\"\nurl = \"sms.jsonl\"\n",
        gateway.configuration()
    ));
    let _slow = world.known_phone(1);
    let _quick = world.known_phone(2);
    world
        .server
        .command(&["push", ACCOUNT.0, "--device", "IMEI:1"]);
    until("the request", || {
        (gateway.requests(Answer::Silent).len() == 1).then_some(())
    });
    world
        .server
        .command(&["push", ACCOUNT.0, "--device", "IMEI:2"]);
    until("the SMS of the other gateway", || {
        (world.sms().len() == 1).then_some(())
    });
    assert_eq!(world.sms()[0]["to"], "+46700000002");
    let why = until("the doubt", || {
        let outbox = world.outbox();
        let slow = outbox.iter().find(|known| known["device"] == "IMEI:1")?;
        (slow["state"] == "sent").then(|| slow["why"].as_str().unwrap_or_default().to_owned())
    });
    assert!(why.contains("in doubt"), "{why}");
    assert_eq!(gateway.requests(Answer::Silent).len(), 1, "it may have it");
}
