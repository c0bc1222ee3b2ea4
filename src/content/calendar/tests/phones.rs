//! vCalendar 1.0 as phones write it.

use super::*;

/// Reads one event of a phone, and answers its lines in the modern form without BEGIN and END.
pub(super) fn event(properties: &[&str], hint: &ReadHint<'_>) -> Vec<String> {
    item("VEVENT", &[], properties, hint)
}

pub(super) fn item(
    name: &str,
    head: &[&str],
    properties: &[&str],
    hint: &ReadHint<'_>,
) -> Vec<String> {
    let mut all = lines(&record(name, head, properties, hint));
    assert_eq!(all.remove(0), format!("BEGIN:{name}"));
    assert_eq!(all.pop(), Some(format!("END:{name}")));
    all
}

pub(super) fn record(
    name: &str,
    head: &[&str],
    properties: &[&str],
    hint: &ReadHint<'_>,
) -> Record {
    let (begin, end) = (format!("BEGIN:{name}"), format!("END:{name}"));
    let mut all = vec!["BEGIN:VCALENDAR", "VERSION:1.0"];
    all.extend_from_slice(head);
    all.push(&begin);
    all.extend_from_slice(properties);
    all.extend_from_slice(&[&end, "END:VCALENDAR"]);
    raise(&all, hint)
}

#[test]
fn a_series_40_appointment() {
    let phone = [
        "DTSTART:20070601T090000",
        "DTEND:20070601T100000",
        "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Z=C3=BCrich",
        "AALARM:20070601T084500",
        "CATEGORIES:MEETING",
    ];
    assert_eq!(
        event(&phone, &berlin()),
        [
            "DTSTART;TZID=Europe/Berlin:20070601T090000",
            "DTEND;TZID=Europe/Berlin:20070601T100000",
            "SUMMARY:Zürich",
            "CATEGORIES:MEETING",
            "BEGIN:VALARM",
            "ACTION:AUDIO",
            "TRIGGER:-PT15M",
            "END:VALARM",
        ]
    );
    let back = legacy(
        &record("VEVENT", &[], &phone, &berlin()),
        &target(false, None),
    );
    let mut expected: Vec<&str> = vec![
        "BEGIN:VEVENT",
        phone[0],
        phone[1],
        phone[2],
        phone[4],
        phone[3],
        "END:VEVENT",
    ];
    expected[3] = "SUMMARY;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:Z=C3=BCrich";
    assert_eq!(back, expected);
}

#[test]
fn a_sony_ericsson_meeting_in_utc() {
    let phone = [
        "DTSTART:20061116T080000Z",
        "DTEND:20061116T090000Z",
        "AALARM:20061116T074500Z",
        "CATEGORIES:MEETING",
        "SUMMARY:Plan",
        "LOCATION:R;oom".split(';').next().expect("a line"),
        "RRULE:W1 TH 20061228T080000Z",
    ];
    let record = record("VEVENT", &[], &phone, &berlin());
    let lines = lines(&record);
    // It recurs, so it is bound to the wall clock.
    assert!(
        lines.contains(&"DTSTART;TZID=Europe/Berlin:20061116T090000".to_owned()),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"RRULE:FREQ=WEEKLY;UNTIL=20061228T080000Z;BYDAY=TH".to_owned()),
        "{lines:?}"
    );
    assert!(lines.contains(&"TRIGGER:-PT15M".to_owned()), "{lines:?}");
    let held = capabilities(&[
        "DTSTART",
        "DTEND",
        "AALARM",
        "CATEGORIES",
        "SUMMARY",
        "LOCATION",
        "RRULE",
    ]);
    let back = legacy(&record, &target(true, Some(&held)));
    let expected: Vec<&str> = ["BEGIN:VEVENT"]
        .into_iter()
        .chain([
            phone[0], phone[1], phone[3], phone[4], phone[5], phone[6], phone[2],
        ])
        .chain(["END:VEVENT"])
        .collect();
    assert_eq!(back, expected);
    // Alone it stays what it was.
    assert!(event(&phone[..2], &berlin()).contains(&"DTSTART:20061116T080000Z".to_owned()));
}

#[test]
fn a_recurring_event_on_the_other_side_of_midnight_keeps_its_day() {
    let lines = event(
        &[
            "DTSTART:20260706T223000Z",
            "RRULE:W1 #0",
            "EXDATE:20260713T223000Z",
        ],
        &berlin(),
    );
    assert_eq!(
        lines,
        [
            "DTSTART;TZID=Europe/Berlin:20260707T003000",
            "RRULE:FREQ=WEEKLY;BYDAY=TU",
            "EXDATE;TZID=Europe/Berlin:20260714T003000"
        ]
    );
}

