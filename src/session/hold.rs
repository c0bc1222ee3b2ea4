//! Deletions wait, so that a phone or a server that lost its items does not take them from the other side.
//!
//! A Delete of the client is answered at once and remembered with the device's entry; whether it happens is decided when
//! the client's package is complete, over all its messages, and those of sessions that broke off before. If it would take
//! more than the configured share of a datastore (and at least [`LEAST`] items), or if it is a refresh by an empty client,
//! nothing is deleted: the items stay, the device does not get them again, and the operator decides. Likewise Deletes
//! that would go to the device: past the same share of what it holds they are not sent. And a refresh from the server, for
//! which a device gives up all that it has, is not begun if that would cost it more than this share.

use rustc_hash::FxHashSet;

use super::LoadFailed;
use super::state::{Link, Mode};
use super::turn::{Held, Turn};
use crate::content::Digest;
use crate::sync::recording::{Event, What};
use crate::sync::{
    Answer, ConflictPolicy, Cursor, Datastore, Entry, ItemId, ItemMeta, Mark, Modseq,
    OutgoingQuery, Query, Selection, Tally,
};

/// Fewer deletions than this are never held.
pub(super) const LEAST: u64 = 10;
/// Items of one page of what a refresh did not name.
const PAGE: u32 = 500;

