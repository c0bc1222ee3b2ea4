//! What happened to the items of a recorded session: events with titles, reasons, and what a device could not hold.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::content::{self, Format, ReadHint, Record};
use crate::store::{Reader, RecordedMessage, StoreError};
use crate::sync::recording::{self, Event, What};
use crate::sync::{AccountId, Answer, Item, ItemId, Modseq, Query};
use crate::syncml::codec::{Limits, decode};
use crate::syncml::{Carrier, ChangeKind, Command};

/// Items that one query asks for.
const PAGE: usize = 500;

/// One thing that happened, as it is shown.
pub(super) struct Happened<'r> {
    pub(super) message: i64,
    pub(super) event: Event<'r>,
    /// What the item is called now.
    pub(super) title: String,
    /// Of what was sent: what the device did not get, because it cannot hold it.
    pub(super) dropped: Vec<String>,
}

/// All that happened in a session. Titles and what was dropped are looked up only if `titles` is set.
pub(super) fn of<'r>(
    reader: &mut Reader,
    account: AccountId,
    messages: &'r [RecordedMessage],
    titles: bool,
) -> anyhow::Result<Vec<Happened<'r>>> {
    let mut found = Vec::new();
    for message in messages {
        for event in recording::events(&message.trace)? {
            found.push(Happened {
                message: message.number,
                event,
                title: String::new(),
                dropped: Vec::new(),
            });
        }
    }
    if titles {
        add_titles(reader, account, &mut found)?;
        add_dropped(reader, account, messages, &mut found)?;
    }
    Ok(found)
}

