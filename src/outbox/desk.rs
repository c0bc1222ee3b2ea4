//! What people and programs ask of the outbox: the command line, the API and texts from phones come here.

use serde_json::{Value, json};

use super::mail::OwnRules;
use super::message;
use super::settings::{SettingsKind, SettingsOrder};
use crate::device::profile::Catalogue;
use crate::store::{NewNotification, Store, StoreError};
use crate::sync::{
    Account, AccountId, Datastore, Device, DeviceId, Notification, NotificationId,
    NotificationKind, NotificationState, Secret,
};

/// Notifications that a list has at most.
pub const MOST_LISTED: usize = 10_000;

/// Why something that was asked for is not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// There is no such thing.
    #[error("{0}")]
    NotFound(String),
    /// It is there, and cannot be done.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The account of that name.
pub fn account(store: &Store, name: &str) -> Result<Account, DeskError> {
    store.account(name).map_err(|error| match error {
        StoreError::NotFound => DeskError::NotFound(format!("there is no account {name}")),
        error => error.into(),
    })
}

/// The device of that address.
pub fn device(store: &Store, account: &Account, uri: &str) -> Result<Device, DeskError> {
    store.device(account.id, uri).map_err(|error| match error {
        StoreError::NotFound => {
            DeskError::NotFound(format!("{} has no device {uri}", account.name))
        }
        error => error.into(),
    })
}

/// A device that can be spoken to: it has a number, held a connection, or a channel was set for it.
pub fn is_reachable(store: &Store, account: &Account, device: &Device) -> Result<bool, StoreError> {
    let (reach, _) = store.reach(account.id, device.id)?;
    Ok(reach.channels != ["none"]
        && (device.msisdn.is_some() || reach.connected > 0 || !reach.channels.is_empty()))
}

/// Queues a push for one device, or for all of the account that can be spoken to.
pub fn push(
    store: &Store,
    account: &Account,
    uri: Option<&str>,
    datastores: &[Datastore],
    asked_by: &str,
) -> Result<Vec<(Device, Notification)>, DeskError> {
    let devices = match uri {
        Some(uri) => vec![device(store, account, uri)?],
        None => {
            let mut reachable = Vec::new();
            for device in store.devices(account.id)? {
                if is_reachable(store, account, &device)? {
                    reachable.push(device);
                }
            }
            reachable
        }
    };
    if devices.is_empty() {
        return Err(DeskError::Refused(format!(
            "{} has no device that can be spoken to: none has a number or holds a connection",
            account.name
        )));
    }
    let queued = devices.into_iter().map(|device| {
        let notification = store.queue_notification(NewNotification {
            account: account.id,
            device: device.id,
            kind: NotificationKind::Push,
            wanted: datastores.to_vec(),
            parameters: None,
            asked_by: asked_by.to_owned(),
        })?;
        Ok((device, notification))
    });
    queued.collect()
}

/// The form of settings for a phone: as the profile that was named has it, else that of the account's device with this
/// number.
pub fn settings_kind(
    store: &Store,
    profiles: &Catalogue,
    account: &Account,
    msisdn: &str,
    profile: Option<&str>,
) -> Result<SettingsKind, DeskError> {
    if let Some(profile) = profile {
        if profiles.find(profile).is_none() {
            return Err(DeskError::NotFound(format!(
                "there is no device profile {profile}"
            )));
        }
        let named = Device {
            profile: Some(profile.to_owned()),
            ..Device::default()
        };
        return Ok(SettingsKind::of(&message::traits(&named, profiles).0));
    }
    let devices = store.devices(account.id)?;
    let known = devices
        .iter()
        .filter(|device| device.msisdn.as_deref() == Some(msisdn))
        .max_by_key(|device| device.last_seen);
    Ok(known.map_or_else(SettingsKind::default, |device| {
        SettingsKind::of(&message::traits(device, profiles).0)
    }))
}

/// Queues settings for a phone, with a password that is made for it: a stand-in for the device waits until a phone comes
/// with it. `password` is that password. Gives the notifications (phones of the old form get their access point apart)
/// and the digits that the user has to type.
pub fn provision(
    store: &Store,
    account: &Account,
    server_id: &str,
    msisdn: &str,
    password: &Secret,
    order: &SettingsOrder,
    asked_by: &str,
) -> Result<(Device, Vec<Notification>, Option<String>), DeskError> {
    let mut orders = vec![order.clone()];
    if order.kind == Some(SettingsKind::NokiaOta) && order.access_point.is_some() {
        let browser = SettingsOrder {
            browser: true,
            ..order.clone()
        };
        orders.insert(0, browser);
    }
    // What cannot be written is refused now.
    let mut typed = None;
    for order in &orders {
        let (_, _, digits) = order
            .push(server_id, &account.name, &password.0)
            .map_err(|error| DeskError::Refused(error.to_string()))?;
        typed = typed.or(digits);
    }
    let now = chrono::Utc::now().timestamp();
    let device = store.add_stand_in(account.id, Some(msisdn), password, now)?;
    let queued = orders.iter().map(|order| {
        let parameters =
            serde_json::to_vec(order).map_err(|error| DeskError::Refused(error.to_string()))?;
        let new = NewNotification {
            account: account.id,
            device: device.id,
            kind: NotificationKind::Settings,
            wanted: Vec::new(),
            parameters: Some(parameters),
            asked_by: asked_by.to_owned(),
        };
        Ok::<_, DeskError>(store.queue_notification(new)?)
    });
    let queued = queued.collect::<Result<Vec<_>, _>>()?;
    Ok((device, queued, typed))
}

