//! Administration of devices.

use diesel::sql_types::BigInt;

use super::connection::Database;
use super::error::StoreError;
use super::load::{self, DeviceRow, Devices};
use super::statement::{Bind, all, execute, first, statement};
use super::{Store, announcement, apply, now, outbox, rest};
use crate::sync::{AccountId, Datastore, Device, DeviceId, ViewState, Windows};

// A step of a removal takes away 2000 rows.

statement!(
    NextDevice((BigInt,)) = "UPDATE account SET next_device = next_device + 1 WHERE id = ? AND name IS NOT NULL \
     RETURNING next_device - 1"
);
statement!(
    InsertDevice(()) = "INSERT INTO device (account, id, uri, msisdn, profile, nonce, previous_nonce, \
     notification_nonce, openings, user_agent, profile_header, last_seen, created, devinf) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
);
statement!(
    SetDevice(()) = "UPDATE device SET msisdn = ?, profile = ? WHERE account = ? AND id = ?"
);
statement!(SetMailWindow(()) = "UPDATE device SET mail_window = ? WHERE account = ? AND id = ?");
statement!(ForgetViews(()) = "DELETE FROM \"view\" WHERE account = ? AND device = ?");
statement!(ForgetSessions(()) = "DELETE FROM session WHERE account = ? AND device = ?");
statement!(
    ForgetEntries(()) = "DELETE FROM entry WHERE account = ? AND device = ? AND (view, item) IN \
     (SELECT view, item FROM entry WHERE account = ? AND device = ? LIMIT 2000)"
);
statement!(ForgetDevice(()) = "DELETE FROM device WHERE account = ? AND id = ?");
statement!(
    EntryCount((BigInt,)) =
        "SELECT count(*) FROM entry WHERE account = ? AND device = ? AND view = ?"
);

impl Store {
    /// Adds a device; `id` and `created` of what is given do not matter. [`StoreError::Exists`] if the account has a
    /// device with this address.
    pub fn add_device(&self, account: AccountId, device: Device) -> Result<Device, StoreError> {
        let created = now();
        self.write(device.devinf.len(), move |connection| {
            apply::numbers(connection, account)?;
            if load::device_by_uri(connection, account, &device.uri)?.is_some() {
                return Err(StoreError::Exists);
            }
            insert_device(connection, account, device.clone(), created)
        })
    }

    /// The device with this address, added if the account has none.
    pub fn register_device(
        &self,
        account: AccountId,
        uri: &str,
        now: i64,
    ) -> Result<Device, StoreError> {
        let uri = uri.to_owned();
        self.write(0, move |connection| {
            apply::numbers(connection, account)?;
            if let Some(device) = load::device_by_uri(connection, account, &uri)? {
                return Ok(device);
            }
            let device = Device {
                uri: uri.clone(),
                ..Device::default()
            };
            insert_device(connection, account, device, now)
        })
    }

    /// All devices of an account, in the order of their coming.
    pub fn devices(&self, account: AccountId) -> Result<Vec<Device>, StoreError> {
        let mut reader = self.reader()?;
        let rows: Vec<DeviceRow> = all(reader.connection()?, Devices, &[Bind::Int(account.0)])?;
        Ok(rows.into_iter().map(load::device).collect())
    }

    /// The device with this address.
    pub fn device(&self, account: AccountId, uri: &str) -> Result<Device, StoreError> {
        let mut reader = self.reader()?;
        load::device_by_uri(reader.connection()?, account, uri)?.ok_or(StoreError::NotFound)
    }

