//! What the client sends of its datastores: Sync with item commands, large items in parts.

use crate::handset::credentials::base64;
use crate::handset::report::Direction;
use crate::syncml::codec::header_len;
use crate::syncml::{
    Carrier, Change, ChangeKind, Code, Command, Data, Exec, Item, Location, Mem, Meta, Search,
    Sync, Version,
};

use super::Client;
use super::chunk::ChunkOut;
use super::packer::{Packer, Sent};

/// Octets of an item below which it is not worth to begin a part of it at the end of a message.
const SMALLEST_PART: usize = 128;
/// Statuses that stand in every message: for the header and for Alert 222.
const USUAL_STATUSES: usize = 2;

impl Client {
    /// Sync for each datastore; `false` if something is left for the next message.
    pub(super) fn pack_syncs(&mut self, packer: &mut Packer) -> bool {
        if let Some(name) = self.behaviour.unknown_command.clone()
            && !self.session.unknown_sent
        {
            self.session.unknown_sent = true;
            let command = unknown(&name, packer.cmd_id());
            let len = packer.len(&command);
            packer.push(command, Sent::Unknown, len);
        }
        (0..self.session.exchanges.len()).all(|index| self.pack_sync(index, packer))
    }

    fn pack_sync(&mut self, index: usize, packer: &mut Packer) -> bool {
        let (target, source) = self.locations(index);
        let exchange = &mut self.session.exchanges[index];
        if exchange.done || exchange.refused.is_some() {
            return true;
        }
        let nothing = exchange.changes.is_empty() && self.session.chunk_out.is_none();
        let bare = self.behaviour.bare_when_resumed && exchange.resumed;
        if nothing && !exchange.started && (self.behaviour.empty_sync_omitted || bare) {
            exchange.done = true;
            return true;
        }
        let exchange_name = exchange.name.clone();
        let free = (self.behaviour.tells_memory && !exchange.started).then(|| {
            let room = self
                .behaviour
                .device_full_after
                .unwrap_or(self.settings.max_items);
            let store = self.memory.datastores.get(&exchange_name);
            let held = store.map_or(0, |store| store.items.len());
            Mem {
                shared: false,
                free: 1_000_000_000,
                free_id: room.saturating_sub(held) as u64,
            }
        });
        let counts = self.settings.number_of_changes && self.settings.version > Version::V10;
        let mut sync = Sync {
            cmd_id: packer.cmd_id().into(),
            target: Some(target),
            source: Some(source),
            meta: free.map(|mem| {
                Box::new(Meta {
                    mem: Some(mem),
                    ..Meta::default()
                })
            }),
            number_of_changes: (counts && !exchange.started).then_some(exchange.to_send),
            ..Sync::default()
        };
        let frame = packer.len(&Command::Sync(sync.clone()));
        if frame > packer.room() && !packer.body.is_empty() {
            return false;
        }
        packer.fly(&Command::Sync(sync.clone()), Sent::Sync(index));
        packer.reserve(frame);
        let complete = self.pack_changes(index, &mut sync, frame, packer);
        if sync.commands.is_empty() && !complete {
            // Nothing fitted beside the Statuses: the Sync begins in the next message.
            packer.flights.pop();
            return false;
        }
        let exchange = &mut self.session.exchanges[index];
        exchange.started = true;
        exchange.done = complete;
        // Its octets are counted already.
        packer.body.push(Command::Sync(sync));
        complete
    }

