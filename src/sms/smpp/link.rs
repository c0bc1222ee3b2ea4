//! Keeps a link up: connects, binds, leads the session, and comes back when it is lost, with growing pauses.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter};
use rusmpp::values::InterfaceVersion;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_util::codec::Framed;

use super::pdu::{self, c_string};
use super::session::{Codec, Frame, Handle, Pace, Session, Stream};
use crate::sms::error::GatewayError;
use crate::sms::event::Events;
use crate::sms::http::authorities;
use crate::sms::router::jitter;
use crate::sms::settings::{GatewaySettings, SmppSettings};

/// The longest pause between two connections.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How long a good-bye may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Transceiver,
    Transmitter,
    Receiver,
}

/// How a link stands.
#[derive(Clone)]
pub(super) enum LinkState {
    /// For the first time.
    Connecting,
    Bound(Handle),
    /// Why; it is tried again.
    Down(GatewayError),
}

/// A link that is kept up until it is dropped.
pub(super) struct Link {
    state: watch::Receiver<LinkState>,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

/// How to connect.
struct Connector {
    gateway: String,
    settings: SmppSettings,
    role: Role,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    pace: Pace,
    events: Events,
}

impl Link {
    /// Checks the settings and begins to connect.
    pub(super) fn start(
        role: Role,
        gateway: &GatewaySettings,
        settings: &SmppSettings,
        events: Events,
    ) -> Result<Self, String> {
        let connector = Connector {
            gateway: gateway.name.clone(),
            tls: tls(settings)?,
            role,
            pace: Pace {
                timeout: gateway.timeout,
                enquire: settings.enquire,
                receipt_ids_are_hex: settings.receipt_ids_are_hex,
            },
            settings: settings.clone(),
            events,
        };
        connector.bind()?;
        let (sender, state) = watch::channel(LinkState::Connecting);
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(connector.keep_up(sender, stopped));
        Ok(Self {
            state,
            stop,
            task: Mutex::new(Some(task)),
        })
    }

    pub(super) fn state(&self) -> watch::Receiver<LinkState> {
        self.state.clone()
    }

    /// Ends the session in the protocol's way, if there is one.
    pub(super) async fn close(&self) {
        let _unused = self.stop.send(true);
        let task = self
            .task
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(task) = task {
            let _unused = tokio::time::timeout(FAREWELL * 2, task).await;
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _unused = self.stop.send(true);
    }
}

/// TLS for `smpps://`.
fn tls(settings: &SmppSettings) -> Result<Option<(TlsConnector, ServerName<'static>)>, String> {
    if !settings.encrypted {
        return Ok(None);
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(authorities(&settings.tls)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS: {error}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let host = settings.host.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host).map_err(|_| "the url has no proper host".to_owned())?;
    Ok(Some((TlsConnector::from(Arc::new(config)), name)))
}

impl Connector {
    async fn keep_up(self, state: watch::Sender<LinkState>, mut stopped: watch::Receiver<bool>) {
        let mut pause = self.settings.reconnect;
        loop {
            let began = Instant::now();
            let ended = self.once(&state, &mut stopped).await;
            let Some(error) = ended else { return };
            // The same trouble again and again is one line.
            let known = matches!(&*state.borrow(), LinkState::Down(before) if *before == error);
            if known {
                tracing::debug!(
                    sms.gateway = self.gateway,
                    "the link is still down: {error}"
                );
            } else {
                tracing::warn!(sms.gateway = self.gateway, "the link is down: {error}");
            }
            state.send_replace(LinkState::Down(error));
            // One that held for a while starts over; one that comes and goes does not.
            if began.elapsed() > LONGEST_PAUSE {
                pause = self.settings.reconnect;
            }
            let wait = pause / 2 + pause * (jitter() % 1000) / 1000;
            pause = (pause * 2).min(LONGEST_PAUSE);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// One connection from beginning to end. `None`: we are to stop.
    async fn once(
        &self,
        state: &watch::Sender<LinkState>,
        stopped: &mut watch::Receiver<bool>,
    ) -> Option<GatewayError> {
        let framed = tokio::select! {
            opened = self.open() => match opened {
                Ok(framed) => framed,
                Err(error) => return Some(error),
            },
            _ = stopped.wait_for(|stopped| *stopped) => return None,
        };
        tracing::info!(sms.gateway = self.gateway, "bound as {}", self.role.word());
        let (mut session, handle) = Session::new(framed, 1, self.events.clone(), self.pace);
        state.send_replace(LinkState::Bound(handle));
        let ended = tokio::select! {
            why = session.run() => Some(why),
            _ = stopped.wait_for(|stopped| *stopped) => None,
        };
        match ended {
            Some(why) => Some(GatewayError::unreachable(why)),
            None => {
                let _unused = tokio::time::timeout(FAREWELL, session.unbind()).await;
                None
            }
        }
    }

    /// Connects and binds.
    async fn open(&self) -> Result<Framed<Box<dyn Stream>, Codec>, GatewayError> {
        let address = (
            self.settings.host.trim_matches(['[', ']']),
            self.settings.port,
        );
        let late = |what: &str| GatewayError::unreachable(format!("{what} within the time"));
        let connected = tokio::time::timeout(self.pace.timeout, TcpStream::connect(address)).await;
        let stream = connected
            .map_err(|_| late("no connection"))?
            .map_err(|error| GatewayError::unreachable(error.to_string()))?;
        let _unused = stream.set_nodelay(true);
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stream),
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), stream);
                let encrypted = tokio::time::timeout(self.pace.timeout, handshake).await;
                Box::new(encrypted.map_err(|_| late("no TLS"))?.map_err(|error| {
                    GatewayError::misconfigured(format!(
                        "TLS fails ({error}); ca_file names the authority of a private certificate"
                    ))
                })?)
            }
        };
        let mut framed = Framed::new(stream, Codec::new());
        let bind = self.bind().map_err(GatewayError::misconfigured)?;
        let bound =
            tokio::time::timeout(self.pace.timeout, self.handshake(&mut framed, bind)).await;
        bound.map_err(|_| late("no answer to the bind"))??;
        Ok(framed)
    }

