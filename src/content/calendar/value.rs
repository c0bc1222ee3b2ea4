//! Property values: text escapes and lists of iCalendar (RFC 5545 sections 3.3.11, 3.1.1), look-ups in a component.

use std::borrow::Cow;

use crate::content::model::{Component, Param, Property, Value};

/// A property of one text.
pub(super) fn property(name: &str, text: impl Into<String>) -> Property {
    Property { group: None, name: name.to_owned(), params: Vec::new(), value: Value::Text(text.into()) }
}

/// The text of a property that is one.
pub(super) fn property_text(property: &Property) -> Option<&str> {
    match &property.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// The first property of that name.
pub(super) fn find<'a>(component: &'a Component, name: &str) -> Option<&'a Property> {
    component.properties.iter().find(|property| property.name == name)
}

/// The text of the first property of that name.
pub(super) fn text<'a>(component: &'a Component, name: &str) -> Option<&'a str> {
    find(component, name).and_then(property_text)
}

/// The first value of a parameter.
pub(super) fn param<'a>(property: &'a Property, name: &str) -> Option<&'a str> {
    property.params.iter().find(|param| param.name == name).and_then(|param| param.values.first()).map(String::as_str)
}

/// Sets a parameter to one value, or removes it.
pub(super) fn set_param(property: &mut Property, name: &str, value: Option<&str>) {
    property.params.retain(|param| param.name != name);
    if let Some(value) = value {
        property.params.push(Param { name: name.to_owned(), values: vec![value.to_owned()] });
    }
}

/// The text behind iCalendar's backslash escapes; an unknown escape stays as it is.
pub(super) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(c @ ('\\' | ',' | ';' | ':' | '"')) => out.push(c),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

/// Appends `text` with iCalendar's backslash escapes.
pub(super) fn escape_into(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            ',' => out.push_str("\\,"),
            ';' => out.push_str("\\;"),
            '\n' => out.push_str("\\n"),
            '\r' => {}
            c => out.push(c),
        }
    }
}

/// Splits at a separator that no backslash precedes; the items keep their escapes.
pub(super) fn split(text: &str, separator: char) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut begin, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            items.push(&text[begin..at]);
            begin = at + c.len_utf8();
        }
    }
    items.push(&text[begin..]);
    items
}

/// The items of a list value (CATEGORIES, RESOURCES), one text counted as a list of one.
pub(super) fn items(value: &Value) -> Vec<&str> {
    match value {
        Value::Text(text) => vec![text.as_str()],
        Value::Parts(parts) => parts.iter().flatten().map(String::as_str).collect(),
        Value::Binary(_) => Vec::new(),
    }
}
