//! Writing content lines.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::charset;
use super::super::dialect::{CharsetOut, Dialect};
use super::super::{Component, Param, Part, Text, Value};
use super::Form;
use super::tree::Tree;

/// Longest line in octets, without its end.
const MODERN_WIDTH: usize = 75;
const LEGACY_WIDTH: usize = 72;

/// Writes lines of one form into a buffer.
///
/// Legacy: a value is quoted-printable only if it needs it, names CHARSET=UTF-8 only if it is not ASCII, and is broken by
/// soft line breaks alone; TYPE values of TEL, EMAIL, ADR, LABEL and SOUND are bare. Modern: lines are folded at 75 octets
/// between characters. Line ends are CR LF. No value can break out of its line.
#[derive(Debug)]
pub(in super::super) struct Writer {
    form: Form,
    out: Vec<u8>,
    /// The value of the property at hand, escaped.
    value: Vec<u8>,
    /// Lines are kept, not written.
    tree: Option<Tree>,
    /// The charset of what is not ASCII, in the legacy form.
    charset: CharsetOut,
    /// Longest line of the legacy form, octets.
    legacy_width: usize,
    /// A dialect wrote the headers: types of a URL stand bare as well.
    bare: bool,
}

impl Writer {
    /// Starts with an empty buffer.
    pub(in super::super) fn new(form: Form) -> Self {
        Self {
            form,
            out: Vec::with_capacity(1024),
            value: Vec::with_capacity(128),
            tree: None,
            charset: CharsetOut::Utf8,
            legacy_width: LEGACY_WIDTH,
            bare: false,
        }
    }

    /// Keeps the lines as a tree of raw values, for a dialect to change.
    pub(in super::super) fn tree(form: Form) -> Self {
        Self {
            tree: Some(Tree::default()),
            ..Self::new(form)
        }
    }

    /// The tree that was kept.
    pub(in super::super) fn into_tree(self) -> Component {
        self.tree.map(Tree::finish).unwrap_or_default()
    }

    /// Writes lines as a dialect wants them.
    pub(in super::super) fn wire(form: Form, dialect: &Dialect) -> Self {
        let mut writer = Self::new(form);
        writer.bare = true;
        writer.charset = dialect.charset_out.unwrap_or(CharsetOut::Utf8);
        if dialect.fold == Some(false) {
            writer.legacy_width = usize::MAX;
        }
        writer
    }

    /// The family of syntax that is written.
    pub(in super::super) fn form(&self) -> Form {
        self.form
    }

    /// All that was written.
    pub(in super::super) fn finish(self) -> Vec<u8> {
        self.out
    }

    /// `BEGIN:name`
    pub(in super::super) fn begin(&mut self, name: &str) {
        self.raw(None, "BEGIN", &[], name);
    }

    /// `END:name`
    pub(in super::super) fn end(&mut self, name: &str) {
        self.raw(None, "END", &[], name);
    }

    /// A value that is written as it is: dates, rules, values that are escaped already. Line breaks are still encoded.
    pub(in super::super) fn raw(
        &mut self,
        group: Option<&str>,
        name: &str,
        params: &[Param],
        value: &str,
    ) {
        self.value.clear();
        self.value.extend_from_slice(value.as_bytes());
        self.line(group, name, params);
    }

    /// One text.
    pub(in super::super) fn text(
        &mut self,
        group: Option<&str>,
        name: &str,
        params: &[Param],
        text: &str,
    ) {
        self.value.clear();
        self.escape(text, false);
        self.line(group, name, params);
    }

