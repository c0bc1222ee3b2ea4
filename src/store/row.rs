//! Rows of the database as the words of `sync`, and the numbers of enums.

use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::error::StoreError;
use crate::content::email::{Head, Mail, thread_key};
use crate::content::{Digest, Format, Kind, MatchKey};
use crate::sync::{
    Datastore, Echo, Entry, Generation, Item, ItemId, ItemMeta, Mark, Modseq, Round, ViewState,
};

/// Columns of [`MetaRow`].
macro_rules! meta_columns {
    () => {
        "i.id, i.datastore, i.modseq, i.deleted, i.format, i.digest, i.match_key, i.updated, i.folder, i.content_modseq"
    };
}

/// Columns of [`EntryRow`].
macro_rules! entry_columns {
    () => {
        "e.item, e.luid, e.seen, e.sent, e.digest, e.mark, e.round, e.failures, e.parent, e.echo"
    };
}

pub(super) use {entry_columns, meta_columns};

pub(super) type MetaSql = (
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Binary,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
);
pub(super) type MetaRow = (i64, i64, i64, i64, i64, Vec<u8>, i64, i64, i64, i64);

pub(super) type EntrySql = (
    BigInt,
    Nullable<Text>,
    BigInt,
    Nullable<BigInt>,
    Binary,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
);
pub(super) type EntryRow = (
    i64,
    Option<String>,
    i64,
    Option<i64>,
    Vec<u8>,
    i64,
    i64,
    i64,
    i64,
    i64,
);

pub(super) type GenerationRow = (Option<String>, Option<String>, Option<i64>, Option<String>);

/// An item without its body.
pub(super) fn meta(row: MetaRow) -> Result<ItemMeta, StoreError> {
    let (id, datastore, modseq, deleted, format, digest, key, updated, folder, content) = row;
    Ok(ItemMeta {
        id: ItemId(id),
        datastore: self::datastore(datastore)?,
        modseq: Modseq(modseq),
        deleted: deleted != 0,
        format: format_of(format)?,
        digest: self::digest(&digest)?,
        key: MatchKey(key),
        updated,
        parent: parent_of(folder),
        content: Modseq(content),
    })
}

/// Numbers below this are those of datastores: their roots are folders too.
const FIRST_FOLDER: i64 = 16;

/// The number of the folder that an item is in, by the item that the folder is.
pub(super) const fn folder_number(datastore: Datastore, parent: ItemId) -> i64 {
    if parent.0 > 0 {
        FIRST_FOLDER + parent.0
    } else {
        datastore.number() as i64
    }
}

/// The item that a folder is; 0 for the root of a datastore.
const fn parent_of(folder: i64) -> ItemId {
    if folder > FIRST_FOLDER {
        ItemId(folder - FIRST_FOLDER)
    } else {
        ItemId(0)
    }
}

/// An item.
pub(super) fn item(row: MetaRow, body: Option<Vec<u8>>) -> Result<Item, StoreError> {
    Ok(Item {
        meta: meta(row)?,
        body: body.unwrap_or_default().into(),
    })
}

/// A device's entry.
pub(super) fn entry(row: EntryRow) -> Result<Entry, StoreError> {
    let (item, luid, seen, sent, digest, mark, round, failures, parent, echo) = row;
    Ok(Entry {
        item: ItemId(item),
        luid,
        seen: Modseq(seen),
        sent: sent.map(Modseq),
        digest: self::digest(&digest)?,
        mark: Mark(mark),
        round: Round(round),
        failures: i32::try_from(failures).unwrap_or(i32::MAX),
        parent: ItemId(parent),
        echo: Echo(echo),
    })
}

/// The state of a view.
pub(super) fn view(
    round: i64,
    sending_since: i64,
    (pending, unsettled): (i64, i64),
    confirmed: GenerationRow,
    previous: GenerationRow,
) -> ViewState {
    ViewState {
        round: Round(round),
        confirmed: generation(confirmed),
        previous: generation(previous),
        sending_since: Modseq(sending_since),
        pending: pending != 0,
        unsettled: Round(unsettled),
    }
}

