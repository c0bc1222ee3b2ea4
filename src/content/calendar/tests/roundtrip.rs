//! Properties: what is written is read again; nothing panics.

use proptest::prelude::*;

use super::*;

fn word() -> impl Strategy<Value = String> {
    "[a-zA-ZäöüÄß€,;: \\\\.\"=-]{1,30}"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("not blank", |text| !text.is_empty())
}

/// A time of day that no all-day event has.
fn clock() -> impl Strategy<Value = String> {
    (2000..2037u32, 1..=12u32, 1..=28u32, 4..23u32, 0..60u32)
        .prop_map(|(y, m, d, h, min)| format!("{y:04}{m:02}{d:02}T{h:02}{min:02}00"))
}

fn rule() -> impl Strategy<Value = String> {
    prop_oneof![
        (1..9u32, 2..40u32).prop_map(|(i, n)| format!("FREQ=DAILY;INTERVAL={};COUNT={n}", i + 1)),
        Just("FREQ=WEEKLY;BYDAY=MO,FR".to_owned()),
        Just("FREQ=MONTHLY;UNTIL=20380101T120000Z;BYDAY=2TU,-1FR".to_owned()),
        Just("FREQ=MONTHLY;BYMONTHDAY=15,-1".to_owned()),
        Just("FREQ=YEARLY;BYMONTH=5".to_owned()),
    ]
}

#[derive(Debug, Clone)]
struct Sample {
    name: &'static str,
    zone: usize,
    start: String,
    hours: u32,
    rule: Option<String>,
    texts: Vec<(usize, String)>,
    categories: Vec<String>,
    alarm: Option<u32>,
    extra: Vec<(usize, usize)>,
}

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", ""];
const TEXTS: [&str; 3] = ["SUMMARY", "DESCRIPTION", "LOCATION"];
const EXTRA: [(&str, &[&str]); 5] = [
    ("CLASS", &["PUBLIC", "PRIVATE", "CONFIDENTIAL"]),
    ("TRANSP", &["OPAQUE", "TRANSPARENT"]),
    ("PRIORITY", &["0", "1", "9"]),
    ("GEO", &["48.85;2.35"]),
    ("X-EPOCAGENDAENTRYTYPE", &["APPOINTMENT"]),
];

fn sample() -> impl Strategy<Value = Sample> {
    let extra = proptest::collection::btree_map(0..EXTRA.len(), 0..3usize, 0..5)
        .prop_map(|map| map.into_iter().collect());
    (
        prop_oneof![Just("VEVENT"), Just("VTODO")],
        0..ZONES.len(),
        clock(),
        1..100u32,
        proptest::option::of(rule()),
        proptest::collection::btree_map(0..TEXTS.len(), word(), 0..4)
            .prop_map(|map| map.into_iter().collect()),
        proptest::collection::vec(word(), 0..4),
        proptest::option::of(1..2000u32),
        extra,
    )
        .prop_map(
            |(name, zone, start, hours, rule, texts, categories, alarm, extra)| Sample {
                name,
                zone,
                start,
                hours,
                rule,
                texts,
                categories,
                alarm,
                extra,
            },
        )
}

impl Sample {
    fn record(&self) -> Record {
        let mut item = Component::new(self.name);
        let time = |name: &str, text: &str| {
            let mut property = content::Property::text(name, text);
            match ZONES[self.zone] {
                "" => property.value = content::Value::Text(format!("{text}Z").into()),
                tzid => property.add_param("TZID", [tzid.into()]),
            }
            property
        };
        let start = Moment::parse(&self.start).expect("a moment").naive();
        let end = Moment::Floating(timezone::moved(start, i64::from(self.hours) * 86_400 + 60));
        item.properties.push(time("DTSTART", &self.start));
        item.properties.push(time(
            if self.name == "VTODO" { "DUE" } else { "DTEND" },
            &end.to_string(),
        ));
        item.properties.extend(
            self.rule
                .iter()
                .map(|rule| content::Property::text("RRULE", rule.as_str())),
        );
        for (at, text) in &self.texts {
            item.properties
                .push(content::Property::text(TEXTS[*at], text.as_str()));
        }
        if !self.categories.is_empty() {
            item.properties.push(content::Property::new(
                "CATEGORIES",
                content::Value::list(self.categories.iter().map(String::as_str)),
            ));
        }
        for (at, which) in &self.extra {
            let (name, values) = EXTRA[*at];
            item.properties
                .push(content::Property::text(name, values[which % values.len()]));
        }
        if let Some(minutes) = self.alarm {
            let mut alarm = Component::new("VALARM");
            alarm
                .properties
                .push(content::Property::text("ACTION", "AUDIO"));
            alarm
                .properties
                .push(content::Property::text("TRIGGER", format!("-PT{minutes}M")));
            item.children.push(alarm);
        }
        let kind = if self.name == "VTODO" {
            Kind::Task
        } else {
            Kind::Event
        };
        let mut root = Component::new("VCALENDAR");
        root.children.push(item);
        Record { kind, root }
    }
}

