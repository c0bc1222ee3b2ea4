//! Items as the store keeps them.

use bytes::Bytes;

use super::{Datastore, DeviceId, ItemId, Modseq};
use crate::content::{Digest, Format, MatchKey};

/// What is known of an item without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemMeta {
    /// Who it is.
    pub id: ItemId,
    /// Where it lives; never [`Datastore::Agenda`].
    pub datastore: Datastore,
    /// Number of its newest write (or of its deletion).
    pub modseq: Modseq,
    /// It is a tombstone.
    pub deleted: bool,
    /// Form of the body.
    pub format: Format,
    /// Of the meaning of the body.
    pub digest: Digest,
    /// For slow-sync matching.
    pub key: MatchKey,
    /// When it was written last, seconds since 1970.
    pub updated: i64,
    /// The folder that it is in: an item of the same datastore. 0 is the top, where flat datastores have all their items.
    pub parent: ItemId,
    /// Number of the newest write of its body: a move does not count. Only read; the store keeps it.
    pub content: Modseq,
}

/// An item with its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is known of it.
    pub meta: ItemMeta,
    /// The body in [`ItemMeta::format`].
    pub body: Bytes,
}

/// A write of an item, new or not. The store keeps the version before as a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemWrite {
    /// What is to be known of it; `deleted` is false (a write brings a tombstone back to life).
    pub meta: ItemMeta,
    /// The body in [`ItemMeta::format`]: what holds from now on.
    pub body: Bytes,
    /// The octets that were received, if `body` was made of them and something else.
    pub original: Option<Vec<u8>>,
    /// The device that wrote it; `None` for the command line and back ends.
    pub origin: Option<DeviceId>,
}
