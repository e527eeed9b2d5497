//! Counters kept in step with the log: gathered in memory, written once per group commit; and summed for figures.

use std::collections::BTreeMap;

use jiff::{SignedDuration, civil::Date};

use crate::case::day_number;
use crate::conn::Conn;
use crate::error::Result;
use crate::params;

/// What is counted. Ordered as the table's key, so that a group is written in the order of its pages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counter {
    pub jurisdiction_id: i64,
    pub name: &'static str,
    /// A dimension that this counter does not have is the empty text.
    pub area_code: Box<str>,
    pub unit_code: Box<str>,
    pub service_code: Box<str>,
    /// Days since 1970-01-01 in the place's own time zone, or [`Counter::TOTAL`].
    pub day: i64,
}

impl Counter {
    /// The `day` of a running total.
    pub const TOTAL: i64 = 0;

    /// A running total without dimensions; set what it has: `Counter { day, ..Counter::total(id, "filed") }`.
    pub fn total(jurisdiction_id: i64, name: &'static str) -> Self {
        let none = Box::<str>::default;
        Self {
            jurisdiction_id,
            name,
            area_code: none(),
            unit_code: none(),
            service_code: none(),
            day: Self::TOTAL,
        }
    }
}

/// By what counters are summed within each jurisdiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Within {
    /// By nothing further.
    Jurisdiction,
    /// By service.
    Service,
    /// By day; running totals, which have none, are left out.
    Day,
}

/// What the counters of one name add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum<'r> {
    pub jurisdiction_id: i64,
    pub name: &'r str,
    /// Only when summed by service.
    pub service_code: Option<&'r str>,
    /// Only when summed by day.
    pub day: Option<Date>,
    pub n: i64,
}

/// Sums the counters of all jurisdictions over the days from `from` to `to`, both included; running totals are taken as they
/// are. `visit` gets each sum, in no order; none is kept, since a nation's year has millions of days.
///
/// One statement that reads nothing but this table and groups by its jurisdiction first: on Citus each machine adds up its
/// own, and only sums travel. What is counted by area is counted by service too, so one of both is summed.
pub fn sums(conn: &Conn, within: Within, from: Date, to: Date, mut visit: impl FnMut(Sum<'_>)) -> Result<()> {
    let statement = match within {
        Within::Jurisdiction => {
            "SELECT jurisdiction_id, name, CAST(SUM(n) AS BIGINT)
             FROM counter
             WHERE service_code <> '' AND (day BETWEEN $1 AND $2 OR day = $3)
             GROUP BY jurisdiction_id, name"
        }
        Within::Service => {
            "SELECT jurisdiction_id, name, CAST(SUM(n) AS BIGINT), service_code
             FROM counter
             WHERE service_code <> '' AND (day BETWEEN $1 AND $2 OR day = $3)
             GROUP BY jurisdiction_id, name, service_code"
        }
        Within::Day => {
            "SELECT jurisdiction_id, name, CAST(SUM(n) AS BIGINT), day
             FROM counter
             WHERE service_code <> '' AND day BETWEEN $1 AND $2 AND day <> $3
             GROUP BY jurisdiction_id, name, day"
        }
    };
    let (from, to) = (day_number(from), day_number(to));
    conn.each(statement, params![from, to, Counter::TOTAL], |row| {
        visit(Sum {
            jurisdiction_id: row.int(0)?,
            name: row.text(1)?,
            n: row.int(2)?,
            service_code: match within {
                Within::Service => Some(row.text(3)?),
                _ => None,
            },
            day: match within {
                Within::Day => Some(date_of(row.int(3)?)),
                _ => None,
            },
        });
        Ok(())
    })
}

/// The date of a `day`.
fn date_of(day: i64) -> Date {
    jiff::civil::date(1970, 1, 1).saturating_add(SignedDuration::from_hours(day.saturating_mul(24)))
}

/// Increments of one group that are not in the table yet.
#[derive(Default)]
pub(crate) struct Increments {
    pending: BTreeMap<Counter, i64>,
}

impl Increments {
    pub fn add(&mut self, counter: Counter, delta: i64) {
        let n = self.pending.entry(counter).or_default();
        *n = n.saturating_add(delta);
    }

    pub fn forget(&mut self) {
        self.pending.clear();
    }

    /// Adds them to the table, each counter once. In the order of the key: two processes that should ever share a
    /// slot then wait for each other, and never in a circle.
    pub fn flush(&mut self, conn: &Conn) -> Result<()> {
        let slot = conn.slot();
        while let Some((counter, n)) = self.pending.pop_first() {
            if n == 0 {
                continue;
            }
            conn.put(
                "INSERT INTO counter (jurisdiction_id, name, area_code, unit_code, service_code, day, slot, n)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (jurisdiction_id, name, area_code, unit_code, service_code, day, slot)
                 DO UPDATE SET n = counter.n + excluded.n",
                params![
                    counter.jurisdiction_id,
                    counter.name,
                    counter.area_code,
                    counter.unit_code,
                    counter.service_code,
                    counter.day,
                    slot,
                    n
                ],
            )?;
        }
        Ok(())
    }
}
