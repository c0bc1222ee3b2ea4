//! What can be wrong with octets that are read, and with values that are to become octets.

use crate::wbxml::DecodeError;

/// Octets that cannot be read on from `offset`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct ReadError {
    /// Octets from the start of the input to the place that could not be read.
    pub offset: u32,
    /// What is wrong there.
    pub kind: ReadErrorKind,
}

impl ReadError {
    pub(crate) fn new(offset: usize, kind: ReadErrorKind) -> Self {
        Self {
            offset: u32::try_from(offset).unwrap_or(u32::MAX),
            kind,
        }
    }
}

/// What is wrong with octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The input ends inside a field.
    #[error("the {0} is cut off")]
    Truncated(&'static str),
    /// A number is larger than its field can have.
    #[error("a number in the {0} is too large")]
    Number(&'static str),
    /// A WSP PDU that is no push.
    #[error("WSP PDU type 0x{0:02X} is no push")]
    PduType(u8),
    /// A header field of a code page that no push uses.
    #[error("WSP header code page {0} is not supported")]
    HeaderPage(u8),
    /// More header fields or parameters than are taken.
    #[error("too many header fields")]
    TooManyHeaders,
    /// A protocol version that has no notification of this form.
    #[error("protocol version {}.{} is not supported", .0 / 10, .0 % 10)]
    Version(u16),
    /// A sync type that is not 206 to 210.
    #[error("alert code {0} is no server alert")]
    Alert(u32),
    /// Octets after the end.
    #[error("{0} octets follow the end")]
    Trailing(usize),
    /// An information element whose length does not fit its kind.
    #[error("the information element 0x{0:02X} has a wrong length")]
    ElementLength(u8),
    /// A segment whose number is not among its total.
    #[error("segment {number} of {total} does not exist")]
    Segment {
        /// Its number, from 1.
        number: u8,
        /// How many there are.
        total: u8,
    },
    /// The same segment came twice with different contents.
    #[error("segment {0} came twice with different contents")]
    SegmentDiffers(u8),
    /// The message type of a short message is neither DELIVER nor SUBMIT.
    #[error("message type {0} of a short message is not supported")]
    MessageType(u8),
    /// The text of the form is not as it should be.
    #[error("{0}")]
    Form(&'static str),
    /// A document cannot be read. Its offset is that of the error.
    #[error("{}", .0.kind)]
    Document(DecodeError),
    /// A document of another type.
    #[error("the document is no {0}")]
    DocumentType(&'static str),
    /// A document without an element or attribute that it must have.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that its element or attribute cannot have.
    #[error("{0} has a value that it cannot have")]
    Value(&'static str),
}

/// A value that cannot become octets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A field is too long.
    #[error("the {field} has {octets} octets, at most {most} fit")]
    TooLong {
        /// Which field.
        field: &'static str,
        /// How many octets it has.
        octets: usize,
        /// How many fit.
        most: usize,
    },
    /// More datastores than a notification can name.
    #[error("a notification names at most {most} datastores, not {datastores}", most = super::san::MOST_SYNCS)]
    TooManySyncs {
        /// How many there are.
        datastores: usize,
    },
    /// The payload does not fit into the segments of one message.
    #[error("{octets} octets do not fit into the segments of one message, at most {most} do")]
    TooManySegments {
        /// How many octets there are.
        octets: usize,
        /// How many fit.
        most: usize,
    },
    /// Text with an octet 0 in it, where a 0 ends the text.
    #[error("the {0} has an octet 0 in it")]
    Zero(&'static str),
    /// A name of a header field or parameter that is empty or begins with no sign of ASCII.
    #[error("the name of a WSP header field or parameter begins with a sign of ASCII")]
    Name,
    /// A PIN that is not digits, or has too few or too many.
    #[error("a PIN for this kind of signature has {least} to {most} digits")]
    Pin {
        /// How few it can have.
        least: usize,
        /// How many it can have.
        most: usize,
    },
    /// An IMSI that is not 6 to 15 digits.
    #[error("an IMSI has 6 to 15 digits")]
    Imsi,
    /// A value that must not be empty.
    #[error("the {0} is missing")]
    Missing(&'static str),
    /// A character that the coding does not have.
    #[error("the character {0:?} is not in the GSM alphabet")]
    Character(char),
    /// A value that the form cannot have.
    #[error("{0}")]
    Value(&'static str),
}
