//! Dates, date-times and durations as text (RFC 5545 sections 3.3.4, 3.3.5, 3.3.6; vCalendar 1.0 uses the same forms).
//!
//! Invariants: the year is 1 to 9999 after reading; no arithmetic overflows, it answers `None` instead.

use std::fmt;

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike};

/// A date or a date-time; the zone of a floating one may stand in a TZID parameter beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Moment {
    /// `20260701`
    Date(NaiveDate),
    /// `20260701T090000`
    Floating(NaiveDateTime),
    /// `20260701T070000Z`
    Utc(NaiveDateTime),
}

impl Moment {
    /// Reads basic and hyphenated forms, with or without seconds; hour 24 is the next midnight.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bytes = text.as_bytes();
        if bytes.len() > 40 {
            return None;
        }
        let split = bytes
            .iter()
            .position(|b| matches!(b, b'T' | b't' | b' '))
            .unwrap_or(bytes.len());
        let (digits, count) = digits(&bytes[..split], b'-')?;
        if count != 8 {
            return None;
        }
        let year = i32::try_from(digits / 10_000).ok()?;
        if year == 0 {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(year, digits / 100 % 100, digits % 100)?;
        if split == bytes.len() {
            return Some(Self::Date(date));
        }
        let mut rest = &bytes[split + 1..];
        let mut zone = Suffix::None;
        if let Some((b'Z' | b'z', head)) = rest.split_last() {
            (rest, zone) = (head, Suffix::Offset(0));
        } else if let Some(at) = rest.iter().position(|b| matches!(b, b'+' | b'-')) {
            zone = Suffix::Offset(offset(std::str::from_utf8(&rest[at..]).ok()?)?);
            rest = &rest[..at];
        }
        if let Some(at) = rest.iter().position(|b| matches!(b, b'.' | b',')) {
            rest = &rest[..at];
        }
        let (mut digits, count) = self::digits(rest, b':')?;
        match count {
            4 => digits *= 100,
            6 => {}
            _ => return None,
        }
        let (hour, minute, second) = (digits / 10_000, digits / 100 % 100, (digits % 100).min(59));
        if digits % 100 > 60 {
            return None;
        }
        let time = if hour == 24 {
            if minute != 0 || second != 0 {
                return None;
            }
            date.succ_opt()?.and_time(NaiveTime::MIN)
        } else {
            date.and_hms_opt(hour, minute, second)?
        };
        Some(match zone {
            Suffix::None => Self::Floating(time),
            Suffix::Offset(seconds) => {
                Self::Utc(time.checked_sub_signed(TimeDelta::seconds(seconds.into()))?)
            }
        })
    }

    /// The clock as it stands in the text; midnight for a date.
    pub(super) fn naive(self) -> NaiveDateTime {
        match self {
            Self::Date(date) => date.and_time(NaiveTime::MIN),
            Self::Floating(time) | Self::Utc(time) => time,
        }
    }

    /// The date as it stands in the text.
    pub(super) fn date(self) -> NaiveDate {
        self.naive().date()
    }

    /// Whether this has no time of day.
    pub(super) fn is_date(self) -> bool {
        matches!(self, Self::Date(_))
    }
}

enum Suffix {
    None,
    Offset(i32),
}

