//! The Email object (OMA DS Email 1.2, `application/vnd.omads-email+xml`), read and written.
//!
//! Element order: read forwarded replied received created modified deleted flagged emailitem truncated Ext, each at most once but
//! Ext. Booleans are `true` and `false`; an empty one tells nothing.

use base64::Engine as _;

use super::super::markup::{self, Broken, Element};
use super::{Extension, FLAGS, MAX_EXTENSIONS, TIMES, read_time, written_time};
use crate::content::{
    Component, ContentError, Floating, Kind, Property, ReadHint, Record, Value, charset,
};

/// Characters of an Ext's name or value.
const MAX_EXT_TEXT: usize = 1_000;
/// Values of one Ext.
const MAX_EXT_VALUES: usize = 16;

pub(super) const fn broken(why: Broken) -> ContentError {
    match why {
        Broken::NotMarkup => ContentError::NotThisType,
        Broken::Truncated => ContentError::Truncated,
        Broken::TooMuch => ContentError::TooDeep,
    }
}

/// The zone of times without a `Z`.
pub(super) fn local_zone(hint: &ReadHint<'_>) -> chrono_tz::Tz {
    match hint.floating {
        Floating::Local => hint.time_zone,
        Floating::Keep | Floating::Utc => chrono_tz::Tz::UTC,
    }
}

pub(super) fn read(body: &[u8], hint: &ReadHint<'_>) -> Result<Record, ContentError> {
    let element = markup::read(body).map_err(broken)?;
    if element.name != "email" {
        return Err(ContentError::NotThisType);
    }
    let zone = local_zone(hint);
    let mut root = Component::new("EMAIL");
    for name in FLAGS.into_iter().filter(|name| *name != "DRAFT") {
        let told = element.text_of(&name.to_ascii_lowercase());
        let told = told.map(|text| text.to_ascii_lowercase());
        if let Some(told @ ("true" | "false")) = told.as_deref() {
            root.properties.push(Property::text(name, told));
        }
    }
    for name in TIMES {
        let told = element.text_of(&name.to_ascii_lowercase());
        let time = told.and_then(|text| read_time(&text, zone));
        root.properties
            .extend(time.map(|time| Property::text(name, written_time(time))));
    }
    if let Some(item) = element.child("emailitem")
        && !item.text.trim_ascii().is_empty()
    {
        let octets = decoded(item).ok_or(ContentError::NotThisType)?;
        root.properties
            .push(Property::new("EMAILITEM", Value::Binary(octets)));
    }
    let ext = extensions(&element);
    if let Some(missing) = missing(&element, &ext) {
        root.properties
            .push(Property::text("MISSING", missing.to_string()));
    }
    root.properties
        .extend(ext.into_iter().map(Extension::into_property));
    Ok(Record {
        kind: Kind::Mail,
        root,
    })
}

/// The message of an emailitem.
fn decoded(item: &Element) -> Option<Vec<u8>> {
    match item.enc.as_deref() {
        Some("base64" | "b64") => charset::unbase64(&item.text),
        Some("quoted-printable" | "qp") => {
            mail_parser::decoders::quoted_printable::quoted_printable_decode(&item.text)
        }
        _ if item.verbatim => Some(item.text.clone()),
        _ => Some(item.text.trim_ascii_start().to_vec()),
    }
}

/// How much of the message the device does not have; none if it has all of it.
fn missing(email: &Element, ext: &[Extension]) -> Option<u64> {
    let number = |text: &str| text.trim().parse::<u64>().ok();
    let told = ext.iter().find(|ext| {
        ext.name.eq_ignore_ascii_case("x-funambol-body")
            || ext.name.eq_ignore_ascii_case("x-funambol-attach-n")
    });
    let told = told.map(|ext| {
        ext.values
            .first()
            .and_then(|text| number(text))
            .unwrap_or(1)
    });
    let truncated = email.child("truncated").map(|truncated| {
        let sizes = truncated
            .children
            .iter()
            .filter_map(|part| part.text_of("size"));
        sizes
            .filter_map(|size| number(&size))
            .fold(0, u64::saturating_add)
            .max(1)
    });
    truncated.or(told).filter(|missing| *missing > 0)
}

