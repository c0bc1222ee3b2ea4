//! SMPP against a centre of another codec: what arrives, refusals, throttling, lost links, late receipts, texts from phones.

use std::process::Command;
use std::time::Duration;

use candybar::push::wdp;
use candybar::sms::{GatewayError, Outcome, Payload, ReceiptState};
use serde_json::{Value, json};

use super::world::{NUMBER, World, notification, push, text};
use crate::support::smsc::Centre;

fn configuration(port: u16, more: &str) -> String {
    format!(
        "[[gateway]]\nname = \"centre\"\nkind = \"smpp\"\nurl = \"smpp://127.0.0.1:{port}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n{more}",
        Centre::USER,
        Centre::PASSWORD
    )
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let ids = outcome
        .accepted
        .iter()
        .map(|accepted| accepted.gateway_id.clone());
    ids.map(|id| id.expect("the centre gives ids")).collect()
}

#[test]
fn parts_with_a_header_arrive_octet_for_octet() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), "system_type = \"push\"\n"));
    let message = notification("m-1", 3);
    let outcome = world.submit(&message);
    assert_eq!(outcome.error, None);
    let bind = centre.next("bind");
    assert_eq!(
        (&bind["kind"], &bind["version"], &bind["system_type"]),
        (&json!("transceiver"), &json!(0x34), &json!("push"))
    );
    let mut given = Vec::new();
    for segment in push(&message).segments() {
        let submit = centre.next("submit");
        let octets = [&segment.udh[..], &segment.body].concat();
        assert_eq!(submit["short_message"], hex(&octets));
        assert_eq!(
            (&submit["esm_class"], &submit["data_coding"]),
            (&json!(0x40), &json!(4))
        );
        assert_eq!(
            (
                &submit["destination_addr"],
                &submit["dest_addr_ton"],
                &submit["dest_addr_npi"]
            ),
            (&json!("46701234567"), &json!(1), &json!(1))
        );
        assert_eq!(
            (&submit["source_addr"], &submit["source_addr_ton"]),
            (&json!("12345"), &json!(0))
        );
        assert_eq!(
            (&submit["registered_delivery"], &submit["validity"]),
            (&json!(1), &json!(true))
        );
        given.push(submit["id"].as_str().expect("an id").to_owned());
    }
    assert_eq!(ids(&outcome), given);
    world.submit(&text("t-1", "plain text"));
    let submit = centre.next("submit");
    assert_eq!(
        (
            &submit["short_message"],
            &submit["data_coding"],
            &submit["esm_class"]
        ),
        (&json!(hex(b"plain text")), &json!(0), &json!(0))
    );
    // The centre shows what it read out of UCS-2, in Latin-1.
    world.submit(&text("t-2", "grön"));
    let submit = centre.next("submit");
    assert_eq!(
        (&submit["short_message"], &submit["data_coding"]),
        (&json!("6772f66e"), &json!(8))
    );
    world.stop();
    centre.next("unbind");
}

#[test]
fn a_push_can_go_whole_or_with_parameters() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), "form = \"payload\"\n"));
    let message = notification("m-1", 3);
    let outcome = world.submit(&message);
    assert_eq!((outcome.error.clone(), outcome.accepted.len()), (None, 3));
    let submit = centre.next("submit");
    let header = wdp::UserDataHeader {
        ports: Some(wdp::Ports::PUSH),
        ..wdp::UserDataHeader::default()
    };
    let octets = [
        &header.octets().expect("short")[..],
        push(&message).datagram(),
    ]
    .concat();
    assert_eq!(submit["message_payload"], hex(&octets));
    assert_eq!(
        (&submit["short_message"], &submit["esm_class"]),
        (&json!(""), &json!(0x40))
    );
    assert_eq!(
        ids(&outcome),
        vec![submit["id"].as_str().expect("an id"); 3]
    );
    world.stop();

    let world = World::start(&configuration(centre.port(), "form = \"sar\"\n"));
    assert_eq!(world.submit(&message).error, None);
    for (index, segment) in push(&message).segments().iter().enumerate() {
        let submit = centre.next("submit");
        assert_eq!(submit["short_message"], hex(&segment.body));
        assert_eq!(
            (&submit["esm_class"], &submit["sar_msg_ref_num"]),
            (&json!(0), &json!(0x5A))
        );
        assert_eq!(
            (&submit["sar_total_segments"], &submit["sar_segment_seqnum"]),
            (&json!(3), &json!(index + 1))
        );
        let port = [&submit["destination_port"], &submit["dest_port"]]
            .into_iter()
            .find(|port| !port.is_null());
        assert_eq!(
            (port, &submit["source_port"]),
            (Some(&json!(2948)), &json!(9200))
        );
    }
    world.stop();
}

