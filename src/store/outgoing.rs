//! Which items are to be sent to a device: pages of them, and their number.
//!
//! The conditions say what [`Selection::wants`] says. Items come in the order of (`modseq`, `id`). A selection of changes has two parts that do not overlap: items that
//! were sent in an earlier round and never confirmed, with numbers up to the base, and all items above the base. The
//! second is a range of the index `item_modseq`, so it costs what the changes cost.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable};

use super::connection::Database;
use super::error::StoreError;
use super::load::list;
use super::row::{self, EntryRow, EntrySql, MetaRow, MetaSql, entry_columns, meta_columns};
use super::statement::{Bind, each, first, statement};
use crate::sync::{
    AccountId, Cursor, DeviceId, ItemId, Modseq, Outgoing, OutgoingQuery, Selection,
};

type PageSql = (MetaSql, Nullable<EntrySql>, Nullable<Binary>);
type PageRow = (MetaRow, Option<EntryRow>, Option<Vec<u8>>);

/// A tombstone's body is not given.
macro_rules! body {
    () => {
        ", CASE WHEN i.deleted = 0 THEN i.body END"
    };
}

/// Values: device, view.
macro_rules! with_entry {
    () => {
        " LEFT JOIN entry e ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id"
    };
}

/// Items of one datastore behind a place. Values: device, view, account, datastore, modseq, id.
macro_rules! behind {
    () => {
        " FROM item i LEFT JOIN entry e \
         ON e.account = i.account AND e.device = ? AND e.view = ? AND e.item = i.id \
         WHERE i.account = ? AND i.datastore = ? AND (i.modseq, i.id) > (?, ?)"
    };
}

/// Values: round.
macro_rules! changed {
    () => {
        " AND ((e.item IS NULL AND i.deleted = 0) \
         OR ((e.seen < i.modseq OR e.sent IS NOT NULL) AND NOT (e.round = ? AND e.sent IS NOT NULL)))"
    };
}

/// Values: round, round.
macro_rules! any {
    () => {
        " AND ((i.deleted = 0 AND (e.item IS NULL OR e.round < ?)) \
         OR (e.round = ? AND e.seen < i.modseq AND e.sent IS NULL))"
    };
}

/// Values: round.
macro_rules! every {
    () => {
        " AND (i.deleted = 0 OR e.item IS NOT NULL) AND (e.sent IS NULL OR e.round < ?)"
    };
}

/// Values: round.
macro_rules! unclaimed {
    () => {
        " AND i.deleted = 0 AND (e.item IS NULL OR e.round < ?)"
    };
}

/// Sent and never confirmed. Values: account, device, view, round, base, modseq, id.
macro_rules! unconfirmed {
    () => {
        " FROM entry e JOIN item i ON i.account = e.account AND i.id = e.item \
         WHERE e.account = ? AND e.device = ? AND e.view = ? AND e.round < ? \
         AND e.sent IS NOT NULL AND i.modseq <= ? AND (i.modseq, i.id) > (?, ?)"
    };
}

/// SQLite gives rows as it finds them, and the caller breaks off; PostgreSQL gives all unless it is told a limit.
macro_rules! page {
    ($name:ident = $($text:tt)+) => {
        statement!($name(PageSql) =
            ["SELECT " meta_columns!() ", " entry_columns!() body!() $($text)+ " ORDER BY 3, 1"]
            postgresql ["SELECT " meta_columns!() ", " entry_columns!() body!() $($text)+ " ORDER BY 3, 1 LIMIT ?"]);
    };
}

statement!(Unconfirmed((BigInt, BigInt)) =
    ["SELECT i.modseq, i.id" unconfirmed!() " ORDER BY 1, 2"]
    postgresql ["SELECT i.modseq, i.id" unconfirmed!() " ORDER BY 1, 2 LIMIT ?"]);
statement!(PageById(PageSql) =
    ["SELECT " meta_columns!() ", " entry_columns!() body!() " FROM json_each(?) j \
     CROSS JOIN item i ON i.account = ? AND i.id = j.value" with_entry!()]
    postgresql ["SELECT " meta_columns!() ", " entry_columns!() body!() " FROM jsonb_array_elements_text(?::jsonb) j(value) \
     JOIN item i ON i.account = ? AND i.id = j.value::bigint" with_entry!() " ORDER BY 3, 1"]);
