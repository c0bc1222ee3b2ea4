//! Texts in the letters that a device can show.
//!
//! What its charset does not have becomes the nearest that it has: typography becomes ASCII, letters lose their marks or are transliterated, a
//! pictograph becomes its name in colons. Nothing is left out silently: what has no likeness is `?`.

use encoding_rs::{EncoderResult, Encoding, UTF_8};

use crate::content::charset::Charset;

/// The letters of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letters {
    encoding: &'static Encoding,
    ascii: bool,
    /// Characters beyond the first plane of Unicode are shown.
    astral: bool,
}

impl Letters {
    /// Those of a charset by its name; UTF-8 if it has no such. `astral`: what is beyond the first plane is shown.
    pub(super) fn of(label: Option<&str>, astral: bool) -> Self {
        let label = label.unwrap_or("utf-8");
        let ascii = label.eq_ignore_ascii_case("us-ascii");
        let encoding = Charset::for_label(label).map_or(UTF_8, Charset::encoding);
        // One that can be written.
        let encoding = encoding.output_encoding();
        Self {
            encoding,
            ascii,
            astral,
        }
    }

    /// As a message names it.
    pub(super) fn name(self) -> &'static str {
        match self.encoding.name() {
            _ if self.ascii => "us-ascii",
            // What has another name outside of browsers.
            "windows-1252" => "iso-8859-1",
            "UTF-8" => "utf-8",
            name => name,
        }
    }

    /// A text without the characters that the device does not have, in its charset: `more` gets one character's octets after another, and stops
    /// it by `false`.
    pub(super) fn write(self, text: &str, mut more: impl FnMut(&[u8]) -> bool) {
        let mut encoder = self.encoding.new_encoder();
        for c in text.chars() {
            let mut utf8 = [0; 4];
            let one = c.encode_utf8(&mut utf8);
            let mut octets = [0; 16];
            let direct = self.shows(c) && {
                let (result, _, written) =
                    encoder.encode_from_utf8_without_replacement(one, &mut octets, false);
                matches!(result, EncoderResult::InputEmpty) && {
                    if !more(&octets[..written]) {
                        return;
                    }
                    true
                }
            };
            if !direct && !more(nearest(c).as_bytes()) {
                return;
            }
        }
    }

    fn shows(self, c: char) -> bool {
        // ISO-8859-1 is what is meant, not what windows-1252 has beyond it.
        let beyond = self.name() == "iso-8859-1" && u32::from(c) > 0xFF;
        !beyond && (!self.ascii || c.is_ascii()) && (self.astral || u32::from(c) <= 0xFFFF)
    }

    /// A whole text in the device's charset.
    pub(super) fn octets(self, text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        self.write(text, |octets| {
            out.extend_from_slice(octets);
            true
        });
        out
    }
}

/// What stands for a character, in ASCII.
fn nearest(c: char) -> String {
    match c {
        '\u{20AC}' => "EUR".to_owned(),
        // They only change how others look.
        '\u{200B}'..='\u{200F}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{1F3FB}'..='\u{1F3FF}'
        | '\u{AD}' => String::new(),
        _ => match deunicode::deunicode_char(c) {
            Some(name) if u32::from(c) > 0xFFFF && name.trim().len() > 1 => {
                format!(":{}:", name.trim())
            }
            Some(near) => near.to_owned(),
            None => "?".to_owned(),
        },
    }
}
