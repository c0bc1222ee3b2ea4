//! Properties: rules of 1.0 and what they are raised to have the same dates, by evaluators of their own.

use chrono::{Datelike, Days, NaiveDate};
use proptest::prelude::*;

use super::*;

/// A 1.0 rule as its parts, to be evaluated day by day, apart from the code under test.
#[derive(Debug, Clone)]
struct Sample {
    start: NaiveDate,
    interval: i32,
    kind: Kind,
    end: SampleEnd,
}

#[derive(Debug, Clone)]
enum Kind {
    Daily,
    Weekly(Vec<u32>),
    MonthDays(Vec<i32>),
    MonthPositions(Vec<(i32, u32)>),
    Months(Vec<u32>),
    YearDays(Vec<u32>),
}

#[derive(Debug, Clone)]
enum SampleEnd {
    Endless,
    Intervals(i32),
    Until(NaiveDate),
}

const DAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

impl Sample {
    fn text(&self) -> String {
        let numbers = |list: &[u32]| list.iter().map(|n| format!(" {n}")).collect::<String>();
        let body = match &self.kind {
            Kind::Daily => format!("D{}", self.interval),
            Kind::Weekly(days) => format!(
                "W{}{}",
                self.interval,
                days.iter()
                    .map(|d| format!(" {}", DAYS[*d as usize]))
                    .collect::<String>()
            ),
            Kind::MonthDays(days) => {
                let day = |d: &i32| match d {
                    -1 => " LD".to_owned(),
                    d if *d < 0 => format!(" {}-", -d),
                    d => format!(" {d}"),
                };
                format!(
                    "MD{}{}",
                    self.interval,
                    days.iter().map(day).collect::<String>()
                )
            }
            Kind::MonthPositions(list) => {
                let mut text = format!("MP{}", self.interval);
                let mut shown = 0;
                for (nth, day) in list {
                    if shown != *nth {
                        text.push_str(&format!(
                            " {}{}",
                            nth.abs(),
                            if *nth < 0 { '-' } else { '+' }
                        ));
                        shown = *nth;
                    }
                    text.push_str(&format!(" {}", DAYS[*day as usize]));
                }
                text
            }
            Kind::Months(list) => format!("YM{}{}", self.interval, numbers(list)),
            Kind::YearDays(list) => format!("YD{}{}", self.interval, numbers(list)),
        };
        match self.end {
            SampleEnd::Endless => format!("{body} #0"),
            SampleEnd::Intervals(count) => format!("{body} #{count}"),
            SampleEnd::Until(date) => format!("{body} {}T090000", date.format("%Y%m%d")),
        }
    }

    fn start(&self) -> Moment {
        Moment::Floating(self.start.and_hms_opt(9, 0, 0).expect("a time"))
    }

    fn single(&self) -> bool {
        match &self.kind {
            Kind::Daily => true,
            Kind::Weekly(list) => list.len() == 1,
            Kind::MonthDays(list) => list.len() == 1,
            Kind::MonthPositions(list) => list.len() == 1,
            Kind::Months(list) | Kind::YearDays(list) => list.len() == 1,
        }
    }

    /// Which interval a date is in, and whether the rule names it.
    fn names(&self, date: NaiveDate) -> Option<i32> {
        let monday = |date: NaiveDate| {
            date.num_days_from_ce() - date.weekday().num_days_from_monday() as i32
        };
        let months = |date: NaiveDate| date.year() * 12 + date.month0() as i32;
        let length = (28..=31)
            .rev()
            .find(|d| date.with_day(*d).is_some())
            .expect("a last day") as i32;
        let day = date.day() as i32;
        let (unit, named) = match &self.kind {
            Kind::Daily => ((date - self.start).num_days() as i32, true),
            Kind::Weekly(days) => (
                (monday(date) - monday(self.start)) / 7,
                days.contains(&date.weekday().num_days_from_monday()),
            ),
            Kind::MonthDays(days) => (
                months(date) - months(self.start),
                days.iter().any(|d| *d == day || *d == day - length - 1),
            ),
            Kind::MonthPositions(list) => {
                let places = [(day - 1) / 7 + 1, -((length - day) / 7 + 1)];
                let weekday = date.weekday().num_days_from_monday();
                (
                    months(date) - months(self.start),
                    list.iter()
                        .any(|(nth, d)| *d == weekday && places.contains(nth)),
                )
            }
            Kind::Months(list) => (
                date.year() - self.start.year(),
                list.contains(&date.month()) && date.day() == self.start.day(),
            ),
            Kind::YearDays(list) => (
                date.year() - self.start.year(),
                list.contains(&date.ordinal()),
            ),
        };
        (named && unit % self.interval == 0).then_some(unit / self.interval)
    }