page!(ChangedPage = behind!() changed!());
page!(AnyPage = behind!() any!());
page!(EveryPage = behind!() every!());
page!(UnclaimedPage = behind!() unclaimed!());

// The same over two datastores at once: two ranges of the index, merged.
page!(ChangedPagePair = behind!() changed!() " UNION ALL SELECT " meta_columns!() ", " entry_columns!() body!() behind!() changed!());
page!(AnyPagePair = behind!() any!() " UNION ALL SELECT " meta_columns!() ", " entry_columns!() body!() behind!() any!());
page!(EveryPagePair = behind!() every!() " UNION ALL SELECT " meta_columns!() ", " entry_columns!() body!() behind!() every!());
page!(UnclaimedPagePair = behind!() unclaimed!() " UNION ALL SELECT " meta_columns!() ", " entry_columns!() body!() behind!() unclaimed!());

statement!(UnconfirmedCount((BigInt,)) = "SELECT count(*)" unconfirmed!());
statement!(ChangedCount((BigInt,)) = "SELECT count(*)" behind!() changed!());
statement!(AnyCount((BigInt,)) = "SELECT count(*)" behind!() any!());
statement!(EveryCount((BigInt,)) = "SELECT count(*)" behind!() every!());
statement!(UnclaimedCount((BigInt,)) = "SELECT count(*)" behind!() unclaimed!());

statement!(Counter((BigInt,)) = "SELECT modseq FROM account WHERE id = ? AND name IS NOT NULL");

/// The values of a query's statements.
struct Scan<'a> {
    /// For [`unconfirmed`], if there can be such items behind the cursor.
    unconfirmed: Option<[Bind<'a>; 7]>,
    /// For each collection.
    behind: Vec<Vec<Bind<'a>>>,
}

impl Scan<'_> {
    fn new(account: AccountId, device: DeviceId, query: &OutgoingQuery) -> Self {
        let account = Bind::Int(account.0);
        let device = Bind::Int(device.0);
        let view = Bind::Int(i64::from(query.view.number()));
        let round = Bind::Int(query.round.0);
        let place = |cursor: Cursor| [Bind::Int(cursor.modseq.0), Bind::Int(cursor.item.0)];
        let (start, rounds, base) = match query.selection {
            Selection::Changes { base } | Selection::Every { base } => {
                let above = Cursor {
                    modseq: base,
                    item: ItemId(i64::MAX),
                };
                let start = if order(query.after) < order(above) {
                    above
                } else {
                    query.after
                };
                (
                    start,
                    1,
                    (query.unsettled && order(query.after) < order(above)).then_some(base),
                )
            }
            Selection::All => (query.after, 2, None),
            Selection::Unclaimed => (query.after, 1, None),
        };
        let [after_modseq, after_item] = place(query.after);
        let unconfirmed = base.map(|base| {
            let base = Bind::Int(base.0);
            [account, device, view, round, base, after_modseq, after_item]
        });
        let behind = query
            .view
            .collections()
            .iter()
            .map(|datastore| {
                let datastore = Bind::Int(i64::from(datastore.number()));
                let mut binds = vec![device, view, account, datastore];
                binds.extend(place(start));
                binds.extend(std::iter::repeat_n(round, rounds));
                binds
            })
            .collect();
        Self {
            unconfirmed,
            behind,
        }
    }
}

const fn order(cursor: Cursor) -> (i64, i64) {
    (cursor.modseq.0, cursor.item.0)
}

