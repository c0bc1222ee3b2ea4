//! HTTP gateways that answer well, badly, or not at all: what is told, what is sent again, and what never is.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use candybar::sms::{CircuitState, GatewayError, Payload, ReceiptState};

use super::world::{Callbacks, NUMBER, World, notification, push, text};
use crate::support::provider::{Answer, Provider};

fn template(provider: &Provider, more: &str) -> String {
    format!(
        r#"
[[gateway]]
name = "provider"
kind = "http"
url = "{}"
username = "us er"
password = "p&w"
sender = "12345"
headers = ["Content-Type: application/json", "Authorization: Basic {{login_base64}}"]
body = '{{"to":"{{number}}","from":"{{sender}}","udh":"{{udh_hex}}","data":"{{body_hex}}","dlr":"{{receipt_url}}","ref":"{{reference}}"}}'
text_body = '{{"to":"{{number}}","text":"{{text}}"}}'
success_text = '"ok":true'
id_path = "messages.0.id"
receipt_state = "status.name"
receipt_id = "id"
incoming_from = "sender"
incoming_to = "recipient"
incoming_text = "message"
timeout_seconds = 2
{more}
"#,
        provider.url("/send?user={username}&key={password}")
    )
}

const TAKEN: Answer = Answer::Says(
    "200 OK",
    "",
    "{\"ok\":true,\"messages\":[{\"id\":\"a-17\"}]}",
);

#[test]
fn a_provider_gets_its_own_form_and_its_id_is_kept() {
    let provider = Provider::start();
    let world = World::start(&template(&provider, ""));
    let message = notification("m-1", 2);
    provider.will(TAKEN);
    provider.will(TAKEN);
    let outcome = world.submit(&message);
    assert_eq!(outcome.error, None);
    for (index, segment) in push(&message).segments().iter().enumerate() {
        let asked = provider.asked();
        assert_eq!(asked.line, "POST /send?user=us%20er&key=p%26w HTTP/1.1");
        assert!(
            asked
                .headers
                .contains("authorization: Basic dXMgZXI6cCZ3\n"),
            "{}",
            asked.headers
        );
        assert!(
            asked.headers.contains("content-type: application/json\n"),
            "{}",
            asked.headers
        );
        let body: serde_json::Value = serde_json::from_slice(&asked.body).expect("JSON");
        let hex = |octets: &[u8]| {
            octets
                .iter()
                .map(|octet| format!("{octet:02X}"))
                .collect::<String>()
        };
        assert_eq!(body["udh"], hex(&segment.udh));
        assert_eq!(body["data"], hex(&segment.body));
        assert_eq!(
            (&body["to"], &body["from"]),
            (&NUMBER.into(), &"12345".into())
        );
        assert_eq!(body["ref"], format!("m-1.{index}"));
        let dlr = body["dlr"].as_str().expect("an address");
        assert!(
            dlr.contains("/gateway/provider/receipt?token=the%20token%2F7&ref=m-1."),
            "{dlr}"
        );
        assert_eq!(outcome.accepted[index].gateway_id.as_deref(), Some("a-17"));
    }
    provider.will(TAKEN);
    assert_eq!(world.submit(&text("t-1", "say \"hi\"\n")).error, None);
    let body: serde_json::Value = serde_json::from_slice(&provider.asked().body).expect("JSON");
    assert_eq!(body["text"], "say \"hi\"\n");
    world.stop();
}

