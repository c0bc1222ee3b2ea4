//! vCalendar 1.0, written: iCalendar's vocabulary lowered to what the form and the device hold.
//!
//! Times are UTC for a device that takes UTC, with TZ and DAYLIGHT lines where an event recurs in a zone; else local times of
//! the target's zone. Floating times stay as they are. Invariants: what [`inexpressible`] names is not written; no line is
//! written that this module's reader would raise to something else.

use std::rc::Rc;

use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::super::moment::Moment;
use super::super::recurrence::{End, Rule, write_legacy};
use super::super::timezone::{Zone, Zones, daylight_lines};
use super::super::{alarm, is_exception, is_item, stamp};
use super::{KEPT_RULES, attendee, is_memo};
use crate::content::capabilities::{self, PropertyCapability};
use crate::content::line::Writer;
use crate::content::{Component, Property, Record, Target, Text, Value};

/// Writes a record; components that the form does not have are left out.
pub(in super::super) fn write(record: &Record, target: &Target<'_>, out: &mut Writer) {
    let root = &record.root;
    let zones = Zones::of(root);
    let holds = |name: &str| {
        target
            .capabilities
            .is_none_or(|capabilities| capabilities.holds(name))
    };
    out.begin("VCALENDAR");
    out.raw(None, "VERSION", &[], "1.0");
    let items: Vec<&Component> = root
        .children
        .iter()
        .filter(|child| is_item(child) && child.name != "VJOURNAL")
        .collect();
    if target.utc && holds("TZ") {
        zone_lines(&items, &zones, out);
    }
    for property in root
        .properties
        .iter()
        .filter(|property| property.name.starts_with("X-") && target.capabilities.is_none())
    {
        other(property, None, out);
    }
    // A device that has no exceptions would show them as events of their own.
    let alone = items.iter().any(|item| !is_exception(item)) && !holds("RECURRENCE-ID");
    for item in items
        .into_iter()
        .filter(|item| !(alone && is_exception(item)))
    {
        Lowering::new(item, &zones, target).write(out);
    }
    out.end("VCALENDAR");
}

/// TZ and DAYLIGHT for the zone in which the first recurring item recurs.
fn zone_lines(items: &[&Component], zones: &Zones<'_>, out: &mut Writer) {
    let recurring =
        |item: &&&Component| item.property("RRULE").is_some() || item.property("RDATE").is_some();
    for item in items.iter().filter(recurring) {
        let Some(start) = item.property("DTSTART") else {
            continue;
        };
        let Some(zone) =
            stamp::zone(start, zones).filter(|zone| !matches!(**zone, Zone::Iana(Tz::UTC)))
        else {
            continue;
        };
        let Some(Moment::Utc(from)) = stamp::instant(start, zones) else {
            continue;
        };
        let until = match item
            .text("RRULE")
            .and_then(Rule::parse)
            .map(|rule| rule.end)
        {
            Some(End::Until(until)) => Some(until.naive()),
            _ => None,
        };
        let (offset, lines) = daylight_lines(&zone, from, until);
        out.raw(None, "TZ", &[], &offset);
        for line in lines {
            out.raw(None, "DAYLIGHT", &[], &line);
        }
        return;
    }
}

/// Which property names of a component the form cannot express; VALARM stands for its alarms.
pub(in super::super) fn inexpressible(item: &Component, zones: &Zones<'_>) -> Vec<String> {
    let mut denied: Vec<String> = Vec::new();
    let mut deny = |name: &str| {
        if !denied.iter().any(|other| other == name) {
            denied.push(name.to_owned());
        }
    };
    let start = item.property("DTSTART").and_then(stamp::moment);
    for property in &item.properties {
        let denied = match property.name.as_str() {
            "RRULE" | "EXRULE" => rule_text(property, start, |end| end.to_string()).is_none(),
            "RDATE" => property
                .value
                .as_text()
                .is_some_and(|text| text.contains('/')),
            "STATUS" => property
                .value
                .as_text()
                .is_some_and(|status| status.eq_ignore_ascii_case("CANCELLED")),
            "ATTACH" => property.value.as_text().is_none(),
            name => !EXPRESSIBLE.contains(&name) && !name.starts_with("X-"),
        };
        if denied {
            deny(&property.name);
        }
    }
    if item
        .children
        .iter()
        .any(|child| child.name != "VALARM" || alarm::lower(child, item, zones, |_| true).is_none())
    {
        deny("VALARM");
    }
    denied
}

const EXPRESSIBLE: [&str; 31] = [
    "ATTACH",
    "ATTENDEE",
    "CATEGORIES",
    "CLASS",
    "COMMENT",
    "COMPLETED",
    "CONTACT",
    "CREATED",
    "DESCRIPTION",
    "DTEND",
    "DTSTAMP",
    "DTSTART",
    "DUE",
    "DURATION",
    "EXDATE",
    "EXRULE",
    "GEO",
    "LAST-MODIFIED",
    "LOCATION",
    "ORGANIZER",
    "PRIORITY",
    "RDATE",
    "RECURRENCE-ID",
    "RELATED-TO",
    "RESOURCES",
    "RRULE",
    "SEQUENCE",
    "SUMMARY",
    "TRANSP",
    "UID",
    "URL",
];

