//! All gateways: which one a message goes through, and which one if that is down.
//!
//! Those whose prefixes match are asked in the order of the configuration. The next one is asked only if the one before
//! certainly took nothing and refused for a reason of its own. A message of which parts are out stays with its gateway: a
//! phone puts parts together by their originator.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc};

use super::circuit::{Change, Circuit, CircuitState};
use super::ctp::{Ctp, Directory};
use super::error::{GatewayError, StartError};
use super::event::{self, Callback, CallbackAnswer, Delivery, EventCounters, Events};
use super::file::FileGateway;
use super::kannel::Kannel;
use super::loopback::Loopback;
use super::message::{Content, Message, Recipient, Unit};
use super::pap::Pap;
use super::rate::Rate;
use super::settings::{GatewayKind, GatewaySettings};
use super::smpp::Smpp;
use super::spool::Spool;
use super::submit::{Accepted, Report};
use super::template::TemplateGateway;
use super::{Addressing, SmsGateway};

/// All gateways. Cheap to clone.
#[derive(Clone)]
pub struct Gateways {
    entries: Arc<Vec<Entry>>,
    address: Arc<OnceLock<String>>,
}

struct Entry {
    settings: GatewaySettings,
    gateway: Box<dyn SmsGateway>,
    window: Semaphore,
    rate: Mutex<Rate>,
    circuit: Mutex<Circuit>,
    counters: Counters,
    brought: Arc<EventCounters>,
}

#[derive(Default)]
struct Counters {
    accepted: AtomicU64,
    refused: AtomicU64,
    throttled: AtomicU64,
    failed: AtomicU64,
    in_doubt: AtomicU64,
}

/// A gateway that did not take a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Its name.
    pub gateway: String,
    /// Why not.
    pub error: GatewayError,
    /// It was not even asked: it is left alone for a while.
    pub skipped: bool,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The gateway that took parts of it, or may have.
    pub gateway: Option<String>,
    /// What it took, in order.
    pub accepted: Vec<Accepted>,
    /// Why it did not take all. `None`: all missing parts are taken.
    pub error: Option<GatewayError>,
    /// When it makes sense to come again at the earliest, as far as gateways said so.
    pub retry_after: Option<Duration>,
    /// Gateways that did not take it, in the order in which they were asked.
    pub tried: Vec<Tried>,
}

/// One gateway, as operators see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayState {
    /// Its name.
    pub name: String,
    /// As the configuration calls it.
    pub kind: &'static str,
    /// Whether messages go.
    pub circuit: CircuitState,
    /// Where it listens for phones, if it does.
    pub listens_at: Option<SocketAddr>,
    /// SMS that it took.
    pub accepted: u64,
    /// Messages that it refused.
    pub refused: u64,
    /// Times that it asked to wait.
    pub throttled: u64,
    /// Messages that did not reach it.
    pub failed: u64,
    /// Messages of which nobody knows.
    pub in_doubt: u64,
    /// Receipts that it brought.
    pub receipts: u64,
    /// SMS from phones that it brought.
    pub incoming: u64,
}

impl Gateways {
    /// Starts all. Must be called within a tokio runtime, in which they live. Tells all that is wrong at once.
    ///
    /// The receiver gets what comes back. Without a directory no phone can connect: see [`Self::start_with`].
    pub fn start(
        settings: Vec<GatewaySettings>,
    ) -> Result<(Self, mpsc::Receiver<Delivery>), Vec<StartError>> {
        Self::start_with(settings, None)
    }

    /// As [`Self::start`], with the directory of who may hold a connection.
    pub fn start_with(
        settings: Vec<GatewaySettings>,
        directory: Option<Arc<dyn Directory>>,
    ) -> Result<(Self, mpsc::Receiver<Delivery>), Vec<StartError>> {
        let (sender, deliveries) = event::channel();
        let address = Arc::new(OnceLock::new());
        let mut entries = Vec::new();
        let mut errors = Vec::new();
        for settings in settings {
            let events = Events::new(&settings.name, sender.clone(), Arc::clone(&address));
            let brought = events.counters();
            match open(&settings, events, directory.clone()) {
                Ok(gateway) => entries.push(Entry::new(settings, gateway, brought)),
                Err(why) => errors.push(StartError {
                    gateway: settings.name,
                    why,
                }),
            }
        }
        if errors.is_empty() {
            let entries = Arc::new(entries);
            Ok((Self { entries, address }, deliveries))
        } else {
            Err(errors)
        }
    }

    #[cfg(test)]
    pub(super) fn of(gateways: Vec<(GatewaySettings, Box<dyn SmsGateway>)>) -> Self {
        let entries = gateways
            .into_iter()
            .map(|(settings, gateway)| Entry::new(settings, gateway, Arc::default()));
        Self {
            entries: Arc::new(entries.collect()),
            address: Arc::default(),
        }
    }

