//! One SyncML message through the server: decode, drive the session, commit, encode.

use crate::config::SyncConfig;
use crate::store::Store;

/// What sessions need to know of the configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server's name towards phones.
    pub server_id: String,
    /// The sync address as phones see it.
    pub public_url: Option<String>,
    /// How sessions are led.
    pub sync: SyncConfig,
}

/// The server's engine: messages in, replies out.
#[derive(Clone)]
pub struct Exchange {
    #[allow(dead_code)]
    store: Store,
    #[allow(dead_code)]
    settings: Settings,
}

impl Exchange {
    /// Over a store.
    pub fn new(store: Store, settings: Settings) -> Self {
        Self { store, settings }
    }

    /// Answers one message; blocks. `now` is in seconds since 1970.
    pub fn handle(&self, _request: Request<'_>, _now: i64) -> Result<Reply, ExchangeError> {
        Err(ExchangeError::Unavailable(
            "this build has no session engine".to_owned(),
        ))
    }
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
    /// The account or device name whose credentials were refused.
    pub rejected: Option<String>,
    /// Numbers of the session, at its end.
    pub summary: Option<Summary>,
}

/// Numbers of a session that ended.
#[derive(Debug, Clone, Default)]
pub struct Summary {
    /// The account's name.
    pub account: String,
    /// The device's address.
    pub device: String,
    /// SessionID.
    pub session: String,
    /// One word: `completed`, `aborted`.
    pub outcome: &'static str,
    /// Items taken from the phone.
    pub received: u64,
    /// Items sent to the phone.
    pub sent: u64,
    /// Messages of both sides.
    pub messages: u64,
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
    /// The database does not answer.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
}
