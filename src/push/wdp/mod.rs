//! WDP over GSM short messages (WAP-259 6.5; 3GPP TS 23.040 9.2.3.24): ports and concatenation in the user data header.
//!
//! ```text
//! length of the header 1 octet, then elements: id 1, length 1, data
//! 05 04 dd dd ss ss   ports of 16 bits, destination first        04 02 dd ss   ports of 8 bits
//! 00 03 rr nn ii      reference, segments, this one's number      08 04 rr rr nn ii   the same with 16 bits
//! ```
//!
//! A short message holds 140 octets, header included. All segments of a datagram repeat the ports.

mod reassembly;
#[cfg(test)]
mod tests;

pub use reassembly::{Datagram, Missing, Reassembly};

use super::octets::Octets;
use super::{BuildError, ReadError, ReadErrorKind};

/// Octets of a short message, user data header included.
pub const MESSAGE: usize = 140;
/// Segments of one datagram; their number has eight bits.
pub const MOST_SEGMENTS: usize = 255;
/// Elements of a header that are taken.
const MOST_ELEMENTS: usize = 32;

const CONCATENATION_8: u8 = 0x00;
const PORTS_8: u8 = 0x04;
const PORTS_16: u8 = 0x05;
const CONCATENATION_16: u8 = 0x08;

/// Where a datagram goes to and comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Ports {
    /// Of 16 bits.
    Wide {
        /// On the phone.
        destination: u16,
        /// Of the sender.
        source: u16,
    },
    /// Of 8 bits.
    Narrow {
        /// On the phone.
        destination: u8,
        /// Of the sender.
        source: u8,
    },
}

impl Ports {
    /// WAP push.
    pub const PUSH: Self = Self::wide(2948, 9200);
    /// OMA Client Provisioning. Goes to the port of WAP push as well.
    pub const PROVISIONING: Self = Self::wide(2948, 2948);
    /// Browser settings of Nokia's and Ericsson's OTA.
    pub const OTA_BROWSER: Self = Self::wide(49_999, 49_154);
    /// Sync settings of Nokia's and Ericsson's OTA.
    pub const OTA_SYNC: Self = Self::wide(49_996, 49_154);

    /// Ports of 16 bits.
    pub const fn wide(destination: u16, source: u16) -> Self {
        Self::Wide {
            destination,
            source,
        }
    }

    /// The port on the phone.
    pub fn destination(self) -> u16 {
        match self {
            Self::Wide { destination, .. } => destination,
            Self::Narrow { destination, .. } => destination.into(),
        }
    }

    /// The port of the sender.
    pub fn source(self) -> u16 {
        match self {
            Self::Wide { source, .. } => source,
            Self::Narrow { source, .. } => source.into(),
        }
    }
}

/// What the segments of one datagram have in common, and no other datagram to the same phone has at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reference {
    /// Of 8 bits: what every phone knows.
    Octet(u8),
    /// Of 16 bits: one octet dearer.
    Wide(u16),
}

/// Which segment of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Part {
    /// Of which datagram.
    pub reference: Reference,
    /// How many segments it has.
    pub total: u8,
    /// Which one this is, from 1.
    pub number: u8,
}

/// An element that says neither ports nor concatenation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its id.
    pub id: u8,
    /// Its data, at most 253 octets.
    pub data: Vec<u8>,
}

/// A user data header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserDataHeader {
    /// Ports.
    pub ports: Option<Ports>,
    /// Concatenation.
    pub part: Option<Part>,
    /// Everything else, in order.
    pub others: Vec<Element>,
}

