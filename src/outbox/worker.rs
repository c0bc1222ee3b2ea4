//! Claims what is due, plans it, hands it to gateways, and writes down what became of it.
//!
//! Each gateway has a lane of its own, so that a slow one holds up nobody else. In a lane a submission is written down before
//! the next one begins (`in_flight` at once): that is what a sudden end can double. What is held is bounded, whatever waits in
//! the database.

mod mail;
mod report;
mod submit;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use super::figures::Figures;
use super::mail::{MailRules, Worth};
use super::message::{self, Sender};
use super::plan::{self, Channel, Facts, Receipts, Route, Step};
use super::policy::Policy;
use super::wanted::{self, MOST_JUDGED};
use crate::sms::{Addressing, CircuitState, Gateways};
use crate::store::{NotificationFacts, Settlement, Store, StoreError};
use crate::sync::{
    Datastore, Notification, NotificationId, NotificationKind, NotificationState, PartReceipt,
    Windows,
};
use report::Said;
use submit::Job;

pub use report::NOTE_LIFE;

/// How often the database is looked at for what other processes queued.
const LOOK: Duration = Duration::from_millis(200);
/// After a word that something changed, for more of them.
const BREATH: Duration = Duration::from_millis(2);
/// Notifications in the hands of a node at most.
const MOST_HELD: usize = 512;
/// After an error of the database.
const DATABASE_PAUSE: Duration = Duration::from_secs(1);
/// Those that wait for the same gateway come back over so long a time, milliseconds.
const SPREAD: i64 = 20_000;
/// How often old notifications are removed.
const PRUNE: Duration = Duration::from_secs(600);

/// What an outbox is run with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// For messages.
    pub sender: Sender,
    /// What the operator allows.
    pub policy: Policy,
    /// Which new mail is worth a notification, where accounts and devices have no rules of their own.
    pub mail: MailRules,
    /// Which mails devices have, where nothing was set for them.
    pub mail_windows: Windows,
    /// Submissions to a gateway at once.
    pub in_flight: usize,
    /// How long a node that says nothing keeps what it claimed.
    pub lease: Duration,
    /// How long finished notifications are kept.
    pub keep: Duration,
    /// What texts from phones can ask for.
    pub texts: super::events::Texts,
}

/// A node's outbox. Cheap to clone.
#[derive(Clone)]
pub struct Outbox(Arc<Shared>);

struct Shared {
    store: Store,
    gateways: Gateways,
    settings: Settings,
    node: String,
    figures: Arc<Figures>,
    lanes: Mutex<HashMap<String, Arc<Semaphore>>>,
    /// What is in the gateways' hands; each is dropped when it is written down what became of it.
    held: Mutex<HashMap<NotificationId, watch::Sender<()>>>,
    changed: Arc<Notify>,
    stopping: AtomicBool,
    /// Until when all that is held was renewed.
    renewed_until: AtomicI64,
}

/// What a look at the database brought.
#[derive(Default)]
struct Round {
    jobs: Vec<Job>,
    /// There may be more that is due.
    more: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// A random number; a poor one if the system gives none.
pub(super) fn jitter() -> u32 {
    getrandom::u32().unwrap_or(500)
}

impl Outbox {
    /// Over a store and gateways. [`Outbox::run`] is what works.
    pub fn new(store: Store, gateways: Gateways, settings: Settings) -> Self {
        let changed = Arc::new(Notify::new());
        let waker = Arc::clone(&changed);
        store.when_outbox_changes(move || waker.notify_one());
        Self(Arc::new(Shared {
            store,
            gateways,
            settings,
            node: format!("{}-{:08x}", std::process::id(), jitter()),
            figures: Arc::default(),
            lanes: Mutex::default(),
            held: Mutex::default(),
            changed,
            stopping: AtomicBool::new(false),
            renewed_until: AtomicI64::new(0),
        }))
    }

    /// What it counts.
    pub fn figures(&self) -> Arc<Figures> {
        Arc::clone(&self.0.figures)
    }

