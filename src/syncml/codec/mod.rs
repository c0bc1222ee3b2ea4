//! Messages from and to octets: one mapping between [`Message`] and the events of both carriers.
//!
//! Reading takes elements in any order, skips elements that it does not know, and reads numbers leniently (blanks,
//! leading zeros); a command that does not exist becomes [`Command::Unknown`]. Writing keeps the orders of the DTDs
//! (SyncML Representation Protocol, Meta-Information and Device Information 1.0 to 1.2), because strict phones need them.
//!
//! DevInf is read from all the forms that occur: a WBXML document of its own in opaque data, tokens without a header,
//! XML text in opaque data or CDATA, and elements inline. DevInf that cannot be read stays octets: a Put of nonsense is
//! no reason to refuse the message.

mod devinf;
mod part;
mod read;
mod sink;
mod source;
#[cfg(test)]
mod tests;
mod write;

use std::borrow::Cow;

use crate::wbxml::tables::{self, syncml as s};
use crate::wbxml::{Decoder, Writer as WbxmlWriter};
use crate::xml::{self, Writer as XmlWriter};

use super::{Carrier, Command, DevInf, Header, Message, PropertyInfo, Version};
use source::Source;

pub use crate::wbxml::{DecodeError, DecodeErrorKind, Limits};

/// How a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Form {
    /// XML or WBXML.
    pub carrier: Carrier,
    /// Namespaces, public identifiers, and the shape of DevInf.
    pub version: Version,
    /// XML only: the root element says its namespace. 1.0 clients are confused by it.
    pub root_namespace: bool,
}

impl Form {
    /// The usual form of a version.
    pub fn new(carrier: Carrier, version: Version) -> Self {
        Self {
            carrier,
            version,
            root_namespace: version != Version::V10,
        }
    }

    pub(super) fn namespace(&self) -> Option<&'static str> {
        self.root_namespace.then(|| self.version.namespace())
    }

    const fn public_id(&self) -> u32 {
        match self.version {
            Version::V10 => 0x0FD1,
            Version::V11 => 0x0FD3,
            Version::V12 => 0x1201,
        }
    }

    const fn devinf_public_id(&self) -> u32 {
        match self.version {
            Version::V10 => 0x0FD2,
            Version::V11 => 0x0FD4,
            Version::V12 => 0x1203,
        }
    }
}

/// Reads a message. What it holds borrows from `bytes` wherever no conversion was needed.
pub fn decode<'a>(
    bytes: &'a [u8],
    carrier: Carrier,
    limits: &Limits,
) -> Result<Message<'a>, DecodeError> {
    match carrier {
        Carrier::Wbxml => {
            read::message(&mut Decoder::with_language(bytes, &tables::SYNCML, limits)?)
        }
        Carrier::Xml => match xml::decode_text(bytes, limits)? {
            Cow::Borrowed(text) => read::message(&mut xml::Reader::new(text, limits))
                .map_err(|error| shifted(error, bytes.len() - text.len())),
            Cow::Owned(text) => read::message(&mut xml::Reader::new(&text, limits))
                .map(Message::into_owned)
                .map_err(|error| within(error, bytes.len())),
        },
    }
}

/// Reads a DevInf document that stands alone.
pub fn decode_devinf<'a>(
    bytes: &'a [u8],
    carrier: Carrier,
    limits: &Limits,
) -> Result<DevInf<'a>, DecodeError> {
    match carrier {
        Carrier::Wbxml => {
            devinf::document(&mut Decoder::with_language(bytes, &tables::DEVINF, limits)?)
        }
        Carrier::Xml => match xml::decode_text(bytes, limits)? {
            Cow::Borrowed(text) => devinf::document(&mut xml::Reader::new(text, limits))
                .map_err(|error| shifted(error, bytes.len() - text.len())),
            Cow::Owned(text) => devinf::document(&mut xml::Reader::new(&text, limits))
                .map(DevInf::into_owned)
                .map_err(|error| within(error, bytes.len())),
        },
    }
}

/// An error in text that begins some octets after the start of the document (a byte order mark).
fn shifted(error: DecodeError, octets: usize) -> DecodeError {
    DecodeError {
        offset: error.offset + octets as u32,
        ..error
    }
}

/// An error in text that was converted: its offset is near, and at least within the document.
fn within(error: DecodeError, octets: usize) -> DecodeError {
    DecodeError {
        offset: error.offset.min(octets as u32),
        ..error
    }
}

/// Writes a message. WBXML: version 1.2, numeric public identifier, UTF-8, text as inline strings, item data as opaque
/// data of exact length, no string table unless an unknown command has to be named. XML: item data and credentials that
/// [`xml::holds`] refuses are written as base64, with Format and Size changed to say so; chunks of a large object have to
/// be base64 before they are cut.
pub fn encode(message: &Message<'_>, form: &Form) -> Vec<u8> {
    let out = Vec::with_capacity(1024);
    match form.carrier {
        Carrier::Wbxml => {
            let names = sink::names(&message.body);
            let writer = WbxmlWriter::with_table(
                out,
                &tables::SYNCML,
                0x02,
                form.public_id(),
                &names.table(),
            );
            let mut sink = sink::Wbxml::new(writer, form, &names);
            write::message(&mut sink, message);
            sink.finish()
        }
        Carrier::Xml => {
            let mut sink = sink::Xml::new(XmlWriter::new(out, form.namespace()), form);
            write::message(&mut sink, message);
            sink.finish()
        }
    }
}

