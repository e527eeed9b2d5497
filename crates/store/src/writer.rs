//! The one thread that writes, and commits many commands together.
//!
//! A command is a closure. The thread takes what is queued, runs one after the other in one transaction, each behind a
//! savepoint of its own, commits, and only then answers. Alone, a command is committed alone and at once; where many
//! ask at the same time, the writer waits a moment for those it has just answered (see [`Gathering`]). It knows
//! nothing of what the commands do.
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
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use crate::checkpoint::LogKeeper;
use crate::conn::Conn;
use crate::counter::{Counter, Increments};
use crate::error::{Error, Result};
use crate::open_cases::{Change, OpenCases};
use crate::sequence::{Mark, Sequences};
use crate::sqlite::{self, Role};
use crate::value::Value;

/// Commands that may wait: some tenths of a second's work, so that who is let in is also answered in good time.
pub const QUEUE_LIMIT: usize = 4096;

/// Commands committed together. More gain little throughput and keep the first one waiting.
const MAX_GROUP: usize = 256;

/// The longest that a group is held open for more commands: far below what a person notices.
const MAX_HOLD: Duration = Duration::from_millis(2);

/// A hold is at most this part of what the last commit took: on a fast disk a hold would only keep the writer idle.
const HOLD_PART: u32 = 4;

/// Looks at the queue during a hold.
const LOOKS: u32 = 8;

/// When who was turned away should come again: the queue is empty by then, if others are turned away too.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// A transaction as a command sees it: asks like a [`Conn`], and changes.
pub struct Tx<'t> {
    conn: &'t Conn,
    sequences: &'t mut Sequences,
    increments: &'t mut Vec<(Counter, i64)>,
    changes: &'t mut Vec<Change>,
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

    /// Says what became of a case, for what is kept of open cases in memory.
    pub(crate) fn changed(&mut self, change: impl FnOnce() -> Change) {
        if self.conn.open_cases().is_some() {
            self.changes.push(change());
        }
    }
}

/// Accepts commands; shared by all who write.
pub(crate) struct Writer {
    queue: RwLock<Option<mpsc::Sender<Box<dyn Command>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    commits: Arc<AtomicU64>,
}

impl Writer {
    pub fn open(path: &Path, open_cases: &Arc<OpenCases>) -> Result<Self> {
        let mut connection = sqlite::open(path, Role::Writer)?;
        let log = LogKeeper::watch(&mut connection, path)?;
        let (queue, commands) = mpsc::channel(QUEUE_LIMIT);
        let commits = Arc::new(AtomicU64::new(0));
        let conn = Conn::from(connection).with_open_cases(open_cases);
        let data_version = conn.data_version()?;
        open_cases.load(&conn)?;
        let bench = Bench {
            conn,
            data_version,
            commit_took: Duration::ZERO,
            changes: Vec::new(),
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
        let accepted = self.accept(Once(Some(f)));
        async move { accepted?.await.unwrap_or_else(|_| Err(Error::Closed.into())) }
    }

    /// [`Writer::write`] for a closure that may be run more than once, and is cheaper for it.
    pub fn write_again<T, E, F>(&self, f: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let accepted = self.accept(Again(f));
        async move { accepted?.await.unwrap_or_else(|_| Err(Error::Closed.into())) }
    }

    pub fn write_blocking<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.accept(Once(Some(f)))?
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn accept<T, E, W>(&self, work: W) -> Result<oneshot::Receiver<Result<T, E>>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: Work<T, E> + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Pending {
            work,
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

    /// Whether it may be run once more after it was undone.
    fn is_repeatable(&self) -> bool;

    /// Answers: with the closure's own outcome, or with what befell the transaction.
    fn answer(self: Box<Self>, transaction: Result<()>);
}

struct Pending<W, T, E> {
    work: W,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// How a closure is run.
trait Work<T, E>: Send {
    /// Whether [`Work::run`] may be called once more.
    const REPEATABLE: bool;

    /// Runs it; none when it was run before and cannot be again.
    fn run(&mut self, tx: &mut Tx<'_>) -> Option<Result<T, E>>;
}

/// A closure that is used up by being run.
struct Once<F>(Option<F>);

impl<T, E, F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send> Work<T, E> for Once<F> {
    const REPEATABLE: bool = false;

    fn run(&mut self, tx: &mut Tx<'_>) -> Option<Result<T, E>> {
        self.0.take().map(|work| work(tx))
    }
}

/// A closure that can be run again.
struct Again<F>(F);

impl<T, E, F: Fn(&mut Tx<'_>) -> Result<T, E> + Send> Work<T, E> for Again<F> {
    const REPEATABLE: bool = true;

    fn run(&mut self, tx: &mut Tx<'_>) -> Option<Result<T, E>> {
        Some((self.0)(tx))
    }
}

impl<W, T, E> Command for Pending<W, T, E>
where
    T: Send,
    E: From<Error> + Send,
    W: Work<T, E>,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let work = &mut self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work.run(tx))).unwrap_or_else(|payload| {
            let error = Error::panicked(&*payload);
            tracing::error!(%error);
            Some(Err(error.into()))
        });
        let keep = outcome.as_ref().is_some_and(Result::is_ok);
        self.outcome = outcome;
        keep
    }

