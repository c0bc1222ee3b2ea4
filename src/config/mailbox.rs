//! `[mail]`: where mail comes from, and how much of it is mirrored.

use std::time::Duration;

use super::layer::Layers;
use super::number;

/// `[mail]`, as far as mailboxes are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxConfig {
    /// Where delivery agents hand us mail by LMTP; nowhere if `None`.
    pub lmtp: Option<String>,
    /// Largest message that is taken, octets.
    pub max_message: usize,
    /// Messages that are older are not mirrored, days.
    pub days: u32,
    /// Messages of a folder that are mirrored at most: the newest.
    pub count: usize,
    /// Octets of a message that are mirrored before a device asks for the rest.
    pub octets: usize,
    /// How often is looked where the server tells nothing by itself.
    pub poll: Duration,
    /// How long others leave alone what a node that died watched.
    pub lease: Duration,
    /// Mailboxes that this node watches at most.
    pub watchers: usize,
}

impl MailboxConfig {
    /// Of values that were checked.
    pub(super) fn of(layers: &Layers) -> Self {
        let lmtp = layers.setting("mail.lmtp").text.clone();
        Self {
            lmtp: Some(lmtp).filter(|lmtp| !lmtp.is_empty()),
            max_message: number(layers, "mail.max_message_bytes"),
            days: number(layers, "mail.mirror_days"),
            count: number(layers, "mail.mirror_count"),
            octets: number(layers, "mail.mirror_bytes"),
            poll: Duration::from_secs(number(layers, "mail.poll_seconds")),
            lease: Duration::from_secs(number(layers, "mail.lease_seconds")),
            watchers: number(layers, "mail.watchers"),
        }
    }
}