/// Writes a DevInf document that stands alone.
pub fn encode_devinf(devinf: &DevInf<'_>, form: &Form) -> Vec<u8> {
    match form.carrier {
        Carrier::Wbxml => sink::devinf_document(Vec::with_capacity(512), devinf, form),
        Carrier::Xml => {
            let mut sink = sink::Xml::new(XmlWriter::new(Vec::with_capacity(512), None), form);
            devinf::write(&mut sink, devinf, form.version);
            sink.finish()
        }
    }
}

/// Octets that a command adds to a message: exact, or up to 4 too many where it needs no switch of the code page.
/// Counts what [`encode`] would write, and keeps nothing.
pub fn encoded_len(command: &Command<'_>, form: &Form) -> usize {
    match form.carrier {
        Carrier::Wbxml => {
            let names = sink::names(std::slice::from_ref(command));
            let writer = WbxmlWriter::resume(names.octets(), &tables::SYNCML, u8::MAX);
            let mut sink = sink::Wbxml::new(writer, form, &names);
            write::command(&mut sink, command);
            sink.finish()
        }
        Carrier::Xml => {
            let writer = XmlWriter::resume(0_usize, form.namespace(), Some(tables::syncml::SPACE));
            let mut sink = sink::Xml::new(writer, form);
            write::command(&mut sink, command);
            sink.finish()
        }
    }
}

/// Octets of a message without commands, its `Final` included.
pub fn header_len(header: &Header<'_>, form: &Form) -> usize {
    match form.carrier {
        Carrier::Wbxml => {
            let names = sink::Names::default();
            let writer = WbxmlWriter::new(0_usize, &tables::SYNCML, form.public_id());
            let mut sink = sink::Wbxml::new(writer, form, &names);
            write::parts(&mut sink, header, &[], true);
            sink.finish()
        }
        Carrier::Xml => {
            let mut sink = sink::Xml::new(XmlWriter::new(0_usize, form.namespace()), form);
            write::parts(&mut sink, header, &[], true);
            sink.finish()
        }
    }
}

/// DevInf in item data, whatever its form; `None` if it is none, or cannot be read. Elements are counted.
fn nested_devinf<'a>(bytes: &'a [u8], limits: &Limits, elements: &mut u32) -> Option<DevInf<'a>> {
    match Nested::open(bytes, limits)? {
        Nested::Text(Cow::Borrowed(text)) => {
            let mut source = xml::Reader::new(text, limits);
            counted(&mut source, elements, devinf::document)
        }
        Nested::Text(Cow::Owned(text)) => {
            let mut source = xml::Reader::new(&text, limits);
            counted(&mut source, elements, devinf::document).map(DevInf::into_owned)
        }
        Nested::Tokens(mut source) => counted(&mut source, elements, devinf::document),
    }
}

/// The properties of a Field filter, whatever their form; `None` if there are none. Elements are counted.
fn nested_properties<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    elements: &mut u32,
) -> Option<Vec<PropertyInfo<'a>>> {
    let list = match Nested::open(bytes, limits)? {
        Nested::Text(text) => {
            // Property elements stand side by side, so a root is put around them.
            let body = match text.trim_start().strip_prefix("<?") {
                Some(rest) => rest.split_once("?>")?.1,
                None => &text,
            };
            let text = format!("<CTCap xmlns='syncml:devinf'>{body}</CTCap>");
            let mut source = xml::Reader::new(&text, limits);
            counted(&mut source, elements, devinf::wrapped_properties)?
                .into_iter()
                .map(PropertyInfo::into_owned)
                .collect()
        }
        Nested::Tokens(mut source) => counted(&mut source, elements, devinf::properties_document)?,
    };
    Some(list).filter(|list: &Vec<_>| !list.is_empty())
}

/// A document within item data.
enum Nested<'a> {
    Text(Cow<'a, str>),
    Tokens(Decoder<'a>),
}

impl<'a> Nested<'a> {
    fn open(bytes: &'a [u8], limits: &Limits) -> Option<Self> {
        // White space around the document came along when XML was converted to WBXML.
        let document = bytes.trim_ascii_start();
        if document.starts_with(b"<") || document.starts_with(b"\xEF\xBB\xBF<") {
            return xml::decode_text(document, limits).ok().map(Self::Text);
        }
        let language = &tables::DEVINF;
        let decoder = if matches!(document.first(), Some(0x4A | 0xCA)) {
            Decoder::headless(document, language, limits)
        } else {
            Decoder::with_language(document, language, limits).ok()?
        };
        Some(Self::Tokens(decoder))
    }
}

fn counted<'a, S: Source<'a>, T>(
    source: &mut S,
    elements: &mut u32,
    read: fn(&mut S) -> Result<T, DecodeError>,
) -> Option<T> {
    let document = read(source);
    *elements += source.elements();
    document.ok()
}

/// The tag of a command, if the name is one of the protocol's elements.
fn known(name: &str) -> Option<tables::Tag> {
    tables::Tag::find(s::SPACE, name)
}
