//! All that is SQLite's own: how it is opened, spoken to, checkpointed and copied.
//!
//! Another process may write to the same file at any time (`whistle key add` beside `whistle serve`): SQLite's locks
//! keep the two apart, each waits for the other's transaction, and nothing in memory may assume to be alone.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::wal::CheckpointMode;
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags, ToSql, ffi};

use whistle_domain::search::Term;
use whistle_domain::words::JurisdictionId;

use crate::conn::{Conn, Role};
use crate::error::{Error, Result};
use crate::params;
use crate::search::{Entry, Sought};
use crate::value::{Row, RowSource, Value};

/// How long a transaction waits for one of another process before it is refused.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Marks a file as ours in its header, for `file(1)` and against mistakes: "WHIS".
const APPLICATION_ID: i64 = 0x5748_4953;

/// Prepared statements kept per connection: more than the whole program has.
const STATEMENTS_KEPT: usize = 512;

/// Page cache of the writer, in KiB: holds the upper levels of every index of a city's cases. Not more: SQLite walks the
/// cache's table in a commit after pages were split.
const WRITER_CACHE_KIB: u32 = 16 * 1024;

/// Page cache of one reader, in KiB. The file is not mapped into memory: that read a tenth faster when measured, and
/// makes a fault of the disk end the process instead of the query.
const READER_CACHE_KIB: u32 = 16 * 1024;

/// A log that grew under one long reader is cut back to this, in bytes. Below it the file keeps its length,
/// because overwriting is faster than appending.
const LOG_BYTES_KEPT: i64 = 256 << 20;

/// Asks for the columns of a table: name, type, place in the key.
pub(crate) const COLUMNS: &str = "SELECT name, type, pk
     FROM pragma_table_info($1)
     ORDER BY cid";

/// Pages copied between two calls of a copy's progress: 4 MiB.
const PAGES_PER_STEP: i32 = 1024;

/// Opens the database file.
pub(crate) fn open(path: &Path, role: Role) -> Result<Connection> {
    let access = match role {
        Role::Writer => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        Role::Reader | Role::Examiner => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    let connection = Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(|error| fault(path, error))?;
    configure(&connection, path, role).map_err(|error| fault(path, error))?;
    if role == Role::Writer {
        claim(&connection, path)?;
        begin_log(&connection).map_err(|error| fault(path, error))?;
    }
    Ok(connection)
}

fn configure(connection: &Connection, path: &Path, role: Role) -> rusqlite::Result<()> {
    connection.busy_timeout(LOCK_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // A word in double quotes is a name, never a text by mistake; as in PostgreSQL.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    match role {
        Role::Writer => {
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.pragma_update(None, "cache_size", -i64::from(WRITER_CACHE_KIB))?;
            // Checkpoints are ours (checkpoint.rs): SQLite's own would run inside somebody's commit.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT)?;
            // What is erased must not stay in the file's free space. Always, not for erasures alone: each change of a case frees
            // its former row, which no later erasure finds. Measured, it costs 0.1 % more bytes of log and microseconds.
            connection.pragma_update(None, "secure_delete", "ON")?;
        }
        Role::Reader | Role::Examiner => {
            connection.pragma_update(None, "cache_size", -i64::from(READER_CACHE_KIB))?;
        }
    }
    // The first touch of the file, where one that is no database shows.
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    tracing::debug!(path = %path.display(), "opened");
    Ok(())
}

/// Marks an empty database as ours; refuses one that is somebody else's.
fn claim(connection: &Connection, path: &Path) -> Result<()> {
    match application_id(connection).map_err(|error| fault(path, error))? {
        Owner::Whistle => Ok(()),
        Owner::Nobody => connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(|error| fault(path, error)),
        Owner::Other => Err(Error::Foreign {
            path: path.to_owned(),
        }),
    }
}

/// Refuses a file that is no database of ours, an empty one too.
pub(crate) fn require_ours(connection: &Connection, path: &Path) -> Result<()> {
    match application_id(connection).map_err(|error| fault(path, error))? {
        Owner::Whistle => Ok(()),
        Owner::Nobody | Owner::Other => Err(Error::Foreign {
            path: path.to_owned(),
        }),
    }
}

enum Owner {
    Whistle,
    Nobody,
    Other,
}

fn application_id(connection: &Connection) -> rusqlite::Result<Owner> {
    let id: i64 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let empty: bool = connection.query_row("SELECT count(*) = 0 FROM sqlite_master", [], |row| row.get(0))?;
    Ok(match id {
        APPLICATION_ID => Owner::Whistle,
        0 if empty => Owner::Nobody,
        _ => Owner::Other,
    })
}

/// Turns write-ahead logging on. Two processes that make the same database at once may be in each other's way here,
/// and this is the one lock that SQLite does not wait for.
fn begin_log(connection: &Connection) -> rusqlite::Result<()> {
    let give_up = std::time::Instant::now() + LOCK_WAIT;
    loop {
        match connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get::<_, String>(0)) {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                let why = format!("this file system allows no write-ahead log (SQLite stays with {mode})");
                return Err(rusqlite::Error::SqliteFailure(
                    ffi::Error::new(ffi::SQLITE_CANTOPEN),
                    Some(why),
                ));
            }
            Err(error) if is_busy(&error) && std::time::Instant::now() < give_up => std::thread::yield_now(),
            Err(error) => return Err(error),
        }
    }
}

