//! `[push]`: when the server speaks first, and how often.

use std::time::Duration;

use super::layer::Layers;
use super::number;
use crate::outbox::events::Texts;
use crate::outbox::mail::{self, MailRules};
use crate::outbox::policy::Policy;

/// `[push]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushConfig {
    /// Waiting times, quiet hours, budgets.
    pub policy: Policy,
    /// Which new mail wakes phones.
    pub mail: MailRules,
    /// Submissions to a gateway at once.
    pub in_flight: usize,
    /// How long a node that says nothing keeps what it claimed.
    pub lease: Duration,
    /// How long finished notifications are kept.
    pub keep: Duration,
    /// What texts from phones can ask for.
    pub texts: Texts,
}

impl PushConfig {
    /// Of values that were checked.
    pub(super) fn of(layers: &Layers) -> Self {
        let text = |name: &str| &*layers.setting(name).text;
        let milliseconds = |name: &str, unit: i64| number::<i64>(layers, name) * unit * 1000;
        Self {
            policy: Policy {
                coalesce: milliseconds("push.coalesce_seconds", 1),
                answer: milliseconds("push.answer_seconds", 1),
                expire: milliseconds("push.expire_hours", 3600),
                quiet: text("push.quiet_hours").parse().ok(),
                zone: number(layers, "sync.time_zone"),
                sms_per_device: number(layers, "push.sms_per_device_per_day"),
                sms_per_account: number(layers, "push.sms_per_account_per_day"),
                sms_per_gateway: number(layers, "push.sms_per_gateway_per_day"),
            },
            mail: MailRules {
                folders: mail::folders(text("push.mail.folders")),
                senders: mail::patterns(text("push.mail.senders")),
                ignored: mail::patterns(text("push.mail.ignore")),
                importance: text("push.mail.importance").parse().unwrap_or_default(),
                quiet: text("push.mail.quiet_hours").parse().ok(),
                always: mail::patterns(text("push.mail.always")),
            },
            in_flight: number(layers, "push.in_flight"),
            lease: Duration::from_secs(number(layers, "push.lease_seconds")),
            keep: Duration::from_secs(number::<u64>(layers, "push.keep_days") * 86_400),
            texts: match text("push.texts") {
                "sync" => Texts::Sync,
                "all" => Texts::All,
                _ => Texts::Off,
            },
        }
    }
}
