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
        self.take(account, check(message)?.to_vec(), now)
    }

    /// As [`Self::deliver`], for a message with an envelope: its sender is kept in the field Return-Path (RFC 5321 section 4.4). An empty
    /// one is that of reports.
    pub fn deliver_from(
        &self,
        account: AccountId,
        sender: &str,
        message: &[u8],
        now: i64,
    ) -> Result<ItemId, IntakeError> {
        let message = returning_to(sender, check(message)?);
        self.take(account, message, now)
    }

    fn take(&self, account: AccountId, message: Vec<u8>, now: i64) -> Result<ItemId, IntakeError> {
        let mail = Mail::received(message, now);
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

/// A message with the sender of its envelope. What it says of that itself is somebody else's word, and goes.
fn returning_to(sender: &str, message: &[u8]) -> Vec<u8> {
    let sender: String = sender
        .chars()
        .filter(|c| !c.is_control() && !matches!(c, '<' | '>'))
        .collect();
    let mut out = format!("Return-Path: <{sender}>\r\n").into_bytes();
    let mut rest = message;
    let mut leaves_out = false;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let (line, behind) = rest.split_at(end);
        if line.trim_ascii().is_empty() {
            break;
        }
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            let name = line.split(|octet| *octet == b':').next();
            leaves_out =
                name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(b"Return-Path"));
        }
        if !leaves_out {
            out.extend_from_slice(line);
        }
        rest = behind;
    }
    out.extend_from_slice(rest);
    out
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

    fn deliver(&self, sender: &str, recipients: &[String], message: &[u8]) -> Vec<Verdict> {
        let now = (self.now)();
        let deliver = |recipient: &String| -> Result<Verdict, IntakeError> {
            let Some(mailbox) = local_mailbox(&self.intake.store, recipient)? else {
                return Ok(Verdict::Unknown);
            };
            self.intake
                .deliver_from(mailbox.account, sender, message, now)?;
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
    fn the_envelope_says_where_a_message_returns_to() {
        let stamp = |sender: &str, message: &str| {
            String::from_utf8(returning_to(sender, message.as_bytes())).unwrap()
        };
        assert_eq!(
            stamp("a@b", "Subject: x\r\n\r\nReturn-Path: y\r\n"),
            "Return-Path: <a@b>\r\nSubject: x\r\n\r\nReturn-Path: y\r\n"
        );
        assert_eq!(
            stamp(
                "",
                "Received: x\n\ty\nreturn-path:\n <evil@x>\nSubject: x\n\nz"
            ),
            "Return-Path: <>\r\nReceived: x\n\ty\nSubject: x\n\nz"
        );
        assert_eq!(stamp("a>\r\nX: y", "S: x"), "Return-Path: <aX: y>\r\nS: x");
    }

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