    /// The dates within a window, by the meaning of the 1.0 grammar.
    fn dates(&self, days: u64) -> Vec<NaiveDate> {
        let mut seen = 0;
        let mut dates = Vec::new();
        for date in self
            .start
            .iter_days()
            .take(usize::try_from(days).expect("a count"))
        {
            let Some(period) = self.names(date) else {
                continue;
            };
            let inside = match self.end {
                SampleEnd::Endless => true,
                // Where an interval has one occurrence, occurrences are counted.
                SampleEnd::Intervals(count) if self.single() => seen < count,
                SampleEnd::Intervals(count) => period < count,
                SampleEnd::Until(until) => date <= until,
            };
            if inside {
                dates.push(date);
                seen += 1;
            }
        }
        dates
    }
}

/// The dates of a modern rule by the meaning of RFC 5545, day by day, for the parts that 1.0 rules have.
fn modern_dates(text: &str, start: NaiveDate, days: u64) -> Vec<NaiveDate> {
    let part = |name: &str| {
        text.split(';')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    };
    let list = |name: &str| -> Vec<i32> {
        part(name)
            .map(|l| l.split(',').map(|n| n.parse().expect("a number")).collect())
            .unwrap_or_default()
    };
    let interval: i32 = part("INTERVAL").map_or(1, |n| n.parse().expect("a number"));
    let by_day: Vec<(i32, usize)> = part("BYDAY").map_or(Vec::new(), |l| {
        l.split(',')
            .map(|item| {
                let (nth, day) = item.split_at(item.len() - 2);
                (
                    nth.parse().unwrap_or(0),
                    DAYS.iter().position(|d| *d == day).expect("a day"),
                )
            })
            .collect()
    });
    let (month_days, months, year_days) = (list("BYMONTHDAY"), list("BYMONTH"), list("BYYEARDAY"));
    let count = part("COUNT").map(|n| n.parse::<usize>().expect("a number"));
    let until = part("UNTIL").map(|t| moment(t).naive());
    let mut dates = Vec::new();
    for date in start
        .iter_days()
        .take(usize::try_from(days).expect("a count"))
    {
        let weekday = date.weekday().num_days_from_monday() as usize;
        let length = (28..=31)
            .rev()
            .find(|d| date.with_day(*d).is_some())
            .expect("a last day") as i32;
        let day = date.day() as i32;
        let month_distance =
            (date.year() - start.year()) * 12 + date.month() as i32 - start.month() as i32;
        let hit = match part("FREQ").expect("FREQ") {
            "DAILY" => (date - start).num_days() as i32 % interval == 0,
            "WEEKLY" => {
                let week = |d: NaiveDate| {
                    (d - Days::new(d.weekday().num_days_from_monday().into())).num_days_from_ce()
                        / 7
                };
                (week(date) - week(start)) % interval == 0
                    && by_day.iter().any(|(_, d)| *d == weekday)
            }
            "MONTHLY" => {
                month_distance % interval == 0
                    && (by_day.is_empty()
                        || by_day.iter().any(|(nth, d)| {
                            *d == weekday
                                && [(day + 6) / 7, -((length - day) / 7) - 1].contains(nth)
                        }))
                    && (month_days.is_empty()
                        || month_days
                            .iter()
                            .any(|d| *d == day || *d == day - length - 1))
            }
            "YEARLY" => {
                (date.year() - start.year()) % interval == 0
                    && if year_days.is_empty() {
                        date.day() == start.day()
                            && if months.is_empty() {
                                date.month() == start.month()
                            } else {
                                months.contains(&(date.month() as i32))
                            }
                    } else {
                        year_days.contains(&(date.ordinal() as i32))
                    }
            }
            other => panic!("{other}"),
        };
        let over = count.is_some_and(|count| dates.len() >= count)
            || until.is_some_and(|until| date.and_hms_opt(9, 0, 0).expect("a time") > until);
        if hit && !over {
            dates.push(date);
        }
    }
    dates
}

