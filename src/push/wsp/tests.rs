//! Known answers, forms that other senders use, every prefix, and everything there and back.

use proptest::prelude::*;

use super::*;
use crate::push::tests::{hex, prefixes};

#[test]
fn the_heads_of_notifications_are_those_of_the_field() {
    for (media, application, head) in [
        (
            MediaType::DS_NOTIFICATION,
            Application::SYNCML,
            "01 06 03 CE AF 85",
        ),
        (
            MediaType::SYNCML_WBXML,
            Application::SYNCML,
            "01 06 06 03 02 03 03 AF 85",
        ),
        (
            MediaType::EMN,
            Application::EMN,
            "01 06 06 03 02 03 0A AF 89",
        ),
        (MediaType::SI, Application::BROWSER, "01 06 03 AE AF 82"),
        (
            MediaType::SL,
            Application::from_code(0x8007),
            "01 06 05 B0 AF 02 80 07",
        ),
    ] {
        let push = Push::new(media, &application, b"body".to_vec());
        let octets = push.octets().unwrap();
        assert_eq!(octets, [hex(head), b"body".to_vec()].concat(), "{head}");
        let read = Push::read(&octets).unwrap();
        assert_eq!(read, push, "{head}");
        assert_eq!(read.application(), application, "{head}");
    }
}

#[test]
fn a_signed_document_has_its_length_in_the_long_form() {
    let octets = hex("01 06 2F 1F 2D B6 91 81 92
        42453633413833384633423837453844373443333446454345463337393330334434 4236353432 39 00");
    let push = Push {
        transaction: 1,
        content_type: MediaType::PROV,
        parameters: vec![
            Parameter::new(parameter::SEC, Value::Integer(1)),
            Parameter::new(
                parameter::MAC,
                Value::Text("BE63A838F3B87E8D74C34FECEF379303D4B65429".to_owned()),
            ),
        ],
        ..Push::default()
    };
    assert_eq!(push.octets(), Ok(octets.clone()));
    assert_eq!(Push::read(&octets), Ok(push));
    // Also where the short form would do.
    let unsigned = Push {
        content_type: MediaType::PROV,
        parameters: vec![Parameter::new(parameter::SEC, Value::Integer(3))],
        ..Push::default()
    };
    assert_eq!(unsigned.octets(), Ok(hex("00 06 05 1F 03 B6 91 83")));
}

#[test]
fn old_settings_have_the_short_form() {
    let octets = hex("01 06 06 05 02 02 0B 81 EA");
    let push = Push::read(&octets).unwrap();
    assert_eq!(push.content_type, MediaType::SYNC_SETTINGS);
    assert_eq!(
        push.parameter(parameter::CHARSET),
        Some(&Value::Integer(106))
    );
    assert_eq!(push.octets(), Ok(octets));
}

#[test]
fn what_gateways_write_is_read() {
    // Kannel's push proxy: text for a type that it does not know, content length, encoding version.
    let octets = [
        hex("00 06 30"),
        b"application/vnd.syncml.ds.notification\0".to_vec(),
        hex("8D 02 01 2C AF 85 C3 93"),
        b"x".to_vec(),
    ]
    .concat();
    let mut octets = octets;
    octets[2] = (octets.len() - 4) as u8;
    let push = Push::read(&octets).unwrap();
    assert_eq!(push.content_type, MediaType::DS_NOTIFICATION);
    assert_eq!(
        push.header(field::CONTENT_LENGTH),
        Some(&Value::Integer(300))
    );
    assert_eq!(
        push.header(field::ENCODING_VERSION),
        Some(&Value::Integer(0x13))
    );
    assert_eq!(push.application(), Application::SYNCML);
    assert_eq!(push.body, b"x");
    let names: Vec<_> = push.headers.iter().map(|header| header.name()).collect();
    assert_eq!(
        names,
        ["Content-Length", "X-Wap-Application-Id", "Encoding-Version"]
    );
}

#[test]
fn names_and_numbers_are_the_same_type() {
    for (name, code) in [
        ("application/vnd.syncml.ds.notification", 0x4E),
        ("TEXT/X-VCARD", 0x07),
        ("text/vcard", 0x0309),
        ("text/calendar", 0x0305),
        ("application/x-prov.syncset+wbxml", 0x020B),
        ("", 0),
    ] {
        assert_eq!(MediaType::new(name), MediaType::from_code(code), "{name}");
    }
    assert_eq!(MediaType::new("text/x-vnote").code(), None);
    assert_eq!(MediaType::from_code(0x1234).name(), "unknown/0x1234");
    assert_eq!(Application::new("push.syncml"), Application::SYNCML);
    assert_eq!(
        Application::new("x-wap-application:emn.ua"),
        Application::EMN
    );
    assert_eq!(Application::new("x-example:a").name(), "x-example:a");
}

#[test]
fn no_number_is_given_twice() {
    let names: std::collections::BTreeSet<String> = (0..0x400)
        .map(|code| MediaType::from_code(code).name().into_owned())
        .collect();
    assert_eq!(names.len(), 0x400);
    for code in 0..0x400 {
        let media = MediaType::from_code(code);
        if !media.name().starts_with("unknown") {
            assert_eq!(MediaType::new(&media.name()), media);
        }
    }
}

#[test]
fn what_is_no_push_is_refused_where_it_breaks() {
    for (octets, part) in [
        ("", "the WSP push is cut off at offset 0"),
        ("01 02 00", "WSP PDU type 0x02 is no push at offset 1"),
        (
            "01 06 FF FF FF FF 7F",
            "a number in the WSP push is too large at offset 2",
        ),
        ("01 06 05 CE AF", "the WSP header is cut off at offset 5"),
        (
            "01 06 03 CE AF 09 41",
            "the WSP header is cut off at offset 6",
        ),
        ("01 06 02 1F 7F", "the WSP header is cut off"),
        (
            "01 06 04 CE 02 41 00",
            "WSP header code page 2 is not supported at offset 4",
        ),
        // A parameter that reaches beyond the content type.
        (
            "01 06 06 02 B6 92 41 42 00",
            "WSP content type is too large at offset 4",
        ),
    ] {
        let error = Push::read(&hex(octets)).unwrap_err().to_string();
        assert!(error.contains(part), "{octets}: {error}");
    }
    let mut long = hex("01 06 82 01 CE");
    long.extend(std::iter::repeat_n([0xAF, 0x85], 65).flatten());
    long[2..4].copy_from_slice(&[0x81, 0x03]);
    let error = Push::read(&long).unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::TooManyHeaders);
}

