//! Items as data: reading and writing vCard, vCalendar, iCalendar and notes.
//!
//! [`read`] raises any form to a [`Record`], [`write()`] lowers a record to the form and the [`Capabilities`] of a device.
//! Between them stand the questions that a sync asks: [`overlay`] and [`merge`] apply edits, [`same`], [`matches()`],
//! [`digest`] and [`match_key`] compare. Forms: vCard 2.1, 3.0 (RFC 2426), 4.0 (RFC 6350), vCalendar 1.0,
//! iCalendar 2.0 (RFC 5545), vNote 1.1 (IrMC 1.1), SIF 1.1 (Funambol), plain text.
//!
//! Invariants: no IO, no clock, no panic on any input, no recursion without a limit; what is not understood is kept.

mod calendar;
mod capabilities;
mod charset;
mod dialect;
mod digest;
pub(crate) mod effects;
pub mod email;
mod format;
mod json;
mod line;
mod lost;
mod markup;
mod merge;
mod model;
mod note;
mod params;
mod sif;
mod split;
mod vcard;

pub use calendar::{Time, Window, compare_time, within};
pub use capabilities::{Capabilities, ParamCapability, PropertyCapability, modern_name};
pub use dialect::{
    AlarmProperty, AllDayEnd, BadEffect, CharsetOut, Dialect, EmptySlots, EntryTypes, Header,
    Season, Slot, ZoneLines,
};
pub use digest::{Digest, MatchKey, digest, match_key, matches};
pub use format::Format;
pub use json::to_json;
pub use lost::lost;
pub use merge::{Merged, merge, overlay, restored, same};
pub use model::{Component, Kind, Param, Part, Property, Record, Text, Value};
pub use params::Params;
pub use split::split;
pub use vcard::Heads;

use std::borrow::Cow;

/// Why a body is no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The body is not what its content type says.
    #[error("the content is not of this type")]
    NotThisType,
    /// The body is well-formed, but of a kind that is not handled.
    #[error("this kind of content is not handled")]
    Unsupported,
    /// The body ends before its END line, so that applying it could delete what was cut off.
    #[error("the content is cut off")]
    Truncated,
    /// The body is longer than the limit.
    #[error("the content is too large")]
    TooLarge,
    /// Components are nested deeper than the limit.
    #[error("components are nested too deep")]
    TooDeep,
    /// There are more properties than the limit.
    #[error("the content has too many properties")]
    TooManyProperties,
}

/// Something odd in a body that was read nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Counted from 1; 0 if it belongs to no line.
    pub line: u32,
    /// For the operator's log; names properties, never values.
    pub text: Cow<'static, str>,
}

impl std::fmt::Display for Warning {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}: {}", self.text),
        }
    }
}

/// What floating times of a body mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Floating {
    /// They stay floating.
    #[default]
    Keep,
    /// They are local times of the hint's time zone.
    Local,
    /// They are UTC, though they do not say so.
    Utc,
}

/// What is known of a body from outside.
#[derive(Debug, Clone, Copy)]
pub struct ReadHint<'a> {
    /// The labelled format; what the body says of itself wins.
    pub format: Option<Format>,
    /// The kind that the datastore holds; tells a task from an event where a body leaves it open, and decides for text.
    pub kind: Option<Kind>,
    /// The charset of what names none.
    pub charset: Option<&'a str>,
    /// Where the device is.
    pub time_zone: chrono_tz::Tz,
    /// What its floating times mean.
    pub floating: Floating,
    /// What the device does its own way.
    pub dialect: Option<&'a Dialect>,
    /// Seconds since 1970; only a dialect asks for it.
    pub now: i64,
}

impl Default for ReadHint<'_> {
    fn default() -> Self {
        Self {
            format: None,
            kind: None,
            charset: None,
            time_zone: chrono_tz::Tz::UTC,
            floating: Floating::Keep,
            dialect: None,
            now: 0,
        }
    }
}

/// A body that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The item.
    pub record: Record,
    /// The form in which it came.
    pub format: Format,
    /// What was odd; at most a few dozen.
    pub warnings: Vec<Warning>,
}

