//! Reading content lines into a tree of components.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::super::charset::{self, Charset};
use super::super::{Component, ContentError, Property, Text, Value, Warning};
use super::header::{Encoding, Header};
use super::{Form, MAX_BYTES, MAX_DEPTH, MAX_PROPERTIES, MAX_WARNINGS};

/// Reads the first component of a body, with all in it.
///
/// Texts are decoded from their transfer encoding and charset and have `\n` for line breaks, but still carry their
/// backslash escapes; BASE64 values are [`Value::Binary`]. ENCODING and CHARSET are gone, and so is VERSION. Bare
/// parameters (`TEL;HOME`) are TYPE values; TYPE values are upper case. `charset` is for what names none itself.
pub(in super::super) fn read_component(
    body: &[u8],
    form: Form,
    charset: Option<&str>,
) -> Result<(Component, Vec<Warning>), ContentError> {
    let body = charset::unwide(body, charset);
    let mut reader = Reader::new(&body, form, charset)?;
    let root = reader.component()?;
    Ok((root, reader.warnings))
}

/// A cursor over the lines of one body.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    position: usize,
    line: u32,
    pub(super) form: Form,
    charset: Option<Charset>,
    properties: usize,
    /// Values of parameters so far.
    pub(super) values: usize,
    scratch: Vec<u8>,
    /// What was odd so far.
    warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    /// `input` is in an encoding that holds ASCII; `charset` names the one of values that name none.
    fn new(input: &'a [u8], form: Form, charset: Option<&str>) -> Result<Self, ContentError> {
        if input.len() > MAX_BYTES {
            return Err(ContentError::TooLarge);
        }
        let mut reader = Self {
            input,
            position: 0,
            line: 0,
            form,
            charset: charset.and_then(Charset::for_label),
            properties: 0,
            values: 0,
            scratch: Vec::new(),
            warnings: Vec::new(),
        };
        if input.starts_with(b"\xEF\xBB\xBF") {
            reader.position = 3;
        }
        Ok(reader)
    }

    pub(super) fn warn(&mut self, text: impl Into<Cow<'static, str>>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning {
                line: self.line,
                text: text.into(),
            });
        }
    }

    /// How many oddities there were so far, up to those that are kept.
    pub(super) fn warned(&self) -> usize {
        self.warnings.len()
    }

    /// The next line as it stands, without its end.
    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.position >= self.input.len() {
            return None;
        }
        self.line = self.line.saturating_add(1);
        let rest = &self.input[self.position..];
        let Some(end) = memchr2(b'\n', b'\r', rest) else {
            self.position = self.input.len();
            return Some(rest);
        };
        let returns = rest[end..]
            .iter()
            .take_while(|byte| **byte == b'\r')
            .count();
        let length = if rest.get(end + returns) == Some(&b'\n') {
            returns + 1
        } else {
            1
        };
        self.position += end + length;
        Some(&rest[..end])
    }

    /// The next line, if it is a continuation by white space.
    fn continuation(&mut self) -> Option<&'a [u8]> {
        match self.input.get(self.position) {
            Some(b' ' | b'\t') => self.physical(),
            _ => None,
        }
    }

    /// Reads to the end of the next component.
    fn component(&mut self) -> Result<Component, ContentError> {
        let mut stack: Vec<Component> = Vec::new();
        while let Some(line) = self.physical() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Some(property) = self.property(line) else {
                continue;
            };
            match property.name.as_str() {
                "BEGIN" => {
                    if stack.len() >= MAX_DEPTH {
                        return Err(ContentError::TooDeep);
                    }
                    self.count()?;
                    Self::begin(&mut stack, &property.value);
                }
                "END" => {
                    if let Some(root) = self.end(&mut stack, &property.value) {
                        return Ok(root);
                    }
                }
                "AGENT" if self.form == Form::Legacy && is_begin(&property.value) => {
                    if stack.len() >= MAX_DEPTH {
                        return Err(ContentError::TooDeep);
                    }
                    self.count()?;
                    stack.push(Component {
                        name: "VCARD".to_owned(),
                        ..Component::default()
                    });
                }
                "VERSION" if !stack.is_empty() => {}
                _ => {
                    let Some(component) = stack.last_mut() else {
                        self.warn("a line before BEGIN is left out");
                        continue;
                    };
                    component.properties.push(property);
                    self.count()?;
                }
            }
        }
        if stack.is_empty() {
            Err(ContentError::NotThisType)
        } else {
            Err(ContentError::Truncated)
        }
    }

    fn count(&mut self) -> Result<(), ContentError> {
        self.properties += 1;
        if self.properties > MAX_PROPERTIES {
            Err(ContentError::TooManyProperties)
        } else {
            Ok(())
        }
    }

    fn begin(stack: &mut Vec<Component>, value: &Value) {
        let name = component_name(value);
        if name == "VCARD"
            && let Some(outer) = stack.last_mut()
            && outer
                .properties
                .last()
                .is_some_and(|last| last.name == "AGENT" && blank(&last.value))
        {
            outer.properties.pop();
        }
        let properties = Vec::with_capacity(if stack.is_empty() { 16 } else { 8 });
        stack.push(Component {
            name,
            properties,
            children: Vec::new(),
        });
    }

    /// Closes the innermost component of that name; the root, if it was the one.
    fn end(&mut self, stack: &mut Vec<Component>, value: &Value) -> Option<Component> {
        let name = component_name(value);
        if !stack.iter().any(|open| open.name == name) {
            self.warn("an END without its BEGIN is left out");
            return None;
        }
        while let Some(closed) = stack.pop() {
            let found = closed.name == name;
            if !found {
                self.warn(format!("{} is not closed", closed.name));
            }
            match stack.last_mut() {
                None => return Some(closed),
                Some(outer) => outer.children.push(closed),
            }
            if found {
                break;
            }
        }
        None
    }

    /// Reads the property that begins with this line, taking the further lines that belong to it.
    fn property(&mut self, line: &'a [u8]) -> Option<Property> {
        if let Some(header) = self.header(line) {
            return self.value(header, line);
        }
        // What stands before the colon may be folded as well.
        let mut unfolded = line.to_vec();
        let mut quoted = false;
        let mut colon = has_colon(line, &mut quoted);
        while !colon && let Some(next) = self.continuation() {
            unfolded.extend_from_slice(&next[1..]);
            colon = has_colon(&next[1..], &mut quoted);
        }
        if unfolded.len() > line.len()
            && let Some(header) = self.header(&unfolded)
        {
            return self.value(header, &unfolded);
        }
        self.warn("a line that is no property is left out");
        None
    }

    fn value(&mut self, header: Header, first: &[u8]) -> Option<Property> {
        let Header {
            mut property,
            encoding,
            charset,
            value,
        } = header;
        let first = &first[value..];
        let charset = charset.or(self.charset);
        property.value = match encoding {
            Encoding::Plain => {
                if matches!(self.input.get(self.position), Some(b' ' | b'\t')) {
                    let mut scratch = std::mem::take(&mut self.scratch);
                    scratch.clear();
                    scratch.extend_from_slice(first);
                    let skip = usize::from(self.form == Form::Modern);
                    while let Some(next) = self.continuation() {
                        scratch.extend_from_slice(&next[skip..]);
                    }
                    let text = charset::decode(&scratch, charset);
                    self.scratch = scratch;
                    Value::Text(text)
                } else {
                    Value::Text(charset::decode(first, charset))
                }
            }
            Encoding::QuotedPrintable => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                self.gather_quoted(first, &mut scratch);
                unquote(&mut scratch);
                let text = line_breaks(charset::decode(&scratch, charset));
                self.scratch = scratch;
                Value::Text(text)
            }
            Encoding::Base64 => {
                let mut scratch = std::mem::take(&mut self.scratch);
                scratch.clear();
                self.gather_base64(first, &mut scratch);
                let decoded = charset::unbase64(&scratch);
                self.scratch = scratch;
                if let Some(bytes) = decoded {
                    Value::Binary(bytes)
                } else {
                    self.warn(format!("{}: no BASE64", property.name));
                    return None;
                }
            }
        };
        Some(property)
    }

    /// Gathers a quoted-printable value: soft line breaks, and folds where a phone made them.
    fn gather_quoted(&mut self, first: &[u8], value: &mut Vec<u8>) {
        let mut line = first;
        loop {
            let content = line.trim_ascii_end();
            if let Some(kept) = content.strip_suffix(b"=") {
                // A doubled `=` and an encoded line break before the soft one: a Nokia's way of writing only the soft one.
                let kept = match kept.len().checked_sub(7).map(|at| kept.split_at(at)) {
                    Some((head, tail)) if tail.eq_ignore_ascii_case(b"==0A=0D") => head,
                    _ => kept,
                };
                value.extend_from_slice(kept);
                if self.at_end_line() {
                    return;
                }
                match self.physical() {
                    Some(next) => line = next,
                    None => return,
                }
                continue;
            }
            value.extend_from_slice(line);
            let Some(next) = self.continuation() else {
                return;
            };
            let tail = &value[value.len().saturating_sub(3)..];
            let cut = matches!(tail, [.., b'=', digit] if digit.is_ascii_hexdigit());
            let between = matches!(tail, [b'=', ..]) && next.get(1) == Some(&b'=');
            line = if self.form == Form::Modern || cut || between {
                &next[1..]
            } else {
                next
            };
        }
    }

    /// Whether the next line closes a component, so that a soft line break before it was none.
    fn at_end_line(&self) -> bool {
        let rest = &self.input[self.position..];
        let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let names: [&[u8]; 5] = [
            b"END:VCARD",
            b"END:VCALENDAR",
            b"END:VEVENT",
            b"END:VTODO",
            b"END:VNOTE",
        ];
        names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(rest[..length].trim_ascii_end()))
    }

    /// Gathers BASE64 to the empty line, or to what can be none.
    fn gather_base64(&mut self, first: &[u8], value: &mut Vec<u8>) {
        value.extend_from_slice(first.trim_ascii());
        loop {
            let rest = &self.input[self.position..];
            let length = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let next = rest[..length].trim_ascii();
            if next.is_empty() {
                // The line end after the property's own, if an empty line follows; white space alone does not end it.
                if length == 0 || self.continuation().is_none() {
                    return;
                }
                continue;
            }
            let folded = matches!(rest.first(), Some(b' ' | b'\t'));
            let data = |byte: &u8| {
                byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b' ' | b'\t')
            };
            if !folded && !next.iter().all(data) {
                return;
            }
            value.extend_from_slice(next);
            self.physical();
        }
    }
}

