//! A slow sync in which the device sends what it sent before: the usual one, after a phone lost its anchors.
//!
//! The session's state has which items were repeated, as long as there was nothing else. If they are all that there is, the view says
//! already what the device has: no entry is written, and no item looked through. Anything else has the items claimed first, as they
//! are in any other sync.

use serde::{Deserialize, Serialize};

use super::LoadFailed;
use super::state::Mode;
use super::turn::Turn;
use crate::sync::{Answer, Datastore, ItemId, KnownQuery, Query, Round, Tally};

/// Items that were named, each once, with the octets that the device sent last, and that nobody changed since: as ranges of ids,
/// ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Repeated(Vec<(i64, i64)>);

impl Repeated {
    /// Takes one in; false if it is in.
    pub(super) fn insert(&mut self, item: ItemId) -> bool {
        let id = item.0;
        // The first range that begins behind it.
        let next = self.0.partition_point(|(begin, _)| *begin <= id);
        let before = next.checked_sub(1);
        if before.is_some_and(|before| id <= self.0[before].1) {
            return false;
        }
        let follows = before.filter(|before| self.0[*before].1 + 1 == id);
        let precedes = self.0.get(next).is_some_and(|(begin, _)| *begin == id + 1);
        match (follows, precedes) {
            (Some(before), true) => {
                self.0[before].1 = self.0[next].1;
                self.0.remove(next);
            }
            (Some(before), false) => self.0[before].1 = id,
            (None, true) => self.0[next].0 = id,
            (None, false) => self.0.insert(next, (id, id)),
        }
        true
    }

    pub(super) fn contains(&self, item: ItemId) -> bool {
        let next = self.0.partition_point(|(begin, _)| *begin <= item.0);
        next.checked_sub(1)
            .is_some_and(|before| item.0 <= self.0[before].1)
    }

    fn count(&self) -> u64 {
        let lengths = self.0.iter().map(|(begin, end)| end.abs_diff(*begin) + 1);
        lengths.sum()
    }

    fn items(&self) -> impl Iterator<Item = ItemId> {
        self.0
            .iter()
            .flat_map(|(begin, end)| *begin..=*end)
            .map(ItemId)
    }
}

impl Turn<'_> {
    /// Something else than items that the device repeats changes the view: those are claimed.
    pub(super) fn end_repetition(&mut self, view: Datastore) {
        let link = self.state.links.iter_mut().find(|link| link.view == view);
        if let Some(repeated) = link.and_then(|link| link.repeated.take()) {
            self.claims
                .extend(repeated.items().map(|item| (item, view)));
        }
    }

    /// The round in which this session claimed an item, if it did and the store does not know it yet.
    pub(super) fn claimed(&self, item: ItemId) -> Option<Round> {
        let view = self.claims.get(&item);
        let link = self.state.links.iter().find(|link| match view {
            Some(view) => link.view == *view,
            None => link.repeated.as_ref().is_some_and(|of| of.contains(item)),
        });
        link.map(|link| link.round)
    }

    /// Before the server sends: whether the device has all items as they are, because it repeated each of them and nothing was
    /// written since it began. If not, what this message and the store do not know of the claimed items is loaded.
    pub(super) fn has_all(&mut self, link: usize) -> Result<bool, LoadFailed> {
        let of = &self.state.links[link];
        let view = of.view;
        let untouched = of.begun_at == self.modseq && of.mode == Mode::Slow;
        if let Some(repeated) = of.repeated.as_ref().filter(|_| untouched) {
            let count = repeated.count();
            let settled = self.view_state(view).unsettled == Round(0);
            let same = |answer: Answer| answer == Answer::Count(count);
            if count > 0
                && settled
                && !self.is_filtered(link)
                && same(self.loads.load(&Query::Tally(Tally::Living(view)))?)
                && same(self.loads.load(&Query::Tally(Tally::OnDevice(view)))?)
            {
                return Ok(true);
            }
        }
        self.end_repetition(view);
        let claimed = self.claims.iter().filter(|(_, of)| **of == view);
        let unloaded: Vec<ItemId> = claimed
            .map(|(item, _)| *item)
            .filter(|item| !self.items.contains_key(item))
            .collect();
        if !unloaded.is_empty() {
            self.load_known(KnownQuery {
                view,
                luids: Vec::new(),
                items: unloaded,
                keys: Vec::new(),
            })?;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use super::{ItemId, Repeated};

    #[test]
    fn ranges_grow_together() {
        let mut repeated = Repeated::default();
        for id in [5, 1, 9, 3, 2, 4, 7, 8, 6] {
            assert!(!repeated.contains(ItemId(id)));
            assert!(repeated.insert(ItemId(id)), "{id}");
            assert!(!repeated.insert(ItemId(id)), "{id}");
            assert!(repeated.contains(ItemId(id)));
        }
        assert_eq!(repeated.0, [(1, 9)]);
        assert!(repeated.insert(ItemId(12)));
        assert!(!repeated.contains(ItemId(10)) && !repeated.contains(ItemId(0)));
        assert_eq!(repeated.count(), 10);
        let items: Vec<i64> = repeated.items().map(|item| item.0).collect();
        assert_eq!(items, [1, 2, 3, 4, 5, 6, 7, 8, 9, 12]);
    }
}