    /// Item commands into a Sync; `false` if some are left.
    fn pack_changes(
        &mut self,
        index: usize,
        sync: &mut Sync<'static>,
        frame: usize,
        packer: &mut Packer,
    ) -> bool {
        if self.session.chunk_out.is_some() && !self.pack_part(index, sync, packer) {
            return false;
        }
        while let Some((kind, luid)) = self.session.exchanges[index].changes.pop_front() {
            let exchange = &mut self.session.exchanges[index];
            let store = self.memory.datastore_mut(&exchange.name);
            let stored = if kind == ChangeKind::Delete {
                None
            } else {
                store.items.get(&luid)
            };
            if stored.is_none() && kind != ChangeKind::Delete {
                continue;
            }
            let (octets, format) = stored.map_or((Vec::new(), None), |item| {
                let storage = &self.settings.storage;
                let body = storage.give(&exchange.name, &luid.0, &item.body.0, self.session.now);
                transfer_form(&body, self.settings.carrier, storage.wraps(&exchange.name))
            });
            let hierarchical = self.settings.version == Version::V12
                && self.settings.devinf.is_hierarchical(&exchange.name);
            let parent = stored
                .filter(|_| hierarchical)
                .map(|item| match &*item.parent {
                    "" => "/".to_owned(),
                    parent => parent.to_owned(),
                });
            let content_type = stored
                .map(|item| {
                    let storage = &self.settings.storage;
                    storage.label(&exchange.name, &item.content_type).to_owned()
                })
                .unwrap_or_default();
            let whole = ChunkOut {
                exchange: index,
                kind,
                luid: luid.clone(),
                content_type,
                format,
                octets: if kind == ChangeKind::Move {
                    Vec::new()
                } else {
                    octets
                },
                offset: 0,
                parent: parent.clone(),
            };
            let cmd_id = packer.cmd_id();
            let mut command = change(&whole, &cmd_id, &whole.octets, false);
            if self.behaviour.size_zero {
                add_size_zero(&mut command);
            }
            let len = packer.len(&command);
            if len <= packer.room() {
                packer.reserve(len);
                let sent = Sent::Change {
                    exchange: index,
                    kind,
                    luid,
                    more: false,
                };
                packer.fly(&command, sent);
                sync.commands.push(command);
                continue;
            }
            let crowded = packer.body.len() > USUAL_STATUSES || !sync.commands.is_empty();
            if crowded && self.fits_alone(len + frame) {
                self.session.exchanges[index]
                    .changes
                    .push_front((kind, luid));
                return false;
            }
            if matches!(kind, ChangeKind::Delete | ChangeKind::Move) {
                // It cannot be made smaller, so it goes whatever the limit says.
                packer.reserve(len);
                packer.fly(
                    &command,
                    Sent::Change {
                        exchange: index,
                        kind,
                        luid,
                        more: false,
                    },
                );
                sync.commands.push(command);
                continue;
            }
            let objects = self.settings.version > Version::V10;
            let limit = self.session.server_object_limit;
            if !objects || limit.is_some_and(|limit| whole.octets.len() as u64 > limit) {
                let code = if objects {
                    Code::REQUESTED_SIZE_TOO_BIG
                } else {
                    Code::ENTITY_TOO_LARGE
                };
                self.session.exchanges[index].fail_item(Direction::Sent, kind, &luid.0, code);
                continue;
            }
            self.session.chunk_out = Some(whole);
            if !self.pack_part(index, sync, packer) {
                return false;
            }
        }
        true
    }

    /// A command of this length fits a message with little else.
    fn fits_alone(&self, len: usize) -> bool {
        let limit = self
            .session
            .server_limit
            .unwrap_or(self.settings.max_msg_size);
        // The header, its Status and the Statuses of a Sync and an Alert.
        let header = header_len(&self.header(), &self.form()) + 400;
        len as u64 + header as u64 <= limit
    }

