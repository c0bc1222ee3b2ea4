//! What is done with one mail of the queue.

use std::sync::Arc;

use super::smtp::{self, Problem};
use super::{Sender, Shared, blocking, now};
use crate::content::email::{Author, Mail, Mailbox, Outgoing, Unreached, compose, report};
use crate::store::{QueuedMail, Reached, Recipient, StoreError, SubmissionState};
use crate::sync::AccountId;

/// Works on a claimed mail. What fails for want of the database is tried again when the lease ends.
pub(super) async fn mail(shared: &Arc<Shared>, mail: QueuedMail) {
    let (account, item) = (mail.account, mail.item);
    if let Err(error) = worked(shared, mail).await {
        tracing::error!(
            account = account.0,
            item = item.0,
            "a mail cannot be worked on: {error}"
        );
    }
}

/// What is known of a mail that is to be sent.
struct Job {
    sender: Sender,
    outgoing: Outgoing,
}

/// Why there is no job.
enum NoJob {
    /// Its owner took it away.
    Gone,
    /// It cannot be sent.
    Refused(String),
    /// Not now.
    Later(String),
}

async fn worked(shared: &Arc<Shared>, mut mail: QueuedMail) -> Result<(), StoreError> {
    if mail.state == SubmissionState::Handed {
        // The node that had it ended while the content was on its way.
        unknown(&mut mail, "the server was stopped while the mail was sent");
        settle(shared, &mut mail, SubmissionState::Settled).await?;
    }
    if mail.state == SubmissionState::Settled {
        return finish(shared, mail).await;
    }
    let job = {
        let (shared, mail) = (Arc::clone(shared), mail.clone());
        blocking(move || job(&shared, &mail)).await?
    };
    let job = match job {
        Ok(job) => job,
        Err(NoJob::Gone) => {
            mail.why = Some("it was taken away before it was sent".to_owned());
            return end(shared, &mut mail, SubmissionState::Finished, None).await;
        }
        Err(NoJob::Refused(why)) => {
            mail.recipients = vec![Recipient {
                address: String::new(),
                reached: Reached::Refused,
                why,
            }];
            settle(shared, &mut mail, SubmissionState::Settled).await?;
            return finish(shared, mail).await;
        }
        Err(NoJob::Later(why)) => return again(shared, mail, why).await,
    };
    if mail.recipients.is_empty() {
        let fresh = |address: &String| Recipient {
            address: address.clone(),
            reached: Reached::Waiting,
            why: String::new(),
        };
        mail.recipients = job.outgoing.recipients.iter().map(fresh).collect();
    }
    if !delivered_here(shared, &mut mail, &job.outgoing).await? {
        // Somebody else has it by now.
        return Ok(());
    }
    let server = match job.sender.server {
        _ if !waits(&mail) => None,
        Some(server) => Some(server),
        None => {
            let why = "the account has no server that sends mail";
            refuse_waiting(&mut mail, why);
            None
        }
    };
    let Some(server) = server else {
        settle(shared, &mut mail, SubmissionState::Settled).await?;
        return finish(shared, mail).await;
    };
    mail.attempts += 1;
    let from = job.outgoing.from.clone();
    let announced = smtp::announce(&server, &from, &mut mail.recipients).await;
    let problem = match announced {
        Ok(Some(announced)) => {
            if !settle(shared, &mut mail, SubmissionState::Handed).await? {
                // Somebody else has it by now.
                return Ok(());
            }
            announced.send(&job.outgoing.message).await.err()
        }
        Ok(None) => Some(Problem::Later(String::new())),
        Err(problem) => Some(problem),
    };
    match problem {
        None => reached(&mut mail, Reached::Sent, ""),
        Some(Problem::Never(why)) => reached(&mut mail, Reached::Refused, &why),
        Some(Problem::Unknown(why)) => unknown(&mut mail, &why),
        Some(Problem::Later(why)) => {
            let mut all = mail.recipients.iter();
            let first = all.find(|of| of.reached == Reached::Waiting);
            let why = match (why.is_empty(), first) {
                (true, Some(first)) => first.why.clone(),
                _ => why,
            };
            if first.is_some() {
                return again(shared, mail, why).await;
            }
        }
    }
    if waits(&mail) {
        let why = "some recipients have to wait".to_owned();
        return again(shared, mail, why).await;
    }
    settle(shared, &mut mail, SubmissionState::Settled).await?;
    finish(shared, mail).await
}

