//! Reading recordings: octets of a file become messages.
//!
//! A file may hold one message or many: WBXML, XML, hex of any common layout, HTTP requests and responses with their
//! headers, with text around them. What cannot be read is said with its place; nothing makes the reader fail.

use crate::handset::credentials::from_base64;
use crate::syncml::codec::{Limits, decode};
use crate::syncml::{Carrier, Message};

/// Largest file that is read, octets.
pub(super) const MAX_FILE: usize = 32 << 20;
/// Most messages of one file.
const MAX_MESSAGES: usize = 10_000;

/// Longest first line of an HTTP request, octets.
const MAX_LINE: usize = 1_024;
/// Longest head of an HTTP message, octets.
const MAX_HEAD: usize = 64 << 10;

/// A message of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Where it is from: the file, and the number in it if there are more.
    pub name: String,
    /// XML or WBXML.
    pub carrier: Carrier,
    /// The server sent it.
    pub from_server: bool,
    /// Of its HTTP request.
    pub user_agent: Option<String>,
    /// x-wap-profile or Profile of its HTTP request.
    pub profile: Option<String>,
    /// The message.
    pub message: Message<'static>,
}

/// What a file has.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A message.
    Message(Box<Recorded>),
    /// It looks like a message and cannot be read.
    Unreadable {
        /// Where it is from.
        name: String,
        /// Why, with the place.
        error: String,
    },
    /// There is no message in it.
    Nothing {
        /// Where it is from.
        name: String,
    },
}

/// A piece of a file with what its HTTP head said.
#[derive(Debug, Default)]
struct Piece {
    octets: Vec<u8>,
    from_server: Option<bool>,
    user_agent: Option<String>,
    profile: Option<String>,
}

/// Reads a file.
pub fn read(name: &str, octets: &[u8]) -> Vec<Entry> {
    let octets = &octets[..octets.len().min(MAX_FILE)];
    let decoded = unhex(octets).or_else(|| unbase64(octets));
    let pieces = pieces(decoded.as_deref().unwrap_or(octets));
    let many = pieces.len() > 1;
    let entries: Vec<Entry> = pieces
        .into_iter()
        .take(MAX_MESSAGES)
        .enumerate()
        .map(|(index, piece)| {
            let name = match many {
                true => format!("{name}#{}", index + 1),
                false => name.to_owned(),
            };
            entry(name, piece)
        })
        .collect();
    if entries.is_empty() {
        return vec![Entry::Nothing {
            name: name.to_owned(),
        }];
    }
    entries
}

fn entry(name: String, piece: Piece) -> Entry {
    let carrier = if is_wbxml(&piece.octets) {
        Carrier::Wbxml
    } else {
        Carrier::Xml
    };
    let message = match decode(&piece.octets, carrier, &Limits::default()) {
        Ok(message) => message.into_owned(),
        Err(error) => {
            let error = error.to_string();
            return Entry::Unreadable { name, error };
        }
    };
    let from_server = piece
        .from_server
        .unwrap_or_else(|| from_server(&message, &name));
    Entry::Message(Box::new(Recorded {
        name,
        carrier,
        from_server,
        user_agent: piece.user_agent,
        profile: piece.profile,
        message,
    }))
}

/// Who sent a message of which nothing is known but itself: servers have addresses, phones have ids.
fn from_server(message: &Message<'_>, name: &str) -> bool {
    let is_url = |uri: &str| uri.contains("://");
    let header = &message.header;
    let (source, target) = (is_url(&header.source.uri), is_url(&header.target.uri));
    if source != target {
        return source;
    }
    let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    ["server", "response", "reply", "answer"]
        .iter()
        .any(|word| name.contains(word))
}

fn is_wbxml(octets: &[u8]) -> bool {
    matches!(octets.first(), Some(0x01..=0x03))
}

/// The pieces of a file that may be messages.
fn pieces(octets: &[u8]) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = octets;
    while let Some(at) = http_start(rest) {
        found.extend(bare(&rest[..at]));
        let (piece, len) = http(&rest[at..]);
        let heads = (piece.from_server, piece.user_agent, piece.profile);
        for inner in bare(&piece.octets) {
            found.push(Piece {
                octets: inner.octets,
                from_server: heads.0,
                user_agent: heads.1.clone(),
                profile: heads.2.clone(),
            });
        }
        rest = &rest[at + len..];
    }
    found.extend(bare(rest));
    found
}

