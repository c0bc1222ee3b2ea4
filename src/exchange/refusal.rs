//! Messages that are refused before there is a session to record them: a wrong password, a message out of order, octets that
//! are no message. They are counted for each device and Status, as far as the account is known.

use super::Exchange;
use crate::sync::AccountId;
use crate::syncml::Code;

impl Exchange {
    /// Remembers a refusal, without waiting for that.
    pub(super) fn remember_refusal(
        &self,
        account: Option<AccountId>,
        device: &str,
        code: Code,
        now: i64,
    ) {
        if let Some(account) = account {
            self.store.refused(account, device, code.0, now);
        }
    }
}
