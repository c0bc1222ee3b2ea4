//! The fields that a phone has: what fits stays, cut to size; the rest is lost.

use std::collections::BTreeMap;

use super::Placed;
use super::line::{Line, Value};
use super::rules::{Alarms, Rules, Slot};
use crate::handset::device_info::{DeviceInfo, PropertyCapability};

/// Types that say nothing about which field of a phone is meant.
const VAGUE: [&str; 5] = ["VOICE", "PREF", "INTERNET", "MSG", "X-UNUSED"];
/// Properties whose values have parts.
const STRUCTURED: [&str; 3] = ["N", "ADR", "ORG"];

/// Loses what the phone does not understand, although it has a field for it; as the octets came, before times are converted.
pub(super) fn lose(lines: &mut Vec<Placed>, rules: &Rules, mishaps: &mut Vec<String>) {
    lines.retain(|(_, line)| match lost(line, rules) {
        Some(why) => {
            mishaps.push(why);
            false
        }
        None => true,
    });
}

/// Keeps what the phone has fields for. Mishaps are told, and done, only for what comes from the server.
pub(super) fn keep(
    lines: &mut Vec<Placed>,
    rules: &Rules,
    devinf: &DeviceInfo,
    datastore: &str,
    mut mishaps: Option<&mut Vec<String>>,
) {
    let listed: &[PropertyCapability] = devinf
        .datastores
        .get(datastore)
        .map_or(&[], |store| &store.properties);
    let mut counts: BTreeMap<(String, usize), usize> = BTreeMap::new();
    lines.retain_mut(|(_, line)| {
        if line.is_frame() {
            return true;
        }
        if line.is_empty() {
            return false;
        }
        let capability = listed
            .iter()
            .find(|capability| capability.name.eq_ignore_ascii_case(&line.name));
        let field = rules
            .fields
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(&line.name));
        let unlisted = capability.is_none() && !listed.is_empty();
        let unknown = field.is_none() && !rules.fields.is_empty();
        if (unlisted && field.is_none()) || (unknown && capability.is_none()) {
            return false;
        }
        let announced = capability.filter(|_| !rules.sizes_are_not_meant);
        let size = field.and_then(|field| field.size).or_else(|| {
            let size = announced.and_then(|capability| capability.max_size);
            size.and_then(|size| usize::try_from(size).ok())
        });
        let occurs = field.and_then(|field| field.occurs).or_else(|| {
            let occurs = capability.and_then(|capability| capability.max_occur);
            occurs.and_then(|occurs| usize::try_from(occurs).ok())
        });
        let (slot, most) = match rules.slots.get(&line.name) {
            Some(slots) => match slot_of(line, slots) {
                Some(index) => {
                    let slot = &slots[index];
                    set_types(line, &slot.types);
                    (index, slot.count)
                }
                None => return false,
            },
            None => {
                if let Some(types) = capability
                    .map(|c| &c.types)
                    .filter(|types| !types.is_empty())
                {
                    keep_types(line, types);
                }
                (0, occurs.unwrap_or(usize::MAX))
            }
        };
        let count = counts.entry((line.name.clone(), slot)).or_default();
        *count += 1;
        if *count > most {
            return false;
        }
        shape(line, rules, size, mishaps.as_deref_mut());
        !line.is_empty()
    });
}

/// Why the phone loses a line that it has a field for.
fn lost(line: &Line, rules: &Rules) -> Option<String> {
    let name = &line.name;
    if line.is_empty() {
        return None;
    }
    let types = line.types();
    let has = |kind: &String| types.iter().any(|other| other.eq_ignore_ascii_case(kind));
    let binary = matches!(line.value, Value::Base64(_));
    if let Some(needed) = rules.lost_without_type.get(name).filter(|kind| !has(kind)) {
        return Some(format!("{name} without {needed} was lost"));
    }
    if let Some(unborne) = rules.lost_with_type.get(name).filter(|kind| has(kind)) {
        return Some(format!("{name} with {unborne} was lost"));
    }
    if rules.loses_typed_photo && name == "PHOTO" && binary && !types.is_empty() {
        return Some("PHOTO with a type was lost".to_owned());
    }
    let text = line.text().unwrap_or_default().trim();
    if rules.loses_bounded_recurrence && name == "RRULE" {
        let end = text.rsplit(' ').next().unwrap_or_default();
        if end.len() >= 8 && end.starts_with(|c: char| c.is_ascii_digit()) {
            return Some("RRULE with an end date was lost".to_owned());
        }
    }
    let time = text.split(';').next().unwrap_or_default();
    let alarm = name == "AALARM" || name == "DALARM";
    let understood = match rules.alarms {
        Alarms::Any => true,
        Alarms::BareTime => !text.contains(';'),
        Alarms::Display => name == "DALARM",
        Alarms::UtcOnly => time.ends_with('Z'),
    };
    (alarm && !understood).then(|| format!("{name} in this form was lost"))
}