// ---- statements -------------------------------------------------------------------------------------------------

pub(crate) fn exec(connection: &Connection, sql: &str, params: &[Value<'_>]) -> Result<u64> {
    let mut statement = prepare(connection, sql, params)?;
    let changed = statement.raw_execute().map_err(|error| fault_in(sql, error))?;
    Ok(changed as u64)
}

pub(crate) fn visit(
    connection: &Connection,
    sql: &str,
    params: &[Value<'_>],
    visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
) -> Result<()> {
    let mut statement = prepare(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(|error| fault_in(sql, error))? {
        if visit(&Row {
            source: RowSource::Sqlite(row),
        })?
        .is_break()
        {
            break;
        }
    }
    Ok(())
}

/// A statement with its parameters. SQLite takes `$2` for a name and numbers names as they come, so each is asked
/// which of our parameters it wants.
fn prepare<'c>(connection: &'c Connection, sql: &str, params: &[Value<'_>]) -> Result<CachedStatement<'c>> {
    let mut statement = connection
        .prepare_cached(sql)
        .map_err(|error| fault_in(sql, error))?;
    let unfit = || Error::Parameters {
        given: params.len(),
        statement: sql.to_owned(),
    };
    if statement.parameter_count() != params.len() {
        return Err(unfit());
    }
    for index in 1..=params.len() {
        let param = statement
            .parameter_name(index)
            .and_then(|name| name.strip_prefix('$')?.parse::<usize>().ok())
            .and_then(|number| params.get(number.checked_sub(1)?))
            .ok_or_else(unfit)?;
        statement
            .raw_bind_parameter(index, param)
            .map_err(|error| fault_in(sql, error))?;
    }
    Ok(statement)
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Int(it) => ValueRef::Integer(it),
            Value::Real(it) => ValueRef::Real(it),
            Value::Text(it) => ValueRef::Text(it.as_bytes()),
            Value::Bytes(it) => ValueRef::Blob(it),
            Value::Bool(it) => ValueRef::Integer(i64::from(it)),
        }))
    }
}

