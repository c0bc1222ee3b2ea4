//! What comes back: receipts, texts from phones (MO), and phones that connect.
//!
//! An event is held by its gateway until it is acknowledged: whoever takes it writes down what it means first. One that is
//! dropped, or not acknowledged in time, is refused towards the gateway, which brings it again.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::message::{DeviceAddress, Reference};
use super::number::Msisdn;

/// Events that wait for whoever takes them; then gateways are told to come again.
const WAITING: usize = 256;
/// How long a gateway is kept waiting for an acknowledgement.
const PATIENCE: Duration = Duration::from_secs(20);

/// What became of a message after the gateway took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptState {
    /// The network has it and tries; more receipts follow.
    Pending,
    /// The phone has it.
    Delivered,
    /// The phone will not get it.
    Failed,
}

/// A gateway's word on one SMS (or on a whole push, if it took it whole).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which part; gateways that know only their own ids leave it out.
    pub reference: Option<Reference>,
    /// The gateway's own name for it, if it told one.
    pub gateway_id: Option<String>,
    /// What became of it.
    pub state: ReceiptState,
    /// In the gateway's words.
    pub text: String,
}

/// What a phone sent.
#[derive(Clone, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text(String),
    /// Octets: user data header (may be empty) and what follows it.
    Binary {
        /// With its length octet.
        udh: Vec<u8>,
        /// What follows it.
        body: Vec<u8>,
    },
}

/// An SMS from a phone.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// The phone.
    pub from: Msisdn,
    /// The number that it was sent to, as the gateway has it.
    pub to: String,
    /// What it says.
    pub payload: Payload,
}

/// Something came back.
#[derive(Clone, PartialEq, Eq)]
pub enum Event {
    /// What became of a message.
    Receipt(Receipt),
    /// An SMS from a phone.
    Incoming(Incoming),
    /// A phone connected and takes pushes from now on.
    Connected(DeviceAddress),
}

// Texts and numbers do not belong into a log.
impl std::fmt::Debug for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Receipt(receipt) => receipt.fmt(f),
            Self::Incoming(incoming) => write!(f, "Incoming({:?})", incoming.from),
            Self::Connected(device) => device.fmt(f),
        }
    }
}

/// Tells the gateway that an event is safe.
#[derive(Debug)]
pub struct Acknowledgement(oneshot::Sender<()>);

impl Acknowledgement {
    /// What the event means is kept.
    pub fn acknowledge(self) {
        // The gateway may have given up meanwhile; then it brings the event again.
        let _unused = self.0.send(());
    }
}

/// An event on its way to whoever takes it.
#[derive(Debug)]
pub struct Delivery {
    /// The gateway's name.
    pub gateway: String,
    /// What came.
    pub event: Event,
    /// To be used when what the event means is kept.
    pub done: Acknowledgement,
}

/// A gateway's end of the channel, and where the gateway reaches us.
#[derive(Debug, Clone)]
pub(super) struct Events {
    gateway: String,
    sender: mpsc::Sender<Delivery>,
    address: Arc<OnceLock<String>>,
    counters: Arc<EventCounters>,
}

/// What a gateway brought and was kept.
#[derive(Debug, Default)]
pub(super) struct EventCounters {
    pub(super) receipts: AtomicU64,
    pub(super) incoming: AtomicU64,
}

/// The channel of all gateways.
pub(super) fn channel() -> (mpsc::Sender<Delivery>, mpsc::Receiver<Delivery>) {
    mpsc::channel(WAITING)
}

impl Events {
    pub(super) fn new(
        gateway: &str,
        sender: mpsc::Sender<Delivery>,
        address: Arc<OnceLock<String>>,
    ) -> Self {
        Self {
            gateway: gateway.to_owned(),
            sender,
            address,
            counters: Arc::default(),
        }
    }

    pub(super) fn counters(&self) -> Arc<EventCounters> {
        Arc::clone(&self.counters)
    }

    /// Where gateways reach our HTTP server, without a path; `None` as long as that is not known.
    pub(super) fn address(&self) -> Option<&str> {
        self.address.get().map(String::as_str)
    }

    /// Hands an event on and waits until it is safe; false if it is not, so that the gateway has to bring it again.
    pub(super) async fn deliver(&self, event: Event) -> bool {
        let (done, safe) = oneshot::channel();
        let counter = match &event {
            Event::Receipt(_) => Some(&self.counters.receipts),
            Event::Incoming(_) => Some(&self.counters.incoming),
            Event::Connected(_) => None,
        };
        let delivery = Delivery {
            gateway: self.gateway.clone(),
            event,
            done: Acknowledgement(done),
        };
        let handed_on = async { self.sender.send(delivery).await.is_ok() && safe.await.is_ok() };
        let kept = tokio::time::timeout(PATIENCE, handed_on).await;
        let kept = kept.unwrap_or(false);
        if let Some(counter) = counter.filter(|_| kept) {
            counter.fetch_add(1, Relaxed);
        }
        kept
    }
}

/// What a gateway posted to our HTTP server under `/gateway/NAME/…`.
#[derive(Clone, Copy)]
pub struct Callback<'a> {
    /// The rest of the path: `receipt` or `mo`.
    pub what: &'a str,
    /// The query of the URL, without the question mark.
    pub query: &'a str,
    /// Content-Type; empty if there was none.
    pub content_type: &'a str,
    /// The body; empty if there was none.
    pub body: &'a [u8],
}

/// What the gateway is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackAnswer {
    /// HTTP status.
    pub status: u16,
    /// Content-Type.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl CallbackAnswer {
    pub(super) fn plain(status: u16, body: &str) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.to_owned(),
        }
    }

    /// It is taken. The body is empty: Kannel sends what is in it to the phone.
    pub(super) fn taken() -> Self {
        Self::plain(200, "")
    }

    /// It could not be kept; the gateway is to come again.
    pub(super) fn later() -> Self {
        Self::plain(503, "come again later\n")
    }

    /// There is no such gateway or callback.
    pub fn not_found() -> Self {
        Self::plain(404, "there is nothing here\n")
    }

    /// The token is missing or wrong.
    pub(super) fn forbidden() -> Self {
        Self::plain(403, "the token is missing or wrong\n")
    }

    /// It cannot be understood.
    pub(super) fn bad(why: &str) -> Self {
        Self::plain(400, why)
    }
}

impl From<bool> for CallbackAnswer {
    /// For whether an event was kept.
    fn from(kept: bool) -> Self {
        if kept { Self::taken() } else { Self::later() }
    }
}
