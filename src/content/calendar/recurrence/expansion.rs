//! The dates of a rule, as far as needed to tell where a counted rule ends and whether it falls into a window (RFC 5545
//! section 3.3.10).
//!
//! Invariants: knows rules by date only (no BYWEEKNO, BYSETPOS; no turn within a day; BYHOUR is not looked at); looks at no date after the year
//! 9999, and gives up after [`WORK`] comparisons, which is more than a century of days.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};

use super::{End, Frequency, Rule};
use crate::content::calendar::moment::Moment;

/// How many comparisons of a day with a part of the rule are made.
const WORK: usize = 200_000;

/// The local date of the last occurrence of a rule that ends; `None` for an endless one, for one that cannot be expanded,
/// and for one that ends too far away.
pub(super) fn last_date(rule: &Rule, start: Moment) -> Option<NaiveDate> {
    let first = start.date();
    let mut left = match rule.end {
        End::Never => return None,
        End::Count(count) => count,
        End::Until(_) => u32::MAX,
    };
    // An UNTIL in UTC is not compared here: the caller has brought it to the local clock of `start`.
    let limit = match rule.end {
        End::Until(Moment::Date(date)) => date,
        End::Until(until) if until.naive().time() < start.naive().time() => {
            until.date().pred_opt()?
        }
        End::Until(until) => until.date(),
        _ => NaiveDate::from_ymd_opt(9999, 12, 31)?,
    };
    let mut last = None;
    let mut dates = Vec::new();
    let cost = cost(rule);
    for period in 0..u32::try_from(WORK / cost).unwrap_or(0) {
        dates.clear();
        let Some(begin) = period_dates(rule, first, period, &mut dates)? else {
            return last;
        };
        dates.sort_unstable();
        dates.dedup();
        for &date in &dates {
            if date < first {
                continue;
            }
            if date > limit {
                return last;
            }
            last = Some(date);
            left -= 1;
            if left == 0 {
                return last;
            }
        }
        if begin > limit {
            return last;
        }
    }
    None
}

/// The last date that lies within the first `count` intervals of a rule, counted from the one with `first` in it.
pub(super) fn last_date_of_periods(rule: &Rule, first: NaiveDate, count: u32) -> Option<NaiveDate> {
    let mut dates = Vec::new();
    // The last interval may be empty (no 31st in it): look back a little.
    for back in 0..count
        .min(64)
        .min(u32::try_from(WORK / cost(rule)).unwrap_or(0))
    {
        dates.clear();
        period_dates(rule, first, count - 1 - back, &mut dates)??;
        if let Some(last) = dates.iter().copied().filter(|date| *date >= first).max() {
            return Some(last);
        }
    }
    None
}

/// Which dates of a rule are wanted.
#[derive(Debug, Clone, Copy)]
pub(in crate::content::calendar) struct Dates {
    /// The local date of the first occurrence.
    pub(in crate::content::calendar) first: NaiveDate,
    /// No date before this one is wanted.
    pub(in crate::content::calendar) from: NaiveDate,
    /// Nor one after this.
    pub(in crate::content::calendar) to: NaiveDate,
}

/// Gives the local dates of a rule's occurrences within a range to `take`, in order, until it answers false. UNTIL is the
/// caller's. False if the rule cannot be expanded, or not that far.
pub(in crate::content::calendar) fn dates_between(
    rule: &Rule,
    range: Dates,
    mut take: impl FnMut(NaiveDate) -> bool,
) -> bool {
    let mut left = match rule.end {
        End::Count(count) => count,
        End::Never | End::Until(_) => u32::MAX,
    };
    // What is counted is counted from the first; all else is looked at from just before the range.
    let skip = match rule.end {
        End::Count(_) => 0,
        End::Never | End::Until(_) => periods_before(rule, range.first, range.from),
    };
    let mut dates = Vec::new();
    for period in 0..u32::try_from(WORK / cost(rule)).unwrap_or(0) {
        dates.clear();
        let Some(known) = skip
            .checked_add(period)
            .and_then(|period| period_dates(rule, range.first, period, &mut dates))
        else {
            return false;
        };
        let Some(begin) = known else { return true };
        dates.sort_unstable();
        dates.dedup();
        for &date in &dates {
            if date < range.first {
                continue;
            }
            if date > range.to || left == 0 {
                return true;
            }
            left -= 1;
            if date >= range.from && !take(date) {
                return true;
            }
        }
        if begin > range.to {
            return true;
        }
    }
    false
}

/// How many intervals can be left out because they end before a date.
fn periods_before(rule: &Rule, first: NaiveDate, date: NaiveDate) -> u32 {
    let days = (date - first).num_days();
    let Ok(days) = u32::try_from(days) else {
        return 0;
    };
    // The longest that an interval can be, and two to spare.
    let longest = match rule.frequency {
        Frequency::WithinDay(_) | Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Monthly => 31,
        Frequency::Yearly => 366,
    };
    (days / longest / rule.interval).saturating_sub(2)
}

/// How many comparisons one interval takes, about.
fn cost(rule: &Rule) -> usize {
    let each = 1 + rule.by_day.len() + rule.by_month_day.len();
    let days = match rule.frequency {
        Frequency::WithinDay(_) | Frequency::Daily => 1,
        Frequency::Weekly => 7,
        Frequency::Monthly => 31,
        Frequency::Yearly if rule.by_month.is_empty() && rule.by_month_day.is_empty() => 31,
        Frequency::Yearly => 31 * rule.by_month.len().max(12),
    };
    days * each + rule.by_year_day.len() + rule.by_month.len()
}

