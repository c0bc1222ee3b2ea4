//! Fields: when two values are the same, which property of one item answers to which of another, and one made of two.

use std::borrow::Cow;

use chrono::{NaiveDateTime, TimeZone as _};
use rustc_hash::FxHashMap;

use super::super::capabilities::{Capabilities, PropertyCapability, is_cut};
use super::super::digest::is_noise_type;
use super::super::model::{Param, Property, Text, Value};
use super::super::params::Params;

/// Whether two values of properties of one name say the same; a value that the device had to cut equals the whole.
pub(super) fn same_value(
    stored: &Property,
    incoming: &Property,
    capability: Option<&PropertyCapability>,
) -> bool {
    match (&stored.value, &incoming.value) {
        (Value::Binary(a), Value::Binary(b)) => a == b,
        (Value::Binary(_), _) | (_, Value::Binary(_)) => false,
        (Value::Text(a), Value::Text(b)) => {
            let (a, b) = (a.trim(), b.trim());
            a == b
                || match stored.name.as_str() {
                    "TEL" => dialled(a).eq(dialled(b)) || is_cut(b, a, capability),
                    "EMAIL" => a.eq_ignore_ascii_case(b) || is_cut(b, a, capability),
                    "RRULE" | "EXRULE" => rule(a) == rule(b),
                    "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "EXDATE" | "RDATE"
                    | "COMPLETED" => same_times(stored, a, incoming, b),
                    _ => is_cut(b, a, capability),
                }
        }
        (a, b) if matches!(stored.name.as_str(), "CATEGORIES" | "NICKNAME") => {
            let (mut a, mut b) = (words(a), words(b));
            a.sort_unstable();
            b.sort_unstable();
            a == b
        }
        (a, b) => {
            let (a, b) = (parts(a), parts(b));
            let part = |parts: &[Cow<'_, str>], index: usize| {
                parts.get(index).map(|part| part.trim().to_owned())
            };
            (0..a.len().max(b.len())).all(|index| {
                // A part that was not sent at all was not edited.
                let (old, new) = (part(&a, index).unwrap_or_default(), part(&b, index));
                new.is_none_or(|new| old == new || is_cut(&new, &old, capability))
            })
        }
    }
}

/// The characters of a number that are dialled.
fn dialled(number: &str) -> impl Iterator<Item = char> {
    number
        .chars()
        .filter(|character| !matches!(character, ' ' | '-' | '(' | ')' | '.' | '/' | '\u{A0}'))
}

/// A recurrence rule's parts without their defaults, in order.
fn rule(text: &str) -> Vec<String> {
    let mut parts: Vec<String> = text
        .split(';')
        .map(|part| part.trim().to_ascii_uppercase())
        .collect();
    parts.retain(|part| !matches!(part.as_str(), "" | "INTERVAL=1" | "WKST=MO"));
    parts.sort_unstable();
    parts
}

/// The values of a list, however it is held.
fn words(value: &Value) -> Vec<&str> {
    let apart = |text| str::split(text, ',');
    value
        .texts()
        .flat_map(apart)
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect()
}

/// The parts of a structured value, each as one text.
fn parts(value: &Value) -> Vec<Cow<'_, str>> {
    match value {
        Value::Text(text) => vec![Cow::Borrowed(text)],
        Value::Binary(_) => Vec::new(),
        Value::Parts(parts) => parts
            .iter()
            .map(|part| match part.as_slice() {
                [one] => Cow::Borrowed(one.as_str()),
                many => Cow::Owned(many.join(",")),
            })
            .collect(),
    }
}

/// Whether two lists of times are the same instants, whatever zones they are told in.
fn same_times(a: &Property, a_text: &str, b: &Property, b_text: &str) -> bool {
    let times = |property: &Property, text: &str| -> Option<Vec<i64>> {
        let mut times: Vec<i64> = text
            .split(',')
            .map(|time| instant(time.trim(), property))
            .collect::<Option<_>>()?;
        times.sort_unstable();
        Some(times)
    };
    matches!((times(a, a_text), times(b, b_text)), (Some(a), Some(b)) if a == b)
}

