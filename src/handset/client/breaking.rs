//! What a phone cannot bear in an answer. The list is data of a phone model (`Behaviour::breaks`).

use crate::handset::mode::Mode;
use crate::syncml::{
    Carrier, Change, ChangeKind, Command, Data, DevInf, Item, Message, Meta, Sync,
};

use super::Client;
use super::exchange::same_address;

/// The whole of a message's commands, those in Sync and in groups too.
fn all<'a, 'b>(message: &'a Message<'b>) -> Vec<&'a Command<'b>> {
    let mut open: Vec<&Command<'_>> = message.body.iter().rev().collect();
    let mut found = Vec::new();
    while let Some(command) = open.pop() {
        found.push(command);
        match command {
            Command::Sync(sync) => open.extend(sync.commands.iter().rev()),
            Command::Group(group) => open.extend(group.commands.iter().rev()),
            _ => {}
        }
    }
    found
}

impl Client {
    /// Why the phone breaks on an answer; none if it does not.
    pub(super) fn unbearable(&self, answer: &[u8], message: &Message<'_>) -> Option<String> {
        let breaks = &self.behaviour.breaks;
        if breaks
            .above
            .is_some_and(|limit| answer.len() as u64 > limit)
        {
            return Some(format!("a message of {} octets", answer.len()));
        }
        if breaks.root_namespace && self.settings.carrier == Carrier::Xml && has_namespace(answer) {
            return Some("a namespace on the root element".to_owned());
        }
        let commands = all(message);
        let deletes = commands
            .iter()
            .filter(|command| matches!(command, Command::Change(change) if change.kind == ChangeKind::Delete))
            .count();
        if breaks.deletes_above.is_some_and(|limit| deletes > limit) {
            return Some(format!("{deletes} Deletes in one message"));
        }
        commands.into_iter().find_map(|command| match command {
            Command::Status(status) => {
                let carries = !status.items.is_empty();
                (breaks.error_item && carries && status.code.0 >= 500)
                    .then(|| format!("a Status {} with an Item", status.code))
            }
            Command::Sync(sync) => self.unbearable_sync(sync),
            Command::Change(change) => breaks
                .size_of_whole
                .then(|| size_of_whole(change))
                .flatten(),
            Command::Put(put) => self.unbearable_devinf(&put.items),
            Command::Results(results) => self.unbearable_devinf(&results.items),
            _ => None,
        })
    }

    fn unbearable_sync(&self, sync: &Sync<'_>) -> Option<String> {
        let index = self.exchange_at(sync.target.as_ref(), sync.source.as_ref())?;
        let slow = self.session.exchanges[index].used == Mode::Slow;
        let replaces = sync.commands.iter().any(
            |command| matches!(command, Command::Change(change) if change.kind == ChangeKind::Replace),
        );
        (self.behaviour.breaks.replace_in_slow_sync && slow && replaces)
            .then(|| "a Replace in a slow sync".to_owned())
    }

    fn unbearable_devinf(&self, items: &[Item<'_>]) -> Option<String> {
        let breaks = &self.behaviour.breaks;
        let devinf = items.iter().find_map(|item| match &item.data {
            Data::DevInf(devinf) => Some(devinf),
            _ => None,
        })?;
        for store in &devinf.datastores {
            let types = [&store.rx_pref, &store.tx_pref];
            let types = types
                .into_iter()
                .flatten()
                .chain(&store.rx)
                .chain(&store.tx);
            let listed = types.into_iter().find(|kind| {
                breaks
                    .devinf_types
                    .iter()
                    .any(|bad| bad.eq_ignore_ascii_case(&kind.kind))
            });
            if let Some(kind) = listed {
                return Some(format!("a datastore of {} in the DevInf", kind.kind));
            }
            if breaks.odd_sync_type
                && let Some(odd) = store.sync_types.iter().find(|kind| **kind > 7)
            {
                return Some(format!("SyncType {odd} in the DevInf"));
            }
        }
        if let Some(param) = bad_param(devinf, &breaks.devinf_params) {
            return Some(format!("the parameter {param} in the DevInf"));
        }
        let named = |address: &str| {
            devinf
                .datastores
                .iter()
                .any(|store| same_address(&store.source_ref, address))
        };
        let unnamed = self
            .session
            .exchanges
            .iter()
            .find(|exchange| !named(&exchange.addresses.remote));
        unnamed
            .filter(|_| breaks.other_address)
            .map(|exchange| format!("a DevInf without {}", exchange.addresses.remote))
    }

    /// What the phone waited for in vain until the end of the session.
    pub(super) fn missed(&self) -> Option<String> {
        let flights = self.session.flights.values().flatten();
        let unanswered = flights
            .into_iter()
            .any(|flight| flight.name == "Results" && !flight.answered);
        (self.behaviour.breaks.unanswered_results && unanswered)
            .then(|| "no Status for Results".to_owned())
    }
}

fn bad_param<'a>(devinf: &'a DevInf<'_>, bad: &[String]) -> Option<&'a str> {
    let caps = devinf
        .datastores
        .iter()
        .flat_map(|store| &store.ct_caps)
        .chain(&devinf.ct_caps);
    caps.flat_map(|cap| &cap.properties)
        .flat_map(|property| &property.params)
        .map(|param| &*param.name)
        .find(|name| bad.iter().any(|bad| bad.eq_ignore_ascii_case(name)))
}

fn size_of_whole(change: &Change<'_>) -> Option<String> {
    let sized = |meta: Option<&Meta<'_>>| meta.is_some_and(|meta| meta.size.is_some());
    let found = change.items.iter().any(|item| {
        !item.more_data
            && item.data.is_some()
            && (sized(item.meta.as_deref()) || sized(change.meta.as_deref()))
    });
    found.then(|| "Size on an item that is not split".to_owned())
}

/// The root element of an XML message has an `xmlns`.
fn has_namespace(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&answer[..answer.len().min(1_000)]).into_owned();
    let root = text.find("<SyncML").map(|at| &text[at..]);
    let root = root.and_then(|root| root.split('>').next());
    root.is_some_and(|root| root.contains("xmlns"))
}

/// Puts an attribute on the root element of a WBXML message, as some phones do: a literal of index 0, although the string
/// table is empty.
pub(super) fn add_root_attribute(octets: &[u8], namespace: &str) -> Vec<u8> {
    // Version, public id (one or two octets), charset 6A, length of the string table 0, root 6D.
    let Some(at) = octets
        .windows(3)
        .take(8)
        .position(|window| window == [0x6A, 0x00, 0x6D])
    else {
        return octets.to_vec();
    };
    let (head, rest) = octets.split_at(at + 2);
    let mut changed = head.to_vec();
    changed.extend_from_slice(&[0xED, 0x04, 0x00, 0x03]);
    changed.extend_from_slice(namespace.as_bytes());
    changed.extend_from_slice(&[0x00, 0x01]);
    changed.extend_from_slice(&rest[1..]);
    changed
}
