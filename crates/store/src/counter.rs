//! Counters kept in step with the log: gathered in memory, written once per group commit.

use std::collections::BTreeMap;

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
