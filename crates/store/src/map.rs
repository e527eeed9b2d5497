//! What a map shows of cases: all public ones that have a point, from an index alone.

use whistle_domain::words::JurisdictionId;

use crate::{Conn, error::Result, params};

/// A case as a map shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnMap<'r> {
    /// Its number.
    pub number: i64,
    /// The Z-order key of its point; see [`whistle_domain::geometry::Spot`].
    pub spot: i64,
    /// The word of its stage.
    pub stage: &'r str,
    /// The code of its service.
    pub service: &'r str,
    /// When it was reported first, in microseconds since 1970.
    pub reported_at: i64,
}

/// Closed cases along the index by place, which has all that is asked for; open ones by theirs, which are few. Each is in one of
/// the two: both are read from one state.
const ON_MAP: &str = "
    SELECT spot, stage, service_code, reported_at, number
    FROM cases
    WHERE jurisdiction_id = $1 AND spot IS NOT NULL AND is_open = 0 AND is_public = 1
    UNION ALL
    SELECT spot, stage, service_code, reported_at, number
    FROM cases
    WHERE jurisdiction_id = $1 AND spot IS NOT NULL AND is_open = 1 AND is_public = 1";

/// Every public case with a point, in no order.
pub fn each(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    mut visit: impl FnMut(OnMap<'_>) -> Result<()>,
) -> Result<()> {
    conn.each(ON_MAP, params![jurisdiction.0], |row| {
        visit(OnMap {
            spot: row.int(0)?,
            stage: row.text(1)?,
            service: row.text(2)?,
            reported_at: row.int(3)?,
            number: row.int(4)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use whistle_testbed::{Bed, sql};

    use super::*;
    use crate::{Store, Target};

    const PLACE: JurisdictionId = JurisdictionId(1);

    /// A city's worth of rows: one in ten is open, one in seven is not public, one in eleven has no point.
    const CITY: &str = "
        INSERT INTO cases (jurisdiction_id, number, version, stage, is_open, is_public, service_code, spot, channel,
                           place_version, reported_at, updated_at, due_at, fold, hash)
        SELECT 1, n, 1, CASE WHEN n % 10 = 0 THEN 'assigned' ELSE 'closed' END, CAST(n % 10 = 0 AS INT),
               CAST(n % 7 <> 0 AS INT), 'S-' || n % 20, CASE WHEN n % 11 = 0 THEN NULL ELSE n * 7919 % 1000000 END,
               'web', 1, n * 1000, n * 1000, 9223372036854775807, repeat('f', 600), 'h'
        FROM generate_series(1, 20000) AS n";

    fn explained(store: &Store, explain: &str, column: usize) -> String {
        let steps = store.read_blocking(|conn| {
            conn.rows(&format!("{explain} {ON_MAP}"), params![PLACE.0], |row| {
                Ok(row.text(column)?.to_owned())
            })
        });
        steps.unwrap().join("\n")
    }

    #[test]
    fn on_sqlite_no_closed_case_is_read_for_the_map() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let plan = explained(&store, "EXPLAIN QUERY PLAN", 3);
        assert!(
            plan.contains("USING COVERING INDEX cases_by_spot (jurisdiction_id=?"),
            "{plan}"
        );
        assert!(
            plan.contains("USING INDEX open_cases (jurisdiction_id=?)"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN"), "a full scan: {plan}");
    }

    #[test]
    fn on_postgresql_no_closed_case_is_read_for_the_map() {
        let Some(bed) = Bed::postgres() else { return };
        let store = Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap();
        sql(bed.database_url().unwrap(), CITY);
        sql(bed.database_url().unwrap(), "VACUUM ANALYZE cases");
        let plan = explained(&store, "EXPLAIN", 0);
        assert!(plan.contains("Index Only Scan using cases_by_spot"), "{plan}");
        assert!(!plan.contains("Seq Scan"), "a full scan: {plan}");
        let (mut seen, mut open) = (0, 0);
        let read: Result<()> = store.read_blocking(|conn| {
            each(conn, PLACE, |case| {
                assert!(case.number % 7 != 0 && case.number % 11 != 0, "{case:?}");
                seen += 1;
                open += i32::from(case.stage == "assigned");
                Ok(())
            })
        });
        read.unwrap();
        let on_map = |n: &i32| n % 7 != 0 && n % 11 != 0;
        assert_eq!(seen, (1..=20_000).filter(on_map).count());
        assert_eq!(open as usize, (1..=2_000).map(|n| n * 10).filter(on_map).count());
    }
}
