//! Gateways against peers in memory: what is asked of whom, in which order, and what is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::settings::{GatewayKind, GatewaySettings, KannelSettings, Login, Secret, TlsSettings};
use super::*;
use crate::push::{wdp, wsp};

fn push(octets: usize) -> Push {
    let push = wsp::Push::notification(vec![7; octets]);
    Push::new(push, wdp::Ports::PUSH, wdp::Reference::Octet(9)).expect("it can be cut")
}

fn message(octets: usize) -> Message {
    Message {
        reference: "m-1".to_owned(),
        to: "+46701234567".parse::<Msisdn>().expect("a number").into(),
        content: Content::Push(push(octets)),
        receipt: true,
        validity: None,
    }
}

fn settings(name: &str, prefixes: &[&str]) -> GatewaySettings {
    GatewaySettings {
        name: name.to_owned(),
        prefixes: prefixes
            .iter()
            .map(|prefix| prefix.parse().expect("a prefix"))
            .collect(),
        window: 2,
        per_second: 0,
        timeout: Duration::from_secs(30),
        callback_url: None,
        token: Some(Secret::new("token 7")),
        kind: GatewayKind::File {
            path: "unused".into(),
        },
    }
}

type Log = Arc<Mutex<Vec<String>>>;

/// Answers as it is told, and notes what it was asked; takes everything when it was told no more.
struct Scripted {
    name: &'static str,
    answers: Mutex<VecDeque<GatewayError>>,
    /// Parts that it takes before it gives the next answer.
    takes: usize,
    log: Log,
}

impl SmsGateway for Scripted {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: self.name != "binary",
            receipts: true,
            incoming: false,
            max_parts: 4,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            let asked = format!("{} {:?}", self.name, unit.missing);
            self.log.lock().expect("no panic").push(asked);
            let mut report = Report::whole(unit, Some("id".to_owned()));
            if let Some(error) = self.answers.lock().expect("no panic").pop_front() {
                report.accepted.truncate(self.takes);
                report.error = Some(error);
            }
            report
        })
    }
}

struct World {
    gateways: Gateways,
    log: Log,
}

