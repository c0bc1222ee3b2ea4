//! The TZ and DAYLIGHT properties of vCalendar 1.0 (sections 2.1.2.1, 2.1.2.2): to a zone, and from a zone.
//!
//! Phones disagree on whether a season's bounds are standard, daylight or UTC times, so a zone fits where its offsets agree a
//! day and a half to both sides of each bound. Invariants: one DAYLIGHT line per year and at most [`LINES`] of them are written.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use super::{Seasons, Zone, moved};
use crate::content::calendar::moment::{self, Moment};

/// How many DAYLIGHT lines are written, and how many read.
const LINES: usize = 3;
const READ_LINES: usize = 100;
const MARGIN: i64 = 36 * 3600;

/// One `DAYLIGHT:TRUE` line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::content::calendar) struct Daylight {
    offset: i32,
    start: Moment,
    end: Moment,
}

impl Daylight {
    /// Reads `TRUE;+02;20070325T020000;20071028T030000;CET;CEST`; `None` for FALSE and for what cannot be read.
    pub(in crate::content::calendar) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.split(';').map(str::trim);
        if !fields.next()?.eq_ignore_ascii_case("TRUE") {
            return None;
        }
        let offset = moment::offset(fields.next()?)?;
        let start = Moment::parse(fields.next()?)?;
        let end = Moment::parse(fields.next()?)?;
        (start.naive() < end.naive()).then_some(Self { offset, start, end })
    }

    /// The season in UTC, a bound without Z read on the clock that holds before it.
    fn period(&self, standard: i32) -> (NaiveDateTime, NaiveDateTime, i32) {
        let utc = |moment: Moment, offset: i32| match moment {
            Moment::Utc(time) => time,
            other => moved(other.naive(), -i64::from(offset)),
        };
        (
            utc(self.start, standard),
            utc(self.end, self.offset),
            self.offset,
        )
    }
}

/// Zones to try first, in this order: those that most phones were sold in.
const COMMON: [Tz; 48] = [
    Tz::Europe__London,
    Tz::Europe__Berlin,
    Tz::Europe__Helsinki,
    Tz::America__New_York,
    Tz::America__Chicago,
    Tz::America__Denver,
    Tz::America__Los_Angeles,
    Tz::America__Phoenix,
    Tz::America__Anchorage,
    Tz::America__Halifax,
    Tz::America__St_Johns,
    Tz::America__Sao_Paulo,
    Tz::America__Argentina__Buenos_Aires,
    Tz::America__Bogota,
    Tz::America__Caracas,
    Tz::America__Santiago,
    Tz::America__Mexico_City,
    Tz::America__Havana,
    Tz::Pacific__Honolulu,
    Tz::Atlantic__Azores,
    Tz::Europe__Moscow,
    Tz::Europe__Istanbul,
    Tz::Asia__Jerusalem,
    Tz::Africa__Cairo,
    Tz::Africa__Johannesburg,
    Tz::Asia__Tehran,
    Tz::Asia__Dubai,
    Tz::Asia__Kabul,
    Tz::Asia__Karachi,
    Tz::Asia__Kolkata,
    Tz::Asia__Kathmandu,
    Tz::Asia__Yangon,
    Tz::Asia__Bangkok,
    Tz::Asia__Shanghai,
    Tz::Asia__Tokyo,
    Tz::Asia__Yekaterinburg,
    Tz::Asia__Novosibirsk,
    Tz::Asia__Krasnoyarsk,
    Tz::Asia__Irkutsk,
    Tz::Asia__Vladivostok,
    Tz::Australia__Sydney,
    Tz::Australia__Adelaide,
    Tz::Australia__Darwin,
    Tz::Australia__Brisbane,
    Tz::Australia__Perth,
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Auckland,
    Tz::Pacific__Chatham,
];

