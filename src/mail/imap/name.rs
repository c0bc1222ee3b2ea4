//! Names of folders: modified UTF-7 (RFC 3501, section 5.1.3) for people, quoted or as literals for the server.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &IMAP_MUTF7,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// A part of a folder's name as the server writes it. What would divide or select folders is `_`, and so is what cannot be seen.
pub(in crate::mail) fn wire_part(text: &str, delimiter: &str) -> String {
    let special = |c: char| c.is_control() || matches!(c, '*' | '%') || delimiter.contains(c);
    let mut out = String::with_capacity(text.len());
    let mut shifted: Vec<u8> = Vec::new();
    let unshift = |out: &mut String, shifted: &mut Vec<u8>| {
        if !shifted.is_empty() {
            out.push('&');
            BASE64.encode_string(std::mem::take(shifted), out);
            out.push('-');
        }
    };
    for c in text.trim().chars() {
        let c = if special(c) { '_' } else { c };
        if matches!(c, ' '..='~') {
            unshift(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    unshift(&mut out, &mut shifted);
    out
}

/// A name as people write it. What is no modified UTF-7 stays as it is.
pub(in crate::mail) fn shown_name(name: &str) -> String {
    decoded(name).unwrap_or_else(|| name.to_owned())
}

fn decoded(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        let (shifted, after) = behind.split_once('-')?;
        if shifted.is_empty() {
            out.push('&');
        } else {
            let octets = BASE64.decode(shifted).ok()?;
            let units = octets
                .chunks_exact(2)
                .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            for c in char::decode_utf16(units) {
                out.push(c.ok()?);
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// An argument of a command.
pub(super) enum Argument {
    Quoted(String),
    /// It cannot be quoted.
    Literal(Vec<u8>),
}

/// A text as an argument.
pub(super) fn argument(text: &str) -> Argument {
    if text
        .bytes()
        .any(|octet| matches!(octet, 0 | b'\r' | b'\n' | 0x80..))
    {
        return Argument::Literal(text.as_bytes().to_vec());
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    Argument::Quoted(quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        for (name, shown) in [
            ("INBOX", "INBOX"),
            ("Entw&APw-rfe", "Entwürfe"),
            ("&ZeVnLIqe-/&U,BTFw-", "日本語/台北"),
            ("a &- b", "a & b"),
            ("&2D3eAA-", "😀"),
            ("R&D", "R&D"),
            ("&2D0-", "&2D0-"),
        ] {
            assert_eq!(shown_name(name), shown);
        }
    }

    #[test]
    fn names_are_written_as_they_are_read() {
        for (shown, name) in [
            ("Entwürfe", "Entw&APw-rfe"),
            ("a & b", "a &- b"),
            ("日本語", "&ZeVnLIqe-"),
            ("😀", "&2D3eAA-"),
            ("ä&ö", "&AOQ-&-&APY-"),
            (" Work ", "Work"),
        ] {
            assert_eq!(wire_part(shown, "/"), name);
            assert_eq!(shown_name(name), shown.trim());
        }
        assert_eq!(wire_part("a/b*c%d\r\ne", "/"), "a_b_c_d__e");
        assert_eq!(wire_part("a/b.c", "."), "a/b_c");
        assert_eq!(wire_part("", "/"), "");
    }

    #[test]
    fn nothing_gets_out_of_the_quotes() {
        let Argument::Quoted(text) = argument("a\"b\\c") else {
            panic!()
        };
        assert_eq!(text, "\"a\\\"b\\\\c\"");
        for text in ["a\r\nA1 LOGOUT", "ü", "\0"] {
            assert!(matches!(argument(text), Argument::Literal(_)));
        }
    }
}
