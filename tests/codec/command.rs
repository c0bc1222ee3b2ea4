//! `candybar decode`.

use std::io::Write as _;
use std::process::{Command as Process, Output, Stdio};

use candybar::syncml::Carrier;

use super::samples::Sample;

fn decode(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Process::new(env!("CARGO_BIN_EXE_candybar"))
        .arg("decode")
        .args(arguments)
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text is UTF-8")
}

#[test]
fn every_sample_is_shown_in_every_format() {
    for sample in Sample::all() {
        let shown = decode(&[], &sample.bytes);
        assert!(
            shown.status.success(),
            "{}: {}",
            sample.name,
            text(&shown.stderr)
        );
        let tree = text(&shown.stdout);
        assert!(
            tree.contains("\n  SyncHdr\n    VerDTD: 1."),
            "{}: {tree}",
            sample.name
        );

        let xml = decode(&["--format", "xml"], &sample.bytes);
        let read = candybar::syncml::decode(&xml.stdout, Carrier::Xml, &Default::default());
        assert_eq!(read.as_ref(), Ok(&sample.message()), "{}", sample.name);

        let json = decode(&["--format", "json"], &sample.bytes);
        let json: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
        assert_eq!(json["root"]["name"], "SyncML", "{}", sample.name);
        assert!(json.get("errors").is_none(), "{}", sample.name);
    }
}

#[test]
fn hex_and_a_file_are_read_like_octets() {
    let sample = Sample::all()
        .into_iter()
        .find(|sample| sample.carrier == Carrier::Wbxml);
    let sample = sample.expect("there is a WBXML sample");
    let octets = decode(&[], &sample.bytes).stdout;
    let hex: String = sample
        .bytes
        .iter()
        .map(|octet| format!("{octet:02x} "))
        .collect();
    assert_eq!(
        decode(&["--as", "wbxml", "-"], hex.as_bytes()).stdout,
        octets
    );
    let file = format!("{}/oma-samples/{}", env!("CARGO_MANIFEST_DIR"), sample.name);
    assert_eq!(decode(&[&file], b"").stdout, octets);
}

#[test]
fn a_cut_message_is_shown_as_far_as_it_goes_and_the_place_is_said() {
    let input = b"02 A4 01 6A 00 6D 6C 71 03 31 2E 32 00 01 65 03 31";
    for (format, part) in [
        ("text", "    VerDTD: 1.2\n"),
        ("xml", "<VerDTD>1.2</VerDTD>"),
        ("json", "\"offset\": 17"),
    ] {
        let shown = decode(&["--format", format], input);
        assert_eq!(shown.status.code(), Some(1), "{format}");
        assert!(
            text(&shown.stdout).contains(part),
            "{format}: {}",
            text(&shown.stdout)
        );
        let message = text(&shown.stderr);
        assert!(
            message.contains("cut off at offset 17"),
            "{format}: {message}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    for (arguments, input, part) in [
        (
            ["--as", "sms"].as_slice(),
            b"06".as_slice(),
            "the short message is broken: message type 2",
        ),
        (
            &["--as", "wsp"],
            b"01 06 05 CE",
            "the WSP header is cut off at offset 4",
        ),
        (
            &["--as", "san"],
            b"00 01",
            "the digest is cut off at offset 2",
        ),
        (&["--as", "wbxml"], b"<SyncML/>", "not a WBXML document"),
        (&[], b"hello", "WBXML version octet 0x68"),
        (&[], b"02 A", "odd number of digits"),
        (&["/no/such/file"], b"", "cannot read /no/such/file"),
    ] {
        let shown = decode(arguments, input);
        assert_eq!(shown.status.code(), Some(1), "{arguments:?}");
        assert!(
            text(&shown.stderr).contains(part),
            "{arguments:?}: {}",
            text(&shown.stderr)
        );
    }
}
