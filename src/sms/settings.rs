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
    /// A push proxy that speaks PAP.
    Pap(PapSettings),
    /// An SMS centre.
    Smpp(SmppSettings),
    /// A provider with an HTTP interface of its own.
    Http(Box<TemplateSettings>),
    /// The spool of smstools3 or gammu-smsd.
    Spool(SpoolSettings),
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
    /// A server to which phones hold connections.
    Ctp(CtpSettings),
}

impl GatewayKind {
    /// As the configuration calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kannel(_) => "kannel",
            Self::Pap(_) => "pap",
            Self::Smpp(_) => "smpp",
            Self::Http(_) => "http",
            Self::Spool(_) => "spool",
            Self::Loopback { .. } => "loopback",
            Self::File { .. } => "file",
            Self::Ctp(_) => "ctp",
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

/// A push proxy (WAP-247-PAP).
#[derive(Debug, Clone)]
pub struct PapSettings {
    /// Such as `http://127.0.0.1:8080/wappush`.
    pub url: String,
    /// By HTTP's Basic scheme.
    pub login: Login,
    /// What stands behind the @ of a phone's address.
    pub domain: String,
    /// Whom TLS trusts.
    pub tls: TlsSettings,
}

/// How a link to an SMS centre is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmppBind {
    /// One link for both ways.
    Transceiver,
    /// One link for messages to phones alone.
    Transmitter,
    /// A link for each way.
    Separate,
}

/// How a push is given to an SMS centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmppForm {
    /// Parts with a user data header.
    Udh,
    /// Whole, as `message_payload`.
    Payload,
    /// Parts with ports and concatenation as parameters.
    Sar,
}

/// An SMS centre (SMPP 3.4).
#[derive(Debug, Clone)]
pub struct SmppSettings {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS.
    pub encrypted: bool,
    /// system_id and password: at most 15 and 8 characters.
    pub login: Login,
    /// May be empty.
    pub system_type: String,
    /// The originator; the centre's own choice if empty.
    pub sender: String,
    /// How the link is bound.
    pub bind: SmppBind,
    /// How a push is given.
    pub form: SmppForm,
    /// Silence after which we ask whether the centre is still there.
    pub enquire: Duration,
    /// The first pause before a lost link is tried again; it doubles from there.
    pub reconnect: Duration,
    /// Type of the sender's number; by its look if `None`.
    pub sender_ton: Option<u8>,
    /// Plan of the sender's number.
    pub sender_npi: Option<u8>,
    /// Type of phones' numbers.
    pub phone_ton: Option<u8>,
    /// Plan of phones' numbers.
    pub phone_npi: Option<u8>,
    /// The centre's answers have ids in hexadecimal, its receipts decimal ones.
    pub answer_ids_are_hex: bool,
    /// The other way round.
    pub receipt_ids_are_hex: bool,
    /// Whom TLS trusts.
    pub tls: TlsSettings,
}

/// A provider's HTTP interface, as templates and rules.
#[derive(Debug, Clone, Default)]
pub struct TemplateSettings {
    /// With placeholders.
    pub url: String,
    /// `POST` and the like.
    pub method: String,
    /// `Name: value`, with placeholders.
    pub headers: Vec<String>,
    /// For an SMS of octets, with placeholders; empty for none.
    pub body: String,
    /// For a text, with placeholders; empty: texts are not carried.
    pub text_body: String,
    /// Fills placeholders.
    pub login: Login,
    /// Fills a placeholder.
    pub sender: String,
    /// Statuses of success; 200 to 299 if empty.
    pub success_status: Vec<u16>,
    /// What an answer of success has to contain.
    pub success_text: String,
    /// What an answer contains that refuses for good.
    pub failure_text: String,
    /// Statuses that ask to wait.
    pub throttled_status: Vec<u16>,
    /// What an answer contains that asks to wait.
    pub throttled_text: String,
    /// Where the id is in an answer of JSON, such as `messages.0.id`.
    pub id_path: String,
    /// What stands before the id in another answer.
    pub id_after: String,
    /// The field of a receipt with the id.
    pub receipt_id: String,
    /// The field of a receipt with the state; empty: no receipts.
    pub receipt_state: String,
    /// Words for: the phone has it.
    pub receipt_delivered: Vec<String>,
    /// Words for: the phone will not get it.
    pub receipt_failed: Vec<String>,
    /// The field of an SMS from a phone with its number; empty: none are taken.
    pub incoming_from: String,
    /// The field with the number that it was sent to.
    pub incoming_to: String,
    /// The field with the text.
    pub incoming_text: String,
    /// Whom TLS trusts.
    pub tls: TlsSettings,
}

/// Whose spool it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpoolFormat {
    /// smstools3: `outgoing`, `sent`, `failed`.
    Smstools,
    /// gammu-smsd with its file backend: `outbox`, `sent`, `error`.
    Gammu,
}

/// A daemon's spool.
#[derive(Debug, Clone)]
pub struct SpoolSettings {
    /// The folder with the daemon's folders.
    pub path: PathBuf,
    /// Whose it is.
    pub format: SpoolFormat,
    /// The originator; the network's own choice if empty.
    pub sender: String,
    /// The daemon's queue; its own choice if empty.
    pub queue: String,
}

/// A server to which phones hold connections.
#[derive(Debug, Clone)]
pub struct CtpSettings {
    /// `host:port`.
    pub listen: String,
    /// Connections at once.
    pub max_connections: usize,
    /// Silence after which a phone counts as gone.
    pub heartbeat: Duration,
}
