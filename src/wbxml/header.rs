//! What stands before the body of a document.

use std::borrow::Cow;

use super::tables::Language;
use super::{Charset, DecodeError, DecodeErrorKind, Limits};

/// The document type as the document names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicId<'a> {
    /// A registered number; 1 is unknown.
    Number(u32),
    /// A formal public identifier in the string table.
    Text(Cow<'a, str>),
}

/// What stands before the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Version octet: 0x01 is 1.1, 0x03 is 1.3.
    pub version: u8,
    /// Document type.
    pub public_id: PublicId<'a>,
    /// Character set of strings.
    pub charset: Charset,
    /// String table, NUL-separated.
    pub string_table: &'a [u8],
}

impl<'a> Header<'a> {
    /// Reads a header. Says where it ends, and the document type: the one that is wanted, if the public identifier
    /// names no other.
    pub(super) fn read(
        input: &'a [u8],
        wanted: Option<&'static Language>,
        limits: &Limits,
    ) -> Result<(Self, usize, &'static Language), DecodeError> {
        let fail = |offset: usize, kind| DecodeError {
            offset: offset as u32,
            kind,
        };
        if input.len() > limits.max_bytes as usize {
            return Err(fail(limits.max_bytes as usize, DecodeErrorKind::TooLarge));
        }
        let Some(&version) = input.first() else {
            return Err(fail(0, DecodeErrorKind::Empty));
        };
        if !(0x01..=0x03).contains(&version) {
            return Err(fail(0, DecodeErrorKind::WbxmlVersion(version)));
        }
        let mut pos = 1;
        let number = integer(input, &mut pos)?;
        let index = if number == 0 {
            Some(integer(input, &mut pos)?)
        } else {
            None
        };
        let charset_at = pos;
        let mib = integer(input, &mut pos)?;
        let charset =
            Charset::from_mib(mib).ok_or(fail(charset_at, DecodeErrorKind::Charset(mib)))?;
        let table_at = pos;
        let length = integer(input, &mut pos)?;
        if length > limits.max_string_table {
            return Err(fail(table_at, DecodeErrorKind::StringTableTooLarge));
        }
        let Some(string_table) = input.get(pos..pos + length as usize) else {
            return Err(fail(input.len(), DecodeErrorKind::Truncated));
        };
        pos += length as usize;
        let (public_id, named) = match index {
            None => (PublicId::Number(number), Language::by_number(number)),
            Some(index) => {
                let text = table_string(string_table, index)
                    .ok_or(fail(1, DecodeErrorKind::StringTableIndex(index)))?;
                let text = charset.decode(text);
                let named = Language::by_text(&text);
                (PublicId::Text(text), named)
            }
        };
        let language = match (wanted, named) {
            (None, Some(named)) => named,
            (Some(wanted), None) => wanted,
            (Some(wanted), Some(named)) if wanted.root == named.root => wanted,
            _ => {
                let kind = match public_id {
                    PublicId::Number(number) => DecodeErrorKind::PublicId(number),
                    PublicId::Text(_) => DecodeErrorKind::PublicIdText,
                };
                return Err(fail(1, kind));
            }
        };
        let header = Self {
            version,
            public_id,
            charset,
            string_table,
        };
        Ok((header, pos, language))
    }
}

/// Reads an `mb_u_int32`: seven bits per octet, the highest bit says that more follow.
#[inline]
pub(super) fn integer(input: &[u8], pos: &mut usize) -> Result<u32, DecodeError> {
    let at = *pos;
    let mut value: u32 = 0;
    loop {
        let Some(&byte) = input.get(*pos) else {
            return Err(DecodeError {
                offset: input.len() as u32,
                kind: DecodeErrorKind::Truncated,
            });
        };
        *pos += 1;
        if value >> 25 != 0 {
            return Err(DecodeError {
                offset: at as u32,
                kind: DecodeErrorKind::Integer,
            });
        }
        value = value << 7 | u32::from(byte & 0x7F);
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
}

/// The string that begins at an index of the string table; the last one need not be terminated.
pub(super) fn table_string(table: &[u8], index: u32) -> Option<&[u8]> {
    let rest = table
        .get(index as usize..)
        .filter(|rest| !rest.is_empty())?;
    Some(rest.split(|&byte| byte == 0).next().unwrap_or_default())
}
