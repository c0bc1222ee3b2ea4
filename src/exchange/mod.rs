//! One SyncML message through the server: decode, drive the session, commit, encode.
//!
//! All that a message changes, the session's new state and the reply are one transaction; the reply goes out after it.
//! A message that comes again (same device, SessionID, MsgID, same octets) gets the stored reply. A commit that meets a
//! concurrent write of the same account is worked on again from the start.

mod busy;
mod loads;
mod recording;
mod refusal;
mod summary;

use sha2::{Digest as _, Sha256};

use crate::session::{self, Admission, Context, LoadFailed, Session};
use crate::store::{Reader, Store, StoreError};
use crate::sync::{Commit, Device, DeviceId, Peer, PeerQuery, SessionWrite, StoredSession};
use crate::syncml::codec::{Form, Limits, decode, encode};
use crate::syncml::{Carrier, Code, Command, Message, Status, Version};

pub use recording::{Depth, SESSION_OCTETS};
pub use summary::Summary;

/// How often a message is worked on again after a concurrent write.
const MAX_ATTEMPTS: u32 = 20;
/// Seconds after which the same octets may open a session again.
const RESTART_AFTER: i64 = 120;
/// Octets of a device's address, a session's id or a message's.
const MAX_NAME: usize = 255;
/// Octets of our own address, which every reply says again; phones keep parameters in it.
const MAX_TARGET: usize = 2048;

/// What the driver of sessions needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Given to every session.
    pub session: session::Settings,
    /// A session whose last message is older than this is over, in seconds.
    pub session_timeout: i64,
    /// Octets that no stranger knows; nonces of unknown devices are made of them.
    pub nonce_secret: Vec<u8>,
}

/// The server's engine: messages in, replies out. Cheap to clone.
#[derive(Clone)]
pub struct Exchange {
    store: Store,
    settings: std::sync::Arc<Settings>,
    in_work: std::sync::Arc<busy::InWork>,
    documents: std::sync::Arc<session::Documents>,
    depth: Depth,
    session_octets: u64,
}

/// What a phone sent.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Content-Type with its parameters; empty if there was none.
    pub content_type: &'a str,
    /// The message.
    pub body: &'a [u8],
    /// User-Agent.
    pub user_agent: Option<&'a str>,
    /// x-wap-profile, or Profile.
    pub profile_header: Option<&'a str>,
    /// The query of the URL, without the question mark.
    pub query: Option<&'a str>,
}

/// What the phone gets.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// Content-Type.
    pub content_type: &'static str,
    /// The message.
    pub body: Vec<u8>,
    /// The session is over.
    pub last: bool,
    /// The account (or, if none was named, the device) whose credentials were refused.
    pub rejected: Option<String>,
    /// Numbers of the session, at its end.
    pub summary: Option<Summary>,
}

/// Why there is no reply.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// The Content-Type is none of SyncML's.
    #[error("the content type is none of SyncML's")]
    UnsupportedMediaType,
    /// Broken WBXML or XML; in plain words.
    #[error("{0}")]
    Undecodable(String),
    /// The database is busy.
    #[error("the database is busy")]
    Busy,
    /// A message of the same session is still being worked on: to be handed over again when it is done.
    #[error("the message before is still being worked on")]
    InProgress,
    /// The database does not answer, or cannot take what is written.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => Self::Busy,
            other => Self::Unavailable(other.to_string()),
        }
    }
}

impl Exchange {
    /// Over a store.
    pub fn new(store: Store, settings: Settings) -> Self {
        Self {
            store,
            settings: std::sync::Arc::new(settings),
            in_work: std::sync::Arc::default(),
            documents: std::sync::Arc::default(),
            depth: Depth::default(),
            session_octets: SESSION_OCTETS,
        }
    }

    /// Keeps so much of each session; messages only up to so many octets of one session.
    #[must_use]
    pub fn recorded(mut self, depth: Depth, session_octets: u64) -> Self {
        self.depth = depth;
        self.session_octets = session_octets;
        self
    }

