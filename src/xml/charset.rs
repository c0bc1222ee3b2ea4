//! The character set of an XML document: byte order mark, declaration, UTF-8.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

use crate::wbxml::{DecodeError, DecodeErrorKind, Limits, lenient_utf8};

/// Text of a document, by its byte order mark or its declaration, else UTF-8; borrowed if it is UTF-8. Octets that are
/// not UTF-8 are taken for ISO-8859-1.
pub fn decode_text<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Cow<'a, str>, DecodeError> {
    if bytes.len() > limits.max_bytes as usize {
        return Err(DecodeError {
            offset: limits.max_bytes,
            kind: DecodeErrorKind::TooLarge,
        });
    }
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return Ok(if encoding == UTF_8 {
            lenient_utf8(&bytes[mark..])
        } else {
            encoding.decode_without_bom_handling(&bytes[mark..]).0
        });
    }
    // UTF-16 without a mark: `<` and a zero octet.
    match bytes {
        [b'<', 0, ..] => return Ok(encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0),
        [0, b'<', ..] => return Ok(encoding_rs::UTF_16BE.decode_without_bom_handling(bytes).0),
        _ => {}
    }
    match declared(bytes) {
        None => Ok(lenient_utf8(bytes)),
        Some(label) => match Encoding::for_label(label) {
            // A document whose declaration can be read octet by octet is no UTF-16, whatever it says.
            Some(encoding) if encoding == UTF_8 || !encoding.is_ascii_compatible() => {
                Ok(lenient_utf8(bytes))
            }
            Some(encoding) => Ok(encoding.decode_without_bom_handling(bytes).0),
            None => Err(DecodeError {
                offset: 0,
                kind: DecodeErrorKind::Encoding,
            }),
        },
    }
}

/// The value of `encoding` in the declaration.
fn declared(bytes: &[u8]) -> Option<&[u8]> {
    let start = bytes.iter().position(|byte| !byte.is_ascii_whitespace())?;
    let declaration = bytes[start..].strip_prefix(b"<?xml")?;
    let declaration = &declaration[..memchr::memchr(b'>', declaration)?];
    let at = memchr::memmem::find(declaration, b"encoding")?;
    let value = declaration[at + b"encoding".len()..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let (&quote, value) = value.split_first()?;
    let end = memchr::memchr(quote, value)?;
    matches!(quote, b'"' | b'\'').then(|| value[..end].trim_ascii())
}
