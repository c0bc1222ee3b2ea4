//! The client's changes: Sync with Add, Replace and Delete (Sync Protocol 1.1 section 5).
//!
//! A message's bodies are parsed once; one load brings what its LUIDs and match keys are known for, one the bodies
//! that have to be compared or merged. The rules for single items are in `super::decide`.

use std::borrow::Cow;
use std::cell::OnceCell;

use base64::Engine as _;
use rustc_hash::FxHashMap;
use sha2::{Digest as _, Sha256};

use super::LoadFailed;
use super::group::Atomic;
use super::profile::Target;
use super::state::{Phase, Stage};
use super::turn::{Held, Turn};
use crate::content::{self, Digest, Floating, Format, Kind, MatchKey, ReadHint, Record};
use crate::device;
use crate::sync::{
    Answer, Change, Datastore, Entry, Item, ItemId, ItemMeta, ItemWrite, Known, KnownQuery, Mark,
    Modseq, Query,
};
use crate::syncml::{self, ChangeKind, Code, Command, GroupKind, Meta, Sync};

/// Bodies that one Sync may have loaded to compare.
const MAX_COMPARED: usize = 4_000;
/// Octets of a LUID.
const MAX_LUID: usize = 255;

/// One item command.
pub(super) struct Op<'m> {
    pub position: u32,
    pub cmd_id: &'m str,
    pub kind: ChangeKind,
    /// Answer it.
    pub answered: bool,
    pub luid: String,
    /// Delete frees memory on the device only.
    pub soft: bool,
    /// The Atomic that it is part of.
    pub atomic: Option<usize>,
    /// LUID of the item that this one is a copy of.
    pub copy_of: Option<String>,
    /// What came for it; `Err` is the Status for what cannot be read.
    pub content: Result<Content<'m>, Code>,
}

impl<'m> Op<'m> {
    /// The body that came and was read.
    fn body(&self) -> Option<&Incoming<'m>> {
        match &self.content {
            Ok(Content::Body(incoming)) => Some(incoming),
            _ => None,
        }
    }
}

/// What came for an item.
pub(super) enum Content<'m> {
    /// Nothing: it is to be deleted.
    Absent,
    /// A body that was not looked into yet.
    Unread(Unread<'m>),
    /// The very octets that the device sent last, of an item that nobody changed since.
    Unchanged(ItemId),
    /// A body that was read.
    Body(Incoming<'m>),
}

/// A body as it came.
pub(super) struct Unread<'m> {
    body: Cow<'m, [u8]>,
    media: Option<Format>,
    mark: Mark,
}

/// A body that came and was read.
pub(super) struct Incoming<'m> {
    pub body: Cow<'m, [u8]>,
    pub format: Format,
    pub kind: Kind,
    pub digest: Digest,
    pub key: MatchKey,
    pub mark: Mark,
    /// The body says all without knowing the device: it can be kept as it is.
    pub plain: bool,
    hint: ReadHint<'static>,
    /// Most bodies are new or known: nobody asks for their fields again, so these are not kept.
    record: OnceCell<Record>,
}

impl Incoming<'_> {
    /// The item.
    pub(super) fn record(&self) -> &Record {
        self.record.get_or_init(|| {
            content::read(&self.body, &self.hint)
                .expect("a body that was read can be read again")
                .record
        })
    }
}

impl Incoming<'static> {
    /// A stored body as if it came; `None` if it cannot be read.
    pub(super) fn of_stored(meta: &ItemMeta, body: Vec<u8>) -> Option<Self> {
        let kind = matches!(meta.format, Format::PlainText | Format::VNote11).then_some(Kind::Note);
        let hint = ReadHint {
            format: Some(meta.format),
            kind,
            ..ReadHint::default()
        };
        let parsed = content::read(&body, &hint).ok()?;
        Some(Self {
            plain: true,
            digest: meta.digest,
            key: meta.key,
            mark: Mark::default(),
            format: meta.format,
            kind: parsed.record.kind,
            body: Cow::Owned(body),
            hint,
            record: OnceCell::new(),
        })
    }
}

/// The mark of the octets of a body and of what says how to read them.
fn mark(body: &[u8], media: Option<Format>) -> Mark {
    let mut hash = Sha256::new();
    hash.update([media.map_or(0xFF, |format| format as u8)]);
    hash.update(body);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.finalize()[..8]);
    // 0 stands for no octets.
    Mark(i64::from_be_bytes(first) | 1)
}

