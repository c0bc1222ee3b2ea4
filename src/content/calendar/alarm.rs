//! Alarms: AALARM, DALARM, MALARM and PALARM of vCalendar 1.0 (sections 2.3.1, 2.3.11, 2.3.19, 2.3.21) to and from VALARM
//! (RFC 5545 section 3.6.6).
//!
//! A 1.0 alarm rings at a date-time and is meant to ring with every occurrence: it is raised to a trigger relative to DTSTART
//! (or DUE), and only without one of these to an absolute trigger. Lowering answers the date-time of the first occurrence.

use super::moment::{Moment, Span};
use super::stamp;
use super::timezone::Zones;
use crate::content::line::{self, Form};
use crate::content::{Component, Param, Params, Property, Value};

/// The alarm properties of vCalendar 1.0.
pub(super) const LEGACY: [&str; 4] = ["AALARM", "DALARM", "MALARM", "PALARM"];

/// Farther from its event an alarm is absolute.
const FARTHEST: i64 = 400 * 86_400;

/// What a raised alarm is relative to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Anchor {
    /// Start or due time.
    pub(super) time: Moment,
    /// It is the DUE of a task (RELATED=END).
    pub(super) end: bool,
}

/// Raises one 1.0 alarm property. `distance` answers the seconds from the anchor to a moment; `utc` the UTC of a moment.
/// `None` where no time can be read.
pub(super) fn raise(
    property: &Property,
    anchor: Option<Anchor>,
    distance: impl Fn(Moment, Moment) -> i64,
    utc: impl Fn(Moment) -> Moment,
) -> Option<Component> {
    let text = property.value.as_text()?;
    let mut fields = line::pieces(text, b';');
    let run = fields.next().unwrap_or_default().trim();
    let mut field = || {
        fields
            .next()
            .map(|field| line::unescape(field, Form::Legacy))
            .unwrap_or_default()
    };
    let (snooze, repeat) = (field(), field());
    let mut alarm = Component::new("VALARM");
    let trigger = match (Moment::parse(run), Span::parse(run)) {
        (Some(time), _) => match anchor.map(|anchor| (anchor, distance(anchor.time, time))) {
            Some((anchor, seconds)) if seconds.abs() <= FARTHEST => relative(seconds, anchor.end),
            _ => {
                let mut trigger = Property::text("TRIGGER", utc(time).to_string());
                trigger.add_param("VALUE", ["DATE-TIME".into()]);
                trigger
            }
        },
        (None, Some(span)) => relative(
            span.total_seconds(),
            anchor.is_some_and(|anchor| anchor.end),
        ),
        (None, None) => return None,
    };
    let action = match property.name.as_str() {
        "AALARM" => "AUDIO",
        "DALARM" => "DISPLAY",
        "MALARM" => "EMAIL",
        _ => "PROCEDURE",
    };
    alarm.properties.push(Property::text("ACTION", action));
    alarm.properties.push(trigger);
    if let (Some(span), Ok(count @ 1..=9999)) = (Span::parse(&snooze), repeat.trim().parse::<u32>())
    {
        alarm
            .properties
            .push(Property::text("DURATION", span.to_string()));
        alarm
            .properties
            .push(Property::text("REPEAT", count.to_string()));
    }
    match action {
        "DISPLAY" => push(&mut alarm, "DESCRIPTION", field().into()),
        "EMAIL" => {
            let address = field();
            if !address.trim().is_empty() {
                let mailto = if address.contains(':') {
                    address
                } else {
                    format!("mailto:{}", address.trim()).into()
                };
                alarm.properties.push(Property::text("ATTENDEE", mailto));
            }
            push(&mut alarm, "DESCRIPTION", field().into());
        }
        _ => push(&mut alarm, "ATTACH", field().into()),
    }
    // What kind of sound it is stays beside it.
    if let Some(kind) = property.first_param("TYPE") {
        alarm
            .properties
            .push(Property::text("X-VCALENDAR-TYPE", kind));
    }
    Some(alarm)
}

fn push(alarm: &mut Component, name: &str, text: String) {
    if !text.trim().is_empty() {
        alarm.properties.push(Property::text(name, text));
    }
}

fn relative(seconds: i64, end: bool) -> Property {
    let mut trigger = Property::text("TRIGGER", Span::from_seconds(seconds).to_string());
    if end {
        trigger.add_param("RELATED", ["END".into()]);
    }
    trigger
}

