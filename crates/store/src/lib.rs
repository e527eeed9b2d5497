//! The store: rows, events and transactions, and the only SQL of Whistle. It knows no rule of a case and no HTTP.
//!
//! - [`Store`]: opened on a [`Target`]; [`Store::write`], [`Store::read`], [`Store::backup`].
//! - [`case`]: cases and their log; [`list`]: pages of cases; [`search`]: the index of words by which they are found; [`audit`]: everything checked against the log;
//!   [`map`]: what a map shows of all cases; [`live`]: what changed lately; [`change`]: which cases each commit changed; [`whistle`]: whistles and theirs; [`intake`]: contact data, retries, imports;
//!   [`photo`]: photos sent and used; [`place`]: versions of place folders; [`account`]: accounts, sessions, keys; [`notice`]: what is
//!   told to whom; [`push`]: devices; [`view`]: filters that staff keep; [`lease`]: who looks after a duty. Functions over a [`Conn`]
//!   or [`Tx`].
//! - `conn`, `value`: the small face over the backends ([`Conn`], [`Row`], [`params!`]); `sqlite`, `postgres`: those.
//! - `writer`: the thread that commits many commands together; a command gets a [`Tx`]. `mark`: by which it learns what
//!   became of a commit whose answer was lost.
//! - `counter`, `sequence`: what the writer keeps for all commands, gathered per group.
//! - `readers`: connections that read one unchanging state each, beside the writer.
//! - `open_cases`: the open cases in memory, in place of indexes that SQLite would pay dearly for.
//! - `checkpoint`: keeps the log short without a commit waiting for it.
//! - `migrate`, `backup`, `dir`: the schema's steps, copies of the database, the data directory.
//! - [`tables`]: every table and what it is. [`people`]: every column and what it holds about people. [`distribute`]: jurisdictions spread over machines. [`transfer`]: a whole
//!   install moved from one database to another.

pub mod account;
pub mod admin;
pub mod audit;
mod backup;
pub mod briefing;
pub mod case;
pub mod change;
mod checkpoint;
mod conn;
mod counter;
mod dir;
pub mod distribute;
mod error;
pub mod handover;
pub mod intake;
pub mod key_mark;
pub mod lease;
pub mod list;
pub mod live;
pub mod map;
mod mark;
mod migrate;
pub mod notice;
mod open_cases;
pub mod passkey;
pub mod people;
pub mod photo;
pub mod place;
mod postgres;
pub mod push;
mod readers;
pub mod round;
pub mod search;
pub mod second_factor;
mod sequence;
pub mod sign_in;
mod sqlite;
pub mod tables;
pub mod transfer;
mod value;
pub mod view;
pub mod whistle;
mod writer;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use conn::{Database, Location, Role};

pub use backup::{Progress, restore};
pub use conn::Conn;
pub use counter::{Counter, Sum, Within, sums};
pub use error::{Error, Result};
pub use value::{Row, ToValue, Value};
pub use writer::Tx;

/// Commands that may wait to be written, and reads that may wait for a connection.
pub mod limits {
    pub use crate::readers::QUEUE_LIMIT as WAITING_READS;
    pub use crate::writer::QUEUE_LIMIT as WAITING_WRITES;
}

/// Which database.
#[derive(Clone, Debug)]
pub enum Target {
    /// SQLite, in a data directory.
    Directory(PathBuf),
    /// PostgreSQL, at an address such as `postgres://user@host/database`.
    Postgres(String),
}

impl From<&Path> for Target {
    fn from(dir: &Path) -> Self {
        Self::Directory(dir.to_owned())
    }
}

impl From<PathBuf> for Target {
    fn from(dir: PathBuf) -> Self {
        Self::Directory(dir)
    }
}

/// An open database. Cloning shares it; the last clone closes it.
#[derive(Clone)]
pub struct Store {
    open: Arc<Open>,
}

/// Dropped in this order: who closes the file last, the writer, tidies its log.
struct Open {
    readers: readers::Readers,
    writer: writer::Writer,
    database: Database,
    _claim: Option<dir::Claim>,
}

