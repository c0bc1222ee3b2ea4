//! Service indication (WAP-167).

use super::{AttrStart, AttrValue, attr_start as start, attr_value as value};

/// The number of this code page.
pub(crate) const SPACE: u8 = 3;

page! {
    3,
    0x05 "si" SI;
    0x06 "indication" INDICATION;
    0x07 "info" INFO;
    0x08 "item" ITEM;
}

/// Attribute names.
pub(super) static ATTR_STARTS: &[AttrStart] = &[
    start(0, 0x05, "action", "signal-none"),
    start(0, 0x06, "action", "signal-low"),
    start(0, 0x07, "action", "signal-medium"),
    start(0, 0x08, "action", "signal-high"),
    start(0, 0x09, "action", "delete"),
    start(0, 0x0A, "created", ""),
    start(0, 0x0B, "href", ""),
    start(0, 0x0C, "href", "http://"),
    start(0, 0x0D, "href", "http://www."),
    start(0, 0x0E, "href", "https://"),
    start(0, 0x0F, "href", "https://www."),
    start(0, 0x10, "si-expires", ""),
    start(0, 0x11, "si-id", ""),
    start(0, 0x12, "class", ""),
];

/// Parts of attribute values.
pub(super) static ATTR_VALUES: &[AttrValue] = &[
    value(0, 0x85, ".com/"),
    value(0, 0x86, ".edu/"),
    value(0, 0x87, ".net/"),
    value(0, 0x88, ".org/"),
];
