//! CTP: phones hold a TCP connection and are pushed over it, for nothing (the push protocol of Funambol's servers and clients).
//!
//! [`frame`] is what travels, [`session`] one phone's connection. A push is the notification itself, without WSP and header;
//! one that was written counts as taken. A phone that connects again takes the place of its old connection.
//!
//! Bounded: connections, octets of a message, the time of each step, questions to the directory at once.

mod frame;
mod session;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::error::GatewayError;
use super::event::Events;
use super::message::{Content, DeviceAddress, Message, Recipient, Unit};
use super::settings::CtpSettings;
use super::submit::Report;
use super::{Addressing, BoxFuture, Capabilities, SmsGateway};

/// Questions to the directory at once.
const QUESTIONS: usize = 8;
/// The wait after the system refused to take a connection, as it does when files run out.
const PAUSE: Duration = Duration::from_millis(200);
/// How long a push may take to be written.
const WRITE: Duration = Duration::from_secs(20);

/// Knows who may connect.
pub trait Directory: Send + Sync + 'static {
    /// Whether the device may connect. Blocks.
    fn entry(&self, account: &str, device: &str) -> Result<Entry, String>;
}

/// What a directory knows of a device.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    /// It shows one of these passwords: its own, or that of its account.
    Passwords(Vec<String>),
    /// It is not let in, for this reason, which the phone is not told.
    Unknown(&'static str),
}

/// One push on its way to a phone's connection.
struct Order {
    notification: Vec<u8>,
    written: oneshot::Sender<()>,
}

/// A phone's connection; the number tells it from the phone's next one.
struct Connection {
    number: u64,
    orders: mpsc::Sender<Order>,
}

#[derive(Default)]
struct Phones {
    next: u64,
    connected: HashMap<DeviceAddress, Connection>,
}

/// What all connections share.
struct Shared {
    phones: Mutex<Phones>,
    directory: Arc<dyn Directory>,
    questions: Semaphore,
    events: Events,
    settings: CtpSettings,
}

impl Shared {
    fn phones(&self) -> MutexGuard<'_, Phones> {
        self.phones.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The phone takes pushes from now on; its older connection gets no more.
    fn enter(&self, device: &DeviceAddress) -> (u64, mpsc::Receiver<Order>) {
        let (orders, receiver) = mpsc::channel(1);
        let mut phones = self.phones();
        phones.next += 1;
        let number = phones.next;
        phones
            .connected
            .insert(device.clone(), Connection { number, orders });
        (number, receiver)
    }

    fn leave(&self, device: &DeviceAddress, number: u64) {
        let mut phones = self.phones();
        if phones
            .connected
            .get(device)
            .is_some_and(|own| own.number == number)
        {
            phones.connected.remove(device);
        }
    }

    fn orders(&self, device: &DeviceAddress) -> Option<mpsc::Sender<Order>> {
        let phones = self.phones();
        phones.connected.get(device).map(|own| own.orders.clone())
    }
}

/// The server for phones.
pub(super) struct Ctp {
    shared: Arc<Shared>,
    address: SocketAddr,
    listener: JoinHandle<()>,
}

impl Drop for Ctp {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Ctp {
    /// Listens; must be called within a tokio runtime.
    pub(super) fn new(
        settings: &CtpSettings,
        directory: Option<Arc<dyn Directory>>,
        events: Events,
    ) -> Result<Self, String> {
        let Some(directory) = directory else {
            return Err("phones can be let in by a running server only".to_owned());
        };
        let cannot =
            |error: std::io::Error| format!("cannot listen on {}: {error}", settings.listen);
        let listener = std::net::TcpListener::bind(&settings.listen).map_err(cannot)?;
        listener.set_nonblocking(true).map_err(cannot)?;
        let address = listener.local_addr().map_err(cannot)?;
        let listener = TcpListener::from_std(listener).map_err(cannot)?;
        let shared = Arc::new(Shared {
            phones: Mutex::default(),
            directory,
            questions: Semaphore::new(QUESTIONS),
            events,
            settings: settings.clone(),
        });
        Ok(Self {
            listener: tokio::spawn(accept(listener, Arc::clone(&shared))),
            shared,
            address,
        })
    }

    async fn push(&self, message: &Message) -> Result<(), GatewayError> {
        let Content::Push(push) = &message.content else {
            return Err(GatewayError::unsupported(
                "a connection carries notifications, no texts",
            ));
        };
        let notification = &push.wsp().body;
        if notification.len() > frame::MAX_VALUE {
            let why = "a connection carries notifications of at most 255 octets";
            return Err(GatewayError::unsupported(why));
        }
        let gone = || GatewayError::unreachable("the phone holds no connection");
        let device = message.to.device.as_ref().ok_or_else(gone)?;
        let orders = self.shared.orders(device).ok_or_else(gone)?;
        let (written, receiver) = oneshot::channel();
        let order = Order {
            notification: notification.clone(),
            written,
        };
        let given = async {
            orders.send(order).await.map_err(|_| gone())?;
            // An order that was taken and not written may have been written in part, which a phone does not understand.
            receiver.await.map_err(|_| gone())
        };
        tokio::time::timeout(WRITE, given)
            .await
            .unwrap_or_else(|_| Err(GatewayError::in_doubt("the phone does not read")))
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(shared.settings.max_connections));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move {
                    let _place = place;
                    session::lead(stream, &shared).await;
                });
            }
            Err(error) => {
                tracing::warn!("a phone's connection cannot be taken: {error}");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

impl SmsGateway for Ctp {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            addressing: Addressing::Device,
            push: true,
            text: false,
            receipts: false,
            incoming: false,
            max_parts: u8::MAX,
        }
    }

    fn submit<'a>(&'a self, unit: &'a Unit<'a>) -> BoxFuture<'a, Report> {
        Box::pin(async move {
            match self.push(unit.message).await {
                Ok(()) => Report::whole(unit, None),
                Err(error) => Report::failed(error),
            }
        })
    }

    fn reaches(&self, to: &Recipient) -> bool {
        to.device
            .as_ref()
            .is_some_and(|device| self.shared.orders(device).is_some())
    }

    fn listens_at(&self) -> Option<SocketAddr> {
        Some(self.address)
    }
}