/// Some recipient has no answer yet.
fn waits(mail: &QueuedMail) -> bool {
    let mut all = mail.recipients.iter();
    all.any(|of| of.reached == Reached::Waiting)
}

fn refuse_waiting(mail: &mut QueuedMail, why: &str) {
    let waiting = |of: &&mut Recipient| of.reached == Reached::Waiting;
    for recipient in mail.recipients.iter_mut().filter(waiting) {
        recipient.reached = Reached::Refused;
        why.clone_into(&mut recipient.why);
    }
}

/// Puts the mail into the inboxes of recipients that are here. What is written down before says that it may have been done; so
/// nobody gets it twice. False if somebody else has the mail.
async fn delivered_here(
    shared: &Arc<Shared>,
    mail: &mut QueuedMail,
    outgoing: &Outgoing,
) -> Result<bool, StoreError> {
    let found = {
        let (shared, recipients) = (Arc::clone(shared), mail.recipients.clone());
        blocking(move || {
            let waiting = recipients
                .iter()
                .enumerate()
                .filter(|(_, of)| of.reached == Reached::Waiting);
            let found = waiting.map(|(at, of)| Ok((at, shared.post.local(&of.address)?)));
            found.collect::<Result<Vec<_>, StoreError>>()
        })
        .await?
    };
    let here: Vec<(usize, AccountId)> = found
        .into_iter()
        .filter_map(|(at, account)| Some((at, account?)))
        .collect();
    if here.is_empty() {
        return Ok(true);
    }
    for (at, _) in &here {
        let recipient = &mut mail.recipients[*at];
        recipient.reached = Reached::Unknown;
        "the server was stopped while it was delivered".clone_into(&mut recipient.why);
    }
    if !settle(shared, mail, SubmissionState::Waiting).await? {
        return Ok(false);
    }
    for (at, account) in here {
        let (shared, message) = (Arc::clone(shared), outgoing.message.clone());
        let from = outgoing.from.clone();
        blocking(move || shared.post.deliver(account, &from, message)).await?;
        let recipient = &mut mail.recipients[at];
        recipient.reached = Reached::Sent;
        recipient.why.clear();
    }
    Ok(true)
}

/// What became of the recipients that the server took: those without a word of their own.
fn reached(mail: &mut QueuedMail, what: Reached, why: &str) {
    let taken = |of: &&mut Recipient| of.reached == Reached::Waiting && of.why.is_empty();
    for recipient in mail.recipients.iter_mut().filter(taken) {
        recipient.reached = what;
        why.clone_into(&mut recipient.why);
    }
}

fn unknown(mail: &mut QueuedMail, why: &str) {
    reached(mail, Reached::Unknown, why);
    mail.why = Some(why.to_owned());
}

/// Blocks.
fn job(shared: &Shared, queued: &QueuedMail) -> Result<Result<Job, NoJob>, StoreError> {
    let Some(mail) = shared.post.mail(queued.account, queued.item)? else {
        return Ok(Err(NoJob::Gone));
    };
    let sender = match shared.post.sender(queued.account) {
        Ok(sender) => sender,
        Err(why) => return Ok(Err(NoJob::Later(why))),
    };
    let head = mail.head();
    let answered = shared.post.answered(queued.account, &head)?;
    let author = Author {
        addresses: &sender.addresses,
        id: &queued.message_id,
        // The same in every attempt.
        now: queued.created / 1_000,
        answered: answered.as_ref(),
        max_octets: shared.settings.max_octets,
    };
    Ok(match compose(&mail.message, &author) {
        Ok(outgoing) => Ok(Job { sender, outgoing }),
        Err(refused) => Err(NoJob::Refused(refused.to_string())),
    })
}

