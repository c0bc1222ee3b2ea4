//! vCalendar 1.0 (Versit, 1996), read: every property raised to iCalendar's vocabulary. Writing is in `lower`.
//!
//! Local times get the zone of the TZ and DAYLIGHT lines, else what the hint says of floating times. An all-day event
//! becomes VALUE=DATE with an exclusive end. A UTC time of a recurring item is brought to the zone in which it recurs.
//! Invariants: a line that cannot be raised is kept under its own name; a rule that cannot be raised is kept as
//! X-VCALENDAR-RRULE, which only vCalendar 1.0 lowers again.

mod all_day;
mod attendee;
mod clock;
mod lower;

use std::borrow::Cow;

use chrono::{NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

pub(super) use all_day::is_memo;
use all_day::{AllDay, View};
use clock::Clock;
pub(super) use lower::{inexpressible, write};

use super::moment::Moment;
use super::recurrence::{End, Rule, parse_legacy};
use super::timezone::Zone;
use super::{alarm, stamp};
use crate::content::line::{self, Form};
use crate::content::{Component, Property, ReadHint, Text, Value, Warning};

/// Where a rule or exception rule is kept that cannot be raised, by the name under which it came.
pub(super) const KEPT_RULES: [(&str, &str); 2] = [
    ("RRULE", "X-VCALENDAR-RRULE"),
    ("EXRULE", "X-VCALENDAR-EXRULE"),
];

/// A property of the root that says that a record came in this form, so that its silence on what the form cannot express is no
/// deletion. It stands in PRODID, which means nothing else in a record and counts in no comparison.
const MARK: (&str, &str) = ("PRODID", "vCalendar 1.0");

/// Whether a calendar was raised from vCalendar 1.0.
pub(super) fn is_marked(root: &Component) -> bool {
    root.text(MARK.0) == Some(MARK.1)
}

const ALARMS: usize = 64;
const WARNINGS: usize = 32;

/// Raises a calendar; `root` is the tree of raw values that the line reader made.
pub(super) fn read(root: Component, hint: &ReadHint<'_>, warnings: &mut Vec<Warning>) -> Component {
    let clock = Clock::new(&root, hint);
    let mut raised = Component::new("VCALENDAR");
    raised.properties = root.properties;
    raised.properties.retain(|property| {
        !matches!(
            property.name.as_str(),
            "TZ" | "DAYLIGHT" | "PRODID" | "VERSION"
        )
    });
    raised.properties.push(Property::text(MARK.0, MARK.1));
    for child in root.children {
        raised.children.push(match child.name.as_str() {
            "VEVENT" | "VTODO" => Item::new(child, &clock, warnings).raise(),
            _ => child,
        });
    }
    raised
}

/// One event or task on its way up.
struct Item<'a> {
    source: Component,
    out: Component,
    clock: &'a Clock,
    all_day: Option<AllDay>,
    /// DTSTART and DUE as they came.
    came: (Option<Moment>, Option<Moment>),
    /// The start on the local clock.
    start: Option<Moment>,
    warnings: &'a mut Vec<Warning>,
}

impl<'a> Item<'a> {
    fn new(source: Component, clock: &'a Clock, warnings: &'a mut Vec<Warning>) -> Self {
        let all_day = all_day::detect(
            &source,
            &|moment| clock.wall(moment),
            matches!(clock.home, Zone::Iana(Tz::UTC)),
        );
        let mut out = Component::new(source.name.as_str());
        out.properties.reserve(source.properties.len());
        let came = |name| source.property(name).and_then(stamp::moment);
        let came = (came("DTSTART"), came("DUE"));
        let mut item = Self {
            source,
            out,
            clock,
            all_day,
            came,
            start: None,
            warnings,
        };
        item.start = came.0.map(|start| item.local(start));
        item
    }

    fn warn(&mut self, text: impl Into<Cow<'static, str>>) {
        if self.warnings.len() < WARNINGS {
            self.warnings.push(Warning {
                line: 0,
                text: text.into(),
            });
        }
    }

    fn raise(mut self) -> Component {
        let mut alarms = Vec::new();
        for property in std::mem::take(&mut self.source.properties) {
            if alarm::LEGACY.contains(&property.name.as_str()) {
                if alarms.len() == ALARMS {
                    self.warn("too many alarms: some are left out");
                } else if let Some(alarm) = self.alarm(&property) {
                    alarms.push(alarm);
                } else if !property.value.is_blank() {
                    self.warn(format!("{}: its time cannot be read", property.name));
                }
                continue;
            }
            self.property(property);
        }
        if let Some(AllDay { end: Some(end), .. }) = self.all_day
            && self.out.name == "VEVENT"
            && self.out.property("DTEND").is_none()
        {
            self.out
                .properties
                .push(stamp::property("DTEND", Moment::Date(end), None));
        }
        alarm::unite(&mut alarms);
        self.out.children = std::mem::take(&mut self.source.children);
        self.out.children.append(&mut alarms);
        self.out
    }

