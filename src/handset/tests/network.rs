//! The client on a bad network.

use std::cell::{Cell, RefCell};

use super::*;
use crate::handset::{Answer, FaultRates, Faults, PhoneError, Progress, TransportError};

/// A phone whose network fails with these errors first; gives the messages that left.
fn failing(errors: Vec<TransportError>) -> (Phone<impl Transport>, Rc<RefCell<Vec<Vec<u8>>>>) {
    let peer = Peer::shared(&usual());
    let sent = Rc::new(RefCell::new(Vec::new()));
    let seen = Rc::clone(&sent);
    let mut errors = errors.into_iter();
    let transport = move |post: &Post<'_>| {
        seen.borrow_mut().push(post.body.to_vec());
        let answer = peer.borrow_mut().exchange(post)?;
        errors.next().map_or(Ok(answer), Err)
    };
    (
        Phone::new(
            usual(),
            Behaviour::default(),
            Memory::new("IMEI:1"),
            transport,
        ),
        sent,
    )
}

#[test]
fn a_message_without_answer_is_sent_again_as_it_was() {
    let lost = || TransportError::Lost("nothing came".into());
    let (mut phone, sent) = failing(vec![lost(), TransportError::Status(503)]);
    phone.add("notes", "one");
    let report = phone
        .sync(&request(Mode::TwoWay))
        .expect("the third time it works");
    let sent = sent.borrow();
    assert_eq!((sent.len(), report.messages, report.resends), (5, 3, 2));
    assert!(sent[0] == sent[1] && sent[1] == sent[2] && sent[2] != sent[3]);

    let (mut phone, sent) = failing(vec![lost(), lost(), lost()]);
    let error = phone
        .sync(&request(Mode::TwoWay))
        .expect_err("three times are enough");
    assert!(
        matches!(error, PhoneError::Transport(TransportError::Lost(_))),
        "{error}"
    );
    assert_eq!(sent.borrow().len(), 3);

    for error in [TransportError::Gone, TransportError::Status(404)] {
        let (mut phone, sent) = failing(vec![error.clone()]);
        let seen = phone
            .sync(&request(Mode::TwoWay))
            .expect_err("no use to try again");
        let PhoneError::Transport(seen) = seen else {
            panic!("{seen}")
        };
        assert_eq!((seen, sent.borrow().len()), (error, 1));
        assert_eq!(phone.memory().datastores["notes"].last_anchor, None);
    }
}

#[test]
fn an_answer_of_another_type_is_refused() {
    let transport = |_: &Post<'_>| Ok(Answer::ok("text/html", b"<html>Welcome!</html>".to_vec()));
    let mut phone = Phone::new(
        usual(),
        Behaviour::default(),
        Memory::new("IMEI:1"),
        transport,
    );
    let error = phone.sync(&request(Mode::TwoWay)).expect_err("a web page");
    let PhoneError::Transport(TransportError::ContentType(found)) = error else {
        panic!("{error}")
    };
    assert_eq!(found, "text/html");
}

#[test]
fn progress_reaches_its_end() {
    let (mut phone, peer) = pair(Behaviour::default());
    phone.add("notes", "one");
    phone.add("notes", "two");
    peer.borrow_mut().store("notes").put("g1", "theirs");
    peer.borrow_mut().announce = Some(1);
    let mut steps = Vec::new();
    let report = phone.sync_with(&request(Mode::TwoWay), |progress| steps.push(*progress));
    assert_eq!(report.expect("a session").complaints, Vec::<String>::new());
    let last = Progress {
        to_send: 2,
        sent: 2,
        to_receive: 1,
        received: 1,
    };
    assert_eq!(steps.len(), 3);
    assert_eq!(steps.last(), Some(&last));
    assert_eq!(steps[0].sent, 0);
}

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

#[test]
fn a_nonce_counts_from_the_answer_to_the_message_that_has_it() {
    let settings = Settings {
        server_password: Some("pushed".into()),
        ..usual()
    };
    let peer = Peer::shared(&settings);
    let answers = Rc::new(Cell::new(1_u32));
    let (left, server) = (Rc::clone(&answers), Rc::clone(&peer));
    let transport = move |post: &Post<'_>| {
        let answer = server.borrow_mut().exchange(post)?;
        let still = left.get().checked_sub(1).ok_or(TransportError::Gone)?;
        left.set(still);
        Ok(answer)
    };
    let memory = Memory::new("IMEI:1");
    let mut phone = Phone::new(settings, Behaviour::default(), memory, transport);
    phone
        .sync(&request(Mode::TwoWay))
        .expect_err("the second answer is lost");
    let offered = phone.memory().offered_nonce.clone().expect("a nonce");
    assert_eq!(phone.memory().server_nonce, None);
    assert_eq!(
        phone.memory().server_nonces(b"first"),
        [b"first".to_vec(), offered.0.clone()],
        "the server has one of them"
    );
    answers.set(u32::MAX);
    let given = |peer: &Shared| {
        let peer = peer.borrow();
        let commands = peer.requests.iter().flat_map(|request| &request.body);
        let given = commands
            .filter(|command| matches!(command, Command::Status(status) if status.chal.is_some()));
        given.count()
    };
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(given(&peer), 1, "once in a session");
    assert_eq!(phone.memory().server_nonce, Some(offered.clone()));
    sync(&mut phone, &peer, Mode::TwoWay);
    assert_eq!(phone.memory().offered_nonce, None);
    assert_ne!(phone.memory().server_nonce, Some(offered));
}
