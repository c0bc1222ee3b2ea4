//! Views: what a device has been told of a datastore.
//!
//! A view is a base (all changes up to it were considered) and one entry per item that the device has or was sent.
//! It has two generations: the confirmed one and the one before, because the end of a session can be lost on its way
//! to the phone, which then begins again from the older one.

use super::{ItemId, Mark, Modseq, Round};
use crate::content::Digest;

/// State of one device's view of one datastore.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct ViewState {
    /// The newest sync that was begun.
    pub round: Round,
    /// The newest sync that ended.
    pub confirmed: Option<Generation>,
    /// The one before it, as long as the phone may not know that the newest ended.
    pub previous: Option<Generation>,
    /// The account's counter when the newest sync began to send; late Maps are for items no newer than this.
    pub sending_since: Modseq,
    /// The first round in which something may have been sent that was never confirmed; 0 if there is nothing. Kept by the
    /// store: a [`Change::PutEntry`](super::Change::PutEntry) with `sent` sets it, a
    /// [`Change::Settle`](super::Change::Settle) ends it, and [`Change::PutView`](super::Change::PutView) leaves it alone.
    #[serde(default)]
    pub unsettled: Round,
    /// Deletions of the device wait for the end of its package (see [`Entry::PENDING`]).
    #[serde(default)]
    pub pending: bool,
}

/// What a sync left behind when it ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Generation {
    /// The phone's Next; its Last in the next sync.
    pub client_anchor: String,
    /// Our Next; our Last in the next sync.
    pub server_anchor: String,
    /// All changes up to this number were considered for the device.
    pub base: Modseq,
    /// The filter under which they were, as text; what it means is the session's business.
    #[serde(default)]
    pub filter: Option<String>,
}

/// What a device has of one item.
///
/// - `luid` and `seen`: the device confirmed version `seen` under this LUID.
/// - `sent`: this version was sent and is not confirmed; it is sent again in a later sync until it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which item.
    pub item: ItemId,
    /// The device's id; `None` while an Add waits for its Map. Unique in the view.
    pub luid: Option<String>,
    /// The version that the device has; 0 if it has none.
    pub seen: Modseq,
    /// The version on its way; `None` if nothing is.
    pub sent: Option<Modseq>,
    /// Digest of what the device itself sent last for the item; zero if it never did.
    pub digest: Digest,
    /// Mark of the octets that the device itself sent last for the item; zero if it never did.
    pub mark: Mark,
    /// The sync in which the device named the item, or was sent it.
    pub round: Round,
    /// How often sending failed since it last went well; below 0 it is one of [`Self::PENDING`] and those beside it.
    pub failures: i32,
    /// The folder in which the device has the item; 0 is the top, and stands for all of a flat datastore.
    pub parent: ItemId,
    /// Whether the device answers what it is sent with what it sent before.
    pub echo: Echo,
}

/// What a device made of an item last, how often it sent just that again after it was sent something else, and how often in a row
/// it sent something else at once after it was sent the item: the traces of a device that rewrites what it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Echo(pub i64);

impl Echo {
    /// The bits that count how often the content came again.
    const TIMES: i64 = 0b111;
    /// Where the bits begin that count answers.
    const SHIFT: u32 = 3;
    /// Most answers that are counted.
    const ANSWERS: i64 = 0b1_1111;
    const COUNTS: i64 = Self::TIMES | Self::ANSWERS << Self::SHIFT;

    /// The device sent this content for a change. `answers`: it was sent the item in its sync before.
    #[must_use]
    pub fn heard(self, content: Digest, answers: bool) -> Self {
        let mut octets = [0; 8];
        octets.copy_from_slice(&content.0[..8]);
        let content = i64::from_be_bytes(octets) & !Self::COUNTS;
        let times = if self.0 & !Self::COUNTS == content && self != Self::default() {
            (self.times() + 1).min(Self::TIMES)
        } else {
            0
        };
        Self(content | times).answered(if answers { self.answers() + 1 } else { 0 })
    }

    /// The same after the device's answers were left alone: half of them count from now on.
    #[must_use]
    pub fn rested(self) -> Self {
        self.answered(self.answers() / 2)
    }

    fn answered(self, answers: i64) -> Self {
        let rest = self.0 & !(Self::ANSWERS << Self::SHIFT);
        Self(rest | answers.min(Self::ANSWERS) << Self::SHIFT)
    }

    /// How often the content came again; 7 is also more.
    pub const fn times(self) -> i64 {
        self.0 & Self::TIMES
    }

    /// How often in a row the device answered the item with another one; 31 is also more.
    pub const fn answers(self) -> i64 {
        self.0 >> Self::SHIFT & Self::ANSWERS
    }
}

impl Entry {
    /// As `failures`: the device deleted the item, and whether it is deleted here is decided at the end of its package.
    /// Such an entry, and those of the next two, is passed over when changes are sent.
    pub const PENDING: i32 = -1;
    /// As `failures`: the device deleted the item, or did not name it in a refresh; the operator decides.
    pub const HELD: i32 = -2;
    /// As `failures`: the item was deleted here, and the operator decides whether the device is told.
    pub const UNTOLD: i32 = -3;

    /// The device named the item in a round under this LUID, and has it as it was at `seen`. It sent nothing for it.
    pub fn named(item: ItemId, luid: &str, seen: Modseq, round: Round) -> Self {
        Self {
            item,
            luid: Some(luid.to_owned()),
            seen,
            sent: None,
            digest: Digest::default(),
            mark: Mark::default(),
            round,
            failures: 0,
            parent: ItemId(0),
            echo: Echo::default(),
        }
    }

    /// The folder in which the device has it.
    #[must_use]
    pub fn within(self, parent: ItemId) -> Self {
        Self { parent, ..self }
    }

    /// Whether it is one of [`Self::PENDING`].
    pub fn is_pending(&self) -> bool {
        self.failures == Self::PENDING
    }

    /// What the device itself sent for the item.
    #[must_use]
    pub fn with_content(self, digest: Digest, mark: Mark) -> Self {
        Self {
            digest,
            mark,
            ..self
        }
    }

    /// The device lost the item, and is owed this version: it counts as sent before `round` and never confirmed.
    #[must_use]
    pub fn owed(self, version: Modseq, round: Round) -> Self {
        Self {
            luid: None,
            seen: Modseq(0),
            sent: Some(version),
            round: Round(round.0 - 1),
            digest: Digest::default(),
            mark: Mark::default(),
            ..self
        }
    }
}
