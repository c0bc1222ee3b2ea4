//! What is kept of a session for people: what happened to each item, in a compact form that costs no statement of its own.
//!
//! A message's [`Trace`] is a list of [`Event`]s, one after the other: octets for kind and datastore, variable-length
//! numbers (seven bits in an octet, the lowest first), texts with their length before them.

use super::{Datastore, ItemId, Modseq};
use crate::content::Format;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// The device sent an Add; `code` is the Status for it.
    ReceivedAdd,
    /// The device sent a Replace; `code` is the Status for it.
    ReceivedReplace,
    /// The device sent a Delete; `code` is the Status for it.
    ReceivedDelete,
    /// An Add went to the device.
    SentAdd,
    /// A Replace went to the device.
    SentReplace,
    /// A Delete went to the device.
    SentDelete,
    /// The device refused what was sent, with `code`.
    Refused,
    /// The device gave an item that it was sent this LUID.
    Mapped,
    /// Something worth knowing, in words.
    Note,
    /// Why this sync compares everything.
    SlowSync,
    /// A conflict that the device's version lost; its body is kept here.
    DeviceLost,
    /// A conflict that the server's version lost; `version` is its number.
    ServerLost,
    /// A deletion by the device is held: the item stays here and is not sent to the device.
    HeldReceived,
    /// A deletion is not sent: the item stays on the device.
    HeldSent,
    /// Deleted here, as the device said or because it did not name it in a refresh.
    Deleted,
}

impl What {
    /// All, in the order of their numbers from 1.
    const ALL: [Self; 15] = [
        Self::ReceivedAdd,
        Self::ReceivedReplace,
        Self::ReceivedDelete,
        Self::SentAdd,
        Self::SentReplace,
        Self::SentDelete,
        Self::Refused,
        Self::Mapped,
        Self::Note,
        Self::SlowSync,
        Self::DeviceLost,
        Self::ServerLost,
        Self::HeldReceived,
        Self::HeldSent,
        Self::Deleted,
    ];
}

/// The order of these is stored.
const FORMATS: [Format; 15] = [
    Format::VCard21,
    Format::VCard30,
    Format::VCard40,
    Format::VCalendar10,
    Format::ICalendar20,
    Format::VNote11,
    Format::PlainText,
    Format::Mail,
    Format::Folder,
    Format::Email,
    Format::Message,
    Format::SifContact,
    Format::SifEvent,
    Format::SifTask,
    Format::SifNote,
];

/// One thing that happened; what does not apply is zero or empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// What.
    pub what: What,
    /// In which datastore.
    pub view: Option<Datastore>,
    /// To which item.
    pub item: ItemId,
    /// Status code.
    pub code: u16,
    /// The version that it is about.
    pub version: Modseq,
    /// The device's id of the item.
    pub luid: &'a str,
    /// In words.
    pub text: &'a str,
    /// A body that is kept nowhere else.
    pub body: Option<(Format, &'a [u8])>,
}

impl Event<'_> {
    /// Nothing but what happened, and where.
    pub const fn new(what: What, view: Option<Datastore>) -> Self {
        Self {
            what,
            view,
            item: ItemId(0),
            code: 0,
            version: Modseq(0),
            luid: "",
            text: "",
            body: None,
        }
    }
}

/// The events of one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trace(Vec<u8>);

/// What is stored is no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the record of what happened cannot be read")]
pub struct BadTrace;

impl Trace {
    /// Appends an event.
    pub fn push(&mut self, event: &Event<'_>) {
        let out = &mut self.0;
        out.push(event.what as u8 + 1);
        out.push(event.view.map_or(0, |view| view.number() as u8));
        number(out, event.item.0.unsigned_abs());
        number(out, u64::from(event.code));
        number(out, event.version.0.unsigned_abs());
        octets(out, event.luid.as_bytes());
        octets(out, event.text.as_bytes());
        match event.body {
            None => out.push(0),
            Some((format, body)) => {
                let position = FORMATS.iter().position(|of| *of == format);
                out.push(position.map_or(0, |position| position as u8) + 1);
                octets(out, body);
            }
        }
    }

    /// As it is stored.
    pub fn into_octets(self) -> Vec<u8> {
        self.0
    }
}

