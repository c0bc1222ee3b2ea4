//! Text to events.

use std::borrow::Cow;

use quick_xml::errors::{IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event as XmlEvent};

use super::{FOREIGN, space_of};
use crate::wbxml::tables::{devinf, metinf, syncml};
use crate::wbxml::{Attr, DecodeError, DecodeErrorKind, Event, Language, Limits, Name, Tag};

/// Where a piece of text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Between tags.
    Literal,
    /// A character reference or a predefined entity.
    Reference,
    /// A CDATA section.
    Section,
}

/// One step through a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An element begins. [`Tag::UNNAMED`]: see [`Reader::local_name`].
    Start(Tag),
    /// A piece of text.
    Text(Cow<'a, str>, Text),
    /// The innermost open element ends.
    End,
    /// The root element has ended.
    Done,
}

/// Reads one document, front to back. As an iterator it yields [`Event`]s and ends after the first error.
#[derive(Debug)]
pub struct Reader<'a> {
    input: &'a str,
    inner: quick_xml::Reader<&'a [u8]>,
    limits: Limits,
    /// Space of the default namespace, per open element.
    spaces: Vec<u8>,
    /// Prefixes with the depth of the element that declares them.
    prefixes: Vec<(usize, Box<str>, u8)>,
    elements: u32,
    pending_end: bool,
    started: bool,
    failed: bool,
    /// Where the last event began.
    at: usize,
    name: String,
    keep_attrs: bool,
    attrs: Vec<Attr<'a>>,
    /// Spaces of the document type; none: SyncML and what belongs to it, by namespaces.
    pages: &'static [u8],
}

impl<'a> Reader<'a> {
    /// Begins to read; see [`super::decode_text`] for the text.
    pub fn new(input: &'a str, limits: &Limits) -> Self {
        Self {
            input,
            inner: quick_xml::Reader::from_str(input),
            limits: *limits,
            spaces: Vec::new(),
            prefixes: Vec::new(),
            elements: 0,
            pending_end: false,
            started: false,
            failed: false,
            at: 0,
            name: String::new(),
            keep_attrs: false,
            attrs: Vec::new(),
            pages: &[],
        }
    }

    /// Begins to read a document of a type that has no namespaces.
    pub fn with_language(input: &'a str, language: &'static Language, limits: &Limits) -> Self {
        Self {
            pages: language.pages,
            ..Self::new(input, limits)
        }
    }

    /// Octets read so far.
    pub fn offset(&self) -> usize {
        self.inner.buffer_position() as usize
    }

