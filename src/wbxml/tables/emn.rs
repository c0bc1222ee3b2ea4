//! Email notification (OMA EMN 1.0).

use super::{AttrStart, AttrValue, attr_start as start, attr_value as value};

/// The number of this code page.
pub(crate) const SPACE: u8 = 5;

page! {
    5,
    0x05 "emn" EMN;
}

/// Attribute names.
pub(super) static ATTR_STARTS: &[AttrStart] = &[
    start(0, 0x05, "timestamp", ""),
    start(0, 0x06, "mailbox", ""),
    start(0, 0x07, "mailbox", "mailat:"),
    start(0, 0x08, "mailbox", "pop://"),
    start(0, 0x09, "mailbox", "imap://"),
    start(0, 0x0A, "mailbox", "http://"),
    start(0, 0x0B, "mailbox", "http://www."),
    start(0, 0x0C, "mailbox", "https://"),
    start(0, 0x0D, "mailbox", "https://www."),
];

/// Parts of attribute values.
pub(super) static ATTR_VALUES: &[AttrValue] = &[
    value(0, 0x85, ".com"),
    value(0, 0x86, ".edu"),
    value(0, 0x87, ".net"),
    value(0, 0x88, ".org"),
];