    /// Answers one message; blocks. `now` is in seconds since 1970.
    pub fn handle(&self, request: Request<'_>, now: i64) -> Result<Reply, ExchangeError> {
        let carrier =
            Carrier::from_mime(request.content_type).ok_or(ExchangeError::UnsupportedMediaType)?;
        let limits = Limits::default();
        let message = decode(request.body, carrier, &limits).map_err(|error| {
            let account = request.query.and_then(account_of_query);
            self.remember_refusal(account, "", Code::BAD_REQUEST, now);
            ExchangeError::Undecodable(format!("this is no SyncML message: {error}"))
        })?;
        let header = &message.header;
        if header.source.uri.is_empty()
            || header.source.uri.len() > MAX_NAME
            || header.session_id.len() > MAX_NAME
            || header.msg_id.len() > MAX_NAME
            || header.target.uri.len() > MAX_TARGET
        {
            let text = "the header names no device, or one with too long an address";
            return Err(ExchangeError::Undecodable(text.to_owned()));
        }
        let Some(version) = header.version() else {
            let code = if header.ver_proto.is_empty() {
                Code::VERSION_NOT_SUPPORTED
            } else {
                Code::PROTOCOL_VERSION_NOT_SUPPORTED
            };
            return Ok(header_status(&message, Version::V12, carrier, code));
        };
        let digest = request_digest(request.body);
        let working = self
            .in_work
            .enter(&message)
            .ok_or(ExchangeError::InProgress)?;
        for attempt in 0..MAX_ATTEMPTS {
            let told = working.told.as_deref();
            match self.attempt(&request, &message, version, carrier, digest, told, now)? {
                Some(reply) => return Ok(reply),
                None => {
                    tracing::debug!(
                        attempt,
                        device = &*header.source.uri,
                        "the account changed meanwhile; once more"
                    );
                }
            }
        }
        Err(ExchangeError::Busy)
    }

