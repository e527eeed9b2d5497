//! All that is PostgreSQL's own: how it is reached, spoken to, and found again after it was lost.
//!
//! A round trip costs more than most statements, so what needs no answer is queued and sent in one go: at the latest
//! before something is read, and before the commit. tokio-postgres does that; its futures are waited for here, so that
//! the store's face is the same for both databases.
//!
//! Needs PostgreSQL 13 or newer, a database in UTF-8, and a session of its own: a pooler that hands one session to many
//! clients by turns breaks prepared statements and the locks below.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use tokio_postgres::{Client, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

use whistle_domain::search::Term;
use whistle_domain::words::JurisdictionId;

use crate::conn::{Conn, Role};
use crate::error::{Error, Result};
use crate::params;
use crate::search::{Entry, Sought};
use crate::value::{Owned, Row, RowSource, ToValue, Value};

mod address;
mod driver;
mod gather;

use driver::Driver;
pub(crate) use driver::block_on;

/// How long a statement waits for a row that another process has changed and not committed.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// How long a transaction that writes may stand still before the server ends it: a process that stands still, or whose
/// machine is gone, must not hold what others wait for. Commands wait for nothing, so they are far from it.
const IDLE_AT_MOST: Duration = Duration::from_secs(5);

/// How long the thread that writes waits for the next answer, or row, of a server that keeps the connection and says
/// nothing. Longer than a server needs that is only slow; a commit may wait for a disk. Then the connection is given up.
const SILENT_AT_MOST: Duration = Duration::from_secs(10);

/// The same for a reader: longer than a request may take.
const READER_SILENT_AT_MOST: Duration = Duration::from_mins(1);

/// After how long the server itself ends a statement of the thread that writes: what is given up here, and could not be
/// ended there, must not hold its locks for good.
const STATEMENT_AT_MOST: Duration = Duration::from_secs(15);

/// Prepared statements kept per connection: more than the whole program has.
const STATEMENTS_KEPT: usize = 512;

/// Statements queued before they are sent without being asked to: bounds what a long command holds in memory.
const QUEUED_AT_MOST: usize = 1024;

/// When who met a lock should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Writers of one database that have counters of their own; more share the last one's, and wait for each other.
const SLOTS: i32 = 64;

/// Asks for the columns of a table: name, type, place in the key.
pub(crate) const COLUMNS: &str = "SELECT CAST(a.attname AS TEXT), format_type(a.atttypid, a.atttypmod),
            COALESCE((SELECT k.place
                      FROM pg_index AS x, unnest(x.indkey) WITH ORDINALITY AS k (number, place)
                      WHERE x.indrelid = a.attrelid AND x.indisprimary AND k.number = a.attnum), 0)
     FROM pg_attribute AS a
     WHERE a.attrelid = CAST($1 AS regclass) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attnum";

/// A commit is not ended by [`STATEMENT_AT_MOST`]: while it waits for a standby it has happened already, and the server would
/// answer as if the standby had it. And in a transaction that has failed, SET fails, where a COMMIT alone would undo it and
/// answer as if all were well.
const COMMIT: &str = "SET LOCAL statement_timeout = 0; COMMIT";

/// What the advisory locks of Whistle are about: the first of their two keys. "WH" and what for.
const LOCK_OF_SLOTS: i32 = 0x5748_0001;
const LOCK_OF_SCHEMA: i32 = 0x5748_0002;

/// A database server, not yet spoken to.
pub(crate) struct Server {
    config: tokio_postgres::Config,
    tls: MakeRustlsConnect,
    driver: Driver,
}

impl Server {
    /// Reads an address such as `postgres://user:password@host/database?sslmode=verify-full`.
    pub fn at(url: &str) -> Result<Self> {
        let (mut config, tls) = address::parse(url)?;
        if config.get_application_name().is_none() {
            config.application_name("whistle");
        }
        Ok(Self {
            config,
            tls,
            driver: Driver::start()?,
        })
    }

