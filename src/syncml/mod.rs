//! SyncML messages as types (SyncML Representation Protocol 1.0, 1.1, 1.2).
//!
//! One model for every version and for both carriers. Decoding borrows from the request. A value that the
//! specification lets appear in several places ([`Meta`], [`Item`], [`Location`]) is one type here.
//!
//! [`Meta`]: crate::syncml::Meta
//! [`Item`]: crate::syncml::Item
//! [`Location`]: crate::syncml::Location

pub mod codec;
mod command;
mod devinf;
mod meta;
mod owned;
mod status;
mod version;

pub use codec::{Form, decode, decode_devinf, encode, encode_devinf, encoded_len, header_len};
pub use command::{
    Alert, Change, ChangeKind, Command, Data, Exec, Filter, Get, Group, GroupKind, Item, Location,
    Map, MapItem, Put, Results, Search, Status, Sync,
};
pub use devinf::{
    ContentType, CtCap, DataStoreInfo, DevInf, FilterCap, Memory, ParamInfo, PropertyInfo,
};
pub use meta::{Anchor, Mem, Meta};
pub use status::Code;
pub use version::{Carrier, Version};

use std::borrow::Cow;

/// One SyncML message: header and body (one HTTP request or response).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message<'a> {
    /// SyncHdr.
    pub header: Header<'a>,
    /// The commands of SyncBody, in order.
    pub body: Vec<Command<'a>>,
    /// The message carries `Final`: it is the last of its package.
    pub last: bool,
}

/// SyncHdr.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Header<'a> {
    /// VerDTD as it came, such as `1.2`.
    pub ver_dtd: Cow<'a, str>,
    /// VerProto as it came, such as `SyncML/1.2`.
    pub ver_proto: Cow<'a, str>,
    /// Chosen by the client; opaque.
    pub session_id: Cow<'a, str>,
    /// Counts per direction, usually from 1; opaque here because phones differ.
    pub msg_id: Cow<'a, str>,
    /// The receiver.
    pub target: Location<'a>,
    /// The sender; for a phone LocURI is its device id and LocName may be the user name.
    pub source: Location<'a>,
    /// Where the answer has to go.
    pub resp_uri: Option<Cow<'a, str>>,
    /// No command of this message wants a Status.
    pub no_resp: bool,
    /// Credentials.
    pub cred: Option<Cred<'a>>,
    /// MaxMsgSize, MaxObjSize, EMI.
    pub meta: Option<Meta<'a>>,
}

/// Cred: who the sender says that it is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cred<'a> {
    /// Type and Format of the data.
    pub meta: Meta<'a>,
    /// As transferred (usually base64), or raw digest bytes.
    pub data: Cow<'a, [u8]>,
}

/// Chal: what the sender of a Status wants to see as credentials.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chal<'a> {
    /// Type, Format and NextNonce.
    pub meta: Meta<'a>,
}

impl Header<'_> {
    /// The protocol version, by VerProto, else by VerDTD; `None` if neither names one that exists.
    pub fn version(&self) -> Option<Version> {
        Version::from_proto(&self.ver_proto).or_else(|| Version::from_dtd(&self.ver_dtd))
    }
}
