//! Sans-IO SyncML server sessions (SyncML Sync Protocol 1.0, 1.1; OMA DS Protocol 1.2).
//!
//! A session takes one message after the other. It is given the time and random octets, asks for loads through
//! [`Loads`], and hands back the reply and everything that is to be saved with it ([`Outcome`]). It does no IO and keeps
//! nothing between messages but its snapshot, so any node can answer any message.
//!
//! A protocol fault is a Status in the reply, not an `Err`; `Err` means that a load failed and nothing happened.
//!
//! The packages of a session, and the phase in which each is received:
//!
//! ```text
//! Initialising  #1 credentials, DevInf, Alerts     -> #2 Status, Results, Alerts
//! Receiving     #3 Sync from the client            -> #4 Status, Sync from the server
//! Sending       Status and 222 for parts of #4     -> the next part of #4
//! Finishing     #5 Status for #4, Map              -> #6 Status for Map
//! ```
//!
//! A client that sends Alert and Sync in one package goes from Initialising to Sending at once.

mod alert;
mod apply;
mod auth;
mod chunk;
mod confirm;
mod decide;
mod devinf;
mod documents;
mod filter;
mod group;
mod hierarchy;
mod hold;
mod incoming;
mod lookup;
mod notes;
mod plan;
mod profile;
mod repeated;
mod reply;
mod rest;
mod result;
mod resume;
mod room;
mod send;
mod settings;
mod state;
mod turn;
mod unmapped;
mod write;

pub use auth::{
    Admission, Refusal, admit, admit_by_key, challenge_nonce_from, reply_to, user_name,
};
pub use documents::Documents;
pub use notes::{Note, Summary, ViewSummary};
pub use settings::Settings;
pub use state::Counts;

use crate::sync::recording::Trace;
use crate::sync::{Account, Answer, Change, Datastore, Device, ItemId, Modseq, Query, ViewState};
use crate::syncml::{Carrier, Command, Item, Location, Message, Version};

/// Answers a session's queries. All answers during one message come from one snapshot of the database.
pub trait Loads {
    /// Loads what the query asks for.
    fn load(&mut self, query: &Query) -> Result<Answer, LoadFailed>;
}

/// A load failed; the driver knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a load failed")]
pub struct LoadFailed;

/// A snapshot could not be read back.
#[derive(Debug, thiserror::Error)]
#[error("the stored session cannot be read: {0}")]
pub struct BadSnapshot(#[from] serde_json::Error);

/// What a session is given with each message.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The server's settings.
    pub settings: &'a Settings,
    /// What devices told of themselves, as far as it was read already.
    pub documents: &'a Documents,
    /// The account that the sender proved to be.
    pub account: &'a Account,
    /// The sending device; stored.
    pub device: &'a Device,
    /// The device's views.
    pub views: &'a [(Datastore, ViewState)],
    /// HTTP User-Agent.
    pub user_agent: Option<&'a str>,
    /// HTTP x-wap-profile, or Profile.
    pub profile_header: Option<&'a str>,
    /// Seconds since 1970.
    pub now: i64,
    /// Digest of the request's octets.
    pub request: [u8; 16],
    /// Their number.
    pub octets: u64,
    /// Random octets, for nonces.
    pub entropy: [u8; 16],
}

/// What one message leads to.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// To be sent after everything below is saved.
    pub reply: Message<'static>,
    /// In order.
    pub changes: Vec<Change>,
    /// The account's counter after the changes.
    pub modseq: Modseq,
    /// The next free item id after the changes.
    pub next_item: ItemId,
    /// The session ended with this reply.
    pub ended: bool,
    /// What an operator wants to know of this message.
    pub notes: Vec<Note>,
    /// What happened to each item.
    pub trace: Trace,
    /// What the session did so far.
    pub progress: Summary,
    /// Deletions were held: the operator has to decide.
    pub holds: bool,
    /// When the session ended: what it did.
    pub summary: Option<Summary>,
}

