//! The parts of a message (RFC 2045, RFC 2046): where each one is, and how to decode it.
//!
//! One pass over the lines that could be boundaries; parts are slices of the message, and only what is wanted of them is decoded. So a large
//! attachment costs nothing but a look at its lines. What is broken is read as far as it goes: a part whose end is missing ends with the
//! message.

use std::borrow::Cow;

use mail_parser::{ContentType, HeaderName, HeaderValue, Message, MessageParser, MimeHeaders as _};
use memchr::memmem;

use super::head::{self, clean};
use crate::content::charset::{self, Charset};

/// Multiparts within each other.
const MAX_DEPTH: usize = 10;
/// Parts of one message that are told apart.
const MAX_PARTS: usize = 300;
/// Octets of a part's header that are looked at.
const MAX_PART_HEADER: usize = 16 << 10;
/// Characters of a name.
pub(super) const MAX_NAME: usize = 120;

/// How a part's octets are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Coding {
    /// As they are.
    #[default]
    Plain,
    /// Base64.
    Base64,
    /// Quoted-printable.
    Quoted,
}

/// A part that has no parts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Part<'a> {
    /// In lower case, `text/plain` if it says none.
    pub media: String,
    /// Of its text.
    pub charset: Option<String>,
    /// Of its octets.
    pub coding: Coding,
    /// Its file name, without folders and control characters.
    pub name: Option<String>,
    /// It says that it is an attachment.
    pub attached: bool,
    /// Its lines flow (RFC 3676).
    pub flowed: bool,
    /// Its octets as they stand there.
    pub body: &'a [u8],
}

/// A part, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node<'a> {
    /// A part.
    Leaf(Part<'a>),
    /// A multipart of that subtype, in lower case.
    Multi(String, Vec<Self>),
}

impl<'a> Node<'a> {
    /// The part with which the message ends; an empty text if it has none.
    pub(super) fn last(&self) -> Part<'a> {
        let mut node = self;
        loop {
            match node {
                Self::Leaf(part) => return part.clone(),
                Self::Multi(_, children) => match children.last() {
                    Some(last) => node = last,
                    None => {
                        return Part {
                            media: "text/plain".to_owned(),
                            ..Part::default()
                        };
                    }
                },
            }
        }
    }
}

impl Part<'_> {
    /// It is text that is read, not kept.
    pub(super) fn is_text(&self) -> bool {
        matches!(self.media.as_str(), "text/plain" | "text/html") && !self.attached
    }

    /// About how many octets it decodes to.
    pub(super) fn size(&self) -> u64 {
        let coded = self.body.len() as u64;
        match self.coding {
            Coding::Base64 => coded / 78 * 57 + (coded % 78) * 3 / 4,
            Coding::Plain | Coding::Quoted => coded,
        }
    }

    /// Its octets, decoded, of at most so many coded ones.
    pub(super) fn octets(&self, most: usize) -> Cow<'_, [u8]> {
        let coded = &self.body[..self.body.len().min(most)];
        match self.coding {
            Coding::Plain => Cow::Borrowed(coded),
            Coding::Base64 => Cow::Owned(charset::unbase64(coded).unwrap_or_default()),
            Coding::Quoted => Cow::Owned(unquoted(coded)),
        }
    }

    /// Its text, of at most so many coded octets; line breaks are `\n`, and there is no NUL.
    pub(super) fn text(&self, most: usize) -> String {
        let octets = self.octets(most);
        let charset = self.charset.as_deref().and_then(Charset::for_label);
        let text = charset::decode(&octets, charset);
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let mut out = String::with_capacity(text.len());
        let mut characters = text.chars().peekable();
        while let Some(c) = characters.next() {
            match c {
                '\r' => {
                    if characters.peek() != Some(&'\n') {
                        out.push('\n');
                    }
                }
                '\n' | '\t' => out.push(c),
                c if c.is_control() => {}
                c => out.push(c),
            }
        }
        out
    }
}

