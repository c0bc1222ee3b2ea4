//! A session's loads, answered by one snapshot of the database.

use super::ExchangeError;
use crate::session::{LoadFailed, Loads};
use crate::store::{Reader, StoreError};
use crate::sync::{AccountId, Answer, DeviceId, Query};

/// Answers from a reader, and remembers why it could not.
pub(super) struct ReaderLoads<'r> {
    reader: &'r mut Reader,
    account: AccountId,
    device: DeviceId,
    failure: Option<StoreError>,
}

impl<'r> ReaderLoads<'r> {
    pub(super) fn new(reader: &'r mut Reader, account: AccountId, device: DeviceId) -> Self {
        Self {
            reader,
            account,
            device,
            failure: None,
        }
    }

    /// What went wrong.
    pub(super) fn failure(self) -> ExchangeError {
        match self.failure {
            Some(error) => error.into(),
            None => ExchangeError::Unavailable(
                "the store gave an answer to another question".to_owned(),
            ),
        }
    }
}

impl Loads for ReaderLoads<'_> {
    fn load(&mut self, query: &Query) -> Result<Answer, LoadFailed> {
        self.reader
            .load(self.account, Some(self.device), query)
            .map_err(|error| {
                self.failure = Some(error);
                LoadFailed
            })
    }
}
