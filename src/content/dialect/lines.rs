//! What is done to lines of any kind of item: left out, renamed, filled, put last.

use std::collections::BTreeMap;

use super::super::Component;
use super::Header;

/// Leaves out what a header covers.
pub(in super::super) fn drop_all(headers: &[Header], tree: &mut Component) {
    tree.properties
        .retain(|property| !headers.iter().any(|header| header.covers(property)));
}

/// Leaves out what has no value.
pub(in super::super) fn omit_empty(tree: &mut Component) {
    tree.properties.retain(|property| {
        !matches!(&property.value, super::super::Value::Text(text)
            if text.bytes().all(|byte| matches!(byte, b';' | b',') || byte.is_ascii_whitespace()))
    });
}

/// Gives properties the device's names.
pub(in super::super) fn rename(names: &BTreeMap<String, String>, tree: &mut Component) {
    for property in &mut tree.properties {
        if let Some(own) = names.get(property.name.as_str()) {
            property.name = own.into();
        }
    }
}

/// Gives properties their usual names back.
pub(in super::super) fn rename_back(names: &BTreeMap<String, String>, tree: &mut Component) {
    for property in &mut tree.properties {
        let usual = names.iter().find(|(_, own)| **own == property.name);
        if let Some((usual, _)) = usual {
            property.name = usual.into();
        }
    }
}

/// Fills what is missing or empty.
pub(in super::super) fn fill(fillers: &BTreeMap<Header, String>, tree: &mut Component) {
    for (header, filler) in fillers {
        let found = tree
            .properties
            .iter_mut()
            .find(|property| header.covers(property));
        match found {
            Some(property) if property.value.is_blank() => {
                property.value = super::super::Value::Text(filler.clone().into());
            }
            Some(_) => {}
            None => tree.properties.push(header.property(filler)),
        }
    }
}

/// Takes fillers away again.
pub(in super::super) fn unfill(fillers: &BTreeMap<Header, String>, tree: &mut Component) {
    tree.properties.retain(|property| {
        let text = property.value.as_text().map(str::trim);
        !fillers
            .iter()
            .any(|(header, filler)| header.name == property.name && text == Some(filler.trim()))
    });
}

/// Puts properties last, in the order of the headers.
pub(in super::super) fn put_last(headers: &[Header], tree: &mut Component) {
    let place = |property: &super::super::Property| {
        headers
            .iter()
            .position(|header| header.covers(property))
            .map_or(0, |position| position + 1)
    };
    tree.properties.sort_by_key(place);
}
