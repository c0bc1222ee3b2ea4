//! How devices are spoken to: channels set by hand, connections that they held, passwords of their own.
//!
//! Settings that are sent to a phone have a password that was made for them. The device is not known then: a stand-in
//! waits for a phone that comes with that password, and becomes that phone's device.

use std::ops::ControlFlow;

use diesel::sql_types::{BigInt, Binary, Nullable, Text};

use super::super::connection::Database;
use super::super::error::StoreError;
use super::super::load::{self, Reader};
use super::super::statement::{Bind, each, execute, first, statement};
use super::super::{Store, apply, device};
use crate::secret::KeyFile;
use crate::sync::{AccountId, Device, DeviceId, Reach, Secret};

/// The beginning of a stand-in's address.
const STAND_IN: &str = "provisioned:";

/// A password that only one device has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceKey {
    /// The device, or the stand-in for one that has not come yet.
    pub device: DeviceId,
    /// Its password.
    pub password: Secret,
}

statement!(
    ReachOf((Nullable<Text>, Nullable<Text>, Nullable<Binary>, BigInt, BigInt)) =
        "SELECT channels, form, password, unbound, connected FROM reach WHERE account = ? AND device = ?"
);
statement!(
    Keys((BigInt, Binary)) = "SELECT device, password FROM reach WHERE account = ? AND password IS NOT NULL \
     AND (device = ? OR unbound = 1) ORDER BY device"
);
statement!(
    SetChannels(()) = "INSERT INTO reach (account, device, channels) VALUES (?, ?, ?) \
     ON CONFLICT (account, device) DO UPDATE SET channels = excluded.channels"
);
statement!(
    SetForm(()) = "INSERT INTO reach (account, device, form) VALUES (?, ?, ?) \
     ON CONFLICT (account, device) DO UPDATE SET form = excluded.form"
);
statement!(
    SetOwnPassword(()) = "INSERT INTO reach (account, device, password, unbound) VALUES (?, ?, ?, ?) \
     ON CONFLICT (account, device) DO UPDATE SET password = excluded.password, unbound = excluded.unbound"
);
statement!(
    SetConnected(()) = "INSERT INTO reach (account, device, connected) VALUES (?, ?, ?) \
     ON CONFLICT (account, device) DO UPDATE SET connected = excluded.connected"
);
statement!(
    StandInFor((BigInt,)) = "SELECT d.id FROM device d JOIN reach r ON r.account = d.account AND r.device = d.id \
     WHERE d.account = ? AND d.msisdn = ? AND r.unbound = 1 LIMIT 1"
);
statement!(Rename(()) = "UPDATE device SET uri = ? WHERE account = ? AND id = ?");
statement!(
    TakeNumber(()) = "UPDATE device SET msisdn = coalesce((SELECT s.msisdn FROM device s WHERE s.account = ? AND s.id = ?), \
     msisdn) WHERE account = ? AND id = ?"
);
statement!(
    MoveNotifications(()) = "UPDATE notification SET device = ? WHERE account = ? AND device = ?"
);
statement!(ForgetReach(()) = "DELETE FROM reach WHERE account = ? AND device = ?");
statement!(ForgetStandIn(()) = "DELETE FROM device WHERE account = ? AND id = ?");
statement!(
    DevicesByNumber((BigInt, Text, Text)) = "SELECT d.account, a.name, d.uri FROM device d JOIN account a ON a.id = d.account \
     WHERE d.msisdn = ? AND a.name IS NOT NULL ORDER BY d.account, d.id LIMIT 16"
);

type ReachRow = (Option<String>, Option<String>, Option<Vec<u8>>, i64, i64);

/// How a device is spoken to, and its own password.
pub(super) fn reach(
    connection: &mut Database,
    key: &KeyFile,
    account: AccountId,
    device: DeviceId,
) -> Result<(Reach, Option<Secret>), StoreError> {
    let binds = [Bind::Int(account.0), Bind::Int(device.0)];
    let row: Option<ReachRow> = first(connection, ReachOf, &binds)?;
    let Some((channels, form, password, unbound, connected)) = row else {
        return Ok((Reach::default(), None));
    };
    let password = password
        .map(|sealed| open(key, account, &sealed))
        .transpose()?;
    let channels = channels.unwrap_or_default();
    let channels = channels.split(',').filter(|name| !name.is_empty());
    let reach = Reach {
        channels: channels.map(str::to_owned).collect(),
        form,
        connected,
        unbound: unbound != 0,
    };
    Ok((reach, password))
}

fn open(key: &KeyFile, account: AccountId, sealed: &[u8]) -> Result<Secret, StoreError> {
    String::from_utf8(key.open(account, sealed)?)
        .map(Secret)
        .map_err(|_| StoreError::Corrupt("a password is not UTF-8".into()))
}

