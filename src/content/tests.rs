//! What holds for all forms together.

use super::*;

fn contact(lines: &str) -> Record {
    let body = format!(
        "BEGIN:VCARD\nVERSION:3.0\n{}\nEND:VCARD",
        lines.replace('|', "\n")
    );
    read(body.as_bytes(), &ReadHint::default())
        .expect("a card")
        .record
}

#[test]
fn a_digest_is_of_the_meaning() {
    let card = contact(
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=HOME,CELL;X-A=1:1|TEL;TYPE=WORK:2|CATEGORIES:a,b|REV:1|UID:2",
    );
    let alike = [
        "UID:3|TEL;TYPE=WORK,VOICE:2|FN:Jo Doe|CATEGORIES:b,a|TEL;X-A=1;TYPE=cell;TYPE=home:1|N:Doe;Jo;;;|PRODID:x",
        "N:Doe;Jo|FN:Jo\n  Doe |TEL;TYPE=HOME,CELL;X-A=1:1|TEL;TYPE=WORK:2|CATEGORIES:a,b",
    ];
    for lines in alike {
        assert_eq!(digest(&contact(lines)), digest(&card), "{lines}");
    }
    let legacy = b"BEGIN:VCARD\r\nVERSION:2.1\r\nTEL;CELL;HOME;X-A=1:1\r\nTEL;WORK;VOICE:2\r\nN;QUOTED-PRINTABLE:D=6Fe;Jo;;\r\n\
        FN;BASE64:Sm8gRG9l\r\n\r\nFN:Jo Doe\r\nCATEGORIES:a;b\r\nEND:VCARD";
    let mut legacy = read(legacy, &ReadHint::default()).expect("a card").record;
    legacy
        .root
        .properties
        .retain(|property| !matches!(property.value, Value::Binary(_)));
    assert_eq!(digest(&legacy), digest(&card));
    let different = [
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=HOME,CELL;X-A=1:1|TEL;TYPE=WORK:2|CATEGORIES:a",
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=HOME;X-A=1:1|TEL;TYPE=WORK:2|CATEGORIES:a,b",
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=WORK;X-A=1:1|TEL;TYPE=HOME,CELL:2|CATEGORIES:a,b",
        "N:Doe;;Jo|FN:Jo Doe|TEL;TYPE=HOME,CELL;X-A=1:1|TEL;TYPE=WORK:2|CATEGORIES:a,b",
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=HOME,CELL;X-A=1:1|TEL;TYPE=WORK:2|TEL;TYPE=WORK:2|CATEGORIES:a,b",
    ];
    for lines in different {
        assert_ne!(digest(&contact(lines)), digest(&card), "{lines}");
    }
}

#[test]
fn a_digest_counts_components_but_not_known_zones() {
    let event = |children: &[&str]| {
        let mut root = Component::new("VCALENDAR");
        for name in children {
            let (name, zone) = name.split_once(' ').unwrap_or((name, ""));
            let mut child = Component::new(name);
            child.properties.push(Property::text("TZID", zone));
            root.children.push(child);
        }
        digest(&Record {
            kind: Kind::Event,
            root,
        })
    };
    assert_eq!(
        event(&["VEVENT", "VTIMEZONE Europe/Berlin", "VALARM"]),
        event(&["VALARM", "VEVENT"])
    );
    assert_ne!(event(&["VEVENT", "VTIMEZONE Mine"]), event(&["VEVENT"]));
    assert_ne!(event(&["VEVENT"]), event(&[]));
}

#[test]
fn digests_and_keys_stay_what_they_are() {
    // They are stored: a change of these values needs a migration.
    let card = contact("N:Doe;Jo|FN:Jo Doe|TEL;TYPE=HOME:1");
    let hex: String = digest(&card)
        .0
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(
        (hex.as_str(), match_key(&card).0),
        (
            "6c0d2bf454b30e19c6bd174dbd0b5a67",
            -6_605_640_986_723_380_622
        )
    );
}

#[test]
fn twins_share_a_key_and_what_reaches_them() {
    let check = |a: &str, b: &str, keys: bool, twins: bool| {
        let (a, b) = (contact(a), contact(b));
        assert_eq!(
            (match_key(&a) == match_key(&b), matches(&a, &b)),
            (keys, twins),
            "{}",
            title(&a)
        );
    };
    check("N:Doe;Jo|TEL:1", "N:DOE;jo;Q|TEL:1", true, true);
    check(
        "N:O'Brien;Anne Marie",
        "N:OBrien;Anne-Marie|TEL:1",
        true,
        true,
    );
    check(
        "N:Doe;Jo|TEL:+46 70 123 45 67",
        "N:Doe;Jo|TEL:0701234567",
        true,
        true,
    );
    check(
        "N:Doe;Jo|TEL:1|EMAIL:Jo@x",
        "N:Doe;Jo|TEL:2|EMAIL:jo@X",
        true,
        true,
    );
    check("N:Doe;Jo|TEL:1", "N:Doe;Jo|TEL:2", true, false);
    check("N:Doe;Jo|TEL:1", "N:Doe;Jo|EMAIL:a@b", true, false);
    check("N:Doe;Jo", "N:Doe;Jim", false, false);
    // Cut by a phone; and two long names that only begin alike.
    check("N:Featherstonehaugh;X", "N:Featherstoneh;X", true, true);
    check("N:Featherstonehaugh;X", "N:Featherstonexx;X", true, false);
    check("ORG:ACME", "FN:Acme", true, true);
    check("EMAIL:a@b", "EMAIL:A@B", true, true);
    check("NOTE:x", "NOTE:y", true, false);
    check("NOTE:x", "NOTE:x", true, true);
    let (a, b) = (Record::note("Milk \n eggs"), Record::note("Milk\neggs\n"));
    assert!(match_key(&a) == match_key(&b) && matches(&a, &b));
    assert!(!matches(&a, &Record::note("milk")) && !matches(&a, &contact("FN:Milk eggs")));
}