/// A session between two messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Session {
    state: state::State,
}

impl Session {
    /// Starts a session with its first admitted message.
    pub fn open(message: &Message<'_>, version: Version, carrier: Carrier) -> Self {
        Self {
            state: state::State::new(message, version, carrier),
        }
    }

    /// Remembers what the device's session before left, if its snapshot can be read: the client may resume it.
    #[must_use]
    pub fn after(mut self, snapshot: &[u8]) -> Self {
        self.state.interrupted = serde_json::from_slice(snapshot)
            .ok()
            .map(resume::Interrupted::of)
            .filter(|left| !left.links.is_empty());
        self
    }

    /// Brings a session back from its snapshot.
    pub fn restore(snapshot: &[u8]) -> Result<Self, BadSnapshot> {
        Ok(Self {
            state: serde_json::from_slice(snapshot)?,
        })
    }

    /// Whether a message can only begin another session, though its number goes on with this one: after a challenge a
    /// phone that uses its SessionID again is at its second message when it proves who it is.
    pub fn begins_anew(&self, message: &Message<'_>) -> bool {
        let uri = |location: &Option<Location<'_>>| {
            location.as_ref().map(|location| location.uri.to_string())
        };
        let again = |item: &Item<'_>| {
            self.state
                .link_at(uri(&item.target).as_deref(), uri(&item.source).as_deref())
                .is_some()
        };
        let begins = |command: &Command<'_>| match command {
            Command::Put(_) => true,
            Command::Alert(alert) => {
                alert.code.is_some_and(|code| (200..=205).contains(&code))
                    && alert.items.iter().any(again)
            }
            _ => false,
        };
        self.state.phase != state::Phase::Initialising
            && message.header.cred.is_some()
            && message.body.iter().any(begins)
    }

    /// Whether a message has the very credentials that opened the session.
    pub fn opened_with(&self, message: &Message<'_>) -> bool {
        let mark = message.header.cred.as_ref().map(auth::mark);
        mark.is_some() && mark == self.state.cred
    }

    /// The answer to an Alert 221: the reply to the message before, which a busy server owed. `ended` says whether that
    /// reply ended the session. Nothing changes.
    pub fn result(
        &mut self,
        poll: &Message<'_>,
        reply: Message<'static>,
        account: &Account,
        ended: bool,
    ) -> Outcome {
        Outcome {
            reply: result::answer(&mut self.state, poll, reply),
            changes: Vec::new(),
            modseq: account.modseq,
            next_item: account.next_item,
            ended,
            notes: Vec::new(),
            trace: Trace::default(),
            progress: Summary::of(&self.state),
            holds: false,
            summary: None,
        }
    }

    /// The durable form.
    pub fn snapshot(&self) -> Vec<u8> {
        serde_json::to_vec(&self.state).expect("a session's state has string keys only")
    }

    /// Counts the octets of a message and its reply; gives those of the session so far.
    pub fn count(&mut self, octets: usize) -> u64 {
        self.state.recorded = self.state.recorded.saturating_add(octets as u64);
        self.state.recorded
    }

    /// The server's datastores, as the client addresses them.
    pub fn addresses(&self) -> impl Iterator<Item = (Datastore, &str)> {
        let links = self.state.links.iter();
        links.map(|link| (link.view, &*link.local))
    }

    /// How messages of this session are written.
    pub fn form(&self) -> crate::syncml::codec::Form {
        self.state.form()
    }

    /// Works on one admitted message. `admission` says how the sender proved itself with this very message, if it did.
    pub fn receive(
        &mut self,
        message: &Message<'_>,
        admission: &Admission,
        context: &Context<'_>,
        loads: &mut dyn Loads,
    ) -> Result<Outcome, LoadFailed> {
        turn::Turn::new(&mut self.state, message, context, loads).run(message, admission)
    }
}
