//! Items without a time of day, in a form that has only times.

use super::phones::{event, item, record};
use super::*;

#[test]
fn a_series_40_birthday_begins_a_minute_early() {
    for phone in [
        vec![
            "CATEGORIES:SPECIAL OCCASION",
            "SUMMARY:Ada",
            "DTSTART:20061209T235900",
            "RRULE:YD1 #0",
        ],
        vec![
            "CATEGORIES:SPECIAL OCCASION",
            "SUMMARY:Ada",
            "DTSTART:20061209T235900",
            "DTEND:20061209T235900",
            "RRULE:YM1 12 #0",
        ],
        vec![
            "CATEGORIES:SPECIAL OCCASION",
            "SUMMARY:Ada",
            "DTSTART:20061210T000000",
            "RRULE:YD1 #0",
        ],
    ] {
        let lines = event(&phone, &berlin());
        assert!(
            lines.contains(&"DTSTART;VALUE=DATE:20061210".to_owned()),
            "{lines:?}"
        );
        assert!(
            lines.contains(&"DTEND;VALUE=DATE:20061211".to_owned()),
            "{lines:?}"
        );
    }
    // A late appointment is no birthday.
    assert!(
        event(&["SUMMARY:Ada", "DTSTART:20061209T235900"], &berlin())
            .contains(&"DTSTART;TZID=Europe/Berlin:20061209T235900".to_owned())
    );
}

#[test]
fn an_s60_anniversary_to_the_year_2100() {
    let phone = [
        "UID:1R4nWUhPVgzyqYE8wRMvl0",
        "SUMMARY:Ada",
        "DTSTART:19800310T000000",
        "DTEND:19800310T000000",
        "X-EPOCAGENDAENTRYTYPE:ANNIVERSARY",
        "CLASS:PUBLIC",
        "DCREATED:20060801T101500Z",
        "RRULE:YM1 3 21000310T000000",
        "LAST-MODIFIED:20060801T101500Z",
        "PRIORITY:0",
        "STATUS:NEEDS ACTION",
    ];
    let record = record("VEVENT", &[], &phone, &berlin());
    assert_eq!(
        lines(&record)[1..],
        [
            "DTSTAMP:20060801T101500Z",
            "UID:1R4nWUhPVgzyqYE8wRMvl0",
            "SUMMARY:Ada",
            "DTSTART;VALUE=DATE:19800310",
            "DTEND;VALUE=DATE:19800311",
            "X-EPOCAGENDAENTRYTYPE:ANNIVERSARY",
            "CLASS:PUBLIC",
            "CREATED:20060801T101500Z",
            "RRULE:FREQ=YEARLY;UNTIL=21000310;BYMONTH=3",
            "LAST-MODIFIED:20060801T101500Z",
            "PRIORITY:0",
            "STATUS:NEEDS-ACTION",
            "END:VEVENT",
        ]
    );
    let back = legacy(&record, &target(true, None));
    assert!(
        back.contains(&"RRULE:YM1 3 21000310T000000".to_owned()),
        "{back:?}"
    );
    assert!(
        !back
            .iter()
            .any(|line| line.starts_with("DAYLIGHT") || line.starts_with("TZ")),
        "{back:?}"
    );
    assert!(
        back.contains(&"DTSTART:19800310T000000".to_owned())
            && back.contains(&"DTEND:19800310T235900".to_owned()),
        "{back:?}"
    );
}

#[test]
fn an_s60_memo_ends_at_the_next_midnight() {
    let phone = [
        "SUMMARY:Fair",
        "DTSTART:20060703T000000",
        "DTEND:20060705T000000",
        "X-EPOCAGENDAENTRYTYPE:EVENT",
    ];
    assert_eq!(
        event(&phone, &berlin()),
        [
            "SUMMARY:Fair",
            "DTSTART;VALUE=DATE:20060703",
            "DTEND;VALUE=DATE:20060705",
            "X-EPOCAGENDAENTRYTYPE:EVENT"
        ]
    );
    let back = legacy(
        &record("VEVENT", &[], &phone, &berlin()),
        &target(true, None),
    );
    assert_eq!(back[1..5], phone.map(str::to_owned));
    // A device that lists the property is told what the item is.
    let held = capabilities(&["SUMMARY", "DTSTART", "DTEND", "X-EPOCAGENDAENTRYTYPE"]);
    let dated = raise(
        &[
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "BEGIN:VEVENT",
            "SUMMARY:Fair",
            "DTSTART;VALUE=DATE:20060703",
            "END:VEVENT",
            "END:VCALENDAR",
        ],
        &berlin(),
    );
    assert_eq!(
        legacy(&dated, &target(true, Some(&held))),
        [
            "BEGIN:VEVENT",
            "SUMMARY:Fair",
            "DTSTART:20060703T000000",
            "DTEND:20060704T000000",
            "X-EPOCAGENDAENTRYTYPE:EVENT",
            "END:VEVENT"
        ]
    );
}

