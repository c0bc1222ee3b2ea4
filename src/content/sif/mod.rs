//! SIF 1.1: the XML items of Funambol's clients and of the plug-ins for Outlook and Windows Mobile that were made with them.
//!
//! SIF-C (`contact`), SIF-E (`appointment`), SIF-T (`task`) and SIF-N (`note`) are flat lists of Outlook's fields (Funambol
//! pim-framework, SIFC, SIFE, SIFT, SIFN). On the wire they are base64. The tables of this module say which property of a record
//! each element is; what no property stands for is kept as `X-FUNAMBOL-` and the element's name.
//!
//! Invariants: reading what was written gives back all that SIF can hold; what it cannot hold is not written, and
//! [`restored`](super::restored) keeps it.

mod contact;
mod note;
mod table;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::capabilities::{Capabilities, PropertyCapability};
use super::charset::{self, Charset};
use super::markup::{self, Broken, Element};
use super::{
    Component, ContentError, Format, Kind, Property, ReadHint, Record, Target, Value, Warning,
    calendar,
};

pub(super) use table::{Field, Place};

/// What stands for an element of no known meaning, before its name in upper case.
const KEPT: &str = "X-FUNAMBOL-";
/// Elements of an item that are looked at.
const MAX_FIELDS: usize = 1_000;
/// How much of a document is searched for its encoding.
const DECLARATION: usize = 200;

/// The form of a SIF document; none if it is something else.
pub(super) fn sniff(body: &[u8]) -> Option<Format> {
    Some(match markup::root(body)?.as_str() {
        "contact" => Format::SifContact,
        "appointment" | "calendar" => Format::SifEvent,
        "task" => Format::SifTask,
        "note" => Format::SifNote,
        _ => return None,
    })
}

/// Reads a SIF document of a form.
pub(super) fn read(
    body: &[u8],
    format: Format,
    hint: &ReadHint<'_>,
) -> Result<(Record, Vec<Warning>), ContentError> {
    let text = decoded(body);
    let object = markup::read(text.as_bytes()).map_err(|why| match why {
        Broken::NotMarkup => ContentError::NotThisType,
        Broken::Truncated => ContentError::Truncated,
        Broken::TooMuch => ContentError::TooManyProperties,
    })?;
    if object.children.len() > MAX_FIELDS {
        return Err(ContentError::TooManyProperties);
    }
    let mut warnings = Vec::new();
    let (kind, root) = match (object.name.as_str(), format) {
        ("contact", Format::SifContact) => (Kind::Contact, contact::read(&object)),
        ("appointment" | "calendar", Format::SifEvent) => {
            let root = calendar::read_sif(&object, Kind::Event, hint, &mut warnings);
            (Kind::Event, root)
        }
        ("task", Format::SifTask) => {
            let root = calendar::read_sif(&object, Kind::Task, hint, &mut warnings);
            (Kind::Task, root)
        }
        ("note", Format::SifNote) => (Kind::Note, note::read(&object)),
        _ => return Err(ContentError::NotThisType),
    };
    Ok((Record { kind, root }, warnings))
}

/// The text of a document, whatever its declaration says that it is written in.
fn decoded(body: &[u8]) -> String {
    let body = charset::unwide(body, None);
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&body);
    let head = String::from_utf8_lossy(&body[..body.len().min(DECLARATION)]).into_owned();
    let declared = head
        .trim_start()
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
        .and_then(|(declaration, _)| declaration.split_once("encoding"))
        .and_then(|(_, rest)| rest.trim_start().strip_prefix('='))
        .and_then(|value| value.split(['"', '\'']).nth(1))
        .and_then(Charset::for_label);
    charset::decode(body, declared).into()
}

/// Writes an item as the SIF document of its kind; a kind that has none as a note of its title.
pub(super) fn write(record: &Record, target: &Target<'_>) -> Vec<u8> {
    let mut out = Document::new(target);
    match record.kind {
        Kind::Contact => contact::write(&record.root, &mut out),
        Kind::Event | Kind::Task => calendar::write_sif(record, target, &mut out),
        Kind::Note => note::write(&record.root, &mut out),
        Kind::Mail | Kind::Folder => {
            let title = super::title(record);
            note::write(&Record::note(title).root, &mut out);
        }
    }
    out.finish()
}

