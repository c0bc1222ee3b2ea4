//! Text XML from and to the stream of events that WBXML has.
//!
//! Invariants: no entity but the five predefined ones and character references is ever replaced, document type
//! declarations are skipped, depth and number of elements have limits, line ends in text stay as they came (no
//! normalisation, because item data are octets), and a carriage return is written as `&#13;`, so that no reader
//! normalises it away.
//!
//! Elements become the same [`Tag`]s as in WBXML. Namespaces are compared without regard to case, may be prefixed, and
//! may be missing: then the name decides, first in the namespace of the parent. Elements of foreign namespaces have
//! no tag.
//!
//! [`Tag`]: crate::wbxml::Tag

mod charset;
mod reader;
#[cfg(test)]
mod tests;
mod writer;

pub use charset::decode_text;
pub use reader::Reader;
pub(crate) use reader::{Text, Token};
pub(crate) use writer::Writer;
pub use writer::{holds, write};

use crate::wbxml::tables::{devinf, metinf, syncml};

/// Space of elements whose namespace is not of this protocol family.
const FOREIGN: u8 = u8::MAX;

/// The space that a namespace names.
fn space_of(namespace: &str) -> u8 {
    let namespace = namespace.trim().to_ascii_lowercase();
    if !namespace.starts_with("syncml:") {
        FOREIGN
    } else if namespace.contains("metinf") {
        metinf::SPACE
    } else if namespace.contains("devinf") {
        devinf::SPACE
    } else {
        syncml::SPACE
    }
}
