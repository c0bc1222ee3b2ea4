//! The outbox from outside: asking for notifications, looking at them, cancelling, trying again, receipts, pruning.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Nullable, Text};

use super::super::Store;
use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::statement::{Bind, all, each, execute, first, statement};
use super::mail_rules;
use super::{
    NotificationRow, NotificationSql, event, insert, notification, notification_columns, now,
};
use crate::sync::{
    AccountId, Datastore, DeviceId, Notification, NotificationEvent, NotificationId,
    NotificationKind, NotificationState, PartReceipt, SubmittedPart,
};

/// What became of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotedReceipt {
    /// It is written down for this notification.
    Noted(NotificationId),
    /// A final word was there before.
    Known,
    /// Nothing that it could be for is written down: the gateway may be faster than we are.
    Unknown,
}

/// A notification that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNotification {
    /// Whose.
    pub account: AccountId,
    /// For whom.
    pub device: DeviceId,
    /// [`NotificationKind::Push`] or [`NotificationKind::Settings`].
    pub kind: NotificationKind,
    /// Which datastores it is about; none: those that the device has.
    pub wanted: Vec<Datastore>,
    /// What settings are made of.
    pub parameters: Option<Vec<u8>>,
    /// Who asked, for the history.
    pub asked_by: String,
}

statement!(ById(NotificationSql) =
    "SELECT " notification_columns!() " FROM notification WHERE account = ? AND id = ?");
statement!(OfAccount(NotificationSql) =
    "SELECT " notification_columns!() " FROM notification WHERE account = ? ORDER BY id DESC");
statement!(OfAll(NotificationSql) =
    "SELECT " notification_columns!() " FROM notification ORDER BY created DESC, account, id DESC");
statement!(
    Events((BigInt, BigInt, Text)) = "SELECT at, state, what FROM notification_event \
     WHERE account = ? AND notification = ? ORDER BY number"
);
statement!(
    Parts((BigInt, BigInt, Text, Nullable<Text>, BigInt, BigInt)) = "SELECT attempt, part, gateway, gateway_id, receipt, at \
     FROM submitted_part WHERE account = ? AND notification = ? ORDER BY attempt, part"
);
statement!(
    Cancel(()) = "UPDATE notification SET state = ?, due = NULL, node = NULL, finished = ?, why = ? \
     WHERE account = ? AND id = ? AND finished IS NULL"
);
statement!(
    Reopen(()) = "UPDATE notification SET state = 1, kind = CASE WHEN kind = 1 THEN 2 ELSE kind END, created = ?, due = ?, \
     node = NULL, finished = NULL, attempts = 0, used = 0, submitted = NULL, frozen = NULL, why = ? \
     WHERE account = ? AND id = ? AND finished IS NOT NULL"
);
statement!(
    HurryOne(()) = "UPDATE notification SET due = ?, attempts = 0, kind = CASE WHEN kind = 1 THEN 2 ELSE kind END \
     WHERE account = ? AND id = ? AND finished IS NULL AND state = 1 AND node IS NULL"
);
statement!(
    ReceiptById(()) = "UPDATE submitted_part SET receipt = ? WHERE gateway_id = ? AND gateway = ? AND receipt < 2"
);
statement!(
    OwnersOfId((BigInt, BigInt)) =
        "SELECT account, notification FROM submitted_part WHERE gateway_id = ? AND gateway = ?"
);
statement!(
    ReceiptByPart(()) = "UPDATE submitted_part SET receipt = ? WHERE account = ? AND notification = ? AND attempt = ? \
     AND part = ? AND receipt < 2"
);
statement!(
    PartIsThere((BigInt,)) = "SELECT CAST(1 AS BIGINT) FROM submitted_part WHERE account = ? AND notification = ? AND attempt = ? AND part = ?"
);
statement!(
    LookAgain(()) = "UPDATE notification SET stirred = 1, due = CASE WHEN node IS NULL THEN ? ELSE due END \
     WHERE account = ? AND id = ? AND finished IS NULL AND state = 3 AND (node IS NOT NULL OR due > ?)"
);
statement!(
    Old((BigInt, BigInt)) = "SELECT account, id FROM notification WHERE finished < ? LIMIT 200"
);
statement!(PendingCount((BigInt,)) = "SELECT count(*) FROM notification WHERE due IS NOT NULL");
statement!(
    DropEvents(()) = "DELETE FROM notification_event WHERE account = ? AND notification = ?"
);
statement!(DropParts(()) = "DELETE FROM submitted_part WHERE account = ? AND notification = ?");
statement!(DropNotification(()) = "DELETE FROM notification WHERE account = ? AND id = ?");
statement!(
    OfDevice((BigInt,)) = "SELECT id FROM notification WHERE account = ? AND device = ? LIMIT 500"
);
statement!(DropSpent(()) = "DELETE FROM spent_sms WHERE account = ? AND device = ?");
statement!(DropReach(()) = "DELETE FROM reach WHERE account = ? AND device = ?");
statement!(SomeOfAccount((BigInt,)) = "SELECT id FROM notification WHERE account = ? LIMIT 500");
statement!(DropAllSpent(()) = "DELETE FROM spent_sms WHERE account = ?");
statement!(DropAllReach(()) = "DELETE FROM reach WHERE account = ?");