    /// The next part of a split item; `false` if more parts follow.
    fn pack_part(&mut self, index: usize, sync: &mut Sync<'static>, packer: &mut Packer) -> bool {
        let Some(mut chunk) = self.session.chunk_out.take() else {
            return true;
        };
        if chunk.exchange != index {
            self.session.chunk_out = Some(chunk);
            return true;
        }
        let text = self.settings.carrier == Carrier::Xml;
        let cmd_id = packer.cmd_id();
        let rest = chunk.octets.len() - chunk.offset;
        let frame = packer.len(&change(&chunk, &cmd_id, &[], true));
        let room = packer.room().saturating_sub(frame);
        let crowded = packer.body.len() > USUAL_STATUSES || !sync.commands.is_empty();
        if room < SMALLEST_PART.min(rest) && crowded {
            self.session.chunk_out = Some(chunk);
            return false;
        }
        let mut len = room.max(SMALLEST_PART).min(rest);
        let (command, part_len) = loop {
            let part = chunk.part(len.max(4), text, self.behaviour.splits_line_ends);
            let command = change(&chunk, &cmd_id, part, part.len() < rest);
            if packer.len(&command) <= packer.room() || len <= SMALLEST_PART / 2 {
                break (command, part.len());
            }
            len = len - len / 8 - 1;
        };
        packer.reserve(packer.len(&command));
        let more = part_len < rest;
        let (kind, luid) = (chunk.kind, chunk.luid.clone());
        packer.fly(
            &command,
            Sent::Change {
                exchange: index,
                kind,
                luid,
                more,
            },
        );
        sync.commands.push(command);
        chunk.offset += part_len;
        self.keep_part_out(&chunk);
        if more {
            self.session.chunk_out = Some(chunk);
        }
        !more
    }
}

/// The command for an item or a part of one.
fn change(chunk: &ChunkOut, cmd_id: &str, part: &[u8], more: bool) -> Command<'static> {
    let deletes = matches!(chunk.kind, ChangeKind::Delete | ChangeKind::Move);
    let first = more && chunk.offset == 0;
    let meta = Meta {
        kind: Some(chunk.content_type.clone().into()),
        format: chunk.format.map(Into::into),
        ..Meta::default()
    };
    Command::Change(Change {
        kind: chunk.kind,
        cmd_id: cmd_id.to_owned().into(),
        no_resp: false,
        archive: false,
        soft: false,
        cred: None,
        meta: (!deletes).then_some(Box::new(meta)),
        items: vec![Item {
            source: Some(Location::new(chunk.luid.0.clone())),
            source_parent: chunk.parent.clone().map(Into::into),
            meta: first.then(|| {
                Box::new(Meta {
                    size: Some(chunk.octets.len() as u64),
                    ..Meta::default()
                })
            }),
            data: if deletes {
                Data::None
            } else {
                Data::Bytes(part.to_vec().into())
            },
            more_data: more,
            ..Item::default()
        }],
    })
}

/// Says of an item that it has no octets.
fn add_size_zero(command: &mut Command<'static>) {
    if let Command::Change(Change {
        meta: Some(meta), ..
    }) = command
    {
        meta.size = Some(0);
    }
}

/// The octets of an item as they travel: base64 if the carrier cannot hold them, or if the phone always does so.
pub(super) fn transfer_form(
    body: &[u8],
    carrier: Carrier,
    always: bool,
) -> (Vec<u8>, Option<&'static str>) {
    let holds = carrier == Carrier::Wbxml
        || std::str::from_utf8(body).is_ok_and(|text| {
            text.chars()
                .all(|c| matches!(c, '\t' | '\r' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'..))
        });
    if holds && !always {
        (body.to_vec(), None)
    } else {
        (base64(body).into_bytes(), Some("b64"))
    }
}

/// A command that a server need not know.
fn unknown(name: &str, cmd_id: String) -> Command<'static> {
    let cmd_id = cmd_id.into();
    match name {
        "Exec" => Command::Exec(Exec {
            cmd_id,
            items: vec![Item {
                target: Some(Location::new("./exec")),
                ..Item::default()
            }],
            ..Exec::default()
        }),
        "Search" => Command::Search(Search {
            cmd_id,
            sources: vec![Location::new("./contacts")],
            meta: Some(Box::new(Meta {
                kind: Some("application/sql".into()),
                ..Meta::default()
            })),
            data: Data::text("SELECT *"),
            ..Search::default()
        }),
        _ => Command::Unknown {
            name: name.to_owned().into(),
            cmd_id,
        },
    }
}