/// Where an HTTP request or response begins.
fn http_start(octets: &[u8]) -> Option<usize> {
    let starts = |at: usize| {
        let line = &octets[at..];
        if !line.starts_with(b"POST ") {
            return line.starts_with(b"HTTP/1.");
        }
        let line = &line[..line.len().min(MAX_LINE)];
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or(line);
        find(line, b" HTTP/1.").is_some()
    };
    // A message before it need not end with a line break, so every place counts.
    memchr::memchr2_iter(b'P', b'H', octets).find(|at| starts(*at))
}

/// One HTTP message and its length.
fn http(octets: &[u8]) -> (Piece, usize) {
    let start = &octets[..octets.len().min(MAX_HEAD)];
    let (head, body_at) = match (find(start, b"\r\n\r\n"), find(start, b"\n\n")) {
        (Some(crlf), lf) if lf.is_none_or(|lf| crlf < lf) => (&octets[..crlf], crlf + 4),
        (_, Some(lf)) => (&octets[..lf], lf + 2),
        _ => (start, start.len()),
    };
    let head = String::from_utf8_lossy(head).into_owned();
    let field = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(field, _)| field.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned())
    };
    let rest = &octets[body_at..];
    let chunked = field("Transfer-Encoding")
        .is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    let (body, len) = if chunked {
        dechunk(rest)
    } else {
        let told = field("Content-Length").and_then(|value| value.parse::<usize>().ok());
        let until_next = http_start(rest).unwrap_or(rest.len());
        // A recording may be cut off, or its length may count what a dump changed.
        let len = told.filter(|len| *len <= rest.len()).unwrap_or(until_next);
        let len = len + rest_of_xml(&rest[..len], &rest[len..until_next.max(len)]);
        (rest[..len].to_vec(), len)
    };
    let piece = Piece {
        octets: body,
        from_server: Some(head.starts_with("HTTP/")),
        user_agent: field("User-Agent"),
        profile: field("x-wap-profile").or_else(|| field("Profile")),
    };
    (piece, body_at + len)
}

/// How much of what follows still belongs to an XML message that the told length cuts off: a log counts line ends otherwise.
fn rest_of_xml(body: &[u8], after: &[u8]) -> usize {
    const END: &[u8] = b"</SyncML>";
    if find(body, b"<SyncML").is_none() || find(body, END).is_some() {
        return 0;
    }
    // The end may lie across the border.
    let tail = &body[body.len().saturating_sub(END.len() - 1)..];
    let joined = [tail, after].concat();
    find(&joined, END).map_or(0, |at| at + END.len() - tail.len())
}

fn dechunk(octets: &[u8]) -> (Vec<u8>, usize) {
    let mut body = Vec::new();
    let mut at = 0;
    while let Some(end) = find(&octets[at..], b"\n") {
        let line = String::from_utf8_lossy(&octets[at..at + end]).into_owned();
        let size = line.trim().split(';').next().unwrap_or_default().to_owned();
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            break;
        };
        at += end + 1;
        let part = &octets[at..octets.len().min(at.saturating_add(size))];
        body.extend_from_slice(part);
        at += part.len();
        if octets[at..].starts_with(b"\r\n") {
            at += 2;
        }
        if size == 0 {
            break;
        }
    }
    (body, at)
}

/// Messages without HTTP: one of WBXML, or the XML documents of a text.
fn bare(octets: &[u8]) -> Vec<Piece> {
    let piece = |octets: &[u8]| Piece {
        octets: octets.to_vec(),
        ..Piece::default()
    };
    if is_wbxml(octets) || is_wide(octets) {
        return vec![piece(octets)];
    }
    let mut found = Vec::new();
    let mut rest = octets;
    while let Some(at) = root(rest) {
        let end = find(&rest[at..], b"</SyncML").map(|end| {
            let end = at + end;
            let close = rest[end..].iter().position(|byte| *byte == b'>');
            close.map_or(rest.len(), |close| end + close + 1)
        });
        let end = end.unwrap_or(rest.len());
        // The declaration says the character set.
        let start = declaration(&rest[..at]).unwrap_or(at);
        found.push(piece(&rest[start..end]));
        rest = &rest[end..];
    }
    if found.is_empty()
        && let Some(at) = signature(octets)
    {
        found.push(piece(&octets[at..]));
    }
    found
}

