//! What a device does its own way in sessions, notifications and settings; what it does with items is a
//! [`Dialect`](crate::content::Dialect).

use crate::content::effects::{effects, replaced};
use crate::sync::Datastore;

/// What the device's times mean, whatever its DevInf says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Times {
    /// Local times, both ways.
    Local,
    /// UTC, both ways.
    Utc,
    /// UTC is sent; times that come without a `Z` are UTC too.
    UnmarkedUtc,
}

/// How our DevInf tells the TYPE values of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DevInfParams {
    /// A parameter for each: `HOME`, `WORK`.
    Names,
    /// A parameter TYPE with a list of values.
    Type,
}

/// The form of notification that a device understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notification {
    /// OMA DS 1.2 server alerted notification.
    San,
    /// The notification of SyncML 1.1: a message of Alerts.
    #[serde(rename = "syncml-1.1")]
    SyncMl11,
    /// OMA e-mail notification.
    Emn,
    /// WAP service indication: a text for the user.
    Si,
    /// WAP service loading.
    Sl,
}

/// How much a notification involves the user (OMA DS Notification 1.2, UI mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UiMode {
    /// The device decides.
    NotSpecified,
    /// No sign of it.
    Background,
    /// The user is told.
    Informative,
    /// The user is asked.
    UserInteraction,
}

/// How a device takes its settings by SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Provisioning {
    /// OMA client provisioning.
    Cp,
    /// Nokia and Ericsson OTA settings 7.0.
    NokiaOta,
}

replaced!(Times, DevInfParams, Notification, UiMode, Provisioning);

effects! {
    /// What a device does its own way beside its items. All fields unset: nothing.
    pub struct Traits {
        /// Octets of the largest message that it takes, whatever it announces.
        max_message: u32,
        /// So many of a hundred octets of the size that it announces are used.
        message_percent: u8,
        /// Deletes of one message.
        max_deletes: u16,
        /// `true`: what leaves the device only because its filter leaves it out is a soft delete.
        soft_deletes: bool,
        /// `true`: a Status that tells a failure (500 and above) has no Item.
        bare_errors: bool,
        /// So much is added to the Size of a large object.
        size_excess: u8,
        /// `true`: in a slow sync it gets no Replace; what it needs follows with the next sync.
        no_slow_replace: bool,
        /// `true`: commands of ours that have no Status when the session ends were carried out.
        silent_success: bool,
        /// The root element of an XML message has a namespace.
        root_namespace: bool,
        /// What its times mean.
        times: Times,
        /// `true`: the MaxSize of its DevInf is wrong.
        ignore_max_size: bool,
        /// `true`: its CTCap is incomplete.
        ignore_capabilities: bool,
        /// `true`: items have the content types of the legacy forms, and these forms, whatever it prefers.
        legacy_forms: bool,
        /// How our DevInf tells types.
        devinf_params: DevInfParams,
        /// Datastores that our DevInf does not name, unless the device asked for them.
        devinf_hides: Vec<Datastore>,
        /// The notification that it understands.
        notification: Notification,
        /// How much a notification involves the user.
        ui_mode: UiMode,
        /// How it takes its settings by SMS.
        provisioning: Provisioning,
        /// `true`: the body of a mail is sent again when the mail moves to another folder.
        mail_body_on_move: bool,
    }
}

/// Fewest octets of a message that a rule may ask for.
const LEAST_MESSAGE: u32 = 1_024;

impl Traits {
    /// Checks what the types leave open: the effect and what is wrong with it.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        if self
            .max_message
            .is_some_and(|octets| octets < LEAST_MESSAGE)
        {
            let why = format!("a message has at least {LEAST_MESSAGE} octets");
            return Err(("max_message", why));
        }
        if self
            .message_percent
            .is_some_and(|percent| !(10..=100).contains(&percent))
        {
            return Err((
                "message_percent",
                "it is a number from 10 to 100".to_owned(),
            ));
        }
        if self.max_deletes == Some(0) {
            return Err(("max_deletes", "it is at least 1".to_owned()));
        }
        Ok(())
    }
}
