//! `kill -9` of the server while notifications drain, at counted moments: each arrives, and a kill doubles one at most.

use std::collections::BTreeMap;

use super::{ACCOUNT, World, until, with_file};

const PHONES: u32 = 12;

#[test]
fn no_notification_is_lost_and_a_kill_doubles_one_at_most() {
    let mut world = World::new(&with_file("coalesce_seconds = 0\nlease_seconds = 2"));
    for number in 1..=PHONES {
        let device = format!("IMEI:{number}");
        let msisdn = format!("+467000{number:05}");
        world
            .server
            .command(&["device", "add", ACCOUNT.0, &device, "--msisdn", &msisdn]);
    }
    let mut kills = 0;
    for moment in [0, 1, 3, 6, 9] {
        if moment == 0 {
            // Queued while no server runs.
            world.server.kill();
            world.server.command(&["push", ACCOUNT.0]);
            world.server.restart();
        }
        let before = world.sms().len();
        until("some SMS", || {
            (world.sms().len() >= moment.max(before)).then_some(())
        });
        world.server.kill();
        kills += 1;
        world.server.restart();
    }
    until("all of them", || {
        let outbox = world.outbox();
        assert_eq!(outbox.len(), PHONES as usize);
        outbox
            .iter()
            .all(|known| known["state"] == "sent")
            .then_some(())
    });
    let mut times = BTreeMap::<String, usize>::new();
    for sms in world.sms() {
        *times.entry(sms["to"].to_string()).or_default() += 1;
    }
    assert_eq!(times.len(), PHONES as usize, "{times:?}");
    let doubled: usize = times.values().map(|times| times - 1).sum();
    assert!(doubled <= kills, "{kills} kills: {times:?}");
}

#[test]
fn what_changed_before_the_end_is_told_after_it() {
    let mut world = World::new(&with_file("coalesce_seconds = 2\nlease_seconds = 2"));
    let mut a = world.known_phone(1);
    let _b = world.known_phone(2);
    a.add("contacts", super::card("Lovelace"));
    super::sync(&mut a, &["contacts"]);
    world.server.kill();
    assert_eq!(world.sms().len(), 0, "it was to wait for more changes");
    world.server.restart();
    world.reaches("sent");
    assert_eq!(world.sms().len(), 1);
}
