//! What can go wrong below the service: one enum for every backend.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure of the store. Cheap to clone: when a group commit fails, every command of the group is told.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// A bounded queue is full or a lock was not had in time. Nothing was changed; try again.
    #[error("the store is busy ({what}); try again in {} s", retry_after.as_secs())]
    Busy {
        what: &'static str,
        retry_after: Duration,
    },

    /// The database does not answer, and what was asked of it did not happen. It is looked for again by itself.
    #[error("the database is away ({detail})")]
    Away { detail: String },

    /// The database was lost while it committed and did not come back in time: the command may stand or not. Who sends
    /// it again under the same idempotency key learns which.
    #[error("the database was lost during a commit; whether it was kept is not known yet")]
    Unknown,

    /// The address of a database is none, or names one that cannot be used.
    #[error("the address of the database: {what}")]
    Address { what: String },

    /// PostgreSQL has its own tools for this.
    #[error("{what} is not done by Whistle on PostgreSQL; use {instead}")]
    Elsewhere {
        what: &'static str,
        instead: &'static str,
    },

    /// Jurisdictions cannot be spread over machines here.
    #[error("the tables are not distributed: {why}")]
    NotDistributable { why: String },

    /// An install is moved only into a database that holds nothing else.
    #[error("nothing can be moved into this database: {why}; name an empty one")]
    Taken { why: String },

    #[error(
        "an install is being moved into this database and is not whole yet; run the same `whistle migrate` again, or empty the database"
    )]
    HalfMoved,

    /// Two databases that should hold the same do not.
    #[error(
        "the table {table} is not the same on both sides ({here} rows where it came from, {there} where it went); empty the target and move again"
    )]
    Differs {
        table: &'static str,
        here: u64,
        there: u64,
    },

    /// A uniqueness rule of the schema refused the row. `rule` is the backend's own wording: for people, not for code.
    #[error("there is such a row already: {rule}")]
    Conflict { rule: String },

    /// The case changed between being read and being written. Read it again, decide again.
    #[error("case {number} changed meanwhile")]
    Stale { number: i64 },

    /// Another process looks after this duty by now; what was done for it here was undone.
    #[error("another process has taken over the duty {name}")]
    Fenced { name: &'static str },

    /// The events do not fold to a case.
    #[error("case {number}: {what}")]
    Log { number: i64, what: String },

    /// A photo that the events name was never used and is being removed.
    #[error("photo {id} was kept too long without a case; send it again")]
    PhotoGone { id: String },

    /// A query that always has one row had none.
    #[error("no row, where one was expected, from: {statement}")]
    NoRow { statement: String },

    /// A column does not hold what its reader expects. Either the query or the stored row is wrong.
    #[error("column {column}: expected {wanted}, found {found}")]
    Column {
        column: String,
        wanted: &'static str,
        found: String,
    },

    /// A statement and its parameters do not fit together.
    #[error("the statement does not use exactly the {given} parameters given to it: {statement}")]
    Parameters { given: usize, statement: String },

    /// PostgreSQL keeps no text with this character, so neither database is given one.
    #[error("a text has the character U+0000, which cannot be kept")]
    Nul,

    /// The database refused or failed a statement for a reason that has no variant of its own.
    #[error("{source}; in: {statement}")]
    Sql {
        statement: String,
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },

    /// The whole transaction was undone because another command in it met a fault of the disk or the database.
    #[error("the transaction was undone before its commit")]
    RolledBack,

    /// A closure panicked. Its changes are undone.
    #[error("a command of the store panicked: {message}")]
    Panicked { message: String },

    #[error("the disk is full")]
    DiskFull,

    #[error("{}: {detail}; restore a backup with `whistle restore`", path.display())]
    Corrupt { path: PathBuf, detail: String },

    #[error("{} is no Whistle database", path.display())]
    Foreign { path: PathBuf },

    #[error(
        "the database has schema version {found}, which this program cannot use: it knows up to {known}; use a newer whistle, or restore a backup made with this one"
    )]
    TooNew { found: i64, known: i64 },

    #[error(
        "migration {version} ({name}) was applied with another text than this program has; use the program that made the database, or restore a backup"
    )]
    MigrationChanged { version: i64, name: String },

    #[error("{} is in use by another whistle process; stop it first", dir.display())]
    InUse { dir: PathBuf },

    #[error("{} is there already; it is never overwritten unasked", path.display())]
    Exists { path: PathBuf },

    #[error("{}: {source}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: Arc<std::io::Error>,
    },

    /// The store was closed, and the command not accepted; or the writer died of a fault of its own, which is logged.
    #[error("the store is closed")]
    Closed,
}

impl Error {
    /// When who meets this should come again, if it passes by itself.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Busy { retry_after, .. } => Some(*retry_after),
            Self::Away { .. } | Self::Unknown => Some(Duration::from_secs(2)),
            _ => None,
        }
    }

    pub(crate) fn io(path: &Path, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source: Arc::new(source),
        }
    }

    /// From what `catch_unwind` or a joined thread gives back.
    pub(crate) fn panicked(payload: &(dyn std::any::Any + Send)) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".to_owned());
        Self::Panicked { message }
    }
}
