//! What a session remembers between two messages. Bounded by the size of a message and the number of datastores.

use serde::{Deserialize, Serialize};

use super::repeated::Repeated;
use super::resume::Interrupted;
use super::unmapped::Unmapped;
use crate::filter::Filter;
use crate::sync::{Cursor, Datastore, Entry, Generation, ItemId, Modseq, Round};
use crate::syncml::codec::Form;
use crate::syncml::{Carrier, Code, Message, Version};

/// Octets of a message for a peer that does not say how much it takes.
const DEFAULT_MAX_MESSAGE: u64 = 16_384;
/// Fewer octets than this hold no useful message.
pub(super) const LEAST_MAX_MESSAGE: u64 = 1_024;

/// Which package the session waits for; see the module's documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Phase {
    Initialising,
    Receiving,
    Sending,
    Finishing,
    Done,
}

/// Synchronisation types, by their alert codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Mode {
    TwoWay,
    Slow,
    OneWayFromClient,
    RefreshFromClient,
    OneWayFromServer,
    RefreshFromServer,
}

impl Mode {
    pub(super) const fn from_alert(code: u32) -> Option<Self> {
        match code {
            200 => Some(Self::TwoWay),
            201 => Some(Self::Slow),
            202 => Some(Self::OneWayFromClient),
            203 => Some(Self::RefreshFromClient),
            204 => Some(Self::OneWayFromServer),
            205 => Some(Self::RefreshFromServer),
            // Alerted by the server: the client repeats the code of the notification.
            206 => Some(Self::TwoWay),
            207 => Some(Self::OneWayFromClient),
            208 => Some(Self::RefreshFromClient),
            209 => Some(Self::OneWayFromServer),
            210 => Some(Self::RefreshFromServer),
            _ => None,
        }
    }

    pub(super) const fn alert(self) -> u32 {
        match self {
            Self::TwoWay => 200,
            Self::Slow => 201,
            Self::OneWayFromClient => 202,
            Self::RefreshFromClient => 203,
            Self::OneWayFromServer => 204,
            Self::RefreshFromServer => 205,
        }
    }

    /// The mode rests on a sync before it, so the anchors have to fit.
    pub(super) const fn needs_anchors(self) -> bool {
        matches!(
            self,
            Self::TwoWay | Self::OneWayFromClient | Self::OneWayFromServer
        )
    }

    /// The client sends items.
    pub(super) const fn client_sends(self) -> bool {
        matches!(
            self,
            Self::TwoWay | Self::Slow | Self::OneWayFromClient | Self::RefreshFromClient
        )
    }

    /// The server sends items.
    pub(super) const fn server_sends(self) -> bool {
        matches!(
            self,
            Self::TwoWay | Self::Slow | Self::OneWayFromServer | Self::RefreshFromServer
        )
    }

    /// The client names everything that it has (or wipes it), so entries of earlier rounds say nothing any more.
    pub(super) const fn names_everything(self) -> bool {
        matches!(
            self,
            Self::Slow | Self::RefreshFromClient | Self::RefreshFromServer
        )
    }
}

/// How far the sync of one datastore is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Stage {
    /// Its Alert was accepted; no Sync came yet.
    Alerted,
    /// At least one Sync came.
    Receiving,
    /// The server sends.
    Sending(Cursor),
    /// The server has sent all.
    Sent,
}

/// Numbers of items of one datastore in one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Came from the device as new.
    pub received_added: u32,
    /// Came from the device as changed.
    pub received_replaced: u32,
    /// Came from the device as deleted.
    pub received_deleted: u32,
    /// Came from the device and were known already.
    pub received_equal: u32,
    /// Came from the device and could not be taken.
    pub received_refused: u32,
    /// Deletions by the device that are held.
    #[serde(default)]
    pub received_held: u32,
    /// Both sides had changed them.
    pub conflicts: u32,
    /// Went to the device as new.
    pub sent_added: u32,
    /// Went to the device as changed.
    pub sent_replaced: u32,
    /// Went to the device as deleted.
    pub sent_deleted: u32,
    /// The device refused them.
    pub sent_refused: u32,
    /// Deletions that are not sent, but held.
    #[serde(default)]
    pub sent_held: u32,
}