#[test]
fn all_day_in_every_form() {
    for (start, end, first, last) in [
        ("20060703T000000", "20060703T235959", "20060703", "20060704"),
        ("20060703T000000", "20060703T235900", "20060703", "20060704"),
        ("20060703T000000", "20060705T240000", "20060703", "20060706"),
        ("20060703T000000", "20060704T000000", "20060703", "20060704"),
        // P900: local midnights with a Z.
        (
            "20060703T000000Z",
            "20060703T240000Z",
            "20060703",
            "20060704",
        ),
        (
            "20060703T000000Z",
            "20060704T235959Z",
            "20060703",
            "20060705",
        ),
        // Midnight in Berlin, said in UTC.
        (
            "20060702T220000Z",
            "20060703T220000Z",
            "20060703",
            "20060704",
        ),
        (
            "20060102T230000Z",
            "20060103T225900Z",
            "20060103",
            "20060104",
        ),
        ("20060703", "20060703", "20060703", "20060704"),
    ] {
        let lines = event(
            &[&format!("DTSTART:{start}"), &format!("DTEND:{end}")],
            &berlin(),
        );
        assert_eq!(
            lines,
            [
                format!("DTSTART;VALUE=DATE:{first}"),
                format!("DTEND;VALUE=DATE:{last}")
            ],
            "{start} {end}"
        );
    }
    for (start, end) in [
        ("20060703T000000", "20060703T120000"),
        ("20060703T000000", "20060703T000000"),
        ("20060703T010000", "20060704T010000"),
        ("20060703T235900", "20060703T235900"),
    ] {
        let lines = event(
            &[&format!("DTSTART:{start}"), &format!("DTEND:{end}")],
            &berlin(),
        );
        assert_eq!(
            lines,
            [
                format!("DTSTART;TZID=Europe/Berlin:{start}"),
                format!("DTEND;TZID=Europe/Berlin:{end}")
            ],
            "{start} {end}"
        );
    }
}

#[test]
fn tasks_are_due_on_dates() {
    let task = |properties: &[&str], hint: &ReadHint<'_>| item("VTODO", &[], properties, hint);
    for due in [
        "20060801T000000",
        "20060801T235900",
        "20060801T240000",
        "20060731T220000Z",
    ] {
        let lines = task(
            &["SUMMARY:Pay", &format!("DUE:{due}"), "PRIORITY:2"],
            &berlin(),
        );
        assert_eq!(
            lines,
            ["SUMMARY:Pay", "DUE;VALUE=DATE:20060801", "PRIORITY:2"],
            "{due}"
        );
    }
    let timed = task(
        &[
            "SUMMARY:Pay",
            "DUE:20060801T170000",
            "AALARM:20060801T160000",
            "COMPLETED:20060801T180000",
            "STATUS:NEEDS ACTION",
        ],
        &berlin(),
    );
    assert_eq!(
        timed,
        [
            "SUMMARY:Pay",
            "DUE;TZID=Europe/Berlin:20060801T170000",
            "COMPLETED:20060801T160000Z",
            "STATUS:NEEDS-ACTION",
            "BEGIN:VALARM",
            "ACTION:AUDIO",
            "TRIGGER;RELATED=END:-PT1H",
            "END:VALARM",
        ]
    );
    let dated = record(
        "VTODO",
        &[],
        &[
            "SUMMARY:Pay",
            "DUE:20060801T000000",
            "AALARM:20060731T090000",
        ],
        &berlin(),
    );
    assert_eq!(
        legacy(&dated, &target(false, None)),
        [
            "BEGIN:VTODO",
            "SUMMARY:Pay",
            "DUE:20060801T000000",
            "AALARM:20060731T090000",
            "END:VTODO"
        ]
    );
    // The moment stands still, whatever form the device takes.
    assert_eq!(
        legacy(&dated, &target(true, None))[3],
        "AALARM:20060731T070000Z"
    );
    // Without any date the alarm has only its own.
    let alarm = task(&["SUMMARY:Pay", "AALARM:20060731T090000"], &berlin());
    assert!(
        alarm.contains(&"TRIGGER;VALUE=DATE-TIME:20060731T070000Z".to_owned()),
        "{alarm:?}"
    );
}
