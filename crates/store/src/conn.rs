//! One connection to a database, whichever backend it is. This is the only way the store speaks to one.
//!
//! Statements are written once for all backends: parameters are `$1`, `$2`, …, types are the portable ones.
//! A backend is a variant of [`Backend`] and a file of its own (`sqlite.rs`); nothing else tells them apart.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::open_cases::OpenCases;
use crate::sqlite;
use crate::value::{Row, Value};

/// A connection as a reader sees it: it asks, it does not change. Writers get a [`Tx`](crate::Tx), which can do both.
///
/// Every statement is prepared once per connection and kept, so its text should be constant, or one of few variants.
pub struct Conn {
    backend: Backend,
    /// Where open cases are found by what lists look for; none where the database has indexes for that.
    open_cases: Option<Arc<OpenCases>>,
}

enum Backend {
    Sqlite(rusqlite::Connection),
}

impl Conn {
    /// The same connection, with open cases found in memory.
    pub(crate) fn with_open_cases(self, open_cases: &Arc<OpenCases>) -> Self {
        Self {
            open_cases: Some(open_cases.clone()),
            ..self
        }
    }

    pub(crate) fn open_cases(&self) -> Option<&OpenCases> {
        self.open_cases.as_deref()
    }

    /// A number that differs once another connection has committed.
    pub(crate) fn data_version(&self) -> Result<i64> {
        match &self.backend {
            Backend::Sqlite(_) => self.row("PRAGMA data_version", &[], |row| row.int(0)),
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

    /// Row after row, none kept: for exports and for filling memory.
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

    fn visit(
        &self,
        sql: &str,
        params: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::visit(connection, sql, params, visit),
        }
    }

    /// Runs a statement that answers no rows; gives how many it changed.
    pub(crate) fn exec(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::exec(connection, sql, params),
        }
    }

    /// Runs schema text: several statements, in PostgreSQL's words.
    pub(crate) fn define(&self, sql: &str) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::define(connection, sql),
        }
    }

    pub(crate) fn has_table(&self, name: &str) -> Result<bool> {
        match &self.backend {
            Backend::Sqlite(connection) => sqlite::has_table(connection, name),
        }
    }

    /// Begins a transaction that will write; waits for another process that writes, at most
    /// [`sqlite::LOCK_WAIT`], then answers [`Error::Busy`].
    pub(crate) fn begin(&self) -> Result<()> {
        match &self.backend {
            Backend::Sqlite(_) => self.exec("BEGIN IMMEDIATE", &[]).map(drop),
        }
    }

    pub(crate) fn commit(&self) -> Result<()> {
        self.exec("COMMIT", &[]).map(drop)
    }

    /// Ends a transaction without its changes; none open is no fault, since a grave one may have ended it already.
    pub(crate) fn rollback(&self) -> Result<()> {
        if self.in_transaction() {
            self.exec("ROLLBACK", &[]).map(drop)
        } else {
            Ok(())
        }
    }

    pub(crate) fn in_transaction(&self) -> bool {
        match &self.backend {
            Backend::Sqlite(connection) => !connection.is_autocommit(),
        }
    }

    pub(crate) fn savepoint(&self) -> Result<()> {
        self.exec("SAVEPOINT command", &[]).map(drop)
    }

    pub(crate) fn release(&self) -> Result<()> {
        self.exec("RELEASE SAVEPOINT command", &[]).map(drop)
    }

    pub(crate) fn rollback_to_savepoint(&self) -> Result<()> {
        self.exec("ROLLBACK TO SAVEPOINT command", &[])?;
        self.release()
    }

    /// The driver's own connection, for what only one backend has.
    pub(crate) fn sqlite(&self) -> &rusqlite::Connection {
        let Backend::Sqlite(connection) = &self.backend;
        connection
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
            Backend::Sqlite(_) => self.exec("BEGIN DEFERRED", &[])?,
        };
        let _end = End(self);
        f(self)
    }
}

impl From<rusqlite::Connection> for Conn {
    fn from(connection: rusqlite::Connection) -> Self {
        Self {
            backend: Backend::Sqlite(connection),
            open_cases: None,
        }
    }
}
