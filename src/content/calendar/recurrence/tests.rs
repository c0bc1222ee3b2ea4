use super::*;

mod dates;

fn moment(text: &str) -> Moment {
    Moment::parse(text).expect("a moment")
}

/// The modern rule of a 1.0 rule, and what is written for that again.
fn check(start: &str, legacy: &str, modern: &str, again: &str) {
    let rule =
        parse_legacy(legacy, moment(start)).unwrap_or_else(|| panic!("{legacy} is not read"));
    assert_eq!(rule.to_string(), modern, "{legacy}");
    assert_eq!(Rule::parse(modern).as_ref(), Some(&rule), "{modern}");
    let written = write_legacy(&rule, moment(start), |end| end.to_string());
    assert_eq!(written.as_deref(), Some(again), "{modern}");
}

#[test]
fn rules_that_phones_write() {
    // 1 July 2026 is a Wednesday.
    let start = "20260701T090000";
    for (legacy, modern, again) in [
        ("D1 #0", "FREQ=DAILY", "D1 #0"),
        ("D2 #10", "FREQ=DAILY;INTERVAL=2;COUNT=10", "D2 #10"),
        ("D1", "FREQ=DAILY;COUNT=2", "D1 #2"),
        ("d1 0900 #0", "FREQ=DAILY", "D1 #0"),
        (
            "D1 20260731T090000",
            "FREQ=DAILY;UNTIL=20260731T090000",
            "D1 20260731T090000",
        ),
        (
            "D1 20260731T070000Z",
            "FREQ=DAILY;UNTIL=20260731T070000Z",
            "D1 20260731T070000Z",
        ),
        (
            "D1 20260731",
            "FREQ=DAILY;UNTIL=20260731",
            "D1 20260731T235959",
        ),
        ("W1 #0", "FREQ=WEEKLY;BYDAY=WE", "W1 WE #0"),
        ("W1 WE #8", "FREQ=WEEKLY;COUNT=8;BYDAY=WE", "W1 WE #8"),
        (
            "W2 MO WE FR #0",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR",
            "W2 MO WE FR #0",
        ),
        // Two weeks, not two days: the second week's Friday is the last.
        (
            "W1 WE FR #2",
            "FREQ=WEEKLY;UNTIL=20260710T090000;BYDAY=WE,FR",
            "W1 WE FR 20260710T090000",
        ),
        ("MD1 #0", "FREQ=MONTHLY;BYMONTHDAY=1", "MD1 1 #0"),
        ("MD1 1 15 #0", "FREQ=MONTHLY;BYMONTHDAY=1,15", "MD1 1 15 #0"),
        (
            "MD2 LD #5",
            "FREQ=MONTHLY;INTERVAL=2;COUNT=5;BYMONTHDAY=-1",
            "MD2 LD #5",
        ),
        (
            "MD1 1- 2- #0",
            "FREQ=MONTHLY;BYMONTHDAY=-1,-2",
            "MD1 LD 2- #0",
        ),
        ("MP1 #0", "FREQ=MONTHLY;BYDAY=1WE", "MP1 1+ WE #0"),
        ("MP1 1+ FR #0", "FREQ=MONTHLY;BYDAY=1FR", "MP1 1+ FR #0"),
        (
            "MP6 1+ MO 2- TH FR #0",
            "FREQ=MONTHLY;INTERVAL=6;BYDAY=1MO,-2TH,-2FR",
            "MP6 1+ MO 2- TH FR #0",
        ),
        ("YM1 #0", "FREQ=YEARLY;BYMONTH=7", "YM1 7 #0"),
        (
            "YM1 7 21000701T000000",
            "FREQ=YEARLY;UNTIL=21000701T000000;BYMONTH=7",
            "YM1 7 21000701T000000",
        ),
        ("YM1 6 7 8 #0", "FREQ=YEARLY;BYMONTH=6,7,8", "YM1 6 7 8 #0"),
        ("YD1 #0", "FREQ=YEARLY", "YM1 7 #0"),
        (
            "YD1 1 100 #0",
            "FREQ=YEARLY;BYYEARDAY=1,100",
            "YD1 1 100 #0",
        ),
    ] {
        check(start, legacy, modern, again);
    }
}

#[test]
fn what_is_no_rule_is_not_read() {
    for bad in [
        "",
        "X1 #0",
        "D0 #0",
        "D99999 #0",
        "W1 XX #0",
        "MP1 FR #0",
        "MP1 6+ FR #0",
        "MD1 32 #0",
        "MD1 0 #0",
        "YM1 13 #0",
        "YM1 6- #0",
        "D1 #x",
        "D1 #-1",
        "D1 #0 MO",
        "D1 99999999T000000",
        "D1 0600 1800 #0",
        "M15 #4",
        "YM1 6 #5 MP1 1+ TU #3",
        "D1 ö",
        "#0",
        "W1 MO TU;#0",
    ] {
        assert_eq!(parse_legacy(bad, moment("20260701T090000")), None, "{bad}");
    }
}

