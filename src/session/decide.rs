//! One change of the client: what it means here.
//!
//! Two-way: the LUID says which item it is. Slow: LUIDs are hints, the item is found by what it is. A match is never
//! doubled, a field that the device cannot hold never lost.

use super::apply::Op;
use super::incoming::{Content, Incoming};
use super::lookup::Lookup;
use super::profile::Target;
use super::state::Mode;
use super::turn::{Held, Turn};
use crate::content::{self, Digest, Format, Kind, Record, read_stored};
use crate::sync::recording::{Event, What};
use crate::sync::{ConflictPolicy, Datastore, Entry, ItemId, ItemMeta, Modseq};
use crate::syncml::{ChangeKind, Code};

/// After so many times the version with which a device answers every other one is not taken for an edit.
const MAX_ECHOES: i64 = 4;
/// So often in a row a device may answer an item that it was sent with another version, in its very next sync: no two people edit
/// one thing by turns that long.
const MAX_ANSWERS: i64 = 12;

impl Turn<'_> {
    /// Applies one op; gives its Status.
    pub(super) fn apply(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let mode = self.state.links[link].mode;
        if !mode.client_sends() {
            return Code::COMMAND_NOT_ALLOWED;
        }
        let placed = self.place_of(link, op, lookup);
        lookup.place = placed.unwrap_or_default();
        let code = match &op.content {
            Err(code) => *code,
            Ok(Content::Absent) if op.kind == ChangeKind::Move => match placed {
                Ok(place) => self.relocate(link, op, place, lookup),
                Err(code) => code,
            },
            Ok(Content::Absent) => match (&op.copy_of, placed) {
                (Some(_), Err(code)) => code,
                (Some(from), _) => self.copy(link, op, from, lookup),
                (None, _) => self.delete(link, op, lookup),
            },
            Ok(Content::Body(_)) if placed.is_err() => placed.err().unwrap_or_default(),
            Ok(Content::Body(incoming)) if self.is_hierarchical(link) => {
                self.put(link, target, op, incoming, lookup)
            }
            Ok(Content::Unchanged(id)) => match placed {
                Ok(place) => self.still_there(link, op, *id, place),
                Err(code) => code,
            },
            Ok(Content::Body(incoming)) if mode.names_everything() => {
                self.claim(link, target, op, incoming, lookup)
            }
            Ok(Content::Body(incoming)) => self.upsert(link, target, op, incoming, lookup),
            // Bodies are read before anything is applied.
            Ok(Content::Unread(_)) => Code::COMMAND_FAILED,
        };
        let counts = &mut self.state.links[link].counts;
        match (op.kind, code) {
            (_, code) if !code.is_success() && code != Code::CONFLICT_SERVER_WINS => {
                counts.received_refused += 1
            }
            (ChangeKind::Delete, Code::OK) => counts.received_deleted += 1,
            (_, Code::ITEM_ADDED) => counts.received_added += 1,
            _ => {}
        }
        code
    }

    /// Add or Replace in a datastore with folders.
    fn put(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let place = lookup.place;
        let known = lookup.by_luid.get(&op.luid).and_then(|id| {
            let held = self.items.get(id)?;
            Some((*id, held.entry.as_ref()?.parent))
        });
        let to = match place {
            Some(place) => place,
            None => self.default_place(op, incoming),
        };
        if known.is_none() {
            // A mail that the device has in part is nothing that could be kept.
            let record = incoming.record();
            let whole = record.root.property("MISSING").is_none()
                && record.root.property("EMAILITEM").is_some();
            if incoming.kind == Kind::Mail && !whole {
                return self.claim_part(link, op, incoming, lookup);
            }
            if incoming.kind == Kind::Folder && self.has_too_many_folders() {
                return Code::DEVICE_FULL;
            }
            if place.is_some()
                && let Err(code) = self.may_go(link, &op.luid, None, to)
            {
                return code;
            }
        }
        lookup.place = Some(to);
        let code = if self.state.links[link].mode.names_everything() {
            self.claim(link, target, op, incoming, lookup)
        } else {
            self.upsert(link, target, op, incoming, lookup)
        };
        if !(code.is_success() || code == Code::CONFLICT_SERVER_WINS) {
            return code;
        }
        let Some(id) = lookup.by_luid.get(&op.luid).copied() else {
            return code;
        };
        let had = known.filter(|(of, _)| *of == id).map(|(_, parent)| parent);
        match self.settle_place(link, op, id, place, had) {
            Ok(()) => code,
            Err(refused) => refused,
        }
    }

    /// A mail that the device has in part, under an id that is not known: its twin, if it is there.
    fn claim_part(
        &mut self,
        link: usize,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let (view, round) = (self.state.links[link].view, self.state.links[link].round);
        let twin = self.candidates(incoming, lookup).into_iter().find(|id| {
            let held = &self.items[id];
            held.entry
                .as_ref()
                .is_none_or(|entry| entry.round < round || entry.luid.is_none())
        });
        let Some(id) = twin else {
            return Code::INCOMPLETE_COMMAND;
        };
        let held = &self.items[&id];
        let entry = Entry::named(id, &op.luid, held.meta.modseq, round)
            .with_content(incoming.digest, incoming.mark)
            .within(lookup.place.unwrap_or(held.meta.parent));
        self.put_entry(view, entry, Some(lookup));
        self.state.links[link].counts.received_equal += 1;
        Code::OK
    }

    /// Add or Replace with the octets that the device sent last, of an item that is as it was then.
    fn still_there(&mut self, link: usize, op: &Op<'_>, id: ItemId, place: Option<ItemId>) -> Code {
        let of = &mut self.state.links[link];
        of.counts.received_equal += 1;
        let (view, round) = (of.view, of.round);
        if let Some(held) = self.items.get_mut(&id)
            && let Some(entry) = &mut held.entry
            && entry.round != round
        {
            entry.round = round;
            held.changed = true;
            match &mut self.state.links[link].repeated {
                Some(repeated) => drop(repeated.insert(id)),
                None => drop(self.claims.insert(id, view)),
            }
        }
        let had = self.items.get(&id).and_then(|held| held.entry.as_ref());
        match had.map(|entry| entry.parent) {
            Some(had) if place.is_some_and(|place| place != had) => self
                .settle_place(link, op, id, place, Some(had))
                .map_or_else(|code| code, |()| Code::OK),
            _ => Code::OK,
        }
    }

    fn delete(&mut self, link: usize, op: &Op<'_>, lookup: &mut Lookup) -> Code {
        let Some(id) = lookup.by_luid.remove(&op.luid) else {
            return Code::ITEM_NOT_DELETED;
        };
        let Some(held) = self.items.get(&id).cloned() else {
            return Code::ITEM_NOT_DELETED;
        };
        let Some(entry) = held.entry.clone() else {
            return Code::ITEM_NOT_DELETED;
        };
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        if op.soft {
            // The device made room; it does not want the item back and the server keeps it.
            let gone = Entry {
                luid: None,
                seen: held.meta.modseq,
                sent: None,
                round,
                ..entry
            };
            self.put_entry(view, gone, None);
            return Code::OK;
        }
        if held.meta.deleted {
            self.drop_entry(view, id);
            return Code::OK;
        }
        if self.role_of(id).is_some() {
            self.note(
                Some(view),
                Some(&op.luid),
                "the device deleted a folder that the server needs: it is sent to the device again",
            );
            self.put_entry(view, entry.owed(held.meta.modseq, round), None);
            return Code::PERMISSION_DENIED;
        }
        // A mail that is deleted is in the trash.
        let changed_here = held.meta.format != Format::Mail && held.meta.modseq > entry.seen;
        if changed_here && self.policy(held.meta.datastore) != ConflictPolicy::Client {
            // What was written here since the device saw it is not lost: the device gets it again.
            self.state.links[link].counts.conflicts += 1;
            self.note(
                Some(view),
                Some(&op.luid),
                "deleted on the device, but changed here: it is sent to the device again",
            );
            self.put_entry(view, entry.owed(held.meta.modseq, round), None);
            return Code::CONFLICT_SERVER_WINS;
        }
        if changed_here {
            self.server_lost(view, &op.luid, &held.meta);
        }
        self.postpone(view, &held.meta, Entry { round, ..entry });
        Code::OK
    }

    /// Add or Replace in a two-way sync, or one from the client.
    fn upsert(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let Some(id) = lookup.by_luid.get(&op.luid).copied() else {
            return self.adopt_or_add(link, target, op, incoming, lookup);
        };
        let Some((held, entry)) = self
            .items
            .get(&id)
            .and_then(|held| Some((held.clone(), held.entry.clone()?)))
        else {
            return self.adopt_or_add(link, target, op, incoming, lookup);
        };
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        let now_equal = |entry: Entry, modseq: Modseq| Entry {
            seen: modseq,
            sent: None,
            digest: incoming.digest,
            mark: incoming.mark,
            round,
            failures: 0,
            ..entry
        };
        if held.meta.deleted {
            // Deleted here, changed there: the change brings it back.
            self.state.links[link].counts.conflicts += 1;
            let stored = self.stored(&held);
            let record = stored.map_or_else(
                || incoming.record().clone(),
                |stored| target.overlay(&stored, incoming.record()),
            );
            self.write_item(Some(id), incoming, Some(&record), None);
            self.put_entry(view, now_equal(entry, self.modseq), Some(lookup));
            return Code::OK;
        }
        if held.meta.digest == incoming.digest {
            self.state.links[link].counts.received_equal += 1;
            self.put_entry(view, now_equal(entry, held.meta.modseq), Some(lookup));
            return Code::OK;
        }
        if entry.digest == incoming.digest && entry.digest != Digest::default() {
            // The device repeats what it sent before; what changed here since is still on its way.
            self.state.links[link].counts.received_equal += 1;
            self.put_entry(view, Entry { round, ..entry }, Some(lookup));
            return Code::OK;
        }
        let Some(stored) = self.stored(&held) else {
            self.note(
                Some(view),
                Some(&op.luid),
                "the stored item cannot be read; the device's version replaces it",
            );
            self.write_item(Some(id), incoming, None, None);
            self.put_entry(view, now_equal(entry, self.modseq), Some(lookup));
            return Code::OK;
        };
        let sent_to_it = entry.digest == Digest::default();
        let at_once = sent_to_it && round.0 <= entry.round.0.saturating_add(1);
        let entry = Entry {
            echo: entry.echo.heard(incoming.digest, at_once),
            ..entry
        };
        let conflict = held.meta.modseq > entry.seen;
        if conflict && self.state.links[link].mode == Mode::TwoWay {
            self.state.links[link].counts.conflicts += 1;
            return self.conflict(
                link, target, op, incoming, lookup, id, &held, entry, &stored,
            );
        }
        let record = target.overlay(&stored, incoming.record());
        if at_once && entry.echo.answers() >= MAX_ANSWERS {
            self.state.links[link].counts.received_equal += 1;
            self.note(
                Some(view),
                Some(&op.luid),
                "the device answers whatever it is sent with another version, again and again: that is no edit, and left alone",
            );
            self.device_lost(view, &op.luid, id, incoming);
            let rested = Entry {
                echo: entry.echo.rested(),
                ..entry
            };
            self.put_entry(view, now_equal(rested, held.meta.modseq), Some(lookup));
            return Code::OK;
        }
        if sent_to_it && entry.echo.times() >= MAX_ECHOES {
            self.state.links[link].counts.received_equal += 1;
            self.note(
                Some(view),
                Some(&op.luid),
                "the device answers what it is sent with the same version, again and again: that is no edit, and left alone",
            );
            self.put_entry(view, now_equal(entry, held.meta.modseq), Some(lookup));
            return Code::OK;
        }
        self.state.links[link].counts.received_replaced += 1;
        self.write_if_changed(id, &held, incoming, &record);
        let modseq = self.items[&id].meta.modseq;
        self.put_entry(view, now_equal(entry, modseq), Some(lookup));
        Code::OK
    }

    #[allow(clippy::too_many_arguments)]
    fn conflict(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
        id: ItemId,
        held: &Held,
        entry: Entry,
        stored: &Record,
    ) -> Code {
        let of = &self.state.links[link];
        let (view, round) = (of.view, of.round);
        let newer = |a: &Record, b: &Record| Some(changed_at(a)? > changed_at(b)?);
        let policy = match self.policy(held.meta.datastore) {
            ConflictPolicy::Newer => match newer(incoming.record(), stored) {
                Some(true) => ConflictPolicy::Client,
                Some(false) => ConflictPolicy::Server,
                None => ConflictPolicy::Merge,
            },
            policy => policy,
        };
        let entry = Entry {
            sent: None,
            round,
            failures: 0,
            ..entry
        };
        match policy {
            ConflictPolicy::Server => {
                self.note(
                    Some(view),
                    Some(&op.luid),
                    "changed on both sides: the server's version stays",
                );
                self.device_lost(view, &op.luid, id, incoming);
                self.put_entry(
                    view,
                    Entry {
                        digest: incoming.digest,
                        mark: incoming.mark,
                        ..entry
                    },
                    Some(lookup),
                );
                Code::CONFLICT_SERVER_WINS
            }
            ConflictPolicy::Client => {
                self.note(
                    Some(view),
                    Some(&op.luid),
                    "changed on both sides: the device's version stays",
                );
                self.server_lost(view, &op.luid, &held.meta);
                let record = target.overlay(stored, incoming.record());
                self.write_if_changed(id, held, incoming, &record);
                let seen = self.items[&id].meta.modseq;
                self.put_entry(
                    view,
                    Entry {
                        seen,
                        digest: incoming.digest,
                        mark: incoming.mark,
                        ..entry
                    },
                    Some(lookup),
                );
                Code::CONFLICT_CLIENT_WINS
            }
            ConflictPolicy::Duplicate => {
                self.note(
                    Some(view),
                    Some(&op.luid),
                    "changed on both sides: both versions are kept",
                );
                self.put_entry(view, entry.owed(held.meta.modseq, round), None);
                let new = self.write_item(None, incoming, None, lookup.place);
                let own = Entry::named(new, &op.luid, self.modseq, round)
                    .with_content(incoming.digest, incoming.mark);
                self.put_entry(view, own, Some(lookup));
                Code::CONFLICT_DUPLICATED
            }
            ConflictPolicy::Merge | ConflictPolicy::Newer => {
                self.note(
                    Some(view),
                    Some(&op.luid),
                    "changed on both sides: merged field by field",
                );
                let seen = self.merge(view, &op.luid, target, incoming, lookup, held, stored);
                self.put_entry(
                    view,
                    Entry {
                        seen,
                        digest: incoming.digest,
                        mark: incoming.mark,
                        ..entry
                    },
                    Some(lookup),
                );
                Code::CONFLICT_MERGED
            }
        }
    }

    /// A LUID that is not known: it may be an item that the device has from here without our knowing (its Map was
    /// lost), else it is new.
    fn adopt_or_add(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let (view, round) = (self.state.links[link].view, self.state.links[link].round);
        let unnamed = |held: &Held| {
            !held.meta.deleted && held.entry.as_ref().is_none_or(|entry| entry.luid.is_none())
        };
        let twin = self.candidates(incoming, lookup).into_iter().find(|id| {
            self.items.get(id).is_some_and(|held| {
                unnamed(held)
                    && (held.meta.digest == incoming.digest
                        || self
                            .stored(held)
                            .is_some_and(|stored| target.is_twin(&stored, incoming.record())))
            })
        });
        let (id, added) = match twin {
            Some(id) => (id, false),
            None if self.is_over_quota(1, incoming.body.len()) => return Code::DEVICE_FULL,
            None => (self.write_item(None, incoming, None, lookup.place), true),
        };
        let entry = Entry::named(id, &op.luid, self.items[&id].meta.modseq, round)
            .with_content(incoming.digest, incoming.mark);
        self.put_entry(view, entry, Some(lookup));
        if !added {
            self.state.links[link].counts.received_equal += 1;
        }
        Code::ITEM_ADDED
    }

    /// Add or Replace in a slow sync or a refresh from the client: the device names what it has.
    fn claim(
        &mut self,
        link: usize,
        target: &Target,
        op: &Op<'_>,
        incoming: &Incoming<'_>,
        lookup: &mut Lookup,
    ) -> Code {
        let of = &self.state.links[link];
        let (view, round, refresh) = (of.view, of.round, of.mode == Mode::RefreshFromClient);
        let hint = lookup.by_luid.get(&op.luid).copied();
        // The device named this LUID in this round already: the newer content counts.
        let repeated = hint.filter(|id| {
            self.items[id].entry.as_ref().is_some_and(|entry| {
                entry.round == round && entry.luid.as_deref() == Some(&op.luid)
            })
        });
        let twin = repeated.or_else(|| self.twin(link, target, incoming, lookup, hint));
        let Some(id) = twin else {
            if self.is_over_quota(1, incoming.body.len()) {
                return Code::DEVICE_FULL;
            }
            let id = self.write_item(None, incoming, None, lookup.place);
            let entry = Entry::named(id, &op.luid, self.modseq, round)
                .with_content(incoming.digest, incoming.mark);
            self.put_entry(view, entry, Some(lookup));
            return Code::ITEM_ADDED;
        };
        let held = self.items[&id].clone();
        let old_digest = held
            .entry
            .as_ref()
            .map(|entry| entry.digest)
            .unwrap_or_default();
        let old_seen = held
            .entry
            .as_ref()
            .map(|entry| entry.seen)
            .unwrap_or_default();
        let entry = |seen: Modseq| {
            Entry::named(id, &op.luid, seen, round).with_content(incoming.digest, incoming.mark)
        };
        let repeats_itself = old_digest == incoming.digest && old_seen == held.meta.modseq;
        if !held.meta.deleted && (held.meta.digest == incoming.digest || repeats_itself) {
            self.state.links[link].counts.received_equal += 1;
            self.put_entry(view, entry(held.meta.modseq), Some(lookup));
            return Code::OK;
        }
        let Some(stored) = self.stored(&held) else {
            self.write_item(Some(id), incoming, None, None);
            self.put_entry(view, entry(self.modseq), Some(lookup));
            return Code::OK;
        };
        if !held.meta.deleted && target.same(&stored, incoming.record()) {
            self.state.links[link].counts.received_equal += 1;
            self.put_entry(view, entry(held.meta.modseq), Some(lookup));
            return Code::OK;
        }
        self.state.links[link].counts.received_replaced += 1;
        // What the device changed since it last saw the item, or everything if the client is right by definition.
        if refresh || old_seen == held.meta.modseq || held.meta.deleted {
            let record = target.overlay(&stored, incoming.record());
            self.write_if_changed(id, &held, incoming, &record);
            let modseq = self.items[&id].meta.modseq;
            self.put_entry(view, entry(modseq), Some(lookup));
            return Code::OK;
        }
        let seen = self.merge(view, &op.luid, target, incoming, lookup, &held, &stored);
        self.put_entry(view, entry(seen), Some(lookup));
        Code::CONFLICT_MERGED
    }

    /// The item that the device means, among those that it did not name in this round.
    fn twin(
        &self,
        link: usize,
        target: &Target,
        incoming: &Incoming<'_>,
        lookup: &Lookup,
        hint: Option<ItemId>,
    ) -> Option<ItemId> {
        let round = self.state.links[link].round;
        let free = |id: &ItemId| {
            self.items.get(id).is_some_and(|held| {
                held.entry
                    .as_ref()
                    .is_none_or(|entry| entry.round < round || entry.luid.is_none())
            })
        };
        let unchanged = |id: &ItemId| {
            let held = &self.items[id];
            let by_device = held
                .entry
                .as_ref()
                .is_some_and(|entry| entry.digest == incoming.digest);
            held.meta.digest == incoming.digest || by_device
        };
        let hint = hint.filter(free);
        if let Some(id) = hint.filter(unchanged) {
            return Some(id);
        }
        let candidates: Vec<ItemId> = self
            .candidates(incoming, lookup)
            .into_iter()
            .filter(free)
            .collect();
        if let Some(id) = candidates.iter().copied().find(unchanged) {
            return Some(id);
        }
        let stored: Vec<(ItemId, Record)> = hint
            .into_iter()
            .chain(candidates.iter().copied().filter(|id| Some(*id) != hint))
            .filter_map(|id| Some((id, self.stored(self.items.get(&id)?)?)))
            .collect();
        let by = |fits: &dyn Fn(&Record) -> bool| {
            stored
                .iter()
                .find(|(_, record)| fits(record))
                .map(|(id, _)| *id)
        };
        by(&|record| target.is_twin(record, incoming.record()))
            // The device had it under this LUID, and it still has the same name: it was edited.
            .or_else(|| hint.filter(|id| self.items[id].meta.key == incoming.key))
            .or_else(|| {
                by(&|record| {
                    content::match_key(record) == incoming.key
                        && content::matches(record, incoming.record())
                })
            })
    }

    fn candidates(&self, incoming: &Incoming<'_>, lookup: &Lookup) -> Vec<ItemId> {
        let mut ids = lookup
            .by_key
            .get(&incoming.key)
            .cloned()
            .unwrap_or_default();
        ids.retain(|id| self.items.get(id).is_some_and(|held| !held.meta.deleted));
        if let Some(place) = lookup.place {
            // Folders of one name are twins within one folder only; a mail may be elsewhere by now.
            ids.retain(|id| {
                let meta = &self.items[id].meta;
                meta.format != Format::Folder || meta.parent == place || self.role_of(*id).is_some()
            });
            ids.sort_by_key(|id| (self.items[id].meta.parent != place, *id));
        }
        ids
    }

    /// The stored item, read; `None` if its body was not loaded or is broken.
    fn stored(&self, held: &Held) -> Option<Record> {
        read_stored(held.body.as_deref()?, held.meta.format)
    }

    /// Merges what the device sent into the stored item; gives the version that the device then has.
    #[allow(clippy::too_many_arguments)]
    fn merge(
        &mut self,
        view: Datastore,
        luid: &str,
        target: &Target,
        incoming: &Incoming<'_>,
        lookup: &Lookup,
        held: &Held,
        stored: &Record,
    ) -> Modseq {
        let id = held.meta.id;
        let base = lookup
            .revisions
            .get(&id)
            .and_then(|item| read_stored(&item.body, item.meta.format));
        let merged = target.merge(base.as_ref(), stored, incoming.record());
        self.write_if_changed(id, held, incoming, &merged.record);
        let modseq = self.items[&id].meta.modseq;
        if modseq != held.meta.modseq && !held.meta.deleted {
            self.server_lost(view, luid, &held.meta);
        }
        // Below the new number if the device has to be told.
        if merged.differs_from_client {
            self.device_lost(view, luid, id, incoming);
            Modseq(modseq.0 - 1)
        } else {
            modseq
        }
    }

    /// Keeps what the device sent, for the case that it is wanted after all.
    fn device_lost(&mut self, view: Datastore, luid: &str, item: ItemId, incoming: &Incoming<'_>) {
        let (format, body) = super::write::stored_form(incoming, None);
        self.trace.push(&Event {
            item,
            luid,
            body: Some((format, &body)),
            ..Event::new(What::DeviceLost, Some(view))
        });
    }

    /// The version that was here; its body is among the revisions.
    fn server_lost(&mut self, view: Datastore, luid: &str, meta: &ItemMeta) {
        self.trace.push(&Event {
            item: meta.id,
            version: meta.modseq,
            luid,
            ..Event::new(What::ServerLost, Some(view))
        });
    }

    fn write_if_changed(
        &mut self,
        id: ItemId,
        held: &Held,
        incoming: &Incoming<'_>,
        record: &Record,
    ) {
        if held.meta.deleted || content::digest(record) != held.meta.digest {
            self.write_item(Some(id), incoming, Some(record), None);
        }
    }
}

/// When the item says that it was changed last: REV or LAST-MODIFIED, as comparable text.
fn changed_at(record: &Record) -> Option<String> {
    let of = |component: &content::Component| {
        let text = ["REV", "LAST-MODIFIED"]
            .iter()
            .find_map(|name| component.text(name))?;
        let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
        (digits.len() >= 8).then_some(digits)
    };
    std::iter::once(&record.root)
        .chain(&record.root.children)
        .find_map(of)
}
