//! Events to octets.

use super::tables::{AttrStart, Language, Tag};
use super::{Attr, Event, Name};

/// Where encoded octets go: kept, or only counted.
pub(crate) trait Output {
    /// One octet.
    fn octet(&mut self, byte: u8);
    /// Some octets.
    fn octets(&mut self, bytes: &[u8]);
}

impl Output for Vec<u8> {
    #[inline]
    fn octet(&mut self, byte: u8) {
        Self::push(self, byte);
    }

    #[inline]
    fn octets(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Counts octets.
impl Output for usize {
    #[inline]
    fn octet(&mut self, _: u8) {
        *self += 1;
    }

    #[inline]
    fn octets(&mut self, bytes: &[u8]) {
        *self += bytes.len();
    }
}

/// Writes tokens; keeps track of the code page and nothing else.
#[derive(Debug)]
pub(crate) struct Writer<O> {
    out: O,
    language: &'static Language,
    /// Space of the current code page.
    space: u8,
}

impl<O: Output> Writer<O> {
    /// Writes a header without a string table, UTF-8.
    pub(crate) fn new(out: O, language: &'static Language, public_id: u32) -> Self {
        Self::with_table(out, language, 0x02, public_id, &[])
    }

    /// Writes a header, UTF-8.
    pub(crate) fn with_table(
        mut out: O,
        language: &'static Language,
        version: u8,
        public_id: u32,
        table: &[u8],
    ) -> Self {
        out.octet(version);
        integer(&mut out, public_id);
        out.octet(0x6A);
        integer(&mut out, table.len() as u32);
        out.octets(table);
        Self {
            out,
            language,
            space: language.space(0),
        }
    }

    /// Goes on in the middle of a document; `space` is the current one.
    pub(crate) const fn resume(out: O, language: &'static Language, space: u8) -> Self {
        Self {
            out,
            language,
            space,
        }
    }

    /// An element begins, and has content or not.
    #[inline]
    pub(crate) fn start(&mut self, tag: Tag, content: bool) {
        self.start_with(tag, if content { 0x40 } else { 0 });
    }

    #[inline]
    fn start_with(&mut self, tag: Tag, flags: u8) {
        if tag.space() != self.space {
            self.space = tag.space();
            self.out.octet(0x00);
            self.out.octet(self.language.page(self.space));
        }
        self.out.octet(tag.token() | flags);
    }

    /// An element that no table names begins; `index` is that of its name in the string table.
    pub(crate) fn literal(&mut self, index: u32, content: bool) {
        self.out.octet(if content { 0x44 } else { 0x04 });
        integer(&mut self.out, index);
    }

    /// The innermost open element ends.
    #[inline]
    pub(crate) fn end(&mut self) {
        self.out.octet(0x01);
    }

    /// Text as an inline string; as opaque data if it holds a NUL.
    #[inline]
    pub(crate) fn text(&mut self, text: &[u8]) {
        if memchr::memchr(0, text).is_some() {
            return self.opaque(text);
        }
        self.out.octet(0x03);
        self.out.octets(text);
        self.out.octet(0x00);
    }

    /// Opaque data.
    #[inline]
    pub(crate) fn opaque(&mut self, bytes: &[u8]) {
        self.opaque_head(bytes.len());
        self.out.octets(bytes);
    }

    /// The head of opaque data, whose octets follow through [`Self::out`].
    #[inline]
    pub(crate) fn opaque_head(&mut self, length: usize) {
        self.out.octet(0xC3);
        integer(&mut self.out, length as u32);
    }

    /// Where the octets go.
    pub(crate) const fn out(&mut self) -> &mut O {
        &mut self.out
    }

    /// What was written.
    pub(crate) fn finish(self) -> O {
        self.out
    }
}

/// The token that stands for an attribute and for as much of the begin of its value as possible; of two that stand for
/// the same the one of the lower page.
fn attr_start(language: &Language, attr: &Attr<'_>) -> Option<&'static AttrStart> {
    let fits = |start: &&AttrStart| {
        start.name == attr.name
            && if language.partial {
                attr.value.starts_with(start.prefix)
            } else {
                start.prefix.is_empty() || attr.value == start.prefix
            }
    };
    let starts = language.attr_starts.iter().filter(fits);
    starts.min_by_key(|start| (std::cmp::Reverse(start.prefix.len()), start.page))
}

impl Writer<Vec<u8>> {
    /// An attribute, by its token.
    fn attribute(&mut self, start: &AttrStart, value: &str, page: &mut u8) {
        self.attr_page(start.page, page);
        self.out.octet(start.token);
        let rest = value.strip_prefix(start.prefix).unwrap_or(value);
        if self.language.dates.contains(&start.name)
            && let Some(date) = super::date::to_octets(rest)
        {
            return self.opaque(&date);
        }
        let values = self.language.attr_values;
        if !self.language.partial {
            match values.iter().find(|known| known.text == rest) {
                Some(known) => {
                    self.attr_page(known.page, page);
                    self.out.octet(known.token);
                }
                None if start.prefix.is_empty() => self.text(rest.as_bytes()),
                None => {}
            }
            return;
        }
        if value.is_empty() {
            self.text(b"");
        }
        let mut rest = rest;
        while !rest.is_empty() {
            let found = values
                .iter()
                .filter_map(|known| rest.find(known.text).map(|at| (at, known)))
                .min_by_key(|(at, _)| *at);
            let Some((at, known)) = found else {
                return self.text(rest.as_bytes());
            };
            if at > 0 {
                self.text(&rest.as_bytes()[..at]);
            }
            self.attr_page(known.page, page);
            self.out.octet(known.token);
            rest = &rest[at + known.text.len()..];
        }
    }

    fn attr_page(&mut self, wanted: u8, page: &mut u8) {
        if *page != wanted {
            self.out.octet(0x00);
            self.out.octet(wanted);
            *page = wanted;
        }
    }
}

/// Writes an `mb_u_int32`.
pub(crate) fn integer(out: &mut impl Output, value: u32) {
    let mut shift = 28;
    while shift > 0 {
        if value >> shift != 0 {
            out.octet((value >> shift) as u8 & 0x7F | 0x80);
        }
        shift -= 7;
    }
    out.octet(value as u8 & 0x7F);
}

/// Events that are no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// An end without a start, or content outside of the root element.
    #[error("an event outside of the root element")]
    Outside,
    /// A start without an end.
    #[error("an element is not closed")]
    Open,
    /// An element of another document type.
    #[error("an element of another document type")]
    Foreign(Tag),
}

/// Writes a document: UTF-8, numeric public identifier; names and attributes that no table has go to the string table.
///
/// `version` is the version octet, 0x01 to 0x03.
pub fn encode<'a>(
    language: &'static Language,
    version: u8,
    public_id: u32,
    events: impl IntoIterator<Item = Event<'a>>,
) -> Result<Vec<u8>, EncodeError> {
    let mut table = Vec::new();
    let mut intern = |name: &str| {
        let index = table.len() as u32;
        table.extend_from_slice(name.as_bytes());
        table.push(0);
        index
    };
    let mut writer = Writer::resume(Vec::new(), language, language.space(0));
    let mut attr_page = 0;
    let mut depth = 0_usize;
    let mut started = false;
    let mut events = events.into_iter().peekable();
    while let Some(event) = events.next() {
        if depth == 0 && (started || !matches!(event, Event::Start { .. })) {
            return Err(EncodeError::Outside);
        }
        started = true;
        match event {
            Event::Start { name, attrs } => {
                let empty = matches!(events.peek(), Some(Event::End));
                let flags = if empty { 0 } else { 0x40 } | if attrs.is_empty() { 0 } else { 0x80 };
                match name {
                    Name::Tag(tag) if !language.pages.contains(&tag.space()) => {
                        return Err(EncodeError::Foreign(tag));
                    }
                    Name::Tag(tag) => writer.start_with(tag, flags),
                    Name::Text(name) => {
                        writer.out.octet(0x04 | flags);
                        integer(&mut writer.out, intern(&name));
                    }
                }
                for attr in &attrs {
                    match attr_start(language, attr) {
                        Some(start) => writer.attribute(start, &attr.value, &mut attr_page),
                        None => {
                            writer.out.octet(0x04);
                            integer(&mut writer.out, intern(&attr.name));
                            writer.text(attr.value.as_bytes());
                        }
                    }
                }
                if !attrs.is_empty() {
                    writer.end();
                }
                if empty {
                    events.next();
                } else {
                    depth += 1;
                }
            }
            Event::Text(text) => writer.text(text.as_bytes()),
            Event::Opaque(bytes) => writer.opaque(&bytes),
            Event::End => {
                depth -= 1;
                writer.end();
            }
        }
    }
    if depth > 0 {
        return Err(EncodeError::Open);
    }
    let body = writer.finish();
    let mut whole = Writer::with_table(
        Vec::with_capacity(body.len() + table.len() + 16),
        language,
        version,
        public_id,
        &table,
    );
    whole.out().extend_from_slice(&body);
    Ok(whole.finish())
}
