//! Looks at the stops of rounds: kept, and the last of each found.
//!
//! Of a look the day and the unit are kept. Minutes and posts would be nearly a track of a person, and nobody needs them.

use std::{collections::HashMap, sync::LazyLock};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use whistle_domain::{
    round::Finding,
    words::{CaseNumber, JurisdictionId, StopCode, UnitCode, WordError},
};

use crate::{Conn, Tx, Value, case::day_number, error::Result, params, value::Row};

/// One look at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What was found.
    pub finding: Finding,
    /// On which day of the place, by the clock of whoever looked.
    pub made_on: Date,
    /// On which day it was received.
    pub received_on: Date,
    /// By which unit; none of one that was kept before units were.
    pub unit: Option<UnitCode>,
}

/// A day as it is kept: its midnight UTC.
fn kept(day: Date) -> i64 {
    day_number(day) * MICROSECONDS
}

/// Microseconds of a day.
const MICROSECONDS: i64 = 86_400_000_000;

fn day(row: &Row<'_>, column: usize) -> Result<Date> {
    Ok(TimeZone::UTC.to_datetime(row.time(column)?).date())
}

/// Keeps a look at a stop, and the case that was made of what was found. Of two looks the later one is the last, in whatever
/// order they are received; of two on one day, the one that was received later.
pub fn keep(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    stop: &StopCode,
    look: &Look,
    case: Option<CaseNumber>,
) -> Result<()> {
    let id = tx.next_id(jurisdiction.0, "look")?;
    tx.put(
        "INSERT INTO look (jurisdiction_id, look_id, stop_code, finding, case_number, made_at, received_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            id,
            stop.as_str(),
            look.finding.as_str(),
            case.map(|number| number.0),
            kept(look.made_on),
            kept(look.received_on)
        ],
    )?;
    tx.exec(
        "INSERT INTO last_look (jurisdiction_id, stop_code, finding, made_at, received_at, unit_code)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (jurisdiction_id, stop_code) DO UPDATE
         SET finding = excluded.finding, made_at = excluded.made_at, received_at = excluded.received_at,
             unit_code = excluded.unit_code
         WHERE excluded.made_at >= last_look.made_at",
        params![
            jurisdiction.0,
            stop.as_str(),
            look.finding.as_str(),
            kept(look.made_on),
            kept(look.received_on),
            look.unit.as_ref().map(UnitCode::as_str)
        ],
    )?;
    Ok(())
}

/// What was found at a stop, and on which day; by whom is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// On which day of the place, by the clock of whoever looked.
    pub made_on: Date,
    /// On which day it was received.
    pub received_on: Date,
}

/// The latest looks at a stop, the newest first, at most `limit`.
pub fn history(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    stop: &StopCode,
    limit: usize,
) -> Result<Vec<Found>> {
    conn.rows(
        "SELECT finding, made_at, received_at
         FROM look
         WHERE jurisdiction_id = $1 AND stop_code = $2
         ORDER BY made_at DESC, look_id DESC
         LIMIT $3",
        params![jurisdiction.0, stop.as_str(), limit as i64],
        |row| {
            Ok(Found {
                finding: finding(row, 0)?,
                made_on: day(row, 1)?,
                received_on: day(row, 2)?,
            })
        },
    )
}

/// Forgets looks that were made before a time, at most `most`. The last of each stop stays: by it is known when it is due.
pub fn forget(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, before: Timestamp, most: usize) -> Result<u64> {
    tx.exec(
        "DELETE FROM look
         WHERE jurisdiction_id = $1
           AND look_id IN (SELECT look_id
                           FROM look
                           WHERE jurisdiction_id = $1 AND made_at < $2
                           ORDER BY made_at
                           LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

fn finding(row: &Row<'_>, column: usize) -> Result<Finding> {
    let word = row.text(column)?;
    Finding::of(word).ok_or_else(|| row.wrong(column, "a finding", word))
}

/// Stops that one statement asks for: a whole round mostly.
const AT_ONCE: usize = 50;

/// The last looks at some stops, by code; who was never looked at is left out.
pub fn last(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    stops: &[StopCode],
) -> Result<HashMap<StopCode, Look>> {
    static SQL: LazyLock<String> = LazyLock::new(|| {
        let places: Vec<String> = (2..AT_ONCE + 2).map(|i| format!("${i}")).collect();
        format!(
            "SELECT stop_code, finding, made_at, received_at, unit_code
             FROM last_look
             WHERE jurisdiction_id = $1 AND stop_code IN ({})",
            places.join(", ")
        )
    });
    let mut found = HashMap::with_capacity(stops.len());
    for some in stops.chunks(AT_ONCE) {
        // No code is empty, so what is left over finds nothing.
        let mut values = [Value::Text(""); AT_ONCE + 1];
        values[0] = Value::Int(jurisdiction.0);
        for (value, stop) in values[1..].iter_mut().zip(some) {
            *value = Value::Text(stop.as_str());
        }
        conn.each(&SQL, &values, |row| {
            let wrong = |column| move |error: WordError| row.wrong(column, "a code", error);
            let stop = row.text(0)?.parse().map_err(wrong(0))?;
            let look = Look {
                finding: finding(row, 1)?,
                made_on: day(row, 2)?,
                received_on: day(row, 3)?,
                unit: row.text_opt(4)?.map(str::parse).transpose().map_err(wrong(4))?,
            };
            found.insert(stop, look);
            Ok(())
        })?;
    }
    Ok(found)
}
