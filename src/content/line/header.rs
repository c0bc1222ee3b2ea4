//! What stands before the colon of a content line: group, name, parameters.

use std::cell::RefCell;
use std::hash::Hasher as _;

use memchr::memchr;
use rustc_hash::FxHasher;

use super::super::charset::{self, Charset};
use super::super::{Param, Params, Property, Text, Value};
use super::reader::Reader;
use super::{Form, MAX_PARAM_VALUES, MAX_PARAMS, MAX_WARNINGS};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    QuotedPrintable,
    Base64,
}

#[derive(Clone)]
pub(super) struct Header {
    pub(super) property: Property,
    pub(super) encoding: Encoding,
    pub(super) charset: Option<Charset>,
    /// Where the value begins in the line.
    pub(super) value: usize,
}

/// Longest head that is remembered, in octets.
const LONGEST_SEEN: usize = 96;
/// How many heads are remembered.
const SEEN_SLOTS: usize = 128;

/// A head that was read lately, and what it was read as.
struct Seen {
    head: Box<[u8]>,
    form: Form,
    /// How many values of parameters it has.
    values: usize,
    header: Header,
}

thread_local! {
    /// The items of a device begin their lines alike: most heads are read once and then known. Only those without quotes and without
    /// anything odd: what they are read as depends on nothing else, and they end with the first colon.
    static SEEN: RefCell<[Option<Seen>; SEEN_SLOTS]> = const { RefCell::new([const { None }; SEEN_SLOTS]) };
}

/// Where a head is remembered.
fn slot(head: &[u8], form: Form) -> usize {
    let mut hash = FxHasher::default();
    hash.write(head);
    hash.write_u8(form as u8);
    usize::try_from(hash.finish() % SEEN_SLOTS as u64).unwrap_or(0)
}

