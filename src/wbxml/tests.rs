//! Known answers in hex.

mod properties;

use std::borrow::Cow;

use super::*;
use crate::wbxml::tables::{DEVINF, SYNCML, devinf, metinf, syncml};

/// Octets from hex with blanks; text in quotes stands for itself.
fn hex(text: &str) -> Vec<u8> {
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

fn start(tag: Tag) -> Event<'static> {
    Event::Start {
        name: Name::Tag(tag),
        attrs: Vec::new(),
    }
}

fn text(text: &'static str) -> Event<'static> {
    Event::Text(text.into())
}

fn events(bytes: &[u8]) -> Result<Vec<Event<'_>>, DecodeError> {
    Decoder::new(bytes, &Limits::default())?.collect()
}

/// The kind of the error and its offset.
fn error(bytes: &[u8], limits: &Limits) -> (DecodeErrorKind, u32) {
    let error = match Decoder::new(bytes, limits) {
        Ok(decoder) => decoder.collect::<Result<Vec<_>, _>>().unwrap_err(),
        Err(error) => error,
    };
    (error.kind, error.offset)
}

/// The text of VerDTD in a document whose root holds it, with some content.
fn content(hexadecimal: &str) -> Result<Vec<Event<'static>>, DecodeError> {
    let bytes = hex(&format!("02 9F 53 6A 00 6D 71 {hexadecimal} 01 01"));
    let mut events: Vec<Event<'static>> = events(&bytes)?.into_iter().map(owned).collect();
    assert_eq!(events[..2], [start(syncml::SYNCML), start(syncml::VER_DTD)]);
    assert_eq!(events.split_off(events.len() - 2), [Event::End, Event::End]);
    Ok(events.split_off(2))
}

