use super::super::{
    Capabilities, Component, Format, Kind, ParamCapability, Property, PropertyCapability, ReadHint,
    Record, Target, Value, digest, read, write,
};
use super::{merge, overlay, same};

/// A contact of 3.0 lines, separated by `|`.
fn card(lines: &str) -> Record {
    let body = format!(
        "BEGIN:VCARD\nVERSION:3.0\n{}\nEND:VCARD",
        lines.replace('|', "\n")
    );
    read(body.as_bytes(), &ReadHint::default())
        .expect("a card")
        .record
}

/// Lines of a contact in order, as they are written.
fn lines(record: &Record) -> String {
    let body = String::from_utf8(write(record, &Target::new(Format::VCard30))).expect("UTF-8");
    let mut lines: Vec<&str> = body
        .lines()
        .filter(|line| !line.contains("VCARD") && *line != "VERSION:3.0")
        .collect();
    lines.sort_unstable();
    lines.join("|")
}

fn holds(names: &[&str]) -> Capabilities {
    Capabilities::new(names.iter().map(|name| PropertyCapability::new(*name)))
}

fn check_overlay(
    stored: &str,
    incoming: &str,
    capabilities: Option<&Capabilities>,
    expected: &str,
) {
    let (stored, incoming) = (card(stored), card(incoming));
    let result = overlay(&stored, &incoming, capabilities);
    assert_eq!(lines(&result), lines(&card(expected)));
    assert_eq!(
        digest(&result) == digest(&stored),
        same(&stored, &incoming, capabilities)
    );
}

#[test]
fn what_a_device_cannot_hold_survives() {
    let phone = holds(&["N", "TEL", "X-EPOCSECONDNAME"]);
    let stored = "N:Doe;Jo;Q|FN:Jo Doe|TEL;TYPE=HOME:1|TEL;TYPE=WORK,X-A:2|EMAIL:a@b|X-C:d;e|NICKNAME:J|UID:7";
    // Nothing edited: fewer parts of the name, no FN, its own UID.
    check_overlay(
        stored,
        "N:Doe;Jo|TEL;TYPE=HOME:1|TEL;TYPE=WORK:2|NICKNAME:J|UID:9",
        Some(&phone),
        stored,
    );
    // A number edited, one added, the nickname deleted.
    check_overlay(
        stored,
        "N:Doe;Jo|TEL;TYPE=WORK:3|TEL;TYPE=HOME:1|TEL;TYPE=CELL:4",
        Some(&phone),
        "N:Doe;Jo;Q|FN:Jo Doe|TEL;TYPE=HOME:1|TEL;TYPE=WORK,X-A:3|TEL;TYPE=CELL:4|EMAIL:a@b|X-C:d;e|UID:7",
    );
    // One deleted keeps the other.
    check_overlay(
        stored,
        "N:Doe;Jo|TEL;TYPE=WORK:2|NICKNAME:J",
        Some(&phone),
        "N:Doe;Jo;Q|FN:Jo Doe|TEL;TYPE=WORK,X-A:2|EMAIL:a@b|X-C:d;e|NICKNAME:J|UID:7",
    );
    // Only the first part of ORG is told.
    check_overlay(
        "N:A|FN:A|ORG:a;b",
        "N:A|FN:A|ORG:c",
        None,
        "N:A|FN:A|ORG:c;b",
    );
    // A property that it does not list, but sends.
    check_overlay(
        "N:A|ROLE:x|ROLE:y",
        "N:A|ROLE:z",
        Some(&phone),
        "N:A|FN:A|ROLE:z|ROLE:y",
    );
}

#[test]
fn without_capabilities_only_extensions_survive() {
    check_overlay(
        "N:A|FN:A|TEL:1|NOTE:x|X-A:1|X-B:2",
        "N:A|FN:A|X-A:3",
        None,
        "N:A|FN:A|X-A:3|X-B:2",
    );
    check_overlay(
        "N:A|FN:A|TITLE:x",
        "N:A|FN:A",
        Some(&Capabilities::default()),
        "N:A|FN:A",
    );
    check_overlay(
        "N:A|FN:A|item1.TEL:1|item1.X-ABLabel:x",
        "N:A|FN:A",
        None,
        "N:A|FN:A",
    );
}

