//! What the client sends: packages put together message by message under the server's MaxMsgSize.

use crate::handset::behaviour::PhaseJump;
use crate::syncml::codec::{Form, encode, header_len};
use crate::syncml::{Alert, Carrier, Command, Header, Location, Map, MapItem, Message, Status};

use super::breaking::add_root_attribute;
use super::packer::{Flight, Packer, Prepared, Sent};
use super::{Client, Phase};

impl Client {
    pub(super) fn form(&self) -> Form {
        Form::new(self.settings.carrier, self.settings.version)
    }

    /// Target and Source of a datastore.
    pub(super) fn locations(&self, index: usize) -> (Location<'static>, Location<'static>) {
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
        let last = complete && !peer_open && !self.waits_bare();
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

    pub(super) fn open_message(&mut self) -> (Header<'static>, Packer) {
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

    pub(super) fn seal(&mut self, header: Header<'static>, packer: Packer, last: bool) -> Vec<u8> {
        let message = Message {
            header,
            body: packer.body,
            last,
        };
        let mut octets = encode(&message, &self.form());
        if self.behaviour.root_attribute && self.settings.carrier == Carrier::Wbxml {
            octets = add_root_attribute(&octets, self.settings.version.namespace());
        }
        let session = &mut self.session;
        session
            .flights
            .retain(|_, flights| flights.iter().any(|flight| !flight.answered));
        session.flights.insert(session.msg_id, packer.flights);
        session.last_message = message;
        session.last_sent.clone_from(&octets);
        session.report.messages += 1;
        session.report.octets_sent += octets.len() as u64;
        octets
    }

    pub(super) fn pack_statuses(&mut self, packer: &mut Packer) {
        while let Some(mut status) = self.session.statuses.pop_front() {
            status.cmd_id = packer.cmd_id().into();
            if let Some(Command::Status(status)) =
                packer.offer(Command::Status(status), Sent::Other)
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
            if let Some(command) = packer.offer(command, sent.clone()) {
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
}

fn next_message(cmd_id: String) -> Command<'static> {
    Command::Alert(Alert {
        cmd_id: cmd_id.into(),
        code: Some(222),
        ..Alert::default()
    })
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
