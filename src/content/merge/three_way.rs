//! Two edits of one item, made into one.

use super::super::calendar;
use super::super::capabilities::Capabilities;
use super::super::digest::digest;
use super::super::email;
use super::super::model::{Component, Kind, Property, Record, Text, Value};
use super::field::{combine, is_multiple, pair, same_value};
use super::{View, children, component, is_item, is_kept, occurrences_equal, overlay, same};

/// The outcome of a [`merge`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merged {
    /// Both edits in one.
    pub record: Record,
    /// The device must be sent it.
    pub differs_from_client: bool,
    /// The store must be given it.
    pub differs_from_server: bool,
}

/// Merges an edit of the server's side with one of a device.
///
/// With the common base, field by field: an edited field wins over an untouched one, also over a deleted one, and the
/// client's edit wins over the server's of the same field. Without it, properties that may occur often are united and the
/// client wins the others.
pub fn merge(
    base: Option<&Record>,
    server: &Record,
    client: &Record,
    capabilities: Option<&Capabilities>,
) -> Merged {
    let record = if server.kind != client.kind {
        client.clone()
    } else if matches!(server.kind, Kind::Mail | Kind::Folder) {
        let edit = base.map(|base| email::changes(base, client));
        overlay(server, edit.as_ref().unwrap_or(client), capabilities)
    } else {
        let mut root = match base.filter(|base| base.kind == server.kind) {
            Some(base) => {
                let edited = overlay(base, client, capabilities);
                three_way(&base.root, &server.root, &edited.root)
            }
            None => {
                let mut client = client.clone();
                if server.kind != Kind::Contact && server.kind != Kind::Note {
                    calendar::settle(&server.root, &mut client.root);
                }
                united(&server.root, &client.root, capabilities)
            }
        };
        if server.kind == Kind::Note && base.is_none() {
            super::note_text(&mut root, &server.root, &client.root, capabilities);
        }
        Record {
            kind: server.kind,
            root,
        }
    };
    Merged {
        differs_from_client: !same(&record, client, capabilities),
        differs_from_server: digest(&record) != digest(server),
        record,
    }
}

/// Fields that only make sense together: one edit of them is taken whole.
fn field_group(name: &str) -> usize {
    match name {
        "DTSTART" | "DTEND" | "DURATION" | "DUE" => 1,
        "STATUS" | "COMPLETED" | "PERCENT-COMPLETE" => 2,
        _ => 0,
    }
}

/// What became of a base property on one side.
enum Fate<'a> {
    Same,
    Edited(&'a Property),
    Deleted,
}

fn fate<'a>(base: &Property, side: &'a [Property], pair: Option<usize>) -> Fate<'a> {
    match pair.and_then(|index| side.get(index)) {
        None => Fate::Deleted,
        Some(property) => {
            let same = same_value(base, property, None) && same_value(property, base, None);
            if same && same_params(base, property) {
                Fate::Same
            } else {
                Fate::Edited(property)
            }
        }
    }
}

fn same_params(a: &Property, b: &Property) -> bool {
    let within = |a: &Property, b: &Property| {
        a.params.iter().all(|param| {
            let other = b.param(&param.name);
            param
                .values
                .iter()
                .all(|value| super::super::digest::is_noise_type(value) || other.contains(value))
        })
    };
    within(a, b) && within(b, a)
}

