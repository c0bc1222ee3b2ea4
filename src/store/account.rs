//! Administration of accounts.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary};

use super::connection::Database;
use super::error::StoreError;
use super::load::{self, AccountRow, AccountSql};
use super::statement::{Bind, each, execute, first, statement};
use super::{Store, announcement, mailbox, now, outbox, rest, submission};
use crate::secret::KeyFile;
use crate::sync::{Account, AccountId, Conflicts, Datastore, Secret};

// A step of a removal takes away 2000 rows.

statement!(
    AnySealed((BigInt, Binary)) = "SELECT id, password FROM account WHERE name IS NOT NULL LIMIT 1"
);
statement!(
    InsertAccount((BigInt,)) =
        "INSERT INTO account (name, password, created) VALUES (?, ?, ?) RETURNING id"
);
statement!(SetPassword(()) = "UPDATE account SET password = ? WHERE id = ? AND name IS NOT NULL");
statement!(SetConflicts(()) = "UPDATE account SET conflicts = ? WHERE id = ? AND name IS NOT NULL");
statement!(
    InsertFolder(()) = "INSERT INTO folder (account, id, datastore, name, modseq, uid_validity, next_uid) \
     VALUES (?, ?, ?, ?, 0, ?, 1)"
);
statement!(
    Accounts(AccountSql) = "SELECT id, name, password, modseq, next_item, created, conflicts FROM account \
     WHERE name IS NOT NULL ORDER BY name"
);
statement!(Unname(()) = "UPDATE account SET name = NULL, password = ? WHERE id = ?");
statement!(Unnamed((BigInt,)) = "SELECT id FROM account WHERE name IS NULL LIMIT 1");
statement!(RemoveAccount(()) = "DELETE FROM account WHERE id = ? AND name IS NULL");

statement!(
    RemoveEntries(()) = "DELETE FROM entry WHERE account = ? AND (device, view, item) IN \
     (SELECT device, view, item FROM entry WHERE account = ? LIMIT 2000)"
);
statement!(
    RemoveRevisions(()) = "DELETE FROM revision WHERE account = ? AND (item, modseq) IN \
     (SELECT item, modseq FROM revision WHERE account = ? LIMIT 2000)"
);
statement!(
    RemoveItems(()) = "DELETE FROM item WHERE account = ? AND id IN (SELECT id FROM item WHERE account = ? LIMIT 2000)"
);
statement!(RemoveViews(()) = "DELETE FROM \"view\" WHERE account = ?");
statement!(RemoveSessions(()) = "DELETE FROM session WHERE account = ?");
statement!(
    RemoveRecordedMessages(()) = "DELETE FROM recorded_message WHERE account = ? AND (recording, number) IN \
     (SELECT recording, number FROM recorded_message WHERE account = ? LIMIT 200)"
);
statement!(RemoveRecordings(()) = "DELETE FROM recording WHERE account = ?");
statement!(RemoveFolders(()) = "DELETE FROM folder WHERE account = ?");
statement!(RemoveDevices(()) = "DELETE FROM device WHERE account = ?");

/// A sealed password of some account, to try a key on.
pub(super) fn any_sealed(
    connection: &mut Database,
) -> Result<Option<(AccountId, Vec<u8>)>, StoreError> {
    let row: Option<(i64, Vec<u8>)> = first(connection, AnySealed, &[])?;
    Ok(row.map(|(id, password)| (AccountId(id), password)))
}

impl Store {
    /// Adds an account with its folders. [`StoreError::Exists`] if the name is taken.
    pub fn add_account(&self, name: &str, password: &Secret) -> Result<Account, StoreError> {
        let key = self.shared.key.clone();
        let account = Account {
            name: name.into(),
            password: password.clone(),
            created: now(),
            ..Account::default()
        };
        self.write(0, move |connection| {
            insert_account(connection, &key, account.clone())
        })
    }

