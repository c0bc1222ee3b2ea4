//! The gateways of a running server: a runtime for them, and what becomes of what they bring.

use std::sync::Arc;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use super::failure::{Code, Failure};
use crate::config::Config;
use crate::sms::settings::{GatewaySettings, Secret};
use crate::sms::{Delivery, Directory, Event, Gateways};
use crate::store::{Store, StoreError};

/// Gateways at work. They end when it is dropped.
pub(super) struct Running {
    gateways: Gateways,
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
        runtime.spawn(take(deliveries));
        drop(entered);
        if let Some(url) = &config.public_url {
            gateways.reachable_at(origin(url));
        }
        Ok(Some(Self { gateways, runtime }))
    }

    /// The gateways.
    pub(super) fn gateways(&self) -> &Gateways {
        &self.gateways
    }

    /// Ends them; what is on its way gets a moment.
    pub(super) fn stop(self) {
        self.runtime.block_on(self.gateways.close());
        self.runtime
            .shutdown_timeout(std::time::Duration::from_secs(5));
    }
}

/// Accounts, as far as phones that hold a connection need them.
struct Accounts(Store);

impl Directory for Accounts {
    fn password(&self, account: &str, _device: &str) -> Result<Option<String>, String> {
        match self.0.account(account) {
            Ok(account) => Ok(Some(account.password.0)),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(error.to_string()),
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

/// Takes what gateways bring. Nothing is done with it yet but to say so.
async fn take(mut deliveries: mpsc::Receiver<Delivery>) {
    while let Some(delivery) = deliveries.recv().await {
        match &delivery.event {
            Event::Receipt(receipt) => tracing::info!(
                sms.gateway = delivery.gateway,
                sms.gateway_id = receipt.gateway_id,
                "receipt: {:?}, {}",
                receipt.state,
                receipt.text
            ),
            Event::Incoming(incoming) => tracing::info!(
                sms.gateway = delivery.gateway,
                "an SMS from {} arrived; nothing is done with it",
                incoming.from.masked()
            ),
            Event::Connected(device) => tracing::debug!(
                sms.gateway = delivery.gateway,
                account.name = device.account,
                device.id = device.device,
                "a phone connected"
            ),
        }
        delivery.done.acknowledge();
    }
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
