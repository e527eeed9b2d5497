//! One connection to a database, whichever backend it is. This is the only way the store speaks to one.
//!
//! Statements are written once for all backends: parameters are `$1`, `$2`, …, types are the portable ones.
//! A backend is a variant of [`Backend`] and a file of its own (`sqlite.rs`, `postgres.rs`). What only one of them needs (the table of open
//! cases, the writers' marks) asks for it by name.

use std::cell::Cell;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use whistle_domain::words::JurisdictionId;

use crate::error::{Error, Result};
use crate::open_cases::OpenCases;
use crate::search::{Entry, Sought};
use crate::value::{Row, Value};
use crate::{postgres, sqlite};

/// A database: where it is, how connections to it are opened, and what they were asked.
#[derive(Clone)]
pub(crate) struct Database {
    pub location: Location,
    asked: Asked,
}

/// Statements that connections were asked, those of transactions themselves left out.
#[derive(Clone, Default)]
struct Asked {
    by_readers: Arc<AtomicU64>,
    by_writers: Arc<AtomicU64>,
}

#[derive(Clone)]
pub(crate) enum Location {
    /// The file, and what is kept in memory beside it.
    Sqlite(PathBuf, Arc<OpenCases>),
    Postgres(Arc<postgres::Server>),
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Makes SQLite's file when there is none.
    Writer,
    /// Cannot change anything.
    Reader,
    /// The same, for what may take hours: a move, an audit.
    Examiner,
}

impl Database {
    pub fn sqlite(file: PathBuf) -> Self {
        Location::Sqlite(file, Arc::default()).into()
    }

    pub fn postgres(server: postgres::Server) -> Self {
        Location::Postgres(Arc::new(server)).into()
    }

    /// Opens a connection. It may be used by any thread, also an async one.
    pub fn open(&self, role: Role) -> Result<Conn> {
        let conn = match &self.location {
            Location::Sqlite(path, open_cases) => Conn {
                open_cases: Some(open_cases.clone()),
                ..sqlite::open(path, role)?.into()
            },
            Location::Postgres(server) => Conn::new(Backend::Postgres(Box::new(server.connect(role)?))),
        };
        Ok(self.counted(conn, role))
    }

    /// Opens the connection of the thread that writes, and does nothing but that.
    pub fn open_writer(&self) -> Result<Conn> {
        match &self.location {
            Location::Sqlite(..) => self.open(Role::Writer),
            Location::Postgres(server) => {
                let connection = Box::new(server.connect_writer()?);
                Ok(self.counted(Conn::new(Backend::Postgres(connection)), Role::Writer))
            }
        }
    }

    fn counted(&self, conn: Conn, role: Role) -> Conn {
        let asked = match role {
            Role::Reader | Role::Examiner => &self.asked.by_readers,
            Role::Writer => &self.asked.by_writers,
        };
        Conn {
            statements: asked.clone(),
            ..conn
        }
    }

    /// Whether an answer comes over a network, so that who waits for it holds up a thread.
    pub fn is_remote(&self) -> bool {
        matches!(self.location, Location::Postgres(_))
    }

    /// Statements that connections which only read were asked, those of transactions themselves left out.
    pub fn statements_of_readers(&self) -> u64 {
        self.asked.by_readers.load(Ordering::Relaxed)
    }

    /// The same of those that write.
    pub fn statements_of_writers(&self) -> u64 {
        self.asked.by_writers.load(Ordering::Relaxed)
    }
}

impl From<Location> for Database {
    fn from(location: Location) -> Self {
        Self {
            location,
            asked: Asked::default(),
        }
    }
}

/// A connection as a reader sees it: it asks, it does not change. Writers get a [`Tx`](crate::Tx), which can do both.
///
/// Every statement is prepared once per connection and kept, so its text should be constant, or one of few variants.
pub struct Conn {
    backend: Backend,
    /// Whether something was changed, or may have been, since it was last asked.
    touched: Cell<bool>,
    /// Where open cases are found by what lists look for; none where the database has indexes for that.
    open_cases: Option<Arc<OpenCases>>,
    /// Shared by the connections of a [`Database`] that do the same.
    statements: Arc<AtomicU64>,
    /// How many of these were its own.
    asked: Cell<u64>,
    /// Whether a statement found the disk full, which on SQLite may end the whole transaction.
    met_full_disk: Cell<bool>,
}

enum Backend {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Connection>),
}

impl Conn {
    fn new(backend: Backend) -> Self {
        Self {
            backend,
            touched: Cell::new(false),
            open_cases: None,
            statements: Arc::default(),
            asked: Cell::new(0),
            met_full_disk: Cell::new(false),
        }
    }

