//! Content lines as a phone reads and writes them (vCard 2.1 section 2.1, vCalendar 1.0 section 2.1, RFC 2425
//! section 5.8). Apart from the server's own reader and writer, so that each can be held against the other.
//!
//! Invariants: no panic on any octets; an item has at most [`MAX_LINES`] lines.

use encoding_rs::Encoding;

use super::rules::Writing;

/// Most lines of one item; what follows is lost.
const MAX_LINES: usize = 4_096;
/// Longest line that a phone writes, octets.
const WIDTH: usize = 72;

/// The value of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Decoded text; escapes of separators are still there.
    Text(String),
    /// Base64 without white space.
    Base64(String),
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// `item1` in `item1.TEL`.
    pub(super) group: Option<String>,
    /// Upper case.
    pub(super) name: String,
    /// Name in upper case (empty for a bare type), and value. Without ENCODING and CHARSET.
    pub(super) params: Vec<(String, String)>,
    pub(super) value: Value,
    /// The charset that the line names.
    pub(super) charset: Option<String>,
    /// The value was folded, or broken by soft line breaks.
    pub(super) broken: bool,
    /// The value was quoted-printable.
    pub(super) quoted: bool,
    /// The octets of the value were not ASCII after the transfer encoding was undone.
    pub(super) eight_bit: bool,
    /// The charset that the octets were read in does not fit them.
    pub(super) misread: bool,
}

impl Line {
    /// A line that a phone adds.
    pub(super) fn new(name: &str, value: &str) -> Self {
        Self {
            group: None,
            name: name.to_ascii_uppercase(),
            params: Vec::new(),
            value: Value::Text(value.to_owned()),
            charset: None,
            broken: false,
            quoted: false,
            eight_bit: false,
            misread: false,
        }
    }

    /// BEGIN, END or VERSION.
    pub(super) fn is_frame(&self) -> bool {
        matches!(self.name.as_str(), "BEGIN" | "END" | "VERSION")
    }

    /// The text; none if it is binary.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            Value::Base64(_) => None,
        }
    }

    /// Nothing but separators and white space.
    pub(super) fn is_empty(&self) -> bool {
        match &self.value {
            Value::Text(text) => text.chars().all(|c| c == ';' || c.is_whitespace()),
            Value::Base64(data) => data.is_empty(),
        }
    }

    /// Types, bare or as TYPE=, in upper case.
    pub(super) fn types(&self) -> Vec<String> {
        let named = self
            .params
            .iter()
            .filter(|(name, _)| name.is_empty() || name == "TYPE");
        named
            .flat_map(|(_, value)| value.split(','))
            .map(|kind| kind.trim().to_ascii_uppercase())
            .filter(|kind| !kind.is_empty())
            .collect()
    }

    /// The parts between `;` that are not escaped.
    pub(super) fn parts(&self) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in self.text().unwrap_or_default().chars() {
            if c == ';' && !escaped {
                parts.push(String::new());
                continue;
            }
            escaped = c == '\\' && !escaped;
            parts.last_mut().expect("never empty").push(c);
        }
        parts
    }
}

/// The item is written in a modern form: vCard 3.0 and later, iCalendar 2.0.
fn is_modern(body: &[u8]) -> bool {
    body.split(|byte| *byte == b'\n').any(|line| {
        let line = line.trim_ascii();
        let version = line
            .get(..8)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"VERSION:"));
        version && matches!(line[8..].trim_ascii(), b"3.0" | b"4.0" | b"2.0")
    })
}

/// The text looks like an object with content lines.
pub(super) fn is_object(body: &[u8]) -> bool {
    let start = body.trim_ascii_start();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    start
        .get(..6)
        .is_some_and(|head| head.eq_ignore_ascii_case(b"BEGIN:"))
}

/// Reads the lines of an item.
pub(super) fn read(body: &[u8], writing: &Writing) -> Vec<Line> {
    let modern = is_modern(body);
    let mut lines: Vec<Line> = Vec::new();
    let mut physical = body
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .peekable();
    while let Some(first) = physical.next() {
        if first.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if lines.len() >= MAX_LINES {
            break;
        }
        let mut logical = first.to_vec();
        let mut broken = false;
        let colon = colon(first).unwrap_or(first.len());
        let head = first[..colon].to_ascii_uppercase();
        let quoted = contains(&head, b"QUOTED-PRINTABLE");
        let base64 = contains(&head, b"BASE64") || contains(&head, b"ENCODING=B");
        loop {
            let soft = quoted && logical.ends_with(b"=");
            let folded = physical.peek().is_some_and(|next| {
                next.first()
                    .is_some_and(|byte| matches!(byte, b' ' | b'\t'))
            });
            // Some phones begin the lines of base64 with no blank; an empty line ends it.
            let bare = base64
                && physical.peek().is_some_and(|next| {
                    !next.is_empty() && next.iter().all(|byte| is_base64(*byte))
                });
            if !(soft || folded || bare) {
                break;
            }
            let Some(next) = physical.next() else { break };
            broken = true;
            if soft {
                logical.pop();
                if writing.reads_broken_lines {
                    logical.extend_from_slice(next);
                } else if !next.ends_with(b"=") {
                    break;
                } else {
                    logical.push(b'=');
                }
            } else if base64 {
                logical.extend(next.iter().filter(|byte| !byte.is_ascii_whitespace()));
            } else if writing.reads_broken_lines {
                // The old forms fold at a blank, which stays; the modern ones put one in.
                logical.extend_from_slice(if modern { &next[1..] } else { next });
            }
        }
        if let Some(line) = parse(&logical, broken, writing, modern) {
            lines.push(line);
        }
    }
    lines
}

