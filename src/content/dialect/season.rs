//! Phones that convert between local time and UTC by the daylight saving of now, or never by it.
//!
//! An event in July that is written in January is an hour off on them, and the other way round. The shift puts that right: what the
//! phone took for the offset against what it is on the event's date.

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::{OffsetComponents as _, Tz};

/// What a phone takes for daylight saving when it converts a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Season {
    /// That of now.
    Now,
    /// None at any time.
    Standard,
    /// An hour if the item says `X-SONYERICSSON-DST:4`, none if it says another number, that of now if it says nothing.
    Told,
}

/// The property by which an item tells the season of the phone, and its value in summer.
pub(in super::super) const TOLD: (&str, &str) = ("X-SONYERICSSON-DST", "4");

impl Season {
    /// What has to be added to a UTC time that the phone made, so that it is right. `told` is what the item says, `now` is in seconds
    /// since 1970.
    pub(in super::super) fn shift(
        self,
        utc: NaiveDateTime,
        zone: Tz,
        now: i64,
        told: Option<bool>,
    ) -> TimeDelta {
        let saved = |at: NaiveDateTime| zone.offset_from_utc_datetime(&at).dst_offset();
        let taken = match (self, told) {
            (Self::Standard, _) | (Self::Told, Some(false)) => TimeDelta::zero(),
            (Self::Told, Some(true)) => TimeDelta::hours(1),
            (Self::Now, _) | (Self::Told, None) => DateTime::from_timestamp(now, 0)
                .map_or(TimeDelta::zero(), |now| saved(now.naive_utc())),
        };
        taken - saved(utc)
    }
}