    fn count_statement(&self) {
        self.statements.fetch_add(1, Ordering::Relaxed);
        self.asked.update(|asked| asked + 1);
    }

    pub(crate) fn open_cases(&self) -> Option<&OpenCases> {
        self.open_cases.as_deref()
    }

    /// A number that differs once another connection has committed; for what is kept in memory beside SQLite.
    pub(crate) fn data_version(&self) -> Result<i64> {
        match &self.backend {
            Backend::Sqlite(_) => self.row("PRAGMA data_version", &[], |row| row.int(0)),
            Backend::Postgres(_) => Ok(0),
        }
    }

    /// All rows of an answer, each turned into a `T`. The statement bounds how many (`LIMIT`), not this.
    pub fn rows<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        self.visit(sql, params, &mut |row| {
            rows.push(map(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows)
    }

    /// Row after row, none kept: for exports and for filling memory. `visit` must ask nothing of this connection.
    pub fn each(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut visit: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        self.visit(sql, params, &mut |row| visit(row).map(ControlFlow::Continue))
    }

    /// The first row, if there is one.
    pub fn row_optional<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        mut map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        let mut first = None;
        self.visit(sql, params, &mut |row| {
            first = Some(map(row)?);
            Ok(ControlFlow::Break(()))
        })?;
        Ok(first)
    }

    /// The first row of an answer that always has one: a count, a `RETURNING`. None is [`Error::NoRow`].
    pub fn row<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.row_optional(sql, params, map)?.ok_or_else(|| Error::NoRow {
            statement: sql.to_owned(),
        })
    }

