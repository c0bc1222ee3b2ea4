//! What an ended session did, for the log and the metrics.

use crate::session;

/// Numbers of a session that ended.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The account's name.
    pub account: String,
    /// The device's address.
    pub device: String,
    /// SessionID.
    pub session: String,
    /// Per datastore.
    pub views: Vec<session::ViewSummary>,
}

impl Summary {
    pub(super) fn new(
        summary: session::Summary,
        account: &str,
        device: &str,
        session: &str,
    ) -> Self {
        Self {
            account: account.to_owned(),
            device: device.to_owned(),
            session: session.to_owned(),
            views: summary.views,
        }
    }

    /// Items taken from the phone.
    pub fn received(&self) -> u64 {
        self.views
            .iter()
            .map(|view| &view.counts)
            .map(|counts| {
                u64::from(counts.received_added)
                    + u64::from(counts.received_replaced)
                    + u64::from(counts.received_deleted)
            })
            .sum()
    }

    /// Items sent to the phone.
    pub fn sent(&self) -> u64 {
        self.views
            .iter()
            .map(|view| &view.counts)
            .map(|counts| {
                u64::from(counts.sent_added)
                    + u64::from(counts.sent_replaced)
                    + u64::from(counts.sent_deleted)
            })
            .sum()
    }
}
