//! Moving a whole install from one database to another, whichever backend each is.
//!
//! Table after table in the order of their foreign keys, each in the order of its key, in batches that are one transaction
//! each. The transaction also says how far it came, so that a process that is killed goes on where the last commit was.
//! Where that is written, the table `transfer`, is in the target only until everything was compared; while it is there,
//! nobody else opens that database. Memory holds one batch.

use serde::Serialize;

use jiff::Timestamp;

use crate::conn::{Conn, Role};
use crate::dir::Claim;
use crate::error::{Error, Result};
use crate::params;
use crate::tables::TABLES;
use crate::value::{Owned, Row, ToValue, Value};
use crate::{Target, migrate, reach, sqlite};

/// Rows of a batch: a transaction of some milliseconds, so that little is done twice.
const BATCH_ROWS: usize = 1_000;

/// Bytes of a batch, about: files of a place may have megabytes each.
const BATCH_BYTES: usize = 4 << 20;

/// What a move has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub doing: Doing,
    /// Rows, of all; in a comparison those of both sides.
    pub done: u64,
    pub total: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Moving,
    Comparing,
}

/// What both databases hold now.
#[derive(Clone, Debug, Serialize)]
pub struct Same {
    pub tables: Vec<Digest>,
}

impl Same {
    /// Rows of all tables.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }
}

/// A table in few words: two that have the same hold the same rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Digest {
    pub table: &'static str,
    pub rows: u64,
    /// Over every cell of every row in the order of the key, in hexadecimal.
    pub hash: String,
}

/// Moves all that belongs to the install, then compares both. `step` is told after each batch; a batch it was told of stays.
/// Run again after it was stopped, it goes on.
///
/// Fails with [`Error::Taken`] for a target that holds anything else, with [`Error::Differs`] where the comparison finds
/// anything; then the target stays unfinished. Of a data directory on either side it wants to be the only user.
pub fn transfer(from: &Target, to: &Target, now: Timestamp, mut step: impl FnMut(Step)) -> Result<Same> {
    let source = End::open(from, Role::Examiner, now)?;
    let target = End::open(to, Role::Writer, now)?;
    source.conn.snapshot(|source| {
        begin(source, &target.conn)?;
        let mut tally = Tally::of(source, Doing::Moving, 1)?;
        for shape in Shape::all(&target.conn)? {
            move_table(source, &target.conn, &shape, &mut tally, &mut step)?;
        }
        let same = compare_all(source, &target.conn, &mut step)?;
        finish(&target.conn)?;
        Ok(same)
    })
}

/// Compares two databases that nobody changes meanwhile, row for row by their hashes. Moves nothing.
pub fn compare(from: &Target, to: &Target, now: Timestamp, mut step: impl FnMut(Step)) -> Result<Same> {
    let source = End::open(from, Role::Examiner, now)?;
    let target = End::open(to, Role::Examiner, now)?;
    let target = &target.conn;
    source
        .conn
        .snapshot(|source| target.snapshot(|target| compare_all(source, target, &mut step)))
}

/// One of the two databases.
struct End {
    conn: Conn,
    _alone: Option<Claim>,
}

impl End {
    fn open(target: &Target, role: Role, now: Timestamp) -> Result<Self> {
        let (database, alone) = reach(target.clone(), Claim::alone)?;
        // Both have the same schema, or their rows could not be compared.
        migrate::migrate(&database.open(Role::Writer)?, migrate::MIGRATIONS, now)?;
        Ok(Self {
            conn: database.open(role)?,
            _alone: alone,
        })
    }
}

// ---- the mark of a move -----------------------------------------------------------------------------------------

const MARK: &str = "transfer";

/// The row of [`MARK`] that says from where; no table has this name.
const SOURCE: &str = "source";

/// Refuses a database into which an install is being moved.
pub(crate) fn ensure_whole(conn: &Conn) -> Result<()> {
    if conn.has_table(MARK)? {
        return Err(Error::HalfMoved);
    }
    Ok(())
}