/// UTF-16: a byte order mark, or `<` and a zero octet.
fn is_wide(octets: &[u8]) -> bool {
    matches!(
        octets,
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [b'<', 0, ..] | [0, b'<', ..]
    )
}

/// The octets that a text of base64 stands for, if they are a message.
fn unbase64(octets: &[u8]) -> Option<Vec<u8>> {
    let decoded = from_base64(octets).filter(|decoded| !decoded.is_empty())?;
    (is_wbxml(&decoded) || root(&decoded).is_some()).then_some(decoded)
}

/// Where the root element of an XML message begins.
fn root(octets: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = find(&octets[from..], b"<SyncML") {
        let at = from + at;
        let next = octets.get(at + 7);
        if next.is_none_or(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')) {
            return Some(at);
        }
        from = at + 7;
    }
    None
}

/// An XML declaration right before the root, but for a document type and comments.
fn declaration(before: &[u8]) -> Option<usize> {
    let at = before.windows(5).rposition(|window| window == b"<?xml")?;
    let between = &before[at..];
    find(between, b"</").is_none().then_some(at)
}

/// Where a WBXML message begins in other octets: version, public id of SyncML, UTF-8.
fn signature(octets: &[u8]) -> Option<usize> {
    let public_ids: [&[u8]; 3] = [
        &[0x9F, 0x51, 0x6A],
        &[0x9F, 0x53, 0x6A],
        &[0xA4, 0x01, 0x6A],
    ];
    octets
        .windows(4)
        .position(|window| matches!(window[0], 0x01..=0x03) && public_ids.contains(&&window[1..]))
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    memchr::memmem::find(text, part)
}

/// The octets that a text of hex stands for: plain, with `0x` and commas, or as a dump with offsets and a column of text.
/// None if the text is not hex.
fn unhex(octets: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(octets).ok()?;
    let mut out = Vec::with_capacity(octets.len() / 2);
    let dump = is_dump(text);
    for line in text.lines() {
        let line = if dump { columns(line) } else { line };
        let line = line
            .replace("0x", " ")
            .replace("0X", " ")
            .replace("\\x", " ");
        let mut high = None;
        for c in line.chars() {
            match (c.to_digit(16), high) {
                (Some(digit), None) => high = Some(digit),
                (Some(digit), Some(first)) => {
                    out.push(u8::try_from(first * 16 + digit).ok()?);
                    high = None;
                }
                (None, None) if c.is_whitespace() || matches!(c, ':' | ',' | '-' | ';') => {}
                _ => return None,
            }
        }
        if high.is_some() {
            return None;
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Every line begins with an offset: longer than an octet, and growing.
fn is_dump(text: &str) -> bool {
    let mut last = None;
    let mut lines = 0;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let Some(offset) = offset(line) else {
            return false;
        };
        if last.is_some_and(|last| offset <= last) {
            return false;
        }
        last = Some(offset);
        lines += 1;
    }
    lines > 0
}

fn offset(line: &str) -> Option<u64> {
    let word = line.split_whitespace().next()?;
    let digits = word.trim_end_matches(':').trim_start_matches("0x");
    let marked = word.ends_with(':') || line[word.len()..].starts_with("  ") || digits.len() >= 7;
    (marked && digits.len() >= 4).then(|| u64::from_str_radix(digits, 16).ok())?
}

/// The columns of octets of a dump's line.
fn columns(line: &str) -> &str {
    let line = line.trim_start();
    let after = line.find(char::is_whitespace).unwrap_or(line.len());
    let rest = line[after..].trim_start();
    let rest = rest.split('|').next().unwrap_or_default();
    // A column of text stands behind two blanks; so does the second half of sixteen octets.
    let mut end = rest.len();
    let mut from = 0;
    while let Some(at) = rest[from..].find("  ") {
        let at = from + at;
        let next = rest[at..].trim_start();
        let is_hex = next
            .split_whitespace()
            .next()
            .is_some_and(|word| word.len() % 2 == 0 && word.chars().all(|c| c.is_ascii_hexdigit()));
        if !is_hex || rest[..at].split_whitespace().map(str::len).sum::<usize>() >= 32 {
            end = at;
            break;
        }
        from = rest.len() - next.len();
    }
    &rest[..end]
}