    /// Says where gateways reach our HTTP server, without a path, unless their configuration says it. The first word counts.
    pub fn reachable_at(&self, address: &str) {
        let _unused = self.address.set(address.to_owned());
    }

    /// None is configured.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether some gateway is there for that recipient and content; it may be down now.
    pub fn serves(&self, to: &Recipient, content: &Content) -> bool {
        self.entries.iter().any(|entry| entry.serves(to, content))
    }

    /// The gateways that can carry a push to that recipient, in order: name, kind, and how they find the phone.
    pub fn routes(&self, to: &Recipient) -> Vec<(&str, &'static str, Addressing)> {
        let able = |entry: &&Entry| entry.gateway.capabilities().push && entry.addresses(to);
        let entries = self.entries.iter().filter(able);
        entries
            .map(|entry| {
                let addressing = entry.gateway.capabilities().addressing;
                (
                    &*entry.settings.name,
                    entry.settings.kind.name(),
                    addressing,
                )
            })
            .collect()
    }

    /// Whether what goes through this gateway is SMS, which cost money.
    pub fn costs(&self, gateway: &str) -> bool {
        let mut entries = self.entries.iter();
        entries
            .find(|entry| entry.settings.name == gateway)
            .is_some_and(|entry| entry.gateway.capabilities().addressing == Addressing::Number)
    }

    /// Hands over the missing parts (ascending, from 0) of a message. `through`: the gateway that took the others.
    pub async fn submit(
        &self,
        message: &Message,
        missing: &[u8],
        through: Option<&str>,
    ) -> Outcome {
        let mut outcome = Outcome::default();
        if let Some(fault) = message.fault() {
            outcome.error = Some(GatewayError::refused(true, fault));
            return outcome;
        }
        let unit = Unit { message, missing };
        for entry in self.entries.iter() {
            let name = &entry.settings.name;
            let wanted = match through {
                Some(through) => name == through,
                None => entry.serves(&message.to, &message.content),
            };
            if !wanted {
                continue;
            }
            let (report, skipped) = entry.submit(&unit).await;
            if report.error.is_none() || !report.accepted.is_empty() {
                outcome.gateway = Some(name.clone());
                outcome.accepted = report.accepted;
                outcome.error = report.error;
                return outcome;
            }
            let Some(error) = report.error else { continue };
            if let GatewayError::Throttled {
                retry_after: Some(wait),
                ..
            } = &error
            {
                outcome.retry_after =
                    Some(outcome.retry_after.map_or(*wait, |least| least.min(*wait)));
            }
            let go_on = error.lets_another_try();
            if !error.is_certain() {
                outcome.gateway = Some(name.clone());
            }
            outcome.tried.push(Tried {
                gateway: name.clone(),
                error,
                skipped,
            });
            if !go_on {
                break;
            }
        }
        outcome.error = Some(match outcome.tried.last() {
            Some(tried) => tried.error.clone(),
            None => match through {
                Some(name) => GatewayError::misconfigured(format!(
                    "the gateway {name}, which took the first parts, is no longer configured"
                )),
                None => GatewayError::misconfigured("no gateway serves this phone"),
            },
        });
        outcome
    }

    /// Says good-bye to all peers; takes a few seconds at most.
    pub async fn close(&self) {
        for entry in self.entries.iter() {
            entry.window.close();
            entry.gateway.close().await;
        }
    }

    /// Answers what a gateway posted to our HTTP server.
    pub async fn callback(&self, gateway: &str, callback: &Callback<'_>) -> CallbackAnswer {
        match self
            .entries
            .iter()
            .find(|entry| entry.settings.name == gateway)
        {
            Some(entry) => entry.gateway.callback(callback).await,
            None => CallbackAnswer::not_found(),
        }
    }

    /// What operators see, in the order of the configuration.
    pub fn states(&self) -> Vec<GatewayState> {
        let now = Instant::now();
        self.entries.iter().map(|entry| entry.state(now)).collect()
    }
}

fn open(
    settings: &GatewaySettings,
    events: Events,
    directory: Option<Arc<dyn Directory>>,
) -> Result<Box<dyn SmsGateway>, String> {
    Ok(match &settings.kind {
        GatewayKind::Pap(pap) => Box::new(Pap::new(settings, pap, events)?),
        GatewayKind::Smpp(smpp) => Box::new(Smpp::new(settings, smpp, &events)?),
        GatewayKind::Http(template) => Box::new(TemplateGateway::new(settings, template, events)?),
        GatewayKind::Spool(spool) => Box::new(Spool::new(spool, events)?),
        GatewayKind::Ctp(ctp) => Box::new(Ctp::new(ctp, directory, events)?),
        GatewayKind::Kannel(kannel) => Box::new(Kannel::new(settings, kannel, events)?),
        GatewayKind::Loopback { address } => Box::new(Loopback::new(*address)),
        GatewayKind::File { path } => Box::new(FileGateway::new(path)?),
    })
}