    /// A moment on the local clock, or the date that it is for an all-day item.
    fn local(&self, moment: Moment) -> Moment {
        match self.all_day {
            Some(AllDay { shift, .. }) => Moment::Date(all_day::date(self.view(moment), shift)),
            None if moment.is_date() => moment,
            None => Moment::Floating(self.clock.wall(moment)),
        }
    }

    fn view(&self, moment: Moment) -> NaiveDateTime {
        match self.all_day {
            Some(AllDay {
                view: View::AsWritten,
                ..
            }) => moment.naive(),
            _ => self.clock.wall(moment),
        }
    }

    fn property(&mut self, mut property: Property) {
        let name = property.name.clone();
        match name.as_str() {
            "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "X-RECURRENCE-ID" => {
                self.time(property)
            }
            "COMPLETED" | "CREATED" | "DCREATED" | "LAST-MODIFIED" => {
                if let Some(moment) = stamp::moment(&property) {
                    property =
                        Property::text(name, Moment::Utc(self.clock.utc(moment)).to_string());
                }
                if property.name == "DCREATED" {
                    property.name = "CREATED".into();
                }
                self.keep(property);
            }
            "EXDATE" | "RDATE" => self.dates(&property),
            "RRULE" | "EXRULE" | "XRULE" => self.rule(property),
            "STATUS" => {
                let status = property
                    .value
                    .as_text()
                    .unwrap_or_default()
                    .trim()
                    .to_ascii_uppercase()
                    .replace(' ', "-");
                property.value = Value::Text(status.into());
                self.keep(property);
            }
            "CATEGORIES" | "RESOURCES" => {
                let text = property.value.as_text().unwrap_or_default();
                if !line::is_overlong(text) {
                    let items = line::split(text, b';', Form::Legacy);
                    let items = items.into_iter().map(|item| Text::from(item.trim()));
                    let items = items.filter(|item| !item.is_empty()).collect();
                    property.value = Value::Parts(vec![items]);
                }
                if !property.value.is_blank() {
                    self.keep(property);
                }
            }
            "TRANSP" => {
                let text = property.value.as_text().unwrap_or_default().trim();
                let raised = match text.parse::<u32>() {
                    Ok(0) => "OPAQUE".to_owned(),
                    Ok(_) => "TRANSPARENT".to_owned(),
                    Err(_) => text.to_ascii_uppercase(),
                };
                property.value = Value::Text(raised.into());
                self.keep(property);
            }
            "CLASS" => {
                property.value = Value::Text(
                    property
                        .value
                        .as_text()
                        .unwrap_or_default()
                        .trim()
                        .to_ascii_uppercase()
                        .into(),
                );
                self.keep(property);
            }
            "GEO" => {
                if let Some((longitude, latitude)) = property
                    .value
                    .as_text()
                    .and_then(|text| text.split_once([',', ';']))
                {
                    property.value =
                        Value::Text(format!("{};{}", latitude.trim(), longitude.trim()).into());
                }
                self.keep(property);
            }
            "ATTENDEE" => {
                let raised = attendee::raise(property);
                self.keep(raised);
            }
            "TZ" | "DAYLIGHT" => {}
            "SUMMARY" | "DESCRIPTION" | "LOCATION" | "COMMENT" | "CONTACT" | "UID"
            | "RELATED-TO" => {
                if let Value::Text(text) = &mut property.value {
                    *text = line::unescape(text, Form::Legacy);
                }
                self.keep(property);
            }
            _ => self.keep(property),
        }
    }

    /// Keeps what says something; an empty property of a phone says that the field is empty.
    fn keep(&mut self, property: Property) {
        if !property.value.is_blank() || property.name.starts_with("X-") {
            self.out.properties.push(property);
        }
    }

    fn time(&mut self, property: Property) {
        let Some(moment) = stamp::moment(&property) else {
            if !property.value.is_blank() {
                self.warn(format!("{}: no date", property.name));
            }
            return;
        };
        let name = property
            .name
            .strip_prefix("X-")
            .unwrap_or(&property.name)
            .to_owned();
        if let Some(all_day) = self.all_day {
            let view = self.view(moment);
            let date = match (name.as_str(), all_day.end) {
                ("DTEND" | "DUE", Some(end)) => end,
                // A task has no end, but some write one: it lies before the next day as that of an event does.
                ("DTEND", None) => all_day::date(view, true),
                _ => all_day::date(view, all_day.shift),
            };
            self.out
                .properties
                .push(stamp::property(&name, Moment::Date(date), None));
            return;
        }
        let (moment, tzid) = self.clock.raise(moment);
        self.out
            .properties
            .push(stamp::property(&name, moment, tzid));
    }

    /// EXDATE and RDATE: one property for each form that is needed.
    fn dates(&mut self, property: &Property) {
        let text = property.value.as_text().unwrap_or_default();
        let mut lists: Vec<Property> = Vec::new();
        for item in text
            .split([';', ','])
            .filter(|item| !item.trim().is_empty())
        {
            let Some(moment) = Moment::parse(item) else {
                self.warn(format!("{}: no date", property.name));
                continue;
            };
            let (moment, tzid) = match (self.all_day, self.start) {
                (Some(all_day), _) => (
                    Moment::Date(all_day::date(self.view(moment), all_day.shift)),
                    None,
                ),
                // A date alone, or midnight for want of a time, is the occurrence of that day.
                (None, Some(Moment::Floating(start)))
                    if property.name == "EXDATE"
                        && !matches!(moment, Moment::Utc(_))
                        && moment.naive().time() == NaiveTime::MIN =>
                {
                    let time = moment.date().and_time(start.time());
                    match self.came.0 {
                        Some(Moment::Utc(_)) => {
                            self.clock.raise(Moment::Utc(self.clock.home.to_utc(time)))
                        }
                        _ => self.clock.raise(Moment::Floating(time)),
                    }
                }
                _ => self.clock.raise(moment),
            };
            let params = stamp::params(moment, tzid);
            let form = |other: &Property| {
                other.params == params && is_utc(other) == matches!(moment, Moment::Utc(_))
            };
            match lists.iter_mut().find(|other| form(other)) {
                Some(Property {
                    value: Value::Text(list),
                    ..
                }) => {
                    list.push(',');
                    list.push_str(&moment.to_string());
                }
                _ => lists.push(stamp::property(&property.name, moment, tzid)),
            }
        }
        self.out.properties.append(&mut lists);
    }

    fn rule(&mut self, property: Property) {
        let text = property.value.as_text().unwrap_or_default();
        let name = if property.name == "RRULE" {
            "RRULE"
        } else {
            "EXRULE"
        };
        // Some write the modern grammar under the old version.
        let modern = text
            .trim()
            .get(..5)
            .is_some_and(|head| head.eq_ignore_ascii_case("FREQ="));
        let parsed = match self.start {
            Some(_) if modern => Rule::parse(text),
            Some(start) => parse_legacy(text, start),
            None => None,
        };
        if let (Some(mut rule), Some(start)) = (parsed, self.start) {
            if let End::Until(end) = rule.end {
                rule.end = End::Until(self.until(end, start));
            }
            self.out
                .properties
                .push(Property::text(name, rule.to_string()));
        } else if !text.trim().is_empty() {
            self.warn(format!(
                "{name}: this rule has no equivalent; the event is kept without it"
            ));
            let kept = KEPT_RULES
                .iter()
                .find(|(wire, _)| *wire == name)
                .map_or(name, |(_, kept)| kept);
            self.out.properties.push(Property {
                name: kept.into(),
                ..property
            });
        }
    }

    /// The end of a rule in the form that RFC 5545 asks for beside the start: a date, floating, or UTC.
    fn until(&self, end: Moment, start: Moment) -> Moment {
        if self.all_day.is_some() || start.is_date() {
            return Moment::Date(self.view(end).date());
        }
        let wall = self.clock.wall(end);
        // A date, or midnight beside a start that is not, means the whole day.
        let wall = if wall.time() == NaiveTime::MIN && start.naive().time() != NaiveTime::MIN
            || end.is_date()
        {
            NaiveTime::from_hms_opt(23, 59, 59).map_or(wall, |time| wall.date().and_time(time))
        } else {
            wall
        };
        let floats = self
            .came
            .0
            .is_some_and(|start| matches!(self.clock.raise(start), (Moment::Floating(_), None)));
        match end {
            _ if floats => Moment::Floating(wall),
            Moment::Utc(time) if wall == self.clock.wall(end) => Moment::Utc(time),
            Moment::Utc(_) => Moment::Utc(self.clock.home.to_utc(wall)),
            _ => Moment::Utc(self.clock.utc(Moment::Floating(wall))),
        }
    }

    fn alarm(&self, property: &Property) -> Option<Component> {
        let (start, due) = self.came;
        let anchor = match (due, start) {
            (Some(time), _) if self.out.name == "VTODO" => Some(alarm::Anchor { time, end: true }),
            (_, Some(time)) => Some(alarm::Anchor { time, end: false }),
            (_, None) => None,
        };
        let distance = |anchor: Moment, time: Moment| {
            if let Some(all_day) = self.all_day {
                let midnight =
                    all_day::date(self.view(anchor), all_day.shift).and_time(NaiveTime::MIN);
                let midnight = match all_day.end {
                    Some(due) if self.out.name == "VTODO" => due.and_time(NaiveTime::MIN),
                    _ => midnight,
                };
                return (self.view(time) - midnight).num_seconds();
            }
            (self.clock.utc(time) - self.clock.utc(anchor)).num_seconds()
        };
        alarm::raise(property, anchor, distance, |time| {
            Moment::Utc(self.clock.utc(time))
        })
    }
}

fn is_utc(property: &Property) -> bool {
    property
        .value
        .as_text()
        .is_some_and(|text| text.trim_end().ends_with(['Z', 'z']))
}
