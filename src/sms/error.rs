//! Why a gateway did not take a message, or cannot start; in words for the operator.

use std::time::Duration;

/// Why a message, or a part of it, was not taken. Variants are what a caller does about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GatewayError {
    /// The gateway looked at the message and refused it.
    #[error("refused: {why}")]
    Rejected {
        /// The same message would be refused again.
        permanent: bool,
        /// In the gateway's words.
        why: String,
    },
    /// Too much at once, or a budget is used up: later.
    #[error("the gateway asks to wait: {why}")]
    Throttled {
        /// When to come again, if the gateway said so.
        retry_after: Option<Duration>,
        /// In the gateway's words.
        why: String,
    },
    /// It was not reached; it certainly has nothing.
    #[error("not reached: {why}")]
    Unreachable {
        /// What went wrong.
        why: String,
    },
    /// The message went out and no answer came that says what became of it.
    #[error("in doubt: {why}")]
    InDoubt {
        /// What went wrong.
        why: String,
    },
    /// The gateway and our configuration do not fit: somebody has to look at it.
    #[error("configuration: {why}")]
    Misconfigured {
        /// What does not fit, and what to do.
        why: String,
    },
    /// This kind of gateway does not carry this kind of message.
    #[error("not possible: {why}")]
    Unsupported {
        /// What it does not carry.
        why: String,
    },
}

impl GatewayError {
    /// The gateway certainly did not take it, so that to send it again doubles nothing.
    pub const fn is_certain(&self) -> bool {
        !matches!(self, Self::InDoubt { .. })
    }

    /// It is about the gateway, not about this message.
    pub const fn is_of_gateway(&self) -> bool {
        matches!(
            self,
            Self::Throttled { .. }
                | Self::Unreachable { .. }
                | Self::InDoubt { .. }
                | Self::Misconfigured { .. }
        )
    }

    /// Another gateway may take it, and to ask it doubles nothing.
    pub const fn lets_another_try(&self) -> bool {
        !matches!(
            self,
            Self::InDoubt { .. }
                | Self::Rejected {
                    permanent: true,
                    ..
                }
        )
    }

    pub(super) fn unreachable(why: impl Into<String>) -> Self {
        Self::Unreachable { why: why.into() }
    }

    pub(super) fn in_doubt(why: impl Into<String>) -> Self {
        Self::InDoubt { why: why.into() }
    }

    pub(super) fn misconfigured(why: impl Into<String>) -> Self {
        Self::Misconfigured { why: why.into() }
    }

    pub(super) fn unsupported(why: impl Into<String>) -> Self {
        Self::Unsupported { why: why.into() }
    }

    pub(super) fn refused(permanent: bool, why: impl Into<String>) -> Self {
        Self::Rejected {
            permanent,
            why: why.into(),
        }
    }
}

/// A gateway cannot be started as it is configured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("gateway {gateway}: {why}")]
pub struct StartError {
    /// Its name.
    pub gateway: String,
    /// What is wrong, and what to do.
    pub why: String,
}

/// The beginning of what a peer said, on one line, for an error or a log.
pub(super) fn excerpt(text: &[u8]) -> String {
    const MOST: usize = 120;
    let text = String::from_utf8_lossy(&text[..text.len().min(4 * MOST)]);
    let text: Vec<&str> = text.split_whitespace().collect();
    let text: String = text.join(" ").chars().filter(|c| !c.is_control()).collect();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
