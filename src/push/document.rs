//! Small documents as trees: read from WBXML and XML, written as either.

use std::borrow::Cow;

use chrono::{DateTime, Utc};

use super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::{Attr, DecodeError, Decoder, Event, Language, Limits, Name, Tag, lenient_utf8};
use crate::xml;

/// What is taken of a document that came in a push.
const LIMITS: Limits = Limits {
    max_bytes: super::wsp::MOST_OCTETS as u32,
    max_depth: 16,
    max_string_table: 8 << 10,
    max_opaque: 8 << 10,
    max_elements: 2_000,
};

/// An element.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    pub(super) name: Cow<'static, str>,
    pub(super) attrs: Vec<(Cow<'static, str>, String)>,
    pub(super) text: String,
    pub(super) children: Vec<Self>,
}

impl Element {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            ..Self::default()
        }
    }

    /// With text.
    pub(super) fn leaf(name: &'static str, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::new(name)
        }
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attrs.push((Cow::Borrowed(name), value.into()));
        self
    }

    /// The value of an attribute, whose name may be in any case.
    pub(super) fn attr(&self, name: &str) -> Option<&str> {
        let mut attrs = self.attrs.iter();
        attrs
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// The children of a name, which may be in any case.
    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        let children = self.children.iter();
        children.filter(move |child| child.name.eq_ignore_ascii_case(name))
    }

    /// The text of the first child of a name.
    pub(super) fn child_text<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.named(name).next().map(|child| child.text.trim())
    }

    /// Reads a document of a type, from either carrier.
    pub(super) fn read(input: &[u8], language: &'static Language) -> Result<Self, ReadError> {
        if input.trim_ascii_start().starts_with(b"<") || input.starts_with(b"\xEF\xBB\xBF") {
            let text = xml::decode_text(input, &LIMITS).map_err(broken)?;
            Self::collect(
                xml::Reader::with_language(&text, language, &LIMITS),
                language,
            )
        } else {
            let decoder = Decoder::with_language(input, language, &LIMITS).map_err(broken)?;
            Self::collect(decoder, language)
        }
    }

    fn collect<'a>(
        events: impl Iterator<Item = Result<Event<'a>, DecodeError>>,
        language: &'static Language,
    ) -> Result<Self, ReadError> {
        let mut open: Vec<Self> = Vec::new();
        let mut root = None;
        for event in events {
            match event.map_err(broken)? {
                Event::Start { name, attrs } => open.push(Self {
                    name: Cow::Owned(name.text().into_owned()),
                    attrs: attrs
                        .into_iter()
                        .map(|attr| (Cow::Owned(attr.name.into_owned()), attr.value.into_owned()))
                        .collect(),
                    ..Self::default()
                }),
                Event::Text(text) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&text);
                    }
                }
                Event::Opaque(octets) => {
                    if let Some(element) = open.last_mut() {
                        element.text.push_str(&lenient_utf8(&octets));
                    }
                }
                Event::End => {
                    let element = open.pop().unwrap_or_default();
                    match open.last_mut() {
                        Some(parent) => parent.children.push(element),
                        None => root = Some(element),
                    }
                }
            }
        }
        let wanted = language.root.text();
        root.filter(|root| root.name.eq_ignore_ascii_case(&wanted))
            .ok_or_else(|| ReadError::new(0, ReadErrorKind::DocumentType(language.name)))
    }

    /// The document as WBXML. `version` is the version octet.
    pub(super) fn wbxml(
        &self,
        language: &'static Language,
        version: u8,
        public_id: u32,
    ) -> Result<Vec<u8>, BuildError> {
        self.check()?;
        let mut events = Vec::new();
        self.events(language, &mut events);
        crate::wbxml::encode(language, version, public_id, events)
            .map_err(|_| BuildError::Value("the document has an element of another type"))
    }

    /// The document as XML, with a document type declaration if one is given.
    pub(super) fn xml(
        &self,
        language: &'static Language,
        doctype: Option<&str>,
    ) -> Result<String, BuildError> {
        self.check()?;
        let mut events = Vec::new();
        self.events(language, &mut events);
        let mut text = xml::write(None, events);
        if let (Some(doctype), Some(at)) = (doctype, text.find("?>")) {
            text.insert_str(at + 2, doctype);
        }
        Ok(text)
    }

    fn check(&self) -> Result<(), BuildError> {
        let mut values = self.attrs.iter().map(|(_, value)| value);
        if !values.all(|value| xml::holds(value)) || !xml::holds(&self.text) {
            return Err(BuildError::Value(
                "a control character is in a text, and documents cannot hold it",
            ));
        }
        self.children.iter().try_for_each(Self::check)
    }

    fn events<'a>(&'a self, language: &'static Language, out: &mut Vec<Event<'a>>) {
        let mut pages = language.pages.iter();
        let tag = pages.find_map(|&space| Tag::find(space, &self.name));
        out.push(Event::Start {
            name: tag.map_or_else(|| Name::Text(Cow::Borrowed(&self.name)), Name::Tag),
            attrs: self
                .attrs
                .iter()
                .map(|(name, value)| Attr {
                    name: Cow::Borrowed(name),
                    value: Cow::Borrowed(value),
                })
                .collect(),
        });
        if !self.text.is_empty() {
            out.push(Event::Text(Cow::Borrowed(&self.text)));
        }
        for child in &self.children {
            child.events(language, out);
        }
        out.push(Event::End);
    }
}

fn broken(error: DecodeError) -> ReadError {
    ReadError {
        offset: error.offset,
        kind: ReadErrorKind::Document(error),
    }
}

/// A time as documents have it.
pub(super) fn time(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time from a document.
pub(super) fn read_time(
    text: Option<&str>,
    name: &'static str,
) -> Result<Option<DateTime<Utc>>, ReadError> {
    text.map(|text| {
        DateTime::parse_from_rfc3339(text.trim())
            .map(|time| time.to_utc())
            .map_err(|_| ReadError::new(0, ReadErrorKind::Value(name)))
    })
    .transpose()
}