/// A rule in the 1.0 grammar; `start` on the clock of its zone.
fn rule_text(
    property: &Property,
    start: Option<Moment>,
    until: impl Fn(Moment) -> String,
) -> Option<String> {
    write_legacy(&Rule::parse(property.value.as_text()?)?, start?, until)
}

/// One event or task on its way down.
struct Lowering<'a> {
    item: &'a Component,
    zones: &'a Zones<'a>,
    target: &'a Target<'a>,
    start: Option<Moment>,
    zone: Option<Rc<Zone>>,
}

impl<'a> Lowering<'a> {
    fn new(item: &'a Component, zones: &'a Zones<'a>, target: &'a Target<'a>) -> Self {
        let property = item.property("DTSTART").or_else(|| item.property("DUE"));
        let start = item.property("DTSTART").and_then(stamp::moment);
        Self {
            item,
            zones,
            target,
            start,
            zone: property.and_then(|property| stamp::zone(property, zones)),
        }
    }

    fn holds(&self, name: &str) -> bool {
        self.target
            .capabilities
            .is_none_or(|capabilities| capabilities.holds(name))
    }

    /// A moment (UTC, floating, or a date for its midnight) in the form that the device takes.
    fn wire(&self, moment: Moment) -> String {
        match moment {
            Moment::Utc(time) if !self.target.utc => {
                Moment::Floating(Zone::Iana(self.target.time_zone).to_local(time)).to_string()
            }
            Moment::Date(date) => Moment::Floating(date.and_time(NaiveTime::MIN)).to_string(),
            moment => moment.to_string(),
        }
    }

    /// The last moment of an all-day event whose exclusive end is `end`.
    fn last(&self, end: NaiveDate) -> String {
        let midnight = is_memo(self.item)
            || self.target.capabilities.is_some_and(|c| {
                !c.is_empty() && c.holds("X-EPOCAGENDAENTRYTYPE") && self.entry_type() == "EVENT"
            });
        let late = NaiveTime::from_hms_opt(23, 59, 0).unwrap_or_default();
        let time = match end.pred_opt() {
            Some(day) if !midnight => day.and_time(late),
            _ => end.and_time(NaiveTime::MIN),
        };
        Moment::Floating(time).to_string()
    }