impl World {
    fn new(scripts: Vec<(&'static str, &[&str], usize, Vec<GatewayError>)>) -> Self {
        let log = Log::default();
        let gateways = scripts.into_iter().map(|(name, prefixes, takes, answers)| {
            let gateway = Scripted {
                name,
                answers: Mutex::new(answers.into()),
                takes,
                log: Arc::clone(&log),
            };
            (
                settings(name, prefixes),
                Box::new(gateway) as Box<dyn SmsGateway>,
            )
        });
        Self {
            gateways: Gateways::of(gateways.collect()),
            log,
        }
    }

    fn submit(&self, message: &Message, missing: &[u8], through: Option<&str>) -> Outcome {
        runtime().block_on(self.gateways.submit(message, missing, through))
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().expect("no panic"))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn down() -> GatewayError {
    GatewayError::unreachable("refused")
}

#[test]
fn the_first_whose_prefix_matches_gets_it() {
    let world = World::new(vec![
        ("finland", &["+358"], 0, vec![]),
        ("sweden", &["+46"], 0, vec![]),
        ("world", &["*"], 0, vec![]),
    ]);
    let outcome = world.submit(&message(20), &[0], None);
    assert_eq!(outcome.gateway.as_deref(), Some("sweden"));
    assert_eq!(outcome.error, None);
    assert_eq!(
        outcome.accepted,
        [Accepted {
            part: 0,
            gateway_id: Some("id".to_owned())
        }]
    );
    assert_eq!(world.log(), ["sweden [0]"]);
}

#[test]
fn the_next_one_is_asked_if_the_first_certainly_has_nothing() {
    for (error, asked) in [
        (down(), 2),
        (GatewayError::misconfigured("password"), 2),
        (GatewayError::refused(false, "full"), 2),
        (GatewayError::refused(true, "unknown number"), 1),
        (GatewayError::in_doubt("no answer"), 1),
    ] {
        let world = World::new(vec![
            ("a", &["*"], 0, vec![error.clone()]),
            ("b", &["*"], 0, vec![]),
        ]);
        let outcome = world.submit(&message(20), &[0], None);
        assert_eq!(world.log().len(), asked, "{error}");
        if asked == 2 {
            assert_eq!(
                (outcome.gateway.as_deref(), outcome.error),
                (Some("b"), None)
            );
        } else {
            assert_eq!(outcome.error, Some(error.clone()));
            assert_eq!(
                outcome.gateway.is_some(),
                !error.is_certain(),
                "who may have it"
            );
        }
    }
}

#[test]
fn a_message_of_which_parts_are_out_stays_with_its_gateway() {
    let world = World::new(vec![
        ("a", &["*"], 2, vec![down()]),
        ("b", &["*"], 0, vec![]),
    ]);
    let message = message(400);
    assert_eq!(message.parts(), 4);
    let outcome = world.submit(&message, &[0, 1, 2, 3], None);
    assert_eq!(outcome.gateway.as_deref(), Some("a"));
    let taken: Vec<u8> = outcome
        .accepted
        .iter()
        .map(|accepted| accepted.part)
        .collect();
    assert_eq!((taken, outcome.error), (vec![0, 1], Some(down())));
    let outcome = world.submit(&message, &[2, 3], Some("a"));
    assert_eq!(outcome.error, None);
    assert_eq!(world.log(), ["a [0, 1, 2, 3]", "a [2, 3]"]);
    let outcome = world.submit(&message, &[3], Some("gone"));
    assert!(
        outcome
            .error
            .expect("an error")
            .to_string()
            .contains("gone, which took the first parts")
    );
}

#[test]
fn one_that_is_down_is_skipped_and_operators_see_why() {
    let world = World::new(vec![
        ("a", &["*"], 0, vec![down(), down(), down()]),
        ("b", &["+46"], 0, vec![]),
    ]);
    for _ in 0..4 {
        world.submit(&message(20), &[0], None);
    }
    assert_eq!(
        world.log(),
        [
            "a [0]", "b [0]", "a [0]", "b [0]", "a [0]", "b [0]", "b [0]"
        ]
    );
    let states = world.gateways.states();
    let CircuitState::Open { why, .. } = &states[0].circuit else {
        panic!("{states:?}");
    };
    assert_eq!(why, "not reached: refused");
    assert_eq!((states[0].failed, states[0].accepted), (3, 0));
    assert_eq!(
        (&states[1].circuit, states[1].accepted),
        (&CircuitState::Closed, 4)
    );
    let finnish = Message {
        to: "+358401234567".parse::<Msisdn>().expect("a number").into(),
        ..message(20)
    };
    let outcome = world.submit(&finnish, &[0], None);
    assert!(outcome.tried[0].skipped);
    assert!(
        outcome
            .retry_after
            .is_some_and(|wait| wait <= Duration::from_secs(6)),
        "{outcome:?}"
    );
    assert!(
        outcome
            .error
            .expect("an error")
            .to_string()
            .contains("refused")
    );
}

#[test]
fn what_no_gateway_can_carry_is_said() {
    let world = World::new(vec![("binary", &["+46"], 0, vec![])]);
    let text = |text: &str| Message {
        content: Content::Text(text.to_owned()),
        ..message(20)
    };
    let outcome = world.submit(&text("hello"), &[0], None);
    assert_eq!(
        outcome.error,
        Some(GatewayError::misconfigured("no gateway serves this phone"))
    );
    assert!(!world.gateways.serves(&text("x").to, &text("x").content));
    let long = message(600);
    assert!(long.parts() > 4);
    assert!(
        world.submit(&long, &[0], None).error.is_some(),
        "it takes four parts"
    );
    let nobody = Message {
        to: Recipient::default(),
        ..message(20)
    };
    assert!(world.submit(&nobody, &[0], None).error.is_some());
    for (message, words) in [
        (text(""), "the text is empty"),
        (text(&"å".repeat(71)), "longer than one SMS"),
        (
            Message {
                reference: "a b".to_owned(),
                ..message(20)
            },
            "letters, digits and dashes",
        ),
    ] {
        let error = world.submit(&message, &[0], None).error.expect("an error");
        assert!(matches!(
            error,
            GatewayError::Rejected {
                permanent: true,
                ..
            }
        ));
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(world.log().is_empty());
}

#[test]
fn a_file_has_a_line_for_each_sms() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sms.jsonl");
    let runtime = runtime();
    let _entered = runtime.enter();
    let file = GatewaySettings {
        kind: GatewayKind::File { path: path.clone() },
        ..settings("file", &["*"])
    };
    let (gateways, _deliveries) = Gateways::start(vec![file]).expect("started");
    let push = message(200);
    let text = Message {
        content: Content::Text("hello".to_owned()),
        receipt: false,
        ..message(1)
    };
    for (message, missing) in [(&push, &[0, 1][..]), (&text, &[0])] {
        assert_eq!(
            runtime
                .block_on(gateways.submit(message, missing, None))
                .error,
            None
        );
    }
    let lines: Vec<serde_json::Value> = std::fs::read_to_string(&path)
        .expect("it is there")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines.len(), 3);
    let Content::Push(content) = &push.content else {
        unreachable!()
    };
    for (line, segment) in lines.iter().zip(content.segments()) {
        assert_eq!(line["udh"], http::hex(&segment.udh));
        assert_eq!(line["body"], http::hex(&segment.body));
        assert_eq!(
            (&line["to"], &line["dcs"], &line["parts"]),
            (&"+46701234567".into(), &4.into(), &2.into())
        );
    }
    assert_eq!(
        (&lines[2]["text"], &lines[2]["receipt"]),
        (&"hello".into(), &false.into())
    );
    let elsewhere = GatewaySettings {
        kind: GatewayKind::File {
            path: folder.path().join("no/such/folder"),
        },
        ..settings("file", &["*"])
    };
    let errors = Gateways::start(vec![elsewhere])
        .err()
        .expect("it cannot be written");
    assert!(
        errors[0].to_string().starts_with("gateway file: "),
        "{errors:?}"
    );
}

#[test]
fn loopback_sends_the_datagram() {
    let phone = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = phone.local_addr().expect("bound");
    let loopback = GatewaySettings {
        kind: GatewayKind::Loopback { address },
        ..settings("emulator", &["*"])
    };
    let runtime = runtime();
    let _entered = runtime.enter();
    let (gateways, _deliveries) = Gateways::start(vec![loopback]).expect("started");
    let message = message(300);
    let outcome = runtime.block_on(gateways.submit(&message, &[0, 1, 2], None));
    assert_eq!((outcome.accepted.len(), outcome.error), (3, None));
    let mut datagram = [0; 2048];
    let length = phone.recv(&mut datagram).expect("one datagram");
    let read = wsp::Push::read(&datagram[..length]).expect("a push");
    assert_eq!(read.body, [7; 300]);
    let text = Message {
        content: Content::Text("hello".to_owned()),
        ..message
    };
    assert!(
        runtime
            .block_on(gateways.submit(&text, &[0], None))
            .error
            .is_some()
    );
}

fn kannel(token: Option<&str>) -> (Gateways, tokio::sync::mpsc::Receiver<Delivery>) {
    let kannel = KannelSettings {
        url: "http://127.0.0.1:9/".to_owned(),
        login: Login::default(),
        sender: String::new(),
        smsc: String::new(),
        post: false,
        tls: TlsSettings::default(),
    };
    let settings = GatewaySettings {
        kind: GatewayKind::Kannel(kannel),
        token: token.map(Secret::new),
        ..settings("kannel", &["*"])
    };
    Gateways::start(vec![settings]).expect("started")
}

fn callback<'a>(what: &'a str, query: &'a str) -> Callback<'a> {
    Callback {
        what,
        query,
        content_type: "",
        body: b"",
    }
}

#[test]
fn receipts_are_taken_when_they_are_kept_and_not_before() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let (gateways, mut deliveries) = kannel(Some("token 7"));
    let query = "token=token+7&ref=m-1.2&state=1&text=id%3A17+stat%3ADELIVRD&id=17";
    let answer = |gateways: &Gateways| {
        let gateways = gateways.clone();
        runtime.spawn(async move {
            gateways
                .callback("kannel", &callback("receipt", query))
                .await
                .status
        })
    };
    let first = answer(&gateways);
    let delivery = runtime.block_on(deliveries.recv()).expect("a receipt");
    assert_eq!(delivery.gateway, "kannel");
    let expected = Receipt {
        reference: Some(Reference {
            message: "m-1".to_owned(),
            part: 2,
        }),
        gateway_id: Some("17".to_owned()),
        state: ReceiptState::Delivered,
        text: "id:17 stat:DELIVRD".to_owned(),
    };
    assert_eq!(delivery.event, Event::Receipt(expected));
    assert!(!first.is_finished(), "it is not kept yet");
    delivery.done.acknowledge();
    assert_eq!(runtime.block_on(first).expect("answered"), 200);
    let second = answer(&gateways);
    drop(runtime.block_on(deliveries.recv()).expect("a receipt"));
    assert_eq!(
        runtime.block_on(second).expect("answered"),
        503,
        "it was dropped"
    );
    drop(deliveries);
    assert_eq!(
        runtime.block_on(answer(&gateways)).expect("answered"),
        503,
        "nobody takes it"
    );
    let state = &gateways.states()[0];
    assert_eq!((state.receipts, state.incoming), (1, 0));
}

