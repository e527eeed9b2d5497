//! The threads that write, and commit many commands together: one to SQLite, a few to PostgreSQL.
//!
//! A command is a closure that can be run more than once. A thread takes what is queued, runs one after the other in
//! one transaction, commits, and only then answers. Alone, a command is committed alone and at once; where many ask at the
//! same time, the writer waits a moment for those it has just answered (see [`Gathering`]). It knows nothing of what the
//! commands do.
//!
//! Hope comes first: commands are run without anything between them, and their statements sent in few pieces. Where one
//! fails after it changed something, the transaction is begun anew and all are run one by one, each behind a savepoint of
//! its own, so that a failed one goes alone. A group that another process is in the way of goes in pieces, a transaction for
//! each command; one whose database went away is tried again as a whole. Both a few times.
//!
//! What is checked only at the commit would fail the whole group: the schema has no deferred constraint.

use std::future::Future;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{iter, mem};

use tokio::sync::{mpsc, oneshot, watch};

use crate::change::Changes;
use crate::checkpoint::LogKeeper;
use crate::conn::{Conn, Database};
use crate::counter::{Counter, Increments};
use crate::error::{Error, Result};
use crate::mark::CommitMark;
use crate::open_cases::Change;
use crate::sequence::{Mark, Sequences};
use crate::value::{Row, Value};

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

/// Threads that write to a PostgreSQL server: while one waits for the server to run its group and for the disk, another runs the
/// next. More than these have nothing left to wait for on a small machine, and come into each other's way.
const LANES: usize = 2;

/// Commands in a lane that make another worth its commits: smaller groups cost the server more than the waiting that they save. And
/// where few write, numbers of cases run on without gaps, since each lane takes them from blocks of its own.
const CROWD: usize = 32;

/// When who was turned away should come again: the queue is empty by then, if others are turned away too.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How often a command is tried that other processes are in the way of.
const TRIES: u32 = 5;

/// How often one command is run again because another process was faster than it.
const OVERTAKEN_AT_MOST: u32 = 3;

/// How long a group waits for a database that went away: longer than PostgreSQL needs to start again after a crash,
/// shorter than a browser waits.
const AWAY_AT_MOST: Duration = Duration::from_secs(10);