#[test]
fn a_busy_centre_is_asked_again_and_gets_everything_once() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), ""));
    centre.answers(&["ok", "throttle", "full", "ok", "throttle"]);
    let outcome = world.submit(&notification("m-1", 3));
    assert_eq!((outcome.error, outcome.accepted.len()), (None, 3));
    let submits: Vec<Value> = (0..6).map(|_| centre.next("submit")).collect();
    let taken: Vec<&Value> = submits
        .iter()
        .filter(|submit| submit["answer"] == "ok")
        .collect();
    assert_eq!(taken.len(), 3, "each part once");
    centre.answers(&["throttle"; 8]);
    let error = world
        .submit(&notification("m-2", 1))
        .error
        .expect("it stays busy");
    assert!(matches!(error, GatewayError::Throttled { .. }), "{error}");
    world.stop();
}

#[test]
fn a_part_refused_half_way_is_told_and_only_the_rest_goes_again() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), ""));
    centre.answers(&["ok", "later"]);
    let message = notification("m-1", 3);
    let outcome = world.submit(&message);
    assert_eq!(outcome.accepted.len(), 1);
    assert!(
        matches!(
            outcome.error,
            Some(GatewayError::Rejected {
                permanent: false,
                ..
            })
        ),
        "{outcome:?}"
    );
    let outcome = world.resume(&message, &[1, 2], "centre");
    assert_eq!((outcome.error, outcome.accepted.len()), (None, 2));
    let taken: Vec<Value> = (0..4).map(|_| centre.next("submit")).collect();
    let taken = taken.iter().filter(|submit| submit["answer"] == "ok");
    let numbers: Vec<String> = taken
        .map(|submit| submit["short_message"].as_str().expect("octets")[22..24].to_owned())
        .collect();
    assert_eq!(
        numbers,
        ["01", "02", "03"],
        "the parts' numbers in their headers"
    );
    centre.answers(&["refuse"]);
    let error = world
        .submit(&notification("m-2", 1))
        .error
        .expect("refused");
    assert!(
        error.to_string().contains("the phone's number is wrong"),
        "{error}"
    );
    world.stop();
}

#[test]
fn a_lost_link_leaves_in_doubt_what_was_written_and_comes_back() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), "timeout_seconds = 5\n"));
    for answer in ["drop", "garbage", "unreadable"] {
        centre.answers(&[answer]);
        let error = world
            .submit(&notification("m-1", 1))
            .error
            .expect("no answer");
        assert!(
            matches!(error, GatewayError::InDoubt { .. }),
            "{answer}: {error}"
        );
        centre.answers(&[]);
        let outcome = loop {
            let outcome = world.submit(&notification("m-2", 1));
            match &outcome.error {
                // Down for a moment: it is certain then, so it may be offered again.
                Some(GatewayError::Unreachable { .. } | GatewayError::Throttled { .. }) => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => break outcome,
            }
        };
        assert_eq!(outcome.error, None, "{answer}");
    }
    world.stop();
}

#[test]
fn a_centre_that_is_silent_is_asked_and_left() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(
        centre.port(),
        "timeout_seconds = 1\nenquire_seconds = 1\n",
    ));
    assert_eq!(world.submit(&notification("m-1", 1)).error, None);
    centre.next("enquire");
    centre.order(&json!({ "deaf": true }));
    let error = world
        .submit(&notification("m-2", 1))
        .error
        .expect("no answer");
    assert!(!error.is_certain(), "{error}");
    centre.next("closed");
    centre.order(&json!({ "deaf": false }));
    world.stop();
}

