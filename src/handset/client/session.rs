//! What is known of the session that runs.

use std::collections::{HashMap, VecDeque};

use crate::handset::credentials::Scheme;
use crate::handset::report::Report;
use crate::syncml::{Message, Status};

use super::chunk::{ChunkIn, ChunkOut};
use super::exchange::Exchange;
use super::packer::{Flight, Prepared};

/// Which package leaves or comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Phase {
    /// No session.
    #[default]
    Over,
    /// Package 1 leaves, package 2 comes.
    Initialising,
    /// Package 3 leaves.
    Exchanging,
    /// Package 4 comes.
    Receiving,
    /// Package 5 leaves, package 6 comes.
    Mapping,
}

/// What is known of the session that runs.
#[derive(Debug, Default)]
pub(super) struct Session {
    pub(super) phase: Phase,
    pub(super) id: String,
    pub(super) msg_id: u32,
    pub(super) address: String,
    pub(super) now: i64,
    pub(super) exchanges: Vec<Exchange>,
    /// Commands that stand outside of Sync, in order.
    pub(super) queue: VecDeque<Prepared>,
    /// Statuses that the server waits for.
    pub(super) statuses: VecDeque<Status<'static>>,
    /// Commands that wait for a Status, by MsgID.
    pub(super) flights: HashMap<u32, Vec<Flight>>,
    pub(super) last_sent: Vec<u8>,
    pub(super) last_message: Message<'static>,
    /// The last message of this package was sent.
    pub(super) closed: bool,
    /// The server's last answer had Final.
    pub(super) server_closed: bool,
    pub(super) server_limit: Option<u64>,
    pub(super) server_object_limit: Option<u64>,
    pub(super) scheme: Option<Scheme>,
    /// The server was given a nonce for its notifications in this session.
    pub(super) nonce_offered: bool,
    /// 212 came: no credentials any more.
    pub(super) authenticated: bool,
    /// Challenges since the last accepted message.
    pub(super) unanswered_challenges: u32,
    pub(super) chunk_in: Option<ChunkIn>,
    pub(super) chunk_out: Option<ChunkOut>,
    /// The command of `Behaviour::unknown_command` has been sent.
    pub(super) unknown_sent: bool,
    /// The message that suspends the session was sent.
    pub(super) suspending: bool,
    pub(super) polls: u32,
    pub(super) idle: u32,
    pub(super) last_server_msg: Option<String>,
    /// The phone cannot bear what it got.
    pub(super) broken: Option<String>,
    pub(super) report: Report,
}

impl Session {
    /// Notes what the server must not do, at most 100 times.
    pub(super) fn complain(&mut self, what: impl FnOnce() -> String) {
        if self.report.complaints.len() < 100 {
            self.report.complaints.push(what());
        }
    }
}
