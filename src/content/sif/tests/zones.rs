//! Series that recur in a zone.

use super::*;

/// 10:00 in Rome, each Friday, begun before the end of summer time.
const WEEKLY: &str = "<Timezone><BasicOffset>+0100</BasicOffset><DayLight><DSTOffset>+0200</DSTOffset>\
<DSTStart>20090329T020000</DSTStart><DSTEnd>20091025T030000</DSTEnd><StandardName/><DSTName/></DayLight></Timezone>\
<Start>20091016T080000Z</Start><End>20091016T090000Z</End><IsRecurring>1</IsRecurring><RecurrenceType>1</RecurrenceType>\
<Interval>1</Interval><DayOfWeekMask>32</DayOfWeekMask><NoEndDate>0</NoEndDate>\
<PatternStartDate>20091016T000000</PatternStartDate><PatternEndDate>20091106T000000</PatternEndDate>\
<Exceptions><ExcludeDate>20091023T080000Z</ExcludeDate></Exceptions>";

#[test]
fn a_series_recurs_on_the_clock_of_its_zone() {
    let event = record(Format::SifEvent, WEEKLY);
    let found = lines(&event, Format::ICalendar20);
    for line in [
        "DTSTART;TZID=Europe/Rome:20091016T100000",
        "DTEND;TZID=Europe/Rome:20091016T110000",
        "EXDATE;TZID=Europe/Rome:20091023T100000",
        "RRULE:FREQ=WEEKLY;UNTIL=20091106T225959Z;BYDAY=FR",
    ] {
        assert!(found.iter().any(|of| of == line), "{line} in {found:#?}");
    }
    let again = written(&event, Format::SifEvent);
    for field in [
        "<Start>20091016T080000Z</Start>",
        "<BasicOffset>+0100</BasicOffset>",
        "<DSTOffset>+0200</DSTOffset><DSTStart>20090329T020000</DSTStart><DSTEnd>20091025T030000</DSTEnd>",
        "<PatternEndDate>20091106T000000</PatternEndDate>",
        "<ExcludeDate>20091023T080000Z</ExcludeDate>",
    ] {
        assert!(again.contains(field), "{field} in {again}");
    }
    let back = content::read(again.as_bytes(), &hint(Format::SifEvent)).unwrap();
    assert_eq!(content::digest(&back.record), content::digest(&event));
}

#[test]
fn a_zone_that_a_server_named_is_that_zone() {
    let named = WEEKLY.replace(
        "<StandardName/>",
        "<StandardName>Europe/Madrid</StandardName>",
    );
    let event = record(Format::SifEvent, &named);
    let found = lines(&event, Format::ICalendar20);
    let line = "DTSTART;TZID=Europe/Madrid:20091016T100000";
    assert!(found.iter().any(|of| of == line), "{found:#?}");
}

#[test]
fn a_device_without_utc_is_told_local_times() {
    let event = record(
        Format::SifEvent,
        "<Start>20091016T080000Z</Start><End>20091016T090000Z</End>",
    );
    let local = Target {
        utc: false,
        ..target(Format::SifEvent)
    };
    let text = String::from_utf8(content::write(&event, &local)).unwrap();
    assert!(text.contains("<Start>20091016T100000</Start>"), "{text}");
    let hint = ReadHint {
        floating: content::Floating::Local,
        ..hint(Format::SifEvent)
    };
    let back = content::read(text.as_bytes(), &hint).unwrap();
    assert_eq!(content::match_key(&back.record), content::match_key(&event));
}

#[test]
fn a_rule_that_outlook_does_not_know_is_left_out_and_kept() {
    let body = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20261127T090000Z\r\n\
                DTEND:20261127T100000Z\r\nSUMMARY:x\r\nRRULE:FREQ=MONTHLY;BYMONTHDAY=-1\r\nLOCATION:a\r\n\
                END:VEVENT\r\nEND:VCALENDAR\r\n";
    let stored = content::read(body.as_bytes(), &ReadHint::default())
        .unwrap()
        .record;
    let text = written(&stored, Format::SifEvent);
    assert!(text.contains("<IsRecurring>0</IsRecurring>"), "{text}");
    // A person moves it to another place.
    let edited = text.replace("<Location>a</Location>", "<Location>b</Location>");
    let read = |text: &str| {
        content::read(text.as_bytes(), &hint(Format::SifEvent))
            .unwrap()
            .record
    };
    let edit = content::restored(&stored, &read(&edited), &read(&text));
    let capabilities =
        content::sif_capabilities(Format::SifEvent, &content::Capabilities::default());
    let merged = content::overlay(&stored, &edit, Some(&capabilities));
    let item = &merged.root.children[0];
    assert_eq!(item.text("LOCATION"), Some("b"));
    assert_eq!(item.text("RRULE"), Some("FREQ=MONTHLY;BYMONTHDAY=-1"));
    assert_eq!(item.text("UID"), Some("1"));
}