#[test]
fn a_shown_name_follows_the_name_it_was_made_of() {
    let phone = holds(&["N", "TEL"]);
    check_overlay(
        "N:Doe;Jo;;Dr.;|FN:Dr. Jo Doe",
        "N:Roe;Jo;;Dr.;",
        Some(&phone),
        "N:Roe;Jo;;Dr.;|FN:Dr. Jo Roe",
    );
    check_overlay(
        "N:Doe;Jo|FN:The Boss",
        "N:Roe;Jo",
        Some(&phone),
        "N:Roe;Jo|FN:The Boss",
    );
    check_overlay(
        "N:Doe;Jo|FN:Doe\\, Jo",
        "N:Doe;Jo|TEL:1",
        None,
        "N:Doe;Jo|FN:Doe\\, Jo|TEL:1",
    );
}

#[test]
fn types_that_the_device_cannot_tell_survive() {
    let types = ["HOME", "CELL"].map(|name| ParamCapability {
        name: name.to_owned(),
        values: Vec::new(),
    });
    let tel = |params: Vec<ParamCapability>| {
        Capabilities::new([
            PropertyCapability::new("N"),
            PropertyCapability::new("FN"),
            PropertyCapability {
                params,
                ..PropertyCapability::new("TEL")
            },
        ])
    };
    let phone = tel(types.to_vec());
    check_overlay(
        "N:A|FN:A|TEL;TYPE=HOME,FAX:1",
        "N:A|FN:A|TEL;TYPE=CELL:1",
        Some(&phone),
        "N:A|FN:A|TEL;TYPE=FAX,CELL:1",
    );
    check_overlay(
        "N:A|FN:A|TEL;TYPE=HOME,FAX:1",
        "N:A|FN:A|TEL:2",
        Some(&phone),
        "N:A|FN:A|TEL;TYPE=FAX:2",
    );
    let silent = tel(Vec::new());
    check_overlay(
        "N:A|FN:A|TEL;TYPE=HOME,PREF:1",
        "N:A|FN:A|TEL;TYPE=HOME:2",
        Some(&silent),
        "N:A|FN:A|TEL;TYPE=HOME,PREF:2",
    );
    check_overlay(
        "N:A|FN:A|TEL;TYPE=HOME:1",
        "N:A|FN:A|TEL;TYPE=WORK:1",
        None,
        "N:A|FN:A|TEL;TYPE=WORK:1",
    );
    let labelled = "N:A|FN:A|item1.TEL;TYPE=HOME;X-SLOT=2:+46 (8) 12-3";
    check_overlay(
        labelled,
        "N:A|FN:A|TEL;TYPE=HOME,VOICE:+468123",
        None,
        &labelled.replace("HOME", "HOME,VOICE"),
    );
}

#[test]
fn what_was_cut_off_for_the_device_survives() {
    let phone = Capabilities::new([
        PropertyCapability {
            max_size: Some(6),
            ..PropertyCapability::new("N")
        },
        PropertyCapability {
            max_size: Some(5),
            ..PropertyCapability::new("NOTE")
        },
        PropertyCapability {
            max_occur: Some(2),
            ..PropertyCapability::new("TEL")
        },
        PropertyCapability {
            max_size: Some(3),
            no_truncate: true,
            ..PropertyCapability::new("TITLE")
        },
        PropertyCapability {
            max_size: Some(2),
            ..PropertyCapability::new("PHOTO")
        },
    ]);
    let stored =
        "N:Longname;Jo|FN:x|NOTE:1234567|TEL:1|TEL:2|TEL:3|TITLE:1234|PHOTO;ENCODING=b:AQID";
    let target = Target {
        capabilities: Some(&phone),
        ..Target::new(Format::VCard21)
    };
    let sent = write(&card(stored), &target);
    let shown = read(&sent, &ReadHint::default()).expect("a card").record;
    assert_eq!(
        lines(&shown),
        "FN:Jo Longna|N:Longna;Jo;;;|NOTE:12345|TEL:1|TEL:2"
    );
    assert!(same(&card(stored), &shown, Some(&phone)));
    check_overlay(
        stored,
        "N:Longna;Jim|NOTE:12345|TEL:2|TEL:4",
        Some(&phone),
        &stored.replace("Jo", "Jim").replace("TEL:1", "TEL:4"),
    );
    check_overlay(
        stored,
        "N:Longna;Jo|NOTE:new|TEL:1",
        Some(&phone),
        &stored.replace("1234567", "new").replace("TEL:2|", ""),
    );
    // Counted in characters by the device.
    check_overlay(
        "N:ÅÄÖÅÄÖÅÄÖ|FN:x",
        "N:ÅÄÖÅÄÖ",
        Some(&phone),
        "N:ÅÄÖÅÄÖÅÄÖ|FN:x",
    );
}

