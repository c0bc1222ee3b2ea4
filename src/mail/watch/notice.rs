//! Tells an account, by a mail in its own inbox, that a mailbox of it cannot be watched.

use crate::mail::intake::{Intake, IntakeError};
use crate::store::Store;
use crate::sync::Mailbox;

/// Puts the mail into the inbox.
pub(super) fn tell(store: &Store, mailbox: &Mailbox, why: Option<&str>) -> Result<(), IntakeError> {
    let now = chrono::Utc::now();
    let account = store.account_by_id(mailbox.id.account)?.name;
    let address = &mailbox.address;
    let why = why.unwrap_or("the mail server refuses the login");
    let text = format!(
        "From: candybar <postmaster@localhost>\r\nTo: <{address}>\r\nSubject: No new mail from {address}\r\n\
         Date: {date}\r\nMessage-ID: <mailbox-{id}-{millis}@candybar.invalid>\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\nAuto-Submitted: auto-generated\r\n\r\n\
         Mail of {address} cannot be fetched: {why}.\r\n\r\nWhoever runs the server can give the new password with\r\n\
         candybar mailbox set {account} {address} --password-file FILE\r\n",
        date = now.to_rfc2822(),
        id = mailbox.id,
        millis = now.timestamp_millis(),
    );
    Intake::new(store.clone())
        .deliver(mailbox.id.account, text.as_bytes(), now.timestamp())
        .map(drop)
}
