//! Events and tasks: what a dialect does to the lines of a vCalendar.
//!
//! The lines are those of vCalendar 1.0 (section 2.3); of iCalendar 2.0, whose phones have no dialect that any source tells of, only
//! names, fillers and order are changed. Times are as the writer made them: UTC, or local for a device that takes no UTC.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::moment::Moment;
use super::timezone::Zone;
use super::{is_exception, is_item};
use crate::content::dialect::{
    self, AlarmProperty, AllDayEnd, Dialect, EntryTypes, Header, Season, TOLD, ZoneLines,
};
use crate::content::line;
use crate::content::{Component, Format, Params, Property, ReadHint, Record, Target, Text, Value};

/// The type of an item in S60's and UIQ's agenda.
const ENTRY_TYPE: &str = "X-EPOCAGENDAENTRYTYPE";
/// The category by which Series 40 knows a birthday.
const OCCASION: &str = "SPECIAL OCCASION";
/// After so many years a date has the same weekday and leap year (1901 to 2099), in days.
const CYCLE: u64 = 10_227;
/// Cycles from the first year of a date to the latest that a rule may ask for.
const MAX_CYCLES: usize = 80;
/// Properties whose values are times.
const TIMES: &[&str] = &[
    "DTSTART",
    "DTEND",
    "DUE",
    "COMPLETED",
    "DCREATED",
    "LAST-MODIFIED",
    "EXDATE",
    "RDATE",
    "RECURRENCE-ID",
    "X-RECURRENCE-ID",
    "AALARM",
    "DALARM",
];
/// The alarm properties that stand for each other.
const ALARMS: &[&str] = &["AALARM", "DALARM"];

/// Lowers a calendar's lines.
pub(in crate::content) fn lower(
    dialect: &Dialect,
    tree: &mut Component,
    record: &Record,
    target: &Target<'_>,
) {
    let all_day = record
        .root
        .children
        .iter()
        .filter(|child| child.name == "VEVENT")
        .find(|child| !is_exception(child))
        .and_then(|child| child.text("DTSTART"))
        .and_then(Moment::parse)
        .is_some_and(Moment::is_date);
    let mut root = std::mem::take(&mut tree.properties);
    for item in tree.children.iter_mut().filter(|child| is_item(child)) {
        if target.format == Format::VCalendar10 {
            lower_item(dialect, item, all_day, target, &mut root);
        }
        lower_lines(dialect, item);
    }
    tree.properties = root;
}

/// What is done to the lines of either form.
fn lower_lines(dialect: &Dialect, item: &mut Component) {
    let dropped = if item.name == "VTODO" {
        &dialect.drop_task
    } else {
        &dialect.drop_event
    };
    if let Some(headers) = dropped {
        dialect::drop_all(headers, item);
    }
    for property in &mut item.properties {
        match property.name.as_str() {
            "CATEGORIES" => {
                if let Some(prefix) = &dialect.category_prefix {
                    dialect::add_prefix(property, prefix);
                }
            }
            "PRIORITY" => {
                if let Some(scale) = &dialect.priorities {
                    scale_down(property, scale);
                }
            }
            _ => {}
        }
    }
    if let Some(fillers) = fillers(dialect, item) {
        dialect::fill(fillers, item);
    }
    if dialect.omit_empty == Some(true) {
        dialect::omit_empty(item);
    }
    if let Some(names) = &dialect.rename_calendar {
        dialect::rename(names, item);
    }
    if let Some(headers) = &dialect.last {
        dialect::put_last(headers, item);
    }
}

/// What is done to the lines of vCalendar 1.0.
fn lower_item(
    dialect: &Dialect,
    item: &mut Component,
    all_day: bool,
    target: &Target<'_>,
    root: &mut Vec<Property>,
) {
    let event = item.name == "VEVENT";
    if let Some(year) = dialect.earliest_year {
        not_before(item, i32::from(year));
    }
    let yearly = all_day && item.text("RRULE").is_some_and(is_yearly);
    if dialect.endless == Some(true)
        && let Some(Value::Text(rule)) = item.property_mut("RRULE").map(|rule| &mut rule.value)
    {
        drop_end(rule);
    }
    if yearly
        && dialect.yearly_by_day == Some(true)
        && let Some(Value::Text(rule)) = item.property_mut("RRULE").map(|rule| &mut rule.value)
        && let Some(end) = rule.split_whitespace().last()
    {
        *rule = format!("YD1 {end}").into();
    }
    if event && all_day {
        if let Some(end) = dialect.all_day_end {
            end_all_day(item, end);
        }
        if yearly
            && dialect.special_occasion == Some(true)
            && item
                .property("CATEGORIES")
                .is_none_or(|of| of.value.is_blank())
        {
            item.set(Property::text("CATEGORIES", OCCASION));
        }
    }
    if event && let Some(types) = dialect.entry_types {
        entry_type(item, types, all_day, yearly, root);
    }
    if event && all_day && dialect.all_day_zulu == Some(true) {
        for name in ["DTSTART", "DTEND"] {
            if let Some(Value::Text(time)) = item.property_mut(name).map(|time| &mut time.value)
                && time.contains('T')
                && !time.ends_with('Z')
            {
                time.push('Z');
            }
        }
    }
    lower_alarms(dialect, item, target);
    if let Some(season) = dialect.season_out {
        shift_all(item, |time| {
            time - season.shift(time, target.time_zone, target.now, None)
        });
    }
    match dialect.zone_lines {
        Some(ZoneLines::None) => root.retain(|property| !is_zone_line(property)),
        Some(ZoneLines::Item) => {
            let (lines, others) = std::mem::take(root).into_iter().partition(is_zone_line);
            *root = others;
            item.properties.splice(0..0, lines);
        }
        Some(ZoneLines::Calendar) | None => {}
    }
}

