//! What is an edit and what is another spelling: phones that answer what they were sent.

use super::*;

/// A phone's edit through the overlay, as a session applies it.
fn edit(
    stored: &Record,
    held: Option<&Capabilities>,
    utc: bool,
    change: impl Fn(String) -> String,
) -> Record {
    let sent = String::from_utf8(content::write(stored, &target(utc, held))).expect("UTF-8");
    let mut back = content::read(change(sent).as_bytes(), &berlin())
        .expect("a calendar")
        .record;
    settle(&stored.root, &mut back.root);
    content::overlay(stored, &back, held)
}

#[test]
fn a_utc_only_phone_that_edits_the_title_changes_the_title() {
    let stored = raise(EVOLUTION, &ReadHint::default());
    let sent = content::write(&stored, &target(true, None));
    let edited = String::from_utf8(sent)
        .expect("UTF-8")
        .replace("Team, weekly", "Team, monthly");
    let mut back = content::read(edited.as_bytes(), &berlin())
        .expect("a calendar")
        .record;
    settle(&stored.root, &mut back.root);
    let (before, after) = (lines(&stored), lines(&back));
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let added: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    // What the form cannot hold, and the parameters of the attendee, are the overlay's part.
    assert_eq!(
        gone,
        [
            "METHOD:PUBLISH",
            "DTSTAMP:20260601T120000Z",
            "SUMMARY:Team\\, weekly\\; room 5",
            "ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Jo:mailto:jo@example.com",
            "DTSTAMP:20260601T120000Z",
            "BEGIN:X-UNKNOWN",
            "X-THING:1\\,2",
            "END:X-UNKNOWN",
        ]
    );
    assert_eq!(
        added,
        [
            "SUMMARY:Team\\, monthly\\; room 5",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Jo:mailto:jo@example.com"
        ]
    );
    assert_eq!(back.root.children[0].name, "VTIMEZONE");
}

#[test]
fn a_phone_that_moves_an_event_moves_it() {
    let stored = raise(EVOLUTION, &ReadHint::default());
    let sent = String::from_utf8(content::write(&stored, &target(true, None))).expect("UTF-8");
    let edited = sent
        .replace("DTSTART:20260701T070000Z", "DTSTART:20260701T083000Z")
        .replace("DTEND:20260701T080000Z", "DTEND:20260701T100000Z")
        .replace("W1 WE 2026", "W2 WE 2026");
    let mut back = content::read(edited.as_bytes(), &berlin())
        .expect("a calendar")
        .record;
    settle(&stored.root, &mut back.root);
    let event = back
        .root
        .children
        .iter()
        .find(|child| child.name == "VEVENT")
        .expect("an event");
    let zones = Zones::of(&back.root);
    let at = |name| {
        stamp::instant(event.property(name).expect("a time"), &zones)
            .expect("a moment")
            .to_string()
    };
    assert_eq!(
        (at("DTSTART").as_str(), at("DTEND").as_str()),
        ("20260701T083000Z", "20260701T100000Z")
    );
    assert_eq!(
        event.text("RRULE"),
        Some("FREQ=WEEKLY;INTERVAL=2;UNTIL=20261231T080000Z;BYDAY=WE")
    );
}

#[test]
fn exceptions_survive_a_phone_that_has_none() {
    let stored = raise(EVOLUTION, &ReadHint::default());
    let held = capabilities(&["SUMMARY", "DTSTART", "DTEND", "RRULE", "EXDATE"]);
    for (excluded, expected) in [("", 2), (";20260715T070000Z", 1)] {
        let back = edit(&stored, Some(&held), true, |text| {
            text.replace("20261104T080000Z", &format!("20261104T080000Z{excluded}"))
        });
        let events: Vec<_> = back
            .root
            .children
            .iter()
            .filter(|child| child.name == "VEVENT")
            .collect();
        assert_eq!(events.len(), expected, "{excluded}");
        assert_eq!(
            back.root
                .children
                .iter()
                .filter(|child| child.name == "VTIMEZONE")
                .count(),
            1
        );
        if expected == 2 {
            assert_eq!(events[1], &stored.root.children[2]);
        }
    }
}