fn generation(row: GenerationRow) -> Option<Generation> {
    let (client_anchor, server_anchor, base, filter) = row;
    Some(Generation {
        client_anchor: client_anchor?,
        server_anchor: server_anchor?,
        base: Modseq(base?),
        filter,
    })
}

/// A datastore from its number.
pub(super) fn datastore(number: i64) -> Result<Datastore, StoreError> {
    i32::try_from(number)
        .ok()
        .and_then(Datastore::from_number)
        .ok_or_else(|| StoreError::Corrupt(format!("there is no datastore {number}")))
}

/// 16 octets.
pub(super) fn octets16(octets: &[u8]) -> Result<[u8; 16], StoreError> {
    octets
        .try_into()
        .map_err(|_| StoreError::Corrupt(format!("a digest has {} octets", octets.len())))
}

fn digest(octets: &[u8]) -> Result<Digest, StoreError> {
    octets16(octets).map(Digest)
}

/// The number of a format.
pub(super) const fn format_number(format: Format) -> i64 {
    match format {
        Format::VCard21 => 1,
        Format::VCard30 => 2,
        Format::VCard40 => 3,
        Format::VCalendar10 => 4,
        Format::ICalendar20 => 5,
        Format::VNote11 => 6,
        Format::PlainText => 7,
        Format::Mail => 8,
        Format::Folder => 9,
        Format::Email => 10,
        Format::Message => 11,
        Format::SifContact => 12,
        Format::SifEvent => 13,
        Format::SifTask => 14,
        Format::SifNote => 15,
    }
}

/// A format from its number.
pub(super) fn format_of(number: i64) -> Result<Format, StoreError> {
    Ok(match number {
        1 => Format::VCard21,
        2 => Format::VCard30,
        3 => Format::VCard40,
        4 => Format::VCalendar10,
        5 => Format::ICalendar20,
        6 => Format::VNote11,
        7 => Format::PlainText,
        8 => Format::Mail,
        9 => Format::Folder,
        10 => Format::Email,
        11 => Format::Message,
        12 => Format::SifContact,
        13 => Format::SifEvent,
        14 => Format::SifTask,
        15 => Format::SifNote,
        _ => {
            return Err(StoreError::Corrupt(format!(
                "there is no item format {number}"
            )));
        }
    })
}

/// The number of a kind.
pub(super) const fn kind_number(kind: Kind) -> i64 {
    match kind {
        Kind::Contact => 1,
        Kind::Event => 2,
        Kind::Task => 3,
        Kind::Note => 4,
        Kind::Mail => 5,
        Kind::Folder => 6,
    }
}

/// The kind of most of a datastore's items; the agenda has none of its own.
pub(super) const fn kind_of(datastore: Datastore) -> Option<Kind> {
    match datastore {
        Datastore::Contacts => Some(Kind::Contact),
        Datastore::Calendar => Some(Kind::Event),
        Datastore::Tasks => Some(Kind::Task),
        Datastore::Notes => Some(Kind::Note),
        Datastore::Mail => Some(Kind::Mail),
        Datastore::Agenda => None,
    }
}

/// The kind of an item.
pub(super) const fn kind_in(datastore: Datastore, format: Format) -> Option<Kind> {
    match format {
        Format::Folder => Some(Kind::Folder),
        _ => kind_of(datastore),
    }
}

/// What mails are found by: when it was received, seconds since 1970, 0 if it does not say so; and its thread. Nothing for what is
/// no mail.
pub(super) fn mail_columns(format: Format, body: &[u8]) -> (i64, Option<i64>) {
    if format != Format::Mail {
        return (0, None);
    }
    match Mail::state(body) {
        Ok((mail, begin)) => {
            let head = Head::of(&body[begin.min(body.len())..]);
            (mail.received.unwrap_or(0), Some(thread_key(&head.subject)))
        }
        Err(_) => (0, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{format_number, format_of};

    #[test]
    fn formats_come_back() {
        for number in 1..=15 {
            assert_eq!(format_number(format_of(number).unwrap()), number);
        }
        assert!(format_of(0).is_err());
        assert!(format_of(16).is_err());
    }
}
