//! Mailboxes, the leases of their watchers, and the books of what is mirrored.
//!
//! A watcher's commit has the items and the books in one transaction, and is refused when its lease is another node's: so
//! a message becomes one item, whoever looks at it how often.

mod back;
mod lease;
mod mirror;
#[cfg(test)]
mod tests;

pub(super) use back::{Back, bring};
pub use lease::WatchOutcome;

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::Store;
use super::connection::Database;
use super::error::StoreError;
use super::outbox::now;
use super::statement::{Bind, all, each, execute, first, statement};
use crate::secret::KeyFile;
use crate::sync::{AccountId, Mailbox, MailboxId, MailboxKind, MailboxState, Modseq, Secret};

/// Mailboxes of one account at most.
pub const MAX_MAILBOXES: usize = 16;

macro_rules! mailbox_columns {
    () => {
        "account, id, kind, state, address, settings, created, since, checked, why, failures, told, carried"
    };
}
use mailbox_columns;

pub(super) type MailboxSql = (
    (BigInt, BigInt, BigInt, BigInt),
    (Text, Binary),
    (BigInt, BigInt, BigInt),
    (Nullable<Text>, BigInt, BigInt, BigInt),
);
pub(super) type MailboxRow = (
    (i64, i64, i64, i64),
    (String, Vec<u8>),
    (i64, i64, i64),
    (Option<String>, i64, i64, i64),
);

fn mailbox(key: &KeyFile, row: MailboxRow) -> Result<Mailbox, StoreError> {
    let (
        (account, number, kind, state),
        (address, sealed),
        (created, since, checked),
        (why, failures, told, carried),
    ) = row;
    let account = AccountId(account);
    let settings = key.open(account, &sealed)?;
    let corrupt = |what: &str| StoreError::Corrupt(format!("a mailbox has unknown {what}"));
    Ok(Mailbox {
        id: MailboxId { account, number },
        kind: MailboxKind::from_number(kind).ok_or_else(|| corrupt("kind"))?,
        address,
        settings: Secret(String::from_utf8(settings).map_err(|_| corrupt("settings"))?),
        created,
        state: MailboxState::from_number(state).ok_or_else(|| corrupt("state"))?,
        since,
        checked,
        why,
        failures,
        told: told != 0,
        carried: Modseq(carried),
    })
}

statement!(ById(MailboxSql) =
    "SELECT " mailbox_columns!() " FROM mailbox WHERE account = ? AND id = ?");
statement!(OfAccount(MailboxSql) =
    "SELECT " mailbox_columns!() " FROM mailbox WHERE account = ? ORDER BY id");
statement!(LocalByAddress(MailboxSql) =
    "SELECT " mailbox_columns!() " FROM mailbox WHERE address = ? AND kind = 1");
statement!(
    NextMailbox((BigInt,)) = "UPDATE account SET next_mailbox = next_mailbox + 1 WHERE id = ? AND name IS NOT NULL \
     RETURNING next_mailbox - 1"
);
statement!(
    /// Local ones are never due.
    States((BigInt, BigInt)) =
        "SELECT state, count(*) FROM mailbox WHERE due IS NOT NULL GROUP BY state ORDER BY state"
);
statement!(CountOf((BigInt,)) = "SELECT count(*) FROM mailbox WHERE account = ?");
statement!(
    Insert(()) = "INSERT INTO mailbox (account, id, kind, address, settings, created, due, since, carried) \
     SELECT id, ?, ?, ?, ?, ?, ?, ?, modseq FROM account WHERE id = ?"
);
statement!(
    SetSettings(()) = "UPDATE mailbox SET settings = ?, due = ?, node = NULL, failures = 0, told = 0, why = NULL \
     WHERE account = ? AND id = ?"
);
statement!(DropMessages(()) = "DELETE FROM mirror_message WHERE account = ? AND mailbox = ?");
statement!(DropFolders(()) = "DELETE FROM mirror_folder WHERE account = ? AND mailbox = ?");
statement!(DropMailbox(()) = "DELETE FROM mailbox WHERE account = ? AND id = ?");
statement!(DropAllMessages(()) = "DELETE FROM mirror_message WHERE account = ?");
statement!(DropAllFolders(()) = "DELETE FROM mirror_folder WHERE account = ?");
statement!(DropAllMailboxes(()) = "DELETE FROM mailbox WHERE account = ?");

