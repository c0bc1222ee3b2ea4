//! Suspend and resume (OMA DS Protocol 1.2, Alerts 224 and 225): what a phone keeps of a sync that did not end, and how
//! it goes on.

use crate::handset::memory::{Interrupted, ItemState, Octets, PartIn, PartOut};
use crate::syncml::{Alert, ChangeKind, Code, Command, Item, Version};

use super::chunk::{ChunkIn, ChunkOut};
use super::packer::{Packer, Sent};
use super::{Client, Phase};

impl Client {
    /// What is kept of a datastore's sync; `None` if this phone does not resume.
    pub(super) fn kept(&mut self, index: usize) -> Option<&mut Interrupted> {
        if !self.behaviour.resumes {
            return None;
        }
        let exchange = &self.session.exchanges[index];
        let store = self.memory.datastore_mut(&exchange.name);
        let kept = store.interrupted.get_or_insert_default();
        kept.mode = exchange.used;
        Some(kept)
    }

    /// At the start of a session: goes on with the sync that did not end, if there is one.
    pub(super) fn resume_exchange(&mut self, index: usize) {
        if !self.behaviour.resumes || self.settings.version < Version::V12 {
            return;
        }
        let exchange = &mut self.session.exchanges[index];
        let store = self.memory.datastore_mut(&exchange.name);
        if let Some(kept) = &store.interrupted {
            exchange.resumed = true;
            exchange.used = kept.mode;
            exchange.wiped = kept.wiped;
        }
    }

    /// The server begins anew, or the sync has ended.
    pub(super) fn forget_interrupted(&mut self, index: usize) {
        let exchange = &mut self.session.exchanges[index];
        exchange.resumed = false;
        let store = self.memory.datastore_mut(&exchange.name);
        store.interrupted = None;
        if self
            .session
            .chunk_in
            .as_ref()
            .is_some_and(|chunk| chunk.exchange == index)
        {
            self.session.chunk_in = None;
        }
    }

    /// Items that the server confirmed before the session broke are not sent again; deletions since then are.
    pub(super) fn leave_out_confirmed(&mut self, index: usize) {
        let exchange = &mut self.session.exchanges[index];
        let everything = exchange.used.sends_everything();
        let store = self.memory.datastore_mut(&exchange.name);
        let Some(kept) = store
            .interrupted
            .as_ref()
            .filter(|_| exchange.resumed && everything)
        else {
            return;
        };
        exchange.changes.retain(|(_, luid)| {
            let edited = store
                .items
                .get(luid)
                .is_some_and(|item| item.state != ItemState::Clean);
            edited || !kept.confirmed.contains(luid)
        });
        for luid in store.deleted.iter().rev() {
            let change = (ChangeKind::Delete, luid.clone());
            exchange.changes.push_front(change);
        }
    }

    /// Goes on with an item that went in part, behind what the server confirmed.
    pub(super) fn resume_part(&mut self, index: usize) {
        let exchange = &mut self.session.exchanges[index];
        if !exchange.resumed {
            return;
        }
        let store = self.memory.datastore_mut(&exchange.name);
        let Some(kept) = store.interrupted.as_mut() else {
            return;
        };
        if let Some(part) = kept.coming.take() {
            self.session.chunk_in = Some(ChunkIn::resumed(index, part));
        }
        let Some(part) = kept.going.take() else {
            return;
        };
        let place = exchange
            .changes
            .iter()
            .position(|(_, luid)| *luid == part.luid);
        let item = store.items.get(&part.luid);
        let (Some(place), Some(item)) = (place, item) else {
            return;
        };
        let body = self.settings.storage.give(
            &exchange.name,
            &part.luid.0,
            &item.body.0,
            self.session.now,
        );
        let always = self.settings.storage.wraps(&exchange.name);
        let (octets, format) = super::changes::transfer_form(&body, self.settings.carrier, always);
        if octets != part.octets.0 {
            return;
        }
        if let Some((kind, luid)) = exchange.changes.remove(place) {
            self.session.chunk_out = Some(ChunkOut {
                exchange: index,
                kind,
                luid,
                content_type: item.content_type.clone(),
                format,
                octets,
                offset: part.confirmed,
                parent: Some(item.parent.clone()).filter(|parent| !parent.is_empty()),
            });
        }
    }

    /// Notes how much of an item has gone.
    pub(super) fn keep_part_out(&mut self, chunk: &ChunkOut) {
        if let Some(kept) = self.kept(chunk.exchange) {
            let part = PartOut {
                luid: chunk.luid.clone(),
                octets: Octets(chunk.octets.clone()),
                sent: chunk.offset,
                confirmed: 0,
            };
            match &mut kept.going {
                Some(going) if going.luid == chunk.luid => going.sent = chunk.offset,
                // A resumed one begins at what was confirmed.
                going => *going = Some(part),
            }
        }
    }