/// The colon before the value; one in quotes is part of a parameter.
fn colon(line: &[u8]) -> Option<usize> {
    let mut quoted = false;
    line.iter().position(|byte| {
        quoted ^= *byte == b'"';
        *byte == b':' && !quoted
    })
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn parse(logical: &[u8], broken: bool, writing: &Writing, modern: bool) -> Option<Line> {
    let colon = colon(logical)?;
    let head = String::from_utf8_lossy(&logical[..colon]).into_owned();
    let mut words = head.split(';').map(str::trim);
    let full = words.next()?.trim();
    let (group, name) = match full.rsplit_once('.') {
        Some((group, name)) => (Some(group.to_owned()), name),
        None => (None, full),
    };
    if name.is_empty() {
        return None;
    }
    let mut params = Vec::new();
    let (mut charset, mut quoted, mut base64) = (None, false, false);
    for word in words.filter(|word| !word.is_empty()) {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.trim().to_ascii_uppercase(), value.trim()),
            None => (String::new(), word),
        };
        match (name.as_str(), value.to_ascii_uppercase().as_str()) {
            ("CHARSET", _) => charset = Some(value.trim_matches('"').to_owned()),
            ("ENCODING" | "", "QUOTED-PRINTABLE") => quoted = true,
            ("ENCODING" | "", "BASE64") | ("ENCODING", "B") => base64 = true,
            ("ENCODING" | "", "8BIT" | "7BIT") => {}
            _ => params.push((name, value.to_owned())),
        }
    }
    let raw = &logical[colon + 1..];
    let octets = if quoted { unquote(raw) } else { raw.to_vec() };
    let eight_bit = !octets.is_ascii();
    let (value, misread) = if base64 {
        let text = octets.iter().filter(|byte| is_base64(**byte));
        (
            Value::Base64(text.map(|byte| char::from(*byte)).collect()),
            false,
        )
    } else {
        let (text, misread) = writing.decode(&octets, charset.as_deref(), modern);
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = if modern {
            text.replace("\\n", "\n")
                .replace("\\N", "\n")
                .replace("\\,", ",")
        } else {
            text
        };
        (Value::Text(text), misread)
    };
    Some(Line {
        group,
        name: name.to_ascii_uppercase(),
        params,
        value,
        charset,
        broken,
        quoted,
        eight_bit,
        misread,
    })
}

