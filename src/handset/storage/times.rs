//! Times as a phone takes them (vCalendar 1.0 section 2.8.4: local, or UTC with a `Z`).

use chrono::{Datelike as _, NaiveDateTime, Offset as _, TimeDelta, TimeZone as _};
use chrono_tz::{OffsetComponents as _, Tz};

use super::line::{Line, Value};
use super::rules::{Rules, Times};
use super::{Placed, fields};

/// Properties that hold a time, or begin with one.
const TIMES: [&str; 8] = [
    "DTSTART",
    "DTEND",
    "DUE",
    "COMPLETED",
    "AALARM",
    "DALARM",
    "EXDATE",
    "X-EPOCALARM",
];
const FORM: &str = "%Y%m%dT%H%M%S";

/// A time and whether it is marked as UTC.
fn parse(text: &str) -> Option<(NaiveDateTime, bool)> {
    let text = text.trim();
    let bare = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    let time = NaiveDateTime::parse_from_str(bare, FORM).ok()?;
    Some((time, bare.len() != text.len()))
}

/// What the phone adds to UTC for its own time.
fn offset(times: Times, zone: Tz, now: i64) -> TimeDelta {
    let moment = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc());
    match times {
        Times::StandardOffset => offset.base_utc_offset(),
        _ => TimeDelta::seconds(i64::from(offset.fix().local_minus_utc())),
    }
}

/// It is summer time at a moment.
fn is_summer(zone: Tz, now: i64) -> bool {
    let moment = chrono::DateTime::from_timestamp(now, 0).unwrap_or_default();
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc());
    !offset.dst_offset().is_zero()
}

/// Applies a change to every time of the calendar properties.
fn convert(
    lines: &mut [Placed],
    change: impl Fn(NaiveDateTime, bool) -> Option<(NaiveDateTime, bool)>,
) {
    for (_, line) in lines
        .iter_mut()
        .filter(|(_, line)| TIMES.contains(&line.name.as_str()))
    {
        let Value::Text(text) = &mut line.value else {
            continue;
        };
        let list = line.name == "EXDATE";
        let pieces: Vec<String> = text
            .split(';')
            .enumerate()
            .map(|(index, piece)| {
                let changed = (list || index == 0)
                    .then(|| parse(piece))
                    .flatten()
                    .and_then(|(time, utc)| change(time, utc));
                match changed {
                    Some((time, utc)) => {
                        format!("{}{}", time.format(FORM), if utc { "Z" } else { "" })
                    }
                    None => piece.to_owned(),
                }
            })
            .collect();
        *text = pieces.join(";");
    }
}

/// Times that came, as the phone takes them.
pub(super) fn take(
    lines: &mut [Placed],
    rules: &Rules,
    zone: Tz,
    now: i64,
    mishaps: &mut Vec<String>,
) {
    if let Some(first) = rules.first_year {
        let early = |time: NaiveDateTime| time.year() < i32::from(first);
        let found = lines.iter().any(|(_, line)| {
            let time = TIMES
                .contains(&line.name.as_str())
                .then(|| line.text())
                .flatten();
            time.and_then(parse).is_some_and(|(time, _)| early(time))
        });
        if found {
            mishaps.push(format!("a date before {first} was changed"));
            convert(lines, |time, utc| {
                let moved = early(time).then(|| time.with_year(i32::from(first)));
                Some((moved.flatten()?, utc))
            });
        }
    }
    match rules.times {
        Times::Utc => {}
        Times::Local | Times::UtcWithoutMark => {
            let marked = lines.iter().any(|(_, line)| {
                matches!(line.name.as_str(), "DTSTART" | "DTEND" | "DUE")
                    && line.text().and_then(parse).is_some_and(|(_, utc)| utc)
            });
            if marked && rules.times == Times::Local && zone != Tz::UTC {
                mishaps.push("a UTC time was taken for a local one".to_owned());
            }
            convert(lines, |time, _| Some((time, false)));
        }
        Times::OffsetOfNow | Times::StandardOffset => {
            let ahead = offset(rules.times, zone, now);
            convert(lines, |time, utc| {
                utc.then(|| time.checked_add_signed(ahead))
                    .flatten()
                    .map(|time| (time, false))
            });
        }
    }
}

/// A kept time on the phone's clock.
pub(super) fn local(text: &str, times: Times, zone: Tz) -> Option<NaiveDateTime> {
    let (time, utc) = parse(text)?;
    Some(if utc || times == Times::UtcWithoutMark {
        time.and_utc().with_timezone(&zone).naive_local()
    } else {
        time
    })
}

/// Times as the phone sends them.
pub(super) fn give(lines: &mut Vec<Placed>, rules: &Rules, zone: Tz, now: i64) {
    if let Some([name, summer, winter]) = &rules.season_mark {
        let value = if is_summer(zone, now) { summer } else { winter };
        lines.retain(|(_, line)| line.name != *name);
        fields::insert_inner(lines, Line::new(name, value));
    }
    if rules.times.converts() {
        let ahead = offset(rules.times, zone, now);
        convert(lines, |time, utc| {
            (!utc)
                .then(|| time.checked_sub_signed(ahead))
                .flatten()
                .map(|time| (time, true))
        });
    }
}
