//! What a user sees on the phone after a sync that the server asked for: items that came, changed, or went.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::{Value, json};

use crate::content::email::Mail;
use crate::content::{self, Format, Kind, ReadHint, Record};
use crate::handset::{ItemState, Luid, Memory, StoredItem};

/// Items that are named; of more only the number is told.
const MOST_NAMED: usize = 20;

/// The items of the phone, as they were.
pub(super) struct Before(BTreeMap<String, BTreeMap<Luid, StoredItem>>);

impl Before {
    pub(super) fn of(memory: &Memory) -> Self {
        let datastores = memory.datastores.iter();
        Self(
            datastores
                .map(|(name, datastore)| (name.clone(), datastore.items.clone()))
                .collect(),
        )
    }

    /// What is different now.
    pub(super) fn changes(&self, now: &Memory) -> Vec<Seen> {
        let mut seen = Vec::new();
        let none = BTreeMap::new();
        for (name, datastore) in &now.datastores {
            let before = self.0.get(name).unwrap_or(&none);
            for (luid, item) in &datastore.items {
                match before.get(luid) {
                    None if item.state == ItemState::Clean => {
                        seen.push(Seen::new("new", name, item));
                    }
                    Some(old) if old.body != item.body => {
                        seen.push(Seen::new("changed", name, item));
                    }
                    _ => {}
                }
            }
            for (luid, item) in before {
                if !datastore.items.contains_key(luid) {
                    seen.push(Seen::new("gone", name, item));
                }
            }
        }
        seen
    }
}

/// One item that is different.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    what: &'static str,
    datastore: String,
    title: String,
}

impl Seen {
    fn new(what: &'static str, datastore: &str, item: &StoredItem) -> Self {
        let hint = ReadHint {
            format: Format::from_mime(&item.content_type, None),
            kind: (datastore == "notes").then_some(Kind::Note),
            ..ReadHint::default()
        };
        let title = content::read(&item.body.0, &hint).map(|read| title(read.record));
        Self {
            what,
            datastore: datastore.to_owned(),
            title: title.unwrap_or_default(),
        }
    }

    /// For people.
    pub(super) fn line(&self) -> String {
        let title = if self.title.is_empty() {
            "without a name"
        } else {
            &self.title
        };
        format!(
            "  {} in {}: {}",
            self.what,
            self.datastore,
            super::printable(title)
        )
    }

    /// For programs.
    pub(super) fn value(&self) -> Value {
        json!({ "what": self.what, "datastore": self.datastore, "title": self.title })
    }
}

/// What the phone's list shows of an item: of a mail, who wrote it as well.
fn title(record: Record) -> String {
    let title = content::title(&record);
    let head = Mail::of(record).map(|mail| mail.head());
    match head.as_ref().and_then(|head| head.from.first()) {
        Some(from) if from.name.is_empty() => format!("{title} (from {})", from.address),
        Some(from) => format!("{title} (from {})", from.name),
        None => title,
    }
}

/// Prints them: a line for each, as many as one reads, or one object for all.
pub(super) fn print(seen: &[Seen], json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        let values: Vec<Value> = seen.iter().map(Seen::value).collect();
        writeln!(out, "{}", json!({ "seen": values }))?;
    } else {
        for line in lines(seen) {
            writeln!(out, "{line}")?;
        }
    }
    out.flush()?;
    Ok(())
}

fn lines(seen: &[Seen]) -> Vec<String> {
    let mut lines: Vec<String> = seen.iter().take(MOST_NAMED).map(Seen::line).collect();
    if seen.len() > MOST_NAMED {
        lines.push(format!("  and {} more", seen.len() - MOST_NAMED));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: &str = "BEGIN:VCARD\r\nVERSION:2.1\r\nN:Turing;Alan\r\nEND:VCARD\r\n";

    fn memory() -> Memory {
        Memory::new("IMEI:1")
    }

    fn receive(memory: &mut Memory, datastore: &str, content_type: &str, body: &str) -> Luid {
        let store = memory.datastore_mut(datastore);
        let luid = store.add(content_type, body.as_bytes(), false);
        store.items.get_mut(&luid).expect("the item").state = ItemState::Clean;
        luid
    }

    #[test]
    fn what_came_changed_and_went_is_named() {
        let mut memory = memory();
        let changed = receive(&mut memory, "contacts", "text/x-vcard", CARD);
        let gone = receive(&mut memory, "notes", "text/plain", "milk\nand bread");
        let before = Before::of(&memory);
        assert_eq!(before.changes(&memory), []);

        receive(&mut memory, "notes", "text/plain", "call \u{1b}[2J Ada");
        memory.datastore_mut("notes").items.remove(&gone);
        let renamed = CARD.replace("Alan", "A. M.");
        let contacts = memory.datastore_mut("contacts");
        contacts.items.get_mut(&changed).expect("the item").body.0 = renamed.into();
        let seen = before.changes(&memory);
        assert_eq!(
            lines(&seen),
            [
                "  changed in contacts: A. M. Turing",
                "  new in notes: call \u{fffd}[2J Ada",
                "  gone in notes: milk",
            ]
        );
    }

    #[test]
    fn a_mail_is_named_with_who_wrote_it() {
        let before = Before::of(&memory());
        let mut after = memory();
        let mail = "<Email><read>false</read><emailitem><![CDATA[From: Bob <bob@example.org>\r\n\
            Subject: Lunch\r\n\r\nAt noon?\r\n]]></emailitem></Email>";
        let store = after.datastore_mut("mail");
        let luid = store.add("application/vnd.omads-email+xml", mail.as_bytes(), false);
        store.items.get_mut(&luid).expect("the item").state = ItemState::Clean;
        let seen = before.changes(&after);
        assert_eq!(lines(&seen), ["  new in mail: Lunch (from Bob)"]);
    }

    #[test]
    fn what_the_user_adds_meanwhile_did_not_come() {
        let before = Before::of(&memory());
        let mut after = memory();
        after
            .datastore_mut("contacts")
            .add("text/x-vcard", CARD.as_bytes(), false);
        assert_eq!(before.changes(&after), []);
    }

    #[test]
    fn a_flood_is_not_printed_whole() {
        let before = Before::of(&memory());
        let mut after = memory();
        for number in 0..30 {
            receive(&mut after, "notes", "text/plain", &format!("note {number}"));
        }
        let lines = lines(&before.changes(&after));
        assert_eq!(lines.len(), MOST_NAMED + 1);
        assert_eq!(lines.last().map(|line| &**line), Some("  and 10 more"));
    }
}