    /// A connection that any thread may use.
    pub fn connect(&self, role: Role) -> Result<Connection> {
        let io = Io::Shared(self.driver.clone());
        let patience = match role {
            Role::Reader => Some(READER_SILENT_AT_MOST),
            // Steps of the schema, moves, audits: nobody can say how long.
            Role::Writer | Role::Examiner => None,
        };
        let connection = Connection::open(&self.config, &self.tls, io, patience)?;
        connection.prepare_session(match role {
            Role::Reader | Role::Examiner => "SET default_transaction_read_only = on;".to_owned(),
            Role::Writer => stand_still_at_most(),
        })?;
        Ok(connection)
    }

    /// The connection of the thread that writes. It does its own input and output, which saves the hand-over to another
    /// thread and puts a whole group into few packets.
    pub fn connect_writer(&self) -> Result<Connection> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| away(&error))?;
        let mut config = self.config.clone();
        // After a failover, not the server that is read-only now.
        config.target_session_attrs(tokio_postgres::config::TargetSessionAttrs::ReadWrite);
        let mut connection = Connection::open(&config, &self.tls, Io::Own(runtime), Some(SILENT_AT_MOST))?;
        connection.prepare_session(format!(
            "{} SET statement_timeout = {};",
            stand_still_at_most(),
            STATEMENT_AT_MOST.as_millis()
        ))?;
        connection.slot = connection.take_slot()?;
        Ok(connection)
    }
}

fn stand_still_at_most() -> String {
    format!(
        "SET idle_in_transaction_session_timeout = {};",
        IDLE_AT_MOST.as_millis()
    )
}

/// Who moves the bytes while a thread waits.
enum Io {
    Own(Runtime),
    Shared(Driver),
}

impl Io {
    fn wait<F: Future>(&self, future: F) -> F::Output {
        match self {
            Self::Own(runtime) => runtime.block_on(future),
            Self::Shared(driver) => driver.wait(future),
        }
    }
}

pub(crate) struct Connection {
    client: Client,
    io: Io,
    /// How long the server may say nothing when it is asked; none means for ever.
    patience: Option<Duration>,
    /// Whether it has said nothing for too long, so that nothing more is asked.
    given_up: Cell<bool>,
    /// Moves the bytes; ended, it closes the connection.
    moving: AbortHandle,
    slot: i64,
    statements: RefCell<HashMap<Box<str>, Statement>>,
    queue: RefCell<Vec<Queued>>,
    in_transaction: Cell<bool>,
    /// Whether rows are being looked at: their visitor must not ask for others here, whose answer comes behind them.
    visiting: Cell<bool>,
    /// What befell the whole transaction, until it is asked for.
    trouble: RefCell<Option<Error>>,
}

