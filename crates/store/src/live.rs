//! What changed lately: cases and whistles along the time of their last change, for who follows it.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{Conn, error::Result, params};

/// A case or a whistle that changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Its number.
    pub number: i64,
    /// Its version now.
    pub version: u32,
}

/// Cases that changed lately, the last first.
const CASES: &str = "SELECT number, version
         FROM cases
         WHERE jurisdiction_id = $1 AND updated_at >= $2
         ORDER BY updated_at DESC, number DESC
         LIMIT $3";

/// Whistles that did.
const WHISTLES: &str = "SELECT number, version
         FROM whistle
         WHERE jurisdiction_id = $1 AND updated_at >= $2
         ORDER BY updated_at DESC, number DESC
         LIMIT $3";

/// Cases that changed since a time, at most `most`, the last first.
pub fn cases(conn: &Conn, jurisdiction: JurisdictionId, since: Timestamp, most: usize) -> Result<Vec<Moved>> {
    moved(conn, CASES, jurisdiction, since, most)
}

/// Whistles that changed since a time, at most `most`, the last first.
pub fn whistles(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    since: Timestamp,
    most: usize,
) -> Result<Vec<Moved>> {
    moved(conn, WHISTLES, jurisdiction, since, most)
}

fn moved(
    conn: &Conn,
    sql: &str,
    jurisdiction: JurisdictionId,
    since: Timestamp,
    most: usize,
) -> Result<Vec<Moved>> {
    conn.rows(sql, params![jurisdiction.0, since, most as i64], |row| {
        Ok(Moved {
            number: row.int(0)?,
            version: row.int(1)? as u32,
        })
    })
}

#[cfg(test)]
mod tests {
    use whistle_testbed::{Bed, sql};

    use super::*;
    use crate::{Store, Target};

    fn plan(store: &Store, explain: &str, statement: &str, column: usize) -> String {
        let steps: Result<Vec<String>> = store.read_blocking(|conn| {
            conn.rows(
                &format!("{explain} {statement}"),
                params![1_i64, 19_990_000_i64, 100_i64],
                |row| Ok(row.text(column)?.to_owned()),
            )
        });
        steps.unwrap().join("\n")
    }

    #[test]
    fn on_sqlite_what_changed_lately_is_found_along_the_time_of_the_change() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        for (statement, index) in [(CASES, "cases_by_update"), (WHISTLES, "whistle_by_update")] {
            let plan = plan(&store, "EXPLAIN QUERY PLAN", statement, 3);
            assert!(plan.contains(&format!("INDEX {index} ")), "{plan}");
            assert!(!plan.contains("SCAN"), "a full scan: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
        }
    }

    #[test]
    fn on_postgresql_what_changed_lately_is_found_along_the_time_of_the_change() {
        let Some(bed) = Bed::postgres() else { return };
        let store = Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap();
        sql(
            bed.database_url().unwrap(),
            "INSERT INTO cases (jurisdiction_id, number, version, stage, is_open, is_public, service_code, channel,
                                place_version, reported_at, updated_at, due_at, fold, hash)
             SELECT 1, n, 1, 'closed', 0, 1, 'S', 'web', 1, n * 1000, n * 1000, 9223372036854775807, repeat('f', 600), 'h'
             FROM generate_series(1, 20000) AS n;
             INSERT INTO whistle (jurisdiction_id, number, version, stage, is_open, kind_code, asked_at, updated_at, due_at,
                                  step_at, fold, hash)
             SELECT 1, n, 1, 'closed', 0, 'K', n * 1000, n * 1000, 9223372036854775807, 9223372036854775807,
                    repeat('f', 600), 'h'
             FROM generate_series(1, 20000) AS n;
             ANALYZE cases; ANALYZE whistle;",
        );
        for (statement, index) in [(CASES, "cases_by_update"), (WHISTLES, "whistle_by_update")] {
            let plan = plan(&store, "EXPLAIN", statement, 0);
            assert!(plan.contains(index), "{plan}");
            assert!(!plan.contains("Seq Scan"), "a full scan: {plan}");
        }
    }
}
