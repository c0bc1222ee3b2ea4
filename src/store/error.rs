//! What can go wrong in the store, made from the database's errors in one place.

use std::sync::Arc;
use std::time::Duration;

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};

use crate::secret::SecretError;

/// Why the store did not do what it was asked. Nothing of a failed write is kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// There is no such account, device or item.
    #[error("there is no such account, device or item")]
    NotFound,
    /// The name is taken.
    #[error("it exists already")]
    Exists,
    /// The account or the session moved on since it was read: load again and repeat the work.
    #[error("the account or session was changed meanwhile")]
    Conflict,
    /// Others hold the database for too long.
    #[error("the database is busy")]
    Busy {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The disk is full.
    #[error("the disk of the database is full")]
    Full,
    /// The database cannot be reached or opened.
    #[error("the database cannot be used: {0}")]
    Unavailable(String),
    /// The database holds what it must not hold, or was asked for it.
    #[error("the database is damaged: {0}")]
    Corrupt(String),
    /// A newer version of the program has changed the tables.
    #[error(
        "the database was made by a newer candybar (it has migration {0}); install that version"
    )]
    Newer(String),
    /// The key file or a sealed password cannot be used.
    #[error(transparent)]
    Secret(Arc<SecretError>),
}

impl StoreError {
    /// The database is locked by others; worth another try in a second.
    pub(super) const BUSY: Self = Self::Busy {
        retry_after: Duration::from_secs(1),
    };

    /// The error concerns the transaction, not only the piece of work that met it.
    pub(super) const fn ends_transaction(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::Full | Self::Unavailable(_) | Self::Corrupt(_)
        )
    }

    fn from_message(message: &str) -> Self {
        let has = |text: &str| message.contains(text);
        if has("is locked") {
            Self::BUSY
        } else if has("disk is full") || has("No space left on device") {
            Self::Full
        } else if has("malformed") || has("not a database") {
            Self::Corrupt(message.into())
        } else {
            Self::Unavailable(message.into())
        }
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            Error::DatabaseError(kind, information) => match kind {
                DatabaseErrorKind::UniqueViolation => Self::Exists,
                DatabaseErrorKind::ForeignKeyViolation => Self::NotFound,
                DatabaseErrorKind::SerializationFailure => Self::Conflict,
                DatabaseErrorKind::NotNullViolation | DatabaseErrorKind::CheckViolation => {
                    Self::Corrupt(information.message().into())
                }
                _ => Self::from_message(information.message()),
            },
            Error::DeserializationError(cause) => Self::Corrupt(cause.to_string()),
            other => Self::from_message(&other.to_string()),
        }
    }
}

impl From<ConnectionError> for StoreError {
    fn from(error: ConnectionError) -> Self {
        Self::from_message(&error.to_string())
    }
}

impl From<SecretError> for StoreError {
    fn from(error: SecretError) -> Self {
        Self::Secret(Arc::new(error))
    }
}