/// Puts the dates of one interval into `dates` and answers the interval's first day. `None`: the rule is not known here;
/// `Some(None)`: the calendar ends.
fn period_dates(
    rule: &Rule,
    first: NaiveDate,
    period: u32,
    dates: &mut Vec<NaiveDate>,
) -> Option<Option<NaiveDate>> {
    if !rule.by_set_pos.is_empty() || !rule.by_week_no.is_empty() {
        return None;
    }
    let step = period.checked_mul(rule.interval)?;
    let begin = match rule.frequency {
        Frequency::WithinDay(_) => return None,
        Frequency::Daily => first.checked_add_days(Days::new(step.into())),
        Frequency::Weekly => {
            let behind = (7 + first.weekday().num_days_from_monday()
                - rule.week_start.num_days_from_monday())
                % 7;
            first
                .checked_sub_days(Days::new(behind.into()))
                .and_then(|week| week.checked_add_days(Days::new(u64::from(step) * 7)))
        }
        Frequency::Monthly => first
            .with_day(1)
            .and_then(|month| month.checked_add_months(Months::new(step))),
        Frequency::Yearly => i32::try_from(step)
            .ok()
            .and_then(|step| NaiveDate::from_ymd_opt(first.year().checked_add(step)?, 1, 1)),
    };
    let Some(begin) = begin.filter(|date| date.year() <= 9999) else {
        return Some(None);
    };
    let in_months = |date: NaiveDate| {
        rule.by_month.is_empty()
            || rule
                .by_month
                .iter()
                .any(|m| i64::from(*m) == i64::from(date.month()))
    };
    match rule.frequency {
        Frequency::WithinDay(_) => return None,
        Frequency::Daily => {
            if !rule.by_month_day.is_empty() || !rule.by_year_day.is_empty() {
                return None;
            }
            if in_months(begin)
                && (rule.by_day.is_empty()
                    || rule.by_day.iter().any(|(_, day)| *day == begin.weekday()))
            {
                dates.push(begin);
            }
        }
        Frequency::Weekly => {
            if !rule.by_month_day.is_empty() || !rule.by_year_day.is_empty() {
                return None;
            }
            for date in begin.iter_days().take(7) {
                let chosen = if rule.by_day.is_empty() {
                    date.weekday() == first.weekday()
                } else {
                    rule.by_day.iter().any(|(_, day)| *day == date.weekday())
                };
                if chosen && in_months(date) {
                    dates.push(date);
                }
            }
        }
        Frequency::Monthly => {
            if !rule.by_year_day.is_empty() {
                return None;
            }
            if in_months(begin) {
                month_dates(rule, begin, first, dates);
            }
        }
        Frequency::Yearly => year_dates(rule, begin, first, dates)?,
    }
    Some(Some(begin))
}

fn year_dates(
    rule: &Rule,
    begin: NaiveDate,
    first: NaiveDate,
    dates: &mut Vec<NaiveDate>,
) -> Option<()> {
    if !rule.by_year_day.is_empty() {
        if !rule.by_day.is_empty() || !rule.by_month_day.is_empty() || !rule.by_month.is_empty() {
            return None;
        }
        let length: i32 = if begin.leap_year() { 366 } else { 365 };
        for &day in &rule.by_year_day {
            let day = if day > 0 {
                i32::from(day)
            } else {
                length + 1 + i32::from(day)
            };
            dates.extend(
                u32::try_from(day)
                    .ok()
                    .and_then(|day| NaiveDate::from_yo_opt(begin.year(), day)),
            );
        }
        return Some(());
    }
    if !rule.by_day.is_empty() && rule.by_month.is_empty() {
        return None;
    }
    let own = [i16::try_from(first.month()).ok()?];
    let months = match (rule.by_month.as_slice(), rule.by_month_day.is_empty()) {
        ([], true) => &own[..],
        ([], false) => &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12][..],
        (months, _) => months,
    };
    for &month in months {
        let month = NaiveDate::from_ymd_opt(begin.year(), u32::try_from(month).ok()?, 1)?;
        month_dates(rule, month, first, dates);
    }
    Some(())
}

/// The dates of one month (its first day) by BYDAY and BYMONTHDAY, by `first`'s day where neither is there.
fn month_dates(rule: &Rule, month: NaiveDate, first: NaiveDate, dates: &mut Vec<NaiveDate>) {
    let length = month_length(month);
    if rule.by_day.is_empty() && rule.by_month_day.is_empty() {
        dates.extend(month.with_day(first.day()));
        return;
    }
    for day in 1..=length {
        let Some(date) = month.with_day(day) else {
            continue;
        };
        let by_month_day = rule.by_month_day.is_empty()
            || rule.by_month_day.iter().any(|wanted| {
                let wanted = i64::from(*wanted);
                wanted == i64::from(day) || wanted == i64::from(day) - i64::from(length) - 1
            });
        let by_day = rule.by_day.is_empty()
            || rule
                .by_day
                .iter()
                .any(|&(ordinal, weekday)| is_nth(date, length, ordinal, weekday));
        if by_month_day && by_day {
            dates.push(date);
        }
    }
}

fn is_nth(date: NaiveDate, length: u32, ordinal: i8, weekday: Weekday) -> bool {
    let nth = i64::from((date.day() - 1) / 7 + 1);
    let nth_last = -i64::from((length - date.day()) / 7 + 1);
    date.weekday() == weekday
        && (ordinal == 0 || i64::from(ordinal) == nth || i64::from(ordinal) == nth_last)
}

/// How many days the month of a date has.
pub(in crate::content::calendar) fn month_length(date: NaiveDate) -> u32 {
    let next = date
        .with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)));
    next.and_then(|next| next.pred_opt())
        .map_or(31, |last| last.day())
}
