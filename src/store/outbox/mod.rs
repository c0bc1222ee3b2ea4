//! The outbox: notifications, their leases, history, parts and budgets.
//!
//! - A commit that changes items marks the account's other devices that can be spoken to: one statement, whatever the
//!   number of items; it writes only if a device has no open notification for changes.
//! - A node claims what is due with a lease: until the lease ends, nobody else touches it. What a node that died had in its
//!   hands comes back when its lease ends. A node settles only what it still holds.

mod admin;
mod claim;
mod facts;
mod gateway;
mod mail_rules;
mod news;
mod reach;
mod settle;
#[cfg(test)]
mod tests;

pub use admin::{NewNotification, NotedReceipt};
pub use facts::NotificationFacts;
pub use gateway::GatewayNote;
pub use mail_rules::StoredMailRules;
pub use news::News;
pub use reach::DeviceKey;
pub use settle::{Settlement, Submission};

pub(super) use admin::{forget_device, remove_account};

use diesel::sql_types::{BigInt, Nullable, Text};

use super::connection::Database;
use super::error::StoreError;
use super::row;
use super::statement::{Bind, all, execute, first, statement};
use crate::sync::{
    AccountId, Datastore, DeviceId, Modseq, Notification, NotificationId, NotificationKind,
    NotificationState,
};

macro_rules! notification_columns {
    () => {
        "account, id, device, kind, state, created, due, node, finished, attempts, used, gateway, submitted, \
         told_modseq, told, wanted, why"
    };
}
use notification_columns;

pub(super) type NotificationSql = (
    (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt),
    (Nullable<BigInt>, Nullable<Text>, Nullable<BigInt>),
    (BigInt, BigInt),
    (Nullable<Text>, Nullable<BigInt>, Nullable<BigInt>),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>),
);
pub(super) type NotificationRow = (
    (i64, i64, i64, i64, i64, i64),
    (Option<i64>, Option<String>, Option<i64>),
    (i64, i64),
    (Option<String>, Option<i64>, Option<i64>),
    (Option<String>, Option<String>, Option<String>),
);

fn notification(row: NotificationRow) -> Result<Notification, StoreError> {
    let (
        (account, number, device, kind, state, created),
        (due, node, finished),
        (attempts, used),
        (gateway, submitted, told_modseq),
        (told, wanted, why),
    ) = row;
    let corrupt = |what: &str| StoreError::Corrupt(format!("a notification has an unknown {what}"));
    let state = NotificationState::from_number(state).ok_or_else(|| corrupt("state"))?;
    Ok(Notification {
        id: NotificationId {
            account: AccountId(account),
            number,
        },
        device: DeviceId(device),
        kind: NotificationKind::from_number(kind).ok_or_else(|| corrupt("kind"))?,
        // That somebody holds it is in the lease alone.
        state: match (state, &node) {
            (NotificationState::Waiting, Some(_)) => NotificationState::Sending,
            (state, _) => state,
        },
        created,
        due,
        node,
        finished,
        attempts,
        used,
        gateway,
        submitted,
        told_modseq: Modseq(told_modseq.unwrap_or(0)),
        told: datastores(told.as_deref())?,
        wanted: datastores(wanted.as_deref())?,
        why,
    })
}

/// Numbers of datastores, with commas.
fn datastores(text: Option<&str>) -> Result<Vec<Datastore>, StoreError> {
    text.unwrap_or_default()
        .split(',')
        .filter(|number| !number.is_empty())
        .map(|number| row::datastore(number.parse().unwrap_or(0)))
        .collect()
}

fn datastore_list(datastores: &[Datastore]) -> Option<String> {
    let numbers: Vec<String> = datastores
        .iter()
        .map(|datastore| datastore.number().to_string())
        .collect();
    (!numbers.is_empty()).then(|| numbers.join(","))
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_millis()).ok())
        .unwrap_or_default()
}

