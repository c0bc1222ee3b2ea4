//! HTTP front (OMA SyncML HTTP Binding 1.1, 1.2): carries messages between phones and the engine, and answers monitors.
//!
//! - A message is worked on in a blocking thread; a semaphore bounds how many at once.
//! - Every answer has a Content-Length, none is chunked: early phones cannot read chunks.
//! - Nothing of SyncML is known here; [`Engine`] is the whole border.
//! - Bounded: connections, octets of a request, its time, refused passwords that are remembered or waiting.

mod console;
mod delay;
mod endpoint;
mod gateway;
mod metrics;
mod monitor;
mod refusal;
#[cfg(test)]
mod tests;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpServer, web};
use tokio::sync::{Notify, Semaphore, watch};

use crate::api;
use crate::config::HttpConfig;
use crate::exchange::{ExchangeError, Reply, Request};
use crate::sms::Gateways;
use delay::DelayTable;
use metrics::Metrics;

/// What answers the messages.
pub trait Engine: Clone + Send + Sync + 'static {
    /// Answers one message; blocks. `now` is in seconds since 1970.
    fn handle(&self, request: Request<'_>, now: i64) -> Result<Reply, ExchangeError>;

    /// The reply to a phone whose message takes too long; `None` if there is none and it has to wait.
    fn busy(&self, request: Request<'_>) -> Option<Reply>;

    /// Whether messages can be answered now; blocks. The text says why not.
    fn ready(&self) -> Result<(), String>;

    /// The gateways that call us; none if there are none.
    fn gateways(&self) -> Option<&Gateways> {
        None
    }

    /// Octets that the body of a request to the API may have; `None`: there is no API.
    fn api_limit(&self, _request: &api::Request) -> Option<usize> {
        None
    }

    /// Answers a request to the API; blocks. `None`: there is none.
    fn api(&self, _request: &api::Request) -> Option<api::Answer> {
        None
    }

    /// More counters for Prometheus; blocks.
    fn figures(&self) -> String {
        String::new()
    }
}

/// Bounds of the server.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Largest request body, octets.
    pub body_bytes: usize,
    /// Messages that are worked on at once.
    pub workers: usize,
    /// How long a request may take to arrive.
    pub request_timeout: Duration,
    /// How long a request waits for a worker before it is told to come again.
    pub queue_timeout: Duration,
    /// How long a phone waits for a reply before it is told that the server is busy.
    pub patience: Duration,
    /// The wait after the fourth refused password in a row; it doubles from there.
    pub first_delay: Duration,
    /// How long a stopping server waits for running requests.
    pub stop_timeout: Duration,
}

impl From<HttpConfig> for Limits {
    fn from(config: HttpConfig) -> Self {
        Self {
            body_bytes: config.max_body_bytes,
            workers: config.workers,
            request_timeout: Duration::from_secs(config.request_timeout_seconds),
            queue_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(config.patience_seconds),
            first_delay: Duration::from_millis(500),
            stop_timeout: Duration::from_secs(30),
        }
    }
}

/// Processor cores for each HTTP thread: what it does is a small part of the work, and each is woken twice a second while idle.
const CORES_PER_THREAD: usize = 4;
/// Connections that one HTTP thread holds open at most; more wait in the system's queue.
const CONNECTIONS_PER_THREAD: usize = 2048;

/// What all requests share.
struct State<E> {
    engine: E,
    limits: Limits,
    workers: Arc<Semaphore>,
    delays: Mutex<DelayTable>,
    delayed: Semaphore,
    ready_checks: Arc<Semaphore>,
    metrics: Metrics,
    closing: watch::Sender<bool>,
    running: Running,
    /// Told when the work on a message is done.
    done: Notify,
}

/// Counts the requests that are being answered.
#[derive(Default)]
struct Running {
    count: Mutex<usize>,
    none: Condvar,
}

/// One request that is being answered.
struct RunningRequest<'a>(&'a Running);

impl Running {
    fn count(&self) -> MutexGuard<'_, usize> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self) -> RunningRequest<'_> {
        *self.count() += 1;
        RunningRequest(self)
    }

    fn wait(&self, at_most: Duration) {
        let _unused = self
            .none
            .wait_timeout_while(self.count(), at_most, |count| *count > 0);
    }
}

impl Drop for RunningRequest<'_> {
    fn drop(&mut self) {
        let mut count = self.0.count();
        *count -= 1;
        if *count == 0 {
            self.0.none.notify_all();
        }
    }
}

/// A running server. Dropping it lets it run on; [`Server::stop`] ends it.
pub struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    stop_accepting: Box<dyn Fn() + Send>,
    wait_for_running: Box<dyn Fn() + Send>,
    ended: watch::Receiver<bool>,
    thread: JoinHandle<io::Result<()>>,
}

impl Server {
    /// Listens at `host:port` and answers from threads of its own.
    pub fn start<E: Engine>(engine: E, listen: &str, limits: Limits) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        let address = listener.local_addr()?;
        let state = web::Data::new(State {
            engine,
            limits,
            workers: Arc::new(Semaphore::new(limits.workers.max(1))),
            delays: Mutex::new(DelayTable::new(limits.first_delay)),
            delayed: Semaphore::new(delay::WAITING),
            ready_checks: Arc::new(Semaphore::new(1)),
            metrics: Metrics::default(),
            closing: watch::Sender::new(false),
            running: Running::default(),
            done: Notify::new(),
        });
        let (started, start) = std::sync::mpsc::channel();
        let (ending, ended) = watch::channel(false);
        let shared = state.clone();
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = cores.div_ceil(CORES_PER_THREAD);
        let thread = std::thread::Builder::new()
            .name("http".to_owned())
            .spawn(move || {
                let outcome = actix_web::rt::System::new().block_on(async move {
                    let server = HttpServer::new(move || {
                        let state = shared.clone();
                        App::new().configure(|app| endpoint::routes(app, state))
                    })
                    .workers(threads)
                    .max_connections(CONNECTIONS_PER_THREAD)
                    .client_request_timeout(limits.request_timeout)
                    .client_disconnect_timeout(Duration::from_secs(5))
                    .keep_alive(Duration::from_secs(30))
                    .shutdown_timeout(1)
                    .disable_signals()
                    .listen(listener)?
                    .run();
                    let _unused = started.send(server.handle());
                    server.await
                });
                let _unused = ending.send(true);
                outcome
            })?;
        let Ok(handle) = start.recv() else {
            // The thread ended before it had a server; it says why.
            return Err(joined(thread)
                .err()
                .unwrap_or_else(|| io::Error::other("the HTTP server ended before it began")));
        };
        let closing = state.clone();
        Ok(Self {
            address,
            handle,
            stop_accepting: Box::new(move || {
                let _unused = closing.closing.send_replace(true);
            }),
            wait_for_running: Box::new(move || state.running.wait(limits.stop_timeout)),
            ended,
            thread,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns when the server ended by itself.
    pub async fn ended(&self) {
        let mut ended = self.ended.clone();
        // An error means that the sender is gone, and with it the server.
        let _unused = ended.wait_for(|ended| *ended).await;
    }

    /// Takes no new requests, waits for the running ones, ends. Blocks.
    pub fn stop(self) -> io::Result<()> {
        (self.stop_accepting)();
        drop(self.handle.pause());
        (self.wait_for_running)();
        drop(self.handle.stop(true));
        joined(self.thread)
    }
}

fn joined(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the HTTP server failed")))
}
