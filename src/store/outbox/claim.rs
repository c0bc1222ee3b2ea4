//! Leases: what is due, who has it, and for how long.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Nullable};

use super::super::Store;
use super::super::error::StoreError;
use super::super::statement::{Bind, each, execute, first, statement};
use super::{NotificationRow, NotificationSql, notification, notification_columns};
use crate::sync::{Notification, NotificationId};

/// Notifications that one claim takes at most; the text of the statement has it.
pub(super) const CLAIM: usize = 64;

statement!(
    Claim(NotificationSql) =
    ["UPDATE notification SET node = ?, due = ?, stirred = 0 WHERE (account, id) IN \
      (SELECT account, id FROM notification WHERE due <= ? ORDER BY due LIMIT 64) RETURNING " notification_columns!()]
    postgresql ["UPDATE notification SET node = ?, due = ?, stirred = 0 WHERE (account, id) IN \
      (SELECT account, id FROM notification WHERE due <= ? ORDER BY due LIMIT 64 FOR UPDATE SKIP LOCKED) \
      RETURNING " notification_columns!()]
);
statement!(NextDue((Nullable<BigInt>,)) = "SELECT min(due) FROM notification WHERE due IS NOT NULL");
statement!(Renew(()) = "UPDATE notification SET due = ? WHERE account = ? AND id = ? AND node = ?");
statement!(
    Release(()) =
        "UPDATE notification SET due = ?, node = NULL WHERE account = ? AND id = ? AND node = ?"
);

impl Store {
    /// When the next notification is due, milliseconds since 1970; `None` if none waits.
    pub fn next_notification_due(&self) -> Result<Option<i64>, StoreError> {
        let row: Option<(Option<i64>,)> = first(self.reader()?.connection()?, NextDue, &[])?;
        Ok(row.and_then(|(due,)| due))
    }

    /// Takes what is due, as many as one claim takes, with a lease until then. Nobody else gets it before that.
    pub fn claim_notifications(
        &self,
        node: &str,
        now: i64,
        lease_until: i64,
    ) -> Result<Vec<Notification>, StoreError> {
        let node = node.to_owned();
        self.write_soon(CLAIM * 64, move |connection| {
            let binds = [Bind::Text(&node), Bind::Int(lease_until), Bind::Int(now)];
            let mut claimed = Vec::new();
            each(connection, Claim, &binds, |row: NotificationRow| {
                claimed.push(notification(row)?);
                Ok(ControlFlow::Continue(()))
            })?;
            claimed.sort_by_key(|claimed| (claimed.created, claimed.id));
            Ok(claimed)
        })
    }

    /// Makes leases of a node longer.
    pub fn renew_notifications(
        &self,
        node: &str,
        ids: Vec<NotificationId>,
        lease_until: i64,
    ) -> Result<(), StoreError> {
        let node = node.to_owned();
        self.write_soon(ids.len() * 32, move |connection| {
            for id in &ids {
                let binds = [
                    Bind::Int(lease_until),
                    Bind::Int(id.account.0),
                    Bind::Int(id.number),
                    Bind::Text(&node),
                ];
                execute(connection, Renew, &binds)?;
            }
            Ok(())
        })
    }

    /// Gives leases back: the notifications are due at that time again.
    pub fn release_notifications(
        &self,
        node: &str,
        ids: Vec<NotificationId>,
        due: i64,
    ) -> Result<(), StoreError> {
        let node = node.to_owned();
        self.write_soon(ids.len() * 32, move |connection| {
            for id in &ids {
                let binds = [
                    Bind::Int(due),
                    Bind::Int(id.account.0),
                    Bind::Int(id.number),
                    Bind::Text(&node),
                ];
                execute(connection, Release, &binds)?;
            }
            Ok(())
        })
    }
}
