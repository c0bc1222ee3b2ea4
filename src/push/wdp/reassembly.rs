//! Segments back to datagrams, in any order.

use std::collections::VecDeque;

use super::super::{ReadError, ReadErrorKind};
use super::{Part, Ports, Reference, UserDataHeader};

/// A datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datagram {
    /// Ports; `None` for a message without them, which is for the user.
    pub ports: Option<Ports>,
    /// The octets.
    pub payload: Vec<u8>,
}

/// A datagram whose segments have not all come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Who sends it.
    pub sender: String,
    /// Its reference.
    pub reference: Reference,
    /// How many segments it has.
    pub total: u8,
    /// The numbers of the segments that have not come, in order.
    pub numbers: Vec<u8>,
}

/// Puts segments together. What it keeps is bounded: at most [`Reassembly::MOST_PENDING`] datagrams wait for segments,
/// and the one that has waited longest gives way.
#[derive(Debug, Default)]
pub struct Reassembly {
    pending: VecDeque<Pending>,
}

#[derive(Debug)]
struct Pending {
    sender: String,
    ports: Option<Ports>,
    reference: Reference,
    segments: Vec<Option<Vec<u8>>>,
}

impl Reassembly {
    /// Datagrams that can wait for segments at the same time.
    pub const MOST_PENDING: usize = 32;

    /// Nothing waits.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a short message. Gives the datagram that it completes.
    ///
    /// `udh` is the user data header with its length octet, empty if there is none. A segment that came before is
    /// taken again if it is the same; if it differs, that is an error, and the first one stays. The number of a segment
    /// that comes after its datagram was completed begins a new datagram.
    pub fn add(
        &mut self,
        sender: &str,
        udh: &[u8],
        body: &[u8],
    ) -> Result<Option<Datagram>, ReadError> {
        let header = if udh.is_empty() {
            UserDataHeader::default()
        } else {
            let (header, length) = UserDataHeader::read(udh)?;
            if length < udh.len() {
                let kind = ReadErrorKind::Trailing(udh.len() - length);
                return Err(ReadError::new(length, kind));
            }
            header
        };
        self.add_part(sender, header.ports, header.part, body)
    }

    /// As [`Self::add`], with a header that was read already.
    pub fn add_part(
        &mut self,
        sender: &str,
        ports: Option<Ports>,
        part: Option<Part>,
        body: &[u8],
    ) -> Result<Option<Datagram>, ReadError> {
        let Some(part) = part.filter(|part| part.total > 1) else {
            return Ok(Some(Datagram {
                ports,
                payload: body.to_vec(),
            }));
        };
        let known = self.pending.iter().position(|pending| {
            pending.sender == sender
                && pending.ports == ports
                && pending.reference == part.reference
                && pending.segments.len() == usize::from(part.total)
        });
        let index = known.unwrap_or_else(|| {
            if self.pending.len() >= Self::MOST_PENDING {
                self.pending.pop_front();
            }
            self.pending.push_back(Pending {
                sender: sender.to_owned(),
                ports,
                reference: part.reference,
                segments: vec![None; usize::from(part.total)],
            });
            self.pending.len() - 1
        });
        let kind = ReadErrorKind::Segment {
            number: part.number,
            total: part.total,
        };
        let pending = &mut self.pending[index];
        let place = usize::from(part.number)
            .checked_sub(1)
            .and_then(|number| pending.segments.get_mut(number))
            .ok_or(ReadError::new(0, kind))?;
        match place {
            Some(before) if before != body => {
                let kind = ReadErrorKind::SegmentDiffers(part.number);
                return Err(ReadError::new(0, kind));
            }
            Some(_) => return Ok(None),
            None => *place = Some(body.to_vec()),
        }
        if pending.segments.iter().any(Option::is_none) {
            return Ok(None);
        }
        let whole = self.pending.remove(index);
        let segments = whole.map(|whole| whole.segments).unwrap_or_default();
        Ok(Some(Datagram {
            ports,
            payload: segments.into_iter().flatten().flatten().collect(),
        }))
    }

    /// The datagrams that wait for segments, the oldest first.
    pub fn missing(&self) -> impl Iterator<Item = Missing> {
        self.pending.iter().map(|pending| Missing {
            sender: pending.sender.clone(),
            reference: pending.reference,
            total: pending.segments.len() as u8,
            numbers: (1..=u8::MAX)
                .zip(&pending.segments)
                .filter(|(_, segment)| segment.is_none())
                .map(|(number, _)| number)
                .collect(),
        })
    }
}