#[test]
fn texts_and_octets_from_phones_are_read() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let (gateways, mut deliveries) = kannel(Some("7"));
    for (query, payload) in [
        (
            "text=SYNC+alice&charset=UTF-8&coding=0",
            Payload::Text("SYNC alice".to_owned()),
        ),
        (
            "text=gr%F6n&charset=ISO-8859-1&coding=0",
            Payload::Text("grön".to_owned()),
        ),
        (
            "text=%00g%00r%00%F6%00n&charset=UTF-16BE&coding=2",
            Payload::Text("grön".to_owned()),
        ),
        (
            "text=%00%FF&udh=%06%05%04%0B%84%23%F0&coding=1",
            Payload::Binary {
                udh: vec![6, 5, 4, 0x0B, 0x84, 0x23, 0xF0],
                body: vec![0, 0xFF],
            },
        ),
    ] {
        let query = format!("token=7&from=%2B46701234567&to=12345&{query}");
        let gateways = gateways.clone();
        let answer = runtime
            .spawn(async move { gateways.callback("kannel", &callback("mo", &query)).await });
        let delivery = runtime.block_on(deliveries.recv()).expect("an SMS");
        let Event::Incoming(incoming) = &delivery.event else {
            panic!("{delivery:?}")
        };
        assert!(incoming.payload == payload, "{delivery:?}");
        assert_eq!(
            (incoming.from.as_str(), &*incoming.to),
            ("+46701234567", "12345")
        );
        assert!(
            !format!("{delivery:?}").contains("4670123"),
            "a log does not show the number"
        );
        delivery.done.acknowledge();
        let answer = runtime.block_on(answer).expect("answered");
        assert_eq!(
            (answer.status, &*answer.body),
            (200, ""),
            "Kannel would send a body to the phone"
        );
    }
}

#[test]
fn strangers_are_not_listened_to() {
    let runtime = runtime();
    let _entered = runtime.enter();
    let (gateways, _deliveries) = kannel(Some("7"));
    for (gateway, what, query, status) in [
        ("kannel", "receipt", "ref=m-1.0&state=1", 403),
        ("kannel", "receipt", "token=8&ref=m-1.0&state=1", 403),
        ("kannel", "mo", "token=&from=112&text=x", 403),
        ("other", "receipt", "token=7&ref=m-1.0&state=1", 404),
        ("kannel", "other", "token=7", 404),
        ("kannel", "receipt", "token=7&ref=m-1.0&state=9", 400),
        ("kannel", "receipt", "token=7&ref=..&state=1", 400),
        ("kannel", "mo", "token=7&from=alice&text=x", 400),
    ] {
        let answer = runtime.block_on(gateways.callback(gateway, &callback(what, query)));
        assert_eq!(answer.status, status, "{gateway} {what} {query}");
    }
    let (gateways, _deliveries) = kannel(None);
    let answer = runtime
        .block_on(gateways.callback("kannel", &callback("receipt", "token=&ref=m-1.0&state=1")));
    assert_eq!(answer.status, 403, "without a token nothing is taken");
}
