//! Room on either side: the account's quota here, the device's memory there (Mem of the client's Sync, Status 420).

use super::LoadFailed;
use super::state::Link;
use super::turn::Turn;
use crate::sync::{Answer, Query};
use crate::syncml::Sync;

impl Turn<'_> {
    /// Before a Sync's commands: how much the account holds, if that is limited. Counted once in a session.
    pub(super) fn load_usage(&mut self) -> Result<(), LoadFailed> {
        let settings = self.context.settings;
        let limited = settings.quota_items > 0 || settings.quota_octets > 0;
        if limited && self.state.usage.is_none() {
            let Answer::Usage { items, octets } = self.loads.load(&Query::Usage)? else {
                return Err(LoadFailed);
            };
            self.state.usage = Some((items, octets));
        }
        Ok(())
    }

    /// So many more items, with so many more octets, are more than the account may hold.
    pub(super) fn is_over_quota(&mut self, items: u64, octets: usize) -> bool {
        let settings = self.context.settings;
        let Some((held_items, held_octets)) = self.state.usage else {
            return false;
        };
        let beyond =
            |limit: u64, held: u64, more: u64| limit > 0 && more > 0 && held + more > limit;
        let over = beyond(settings.quota_items, held_items, items)
            || beyond(settings.quota_octets, held_octets, octets as u64);
        if over && !self.state.over_quota {
            self.state.over_quota = true;
            self.note(
                None,
                None,
                "the account's quota is used up: items are refused with 420",
            );
        }
        over
    }

    /// An item was written: `before` are the octets of the body that it had, `None` for a new one.
    pub(super) fn count_usage(&mut self, before: Option<usize>, octets: usize) {
        if let Some((items, held)) = &mut self.state.usage {
            *items += u64::from(before.is_none());
            *held = held.saturating_sub(before.unwrap_or(0) as u64) + octets as u64;
        }
    }

    /// Mem of a Sync: what the device has room for.
    pub(super) fn note_memory(&mut self, link: usize, sync: &Sync<'_>) {
        if let Some(mem) = sync.meta.as_ref().and_then(|meta| meta.mem) {
            let of = &mut self.state.links[link];
            of.free_items = Some(mem.free_id);
            of.free_octets = Some(mem.free);
        }
    }
}

impl Link {
    /// The device takes a new item of so many octets.
    pub(super) fn takes(&self, octets: usize) -> bool {
        let free = |free: Option<u64>, wanted: u64| free.is_none_or(|free| wanted <= free);
        !self.full && free(self.free_items, 1) && free(self.free_octets, octets as u64)
    }

    /// A new item was sent.
    pub(super) fn took(&mut self, octets: usize) {
        let less = |free: u64, by: u64| {
            if free == u64::MAX {
                free
            } else {
                free.saturating_sub(by)
            }
        };
        self.free_items = self.free_items.map(|free| less(free, 1));
        self.free_octets = self.free_octets.map(|free| less(free, octets as u64));
    }
}
