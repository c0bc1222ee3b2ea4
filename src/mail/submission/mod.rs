//! Mail of phones on its way to the world: a durable queue, and nodes that work on it.
//!
//! A mail that a phone puts into its outbox is in the queue with the same transaction. A node claims it with a lease, makes a message of it
//! ([`compose`](crate::content::email::compose)), puts it into the inboxes of those recipients whose mailboxes are kept here, and hands it to the
//! account's submission server for the others. The message's id is the same in every attempt.
//! Before the content goes out this is written down; what happens to the node or the connection after that is never answered by a second
//! copy: the sender is told that it may not have been sent. What is refused or too old is told as well, by a mail.
//!
//! **Invariant**: content goes out for a recipient at most once, unless the server has said that it did not take it.

mod policy;
mod smtp;
mod work;

pub use policy::Settings;
pub use smtp::{Login, Security, Server};

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

use crate::content::email::{Head, Mail, Mailbox};
use crate::store::{QueuedMail, Store, StoreError};
use crate::sync::{AccountId, ItemId};

/// Mails in the hands of a node at once.
const MOST_HELD: usize = 16;

/// How an account's mail goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Where; `None` if it goes to nobody but those whose mailboxes this server keeps.
    pub server: Option<Server>,
    /// The account's own addresses, the usual one first.
    pub addresses: Vec<Mailbox>,
}

/// What the queue needs of the account's mailbox. Its methods block.
pub trait Post: Send + Sync + 'static {
    /// How the account's mail goes out.
    fn sender(&self, account: AccountId) -> Result<Sender, String>;
    /// The account that has a mailbox here with that address.
    fn local(&self, address: &str) -> Result<Option<AccountId>, StoreError>;
    /// A mail of the account; `None` if it is not there any more.
    fn mail(&self, account: AccountId, item: ItemId) -> Result<Option<Mail>, StoreError>;
    /// The mail that this one answers, if there is one.
    fn answered(&self, account: AccountId, written: &Head) -> Result<Option<Head>, StoreError>;
    /// The mail was sent, at least to some: it is to be among the sent ones, with this message. Doing it again changes nothing.
    fn sent(&self, account: AccountId, item: ItemId, message: Vec<u8>) -> Result<(), StoreError>;
    /// A mail for the account's inbox. `from` is the sender of its envelope, and empty for reports.
    fn deliver(&self, account: AccountId, from: &str, message: Vec<u8>) -> Result<(), StoreError>;
}

/// A node's part in sending mail. Cheap to clone.
#[derive(Clone)]
pub struct Submission(Arc<Shared>);

struct Shared {
    store: Store,
    post: Arc<dyn Post>,
    settings: Settings,
    node: String,
    changed: Notify,
    stopping: Notify,
}

/// Milliseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

impl Submission {
    /// Over a store. [`Submission::run`] is what works.
    pub fn new(store: Store, post: Arc<dyn Post>, settings: Settings) -> Self {
        let random = getrandom::u32().unwrap_or(0);
        Self(Arc::new(Shared {
            store,
            post,
            settings,
            node: format!("{}-{random:08x}", std::process::id()),
            changed: Notify::new(),
            stopping: Notify::new(),
        }))
    }

    /// Looks at the queue at once.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }

    /// Ends [`Submission::run`] when what is in hand is done.
    pub fn stop(&self) {
        self.0.stopping.notify_one();
    }

    /// Works until it is stopped.
    pub async fn run(&self) {
        let permits = Arc::new(Semaphore::new(MOST_HELD));
        let mut work = JoinSet::new();
        let mut sign = self.0.store.change_sign();
        let mut ticks = super::watch::ticks();
        let (mut woken, mut due) = (true, None);
        loop {
            while work.try_join_next().is_some() {}
            let looks = woken || due.is_some_and(|due| due <= now());
            if !(sign.mail_may_stir() || looks) {
                match self.pause(&mut ticks).await {
                    Some(told) => woken = told,
                    None => break,
                }
                continue;
            }
            let free = permits.available_permits();
            let claimed = if free == 0 {
                Ok((Vec::new(), Some(0)))
            } else {
                self.claim().await
            };
            match claimed {
                Ok((claimed, next)) => {
                    due = next;
                    woken = !claimed.is_empty();
                    for mail in claimed {
                        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else {
                            return;
                        };
                        let this = self.clone();
                        work.spawn(async move {
                            work::mail(&this.0, mail).await;
                            drop(permit);
                        });
                    }
                    if woken {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::error!("the queue of mail cannot be read: {error}");
                    due = Some(0);
                }
            }
            match self.pause(&mut ticks).await {
                Some(told) => woken = told,
                None => break,
            }
        }
        while work.join_next().await.is_some() {}
    }

    /// Waits for the next look; true if there is something to do, `None` if it is to stop.
    async fn pause(&self, ticks: &mut tokio::time::Interval) -> Option<bool> {
        tokio::select! {
            () = self.0.stopping.notified() => None,
            () = self.0.changed.notified() => Some(true),
            _ = ticks.tick() => Some(false),
        }
    }

    /// What was due, and when the next is.
    async fn claim(&self) -> Result<(Vec<QueuedMail>, Option<i64>), StoreError> {
        let shared = Arc::clone(&self.0);
        blocking(move || {
            let at = now();
            match shared.store.next_mail_due()? {
                Some(due) if due <= at => {
                    let until = at + shared.settings.lease_milliseconds();
                    let claimed = shared.store.claim_mail(&shared.node, at, until)?;
                    Ok((claimed, shared.store.next_mail_due()?))
                }
                due => Ok((Vec::new(), due)),
            }
        })
        .await
    }
}

/// Runs what blocks beside the tasks.
async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::Corrupt(
            "a task of the mail queue ended".to_owned(),
        )),
    }
}