#[test]
fn every_prefix_ends_cleanly() {
    let push = Push {
        headers: vec![
            Header::new(field::APPLICATION, Value::Integer(0x8007)),
            Header::new(field::INITIATOR_URI, Value::Text("sync.example.org".into())),
            Header {
                key: Key::Name("X-Example".into()),
                value: Value::Text("é".into()),
            },
        ],
        parameters: vec![Parameter {
            key: Key::Name("x".into()),
            value: Value::Text(String::new()),
        }],
        content_type: MediaType::EMN,
        ..Push::default()
    };
    let octets = push.octets().unwrap();
    assert_eq!(Push::read(&octets).unwrap(), push);
    assert_eq!(prefixes(&octets, Push::read), octets.len());
}

fn any_key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (0..0x80_u8).prop_map(Key::Code),
        "[A-Za-z][A-Za-z-]{0,12}".prop_map(Key::Name)
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u32>().prop_map(Value::Integer),
        "[^\0\"\x7F]{1,30}".prop_map(Value::Text)
    ]
}

prop_compose! {
    fn any_push()(
        transaction in any::<u8>(),
        confirmed in any::<bool>(),
        media in prop_oneof![
            any::<u32>().prop_map(MediaType::from_code),
            "[a-z]{1,8}/[a-z.+-]{1,12}".prop_map(|name| MediaType::new(&name))
        ],
        parameters in prop::collection::vec((any_key(), any_value()), 0..4),
        headers in prop::collection::vec((any_key(), any_value()), 0..6),
        body in prop::collection::vec(any::<u8>(), 0..200),
    ) -> Push {
        let printable = |value: Value| match value {
            // In a header, what begins with a control character is of another shape and gets a quote.
            Value::Text(text) => Value::Text(text),
            value => value,
        };
        Push {
            transaction,
            confirmed,
            content_type: media,
            parameters: parameters.into_iter().map(|(key, value)| Parameter { key, value }).collect(),
            headers: headers.into_iter().map(|(key, value)| Header { key, value: printable(value) }).collect(),
            body,
        }
    }
}

proptest! {
    #[test]
    fn everything_comes_back(push in any_push()) {
        let octets = push.octets().unwrap();
        prop_assert_eq!(Push::read(&octets), Ok(push));
    }

    #[test]
    fn any_octets_are_read_or_refused(mut octets in prop::collection::vec(any::<u8>(), 2..80)) {
        octets[1] = 6;
        if let Err(error) = Push::read(&octets) {
            prop_assert!(error.offset as usize <= octets.len());
        }
    }
}

#[test]
fn a_header_whose_name_nothing_can_quote_is_not_written() {
    for name in ["", "\u{1}x", "\u{F6}x"] {
        let mut push = Push::notification(b"body".to_vec());
        push.headers.push(Header {
            key: Key::Name(name.to_owned()),
            value: Value::Integer(1),
        });
        assert_eq!(push.octets(), Err(BuildError::Name), "{name:?}");
    }
    // Read from octets that have such a name.
    let push = Push::read(&hex("01 06 07 CE 22 FF 10 20 00 81")).unwrap();
    assert_eq!(push.octets(), Err(BuildError::Name));
}