/// The Ext elements.
pub(super) fn extensions(element: &Element) -> Vec<Extension> {
    let short = |text: String| text.chars().take(MAX_EXT_TEXT).collect::<String>();
    let all = element.children.iter().filter(|child| child.name == "ext");
    let named = all.filter_map(|ext| {
        let name = ext.text_of("xnam").filter(|name| !name.is_empty())?;
        let values = ext.children.iter().filter(|child| child.name == "xval");
        Some(Extension {
            name: short(name),
            values: values
                .map(|value| short(value.text()))
                .take(MAX_EXT_VALUES)
                .collect(),
        })
    });
    named.take(MAX_EXTENSIONS).collect()
}

pub(super) fn write_extension(out: &mut Vec<u8>, ext: &Extension) {
    out.extend_from_slice(b"<Ext>");
    markup::write_text(out, "XNam", &ext.name);
    for value in &ext.values {
        markup::write_text(out, "XVal", value);
    }
    out.extend_from_slice(b"</Ext>");
}

/// A part of a message that a device was not sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Left {
    /// Its name.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// Its content type.
    pub media: String,
}

/// How the object is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Form {
    /// The message is base64, and an attribute says so.
    pub base64: bool,
    /// Times of this zone, without a `Z`.
    pub local: Option<chrono_tz::Tz>,
    /// What is left out is told by `truncated`.
    pub truncated: bool,
}

/// Writes an Email object. `message` is the one that the device gets, if it gets any; `body` is how many octets of its text are
/// missing, `attachments` which attachments are.
pub(super) fn write(
    root: &Component,
    message: Option<&[u8]>,
    body: u64,
    attachments: &[Left],
    ext: &[Extension],
    form: Form,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.map_or(0, <[u8]>::len) + 512);
    out.extend_from_slice(b"<Email>");
    for name in [
        "read",
        "forwarded",
        "replied",
        "received",
        "created",
        "modified",
        "deleted",
        "flagged",
    ] {
        let upper = name.to_ascii_uppercase();
        let Some(text) = root.text(&upper) else {
            continue;
        };
        match form.local.filter(|_| TIMES.contains(&upper.as_str())) {
            Some(zone) => {
                let time = read_time(text, chrono_tz::Tz::UTC)
                    .and_then(|time| chrono::DateTime::from_timestamp(time, 0));
                if let Some(time) = time {
                    let local = time.with_timezone(&zone).format("%Y%m%dT%H%M%S");
                    markup::write_text(&mut out, name, &local.to_string());
                }
            }
            None => markup::write_text(&mut out, name, text),
        }
    }
    if let Some(message) = message {
        if form.base64 {
            out.extend_from_slice(b"<emailitem enc=\"base64\">");
            let coded = base64::engine::general_purpose::STANDARD.encode(message);
            out.extend_from_slice(coded.as_bytes());
        } else {
            out.extend_from_slice(b"<emailitem>");
            markup::write_section(&mut out, message);
        }
        out.extend_from_slice(b"</emailitem>");
    }
    if form.truncated && (body > 0 || !attachments.is_empty()) {
        out.extend_from_slice(b"<truncated>");
        if body > 0 {
            out.extend_from_slice(b"<body>");
            markup::write_text(&mut out, "size", &body.to_string());
            markup::write_text(&mut out, "type", "text/plain");
            out.extend_from_slice(b"</body>");
        }
        for left in attachments {
            out.extend_from_slice(b"<attach>");
            markup::write_text(&mut out, "name", &left.name);
            markup::write_text(&mut out, "size", &left.size.to_string());
            markup::write_text(&mut out, "type", &left.media);
            out.extend_from_slice(b"</attach>");
        }
        out.extend_from_slice(b"</truncated>");
    }
    for ext in ext {
        write_extension(&mut out, ext);
    }
    out.extend_from_slice(b"</Email>");
    out
}