    /// [`Conn::row_optional`], locked until the transaction ends.
    pub(crate) fn row_to_change<T>(
        &self,
        sql: &str,
        params: &[Value<'_>],
        map: impl FnMut(&Row<'_>) -> Result<T>,
    ) -> Result<Option<T>> {
        match &self.backend {
            // A transaction that writes has the whole database to itself.
            Backend::Sqlite(_) => self.row_optional(sql, params, map),
            Backend::Postgres(_) => self.row_optional(&format!("{sql} FOR UPDATE"), params, map),
        }
    }

    fn visit(
        &self,
        sql: &str,
        params: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        ensure_keepable(params)?;
        self.count_statement();
        if !sql.starts_with("SELECT") {
            self.touched.set(true);
        }
        let visited = match &self.backend {
            Backend::Sqlite(connection) => self.note(sqlite::visit(connection, sql, params, visit)),
            Backend::Postgres(connection) => connection.visit(sql, params, visit),
        };
        if visited.is_err() {
            // PostgreSQL lets nothing more happen in a transaction in which a statement failed.
            self.touched.set(true);
        }
        visited
    }

    /// Runs a statement that answers no rows; gives how many it changed.
    pub(crate) fn exec(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        ensure_keepable(params)?;
        self.count_statement();
        self.touched.set(true);
        match &self.backend {
            Backend::Sqlite(connection) => self.note(sqlite::exec(connection, sql, params)),
            Backend::Postgres(connection) => connection.exec(sql, params),
        }
    }

    /// Keeps in mind that the disk is full.
    fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        if matches!(outcome, Err(Error::DiskFull)) {
            self.met_full_disk.set(true);
        }
        outcome
    }

    /// Runs a statement whose answer nobody waits for. Where it fails, or does not change one row though it
    /// `must_change_one`, that is told now or by a later call, at the latest by [`Conn::flush`].
    pub(crate) fn queue(
        &self,
        sql: &str,
        params: &[Value<'_>],
        must_change_one: Option<Error>,
    ) -> Result<()> {
        ensure_keepable(params)?;
        self.count_statement();
        self.touched.set(true);
        match &self.backend {
            Backend::Sqlite(connection) => {
                let changed = self.note(sqlite::exec(connection, sql, params))?;
                must_change_one.filter(|_| changed != 1).map_or(Ok(()), Err)
            }
            Backend::Postgres(connection) => connection.queue(sql, params, must_change_one),
        }
    }

    /// [`Conn::queue`] for `INSERT … VALUES ($1, …)`, its parameters in their order. Rows that are put one after the other,
    /// with whatever texts, may be sent together: none must meet a row that another one puts.
    pub(crate) fn put(&self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        debug_assert!(is_of_rows(sql, params.len()), "no INSERT of rows: {sql}");
        match &self.backend {
            Backend::Sqlite(_) => self.queue(sql, params, None),
            Backend::Postgres(connection) => {
                ensure_keepable(params)?;
                self.count_statement();
                self.touched.set(true);
                connection.put(sql, params)
            }
        }
    }

    /// Waits until all that was queued is done. Fails with the first that failed.
    pub(crate) fn flush(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(connection) => connection.flush(),
        }
    }

    /// Runs schema text: several statements, in PostgreSQL's words.
    pub(crate) fn define(&self, sql: &str) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::define(connection, sql),
            Backend::Postgres(connection) => connection.define(sql),
        }
    }

    pub(crate) fn has_table(&self, name: &str) -> Result<bool> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::has_table(connection, name),
            Backend::Postgres(connection) => connection.has_table(name),
        }
    }

    /// The columns of a table, in their order.
    pub(crate) fn columns(&self, table: &str) -> Result<Vec<Column>> {
        let sql = match &self.backend {
            Backend::Sqlite(_) => sqlite::COLUMNS,
            Backend::Postgres(_) => postgres::COLUMNS,
        };
        self.rows(sql, &[Value::Text(table)], |row| {
            Ok(Column {
                name: row.text(0)?.to_owned(),
                kind: row.text(1)?.to_owned(),
                key_place: row.int(2)?,
            })
        })
    }

    // ---- the index of words -------------------------------------------------------------------------------------

    /// Puts the words of a case in place of those that the index has of it, unless these are of a later version.
    pub(crate) fn index(&self, entry: &Entry) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(_) => sqlite::index(self, entry),
            Backend::Postgres(_) => postgres::index(self, entry),
        }
    }

    /// The numbers of the newest cases that have what is sought, newest first.
    pub(crate) fn indexed(&self, sought: &Sought<'_>, most: usize) -> Result<Vec<i64>> {
        match &self.backend {
            Backend::Sqlite(_) => sqlite::indexed(self, sought, most),
            Backend::Postgres(_) => postgres::indexed(self, sought, most),
        }
    }

    /// How the words of the entry `s` are read, and the first letter of those that are not the case's.
    pub(crate) fn words_column(&self) -> (&'static str, Option<char>) {
        match &self.backend {
            Backend::Sqlite(_) => (sqlite::WORDS, None),
            Backend::Postgres(_) => (postgres::WORDS, Some(postgres::BLOCK)),
        }
    }

    /// Empties what the index keeps apart from its entries, of all jurisdictions.
    pub(crate) fn clear_index(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(_) => sqlite::clear_index(self),
            Backend::Postgres(_) => Ok(()),
        }
    }

    /// Calls `found` with each word in what the index keeps apart from its entries, and the number of its case. Answers
    /// whether it does so.
    pub(crate) fn each_indexed(
        &self,
        jurisdiction: JurisdictionId,
        found: impl FnMut(i64, &str),
    ) -> Result<bool> {
        match &self.backend {
            Backend::Sqlite(_) => sqlite::each_indexed(self, jurisdiction, found).map(|()| true),
            Backend::Postgres(_) => Ok(false),
        }
    }

    // ---- transactions -------------------------------------------------------------------------------------------

    /// Begins a transaction that will write. SQLite waits for another process that writes, at most
    /// [`sqlite::LOCK_WAIT`], then answers [`Error::Busy`].
    pub(crate) fn begin(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::exec(connection, "BEGIN IMMEDIATE", &[]).map(drop),
            Backend::Postgres(connection) => {
                connection.begin("BEGIN");
                Ok(())
            }
        }
    }

    /// [`Conn::begin`] for a change of the schema: no other process changes it meanwhile.
    pub(crate) fn begin_alone(&self) -> Result<()> {
        self.begin()?;
        match &self.backend {
            Backend::Sqlite(_) => Ok(()),
            Backend::Postgres(connection) => connection.lock_schema(),
        }
    }

    pub(crate) fn commit(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::exec(connection, "COMMIT", &[]).map(drop),
            Backend::Postgres(connection) => connection.commit(),
        }
    }

    /// Ends a transaction without its changes; none open is no fault, since a grave one may have ended it already.
    pub(crate) fn rollback(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Backend::Sqlite(connection) => sqlite::exec(connection, "ROLLBACK", &[]).map(drop),
            Backend::Postgres(connection) => connection.rollback(),
        }
    }

    pub(crate) fn in_transaction(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(connection) => !connection.is_autocommit(),
            Backend::Postgres(connection) => connection.in_transaction(),
        }
    }

    pub(crate) fn savepoint(&self) -> Result<()> {
        self.words("SAVEPOINT command")
    }

    pub(crate) fn release(&self) -> Result<()> {
        self.words("RELEASE SAVEPOINT command")
    }

    pub(crate) fn rollback_to_savepoint(&self) -> Result<()> {
        self.words("ROLLBACK TO SAVEPOINT command")?;
        self.release()
    }

    fn words(&self, sql: &'static str) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::exec(connection, sql, &[]).map(drop),
            Backend::Postgres(connection) => {
                connection.queue_words(sql);
                Ok(())
            }
        }
    }

    /// Whether something was changed, or may have been, since this was last asked.
    pub(crate) fn take_touched(&self) -> bool {
        self.touched.take()
    }

    /// What befell the transaction as a whole, where it was not the fault of the statement that met it.
    pub(crate) fn take_trouble(&self) -> Option<Error> {
        match &self.backend {
            Backend::Sqlite(connection) => {
                let full = self.met_full_disk.take();
                connection
                    .is_autocommit()
                    .then_some(if full { Error::DiskFull } else { Error::RolledBack })
            }
            Backend::Postgres(connection) => connection.take_trouble(),
        }
    }

    /// Whether a transaction that failed with this may well succeed when it is run once more.
    pub(crate) fn is_passing(&self, error: &Error) -> bool {
        match &self.backend {
            // SQLite has waited already before it says that it is busy.
            Backend::Sqlite(_) => false,
            Backend::Postgres(_) => matches!(error, Error::Away { .. } | Error::Busy { .. }),
        }
    }

    // ---- what only one backend has ------------------------------------------------------------------------------

    /// The driver's own connection, if it is SQLite's.
    pub(crate) fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match &self.backend {
            Backend::Sqlite(connection) => Some(connection),
            Backend::Postgres(_) => None,
        }
    }

    /// [`Conn::sqlite`], to set it up.
    pub(crate) fn sqlite_mut(&mut self) -> Option<&mut rusqlite::Connection> {
        match &mut self.backend {
            Backend::Sqlite(connection) => Some(connection),
            Backend::Postgres(_) => None,
        }
    }

    /// PostgreSQL's, if it is that.
    pub(crate) fn postgres(&self) -> Option<&postgres::Connection> {
        match &self.backend {
            Backend::Sqlite(_) => None,
            Backend::Postgres(connection) => Some(connection),
        }
    }

    /// Whether it can be used no more.
    pub(crate) fn is_lost(&self) -> bool {
        self.postgres().is_some_and(postgres::Connection::is_lost)
    }

    /// Which of the rows that processes share out among them are this one's. See `counter.rs`.
    pub(crate) fn slot(&self) -> i64 {
        self.postgres().map_or(0, postgres::Connection::slot)
    }

    /// Runs `f`, which asks one statement: it sees one state by itself, and over a network goes without a transaction.
    pub(crate) fn single<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        let Backend::Postgres(connection) = &self.backend else {
            // Statements cost no way here, and who looks into memory asks for rows in rounds.
            return self.snapshot(f);
        };
        connection.begin_anew();
        let before = self.asked.get();
        let outcome = f(self);
        debug_assert!(
            self.asked.get() <= before + 1,
            "more than one statement, which may see two states"
        );
        outcome
    }

    /// Runs `f` on one unchanging view of the database.
    pub(crate) fn snapshot<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        struct End<'c>(&'c Conn);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                if let Err(error) = self.0.rollback() {
                    tracing::error!(%error, "a read transaction would not end");
                }
            }
        }
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::exec(connection, "BEGIN DEFERRED", &[]).map(drop)?,
            Backend::Postgres(connection) => {
                connection.begin("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
            }
        }
        let _end = End(self);
        f(self)
    }
}

/// A column of a table.
pub(crate) struct Column {
    pub name: String,
    /// Its type in the backend's own word.
    pub kind: String,
    /// Its place in the primary key, from 1; 0 for one that is not in it.
    pub key_place: i64,
}

fn ensure_keepable(params: &[Value<'_>]) -> Result<()> {
    let has_nul = |value: &Value<'_>| matches!(value, Value::Text(text) if text.contains('\0'));
    if params.iter().any(has_nul) {
        return Err(Error::Nul);
    }
    Ok(())
}

impl From<rusqlite::Connection> for Conn {
    fn from(connection: rusqlite::Connection) -> Self {
        Self::new(Backend::Sqlite(connection))
    }
}

/// Whether a text says `INSERT … VALUES ($1, …, $n)`, all in their order, and none of them elsewhere.
fn is_of_rows(sql: &str, width: usize) -> bool {
    let Some((head, (values, tail))) = sql
        .split_once("VALUES (")
        .and_then(|(head, rest)| Some((head, rest.split_once(')')?)))
    else {
        return false;
    };
    let numbered = (1..=width).map(|place| format!("${place}"));
    !head.contains('$') && !tail.contains('$') && values.split(',').map(str::trim).eq(numbered)
}
