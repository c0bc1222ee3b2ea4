//! What means the same although it is spelled otherwise, and giving the stored spelling back after an edit.
//!
//! A phone answers `DTSTART;TZID=Europe/Berlin:20260701T090000` with `DTSTART:20260701T070000Z`, a DURATION with a DTEND, a
//! trigger with a date-time. None of these is an edit. Invariant: nothing here changes the meaning of a record.

use rustc_hash::{FxHashMap, FxHashSet};

use super::moment::{Moment, Span};
use super::recurrence::{End, Rule, canonical};
use super::timezone::Zones;
use super::vcalendar::KEPT_RULES;
use super::{alarm, is_exception, is_item, stamp};
use crate::content::{Component, Property};

/// Whether two date-time properties name the same instant, date or floating time; each is read with the VTIMEZONEs of its root.
pub(in super::super) fn same_instant(
    a: &Property,
    a_root: &Component,
    b: &Property,
    b_root: &Component,
) -> bool {
    instant_eq(a, &Zones::of(a_root), b, &Zones::of(b_root))
}

fn instant_eq(a: &Property, a_zones: &Zones<'_>, b: &Property, b_zones: &Zones<'_>) -> bool {
    matches!((stamp::instant(a, a_zones), stamp::instant(b, b_zones)), (Some(a), Some(b)) if a == b)
}

/// Whether two properties of one name mean the same: instants, sets of dates, rules, lists; other values must be equal. Rules are
/// read from the start of each root's first item that is no exception.
pub(in super::super) fn equivalent(
    a: &Property,
    a_root: &Component,
    b: &Property,
    b_root: &Component,
) -> bool {
    let (a_zones, b_zones) = (Zones::of(a_root), Zones::of(b_root));
    equal((a, master(a_root), &a_zones), (b, master(b_root), &b_zones))
}

/// The first item that is no exception.
fn master(root: &Component) -> Option<&Component> {
    root.children
        .iter()
        .find(|child| is_item(child) && !is_exception(child))
}

fn equal(
    (a, a_item, a_zones): Side<'_, Property>,
    (b, b_item, b_zones): Side<'_, Property>,
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

/// Something of an item, the item, and the zones of its root.
type Side<'a, T> = (&'a T, Option<&'a Component>, &'a Zones<'a>);

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

/// Whether two alarms ring at the same times in the same way; AUDIO and DISPLAY are the same to phones that know one of them.
pub(in super::super) fn same_alarm(
    (a, a_item, a_root): (&Component, &Component, &Component),
    (b, b_item, b_root): (&Component, &Component, &Component),
) -> bool {
    alarm_eq(
        (a, a_item, &Zones::of(a_root)),
        (b, b_item, &Zones::of(b_root)),
    )
}

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

/// Puts the stored spelling back into an edited calendar wherever the meaning is unchanged, and mends what an edit in a smaller
/// vocabulary leaves: DURATION beside DTEND, a kept 1.0 rule beside a new one, VTIMEZONEs that are missing or no longer used.
pub(in super::super) fn settle(stored: &Component, merged: &mut Component) {
    let stored_zones = Zones::of(stored);
    let mut pairs: FxHashMap<(&str, Option<Moment>), &Component> = FxHashMap::default();
    for item in stored.children.iter().filter(|child| is_item(child)) {
        pairs.entry(identity(item, &stored_zones)).or_insert(item);
    }
    // A look at the merged record as it is, so that its zones can be read while it is changed.
    let before = merged.clone();
    let zones = Zones::of(&before);
    for (item, now) in merged
        .children
        .iter_mut()
        .zip(&before.children)
        .filter(|(_, now)| is_item(now))
    {
        if let Some(then) = pairs.get(&identity(now, &zones)) {
            settle_item((then, &stored_zones), (now, &zones), item);
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
    settle_zones(stored, merged);
}

/// Appends the stored exceptions that an edit lacks, unless the edit excludes their date: for devices that have no exceptions.
pub(in super::super) fn keep_exceptions(stored: &Component, merged: &mut Component) {
    let stored_zones = Zones::of(stored);
    let before = merged.clone();
    let zones = Zones::of(&before);
    let items = || before.children.iter().filter(|child| is_item(child));
    if !items().any(|item| !is_exception(item)) {
        return;
    }
    let excluded = dates(items().flat_map(|item| item.all("EXDATE")), &zones);
    let present: FxHashSet<(&str, Option<Moment>)> =
        items().map(|item| identity(item, &zones)).collect();
    for item in stored
        .children
        .iter()
        .filter(|child| is_item(child) && is_exception(child))
    {
        let key = identity(item, &stored_zones);
        if !present.contains(&key)
            && key
                .1
                .is_none_or(|date| excluded.binary_search(&date).is_err())
        {
            merged.children.push(item.clone());
        }
    }
    settle_zones(stored, merged);
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
fn settle_zones(stored: &Component, merged: &mut Component) {
    let mut used: FxHashSet<String> = FxHashSet::default();
    for component in merged.children.iter().filter(|child| is_item(child)) {
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
    merged
        .children
        .retain(|child| child.name != "VTIMEZONE" || used.remove(&tzid(child)));
    let missing = stored
        .children
        .iter()
        .filter(|child| child.name == "VTIMEZONE" && used.remove(&tzid(child)));
    let missing: Vec<Component> = missing.cloned().collect();
    merged.children.splice(0..0, missing);
}
