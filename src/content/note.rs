//! Notes: vNote 1.1 (IrMC 1.1 section 11) and plain text.
//!
//! A record is a VNOTE with BODY, the whole text, and SUMMARY only where it says something else than the text's first
//! line. CREATED stands for vNote's DCREATED. In plain text a summary of its own becomes the first line.

use smallvec::smallvec;

use super::capabilities::{cut, visible};
use super::charset::{self, Charset};
use super::line::{self, Form, parts, pieces, split, unescape};
use super::{Component, ContentError, Kind, Part, Property, Record, Target, Text, Value};

/// Raises a vNote as the line reader gives it.
pub(super) fn read(mut root: Component) -> Component {
    for property in &mut root.properties {
        if property.name == "DCREATED" {
            property.name = "CREATED".into();
        }
        let Value::Text(raw) = &property.value else {
            continue;
        };
        let texts = [
            "BODY",
            "SUMMARY",
            "CLASS",
            "CREATED",
            "LAST-MODIFIED",
            "X-IRMC-LUID",
        ];
        property.value = match property.name.as_str() {
            "CATEGORIES" if !line::is_overlong(raw) => {
                let comma = pieces(raw, b';').nth(1).is_none();
                let mut values = split(raw, if comma { b',' } else { b';' }, Form::Legacy);
                values.retain(|value| !value.trim().is_empty());
                Value::Parts(vec![values.into()])
            }
            name if texts.contains(&name) || line::is_overlong(raw) => {
                Value::Text(unescape(raw, Form::Legacy))
            }
            _ if pieces(raw, b';').nth(1).is_some() => Value::Parts(parts(raw, Form::Legacy)),
            _ => Value::Text(split(raw, b';', Form::Legacy).swap_remove(0)),
        };
    }
    root.properties
        .retain(|property| property.name == "BODY" || !property.value.is_blank());
    tidy(&mut root);
    root
}

/// Brings SUMMARY and BODY to their one form: no NUL, no SUMMARY that the text begins with, no note without a BODY.
pub(super) fn tidy(root: &mut Component) {
    // NUL is no text, and no plain text could hold it.
    for property in &mut root.properties {
        if let Value::Text(text) = &mut property.value
            && text.contains('\0')
        {
            text.retain(|c| c != '\0');
        }
    }
    let Some(summary) = root
        .text("SUMMARY")
        .map(|summary| summary.trim().to_owned())
    else {
        return;
    };
    match root.text("BODY") {
        Some(body) if !body.trim().is_empty() => {
            if first_line(body) == summary {
                root.remove("SUMMARY");
            }
        }
        _ => {
            root.remove("SUMMARY");
            root.set(Property::text("BODY", summary));
        }
    }
}

/// Reads a plain text; a text that is only white space is an empty note.
pub(super) fn from_plain(body: &[u8], charset: Option<&str>) -> Result<Record, ContentError> {
    let body = charset::unwide(body, charset);
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    if memchr::memchr(0, body).is_some() {
        return Err(ContentError::NotThisType);
    }
    let text = line::line_breaks(charset::decode(body, charset.and_then(Charset::for_label)));
    Ok(Record::note(text))
}

/// The whole text of a note, with a summary of its own as the first line.
pub(super) fn whole(root: &Component) -> String {
    let body = root.text("BODY").unwrap_or_default();
    match root.text("SUMMARY") {
        Some(summary) => format!("{}\n{body}", summary.replace('\n', " ")),
        None => body.to_owned(),
    }
}

/// Writes any item's text; line breaks are CR LF.
pub(super) fn to_plain(record: &Record, target: &Target<'_>) -> Vec<u8> {
    let text = match record.kind {
        Kind::Note => whole(&record.root),
        _ => super::title(record),
    };
    let capability = target
        .capabilities
        .and_then(|capabilities| capabilities.find("BODY"));
    let text = cut(&text, capability).replace('\n', "\r\n");
    text.replace('\0', "").into_bytes()
}

/// Writes a vNote; of another kind of item, its title.
pub(super) fn write(record: &Record, target: &Target<'_>, out: &mut line::Writer) {
    out.begin("VNOTE");
    out.raw(None, "VERSION", &[], "1.1");
    if record.kind != Kind::Note {
        out.text(None, "BODY", &[], &super::title(record));
        return out.end("VNOTE");
    }
    let capabilities = target
        .capabilities
        .filter(|capabilities| !capabilities.is_empty());
    if record.root.property("SUMMARY").is_none() && capabilities.is_none_or(|c| c.holds("SUMMARY"))
    {
        let title = title(&record.root);
        if !title.is_empty() {
            let capability = capabilities.and_then(|capabilities| capabilities.find("SUMMARY"));
            out.text(None, "SUMMARY", &[], cut(&title, capability));
        }
    }
    for (_, property, capability) in visible(&record.root, target.capabilities) {
        let name = match (property.name.as_str(), capabilities) {
            ("CREATED", None) => "DCREATED",
            (name, Some(capabilities)) => capabilities.wire_name(name),
            (name, None) => name,
        };
        let params = &*property.params;
        match &property.value {
            Value::Binary(data) => out.binary(None, name, params, data),
            Value::Text(text) => match property.name.as_str() {
                "BODY" | "SUMMARY" | "CLASS" | "CREATED" | "LAST-MODIFIED" | "X-IRMC-LUID" => {
                    out.text(None, name, params, cut(text, capability));
                }
                _ => out.list(None, name, params, &[cut(text, capability).into()]),
            },
            Value::Parts(parts) if property.name == "CATEGORIES" => {
                let mut values: Vec<Text> = parts.iter().flatten().cloned().collect();
                if values.len() == 1 && values[0].contains(',') {
                    values.push(Text::default());
                }
                out.list(None, name, params, &values);
            }
            Value::Parts(parts) => {
                let parts: Vec<Part> = parts
                    .iter()
                    .map(|part| smallvec![part.join(",").into()])
                    .collect();
                out.parts(None, name, params, &parts);
            }
        }
    }
    out.end("VNOTE");
}

/// The summary, or the first line with something in it.
pub(super) fn title(root: &Component) -> String {
    let summary = root.text("SUMMARY").map(str::trim);
    summary
        .unwrap_or_else(|| first_line(root.text("BODY").unwrap_or_default()))
        .to_owned()
}

/// The first line with something in it.
fn first_line(text: &str) -> &str {
    text.lines()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .unwrap_or_default()
}
