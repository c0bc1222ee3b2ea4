//! The XML of mail and folder objects and of SIF items, as devices write it: elements, texts and CDATA, the octets of a message untouched.
//!
//! No XML parser will do. A message has octets of any charset in it. A CDATA section goes round the whole object, and the inner one then ends
//! in `]]&gt;` (Funambol's clients) or `]]]]>&gt;<![CDATA[` (Series 60). Names are compared without case; what is unknown is skipped.

use memchr::{memchr, memmem};

/// Deepest element.
const MAX_DEPTH: usize = 8;
/// Elements of one object.
const MAX_ELEMENTS: usize = 2_000;

/// An element. Text that stands between children is dropped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Element {
    /// In lower case, without a prefix.
    pub name: String,
    /// The value of the attribute `enc`, in lower case.
    pub enc: Option<String>,
    /// The value of the attribute `type`, in lower case.
    pub kind: Option<String>,
    /// Its text; CDATA and entities are resolved.
    pub text: Vec<u8>,
    /// Its text stands in a section, and blanks around that are none of it.
    pub verbatim: bool,
    /// In the order in which they came.
    pub children: Vec<Self>,
}

/// Why there is no element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is no markup at all.
    NotMarkup,
    /// It ends before its end.
    Truncated,
    /// It is too deep, or too much of it.
    TooMuch,
}

impl Element {
    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, trimmed.
    pub(super) fn text_of(&self, name: &str) -> Option<String> {
        self.child(name).map(Self::text)
    }

    /// Its text, trimmed.
    pub(super) fn text(&self) -> String {
        let text = String::from_utf8_lossy(&self.text);
        text.trim().to_owned()
    }
}

/// The name of the root element, in lower case; none if it is no markup.
pub(super) fn root(body: &[u8]) -> Option<String> {
    let body = body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii_start();
    let mut body = body.strip_prefix(CDATA).unwrap_or(body).trim_ascii_start();
    while body.starts_with(b"<?") || body.starts_with(b"<!") {
        body = &body[memchr(b'>', body)? + 1..];
        body = body.trim_ascii_start();
    }
    let name = body.strip_prefix(b"<")?;
    let end = name.iter().position(|byte| !is_name(*byte))?;
    (end > 0).then(|| local(&name[..end]))
}

const CDATA: &[u8] = b"<![CDATA[";
/// The end of an inner CDATA section within an outer one.
const ESCAPED_END: &[u8] = b"]]&gt;";

/// Reads one object.
pub(super) fn read(body: &[u8]) -> Result<Element, Broken> {
    let body = body
        .strip_prefix(b"\xEF\xBB\xBF")
        .unwrap_or(body)
        .trim_ascii();
    let unwrapped;
    let body = if body.starts_with(CDATA) {
        unwrapped = unwrap(body);
        unwrapped.as_slice()
    } else {
        body
    };
    let mut reader = Reader {
        rest: body,
        elements: 0,
    };
    reader.prologue()?;
    reader.element(0)
}

/// What is in the CDATA section round a whole object.
fn unwrap(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix(CDATA) {
            // The first `]]>` ends it: an inner section's end is escaped.
            let end = memmem::find(inner, b"]]>");
            out.extend_from_slice(&inner[..end.unwrap_or(inner.len())]);
            rest = end.map_or(&[][..], |end| &inner[end + 3..]);
        } else {
            let end = memmem::find(rest, CDATA).unwrap_or(rest.len());
            unescape(&rest[..end], &mut out);
            rest = &rest[end..];
        }
    }
    out
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':')
}

/// A name without its prefix, in lower case.
fn local(name: &[u8]) -> String {
    let name = name.rsplit(|byte| *byte == b':').next().unwrap_or(name);
    String::from_utf8_lossy(name).to_ascii_lowercase()
}

struct Reader<'a> {
    rest: &'a [u8],
    elements: usize,
}

