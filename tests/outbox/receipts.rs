//! Final words of the network: through a Kannel that stands before an SMS centre, and from a push proxy.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use super::gateway::{Answer, Gateway};
use super::{ACCOUNT, LIMIT, World, until};
use crate::support::kannel::Kannel;
use crate::support::smsc::Centre;

fn receipt(world: &World, id: &str, part: usize) -> String {
    let shown = world.server.command(&["outbox", "show", id, "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let receipt = &shown["parts"][part]["receipt"];
    receipt.as_str().unwrap_or_default().to_owned()
}

/// What the centre says of an SMS that it took.
fn report(centre: &mut Centre, submit: &Value, word: &str) {
    let id = submit["id"].as_str().expect("an id");
    centre.order(&json!({ "deliver": {
        "source_addr": submit["destination_addr"], "destination_addr": submit["source_addr"], "esm_class": 4,
        "receipted_message_id": id,
        "short_message": format!("id:{id} sub:001 dlvrd:001 submit date:2611221430 done date:2611221431 stat:{word} err:000 text:"),
    } }));
}

#[test]
fn the_word_that_settings_arrived_closes_them() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let Some(kannel) = Kannel::start_before_centre("http://127.0.0.1:9/mo?", centre.port()) else {
        return;
    };
    centre.next("bind");
    let world = World::new(&format!(
        "[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    ));
    let url = world.server.url();
    let told = world.server.command(&[
        "provision",
        ACCOUNT.0,
        "--msisdn",
        "+46700000007",
        "--url",
        &url,
        "--json",
    ]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["notifications"][0]["id"], "1-1");
    world.reaches("sent");
    let shown = world.server.command(&["outbox", "show", "1-1", "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    let parts = shown["parts"].as_array().expect("parts").len();
    assert!(parts > 1, "settings are longer than an SMS");
    let submits: Vec<Value> = (0..parts).map(|_| centre.next("submit")).collect();
    until("the centre's answers at Kannel", || {
        let pending = |part| receipt(&world, "1-1", part) == "pending";
        (0..parts).all(pending).then_some(())
    });
    // The phone is off; then it has all but the last part.
    report(&mut centre, &submits[0], "ENROUTE");
    for submit in &submits[..parts - 1] {
        report(&mut centre, submit, "DELIVRD");
    }
    until("all but one", || {
        (0..parts - 1)
            .all(|part| receipt(&world, "1-1", part) == "delivered")
            .then_some(())
    });
    assert_eq!(world.outbox()[0]["state"], "sent");
    report(&mut centre, &submits[parts - 1], "DELIVRD");
    let closed = world.reaches("delivered");
    assert_eq!(closed["why"], "the phone has the settings");
    assert!(closed["finished"].is_string());
    // Another phone will not get its own.
    world.server.command(&[
        "provision",
        ACCOUNT.0,
        "--msisdn",
        "+46700000008",
        "--url",
        &url,
    ]);
    let submit = centre.next("submit");
    // Kannel waits for word on an SMS once it has the centre's answer.
    until("the centre's answer at Kannel", || {
        (receipt(&world, "1-2", 0) == "pending").then_some(())
    });
    report(&mut centre, &submit, "UNDELIV");
    let why = until("the failure", || {
        let outbox = world.outbox();
        let newest = outbox.first()?;
        (newest["state"] == "failed").then(|| newest["why"].clone())
    });
    assert_eq!(why, "the network could not deliver it");
}

#[test]
fn a_push_that_arrived_waits_for_the_phone_all_the_same() {
    let Some(mut centre) = Centre::start(None) else {
        return;
    };
    let Some(kannel) = Kannel::start_before_centre("http://127.0.0.1:9/mo?", centre.port()) else {
        return;
    };
    centre.next("bind");
    let world = World::new(&format!(
        "[[gateway]]\nname = \"kannel\"\nkind = \"kannel\"\nurl = \"{}\"\nusername = \"{}\"\npassword = \"{}\"\nsender = \"12345\"\n",
        kannel.sendsms(),
        Kannel::USER,
        Kannel::PASSWORD
    ));
    let mut phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    let submit = centre.next("submit");
    until("the centre's answer at Kannel", || {
        (receipt(&world, "1-1", 0) == "pending").then_some(())
    });
    report(&mut centre, &submit, "DELIVRD");
    until("the receipt", || {
        (receipt(&world, "1-1", 0) == "delivered").then_some(())
    });
    assert_eq!(world.outbox()[0]["state"], "sent");
    until("the sync that is noticed", || {
        super::sync(&mut phone, &["contacts"]);
        (world.outbox().first()?["state"] == "synced").then_some(())
    });
}

/// A push proxy that takes everything and tells the result when it is told to: PAP 2.0 as its document has it.
struct Proxy {
    address: SocketAddr,
    pushes: Receiver<(String, String)>,
}

impl Proxy {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (sender, pushes) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(push) = take(stream) {
                    sender.send(push).ok();
                }
            }
        });
        Self { address, pushes }
    }

    /// Posts the result of a push to where the push wanted it; the answer.
    fn tell(push: &(String, String), state: &str, code: u16) -> String {
        let (id, url) = push;
        let body = format!(
            "<?xml version=\"1.0\"?>\r\n<!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\">\r\n\
             <pap><resultnotification-message push-id=\"{id}\" sender-name=\"a proxy\" received-time=\"2026-11-22T14:30:00Z\" \
             event-time=\"2026-11-22T14:31:00Z\" message-state=\"{state}\" code=\"{code}\" desc=\"as it is\">\
             <address address-value=\"WAPPUSH=+46700000001/TYPE=PLMN@ppg.example.org\"/></resultnotification-message></pap>"
        );
        let (host, path) = url
            .strip_prefix("http://")
            .and_then(|rest| rest.split_once('/'))
            .expect("an address");
        let mut stream = TcpStream::connect(host).expect("the server listens");
        write!(
            stream,
            "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        answer
    }
}

/// The value of an attribute in a text.
fn attribute(text: &str, name: &str) -> Option<String> {
    let (_, rest) = text.split_once(&format!("{name}=\""))?;
    let value = rest.split('"').next()?;
    Some(value.replace("&amp;", "&"))
}

/// One push: its id, and where its result is wanted.
fn take(mut stream: TcpStream) -> Option<(String, String)> {
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    // The last boundary of multipart/related ends it.
    let push = loop {
        let length = stream.read(&mut buffer).ok()?;
        request.extend_from_slice(&buffer[..length]);
        let text = String::from_utf8_lossy(&request);
        if length == 0 || text.trim_end().ends_with("--") {
            break text.into_owned();
        }
    };
    let id = attribute(&push, "push-id")?;
    let result = attribute(&push, "ppg-notify-requested-to")?;
    let body = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\">\
         <pap product-name=\"a proxy\"><push-response push-id=\"{id}\" reply-time=\"2026-11-22T14:30:00Z\">\
         <response-result code=\"1001\" desc=\"Accepted for processing\"/></push-response></pap>"
    );
    write!(
        stream,
        "HTTP/1.1 202 Accepted\r\nContent-Type: application/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    Some((id, result))
}

#[test]
fn a_push_proxy_says_what_became_of_a_push() {
    let proxy = Proxy::start();
    let world = World::new(&format!(
        "[[gateway]]\nname = \"proxy\"\nkind = \"pap\"\nurl = \"http://{}/pap\"\nusername = \"u\"\npassword = \"p\"\n",
        proxy.address
    ));
    let mut phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    let push = proxy.pushes.recv_timeout(LIMIT).expect("a push");
    world.reaches("sent");
    for (state, receipt_of) in [("pending", "pending"), ("delivered", "delivered")] {
        let answer = Proxy::tell(&push, state, 1000);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(
            answer.contains(&format!(
                "resultnotification-response push-id=\"{}\" code=\"1000\"",
                push.0
            )),
            "{answer}"
        );
        assert_eq!(receipt(&world, "1-1", 0), receipt_of);
    }
    // A late word changes nothing.
    Proxy::tell(&push, "undeliverable", 2000);
    assert_eq!(receipt(&world, "1-1", 0), "delivered");
    until("the sync that is noticed", || {
        super::sync(&mut phone, &["contacts"]);
        (world.outbox().first()?["state"] == "synced").then_some(())
    });

    world.server.command(&["push", ACCOUNT.0]);
    let push = proxy.pushes.recv_timeout(LIMIT).expect("a push");
    until("it is out", || {
        (world.outbox().first()?["state"] == "sent").then_some(())
    });
    Proxy::tell(&push, "undeliverable", 2000);
    let why = until("the failure", || {
        let outbox = world.outbox();
        let newest = outbox.first()?;
        (newest["state"] == "failed").then(|| newest["why"].clone())
    });
    assert_eq!(why, "the network could not deliver it");
    let shown = world.server.command(&["outbox", "show", "1-2"]);
    assert!(shown.contains("undeliverable, code 2000"), "{shown}");
}

#[test]
fn a_receipt_that_is_faster_than_the_gateway_s_answer_counts() {
    let gateway = Gateway::start(Answer::ReceiptFirst);
    let world = World::new(&gateway.configuration());
    let _phone = world.known_phone(1);
    world.server.command(&["push", ACCOUNT.0]);
    world.reaches("sent");
    until("the receipt", || {
        (receipt(&world, "1-1", 0) == "delivered").then_some(())
    });
}