/// Raises a calendar's lines.
pub(in crate::content) fn raise(dialect: &Dialect, tree: &mut Component, hint: &ReadHint<'_>) {
    let says = |component: &Component| Some(component.text(TOLD.0)?.trim() == TOLD.1);
    let told = says(tree).or_else(|| tree.children.iter().find_map(says));
    for item in tree.children.iter_mut().filter(|child| is_item(child)) {
        if let Some(names) = &dialect.rename_calendar {
            dialect::rename_back(names, item);
        }
        if let Some(fillers) = fillers(dialect, item) {
            dialect::unfill(fillers, item);
        }
        for property in &mut item.properties {
            match property.name.as_str() {
                "CATEGORIES" => {
                    if let Some(prefix) = &dialect.category_prefix {
                        dialect::strip_prefix(property, prefix);
                    }
                }
                "PRIORITY" => {
                    if let Some(scale) = &dialect.priorities {
                        scale_up(property, scale);
                    }
                }
                _ => {}
            }
        }
        if let Some(season) = dialect.season_in {
            shift_all(item, |time| {
                time + season.shift(time, hint.time_zone, hint.now, told)
            });
        }
    }
    if dialect.season_in == Some(Season::Told) {
        tree.remove(TOLD.0);
        tree.children
            .iter_mut()
            .for_each(|item| item.remove(TOLD.0));
    }
}

/// The fillers for this kind of item.
fn fillers<'d>(dialect: &'d Dialect, item: &Component) -> Option<&'d BTreeMap<Header, String>> {
    if item.name == "VTODO" {
        dialect.fill_task.as_ref()
    } else {
        dialect.fill_event.as_ref()
    }
}

fn is_zone_line(property: &Property) -> bool {
    matches!(property.name.as_str(), "TZ" | "DAYLIGHT")
}

/// Whether a 1.0 rule is once a year.
fn is_yearly(rule: &str) -> bool {
    let head = rule.split_whitespace().next().unwrap_or_default();
    matches!(head, "YM1" | "YD1" | "MD12" | "MP12")
}

/// Makes a rule endless: its end, a count or a time, is its last word.
fn drop_end(rule: &mut Text) {
    let mut words: Vec<&str> = rule.split_whitespace().collect();
    let ends = |word: &&str| word.starts_with('#') || word.len() >= 8;
    if words.last().is_some_and(ends) {
        words.pop();
    }
    *rule = format!("{} #0", words.join(" ")).into();
}

fn end_all_day(item: &mut Component, end: AllDayEnd) {
    let Some(stop) = item.text("DTEND").and_then(Moment::parse) else {
        return;
    };
    let late = stop.naive().hour() == 23 && stop.naive().minute() == 59;
    let (last, after) = if late {
        (Some(stop.date()), stop.date().succ_opt())
    } else {
        (stop.date().pred_opt(), Some(stop.date()))
    };
    let day = |date: Option<NaiveDate>| date.unwrap_or(stop.date()).format("%Y%m%d").to_string();
    let text = match end {
        AllDayEnd::Late => format!("{}T235900", day(last)),
        AllDayEnd::TwentyFour => format!("{}T240000", day(last)),
        AllDayEnd::Midnight => format!("{}T000000", day(after)),
    };
    item.set(Property::text("DTEND", text));
}

/// The type of an event in the agenda, with the times that belong to it.
fn entry_type(
    item: &mut Component,
    types: EntryTypes,
    all_day: bool,
    yearly: bool,
    root: &mut Vec<Property>,
) {
    let start = item.text("DTSTART").map(str::to_owned);
    let instant = start.is_some() && item.text("DTEND") == start.as_deref();
    let kind = match (all_day, yearly) {
        (true, true) => {
            if let Some(start) = start {
                item.set(Property::text("DTEND", start));
            }
            root.retain(|property| !is_zone_line(property));
            "ANNIVERSARY"
        }
        (true, false) => {
            // A memo ends with the day.
            if types == EntryTypes::AllDay && item.property("RRULE").is_none() {
                end_all_day(item, AllDayEnd::Midnight);
            }
            "EVENT"
        }
        (false, _) if types == EntryTypes::AllDay => return,
        (false, _) if instant => "REMINDER",
        (false, _) => "APPOINTMENT",
    };
    item.set(Property::text(ENTRY_TYPE, kind));
}

