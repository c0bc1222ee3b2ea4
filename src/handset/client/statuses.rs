//! What the client does with the server's Statuses: each belongs to a command that was sent.

use crate::handset::behaviour::PhaseJump;
use crate::handset::memory::{ItemState, Luid};
use crate::handset::report::Direction;
use crate::syncml::{ChangeKind, Code, Data, Status};

use super::packer::{Flight, Sent};
use super::{Client, Phase};

impl Client {
    /// Reads a Status; `false` if it belongs to nothing that was sent, or to a command that only keeps the
    /// session going.
    pub(super) fn status(&mut self, status: &Status<'_>) -> bool {
        let flights = status
            .msg_ref
            .trim()
            .parse()
            .ok()
            .and_then(|id: u32| self.session.flights.get_mut(&id));
        let named = |uri: &str| status.source_refs.iter().any(|source| source == uri);
        let flight = flights.and_then(|flights| {
            let fits = |flight: &&mut Flight| {
                !flight.answered
                    && flight.cmd_id == *status.cmd_ref
                    && (status.cmd.is_empty() || status.cmd == flight.name.as_str())
                    && match &flight.sent {
                        Sent::Change { luid, .. } => {
                            status.source_refs.is_empty() || named(&luid.0)
                        }
                        _ => true,
                    }
            };
            flights.iter_mut().find(fits)
        });
        let Some(flight) = flight else {
            self.session.complain(|| {
                format!(
                    "Status for {} {} of message {}, which was not sent or is answered",
                    status.cmd, status.cmd_ref, status.msg_ref
                )
            });
            return false;
        };
        flight.answered = true;
        let code = status.code;
        match flight.sent.clone() {
            Sent::Put => {
                if code.is_success() {
                    self.memory.devinf_sent = Some(self.devinf_mark());
                }
            }
            Sent::Alert(index) => self.alert_status(index, status),
            Sent::Sync(index) => self.sync_status(index, code),
            Sent::Change {
                exchange,
                kind,
                luid,
                more,
            } => {
                if more {
                    self.chunk_status(exchange, kind, &luid.0, code);
                } else {
                    self.change_status(exchange, kind, &luid, code);
                }
            }
            Sent::Map(index, guids) => {
                let exchange = &mut self.session.exchanges[index];
                let store = self.memory.datastore_mut(&exchange.name);
                for guid in guids {
                    exchange.maps_sent.remove(&guid);
                    // A server that failed may be told again, one that refused may not.
                    if code.0 / 100 != 5 {
                        store.cached_maps.retain(|map| map.guid != guid);
                    }
                }
            }
            Sent::Unknown => self.session.report.unknown_command = Some(code),
            Sent::Other => return false,
        }
        true
    }

    fn alert_status(&mut self, index: usize, status: &Status<'_>) {
        let sending = self.session.phase != Phase::Initialising;
        let exchange = &mut self.session.exchanges[index];
        let code = status.code;
        if code == Code::REFRESH_REQUIRED {
            exchange.used = exchange.used.refreshed();
            exchange.restart |= sending;
            self.forget_interrupted(index);
        } else if !code.is_success() {
            exchange.refused = Some(code);
        }
        let exchange = &self.session.exchanges[index];
        let echo = status.items.iter().find_map(|item| match &item.data {
            Data::Meta(meta) => meta.anchor.as_ref(),
            _ => None,
        });
        let expected = if self.behaviour.last_equals_next {
            None
        } else {
            Some(&exchange.next)
        };
        if let (Some(echo), Some(next)) = (echo, expected)
            && echo.next != next.as_str()
        {
            let text = format!("anchor {} echoed as {}", next, echo.next);
            self.session.complain(|| text);
        }
    }

    fn sync_status(&mut self, index: usize, code: Code) {
        let merged = self.behaviour.sync_without_init || self.behaviour.jump_phases.is_some();
        let session = &mut self.session;
        let exchange = &mut session.exchanges[index];
        if code == Code::REFRESH_REQUIRED {
            if merged {
                exchange.used = exchange.used.refreshed();
                exchange.restart = true;
            } else {
                exchange.stale = true;
            }
        } else if !code.is_success() {
            let first = self.behaviour.jump_phases == Some(PhaseJump::SyncFirst);
            if first && !exchange.jump_refused {
                exchange.jump_refused = true;
                exchange.restart = true;
            } else {
                exchange.refused = Some(code);
            }
        }
    }

    /// A part of an item was answered: 213, or the item is given up.
    fn chunk_status(&mut self, index: usize, kind: ChangeKind, luid: &str, code: Code) {
        if code == Code::CHUNK_ACCEPTED {
            self.confirm_part_out(index);
            return;
        }
        if code.is_success() {
            self.session
                .complain(|| format!("Status {code} for a part of an item"));
            return;
        }
        self.session.chunk_out = None;
        self.session.exchanges[index].fail_item(Direction::Sent, kind, luid, code);
    }

    fn change_status(&mut self, index: usize, kind: ChangeKind, luid: &Luid, code: Code) {
        let exchange = &mut self.session.exchanges[index];
        let store = self.memory.datastore_mut(&exchange.name);
        let gone = matches!(code, Code::NOT_FOUND | Code::GONE | Code::ITEM_NOT_DELETED);
        let known = matches!(code, Code::ALREADY_EXISTS | Code::CONFLICT_SERVER_WINS);
        if code.is_success() || known || (gone && kind == ChangeKind::Delete) {
            let count = match kind {
                ChangeKind::Delete => {
                    store.deleted.remove(luid);
                    &mut exchange.sent.deletes
                }
                ChangeKind::Add => &mut exchange.sent.adds,
                ChangeKind::Replace | ChangeKind::Copy | ChangeKind::Move => {
                    &mut exchange.sent.replaces
                }
            };
            *count += 1;
            if kind != ChangeKind::Delete
                && let Some(item) = store.items.get_mut(luid)
            {
                if kind != ChangeKind::Move {
                    item.state = ItemState::Clean;
                }
                item.moved = false;
            }
            self.confirm_item(index, luid);
            return;
        }
        exchange.fail_item(Direction::Sent, kind, &luid.0, code);
        // What the server has not taken is offered again in the next session.
        if let Some(item) = store.items.get_mut(luid)
            && kind != ChangeKind::Move
            && (item.state == ItemState::Clean || gone)
        {
            item.state = ItemState::Added;
        }
    }
}
