//! Package 4: the server's changes, packed into messages that the device takes.

use std::borrow::Cow;

use super::LoadFailed;
use super::filter::Verdict;
use super::plan::Parent;
use super::profile::Target;
use super::state::{Awaited, Mode, Outgoing, Sent, Stage};
use super::turn::Turn;
use super::unmapped;
use crate::content::{self, Format};
use crate::sync::recording::{Event, What};
use crate::sync::{
    Answer, Cursor, Entry, Item, ItemId, ItemMeta, Modseq, OutgoingQuery, Query, Round, Selection,
};
use crate::syncml::{self, Change, ChangeKind, Command, Data, Location, Meta, Sync, Version};

/// Items of one page.
const PAGE: u32 = 300;
/// Commands of one message, whatever its size: the Statuses for them have to be remembered.
pub(super) const MAX_COMMANDS: usize = 1_000;
/// A chunk smaller than this is not worth a message of its own.
const LEAST_CHUNK: usize = 256;

/// What became of an item that was to be sent.
pub(super) enum Packed {
    /// It is in the message, or there is nothing to send for it.
    Done,
    /// The message is full.
    Full,
}

/// A Sync element that is being filled.
pub(super) struct Filling {
    pub link: usize,
    pub commands: Vec<Command<'static>>,
    pub target: std::rc::Rc<Target>,
    /// The store has no entry for the item at hand.
    pub is_unknown: bool,
    /// The store has nothing to send: only this message may have changed something.
    pub none_stored: bool,
}

