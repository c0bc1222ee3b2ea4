//! What the tests of gateways share: gateways from a configuration file, their way back over HTTP, and messages.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use candybar::config::Config;
use candybar::exchange::{ExchangeError, Reply, Request};
use candybar::push::{Notice, ServerAlert, Sync, san, wdp, wsp};
use candybar::sms::settings::Secret;
use candybar::sms::{
    Content, Event, GatewayState, Gateways, Incoming, Message, Msisdn, Outcome, Push, Receipt,
    Recipient,
};
use candybar::web::{Engine, Limits, Server};

/// Long enough for the slowest machine; nothing is measured with it.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) const NUMBER: &str = "+46701234567";
pub(super) const TOKEN: &str = "the token/7";

/// An HTTP front that only gateways call.
#[derive(Clone)]
struct Front(Gateways);

impl Engine for Front {
    fn handle(&self, _: Request<'_>, _: i64) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::UnsupportedMediaType)
    }

    fn busy(&self, _: Request<'_>) -> Option<Reply> {
        None
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn gateways(&self) -> Option<&Gateways> {
        Some(&self.0)
    }
}

/// Gateways at work, and an HTTP server that they can call.
pub(super) struct World {
    runtime: tokio::runtime::Runtime,
    gateways: Gateways,
    events: Receiver<Event>,
    server: Server,
}

/// Where gateways will call, before they are started.
pub(super) struct Callbacks {
    pub(super) port: u16,
}

impl Callbacks {
    /// Chooses a port that is free now.
    pub(super) fn new() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self {
            port: listener.local_addr().expect("bound").port(),
        }
    }

    /// The address of one, with the token.
    pub(super) fn url(&self, gateway: &str, what: &str) -> String {
        format!(
            "http://127.0.0.1:{}/gateway/{gateway}/{what}?token=the+token%2F7",
            self.port
        )
    }
}

impl World {
    /// Starts gateways from the text of a configuration file. Every event is kept as soon as it comes.
    pub(super) fn start(configuration: &str) -> Self {
        Self::start_at(configuration, &Callbacks { port: 0 })
    }

    pub(super) fn start_at(configuration: &str, callbacks: &Callbacks) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("candybar.toml");
        std::fs::write(&path, configuration).expect("written");
        let config = Config::load(Some(&path), [], &[]).expect("a right configuration");
        let mut settings = config.gateways;
        for gateway in &mut settings {
            gateway.token = Some(Secret::new(TOKEN));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let entered = runtime.enter();
        let (gateways, mut deliveries) =
            Gateways::start(settings).unwrap_or_else(|errors| panic!("{errors:?}"));
        let (sender, events) = channel();
        runtime.spawn(async move {
            while let Some(delivery) = deliveries.recv().await {
                if sender.send(delivery.event).is_ok() {
                    delivery.done.acknowledge();
                }
            }
        });
        drop(entered);
        let limits = Limits::from(candybar::config::HttpConfig {
            max_body_bytes: 65_536,
            workers: 2,
            request_timeout_seconds: 60,
            patience_seconds: 20,
        });
        let listen = format!("127.0.0.1:{}", callbacks.port);
        let server = Server::start(Front(gateways.clone()), &listen, limits).expect("it listens");
        gateways.reachable_at(&format!("http://{}", server.address()));
        Self {
            runtime,
            gateways,
            events,
            server,
        }
    }

    /// Hands over all parts of a message.
    pub(super) fn submit(&self, message: &Message) -> Outcome {
        let missing: Vec<u8> = (0..message.parts()).collect();
        self.runtime
            .block_on(self.gateways.submit(message, &missing, None))
    }

    /// Hands over some parts of a message through a gateway.
    pub(super) fn resume(&self, message: &Message, missing: &[u8], through: &str) -> Outcome {
        self.runtime
            .block_on(self.gateways.submit(message, missing, Some(through)))
    }

    /// Hands over several messages at once; outcomes in the order of the messages.
    pub(super) fn submit_all(&self, messages: Vec<Message>) -> Vec<Outcome> {
        let messages = Arc::new(messages);
        let tasks: Vec<_> = (0..messages.len())
            .map(|index| {
                let (gateways, messages) = (self.gateways.clone(), Arc::clone(&messages));
                self.runtime.spawn(async move {
                    let message = &messages[index];
                    let missing: Vec<u8> = (0..message.parts()).collect();
                    gateways.submit(message, &missing, None).await
                })
            })
            .collect();
        tasks
            .into_iter()
            .map(|task| self.runtime.block_on(task).expect("no panic"))
            .collect()
    }

    pub(super) fn receipt(&self) -> Receipt {
        match self.event() {
            Event::Receipt(receipt) => receipt,
            other => panic!("no receipt: {other:?}"),
        }
    }

    pub(super) fn incoming(&self) -> Incoming {
        match self.event() {
            Event::Incoming(incoming) => incoming,
            other => panic!("no SMS from a phone: {other:?}"),
        }
    }

    pub(super) fn event(&self) -> Event {
        self.events.recv_timeout(LIMIT).expect("an event")
    }

    pub(super) fn state(&self) -> GatewayState {
        self.gateways.states().remove(0)
    }

    /// Ends the HTTP server; the rest ends when it is dropped.
    pub(super) fn stop(self) {
        self.server.stop().expect("it stops");
        self.runtime.block_on(self.gateways.close());
        self.runtime.shutdown_background();
    }
}

/// A notification as the server sends it, of one or of several parts.
pub(super) fn notification(reference: &str, parts: u8) -> Message {
    let notice = Notice {
        session_id: 0x1234,
        server_id: "sync.example.org".to_owned(),
        syncs: vec![Sync::new(ServerAlert::TwoWay, "text/x-vcard", "contacts")],
        vendor: (0..100 * u32::from(parts - 1))
            .map(|octet| (octet % 251) as u8)
            .collect(),
        ..Notice::default()
    };
    let package = san::build(&notice, "password", b"nonce").expect("it can be built");
    let push = wsp::Push::notification(package);
    let push =
        Push::new(push, wdp::Ports::PUSH, wdp::Reference::Octet(0x5A)).expect("it can be cut");
    let message = message(reference, Content::Push(push));
    assert_eq!(message.parts(), parts);
    message
}

pub(super) fn text(reference: &str, text: &str) -> Message {
    message(reference, Content::Text(text.to_owned()))
}

fn message(reference: &str, content: Content) -> Message {
    Message {
        reference: reference.to_owned(),
        to: Recipient::from(NUMBER.parse::<Msisdn>().expect("a number")),
        content,
        receipt: true,
        validity: Some(Duration::from_secs(7200)),
    }
}

/// The push within a message.
pub(super) fn push(message: &Message) -> &Push {
    match &message.content {
        Content::Push(push) => push,
        Content::Text(_) => panic!("a text"),
    }
}
