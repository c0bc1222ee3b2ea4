//! Recurrence rules as data: the RFC 5545 grammar (section 3.3.10) here, the vCalendar 1.0 grammar in `legacy`.
//!
//! Invariants: lists are bounded, the interval is at least 1 and at most 9999, a rule with any part that is not understood is
//! `None` rather than half of it. The stored text of a rule is never replaced by what this module makes of it, unless a device
//! sent a different rule.

mod expansion;
mod legacy;

use std::fmt::{self, Write as _};

use chrono::Weekday;

use super::moment::Moment;

pub(super) use expansion::{Dates, dates_between, month_length};
pub(super) use legacy::{parse_legacy, write_legacy};

const LIST_LIMIT: usize = 400;

/// How often a rule's interval turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Frequency {
    /// FREQ=SECONDLY, MINUTELY or HOURLY; no legacy form.
    WithinDay(&'static str),
    /// FREQ=DAILY
    Daily,
    /// FREQ=WEEKLY
    Weekly,
    /// FREQ=MONTHLY
    Monthly,
    /// FREQ=YEARLY
    Yearly,
}

/// When a rule ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Never.
    Never,
    /// After this many occurrences, the first included.
    Count(u32),
    /// With the last occurrence that is not after this.
    Until(Moment),
}

/// One recurrence rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// FREQ
    pub(super) frequency: Frequency,
    /// INTERVAL, 1 to 9999
    pub(super) interval: u32,
    /// COUNT or UNTIL
    pub(super) end: End,
    /// BYDAY: ordinal (0 for none) and weekday
    pub(super) by_day: Vec<(i8, Weekday)>,
    /// BYMONTHDAY, 1 to 31 or -31 to -1
    pub(super) by_month_day: Vec<i16>,
    /// BYMONTH, 1 to 12
    pub(super) by_month: Vec<i16>,
    /// BYYEARDAY, 1 to 366 or negative
    pub(super) by_year_day: Vec<i16>,
    /// BYSETPOS
    pub(super) by_set_pos: Vec<i16>,
    /// BYWEEKNO
    pub(super) by_week_no: Vec<i16>,
    /// BYHOUR
    pub(super) by_hour: Vec<i16>,
    /// BYMINUTE
    pub(super) by_minute: Vec<i16>,
    /// BYSECOND
    pub(super) by_second: Vec<i16>,
    /// WKST
    pub(super) week_start: Weekday,
}

impl Rule {
    /// A rule without any part but these.
    pub(super) fn new(frequency: Frequency, interval: u32, end: End) -> Self {
        Self {
            frequency,
            interval,
            end,
            by_day: Vec::new(),
            by_month_day: Vec::new(),
            by_month: Vec::new(),
            by_year_day: Vec::new(),
            by_set_pos: Vec::new(),
            by_week_no: Vec::new(),
            by_hour: Vec::new(),
            by_minute: Vec::new(),
            by_second: Vec::new(),
            week_start: Weekday::Mon,
        }
    }

