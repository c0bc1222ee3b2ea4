//! What gateways are configured with; made from the configuration's `[[gateway]]` tables, and checked when they start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::number::Prefix;

/// Text that is not shown.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a text that came in is this one; takes as long wherever they differ.
    pub fn is(&self, text: &[u8]) -> bool {
        let own = self.0.as_bytes();
        let differ = own
            .iter()
            .zip(text)
            .fold(0, |differ, (a, b)| differ | (a ^ b));
        own.len() == text.len() && differ == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// User name and password.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Login {
    /// May be empty.
    pub username: String,
    /// May be empty.
    pub password: Secret,
}

/// Whom TLS trusts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsSettings {
    /// A PEM file with the authorities' certificates; the system's if `None`.
    pub ca_file: Option<PathBuf>,
}

/// One gateway.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// Lower-case letters, digits and dashes; unique.
    pub name: String,
    /// Numbers that begin so go through it.
    pub prefixes: Vec<Prefix>,
    /// Messages that are handed to it at once, at least 1.
    pub window: u16,
    /// SMS a second at most; 0: as fast as it takes them.
    pub per_second: u32,
    /// How long it may take to answer.
    pub timeout: Duration,
    /// Where it reaches our HTTP server, without a path: `http://sync.example.org:8080`.
    pub callback_url: Option<String>,
    /// What it has to show there; without it receipts are not asked for and nothing is taken.
    pub token: Option<Secret>,
    /// What it is.
    pub kind: GatewayKind,
}

/// What a gateway is, with what only that kind needs.
#[derive(Debug, Clone)]
pub enum GatewayKind {
    /// Kannel's sendsms.
    Kannel(KannelSettings),
    /// UDP datagrams to an emulator or a virtual phone.
    Loopback {
        /// Where the phone listens.
        address: SocketAddr,
    },
    /// One line of JSON for each SMS.
    File {
        /// Made if it does not exist; appended to.
        path: PathBuf,
    },
}

impl GatewayKind {
    /// As the configuration calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kannel(_) => "kannel",
            Self::Loopback { .. } => "loopback",
            Self::File { .. } => "file",
        }
    }
}

/// Kannel's sendsms (Kannel User's Guide, "Using the SMS service").
#[derive(Debug, Clone)]
pub struct KannelSettings {
    /// Such as `http://127.0.0.1:13013/cgi-bin/sendsms`.
    pub url: String,
    /// Of a sendsms-user.
    pub login: Login,
    /// The originator; Kannel's own choice if empty.
    pub sender: String,
    /// Which of Kannel's connections to use; its own choice if empty.
    pub smsc: String,
    /// POST with headers instead of GET with a query.
    pub post: bool,
    /// Whom TLS trusts.
    pub tls: TlsSettings,
}
