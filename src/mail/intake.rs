//! Mail that is handed to us: from bytes to an item of an account's mail, committed before anybody is told so.

use std::sync::Arc;

use super::batch::Batch;
use super::lmtp::{Deliver, Verdict};
use crate::content::email::{FolderRole, Mail};
use crate::store::{Store, StoreError};
use crate::sync::{AccountId, ItemId, MailboxId};

/// Takes mail into a store.
#[derive(Clone)]
pub struct Intake {
    store: Store,
}

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// It is no message.
    #[error("{0}")]
    NoMessage(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Intake {
    /// Into this store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Puts a message into an account's inbox; it is durable when this comes back. `now`: seconds since 1970.
    pub fn deliver(
        &self,
        account: AccountId,
        message: &[u8],
        now: i64,
    ) -> Result<ItemId, IntakeError> {
        let mail = Mail::received(check(message)?.to_vec(), now);
        let delivered = Batch::write(&self.store, account, now, |batch, tree| {
            let inbox = tree.of_role(FolderRole::Inbox, batch);
            Ok(batch.add_mail(mail.clone(), inbox))
        });
        Ok(delivered?)
    }
}

/// The message, if it is one: a header field comes first.
fn check(message: &[u8]) -> Result<&[u8], IntakeError> {
    if message.trim_ascii().is_empty() {
        return Err(IntakeError::NoMessage("the message is empty"));
    }
    // An mbox line before the header is a habit of delivery agents.
    let message = match message.strip_prefix(b"From ") {
        Some(rest) => match memchr::memchr(b'\n', rest) {
            Some(at) => &rest[at + 1..],
            None => &[],
        },
        None => message,
    };
    let first = message.split(|octet| *octet == b'\n').next();
    let field = first.and_then(|line| line.split(|octet| *octet == b':').next());
    let named = field.is_some_and(|name| {
        !name.is_empty()
            && name.len() <= 128
            && name.iter().all(|octet| matches!(octet, 33..=126))
            && first.is_some_and(|line| line.len() > name.len())
    });
    match named {
        true => Ok(message),
        false => Err(IntakeError::NoMessage(
            "the message does not begin with a header field",
        )),
    }
}

/// Mail by LMTP: recipients are the addresses of local mailboxes.
pub struct LocalMail {
    intake: Intake,
    now: Arc<dyn Fn() -> i64 + Send + Sync>,
}

impl LocalMail {
    /// Into this store. `now` gives seconds since 1970.
    pub fn new(store: Store, now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self {
            intake: Intake::new(store),
            now: Arc::new(now),
        }
    }
}

/// The mailbox of this server that has an address.
pub(super) fn local_mailbox(store: &Store, address: &str) -> Result<Option<MailboxId>, StoreError> {
    let found = match store.local_mailbox(address)? {
        Some(mailbox) => Some(mailbox),
        // A detail behind a plus is the user's own matter (RFC 5233).
        None => match without_detail(address) {
            Some(plain) => store.local_mailbox(&plain)?,
            None => None,
        },
    };
    Ok(found.map(|mailbox| mailbox.id))
}

fn without_detail(address: &str) -> Option<String> {
    let (local, domain) = address.rsplit_once('@')?;
    let (local, _) = local.split_once('+')?;
    Some(format!("{local}@{domain}"))
}

impl Deliver for LocalMail {
    fn knows(&self, address: &str) -> Result<bool, String> {
        local_mailbox(&self.intake.store, address)
            .map(|found| found.is_some())
            .map_err(|error| error.to_string())
    }

    fn deliver(&self, recipients: &[String], message: &[u8]) -> Vec<Verdict> {
        let now = (self.now)();
        let deliver = |recipient: &String| -> Result<Verdict, IntakeError> {
            let Some(mailbox) = local_mailbox(&self.intake.store, recipient)? else {
                return Ok(Verdict::Unknown);
            };
            self.intake.deliver(mailbox.account, message, now)?;
            Ok(Verdict::Delivered)
        };
        recipients
            .iter()
            .map(|recipient| match deliver(recipient) {
                Ok(verdict) => verdict,
                Err(IntakeError::NoMessage(why)) => Verdict::Refused(why.to_owned()),
                Err(IntakeError::Store(StoreError::NotFound)) => Verdict::Unknown,
                Err(IntakeError::Store(error)) => {
                    tracing::error!("a mail cannot be stored: {error}");
                    Verdict::Later("the mail cannot be stored now".to_owned())
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            "",
            "\r\n\r\n",
            "hello\r\n",
            "a b: c\r\n",
            ": x\r\n",
            "From x\n",
            "<html>\r\n",
        ] {
            check(bad.as_bytes()).expect_err(bad);
        }
        for (good, begins) in [
            ("Subject: a\r\n\r\nb", "Subject"),
            ("From: a@b\n\nb", "From:"),
            ("From a@b Thu Jan  1\nSubject: a\n\nb", "Subject"),
        ] {
            let kept = check(good.as_bytes()).expect(good);
            assert!(kept.starts_with(begins.as_bytes()), "{good}");
        }
    }
}