/// What the store is doing, for `/metrics`.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Writes accepted and not yet taken up.
    pub waiting_writes: usize,
    /// Group commits since opening, of which each changed something.
    pub commits: u64,
    /// Those of them that changed cases.
    pub commits_of_cases: u64,
    /// Those of them by which a case came to a list or left one, lists by when cases were changed left out.
    pub commits_of_lists: u64,
    /// Reads that are running or waiting.
    pub active_reads: usize,
    /// Statements the database was asked, those of transactions themselves left out.
    pub statements: u64,
    /// How many of these were asked by commands that write.
    pub statements_of_writes: u64,
}

impl Store {
    /// Opens a database, makes SQLite's with its directory if there is none, and brings the schema up to date; `now` is
    /// what the log of migrations will say. Other processes may have it open as well.
    ///
    /// Fails with [`Error::TooNew`] or [`Error::MigrationChanged`] for another program's schema, [`Error::Foreign`] or
    /// [`Error::Corrupt`] for a file that is no database of ours, [`Error::InUse`] while a backup is restored there,
    /// [`Error::Address`] or [`Error::Away`] for a server that cannot be used or does not answer, [`Error::HalfMoved`]
    /// while an install is moved there.
    pub fn open(target: impl Into<Target>, now: Timestamp) -> Result<Self> {
        let (database, claim) = reach(target.into(), dir::Claim::shared)?;
        let conn = database.open(Role::Writer)?;
        transfer::ensure_whole(&conn)?;
        migrate::migrate(&conn, migrate::MIGRATIONS, now)?;
        drop(conn);
        let writer = writer::Writer::open(&database)?;
        let readers = readers::Readers::open(&database)?;
        Ok(Self {
            open: Arc::new(Open {
                readers,
                writer,
                database,
                _claim: claim,
            }),
        })
    }

    /// Whether a database of ours is there. Makes nothing.
    pub fn is_at(target: &Target) -> Result<bool> {
        match target {
            Target::Directory(dir) => Ok(dir::database(dir).is_file()),
            Target::Postgres(url) => Database::postgres(postgres::Server::at(url)?)
                .open(Role::Reader)?
                .has_table("migration"),
        }
    }