/// The number made of the digits of `bytes`, separators left out, and how many there are (at most 8).
fn digits(bytes: &[u8], separator: u8) -> Option<(u32, usize)> {
    let mut number = 0u32;
    let mut count = 0;
    for &byte in bytes {
        if byte == separator {
            continue;
        }
        if !byte.is_ascii_digit() || count == 8 {
            return None;
        }
        number = number * 10 + u32::from(byte - b'0');
        count += 1;
    }
    Some((number, count))
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let naive = self.naive();
        let mut text = [0u8; 16];
        decimal(&mut text[0..4], naive.year().clamp(0, 9999).unsigned_abs());
        decimal(&mut text[4..6], naive.month());
        decimal(&mut text[6..8], naive.day());
        text[8] = b'T';
        decimal(&mut text[9..11], naive.hour());
        decimal(&mut text[11..13], naive.minute());
        decimal(&mut text[13..15], naive.second());
        text[15] = b'Z';
        let length = match self {
            Self::Date(_) => 8,
            Self::Floating(_) => 15,
            Self::Utc(_) => 16,
        };
        f.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

fn decimal(out: &mut [u8], mut number: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// Reads a UTC offset (`+02`, `+0200`, `-05:30`, `+1`, `+020000`) as seconds east; at most 18 hours.
pub(super) fn offset(text: &str) -> Option<i32> {
    let text = text.trim();
    let (sign, rest) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let (number, count) = digits(rest.as_bytes(), b':')?;
    let number = i32::try_from(number).ok()?;
    let (hours, minutes, seconds) = match count {
        1 | 2 => (number, 0, 0),
        3 | 4 => (number / 100, number % 100, 0),
        6 => (number / 10_000, number / 100 % 100, number % 100),
        _ => return None,
    };
    (hours <= 18 && minutes < 60 && seconds < 60)
        .then_some(sign * (hours * 3600 + minutes * 60 + seconds))
}

/// A duration; days are nominal (they follow the wall clock), seconds exact. Both have the same sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    /// Whole days, weeks counted as seven.
    pub(super) days: i64,
    /// Seconds beside the days.
    pub(super) seconds: i64,
}

impl Span {
    /// Reads `[+-]P[nW][nD][T[nH][nM][nS]]`; each number has at most 7 digits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, rest) = match text.as_bytes().first()? {
            b'-' => (-1, &text[1..]),
            b'+' => (1, &text[1..]),
            _ => (1, text),
        };
        let rest = rest.strip_prefix(['P', 'p'])?;
        let mut span = Self::default();
        let (mut number, mut count, mut in_time, mut parts) = (0i64, 0, false, 0);
        for byte in rest.bytes() {
            match byte.to_ascii_uppercase() {
                digit @ b'0'..=b'9' if count < 7 => {
                    number = number * 10 + i64::from(digit - b'0');
                    count += 1;
                    continue;
                }
                b'T' if !in_time && count == 0 => {
                    in_time = true;
                    continue;
                }
                _ if count == 0 => return None,
                b'W' if !in_time => span.days += number * 7,
                b'D' if !in_time => span.days += number,
                b'H' if in_time => span.seconds += number * 3600,
                b'M' if in_time => span.seconds += number * 60,
                b'S' if in_time => span.seconds += number,
                _ => return None,
            }
            (number, count, parts) = (0, 0, parts + 1);
            if parts > 8 {
                return None;
            }
        }
        (count == 0 && parts > 0).then_some(Self {
            days: sign * span.days,
            seconds: sign * span.seconds,
        })
    }

    /// Whole days taken out of the seconds.
    pub(super) fn from_seconds(seconds: i64) -> Self {
        Self {
            days: seconds / 86_400,
            seconds: seconds % 86_400,
        }
    }

    /// All of it in seconds, a day being 24 hours.
    pub(super) fn total_seconds(self) -> i64 {
        self.days
            .saturating_mul(86_400)
            .saturating_add(self.seconds)
    }

    /// `time` moved by this on a wall clock.
    pub(super) fn after(self, time: NaiveDateTime) -> Option<NaiveDateTime> {
        time.checked_add_signed(TimeDelta::try_seconds(self.total_seconds())?)
            .filter(|time| (1..=9999).contains(&time.year()))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.days < 0 || self.seconds < 0 {
            f.write_str("-")?;
        }
        let (days, seconds) = (self.days.unsigned_abs(), self.seconds.unsigned_abs());
        f.write_str("P")?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if seconds > 0 || days == 0 {
            f.write_str("T")?;
            let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
            if hours > 0 {
                write!(f, "{hours}H")?;
            }
            if minutes > 0 {
                write!(f, "{minutes}M")?;
            }
            if rest > 0 || seconds == 0 {
                write!(f, "{rest}S")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(
            Moment::parse(text).map(|m| m.to_string()).as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn moments_in_every_form_phones_write() {
        check("20260701T090000Z", Some("20260701T090000Z"));
        check("20260701T090000", Some("20260701T090000"));
        check("20260701T0900", Some("20260701T090000"));
        check("2026-07-01T09:00:00Z", Some("20260701T090000Z"));
        check("20260701", Some("20260701"));
        check("2026-07-01", Some("20260701"));
        check(" 20260701T240000 ", Some("20260702T000000"));
        check("20261231T240000Z", Some("20270101T000000Z"));
        check("20260701T090000+0200", Some("20260701T070000Z"));
        check("20260701T090000.500Z", Some("20260701T090000Z"));
        check("20260701T235960", Some("20260701T235959"));
        for bad in [
            "",
            "T",
            "99999",
            "999990101",
            "00000101",
            "20260732",
            "20260701T250000",
            "20260701T09",
            "20260701T240001",
            "2026ö701",
            "202607010T00",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn spans_keep_days_apart_from_seconds() {
        for (text, days, seconds, again) in [
            ("PT15M", 0, 900, "PT15M"),
            ("-PT15M", 0, -900, "-PT15M"),
            ("P1D", 1, 0, "P1D"),
            ("P1W", 7, 0, "P7D"),
            ("-P1DT2H3M4S", -1, -7384, "-P1DT2H3M4S"),
            ("PT0S", 0, 0, "PT0S"),
            ("PT90M", 0, 5400, "PT1H30M"),
        ] {
            assert_eq!(Span::parse(text), Some(Span { days, seconds }), "{text}");
            assert_eq!(Span { days, seconds }.to_string(), again);
        }
        for bad in [
            "",
            "P",
            "PT",
            "15M",
            "PT15",
            "P1H",
            "PT99999999H",
            "P1D1",
            "PTT1H",
        ] {
            assert_eq!(Span::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn offsets() {
        for (text, seconds) in [
            ("+02", 7200),
            ("-0530", -19800),
            ("+05:45", 20700),
            ("2", 7200),
            ("-5", -18000),
            ("+013730", 5850),
        ] {
            assert_eq!(offset(text), Some(seconds), "{text}");
        }
        for bad in ["", "+", "+99", "ab", "+0260"] {
            assert_eq!(offset(bad), None, "{bad}");
        }
    }
}
