//! Lowering contacts to the three versions of vCard.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use smallvec::smallvec;

use super::super::capabilities::{PropertyCapability, cut, visible};
use super::super::line::{Form, Writer};
use super::super::{Component, Format, Param, Params, Part, Property, Record, Target, Text, Value};
use super::{is_text, is_uri};

/// Writes a contact as a vCard of the target's version.
pub(in super::super) fn write(record: &Record, target: &Target<'_>, out: &mut Writer) {
    card(&record.root, target, out);
}

fn card(root: &Component, target: &Target<'_>, out: &mut Writer) {
    let format = target.format;
    out.begin("VCARD");
    out.raw(None, "VERSION", &[], format.version());
    demanded(root, target, out);
    for (_, shown, capability) in visible(root, target.capabilities) {
        if out.form() == Form::Legacy && is_broken_agent(shown) {
            continue;
        }
        property(shown, capability, target, out);
    }
    if target
        .capabilities
        .is_none_or(|capabilities| capabilities.holds("AGENT"))
    {
        agents(root, target, out);
    }
    out.end("VCARD");
}

/// N and FN where the version demands them and the record or the device's list has none.
fn demanded(root: &Component, target: &Target<'_>, out: &mut Writer) {
    let sent = |name: &str| {
        root.property(name).is_some()
            && target
                .capabilities
                .is_none_or(|capabilities| capabilities.holds(name))
    };
    if target.format != Format::VCard40 && !sent("N") {
        match root.property("N") {
            Some(name) => property(name, None, target, out),
            None => {
                // A phone that knows neither FN nor ORG would show nothing; to the others the name is as blank as it is.
                let shown = target.format != Format::VCard21
                    || target.capabilities.is_some_and(|capabilities| {
                        !capabilities.is_empty()
                            && (capabilities.holds("FN") || capabilities.holds("ORG"))
                    });
                let title = if shown {
                    String::new()
                } else {
                    super::title(root)
                };
                let name = Value::structure([title.as_str(), "", "", "", ""]);
                property(&Property::new("N", name), None, target, out);
            }
        }
    }
    if target.format != Format::VCard21 && !sent("FN") {
        out.text(None, "FN", &[], &super::title(root));
    }
}

/// Cards of agents: nested in 2.1, as an escaped text in the others. Depth is limited by the reader.
fn agents(root: &Component, target: &Target<'_>, out: &mut Writer) {
    for child in root.children.iter().filter(|child| child.name == "VCARD") {
        match out.form() {
            Form::Legacy => {
                out.raw(None, "AGENT", &[], "");
                card(child, target, out);
            }
            Form::Modern => {
                let mut inner = Writer::new(Form::Modern);
                card(child, target, &mut inner);
                let text = String::from_utf8_lossy(&inner.finish()).replace("\r\n", "\n");
                out.text(None, "AGENT", &[], &text);
            }
        }
    }
}

/// Whether an AGENT is a text that begins like a card, but was none: in 2.1 it would open one.
fn is_broken_agent(property: &Property) -> bool {
    let begins = |text: &str| {
        text.trim()
            .get(..6)
            .is_some_and(|head| head.eq_ignore_ascii_case("BEGIN:"))
    };
    property.name == "AGENT" && property.value.as_text().is_some_and(begins)
}