/// The zone of a TZ line (seconds east) and its DAYLIGHT lines: `home` where it fits, else a common zone, else any zone, else
/// just what the lines say. `says_none` is `DAYLIGHT:FALSE`; `near` is a time of the item.
pub(in crate::content::calendar) fn fit(
    standard: i32,
    lines: &[Daylight],
    says_none: bool,
    home: Tz,
    near: NaiveDateTime,
) -> Zone {
    let seasons = || Seasons {
        standard,
        periods: lines
            .iter()
            .take(READ_LINES)
            .map(|line| line.period(standard))
            .collect(),
    };
    if let Some(line) = lines
        .iter()
        .find(|line| line.start.naive() <= near && near <= line.end.naive())
        .or(lines.first())
    {
        let period = line.period(standard);
        let fits = |tz: Tz| {
            let at =
                |time: NaiveDateTime, seconds: i64| Zone::Iana(tz).offset_at(moved(time, seconds));
            at(period.0, -MARGIN) == standard
                && at(period.0, MARGIN) == line.offset
                && at(period.1, -MARGIN) == line.offset
                && at(period.1, MARGIN) == standard
        };
        if fits(home) {
            return Zone::Iana(home);
        }
        let found = COMMON
            .iter()
            .chain(chrono_tz::TZ_VARIANTS.iter())
            .copied()
            .find(|tz| fits(*tz));
        return found.map_or_else(|| Zone::Seasons(seasons()), Zone::Iana);
    }
    // Offsets in January, in July and at the item: all the same where there is no daylight saving.
    let offsets = |tz: Tz| {
        let at = |month| {
            NaiveDate::from_ymd_opt(near.year(), month, 1).map_or(0, |date| {
                Zone::Iana(tz).offset_at(date.and_time(NaiveTime::MIN))
            })
        };
        [
            at(1),
            at(7),
            Zone::Iana(tz).offset_at(moved(near, -i64::from(standard))),
        ]
    };
    let of_home = offsets(home);
    // A bare TZ line says the offset of now or of standard time: the home zone explains both.
    if of_home == [standard; 3] || (!says_none && of_home.contains(&standard)) {
        return Zone::Iana(home);
    }
    if standard == 0 {
        return Zone::Iana(Tz::UTC);
    }
    let fixed = fixed_zone(standard).or_else(|| {
        COMMON
            .iter()
            .copied()
            .find(|tz| offsets(*tz) == [standard; 3])
    });
    fixed.map_or_else(|| Zone::Seasons(seasons()), Zone::Iana)
}

/// `Etc/GMT-2` for two hours east.
fn fixed_zone(offset: i32) -> Option<Tz> {
    let hours = offset / 3600;
    if offset % 3600 != 0 || !(-12..=14).contains(&hours) {
        return None;
    }
    format!(
        "Etc/GMT{}{}",
        if hours > 0 { '-' } else { '+' },
        hours.unsigned_abs()
    )
    .parse()
    .ok()
}

/// The values of TZ and of the DAYLIGHT lines of a zone, from the season that holds or follows `from` to `until`.
pub(in crate::content::calendar) fn daylight_lines(
    zone: &Zone,
    from: NaiveDateTime,
    until: Option<NaiveDateTime>,
) -> (String, Vec<String>) {
    let begin = moved(from, -366 * 86_400);
    let end = moved(from, 366 * 86_400 * LINES as i64);
    let changes = zone.transitions(begin, end);
    let standard = changes
        .iter()
        .map(|(_, before, after)| *before.min(after))
        .min()
        .unwrap_or_else(|| zone.offset_at(from));
    let mut lines = Vec::new();
    for pair in changes.windows(2) {
        let [(start, before, offset), (stop, _, after)] = pair else {
            continue;
        };
        if *before != standard || *after != standard || *stop <= from || lines.len() == LINES {
            continue;
        }
        if !lines.is_empty() && until.is_none_or(|until| *start > until) {
            break;
        }
        lines.push(format!(
            "TRUE;{};{};{};;",
            offset_text(*offset),
            Moment::Floating(moved(*start, i64::from(*before))),
            Moment::Floating(moved(*stop, i64::from(*offset))),
        ));
    }
    if lines.is_empty() {
        lines.push("FALSE".to_owned());
    }
    (offset_text(standard), lines)
}

/// `+02`, `-05:30`
fn offset_text(offset: i32) -> String {
    let (sign, size) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let (hours, minutes) = (size / 3600, size / 60 % 60);
    if minutes == 0 {
        format!("{sign}{hours:02}")
    } else {
        format!("{sign}{hours:02}:{minutes:02}")
    }
}
