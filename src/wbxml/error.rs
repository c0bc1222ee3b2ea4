//! What can be wrong with a document, and where. XML documents share these kinds.

/// A document that cannot be read on from `offset`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at offset {offset}")]
pub struct DecodeError {
    /// Octets from the start of the document to the place that could not be read.
    pub offset: u32,
    /// What is wrong there.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The input ends inside the document.
    #[error("the document is cut off")]
    Truncated,
    /// More octets than [`super::Limits::max_bytes`].
    #[error("the document is too large")]
    TooLarge,
    /// Elements nested deeper than [`super::Limits::max_depth`].
    #[error("elements are nested too deep")]
    TooDeep,
    /// More elements than [`super::Limits::max_elements`].
    #[error("too many elements")]
    TooManyElements,
    /// The string table is larger than [`super::Limits::max_string_table`].
    #[error("the string table is too large")]
    StringTableTooLarge,
    /// Opaque data larger than [`super::Limits::max_opaque`].
    #[error("opaque data of {0} octets are too large")]
    OpaqueTooLarge(u32),
    /// The first octet names no WBXML version that is known.
    #[error("WBXML version octet 0x{0:02X} is not supported")]
    WbxmlVersion(u8),
    /// The public identifier names no document type that is known here, or not the one that was asked for.
    #[error("public identifier 0x{0:X} is not supported here")]
    PublicId(u32),
    /// The public identifier in the string table names no document type that is known here.
    #[error("the public identifier in the string table is not supported here")]
    PublicIdText,
    /// The character set (IANA MIBenum) is not supported.
    #[error("character set {0} is not supported")]
    Charset(u32),
    /// The XML declaration names an encoding that is not supported.
    #[error("the declared encoding is not supported")]
    Encoding,
    /// An `mb_u_int32` does not fit into 32 bits.
    #[error("a number does not fit into 32 bits")]
    Integer,
    /// An index that is not in the string table.
    #[error("string table index {0} is outside of the table")]
    StringTableIndex(u32),
    /// A token that this document type does not use.
    #[error("token 0x{0:02X} is not supported")]
    Token(u8),
    /// A character entity that is no character.
    #[error("character {0} does not exist")]
    Entity(u32),
    /// A reference to an entity that is neither predefined nor a character.
    #[error("an entity reference that is not predefined")]
    UnknownEntity,
    /// The root element is not the one that was asked for.
    #[error("unexpected root element")]
    Root,
    /// A SyncML document without SyncHdr.
    #[error("the message has no SyncHdr")]
    NoHeader,
    /// The XML is not well-formed.
    #[error("the XML is not well-formed")]
    Syntax,
    /// There is no document.
    #[error("the document is empty")]
    Empty,
}