fn set(range: std::ops::RangeInclusive<u32>, most: usize) -> impl Strategy<Value = Vec<u32>> {
    proptest::collection::btree_set(range, 1..=most).prop_map(|set| set.into_iter().collect())
}

fn sample() -> impl Strategy<Value = Sample> {
    let kind = prop_oneof![
        Just(Kind::Daily),
        set(0..=6, 4).prop_map(Kind::Weekly),
        proptest::collection::btree_set(prop_oneof![1..=31, -31..=-1], 1..4)
            .prop_map(|days| Kind::MonthDays(days.into_iter().collect())),
        proptest::collection::btree_set((prop_oneof![1..=5, -5..=-1], 0u32..7), 1..4)
            .prop_map(|list| Kind::MonthPositions(list.into_iter().collect())),
        set(1..=12, 3).prop_map(Kind::Months),
        set(1..=366, 3).prop_map(Kind::YearDays),
    ];
    let end = prop_oneof![
        Just(SampleEnd::Endless),
        (1..30i32).prop_map(SampleEnd::Intervals),
        (0u64..4000).prop_map(|days| SampleEnd::Until(
            NaiveDate::from_ymd_opt(2020, 1, 1).expect("a date") + Days::new(days)
        )),
    ];
    (0u64..4000, 1..5i32, kind, end).prop_map(|(day, interval, kind, end)| {
        let start = NaiveDate::from_ymd_opt(2016, 1, 1).expect("a date") + Days::new(day);
        Sample {
            start,
            interval,
            kind,
            end,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// Up and down again is the same text, or (a count of intervals with several dates) the same dates.
    #[test]
    fn up_and_down_keeps_the_dates(sample in sample()) {
        let text = sample.text();
        let days = 4000;
        let counted = matches!(sample.end, SampleEnd::Intervals(_)) && !sample.single();
        let Some(rule) = parse_legacy(&text, sample.start()) else {
            // Only a rule whose counted intervals hold no date at all may be refused.
            prop_assert!(counted && sample.dates(40_000).is_empty(), "{}", text);
            return Ok(());
        };
        let modern = rule.to_string();
        let expected = sample.dates(days);
        prop_assert_eq!(&modern_dates(&modern, sample.start, days), &expected, "{} {}", text, modern);
        let again = write_legacy(&rule, sample.start(), |end| end.to_string()).expect("the grammar that it came from");
        if counted {
            let back = parse_legacy(&again, sample.start()).expect("a rule").to_string();
            prop_assert_eq!(modern_dates(&back, sample.start, days), expected);
        } else {
            prop_assert_eq!(again, text);
        }
    }

    #[test]
    fn no_text_panics(text in "\\PC{0,60}", start in "[0-9T]{8,16}") {
        let start = Moment::parse(&start).unwrap_or(moment("20260701T090000"));
        if let Some(rule) = parse_legacy(&text, start) {
            prop_assert!(!rule.to_string().is_empty());
        }
        if let Some(rule) = Rule::parse(&text) {
            canonical(&rule, start);
        }
    }

    #[test]
    fn no_rule_like_text_panics(text in "(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL|COUNT|BYDAY|BYMONTH|BYMONTHDAY|BYYEARDAY|BYSETPOS|UNTIL)=[-0-9A-Z,]{1,9}){0,4}|(D|W|MP|MD|YM|YD)[0-9]{1,4}( [0-9]{1,3}[+-]?| MO| FR| LD){0,4} (#[0-9]{1,9}|99991231T235959))") {
        let start = moment("99991215T233000");
        for rule in [Rule::parse(&text), parse_legacy(&text, start)].into_iter().flatten() {
            canonical(&rule, start);
            if let Some(legacy) = write_legacy(&rule, start, |end| end.to_string()) {
                prop_assert!(legacy.contains(' '));
            }
        }
    }
}
