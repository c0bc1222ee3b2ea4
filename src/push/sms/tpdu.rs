//! SMS-DELIVER and SMS-SUBMIT as octets (3GPP TS 23.040 9.2.2, 9.2.3).

use super::super::octets::Octets;
use super::super::wdp::{MESSAGE, Segment};
use super::super::{ReadError, ReadErrorKind, gsm};
use super::{Content, Direction, ShortMessage};

const DELIVER: u8 = 0b00;
const SUBMIT: u8 = 0b01;
const HAS_HEADER: u8 = 0x40;
/// No more messages wait at the service centre.
const NO_MORE: u8 = 0x04;
/// Data coding scheme: 8-bit data.
const OCTETS: u8 = 0x04;
const INTERNATIONAL: u8 = 0x91;
const NATIONAL: u8 = 0x81;
const ALPHANUMERIC: u8 = 0x50;
const TYPE_OF_NUMBER: u8 = 0x70;
/// Digits of an address.
const MOST_DIGITS: u8 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Septets,
    Octets,
    Ucs2,
}

/// The alphabet that a data coding scheme names (3GPP TS 23.038 4).
fn coding(dcs: u8) -> Coding {
    let alphabet = match dcs >> 4 {
        0x0..=0x7 => dcs >> 2 & 3,
        0xE => 2,
        0xF => dcs >> 2 & 1,
        _ => 0,
    };
    match alphabet {
        1 => Coding::Octets,
        2 => Coding::Ucs2,
        _ => Coding::Septets,
    }
}

/// Reads a message, with or without the service centre's address before it: as it fits.
pub(super) fn read(input: &[u8]) -> Result<ShortMessage, ReadError> {
    let plain = read_at(input, 0);
    if plain.is_ok() {
        return plain;
    }
    let length = usize::from(input.first().copied().unwrap_or_default());
    if length <= 11 && length + 1 < input.len() {
        let with_centre = read_at(input, length + 1);
        // The address has a type octet whose highest bit is set.
        if with_centre.is_ok() || (length > 0 && input[1] & 0x80 != 0) {
            return with_centre;
        }
    }
    plain
}

fn read_at(input: &[u8], from: usize) -> Result<ShortMessage, ReadError> {
    let mut octets = Octets::new(input, "short message");
    octets.take(from)?;
    let first = octets.octet()?;
    let (direction, number) = match first & 0b11 {
        DELIVER => (Direction::Deliver, address(&mut octets)?),
        SUBMIT => {
            octets.octet()?;
            (Direction::Submit, address(&mut octets)?)
        }
        other => return Err(octets.fail(from, ReadErrorKind::MessageType(other))),
    };
    octets.octet()?;
    let coding = coding(octets.octet()?);
    match (direction, first >> 3 & 0b11) {
        (Direction::Deliver, _) | (Direction::Submit, 0b01 | 0b11) => octets.take(7)?,
        (Direction::Submit, 0b10) => octets.take(1)?,
        (Direction::Submit, _) => &[],
    };
    let at = octets.offset();
    let units = usize::from(octets.octet()?);
    let length = match coding {
        Coding::Septets => (units * 7).div_ceil(8),
        Coding::Octets | Coding::Ucs2 => units,
    };
    if length > MESSAGE {
        return Err(octets.fail(at, ReadErrorKind::Number("short message")));
    }
    let data = octets.take(length)?;
    if !octets.is_empty() {
        let rest = octets.offset();
        let more = octets.rest().len();
        return Err(octets.fail(rest, ReadErrorKind::Trailing(more)));
    }
    let udh_length = if first & HAS_HEADER == 0 {
        0
    } else {
        1 + usize::from(data.first().copied().unwrap_or_default())
    };
    let udh = data
        .get(..udh_length)
        .ok_or_else(|| octets.fail(at + 1, ReadErrorKind::Truncated("user data header")))?;
    let body = &data[udh_length..];
    let content = match coding {
        Coding::Octets => Content::Octets(body.to_vec()),
        Coding::Ucs2 => Content::Text(gsm::ucs2_text(body)),
        Coding::Septets => {
            // Text begins at the next septet border.
            let header = (udh_length * 8).div_ceil(7);
            let fill = (header * 7 - udh_length * 8) as u8;
            let count = units.saturating_sub(header);
            Content::Text(gsm::text(&gsm::unpack(body, count, fill)))
        }
    };
    let (from, to) = match direction {
        Direction::Deliver => (Some(number), None),
        Direction::Submit => (None, Some(number)),
    };
    Ok(ShortMessage {
        direction: Some(direction),
        from,
        to,
        udh: udh.to_vec(),
        content,
    })
}

fn address(octets: &mut Octets<'_>) -> Result<String, ReadError> {
    let at = octets.offset();
    let digits = octets.octet()?;
    if digits > MOST_DIGITS {
        return Err(octets.fail(at, ReadErrorKind::Number("number of the short message")));
    }
    let kind = octets.octet()?;
    let data = octets.take(usize::from(digits.div_ceil(2)))?;
    if kind & TYPE_OF_NUMBER == ALPHANUMERIC {
        let count = usize::from(digits) * 4 / 7;
        return Ok(gsm::text(&gsm::unpack(data, count, 0)));
    }
    let mut number = String::new();
    if kind & TYPE_OF_NUMBER == INTERNATIONAL & TYPE_OF_NUMBER {
        number.push('+');
    }
    let halves = data.iter().flat_map(|octet| [octet & 0x0F, octet >> 4]);
    for half in halves.take(usize::from(digits)) {
        number.push(match half {
            0..=9 => char::from(b'0' + half),
            0x0A => '*',
            0x0B => '#',
            0x0C..=0x0E => char::from(b'a' + half - 0x0C),
            _ => continue,
        });
    }
    Ok(number)
}

fn write_address(out: &mut Vec<u8>, number: &str) {
    let kind = if number.starts_with('+') {
        INTERNATIONAL
    } else {
        NATIONAL
    };
    let digits: Vec<u8> = number
        .bytes()
        .filter(u8::is_ascii_digit)
        .take(usize::from(MOST_DIGITS))
        .map(|digit| digit - b'0')
        .collect();
    out.extend([digits.len() as u8, kind]);
    out.extend(
        digits
            .chunks(2)
            .map(|pair| pair.get(1).unwrap_or(&0x0F) << 4 | pair[0]),
    );
}

fn write_data(out: &mut Vec<u8>, segment: &Segment) {
    out.push((segment.udh.len() + segment.body.len()) as u8);
    out.extend_from_slice(&segment.udh);
    out.extend_from_slice(&segment.body);
}

fn header_flag(segment: &Segment) -> u8 {
    if segment.udh.is_empty() {
        0
    } else {
        HAS_HEADER
    }
}

pub(super) fn submit(number: &str, segment: &Segment) -> Vec<u8> {
    let mut out = vec![SUBMIT | header_flag(segment), 0];
    write_address(&mut out, number);
    out.extend([0, OCTETS]);
    write_data(&mut out, segment);
    out
}

pub(super) fn deliver(number: &str, stamp: [u8; 7], segment: &Segment) -> Vec<u8> {
    let mut out = vec![DELIVER | NO_MORE | header_flag(segment)];
    write_address(&mut out, number);
    out.extend([0, OCTETS]);
    out.extend(stamp.map(|digits| ((digits % 10) << 4) | (digits / 10 % 10)));
    write_data(&mut out, segment);
    out
}
