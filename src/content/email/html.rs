//! The text of HTML mail: what a reader sees, in lines.
//!
//! Not a parser of HTML: tags are skipped, some break a line, some hide what is in them. One pass, no nesting, so that nothing a sender writes
//! costs more than its length.

use memchr::{memchr, memmem};

/// Elements whose content nobody sees.
const HIDDEN: [&str; 6] = ["script", "style", "head", "title", "template", "noscript"];
/// Elements that begin and end with a line.
const BLOCKS: [&str; 27] = [
    "p",
    "div",
    "tr",
    "table",
    "ul",
    "ol",
    "li",
    "dl",
    "dt",
    "dd",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "hr",
    "form",
    "section",
    "article",
    "header",
    "footer",
    "body",
    "address",
    "center",
];
/// Deepest quotation that is marked.
const MAX_QUOTES: usize = 5;

/// The text of an HTML document; line breaks are `\n`.
pub(super) fn text(html: &str) -> String {
    let mut out = Lines::default();
    let bytes = html.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let next = memchr(b'<', &bytes[at..]).map_or(bytes.len(), |next| at + next);
        out.words(&html[at..next]);
        at = next;
        if at >= bytes.len() {
            break;
        }
        if bytes[at..].starts_with(b"<!--") {
            at = memmem::find(&bytes[at..], b"-->").map_or(bytes.len(), |end| at + end + 3);
            continue;
        }
        let is_tag = bytes
            .get(at + 1)
            .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'));
        if !is_tag {
            out.words("<");
            at += 1;
            continue;
        }
        let end = tag_end(&bytes[at..]).map_or(bytes.len(), |end| at + end);
        let tag = html[at..end].trim_start_matches('<').trim_end_matches('>');
        at = end;
        let closes = tag.starts_with('/');
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(16)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        if HIDDEN.contains(&name.as_str()) && !closes && !tag.ends_with('/') {
            at = hidden_end(bytes, at, &name);
            continue;
        }
        out.tag(&name, closes, tag);
    }
    out.finish()
}

/// Behind the `>` of a tag; one in quotation marks does not count, if the marks are closed.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let plain = memchr(b'>', bytes)? + 1;
    let tag = &bytes[..plain];
    let open = |mark: u8| tag.iter().filter(|byte| **byte == mark).count() % 2 == 1;
    if !open(b'"') && !open(b'\'') {
        return Some(plain);
    }
    let mark = if open(b'"') { b'"' } else { b'\'' };
    // Not further than a tag is long.
    let reach = &bytes[..bytes.len().min(plain + 4_096)];
    let close = memchr(mark, &reach[plain..]).and_then(|close| {
        let from = plain + close + 1;
        memchr(b'>', &reach[from..]).map(|end| from + end + 1)
    });
    Some(close.unwrap_or(plain))
}

/// Behind the end tag of a hidden element; without one, behind its begin.
fn hidden_end(bytes: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(found) = memmem::find(&bytes[at..], b"</") {
        let tag = at + found + 2;
        let is = bytes
            .get(tag..tag + name.len())
            .is_some_and(|of| of.eq_ignore_ascii_case(name.as_bytes()));
        if is {
            return memchr(b'>', &bytes[tag..]).map_or(bytes.len(), |end| tag + end + 1);
        }
        at = tag;
    }
    // All that follows is hidden, as browsers have it.
    bytes.len()
}

/// The lines that are being written.
#[derive(Default)]
struct Lines {
    out: String,
    line: String,
    blank: bool,
    quotes: usize,
    verbatim: bool,
}

