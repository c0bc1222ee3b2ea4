//! What the times of a vCalendar 1.0 mean: its TZ and DAYLIGHT lines, else what is known of the device.
//!
//! Invariant: a moment is raised the same way wherever it stands in the calendar, so that EXDATE and RECURRENCE-ID meet their start.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use crate::content::calendar::moment::{self, Moment};
use crate::content::calendar::stamp;
use crate::content::calendar::timezone::{Daylight, Zone, fit, iana};
use crate::content::{Component, Floating, ReadHint};

/// What the times of one calendar mean.
pub(super) struct Clock {
    /// Floating times are of this zone; `None` where they stay floating.
    floating: Option<Zone>,
    /// Where the device is: decides what midnight is for a UTC time.
    pub(super) home: Zone,
    /// The item recurs, so that its UTC times are brought to `home`.
    recurring: bool,
}

impl Clock {
    pub(super) fn new(root: &Component, hint: &ReadHint<'_>) -> Self {
        let items = || root.children.iter();
        let everywhere = |name: &'static str| {
            root.all(name)
                .chain(items().flat_map(move |item| item.all(name)))
        };
        let start = items().find_map(|item| {
            item.property("DTSTART")
                .or(item.property("DUE"))
                .and_then(stamp::moment)
        });
        let near = start.map_or_else(NaiveDateTime::default, Moment::naive);
        let mut says_none = false;
        let mut lines = Vec::new();
        for text in everywhere("DAYLIGHT")
            .filter_map(|line| line.value.as_text())
            .take(100)
        {
            says_none |= text
                .trim()
                .get(..5)
                .is_some_and(|word| word.eq_ignore_ascii_case("FALSE"));
            lines.extend(Daylight::parse(text));
        }
        // A TZID in a form that knows none is what some servers write: it says what the floating times mean.
        let named = everywhere("DTSTART")
            .find_map(|start| iana(start.first_param("TZID")?))
            .map(Zone::Iana);
        let standard = everywhere("TZ").find_map(|line| moment::offset(line.value.as_text()?));
        let declared = named.or_else(|| {
            standard.map(|standard| fit(standard, &lines, says_none, hint.time_zone, near))
        });
        let floating = match (hint.floating, &declared) {
            (Floating::Utc, _) => Some(Zone::Iana(Tz::UTC)),
            (_, Some(zone)) => Some(zone.clone()),
            (Floating::Local, None) => Some(Zone::Iana(hint.time_zone)),
            (Floating::Keep, None) => None,
        };
        let recurring = items().flat_map(|item| &item.properties).any(|property| {
            matches!(
                property.name.as_str(),
                "RRULE" | "RDATE" | "X-RECURRENCE-ID" | "RECURRENCE-ID"
            )
        });
        Self {
            floating,
            home: declared.unwrap_or(Zone::Iana(hint.time_zone)),
            recurring,
        }
    }

    /// The moment and TZID under which the record keeps a moment.
    pub(super) fn raise(&self, moment: Moment) -> (Moment, Option<&'static str>) {
        match (moment, &self.floating) {
            (Moment::Floating(time), Some(Zone::Iana(Tz::UTC))) => self.raise(Moment::Utc(time)),
            (Moment::Floating(_), Some(Zone::Iana(tz))) => (moment, Some(tz.name())),
            (Moment::Floating(time), Some(zone)) => (Moment::Utc(zone.to_utc(time)), None),
            (Moment::Utc(time), _) if self.recurring => match &self.home {
                Zone::Iana(tz) if *tz != Tz::UTC => {
                    (Moment::Floating(self.home.to_local(time)), Some(tz.name()))
                }
                _ => (moment, None),
            },
            _ => (moment, None),
        }
    }

    /// The clock on the wall where the device is.
    pub(super) fn wall(&self, moment: Moment) -> NaiveDateTime {
        match moment {
            Moment::Utc(time) => self.home.to_local(time),
            other => other.naive(),
        }
    }

    /// UTC, floating times taken for those of the device's place.
    pub(super) fn utc(&self, moment: Moment) -> NaiveDateTime {
        match moment {
            Moment::Utc(time) => time,
            other => self
                .floating
                .as_ref()
                .unwrap_or(&self.home)
                .to_utc(other.naive()),
        }
    }
}
