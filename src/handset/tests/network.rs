//! The client on a bad network.

use super::*;
use crate::handset::{FaultRates, Faults};

#[test]
fn both_sides_are_equal_after_a_bad_network() {
    let rates = FaultRates {
        delay_duplicate: 0,
        ..FaultRates::all(60)
    };
    let mut counts = [0; 4];
    for seed in 0..100 {
        let peer = Peer::shared(&usual());
        peer.borrow_mut().per_message = 3;
        peer.borrow_mut().max_msg_size = Some(1200);
        let inner = Rc::clone(&peer);
        let inner = move |post: &Post<'_>| inner.borrow_mut().exchange(post);
        let faults = Faults::new(inner, seed, rates);
        let memory = Memory::new("IMEI:1");
        let mut phone = Phone::new(usual(), Behaviour::default(), memory, faults);
        for round in 0..3 {
            for number in 0..5 {
                phone.add("notes", format!("phone {round} {number}"));
                let guid = format!("g{round}-{number}");
                peer.borrow_mut()
                    .store("notes")
                    .put(&guid, &format!("server {round} {number}"));
            }
            // A session may fail; what counts is what comes after.
            let _ = phone.sync(&request(Mode::TwoWay));
        }
        phone.transport_mut().heal();
        let fault = phone.transport_mut().counts();
        counts[0] += fault.lost_requests;
        counts[1] += fault.lost_answers;
        counts[2] += fault.truncated;
        counts[3] += fault.duplicates;
        phone.sync(&request(Mode::TwoWay)).expect("a good network");
        let bodies = bodies(&phone);
        assert_eq!(bodies.len(), 30, "seed {seed}: {bodies:?}");
        assert_eq!(
            peer.borrow_mut().store("notes").bodies(),
            bodies,
            "seed {seed}"
        );
    }
    assert!(
        counts.iter().all(|count| *count > 20),
        "every fault occurred: {counts:?}"
    );
}

#[test]
fn broken_answers_never_end_in_a_panic() {
    for seed in 0..400_u64 {
        let carrier = if seed % 2 == 0 {
            Carrier::Wbxml
        } else {
            Carrier::Xml
        };
        let settings = settings(Version::V12, carrier);
        let peer = Peer::shared(&settings);
        peer.borrow_mut().max_msg_size = Some(1500);
        peer.borrow_mut().part = 300;
        let inner = Rc::clone(&peer);
        let mut state = seed;
        let transport = move |post: &Post<'_>| {
            let mut answer = inner.borrow_mut().exchange(post)?;
            for _ in 0..3 {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let at = usize::try_from(state >> 33).unwrap_or(0) % answer.body.len();
                answer.body[at] ^= 1 << (state % 8);
            }
            Ok(answer)
        };
        let memory = Memory::new("IMEI:1");
        let mut phone = Phone::new(settings, Behaviour::default(), memory, transport);
        phone.client_mut().settings_mut().max_messages = 100;
        phone.add("notes", "one");
        peer.borrow_mut()
            .store("notes")
            .put("g1", &"long ".repeat(200));
        // Ends well or with an error; it ends.
        let outcome = phone.sync(&request(Mode::TwoWay));
        assert!(phone.client().report().messages <= 101, "{outcome:?}");
    }
}
