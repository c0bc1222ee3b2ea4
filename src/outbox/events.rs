//! What gateways bring: receipts, texts from phones, phones that connect.
//!
//! What an event means is in the database before the gateway is told that it arrived.

mod flood;
mod text;

use tokio::sync::mpsc;

pub use text::Texts;

use super::worker::Outbox;
use crate::sms::{Delivery, DeviceAddress, Event, Incoming, Payload, Receipt, ReceiptState};
use crate::store::StoreError;
use crate::sync::{NotificationId, PartReceipt};
use flood::Flood;

/// Takes what gateways bring, until they are gone.
pub async fn take(outbox: Outbox, mut deliveries: mpsc::Receiver<Delivery>) {
    let mut flood = Flood::default();
    while let Some(delivery) = deliveries.recv().await {
        let gateway = delivery.gateway;
        let kept = match delivery.event {
            Event::Receipt(receipt) => {
                let work = move |outbox: &Outbox| outbox.receipt(&gateway, &receipt);
                outbox.blocking(work).await
            }
            Event::Incoming(incoming) => {
                let wish = outbox.wish(&mut flood, &incoming);
                let work = move |outbox: &Outbox| outbox.obey(&gateway, &incoming, wish);
                outbox.blocking(work).await
            }
            Event::Connected(device) => {
                let work = move |outbox: &Outbox| outbox.connected(&device);
                outbox.blocking(work).await
            }
        };
        match kept {
            Some(Ok(())) => delivery.done.acknowledge(),
            // The gateway brings it again.
            Some(Err(error)) => tracing::error!("what a gateway brought cannot be kept: {error}"),
            None => {}
        }
    }
}

/// Our name for a message: notification and attempt.
fn reference(text: &str) -> Option<(NotificationId, i64)> {
    let (id, attempt) = text.rsplit_once('-')?;
    Some((id.parse().ok()?, attempt.parse().ok()?))
}

impl Outbox {
    fn receipt(&self, gateway: &str, receipt: &Receipt) -> Result<(), StoreError> {
        let word = match receipt.state {
            ReceiptState::Pending => PartReceipt::Pending,
            ReceiptState::Delivered => PartReceipt::Delivered,
            ReceiptState::Failed => PartReceipt::Failed,
        };
        let named = receipt.reference.as_ref().and_then(|named| {
            let (id, attempt) = reference(&named.message)?;
            Some((id, attempt, named.part))
        });
        let text = match receipt.text.trim() {
            "" => String::new(),
            text => format!(" ({text})"),
        };
        let id = receipt.gateway_id.as_deref();
        let noted = self.store().note_receipt(gateway, named, id, word, &text);
        match noted {
            Ok(Some(id)) => {
                if word != PartReceipt::Pending {
                    let delivered = word == PartReceipt::Delivered;
                    self.figures().receipt(gateway, delivered);
                }
                tracing::info!(notification.id = %id, sms.gateway = gateway, "receipt: {}", word.name());
                Ok(())
            }
            // It came before, or is for something that was removed.
            Ok(None) | Err(StoreError::NotFound) => {
                tracing::debug!(sms.gateway = gateway, "a receipt for nothing that is known");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn connected(&self, phone: &DeviceAddress) -> Result<(), StoreError> {
        let store = self.store();
        let known = store.account(&phone.account).and_then(|account| {
            let device = store.device(account.id, &phone.device)?;
            let now = super::worker::now();
            store.set_connected(account.id, device.id, now)
        });
        match known {
            Err(StoreError::NotFound) => {
                tracing::debug!(
                    device.id = phone.device,
                    "a phone connected that never synchronised"
                );
                Ok(())
            }
            other => other,
        }
    }

    /// What a text asks for, if its sender does not ask too often.
    fn wish(&self, flood: &mut Flood, incoming: &Incoming) -> Option<text::Wish> {
        let now = std::time::Instant::now();
        let Payload::Text(text) = &incoming.payload else {
            tracing::debug!(
                "an SMS of octets from {} is not read",
                incoming.from.masked()
            );
            return None;
        };
        if !flood.admits(incoming.from.as_str(), now) {
            if flood.tells(now) {
                tracing::warn!(
                    "too many texts; the last one from {}",
                    incoming.from.masked()
                );
            }
            return None;
        }
        text::read(text)
    }
}