    /// What S60 calls this kind of item.
    fn entry_type(&self) -> &'static str {
        match (self.item.name.as_str(), self.start) {
            ("VTODO", _) => "TODO",
            (_, Some(Moment::Date(_))) => "EVENT",
            _ => "APPOINTMENT",
        }
    }

    fn write(&self, out: &mut Writer) {
        out.begin(&self.item.name);
        for (_, property, capability) in capabilities::visible(self.item, self.target.capabilities)
        {
            self.property(property, capability, out);
        }
        for child in self
            .item
            .children
            .iter()
            .filter(|child| child.name == "VALARM")
        {
            if let Some(alarm) =
                alarm::lower(child, self.item, self.zones, |name| self.listed(name))
            {
                let value = format!("{}{}", self.alarm_time(alarm.time), alarm.rest);
                out.raw(None, alarm.name, &alarm.params, &value);
            }
        }
        let asked = self
            .target
            .capabilities
            .is_some_and(|c| !c.is_empty() && c.holds("X-EPOCAGENDAENTRYTYPE"));
        if asked && self.item.property("X-EPOCAGENDAENTRYTYPE").is_none() {
            out.raw(None, "X-EPOCAGENDAENTRYTYPE", &[], self.entry_type());
        }
        out.end(&self.item.name);
    }

    /// Whether the device lists one of the alarm properties by its own name.
    fn listed(&self, name: &str) -> bool {
        self.target.capabilities.is_none_or(|capabilities| {
            capabilities.is_empty()
                || capabilities
                    .properties()
                    .iter()
                    .any(|property| property.name == name)
        })
    }

    /// Alarms ring at an instant even where the event floats: phones that take UTC want them in UTC.
    fn alarm_time(&self, time: Moment) -> String {
        match time {
            Moment::Floating(local) if self.target.utc => {
                Moment::Utc(Zone::Iana(self.target.time_zone).to_utc(local)).to_string()
            }
            time => self.wire(time),
        }
    }

    fn property(
        &self,
        property: &Property,
        capability: Option<&PropertyCapability>,
        out: &mut Writer,
    ) {
        let Property { name, value, .. } = property;
        let raw = |out: &mut Writer, name: &str, value: &str| out.raw(None, name, &[], value);
        match name.as_str() {
            "DTSTART" | "DUE" | "COMPLETED" | "LAST-MODIFIED" | "CREATED" | "RECURRENCE-ID" => {
                let Some(moment) = stamp::instant(property, self.zones) else {
                    return;
                };
                let wire = match name.as_str() {
                    "CREATED" => "DCREATED",
                    "RECURRENCE-ID" => self.target.capabilities.map_or("X-RECURRENCE-ID", |c| {
                        if c.is_empty() {
                            "X-RECURRENCE-ID"
                        } else {
                            c.wire_name(name)
                        }
                    }),
                    name => name,
                };
                raw(out, wire, &self.wire(moment));
                let endless = || {
                    self.item.property("DTEND").is_none()
                        && self.item.property("DURATION").is_none()
                };
                if let (Moment::Date(date), "DTSTART", "VEVENT") =
                    (moment, name.as_str(), self.item.name.as_str())
                    && endless()
                    && self.holds("DTEND")
                {
                    raw(out, "DTEND", &self.last(date.succ_opt().unwrap_or(date)));
                }
            }
            "DTEND" => match stamp::instant(property, self.zones) {
                Some(Moment::Date(end)) => raw(out, "DTEND", &self.last(end)),
                Some(moment) => raw(out, "DTEND", &self.wire(moment)),
                None => {}
            },
            "DURATION" => {
                let name = if self.item.name == "VTODO" {
                    "DUE"
                } else {
                    "DTEND"
                };
                match stamp::end(self.item, self.zones) {
                    _ if self.item.property(name).is_some() => {}
                    Some(Moment::Date(end)) if name == "DTEND" => raw(out, name, &self.last(end)),
                    Some(moment) => raw(out, name, &self.wire(moment)),
                    None => {}
                }
            }
            "EXDATE" | "RDATE" => {
                let dates: Vec<String> = stamp::instants(property, self.zones)
                    .into_iter()
                    .map(|moment| self.wire(moment))
                    .collect();
                if !dates.is_empty() {
                    raw(out, name, &dates.join(";"));
                }
            }
            "RRULE" | "EXRULE" => {
                if let Some(text) = rule_text(property, self.start, |end| self.until(end)) {
                    raw(out, name, &text);
                }
            }
            "STATUS" => {
                let status = value.as_text().unwrap_or_default();
                if !status.eq_ignore_ascii_case("CANCELLED") {
                    raw(out, name, &status.to_ascii_uppercase().replace('-', " "));
                }
            }
            "TRANSP" => {
                let free = value
                    .as_text()
                    .is_some_and(|text| text.eq_ignore_ascii_case("TRANSPARENT"));
                raw(out, name, if free { "1" } else { "0" });
            }
            "GEO" => {
                if let Some((latitude, longitude)) =
                    value.as_text().and_then(|text| text.split_once(';'))
                {
                    raw(out, name, &format!("{longitude},{latitude}"));
                }
            }
            "ATTENDEE" | "ORGANIZER" => {
                let (params, text) = attendee::lower(property);
                out.text(None, "ATTENDEE", &params, &text);
            }
            "CATEGORIES" | "RESOURCES" => {
                let items: Vec<Text> = value
                    .texts()
                    .filter(|item| !item.trim().is_empty())
                    .map(Text::from)
                    .collect();
                out.list(None, name, &[], &items);
            }
            "SUMMARY" | "DESCRIPTION" | "LOCATION" | "COMMENT" | "CONTACT" | "UID"
            | "RELATED-TO" => {
                out.text(
                    None,
                    name,
                    &[],
                    capabilities::cut(value.as_text().unwrap_or_default(), capability),
                );
            }
            "CLASS" | "PRIORITY" | "SEQUENCE" | "URL" | "ATTACH" => {
                if let Value::Text(text) = value {
                    let params: Vec<_> = property
                        .params
                        .iter()
                        .filter(|param| name == "ATTACH" && param.name != "VALUE")
                        .cloned()
                        .collect();
                    out.raw(None, name, &params, text);
                }
            }
            name if KEPT_RULES.iter().any(|(_, kept)| *kept == name) => {
                let wire = KEPT_RULES
                    .iter()
                    .find(|(_, kept)| *kept == name)
                    .map_or(name, |(wire, _)| wire);
                if self.item.property(wire).is_none() {
                    raw(out, wire, value.as_text().unwrap_or_default());
                }
            }
            name if name.starts_with("X-") => other(property, capability, out),
            _ => {}
        }
    }

    /// The end of a rule, local to the start's zone, in the form that the device takes.
    fn until(&self, end: Moment) -> String {
        match (end, self.start) {
            (end, Some(Moment::Date(_))) => self.wire(Moment::Date(end.date())),
            (Moment::Floating(_), Some(Moment::Utc(_))) => self.wire(Moment::Utc(end.naive())),
            (end, _) => self.wire(stamp::resolved(end, self.zone.as_deref())),
        }
    }
}

/// A vendor's property, its value as it came.
fn other(property: &Property, capability: Option<&PropertyCapability>, out: &mut Writer) {
    match &property.value {
        Value::Text(text) => out.raw(
            None,
            &property.name,
            &property.params,
            capabilities::cut(text, capability),
        ),
        Value::Binary(bytes) => out.binary(None, &property.name, &property.params, bytes),
        Value::Parts(parts) => out.parts(None, &property.name, &property.params, parts),
    }
}
