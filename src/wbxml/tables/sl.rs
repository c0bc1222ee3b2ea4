//! Service loading (WAP-168).

use super::{AttrStart, AttrValue, attr_start as start, attr_value as value};

/// The number of this code page.
pub(crate) const SPACE: u8 = 4;

page! {
    4,
    0x05 "sl" SL;
}

/// Attribute names.
pub(super) static ATTR_STARTS: &[AttrStart] = &[
    start(0, 0x05, "action", "execute-low"),
    start(0, 0x06, "action", "execute-high"),
    start(0, 0x07, "action", "cache"),
    start(0, 0x08, "href", ""),
    start(0, 0x09, "href", "http://"),
    start(0, 0x0A, "href", "http://www."),
    start(0, 0x0B, "href", "https://"),
    start(0, 0x0C, "href", "https://www."),
];

/// Parts of attribute values.
pub(super) static ATTR_VALUES: &[AttrValue] = &[
    value(0, 0x85, ".com/"),
    value(0, 0x86, ".edu/"),
    value(0, 0x87, ".net/"),
    value(0, 0x88, ".org/"),
];