    /// One try; `None` if the account or the session changed meanwhile. `told` is the MsgID of the message for whose
    /// result the phone was told to ask.
    #[allow(clippy::too_many_arguments)]
    fn attempt(
        &self,
        request: &Request<'_>,
        message: &Message<'_>,
        version: Version,
        carrier: Carrier,
        digest: [u8; 16],
        told: Option<&str>,
        now: i64,
    ) -> Result<Option<Reply>, ExchangeError> {
        let header = &message.header;
        let mut reader = self.store.reader()?;
        let query = PeerQuery {
            account: session::user_name(header),
            account_id: request.query.and_then(account_of_query),
            device: header.source.uri.to_string(),
            session: header.session_id.to_string(),
        };
        let mut peer = reader.peer(&query)?;
        let place = place(
            peer.session.as_ref(),
            message,
            digest,
            now,
            self.settings.session_timeout,
        );
        let known = peer.account.as_ref().map(|account| account.id);
        let refuse = |code: Code| {
            self.remember_refusal(known, &query.device, code, now);
            Ok(Some(header_status(message, version, carrier, code)))
        };
        let continues = match place {
            Place::Repeated(stored) => {
                let content_type = if stored.reply_type == Carrier::Xml.mime() {
                    Carrier::Xml
                } else {
                    Carrier::Wbxml
                }
                .mime();
                let last = stored.ended;
                return Ok(Some(Reply {
                    content_type,
                    body: last_reply(&mut reader, &peer, &query.session)?,
                    last,
                    ..Reply::default()
                }));
            }
            Place::OutOfOrder => {
                return refuse(Code::COMMAND_NOT_ALLOWED);
            }
            Place::Next(stored) => Some(stored.clone()),
            Place::First => match opening(peer.device.as_ref(), peer.session.as_ref(), digest, now)
            {
                Opening::New => None,
                Opening::LateCopy => {
                    return refuse(Code::COMMAND_NOT_ALLOWED);
                }
                Opening::TooSoon => {
                    return refuse(Code::RETRY_LATER);
                }
            },
        };
        let poll = busy::is_poll(message);
        let owed = |stored: &StoredSession| busy::has_result(stored, message, told);
        if poll && !continues.as_ref().is_some_and(owed) {
            return Ok(Some(busy::no_result(message, version, carrier)));
        }
        if continues.is_none() && goes_on(message) {
            // Its session is over or was never here; opening one with it would end the one that may be open.
            return refuse(Code::REQUEST_TIMEOUT);
        }
        let fallback =
            session::challenge_nonce_from(&self.settings.nonce_secret, &header.source.uri, now);
        let mut session = match &continues {
            Some(stored) => Some(
                Session::restore(&stored.snapshot)
                    .map_err(|error| ExchangeError::Unavailable(error.to_string()))?,
            ),
            None => None,
        };
        if session
            .as_ref()
            .is_some_and(|session| session.begins_anew(message))
        {
            session = None;
        }
        // Credentials are looked at wherever they come, unless they are those that opened the session.
        let proven = session.is_some()
            && (header.cred.is_none()
                || session.as_ref().is_some_and(|of| of.opened_with(message)));
        let admitted = match session::admit(message, version, &peer, proven, &fallback) {
            Err(refusal) => {
                match self.by_own_password(&mut reader, message, version, &peer, &fallback)? {
                    Some((key, admission)) => {
                        let known = peer.device.as_ref().map(|device| device.id);
                        if known != Some(key) {
                            // The phone that was waited for.
                            let account = peer.account.as_ref().map(|account| account.id);
                            drop(reader);
                            if let Some(account) = account {
                                self.store.bind_device(account, key, &header.source.uri)?;
                            }
                            return Ok(None);
                        }
                        Ok(admission)
                    }
                    None => Err(refusal),
                }
            }
            admitted => admitted,
        };
        let admission = match admitted {
            Ok(_) if session.is_some() => Admission::Session,
            Ok(admission) => admission,
            Err(refusal) => {
                // Who shows nothing is only asked to, unless it has been asked in this session.
                if header.cred.is_some() || header.msg_id != "1" {
                    self.remember_refusal(known, &query.device, refusal.code, now);
                }
                let rejected = (refusal.code == Code::INVALID_CREDENTIALS).then(|| {
                    query
                        .account
                        .clone()
                        .unwrap_or_else(|| query.device.clone())
                });
                let body = encode(
                    &refusal.reply(message, version),
                    &Form::new(carrier, version),
                );
                return Ok(Some(Reply {
                    content_type: carrier.mime(),
                    body,
                    last: true,
                    rejected,
                    summary: None,
                }));
            }
        };
        let stored_reply = match poll {
            true => Some(last_reply(&mut reader, &peer, &query.session)?),
            false => None,
        };
        let Some(account) = peer.account.take() else {
            return Err(ExchangeError::Unavailable(
                "a session without an account".to_owned(),
            ));
        };
        let Some(device) = peer.device.take() else {
            // Its own small transaction; what follows is read again afterwards.
            drop(reader);
            self.store
                .register_device(account.id, &header.source.uri, now)?;
            return Ok(None);
        };
        let continues = session.is_some();
        let mut session = match session {
            Some(session) => session,
            None => {
                let session = Session::open(message, version, carrier);
                // Only 1.2 knows how to resume.
                let before = match version {
                    Version::V12 => reader.last_session(account.id, device.id)?,
                    _ => None,
                };
                match before {
                    Some(snapshot) => session.after(&snapshot),
                    None => session,
                }
            }
        };
        let context = Context {
            settings: &self.settings.session,
            documents: &self.documents,
            account: &account,
            device: &device,
            views: &peer.views,
            user_agent: request.user_agent,
            profile_header: request.profile_header,
            now,
            request: digest,
            octets: request.body.len() as u64,
            entropy: entropy()?,
        };
        let mut loads = loads::ReaderLoads::new(&mut reader, account.id, device.id);
        let mut outcome = match peer.session.as_ref().filter(|_| poll) {
            Some(stored) => {
                let octets = stored_reply.as_deref().unwrap_or_default();
                let reply = reply_message(octets, stored)?;
                session.result(message, reply, &account, stored.ended)
            }
            None => match session.receive(message, &admission, &context, &mut loads) {
                Ok(outcome) => outcome,
                Err(LoadFailed) => return Err(loads.failure()),
            },
        };
        drop(reader);
        let reply = encode(&outcome.reply, &session.form());
        let depth = if session.count(request.body.len() + reply.len()) > self.session_octets {
            self.depth.min(Depth::Items)
        } else {
            self.depth
        };
        let recording = recording::of(
            &mut outcome,
            depth,
            &device.uri,
            carrier,
            account.modseq,
            (depth == Depth::Messages)
                .then(|| recording::masked(request.body, message))
                .flatten()
                .as_deref(),
        );
        let state = StoredSession {
            session: header.session_id.to_string(),
            // A phone that uses its SessionID again goes on counting, so that no two messages can take the same step.
            step: peer.session.as_ref().map_or(0, |stored| stored.step) + 1,
            msg_id: header.msg_id.to_string(),
            request: digest,
            reply: reply.clone(),
            reply_type: carrier.mime().to_owned(),
            snapshot: session.snapshot(),
            ended: outcome.ended,
            updated: now,
            recording: peer.session.as_ref().map_or(0, |stored| stored.recording),
        };
        let commit = Commit {
            account: account.id,
            device: Some(device.id),
            expected: account.modseq,
            modseq: outcome.modseq,
            next_item: outcome.next_item,
            changes: outcome.changes,
            session: Some(SessionWrite {
                supersede: !continues,
                state,
                recording: Some(recording),
            }),
            now,
        };
        match self.store.commit(commit) {
            Ok(()) => {}
            Err(StoreError::Conflict) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        for note in &outcome.notes {
            tracing::info!(
                account = account.name,
                device = device.uri,
                session = &*header.session_id,
                datastore = note.datastore.map(tracing::field::display),
                luid = note.luid,
                "{}",
                note.text
            );
        }
        Ok(Some(Reply {
            content_type: carrier.mime(),
            body: reply,
            last: outcome.ended,
            rejected: None,
            summary: outcome.summary.map(|summary| {
                Summary::new(summary, &account.name, &device.uri, &header.session_id)
            }),
        }))
    }
}

impl Exchange {
    /// The device whose own password a refused message proves itself with.
    fn by_own_password(
        &self,
        reader: &mut Reader,
        message: &Message<'_>,
        version: Version,
        peer: &Peer,
        fallback: &[u8],
    ) -> Result<Option<(DeviceId, Admission)>, ExchangeError> {
        let (Some(account), Some(_)) = (&peer.account, &message.header.cred) else {
            return Ok(None);
        };
        let device = peer.device.as_ref().map(|device| device.id);
        let keys = reader.device_keys(account.id, device)?;
        let keys = keys.iter().map(|key| (key.device, &key.password));
        Ok(session::admit_by_key(
            message, version, peer, keys, fallback,
        ))
    }
}

/// Where a message stands in its session.
enum Place<'p> {
    /// It begins a session.
    First,
    /// It is the next one.
    Next(&'p StoredSession),
    /// It came before and was answered.
    Repeated(&'p StoredSession),
    /// It is older than the last one.
    OutOfOrder,
}

fn place<'p>(
    stored: Option<&'p StoredSession>,
    message: &Message<'_>,
    digest: [u8; 16],
    now: i64,
    timeout: i64,
) -> Place<'p> {
    let Some(stored) = stored.filter(|stored| now.saturating_sub(stored.updated) < timeout) else {
        return Place::First;
    };
    let msg_id = &message.header.msg_id;
    if stored.msg_id == *msg_id && stored.request == digest {
        return Place::Repeated(stored);
    }
    let number = |text: &str| text.trim().parse::<u64>().ok();
    match (number(&stored.msg_id), number(msg_id)) {
        (Some(last), Some(new)) if new > last && (!stored.ended || busy::is_poll(message)) => {
            Place::Next(stored)
        }
        // Phones that use the same SessionID for every session begin again with 1.
        (_, Some(1)) => Place::First,
        // After a challenge they are at 2 when they prove who they are.
        (Some(_), Some(_))
            if message.header.cred.is_some() && (stored.ended || !goes_on(message)) =>
        {
            Place::First
        }
        _ => Place::OutOfOrder,
    }
}