fn add_titles(
    reader: &mut Reader,
    account: AccountId,
    found: &mut [Happened<'_>],
) -> Result<(), StoreError> {
    let mut ids: Vec<ItemId> = found.iter().map(|of| of.event.item).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.retain(|id| id.0 > 0);
    let mut titles = BTreeMap::new();
    for page in ids.chunks(PAGE) {
        if let Answer::Items(items) = reader.load(account, None, &Query::Items(page.to_vec()))? {
            for item in items {
                if let Some(record) = read(&item.body, item.meta.format) {
                    titles.insert(item.meta.id, content::title(&record));
                }
            }
        }
    }
    for of in found {
        if let Some(title) = titles.get(&of.event.item) {
            of.title.clone_from(title);
        }
    }
    Ok(())
}

/// Compares what the messages carried with the versions that were to be sent.
fn add_dropped(
    reader: &mut Reader,
    account: AccountId,
    messages: &[RecordedMessage],
    found: &mut [Happened<'_>],
) -> Result<(), StoreError> {
    let bodies = sent_bodies(messages);
    for page in found.chunks_mut(PAGE) {
        let versions: Vec<(ItemId, Modseq)> = page
            .iter()
            .filter(|of| matches!(of.event.what, What::SentAdd | What::SentReplace))
            .map(|of| (of.event.item, of.event.version))
            .collect();
        if versions.is_empty() {
            continue;
        }
        let Answer::Items(items) = reader.load(account, None, &Query::Revisions(versions))? else {
            continue;
        };
        let whole: BTreeMap<(ItemId, Modseq), Item> = items
            .into_iter()
            .map(|item| ((item.meta.id, item.meta.modseq), item))
            .collect();
        for of in page {
            let address = match of.event.what {
                What::SentAdd => of.event.item.guid(),
                What::SentReplace => of.event.luid.to_owned(),
                _ => continue,
            };
            let key = (of.event.item, of.event.version);
            if let Some(item) = whole.get(&key)
                && let Some(sent) = bodies.get(&(of.message, address))
                && let Some(whole) = read(&item.body, item.meta.format)
            {
                of.dropped = content::lost(&whole, sent);
            }
        }
    }
    Ok(())
}

/// What the replies carried, by message and address; chunks are joined, and belong to the message of the last one.
fn sent_bodies(messages: &[RecordedMessage]) -> BTreeMap<(i64, String), Record> {
    let mut bodies = BTreeMap::new();
    let mut chunks: Vec<u8> = Vec::new();
    let mut media = None;
    for message in messages {
        let Some(carrier) = Carrier::from_mime(&message.content_type) else {
            continue;
        };
        let Ok(reply) = decode(&message.reply, carrier, &Limits::default()) else {
            continue;
        };
        let syncs = reply.body.iter().filter_map(|command| match command {
            Command::Sync(sync) => Some(sync),
            _ => None,
        });
        for command in syncs.flat_map(|sync| &sync.commands) {
            let Command::Change(change) = command else {
                continue;
            };
            if !matches!(change.kind, ChangeKind::Add | ChangeKind::Replace) {
                continue;
            }
            for item in &change.items {
                let metas = [item.meta.as_ref(), change.meta.as_ref()];
                let kind = metas.iter().flatten().find_map(|meta| meta.kind.as_deref());
                media = kind.map(str::to_owned).or(media);
                chunks.extend_from_slice(item.data.bytes().unwrap_or_default());
                if item.more_data {
                    continue;
                }
                let format = media.as_deref().and_then(|of| Format::from_mime(of, None));
                let note = matches!(format, Some(Format::PlainText | Format::VNote11));
                let hint = ReadHint {
                    format,
                    kind: note.then_some(content::Kind::Note),
                    ..ReadHint::default()
                };
                let place = item.target.as_ref().or(item.source.as_ref());
                if let (Ok(parsed), Some(place)) = (content::read(&chunks, &hint), place) {
                    bodies.insert((message.number, place.uri.to_string()), parsed.record);
                }
                chunks.clear();
                media = None;
            }
        }
    }
    bodies
}

/// A body as it is stored.
pub(super) fn read(body: &[u8], format: Format) -> Option<Record> {
    let note = matches!(format, Format::PlainText | Format::VNote11);
    let hint = ReadHint {
        format: Some(format),
        kind: note.then_some(content::Kind::Note),
        ..ReadHint::default()
    };
    content::read(body, &hint).ok().map(|parsed| parsed.record)
}

impl Happened<'_> {
    /// One line: what happened to which item, and how it was answered.
    pub(super) fn line(&self) -> String {
        let event = &self.event;
        let mut text = words(event.what).to_owned();
        if event.item.0 > 0 {
            text += &format!(", item {}", event.item.guid());
        }
        if !event.luid.is_empty() {
            text += &format!(", LUID {}", printable(event.luid));
        }
        if !self.title.is_empty() {
            text += &format!(", \"{}\"", printable(&self.title));
        }
        if event.code > 0 {
            let code = crate::syncml::Code(event.code);
            text += &format!(": {code} ({})", code.text());
        }
        if !event.text.is_empty() {
            text += &format!(": {}", printable(event.text));
        }
        if !self.dropped.is_empty() {
            text += &format!("; the device did not get {}", self.dropped.join(", "));
        }
        text
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let event = &self.event;
        let mut value = json!({ "message": self.message, "what": event.what });
        if let Some(view) = event.view {
            value["datastore"] = json!(view);
        }
        if event.item.0 > 0 {
            value["item"] = json!(event.item.guid());
        }
        for (key, text) in [
            ("luid", event.luid),
            ("title", &self.title),
            ("text", event.text),
        ] {
            if !text.is_empty() {
                value[key] = json!(text);
            }
        }
        if event.code > 0 {
            value["code"] = json!(event.code);
        }
        if !self.dropped.is_empty() {
            value["dropped"] = json!(self.dropped);
        }
        value
    }
}

/// What happened, in words.
const fn words(what: What) -> &'static str {
    match what {
        What::ReceivedAdd => "received as new",
        What::ReceivedReplace => "received as changed",
        What::ReceivedDelete => "received as deleted",
        What::SentAdd => "sent as new",
        What::SentReplace => "sent as changed",
        What::SentDelete => "sent as deleted",
        What::Refused => "refused by the device",
        What::Mapped => "named by the device",
        What::Note => "note",
        What::SlowSync => "note",
        What::DeviceLost => "conflict, the device's version lost",
        What::ServerLost => "conflict, the server's version lost",
        What::HeldReceived => "deletion held: it stays on the server",
        What::HeldSent => "deletion held: it stays on the device",
        What::Deleted => "deleted on the server",
    }
}

/// Text for a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
