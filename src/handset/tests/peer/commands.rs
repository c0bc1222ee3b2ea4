//! What the peer does with the client's commands.

use crate::syncml::{
    Alert, Anchor, Change, ChangeKind, Code, Command, Data, Get, Item, Location, Message, Meta,
    Sync,
};

use super::{Peer, PeerItem, Stage};

impl Peer {
    pub(super) fn command(
        &mut self,
        message: &Message<'_>,
        command: &Command<'_>,
        body: &mut Vec<Command<'static>>,
    ) {
        let (name, id) = (command.name(), command.cmd_id());
        match command {
            Command::Status(_) => {}
            Command::Alert(alert) if alert.code.is_some_and(|code| code >= 221) => {
                let status = self.status(message, name, id, Code::OK);
                body.push(Command::Status(status));
            }
            Command::Alert(alert) => self.alert(message, alert, body),
            Command::Sync(sync) => self.sync(message, sync, body),
            Command::Map(map) => {
                if let Some(code) = self.map_code {
                    let status = self.status(message, name, id, code);
                    return body.push(Command::Status(status));
                }
                let store = store_of(&map.target);
                for item in &map.items {
                    if let Some(known) = self.store(&store).items.get_mut(&*item.target) {
                        known.luid = Some(item.source.to_string());
                        known.changed = false;
                    }
                }
                let status = self.status(message, name, id, Code::OK);
                body.push(Command::Status(status));
            }
            Command::Put(_) | Command::Results(_) => {
                let status = self.status(message, name, id, Code::OK);
                body.push(Command::Status(status));
                if self.ask_devinf && matches!(command, Command::Put(_)) {
                    let target = Some(Location::new(self.version.devinf_uri()));
                    let items = vec![Item {
                        target,
                        ..Item::default()
                    }];
                    let get = Get {
                        cmd_id: self.id(),
                        items,
                        ..Get::default()
                    };
                    body.push(Command::Get(get));
                }
            }
            Command::Unknown { .. } => {
                let status = self.status(message, name, id, Code::NOT_IMPLEMENTED);
                body.push(Command::Status(status));
            }
            _ => {
                let status = self.status(message, name, id, Code::FEATURE_NOT_SUPPORTED);
                body.push(Command::Status(status));
            }
        }
    }

    fn alert(
        &mut self,
        message: &Message<'_>,
        alert: &Alert<'_>,
        body: &mut Vec<Command<'static>>,
    ) {
        let item = &alert.items[0];
        let target = item.target.as_ref().filter(|target| !target.uri.is_empty());
        let name = store_of(target.or(item.source.as_ref()).expect("an address"));
        let anchor = item
            .meta
            .as_ref()
            .and_then(|meta| meta.anchor.clone())
            .expect("an anchor");
        let forced = self.alert_codes.get(name.as_str()).copied();
        let echo = Meta {
            anchor: Some(Anchor {
                last: None,
                next: anchor.next.to_string().into(),
            }),
            ..Meta::default()
        };
        let asked = alert.code.unwrap_or_default();
        let Some(store) = self.stores.get_mut(&name) else {
            let status = self.status(message, "Alert", &alert.cmd_id, Code::NOT_FOUND);
            return body.push(Command::Status(status));
        };
        let matches = store.client_anchor.as_deref() == anchor.last.as_deref();
        let full = matches!(asked, 201 | 203 | 205);
        let (code, mode) = match forced {
            Some(code) if code.0 >= 400 && code != Code::REFRESH_REQUIRED => (code, 0),
            Some(code) => (code, 201),
            None if full || (matches && anchor.last.is_some()) => (Code::OK, asked),
            None => (Code::REFRESH_REQUIRED, 201),
        };
        let last = store.anchor.to_string();
        if mode != 0 {
            store.mode = mode;
            store.next = anchor.next.to_string();
            store.anchor += 1;
            store.seen.clear();
            if mode == 203 {
                store.items.clear();
            }
        }
        let next = store.anchor.to_string();
        let mut status = self.status(message, "Alert", &alert.cmd_id, code);
        status.items = vec![Item {
            data: Data::Meta(Box::new(echo)),
            ..Item::default()
        }];
        body.push(Command::Status(status));
        if mode == 0 {
            return;
        }
        let meta = Meta {
            anchor: Some(Anchor {
                last: Some(last.into()),
                next: next.into(),
            }),
            ..Meta::default()
        };
        let items = vec![Item {
            target: item
                .source
                .as_ref()
                .map(|source| Location::new(source.uri.to_string())),
            source: Some(Location::new(format!("./{name}"))),
            meta: Some(Box::new(meta)),
            ..Item::default()
        }];
        let alert = Alert {
            cmd_id: self.id(),
            code: Some(mode),
            items,
            ..Alert::default()
        };
        body.push(Command::Alert(alert));
    }

