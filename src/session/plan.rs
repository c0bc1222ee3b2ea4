//! What a device is to have of a hierarchical datastore, and what has to be sent for it.
//!
//! A device has all folders, and of each folder the mails within a window: the newest, by number and by days. So the
//! windows and what the device has are looked at in every sync, and bodies only of what is sent: the cost is bounded by the window,
//! not by the mailbox. What falls out of a window is deleted on the device and stays here. A device without folders has
//! the inbox, and its mails are at the top.

use bytes::Bytes;

use std::cmp::Reverse;

use rustc_hash::FxHashSet;

use super::LoadFailed;
use super::profile::Target;
use super::send::{Filling, Packed};
use super::state::{Sent, Stage};
use super::turn::{Held, Turn};
use crate::content::email::{FolderRole, Mail, Shape};
use crate::content::{self, Digest, Format};
use crate::filter::FilterType;
use crate::sync::{
    Answer, Entry, Item, ItemId, ItemMeta, Modseq, Newest, NewestQuery, Query, Round, Selection,
};
use crate::syncml::Version;

/// Items whose bodies are loaded at once.
const BATCH: usize = 8;

/// The folder of an item, as a command says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parent {
    /// TargetParent: the device's id of it.
    pub target: Option<String>,
    /// SourceParent: ours, as long as the device's is not known.
    pub source: Option<String>,
}

/// One item that has to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    item: ItemId,
    kind: Sent,
    /// It lives here, but is no longer in the device's window.
    leaves: bool,
}

