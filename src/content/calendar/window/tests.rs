//! Windows over single and recurring events and tasks, in zones and without.

use super::{Time, Window, within};
use crate::content::{self, Format, ReadHint, Record};
use chrono_tz::Tz;

fn calendar(component: &str, lines: &str) -> Record {
    let lines = lines.replace('|', "\r\n");
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:{component}\r\nUID:1\r\n{lines}\r\nEND:{component}\r\nEND:VCALENDAR\r\n"
    );
    read(&text)
}

fn read(text: &str) -> Record {
    let hint = ReadHint {
        format: Some(Format::ICalendar20),
        ..ReadHint::default()
    };
    content::read(text.as_bytes(), &hint).unwrap().record
}

fn meets(record: &Record, since: &str, before: &str, zone: Tz) -> bool {
    let time = |text: &str| (!text.is_empty()).then(|| Time::parse(text).expect(text));
    let window = Window {
        since: time(since),
        before: time(before),
    };
    within(record, &window, zone)
}

#[test]
fn single_events_overlap_the_window_or_not() {
    let event = calendar("VEVENT", "DTSTART:20070807T100000Z|DTEND:20070807T120000Z");
    for (since, before, expected) in [
        ("20070807T000000Z", "20070808T000000Z", true),
        ("20070807T110000Z", "20070807T113000Z", true),
        ("20070807T120000Z", "20070808T000000Z", false),
        ("20070807T115959Z", "", true),
        ("", "20070807T100000Z", false),
        ("", "20070807T100001Z", true),
        ("20070808", "", false),
        ("", "", true),
    ] {
        assert_eq!(
            meets(&event, since, before, Tz::UTC),
            expected,
            "{since}..{before}"
        );
    }
    // Without length it is where it begins.
    let point = calendar("VEVENT", "DTSTART:20070807T100000Z");
    assert!(meets(
        &point,
        "20070807T100000Z",
        "20070807T100001Z",
        Tz::UTC
    ));
    assert!(!meets(&point, "20070807T100001Z", "", Tz::UTC));
}

#[test]
fn days_and_floating_times_are_where_the_device_is() {
    // Midnight in Stockholm is 22:00 UTC the day before.
    let day = calendar("VEVENT", "DTSTART;VALUE=DATE:20070807");
    let zone = Tz::Europe__Stockholm;
    assert!(meets(&day, "20070806T220000Z", "20070806T220001Z", zone));
    assert!(!meets(&day, "20070807T220000Z", "", zone));
    assert!(meets(&day, "20070807T230000Z", "", Tz::UTC));
    let floating = calendar("VEVENT", "DTSTART:20070807T010000|DTEND:20070807T020000");
    assert!(meets(&floating, "", "20070807T000000Z", zone));
    assert!(!meets(&floating, "", "20070807T000000Z", Tz::UTC));
    // A zone of its own counts more.
    let new_york = calendar(
        "VEVENT",
        "DTSTART;TZID=America/New_York:20070807T200000|DURATION:PT1H",
    );
    assert!(meets(
        &new_york,
        "20070808T000000Z",
        "20070808T010000Z",
        zone
    ));
    assert!(!meets(&new_york, "", "20070808T000000Z", zone));
}

