//! What a device can hold, from the CTCap of its DevInf (OMA DS DevInf 1.2 section 5.3; SyncML DevInf 1.1).
//!
//! Capabilities name properties as the device's wire form does (`X-EPOCSECONDNAME`, `AALARM`); records use the modern
//! names. The table of both is here. An empty list says nothing about the device and holds everything.
//!
//! Invariant: what [`visible`] leaves out of a component is exactly what [`write`](super::write) does not send.

use rustc_hash::FxHashMap;

use super::model::{Component, Property, Value};

/// One property that a device can hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PropertyCapability {
    /// As in the device's DevInf.
    pub name: String,
    /// Longest value in bytes.
    pub max_size: Option<u32>,
    /// A longer value must not be cut: it is left out.
    pub no_truncate: bool,
    /// Most occurrences in one item.
    pub max_occur: Option<u32>,
    /// The values it may have (ValEnum); empty if any.
    pub values: Vec<String>,
    /// Its parameters; empty if the device does not say.
    pub params: Vec<ParamCapability>,
}

/// One parameter of a property that a device can hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ParamCapability {
    /// As in the device's DevInf: `TYPE`, or in older ones the type itself (`CELL`).
    pub name: String,
    /// The values it may have (ValEnum); empty if any.
    pub values: Vec<String>,
}

/// All that a device can hold of one content type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    properties: Vec<PropertyCapability>,
    index: FxHashMap<String, usize>,
}

/// What names an item and places it in time: no filter of fields takes it away, or items could not be told apart.
const IDENTITY: [&str; 14] = [
    "N",
    "FN",
    "SUMMARY",
    "DTSTART",
    "DTEND",
    "DUE",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "TZ",
    "DAYLIGHT",
    "BODY",
];

/// Modern names, and those that devices use for the same thing.
const ALIASES: &[(&str, &[&str])] = &[
    (
        "NICKNAME",
        &["X-EPOCSECONDNAME", "X-NICKNAME", "X-MOT-NICKNAME"],
    ),
    ("CLASS", &["X-CLASS"]),
    ("CATEGORIES", &["X-MOT-CAT"]),
    ("BODY", &["DESCRIPTION", "NOTE"]),
    ("CREATED", &["DCREATED"]),
    ("RECURRENCE-ID", &["X-RECURRENCE-ID"]),
    ("ORGANIZER", &["ATTENDEE"]),
    ("EXRULE", &["XRULE"]),
    (
        "VALARM",
        &["AALARM", "DALARM", "MALARM", "PALARM", "TRIGGER"],
    ),
    ("EXDATE", &["X-EXDATE"]),
    ("DTEND", &["DURATION"]),
    ("DURATION", &["DTEND"]),
];

/// The modern name of a property that devices know under another one; both in upper case.
pub fn modern_name(name: &str) -> &str {
    let known = ALIASES
        .iter()
        .filter(|(modern, _)| {
            !matches!(
                *modern,
                "VALARM" | "DTEND" | "DURATION" | "BODY" | "ORGANIZER"
            )
        })
        .find(|(_, wire)| wire.contains(&name));
    known.map_or(name, |(modern, _)| modern)
}

impl Capabilities {
    /// Takes what a device lists. BEGIN, END and VERSION say nothing and are left out; `TEL;HOME` counts as TEL with HOME.
    pub fn new(properties: impl IntoIterator<Item = PropertyCapability>) -> Self {
        let mut capabilities = Self::default();
        for mut property in properties {
            let listed = property.name.trim().to_ascii_uppercase();
            let mut segments = listed.split(';').map(str::trim);
            let name = segments.next().unwrap_or_default().to_owned();
            if matches!(name.as_str(), "" | "BEGIN" | "END" | "VERSION") {
                continue;
            }
            for param in segments.filter(|segment| !segment.is_empty()) {
                let param = param.strip_prefix("TYPE=").unwrap_or(param);
                property.params.push(ParamCapability {
                    name: param.to_owned(),
                    values: Vec::new(),
                });
            }
            for param in &mut property.params {
                param.name.make_ascii_uppercase();
                if param.name == "TYPE" {
                    param
                        .values
                        .iter_mut()
                        .for_each(|value| value.make_ascii_uppercase());
                }
            }
            property.name.clone_from(&name);
            match capabilities.index.get(&name) {
                None => {
                    capabilities
                        .index
                        .insert(name, capabilities.properties.len());
                    capabilities.properties.push(property);
                }
                // Listed once for each type: all of them together.
                Some(index) => {
                    let first = &mut capabilities.properties[*index];
                    first.max_occur = first
                        .max_occur
                        .zip(property.max_occur)
                        .map(|(a, b)| a.saturating_add(b));
                    first.max_size = first.max_size.zip(property.max_size).map(|(a, b)| a.max(b));
                    first.params.append(&mut property.params);
                    first.values.append(&mut property.values);
                }
            }
        }
        capabilities
    }

    /// The properties, in the order in which the device lists them, with names in upper case.
    pub fn properties(&self) -> &[PropertyCapability] {
        &self.properties
    }

    /// Takes away every MaxSize.
    pub fn forget_sizes(&mut self) {
        for property in &mut self.properties {
            property.max_size = None;
        }
    }

