//! SIF-C: contacts. An element is a part of a name or an address, a number of one kind, or a text of its own.
//!
//! A field with two numbers of one kind has a second element at most; what finds no element of its own kind takes a free one
//! that is near to it, and what finds none is not written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Document, Field, Place, find, kept, read_plain, table, text};
use crate::content::digest::is_noise_type;
use crate::content::markup::Element;
use crate::content::{Component, Format, Property, Text, Value, charset, vcard};

/// Outlook's date for "none".
const NO_DATE: &str = "4501";
/// Parts of ADR.
const ADDRESS_PARTS: usize = 7;

/// Raises a contact.
pub(super) fn read(object: &Element) -> Component {
    let mut root = Component::new("VCARD");
    let mut name: [String; 5] = Default::default();
    let mut company: [String; 3] = Default::default();
    let mut addresses: [(&str, [String; ADDRESS_PARTS]); 3] = [
        ("HOME", Default::default()),
        ("WORK", Default::default()),
        ("", Default::default()),
    ];
    for element in &object.children {
        let Some(field) = find(Format::SifContact, &element.name) else {
            root.properties.extend(kept(element));
            continue;
        };
        let told = || text(element);
        match field.place {
            Place::Part("N", part) => name[part] = told().unwrap_or_default(),
            Place::Part(_, part) => company[part] = told().unwrap_or_default(),
            Place::Address(kind, part) => {
                if let Some((_, parts)) = addresses.iter_mut().find(|(of, _)| *of == kind) {
                    parts[part] = told().unwrap_or_default();
                }
            }
            Place::Typed(name, types) | Place::Alias(name, types) => {
                if let Some(text) = told() {
                    let mut property = Property::text(name, text);
                    property.add_param("TYPE", types.iter().map(|kind| (*kind).into()));
                    root.properties.push(property);
                }
            }
            Place::Date(name) => {
                let date = told().map(|text| vcard::date(&text));
                if let Some(date) = date.filter(|date| !date.starts_with(NO_DATE)) {
                    root.properties.push(Property::text(name, date));
                }
            }
            Place::Photo => root.properties.extend(photo(element)),
            _ => {
                read_plain(element, Format::SifContact, &mut root);
            }
        }
    }
    let parts = |parts: &[String]| Value::structure(parts.iter().map(String::as_str));
    if name.iter().any(|part| !part.is_empty()) {
        root.properties.insert(0, Property::new("N", parts(&name)));
    }
    let used = company.iter().rposition(|part| !part.is_empty());
    if let Some(last) = used {
        root.properties
            .push(Property::new("ORG", parts(&company[..=last])));
    }
    for (kind, of) in &addresses {
        if of.iter().any(|part| !part.is_empty()) {
            let mut property = Property::new("ADR", parts(of));
            property.add_param(
                "TYPE",
                [Text::from(*kind)].into_iter().filter(|of| !of.is_empty()),
            );
            root.properties.push(property);
        }
    }
    root
}

fn photo(element: &Element) -> Option<Property> {
    let octets = charset::unbase64(&element.text).filter(|octets| !octets.is_empty())?;
    let mut photo = Property::new("PHOTO", Value::Binary(octets));
    let kind = element.kind.as_deref().unwrap_or("jpeg");
    let kind = kind.rsplit('/').next().unwrap_or(kind);
    let kind = if kind == "jpg" { "jpeg" } else { kind };
    photo.add_param("TYPE", [kind.to_ascii_uppercase().into()]);
    Some(photo)
}

/// Writes a contact.
pub(super) fn write(root: &Component, out: &mut Document<'_>) {
    let typed: Vec<(&str, &str)> = ["TEL", "EMAIL", "URL", "LABEL"]
        .into_iter()
        .flat_map(|name| placed(root, name))
        .collect();
    let addresses = addresses(root);
    out.begin("contact");
    for field in table::CONTACT {
        match field.place {
            Place::Part(name, part) => {
                let value = root.property(name).map(|property| &property.value);
                let text = match value {
                    Some(Value::Parts(parts)) => parts
                        .get(part)
                        .map(|part| part.join(" "))
                        .unwrap_or_default(),
                    Some(Value::Text(text)) if part == 0 => text.clone().into(),
                    _ => String::new(),
                };
                if let Some(text) = out.fitted(name, text.trim()) {
                    out.field(field.name, text);
                }
            }
            Place::Address(kind, part) => {
                let at = ["HOME", "WORK", ""].iter().position(|of| *of == kind);
                let address = at.and_then(|at| addresses[at]);
                let text = match address.map(|address| &address.value) {
                    Some(Value::Parts(parts)) => parts
                        .get(part)
                        .map(|part| part.join(", "))
                        .unwrap_or_default(),
                    // An address in one piece is its street.
                    Some(Value::Text(text)) if part == 2 => text.clone().into(),
                    _ => String::new(),
                };
                if let Some(text) = out.fitted("ADR", text.trim()) {
                    out.field(field.name, text);
                }
            }
            Place::Typed(name, _) => {
                let found = typed.iter().find(|(slot, _)| *slot == field.name);
                let text = found.map_or("", |(_, text)| *text);
                if let Some(text) = out.fitted(name, text) {
                    out.field(field.name, text);
                }
            }
            Place::Date(name) => {
                if let Some(text) = out.fitted(name, root.text(name).unwrap_or_default().trim()) {
                    out.field(field.name, text);
                }
            }
            Place::Photo => write_photo(root, out),
            _ => {
                out.plain(field, root);
            }
        }
    }
}

