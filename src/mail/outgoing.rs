//! What people and programs ask of mail that is to be sent: the command line and the API come here.

use serde_json::{Value, json};

use super::batch;
use crate::content::Format;
use crate::content::email::{Head, Mail};
use crate::store::{QueuedMail, Reached, Recipient, Store, StoreError, SubmissionState};
use crate::sync::{AccountId, ItemId};

/// Mails that a list has at most.
pub const MOST_LISTED: usize = 10_000;

/// Why something that was asked for is not done.
#[derive(Debug, thiserror::Error)]
pub enum OutgoingError {
    /// There is no such mail.
    #[error("{0}")]
    NotFound(String),
    /// It is there, and that cannot be done with it.
    #[error("{0}")]
    Refused(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Which mail: `1-42` is item 42 of account 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutgoingId {
    /// Whose.
    pub account: AccountId,
    /// The mail.
    pub item: ItemId,
}

impl std::fmt::Display for OutgoingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.account, self.item)
    }
}

impl std::str::FromStr for OutgoingId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number > 0);
        let parts = text.split_once('-');
        parts
            .and_then(|(account, item)| {
                Some(Self {
                    account: AccountId(number(account)?),
                    item: ItemId(number(item)?),
                })
            })
            .ok_or_else(|| format!("{text} is no id of an outgoing mail, such as 1-42"))
    }
}

/// A mail that is to be sent, or was, with what its header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMail {
    /// How far it is.
    pub queued: QueuedMail,
    /// Its subject; `None` if the mail is not there any more.
    pub subject: Option<String>,
}

impl OutgoingMail {
    /// Its id.
    pub fn id(&self) -> OutgoingId {
        OutgoingId {
            account: self.queued.account,
            item: self.queued.item,
        }
    }

    /// One word for people and programs: `waiting`, `under way`, `sent`, `in doubt`, `refused`, `in part` or `gone`.
    pub fn state(&self) -> &'static str {
        if self.queued.state != SubmissionState::Finished {
            return match self.queued.held {
                true => "under way",
                false => "waiting",
            };
        }
        let all = &self.queued.recipients;
        let every = |what: Reached| !all.is_empty() && all.iter().all(|one| one.reached == what);
        match () {
            () if every(Reached::Sent) => "sent",
            () if every(Reached::Unknown) => "in doubt",
            () if every(Reached::Refused) => "refused",
            () if all.is_empty() => "gone",
            () => "in part",
        }
    }
}

fn of(store: &Store, queued: QueuedMail) -> Result<OutgoingMail, StoreError> {
    let items = batch::items(store, queued.account, &[queued.item])?;
    let stored = items
        .iter()
        .find(|item| !item.meta.deleted && item.meta.format == Format::Mail);
    let subject = stored.and_then(|item| {
        let (_, begin) = Mail::state(&item.body).ok()?;
        Some(Head::of(item.body.get(begin..)?).subject)
    });
    Ok(OutgoingMail { queued, subject })
}

/// Mail of accounts, of each what is not finished first, then the newest.
pub fn list(
    store: &Store,
    accounts: &[AccountId],
    open: bool,
    last: usize,
) -> Result<Vec<OutgoingMail>, OutgoingError> {
    let mut found = Vec::new();
    for account in accounts {
        for queued in store.queued_mails(*account, last.min(MOST_LISTED))? {
            if !(open && queued.state == SubmissionState::Finished) {
                found.push(of(store, queued)?);
            }
        }
    }
    found.truncate(last.min(MOST_LISTED));
    Ok(found)
}

/// One mail.
pub fn show(store: &Store, id: OutgoingId) -> Result<OutgoingMail, OutgoingError> {
    let queued = store.queued_mail(id.account, id.item)?;
    let queued = queued.ok_or_else(|| unknown(id))?;
    Ok(of(store, queued)?)
}

fn unknown(id: OutgoingId) -> OutgoingError {
    OutgoingError::NotFound(format!("there is no outgoing mail {id}"))
}

fn missing(id: OutgoingId, error: StoreError) -> OutgoingError {
    match error {
        StoreError::NotFound => unknown(id),
        error => error.into(),
    }
}