/// The slot for a line: the one of just its types, else the one of most of them, else that of all others.
fn slot_of(line: &Line, slots: &[Slot]) -> Option<usize> {
    let types: Vec<String> = line
        .types()
        .into_iter()
        .filter(|kind| !VAGUE.contains(&kind.as_str()))
        .collect();
    let meant = |slot: &Slot| -> Vec<String> {
        let kinds = slot.types.iter().map(|kind| kind.to_ascii_uppercase());
        kinds
            .filter(|kind| !VAGUE.contains(&kind.as_str()))
            .collect()
    };
    let fits = |slot: &Slot| {
        let meant = meant(slot);
        !meant.is_empty() && meant.iter().all(|kind| types.contains(kind))
    };
    let best = slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| fits(slot))
        .max_by_key(|(index, slot)| (meant(slot).len(), usize::MAX - index));
    best.map(|(index, _)| index)
        .or_else(|| slots.iter().position(|slot| meant(slot).is_empty()))
}

fn set_types(line: &mut Line, types: &[String]) {
    line.params
        .retain(|(name, _)| !name.is_empty() && name != "TYPE");
    let bare = types.iter().map(|kind| (String::new(), kind.clone()));
    line.params.extend(bare);
}

fn keep_types(line: &mut Line, known: &[String]) {
    let known = |kind: &str| {
        known
            .iter()
            .flat_map(|entry| entry.split(';'))
            .any(|entry| entry.eq_ignore_ascii_case(kind.trim()))
    };
    line.params.retain_mut(|(name, value)| {
        if !name.is_empty() && name != "TYPE" {
            return true;
        }
        let kinds: Vec<&str> = value.split(',').filter(|kind| known(kind)).collect();
        *value = kinds.join(",");
        !value.is_empty()
    });
}

/// Gives a value the shape of its field.
fn shape(
    line: &mut Line,
    rules: &Rules,
    size: Option<usize>,
    mut mishaps: Option<&mut Vec<String>>,
) {
    let Value::Text(_) = line.value else { return };
    let mut parts = line.parts();
    let mut changed = false;
    if line.name == "N" {
        let trailing = parts.len() > 2 && parts.last().is_some_and(|part| part.trim().is_empty());
        if rules.garbles_empty_name_parts
            && trailing
            && let Some(mishaps) = mishaps.as_deref_mut()
        {
            mishaps.push("N with empty parts at its end was garbled".to_owned());
            let given = parts.get(1).cloned().unwrap_or_default();
            parts = vec![parts[0].clone(), format!("{given}\\;\\;\\;")];
            changed = true;
        } else if let Some(most) = rules.name_parts.filter(|most| parts.len() > *most) {
            parts.truncate(most);
            changed = true;
        }
    } else if line.name == "ADR"
        && let (Some(street), Some(mishaps)) = (rules.street_part, mishaps)
    {
        let part = |index: usize| parts.get(index).is_some_and(|part| !part.trim().is_empty());
        if street != 2 && part(2) && !part(street) {
            mishaps.push("ADR has its street in another field of the phone".to_owned());
        }
    }
    let structured = STRUCTURED.contains(&line.name.as_str());
    if let Some(size) = size {
        if structured {
            for part in &mut parts {
                changed |= cut(part, size);
            }
        } else if let Value::Text(text) = &mut line.value {
            cut(text, size);
        }
    }
    if changed {
        line.value = Value::Text(parts.join(";"));
    }
    if rules.digits_only
        && line.name == "TEL"
        && let Value::Text(text) = &mut line.value
    {
        text.retain(|c| c.is_ascii_digit() || c == '+');
    }
}

