//! What a notification says, whatever its form: who asks, how the user is told, and which datastores are to be synced.

use super::wsp::MediaType;

/// How a phone tells its user (OMA DS 1.2, SAN user interaction mode).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum UiMode {
    /// The phone decides.
    #[default]
    NotSpecified,
    /// Without a sign.
    Background,
    /// The user is told.
    Informative,
    /// The user is asked.
    UserInteraction,
}

impl UiMode {
    /// All modes, by their numbers.
    pub const ALL: [Self; 4] = [
        Self::NotSpecified,
        Self::Background,
        Self::Informative,
        Self::UserInteraction,
    ];

    /// The two bits.
    pub const fn bits(self) -> u8 {
        self as u8
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotSpecified => "not-specified",
            Self::Background => "background",
            Self::Informative => "informative",
            Self::UserInteraction => "user-interaction",
        }
    }
}

/// Who wanted the sync.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Initiator {
    /// The user, through some other channel.
    User,
    /// The server.
    #[default]
    Server,
}

impl Initiator {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Server => "server",
        }
    }
}

/// The kind of sync that the server asks for (alert codes 206 to 210).
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum ServerAlert {
    /// 206: changes of both sides.
    #[default]
    TwoWay,
    /// 207: changes of the phone only.
    OneWayFromClient,
    /// 208: the phone sends everything, the server takes it instead of what it has.
    RefreshFromClient,
    /// 209: changes of the server only.
    OneWayFromServer,
    /// 210: the server sends everything, the phone takes it instead of what it has.
    RefreshFromServer,
}

impl ServerAlert {
    /// All kinds, by their codes.
    pub const ALL: [Self; 5] = [
        Self::TwoWay,
        Self::OneWayFromClient,
        Self::RefreshFromClient,
        Self::OneWayFromServer,
        Self::RefreshFromServer,
    ];

    /// The alert code.
    pub const fn code(self) -> u32 {
        match self {
            Self::TwoWay => 206,
            Self::OneWayFromClient => 207,
            Self::RefreshFromClient => 208,
            Self::OneWayFromServer => 209,
            Self::RefreshFromServer => 210,
        }
    }

    /// From an alert code.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|alert| alert.code() == code)
    }

    /// The alert code with which the phone begins such a sync: 200, 202 to 205.
    pub const fn client_code(self) -> u32 {
        match self {
            Self::TwoWay => 200,
            Self::OneWayFromClient => 202,
            Self::RefreshFromClient => 203,
            Self::OneWayFromServer => 204,
            Self::RefreshFromServer => 205,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoWay => "two-way",
            Self::OneWayFromClient => "one-way-from-client",
            Self::RefreshFromClient => "refresh-from-client",
            Self::OneWayFromServer => "one-way-from-server",
            Self::RefreshFromServer => "refresh-from-server",
        }
    }
}

/// One datastore that is to be synced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Sync {
    /// How.
    pub alert: ServerAlert,
    /// Media type of its items; [`MediaType::ANY`] if it is not said.
    pub content_type: MediaType,
    /// Address of the server's datastore, as the phone knows it.
    pub uri: String,
}

impl Sync {
    /// A datastore with the media type of its items; an empty one is not said.
    pub fn new(alert: ServerAlert, content_type: &str, uri: impl Into<String>) -> Self {
        Self {
            alert,
            content_type: MediaType::new(content_type),
            uri: uri.into(),
        }
    }
}

/// What a notification says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    /// How the user is told. SAN only.
    pub ui_mode: UiMode,
    /// Who wanted the sync. SAN only.
    pub initiator: Initiator,
    /// The session that the phone is to open has this id; 0 if it does not matter.
    pub session_id: u16,
    /// How the phone knows the server.
    pub server_id: String,
    /// What is to be synced; none means everything, which not every phone takes.
    pub syncs: Vec<Sync>,
    /// Octets for phones of one vendor. SAN only.
    pub vendor: Vec<u8>,
}