    /// A list of texts with `,` or, in the legacy form, `;` between them.
    pub(in super::super) fn list(
        &mut self,
        group: Option<&str>,
        name: &str,
        params: &[Param],
        texts: &[Text],
    ) {
        self.value.clear();
        let separator = if self.form == Form::Legacy {
            b';'
        } else {
            b','
        };
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                self.value.push(separator);
            }
            self.escape(text, true);
        }
        self.line(group, name, params);
    }

    /// A structured value: `;` between the parts, `,` between the values of one.
    pub(in super::super) fn parts(
        &mut self,
        group: Option<&str>,
        name: &str,
        params: &[Param],
        parts: &[Part],
    ) {
        self.value.clear();
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                self.value.push(b';');
            }
            for (index, text) in part.iter().enumerate() {
                if index > 0 {
                    self.value.push(b',');
                }
                self.escape(text, true);
            }
        }
        self.line(group, name, params);
    }

    /// Binary data as BASE64; in the legacy form with the empty line that ends it.
    pub(in super::super) fn binary(
        &mut self,
        group: Option<&str>,
        name: &str,
        params: &[Param],
        data: &[u8],
    ) {
        if let Some(tree) = &mut self.tree {
            return tree.line(group, name, params, Value::Binary(data.to_vec()));
        }
        let start = self.head(group, name, params);
        let mut encoded = std::mem::take(&mut self.value);
        encoded.clear();
        encoded.resize(data.len().div_ceil(3) * 4, 0);
        let length = STANDARD.encode_slice(data, &mut encoded).unwrap_or(0);
        encoded.truncate(length);
        match self.form {
            Form::Modern => {
                self.out.extend_from_slice(b";ENCODING=b:");
                self.fold(start, &encoded);
            }
            Form::Legacy => {
                self.out.extend_from_slice(b";ENCODING=BASE64:\r\n");
                for line in encoded.chunks(self.legacy_width) {
                    self.out.push(b' ');
                    self.out.extend_from_slice(line);
                    self.out.extend_from_slice(b"\r\n");
                }
            }
        }
        self.out.extend_from_slice(b"\r\n");
        self.value = encoded;
    }

    /// Appends an escaped text to the value; `piece` if separators mean something in it.
    fn escape(&mut self, text: &str, piece: bool) {
        for byte in text.as_bytes() {
            let escaped = match (self.form, byte) {
                (Form::Modern, b'\n') => {
                    self.value.extend_from_slice(b"\\n");
                    continue;
                }
                (Form::Modern, b'\\' | b',' | b';') => true,
                // Most peers undo `\\` in the legacy form, too (libsynthesis, Nokia 9210).
                (Form::Legacy, b'\\') => true,
                (Form::Legacy, b';') => piece,
                _ => false,
            };
            if escaped {
                self.value.push(b'\\');
            }
            self.value.push(*byte);
        }
    }

    /// Writes what stands before the value; where the line begins.
    fn head(&mut self, group: Option<&str>, name: &str, params: &[Param]) -> usize {
        let start = self.out.len();
        if let Some(group) = group.filter(|group| !group.is_empty()) {
            push_name(&mut self.out, group);
            self.out.push(b'.');
        }
        push_name(&mut self.out, name);
        let bare = self.form == Form::Legacy
            && (matches!(name, "TEL" | "EMAIL" | "ADR" | "LABEL" | "SOUND")
                || self.bare && name == "URL");
        for param in params {
            if bare && param.name == "TYPE" {
                for value in &param.values {
                    self.out.push(b';');
                    push_name(&mut self.out, value);
                }
                continue;
            }
            let mut values = param
                .values
                .iter()
                .filter(|value| !value.is_empty())
                .peekable();
            if values.peek().is_none() {
                continue;
            }
            self.out.push(b';');
            push_name(&mut self.out, &param.name);
            let mut separator = b'=';
            for value in values {
                self.out.push(separator);
                push_param(&mut self.out, value, self.form);
                separator = b',';
            }
        }
        start
    }

    /// Writes the line of which the value is at hand.
    fn line(&mut self, group: Option<&str>, name: &str, params: &[Param]) {
        if let Some(tree) = &mut self.tree {
            let value = String::from_utf8_lossy(&self.value).into_owned();
            return tree.line(group, name, params, Value::Text(value.into()));
        }
        let start = self.head(group, name, params);
        let value = std::mem::take(&mut self.value);
        match self.form {
            Form::Modern => {
                self.out.push(b':');
                self.fold(start, &value);
            }
            Form::Legacy => {
                let ascii = value.is_ascii();
                if ascii
                    && !value
                        .iter()
                        .any(|byte| byte.is_ascii_control() && *byte != b'\t')
                {
                    self.out.push(b':');
                    self.out.extend_from_slice(&value);
                } else {
                    let latin1 = match self.charset {
                        _ if ascii => None,
                        CharsetOut::Utf8 => None,
                        CharsetOut::Latin1 => Some(charset::latin1(&value).0),
                        CharsetOut::Latin1OrUtf8 => Some(charset::latin1(&value))
                            .filter(|(_, exact)| *exact)
                            .map(|of| of.0),
                    };
                    let label: &[u8] = match latin1 {
                        _ if ascii => b"",
                        Some(_) => b";CHARSET=ISO-8859-1",
                        None => b";CHARSET=UTF-8",
                    };
                    self.out.extend_from_slice(label);
                    self.out.extend_from_slice(b";ENCODING=QUOTED-PRINTABLE:");
                    match latin1 {
                        Some(value) => self.quote(start, &value, 1),
                        None => self.quote(start, &value, 4),
                    }
                }
            }
        }
        self.out.extend_from_slice(b"\r\n");
        self.value = value;
    }

    /// Appends a value, folding the line that begins at `start` between characters.
    fn fold(&mut self, start: usize, value: &[u8]) {
        if self.out.len() - start + value.len() <= MODERN_WIDTH
            && !value.contains(&b'\n')
            && !value.contains(&b'\r')
        {
            return self.out.extend_from_slice(value);
        }
        // A long head is folded too, so that no line is too long.
        let mut width = 0;
        if self.out.len() - start > MODERN_WIDTH {
            let head = self.out.split_off(start);
            for character in chunks(&head, 4) {
                self.folded(character, &mut width);
            }
        } else {
            width = self.out.len() - start;
        }
        for character in chunks(value, 4) {
            match character {
                b"\n" => {
                    self.folded(b"\\", &mut width);
                    self.out.push(b'n');
                    width += 1;
                }
                b"\r" => {}
                _ => self.folded(character, &mut width),
            }
        }
    }

    fn folded(&mut self, character: &[u8], width: &mut usize) {
        if *width + character.len() > MODERN_WIDTH {
            self.out.extend_from_slice(b"\r\n ");
            *width = 1;
        }
        self.out.extend_from_slice(character);
        *width += character.len();
    }

    /// Appends a value in quoted-printable, broken by soft line breaks between characters.
    /// A character has at most `octets`.
    fn quote(&mut self, start: usize, value: &[u8], octets: usize) {
        const HEX: &[u8; 16] = b"0123456789ABCDEF";
        let mut width = self.out.len() - start;
        let mut rest = chunks(value, octets).peekable();
        while let Some(character) = rest.next() {
            let mut plain = match character {
                [b' ' | b'\t'] => rest.peek().is_some_and(|next| *next != b"\n"),
                [byte] => matches!(byte, b'!'..=b'<' | b'>'..=b'~'),
                _ => false,
            };
            let character = if character == b"\n" {
                b"\r\n"
            } else {
                character
            };
            let mut length = if plain { 1 } else { 3 * character.len() };
            if width.saturating_add(length) > self.legacy_width && width > 0 {
                self.out.extend_from_slice(b"=\r\n");
                width = 0;
                // White space at the start of a line would look like a fold, END like the end.
                plain = plain && !matches!(character, b" " | b"\t" | b"E" | b"e");
                length = if plain { 1 } else { 3 * character.len() };
            }
            if plain {
                self.out.extend_from_slice(character);
            } else {
                for byte in character {
                    self.out.extend_from_slice(&[
                        b'=',
                        HEX[usize::from(byte >> 4)],
                        HEX[usize::from(byte & 15)],
                    ]);
                }
            }
            width += length;
        }
    }
}

