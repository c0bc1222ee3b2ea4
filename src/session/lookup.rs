//! What is loaded for the client's changes: one load brings what their LUIDs and match keys are known for, one the
//! bodies that have to be compared or merged.

use rustc_hash::FxHashMap;

use super::LoadFailed;
use super::apply::Op;
use super::profile::Target;
use super::turn::{Held, Turn};
use crate::content::{Digest, MatchKey};
use crate::sync::{Answer, Item, ItemId, Known, KnownQuery, Modseq, Query};

/// Bodies that one Sync may have loaded to compare.
const MAX_COMPARED: usize = 4_000;
/// What the ops of one Sync may meet.
#[derive(Default)]
pub(super) struct Lookup {
    pub by_luid: FxHashMap<String, ItemId>,
    pub by_key: FxHashMap<MatchKey, Vec<ItemId>>,
    /// Versions that the device saw last, of items that changed since.
    pub revisions: FxHashMap<ItemId, Item>,
    /// The folder that the op at hand names.
    pub place: Option<ItemId>,
}

impl Turn<'_> {
    /// Loads what is known of the LUIDs and match keys, then the bodies that decisions need.
    pub(super) fn look_up(
        &mut self,
        link: usize,
        target: &Target,
        ops: &mut [Op<'_>],
    ) -> Result<Lookup, LoadFailed> {
        let mut lookup = Lookup::default();
        if ops.is_empty() {
            return Ok(lookup);
        }
        self.items.reserve(ops.len());
        self.changes.reserve(2 * ops.len());
        lookup.by_luid.reserve(ops.len());
        let view = self.state.links[link].view;
        let luids = ops
            .iter()
            .filter(|op| op.content.is_ok())
            .flat_map(|op| [Some(&op.luid), op.copy_of.as_ref()])
            .flatten()
            .cloned()
            .collect();
        self.load_known(KnownQuery {
            view,
            luids,
            items: Vec::new(),
            keys: Vec::new(),
        })?;
        self.read_bodies(link, target, ops);
        let mut exact: FxHashMap<&str, Digest> = FxHashMap::default();
        for held in self.items.values() {
            if held.meta.deleted || !view.collections().contains(&held.meta.datastore) {
                continue;
            }
            if let Some(luid) = held.entry.as_ref().and_then(|entry| entry.luid.as_deref()) {
                exact.insert(luid, held.meta.digest);
            }
        }
        // What the device sends unchanged under a LUID that is known needs no twin.
        let mut keys: Vec<_> = ops
            .iter()
            .filter_map(|op| Some((op, op.body()?)))
            .filter(|(op, incoming)| exact.get(op.luid.as_str()) != Some(&incoming.digest))
            .map(|(_, incoming)| incoming.key)
            .collect();
        keys.sort_unstable();
        keys.dedup();
        if !keys.is_empty() {
            self.load_known(KnownQuery {
                view,
                luids: Vec::new(),
                items: Vec::new(),
                keys,
            })?;
        }
        for (id, held) in &self.items {
            if !view.collections().contains(&held.meta.datastore) {
                continue;
            }
            if let Some(luid) = held.entry.as_ref().and_then(|entry| entry.luid.clone()) {
                lookup.by_luid.insert(luid, *id);
            }
            if !held.meta.deleted {
                lookup.by_key.entry(held.meta.key).or_default().push(*id);
            }
        }
        for candidates in lookup.by_key.values_mut() {
            candidates.sort_unstable();
        }
        let (bodies, revisions) = self.needed(link, ops, &lookup);
        if !bodies.is_empty()
            && let Answer::Items(items) = self.loads.load(&Query::Items(bodies))?
        {
            for item in items {
                if let Some(held) = self.items.get_mut(&item.meta.id)
                    && held.body.is_none()
                {
                    held.body = Some(item.body);
                }
            }
        }
        if !revisions.is_empty()
            && let Answer::Items(items) = self.loads.load(&Query::Revisions(revisions))?
        {
            lookup.revisions = items.into_iter().map(|item| (item.meta.id, item)).collect();
        }
        Ok(lookup)
    }

    /// Loads items and the device's entries for them; what this message changed already stays as it is.
    pub(super) fn load_known(&mut self, query: KnownQuery) -> Result<(), LoadFailed> {
        let Answer::Known(known) = self.loads.load(&Query::Known(query))? else {
            return Err(LoadFailed);
        };
        self.keep_known(known);
        Ok(())
    }

    pub(super) fn keep_known(&mut self, known: Vec<Known>) {
        for mut known in known {
            let before = (known.item.clone(), known.entry.clone());
            let claimed = self.claimed(known.item.id);
            if let (Some(entry), Some(round)) = (&mut known.entry, claimed) {
                entry.round = round;
            }
            self.items.entry(known.item.id).or_insert_with(|| Held {
                changed: claimed.is_some() && before.1 != known.entry,
                before: Some(before),
                meta: known.item,
                entry: known.entry,
                body: None,
            });
        }
    }

    /// Items whose bodies, and whose older versions, the ops may need.
    fn needed(
        &self,
        link: usize,
        ops: &[Op<'_>],
        lookup: &Lookup,
    ) -> (Vec<ItemId>, Vec<(ItemId, Modseq)>) {
        let round = self.state.links[link].round;
        let mut bodies = Vec::new();
        let mut revisions = Vec::new();
        let mut want = |id: ItemId, held: &Held| {
            if held.body.is_none() && bodies.len() < MAX_COMPARED {
                bodies.push(id);
                if let Some(entry) = &held.entry
                    && entry.seen > Modseq(0)
                    && entry.seen < held.meta.modseq
                {
                    revisions.push((id, entry.seen));
                }
            }
        };
        for op in ops {
            if let Some(id) = op
                .copy_of
                .as_ref()
                .and_then(|luid| lookup.by_luid.get(luid))
                && let Some(held) = self.items.get(id)
            {
                want(*id, held);
            }
            let Some(incoming) = op.body() else {
                continue;
            };
            if let Some(id) = lookup.by_luid.get(&op.luid)
                && let Some(held) = self.items.get(id)
            {
                let unchanged = held.meta.digest == incoming.digest
                    || held
                        .entry
                        .as_ref()
                        .is_some_and(|entry| entry.digest == incoming.digest);
                if !unchanged || held.meta.deleted {
                    want(*id, held);
                }
                if !self.state.links[link].mode.names_everything() || unchanged {
                    continue;
                }
            }
            let candidates = lookup.by_key.get(&incoming.key).map_or(&[][..], |ids| ids);
            let exact = candidates.iter().any(|id| {
                self.items.get(id).is_some_and(|held| {
                    held.meta.digest == incoming.digest
                        && held.entry.as_ref().is_none_or(|entry| entry.round < round)
                })
            });
            if !exact {
                for id in candidates {
                    if let Some(held) = self.items.get(id) {
                        want(*id, held);
                    }
                }
            }
        }
        bodies.sort_unstable();
        bodies.dedup();
        (bodies, revisions)
    }
}