    /// Reads the RFC 5545 grammar, parts in any order and case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut frequency = None;
        let mut rule = Self::new(Frequency::Daily, 1, End::Never);
        for part in text
            .trim()
            .split(';')
            .filter(|part| !part.trim().is_empty())
        {
            let (name, value) = part.split_once('=')?;
            let value = value.trim();
            match name.trim().to_ascii_uppercase().as_str() {
                "FREQ" => {
                    frequency = Some(match value.to_ascii_uppercase().as_str() {
                        "SECONDLY" => Frequency::WithinDay("SECONDLY"),
                        "MINUTELY" => Frequency::WithinDay("MINUTELY"),
                        "HOURLY" => Frequency::WithinDay("HOURLY"),
                        "DAILY" => Frequency::Daily,
                        "WEEKLY" => Frequency::Weekly,
                        "MONTHLY" => Frequency::Monthly,
                        "YEARLY" => Frequency::Yearly,
                        _ => return None,
                    });
                }
                "INTERVAL" => {
                    rule.interval = value.parse().ok().filter(|n| (1..=9999).contains(n))?
                }
                "COUNT" => rule.end = End::Count(value.parse().ok().filter(|n| *n > 0)?),
                "UNTIL" => rule.end = End::Until(Moment::parse(value)?),
                "WKST" => rule.week_start = weekday(value)?,
                "BYDAY" => {
                    for day in value.split(',') {
                        rule.by_day.push(ordinal_day(day.trim())?);
                        if rule.by_day.len() > LIST_LIMIT {
                            return None;
                        }
                    }
                }
                "BYMONTHDAY" => rule.by_month_day = list(value, -31, 31, false)?,
                "BYMONTH" => rule.by_month = list(value, 1, 12, false)?,
                "BYYEARDAY" => rule.by_year_day = list(value, -366, 366, false)?,
                "BYSETPOS" => rule.by_set_pos = list(value, -366, 366, false)?,
                "BYWEEKNO" => rule.by_week_no = list(value, -53, 53, false)?,
                "BYHOUR" => rule.by_hour = list(value, 0, 23, true)?,
                "BYMINUTE" => rule.by_minute = list(value, 0, 59, true)?,
                "BYSECOND" => rule.by_second = list(value, 0, 60, true)?,
                // Vendors' parts say how to show a rule, not what it means.
                name if name.starts_with("X-") => {}
                _ => return None,
            }
        }
        rule.frequency = frequency?;
        Some(rule)
    }

    /// UNTIL, if it has one.
    pub(super) fn until(&self) -> Option<Moment> {
        match self.end {
            End::Until(until) => Some(until),
            End::Never | End::Count(_) => None,
        }
    }

    /// Whether it names hours, minutes or seconds other than those of `start`'s time of day, or turns within a day.
    fn bound_to_clock(&self, start: Moment) -> bool {
        use chrono::Timelike;
        let time = start.naive().time();
        let other = |list: &[i16], own: u32| {
            !list.is_empty() && (list.len() > 1 || i64::from(list[0]) != i64::from(own))
        };
        matches!(self.frequency, Frequency::WithinDay(_))
            || other(&self.by_hour, time.hour())
            || other(&self.by_minute, time.minute())
            || other(&self.by_second, time.second())
    }
}

impl fmt::Display for Rule {
    /// The RFC 5545 grammar; INTERVAL=1 and WKST=MO are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FREQ=")?;
        f.write_str(match self.frequency {
            Frequency::WithinDay(name) => name,
            Frequency::Daily => "DAILY",
            Frequency::Weekly => "WEEKLY",
            Frequency::Monthly => "MONTHLY",
            Frequency::Yearly => "YEARLY",
        })?;
        if self.interval != 1 {
            write!(f, ";INTERVAL={}", self.interval)?;
        }
        match self.end {
            End::Never => {}
            End::Count(count) => write!(f, ";COUNT={count}")?,
            End::Until(until) => write!(f, ";UNTIL={until}")?,
        }
        for (name, list) in [
            (";BYMONTH=", &self.by_month),
            (";BYWEEKNO=", &self.by_week_no),
            (";BYYEARDAY=", &self.by_year_day),
            (";BYMONTHDAY=", &self.by_month_day),
        ] {
            numbers(f, name, list)?;
        }
        for (at, (ordinal, day)) in self.by_day.iter().enumerate() {
            f.write_str(if at == 0 { ";BYDAY=" } else { "," })?;
            if *ordinal != 0 {
                write!(f, "{ordinal}")?;
            }
            f.write_str(weekday_name(*day))?;
        }
        for (name, list) in [
            (";BYHOUR=", &self.by_hour),
            (";BYMINUTE=", &self.by_minute),
            (";BYSECOND=", &self.by_second),
            (";BYSETPOS=", &self.by_set_pos),
        ] {
            numbers(f, name, list)?;
        }
        if self.week_start != Weekday::Mon {
            write!(f, ";WKST={}", weekday_name(self.week_start))?;
        }
        Ok(())
    }
}

fn numbers(f: &mut fmt::Formatter<'_>, name: &str, list: &[i16]) -> fmt::Result {
    for (at, number) in list.iter().enumerate() {
        f.write_str(if at == 0 { name } else { "," })?;
        write!(f, "{number}")?;
    }
    Ok(())
}

fn list(value: &str, low: i16, high: i16, zero: bool) -> Option<Vec<i16>> {
    let mut numbers = Vec::new();
    for item in value.split(',') {
        let number: i16 = item.trim().parse().ok()?;
        if number < low || number > high || (number == 0 && !zero) || numbers.len() == LIST_LIMIT {
            return None;
        }
        numbers.push(number);
    }
    Some(numbers)
}