/// The characters of a text as bytes, at most so many each.
fn chunks(value: &[u8], octets: usize) -> impl Iterator<Item = &[u8]> {
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let length = 1 + rest[1..]
            .iter()
            .take(octets - 1)
            .take_while(|byte| **byte & 0xC0 == 0x80)
            .count();
        let (character, after) = rest.split_at(length);
        rest = after;
        Some(character)
    })
}

/// Appends a name; what cannot stand in one becomes `-`.
fn push_name(out: &mut Vec<u8>, name: &str) {
    out.extend(name.bytes().map(|byte| {
        if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'/' {
            byte
        } else {
            b'-'
        }
    }));
}

/// Appends a parameter value, quoted and with `^` escapes (RFC 6868) where the form has them.
fn push_param(out: &mut Vec<u8>, value: &str, form: Form) {
    let quoted = value
        .bytes()
        .any(|byte| matches!(byte, b',' | b';' | b':' | b' '));
    if quoted {
        out.push(b'"');
    }
    for character in value.chars() {
        match (form, character) {
            (Form::Modern, '\n') => out.extend_from_slice(b"^n"),
            (Form::Modern, '"') => out.extend_from_slice(b"^'"),
            (Form::Modern, '^') => out.extend_from_slice(b"^^"),
            (Form::Legacy, '"') => out.push(b'\''),
            (_, control) if control.is_control() => out.push(b' '),
            _ => {
                let mut bytes = [0; 4];
                out.extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
            }
        }
    }
    if quoted {
        out.push(b'"');
    }
}