/// Sets which new mail wakes the phones of an account, or one of them; rules that set nothing are removed.
pub fn set_mail_rules(
    store: &Store,
    account: &Account,
    uri: Option<&str>,
    rules: &OwnRules,
) -> Result<(), DeskError> {
    let device = uri.map(|uri| device(store, account, uri)).transpose()?;
    let device = device.map(|device| device.id);
    Ok(store.set_mail_rules(account.id, device, &rules.to_string())?)
}

/// What is set of that for an account, and for each of its devices that has rules of its own.
pub fn mail_rules(store: &Store, account: &Account) -> Result<Value, DeskError> {
    let mut devices = serde_json::Map::new();
    for device in store.devices(account.id)? {
        if let Some(rules) = store.mail_rules(account.id, device.id)?.device {
            devices.insert(device.uri, rules.into());
        }
    }
    let own = store.mail_rules(account.id, DeviceId(0))?.account;
    Ok(json!({ "account": account.name, "rules": own.unwrap_or_default(), "devices": devices }))
}

/// A notification.
pub fn notification(store: &Store, id: NotificationId) -> Result<Notification, DeskError> {
    store.notification(id).map_err(|error| unknown(id, error))
}

fn unknown(id: NotificationId, error: StoreError) -> DeskError {
    match error {
        StoreError::NotFound => DeskError::NotFound(format!("there is no notification {id}")),
        error => error.into(),
    }
}

/// Tries a notification again.
pub fn retry(store: &Store, id: NotificationId) -> Result<Notification, DeskError> {
    if !store
        .retry_notification(id)
        .map_err(|error| unknown(id, error))?
    {
        let state = notification(store, id)?.state;
        return Err(DeskError::Refused(match state {
            NotificationState::Sent => {
                format!("{id} was sent, and its answer is waited for; cancel it first")
            }
            _ => format!("{id} is under way to a gateway right now"),
        }));
    }
    notification(store, id)
}

/// Cancels a notification.
pub fn cancel(store: &Store, id: NotificationId) -> Result<Notification, DeskError> {
    if !store
        .cancel_notification(id)
        .map_err(|error| unknown(id, error))?
    {
        let state = notification(store, id)?.state;
        return Err(DeskError::Refused(format!(
            "{id} is finished already: {state}"
        )));
    }
    notification(store, id)
}

/// Names of accounts and devices, looked up once each.
#[derive(Default)]
pub struct Names {
    accounts: Vec<(AccountId, String, Vec<Device>)>,
}

impl Names {
    /// Account and device of a notification; empty for what is gone.
    pub fn of(
        &mut self,
        store: &Store,
        notification: &Notification,
    ) -> Result<(String, String), StoreError> {
        let account = notification.id.account;
        if !self.accounts.iter().any(|(id, _, _)| *id == account) {
            let name = match store.account_by_id(account) {
                Ok(account) => account.name,
                Err(StoreError::NotFound) => String::new(),
                Err(error) => return Err(error),
            };
            let devices = store.devices(account)?;
            self.accounts.push((account, name, devices));
        }
        let known = self.accounts.iter().find(|(id, _, _)| *id == account);
        Ok(known.map_or_else(Default::default, |(_, name, devices)| {
            (name.clone(), uri(devices, notification.device))
        }))
    }
}

fn uri(devices: &[Device], id: DeviceId) -> String {
    let device = devices.iter().find(|device| device.id == id);
    device.map(|device| device.uri.clone()).unwrap_or_default()
}

/// A time as text, RFC 3339 in UTC.
pub fn time(milliseconds: i64) -> Option<String> {
    let time = chrono::DateTime::from_timestamp_millis(milliseconds)?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// A notification for programs.
pub fn to_json(notification: &Notification, account: &str, device: &str) -> Value {
    let names = |datastores: &[Datastore]| -> Vec<&str> {
        datastores
            .iter()
            .map(|datastore| datastore.name())
            .collect()
    };
    json!({
        "id": notification.id.to_string(),
        "account": account,
        "device": device,
        "kind": notification.kind.name(),
        "state": notification.state.name(),
        "created": time(notification.created),
        "due": notification.due.and_then(time),
        "finished": notification.finished.and_then(time),
        "submitted": notification.submitted.and_then(time),
        "attempts": notification.attempts,
        "gateway": notification.gateway,
        "datastores": names(if notification.told.is_empty() { &notification.wanted } else { &notification.told }),
        "why": notification.why,
    })
}

/// A notification with its history and parts, for programs.
pub fn detail(store: &Store, id: NotificationId) -> Result<Value, DeskError> {
    let notification = notification(store, id)?;
    let (account, device) = Names::default().of(store, &notification)?;
    let (events, parts) = store.notification_history(id)?;
    let mut value = to_json(&notification, &account, &device);
    let events = events.iter().map(
        |event| json!({ "at": time(event.at), "state": event.state.name(), "what": event.what }),
    );
    value["history"] = events.collect();
    let parts = parts.iter().map(|part| {
        json!({
            "attempt": part.attempt,
            "part": part.part,
            "gateway": part.gateway,
            "gateway_id": part.gateway_id,
            "receipt": part.receipt.name(),
            "at": time(part.at),
        })
    });
    value["parts"] = parts.collect();
    Ok(value)
}

/// Notifications for programs, the newest first.
pub fn list(
    store: &Store,
    account: Option<&Account>,
    open: bool,
    limit: usize,
) -> Result<Vec<(Notification, String, String)>, DeskError> {
    let mut names = Names::default();
    let account = account.map(|account| account.id);
    let found = store.notifications(account, limit.min(MOST_LISTED))?;
    let wanted = found
        .into_iter()
        .filter(|notification| !open || !notification.state.is_finished());
    wanted
        .map(|notification| {
            let (account, device) = names.of(store, &notification)?;
            Ok((notification, account, device))
        })
        .collect()
}
