//! Why a mail server did not do what it was asked.

/// What went wrong on the way to a mail server. The texts hold no password and nothing of a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// There is no connection to be had, or it was lost.
    #[error("{0}")]
    Lost(String),
    /// The server says nothing.
    #[error("the mail server did not answer in time")]
    Silent,
    /// TLS failed, or is not offered.
    #[error("TLS: {0}")]
    Tls(String),
    /// User name, password or token are wrong. Trying again soon helps nobody.
    #[error("the mail server refuses the login: {0}")]
    Login(String),
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
    /// The server refused a command.
    #[error("the mail server refused {command}: {text}")]
    Refused {
        /// The command's name.
        command: &'static str,
        /// What the server said.
        text: String,
    },
    /// The server broke the protocol, or a limit.
    #[error("the mail server broke the protocol: {0}")]
    Protocol(String),
}

impl MailError {
    /// A lost connection, from what the system says.
    pub(super) fn lost(error: &std::io::Error) -> Self {
        Self::Lost(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the mail server closed the connection".to_owned(),
            _ => format!("the connection to the mail server is lost: {error}"),
        })
    }

    /// Only somebody who changes the settings can mend it.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Login(_) | Self::Settings(_))
    }
}

/// What a server said, short and without control characters.
pub(super) fn excerpt(text: &str) -> String {
    const MOST: usize = 160;
    text.chars()
        .filter(|c| !c.is_control())
        .take(MOST)
        .collect::<String>()
        .trim()
        .to_owned()
}