    fn is_repeatable(&self) -> bool {
        W::REPEATABLE
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
    /// What the commands of this group made of cases.
    changes: Vec<Change>,
    /// See [`Conn::data_version`]: what it was when the open cases were last read.
    data_version: i64,
    /// What the last commit took.
    commit_took: Duration,
    commits: Arc<AtomicU64>,
}

/// How long a group is held open before it is run.
///
/// Clients that wait for their answers fall into two crowds: one is being committed, the other queues meanwhile, and
/// every commit carries half of them. Held open for a part of the time that a commit takes, a group takes in those that
/// were just answered and ask again, and one commit carries all. Who asks alone is never held up.
#[derive(Default)]
struct Gathering {
    /// Commands answered with the last group: so many may come back.
    answered: usize,
    /// What its commit took, which is mostly waiting for the disk.
    commit_took: Duration,
}

impl Gathering {
    /// Waits until as many are queued as were queued and answered a moment ago, or the hold is over.
    fn wait(&self, commands: &mpsc::Receiver<Box<dyn Command>>) {
        // The first command is out of the queue already.
        let queued = || commands.len() + 1;
        let expected = (queued() + self.answered.saturating_sub(1)).min(MAX_GROUP);
        let hold = (self.commit_took / HOLD_PART).min(MAX_HOLD);
        let began = Instant::now();
        while queued() < expected && began.elapsed() < hold {
            std::thread::sleep(hold / LOOKS);
        }
    }
}

impl Bench {
    fn work(mut self, mut commands: mpsc::Receiver<Box<dyn Command>>, mut log: LogKeeper) {
        let mut done = Vec::with_capacity(MAX_GROUP);
        let mut gathering = Gathering::default();
        while let Some(first) = commands.blocking_recv() {
            gathering.wait(&commands);
            // Whoever comes while the group is run still goes with it.
            let waiting = iter::once(first)
                .chain(iter::from_fn(|| commands.try_recv().ok()))
                .take(MAX_GROUP);
            let transaction = self.commit(waiting, &mut done);
            if let Err(error) = &transaction {
                tracing::error!(%error, commands = done.len(), "a group was not committed");
                self.abandon();
            }
            gathering = Gathering {
                answered: done.len(),
                commit_took: self.commit_took,
            };
            for command in done.drain(..) {
                command.answer(transaction.clone());
            }
            log.between_groups(self.conn.sqlite());
        }
        log.close(self.conn.sqlite());
    }

