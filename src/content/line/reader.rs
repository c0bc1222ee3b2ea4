//! Reading content lines into a tree of components.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::super::charset::{self, Charset};
use super::super::{Component, ContentError, Param, Property, Value, Warning};
use super::{
    Form, MAX_BYTES, MAX_DEPTH, MAX_PARAM_VALUES, MAX_PARAMS, MAX_PROPERTIES, MAX_WARNINGS,
};

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
struct Reader<'a> {
    input: &'a [u8],
    position: usize,
    line: u32,
    form: Form,
    charset: Option<Charset>,
    properties: usize,
    /// Values of parameters so far.
    values: usize,
    scratch: Vec<u8>,
    /// What was odd so far.
    warnings: Vec<Warning>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    QuotedPrintable,
    Base64,
}

struct Header {
    property: Property,
    encoding: Encoding,
    charset: Option<Charset>,
    /// Where the value begins in the line.
    value: usize,
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

    fn warn(&mut self, text: impl Into<Cow<'static, str>>) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(Warning {
                line: self.line,
                text: text.into(),
            });
        }
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

    /// Reads what stands before the colon; none if the line has no such form.
    fn header(&mut self, line: &[u8]) -> Option<Header> {
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
            params: Vec::new(),
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
            return self.add(params, "VALUE".to_owned(), vec![text]);
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
            self.add(params, "TYPE".to_owned(), vec![text]);
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

    fn add(&mut self, params: &mut Vec<Param>, name: String, values: Vec<String>) {
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

fn upper(bytes: &[u8]) -> String {
    let mut text = charset::decode(bytes, None);
    text.make_ascii_uppercase();
    text
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

/// A parameter value; in the modern form with its `^` escapes (RFC 6868) undone.
fn param_text(bytes: &[u8], form: Form) -> String {
    let text = charset::decode(bytes, None);
    if form == Form::Legacy || !text.contains('^') {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
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
pub(in super::super) fn line_breaks(text: String) -> String {
    if memchr(b'\r', text.as_bytes()).is_none() {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
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
