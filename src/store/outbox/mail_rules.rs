//! Rules for mail that an account or a device has of its own, as text. The row with device 0 is the account's.

use diesel::sql_types::{BigInt, Text};

use super::super::Store;
use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::statement::{Bind, all, execute, statement};
use crate::sync::{AccountId, DeviceId};

/// The number that stands for the account itself; devices are numbered from 1.
const ACCOUNT: DeviceId = DeviceId(0);

statement!(
    Put(()) = "INSERT INTO mail_rule (account, device, rules) VALUES (?, ?, ?) \
     ON CONFLICT (account, device) DO UPDATE SET rules = excluded.rules"
);
statement!(Remove(()) = "DELETE FROM mail_rule WHERE account = ? AND device = ?");
statement!(
    Both((BigInt, Text)) =
        "SELECT device, rules FROM mail_rule WHERE account = ? AND (device = 0 OR device = ?)"
);
statement!(RemoveAll(()) = "DELETE FROM mail_rule WHERE account = ?");

/// What is set for an account and for one of its devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoredMailRules {
    /// For every device of the account.
    pub account: Option<String>,
    /// For the device, over those.
    pub device: Option<String>,
}

impl Store {
    /// Sets rules for a device, or with `None` for the account; an empty text removes them.
    pub fn set_mail_rules(
        &self,
        account: AccountId,
        device: Option<DeviceId>,
        rules: &str,
    ) -> Result<(), StoreError> {
        let rules = rules.to_owned();
        let device = device.unwrap_or(ACCOUNT);
        self.write(rules.len(), move |connection| {
            let key = [Bind::Int(account.0), Bind::Int(device.0)];
            if rules.is_empty() {
                return execute(connection, Remove, &key).map(drop);
            }
            execute(connection, Put, &[key[0], key[1], Bind::Text(&rules)]).map(drop)
        })
    }

    /// Rules of an account and of a device of it.
    pub fn mail_rules(
        &self,
        account: AccountId,
        device: DeviceId,
    ) -> Result<StoredMailRules, StoreError> {
        let mut reader = self.reader()?;
        let binds = [Bind::Int(account.0), Bind::Int(device.0)];
        let rows: Vec<(i64, String)> = all(reader.connection()?, Both, &binds)?;
        let mut stored = StoredMailRules::default();
        for (of, rules) in rows {
            if of == ACCOUNT.0 {
                stored.account = Some(rules);
            } else {
                stored.device = Some(rules);
            }
        }
        Ok(stored)
    }
}

/// A device is forgotten.
pub(super) fn forget(connection: &mut Database, key: &[Bind<'_>; 2]) -> Result<(), StoreError> {
    execute(connection, Remove, key).map(drop)
}

/// An account is removed.
pub(super) fn remove_account(
    connection: &mut Database,
    account: Bind<'_>,
) -> Result<(), StoreError> {
    execute(connection, RemoveAll, &[account]).map(drop)
}