/// Decodes quoted-printable; what is none stays as it is.
fn unquoted(coded: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut out = Vec::with_capacity(coded.len());
    let mut at = 0;
    while let Some(&byte) = coded.get(at) {
        at += 1;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        let rest = &coded[at..];
        if let [high, low, ..] = rest
            && let (Some(high), Some(low)) = (digit(*high), digit(*low))
        {
            out.push(high << 4 | low);
            at += 2;
            continue;
        }
        // A soft break, perhaps with blanks before it.
        let blanks = rest
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count();
        match &rest[blanks..] {
            [b'\r', b'\n', ..] => at += blanks + 2,
            [b'\n' | b'\r', ..] => at += blanks + 1,
            [] => at += blanks,
            _ => out.push(b'='),
        }
    }
    out
}

/// What a header says of its part.
struct Said {
    part: (String, Option<String>, Coding, Option<String>, bool, bool),
    boundary: Option<Vec<u8>>,
    subtype: String,
}

fn said(header: &[u8], digest: bool) -> Said {
    let parsed = MessageParser::default().parse_headers(header);
    let empty = Message::default();
    let has_parts = |message: &Message<'_>| !message.parts.is_empty();
    let parsed = parsed.filter(has_parts).unwrap_or_else(|| {
        // A part without a header.
        let mut empty = empty;
        empty.parts.push(mail_parser::MessagePart::default());
        empty
    });
    let content_type = parsed.content_type();
    let lower = |text: &str| text.trim().to_ascii_lowercase();
    let media = match content_type {
        Some(ContentType {
            c_type,
            c_subtype: Some(subtype),
            ..
        }) => {
            let media = format!("{}/{}", lower(c_type), lower(subtype));
            let plain = media.len() <= 100
                && media
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"/-.+_".contains(&byte));
            if plain {
                media
            } else {
                "application/octet-stream".to_owned()
            }
        }
        Some(of) if lower(&of.c_type) == "text" => "text/plain".to_owned(),
        Some(_) => "application/octet-stream".to_owned(),
        None if digest => "message/rfc822".to_owned(),
        None => "text/plain".to_owned(),
    };
    let attribute = |name: &str| content_type.and_then(|of| of.attribute(name));
    let coding = match parsed
        .header(HeaderName::ContentTransferEncoding)
        .and_then(HeaderValue::as_text)
    {
        Some(text) if lower(text) == "base64" => Coding::Base64,
        Some(text) if lower(text) == "quoted-printable" => Coding::Quoted,
        _ => Coding::Plain,
    };
    let disposition = parsed.content_disposition();
    let name = disposition
        .and_then(|of| of.attribute("filename"))
        .or_else(|| attribute("name"))
        .map(file_name)
        .filter(|name| !name.is_empty());
    let subtype = media
        .strip_prefix("multipart/")
        .unwrap_or_default()
        .to_owned();
    let boundary = attribute("boundary")
        .map(|boundary| boundary.trim_end().as_bytes().to_vec())
        .filter(|boundary| !boundary.is_empty() && boundary.len() <= 200 && !subtype.is_empty());
    Said {
        part: (
            media,
            attribute("charset").map(|charset| charset.chars().take(40).collect()),
            coding,
            name,
            disposition.is_some_and(|of| lower(&of.c_type) == "attachment"),
            attribute("format").is_some_and(|format| lower(format) == "flowed"),
        ),
        boundary,
        subtype,
    }
}

/// A name of a file alone: no folders, nothing that is not shown.
fn file_name(name: &str) -> String {
    // What a bomb of a name is does not need to be looked at further.
    let name: String = name
        .chars()
        .rev()
        .take(2_000)
        .collect::<Vec<_>>()
        .into_iter()
        .rev()
        .collect();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = clean(name);
    let name = name.trim_matches(['.', ' ']);
    let length = name.chars().count();
    // The end tells what it is.
    name.chars().skip(length.saturating_sub(MAX_NAME)).collect()
}

/// A multipart whose end was not seen yet.
struct Open<'a> {
    boundary: Vec<u8>,
    subtype: String,
    children: Vec<Node<'a>>,
}