fn note(summary: Option<&str>, body: &str) -> Record {
    let mut record = Record::note(body);
    record
        .root
        .properties
        .extend(summary.map(|summary| Property::text("SUMMARY", summary)));
    record
}

#[test]
fn notes_keep_summary_and_text_apart() {
    let check = |stored: (Option<&str>, &str),
                 incoming: (Option<&str>, &str),
                 expected: (Option<&str>, &str)| {
        let result = overlay(
            &note(stored.0, stored.1),
            &note(incoming.0, incoming.1),
            None,
        );
        assert_eq!(
            (result.root.text("SUMMARY"), result.root.text("BODY")),
            (expected.0, Some(expected.1))
        );
    };
    // A device with plain text.
    check((Some("S"), "a\nb"), (None, "S\na\nc"), (Some("S"), "a\nc"));
    check((Some("S"), "a\nb"), (None, "T\na\nb"), (Some("T"), "a\nb"));
    check((Some("S"), "a\nb"), (None, "new"), (None, "new"));
    // A device whose SUMMARY we made of the text.
    check((None, "a\nb"), (Some("a"), "c\nb"), (None, "c\nb"));
    check((None, "a\nb"), (Some("own"), "a\nb"), (Some("own"), "a\nb"));
    let phone = holds(&["BODY"]);
    let result = overlay(&note(Some("S"), "a"), &note(None, "b"), Some(&phone));
    assert_eq!(
        (result.root.text("SUMMARY"), result.root.text("BODY")),
        (Some("S"), Some("b"))
    );
}

/// A calendar of one event from lines `NAME;PARAM=value:text`.
fn event(lines: &[&str], alarms: &[&str], exceptions: &[&str]) -> Record {
    let property = |line: &str| {
        let (head, value) = line.split_once(':').expect("a colon");
        let mut segments = head.split(';');
        let mut property = Property::text(segments.next().unwrap_or_default(), value);
        for (name, value) in segments.filter_map(|segment| segment.split_once('=')) {
            property.add_param(name, [value.into()]);
        }
        property
    };
    let mut root = Component::new("VCALENDAR");
    let mut master = Component::new("VEVENT");
    master.properties = lines.iter().map(|line| property(line)).collect();
    for trigger in alarms {
        let mut alarm = Component::new("VALARM");
        alarm.properties.push(Property::text("TRIGGER", *trigger));
        master.children.push(alarm);
    }
    root.children.push(master);
    for exception in exceptions {
        let mut component = Component::new("VEVENT");
        component.properties = vec![property(exception), Property::text("SUMMARY", "exception")];
        root.children.push(component);
    }
    Record {
        kind: Kind::Event,
        root,
    }
}

#[test]
fn times_keep_their_zone_and_series_their_exceptions() {
    let start = "DTSTART;TZID=Europe/Stockholm:20070601T100000";
    let id = "RECURRENCE-ID;TZID=Europe/Stockholm:20070602T100000";
    let rule = "RRULE:FREQ=DAILY;COUNT=3";
    let stored = event(&[start, rule, "SUMMARY:a"], &["-PT5M"], &[id]);
    let unedited = event(
        &[
            "DTSTART:20070601T080000Z",
            "RRULE:COUNT=3;FREQ=DAILY;INTERVAL=1",
            "SUMMARY:a",
        ],
        &["-PT5M"],
        &[],
    );
    assert_eq!(overlay(&stored, &unedited, None), stored);
    assert!(same(&stored, &unedited, None));

    let excluded = event(
        &[
            "DTSTART:20070601T080000Z",
            rule,
            "SUMMARY:b",
            "EXDATE:20070602T080000Z",
        ],
        &[],
        &[],
    );
    let expected = event(
        &[start, rule, "SUMMARY:b", "EXDATE:20070602T080000Z"],
        &[],
        &[],
    );
    assert_eq!(overlay(&stored, &excluded, None), expected);

    let moved = event(
        &["DTSTART:20070601T090000Z", rule, "SUMMARY:a"],
        &["-PT5M"],
        &[],
    );
    assert_eq!(overlay(&stored, &moved, None), moved);

    let phone = holds(&["DTSTART", "SUMMARY"]);
    let edited = event(&["DTSTART:20070601T080000Z", "SUMMARY:c"], &[], &[]);
    let kept = overlay(&stored, &edited, Some(&phone));
    assert_eq!(
        kept.root.children[0].children,
        stored.root.children[0].children
    );
    assert_eq!(
        kept.root.children[0].text("RRULE"),
        Some("FREQ=DAILY;COUNT=3")
    );
}

