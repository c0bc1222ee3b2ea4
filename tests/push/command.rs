//! `candybar decode` on short messages, pushes and notifications.

use std::io::Write as _;
use std::process::{Command as Process, Output, Stdio};

use super::pushes::{IMSI, NONCE, PASSWORD, PIN, all};
use super::samples::path;

fn decode(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Process::new(env!("CARGO_BIN_EXE_candybar"))
        .arg("decode")
        .args(arguments)
        .env_remove("CANDYBAR_DECODE_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("its input is ours");
    let input = input.to_vec();
    // A program that refuses its arguments does not read.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("the program ends");
    writer.join().expect("the input is written");
    output
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text is UTF-8")
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// What has to be in the text, by the name of the push.
fn parts(name: &str) -> &'static [&'static str] {
    match name {
        "san-12" => &[
            "1 short message\n  short message\n    destination port: 2948\n    source port: 9200\n    octets: ",
            "Content-Type: application/vnd.syncml.ds.notification\n      X-Wap-Application-Id: x-wap-application:push.syncml\n",
            "digest is: right",
            "UI mode: user-interaction",
            "session id: 4660",
            "server id: sync.example.org",
            "datastore: ./calendar\n          alert: 210\n          mode: refresh-from-server\n          media type: text/x-vcalendar",
        ],
        "san-12-long" => &[
            "segment: 2",
            "vendor data: 76 65 6E 64 6F 72",
            "./notes/of/the/year/14",
        ],
        "notification-11" => &[
            "credentials are: right",
            "WBXML 1.2, language SyncML, public id 0x0FD3",
            "Data: 206",
        ],
        "notification-10" => &["public id 0x0FD1"],
        "emn" => &[
            "emn mailbox=\"imap://alice@mail.example.org/INBOX\" timestamp=\"2026-11-22T14:30:00Z\"",
        ],
        "si" => &["si-expires=\"2036-06-30T00:00:00Z\": You have 4 new emails & <more>"],
        "sl" => &["sl href=\"https://www.example.com/mail\" action=\"execute-high\""],
        "cp" => &[
            "characteristic type=\"NAPDEF\"",
            "parm name=\"AAUTHNAME\" value=\"alice\"",
        ],
        "cp-userpin" => &["signature: USERPIN\n", "signature is: right"],
        "cp-netwpin" => &["signature: NETWPIN\n", "signature is: right"],
        "cp-usernetwpin" => &["signature: USERNETWPIN\n", "signature is: right"],
        "cp-userpinmac" => &["signature: USERPINMAC\n", "signature is: wrong"],
        "ota-sync" => &[
            "use: sync settings",
            "HostAddr: http://sync.example.org/sync",
            "CTVer: 2.1",
        ],
        "ota-browser" => &[
            "use: browser settings",
            "PARM NAME=\"GPRS_ACCESSPOINTNAME\" VALUE=\"internet.example\"",
        ],
        other => panic!("no expectation for {other}"),
    }
}

#[test]
fn every_sample_is_shown_in_every_format() {
    let nonce = base64(NONCE);
    let secrets = [
        "--password",
        PASSWORD,
        "--nonce",
        &nonce,
        "--pin",
        PIN,
        "--imsi",
        IMSI,
    ];
    for made in all() {
        let file = path(&made);
        let file = file.to_str().expect("a path in UTF-8");
        for kind in ["auto", "sms"] {
            let arguments = [&secrets[..], &["--as", kind, file]].concat();
            let shown = decode(&arguments, b"");
            let errors = String::from_utf8_lossy(&shown.stderr).into_owned();
            assert!(shown.status.success(), "{}: {errors}", made.name);
            for part in parts(made.name) {
                assert!(
                    text(&shown).contains(part),
                    "{}: {part:?} is not in\n{}",
                    made.name,
                    text(&shown)
                );
            }
        }
        let json = decode(&["--format", "json", file], b"");
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
        let count = made.segments().len();
        assert_eq!(
            json["sms"].as_array().map(Vec::len),
            Some(count),
            "{}: {json:#}",
            made.name
        );
        let push = &json["datagram"][0]["push"][0];
        assert_eq!(
            push["content_type"],
            *made.push.content_type.name(),
            "{}: {json:#}",
            made.name
        );
        let xml = decode(&["--format", "xml", file], b"");
        let xml = text(&xml);
        assert!(
            xml.contains("<messages>") && xml.contains("<push transaction=\"1\""),
            "{}: {xml}",
            made.name
        );
    }
}

#[test]
fn a_push_a_notification_and_a_document_are_told_apart() {
    for made in all() {
        let octets = made.push.octets().expect("a push");
        let shown = decode(&[], &octets);
        assert!(
            text(&shown).starts_with("WSP push\n"),
            "{}: {}",
            made.name,
            text(&shown)
        );
        let same = decode(&["--as", "wsp"], &octets);
        assert_eq!(text(&same), text(&shown), "{}", made.name);
        let body = decode(&[], &made.push.body);
        let first = text(&body).lines().next().unwrap_or_default().to_owned();
        let expected = match made.name {
            "san-12" | "san-12-long" => "notification (package #0)",
            _ => "WBXML 1.",
        };
        assert!(first.starts_with(expected), "{}: {first}", made.name);
    }
    let san = all().remove(0).push.body;
    let hex: String = san.iter().map(|octet| format!("{octet:02x}")).collect();
    let shown = decode(
        &["--as", "san", "--format", "json", "--password", "wrong"],
        hex.as_bytes(),
    );
    let json: serde_json::Value = serde_json::from_slice(&shown.stdout).expect("JSON");
    assert_eq!(json["digest_is"], "wrong", "{json:#}");
    assert_eq!(json["sync"][1]["alert"], 210, "{json:#}");
}

#[test]
fn what_is_missing_or_broken_is_said() {
    let mut all = all();
    let long = all.remove(1);
    let segments = long.segments();
    assert!(segments.len() > 2);
    let line = |number: usize| -> String {
        let segment = &segments[number];
        let octets = segment.udh.iter().chain(&segment.body);
        octets.map(|octet| format!("{octet:02X}")).collect()
    };
    let two = format!("{}\n{}\n", line(0), line(2));
    let shown = decode(&[], two.as_bytes());
    assert_eq!(shown.status.code(), Some(1));
    assert!(
        text(&shown).starts_with("2 short messages\n"),
        "{}",
        text(&shown)
    );
    let errors = String::from_utf8_lossy(&shown.stderr).into_owned();
    assert!(errors.contains("(reference 7) is missing"), "{errors}");
    assert!(errors.contains("segment 2"), "{errors}");
    for (arguments, input, part) in [
        (
            &["--as", "sms"][..],
            "0605040B8423F001060 3CEAF85 00",
            "the notification is broken: the digest is cut off at offset 1",
        ),
        (
            &["--as", "sms"],
            "0605040B8423F0 01",
            "the push is broken: the WSP push is cut off at offset 1",
        ),
        (
            &["--as", "sms"],
            "hello",
            "neither hex nor a gateway's form",
        ),
        (&["--nonce", "AA=="], "00", "--password"),
        (
            &["--password", "a", "--nonce", "*"],
            "00",
            "a nonce is given in base64",
        ),
    ] {
        let shown = decode(arguments, input.as_bytes());
        let errors = String::from_utf8_lossy(&shown.stderr).into_owned();
        assert!(!shown.status.success(), "{input}: {}", text(&shown));
        assert!(errors.contains(part), "{input}: {errors}");
    }
}