    pub(super) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    /// Works until [`Outbox::stop`]; what is in the gateways' hands then is waited for.
    pub async fn run(&self) {
        let mut jobs = JoinSet::new();
        let mut renewed = tokio::time::Instant::now();
        let mut pruned: Option<tokio::time::Instant> = None;
        let mut troubled = false;
        let mut said = Said::default();
        while !self.is_stopping() {
            if renewed.elapsed() * 3 > self.0.settings.lease {
                renewed = tokio::time::Instant::now();
                self.blocking(Self::renew).await;
            }
            if pruned.is_none_or(|last| last.elapsed() > PRUNE) {
                pruned = Some(tokio::time::Instant::now());
                self.blocking(Self::prune).await;
            }
            self.report(&mut said).await;
            let mut pause = LOOK;
            match self.blocking(Self::round).await {
                Some(Ok(round)) => {
                    if std::mem::take(&mut troubled) {
                        tracing::info!("the outbox works again");
                    }
                    for job in round.jobs {
                        let outbox = self.clone();
                        jobs.spawn(async move { outbox.submit(job).await });
                    }
                    if round.more {
                        pause = Duration::ZERO;
                    }
                }
                Some(Err(error)) => {
                    if !std::mem::replace(&mut troubled, true) {
                        tracing::error!("the outbox cannot use the database: {error}");
                    }
                    pause = DATABASE_PAUSE;
                }
                None => pause = DATABASE_PAUSE,
            }
            while jobs.try_join_next().is_some() {}
            if pause == Duration::ZERO {
                continue;
            }
            tokio::select! {
                () = self.0.changed.notified() => tokio::time::sleep(BREATH).await,
                () = tokio::time::sleep(pause) => {}
                // A place is free again.
                Some(_) = jobs.join_next() => {}
            }
        }
        while jobs.join_next().await.is_some() {}
        self.unsay().await;
    }

    /// Takes nothing new any more.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        self.0.changed.notify_one();
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }

    /// Runs what blocks. `None`: it failed, and said so on standard error.
    pub(super) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> T + Send + 'static,
    ) -> Option<T> {
        let outbox = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&outbox)).await;
        done.inspect_err(|error| tracing::error!("the outbox failed: {error}"))
            .ok()
    }

    /// For a notification in this node's hands: what ends when it is let go.
    pub(super) fn in_hand(&self, id: NotificationId) -> Option<watch::Receiver<()>> {
        lock(&self.0.held).get(&id).map(watch::Sender::subscribe)
    }

    fn renew(&self) {
        let held: Vec<NotificationId> = lock(&self.0.held).keys().copied().collect();
        if held.is_empty() {
            return;
        }
        let until = now() + self.lease();
        match self.0.store.renew_notifications(&self.0.node, held, until) {
            Ok(()) => self.0.renewed_until.store(until, Ordering::Relaxed),
            Err(error) => tracing::warn!("leases of notifications cannot be renewed: {error}"),
        }
    }

    fn prune(&self) {
        let keep = i64::try_from(self.0.settings.keep.as_millis()).unwrap_or(i64::MAX);
        let before = now().saturating_sub(keep);
        loop {
            match self.0.store.prune_notifications(before) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!("old notifications cannot be removed: {error}");
                    return;
                }
            }
        }
    }

    fn lease(&self) -> i64 {
        i64::try_from(self.0.settings.lease.as_millis()).unwrap_or(i64::MAX / 2)
    }

    /// Claims what is due and plans it. What only waits or is over is written down at once.
    fn round(&self) -> Result<Round, StoreError> {
        let store = &self.0.store;
        let begun = now();
        if lock(&self.0.held).len() >= MOST_HELD
            || store.next_notification_due()?.is_none_or(|due| due > begun)
        {
            return Ok(Round::default());
        }
        let node = &self.0.node;
        let lease_until = begun + self.lease();
        let claimed = store.claim_notifications(node, begun, lease_until)?;
        let mut round = Round {
            more: !claimed.is_empty(),
            ..Round::default()
        };
        let mut settlements = Vec::new();
        for notification in claimed {
            match self.next(&notification, begun) {
                Ok((facts, Step::Send { gateways })) => {
                    lock(&self.0.held).insert(notification.id, watch::Sender::new(()));
                    round.jobs.push(Job {
                        notification,
                        facts: *facts,
                        gateways,
                        lease_until,
                    });
                }
                Ok((facts, step)) => {
                    let settlement = self.settlement(&notification, step, begun);
                    settlements.push(considered(settlement, &notification, &facts));
                }
                Err(StoreError::NotFound) => settlements.push(self.settlement(
                    &notification,
                    Step::Finish {
                        state: NotificationState::Dropped,
                        why: "the device is gone".into(),
                    },
                    begun,
                )),
                Err(error) => return Err(error),
            }
        }
        if !settlements.is_empty() {
            store.settle_notifications(node, begun, settlements)?;
        }
        Ok(round)
    }

    /// The next step of a notification.
    fn next(
        &self,
        notification: &Notification,
        now: i64,
    ) -> Result<(Box<NotificationFacts>, Step), StoreError> {
        let policy = &self.0.settings.policy;
        let mut known = self
            .0
            .store
            .notification_facts(notification, now, policy.day(now))?;
        let facts = Facts {
            routes: self.routes(&known),
            ..facts(notification, &known)
        };
        let mut step = plan::plan(&facts, policy, now);
        if matches!(step, Step::Send { .. })
            && notification.kind == NotificationKind::Change
            && notification.state != NotificationState::Sent
        {
            let worth = self.leave_out(&mut known, now)?;
            step = match worth {
                _ if !known.changed.is_empty() => step,
                Worth::Later(until) => Step::Wait {
                    until,
                    why: Some("quiet hours of mail".into()),
                },
                Worth::Now => Step::Finish {
                    state: NotificationState::Dropped,
                    why: "nothing changed that passes the phone's filter".into(),
                },
                Worth::Outside => Step::Finish {
                    state: NotificationState::Dropped,
                    why: "no new mail is among those that the phone is to have (its mail window, or its filter)".into(),
                },
                Worth::NextSync => Step::Finish {
                    state: NotificationState::Dropped,
                    why: "no new mail is worth a notification by the rules for mail ([push.mail], the account's, the device's); it waits for the next sync"
                        .into(),
                },
            };
        }
        if let Step::Send { gateways } = &mut step {
            if known.frozen.is_some()
                && let Some(gateway) = &notification.gateway
            {
                // Parts of a message come from one place, or the phone does not put them together.
                *gateways = vec![gateway.clone()];
            }
            if let Some(wait) = self.resting(gateways, now) {
                step = wait;
            }
        }
        Ok((Box::new(known), step))
    }

    /// Takes datastores out of what changed of which the device wants nothing; and says what the mail among it is worth.
    fn leave_out(&self, facts: &mut NotificationFacts, now: i64) -> Result<Worth, StoreError> {
        let zone = self.0.settings.policy.zone;
        let (account, device) = (facts.account.id, facts.device.id);
        let mail = Datastore::Mail;
        for (view, filter) in &facts.filters {
            if *view == mail || !facts.changed.contains(view) {
                continue;
            }
            let news = self.0.store.news(account, device, *view, MOST_JUDGED)?;
            if !wanted::passes(filter, &news, zone) {
                facts.changed.retain(|changed| changed != view);
            }
        }
        // A phone without a sync client has no view of what is new to it.
        if !facts.changed.contains(&mail) || facts.text_only {
            return Ok(Worth::Now);
        }
        let news = self.0.store.news(account, device, mail, MOST_JUDGED)?;
        if news.iter().any(wanted::is_rest) {
            return Ok(Worth::Now);
        }
        let worth = self.worth_of_mail(facts, now)?;
        if worth != Worth::Now {
            facts.changed.retain(|changed| *changed != mail);
        }
        Ok(worth)
    }

    /// Ways to the device in the order of its preference.
    fn routes(&self, facts: &NotificationFacts) -> Vec<Route> {
        let to = message::recipient(facts);
        let able = self.0.gateways.routes(&to);
        let channel = |addressing| match addressing {
            Addressing::Number => Channel::Sms,
            Addressing::Device => Channel::Connection,
            Addressing::Anyone => Channel::Loopback,
        };
        let route = |(name, _, addressing): &(&str, &str, Addressing)| Route {
            gateway: (*name).to_owned(),
            channel: channel(*addressing),
            spent: facts
                .spent_gateways
                .iter()
                .find(|(gateway, _)| gateway == name)
                .map_or(0, |(_, sms)| *sms),
        };
        if facts.reach.channels.is_empty() {
            return able.iter().map(route).collect();
        }
        let mut routes: Vec<Route> = Vec::new();
        for wanted in &facts.reach.channels {
            let meant = able.iter().filter(|(name, kind, addressing)| {
                let sms = wanted == "sms" && *addressing == Addressing::Number;
                sms || wanted == name || wanted == kind
            });
            for route in meant.map(route) {
                if !routes.iter().any(|known| known.gateway == route.gateway) {
                    routes.push(route);
                }
            }
        }
        routes
    }

    /// A step that waits, if every one of these gateways is left alone for a while.
    fn resting(&self, gateways: &[String], now: i64) -> Option<Step> {
        let states = self.0.gateways.states();
        let mut least: Option<(i64, String)> = None;
        for name in gateways {
            let state = states.iter().find(|state| state.name == *name)?;
            match &state.circuit {
                CircuitState::Open { remaining, why } if !remaining.is_zero() => {
                    let pause = i64::try_from(remaining.as_millis()).unwrap_or(i64::MAX);
                    if least.as_ref().is_none_or(|(shortest, _)| pause < *shortest) {
                        least = Some((pause, format!("{name}: {why}")));
                    }
                }
                _ => return None,
            }
        }
        let (pause, why) = least?;
        Some(Step::Wait {
            until: now + pause + i64::from(jitter()) % SPREAD.min(pause.max(1)),
            why: Some(why),
        })
    }

    fn settlement(&self, notification: &Notification, step: Step, now: i64) -> Settlement {
        let kept = match notification.state {
            NotificationState::Sent => NotificationState::Sent,
            _ => NotificationState::Waiting,
        };
        let (state, due, why) = match step {
            Step::Wait { until, why } => (kept, until, why),
            Step::Finish { state, why } => (state, now, Some(why)),
            Step::Send { .. } => (kept, now, None),
        };
        if state.is_finished() {
            self.0.figures.finished(state);
            if let (NotificationState::Synced, Some(submitted)) = (state, notification.submitted) {
                self.0.figures.synced(now - submitted);
            }
        }
        Settlement {
            id: notification.id,
            device: notification.device,
            state,
            due,
            noted: why.is_some() && why != notification.why,
            why,
            tried: false,
            submission: None,
            considered: None,
            again: state.is_finished() && notification.kind != NotificationKind::Settings,
        }
    }
}

