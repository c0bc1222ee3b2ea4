//! Slots: the places that a phone has for numbers and addresses, each with the header that it wants to see.
//!
//! A property goes into the first free slot that it fits; one that finds none stays on the server. What comes back gets the types of
//! its slot, not those of the wire.

use super::super::{Component, Property, Text};
use super::{EmptySlots, Header};

/// One place for one value.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The header on the wire.
    pub wire: Header,
    /// The header of what it holds; unset: the wire's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<Header>,
    /// It has room for any number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub many: bool,
}

/// TYPE values that say what kind of line or device it is: a slot without them is not for it.
const DEVICES: &[&str] = &[
    "CELL", "FAX", "PAGER", "CAR", "VIDEO", "MODEM", "BBS", "ISDN", "PCS", "MSG",
];
/// TYPE values that say where it is.
const PLACES: &[&str] = &["HOME", "WORK"];

impl Slot {
    fn holds(&self) -> &Header {
        self.holds.as_ref().unwrap_or(&self.wire)
    }

    /// How well a property fits: none, or the less the better.
    fn fit(&self, property: &Property) -> Option<usize> {
        let holds = self.holds();
        if holds.name != property.name {
            return None;
        }
        let has = |kind: &str| holds.types.iter().any(|own| own == kind);
        let said = |kind: &str| property.has_type(kind);
        let device = DEVICES.iter().all(|kind| has(kind) == said(kind));
        let place = PLACES.iter().all(|kind| !has(kind) || said(kind));
        let others = holds.types.iter().all(|kind| {
            matches!(kind.as_str(), "VOICE" | "INTERNET")
                || kind.starts_with("X-")
                || said(kind)
                || (kind == "PREF" && said("PREF"))
        });
        if !(device && place && others) {
            return None;
        }
        // A place that the slot does not name fits less well than one that names it.
        let unnamed = PLACES
            .iter()
            .filter(|kind| said(kind) && !has(kind))
            .count();
        // A preferred one goes into the slot for it first.
        let preferred = usize::from(said("PREF") != has("PREF"));
        Some(unnamed * 2 + preferred)
    }
}

/// Puts a component's properties into their slots.
pub(super) fn lower(slots: &[Slot], empty: Option<EmptySlots>, tree: &mut Component) {
    let slotted = |name: &str| slots.iter().any(|slot| slot.holds().name == name);
    let (mut mine, others): (Vec<_>, Vec<_>) = std::mem::take(&mut tree.properties)
        .into_iter()
        .partition(|property| slotted(&property.name));
    tree.properties = others;
    let any: Vec<Text> = mine.iter().map(|property| property.name.clone()).collect();
    let mut filled: Vec<Vec<Property>> = vec![Vec::new(); slots.len()];
    // What fits exactly goes first, so that a general slot is not taken by what has one of its own.
    for most in [0, 1, 2, usize::MAX] {
        let mut rest = Vec::new();
        for property in mine {
            let place = slots
                .iter()
                .enumerate()
                .filter(|(index, slot)| slot.many || filled[*index].is_empty())
                .filter_map(|(index, slot)| Some((slot.fit(&property)?, index)))
                .filter(|(fit, _)| *fit <= most)
                .min();
            match place {
                Some((_, index)) => filled[index].push(property),
                None => rest.push(property),
            }
        }
        mine = rest;
    }
    for (slot, properties) in slots.iter().zip(filled) {
        let wanted = match empty {
            Some(EmptySlots::Always) => true,
            Some(EmptySlots::BesideOthers) => any.contains(&slot.wire.name),
            None => false,
        };
        if properties.is_empty() && wanted && !slot.many {
            tree.properties.push(slot.wire.property(""));
        }
        for mut property in properties {
            slot.wire.put_on(&mut property);
            property.group = None;
            tree.properties.push(property);
        }
    }
}

/// Gives what came in a slot the types of what the slot holds.
pub(super) fn raise(slots: &[Slot], tree: &mut Component) {
    for property in &mut tree.properties {
        let slot = slots
            .iter()
            .filter(|slot| slot.wire.is(property))
            .max_by_key(|slot| slot.wire.params.len());
        if let Some(slot) = slot
            && let Some(holds) = &slot.holds
        {
            for (name, _) in &slot.wire.params {
                property.remove_param(name);
            }
            holds.put_on(property);
        }
    }
}

/// Whether two properties are of one kind: the same name, line and place.
pub(super) fn same_kind(a: &Property, b: &Property) -> bool {
    a.name == b.name
        && DEVICES
            .iter()
            .chain(PLACES)
            .all(|kind| a.has_type(kind) == b.has_type(kind))
}

/// Leaves the first property of each kind.
pub(super) fn first_of_kind(names: &[String], tree: &mut Component) {
    let mut kept: Vec<Property> = Vec::with_capacity(tree.properties.len());
    for property in std::mem::take(&mut tree.properties) {
        let limited = names.iter().any(|name| *name == property.name);
        if !limited || !kept.iter().any(|other| same_kind(other, &property)) {
            kept.push(property);
        }
    }
    tree.properties = kept;
}
