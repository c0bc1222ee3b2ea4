//! VTIMEZONE: evaluating one that came (RFC 5545 section 3.6.5), and writing one for an IANA zone.
//!
//! Invariants: at most [`OBSERVANCES`] observances and [`ONSETS`] listed onsets are looked at; a yearly rule is evaluated for
//! three years around the date asked for, so the cost does not depend on how far it is from the start.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone, Weekday};
use chrono_tz::{OffsetName, Tz};

use super::{Zone, moved};
use crate::content::calendar::moment::{self, Moment};
use crate::content::calendar::recurrence::{self, End, Frequency, Rule};
use crate::content::{Component, Property};

const OBSERVANCES: usize = 256;
const ONSETS: usize = 1024;

/// One STANDARD or DAYLIGHT of a VTIMEZONE.
#[derive(Debug, Clone)]
pub(in crate::content::calendar) struct Observance {
    start: NaiveDateTime,
    from: i32,
    to: i32,
    rule: Option<Rule>,
    onsets: Vec<NaiveDateTime>,
}

/// The observances that can be understood.
pub(super) fn read(zone: &Component) -> Vec<Observance> {
    let parts = zone
        .children
        .iter()
        .filter(|child| matches!(child.name.as_str(), "STANDARD" | "DAYLIGHT"));
    let mut onsets = ONSETS;
    parts
        .take(OBSERVANCES)
        .filter_map(|part| observance(part, &mut onsets))
        .collect()
}

/// Reads one observance, taking as many listed onsets as are left for the zone.
fn observance(part: &Component, left: &mut usize) -> Option<Observance> {
    let start = Moment::parse(part.text("DTSTART")?)?.naive();
    let to = moment::offset(part.text("TZOFFSETTO")?)?;
    let from = part
        .text("TZOFFSETFROM")
        .and_then(moment::offset)
        .unwrap_or(to);
    let rule = part
        .text("RRULE")
        .and_then(Rule::parse)
        .filter(|rule| rule.frequency == Frequency::Yearly);
    let dates = part
        .properties
        .iter()
        .filter(|property| property.name == "RDATE")
        .filter_map(|property| property.value.as_text());
    let onsets: Vec<_> = dates
        .flat_map(|list| list.split(','))
        .take(*left)
        .filter_map(|date| Moment::parse(date).map(Moment::naive))
        .collect();
    *left -= onsets.len();
    Some(Observance {
        start,
        from,
        to,
        rule,
        onsets,
    })
}

/// Seconds east of UTC at an instant.
pub(super) fn offset_at(observances: &[Observance], utc: NaiveDateTime) -> i32 {
    let latest = observances
        .iter()
        .filter_map(|one| Some((one.last_onset(utc)?, one.to)))
        .max();
    if let Some((_, offset)) = latest {
        return offset;
    }
    observances
        .iter()
        .min_by_key(|one| one.start)
        .map_or(0, |first| first.from)
}

impl Observance {
    /// The last onset, in UTC, that is not after `utc`.
    fn last_onset(&self, utc: NaiveDateTime) -> Option<NaiveDateTime> {
        let local = moved(utc, self.from.into());
        if self.start > local {
            return None;
        }
        let mut last = self.start;
        last = self
            .onsets
            .iter()
            .copied()
            .filter(|onset| *onset <= local)
            .max()
            .map_or(last, |onset| onset.max(last));
        if let Some(rule) = &self.rule {
            let mut limit = local;
            match rule.end {
                End::Until(Moment::Utc(until)) => limit = limit.min(moved(until, self.from.into())),
                End::Until(Moment::Floating(until)) => limit = limit.min(until),
                End::Until(Moment::Date(until)) => {
                    limit = limit.min(until.and_time(NaiveTime::MIN))
                }
                _ => {}
            }
            let final_year = match rule.end {
                End::Count(count) => self
                    .start
                    .year()
                    .saturating_add(i32::try_from(count).unwrap_or(i32::MAX) - 1),
                _ => i32::MAX,
            };
            let year = limit.year().min(final_year);
            for year in [year, year - 1] {
                if year >= self.start.year()
                    && let Some(onset) =
                        yearly_onset(rule, self.start, year).filter(|onset| *onset <= limit)
                {
                    last = last.max(onset);
                    break;
                }
            }
        }
        Some(moved(last, -i64::from(self.from)))
    }
}

/// The onset of a yearly rule in one year, in local time.
fn yearly_onset(rule: &Rule, start: NaiveDateTime, year: i32) -> Option<NaiveDateTime> {
    let month = rule
        .by_month
        .first()
        .map_or(Some(start.month()), |month| u32::try_from(*month).ok())?;
    let first = NaiveDate::from_ymd_opt(year, month, 1)?;
    let length = recurrence::month_length(first);
    let date = match (rule.by_day.first(), rule.by_month_day.is_empty()) {
        (None, true) => first.with_day(start.day())?,
        (Some(&(ordinal, weekday)), true) => nth(first, length, ordinal, weekday)?,
        (day, false) => first.iter_days().take(length as usize).find(|date| {
            day.is_none_or(|(_, weekday)| date.weekday() == *weekday)
                && rule.by_month_day.iter().any(|wanted| {
                    let from_start = i64::from(date.day());
                    i64::from(*wanted) == from_start
                        || i64::from(*wanted) == from_start - i64::from(length) - 1
                })
        })?,
    };
    Some(date.and_time(start.time()))
}