    /// The account of a name.
    pub fn account(&self, name: &str) -> Result<Account, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        load::account_by_name(reader.connection()?, &key, name)?.ok_or(StoreError::NotFound)
    }

    /// The account of an id.
    pub fn account_by_id(&self, id: AccountId) -> Result<Account, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        load::account_by_id(reader.connection()?, &key, id)?.ok_or(StoreError::NotFound)
    }

    /// All accounts, by name.
    pub fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        let mut accounts = Vec::new();
        each(reader.connection()?, Accounts, &[], |row: AccountRow| {
            accounts.push(load::account(&key, row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(accounts)
    }

    /// Sets the password.
    pub fn set_password(&self, account: AccountId, password: &Secret) -> Result<(), StoreError> {
        let sealed = self.shared.key.seal(account, password.0.as_bytes())?;
        self.write(0, move |connection| {
            let binds = [Bind::Blob(&sealed), Bind::Int(account.0)];
            match execute(connection, SetPassword, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }

    /// Sets the account's own conflict policies.
    pub fn set_conflicts(
        &self,
        account: AccountId,
        conflicts: &Conflicts,
    ) -> Result<(), StoreError> {
        let text = conflicts.to_string();
        self.write(0, move |connection| {
            let binds = [Bind::Text(&text), Bind::Int(account.0)];
            match execute(connection, SetConflicts, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }

    /// Removes an account with all that it has, in many small transactions. The first hides it and frees its name; if
    /// the program ends before the last, the next removal of any account finishes the work.
    pub fn remove_account(&self, account: AccountId) -> Result<(), StoreError> {
        self.write(0, move |connection| {
            let binds = [Bind::Blob(&[]), Bind::Int(account.0)];
            match execute(connection, Unname, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })?;
        while self.write(0, remove_step)? {}
        Ok(())
    }
}

fn insert_account(
    connection: &mut Database,
    key: &KeyFile,
    mut account: Account,
) -> Result<Account, StoreError> {
    let binds = [
        Bind::Text(&account.name),
        Bind::Blob(&[]),
        Bind::Int(account.created),
    ];
    let row: Option<(i64,)> = first(connection, InsertAccount, &binds)?;
    let (id,) = row.ok_or(StoreError::NotFound)?;
    account.id = AccountId(id);
    account.next_item = crate::sync::ItemId(1);
    let sealed = key.seal(account.id, account.password.0.as_bytes())?;
    execute(
        connection,
        SetPassword,
        &[Bind::Blob(&sealed), Bind::Int(id)],
    )?;
    for datastore in Datastore::ALL {
        // An agenda is a view of two others.
        if datastore.collections() != [datastore] {
            continue;
        }
        let number = Bind::Int(i64::from(datastore.number()));
        let binds = [
            Bind::Int(id),
            number,
            number,
            Bind::Text(datastore.name()),
            Bind::Int(account.created),
        ];
        execute(connection, InsertFolder, &binds)?;
    }
    Ok(account)
}

/// Takes away some rows of an account that is being removed; false when there is no such account.
fn remove_step(connection: &mut Database) -> Result<bool, StoreError> {
    let row: Option<(i64,)> = first(connection, Unnamed, &[])?;
    let Some((number,)) = row else {
        return Ok(false);
    };
    let account = Bind::Int(number);
    let some = [account, account];
    if execute(connection, RemoveEntries, &some)? > 0
        || execute(connection, RemoveRevisions, &some)? > 0
        || execute(connection, RemoveItems, &some)? > 0
        || outbox::remove_account(connection, number)?
        || submission::remove_account(connection, number)?
        || execute(connection, RemoveRecordedMessages, &some)? > 0
    {
        return Ok(true);
    }
    announcement::remove_account(connection, account)?;
    rest::remove_account(connection, account)?;
    mailbox::remove_account(connection, number)?;
    execute(connection, RemoveViews, &[account])?;
    execute(connection, RemoveSessions, &[account])?;
    execute(connection, RemoveRecordings, &[account])?;
    execute(connection, RemoveFolders, &[account])?;
    execute(connection, RemoveDevices, &[account])?;
    execute(connection, RemoveAccount, &[account])?;
    Ok(true)
}
