//! Adds that wait for their Map. The session's state has them, so that an item that is new to a device is written into its view
//! once, with its LUID, and not before that as well. Whatever else needs them there (a refusal, a change meanwhile, a resumed
//! session, the end without a Map) has them written first.

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::LoadFailed;
use super::turn::Turn;
use crate::content::Digest;
use crate::sync::recording::{Event, What};
use crate::sync::{Change, Datastore, Echo, Entry, ItemId, KnownQuery, Mark, Modseq, Round};
use crate::syncml::Map;

/// So many wait in the state; it is written with each message.
const MOST: usize = 1_000;

/// Items that were sent in this sync as new, each with the version that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(ItemId, Modseq)>", into = "Vec<(ItemId, Modseq)>")]
pub(super) struct Unmapped(FxHashMap<ItemId, Modseq>);

impl From<Vec<(ItemId, Modseq)>> for Unmapped {
    fn from(pairs: Vec<(ItemId, Modseq)>) -> Self {
        Self(pairs.into_iter().collect())
    }
}

impl From<Unmapped> for Vec<(ItemId, Modseq)> {
    fn from(of: Unmapped) -> Self {
        let mut pairs: Self = of.0.into_iter().collect();
        pairs.sort_unstable();
        pairs
    }
}

impl Unmapped {
    /// Takes one in; false if there is no more room.
    pub(super) fn insert(&mut self, item: ItemId, version: Modseq) -> bool {
        let fits = self.0.len() < MOST;
        if fits {
            self.0.insert(item, version);
        }
        fits
    }

    pub(super) fn contains(&self, item: ItemId) -> bool {
        self.0.contains_key(&item)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The entry of an item that the device was sent, and has under no LUID that is known.
pub(super) fn sent(item: ItemId, version: Modseq, round: Round, parent: ItemId) -> Entry {
    Entry {
        item,
        luid: None,
        seen: Modseq(0),
        sent: Some(version),
        digest: Digest::default(),
        mark: Mark::default(),
        round,
        failures: 0,
        parent,
        echo: Echo::default(),
    }
}

impl Turn<'_> {
    /// Writes the entries of all Adds of a link that wait, as far as the store knows no newer ones.
    pub(super) fn write_unmapped(&mut self, link: usize) -> Result<(), LoadFailed> {
        if self.state.links[link].unmapped.is_empty() {
            return Ok(());
        }
        let of = &mut self.state.links[link];
        let (view, round) = (of.view, of.round);
        let pairs: Vec<(ItemId, Modseq)> = std::mem::take(&mut of.unmapped).into();
        of.unconfirmed = of
            .unconfirmed
            .saturating_sub(pairs.len().try_into().unwrap_or(u32::MAX));
        self.load_known(KnownQuery {
            view,
            luids: Vec::new(),
            items: pairs.iter().map(|(item, _)| *item).collect(),
            keys: Vec::new(),
        })?;
        for (item, version) in pairs {
            let held = self.items.get(&item);
            if held.is_some_and(|held| held.entry.is_none()) {
                self.put_entry(view, sent(item, version, round, ItemId(0)), None);
            }
        }
        Ok(())
    }

    /// The sync ends: what has had no Map is sent again in a later one.
    pub(super) fn leave_unmapped(&mut self, link: usize) {
        let of = &mut self.state.links[link];
        let (view, round) = (of.view, of.round);
        let pairs: Vec<(ItemId, Modseq)> = std::mem::take(&mut of.unmapped).into();
        for (item, version) in pairs {
            let entry = sent(item, version, round, ItemId(0));
            self.changes.push(Change::PutEntry { view, entry });
        }
    }

    /// Takes from a Map what names Adds of this sync, where nothing changed since they were sent: nothing has to be looked up.
    /// Gives the positions of the others.
    pub(super) fn map_at_once(
        &mut self,
        link: usize,
        view: Datastore,
        map: &Map<'_>,
    ) -> Vec<usize> {
        let all = || (0..map.items.len()).collect();
        let state = self.view_state(view);
        let of = &self.state.links[link];
        if of.unmapped.is_empty() || state.round != of.round || state.sending_since != self.modseq {
            return all();
        }
        let round = of.round;
        let mut others = Vec::new();
        for (position, item) in map.items.iter().enumerate() {
            let luid = &*item.source;
            let of = &mut self.state.links[link];
            let found = ItemId::from_guid(&item.target)
                .filter(|id| !luid.is_empty() && luid.len() <= 255 && !self.items.contains_key(id))
                .and_then(|id| Some((id, of.unmapped.0.remove(&id)?)));
            let Some((id, version)) = found else {
                others.push(position);
                continue;
            };
            of.unconfirmed = of.unconfirmed.saturating_sub(1);
            self.trace.push(&Event {
                item: id,
                version,
                luid,
                ..Event::new(What::Mapped, Some(view))
            });
            let entry = Entry::named(id, luid, version, round);
            self.changes.push(Change::PutEntry { view, entry });
        }
        others
    }
}