#[test]
fn modern_rules_that_the_old_grammar_can_say_otherwise() {
    for (start, modern, legacy) in [
        (
            "20260701T090000",
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            Some("W1 MO TU WE TH FR #0"),
        ),
        (
            "20260701T090000",
            "FREQ=WEEKLY;COUNT=4;BYDAY=MO,WE",
            Some("W1 MO WE 20260713T090000"),
        ),
        (
            "20260731T090000",
            "FREQ=MONTHLY;BYDAY=FR;BYSETPOS=-1",
            Some("MP1 1- FR #0"),
        ),
        (
            "20260703T090000",
            "FREQ=MONTHLY;BYDAY=FR",
            Some("MP1 1+ FR 2+ FR 3+ FR 4+ FR 5+ FR #0"),
        ),
        (
            "20260705T090000",
            "FREQ=YEARLY;BYMONTH=7;BYDAY=1SU;COUNT=3",
            Some("MP12 1+ SU #3"),
        ),
        (
            "20260701T090000",
            "FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=1",
            Some("YM1 7 #0"),
        ),
        (
            "20260701",
            "FREQ=YEARLY;UNTIL=20300701",
            Some("YM1 7 20300701"),
        ),
        (
            "20260701T090000",
            "FREQ=MONTHLY;BYMONTH=1,7;BYMONTHDAY=1",
            Some("YM1 1 7 #0"),
        ),
        (
            "20260701T090000",
            "FREQ=DAILY;BYHOUR=9;BYMINUTE=0;X-EVOLUTION-ENDDATE=1",
            Some("D1 #0"),
        ),
        (
            "20260705T090000",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU;WKST=SU",
            Some("W2 SU #0"),
        ),
        (
            "20260705T090000",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU",
            None,
        ),
        ("20260701T090000", "FREQ=DAILY;INTERVAL=2;BYDAY=MO", None),
        ("20260701T090000", "FREQ=HOURLY", None),
        ("20260701T090000", "FREQ=DAILY;BYHOUR=9,17", None),
        (
            "20260701T090000",
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            None,
        ),
        (
            "20260701T090000",
            "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
            None,
        ),
        ("20260701T090000", "FREQ=YEARLY;BYWEEKNO=20", None),
        ("20260701T090000", "FREQ=YEARLY;BYYEARDAY=-1", None),
        (
            "20260701T090000",
            "FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=5",
            None,
        ),
    ] {
        let rule = Rule::parse(modern).unwrap_or_else(|| panic!("{modern} is not read"));
        assert_eq!(
            write_legacy(&rule, moment(start), |end| end.to_string()).as_deref(),
            legacy,
            "{modern}"
        );
    }
}

#[test]
fn rules_beyond_the_grammar_or_the_limits_are_not_read() {
    let long = format!("FREQ=YEARLY;BYYEARDAY={}", vec!["1"; 5000].join(","));
    for bad in [
        "",
        "FREQ=",
        "COUNT=2",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=DAILY;UNTIL=x",
        "FREQ=DAILY;RSCALE=HEBREW",
        "FREQ=WEEKLY;BYDAY=99MO",
        "FREQ=WEEKLY;BYDAY=ö",
        &long,
    ] {
        assert_eq!(Rule::parse(bad), None, "{}", &bad[..bad.len().min(40)]);
    }
    let text = "freq=monthly;byday=-1fr;wkst=su;interval=3";
    assert_eq!(
        Rule::parse(text).expect("a rule").to_string(),
        "FREQ=MONTHLY;INTERVAL=3;BYDAY=-1FR;WKST=SU"
    );
}

#[test]
fn canonical_texts_are_equal_where_the_dates_are() {
    let key =
        |start: &str, text: &str| canonical(&Rule::parse(text).expect("a rule"), moment(start));
    let start = "20260701T090000";
    for (a, b) in [
        (
            "FREQ=WEEKLY;COUNT=4;BYDAY=MO,WE",
            "FREQ=WEEKLY;BYDAY=WE,MO;UNTIL=20260713T090000",
        ),
        (
            "FREQ=WEEKLY;COUNT=4",
            "FREQ=WEEKLY;BYDAY=WE;UNTIL=20260725T235959",
        ),
        ("FREQ=YEARLY", "FREQ=YEARLY;BYMONTH=7;BYMONTHDAY=1"),
        (
            "FREQ=MONTHLY;INTERVAL=12;BYDAY=1WE",
            "FREQ=YEARLY;BYMONTH=7;BYDAY=1WE",
        ),
        ("FREQ=MONTHLY", "FREQ=MONTHLY;BYMONTHDAY=1;BYHOUR=9"),
        ("FREQ=MONTHLY;BYDAY=WE;BYSETPOS=1", "FREQ=MONTHLY;BYDAY=1WE"),
        ("FREQ=DAILY;BYDAY=WE,TH", "FREQ=WEEKLY;BYDAY=WE,TH;WKST=SU"),
    ] {
        assert_eq!(key(start, a), key(start, b));
    }
    for (a, b) in [
        ("FREQ=WEEKLY;COUNT=4", "FREQ=WEEKLY;COUNT=5"),
        ("FREQ=WEEKLY;BYDAY=WE", "FREQ=WEEKLY;BYDAY=WE,TH"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE",
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,WE;WKST=SU",
        ),
        ("FREQ=DAILY", "FREQ=DAILY;BYHOUR=9,17"),
        (
            "FREQ=DAILY;UNTIL=20260705T080000",
            "FREQ=DAILY;UNTIL=20260705T090000",
        ),
    ] {
        assert_ne!(key(start, a), key(start, b));
    }
}
