//! `candybar serve`: the server.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use super::failure::{Code, Failure};
use super::gateways::Running;
use super::mail::Mail;
use super::signal::Signals;
use super::{Global, output, setup};
use crate::api::{self, Api};
use crate::config::{Config, Flag};
use crate::exchange::{Exchange, ExchangeError, Reply, Request};
use crate::mail::Standing;
use crate::mail::watch::Watchers;
use crate::outbox::Figures;
use crate::sms::Gateways;
use crate::store::{Keep, Pruned, Store, StoreError};
use crate::sync::AccountId;
use crate::telemetry;
use crate::web::{Engine, Limits, Server};

/// Flags of `serve`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Address and port; port 0 takes any free one [default: 127.0.0.1:8080]
    #[arg(long, value_name = "HOST:PORT")]
    listen: Option<String>,
    /// The sync address as phones see it, if it is not the one that they send to
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Messages that are worked on at once [default: four for each processor core]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<String>,
    /// off, error, warn, info, debug or trace [default: info]
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
}

impl Args {
    fn flags(&self) -> Vec<Flag> {
        [
            ("listen", "--listen", &self.listen),
            ("public_url", "--public-url", &self.public_url),
            ("http.workers", "--workers", &self.workers),
            ("log.level", "--log-level", &self.log_level),
            ("log.format", "--log-format", &self.log_format),
        ]
        .into_iter()
        .filter_map(|(key, name, value)| {
            let value = value.clone()?;
            Some(Flag { key, name, value })
        })
        .collect()
    }
}

/// The engine over the store, as the HTTP front sees it.
#[derive(Clone)]
pub(super) struct Service {
    exchange: Exchange,
    store: Store,
    gateways: Option<Gateways>,
    figures: Option<Arc<Figures>>,
    watchers: Option<Watchers>,
    api: Option<Api>,
}

impl Service {
    pub(super) fn new(exchange: Exchange, store: Store) -> Self {
        Self {
            exchange,
            store,
            gateways: None,
            figures: None,
            watchers: None,
            api: None,
        }
    }

    fn with(
        mut self,
        config: &Config,
        running: Option<&Running>,
        mail: &Mail,
    ) -> anyhow::Result<Self> {
        self.watchers = Some(mail.watchers().clone());
        self.gateways = running.map(|running| running.gateways().clone());
        self.figures = running.map(|running| running.outbox().figures());
        let profiles = config.catalogue()?;
        self.api = config.api_token.clone().map(|token| Api {
            store: self.store.clone(),
            token,
            profiles,
            server_id: config.server_id.clone(),
            url: config.public_url.clone(),
            gateways: self.gateways.clone(),
            max_message: config.mailboxes.max_message,
        });
        Ok(self)
    }
}

impl Engine for Service {
    fn handle(&self, request: Request<'_>, now: i64) -> Result<Reply, ExchangeError> {
        self.exchange.handle(request, now)
    }

    fn busy(&self, request: Request<'_>) -> Option<Reply> {
        self.exchange.busy(&request)
    }

    fn ready(&self) -> Result<(), String> {
        // Any question that is answered will do; there is no account 0.
        match self.store.account_by_id(AccountId(0)) {
            Ok(_) | Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn gateways(&self) -> Option<&Gateways> {
        self.gateways.as_ref()
    }

    fn api(&self, request: &api::Request) -> Option<api::Answer> {
        Some(self.api.as_ref()?.answer(request))
    }

    fn api_limit(&self, request: &api::Request) -> Option<usize> {
        Some(self.api.as_ref()?.body_limit(request))
    }

    fn figures(&self) -> String {
        let mut text = String::new();
        if let Some(figures) = &self.figures {
            text = figures.text(self.store.open_notifications().ok());
        }
        if let Some(watchers) = &self.watchers {
            let mailboxes = self.store.mailbox_states().ok();
            let standing = mailboxes.and_then(|mailboxes| {
                let queued = self.store.count_queued_mail().ok()?;
                Some(Standing { mailboxes, queued })
            });
            text += &watchers
                .figures()
                .text(watchers.watched(), standing.as_ref());
        }
        text
    }
}

/// Runs the server until it is told to stop.
pub(super) fn run(args: &Args, global: &Global) -> anyhow::Result<Code> {
    let config = setup::config(global, args.flags())?;
    telemetry::start(&config.log, telemetry::Mode::Server, global.verbose);
    super::memory::keep();
    let store = setup::open(&config)?;
    let settings = setup::settings(&config)?;
    let running = Running::start(&config, &store, &settings.nonce_secret)?;
    let mail = Mail::start(&config, &store)?;
    let recording = config.recording;
    let exchange =
        Exchange::new(store.clone(), settings).recorded(recording.depth, recording.session_bytes);
    let server = Server::start(
        Service::new(exchange, store.clone()).with(&config, running.as_ref(), &mail)?,
        &config.listen,
        Limits::from(config.http),
    )
    .map_err(|error| cannot_listen(&config.listen, &error))?;
    let pruning = Pruning::start(store, setup::keep(&config))?;
    tracing::info!(
        database = config.shown_database(),
        listen = %server.address(),
        "started"
    );
    if let Some(running) = &running {
        running
            .gateways()
            .reachable_at(&reachable(server.address()));
    }
    let signals = Signals::install()?;
    output::line(format!("listening on http://{}", server.address()))?;
    signals.wait(&server)?;
    tracing::info!("stopping: running requests end, new ones are refused");
    server.stop().context("the HTTP server failed")?;
    pruning.stop();
    mail.stop();
    if let Some(running) = running {
        running.stop();
    }
    tracing::info!("stopped");
    Ok(Code::Done)
}

/// Where this machine's own programs reach a server that listens there.
fn reachable(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

/// A thread that takes away what is kept no longer, when the server starts and each hour.
struct Pruning {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<()>,
}

/// How long it rests.
const PRUNING_REST: Duration = Duration::from_secs(3600);

impl Pruning {
    fn start(store: Store, keep: Keep) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("pruning".to_owned())
            .spawn(move || {
                loop {
                    match store.prune(&keep) {
                        Ok(pruned) if pruned != Pruned::default() => tracing::info!(
                            recordings = pruned.recordings,
                            revisions = pruned.revisions,
                            tombstones = pruned.tombstones,
                            sessions = pruned.sessions,
                            "what was kept long enough is taken away"
                        ),
                        Ok(_) => {}
                        Err(error) => tracing::warn!(
                            "what was kept long enough cannot be taken away: {error}; it is tried again in an hour"
                        ),
                    }
                    let rested = stopped.recv_timeout(PRUNING_REST);
                    if rested != Err(mpsc::RecvTimeoutError::Timeout) {
                        return;
                    }
                }
            })?;
        Ok(Self { stop, thread })
    }

    /// Ends it after the account that it is at.
    fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::warn!("the thread that takes away what is old has failed");
        }
    }
}

/// Why the server cannot listen there.
pub(super) fn cannot_listen(listen: &str, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "another program has this port; choose one with --listen HOST:PORT"
        }
        std::io::ErrorKind::PermissionDenied => {
            "ports below 1024 need more rights; choose another one with --listen HOST:PORT"
        }
        _ => "choose an address of this machine with --listen HOST:PORT",
    };
    Failure::new(Code::Failed, format!("cannot listen on {listen}: {error}")).hint(hint)
}