/// What an item says, its spelling settled against the original.
fn meaning(original: &Record, mut record: Record) -> (Vec<content::Property>, Vec<Component>) {
    settle(&original.root, &mut record.root);
    let item = record
        .root
        .children
        .into_iter()
        .find(is_item)
        .expect("an item");
    let mut properties: Vec<_> = item
        .properties
        .into_iter()
        .filter(|property| property.name != "DTSTAMP")
        .collect();
    properties.sort_by(|a, b| a.name.cmp(&b.name));
    (properties, item.children)
}

/// Whether a clock in Berlin shows one of the record's times twice in that night.
fn shown_twice(record: &Record) -> bool {
    let berlin = timezone::Zone::Iana(Tz::Europe__Berlin);
    let zones = Zones::of(&record.root);
    let times = record
        .root
        .children
        .iter()
        .flat_map(|item| &item.properties);
    times
        .filter_map(|property| stamp::instant(property, &zones))
        .any(|time| match time {
            Moment::Utc(time) => berlin.to_utc(berlin.to_local(time)) != time,
            _ => false,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_forms_keep_every_field(sample in sample(), utc: bool) {
        let record = sample.record();
        let expected = meaning(&record, record.clone());
        let target = Target { utc, ..target(true, None) };
        let zone = if utc { Tz::UTC } else { Tz::Europe__Berlin };
        // A device whose local time is another one repeats on that clock: only its own zone comes back whole.
        let local = utc || ZONES[sample.zone] == "Europe/Berlin" || sample.rule.is_none();
        // And a local time that the clock shows twice is one of the two.
        let local = local && (utc || !shown_twice(&record));
        if local {
            let written = content::write(&record, &target);
            let hint = ReadHint { time_zone: zone, floating: Floating::Local, ..ReadHint::default() };
            let back = content::read(&written, &hint).expect("what was written").record;
            prop_assert_eq!(back.kind, record.kind);
            prop_assert_eq!(&meaning(&record, back), &expected, "{}", String::from_utf8_lossy(&written));
        }
        let written = content::write(&record, &Target::new(Format::ICalendar20));
        let back = content::read(&written, &ReadHint::default()).expect("what was written").record;
        prop_assert_eq!(meaning(&record, back), expected);
        prop_assert!(inexpressible(&record).is_empty());
    }

    #[test]
    fn all_day_spans_keep_their_dates(day in 1..=28u32, month in 1..=12u32, length in 1..40i64, memo: bool, utc: bool) {
        let start = chrono::NaiveDate::from_ymd_opt(2026, month, day).expect("a date");
        let end = start + chrono::TimeDelta::days(length);
        let mut item = Component::new("VEVENT");
        item.properties.push(stamp::property("DTSTART", Moment::Date(start), None));
        item.properties.push(stamp::property("DTEND", Moment::Date(end), None));
        if memo {
            item.properties.push(content::Property::text("X-EPOCAGENDAENTRYTYPE", "EVENT"));
        }
        let mut root = Component::new("VCALENDAR");
        root.children.push(item);
        let record = Record { kind: Kind::Event, root };
        let back = content::read(&content::write(&record, &target(utc, None)), &berlin()).expect("a calendar").record;
        prop_assert_eq!(back.root.children, record.root.children);
    }

    #[test]
    fn no_body_panics(lines in proptest::collection::vec(
        "(DTSTART|DTEND|DUE|RRULE|EXDATE|RDATE|AALARM|DALARM|TZ|DAYLIGHT|ATTENDEE|GEO|STATUS|TRIGGER|DURATION|RECURRENCE-ID|CATEGORIES|SUMMARY)(;VALUE=DATE|;TZID=Custom|;TZID=Europe/Berlin)?:([0-9]{8}T[0-9]{6}Z?|[0-9]{8}|TRUE;[+]0[0-9];20[0-9]{6}T000000;20[0-9]{6}T000000;;|(W|MP|MD)[0-9] (MO|1[+] TU|LD)? ?#[0-9]{1,6}|FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY);COUNT=[0-9]{1,9}|-?P[0-9]{1,7}[DW]|\\PC{0,12})",
        0..12,
    ), modern: bool, todo: bool) {
        let name = if todo { "VTODO" } else { "VEVENT" };
        let (begin, end) = (format!("BEGIN:{name}"), format!("END:{name}"));
        let mut all = vec!["BEGIN:VCALENDAR", if modern { "VERSION:2.0" } else { "VERSION:1.0" }, &begin];
        all.extend(lines.iter().map(String::as_str));
        all.extend([end.as_str(), "END:VCALENDAR"]);
        let mut records = Vec::new();
        for hint in [ReadHint::default(), berlin()] {
            let record = content::read(&body(&all), &hint).expect("a calendar").record;
            for target in [target(true, None), target(false, None), Target::new(Format::ICalendar20)] {
                prop_assert!(content::write(&record, &target).ends_with(b"END:VCALENDAR\r\n"));
            }
            match_key_text(&record);
            inexpressible(&record);
            records.push(record);
        }
        let mut other = records.pop().expect("a record");
        settle(&records[0].root, &mut other.root);
    }
}
