//! Applying edits: a device's edit to the stored item, and two edits to each other.
//!
//! OMA DS DevInf section 5.3.7: a property that a device does not list in its CTCap is one that it cannot hold, so that
//! its absence in an item says nothing; a listed one that is absent was deleted. The same is done here for parameters,
//! for occurrences beyond MaxOccur, for values that MaxSize cut, and for properties that only the server has a use for.
//!
//! Invariant: [`overlay`] loses nothing of the stored item that the device could not have shown.

mod field;
mod restored;
mod three_way;

#[cfg(test)]
mod tests;

pub use restored::restored;
pub use three_way::{Merged, merge};

use super::capabilities::{Capabilities, visible};
use super::digest::digest;
use super::model::{Component, Kind, Property, Record, Value};
use super::{calendar, email, note, vcard};
use field::{combine, instant, pair, same_value};
use rustc_hash::FxHashSet;

/// Applies a device's edit to the stored item.
///
/// What the device can hold is taken from `incoming` (absent there means deleted); everything else survives from `stored`.
/// Without capabilities the device holds everything but `X-` properties that it does not send.
pub fn overlay(stored: &Record, incoming: &Record, capabilities: Option<&Capabilities>) -> Record {
    if stored.kind != incoming.kind {
        return incoming.clone();
    }
    match stored.kind {
        Kind::Mail => return email::overlay(stored, incoming),
        Kind::Folder => return email::overlay_folder(stored, incoming),
        _ => {}
    }
    let capabilities = capabilities.filter(|capabilities| !capabilities.is_empty());
    let settled;
    let incoming = if matches!(stored.kind, Kind::Event | Kind::Task) {
        let mut record = incoming.clone();
        calendar::settle(&stored.root, &mut record.root);
        settled = record;
        &settled
    } else {
        incoming
    };
    let view = View { capabilities };
    let mut root = component(&stored.root, &incoming.root, &view);
    match stored.kind {
        Kind::Contact => formatted_name(&mut root, &stored.root, &incoming.root, capabilities),
        Kind::Note => note_text(&mut root, &stored.root, &incoming.root, capabilities),
        Kind::Event | Kind::Task | Kind::Mail | Kind::Folder => {}
    }
    Record {
        kind: stored.kind,
        root,
    }
}

/// Whether the device's item says the same as the stored one, as far as the device can tell.
pub fn same(stored: &Record, device: &Record, capabilities: Option<&Capabilities>) -> bool {
    let (ours, theirs) = (digest(stored), digest(device));
    ours == theirs || digest(&overlay(stored, device, capabilities)) == ours
}

/// Properties whose absence in an edit never means that a person deleted them.
fn is_kept(name: &str) -> bool {
    super::digest::is_noise(name) || matches!(name, "RECURRENCE-ID" | "TZID")
}

/// What the device that made an edit could see.
struct View<'a> {
    /// What it lists; none if it lists nothing.
    capabilities: Option<&'a Capabilities>,
}

impl View<'_> {
    /// Everything but extensions.
    const ALL: Self = Self { capabilities: None };

    /// Whether the device can hold a property of that name, so that its absence means deletion.
    fn holds(&self, name: &str, incoming: &Component) -> bool {
        if is_kept(name) {
            return false;
        }
        match self.capabilities {
            Some(capabilities) => capabilities.holds(name),
            None => !name.starts_with("X-") || incoming.property(name).is_some(),
        }
    }
}

/// Overlays one component. Depth is limited by the readers.
fn component(stored: &Component, incoming: &Component, view: &View<'_>) -> Component {
    let mut shown = vec![false; stored.properties.len()];
    for (index, ..) in visible(stored, view.capabilities) {
        shown[index] = true;
    }
    let pairs = pair(
        &stored.properties,
        &incoming.properties,
        &shown,
        view.capabilities,
    );
    let mut result = Component::new(stored.name.clone());
    let mut used = vec![false; incoming.properties.len()];
    for (index, property) in stored.properties.iter().enumerate() {
        match pairs[index] {
            Some(other) => {
                used[other] = true;
                let capability = view
                    .capabilities
                    .and_then(|capabilities| capabilities.find(&property.name));
                result
                    .properties
                    .push(combine(property, &incoming.properties[other], capability));
            }
            None if shown[index] && view.holds(&property.name, incoming) => {}
            None => result.properties.push(property.clone()),
        }
    }
    let new = incoming
        .properties
        .iter()
        .zip(&used)
        .filter(|(_, used)| !**used)
        .map(|(property, _)| property);
    result.properties.extend(new.cloned());
    drop_orphans(&mut result, stored);
    result.children = children(stored, incoming, &result, view);
    result
}