impl Store {
    /// Adds a mailbox; one that is not local is due to be watched at once. `settings` is sealed.
    /// [`StoreError::Exists`]: another account has this address as a local one.
    pub fn add_mailbox(
        &self,
        account: AccountId,
        kind: MailboxKind,
        address: &str,
        settings: &Secret,
    ) -> Result<Mailbox, StoreError> {
        let key = self.shared.key.clone();
        let sealed = key.seal(account, settings.0.as_bytes())?;
        let address = address.to_lowercase();
        self.write(1024, move |connection| {
            let count: Option<(i64,)> = first(connection, CountOf, &[Bind::Int(account.0)])?;
            if count.is_some_and(|(count,)| count >= MAX_MAILBOXES as i64) {
                return Err(StoreError::Full);
            }
            let row: Option<(i64,)> = first(connection, NextMailbox, &[Bind::Int(account.0)])?;
            let (number,) = row.ok_or(StoreError::NotFound)?;
            let now = now();
            let binds = [
                Bind::Int(number),
                Bind::Int(kind.number()),
                Bind::Text(&address),
                Bind::Blob(&sealed),
                Bind::Int(now),
                Bind::OptionalInt((kind != MailboxKind::Local).then_some(now)),
                Bind::Int(now),
                Bind::Int(account.0),
            ];
            execute(connection, Insert, &binds)?;
            by_id(connection, &key, MailboxId { account, number })
        })
    }

    /// A mailbox.
    pub fn mailbox(&self, id: MailboxId) -> Result<Mailbox, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        by_id(reader.connection()?, &key, id)
    }

    /// The mailboxes of an account, in the order in which they were added.
    pub fn mailboxes(&self, account: AccountId) -> Result<Vec<Mailbox>, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        let mut found = Vec::new();
        each(
            reader.connection()?,
            OfAccount,
            &[Bind::Int(account.0)],
            |row: MailboxRow| {
                found.push(mailbox(&key, row)?);
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(found)
    }

    /// How many mailboxes that are to be watched are in each state, over all accounts.
    pub fn mailbox_states(&self) -> Result<Vec<(MailboxState, u64)>, StoreError> {
        let mut reader = self.reader()?;
        let rows: Vec<(i64, i64)> = all(reader.connection()?, States, &[])?;
        let state = |(state, count): (i64, i64)| {
            Some((MailboxState::from_number(state)?, count.unsigned_abs()))
        };
        Ok(rows.into_iter().filter_map(state).collect())
    }

    /// The local mailbox with this address, in any case.
    pub fn local_mailbox(&self, address: &str) -> Result<Option<Mailbox>, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        let address = address.to_lowercase();
        let row: Option<MailboxRow> = first(
            reader.connection()?,
            LocalByAddress,
            &[Bind::Text(&address)],
        )?;
        row.map(|row| mailbox(&key, row)).transpose()
    }

    /// Changes how a mailbox is reached; it is due to be watched at once, and whoever watches it loses the lease.
    pub fn set_mailbox(&self, id: MailboxId, settings: &Secret) -> Result<(), StoreError> {
        let sealed = self.shared.key.seal(id.account, settings.0.as_bytes())?;
        self.write(1024, move |connection| {
            let binds = [
                Bind::Blob(&sealed),
                Bind::Int(now()),
                Bind::Int(id.account.0),
                Bind::Int(id.number),
            ];
            match execute(connection, SetSettings, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }

    /// Forgets a mailbox. The items that came from it stay.
    pub fn remove_mailbox(&self, id: MailboxId) -> Result<(), StoreError> {
        self.write(1024, move |connection| {
            let key = [Bind::Int(id.account.0), Bind::Int(id.number)];
            execute(connection, DropMessages, &key)?;
            execute(connection, DropFolders, &key)?;
            match execute(connection, DropMailbox, &key)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }
}

fn by_id(connection: &mut Database, key: &KeyFile, id: MailboxId) -> Result<Mailbox, StoreError> {
    let binds = [Bind::Int(id.account.0), Bind::Int(id.number)];
    let row: Option<MailboxRow> = first(connection, ById, &binds)?;
    mailbox(key, row.ok_or(StoreError::NotFound)?)
}

/// Takes away what an account that is being removed has of these.
pub(super) fn remove_account(connection: &mut Database, account: i64) -> Result<(), StoreError> {
    let key = [Bind::Int(account)];
    execute(connection, DropAllMessages, &key)?;
    execute(connection, DropAllFolders, &key)?;
    execute(connection, DropAllMailboxes, &key).map(drop)
}
