use chrono::NaiveDate;

use super::*;
use crate::content::calendar::moment::Moment;
use crate::content::{Component, Property};

fn time(text: &str) -> NaiveDateTime {
    Moment::parse(text).expect("a moment").naive()
}

#[test]
fn tzids_name_iana_zones_in_many_ways() {
    for (tzid, tz) in [
        ("Europe/Berlin", Some(Tz::Europe__Berlin)),
        (
            "/freeassociation.sourceforge.net/Europe/Berlin",
            Some(Tz::Europe__Berlin),
        ),
        (
            "/freeassociation.sourceforge.net/Tzfile/America/Argentina/Buenos_Aires",
            Some(Tz::America__Argentina__Buenos_Aires),
        ),
        (
            "/softwarestudio.org/Olson_20011030_5/America/New_York",
            Some(Tz::America__New_York),
        ),
        (
            "/mozilla.org/20050126_1/Europe/London",
            Some(Tz::Europe__London),
        ),
        ("\"Asia/Kolkata\"", Some(Tz::Asia__Kolkata)),
        ("W. Europe Standard Time", Some(Tz::Europe__Berlin)),
        ("eastern standard time", Some(Tz::America__New_York)),
        ("UTC", Some(Tz::UTC)),
        ("My own zone", None),
        ("", None),
    ] {
        assert_eq!(iana(tzid), tz, "{tzid}");
    }
    assert_eq!(iana(&"a/".repeat(10_000)), None);
}

#[test]
fn local_times_in_gaps_and_folds() {
    let berlin = Zone::Iana(Tz::Europe__Berlin);
    for (local, utc) in [
        ("20260701T090000", "20260701T070000"),
        ("20260101T090000", "20260101T080000"),
        // 29 March 2026: 02:30 does not exist; 25 October: 02:30 comes twice, the first is meant.
        ("20260329T023000", "20260329T013000"),
        ("20261025T023000", "20261025T003000"),
        ("20261025T033000", "20261025T023000"),
    ] {
        assert_eq!(berlin.to_utc(time(local)), time(utc), "{local}");
    }
    let sydney = Zone::Iana(Tz::Australia__Sydney);
    assert_eq!(
        sydney.to_utc(time("20260101T090000")),
        time("20251231T220000")
    );
    assert_eq!(
        sydney.to_local(time("20251231T220000")),
        time("20260101T090000")
    );
}

fn part(name: &str, lines: &[(&str, &str)]) -> Component {
    let mut part = Component::new(name);
    part.properties = lines
        .iter()
        .map(|(name, text)| Property::text(*name, *text))
        .collect();
    part
}

/// A calendar whose one VTIMEZONE is named by nothing that is known.
fn calendar(parts: Vec<Component>) -> Component {
    let mut zone = part("VTIMEZONE", &[("TZID", "Custom")]);
    zone.children = parts;
    let mut root = Component::new("VCALENDAR");
    root.children.push(zone);
    root
}