/// A document, freed of base64 that its Meta did not tell of.
pub(super) fn unwrapped(body: &[u8]) -> Cow<'_, [u8]> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/= \t\r\n".contains(byte);
    if !body.is_empty()
        && body.iter().all(is_base64)
        && let Some(octets) = charset::unbase64(body)
        && octets.trim_ascii_start().starts_with(b"<")
    {
        return Cow::Owned(octets);
    }
    Cow::Borrowed(body)
}

/// A document as it travels: in base64.
pub(super) fn wrapped(document: &[u8]) -> Vec<u8> {
    STANDARD.encode(document).into_bytes()
}

/// The elements of a form, as a CTCap lists them.
pub(super) fn names(format: Format) -> impl Iterator<Item = &'static str> {
    fields(format)
        .iter()
        .filter(|field| !matches!(field.place, Place::Alias(..) | Place::Nothing))
        .map(|field| field.name)
}

/// The fields of a form, in the order in which they are written.
pub(super) fn table_of(format: Format) -> &'static [Field] {
    fields(format)
}

fn fields(format: Format) -> &'static [Field] {
    match format {
        Format::SifContact => table::CONTACT,
        Format::SifEvent => table::EVENT,
        Format::SifTask => table::TASK,
        Format::SifNote => table::NOTE,
        _ => &[],
    }
}

/// What a form can hold, in the names of records; `listed` is what a device lists of it by the names of elements, nothing
/// that it knows: all of it.
pub(super) fn capabilities(format: Format, listed: &Capabilities) -> Capabilities {
    let told = |field: &&Field| {
        let name = field.name.to_ascii_uppercase();
        listed.properties().iter().find(|of| of.name == name)
    };
    let any = fields(format).iter().any(|field| told(&field).is_some());
    let mut held: Vec<PropertyCapability> = Vec::new();
    for field in fields(format) {
        let told = told(&field);
        if any && told.is_none() {
            continue;
        }
        let size = told.and_then(|told| told.max_size);
        for name in field.properties() {
            match held.iter_mut().find(|of| of.name == name) {
                Some(of) => of.max_size = of.max_size.zip(size).map(|(a, b)| a.max(b)),
                None => held.push(PropertyCapability {
                    max_size: size,
                    no_truncate: told.is_some_and(|told| told.no_truncate),
                    ..PropertyCapability::new(name)
                }),
            }
        }
    }
    Capabilities::new(held)
}

/// A field by the name of its element in lower case. One of many of a kind (`home3telephonenumber`) is found without its number.
fn find(format: Format, name: &str) -> Option<&'static Field> {
    let of = |name: &str| {
        fields(format)
            .iter()
            .find(|field| field.name.eq_ignore_ascii_case(name))
    };
    of(name).or_else(|| {
        let bare: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
        (bare.len() < name.len()).then(|| of(&bare)).flatten()
    })
}

/// The text of an element: none where it is empty. Line breaks are `\n`.
fn text(element: &Element) -> Option<String> {
    let text = element.text();
    let text = if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    (!text.is_empty()).then_some(text)
}

/// The property of an element that only SIF knows, or of one of another maker; none where it says nothing.
pub(super) fn kept(element: &Element) -> Option<Property> {
    let text = text(element)?;
    let name = element.name.to_ascii_uppercase();
    if name.starts_with("X-") {
        return Some(Property::text(name, text));
    }
    let nothing = table::SILENT
        .iter()
        .any(|(silent, value)| silent.eq_ignore_ascii_case(&name) && *value == text);
    (!nothing && element.children.is_empty()).then(|| Property::text(format!("{KEPT}{name}"), text))
}