fn owned(event: Event<'_>) -> Event<'static> {
    match event {
        Event::Start {
            name: Name::Tag(tag),
            attrs,
        } if attrs.is_empty() => start(tag),
        Event::Text(text) => Event::Text(text.into_owned().into()),
        Event::Opaque(bytes) => Event::Opaque(bytes.into_owned().into()),
        Event::End => Event::End,
        other => panic!("{other:?}"),
    }
}

#[test]
fn headers_come_with_a_number_or_a_name() {
    for (document, language, version) in [
        ("01 9F 51 6A 00 2D", &SYNCML, 1),
        ("02 9F 53 6A 00 2D", &SYNCML, 2),
        ("03 A4 01 6A 00 2D", &SYNCML, 3),
        (
            r#"02 00 00 6A 1D "-//SYNCML//DTD SyncML 1.1//EN" 2D"#,
            &SYNCML,
            2,
        ),
        (
            r#"02 00 02 6A 20 "x" 00 "-//SYNCML//DTD SyncML 1.0//EN" 00 2D"#,
            &SYNCML,
            2,
        ),
        (
            r#"03 00 00 6A 1E "-//syncml//dtd syncml 1.2//en" 00 2D"#,
            &SYNCML,
            3,
        ),
        ("02 9F 52 6A 00 0A", &DEVINF, 2),
        ("02 9F 54 6A 00 0A", &DEVINF, 2),
        ("02 A4 03 6A 00 0A", &DEVINF, 2),
        (
            r#"02 00 00 6A 1E "-//SYNCML//DTD DevInf 1.0//EN" 00 0A"#,
            &DEVINF,
            2,
        ),
    ] {
        let bytes = hex(document);
        let decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
        assert_eq!(
            (decoder.language(), decoder.header().version),
            (language, version),
            "{document}"
        );
        let events: Result<Vec<_>, _> = decoder.collect();
        assert_eq!(
            events.unwrap(),
            [start(language.root), Event::End],
            "{document}"
        );
    }
}

#[test]
fn headers_that_cannot_be_read_are_refused() {
    use DecodeErrorKind::*;
    let limits = Limits::default();
    for (document, kind, offset) in [
        ("", Empty, 0),
        ("00 9F 53 6A 00 2D", WbxmlVersion(0), 0),
        ("04 9F 53 6A 00 2D", WbxmlVersion(4), 0),
        ("02", Truncated, 1),
        ("02 9F", Truncated, 2),
        ("02 9F 53", Truncated, 3),
        ("02 9F 53 6A", Truncated, 4),
        ("02 9F 53 6A 00", Truncated, 5),
        ("02 9F 53 6A 05 41 42", Truncated, 7),
        ("02 0E 6A 00 2D", PublicId(14), 1),
        ("02 01 6A 00 2D", PublicId(1), 1),
        (r#"02 00 00 6A 05 "Other" 2D"#, PublicIdText, 1),
        (r#"02 00 06 6A 05 "Other" 2D"#, StringTableIndex(6), 1),
        ("02 00 00 6A 00 2D", StringTableIndex(0), 1),
        ("02 9F 53 87 68 00 2D", Charset(1000), 3),
        ("02 FF FF FF FF FF 7F 6A 00 2D", Integer, 1),
        ("02 9F 53 6A 90 80 80 80 00 2D", Integer, 4),
        ("02 9F 53 6A 8F FF FF FF 7F 2D", StringTableTooLarge, 4),
    ] {
        assert_eq!(error(&hex(document), &limits), (kind, offset), "{document}");
    }
}

#[test]
fn a_caller_may_name_the_document_type() {
    let limits = Limits::default();
    let unknown = hex("02 01 6A 00 2D");
    let decoder = Decoder::with_language(&unknown, &SYNCML, &limits).unwrap();
    assert_eq!(decoder.seen_elements(), 0);
    assert_eq!(decoder.collect::<Result<Vec<_>, _>>().unwrap().len(), 2);
    let other = hex("02 A4 03 6A 00 0A");
    let refused = Decoder::with_language(&other, &SYNCML, &limits).unwrap_err();
    assert_eq!(refused.kind, DecodeErrorKind::PublicId(0x1203));
}

#[test]
fn text_comes_in_every_form() {
    assert_eq!(content(r#"03 "1.1" 00"#).unwrap(), [text("1.1")]);
    assert_eq!(
        content(r#"C3 03 "1.1""#).unwrap(),
        [Event::Opaque(Cow::Borrowed(b"1.1"))]
    );
    assert_eq!(content("02 2E").unwrap(), [text(".")]);
    assert_eq!(content("02 83 CF 6E").unwrap(), [text("\u{E7EE}")]);
    assert_eq!(
        content(r#"03 "1" 00 02 2E C3 01 "1" 03 00"#).unwrap().len(),
        4
    );
    let long: String = "x".repeat(200);
    let opaque = content(&format!("C3 81 48 \"{long}\"")).unwrap();
    assert_eq!(opaque, [Event::Opaque(long.into_bytes().into())]);
    assert_eq!(
        content("02 8F FF FF FF 7F").unwrap_err().kind,
        DecodeErrorKind::Entity(u32::MAX)
    );
    assert_eq!(
        content("02 83 B0 00").unwrap_err().kind,
        DecodeErrorKind::Entity(0xD800)
    );

    let table = hex(r#"03 A4 01 6A 08 "1.1" 00 "more" 6D 71 83 00 01 72 83 04 01 72 83 06 01 01"#);
    let strings: Vec<_> = events(&table)
        .unwrap()
        .into_iter()
        .filter_map(|event| match event {
            Event::Text(text) => Some(text.into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(strings, ["1.1", "more", "re"]);
    let outside = hex(r#"03 A4 01 6A 02 "a" 00 6D 83 02 01"#);
    let expected = (DecodeErrorKind::StringTableIndex(2), 9);
    assert_eq!(error(&outside, &Limits::default()), expected);
}

#[test]
fn the_code_page_changes_anywhere() {
    // Before the root, around text, before an end, and twice in a row.
    let bytes = hex(
        r#"02 9F 53 6A 00 00 00 6D 5A 00 01 53 00 00 03 "b" 00 00 01 01 00 00 01 00 01 00 00 1A 00 01 01"#,
    );
    let expected = [
        start(syncml::SYNCML),
        start(syncml::META),
        start(metinf::TYPE),
        text("b"),
        Event::End,
        Event::End,
        start(syncml::META),
        Event::End,
        Event::End,
    ];
    assert_eq!(events(&bytes).unwrap(), expected);
}

#[test]
fn attributes_are_read_over() {
    // The root attribute of some Nokia software: index 0 of an empty string table.
    let nokia = hex(r#"02 9F 53 6A 00 ED 04 00 03 "SYNCML:SYNCML1.1" 00 01 2C 01"#);
    let events = events(&nokia).unwrap();
    let Event::Start { name, attrs } = &events[0] else {
        panic!("no start")
    };
    assert_eq!(*name, Name::Tag(syncml::SYNCML));
    assert_eq!(
        attrs[..],
        [Attr {
            name: "xmlns".into(),
            value: "SYNCML:SYNCML1.1".into()
        }]
    );
    assert_eq!(
        events[1..],
        [start(syncml::SYNC_HDR), Event::End, Event::End]
    );

    // Codes, a name from the table, pieces of a value, and an element with attributes and no content.
    let bytes = hex(
        r#"02 9F 53 6A 02 "n" 00 6D AC 05 86 03 "a" 00 04 00 02 62 C3 01 "c" 83 00 00 00 01 01"#,
    );
    let events: Vec<_> = Decoder::new(&bytes, &Limits::default())
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let Event::Start { attrs, .. } = &events[1] else {
        panic!("no start")
    };
    let attrs: Vec<_> = attrs
        .iter()
        .map(|attr| (&*attr.name, &*attr.value))
        .collect();
    assert_eq!(attrs, [("Unknown-05", "a"), ("n", "bcn")]);
    assert_eq!(events[2..], [Event::End, Event::End]);
    // A processing instruction before the root.
    let bytes = hex(r#"02 9F 53 6A 02 "n" 00 43 04 00 03 "x" 00 01 2D"#);
    assert_eq!(
        self::events(&bytes).unwrap(),
        [start(syncml::SYNCML), Event::End]
    );
}

#[test]
fn elements_without_a_code_keep_their_names() {
    let bytes = hex(
        r#"02 9F 53 6A 0E "Odd" 00 "SyncHdr" 00 "x" 00 6D 04 00 44 00 04 04 01 3D 00 09 3D 01"#,
    );
    let names: Vec<String> = events(&bytes)
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            Event::Start { name, .. } => Some(name.text().into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(
        names,
        [
            "SyncML",
            "Odd",
            "Odd",
            "SyncHdr",
            "Unknown-00-3D",
            "Unknown-89-3D"
        ]
    );
    let outside = hex("02 9F 53 6A 00 6D 44 00 01 01");
    assert_eq!(
        error(&outside, &Limits::default()),
        (DecodeErrorKind::StringTableIndex(0), 7)
    );
}

#[test]
fn extension_tokens_and_loose_content_are_refused() {
    for token in [0x40, 0x41, 0x42, 0x80, 0x81, 0x82, 0xC0, 0xC1, 0xC2] {
        let kind = content(&format!("{token:02X} 00")).unwrap_err();
        let expected = DecodeError {
            offset: 7,
            kind: DecodeErrorKind::Token(token),
        };
        assert_eq!(kind, expected);
    }
    for token in [0x01, 0x02, 0x03, 0x83, 0xC3] {
        let bytes = [hex("02 9F 53 6A 00"), vec![token, 0]].concat();
        assert_eq!(
            error(&bytes, &Limits::default()),
            (DecodeErrorKind::Token(token), 5)
        );
    }
    let attribute = hex("02 9F 53 6A 00 ED 04 00 C0 01 01");
    assert_eq!(
        error(&attribute, &Limits::default()),
        (DecodeErrorKind::Token(0xC0), 8)
    );
}

#[test]
fn limits_hold() {
    use DecodeErrorKind::*;
    let limits = Limits {
        max_bytes: 64,
        max_depth: 3,
        max_string_table: 4,
        max_opaque: 5,
        max_elements: 6,
    };
    let head = "02 9F 53 6A 00";
    for (document, kind, offset) in [
        (format!("{head} {}", "6D ".repeat(60)), TooLarge, 64),
        (format!("{head} 6D 6C 6C 2C"), TooDeep, 8),
        (
            format!("{head} 6D 2C 2C 2C 2C 2C 2C 01"),
            TooManyElements,
            11,
        ),
        (
            format!(r#"{head} 6D C3 06 "abcdef" 01"#),
            OpaqueTooLarge(6),
            7,
        ),
        // A length of 100 MB in front of a few octets.
        (
            format!("{head} 6D C3 AF EB C2 00 61 01"),
            OpaqueTooLarge(0x5FAE100),
            7,
        ),
        (
            format!("{head} 6D C3 8F FF FF FF 7F 61"),
            OpaqueTooLarge(u32::MAX),
            7,
        ),
        (format!("{head} 6D C3 9F FF FF FF 7F 61"), Integer, 7),
        (format!("{head} 6D C3 05 61 62"), Truncated, 10),
        (
            "02 9F 53 6A 05 00 00 00 00 00 2D".to_owned(),
            StringTableTooLarge,
            4,
        ),
    ] {
        assert_eq!(
            error(&hex(&document), &limits),
            (kind, offset),
            "{document}"
        );
    }
    let fits = hex(&format!(r#"{head} 6D 6C 2C 2C 2C C3 05 "abcde" 01 2C 01"#));
    let events: Result<Vec<_>, _> = Decoder::new(&fits, &limits).unwrap().collect();
    assert_eq!(events.unwrap().len(), 13);
}

#[test]
fn the_stream_ends_after_the_first_error() {
    let bytes = hex("02 9F 53 6A 00 6D 40 00 2C 01");
    let mut decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
    assert!(matches!(decoder.next(), Some(Ok(_))));
    assert!(matches!(decoder.next(), Some(Err(_))));
    assert!(decoder.next().is_none() && decoder.next().is_none());
}

#[test]
fn what_stands_after_the_root_is_not_read() {
    let bytes = hex("02 9F 53 6A 00 6D 01 00 00 FF");
    let mut decoder = Decoder::new(&bytes, &Limits::default()).unwrap();
    assert_eq!(decoder.by_ref().count(), 2);
    assert_eq!(decoder.offset(), 7);
}

#[test]
fn text_is_read_in_its_character_set() {
    let with = |mib: &str, octets: &str| {
        let bytes = hex(&format!("02 9F 53 {mib} 00 6D 03 {octets} 00 01"));
        events(&bytes).unwrap().into_iter().nth(1).map(owned)
    };
    assert_eq!(with("6A", "C3 BC"), Some(text("ü")));
    assert_eq!(with("00", "C3 BC"), Some(text("ü")));
    assert_eq!(with("03", "41"), Some(text("A")));
    assert_eq!(with("04", "FC 80"), Some(text("ü\u{80}")));
    assert_eq!(with("11", "93 FA"), Some(text("日")));
    // No UTF-8 although it says so.
    assert_eq!(with("6A", "C3 BC FC 41"), Some(text("üüA")));
    assert_eq!(Charset::from_mib(1015), None);
}

#[test]
fn devinf_may_stand_in_data_with_its_own_codes() {
    let bytes = hex(r#"02 A4 01 6A 00 6D 4F 4A 65 03 "1" 00 01 28 01 01 4A 01 01"#);
    let expected = [
        start(syncml::SYNCML),
        start(syncml::DATA),
        start(devinf::DEVINF),
        start(devinf::VER_DTD),
        text("1"),
        Event::End,
        start(devinf::UTC),
        Event::End,
        Event::End,
        Event::End,
        start(syncml::CMD),
        Event::End,
        Event::End,
    ];
    assert_eq!(events(&bytes).unwrap(), expected);
}

#[test]
fn documents_are_written_as_they_were_read() {
    let bytes = hex(
        r#"02 A4 01 6A 0A "Odd" 00 "xmlns" 00 6D 5A 00 01 53 03 "t" 00 01 01 84 00 04 04 03 "v" 00 01 00 00 4F C3 02 00 01 01 01"#,
    );
    let read = events(&bytes).unwrap();
    assert_eq!(encode(&SYNCML, 0x02, 0x1201, read).unwrap(), bytes);

    let odd = || {
        vec![
            start(syncml::SYNCML),
            start(devinf::UTC),
            Event::End,
            Event::End,
        ]
    };
    assert_eq!(
        encode(&DEVINF, 2, 0x1203, odd()),
        Err(EncodeError::Foreign(syncml::SYNCML))
    );
    assert_eq!(
        encode(&SYNCML, 2, 0x1201, odd()[..1].to_vec()),
        Err(EncodeError::Open)
    );
    assert_eq!(
        encode(&SYNCML, 2, 0x1201, vec![text("x")]),
        Err(EncodeError::Outside)
    );
    let twice = [odd(), odd()].concat();
    assert_eq!(encode(&SYNCML, 2, 0x1201, twice), Err(EncodeError::Outside));
    // A NUL cannot be in a string.
    let nul = vec![start(syncml::SYNCML), text("a\0b"), Event::End];
    let expected = hex(r#"02 A4 01 6A 00 6D C3 03 "a" 00 "b" 01"#);
    assert_eq!(encode(&SYNCML, 2, 0x1201, nul).unwrap(), expected);
}

#[test]
fn every_code_has_one_name_and_every_name_one_code() {
    for (space, last, count) in [(0, 0x3C, 55), (1, 0x16, 18), (2, 0x34, 47)] {
        let tags: Vec<Tag> = (0..=0xFF)
            .map(|token| Tag::new(space, token))
            .filter(|tag| tag.name().is_some())
            .collect();
        assert_eq!((tags.len(), tags.last().unwrap().token()), (count, last));
        for tag in tags {
            assert_eq!(Tag::find(space, tag.name().unwrap()), Some(tag));
        }
    }
    assert_eq!(Tag::find(devinf::SPACE, "Size"), Some(devinf::MAX_SIZE));
    assert_eq!(Tag::find(syncml::SPACE, "Type"), None);
}