fn three_way(base: &Component, server: &Component, client: &Component) -> Component {
    let all = vec![true; base.properties.len()];
    let to_server = pair(&base.properties, &server.properties, &all, None);
    let to_client = pair(&base.properties, &client.properties, &all, None);
    // Which groups of fields the client has touched.
    let mut touched = [false; 3];
    for (index, property) in base.properties.iter().enumerate() {
        let fate = fate(property, &client.properties, to_client[index]);
        touched[field_group(&property.name)] |= !matches!(fate, Fate::Same);
    }
    let is_new = |pairs: &[Option<usize>], index: usize| !pairs.contains(&Some(index));
    for (index, property) in client.properties.iter().enumerate() {
        touched[field_group(&property.name)] |= is_new(&to_client, index);
    }
    touched[0] = false;

    let mut result = Component::new(server.name.clone());
    for (index, property) in base.properties.iter().enumerate() {
        let ours = fate(property, &server.properties, to_server[index]);
        let theirs = fate(property, &client.properties, to_client[index]);
        let group = field_group(&property.name);
        let whole = touched[group];
        let kept = match (ours, theirs) {
            _ if group > 0 && whole => to_client[index].map(|at| client.properties[at].clone()),
            (Fate::Same, Fate::Same) => to_server[index].map(|at| server.properties[at].clone()),
            (Fate::Edited(edited), Fate::Same) => Some(edited.clone()),
            (Fate::Same, Fate::Edited(edited)) => Some(edited.clone()),
            (Fate::Edited(edited), Fate::Deleted) | (Fate::Deleted, Fate::Edited(edited)) => {
                Some(edited.clone())
            }
            (Fate::Edited(ours), Fate::Edited(theirs)) => Some(both(property, ours, theirs)),
            (Fate::Deleted, _) | (Fate::Same, Fate::Deleted) => None,
        };
        result.properties.extend(kept);
    }
    for (index, property) in server.properties.iter().enumerate() {
        let group = field_group(&property.name);
        if is_new(&to_server, index) && !(group > 0 && touched[group]) {
            result.properties.push(property.clone());
        }
    }
    for (index, property) in client.properties.iter().enumerate() {
        if is_new(&to_client, index) {
            add(&mut result, property);
        }
    }
    result.children = three_way_children(base, server, client);
    result
}

/// Adds a property that a device's item has and the result has not; one that may occur once replaces what is there.
fn add(result: &mut Component, property: &Property) {
    let equal = |other: &Property| other.name == property.name && same_value(other, property, None);
    if let Some(there) = result.properties.iter_mut().find(|other| equal(other)) {
        *there = combine(there, property, None);
    } else if is_multiple(&property.name) {
        result.properties.push(property.clone());
    } else if !is_kept(&property.name) || result.property(&property.name).is_none() {
        result.set(property.clone());
    }
}

/// A field that both sides have edited: part by part where it has parts, otherwise the client's.
fn both(base: &Property, server: &Property, client: &Property) -> Property {
    let mut result = combine(server, client, None);
    let list = matches!(base.name.as_str(), "CATEGORIES" | "NICKNAME");
    result.value = match (&base.value, &server.value, &client.value) {
        (Value::Parts(base), Value::Parts(server), Value::Parts(client)) if list => {
            let (base, server, client) = (base.concat(), server.concat(), client.concat());
            let kept = server
                .iter()
                .filter(|word| client.contains(word) || !base.contains(word));
            let new = client
                .iter()
                .filter(|word| !base.contains(word) && !server.contains(word));
            Value::Parts(vec![kept.chain(new).cloned().collect()])
        }
        (Value::Parts(base), Value::Parts(server), Value::Parts(client)) => {
            let part = |index: usize| {
                let (old, new) = (base.get(index), client.get(index));
                let untouched = old.map(|part| part.join(",")).unwrap_or_default()
                    == new.map(|part| part.join(",")).unwrap_or_default();
                let taken = if untouched {
                    server.get(index).or(new)
                } else {
                    new
                };
                taken.cloned().unwrap_or_default()
            };
            Value::Parts(
                (0..base.len().max(server.len()).max(client.len()))
                    .map(part)
                    .collect(),
            )
        }
        _ => return result,
    };
    result
}

/// Occurrences are merged each for itself; other components, such as alarms, are one field together.
fn three_way_children(base: &Component, server: &Component, client: &Component) -> Vec<Component> {
    let find = |root: &'_ Component, child: &Component| {
        root.children.iter().position(|other| {
            other.name == child.name && is_item(other) && occurrences_equal(other, child)
        })
    };
    let mut result: Vec<Component> = Vec::new();
    for ours in server.children.iter().filter(|child| is_item(child)) {
        let (in_base, in_client) = (find(base, ours), find(client, ours));
        match (
            in_base.map(|at| &base.children[at]),
            in_client.map(|at| &client.children[at]),
        ) {
            (Some(base), Some(theirs)) => result.push(three_way(base, ours, theirs)),
            (None, Some(theirs)) => result.push(component(ours, theirs, &View::ALL)),
            // Deleted by the client: gone, unless the server has edited it.
            (Some(base), None) if base == ours => {}
            (_, None) => result.push(ours.clone()),
        }
    }
    for theirs in client.children.iter().filter(|child| is_item(child)) {
        let untouched = find(base, theirs).is_some_and(|at| base.children[at] == *theirs);
        if find(server, theirs).is_none() && !untouched {
            result.push(theirs.clone());
        }
    }
    let others = |root: &'_ Component| -> Vec<Component> {
        root.children
            .iter()
            .filter(|child| !is_item(child) && child.name != "VTIMEZONE")
            .cloned()
            .collect()
    };
    let (old, ours, theirs) = (others(base), others(server), others(client));
    result.extend(if old == theirs { ours } else { theirs });
    zones(server, client, &mut result);
    result
}