/// Whether a message can only be a later one of a session: its MsgID is not 1 (as after a challenge it is not, too), and
/// it has nothing with which a session begins.
fn goes_on(message: &Message<'_>) -> bool {
    let begins = |command: &Command<'_>| {
        matches!(
            command,
            Command::Alert(_) | Command::Put(_) | Command::Get(_)
        )
    };
    message.header.msg_id.trim() != "1" && !message.body.iter().any(begins)
}

/// What a message that would open a session is.
enum Opening {
    /// It opens one.
    New,
    /// It opened one that is long gone: a copy that was under way for long.
    LateCopy,
    /// It opened the newest one, which went on a moment ago: a copy too, or a phone that begins again with the same
    /// octets. The phone may try again when [`RESTART_AFTER`] has passed.
    TooSoon,
}

fn opening(
    device: Option<&Device>,
    newest: Option<&StoredSession>,
    digest: [u8; 16],
    now: i64,
) -> Opening {
    let mut openings = device
        .map_or(&[][..], |device| &device.openings)
        .chunks_exact(digest.len())
        .rev();
    if openings.next() == Some(&digest) {
        let busy =
            newest.is_some_and(|session| now.saturating_sub(session.updated) < RESTART_AFTER);
        return if busy { Opening::TooSoon } else { Opening::New };
    }
    if openings.any(|opening| opening == digest) {
        Opening::LateCopy
    } else {
        Opening::New
    }
}

