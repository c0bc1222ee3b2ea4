//! Octets to tokens and events.

use std::borrow::Cow;

use super::header::{integer, table_string};
use super::tables::{self, Language, NO_SPACE, Tag};
use super::{Attr, Charset, DecodeError, DecodeErrorKind, Event, Header, Limits, Name, PublicId};

const SWITCH_PAGE: u8 = 0x00;
const END: u8 = 0x01;
const ENTITY: u8 = 0x02;
const STR_I: u8 = 0x03;
const LITERAL: u8 = 0x04;
const PI: u8 = 0x43;
const STR_T: u8 = 0x83;
const OPAQUE: u8 = 0xC3;
const WITH_CONTENT: u8 = 0x40;
const WITH_ATTRIBUTES: u8 = 0x80;
/// How many times as large as the document its references to the string table may be, all together.
const MOST_GROWTH: usize = 16;

/// One step without interpretation; strings are in the document's character set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// An element begins. [`Tag::UNNAMED`]: see [`Decoder::literal`].
    Start(Tag),
    /// A string.
    Str(&'a [u8]),
    /// Octets.
    Opaque(&'a [u8]),
    /// A character.
    Entity(char),
    /// The innermost open element ends.
    End,
    /// The root element has ended.
    Done,
}

/// Reads one document, front to back. As an iterator it yields [`Event`]s and ends after the first error.
#[derive(Debug)]
pub struct Decoder<'a> {
    input: &'a [u8],
    pos: usize,
    header: Header<'a>,
    language: &'static Language,
    limits: Limits,
    /// Space of the current code page.
    space: u8,
    page: u8,
    attr_page: u8,
    depth: u16,
    elements: u32,
    /// The last element has no content: its end comes next.
    pending_end: bool,
    started: bool,
    failed: bool,
    /// Depth at which page 0 is DevInf's until its element ends; 0 is nowhere.
    inline: u16,
    literal: &'a [u8],
    /// The last event began a Data element.
    in_data: bool,
    /// Octets of string table entries that the document may still refer to.
    references: usize,
    /// Attributes of the last element, if they are wanted.
    attrs: Option<Vec<Attr<'a>>>,
}

impl<'a> Decoder<'a> {
    /// Reads the header; the document type is the one that the public identifier names.
    pub fn new(input: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let (header, pos, language) = Header::read(input, None, limits)?;
        Ok(Self::at(input, pos, header, language, limits))
    }

    /// Reads the header; a public identifier that names nothing known is taken for `language`, one that names another
    /// known type is refused.
    pub fn with_language(
        input: &'a [u8],
        language: &'static Language,
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let (header, pos, language) = Header::read(input, Some(language), limits)?;
        Ok(Self::at(input, pos, header, language, limits))
    }

    /// A body without a header, UTF-8.
    pub(crate) fn headless(input: &'a [u8], language: &'static Language, limits: &Limits) -> Self {
        let header = Header {
            version: 0x02,
            public_id: PublicId::Number(1),
            charset: Charset::Utf8,
            string_table: &[],
        };
        Self::at(input, 0, header, language, limits)
    }

    fn at(
        input: &'a [u8],
        pos: usize,
        header: Header<'a>,
        language: &'static Language,
        limits: &Limits,
    ) -> Self {
        Self {
            input,
            pos,
            header,
            language,
            limits: *limits,
            space: language.space(0),
            page: 0,
            attr_page: 0,
            depth: 0,
            elements: 0,
            pending_end: false,
            started: false,
            failed: false,
            inline: 0,
            literal: &[],
            in_data: false,
            references: input
                .len()
                .saturating_mul(MOST_GROWTH)
                .saturating_add(limits.max_string_table as usize),
            attrs: None,
        }
    }