fn write_photo(root: &Component, out: &mut Document<'_>) {
    let Some(capability) = out.holds("PHOTO") else {
        return;
    };
    let Some(photo) = root.property("PHOTO") else {
        return out.field("Photo", "");
    };
    let Value::Binary(octets) = &photo.value else {
        return;
    };
    let most = capability.and_then(|of| of.max_size);
    if most.is_some_and(|most| octets.len() > most as usize) {
        return;
    }
    let kind = photo.first_param("TYPE").unwrap_or("JPEG");
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
    out.open(&format!("Photo TYPE=\"{kind}\""));
    out.out
        .extend_from_slice(STANDARD.encode(octets).as_bytes());
    out.close("Photo");
}

/// The types of a property that say something, PREF last.
fn types(property: &Property) -> Vec<&str> {
    let types = property.param("TYPE").iter().map(Text::as_str);
    types.filter(|kind| !is_noise_type(kind)).collect()
}

/// Which element each property of a name goes to, and its text.
fn placed<'r>(root: &'r Component, name: &str) -> Vec<(&'static str, &'r str)> {
    let mut free: Vec<&'static Field> = table::CONTACT
        .iter()
        .filter(|field| matches!(field.place, Place::Typed(of, _) if of == name))
        .collect();
    let mut rest: Vec<(&str, Vec<&str>)> = root
        .properties
        .iter()
        .filter(|property| property.name == name)
        .filter_map(|property| Some((property.value.as_text()?.trim(), types(property))))
        .filter(|(text, _)| !text.is_empty())
        .collect();
    let mut found = Vec::new();
    for fits in [exact, unpreferred, near, any] {
        rest.retain(|(text, types)| {
            let slot = free.iter().position(|field| match field.place {
                Place::Typed(name, of) => fits(name, of, types),
                _ => false,
            });
            if let Some(at) = slot {
                found.push((free.remove(at).name, *text));
            }
            slot.is_none()
        });
    }
    found
}

/// The element is for just these types.
fn exact(_: &str, of: &[&str], types: &[&str]) -> bool {
    of.len() == types.len() && types.iter().all(|kind| of.contains(kind))
}

/// The same, whether preferred or not.
fn unpreferred(_: &str, of: &[&str], types: &[&str]) -> bool {
    let types: Vec<&str> = types.iter().filter(|of| **of != "PREF").copied().collect();
    exact("", of, &types)
}

/// The element says nothing that is not so.
fn near(_: &str, of: &[&str], types: &[&str]) -> bool {
    !of.is_empty() && of.iter().all(|kind| types.contains(kind)) && is_fax(of) == is_fax(types)
}

/// The element is for anything, or of a kind in which home and work matter little.
fn any(name: &str, of: &[&str], types: &[&str]) -> bool {
    match name {
        "TEL" => of.is_empty() && !is_fax(types) || *of == ["FAX"] && is_fax(types),
        "LABEL" => of.is_empty(),
        _ => true,
    }
}

fn is_fax(types: &[&str]) -> bool {
    types.contains(&"FAX")
}

/// The address of home, of work, and another one.
fn addresses(root: &Component) -> [Option<&Property>; 3] {
    let all: Vec<&Property> = root.all("ADR").filter(|of| !of.value.is_blank()).collect();
    let of = |kind: &str| all.iter().position(|address| address.has_type(kind));
    let home = of("HOME");
    let work = all
        .iter()
        .enumerate()
        .position(|(at, address)| Some(at) != home && address.has_type("WORK"));
    let other = (0..all.len()).find(|at| {
        Some(*at) != home
            && Some(*at) != work
            && (!all[*at].has_type("HOME") && !all[*at].has_type("WORK"))
    });
    [home, work, other].map(|at| at.map(|at| all[at]))
}