#[test]
fn a_note_of_an_unknown_form_is_not_taken_for_text() {
    let hint = ReadHint {
        kind: Some(Kind::Note),
        ..ReadHint::default()
    };
    let markup = b"<?xml version=\"1.0\"?><memo><Body>milk</Body></memo>";
    assert!(read(markup, &hint).is_err());
    let labelled = ReadHint {
        format: Some(Format::PlainText),
        ..hint
    };
    assert!(read(markup, &labelled).is_ok(), "the user wrote it");
    assert!(read(b"milk", &hint).is_ok());
}

#[test]
fn titles_are_for_people() {
    for (lines, expected) in [
        ("N:Doe;Jo|FN: Jo D ", "Jo D"),
        ("N:Doe;Jo;;Dr.;", "Dr. Jo Doe"),
        ("N:;|ORG:;Lab", "Lab"),
        ("TEL:1", "1"),
        ("NOTE:x", ""),
    ] {
        assert_eq!(title(&contact(lines)), expected);
    }
    assert_eq!(title(&Record::note("\n Milk\neggs")), "Milk");
}

/// Reads a vNote and writes it as a vNote and as text.
fn check_note(lines: &str, summary: Option<&str>, body: &str, vnote: &str, plain: &str) {
    let file = format!("BEGIN:VNOTE\r\nVERSION:1.1\r\n{lines}\r\nEND:VNOTE\r\n");
    let parsed = read(file.as_bytes(), &ReadHint::default()).expect("a note");
    assert_eq!(
        (parsed.format, parsed.record.kind),
        (Format::VNote11, Kind::Note)
    );
    assert_eq!(
        (
            parsed.record.root.text("SUMMARY"),
            parsed.record.root.text("BODY")
        ),
        (summary, Some(body))
    );
    let written =
        String::from_utf8(write(&parsed.record, &Target::new(Format::VNote11))).expect("UTF-8");
    assert_eq!(
        written,
        format!("BEGIN:VNOTE\r\nVERSION:1.1\r\n{vnote}\r\nEND:VNOTE\r\n")
    );
    assert_eq!(
        digest(
            &read(written.as_bytes(), &ReadHint::default())
                .expect("a note")
                .record
        ),
        digest(&parsed.record)
    );
    assert_eq!(
        write(&parsed.record, &Target::new(Format::PlainText)),
        plain.as_bytes()
    );
}

#[test]
fn notes_read_as_phones_write_them() {
    check_note(
        "BODY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=B6p=0D=0Amj=C3=B6lk; ost\r\nDCREATED:20050101T000000\r\n\
         CATEGORIES:a;b\r\nX-IRMC-LUID:1",
        None,
        "Köp\nmjölk; ost",
        "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=B6p\r\n\
         BODY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:K=C3=B6p=0D=0Amj=C3=B6lk; o=\r\nst\r\n\
         DCREATED:20050101T000000\r\nCATEGORIES:a;b\r\nX-IRMC-LUID:1",
        "Köp\r\nmjölk; ost",
    );
    check_note("SUMMARY:s\r\nBODY:s", None, "s", "SUMMARY:s\r\nBODY:s", "s");
    check_note(
        "SUMMARY:s\r\nBODY:t",
        Some("s"),
        "t",
        "SUMMARY:s\r\nBODY:t",
        "s\r\nt",
    );
    check_note(
        "SUMMARY:only",
        None,
        "only",
        "SUMMARY:only\r\nBODY:only",
        "only",
    );
    check_note("BODY:", None, "", "BODY:", "");
}