impl UserDataHeader {
    /// The octets, the length included: ports, concatenation, others.
    pub fn octets(&self) -> Result<Vec<u8>, BuildError> {
        let mut out = vec![0];
        match self.ports {
            Some(Ports::Wide {
                destination,
                source,
            }) => {
                out.extend_from_slice(&[PORTS_16, 4]);
                out.extend_from_slice(&destination.to_be_bytes());
                out.extend_from_slice(&source.to_be_bytes());
            }
            Some(Ports::Narrow {
                destination,
                source,
            }) => out.extend_from_slice(&[PORTS_8, 2, destination, source]),
            None => {}
        }
        if let Some(part) = self.part {
            match part.reference {
                Reference::Octet(reference) => {
                    out.extend_from_slice(&[CONCATENATION_8, 3, reference]);
                }
                Reference::Wide(reference) => {
                    out.extend_from_slice(&[CONCATENATION_16, 4]);
                    out.extend_from_slice(&reference.to_be_bytes());
                }
            }
            out.extend_from_slice(&[part.total, part.number]);
        }
        for element in &self.others {
            out.extend_from_slice(&[element.id, element.data.len() as u8]);
            out.extend_from_slice(&element.data);
        }
        if out.len() > MESSAGE {
            return Err(BuildError::TooLong {
                field: "user data header",
                octets: out.len(),
                most: MESSAGE,
            });
        }
        out[0] = (out.len() - 1) as u8;
        Ok(out)
    }

    /// Reads a header at the start of the octets, and says how long it is. Of two elements that say the same the last
    /// one counts.
    pub fn read(input: &[u8]) -> Result<(Self, usize), ReadError> {
        let mut octets = Octets::new(input, "user data header");
        let length = usize::from(octets.octet()?);
        octets.take(length)?;
        let end = octets.offset();
        let mut elements = Octets::new(&input[..end], "user data header");
        elements.octet()?;
        let mut header = Self::default();
        for _ in 0..MOST_ELEMENTS {
            if elements.is_empty() {
                return Ok((header, end));
            }
            let at = elements.offset();
            let id = elements.octet()?;
            let length = usize::from(elements.octet()?);
            let data = elements.take(length)?;
            let part = |reference, total, number| {
                if number == 0 || number > total {
                    return Err(ReadError::new(at, ReadErrorKind::Segment { number, total }));
                }
                Ok(Some(Part {
                    reference,
                    total,
                    number,
                }))
            };
            match (id, data) {
                (CONCATENATION_8, &[reference, total, number]) => {
                    header.part = part(Reference::Octet(reference), total, number)?;
                }
                (CONCATENATION_16, &[high, low, total, number]) => {
                    let reference = Reference::Wide(u16::from_be_bytes([high, low]));
                    header.part = part(reference, total, number)?;
                }
                (PORTS_8, &[destination, source]) => {
                    header.ports = Some(Ports::Narrow {
                        destination,
                        source,
                    });
                }
                (PORTS_16, &[a, b, c, d]) => {
                    header.ports = Some(Ports::wide(
                        u16::from_be_bytes([a, b]),
                        u16::from_be_bytes([c, d]),
                    ));
                }
                (CONCATENATION_8 | CONCATENATION_16 | PORTS_8 | PORTS_16, _) => {
                    return Err(ReadError::new(at, ReadErrorKind::ElementLength(id)));
                }
                _ => header.others.push(Element {
                    id,
                    data: data.to_vec(),
                }),
            }
        }
        let at = elements.offset();
        if elements.is_empty() {
            return Ok((header, end));
        }
        Err(ReadError::new(at, ReadErrorKind::TooManyHeaders))
    }
}

/// One short message of 8-bit data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The user data header, its length octet included.
    pub udh: Vec<u8>,
    /// The octets after it.
    pub body: Vec<u8>,
}

/// Cuts a datagram into short messages. One that fits into a single message is not numbered, and the reference does
/// not matter.
pub fn segments(
    payload: &[u8],
    ports: Ports,
    reference: Reference,
) -> Result<Vec<Segment>, BuildError> {
    let mut header = UserDataHeader {
        ports: Some(ports),
        ..UserDataHeader::default()
    };
    let udh = header.octets()?;
    if udh.len() + payload.len() <= MESSAGE {
        let body = payload.to_vec();
        return Ok(vec![Segment { udh, body }]);
    }
    let part = |total, number| Part {
        reference,
        total,
        number,
    };
    header.part = Some(part(1, 1));
    let room = MESSAGE - header.octets()?.len();
    let total = payload.len().div_ceil(room);
    let most = room * MOST_SEGMENTS;
    let total = u8::try_from(total).map_err(|_| BuildError::TooManySegments {
        octets: payload.len(),
        most,
    })?;
    (1..=total)
        .zip(payload.chunks(room))
        .map(|(number, body)| {
            header.part = Some(part(total, number));
            Ok(Segment {
                udh: header.octets()?,
                body: body.to_vec(),
            })
        })
        .collect()
}