/// A page of items to send.
pub(super) fn page(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    query: &OutgoingQuery,
) -> Result<Outgoing, StoreError> {
    let counter: Option<(i64,)> = first(connection, Counter, &[Bind::Int(account.0)])?;
    let (counter,) = counter.ok_or(StoreError::NotFound)?;
    let scan = Scan::new(account, device, query);
    let mut page = Page {
        outgoing: Outgoing {
            modseq: Modseq(counter),
            ..Outgoing::default()
        },
        octets: 0,
        query,
    };
    // One more than is given tells whether there is more.
    let limit = Bind::Int(i64::from(query.max_items) + 1);
    if let Some(binds) = &scan.unconfirmed {
        let mut binds = binds.to_vec();
        binds.push(limit);
        // In order, and without bodies: all of them are sorted for each page.
        let mut ids = Vec::new();
        each(connection, Unconfirmed, &binds, |(_, id): (i64, i64)| {
            ids.push(id);
            Ok(if ids.len() > query.max_items as usize {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        if !ids.is_empty() {
            let ids = list(ids.into_iter())?;
            let binds = [Bind::Text(&ids), binds[0], binds[1], binds[2]];
            each(connection, PageById, &binds, |row| page.take(row))?;
        }
    }
    let mut binds = scan.behind.concat();
    binds.push(limit);
    if page.outgoing.more {
        return Ok(page.outgoing);
    }
    let take = |row| page.take(row);
    match (query.selection, scan.behind.len()) {
        (Selection::Changes { .. }, 1) => each(connection, ChangedPage, &binds, take),
        (Selection::Changes { .. }, _) => each(connection, ChangedPagePair, &binds, take),
        (Selection::All, 1) => each(connection, AnyPage, &binds, take),
        (Selection::All, _) => each(connection, AnyPagePair, &binds, take),
        (Selection::Every { .. }, 1) => each(connection, EveryPage, &binds, take),
        (Selection::Every { .. }, _) => each(connection, EveryPagePair, &binds, take),
        (Selection::Unclaimed, 1) => each(connection, UnclaimedPage, &binds, take),
        (Selection::Unclaimed, _) => each(connection, UnclaimedPagePair, &binds, take),
    }?;
    Ok(page.outgoing)
}

/// A page that is being filled.
struct Page<'a> {
    outgoing: Outgoing,
    octets: u64,
    query: &'a OutgoingQuery,
}

impl Page<'_> {
    fn take(&mut self, (meta, entry, body): PageRow) -> Result<ControlFlow<()>, StoreError> {
        let items = &mut self.outgoing.items;
        if items.len() >= self.query.max_items as usize || self.octets >= self.query.max_octets {
            self.outgoing.more = true;
            return Ok(ControlFlow::Break(()));
        }
        let item = row::item(meta, body)?;
        self.octets = self.octets.saturating_add(item.body.len() as u64);
        items.push((item, entry.map(row::entry).transpose()?));
        Ok(ControlFlow::Continue(()))
    }
}

/// How many items there are to send.
pub(super) fn count(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    query: &OutgoingQuery,
) -> Result<u64, StoreError> {
    let scan = Scan::new(account, device, query);
    let mut sum = 0;
    if let Some(binds) = &scan.unconfirmed {
        sum += one(first(connection, UnconfirmedCount, binds)?);
    }
    for binds in &scan.behind {
        sum += one(match query.selection {
            Selection::Changes { .. } => first(connection, ChangedCount, binds)?,
            Selection::All => first(connection, AnyCount, binds)?,
            Selection::Every { .. } => first(connection, EveryCount, binds)?,
            Selection::Unclaimed => first(connection, UnclaimedCount, binds)?,
        });
    }
    Ok(sum)
}

fn one(row: Option<(i64,)>) -> u64 {
    row.map_or(0, |(count,)| u64::try_from(count).unwrap_or_default())
}

/// Names and texts of all statements, to look at their plans.
#[cfg(test)]
pub(super) const STATEMENTS: [(&str, &str); 14] = {
    use super::statement::Sql;
    [
        ("Unconfirmed", Unconfirmed::TEXT),
        ("ChangedPage", ChangedPage::TEXT),
        ("AnyPage", AnyPage::TEXT),
        ("EveryPage", EveryPage::TEXT),
        ("UnclaimedPage", UnclaimedPage::TEXT),
        ("ChangedPagePair", ChangedPagePair::TEXT),
        ("AnyPagePair", AnyPagePair::TEXT),
        ("EveryPagePair", EveryPagePair::TEXT),
        ("UnclaimedPagePair", UnclaimedPagePair::TEXT),
        ("UnconfirmedCount", UnconfirmedCount::TEXT),
        ("ChangedCount", ChangedCount::TEXT),
        ("AnyCount", AnyCount::TEXT),
        ("EveryCount", EveryCount::TEXT),
        ("UnclaimedCount", UnclaimedCount::TEXT),
    ]
};