#[test]
fn receipts_and_texts_come_back() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let world = World::start(&configuration(centre.port(), "bind = \"separate\"\n"));
    let kinds = [centre.next("bind"), centre.next("bind")].map(|bind| bind["kind"].clone());
    assert!(
        kinds.contains(&json!("transmitter")) && kinds.contains(&json!("receiver")),
        "{kinds:?}"
    );
    let outcome = world.submit(&notification("m-1", 1));
    let id = ids(&outcome).remove(0);
    let receipt = |state: &str| {
        json!({ "deliver": {
            "source_addr": "46701234567", "destination_addr": "12345", "esm_class": 4,
            "short_message": format!("id:{} sub:001 dlvrd:001 submit date:2611221430 done date:2611221431 stat:{state} err:000 text:secret", id.to_uppercase()),
        } })
    };
    for (word, state) in [
        ("ENROUTE", ReceiptState::Pending),
        ("DELIVRD", ReceiptState::Delivered),
        ("UNDELIV", ReceiptState::Failed),
    ] {
        centre.order(&receipt(word));
        let received = world.receipt();
        assert_eq!(
            (received.gateway_id.as_deref(), received.state),
            (Some(&*id), state)
        );
        assert_eq!(
            received.text,
            format!("stat:{word} err:000"),
            "without the message's text"
        );
        assert_eq!(centre.next("delivered")["status"], 0);
    }
    centre.order(&json!({ "deliver": {
        "source_addr": "46701234567", "source_addr_ton": 1, "destination_addr": "12345", "esm_class": 0,
        "data_coding": 0, "short_message": "SYNC alice",
    } }));
    let incoming = world.incoming();
    assert_eq!((incoming.from.as_str(), &*incoming.to), (NUMBER, "12345"));
    assert!(incoming.payload == Payload::Text("SYNC alice".to_owned()));
    centre.order(&json!({ "deliver": {
        "source_addr": "46701234567", "source_addr_ton": 1, "destination_addr": "12345", "esm_class": 0x40,
        "data_coding": 4, "short_message_hex": "0605040b8423f0deadbeef",
    } }));
    let incoming = world.incoming();
    let expected = Payload::Binary {
        udh: vec![6, 5, 4, 0x0B, 0x84, 0x23, 0xF0],
        body: vec![0xDE, 0xAD, 0xBE, 0xEF],
    };
    assert!(incoming.payload == expected);
    assert_eq!(centre.next("delivered")["status"], 0);
    // What nobody understands is not brought for ever.
    centre.order(&json!({ "deliver": { "source_addr": "shop", "destination_addr": "12345", "short_message": "sale" } }));
    assert_eq!(centre.next("delivered")["status"], 0);
    world.stop();
}

#[test]
fn a_wrong_password_is_told_and_many_messages_share_the_link() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let wrong = configuration(centre.port(), "").replace(Centre::PASSWORD, "wrong");
    let world = World::start(&wrong);
    let error = world
        .submit(&notification("m-1", 1))
        .error
        .expect("not bound");
    assert!(
        error.to_string().contains("the password is wrong"),
        "{error}"
    );
    world.stop();
    let world = World::start(&configuration(centre.port(), "window = 4\n"));
    let messages = (0..200)
        .map(|number| notification(&format!("m-{number}"), 1))
        .collect();
    let outcomes = world.submit_all(messages);
    assert!(outcomes.iter().all(|outcome| outcome.error.is_none()));
    let mut all: Vec<String> = outcomes.iter().flat_map(ids).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 200, "each has an id of its own");
    for _ in 0..200 {
        centre.next("submit");
    }
    assert_eq!(centre.count("submit"), 200, "nothing twice");
    world.stop();
}

#[test]
fn tls_is_spoken_to_a_certificate_that_is_trusted() {
    if !crate::support::peer::present("openssl", &["openssl"]) {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (key, certificate) = (
        folder.path().join("key.pem"),
        folder.path().join("cert.pem"),
    );
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=centre",
            "-addext",
            "subjectAltName=IP:127.0.0.1,DNS:localhost",
        ])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl runs");
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let Some(mut centre) = Centre::start(Some((&key, &certificate))) else {
        return;
    };
    let encrypted = configuration(centre.port(), "").replace("smpp://", "smpps://");
    let trusted = format!("{encrypted}ca_file = \"{}\"\n", certificate.display());
    let world = World::start(&trusted);
    let outcome = world.submit(&notification("m-1", 1));
    assert_eq!(outcome.error, None);
    centre.next("submit");
    world.stop();
    let world = World::start(&encrypted);
    let error = world
        .submit(&notification("m-1", 1))
        .error
        .expect("nobody knows the certificate");
    assert!(
        matches!(error, GatewayError::Misconfigured { .. }),
        "{error}"
    );
    assert!(error.to_string().contains("ca_file"), "{error}");
    world.stop();
}