    /// What stands before the body.
    pub const fn header(&self) -> &Header<'a> {
        &self.header
    }

    /// The document type.
    pub const fn language(&self) -> &'static Language {
        self.language
    }

    /// Octets read so far.
    pub const fn offset(&self) -> usize {
        self.pos
    }

    /// Name of the last element, if its tag is [`Tag::UNNAMED`]: octets in the document's character set.
    pub(crate) const fn literal(&self) -> &'a [u8] {
        self.literal
    }

    /// Character set of strings.
    pub(crate) const fn charset(&self) -> Charset {
        self.header.charset
    }

    /// The element whose start was just read is a DevInf element although the code page says otherwise: page 0 is
    /// DevInf's until it ends.
    pub(crate) fn inline_devinf(&mut self) {
        self.inline = self.depth;
        if self.page == 0 {
            self.space = tables::devinf::SPACE;
        }
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
    fn fail(&self, offset: usize, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            offset: offset.min(self.input.len()) as u32,
            kind,
        }
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        self.fail(self.input.len(), DecodeErrorKind::Truncated)
    }

    #[inline]
    fn byte(&mut self) -> Result<u8, DecodeError> {
        match self.input.get(self.pos) {
            Some(&byte) => {
                self.pos += 1;
                Ok(byte)
            }
            None => Err(self.truncated()),
        }
    }

    #[inline]
    fn inline_string(&mut self) -> Result<&'a [u8], DecodeError> {
        let rest = &self.input[self.pos..];
        match string_length(rest) {
            Some(length) => {
                self.pos += length + 1;
                Ok(&rest[..length])
            }
            None => Err(self.truncated()),
        }
    }

    fn table_string(&mut self) -> Result<&'a [u8], DecodeError> {
        let at = self.pos;
        let index = integer(self.input, &mut self.pos)?;
        let string = table_string(self.header.string_table, index)
            .ok_or_else(|| self.fail(at, DecodeErrorKind::StringTableIndex(index)))?;
        // Two octets can stand for the whole table: without a bound a small document holds gigabytes.
        match self.references.checked_sub(string.len()) {
            Some(rest) => self.references = rest,
            None => return Err(self.fail(at, DecodeErrorKind::TooLarge)),
        }
        Ok(string)
    }

    #[inline]
    fn opaque(&mut self) -> Result<&'a [u8], DecodeError> {
        let at = self.pos;
        let length = integer(self.input, &mut self.pos)?;
        if length > self.limits.max_opaque {
            return Err(self.fail(at, DecodeErrorKind::OpaqueTooLarge(length)));
        }
        match self.input[self.pos..].get(..length as usize) {
            Some(bytes) => {
                self.pos += length as usize;
                Ok(bytes)
            }
            None => Err(self.truncated()),
        }
    }

    fn entity(&mut self) -> Result<char, DecodeError> {
        let at = self.pos;
        let code = integer(self.input, &mut self.pos)?;
        char::from_u32(code).ok_or_else(|| self.fail(at, DecodeErrorKind::Entity(code)))
    }

    /// The content of the open element if it is one string and nothing else; the element ends. A short cut for what
    /// [`Self::token`] would say too; `None` changes nothing.
    #[inline]
    pub(crate) fn only_string(&mut self) -> Option<&'a [u8]> {
        let rest = self.input.get(self.pos..).filter(|_| !self.pending_end)?;
        let (string, after) = match *rest.first()? {
            STR_I => {
                let content = &rest[1..];
                let length = string_length(content)?;
                (&content[..length], length + 2)
            }
            // One octet of length, which is below any limit that makes sense.
            OPAQUE if rest.get(1).is_some_and(|&length| length < 0x80) => {
                let length = usize::from(rest[1]);
                (rest.get(2..2 + length)?, 2 + length)
            }
            _ => return None,
        };
        if rest.get(after) != Some(&END) || string.len() > self.limits.max_opaque as usize {
            return None;
        }
        self.pos += after + 1;
        self.leave();
        Some(string)
    }

    /// The next token. After an error the decoder must not be asked again.
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Token<'a>, DecodeError> {
        if self.pending_end {
            self.pending_end = false;
            self.leave();
            return Ok(Token::End);
        }
        if self.depth == 0 && self.started {
            return Ok(Token::Done);
        }
        loop {
            let at = self.pos;
            let byte = self.byte()?;
            let code = byte & 0x3F;
            if code > LITERAL {
                return self
                    .start(at, byte, Tag::new(self.space, code))
                    .map(Token::Start);
            }
            match byte {
                END if self.depth > 0 => {
                    self.leave();
                    return Ok(Token::End);
                }
                STR_I if self.depth > 0 => return self.inline_string().map(Token::Str),
                SWITCH_PAGE => {
                    self.page = self.byte()?;
                    self.space = self.page_space();
                }
                OPAQUE if self.depth > 0 => return self.opaque().map(Token::Opaque),
                STR_T if self.depth > 0 => return self.table_string().map(Token::Str),
                ENTITY if self.depth > 0 => return self.entity().map(Token::Entity),
                PI => self.attributes(false)?,
                0x04 | 0x44 | 0x84 | 0xC4 => {
                    self.literal = self.table_string()?;
                    let tag = self.literal_tag();
                    return self.start(at, byte, tag).map(Token::Start);
                }
                _ => return Err(self.fail(at, DecodeErrorKind::Token(byte))),
            }
        }
    }

    #[inline]
    fn start(&mut self, at: usize, byte: u8, tag: Tag) -> Result<Tag, DecodeError> {
        if self.depth >= self.limits.max_depth {
            return Err(self.fail(at, DecodeErrorKind::TooDeep));
        }
        if self.elements >= self.limits.max_elements {
            return Err(self.fail(at, DecodeErrorKind::TooManyElements));
        }
        self.started = true;
        self.depth += 1;
        self.elements += 1;
        self.pending_end = byte & WITH_CONTENT == 0;
        if byte & WITH_ATTRIBUTES != 0 {
            self.attributes(true)?;
        }
        Ok(tag)
    }

    #[inline]
    fn leave(&mut self) {
        self.depth -= 1;
        if self.depth < self.inline {
            self.inline = 0;
            self.space = self.page_space();
        }
    }

    fn page_space(&self) -> u8 {
        if self.inline > 0 && self.page == 0 {
            return tables::devinf::SPACE;
        }
        match self.language.space(self.page) {
            NO_SPACE => 0x80 | self.page,
            space => space,
        }
    }

    fn literal_tag(&self) -> Tag {
        let Ok(name) = std::str::from_utf8(self.literal) else {
            return Tag::UNNAMED;
        };
        let spaces = || {
            [self.space]
                .into_iter()
                .chain(self.language.pages.iter().copied())
        };
        spaces()
            .find_map(|space| Tag::find(space, name))
            .or_else(|| spaces().find_map(|space| Tag::find_in_any_case(space, name)))
            .unwrap_or(Tag::UNNAMED)
    }

    /// Reads an attribute list up to its END, and keeps it if it is wanted.
    fn attributes(&mut self, keep: bool) -> Result<(), DecodeError> {
        let mut attrs = self.attrs.take();
        if let Some(attrs) = &mut attrs {
            attrs.clear();
        }
        let mut list = attrs.as_mut().filter(|_| keep);
        let charset = self.header.charset;
        loop {
            let at = self.pos;
            let byte = self.byte()?;
            let (name, value): (Option<Cow<'a, str>>, Cow<'a, str>) = match byte {
                END => break,
                SWITCH_PAGE => {
                    self.attr_page = self.byte()?;
                    continue;
                }
                STR_I => (None, charset.decode(self.inline_string()?)),
                STR_T => (None, charset.decode(self.table_string()?)),
                ENTITY => (None, Cow::Owned(self.entity()?.to_string())),
                OPAQUE => {
                    let octets = self.opaque()?;
                    let name = list.as_ref().and_then(|list| list.last());
                    let dated = name.is_some_and(|attr| self.language.dates.contains(&&*attr.name));
                    let date = if dated {
                        super::date::from_octets(octets)
                    } else {
                        None
                    };
                    let text = date.map_or_else(|| charset.decode(octets), Cow::Owned);
                    (None, text)
                }
                LITERAL => {
                    let index = integer(self.input, &mut self.pos)?;
                    // Some Nokia software means `xmlns` by index 0, and sends no string table.
                    let name = if self.header.string_table.is_empty() && index == 0 {
                        b"xmlns".as_slice()
                    } else {
                        table_string(self.header.string_table, index).ok_or_else(|| {
                            self.fail(at, DecodeErrorKind::StringTableIndex(index))
                        })?
                    };
                    (Some(charset.decode(name)), Cow::Borrowed(""))
                }
                0x05..=0x3F | 0x44..=0x7F => {
                    let known = self
                        .language
                        .attr_starts
                        .iter()
                        .find(|a| a.page == self.attr_page && a.token == byte);
                    match known {
                        Some(start) => {
                            (Some(Cow::Borrowed(start.name)), Cow::Borrowed(start.prefix))
                        }
                        None => (
                            Some(Cow::Owned(format!("Unknown-{byte:02X}"))),
                            Cow::Borrowed(""),
                        ),
                    }
                }
                0x85..=0xBF | 0xC5..=0xFF => {
                    let known = self
                        .language
                        .attr_values
                        .iter()
                        .find(|a| a.page == self.attr_page && a.token == byte);
                    (None, Cow::Borrowed(known.map_or("", |value| value.text)))
                }
                _ => return Err(self.fail(at, DecodeErrorKind::Token(byte))),
            };
            let Some(list) = &mut list else { continue };
            match (name, list.last_mut()) {
                (Some(name), _) => list.push(Attr { name, value }),
                (None, Some(last)) if last.value.is_empty() => last.value = value,
                (None, Some(last)) => last.value.to_mut().push_str(&value),
                (None, None) => {}
            }
        }
        self.attrs = attrs;
        Ok(())
    }

    fn event(&mut self) -> Result<Option<Event<'a>>, DecodeError> {
        let attrs = self.attrs.get_or_insert_default();
        attrs.clear();
        let in_data = std::mem::take(&mut self.in_data);
        Ok(Some(match self.token()? {
            Token::Start(mut tag) => {
                if in_data && tag == tables::syncml::CMD {
                    self.inline_devinf();
                    tag = tables::devinf::DEVINF;
                }
                self.in_data = tag == tables::syncml::DATA;
                let name = if tag == Tag::UNNAMED {
                    Name::Text(self.header.charset.decode(self.literal))
                } else {
                    Name::Tag(tag)
                };
                Event::Start {
                    name,
                    attrs: self.attrs.take().unwrap_or_default(),
                }
            }
            Token::Str(bytes) => Event::Text(self.header.charset.decode(bytes)),
            Token::Opaque(bytes) => Event::Opaque(Cow::Borrowed(bytes)),
            Token::Entity(character) => Event::Text(Cow::Owned(character.to_string())),
            Token::End => Event::End,
            Token::Done => return Ok(None),
        }))
    }
}

impl<'a> Iterator for Decoder<'a> {
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

impl std::iter::FusedIterator for Decoder<'_> {}

/// Octets before the first NUL. Most strings are short, so the first octets are looked at one by one.
#[inline]
fn string_length(bytes: &[u8]) -> Option<usize> {
    const SHORT: usize = 24;
    match bytes.iter().take(SHORT).position(|&byte| byte == 0) {
        None => memchr::memchr(0, bytes.get(SHORT..)?).map(|length| length + SHORT),
        found => found,
    }
}
