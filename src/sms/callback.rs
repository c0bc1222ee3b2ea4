//! Our addresses that a gateway calls, `/gateway/NAME/WHAT?token=…`, as one gateway sees them.

use super::event::{Event, Events};
use super::http::{Parameters, parameter};
use super::settings::{GatewaySettings, Secret};

/// One gateway's way back to us.
pub(super) struct Callbacks {
    gateway: String,
    /// As configured.
    address: Option<String>,
    token: Option<Secret>,
    events: Events,
}

impl Callbacks {
    pub(super) fn new(gateway: &GatewaySettings, events: Events) -> Self {
        Self {
            gateway: gateway.name.clone(),
            address: gateway.callback_url.clone(),
            token: gateway.token.clone(),
            events,
        }
    }

    /// Our address for that, with the token; `None` if the gateway cannot reach us.
    pub(super) fn url(&self, what: &str) -> Option<String> {
        let address = self.address.as_deref().or_else(|| self.events.address())?;
        let address = address.trim_end_matches('/');
        let mut query = String::new();
        parameter(&mut query, "token", self.token.as_ref()?.reveal());
        Some(format!("{address}/gateway/{}/{what}?{query}", self.gateway))
    }

    /// Without a token nothing is asked for, and nothing taken.
    pub(super) fn are_possible(&self) -> bool {
        self.token.is_some()
    }

    /// It showed the token.
    pub(super) fn admits(&self, parameters: &Parameters) -> bool {
        let shown = parameters.octets("token").unwrap_or_default();
        self.token.as_ref().is_some_and(|token| token.is(shown))
    }

    /// See [`Events::deliver`].
    pub(super) async fn deliver(&self, event: Event) -> bool {
        self.events.deliver(event).await
    }
}