fn lower_alarms(dialect: &Dialect, item: &mut Component, target: &Target<'_>) {
    let only = dialect.alarm_property.map(|property| match property {
        AlarmProperty::Audio => "AALARM",
        AlarmProperty::Display => "DALARM",
    });
    let mut seen = false;
    item.properties.retain_mut(|property| {
        if !ALARMS.contains(&property.name.as_str()) {
            return true;
        }
        let Value::Text(value) = &mut property.value else {
            return true;
        };
        if dialect.alarm_utc == Some(true) && !target.utc {
            let (time, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
            if let Some(Moment::Floating(local)) = Moment::parse(time) {
                let utc = Zone::Iana(target.time_zone).to_utc(local);
                *value = format!("{}{rest}", Moment::Utc(utc)).into();
            }
        }
        if dialect.alarm_bare == Some(true)
            && let Some(end) = value.find(';')
        {
            value.truncate(end);
            property.params = Params::new();
        }
        let Some(name) = only else {
            return true;
        };
        // One that knows one property knows one alarm.
        property.name = name.into();
        !std::mem::replace(&mut seen, true)
    });
}

/// Moves every UTC time of an item.
fn shift_all(item: &mut Component, shifted: impl Fn(NaiveDateTime) -> NaiveDateTime) {
    each_time(item, |moment| match moment {
        Moment::Utc(time) => Some(Moment::Utc(shifted(time))),
        _ => None,
    });
}

/// Changes the times of an item, one by one; `None` leaves one as it is.
fn each_time(item: &mut Component, change: impl Fn(Moment) -> Option<Moment>) {
    for property in &mut item.properties {
        if !TIMES.contains(&property.name.as_str()) {
            continue;
        }
        let Value::Text(text) = &mut property.value else {
            continue;
        };
        if line::is_overlong(text) {
            continue;
        }
        // Of an alarm only the first field is a time; the others are the times of a list.
        let most = if ALARMS.contains(&property.name.as_str()) {
            1
        } else {
            usize::MAX
        };
        let mut at = 0;
        let changed: Vec<String> = text
            .split_inclusive([';', ','])
            .map(|piece| {
                at += 1;
                let bare = piece.trim_end_matches([';', ',']);
                match Moment::parse(bare).filter(|_| at <= most).and_then(&change) {
                    Some(moment) => format!("{moment}{}", &piece[bare.len()..]),
                    None => piece.to_owned(),
                }
            })
            .collect();
        *text = changed.concat().into();
    }
}

/// Moves an item that begins before a year: one that recurs by whole cycles of the calendar, another one to the year's first day.
fn not_before(item: &mut Component, year: i32) {
    let Some(start) = item.text("DTSTART").and_then(Moment::parse) else {
        return;
    };
    let Some(first) = NaiveDate::from_ymd_opt(year, 1, 1) else {
        return;
    };
    if start.date() >= first {
        return;
    }
    let delta = if item.property("RRULE").is_some() {
        let mut date = start.date();
        for _ in 0..MAX_CYCLES {
            if date.year() >= year {
                break;
            }
            date = date.checked_add_days(Days::new(CYCLE)).unwrap_or(first);
        }
        date - start.date()
    } else {
        first - start.date()
    };
    let moved = |time: NaiveDateTime| time.checked_add_signed(delta).unwrap_or(time);
    each_time(item, |moment| {
        (moment.date() < first).then(|| match moment {
            Moment::Date(date) => Moment::Date(moved(date.and_time(NaiveTime::MIN)).date()),
            Moment::Floating(time) => Moment::Floating(moved(time)),
            Moment::Utc(time) => Moment::Utc(moved(time)),
        })
    });
}

/// The number of a priority from 1 to 9 on a scale of so many steps.
fn step(priority: usize, steps: usize) -> usize {
    (priority.clamp(1, 9) - 1) * steps / 9
}

fn scale_down(property: &mut Property, scale: &[u8]) {
    let Some(priority) = number(property).filter(|priority| *priority > 0) else {
        return;
    };
    if let Some(own) = scale.get(step(usize::from(priority), scale.len())) {
        property.value = Value::Text(own.to_string().into());
    }
}

fn scale_up(property: &mut Property, scale: &[u8]) {
    let Some(own) = number(property) else {
        return;
    };
    let Some(index) = scale.iter().position(|one| *one == own) else {
        return;
    };
    // The ends of the scale are 1 and 9, the others lie evenly between.
    let priority = 1 + index * 8 / (scale.len() - 1).max(1);
    property.value = Value::Text(priority.to_string().into());
}

fn number(property: &Property) -> Option<u8> {
    property.value.as_text()?.trim().parse().ok()
}
