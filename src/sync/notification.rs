//! Notifications in the outbox: what the server has to say to a device, and how far that came.
//!
//! A notification is about a device, not about a change: what there is to say is looked up when it is sent. Times are
//! milliseconds since 1970.

use super::{AccountId, Datastore, DeviceId, Modseq};

/// Names a notification; as text `ACCOUNT-NUMBER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct NotificationId {
    /// Whose.
    pub account: AccountId,
    /// From 1, within the account; never used again.
    pub number: i64,
}

impl std::fmt::Display for NotificationId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.account.0, self.number)
    }
}

impl std::str::FromStr for NotificationId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<i64>().ok()).flatten()
        };
        text.split_once('-')
            .and_then(|(account, id)| {
                Some(Self {
                    account: AccountId(number(account)?),
                    number: number(id)?,
                })
            })
            .ok_or_else(|| format!("{text} is no id of a notification, such as 1-17"))
    }
}

/// Why there is a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationKind {
    /// Items of the account changed. A device has at most one of these that is not finished.
    #[default]
    Change,
    /// Somebody asked for it.
    Push,
    /// Settings for the device.
    Settings,
}

impl NotificationKind {
    /// All, the position is the number in the database - 1.
    pub const ALL: [Self; 3] = [Self::Change, Self::Push, Self::Settings];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Push => "push",
            Self::Settings => "settings",
        }
    }
}

/// How far a notification came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotificationState {
    /// It is to be looked at when it is due.
    #[default]
    Waiting,
    /// A node has it in its hands.
    Sending,
    /// A gateway took it (or may have); the phone has not come yet.
    Sent,
    /// The phone came and knows what there was to know. Finished, as are all that follow.
    Synced,
    /// Settings: the phone has them, as the gateway says.
    Delivered,
    /// The phone did not come.
    Unanswered,
    /// No gateway took it, or the network could not deliver it.
    Failed,
    /// It became too old before it could be sent.
    Expired,
    /// Somebody cancelled it.
    Cancelled,
    /// There was nothing left to say.
    Dropped,
}

impl NotificationState {
    /// All, the position is the number in the database - 1.
    pub const ALL: [Self; 10] = [
        Self::Waiting,
        Self::Sending,
        Self::Sent,
        Self::Synced,
        Self::Delivered,
        Self::Unanswered,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
        Self::Dropped,
    ];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Synced => "synced",
            Self::Delivered => "delivered",
            Self::Unanswered => "unanswered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
        }
    }

    /// Nothing more happens with it.
    pub const fn is_finished(self) -> bool {
        !matches!(self, Self::Waiting | Self::Sending | Self::Sent)
    }
}

macro_rules! numbered {
    ($name:ident) => {
        impl $name {
            /// The number in the database.
            pub const fn number(self) -> i64 {
                self as i64 + 1
            }

            /// From the number in the database.
            pub fn from_number(number: i64) -> Option<Self> {
                let index = usize::try_from(number).ok()?.checked_sub(1)?;
                Self::ALL.get(index).copied()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

numbered!(NotificationKind);
numbered!(NotificationState);

/// A notification as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notification {
    /// Which.
    pub id: NotificationId,
    /// For whom.
    pub device: DeviceId,
    /// Why.
    pub kind: NotificationKind,
    /// How far it came.
    pub state: NotificationState,
    /// When the first change happened, or somebody asked.
    pub created: i64,
    /// When it is to be looked at, or the lease of `node` ends; `None` when it is finished.
    pub due: Option<i64>,
    /// Who has a lease on it.
    pub node: Option<String>,
    /// When it was finished.
    pub finished: Option<i64>,
    /// Submissions that were tried.
    pub attempts: i64,
    /// Channels that had their turn.
    pub used: i64,
    /// The gateway that took it, or a part of it.
    pub gateway: Option<String>,
    /// When a gateway took all of it.
    pub submitted: Option<i64>,
    /// The account's counter at that time.
    pub told_modseq: Modseq,
    /// The datastores that it named.
    pub told: Vec<Datastore>,
    /// The datastores that were asked for; none means those that changed.
    pub wanted: Vec<Datastore>,
    /// The newest word on it, for people.
    pub why: Option<String>,
}

/// One step of a notification's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationEvent {
    /// When.
    pub at: i64,
    /// The state from then on.
    pub state: NotificationState,
    /// What happened, for people.
    pub what: String,
}

/// What the network said of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartReceipt {
    /// Nothing.
    #[default]
    None,
    /// It is under way.
    Pending,
    /// The phone has it.
    Delivered,
    /// The phone will not get it.
    Failed,
}

impl PartReceipt {
    /// All, the position is the number in the database.
    pub const ALL: [Self; 4] = [Self::None, Self::Pending, Self::Delivered, Self::Failed];

    /// The number in the database.
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// From the number in the database.
    pub fn from_number(number: i64) -> Self {
        let known = usize::try_from(number).ok();
        known
            .and_then(|index| Self::ALL.get(index).copied())
            .unwrap_or_default()
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }
}

/// A part that a gateway took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedPart {
    /// Which submission of the notification, from 1.
    pub attempt: i64,
    /// Which part, from 0.
    pub part: u8,
    /// Who took it.
    pub gateway: String,
    /// The gateway's own name for it.
    pub gateway_id: Option<String>,
    /// What the network said of it.
    pub receipt: PartReceipt,
    /// When it was taken.
    pub at: i64,
}

/// How a device is spoken to without its asking.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// Gateways or kinds of them, in order; empty: as configured. `none` alone: never.
    pub channels: Vec<String>,
    /// The form of its notifications, set by hand: `san`, `syncml-1.1`, `emn`, `si` or `sl`.
    pub form: Option<String>,
    /// When it last held a connection; 0: never.
    pub connected: i64,
    /// The device has a password of its own, and no phone has come with it yet.
    pub unbound: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_numbers_come_back() {
        let id: NotificationId = "12-345".parse().expect("an id");
        assert_eq!((id.account, id.number), (AccountId(12), 345));
        assert_eq!(id.to_string(), "12-345");
        for bad in [
            "",
            "1",
            "-1",
            "1-",
            "a-1",
            "1--1",
            "+1-2",
            "1-99999999999999999999",
        ] {
            bad.parse::<NotificationId>().expect_err(bad);
        }
        for kind in NotificationKind::ALL {
            assert_eq!(NotificationKind::from_number(kind.number()), Some(kind));
        }
        for state in NotificationState::ALL {
            assert_eq!(NotificationState::from_number(state.number()), Some(state));
        }
        assert_eq!(NotificationState::from_number(0), None);
        assert_eq!(NotificationState::from_number(11), None);
    }
}
