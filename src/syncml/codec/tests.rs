//! The mapping, both ways and over both carriers.

mod arbitrary;
mod forms;
mod hostile;

use proptest::prelude::*;

use super::*;
use crate::syncml::*;
use arbitrary::Choices;

/// Octets from hex with blanks; text in quotes stands for itself.
pub(super) fn hex(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in text.split('"').enumerate() {
        if at % 2 == 1 {
            bytes.extend_from_slice(part.as_bytes());
        } else {
            bytes.extend(
                part.split_whitespace()
                    .map(|octet| u8::from_str_radix(octet, 16).unwrap()),
            );
        }
    }
    bytes
}

pub(super) fn from_wbxml(bytes: &[u8]) -> Message<'_> {
    decode(bytes, Carrier::Wbxml, &Limits::default()).unwrap()
}

pub(super) fn from_xml(text: &str) -> Message<'_> {
    decode(text.as_bytes(), Carrier::Xml, &Limits::default()).unwrap()
}

/// A WBXML message around the content of SyncBody.
pub(super) fn wbxml_body(body: &str) -> Vec<u8> {
    hex(&format!(
        r#"02 A4 01 6A 00 6D 6C 5B 03 "1" 00 01 01 6B {body} 01 01"#
    ))
}

/// An XML message around the content of SyncBody.
pub(super) fn xml_body(body: &str) -> String {
    format!(
        "<SyncML xmlns='SYNCML:SYNCML1.2'><SyncHdr><MsgID>1</MsgID></SyncHdr><SyncBody>{body}</SyncBody></SyncML>"
    )
}

