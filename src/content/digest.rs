//! Comparing items: a digest of the meaning, keys under which twins are looked up, and the decision whether two are twins.
//!
//! Slow sync (SyncML Sync Protocol section 5.5) matches by these. Digest and match key are stored, so their definition
//! is part of the database's format.
//!
//! Invariant: order of properties, of lists and of parameters, folding, encoding, and what only says who wrote an item
//! and when (REV, PRODID, DTSTAMP, LAST-MODIFIED, CREATED, SEQUENCE, UID) do not count.

use sha2::{Digest as _, Sha256};

use super::model::{Component, Kind, Param, Part, Property, Record, Text, Value};
use super::{calendar, email, note};

/// Deepest component that is looked at; the readers make none as deep.
const MAX_DEPTH: usize = 16;

/// What an item says, in 16 bytes: equal digests mean equal items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest(pub [u8; 16]);

/// What twins have in common: an index for looking them up; equal keys do not yet mean equal items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MatchKey(pub i64);

/// Digests an item's meaning.
pub fn digest(record: &Record) -> Digest {
    let mut hash = Sha256::new();
    hash.update([record.kind as u8]);
    component(&record.root, &mut hash, 0);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    Digest(digest)
}

/// Whether a property says only who wrote an item and when, or which it is.
pub(super) fn is_noise(name: &str) -> bool {
    matches!(
        name,
        "REV"
            | "PRODID"
            | "DTSTAMP"
            | "LAST-MODIFIED"
            | "CREATED"
            | "SEQUENCE"
            | "UID"
            | "X-ABUID"
            | "X-IRMC-LUID"
            | "METHOD"
            | "MODIFIED"
            | "ACCESSED"
            | "EXT"
            | "CALSCALE"
    )
}

/// Whether a TYPE value says nothing that its absence does not say.
pub(super) fn is_noise_type(kind: &str) -> bool {
    matches!(kind, "VOICE" | "INTERNET" | "POSTAL" | "PARCEL" | "INTL")
}

/// A VTIMEZONE under a name that everyone knows adds nothing.
fn is_known_zone(component: &Component) -> bool {
    component.name == "VTIMEZONE"
        && component
            .text("TZID")
            .is_some_and(|name| name.trim_matches('"').parse::<chrono_tz::Tz>().is_ok())
}

fn component(component: &Component, hash: &mut Sha256, depth: usize) {
    let mut properties: Vec<&Property> = component
        .properties
        .iter()
        .filter(|property| !is_noise(&property.name))
        .collect();
    properties.sort_unstable_by(|a, b| order(a, b));
    hash.update(component.name.as_bytes());
    for property in properties {
        self::property(property, hash);
    }
    if component.children.is_empty() || depth >= MAX_DEPTH {
        return;
    }
    let mut children: Vec<[u8; 32]> = component
        .children
        .iter()
        .filter(|child| !is_known_zone(child))
        .map(|child| {
            let mut hash = Sha256::new();
            self::component(child, &mut hash, depth + 1);
            hash.finalize().into()
        })
        .collect();
    children.sort_unstable();
    hash.update([0x1C]);
    for child in children {
        hash.update(child);
    }
}

/// An order in which only properties that digest alike are equal.
fn order(a: &Property, b: &Property) -> std::cmp::Ordering {
    let value = |property: &'_ Property| match &property.value {
        Value::Binary(bytes) => bytes.len(),
        _ => 0,
    };
    a.name
        .cmp(&b.name)
        .then_with(|| value(a).cmp(&value(b)))
        .then_with(|| match (&a.value, &b.value) {
            (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
            _ => a
                .value
                .texts()
                .map(str::trim)
                .cmp(b.value.texts().map(str::trim)),
        })
        .then_with(|| {
            let fed = |property: &Property| {
                let mut bytes = Vec::new();
                self::property(property, &mut bytes);
                bytes
            };
            fed(a).cmp(&fed(b))
        })
}

/// What takes the bytes of a digest.
trait Feed {
    fn feed(&mut self, bytes: &[u8]);
}

