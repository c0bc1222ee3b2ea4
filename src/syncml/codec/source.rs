//! What the mapping needs of a carrier to read a message.

use std::borrow::Cow;

use crate::wbxml::tables::{devinf, metinf, syncml};
use crate::wbxml::{DecodeError, DecodeErrorKind, Decoder, Limits, Tag, Token as WbxmlToken};
use crate::xml::{Reader, Text, Token as XmlToken};

/// What stands in Data.
pub(super) enum Content<'a> {
    /// Octets, and Data has ended.
    Bytes(Cow<'a, [u8]>),
    /// A MetInf or DevInf element has begun.
    Element(Tag),
}

/// Pulls a document apart. Every method works inside of the innermost open element.
pub(super) trait Source<'a> {
    /// The root element.
    fn root(&mut self) -> Result<Tag, DecodeError>;
    /// The next child element; `None` if the open element has ended instead. Text is skipped.
    fn child(&mut self) -> Result<Option<Tag>, DecodeError>;
    /// The text of the open element, which ends. Children are skipped.
    fn text(&mut self) -> Result<Cow<'a, str>, DecodeError>;
    /// The octets of the open element, which ends; or a MetInf or DevInf child.
    fn content(&mut self) -> Result<Content<'a>, DecodeError>;
    /// Leaves the open element.
    fn leave_element(&mut self) -> Result<(), DecodeError>;
    /// Name of the element that began last, if its tag says none.
    fn name(&self) -> Cow<'a, str>;
    /// What the document may still hold.
    fn limits(&self) -> Limits;
    /// Elements so far.
    fn elements(&self) -> u32;
    /// Counts elements of a document within this one.
    fn spend(&mut self, elements: u32);
    /// An error at this place.
    fn error(&self, kind: DecodeErrorKind) -> DecodeError;
}

/// The child is not part of Data as text.
const fn structured(tag: Tag) -> bool {
    matches!(tag.space(), metinf::SPACE | devinf::SPACE) && tag.name().is_some()
}

fn append<'a>(text: &mut Cow<'a, str>, more: Cow<'a, str>) {
    if text.is_empty() {
        *text = more;
    } else {
        text.to_mut().push_str(&more);
    }
}

fn append_bytes<'a>(bytes: &mut Cow<'a, [u8]>, more: Cow<'a, [u8]>) {
    if bytes.is_empty() {
        *bytes = more;
    } else {
        bytes.to_mut().extend_from_slice(&more);
    }
}

fn into_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

impl<'a> Source<'a> for Decoder<'a> {
    fn root(&mut self) -> Result<Tag, DecodeError> {
        match self.token()? {
            WbxmlToken::Start(tag) => Ok(tag),
            _ => Err(self.error(DecodeErrorKind::Root)),
        }
    }

    #[inline]
    fn child(&mut self) -> Result<Option<Tag>, DecodeError> {
        loop {
            match self.token()? {
                WbxmlToken::Start(tag) => return Ok(Some(tag)),
                WbxmlToken::End | WbxmlToken::Done => return Ok(None),
                WbxmlToken::Str(_) | WbxmlToken::Opaque(_) | WbxmlToken::Entity(_) => {}
            }
        }
    }

    #[inline]
    fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        if let Some(string) = self.only_string() {
            return Ok(self.charset().decode(string));
        }
        let mut text = Cow::Borrowed("");
        loop {
            match self.token()? {
                WbxmlToken::Str(bytes) | WbxmlToken::Opaque(bytes) => {
                    append(&mut text, self.charset().decode(bytes))
                }
                WbxmlToken::Entity(character) => text.to_mut().push(character),
                WbxmlToken::Start(_) => self.leave_element()?,
                WbxmlToken::End | WbxmlToken::Done => return Ok(text),
            }
        }
    }

    fn content(&mut self) -> Result<Content<'a>, DecodeError> {
        let mut bytes = Cow::Borrowed([].as_slice());
        loop {
            match self.token()? {
                WbxmlToken::Str(more) => {
                    append_bytes(&mut bytes, into_bytes(self.charset().decode(more)))
                }
                WbxmlToken::Opaque(more) => append_bytes(&mut bytes, Cow::Borrowed(more)),
                WbxmlToken::Entity(character) => {
                    bytes
                        .to_mut()
                        .extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                // DevInf with its own codes, but without a document around it: DevInf has the code of Cmd.
                WbxmlToken::Start(syncml::CMD) => {
                    self.inline_devinf();
                    return Ok(Content::Element(devinf::DEVINF));
                }
                WbxmlToken::Start(tag) if structured(tag) => return Ok(Content::Element(tag)),
                WbxmlToken::Start(_) => self.leave_element()?,
                WbxmlToken::End | WbxmlToken::Done => return Ok(Content::Bytes(bytes)),
            }
        }
    }

    fn leave_element(&mut self) -> Result<(), DecodeError> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.token()? {
                WbxmlToken::Start(_) => depth += 1,
                WbxmlToken::End => depth -= 1,
                WbxmlToken::Done => break,
                WbxmlToken::Str(_) | WbxmlToken::Opaque(_) | WbxmlToken::Entity(_) => {}
            }
        }
        Ok(())
    }

    fn name(&self) -> Cow<'a, str> {
        self.charset().decode(self.literal())
    }

    fn limits(&self) -> Limits {
        self.remaining()
    }

    fn elements(&self) -> u32 {
        self.seen_elements()
    }

    fn spend(&mut self, elements: u32) {
        self.add(elements);
    }

    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            offset: self.offset() as u32,
            kind,
        }
    }
}