#[test]
fn vtimezone_rules_give_the_offsets_of_the_zone_they_describe() {
    let root = calendar(vec![
        part(
            "STANDARD",
            &[
                ("DTSTART", "19701025T030000"),
                ("RRULE", "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU"),
                ("TZOFFSETFROM", "+0200"),
                ("TZOFFSETTO", "+0100"),
            ],
        ),
        part(
            "DAYLIGHT",
            &[
                ("DTSTART", "19700329T020000"),
                ("RRULE", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
                ("TZOFFSETFROM", "+0100"),
                ("TZOFFSETTO", "+0200"),
            ],
        ),
    ]);
    let zones = Zones::of(&root);
    let zone = zones.zone("Custom").expect("a zone");
    assert!(matches!(*zone, Zone::Observances(_)));
    let berlin = Zone::Iana(Tz::Europe__Berlin);
    let mut at = time("20000101T003000");
    while at < time("20310101T000000") {
        assert_eq!(zone.offset_at(at), berlin.offset_at(at), "{at}");
        assert_eq!(zone.to_utc(at), berlin.to_utc(at), "{at}");
        at = moved(at, 7 * 3600 + 1800);
    }
    assert!(zones.zone("Other").is_none());
}

#[test]
fn vtimezone_with_until_dates_and_month_days() {
    let root = calendar(vec![
        part(
            "STANDARD",
            &[
                ("DTSTART", "20001105T020000"),
                (
                    "RRULE",
                    "FREQ=YEARLY;BYMONTH=11;BYDAY=SU;BYMONTHDAY=1,2,3,4,5,6,7",
                ),
                ("TZOFFSETFROM", "-0400"),
                ("TZOFFSETTO", "-0500"),
            ],
        ),
        part(
            "DAYLIGHT",
            &[
                ("DTSTART", "20000409T020000"),
                (
                    "RRULE",
                    "FREQ=YEARLY;BYMONTH=4;BYDAY=2SU;UNTIL=20040411T070000Z",
                ),
                ("TZOFFSETFROM", "-0500"),
                ("TZOFFSETTO", "-0400"),
            ],
        ),
        part(
            "DAYLIGHT",
            &[
                ("DTSTART", "20060401T020000"),
                ("RDATE", "20070401T020000,20080401T020000"),
                ("TZOFFSETFROM", "-0500"),
                ("TZOFFSETTO", "-0400"),
            ],
        ),
    ]);
    let zone = Zones::of(&root).zone("Custom").expect("a zone");
    for (utc, hours) in [
        ("19990701T000000", -5), // before all of them: what the first begins from
        ("20040701T000000", -4),
        ("20050701T000000", -5), // the rule has ended
        ("20060701T000000", -4),
        ("20080701T000000", -4),
        ("20081104T000000", -5),
        ("20090701T000000", -5),
    ] {
        assert_eq!(zone.offset_at(time(utc)), hours * 3600, "{utc}");
    }
}

#[test]
fn hostile_vtimezones_are_bounded() {
    let endless = [
        ("DTSTART", "00010101T000000"),
        ("RRULE", "FREQ=YEARLY;BYDAY=5FR;BYMONTH=2"),
        ("TZOFFSETFROM", "+1800"),
        ("TZOFFSETTO", "-1800"),
    ];
    let dates = vec!["20200101T000000"; 20_000].join(",");
    let many = [
        ("DTSTART", "20000101T000000"),
        ("RDATE", dates.as_str()),
        ("TZOFFSETFROM", "+0100"),
        ("TZOFFSETTO", "+0200"),
    ];
    let root = calendar(
        (0..2000)
            .map(|n| part("STANDARD", if n % 2 == 0 { &endless } else { &many }))
            .collect(),
    );
    let zone = Zones::of(&root).zone("Custom").expect("a zone");
    let Zone::Observances(observances) = &*zone else {
        panic!("no observances")
    };
    assert!(observances.len() <= 256);
    for text in ["00010101T000000", "99991231T235959"] {
        let offset = zone.offset_at(zone.to_utc(time(text)));
        assert!(offset.abs() <= 18 * 3600);
    }
    let nothing = calendar(vec![part(
        "STANDARD",
        &[("DTSTART", "x"), ("TZOFFSETTO", "+9999")],
    )]);
    assert!(Zones::of(&nothing).zone("Custom").is_none());
}

fn found(tz: &str, lines: &[&str], home: Tz, near: &str) -> Zone {
    let none = lines.iter().any(|line| line.starts_with("FALSE"));
    let lines: Vec<Daylight> = lines
        .iter()
        .filter_map(|line| Daylight::parse(line))
        .collect();
    fit(moment_offset(tz), &lines, none, home, time(near))
}

fn moment_offset(text: &str) -> i32 {
    crate::content::calendar::moment::offset(text).expect("an offset")
}

#[test]
fn tz_and_daylight_lines_find_their_zone() {
    let summer = "TRUE;+02;20070325T020000;20071028T030000;CET;CEST";
    for (tz, lines, home, near, expected) in [
        (
            "+01",
            vec![summer],
            Tz::UTC,
            "20070601T090000",
            Some(Tz::Europe__Berlin),
        ),
        (
            "+01",
            vec![summer],
            Tz::Europe__Stockholm,
            "20070601T090000",
            Some(Tz::Europe__Stockholm),
        ),
        // UTC bounds, as UIQ writes them.
        (
            "+01:00",
            vec!["TRUE;+0200;20070325T010000Z;20071028T010000Z;;"],
            Tz::UTC,
            "20070601T090000",
            Some(Tz::Europe__Berlin),
        ),
        (
            "-05",
            vec!["TRUE;-04;20070311T020000;20071104T020000;EST;EDT"],
            Tz::UTC,
            "20070601T090000",
            Some(Tz::America__New_York),
        ),
        (
            "+10",
            vec!["TRUE;+11;20061029T020000;20070325T030000;;"],
            Tz::UTC,
            "20070101T090000",
            Some(Tz::Australia__Sydney),
        ),
        // Of several years the one of the item.
        (
            "+01",
            vec!["TRUE;+02;20060326T020000;20061029T030000;;", summer],
            Tz::UTC,
            "20070601T090000",
            Some(Tz::Europe__Berlin),
        ),
        (
            "+05:30",
            vec!["FALSE"],
            Tz::UTC,
            "20070601T090000",
            Some(Tz::Asia__Kolkata),
        ),
        (
            "+02",
            vec!["FALSE"],
            Tz::Europe__Berlin,
            "20070601T090000",
            Some(Tz::Etc__GMTMinus2),
        ),
        (
            "-03",
            vec!["FALSE"],
            Tz::America__Argentina__Buenos_Aires,
            "20150601T090000",
            Some(Tz::America__Argentina__Buenos_Aires),
        ),
        // A bare TZ may be standard time or that of now.
        (
            "+01",
            vec![],
            Tz::Europe__Berlin,
            "20070601T090000",
            Some(Tz::Europe__Berlin),
        ),
        (
            "+02",
            vec![],
            Tz::Europe__Berlin,
            "20070601T090000",
            Some(Tz::Europe__Berlin),
        ),
        (
            "+00",
            vec!["FALSE"],
            Tz::Europe__Berlin,
            "20070601T090000",
            Some(Tz::UTC),
        ),
        ("+03:07", vec!["FALSE"], Tz::UTC, "20070601T090000", None),
    ] {
        let zone = found(tz, &lines, home, near);
        match (expected, &zone) {
            (Some(tz), Zone::Iana(found)) => assert_eq!(*found, tz, "{lines:?}"),
            (None, Zone::Seasons(_)) => {}
            other => panic!("{tz} {lines:?}: {other:?}"),
        }
    }
}

#[test]
fn a_season_that_no_zone_has_is_taken_at_its_word() {
    let zone = found(
        "+01",
        &["TRUE;+02;20070601T020000;20070701T030000;;"],
        Tz::UTC,
        "20070615T090000",
    );
    assert!(matches!(zone, Zone::Seasons(_)));
    assert_eq!(
        zone.to_utc(time("20070615T090000")),
        time("20070615T070000")
    );
    assert_eq!(
        zone.to_utc(time("20070715T090000")),
        time("20070715T080000")
    );
    for bad in [
        "",
        "TRUE",
        "TRUE;x;y;z",
        "TRUE;+02;20070701T000000;20070601T000000;;",
        "MAYBE;+02;20070601T020000;20070701T030000;;",
    ] {
        assert_eq!(Daylight::parse(bad), None, "{bad}");
    }
}

#[test]
fn daylight_lines_are_one_a_year_and_few() {
    let berlin = Zone::Iana(Tz::Europe__Berlin);
    let (tz, lines) = daylight_lines(
        &berlin,
        time("20070601T090000"),
        Some(time("21000101T000000")),
    );
    assert_eq!(tz, "+01");
    assert_eq!(
        lines,
        [
            "TRUE;+02;20070325T020000;20071028T030000;;",
            "TRUE;+02;20080330T020000;20081026T030000;;",
            "TRUE;+02;20090329T020000;20091025T030000;;"
        ]
    );
    let (_, lines) = daylight_lines(
        &berlin,
        time("20070601T090000"),
        Some(time("20070801T090000")),
    );
    assert_eq!(lines, ["TRUE;+02;20070325T020000;20071028T030000;;"]);
    let sydney = Zone::Iana(Tz::Australia__Sydney);
    let (tz, lines) = daylight_lines(
        &sydney,
        time("20070101T090000"),
        Some(time("20070201T090000")),
    );
    assert_eq!(
        (tz.as_str(), lines),
        (
            "+10",
            vec!["TRUE;+11;20061029T020000;20070325T030000;;".to_owned()]
        )
    );
    let (tz, lines) = daylight_lines(
        &Zone::Iana(Tz::Asia__Kolkata),
        time("20070101T090000"),
        None,
    );
    assert_eq!((tz.as_str(), lines), ("+05:30", vec!["FALSE".to_owned()]));
}

#[test]
fn lines_written_for_a_zone_find_a_zone_with_its_offsets() {
    for tz in [
        Tz::Europe__Berlin,
        Tz::Europe__London,
        Tz::America__New_York,
        Tz::Australia__Sydney,
        Tz::Asia__Tokyo,
        Tz::America__St_Johns,
        Tz::Australia__Lord_Howe,
        Tz::Pacific__Auckland,
    ] {
        for near in ["20070601T090000", "20251210T090000"] {
            let zone = Zone::Iana(tz);
            let (offset, lines) = daylight_lines(&zone, time(near), None);
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let back = found(&offset, &lines, Tz::UTC, near);
            for hours in 0..8760 {
                let at = moved(time(near), hours * 3600);
                assert_eq!(back.offset_at(at), zone.offset_at(at), "{tz} {at}");
            }
        }
    }
}

#[test]
fn a_vtimezone_made_for_a_zone_has_its_offsets() {
    for tz in [
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Australia__Sydney,
        Tz::Asia__Kolkata,
        Tz::America__Santiago,
        Tz::Africa__Casablanca,
        Tz::Asia__Tehran,
        Tz::UTC,
    ] {
        for year in [1999, 2007, 2026] {
            let mut definition = vtimezone(tz, "Custom", year);
            // Without its name only the rules are left to go by.
            definition.remove("X-LIC-LOCATION");
            let mut root = Component::new("VCALENDAR");
            root.children.push(definition);
            let zone = Zones::of(&root).zone("Custom").expect("a zone");
            let start = NaiveDate::from_ymd_opt(year, 1, 1)
                .expect("a date")
                .and_hms_opt(0, 0, 0)
                .expect("a time");
            for hours in 0..8760 {
                let at = moved(start, hours * 3600);
                assert_eq!(
                    zone.offset_at(at),
                    Zone::Iana(tz).offset_at(at),
                    "{tz} {at}"
                );
            }
        }
    }
}
