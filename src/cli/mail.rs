//! Mail of a running server: a runtime for the LMTP listener, the watchers, and the queue of mail that is to be sent.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::output;
use super::serve::cannot_listen;
use crate::config::Config;
use crate::mail::lmtp::Listener;
use crate::mail::submission::{self, Submission};
use crate::mail::watch::{Settings, Watchers};
use crate::mail::{Accounts, LocalMail};
use crate::store::Store;

/// Threads for what blocks on the database, at most.
const BLOCKING: usize = 16;
/// The first pause before a mail server that was lost is tried again.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long a stopping server waits for its watchers.
const PATIENCE: Duration = Duration::from_secs(8);

/// Mail at work. It ends when it is dropped.
pub(super) struct Mail {
    lmtp: Option<Listener>,
    watchers: Watchers,
    submission: Submission,
    work: tokio::task::JoinHandle<()>,
    runtime: tokio::runtime::Runtime,
}

impl Mail {
    /// Starts what the configuration says.
    pub(super) fn start(config: &Config, store: &Store) -> anyhow::Result<Self> {
        let settings = &config.mailboxes;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .max_blocking_threads(BLOCKING)
            .thread_name("mail")
            .enable_all()
            .build()
            .context("the threads for mail cannot be started")?;
        let lmtp = match &settings.lmtp {
            Some(listen) => {
                let deliver = Arc::new(LocalMail::new(store.clone(), output::now));
                let starting = Listener::start(listen, settings.max_message, deliver);
                let started = runtime.block_on(starting);
                let listener = started.map_err(|error| cannot_listen(listen, &error))?;
                tracing::info!("listening for LMTP on {}", listener.address());
                Some(listener)
            }
            None => None,
        };
        let watchers = Watchers::new(
            store.clone(),
            Settings {
                age: Duration::from_secs(u64::from(settings.days) * 86_400),
                count: settings.count,
                octets: settings.octets,
                max_message: settings.max_message,
                poll: settings.poll,
                lease: settings.lease,
                watchers: settings.watchers,
                pause: FIRST_PAUSE,
            },
        );
        let accounts = Arc::new(Accounts::new(store.clone(), output::now));
        let submission = Submission::counted(
            store.clone(),
            accounts,
            submission::Settings::default(),
            watchers.figures(),
        );
        let (watching, sending) = (watchers.clone(), submission.clone());
        let work = runtime.spawn(async move {
            tokio::join!(watching.run(), sending.run());
        });
        Ok(Self {
            lmtp,
            watchers,
            submission,
            work,
            runtime,
        })
    }

    /// What is watched, and what is counted.
    pub(super) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// Ends it.
    pub(super) fn stop(self) {
        drop(self.lmtp);
        self.watchers.stop();
        self.submission.stop();
        let ended = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.work).await });
        if ended.is_err() {
            tracing::warn!("the watchers of mailboxes and the queue of mail did not end in time");
        }
        self.runtime.shutdown_timeout(Duration::from_secs(2));
    }
}