/// The account in the query of our RespURI.
fn account_of_query(query: &str) -> Option<crate::sync::AccountId> {
    let value = query.split('&').find_map(|pair| pair.strip_prefix("s="))?;
    value.parse().ok().map(crate::sync::AccountId)
}

fn request_digest(body: &[u8]) -> [u8; 16] {
    let hash = Sha256::digest(body);
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash[..16]);
    digest
}

fn entropy() -> Result<[u8; 16], ExchangeError> {
    let mut octets = [0; 16];
    getrandom::fill(&mut octets).map_err(|error| ExchangeError::Unavailable(error.to_string()))?;
    Ok(octets)
}

/// The reply to the last message of the sender's session.
fn last_reply(reader: &mut Reader, peer: &Peer, session: &str) -> Result<Vec<u8>, StoreError> {
    match (&peer.account, &peer.device) {
        (Some(account), Some(device)) => reader.last_reply(account.id, device.id, session),
        _ => Ok(Vec::new()),
    }
}

/// The message of a stored reply.
fn reply_message(reply: &[u8], stored: &StoredSession) -> Result<Message<'static>, ExchangeError> {
    let carrier = Carrier::from_mime(&stored.reply_type).unwrap_or(Carrier::Wbxml);
    decode(reply, carrier, &Limits::default())
        .map(Message::into_owned)
        .map_err(|error| {
            ExchangeError::Unavailable(format!("a stored reply cannot be read: {error}"))
        })
}

/// A message that says one thing of the whole message.
fn header_message(message: &Message<'_>, version: Version, code: Code) -> Message<'static> {
    let header = &message.header;
    let mut reply = session::reply_to(header, version);
    reply.body.push(Command::Status(Status {
        cmd_id: "1".into(),
        msg_ref: header.msg_id.to_string().into(),
        cmd_ref: "0".into(),
        cmd: "SyncHdr".into(),
        target_refs: vec![header.target.uri.to_string().into()],
        source_refs: vec![header.source.uri.to_string().into()],
        code,
        ..Status::default()
    }));
    reply
}

/// A reply that says one thing of the whole message.
fn header_status(message: &Message<'_>, version: Version, carrier: Carrier, code: Code) -> Reply {
    let reply = header_message(message, version, code);
    Reply {
        content_type: carrier.mime(),
        body: encode(&reply, &Form::new(carrier, version)),
        last: true,
        ..Reply::default()
    }
}
