//! Watchers: one task for each mailbox of a node, leased in the database.
//!
//! A task connects, brings the store's copy up to date, and waits: for the server (IDLE, NOTIFY), for phones' changes, for
//! time. When it ends for any reason the reason and the time of the next try are written down with the lease given back.
//! There are no threads for mailboxes, and a task that waits holds a connection and a few kilobytes.

mod carry;
mod drafts;
mod imap;
mod notice;
mod pop3;
mod pull;
mod task;
mod tree;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::mail::Figures;
use crate::store::{Store, StoreError};
use crate::sync::{Mailbox, MailboxId};

/// How often the database is looked at for mailboxes to watch and changes to carry.
const LOOK: Duration = Duration::from_secs(2);
/// Mailboxes that one claim takes at most.
const CLAIM: usize = 64;
/// How long a stopping node waits for its watchers.
const FAREWELL: Duration = Duration::from_secs(5);

/// What watchers are run with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Messages that are older are not mirrored.
    pub age: Duration,
    /// Messages of a folder that are mirrored at most.
    pub count: usize,
    /// Octets of a message that are mirrored before a device asks for the rest.
    pub octets: usize,
    /// Octets of a message that is fetched whole.
    pub max_message: usize,
    /// How often is looked where the server tells nothing by itself.
    pub poll: Duration,
    /// How long others leave alone what a node that died watched.
    pub lease: Duration,
    /// Mailboxes that are watched at most.
    pub watchers: usize,
    /// The first pause before a server that was lost is tried again; it doubles.
    pub pause: Duration,
}

/// The watchers of a node. Cheap to clone.
#[derive(Clone)]
pub struct Watchers(Arc<Shared>);

struct Shared {
    store: Store,
    settings: Settings,
    node: String,
    running: Mutex<HashMap<MailboxId, Handle>>,
    stopping: AtomicBool,
    /// There is something to do before the next look.
    woken: Notify,
    figures: Arc<Figures>,
}

/// What a running task is reached by.
struct Handle {
    /// Something is to be carried to the server.
    stirred: Arc<Notify>,
    stop: watch::Sender<bool>,
}

/// The looks of a node: all of its parts look in the same moments, so that it is woken once.
pub(super) fn ticks() -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    ticks
}

/// Milliseconds since 1970.
fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

impl Watchers {
    /// Over a store. [`Watchers::run`] is what works.
    pub fn new(store: Store, settings: Settings) -> Self {
        let random = getrandom::u32().unwrap_or_default();
        Self(Arc::new(Shared {
            store,
            settings,
            node: format!("{}-{random:08x}", std::process::id()),
            running: Mutex::default(),
            stopping: AtomicBool::new(false),
            woken: Notify::new(),
            figures: Arc::default(),
        }))
    }