    /// Where the last event began, in octets.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// A part of the document as it stands.
    pub(crate) fn raw(&self, from: usize, to: usize) -> &'a str {
        self.input.get(from..to).unwrap_or_default()
    }

    /// Name of the last element whose tag is [`Tag::UNNAMED`].
    pub(crate) fn local_name(&self) -> &str {
        &self.name
    }

    /// Elements read so far, those of documents within this one included.
    pub(crate) const fn seen_elements(&self) -> u32 {
        self.elements
    }

    /// Counts elements of a document within this one.
    pub(crate) const fn add(&mut self, elements: u32) {
        self.elements = self.elements.saturating_add(elements);
    }

    /// The limits of a document within this one.
    pub(crate) fn remaining(&self) -> Limits {
        Limits {
            max_elements: self.limits.max_elements.saturating_sub(self.elements),
            ..self.limits
        }
    }

    #[cold]
    fn fail(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            offset: self.at as u32,
            kind,
        }
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        DecodeError {
            offset: self.input.len() as u32,
            kind: DecodeErrorKind::Truncated,
        }
    }

    /// The error for what the XML reader refuses. It is a cut document if more input could have made it right.
    #[cold]
    fn refused(&self, error: &quick_xml::Error) -> DecodeError {
        let rest = self.input.get(self.at..).unwrap_or_default();
        let cut = match error {
            quick_xml::Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                ["<!--", "<![CDATA[", "<!DOCTYPE"]
                    .iter()
                    .any(|markup| markup.starts_with(rest))
            }
            quick_xml::Error::Syntax(_) => true,
            quick_xml::Error::IllFormed(IllFormedError::UnclosedReference) => !rest.contains('<'),
            _ => false,
        };
        if cut {
            self.truncated()
        } else {
            self.fail(DecodeErrorKind::Syntax)
        }
    }

    /// The next token. After an error the reader must not be asked again.
    pub(crate) fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        if self.pending_end {
            self.pending_end = false;
            self.leave();
            return Ok(Token::End);
        }
        if self.started && self.spaces.is_empty() {
            return Ok(Token::Done);
        }
        loop {
            self.at = self.offset();
            let event = self
                .inner
                .read_event()
                .map_err(|error| self.refused(&error))?;
            match event {
                XmlEvent::Start(start) => return self.start(&start).map(Token::Start),
                XmlEvent::Empty(start) => {
                    self.pending_end = true;
                    return self.start(&start).map(Token::Start);
                }
                XmlEvent::End(_) => {
                    self.leave();
                    return Ok(Token::End);
                }
                XmlEvent::Text(text) => {
                    let text = text.into_inner();
                    if !self.spaces.is_empty() {
                        return Ok(Token::Text(text, Text::Literal));
                    }
                    if !text.trim().is_empty() {
                        return Err(self.fail(DecodeErrorKind::Syntax));
                    }
                }
                XmlEvent::CData(_) | XmlEvent::GeneralRef(_) if self.spaces.is_empty() => {
                    return Err(self.fail(DecodeErrorKind::Syntax));
                }
                XmlEvent::CData(text) => return Ok(Token::Text(text.into_inner(), Text::Section)),
                XmlEvent::GeneralRef(reference) => {
                    let text = match &*reference {
                        "lt" => Cow::Borrowed("<"),
                        "gt" => Cow::Borrowed(">"),
                        "amp" => Cow::Borrowed("&"),
                        "quot" => Cow::Borrowed("\""),
                        "apos" => Cow::Borrowed("'"),
                        "#13" => Cow::Borrowed("\r"),
                        _ => match reference.resolve_char_ref() {
                            Ok(Some(character)) => Cow::Owned(character.to_string()),
                            _ => return Err(self.fail(DecodeErrorKind::UnknownEntity)),
                        },
                    };
                    return Ok(Token::Text(text, Text::Reference));
                }
                XmlEvent::Comment(_)
                | XmlEvent::PI(_)
                | XmlEvent::Decl(_)
                | XmlEvent::DocType(_) => {}
                XmlEvent::Eof if self.started || !self.input.trim().is_empty() => {
                    return Err(self.truncated());
                }
                XmlEvent::Eof => return Err(self.fail(DecodeErrorKind::Empty)),
            }
        }
    }

    fn leave(&mut self) {
        while self
            .prefixes
            .last()
            .is_some_and(|(depth, ..)| *depth >= self.spaces.len())
        {
            self.prefixes.pop();
        }
        self.spaces.pop();
    }

    fn start(&mut self, start: &BytesStart<'a>) -> Result<Tag, DecodeError> {
        let depth = self.spaces.len();
        if depth >= usize::from(self.limits.max_depth) {
            return Err(self.fail(DecodeErrorKind::TooDeep));
        }
        if self.elements >= self.limits.max_elements {
            return Err(self.fail(DecodeErrorKind::TooManyElements));
        }
        self.elements += 1;
        let mut space = self.spaces.last().copied().unwrap_or(syncml::SPACE);
        let mut declared = false;
        self.attrs.clear();
        if !start.attributes_raw().trim().is_empty() {
            for attribute in start.attributes().with_checks(false) {
                let Ok(attribute) = attribute else {
                    return Err(self.fail(DecodeErrorKind::Syntax));
                };
                let key: &str = attribute.key.as_ref();
                if key == "xmlns" {
                    space = space_of(&attribute.value);
                    declared = true;
                } else if let Some(prefix) = key.strip_prefix("xmlns:") {
                    // Far more than any real document has; a bound on what a peer can make us keep.
                    if self.prefixes.len() >= 64 {
                        return Err(self.fail(DecodeErrorKind::Syntax));
                    }
                    self.prefixes
                        .push((depth + 1, prefix.into(), space_of(&attribute.value)));
                }
                if self.keep_attrs {
                    let value = match quick_xml::escape::unescape(&attribute.value) {
                        Ok(value) => value.into_owned(),
                        Err(_) => return Err(self.fail(DecodeErrorKind::UnknownEntity)),
                    };
                    self.attrs.push(Attr {
                        name: Cow::Owned(key.to_owned()),
                        value: Cow::Owned(value),
                    });
                }
            }
        }
        let qualified = start.name();
        let qualified: &str = qualified.as_ref();
        let (local, own) = match qualified.split_once(':') {
            Some((prefix, local)) => {
                let known = self.prefixes.iter().rev().find(|(_, p, _)| **p == *prefix);
                (local, known.map_or(space, |&(_, _, space)| space))
            }
            None => (qualified, space),
        };
        let tag = if !self.pages.is_empty() {
            let mut pages = self.pages.iter();
            pages.find_map(|&space| Tag::find(space, local))
        } else if own == FOREIGN && self.started {
            None
        } else {
            find(own, local)
        };
        self.started = true;
        if !declared && let Some(tag) = tag {
            space = tag.space();
        }
        self.spaces.push(space);
        Ok(tag.unwrap_or_else(|| {
            local.clone_into(&mut self.name);
            Tag::UNNAMED
        }))
    }

    fn event(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        self.keep_attrs = true;
        Ok(Some(match self.token()? {
            Token::Start(tag) => {
                let name = if tag == Tag::UNNAMED {
                    Name::Text(Cow::Owned(self.name.clone()))
                } else {
                    Name::Tag(tag)
                };
                Event::Start {
                    name,
                    attrs: std::mem::take(&mut self.attrs),
                }
            }
            Token::Text(text, _) => Event::Text(text),
            Token::End => Event::End,
            Token::Done => return Ok(None),
        }))
    }
}

/// The element of a name: in its own space, else in the others; at last in any case, because even the examples of the
/// specifications have `DevId` and `FreeId`.
fn find(space: u8, name: &str) -> Option<Tag> {
    let others = [syncml::SPACE, metinf::SPACE, devinf::SPACE];
    let spaces =
        || std::iter::once(space).chain(others.into_iter().filter(|&other| other != space));
    Tag::find(space, name)
        .or_else(|| spaces().skip(1).find_map(|space| Tag::find(space, name)))
        .or_else(|| spaces().find_map(|space| Tag::find_in_any_case(space, name)))
}

impl<'a> Iterator for Reader<'a> {
    type Item = Result<Event<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let event = self.event();
        self.failed = event.is_err();
        event.transpose()
    }
}

impl std::iter::FusedIterator for Reader<'_> {}
