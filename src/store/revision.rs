//! Versions of items that are no longer: kept with each write, read by their number.
//!
//! A mail is large, and most writes of it are marks and moves. So the version before one of those is kept without its message, which is that of
//! the version after it. Older versions rest on newer ones, and are taken away before them.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary};

use super::connection::Database;
use super::error::StoreError;
use super::row::{self, MetaRow, MetaSql, meta_columns};
use super::statement::{Bind, each, execute, first, statement};
use crate::content::email::Mail;
use crate::sync::{AccountId, Item, ItemId, Modseq};

statement!(
    Keep(()) = "INSERT INTO revision (account, item, modseq, datastore, deleted, format, digest, match_key, \
     updated, origin, replaced_at, folder, body, original) \
     SELECT account, id, modseq, datastore, deleted, format, digest, match_key, updated, origin, ?, \
     folder, body, original FROM item WHERE account = ? AND id = ?"
);
statement!(
    /// Without its message. Kind 5 is a mail.
    KeepState(()) = "INSERT INTO revision (account, item, modseq, datastore, deleted, format, digest, match_key, \
     updated, origin, replaced_at, folder, body, original, whole) \
     SELECT account, id, modseq, datastore, deleted, format, digest, match_key, updated, origin, ?, \
     folder, CASE WHEN kind = 5 THEN ? ELSE body END, original, CASE WHEN kind = 5 THEN 0 ELSE 1 END \
     FROM item WHERE account = ? AND id = ?"
);
statement!(
    BodyOf((BigInt, Binary)) =
        "SELECT coalesce(kind, 0), body FROM item WHERE account = ? AND id = ?"
);
statement!(Current((MetaSql, Binary)) =
    "SELECT " meta_columns!() ", i.body FROM item i WHERE i.account = ? AND i.id = ? AND i.modseq <= ?");
statement!(
    Older((MetaSql, BigInt, Binary)) = "SELECT i.item, i.datastore, i.modseq, i.deleted, i.format, i.digest, i.match_key, \
     i.updated, coalesce(i.folder, 0), i.modseq, i.whole, i.body FROM revision i \
     WHERE i.account = ? AND i.item = ? AND i.modseq <= ? ORDER BY i.modseq DESC LIMIT 1"
);
statement!(
    Newer((BigInt, Binary)) = "SELECT whole, body FROM revision WHERE account = ? AND item = ? AND modseq > ? \
                               ORDER BY modseq"
);

/// Number of a mail's kind: see `row::kind_number`.
const MAIL: i64 = 5;

/// Keeps an item as it is, before it is written. `next` is the body that it is to have; `None` if that stays. `now`: seconds since 1970.
pub(super) fn keep(
    connection: &mut Database,
    account: Bind<'_>,
    item: ItemId,
    now: i64,
    next: Option<&[u8]>,
) -> Result<(), StoreError> {
    let id = Bind::Int(item.0);
    let state = match next {
        None => Some(Vec::new()),
        Some(next) if Mail::state(next).is_ok() => {
            let before: Option<(i64, Vec<u8>)> = first(connection, BodyOf, &[account, id])?;
            before.and_then(|(kind, before)| state_alone(kind, &before, next))
        }
        Some(_) => None,
    };
    let kept = match &state {
        Some(state) => execute(
            connection,
            KeepState,
            &[Bind::Int(now), Bind::Blob(state), account, id],
        )?,
        None => execute(connection, Keep, &[Bind::Int(now), account, id])?,
    };
    match kept {
        0 => Err(StoreError::NotFound),
        _ => Ok(()),
    }
}

/// What stands before the message of a mail, if the next version has the same message.
fn state_alone(kind: i64, before: &[u8], next: &[u8]) -> Option<Vec<u8>> {
    let message = |body: &[u8]| Mail::state(body).ok().map(|(_, begin)| begin);
    let (begin, next_begin) = (message(before)?, message(next)?);
    let same = kind == MAIL && before.get(begin..)? == next.get(next_begin..)?;
    same.then(|| before[..begin].to_vec())
}

/// The newest kept version of an item that is not newer than the number.
pub(super) fn version(
    connection: &mut Database,
    account: AccountId,
    id: ItemId,
    modseq: Modseq,
) -> Result<Option<Item>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(id.0), Bind::Int(modseq.0)];
    let current: Option<(MetaRow, Vec<u8>)> = first(connection, Current, &binds)?;
    if let Some((meta, body)) = current {
        return row::item(meta, Some(body)).map(Some);
    }
    let older: Option<(MetaRow, i64, Vec<u8>)> = first(connection, Older, &binds)?;
    let Some((meta, whole, body)) = older else {
        return Ok(None);
    };
    let at = Modseq(meta.2);
    let body = match whole {
        0 => completed(connection, account, id, at, body)?,
        _ => Some(body),
    };
    body.map(|body| row::item(meta, Some(body))).transpose()
}

/// The body of a version that was kept without its message; `None` if what it rests on is not kept any more.
fn completed(
    connection: &mut Database,
    account: AccountId,
    id: ItemId,
    at: Modseq,
    state: Vec<u8>,
) -> Result<Option<Vec<u8>>, StoreError> {
    let key = [Bind::Int(account.0), Bind::Int(id.0), Bind::Int(at.0)];
    let mut state = state;
    let mut found = None;
    each(connection, Newer, &key, |(whole, body): (i64, Vec<u8>)| {
        if whole == 0 {
            // The first that is not empty says what stands before the message.
            if state.is_empty() {
                state = body;
            }
            return Ok(ControlFlow::Continue(()));
        }
        found = Some(body);
        Ok(ControlFlow::Break(()))
    })?;
    if found.is_none() {
        let current: Option<(i64, Vec<u8>)> = first(connection, BodyOf, &key[..2])?;
        found = current.map(|(_, body)| body);
    }
    let Some(body) = found else {
        return Ok(None);
    };
    if state.is_empty() {
        return Ok(Some(body));
    }
    let begin = Mail::state(&body).ok().map(|(_, begin)| begin);
    let message = begin.and_then(|begin| body.get(begin..));
    Ok(message.map(|message| [state.as_slice(), message].concat()))
}

#[cfg(test)]
statement!(
    Octets((BigInt,)) = "SELECT CAST(coalesce(sum(length(body)), 0) AS BIGINT) FROM revision WHERE account = ? AND item = ?"
);

/// Octets that older versions of an item have.
#[cfg(test)]
pub(super) fn octets(
    connection: &mut Database,
    account: AccountId,
    id: ItemId,
) -> Result<i64, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(id.0)];
    let row: Option<(i64,)> = first(connection, Octets, &binds)?;
    Ok(row.map_or(0, |(octets,)| octets))
}