fn unquote(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        let pair = raw.get(at + 1..at + 3);
        let digits = pair.and_then(|pair| std::str::from_utf8(pair).ok());
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (raw[at], octet) {
            (b'=', Some(octet)) => {
                out.push(octet);
                at += 3;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// Writes lines as the phone does. `modern` as the lines came.
pub(super) fn write(lines: &[Line], writing: &Writing) -> Vec<u8> {
    let modern = lines.iter().any(|line| {
        line.name == "VERSION" && matches!(line.text().map(str::trim), Some("3.0" | "4.0" | "2.0"))
    });
    let mut out = Vec::with_capacity(lines.len() * 40);
    for line in lines {
        write_line(&mut out, line, writing, modern);
    }
    out
}

fn write_line(out: &mut Vec<u8>, line: &Line, writing: &Writing, modern: bool) {
    let start = out.len();
    if let Some(group) = &line.group {
        out.extend_from_slice(group.as_bytes());
        out.push(b'.');
    }
    out.extend_from_slice(line.name.as_bytes());
    for (name, value) in &line.params {
        out.push(b';');
        if !name.is_empty() {
            out.extend_from_slice(name.as_bytes());
            out.push(b'=');
        }
        out.extend_from_slice(value.as_bytes());
    }
    let text = match &line.value {
        Value::Base64(data) => {
            out.extend_from_slice(if modern {
                b";ENCODING=b:\r\n"
            } else {
                b";ENCODING=BASE64:\r\n"
            });
            for chunk in data.as_bytes().chunks(WIDTH) {
                out.push(b' ');
                out.extend_from_slice(chunk);
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(b"\r\n");
            return;
        }
        Value::Text(text) => text,
    };
    let text = if modern {
        let plain = matches!(
            line.name.as_str(),
            "N" | "ADR" | "ORG" | "RRULE" | "CATEGORIES" | "EXDATE" | "GEO"
        );
        let text = text.replace('\n', "\\n");
        if plain {
            text
        } else {
            text.replace(',', "\\,")
        }
    } else {
        text.replace('\n', "\r\n")
    };
    let octets = writing.encode(&text, modern);
    let quote = !modern
        && (octets
            .iter()
            .any(|byte| matches!(byte, b'\r' | b'\n' | b'='))
            || (writing.quotes_8_bit && !octets.is_ascii()));
    if !octets.is_ascii() && !modern && writing.writes_charset_parameter {
        out.extend_from_slice(b";CHARSET=");
        out.extend_from_slice(writing.label().as_bytes());
    }
    if quote {
        out.extend_from_slice(b";ENCODING=QUOTED-PRINTABLE");
    }
    out.push(b':');
    let mut column = out.len() - start;
    for byte in octets.iter() {
        let escaped = quote && (!matches!(byte, b' '..=b'~') || *byte == b'=');
        let width = if escaped { 3 } else { 1 };
        let breaks = writing.breaks_lines && (quote || modern);
        if breaks && column + width > WIDTH && (quote || *byte & 0xC0 != 0x80) {
            out.extend_from_slice(if quote { b"=\r\n" } else { b"\r\n " });
            column = 0;
        }
        if escaped {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        } else {
            out.push(*byte);
        }
        column += width;
    }
    out.extend_from_slice(b"\r\n");
}

/// The encoding of a name; names with blanks occur.
pub(super) fn encoding(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label(label.trim().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=C3=96berg;Per=\r\n-Olof\r\n\
        item1.TEL;CELL;X-Y=z:1\r\nNOTE:a\r\n b\r\nPHOTO;JPEG;ENCODING=BASE64:\r\n AAEC\r\n Aw==\r\n\r\nEND:VCARD\r\n";

    #[test]
    fn lines_are_read_as_they_are_meant_and_written_as_the_phone_does() {
        let writing = Writing::default();
        let lines = read(CARD.as_bytes(), &writing);
        assert_eq!(lines[2].text(), Some("Öberg;Per-Olof"));
        assert_eq!(lines[2].parts(), ["Öberg", "Per-Olof"]);
        assert_eq!(lines[3].group.as_deref(), Some("item1"));
        assert_eq!(lines[3].types(), ["CELL"]);
        assert_eq!(lines[4].text(), Some("a b"));
        assert_eq!(lines[5].value, Value::Base64("AAECAw==".into()));
        assert_eq!(lines.len(), 7);
        assert_eq!(read(&write(&lines, &writing), &writing).len(), 7);

        let latin = Writing {
            charset: "ISO-8859-1".into(),
            writes_charset_parameter: false,
            quotes_8_bit: true,
            ..Writing::default()
        };
        let written = String::from_utf8(write(&lines, &latin)).expect("quoted");
        assert!(
            written.contains("N;ENCODING=QUOTED-PRINTABLE:=D6berg;Per-Olof\r\n"),
            "{written}"
        );
    }

    #[test]
    fn a_phone_that_knows_no_broken_lines_loses_what_follows() {
        let writing = Writing {
            reads_broken_lines: false,
            ..Writing::default()
        };
        let lines = read(CARD.as_bytes(), &writing);
        assert_eq!(lines[2].text(), Some("Öberg;Per"));
        assert_eq!(lines[4].text(), Some("a"));
        assert!(lines[2].broken && lines[4].broken);
    }

    #[test]
    fn a_phone_of_another_charset_misreads_what_it_is_not_told() {
        let ignorant = Writing {
            charset: "ISO-8859-1".into(),
            reads_charset_parameter: false,
            ..Writing::default()
        };
        let lines = read(CARD.as_bytes(), &ignorant);
        assert!(
            lines[2].misread && lines[2].text() == Some("Ã–berg;Per-Olof"),
            "{lines:?}"
        );
        let right = "N;ENCODING=QUOTED-PRINTABLE:=D6berg\r\n";
        let line = &read(right.as_bytes(), &ignorant)[0];
        assert!(!line.misread && line.text() == Some("Öberg"), "{line:?}");
    }

    #[test]
    fn any_octets_are_borne() {
        let writing = Writing::default();
        for end in 0..CARD.len() {
            let _ = read(&CARD.as_bytes()[..end], &writing);
        }
        for odd in [
            "",
            ":",
            ";:",
            "A",
            "=\r\n=\r\n",
            "A;ENCODING=QUOTED-PRINTABLE:=",
            "\n\n \n",
        ] {
            let lines = read(odd.as_bytes(), &writing);
            let _ = write(&lines, &writing);
        }
    }
}