#[test]
fn answers_are_told_for_what_they_are() {
    let provider = Provider::start();
    for (answer, check, certain) in [
        (
            Answer::Says("400 Bad", "", "bad number"),
            "refused: HTTP status 400: bad number",
            true,
        ),
        (
            Answer::Says("500 Error", "", ""),
            "refused: HTTP status 500",
            true,
        ),
        (
            Answer::Says("429 Slow", "Retry-After: 17\r\n", "slow down"),
            "asks to wait: HTTP status 429: slow down",
            true,
        ),
        (
            Answer::Says("401 No", "", ""),
            "look at username and password",
            true,
        ),
        (
            Answer::Says("302 Found", "Location: http://127.0.0.1:1/\r\n", ""),
            "not the provider's address",
            true,
        ),
        (
            Answer::Says("200 OK", "", "<html>captive portal"),
            "in doubt: ",
            false,
        ),
        (
            Answer::Octets(b"SSH-2.0-OpenSSH_9.2\r\n"),
            "in doubt: ",
            false,
        ),
        (
            Answer::Octets(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\ncut"),
            "in doubt: ",
            false,
        ),
        (Answer::Octets(b""), "in doubt: ", false),
        (Answer::Closes, "in doubt: ", false),
        (Answer::Holds, "in doubt: no answer within the time", false),
    ] {
        // A world for each: none is left alone for the one before.
        let world = World::start(&template(&provider, ""));
        provider.will(answer);
        let outcome = world.submit(&notification("m-1", 1));
        let error = outcome.error.expect(check);
        assert!(error.to_string().contains(check), "{check}: {error}");
        assert_eq!(error.is_certain(), certain, "{error}");
        assert!(
            !error.to_string().contains("p&w") && !error.to_string().contains("p%26w"),
            "{error}"
        );
        provider.asked();
        assert!(provider.was_left_alone(), "{check}: sent twice");
        if check.contains("429") {
            assert!(
                matches!(error, GatewayError::Throttled { retry_after: Some(wait), .. } if wait == Duration::from_secs(17))
            );
        }
        world.stop();
    }
}

#[test]
fn a_huge_answer_is_not_read_to_its_end() {
    let provider = Provider::start();
    let world = World::start(&template(&provider, ""));
    let body: &'static str = Box::leak("x".repeat(10 << 20).into_boxed_str());
    provider.will(Answer::Says("200 OK", "", body));
    let error = world
        .submit(&notification("m-1", 1))
        .error
        .expect("too long");
    assert!(
        error.to_string().contains("more than 65536 octets"),
        "{error}"
    );
    world.stop();
}

#[test]
fn one_that_is_down_is_left_alone_and_the_next_one_takes_over() {
    let down = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("bound")
    };
    let provider = Provider::start();
    let configuration = format!(
        "[[gateway]]\nname = \"down\"\nkind = \"kannel\"\nurl = \"http://{down}/cgi-bin/sendsms\"\n{}",
        template(&provider, "")
    );
    let world = World::start(&configuration);
    for number in 0..5 {
        provider.will(TAKEN);
        let outcome = world.submit(&notification(&format!("m-{number}"), 1));
        assert_eq!(
            (outcome.gateway.as_deref(), outcome.error),
            (Some("provider"), None)
        );
        assert_eq!(outcome.tried.len(), 1);
        assert_eq!(outcome.tried[0].skipped, number >= 3, "{:?}", outcome.tried);
        provider.asked();
    }
    let state = world.state();
    assert_eq!((state.failed, state.accepted), (3, 0));
    let CircuitState::Open { why, .. } = state.circuit else {
        panic!("it is left alone")
    };
    assert!(why.contains("refused"), "{why}");
    world.stop();
}

#[test]
fn what_may_have_arrived_goes_through_no_other_gateway() {
    let first = Provider::start();
    let second = Provider::start();
    let other = template(&second, "").replace("\"provider\"", "\"second\"");
    let world = World::start(&(template(&first, "") + &other));
    first.will(Answer::Closes);
    let outcome = world.submit(&notification("m-1", 1));
    assert_eq!(
        outcome.gateway.as_deref(),
        Some("provider"),
        "it may have it"
    );
    assert!(matches!(outcome.error, Some(GatewayError::InDoubt { .. })));
    assert!(second.was_left_alone());
    world.stop();
}

/// Posts to our own server as a provider does.
fn post(address: &str, content_type: &str, body: &str) -> u16 {
    let rest = address.strip_prefix("http://").expect("an address");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(host).expect("it listens");
    write!(
        stream,
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("it reads");
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("it answers");
    answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status")
}

#[test]
fn receipts_and_texts_are_taken_in_the_providers_form() {
    let provider = Provider::start();
    let callbacks = Callbacks::new();
    let world = World::start_at(&template(&provider, ""), &callbacks);
    let url = callbacks.url("provider", "receipt");
    let json = "application/json";
    assert_eq!(
        post(
            &format!("{url}&ref=m-1.1"),
            json,
            "{\"id\":\"a-17\",\"status\":{\"name\":\"delivered\"}}"
        ),
        200
    );
    let receipt = world.receipt();
    assert_eq!(
        (receipt.gateway_id.as_deref(), receipt.state),
        (Some("a-17"), ReceiptState::Delivered)
    );
    assert_eq!(
        receipt
            .reference
            .map(|reference| reference.to_string())
            .as_deref(),
        Some("m-1.1")
    );
    assert_eq!(
        post(
            &url,
            json,
            "{\"id\":\"a-18\",\"status\":{\"name\":\"Rejected\"}}"
        ),
        200
    );
    assert_eq!(world.receipt().state, ReceiptState::Failed);
    assert_eq!(
        post(&url, json, "{\"status\":{\"name\":\"delivered\"}}"),
        400,
        "it names nothing"
    );
    assert_eq!(post(&url, json, "rubbish"), 400);
    assert_eq!(post(&url.replace("token=the", "token=a"), json, "{}"), 403);
    let form = "application/x-www-form-urlencoded";
    let url = callbacks.url("provider", "mo");
    assert_eq!(
        post(
            &url,
            form,
            "sender=46701234567&recipient=12345&message=SYNC+alice"
        ),
        200
    );
    let incoming = world.incoming();
    assert_eq!((incoming.from.as_str(), &*incoming.to), (NUMBER, "12345"));
    assert!(incoming.payload == Payload::Text("SYNC alice".to_owned()));
    assert_eq!(
        post(&url, form, &format!("message={}", "x".repeat(100_000))),
        400,
        "too long"
    );
    world.stop();
}
