//! The client side of a session, sans-IO (OMA DS Protocol, packages 1 to 6).
//!
//! [`Client::start`] gives the first message, [`Client::receive`] takes an answer and says what is next. The caller
//! carries the octets, tells the time with the request and writes the [`Memory`] when it likes.
//!
//! Invariants: an answer that cannot be decoded changes nothing, so that the same message can be sent again; an anchor
//! is committed only when the session ended well; a package is closed only after the peer has closed the one before;
//! no command is added to a message while Statuses wait for room.

mod breaking;
mod changes;
mod chunk;
mod exchange;
mod incoming;
mod initialisation;
mod outgoing;
mod packer;
mod received;
mod resume;
mod session;
mod statuses;

use crate::syncml::codec::{DecodeError, Limits, decode};
use crate::syncml::{Chal, Code, Command, Status};

use super::behaviour::{Behaviour, PhaseJump, SessionIdStyle};
use super::credentials::{Auth, Scheme, nonce_of};
use super::memory::{Memory, Octets};
use super::mode::Mode;
use super::report::Report;
use super::settings::Settings;

use exchange::Exchange;
use session::{Phase, Session};

/// Answers in a row that bring nothing and ask for the next message.
const MAX_IDLE: u32 = 50;
/// Polls of a busy server.
const MAX_POLLS: u32 = 20;

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Request {
    /// Datastores by name, each with a kind of sync.
    pub datastores: Vec<(String, Mode)>,
    /// Seconds since 1970.
    pub now: i64,
    /// The SessionID that the server asked for.
    pub session_id: Option<String>,
}

impl Request {
    /// The same kind of sync for each datastore.
    pub fn new(datastores: &[&str], mode: Mode, now: i64) -> Self {
        Self {
            datastores: datastores
                .iter()
                .map(|name| ((*name).to_owned(), mode))
                .collect(),
            now,
            session_id: None,
        }
    }
}

/// Why a session failed. The memory is as the session left it, anchors have not moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// 401 or 407 after the credentials were sent as asked, or a challenge that a phone cannot answer.
    #[error("the server does not accept user name and password ({0} {text})", text = .0.text())]
    Unauthorised(Code),
    /// An error Status for the header.
    #[error("the server refused the session ({0} {text})", text = .0.text())]
    Refused(Code),
    /// An error Status for every datastore; this is the first.
    #[error("the server refused every datastore ({0} {text})", text = .0.text())]
    DatastoresRefused(Code),
    /// The server stayed busy.
    #[error("the server is busy")]
    Busy,
    /// The answer is no SyncML message. Nothing has changed: the message can be sent again.
    #[error("the answer cannot be read: {0}")]
    Undecodable(#[from] DecodeError),
    /// The answer belongs to another session. Nothing has changed.
    #[error("the answer belongs to session {0:?}")]
    WrongSession(String),
    /// The server asked for message after message.
    #[error("the session does not end")]
    Endless,
    /// The phone cannot bear what came: it ended the session, or restarted.
    #[error("the phone broke on {0}")]
    Broke(String),
    /// There is no session.
    #[error("there is no session")]
    NoSession,
}

/// What comes after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send this message to [`Client::address`].
    Send(Vec<u8>),
    /// The session ended well.
    Done(Report),
    /// The session is suspended, as the phone wanted.
    Suspended(Report),
    /// The session is over.
    Failed(Failure),
}

/// How far a session is, in items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Changes of the phone.
    pub to_send: u64,
    /// Of these, confirmed.
    pub sent: u64,
    /// Changes that the server announced (NumberOfChanges); 0 if it did not.
    pub to_receive: u64,
    /// Changes that came.
    pub received: u64,
}

/// The phone's side of the protocol, with the phone's memory.
#[derive(Debug)]
pub struct Client {
    settings: Settings,
    behaviour: Behaviour,
    memory: Memory,
    session: Session,
}

impl Client {
    /// A client without a session.
    pub fn new(settings: Settings, behaviour: Behaviour, memory: Memory) -> Self {
        Self {
            settings,
            behaviour,
            memory,
            session: Session::default(),
        }
    }

    /// What the phone keeps.
    pub const fn memory(&self) -> &Memory {
        &self.memory
    }