    /// The server has the part that was sent last.
    pub(super) fn confirm_part_out(&mut self, index: usize) {
        if let Some(going) = self.kept(index).and_then(|kept| kept.going.as_mut()) {
            going.confirmed = going.sent;
        }
    }

    /// An item got its Status.
    pub(super) fn confirm_item(&mut self, index: usize, luid: &crate::handset::Luid) {
        if let Some(kept) = self.kept(index) {
            kept.going.take_if(|going| going.luid == *luid);
            if kept.mode.sends_everything() {
                kept.confirmed.insert(luid.clone());
            }
        }
    }

    /// Notes an item that comes in parts: what there is of it, or that it is complete.
    pub(super) fn keep_part_in(&mut self, chunk: &ChunkIn, complete: Option<(&[u8], Code)>) {
        let part = chunk.part_in();
        if let Some(kept) = self.kept(chunk.exchange) {
            match complete {
                None => kept.coming = Some(part),
                Some((last, code)) => {
                    kept.coming = None;
                    kept.complete = Some(PartIn {
                        octets: Octets(last.to_vec()),
                        code: code.0,
                        ..part
                    });
                }
            }
        }
    }

    /// The server has answered the message with all Statuses: it knows which part the phone has.
    pub(super) fn part_in_is_known(&mut self) {
        if let Some(chunk) = &mut self.session.chunk_in {
            chunk.told = true;
            let index = chunk.exchange;
            if let Some(coming) = self.kept(index).and_then(|kept| kept.coming.as_mut()) {
                coming.told = true;
            }
        }
    }

    /// The Status of an item that was complete before the session broke and whose last part comes again.
    pub(super) fn complete_before(
        &self,
        index: usize,
        target: Option<&str>,
        source: Option<&str>,
        part: &[u8],
    ) -> Option<Code> {
        let exchange = &self.session.exchanges[index];
        let store = self.memory.datastores.get(&exchange.name)?;
        let complete = store.interrupted.as_ref()?.complete.as_ref()?;
        let same = exchange.resumed
            && complete.target.as_deref() == target
            && complete.source.as_deref() == source
            && complete.octets.0 == part;
        same.then_some(Code(complete.code))
    }

    /// The phone resumed, has nothing to send, says so in no Sync, and waits for the server's: its package stays open.
    pub(super) fn waits_bare(&self) -> bool {
        let session = &self.session;
        let mut exchanges = session.exchanges.iter();
        self.behaviour.bare_when_resumed
            && session.phase == Phase::Exchanging
            && !session.closed
            && exchanges.all(|exchange| exchange.resumed && !exchange.started && !exchange.synced)
    }

    /// The server's Sync came to a phone that waited for it so; see [`Self::waits_bare`].
    pub(super) fn was_bare(&self) -> bool {
        let session = &self.session;
        self.behaviour.bare_when_resumed
            && session.phase == Phase::Exchanging
            && !session.closed
            && session
                .exchanges
                .iter()
                .any(|exchange| exchange.resumed && !exchange.started && exchange.synced)
    }

    /// A session that is to be suspended now gets its last message.
    pub(super) fn suspends(&self) -> bool {
        let session = &self.session;
        let over = session.closed
            && session.server_closed
            && (session.phase == Phase::Mapping || !self.needs_package_5());
        session.phase != Phase::Initialising
            && !over
            && self
                .behaviour
                .suspend_after
                .is_some_and(|after| self.session.msg_id >= after)
    }

    /// Statuses and Alert 224, final.
    pub(super) fn compose_suspension(&mut self) -> Vec<u8> {
        self.session.suspending = true;
        let (header, mut packer) = self.open_message();
        self.pack_statuses(&mut packer);
        for index in 0..self.session.exchanges.len() {
            let (target, source) = self.locations(index);
            self.push_suspension(&mut packer, target, source);
        }
        self.session.closed = true;
        self.seal(header, packer, true)
    }

    fn push_suspension(
        &self,
        packer: &mut Packer,
        target: crate::syncml::Location<'static>,
        source: crate::syncml::Location<'static>,
    ) {
        let alert = Command::Alert(Alert {
            cmd_id: packer.cmd_id().into(),
            code: Some(224),
            items: vec![Item {
                target: Some(target),
                source: Some(source),
                ..Item::default()
            }],
            ..Alert::default()
        });
        packer.push(alert, Sent::Other, 0);
    }
}
