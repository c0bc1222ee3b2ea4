//! Bytes to text: charsets as phones name them, and BASE64 as they write it.
//!
//! Values in legacy forms name a CHARSET each (vCard 2.1 section 2.1.6); what names none is UTF-8 by SyncML practice,
//! or windows-1252 where it is no UTF-8. Invariant: every input gives a text.

use std::borrow::Cow;

use super::Text;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A character encoding that a peer has named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charset(&'static Encoding);

impl Charset {
    /// Finds a charset by any of its usual names, in any case; none if it is unknown.
    pub(super) fn for_label(label: &str) -> Option<Self> {
        let label = label.trim().trim_matches('"');
        let encoding = Encoding::for_label_no_replacement(label.as_bytes()).or_else(|| {
            let known = |names: &[&str]| names.iter().any(|name| label.eq_ignore_ascii_case(name));
            if known(&["ANSI", "LATIN-1", "ISO8859", "CP1252"]) {
                Some(WINDOWS_1252)
            } else if known(&["UTF", "UTF8", "UTF_8", "UNICODE-1-1-UTF-8"]) {
                Some(UTF_8)
            } else if known(&["SHIFT-JIS", "SJIS", "CP932"]) {
                Encoding::for_label(b"shift_jis")
            } else {
                None
            }
        })?;
        Some(Self(encoding))
    }

    /// How it is written.
    pub(super) fn encoding(self) -> &'static Encoding {
        self.0
    }
}

/// Decodes a value; without a charset as UTF-8, and as windows-1252 where it is none.
pub(super) fn decode(bytes: &[u8], charset: Option<Charset>) -> Text {
    let named = charset
        .map(|charset| charset.0)
        .filter(|encoding| *encoding != UTF_8);
    if let Some(encoding) =
        named.filter(|encoding| !bytes.is_ascii() || *encoding == UTF_16LE || *encoding == UTF_16BE)
    {
        return encoding.decode_without_bom_handling(bytes).0.into();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0.into(),
    }
}

/// The body as bytes that hold ASCII: UTF-16, by its byte order mark, its look or its label, becomes UTF-8.
pub(super) fn unwide<'a>(body: &'a [u8], charset: Option<&str>) -> Cow<'a, [u8]> {
    let encoding = match body {
        [0xFF, 0xFE, ..] => UTF_16LE,
        [0xFE, 0xFF, ..] => UTF_16BE,
        [0, first, ..] if first.is_ascii() && *first != 0 => UTF_16BE,
        [first, 0, ..] if first.is_ascii() && *first != 0 => UTF_16LE,
        _ => {
            let wide = charset
                .and_then(Charset::for_label)
                .filter(|charset| [UTF_16LE, UTF_16BE].contains(&charset.0));
            match wide {
                Some(charset) if body.contains(&0) => charset.0,
                _ => return Cow::Borrowed(body),
            }
        }
    };
    Cow::Owned(
        encoding
            .decode_with_bom_removal(body)
            .0
            .into_owned()
            .into_bytes(),
    )
}

/// A text in ISO-8859-1, and whether that is all of it; typographic characters become their nearest, others `?`.
pub(super) fn latin1(text: &[u8]) -> (Vec<u8>, bool) {
    let text = String::from_utf8_lossy(text);
    let mut bytes = Vec::with_capacity(text.len());
    let mut exact = true;
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(byte) if !(0x80..0xA0).contains(&byte) => bytes.push(byte),
            _ => {
                exact = false;
                bytes.extend_from_slice(nearest(character));
            }
        }
    }
    (bytes, exact)
}

/// What stands for a character that ISO-8859-1 does not have.
fn nearest(character: char) -> &'static [u8] {
    match character {
        '\u{2018}' | '\u{2019}' | '\u{201A}' | '\u{2032}' => b"'",
        '\u{201C}' | '\u{201D}' | '\u{201E}' | '\u{2033}' => b"\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => b"-",
        '\u{2026}' => b"...",
        '\u{2022}' => b"*",
        '\u{20AC}' => b"EUR",
        '\u{2000}'..='\u{200A}' | '\u{202F}' => b" ",
        '\u{0152}' => b"OE",
        '\u{0153}' => b"oe",
        '\u{0160}' => b"S",
        '\u{0161}' => b"s",
        '\u{017D}' => b"Z",
        '\u{017E}' => b"z",
        '\u{0178}' => b"Y",
        '\u{2122}' => b"TM",
        _ => b"?",
    }
}

/// Decodes BASE64, whatever stands between its characters and however it is padded; none if it is no BASE64.
pub(super) fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    if let Ok(bytes) = LENIENT.decode(text) {
        return Some(bytes);
    }
    let data: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        .collect();
    LENIENT.decode(data).ok()
}