impl Turn<'_> {
    /// Fills the reply. True if a Sync went out.
    pub(super) fn send(&mut self) -> Result<bool, LoadFailed> {
        let mut sent = false;
        for link in 0..self.state.links.len() {
            if self.state.links[link].stage == Stage::Sent
                && self
                    .state
                    .outgoing
                    .as_ref()
                    .is_none_or(|out| out.link != link)
            {
                continue;
            }
            let complete = self.send_link(link)?;
            sent |= self.state.links[link].sync_sent;
            if !complete {
                break;
            }
        }
        Ok(sent)
    }

    /// Sends what a datastore has. False if the message is full.
    fn send_link(&mut self, link: usize) -> Result<bool, LoadFailed> {
        let first = !matches!(self.state.links[link].stage, Stage::Sending(_));
        let mode = self.state.links[link].mode;
        if first {
            if !mode.server_sends() {
                self.state.links[link].stage = Stage::Sent;
                self.state.links[link].considered = self.modseq;
                return Ok(true);
            }
            let view = self.state.links[link].view;
            let mut state = self.view_state(view);
            state.sending_since = self.modseq;
            self.put_view_state(view, state);
            self.state.links[link].stage = Stage::Sending(Cursor::default());
        }
        if first {
            self.prune_again(link)?;
        }
        let target = self.target(link);
        let of = &self.state.links[link];
        let mut sync = Sync {
            target: Some(Location::new(of.remote.clone())),
            source: Some(Location::new(of.local.clone())),
            ..Sync::default()
        };
        let has_all = first && self.has_all(link)?;
        // How many items pass is known when they were looked at.
        let hierarchical = self.is_hierarchical(link);
        let mut none_stored = false;
        let counted = target.number_of_changes && (hierarchical || !self.is_filtered(link));
        if first && counted && self.state.version > Version::V10 {
            // A device that has no room for all of them gets fewer.
            let changes = if hierarchical {
                self.planned(link)?.len() as u64
            } else if has_all {
                0
            } else {
                let (changes, stored) = self.count(link)?;
                none_stored = stored == 0;
                changes
            };
            let room = self.state.links[link].free_items;
            sync.number_of_changes =
                Some(changes).filter(|count| room.is_none_or(|room| *count <= room));
        }
        let mut element = Command::Sync(sync);
        if self.reply.reserve(&mut element).is_err() {
            if first {
                self.state.links[link].stage = Stage::Receiving;
            }
            return Ok(false);
        }
        let mut filling = Filling {
            link,
            commands: Vec::new(),
            target,
            is_unknown: false,
            none_stored,
        };
        let complete = if has_all {
            let of = &mut self.state.links[link];
            of.has_all = true;
            of.considered = self.modseq;
            of.stage = Stage::Sent;
            true
        } else {
            self.fill(&mut filling)?
        };
        let Command::Sync(sync) = &mut element else {
            return Err(LoadFailed);
        };
        sync.commands = filling.commands;
        if first || !sync.commands.is_empty() {
            self.state.links[link].sync_sent = true;
            self.reply.push_reserved(element);
        }
        Ok(complete)
    }

    fn selection(&self, link: usize) -> Selection {
        let of = &self.state.links[link];
        if of.mode.names_everything() {
            Selection::All
        } else {
            Selection::Changes { base: of.base() }
        }
    }

    fn query(&self, link: usize, after: Cursor) -> OutgoingQuery {
        let of = &self.state.links[link];
        let every = of.refilter || of.mode.names_everything();
        let selection = if self.is_filtered(link) {
            let base = if every { Modseq(0) } else { of.base() };
            Selection::Every { base }
        } else {
            self.selection(link)
        };
        OutgoingQuery {
            view: of.view,
            round: of.round,
            selection,
            unsettled: self.is_unsettled(link),
            after,
            max_items: PAGE,
            max_octets: self.reply.free() as u64 + 1,
        }
    }

    /// Whether something that was sent in an earlier round may be waiting.
    fn is_unsettled(&self, link: usize) -> bool {
        let of = &self.state.links[link];
        self.context
            .views
            .iter()
            .find(|(view, _)| *view == of.view)
            .is_some_and(|(_, state)| state.unsettled != Round(0) && state.unsettled < of.round)
    }

    /// NumberOfChanges: what the store says, corrected by what this message changed. Beside it what the store says.
    fn count(&mut self, link: usize) -> Result<(u64, u64), LoadFailed> {
        let query = self.query(link, Cursor::default());
        let Answer::Count(stored) = self.loads.load(&Query::Count(query))? else {
            return Err(LoadFailed);
        };
        let wants = |meta: &ItemMeta, entry: Option<&Entry>| {
            query.selection.wants(query.round, meta, entry)
        };
        let mut count = i64::try_from(stored).unwrap_or(i64::MAX);
        for held in self
            .items
            .values()
            .filter(|held| held.changed && query.view.collections().contains(&held.meta.datastore))
        {
            count -= i64::from(
                held.before
                    .as_ref()
                    .is_some_and(|(meta, entry)| wants(meta, entry.as_ref())),
            );
            count += i64::from(wants(&held.meta, held.entry.as_ref()));
        }
        let again = self.state.links[link].again.len();
        let under_way = self.state.outgoing.as_ref();
        let again = again + usize::from(under_way.is_some_and(|out| out.link == link));
        let count = u64::try_from(count).unwrap_or(0) + again as u64;
        // Below that no Delete is kept back.
        if count < super::hold::LEAST {
            return Ok((count, stored));
        }
        Ok((count.saturating_sub(self.withheld(link)?), stored))
    }

    /// Puts items into a Sync until there are no more (true) or the message is full (false).
    fn fill(&mut self, filling: &mut Filling) -> Result<bool, LoadFailed> {
        let link = filling.link;
        // A chunk names its folder as the others do, which may have got its Map meanwhile.
        self.load_folders(link)?;
        if self.state.outgoing.is_some() && !self.next_chunk(filling) {
            return Ok(false);
        }
        if !self.send_again(filling)? {
            return Ok(false);
        }
        let Stage::Sending(mut cursor) = self.state.links[link].stage else {
            return Ok(true);
        };
        if self.is_hierarchical(link) {
            return self.fill_planned(filling);
        }
        loop {
            let query = self.query(link, cursor);
            let page = if filling.none_stored {
                crate::sync::Outgoing::default()
            } else if let Answer::Outgoing(page) = self.loads.load(&Query::Outgoing(query))? {
                page
            } else {
                return Err(LoadFailed);
            };
            let end = page.items.last().map(|(item, _)| place(&item.meta));
            let mut items: Vec<(Item, Option<Entry>)> = page
                .items
                .into_iter()
                .filter(|(item, _)| {
                    self.items
                        .get(&item.meta.id)
                        .is_none_or(|held| !held.changed)
                })
                .collect();
            let upto = if page.more { end } else { None };
            self.add_changed_here(&query, upto, &mut items)?;
            for (item, entry) in items {
                let next = place(&item.meta);
                if filling.commands.len() >= MAX_COMMANDS {
                    return Ok(false);
                }
                if self.state.links[link].unmapped.contains(item.meta.id) {
                    // It changed since it was sent: what is left is owed when its Map comes.
                    cursor = next;
                    continue;
                }
                if item.meta.deleted
                    && let Some(entry) = &entry
                    && entry.luid.is_some()
                    && entry.sent.is_none()
                    && self.withheld(link)? > 0
                {
                    // With the first, all are.
                    let held = self.items.get(&item.meta.id);
                    if held.is_none_or(|held| !held.is_untold()) {
                        self.withhold(link)?;
                    }
                    cursor = next;
                    self.state.links[link].stage = Stage::Sending(cursor);
                    continue;
                }
                match self.pack(filling, item, entry) {
                    Packed::Done => cursor = next,
                    Packed::Full => {
                        self.state.links[link].stage = Stage::Sending(cursor);
                        return Ok(false);
                    }
                }
                self.state.links[link].stage = Stage::Sending(cursor);
                if self.state.outgoing.is_some() {
                    return Ok(false);
                }
            }
            match upto {
                Some(end) => cursor = end,
                None => {
                    self.state.links[link].considered = page.modseq.max(self.modseq);
                    self.state.links[link].stage = Stage::Sent;
                    return Ok(true);
                }
            }
            self.state.links[link].stage = Stage::Sending(cursor);
        }
    }

    /// Items that this message changed and the store cannot tell of yet, at their place among the others.
    fn add_changed_here(
        &mut self,
        query: &OutgoingQuery,
        upto: Option<Cursor>,
        items: &mut Vec<(Item, Option<Entry>)>,
    ) -> Result<(), LoadFailed> {
        let chosen: Vec<ItemId> = self
            .items
            .values()
            .filter(|held| {
                let at = place(&held.meta);
                held.changed
                    && query.view.collections().contains(&held.meta.datastore)
                    && after(at, query.after)
                    && upto.is_none_or(|end| !after(at, end))
                    && query
                        .selection
                        .wants(query.round, &held.meta, held.entry.as_ref())
            })
            .map(|held| held.meta.id)
            .collect();
        if chosen.is_empty() {
            return Ok(());
        }
        let missing: Vec<ItemId> = chosen
            .iter()
            .copied()
            .filter(|id| self.items[id].body.is_none())
            .collect();
        if !missing.is_empty() {
            let Answer::Items(loaded) = self.loads.load(&Query::Items(missing))? else {
                return Err(LoadFailed);
            };
            for item in loaded {
                if let Some(held) = self.items.get_mut(&item.meta.id) {
                    held.body = Some(item.body);
                }
            }
        }
        for id in chosen {
            let held = &self.items[&id];
            let item = Item {
                meta: held.meta.clone(),
                body: held.body.clone().unwrap_or_default(),
            };
            items.push((item, held.entry.clone()));
        }
        items.sort_by_key(|(item, _)| (item.meta.modseq, item.meta.id));
        Ok(())
    }

    /// Packs an item; true if the message has no room for it.
    pub(super) fn is_full(
        &mut self,
        filling: &mut Filling,
        item: Item,
        entry: Option<Entry>,
    ) -> bool {
        filling.commands.len() >= MAX_COMMANDS
            || matches!(self.pack(filling, item, entry), Packed::Full)
    }

    fn pack(&mut self, filling: &mut Filling, item: Item, entry: Option<Entry>) -> Packed {
        let link = filling.link;
        let round = self.state.links[link].round;
        let all = self.state.links[link].mode.names_everything();
        filling.is_unknown = entry.is_none();
        // In a slow sync an entry of an earlier round is no longer true.
        let entry = entry.filter(|entry| !all || entry.round == round);
        let luid = entry.as_ref().and_then(|entry| entry.luid.clone());
        let mut removed = item.meta.deleted;
        if !self.is_hierarchical(link) && self.is_filtered(link) {
            match self.verdict(link, &self.selection(link), &item, entry.as_ref()) {
                Verdict::Send => {}
                Verdict::Leave => return Packed::Done,
                Verdict::Remove => removed = true,
                Verdict::Forget => {
                    let view = self.state.links[link].view;
                    self.drop_entry(view, item.meta.id);
                    return Packed::Done;
                }
            }
        }
        let (kind, address) = match (removed, luid) {
            (true, Some(luid)) => (Sent::Delete, luid),
            (true, None) => {
                if entry.is_some() {
                    let view = self.state.links[link].view;
                    self.drop_entry(view, item.meta.id);
                }
                return Packed::Done;
            }
            (false, Some(luid)) => (Sent::Replace, luid),
            (false, None) => (Sent::Add, item.meta.id.guid()),
        };
        self.pack_as(filling, kind, address, item, entry)
    }

    /// Packs an item as a command of that kind; `entry` is what the device has of it in this round.
    pub(super) fn pack_as(
        &mut self,
        filling: &mut Filling,
        kind: Sent,
        address: String,
        item: Item,
        entry: Option<Entry>,
    ) -> Packed {
        let link = filling.link;
        if self.waits(kind, link) {
            self.remember(link, &item.meta, entry.as_ref());
            return Packed::Done;
        }
        if kind == Sent::Delete
            && self
                .own
                .traits
                .max_deletes
                .is_some_and(|most| self.deletes >= most)
        {
            return Packed::Full;
        }
        let parent = self.parent_for(link, &filling.target, kind, item.meta.parent);
        let adds = kind == Sent::Add;
        let format = filling.target.format_of(item.meta.format);
        let body = if matches!(kind, Sent::Delete | Sent::Move) {
            Vec::new()
        } else {
            match self.body_for(link, &filling.target, kind, &item) {
                Some(body) => body,
                None => {
                    let view = self.state.links[link].view;
                    self.note(
                        Some(view),
                        Some(&address),
                        "the stored item cannot be read and is not sent",
                    );
                    return Packed::Done;
                }
            }
        };
        if adds && !self.state.links[link].takes(body.len()) {
            // No more Adds: it is offered in the next sync.
            self.remember(link, &item.meta, entry.as_ref());
            return Packed::Done;
        }
        let octets = body.len();
        let mut command = command(kind, &address, &parent, format, body, None, false);
        // It lives on here: the device only makes room.
        let soft = !item.meta.deleted && self.own.traits.soft_deletes == Some(true);
        if let Command::Change(change) = &mut command {
            change.soft = kind == Sent::Delete && soft;
        }
        let cmd = match self.reply.reserve(&mut command) {
            Ok(cmd) => cmd,
            Err(octets) => {
                // Too large for any message, or for this one that has no item yet: then the next has no more room.
                let alone = filling.commands.is_empty() && !self.reply.has_sync();
                if octets <= self.reply.free_when_empty() && !alone {
                    return Packed::Full;
                }
                let body = into_body(command);
                return self.pack_large(
                    filling,
                    &item.meta,
                    entry.as_ref(),
                    kind,
                    address,
                    format,
                    body,
                );
            }
        };
        filling.commands.push(command);
        self.deletes += u16::from(kind == Sent::Delete);
        if adds {
            self.state.links[link].took(octets);
        }
        let is_unknown = adds && filling.is_unknown;
        self.sent(link, &item.meta, entry.as_ref(), kind, cmd, is_unknown);
        Packed::Done
    }

    /// Whether the device must not be sent that now: it is owed until the next sync.
    pub(super) fn waits(&self, kind: Sent, link: usize) -> bool {
        kind == Sent::Replace
            && self.own.traits.no_slow_replace == Some(true)
            && self.state.links[link].mode == Mode::Slow
    }

    /// An object that no single message can hold: chunks, if the device takes them.
    #[allow(clippy::too_many_arguments)]
    fn pack_large(
        &mut self,
        filling: &mut Filling,
        meta: &ItemMeta,
        entry: Option<&Entry>,
        kind: Sent,
        address: String,
        format: Format,
        body: Vec<u8>,
    ) -> Packed {
        let link = filling.link;
        let view = self.state.links[link].view;
        let max_object = self.state.max_object;
        let takes = self.state.version > Version::V10
            && (filling.target.large_objects || max_object > 0)
            && (max_object == 0 || body.len() as u64 <= max_object);
        let body = match String::from_utf8(body) {
            Ok(body) if takes => body,
            _ => {
                self.note(
                    Some(view),
                    Some(&address),
                    "an item is larger than the device takes; it is offered again next time",
                );
                self.remember(link, meta, entry);
                return Packed::Done;
            }
        };
        if self.reply.free() < LEAST_CHUNK * 2 {
            return Packed::Full;
        }
        if kind == Sent::Add {
            self.state.links[link].took(body.len());
        }
        self.state.outgoing = Some(Outgoing {
            link,
            item: meta.id,
            version: meta.modseq,
            kind,
            address,
            parent: meta.parent,
            media: format.mime().to_owned(),
            body,
            offset: 0,
            confirmed: 0,
        });
        self.remember(link, meta, entry);
        self.next_chunk(filling);
        Packed::Done
    }

    /// Sends the next chunk. True if it was the last one.
    fn next_chunk(&mut self, filling: &mut Filling) -> bool {
        let Some(mut out) = self.state.outgoing.take() else {
            return true;
        };
        let format = Format::from_mime(&out.media, None).unwrap_or(filling.target.holding.format);
        let rest = &out.body[out.offset..];
        let mut length = rest.len().min(self.reply.free());
        loop {
            length = floor_char_boundary(rest, length);
            if length < LEAST_CHUNK.min(rest.len()) {
                // Full; the next message begins with it.
                self.state.outgoing = Some(out);
                return false;
            }
            let more = length < rest.len();
            let size = (out.offset == 0).then_some(
                out.body.len() as u64 + u64::from(self.own.traits.size_excess.unwrap_or(0)),
            );
            let chunk = rest.as_bytes()[..length].to_vec();
            let parent = self.parent_for(out.link, &filling.target, out.kind, out.parent);
            let mut command = command(out.kind, &out.address, &parent, format, chunk, size, more);
            let cmd = match self.reply.reserve(&mut command) {
                Ok(cmd) => cmd,
                Err(octets) => {
                    let excess = octets.saturating_sub(self.reply.free());
                    length = length.saturating_sub(excess.max(1));
                    continue;
                }
            };
            filling.commands.push(command);
            let msg = self.reply.msg_id().to_owned();
            self.state.awaited.push(Awaited {
                msg,
                cmd,
                link: out.link,
                item: out.item,
                version: out.version,
                kind: out.kind,
                chunk: more,
            });
            self.place_sent(out.link, out.kind, out.item, out.parent);
            out.offset += length;
            if more {
                self.state.outgoing = Some(out);
                return false;
            }
            self.trace_sent(out.link, out.kind, out.item, out.version, &out.address);
            let counts = &mut self.state.links[filling.link].counts;
            match out.kind {
                Sent::Add => counts.sent_added += 1,
                Sent::Replace | Sent::Move => counts.sent_replaced += 1,
                Sent::Delete => {}
            }
            self.state.closing = Some(out);
            return true;
        }
    }

    /// The item's body as the device can hold it.
    fn body_for(&self, link: usize, target: &Target, kind: Sent, item: &Item) -> Option<Vec<u8>> {
        if self.is_hierarchical(link) {
            return self.mail_for(link, target, kind, item);
        }
        let form = target.form();
        let heads = &mut target.heads.borrow_mut();
        let body = content::lower_with(&item.body, item.meta.format, &form, heads)?;
        Some(content::wrapped(body, form.format))
    }

    fn sent(
        &mut self,
        link: usize,
        meta: &ItemMeta,
        entry: Option<&Entry>,
        kind: Sent,
        cmd: u32,
        is_unknown: bool,
    ) {
        let msg = self.reply.msg_id().to_owned();
        self.state.awaited.push(Awaited {
            msg,
            cmd,
            link,
            item: meta.id,
            version: meta.modseq,
            kind,
            chunk: false,
        });
        self.place_sent(link, kind, meta.id, meta.parent);
        let counts = &mut self.state.links[link].counts;
        match kind {
            Sent::Add => counts.sent_added += 1,
            Sent::Replace | Sent::Move => counts.sent_replaced += 1,
            Sent::Delete => counts.sent_deleted += 1,
        }
        let luid = entry.and_then(|entry| entry.luid.as_deref());
        self.trace_sent(link, kind, meta.id, meta.modseq, luid.unwrap_or_default());
        let is_flat = !self.is_hierarchical(link) && meta.parent == ItemId(0);
        if is_unknown && is_flat && !self.items.contains_key(&meta.id) {
            let of = &mut self.state.links[link];
            if of.unmapped.insert(meta.id, meta.modseq) {
                of.unconfirmed += 1;
                return;
            }
        }
        self.remember(link, meta, entry);
    }

    fn trace_sent(&mut self, link: usize, kind: Sent, item: ItemId, version: Modseq, luid: &str) {
        let what = match kind {
            Sent::Add => What::SentAdd,
            Sent::Replace | Sent::Move => What::SentReplace,
            Sent::Delete => What::SentDelete,
        };
        self.trace.push(&Event {
            item,
            version,
            luid: if kind == Sent::Add { "" } else { luid },
            ..Event::new(what, Some(self.state.links[link].view))
        });
    }

    /// Notes in the view that a version is on its way, or is to be sent another time.
    fn remember(&mut self, link: usize, meta: &ItemMeta, entry: Option<&Entry>) {
        let of = &mut self.state.links[link];
        let (view, current) = (of.view, of.round);
        // Those that are held are counted where their entries are put.
        if !self.items.contains_key(&meta.id) && !of.awaits(entry) {
            of.unconfirmed += 1;
        }
        let entry = match entry {
            Some(entry) => Entry {
                sent: Some(meta.modseq),
                round: current,
                parent: if entry.luid.is_some() {
                    entry.parent
                } else {
                    meta.parent
                },
                failures: entry.failures.max(0),
                ..entry.clone()
            },
            None => unmapped::sent(meta.id, meta.modseq, current, meta.parent),
        };
        self.put_entry(view, entry, None);
    }
}