/// A transaction as a command sees it: asks like a [`Conn`], and changes.
pub struct Tx<'t> {
    conn: &'t Conn,
    sequences: &'t mut Sequences,
    increments: &'t mut Vec<(Counter, i64)>,
    changes: &'t mut Vec<Change>,
    noted: &'t mut Vec<(i64, i64)>,
    cases_changed: &'t mut bool,
    relisted: &'t mut bool,
    catch_up: &'t mut bool,
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

    /// The row that this command will change, if it is there: from here on, no other process changes it before this
    /// transaction has ended. `sql` finds it in one table, by its key.
    pub fn row_to_change<T>(
        &mut self,
        sql: &str,
        params: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.conn.row_to_change(sql, params, map)
    }

    /// Runs a statement whose answer this command does not need; over a network it is sent with others. Where it fails, the
    /// command fails, though perhaps only after its closure has ended.
    pub fn queue(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.conn.queue(sql, params, None)
    }

    /// [`Tx::queue`] for the rows of an `INSERT … VALUES ($1, …)`, which may be sent together: none must meet a row that
    /// another one puts.
    pub fn put(&mut self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        self.conn.put(sql, params)
    }

    /// [`Tx::queue`] for a statement that must change one row; where it does not, the command fails with `otherwise`.
    pub fn queue_one(&mut self, sql: &str, params: &[Value<'_>], otherwise: Error) -> Result<()> {
        self.conn.queue(sql, params, Some(otherwise))
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

    /// Says that a case changed, to who follows the log, if this command succeeds.
    pub(crate) fn note_change(&mut self, jurisdiction_id: i64, number: i64) {
        self.noted.push((jurisdiction_id, number));
    }

    /// Says what became of a case, for what is kept of open cases in memory, and for who keeps where pages of lists begin:
    /// `relisted` is whether it came to a list or left one.
    pub(crate) fn changed(&mut self, relisted: bool, change: impl FnOnce() -> Change) {
        *self.cases_changed = true;
        *self.relisted |= relisted;
        if self.conn.open_cases().is_some() {
            self.changes.push(change());
        }
    }

    /// Takes over, once this group has ended and before it is answered, what other processes made of open cases.
    pub(crate) fn catch_up(&mut self) {
        *self.catch_up = true;
    }
}

/// Accepts commands; shared by all who write. SQLite has one lane, since it has one writer; lanes to PostgreSQL are to each other
/// what the writers of two processes are.
pub(crate) struct Writer {
    lanes: Vec<Lane>,
    commits: Arc<Commits>,
}

/// A thread that writes, and what waits for it.
struct Lane {
    queue: RwLock<Option<mpsc::Sender<Box<dyn Command>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Commands accepted and not answered.
    load: Arc<AtomicUsize>,
}

impl Lane {
    fn open(database: &Database, commits: &Arc<Commits>) -> Result<Self> {
        let (queue, commands) = mpsc::channel(QUEUE_LIMIT);
        let load = Arc::<AtomicUsize>::default();
        let (opened, outcome) = std::sync::mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn({
                let (database, commits, load) = (database.clone(), commits.clone(), load.clone());
                // Opened by the thread that uses it: PostgreSQL's own does its input and output there.
                move || match Bench::open(database, commits) {
                    Ok(bench) => {
                        let _ = opened.send(Ok(()));
                        bench.work(commands, &load);
                    }
                    Err(error) => {
                        let _ = opened.send(Err(error));
                    }
                }
            })
            .map_err(|error| Error::io("store-writer".as_ref(), error))?;
        outcome.recv().unwrap_or(Err(Error::Closed))?;
        Ok(Self {
            queue: RwLock::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            load,
        })
    }

    fn queue(&self, command: Box<dyn Command>) -> Result<()> {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        let queue = queue.as_ref().ok_or(Error::Closed)?;
        self.load.fetch_add(1, Ordering::Relaxed);
        queue.try_send(command).map_err(|refused| {
            self.load.fetch_sub(1, Ordering::Relaxed);
            match refused {
                mpsc::error::TrySendError::Full(_) => Error::Busy {
                    what: "too many writes are waiting",
                    retry_after: RETRY_AFTER,
                },
                mpsc::error::TrySendError::Closed(_) => Error::Closed,
            }
        })
    }

    fn waiting(&self) -> usize {
        let queue = self.queue.read().unwrap_or_else(PoisonError::into_inner);
        queue
            .as_ref()
            .map_or(0, |queue| queue.max_capacity() - queue.capacity())
    }

    fn close(&self) {
        self.queue.write().unwrap_or_else(PoisonError::into_inner).take();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a writer thread panicked");
        }
    }
}

impl Writer {
    pub fn open(database: &Database) -> Result<Self> {
        let commits = Arc::<Commits>::default();
        let lanes = if database.is_remote() { LANES } else { 1 };
        let lanes = (0..lanes).map(|_| Lane::open(database, &commits));
        Ok(Self {
            lanes: lanes.collect::<Result<_>>()?,
            commits,
        })
    }

    /// Queues `f` at once, before the future is first polled. Who wants one command to see another waits for that one's answer.
    pub fn write<T, E, F>(&self, f: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let accepted = self.accept(f);
        async move { accepted?.await.unwrap_or_else(|_| Err(Error::Closed.into())) }
    }

