//! What goes into a statement and what comes out of a row, the same for every backend.

use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::{postgres, sqlite};

/// One parameter, or one cell of a row, borrowed from its owner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
    Bool(bool),
}

impl Value<'_> {
    fn kind(&self) -> &'static str {
        match self {
            Value::Null => "NULL",
            Value::Int(_) => "an integer",
            Value::Real(_) => "a real number",
            Value::Text(_) => "a text",
            Value::Bytes(_) => "bytes",
            Value::Bool(_) => "a truth value",
        }
    }
}

/// A value that outlives its statement or its row. Written out as JSON where a move between databases keeps its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Owned {
    Null,
    Int(i64),
    Real(f64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Bool(bool),
}

impl From<&Value<'_>> for Owned {
    fn from(value: &Value<'_>) -> Self {
        match *value {
            Value::Null => Self::Null,
            Value::Int(it) => Self::Int(it),
            Value::Real(it) => Self::Real(it),
            Value::Text(it) => Self::Text(it.into()),
            Value::Bytes(it) => Self::Bytes(it.into()),
            Value::Bool(it) => Self::Bool(it),
        }
    }
}

impl ToValue for Owned {
    fn to_value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Int(it) => Value::Int(*it),
            Self::Real(it) => Value::Real(*it),
            Self::Text(it) => Value::Text(it),
            Self::Bytes(it) => Value::Bytes(it),
            Self::Bool(it) => Value::Bool(*it),
        }
    }
}

/// What may be a parameter. Times go in as microseconds since 1970, UTC.
pub trait ToValue {
    fn to_value(&self) -> Value<'_>;
}

/// The parameters of a statement, in the order of `$1`, `$2`, …; nothing is copied here.
///
/// ```
/// # use whistle_store::{Result, Tx, params};
/// # fn rename(tx: &mut Tx<'_>, jurisdiction_id: i64, code: &str, name: &str) -> Result<u64> {
/// tx.exec(
///     "UPDATE unit
///      SET name = $3
///      WHERE jurisdiction_id = $1 AND code = $2",
///     params![jurisdiction_id, code, name],
/// )
/// # }
/// ```
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::ToValue::to_value(&$value)),*] };
}

macro_rules! to_value {
    ($($type:ty: $self:ident => $value:expr;)*) => {
        $(impl ToValue for $type { fn to_value(&self) -> Value<'_> { let $self = self; $value } })*
    };
}

to_value! {
    i64: it => Value::Int(*it);
    i32: it => Value::Int(i64::from(*it));
    u32: it => Value::Int(i64::from(*it));
    u16: it => Value::Int(i64::from(*it));
    u8: it => Value::Int(i64::from(*it));
    f64: it => Value::Real(*it);
    bool: it => Value::Bool(*it);
    str: it => Value::Text(it);
    String: it => Value::Text(it);
    Box<str>: it => Value::Text(it);
    Arc<str>: it => Value::Text(it);
    Cow<'_, str>: it => Value::Text(it);
    [u8]: it => Value::Bytes(it);
    Vec<u8>: it => Value::Bytes(it);
    Timestamp: it => Value::Int(it.as_microsecond());
}

impl ToValue for Value<'_> {
    fn to_value(&self) -> Value<'_> {
        *self
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn to_value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value<'_> {
        (**self).to_value()
    }
}

/// One row of an answer. Columns count from 0. Texts and bytes are borrowed until the next row.
pub struct Row<'r> {
    pub(crate) source: RowSource<'r>,
}

pub(crate) enum RowSource<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r tokio_postgres::Row),
}

/// A getter and its optional twin, which turns NULL into `None`.
macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $optional:ident -> $type:ty, $wanted:literal: $($pattern:pat => $found:expr),+;)*) => {
        $(
            $(#[$doc])*
            pub fn $name(&self, column: usize) -> Result<$type> {
                match self.value(column)? {
                    $($pattern => Ok($found),)+
                    other => Err(self.wrong(column, $wanted, other.kind())),
                }
            }

            pub fn $optional(&self, column: usize) -> Result<Option<$type>> {
                match self.value(column)? {
                    Value::Null => Ok(None),
                    _ => self.$name(column).map(Some),
                }
            }
        )*
    };
}

impl Row<'_> {
    getters! {
        int, int_opt -> i64, "an integer": Value::Int(it) => it;
        /// A whole number counts as a real one: SQLite's sums know no difference.
        real, real_opt -> f64, "a real number": Value::Real(it) => it, Value::Int(it) => it as f64;
        text, text_opt -> &str, "a text": Value::Text(it) => it;
        bytes, bytes_opt -> &[u8], "bytes": Value::Bytes(it) => it;
        /// SQLite keeps truth values as 0 and 1.
        bool, bool_opt -> bool, "a truth value": Value::Bool(it) => it, Value::Int(0) => false, Value::Int(1) => true;
    }

    /// A time, kept as microseconds since 1970, UTC.
    pub fn time(&self, column: usize) -> Result<Timestamp> {
        let microseconds = self.int(column)?;
        Timestamp::from_microsecond(microseconds)
            .map_err(|_| self.wrong(column, "a time in microseconds", microseconds))
    }

    pub fn time_opt(&self, column: usize) -> Result<Option<Timestamp>> {
        match self.value(column)? {
            Value::Null => Ok(None),
            _ => self.time(column).map(Some),
        }
    }

    /// A text read by its type's own parser: codes, states, outcomes.
    pub fn parsed<T: FromStr<Err: Display>>(&self, column: usize) -> Result<T> {
        let text = self.text(column)?;
        text.parse()
            .map_err(|error| self.wrong(column, std::any::type_name::<T>(), format!("{text:?}: {error}")))
    }

    /// The cell as it is.
    pub fn value(&self, column: usize) -> Result<Value<'_>> {
        match self.source {
            RowSource::Sqlite(row) => sqlite::value(row, column),
            RowSource::Postgres(row) => postgres::value(row, column),
        }
    }

    /// For a caller that finds a cell unfit in its own words.
    pub fn wrong(&self, column: usize, wanted: &'static str, found: impl Display) -> Error {
        let name = match self.source {
            RowSource::Sqlite(row) => sqlite::column_name(row, column),
            RowSource::Postgres(row) => postgres::column_name(row, column),
        };
        Error::Column {
            column: name,
            wanted,
            found: found.to_string(),
        }
    }
}
