use chrono_tz::Tz;

use super::*;
use crate::content::{self, Capabilities, Floating, PropertyCapability};

mod all_day;
mod edits;
mod hostile;
mod phones;
mod roundtrip;

/// Joins lines as they travel.
fn body(lines: &[&str]) -> Vec<u8> {
    let mut body = lines.join("\r\n").into_bytes();
    body.extend_from_slice(b"\r\n");
    body
}

fn berlin() -> ReadHint<'static> {
    ReadHint {
        time_zone: Tz::Europe__Berlin,
        floating: Floating::Local,
        ..ReadHint::default()
    }
}

fn raise(lines: &[&str], hint: &ReadHint<'_>) -> Record {
    content::read(&body(lines), hint)
        .expect("a calendar")
        .record
}

/// The lines of the properties of the item's components, in the modern form and order; VTIMEZONEs left out.
fn lines(record: &Record) -> Vec<String> {
    let mut out = Vec::new();
    for line in text(&content::write(record, &Target::new(Format::ICalendar20))) {
        out.push(line);
    }
    let inside = |names: &[&str]| {
        let mut skip = false;
        let names: Vec<String> = names.iter().map(|n| (*n).to_owned()).collect();
        move |line: &String| {
            if names.iter().any(|name| *line == format!("BEGIN:{name}")) {
                skip = true;
            }
            let kept = !skip;
            if names.iter().any(|name| *line == format!("END:{name}")) {
                skip = false;
            }
            kept
        }
    };
    let mut keep = inside(&["VTIMEZONE"]);
    out.retain(|line| keep(line));
    out.retain(|line| {
        ![
            "BEGIN:VCALENDAR",
            "END:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//candybar//candybar//EN",
            "DTSTAMP:19700101T000000Z",
        ]
        .contains(&line.as_str())
    });
    out
}

/// Unfolded lines.
fn text(body: &[u8]) -> Vec<String> {
    let text = String::from_utf8(body.to_vec()).expect("UTF-8");
    text.replace("=\r\n", "")
        .replace("\r\n ", "")
        .split_terminator("\r\n")
        .map(str::to_owned)
        .collect()
}

fn legacy(record: &Record, target: &Target<'_>) -> Vec<String> {
    text(&content::write(record, target))
        .into_iter()
        .filter(|line| {
            !matches!(
                line.as_str(),
                "BEGIN:VCALENDAR" | "END:VCALENDAR" | "VERSION:1.0"
            )
        })
        .collect()
}

fn target(utc: bool, capabilities: Option<&Capabilities>) -> Target<'_> {
    Target {
        capabilities,
        utc,
        time_zone: Tz::Europe__Berlin,
        ..Target::new(Format::VCalendar10)
    }
}

fn capabilities(names: &[&str]) -> Capabilities {
    Capabilities::new(names.iter().map(|name| PropertyCapability::new(*name)))
}

/// What vCalendar 1.0 cannot express of a record's items.
fn inexpressible(record: &Record) -> Vec<String> {
    let zones = Zones::of(&record.root);
    let items = record.root.children.iter().filter(|child| is_item(child));
    items
        .flat_map(|item| vcalendar::inexpressible(item, &zones))
        .collect()
}

const EVOLUTION: &[&str] = &[
    "BEGIN:VCALENDAR",
    "PRODID:-//Ximian//NONSGML Evolution Calendar//EN",
    "VERSION:2.0",
    "METHOD:PUBLISH",
    "BEGIN:VTIMEZONE",
    "TZID:/freeassociation.sourceforge.net/Europe/Berlin",
    "X-LIC-LOCATION:Europe/Berlin",
    "BEGIN:STANDARD",
    "TZNAME:CET",
    "DTSTART:19701025T030000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10",
    "TZOFFSETFROM:+0200",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "BEGIN:DAYLIGHT",
    "TZNAME:CEST",
    "DTSTART:19700329T020000",
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0200",
    "END:DAYLIGHT",
    "END:VTIMEZONE",
    "BEGIN:VEVENT",
    "UID:20260701T000000Z-1@evolution",
    "DTSTAMP:20260601T120000Z",
    "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T090000",
    "DTEND;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260701T100000",
    "SUMMARY:Team\\, weekly\\; room 5",
    "DESCRIPTION:first\\nsecond \\\\ third",
    "CATEGORIES:Work,a\\,b",
    "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20261231T080000Z",
    "EXDATE;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260708T090000,20261104T090000",
    "ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Jo:mailto:jo@example.com",
    "GEO:48.85;2.35",
    "X-EVOLUTION-CALDAV-ETAG:a\\,b,c;d",
    "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:48.85,2.35",
    "REQUEST-STATUS:2.0;Success",
    "BEGIN:VALARM",
    "X-EVOLUTION-ALARM-UID:1",
    "ACTION:DISPLAY",
    "TRIGGER;VALUE=DURATION;RELATED=START:-PT15M",
    "DESCRIPTION:Team",
    "END:VALARM",
    "END:VEVENT",
    "BEGIN:VEVENT",
    "UID:20260701T000000Z-1@evolution",
    "DTSTAMP:20260601T120000Z",
    "RECURRENCE-ID;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260715T090000",
    "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260715T110000",
    "DURATION:PT30M",
    "SUMMARY:Team\\, late",
    "END:VEVENT",
    "BEGIN:X-UNKNOWN",
    "X-THING:1\\,2",
    "END:X-UNKNOWN",
    "END:VCALENDAR",
];

