//! SIF-E and SIF-T, read.

use chrono::{Days, NaiveTime};

use super::super::moment::Moment;
use super::super::recurrence::End;
use super::super::timezone::{Zone, iana};
use super::super::vcalendar;
use super::rule::Fields;
use super::{BUSY, BUSY_STATUS, OTHER_STATUS, PARTSTATS, PRIORITIES, STATUSES};
use crate::content::markup::Element;
use crate::content::sif::read_plain;
use crate::content::{Component, Format, Kind, Property, ReadHint, Warning};

/// Dates of exceptions that are looked at, and attendees.
const MAX_LIST: usize = 1_000;
/// Seasons of a zone that are looked at.
const MAX_SEASONS: usize = 50;

/// Raises an event or a task.
pub(in crate::content) fn read(
    object: &Element,
    kind: Kind,
    hint: &ReadHint<'_>,
    warnings: &mut Vec<Warning>,
) -> Component {
    let format = match kind {
        Kind::Task => Format::SifTask,
        _ => Format::SifEvent,
    };
    let source = Source { object, kind };
    let mut raw = Component::new("VCALENDAR");
    source.zone(&mut raw);
    raw.children.push(source.times(&raw, hint));
    let mut root = vcalendar::read(raw, hint, warnings);
    if let Some(item) = root.children.first_mut() {
        for element in &object.children {
            if !read_plain(element, format, item) {
                source.coded(element, item);
            }
        }
    }
    root
}

/// A document and what it is of.
struct Source<'e> {
    object: &'e Element,
    kind: Kind,
}

