//! Texts from phones: `SYNC` or `SYNC alice` asks for a push, `SETUP` for settings.

use super::super::desk::{self, DeskError};
use super::super::settings::{SettingsKind, SettingsOrder};
use super::super::worker::Outbox;
use crate::sms::Incoming;
use crate::store::{NewNotification, StoreError};
use crate::sync::{AccountId, Datastore, NotificationKind, Secret};

/// What texts can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Texts {
    /// Nothing.
    #[default]
    Off,
    /// A push.
    Sync,
    /// A push or settings.
    All,
}

/// What a text asks for; with the account's name, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Sync(Option<String>),
    Setup(Option<String>),
}

/// Reads a text; any case, blanks around. `None`: it asks for nothing.
pub(super) fn read(text: &str) -> Option<Wish> {
    let mut words = text.split_whitespace();
    let word = words.next()?;
    let name = words.next().map(str::to_owned);
    if words.next().is_some() {
        return None;
    }
    if word.eq_ignore_ascii_case("sync") {
        Some(Wish::Sync(name))
    } else if word.eq_ignore_ascii_case("setup") {
        Some(Wish::Setup(name))
    } else {
        None
    }
}

impl Outbox {
    pub(super) fn obey(
        &self,
        gateway: &str,
        incoming: &Incoming,
        wish: Option<Wish>,
    ) -> Result<(), StoreError> {
        let from = incoming.from.masked();
        let done = match (wish, self.settings().texts) {
            (None, _) => Err("it asks for nothing that is known"),
            (Some(Wish::Sync(name)), Texts::Sync | Texts::All) => {
                self.push_to(incoming.from.as_str(), name.as_deref())?
            }
            (Some(Wish::Setup(name)), Texts::All) => {
                self.setup(incoming.from.as_str(), name.as_deref())?
            }
            (Some(_), _) => Err("push.texts does not allow it"),
        };
        self.figures().incoming(done.is_ok());
        match done {
            Ok(what) => tracing::info!(sms.gateway = gateway, "a text from {from}: {what}"),
            Err(why) => {
                tracing::info!(
                    sms.gateway = gateway,
                    "a text from {from} is not obeyed: {why}"
                );
            }
        }
        Ok(())
    }

    /// Devices with this number, of that account if it is named.
    fn known(
        &self,
        number: &str,
        name: Option<&str>,
    ) -> Result<Vec<(AccountId, String)>, StoreError> {
        let devices = self.store().devices_by_number(number)?;
        let wanted = devices
            .into_iter()
            .filter(|(_, account, _)| name.is_none_or(|name| name.eq_ignore_ascii_case(account)));
        Ok(wanted.map(|(account, _, uri)| (account, uri)).collect())
    }

    fn push_to(
        &self,
        number: &str,
        name: Option<&str>,
    ) -> Result<Result<&'static str, &'static str>, StoreError> {
        let devices = self.known(number, name)?;
        for (account, uri) in &devices {
            let device = self.store().device(*account, uri)?;
            self.store().queue_notification(NewNotification {
                account: *account,
                device: device.id,
                kind: NotificationKind::Push,
                wanted: Vec::new(),
                parameters: None,
                asked_by: "asked for by a text".into(),
            })?;
        }
        Ok(match devices.is_empty() {
            true => Err("no device has the number"),
            false => Ok("a push is queued"),
        })
    }

    /// Settings for the phone that asks, with the last four digits of its own number as PIN.
    fn setup(
        &self,
        number: &str,
        name: Option<&str>,
    ) -> Result<Result<&'static str, &'static str>, StoreError> {
        let sender = &self.settings().sender;
        let Some(url) = &sender.url else {
            return Ok(Err(
                "public_url is not set, so the phone cannot be told where to synchronise",
            ));
        };
        let known = self.known(number, name)?;
        let Some((account, _)) = known.first() else {
            return Ok(Err("no device has the number"));
        };
        let account = self.store().account_by_id(*account)?;
        let profiles = &sender.profiles;
        let kind = match desk::settings_kind(self.store(), profiles, &account, number, None) {
            Ok(kind) => kind,
            Err(DeskError::Store(error)) => return Err(error),
            Err(_) => SettingsKind::default(),
        };
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let order = SettingsOrder {
            kind: Some(kind),
            name: sender.server_id.clone(),
            url: url.clone(),
            datastores: vec![
                Datastore::Contacts,
                Datastore::Calendar,
                Datastore::Tasks,
                Datastore::Notes,
            ],
            pin: Some(digits[digits.len().saturating_sub(4)..].to_owned()),
            ..SettingsOrder::default()
        };
        let password = Secret(password()?);
        let (server_id, asked_by) = (&*sender.server_id, "asked for by a text");
        let queued = desk::provision(
            self.store(),
            &account,
            server_id,
            number,
            &password,
            &order,
            asked_by,
        );
        match queued {
            Ok(_) => Ok(Ok("settings are queued")),
            Err(DeskError::Store(error)) => Err(error),
            Err(_) => Ok(Err("the settings cannot be written")),
        }
    }
}

/// A password that nobody has to type.
fn password() -> Result<String, StoreError> {
    let mut random = [0_u8; 10];
    getrandom::fill(&mut random).map_err(|error| StoreError::Unavailable(error.to_string()))?;
    Ok(random.iter().map(|octet| format!("{octet:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_people_write_them() {
        for (text, wish) in [
            ("SYNC alice", Some(Wish::Sync(Some("alice".into())))),
            (" sync\r\n", Some(Wish::Sync(None))),
            ("Setup", Some(Wish::Setup(None))),
            ("setup Alice", Some(Wish::Setup(Some("Alice".into())))),
            ("", None),
            ("sync alice now", None),
            ("synchronise", None),
            ("hello", None),
        ] {
            assert_eq!(read(text), wish, "{text:?}");
        }
    }
}