/// Sends a mail again to those that do not have it, or may not have it; one that waits is tried at once. `now`: milliseconds since 1970.
pub fn retry(store: &Store, id: OutgoingId, now: i64) -> Result<OutgoingMail, OutgoingError> {
    let before = show(store, id)?;
    if before.subject.is_none() {
        return Err(OutgoingError::Refused(format!(
            "the mail of {id} is not there any more"
        )));
    }
    let again = |mail: &mut QueuedMail| {
        let all_have_it = mail
            .recipients
            .iter()
            .all(|one| one.reached == Reached::Sent);
        let waits = mail.state == SubmissionState::Waiting;
        if !(waits || mail.state == SubmissionState::Finished)
            || (!waits && !mail.recipients.is_empty() && all_have_it)
        {
            return false;
        }
        mail.state = SubmissionState::Waiting;
        mail.why = None;
        // What stands for all of them is no address.
        mail.recipients.retain(|one| !one.address.is_empty());
        let rest = mail.recipients.iter_mut();
        for one in rest.filter(|one| one.reached != Reached::Sent) {
            one.reached = Reached::Waiting;
            one.why.clear();
        }
        true
    };
    let (queued, changed) = store
        .change_mail(id.account, id.item, now, again)
        .map_err(|error| missing(id, error))?;
    if !changed {
        return Err(OutgoingError::Refused(match queued.state {
            SubmissionState::Finished => format!("all recipients of {id} have it"),
            _ => format!("{id} is on its way right now"),
        }));
    }
    Ok(of(store, queued)?)
}

/// Gives a mail up that waits; its sender is told. `now`: milliseconds since 1970.
pub fn cancel(store: &Store, id: OutgoingId, now: i64) -> Result<OutgoingMail, OutgoingError> {
    let why = "it was cancelled by the operator";
    let give_up = move |mail: &mut QueuedMail| {
        if mail.state != SubmissionState::Waiting {
            return false;
        }
        // From here on there is nothing but to tell its sender.
        mail.state = SubmissionState::Settled;
        if mail.recipients.is_empty() {
            mail.recipients.push(Recipient {
                address: String::new(),
                reached: Reached::Waiting,
                why: String::new(),
            });
        }
        let rest = mail.recipients.iter_mut();
        for one in rest.filter(|one| one.reached == Reached::Waiting) {
            one.reached = Reached::Refused;
            why.clone_into(&mut one.why);
        }
        mail.why = Some(why.to_owned());
        true
    };
    let (queued, changed) = store
        .change_mail(id.account, id.item, now, give_up)
        .map_err(|error| missing(id, error))?;
    if !changed {
        return Err(OutgoingError::Refused(match queued.state {
            SubmissionState::Finished => format!("{id} is finished"),
            _ => format!("{id} is on its way right now"),
        }));
    }
    Ok(of(store, queued)?)
}

