//! What a session asks the store for. Every query is about one account and one device, which the driver knows.

use super::{Datastore, Entry, Item, ItemId, ItemMeta, Modseq, Round};
use crate::content::MatchKey;

/// A load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Items by LUID, id or match key; answered by [`Answer::Known`].
    Known(KnownQuery),
    /// Items with bodies, tombstones too; unknown ids are left out. Answered by [`Answer::Items`].
    Items(Vec<ItemId>),
    /// For each id the newest kept version that is not newer than the number, if there is one.
    /// Answered by [`Answer::Items`].
    Revisions(Vec<(ItemId, Modseq)>),
    /// The next items to send. Answered by [`Answer::Outgoing`].
    Outgoing(OutgoingQuery),
    /// How many items [`Query::Outgoing`] would give from its cursor on without limits. Answered by [`Answer::Count`].
    Count(OutgoingQuery),
    /// What the account holds. Answered by [`Answer::Usage`]. It looks at every living item: to be asked seldom.
    Usage,
    /// Items whose entries of the view are [`Entry::PENDING`]. Answered by [`Answer::Known`].
    Pending(Datastore),
    /// Items that the device has, and that are deleted here without its having been told, held ones too. Answered by
    /// [`Answer::Known`].
    Gone(Datastore),
    /// Texts that wait for the device's user. Answered by [`Answer::Announcements`].
    Announcements,
    /// Mails of which the device asked for the rest, and did not get it yet. Answered by [`Answer::Asked`].
    Asked,
    /// A number. Answered by [`Answer::Count`].
    Tally(Tally),
    /// Living folders of the view's collections, [`MAX_FOLDERS`] at most. Answered by [`Answer::Outgoing`].
    Folders(Datastore),
    /// Living mails in folders, the newest of each folder first. Answered by [`Answer::Known`].
    Newest(NewestQuery),
    /// Items of which the device has an entry, tombstones too. Answered by [`Answer::Known`].
    OnDevice(Datastore),
}

/// Folders of an account that are looked at.
pub const MAX_FOLDERS: usize = 1_000;

/// A mail of which a device asked for more than is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Which.
    pub item: ItemId,
    /// It asked for just this mail, and gets all of it; else as much as its window and filter say.
    pub whole: bool,
}

/// Which mails of folders are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewestQuery {
    /// The view whose entries are meant.
    pub view: Datastore,
    /// Of each folder.
    pub folders: Vec<Newest>,
}

/// The newest mails of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Newest {
    /// The folder; 0 is the top.
    pub folder: ItemId,
    /// Received at this time or later; seconds since 1970.
    pub since: i64,
    /// At most so many.
    pub count: u32,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tally {
    /// Living items of the view's collections.
    Living(Datastore),
    /// Entries of the view with a LUID: what the device has.
    OnDevice(Datastore),
    /// Entries that are [`Entry::UNTOLD`].
    Untold(Datastore),
    /// Items that the device has and that were deleted here above the base, of which it was not told yet.
    Deletions {
        /// The view.
        view: Datastore,
        /// The view's base.
        base: Modseq,
    },
}

/// Which items a message is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownQuery {
    /// The view whose entries are meant.
    pub view: Datastore,
    /// Entries with these LUIDs.
    pub luids: Vec<String>,
    /// These items.
    pub items: Vec<ItemId>,
    /// Living items of the view's collections with these match keys; at most 64 for one key.
    pub keys: Vec<MatchKey>,
}

/// An item and what the device has of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The item; may be a tombstone.
    pub item: ItemMeta,
    /// The device's entry in the view that was asked for.
    pub entry: Option<Entry>,
}

/// Which items are to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Selection {
    /// What changed: `modseq` above `base`, and what was sent in an earlier round and never confirmed. An item with
    /// an entry counts if `seen` is below its `modseq`; one without, if it lives. Entries that wait or are held do not.
    Changes {
        /// The view's base.
        base: Modseq,
    },
    /// Everything that the device did not name in this round: living items whose entry is absent or of an older
    /// round, and all (tombstones too) whose entry is of this round with `seen` below `modseq`.
    All,
    /// For a sync with a filter, which looks at items one by one: what lives or has an entry, with `modseq` above `base`,
    /// and what was sent in an earlier round and never confirmed.
    Every {
        /// The view's base, or 0 if the filter is another one than before.
        base: Modseq,
    },
    /// For refresh from client: living items whose entry is absent or of an older round. They are to be deleted here.
    Unclaimed,
}

impl Selection {
    /// Whether an item is one of the selection. The store's queries say the same in their own language; sessions use
    /// this for what they changed and the store does not know yet.
    pub fn wants(&self, round: Round, item: &ItemMeta, entry: Option<&Entry>) -> bool {
        let Some(entry) = entry else {
            return !item.deleted
                && match self {
                    Self::Changes { base } | Self::Every { base } => item.modseq > *base,
                    Self::All | Self::Unclaimed => true,
                };
        };
        if entry.failures < 0 && matches!(self, Self::Changes { .. } | Self::Every { .. }) {
            return false;
        }
        let current = entry.round == round;
        if current && entry.sent.is_some() {
            return false;
        }
        match self {
            Self::Changes { base } => {
                entry.sent.is_some() || (item.modseq > *base && entry.seen < item.modseq)
            }
            Self::Every { base } => entry.sent.is_some() || item.modseq > *base,
            Self::All if current => entry.seen < item.modseq,
            Self::All | Self::Unclaimed => !current && !item.deleted,
        }
    }
}

/// Where a scan of items is; ordered by (`modseq`, `id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Cursor {
    /// Number of the last item that was given.
    pub modseq: Modseq,
    /// Id of the last item that was given.
    pub item: ItemId,
}

/// A page of items to send: those after `after`, in the order of [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutgoingQuery {
    /// The view.
    pub view: Datastore,
    /// The current round: entries of this round that were sent already are left out (`sent` is set).
    pub round: Round,
    /// Which items.
    pub selection: Selection,
    /// Entries of earlier rounds may have been sent and never confirmed (see `ViewState::unsettled`).
    pub unsettled: bool,
    /// Only items behind this place.
    pub after: Cursor,
    /// At most so many.
    pub max_items: u32,
    /// Stop after the item that reaches so many octets of bodies.
    pub max_octets: u64,
}

/// A page of items to send.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outgoing {
    /// With bodies (empty for tombstones), in order.
    pub items: Vec<(Item, Option<Entry>)>,
    /// There may be more.
    pub more: bool,
    /// The account's counter when the page was read.
    pub modseq: Modseq,
}

/// What a load brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// For [`Query::Known`], [`Query::Pending`], [`Query::Gone`], [`Query::Newest`] and [`Query::OnDevice`]; each item once.
    Known(Vec<Known>),
    /// For [`Query::Items`] and [`Query::Revisions`].
    Items(Vec<Item>),
    /// For [`Query::Outgoing`] and [`Query::Folders`].
    Outgoing(Outgoing),
    /// For [`Query::Count`] and [`Query::Tally`].
    Count(u64),
    /// For [`Query::Asked`].
    Asked(Vec<Asked>),
    /// For [`Query::Announcements`]: each with its number, ascending.
    Announcements(Vec<(i64, String)>),
    /// For [`Query::Usage`].
    Usage {
        /// Living items.
        items: u64,
        /// Octets of their bodies.
        octets: u64,
    },
}