impl Turn<'_> {
    /// Whether the device knows folders.
    pub(super) fn knows_folders(&self, target: &Target) -> bool {
        self.state.version >= Version::V12 && target.holding.hierarchical
    }

    /// What has to be sent, in order: folders from the top, mails with the newest first, and last what the device has to
    /// let go, from the bottom.
    pub(super) fn planned(&mut self, link: usize) -> Result<Vec<Step>, LoadFailed> {
        self.load_folders(link)?;
        let target = self.target(link);
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        let names_everything = of.mode.names_everything();
        let flat = !self.knows_folders(&target);
        let windows = self
            .context
            .device
            .mail_window
            .over(&self.context.settings.mail_windows);
        let folders: Vec<ItemId> = self
            .folders
            .iter()
            .flatten()
            .map(|(id, _)| *id)
            .filter(|id| self.is_folder(*id))
            .filter(|id| !flat || self.role_of(*id) == Some(FolderRole::Inbox))
            .collect();
        let newest = folders.iter().map(|id| {
            let window = windows.of(self.role_of(*id));
            Newest {
                folder: *id,
                since: window.since(self.context.now),
                count: window.count.unwrap_or(crate::sync::MAX_COUNT),
            }
        });
        let query = NewestQuery {
            view,
            folders: newest.collect(),
        };
        let limits: Vec<(ItemId, u32)> = query
            .folders
            .iter()
            .map(|of| (of.folder, of.count))
            .collect();
        let Answer::Known(within) = self.loads.load(&Query::Newest(query))? else {
            return Err(LoadFailed);
        };
        let mut wanted: Vec<ItemId> = within.iter().map(|known| known.item.id).collect();
        self.keep_known(within);
        let Answer::Known(held) = self.loads.load(&Query::OnDevice(view))? else {
            return Err(LoadFailed);
        };
        let mut others: Vec<ItemId> = held.iter().map(|known| known.item.id).collect();
        self.keep_known(held);
        // What this message changed is not as the store says: it is as new as can be.
        let moved = |held: &Held| {
            let before = held.before.as_ref();
            view.collections().contains(&held.meta.datastore)
                && before.is_none_or(|(meta, _)| meta.modseq != held.meta.modseq)
        };
        let mut new: Vec<ItemId> = self
            .items
            .iter()
            .filter(|(_, held)| moved(held))
            .map(|(id, _)| *id)
            .collect();
        new.sort_unstable_by_key(|id| Reverse(*id));
        others.extend(&new);
        let known: FxHashSet<ItemId> = new.iter().copied().collect();
        wanted.retain(|id| !known.contains(id));
        wanted.splice(0..0, new);
        let mut counts = limits;
        wanted.retain(|id| {
            let meta = &self.items[id].meta;
            let place = counts.iter_mut().find(|(folder, _)| *folder == meta.parent);
            let room = place.is_some_and(|(_, count)| {
                let room = *count > 0;
                *count = count.saturating_sub(1);
                room
            });
            room && !meta.deleted && meta.format != Format::Folder
        });
        if self.fetches_items(link) {
            let mut named: Vec<ItemId> = wanted.iter().chain(&others).copied().collect();
            named.sort_unstable();
            named.dedup();
            return self.fetched(link, named);
        }
        wanted = self.filtered(link, wanted)?;
        let mut steps = Vec::new();
        let mut ordered = folders;
        ordered.retain(|_| !flat);
        ordered.sort_by_key(|id| (self.depth(*id), self.role_of(*id).is_none(), *id));
        ordered.extend(wanted);
        for id in &ordered {
            steps.extend(self.step(link, *id, round, names_everything, flat));
        }
        others.sort_unstable();
        others.dedup();
        let kept: FxHashSet<ItemId> = ordered.iter().copied().collect();
        others.retain(|id| !kept.contains(id));
        others.sort_by_key(|id| (Reverse(self.depth(*id)), *id));
        for id in others {
            let held = &self.items[&id];
            let Some(entry) = held
                .entry
                .as_ref()
                .filter(|entry| entry.failures >= 0 && !(names_everything && entry.round != round))
            else {
                continue;
            };
            let under_way = entry.round == round && entry.sent.is_some();
            // What a device without folders wrote itself is in another folder here only.
            let own = matches!(
                self.role_of(held.meta.parent),
                Some(FolderRole::Drafts | FolderRole::Outbox | FolderRole::Sent)
            ) && entry.digest != Digest::default();
            if flat && own && !held.meta.deleted {
                continue;
            }
            if entry.luid.is_some() && !under_way {
                steps.push(Step {
                    item: id,
                    kind: Sent::Delete,
                    leaves: !held.meta.deleted,
                });
            } else if entry.luid.is_none() && entry.sent.is_some() && !under_way {
                // It was on its way, and is not wanted there any more.
                self.drop_entry(view, id);
            }
        }
        Ok(steps)
    }

    /// What has to be sent of an item that the device is to have.
    fn step(
        &self,
        link: usize,
        id: ItemId,
        round: Round,
        names_everything: bool,
        flat: bool,
    ) -> Option<Step> {
        let held = &self.items[&id];
        let of = &self.state.links[link];
        let entry = held.entry.as_ref();
        let step = |kind| {
            Some(Step {
                item: id,
                kind,
                leaves: false,
            })
        };
        let current = entry.filter(|entry| !names_everything || entry.round == round);
        let Some(entry) = current else {
            return step(Sent::Add);
        };
        if entry.failures < 0 || (entry.round == round && entry.sent.is_some()) {
            return None;
        }
        let selection = Selection::Changes { base: Modseq(0) };
        let changed = selection.wants(round, &held.meta, Some(entry));
        let has = entry.luid.is_some();
        let again = of.refield && !was_sent(entry, round);
        if has && (again || held.meta.content > entry.seen) {
            step(Sent::Replace)
        } else if has && !flat && entry.parent != held.meta.parent {
            let whole = held.meta.format == Format::Mail && self.moves_whole(entry, &held.meta);
            step(if whole { Sent::Replace } else { Sent::Move })
        } else if !has && changed {
            step(Sent::Add)
        } else if has && changed && entry.sent.is_some() {
            step(Sent::Replace)
        } else {
            None
        }
    }

    /// What the device has of an item.
    fn entry_of(&self, item: &Item) -> Option<&Entry> {
        self.items.get(&item.meta.id)?.entry.as_ref()
    }

    /// Whether the device needs a mail's text again because the mail moves to another folder.
    fn moves_whole(&self, entry: &Entry, meta: &ItemMeta) -> bool {
        self.own.traits.mail_body_on_move == Some(true)
            && entry.luid.is_some()
            && entry.parent != meta.parent
    }

    /// The single mails that the device asks for: all that it may have of them.
    fn fetched(&mut self, link: usize, ids: Vec<ItemId>) -> Result<Vec<Step>, LoadFailed> {
        let of = &self.state.links[link];
        let (filter, round) = (of.filter.clone(), of.round);
        let mut steps = Vec::new();
        // Ids can be compared without the mail.
        let asked = |held: &Held| {
            let luid = held.entry.as_ref().and_then(|entry| entry.luid.clone());
            let text = filter.as_ref().and_then(|filter| filter.record.as_ref());
            let text = text.map(ToString::to_string).unwrap_or_default();
            luid.is_some_and(|luid| text.contains(&luid)) || text.contains(&held.meta.id.guid())
        };
        let ids: Vec<ItemId> = ids
            .into_iter()
            .filter(|id| {
                let held = &self.items[id];
                !held.meta.deleted && held.meta.format != Format::Folder && asked(held)
            })
            .collect();
        for batch in ids.chunks(BATCH) {
            for item in self.bodies(batch)? {
                let id = item.meta.id;
                let entry = self.items[&id].entry.clone();
                let sent = entry.as_ref().is_some_and(|entry| was_sent(entry, round));
                let luid = entry.and_then(|entry| entry.luid);
                if !sent && self.passes(filter.as_ref(), &item, luid.as_deref()) {
                    steps.push(Step {
                        item: id,
                        kind: if luid.is_some() {
                            Sent::Replace
                        } else {
                            Sent::Add
                        },
                        leaves: false,
                    });
                }
            }
        }
        Ok(steps)
    }

    /// What is left by the device's own filter.
    fn filtered(&mut self, link: usize, ids: Vec<ItemId>) -> Result<Vec<ItemId>, LoadFailed> {
        let of = &self.state.links[link];
        let Some(filter) = of.filter.clone().filter(|filter| filter.record.is_some()) else {
            return Ok(ids);
        };
        let mut left = Vec::with_capacity(ids.len());
        for batch in ids.chunks(BATCH) {
            for item in self.bodies(batch)? {
                let entry = self
                    .items
                    .get(&item.meta.id)
                    .and_then(|held| held.entry.as_ref());
                let luid = entry.and_then(|entry| entry.luid.clone());
                let stays = luid.is_some() && filter.kind == FilterType::Inclusive;
                if stays || self.passes(Some(&filter), &item, luid.as_deref()) {
                    left.push(item.meta.id);
                }
            }
        }
        Ok(left)
    }

    /// Items with their bodies, in the order of the ids, as this message left them.
    fn bodies(&mut self, ids: &[ItemId]) -> Result<Vec<Item>, LoadFailed> {
        let missing = ids
            .iter()
            .copied()
            .filter(|id| self.items[id].body.is_none());
        let missing: Vec<ItemId> = missing.collect();
        let mut loaded = Vec::new();
        if !missing.is_empty() {
            let Answer::Items(items) = self.loads.load(&Query::Items(missing))? else {
                return Err(LoadFailed);
            };
            loaded = items;
        }
        let bodies = ids.iter().filter_map(|id| {
            let held = self.items.get(id)?;
            let body = match &held.body {
                Some(body) => body.clone(),
                None => {
                    let at = loaded.iter().position(|item| item.meta.id == *id)?;
                    loaded.swap_remove(at).body
                }
            };
            Some(Item {
                meta: held.meta.clone(),
                body,
            })
        });
        Ok(bodies.collect())
    }

    /// Puts what is planned into a Sync until there is no more (true) or the message is full (false).
    pub(super) fn fill_planned(&mut self, filling: &mut Filling) -> Result<bool, LoadFailed> {
        let link = filling.link;
        self.load_asked()?;
        let steps = self.planned(link)?;
        for batch in steps.chunks(BATCH) {
            let bare = |step: &&Step| !matches!(step.kind, Sent::Delete | Sent::Move);
            let ids: Vec<ItemId> = batch.iter().filter(bare).map(|step| step.item).collect();
            let mut loaded = self.bodies(&ids)?;
            for step in batch {
                let held = self.items[&step.item].clone();
                let at = loaded.iter().position(|item| item.meta.id == step.item);
                let item = match at {
                    Some(at) => loaded.swap_remove(at),
                    None => Item {
                        meta: held.meta.clone(),
                        body: Bytes::new(),
                    },
                };
                let all = self.state.links[link].mode.names_everything();
                let round = self.state.links[link].round;
                let entry = held.entry.filter(|entry| !all || entry.round == round);
                if self.pack_step(filling, step, item, entry)? {
                    return Ok(false);
                }
                if self.state.outgoing.is_some() {
                    return Ok(false);
                }
            }
        }
        let of = &mut self.state.links[link];
        of.considered = self.context.account.modseq.max(self.modseq);
        of.stage = Stage::Sent;
        Ok(true)
    }

    /// True if the message has no room for it.
    fn pack_step(
        &mut self,
        filling: &mut Filling,
        step: &Step,
        item: Item,
        entry: Option<Entry>,
    ) -> Result<bool, LoadFailed> {
        let link = filling.link;
        let luid = entry.as_ref().and_then(|entry| entry.luid.clone());
        if step.kind == Sent::Delete
            && !step.leaves
            && let Some(entry) = &entry
            && entry.sent.is_none()
            && self.withheld(link)? > 0
        {
            let held = self.items.get(&item.meta.id);
            if held.is_none_or(|held| !held.is_untold()) {
                self.withhold(link)?;
            }
            return Ok(false);
        }
        let address = match (step.kind, luid) {
            (Sent::Add, _) => item.meta.id.guid(),
            (_, Some(luid)) => luid,
            (_, None) => return Ok(false),
        };
        let (id, rest) = (item.meta.id, self.rest_of(link, step.kind, &item));
        let full = self.is_full_as(filling, step.kind, address, item, entry);
        if !full {
            self.note_rest(id, step.kind, rest);
        }
        Ok(full)
    }

    fn is_full_as(
        &mut self,
        filling: &mut Filling,
        kind: Sent,
        address: String,
        item: Item,
        entry: Option<Entry>,
    ) -> bool {
        filling.commands.len() >= super::send::MAX_COMMANDS
            || matches!(
                self.pack_as(filling, kind, address, item, entry),
                Packed::Full
            )
    }

    /// Remembers the folder with which an item is sent, until it is confirmed.
    pub(super) fn place_sent(&mut self, link: usize, kind: Sent, item: ItemId, parent: ItemId) {
        if self.is_hierarchical(link) && matches!(kind, Sent::Replace | Sent::Move) {
            self.state.placed.retain(|(of, _)| *of != item);
            self.state.placed.push((item, parent));
        }
    }

    /// The folder with which an item was sent.
    pub(super) fn placed(&mut self, item: ItemId) -> Option<ItemId> {
        let at = self.state.placed.iter().position(|(of, _)| *of == item)?;
        Some(self.state.placed.swap_remove(at).1)
    }

    /// How a command names an item's folder.
    pub(super) fn parent_for(
        &self,
        link: usize,
        target: &Target,
        kind: Sent,
        parent: ItemId,
    ) -> Parent {
        if kind == Sent::Delete || !self.is_hierarchical(link) || !self.knows_folders(target) {
            return Parent::default();
        }
        if parent == ItemId(0) {
            // What the device has may be in a folder.
            let top = (kind != Sent::Add).then(|| "/".to_owned());
            return Parent {
                target: top,
                source: None,
            };
        }
        let entry = self.items.get(&parent).and_then(|held| held.entry.as_ref());
        match entry.and_then(|entry| entry.luid.clone()) {
            Some(luid) => Parent {
                target: Some(luid),
                source: None,
            },
            None => Parent {
                target: None,
                source: Some(parent.guid()),
            },
        }
    }

    /// A mail or folder as the device can hold it. Of a mail that it has it is told the flags.
    pub(super) fn mail_for(
        &self,
        link: usize,
        target: &Target,
        kind: Sent,
        item: &Item,
    ) -> Option<Vec<u8>> {
        let form = content::Target {
            format: target.format_of(item.meta.format),
            mail: self.shape_of(link, item),
            ..target.form()
        };
        if form.format == Format::Email && !self.sends_message(link, kind, item) {
            let mut record = content::read_stored(&item.body, item.meta.format)?;
            for name in ["EMAILITEM", "MISSING", "EXT"] {
                record.root.remove(name);
            }
            return Some(content::write(&record, &form));
        }
        content::lower(&item.body, item.meta.format, &form)
    }

    /// Whether a device gets the message of a mail, and not its flags alone: it does not have it, or asks for it.
    pub(super) fn sends_message(&self, link: usize, kind: Sent, item: &Item) -> bool {
        kind != Sent::Replace
            || self.state.links[link].refield
            || self.fetches_items(link)
            || self.due_rest(item).is_some()
            || self.entry_of(item).is_some_and(|of| self.moves_whole(of, &item.meta))
            // The text of a draft can have changed.
            || Mail::state(&item.body).is_ok_and(|(mail, _)| mail.draft)
    }

    /// How much of a mail the device gets: as the window of its folder and the filter of the session say.
    pub(super) fn shape_of(&self, link: usize, item: &Item) -> Shape {
        // A draft that is there in part could not be edited.
        if Mail::state(&item.body).is_ok_and(|(mail, _)| mail.draft) {
            return Shape::WHOLE;
        }
        let windows = self
            .context
            .device
            .mail_window
            .over(&self.context.settings.mail_windows);
        let octets = match windows.of(self.role_of(item.meta.parent)).bytes {
            None | Some(0) => u64::MAX,
            Some(octets) => u64::from(octets),
        };
        let filter = self.state.links[link].filter.as_ref();
        let fields = filter.and_then(|filter| filter.fields.as_deref());
        let whole = self.due_rest(item).is_some_and(|asked| asked.whole);
        Shape::asked(octets, self.fetches_items(link) || whole, fields)
    }
}

/// Whether the device has got an item in this round, or it is on its way.
fn was_sent(entry: &Entry, round: Round) -> bool {
    entry.round == round && (entry.sent.is_some() || entry.digest == Digest::default())
}