/// Reads the fields that stand for one text, a list, or something that is kept; true if the element was one of them.
pub(super) fn read_plain(element: &Element, format: Format, into: &mut Component) -> bool {
    let Some(field) = find(format, &element.name) else {
        into.properties.extend(kept(element));
        return true;
    };
    match field.place {
        Place::Text(name) => {
            if let Some(text) = text(element) {
                into.properties.push(Property::text(name, text));
            }
        }
        Place::List(name) => {
            let text = text(element).unwrap_or_default();
            let words = text.split([',', ';']).map(str::trim);
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            if !words.is_empty() {
                into.properties
                    .push(Property::new(name, Value::list(words)));
            }
        }
        Place::Class => {
            let class = match text(element).as_deref() {
                Some("1" | "2") => "PRIVATE",
                Some("3") => "CONFIDENTIAL",
                _ => return true,
            };
            into.properties.push(Property::text("CLASS", class));
        }
        Place::Kept => into.properties.extend(kept(element)),
        Place::Nothing => {}
        _ => return false,
    }
    true
}

/// A document that is being written.
pub(super) struct Document<'t> {
    out: Vec<u8>,
    root: &'static str,
    capabilities: Option<&'t Capabilities>,
}

impl<'t> Document<'t> {
    fn new(target: &Target<'t>) -> Self {
        Self {
            out: Vec::with_capacity(2_048),
            root: "",
            capabilities: target.capabilities.filter(|of| !of.is_empty()),
        }
    }

    /// Begins the root element.
    pub(super) fn begin(&mut self, root: &'static str) {
        self.root = root;
        self.out
            .extend_from_slice(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        self.open(root);
        self.field("SIFVersion", "1.1");
    }

    pub(super) fn open(&mut self, name: &str) {
        self.out.extend_from_slice(format!("<{name}>").as_bytes());
    }

    pub(super) fn close(&mut self, name: &str) {
        self.out.extend_from_slice(format!("</{name}>").as_bytes());
    }

    /// An element; without a text it says that the field is empty.
    pub(super) fn field(&mut self, name: &str, text: &str) {
        if text.is_empty() {
            self.out.extend_from_slice(format!("<{name}/>").as_bytes());
        } else {
            markup::write_text(&mut self.out, name, text);
        }
    }

    /// What the device says of a property that it holds; `None` if it does not hold it.
    pub(super) fn holds(&self, name: &str) -> Option<Option<&'t PropertyCapability>> {
        match self.capabilities {
            None => Some(None),
            Some(capabilities) => capabilities.find(name).map(Some),
        }
    }

    /// A text as the device can hold it; `None` if it does not hold the property, or must not be sent it cut.
    pub(super) fn fitted<'a>(&self, name: &str, text: &'a str) -> Option<&'a str> {
        let capability = self.holds(name)?;
        let cut = super::capabilities::cut(text, capability);
        let whole = cut.len() == text.len();
        (whole || !capability.is_some_and(|of| of.no_truncate)).then_some(cut)
    }

    /// Writes the fields that stand for one text, a list, or something that is kept; true if the field was one of them.
    pub(super) fn plain(&mut self, field: &Field, from: &Component) -> bool {
        match field.place {
            Place::Text(name) => {
                let text = from.text(name).unwrap_or_default();
                if let Some(text) = self.fitted(name, text) {
                    self.field(field.name, text);
                }
            }
            Place::List(name) => {
                let words: Vec<&str> = from
                    .all(name)
                    .flat_map(|property| property.value.texts())
                    .map(str::trim)
                    .filter(|word| !word.is_empty())
                    .collect();
                let text = words.join(", ");
                if let Some(text) = self.fitted(name, &text) {
                    self.field(field.name, text);
                }
            }
            Place::Class => {
                let class = from.text("CLASS").unwrap_or_default().trim();
                let number = match class.to_ascii_uppercase().as_str() {
                    "PRIVATE" => "2",
                    "CONFIDENTIAL" => "3",
                    _ => "0",
                };
                if self.holds("CLASS").is_some() {
                    self.field(field.name, number);
                }
            }
            Place::Kept => {
                let name = format!("{KEPT}{}", field.name.to_ascii_uppercase());
                if let Some(text) = from.text(&name)
                    && let Some(text) = self.fitted(&name, text)
                {
                    self.field(field.name, text);
                }
            }
            Place::Alias(..) | Place::Nothing => {}
            _ => return false,
        }
        true
    }

    fn finish(mut self) -> Vec<u8> {
        self.close(self.root);
        self.out
    }
}
