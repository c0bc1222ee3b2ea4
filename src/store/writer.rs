//! The one writer: takes the waiting writes of all sessions into one transaction, so that they share its fsync.
//!
//! A piece that meets a conflict has mostly written nothing yet, and fails alone. One that fails after it wrote (and
//! any error of the database itself: full, busy, gone) undoes the transaction; its pieces are then tried one by one,
//! so that each gets its own answer. Savepoints would do that too, but SQLite copies each page that is touched inside
//! one, which costs more than the writes. Answers go out after COMMIT only.
//!
//! Who comes while nobody writes and nobody waits takes the connection and does its piece itself: to hand it to the thread and to
//! wait for the answer costs more than many a piece.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;

use super::connection::{Database, Place, Purpose};
use super::error::StoreError;
use super::lasting::Lasting;
use super::statement::{first, statement};

/// Pieces of work in one transaction.
const BATCH_COUNT: usize = 128;
/// Octets after which no more is taken into a transaction.
const BATCH_OCTETS: usize = 8 << 20;
/// Pieces that may wait; who comes then waits to be let in.
const QUEUE: usize = 1024;

/// What writes, and its thread. The thread ends when the value is dropped, after what is waiting is done.
pub(super) struct Writer {
    hand: Arc<Mutex<Hand>>,
    /// Pieces that were sent to the thread and not taken yet.
    waiting: Arc<AtomicUsize>,
    queue: Option<SyncSender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting", self.waiting.load(Ordering::Relaxed))
    }
}

/// The connection that writes. If it is poisoned, somebody panicked in the midst of a transaction: then nobody writes any more.
struct Hand {
    place: Arc<Place>,
    connection: Database,
    lasting: Lasting,
}

trait Work: Send {
    fn octets(&self) -> usize;
    /// It may reach the disk a little later than the answer.
    fn soon(&self) -> bool;
    /// Does it inside a transaction; may be called again after that was undone.
    fn apply(&mut self, connection: &mut Database) -> Result<(), StoreError>;
    /// Answers whoever waits.
    fn answer(self: Box<Self>, result: Result<(), StoreError>);
}

struct Task<T, F> {
    octets: usize,
    soon: bool,
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

    fn soon(&self) -> bool {
        self.soon
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
    pub(super) fn start(place: Arc<Place>, connection: Database) -> Result<Self, StoreError> {
        let (queue, pieces) = sync_channel(QUEUE);
        let hand = Arc::new(Mutex::new(Hand::new(place, connection)));
        let waiting = Arc::new(AtomicUsize::new(0));
        let of_thread = (Arc::clone(&hand), Arc::clone(&waiting));
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || write(&of_thread.0, &of_thread.1, &pieces))
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            hand,
            waiting,
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
        self.queued(octets, false, work)
    }

