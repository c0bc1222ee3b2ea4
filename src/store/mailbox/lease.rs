//! Leases of watchers: which mailboxes are to be watched, by whom, and what became of it.

use std::ops::ControlFlow;

use diesel::sql_types::BigInt;

use super::super::Store;
use super::super::error::StoreError;
use super::super::statement::{Bind, each, execute, statement};
use super::{MailboxRow, MailboxSql, mailbox, mailbox_columns};
use crate::sync::{AccountId, Mailbox, MailboxId, MailboxState};

/// How a watcher ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchOutcome {
    /// How it stands.
    pub state: MailboxState,
    /// What is wrong.
    pub why: Option<String>,
    /// When it is to be watched again; milliseconds since 1970.
    pub due: i64,
    /// Failures in a row.
    pub failures: i64,
    /// The account was told that its login is refused.
    pub told: bool,
}

statement!(
    ClaimMailboxes(MailboxSql) =
    ["UPDATE mailbox SET node = ?, due = ? WHERE (account, id) IN \
      (SELECT account, id FROM mailbox WHERE due <= ? ORDER BY due LIMIT 64) RETURNING " mailbox_columns!()]
    postgresql ["UPDATE mailbox SET node = ?, due = ? WHERE (account, id) IN \
      (SELECT account, id FROM mailbox WHERE due <= ? ORDER BY due LIMIT 64 FOR UPDATE SKIP LOCKED) \
      RETURNING " mailbox_columns!()]
);
statement!(
    NextDue((diesel::sql_types::Nullable<BigInt>,)) =
        "SELECT min(due) FROM mailbox WHERE due IS NOT NULL"
);
statement!(RenewAll(()) = "UPDATE mailbox SET due = ? WHERE node = ?");
statement!(Held((BigInt, BigInt)) = "SELECT account, id FROM mailbox WHERE node = ?");
statement!(
    Settle(()) = "UPDATE mailbox SET state = ?, since = CASE WHEN state = ? THEN since ELSE ? END, why = ?, due = ?, \
     failures = ?, told = ?, node = NULL WHERE account = ? AND id = ? AND node = ?"
);
statement!(
    Watched(()) = "UPDATE mailbox SET state = 2, since = CASE WHEN state = 2 THEN since ELSE ? END, why = NULL, \
     failures = 0, told = 0, checked = ? WHERE account = ? AND id = ? AND node = ?"
);
statement!(
    Uncarried((BigInt, BigInt)) = "SELECT m.account, m.id FROM mailbox m JOIN account a ON a.id = m.account \
     WHERE m.node = ? AND a.modseq > m.carried"
);
statement!(
    WithWanted((BigInt, BigInt)) = "SELECT DISTINCT m.account, m.id FROM mailbox m JOIN mirror_message r \
     ON r.account = m.account AND r.mailbox = m.id AND r.wanted = 1 WHERE m.node = ?"
);

impl Store {
    /// Takes mailboxes that are due, with a lease until then; nobody else gets them before that.
    pub fn claim_mailboxes(
        &self,
        node: &str,
        now: i64,
        lease_until: i64,
    ) -> Result<Vec<Mailbox>, StoreError> {
        if self.next_mailbox_due()?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let node = node.to_owned();
        let key = self.shared.key.clone();
        self.write(4096, move |connection| {
            let binds = [Bind::Text(&node), Bind::Int(lease_until), Bind::Int(now)];
            let mut claimed = Vec::new();
            each(connection, ClaimMailboxes, &binds, |row: MailboxRow| {
                claimed.push(mailbox(&key, row)?);
                Ok(ControlFlow::Continue(()))
            })?;
            Ok(claimed)
        })
    }

    /// When the next mailbox may be claimed, or the next lease ends; milliseconds since 1970. `None` if there is none.
    pub fn next_mailbox_due(&self) -> Result<Option<i64>, StoreError> {
        let due: Option<(Option<i64>,)> =
            super::super::statement::first(self.reader()?.connection()?, NextDue, &[])?;
        Ok(due.and_then(|(due,)| due))
    }

    /// Makes all leases of a node longer; gives what it still holds.
    pub fn renew_mailboxes(
        &self,
        node: &str,
        lease_until: i64,
    ) -> Result<Vec<MailboxId>, StoreError> {
        let node = node.to_owned();
        self.write(1024, move |connection| {
            execute(
                connection,
                RenewAll,
                &[Bind::Int(lease_until), Bind::Text(&node)],
            )?;
            ids(connection, Held, &node)
        })
    }

    /// Writes down how a watcher ended, and gives its lease back; nothing if the lease is another's.
    pub fn settle_mailbox(
        &self,
        node: &str,
        id: MailboxId,
        now: i64,
        outcome: WatchOutcome,
    ) -> Result<(), StoreError> {
        let node = node.to_owned();
        self.write(512, move |connection| {
            let state = Bind::Int(outcome.state.number());
            let binds = [
                state,
                state,
                Bind::Int(now),
                Bind::OptionalText(outcome.why.as_deref()),
                Bind::Int(outcome.due),
                Bind::Int(outcome.failures),
                Bind::Int(i64::from(outcome.told)),
                Bind::Int(id.account.0),
                Bind::Int(id.number),
                Bind::Text(&node),
            ];
            execute(connection, Settle, &binds).map(drop)
        })
    }

    /// The copy of a mailbox is right now. False: the lease is another's.
    pub fn mailbox_checked(&self, node: &str, id: MailboxId, now: i64) -> Result<bool, StoreError> {
        let node = node.to_owned();
        self.write(128, move |connection| {
            let binds = [
                Bind::Int(now),
                Bind::Int(now),
                Bind::Int(id.account.0),
                Bind::Int(id.number),
                Bind::Text(&node),
            ];
            Ok(execute(connection, Watched, &binds)? > 0)
        })
    }

    /// Mailboxes of this node whose accounts changed, or of which a device wants something.
    pub fn stirred_mailboxes(&self, node: &str) -> Result<Vec<MailboxId>, StoreError> {
        let mut reader = self.reader()?;
        let mut found = ids(reader.connection()?, Uncarried, node)?;
        found.extend(ids(reader.connection()?, WithWanted, node)?);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

fn ids<S>(
    connection: &mut super::super::connection::Database,
    sql: S,
    node: &str,
) -> Result<Vec<MailboxId>, StoreError>
where
    S: super::super::statement::Gives<(i64, i64)>,
{
    let mut found = Vec::new();
    each(connection, sql, &[Bind::Text(node)], |(account, number)| {
        found.push(MailboxId {
            account: AccountId(account),
            number,
        });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}