    /// What the phone keeps, for the user's edits between sessions.
    pub const fn memory_mut(&mut self) -> &mut Memory {
        &mut self.memory
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The settings; a session that runs keeps parts of the old ones.
    pub const fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// The behaviour.
    pub const fn behaviour(&self) -> &Behaviour {
        &self.behaviour
    }

    /// The behaviour; a session that runs takes it from its next message on.
    pub const fn behaviour_mut(&mut self) -> &mut Behaviour {
        &mut self.behaviour
    }

    /// Where the next message goes: the RespURI of the last answer, else the server's address.
    pub fn address(&self) -> &str {
        &self.session.address
    }

    /// The message that was sent last, to send it again when no answer came; counted in the report.
    pub fn resend(&mut self) -> &[u8] {
        self.session.report.resends += 1;
        &self.session.last_sent
    }

    /// What happened so far; after a failure, what happened until then.
    pub fn report(&self) -> Report {
        let mut report = self.session.report.clone();
        report.datastores = self
            .session
            .exchanges
            .iter()
            .map(Exchange::report)
            .collect();
        report
    }

    /// How far the session is.
    pub fn progress(&self) -> Progress {
        let mut progress = Progress::default();
        for exchange in &self.session.exchanges {
            progress.to_send += exchange.to_send;
            progress.sent += exchange.sent.total();
            progress.to_receive += exchange.announced.unwrap_or(0);
            progress.received += exchange.received.total();
        }
        progress
    }

    /// Begins a session and gives its first message; one that runs is dropped.
    pub fn start(&mut self, request: &Request) -> Vec<u8> {
        self.memory.session_counter += 1;
        self.session = Session {
            phase: Phase::Initialising,
            id: match &request.session_id {
                Some(id) => id.clone(),
                None => self.session_id(request.now),
            },
            address: self.settings.server_url.clone(),
            now: request.now,
            scheme: match self.settings.auth {
                Auth::Basic => Some(Scheme::Basic),
                Auth::Md5 => Some(Scheme::Md5),
                Auth::Challenged => None,
            },
            ..Session::default()
        };
        self.session.report.session_id.clone_from(&self.session.id);
        for (name, mode) in &request.datastores {
            if self
                .session
                .exchanges
                .iter()
                .all(|exchange| exchange.name != *name)
            {
                let exchange = self.exchange(name, *mode);
                self.session.exchanges.push(exchange);
                self.resume_exchange(self.session.exchanges.len() - 1);
            }
        }
        if self.behaviour.jump_phases != Some(PhaseJump::NoAlert) {
            self.queue_initialisation();
        }
        if self.behaviour.sync_without_init || self.behaviour.jump_phases.is_some() {
            self.session.phase = Phase::Exchanging;
            for index in 0..self.session.exchanges.len() {
                self.prepare(index);
            }
        }
        self.compose()
    }

    /// Takes the server's answer. After `Failed` with [`Failure::Undecodable`] or [`Failure::WrongSession`] the session
    /// is as it was, so that the message can be sent again; after every other failure it is over.
    pub fn receive(&mut self, answer: &[u8]) -> Next {
        if self.session.phase == Phase::Over {
            return Next::Failed(Failure::NoSession);
        }
        let message = match decode(answer, self.settings.carrier, &Limits::default()) {
            Ok(message) => message,
            Err(error) => return Next::Failed(Failure::Undecodable(error)),
        };
        if message.header.session_id != self.session.id.as_str() {
            return Next::Failed(Failure::WrongSession(
                message.header.session_id.into_owned(),
            ));
        }
        self.session.report.octets_received += answer.len() as u64;
        let limit = self.settings.max_msg_size;
        if answer.len() as u64 > limit {
            let size = answer.len();
            self.session
                .complain(|| format!("an answer of {size} octets, the limit is {limit}"));
        }
        if let Some(broken) = self.unbearable(answer, &message) {
            return self.fail(Failure::Broke(broken));
        }
        let taken = self.take(&message);
        if let Some(broken) = self.session.broken.take() {
            return self.fail(Failure::Broke(broken));
        }
        let step = match taken {
            Ok(_) if self.session.suspending => {
                self.session.phase = Phase::Over;
                return Next::Suspended(self.report());
            }
            Ok(Some(sent)) => Ok(Some(sent)),
            Ok(None) if self.suspends() => Ok(Some(self.compose_suspension())),
            Ok(None) => self.advance(),
            Err(failure) => Err(failure),
        };
        match step {
            Ok(Some(_)) if self.session.msg_id > self.settings.max_messages => {
                self.fail(Failure::Endless)
            }
            Ok(Some(octets)) => Next::Send(octets),
            Ok(None) => self.finish(),
            Err(failure) => self.fail(failure),
        }
    }

    /// Chooses the next step after an answer was taken; `None` when the session is complete.
    fn advance(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        if self.session.idle > MAX_IDLE {
            return Err(Failure::Endless);
        }
        if self.was_bare() {
            self.session.closed = true;
        }
        let Session {
            phase,
            closed,
            server_closed,
            ..
        } = self.session;
        match phase {
            Phase::Over => return Err(Failure::NoSession),
            Phase::Initialising if closed && server_closed => {
                self.check_alerts()?;
                self.open_package(Phase::Exchanging);
                for index in 0..self.session.exchanges.len() {
                    self.prepare(index);
                }
            }
            Phase::Exchanging | Phase::Receiving => {
                let restarts = self
                    .session
                    .exchanges
                    .iter()
                    .any(|exchange| exchange.restart);
                if restarts && (!closed || server_closed) {
                    self.open_package(Phase::Exchanging);
                    for index in 0..self.session.exchanges.len() {
                        if self.session.exchanges[index].restart {
                            self.prepare(index);
                        }
                    }
                } else if closed && server_closed {
                    self.check_alerts()?;
                    if !self.needs_package_5() {
                        return Ok(None);
                    }
                    self.open_package(Phase::Mapping);
                } else if closed {
                    self.session.phase = Phase::Receiving;
                }
            }
            Phase::Mapping if closed && server_closed => {
                let owes = self
                    .session
                    .statuses
                    .iter()
                    .any(|status| status.cmd_ref != "0");
                if !owes && self.session.queue.is_empty() {
                    return Ok(None);
                }
                self.open_package(Phase::Mapping);
            }
            Phase::Initialising | Phase::Mapping => {}
        }
        Ok(Some(self.compose()))
    }

    fn open_package(&mut self, phase: Phase) {
        self.session.phase = phase;
        self.session.closed = false;
    }

    /// All datastores refused is a failure.
    fn check_alerts(&self) -> Result<(), Failure> {
        let session = &self.session;
        let refused = session
            .exchanges
            .iter()
            .find_map(|exchange| exchange.refused);
        match refused {
            Some(code)
                if session
                    .exchanges
                    .iter()
                    .all(|exchange| exchange.refused.is_some()) =>
            {
                Err(Failure::DatastoresRefused(code))
            }
            _ => Ok(()),
        }
    }

    /// Package 5 is due after package 4 unless only the client sent items and the server wants no Status.
    pub(super) fn needs_package_5(&self) -> bool {
        let session = &self.session;
        session.statuses.iter().any(|status| status.cmd_ref != "0")
            || !session.queue.is_empty()
            || session
                .exchanges
                .iter()
                .any(|exchange| exchange.refused.is_none() && exchange.used.server_sends())
    }

    fn finish(&mut self) -> Next {
        self.session.phase = Phase::Over;
        if let Some(missed) = self.missed() {
            return self.fail(Failure::Broke(missed));
        }
        let unanswered: Vec<_> = self
            .session
            .flights
            .values()
            .flatten()
            .filter(|flight| !flight.answered && flight.wants_status())
            .map(|flight| flight.name.clone())
            .collect();
        for name in unanswered {
            self.session.complain(|| format!("no Status for {name}"));
        }
        for index in 0..self.session.exchanges.len() {
            let Exchange {
                name,
                announced,
                came,
                ..
            } = &self.session.exchanges[index];
            if announced.is_some_and(|announced| announced != *came) {
                let text = format!("NumberOfChanges {announced:?} of {name}, {came} came");
                self.session.complain(|| text);
            }
        }
        for exchange in &self.session.exchanges {
            if exchange.refused.is_some() {
                continue;
            }
            let store = self.memory.datastore_mut(&exchange.name);
            store.interrupted = None;
            store.pending_anchor = None;
            store.last_anchor = (!exchange.stale).then(|| exchange.next.clone());
            if exchange.server_next.is_some() {
                store.server_anchor.clone_from(&exchange.server_next);
            }
            if exchange.used.sends_everything() {
                store.deleted.clear();
            }
        }
        Next::Done(self.report())
    }

    fn fail(&mut self, failure: Failure) -> Next {
        self.session.phase = Phase::Over;
        Next::Failed(failure)
    }

    fn session_id(&self, now: i64) -> String {
        let counter = self.memory.session_counter;
        match &self.behaviour.session_id {
            SessionIdStyle::Counter => counter.to_string(),
            SessionIdStyle::Hexadecimal => format!("{counter:X}"),
            SessionIdStyle::Padded => format!("{counter:04}"),
            SessionIdStyle::Time => now.to_string(),
            SessionIdStyle::Constant(id) => id.clone(),
        }
    }

    /// Answers a challenge with the same commands in a new message, or, by behaviour, in a new session. `status` is the
    /// Status for the header of the message with the challenge.
    fn retry(
        &mut self,
        code: Code,
        chal: Option<&Chal<'_>>,
        status: Option<Status<'static>>,
    ) -> Result<Vec<u8>, Failure> {
        let session = &mut self.session;
        session.report.challenges += 1;
        session.unanswered_challenges += 1;
        // 401 without Chal: the scheme that was used before is tried again only if none was used.
        let scheme = match chal {
            Some(chal) => Scheme::asked_by(chal),
            None => session.scheme.is_none().then_some(Scheme::Basic),
        };
        if let Some(nonce) = chal.and_then(nonce_of) {
            self.memory.nonce = Some(Octets(nonce));
        }
        let Some(scheme) = scheme.filter(|_| session.unanswered_challenges == 1) else {
            return Err(Failure::Unauthorised(code));
        };
        session.scheme = Some(scheme);
        session.authenticated = false;
        let mut message = std::mem::take(&mut session.last_message);
        let mut flights = session.flights.remove(&session.msg_id).unwrap_or_default();
        if !self.behaviour.restart_when_challenged {
            return Ok(self.repeat(message, flights, status));
        }
        message
            .body
            .retain(|command| !matches!(command, Command::Put(_) | Command::Get(_)));
        flights.retain(|flight| !matches!(flight.name.as_str(), "Put" | "Get"));
        session.flights.clear();
        session.msg_id = 0;
        session.last_server_msg = None;
        self.memory.session_counter += 1;
        self.session.id = self.session_id(self.session.now);
        self.session.report.session_id.clone_from(&self.session.id);
        Ok(self.repeat(message, flights, None))
    }
}
