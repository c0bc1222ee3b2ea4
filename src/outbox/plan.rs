//! What is to be done next with a notification. Pure: facts, policy and time in, a step out.
//!
//! - What there is to say is not kept but looked up: a notification for changes is dropped when a session has brought them.
//! - One for changes waits for more (`coalesce`), for the end of the device's session, for the end of the quiet hours, and
//!   for the answer to the one before; the less a device answers, the longer. One that somebody asked for waits for the session alone.
//! - Routes are tried in order; those of one channel are alternatives, the next channel is the escalation, and there is one.
//! - SMS cost money: budgets hold what would exceed them until the next day.

#[cfg(test)]
mod tests;

use chrono::{TimeZone as _, Timelike as _};

use super::policy::Policy;
use crate::sync::{Datastore, Notification, NotificationKind, NotificationState};

/// How long a device's session is let go on before it is looked at again; its end is told anyway.
const SESSION_LOOK: i64 = 15_000;
/// How long to wait for a gateway that is not configured.
const NO_GATEWAY_PAUSE: i64 = 600_000;
/// The first pause after a gateway did not take it.
const FIRST_PAUSE: i64 = 2_000;
/// The longest pause that we choose ourselves.
const LONGEST_PAUSE: i64 = 300_000;
/// The longest time that a device which does not answer is left alone.
const LONGEST_SILENCE: i64 = 6 * 3_600_000;
/// Submissions of which no answer came that are made of one notification.
const MOST_IN_DOUBT: i64 = 3;
/// Notifications in a row without an answer that are told apart.
pub const MOST_IGNORED: u32 = 8;

/// How a gateway finds the phone; the next channel is one of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// By its number: SMS, which cost money.
    Sms,
    /// The phone holds a connection.
    Connection,
    /// One phone at a fixed place: an emulator.
    Loopback,
}

/// A way to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The gateway's name.
    pub gateway: String,
    /// What kind of way it is.
    pub channel: Channel,
    /// SMS that went this way today, over all accounts.
    pub spent: u32,
}

/// What the network said of the parts of the last submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Receipts {
    /// Parts that gateways took.
    pub parts: u32,
    /// Those that the phone has.
    pub delivered: u32,
    /// Those that it will not get.
    pub failed: u32,
    /// Those that are under way.
    pub pending: u32,
}

/// All that counts for the next step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// The notification.
    pub notification: Notification,
    /// The device has a session that goes on.
    pub in_session: bool,
    /// Datastores of which the device does not know the newest, and has not been told.
    pub changed: Vec<Datastore>,
    /// It was told something, and has come since and knows all of that.
    pub answered: bool,
    /// Another notification for the device was sent, and its answer is waited for until then.
    pub covered_until: Option<i64>,
    /// How many of the device's last notifications got no answer, in a row.
    pub ignored: u32,
    /// When one was submitted last.
    pub last_submitted: Option<i64>,
    /// Ways to the device, in the order of its preference.
    pub routes: Vec<Route>,
    /// SMS that went to the device today.
    pub spent_device: u32,
    /// SMS that went to the account's devices today.
    pub spent_account: u32,
    /// Of the last submission.
    pub receipts: Receipts,
    /// The device has no sync client: it is told, and does not answer.
    pub text_only: bool,
    /// A settings document: the device that it was for has synchronised since.
    pub settled: bool,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing until then, for this reason; the state stays.
    Wait {
        /// Milliseconds since 1970.
        until: i64,
        /// Why, for people; `None` leaves the last word.
        why: Option<String>,
    },
    /// Hand it to the first of these gateways that takes it.
    Send {
        /// Names, in order.
        gateways: Vec<String>,
    },
    /// It is over.
    Finish {
        /// How.
        state: NotificationState,
        /// Why, for people.
        why: String,
    },
}

impl Step {
    fn wait(until: i64, why: impl Into<String>) -> Self {
        Self::Wait {
            until,
            why: Some(why.into()),
        }
    }

    fn finish(state: NotificationState, why: impl Into<String>) -> Self {
        Self::Finish {
            state,
            why: why.into(),
        }
    }
}

