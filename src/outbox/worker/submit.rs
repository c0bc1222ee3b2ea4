//! One notification through the gateways.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::message::{self, Built};
use super::super::plan::{self, Refusal, Step};
use super::{Outbox, considered, jitter, lock, now};
use crate::sms::{GatewayError, Outcome};
use crate::store::{NotificationFacts, Settlement, Submission};
use crate::sync::{Notification, NotificationState};

/// A notification that is to be handed over.
pub(super) struct Job {
    pub(super) notification: Notification,
    pub(super) facts: NotificationFacts,
    /// In the order in which they are asked.
    pub(super) gateways: Vec<String>,
    pub(super) lease_until: i64,
}

impl Outbox {
    /// Hands a notification over and writes down what became of it.
    pub(super) async fn submit(&self, job: Job) {
        let id = job.notification.id;
        match self.hand_over(&job).await {
            Some((settlement, _place)) => self.settle(&job, settlement).await,
            // Somebody else may have it at once.
            None => {
                self.blocking(move |outbox| {
                    let store = &outbox.0.store;
                    store.release_notifications(&outbox.0.node, vec![id], now())
                })
                .await;
            }
        }
        lock(&self.0.held).remove(&id);
    }

    async fn settle(&self, job: &Job, settlement: Settlement) {
        let id = settlement.id;
        let attempt = job.notification.attempts + 1;
        let written = self
            .blocking(move |outbox| {
                let store = &outbox.0.store;
                store.settle_notifications(&outbox.0.node, now(), vec![settlement])
            })
            .await;
        match written {
            Some(Ok(1)) => {}
            Some(Ok(_)) => tracing::warn!(
                notification.id = %id,
                "the notification was taken away while it was under way; it may go out twice"
            ),
            Some(Err(error)) => tracing::error!(
                notification.id = %id,
                notification.attempt = attempt,
                "what became of the notification cannot be written down: {error}"
            ),
            None => {}
        }
    }

    fn lane(&self, gateway: &str) -> Arc<Semaphore> {
        let mut lanes = lock(&self.0.lanes);
        let new = || Arc::new(Semaphore::new(self.0.settings.in_flight.max(1)));
        Arc::clone(lanes.entry(gateway.to_owned()).or_insert_with(new))
    }

    /// What became of it, with the place in the gateway's lane, which is free when that is written down. `None`: nothing was
    /// tried.
    async fn hand_over(&self, job: &Job) -> Option<(Settlement, Option<OwnedSemaphorePermit>)> {
        let notification = &job.notification;
        let built = match message::build(notification, &job.facts, &self.0.settings.sender, now()) {
            Ok(built) => built,
            Err(error) => {
                let step = Step::Finish {
                    state: NotificationState::Failed,
                    why: format!("it cannot be written: {error}"),
                };
                let settlement = self.settlement(notification, step, now());
                return Some((considered(settlement, notification, &job.facts), None));
            }
        };
        let mut refusal = Refusal {
            permanent: false,
            retry_after: None,
            why: "no gateway serves this phone".into(),
        };
        for gateway in &job.gateways {
            let place = self.lane(gateway).acquire_owned().await.ok()?;
            let begun = now();
            if self.is_stopping() || !self.holds(job, begun) {
                return None;
            }
            let outcome = self
                .0
                .gateways
                .submit(&built.message, &built.missing, Some(gateway))
                .await;
            match outcome.error.clone() {
                None => {
                    let settlement = self.taken(job, built, gateway, outcome, begun, None);
                    return Some((settlement, Some(place)));
                }
                Some(error) if !error.is_certain() => {
                    let doubt = Some(error.to_string());
                    let settlement = self.taken(job, built, gateway, outcome, begun, doubt);
                    return Some((settlement, Some(place)));
                }
                Some(error) => {
                    self.0.figures.refused(gateway);
                    refusal = Refusal {
                        permanent: matches!(
                            error,
                            GatewayError::Rejected {
                                permanent: true,
                                ..
                            }
                        ),
                        retry_after: outcome
                            .retry_after
                            .and_then(|pause| i64::try_from(pause.as_millis()).ok()),
                        why: format!("{gateway}: {error}"),
                    };
                    if !outcome.accepted.is_empty() {
                        let settlement =
                            self.in_part(job, built, gateway, &outcome, begun, &refusal);
                        return Some((settlement, Some(place)));
                    }
                    if !error.lets_another_try() {
                        break;
                    }
                }
            }
        }
        let now = now();
        tracing::debug!(notification.id = %notification.id, "not taken: {}", refusal.why);
        let step = plan::refused(notification, &refusal, now, jitter());
        let settlement = Settlement {
            tried: true,
            ..self.settlement(notification, step, now)
        };
        Some((considered(settlement, notification, &job.facts), None))
    }