#[test]
fn a_series_counts_when_an_occurrence_falls_into_the_window() {
    let weekly = calendar(
        "VEVENT",
        "DTSTART:20070806T100000Z|DTEND:20070806T110000Z|RRULE:FREQ=WEEKLY|EXDATE:20070820T100000Z",
    );
    for (since, before, expected) in [
        ("20070801", "20070806", false),
        ("20070807", "20070813", false),
        ("20070807", "20070814", true),
        // The one of that week was taken out.
        ("20070818", "20070826", false),
        ("20370101", "20370108", true),
        ("20370101T000000Z", "20370101T000001Z", false),
        ("99980101", "", true),
    ] {
        assert_eq!(
            meets(&weekly, since, before, Tz::UTC),
            expected,
            "{since}..{before}"
        );
    }
    let three = calendar(
        "VEVENT",
        "DTSTART:20070806T100000Z|RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3",
    );
    assert!(meets(&three, "20070810", "", Tz::UTC));
    assert!(!meets(&three, "20070811", "", Tz::UTC));
    let until = calendar(
        "VEVENT",
        "DTSTART:20070806T100000Z|RRULE:FREQ=DAILY;UNTIL=20070810T095959Z",
    );
    assert!(meets(&until, "20070809", "", Tz::UTC));
    assert!(!meets(&until, "20070810", "", Tz::UTC));
    let birthday = calendar("VEVENT", "DTSTART;VALUE=DATE:19800229|RRULE:FREQ=YEARLY");
    assert!(meets(&birthday, "20080201", "20080301", Tz::UTC));
    assert!(!meets(&birthday, "20070201", "20070301", Tz::UTC));
    assert!(!meets(&birthday, "20080301", "20090101", Tz::UTC));
    let more = calendar("VEVENT", "DTSTART:20070806T100000Z|RDATE:20080101T100000Z");
    assert!(meets(&more, "20080101", "20080102", Tz::UTC));
    assert!(!meets(&more, "20080102", "", Tz::UTC));
}

#[test]
fn a_series_follows_its_own_clock_over_the_change_of_summer_time() {
    // 09:00 in Stockholm: 07:00 UTC in summer, 08:00 in winter.
    let daily = calendar(
        "VEVENT",
        "DTSTART;TZID=Europe/Stockholm:20070806T090000|DURATION:PT30M|RRULE:FREQ=DAILY",
    );
    assert!(meets(
        &daily,
        "20071201T080000Z",
        "20071201T080001Z",
        Tz::UTC
    ));
    assert!(!meets(
        &daily,
        "20071201T070000Z",
        "20071201T073000Z",
        Tz::UTC
    ));
    assert!(meets(
        &daily,
        "20070901T070000Z",
        "20070901T070001Z",
        Tz::UTC
    ));
}

#[test]
fn long_occurrences_reach_into_the_window() {
    let trip = calendar(
        "VEVENT",
        "DTSTART;VALUE=DATE:20070801|DTEND;VALUE=DATE:20070815|RRULE:FREQ=YEARLY",
    );
    assert!(meets(&trip, "20100810", "20100811", Tz::UTC));
    assert!(!meets(&trip, "20100815", "20100816", Tz::UTC));
}

#[test]
fn moved_instances_count_where_they_are() {
    let series = read(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20070806T100000Z\r\n\
         RRULE:FREQ=WEEKLY;COUNT=2\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20070813T100000Z\r\n\
         DTSTART:20071001T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
    );
    assert!(!meets(&series, "20070813", "20070814", Tz::UTC));
    assert!(meets(&series, "20071001", "20071002", Tz::UTC));
}

#[test]
fn tasks_count_by_start_and_due_date_and_always_without() {
    let due = calendar("VTODO", "DUE:20070807T100000Z");
    assert!(meets(&due, "20070807", "20070808", Tz::UTC));
    assert!(!meets(&due, "20070808", "", Tz::UTC));
    let span = calendar("VTODO", "DTSTART:20070801T100000Z|DUE:20070807T100000Z");
    assert!(meets(&span, "20070803", "20070804", Tz::UTC));
    let open = calendar("VTODO", "SUMMARY:some day");
    assert!(meets(&open, "20070803", "20070804", Tz::UTC));
}

#[test]
fn what_cannot_be_expanded_is_not_lost() {
    for rule in [
        "FREQ=HOURLY",
        "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1",
        "nonsense",
    ] {
        let event = calendar("VEVENT", &format!("DTSTART:20070806T100000Z|RRULE:{rule}"));
        assert!(meets(&event, "20200101", "20200102", Tz::UTC), "{rule}");
        assert!(!meets(&event, "20060101", "20060102", Tz::UTC), "{rule}");
    }
    let ended = calendar(
        "VEVENT",
        "DTSTART:20070806T100000Z|RRULE:FREQ=HOURLY;UNTIL=20070901T000000Z",
    );
    assert!(!meets(&ended, "20200101", "20200102", Tz::UTC));
}
