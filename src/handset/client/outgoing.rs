//! What the client sends: packages put together message by message under the server's MaxMsgSize.

use crate::handset::behaviour::PhaseJump;
use crate::handset::credentials::base64;
use crate::handset::memory::StoredItem;
use crate::handset::report::Direction;
use crate::syncml::codec::{Form, encode, encode_devinf, header_len};
use crate::syncml::{
    Alert, Anchor, Carrier, Change, ChangeKind, Code, Command, Data, Exec, Get, Header, Item,
    Location, Map, MapItem, Message, Meta, Put, Search, Status, Sync, Version,
};

use super::chunk::ChunkOut;
use super::packer::{Flight, Packer, Prepared, Sent};
use super::{Client, Phase};

/// Octets of an item below which it is not worth to begin a part of it at the end of a message.
const SMALLEST_PART: usize = 128;
/// Statuses that stand in every message: for the header and for Alert 222.
const USUAL_STATUSES: usize = 2;

impl Client {
    fn form(&self) -> Form {
        Form::new(self.settings.carrier, self.settings.version)
    }

    fn header(&self) -> Header<'static> {
        let Self {
            settings, session, ..
        } = self;
        let password = if self.behaviour.wrong_password {
            format!("{}-wrong", settings.password)
        } else {
            settings.password.clone()
        };
        let nonce = self.memory.nonce.as_ref().map_or(&[][..], |nonce| &nonce.0);
        let cred = session
            .scheme
            .filter(|_| !session.authenticated)
            .map(|scheme| scheme.cred(settings.version, &settings.user, &password, nonce));
        let named = !settings.user.is_empty() && !self.behaviour.no_user_name;
        let newer = settings.version > Version::V10;
        let meta = Meta {
            max_msg_size: Some(settings.max_msg_size),
            max_obj_size: newer.then_some(settings.max_obj_size),
            ..Meta::default()
        };
        Header {
            ver_dtd: settings.version.dtd().into(),
            ver_proto: settings.version.proto().into(),
            session_id: session.id.clone().into(),
            msg_id: session.msg_id.to_string().into(),
            target: Location::new(settings.target_uri.clone()),
            source: Location {
                uri: self.memory.device_id.clone().into(),
                name: named.then(|| settings.user.clone().into()),
                filter: None,
            },
            cred,
            meta: Some(meta),
            ..Header::default()
        }
    }

    /// A mark of the device information as it would be sent now.
    pub(super) fn devinf_mark(&self) -> String {
        use md5::Digest as _;
        let form = Form::new(Carrier::Wbxml, self.settings.version);
        base64(&md5::Md5::digest(encode_devinf(&self.devinf(), &form)))
    }

    fn devinf(&self) -> crate::syncml::DevInf<'static> {
        let Self {
            settings, memory, ..
        } = self;
        settings
            .devinf
            .document(settings.version, &memory.device_id, &settings.datastores)
    }

    /// The device information as Put and Results carry it.
    pub(super) fn devinf_item(&self) -> Item<'static> {
        Item {
            source: Some(Location::new(self.settings.version.devinf_uri())),
            data: Data::DevInf(Box::new(self.devinf())),
            ..Item::default()
        }
    }

    /// Package 1: device information if it is new to the server, an Alert for each datastore.
    pub(super) fn queue_initialisation(&mut self) {
        let settings = &self.settings;
        let kind = Some(settings.carrier.devinf_mime().into());
        let meta = Some(Meta {
            kind,
            ..Meta::default()
        });
        let mut commands = Vec::new();
        let known = self.memory.devinf_sent.as_deref() == Some(&*self.devinf_mark());
        if !known {
            let items = vec![self.devinf_item()];
            let put = Put {
                meta: meta.clone(),
                items,
                ..Put::default()
            };
            commands.push((Command::Put(put), Sent::Put));
            if settings.ask_devinf {
                let target = Some(Location::new(settings.version.devinf_uri()));
                let items = vec![Item {
                    target,
                    ..Item::default()
                }];
                let get = Get {
                    meta,
                    items,
                    ..Get::default()
                };
                commands.push((Command::Get(get), Sent::Other));
            }
        }
        let newer = settings.version > Version::V10;
        for (index, exchange) in self.session.exchanges.iter().enumerate() {
            let mut last = exchange
                .last
                .clone()
                .or_else(|| self.behaviour.first_last.clone());
            if self.behaviour.last_equals_next {
                last = Some(exchange.next.clone());
            }
            let (target, source) = self.locations(index);
            let alert = Alert {
                code: Some(exchange.used.code()),
                items: vec![Item {
                    target: Some(target),
                    source: Some(source),
                    meta: Some(Meta {
                        anchor: Some(Anchor {
                            last: last.map(Into::into),
                            next: exchange.next.clone().into(),
                        }),
                        max_obj_size: newer.then_some(settings.max_obj_size),
                        ..Meta::default()
                    }),
                    ..Item::default()
                }],
                ..Alert::default()
            };
            commands.push((Command::Alert(alert), Sent::Alert(index)));
        }
        let prepared = commands
            .into_iter()
            .map(|(command, sent)| Prepared { command, sent });
        self.session.queue.extend(prepared);
    }

    /// Target and Source of a datastore.
    fn locations(&self, index: usize) -> (Location<'static>, Location<'static>) {
        let addresses = &self.session.exchanges[index].addresses;
        let remote = if self.behaviour.empty_target {
            String::new()
        } else {
            addresses.remote.clone()
        };
        (
            Location::new(remote),
            Location::new(addresses.local.clone()),
        )
    }

    /// Puts the next message together.
    pub(super) fn compose(&mut self) -> Vec<u8> {
        let (header, mut packer) = self.open_message();
        let next_len = packer.len(&next_message(String::from("000")));
        packer.reserve(next_len);

        let late = self.behaviour.statuses_grouped_late && !self.session.server_closed;
        if !late {
            self.pack_statuses(&mut packer);
        }
        let mut complete = late || self.session.statuses.is_empty();
        let sync_first =
            self.behaviour.jump_phases == Some(PhaseJump::SyncFirst) && self.session.msg_id == 1;
        if complete && sync_first {
            complete = self.pack_syncs(&mut packer) && self.pack_queue(&mut packer);
        } else if complete {
            complete = self.pack_queue(&mut packer);
            complete = complete
                && match self.session.phase {
                    Phase::Exchanging => {
                        self.pack_maps(&mut packer) && self.pack_syncs(&mut packer)
                    }
                    Phase::Receiving if self.behaviour.maps_at_end => true,
                    Phase::Receiving | Phase::Mapping => self.pack_maps(&mut packer),
                    Phase::Over | Phase::Initialising => true,
                };
        }
        // A package is closed only after the peer closed the one before: in package 4 there is none to close, and the
        // messages that take the rest of package 2 belong to package 1, which is closed.
        let peer_open = self.session.closed;
        let last = complete && !peer_open;
        if !last && packer.only_statuses() {
            let id = packer.cmd_id();
            packer.push(next_message(id), Sent::Other, 0);
        }
        self.session.closed |= last;
        self.seal(header, packer, last)
    }

    /// A message that asks a busy server for the result.
    pub(super) fn compose_poll(&mut self, status: Option<Status<'static>>) -> Vec<u8> {
        let (header, mut packer) = self.open_message();
        self.pack_status(&mut packer, status);
        let cmd_id = packer.cmd_id().into();
        let alert = Command::Alert(Alert {
            cmd_id,
            code: Some(221),
            ..Alert::default()
        });
        packer.push(alert, Sent::Other, 0);
        self.seal(header, packer, false)
    }

    /// The commands of the last message again, in a new message.
    pub(super) fn repeat(
        &mut self,
        message: Message<'static>,
        flights: Vec<Flight>,
        status: Option<Status<'static>>,
    ) -> Vec<u8> {
        let (header, mut packer) = self.open_message();
        for _ in &flights {
            packer.cmd_id();
        }
        self.pack_status(&mut packer, status);
        packer.flights.extend(flights);
        packer.body.extend(message.body);
        self.seal(header, packer, message.last)
    }

    fn pack_status(&self, packer: &mut Packer, status: Option<Status<'static>>) {
        if let Some(mut status) = status {
            status.cmd_id = packer.cmd_id().into();
            packer.push(Command::Status(status), Sent::Other, 0);
        }
    }

    fn open_message(&mut self) -> (Header<'static>, Packer) {
        self.session.msg_id += 1;
        let header = self.header();
        let form = self.form();
        let used = header_len(&header, &form);
        let limit = self
            .session
            .server_limit
            .unwrap_or(self.settings.max_msg_size);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        (
            header,
            Packer::new(form, used, limit, self.behaviour.duplicate_cmd_ids),
        )
    }

    fn seal(&mut self, header: Header<'static>, packer: Packer, last: bool) -> Vec<u8> {
        let message = Message {
            header,
            body: packer.body,
            last,
        };
        let octets = encode(&message, &self.form());
        let session = &mut self.session;
        session.flights.retain(|_, flights| {
            flights
                .iter()
                .any(|flight| !flight.answered && flight.wants_status())
        });
        session.flights.insert(session.msg_id, packer.flights);
        session.last_message = message;
        session.last_sent.clone_from(&octets);
        session.report.messages += 1;
        session.report.octets_sent += octets.len() as u64;
        octets
    }

    fn pack_statuses(&mut self, packer: &mut Packer) {
        while let Some(mut status) = self.session.statuses.pop_front() {
            status.cmd_id = packer.cmd_id().into();
            if let Err(Command::Status(status)) = packer.offer(Command::Status(status), Sent::Other)
            {
                self.session.statuses.push_front(status);
                return;
            }
        }
    }

    /// Commands outside of Sync; `false` if some did not fit.
    fn pack_queue(&mut self, packer: &mut Packer) -> bool {
        while let Some(Prepared { mut command, sent }) = self.session.queue.pop_front() {
            set_cmd_id(&mut command, packer.cmd_id());
            if let Err(command) = packer.offer(command, sent.clone()) {
                self.session.queue.push_front(Prepared { command, sent });
                return false;
            }
        }
        true
    }

    /// Maps: in package 3 those that an earlier session left, later those of this one; `false` if some did not fit.
    fn pack_maps(&mut self, packer: &mut Packer) -> bool {
        let old = self.session.phase == Phase::Exchanging;
        if !old && self.behaviour.maps_late {
            return true;
        }
        for index in 0..self.session.exchanges.len() {
            let (target, source) = self.locations(index);
            let exchange = &mut self.session.exchanges[index];
            if exchange.refused.is_some() {
                continue;
            }
            let maps = self.memory.datastores.get(&exchange.name);
            let due: Vec<_> = maps
                .map_or(&[][..], |store| &store.cached_maps)
                .iter()
                .filter(|map| !exchange.maps_sent.contains(&map.guid))
                .filter(|map| !old || exchange.old_maps.contains(&map.guid))
                .map(|map| MapItem {
                    target: map.guid.clone().into(),
                    source: map.luid.0.clone().into(),
                })
                .collect();
            if due.is_empty() {
                continue;
            }
            let cmd_id = packer.cmd_id().into();
            let mut map = Map {
                cmd_id,
                target,
                source,
                ..Map::default()
            };
            let empty = packer.len(&Command::Map(map.clone()));
            let mut len = empty;
            let mut due = due.into_iter().peekable();
            while let Some(item) = due.peek() {
                let mut one = map.clone();
                one.items = vec![item.clone()];
                let added = packer.len(&Command::Map(one)).saturating_sub(empty);
                let first = map.items.is_empty() && packer.body.is_empty();
                if len + added > packer.room() && !first {
                    break;
                }
                len += added;
                map.items.extend(due.next());
            }
            if !map.items.is_empty() {
                let guids: Vec<_> = map
                    .items
                    .iter()
                    .map(|item| item.target.to_string())
                    .collect();
                exchange.maps_sent.extend(guids.iter().cloned());
                packer.push(Command::Map(map), Sent::Map(index, guids), len);
            }
            if due.peek().is_some() {
                return false;
            }
        }
        true
    }

    /// Sync for each datastore; `false` if something is left for the next message.
    fn pack_syncs(&mut self, packer: &mut Packer) -> bool {
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
        if nothing && !exchange.started && self.behaviour.empty_sync_omitted {
            exchange.done = true;
            return true;
        }
        let counts = self.settings.number_of_changes && self.settings.version > Version::V10;
        let mut sync = Sync {
            cmd_id: packer.cmd_id().into(),
            target: Some(target),
            source: Some(source),
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
                transfer_form(item, self.settings.carrier)
            });
            let content_type = stored
                .map(|item| item.content_type.clone())
                .unwrap_or_default();
            let whole = ChunkOut {
                exchange: index,
                kind,
                luid: luid.clone(),
                content_type,
                format,
                octets,
                offset: 0,
            };
            let cmd_id = packer.cmd_id();
            let command = change(&whole, &cmd_id, &whole.octets, false);
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
            if kind == ChangeKind::Delete {
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
            let part = chunk.part(len.max(4), text);
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
        if more {
            self.session.chunk_out = Some(chunk);
        }
        !more
    }
}