    fn sync(&mut self, message: &Message<'_>, sync: &Sync<'_>, body: &mut Vec<Command<'static>>) {
        let target = sync.target.as_ref().filter(|target| !target.uri.is_empty());
        let name = store_of(target.or(sync.source.as_ref()).expect("an address"));
        let announced = !self.store(&name).next.is_empty();
        let forced = self.alert_codes.get(name.as_str()) == Some(&Code::REFRESH_REQUIRED);
        let merged = self.stage == Stage::Initialising && forced;
        let code = match (announced, self.strict_phases, merged) {
            (false, true, _) => Code::COMMAND_NOT_ALLOWED,
            (_, _, true) => Code::REFRESH_REQUIRED,
            _ => Code::OK,
        };
        let status = self.status(message, "Sync", &sync.cmd_id, code);
        body.push(Command::Status(status));
        self.took_sync |= code == Code::OK;
        self.store(&name).counts.extend(sync.number_of_changes);
        for command in &sync.commands {
            let Command::Change(change) = command else {
                panic!("{} in Sync", command.name())
            };
            let item = &change.items[0];
            let luid = item.source.as_ref().expect("a LUID").uri.to_string();
            let code = if code == Code::OK {
                self.take(&name, change)
            } else {
                code
            };
            let mut status = self.status(message, change.kind.name(), &change.cmd_id, code);
            status.source_refs = vec![luid.into()];
            body.push(Command::Status(status));
        }
    }

    fn take(&mut self, name: &str, change: &Change<'_>) -> Code {
        let codes = self.item_codes.clone();
        let item = &change.items[0];
        let luid = item.source.as_ref().expect("a LUID").uri.to_string();
        let store = self.store(name);
        let octets = item.data.bytes().unwrap_or_default();
        let size = item.meta.as_ref().and_then(|meta| meta.size);
        let octets = match (store.chunk.take(), item.more_data) {
            (None, false) => octets.to_vec(),
            (None, true) => {
                store.chunk = Some((
                    luid,
                    size.expect("Size with the first part"),
                    octets.to_vec(),
                ));
                return Code::CHUNK_ACCEPTED;
            }
            (Some((open, size, mut parts)), more) => {
                assert_eq!(open, luid, "parts of one item follow each other");
                parts.extend_from_slice(octets);
                if more {
                    store.chunk = Some((open, size, parts));
                    return Code::CHUNK_ACCEPTED;
                }
                assert_eq!(parts.len() as u64, size);
                parts
            }
        };
        let body = String::from_utf8(octets).expect("text");
        if let Some((_, code)) = codes.iter().find(|(text, _)| body.contains(text)) {
            return *code;
        }
        let known = store
            .items
            .iter()
            .find(|(_, item)| item.luid.as_deref() == Some(&luid));
        let known = known.map(|(guid, _)| guid.clone());
        if change.kind == ChangeKind::Delete {
            return match known {
                Some(guid) => {
                    store.items.remove(&guid);
                    Code::OK
                }
                None => Code::ITEM_NOT_DELETED,
            };
        }
        store.seen.push(luid.clone());
        let twin = |(_, item): &(&String, &PeerItem)| item.body == body;
        let twin = store.items.iter().find(twin).map(|(guid, _)| guid.clone());
        let guid = match known.or_else(|| twin.filter(|_| store.mode == 201)) {
            Some(guid) => guid,
            None => format!("c{luid}"),
        };
        let new = !store.items.contains_key(&guid);
        store.items.insert(
            guid,
            PeerItem {
                body,
                luid: Some(luid),
                changed: false,
            },
        );
        if new { Code::ITEM_ADDED } else { Code::OK }
    }
}

fn store_of(location: &Location<'_>) -> String {
    location.uri.trim_start_matches("./").to_owned()
}
