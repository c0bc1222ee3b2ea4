//! Contacts: vCard 2.1 (versit), 3.0 (RFC 2426) and 4.0 (RFC 6350).
//!
//! Records hold the 3.0 vocabulary: TYPE lists, PREF as a TYPE, N and ADR with as many parts as came, dates as `1980-01-02`,
//! GEO as latitude and longitude, an AGENT card as a child component. A property that no version defines keeps its value;
//! where that looks structured (unescaped `;` or `,`), it is kept as parts, so that it is written as it came.
//!
//! Invariant: reading what was written gives every property back that the form can hold.

mod verbatim;
mod write;

#[cfg(test)]
mod tests;

pub use verbatim::Heads;
pub(super) use verbatim::copy;
pub(super) use write::write;

use smallvec::smallvec;

use super::line::{self, Form, parts, pieces, split, unescape};
use super::{Component, Format, Part, Property, Text, Value, Warning, charset};

/// Properties whose value is one text, whatever `;` and `,` are in it.
const TEXTS: &[&str] = &[
    "ANNIVERSARY",
    "BDAY",
    "CALADRURI",
    "CALURI",
    "CLASS",
    "EMAIL",
    "FBURL",
    "FN",
    "IMPP",
    "KEY",
    "KIND",
    "LABEL",
    "LANG",
    "LOGO",
    "MAILER",
    "MEMBER",
    "NAME",
    "NOTE",
    "PHOTO",
    "PRODID",
    "PROFILE",
    "REV",
    "ROLE",
    "SORT-STRING",
    "SOUND",
    "SOURCE",
    "TEL",
    "TITLE",
    "TZ",
    "UID",
    "URL",
    "X-IRMC-URL",
];

/// Properties that may hold binary data.
fn is_binary(name: &str) -> bool {
    matches!(name, "PHOTO" | "LOGO" | "SOUND" | "KEY")
}

fn is_text(name: &str) -> bool {
    TEXTS.binary_search(&name).is_ok()
}

/// Whether a value is a URI, in which separators are not escaped.
fn is_uri(property: &Property) -> bool {
    matches!(
        property.name.as_str(),
        "URL" | "SOURCE" | "FBURL" | "CALURI" | "CALADRURI" | "IMPP" | "MEMBER"
    ) || property.first_param("VALUE") == Some("URI")
}

/// Raises a card as the line reader gives it to the modern vocabulary.
pub(super) fn read(mut root: Component, format: Format, warnings: &mut Vec<Warning>) -> Component {
    let form = format.form();
    let children = std::mem::take(&mut root.children);
    let Component {
        properties,
        children: agents,
        ..
    } = &mut root;
    properties.retain_mut(|property| {
        rename(&mut property.name);
        if property.name == "AGENT"
            && form == Form::Modern
            && let Some(agent) = agent(property, format, warnings)
        {
            agents.push(agent);
            return false;
        }
        raise_params(property);
        raise_value(property, format);
        !property.value.is_blank()
    });
    for child in children {
        // Depth is limited by the line reader.
        let child = if child.name == "VCARD" {
            read(child, format, warnings)
        } else {
            child
        };
        root.children.push(child);
    }
    root
}

/// The modern name of what phones call otherwise.
fn rename(name: &mut Text) {
    let modern = match name.as_str() {
        "X-NICKNAME" | "X-EPOCSECONDNAME" | "X-MOT-NICKNAME" => "NICKNAME",
        "X-CLASS" => "CLASS",
        "X-MOT-CAT" => "CATEGORIES",
        _ => return,
    };
    *name = modern.into();
}

/// A card inside the value of a 3.0 AGENT. Cards inside that one stay text.
fn agent(property: &Property, format: Format, warnings: &mut Vec<Warning>) -> Option<Component> {
    let text = unescape(property.value.as_text()?, Form::Modern);
    let is_card = text
        .trim_start()
        .get(..11)?
        .eq_ignore_ascii_case("BEGIN:VCARD");
    let (mut card, more) = is_card
        .then(|| line::read_component(text.as_bytes(), Form::Modern, None))?
        .ok()?;
    warnings.extend(more);
    card.properties.retain(|property| property.name != "AGENT");
    Some(read(card, format, warnings))
}