impl Turn<'_> {
    /// What the operator chose for this account and datastore.
    pub(super) fn policy(&self, datastore: Datastore) -> ConflictPolicy {
        let chosen = self.context.account.conflicts.of(datastore);
        chosen.unwrap_or_else(|| self.context.settings.policy(datastore))
    }

    /// The device deleted an item: remembers it until its package is complete.
    pub(super) fn postpone(&mut self, view: Datastore, meta: &ItemMeta, entry: Entry) {
        let waiting = Entry {
            luid: None,
            seen: meta.modseq,
            sent: None,
            digest: Digest::default(),
            mark: Mark::default(),
            failures: Entry::PENDING,
            ..entry
        };
        self.put_entry(view, waiting, None);
        // Whoever deletes and adds in one package has room for it.
        if let Some((items, _)) = &mut self.state.usage {
            *items = items.saturating_sub(1);
        }
        let mut state = self.view_state(view);
        if !state.pending {
            state.pending = true;
            self.put_view_state(view, state);
        }
    }

    /// The client's package is complete: deletes what it deleted or, in a refresh, did not name; or holds that.
    pub(super) fn settle_deletions(&mut self, link: usize) -> Result<(), LoadFailed> {
        let of = &self.state.links[link];
        let (view, mode, round) = (of.view, of.mode, of.round);
        let refresh = mode == Mode::RefreshFromClient;
        let mut state = self.view_state(view);
        let decides = refresh || (state.pending && mode.client_sends());
        if !decides {
            return Ok(());
        }
        let mut deletions = FxHashSet::default();
        if state.pending {
            self.load_pending(view)?;
            let waits = |held: &Held| {
                held.entry.as_ref().is_some_and(Entry::is_pending)
                    && view.collections().contains(&held.meta.datastore)
            };
            let waiting = self.items.iter().filter(|(_, held)| waits(held));
            deletions.extend(waiting.map(|(id, _)| *id));
            // What came with this very message is decided before it is written.
            self.changes.retain(|change| {
                !matches!(change, crate::sync::Change::PutEntry { view: of, entry }
                    if *of == view && entry.is_pending())
            });
            state.pending = false;
            self.put_view_state(view, state);
        }
        if refresh {
            self.unclaimed(link, &mut deletions)?;
        }
        if self.is_hierarchical(link) && !deletions.is_empty() {
            self.with_contents(link, &mut deletions)?;
        }
        let all = deletions;
        let mut deletions: Vec<ItemId> = all.iter().copied().collect();
        // What is in a folder before the folder.
        deletions.sort_unstable_by_key(|id| (std::cmp::Reverse(self.depth(*id)), *id));
        if self.exceeds(link, &deletions)? {
            self.hold(link, &deletions);
            return Ok(());
        }
        for id in &deletions {
            let Some(held) = self.items.get(id) else {
                continue;
            };
            let (meta, entry) = (held.meta.clone(), held.entry.clone());
            match entry.filter(Entry::is_pending) {
                Some(entry) if meta.deleted => self.drop_entry(view, entry.item),
                Some(entry)
                    if meta.modseq > entry.seen
                        && self.policy(meta.datastore) != ConflictPolicy::Client =>
                {
                    self.state.links[link].counts.conflicts += 1;
                    let text = "deleted on the device, but changed here since: it is sent to the device again";
                    self.note(Some(view), None, text);
                    let again = Entry {
                        failures: 0,
                        ..entry.owed(meta.modseq, round)
                    };
                    self.put_entry(view, again, None);
                }
                Some(_) => self.delete_or_discard(link, *id, &all),
                None if self.is_hierarchical(link) => self.delete_or_discard(link, *id, &all),
                None => {
                    self.trace.push(&Event {
                        item: *id,
                        ..Event::new(What::Deleted, Some(view))
                    });
                    self.delete_item(*id);
                }
            }
        }
        if refresh && !deletions.is_empty() {
            let text = format!(
                "refresh from the device: {} items that it does not have are deleted",
                deletions.len()
            );
            self.note(Some(view), None, text);
        }
        Ok(())
    }

    /// Loads the items whose deletions wait in the store.
    fn load_pending(&mut self, view: Datastore) -> Result<(), LoadFailed> {
        let Answer::Known(known) = self.loads.load(&Query::Pending(view))? else {
            return Err(LoadFailed);
        };
        self.keep_known(known);
        Ok(())
    }

    /// Living items that the client did not name in its refresh.
    fn unclaimed(&mut self, link: usize, found: &mut FxHashSet<ItemId>) -> Result<(), LoadFailed> {
        let of = &self.state.links[link];
        if self.is_hierarchical(link) {
            return self.unnamed(link, found);
        }
        let mut query = OutgoingQuery {
            view: of.view,
            round: of.round,
            selection: Selection::Unclaimed,
            unsettled: false,
            after: Cursor::default(),
            max_items: PAGE,
            max_octets: u64::MAX,
        };
        loop {
            let Answer::Outgoing(page) = self.loads.load(&Query::Outgoing(query))? else {
                return Err(LoadFailed);
            };
            let more = page.more && !page.items.is_empty();
            for (item, entry) in page.items {
                let meant = self.within_view(link, &item);
                query.after = Cursor {
                    modseq: item.meta.modseq,
                    item: item.meta.id,
                };
                let known = crate::sync::Known {
                    item: item.meta,
                    entry,
                };
                let id = known.item.id;
                self.keep_known(vec![known]);
                // What this message changed is not as the store says.
                let held = &self.items[&id];
                let named = held
                    .entry
                    .as_ref()
                    .is_some_and(|entry| entry.round == query.round && entry.luid.is_some());
                if meant && !held.meta.deleted && !named {
                    found.insert(id);
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// The same where the device has only a part of what there is.
    fn unnamed(&mut self, link: usize, found: &mut FxHashSet<ItemId>) -> Result<(), LoadFailed> {
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        let Answer::Known(known) = self.loads.load(&Query::OnDevice(view))? else {
            return Err(LoadFailed);
        };
        self.load_folders(link)?;
        self.keep_known(known);
        let left = self.items.iter().filter(|(id, held)| {
            let missing = |entry: &Entry| entry.luid.is_some() && entry.round < round;
            !held.meta.deleted
                && view.collections().contains(&held.meta.datastore)
                && held.entry.as_ref().is_some_and(missing)
                && self.role_of(**id).is_none()
        });
        found.extend(left.map(|(id, _)| *id));
        Ok(())
    }

    /// Whether so many deletions are more than the operator allows in one session.
    fn exceeds(&mut self, link: usize, items: &[ItemId]) -> Result<bool, LoadFailed> {
        let deletions = items.len() as u64;
        let percent = u64::from(self.context.settings.hold_deletes_percent);
        if deletions == 0 || percent >= 100 {
            return Ok(false);
        }
        let of = &self.state.links[link];
        if of.mode == Mode::RefreshFromClient && !named_anything(of) {
            return Ok(true);
        }
        if deletions < LEAST {
            return Ok(false);
        }
        let view = of.view;
        let received = u64::from(of.counts.received_added);
        // A device with folders has only a part of what is in them.
        let stored = if self.is_hierarchical(link) {
            let counted = |id: &&ItemId| {
                let before = self.items.get(id).and_then(|held| held.before.as_ref());
                let entry = before.and_then(|(_, entry)| entry.as_ref());
                entry.is_some_and(|entry| entry.luid.is_some())
            };
            let more = items.iter().filter(|id| !counted(id)).count() as u64;
            self.tally(Tally::OnDevice(view))?.saturating_add(more)
        } else {
            self.tally(Tally::Living(view))?
        };
        let new_here = self
            .items
            .values()
            .filter(|held| {
                held.before.is_none() && view.collections().contains(&held.meta.datastore)
            })
            .count() as u64;
        // The datastore as it was before the session added to it.
        let before = stored.saturating_sub(received.saturating_sub(new_here));
        Ok(deletions * 100 > percent * before)
    }

    /// Keeps the items, and from the device; the operator decides.
    fn hold(&mut self, link: usize, deletions: &[ItemId]) {
        let of = &mut self.state.links[link];
        let (view, round) = (of.view, of.round);
        let count = u32::try_from(deletions.len()).unwrap_or(u32::MAX);
        of.counts.received_held = of.counts.received_held.saturating_add(count);
        of.counts.received_deleted = of.counts.received_deleted.saturating_sub(count);
        for id in deletions {
            let Some(version) = self.items.get(id).map(|held| held.meta.modseq) else {
                continue;
            };
            self.trace.push(&Event {
                item: *id,
                version,
                ..Event::new(What::HeldReceived, Some(view))
            });
            let entry = Entry {
                luid: None,
                seen: version,
                failures: Entry::HELD,
                ..Entry::named(*id, "", version, round)
            };
            self.put_entry(view, entry, None);
        }
        self.holds = true;
        let text = format!(
            "HELD: the device would delete {count} items; they stay until you decide (candybar sessions release or discard)"
        );
        self.note(Some(view), None, text);
    }

    /// How many Deletes for the device are kept back, because they are too many; 0 if they are sent.
    pub(super) fn withheld(&mut self, link: usize) -> Result<u64, LoadFailed> {
        if let Some(known) = self.state.links[link].withheld {
            return Ok(known);
        }
        let of = &self.state.links[link];
        let (view, base) = (of.view, of.base());
        let percent = u64::from(self.context.settings.hold_deletes_percent);
        let mut withheld = 0;
        if percent < 100 && !of.mode.names_everything() {
            let deletions = self.tally(Tally::Deletions { view, base })?;
            // With those that wait already: a session that broke off may have held a part of them.
            let waiting = deletions + self.tally(Tally::Untold(view))?;
            if deletions > 0
                && waiting >= LEAST
                && waiting * 100 > percent * self.tally(Tally::OnDevice(view))?
            {
                withheld = deletions;
            }
        }
        self.state.links[link].withheld = Some(withheld);
        Ok(withheld)
    }

    /// Sends no Delete of those that wait: the operator decides. All of them at once, so that a session that breaks off
    /// leaves no part of them to the next.
    pub(super) fn withhold(&mut self, link: usize) -> Result<(), LoadFailed> {
        let of = &self.state.links[link];
        let (view, round, first) = (of.view, of.round, of.counts.sent_held == 0);
        let Answer::Known(gone) = self.loads.load(&Query::Gone(view))? else {
            return Err(LoadFailed);
        };
        let gone: Vec<ItemId> = gone
            .into_iter()
            .map(|known| {
                let id = known.item.id;
                self.keep_known(vec![known]);
                id
            })
            .collect();
        for id in gone {
            // As this message has left it.
            let held = &self.items[&id];
            let waits = |entry: &&Entry| {
                held.meta.deleted
                    && entry.failures >= 0
                    && entry.sent.is_none()
                    && entry.luid.is_some()
            };
            let Some(entry) = held.entry.as_ref().filter(waits).cloned() else {
                continue;
            };
            self.withhold_one(view, held.meta.modseq, Entry { round, ..entry });
            self.state.links[link].counts.sent_held += 1;
        }
        if first {
            let text = "HELD: most items of the device were deleted here; it is not told until you decide (candybar sessions release or discard)";
            self.note(Some(view), None, text);
        }
        Ok(())
    }

    fn withhold_one(&mut self, view: Datastore, version: Modseq, entry: Entry) {
        self.trace.push(&Event {
            item: entry.item,
            version,
            luid: entry.luid.as_deref().unwrap_or_default(),
            ..Event::new(What::HeldSent, Some(view))
        });
        let untold = Entry {
            failures: Entry::UNTOLD,
            ..entry
        };
        self.put_entry(view, untold, None);
        self.holds = true;
    }

    /// Whether a refresh from the server would take too many items from the device. Then it is not told of their deletion
    /// either, and the operator decides.
    pub(super) fn would_wipe(&mut self, view: Datastore) -> Result<bool, LoadFailed> {
        let percent = u64::from(self.context.settings.hold_deletes_percent);
        if percent >= 100 {
            return Ok(false);
        }
        let Answer::Known(gone) = self.loads.load(&Query::Gone(view))? else {
            return Err(LoadFailed);
        };
        let count = gone.len() as u64;
        let empties = count > 0 && self.tally(Tally::Living(view))? == 0;
        let exceeds =
            count >= LEAST && count * 100 > percent * self.tally(Tally::OnDevice(view))?;
        if !empties && !exceeds {
            return Ok(false);
        }
        let held_before = self.holds;
        self.keep_known(gone.clone());
        for known in gone {
            let Some(entry) = known.entry.filter(|entry| entry.failures >= 0) else {
                continue;
            };
            self.withhold_one(view, known.item.modseq, entry);
        }
        let whose = if self.holds && !held_before {
            "until you decide (candybar sessions release or discard)"
        } else {
            "until you decide about the session that held their deletion"
        };
        let text = format!(
            "HELD: a refresh from here would take {count} items from the device that were deleted here; it is refused {whose}"
        );
        self.note(Some(view), None, text);
        Ok(true)
    }

    fn tally(&mut self, tally: Tally) -> Result<u64, LoadFailed> {
        match self.loads.load(&Query::Tally(tally))? {
            Answer::Count(count) => Ok(count),
            _ => Err(LoadFailed),
        }
    }
}

/// The client named an item, or tried to.
fn named_anything(link: &Link) -> bool {
    let counts = &link.counts;
    [
        counts.received_added,
        counts.received_replaced,
        counts.received_equal,
        counts.received_refused,
    ]
    .iter()
    .any(|count| *count > 0)
}
