//! Requests that are wrong as HTTP: content type, method, lengths, heads.

use candybar::syncml::Carrier;

use super::dialogue::{Dialogue, alert};
use super::target::Target;

#[test]
fn other_content_types_and_none_are_415() {
    let target = Target::start();
    let mut dialogue = Dialogue::new(&target, "IMEI:types", "1");
    dialogue.msg = 1;
    let body = dialogue.message(&alert(201, "contacts"), true);
    for content_type in [
        "text/xml",
        "application/xml",
        "application/x-www-form-urlencoded",
        "application/vnd.syncml",
        "application/vnd.syncml.dm+xml",
        "application/vnd.syncml+xml2",
        "",
        ";",
        "\u{FFFD}",
    ] {
        let response = target.connect().post(content_type, body.as_bytes());
        assert_eq!(response.status, 415, "{content_type:?}");
        assert!(response.text().contains("application/vnd.syncml+wbxml"));
    }
    let mut connection = target.connect();
    let head = format!(
        "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    connection.send(head.as_bytes());
    connection.send(body.as_bytes());
    assert_eq!(connection.response().status, 415);
    // The right type of the other carrier.
    target.refuses("XML as WBXML", Carrier::Wbxml, body.as_bytes());
    // Parameters and letter case are no reason to refuse.
    let content_type = "Application/VND.SyncML+XML ; charset=\"utf-8\"";
    let response = target.connect().post(content_type, body.as_bytes());
    assert_eq!(response.status, 200, "{}", response.text());
    target.unharmed();
}

#[test]
fn other_methods_are_405() {
    let target = Target::start();
    for method in [
        "GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND",
    ] {
        let mut connection = target.connect();
        let request = format!("{method} /sync HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        connection.send(request.as_bytes());
        if method == "HEAD" {
            // Its answer has a length and no body.
            continue;
        }
        let response = connection.response();
        assert_eq!(response.status, 405, "{method}");
        assert_eq!(response.header("allow"), Some("POST"), "{method}");
    }
    target.unharmed();
}

#[test]
fn requests_that_are_no_http_are_refused_or_dropped() {
    let target = Target::start();
    let long = "x".repeat(300_000);
    let many = "X-Header: y\r\n".repeat(5_000);
    let head = |lines: &str| format!("POST /sync HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
    for (what, request) in [
        (
            "two lengths",
            head("Content-Length: 5\r\nContent-Length: 6\r\n") + "hello",
        ),
        (
            "a negative length",
            head("Content-Length: -5\r\n") + "hello",
        ),
        (
            "a length that is none",
            head("Content-Length: five\r\n") + "hello",
        ),
        (
            "a chunk that is none",
            head("Transfer-Encoding: chunked\r\n") + "zz\r\nhello\r\n0\r\n\r\n",
        ),
        (
            "a chunk of 2^64 octets",
            head("Transfer-Encoding: chunked\r\n") + "FFFFFFFFFFFFFFFFF\r\nhello",
        ),
        (
            "an unknown coding",
            head("Transfer-Encoding: gzip, identity\r\n"),
        ),
        ("a long header", head(&format!("X-Long: {long}\r\n"))),
        ("many headers", head(&many)),
        (
            "a long address",
            format!("POST /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        ),
        ("a header with zeros", head("X-Zero: a\0b\r\n")),
        ("a header without a name", head(": x\r\n")),
        ("another version", "POST /sync HTTP/9.9\r\n\r\n".to_owned()),
        ("no version", "POST /sync\r\n\r\n".to_owned()),
        (
            "TLS",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n".to_owned(),
        ),
        ("zeros", "\0".repeat(1_000) + "\r\n\r\n"),
        ("another protocol", "EHLO example.org\r\n\r\n".to_owned()),
    ] {
        let mut connection = target.connect();
        // The server may close before it has read all.
        let sent = connection.try_send(request.as_bytes());
        let response = sent.ok().and_then(|()| connection.try_response());
        let status = response.as_ref().map(|response| response.status);
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{what}: {status:?}"
        );
    }
    target.unharmed();
}

#[test]
fn a_length_and_chunks_together_are_one_request_at_most() {
    let target = Target::start();
    let mut connection = target.connect();
    // What one reader takes for a body, another would take for a second request.
    let hidden = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    let request = format!(
        "POST /sync HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}",
        hidden.len() + 5
    );
    connection.send(request.as_bytes());
    let response = connection.response();
    assert!((400..500).contains(&response.status), "{}", response.status);
    target.unharmed();
}

#[test]
fn what_a_message_says_is_no_part_of_the_answers_head() {
    let target = Target::start();
    let odd = "x&#13;&#10;Set-Cookie: a=b&#13;&#10;&#13;&#10;&lt;html&gt;";
    let mut dialogue = Dialogue::new(&target, odd, odd);
    dialogue.server = odd.to_owned();
    dialogue.msg = 1;
    for query in [
        "",
        "?s=1%0d%0aSet-Cookie:%20a=b",
        "?s=%00&s=../../etc",
        "?s=-1",
    ] {
        dialogue.query = query.to_owned();
        let response = dialogue.respond(&alert(201, "contacts"), true);
        let names: Vec<&str> = response
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        for name in &names {
            assert!(
                ["content-length", "content-type", "date", "connection"].contains(name),
                "{names:?}"
            );
        }
        assert_eq!(response.status, 200, "{query}: {}", response.text());
    }
    target.unharmed();
}