#[test]
fn another_spelling_is_no_edit_and_another_instant_is_one() {
    let event = |lines: &[&str]| {
        let mut all = vec!["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:a"];
        all.extend_from_slice(lines);
        all.extend_from_slice(&["END:VEVENT", "END:VCALENDAR"]);
        raise(&all, &ReadHint::default())
    };
    let berlin = "DTSTART;TZID=Europe/Berlin:20260701T090000";
    for (stored, edit, same) in [
        (vec![berlin], vec!["DTSTART:20260701T070000Z"], true),
        (
            vec![berlin],
            vec!["DTSTART;TZID=W. Europe Standard Time:20260701T0900"],
            true,
        ),
        (
            vec![berlin],
            vec!["DTSTART;TZID=America/New_York:20260701T030000"],
            true,
        ),
        (vec![berlin], vec!["DTSTART:20260701T080000Z"], false),
        (
            vec!["DTSTART;TZID=Nowhere:20260701T070000"],
            vec!["DTSTART:20260701T070000Z"],
            false,
        ),
        (
            vec!["DTSTART;VALUE=DATE:20260701"],
            vec!["DTSTART:20260701T000000Z"],
            false,
        ),
        (
            vec![berlin, "DURATION:PT1H"],
            vec!["DTSTART:20260701T070000Z", "DTEND:20260701T080000Z"],
            true,
        ),
        (
            vec![berlin, "DURATION:PT1H"],
            vec!["DTSTART:20260701T070000Z", "DTEND:20260701T090000Z"],
            false,
        ),
        // Nominal days: the night of the change is an hour shorter.
        (
            vec!["DTSTART;TZID=Europe/Berlin:20260328T090000", "DURATION:P1D"],
            vec!["DTSTART:20260328T080000Z", "DTEND:20260329T070000Z"],
            true,
        ),
        (
            vec!["DTSTART;VALUE=DATE:20260701"],
            vec!["DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260702"],
            true,
        ),
        (
            vec!["DTSTART;VALUE=DATE:20260701"],
            vec!["DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260703"],
            false,
        ),
        (
            vec![
                berlin,
                "RRULE:FREQ=DAILY;COUNT=9",
                "EXDATE;TZID=Europe/Berlin:20260702T090000",
                "EXDATE;TZID=Europe/Berlin:20260703T090000",
            ],
            vec![
                berlin,
                "RRULE:UNTIL=20260709T220000Z;FREQ=DAILY",
                "EXDATE:20260703T070000Z,20260702T070000Z",
            ],
            true,
        ),
        (
            vec![berlin, "RRULE:FREQ=DAILY;COUNT=9"],
            vec![berlin, "RRULE:FREQ=DAILY;COUNT=8"],
            false,
        ),
        (
            vec![berlin, "EXDATE:20260703T070000Z"],
            vec![berlin, "EXDATE:20260703T070000Z,20260702T070000Z"],
            false,
        ),
    ] {
        let (stored, mut edit) = (event(&stored), event(&edit));
        let came = edit.clone();
        settle(&stored.root, &mut edit.root);
        let (stored, edit) = (&stored.root.children[0], &edit.root.children[0]);
        assert_eq!(stored == edit, same, "{stored:?} {edit:?}");
        if !same {
            assert_ne!(came.root.children[0], *stored);
        }
    }
}

#[test]
fn an_edit_of_a_phone_keeps_what_its_form_cannot_express() {
    let stored = raise(
        &[
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "UID:a",
            "DTSTART;TZID=Europe/Berlin:20260701T090000",
            "DURATION:PT1H",
            "SUMMARY:Pay",
            "STATUS:CANCELLED",
            "RRULE:FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
            "COLOR:red",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT15M",
            "DESCRIPTION:Pay now",
            "X-WR-ALARMUID:1",
            "END:VALARM",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "UID:a",
            "RECURRENCE-ID;TZID=Europe/Berlin:20260803T090000",
            "DTSTART;TZID=Europe/Berlin:20260803T110000",
            "SUMMARY:Pay late",
            "END:VEVENT",
            "END:VCALENDAR",
        ],
        &ReadHint::default(),
    );
    let expected: Vec<String> = lines(&stored)
        .into_iter()
        .map(|line| {
            if line == "SUMMARY:Pay" {
                "SUMMARY:Pay me".to_owned()
            } else {
                line
            }
        })
        .collect();
    let held = capabilities(&[
        "DTSTART", "DTEND", "SUMMARY", "STATUS", "RRULE", "EXDATE", "AALARM",
    ]);
    for utc in [true, false] {
        for held in [None, Some(&held)] {
            let same = |text: String| text;
            assert_eq!(
                content::digest(&edit(&stored, held, utc, same)),
                content::digest(&stored)
            );
            let edited = edit(&stored, held, utc, |text| {
                text.replace("SUMMARY:Pay\r\n", "SUMMARY:Pay me\r\n")
            });
            let mut found = lines(&edited);
            let mut expected = expected.clone();
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "utc {utc}, {}", held.is_some());
        }
    }
    // What it can express it can take away.
    let silent = edit(&stored, Some(&held), true, |text| {
        text.split("\r\n")
            .filter(|line| !line.starts_with("AALARM"))
            .collect::<Vec<_>>()
            .join("\r\n")
    });
    assert!(!lines(&silent).contains(&"BEGIN:VALARM".to_owned()));
}