fn check_merge(base: Option<&str>, server: &str, client: &str, expected: &str) {
    let (server, client) = (card(server), card(client));
    let merged = merge(base.map(card).as_ref(), &server, &client, None);
    assert_eq!(lines(&merged.record), lines(&card(expected)));
    assert_eq!(
        merged.differs_from_server,
        digest(&merged.record) != digest(&server)
    );
    assert_eq!(
        merged.differs_from_client,
        digest(&merged.record) != digest(&client)
    );
}

#[test]
fn edits_of_different_fields_are_both_kept() {
    let base =
        Some("N:A;B|FN:B A|TEL;TYPE=HOME:1|TEL;TYPE=WORK:2|NOTE:n|CATEGORIES:x,y|ADR:;;s;t;;;");
    check_merge(
        base,
        "N:A;B|FN:B A|TEL;TYPE=HOME:3|TEL;TYPE=WORK:2|NOTE:n|CATEGORIES:x,y,z|ADR:;;s;u;;;|TITLE:t",
        "N:A;B|FN:B A|TEL;TYPE=HOME:1|TEL;TYPE=WORK:4|CATEGORIES:y|ADR:;;r;t;;;|EMAIL:a@b",
        "N:A;B|FN:B A|TEL;TYPE=HOME:3|TEL;TYPE=WORK:4|CATEGORIES:y,z|ADR:;;r;u;;;|TITLE:t|EMAIL:a@b",
    );
    // The same field: the client's. Edited against deleted: the edit. Added on both sides: once.
    check_merge(
        base,
        "N:A;B|FN:B A|NOTE:s|TEL:9",
        "N:A;B|FN:B A|NOTE:c|TEL:9",
        "N:A;B|FN:B A|NOTE:c|TEL:9",
    );
    check_merge(
        Some("N:A|FN:A|NOTE:n"),
        "N:A|FN:A",
        "N:A|FN:A|NOTE:c",
        "N:A|FN:A|NOTE:c",
    );
    check_merge(
        Some("N:A|FN:A|NOTE:n"),
        "N:A|FN:A|NOTE:s",
        "N:A|FN:A",
        "N:A|FN:A|NOTE:s",
    );
    check_merge(
        Some("N:A|FN:A"),
        "N:A|FN:A|NOTE:s|URL:u",
        "N:A|FN:A|NOTE:c|URL:u",
        "N:A|FN:A|NOTE:c|URL:u",
    );
    check_merge(
        Some("N:A|FN:A|NOTE:n"),
        "N:A|FN:A|NOTE:n",
        "N:A|FN:A|NOTE:n",
        "N:A|FN:A|NOTE:n",
    );
}

#[test]
fn items_that_have_never_met_are_united() {
    check_merge(
        None,
        "N:Doe;Jo;Q|FN:Jo Doe|TEL;TYPE=HOME:1|TEL:2|TITLE:s|NOTE:n|CATEGORIES:x,y",
        "N:Doe;Jo|FN:Jo Doe|TEL;TYPE=CELL:+2|TEL;TYPE=WORK:2|TITLE:c|EMAIL:a@b|CATEGORIES:y,z",
        "N:Doe;Jo;Q|FN:Jo Doe|TEL;TYPE=HOME:1|TEL;TYPE=WORK:2|TEL;TYPE=CELL:+2|TITLE:c|NOTE:n|EMAIL:a@b|CATEGORIES:x,y,z",
    );
}

#[test]
fn one_edit_of_a_time_is_taken_whole() {
    let base = event(
        &[
            "DTSTART:20070601T080000Z",
            "DTEND:20070601T090000Z",
            "SUMMARY:a",
        ],
        &["-PT5M"],
        &[],
    );
    let server = event(
        &[
            "DTSTART:20070601T080000Z",
            "DTEND:20070601T093000Z",
            "SUMMARY:s",
        ],
        &["-PT5M"],
        &[],
    );
    let client = event(
        &[
            "DTSTART:20070601T120000Z",
            "DTEND:20070601T130000Z",
            "SUMMARY:a",
        ],
        &["-PT9M"],
        &[],
    );
    let merged = merge(Some(&base), &server, &client, None);
    let expected = event(
        &[
            "DTSTART:20070601T120000Z",
            "DTEND:20070601T130000Z",
            "SUMMARY:s",
        ],
        &["-PT9M"],
        &[],
    );
    assert_eq!(digest(&merged.record), digest(&expected));
    assert!(merged.differs_from_client && merged.differs_from_server);
}