/// The next step.
pub fn plan(facts: &Facts, policy: &Policy, now: i64) -> Step {
    match facts.notification.state {
        NotificationState::Sent => sent(facts, policy, now),
        _ => waiting(facts, policy, now),
    }
}

fn waiting(facts: &Facts, policy: &Policy, now: i64) -> Step {
    let notification = &facts.notification;
    let for_changes = notification.kind == NotificationKind::Change;
    if for_changes && facts.changed.is_empty() && !facts.in_session {
        return Step::finish(
            NotificationState::Dropped,
            "the phone knows everything already",
        );
    }
    if now >= notification.created.saturating_add(policy.expire) {
        let why = notification
            .why
            .as_deref()
            .unwrap_or("it could not be sent");
        return Step::finish(
            NotificationState::Expired,
            format!("too old to be sent; the last word: {why}"),
        );
    }
    if facts.in_session && notification.kind != NotificationKind::Settings {
        return Step::wait(now + SESSION_LOOK, "the phone is in a session");
    }
    if for_changes && let Some((until, why)) = patience(facts, policy, now) {
        return Step::Wait { until, why };
    }
    let groups = groups(&facts.routes);
    if groups.is_empty() {
        let why = "no gateway serves this phone; see [[gateway]] in the configuration, and the device's number";
        return if for_changes {
            Step::wait(now + NO_GATEWAY_PAUSE, why)
        } else {
            Step::finish(NotificationState::Failed, why)
        };
    }
    send(facts, policy, now, &groups)
}

/// What holds a notification for changes back.
fn patience(facts: &Facts, policy: &Policy, now: i64) -> Option<(i64, Option<String>)> {
    let ready = facts.notification.created + policy.coalesce;
    if now < ready {
        return Some((ready, Some("more may change at once".into())));
    }
    if let Some(until) = facts.covered_until.filter(|until| now < *until) {
        let why = "another notification is under way to the phone";
        return Some((until, Some(why.into())));
    }
    if let (Some(last), 1..) = (facts.last_submitted, facts.ignored) {
        let silence = policy.answer << facts.ignored.min(MOST_IGNORED);
        let until = last + silence.min(LONGEST_SILENCE);
        if now < until {
            let why = format!(
                "the phone did not come for {}, so it is left alone for a while",
                match facts.ignored {
                    1 => "the last one".to_owned(),
                    number => format!("the last {number}"),
                }
            );
            return Some((until, Some(why)));
        }
    }
    let until = policy.quiet_until(now)?;
    Some((until, Some("quiet hours".into())))
}

/// Routes of one channel that stand together are alternatives.
fn groups(routes: &[Route]) -> Vec<&[Route]> {
    routes.chunk_by(|a, b| a.channel == b.channel).collect()
}

/// Sends by these channels, as far as budgets allow.
fn send(facts: &Facts, policy: &Policy, now: i64, groups: &[&[Route]]) -> Step {
    let mut held = None;
    let mut gateways = Vec::new();
    for route in groups.iter().copied().flatten() {
        match budget(facts, policy, route) {
            None => gateways.push(route.gateway.clone()),
            Some(why) => held = Some(why),
        }
    }
    match (gateways.is_empty(), held) {
        (true, Some(why)) => Step::wait(policy.tomorrow(now), why),
        _ => Step::Send { gateways },
    }
}

/// The budget that a route would exceed.
fn budget(facts: &Facts, policy: &Policy, route: &Route) -> Option<String> {
    if route.channel != Channel::Sms {
        return None;
    }
    let over = |spent: u32, limit: u32| limit > 0 && spent >= limit;
    let budgets = [
        ("the device", facts.spent_device, policy.sms_per_device),
        ("the account", facts.spent_account, policy.sms_per_account),
        ("the gateway", route.spent, policy.sms_per_gateway),
    ];
    budgets
        .into_iter()
        .find(|(_, spent, limit)| over(*spent, *limit))
        .map(|(whose, _, limit)| format!("the budget of {whose} is used up: {limit} SMS a day"))
}