impl Reader {
    /// Passwords other than the account's that a message of this device may prove itself with: the device's own, and
    /// those of stand-ins.
    pub fn device_keys(
        &mut self,
        account: AccountId,
        device: Option<DeviceId>,
    ) -> Result<Vec<DeviceKey>, StoreError> {
        let key = self.key().clone();
        let device = device.unwrap_or_default();
        let binds = [Bind::Int(account.0), Bind::Int(device.0)];
        let mut keys = Vec::new();
        each(
            self.connection()?,
            Keys,
            &binds,
            |(device, sealed): (i64, Vec<u8>)| {
                keys.push(DeviceKey {
                    device: DeviceId(device),
                    password: open(&key, account, &sealed)?,
                });
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(keys)
    }
}

impl Store {
    /// How a device is spoken to, and its own password if it has one.
    pub fn reach(
        &self,
        account: AccountId,
        device: DeviceId,
    ) -> Result<(Reach, Option<Secret>), StoreError> {
        let mut reader = self.reader()?;
        let key = reader.key().clone();
        reach(reader.connection()?, &key, account, device)
    }

    /// Sets the channels of a device by hand; none: as configured.
    pub fn set_channels(
        &self,
        account: AccountId,
        device: DeviceId,
        channels: &[String],
    ) -> Result<(), StoreError> {
        let channels = (!channels.is_empty()).then(|| channels.join(","));
        self.write(0, move |connection| {
            let channels = Bind::OptionalText(channels.as_deref());
            let binds = [Bind::Int(account.0), Bind::Int(device.0), channels];
            execute(connection, SetChannels, &binds).map(drop)
        })
    }

    /// Sets the form of a device's notifications by hand; `None`: as its profile or its device information says.
    pub fn set_form(
        &self,
        account: AccountId,
        device: DeviceId,
        form: Option<&str>,
    ) -> Result<(), StoreError> {
        let form = form.map(str::to_owned);
        self.write(0, move |connection| {
            let form = Bind::OptionalText(form.as_deref());
            let binds = [Bind::Int(account.0), Bind::Int(device.0), form];
            execute(connection, SetForm, &binds).map(drop)
        })
    }

    /// Notes that a device holds a connection; what waits for it is looked at.
    pub fn set_connected(
        &self,
        account: AccountId,
        device: DeviceId,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(0, move |connection| {
            let binds = [Bind::Int(account.0), Bind::Int(device.0), Bind::Int(now)];
            execute(connection, SetConnected, &binds)?;
            super::session_ended(connection, account, device)
        })
    }

    /// A stand-in for a phone that is to come with this password; the one that waits for the number already gets the
    /// new password.
    pub fn add_stand_in(
        &self,
        account: AccountId,
        msisdn: Option<&str>,
        password: &Secret,
        now: i64,
    ) -> Result<Device, StoreError> {
        let sealed = self.shared.key.seal(account, password.0.as_bytes())?;
        let msisdn = msisdn.map(str::to_owned);
        let mut random = [0_u8; 5];
        getrandom::fill(&mut random).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let tag: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
        self.write(0, move |connection| {
            apply::numbers(connection, account)?;
            let waiting: Option<(i64,)> = match &msisdn {
                Some(number) => {
                    let binds = [Bind::Int(account.0), Bind::Text(number)];
                    first(connection, StandInFor, &binds)?
                }
                None => None,
            };
            let stand_in = match waiting {
                Some((id,)) => load::device_by_id(connection, account, DeviceId(id))?
                    .ok_or(StoreError::NotFound)?,
                None => {
                    let new = Device {
                        uri: format!("{STAND_IN}{tag}"),
                        msisdn: msisdn.clone(),
                        ..Device::default()
                    };
                    device::insert_device(connection, account, new, now)?
                }
            };
            let binds = [
                Bind::Int(account.0),
                Bind::Int(stand_in.id.0),
                Bind::Blob(&sealed),
                Bind::Int(1),
            ];
            execute(connection, SetOwnPassword, &binds)?;
            Ok(stand_in)
        })
    }

    /// A phone came with the password of a stand-in: it becomes the device with this address. If the account knows that
    /// device, the device takes number and password over.
    pub fn bind_device(
        &self,
        account: AccountId,
        stand_in: DeviceId,
        uri: &str,
    ) -> Result<(), StoreError> {
        let uri = uri.to_owned();
        let key = self.shared.key.clone();
        self.write(0, move |connection| {
            apply::numbers(connection, account)?;
            let (account_bind, old) = (Bind::Int(account.0), Bind::Int(stand_in.0));
            let (waits, password) = reach(connection, &key, account, stand_in)?;
            let Some(password) = password.filter(|_| waits.unbound) else {
                // Another message was faster.
                return Ok(());
            };
            let known = load::device_by_uri(connection, account, &uri)?;
            let device = known.as_ref().map_or(stand_in, |device| device.id);
            let new = Bind::Int(device.0);
            let sealed = key.seal(account, password.0.as_bytes())?;
            let own = [account_bind, new, Bind::Blob(&sealed), Bind::Int(0)];
            if known.is_none() {
                let binds = [Bind::Text(&uri), account_bind, old];
                execute(connection, Rename, &binds)?;
                return execute(connection, SetOwnPassword, &own).map(drop);
            }
            execute(
                connection,
                TakeNumber,
                &[account_bind, old, account_bind, new],
            )?;
            execute(connection, SetOwnPassword, &own)?;
            execute(connection, MoveNotifications, &[new, account_bind, old])?;
            execute(connection, ForgetReach, &[account_bind, old])?;
            execute(connection, ForgetStandIn, &[account_bind, old]).map(drop)
        })
    }

    /// Accounts (id and name) and addresses of the devices that have this number, at most 16.
    pub fn devices_by_number(
        &self,
        msisdn: &str,
    ) -> Result<Vec<(AccountId, String, String)>, StoreError> {
        let mut found = Vec::new();
        each(
            self.reader()?.connection()?,
            DevicesByNumber,
            &[Bind::Text(msisdn)],
            |(account, name, uri): (i64, String, String)| {
                found.push((AccountId(account), name, uri));
                Ok(ControlFlow::Continue(()))
            },
        )?;
        Ok(found)
    }
}