/// What is to be sent.
enum Outgoing {
    /// Words of a transaction.
    Words(&'static str),
    Statement {
        sql: Box<str>,
        statement: Statement,
        params: Vec<Owned>,
        must_change_one: Option<Error>,
    },
}

/// What is not sent yet.
enum Queued {
    AsIs(Outgoing),
    /// A row, to be sent with others of the same text.
    Put {
        sql: Box<str>,
        params: Vec<Owned>,
    },
}

impl Connection {
    fn open(
        config: &tokio_postgres::Config,
        tls: &MakeRustlsConnect,
        io: Io,
        patience: Option<Duration>,
    ) -> Result<Self> {
        let (config, tls) = (config.clone(), tls.clone());
        let connecting = async move {
            let connecting = config.connect(tls);
            let (client, connection) = tokio::time::timeout(SILENT_AT_MOST, connecting)
                .await
                .map_err(|_| silent(SILENT_AT_MOST))?
                .map_err(|error| unreachable(&error))?;
            let moving = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(error = %chain(&error), "a connection to PostgreSQL ended");
                }
            });
            Ok((client, moving.abort_handle()))
        };
        let (client, moving) = match &io {
            Io::Own(runtime) => runtime.block_on(connecting),
            Io::Shared(driver) => driver.run(connecting),
        }?;
        Ok(Self {
            client,
            io,
            patience,
            given_up: Cell::new(false),
            moving,
            slot: 0,
            statements: RefCell::default(),
            queue: RefCell::default(),
            in_transaction: Cell::new(false),
            visiting: Cell::new(false),
            trouble: RefCell::default(),
        })
    }

    /// Waits for an answer. From a server that says nothing for too long none is expected any more: the connection is lost.
    async fn answer<T>(&self, asked: impl Future<Output = T>) -> Result<T> {
        let Some(patience) = self.patience else {
            return Ok(asked.await);
        };
        tokio::time::timeout(patience, asked).await.map_err(|_| {
            self.given_up.set(true);
            self.moving.abort();
            silent(patience)
        })
    }

    fn prepare_session(&self, of_role: String) -> Result<()> {
        self.define(&format!(
            "SET lock_timeout = {};
             SET client_min_messages = warning;
             {of_role}",
            LOCK_WAIT.as_millis()
        ))?;
        let encoding = self.ask("SELECT current_setting('server_encoding')")?;
        if encoding == "UTF8" {
            return Ok(());
        }
        Err(Error::Address {
            what: format!("that database is in {encoding}; make one with ENCODING 'UTF8' TEMPLATE template0"),
        })
    }

    /// The first slot that no other writer has. The lock on it ends with the session, however that ends; where two should
    /// ever have the same, they only wait for each other.
    fn take_slot(&self) -> Result<i64> {
        for slot in 0..SLOTS - 1 {
            let taken = self.ask(&format!(
                "SELECT pg_try_advisory_lock({LOCK_OF_SLOTS}, {slot})::text"
            ))?;
            if taken == "true" {
                return Ok(i64::from(slot));
            }
        }
        Ok(i64::from(SLOTS - 1))
    }

    pub fn slot(&self) -> i64 {
        self.slot
    }

    /// Asked for one text, outside of the statements that are kept.
    fn ask(&self, sql: &str) -> Result<String> {
        let answer = self.io.wait(self.answer(self.client.simple_query(sql)));
        let messages = answer?.map_err(|error| self.fault_in(sql, &error))?;
        let row = messages.into_iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        row.ok_or_else(|| Error::NoRow {
            statement: sql.to_owned(),
        })
    }

    pub fn is_lost(&self) -> bool {
        self.given_up.get() || self.client.is_closed()
    }

    // ---- statements ---------------------------------------------------------------------------------------------

    pub fn visit(
        &self,
        sql: &str,
        params: &[Value<'_>],
        visit: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        assert!(
            !self.visiting.get(),
            "a visitor of rows asks the connection they come from: {sql}"
        );
        let statement = self.statement(sql, params)?;
        let queue = self.take_queue()?;
        self.visiting.set(true);
        let visited = self.io.wait(async {
            let mut flight = Flight::send(&self.client, &queue);
            let mut asking = pin!(self.client.query_raw(&statement, params.iter()));
            // Polled once it is on its way, behind what was queued before it.
            let answer = poll_once(asking.as_mut());
            flight.land(self).await?;
            let answer = match answer {
                Poll::Ready(answer) => answer,
                Poll::Pending => self.answer(asking).await?,
            };
            let mut rows = pin!(answer.map_err(|error| self.fault_in(sql, &error))?);
            while let Some(row) = self.answer(rows.next()).await? {
                let row = row.map_err(|error| self.fault_in(sql, &error))?;
                let source = RowSource::Postgres(&row);
                if visit(&Row { source })?.is_break() {
                    break;
                }
            }
            Ok(())
        });
        self.visiting.set(false);
        self.note(visited)
    }

    pub fn exec(&self, sql: &str, params: &[Value<'_>]) -> Result<u64> {
        let statement = self.statement(sql, params)?;
        let queue = self.take_queue()?;
        let changed = self.io.wait(async {
            let mut flight = Flight::send(&self.client, &queue);
            let mut running = pin!(self.client.execute_raw(&statement, params.iter()));
            let answer = poll_once(running.as_mut());
            flight.land(self).await?;
            let answer = match answer {
                Poll::Ready(answer) => answer,
                Poll::Pending => self.answer(running).await?,
            };
            answer.map_err(|error| self.fault_in(sql, &error))
        });
        self.note(changed)
    }

    pub fn queue(&self, sql: &str, params: &[Value<'_>], must_change_one: Option<Error>) -> Result<()> {
        let statement = self.statement(sql, params)?;
        self.push(Queued::AsIs(Outgoing::Statement {
            sql: sql.into(),
            statement,
            params: params.iter().map(Owned::from).collect(),
            must_change_one,
        }));
        self.flush_when_full()
    }

    pub fn put(&self, sql: &str, params: &[Value<'_>]) -> Result<()> {
        if !uses_each(sql, params.len()) {
            return Err(unfit(sql, params));
        }
        self.push(Queued::Put {
            sql: sql.into(),
            params: params.iter().map(Owned::from).collect(),
        });
        self.flush_when_full()
    }

    fn flush_when_full(&self) -> Result<()> {
        if self.queue.borrow().len() >= QUEUED_AT_MOST {
            self.flush()?;
        }
        Ok(())
    }

    /// What is to be sent now.
    fn take_queue(&self) -> Result<Vec<Outgoing>> {
        gather::gather(self, self.queue.take())
    }

    pub fn queue_words(&self, words: &'static str) {
        self.push(Queued::AsIs(Outgoing::Words(words)));
    }

    fn push(&self, queued: Queued) {
        self.queue.borrow_mut().push(queued);
    }

    pub fn flush(&self) -> Result<()> {
        let queue = self.take_queue()?;
        if queue.is_empty() {
            return Ok(());
        }
        let landed = self
            .io
            .wait(async { Flight::send(&self.client, &queue).land(self).await });
        self.note(landed)
    }

    pub fn define(&self, sql: &str) -> Result<()> {
        self.flush()?;
        let defined = self.io.wait(self.answer(self.client.batch_execute(sql)));
        self.note(defined.and_then(|defined| defined.map_err(|error| self.fault_in(sql, &error))))
    }

    pub fn has_table(&self, name: &str) -> Result<bool> {
        let mut found = false;
        // Read from the catalogue: what to_regclass() knows may be older than a lock that was just waited for.
        self.visit(
            "SELECT EXISTS (SELECT 1
                            FROM pg_class
                            WHERE relname = $1 AND relkind IN ('r', 'p') AND pg_table_is_visible(oid))",
            &[Value::Text(name)],
            &mut |row| {
                found = row.bool(0)?;
                Ok(ControlFlow::Break(()))
            },
        )?;
        Ok(found)
    }

    /// The statement, prepared for the kinds of these parameters; the server infers that of a NULL.
    fn statement(&self, sql: &str, params: &[Value<'_>]) -> Result<Statement> {
        if let Some(statement) = self.statements.borrow().get(sql) {
            if statement.params().len() == params.len() {
                return Ok(statement.clone());
            }
            return Err(unfit(sql, params));
        }
        if !uses_each(sql, params.len()) {
            return Err(unfit(sql, params));
        }
        let types: Vec<Type> = params.iter().map(type_of).collect();
        let prepared = self.io.wait(self.answer(self.client.prepare_typed(sql, &types)));
        let prepared = prepared.and_then(|prepared| prepared.map_err(|error| self.fault_in(sql, &error)));
        let statement = self.note(prepared)?;
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS_KEPT {
            statements.clear();
        }
        statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }

    // ---- transactions -------------------------------------------------------------------------------------------

    pub fn begin(&self, words: &'static str) {
        self.begin_anew();
        self.in_transaction.set(true);
        self.queue_words(words);
    }

    /// Forgets what befell an earlier use.
    pub fn begin_anew(&self) {
        self.trouble.take();
        // A visitor that panicked did not come back.
        self.visiting.set(false);
    }

    /// Until the transaction ends, no other process changes the schema.
    pub fn lock_schema(&self) -> Result<()> {
        let lock = format!("SELECT pg_advisory_xact_lock({LOCK_OF_SCHEMA}, 0)");
        // Another process may be filling a new table from an old one: that takes longer than a row's lock may.
        self.define(&format!("SET LOCAL lock_timeout = 0; {lock}"))
    }

    /// Sends what is queued, then the commit. Once that is sent, [`Error::Away`] means that nobody knows what became of it.
    pub fn commit(&self) -> Result<()> {
        self.flush()?;
        let committed = self.io.wait(self.answer(self.client.batch_execute(COMMIT)));
        let committed = committed.and_then(|done| done.map_err(|error| self.fault_in(COMMIT, &error)));
        // One that failed is ended by who asked for it.
        self.in_transaction.set(committed.is_err());
        committed
    }

    /// A reader waits for no answer: what comes next on its connection comes after it.
    pub fn rollback(&self) -> Result<()> {
        let never_sent = {
            let queue = self.queue.take();
            matches!(queue.first(), Some(Queued::AsIs(Outgoing::Words(words))) if words.starts_with("BEGIN"))
        };
        self.trouble.take();
        if !self.in_transaction.replace(false) || never_sent || self.is_lost() {
            return Ok(());
        }
        let mut ending = pin!(self.client.batch_execute("ROLLBACK"));
        match &self.io {
            // Nobody else moves the bytes.
            Io::Own(_) => self.io.wait(self.answer(ending))?,
            Io::Shared(_) => match poll_once(ending.as_mut()) {
                Poll::Ready(ended) => ended,
                Poll::Pending => Ok(()),
            },
        }
        .map_err(|error| self.fault_in("ROLLBACK", &error))
    }

    pub fn in_transaction(&self) -> bool {
        self.in_transaction.get()
    }

    pub fn take_trouble(&self) -> Option<Error> {
        self.trouble.take()
    }

    /// Keeps in mind what will fail the whole transaction.
    fn note<T>(&self, outcome: Result<T>) -> Result<T> {
        if let Err(error @ (Error::Away { .. } | Error::Busy { .. })) = &outcome {
            self.trouble.borrow_mut().get_or_insert_with(|| error.clone());
        }
        outcome
    }

    fn fault_in(&self, sql: &str, error: &tokio_postgres::Error) -> Error {
        fault_in(sql, error, self.is_lost())
    }
}

/// Statements under way, in their order.
struct Flight<'q> {
    legs: Vec<Leg<'q>>,
}

struct Leg<'q> {
    outgoing: &'q Outgoing,
    running: Running<'q>,
    /// Its outcome, if it came at once: it could not be sent.
    outcome: Option<Outcome>,
}

type Outcome = Result<u64, tokio_postgres::Error>;
type Running<'q> = Pin<Box<dyn Future<Output = Outcome> + 'q>>;

impl<'q> Flight<'q> {
    /// Sends all of them. Each future sends its statement when it is first polled.
    fn send(client: &'q Client, queue: &'q [Outgoing]) -> Self {
        let leg = |outgoing: &'q Outgoing| {
            let mut running: Running<'q> = match outgoing {
                Outgoing::Words(words) => Box::pin(async { client.batch_execute(words).await.map(|()| 1) }),
                Outgoing::Statement {
                    statement, params, ..
                } => Box::pin(client.execute_raw(statement, params.iter())),
            };
            let outcome = match poll_once(running.as_mut()) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            };
            Leg {
                outgoing,
                running,
                outcome,
            }
        };
        Self {
            legs: queue.iter().map(leg).collect(),
        }
    }

    /// Waits for the answers; fails with the first that is none or not the one that must be. Those after a failed one fail
    /// by it, and say nothing new.
    async fn land(&mut self, connection: &Connection) -> Result<()> {
        for leg in &mut self.legs {
            let outcome = match leg.outcome.take() {
                Some(outcome) => outcome,
                None => connection.answer(leg.running.as_mut()).await?,
            };
            match (outcome, leg.outgoing) {
                (Err(error), Outgoing::Words(sql)) => return Err(connection.fault_in(sql, &error)),
                (Err(error), Outgoing::Statement { sql, .. }) => return Err(connection.fault_in(sql, &error)),
                (
                    Ok(changed),
                    Outgoing::Statement {
                        must_change_one: Some(error),
                        ..
                    },
                ) if changed != 1 => return Err(error.clone()),
                (Ok(_), _) => {}
            }
        }
        Ok(())
    }
}

