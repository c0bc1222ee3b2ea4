//! Many notifications at once: a node holds few of them, and each goes out once.

use std::collections::BTreeSet;

use candybar::store::{NewNotification, Store, StoreConfig};
use candybar::sync::{Datastore, NotificationKind};

use super::gateway::{Answer, Gateway};
use super::{ACCOUNT, World, until};

/// As many as a node would never hold at once. `cargo bench --bench push` has 100,000.
const MANY: usize = 1_200;
/// What a node holds at most.
const MOST_HELD: usize = 512;
/// What it takes at once.
const BATCH: usize = 64;

/// Puts them into the database of the running server.
fn queue(world: &World) {
    let store = Store::open(&StoreConfig {
        url: format!("sqlite:{}", world.server.file("candybar.db").display()),
        key: None,
    })
    .expect("the server's database");
    let account = store.account(ACCOUNT.0).expect("the account").id;
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let store = &store;
            scope.spawn(move || {
                for number in (thread..MANY).step_by(16) {
                    let uri = format!("IMEI:{number}");
                    let device = store.register_device(account, &uri, 1).expect("a device");
                    let msisdn = format!("+4670{number:07}");
                    store
                        .set_device(account, device.id, Some(&msisdn), None)
                        .expect("its number");
                    let new = NewNotification {
                        account,
                        device: device.id,
                        kind: NotificationKind::Push,
                        wanted: vec![Datastore::Contacts],
                        parameters: None,
                        asked_by: "asked for by a test".into(),
                    };
                    store.queue_notification(new).expect("queued");
                }
            });
        }
    });
}

#[test]
fn a_full_outbox_drains_and_a_node_holds_little_of_it() {
    let gateway = Gateway::start(Answer::Hold);
    let world = World::new(&format!(
        "[push]\nsms_per_account_per_day = 0\nin_flight = 8\n{}timeout_seconds = 600\n",
        gateway.configuration()
    ));
    queue(&world);
    let count = |state: &str| {
        let text = world
            .server
            .command(&["outbox", "list", "--json", "--last", "10000"]);
        let outbox: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(outbox.len(), MANY);
        outbox
            .iter()
            .filter(|known| known["state"] == state)
            .count()
    };
    let held = until("the node's share", || {
        Some(count("sending")).filter(|held| *held >= MOST_HELD)
    });
    assert!(held <= MOST_HELD + BATCH, "{held} are held of {MANY}");
    assert_eq!(
        count("waiting"),
        MANY - held,
        "the others wait in the database"
    );
    gateway.answer(Answer::Take);
    until("all of them", || (count("sent") == MANY).then_some(()));
    let taken = gateway.requests(Answer::Take);
    assert_eq!(taken.len(), MANY);
    let numbers: BTreeSet<&str> = taken
        .iter()
        .filter_map(|head| {
            let at = head.find("4670")?;
            head.get(at..at + 11)
        })
        .collect();
    assert_eq!(numbers.len(), MANY, "each phone once");
}
