//! SIF-E and SIF-T, written.
//!
//! Of a series with exceptions the series is written. A rule that Outlook's fields cannot say is left out: the item is then shown once.

use chrono::{Days, TimeDelta};
use chrono_tz::Tz;

use super::super::moment::Moment;
use super::super::recurrence::{End, Rule};
use super::super::timezone::{Zone, Zones, daylight_lines};
use super::super::{alarm, is_exception, is_item, stamp};
use super::rule::Fields;
use super::{BUSY, BUSY_STATUS, OTHER_STATUS, PARTSTATS, STATUSES};
use crate::content::sif::{Document, Field, Place, table_of};
use crate::content::{Component, Format, Kind, Property, Record, Target};

/// Minutes before its start at which a reminder is absolute instead.
const FARTHEST: i64 = 9_999_999;

/// Writes an event or a task.
pub(in crate::content) fn write(record: &Record, target: &Target<'_>, out: &mut Document<'_>) {
    let (format, root) = match record.kind {
        Kind::Task => (Format::SifTask, "task"),
        _ => (Format::SifEvent, "appointment"),
    };
    let empty = Component::default();
    let items = || record.root.children.iter().filter(|child| is_item(child));
    let item = items()
        .find(|item| !is_exception(item))
        .or_else(|| items().next())
        .unwrap_or(&empty);
    let zones = Zones::of(&record.root);
    out.begin(root);
    let lowering = Lowering::new(item, &zones, target, record.kind);
    lowering.zone(out);
    for field in table_of(format) {
        if !out.plain(field, item) {
            lowering.field(field, out);
        }
    }
}

/// An item on its way down.
struct Lowering<'a> {
    item: &'a Component,
    zones: &'a Zones<'a>,
    target: &'a Target<'a>,
    kind: Kind,
    /// The start as it stands in the item.
    start: Option<Moment>,
    /// On whose clock the item is told: its own zone, else the device's.
    home: Zone,
    rule: Option<(Fields, End)>,
}

impl<'a> Lowering<'a> {
    fn new(item: &'a Component, zones: &'a Zones<'a>, target: &'a Target<'a>, kind: Kind) -> Self {
        let anchor = item.property("DTSTART").or_else(|| item.property("DUE"));
        let zone = anchor.and_then(|anchor| stamp::zone(anchor, zones));
        let home = zone.map_or(Zone::Iana(target.time_zone), |zone| (*zone).clone());
        let mut lowering = Self {
            item,
            zones,
            target,
            kind,
            start: anchor.and_then(stamp::moment),
            home,
            rule: None,
        };
        let rule = item.text("RRULE").and_then(Rule::parse);
        lowering.rule = rule.and_then(|rule| {
            let start = lowering.local(stamp::instant(anchor?, zones)?);
            Some((Fields::of(&rule, start)?, rule.end))
        });
        lowering
    }

    fn is_all_day(&self) -> bool {
        self.start.is_some_and(Moment::is_date)
    }

    /// The moment on the item's clock.
    fn local(&self, moment: Moment) -> Moment {
        match moment {
            Moment::Utc(time) => Moment::Floating(self.home.to_local(time)),
            other => other,
        }
    }

    /// A time as the device takes it.
    fn told(&self, moment: Moment) -> Moment {
        match moment {
            Moment::Utc(time) if !self.target.utc => {
                Moment::Floating(Zone::Iana(self.target.time_zone).to_local(time))
            }
            other => other,
        }
    }

    /// The date of a time where the item is.
    fn day(&self, moment: Moment) -> String {
        self.local(moment).date().format("%Y-%m-%d").to_string()
    }

    fn instant(&self, name: &str) -> Option<Moment> {
        stamp::instant(self.item.property(name)?, self.zones)
    }

