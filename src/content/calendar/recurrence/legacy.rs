//! The recurrence grammar of vCalendar 1.0 (sections 2.1.4 and 2.3.18, after XAPIA's CSA) to and from [`Rule`].
//!
//! `D`, `W`, `MP`, `MD`, `YM`, `YD`, an interval, a list, and `#count` or an end date; no end is `#2`, `#0` is endless. A count
//! counts intervals, not occurrences: both are the same where an interval has one occurrence; elsewhere a counted rule is
//! read as, and written with, the date of its last occurrence.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveTime, Timelike, Weekday};

use super::{End, Frequency, LIST_LIMIT, Rule, expansion, weekday, weekday_name};
use crate::content::calendar::moment::Moment;

/// Reads a 1.0 rule; `start` is the event's start on its local clock. What has no place in [`Rule`] is `None`. An end
/// date is answered as it stands (a date, local, UTC).
pub(in crate::content::calendar) fn parse_legacy(text: &str, start: Moment) -> Option<Rule> {
    let text = text.trim();
    if text.len() > 2_000 || !text.is_ascii() {
        return None;
    }
    let upper = text.to_ascii_uppercase();
    let mut tokens = upper.split_ascii_whitespace().peekable();
    let head = tokens.next()?;
    let letters = head
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(head.len());
    let interval: u32 = match &head[letters..] {
        "" => 1,
        digits => digits.parse().ok().filter(|n| (1..=9999).contains(n))?,
    };
    let frequency = match &head[..letters] {
        "D" => Frequency::Daily,
        "W" => Frequency::Weekly,
        "MP" | "MD" => Frequency::Monthly,
        "YM" | "YD" => Frequency::Yearly,
        _ => return None,
    };
    let mut rule = Rule::new(frequency, interval, End::Count(2));
    let mut ordinal = None;
    let mut ended = false;
    for token in tokens {
        if ended {
            return None;
        }
        if let Some(count) = token.strip_prefix('#') {
            rule.end = match count.parse().ok()? {
                0 => End::Never,
                count => End::Count(count),
            };
            ended = true;
        } else if let Some(end) = end_moment(token) {
            rule.end = End::Until(end);
            ended = true;
        } else if is_time(token) {
            // A time slot: only the event's own time of day says nothing new.
            let own = format!("{:02}{:02}", start.naive().hour(), start.naive().minute());
            if token != own {
                return None;
            }
        } else {
            match &head[..letters] {
                "W" => rule.by_day.push((0, weekday(token)?)),
                "MP" => match weekday(token) {
                    Some(day) => rule.by_day.push((ordinal?, day)),
                    None => ordinal = Some(signed(token, 5).and_then(|n| i8::try_from(n).ok())?),
                },
                "MD" if token == "LD" => rule.by_month_day.push(-1),
                "MD" => rule.by_month_day.push(signed(token, 31)?),
                "YM" => rule.by_month.push(signed(token, 12).filter(|n| *n > 0)?),
                "YD" => rule
                    .by_year_day
                    .push(signed(token, 366).filter(|n| *n > 0)?),
                _ => return None,
            }
        }
        if rule.by_day.len()
            + rule.by_month_day.len()
            + rule.by_year_day.len()
            + rule.by_month.len()
            > LIST_LIMIT
        {
            return None;
        }
    }
    let day = start.date();
    match &head[..letters] {
        "MP" if rule.by_day.is_empty() => {
            let nth = ordinal.or_else(|| i8::try_from((day.day() - 1) / 7 + 1).ok())?;
            rule.by_day.push((nth, day.weekday()));
        }
        "W" if rule.by_day.is_empty() => rule.by_day.push((0, day.weekday())),
        "MD" if rule.by_month_day.is_empty() => {
            rule.by_month_day.push(i16::try_from(day.day()).ok()?)
        }
        "YM" if rule.by_month.is_empty() => rule.by_month.push(i16::try_from(day.month()).ok()?),
        _ => {}
    }
    if let End::Count(count) = rule.end
        && per_interval(&rule) > 1
    {
        let last = expansion::last_date_of_periods(&rule, day, count)?;
        rule.end = End::Until(match start {
            Moment::Date(_) => Moment::Date(last),
            Moment::Floating(time) | Moment::Utc(time) => {
                Moment::Floating(last.and_time(time.time()))
            }
        });
    }
    Some(rule)
}

