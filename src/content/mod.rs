//! Items as data: reading and writing vCard, vCalendar, iCalendar and notes.

mod model;

pub use model::{Component, Kind, Param, Property, Record, Value};