impl Source<'_> {
    fn text(&self, name: &str) -> Option<String> {
        self.object.text_of(name).filter(|text| !text.is_empty())
    }

    fn moment(&self, name: &str) -> Option<Moment> {
        self.text(name).and_then(|text| Moment::parse(&text))
    }

    fn number(&self, name: &str) -> u32 {
        let number = self.text(name).and_then(|text| text.trim().parse().ok());
        number.unwrap_or(0)
    }

    fn is_set(&self, name: &str) -> bool {
        matches!(
            self.text(name).as_deref(),
            Some("1" | "true" | "True" | "-1")
        )
    }

    /// The element Timezone as the TZ and DAYLIGHT lines that it is.
    fn zone(&self, raw: &mut Component) {
        let Some(zone) = self.object.child("timezone") else {
            return;
        };
        let Some(offset) = zone.text_of("basicoffset").filter(|text| !text.is_empty()) else {
            return;
        };
        raw.properties.push(Property::text("TZ", offset));
        let seasons = zone.children.iter().filter(|of| of.name == "daylight");
        let mut any = false;
        for season in seasons.take(MAX_SEASONS) {
            let part = |name: &str| season.text_of(name).unwrap_or_default().replace(';', " ");
            let line = format!(
                "TRUE;{};{};{};{};{}",
                part("dstoffset"),
                part("dststart"),
                part("dstend"),
                part("standardname"),
                part("dstname")
            );
            raw.properties.push(Property::text("DAYLIGHT", line));
            any = true;
        }
        if !any {
            raw.properties.push(Property::text("DAYLIGHT", "FALSE"));
        }
    }

    /// The IANA name that a server wrote as the name of the zone.
    fn zone_name(&self) -> Option<String> {
        let zone = self.object.child("timezone")?;
        let season = zone.child("daylight").unwrap_or(zone);
        ["standardname", "dstname"]
            .into_iter()
            .filter_map(|name| season.text_of(name))
            .find(|name| name.contains('/') && iana(name).is_some())
    }

    /// All that has to do with time, as vCalendar 1.0 says it.
    fn times(&self, raw: &Component, hint: &ReadHint<'_>) -> Component {
        let mut item = Component::new(match self.kind {
            Kind::Task => "VTODO",
            _ => "VEVENT",
        });
        let mut push = |name: &str, text: String| item.properties.push(Property::text(name, text));
        match self.kind {
            Kind::Task => {
                if let Some(start) = self.moment("startdate") {
                    push("DTSTART", start.to_string());
                }
                if let Some(due) = self.moment("duedate") {
                    push("DUE", due.to_string());
                }
            }
            _ if self.is_set("alldayevent") => self.whole_days(hint, &mut push),
            _ => {
                if let Some(start) = self.moment("start") {
                    push("DTSTART", start.to_string());
                }
                if let Some(end) = self.moment("end") {
                    push("DTEND", end.to_string());
                } else if let Some(duration) = self.text("duration") {
                    push("DURATION", duration);
                }
            }
        }
        if let Some(done) = self.moment("datecompleted") {
            push("COMPLETED", done.to_string());
        }
        if self.is_set("isrecurring")
            && let Some(rule) = self.rule()
        {
            push("RRULE", rule);
            for (element, name) in [("excludedate", "EXDATE"), ("includedate", "RDATE")] {
                let dates = self.dates(element);
                if !dates.is_empty() {
                    push(name, dates.join(";"));
                }
            }
        }
        if self.is_set("reminderset") {
            let minutes = self.text("reminderminutesbeforestart");
            let minutes = minutes.and_then(|text| text.trim().parse::<u32>().ok());
            match (minutes, self.moment("remindertime")) {
                (Some(minutes), None) => push("AALARM", format!("-PT{}M", minutes.min(9_999_999))),
                (Some(minutes), Some(_)) if self.kind == Kind::Event => {
                    push("AALARM", format!("-PT{}M", minutes.min(9_999_999)));
                }
                (_, Some(time)) => push("AALARM", time.to_string()),
                (None, None) => {}
            }
        }
        for attendee in self.attendees() {
            item.properties.push(attendee);
        }
        if !raw.properties.is_empty()
            && let Some(name) = self.zone_name()
            && let Some(start) = item.property_mut("DTSTART")
        {
            start.add_param("TZID", [name.into()]);
        }
        item
    }

    /// The dates of an all-day event; the end is the day after its last one.
    fn whole_days(&self, hint: &ReadHint<'_>, push: &mut impl FnMut(&str, String)) {
        let wall = |moment: Moment| match moment {
            Moment::Utc(time) => Zone::Iana(hint.time_zone).to_local(time),
            other => other.naive(),
        };
        let Some(start) = self.moment("start").map(wall) else {
            return;
        };
        push("DTSTART", Moment::Date(start.date()).to_string());
        let Some(moment) = self.moment("end") else {
            return;
        };
        let end = wall(moment);
        let next = end.date().checked_add_days(Days::new(1));
        let is_midnight = !moment.is_date() && end.time() == NaiveTime::MIN && end > start;
        let end = match next {
            Some(next) if !is_midnight => next,
            _ => end.date(),
        };
        push("DTEND", Moment::Date(end).to_string());
    }

    fn rule(&self) -> Option<String> {
        let small = |name: &str| u8::try_from(self.number(name)).unwrap_or(u8::MAX);
        let fields = Fields {
            kind: small("recurrencetype"),
            interval: self.number("interval"),
            days: small("dayofweekmask"),
            day: small("dayofmonth"),
            month: small("monthofyear"),
            instance: small("instance"),
        };
        let count = self.number("occurrences");
        let end = match self.moment("patternenddate") {
            _ if self.is_set("noenddate") => End::Never,
            _ if count > 0 => End::Count(count),
            Some(end) => End::Until(end),
            None => End::Never,
        };
        fields.rule(end).map(|rule| rule.to_string())
    }

    fn dates(&self, name: &str) -> Vec<String> {
        let lists = self.object.children.iter();
        lists
            .filter(|list| list.name == "exceptions")
            .flat_map(|list| &list.children)
            .filter(|date| date.name == name)
            .filter_map(|date| Moment::parse(&date.text()))
            .take(MAX_LIST)
            .map(|moment| moment.to_string())
            .collect()
    }

    fn attendees(&self) -> Vec<Property> {
        let lists = self.object.children.iter();
        let all = lists
            .filter(|list| list.name == "attendees")
            .flat_map(|list| &list.children);
        all.filter(|of| of.name == "attendee")
            .take(MAX_LIST)
            .filter_map(|of| {
                let part = |name: &str| of.text_of(name).unwrap_or_default();
                let (name, address) = (part("attendeename"), part("attendeeemail"));
                let plain = |text: &str| text.replace(['<', '>'], "").trim().to_owned();
                let (name, address) = (plain(&name), plain(&address));
                let value = match (name.is_empty(), address.is_empty()) {
                    (true, true) => return None,
                    (false, true) => name,
                    (true, false) => address,
                    (false, false) => format!("{name} <{address}>"),
                };
                let mut attendee = Property::text("ATTENDEE", value);
                let mut set = |name: &str, value: &str| {
                    attendee.add_param(name, [value.into()]);
                };
                let status = part("attendeestatus");
                if let Some((_, partstat)) = PARTSTATS.iter().find(|(number, _)| *number == status)
                {
                    set("STATUS", partstat);
                }
                match part("attendeetype").as_str() {
                    "1" => set("EXPECT", "REQUIRE"),
                    "2" => set("EXPECT", "REQUEST"),
                    "3" => set("CUTYPE", "RESOURCE"),
                    _ => {}
                }
                Some(attendee)
            })
            .collect()
    }

    /// The fields that numbers stand for.
    fn coded(&self, element: &Element, item: &mut Component) {
        let text = element.text();
        let number = text.trim().parse::<usize>().ok();
        let mut push = |name: &str, text: &str| item.properties.push(Property::text(name, text));
        match (element.name.as_str(), number) {
            // Nothing said is the middle one.
            ("importance", Some(number @ (0 | 2))) => push("PRIORITY", PRIORITIES[number]),
            ("busystatus", Some(0)) => push("TRANSP", "TRANSPARENT"),
            ("busystatus", Some(number @ (1 | 3))) => push(BUSY_STATUS, BUSY[number]),
            ("percentcomplete", Some(number @ 1..=100)) => {
                push("PERCENT-COMPLETE", &number.to_string());
            }
            ("status", Some(number @ 0..=2)) => push("STATUS", STATUSES[number]),
            ("status", Some(3 | 4)) => {
                push("STATUS", STATUSES[0]);
                push(OTHER_STATUS, text.trim());
            }
            ("status", None) if self.is_set("complete") => push("STATUS", STATUSES[2]),
            _ => {}
        }
    }
}
