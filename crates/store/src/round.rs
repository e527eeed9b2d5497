//! Looks at the stops of rounds: kept, and the last of each found.

use std::{collections::HashMap, sync::LazyLock};

use jiff::Timestamp;
use whistle_domain::{
    round::Finding,
    words::{CaseNumber, JurisdictionId, PostCode, StopCode, WordError},
};

use crate::{Conn, Tx, Value, error::Result, params, value::Row};

/// One look at a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// What was found.
    pub finding: Finding,
    /// When, by the clock of whoever looked.
    pub made_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
    /// By which post.
    pub post: PostCode,
}

/// Keeps a look at a stop, and the case that was made of what was found. Of two looks the later one is the last, in whatever
/// order they are received.
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
            look.made_at,
            look.received_at
        ],
    )?;
    tx.exec(
        "INSERT INTO last_look (jurisdiction_id, stop_code, finding, made_at, received_at, post_code)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (jurisdiction_id, stop_code) DO UPDATE
         SET finding = excluded.finding, made_at = excluded.made_at, received_at = excluded.received_at,
             post_code = excluded.post_code
         WHERE excluded.made_at >= last_look.made_at",
        params![
            jurisdiction.0,
            stop.as_str(),
            look.finding.as_str(),
            look.made_at,
            look.received_at,
            look.post.as_str()
        ],
    )?;
    Ok(())
}

/// What was found at a stop, and when; by which post is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What was found.
    pub finding: Finding,
    /// When, by the clock of whoever looked.
    pub made_at: Timestamp,
    /// When it was received.
    pub received_at: Timestamp,
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
                made_at: row.time(1)?,
                received_at: row.time(2)?,
            })
        },
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
            "SELECT stop_code, finding, made_at, received_at, post_code
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
                made_at: row.time(2)?,
                received_at: row.time(3)?,
                post: row.text(4)?.parse().map_err(wrong(4))?,
            };
            found.insert(stop, look);
            Ok(())
        })?;
    }
    Ok(found)
}
