//! The one writer: takes the waiting writes of all sessions into one transaction, so that they share its fsync.
//!
//! Each piece of work has a savepoint: one that meets a conflict is undone alone. An error of the database itself
//! (full, busy, gone) undoes the transaction; its pieces are then tried one by one, so that each gets its own answer.
//! Answers go out after COMMIT only.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;

use super::connection::Database;
use super::error::StoreError;

/// Pieces of work in one transaction.
const BATCH_COUNT: usize = 128;
/// Octets after which no more is taken into a transaction.
const BATCH_OCTETS: usize = 8 << 20;
/// Pieces that may wait; who comes then waits to be let in.
const QUEUE: usize = 1024;

/// The thread that writes. It ends when the value is dropped, after what is waiting is done.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<SyncSender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

trait Work: Send {
    fn octets(&self) -> usize;
    /// Does it inside a transaction; may be called again after that was undone.
    fn apply(&mut self, connection: &mut Database) -> Result<(), StoreError>;
    /// Answers whoever waits.
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Task<T, F> {
    octets: usize,
    work: F,
    value: Option<T>,
    answer: Sender<Result<T, StoreError>>,
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: FnMut(&mut Database) -> Result<T, StoreError> + Send,
{
    fn octets(&self) -> usize {
        self.octets
    }

    fn apply(&mut self, connection: &mut Database) -> Result<(), StoreError> {
        self.value = Some((self.work)(connection)?);
        Ok(())
    }

    fn answer(mut self: Box<Self>, result: Result<(), StoreError>) {
        let value = result.and_then(|()| self.value.take().ok_or_else(gone));
        // Nobody listens any more if the caller's thread is gone.
        let _ = self.answer.send(value);
    }
}

impl Writer {
    /// Starts the thread with its connection.
    pub(super) fn start(connection: Database) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write(connection, &waiting))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Does `work` in a transaction and comes back when it is durable. `work` runs again if the transaction was
    /// undone because of others; `octets` is about what it writes.
    pub(super) fn run<T, F>(&self, octets: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = channel();
        let task = Task {
            octets,
            work,
            value: None,
            answer,
        };
        self.queue
            .as_ref()
            .ok_or_else(gone)?
            .send(Box::new(task))
            .map_err(|_| gone())?;
        result.recv().map_err(|_| gone())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has told its callers so.
            let _ = thread.join();
        }
    }
}

fn gone() -> StoreError {
    StoreError::Unavailable("the writer has ended".into())
}

fn write(mut connection: Database, waiting: &Receiver<Box<dyn Work>>) {
    while let Ok(first) = waiting.recv() {
        let mut octets = first.octets();
        let mut batch = vec![first];
        while batch.len() < BATCH_COUNT && octets < BATCH_OCTETS {
            let Ok(next) = waiting.try_recv() else { break };
            octets += next.octets();
            batch.push(next);
        }
        settle(&mut connection, batch);
    }
}

fn settle(connection: &mut Database, mut batch: Vec<Box<dyn Work>>) {
    match transact(connection, &mut batch) {
        Ok(results) => {
            for (work, result) in batch.into_iter().zip(results) {
                work.answer(result);
            }
        }
        Err(error) if batch.len() == 1 || matches!(error, StoreError::Busy { .. }) => {
            for work in batch {
                work.answer(Err(error.clone()));
            }
        }
        Err(_) => {
            for work in batch {
                settle_alone(connection, work);
            }
        }
    }
}

fn settle_alone(connection: &mut Database, work: Box<dyn Work>) {
    let mut batch = [work];
    let result = transact(connection, &mut batch)
        .map(|mut results| results.pop().unwrap_or_else(|| Err(gone())));
    let [work] = batch;
    work.answer(result.unwrap_or_else(Err));
}

/// Does a batch in one transaction. `Ok`: it is committed, with the result of each piece. `Err`: it is undone.
fn transact(
    connection: &mut Database,
    batch: &mut [Box<dyn Work>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    begin(connection)?;
    let result = apply(connection, batch).and_then(|results| {
        connection.batch_execute("COMMIT")?;
        Ok(results)
    });
    if result.is_err() {
        // SQLite may have rolled back by itself.
        let _ = connection.batch_execute("ROLLBACK");
    }
    result
}

fn apply(
    connection: &mut Database,
    batch: &mut [Box<dyn Work>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let mut results = Vec::with_capacity(batch.len());
    for work in batch {
        connection.batch_execute("SAVEPOINT piece")?;
        let result = work.apply(connection);
        match &result {
            Ok(()) => connection.batch_execute("RELEASE SAVEPOINT piece")?,
            Err(error) if error.ends_transaction() => return Err(error.clone()),
            Err(_) => {
                connection.batch_execute("ROLLBACK TO SAVEPOINT piece; RELEASE SAVEPOINT piece")?
            }
        }
        results.push(result);
    }
    Ok(results)
}

fn begin(connection: &mut Database) -> Result<(), StoreError> {
    match connection {
        Database::Sqlite(sqlite) => Ok(sqlite.batch_execute("BEGIN IMMEDIATE")?),
    }
}