#[test]
fn a_p900_with_tz_and_daylight() {
    let head = [
        "TZ:+01",
        "DAYLIGHT:TRUE;+02;20070325T010000Z;20071028T010000Z;GMT+1;GMT+2",
    ];
    let hint = ReadHint::default();
    let zoned = item(
        "VEVENT",
        &head,
        &[
            "DTSTART:20070601T070000Z",
            "DTEND:20070601T080000Z",
            "RRULE:D1 #10",
            "EXDATE:20070603T070000Z;20070604T070000Z",
        ],
        &hint,
    );
    assert_eq!(
        zoned,
        [
            "DTSTART;TZID=Europe/Berlin:20070601T090000",
            "DTEND;TZID=Europe/Berlin:20070601T100000",
            "RRULE:FREQ=DAILY;COUNT=10",
            "EXDATE;TZID=Europe/Berlin:20070603T090000,20070604T090000",
        ]
    );
    assert_eq!(
        item("VEVENT", &head, &["DTSTART:20070601T070000Z"], &hint),
        ["DTSTART:20070601T070000Z"]
    );
    assert_eq!(
        item("VEVENT", &head, &["DTSTART:20070601T090000"], &hint),
        ["DTSTART;TZID=Europe/Berlin:20070601T090000"]
    );
    // Nokia 7210c: inside the event.
    assert_eq!(
        event(&["TZ:+05:30", "DTSTART:20070601T090000"], &hint),
        ["DTSTART;TZID=Asia/Kolkata:20070601T090000"]
    );
    // A device of which it is known that its local times are UTC.
    let utc = ReadHint {
        floating: Floating::Utc,
        ..ReadHint::default()
    };
    assert_eq!(
        item("VEVENT", &head, &["DTSTART:20070601T090000"], &utc),
        ["DTSTART:20070601T090000Z"]
    );
}

#[test]
fn a_siemens_with_a_displayed_alarm_and_local_times() {
    let phone = [
        "DTSTART:20040512T140000",
        "DALARM:20040512T134500;PT5M;2;Dentist\\; again",
        "DESCRIPTION:Dentist",
        "RRULE:MD1 12 #0",
    ];
    assert_eq!(
        event(&phone, &ReadHint::default()),
        [
            "DTSTART:20040512T140000",
            "DESCRIPTION:Dentist",
            "RRULE:FREQ=MONTHLY;BYMONTHDAY=12",
            "BEGIN:VALARM",
            "ACTION:DISPLAY",
            "TRIGGER:-PT15M",
            "DURATION:PT5M",
            "REPEAT:2",
            "DESCRIPTION:Dentist\\; again",
            "END:VALARM",
        ]
    );
    let record = record("VEVENT", &[], &phone, &ReadHint::default());
    assert!(legacy(&record, &target(false, None)).contains(&phone[1].to_owned()));
    // A device that knows the one gets the one.
    for (name, line) in [
        ("AALARM", "AALARM:20040512T134500;PT5M;2;"),
        ("DALARM", phone[1]),
    ] {
        let held = capabilities(&["DTSTART", name]);
        assert_eq!(legacy(&record, &target(false, Some(&held)))[2], line);
    }
    assert_eq!(
        legacy(&record, &target(false, Some(&capabilities(&["DTSTART"])))).len(),
        3
    );
}

#[test]
fn a_motorola_event_with_both_alarms_has_one() {
    let phone = [
        "DTSTART:20060601T090000Z",
        "AALARM:20060601T085000Z;;;",
        "DALARM:20060601T085000Z;;;Call",
        "SUMMARY:Call",
        "TRANSP:1",
        "GEO:37.24,-17.85",
        "STATUS:IN PROCESS",
    ];
    assert_eq!(
        event(&phone, &ReadHint::default()),
        [
            "DTSTART:20060601T090000Z",
            "SUMMARY:Call",
            "TRANSP:TRANSPARENT",
            "GEO:-17.85;37.24",
            "STATUS:IN-PROCESS",
            "BEGIN:VALARM",
            "ACTION:AUDIO",
            "TRIGGER:-PT10M",
            "DESCRIPTION:Call",
            "END:VALARM",
        ]
    );
}