pub(crate) fn value<'r>(row: &'r rusqlite::Row<'r>, column: usize) -> Result<Value<'r>> {
    let wrong = |found: String| Error::Column {
        column: column_name(row, column),
        wanted: "a value",
        found,
    };
    Ok(
        match row.get_ref(column).map_err(|error| wrong(error.to_string()))? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(it) => Value::Int(it),
            ValueRef::Real(it) => Value::Real(it),
            ValueRef::Text(it) => Value::Text(str::from_utf8(it).map_err(|error| wrong(error.to_string()))?),
            ValueRef::Blob(it) => Value::Bytes(it),
        },
    )
}

/// The name of a column for a message; its number when it has none.
pub(crate) fn column_name(row: &rusqlite::Row<'_>, column: usize) -> String {
    row.as_ref()
        .column_name(column)
        .map_or_else(|_| column.to_string(), str::to_owned)
}

pub(crate) fn define(connection: &Connection, sql: &str) -> Result<()> {
    connection
        .execute_batch(&translate(sql))
        .map_err(|error| fault_in(sql, error))
}

pub(crate) fn has_table(connection: &Connection, name: &str) -> Result<bool> {
    let sql = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = $1";
    connection
        .query_row(sql, [name], |row| row.get(0))
        .map_err(|error| fault_in(sql, error))
}

/// PostgreSQL's words in a migration that SQLite's strict tables spell otherwise. A comment
/// `/* sqlite: STRICT, WITHOUT ROWID */` becomes text for SQLite alone; a line that begins with `/* not sqlite */` is left out.
fn translate(sql: &str) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("TSVECTOR", "TEXT"),
        ("DOUBLE PRECISION", "REAL"),
        ("BIGINT", "INTEGER"),
        ("BOOLEAN", "INTEGER"),
        ("BYTEA", "BLOB"),
    ];
    let mut text: String = sql
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("/* not sqlite */"))
        .collect();
    for (theirs, ours) in WORDS {
        text = text.replace(theirs, ours);
    }
    while let Some((before, rest)) = text.split_once("/* sqlite:") {
        let Some((inside, after)) = rest.split_once("*/") else {
            break;
        };
        text = format!("{before}{}{after}", inside.trim());
    }
    text
}

// ---- the index of words -----------------------------------------------------------------------------------------

/// Bits of a row's id in the index that hold the number of the case; those above hold the jurisdiction. So the ids of a
/// jurisdiction are one range, in the order of its cases.
const NUMBER_BITS: u32 = 40;

const fn row_id(jurisdiction: JurisdictionId, number: i64) -> i64 {
    (jurisdiction.0 << NUMBER_BITS) + number
}

/// How the words of an entry are read.
pub(crate) const WORDS: &str = "s.words";

/// See [`Conn::index`]. The index keeps no text, so it is told which words go, and which come: a case that was only closed costs
/// two words.
pub(crate) fn index(conn: &Conn, entry: &Entry) -> Result<()> {
    let (id, number) = (entry.jurisdiction.0, entry.number.0);
    let before = conn.row_optional(
        "SELECT version, words
         FROM case_search
         WHERE jurisdiction_id = $1 AND number = $2",
        params![id, number],
        |row| Ok((row.int(0)?, row.text(1)?.to_owned())),
    )?;
    let (version, before) = before.unwrap_or_default();
    if version > i64::from(entry.version) {
        return Ok(());
    }
    let had: BTreeSet<&str> = before.split_ascii_whitespace().collect();
    let has: BTreeSet<&str> = entry.words.iter().map(String::as_str).collect();
    let joined = |words: Vec<&str>| words.join(" ");
    let gone = joined(had.difference(&has).copied().collect());
    let new = joined(has.difference(&had).copied().collect());
    let row = row_id(entry.jurisdiction, number);
    if !gone.is_empty() {
        conn.exec(
            "INSERT INTO case_word (case_word, rowid, words)
             VALUES ('delete', $1, $2)",
            params![row, gone],
        )?;
    }
    // Also where nothing is new: the index counts what was put in and what was taken out.
    if !gone.is_empty() || !new.is_empty() {
        conn.exec(
            "INSERT INTO case_word (rowid, words)
             VALUES ($1, $2)",
            params![row, new],
        )?;
    }
    conn.exec(
        "INSERT INTO case_search (jurisdiction_id, number, version, words)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (jurisdiction_id, number) DO UPDATE
         SET version = excluded.version, words = excluded.words",
        params![id, number, entry.version, joined(has.into_iter().collect())],
    )?;
    Ok(())
}