fn raise_params(property: &mut Property) {
    if property.params.is_empty() {
        return;
    }
    if property.first_param("PREF") == Some("1") {
        property.remove_param("PREF");
        property.add_param("TYPE", ["PREF".into()]);
    }
    // Only what has to be changed is taken from those with which it is shared.
    if let Some(index) = property
        .params
        .iter()
        .position(|param| param.name == "VALUE")
    {
        let param = &mut property.params[index];
        param
            .values
            .iter_mut()
            .for_each(|value| value.make_ascii_uppercase());
        if param.values[0] == "URL" {
            param.values[0] = "URI".into();
        }
        let default = matches!(
            (param.values[0].as_str(), property.name.as_str()),
            ("TEXT", "TEL" | "EMAIL" | "NOTE" | "FN")
                | (
                    "DATE" | "DATE-TIME" | "DATE-AND-OR-TIME",
                    "BDAY" | "ANNIVERSARY" | "REV"
                )
                | ("URI", "URL" | "IMPP" | "SOURCE")
                | ("BINARY", _)
        );
        if default {
            property.remove_param("VALUE");
        }
    }
    if is_binary(&property.name)
        && property.param("TYPE").iter().any(|kind| kind.contains('/'))
        && let Some(types) = property
            .params
            .iter_mut()
            .find(|param| param.name == "TYPE")
    {
        for value in &mut types.values {
            if let Some((_, subtype)) = value.rsplit_once('/') {
                *value = subtype.into();
            }
        }
    }
}

fn raise_value(property: &mut Property, format: Format) {
    let form = format.form();
    let Value::Text(raw) = &mut property.value else {
        return;
    };
    let raw = std::mem::take(raw);
    if line::is_overlong(&raw) && !is_text(&property.name) {
        property.value = Value::Text(unescape(&raw, form));
        return;
    }
    property.value = match property.name.as_str() {
        // As many parts as came: what a device did not tell is not empty.
        "N" => Value::Parts(parts(&raw, form)),
        "ADR" => Value::Parts(parts(&raw, form)),
        "ORG" => {
            let mut parts: Vec<_> = pieces(&raw, b';')
                .map(|part| Part::from_buf([one(part, form)]))
                .collect();
            while parts.len() > 1 && parts.last().is_some_and(|part| part[0].is_empty()) {
                parts.pop();
            }
            Value::Parts(parts)
        }
        "SOUND" if property.has_type("X-IRMC-N") => Value::Parts(parts(&raw, form)),
        "NICKNAME" if form == Form::Legacy => Value::Parts(vec![smallvec![unescape(&raw, form)]]),
        "NICKNAME" | "CATEGORIES" => Value::Parts(vec![list(&raw, form).into()]),
        "GEO" => geo(&raw, format),
        "BDAY" | "ANNIVERSARY" => Value::Text(date(plain(raw, form).trim()).into()),
        "TEL" | "EMAIL" => {
            let text = unescape(raw.trim(), form);
            let number = text
                .get(..4)
                .filter(|scheme| scheme.eq_ignore_ascii_case("tel:"));
            if number.is_some() && property.first_param("VALUE") == Some("URI") {
                property.remove_param("VALUE");
                Value::Text(text[4..].into())
            } else {
                Value::Text(text)
            }
        }
        name if is_binary(name)
            && raw
                .get(..5)
                .is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) =>
        {
            data(property, &unescape(&raw, form))
        }
        name if is_text(name) => Value::Text(plain(raw, form)),
        _ if pieces(&raw, b';').nth(1).is_some() => Value::Parts(parts(&raw, form)),
        _ if form == Form::Modern && pieces(&raw, b',').nth(1).is_some() => {
            Value::Parts(parts(&raw, form))
        }
        _ => Value::Text(one(&raw, form)),
    };
}

/// A text without its escapes; most have none.
fn plain(raw: Text, form: Form) -> Text {
    if memchr::memchr(b'\\', raw.as_bytes()).is_none() {
        raw
    } else {
        unescape(&raw, form)
    }
}

/// The only piece of a value that may be a list.
fn one(raw: &str, form: Form) -> Text {
    match form {
        Form::Modern => unescape(raw, form),
        Form::Legacy => split(raw, b';', form).swap_remove(0),
    }
}