const fn place(meta: &ItemMeta) -> Cursor {
    Cursor {
        modseq: meta.modseq,
        item: meta.id,
    }
}

fn after(a: Cursor, b: Cursor) -> bool {
    (a.modseq, a.item) > (b.modseq, b.item)
}

fn floor_char_boundary(text: &str, mut index: usize) -> usize {
    index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The body of an item command, back.
fn into_body(command: Command<'static>) -> Vec<u8> {
    let Command::Change(change) = command else {
        return Vec::new();
    };
    match change.items.into_iter().next().map(|item| item.data) {
        Some(Data::Bytes(body)) => body.into_owned(),
        _ => Vec::new(),
    }
}

/// An item command. Server to client: Add names our GUID as Source, the others the client's LUID as Target.
fn command(
    kind: Sent,
    address: &str,
    parent: &Parent,
    format: Format,
    body: Vec<u8>,
    size: Option<u64>,
    more_data: bool,
) -> Command<'static> {
    let location = Some(Location::new(address.to_owned()));
    let (source, target) = if kind == Sent::Add {
        (location, None)
    } else {
        (None, location)
    };
    let is_bare = matches!(kind, Sent::Delete | Sent::Move);
    let meta = (!is_bare).then(|| Meta {
        kind: Some(Cow::Borrowed(format.mime())),
        format: format.is_sif().then_some(Cow::Borrowed("b64")),
        size,
        ..Meta::default()
    });
    Command::Change(Change {
        kind: match kind {
            Sent::Add => ChangeKind::Add,
            Sent::Replace => ChangeKind::Replace,
            Sent::Delete => ChangeKind::Delete,
            Sent::Move => ChangeKind::Move,
        },
        cmd_id: Cow::Borrowed(""),
        no_resp: false,
        archive: false,
        soft: false,
        cred: None,
        meta: meta.map(Box::new),
        items: vec![syncml::Item {
            target,
            source,
            target_parent: parent.target.clone().map(Cow::Owned),
            source_parent: parent.source.clone().map(Cow::Owned),
            data: if is_bare {
                Data::None
            } else {
                Data::Bytes(Cow::Owned(body))
            },
            more_data,
            ..syncml::Item::default()
        }],
    })
}