/// Numbers of cases along the index, which stops as soon as it has enough.
pub(crate) const INDEXED: &str = "SELECT rowid
     FROM case_word
     WHERE case_word MATCH $1 AND rowid BETWEEN $2 AND $3
     ORDER BY rowid DESC
     LIMIT $4";

/// See [`Conn::indexed`].
pub(crate) fn indexed(conn: &Conn, sought: &Sought<'_>, most: usize) -> Result<Vec<i64>> {
    let first = row_id(sought.jurisdiction, 0);
    let last = sought.below.min(1 << NUMBER_BITS) - 1;
    conn.rows(
        INDEXED,
        params![
            match_words(sought.terms),
            first,
            row_id(sought.jurisdiction, last),
            most as i64
        ],
        |row| Ok(row.int(0)? - first),
    )
}

/// What is looked for, in the language of the index: each word in quotation marks.
fn match_words(terms: &[Vec<Term>]) -> String {
    let term = |term: &Term| {
        let word = term.word.replace('"', "\"\"");
        format!("\"{word}\"{}", if term.is_prefix { " *" } else { "" })
    };
    let either = |terms: &Vec<Term>| {
        let all: Vec<String> = terms.iter().map(term).collect();
        format!("({})", all.join(" OR "))
    };
    let all: Vec<String> = terms.iter().map(either).collect();
    all.join(" AND ")
}

/// Empties the index, of all jurisdictions.
pub(crate) fn clear_index(conn: &Conn) -> Result<()> {
    conn.exec(
        "INSERT INTO case_word (case_word)
         VALUES ('delete-all')",
        params![],
    )?;
    Ok(())
}

/// Calls `found` with each word in the index and the number of a case of this jurisdiction that it leads to.
pub(crate) fn each_indexed(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    mut found: impl FnMut(i64, &str),
) -> Result<()> {
    conn.define(
        "CREATE VIRTUAL TABLE IF NOT EXISTS temp.case_word_instance USING fts5vocab (main, case_word, instance)",
    )?;
    let first = row_id(jurisdiction, 0);
    conn.each(
        "SELECT doc, term
         FROM temp.case_word_instance",
        params![],
        |row| {
            let number = row.int(0)? - first;
            if (0..1 << NUMBER_BITS).contains(&number) {
                found(number, row.text(1)?);
            }
            Ok(())
        },
    )
}

// ---- faults -----------------------------------------------------------------------------------------------------

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn fault_in(sql: &str, error: rusqlite::Error) -> Error {
    use rusqlite::Error::SqliteFailure;
    match &error {
        _ if is_busy(&error) => Error::Busy {
            what: "another process is writing",
            retry_after: LOCK_WAIT,
        },
        SqliteFailure(code, message)
            if matches!(
                code.extended_code,
                ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY
            ) =>
        {
            Error::Conflict {
                rule: message.clone().unwrap_or_else(|| code.to_string()),
            }
        }
        SqliteFailure(code, _) if code.code == ErrorCode::DiskFull => Error::DiskFull,
        _ => Error::Sql {
            statement: sql.to_owned(),
            source: Arc::new(error),
        },
    }
}

/// A fault of the file as a whole.
fn fault(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => Error::Corrupt {
            path: path.to_owned(),
            detail: error.to_string(),
        },
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            Error::io(path, std::io::Error::other(error))
        }
        _ => fault_in(&path.display().to_string(), error),
    }
}

// ---- the log ----------------------------------------------------------------------------------------------------