/// Makes the mark, or finds that of the same move.
fn begin(source: &Conn, target: &Conn) -> Result<()> {
    let identity = identity(source)?;
    if target.has_table(MARK)? {
        let begun = target.row(
            "SELECT so_far
             FROM transfer
             WHERE what = $1",
            params![SOURCE],
            |row| Ok(row.text(0)? == identity),
        )?;
        return if begun {
            Ok(())
        } else {
            Err(Error::Taken {
                why: "another install is being moved there".to_owned(),
            })
        };
    }
    target.begin_alone()?;
    let marked = ensure_empty(target).and_then(|()| {
        target.exec("DELETE FROM key_mark", params![])?;
        target.define(
            "CREATE TABLE transfer (
                 what   TEXT   NOT NULL PRIMARY KEY,
                 -- The key of the last row that was moved, as JSON.
                 so_far TEXT   NOT NULL,
                 moved  BIGINT NOT NULL
             ) /* sqlite: STRICT */;",
        )?;
        record(target, SOURCE, &identity, 0)
    });
    end(target, marked)
}

fn ensure_empty(target: &Conn) -> Result<()> {
    // A process that has begun on an empty database has left the mark of its key there, and nothing else.
    let others = |table: &&crate::tables::Table| table.moves && table.name != "key_mark";
    for table in TABLES.iter().filter(others) {
        let some = target.row_optional(
            &format!("SELECT 1 FROM {} LIMIT 1", table.name),
            params![],
            |_| Ok(()),
        )?;
        if some.is_some() {
            return Err(Error::Taken {
                why: format!("it holds data already, in the table {}", table.name),
            });
        }
    }
    Ok(())
}

/// Tells one database from every other, but for copies of it: when its schema was made, to the microsecond.
fn identity(conn: &Conn) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    conn.each(
        "SELECT version, applied_at
         FROM migration
         ORDER BY version",
        params![],
        |row| {
            feed(&mut hasher, &row.value(0)?);
            feed(&mut hasher, &row.value(1)?);
            Ok(())
        },
    )?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn record(target: &Conn, what: &str, so_far: &str, moved: u64) -> Result<()> {
    let moved = moved as i64;
    target.queue(
        "INSERT INTO transfer (what, so_far, moved)
         VALUES ($1, $2, $3)
         ON CONFLICT (what)
         DO UPDATE SET so_far = excluded.so_far, moved = excluded.moved",
        params![what, so_far, moved],
        None,
    )
}

/// How far a table has come: the key of its last row, and how many are there.
fn so_far(target: &Conn, table: &str) -> Result<(Vec<Owned>, u64)> {
    let found = target.row_optional(
        "SELECT so_far, moved
         FROM transfer
         WHERE what = $1",
        params![table],
        |row| {
            let key = serde_json::from_str(row.text(0)?).map_err(|error| row.wrong(0, "a key", error))?;
            Ok((key, row.int(1)?.unsigned_abs()))
        },
    )?;
    Ok(found.unwrap_or_default())
}

fn finish(target: &Conn) -> Result<()> {
    target.begin_alone()?;
    let dropped = target.define("DROP TABLE transfer;");
    end(target, dropped)?;
    if target.postgres().is_some() {
        // Else the planner knows nothing of the new rows until the server finds time for it.
        target.define("ANALYZE")?;
    }
    Ok(())
}

/// Commits what went well, and undoes what did not.
fn end(target: &Conn, outcome: Result<()>) -> Result<()> {
    match outcome {
        Ok(()) => target.commit(),
        Err(error) => {
            target.rollback()?;
            Err(error)
        }
    }
}

// ---- tables -----------------------------------------------------------------------------------------------------

