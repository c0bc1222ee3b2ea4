//! Messages as phones and gateways show them, every prefix, there and back.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};
use crate::push::wdp::{Ports, Reassembly, Reference, Segment, segments};

const SAN: &str =
    "01 06 03 CE AF 85 82F8CE64C77DC0DA7899B62F63722CBD 0338 0000 0012 34 04 73727631 20
    60 000007 06 2E2F63617264  A0 000000 03 63616C";

fn one_line(text: &str) -> String {
    text.split_whitespace().collect()
}

fn san() -> ShortMessage {
    ShortMessage::data(hex("06 05 04 0B 84 23 F0"), hex(SAN))
}

#[test]
fn a_header_with_data_is_a_message() {
    let octets = hex(&format!("06 05 04 0B 84 23 F0 {SAN}"));
    assert_eq!(octets.len(), 61);
    assert_eq!(ShortMessage::read(&octets), Ok(san()));
    assert_eq!(san().header().unwrap().ports, Some(Ports::PUSH));
}

#[test]
fn texts_are_read_in_every_alphabet() {
    // "hellohello" from +27838890001, with the service centre's address before it.
    let deliver = "07 91 72 83 01 00 10 F5 04 0B C8 72 38 88 09 00 F1 00 00 99 30 92 51 61 95 80 0A E8 32 9B FD 46 97 D9 EC 37";
    let message = ShortMessage::read(&hex(deliver)).unwrap();
    assert_eq!(message.direction, Some(Direction::Deliver));
    assert_eq!(message.from.as_deref(), Some("27838890001"));
    assert_eq!(message.content, Content::Text("hellohello".to_owned()));
    // The same as SUBMIT with a relative validity, the default service centre, international.
    let submit = "00 11 00 0B 91 64 07 28 15 53 F8 00 00 AA 0A E8 32 9B FD 46 97 D9 EC 37";
    let message = ShortMessage::read(&hex(submit)).unwrap();
    assert_eq!(message.to.as_deref(), Some("+46708251358"));
    assert_eq!(message.content, Content::Text("hellohello".to_owned()));
    // UCS-2, and a sender that is a name.
    let deliver = "04 07 D0 D3 AC 73 08 00 08 62 11 22 41 03 00 00 04 04 1F 04 40";
    let message = ShortMessage::read(&hex(deliver)).unwrap();
    assert_eq!(message.from.as_deref(), Some("SYNC"));
    assert_eq!(message.content, Content::Text("Пр".to_owned()));
}

#[test]
fn text_after_a_header_begins_at_a_septet_border() {
    let septets = crate::push::gsm::septets("SYNC alice").unwrap();
    let packed = crate::push::gsm::pack(&septets, 1);
    let mut octets = hex("40 05 81 21 43 F5 00 00 62 11 22 41 03 00 00 11 05 00 03 07 02 01");
    octets.extend(&packed);
    let message = ShortMessage::read(&octets).unwrap();
    assert_eq!(message.content, Content::Text("SYNC alice".to_owned()));
    assert_eq!(message.header().unwrap().part.unwrap().number, 1);
}

#[test]
fn what_we_hand_to_a_modem_is_read_again() {
    let payload: Vec<u8> = (0..=255).collect();
    let mut reassembly = Reassembly::new();
    let mut whole = None;
    for segment in segments(&payload, Ports::PUSH, Reference::Octet(3)).unwrap() {
        let octets = ShortMessage::submit("+358401234567", &segment);
        let message = ShortMessage::read(&octets).unwrap();
        assert_eq!(message.to.as_deref(), Some("+358401234567"));
        let with_centre = [hex("07 91 53 48 04 00 00 F0"), octets].concat();
        assert_eq!(ShortMessage::read(&with_centre), Ok(message));
        let octets = ShortMessage::deliver("12345", [26, 11, 22, 14, 30, 0, 0], &segment);
        let message = ShortMessage::read(&octets).unwrap();
        assert_eq!(message.from.as_deref(), Some("12345"));
        let read = reassembly.add("12345", &message.udh, message.octets());
        whole = read.unwrap().or(whole);
        let refused = prefixes(&octets, ShortMessage::read);
        assert_eq!(refused, octets.len());
    }
    assert_eq!(whole.unwrap().payload, payload);
}

