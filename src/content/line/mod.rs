//! Content lines: the one tolerant reader and the one writer under every vCard, vCalendar, iCalendar and vNote form.
//!
//! vCard 2.1 section 2.1, vCalendar 1.0 section 2.1 ([`Form::Legacy`]); RFC 2425 section 5.8, RFC 6350 section 3.2,
//! RFC 5545 section 3.1, RFC 6868 ([`Form::Modern`]). The reader undoes what belongs to the wire: line ends, folding,
//! transfer encodings and charsets. It leaves backslash escapes alone, because only the reader of a property knows
//! whether its value is text, a list or a structure: [`unescape`] and [`split`] are for it. The writer does the reverse.
//!
//! Invariants: one pass over the bytes, no recursion, no panic on any input; everything that a peer controls has a limit;
//! a line that makes no sense is a [`Warning`](super::Warning), not an error.

mod header;
mod reader;
mod tree;
mod writer;

#[cfg(test)]
mod tests;

use super::{Part, Text};
pub(super) use reader::{line_breaks, read_component};
pub(super) use tree::write_tree;
pub(super) use writer::Writer;

/// Largest item body in bytes.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// Deepest nesting of components.
pub(super) const MAX_DEPTH: usize = 8;
/// Most properties of one item, all components together.
pub(super) const MAX_PROPERTIES: usize = 4_096;
/// Most parameters of one property; further ones are left out with a warning.
pub(super) const MAX_PARAMS: usize = 64;
/// Most values of all parameters of one item together; further ones are left out with a warning.
pub(super) const MAX_PARAM_VALUES: usize = 65_536;
/// Most separators in a value that is taken apart; one with more stays a single text.
pub(super) const MAX_PARTS: usize = 1_024;
/// Most warnings kept for one item.
pub(super) const MAX_WARNINGS: usize = 32;

/// The two families of line syntax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// vCard 2.1, vCalendar 1.0, vNote 1.1: quoted-printable, bare parameters, escapes for `;` `,` and `\`.
    Legacy,
    /// vCard 3.0 and 4.0, iCalendar 2.0: backslash escapes, folding inside words, UTF-8.
    Modern,
}

/// Whether a raw value has so many separators that it must not be taken apart.
pub(super) fn is_overlong(value: &str) -> bool {
    value.len() > MAX_PARTS
        && memchr::memchr2_iter(b';', b',', value.as_bytes())
            .nth(MAX_PARTS)
            .is_some()
}

/// Undoes the backslash escapes of one text or piece.
///
/// In [`Form::Legacy`] `\n` is no escape, so that `C:\new` of a phone that escapes nothing stays what it is.
pub(super) fn unescape(value: &str, form: Form) -> Text {
    let Some(first) = memchr::memchr(b'\\', value.as_bytes()) else {
        return value.into();
    };
    let mut text = Text::with_capacity(value.len());
    let (mut plain, mut rest) = value.split_at(first);
    loop {
        text.push_str(plain);
        // Begins with the backslash; what is an escape is ASCII.
        let meaning = match (form, rest.as_bytes().get(1)) {
            (_, Some(next @ (b';' | b',' | b'\\'))) => Some(char::from(*next)),
            (Form::Modern, Some(b'n' | b'N')) => Some('\n'),
            (Form::Modern, Some(next @ (b':' | b'"'))) => Some(char::from(*next)),
            _ => None,
        };
        text.push(meaning.unwrap_or('\\'));
        rest = &rest[1 + usize::from(meaning.is_some())..];
        let Some(next) = memchr::memchr(b'\\', rest.as_bytes()) else {
            text.push_str(rest);
            return text;
        };
        (plain, rest) = rest.split_at(next);
    }
}

/// The pieces of a value between unescaped separators, still escaped.
pub(super) fn pieces(value: &str, separator: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(value);
    std::iter::from_fn(move || {
        let text = rest?;
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(found) = memchr::memchr2(separator, b'\\', &bytes[at..]) {
            at += found;
            if bytes[at] == separator {
                rest = Some(&text[at + 1..]);
                return Some(&text[..at]);
            }
            at += 1 + text[at + 1..].chars().next().map_or(0, char::len_utf8);
        }
        rest = None;
        Some(text)
    })
}

/// The unescaped pieces of a value between unescaped separators (`,` or `;`).
pub(super) fn split(value: &str, separator: u8, form: Form) -> Vec<Text> {
    pieces(value, separator)
        .map(|piece| unescape(piece, form))
        .collect()
}

/// The unescaped parts of a structured value, separated by `;`, each a list separated by `,` in the modern form.
///
/// In the legacy form a comma is only a comma.
pub(super) fn parts(value: &str, form: Form) -> Vec<Part> {
    // The usual ones have five or seven.
    let mut parts = Vec::with_capacity(8);
    for part in pieces(value, b';') {
        let is_list = form == Form::Modern && memchr::memchr(b',', part.as_bytes()).is_some();
        parts.push(if is_list {
            split(part, b',', form).into()
        } else {
            Part::from_buf([unescape(part, form)])
        });
    }
    parts
}