/// Takes away labels (`item1.X-ABLABEL`) whose property is gone.
fn drop_orphans(result: &mut Component, stored: &Component) {
    let labels = |property: &Property| property.name.starts_with("X-AB");
    let has = |component: &Component, group: &str| {
        component
            .properties
            .iter()
            .any(|other| other.group.as_deref() == Some(group) && !labels(other))
    };
    let orphan = |property: &Property| match &property.group {
        Some(group) if labels(property) => has(stored, group) && !has(result, group),
        _ => false,
    };
    if result.properties.iter().any(orphan) {
        let kept = result
            .properties
            .iter()
            .filter(|property| !orphan(property))
            .cloned()
            .collect();
        result.properties = kept;
    }
}

/// Which occurrence of a series a component is; empty for the series itself.
fn occurrence(component: &Component) -> &str {
    component.text("RECURRENCE-ID").map_or("", str::trim)
}

fn is_item(component: &Component) -> bool {
    matches!(component.name.as_str(), "VEVENT" | "VTODO")
}

/// Overlays the components of a component.
fn children(
    stored: &Component,
    incoming: &Component,
    result: &Component,
    view: &View<'_>,
) -> Vec<Component> {
    let mut children = Vec::with_capacity(stored.children.len().max(incoming.children.len()));
    let mut used = vec![false; incoming.children.len()];
    let series = series_moved(stored, incoming, view);
    let (told, instants) = excluded(incoming);
    for child in &stored.children {
        let found = incoming
            .children
            .iter()
            .enumerate()
            .position(|(at, other)| {
                !used[at]
                    && other.name == child.name
                    && match child.name.as_str() {
                        "VEVENT" | "VTODO" => occurrences_equal(child, other),
                        "VTIMEZONE" => other.text("TZID") == child.text("TZID"),
                        _ => true,
                    }
            });
        if let Some(at) = found {
            used[at] = true;
            children.push(component(child, &incoming.children[at], view));
            continue;
        }
        let survives = match child.name.as_str() {
            "VEVENT" | "VTODO" => match child.property("RECURRENCE-ID") {
                Some(id) => {
                    let at = instant(occurrence(child), id);
                    let gone = told.contains(occurrence(child))
                        || at.is_some_and(|at| instants.contains(&at));
                    !series && !gone
                }
                None => true,
            },
            "VALARM" => !view.holds("VALARM", incoming),
            _ => true,
        };
        if survives {
            children.push(child.clone());
        }
    }
    let new = incoming
        .children
        .iter()
        .zip(&used)
        .filter(|(_, used)| !**used)
        .map(|(child, _)| child);
    children.extend(new.cloned());
    drop_unused_zones(&mut children, result, stored);
    children
}

fn occurrences_equal(a: &Component, b: &Component) -> bool {
    match (a.property("RECURRENCE-ID"), b.property("RECURRENCE-ID")) {
        (None, None) => true,
        (Some(a), Some(b)) => same_value(a, b, None),
        _ => false,
    }
}

/// Whether the edit gives the series another rule or start, so that stored exceptions have lost their meaning.
fn series_moved(stored: &Component, incoming: &Component, view: &View<'_>) -> bool {
    let master = |root: &'_ Component| {
        root.children
            .iter()
            .position(|child| is_item(child) && occurrence(child).is_empty())
    };
    let (Some(old), Some(new)) = (master(stored), master(incoming)) else {
        return false;
    };
    let (old, new) = (&stored.children[old], &incoming.children[new]);
    ["RRULE", "DTSTART"]
        .into_iter()
        .any(|name| match (old.property(name), new.property(name)) {
            (Some(a), Some(b)) => !same_value(a, b, None),
            (Some(_), None) => view.holds(name, new),
            (None, Some(_)) => true,
            (None, None) => false,
        })
}