impl Lines {
    fn words(&mut self, text: &str) {
        if !text.contains('&') {
            self.characters(text.chars());
            return;
        }
        let mut rest = text;
        while let Some(at) = rest.find('&') {
            self.characters(rest[..at].chars());
            rest = &rest[at..];
            let end = rest
                .char_indices()
                .take(12)
                .find(|(_, c)| *c == ';')
                .map(|(end, _)| end);
            match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
                Some((end, text)) => {
                    for c in text.chars() {
                        self.character(c);
                    }
                    rest = &rest[end + 1..];
                }
                None => {
                    self.character('&');
                    rest = &rest[1..];
                }
            }
        }
        self.characters(rest.chars());
    }

    fn characters(&mut self, characters: impl Iterator<Item = char>) {
        for c in characters {
            if self.verbatim && c == '\n' {
                self.end_line();
            } else if c.is_ascii_whitespace() {
                self.blank = true;
            } else {
                self.character(c);
            }
        }
    }

    fn character(&mut self, c: char) {
        let hidden = matches!(
            c,
            '\u{200B}'..='\u{200F}' | '\u{AD}' | '\u{34F}' | '\u{FEFF}'
        );
        if hidden || c.is_control() {
            return;
        }
        let c = if c == '\u{A0}' { ' ' } else { c };
        if self.blank && !self.line.is_empty() {
            self.line.push(' ');
        }
        self.blank = false;
        self.line.push(c);
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        self.blank = false;
        let line = line.trim_end();
        if line.is_empty() && (self.out.is_empty() || self.out.ends_with("\n\n")) {
            return;
        }
        if !line.is_empty() {
            for _ in 0..self.quotes.min(MAX_QUOTES) {
                self.out.push('>');
            }
            if self.quotes > 0 {
                self.out.push(' ');
            }
        }
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// A new line, if this one has something in it.
    fn fresh_line(&mut self) {
        if !self.line.trim().is_empty() {
            self.end_line();
        }
        self.line.clear();
        self.blank = false;
    }

    fn tag(&mut self, name: &str, closes: bool, tag: &str) {
        match name {
            "br" => self.end_line(),
            "td" | "th" if !closes => self.blank = true,
            "img" => {
                if let Some(alt) = attribute(tag, "alt").filter(|alt| !alt.trim().is_empty()) {
                    let alt: String = alt.chars().take(100).collect();
                    self.blank = true;
                    self.words(&alt);
                    self.blank = true;
                }
            }
            name if BLOCKS.contains(&name) => {
                self.fresh_line();
                match name {
                    "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" => self.end_line(),
                    "hr" => self.out.push_str("--------\n"),
                    "li" if !closes => self.line.push_str("- "),
                    "pre" => self.verbatim = !closes,
                    "blockquote" if closes => self.quotes = self.quotes.saturating_sub(1),
                    "blockquote" => self.quotes = self.quotes.saturating_add(1),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn finish(mut self) -> String {
        self.fresh_line();
        self.out.trim_end().to_owned()
    }
}

/// The value of an attribute.
fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let lower = tag.to_ascii_lowercase();
    let at = lower.find(&format!(" {name}="))? + name.len() + 2;
    let value = tag.get(at..)?;
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next(),
        _ => value.split([' ', '>', '/']).next(),
    }
}

/// What an entity stands for: those of XML, numbers, and the usual ones of Latin-1 and typography.
fn entity(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        // 0x80 to 0x9F are meant as windows-1252.
        if let Ok(byte @ 0x80..=0x9F) = u8::try_from(code) {
            return Some(encoding_rs::WINDOWS_1252.decode(&[byte]).0.into_owned());
        }
        return char::from_u32(code).map(String::from);
    }
    let text = match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "quot" => "\"",
        "apos" => "'",
        "nbsp" => "\u{A0}",
        "copy" => "©",
        "reg" => "®",
        "trade" => "™",
        "euro" => "€",
        "pound" => "£",
        "yen" => "¥",
        "cent" => "¢",
        "sect" => "§",
        "deg" => "°",
        "plusmn" => "±",
        "middot" => "·",
        "para" => "¶",
        "times" => "×",
        "laquo" => "«",
        "raquo" => "»",
        "lsquo" => "‘",
        "rsquo" => "’",
        "ldquo" => "“",
        "rdquo" => "”",
        "sbquo" => "‚",
        "bdquo" => "„",
        "ndash" => "–",
        "mdash" => "—",
        "hellip" => "…",
        "bull" => "•",
        "ensp" | "emsp" | "thinsp" => " ",
        "zwnj" | "zwj" | "shy" | "lrm" | "rlm" => "",
        "rarr" => "→",
        "larr" => "←",
        "szlig" => "ß",
        "aelig" => "æ",
        "AElig" => "Æ",
        "oslash" => "ø",
        "Oslash" => "Ø",
        "aring" => "å",
        "Aring" => "Å",
        "ccedil" => "ç",
        "Ccedil" => "Ç",
        "ntilde" => "ñ",
        "Ntilde" => "Ñ",
        "iexcl" => "¡",
        "iquest" => "¿",
        _ => return accented(name),
    };
    Some(text.to_owned())
}

/// `eacute`, `Ouml` and their like.
fn accented(name: &str) -> Option<String> {
    let base = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let letters = match &name[1..] {
        "grave" => "àèìòùÀÈÌÒÙ",
        "acute" => "áéíóúýÁÉÍÓÚÝ",
        "circ" => "âêîôûÂÊÎÔÛ",
        "tilde" => "ãñõÃÑÕ",
        "uml" => "äëïöüÿÄËÏÖÜ",
        _ => return None,
    };
    let found = letters.chars().find(|letter| {
        deunicode::deunicode_char(*letter)
            .is_some_and(|plain| plain.starts_with(base) && plain.len() == 1)
    });
    found.map(String::from)
}
