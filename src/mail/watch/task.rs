//! The life of a watcher: from its lease to its end, and what is written down of that.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::{Watchers, imap, notice, now, pop3};
use crate::mail::error::MailError;
use crate::mail::settings::{MailboxSettings, Protocol};
use crate::store::{StoreError, WatchOutcome};
use crate::sync::{Mailbox, MailboxId, MailboxState};

/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);
/// The first pause after a login that was refused; it doubles. Servers lock accounts that try too often.
const FIRST_REFUSED: Duration = Duration::from_secs(3600);
/// The longest pause after that.
const LONGEST_REFUSED: Duration = Duration::from_secs(86_400);

/// Why the watching of a mailbox ends.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] MailError),
    /// The database.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
    /// A part of the program failed; it said so.
    #[error("the watcher failed")]
    Failed,
    /// The node stops, the lease is another's, or the mailbox is to be watched later; milliseconds from now.
    #[error("it is to be watched later")]
    Later(i64),
}

/// What a watcher works with.
pub(super) struct Context<'a> {
    pub(super) watchers: &'a Watchers,
    pub(super) mailbox: Mailbox,
    pub(super) settings: MailboxSettings,
    pub(super) stirred: &'a Arc<Notify>,
}

impl Context<'_> {
    /// The copy is right: failures are forgotten.
    pub(super) async fn checked(&self) -> Result<(), Ended> {
        let id = self.mailbox.id;
        let held = self
            .watchers
            .blocking(move |watchers| {
                let shared = &watchers.0;
                shared.store.mailbox_checked(&shared.node, id, now())
            })
            .await
            .ok_or(Ended::Failed)??;
        if held { Ok(()) } else { Err(Ended::Later(0)) }
    }

    /// What the login shows.
    pub(super) async fn shown(&self) -> Result<crate::mail::settings::Shown, Ended> {
        let incoming = self.settings.incoming.clone();
        let shown = self
            .watchers
            .blocking(move |_| incoming.map(|incoming| incoming.login.credential.shown()))
            .await
            .ok_or(Ended::Failed)?;
        match shown {
            Some(shown) => Ok(shown?),
            None => Err(MailError::Settings("the mailbox has no server".to_owned()).into()),
        }
    }
}

/// Watches a mailbox until that ends, and writes down how. Gives when it is due again.
pub(super) async fn run(
    watchers: &Watchers,
    mailbox: Mailbox,
    stirred: &Arc<Notify>,
    mut stopped: watch::Receiver<bool>,
) -> i64 {
    let id = mailbox.id;
    let failures = mailbox.failures;
    let ended = match serde_json::from_str::<MailboxSettings>(&mailbox.settings.0) {
        Err(_) => Ended::Mail(MailError::Settings(
            "the settings of the mailbox are damaged; remove it and add it again".to_owned(),
        )),
        Ok(settings) => {
            let context = Context {
                watchers,
                mailbox: mailbox.clone(),
                settings,
                stirred,
            };
            tokio::select! {
                ended = watch(&context) => ended,
                _ = stopped.wait_for(|stop| *stop) => Ended::Later(0),
            }
        }
    };
    tell(&ended, id, failures);
    let settled = watchers
        .blocking(move |watchers| settle(watchers, &mailbox, &ended))
        .await;
    settled.unwrap_or_else(now)
}

/// The watching failed in the middle. Gives when the mailbox is due again.
pub(super) async fn failed(watchers: &Watchers, mailbox: Mailbox) -> i64 {
    let settled = watchers.blocking(move |watchers| settle(watchers, &mailbox, &Ended::Failed));
    settled.await.unwrap_or_else(now)
}