impl Feed for Sha256 {
    fn feed(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Feed for Vec<u8> {
    fn feed(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

fn property(property: &Property, hash: &mut impl Feed) {
    hash.feed(b"\x1D");
    hash.feed(property.name.as_bytes());
    if let Some(group) = &property.group {
        hash.feed(b".");
        hash.feed(group.as_bytes());
    }
    match &*property.params {
        [] => {}
        [one] => param(one, hash),
        many => {
            let mut sorted: Vec<&Param> = many.iter().collect();
            sorted.sort_unstable_by(|a, b| a.name.cmp(&b.name));
            for one in sorted {
                param(one, hash);
            }
        }
    }
    match &property.value {
        Value::Text(text) => {
            hash.feed(b"\x1E");
            hash.feed(text.trim().as_bytes());
        }
        Value::Binary(bytes) => {
            hash.feed(b"\x02");
            hash.feed(bytes);
        }
        Value::Parts(parts) if matches!(property.name.as_str(), "CATEGORIES" | "NICKNAME") => {
            let mut values: Vec<&str> = parts.iter().flatten().map(|value| value.trim()).collect();
            values.sort_unstable();
            hash.feed(b"\x1E");
            for (index, value) in values.into_iter().enumerate() {
                hash.feed(if index > 0 { b"," } else { b"" });
                hash.feed(value.as_bytes());
            }
        }
        Value::Parts(parts) => {
            let filled = |part: &Part| part.iter().any(|value| !value.trim().is_empty());
            let count = parts.iter().rposition(filled).map_or(0, |last| last + 1);
            for part in &parts[..count] {
                hash.feed(b"\x1E");
                for (index, value) in part.iter().enumerate() {
                    hash.feed(if index > 0 { b"," } else { b"" });
                    hash.feed(value.trim().as_bytes());
                }
            }
        }
    }
}

fn param(param: &Param, hash: &mut impl Feed) {
    let types = param.name == "TYPE";
    let mut values: Vec<&str> = param.values.iter().map(Text::as_str).collect();
    if types {
        values.retain(|kind| !is_noise_type(kind));
        values.sort_unstable();
    }
    if values.is_empty() {
        return;
    }
    hash.feed(b";");
    hash.feed(param.name.as_bytes());
    for value in values {
        hash.feed(b"=");
        hash.feed(value.as_bytes());
    }
}

/// The key under which an item's twin is looked up.
///
/// A contact's is its family and given name without case, spaces and marks (else FN, ORG, the first e-mail, the first
/// number); an event's or task's its summary and time; a note's its text; a mail's when it was
/// written and by whom; a folder's its role, else its name.
pub fn match_key(record: &Record) -> MatchKey {
    let text = match record.kind {
        Kind::Contact => contact_key(&record.root),
        Kind::Event | Kind::Task => calendar::match_key_text(record),
        Kind::Note => note_key(&record.root),
        Kind::Mail => email::match_key_text(&record.root),
        Kind::Folder => email::folder_key(&record.root),
    };
    let mut hash = Sha256::new();
    hash.update([record.kind as u8]);
    hash.update(text.as_bytes());
    let mut key = [0; 8];
    key.copy_from_slice(&hash.finalize()[..8]);
    MatchKey(i64::from_be_bytes(key))
}

/// How much of each name counts in a key: phones cut names.
const NAME_CHARACTERS: usize = 12;

/// The letters and digits of a text, without case.
fn fold(text: &str) -> impl Iterator<Item = char> {
    text.chars()
        .filter(|character| character.is_alphanumeric())
        .flat_map(char::to_lowercase)
}

fn name_part(root: &Component, index: usize) -> impl Iterator<Item = char> {
    let parts = match root.property("N").map(|name| &name.value) {
        Some(Value::Parts(parts)) => parts.get(index).map_or(&[][..], Part::as_slice),
        _ => &[],
    };
    parts.iter().flat_map(|part| fold(part))
}

fn contact_key(root: &Component) -> String {
    let family = name_part(root, 0).take(NAME_CHARACTERS);
    let key: String = family
        .chain(name_part(root, 1).take(NAME_CHARACTERS))
        .collect();
    if !key.is_empty() {
        return key;
    }
    for name in ["FN", "ORG", "EMAIL", "TEL"] {
        let first = root
            .property(name)
            .into_iter()
            .flat_map(|property| property.value.texts());
        let key: String = first.flat_map(fold).take(NAME_CHARACTERS).collect();
        if !key.is_empty() {
            return key;
        }
    }
    String::new()
}

fn note_key(root: &Component) -> String {
    let text = note::whole(root);
    let mut key = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    key
}

/// Whether two items with the same match key are the same thing.
///
/// Contacts are, unless both have numbers or addresses and none in common, or names that only begin alike.
pub fn matches(stored: &Record, incoming: &Record) -> bool {
    if stored.kind != incoming.kind {
        return false;
    }
    match stored.kind {
        Kind::Contact => {
            contacts_match(&stored.root, &incoming.root) || digest(stored) == digest(incoming)
        }
        Kind::Event | Kind::Task => {
            calendar::match_key_text(stored) == calendar::match_key_text(incoming)
        }
        Kind::Note => note_key(&stored.root) == note_key(&incoming.root),
        Kind::Mail => email::same_message(&stored.root, &incoming.root),
        Kind::Folder => email::folder_key(&stored.root) == email::folder_key(&incoming.root),
    }
}

fn contacts_match(a: &Component, b: &Component) -> bool {
    let key = contact_key(a);
    if key.is_empty() || key != contact_key(b) {
        return false;
    }
    let alike = (0..2).all(|index| {
        let (a, b): (String, String) =
            (name_part(a, index).collect(), name_part(b, index).collect());
        a.starts_with(&b) || b.starts_with(&a)
    });
    let (a, b) = (reaches(a), reaches(b));
    alike && (a.is_empty() || b.is_empty() || a.iter().any(|reach| b.contains(reach)))
}

/// Numbers, by their last digits because of country codes, and e-mail addresses.
fn reaches(root: &Component) -> Vec<String> {
    let numbers = root
        .all("TEL")
        .flat_map(|property| property.value.texts())
        .map(|number| {
            let digits: Vec<char> = number.chars().filter(char::is_ascii_digit).collect();
            digits[digits.len().saturating_sub(8)..].iter().collect()
        });
    let addresses = root
        .all("EMAIL")
        .flat_map(|property| property.value.texts())
        .map(|text| text.trim().to_lowercase());
    numbers
        .chain(addresses)
        .filter(|reach: &String| !reach.is_empty())
        .collect()
}