/// White space that only lays out the XML: it breaks a line.
fn is_layout(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_whitespace()) && text.contains(['\n', '\r'])
}

/// Without the layout before the text.
fn trim_start(text: &str) -> &str {
    let trimmed = text.trim_ascii_start();
    if is_layout(&text[..text.len() - trimmed.len()]) {
        trimmed
    } else {
        text
    }
}

/// Without the layout after the text.
fn trim_end(text: &str) -> &str {
    let trimmed = text.trim_ascii_end();
    if is_layout(&text[trimmed.len()..]) {
        trimmed
    } else {
        text
    }
}

impl<'a> Source<'a> for Reader<'a> {
    fn root(&mut self) -> Result<Tag, DecodeError> {
        match self.token()? {
            XmlToken::Start(tag) => Ok(tag),
            _ => Err(self.error(DecodeErrorKind::Root)),
        }
    }

    fn child(&mut self) -> Result<Option<Tag>, DecodeError> {
        loop {
            match self.token()? {
                XmlToken::Start(tag) => return Ok(Some(tag)),
                XmlToken::End | XmlToken::Done => return Ok(None),
                XmlToken::Text(..) => {}
            }
        }
    }

    fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let mut text = Cow::Borrowed("");
        // Where the last piece begins, if it stands between tags as it is.
        let mut literal = None;
        loop {
            match self.token()? {
                XmlToken::Text(Cow::Borrowed(piece), Text::Literal) if text.is_empty() => {
                    literal = Some(0);
                    text = Cow::Borrowed(trim_start(piece));
                }
                XmlToken::Text(piece, kind) => {
                    literal = (kind == Text::Literal).then_some(text.len());
                    append(&mut text, piece);
                }
                XmlToken::Start(_) => self.leave_element()?,
                XmlToken::End | XmlToken::Done => break,
            }
        }
        let Some(from) = literal else { return Ok(text) };
        match &mut text {
            Cow::Borrowed(text) => *text = &text[..from + trim_end(&text[from..]).len()],
            Cow::Owned(text) => text.truncate(from + trim_end(&text[from..]).len()),
        }
        Ok(text)
    }

    fn content(&mut self) -> Result<Content<'a>, DecodeError> {
        let mut bytes = Cow::Borrowed([].as_slice());
        let mut section = false;
        // Where foreign elements begin, which are data as they stand.
        let mut elements = None;
        loop {
            match self.token()? {
                XmlToken::Text(..) if elements.is_some() => {}
                XmlToken::Text(text, kind) => {
                    if kind == Text::Section {
                        section = true;
                        if std::str::from_utf8(&bytes).is_ok_and(is_layout) {
                            bytes = Cow::Borrowed(&[]);
                        }
                    } else if section && kind == Text::Literal && is_layout(&text) {
                        continue;
                    }
                    append_bytes(&mut bytes, into_bytes(text));
                }
                XmlToken::Start(tag) if structured(tag) && elements.is_none() => {
                    return Ok(Content::Element(tag));
                }
                XmlToken::Start(_) => {
                    if std::str::from_utf8(&bytes).is_ok_and(|text| text.trim().is_empty()) {
                        elements.get_or_insert(self.at());
                    }
                    self.leave_element()?;
                }
                XmlToken::End | XmlToken::Done => {
                    if let Some(from) = elements {
                        bytes =
                            Cow::Borrowed(self.raw(from, self.at()).trim_ascii_end().as_bytes());
                    }
                    return Ok(Content::Bytes(bytes));
                }
            }
        }
    }

    fn leave_element(&mut self) -> Result<(), DecodeError> {
        let mut depth = 1_u32;
        while depth > 0 {
            match self.token()? {
                XmlToken::Start(_) => depth += 1,
                XmlToken::End => depth -= 1,
                XmlToken::Done => break,
                XmlToken::Text(..) => {}
            }
        }
        Ok(())
    }

    fn name(&self) -> Cow<'a, str> {
        Cow::Owned(self.local_name().to_owned())
    }

    fn limits(&self) -> Limits {
        self.remaining()
    }

    fn elements(&self) -> u32 {
        self.seen_elements()
    }

    fn spend(&mut self, elements: u32) {
        self.add(elements);
    }

    fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError {
            offset: self.at() as u32,
            kind,
        }
    }
}
