//! Whether an event or task takes place within a window of time (the filter keywords SINCE and BEFORE, OMA DS 1.2).
//!
//! A recurring item takes place whenever an occurrence does: its rule is expanded near the window, EXDATEs and replaced
//! instances are left out, RDATEs and exceptions are looked at by themselves. Invariant: an item whose times cannot be
//! told takes place; better one item too many than one lost.

use std::fmt;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::moment::Moment;
use super::recurrence::{Dates, Rule, dates_between};
use super::timezone::{Zone, Zones};
use super::{is_exception, is_item, stamp};
use crate::content::{Component, Kind, Property, Record};

/// RDATEs and exceptions of one item that are looked at.
const SINGLE_DATES: usize = 5_000;

/// A time as a peer writes it: a date, a local time or a UTC time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(Moment);

impl Time {
    /// Reads the forms of iCalendar and ISO 8601; `None` if it is no time.
    pub fn parse(text: &str) -> Option<Self> {
        Moment::parse(text).map(Self)
    }

    /// The instant, in UTC; local times are those of a zone.
    fn instant(self, zone: &Zone) -> NaiveDateTime {
        instant(self.0, zone)
    }

    /// The later of two, where a local time is taken for UTC.
    #[must_use]
    pub fn later(self, other: Self) -> Self {
        if other.0.naive() > self.0.naive() {
            other
        } else {
            self
        }
    }

    /// The earlier of two, where a local time is taken for UTC.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        if other.0.naive() < self.0.naive() {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A time from `since` on and before `before`; an open side is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The first instant that belongs to it.
    pub since: Option<Time>,
    /// The first instant that belongs to it no longer.
    pub before: Option<Time>,
}

/// Whether an event or task takes place, at least in part, within a window. `time_zone` is where floating times are.
/// What has no times (a task without dates, a contact, a note) takes place always.
pub fn within(record: &Record, window: &Window, time_zone: Tz) -> bool {
    if !matches!(record.kind, Kind::Event | Kind::Task) {
        return true;
    }
    let local = Zone::Iana(time_zone);
    let bounds = Bounds {
        since: window
            .since
            .map_or(NaiveDateTime::MIN, |time| time.instant(&local)),
        before: window
            .before
            .map_or(NaiveDateTime::MAX, |time| time.instant(&local)),
    };
    let zones = Zones::of(&record.root);
    let mut items = record.root.children.iter().filter(|child| is_item(child));
    items.any(|item| {
        let Some(span) = Span::of(item, &zones, &local) else {
            return true;
        };
        if is_exception(item) {
            return bounds.meet(span.start_utc, span.length);
        }
        series(&record.root, item, &span, &bounds, &zones, &local)
    })
}

/// Compares the time of a property with a time; `None` if the property holds none.
pub fn compare_time(
    record: &Record,
    property: &Property,
    time: Time,
    time_zone: Tz,
) -> Option<std::cmp::Ordering> {
    let zones = Zones::of(&record.root);
    let local = Zone::Iana(time_zone);
    let moment = stamp::instant(property, &zones)?;
    // A date is compared as a date.
    if moment.is_date() || time.0.is_date() {
        let date = |moment: Moment| match moment {
            Moment::Utc(utc) => local.to_local(utc).date(),
            other => other.date(),
        };
        return Some(date(moment).cmp(&date(time.0)));
    }
    Some(instant(moment, &local).cmp(&time.instant(&local)))
}

fn instant(moment: Moment, zone: &Zone) -> NaiveDateTime {
    match moment {
        Moment::Utc(utc) => utc,
        other => zone.to_utc(other.naive()),
    }
}

struct Bounds {
    since: NaiveDateTime,
    before: NaiveDateTime,
}

impl Bounds {
    /// Whether something that begins at an instant (UTC) and takes so long is at least in part within.
    fn meet(&self, start: NaiveDateTime, length: TimeDelta) -> bool {
        let end = start.checked_add_signed(length).unwrap_or(start);
        start < self.before && (end > self.since || start >= self.since)
    }
}

/// When the first occurrence is, and how long each takes.
struct Span {
    /// As it stands in the item.
    start: Moment,
    start_utc: NaiveDateTime,
    length: TimeDelta,
    /// The clock on which it recurs.
    zone: Option<std::rc::Rc<Zone>>,
}