    /// Runs `f` in a transaction and answers once it is on the disk.
    ///
    /// `f` shares the transaction with other commands: it sees what those before it did, and where it fails or panics
    /// its own changes alone are undone. It may be run more than once, so it must do nothing outside the transaction: where
    /// another command of its group fails, or another process was in the way, what it did is undone and it is run again.
    /// It is queued by this call, not by the first poll, in the order of the calls; dropping the future does not withdraw
    /// it. It runs on the writer's one thread: it must not wait for anything.
    ///
    /// Fails with `f`'s own error; with [`Error::Busy`] at once when [`limits::WAITING_WRITES`] are waiting; with what
    /// befell the transaction when nothing of it was committed; with [`Error::Unknown`] when nobody can tell.
    pub fn write<T, E, F>(&self, f: F) -> impl Future<Output = Result<T, E>> + Send + use<T, E, F>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.open.writer.write(f)
    }

    /// [`Store::write`] for threads that are not async; panics on one that is.
    pub fn write_blocking<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.open.writer.write_blocking(f)
    }

    /// Runs `f` on one unchanging state of the database, on a thread where it may take its time. It sees every write
    /// that was answered before. Fails with [`Error::Busy`] when [`limits::WAITING_READS`] are waiting already.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Conn) -> Result<T, E> + Send + 'static,
    {
        self.open.readers.read(f).await
    }

    /// [`Store::read`] on the caller's own thread where the database is on this machine, without the hand-over, and without
    /// a transaction where it is not: for one statement that finds a few rows by key, no more, since an async thread
    /// stands still meanwhile.
    pub async fn look_up<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Conn) -> Result<T, E> + Send + 'static,
    {
        self.open.readers.look_up(f).await
    }

    /// [`Store::read`] for threads that are not async.
    pub fn read_blocking<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        self.open.readers.read_blocking(f)
    }

    /// [`Store::read_blocking`] for what may take hours, on a connection of its own: an audit, a sum over everything.
    pub fn examine<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        self.open.database.open(Role::Examiner)?.snapshot(f)
    }

    /// Takes over into memory what other processes have written; to be called every second. Only this does: an import
    /// beside a server would have every write read all open cases again.
    pub fn keep_up(&self) -> Result<()> {
        match &self.open.database.location {
            Location::Sqlite(..) => self.write_blocking(|tx| {
                tx.catch_up();
                Ok(())
            }),
            Location::Postgres(_) => Ok(()),
        }
    }

    /// Writes one state of the database to the new file `to`, checks it, and blocks until that is on the disk. Work
    /// goes on meanwhile. Fails with [`Error::Exists`] rather than overwrite; `to` is there whole or not at all.
    pub fn backup(&self, to: &Path, progress: impl FnMut(Progress)) -> Result<()> {
        match &self.open.database.location {
            Location::Sqlite(file, _) => backup::backup(file, to, progress),
            Location::Postgres(_) => Err(Error::Elsewhere {
                what: "a backup",
                instead: "pg_dump or pg_basebackup",
            }),
        }
    }

    /// Checks the database file page by page. Fails with [`Error::Corrupt`]. PostgreSQL's files are for its own tools.
    pub fn check(&self) -> Result<()> {
        match &self.open.database.location {
            Location::Sqlite(file, _) => sqlite::verify(file),
            Location::Postgres(_) => Ok(()),
        }
    }

    /// What [`Store::distribute`] would run now, whether there is a Citus or not. Fails with [`Error::NotDistributable`]
    /// on SQLite.
    pub fn distribution(&self, shards: u32) -> Result<Vec<String>> {
        self.read_blocking(|conn| Ok(distribute::Catalogue::read(conn)?.statements(shards)))
    }

    /// Spreads jurisdictions over the machines of a Citus cluster, in so many shards, and calls `ran` after each
    /// statement. Answers all that was run: nothing where all is in its place. Nobody may write meanwhile. Fails with
    /// [`Error::NotDistributable`] where there is no Citus; run again after any other fault, it goes on.
    pub fn distribute(&self, shards: u32, ran: impl FnMut(&str)) -> Result<Vec<String>> {
        distribute::distribute(&self.open.database.open(Role::Writer)?, shards, ran)
    }

    /// Refused with [`Error::InUse`] while any process has a data directory open; for work that replaces what is in it
    /// and wants to know before it begins.
    pub fn claim_alone(dir: &Path) -> Result<()> {
        dir::Claim::alone(dir).map(drop)
    }

    /// Is told after each group commit of this process. Who asks the database then sees what was committed.
    pub fn committed(&self) -> tokio::sync::watch::Receiver<()> {
        self.open.writer.committed()
    }

    pub fn load(&self) -> Load {
        let database = &self.open.database;
        let statements_of_writes = database.statements_of_writers();
        Load {
            waiting_writes: self.open.writer.waiting(),
            commits: self.open.writer.commits(),
            commits_of_cases: self.open.writer.commits_of_cases(),
            commits_of_lists: self.open.writer.commits_of_lists(),
            active_reads: self.open.readers.active(),
            statements: database.statements_of_readers() + statements_of_writes,
            statements_of_writes,
        }
    }

    /// Accepts no more work, and blocks until what was accepted is done and on the disk. Every clone is closed.
    pub fn close(&self) {
        self.open.readers.close();
        self.open.writer.close();
    }
}

/// Where a database is reached, and of a directory the claim on it. SQLite's file is made if there is none.
fn reach(
    target: Target,
    claim: impl FnOnce(&Path) -> Result<dir::Claim>,
) -> Result<(Database, Option<dir::Claim>)> {
    match target {
        Target::Directory(dir) => {
            let claim = claim(&dir)?;
            let file = dir::database(&dir);
            dir::prepare(&file)?;
            Ok((Database::sqlite(file), Some(claim)))
        }
        Target::Postgres(url) => Ok((Database::postgres(postgres::Server::at(&url)?), None)),
    }
}
