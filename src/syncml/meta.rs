//! Meta information (OMA SyncML Meta-Information 1.2, and 1.0/1.1).

use std::borrow::Cow;

/// What `Meta` can hold. Absent elements are `None`; an empty `Meta` is the default value.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Meta<'a> {
    /// `b64`, `chr`, `bin` ...
    pub format: Option<Cow<'a, str>>,
    /// Media type of the data, or kind of credentials.
    pub kind: Option<Cow<'a, str>>,
    /// `draft`, `final`, `delete` ...
    pub mark: Option<Cow<'a, str>>,
    /// Octets of a large object.
    pub size: Option<u64>,
    /// Last and Next.
    pub anchor: Option<Anchor<'a>>,
    /// Version of the media type.
    pub version: Option<Cow<'a, str>>,
    /// As transferred: base64 text, or raw octets.
    pub next_nonce: Option<Cow<'a, [u8]>>,
    /// Octets of the largest message that the sender takes.
    pub max_msg_size: Option<u64>,
    /// Octets of the largest object that the sender takes.
    pub max_obj_size: Option<u64>,
    /// Free memory of the datastore.
    pub mem: Option<Mem>,
    /// Experimental information, any number.
    pub emi: Vec<Cow<'a, str>>,
    /// Items carry only changed fields (1.2).
    pub field_level: bool,
}

/// Sync anchors; opaque strings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Anchor<'a> {
    /// The anchor of the last complete sync.
    pub last: Option<Cow<'a, str>>,
    /// The anchor of this one.
    pub next: Cow<'a, str>,
}

/// Dynamic memory information of a datastore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mem {
    /// The memory is shared between datastores.
    pub shared: bool,
    /// Free octets; `u64::MAX` if it is not said.
    pub free: u64,
    /// Free item ids; `u64::MAX` if it is not said.
    pub free_id: u64,
}
