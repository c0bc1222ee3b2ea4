//! What a TZID or a TZ/DAYLIGHT pair means: UTC offsets of local times (RFC 5545 section 3.6.5, vCalendar 1.0 section 2.1.2).
//!
//! A zone is found by its IANA name where one can be seen in the TZID (prefixes of libical and Mozilla, Windows names),
//! else by evaluating the VTIMEZONE that came with the item. Invariants: raw VTIMEZONE components are never changed; every
//! evaluation is bounded by the number of observances, whatever the year asked for.

mod daylight;
mod observance;
mod windows;

use std::cell::RefCell;
use std::rc::Rc;
use std::str::FromStr;

use chrono::{NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;

pub(super) use daylight::{Daylight, daylight_lines, fit};
use observance::Observance;
pub(super) use observance::vtimezone;

use crate::content::Component;

/// The rules by which a local time becomes an instant.
#[derive(Debug, Clone)]
pub(super) enum Zone {
    /// A zone of the IANA database.
    Iana(Tz),
    /// A fixed offset with, at most, some periods of another one (seconds east of UTC).
    Seasons(Seasons),
    /// What a VTIMEZONE says.
    Observances(Vec<Observance>),
}

/// A standard offset and the periods, in UTC, in which another one holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seasons {
    /// Seconds east of UTC outside of all periods.
    pub(super) standard: i32,
    /// Start, end (exclusive), seconds east of UTC.
    pub(super) periods: Vec<(NaiveDateTime, NaiveDateTime, i32)>,
}

impl Zone {
    /// Seconds east of UTC at an instant.
    pub(super) fn offset_at(&self, utc: NaiveDateTime) -> i32 {
        match self {
            Self::Iana(tz) => tz.offset_from_utc_datetime(&utc).fix().local_minus_utc(),
            Self::Seasons(seasons) => {
                let period = seasons
                    .periods
                    .iter()
                    .find(|(start, end, _)| *start <= utc && utc < *end);
                period.map_or(seasons.standard, |&(_, _, offset)| offset)
            }
            Self::Observances(observances) => observance::offset_at(observances, utc),
        }
    }

    /// The instant of a local time: the first of two, and for a time in a gap the one by the offset before the gap.
    pub(super) fn to_utc(&self, local: NaiveDateTime) -> NaiveDateTime {
        if matches!(self, Self::Iana(Tz::UTC)) {
            return local;
        }
        let before = self.offset_at(moved(local, -86_400));
        let first = moved(local, -i64::from(before));
        if self.offset_at(first) == before {
            return first;
        }
        let after = self.offset_at(moved(local, 86_400));
        let second = moved(local, -i64::from(after));
        if self.offset_at(second) == after {
            second
        } else {
            first
        }
    }

    /// The local time at an instant.
    pub(super) fn to_local(&self, utc: NaiveDateTime) -> NaiveDateTime {
        moved(utc, self.offset_at(utc).into())
    }

    /// Instants in `[from, to)` at which the offset changes, with the offsets before and after; at most 12.
    pub(super) fn transitions(
        &self,
        from: NaiveDateTime,
        to: NaiveDateTime,
    ) -> Vec<(NaiveDateTime, i32, i32)> {
        const STEP: i64 = 20 * 86_400;
        let mut found = Vec::new();
        let (mut low, mut low_offset) = (from, self.offset_at(from));
        while low < to && found.len() < 12 {
            let high = moved(low, STEP).min(to);
            if high <= low {
                break;
            }
            let high_offset = self.offset_at(high);
            if high_offset != low_offset {
                let (mut left, mut right) = (low, high);
                while (right - left).num_seconds() > 1 {
                    let middle = moved(left, (right - left).num_seconds() / 2);
                    if self.offset_at(middle) == low_offset {
                        left = middle
                    } else {
                        right = middle
                    }
                }
                found.push((right, low_offset, high_offset));
            }
            (low, low_offset) = (high, high_offset);
        }
        found
    }
}

/// `time` moved by seconds; unmoved where the calendar ends.
pub(super) fn moved(time: NaiveDateTime, seconds: i64) -> NaiveDateTime {
    time.checked_add_signed(TimeDelta::seconds(seconds))
        .unwrap_or(time)
}

/// The IANA zone that a TZID names: itself, behind a vendor's prefix, or as a Windows name.
pub(super) fn iana(tzid: &str) -> Option<Tz> {
    let name = tzid.trim().trim_matches('"');
    if name.is_empty() || name.len() > 128 {
        return None;
    }
    if let Ok(tz) = Tz::from_str(name) {
        return Some(tz);
    }
    // A vendor's prefix ends at some slash; the longest rest that is a name wins.
    for (at, _) in name.match_indices('/').take(8) {
        if let Ok(tz) = Tz::from_str(&name[at + 1..]) {
            return Some(tz);
        }
    }
    windows::iana(name)
}

/// How many TZIDs that are no IANA names an item may use; further ones mean nothing.
const DEFINITIONS: usize = 32;

/// The zones that an item's TZIDs mean; each VTIMEZONE is read once.
#[derive(Debug)]
pub(super) struct Zones<'a> {
    root: &'a Component,
    known: RefCell<Vec<(String, Option<Rc<Zone>>)>>,
}

impl<'a> Zones<'a> {
    /// The zones of a VCALENDAR.
    pub(super) fn of(root: &'a Component) -> Self {
        Self {
            root,
            known: RefCell::default(),
        }
    }

    /// The VTIMEZONE of that TZID.
    pub(super) fn definition(&self, tzid: &str) -> Option<&'a Component> {
        let mut zones = self
            .root
            .children
            .iter()
            .filter(|child| child.name == "VTIMEZONE");
        zones.find(|zone| zone.text("TZID").is_some_and(|id| id.trim() == tzid.trim()))
    }

    /// What a TZID means; `None` where neither its name nor a VTIMEZONE tells.
    pub(super) fn zone(&self, tzid: &str) -> Option<Rc<Zone>> {
        let mut known = self.known.borrow_mut();
        if let Some((_, zone)) = known.iter().find(|(id, _)| id == tzid) {
            return zone.clone();
        }
        if known.len() == DEFINITIONS {
            return None;
        }
        let zone = self.evaluate(tzid).map(Rc::new);
        known.push((tzid.to_owned(), zone.clone()));
        zone
    }

    fn evaluate(&self, tzid: &str) -> Option<Zone> {
        if let Some(tz) = iana(tzid) {
            return Some(Zone::Iana(tz));
        }
        let definition = self.definition(tzid)?;
        if let Some(tz) = definition.text("X-LIC-LOCATION").and_then(iana) {
            return Some(Zone::Iana(tz));
        }
        let observances = observance::read(definition);
        (!observances.is_empty()).then_some(Zone::Observances(observances))
    }
}

#[cfg(test)]
mod tests;