/// How many occurrences an interval has at most.
fn per_interval(rule: &Rule) -> usize {
    let lists = [
        rule.by_day.len(),
        rule.by_month_day.len(),
        rule.by_month.len(),
        rule.by_year_day.len(),
    ];
    lists.into_iter().max().unwrap_or(0)
}

/// An end date; the shortest is `YYYYMMDD`.
fn end_moment(token: &str) -> Option<Moment> {
    if token.len() < 8 {
        None
    } else {
        Moment::parse(token)
    }
}

fn is_time(token: &str) -> bool {
    token.len() == 4 && token.bytes().all(|b| b.is_ascii_digit())
}

/// `3`, `3+` or `3-` (counted from the end) as a signed number of magnitude 1 to `limit`.
fn signed(token: &str, limit: i16) -> Option<i16> {
    let (digits, sign) = match token.as_bytes().last()? {
        b'-' => (&token[..token.len() - 1], -1),
        b'+' => (&token[..token.len() - 1], 1),
        _ => (token, 1),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits
        .parse::<i16>()
        .ok()
        .filter(|n| (1..=limit).contains(n))
        .map(|n| sign * n)
}

/// Writes a rule in the 1.0 grammar, `None` where that grammar has no place for it. `start` is the event's start on its
/// local clock; `until` writes the last local moment in the form the target wants.
pub(in crate::content::calendar) fn write_legacy(
    rule: &Rule,
    start: Moment,
    until: impl Fn(Moment) -> String,
) -> Option<String> {
    if rule.bound_to_clock(start) || !rule.by_week_no.is_empty() {
        return None;
    }
    let mut out = String::new();
    let repeats = head(rule, start, &mut out)?;
    match rule.end {
        End::Never => out.push_str(" #0"),
        End::Count(count) if repeats <= 1 => {
            let _ = write!(out, " #{count}");
        }
        End::Count(_) => {
            let last = expansion::last_date(&flattened(rule), start)?;
            let end = match start {
                Moment::Date(_) => Moment::Date(last),
                _ => Moment::Floating(last.and_time(start.naive().time())),
            };
            let _ = write!(out, " {}", until(end));
        }
        End::Until(end) => {
            let end = match (end, start) {
                (Moment::Date(date), Moment::Floating(_) | Moment::Utc(_)) => {
                    Moment::Floating(date.and_time(NaiveTime::from_hms_opt(23, 59, 59)?))
                }
                (end, _) => end,
            };
            let _ = write!(out, " {}", until(end));
        }
    }
    Some(out)
}

/// BYSETPOS of one weekday is that weekday's ordinal.
fn flattened(rule: &Rule) -> Rule {
    let mut rule = rule.clone();
    if let ([position], [(0, day)]) = (rule.by_set_pos.as_slice(), rule.by_day.as_slice())
        && let Ok(position) = i8::try_from(*position)
    {
        rule.by_day = vec![(position, *day)];
        rule.by_set_pos.clear();
    }
    rule
}

/// Writes all but the end and answers how many occurrences an interval has at most.
fn head(rule: &Rule, start: Moment, out: &mut String) -> Option<usize> {
    let rule = &flattened(rule);
    let day = start.date();
    if !rule.by_set_pos.is_empty() {
        return None;
    }
    let (start_day, start_month) = (
        i16::try_from(day.day()).ok()?,
        i16::try_from(day.month()).ok()?,
    );
    let plain_days = rule.by_day.iter().all(|(ordinal, _)| *ordinal == 0);
    match rule.frequency {
        Frequency::WithinDay(_) => None,
        Frequency::Daily | Frequency::Weekly => {
            if !rule.by_month.is_empty()
                || !rule.by_month_day.is_empty()
                || !rule.by_year_day.is_empty()
                || !plain_days
            {
                return None;
            }
            if rule.frequency == Frequency::Daily && rule.by_day.is_empty() {
                let _ = write!(out, "D{}", rule.interval);
                return Some(1);
            }
            if rule.frequency == Frequency::Daily && rule.interval != 1
                || !week_start_is_idle(rule, day.weekday())
            {
                return None;
            }
            let _ = write!(out, "W{}", rule.interval);
            let own = [(0, day.weekday())];
            let days = if rule.by_day.is_empty() {
                &own[..]
            } else {
                &rule.by_day
            };
            for (_, day) in days {
                let _ = write!(out, " {}", weekday_name(*day));
            }
            Some(days.len())
        }
        Frequency::Monthly => {
            if !rule.by_year_day.is_empty() {
                return None;
            }
            if !rule.by_month.is_empty() {
                // Every month of the list in every year is a yearly rule.
                let own_day = matches!(rule.by_month_day.as_slice(), [] | [_])
                    && rule.by_month_day.first().is_none_or(|d| *d == start_day);
                return (rule.interval == 1 && rule.by_day.is_empty() && own_day)
                    .then(|| months(rule, 1, out));
            }
            month_head(rule, rule.interval, start_day, out)
        }
        Frequency::Yearly => {
            if !rule.by_year_day.is_empty() {
                if rule.by_year_day.iter().any(|day| *day < 0)
                    || !rule.by_month.is_empty()
                    || !rule.by_month_day.is_empty()
                    || !rule.by_day.is_empty()
                {
                    return None;
                }
                let _ = write!(out, "YD{}", rule.interval);
                for day in &rule.by_year_day {
                    let _ = write!(out, " {day}");
                }
                return Some(rule.by_year_day.len());
            }
            let own_day = rule.by_month_day.is_empty() || rule.by_month_day == [start_day];
            if rule.by_day.is_empty() && own_day {
                if rule.by_month.is_empty() {
                    if !rule.by_month_day.is_empty() {
                        return None;
                    }
                    let _ = write!(out, "YM{} {start_month}", rule.interval);
                    return Some(1);
                }
                return Some(months(rule, rule.interval, out));
            }
            if rule.by_month != [start_month] {
                return None;
            }
            month_head(
                rule,
                rule.interval.checked_mul(12).filter(|n| *n <= 9999)?,
                start_day,
                out,
            )
        }
    }
}

fn months(rule: &Rule, interval: u32, out: &mut String) -> usize {
    let _ = write!(out, "YM{interval}");
    for month in &rule.by_month {
        let _ = write!(out, " {month}");
    }
    rule.by_month.len()
}

fn month_head(rule: &Rule, interval: u32, start_day: i16, out: &mut String) -> Option<usize> {
    if rule.by_day.is_empty() {
        let _ = write!(out, "MD{interval}");
        let own = [start_day];
        let days = if rule.by_month_day.is_empty() {
            &own[..]
        } else {
            &rule.by_month_day
        };
        for day in days {
            let _ = match day {
                -1 => write!(out, " LD"),
                ..0 => write!(out, " {}-", -day),
                _ => write!(out, " {day}"),
            };
        }
        return Some(days.len());
    }
    if !rule.by_month_day.is_empty()
        || rule
            .by_day
            .iter()
            .any(|(ordinal, _)| ordinal.unsigned_abs() > 5)
    {
        return None;
    }
    let _ = write!(out, "MP{interval}");
    let mut shown = None;
    for &(ordinal, day) in &rule.by_day {
        if ordinal == 0 {
            for nth in 1..=5 {
                let _ = write!(out, " {nth}+ {}", weekday_name(day));
            }
            shown = Some(5);
            continue;
        }
        if shown != Some(ordinal) {
            let _ = write!(
                out,
                " {}{}",
                ordinal.unsigned_abs(),
                if ordinal < 0 { '-' } else { '+' }
            );
            shown = Some(ordinal);
        }
        let _ = write!(out, " {}", weekday_name(day));
    }
    Some(if rule.by_day.iter().any(|(ordinal, _)| *ordinal == 0) {
        5
    } else {
        rule.by_day.len()
    })
}

/// Whether WKST changes nothing: 1.0 has no place for it, and its weeks begin on Monday.
pub(super) fn week_start_is_idle(rule: &Rule, start: Weekday) -> bool {
    if rule.week_start == Weekday::Mon || rule.interval == 1 || rule.frequency != Frequency::Weekly
    {
        return true;
    }
    let within = |day: Weekday, first: Weekday| {
        (7 + day.num_days_from_monday() - first.num_days_from_monday()) % 7
    };
    rule.by_day.iter().all(|&(_, day)| {
        let by_monday =
            i64::from(within(day, Weekday::Mon)) - i64::from(within(start, Weekday::Mon));
        let by_own =
            i64::from(within(day, rule.week_start)) - i64::from(within(start, rule.week_start));
        by_monday == by_own
    })
}
