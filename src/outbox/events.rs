//! What gateways bring: receipts, texts from phones, phones that connect.
//!
//! What an event means is in the database before the gateway is told that it arrived.

mod flood;
mod text;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};

pub use text::Texts;

use super::worker::Outbox;
use crate::sms::{
    Acknowledgement, Delivery, DeviceAddress, Event, Incoming, Payload, Receipt, ReceiptState,
};
use crate::store::{NotedReceipt, StoreError};
use crate::sync::{NotificationId, PartReceipt};
use flood::Flood;

/// When a receipt is looked at again that is for nothing that is known: a network can be faster than we write down what the
/// gateway took.
const LATER: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_secs(1),
    Duration::from_secs(4),
];
/// Such receipts at once; further ones are brought again by their gateways.
const MOST_EARLY: usize = 256;
/// Receipts that are written down at once, so that they share transactions.
const AT_ONCE: usize = 32;

/// Takes what gateways bring, until they are gone.
pub async fn take(outbox: Outbox, mut deliveries: mpsc::Receiver<Delivery>) {
    let mut flood = Flood::default();
    let at_once = Arc::new(Semaphore::new(AT_ONCE));
    let early = Arc::new(Semaphore::new(MOST_EARLY));
    while let Some(delivery) = deliveries.recv().await {
        let gateway = delivery.gateway;
        let kept = match delivery.event {
            Event::Receipt(receipt) => {
                let Ok(place) = Arc::clone(&at_once).acquire_owned().await else {
                    return;
                };
                let (outbox, early) = (outbox.clone(), Arc::clone(&early));
                tokio::spawn(async move {
                    let held = named(&receipt).and_then(|(id, ..)| outbox.in_hand(id));
                    let known = match held {
                        Some(_) => Some(Ok(false)),
                        None => outbox.noted(&gateway, &receipt).await,
                    };
                    drop(place);
                    match known {
                        Some(Ok(false)) => {
                            if let Ok(_place) = early.try_acquire() {
                                outbox.early(&gateway, &receipt, held, delivery.done).await;
                            }
                        }
                        known => kept(known.map(|known| known.map(drop)), delivery.done),
                    }
                });
                continue;
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
        self::kept(kept, delivery.done);
    }
}

/// Tells the gateway that what it brought is kept, if it is.
fn kept(kept: Option<Result<(), StoreError>>, done: Acknowledgement) {
    match kept {
        Some(Ok(())) => done.acknowledge(),
        // The gateway brings it again.
        Some(Err(error)) => tracing::error!("what a gateway brought cannot be kept: {error}"),
        None => {}
    }
}

/// Our name for a message: notification and attempt.
fn reference(text: &str) -> Option<(NotificationId, i64)> {
    let (id, attempt) = text.rsplit_once('-')?;
    Some((id.parse().ok()?, attempt.parse().ok()?))
}

/// The notification, the attempt and the part that a receipt names.
fn named(receipt: &Receipt) -> Option<(NotificationId, i64, u8)> {
    let named = receipt.reference.as_ref()?;
    let (id, attempt) = reference(&named.message)?;
    Some((id, attempt, named.part))
}

impl Outbox {
    /// Notes a receipt; false if nothing is known that it could be for.
    async fn noted(&self, gateway: &str, receipt: &Receipt) -> Option<Result<bool, StoreError>> {
        let (gateway, receipt) = (gateway.to_owned(), receipt.clone());
        self.blocking(move |outbox| outbox.receipt(&gateway, &receipt))
            .await
    }

    /// Looks at a receipt again that was too early: when the notification is let go that was in this node's hands, and later.
    async fn early(
        &self,
        gateway: &str,
        receipt: &Receipt,
        mut held: Option<watch::Receiver<()>>,
        done: Acknowledgement,
    ) {
        for pause in LATER {
            match held.take() {
                // It ends when the notification is let go.
                Some(mut held) => {
                    let _let_go = tokio::time::timeout(pause, held.changed()).await;
                }
                None => tokio::time::sleep(pause).await,
            }
            match self.noted(gateway, receipt).await {
                Some(Ok(false)) => {}
                Some(Ok(true)) => return done.acknowledge(),
                // The gateway brings it again.
                Some(Err(_)) | None => return,
            }
        }
        tracing::debug!(sms.gateway = gateway, "a receipt for nothing that is known");
        done.acknowledge();
    }

    fn receipt(&self, gateway: &str, receipt: &Receipt) -> Result<bool, StoreError> {
        let word = match receipt.state {
            ReceiptState::Pending => PartReceipt::Pending,
            ReceiptState::Delivered => PartReceipt::Delivered,
            ReceiptState::Failed => PartReceipt::Failed,
        };
        let named = named(receipt);
        let text = match receipt.text.trim() {
            "" => String::new(),
            text => format!(" ({text})"),
        };
        let id = receipt.gateway_id.as_deref();
        let noted = self.store().note_receipt(gateway, named, id, word, &text);
        match noted {
            Ok(NotedReceipt::Noted(id)) => {
                if word != PartReceipt::Pending {
                    let delivered = word == PartReceipt::Delivered;
                    self.figures().receipt(gateway, delivered);
                }
                tracing::info!(notification.id = %id, sms.gateway = gateway, "receipt: {}", word.name());
                Ok(true)
            }
            // It came before, or is for something that was removed.
            Ok(NotedReceipt::Known) | Err(StoreError::NotFound) => Ok(true),
            Ok(NotedReceipt::Unknown) => Ok(false),
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