impl Reader<'_> {
    /// Reads what stands before the colon; none if the line has no such form.
    pub(super) fn header(&mut self, line: &[u8]) -> Option<Header> {
        let head = &line[..memchr(b':', line)?];
        if head.len() > LONGEST_SEEN || memchr(b'"', head).is_some() {
            return self.unseen(line);
        }
        SEEN.with_borrow_mut(|seen| {
            let slot = &mut seen[slot(head, self.form)];
            if let Some(known) = slot
                && known.form == self.form
                && *known.head == *head
                && self.values + known.values <= MAX_PARAM_VALUES
            {
                self.values += known.values;
                return Some(known.header.clone());
            }
            let before = (self.values, self.warned());
            let header = self.unseen(line)?;
            // Nothing was left out of it, which would be told as long as there is room for it.
            let is_whole = self.warned() == before.1
                && before.1 < MAX_WARNINGS
                && self.values <= MAX_PARAM_VALUES;
            if is_whole {
                *slot = Some(Seen {
                    head: head.into(),
                    form: self.form,
                    values: self.values - before.0,
                    header: header.clone(),
                });
            }
            Some(header)
        })
    }

    /// Reads a head that was not read lately.
    fn unseen(&mut self, line: &[u8]) -> Option<Header> {
        let stop = line.iter().position(|byte| !is_name(*byte))?;
        let (group, name, mut at) = if line[stop] == b'.' && stop > 0 {
            let length = line[stop + 1..].iter().position(|byte| !is_name(*byte))?;
            (
                Some(ascii(&line[..stop])),
                &line[stop + 1..stop + 1 + length],
                stop + 1 + length,
            )
        } else {
            (None, &line[..stop], stop)
        };
        if name.is_empty() || !matches!(line[at], b';' | b':' | b' ' | b'\t') {
            return None;
        }
        at += line[at..]
            .iter()
            .position(|byte| !matches!(byte, b' ' | b'\t'))?;
        let property = Property {
            group,
            name: upper(name),
            params: Params::new(),
            value: Value::default(),
        };
        let mut header = Header {
            property,
            encoding: Encoding::Plain,
            charset: None,
            value: 0,
        };
        loop {
            match line.get(at)? {
                b':' => {
                    header.value = at + 1;
                    return Some(header);
                }
                b';' => at = self.param(line, at + 1, &mut header)?,
                _ => return None,
            }
        }
    }

    /// Reads one parameter that begins at `at`; where the next `;` or `:` is.
    fn param(&mut self, line: &[u8], mut at: usize, header: &mut Header) -> Option<usize> {
        let name_end = at
            + line[at..]
                .iter()
                .position(|byte| matches!(byte, b'=' | b';' | b':' | b','))?;
        let name = line[at..name_end].trim_ascii();
        at = name_end;
        if line[at] != b'=' {
            // Bare, as in `TEL;HOME`; some write `TEL;HOME,VOICE`.
            if !name.is_empty() {
                self.bare(name, header);
            }
            return Some(if line[at] == b',' {
                at + 1 + self.rewind(line, at + 1, header)?
            } else {
                at
            });
        }
        let name = upper(name);
        let mut values: Vec<&[u8]> = Vec::new();
        loop {
            at += 1;
            at += line[at..]
                .iter()
                .position(|byte| !matches!(byte, b' ' | b'\t'))?;
            let value: &[u8] = if line[at] == b'"' {
                let end = at + 1 + memchr(b'"', &line[at + 1..])?;
                let quoted = &line[at + 1..end];
                at = end
                    + 1
                    + line[end + 1..]
                        .iter()
                        .position(|byte| matches!(byte, b',' | b';' | b':'))?;
                quoted
            } else {
                let end = at
                    + line[at..]
                        .iter()
                        .position(|byte| matches!(byte, b',' | b';' | b':'))?;
                let plain = line[at..end].trim_ascii();
                at = end;
                plain
            };
            if !value.is_empty() && values.len() < MAX_PARAMS {
                values.push(value);
            }
            if line[at] != b',' {
                break;
            }
        }
        match name.as_str() {
            "ENCODING" => {
                if let Some(value) = values.first() {
                    self.encoding(value, header);
                }
            }
            "CHARSET" => {
                if let Some(value) = values.first() {
                    header.charset = std::str::from_utf8(value).ok().and_then(Charset::for_label);
                    if header.charset.is_none() {
                        self.warn(format!("{}: unknown charset", header.property.name));
                    }
                }
            }
            "TYPE" => {
                // A quoted list (RFC 6350 section 5.6) is a list, too.
                for value in values
                    .iter()
                    .flat_map(|value| value.split(|byte| *byte == b','))
                {
                    if !value.trim_ascii().is_empty() {
                        self.bare(value.trim_ascii(), header);
                    }
                }
            }
            "" => {}
            _ => {
                let form = self.form;
                let texts = values.iter().map(|value| param_text(value, form)).collect();
                self.add(&mut header.property.params, name, texts);
            }
        }
        Some(at)
    }

    /// Continues a bare list after its comma; how far it goes.
    fn rewind(&mut self, line: &[u8], from: usize, header: &mut Header) -> Option<usize> {
        let length = line[from..]
            .iter()
            .position(|byte| matches!(byte, b';' | b':'))?;
        for value in line[from..from + length].split(|byte| *byte == b',') {
            let value = value.trim_ascii();
            if !value.is_empty() {
                self.bare(value, header);
            }
        }
        Some(length)
    }

    fn encoding(&mut self, value: &[u8], header: &mut Header) -> bool {
        let known = |names: &[&[u8]]| names.iter().any(|name| name.eq_ignore_ascii_case(value));
        if known(&[b"QUOTED-PRINTABLE", b"Q"]) {
            header.encoding = Encoding::QuotedPrintable;
        } else if known(&[b"BASE64", b"B"]) {
            header.encoding = Encoding::Base64;
        } else if !known(&[b"8BIT", b"7BIT"]) {
            return false;
        }
        true
    }

    /// A parameter value without a name, or one of TYPE.
    fn bare(&mut self, value: &[u8], header: &mut Header) {
        if value.len() > 1 && self.encoding(value, header) {
            return;
        }
        let params = &mut header.property.params;
        if self.form == Form::Legacy
            && [&b"URL"[..], b"CONTENT-ID", b"CID"]
                .iter()
                .any(|v| v.eq_ignore_ascii_case(value))
        {
            let text = upper(value);
            return self.add(params, "VALUE".into(), vec![text]);
        }
        let mut text = param_text(value, self.form);
        text.make_ascii_uppercase();
        if !self.count_values(1) {
            return;
        }
        if let Some(types) = params.iter_mut().find(|param| param.name == "TYPE") {
            if types.values.len() < MAX_PARAMS && !types.values.contains(&text) {
                types.values.push(text);
            }
        } else {
            self.add(params, "TYPE".into(), vec![text]);
        }
    }

    /// Counts values of parameters; false if there are too many.
    fn count_values(&mut self, more: usize) -> bool {
        self.values += more;
        if self.values > MAX_PARAM_VALUES {
            self.warn("too many values of parameters");
        }
        self.values <= MAX_PARAM_VALUES
    }

    fn add(&mut self, params: &mut Params, name: Text, values: Vec<Text>) {
        if values.is_empty() || !self.count_values(values.len()) {
            return;
        }
        if let Some(param) = params.iter_mut().find(|param| param.name == name) {
            if param.values.len() + values.len() <= MAX_PARAMS {
                param.values.extend(values);
            }
        } else if params.len() < MAX_PARAMS {
            params.push(Param { name, values });
        } else {
            self.warn("too many parameters");
        }
    }
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/')
}

fn ascii(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn upper(bytes: &[u8]) -> Text {
    let mut text = charset::decode(bytes, None);
    text.make_ascii_uppercase();
    text
}

/// A parameter value; in the modern form with its `^` escapes (RFC 6868) undone.
fn param_text(bytes: &[u8], form: Form) -> Text {
    let text = charset::decode(bytes, None);
    if form == Form::Legacy || !text.contains('^') {
        return text;
    }
    let mut plain = Text::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let escaped = match (character, characters.peek()) {
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            ('^', Some('^')) => '^',
            _ => {
                plain.push(character);
                continue;
            }
        };
        plain.push(escaped);
        characters.next();
    }
    plain
}