/// Whether a colon stands outside of quotes; `quoted` carries over from line to line.
fn has_colon(line: &[u8], quoted: &mut bool) -> bool {
    line.iter().any(|byte| {
        *quoted ^= *byte == b'"';
        *byte == b':' && !*quoted
    })
}

fn blank(value: &Value) -> bool {
    matches!(value, Value::Text(text) if text.trim().is_empty())
}

fn is_begin(value: &Value) -> bool {
    let begin = b"BEGIN:VCARD";
    matches!(value, Value::Text(text) if text.trim().as_bytes().eq_ignore_ascii_case(begin))
}

fn component_name(value: &Value) -> String {
    match value {
        Value::Text(text) => text.trim().to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// Decodes `=HH` in place; an `=` without two hexadecimal digits stays.
fn unquote(bytes: &mut Vec<u8>) {
    let Some(first) = memchr(b'=', bytes) else {
        return;
    };
    let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let (mut from, mut to) = (first, first);
    while from < bytes.len() {
        let mut byte = bytes[from];
        if byte == b'='
            && let (Some(high), Some(low)) =
                (digit(bytes.get(from + 1)), digit(bytes.get(from + 2)))
        {
            byte = u8::try_from(high * 16 + low).unwrap_or(b'?');
            from += 2;
        }
        bytes[to] = byte;
        from += 1;
        to += 1;
    }
    bytes.truncate(to);
}

/// Makes every kind of line break `\n`; CR LF and LF CR are one.
pub(in super::super) fn line_breaks(text: Text) -> Text {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    let mut plain = Text::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let other = match character {
            '\r' => '\n',
            '\n' => '\r',
            _ => {
                plain.push(character);
                continue;
            }
        };
        plain.push('\n');
        characters.next_if_eq(&other);
    }
    plain
}