/// A table as it is read and written.
struct Shape {
    table: &'static str,
    columns: Vec<String>,
    /// Which of the columns hold truth values here; SQLite has none.
    bools: Vec<bool>,
    /// Which of the columns are texts.
    texts: Vec<bool>,
    /// The key, as places among the columns.
    key: Vec<usize>,
}

impl Shape {
    fn all(conn: &Conn) -> Result<Vec<Self>> {
        let moving = TABLES.iter().filter(|table| table.moves);
        moving.map(|table| Self::of(conn, table.name)).collect()
    }

    fn of(conn: &Conn, table: &'static str) -> Result<Self> {
        let columns = conn.columns(table)?;
        let mut key: Vec<_> = (0..columns.len())
            .filter(|column| columns[*column].key_place > 0)
            .collect();
        key.sort_by_key(|column| columns[*column].key_place);
        let is = |kind: &str| {
            columns
                .iter()
                .map(|column| column.kind.eq_ignore_ascii_case(kind))
                .collect()
        };
        Ok(Self {
            table,
            bools: is("boolean"),
            texts: is("text"),
            key,
            columns: columns.into_iter().map(|column| column.name).collect(),
        })
    }

    /// The rows behind a key, in the order of the key, which is that of bytes on both backends.
    fn select(&self, conn: &Conn, is_behind: bool) -> String {
        let key: Vec<_> = self
            .key
            .iter()
            .map(|column| {
                let bytewise = conn.postgres().is_some() && self.texts[*column];
                let collation = if bytewise { " COLLATE \"C\"" } else { "" };
                format!("{}{collation}", self.columns[*column])
            })
            .collect();
        let key = key.join(", ");
        let behind = if is_behind {
            format!(" WHERE ({key}) > ({})", places(1..=self.key.len()))
        } else {
            String::new()
        };
        format!(
            "SELECT {} FROM {}{behind} ORDER BY {key}",
            self.columns.join(", "),
            self.table
        )
    }

    fn insert(&self) -> String {
        format!(
            "INSERT INTO {} ({}) VALUES ({})",
            self.table,
            self.columns.join(", "),
            places(1..=self.columns.len())
        )
    }

    /// A cell as this table's backend takes it.
    fn fit<'c>(&self, column: usize, cell: &'c Owned) -> Value<'c> {
        match cell {
            Owned::Int(it) if self.bools[column] => Value::Bool(*it != 0),
            cell => cell.to_value(),
        }
    }

    fn key_of(&self, row: &[Owned]) -> Vec<Owned> {
        self.key.iter().map(|column| row[*column].clone()).collect()
    }
}

fn places(numbers: impl Iterator<Item = usize>) -> String {
    let places: Vec<_> = numbers.map(|number| format!("${number}")).collect();
    places.join(", ")
}

// ---- moving -----------------------------------------------------------------------------------------------------

/// How much there is and how much of it is done.
struct Tally {
    step: Step,
}

impl Tally {
    fn of(source: &Conn, doing: Doing, times: u64) -> Result<Self> {
        let mut total = 0;
        for table in TABLES.iter().filter(|table| table.moves) {
            let sql = format!("SELECT COUNT(*) FROM {}", table.name);
            total += source.row(&sql, params![], |row| row.int(0))?.unsigned_abs();
        }
        Ok(Self {
            step: Step {
                doing,
                done: 0,
                total: total * times,
            },
        })
    }

    fn add(&mut self, rows: u64, tell: &mut impl FnMut(Step)) {
        self.step.done += rows;
        tell(self.step);
    }
}