#[test]
fn attendees_keep_their_roles() {
    let phone = [
        "ATTENDEE;ROLE=ORGANIZER;STATUS=ACCEPTED:Ada <ada@example.com>",
        "ATTENDEE;ROLE=OWNER;STATUS=CONFIRMED:bob@example.com",
        "ATTENDEE;STATUS=SENT;RSVP=YES;EXPECT=REQUIRE:Cy <cy@example.com>",
        "ATTENDEE;ROLE=DELEGATE;EXPECT=IMMEDIATE:Room 5",
    ];
    let record = record("VEVENT", &[], &phone, &ReadHint::default());
    assert_eq!(
        lines(&record)[1..5],
        [
            "ORGANIZER;PARTSTAT=ACCEPTED;CN=Ada:mailto:ada@example.com",
            "ATTENDEE;ROLE=CHAIR;PARTSTAT=ACCEPTED;X-STATUS=CONFIRMED:mailto:bob@example.com",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;X-STATUS=SENT;RSVP=TRUE;ROLE=REQ-PARTICIPANT;CN=Cy:mailto:cy@example.com",
            "ATTENDEE;X-ROLE=DELEGATE;X-EXPECT=IMMEDIATE:Room 5",
        ]
    );
    assert_eq!(legacy(&record, &target(true, None))[1..5], phone);
}

#[test]
fn an_exception_date_without_its_time_is_that_day() {
    let lines = event(
        &[
            "DTSTART:20060703T090000",
            "RRULE:D1 #0",
            "EXDATE:20060704T000000;20060705;20060706T090000",
        ],
        &berlin(),
    );
    assert_eq!(
        lines[2],
        "EXDATE;TZID=Europe/Berlin:20060704T090000,20060705T090000,20060706T090000"
    );
}

#[test]
fn a_rule_without_equal_is_kept_for_the_phone_that_sent_it() {
    let phone = ["DTSTART:20060703T090000", "RRULE:D1 0600 1800 #5"];
    let parsed = content::read(
        &body(&[
            "BEGIN:VCALENDAR",
            "VERSION:1.0",
            "BEGIN:VEVENT",
            phone[0],
            phone[1],
            "END:VEVENT",
            "END:VCALENDAR",
        ]),
        &berlin(),
    )
    .expect("a calendar");
    assert_eq!(parsed.warnings.len(), 1);
    let event = &parsed.record.root.children[0];
    assert_eq!(
        (event.text("RRULE"), event.text("X-VCALENDAR-RRULE")),
        (None, Some("D1 0600 1800 #5"))
    );
    assert_eq!(legacy(&parsed.record, &target(false, None))[1..3], phone);
    // And the other way: what the phone cannot hold is named, so that its edits leave it alone.
    let monthly = raise(
        &[
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "DTSTART:20260701T090000",
            "RRULE:FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1",
            "COLOR:red",
            "END:VEVENT",
            "END:VCALENDAR",
        ],
        &berlin(),
    );
    assert_eq!(inexpressible(&monthly), ["RRULE", "COLOR"]);
    assert_eq!(
        legacy(&monthly, &target(false, None)),
        ["BEGIN:VEVENT", "DTSTART:20260701T090000", "END:VEVENT"]
    );
}

#[test]
fn hostile_values_are_left_out_or_bounded() {
    let exdates = (0..10_000)
        .map(|n| format!("2026{:02}{:02}T{:02}0000", n % 12 + 1, n % 28 + 1, n % 24))
        .collect::<Vec<_>>()
        .join(";");
    let lines = event(
        &[
            "DTSTART:20260701T090000",
            "DTEND:999990101T000000",
            "DUE:",
            "RRULE:D0 #5",
            "AALARM:99999999T999999;;;",
            "CATEGORIES:;;;",
            &format!("EXDATE:{exdates}"),
            "TZ:+99",
            "DAYLIGHT:TRUE;;;;;",
        ],
        &berlin(),
    );
    assert_eq!(
        lines.len(),
        3,
        "{:?}",
        lines
            .iter()
            .map(|line| &line[..line.len().min(50)])
            .collect::<Vec<_>>()
    );
    assert_eq!(lines[1], "X-VCALENDAR-RRULE:D0 #5");
    assert_eq!(lines[2].matches(',').count(), 9_999);
    for year in ["0001", "9999"] {
        let record = record(
            "VEVENT",
            &[],
            &[
                &format!("DTSTART:{year}0101T000000"),
                &format!("DTEND:{year}1231T235959Z"),
                "RRULE:W1 MO TU WE #99999999",
                &format!("AALARM:{year}0101T000000Z"),
            ],
            &berlin(),
        );
        for utc in [true, false] {
            assert!(legacy(&record, &target(utc, None)).len() >= 4);
        }
    }
}