fn ordinal_day(text: &str) -> Option<(i8, Weekday)> {
    let split = text.len().checked_sub(2)?;
    let (number, day) = (text.get(..split)?, text.get(split..)?);
    let ordinal = match number {
        "" => 0,
        _ => number
            .parse()
            .ok()
            .filter(|n: &i8| (-53..=53).contains(n) && *n != 0)?,
    };
    Some((ordinal, weekday(day)?))
}

/// The weekday of its two letters.
fn weekday(text: &str) -> Option<Weekday> {
    const NAMES: [(&str, Weekday); 7] = [
        ("MO", Weekday::Mon),
        ("TU", Weekday::Tue),
        ("WE", Weekday::Wed),
        ("TH", Weekday::Thu),
        ("FR", Weekday::Fri),
        ("SA", Weekday::Sat),
        ("SU", Weekday::Sun),
    ];
    NAMES
        .iter()
        .find(|(name, _)| text.eq_ignore_ascii_case(name))
        .map(|(_, day)| *day)
}

/// Its two letters.
pub(super) fn weekday_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Mon => "MO",
        Weekday::Tue => "TU",
        Weekday::Wed => "WE",
        Weekday::Thu => "TH",
        Weekday::Fri => "FR",
        Weekday::Sat => "SA",
        Weekday::Sun => "SU",
    }
}

/// A text equal for rules with the same occurrences from `start` (its local time), where that can be told.
pub(super) fn canonical(rule: &Rule, start: Moment) -> String {
    use chrono::Datelike;
    let mut rule = rule.clone();
    let day = start.date();
    if let ([position], [(0, day)]) = (rule.by_set_pos.as_slice(), rule.by_day.as_slice())
        && let Ok(position) = i8::try_from(*position)
    {
        rule.by_day = vec![(position, *day)];
        rule.by_set_pos.clear();
    }
    if let Some(last) = expansion::last_date(&rule, start) {
        rule.end = End::Until(Moment::Date(last));
    }
    if rule.frequency == Frequency::Monthly
        && rule.interval.is_multiple_of(12)
        && rule.by_month.is_empty()
    {
        rule.frequency = Frequency::Yearly;
        rule.interval /= 12;
        rule.by_month.push(i16::try_from(day.month()).unwrap_or(1));
        if rule.by_day.is_empty() && rule.by_month_day.is_empty() {
            rule.by_month_day
                .push(i16::try_from(day.day()).unwrap_or(1));
        }
    }
    if rule.frequency == Frequency::Daily && rule.interval == 1 && !rule.by_day.is_empty() {
        rule.frequency = Frequency::Weekly;
    }
    let plain = rule.by_day.is_empty() && rule.by_year_day.is_empty() && rule.by_week_no.is_empty();
    match rule.frequency {
        Frequency::Weekly if rule.by_day.is_empty() => rule.by_day.push((0, day.weekday())),
        Frequency::Monthly | Frequency::Yearly if plain => {
            if rule.by_month_day.is_empty() {
                rule.by_month_day
                    .push(i16::try_from(day.day()).unwrap_or(1));
            }
            if rule.frequency == Frequency::Yearly && rule.by_month.is_empty() {
                rule.by_month.push(i16::try_from(day.month()).unwrap_or(1));
            }
        }
        _ => {}
    }
    if !rule.bound_to_clock(start) {
        rule.by_hour.clear();
        rule.by_minute.clear();
        rule.by_second.clear();
    }
    if legacy::week_start_is_idle(&rule, day.weekday()) {
        rule.week_start = Weekday::Mon;
    }
    for list in [
        &mut rule.by_month_day,
        &mut rule.by_month,
        &mut rule.by_year_day,
        &mut rule.by_set_pos,
    ] {
        list.sort_unstable();
        list.dedup();
    }
    rule.by_day
        .sort_unstable_by_key(|(ordinal, day)| (*ordinal, day.num_days_from_monday()));
    rule.by_day.dedup();
    let mut text = String::new();
    let _ = write!(text, "{rule}");
    text
}

#[cfg(test)]
mod tests;