/// The zones of both sides, each once, before the components that name them.
fn zones(server: &Component, client: &Component, children: &mut Vec<Component>) {
    let mut zones: Vec<Component> = Vec::new();
    for zone in server
        .children
        .iter()
        .chain(&client.children)
        .filter(|child| child.name == "VTIMEZONE")
    {
        if !zones
            .iter()
            .any(|other| other.text("TZID") == zone.text("TZID"))
        {
            zones.push(zone.clone());
        }
    }
    children.splice(0..0, zones);
}

/// Two items that have never met: everything of both, the client's where only one can be.
fn united(
    server: &Component,
    client: &Component,
    capabilities: Option<&Capabilities>,
) -> Component {
    let mut result = Component {
        name: server.name.clone(),
        properties: server.properties.clone(),
        children: Vec::new(),
    };
    let mut taken = vec![false; result.properties.len()];
    let mut other_end = false;
    for property in &client.properties {
        let capability = capabilities.and_then(|capabilities| capabilities.find(&property.name));
        let multiple = is_multiple(&property.name);
        let found = result
            .properties
            .iter()
            .zip(&taken)
            .position(|(other, taken)| {
                other.name == property.name
                    && !taken
                    && (!multiple || same_value(other, property, capability))
            });
        match found {
            Some(index) => {
                let whole = &result.properties[index];
                let mut combined = combine(whole, property, capability);
                combined.add_param(
                    "TYPE",
                    whole.param("TYPE").iter().filter(|_| multiple).cloned(),
                );
                result.properties[index] = combined;
                taken[index] = true;
            }
            None if property.name == "CATEGORIES" && result.property("CATEGORIES").is_some() => {
                let words: Vec<Text> = property.value.texts().map(Text::from).collect();
                if let Some(Value::Parts(parts)) = result
                    .property_mut("CATEGORIES")
                    .map(|there| &mut there.value)
                    && let Some(list) = parts.first_mut()
                {
                    let new: Vec<Text> = words
                        .into_iter()
                        .filter(|word| !list.contains(word))
                        .collect();
                    list.extend(new);
                }
            }
            None => {
                result.properties.push(property.clone());
                taken.push(true);
                other_end |= matches!(property.name.as_str(), "DTEND" | "DUE" | "DURATION");
            }
        }
    }
    if other_end {
        // The same thing said otherwise: the client's.
        result.properties.retain(|property| {
            !matches!(property.name.as_str(), "DTEND" | "DUE" | "DURATION")
                || client.property(&property.name).is_some()
        });
    }
    let alarms = client.children.iter().any(|child| child.name == "VALARM");
    result.children = if server.children.iter().any(is_item) {
        united_children(server, client, capabilities)
    } else if alarms || server.children.is_empty() {
        children(server, client, &result, &View::ALL)
    } else {
        server.children.clone()
    };
    result
}

fn united_children(
    server: &Component,
    client: &Component,
    capabilities: Option<&Capabilities>,
) -> Vec<Component> {
    let mut result = Vec::new();
    let mut used = vec![false; client.children.len()];
    for ours in server.children.iter().filter(|child| is_item(child)) {
        let found = client.children.iter().enumerate().position(|(at, theirs)| {
            !used[at] && theirs.name == ours.name && occurrences_equal(ours, theirs)
        });
        match found {
            Some(at) => {
                used[at] = true;
                result.push(united(ours, &client.children[at], capabilities));
            }
            None => result.push(ours.clone()),
        }
    }
    let rest = client
        .children
        .iter()
        .zip(&used)
        .filter(|(child, used)| is_item(child) && !**used);
    result.extend(rest.map(|(child, _)| child.clone()));
    zones(server, client, &mut result);
    result
}