/// The values of a list: in 2.1 between `;`, or between `,` if there is none.
fn list(raw: &str, form: Form) -> Vec<Text> {
    let comma = form == Form::Modern || pieces(raw, b';').nth(1).is_none();
    let mut values = split(raw, if comma { b',' } else { b';' }, form);
    values.retain(|value| !value.trim().is_empty());
    values
}

/// Latitude and longitude, which 2.1 writes in the other order.
fn geo(raw: &str, format: Format) -> Value {
    let text = unescape(raw, format.form());
    // libsynthesis writes `GEO:;` for no place at all.
    let bare = text.trim();
    if bare.bytes().all(|byte| matches!(byte, b';' | b',')) {
        return Value::default();
    }
    let bare = bare
        .get(..4)
        .filter(|scheme| scheme.eq_ignore_ascii_case("geo:"))
        .map_or(bare, |_| &bare[4..]);
    let Some((first, second)) = bare.split_once([',', ';']) else {
        return Value::Text(text);
    };
    let (first, second) = (first.trim(), second.trim());
    if first.parse::<f64>().is_err() || second.parse::<f64>().is_err() {
        return Value::Text(text);
    }
    let (latitude, longitude) = if format == Format::VCard21 {
        (second, first)
    } else {
        (first, second)
    };
    Value::structure([latitude, longitude])
}

/// `1980-01-02` for a full date in any spelling, with midnight cut off; anything else as it is.
pub(super) fn date(text: &str) -> String {
    let (day, time) = text.split_once(['T', 't']).unwrap_or((text, ""));
    if !time
        .trim_end_matches(['Z', 'z'])
        .bytes()
        .all(|byte| matches!(byte, b'0' | b':'))
    {
        return text.to_owned();
    }
    let digits: String = match day.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => day.split('-').collect(),
        _ => day.to_owned(),
    };
    if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        format!("{}-{}-{}", &digits[..4], &digits[4..6], &digits[6..])
    } else {
        text.to_owned()
    }
}

/// The content of a `data:` URI; the URI itself if it is not BASE64.
fn data(property: &mut Property, uri: &str) -> Value {
    let decoded = uri[5..].split_once(',').and_then(|(head, data)| {
        let media = head.strip_suffix(";base64")?;
        Some((media, charset::unbase64(data.as_bytes())?))
    });
    let Some((media, bytes)) = decoded else {
        return Value::Text(uri.into());
    };
    property.remove_param("VALUE");
    property.remove_param("MEDIATYPE");
    if let Some((_, subtype)) = media.split(';').next().unwrap_or_default().split_once('/') {
        property.add_param("TYPE", [subtype.to_ascii_uppercase().into()]);
    }
    Value::Binary(bytes)
}

/// The name in the order in which it is said: prefix, given, additional, family, suffix; empty if there is none.
pub(super) fn spoken_name(name: &Value) -> String {
    let Value::Parts(parts) = name else {
        return name.as_text().unwrap_or_default().trim().to_owned();
    };
    let mut spoken = String::new();
    for index in [3, 1, 2, 0, 4] {
        for word in parts
            .get(index)
            .into_iter()
            .flatten()
            .map(|word| word.trim())
        {
            if !word.is_empty() {
                if !spoken.is_empty() {
                    spoken.push(' ');
                }
                spoken.push_str(word);
            }
        }
    }
    spoken
}

/// FN, or what N, NICKNAME, ORG, EMAIL or TEL say.
pub(super) fn title(root: &Component) -> String {
    if let Some(name) = root
        .text("FN")
        .map(str::trim)
        .filter(|name| !name.is_empty())
    {
        return name.to_owned();
    }
    if let Some(name) = root
        .property("N")
        .map(|name| spoken_name(&name.value))
        .filter(|name| !name.is_empty())
    {
        return name;
    }
    let others = ["NICKNAME", "ORG", "EMAIL", "TEL"]
        .into_iter()
        .filter_map(|name| root.property(name));
    others
        .flat_map(|property| property.value.texts())
        .map(str::trim)
        .find(|text| !text.is_empty())
        .unwrap_or_default()
        .to_owned()
}
