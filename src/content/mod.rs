//! Items as data: reading and writing vCard, vCalendar, iCalendar and notes.

mod model;

pub use model::{Component, Kind, Param, Property, Record, Value};

/// Digest of an item's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest(pub [u8; 16]);

/// Hash of what identifies an item when ids do not help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct MatchKey(pub i64);

/// The wire form of an item.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Format {
    /// vCard 2.1
    VCard21,
    /// vCard 3.0
    VCard30,
    /// vCard 4.0
    VCard40,
    /// vCalendar 1.0
    VCalendar10,
    /// iCalendar 2.0
    ICalendar20,
    /// vNote 1.1
    VNote11,
    /// Text
    PlainText,
}