fn contact() -> impl proptest::strategy::Strategy<Value = Record> {
    use proptest::collection::vec;
    use proptest::sample::{select, subsequence};
    use proptest::strategy::Strategy as _;
    let name = select(vec!["TEL", "EMAIL", "NOTE", "TITLE", "X-OTHER", "URL"]);
    let types = subsequence(vec!["HOME", "WORK", "CELL", "X-OWN"], 0..3);
    let property = (name, types, "[a-c]{1,3}( [a-c]{4,12})?").prop_map(|(name, types, text)| {
        let mut property = Property::text(name, text);
        property.add_param("TYPE", types.into_iter().map(Into::into));
        property
    });
    (vec(property, 0..9), "[A-C]{1,9}").prop_map(|(mut properties, family)| {
        properties.insert(0, Property::text("FN", format!("Jo {family}")));
        properties.insert(
            0,
            Property::new("N", Value::structure([family.as_str(), "Jo", "Q"])),
        );
        Record {
            kind: Kind::Contact,
            root: Component {
                name: "VCARD".into(),
                properties,
                children: Vec::new(),
            },
        }
    })
}

fn phone() -> impl proptest::strategy::Strategy<Value = Capabilities> {
    use proptest::sample::subsequence;
    use proptest::strategy::Strategy as _;
    let names = subsequence(
        vec!["FN", "TEL", "EMAIL", "NOTE", "TITLE", "URL", "X-OTHER"],
        0..7,
    );
    (
        names,
        proptest::option::of(2..8_u32),
        proptest::option::of(1..3_u32),
        proptest::bool::ANY,
    )
        .prop_map(|(names, max_size, max_occur, no_truncate)| {
            let limited = names.into_iter().map(|name| PropertyCapability {
                max_size: max_size.filter(|_| name != "FN"),
                max_occur: max_occur.filter(|_| name != "FN"),
                no_truncate,
                ..PropertyCapability::new(name)
            });
            Capabilities::new(limited.chain([PropertyCapability::new("N")]))
        })
}

proptest::proptest! {
    #[test]
    fn sending_an_item_and_getting_it_back_changes_nothing(stored in contact(), phone in phone()) {
        for format in [Format::VCard21, Format::VCard30] {
            let target = Target { capabilities: Some(&phone), ..Target::new(format) };
            let shown = read(&write(&stored, &target), &ReadHint::default()).expect("a card").record;
            let result = overlay(&stored, &shown, Some(&phone));
            proptest::prop_assert_eq!(digest(&result), digest(&stored), "{:#?}", result);
            proptest::prop_assert!(same(&stored, &shown, Some(&phone)));
        }
    }

    #[test]
    fn no_edit_loses_what_the_device_cannot_hold(stored in contact(), edited in contact(), phone in phone()) {
        let target = Target { capabilities: Some(&phone), ..Target::new(Format::VCard21) };
        let incoming = read(&write(&edited, &target), &ReadHint::default()).expect("a card").record;
        let result = overlay(&stored, &incoming, Some(&phone));
        for property in &stored.root.properties {
            if !phone.holds(&property.name) && property.name != "FN" {
                proptest::prop_assert!(result.root.properties.contains(property), "{:?} in {:#?}", property, result);
            }
        }
        // And what it holds is as it says, seen through its own eyes.
        let shown = read(&write(&result, &target), &ReadHint::default()).expect("a card").record;
        for property in &incoming.root.properties {
            let there = shown.root.all(&property.name).count();
            proptest::prop_assert!(there >= incoming.root.all(&property.name).count().min(1));
        }
    }

    #[test]
    fn merging_with_an_untouched_side_is_the_other_side(base in contact(), edited in contact()) {
        let merged = merge(Some(&base), &edited, &base, None);
        proptest::prop_assert_eq!(digest(&merged.record), digest(&edited));
        proptest::prop_assert!(!merged.differs_from_server);
        let merged = merge(Some(&base), &base, &base, None);
        proptest::prop_assert!(!merged.differs_from_server && !merged.differs_from_client);
    }
}