/// What a body is written for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The form to write.
    pub format: Format,
    /// What the device can hold; none, or an empty list, means everything.
    pub capabilities: Option<&'a Capabilities>,
    /// The device takes UTC times; otherwise times are written as local ones.
    pub utc: bool,
    /// Where the device is.
    pub time_zone: chrono_tz::Tz,
    /// What the device does its own way.
    pub dialect: Option<&'a Dialect>,
    /// How much of a mail is written.
    pub mail: email::Shape,
    /// Seconds since 1970; only a dialect asks for it.
    pub now: i64,
}

impl Target<'_> {
    /// A target that holds everything and takes UTC.
    pub fn new(format: Format) -> Self {
        Self {
            format,
            capabilities: None,
            utc: true,
            time_zone: chrono_tz::Tz::UTC,
            dialect: None,
            mail: email::Shape::ORIGINAL,
            now: 0,
        }
    }

    /// The content type of what is written, as the device calls it.
    pub fn mime(&self) -> &str {
        let own = self.dialect.and_then(|of| of.mail_type.as_deref());
        match self.format {
            Format::Message => own.unwrap_or(self.format.mime()),
            format => format.mime(),
        }
    }
}

/// Reads one item of any form.
pub fn read(body: &[u8], hint: &ReadHint<'_>) -> Result<Parsed, ContentError> {
    let labelled_mail = hint.format.filter(|format| format.is_mail());
    if labelled_mail.is_some() || matches!(hint.kind, Some(Kind::Mail | Kind::Folder)) {
        let format = labelled_mail.unwrap_or_else(|| email::sniff(body));
        return email::read(body, format, hint);
    }
    if body.len() > line::MAX_BYTES {
        return Err(ContentError::TooLarge);
    }
    let unwrapped;
    let body = if hint.format.is_some_and(Format::is_sif) {
        unwrapped = sif::unwrapped(body);
        &unwrapped
    } else {
        body
    };
    let format = match (Format::sniff(body), hint.format) {
        // A note may quote a card.
        (Some(Format::VNote11), _) => Format::VNote11,
        (Some(_), Some(Format::PlainText) | None) if hint.kind == Some(Kind::Note) => {
            Format::PlainText
        }
        (Some(format), _) => format,
        (None, Some(Format::PlainText)) => Format::PlainText,
        // A form of another kind is no note: a label that says nothing to us, and markup.
        (None, None) if hint.kind == Some(Kind::Note) && !is_markup(body) => Format::PlainText,
        (None, Some(labelled)) => labelled,
        (None, None) => return Err(ContentError::NotThisType),
    };
    let (record, warnings) = match format {
        Format::PlainText => (note::from_plain(body, hint.charset)?, Vec::new()),
        format if format.is_sif() => sif::read(body, format, hint)?,
        _ => {
            let charset = hint
                .dialect
                .and_then(|dialect| dialect.charset_in.as_deref());
            let (mut root, mut warnings) =
                line::read_component(body, format.form(), hint.charset.or(charset))?;
            if let Some(dialect) = hint.dialect {
                dialect.raise(&mut root, hint);
            }
            let record = match (root.name.as_str(), format) {
                ("VCARD", Format::VCard21 | Format::VCard30 | Format::VCard40) => {
                    let root = vcard::read(root, format, &mut warnings);
                    Record {
                        kind: Kind::Contact,
                        root,
                    }
                }
                ("VNOTE", Format::VNote11) => Record {
                    kind: Kind::Note,
                    root: note::read(root),
                },
                ("VCALENDAR", Format::VCalendar10 | Format::ICalendar20) => {
                    let (kind, mut root, more) = calendar::read(root, format, hint)?;
                    warnings.extend(more);
                    if kind == Kind::Note {
                        note::tidy(&mut root);
                    }
                    Record { kind, root }
                }
                _ => return Err(ContentError::NotThisType),
            };
            (record, warnings)
        }
    };
    Ok(Parsed {
        record,
        format,
        warnings,
    })
}

/// The text is a document of XML.
fn is_markup(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    body.trim_ascii_start().starts_with(b"<?xml")
}