    /// Sets what is set by hand: telephone number and profile.
    pub fn set_device(
        &self,
        account: AccountId,
        device: DeviceId,
        msisdn: Option<&str>,
        profile: Option<&str>,
    ) -> Result<(), StoreError> {
        let msisdn = msisdn.map(str::to_owned);
        let profile = profile.map(str::to_owned);
        self.write(0, move |connection| {
            let binds = [
                Bind::OptionalText(msisdn.as_deref()),
                Bind::OptionalText(profile.as_deref()),
                Bind::Int(account.0),
                Bind::Int(device.0),
            ];
            match execute(connection, SetDevice, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }

    /// Sets which mails a device is to have; an empty one: what the configuration says.
    pub fn set_mail_window(
        &self,
        account: AccountId,
        device: DeviceId,
        windows: &Windows,
    ) -> Result<(), StoreError> {
        let text = windows.to_string();
        self.write(0, move |connection| {
            let binds = [Bind::Text(&text), Bind::Int(account.0), Bind::Int(device.0)];
            match execute(connection, SetMailWindow, &binds)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(()),
            }
        })
    }

    /// Removes a device with its views, entries and sessions; items stay. The views go first, so that a device that
    /// is forgotten by half begins with a slow sync.
    pub fn forget_device(&self, account: AccountId, device: DeviceId) -> Result<(), StoreError> {
        let key = [Bind::Int(account.0), Bind::Int(device.0)];
        self.write(0, move |connection| {
            execute(connection, ForgetViews, &key)?;
            execute(connection, ForgetSessions, &key).map(drop)
        })?;
        let (owner, forgotten) = (account, device);
        let step = move |connection: &mut Database| {
            let [account, device] = key;
            let some = [account, device, account, device];
            if execute(connection, ForgetEntries, &some)? > 0
                || outbox::forget_device(connection, owner, forgotten)?
            {
                return Ok(true);
            }
            // A session may have gone on between the steps.
            announcement::forget_device(connection, &key)?;
            rest::forget_device(connection, &key)?;
            execute(connection, ForgetViews, &key)?;
            execute(connection, ForgetSessions, &key)?;
            match execute(connection, ForgetDevice, &key)? {
                0 => Err(StoreError::NotFound),
                _ => Ok(false),
            }
        };
        while self.write(0, step)? {}
        Ok(())
    }

    /// The views of a device: anchors and bases.
    pub fn views(
        &self,
        account: AccountId,
        device: DeviceId,
    ) -> Result<Vec<(Datastore, ViewState)>, StoreError> {
        load::views(self.reader()?.connection()?, account, device)
    }

    /// How many items the store thinks the device has, or was sent, in a view.
    pub fn entry_count(
        &self,
        account: AccountId,
        device: DeviceId,
        view: Datastore,
    ) -> Result<u64, StoreError> {
        let binds = [
            Bind::Int(account.0),
            Bind::Int(device.0),
            Bind::Int(i64::from(view.number())),
        ];
        let row: Option<(i64,)> = first(self.reader()?.connection()?, EntryCount, &binds)?;
        Ok(row.map_or(0, |(count,)| count.unsigned_abs()))
    }
}

pub(super) fn insert_device(
    connection: &mut Database,
    account: AccountId,
    mut device: Device,
    created: i64,
) -> Result<Device, StoreError> {
    let row: Option<(i64,)> = first(connection, NextDevice, &[Bind::Int(account.0)])?;
    let (id,) = row.ok_or(StoreError::NotFound)?;
    device.id = DeviceId(id);
    device.created = created;
    let binds = [
        Bind::Int(account.0),
        Bind::Int(id),
        Bind::Text(&device.uri),
        Bind::OptionalText(device.msisdn.as_deref()),
        Bind::OptionalText(device.profile.as_deref()),
        Bind::Blob(&device.nonce),
        Bind::Blob(&device.previous_nonce),
        Bind::Blob(&device.notification_nonce),
        Bind::Blob(&device.openings),
        Bind::OptionalText(device.user_agent.as_deref()),
        Bind::OptionalText(device.profile_header.as_deref()),
        Bind::Int(device.last_seen),
        Bind::Int(created),
        Bind::Blob(&device.devinf),
    ];
    execute(connection, InsertDevice, &binds)?;
    Ok(device)
}
