//! What means the same although it is spelled otherwise, and giving the stored spelling back after an edit.
//!
//! A phone answers `DTSTART;TZID=Europe/Berlin:20260701T090000` with `DTSTART:20260701T070000Z`, a DURATION with a DTEND, a
//! trigger with a date-time. None of these is an edit. Invariant: nothing here changes the meaning of a record.

use rustc_hash::{FxHashMap, FxHashSet};

use super::moment::{Moment, Span};
use super::recurrence::{End, Rule, canonical};
use super::timezone::Zones;
use super::vcalendar::{KEPT_RULES, inexpressible, is_marked};
use super::{alarm, is_item, stamp};
use crate::content::{Component, Property};

/// Whether two date-time properties name the same instant, date or floating time.
fn instant_eq(a: &Property, a_zones: &Zones<'_>, b: &Property, b_zones: &Zones<'_>) -> bool {
    matches!((stamp::instant(a, a_zones), stamp::instant(b, b_zones)), (Some(a), Some(b)) if a == b)
}

/// Whether two properties of one name mean the same: instants, sets of dates, rules, lists; other values must be equal.
fn equal(
    (a, a_item, a_zones): (&Property, Option<&Component>, &Zones<'_>),
    (b, b_item, b_zones): (&Property, Option<&Component>, &Zones<'_>),
) -> bool {
    if a.name != b.name {
        return false;
    }
    match a.name.as_str() {
        name if MOMENTS.contains(&name) => instant_eq(a, a_zones, b, b_zones),
        "EXDATE" | "RDATE" => dates([a], a_zones) == dates([b], b_zones),
        "RRULE" | "EXRULE" => match (rule_key(a, a_item, a_zones), rule_key(b, b_item, b_zones)) {
            (Some(a), Some(b)) => a == b,
            _ => a.value == b.value,
        },
        "CATEGORIES" | "RESOURCES" => {
            let (mut a, mut b): (Vec<&str>, Vec<&str>) =
                (a.value.texts().collect(), b.value.texts().collect());
            a.sort_unstable();
            b.sort_unstable();
            a == b
        }
        "STATUS" | "CLASS" | "TRANSP" => match (a.value.as_text(), b.value.as_text()) {
            (Some(a), Some(b)) => a.trim().eq_ignore_ascii_case(b.trim()),
            _ => false,
        },
        _ => a.value == b.value,
    }
}

const MOMENTS: [&str; 8] = [
    "DTSTART",
    "DTEND",
    "DUE",
    "RECURRENCE-ID",
    "COMPLETED",
    "CREATED",
    "LAST-MODIFIED",
    "DTSTAMP",
];

/// A text that is equal for rules with the same occurrences.
fn rule_key(property: &Property, item: Option<&Component>, zones: &Zones<'_>) -> Option<String> {
    let mut rule = Rule::parse(property.value.as_text()?)?;
    let start = item?.property("DTSTART")?;
    let moment = stamp::moment(start)?;
    if let (End::Until(Moment::Utc(until)), Moment::Floating(_), Some(zone)) =
        (rule.end, moment, stamp::zone(start, zones))
    {
        rule.end = End::Until(Moment::Floating(zone.to_local(until)));
    }
    Some(canonical(&rule, moment))
}

fn dates<'a>(properties: impl IntoIterator<Item = &'a Property>, zones: &Zones<'_>) -> Vec<Moment> {
    let mut all: Vec<Moment> = properties
        .into_iter()
        .flat_map(|property| stamp::instants(property, zones))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Whether two alarms ring at the same times in the same way; AUDIO and DISPLAY are one to phones that know one of them.
fn alarm_eq(
    (a, a_item, a_zones): (&Component, &Component, &Zones<'_>),
    (b, b_item, b_zones): (&Component, &Component, &Zones<'_>),
) -> bool {
    let heard =
        |alarm: &Component| matches!(alarm.text("ACTION"), Some("AUDIO" | "DISPLAY") | None);
    let ways = a.text("ACTION") == b.text("ACTION") || heard(a) && heard(b);
    let text = |alarm: &Component| alarm.text("TRIGGER").and_then(Span::parse);
    // An alarm that moved with its event is the same one.
    let moved = text(a).is_some() && text(a) == text(b) && related(a) == related(b);
    ways && (moved
        || matches!((alarm::ring(a, a_item, a_zones), alarm::ring(b, b_item, b_zones)), (Some(a), Some(b)) if a == b))
}

/// Whether a trigger is relative to the end.
fn related(alarm: &Component) -> bool {
    let related = alarm
        .property("TRIGGER")
        .and_then(|trigger| trigger.first_param("RELATED"));
    related.is_some_and(|related| related.eq_ignore_ascii_case("END"))
}

/// How many alarms of an item are compared.
const ALARMS: usize = 64;

/// Gives a device's edit the stored spelling wherever it means the same, before it is overlaid or edit.
///
/// An edit that came as vCalendar 1.0 also gets back what that form cannot express (a rule, a CANCELLED, an alarm at no known
/// time). A DURATION beside a DTEND goes, VTIMEZONEs that are used come, those that are not go.
pub(in super::super) fn settle(stored: &Component, edit: &mut Component) {
    let stored_zones = Zones::of(stored);
    let mut pairs: FxHashMap<(&str, Option<Moment>), &Component> = FxHashMap::default();
    for item in stored.children.iter().filter(|child| is_item(child)) {
        pairs.entry(identity(item, &stored_zones)).or_insert(item);
    }
    let legacy = is_marked(edit);
    // A look at the edit as it is, so that its zones can be read while it is changed.
    let before = edit.clone();
    let zones = Zones::of(&before);
    for (item, now) in edit
        .children
        .iter_mut()
        .zip(&before.children)
        .filter(|(_, now)| is_item(now))
    {
        if let Some(then) = pairs.get(&identity(now, &zones)) {
            settle_item((then, &stored_zones), (now, &zones), item);
            if legacy {
                restore(then, &stored_zones, item);
            }
        }
        if item.property("DTEND").is_some() || item.property("DUE").is_some() {
            item.remove("DURATION");
        }
        for (name, kept) in KEPT_RULES {
            if item.property(name).is_some() {
                item.remove(kept);
            }
        }
    }
    settle_zones(stored, edit);
}

/// Gives an item that came as vCalendar 1.0 what the form cannot express of the stored one.
fn restore(then: &Component, zones: &Zones<'_>, item: &mut Component) {
    for name in inexpressible(then, zones) {
        if item.property(&name).is_none()
            && KEPT_RULES
                .iter()
                .all(|(rule, kept)| *rule != name || item.property(kept).is_none())
        {
            item.properties.extend(then.all(&name).cloned());
        }
    }
    let silent = |alarm: &&Component| {
        alarm.name != "VALARM" || alarm::lower(alarm, then, zones, |_| true).is_none()
    };
    item.children
        .extend(then.children.iter().filter(silent).cloned());
}

/// Kind and original start: what an item is in its calendar.
fn identity<'a>(item: &'a Component, zones: &Zones<'_>) -> (&'a str, Option<Moment>) {
    (
        &item.name,
        item.property("RECURRENCE-ID")
            .and_then(|id| stamp::instant(id, zones)),
    )
}

fn settle_item(
    (then, then_zones): (&Component, &Zones<'_>),
    (now, zones): (&Component, &Zones<'_>),
    item: &mut Component,
) {
    for property in &mut item.properties {
        let single = MOMENTS.contains(&property.name.as_str())
            || matches!(
                property.name.as_str(),
                "RRULE" | "EXRULE" | "CATEGORIES" | "RESOURCES" | "STATUS" | "CLASS" | "TRANSP"
            );
        if single
            && let Some(stored) = then.property(&property.name)
            && stored != property
            && equal(
                (stored, Some(then), then_zones),
                (property, Some(now), zones),
            )
        {
            property.clone_from(stored);
        }
    }
    for name in ["EXDATE", "RDATE"] {
        if now.property(name).is_some()
            && dates(then.all(name), then_zones) == dates(now.all(name), zones)
        {
            let at = item
                .properties
                .iter()
                .position(|property| property.name == name)
                .unwrap_or(item.properties.len());
            item.remove(name);
            let at = at.min(item.properties.len());
            item.properties.splice(at..at, then.all(name).cloned());
        }
    }
    settle_end((then, then_zones), (now, zones), item);
    for alarm in item
        .children
        .iter_mut()
        .filter(|child| child.name == "VALARM")
        .take(ALARMS)
    {
        let stored = then
            .children
            .iter()
            .filter(|child| child.name == "VALARM")
            .take(ALARMS);
        if let Some(stored) = stored
            .into_iter()
            .find(|stored| alarm_eq((stored, then, then_zones), (alarm, now, zones)))
        {
            alarm.clone_from(stored);
        }
    }
}

/// An end that the stored item says otherwise: by DURATION, or not at all.
fn settle_end(
    (then, then_zones): (&Component, &Zones<'_>),
    (now, zones): (&Component, &Zones<'_>),
    item: &mut Component,
) {
    let Some(end) = now.property("DTEND").or_else(|| now.property("DUE")) else {
        return;
    };
    if then.property(&end.name).is_some() {
        return;
    }
    let start = |item: &Component, zones: &Zones<'_>| {
        item.property("DTSTART")
            .and_then(|start| stamp::instant(start, zones))
    };
    let (was, is) = (start(then, then_zones), start(now, zones));
    let Some((was, is)) = was.zip(is).filter(|(was, is)| was == is) else {
        return;
    };
    if let Some(duration) = then.property("DURATION") {
        if stamp::end(then, then_zones) == stamp::instant(end, zones) {
            item.remove("DURATION");
            for property in item
                .properties
                .iter_mut()
                .filter(|property| property.name == end.name)
            {
                property.clone_from(duration);
            }
        }
    } else if let (Moment::Date(date), "DTEND") = (was, end.name.as_str())
        && stamp::moment(end).map(Moment::date) == date.succ_opt()
        && is.is_date()
    {
        // RFC 5545 section 3.6.1: without DTEND it lasts one day.
        item.remove("DTEND");
    }
}

/// VTIMEZONEs: those that are used and stored come back, those that are not used go.
fn settle_zones(stored: &Component, edit: &mut Component) {
    let mut used: FxHashSet<String> = FxHashSet::default();
    for component in edit.children.iter().filter(|child| is_item(child)) {
        let properties = component.properties.iter().chain(
            component
                .children
                .iter()
                .flat_map(|child| &child.properties),
        );
        used.extend(
            properties
                .filter_map(|property| property.first_param("TZID"))
                .map(|tzid| tzid.trim().to_owned()),
        );
    }
    let tzid = |zone: &Component| zone.text("TZID").unwrap_or_default().trim().to_owned();
    edit.children
        .retain(|child| child.name != "VTIMEZONE" || used.remove(&tzid(child)));
    let missing = stored
        .children
        .iter()
        .filter(|child| child.name == "VTIMEZONE" && used.remove(&tzid(child)));
    let missing: Vec<Component> = missing.cloned().collect();
    edit.children.splice(0..0, missing);
}