    pub fn write_blocking<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.accept(f)?
            .blocking_recv()
            .unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    fn accept<T, E, F>(&self, work: F) -> Result<oneshot::Receiver<Result<T, E>>>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let command = Box::new(Pending {
            work,
            outcome: None,
            reply,
        });
        let crowds = |lane: &&Lane| lane.load.load(Ordering::Relaxed) / CROWD;
        let lane = self.lanes.iter().min_by_key(crowds);
        lane.ok_or(Error::Closed)?.queue(command)?;
        Ok(answer)
    }

    /// Commands accepted and not yet taken up.
    pub fn waiting(&self) -> usize {
        self.lanes.iter().map(Lane::waiting).sum()
    }

    /// Group commits since opening, of which each changed something.
    pub fn commits(&self) -> u64 {
        self.commits.all.load(Ordering::Relaxed)
    }

    /// Those of them that changed cases.
    pub fn commits_of_cases(&self) -> u64 {
        self.commits.of_cases.load(Ordering::Relaxed)
    }

    /// Those of them by which cases came to a list or left one.
    pub fn commits_of_lists(&self) -> u64 {
        self.commits.of_lists.load(Ordering::Relaxed)
    }

    /// Is told after each group commit.
    pub fn committed(&self) -> watch::Receiver<()> {
        self.commits.told.subscribe()
    }

    /// Accepts no more, waits until everything accepted is committed, then copies the log to the file.
    pub fn close(&self) {
        self.lanes.iter().for_each(Lane::close);
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

    /// Makes this its outcome: a statement of its failed after its closure ended.
    fn fail(&mut self, error: Error);

    /// Answers: with the closure's own outcome, or with what befell the transaction.
    fn answer(self: Box<Self>, transaction: Result<()>);
}

struct Pending<F, T, E> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Command for Pending<F, T, E>
where
    T: Send,
    E: From<Error> + Send,
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let work = &self.work;
        let outcome = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or_else(|payload| {
            let error = Error::panicked(&*payload);
            tracing::error!(%error);
            Err(error.into())
        });
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn fail(&mut self, error: Error) {
        self.outcome = Some(Err(error.into()));
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

/// Group commits since opening.
#[derive(Default)]
struct Commits {
    all: AtomicU64,
    /// Those that changed cases.
    of_cases: AtomicU64,
    /// Those by which cases came to lists or left them.
    of_lists: AtomicU64,
    /// Who waits for one.
    told: watch::Sender<()>,
}

/// What the writer thread works with.
struct Bench {
    database: Database,
    conn: Conn,
    /// Tells a commit whose answer was lost from one that never was.
    mark: CommitMark,
    /// SQLite's.
    log: Option<LogKeeper>,
    sequences: Sequences,
    increments: Increments,
    /// Increments of the command that is running; kept here for its memory.
    own_increments: Vec<(Counter, i64)>,
    /// Which cases the group changed, for who follows the log.
    followed: Changes,
    /// Those of the command that is running.
    own_noted: Vec<(i64, i64)>,
    /// What the commands of this group made of cases.
    changes: Vec<Change>,
    /// Whether they made anything of any.
    cases_changed: bool,
    /// Whether a case came to a list or left one by it.
    relisted: bool,
    /// See [`Conn::data_version`]: what it was when the open cases were last read.
    data_version: i64,
    /// Whether a command of this group asked for [`Tx::catch_up`].
    catch_up: bool,
    /// What the last commit took.
    commit_took: Duration,
    commits: Arc<Commits>,
    /// Whether the last group was given up because the database was away: the next need not wait for it as long.
    away: bool,
}

/// How the commands of a group are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// In the hope that none fails.
    Together,
    /// So that a failed one goes alone.
    OneByOne,
}