/// For programs.
pub fn to_json(mail: &OutgoingMail, account: &str) -> Value {
    let time = |at: Option<i64>| {
        let time = chrono::DateTime::from_timestamp_millis(at?)?;
        Some(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    };
    let queued = &mail.queued;
    let recipients = queued.recipients.iter().map(|one| {
        json!({
            "address": one.address,
            "state": one.reached,
            "why": (!one.why.is_empty()).then_some(&one.why),
        })
    });
    json!({
        "id": mail.id().to_string(),
        "account": account,
        "subject": mail.subject,
        "state": mail.state(),
        "created": time(Some(queued.created)),
        "due": time(queued.due.filter(|_| !queued.held)),
        "finished": time(queued.finished),
        "attempts": queued.attempts,
        "why": queued.why,
        "recipients": recipients.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreConfig;
    use crate::sync::Secret;

    const NOW: i64 = 1_800_000_000_000;

    fn one(address: &str, reached: Reached) -> Recipient {
        Recipient {
            address: address.to_owned(),
            reached,
            why: "so".to_owned(),
        }
    }

    /// A mail whose recipients have come to that.
    fn mail(recipients: Vec<Recipient>, finished: bool) -> (Store, OutgoingId) {
        let store = Store::open(&StoreConfig {
            url: "sqlite::memory:".into(),
            key: None,
        })
        .unwrap();
        let account = store.add_account("ann", &Secret("x".into())).unwrap().id;
        let item = batch::Batch::write(&store, account, 1, |batch, _| {
            let mail = Mail::received(b"Subject: Tea\r\n\r\nx".to_vec(), 1);
            Ok(batch.add_mail(mail, ItemId(0)))
        })
        .unwrap();
        store.queue_mail(account, item, NOW).unwrap();
        let mut claimed = store.claim_mail("n", NOW, NOW + 1_000).unwrap();
        let mut queued = claimed.pop().unwrap();
        queued.recipients = recipients;
        queued.attempts = 3;
        if finished {
            queued.state = SubmissionState::Finished;
        }
        let due = (!finished).then_some(NOW + 60_000);
        store.settle_mail("n", &queued, due, false, NOW).unwrap();
        (store, OutgoingId { account, item })
    }

    #[test]
    fn only_those_that_may_not_have_it_get_it_again() {
        let (store, id) = mail(
            vec![
                one("a@x", Reached::Sent),
                one("b@x", Reached::Refused),
                one("c@x", Reached::Unknown),
            ],
            true,
        );
        assert_eq!(show(&store, id).unwrap().state(), "in part");
        let again = retry(&store, id, NOW + 5).unwrap();
        assert_eq!(
            (again.state(), again.subject.as_deref()),
            ("waiting", Some("Tea"))
        );
        let reached: Vec<Reached> = again
            .queued
            .recipients
            .iter()
            .map(|one| one.reached)
            .collect();
        assert_eq!(reached, [Reached::Sent, Reached::Waiting, Reached::Waiting]);
        assert_eq!(
            (again.queued.due, again.queued.attempts),
            (Some(NOW + 5), 0)
        );
        assert_eq!(store.claim_mail("n", NOW + 5, NOW + 99).unwrap().len(), 1);
        // Somebody has it now.
        let error = retry(&store, id, NOW + 6).unwrap_err().to_string();
        assert!(error.contains("right now"), "{error}");
    }

    #[test]
    fn what_all_have_and_what_is_gone_is_not_sent_again() {
        let (store, id) = mail(vec![one("a@x", Reached::Sent)], true);
        let error = retry(&store, id, NOW).unwrap_err().to_string();
        assert!(error.contains("have it"), "{error}");
        assert!(matches!(
            cancel(&store, id, NOW),
            Err(OutgoingError::Refused(_))
        ));
        let (store, id) = mail(vec![one("", Reached::Refused)], true);
        store.delete_items(id.account, None, &[id.item]).unwrap();
        assert!(matches!(
            retry(&store, id, NOW),
            Err(OutgoingError::Refused(_))
        ));
        let other = OutgoingId {
            item: ItemId(99),
            ..id
        };
        for result in [
            retry(&store, other, NOW),
            cancel(&store, other, NOW),
            show(&store, other),
        ] {
            assert!(matches!(result, Err(OutgoingError::NotFound(_))));
        }
    }

    #[test]
    fn what_waits_can_be_given_up_and_what_stood_for_all_is_no_address() {
        let (store, id) = mail(Vec::new(), false);
        assert_eq!(list(&store, &[id.account], true, 9).unwrap().len(), 1);
        let given_up = cancel(&store, id, NOW).unwrap();
        assert_eq!(given_up.queued.state, SubmissionState::Settled);
        assert_eq!(given_up.queued.recipients[0].reached, Reached::Refused);
        let mut claimed = store.claim_mail("n", NOW, NOW + 1).unwrap();
        let mut queued = claimed.pop().unwrap();
        queued.state = SubmissionState::Finished;
        store.settle_mail("n", &queued, None, false, NOW).unwrap();
        assert_eq!(show(&store, id).unwrap().state(), "refused");
        assert!(list(&store, &[id.account], true, 9).unwrap().is_empty());
        assert_eq!(list(&store, &[id.account], false, 9).unwrap().len(), 1);
        assert!(retry(&store, id, NOW).unwrap().queued.recipients.is_empty());
    }

    #[test]
    fn ids_come_back() {
        let id: OutgoingId = "3-42".parse().unwrap();
        assert_eq!((id.account, id.item), (AccountId(3), ItemId(42)));
        assert_eq!(id.to_string(), "3-42");
        for bad in ["", "3", "3-", "-1-2", "3-x", "0-1"] {
            bad.parse::<OutgoingId>().unwrap_err();
        }
    }
}
