//! Values of header fields and parameters (WSP 8.4.1.2, 8.4.2).

use super::super::octets::Octets;
use super::super::{BuildError, ReadError, ReadErrorKind};
use crate::wbxml::lenient_utf8;

/// A value, by the shape of its octets. The same shape can mean different things in different fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number.
    Integer(u32),
    /// Text.
    Text(String),
    /// Octets of a shape that only the field's definition explains.
    Octets(Vec<u8>),
}

impl Value {
    /// The number.
    pub const fn integer(&self) -> Option<u32> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) -> Result<(), BuildError> {
        match self {
            Self::Integer(value) => {
                integer(out, *value);
                Ok(())
            }
            Self::Text(value) => text(out, value),
            Self::Octets(octets) => {
                value_length(out, octets.len());
                out.extend_from_slice(octets);
                Ok(())
            }
        }
    }

    /// Reads a value of a header field: its first octet says its shape. Up to four octets with a length are taken for
    /// a number, because that is what they are in every field that a push has.
    pub(super) fn read(octets: &mut Octets<'_>) -> Result<Self, ReadError> {
        match octets.peek() {
            Some(first @ 0x80..) => {
                octets.octet()?;
                Ok(Self::Integer(u32::from(first & 0x7F)))
            }
            Some(0x20..=0x7F) => read_text(octets).map(Self::Text),
            _ => {
                let length = read_value_length(octets)?;
                let data = octets.take(length)?;
                Ok(if (1..=4).contains(&data.len()) {
                    Self::Integer(big_endian(data))
                } else {
                    Self::Octets(data.to_vec())
                })
            }
        }
    }

    /// Reads a value of a content type parameter. No value at all is a single octet 0.
    pub(super) fn read_parameter(octets: &mut Octets<'_>) -> Result<Self, ReadError> {
        match octets.peek() {
            Some(0) => {
                octets.octet()?;
                Ok(Self::Text(String::new()))
            }
            Some(0x01..=0x1E | 0x80..) => read_integer(octets).map(Self::Integer),
            _ => read_text(octets).map(Self::Text),
        }
    }
}

/// Writes a short integer, or a long one.
pub(super) fn integer(out: &mut Vec<u8>, value: u32) {
    match u8::try_from(value) {
        Ok(value @ 0..=0x7F) => out.push(0x80 | value),
        _ => long_integer(out, value),
    }
}

fn long_integer(out: &mut Vec<u8>, value: u32) {
    let octets = value.to_be_bytes();
    let zeros = octets.iter().take(3).take_while(|&&octet| octet == 0);
    let from = zeros.count();
    out.push((octets.len() - from) as u8);
    out.extend_from_slice(&octets[from..]);
}

pub(super) fn read_integer(octets: &mut Octets<'_>) -> Result<u32, ReadError> {
    let at = octets.offset();
    match octets.octet()? {
        short @ 0x80.. => Ok(u32::from(short & 0x7F)),
        length @ 1..=4 => Ok(big_endian(octets.take(usize::from(length))?)),
        _ => Err(octets.fail(at, ReadErrorKind::Number("WSP header"))),
    }
}

fn big_endian(octets: &[u8]) -> u32 {
    let shifted = octets.iter().take(4);
    shifted.fold(0, |value, &octet| value << 8 | u32::from(octet))
}

/// Writes text with its 0; text that could be taken for another shape is quoted.
pub(super) fn text(out: &mut Vec<u8>, text: &str) -> Result<(), BuildError> {
    if text.as_bytes().contains(&0) {
        return Err(BuildError::Zero("WSP header"));
    }
    if !text.is_empty() && !matches!(text.as_bytes()[0], 0x20..=0x7E) {
        out.push(0x7F);
    }
    out.extend_from_slice(text.as_bytes());
    out.push(0);
    Ok(())
}

/// Reads text: without the quote of text that begins with a high octet, and without the one sign before a quoted
/// string, which has no other at its end.
pub(super) fn read_text(octets: &mut Octets<'_>) -> Result<String, ReadError> {
    let text = octets.text()?;
    let text = match text {
        [0x7F, rest @ ..] => rest,
        [b'"', rest @ ..] if !rest.ends_with(b"\"") => rest,
        text => text,
    };
    Ok(lenient_utf8(text).into_owned())
}

pub(super) fn value_length(out: &mut Vec<u8>, length: usize) {
    match u8::try_from(length) {
        Ok(short @ 0..=0x1E) => out.push(short),
        _ => {
            out.push(0x1F);
            crate::wbxml::integer(out, length as u32);
        }
    }
}

pub(super) fn read_value_length(octets: &mut Octets<'_>) -> Result<usize, ReadError> {
    let at = octets.offset();
    match octets.octet()? {
        short @ 0..=0x1E => Ok(usize::from(short)),
        0x1F => Ok(octets.uintvar()? as usize),
        _ => Err(octets.fail(at, ReadErrorKind::Number("WSP header"))),
    }
}
