//! What changes on the server while a session of a phone is open.

use candybar::handset::{Behaviour, Mode, Settings};

use super::super::world::{card, name_and_number};
use super::{STORE, Server, on_phone, people};

fn small(settings: &mut Settings) {
    settings.max_msg_size = 2_000;
}

/// An item changes, or goes, after it was sent and before its Status comes: the phone has the change after its next sync.
#[test]
fn a_change_of_what_was_just_sent_is_not_lost() {
    for (mode, delete) in [
        (Mode::TwoWay, false),
        (Mode::TwoWay, true),
        (Mode::Slow, false),
        (Mode::Slow, true),
    ] {
        let server = Server::new();
        let mut phone = server.phone("IMEI:phone", Behaviour::default(), small);
        let mut other = server.phone("IMEI:other", Behaviour::default(), |_| {});
        if mode == Mode::TwoWay {
            server.sync_well(&mut phone, Mode::Slow);
        }
        for (_, body) in people(0..40) {
            other.add(STORE, body);
        }
        server.sync_well(&mut other, Mode::TwoWay);
        let clock = server.clock.clone();
        *server.meanwhile.borrow_mut() = Some(Box::new(move || {
            for (luid, item) in other.items(STORE) {
                let (name, number) = name_and_number(&item.body.0).expect("a card of ours");
                if delete && number == "0" {
                    assert!(other.delete(STORE, &luid));
                } else if !delete {
                    assert!(other.replace(STORE, &luid, card(&name, &format!("9{number}"))));
                }
            }
            let request = candybar::handset::Request::new(&[STORE], Mode::TwoWay, clock.get());
            other.sync(&request).expect("the other phone syncs");
        }));
        // NumberOfChanges was right when it was sent.
        server.sync(&mut phone, mode).expect("the phone syncs");
        assert!(server.meanwhile.borrow().is_none(), "it happened");
        server.sync_well(&mut phone, Mode::TwoWay);
        assert_eq!(on_phone(&phone), server.held(), "{mode} delete: {delete}");
        let changed = server
            .held()
            .iter()
            .filter(|(_, number)| number.starts_with('9'))
            .count();
        assert_eq!(changed, if delete { 1 } else { 40 });
    }
}