/// Writes an item as a device can hold it.
///
/// Properties that the device does not know are left out, texts longer than its MaxSize are cut (or left out where it says
/// NoTruncate). A format that cannot carry the kind gives the item's text, so that nothing is ever written empty.
pub fn write(record: &Record, target: &Target<'_>) -> Vec<u8> {
    if target.format.is_mail() {
        return email::write(record, target);
    }
    if target.format.is_sif() {
        return sif::write(record, target);
    }
    if target.format == Format::PlainText {
        return note::to_plain(record, target);
    }
    let form = target.format.form();
    let Some(dialect) = target.dialect else {
        let mut out = line::Writer::new(form);
        lines(record, target, &mut out);
        return out.finish();
    };
    let mut kept = line::Writer::tree(form);
    lines(record, target, &mut kept);
    let mut tree = kept.into_tree();
    dialect.lower(&mut tree, record, target);
    let mut out = line::Writer::wire(form, dialect);
    line::write_tree(&tree, &mut out);
    out.finish()
}

/// Writes an item's lines.
fn lines(record: &Record, target: &Target<'_>, out: &mut line::Writer) {
    match (record.kind, target.format) {
        (Kind::Contact, Format::VCard21 | Format::VCard30 | Format::VCard40) => {
            vcard::write(record, target, out)
        }
        (Kind::Event | Kind::Task, Format::VCalendar10)
        | (Kind::Event | Kind::Task | Kind::Note, Format::ICalendar20) => {
            calendar::write(record, target, out)
        }
        _ => note::write(record, target, out),
    }
}

/// A stored body as it is written for a device: the lines that the device takes, if that is all there is to do.
pub fn lower(body: &[u8], format: Format, target: &Target<'_>) -> Option<Vec<u8>> {
    lower_with(body, format, target, &mut Heads::default())
}

/// The same, for one of many items: `heads` is of this target.
pub fn lower_with(
    body: &[u8],
    format: Format,
    target: &Target<'_>,
    heads: &mut Heads,
) -> Option<Vec<u8>> {
    let copied = match (format, target.format) {
        (Format::VCard30, Format::VCard30) if target.dialect.is_none() => {
            vcard::copy(body, target.capabilities, heads)
        }
        _ => None,
    };
    copied.or_else(|| Some(write(&read_stored(body, format)?, target)))
}

/// A body as it travels: SIF in base64, which its Meta says; anything else as it is.
pub fn wrapped(body: Vec<u8>, format: Format) -> Vec<u8> {
    if format.is_sif() {
        sif::wrapped(&body)
    } else {
        body
    }
}

/// What a device can hold of a SIF form: all of it, or the elements that its CTCap lists.
pub fn sif_capabilities(format: Format, listed: &Capabilities) -> Capabilities {
    sif::capabilities(format, listed)
}

/// The elements of a SIF form, as DevInf lists them.
pub fn sif_names(format: Format) -> impl Iterator<Item = &'static str> {
    sif::names(format)
}

/// Reads a body as it is stored: nothing is left to guess.
pub fn read_stored(body: &[u8], format: Format) -> Option<Record> {
    let kind = matches!(format, Format::PlainText | Format::VNote11).then_some(Kind::Note);
    let hint = ReadHint {
        format: Some(format),
        kind,
        ..ReadHint::default()
    };
    read(body, &hint).ok().map(|parsed| parsed.record)
}

/// What a person would call the item: a name, a summary, a first line; empty if it has none.
pub fn title(record: &Record) -> String {
    let text = match record.kind {
        Kind::Contact => vcard::title(&record.root),
        Kind::Note => note::title(&record.root),
        Kind::Mail | Kind::Folder => email::title(&record.root),
        Kind::Event | Kind::Task => {
            let inner = record
                .root
                .children
                .iter()
                .find(|child| matches!(child.name.as_str(), "VEVENT" | "VTODO"));
            inner
                .and_then(|inner| inner.text("SUMMARY"))
                .unwrap_or_default()
                .trim()
                .to_owned()
        }
    };
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests;
