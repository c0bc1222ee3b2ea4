//! Short messages as phones, modems and gateways show them: SMS-DELIVER and SMS-SUBMIT (3GPP TS 23.040 9.2), Kannel's
//! lines and requests, and the spool files of smstools and Gammu.

mod forms;
#[cfg(test)]
mod tests;
mod tpdu;

pub use forms::{looks_like_messages, read_text};

use super::wdp::{Segment, UserDataHeader};
use super::{ReadError, ReadErrorKind};

/// Short messages that are taken of one input.
pub const MOST_MESSAGES: usize = 1_000;

/// Which way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// To a phone (SMS-DELIVER).
    Deliver,
    /// From a phone, or into a gateway (SMS-SUBMIT).
    Submit,
}

/// What a message holds after its header.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// 8-bit data.
    Octets(Vec<u8>),
    /// Text, decoded.
    Text(String),
}

/// Without the content.
impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Octets(octets) => write!(f, "{} octets", octets.len()),
            Self::Text(text) => write!(f, "text of {} characters", text.chars().count()),
        }
    }
}

/// A short message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortMessage {
    /// Which way, if the form says it.
    pub direction: Option<Direction>,
    /// The sender's number, as far as the form says it.
    pub from: Option<String>,
    /// The receiver's number, as far as the form says it.
    pub to: Option<String>,
    /// The user data header with its length octet; empty if there is none.
    pub udh: Vec<u8>,
    /// What follows it.
    pub content: Content,
}

impl ShortMessage {
    /// A message of 8-bit data.
    pub const fn data(udh: Vec<u8>, body: Vec<u8>) -> Self {
        Self {
            direction: None,
            from: None,
            to: None,
            udh,
            content: Content::Octets(body),
        }
    }

    /// The user data header, read.
    pub fn header(&self) -> Result<UserDataHeader, ReadError> {
        if self.udh.is_empty() {
            return Ok(UserDataHeader::default());
        }
        let (header, length) = UserDataHeader::read(&self.udh)?;
        match self.udh.len() - length {
            0 => Ok(header),
            more => Err(ReadError::new(length, ReadErrorKind::Trailing(more))),
        }
    }

    /// The content as octets; text in UTF-8.
    pub fn octets(&self) -> &[u8] {
        match &self.content {
            Content::Octets(octets) => octets,
            Content::Text(text) => text.as_bytes(),
        }
    }

    /// Reads one message from octets: a user data header with its data if it has ports or concatenation, else an
    /// SMS-DELIVER or SMS-SUBMIT with or without the service centre's address.
    pub fn read(input: &[u8]) -> Result<Self, ReadError> {
        let header = UserDataHeader::read(input);
        if let Ok((header, length)) = &header
            && (header.ports.is_some() || header.part.is_some())
        {
            return Ok(Self::data(
                input[..*length].to_vec(),
                input[*length..].to_vec(),
            ));
        }
        // What begins like a header of this kind is one, and its error tells more.
        tpdu::read(input).map_err(|error| match (header, input) {
            (Err(header), [_, 0x00, 3, ..] | [_, 0x04, 2, ..] | [_, 0x05 | 0x08, 4, ..]) => header,
            _ => error,
        })
    }

    /// The SMS-SUBMIT of a segment of 8-bit data, as modems take it, without the service centre's address. `number` has
    /// digits, and a `+` before an international one; what is no digit is left out.
    pub fn submit(number: &str, segment: &Segment) -> Vec<u8> {
        tpdu::submit(number, segment)
    }

    /// The SMS-DELIVER of a segment of 8-bit data, as a phone gets it, without the service centre's address. The time
    /// stamp is in the digits of its seven octets: year to second of two digits each, then the zone.
    pub fn deliver(number: &str, stamp: [u8; 7], segment: &Segment) -> Vec<u8> {
        tpdu::deliver(number, stamp, segment)
    }
}
