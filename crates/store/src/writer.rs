//! The one thread that writes, and commits many commands together.
//!
//! A command is a closure. The thread takes what is queued, runs one after the other in one transaction, each behind a
//! savepoint of its own, commits, and only then answers. It never waits for a group to fill: alone, a command is
//! committed alone. The writer knows nothing of what the commands do.
//!
//! What is checked only at the commit would fail the whole group: the schema has no deferred constraint.

use std::future::Future;
use std::iter;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::LogKeeper;
use crate::conn::Conn;
use crate::counter::{Counter, Increments};
use crate::error::{Error, Result};
use crate::sequence::{Mark, Sequences};
use crate::sqlite::{self, Role};
use crate::value::Value;

/// Commands that may wait: some tenths of a second's work, so that who is let in is also answered in good time.
pub const QUEUE_LIMIT: usize = 4096;

/// Commands committed together. More gain little throughput and keep the first one waiting.
const MAX_GROUP: usize = 256;

/// When who was turned away should come again: the queue is empty by then, if others are turned away too.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A transaction as a command sees it: asks like a [`Conn`], and changes.
pub struct Tx<'t> {
    conn: &'t Conn,
    sequences: &'t mut Sequences,
    increments: &'t mut Vec<(Counter, i64)>,
}

impl Deref for Tx<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl Tx<'_> {
    /// Runs a statement that answers no rows; gives how many it changed. With `RETURNING`, ask by `row` or `rows`.
    pub fn exec(&mut self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        self.conn.exec(sql, params)
    }

    /// The next number of a sequence of this jurisdiction, from 1. Never given twice, by no process; gaps occur, and
    /// numbers of two processes do not follow time.
    pub fn next_id(&mut self, jurisdiction_id: i64, name: &'static str) -> Result<i64> {
        self.sequences.next(self.conn, jurisdiction_id, name)
    }

    /// Adds to a counter if this command succeeds. The table shows it after the commit, not before.
    pub fn count(&mut self, counter: Counter, delta: i64) {
        self.increments.push((counter, delta));
    }
}

/// Accepts commands; shared by all who write.
pub(crate) struct Writer {
    queue: RwLock<Option<mpsc::Sender<Box<dyn Command>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    pub fn open(path: &Path) -> Result<Self> {
        let mut connection = sqlite::open(path, Role::Writer)?;
        let log = LogKeeper::watch(&mut connection, path)?;
        let (queue, commands) = mpsc::channel(QUEUE_LIMIT);
        let commits = Arc::new(AtomicU64::new(0));
        let bench = Bench {
            conn: Conn::from(connection),
            sequences: Sequences::default(),
            increments: Increments::default(),
            own_increments: Vec::new(),
            commits: commits.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || bench.work(commands, log))
            .map_err(|error| Error::io(path, error))?;
        Ok(Self {
            queue: RwLock::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            commits,
        })
    }

    /// Queues `f` at once, before the future is first polled; commands run in the order of these calls.
    pub fn write<T, E, F>(&self, f: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let accepted = self.accept(f);
        async move { accepted?.await.unwrap_or_else(|_| Err(Error::Closed.into())) }
    }

    pub fn write_blocking<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.accept(f)?
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn accept<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, E>>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Pending {
            work: Some(work),
            outcome: None,
            reply,
        });
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref().ok_or(Error::Closed)?.try_send(command) {
            Ok(()) => Ok(answer),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Error::Busy {
                what: "too many writes are waiting",
                retry_after: RETRY_AFTER,
            }),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(Error::Closed),
        }
    }

    /// Commands accepted and not yet taken up.
    pub fn waiting(&self) -> usize {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue
            .as_ref()
            .map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    /// Group commits since opening.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    /// Accepts no more, waits until everything accepted is committed, then copies the log to the file.
    pub fn close(&self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer thread panicked");
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// One closure and its asker, with their types hidden.
trait Command: Send {
    /// Runs the closure. Whether its changes are to be kept.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Answers: with the closure's own outcome, or with what befell the transaction.
    fn answer(self: Box<Self>, transaction: Result<()>);
}

struct Pending<F, T, E> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Command for Pending<F, T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or_else(|payload| {
            let error = Error::panicked(&*payload);
            tracing::error!(%error);
            Err(error.into())
        });
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn answer(self: Box<Self>, transaction: Result<()>) {
        let outcome = match (transaction, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::Closed.into()),
            (Err(error), _) => Err(error.into()),
        };
        // Whoever asked may have gone away; the command stands all the same.
        let _ = self.reply.send(outcome);
    }
}

/// What the writer thread works with.
struct Bench {
    conn: Conn,
    sequences: Sequences,
    increments: Increments,
    /// Increments of the command that is running; kept here for its memory.
    own_increments: Vec<(Counter, i64)>,
    commits: Arc<AtomicU64>,
}

impl Bench {
    fn work(mut self, mut commands: mpsc::Receiver<Box<dyn Command>>, mut log: LogKeeper) {
        let mut done = Vec::with_capacity(MAX_GROUP);
        while let Some(first) = commands.blocking_recv() {
            // Whoever comes while the group is run still goes with it.
            let waiting = iter::once(first)
                .chain(iter::from_fn(|| commands.try_recv().ok()))
                .take(MAX_GROUP);
            let transaction = self.commit(waiting, &mut done);
            if let Err(error) = &transaction {
                tracing::error!(%error, commands = done.len(), "a group was not committed");
                self.abandon();
            }
            for command in done.drain(..) {
                command.answer(transaction.clone());
            }
            log.between_groups(self.conn.sqlite());
        }
        log.close(self.conn.sqlite());
    }

    /// Runs commands in one transaction and commits it. All that ran are in `done` then, whatever came of it.
    fn commit(
        &mut self,
        mut waiting: impl Iterator<Item = Box<dyn Command>>,
        done: &mut Vec<Box<dyn Command>>,
    ) -> Result<()> {
        let mut kept = false;
        while let Some(command) = waiting.next() {
            done.push(command);
            // A command with others kept before it needs a savepoint to go back to; the first goes back to nothing.
            if kept {
                self.conn.savepoint()?;
            } else if let Err(error) = self.conn.begin() {
                // Each would wait for the lock as long as this one did.
                done.extend(waiting);
                return Err(error);
            }
            let mark = self.sequences.mark();
            let succeeded = done.last_mut().is_some_and(|command| {
                command.run(&mut Tx {
                    conn: &self.conn,
                    sequences: &mut self.sequences,
                    increments: &mut self.own_increments,
                })
            });
            if !self.conn.in_transaction() {
                return Err(Error::RolledBack);
            }
            if succeeded {
                for (counter, delta) in self.own_increments.drain(..) {
                    self.increments.add(counter, delta);
                }
                if kept {
                    self.conn.release()?;
                }
                kept = true;
            } else {
                self.own_increments.clear();
                self.sequences.undo(mark);
                if kept {
                    self.conn.rollback_to_savepoint()?;
                } else {
                    self.conn.rollback()?;
                }
            }
        }
        if kept {
            self.increments.flush(&self.conn)?;
            self.conn.commit()?;
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.sequences.keep();
        Ok(())
    }

    /// The transaction is lost, and with it all that was gathered for it.
    fn abandon(&mut self) {
        self.own_increments.clear();
        self.increments.forget();
        self.sequences.undo(Mark::default());
        if let Err(error) = self.conn.rollback() {
            tracing::error!(%error, "a failed group could not be rolled back");
        }
    }
}