    async fn handshake<S: Stream>(
        &self,
        framed: &mut Framed<S, Codec>,
        bind: Pdu,
    ) -> Result<(), GatewayError> {
        let lost =
            |why: String| GatewayError::unreachable(format!("the bind was not answered ({why})"));
        let command = Command::new(CommandStatus::EsmeRok, 1, bind);
        framed
            .send(command)
            .await
            .map_err(|error| lost(error.to_string()))?;
        loop {
            let command = match framed.next().await {
                Some(Ok(Frame::Command(command))) => *command,
                Some(Ok(Frame::Unreadable { .. })) => continue,
                Some(Err(error)) => return Err(lost(error.to_string())),
                None => return Err(lost("the centre closed the connection".to_owned())),
            };
            match command.id() {
                CommandId::BindTransceiverResp
                | CommandId::BindTransmitterResp
                | CommandId::BindReceiverResp
                | CommandId::GenericNack => {
                    return match command.status() {
                        CommandStatus::EsmeRok => Ok(()),
                        refused => Err(pdu::refusal(refused)),
                    };
                }
                _ => {}
            }
        }
    }

    fn bind(&self) -> Result<Pdu, String> {
        let settings = &self.settings;
        let long = |what: &str, most: usize| {
            format!("{what} has more than {most} characters, or others than ASCII")
        };
        let name = c_string::<16>(&settings.login.username).ok_or_else(|| long("username", 15))?;
        let password =
            c_string::<9>(settings.login.password.reveal()).ok_or_else(|| long("password", 8))?;
        let kind = c_string::<13>(&settings.system_type).ok_or_else(|| long("system_type", 12))?;
        let version = InterfaceVersion::Smpp3_4;
        Ok(match self.role {
            Role::Transceiver => BindTransceiver::builder()
                .system_id(name)
                .password(password)
                .system_type(kind)
                .interface_version(version)
                .build()
                .into(),
            Role::Transmitter => BindTransmitter::builder()
                .system_id(name)
                .password(password)
                .system_type(kind)
                .interface_version(version)
                .build()
                .into(),
            Role::Receiver => BindReceiver::builder()
                .system_id(name)
                .password(password)
                .system_type(kind)
                .interface_version(version)
                .build()
                .into(),
        })
    }
}

impl Role {
    const fn word(self) -> &'static str {
        match self {
            Self::Transceiver => "transceiver",
            Self::Transmitter => "transmitter",
            Self::Receiver => "receiver",
        }
    }
}
