//! What a device sent, with all that its dialect kept from it or changed on the way put back.
//!
//! A device that was shown an item in its own way (a name of two parts, one number of a kind, a recurrence without end) sends back what
//! it was shown. What equals what it was shown is no edit: the stored property takes its place. What it could not be
//! shown is put back, and what was only made up for it is taken away. What is left is what a person changed, for
//! [`overlay`](super::overlay) and [`merge`](super::merge).

use super::super::digest::is_noise;
use super::super::model::{Component, Kind, Property, Record};
use super::field::{is_multiple, pair, same_types, same_value};
use super::occurrences_equal;

/// An item that a device sent, as it would have sent it without its dialect. `shown` is what the device was shown of `stored`: written for
/// it and read back.
pub fn restored(stored: &Record, incoming: &Record, shown: &Record) -> Record {
    let mail = matches!(stored.kind, Kind::Mail | Kind::Folder);
    if mail || stored.kind != incoming.kind || stored.kind != shown.kind {
        return incoming.clone();
    }
    Record {
        kind: incoming.kind,
        root: component(&stored.root, &incoming.root, &shown.root),
    }
}

/// Depth is limited by the readers.
fn component(stored: &Component, incoming: &Component, shown: &Component) -> Component {
    let all = vec![true; stored.properties.len()];
    let pairs = pair(&stored.properties, &shown.properties, &all, None);
    let mut stored_of: Vec<Option<usize>> = vec![None; shown.properties.len()];
    for (index, at) in pairs.iter().enumerate() {
        if let Some(at) = at {
            stored_of[*at] = Some(index);
        }
    }
    let mut used = vec![false; shown.properties.len()];
    let mut result = Component::new(incoming.name.clone());
    for property in &incoming.properties {
        let twin = (!is_noise(&property.name))
            .then(|| {
                (0..used.len()).find(|at| !used[*at] && same(&shown.properties[*at], property))
            })
            .flatten();
        match twin {
            Some(at) => {
                used[at] = true;
                // What stands for nothing stored was made up.
                if let Some(index) = stored_of[at] {
                    result.properties.push(stored.properties[index].clone());
                }
            }
            None => result.properties.push(property.clone()),
        }
    }
    for (property, _) in stored
        .properties
        .iter()
        .zip(&pairs)
        .filter(|(_, at)| at.is_none())
    {
        // FN follows N.
        let missing = is_multiple(&property.name) || result.property(&property.name).is_none();
        if missing && property.name != "FN" && !is_noise(&property.name) {
            result.properties.push(property.clone());
        }
    }
    result.children = children(stored, incoming, shown);
    result
}

fn same(shown: &Property, property: &Property) -> bool {
    shown.name == property.name
        && same_value(shown, property, None)
        && same_types(shown, property, None)
}

fn children(stored: &Component, incoming: &Component, shown: &Component) -> Vec<Component> {
    let alarms = |component: &Component| -> Vec<Option<String>> {
        let alarms = component.children.iter().filter(|child| is_alarm(child));
        alarms
            .map(|alarm| alarm.text("TRIGGER").map(str::to_owned))
            .collect()
    };
    let untouched = alarms(incoming) == alarms(shown);
    let mut children = Vec::with_capacity(incoming.children.len());
    for child in &incoming.children {
        if is_alarm(child) && untouched {
            continue;
        }
        let of = |component: &'_ Component| {
            component
                .children
                .iter()
                .position(|other| other.name == child.name && occurrences_equal(other, child))
        };
        children.push(match (of(stored), of(shown)) {
            (Some(old), Some(seen)) if !is_alarm(child) => {
                component(&stored.children[old], child, &shown.children[seen])
            }
            _ => child.clone(),
        });
    }
    if untouched {
        children.extend(
            stored
                .children
                .iter()
                .filter(|child| is_alarm(child))
                .cloned(),
        );
    }
    children
}

fn is_alarm(component: &Component) -> bool {
    component.name == "VALARM"
}