statement!(
    /// Devices that can be spoken to, have synchronised (or are told in texts, and never do), and have no open notification
    /// for changes.
    Unmarked((BigInt,)) = "SELECT d.id FROM device d LEFT JOIN reach r ON r.account = d.account AND r.device = d.id \
     WHERE d.account = ? AND d.id <> ? \
     AND (d.msisdn IS NOT NULL OR r.connected > 0 OR r.channels IS NOT NULL) AND coalesce(r.channels, '') <> 'none' \
     AND (r.form IN ('emn', 'si', 'sl') OR EXISTS (SELECT 1 FROM \"view\" v \
     WHERE v.account = d.account AND v.device = d.id AND v.base IS NOT NULL)) \
     AND NOT EXISTS (SELECT 1 FROM notification n WHERE n.account = d.account AND n.device = d.id \
     AND n.finished IS NULL AND n.kind = 1)"
);
statement!(
    NextNotification((BigInt,)) = "UPDATE account SET next_notification = next_notification + 1 WHERE id = ? \
     RETURNING next_notification - 1"
);
statement!(
    InsertNotification(()) = "INSERT INTO notification (account, id, device, kind, state, created, due, wanted, parameters) \
     VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?)"
);
statement!(
    PutEvent(()) = "INSERT INTO notification_event (account, notification, number, at, state, what) \
     SELECT ?, ?, coalesce(max(number), 0) + 1, ?, ?, ? FROM notification_event WHERE account = ? AND notification = ?"
);
statement!(
    /// One that a node has in its hands is looked at again when it is put down.
    Hurry(()) = "UPDATE notification SET stirred = 1, due = CASE WHEN node IS NULL THEN ? ELSE due END \
     WHERE account = ? AND device = ? AND finished IS NULL AND (node IS NOT NULL OR due > ?)"
);

statement!(
    HurryChanges(()) = "UPDATE notification SET stirred = 1, due = CASE WHEN node IS NULL THEN ? ELSE due END \
     WHERE account = ? AND finished IS NULL AND state = 1 AND kind = 1 AND (node IS NOT NULL OR due > ?)"
);

/// There is mail: what waits is looked at, for one mail can be more urgent than another.
pub(super) fn mail_came(connection: &mut Database, account: AccountId) -> Result<(), StoreError> {
    let now = Bind::Int(now());
    execute(connection, HurryChanges, &[now, Bind::Int(account.0), now]).map(drop)
}

/// Items of the account changed, written by `origin` or by nobody's device: the other devices are to hear of it.
pub(super) fn mark(
    connection: &mut Database,
    account: AccountId,
    origin: Option<DeviceId>,
) -> Result<(), StoreError> {
    let origin = origin.map_or(0, |device| device.0);
    let binds = [Bind::Int(account.0), Bind::Int(origin)];
    let devices: Vec<(i64,)> = all(connection, Unmarked, &binds)?;
    if devices.is_empty() {
        return Ok(());
    }
    let now = now();
    for (device,) in devices {
        insert(
            connection,
            account,
            DeviceId(device),
            NotificationKind::Change,
            now,
            &[],
            None,
        )?;
    }
    Ok(())
}

/// A session of the device ended: what waits for that is looked at.
pub(super) fn session_ended(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
) -> Result<(), StoreError> {
    let now = Bind::Int(now());
    let binds = [now, Bind::Int(account.0), Bind::Int(device.0), now];
    execute(connection, Hurry, &binds).map(drop)
}

fn insert(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
    kind: NotificationKind,
    now: i64,
    wanted: &[Datastore],
    parameters: Option<&[u8]>,
) -> Result<NotificationId, StoreError> {
    let row: Option<(i64,)> = first(connection, NextNotification, &[Bind::Int(account.0)])?;
    let (number,) = row.ok_or(StoreError::NotFound)?;
    let wanted = datastore_list(wanted);
    let binds = [
        Bind::Int(account.0),
        Bind::Int(number),
        Bind::Int(device.0),
        Bind::Int(kind.number()),
        Bind::Int(now),
        Bind::Int(now),
        Bind::OptionalText(wanted.as_deref()),
        Bind::OptionalBlob(parameters),
    ];
    execute(connection, InsertNotification, &binds)?;
    Ok(NotificationId { account, number })
}

fn event(
    connection: &mut Database,
    id: NotificationId,
    now: i64,
    state: NotificationState,
    what: &str,
) -> Result<(), StoreError> {
    let (account, number) = (Bind::Int(id.account.0), Bind::Int(id.number));
    let binds = [
        account,
        number,
        Bind::Int(now),
        Bind::Int(state.number()),
        Bind::Text(what),
        account,
        number,
    ];
    execute(connection, PutEvent, &binds).map(drop)
}
