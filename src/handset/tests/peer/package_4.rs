//! What the peer sends: its changes, some in parts.

use crate::syncml::{Change, ChangeKind, Command, Data, Item, Location, Message, Meta, Sync};

use super::{Peer, Stage};

impl Peer {
    pub(super) fn queue_changes(&mut self) {
        self.stage = Stage::Sending;
        for (name, store) in &mut self.stores {
            if store.next.is_empty() || matches!(store.mode, 202 | 203) {
                continue;
            }
            let mut commands = Vec::new();
            for luid in std::mem::take(&mut store.deleted) {
                commands.push(change(ChangeKind::Delete, None, Some(&luid), None));
            }
            for (guid, item) in &mut store.items {
                let lost = item
                    .luid
                    .as_ref()
                    .is_some_and(|luid| !store.seen.contains(luid));
                if store.mode == 205 || (store.mode == 201 && lost) {
                    item.luid = None;
                }
                match &item.luid {
                    None => {
                        commands.push(change(ChangeKind::Add, Some(guid), None, Some(&item.body)))
                    }
                    Some(luid) if item.changed => {
                        commands.push(change(
                            ChangeKind::Replace,
                            None,
                            Some(luid),
                            Some(&item.body),
                        ));
                        item.changed = false;
                    }
                    Some(_) => {}
                }
            }
            let count = commands.len();
            for command in commands {
                for part in split(command, self.part) {
                    self.outgoing.push_back((name.clone(), part));
                }
            }
            if count == 0 {
                self.outgoing
                    .push_back((name.clone(), Command::Sync(Sync::default())));
            }
        }
    }

    pub(super) fn send(&mut self, answer: &mut Message<'static>) {
        let mut left = self.per_message;
        while left > 0 {
            let Some((name, mut command)) = self.outgoing.pop_front() else {
                break;
            };
            left -= 1;
            let more = matches!(&command, Command::Change(change) if change.items[0].more_data);
            let open = match answer.body.last_mut() {
                Some(Command::Sync(sync))
                    if sync
                        .target
                        .as_ref()
                        .is_some_and(|t| t.uri == format!("./{name}")) =>
                {
                    sync
                }
                _ => {
                    let sync = Sync {
                        cmd_id: self.id(),
                        target: Some(Location::new(format!("./{name}"))),
                        source: Some(Location::new(name)),
                        number_of_changes: self.announce,
                        ..Sync::default()
                    };
                    answer.body.push(Command::Sync(sync));
                    let Some(Command::Sync(sync)) = answer.body.last_mut() else {
                        unreachable!()
                    };
                    sync
                }
            };
            if let Command::Change(change) = &mut command {
                self.cmd_id += 1;
                change.cmd_id = self.cmd_id.to_string().into();
                open.commands.push(command);
            }
            if more {
                break;
            }
        }
        answer.last = self.outgoing.is_empty();
        if answer.last {
            self.stage = Stage::Mapping;
        }
    }
}

fn change(
    kind: ChangeKind,
    guid: Option<&str>,
    luid: Option<&str>,
    body: Option<&str>,
) -> Command<'static> {
    let location = |uri: Option<&str>| uri.map(|uri| Location::new(uri.to_owned()));
    Command::Change(Change {
        kind,
        cmd_id: "".into(),
        no_resp: false,
        archive: false,
        soft: false,
        cred: None,
        meta: body
            .map(|_| Meta {
                kind: Some("text/plain".into()),
                ..Meta::default()
            })
            .map(Box::new),
        items: vec![Item {
            target: location(luid),
            source: location(guid),
            data: body.map_or(Data::None, Data::text),
            ..Item::default()
        }],
    })
}

fn split(command: Command<'static>, part: usize) -> Vec<Command<'static>> {
    let Command::Change(whole) = &command else {
        return vec![command];
    };
    let octets = whole.items[0].data.bytes().unwrap_or_default();
    if octets.len() <= part {
        return vec![command];
    }
    let count = octets.len().div_ceil(part);
    let parts = octets.chunks(part).enumerate().map(|(index, part)| {
        let mut change = whole.clone();
        let item = &mut change.items[0];
        let size = (index == 0).then_some(octets.len() as u64);
        item.meta = size
            .map(|size| Meta {
                size: Some(size),
                ..Meta::default()
            })
            .map(Box::new);
        item.data = Data::Bytes(part.to_vec().into());
        item.more_data = index + 1 < count;
        Command::Change(change)
    });
    parts.collect()
}