/// The command for an item or a part of one.
fn change(chunk: &ChunkOut, cmd_id: &str, part: &[u8], more: bool) -> Command<'static> {
    let deletes = chunk.kind == ChangeKind::Delete;
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
        meta: (!deletes).then_some(meta),
        items: vec![Item {
            source: Some(Location::new(chunk.luid.0.clone())),
            meta: first.then(|| Meta {
                size: Some(chunk.octets.len() as u64),
                ..Meta::default()
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

/// The octets of an item as they travel: base64 if the carrier cannot hold them.
fn transfer_form(item: &StoredItem, carrier: Carrier) -> (Vec<u8>, Option<&'static str>) {
    let body = &item.body.0;
    let plain = carrier == Carrier::Wbxml
        || std::str::from_utf8(body).is_ok_and(|text| {
            text.chars()
                .all(|c| matches!(c, '\t' | '\r' | '\n' | ' '..='\u{FFFD}' | '\u{10000}'..))
        });
    if plain {
        (body.clone(), None)
    } else {
        (base64(body).into_bytes(), Some("b64"))
    }
}

fn next_message(cmd_id: String) -> Command<'static> {
    Command::Alert(Alert {
        cmd_id: cmd_id.into(),
        code: Some(222),
        ..Alert::default()
    })
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
            meta: Some(Meta {
                kind: Some("application/sql".into()),
                ..Meta::default()
            }),
            data: Data::text("SELECT *"),
            ..Search::default()
        }),
        _ => Command::Unknown {
            name: name.to_owned().into(),
            cmd_id,
        },
    }
}

fn set_cmd_id(command: &mut Command<'static>, id: String) {
    let id = id.into();
    match command {
        Command::Put(c) => c.cmd_id = id,
        Command::Get(c) => c.cmd_id = id,
        Command::Alert(c) => c.cmd_id = id,
        Command::Results(c) => c.cmd_id = id,
        Command::Map(c) => c.cmd_id = id,
        // Only these are queued.
        _ => {}
    }
}