impl<'a> Reader<'a> {
    /// Declaration, document type and comments.
    fn prologue(&mut self) -> Result<(), Broken> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            if !self.skip_aside()? {
                return Ok(());
            }
        }
    }

    /// A comment, a declaration or an instruction.
    fn skip_aside(&mut self) -> Result<bool, Broken> {
        let (begin, end): (&[u8], &[u8]) = match self.rest {
            [b'<', b'!', b'-', b'-', ..] => (b"<!--", b"-->"),
            [b'<', b'?', ..] => (b"<?", b"?>"),
            [b'<', b'!', next, ..] if *next != b'[' => (b"<!", b">"),
            _ => return Ok(false),
        };
        let rest = &self.rest[begin.len()..];
        let at = memmem::find(rest, end).ok_or(Broken::Truncated)?;
        self.rest = &rest[at + end.len()..];
        Ok(true)
    }

    /// An element; the reader stands at its `<`. The depth is limited.
    fn element(&mut self, depth: usize) -> Result<Element, Broken> {
        self.elements += 1;
        if depth > MAX_DEPTH || self.elements > MAX_ELEMENTS {
            return Err(Broken::TooMuch);
        }
        let tag = self.rest.strip_prefix(b"<").ok_or(Broken::NotMarkup)?;
        let length = tag.iter().position(|byte| !is_name(*byte));
        let length = length.ok_or(Broken::Truncated)?;
        if length == 0 {
            return Err(Broken::NotMarkup);
        }
        let mut element = Element {
            name: local(&tag[..length]),
            ..Element::default()
        };
        let close = memchr(b'>', tag).ok_or(Broken::Truncated)?;
        let attributes = &tag[length..close];
        let empty = attributes.ends_with(b"/");
        element.enc = attribute(attributes, "enc");
        element.kind = attribute(attributes, "type");
        self.rest = &tag[close + 1..];
        if empty {
            return Ok(element);
        }
        let raw_name = &tag[..length];
        loop {
            let next = memchr(b'<', self.rest).ok_or(Broken::Truncated)?;
            let words = &self.rest[..next];
            if !element.verbatim || !words.trim_ascii().is_empty() {
                unescape(words, &mut element.text);
            }
            self.rest = &self.rest[next..];
            if let Some(inner) = self.rest.strip_prefix(CDATA) {
                if !element.verbatim && element.text.trim_ascii().is_empty() {
                    element.text.clear();
                }
                element.verbatim = true;
                self.section(inner, raw_name, &mut element.text)?;
            } else if let Some(end) = self.rest.strip_prefix(b"</") {
                let close = memchr(b'>', end).ok_or(Broken::Truncated)?;
                self.rest = &end[close + 1..];
                return Ok(element);
            } else if !self.skip_aside()? {
                let is_tag = self
                    .rest
                    .get(1)
                    .is_some_and(|byte| byte.is_ascii_alphabetic());
                if element.name == "emailitem" || !is_tag {
                    // A message that was not escaped.
                    element.text.push(b'<');
                    self.rest = &self.rest[1..];
                } else {
                    let child = self.element(depth + 1)?;
                    element.children.push(child);
                }
            }
        }
    }

    /// A CDATA section, of which `inner` is what follows its begin. It ends at `]]>`; in an object that had a section round it,
    /// at the last `]]&gt;` before the element's end.
    fn section(&mut self, inner: &'a [u8], name: &[u8], text: &mut Vec<u8>) -> Result<(), Broken> {
        if let Some(end) = memmem::find(inner, b"]]>") {
            text.extend_from_slice(&inner[..end]);
            self.rest = &inner[end + 3..];
            return Ok(());
        }
        let closing = [b"</", name].concat();
        let close = memmem::rfind(inner, &closing).ok_or(Broken::Truncated)?;
        let end = memmem::rfind(&inner[..close], ESCAPED_END).ok_or(Broken::Truncated)?;
        text.extend_from_slice(&inner[..end]);
        self.rest = &inner[end + ESCAPED_END.len()..];
        Ok(())
    }
}

/// The value of an attribute, in lower case.
fn attribute(attributes: &[u8], name: &str) -> Option<String> {
    if attributes.is_empty() {
        return None;
    }
    let text = String::from_utf8_lossy(attributes).to_ascii_lowercase();
    let (_, value) = text.split_once(name)?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
    let value = match quote {
        Some(quote) => value[1..].split(quote).next(),
        None => value.split([' ', '/']).next(),
    };
    value.map(|value| value.trim().to_owned())
}

/// Appends a text with its entities resolved; what is no entity stays.
fn unescape(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = memchr(b'&', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let end = memchr(b';', &rest[..rest.len().min(12)]);
        let character = end.and_then(|end| entity(&rest[1..end]));
        match (character, end) {
            (Some(character), Some(end)) => {
                let mut octets = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut octets).as_bytes());
                rest = &rest[end + 1..];
            }
            _ => {
                out.push(b'&');
                rest = &rest[1..];
            }
        }
    }
    out.extend_from_slice(rest);
}

fn entity(name: &[u8]) -> Option<char> {
    Some(match name {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
        }
        [b'#', digits @ ..] => {
            let digits = std::str::from_utf8(digits).ok()?;
            char::from_u32(digits.parse().ok()?)?
        }
        _ => return None,
    })
}

/// Appends `<name>text</name>`, escaped; characters that XML does not have are left out.
pub(super) fn write_text(out: &mut Vec<u8>, name: &str, text: &str) {
    out.extend_from_slice(format!("<{name}>").as_bytes());
    for character in text.chars() {
        match character {
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '&' => out.extend_from_slice(b"&amp;"),
            '\t' | '\n' | '\r' => out.push(character as u8),
            '\0'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {}
            _ => {
                let mut octets = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut octets).as_bytes());
            }
        }
    }
    out.extend_from_slice(format!("</{name}>").as_bytes());
}

/// Appends a CDATA section; an end within the text is parted among two sections.
pub(super) fn write_section(out: &mut Vec<u8>, text: &[u8]) {
    out.extend_from_slice(CDATA);
    let mut rest = text;
    while let Some(at) = memmem::find(rest, b"]]>") {
        out.extend_from_slice(&rest[..at + 2]);
        out.extend_from_slice(b"]]>");
        out.extend_from_slice(CDATA);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out.extend_from_slice(b"]]>");
}