    /// The zone in which the item recurs.
    fn zone(&self, out: &mut Document<'_>) {
        if self.rule.is_none() || self.is_all_day() || !self.target.utc {
            return;
        }
        let Some(Moment::Utc(from)) = self.instant("DTSTART") else {
            return;
        };
        if matches!(self.home, Zone::Iana(Tz::UTC)) {
            return;
        }
        let (offset, lines) = daylight_lines(&self.home, from, None);
        // `+01` or `+05:30` here, `+0100` and `+0530` in SIF.
        let long = |offset: &str| {
            let bare = offset.replace(':', "");
            if bare.len() == 3 {
                format!("{bare}00")
            } else {
                bare
            }
        };
        out.open("Timezone");
        out.field("BasicOffset", &long(&offset));
        let name = match &self.home {
            Zone::Iana(tz) => tz.name(),
            _ => "",
        };
        for line in &lines {
            let mut parts = line.split(';').skip(1);
            let (Some(offset), Some(start), Some(end)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            out.open("DayLight");
            out.field("DSTOffset", &long(offset));
            out.field("DSTStart", start);
            out.field("DSTEnd", end);
            out.field("StandardName", name);
            out.field("DSTName", name);
            out.close("DayLight");
        }
        out.close("Timezone");
    }

    /// A field that the code knows how to write.
    fn field(&self, field: &Field, out: &mut Document<'_>) {
        let Place::Coded(names) = field.place else {
            return;
        };
        if !names.iter().any(|name| out.holds(name).is_some()) {
            return;
        }
        match field.name {
            "Start" => self.begin(out),
            "End" => self.end(out),
            "StartDate" => self.date(field.name, "DTSTART", out),
            "DueDate" => self.date(field.name, "DUE", out),
            "DateCompleted" => self.date(field.name, "COMPLETED", out),
            "PercentComplete" => {
                let text = self.item.text("PERCENT-COMPLETE").unwrap_or("0");
                out.field(field.name, text.trim());
            }
            "Status" => self.status(out),
            "Importance" => out.field(field.name, self.importance()),
            "BusyStatus" => out.field(field.name, &self.busy().to_string()),
            "IsRecurring" => self.recurrence(out),
            "Exceptions" => self.exceptions(out),
            "ReminderSet" => self.reminder(out),
            "Attendees" => self.attendees(out),
            _ => {}
        }
    }

    fn begin(&self, out: &mut Document<'_>) {
        out.field("AllDayEvent", if self.is_all_day() { "1" } else { "0" });
        let start = self.instant("DTSTART");
        let text = match start {
            Some(start) if self.is_all_day() => self.day(start),
            Some(start) => self.told(start).to_string(),
            None => String::new(),
        };
        out.field("Start", &text);
    }

    fn end(&self, out: &mut Document<'_>) {
        let text = match stamp::end(self.item, self.zones) {
            Some(end) if self.is_all_day() => {
                let last = end.date().checked_sub_days(Days::new(1));
                let first = self.start.map(Moment::date);
                let last = last.max(first).unwrap_or(end.date());
                self.day(Moment::Date(last))
            }
            Some(end) => self.told(end).to_string(),
            None => match self.instant("DTSTART") {
                Some(start) if self.is_all_day() => self.day(start),
                Some(start) => self.told(start).to_string(),
                None => String::new(),
            },
        };
        out.field("End", &text);
    }

    fn date(&self, element: &str, name: &str, out: &mut Document<'_>) {
        let day = self.instant(name).map(|moment| self.day(moment));
        out.field(element, &day.unwrap_or_default());
    }

    fn status(&self, out: &mut Document<'_>) {
        let status = self.item.text("STATUS").unwrap_or_default().trim();
        let status = status.to_ascii_uppercase();
        let done = status == STATUSES[2] || self.item.property("COMPLETED").is_some();
        let other = self.item.text(OTHER_STATUS).map(str::trim);
        let number = STATUSES.iter().position(|of| *of == status);
        let text = match (number, other) {
            _ if done => "2".to_owned(),
            (Some(0) | None, Some(other @ ("3" | "4"))) => other.to_owned(),
            (number, _) => number.unwrap_or(0).to_string(),
        };
        out.field("Complete", if done { "1" } else { "0" });
        out.field("Status", &text);
    }

    fn importance(&self) -> &'static str {
        let priority = self.item.text("PRIORITY").unwrap_or_default().trim();
        match priority.parse::<u32>() {
            Ok(1..=4) => "2",
            Ok(6..=9) => "0",
            _ => "1",
        }
    }

    fn busy(&self) -> usize {
        let told = self.item.text(BUSY_STATUS).unwrap_or_default().trim();
        let told = BUSY.iter().position(|of| of.eq_ignore_ascii_case(told));
        let free = self.item.text("TRANSP").unwrap_or_default().trim();
        match told {
            Some(told @ (1 | 3)) => told,
            _ if free.eq_ignore_ascii_case("TRANSPARENT") => 0,
            _ => 2,
        }
    }