    /// The lease lasts: nobody else has it.
    fn holds(&self, job: &Job, now: i64) -> bool {
        now < job.lease_until.max(self.0.renewed_until.load(Relaxed))
    }

    /// The gateway has all of it, or may have.
    fn taken(
        &self,
        job: &Job,
        built: Built,
        gateway: &str,
        outcome: Outcome,
        begun: i64,
        doubt: Option<String>,
    ) -> Settlement {
        let notification = &job.notification;
        let now = now();
        self.0
            .figures
            .submitted(gateway, now - notification.created);
        let why = match &doubt {
            None => format!("{gateway} took it"),
            Some(doubt) => format!("{gateway}: {doubt}"),
        };
        tracing::info!(
            notification.id = %notification.id,
            account.name = job.facts.account.name,
            device.id = job.facts.device.uri,
            sms.gateway = gateway,
            sms.parts = built.missing.len(),
            "notification: {why}"
        );
        // Receipts can come for parts of which the gateway did not answer.
        let parts = built.missing.iter().map(|part| {
            let accepted = outcome.accepted.iter().find(|taken| taken.part == *part);
            (*part, accepted.and_then(|taken| taken.gateway_id.clone()))
        });
        let parts: Vec<_> = parts.collect();
        let submission = self.submission(job, &built, gateway, parts, begun, doubt.is_none());
        Settlement {
            id: notification.id,
            device: notification.device,
            state: NotificationState::Sent,
            due: now + self.0.settings.policy.answer,
            why: Some(why),
            noted: true,
            tried: true,
            submission: Some(submission),
            considered: None,
            again: false,
        }
    }

    /// The gateway has some parts; the others have to follow.
    fn in_part(
        &self,
        job: &Job,
        built: Built,
        gateway: &str,
        outcome: &Outcome,
        begun: i64,
        refusal: &Refusal,
    ) -> Settlement {
        let now = now();
        let step = plan::refused(&job.notification, refusal, now, jitter());
        let parts = outcome.accepted.iter();
        let parts = parts.map(|taken| (taken.part, taken.gateway_id.clone()));
        let mut submission = self.submission(job, &built, gateway, parts.collect(), begun, true);
        submission.whole = false;
        submission.frozen = Some(built.frozen);
        Settlement {
            tried: true,
            submission: Some(submission),
            ..self.settlement(&job.notification, step, now)
        }
    }

    fn submission(
        &self,
        job: &Job,
        built: &Built,
        gateway: &str,
        parts: Vec<(u8, Option<String>)>,
        begun: i64,
        certain: bool,
    ) -> Submission {
        let costs = self.0.gateways.costs(gateway);
        Submission {
            gateway: gateway.to_owned(),
            cost: if costs { parts.len() as u32 } else { 0 },
            parts,
            day: self.0.settings.policy.day(begun),
            told_modseq: job.facts.account.modseq,
            told_round: job.facts.rounds,
            told: built.told.clone(),
            begun,
            whole: true,
            certain,
            frozen: None,
        }
    }
}
