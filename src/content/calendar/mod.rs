//! Events and tasks: vCalendar 1.0, iCalendar 2.0 (RFC 5545) and SIF-E and SIF-T to and from the one model.
//!
//! A calendar record is a VCALENDAR component with VTIMEZONEs and one item: a VEVENT or VTODO, and the exceptions of its
//! recurrence (same UID, RECURRENCE-ID). CATEGORIES and RESOURCES are lists, all other values one text; VALARMs are children.
//! A VJOURNAL is a note. `vcalendar`, `icalendar` and `sif` know the forms, `recurrence`, `timezone`, `alarm` and `moment` the
//! parts, `equivalence` tells what means the same.

mod alarm;
mod dialect;
mod equivalence;
mod icalendar;
mod moment;
mod recurrence;
mod sif;
mod stamp;
mod timezone;
mod vcalendar;
mod window;

use chrono::Timelike;

pub(super) use dialect::{lower as lower_dialect, raise as raise_dialect};
pub(super) use equivalence::settle;
pub(super) use sif::{read as read_sif, write as write_sif};
pub use window::{Time, Window, compare_time, within};

use super::{Component, ContentError, Format, Kind, ReadHint, Record, Target, Warning, line};
use moment::Moment;
use timezone::Zones;

/// Raises a calendar; `root` is the tree of raw values from the line reader.
///
/// A calendar that holds only a VJOURNAL is a note (root `VNOTE`, DESCRIPTION as BODY). Errors: no calendar, or a calendar with
/// nothing that is handled.
pub(super) fn read(
    root: Component,
    format: Format,
    hint: &ReadHint<'_>,
) -> Result<(Kind, Component, Vec<Warning>), ContentError> {
    if root.name != "VCALENDAR" {
        return Err(ContentError::NotThisType);
    }
    let has = |name: &str| root.children.iter().any(|child| child.name == name);
    let kind = match (has("VEVENT"), has("VTODO"), hint.kind) {
        (true, true, Some(Kind::Task)) | (false, true, _) => Kind::Task,
        (true, ..) => Kind::Event,
        _ if has("VJOURNAL") => Kind::Note,
        _ if root.children.is_empty() => return Err(ContentError::NotThisType),
        _ => return Err(ContentError::Unsupported),
    };
    let mut warnings = Vec::new();
    let mut root = match format {
        Format::VCalendar10 => vcalendar::read(root, hint, &mut warnings),
        _ => icalendar::read(root, hint),
    };
    if kind == Kind::Note
        && let Some(at) = root
            .children
            .iter()
            .position(|child| child.name == "VJOURNAL")
    {
        root = root.children.swap_remove(at);
        rename(&mut root, "VNOTE", "DESCRIPTION", "BODY");
    }
    Ok((kind, root, warnings))
}

/// Writes an event, a task, or (as VJOURNAL, iCalendar only) a note.
pub(super) fn write(record: &Record, target: &Target<'_>, out: &mut line::Writer) {
    if record.root.name == "VNOTE" {
        let mut journal = record.root.clone();
        rename(&mut journal, "VJOURNAL", "BODY", "DESCRIPTION");
        let root = Component {
            name: "VCALENDAR".to_owned(),
            properties: Vec::new(),
            children: vec![journal],
        };
        return icalendar::write(
            &Record {
                kind: Kind::Note,
                root,
            },
            target,
            out,
        );
    }
    match target.format {
        Format::VCalendar10 => vcalendar::write(record, target, out),
        _ => icalendar::write(record, target, out),
    }
}

fn rename(component: &mut Component, name: &str, from: &str, to: &str) {
    component.name = name.into();
    for property in component
        .properties
        .iter_mut()
        .filter(|property| property.name == from)
    {
        property.name = to.into();
    }
}

/// What an appointment or task is known by: its summary (letters and digits, case folded) and its start (UTC minutes, or a date
/// or time where it floats); for a task the date on which it is due. Equal for one appointment whatever form it came in.
pub(super) fn match_key_text(record: &Record) -> String {
    const SUMMARY: usize = 256;
    let root = &record.root;
    let items = || root.children.iter().filter(|child| is_item(child));
    let Some(item) = items()
        .find(|item| !is_exception(item))
        .or_else(|| items().next())
    else {
        return String::new();
    };
    let mut key = String::with_capacity(64);
    let summary = item.text("SUMMARY").unwrap_or_default();
    key.extend(
        summary
            .chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .take(SUMMARY),
    );
    key.push('|');
    let zones = Zones::of(root);
    let time = if item.name == "VTODO" {
        item.property("DUE")
            .or_else(|| item.property("DTSTART"))
            .and_then(stamp::moment)
            .map(|time| Moment::Date(time.date()))
    } else {
        item.property("DTSTART")
            .and_then(|start| stamp::instant(start, &zones))
    };
    if let Some(time) = time {
        let minutes = |time: chrono::NaiveDateTime| time.with_second(0).unwrap_or(time);
        let time = match time {
            Moment::Utc(time) => Moment::Utc(minutes(time)),
            Moment::Floating(time) => Moment::Floating(minutes(time)),
            date => date,
        };
        key.push_str(&time.to_string());
    }
    key
}

/// An event, a task or a journal entry.
fn is_item(component: &Component) -> bool {
    matches!(component.name.as_str(), "VEVENT" | "VTODO" | "VJOURNAL")
}

/// An exception of a recurrence.
fn is_exception(item: &Component) -> bool {
    item.property("RECURRENCE-ID").is_some()
}

#[cfg(test)]
mod tests;
