//! What must not be read, or not cost much.

use super::*;

fn kind(bytes: &[u8], carrier: Carrier) -> DecodeErrorKind {
    decode(bytes, carrier, &Limits::default()).unwrap_err().kind
}

#[test]
fn another_document_is_refused() {
    assert_eq!(kind(b"<html/>", Carrier::Xml), DecodeErrorKind::Root);
    assert_eq!(kind(b"", Carrier::Xml), DecodeErrorKind::Empty);
    assert_eq!(kind(b"BEGIN:VCARD", Carrier::Xml), DecodeErrorKind::Syntax);
    assert_eq!(kind(b"", Carrier::Wbxml), DecodeErrorKind::Empty);
    assert_eq!(
        kind(b"<SyncML/>", Carrier::Wbxml),
        DecodeErrorKind::WbxmlVersion(b'<')
    );
    // DevInf where a message is expected, by its identifier and by its root.
    assert_eq!(
        kind(&hex("02 A4 03 6A 00 4A 01"), Carrier::Wbxml),
        DecodeErrorKind::PublicId(0x1203)
    );
    assert_eq!(
        kind(&hex("02 01 6A 00 4A 01"), Carrier::Wbxml),
        DecodeErrorKind::Root
    );
    assert_eq!(
        kind(b"<SyncML><SyncBody/></SyncML>", Carrier::Xml),
        DecodeErrorKind::NoHeader
    );
    assert_eq!(
        kind(&hex("02 A4 01 6A 00 2D"), Carrier::Wbxml),
        DecodeErrorKind::NoHeader
    );
}

#[test]
fn groups_in_groups_end_at_the_depth_limit() {
    for count in [10, 50, 5000] {
        let nested = "<Sequence><CmdID>1</CmdID>".repeat(count) + &"</Sequence>".repeat(count);
        let xml = xml_body(&nested);
        let wbxml = wbxml_body(&(r#"64 4B 03 "1" 00 01 "#.repeat(count) + &"01 ".repeat(count)));
        if count < 60 {
            assert_eq!(from_xml(&xml), from_wbxml(&wbxml));
        } else {
            assert_eq!(kind(xml.as_bytes(), Carrier::Xml), DecodeErrorKind::TooDeep);
            assert_eq!(kind(&wbxml, Carrier::Wbxml), DecodeErrorKind::TooDeep);
        }
    }
}

#[test]
fn elements_of_documents_within_the_message_count_too() {
    // Each DevInf holds 600 empty DataStores; a Put has ten of them.
    let mut devinf = hex("02 A4 03 6A 00 4A");
    devinf.extend([0x07; 600]);
    devinf.push(0x01);
    let mut bytes = hex("02 A4 01 6A 00 6D 6C 01 6B 5F");
    for _ in 0..10 {
        bytes.extend(hex("54 4F C3"));
        bytes.extend([0x80 | (devinf.len() >> 7) as u8, devinf.len() as u8 & 0x7F]);
        bytes.extend(&devinf);
        bytes.extend([0x01, 0x01]);
    }
    bytes.extend([0x01; 3]);
    let stores = |limits: &Limits| {
        let message = decode(&bytes, Carrier::Wbxml, limits).unwrap();
        let Command::Put(put) = &message.body[0] else {
            panic!("not a Put")
        };
        let stores = put.items.iter().map(|item| match &item.data {
            Data::DevInf(devinf) => devinf.datastores.len(),
            _ => 0,
        });
        stores.sum::<usize>()
    };
    assert_eq!(stores(&Limits::default()), 6000);
    assert_eq!(
        stores(&Limits {
            max_elements: 2000,
            ..Limits::default()
        }),
        1800
    );
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let mut text = String::from("<?xml version='1.0'?><!DOCTYPE SyncML [<!ENTITY a0 'lol'>");
    for level in 1..20 {
        let below = format!("&a{};", level - 1).repeat(10);
        text.push_str(&format!("<!ENTITY a{level} '{below}'>"));
    }
    text.push_str("]><SyncML><SyncHdr><SessionID>&a19;</SessionID></SyncHdr></SyncML>");
    let error = decode(text.as_bytes(), Carrier::Xml, &Limits::default()).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::UnknownEntity);
    assert_eq!(&text[error.offset as usize..][..5], "&a19;");
    let external = "<!DOCTYPE SyncML [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><SyncML><SyncHdr>&f;</SyncHdr></SyncML>";
    assert_eq!(
        kind(external.as_bytes(), Carrier::Xml),
        DecodeErrorKind::UnknownEntity
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_cut_of_any_message_is_refused(
        seed in proptest::collection::vec(any::<u8>(), 0..600),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 8),
    ) {
        let message = Choices::new(&seed).message();
        for carrier in [Carrier::Wbxml, Carrier::Xml] {
            let bytes = encode(&message, &Form::new(carrier, Version::V12));
            for end in cuts.iter().map(|cut| cut.index(bytes.len())) {
                let error = decode(&bytes[..end], carrier, &Limits::default()).unwrap_err();
                let expected = if end == 0 { DecodeErrorKind::Empty } else { DecodeErrorKind::Truncated };
                prop_assert_eq!(error.kind, expected, "{} of {:?}", end, String::from_utf8_lossy(&bytes));
                prop_assert_eq!(error.offset as usize, end);
            }
        }
    }

    #[test]
    fn changed_octets_never_panic_and_what_is_read_can_be_written(
        seed in proptest::collection::vec(any::<u8>(), 0..600),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let message = Choices::new(&seed).message();
        for carrier in [Carrier::Wbxml, Carrier::Xml] {
            let form = Form::new(carrier, Version::V12);
            let mut bytes = encode(&message, &form);
            for (place, octet) in &changes {
                let at = place.index(bytes.len());
                bytes[at] ^= octet;
            }
            if let Ok(read) = decode(&bytes, carrier, &Limits::default()) {
                let written = encode(&read, &form);
                prop_assert!(decode(&written, carrier, &Limits::default()).is_ok());
            }
        }
    }

    #[test]
    fn noise_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let headed = [hex("02 A4 01 6A 00 6D"), bytes.clone()].concat();
        for input in [&bytes, &headed] {
            let _ = decode(input, Carrier::Wbxml, &Limits::default());
            let _ = decode(input, Carrier::Xml, &Limits::default());
            let _ = decode_devinf(input, Carrier::Wbxml, &Limits::default());
        }
    }
}