    fn recurrence(&self, out: &mut Document<'_>) {
        let Some((fields, end)) = &self.rule else {
            return out.field("IsRecurring", "0");
        };
        out.field("IsRecurring", "1");
        for (name, number) in [
            ("RecurrenceType", u32::from(fields.kind)),
            ("Interval", fields.interval),
            ("MonthOfYear", fields.month.into()),
            ("DayOfMonth", fields.day.into()),
            ("DayOfWeekMask", fields.days.into()),
            ("Instance", fields.instance.into()),
        ] {
            out.field(name, &number.to_string());
        }
        let midnight = |moment: Moment| self.local(moment).date().format("%Y%m%dT000000");
        let start = self.instant("DTSTART").or_else(|| self.instant("DUE"));
        let start = start.map(|start| midnight(start).to_string());
        out.field("PatternStartDate", &start.unwrap_or_default());
        match end {
            End::Never => out.field("NoEndDate", "1"),
            End::Count(count) => {
                out.field("NoEndDate", "0");
                out.field("Occurrences", &count.to_string());
            }
            End::Until(until) => {
                out.field("NoEndDate", "0");
                out.field("PatternEndDate", &midnight(*until).to_string());
            }
        }
    }

    fn exceptions(&self, out: &mut Document<'_>) {
        if self.rule.is_none() {
            return;
        }
        out.open("Exceptions");
        for (name, element) in [("EXDATE", "ExcludeDate"), ("RDATE", "IncludeDate")] {
            let dates = self.item.all(name).collect::<Vec<_>>();
            for moment in dates.iter().flat_map(|of| stamp::instants(of, self.zones)) {
                let text = if self.is_all_day() || moment.is_date() {
                    self.day(moment)
                } else {
                    self.told(moment).to_string()
                };
                out.field(element, &text);
            }
        }
        out.close("Exceptions");
    }

    fn reminder(&self, out: &mut Document<'_>) {
        let alarms = self.item.children.iter().filter(|of| of.name == "VALARM");
        let ring = alarms
            .filter_map(|of| alarm::ring(of, self.item, self.zones))
            .next();
        let Some(ring) = ring else {
            return out.field("ReminderSet", "0");
        };
        let start = self.instant("DTSTART").map(Moment::naive);
        let minutes = start
            .map(|start| start - ring.naive())
            .filter(|span| *span >= TimeDelta::zero())
            .map(|span| span.num_minutes())
            .filter(|minutes| *minutes <= FARTHEST);
        match minutes {
            Some(minutes) if self.kind == Kind::Event => {
                out.field("ReminderSet", "1");
                out.field("ReminderMinutesBeforeStart", &minutes.to_string());
            }
            None if self.kind == Kind::Event => out.field("ReminderSet", "0"),
            _ => {
                out.field("ReminderSet", "1");
                out.field("ReminderTime", &self.told(ring).to_string());
            }
        }
    }

    fn attendees(&self, out: &mut Document<'_>) {
        if self.item.property("ATTENDEE").is_none() {
            return;
        }
        out.open("Attendees");
        for attendee in self.item.all("ATTENDEE") {
            write_attendee(attendee, out);
        }
        out.close("Attendees");
    }
}

fn write_attendee(attendee: &Property, out: &mut Document<'_>) {
    let value = attendee.value.as_text().unwrap_or_default().trim();
    let address = match value.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("mailto:") => &value[7..],
        _ => value,
    };
    let name = attendee.first_param("CN").unwrap_or_default();
    let (name, address) = match (name.is_empty(), address.contains('@')) {
        // Only a name.
        (true, false) => (address, ""),
        _ => (name, address),
    };
    let told = |name: &str| attendee.first_param(name).unwrap_or_default();
    let partstat = told("PARTSTAT").to_ascii_uppercase();
    let status = PARTSTATS.iter().find(|(_, of)| *of == partstat);
    let kind = match (told("CUTYPE"), told("ROLE")) {
        ("RESOURCE" | "ROOM", _) => "3",
        (_, "OPT-PARTICIPANT") => "2",
        (_, "REQ-PARTICIPANT") => "1",
        _ => "0",
    };
    out.open("Attendee");
    out.field("AttendeeName", name);
    out.field("AttendeeEmail", address);
    out.field("AttendeeStatus", status.map_or("0", |(number, _)| number));
    out.field("AttendeeType", kind);
    out.close("Attendee");
}