#[test]
fn what_gateways_show_is_read() {
    let percent = |octets: &[u8]| -> String {
        octets
            .iter()
            .map(|octet| match octet {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(*octet).to_string(),
                b' ' => "+".to_owned(),
                octet => format!("%{octet:02X}"),
            })
            .collect()
    };
    let (udh, data) = (percent(&san().udh), percent(san().octets()));
    let fakesmsc = format!("100 +358401234567 udh {udh} {data}");
    let spool = format!(
        "To: 358401234567\nAlphabet: binary\nHex: yes\nUDH: true\nUDH-DATA: 06 05 04 0B 84 23 F0\n\n{}\n",
        one_line(SAN)
    );
    let backup = format!(
        "[SMSBackup000]\nPDU = Submit\nNumber = \"+358401234567\"\nCoding = 8bit\nUDH = 0605040B8423F0\nText00 = {}\nClass = -1\n",
        one_line(SAN)
    );
    for (text, is_form) in [
        (
            format!("0605040b8423f0{}", one_line(SAN).to_lowercase()),
            false,
        ),
        (format!("06 05 04 0B 84 23 F0\n{SAN}"), false),
        (fakesmsc.clone(), true),
        (
            format!("2026-11-22 14:30:00 [1] [0] DEBUG: Got message 1: <{fakesmsc}>"),
            true,
        ),
        (
            format!(
                "http://127.0.0.1:13013/cgi-bin/sendsms?username=a&password=b&to=%2B358401234567&udh={udh}&text={data}&coding=1"
            ),
            true,
        ),
        (spool, true),
        (backup, true),
    ] {
        let messages = read_text(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(messages.len(), 1, "{text}");
        assert_eq!(messages[0].udh, san().udh, "{text}");
        assert_eq!(messages[0].content, san().content, "{text}");
        assert_eq!(looks_like_messages(&text), is_form, "{text}");
        if let Some(to) = &messages[0].to {
            assert!(to.ends_with("358401234567"), "{text}");
        }
    }
}

#[test]
fn several_messages_come_in_one_text() {
    let payload = vec![7; 300];
    let segments = segments(&payload, Ports::PUSH, Reference::Octet(3)).unwrap();
    let hex_of = |segment: &Segment| -> String {
        let octets = [segment.udh.clone(), segment.body.clone()].concat();
        octets.iter().map(|octet| format!("{octet:02X}")).collect()
    };
    let lines: Vec<String> = segments.iter().map(hex_of).collect();
    for text in [
        lines.join("\n"),
        lines.join("\r\n\r\n"),
        format!("\n{}\n\n", lines.join("\n")),
    ] {
        let messages = read_text(&text).unwrap();
        assert_eq!(messages.len(), 3);
    }
    // Each message with line breaks in it.
    let broken: Vec<String> = lines
        .iter()
        .map(|line| format!("{}\n{}\n", &line[..40], &line[40..]))
        .collect();
    assert_eq!(read_text(&broken.join("\n")).unwrap().len(), 3);
    let texts = "1 2 text SYNC alice\n1 2 text SETUP";
    let read = read_text(texts).unwrap();
    assert_eq!(read[1].content, Content::Text("SETUP".to_owned()));
    assert_eq!(read[0].from.as_deref(), Some("1"));
}

#[test]
fn what_is_no_message_is_said_with_its_place() {
    for (text, error) in [
        ("", "there is no short message at offset 0"),
        (
            "\nhello\n",
            "the line is neither hex nor a gateway's form at offset 1",
        ),
        (
            "0605040B8423",
            "the user data header is cut off at offset 6",
        ),
        (
            "UDH-DATA: x\n\n00",
            "UDH-DATA of the spool file is not hex at offset 0",
        ),
        (
            "02 00",
            "message type 2 of a short message is not supported at offset 0",
        ),
    ] {
        assert_eq!(read_text(text).unwrap_err().to_string(), error, "{text}");
    }
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..180)) {
        if let Err(error) = ShortMessage::read(&octets) {
            prop_assert!(error.offset as usize <= octets.len());
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "([0-9A-F]{0,20}|[ -~]{0,20}|\n| udh |%4|%41|=|&){0,8}") {
        if let Err(error) = read_text(&text) {
            prop_assert!(error.offset as usize <= text.len());
        }
        looks_like_messages(&text);
    }
}
