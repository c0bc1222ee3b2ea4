//! The words that sessions and stores share, and the pure rules of synchronisation.
//!
//! The session engine asks for loads ([`Query`] gives an [`Answer`]) and hands back what is to be saved
//! ([`Change`], all of one message in one [`Commit`]); the store does both and knows no SyncML. No IO, no clock here.

mod change;
mod conflict;
mod datastore;
mod id;
mod item;
mod mailbox;
mod notification;
mod peer;
mod query;
pub mod recording;
mod view;
mod window;

pub use change::{Change, Commit, RecordingWrite, SessionWrite};
pub use conflict::{ConflictPolicy, Conflicts};
pub use datastore::Datastore;
pub use id::{AccountId, DeviceId, ItemId, Mark, Modseq, Round};
pub use item::{Item, ItemMeta, ItemWrite};
pub use mailbox::{
    Mailbox, MailboxId, MailboxKind, MailboxState, MirrorChange, MirrorFolder, MirrorMessage,
};
pub use notification::{
    Notification, NotificationEvent, NotificationId, NotificationKind, NotificationState,
    PartReceipt, Reach, SubmittedPart,
};
pub use peer::{Account, Device, Peer, PeerQuery, Secret, StoredSession};
pub use query::{
    Answer, Asked, Cursor, Known, KnownQuery, MAX_FOLDERS, Newest, NewestQuery, Outgoing,
    OutgoingQuery, Query, Selection, Tally,
};
pub use view::{Echo, Entry, Generation, ViewState};
pub use window::{MAX_COUNT, Window, Windows};
