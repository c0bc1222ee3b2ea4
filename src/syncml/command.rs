//! The commands of SyncBody.

use std::borrow::Cow;

use super::{Chal, Code, Cred, DevInf, Meta, PropertyInfo};

/// Target or Source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Location<'a> {
    /// LocURI.
    pub uri: Cow<'a, str>,
    /// LocName.
    pub name: Option<Cow<'a, str>>,
    /// Filter (1.2, Target only).
    pub filter: Option<Box<Filter<'a>>>,
}

impl<'a> Location<'a> {
    /// A location with an address only.
    pub fn new(uri: impl Into<Cow<'a, str>>) -> Self {
        Self {
            uri: uri.into(),
            ..Self::default()
        }
    }
}

/// Filter (1.2): which items, and which of their fields, the peer wants.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter<'a> {
    /// Type is the media type of the items.
    pub meta: Meta<'a>,
    /// Field-level filter.
    pub field: Option<Item<'a>>,
    /// Record-level filter.
    pub record: Option<Item<'a>>,
    /// `EXCLUSIVE` (the default) or `INCLUSIVE`.
    pub filter_type: Option<Cow<'a, str>>,
}

/// What `Data` holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Data<'a> {
    /// No Data element.
    #[default]
    None,
    /// Octets: item bodies, codes, anything that is neither of the others. From XML these are UTF-8.
    Bytes(Cow<'a, [u8]>),
    /// MetInf elements inside Data (the anchor in the Status of an Alert).
    Meta(Box<Meta<'a>>),
    /// A DevInf document, nested, inlined or as text.
    DevInf(Box<DevInf<'a>>),
    /// Property elements of DevInf: the fields that a filter names (1.2).
    Properties(Vec<PropertyInfo<'a>>),
}

impl<'a> Data<'a> {
    /// Octets from text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bytes(Cow::Owned(text.into().into_bytes()))
    }

    /// The octets, if the data are octets.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// There is a Data element.
    pub const fn is_some(&self) -> bool {
        !matches!(self, Self::None)
    }
}

/// Item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item<'a> {
    /// Target.
    pub target: Option<Location<'a>>,
    /// Source.
    pub source: Option<Location<'a>>,
    /// TargetParent (1.2).
    pub target_parent: Option<Cow<'a, str>>,
    /// SourceParent (1.2).
    pub source_parent: Option<Cow<'a, str>>,
    /// Type, Format, Size, Anchor ...
    pub meta: Option<Box<Meta<'a>>>,
    /// The payload.
    pub data: Data<'a>,
    /// More chunks of this object follow.
    pub more_data: bool,
}

/// Which of the item commands a [`Change`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// Add
    Add,
    /// Replace
    Replace,
    /// Delete
    Delete,
    /// Copy
    Copy,
    /// Move (1.2)
    Move,
}

/// Add, Replace, Delete, Copy or Move.
#[derive(Debug, Clone, PartialEq)]
pub struct Change<'a> {
    /// Which command.
    pub kind: ChangeKind,
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Archive (Delete).
    pub archive: bool,
    /// SftDel (Delete).
    pub soft: bool,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Meta for all items.
    pub meta: Option<Box<Meta<'a>>>,
    /// At least one.
    pub items: Vec<Item<'a>>,
}

/// Alert.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alert<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// The alert code in Data, `None` if it is missing or no number.
    pub code: Option<u32>,
    /// Correlator (1.2).
    pub correlator: Option<Cow<'a, str>>,
    /// One per datastore.
    pub items: Vec<Item<'a>>,
}

/// Map.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Map<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// The server's datastore.
    pub target: Location<'a>,
    /// The client's datastore.
    pub source: Location<'a>,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// GUID and LUID pairs.
    pub items: Vec<MapItem<'a>>,
}

/// MapItem.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MapItem<'a> {
    /// The server's (temporary) GUID.
    pub target: Cow<'a, str>,
    /// The client's LUID.
    pub source: Cow<'a, str>,
}

/// Put.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Put<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Lang.
    pub lang: Option<Cow<'a, str>>,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// The documents.
    pub items: Vec<Item<'a>>,
}

/// Get.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Get<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Lang.
    pub lang: Option<Cow<'a, str>>,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// What is asked for.
    pub items: Vec<Item<'a>>,
}

/// Results.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// MsgRef.
    pub msg_ref: Option<Cow<'a, str>>,
    /// CmdRef.
    pub cmd_ref: Cow<'a, str>,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// TargetRef.
    pub target_ref: Option<Cow<'a, str>>,
    /// SourceRef.
    pub source_ref: Option<Cow<'a, str>>,
    /// The answers.
    pub items: Vec<Item<'a>>,
}

/// Status.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Status<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// MsgRef: MsgID of the message that is answered.
    pub msg_ref: Cow<'a, str>,
    /// CmdRef: CmdID of the command that is answered, `0` for the header.
    pub cmd_ref: Cow<'a, str>,
    /// Cmd: name of the command that is answered.
    pub cmd: Cow<'a, str>,
    /// TargetRef, any number.
    pub target_refs: Vec<Cow<'a, str>>,
    /// SourceRef, any number.
    pub source_refs: Vec<Cow<'a, str>>,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Chal.
    pub chal: Option<Box<Chal<'a>>>,
    /// Data: the code; 0 if it is missing or no number.
    pub code: Code,
    /// Items, such as the echoed anchor.
    pub items: Vec<Item<'a>>,
}