/// One 1.0 alarm property, its time not yet in the form that the target takes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lowered {
    /// One of [`LEGACY`].
    pub(super) name: &'static str,
    /// TYPE, where it came with one.
    pub(super) params: Params,
    /// When it rings first.
    pub(super) time: Moment,
    /// `;snooze;repeat;text` escaped, empty where all three are (a bare time is the form that all phones read).
    pub(super) rest: String,
}

/// Lowers a VALARM; `None` where its time is not known. `holds` says which names the device lists: AALARM and DALARM stand in
/// for each other.
pub(super) fn lower(
    alarm: &Component,
    owner: &Component,
    zones: &Zones<'_>,
    holds: impl Fn(&str) -> bool,
) -> Option<Lowered> {
    let time = ring(alarm, owner, zones)?;
    let action = alarm
        .text("ACTION")
        .unwrap_or("DISPLAY")
        .trim()
        .to_ascii_uppercase();
    let name = match action.as_str() {
        "EMAIL" if holds("MALARM") => "MALARM",
        "PROCEDURE" if holds("PALARM") => "PALARM",
        "AUDIO" if holds("AALARM") => "AALARM",
        "DISPLAY" if holds("DALARM") => "DALARM",
        _ => *["AALARM", "DALARM"].iter().find(|name| holds(name))?,
    };
    let span = alarm.text("DURATION").and_then(Span::parse);
    let count = alarm
        .text("REPEAT")
        .and_then(|count| count.trim().parse::<u32>().ok())
        .filter(|count| *count > 0);
    let mut fields = match (span, count) {
        (Some(span), Some(count)) => vec![span.to_string(), count.to_string()],
        _ => vec![String::new(), String::new()],
    };
    let text = |name: &str| alarm.text(name).unwrap_or_default().to_owned();
    match name {
        "DALARM" => fields.push(text("DESCRIPTION")),
        "MALARM" => {
            let address = text("ATTENDEE");
            let plain = address
                .get(..7)
                .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
                .map_or(&*address, |_| &address[7..]);
            fields.extend([plain.to_owned(), text("DESCRIPTION")]);
        }
        _ if matches!(action.as_str(), "AUDIO" | "PROCEDURE") => fields.push(text("ATTACH")),
        _ => fields.push(String::new()),
    }
    let mut rest = String::new();
    if fields.iter().any(|field| !field.is_empty()) {
        for field in &fields {
            rest.push(';');
            rest.push_str(&field.replace('\\', "\\\\").replace(';', "\\;"));
        }
    }
    let kind = alarm.text("X-VCALENDAR-TYPE").filter(|_| action == "AUDIO");
    let params = kind
        .map(|kind| Param::one("TYPE", kind))
        .into_iter()
        .collect();
    Some(Lowered {
        name,
        params,
        time,
        rest,
    })
}

/// When an alarm rings first: UTC where that is known, floating beside a date or a floating time.
pub(super) fn ring(alarm: &Component, owner: &Component, zones: &Zones<'_>) -> Option<Moment> {
    let trigger = alarm.property("TRIGGER")?;
    let text = trigger.value.as_text()?;
    let Some(span) = Span::parse(text) else {
        return stamp::instant(trigger, zones);
    };
    let at_end = trigger
        .first_param("RELATED")
        .is_some_and(|related| related.eq_ignore_ascii_case("END"));
    let start = || {
        owner
            .property("DTSTART")
            .and_then(|start| stamp::instant(start, zones))
    };
    let anchor = if at_end {
        stamp::end(owner, zones).or_else(start)
    } else {
        start().or_else(|| stamp::end(owner, zones))
    }?;
    let time = span.after(anchor.naive())?;
    Some(match anchor {
        Moment::Utc(_) => Moment::Utc(time),
        _ => Moment::Floating(time),
    })
}

/// Drops an alarm that rings with an earlier one of the other kind: phones write AALARM and DALARM for one alarm.
pub(super) fn unite(alarms: &mut Vec<Component>) {
    let mut kept: Vec<Component> = Vec::new();
    for alarm in alarms.drain(..) {
        let heard = |alarm: &Component| matches!(alarm.text("ACTION"), Some("AUDIO" | "DISPLAY"));
        let twin = kept.iter_mut().find(|other| {
            heard(other)
                && heard(&alarm)
                && other.text("ACTION") != alarm.text("ACTION")
                && other.property("TRIGGER") == alarm.property("TRIGGER")
        });
        match twin {
            Some(other) => {
                for property in alarm.properties {
                    if other.property(&property.name).is_none()
                        && !matches!(property.value, Value::Binary(_))
                    {
                        other.properties.push(property);
                    }
                }
            }
            None => kept.push(alarm),
        }
    }
    *alarms = kept;
}

#[cfg(test)]
mod tests;
