//! Mail as content: what is stored of a mail, and the forms in which phones take and give it.
//!
//! A [`Mail`] is a message (RFC 5322, RFC 2045) as it came, octet for octet, and beside it what OMA DS Email 1.2 tells of a
//! mail: read, replied, flagged, times. In a [`Record`] it is one component `EMAIL`, whose properties have the names of the Email
//! object's elements, so that filters, digests and edits work on it as on everything else. A property that is missing was
//! not told.
//!
//! Forms: the stored one, `application/vnd.omads-email+xml` and `application/vnd.omads-folder+xml`, and the bare message.
//!
//! Invariants: the message of a received mail is never changed by a device; what a device is sent of it is made anew.

mod compose;
mod fields;
mod folder;
mod head;
mod html;
mod letters;
mod object;
mod parts;
mod picture;
mod quote;
mod report;
mod shape;
mod small;
mod stored;

pub use compose::{
    Author, MAX_RECIPIENTS, Outgoing, Refused, answers, compose, is_address, thread_key, thread_of,
};
pub use folder::{Folder, FolderRole};
pub(in crate::content) use folder::{key as folder_key, overlay as overlay_folder};
pub use head::{Head, Mailbox};
pub(in crate::content) use head::{match_key_text, same_message};
pub use report::{Unreached, report};
pub use shape::{Extent, MailCoding, MailExt, Shape};

use chrono::{DateTime, NaiveDateTime, TimeZone as _};
use smallvec::smallvec;

use super::markup;
use super::{
    Component, ContentError, Format, Kind, Parsed, Property, ReadHint, Record, Target, Value,
};

/// Octets of the largest mail that is read, its attachments coded and all.
pub const MAX_OCTETS: usize = 64 << 20;
/// Ext elements of one mail or folder.
pub const MAX_EXTENSIONS: usize = 64;

/// A mail: its state, and its message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// It was read.
    pub read: bool,
    /// It was forwarded.
    pub forwarded: bool,
    /// It was answered.
    pub replied: bool,
    /// It is marked as important.
    pub flagged: bool,
    /// It is marked for deletion; it is still there.
    pub deleted: bool,
    /// It is being written, so that an edit may replace its message.
    pub draft: bool,
    /// When it came into the mailbox; seconds since 1970.
    pub received: Option<i64>,
    /// When it was made; seconds since 1970.
    pub created: Option<i64>,
    /// When it was changed last; seconds since 1970.
    pub modified: Option<i64>,
    /// The message (RFC 5322) as it came.
    pub message: Vec<u8>,
    /// Octets of the message that are not in `message`; the mail server has them.
    pub missing: u64,
    /// What else is known of it.
    pub ext: Vec<Extension>,
}

/// An Ext element: a name and its values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Extension {
    /// XNam.
    pub name: String,
    /// XVal, as often as it stands there.
    pub values: Vec<String>,
}

/// The flags, by the names of their properties and elements.
const FLAGS: [&str; 6] = [
    "READ",
    "FORWARDED",
    "REPLIED",
    "DELETED",
    "FLAGGED",
    "DRAFT",
];
/// The times, by the names of their properties and elements.
const TIMES: [&str; 3] = ["RECEIVED", "CREATED", "MODIFIED"];

impl Mail {
    /// An unread mail of that message. `received`: seconds since 1970.
    pub fn received(message: Vec<u8>, received: i64) -> Self {
        Self {
            received: Some(received),
            message,
            ..Self::default()
        }
    }

    /// Reads the stored form ([`Format::Mail`]).
    pub fn read(stored: &[u8]) -> Result<Self, ContentError> {
        stored::read(stored)
    }

    /// Writes the stored form ([`Format::Mail`]).
    pub fn write(&self) -> Vec<u8> {
        stored::write(self)
    }

    /// Everything but the message, and where in the stored form that begins: for a look at the flags that copies nothing.
    pub fn state(stored: &[u8]) -> Result<(Self, usize), ContentError> {
        stored::state(stored)
    }