fn move_table(
    source: &Conn,
    target: &Conn,
    shape: &Shape,
    tally: &mut Tally,
    step: &mut impl FnMut(Step),
) -> Result<()> {
    let (after, mut moved) = so_far(target, shape.table)?;
    tally.add(moved, step);
    let after: Vec<_> = after.iter().map(ToValue::to_value).collect();
    let mut batch = Vec::new();
    let mut bytes = 0;
    let mut put = |batch: &mut Vec<Vec<Owned>>| {
        let Some(last) = batch.last() else {
            return Ok(());
        };
        let key = serde_json::to_string(&shape.key_of(last)).expect("a key has no map in it");
        moved += batch.len() as u64;
        target.begin()?;
        let written = write(target, shape, batch).and_then(|()| record(target, shape.table, &key, moved));
        end(target, written)?;
        if let Some(connection) = target.sqlite() {
            // Nobody else keeps its log short now.
            sqlite::checkpoint(connection)?;
        }
        tally.add(batch.len() as u64, step);
        batch.clear();
        Ok(())
    };
    source.each(&shape.select(source, !after.is_empty()), &after, |row| {
        let cells = cells(row, shape)?;
        bytes += cells.iter().map(bytes_of).sum::<usize>();
        batch.push(cells);
        if batch.len() >= BATCH_ROWS || bytes >= BATCH_BYTES {
            bytes = 0;
            put(&mut batch)?;
        }
        Ok(())
    })?;
    put(&mut batch)
}

fn cells(row: &Row<'_>, shape: &Shape) -> Result<Vec<Owned>> {
    (0..shape.columns.len())
        .map(|column| row.value(column).map(|value| Owned::from(&value)))
        .collect()
}

/// How much memory a cell holds, about.
fn bytes_of(cell: &Owned) -> usize {
    match cell {
        Owned::Text(it) => it.len(),
        Owned::Bytes(it) => it.len(),
        _ => size_of::<i64>(),
    }
}

fn write(target: &Conn, shape: &Shape, batch: &[Vec<Owned>]) -> Result<()> {
    let insert = shape.insert();
    for row in batch {
        let cells = row.iter().enumerate();
        let params: Vec<_> = cells.map(|(column, cell)| shape.fit(column, cell)).collect();
        target.put(&insert, &params)?;
    }
    Ok(())
}

// ---- comparing --------------------------------------------------------------------------------------------------

fn compare_all(source: &Conn, target: &Conn, step: &mut impl FnMut(Step)) -> Result<Same> {
    let mut tally = Tally::of(source, Doing::Comparing, 2)?;
    let mut tables = Vec::new();
    for shape in Shape::all(target)? {
        let here = digest(source, &shape, &mut tally, step)?;
        let there = digest(target, &shape, &mut tally, step)?;
        if here != there {
            return Err(Error::Differs {
                table: shape.table,
                here: here.rows,
                there: there.rows,
            });
        }
        tables.push(there);
    }
    Ok(Same { tables })
}

fn digest(conn: &Conn, shape: &Shape, tally: &mut Tally, step: &mut impl FnMut(Step)) -> Result<Digest> {
    let mut hasher = blake3::Hasher::new();
    let mut rows = 0;
    conn.each(&shape.select(conn, false), params![], |row| {
        for column in 0..shape.columns.len() {
            feed(&mut hasher, &row.value(column)?);
        }
        rows += 1;
        if rows % BATCH_ROWS as u64 == 0 {
            tally.add(BATCH_ROWS as u64, step);
        }
        Ok(())
    })?;
    tally.add(rows % BATCH_ROWS as u64, step);
    Ok(Digest {
        table: shape.table,
        rows,
        hash: hasher.finalize().to_hex().to_string(),
    })
}

/// A cell with its kind and its length, so that no two rows of cells read the same. A truth value reads as SQLite keeps it.
fn feed(hasher: &mut blake3::Hasher, value: &Value<'_>) {
    let mut part = |kind: u8, bytes: &[u8]| {
        hasher.update(&[kind]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    match *value {
        Value::Null => part(0, &[]),
        Value::Int(it) => part(1, &it.to_le_bytes()),
        Value::Bool(it) => part(1, &i64::from(it).to_le_bytes()),
        Value::Real(it) => part(2, &it.to_bits().to_le_bytes()),
        Value::Text(it) => part(3, it.as_bytes()),
        Value::Bytes(it) => part(4, it),
    }
}