/// Polls a future of tokio-postgres so that it sends; it is polled again by who waits for it.
fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

// ---- values -----------------------------------------------------------------------------------------------------

type Fault = Box<dyn StdError + Sync + Send>;

impl ToSql for Owned {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        self.to_value().to_sql(ty, out)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl ToSql for Value<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Fault> {
        match (*self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(it), &Type::INT8) => it.to_sql(ty, out),
            (Value::Int(it), &Type::FLOAT8) => (it as f64).to_sql(ty, out),
            (Value::Real(it), &Type::FLOAT8) => it.to_sql(ty, out),
            (Value::Text(it), &(Type::TEXT | Type::VARCHAR | Type::NAME)) => it.to_sql(ty, out),
            (Value::Bytes(it), &Type::BYTEA) => it.to_sql(ty, out),
            (Value::Bool(it), &Type::BOOL) => it.to_sql(ty, out),
            (other, ty) => Err(format!("{other:?} is no {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// What a parameter is declared as. UNKNOWN leaves it to the server.
fn type_of(value: &Value<'_>) -> Type {
    match value {
        Value::Null => Type::UNKNOWN,
        Value::Int(_) => Type::INT8,
        Value::Real(_) => Type::FLOAT8,
        Value::Text(_) => Type::TEXT,
        Value::Bytes(_) => Type::BYTEA,
        Value::Bool(_) => Type::BOOL,
    }
}

/// A cell as it came.
struct Received<'r>(Value<'r>);

impl<'r> FromSql<'r> for Received<'r> {
    fn from_sql(ty: &Type, raw: &'r [u8]) -> Result<Self, Fault> {
        Ok(Self(match *ty {
            Type::INT8 => Value::Int(i64::from_sql(ty, raw)?),
            Type::INT4 => Value::Int(i32::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Value::Real(f64::from_sql(ty, raw)?),
            Type::TEXT | Type::VARCHAR | Type::NAME => Value::Text(<&str>::from_sql(ty, raw)?),
            Type::BYTEA => Value::Bytes(raw),
            Type::BOOL => Value::Bool(bool::from_sql(ty, raw)?),
            _ => return Err(format!("a {ty}, which is no type of Whistle's").into()),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Fault> {
        Ok(Self(Value::Null))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

pub(crate) fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value<'_>> {
    row.try_get::<_, Received<'_>>(column)
        .map(|cell| cell.0)
        .map_err(|error| Error::Column {
            column: column_name(row, column),
            wanted: "a value",
            found: chain(&error),
        })
}

/// The name of a column for a message; its number when there is none.
pub(crate) fn column_name(row: &tokio_postgres::Row, column: usize) -> String {
    row.columns()
        .get(column)
        .map_or_else(|| column.to_string(), |column| column.name().to_owned())
}

/// Whether a statement uses exactly the parameters from `$1` to `$given`.
fn uses_each(sql: &str, given: usize) -> bool {
    let mut used = vec![false; given];
    for part in sql.split('$').skip(1) {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse::<usize>() {
            Ok(number) if (1..=given).contains(&number) => used[number - 1] = true,
            _ => return false,
        }
    }
    used.into_iter().all(|used| used)
}

fn unfit(sql: &str, params: &[Value<'_>]) -> Error {
    Error::Parameters {
        given: params.len(),
        statement: sql.to_owned(),
    }
}

// ---- the index of words -----------------------------------------------------------------------------------------

/// How the words of an entry are read; those of [`blocks`] among them.
pub(crate) const WORDS: &str = "array_to_string(tsvector_to_array(s.words), ' ')";

/// The first letter of the words that say where among all cases one is. No word of a case begins with it.
pub(crate) const BLOCK: char = '/';

/// Cases that are looked through from the newest down before the index is asked: where one in a hundred is wanted, they fill
/// a page, and the index would read every case that has a frequent word before it knows the newest.
const WALKED: i64 = 2_048;

/// How many numbers a block has, in bits: from one size to the next four times as many.
const BLOCKS: [u32; 5] = [13, 15, 17, 19, 21];

fn jurisdiction_word(jurisdiction: JurisdictionId) -> String {
    format!("{BLOCK}{}", jurisdiction.0)
}

fn block_word(jurisdiction: JurisdictionId, bits: u32, block: i64) -> String {
    format!("{BLOCK}{}.{bits}.{block}", jurisdiction.0)
}

/// The words that say where a case is: so that the index is asked for the newest part of it at first, and reads no more.
fn blocks(jurisdiction: JurisdictionId, number: i64) -> impl Iterator<Item = String> {
    let of_size = move |bits| block_word(jurisdiction, bits, number >> bits);
    std::iter::once(jurisdiction_word(jurisdiction)).chain(BLOCKS.into_iter().map(of_size))
}

/// See [`Conn::index`].
pub(crate) fn index(conn: &Conn, entry: &Entry) -> Result<()> {
    let mut words = entry.words.clone();
    if !words.is_empty() {
        words.extend(blocks(entry.jurisdiction, entry.number.0));
    }
    conn.queue(
        "INSERT INTO case_search (jurisdiction_id, number, version, words)
         VALUES ($1, $2, $3, array_to_tsvector(string_to_array($4, ' ')))
         ON CONFLICT (jurisdiction_id, number) DO UPDATE
         SET version = excluded.version, words = excluded.words
         WHERE case_search.version <= excluded.version",
        params![
            entry.jurisdiction.0,
            entry.number.0,
            entry.version,
            words.join(" ")
        ],
        None,
    )
}

/// The newest entries along their key, held against the words. The words are read once, not for each of them.
pub(crate) const WALK: &str = "SELECT number
     FROM (SELECT number, words
           FROM case_search
           WHERE jurisdiction_id = $1 AND number < $2
           ORDER BY number DESC
           LIMIT $3) AS newest
     WHERE words @@ (SELECT CAST($4 AS tsquery))
     ORDER BY number DESC
     LIMIT $5";

/// Entries by the index of words; OFFSET keeps it from being taken for a reason to walk along the key.
pub(crate) const INDEXED: &str = "SELECT number
     FROM (SELECT number
           FROM case_search
           WHERE jurisdiction_id = $1 AND words @@ CAST($3 AS tsquery)
           OFFSET 0) AS found
     WHERE number < $2
     ORDER BY number DESC
     LIMIT $4";

/// See [`Conn::indexed`]. The newest cases one after the other, then ever larger parts by the index: whether a word is frequent
/// or rare, what is read grows with the page, not with the number of cases.
pub(crate) fn indexed(conn: &Conn, sought: &Sought<'_>, most: usize) -> Result<Vec<i64>> {
    let (id, words) = (sought.jurisdiction, match_words(sought.terms));
    let number = |row: &Row<'_>| row.int(0);
    let walked = conn.rows(
        WALK,
        params![id.0, sought.below, WALKED, words, most as i64],
        number,
    )?;
    if walked.len() == most {
        return Ok(walked);
    }
    let last = conn.row(
        "SELECT COALESCE(MAX(number), 0)
         FROM case_search
         WHERE jurisdiction_id = $1",
        params![id.0],
        number,
    )?;
    let newest = (sought.below - 1).min(last);
    if newest <= WALKED {
        return Ok(walked);
    }
    for bits in BLOCKS {
        let block = newest >> bits;
        let either = [block, (block - 1).max(0)].map(|block| quoted(&block_word(id, bits, block)));
        let within = format!("{words} & ({})", either.join(" | "));
        let found = conn.rows(INDEXED, params![id.0, sought.below, within, most as i64], number)?;
        if found.len() == most || block <= 1 {
            return Ok(found);
        }
    }
    let within = format!("{words} & {}", quoted(&jurisdiction_word(id)));
    conn.rows(INDEXED, params![id.0, sought.below, within, most as i64], number)
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''").replace('\\', "\\\\"))
}

/// What is looked for, in the language of the index: each word in quotation marks.
fn match_words(terms: &[Vec<Term>]) -> String {
    let term = |term: &Term| format!("{}{}", quoted(&term.word), if term.is_prefix { ":*" } else { "" });
    let either = |terms: &Vec<Term>| {
        let all: Vec<String> = terms.iter().map(term).collect();
        format!("({})", all.join(" | "))
    };
    let all: Vec<String> = terms.iter().map(either).collect();
    all.join(" & ")
}

// ---- faults -----------------------------------------------------------------------------------------------------

fn fault_in(sql: &str, error: &tokio_postgres::Error, lost: bool) -> Error {
    let other = || Error::Sql {
        statement: sql.to_owned(),
        source: Arc::new(Told(chain(error))),
    };
    let Some(told) = error.as_db_error() else {
        return if lost || error.is_closed() || is_io(error) {
            away(error)
        } else {
            other()
        };
    };
    match told.code() {
        &SqlState::UNIQUE_VIOLATION => Error::Conflict {
            rule: told.message().to_owned(),
        },
        &SqlState::T_R_SERIALIZATION_FAILURE
        | &SqlState::T_R_DEADLOCK_DETECTED
        | &SqlState::LOCK_NOT_AVAILABLE => Error::Busy {
            what: "other processes change the same rows",
            retry_after: RETRY_AFTER,
        },
        &SqlState::DISK_FULL => Error::DiskFull,
        &SqlState::IN_FAILED_SQL_TRANSACTION => Error::RolledBack,
        &SqlState::ADMIN_SHUTDOWN
        | &SqlState::CRASH_SHUTDOWN
        | &SqlState::CANNOT_CONNECT_NOW
        | &SqlState::TOO_MANY_CONNECTIONS => away(error),
        code if code.code().starts_with("08") => away(error),
        _ => other(),
    }
}

/// A server that cannot be reached is away; one that does not let us in stays so until somebody changes that.
fn unreachable(error: &tokio_postgres::Error) -> Error {
    match error.code() {
        Some(
            &(SqlState::INVALID_PASSWORD
            | SqlState::INVALID_AUTHORIZATION_SPECIFICATION
            | SqlState::INVALID_CATALOG_NAME),
        ) => Error::Address { what: chain(error) },
        _ => away(error),
    }
}

fn silent(patience: Duration) -> Error {
    Error::Away {
        detail: format!("it has said nothing for {} s", patience.as_secs()),
    }
}

fn away(error: &(dyn StdError + 'static)) -> Error {
    Error::Away { detail: chain(error) }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    error
        .source()
        .is_some_and(|source| source.downcast_ref::<std::io::Error>().is_some())
}

/// An error with what caused it: tokio-postgres tells only "db error" of itself. Without the server's detail, which
/// quotes rows.
fn chain(error: &(dyn StdError + 'static)) -> String {
    if let Some(told) = error
        .source()
        .and_then(|source| source.downcast_ref::<tokio_postgres::error::DbError>())
    {
        return format!("{} ({})", told.message(), told.code().code());
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The words of an error, so that nothing of the driver's shows outside.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Told(String);

/// A number that no other process draws: for names and for waits of unequal length, not for secrets.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_uses_each_of_its_parameters_and_no_other() {
        assert!(uses_each("SELECT $2 || $1 || $2", 2));
        assert!(uses_each("SELECT 1", 0));
        for unfit in [
            "SELECT $1",
            "SELECT $1, $3",
            "SELECT $1, $2, $3",
            "SELECT $0, $1, $2",
        ] {
            assert!(!uses_each(unfit, 2), "{unfit}");
        }
    }
}