/// Sync.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sync<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// The receiver's datastore.
    pub target: Option<Location<'a>>,
    /// The sender's datastore.
    pub source: Option<Location<'a>>,
    /// Mem, MaxObjSize.
    pub meta: Option<Box<Meta<'a>>>,
    /// NumberOfChanges (1.1).
    pub number_of_changes: Option<u64>,
    /// Item commands, Atomic, Sequence.
    pub commands: Vec<Command<'a>>,
}

/// Atomic or Sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GroupKind {
    /// All or nothing.
    Atomic,
    /// In this order.
    Sequence,
}

/// Atomic or Sequence with its commands.
#[derive(Debug, Clone, PartialEq)]
pub struct Group<'a> {
    /// Which of the two.
    pub kind: GroupKind,
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// The commands.
    pub commands: Vec<Command<'a>>,
}

/// Exec.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exec<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Meta.
    pub meta: Option<Box<Meta<'a>>>,
    /// Correlator (1.2).
    pub correlator: Option<Cow<'a, str>>,
    /// What to run.
    pub items: Vec<Item<'a>>,
}

/// Search.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Search<'a> {
    /// CmdID.
    pub cmd_id: Cow<'a, str>,
    /// NoResp.
    pub no_resp: bool,
    /// NoResults.
    pub no_results: bool,
    /// Cred.
    pub cred: Option<Box<Cred<'a>>>,
    /// Where the results should be.
    pub target: Option<Location<'a>>,
    /// Where to look; at least one.
    pub sources: Vec<Location<'a>>,
    /// Lang.
    pub lang: Option<Cow<'a, str>>,
    /// Meta: Type is the search grammar.
    pub meta: Option<Box<Meta<'a>>>,
    /// The query.
    pub data: Data<'a>,
}

/// A command of SyncBody, or of Sync, Atomic and Sequence.
#[derive(Debug, Clone, PartialEq)]
pub enum Command<'a> {
    /// Add, Replace, Delete, Copy, Move
    Change(Change<'a>),
    /// Alert
    Alert(Alert<'a>),
    /// Atomic, Sequence
    Group(Group<'a>),
    /// Exec
    Exec(Exec<'a>),
    /// Get
    Get(Get<'a>),
    /// Map
    Map(Map<'a>),
    /// Put
    Put(Put<'a>),
    /// Results
    Results(Results<'a>),
    /// Search
    Search(Search<'a>),
    /// Status
    Status(Status<'a>),
    /// Sync
    Sync(Sync<'a>),
    /// An element that no version of SyncML has as a command; answered with 501.
    Unknown {
        /// The element's name.
        name: Cow<'a, str>,
        /// Its CmdID, empty if it has none.
        cmd_id: Cow<'a, str>,
    },
}

impl Command<'_> {
    /// The element's name, as Status/Cmd wants it.
    pub fn name(&self) -> &str {
        match self {
            Self::Change(change) => change.kind.name(),
            Self::Alert(_) => "Alert",
            Self::Group(group) => match group.kind {
                GroupKind::Atomic => "Atomic",
                GroupKind::Sequence => "Sequence",
            },
            Self::Exec(_) => "Exec",
            Self::Get(_) => "Get",
            Self::Map(_) => "Map",
            Self::Put(_) => "Put",
            Self::Results(_) => "Results",
            Self::Search(_) => "Search",
            Self::Status(_) => "Status",
            Self::Sync(_) => "Sync",
            Self::Unknown { name, .. } => name,
        }
    }

    /// CmdID as it came.
    pub fn cmd_id(&self) -> &str {
        match self {
            Self::Change(c) => &c.cmd_id,
            Self::Alert(c) => &c.cmd_id,
            Self::Group(c) => &c.cmd_id,
            Self::Exec(c) => &c.cmd_id,
            Self::Get(c) => &c.cmd_id,
            Self::Map(c) => &c.cmd_id,
            Self::Put(c) => &c.cmd_id,
            Self::Results(c) => &c.cmd_id,
            Self::Search(c) => &c.cmd_id,
            Self::Status(c) => &c.cmd_id,
            Self::Sync(c) => &c.cmd_id,
            Self::Unknown { cmd_id, .. } => cmd_id,
        }
    }

    /// The command wants no Status.
    pub fn no_resp(&self) -> bool {
        match self {
            Self::Change(c) => c.no_resp,
            Self::Alert(c) => c.no_resp,
            Self::Group(c) => c.no_resp,
            Self::Exec(c) => c.no_resp,
            Self::Get(c) => c.no_resp,
            Self::Put(c) => c.no_resp,
            Self::Search(c) => c.no_resp,
            Self::Sync(c) => c.no_resp,
            Self::Map(_) | Self::Results(_) | Self::Status(_) | Self::Unknown { .. } => false,
        }
    }
}

impl ChangeKind {
    /// The element's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Add => "Add",
            Self::Replace => "Replace",
            Self::Delete => "Delete",
            Self::Copy => "Copy",
            Self::Move => "Move",
        }
    }
}