impl Store {
    /// Puts a notification into the outbox; it is due at once.
    pub fn queue_notification(&self, new: NewNotification) -> Result<Notification, StoreError> {
        let key = self.shared.key.clone();
        let sealed = new
            .parameters
            .as_deref()
            .map(|parameters| key.seal(new.account, parameters))
            .transpose()?;
        let queued = self.write(512, move |connection| {
            let now = now();
            let parameters = sealed.as_deref();
            let (account, device) = (new.account, new.device);
            let id = insert(
                connection,
                account,
                device,
                new.kind,
                now,
                &new.wanted,
                parameters,
            )?;
            event(
                connection,
                id,
                now,
                NotificationState::Waiting,
                &new.asked_by,
            )?;
            by_id(connection, id)
        });
        self.wake();
        queued
    }

    /// A notification.
    pub fn notification(&self, id: NotificationId) -> Result<Notification, StoreError> {
        by_id(self.reader()?.connection()?, id)
    }

    /// Notifications of an account or of all, the newest first.
    pub fn notifications(
        &self,
        account: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Notification>, StoreError> {
        let mut found = Vec::new();
        let mut reader = self.reader()?;
        let connection = reader.connection()?;
        let take = |row: NotificationRow| {
            found.push(notification(row)?);
            Ok(if found.len() < limit {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            })
        };
        match account {
            Some(account) => each(connection, OfAccount, &[Bind::Int(account.0)], take)?,
            None => each(connection, OfAll, &[], take)?,
        }
        Ok(found)
    }

    /// How many notifications are not finished, over all accounts.
    pub fn open_notifications(&self) -> Result<u64, StoreError> {
        let row: Option<(i64,)> = first(self.reader()?.connection()?, PendingCount, &[])?;
        Ok(row.map_or(0, |(count,)| count.unsigned_abs()))
    }

    /// What happened with a notification, and the parts of it that gateways took.
    pub fn notification_history(
        &self,
        id: NotificationId,
    ) -> Result<(Vec<NotificationEvent>, Vec<SubmittedPart>), StoreError> {
        let mut reader = self.reader()?;
        let connection = reader.connection()?;
        let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
        let mut events = Vec::new();
        each(connection, Events, &binds, |row: (i64, i64, String)| {
            let state = NotificationState::from_number(row.1).unwrap_or_default();
            events.push(NotificationEvent {
                at: row.0,
                state,
                what: row.2,
            });
            Ok(ControlFlow::Continue(()))
        })?;
        let mut parts = Vec::new();
        type Row = (i64, i64, String, Option<String>, i64, i64);
        each(connection, Parts, &binds, |row: Row| {
            let (attempt, part, gateway, gateway_id, receipt, at) = row;
            parts.push(SubmittedPart {
                attempt,
                part: u8::try_from(part).unwrap_or(u8::MAX),
                gateway,
                gateway_id,
                receipt: PartReceipt::from_number(receipt),
                at,
            });
            Ok(ControlFlow::Continue(()))
        })?;
        Ok((events, parts))
    }

    /// Cancels a notification; false if it was finished before.
    pub fn cancel_notification(&self, id: NotificationId) -> Result<bool, StoreError> {
        self.write(0, move |connection| {
            let before = by_id(connection, id)?;
            let now = now();
            let why = match before.state {
                NotificationState::Sending => "cancelled while it was under way to a gateway",
                NotificationState::Sent => {
                    "cancelled after it was sent: its answer is not waited for"
                }
                _ => "cancelled",
            };
            let binds = [
                Bind::Int(NotificationState::Cancelled.number()),
                Bind::Int(now),
                Bind::Text(why),
                Bind::Int(id.account.0),
                Bind::Int(id.number),
            ];
            if execute(connection, Cancel, &binds)? == 0 {
                return Ok(false);
            }
            event(connection, id, now, NotificationState::Cancelled, why)?;
            Ok(true)
        })
    }

    /// Tries a finished notification once more, or one that waits at once; false if it is under way.
    pub fn retry_notification(&self, id: NotificationId) -> Result<bool, StoreError> {
        let retried = self.write(0, move |connection| {
            by_id(connection, id)?;
            let now = now();
            let why = "to be tried again";
            let (account, number) = (Bind::Int(id.account.0), Bind::Int(id.number));
            let reopen = [
                Bind::Int(now),
                Bind::Int(now),
                Bind::Text(why),
                account,
                number,
            ];
            if execute(connection, Reopen, &reopen)? == 0
                && execute(connection, HurryOne, &[Bind::Int(now), account, number])? == 0
            {
                return Ok(false);
            }
            event(connection, id, now, NotificationState::Waiting, why)?;
            Ok(true)
        });
        self.wake();
        retried
    }

    /// Notes what the network said of a part: by our own name (notification, attempt, part) or by the gateway's.
    /// A final word is not overwritten. It outlasts the process at once, the machine a moment later: without it the outbox waits
    /// for the phone's sync.
    pub fn note_receipt(
        &self,
        gateway: &str,
        named: Option<(NotificationId, i64, u8)>,
        gateway_id: Option<&str>,
        receipt: PartReceipt,
        text: &str,
    ) -> Result<NotedReceipt, StoreError> {
        let gateway = gateway.to_owned();
        let gateway_id = gateway_id.map(str::to_owned);
        let text = text.to_owned();
        let noted = self.write_soon(0, move |connection| {
            let word = Bind::Int(receipt.number());
            let (id, changed) = match (named, &gateway_id) {
                (Some((id, attempt, part)), _) => {
                    by_id(connection, id)?;
                    let binds = [
                        word,
                        Bind::Int(id.account.0),
                        Bind::Int(id.number),
                        Bind::Int(attempt),
                        Bind::Int(i64::from(part)),
                    ];
                    let mut changed = execute(connection, ReceiptByPart, &binds)?;
                    // A gateway that took a push as one says it once.
                    if let Some(gateway_id) = &gateway_id {
                        let binds = [word, Bind::Text(gateway_id), Bind::Text(&gateway)];
                        changed += execute(connection, ReceiptById, &binds)?;
                    }
                    let key = [
                        Bind::Int(id.account.0),
                        Bind::Int(id.number),
                        Bind::Int(attempt),
                        Bind::Int(i64::from(part)),
                    ];
                    let there: Option<(i64,)> = first(connection, PartIsThere, &key)?;
                    if changed == 0 && there.is_none() {
                        return Ok(NotedReceipt::Unknown);
                    }
                    (id, changed)
                }
                (None, Some(gateway_id)) => {
                    let key = [Bind::Text(gateway_id), Bind::Text(&gateway)];
                    let owner: Option<(i64, i64)> = first(connection, OwnersOfId, &key)?;
                    let Some((account, number)) = owner else {
                        return Ok(NotedReceipt::Unknown);
                    };
                    let account = AccountId(account);
                    let binds = [word, key[0], key[1]];
                    let changed = execute(connection, ReceiptById, &binds)?;
                    (NotificationId { account, number }, changed)
                }
                // Nobody can tell what it is for.
                (None, None) => return Ok(NotedReceipt::Known),
            };
            if changed == 0 {
                return Ok(NotedReceipt::Known);
            }
            let now = now();
            let current = by_id(connection, id)?.state;
            let what = format!("receipt from {gateway}: {}{text}", receipt.name());
            event(connection, id, now, current, &what)?;
            let now = Bind::Int(now);
            let binds = [now, Bind::Int(id.account.0), Bind::Int(id.number), now];
            execute(connection, LookAgain, &binds)?;
            Ok(NotedReceipt::Noted(id))
        });
        self.wake();
        noted
    }

    /// Removes notifications that were finished before that time; gives how many, at most 200.
    pub fn prune_notifications(&self, before: i64) -> Result<usize, StoreError> {
        self.write(0, move |connection| {
            let old: Vec<(i64, i64)> = all(connection, Old, &[Bind::Int(before)])?;
            for (account, number) in &old {
                drop_notification(connection, *account, *number)?;
            }
            Ok(old.len())
        })
    }
}

fn by_id(connection: &mut Database, id: NotificationId) -> Result<Notification, StoreError> {
    let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
    let row: Option<NotificationRow> = first(connection, ById, &binds)?;
    notification(row.ok_or(StoreError::NotFound)?)
}

fn drop_notification(
    connection: &mut Database,
    account: i64,
    number: i64,
) -> Result<(), StoreError> {
    let key = [Bind::Int(account), Bind::Int(number)];
    execute(connection, DropEvents, &key)?;
    execute(connection, DropParts, &key)?;
    execute(connection, DropNotification, &key).map(drop)
}

/// Takes away what the outbox has of a device; true if there is more.
pub(in crate::store) fn forget_device(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
) -> Result<bool, StoreError> {
    let key = [Bind::Int(account.0), Bind::Int(device.0)];
    let some: Vec<(i64,)> = all(connection, OfDevice, &key)?;
    for (number,) in &some {
        drop_notification(connection, account.0, *number)?;
    }
    execute(connection, DropSpent, &key)?;
    execute(connection, DropReach, &key)?;
    mail_rules::forget(connection, &key)?;
    Ok(!some.is_empty())
}

/// Takes away some of what the outbox has of an account; true if there is more.
pub(in crate::store) fn remove_account(
    connection: &mut Database,
    account: i64,
) -> Result<bool, StoreError> {
    let key = [Bind::Int(account)];
    let some: Vec<(i64,)> = all(connection, SomeOfAccount, &key)?;
    for (number,) in &some {
        drop_notification(connection, account, *number)?;
    }
    if some.is_empty() {
        execute(connection, DropAllSpent, &key)?;
        execute(connection, DropAllReach, &key)?;
        mail_rules::remove_account(connection, key[0])?;
    }
    Ok(!some.is_empty())
}
