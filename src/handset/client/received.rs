//! What the client does with a Sync from the server: items are stored, parts put together, everything gets a Status.

use crate::content::{self, Format, ReadHint};
use crate::handset::credentials::from_base64;
use crate::handset::device_info::FOLDER;
use crate::handset::memory::{CachedMap, Luid, Octets, StoredItem};
use crate::handset::mode::Mode;
use crate::handset::properties::{contains, keep_properties};
use crate::handset::report::Direction;
use crate::handset::storage::Taken;
use crate::syncml::{
    Alert, Change, ChangeKind, Code, Command, GroupKind, Item, Location, Meta, Sync, Version,
};

use super::Client;
use super::chunk::ChunkIn;
use super::incoming::Reply;
use super::packer::{Prepared, Sent};

/// What is read of one item before it is stored.
struct Incoming<'a> {
    index: usize,
    kind: ChangeKind,
    /// The server's id.
    guid: Option<&'a str>,
    /// The phone's id.
    luid: Option<&'a str>,
    content_type: &'a str,
    format: Option<&'a str>,
    /// LUID of its folder; empty is the top. None if it was not named.
    parent: Option<String>,
}

impl Client {
    pub(super) fn sync(&mut self, sync: &Sync<'_>, command: &Command<'_>, reply: &Reply) {
        let index = self.exchange_at(sync.target.as_ref(), sync.source.as_ref());
        let index = index.filter(|index| self.session.exchanges[*index].refused.is_none());
        let code = if index.is_some() {
            Code::OK
        } else {
            Code::NOT_FOUND
        };
        let uri = |location: &Option<Location<'_>>| {
            location
                .iter()
                .map(|location| location.uri.to_string().into())
                .collect()
        };
        if let Some(status) = self.owe(reply, command, code) {
            status.target_refs = uri(&sync.target);
            status.source_refs = uri(&sync.source);
        }
        if let Some(index) = index {
            let exchange = &mut self.session.exchanges[index];
            exchange.synced = true;
            exchange.announced = exchange.announced.or(sync.number_of_changes);
            if exchange.used == Mode::RefreshFromServer && !exchange.wiped {
                exchange.wiped = true;
                self.wipe(index);
                if let Some(kept) = self.kept(index) {
                    kept.wiped = true;
                }
            }
        }
        // A stack instead of recursion: Sequences may be nested as deep as the decoder allows.
        let mut open: Vec<&Command<'_>> = sync.commands.iter().rev().collect();
        while let Some(command) = open.pop() {
            match (command, index) {
                (Command::Change(change), Some(index)) => {
                    self.change(index, change, command, reply)
                }
                (Command::Group(group), Some(_)) if group.kind == GroupKind::Sequence => {
                    self.owe(reply, command, Code::OK);
                    open.extend(group.commands.iter().rev());
                }
                (Command::Group(_), Some(_)) => {
                    self.owe(reply, command, Code::FEATURE_NOT_SUPPORTED);
                }
                (Command::Unknown { .. }, _) => {
                    self.owe(reply, command, Code::NOT_IMPLEMENTED);
                }
                (_, None) => {
                    self.owe(reply, command, Code::NOT_FOUND);
                }
                (_, Some(_)) => {
                    self.owe(reply, command, Code::COMMAND_NOT_ALLOWED);
                }
            }
        }
    }

    /// Everything goes before a refresh. Until the session has ended well the next one must be a slow sync.
    fn wipe(&mut self, index: usize) {
        let exchange = &mut self.session.exchanges[index];
        exchange.old_maps.clear();
        exchange.maps_sent.clear();
        let store = self.memory.datastore_mut(&exchange.name);
        store.items.clear();
        store.deleted.clear();
        store.cached_maps.clear();
        store.last_anchor = None;
    }

    fn change(&mut self, index: usize, change: &Change<'_>, command: &Command<'_>, reply: &Reply) {
        for item in &change.items {
            let code = self.item(index, change, item);
            self.session.exchanges[index].came += u64::from(code != Code::CHUNK_ACCEPTED);
            let source = item.source.as_ref().map(|source| source.uri.to_string());
            let target = item.target.as_ref().map(|target| target.uri.to_string());
            if !code.is_success() {
                let id = target.as_deref().or(source.as_deref()).unwrap_or_default();
                self.session.exchanges[index].fail_item(Direction::Received, change.kind, id, code);
            }
            if let Some(status) = self.owe(reply, command, code) {
                status.target_refs = target.into_iter().map(Into::into).collect();
                status.source_refs = source.into_iter().map(Into::into).collect();
            }
        }
        if change.items.is_empty() {
            self.owe(reply, command, Code::INCOMPLETE_COMMAND);
        }
    }

    fn item(&mut self, index: usize, change: &Change<'_>, item: &Item<'_>) -> Code {
        let exchange = &self.session.exchanges[index];
        if !exchange.used.server_sends() {
            let text = format!("{} in a sync {}", change.kind.name(), exchange.used);
            self.session.complain(|| text);
            return Code::COMMAND_NOT_ALLOWED;
        }
        let uri = |location: Option<&'_ Location<'_>>| {
            location
                .map(|location| location.uri.trim().to_owned())
                .filter(|uri| !uri.is_empty())
        };
        let (guid, luid) = (uri(item.source.as_ref()), uri(item.target.as_ref()));
        let metas = [item.meta.as_deref(), change.meta.as_deref()];
        let text =
            |field: fn(&Meta<'_>) -> Option<String>| metas.into_iter().flatten().find_map(field);
        let content_type = text(|meta| meta.kind.as_deref().map(str::to_owned)).unwrap_or_default();
        let format = text(|meta| meta.format.as_deref().map(str::to_owned));
        let size = metas.into_iter().flatten().find_map(|meta| meta.size);
        let incoming = Incoming {
            index,
            kind: change.kind,
            guid: guid.as_deref(),
            luid: luid.as_deref(),
            content_type: &content_type,
            format: format.as_deref(),
            parent: match self.parent_of(index, item) {
                Ok(parent) => parent,
                Err(code) => return code,
            },
        };
        match change.kind {
            ChangeKind::Add | ChangeKind::Replace => {
                let Some(part) = item.data.bytes() else {
                    return if item.data.is_some() {
                        Code::UNSUPPORTED_MEDIA_TYPE
                    } else {
                        Code::INCOMPLETE_COMMAND
                    };
                };
                self.part(&incoming, part, size, item.more_data)
            }
            ChangeKind::Delete => self.remove(&incoming),
            ChangeKind::Move => self.move_item(&incoming),
            ChangeKind::Copy => Code::FEATURE_NOT_SUPPORTED,
        }
    }

    /// Takes an item or a part of one.
    fn part(
        &mut self,
        incoming: &Incoming<'_>,
        part: &[u8],
        size: Option<u64>,
        more: bool,
    ) -> Code {
        let described = ChunkIn::describe(
            incoming.index,
            incoming.kind,
            incoming.luid,
            incoming.guid,
            incoming.content_type,
            incoming.format,
        );
        let open = match self.session.chunk_in.take() {
            Some(open) if open.continues(&described) => Some(open),
            Some(lost) => {
                self.report_lost_end(&lost);
                None
            }
            None => None,
        };
        if more && self.settings.version == Version::V10 {
            self.session
                .complain(|| "MoreData in SyncML 1.0".to_owned());
        } else if more && !self.settings.devinf.large_objects {
            self.session
                .complain(|| "MoreData for a phone without large objects".to_owned());
        }
        if open.is_none()
            && !more
            && let Some(code) =
                self.complete_before(incoming.index, incoming.luid, incoming.guid, part)
        {
            return code;
        }
        if open.is_none() && more && self.behaviour.refuses_chunks {
            return Code::REQUESTED_SIZE_TOO_BIG;
        }
        // What fits into a message is taken by phones that know no large objects.
        let limit = if self.settings.devinf.large_objects {
            self.settings.max_obj_size
        } else {
            self.settings.max_msg_size
        };
        if open.is_none() && !more {
            if part.len() as u64 > limit {
                return Code::REQUESTED_SIZE_TOO_BIG;
            }
            return self.store(incoming, part);
        }
        let joined = open
            .map_or_else(|| ChunkIn::open(size, limit, described), Ok)
            .and_then(|mut chunk| chunk.push(part).map(|()| chunk));
        match joined {
            Ok(chunk) if more => {
                self.keep_part_in(&chunk, None);
                self.session.chunk_in = Some(chunk);
                Code::CHUNK_ACCEPTED
            }
            Ok(chunk) => {
                let (content_type, format) = (chunk.content_type.clone(), chunk.format.clone());
                match chunk.clone().close(self.behaviour.wants_one_octet_more) {
                    Ok(body) => {
                        let incoming = Incoming {
                            content_type: if content_type.is_empty() {
                                incoming.content_type
                            } else {
                                &content_type
                            },
                            format: format.as_deref().or(incoming.format),
                            parent: incoming.parent.clone(),
                            ..*incoming
                        };
                        let code = self.store(&incoming, &body);
                        self.keep_part_in(&chunk, Some((part, code)));
                        code
                    }
                    Err(code) => code,
                }
            }
            Err(code) => code,
        }
    }

    /// Alert 223: a new item came before the end of a split one.
    fn report_lost_end(&mut self, lost: &ChunkIn) {
        let location = |uri: &Option<String>| uri.clone().map(Location::new);
        let alert = Alert {
            code: Some(223),
            items: vec![Item {
                target: location(&lost.target),
                source: location(&lost.source),
                ..Item::default()
            }],
            ..Alert::default()
        };
        let command = Command::Alert(alert);
        self.session.queue.push_back(Prepared {
            command,
            sent: Sent::Other,
        });
    }

    /// Stores a whole item.
    fn store(&mut self, incoming: &Incoming<'_>, body: &[u8]) -> Code {
        let decoded = match incoming.format {
            Some(format) if format.trim().eq_ignore_ascii_case("b64") => from_base64(body),
            _ => Some(body.to_vec()),
        };
        let Some(mut body) = decoded else {
            return Code::UNSUPPORTED_MEDIA_TYPE;
        };
        let refuse = self.behaviour.refuse_item.as_deref();
        if refuse.is_some_and(|pattern| contains(&body, pattern.as_bytes())) {
            return Code::UNSUPPORTED_MEDIA_TYPE;
        }
        let exchange = &mut self.session.exchanges[incoming.index];
        if self.behaviour.lose_unknown_properties {
            body = keep_properties(&body, &self.settings.devinf.property_names(&exchange.name));
        }
        let known = incoming.luid.map(|luid| Luid(luid.to_owned()));
        let store = self.memory.datastore_mut(&exchange.name);
        let previous = known.as_ref().and_then(|luid| store.items.get(luid));
        let taken = self.settings.storage.take(
            &exchange.name,
            &self.settings.devinf,
            &body,
            previous.map(|item| &*item.body.0),
            self.session.now,
        );
        match taken {
            Taken::Kept {
                body: kept,
                mishaps,
            } => {
                body = kept;
                let room = 100_usize.saturating_sub(self.session.report.mishaps.len());
                self.session
                    .report
                    .mishaps
                    .extend(mishaps.into_iter().take(room));
            }
            Taken::Refused(code) => return code,
            Taken::Broken(what) => {
                self.session.broken = Some(what);
                return Code::COMMAND_FAILED;
            }
        }
        let mut content_type = incoming.content_type;
        if content_type.is_empty() {
            content_type = self.settings.devinf.preferred_type(&exchange.name);
        }
        let item = StoredItem {
            content_type: content_type.to_owned(),
            body: Octets(body),
            parent: incoming.parent.clone().unwrap_or_default(),
            ..StoredItem::default()
        };
        let store = self.memory.datastore_mut(&exchange.name);
        if let Some(luid) = incoming.luid {
            let luid = Luid(luid.to_owned());
            let Some(known) = store.items.get_mut(&luid) else {
                return Code::NOT_FOUND;
            };
            let parent = incoming
                .parent
                .clone()
                .unwrap_or_else(|| known.parent.clone());
            *known = StoredItem {
                parent,
                body: flagged(&known.body, item.body, &item.content_type),
                ..item
            };
            exchange.received.replaces += 1;
            return Code::OK;
        }
        let Some(guid) = incoming.guid else {
            return Code::INCOMPLETE_COMMAND;
        };
        // An Add that comes again, because the server did not see the Map.
        let again = store
            .cached_maps
            .iter()
            .find(|map| map.guid == guid)
            .map(|map| map.luid.clone());
        if let Some(known) = again.and_then(|luid| store.items.get_mut(&luid)) {
            *known = item;
            exchange.received.replaces += 1;
            return Code::OK;
        }
        let room = self
            .behaviour
            .device_full_after
            .unwrap_or(self.settings.max_items);
        if store.items.len() >= room {
            return Code::DEVICE_FULL;
        }
        let luid = store.new_luid(self.behaviour.reuse_luids);
        store.items.insert(luid.clone(), item);
        exchange.received.adds += 1;
        let size = self.settings.devinf.datastores.get(&exchange.name);
        let size = size.and_then(|capability| capability.max_guid_size);
        if !self.behaviour.no_maps {
            store.cached_maps.retain(|map| map.guid != guid);
            store.cached_maps.push(CachedMap {
                guid: guid.to_owned(),
                luid: luid.clone(),
            });
        }
        if size.is_some_and(|size| guid.len() as u64 > size) {
            self.session
                .complain(|| format!("id {guid:?} is longer than MaxGUIDSize"));
        }
        // The server knows what it sent.
        self.confirm_item(incoming.index, &luid);
        Code::ITEM_ADDED
    }

    /// The folder that the server names: by the phone's id, or by its own as long as its Map is not delivered.
    fn parent_of(&mut self, index: usize, item: &Item<'_>) -> Result<Option<String>, Code> {
        let name = self.session.exchanges[index].name.clone();
        let store = self.memory.datastore_mut(&name);
        let named = |uri: &Option<std::borrow::Cow<'_, str>>| {
            uri.as_deref()
                .map(str::trim)
                .filter(|uri| !uri.is_empty())
                .map(str::to_owned)
        };
        let parent = match (named(&item.target_parent), named(&item.source_parent)) {
            (None, None) => return Ok(None),
            (Some(uri), _) | (None, Some(uri)) if uri == "/" => return Ok(Some(String::new())),
            (Some(luid), _) => Some(luid),
            (None, Some(guid)) => {
                let map = store.cached_maps.iter().find(|map| map.guid == guid);
                map.map(|map| map.luid.0.clone())
            }
        };
        let known = |luid: &String| {
            let folder = store.items.get(&Luid(luid.clone()));
            folder.is_some_and(|folder| folder.content_type == FOLDER)
        };
        match parent.filter(known) {
            Some(parent) => Ok(Some(parent)),
            None => {
                self.session
                    .complain(|| "an item is in a folder that was not sent".to_owned());
                Err(Code::NOT_FOUND)
            }
        }
    }

    fn move_item(&mut self, incoming: &Incoming<'_>) -> Code {
        let exchange = &mut self.session.exchanges[incoming.index];
        let store = self.memory.datastore_mut(&exchange.name);
        let (Some(luid), Some(parent)) = (incoming.luid, &incoming.parent) else {
            return Code::INCOMPLETE_COMMAND;
        };
        let Some(item) = store.items.get_mut(&Luid(luid.to_owned())) else {
            return Code::NOT_FOUND;
        };
        parent.clone_into(&mut item.parent);
        item.moved = false;
        exchange.received.replaces += 1;
        Code::OK
    }

    fn remove(&mut self, incoming: &Incoming<'_>) -> Code {
        let exchange = &mut self.session.exchanges[incoming.index];
        let store = self.memory.datastore_mut(&exchange.name);
        let Some(luid) = incoming.luid else {
            return Code::INCOMPLETE_COMMAND;
        };
        let luid = Luid(luid.to_owned());
        store.deleted.remove(&luid);
        if store.items.remove(&luid).is_none() {
            return Code::ITEM_NOT_DELETED;
        }
        store.empty_folder(&luid);
        exchange.received.deletes += 1;
        Code::OK
    }
}

/// A mail that the phone has, with what the server says of it: one that comes without its message keeps that.
fn flagged(known: &Octets, new: Octets, content_type: &str) -> Octets {
    if content_type != Format::Email.mime() {
        return new;
    }
    let hint = ReadHint {
        format: Some(Format::Email),
        ..ReadHint::default()
    };
    let read = |octets: &Octets| {
        content::read(&octets.0, &hint)
            .ok()
            .map(|parsed| parsed.record)
    };
    match (read(known), read(&new)) {
        (Some(stored), Some(told)) if told.root.property("EMAILITEM").is_none() => {
            let record = content::overlay(&stored, &told, None);
            Octets(content::write(
                &record,
                &content::Target::new(Format::Email),
            ))
        }
        _ => new,
    }
}