/// The instant of a UTC time or of one in a named zone, in seconds since 1970.
pub(super) fn instant(time: &str, property: &Property) -> Option<i64> {
    let local = |text: &str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").ok();
    match time.strip_suffix('Z') {
        Some(utc) => Some(local(utc)?.and_utc().timestamp()),
        None => {
            let zone: chrono_tz::Tz = property.first_param("TZID")?.parse().ok()?;
            Some(
                zone.from_local_datetime(&local(time)?)
                    .earliest()?
                    .timestamp(),
            )
        }
    }
}

/// Whether a property's TYPE says the same, as far as the device can tell.
pub(super) fn same_types(
    a: &Property,
    b: &Property,
    capability: Option<&PropertyCapability>,
) -> bool {
    let told = |property: &'_ Property, kind: &str| {
        property.has_type(kind)
            || is_noise_type(kind)
            || capability.is_some_and(|capability| !capability.expresses(kind))
    };
    a.param("TYPE").iter().all(|kind| told(b, kind))
        && b.param("TYPE").iter().all(|kind| told(a, kind))
}

/// For each stored property the one of the edit that answers to it.
///
/// First by equal value (and, where there is a choice, equal TYPE), then, among those that the device was shown, by equal
/// TYPE, then by position.
pub(super) fn pair(
    stored: &[Property],
    incoming: &[Property],
    shown: &[bool],
    capabilities: Option<&Capabilities>,
) -> Vec<Option<usize>> {
    if stored.len() * incoming.len() > MOST_COMPARED {
        return pair_many(stored, incoming, shown);
    }
    let mut pairs = vec![None; stored.len()];
    let mut used = vec![false; incoming.len()];
    for pass in 0..4 {
        for (index, old) in stored.iter().enumerate() {
            // What the device was not shown cannot be what it edited, unless there can be only one.
            let hidden = !shown[index] && is_multiple(&old.name) && !lacks(&old.name, capabilities);
            if pairs[index].is_some() || pass >= 2 && hidden {
                continue;
            }
            let capability = capabilities.and_then(|capabilities| capabilities.find(&old.name));
            let found = incoming.iter().enumerate().position(|(at, new)| {
                !used[at]
                    && new.name == old.name
                    && match pass {
                        0 => same_value(old, new, capability) && same_types(old, new, capability),
                        1 => same_value(old, new, capability),
                        2 => same_types(old, new, capability),
                        _ => true,
                    }
            });
            if let Some(at) = found {
                used[at] = true;
                pairs[index] = Some(at);
            }
        }
    }
    pairs
}

/// More comparisons than these are not worth an answer that may take seconds.
const MOST_COMPARED: usize = 250_000;

/// Pairs by equal text, then by position, in time that grows with the number of properties and not with its square.
fn pair_many(stored: &[Property], incoming: &[Property], shown: &[bool]) -> Vec<Option<usize>> {
    let mut by_value: FxHashMap<(&str, &Value), Vec<usize>> = FxHashMap::default();
    let mut by_name: FxHashMap<&str, Vec<usize>> = FxHashMap::default();
    for (index, property) in incoming.iter().enumerate().rev() {
        by_value
            .entry((&property.name, &property.value))
            .or_default()
            .push(index);
    }
    let mut used = vec![false; incoming.len()];
    let mut pairs: Vec<Option<usize>> = Vec::with_capacity(stored.len());
    for property in stored {
        let found = by_value
            .get_mut(&(property.name.as_str(), &property.value))
            .and_then(Vec::pop);
        found.into_iter().for_each(|at| used[at] = true);
        pairs.push(found);
    }
    for (index, property) in incoming
        .iter()
        .enumerate()
        .rev()
        .filter(|(index, _)| !used[*index])
    {
        by_name.entry(&property.name).or_default().push(index);
    }
    for (index, property) in stored.iter().enumerate() {
        if pairs[index].is_none() && shown[index] {
            pairs[index] = by_name.get_mut(property.name.as_str()).and_then(Vec::pop);
        }
    }
    pairs
}

/// Whether the device does not list that property, and so sent it against its own word.
fn lacks(name: &str, capabilities: Option<&Capabilities>) -> bool {
    capabilities.is_some_and(|capabilities| !capabilities.holds(name))
}