/// The sync of one datastore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    pub view: Datastore,
    /// The server's datastore as the client addresses it.
    pub local: String,
    /// The client's datastore.
    pub remote: String,
    pub mode: Mode,
    pub stage: Stage,
    pub round: Round,
    /// The generation that this sync rests on.
    pub basis: Option<Generation>,
    pub client_next: String,
    pub server_next: String,
    /// Our Alert for it is still to be sent.
    pub alert_owed: bool,
    /// A Sync of this package 4 went out already.
    pub sync_sent: bool,
    /// The account's counter when all up to it was considered for the device.
    pub considered: Modseq,
    /// Items that were sent in this round and are not confirmed yet.
    #[serde(default)]
    pub unconfirmed: u32,
    /// Those of them that are Adds without an entry.
    #[serde(default, skip_serializing_if = "Unmapped::is_empty")]
    pub unmapped: Unmapped,
    /// As long as the device only repeated items: those.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// It repeated all of them: its entries stay as they are.
    #[serde(default)]
    pub has_all: bool,
    /// The account's counter when the sync began.
    #[serde(default)]
    pub begun_at: Modseq,
    /// The device said that it is full: no more Adds.
    pub full: bool,
    /// Which items and fields the device wants.
    #[serde(default)]
    pub filter: Option<Filter>,
    /// The filter under which the device got what it has.
    #[serde(default)]
    pub held: Option<Filter>,
    /// The two differ: every item is looked at.
    #[serde(default)]
    pub refilter: bool,
    /// They differ in the fields: what the device has is sent again.
    #[serde(default)]
    pub refield: bool,
    pub counts: Counts,
    /// Deletes that are kept back from the device; `None` as long as none was to be sent.
    #[serde(default)]
    pub withheld: Option<u64>,
    /// Items and octets that the device said it has room for.
    #[serde(default)]
    pub free_items: Option<u64>,
    #[serde(default)]
    pub free_octets: Option<u64>,
    /// Last of the client's Alert; what a client that resumes says again.
    #[serde(default)]
    pub client_last: String,
    /// It goes on with what an earlier session began.
    #[serde(default)]
    pub resumed: bool,
    /// A Sync of it came in the session that is resumed, or in one before that.
    #[serde(default)]
    pub begun: bool,
    /// Sent in the session that is resumed, and not answered there.
    #[serde(default)]
    pub again: Vec<ItemId>,
}

impl Link {
    /// Whether an item with this entry was sent in this round (or counts as sent in it) and is not confirmed.
    pub(super) fn awaits(&self, entry: Option<&Entry>) -> bool {
        entry.is_some_and(|entry| entry.sent.is_some() && entry.round == self.round)
    }

    /// A Sync of the client came, here or before the session was resumed.
    pub(super) fn has_begun(&self) -> bool {
        self.begun || self.stage != Stage::Alerted
    }

    /// The base of this sync's changes.
    pub(super) fn base(&self) -> Modseq {
        self.basis
            .as_ref()
            .map_or(Modseq(0), |generation| generation.base)
    }
}

/// A command of ours that has had no Status yet. A message has hundreds: its stored form has no names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AwaitedRow", into = "AwaitedRow")]
pub(super) struct Awaited {
    pub msg: String,
    pub cmd: u32,
    pub link: usize,
    pub item: ItemId,
    pub version: Modseq,
    pub kind: Sent,
    /// A chunk of a large object, not its last one.
    pub chunk: bool,
}

/// The members of [`Awaited`] in their order.
type AwaitedRow = (String, u32, usize, ItemId, Modseq, Sent, bool);

impl From<AwaitedRow> for Awaited {
    fn from((msg, cmd, link, item, version, kind, chunk): AwaitedRow) -> Self {
        Self {
            msg,
            cmd,
            link,
            item,
            version,
            kind,
            chunk,
        }
    }
}

impl From<Awaited> for AwaitedRow {
    fn from(of: Awaited) -> Self {
        (
            of.msg, of.cmd, of.link, of.item, of.version, of.kind, of.chunk,
        )
    }
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Sent {
    Add,
    Replace,
    Delete,
    /// Into another folder.
    Move,
}

/// A Status that is to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owed {
    pub msg_ref: String,
    pub cmd_ref: String,
    pub cmd: String,
    pub target_ref: Option<String>,
    pub source_ref: Option<String>,
    pub code: Code,
    /// The client's Next, echoed.
    pub anchor_next: Option<String>,
}

/// A large object that comes in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Incoming {
    pub link: usize,
    pub luid: String,
    pub size: u64,
    pub kind: Option<String>,
    pub data: String,
    /// Octets of the newest chunk.
    #[serde(default)]
    pub newest: usize,
    /// The session was resumed, and no chunk came since.
    #[serde(default)]
    pub resumed: bool,
    /// What was the newest chunk when the session was resumed each time, as a range: it may have come again behind it.
    #[serde(default)]
    pub doubtful: Vec<Doubt>,
}

/// A chunk that may have come twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Doubt {
    /// Octets before it.
    pub begin: usize,
    /// Its octets.
    pub length: usize,
    /// What followed looked like it.
    pub alike: bool,
}

/// The large object that was put together last: its last chunk may come again in a session that is resumed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub link: usize,
    pub luid: String,
    /// Mark of the last chunk.
    pub chunk: String,
    /// The Status that it got.
    pub code: Code,
}

/// A large object that goes out in chunks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outgoing {
    pub link: usize,
    pub item: ItemId,
    pub version: Modseq,
    pub kind: Sent,
    /// GUID of an Add, LUID of a Replace.
    pub address: String,
    /// Its folder.
    #[serde(default)]
    pub parent: ItemId,
    pub media: String,
    pub body: String,
    pub offset: usize,
    /// Octets that the device confirmed.
    #[serde(default)]
    pub confirmed: usize,
}

/// What the device's DevInf says of its make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Make {
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub software: Option<String>,
}

