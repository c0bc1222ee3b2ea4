//! Texts for the users of devices, each shown once (Alert 100); and what was refused of devices before a session could
//! record it.

use diesel::sql_types::{BigInt, Text};

use super::Store;
use super::connection::Database;
use super::error::StoreError;
use super::statement::{Bind, all, execute, statement};
use crate::sync::{AccountId, DeviceId};

/// Texts that wait for one device; the oldest go first.
const MOST_WAITING: i64 = 20;
/// Refusals of one account that are remembered: one for each device and code.
const MOST_REFUSALS: i64 = 100;

statement!(
    Announce(()) = "INSERT INTO announcement (account, device, number, text) \
     SELECT d.account, d.id, 1 + coalesce((SELECT max(a.number) FROM announcement a \
     WHERE a.account = d.account AND a.device = d.id), 0), ? FROM device d WHERE d.account = ? AND d.id = ?"
);
statement!(
    Forget(()) = "DELETE FROM announcement WHERE account = ? AND device = ? AND number <= \
     (SELECT max(a.number) FROM announcement a WHERE a.account = ? AND a.device = ?) - ?"
);
statement!(
    Waiting((BigInt, Text)) =
        "SELECT number, text FROM announcement WHERE account = ? AND device = ? ORDER BY number"
);
statement!(Shown(()) = "DELETE FROM announcement WHERE account = ? AND device = ? AND number <= ?");
statement!(ForgetDevice(()) = "DELETE FROM announcement WHERE account = ? AND device = ?");
statement!(RemoveAnnouncements(()) = "DELETE FROM announcement WHERE account = ?");
statement!(RemoveRefusals(()) = "DELETE FROM refusal WHERE account = ?");
statement!(
    PutRefusal(()) = "INSERT INTO refusal (account, device, code, times, began, latest) VALUES (?, ?, ?, 1, ?, ?) \
     ON CONFLICT (account, device, code) DO UPDATE SET times = refusal.times + 1, latest = excluded.latest"
);
statement!(
    TrimRefusals(()) = "DELETE FROM refusal WHERE account = ? AND (device, code) IN \
     (SELECT device, code FROM refusal WHERE account = ? ORDER BY latest DESC, device, code LIMIT 1000 OFFSET ?)"
);
statement!(
    Refusals((Text, BigInt, BigInt, BigInt, BigInt)) = "SELECT device, code, times, began, latest FROM refusal \
     WHERE account = ? ORDER BY latest DESC, device, code"
);

/// Messages of a device that were refused with the same Status, outside of any session.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Refusal {
    /// Its address; empty if the message could not be read.
    pub device: String,
    /// The Status.
    pub code: u16,
    /// How often.
    pub times: i64,
    /// The first time, seconds since 1970.
    pub began: i64,
    /// The last time, seconds since 1970.
    pub latest: i64,
}

impl Store {
    /// Queues a text for these devices; each shows it in its next session. Gives how many there are.
    pub fn announce(
        &self,
        account: AccountId,
        devices: &[DeviceId],
        text: &str,
    ) -> Result<usize, StoreError> {
        let (devices, text) = (devices.to_vec(), text.to_owned());
        self.write(text.len(), move |connection| {
            let mut count = 0;
            for device in &devices {
                let key = [Bind::Int(account.0), Bind::Int(device.0)];
                count += execute(connection, Announce, &[Bind::Text(&text), key[0], key[1]])?;
                let excess = [key[0], key[1], key[0], key[1], Bind::Int(MOST_WAITING)];
                execute(connection, Forget, &excess)?;
            }
            Ok(count)
        })
    }

    /// Remembers that a message of a device was refused; `now` in seconds since 1970.
    pub fn refused(&self, account: AccountId, device: &str, code: u16, now: i64) {
        let device = device.to_owned();
        // The answer does not wait for it.
        self.shared.writer.post(device.len(), move |connection| {
            let of = Bind::Int(account.0);
            let now = Bind::Int(now);
            let code = Bind::Int(i64::from(code));
            execute(
                connection,
                PutRefusal,
                &[of, Bind::Text(&device), code, now, now],
            )?;
            execute(
                connection,
                TrimRefusals,
                &[of, of, Bind::Int(MOST_REFUSALS)],
            )
            .map(drop)
        });
    }

    /// What was refused of an account's devices, the latest first.
    pub fn refusals(&self, account: AccountId) -> Result<Vec<Refusal>, StoreError> {
        let mut reader = self.reader()?;
        let rows: Vec<(String, i64, i64, i64, i64)> =
            all(reader.connection()?, Refusals, &[Bind::Int(account.0)])?;
        let refusals = rows
            .into_iter()
            .map(|(device, code, times, began, latest)| Refusal {
                device,
                code: u16::try_from(code).unwrap_or(0),
                times,
                began,
                latest,
            });
        Ok(refusals.collect())
    }
}

/// Texts that wait for a device, with their numbers, in order.
pub(super) fn waiting(
    connection: &mut Database,
    account: AccountId,
    device: DeviceId,
) -> Result<Vec<(i64, String)>, StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(device.0)];
    all(connection, Waiting, &binds)
}

/// The device shows all up to that number.
pub(super) fn shown(
    connection: &mut Database,
    account: Bind<'_>,
    device: Bind<'_>,
    upto: i64,
) -> Result<(), StoreError> {
    execute(connection, Shown, &[account, device, Bind::Int(upto)]).map(drop)
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
    execute(connection, RemoveAnnouncements, &[account])?;
    execute(connection, RemoveRefusals, &[account]).map(drop)
}