/// Why a group was not committed.
enum Halt {
    /// A command failed, and what it did cannot be undone alone.
    Command,
    /// The transaction failed.
    Transaction(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

/// What became of one command.
#[derive(PartialEq, Eq)]
enum Ran {
    /// Well, and there is something to commit.
    Changed,
    /// It failed, or changed nothing: nothing of it is in the transaction.
    Nothing,
    /// The same, and only since another process was faster: run again, it sees what that one did.
    Overtaken,
}

type Waiting<'w> = &'w mut dyn Iterator<Item = Box<dyn Command>>;

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
    fn open(database: Database, commits: Arc<Commits>) -> Result<Self> {
        let mut conn = database.open_writer()?;
        let log = LogKeeper::watch(&mut conn, &database)?;
        let mark = CommitMark::introduce(&conn)?;
        let data_version = conn.data_version()?;
        if let Some(open_cases) = conn.open_cases() {
            open_cases.load(&conn)?;
        }
        Ok(Self {
            database,
            conn,
            mark,
            log,
            sequences: Sequences::default(),
            increments: Increments::default(),
            own_increments: Vec::new(),
            followed: Changes::begin(),
            own_noted: Vec::new(),
            changes: Vec::new(),
            cases_changed: false,
            relisted: false,
            data_version,
            catch_up: false,
            commit_took: Duration::ZERO,
            commits,
            away: false,
        })
    }

    fn work(mut self, mut commands: mpsc::Receiver<Box<dyn Command>>, load: &AtomicUsize) {
        let mut done = Vec::with_capacity(MAX_GROUP);
        let mut gathering = Gathering::default();
        while let Some(first) = commands.blocking_recv() {
            gathering.wait(&commands);
            // Whoever comes while the group is run still goes with it.
            let mut waiting = iter::once(first)
                .chain(iter::from_fn(|| commands.try_recv().ok()))
                .take(MAX_GROUP);
            let transaction = self.write(&mut waiting, &mut done);
            gathering = Gathering {
                answered: done.len(),
                commit_took: self.commit_took,
            };
            match transaction {
                Err(error) if done.len() > 1 && self.is_in_the_way(&error) => {
                    // Together they hold what others wait for while they wait themselves; each alone holds little.
                    for command in done.drain(..) {
                        let mut alone = vec![command];
                        let transaction = self.write(&mut iter::empty(), &mut alone);
                        answer(&mut alone, &transaction, load);
                    }
                }
                transaction => answer(&mut done, &transaction, load),
            }
            if let (Some(log), Some(connection)) = (&mut self.log, self.conn.sqlite()) {
                log.between_groups(connection);
            }
            if self.database.is_remote()
                && !self.conn.is_lost()
                && let Err(error) = self.sequences.reserve(&self.conn)
            {
                tracing::debug!(%error, "the next group takes its numbers itself");
            }
        }
        self.mark.leave(&self.conn);
        if let (Some(log), Some(connection)) = (self.log, self.conn.sqlite()) {
            log.close(connection);
        }
    }

    /// Runs commands in one transaction and commits it. All that ran are in `done` then, whatever came of it.
    fn write(&mut self, waiting: Waiting<'_>, done: &mut Vec<Box<dyn Command>>) -> Result<()> {
        let (mut manner, mut tries) = (Manner::Together, 0);
        if self.away || self.conn.is_lost() {
            self.reconnect();
        }
        let patience = if self.away { Duration::ZERO } else { AWAY_AT_MOST };
        let mut give_up = None;
        loop {
            let halt = match self.attempt(manner, waiting, done) {
                Ok(()) => {
                    self.away = false;
                    return Ok(());
                }
                Err(halt) => halt,
            };
            self.abandon();
            let error = match halt {
                Halt::Command => {
                    manner = Manner::OneByOne;
                    continue;
                }
                Halt::Transaction(error) => error,
            };
            tries += 1;
            self.away = matches!(error, Error::Away { .. });
            let again = if self.away {
                // Counted from when it was missed, which may have taken as long.
                Instant::now() < *give_up.get_or_insert_with(|| Instant::now() + patience)
            } else {
                self.is_in_the_way(&error) && done.len() == 1 && tries < TRIES
            };
            if !again {
                if done.is_empty() {
                    // Not even begun: each would wait for the lock, or the database, as long as this one did.
                    done.extend(waiting);
                }
                return Err(error);
            }
            tracing::warn!(%error, tries, "a group is tried again");
            pause(tries);
            if self.conn.is_lost() || self.away {
                self.reconnect();
            }
        }
    }

    /// Runs what is in `done` from an earlier attempt, then what is waiting, and commits.
    fn attempt(
        &mut self,
        manner: Manner,
        waiting: Waiting<'_>,
        done: &mut Vec<Box<dyn Command>>,
    ) -> Result<(), Halt> {
        let (mut next, mut kept) = (0, false);
        loop {
            if next == done.len() && next > 0 {
                match waiting.next() {
                    Some(command) => done.push(command),
                    None => break,
                }
            }
            if !self.conn.in_transaction() {
                self.conn.begin()?;
            }
            if done.is_empty() {
                match waiting.next() {
                    Some(command) => done.push(command),
                    None => break,
                }
            }
            let command = &mut *done[next];
            next += 1;
            let mut overtaken = 0;
            let ran = loop {
                let ran = self.run(command, manner, kept)?;
                if ran != Ran::Overtaken || overtaken == OVERTAKEN_AT_MOST {
                    break ran;
                }
                overtaken += 1;
                if !self.conn.in_transaction() {
                    self.conn.begin()?;
                }
            };
            kept |= ran == Ran::Changed;
        }
        if kept {
            self.commit(manner)?;
            self.followed.keep();
            if let Some(open_cases) = self.conn.open_cases() {
                open_cases.apply(self.changes.drain(..));
            }
            self.commits.all.fetch_add(1, Ordering::Relaxed);
            self.commits.told.send_replace(());
            if mem::take(&mut self.cases_changed) {
                self.commits.of_cases.fetch_add(1, Ordering::Relaxed);
            }
            if mem::take(&mut self.relisted) {
                self.commits.of_lists.fetch_add(1, Ordering::Relaxed);
            }
        } else {
            self.conn.rollback()?;
        }
        self.sequences.keep();
        if mem::take(&mut self.catch_up)
            && let Err(error) = self.catch_up()
        {
            // What the group did stands. The next second tries again.
            tracing::error!(%error, "what another process made of open cases is not seen yet");
        }
        Ok(())
    }

    /// Reads the open cases anew where another process has written since they were last read. Between two transactions, so
    /// that nobody waits for it but this process's own writes; and here, since no write of its own can come in between.
    fn catch_up(&mut self) -> Result<()> {
        let Some(open_cases) = self.conn.open_cases() else {
            return Ok(());
        };
        let known = self.data_version;
        self.data_version = self.conn.snapshot(|conn| -> Result<i64> {
            let data_version = conn.data_version()?;
            if data_version != known {
                open_cases.load(conn)?;
            }
            Ok(data_version)
        })?;
        Ok(())
    }

    /// Runs one command, and undoes it where it fails. The first of a group (nothing is `kept` before it) needs no
    /// savepoint: it goes back to nothing.
    fn run(&mut self, command: &mut dyn Command, manner: Manner, kept: bool) -> Result<Ran, Halt> {
        let alone = manner == Manner::OneByOne;
        if alone && kept {
            self.conn.savepoint()?;
        }
        let mark = self.sequences.mark();
        let changed_before = self.changes.len();
        self.conn.take_touched();
        let mut overtaken = false;
        let mut succeeded = command.run(&mut Tx {
            conn: &self.conn,
            sequences: &mut self.sequences,
            increments: &mut self.own_increments,
            changes: &mut self.changes,
            noted: &mut self.own_noted,
            cases_changed: &mut self.cases_changed,
            relisted: &mut self.relisted,
            catch_up: &mut self.catch_up,
        });
        if alone
            && succeeded
            && let Err(error) = self.conn.flush()
        {
            succeeded = false;
            overtaken = matches!(error, Error::Stale { .. } | Error::Conflict { .. });
            command.fail(error);
        }
        if let Some(trouble) = self.conn.take_trouble() {
            return Err(trouble.into());
        }
        if succeeded {
            let gathered = !self.own_increments.is_empty() || !self.own_noted.is_empty();
            let changed = self.conn.take_touched() || gathered;
            for (counter, delta) in self.own_increments.drain(..) {
                self.increments.add(counter, delta);
            }
            for (jurisdiction, number) in self.own_noted.drain(..) {
                self.followed.note(jurisdiction, number);
            }
            if alone && kept {
                self.conn.release()?;
            }
            return Ok(if changed { Ran::Changed } else { Ran::Nothing });
        }
        self.own_increments.clear();
        self.own_noted.clear();
        self.changes.truncate(changed_before);
        let touched = self.conn.take_touched();
        match (kept, alone) {
            (true, true) => self.conn.rollback_to_savepoint()?,
            _ if !touched => {}
            (true, false) => return Err(Halt::Command),
            (false, _) => self.conn.rollback()?,
        }
        if touched {
            self.sequences.undo(mark);
        }
        Ok(if overtaken { Ran::Overtaken } else { Ran::Nothing })
    }

    /// Whether a transaction failed only because another process holds what it needs.
    fn is_in_the_way(&self, error: &Error) -> bool {
        matches!(error, Error::Busy { .. }) && self.conn.is_passing(error)
    }

    /// Writes what was gathered for the group, and commits. A commit whose answer is lost is looked for.
    fn commit(&mut self, manner: Manner) -> Result<(), Halt> {
        self.increments.flush(&self.conn)?;
        self.followed.flush(&self.conn)?;
        self.mark.set(&self.conn)?;
        if let Err(error) = self.conn.flush() {
            let of_a_command = manner == Manner::Together && !self.conn.is_passing(&error);
            return Err(if of_a_command { Halt::Command } else { error.into() });
        }
        let began = Instant::now();
        let committed = self.conn.commit();
        self.commit_took = began.elapsed();
        match committed {
            Err(Error::Away { detail }) => self.find_out(detail),
            outcome => Ok(outcome?),
        }
    }

    /// The database was lost after the commit was sent: asks it, once it is back, whether it was kept.
    fn find_out(&mut self, lost: String) -> Result<(), Halt> {
        tracing::warn!(lost, "the database was lost during a commit");
        let give_up = Instant::now() + AWAY_AT_MOST;
        for tries in 1.. {
            self.reconnect();
            match self.mark.is_set(&self.conn) {
                Ok(true) => {
                    tracing::warn!("the commit was kept");
                    return Ok(());
                }
                Ok(false) => return Err(Error::Away { detail: lost }.into()),
                Err(error) if Instant::now() < give_up => {
                    tracing::debug!(%error, "the database does not say yet whether it kept a commit");
                    pause(tries);
                }
                Err(_) => break,
            }
        }
        self.followed.begin_anew();
        Err(Error::Unknown.into())
    }

    /// Opens the connection anew; where that fails, the old one stays and fails the next attempt.
    fn reconnect(&mut self) {
        match self.database.open_writer() {
            Ok(conn) => {
                self.mark.end_others(&conn);
                self.conn = conn;
            }
            Err(error) => tracing::warn!(%error, "the database is not back yet"),
        }
    }

    /// The transaction is lost, and with it all that was gathered for it.
    fn abandon(&mut self) {
        self.own_increments.clear();
        self.own_noted.clear();
        self.changes.clear();
        self.increments.forget();
        self.followed.forget();
        self.sequences.undo(Mark::default());
        if let Err(error) = self.conn.rollback() {
            tracing::error!(%error, "a failed group could not be rolled back");
        }
    }
}

fn answer(done: &mut Vec<Box<dyn Command>>, transaction: &Result<()>, load: &AtomicUsize) {
    if let Err(error) = transaction {
        tracing::error!(%error, commands = done.len(), "a group was not committed");
    }
    load.fetch_sub(done.len(), Ordering::Relaxed);
    for command in done.drain(..) {
        command.answer(transaction.clone());
    }
}

/// Waits longer after every try, up to two seconds, and never as long as another process does.
fn pause(tries: u32) {
    const SHORTEST: u64 = 10;
    const LONGEST: u64 = 2000;
    let bound = (SHORTEST << tries.min(16)).min(LONGEST);
    let milliseconds = bound / 2 + crate::postgres::random() % (bound / 2);
    std::thread::sleep(Duration::from_millis(milliseconds));
}
