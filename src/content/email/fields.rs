//! Header fields and bodies as they are written: to phones, and to the world.
//!
//! RFC 5322 sections 2.2 and 3.6, RFC 2047 for texts that are not ASCII, RFC 2045 for bodies. Whatever the text, a field is one field: control
//! characters are blanks before anything else is done.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::head::{Mailbox, clean};
use super::letters::Letters;

/// Columns of a line.
const COLUMNS: usize = 76;
/// Octets of a text in one encoded word.
const WORD: usize = 36;
/// Octets of a line that every server takes (RFC 5322 section 2.1.1), without its end.
const MOST_LINE: usize = 998;

/// How a body that is not plain ASCII is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum BodyCoding {
    /// Octets as they are.
    EightBit,
    /// Quoted-printable.
    #[default]
    Quoted,
    /// Base64.
    Base64,
}

/// A message that is being written.
pub(super) struct Fields {
    pub out: Vec<u8>,
    letters: Letters,
}

impl Fields {
    pub(super) const fn new(letters: Letters) -> Self {
        Self {
            out: Vec::new(),
            letters,
        }
    }

    fn begin(&mut self, name: &str) -> usize {
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b": ");
        name.len() + 2
    }

    fn end(&mut self) {
        self.out.extend_from_slice(b"\r\n");
    }

    /// Appends words to a field, on a new line where this one is full.
    fn word(&mut self, column: &mut usize, word: &str, first: bool) {
        if !first {
            if *column + 1 + word.len() > COLUMNS {
                self.out.extend_from_slice(b"\r\n");
                *column = 0;
            }
            self.out.push(b' ');
            *column += 1;
        }
        self.out.extend_from_slice(word.as_bytes());
        *column += word.len();
    }

    /// A field that is ASCII already and has no line breaks.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        let mut column = self.begin(name);
        let value = clean(value);
        for (index, word) in value.split(' ').enumerate() {
            self.word(&mut column, word, index == 0);
        }
        self.end();
    }

    /// A text of any letters, such as a subject.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        let mut column = self.begin(name);
        for (index, word) in self.words(&clean(text)).iter().enumerate() {
            self.word(&mut column, word, index == 0);
        }
        self.end();
    }

    /// A text as words that can stand in a field.
    fn words(&self, text: &str) -> Vec<String> {
        let plain = text.is_ascii()
            && !text.contains("=?")
            && !text.contains("]]>")
            && text.split(' ').all(|word| word.len() < 200);
        if plain {
            return text.split(' ').map(str::to_owned).collect();
        }
        let mut words = Vec::new();
        let mut chunk: Vec<u8> = Vec::with_capacity(WORD);
        let name = self.letters.name();
        let coded = |chunk: &[u8]| format!("=?{name}?B?{}?=", STANDARD.encode(chunk));
        self.letters.write(text, |octets| {
            if chunk.len() + octets.len() > WORD {
                words.push(coded(&chunk));
                chunk.clear();
            }
            chunk.extend_from_slice(octets);
            true
        });
        if !chunk.is_empty() {
            words.push(coded(&chunk));
        }
        words
    }

    /// A list of mailboxes; nothing if it is empty.
    pub(super) fn mailboxes(&mut self, name: &str, list: &[Mailbox]) {
        let list: Vec<&Mailbox> = list.iter().filter(|of| !of.address.is_empty()).collect();
        if list.is_empty() {
            return;
        }
        let mut column = self.begin(name);
        for (index, mailbox) in list.iter().enumerate() {
            let comma = if index + 1 < list.len() { "," } else { "" };
            let mut words = if mailbox.name.is_empty() {
                Vec::new()
            } else if is_phrase(&mailbox.name) {
                vec![mailbox.name.clone()]
            } else if mailbox.name.is_ascii()
                && !mailbox.name.contains("]]>")
                && !mailbox.name.contains("=?")
            {
                let escaped = mailbox.name.replace('\\', "\\\\").replace('"', "\\\"");
                vec![format!("\"{escaped}\"")]
            } else {
                self.words(&mailbox.name)
            };
            let address = if words.is_empty() {
                format!("{}{comma}", mailbox.address)
            } else {
                format!("<{}>{comma}", mailbox.address)
            };
            words.push(address);
            for (at, word) in words.iter().enumerate() {
                self.word(&mut column, word, index == 0 && at == 0);
            }
        }
        self.end();
    }

    /// A time, in seconds since 1970, as UTC.
    pub(super) fn date(&mut self, name: &str, time: i64) {
        if let Some(time) = chrono::DateTime::from_timestamp(time, 0) {
            self.plain(
                name,
                &time.format("%a, %d %b %Y %H:%M:%S +0000").to_string(),
            );
        }
    }

    /// Message ids; nothing if there are none.
    pub(super) fn ids<'a>(&mut self, name: &str, ids: impl IntoIterator<Item = &'a String>) {
        let ids: Vec<String> = ids.into_iter().map(|id| format!("<{id}>")).collect();
        if !ids.is_empty() {
            self.plain(name, &ids.join(" "));
        }
    }

    /// The fields of a text, an empty line, and the text. `text` is in the device's charset, with `\n` for line breaks.
    pub(super) fn body(&mut self, media: &str, text: &[u8], coding: BodyCoding) {
        let ascii = text.is_ascii();
        let safe = !text.contains(&0) && memchr::memmem::find(text, b"]]>").is_none();
        let short = text
            .split(|octet| *octet == b'\n')
            .all(|line| line.len() <= MOST_LINE);
        let charset = if ascii {
            "us-ascii"
        } else {
            self.letters.name()
        };
        self.plain("Content-Type", &format!("{media}; charset={charset}"));
        let plain = safe && short && (ascii || coding == BodyCoding::EightBit);
        let (name, coding) = match coding {
            _ if plain && ascii => ("7bit", None),
            _ if plain => ("8bit", None),
            BodyCoding::Base64 => ("base64", Some(BodyCoding::Base64)),
            BodyCoding::EightBit | BodyCoding::Quoted => {
                ("quoted-printable", Some(BodyCoding::Quoted))
            }
        };
        self.plain("Content-Transfer-Encoding", name);
        self.end();
        match coding {
            None => {
                for line in text.split(|octet| *octet == b'\n') {
                    self.out.extend_from_slice(line);
                    self.end();
                }
            }
            Some(BodyCoding::Base64) => {
                let mut lines = Vec::with_capacity(text.len() + text.len() / 32);
                for (index, line) in text.split(|octet| *octet == b'\n').enumerate() {
                    if index > 0 {
                        lines.extend_from_slice(b"\r\n");
                    }
                    lines.extend_from_slice(line);
                }
                self.base64(&lines);
            }
            Some(_) => self.quoted(text),
        }
    }

    /// Octets as base64 in lines.
    pub(super) fn base64(&mut self, octets: &[u8]) {
        for line in octets.chunks(COLUMNS / 4 * 3) {
            self.out.extend_from_slice(STANDARD.encode(line).as_bytes());
            self.end();
        }
    }

    /// What is base64 already, in lines of its own letters alone.
    pub(super) fn base64_again(&mut self, coded: &[u8]) {
        let mut column = 0;
        let letters = coded
            .iter()
            .filter(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'='));
        for octet in letters {
            self.out.push(*octet);
            column += 1;
            if column == COLUMNS {
                self.end();
                column = 0;
            }
        }
        if column > 0 {
            self.end();
        }
    }

    fn quoted(&mut self, text: &[u8]) {
        for line in text.split(|octet| *octet == b'\n') {
            let mut column = 0;
            for (at, octet) in line.iter().enumerate() {
                let last = at + 1 == line.len();
                let plain = match octet {
                    b'=' => false,
                    // So that no section of XML ends in it.
                    b'>' => !line[..at].ends_with(b"]]"),
                    b' ' | b'\t' => !last,
                    // A line that is a dot, or begins like an mbox line.
                    b'.' | b'F' if at == 0 => false,
                    0x21..=0x7E => true,
                    _ => false,
                };
                let width = if plain { 1 } else { 3 };
                if column + width > COLUMNS - 1 {
                    self.out.extend_from_slice(b"=\r\n");
                    column = 0;
                }
                if plain {
                    self.out.push(*octet);
                } else {
                    self.out
                        .extend_from_slice(format!("={octet:02X}").as_bytes());
                }
                column += width;
            }
            self.end();
        }
    }
}

/// Words that need no quotation marks.
fn is_phrase(name: &str) -> bool {
    let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/^_`{|}~ ".contains(c);
    !name.is_empty() && name.len() <= 70 && name.chars().all(atom)
}