    /// What they count.
    pub fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.0.figures)
    }

    /// Mailboxes that are watched now.
    pub fn watched(&self) -> usize {
        self.running().len()
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashMap<MailboxId, Handle>> {
        self.0
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes nothing new any more, and ends what is watched.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        self.0.woken.notify_one();
    }

    /// Works until [`Watchers::stop`].
    pub async fn run(&self) {
        let mut tasks = JoinSet::new();
        let mut renewed = tokio::time::Instant::now();
        let mut troubled = false;
        let mut sign = self.0.store.change_sign();
        let mut ticks = ticks();
        let (mut woken, mut due) = (true, None);
        while !self.0.stopping.load(Ordering::Relaxed) {
            let renews = renewed.elapsed() * 3 > self.0.settings.lease;
            if renews {
                renewed = tokio::time::Instant::now();
            }
            let looks = woken || renews || due.is_some_and(|due| due <= now());
            // Where nothing was written and nothing is due, the database is left alone.
            if !(sign.mail_may_stir() || looks) {
                woken = self.pause(&mut ticks).await;
                continue;
            }
            match self.blocking(move |watchers| watchers.look(renews)).await {
                Some(Ok((claimed, next))) => {
                    due = next;
                    if std::mem::take(&mut troubled) {
                        tracing::info!("mailboxes are watched again");
                    }
                    for mailbox in claimed {
                        self.start(mailbox, &mut tasks);
                    }
                }
                Some(Err(error)) => {
                    due = Some(0);
                    let known = std::mem::replace(&mut troubled, true);
                    if !known {
                        tracing::error!("the watchers cannot use the database: {error}");
                    }
                }
                None => {}
            }
            while tasks.try_join_next().is_some() {}
            woken = self.pause(&mut ticks).await;
        }
        for handle in self.running().values() {
            let _unused = handle.stop.send(true);
        }
        let all = async { while tasks.join_next().await.is_some() {} };
        let _unused = tokio::time::timeout(FAREWELL, all).await;
    }

    /// Waits for the next look; true if there is something to do.
    async fn pause(&self, ticks: &mut tokio::time::Interval) -> bool {
        tokio::select! {
            () = self.0.woken.notified() => true,
            _ = ticks.tick() => false,
        }
    }

    /// Renews, claims, and finds what is to be carried. Gives what was claimed, and when the next is due.
    fn look(&self, renews: bool) -> Result<(Vec<Mailbox>, Option<i64>), StoreError> {
        let shared = &self.0;
        let lease = i64::try_from(shared.settings.lease.as_millis()).unwrap_or(i64::MAX / 2);
        let (store, node) = (&shared.store, &shared.node);
        if renews {
            let held = store.renew_mailboxes(node, now() + lease)?;
            for (id, handle) in self.running().iter() {
                if !held.contains(id) {
                    let _unused = handle.stop.send(true);
                }
            }
        }
        for id in store.stirred_mailboxes(node)? {
            if let Some(handle) = self.running().get(&id) {
                handle.stirred.notify_one();
            }
        }
        let watched = self.watched();
        if watched >= shared.settings.watchers
            || (watched > 0 && watched + CLAIM > shared.settings.watchers.max(CLAIM * 2))
        {
            return Ok((Vec::new(), Some(0)));
        }
        let claimed = store.claim_mailboxes(node, now(), now() + lease)?;
        Ok((claimed, store.next_mailbox_due()?))
    }

    fn start(&self, mailbox: Mailbox, tasks: &mut JoinSet<()>) {
        let id = mailbox.id;
        let stirred = Arc::new(Notify::new());
        let (stop, stopped) = watch::channel(false);
        let handle = Handle {
            stirred: Arc::clone(&stirred),
            stop,
        };
        if let Some(before) = self.running().insert(id, handle) {
            // Its lease was lost, and came back.
            let _unused = before.stop.send(true);
        }
        let watchers = self.clone();
        tasks.spawn(async move {
            let (inner, woken, watched) = (watchers.clone(), Arc::clone(&stirred), mailbox.clone());
            // Apart, so that one that fails is settled like one that ends.
            let watching =
                tokio::spawn(async move { task::run(&inner, watched, &woken, stopped).await });
            let due = match watching.await {
                Ok(due) => due,
                Err(_) => task::failed(&watchers, mailbox).await,
            };
            watchers.forget(id, &stirred);
            let pause = u64::try_from(due - now()).unwrap_or(0);
            if Duration::from_millis(pause) < LOOK {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                watchers.0.woken.notify_one();
            }
        });
    }

    /// A task ended; a newer one of the same mailbox stays.
    fn forget(&self, id: MailboxId, stirred: &Arc<Notify>) {
        let mut running = self.running();
        if running
            .get(&id)
            .is_some_and(|handle| Arc::ptr_eq(&handle.stirred, stirred))
        {
            running.remove(&id);
        }
    }

    /// Runs what blocks. `None`: it failed, and said so.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let watchers = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&watchers)).await;
        done.inspect_err(|error| tracing::error!("a watcher failed: {error}"))
            .ok()
    }
}