    /// Runs commands in one transaction and commits it. All that ran are in `done` then, whatever came of it.
    ///
    /// A savepoint copies every page that a command touches. As long as all commands of a group can be run again, they
    /// go without: when one of them fails, which is rare, the transaction is begun anew and all are run behind savepoints.
    fn commit(
        &mut self,
        mut waiting: impl Iterator<Item = Box<dyn Command>>,
        done: &mut Vec<Box<dyn Command>>,
    ) -> Result<()> {
        let (mut kept, mut unguarded) = (false, true);
        while let Some(mut command) = waiting.next() {
            if !kept && let Err(error) = self.begin() {
                // Each would wait for the lock as long as this one did.
                done.push(command);
                done.extend(waiting);
                return Err(error);
            }
            unguarded &= command.is_repeatable();
            let ran = self.run(&mut *command, kept, !unguarded);
            done.push(command);
            let succeeded = ran?;
            if !succeeded && kept && unguarded {
                unguarded = false;
                kept = self.run_again(done)?;
            } else {
                kept |= succeeded;
            }
        }
        if kept {
            self.increments.flush(&self.conn)?;
            let began = Instant::now();
            self.conn.commit()?;
            self.commit_took = began.elapsed();
            if let Some(open_cases) = self.conn.open_cases() {
                open_cases.apply(self.changes.drain(..));
            }
            self.commits.fetch_add(1, Ordering::Relaxed);
        }
        self.sequences.keep();
        Ok(())
    }

    /// Begins the transaction; reads the open cases anew where another process has written meanwhile.
    fn begin(&mut self) -> Result<()> {
        self.conn.begin()?;
        let Some(open_cases) = self.conn.open_cases() else {
            return Ok(());
        };
        let data_version = self.conn.data_version()?;
        if data_version != self.data_version {
            open_cases.load(&self.conn)?;
            self.data_version = data_version;
        }
        Ok(())
    }

    /// Runs one command, and undoes it where it fails: behind its savepoint if it is guarded, else not at all. The first
    /// of a group (nothing is `kept` before it) needs no savepoint: it goes back to nothing. Whether it succeeded.
    fn run(&mut self, command: &mut dyn Command, kept: bool, guarded: bool) -> Result<bool> {
        if kept && guarded {
            self.conn.savepoint()?;
        }
        let mark = self.sequences.mark();
        let changed_before = self.changes.len();
        let succeeded = command.run(&mut Tx {
            conn: &self.conn,
            sequences: &mut self.sequences,
            increments: &mut self.own_increments,
            changes: &mut self.changes,
        });
        if !self.conn.in_transaction() {
            return Err(Error::RolledBack);
        }
        if succeeded {
            for (counter, delta) in self.own_increments.drain(..) {
                self.increments.add(counter, delta);
            }
            if kept && guarded {
                self.conn.release()?;
            }
        } else {
            self.own_increments.clear();
            self.changes.truncate(changed_before);
            self.sequences.undo(mark);
            match (kept, guarded) {
                (false, _) => self.conn.rollback()?,
                (true, true) => self.conn.rollback_to_savepoint()?,
                (true, false) => {}
            }
        }
        Ok(succeeded)
    }

    /// Begins the transaction anew and runs all commands behind savepoints. Whether anything is kept.
    fn run_again(&mut self, commands: &mut [Box<dyn Command>]) -> Result<bool> {
        self.abandon();
        let mut kept = false;
        for command in commands {
            if !kept {
                self.begin()?;
            }
            kept |= self.run(&mut **command, kept, true)?;
        }
        Ok(kept)
    }

    /// The transaction is lost, and with it all that was gathered for it.
    fn abandon(&mut self) {
        self.own_increments.clear();
        self.changes.clear();
        self.increments.forget();
        self.sequences.undo(Mark::default());
        if let Err(error) = self.conn.rollback() {
            tracing::error!(%error, "a failed group could not be rolled back");
        }
    }
}