#[test]
fn plain_text_is_a_note() {
    let hint = ReadHint {
        format: Some(Format::PlainText),
        charset: Some("iso-8859-1"),
        ..ReadHint::default()
    };
    let parsed = read(b"\xC5sa\r\nx\n", &hint).expect("a note");
    assert_eq!(
        (parsed.record, parsed.format),
        (Record::note("Åsa\nx\n"), Format::PlainText)
    );
    let kind = ReadHint {
        kind: Some(Kind::Note),
        ..ReadHint::default()
    };
    assert_eq!(
        read("Åsa".as_bytes(), &kind).map(|parsed| parsed.record),
        Ok(Record::note("Åsa"))
    );
    assert_eq!(
        read(b"x", &ReadHint::default()),
        Err(ContentError::NotThisType)
    );
    assert_eq!(
        read(b"\x89PNG\r\n\0\0", &kind),
        Err(ContentError::NotThisType)
    );
    let quoting = b"BEGIN:VCARD\nFN:x\nEND:VCARD\nis how a card looks";
    assert_eq!(
        read(quoting, &kind).map(|parsed| parsed.format),
        Ok(Format::PlainText)
    );
    let big = vec![b'x'; line::MAX_BYTES + 1];
    assert_eq!(read(&big, &kind), Err(ContentError::TooLarge));
}

#[test]
fn a_format_that_cannot_hold_the_kind_gets_the_title() {
    let written = |record: &Record, format| {
        String::from_utf8(write(record, &Target::new(format))).expect("UTF-8")
    };
    assert_eq!(written(&contact("FN:Jo"), Format::PlainText), "Jo");
    assert_eq!(
        written(&contact("FN:Jo"), Format::ICalendar20),
        "BEGIN:VNOTE\r\nVERSION:1.1\r\nBODY:Jo\r\nEND:VNOTE\r\n"
    );
}

proptest::proptest! {
    #[test]
    fn every_note_survives(body in "[a-zÅ日 =;,\\\\\n.]{0,300}", summary in proptest::option::of("[a-zÅ ;,\\\\]{1,40}")) {
        let mut record = Record::note(body);
        record.root.properties.extend(summary.map(|summary| Property::text("SUMMARY", format!("x{}y", summary))));
        record.root.properties.push(Property::new("CATEGORIES", Value::list(["a,b", "c;d"])));
        note::tidy(&mut record.root);
        let written = write(&record, &Target::new(Format::VNote11));
        let parsed = read(&written, &ReadHint::default()).expect("a note");
        proptest::prop_assert_eq!(digest(&parsed.record), digest(&record), "{}", String::from_utf8_lossy(&written));
        let hint = ReadHint { format: Some(Format::PlainText), ..ReadHint::default() };
        let plain = read(&write(&record, &Target::new(Format::PlainText)), &hint).expect("a note");
        let whole = note::whole(&record.root);
        proptest::prop_assert_eq!(plain.record.root.text("BODY"), Some(whole.as_str()));
        proptest::prop_assert!(matches(&record, &plain.record));
    }

    #[test]
    fn nothing_that_comes_in_panics(
        bytes: Vec<u8>,
        lines in "(N:|TEL;|FN;CHARSET=|AGENT:|BEGIN:VCARD\r\n|END:VCARD\r\n|PHOTO;|VALUE=uri|:|;|,|=|\r\n|\n |data:|geo:|T|0|é|\\\\){0,60}",
    ) {
        for version in ["2.1", "3.0", "4.0"] {
            let card = format!("BEGIN:VCARD\r\nVERSION:{version}\r\n{lines}\r\nEND:VCARD\r\n");
            for body in [&bytes[..], card.as_bytes(), &[card.as_bytes(), &bytes].concat()] {
                for kind in [None, Some(Kind::Note)] {
                    let Ok(parsed) = read(body, &ReadHint { kind, ..ReadHint::default() }) else { continue };
                    let again = overlay(&parsed.record, &parsed.record, None);
                    proptest::prop_assert_eq!(digest(&again), digest(&parsed.record));
                    let json = to_json(&parsed.record);
                    proptest::prop_assert_eq!(json["kind"].is_string(), true);
                    for format in [Format::VCard21, Format::VCard30, Format::VCard40, Format::VNote11] {
                        let written = write(&parsed.record, &Target::new(format));
                        proptest::prop_assert!(read(&written, &ReadHint::default()).is_ok());
                    }
                }
            }
        }
    }
}

#[test]
fn a_peer_cannot_make_work_grow_with_the_square() {
    // Each of these took minutes, or all memory, if it were done pair by pair or byte by byte.
    let numbers = |from: usize| {
        (from..from + 4_000)
            .map(|n| format!("TEL:{n}|"))
            .collect::<String>()
    };
    let (stored, incoming) = (contact(&numbers(0)), contact(&numbers(2_000)));
    let result = overlay(&stored, &incoming, None);
    assert_eq!(digest(&result), digest(&incoming));
    let folds = format!("BEGIN:VCARD\nX{}\nEND:VCARD", "\n a".repeat(500_000));
    assert!(read(folds.as_bytes(), &ReadHint::default()).is_ok());
    let parts = contact(&format!("N:a|FN:a|X-A:{}", ";".repeat(100_000)));
    assert_eq!(parts.root.text("X-A").map(str::len), Some(100_000));
    let lists = contact(&format!("TEL{}:1", ";A=1,2,3,4".repeat(60_000)));
    assert!(lists.root.properties[0].params[0].values.len() <= line::MAX_PARAMS);
}
