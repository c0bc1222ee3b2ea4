//! What a turn writes: items, and the device's entries for them.

use bytes::Bytes;

use super::incoming::Incoming;
use super::lookup::Lookup;
use super::turn::{Held, Turn};
use crate::content::email::{Folder, FolderRole, Mail};
use crate::content::{self, Format, Kind, Record};
use crate::device;
use crate::sync::{Change, Datastore, Entry, ItemId, ItemMeta, ItemWrite};

impl Turn<'_> {
    /// Writes an item: a new one if `id` is `None`. `record` is what it says, if that may be something else than what
    /// came; `place` the folder of a new one.
    pub(super) fn write_item(
        &mut self,
        id: Option<ItemId>,
        incoming: &Incoming<'_>,
        record: Option<&Record>,
        place: Option<ItemId>,
    ) -> ItemId {
        let dated = match id {
            None => self.dated(incoming, record, place.unwrap_or_default()),
            Some(_) => None,
        };
        let record = dated.as_ref().or(record);
        let other = record.filter(|record| *record != incoming.record());
        let id = id.unwrap_or_else(|| {
            let id = self.next_item;
            self.next_item = ItemId(id.0 + 1);
            id
        });
        self.modseq = self.modseq.next();
        let held = self.items.get(&id).filter(|held| !held.meta.deleted);
        let comes = held.is_none();
        let replaced = held.map(|held| held.body.as_ref().map_or(0, Bytes::len));
        let (format, body) = stored_form(incoming, other);
        let body = Bytes::from(body);
        let keeps = incoming.kind != Kind::Mail && (other.is_some() || !incoming.plain);
        let original = keeps.then(|| incoming.body.to_vec());
        let known = self.items.get(&id).map(|held| held.meta.parent);
        let meta = ItemMeta {
            id,
            datastore: device::home(other.map_or(incoming.kind, |record| record.kind)),
            modseq: self.modseq,
            deleted: false,
            format,
            digest: other.map_or(incoming.digest, content::digest),
            key: other.map_or(incoming.key, content::match_key),
            updated: self.context.now,
            parent: known.or(place).unwrap_or_default(),
            content: self.modseq,
        };
        self.count_usage(replaced, body.len());
        let write = ItemWrite {
            meta: meta.clone(),
            body: body.clone(),
            original,
            origin: Some(self.device.id),
        };
        self.changes.push(Change::PutItem(write));
        let held = self.items.entry(id).or_insert_with(|| Held {
            before: None,
            meta: meta.clone(),
            entry: None,
            body: None,
            changed: true,
        });
        held.meta = meta;
        held.body = Some(body);
        held.changed = true;
        if format == Format::Folder {
            let role = held.body.as_deref().map(Folder::read);
            let role = role.and_then(Result::ok).and_then(|folder| folder.role);
            self.note_folder(id, role);
        }
        if comes {
            self.submit(id);
        }
        id
    }

    /// A new mail: it came now, if it does not say when; by that time it has its place in the folder. One that goes to the drafts
    /// may be edited.
    fn dated(
        &self,
        incoming: &Incoming<'_>,
        record: Option<&Record>,
        place: ItemId,
    ) -> Option<Record> {
        if incoming.kind != Kind::Mail {
            return None;
        }
        let record = record.unwrap_or_else(|| incoming.record());
        let mut mail = Mail::of(record.clone())?;
        mail.received = mail.received.or(Some(self.context.now));
        mail.draft = self.role_of(place) == Some(FolderRole::Drafts);
        Some(mail.into_record())
    }

    /// A mail that comes into the outbox is to be sent.
    pub(super) fn submit(&mut self, item: ItemId) {
        let Some(held) = self.items.get(&item) else {
            return;
        };
        let goes_out = self.role_of(held.meta.parent) == Some(FolderRole::Outbox);
        if held.meta.format == Format::Mail && goes_out {
            self.changes.push(Change::SubmitMail { item });
        }
    }

    /// Sets the device's entry for an item. Another item that has the same LUID loses it.
    pub(super) fn put_entry(&mut self, view: Datastore, entry: Entry, lookup: Option<&mut Lookup>) {
        if let (Some(lookup), Some(luid)) = (lookup, &entry.luid)
            && let Some(other) = lookup.by_luid.insert(luid.clone(), entry.item)
            && other != entry.item
            && self
                .items
                .get(&other)
                .is_some_and(|held| held.entry.as_ref().is_some_and(|of| of.luid == entry.luid))
        {
            self.drop_entry(view, other);
        }
        self.end_repetition(view);
        let mut only_round = false;
        if self.items.contains_key(&entry.item) {
            self.count_waiting(view, entry.item, Some(&entry));
        }
        if let Some(held) = self.items.get_mut(&entry.item) {
            only_round = entry.round == self.state.round_of(view)
                && held.entry.as_ref().is_some_and(|before| {
                    Entry {
                        round: entry.round,
                        ..before.clone()
                    } == entry
                });
            held.entry = Some(entry.clone());
            held.changed = true;
        }
        if only_round {
            self.claims.insert(entry.item, view);
            return;
        }
        self.claims.remove(&entry.item);
        self.changes.push(Change::PutEntry { view, entry });
    }

    /// Keeps the number of items that were sent in this round and wait for an answer, for an entry that changes.
    pub(super) fn count_waiting(&mut self, view: Datastore, item: ItemId, after: Option<&Entry>) {
        let Some(link) = self.state.links.iter_mut().find(|link| link.view == view) else {
            return;
        };
        let before = self.items.get(&item).and_then(|held| held.entry.as_ref());
        match (link.awaits(before), link.awaits(after)) {
            (false, true) => link.unconfirmed += 1,
            (true, false) => link.unconfirmed = link.unconfirmed.saturating_sub(1),
            _ => {}
        }
    }

    pub(super) fn drop_entry(&mut self, view: Datastore, item: ItemId) {
        self.end_repetition(view);
        self.count_waiting(view, item, None);
        if let Some(held) = self.items.get_mut(&item) {
            held.entry = None;
            held.changed = true;
        }
        self.changes.push(Change::DropEntry { view, item });
    }

    pub(super) fn delete_item(&mut self, item: ItemId) {
        self.modseq = self.modseq.next();
        if let Some((items, _)) = &mut self.state.usage {
            *items = items.saturating_sub(1);
        }
        if let Some(held) = self.items.get_mut(&item) {
            held.meta.deleted = true;
            held.meta.modseq = self.modseq;
            held.changed = true;
        }
        self.changes.push(Change::DeleteItem {
            item,
            modseq: self.modseq,
            origin: Some(self.device.id),
        });
    }
}

/// How an item is stored: the octets as they came, if they say all of it. `other` is what it says instead of them.
pub(super) fn stored_form(incoming: &Incoming<'_>, other: Option<&Record>) -> (Format, Vec<u8>) {
    // Of a mail, the wire's form says less than the stored one.
    let whole = !matches!(incoming.format, Format::Email | Format::Message);
    if other.is_none() && incoming.plain && whole {
        return (incoming.format, incoming.body.to_vec());
    }
    let record = other.unwrap_or_else(|| incoming.record());
    let format = richest(record, incoming.format);
    let body = content::write(record, &content::Target::new(format));
    (format, body)
}

/// The form that keeps all of a record.
fn richest(record: &Record, incoming: Format) -> Format {
    match record.kind {
        Kind::Contact => Format::VCard30,
        Kind::Event | Kind::Task => Format::ICalendar20,
        Kind::Note if incoming == Format::VNote11 || record.root.name == "VNOTE" => Format::VNote11,
        Kind::Note => Format::PlainText,
        Kind::Mail => Format::Mail,
        Kind::Folder => Format::Folder,
    }
}
