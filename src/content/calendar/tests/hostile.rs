//! Work that a peer can ask for is bounded: each of these would take minutes if it were not.

use super::*;

#[test]
fn thousands_of_rules_that_name_every_day() {
    let days = (1..=31)
        .flat_map(|day| [day, -day])
        .map(|day| day.to_string())
        .collect::<Vec<_>>()
        .join(",");
    let rule = format!(
        "RRULE:FREQ=YEARLY;COUNT=4000000000;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYMONTHDAY={days}"
    );
    let mut all = vec![
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "BEGIN:VEVENT",
        "DTSTART:20260701T090000Z",
    ];
    all.extend(std::iter::repeat_n(rule.as_str(), 1000));
    all.extend(["END:VEVENT", "END:VCALENDAR"]);
    let record = raise(&all, &ReadHint::default());
    // Such a rule has no end that can be told, so no 1.0 rule.
    assert_eq!(
        legacy(&record, &target(true, None)),
        ["BEGIN:VEVENT", "DTSTART:20260701T090000Z", "END:VEVENT"]
    );
    let mut other = record.clone();
    settle(&record.root, &mut other.root);
    assert_eq!(other, record);
}

#[test]
fn thousands_of_exceptions_alarms_and_zones() {
    let mut all: Vec<String> = ["BEGIN:VCALENDAR", "VERSION:2.0"]
        .map(str::to_owned)
        .to_vec();
    for n in 0..120 {
        all.extend([
            "BEGIN:VTIMEZONE".to_owned(),
            format!("TZID:Zone {n}"),
            "BEGIN:STANDARD".to_owned(),
            "DTSTART:19700101T000000".to_owned(),
        ]);
        all.extend(
            [
                "TZOFFSETFROM:+0100",
                "TZOFFSETTO:+0100",
                "END:STANDARD",
                "END:VTIMEZONE",
            ]
            .map(str::to_owned),
        );
    }
    for n in 0..500 {
        let day = format!(
            "20{:02}{:02}{:02}T090000",
            n / 336 + 26,
            n / 28 % 12 + 1,
            n % 28 + 1
        );
        all.extend([
            "BEGIN:VEVENT".to_owned(),
            format!("RECURRENCE-ID;TZID=Zone {}:{day}", n % 120),
            "BEGIN:VALARM".to_owned(),
            "TRIGGER:-PT5M".to_owned(),
        ]);
        all.extend(["END:VALARM", "END:VEVENT"].map(str::to_owned));
    }
    all.push("END:VCALENDAR".to_owned());
    let lines: Vec<&str> = all.iter().map(String::as_str).collect();
    let record = raise(&lines, &ReadHint::default());
    let mut other = record.clone();
    settle(&record.root, &mut other.root);
    assert_eq!(
        other
            .root
            .children
            .iter()
            .filter(|child| is_item(child))
            .count(),
        500
    );
    assert!(legacy(&record, &target(true, None)).len() >= 1000);
}
