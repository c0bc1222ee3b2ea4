//! The gateways and the outbox of a running server: a runtime for them.

pub(super) mod show;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::failure::{Code, Failure};
use crate::config::Config;
use crate::device::profile::Catalogue;
use crate::outbox::message::Sender;
use crate::outbox::{self, Outbox};
use crate::sms::settings::{GatewaySettings, Secret};
use crate::sms::{Directory, Entry, Gateways};
use crate::store::{Store, StoreError};
use crate::sync::Windows;

/// How long a stopping server waits for what gateways have in their hands.
const PATIENCE: Duration = Duration::from_secs(10);

/// Gateways at work. They end when it is dropped.
pub(super) struct Running {
    gateways: Gateways,
    outbox: Outbox,
    work: tokio::task::JoinHandle<()>,
    runtime: tokio::runtime::Runtime,
}

impl Running {
    /// Starts those of the configuration; `None` if there are none. `secret`: octets that no stranger knows.
    pub(super) fn start(
        config: &Config,
        store: &Store,
        secret: &[u8],
    ) -> anyhow::Result<Option<Self>> {
        if config.gateways.is_empty() {
            return Ok(None);
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("gateways")
            .enable_all()
            .build()
            .context("the threads of the gateways cannot be started")?;
        let settings = config.gateways.iter().cloned();
        let settings = settings.map(|settings| with_token(settings, secret));
        let entered = runtime.enter();
        let (gateways, deliveries) =
            Gateways::start_with(settings.collect(), Some(Arc::new(Accounts(store.clone()))))
                .map_err(|errors| {
                    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
                    Failure::new(Code::Usage, lines.join("\n"))
                })?;
        let outbox = Outbox::new(
            store.clone(),
            gateways.clone(),
            settings_of(config, config.catalogue()?),
        );
        runtime.spawn(outbox::events::take(outbox.clone(), deliveries));
        let worker = outbox.clone();
        let work = runtime.spawn(async move { worker.run().await });
        drop(entered);
        if let Some(url) = &config.public_url {
            gateways.reachable_at(origin(url));
        }
        Ok(Some(Self {
            gateways,
            outbox,
            work,
            runtime,
        }))
    }

    /// The gateways.
    pub(super) fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// What works through them.
    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Ends them; what is on its way gets a moment.
    pub(super) fn stop(self) {
        self.outbox.stop();
        let work = self.work;
        let gateways = self.gateways;
        self.runtime.block_on(async {
            if tokio::time::timeout(PATIENCE, work).await.is_err() {
                tracing::warn!("a gateway did not answer in time; its message may go out twice");
            }
            gateways.close().await;
        });
        self.runtime.shutdown_timeout(Duration::from_secs(1));
    }
}

/// What the outbox is run with.
fn settings_of(config: &Config, profiles: Arc<Catalogue>) -> outbox::Settings {
    let push = &config.push;
    outbox::Settings {
        sender: Sender {
            server_id: config.server_id.clone(),
            url: config.public_url.clone(),
            profiles,
        },
        policy: push.policy.clone(),
        mail: push.mail.clone(),
        mail_windows: Windows::all(config.mail.window),
        in_flight: push.in_flight,
        lease: push.lease,
        keep: push.keep,
        texts: push.texts,
    }
}

/// Accounts, as far as phones that hold a connection need them.
struct Accounts(Store);

impl Directory for Accounts {
    fn entry(&self, account: &str, device: &str) -> Result<Entry, String> {
        let Self(store) = self;
        let found = store.account(account).and_then(|account| {
            let device = match store.device(account.id, device) {
                Err(StoreError::NotFound) => {
                    let why = "the account has no such device; it has to synchronise first";
                    return Ok(Entry::Unknown(why));
                }
                device => device?,
            };
            let (reach, own) = store.reach(account.id, device.id)?;
            if reach.unbound {
                return Ok(Entry::Unknown("no phone has come with its settings yet"));
            }
            let passwords = own.into_iter().chain([account.password]);
            Ok(Entry::Passwords(
                passwords.map(|password| password.0).collect(),
            ))
        });
        match found {
            Err(StoreError::NotFound) => Ok(Entry::Unknown("there is no such account")),
            found => found.map_err(|error| error.to_string()),
        }
    }
}

/// A gateway without a token gets one that only the key file tells, so that its receipts arrive.
fn with_token(mut settings: GatewaySettings, secret: &[u8]) -> GatewaySettings {
    let name = settings.name.clone();
    settings.token.get_or_insert_with(|| {
        let mut hash = Sha256::new();
        hash.update(b"candybar token of the gateway ");
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(secret);
        let digest = hash.finalize();
        Secret::new(
            digest
                .iter()
                .take(16)
                .map(|octet| format!("{octet:02x}"))
                .collect::<String>(),
        )
    });
    settings
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> &str {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find('/').map_or(url.len(), |at| host + at);
    &url[..end]
}

#[cfg(test)]
mod tests {
    use super::origin;

    #[test]
    fn the_path_of_an_address_is_left_out() {
        for (url, expected) in [
            (
                "http://sync.example.org:8080/sync",
                "http://sync.example.org:8080",
            ),
            ("https://sync.example.org", "https://sync.example.org"),
            ("http://[::1]:80/", "http://[::1]:80"),
        ] {
            assert_eq!(origin(url), expected);
        }
    }
}