/// Calls `seen` after each commit of this connection with the length of the log, in pages.
pub(crate) fn on_commit(connection: &mut Connection, seen: impl Fn(u32) + Send + 'static) -> Result<()> {
    connection
        .wal_hook(Some(move |_: &mut Wal, pages: i32| {
            seen(pages.unsigned_abs());
            Ok(())
        }))
        .map_err(|error| fault_in("wal_hook", error))
}

/// How far a checkpoint came.
#[derive(Clone, Copy)]
pub(crate) struct Checkpoint {
    /// Pages in the log.
    pub pages: u32,
    /// Of these, how many are in the database file now, on the disk.
    pub done: u32,
}

/// Copies what it can from the log to the file, waiting for nobody. `None`: another checkpoint is running.
pub(crate) fn checkpoint(connection: &Connection) -> Result<Option<Checkpoint>> {
    run_checkpoint(connection, CheckpointMode::PASSIVE)
}

/// Copies everything and cuts the log to nothing, unless somebody else is using it just now.
pub(crate) fn checkpoint_at_close(connection: &Connection) -> Result<()> {
    connection
        .busy_timeout(Duration::ZERO)
        .map_err(|error| fault_in("busy_timeout", error))?;
    run_checkpoint(connection, CheckpointMode::TRUNCATE).map(drop)
}

fn run_checkpoint(connection: &Connection, mode: CheckpointMode) -> Result<Option<Checkpoint>> {
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Ok((pages, done)) => Ok(Some(Checkpoint {
            pages: pages.max(0).unsigned_abs(),
            done: done.max(0).unsigned_abs(),
        })),
        Err(error) if is_busy(&error) => Ok(None),
        Err(error) => Err(fault_in("checkpoint", error)),
    }
}

// ---- copies -----------------------------------------------------------------------------------------------------

/// Copies one state of the database into a new file that needs no log beside it. Writers go on meanwhile.
/// `progress` is told pages done and pages in all.
pub(crate) fn copy(from: &Path, to: &Path, mut progress: impl FnMut(u64, u64)) -> Result<()> {
    let source = open(from, Role::Reader)?;
    require_ours(&source, from)?;
    // An open transaction pins the state; without it every commit of another would start the copy anew.
    source
        .execute_batch("BEGIN; SELECT count(*) FROM sqlite_master;")
        .map_err(|error| fault(from, error))?;
    let access =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut target = Connection::open_with_flags(to, access).map_err(|error| fault(to, error))?;
    {
        let backup = Backup::new(&source, &mut target).map_err(|error| fault(to, error))?;
        loop {
            let step = backup.step(PAGES_PER_STEP).map_err(|error| fault(to, error))?;
            let pages = backup.progress();
            progress(
                (pages.pagecount - pages.remaining).max(0) as u64,
                pages.pagecount.max(0) as u64,
            );
            match step {
                StepResult::Done => break,
                StepResult::More => {}
                _ => {
                    return Err(Error::Busy {
                        what: "the database is locked",
                        retry_after: LOCK_WAIT,
                    });
                }
            }
        }
    }
    target
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .map_err(|error| fault(to, error))
}

/// Reads the whole file and refuses it at its first fault.
pub(crate) fn verify(path: &Path) -> Result<()> {
    let connection = open(path, Role::Reader)?;
    require_ours(&connection, path)?;
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(|error| fault(path, error))?;
    if verdict == "ok" {
        Ok(())
    } else {
        Err(Error::Corrupt {
            path: path.to_owned(),
            detail: verdict,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgres_words_of_a_migration_become_those_of_strict_tables() {
        assert_eq!(
            translate(
                "CREATE TABLE t (a BIGINT, b BYTEA, c DOUBLE PRECISION, d BOOLEAN) /* sqlite: STRICT */;"
            ),
            "CREATE TABLE t (a INTEGER, b BLOB, c REAL, d INTEGER) STRICT;"
        );
    }
}
