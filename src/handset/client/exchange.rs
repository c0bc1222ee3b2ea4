//! One datastore in a session: what was asked, what is done, what was counted.

use std::collections::{HashSet, VecDeque};

use chrono::{DateTime, NaiveDateTime, TimeDelta};

use crate::syncml::{ChangeKind, Code};

use crate::handset::device_info::FOLDER;
use crate::handset::memory::{DatastoreMemory, ItemState, Luid};
use crate::handset::mode::Mode;
use crate::handset::report::{Changes, DatastoreReport, Direction, ItemFailure};
use crate::handset::settings::Addresses;

use super::Client;

const ANCHOR_FORM: &str = "%Y%m%dT%H%M%SZ";

/// One datastore in a session.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) name: String,
    pub(super) addresses: Addresses,
    pub(super) asked: Mode,
    pub(super) used: Mode,
    pub(super) last: Option<String>,
    pub(super) next: String,
    /// The server's anchor of this session.
    pub(super) server_next: Option<String>,
    /// An error Status for Alert or Sync.
    pub(super) refused: Option<Code>,
    /// 508 came too late to be obeyed: the next session is a slow sync.
    pub(super) stale: bool,
    /// The package with the changes must be sent again.
    pub(super) restart: bool,
    /// A Sync before the Alert was tried and refused.
    pub(super) jump_refused: bool,
    /// What is to be sent.
    pub(super) changes: VecDeque<(ChangeKind, Luid)>,
    pub(super) to_send: u64,
    /// A Sync of this package was sent.
    pub(super) started: bool,
    /// The last Sync of this package was sent.
    pub(super) done: bool,
    /// The items were removed before a refresh from the server.
    pub(super) wiped: bool,
    /// Server ids of maps that were there when the session began.
    pub(super) old_maps: HashSet<String>,
    /// Server ids of maps that wait for their Status.
    pub(super) maps_sent: HashSet<String>,
    pub(super) sent: Changes,
    pub(super) received: Changes,
    pub(super) failures: Vec<ItemFailure>,
    pub(super) announced: Option<u64>,
    /// A Sync of the server came.
    pub(super) synced: bool,
    /// The sync goes on with one that did not end.
    pub(super) resumed: bool,
    /// Item commands that came, whatever became of them; the parts of an item are one.
    pub(super) came: u64,
}

impl Exchange {
    pub(super) fn report(&self) -> DatastoreReport {
        DatastoreReport {
            name: self.name.clone(),
            asked: self.asked,
            used: self.used,
            refused: self.refused,
            sent: self.sent,
            received: self.received,
            failures: self.failures.clone(),
            last_anchor: self.last.clone(),
            next_anchor: self.next.clone(),
            server_anchor: self.server_next.clone(),
            announced: self.announced,
        }
    }

    /// Notes an item that was refused, at most 10,000 of them.
    pub(super) fn fail_item(
        &mut self,
        direction: Direction,
        kind: ChangeKind,
        id: &str,
        code: Code,
    ) {
        if self.failures.len() < 10_000 {
            let command = kind.name();
            self.failures.push(ItemFailure {
                direction,
                command,
                id: id.to_owned(),
                code,
            });
        }
    }

    /// The address names this datastore, on the phone or on the server.
    pub(super) fn is_at(&self, address: &str) -> bool {
        same_address(address, &self.addresses.local)
            || same_address(address, &self.addresses.remote)
    }
}

/// Datastore addresses are compared without `./`, slashes at the ends, and case.
pub(super) fn same_address(one: &str, other: &str) -> bool {
    let plain = |address: &str| -> String {
        let address = address.trim();
        let address = address.strip_prefix("./").unwrap_or(address);
        address.trim_matches('/').to_ascii_lowercase()
    };
    plain(one) == plain(other)
}

/// The anchor of a phone that counts its sessions.
fn numbered_anchor(store: &DatastoreMemory) -> String {
    let last = [&store.last_anchor, &store.pending_anchor]
        .into_iter()
        .flatten()
        .filter_map(|anchor| anchor.parse::<u64>().ok())
        .max();
    last.map_or(1, |last| last.saturating_add(1)).to_string()
}

/// A new anchor: the time, but later than every anchor before.
fn new_anchor(now: i64, store: &DatastoreMemory) -> String {
    let now = DateTime::from_timestamp(now, 0)
        .unwrap_or_default()
        .naive_utc();
    let time = [&store.last_anchor, &store.pending_anchor]
        .into_iter()
        .flatten()
        .filter_map(|anchor| NaiveDateTime::parse_from_str(anchor, ANCHOR_FORM).ok())
        .filter_map(|anchor| anchor.checked_add_signed(TimeDelta::seconds(1)))
        .fold(now, NaiveDateTime::max);
    time.format(ANCHOR_FORM).to_string()
}