    /// What is left if a peer wants only these fields. What names an item and places it in time is always left.
    #[must_use]
    pub fn only(&self, fields: &[PropertyCapability]) -> Self {
        let fields = Self::new(fields.iter().cloned());
        if self.is_empty() {
            let missing = IDENTITY.iter().filter(|name| fields.find(name).is_none());
            let identity = missing.map(|name| PropertyCapability::new(*name));
            return Self::new(fields.properties.iter().cloned().chain(identity));
        }
        let smaller = |a: Option<u32>, b: Option<u32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let kept = self.properties.iter().filter_map(|property| {
            let modern = modern_name(&property.name);
            match fields.find(&property.name).or_else(|| fields.find(modern)) {
                Some(field) => Some(PropertyCapability {
                    max_size: smaller(property.max_size, field.max_size),
                    max_occur: smaller(property.max_occur, field.max_occur),
                    no_truncate: property.no_truncate || field.no_truncate,
                    ..property.clone()
                }),
                None => IDENTITY.contains(&modern).then(|| property.clone()),
            }
        });
        let kept = Self::new(kept);
        if kept.is_empty() {
            // Nothing in common; a list without entries would mean everything.
            return Self::default().only(&[]);
        }
        kept
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty()
    }

    /// Whether the device can hold a property, by its modern or its own name (upper case).
    pub fn holds(&self, name: &str) -> bool {
        self.is_empty() || self.find(name).is_some()
    }

    /// What the device says of a property, by its modern or its own name (upper case).
    pub fn find(&self, name: &str) -> Option<&PropertyCapability> {
        let index = self.index.get(name).or_else(|| {
            let (_, wire) = ALIASES.iter().find(|(modern, _)| *modern == name)?;
            wire.iter().find_map(|wire| self.index.get(*wire))
        })?;
        Some(&self.properties[*index])
    }

    /// The name under which the device knows a property: its own if it lists one.
    pub(super) fn wire_name<'a>(&'a self, name: &'a str) -> &'a str {
        match self.find(name) {
            Some(property) if !matches!(name, "VALARM" | "DTEND" | "DURATION") => &property.name,
            _ => name,
        }
    }
}

impl PropertyCapability {
    /// A property without limits.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            ..Self::default()
        }
    }

    /// Whether a TYPE value (upper case) can be told; true if the device does not list any.
    pub(super) fn expresses(&self, kind: &str) -> bool {
        let mut listed = false;
        for param in &self.params {
            match param.name.as_str() {
                "TYPE" if param.values.is_empty() => return true,
                "TYPE" => {
                    listed = true;
                    if param.values.iter().any(|value| value == kind) {
                        return true;
                    }
                }
                "ENCODING" | "CHARSET" | "LANGUAGE" | "VALUE" => {}
                name if name == kind => return true,
                _ => listed = true,
            }
        }
        !listed
    }
}

/// What of a component's properties a device is sent, as indices, in order.
///
/// Left out are properties that it does not list, occurrences beyond MaxOccur, values that are too long and must not be
/// cut, and binary values that are too long.
pub(super) fn visible<'a>(
    component: &'a Component,
    capabilities: Option<&'a Capabilities>,
) -> impl Iterator<Item = (usize, &'a Property, Option<&'a PropertyCapability>)> {
    let capabilities = capabilities.filter(|capabilities| !capabilities.is_empty());
    let mut seen: Vec<(&str, u32)> = Vec::new();
    component
        .properties
        .iter()
        .enumerate()
        .filter_map(move |(index, property)| {
            let Some(capabilities) = capabilities else {
                return Some((index, property, None));
            };
            let capability = capabilities.find(&property.name)?;
            if let Some(size) = limit(capability) {
                let long = match &property.value {
                    Value::Binary(bytes) => bytes.len() > size,
                    Value::Text(text) => capability.no_truncate && text.len() > size,
                    Value::Parts(parts) => {
                        capability.no_truncate
                            && parts.iter().flatten().any(|text| text.len() > size)
                    }
                };
                if long {
                    return None;
                }
            }
            if let Some(most) = capability.max_occur.filter(|most| *most > 0) {
                let count = match seen.iter_mut().find(|(name, _)| *name == property.name) {
                    Some((_, count)) => count,
                    None => {
                        seen.push((&property.name, 0));
                        &mut seen.last_mut()?.1
                    }
                };
                *count += 1;
                if *count > most {
                    return None;
                }
            }
            Some((index, property, Some(capability)))
        })
}

/// The longest value in bytes, if the device names one.
fn limit(capability: &PropertyCapability) -> Option<usize> {
    capability
        .max_size
        .filter(|size| *size > 0)
        .and_then(|size| usize::try_from(size).ok())
}

/// Cuts a text to what the device can hold, between characters.
pub(super) fn cut<'a>(text: &'a str, capability: Option<&PropertyCapability>) -> &'a str {
    match capability.and_then(limit) {
        Some(size) if text.len() > size => {
            let border = (0..=size).rev().find(|at| text.is_char_boundary(*at));
            &text[..border.unwrap_or(0)]
        }
        _ => text,
    }
}

/// Whether `short` may be what a device made of `long` because of its MaxSize, in bytes or characters.
pub(super) fn is_cut(short: &str, long: &str, capability: Option<&PropertyCapability>) -> bool {
    let cuts = capability.filter(|capability| !capability.no_truncate);
    let Some(size) = cuts.and_then(limit) else {
        return false;
    };
    let (short, cut) = (short.trim_end(), cut(long, capability).trim_end());
    long.len() > size && (short == cut || long.starts_with(short) && short.chars().count() >= size)
}