impl Span {
    fn of(item: &Component, zones: &Zones<'_>, local: &Zone) -> Option<Self> {
        let due = || item.property("DUE").or_else(|| item.property("COMPLETED"));
        let property = match item.name.as_str() {
            "VTODO" => item.property("DTSTART").or_else(due),
            _ => item.property("DTSTART"),
        }?;
        let start = stamp::moment(property)?;
        let zone = stamp::zone(property, zones);
        let start_utc = instant(stamp::resolved(start, zone.as_deref()), local);
        let end = stamp::end(item, zones).map(|end| instant(end, local));
        // A date without an end takes the day.
        let day = if start.is_date() { 1 } else { 0 };
        let length = end
            .map(|end| end - start_utc)
            .filter(|length| *length > TimeDelta::zero())
            .unwrap_or(TimeDelta::days(day));
        Some(Self {
            start,
            start_utc,
            length,
            zone,
        })
    }

    /// The instant at which the occurrence on a local date begins.
    fn on(&self, date: NaiveDate, local: &Zone) -> NaiveDateTime {
        let time = date.and_time(self.start.naive().time());
        match (self.start, &self.zone) {
            (Moment::Utc(_), _) => time,
            (Moment::Floating(_), Some(zone)) => zone.to_utc(time),
            _ => local.to_utc(time),
        }
    }

    /// The date on the clock of the recurrence.
    fn date(&self, utc: NaiveDateTime, local: &Zone) -> NaiveDate {
        match (self.start, &self.zone) {
            (Moment::Utc(_), _) => utc,
            (Moment::Floating(_), Some(zone)) => zone.to_local(utc),
            _ => local.to_local(utc),
        }
        .date()
    }
}

/// Whether the item itself or a repetition of it is within.
fn series(
    root: &Component,
    item: &Component,
    span: &Span,
    bounds: &Bounds,
    zones: &Zones<'_>,
    local: &Zone,
) -> bool {
    let uid = item.text("UID");
    let replaced = root
        .children
        .iter()
        .filter(|other| other.name == item.name && is_exception(other) && other.text("UID") == uid);
    let skipped: Vec<Moment> = item
        .all("EXDATE")
        .flat_map(|property| stamp::instants(property, zones))
        .chain(replaced.filter_map(|other| stamp::instant(other.property("RECURRENCE-ID")?, zones)))
        .take(SINGLE_DATES)
        .collect();
    let skips = |start: NaiveDateTime| {
        skipped.iter().any(|moment| match moment {
            Moment::Date(date) => *date == span.date(start, local),
            other => instant(*other, local) == start,
        })
    };
    let counts = |start: NaiveDateTime| bounds.meet(start, span.length) && !skips(start);
    if counts(span.start_utc) {
        return true;
    }
    let single = item
        .all("RDATE")
        .flat_map(|property| stamp::instants(property, zones))
        .take(SINGLE_DATES);
    for moment in single {
        let start = match moment {
            Moment::Date(date) => span.on(date, local),
            other => instant(other, local),
        };
        if counts(start) {
            return true;
        }
    }
    item.all("RRULE").any(|property| {
        let Some(rule) = property.value.as_text().and_then(Rule::parse) else {
            return span.start_utc < bounds.before;
        };
        // A day more on both sides: the clock of the recurrence is not that of the window.
        let from = span.date(bounds.since.max(span.start_utc), local);
        let from = from
            .checked_sub_signed(span.length + TimeDelta::days(1))
            .unwrap_or(NaiveDate::MIN);
        let until = bounds.before.min(far());
        let to = span.date(until, local).succ_opt().unwrap_or(NaiveDate::MAX);
        let range = Dates {
            first: span.start.date(),
            from,
            to,
        };
        let ended = |date: NaiveDate, start: NaiveDateTime| match rule.until() {
            Some(Moment::Date(last)) => date > last,
            Some(Moment::Utc(last)) => start > last,
            Some(Moment::Floating(last)) => date.and_time(span.start.naive().time()) > last,
            None => false,
        };
        let mut found = false;
        let known = dates_between(&rule, range, |date| {
            let start = span.on(date, local);
            let over = ended(date, start);
            found = !over && counts(start);
            !found && !over
        });
        // What cannot be expanded is taken to go on until its end.
        let goes_on = || match rule.until() {
            Some(last) => instant(last, local) >= bounds.since,
            None => true,
        };
        found || (!known && span.start_utc < bounds.before && goes_on())
    })
}

/// Nobody plans beyond this.
fn far() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(9999, 12, 30)
        .unwrap_or(NaiveDate::MAX)
        .and_time(chrono::NaiveTime::MIN)
}

#[cfg(test)]
mod tests;