fn tell(ended: &Ended, id: MailboxId, failures: i64) {
    match ended {
        Ended::Mail(error) if error.is_permanent() => {
            tracing::warn!(mailbox.id = %id, "a mailbox cannot be watched: {error}");
        }
        Ended::Mail(error) if failures == 0 => {
            tracing::info!(mailbox.id = %id, "a mailbox is tried again: {error}");
        }
        Ended::Mail(error) => {
            tracing::debug!(mailbox.id = %id, "a mailbox is tried again: {error}");
        }
        Ended::Store(error) => {
            tracing::error!(mailbox.id = %id, "a watcher cannot use the database: {error}");
        }
        Ended::Failed | Ended::Later(_) => {}
    }
}

/// Writes down how it ended, and tells the account what only it can mend. Gives when the mailbox is due again.
fn settle(watchers: &Watchers, mailbox: &Mailbox, ended: &Ended) -> i64 {
    let (shared, id) = (&watchers.0, mailbox.id);
    // While it was watched its failures were forgotten.
    let known = shared.store.mailbox(id);
    let (failures, told) = known.map_or((mailbox.failures, mailbox.told), |known| {
        (known.failures, known.told)
    });
    let mut outcome = outcome(ended, failures, told, shared.settings.pause);
    let due = outcome.due;
    shared.figures.ended(outcome.state);
    if outcome.state == MailboxState::Refused && !outcome.told {
        match notice::tell(&shared.store, mailbox, outcome.why.as_deref()) {
            Ok(()) => outcome.told = true,
            Err(error) => tracing::warn!("an account cannot be told of its mailbox: {error}"),
        }
    }
    if let Err(error) = shared
        .store
        .settle_mailbox(&shared.node, id, now(), outcome)
    {
        tracing::warn!("it cannot be written down how a watcher ended: {error}");
    }
    due
}

async fn watch(context: &Context<'_>) -> Ended {
    let incoming = context.settings.incoming.as_ref();
    let ended = match incoming.map(|incoming| incoming.protocol) {
        Some(Protocol::Pop3) => pop3::watch(context).await,
        _ => imap::watch(context).await,
    };
    let Err(ended) = ended;
    ended
}

/// What is written down.
fn outcome(ended: &Ended, failures: i64, told: bool, first: Duration) -> WatchOutcome {
    let pause = |first: Duration, longest: Duration| {
        let doubled = first.saturating_mul(1 << failures.clamp(0, 16));
        let most = i64::try_from(doubled.min(longest).as_millis()).unwrap_or(i64::MAX);
        // From half of it to all of it, so that what broke together does not come back together.
        most / 2 + i64::from(getrandom::u32().unwrap_or_default()) % (most / 2 + 1)
    };
    let (state, why, pause, failures) = match ended {
        Ended::Later(pause) => (MailboxState::Watched, None, *pause, failures),
        Ended::Mail(error) if error.is_permanent() => (
            MailboxState::Refused,
            Some(error.to_string()),
            pause(FIRST_REFUSED, LONGEST_REFUSED),
            failures + 1,
        ),
        other => (
            MailboxState::Down,
            Some(other.to_string()),
            pause(first, LONGEST_PAUSE),
            failures + 1,
        ),
    };
    WatchOutcome {
        state,
        why,
        due: now() + pause,
        failures,
        told: told && state == MailboxState::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_have_an_end() {
        let lost = Ended::Mail(MailError::Silent);
        let refused = Ended::Mail(MailError::Login("no".into()));
        for failures in 0..100 {
            for (ended, longest, state) in [
                (&lost, LONGEST_PAUSE, MailboxState::Down),
                (&refused, LONGEST_REFUSED, MailboxState::Refused),
            ] {
                let before = now();
                let outcome = outcome(ended, failures, true, Duration::from_secs(1));
                let pause = outcome.due - before;
                assert!(pause <= longest.as_millis() as i64 + 60_000, "{pause}");
                assert!(pause >= 500, "{pause}");
                assert_eq!((outcome.state, outcome.failures), (state, failures + 1));
                assert_eq!(outcome.told, state == MailboxState::Refused);
            }
        }
    }
}