#[test]
fn icalendar_comes_back_line_for_line() {
    let record = raise(EVOLUTION, &ReadHint::default());
    assert_eq!(record.kind, Kind::Event);
    let written = text(&content::write(&record, &Target::new(Format::ICalendar20)));
    let without = |lines: &[String]| -> Vec<String> {
        let mut lines: Vec<String> = lines
            .iter()
            .filter(|line| !line.starts_with("PRODID"))
            .cloned()
            .collect();
        lines.sort();
        lines
    };
    let expected: Vec<String> = EVOLUTION.iter().map(|line| (*line).to_owned()).collect();
    assert_eq!(without(&written), without(&expected));
    assert_eq!(
        record.root.children[1].text("SUMMARY"),
        Some("Team, weekly; room 5")
    );
    assert_eq!(
        record.root.children[1].text("DESCRIPTION"),
        Some("first\nsecond \\ third")
    );
    assert_eq!(
        record.root.children[1]
            .property("CATEGORIES")
            .map(|p| p.value.texts().collect::<Vec<_>>()),
        Some(vec!["Work", "a,b"])
    );
}

#[test]
fn evolution_for_a_phone_that_takes_utc() {
    let record = raise(EVOLUTION, &ReadHint::default());
    assert_eq!(
        legacy(&record, &target(true, None)),
        [
            "TZ:+01",
            "DAYLIGHT:TRUE;+02;20260329T020000;20261025T030000;;",
            "BEGIN:VEVENT",
            "UID:20260701T000000Z-1@evolution",
            "DTSTART:20260701T070000Z",
            "DTEND:20260701T080000Z",
            "SUMMARY:Team, weekly; room 5",
            "DESCRIPTION;ENCODING=QUOTED-PRINTABLE:first=0D=0Asecond \\\\ third",
            "CATEGORIES:Work;a,b",
            "RRULE:W1 WE 20261231T080000Z",
            "EXDATE:20260708T070000Z;20261104T080000Z",
            "ATTENDEE;STATUS=NEEDS ACTION;RSVP=YES:Jo <jo@example.com>",
            "GEO:2.35,48.85",
            "X-EVOLUTION-CALDAV-ETAG:a\\,b,c;d",
            "X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:48.85,2.35",
            "DALARM:20260701T064500Z;;;Team",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "UID:20260701T000000Z-1@evolution",
            "X-RECURRENCE-ID:20260715T070000Z",
            "DTSTART:20260715T090000Z",
            "DTEND:20260715T093000Z",
            "SUMMARY:Team, late",
            "END:VEVENT",
        ]
        .map(|line| if line.starts_with("ATTENDEE") {
            "ATTENDEE;STATUS=\"NEEDS ACTION\";RSVP=YES:Jo <jo@example.com>"
        } else {
            line
        })
    );
    assert_eq!(inexpressible(&record), ["REQUEST-STATUS"]);
}

#[test]
fn evolution_for_a_phone_with_local_times_and_no_exceptions() {
    let record = raise(EVOLUTION, &ReadHint::default());
    let held = capabilities(&[
        "SUMMARY", "DTSTART", "DTEND", "RRULE", "AALARM", "EXDATE", "DCREATED",
    ]);
    assert_eq!(
        legacy(&record, &target(false, Some(&held))),
        [
            "BEGIN:VEVENT",
            "DTSTART:20260701T090000",
            "DTEND:20260701T100000",
            "SUMMARY:Team, weekly; room 5",
            "RRULE:W1 WE 20261231T090000",
            "EXDATE:20260708T090000;20261104T090000",
            "AALARM:20260701T084500",
            "END:VEVENT",
        ]
    );
}