/// Cuts a text to a number of characters; tells whether it was longer.
fn cut(text: &mut String, size: usize) -> bool {
    let end = text.char_indices().nth(size).map(|(at, _)| at);
    if let Some(end) = end {
        text.truncate(end);
    }
    end.is_some()
}

/// What makes a line the same field as another one.
fn key((component, line): &Placed) -> (String, String, Vec<String>) {
    let mut types = line.types();
    types.sort();
    (component.clone(), line.name.clone(), types)
}

/// Fields that are not there stay as they were.
pub(super) fn add_absent(lines: &mut Vec<Placed>, previous: Vec<Placed>) {
    for old in previous {
        let known = key(&old);
        if old.1.is_frame() || lines.iter().any(|line| key(line) == known) {
            continue;
        }
        insert(lines, &old.0, old.1);
    }
}

/// Puts a line at the end of a component.
fn insert(lines: &mut Vec<Placed>, component: &str, line: Line) {
    let end = lines
        .iter()
        .position(|(of, line)| line.name == "END" && of.eq_ignore_ascii_case(component));
    if let Some(end) = end {
        lines.insert(end, (component.to_owned(), line));
    }
}

/// The item has none of the properties of which the phone needs one.
pub(super) fn lacks_needed(lines: &[Placed], rules: &Rules) -> bool {
    let needed = &rules.needs_one_of;
    !needed.is_empty()
        && !lines.iter().any(|(_, line)| {
            needed
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&line.name))
        })
}

/// Lines that the phone writes of its own.
pub(super) fn add_own(lines: &mut Vec<Placed>, rules: &Rules) {
    for addition in &rules.adds {
        let has = |name: &str| {
            lines.iter().any(|(component, line)| {
                component.eq_ignore_ascii_case(&addition.component)
                    && line.name.eq_ignore_ascii_case(name)
            })
        };
        if has("BEGIN") && !has(&addition.name) {
            let line = Line::new(&addition.name, &addition.value);
            insert(lines, &addition.component, line);
        }
    }
    for head in &rules.writes_empty {
        let mut words = head.split(';');
        let mut line = Line::new(words.next().unwrap_or_default(), "");
        line.params = words.map(|kind| (String::new(), kind.to_owned())).collect();
        let inner = lines
            .iter()
            .rev()
            .find(|(_, line)| line.name == "BEGIN")
            .map(|(component, _)| component.clone())
            .unwrap_or_default();
        let wanted = key(&(inner.clone(), line.clone()));
        if !lines.iter().any(|placed| key(placed) == wanted) {
            insert(lines, &inner, line);
        }
    }
}

/// The phone's own id of the item.
pub(super) fn set_uid(lines: &mut Vec<Placed>, luid: &str) {
    lines.retain(|(_, line)| line.name != "UID");
    insert_inner(lines, Line::new("UID", luid));
}

/// Puts a line at the end of the innermost component.
pub(super) fn insert_inner(lines: &mut Vec<Placed>, line: Line) {
    let inner = lines.iter().rev().find(|(_, line)| line.name == "BEGIN");
    if let Some(component) = inner.map(|(component, _)| component.clone()) {
        insert(lines, &component, line);
    }
}

/// Categories of the user's own get the phone's mark.
pub(super) fn prefix_categories(lines: &mut [Placed], rules: &Rules) {
    let Some(prefix) = &rules.category_prefix else {
        return;
    };
    for (_, line) in lines
        .iter_mut()
        .filter(|(_, line)| line.name == "CATEGORIES")
    {
        let marked: Vec<String> = line
            .parts()
            .into_iter()
            .map(|part| match part.starts_with(prefix.as_str()) {
                true => part,
                false => format!("{prefix}{part}"),
            })
            .collect();
        line.value = Value::Text(marked.join(";"));
    }
}
