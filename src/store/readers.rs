//! The pool of reader connections.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diesel::connection::SimpleConnection;

use super::connection::{Database, Place, Purpose};
use super::error::StoreError;

/// Readers at once; more wait.
const LIMIT: usize = 16;
/// Connections that are kept open while nobody reads.
const KEPT: usize = 8;
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens, lends and keeps reader connections.
#[derive(Debug)]
pub(super) struct Readers {
    place: Arc<Place>,
    state: Mutex<State>,
    returned: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Database>,
    lent: usize,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} idle, {} lent", self.idle.len(), self.lent)
    }
}

impl Readers {
    pub(super) fn new(place: Arc<Place>) -> Arc<Self> {
        Arc::new(Self {
            place,
            state: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// Lends a connection with a read transaction; waits a while if too many are lent.
    pub(super) fn lend(self: &Arc<Self>) -> Result<Lent, StoreError> {
        let mut state = self.state();
        if state.lent >= LIMIT {
            let (waited, _) = self
                .returned
                .wait_timeout_while(state, PATIENCE, |state| state.lent >= LIMIT)
                .unwrap_or_else(PoisonError::into_inner);
            state = waited;
            if state.lent >= LIMIT {
                return Err(StoreError::BUSY);
            }
        }
        state.lent += 1;
        let idle = state.idle.pop();
        drop(state);
        // From here on `lent` counts this one, and dropping it counts back.
        let mut lent = Lent {
            connection: idle,
            readers: Arc::clone(self),
        };
        if let Some(connection) = &mut lent.connection
            && begin(connection).is_ok()
        {
            return Ok(lent);
        }
        // There is none, or it was lost while it lay idle.
        let connection = lent.connection.insert(self.place.connect(Purpose::Read)?);
        begin(connection)?;
        Ok(lent)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All reads until the end see one state.
fn begin(connection: &mut Database) -> Result<(), StoreError> {
    let text = match connection {
        Database::Sqlite(_) => "BEGIN",
        #[cfg(feature = "postgres")]
        Database::Postgresql(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    };
    Ok(connection.batch_execute(text)?)
}

/// A lent connection; goes back when dropped.
pub(super) struct Lent {
    connection: Option<Database>,
    readers: Arc<Readers>,
}

impl Lent {
    pub(super) fn connection(&mut self) -> Result<&mut Database, StoreError> {
        self.connection
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("the reader has no connection".into()))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // A connection that cannot end its transaction is not lent again.
        let connection = self.connection.take().and_then(|mut connection| {
            let ended = connection.batch_execute("ROLLBACK").is_ok();
            ended.then_some(connection)
        });
        let mut state = self.readers.state();
        state.lent -= 1;
        if let Some(connection) = connection
            && state.idle.len() < KEPT
        {
            state.idle.push(connection);
        }
        drop(state);
        self.readers.returned.notify_one();
    }
}
