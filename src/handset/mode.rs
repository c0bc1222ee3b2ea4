//! Kinds of sync, as Alert codes name them (OMA DS, alert codes 200-205).

use std::fmt;
use std::str::FromStr;

/// A kind of sync that a client can ask for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// 200: changes of both sides.
    #[default]
    TwoWay,
    /// 201: the client sends everything, the server compares.
    Slow,
    /// 202: changes of the client only.
    OneWayFromClient,
    /// 203: the client sends everything, the server takes it instead of what it has.
    RefreshFromClient,
    /// 204: changes of the server only.
    OneWayFromServer,
    /// 205: the server sends everything, the client takes it instead of what it has.
    RefreshFromServer,
}

impl Mode {
    /// All kinds, by their codes.
    pub const ALL: [Self; 6] = [
        Self::TwoWay,
        Self::Slow,
        Self::OneWayFromClient,
        Self::RefreshFromClient,
        Self::OneWayFromServer,
        Self::RefreshFromServer,
    ];

    /// The Alert code.
    pub const fn code(self) -> u32 {
        match self {
            Self::TwoWay => 200,
            Self::Slow => 201,
            Self::OneWayFromClient => 202,
            Self::RefreshFromClient => 203,
            Self::OneWayFromServer => 204,
            Self::RefreshFromServer => 205,
        }
    }

    /// From an Alert code.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.code() == code)
    }

    /// The words of the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoWay => "two-way",
            Self::Slow => "slow",
            Self::OneWayFromClient => "one-way-from-client",
            Self::RefreshFromClient => "refresh-from-client",
            Self::OneWayFromServer => "one-way-from-server",
            Self::RefreshFromServer => "refresh-from-server",
        }
    }

    /// The client sends items.
    pub const fn client_sends(self) -> bool {
        !matches!(self, Self::OneWayFromServer | Self::RefreshFromServer)
    }

    /// The server sends items.
    pub const fn server_sends(self) -> bool {
        !matches!(self, Self::OneWayFromClient | Self::RefreshFromClient)
    }

    /// The client sends all items, not only the changed ones.
    pub const fn sends_everything(self) -> bool {
        matches!(self, Self::Slow | Self::RefreshFromClient)
    }

    /// What this kind becomes when the anchors do not match (Status 508).
    pub const fn refreshed(self) -> Self {
        match self {
            Self::TwoWay | Self::Slow => Self::Slow,
            Self::OneWayFromClient | Self::RefreshFromClient => Self::RefreshFromClient,
            Self::OneWayFromServer | Self::RefreshFromServer => Self::RefreshFromServer,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no kind of sync.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "no such mode: {0} (two-way, slow, one-way-from-client, refresh-from-client, one-way-from-server, refresh-from-server)"
)]
pub struct UnknownMode(String);

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(text: &str) -> Result<Self, UnknownMode> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| UnknownMode(text.to_owned()))
    }
}
