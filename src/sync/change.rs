//! What a message changes. All of it is one transaction.

use super::{
    AccountId, Asked, Datastore, Device, DeviceId, Entry, ItemId, ItemWrite, Modseq, Round,
    StoredSession, ViewState,
};

/// One write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A new or changed item; the version before is kept as a revision.
    PutItem(ItemWrite),
    /// The item goes into another folder; nothing else of it changes.
    MoveItem {
        /// Which.
        item: ItemId,
        /// The folder; 0 is the top.
        parent: ItemId,
        /// Number of this write.
        modseq: Modseq,
        /// Who did it.
        origin: Option<DeviceId>,
    },
    /// The item becomes a tombstone (its body is kept).
    DeleteItem {
        /// Which.
        item: ItemId,
        /// Number of this write.
        modseq: Modseq,
        /// Who did it.
        origin: Option<DeviceId>,
    },
    /// Inserts or replaces the device's entry for an item.
    PutEntry {
        /// The view.
        view: Datastore,
        /// Keyed by its item.
        entry: Entry,
    },
    /// The device named these items in this round; nothing else of their entries changes.
    ClaimEntries {
        /// The view.
        view: Datastore,
        /// The round.
        round: Round,
        /// Items that have an entry.
        items: Vec<ItemId>,
    },
    /// The device has the item no longer.
    DropEntry {
        /// The view.
        view: Datastore,
        /// Which.
        item: ItemId,
    },
    /// Drops the entries of rounds before this one: what a slow sync or refresh did not name is not on the device.
    DropEntriesBefore {
        /// The view.
        view: Datastore,
        /// Entries of this round stay.
        round: Round,
    },
    /// Inserts or replaces the state of a view.
    PutView {
        /// The view.
        view: Datastore,
        /// Its state.
        state: ViewState,
    },
    /// All that was sent in this round and before is confirmed, or will not be sent again.
    Settle {
        /// The view.
        view: Datastore,
        /// The round.
        round: Round,
    },
    /// The device's user is shown the texts up to this number: they are gone.
    DropAnnouncements {
        /// The number of the last one.
        upto: i64,
    },
    /// A mail of the account is in its outbox now, put there by the device: it is to be sent, once.
    SubmitMail {
        /// Which.
        item: ItemId,
    },
    /// The device asked for more of a mail than is stored: whoever watches its mailbox is to fetch all of it. Nothing if no server
    /// has it.
    AskForRest(Asked),
    /// The device has got what it asked for.
    GotRest {
        /// Which.
        item: ItemId,
    },
    /// Replaces what is known of the device (nonces, DevInf, user agent, last seen).
    PutDevice(Box<Device>),
}

/// All writes of one message, with what they rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Whose.
    pub account: AccountId,
    /// Which device's entries, views and session are meant. Without one there are only item changes.
    pub device: Option<DeviceId>,
    /// The account's counter when the items were read. If items are written and it moved since, nothing is written
    /// and the store answers with a conflict; the message is then worked on again.
    pub expected: Modseq,
    /// The counter after the writes.
    pub modseq: Modseq,
    /// The next free item id after the writes.
    pub next_item: ItemId,
    /// In order.
    pub changes: Vec<Change>,
    /// The session's new state.
    pub session: Option<SessionWrite>,
    /// Seconds since 1970.
    pub now: i64,
}

/// The session's new state and the reply that goes out after the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWrite {
    /// `step` is the step after this message; the stored one must be one less (absent for 1), else conflict.
    pub state: StoredSession,
    /// Other sessions of the device end with this one's beginning: their rows are removed.
    pub supersede: bool,
    /// What is kept of this message for people; `None` if sessions are not recorded. With `supersede` it begins a new
    /// recording, else it belongs to that of `state`.
    pub recording: Option<RecordingWrite>,
}

/// What is kept of one message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordingWrite {
    /// The device's address.
    pub device: String,
    /// Deletions were held with this message, and wait for the operator.
    pub holds: bool,
    /// The numbers of the message's item writes follow this one.
    pub modseq_before: Modseq,
    /// Content type of request and reply.
    pub content_type: String,
    /// What the session did with each datastore so far, as JSON.
    pub summary: String,
    /// The items that it wrote, as [`super::recording::pack_items`] packs them.
    pub written: Vec<u8>,
    /// Its [`super::recording::Trace`]; empty if that is not kept.
    pub trace: Vec<u8>,
    /// As it came, without credentials; empty if messages are not kept.
    pub request: Vec<u8>,
    /// The reply goes into the recording too.
    pub keeps_reply: bool,
}