fn sent(facts: &Facts, policy: &Policy, now: i64) -> Step {
    let notification = &facts.notification;
    let submitted = notification.submitted.unwrap_or(notification.created);
    let receipts = facts.receipts;
    if facts.answered || facts.settled {
        return Step::finish(NotificationState::Synced, "the phone came and synchronised");
    }
    let settings = notification.kind == NotificationKind::Settings;
    if facts.text_only && receipts.parts > 0 && receipts.delivered >= receipts.parts {
        return Step::finish(NotificationState::Delivered, "the phone has the message");
    }
    if facts.in_session && !settings {
        return Step::Wait {
            until: now + SESSION_LOOK,
            why: None,
        };
    }
    if receipts.failed > 0 {
        return escalate(facts, policy, now).unwrap_or_else(|| {
            Step::finish(
                NotificationState::Failed,
                "the network could not deliver it",
            )
        });
    }
    let expired = submitted.saturating_add(policy.expire);
    if settings {
        return if receipts.parts > 0 && receipts.delivered >= receipts.parts {
            Step::finish(NotificationState::Delivered, "the phone has the settings")
        } else if now >= expired {
            let why = "nobody came with these settings";
            Step::finish(NotificationState::Unanswered, why)
        } else {
            Step::Wait {
                until: expired,
                why: None,
            }
        };
    }
    let deadline = submitted.saturating_add(policy.answer);
    if now < deadline {
        return Step::Wait {
            until: deadline,
            why: None,
        };
    }
    let heard = receipts.delivered + receipts.pending > 0;
    if notification.used == 0 && !heard && notification.attempts < MOST_IN_DOUBT {
        // Nobody knows whether it went out.
        return send(facts, policy, now, &groups(&facts.routes));
    }
    if facts.text_only && receipts.pending == 0 {
        let why = "a gateway took it; the phone has no sync client that could answer";
        return Step::finish(NotificationState::Delivered, why);
    }
    if let Some(step) = escalate(facts, policy, now) {
        return step;
    }
    if receipts.pending > 0 && now < expired {
        // The network still tries, and the phone may only be off: another one would cost and say the same.
        return Step::wait(expired, "the network has not reached the phone yet");
    }
    Step::finish(NotificationState::Unanswered, "the phone did not come")
}

/// The next channel, once.
fn escalate(facts: &Facts, policy: &Policy, now: i64) -> Option<Step> {
    let notification = &facts.notification;
    if notification.used > 1 {
        return None;
    }
    let groups = groups(&facts.routes);
    let of = |name: &str| {
        groups
            .iter()
            .position(|group| group.iter().any(|route| route.gateway == name))
    };
    let next = notification.gateway.as_deref().and_then(of)? + 1;
    let rest = groups.get(next..).filter(|rest| !rest.is_empty())?;
    match send(facts, policy, now, rest) {
        step @ Step::Send { .. } => Some(step),
        // Not worth to wait for another day's budget.
        _ => None,
    }
}

/// Why no gateway took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The same message would be refused by everybody again.
    pub permanent: bool,
    /// When a gateway wants to be asked again.
    pub retry_after: Option<i64>,
    /// In words for people.
    pub why: String,
}

/// What to do after nobody took it (or not all of it). `jitter` is a random number.
pub fn refused(notification: &Notification, refusal: &Refusal, now: i64, jitter: u32) -> Step {
    if refusal.permanent {
        return Step::finish(NotificationState::Failed, refusal.why.clone());
    }
    let doublings = u32::try_from(notification.attempts.clamp(0, 16)).unwrap_or(16);
    let pause = (FIRST_PAUSE << doublings).min(LONGEST_PAUSE);
    // Four fifths to six fifths of it, so that what failed together does not come back together.
    let pause = pause * 4 / 5 + pause * i64::from(jitter % 1000) / 1000 * 2 / 5;
    let until = now + pause.max(refusal.retry_after.unwrap_or(0));
    Step::wait(until, refusal.why.clone())
}

/// Minutes of the day at a time, in a zone.
pub(super) fn minute_of_day(zone: chrono_tz::Tz, now: i64) -> Option<i64> {
    let local = zone.timestamp_millis_opt(now).single()?;
    Some(i64::from(local.hour() * 60 + local.minute()))
}