#[test]
fn a_message_is_written_octet_by_octet_as_the_specification_has_it() {
    let mut message = Message {
        last: true,
        ..Message::default()
    };
    message.header.ver_dtd = "1.1".into();
    message.header.ver_proto = "SyncML/1.1".into();
    message.header.session_id = "1".into();
    message.header.msg_id = "2".into();
    message.header.target = Location::new("IMEI:1");
    message.header.source = Location::new("http://s");
    let anchor = Anchor {
        last: None,
        next: "7".into(),
    };
    message.body = vec![
        Command::Status(Status {
            cmd_id: "1".into(),
            msg_ref: "1".into(),
            cmd_ref: "2".into(),
            cmd: "Alert".into(),
            source_refs: vec!["./c".into()],
            code: Code::OK,
            items: vec![Item {
                data: Data::Meta(Box::new(Meta {
                    anchor: Some(anchor),
                    ..Meta::default()
                })),
                ..Item::default()
            }],
            ..Status::default()
        }),
        Command::Change(Change {
            kind: ChangeKind::Add,
            cmd_id: "2".into(),
            no_resp: false,
            archive: false,
            soft: false,
            cred: None,
            meta: Some(Box::new(Meta {
                kind: Some("text/plain".into()),
                ..Meta::default()
            })),
            items: vec![Item {
                source: Some(Location::new("9")),
                data: Data::text("a\r\nb"),
                ..Item::default()
            }],
        }),
    ];
    let expected = hex(r#"
        02 9F 53 6A 00
        6D 6C 71 03 "1.1" 00 01 72 03 "SyncML/1.1" 00 01 65 03 "1" 00 01 5B 03 "2" 00 01
              6E 57 03 "IMEI:1" 00 01 01 67 57 03 "http://s" 00 01 01 01
        6B 69 4B 03 "1" 00 01 5C 03 "1" 00 01 4C 03 "2" 00 01 4A 03 "Alert" 00 01 68 03 "./c" 00 01 4F 03 "200" 00 01
              54 4F 00 01 45 4F 03 "7" 00 01 01 01 01 01
           00 00 45 4B 03 "2" 00 01 5A 00 01 53 03 "text/plain" 00 01 01
              00 00 54 67 57 03 "9" 00 01 01 4F C3 04 "a" 0D 0A "b" 01 01 01
           12 01 01"#);
    let form = Form::new(Carrier::Wbxml, Version::V11);
    assert_eq!(encode(&message, &form), expected);
    assert_eq!(from_wbxml(&expected), message);

    let text = String::from_utf8(encode(&message, &Form::new(Carrier::Xml, Version::V11))).unwrap();
    assert_eq!(
        text,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><SyncML xmlns=\"SYNCML:SYNCML1.1\"><SyncHdr><VerDTD>1.1</VerDTD>\
         <VerProto>SyncML/1.1</VerProto><SessionID>1</SessionID><MsgID>2</MsgID><Target><LocURI>IMEI:1</LocURI></Target>\
         <Source><LocURI>http://s</LocURI></Source></SyncHdr><SyncBody><Status><CmdID>1</CmdID><MsgRef>1</MsgRef>\
         <CmdRef>2</CmdRef><Cmd>Alert</Cmd><SourceRef>./c</SourceRef><Data>200</Data><Item><Data>\
         <Anchor xmlns=\"syncml:metinf\"><Next>7</Next></Anchor></Data></Item></Status><Add><CmdID>2</CmdID><Meta>\
         <Type xmlns=\"syncml:metinf\">text/plain</Type></Meta><Item><Source><LocURI>9</LocURI></Source>\
         <Data>a&#13;\nb</Data></Item></Add><Final/></SyncBody></SyncML>"
    );
    assert_eq!(from_xml(&text), message);
}

#[test]
fn the_root_of_1_0_in_xml_has_no_namespace() {
    let form = Form::new(Carrier::Xml, Version::V10);
    let text = encode(&Message::default(), &form);
    assert!(text.windows(8).any(|part| part == b"<SyncML>"));
    let text = encode(
        &Message::default(),
        &Form {
            root_namespace: true,
            ..form
        },
    );
    assert!(
        String::from_utf8(text)
            .unwrap()
            .contains("<SyncML xmlns=\"SYNCML:SYNCML1.0\">")
    );
}

/// What a message costs by the two measures, and what it costs in fact.
fn lengths(message: &Message<'_>, form: &Form) -> (usize, usize) {
    let commands: usize = message
        .body
        .iter()
        .map(|command| encoded_len(command, form))
        .sum();
    let message = Message {
        last: true,
        ..message.clone()
    };
    (
        header_len(&message.header, form) + commands,
        encode(&message, form).len(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn both_carriers_hold_any_message(seed in proptest::collection::vec(any::<u8>(), 0..4000), version in 0..3_usize) {
        let message = Choices::new(&seed).message();
        let version = Version::ALL[version];
        for carrier in [Carrier::Wbxml, Carrier::Xml] {
            let form = Form::new(carrier, version);
            let bytes = encode(&message, &form);
            let read = decode(&bytes, carrier, &Limits::default());
            prop_assert_eq!(read.as_ref(), Ok(&message), "{:?} {}", carrier, String::from_utf8_lossy(&bytes));
            prop_assert_eq!(&read.unwrap().into_owned(), &message);
            let (measured, real) = lengths(&message, &form);
            prop_assert!(measured >= real && measured <= real + 16 * (message.body.len() + 1), "{measured} {real}");
        }
    }

    #[test]
    fn wbxml_holds_any_octets_and_xml_holds_them_as_base64(data in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut message = Message::default();
        message.header.cred = Some(Cred { data: data.clone().into(), ..Cred::default() });
        let mut change = Choices::new(&[]).change(Data::Bytes(data.clone().into()));
        change.items[0].meta = Some(Box::new(Meta { size: Some(data.len() as u64), ..Meta::default() }));
        message.body.push(Command::Change(change));
        let wbxml = encode(&message, &Form::new(Carrier::Wbxml, Version::V12));
        prop_assert_eq!(&from_wbxml(&wbxml), &message);
        let xml = encode(&message, &Form::new(Carrier::Xml, Version::V12));
        let read = decode(&xml, Carrier::Xml, &Limits::default()).unwrap();
        let Command::Change(change) = &read.body[0] else { panic!("not a change") };
        let text = std::str::from_utf8(&data).is_ok_and(xml::holds);
        let expected = if text { data } else {
            use base64::Engine as _;
            let format = change.items[0].meta.as_ref().and_then(|meta| meta.format.as_deref());
            prop_assert_eq!(format, Some("b64"));
            base64::engine::general_purpose::STANDARD.encode(&data).into_bytes()
        };
        prop_assert_eq!(change.items[0].data.bytes(), Some(&*expected));
        prop_assert_eq!(change.items[0].meta.as_ref().and_then(|meta| meta.size), Some(expected.len() as u64));
        prop_assert_eq!(&*read.header.cred.as_ref().unwrap().data, &*expected);
    }

    #[test]
    fn a_devinf_document_survives_alone(seed in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let devinf = Choices::new(&seed).devinf();
        for carrier in [Carrier::Wbxml, Carrier::Xml] {
            let bytes = encode_devinf(&devinf, &Form::new(carrier, Version::V12));
            let read = decode_devinf(&bytes, carrier, &Limits::default());
            prop_assert_eq!(read.as_ref(), Ok(&devinf), "{:?} {}", carrier, String::from_utf8_lossy(&bytes));
            prop_assert_eq!(read.unwrap().into_owned(), devinf.clone());
        }
    }
}