/// The occurrences that the edit's series leaves out: as they are told, and as instants.
fn excluded(incoming: &Component) -> (FxHashSet<&str>, FxHashSet<i64>) {
    let (mut told, mut instants) = (FxHashSet::default(), FxHashSet::default());
    let masters = incoming
        .children
        .iter()
        .filter(|child| is_item(child) && occurrence(child).is_empty());
    for dates in masters.flat_map(|master| master.all("EXDATE")) {
        for date in dates
            .value
            .texts()
            .flat_map(|text| text.split(','))
            .map(str::trim)
        {
            told.insert(date);
            instants.extend(instant(date, dates));
        }
    }
    (told, instants)
}

/// Takes away stored zones that nothing names any more.
fn drop_unused_zones(children: &mut Vec<Component>, result: &Component, stored: &Component) {
    if !children.iter().any(|child| child.name == "VTIMEZONE") {
        return;
    }
    fn names(component: &Component, zone: &str) -> bool {
        component
            .properties
            .iter()
            .any(|property| property.first_param("TZID") == Some(zone))
            || component.children.iter().any(|child| names(child, zone))
    }
    let unused: Vec<String> = children
        .iter()
        .filter(|child| child.name == "VTIMEZONE")
        .filter_map(|zone| zone.text("TZID"))
        .filter(|zone| {
            names(stored, zone)
                && !names(result, zone)
                && !children.iter().any(|child| names(child, zone))
        })
        .map(str::to_owned)
        .collect();
    children.retain(|child| {
        child.name != "VTIMEZONE" || !unused.iter().any(|zone| child.text("TZID") == Some(zone))
    });
}

/// FN of a contact that a device edited which cannot hold FN, or that sent none: it follows N if it was made of it.
fn formatted_name(
    root: &mut Component,
    stored: &Component,
    incoming: &Component,
    capabilities: Option<&Capabilities>,
) {
    let Some(shown) = stored.text("FN") else {
        return;
    };
    let held = capabilities.is_none_or(|capabilities| capabilities.holds("FN"));
    if incoming.property("FN").is_some() && held {
        return;
    }
    let (Some(old), Some(new)) = (stored.property("N"), root.property("N")) else {
        if root.property("FN").is_none() {
            root.properties.insert(0, Property::text("FN", shown));
        }
        return;
    };
    let name = if same_value(old, new, None) || !is_made_of(shown, &vcard::spoken_name(&old.value))
    {
        shown.to_owned()
    } else {
        vcard::spoken_name(&new.value)
    };
    match root.property_mut("FN") {
        Some(property) => property.value = Value::Text(name.into()),
        None => root.properties.insert(0, Property::text("FN", name)),
    }
}

/// Whether every word of a shown name comes from the name.
fn is_made_of(shown: &str, name: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let apart = |character: char| !character.is_alphanumeric();
        text.split(apart)
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let name = words(name);
    words(shown).iter().all(|word| name.contains(word))
}

/// SUMMARY and BODY of a note: plain text has both in one, and some devices get a SUMMARY that was made of the BODY.
fn note_text(
    root: &mut Component,
    stored: &Component,
    incoming: &Component,
    capabilities: Option<&Capabilities>,
) {
    let limit = capabilities.and_then(|capabilities| capabilities.find("SUMMARY"));
    match (stored.text("SUMMARY"), incoming.text("SUMMARY")) {
        (None, Some(summary)) => {
            let made = note::title(stored);
            if summary.trim() == made || super::capabilities::is_cut(summary, &made, limit) {
                root.remove("SUMMARY");
            }
        }
        (Some(summary), None)
            if capabilities.is_none_or(|capabilities| capabilities.holds("SUMMARY")) =>
        {
            let (Some(old), Some(new)) = (stored.text("BODY"), incoming.text("BODY")) else {
                return;
            };
            let (first, rest) = new.split_once('\n').unwrap_or((new, ""));
            let whole = if first.trim() == summary.trim() || rest == old && !rest.is_empty() {
                Some((first.trim().to_owned(), rest.to_owned()))
            } else if new == old {
                Some((summary.to_owned(), old.to_owned()))
            } else {
                None
            };
            if let Some((summary, body)) = whole {
                root.set(Property::text("SUMMARY", summary));
                root.set(Property::text("BODY", body));
            }
        }
        _ => {}
    }
    note::tidy(root);
}