fn nth(first: NaiveDate, length: u32, ordinal: i8, weekday: Weekday) -> Option<NaiveDate> {
    let ahead = (7 + weekday.num_days_from_monday() - first.weekday().num_days_from_monday()) % 7;
    let early = 1 + ahead;
    let day = if ordinal >= 0 {
        early + 7 * (u32::from(ordinal.unsigned_abs()).max(1) - 1)
    } else {
        let last = early + (length - early) / 7 * 7;
        last.checked_sub(7 * (u32::from(ordinal.unsigned_abs()) - 1))?
    };
    first.with_day(day)
}

/// A VTIMEZONE that says what an IANA zone does from the year before `year` on: by rule where the three years around it follow
/// one, else change by change for eight years.
pub(in crate::content::calendar) fn vtimezone(tz: Tz, tzid: &str, year: i32) -> Component {
    let mut zone = Component::new("VTIMEZONE");
    zone.properties.push(line("TZID", tzid.to_owned()));
    zone.properties
        .push(line("X-LIC-LOCATION", tz.name().to_owned()));
    let year = year.clamp(1, 9990);
    let changes = |from: i32, to: i32| match (
        NaiveDate::from_ymd_opt(from, 1, 1),
        NaiveDate::from_ymd_opt(to, 1, 1),
    ) {
        (Some(from), Some(to)) => {
            Zone::Iana(tz).transitions(from.and_time(NaiveTime::MIN), to.and_time(NaiveTime::MIN))
        }
        _ => Vec::new(),
    };
    let around: Vec<Vec<_>> = (year - 1..=year + 1)
        .map(|year| changes(year, year + 1))
        .collect();
    if around.iter().all(Vec::is_empty) {
        let start = NaiveDate::from_ymd_opt(1970, 1, 1)
            .unwrap_or_default()
            .and_time(NaiveTime::MIN);
        let within = NaiveDate::from_ymd_opt(year, 1, 1)
            .unwrap_or_default()
            .and_time(NaiveTime::MIN);
        let offset = Zone::Iana(tz).offset_at(within);
        zone.children.push(part(
            "STANDARD",
            tz,
            within,
            start.min(within),
            offset,
            offset,
            None,
        ));
        return zone;
    }
    let yearly = around
        .iter()
        .all(|year| year.len() == 2)
        .then(|| (rule_of(&around, 0), rule_of(&around, 1)));
    if let Some((Some(first), Some(second))) = yearly {
        for (change, rule) in around[0].iter().zip([first, second]) {
            zone.children.push(change_part(tz, *change, Some(rule)));
        }
    } else {
        for step in 0..8 {
            for change in changes(year - 1 + step, year + step) {
                zone.children.push(change_part(tz, change, None));
            }
        }
    }
    zone
}

/// The yearly rule that the `which`th change of each year follows.
fn rule_of(years: &[Vec<(NaiveDateTime, i32, i32)>], which: usize) -> Option<String> {
    let locals: Vec<(NaiveDateTime, i32, i32)> = years
        .iter()
        .map(|year| {
            year.get(which)
                .map(|&(utc, from, to)| (moved(utc, from.into()), from, to))
        })
        .collect::<Option<_>>()?;
    let (first, from, to) = *locals.first()?;
    let weekday = first.weekday();
    if locals.iter().any(|(local, f, t)| {
        local.month() != first.month()
            || local.weekday() != weekday
            || local.time() != first.time()
            || *f != from
            || *t != to
    }) {
        return None;
    }
    let last = locals
        .iter()
        .all(|(local, ..)| local.day() + 7 > recurrence::month_length(local.date()));
    let nth = (first.day() - 1) / 7 + 1;
    let ordinal = if last {
        "-1".to_owned()
    } else if locals
        .iter()
        .all(|(local, ..)| (local.day() - 1) / 7 + 1 == nth)
    {
        nth.to_string()
    } else {
        return None;
    };
    let day = recurrence::weekday_name(weekday);
    Some(format!(
        "FREQ=YEARLY;BYMONTH={};BYDAY={ordinal}{day}",
        first.month()
    ))
}

fn change_part(
    tz: Tz,
    (utc, from, to): (NaiveDateTime, i32, i32),
    rule: Option<String>,
) -> Component {
    let name = if to > from { "DAYLIGHT" } else { "STANDARD" };
    part(name, tz, utc, moved(utc, from.into()), from, to, rule)
}

fn part(
    name: &str,
    tz: Tz,
    utc: NaiveDateTime,
    start: NaiveDateTime,
    from: i32,
    to: i32,
    rule: Option<String>,
) -> Component {
    let mut part = Component::new(name);
    part.properties
        .push(line("TZOFFSETFROM", offset_text(from)));
    part.properties.push(line("TZOFFSETTO", offset_text(to)));
    let offset = tz.offset_from_utc_datetime(&utc);
    if offset.fix().local_minus_utc() == to
        && let Some(abbreviation) = offset.abbreviation()
    {
        part.properties
            .push(line("TZNAME", abbreviation.to_owned()));
    }
    part.properties
        .push(line("DTSTART", Moment::Floating(start).to_string()));
    if let Some(rule) = rule {
        part.properties.push(line("RRULE", rule));
    }
    part
}

fn line(name: &str, text: String) -> Property {
    Property::text(name, text)
}

/// `+0200`, with seconds where the offset has them.
fn offset_text(offset: i32) -> String {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes, seconds) = (size / 3600, size / 60 % 60, size % 60);
    if seconds == 0 {
        format!("{sign}{hours:02}{minutes:02}")
    } else {
        format!("{sign}{hours:02}{minutes:02}{seconds:02}")
    }
}