/// What the ops of one Sync may meet.
#[derive(Default)]
pub(super) struct Lookup {
    pub by_luid: FxHashMap<String, ItemId>,
    pub by_key: FxHashMap<MatchKey, Vec<ItemId>>,
    /// Versions that the device saw last, of items that changed since.
    pub revisions: FxHashMap<ItemId, Item>,
}

impl Turn<'_> {
    pub(super) fn sync(&mut self, sync: &Sync<'_>, position: u32) -> Result<(), LoadFailed> {
        let uri = |location: &Option<syncml::Location<'_>>| {
            location.as_ref().map(|location| location.uri.to_string())
        };
        let (target, source) = (uri(&sync.target), uri(&sync.source));
        let link = self.state.link_at(target.as_deref(), source.as_deref());
        let code = match link {
            None if target
                .as_deref()
                .and_then(|uri| self.context.settings.resolve(uri))
                .is_none() =>
            {
                Code::NOT_FOUND
            }
            // No Alert, or out of its phase.
            None => Code::COMMAND_NOT_ALLOWED,
            Some(link) if self.forced.contains(&link) => Code::REFRESH_REQUIRED,
            Some(_) if !matches!(self.state.phase, Phase::Initialising | Phase::Receiving) => {
                Code::COMMAND_NOT_ALLOWED
            }
            Some(_) => Code::OK,
        };
        if !sync.no_resp {
            self.answer_refs(
                position,
                &sync.cmd_id,
                "Sync",
                code,
                target.as_deref(),
                source.as_deref(),
            );
        }
        let Some(link) = link.filter(|_| code == Code::OK) else {
            self.refuse(&sync.commands, position, code);
            return Ok(());
        };
        self.state.links[link].stage = Stage::Receiving;
        let target = self.target(link);
        let mut ops = Vec::with_capacity(sync.commands.len());
        let mut atomics = Vec::new();
        self.note_memory(link, sync);
        self.collect(link, &sync.commands, position, &mut ops, &mut atomics);
        if !ops.is_empty() {
            self.load_usage()?;
        }
        self.state.commands += ops.len() as u64;
        let mut lookup = self.look_up(link, &target, &mut ops)?;
        self.apply_all(link, &target, &ops, &mut atomics, &mut lookup);
        Ok(())
    }

    /// The same Status for every command of a Sync that is not worked on.
    pub(super) fn refuse(&mut self, commands: &[Command<'_>], position: u32, code: Code) {
        let mut rest: Vec<&Command<'_>> = commands.iter().rev().collect();
        while let Some(command) = rest.pop() {
            if !command.no_resp() {
                self.answer(position, command.cmd_id(), command.name(), code);
            }
            match command {
                Command::Group(group) => rest.extend(group.commands.iter().rev()),
                Command::Sync(sync) => rest.extend(sync.commands.iter().rev()),
                _ => {}
            }
        }
    }

    /// Flattens the commands, reads their bodies, joins chunks.
    fn collect<'m>(
        &mut self,
        link: usize,
        commands: &'m [Command<'m>],
        position: u32,
        ops: &mut Vec<Op<'m>>,
        atomics: &mut Vec<Atomic<'m>>,
    ) {
        let mut rest: Vec<(&'m Command<'m>, Option<usize>)> = commands
            .iter()
            .rev()
            .map(|command| (command, None))
            .collect();
        while let Some((command, within)) = rest.pop() {
            let mut refused = None;
            match command {
                Command::Group(group) if group.kind == GroupKind::Sequence => {
                    if !group.no_resp {
                        self.answer(position, &group.cmd_id, "Sequence", Code::OK);
                    }
                    let members = group.commands.iter().rev();
                    rest.extend(members.map(|command| (command, within)));
                }
                Command::Group(group) if within.is_none() => {
                    atomics.push(Atomic {
                        position,
                        cmd_id: &group.cmd_id,
                        answered: !group.no_resp,
                        refused: false,
                        done: false,
                    });
                    let within = Some(atomics.len() - 1);
                    let members = group.commands.iter().rev();
                    rest.extend(members.map(|command| (command, within)));
                }
                // An Atomic within an Atomic is not allowed.
                Command::Group(_) => refused = Some(Code::COMMAND_FAILED),
                Command::Change(change) if change.kind == ChangeKind::Move => {
                    self.note_move(link);
                    refused = Some(Code::FEATURE_NOT_SUPPORTED);
                }
                Command::Change(change)
                    if within.is_some() && change.items.iter().any(|item| item.more_data) =>
                {
                    // It would end in another message.
                    refused = Some(Code::FEATURE_NOT_SUPPORTED);
                }
                Command::Change(change) => {
                    for item in &change.items {
                        if let Some(op) = self.op(link, change, item, position) {
                            ops.push(Op {
                                atomic: within,
                                ..op
                            });
                        }
                    }
                }
                _ => refused = Some(Code::COMMAND_NOT_ALLOWED),
            }
            if let Some(code) = refused {
                self.refuse(std::slice::from_ref(command), position, code);
                if let Some(atomic) = within.and_then(|index| atomics.get_mut(index)) {
                    atomic.refused = true;
                }
            }
        }
    }

    fn op<'m>(
        &mut self,
        link: usize,
        change: &'m syncml::Change<'m>,
        item: &'m syncml::Item<'m>,
        position: u32,
    ) -> Option<Op<'m>> {
        let uri = |place: &Option<syncml::Location<'_>>| {
            let uri = place.as_ref().map(|place| place.uri.to_string());
            uri.filter(|uri| !uri.is_empty())
        };
        let (source, target_of_item) = (uri(&item.source), uri(&item.target));
        // Copy without a body: Source is what is copied, Target the copy.
        let copy_of = source
            .clone()
            .filter(|_| change.kind == ChangeKind::Copy && !item.data.is_some());
        let luid = if copy_of.is_some() {
            target_of_item
        } else {
            source.or(target_of_item)
        };
        let luid = luid.unwrap_or_default();
        let content = if luid.is_empty() || luid.len() > MAX_LUID {
            Err(Code::INCOMPLETE_COMMAND)
        } else if change.kind == ChangeKind::Delete || copy_of.is_some() {
            Ok(Content::Absent)
        } else {
            let metas = [item.meta.as_ref(), change.meta.as_ref()];
            let media = metas.iter().flatten().find_map(|meta| meta.kind.as_deref());
            match self.whole(link, &luid, item, metas, media) {
                super::chunk::Whole::Body { data, media } => {
                    unread(data, media.as_deref(), metas).map(Content::Unread)
                }
                super::chunk::Whole::Part => {
                    self.answer_refs(
                        position,
                        &change.cmd_id,
                        change.kind.name(),
                        Code::CHUNK_ACCEPTED,
                        None,
                        Some(&luid),
                    );
                    return None;
                }
                super::chunk::Whole::Repeated(code) => {
                    let name = change.kind.name();
                    self.answer_refs(position, &change.cmd_id, name, code, None, Some(&luid));
                    return None;
                }
                super::chunk::Whole::Refused(code) => Err(code),
            }
        };
        Some(Op {
            position,
            cmd_id: &change.cmd_id,
            kind: change.kind,
            answered: !change.no_resp,
            luid,
            soft: change.soft,
            atomic: None,
            copy_of,
            content,
        })
    }

    /// Reads a body.
    fn incoming<'m>(
        &mut self,
        link: usize,
        target: &Target,
        unread: Unread<'m>,
        luid: &str,
    ) -> Result<Incoming<'m>, Code> {
        let view = self.state.links[link].view;
        let hint = ReadHint {
            format: unread.media,
            kind: Some(device::default_kind(view)),
            ..target.hint()
        };
        let parsed = content::read(&unread.body, &hint).map_err(|error| {
            self.note(
                Some(view),
                Some(luid),
                format!("an item cannot be read: {error}"),
            );
            Code::UNSUPPORTED_MEDIA_TYPE
        })?;
        if !view
            .collections()
            .contains(&device::home(parsed.record.kind))
        {
            self.note(
                Some(view),
                Some(luid),
                format!("a {:?} does not belong into {view}", parsed.record.kind),
            );
            return Err(Code::UNSUPPORTED_MEDIA_TYPE);
        }
        for warning in &parsed.warnings {
            self.note(Some(view), Some(luid), format!("odd content: {warning}"));
        }
        let digest = content::digest(&parsed.record);
        let key = content::match_key(&parsed.record);
        let kind = parsed.record.kind;
        // What is read by a dialect is kept: almost every such item is compared.
        let record = match hint.dialect {
            Some(_) => OnceCell::from(parsed.record),
            None => OnceCell::new(),
        };
        Ok(Incoming {
            plain: hint.floating == Floating::Keep && hint.dialect.is_none(),
            digest,
            key,
            mark: unread.mark,
            format: parsed.format,
            kind,
            body: unread.body,
            hint: ReadHint {
                charset: None,
                dialect: None,
                ..hint
            },
            record,
        })
    }

    /// Tells bodies that are as they were from others, and reads those.
    fn read_bodies(&mut self, link: usize, target: &Target, ops: &mut [Op<'_>]) {
        let collections = self.state.links[link].view.collections();
        let mut unchanged: FxHashMap<&str, Option<(ItemId, Mark)>> = FxHashMap::default();
        for (id, held) in &self.items {
            if let Some(entry) = &held.entry
                && let Some(luid) = &entry.luid
                && entry.mark != Mark::default()
                && entry.failures == 0
                && entry.sent.is_none()
                && entry.seen == held.meta.modseq
                && !held.meta.deleted
                && collections.contains(&held.meta.datastore)
            {
                unchanged.insert(luid, Some((*id, entry.mark)));
            }
        }
        let known: Vec<Option<ItemId>> = ops
            .iter()
            .map(|op| {
                // A LUID that comes twice is known the first time only; what comes first then counts for nothing.
                let (id, mark) = unchanged.get_mut(op.luid.as_str())?.take()?;
                match &op.content {
                    Ok(Content::Unread(unread)) if unread.mark == mark => Some(id),
                    _ => None,
                }
            })
            .collect();
        for (op, known) in ops.iter_mut().zip(known) {
            op.content = match std::mem::replace(&mut op.content, Ok(Content::Absent)) {
                Ok(Content::Unread(unread)) => match known {
                    Some(id) => Ok(Content::Unchanged(id)),
                    None => self
                        .incoming(link, target, unread, &op.luid)
                        .map(Content::Body),
                },
                other => other,
            };
        }
    }

    /// Loads what is known of the LUIDs and match keys, then the bodies that decisions need.
    fn look_up(
        &mut self,
        link: usize,
        target: &Target,
        ops: &mut [Op<'_>],
    ) -> Result<Lookup, LoadFailed> {
        let mut lookup = Lookup::default();
        if ops.is_empty() {
            return Ok(lookup);
        }
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
        for known in known {
            self.items.entry(known.item.id).or_insert_with(|| Held {
                before: Some((known.item.clone(), known.entry.clone())),
                meta: known.item,
                entry: known.entry,
                body: None,
                changed: false,
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

    /// Writes an item: a new one if `id` is `None`. `record` is what it says, if that may be something else than what
    /// came.
    pub(super) fn write_item(
        &mut self,
        id: Option<ItemId>,
        incoming: &Incoming<'_>,
        record: Option<&Record>,
    ) -> ItemId {
        let other = record.filter(|record| *record != incoming.record());
        let id = id.unwrap_or_else(|| {
            let id = self.next_item;
            self.next_item = ItemId(id.0 + 1);
            id
        });
        self.modseq = self.modseq.next();
        let held = self.items.get(&id).filter(|held| !held.meta.deleted);
        let replaced = held.map(|held| held.body.as_ref().map_or(0, Vec::len));
        let (format, body) = stored_form(incoming, other);
        let original = (other.is_some() || !incoming.plain).then(|| incoming.body.to_vec());
        let meta = ItemMeta {
            id,
            datastore: device::home(other.map_or(incoming.kind, |record| record.kind)),
            modseq: self.modseq,
            deleted: false,
            format,
            digest: other.map_or(incoming.digest, content::digest),
            key: other.map_or(incoming.key, content::match_key),
            updated: self.context.now,
        };
        self.count_usage(replaced, body.len());
        let write = ItemWrite {
            meta: meta.clone(),
            body: body.clone(),
            original,
            origin: Some(self.device.id),
        };
        self.changes.push(Change::PutItem(write));
        let held = self.items.entry(id).or_insert_with(|| Held {
            before: None,
            meta: meta.clone(),
            entry: None,
            body: None,
            changed: true,
        });
        held.meta = meta;
        held.body = Some(body);
        held.changed = true;
        id
    }

    /// Sets the device's entry for an item. Another item that has the same LUID loses it.
    pub(super) fn put_entry(&mut self, view: Datastore, entry: Entry, lookup: Option<&mut Lookup>) {
        if let (Some(lookup), Some(luid)) = (lookup, &entry.luid)
            && let Some(other) = lookup.by_luid.insert(luid.clone(), entry.item)
            && other != entry.item
            && self
                .items
                .get(&other)
                .is_some_and(|held| held.entry.as_ref().is_some_and(|of| of.luid == entry.luid))
        {
            self.drop_entry(view, other);
        }
        let mut only_round = false;
        if self.items.contains_key(&entry.item) {
            self.count_waiting(view, entry.item, Some(&entry));
        }
        if let Some(held) = self.items.get_mut(&entry.item) {
            only_round = entry.round == self.state.round_of(view)
                && held.entry.as_ref().is_some_and(|before| {
                    Entry {
                        round: entry.round,
                        ..before.clone()
                    } == entry
                });
            held.entry = Some(entry.clone());
            held.changed = true;
        }
        if only_round {
            self.claims.insert(entry.item, view);
            return;
        }
        self.claims.remove(&entry.item);
        self.changes.push(Change::PutEntry { view, entry });
    }

    /// Keeps the number of items that were sent in this round and wait for an answer, for an entry that changes.
    pub(super) fn count_waiting(&mut self, view: Datastore, item: ItemId, after: Option<&Entry>) {
        let Some(link) = self.state.links.iter_mut().find(|link| link.view == view) else {
            return;
        };
        let before = self.items.get(&item).and_then(|held| held.entry.as_ref());
        match (link.awaits(before), link.awaits(after)) {
            (false, true) => link.unconfirmed += 1,
            (true, false) => link.unconfirmed = link.unconfirmed.saturating_sub(1),
            _ => {}
        }
    }

    pub(super) fn drop_entry(&mut self, view: Datastore, item: ItemId) {
        self.count_waiting(view, item, None);
        if let Some(held) = self.items.get_mut(&item) {
            held.entry = None;
            held.changed = true;
        }
        self.changes.push(Change::DropEntry { view, item });
    }

    pub(super) fn delete_item(&mut self, item: ItemId) {
        self.modseq = self.modseq.next();
        if let Some((items, _)) = &mut self.state.usage {
            *items = items.saturating_sub(1);
        }
        if let Some(held) = self.items.get_mut(&item) {
            held.meta.deleted = true;
            held.meta.modseq = self.modseq;
            held.changed = true;
        }
        self.changes.push(Change::DeleteItem {
            item,
            modseq: self.modseq,
            origin: Some(self.device.id),
        });
    }
}

/// How an item is stored: the octets as they came, if they say all of it. `other` is what it says instead of them.
pub(super) fn stored_form(incoming: &Incoming<'_>, other: Option<&Record>) -> (Format, Vec<u8>) {
    // Of a mail, the wire's form says less than the stored one.
    let whole = !matches!(incoming.format, Format::Email | Format::Message);
    if other.is_none() && incoming.plain && whole {
        return (incoming.format, incoming.body.to_vec());
    }
    let record = other.unwrap_or_else(|| incoming.record());
    let format = richest(record, incoming.format);
    let body = content::write(record, &content::Target::new(format));
    (format, body)
}

/// The form that keeps all of a record.
fn richest(record: &Record, incoming: Format) -> Format {
    match record.kind {
        Kind::Contact => Format::VCard30,
        Kind::Event | Kind::Task => Format::ICalendar20,
        Kind::Note if incoming == Format::VNote11 || record.root.name == "VNOTE" => Format::VNote11,
        Kind::Note => Format::PlainText,
        Kind::Mail => Format::Mail,
        Kind::Folder => Format::Folder,
    }
}

/// A body, freed of base64, with the form that it is labelled with.
fn unread<'m>(
    data: Cow<'m, [u8]>,
    media: Option<&str>,
    metas: [Option<&Meta<'_>>; 2],
) -> Result<Unread<'m>, Code> {
    let metas = || metas.iter().flatten();
    let encoded = metas().find_map(|meta| meta.format.as_deref());
    let body = if encoded.is_some_and(|format| format.eq_ignore_ascii_case("b64")) {
        let compact: Vec<u8> = data
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let decoded = base64::engine::general_purpose::STANDARD.decode(compact);
        Cow::Owned(decoded.map_err(|_| Code::UNSUPPORTED_MEDIA_TYPE)?)
    } else {
        data
    };
    let version = metas().find_map(|meta| meta.version.as_deref());
    let media = media.and_then(|media| Format::from_mime(media, version));
    Ok(Unread {
        mark: mark(&body, media),
        body,
        media,
    })
}