/// A session's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub version: Version,
    pub carrier: Carrier,
    pub root_namespace: bool,
    pub session: String,
    /// Mark of the credentials that opened it.
    pub cred: Option<String>,
    pub phase: Phase,
    /// Package 1 is closed, package 2 is not.
    pub opening: bool,
    pub max_message: u64,
    pub max_object: u64,
    pub links: Vec<Link>,
    pub awaited: Vec<Awaited>,
    pub backlog: Vec<Owed>,
    /// CmdIDs of Gets whose Results are still to be sent: MsgID and CmdID.
    pub results_owed: Option<(String, String)>,
    /// The device was asked for its DevInf.
    pub devinf_asked: bool,
    pub incoming: Option<Incoming>,
    #[serde(default)]
    pub finished: Option<Finished>,
    pub outgoing: Option<Outgoing>,
    /// Items that were sent with a folder, and it; until their Status comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placed: Vec<(ItemId, ItemId)>,
    /// Mails that were sent with the rest that the device waited for; until their Status comes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rest_sent: Vec<ItemId>,
    /// The large object whose last chunk has no Status yet.
    #[serde(default)]
    pub closing: Option<Outgoing>,
    /// Messages so far.
    pub messages: u32,
    /// Octets of messages so far, both ways, as the recording counts them.
    #[serde(default)]
    pub recorded: u64,
    /// Item commands that came so far.
    #[serde(default)]
    pub commands: u64,
    /// Octets that came so far.
    #[serde(default)]
    pub octets: u64,
    /// Seconds since 1970 of the first message.
    #[serde(default)]
    pub begun: i64,
    /// Messages in a row that brought nothing, and got nothing.
    #[serde(default)]
    pub idle: u32,
    /// The session ended before its syncs did.
    #[serde(default)]
    pub suspended: bool,
    /// Items and octets that the account holds, once that was counted.
    #[serde(default)]
    pub usage: Option<(u64, u64)>,
    /// Something was refused because of the quota.
    #[serde(default)]
    pub over_quota: bool,
    /// What the session before left.
    #[serde(default)]
    pub interrupted: Option<Interrupted>,
    /// The texts that waited for the user were sent.
    #[serde(default)]
    pub announced: bool,
    /// Read from the DevInf once.
    #[serde(default)]
    pub make: Option<Make>,
}

impl State {
    pub(super) fn new(message: &Message<'_>, version: Version, carrier: Carrier) -> Self {
        Self {
            version,
            carrier,
            root_namespace: version > Version::V10,
            session: message.header.session_id.to_string(),
            cred: message.header.cred.as_ref().map(super::auth::mark),
            phase: Phase::Initialising,
            opening: false,
            max_message: DEFAULT_MAX_MESSAGE,
            max_object: 0,
            links: Vec::new(),
            awaited: Vec::new(),
            backlog: Vec::new(),
            results_owed: None,
            devinf_asked: false,
            incoming: None,
            finished: None,
            outgoing: None,
            placed: Vec::new(),
            rest_sent: Vec::new(),
            closing: None,
            messages: 0,
            recorded: 0,
            commands: 0,
            octets: 0,
            begun: 0,
            idle: 0,
            suspended: false,
            usage: None,
            over_quota: false,
            interrupted: None,
            announced: false,
            make: None,
        }
    }

    pub(super) fn form(&self) -> Form {
        let mut form = Form::new(self.carrier, self.version);
        form.root_namespace = self.root_namespace;
        form
    }

    /// Takes over what the header says of the peer's limits.
    pub(super) fn limits(&mut self, message: &Message<'_>) {
        if let Some(meta) = &message.header.meta {
            if let Some(octets) = meta.max_msg_size {
                self.max_message = octets.max(LEAST_MAX_MESSAGE);
            }
            if let Some(octets) = meta.max_obj_size {
                self.max_object = octets;
            }
        }
    }

    /// The round of a view that is being synced; 0 if it is not.
    pub(super) fn round_of(&self, view: Datastore) -> Round {
        self.links
            .iter()
            .find(|link| link.view == view)
            .map_or(Round(0), |link| link.round)
    }

    /// The datastore that a Sync or Map means: by the server's address, else by the client's.
    pub(super) fn link_at(&self, target: Option<&str>, source: Option<&str>) -> Option<usize> {
        let by = |of: fn(&Link) -> &str, uri: Option<&str>| {
            let uri = bare(uri?);
            self.links
                .iter()
                .position(|link| !uri.is_empty() && bare(of(link)) == uri)
        };
        // `./Calendar?EVENT` and `./Calendar?TODO` differ in nothing else.
        let exactly = |uri: &str| self.links.iter().position(|link| link.local == uri);
        target
            .and_then(exactly)
            .or_else(|| by(|link| &link.local, target))
            .or_else(|| by(|link| &link.remote, source))
            .or_else(|| {
                let view = Datastore::resolve(target?)?;
                self.links.iter().position(|link| link.view == view)
            })
    }
}

/// An address without what phones add or leave out.
fn bare(uri: &str) -> String {
    let path = uri.split('?').next().unwrap_or_default();
    path.trim()
        .trim_start_matches("./")
        .trim_matches('/')
        .to_ascii_lowercase()
}
