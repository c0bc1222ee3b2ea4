//! Mails of which devices asked for more than is stored.

use std::ops::ControlFlow;

use diesel::sql_types::BigInt;

use super::connection::Database;
use super::error::StoreError;
use super::statement::{Bind, each, execute, statement};
use crate::sync::{AccountId, Asked, DeviceId, ItemId};

statement!(Want(()) = "UPDATE mirror_message SET wanted = 1 WHERE account = ? AND item = ?");
statement!(
    Ask(()) = "INSERT INTO rest_asked (account, device, item, whole) VALUES (?, ?, ?, ?) \
               ON CONFLICT (account, device, item) DO UPDATE SET whole = excluded.whole"
);
statement!(Got(()) = "DELETE FROM rest_asked WHERE account = ? AND device = ? AND item = ?");
statement!(
    AskedBy((BigInt, BigInt)) =
        "SELECT item, whole FROM rest_asked WHERE account = ? AND device = ? ORDER BY item"
);
statement!(ForgetDevice(()) = "DELETE FROM rest_asked WHERE account = ? AND device = ?");
statement!(RemoveAsked(()) = "DELETE FROM rest_asked WHERE account = ?");
statement!(
    PruneAsked(()) = "DELETE FROM rest_asked WHERE account = ? AND NOT EXISTS (SELECT 1 FROM item i \
                      WHERE i.account = rest_asked.account AND i.id = rest_asked.item AND i.deleted = 0)"
);

/// A device wants the rest of a mail: its watcher is to fetch it. Nothing if no mail server has it.
pub(super) fn ask(
    connection: &mut Database,
    account: Bind<'_>,
    device: Bind<'_>,
    asked: Asked,
) -> Result<(), StoreError> {
    let item = Bind::Int(asked.item.0);
    if execute(connection, Want, &[account, item])? > 0 {
        let binds = [account, device, item, Bind::Int(i64::from(asked.whole))];
        execute(connection, Ask, &binds)?;
    }
    Ok(())
}

/// The device has it.
pub(super) fn got(
    connection: &mut Database,
    account: Bind<'_>,
    device: Bind<'_>,
    item: ItemId,
) -> Result<(), StoreError> {
    execute(connection, Got, &[account, device, Bind::Int(item.0)]).map(drop)
}

/// What a device waits for.
pub(super) fn asked(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
) -> Result<Vec<Asked>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(device.0)];
    let mut found = Vec::new();
    each(connection, AskedBy, &binds, |(item, whole): (i64, i64)| {
        found.push(Asked {
            item: ItemId(item),
            whole: whole != 0,
        });
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(found)
}

pub(super) fn forget_device(
    connection: &mut Database,
    key: &[Bind<'_>; 2],
) -> Result<(), StoreError> {
    execute(connection, ForgetDevice, key).map(drop)
}

pub(super) fn remove_account(
    connection: &mut Database,
    account: Bind<'_>,
) -> Result<(), StoreError> {
    execute(connection, RemoveAsked, &[account]).map(drop)
}

/// What was asked of mails that are gone.
pub(super) fn prune(connection: &mut Database, account: Bind<'_>) -> Result<(), StoreError> {
    execute(connection, PruneAsked, &[account]).map(drop)
}