/// Finds the parts of a message.
pub(super) fn parts(message: &[u8]) -> Node<'_> {
    let mut reader = Reader {
        message,
        open: Vec::new(),
        leaf: None,
        parts: 0,
        done: None,
    };
    reader.entity(0);
    let mut at = 0;
    let finder = memmem::Finder::new(b"\n--");
    while reader.done.is_none() && !reader.open.is_empty() {
        let Some(found) = finder.find(&message[at..]) else {
            break;
        };
        let line = at + found + 1;
        at = line + 1;
        let end = memchr::memchr(b'\n', &message[line..]).map_or(message.len(), |end| line + end);
        let Some((level, closes)) = reader.level(message[line + 2..end].trim_ascii_end()) else {
            continue;
        };
        reader.close_leaf(line);
        reader.close_above(level + usize::from(!closes));
        if !closes && !reader.open.is_empty() {
            reader.entity((end + 1).min(message.len()));
            at = end.max(at);
        }
    }
    reader.close_leaf(message.len() + 1);
    reader.close_above(0);
    reader.done.unwrap_or_else(|| Node::Leaf(Part::default()))
}

struct Reader<'a> {
    message: &'a [u8],
    open: Vec<Open<'a>>,
    leaf: Option<(Part<'a>, usize)>,
    parts: usize,
    done: Option<Node<'a>>,
}

impl<'a> Reader<'a> {
    /// Begins the part whose header stands there.
    fn entity(&mut self, begin: usize) {
        self.parts += 1;
        if self.parts > MAX_PARTS {
            return;
        }
        let rest = &self.message[begin..];
        let nested = !self.open.is_empty();
        let empty = [&b"\r\n"[..], b"\n"]
            .into_iter()
            .find(|end| rest.starts_with(end));
        let (mut header, body) = match empty {
            Some(end) => (&rest[..0], begin + end.len()),
            None => {
                let end = |needle: &[u8]| memmem::find(rest, needle).map(|at| at + needle.len());
                let end = match (end(b"\n\r\n"), end(b"\n\n")) {
                    (Some(a), Some(b)) => a.min(b),
                    (a, b) => a.or(b).unwrap_or(rest.len()),
                };
                let most = if nested {
                    MAX_PART_HEADER
                } else {
                    head::MAX_HEADER
                };
                (&rest[..end.min(most)], begin + end)
            }
        };
        let mut body = body;
        // A part that has no body, and not even the line before it.
        if nested && let Some(at) = memmem::find(header, b"\n--") {
            header = &header[..at + 1];
            body = begin + at + 1;
        }
        let digest = self
            .open
            .last()
            .is_some_and(|open| open.subtype == "digest");
        let said = said(header, digest);
        if let Some(boundary) = said.boundary.filter(|_| self.open.len() < MAX_DEPTH) {
            self.open.push(Open {
                boundary,
                subtype: said.subtype,
                children: Vec::new(),
            });
            return;
        }
        let (mut media, charset, coding, name, attached, flowed) = said.part;
        if media.starts_with("multipart/") {
            // Too deep, or without a boundary.
            media = if nested {
                "application/octet-stream"
            } else {
                "text/plain"
            }
            .to_owned();
        }
        let part = Part {
            media,
            charset,
            coding,
            name,
            attached,
            flowed,
            body: &[],
        };
        self.leaf = Some((part, body));
    }

    /// Which open multipart a line belongs to, and whether it closes that.
    fn level(&self, line: &[u8]) -> Option<(usize, bool)> {
        let matching = |open: &Open<'_>| -> Option<bool> {
            match line.strip_prefix(open.boundary.as_slice())? {
                b"" => Some(false),
                b"--" => Some(true),
                _ => None,
            }
        };
        let levels = self.open.iter().enumerate().rev();
        levels
            .filter_map(|(level, open)| Some((level, matching(open)?)))
            .next()
    }

    /// The part that is being read ends before the line that begins there.
    fn close_leaf(&mut self, line: usize) {
        let Some((mut part, begin)) = self.leaf.take() else {
            return;
        };
        // The line break before a boundary belongs to that.
        let mut end = line
            .saturating_sub(1)
            .min(self.message.len())
            .max(begin.min(self.message.len()));
        if line <= self.message.len() && end > begin && self.message[end - 1] == b'\r' {
            end -= 1;
        }
        part.body = self.message.get(begin..end).unwrap_or_default();
        self.add(Node::Leaf(part));
    }

    fn add(&mut self, node: Node<'a>) {
        match self.open.last_mut() {
            Some(open) => open.children.push(node),
            None => self.done = Some(node),
        }
    }

    /// Closes the multiparts from that level on.
    fn close_above(&mut self, level: usize) {
        while self.open.len() > level {
            if let Some(open) = self.open.pop() {
                self.add(Node::Multi(open.subtype, open.children));
            }
        }
    }
}
