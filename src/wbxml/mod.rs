//! WBXML 1.1 to 1.3 (WAP-192): octets from and to a stream of events.
//!
//! Invariants: one pass, no recursion, no panic on any input; everything that a peer controls has a limit; text borrows
//! from the input; after the first error the stream is at its end. The codec knows no document type by itself: a
//! [`Language`] says which code pages it has, and is given by the caller or found by the public identifier.
//!
//! Real phones differ from the specification, so the decoder takes SWITCH_PAGE wherever content may stand, attributes
//! on elements that have none (the root element of some Nokia software has an `xmlns` by index into an empty string
//! table), opaque data and inline strings as the same text, and element codes that no table names.
//!
//! [`Language`]: crate::wbxml::Language

mod charset;
mod date;
mod decoder;
mod encoder;
mod error;
mod header;
pub mod tables;
#[cfg(test)]
mod tests;

pub use charset::Charset;
pub(crate) use charset::lenient_utf8;
pub use decoder::Decoder;
pub(crate) use decoder::Token;
pub use encoder::{EncodeError, encode};
pub(crate) use encoder::{Output, Writer, integer};
pub use error::{DecodeError, DecodeErrorKind};
pub use header::{Header, PublicId};
pub use tables::{Language, Tag};

use std::borrow::Cow;

/// What a decoder accepts from a peer; counts are per document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Octets of the document.
    pub max_bytes: u32,
    /// Elements around an element, itself included.
    pub max_depth: u16,
    /// Octets of the string table.
    pub max_string_table: u32,
    /// Octets of one piece of opaque data.
    pub max_opaque: u32,
    /// Elements.
    pub max_elements: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 16 << 20,
            max_depth: 64,
            max_string_table: 64 << 10,
            max_opaque: 16 << 20,
            max_elements: 100_000,
        }
    }
}

/// The name of an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name<'a> {
    /// An element by its code; the code may be in no table.
    Tag(Tag),
    /// An element by a name that is in no table.
    Text(Cow<'a, str>),
}

impl Name<'_> {
    /// The name as XML would have it; `Unknown-PP-TT` (code page and token in hex) for codes that no table names.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Tag(tag) => tag.text(),
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// An attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attr<'a> {
    /// Its name; `Unknown-TT` (token in hex) for codes that no table names.
    pub name: Cow<'a, str>,
    /// Its value.
    pub value: Cow<'a, str>,
}

/// One step through a document, in either carrier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<'a> {
    /// An element begins.
    Start {
        /// Its name.
        name: Name<'a>,
        /// Its attributes; SyncML has none.
        attrs: Vec<Attr<'a>>,
    },
    /// Text. Adjacent pieces are one text.
    Text(Cow<'a, str>),
    /// Octets that need not be text.
    Opaque(Cow<'a, [u8]>),
    /// The innermost open element ends.
    End,
}