    /// What the message's header says.
    pub fn head(&self) -> Head {
        Head::of(&self.message)
    }

    fn flag(&mut self, name: &str) -> Option<&mut bool> {
        Some(match name {
            "READ" => &mut self.read,
            "FORWARDED" => &mut self.forwarded,
            "REPLIED" => &mut self.replied,
            "DELETED" => &mut self.deleted,
            "FLAGGED" => &mut self.flagged,
            "DRAFT" => &mut self.draft,
            _ => return None,
        })
    }

    fn time(&mut self, name: &str) -> Option<&mut Option<i64>> {
        Some(match name {
            "RECEIVED" => &mut self.received,
            "CREATED" => &mut self.created,
            "MODIFIED" => &mut self.modified,
            _ => return None,
        })
    }

    /// The mail as a record, which has all of it.
    pub fn into_record(mut self) -> Record {
        let mut root = Component::new("EMAIL");
        for name in FLAGS {
            let set = self.flag(name).is_some_and(|flag| *flag);
            root.properties
                .push(Property::text(name, if set { "true" } else { "false" }));
        }
        for name in TIMES {
            let time = self.time(name).and_then(|time| *time);
            root.properties
                .extend(time.map(|time| Property::text(name, written_time(time))));
        }
        root.properties
            .push(Property::new("EMAILITEM", Value::Binary(self.message)));
        if self.missing > 0 {
            root.properties
                .push(Property::text("MISSING", self.missing.to_string()));
        }
        root.properties
            .extend(self.ext.into_iter().map(Extension::into_property));
        Record {
            kind: Kind::Mail,
            root,
        }
    }

    /// The mail of a record; what the record does not tell is not set. `None` for a record of another kind.
    pub fn of(record: Record) -> Option<Self> {
        if record.kind != Kind::Mail {
            return None;
        }
        let mut mail = Self::default();
        for property in record.root.properties {
            if property.name == "EXT" {
                mail.ext.extend(Extension::of(&property));
            } else if let Value::Binary(octets) = property.value {
                mail.message = octets;
            } else if let Some(text) = property.value.as_text() {
                if let Some(flag) = mail.flag(&property.name) {
                    *flag = text == "true";
                } else if let Some(time) = mail.time(&property.name) {
                    *time = read_time(text, chrono_tz::Tz::UTC);
                } else if property.name == "MISSING" {
                    mail.missing = text.parse().unwrap_or(0);
                }
            }
        }
        Some(mail)
    }
}

impl Extension {
    fn into_property(self) -> Property {
        let parts = std::iter::once(self.name).chain(self.values);
        Property::new(
            "EXT",
            Value::Parts(parts.map(|part| smallvec![part.into()]).collect()),
        )
    }

    fn of(property: &Property) -> Option<Self> {
        let mut texts = property.value.texts().map(str::to_owned);
        Some(Self {
            name: texts.next()?,
            values: texts.collect(),
        })
    }
}

/// A time as the records have it: `20260301T100000Z`.
fn written_time(time: i64) -> String {
    DateTime::from_timestamp(time, 0)
        .unwrap_or_default()
        .format("%Y%m%dT%H%M%SZ")
        .to_string()
}

/// Seconds since 1970 of `20260301T100000Z`, also with hyphens and colons; without a `Z` it is a time of the zone.
fn read_time(text: &str, zone: chrono_tz::Tz) -> Option<i64> {
    let text = text.trim();
    if text.len() > 32 {
        return None;
    }
    let bare: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let (bare, utc) = match bare.strip_suffix(['Z', 'z']) {
        Some(bare) => (bare, true),
        None => (bare.as_str(), false),
    };
    let time = NaiveDateTime::parse_from_str(bare, "%Y%m%dT%H%M%S").ok()?;
    if utc {
        return Some(time.and_utc().timestamp());
    }
    match zone.from_local_datetime(&time).earliest() {
        Some(time) => Some(time.timestamp()),
        None => Some(time.and_utc().timestamp()),
    }
}