fn property(
    property: &Property,
    capability: Option<&PropertyCapability>,
    target: &Target<'_>,
    out: &mut Writer,
) {
    let format = target.format;
    let legacy = out.form() == Form::Legacy;
    // A phone that lists its properties has no groups.
    let group = if capability.is_some() && legacy {
        None
    } else {
        property.group.as_deref()
    };
    let params = params(property, capability, format);
    let name = match target.capabilities {
        Some(capabilities) if legacy => capabilities.wire_name(&property.name),
        _ => &property.name,
    };
    match &property.value {
        Value::Binary(data) if format == Format::VCard40 => {
            let kind = property
                .first_param("TYPE")
                .unwrap_or("OCTET-STREAM")
                .to_ascii_lowercase();
            let media = match property.name.as_str() {
                "SOUND" => "audio",
                "KEY" => "application",
                _ => "image",
            };
            let params: Params = params
                .iter()
                .filter(|param| param.name != "TYPE")
                .cloned()
                .collect();
            out.raw(
                group,
                name,
                &params,
                &format!("data:{media}/{kind};base64,{}", STANDARD.encode(data)),
            );
        }
        Value::Binary(data) => out.binary(group, name, &params, data),
        Value::Text(text) => {
            let text = cut(text, capability);
            match property.name.as_str() {
                "BDAY" | "ANNIVERSARY" if format != Format::VCard30 => {
                    out.text(group, name, &params, &basic(text))
                }
                _ if !legacy && is_uri(property) => {
                    out.raw(group, name, &params, &text.replace('\\', "\\\\"))
                }
                known if is_text(known) || !legacy => out.text(group, name, &params, text),
                _ => out.list(group, name, &params, &[text.into()]),
            }
        }
        Value::Parts(parts) => {
            let parts: Vec<Part> = parts
                .iter()
                .map(|part| {
                    part.iter()
                        .map(|text| Text::from(cut(text, capability)))
                        .collect()
                })
                .collect();
            match property.name.as_str() {
                "NICKNAME" if legacy => out.text(group, name, &params, &all(&parts).join(",")),
                "NICKNAME" => out.list(group, name, &params, &all(&parts)),
                "CATEGORIES" => {
                    let mut values = all(&parts);
                    // Without a second value, a comma would look like a separator.
                    if legacy && values.len() == 1 && values[0].contains(',') {
                        values.push(Text::default());
                    }
                    out.list(group, name, &params, &values);
                }
                "GEO" => out.raw(group, name, &params, &geo(&parts, format)),
                _ => {
                    let mut parts = parts;
                    let count = if property.name == "N" {
                        5
                    } else if property.name == "ADR" {
                        7
                    } else {
                        0
                    };
                    while parts.len() < count {
                        parts.push(Part::new());
                    }
                    if legacy {
                        parts
                            .iter_mut()
                            .for_each(|part| *part = smallvec![part.join(",").into()]);
                    }
                    out.parts(group, name, &params, &parts);
                }
            }
        }
    }
}

/// The parameters that the version and the device can express.
fn params<'a>(
    property: &'a Property,
    capability: Option<&PropertyCapability>,
    format: Format,
) -> Cow<'a, [Param]> {
    let legacy = format == Format::VCard21;
    let internet = legacy
        && property.name == "EMAIL"
        && !property
            .param("TYPE")
            .iter()
            .any(|kind| matches!(kind.as_str(), "INTERNET" | "X400"))
        && capability.is_none_or(|capability| capability.expresses("INTERNET"));
    let as_is = format == Format::VCard30 && capability.is_none();
    if as_is || property.params.is_empty() && !internet {
        return Cow::Borrowed(&property.params);
    }
    let mut params = Vec::with_capacity(property.params.len() + 1);
    let mut types: Vec<Text> = Vec::new();
    for param in &property.params {
        match param.name.as_str() {
            "TYPE" => types.extend(
                param
                    .values
                    .iter()
                    .filter(|kind| tells(property, kind, capability, format))
                    .cloned(),
            ),
            "VALUE" | "LANGUAGE" => {
                let mut param = param.clone();
                if legacy && param.values[..] == ["URI"] {
                    param.values[0] = "URL".into();
                }
                params.push(param);
            }
            _ if legacy => {}
            _ => params.push(param.clone()),
        }
    }
    if internet {
        types.push("INTERNET".into());
    }
    if format == Format::VCard40 {
        if let Some(index) = types.iter().position(|kind| kind == "PREF") {
            types.remove(index);
            params.retain(|param: &Param| param.name != "PREF");
            params.push(Param::one("PREF", "1"));
        }
        types
            .iter_mut()
            .for_each(|kind| kind.make_ascii_lowercase());
    }
    if !types.is_empty() {
        params.insert(
            0,
            Param {
                name: "TYPE".into(),
                values: types,
            },
        );
    }
    Cow::Owned(params)
}

fn tells(
    property: &Property,
    kind: &str,
    capability: Option<&PropertyCapability>,
    format: Format,
) -> bool {
    let default = format == Format::VCard40 && property.name == "EMAIL" && kind == "INTERNET";
    !default && capability.is_none_or(|capability| capability.expresses(kind))
}

/// A full date without its hyphens.
fn basic(text: &str) -> String {
    match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _] => text.split('-').collect(),
        _ => text.to_owned(),
    }
}

/// The values of all parts.
fn all(parts: &[Part]) -> Vec<Text> {
    parts.iter().flatten().cloned().collect()
}

fn geo(parts: &[Part], format: Format) -> String {
    let part = |index: usize| {
        parts
            .get(index)
            .and_then(|part| part.first())
            .map_or("", Text::as_str)
    };
    let (latitude, longitude) = (part(0), part(1));
    match format {
        Format::VCard21 => format!("{longitude},{latitude}"),
        Format::VCard40 => format!("geo:{latitude},{longitude}"),
        _ => format!("{latitude};{longitude}"),
    }
}