/// Properties that an item may have many of.
pub(super) fn is_multiple(name: &str) -> bool {
    name.starts_with("X-")
        || matches!(
            name,
            "TEL"
                | "EMAIL"
                | "ADR"
                | "LABEL"
                | "URL"
                | "IMPP"
                | "NICKNAME"
                | "CATEGORIES"
                | "RELATED"
                | "MEMBER"
                | "LANG"
                | "KEY"
                | "ATTENDEE"
                | "ATTACH"
                | "COMMENT"
                | "EXDATE"
                | "RDATE"
                | "RESOURCES"
                | "CONTACT"
                | "FBURL"
                | "CALURI"
        )
}

/// Parameters that belong to the spelling of the value.
fn is_spelling(name: &str) -> bool {
    matches!(name, "VALUE" | "TZID" | "MEDIATYPE")
}

/// One property of a stored one and its edit.
pub(super) fn combine(
    stored: &Property,
    incoming: &Property,
    capability: Option<&PropertyCapability>,
) -> Property {
    if stored.name == "UID" {
        return stored.clone();
    }
    let kept = same_value(stored, incoming, capability);
    let value = if kept {
        stored.value.clone()
    } else {
        edited(&stored.value, &incoming.value, &stored.name, capability)
    };
    let mut params = Params::new();
    let from = |param: &&Param| is_spelling(&param.name);
    params.extend(
        if kept {
            &stored.params
        } else {
            &incoming.params
        }
        .iter()
        .filter(from)
        .cloned(),
    );
    for param in stored.params.iter().chain(&incoming.params) {
        if is_spelling(&param.name) || params.iter().any(|other| other.name == param.name) {
            continue;
        }
        if param.name == "TYPE" {
            let values = types(stored, incoming, capability);
            if !values.is_empty() {
                params.push(Param {
                    name: param.name.clone(),
                    values,
                });
            }
            continue;
        }
        let newer = incoming
            .params
            .iter()
            .find(|other| other.name == param.name);
        params.push(newer.unwrap_or(param).clone());
    }
    let group = stored.group.clone().or_else(|| incoming.group.clone());
    Property {
        group,
        name: stored.name.clone(),
        params,
        value,
    }
}

/// The edit's value; of a structured one, parts that were not sent or only cut stay.
fn edited(
    stored: &Value,
    incoming: &Value,
    name: &str,
    capability: Option<&PropertyCapability>,
) -> Value {
    let (Value::Parts(old), Value::Parts(new)) = (stored, incoming) else {
        return incoming.clone();
    };
    if matches!(name, "CATEGORIES" | "NICKNAME") {
        return incoming.clone();
    }
    let part = |index: usize| match (old.get(index), new.get(index)) {
        (Some(old), None) => old.clone(),
        (Some(old), Some(new)) => {
            let (whole, short) = (old.join(","), new.join(","));
            let kept = whole.trim() == short.trim() || is_cut(&short, &whole, capability);
            if kept { old.clone() } else { new.clone() }
        }
        (None, new) => new.cloned().unwrap_or_default(),
    };
    Value::Parts((0..old.len().max(new.len())).map(part).collect())
}

/// The TYPE of an edited property: what the device can tell is as it says, the rest stays.
fn types(
    stored: &Property,
    incoming: &Property,
    capability: Option<&PropertyCapability>,
) -> Vec<Text> {
    let (old, new) = (stored.param("TYPE"), incoming.param("TYPE"));
    let plain = |kind: &&Text| !is_noise_type(kind) && *kind != "PREF";
    // A device that lists no types may know none: as long as it says nothing else, nothing has changed.
    let silent = capability.is_some_and(|capability| capability.params.is_empty())
        && new.iter().filter(plain).all(|kind| old.contains(kind));
    let binary = matches!(stored.value, Value::Binary(_)) && new.is_empty();
    let mut types: Vec<Text> = old
        .iter()
        .filter(|kind| {
            let untold = capability.is_some_and(|capability| !capability.expresses(kind));
            silent || binary || untold || new.contains(kind) || kind.starts_with("X-")
        })
        .cloned()
        .collect();
    types.extend(new.iter().filter(|kind| !old.contains(kind)).cloned());
    types
}