/// Reads a stored trace.
pub fn events(mut trace: &[u8]) -> Result<Vec<Event<'_>>, BadTrace> {
    let mut events = Vec::new();
    while let Some((what, rest)) = trace.split_first() {
        let mut input = rest;
        let what = usize::from(*what).checked_sub(1);
        let what = *what.and_then(|at| What::ALL.get(at)).ok_or(BadTrace)?;
        let view = match take_octet(&mut input)? {
            0 => None,
            view => Some(Datastore::from_number(i32::from(view)).ok_or(BadTrace)?),
        };
        let item = ItemId(take_number(&mut input)? as i64);
        let code = u16::try_from(take_number(&mut input)?).map_err(|_| BadTrace)?;
        let version = Modseq(take_number(&mut input)? as i64);
        let luid = take_text(&mut input)?;
        let text = take_text(&mut input)?;
        let body = match take_octet(&mut input)? {
            0 => None,
            format => {
                let format = FORMATS.get(usize::from(format) - 1).ok_or(BadTrace)?;
                Some((*format, take_octets(&mut input)?))
            }
        };
        events.push(Event {
            what,
            view,
            item,
            code,
            version,
            luid,
            text,
            body,
        });
        trace = input;
    }
    Ok(events)
}

/// The items that a message wrote, in the order of their numbers, compact: neighbours take one octet.
pub fn pack_items(items: impl IntoIterator<Item = ItemId>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut last = 0_i64;
    for ItemId(item) in items {
        let step = item.wrapping_sub(last);
        number(&mut out, ((step << 1) ^ (step >> 63)) as u64);
        last = item;
    }
    out
}

/// The items of [`pack_items`].
pub fn unpack_items(mut packed: &[u8]) -> Result<Vec<ItemId>, BadTrace> {
    let mut items = Vec::new();
    let mut last = 0_i64;
    while !packed.is_empty() {
        let step = take_number(&mut packed)?;
        last = last.wrapping_add(((step >> 1) as i64) ^ -((step & 1) as i64));
        items.push(ItemId(last));
    }
    Ok(items)
}

fn number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn octets(out: &mut Vec<u8>, value: &[u8]) {
    number(out, value.len() as u64);
    out.extend_from_slice(value);
}

fn take_octet(input: &mut &[u8]) -> Result<u8, BadTrace> {
    let (octet, rest) = input.split_first().ok_or(BadTrace)?;
    *input = rest;
    Ok(*octet)
}

fn take_number(input: &mut &[u8]) -> Result<u64, BadTrace> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let octet = take_octet(input)?;
        value |= u64::from(octet & 0x7F) << shift;
        if octet < 0x80 {
            return Ok(value);
        }
    }
    Err(BadTrace)
}

fn take_octets<'a>(input: &mut &'a [u8]) -> Result<&'a [u8], BadTrace> {
    let length = usize::try_from(take_number(input)?).map_err(|_| BadTrace)?;
    let (octets, rest) = input.split_at_checked(length).ok_or(BadTrace)?;
    *input = rest;
    Ok(octets)
}

fn take_text<'a>(input: &mut &'a [u8]) -> Result<&'a str, BadTrace> {
    std::str::from_utf8(take_octets(input)?).map_err(|_| BadTrace)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_kind_of_event_comes_back() {
        let mut trace = Trace::default();
        let mut expected = Vec::new();
        for (at, what) in What::ALL.into_iter().enumerate() {
            let event = Event {
                item: ItemId(at as i64 * 1_000_003),
                code: 100 + at as u16,
                version: Modseq(i64::MAX - at as i64),
                luid: "LUID é",
                text: if at % 2 == 0 { "because" } else { "" },
                body: FORMATS.get(at).map(|format| (*format, &b"\0body"[..])),
                ..Event::new(what, Datastore::ALL.get(at).copied())
            };
            trace.push(&event);
            expected.push(event);
        }
        let stored = trace.into_octets();
        assert_eq!(events(&stored), Ok(expected));
        for end in 0..stored.len() {
            // A cut trace is an error or a shorter list; never a panic.
            if let Ok(found) = events(&stored[..end]) {
                assert!(found.len() < What::ALL.len());
            }
        }
    }

    #[test]
    fn neighbours_take_one_octet() {
        let packed = pack_items((7..5007).map(ItemId));
        assert_eq!(packed.len(), 5000);
        assert_eq!(unpack_items(&packed).unwrap().len(), 5000);
        assert_eq!(unpack_items(&[0x80]), Err(BadTrace));
    }

    proptest! {
        #[test]
        fn items_come_back(items in proptest::collection::vec(any::<i64>().prop_map(ItemId), 0..50)) {
            prop_assert_eq!(unpack_items(&pack_items(items.iter().copied())), Ok(items));
        }

        #[test]
        fn what_is_no_trace_is_an_error(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _either = events(&octets);
            let _either = unpack_items(&octets);
        }
    }
}
