//! What is recorded of sessions.

use candybar::exchange::Depth;
use candybar::handset::{Behaviour, Mode};
use candybar::sync::recording::{What, unpack_items};
use candybar::sync::{ItemId, Modseq};
use candybar::syncml::codec::{Limits, decode};
use candybar::syncml::{Carrier, Command};

use super::world::{STORE, World, card, luid_of};

#[test]
fn every_item_and_message_of_a_session_is_recorded() {
    let mut world = World::new();
    world.settings.max_message = 2_000;
    world.put("Server", "+46 1");
    let mut phone = world.phone(1);
    for number in 0..30 {
        phone.add(STORE, card(&format!("Person{number}"), "+46 2"));
    }
    world.sync(&mut phone, Mode::TwoWay);
    let first = world.last();
    assert!(first.ended);
    assert_eq!(first.device_uri, "IMEI:1");
    assert_eq!(
        world.count(&first, What::ReceivedReplace) + world.count(&first, What::ReceivedAdd),
        30
    );
    assert_eq!(world.count(&first, What::SentAdd), 1);
    assert_eq!(world.count(&first, What::Mapped), 1);
    let reasons: Vec<_> = world
        .happened(&first)
        .into_iter()
        .filter(|(what, ..)| *what == What::SlowSync)
        .collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(reasons[0].2.starts_with("slow sync: "), "{reasons:?}");

    // All items have their ids, and what was written is listed by its numbers.
    let ids: Vec<ItemId> = world.items().into_keys().collect();
    for (what, item, _) in world.happened(&first) {
        assert!(what == What::SlowSync || ids.contains(&item), "{what:?}");
    }
    let messages = world
        .store
        .recorded_messages(world.account.id, first.number)
        .unwrap();
    assert!(messages.len() > 3, "{}", messages.len());
    let mut written = 0;
    for message in &messages {
        let items = unpack_items(&message.written).unwrap();
        assert!(items.is_empty() || message.modseq_before == Modseq(1 + written));
        written += items.len() as i64;
    }
    assert_eq!(written, 30);

    // Requests and replies are whole; the credentials are not what came.
    for (message, number) in messages.iter().zip(1..) {
        let read = |octets| decode(octets, Carrier::Wbxml, &Limits::default()).unwrap();
        let (request, reply) = (read(&message.request), read(&message.reply));
        assert_eq!(request.header.msg_id, reply.header.msg_id);
        if let Some(cred) = &request.header.cred {
            assert!(number == 1 && cred.data.iter().all(|octet| *octet == b'x'));
        }
        assert!(reply.body.iter().any(|of| matches!(of, Command::Status(_))));
    }
    assert!(
        first.summary.contains("\"received_added\":30"),
        "{}",
        first.summary
    );

    // The next session is another one.
    let luid = luid_of(&phone, "Person3");
    assert!(phone.delete(STORE, &luid));
    world.sync(&mut phone, Mode::TwoWay);
    let second = world.last();
    assert!(second.number > first.number);
    assert_eq!(world.count(&second, What::ReceivedDelete), 1);
    assert_eq!(world.count(&second, What::SlowSync), 0);
}

#[test]
fn less_can_be_recorded() {
    for (depth, traced, kept) in [
        (Depth::Numbers, false, false),
        (Depth::Items, true, false),
        (Depth::Messages, true, true),
    ] {
        let mut world = World::new();
        world.depth = depth;
        let mut phone = world.phone(1);
        phone.add(STORE, card("Person", "+46 1"));
        world.sync(&mut phone, Mode::TwoWay);
        let messages = world
            .store
            .recorded_messages(world.account.id, world.last().number)
            .unwrap();
        assert_eq!(
            messages.iter().any(|of| !of.trace.is_empty()),
            traced,
            "{depth:?}"
        );
        assert_eq!(
            messages.iter().all(|of| !of.request.is_empty()),
            kept,
            "{depth:?}"
        );
        assert_eq!(
            messages.iter().all(|of| !of.reply.is_empty()),
            kept,
            "{depth:?}"
        );
        assert!(
            messages.iter().any(|of| !of.written.is_empty()),
            "{depth:?}"
        );
    }
}

#[test]
fn a_session_that_breaks_off_is_recorded_as_far_as_it_came() {
    let mut world = World::new();
    world.settings.max_message = 2_000;
    let mut phone = world.phone_with(
        1,
        Behaviour {
            crash_after: Some(3),
            ..Behaviour::default()
        },
    );
    for number in 0..50 {
        phone.add(STORE, card(&format!("Person{number}"), "+46 1"));
    }
    world
        .try_sync(&mut phone, Mode::TwoWay)
        .expect_err("it breaks off");
    let cut = world.last();
    assert!(!cut.ended);
    assert!(cut.messages >= 2, "{cut:?}");
    let received = world.count(&cut, What::ReceivedReplace) + world.count(&cut, What::ReceivedAdd);
    assert_eq!(received, world.held().len());
    assert!(received > 0);
}
