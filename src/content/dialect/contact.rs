//! Contacts: what is done to the lines of a vCard.

use super::super::line::pieces;
use super::super::{Component, Property, Value};
use super::{Dialect, lines, slots};

/// Longest name that is taken apart, octets.
const MAX_NAME: usize = 4096;

/// Lowers a card's lines.
pub(super) fn lower(dialect: &Dialect, tree: &mut Component) {
    if let Some(headers) = &dialect.drop_contact {
        lines::drop_all(headers, tree);
    }
    for property in &mut tree.properties {
        match property.name.as_str() {
            "N" => {
                if let Some(most) = dialect.name_parts {
                    keep_parts(property, usize::from(most));
                }
            }
            "ADR" if dialect.address_swap == Some(true) => swap(property),
            "TEL" if dialect.tel_digits == Some(true) => {
                if let Value::Text(number) = &mut property.value {
                    number.retain(|character| character.is_ascii_digit() || character == '+');
                }
            }
            "PHOTO" if dialect.photo_type == Some(false) => property.remove_param("TYPE"),
            "EMAIL" if dialect.email_internet == Some(true) && !property.has_type("X400") => {
                property.add_param("TYPE", ["INTERNET".into()]);
                if let Some(types) = property
                    .params
                    .iter_mut()
                    .find(|param| param.name == "TYPE")
                {
                    types.values.sort_by_key(|kind| kind != "INTERNET");
                }
            }
            "CATEGORIES" => {
                if let Some(prefix) = &dialect.category_prefix {
                    add_prefix(property, prefix);
                }
            }
            _ => {}
        }
    }
    if let Some(names) = &dialect.first_of_kind {
        slots::first_of_kind(names, tree);
    }
    if let Some(places) = &dialect.slots {
        slots::lower(places, dialect.empty_slots, tree);
    }
    if let Some(fillers) = &dialect.fill_contact {
        lines::fill(fillers, tree);
    }
    if dialect.reachable == Some(true) {
        make_reachable(tree);
    }
    if dialect.omit_empty == Some(true) {
        lines::omit_empty(tree);
    }
    if let Some(names) = &dialect.rename_contact {
        lines::rename(names, tree);
    }
    if let Some(headers) = &dialect.last {
        lines::put_last(headers, tree);
    }
}

/// Raises a card's lines.
pub(super) fn raise(dialect: &Dialect, tree: &mut Component) {
    if let Some(names) = &dialect.rename_contact {
        lines::rename_back(names, tree);
    }
    if let Some(fillers) = &dialect.fill_contact {
        lines::unfill(fillers, tree);
    }
    if dialect.reachable == Some(true) {
        tree.properties.retain(|property| {
            property.name != "EMAIL" || property.value.as_text().map(str::trim) != Some(NOTHING)
        });
    }
    if let Some(places) = &dialect.slots {
        slots::raise(places, tree);
    }
    for property in &mut tree.properties {
        match property.name.as_str() {
            "N" => {
                if let Some(most) = dialect.name_parts {
                    keep_parts(property, usize::from(most));
                }
                if dialect.split_name == Some(true) {
                    split_name(property);
                }
            }
            "ADR" if dialect.address_swap == Some(true) => swap(property),
            "CATEGORIES" => {
                if let Some(prefix) = &dialect.category_prefix {
                    strip_prefix(property, prefix);
                }
            }
            _ => {}
        }
    }
}

/// What stands for an address that is not there.
const NOTHING: &str = "-";

/// Cuts a structured value to its first parts.
fn keep_parts(property: &mut Property, most: usize) {
    let Value::Text(text) = &mut property.value else {
        return;
    };
    let length = pieces(text, b';')
        .take(most)
        .map(|piece| piece.len() + 1)
        .sum::<usize>();
    text.truncate(length.saturating_sub(1).min(text.len()));
}

/// Changes the places of the second and third part.
fn swap(property: &mut Property) {
    let Value::Text(text) = &mut property.value else {
        return;
    };
    let mut parts: Vec<&str> = pieces(text, b';').collect();
    if parts.len() == 2 {
        parts.push("");
    }
    if parts.len() > 2 {
        parts.swap(1, 2);
        *text = parts.join(";").into();
    }
}

/// `John Ronald Doe` becomes surname `Ronald Doe`, given name `John`.
fn split_name(property: &mut Property) {
    let Value::Text(text) = &mut property.value else {
        return;
    };
    if text.len() > MAX_NAME
        || pieces(text, b';')
            .skip(1)
            .any(|part| !part.trim().is_empty())
    {
        return;
    }
    let whole = pieces(text, b';').next().unwrap_or_default().trim();
    if let Some((given, rest)) = whole.split_once(' ') {
        *text = format!("{};{given}", rest.trim()).into();
    }
}

fn make_reachable(tree: &mut Component) {
    let reached = tree.properties.iter().any(|property| {
        matches!(property.name.as_str(), "TEL" | "EMAIL") && !property.value.is_blank()
    });
    if reached {
        return;
    }
    tree.remove("EMAIL");
    let mut mail = Property::text("EMAIL", NOTHING);
    mail.add_param("TYPE", ["INTERNET".into()]);
    tree.properties.push(mail);
}

/// Puts a prefix before every category that does not have it.
pub(in super::super) fn add_prefix(property: &mut Property, prefix: &str) {
    each_category(property, |category| {
        let bare = category.trim_start();
        if bare.trim().is_empty() || bare.starts_with(prefix) {
            bare.to_owned()
        } else {
            format!("{prefix}{bare}")
        }
    });
}

/// Takes the prefix away from every category.
pub(in super::super) fn strip_prefix(property: &mut Property, prefix: &str) {
    each_category(property, |category| {
        let bare = category.trim_start();
        bare.strip_prefix(prefix).unwrap_or(bare).to_owned()
    });
}

fn each_category(property: &mut Property, change: impl Fn(&str) -> String) {
    let Value::Text(text) = &mut property.value else {
        return;
    };
    let semicolons = pieces(text, b';').nth(1).is_some();
    let separator = if semicolons { b';' } else { b',' };
    let changed: Vec<String> = pieces(text, separator).map(change).collect();
    *text = changed.join(if semicolons { ";" } else { "," }).into();
}
