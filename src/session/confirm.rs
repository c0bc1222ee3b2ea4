//! What the client says of the server's commands: Status and Map; and the end of a datastore's sync.

use rustc_hash::FxHashMap;

use super::LoadFailed;
use super::state::{Awaited, Mode, Outgoing, Sent, Stage};
use super::turn::Turn;
use crate::content::Digest;
use crate::sync::recording::{Event, What};
use crate::sync::{Change, Entry, Generation, ItemId, KnownQuery, Mark, Modseq, Round};
use crate::syncml::{Code, Map, MapItem, Status};

/// After so many refusals an item is not offered again until it changes.
const MAX_FAILURES: i32 = 5;

impl Turn<'_> {
    /// All Statuses of a message: what they answer is found at once, what they need is loaded at once.
    pub(super) fn confirm_all<'m>(
        &mut self,
        statuses: impl Iterator<Item = &'m Status<'m>>,
    ) -> Result<(), LoadFailed> {
        let awaited = std::mem::take(&mut self.state.awaited);
        // They are of few messages.
        let mut messages: Vec<String> = Vec::new();
        let mut waiting: FxHashMap<(usize, u32), Awaited> = FxHashMap::default();
        waiting.reserve(awaited.len());
        for awaited in awaited {
            let message = position_of(&messages, &awaited.msg).unwrap_or_else(|| {
                messages.push(awaited.msg.clone());
                messages.len() - 1
            });
            waiting.insert((message, awaited.cmd), awaited);
        }
        let mut answered = Vec::new();
        for status in statuses {
            if status.cmd == "Alert" && status.code == Code::REFRESH_REQUIRED {
                self.client_wants_slow(status);
                continue;
            }
            let Ok(cmd) = status.cmd_ref.trim().parse() else {
                continue;
            };
            if status.code == Code::IN_PROGRESS {
                continue;
            }
            let Some(message) = position_of(&messages, &status.msg_ref) else {
                continue;
            };
            if let Some(awaited) = waiting.remove(&(message, cmd)) {
                let closed = |of: &mut Outgoing| !awaited.chunk && of.item == awaited.item;
                self.state.closing.take_if(closed);
                answered.push((awaited, status.code));
            }
        }
        self.state.awaited = waiting.into_values().collect();
        // An Add that went well needs nothing: the Map will say the rest.
        answered.retain(|(awaited, code)| {
            awaited.chunk
                || awaited.kind != Sent::Add
                || !(code.is_success() || *code == Code::ALREADY_EXISTS)
        });
        for link in 0..self.state.links.len() {
            let items: Vec<ItemId> = answered
                .iter()
                .filter(|(awaited, _)| awaited.link == link)
                .map(|(awaited, _)| awaited.item)
                .collect();
            if !items.is_empty() {
                // A refused Add is among them.
                self.write_unmapped(link)?;
                let view = self.state.links[link].view;
                self.load_known(KnownQuery {
                    view,
                    luids: Vec::new(),
                    items,
                    keys: Vec::new(),
                })?;
            }
        }
        for (awaited, code) in answered {
            self.confirm(&awaited, code);
        }
        Ok(())
    }

    /// The device is known to say nothing of commands that it carried out.
    pub(super) fn assume_success(&mut self) -> Result<(), LoadFailed> {
        let statuses: Vec<Status<'static>> = self
            .state
            .awaited
            .iter()
            .map(|awaited| Status {
                msg_ref: awaited.msg.clone().into(),
                cmd_ref: awaited.cmd.to_string().into(),
                code: Code::OK,
                ..Status::default()
            })
            .collect();
        self.confirm_all(statuses.iter())
    }

    fn confirm(&mut self, awaited: &Awaited, code: Code) {
        if awaited.chunk {
            let current = self
                .state
                .outgoing
                .as_ref()
                .is_some_and(|out| out.item == awaited.item);
            if code == Code::CHUNK_ACCEPTED || !current {
                if let Some(out) = self.state.outgoing.as_mut().filter(|_| current) {
                    out.confirmed = out.offset;
                }
                return;
            }
            // The device does not want the rest.
            self.state.outgoing = None;
        }
        let Some(link) = self.state.links.get(awaited.link) else {
            return;
        };
        let view = link.view;
        let Some(entry) = self
            .items
            .get(&awaited.item)
            .and_then(|held| held.entry.clone())
        else {
            return;
        };
        let gone = matches!(code, Code::ITEM_NOT_DELETED | Code::NOT_FOUND | Code::GONE);
        match awaited.kind {
            Sent::Delete if code.is_success() || gone => self.drop_entry(view, awaited.item),
            // The Map will say the rest.
            Sent::Add if code.is_success() => {}
            Sent::Add if code == Code::ALREADY_EXISTS => {}
            Sent::Replace | Sent::Move if code.is_success() => {
                let parent = self.placed(awaited.item).unwrap_or(entry.parent);
                let confirmed = Entry {
                    parent,
                    seen: awaited.version,
                    sent: None,
                    digest: Digest::default(),
                    mark: Mark::default(),
                    failures: 0,
                    ..entry
                };
                let confirmed = self.owing_newer(Some(awaited.link), confirmed);
                self.put_entry(view, confirmed, None);
                self.confirm_rest(awaited.item);
            }
            Sent::Replace | Sent::Move if gone => {
                // The device lost the item: next time it is new to it.
                let again = Entry {
                    luid: None,
                    seen: Modseq(0),
                    digest: Digest::default(),
                    mark: Mark::default(),
                    ..entry
                };
                self.put_entry(view, again, None);
            }
            kind => self.refused(awaited.link, awaited.version, kind, entry, code),
        }
    }

    /// An entry that was just confirmed. If the item changed after it was sent, the device is owed the change: what is
    /// left of this package may not bring it, and the base of the next sync may be above it.
    fn owing_newer(&self, link: Option<usize>, entry: Entry) -> Entry {
        let Some(held) = self
            .items
            .get(&entry.item)
            .filter(|held| held.meta.modseq > entry.seen)
        else {
            return entry;
        };
        let sent = Some(held.meta.modseq);
        let Some(link) = link.and_then(|link| self.state.links.get(link)) else {
            return Entry { sent, ..entry };
        };
        let comes = match link.stage {
            Stage::Alerted | Stage::Receiving => true,
            Stage::Sending(cursor) => cursor.modseq < held.meta.modseq,
            Stage::Sent => false,
        };
        match (comes, link.mode.names_everything()) {
            // In this session yet.
            (true, true) => entry,
            (true, false) => Entry {
                sent,
                round: Round(link.round.0 - 1),
                ..entry
            },
            // In the next.
            (false, _) => Entry {
                sent,
                round: link.round,
                ..entry
            },
        }
    }

    fn refused(&mut self, link: usize, version: Modseq, kind: Sent, entry: Entry, code: Code) {
        let of = &mut self.state.links[link];
        of.counts.sent_refused += 1;
        let view = of.view;
        if code == Code::DEVICE_FULL {
            of.full = true;
        }
        let failures = entry.failures.saturating_add(1);
        let gives_up = failures >= MAX_FAILURES;
        let text = format!(
            "the device answered {code} ({}) to {kind:?}; {}",
            code.text(),
            if gives_up {
                "not offered again until it changes"
            } else {
                "it is offered again next time"
            }
        );
        self.trace.push(&Event {
            item: entry.item,
            code: code.0,
            luid: entry.luid.as_deref().unwrap_or_default(),
            ..Event::new(What::Refused, Some(view))
        });
        self.note(Some(view), entry.luid.as_deref(), text);
        let entry = if gives_up {
            Entry {
                seen: version,
                sent: None,
                failures,
                ..entry
            }
        } else {
            Entry { failures, ..entry }
        };
        self.put_entry(view, entry, None);
    }

    /// A 508 on our Alert: the client will send everything.
    fn client_wants_slow(&mut self, status: &Status<'_>) {
        let index = self.state.link_at(
            status.source_refs.first().map(|uri| &**uri),
            status.target_refs.first().map(|uri| &**uri),
        );
        let only = (self.state.links.len() == 1).then_some(0);
        if let Some(index) = index.or(only)
            && self.state.links[index].mode.needs_anchors()
        {
            self.state.links[index].mode = Mode::Slow;
            let view = self.state.links[index].view;
            self.note_slow(view, "slow sync: the device asks for it");
        }
    }

    pub(super) fn map(&mut self, map: &Map<'_>, position: u32) -> Result<(), LoadFailed> {
        let link = self
            .state
            .link_at(Some(&map.target.uri), Some(&map.source.uri));
        let target = map.target.uri.to_string();
        // A Map is true whether or not its datastore is being synced: it may be from the session before.
        let view = match link {
            Some(link) => Some(self.state.links[link].view),
            None => self.view_at(&target, &map.source.uri),
        };
        let Some(view) = view else {
            self.answer_refs(
                position,
                &map.cmd_id,
                "Map",
                Code::NOT_FOUND,
                Some(&target),
                None,
            );
            return Ok(());
        };
        // Before the server sends, a Map is of an earlier sync: where the client names all that it has, the Map alone
        // does not say that the item is still there.
        let late = link.is_some_and(|link| {
            let link = &self.state.links[link];
            link.mode.names_everything()
                && matches!(link.stage, Stage::Alerted | Stage::Receiving)
                && !link.resumed
        });
        let rest = match link {
            Some(link) if !late => self.map_at_once(link, view, map),
            _ => (0..map.items.len()).collect(),
        };
        let items: Vec<&MapItem<'_>> = rest.iter().map(|at| &map.items[*at]).collect();
        if let (Some(link), false) = (link, items.is_empty()) {
            self.write_unmapped(link)?;
        }
        let ids: Vec<ItemId> = items
            .iter()
            .filter_map(|item| ItemId::from_guid(&item.target))
            .collect();
        let query = KnownQuery {
            view,
            luids: items.iter().map(|item| item.source.to_string()).collect(),
            items: ids,
            keys: Vec::new(),
        };
        if !query.items.is_empty() {
            self.load_known(query)?;
        }
        // The same LUIDs in other datastores are other items.
        let mut by_luid: FxHashMap<String, ItemId> = self
            .items
            .iter()
            .filter(|(_, held)| view.collections().contains(&held.meta.datastore))
            .filter_map(|(id, held)| Some((held.entry.as_ref()?.luid.clone()?, *id)))
            .collect();
        let state = self.view_state(view);
        let sending_since = state.sending_since;
        let round = if late {
            Round(state.round.0 - 1)
        } else {
            state.round
        };
        for item in items {
            let luid = item.source.to_string();
            let Some(id) = ItemId::from_guid(&item.target).filter(|id| self.items.contains_key(id))
            else {
                self.note(
                    Some(view),
                    Some(&luid),
                    "a Map names an item that was never sent",
                );
                continue;
            };
            let held = &self.items[&id];
            if luid.is_empty()
                || luid.len() > 255
                || !view.collections().contains(&held.meta.datastore)
            {
                continue;
            }
            // A Map that comes again says nothing of what was sent after the Add.
            if held
                .entry
                .as_ref()
                .is_some_and(|entry| entry.luid.as_deref() == Some(&luid))
            {
                continue;
            }
            let added = held
                .entry
                .as_ref()
                .filter(|entry| entry.luid.is_none())
                .and_then(|entry| entry.sent);
            let newest = if held.meta.deleted {
                Modseq(held.meta.modseq.0 - 1)
            } else {
                held.meta.modseq
            };
            let seen = added.unwrap_or(newest.min(sending_since));
            let sent_to = held.entry.as_ref().map(|entry| entry.parent);
            let parent = sent_to.unwrap_or(held.meta.parent);
            if let Some(other) = by_luid.insert(luid.clone(), id)
                && other != id
            {
                self.drop_entry(view, other);
            }
            let mut entry = Entry::named(id, &luid, seen, round).within(parent);
            if added.is_some() {
                entry = self.owing_newer(link, entry);
            }
            self.trace.push(&Event {
                item: id,
                version: seen,
                luid: &luid,
                ..Event::new(What::Mapped, Some(view))
            });
            self.put_entry(view, entry, None);
        }
        self.answer_refs(
            position,
            &map.cmd_id,
            "Map",
            Code::OK,
            Some(&target),
            Some(&map.source.uri),
        );
        Ok(())
    }

    /// The sync of a datastore went through: its anchors are those of the next sync.
    pub(super) fn end_link(&mut self, index: usize) {
        let link = self.state.links[index].clone();
        let mut state = self.view_state(link.view);
        if state.round != link.round {
            // A newer session has begun with this datastore.
            return;
        }
        let base = if link.mode == Mode::OneWayFromClient {
            link.base()
        } else {
            link.considered
        };
        let filter = match link.mode {
            _ if self.fetches_items(index) => link.held,
            // Nothing was sent, so the device has what it had.
            Mode::OneWayFromClient => link.held,
            Mode::RefreshFromClient => link.filter.or(link.held),
            _ => link.filter,
        };
        let filter = filter.map(|filter| filter.to_text());
        let generation = Generation {
            client_anchor: link.client_next,
            server_anchor: link.server_next,
            base,
            filter,
        };
        self.leave_unmapped(index);
        state.previous = link.basis;
        state.confirmed = Some(generation);
        self.put_view_state(link.view, state);
        // What was sent before this round and never confirmed was sent again in it.
        if link.unconfirmed == 0 && link.mode.server_sends() {
            self.changes.push(Change::Settle {
                view: link.view,
                round: link.round,
            });
        }
        if link.mode.names_everything() && !link.has_all {
            self.changes.push(Change::DropEntriesBefore {
                view: link.view,
                round: link.round,
            });
        }
    }
}

/// Where a MsgID stands; the newest are asked for most.
fn position_of(messages: &[String], msg: &str) -> Option<usize> {
    messages.iter().rposition(|of| of == msg)
}