impl Client {
    /// Opens a datastore for a session.
    pub(super) fn exchange(&mut self, name: &str, asked: Mode) -> Exchange {
        let addresses = self.settings.datastores.get(name).cloned();
        let store = self.memory.datastore_mut(name);
        let next = if self.behaviour.numbered_anchors {
            numbered_anchor(store)
        } else {
            new_anchor(self.session.now, store)
        };
        store.pending_anchor = Some(next.clone());
        let first = store.last_anchor.is_none();
        Exchange {
            name: name.to_owned(),
            addresses: addresses.unwrap_or_else(|| Addresses::same(&format!("./{name}"))),
            asked,
            used: if first && asked == Mode::TwoWay {
                Mode::Slow
            } else {
                asked
            },
            last: store.last_anchor.clone(),
            next,
            server_next: None,
            refused: None,
            stale: false,
            restart: false,
            jump_refused: false,
            changes: VecDeque::new(),
            to_send: 0,
            started: false,
            done: false,
            wiped: false,
            old_maps: store
                .cached_maps
                .iter()
                .map(|map| map.guid.clone())
                .collect(),
            maps_sent: HashSet::new(),
            sent: Changes::default(),
            received: Changes::default(),
            failures: Vec::new(),
            announced: None,
            synced: false,
            resumed: false,
            came: 0,
        }
    }

    /// Chooses what a datastore sends, by its kind of sync; what was counted before is void.
    pub(super) fn prepare(&mut self, index: usize) {
        let exchange = &mut self.session.exchanges[index];
        let store = self.memory.datastore_mut(&exchange.name);
        let new = if self.behaviour.add_as_replace {
            ChangeKind::Replace
        } else {
            ChangeKind::Add
        };
        exchange.changes.clear();
        if exchange.refused.is_some() {
            exchange.done = true;
            return;
        }
        if exchange.used.sends_everything() {
            let kind = if self.behaviour.slow_as_add {
                new
            } else {
                ChangeKind::Replace
            };
            exchange
                .changes
                .extend(store.items.keys().map(|luid| (kind, luid.clone())));
        } else if exchange.used.client_sends() {
            let deleted = store
                .deleted
                .iter()
                .map(|luid| (ChangeKind::Delete, luid.clone()));
            exchange.changes.extend(deleted);
            exchange.changes.extend(store.items.iter().filter_map(
                |(luid, item)| match item.state {
                    ItemState::Clean if item.moved => Some((ChangeKind::Move, luid.clone())),
                    ItemState::Clean => None,
                    ItemState::Added => Some((new, luid.clone())),
                    ItemState::Changed => Some((ChangeKind::Replace, luid.clone())),
                },
            ));
        }
        // A folder before what is in it.
        let exchange = &mut self.session.exchanges[index];
        let order = |luid: &Luid| {
            let folder = store
                .items
                .get(luid)
                .is_some_and(|item| item.content_type == FOLDER);
            (!folder, store.depth(luid))
        };
        exchange
            .changes
            .make_contiguous()
            .sort_by_cached_key(|(kind, luid)| (*kind != ChangeKind::Delete, order(luid)));
        self.leave_out_confirmed(index);
        let exchange = &mut self.session.exchanges[index];
        exchange.to_send = exchange.changes.len() as u64;
        exchange.sent = Changes::default();
        exchange.failures.clear();
        exchange.restart = false;
        exchange.started = false;
        exchange.done = false;
        if self
            .session
            .chunk_out
            .as_ref()
            .is_some_and(|chunk| chunk.exchange == index)
        {
            self.session.chunk_out = None;
        }
        self.resume_part(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_only_grow() {
        let mut store = DatastoreMemory::default();
        assert_eq!(new_anchor(0, &store), "19700101T000000Z");
        store.last_anchor = Some("19700101T000000Z".into());
        assert_eq!(new_anchor(0, &store), "19700101T000001Z");
        store.pending_anchor = Some("19700101T000005Z".into());
        assert_eq!(
            new_anchor(0, &store),
            "19700101T000006Z",
            "a cut session used the other"
        );
        assert_eq!(new_anchor(1_000_000_000, &store), "20010909T014640Z");
        store.last_anchor = Some("from another program".into());
        assert_eq!(new_anchor(7, &store), "19700101T000007Z");
    }

    #[test]
    fn addresses_are_compared_leniently() {
        assert!(same_address("./Contacts", "contacts/"));
        assert!(!same_address("./card", "contacts"));
    }
}