#[test]
fn one_appointment_has_one_match_key() {
    let modern = raise(EVOLUTION, &ReadHint::default());
    let key = match_key_text(&modern);
    assert_eq!(key, "teamweeklyroom5|20260701T070000Z");
    let phone = |start: &str, hint: &ReadHint<'_>| {
        let record = raise(
            &[
                "BEGIN:VCALENDAR",
                "VERSION:1.0",
                "BEGIN:VEVENT",
                "SUMMARY:TEAM weekly, Room 5",
                start,
                "END:VEVENT",
                "END:VCALENDAR",
            ],
            hint,
        );
        match_key_text(&record)
    };
    assert_eq!(phone("DTSTART:20260701T070000Z", &ReadHint::default()), key);
    assert_eq!(phone("DTSTART:20260701T090000", &berlin()), key);
    assert_ne!(phone("DTSTART:20260701T090000", &ReadHint::default()), key);
    assert_eq!(
        match_key_text(&Record {
            kind: Kind::Event,
            root: Component::new("VCALENDAR")
        }),
        ""
    );
}

#[test]
fn kinds_and_what_is_no_calendar() {
    let read = |name: &str, kind: Option<Kind>| {
        let hint = ReadHint {
            kind,
            ..ReadHint::default()
        };
        let (begin, end) = (format!("BEGIN:{name}"), format!("END:{name}"));
        content::read(
            &body(&[
                "BEGIN:VCALENDAR",
                "VERSION:2.0",
                &begin,
                "SUMMARY:a",
                "DESCRIPTION:b",
                &end,
                "END:VCALENDAR",
            ]),
            &hint,
        )
    };
    assert_eq!(read("VTODO", None).expect("a task").record.kind, Kind::Task);
    assert_eq!(read("VFREEBUSY", None), Err(ContentError::Unsupported));
    let journal = read("VJOURNAL", None).expect("a note").record;
    assert_eq!(
        (
            journal.kind,
            journal.root.name.as_str(),
            journal.root.text("BODY")
        ),
        (Kind::Note, "VNOTE", Some("b"))
    );
    let mut out = line::Writer::new(Format::ICalendar20.form());
    write(&journal, &Target::new(Format::ICalendar20), &mut out);
    let written = text(&out.finish());
    assert!(
        written.contains(&"BEGIN:VJOURNAL".to_owned())
            && written.contains(&"DESCRIPTION:b".to_owned()),
        "{written:?}"
    );
    assert_eq!(
        content::read(
            &body(&["BEGIN:VCALENDAR", "VERSION:2.0", "END:VCALENDAR"]),
            &ReadHint::default()
        ),
        Err(ContentError::NotThisType)
    );
}

#[test]
fn a_zone_of_the_hint_gets_its_vtimezone() {
    let record = raise(
        &[
            "BEGIN:VCALENDAR",
            "VERSION:1.0",
            "BEGIN:VEVENT",
            "SUMMARY:a",
            "DTSTART:20260701T090000",
            "END:VEVENT",
            "END:VCALENDAR",
        ],
        &berlin(),
    );
    let written = text(&content::write(&record, &Target::new(Format::ICalendar20)));
    for line in [
        "DTSTART;TZID=Europe/Berlin:20260701T090000",
        "TZID:Europe/Berlin",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "DTSTART:20250330T020000",
        "TZNAME:CEST",
        "DTSTART:20251026T030000",
    ] {
        assert!(
            written.iter().any(|other| other == line),
            "{line} in {written:?}"
        );
    }
    let floating = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "SUMMARY:a",
        "DTSTART:20260701T090000",
        "EXDATE:20260702T090000,20260703T090000",
        "END:VEVENT",
        "END:VCALENDAR",
    ];
    let utc = ReadHint {
        floating: Floating::Utc,
        ..berlin()
    };
    assert_eq!(
        lines(&raise(&floating, &utc))[2..4],
        [
            "DTSTART:20260701T090000Z",
            "EXDATE:20260702T090000Z,20260703T090000Z"
        ]
    );
    assert_eq!(
        lines(&raise(&floating, &berlin()))[2],
        "DTSTART;TZID=Europe/Berlin:20260701T090000"
    );
    assert_eq!(
        lines(&raise(&floating, &ReadHint::default()))[2],
        "DTSTART:20260701T090000"
    );
}