/// Reads a form of mail, of which one is labelled or recognised.
pub(super) fn read(
    body: &[u8],
    format: Format,
    hint: &ReadHint<'_>,
) -> Result<Parsed, ContentError> {
    if body.len() > MAX_OCTETS {
        return Err(ContentError::TooLarge);
    }
    let record = match format {
        Format::Mail => Mail::read(body)?.into_record(),
        Format::Email => object::read(body, hint)?,
        Format::Folder => Folder::read_for(body, hint)?.into_record(),
        Format::Message => message(body)?,
        _ => return Err(ContentError::NotThisType),
    };
    Ok(Parsed {
        record,
        format,
        warnings: Vec::new(),
    })
}

/// The form of a body that came into a datastore of mail without a label that says it.
pub(super) fn sniff(body: &[u8]) -> Format {
    match markup::root(body).as_deref() {
        Some("folder") => Format::Folder,
        Some(_) => Format::Email,
        None => Format::Message,
    }
}

/// A bare message, which tells nothing but itself.
fn message(body: &[u8]) -> Result<Record, ContentError> {
    if body.trim_ascii().is_empty() {
        return Err(ContentError::NotThisType);
    }
    let mut root = Component::new("EMAIL");
    root.properties
        .push(Property::new("EMAILITEM", Value::Binary(body.to_vec())));
    Ok(Record {
        kind: Kind::Mail,
        root,
    })
}

/// Writes a mail or folder; of another kind of item nothing.
pub(super) fn write(record: &Record, target: &Target<'_>) -> Vec<u8> {
    match (record.kind, target.format) {
        (Kind::Folder, _) => Folder::of(record).unwrap_or_default().write(),
        (Kind::Mail, Format::Mail) => Mail::of(record.clone()).unwrap_or_default().write(),
        (Kind::Mail, _) => shape::write(&record.root, target),
        _ => Vec::new(),
    }
}

/// A mail's subject, a folder's name.
pub(super) fn title(root: &Component) -> String {
    match root.text("NAME") {
        Some(name) => name.to_owned(),
        None => Head::of(octets(root)).subject,
    }
}

/// The message of a mail; empty if it was not told.
pub(super) fn octets(root: &Component) -> &[u8] {
    match root.property("EMAILITEM").map(|property| &property.value) {
        Some(Value::Binary(octets)) => octets,
        _ => &[],
    }
}

/// A device's edit applied to the stored mail: flags that it told, and the message of a draft if all of it is there.
pub(super) fn overlay(stored: &Record, incoming: &Record) -> Record {
    let mut root = Component::new(stored.root.name.clone());
    let told = |name: &str| incoming.root.property(name);
    let editable = stored.root.text("DRAFT") == Some("true")
        && told("MISSING").is_none()
        && !octets(&incoming.root).is_empty();
    for property in &stored.root.properties {
        let edit = match property.name.as_str() {
            "DRAFT" => None,
            "EMAILITEM" if editable => told("EMAILITEM"),
            name if FLAGS.contains(&name) || name == "MODIFIED" => told(name),
            _ => None,
        };
        root.properties.push(edit.unwrap_or(property).clone());
    }
    if stored.root.property("MODIFIED").is_none() {
        root.properties.extend(told("MODIFIED").cloned());
    }
    Record {
        kind: stored.kind,
        root,
    }
}

/// A device's edit of what it saw as `base`, as an edit of anything: flags that are as they were tell nothing.
pub(super) fn changes(base: &Record, incoming: &Record) -> Record {
    let mut edit = incoming.clone();
    edit.root.properties.retain(|property| {
        base.root
            .property(&property.name)
            .is_none_or(|seen| seen.value != property.value)
    });
    edit
}

#[cfg(test)]
mod tests;