/// It is tried again later, or no more.
async fn again(shared: &Arc<Shared>, mut mail: QueuedMail, why: String) -> Result<(), StoreError> {
    mail.attempts = mail.attempts.max(1);
    let next = shared.settings.next(mail.created, mail.attempts, now());
    tracing::warn!(
        account = mail.account.0,
        item = mail.item.0,
        attempts = mail.attempts,
        "a mail is not sent yet: {why}"
    );
    mail.why = Some(why.clone());
    if next.is_some() {
        return end(shared, &mut mail, SubmissionState::Waiting, next).await;
    }
    if mail.recipients.is_empty() {
        mail.recipients.push(Recipient {
            address: String::new(),
            reached: Reached::Waiting,
            why: String::new(),
        });
    }
    for recipient in mail
        .recipients
        .iter_mut()
        .filter(|of| of.reached == Reached::Waiting)
    {
        recipient.reached = Reached::Refused;
        let word = if recipient.why.is_empty() {
            &why
        } else {
            &recipient.why
        };
        recipient.why = format!("it was tried for too long; the last time: {word}");
    }
    settle(shared, &mut mail, SubmissionState::Settled).await?;
    finish(shared, mail).await
}

/// Writes down how far it is, and goes on with it. False if somebody else has it.
async fn settle(
    shared: &Arc<Shared>,
    mail: &mut QueuedMail,
    state: SubmissionState,
) -> Result<bool, StoreError> {
    mail.state = state;
    let (shared, mail) = (Arc::clone(shared), mail.clone());
    blocking(move || {
        let at = now();
        let until = at + shared.settings.lease_milliseconds();
        shared
            .store
            .settle_mail(&shared.node, &mail, Some(until), true, at)
    })
    .await
}

/// Writes down how far it is, and lets go of it.
async fn end(
    shared: &Arc<Shared>,
    mail: &mut QueuedMail,
    state: SubmissionState,
    due: Option<i64>,
) -> Result<(), StoreError> {
    mail.state = state;
    let (shared, mail) = (Arc::clone(shared), mail.clone());
    blocking(move || {
        shared
            .store
            .settle_mail(&shared.node, &mail, due, false, now())
    })
    .await
    .map(|_| ())
}

/// The mailbox is told what became of it.
async fn finish(shared: &Arc<Shared>, mut mail: QueuedMail) -> Result<(), StoreError> {
    {
        let (shared, mail) = (Arc::clone(shared), mail.clone());
        blocking(move || told(&shared, &mail)).await?;
    }
    tracing::info!(
        account = mail.account.0,
        item = mail.item.0,
        attempts = mail.attempts,
        "a mail is done: {} of {} recipients have it",
        mail.recipients
            .iter()
            .filter(|of| of.reached == Reached::Sent)
            .count(),
        mail.recipients.len()
    );
    end(shared, &mut mail, SubmissionState::Finished, None).await
}

/// Blocks.
fn told(shared: &Shared, mail: &QueuedMail) -> Result<(), StoreError> {
    let stored = shared.post.mail(mail.account, mail.item)?;
    let some = |what: Reached| mail.recipients.iter().any(|of| of.reached == what);
    let head = stored.as_ref().map(Mail::head).unwrap_or_default();
    if some(Reached::Sent) || some(Reached::Unknown) {
        if let Ok(Ok(job)) = job(shared, mail).map(|job| job.map(|job| job.outgoing)) {
            shared.post.sent(mail.account, mail.item, job.filed())?;
        } else if let Some(stored) = stored {
            shared.post.sent(mail.account, mail.item, stored.message)?;
        }
    }
    let unreached: Vec<Unreached> = mail
        .recipients
        .iter()
        .filter(|of| matches!(of.reached, Reached::Refused | Reached::Unknown))
        .map(|of| Unreached {
            recipient: of.address.clone(),
            why: of.why.clone(),
            perhaps: of.reached == Reached::Unknown,
        })
        .collect();
    if unreached.is_empty() {
        return Ok(());
    }
    let own = shared.post.sender(mail.account).ok();
    let own = own.and_then(|own| own.addresses.into_iter().next());
    let to = own.or(head.from.first().cloned()).unwrap_or(Mailbox {
        name: String::new(),
        address: "you@localhost".to_owned(),
    });
    let id = format!("{}.report", mail.message_id);
    let report = report(&head, &unreached, &to, &id, now() / 1_000);
    shared.post.deliver(mail.account, "", report)
}