/// One that is over and went nowhere is not followed by another one until something else changes: what is not wanted, or
/// refused for good, would come back at once.
fn considered(
    settlement: Settlement,
    notification: &Notification,
    facts: &NotificationFacts,
) -> Settlement {
    let is_over = settlement.state.is_finished() && notification.submitted.is_none();
    Settlement {
        considered: is_over.then_some(facts.account.modseq),
        ..settlement
    }
}

/// What counts, of what is known.
fn facts(notification: &Notification, known: &NotificationFacts) -> Facts {
    let mut receipts = Receipts::default();
    for (_, receipt) in &known.receipts {
        receipts.parts += 1;
        match receipt {
            PartReceipt::None => {}
            PartReceipt::Pending => receipts.pending += 1,
            PartReceipt::Delivered => receipts.delivered += 1,
            PartReceipt::Failed => receipts.failed += 1,
        }
    }
    Facts {
        notification: notification.clone(),
        in_session: known.in_session,
        changed: known.changed.clone(),
        answered: known.answered,
        covered_until: known.covered_until,
        ignored: known.ignored,
        last_submitted: known.last_submitted,
        routes: Vec::new(),
        spent_device: known.spent_device,
        spent_account: known.spent_account,
        receipts,
        text_only: known.text_only,
        settled: notification.kind == NotificationKind::Settings && !known.reach.unbound,
    }
}
