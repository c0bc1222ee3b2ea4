//! SMPP 3.4 towards an SMS centre: one link for both ways, or two, that come back by themselves.
//!
//! [`link`] keeps a link up, [`session`] leads one bound session, [`pdu`] makes and reads what travels, [`receipt`] reads
//! delivery receipts. The window of messages is the router's.

mod link;
mod pdu;
mod receipt;
mod session;

use std::time::Duration;

use rusmpp::pdus::SubmitSm;
use tokio::sync::watch;

use super::error::GatewayError;
use super::event::Events;
use super::message::{Content, Reference, Sms, Unit};
use super::router::jitter;
use super::settings::{GatewaySettings, SmppBind, SmppForm, SmppSettings};
use super::submit::{Report, Submitted, part_by_part};
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};
use link::{Link, LinkState, Role};

/// How often one SMS is offered while the centre says that it is too busy.
const OFFERS: u32 = 4;
/// The wait after the first time; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// An SMS centre.
pub(super) struct Smpp {
    settings: SmppSettings,
    timeout: Duration,
    /// Of the link that messages go over.
    state: watch::Receiver<LinkState>,
    // The links end when these are dropped.
    links: Vec<Link>,
}

impl Smpp {
    /// Begins to connect; must be called within a tokio runtime.
    pub(super) fn new(
        gateway: &GatewaySettings,
        settings: &SmppSettings,
        events: &Events,
    ) -> Result<Self, String> {
        let roles: &[Role] = match settings.bind {
            SmppBind::Transceiver => &[Role::Transceiver],
            SmppBind::Transmitter => &[Role::Transmitter],
            SmppBind::Separate => &[Role::Transmitter, Role::Receiver],
        };
        let links = roles
            .iter()
            .map(|role| Link::start(*role, gateway, settings, events.clone()))
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self {
            state: links[0].state(),
            settings: settings.clone(),
            timeout: gateway.timeout,
            links,
        })
    }

    /// Sends one PDU when the link is up; waits for a link that has just begun to connect.
    async fn send(&self, pdu: SubmitSm) -> Result<Submitted, GatewayError> {
        let mut state = self.state.clone();
        let decided = state.wait_for(|state| !matches!(state, LinkState::Connecting));
        let bound = match tokio::time::timeout(self.timeout, decided).await {
            Ok(Ok(state)) => match &*state {
                LinkState::Bound(session) => session.clone(),
                LinkState::Down(error) => return Err(error.clone()),
                LinkState::Connecting => {
                    return Err(GatewayError::unreachable("not connected yet"));
                }
            },
            Ok(Err(_)) => return Err(GatewayError::unreachable("the link has ended")),
            Err(_) => return Err(GatewayError::unreachable("no link within the time")),
        };
        let id = bound.submit(pdu).await?;
        Ok(Submitted {
            gateway_id: Some(receipt::canonical(&id, self.settings.answer_ids_are_hex))
                .filter(|id| !id.is_empty()),
        })
    }

    /// Offers it again for a while if the centre is too busy: it certainly has nothing then.
    async fn offer(&self, pdu: SubmitSm) -> Result<Submitted, GatewayError> {
        let mut wait = FIRST_WAIT;
        for _ in 1..OFFERS {
            match self.send(pdu.clone()).await {
                Err(GatewayError::Throttled { .. }) => {}
                decided => return decided,
            }
            tokio::time::sleep(wait / 2 + wait * (jitter() % 1000) / 1000).await;
            wait *= 2;
        }
        self.send(pdu).await
    }

    async fn one(&self, sms: Sms, part: u8, unit: &Unit<'_>) -> Result<Submitted, GatewayError> {
        let pdu = match (&sms, &unit.message.content, self.settings.form) {
            (Sms::Binary(_), Content::Push(push), SmppForm::Sar) => {
                pdu::sar(&self.settings, &sms, push, part, unit.message.validity)
            }
            _ => pdu::single(&self.settings, &sms, unit.message.validity),
        };
        self.offer(pdu?).await
    }
}

impl SmsGateway for Smpp {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Number,
            push: true,
            text: true,
            receipts: self.settings.bind != SmppBind::Transmitter,
            incoming: self.settings.bind != SmppBind::Transmitter,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            if let (Content::Push(push), SmppForm::Payload) =
                (&unit.message.content, self.settings.form)
            {
                let message = unit.message;
                let submitted = match pdu::payload(&self.settings, message, push) {
                    Ok(pdu) => self.offer(pdu).await,
                    Err(error) => Err(error),
                };
                return match submitted {
                    Ok(submitted) => Report::whole(unit, submitted.gateway_id),
                    Err(error) => Report::failed(error),
                };
            }
            part_by_part(unit, |sms, reference: Reference| {
                self.one(sms, reference.part, unit)
            })
            .await
        })
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            for link in &self.links {
                link.close().await;
            }
        })
    }
}
