//! Settings by SMS, the password that is made for the phone, the API, texts from phones, the counters.

use candybar::handset::{Behaviour, HttpTransport, Memory, Phone, Settings};
use candybar::push::prov::{Document, Security, is_signed_with};
use serde_json::{Value, json};

use super::gateway::{Answer, Gateway};
use super::{ACCOUNT, LIMIT, World, push, sync, until, with_file};

#[test]
fn a_new_phone_gets_its_settings_and_binds_by_their_password() {
    let world = World::new(&with_file(""));
    let url = world.server.url();
    let told = world.server.command(&[
        "provision",
        ACCOUNT.0,
        "--msisdn",
        "+46 70-000 00 07",
        "--pin",
        "1234",
        "--url",
        &url,
        "--json",
    ]);
    let told: Value = serde_json::from_str(&told).expect("JSON");
    let parts = until("the settings", || {
        let sms = world.sms();
        let parts = sms.first()?["parts"].as_u64()?;
        (sms.len() as u64 == parts).then_some(sms)
    });
    assert_eq!(parts[0]["to"], "+46700000007");
    let settings = push(&parts);
    assert!(is_signed_with(
        &settings,
        &Security::UserPin { pin: "1234".into() }
    ));
    let document = Document::read(&settings.body).expect("a document");
    let settings = document.settings().expect("settings");
    assert_eq!((&*settings.url, &*settings.user), (&*url, ACCOUNT.0));
    assert_ne!(settings.password, ACCOUNT.1, "made for the phone");
    assert_eq!(settings.password, told["password"]);
    let settings = Settings::new(&settings.url, &settings.user, &settings.password);
    let memory = Memory::new("IMEI:7");
    let mut phone = Phone::new(
        settings,
        Behaviour::default(),
        memory,
        HttpTransport::new(LIMIT),
    );
    sync(&mut phone, &["contacts"]);
    world.reaches("synced");
    let shown = world
        .server
        .command(&["device", "show", ACCOUNT.0, "IMEI:7", "--json"]);
    let shown: Value = serde_json::from_str(&shown).expect("JSON");
    assert_eq!(shown["msisdn"], "+46700000007");
    assert_eq!(shown["notification"]["password"], told["password"]);
    let mut other = world.phone(8);
    sync(&mut other, &["contacts"]);
    sync(&mut phone, &["contacts"]);
    // The password is that phone's: another one does not get in with it.
    let stolen = Settings::new(&url, ACCOUNT.0, told["password"].as_str().expect("text"));
    let memory = Memory::new("IMEI:9");
    let mut thief = Phone::new(
        stolen,
        Behaviour::default(),
        memory,
        HttpTransport::new(LIMIT),
    );
    let request =
        candybar::handset::Request::new(&["contacts"], candybar::handset::Mode::TwoWay, 5);
    thief.sync(&request).expect_err("refused");
}

pub(super) fn ask(
    world: &World,
    method: &str,
    path: &str,
    token: &str,
    body: &Value,
) -> (u16, Value) {
    let url = format!("http://{}{path}", world.server.address());
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let authorization = format!("Bearer {token}");
    let answer = if method == "GET" {
        agent
            .get(&url)
            .header("Authorization", &authorization)
            .call()
    } else {
        agent
            .post(&url)
            .header("Authorization", &authorization)
            .send(body.to_string().as_bytes())
    };
    let mut answer = answer.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.body_mut().read_to_string().expect("text");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[test]
fn the_api_does_what_the_command_line_does() {
    let configuration = format!("[api]\ntoken = \"secret\"\n{}", with_file(""));
    let world = World::new(&configuration);
    let _phone = world.known_phone(1);
    let push = format!("/api/v1/accounts/{}/push", ACCOUNT.0);
    assert_eq!(ask(&world, "POST", &push, "wrong", &json!({})).0, 401);
    let (status, queued) = ask(
        &world,
        "POST",
        &push,
        "secret",
        &json!({"datastores": ["contacts"]}),
    );
    assert_eq!(status, 200, "{queued}");
    let id = queued["notifications"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    world.reaches("sent");
    let (_, shown) = ask(
        &world,
        "GET",
        &format!("/api/v1/outbox/{id}"),
        "secret",
        &Value::Null,
    );
    assert_eq!(shown["state"], "sent");
    let (_, gateways) = ask(&world, "GET", "/api/v1/gateways", "secret", &Value::Null);
    assert_eq!(gateways["gateways"][0]["name"], "out");
    // Every address of the document is one of the server's.
    let (_, document) = ask(&world, "GET", "/api/v1/openapi.json", "", &Value::Null);
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let path = path.replace("{id}", &id).replace("{name}", ACCOUNT.0);
            let path = format!("/api/v1{path}");
            let (status, answer) = ask(&world, &method.to_uppercase(), &path, "secret", &json!({}));
            // Nothing is sent here but the notification.
            let why = answer["error"].as_str().unwrap_or_default();
            assert!(
                ![404, 405, 500].contains(&status) || why.starts_with("there is no outgoing mail"),
                "{method} {path}: {status} {answer}"
            );
        }
    }
    let url = format!("http://{}/metrics", world.server.address());
    let mut metrics = ureq::get(&url).call().expect("an answer");
    let metrics = metrics.body_mut().read_to_string().expect("text");
    assert!(
        metrics
            .contains("candybar_notifications_submitted_total{gateway=\"out\",outcome=\"sent\"}")
    );
    assert!(metrics.contains("candybar_change_to_submit_seconds_count"));
}

#[test]
fn without_a_token_there_is_no_api() {
    let world = World::new("");
    assert_eq!(
        ask(&world, "GET", "/api/v1/outbox", "", &Value::Null).0,
        404
    );
}

#[test]
fn a_text_from_a_known_number_asks_for_a_push() {
    let gateway = Gateway::start(Answer::Take);
    let token = "token = \"from-kannel\"\n";
    let world = World::new(&format!(
        "[push]\ntexts = \"sync\"\n{}{token}",
        gateway.configuration()
    ));
    let _phone = world.known_phone(1);
    let text = |from: &str, text: &str| {
        let from = from.replace('+', "%2B");
        let url = format!(
            "http://{}/gateway/kannel/mo?token=from-kannel&from={from}&to=12345&text={text}&coding=0",
            world.server.address()
        );
        let answer = ureq::get(&url).call().expect("an answer");
        assert_eq!(answer.status().as_u16(), 200);
    };
    text("+46700099999", "SYNC");
    text("+46700000001", "hello");
    text("+46700000001", "SETUP");
    text("+46700000001", "sync%20bob");
    assert_eq!(world.outbox().len(), 0);
    text("+46700000001", "SYNC%20alice");
    let sent = world.reaches("sent");
    assert_eq!(
        (&sent["kind"], &sent["device"]),
        (&json!("push"), &json!("IMEI:1"))
    );
    let log = world.server.log();
    assert!(log.contains("…999"), "the last digits: {log}");
    assert!(
        !log.contains("46700099999") && !log.contains("46700000001"),
        "{log}"
    );
}