/// A message on its way; if it does not come to an end, the circuit is told.
struct Admitted<'a> {
    circuit: &'a Mutex<Circuit>,
    ended: bool,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if !self.ended {
            lock(self.circuit).abandoned();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Entry {
    fn new(
        settings: GatewaySettings,
        gateway: Box<dyn SmsGateway>,
        brought: Arc<EventCounters>,
    ) -> Self {
        Self {
            brought,
            window: Semaphore::new(usize::from(settings.window.max(1))),
            rate: Mutex::new(Rate::new(settings.per_second)),
            circuit: Mutex::default(),
            counters: Counters::default(),
            settings,
            gateway,
        }
    }

    fn serves(&self, to: &Recipient, content: &Content) -> bool {
        let can = self.gateway.capabilities();
        let carries = match content {
            Content::Push(push) => can.push && push.segments().len() <= usize::from(can.max_parts),
            Content::Text(_) => can.text,
        };
        carries && self.addresses(to)
    }

    fn addresses(&self, to: &Recipient) -> bool {
        let prefixes = &self.settings.prefixes;
        let addressing = self.gateway.capabilities().addressing;
        match addressing {
            Addressing::Number | Addressing::Anyone => match &to.number {
                Some(number) => prefixes.iter().any(|prefix| prefix.matches(number)),
                None => {
                    addressing == Addressing::Anyone
                        && prefixes.iter().any(|prefix| prefix.is_any())
                }
            },
            Addressing::Device => to.device.is_some(),
        }
    }

    /// The report, and whether the gateway was left alone.
    async fn submit(&self, unit: &Unit<'_>) -> (Report, bool) {
        if !self.gateway.reaches(&unit.message.to) {
            let why = "the phone holds no connection";
            return (Report::failed(GatewayError::unreachable(why)), true);
        }
        let Ok(_place) = self.window.acquire().await else {
            return (Report::failed(GatewayError::unreachable("closed")), true);
        };
        let admitted = lock(&self.circuit).admit(Instant::now());
        if let Err((wait, why)) = admitted {
            let error = GatewayError::Throttled {
                retry_after: Some(wait),
                why: format!("left alone after a failure ({why})"),
            };
            return (Report::failed(error), true);
        }
        let mut admitted = Admitted {
            circuit: &self.circuit,
            ended: false,
        };
        let sms = u32::try_from(unit.missing.len()).unwrap_or(u32::MAX);
        let wait = lock(&self.rate).reserve(sms, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let report = self.gateway.submit(unit).await;
        admitted.ended = true;
        self.note(&report);
        (report, false)
    }

    fn note(&self, report: &Report) {
        let counters = &self.counters;
        let accepted = u64::try_from(report.accepted.len()).unwrap_or_default();
        counters.accepted.fetch_add(accepted, Relaxed);
        match &report.error {
            None => {}
            Some(GatewayError::Throttled { .. }) => {
                counters.throttled.fetch_add(1, Relaxed);
            }
            Some(GatewayError::InDoubt { .. }) => {
                counters.in_doubt.fetch_add(1, Relaxed);
            }
            Some(GatewayError::Unreachable { .. } | GatewayError::Misconfigured { .. }) => {
                counters.failed.fetch_add(1, Relaxed);
            }
            Some(_) => {
                counters.refused.fetch_add(1, Relaxed);
            }
        }
        // A phone that is not connected says nothing of the gateway.
        let error = report
            .error
            .as_ref()
            .filter(|_| self.gateway.capabilities().addressing != Addressing::Device);
        let change = lock(&self.circuit).note(error, Instant::now(), jitter());
        match (change, error) {
            (Change::Opened(pause), Some(error)) => tracing::warn!(
                sms.gateway = self.settings.name,
                pause.seconds = pause.as_secs(),
                "the gateway is left alone for a while: {error}"
            ),
            (Change::Closed, _) => {
                tracing::info!(sms.gateway = self.settings.name, "the gateway works again");
            }
            _ => {}
        }
    }

    fn state(&self, now: Instant) -> GatewayState {
        let counters = &self.counters;
        GatewayState {
            name: self.settings.name.clone(),
            kind: self.settings.kind.name(),
            circuit: lock(&self.circuit).state(now),
            accepted: counters.accepted.load(Relaxed),
            refused: counters.refused.load(Relaxed),
            throttled: counters.throttled.load(Relaxed),
            failed: counters.failed.load(Relaxed),
            in_doubt: counters.in_doubt.load(Relaxed),
            listens_at: self.gateway.listens_at(),
            receipts: self.brought.receipts.load(Relaxed),
            incoming: self.brought.incoming.load(Relaxed),
        }
    }
}

/// A random number; a poor one if the system gives none.
pub(super) fn jitter() -> u32 {
    getrandom::u32().unwrap_or(500)
}