    /// The same, but it comes back when `work` outlasts the process; it outlasts the machine a moment later
    /// ([`lasting`](super::lasting)).
    pub(super) fn run_soon<T, F>(&self, octets: usize, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    {
        self.queued(octets, true, work)
    }

    fn queued<T, F>(&self, octets: usize, soon: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    {
        let (answer, result) = channel();
        let task = Task {
            octets,
            soon,
            work,
            value: None,
            answer,
        };
        // What may reach the disk later is gathered by the thread, which brings it there in time.
        if !soon
            && self.waiting.load(Ordering::Acquire) == 0
            && let Ok(mut hand) = self.hand.try_lock()
        {
            hand.work(vec![Box::new(task)]);
        } else {
            let queue = self.queue.as_ref().ok_or_else(gone)?;
            self.waiting.fetch_add(1, Ordering::AcqRel);
            queue.send(Box::new(task)).map_err(|_| gone())?;
        }
        result.recv().map_err(|_| gone())?
    }
}

impl Writer {
    /// Does `work` as [`Writer::run`] does, when its turn comes; nobody waits for it. Where too much waits it is not done.
    pub(super) fn post<F>(&self, octets: usize, work: F)
    where
        F: FnMut(&mut Database) -> Result<(), StoreError> + Send + 'static,
    {
        let (answer, _nobody) = channel();
        let task = Task {
            octets,
            soon: false,
            work,
            value: None,
            answer,
        };
        if let Some(queue) = &self.queue {
            self.waiting.fetch_add(1, Ordering::AcqRel);
            if queue.try_send(Box::new(task)).is_err() {
                self.waiting.fetch_sub(1, Ordering::AcqRel);
            }
        }
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

/// Does what waits until nobody can send any more.
fn write(hand: &Mutex<Hand>, waiting: &AtomicUsize, pieces: &Receiver<Box<dyn Work>>) {
    loop {
        let Ok(rest) = hand.lock().map(|hand| hand.lasting.rest()) else {
            return;
        };
        let first = match rest {
            None => pieces.recv().map_err(RecvTimeoutError::from),
            Some(rest) => pieces.recv_timeout(rest),
        };
        let Ok(mut hand) = hand.lock() else { return };
        let first = match first {
            Ok(first) => first,
            Err(RecvTimeoutError::Timeout) => {
                hand.lasting.sync();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => {
                hand.lasting.sync();
                return;
            }
        };
        let mut octets = first.octets();
        let mut batch = vec![first];
        while batch.len() < BATCH_COUNT && octets < BATCH_OCTETS {
            let Ok(next) = pieces.try_recv() else { break };
            octets += next.octets();
            batch.push(next);
        }
        waiting.fetch_sub(batch.len(), Ordering::AcqRel);
        hand.work(batch);
    }
}

impl Hand {
    fn new(place: Arc<Place>, connection: Database) -> Self {
        Self {
            lasting: Lasting::of(&place),
            place,
            connection,
        }
    }

    /// Does a batch in one transaction.
    fn work(&mut self, batch: Vec<Box<dyn Work>>) {
        let soon = batch.iter().all(|work| work.soon());
        let mut begun = self
            .lasting
            .prepare(&mut self.connection, soon)
            .and_then(|()| begin(&mut self.connection));
        // What came while the connection was lost is not lost too.
        if matches!(begun, Err(StoreError::Unavailable(_)))
            && let Ok(another) = self.place.connect(Purpose::Write)
        {
            self.connection = another;
            self.lasting = Lasting::of(&self.place);
            begun = begin(&mut self.connection);
        }
        settle(&mut self.connection, begun, batch);
        self.lasting.written();
    }
}

/// Does a batch in the transaction that was begun, if it was.
fn settle(connection: &mut Database, begun: Result<(), StoreError>, mut batch: Vec<Box<dyn Work>>) {
    match begun.and_then(|()| transact(connection, &mut batch)) {
        Ok(results) => {
            for (work, result) in batch.into_iter().zip(results) {
                work.answer(result);
            }
        }
        // Where the connection broke it is not known whether the transaction was committed: who asked has to look.
        Err(error @ (StoreError::Busy { .. } | StoreError::Unavailable(_))) => {
            for work in batch {
                work.answer(Err(error.clone()));
            }
        }
        Err(error) if batch.len() == 1 => {
            for work in batch {
                work.answer(Err(error.clone()));
            }
        }
        Err(_) => {
            for work in batch {
                let begun = begin(connection);
                settle(connection, begun, vec![work]);
            }
        }
    }
}

/// Does a batch and ends the transaction. `Ok`: it is committed, with the result of each piece. `Err`: it is undone.
fn transact(
    connection: &mut Database,
    batch: &mut [Box<dyn Work>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    let result = apply(connection, batch).and_then(|results| {
        connection.batch_execute("COMMIT")?;
        Ok(results)
    });
    if result.is_err() {
        // The database may have rolled back by itself.
        let _ = connection.batch_execute("ROLLBACK");
    }
    result
}

fn apply(
    connection: &mut Database,
    batch: &mut [Box<dyn Work>],
) -> Result<Vec<Result<(), StoreError>>, StoreError> {
    if let [work] = batch {
        work.apply(connection)?;
        return Ok(vec![Ok(())]);
    }
    batch
        .iter_mut()
        .map(|work| attempt(connection, work.as_mut()))
        .collect()
}

/// Does one of several pieces. `Ok`: its own result; if that is an error, nothing of it is written. `Err`: the
/// transaction has to be undone.
fn attempt(
    connection: &mut Database,
    work: &mut dyn Work,
) -> Result<Result<(), StoreError>, StoreError> {
    #[cfg(feature = "postgres")]
    if let Database::Postgresql(_) = connection {
        // After an error PostgreSQL goes on only from a savepoint, and there they are cheap.
        connection.batch_execute("SAVEPOINT piece")?;
        let result = work.apply(connection);
        match &result {
            Err(error) if error.ends_transaction() => return Err(error.clone()),
            Err(_) => connection.batch_execute("ROLLBACK TO SAVEPOINT piece")?,
            Ok(()) => connection.batch_execute("RELEASE SAVEPOINT piece")?,
        }
        return Ok(result);
    }
    let before = changes(connection)?;
    match work.apply(connection) {
        Err(error) if error.ends_transaction() || changes(connection)? != before => Err(error),
        result => Ok(result),
    }
}

statement!(
    /// Rows that were changed since the connection was opened.
    Changes((BigInt,)) = "SELECT total_changes()");

fn changes(connection: &mut Database) -> Result<Option<(i64,)>, StoreError> {
    first(connection, Changes, &[])
}

fn begin(connection: &mut Database) -> Result<(), StoreError> {
    match connection {
        Database::Sqlite(sqlite) => Ok(sqlite.batch_execute("BEGIN IMMEDIATE")?),
        #[cfg(feature = "postgres")]
        Database::Postgresql(postgresql) => Ok(postgresql.batch_execute("BEGIN")?),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, channel, sync_channel};
    use std::sync::{Arc, Mutex};

    use super::super::statement::{Bind, execute};
    use super::{
        BigInt, Database, Hand, Place, Purpose, StoreError, Task, Work, Writer, first, statement,
        write,
    };
    use diesel::connection::SimpleConnection;

    statement!(Insert(()) = "INSERT INTO account (name, password, created) VALUES (?, ?, 0)");
    statement!(Count((BigInt,)) = "SELECT count(*) FROM account");

    fn count(connection: &mut Database) -> i64 {
        let row: Option<(i64,)> = first(connection, Count, &[]).unwrap();
        row.unwrap().0
    }

    type Answer<T> = Receiver<Result<T, StoreError>>;

    fn task<T: Send + 'static>(
        work: impl FnMut(&mut Database) -> Result<T, StoreError> + Send + 'static,
    ) -> (Box<dyn Work>, Answer<T>) {
        let (answer, result) = channel();
        let task = Task {
            octets: 0,
            soon: false,
            work,
            value: None,
            answer,
        };
        (Box::new(task), result)
    }

    fn insert(name: &'static str, octets: usize) -> (Box<dyn Work>, Answer<i64>) {
        task(move |connection| {
            let password = vec![1; octets];
            execute(
                connection,
                Insert,
                &[Bind::Text(name), Bind::Blob(&password)],
            )?;
            Ok(count(connection))
        })
    }

    /// Runs what waits, as the thread does, until nobody can send any more.
    fn run(place: &Arc<Place>, connection: Database, tasks: Vec<Box<dyn Work>>) {
        let (queue, pieces) = sync_channel(tasks.len());
        let waiting = AtomicUsize::new(tasks.len());
        for task in tasks {
            queue.send(task).unwrap();
        }
        drop(queue);
        let hand = Mutex::new(Hand::new(Arc::clone(place), connection));
        write(&hand, &waiting, &pieces);
        assert_eq!(waiting.into_inner(), 0);
    }

    /// While one writes, the others are gathered; alone, each writes in its own thread.
    #[test]
    fn who_is_alone_writes_itself_and_the_others_wait_for_the_thread() {
        let place = Arc::new(Place::of_url("sqlite::memory:").unwrap());
        place.prepare().unwrap();
        let connection = place.connect(Purpose::Write).unwrap();
        let writer = Writer::start(Arc::clone(&place), connection).unwrap();
        let here = || std::thread::current().id();
        assert_eq!(writer.run(0, move |_| Ok(here())).unwrap(), here());
        let late = writer.run_soon(0, move |_| Ok(here())).unwrap();
        assert_ne!(late, here(), "it is brought to the disk by the thread");
        std::thread::scope(|scope| {
            let (began, begins) = channel();
            let (go, wait) = channel::<()>();
            let slow = scope.spawn({
                let writer = &writer;
                move || {
                    writer.run(0, move |connection| {
                        began.send(()).ok();
                        wait.recv().ok();
                        Ok((here(), count(connection)))
                    })
                }
            });
            begins.recv().unwrap();
            let others: Vec<_> = ["a", "b"]
                .map(|name| {
                    let writer = &writer;
                    scope.spawn(move || {
                        writer.run(0, move |connection| {
                            execute(connection, Insert, &[Bind::Text(name), Bind::Blob(b"1")])?;
                            Ok(here())
                        })
                    })
                })
                .into();
            while writer.waiting.load(Ordering::Acquire) < 2 {
                std::thread::yield_now();
            }
            let slow_thread = slow.thread().id();
            go.send(()).unwrap();
            assert_eq!(slow.join().unwrap().unwrap(), (slow_thread, 0));
            for other in others {
                assert_eq!(other.join().unwrap().unwrap(), late);
            }
        });
        assert_eq!(
            writer
                .run(0, move |connection| Ok(count(connection)))
                .unwrap(),
            2
        );
    }

    #[test]
    fn what_waits_is_one_transaction_and_a_conflict_fails_alone() {
        let place = Arc::new(Place::of_url("sqlite::memory:").unwrap());
        place.prepare().unwrap();
        let connection = place.connect(Purpose::Write).unwrap();
        let mut outside = place.connect(Purpose::Read).unwrap();
        let (a, a_answer) = insert("a", 1);
        let (doomed, doomed_answer) =
            task(|connection| execute(connection, Insert, &[Bind::Text("a"), Bind::Blob(b"2")]));
        let (b, b_answer) = insert("b", 1);
        let (look, look_answer) = task(move |_| Ok(count(&mut outside)));
        run(&place, connection, vec![a, doomed, b, look]);

        assert_eq!(a_answer.recv().unwrap().unwrap(), 1);
        assert!(matches!(
            doomed_answer.recv().unwrap(),
            Err(StoreError::Exists)
        ));
        assert_eq!(b_answer.recv().unwrap().unwrap(), 2);
        assert_eq!(
            look_answer.recv().unwrap().unwrap(),
            0,
            "nothing is committed before the last piece"
        );
        assert_eq!(count(&mut place.connect(Purpose::Read).unwrap()), 2);
    }

    #[test]
    fn a_piece_that_fails_after_it_wrote_leaves_nothing() {
        let place = Arc::new(Place::of_url("sqlite::memory:").unwrap());
        place.prepare().unwrap();
        let connection = place.connect(Purpose::Write).unwrap();
        let (a, a_answer) = insert("a", 1);
        let (doomed, doomed_answer) = task(|connection| {
            execute(connection, Insert, &[Bind::Text("x"), Bind::Blob(b"1")])?;
            execute(connection, Insert, &[Bind::Text("a"), Bind::Blob(b"2")])
        });
        let (b, b_answer) = insert("b", 1);
        run(&place, connection, vec![a, doomed, b]);
        assert_eq!(a_answer.recv().unwrap().unwrap(), 1);
        assert!(matches!(
            doomed_answer.recv().unwrap(),
            Err(StoreError::Exists)
        ));
        assert_eq!(b_answer.recv().unwrap().unwrap(), 2);
        assert_eq!(count(&mut place.connect(Purpose::Read).unwrap()), 2);
    }

    #[test]
    fn a_piece_that_does_not_fit_on_the_disk_fails_alone() {
        let place = Arc::new(Place::of_url("sqlite::memory:").unwrap());
        place.prepare().unwrap();
        let mut connection = place.connect(Purpose::Write).unwrap();
        connection
            .batch_execute("PRAGMA max_page_count = 60")
            .unwrap();
        let (a, a_answer) = insert("a", 10);
        let (large, large_answer) = insert("large", 1_000_000);
        let (b, b_answer) = insert("b", 10);
        run(&place, connection, vec![a, large, b]);
        assert_eq!(a_answer.recv().unwrap().unwrap(), 1);
        assert!(matches!(
            large_answer.recv().unwrap(),
            Err(StoreError::Full)
        ));
        assert_eq!(b_answer.recv().unwrap().unwrap(), 2);
        assert_eq!(count(&mut place.connect(Purpose::Read).unwrap()), 2);
    }
}
