//! Brings a database to the schema of this program: forward only, each step in a transaction of its own.
//!
//! While a new program takes the place of an old one, both run on the new schema. So a step says which programs can: those
//! that know at least the schema version it `reads_from`. It can be as low as the step only adds what an older program
//! neither reads nor must fill: new tables, columns with a default, indexes.

use jiff::Timestamp;

use crate::conn::Conn;
use crate::error::{Error, Result};
use crate::params;

/// One step of the schema, in PostgreSQL's words. Once released, its text never changes.
pub(crate) struct Migration {
    version: i64,
    name: &'static str,
    /// The oldest schema version whose program works on this one too; the step's own version when none does.
    reads_from: i64,
    sql: &'static str,
}

/// All steps, versions ascending from 1 without a gap.
pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 1,
        name: "ground",
        reads_from: 1,
        sql: include_str!("../migrations/0001_ground.sql"),
    },
    Migration {
        version: 2,
        name: "cases",
        reads_from: 2,
        sql: include_str!("../migrations/0002_cases.sql"),
    },
    Migration {
        version: 3,
        name: "accounts",
        reads_from: 3,
        sql: include_str!("../migrations/0003_accounts.sql"),
    },
    Migration {
        version: 4,
        name: "processes",
        reads_from: 4,
        sql: include_str!("../migrations/0004_processes.sql"),
    },
    Migration {
        version: 5,
        name: "photos",
        reads_from: 5,
        sql: include_str!("../migrations/0005_photos.sql"),
    },
    Migration {
        version: 6,
        name: "leases",
        reads_from: 5,
        sql: include_str!("../migrations/0006_leases.sql"),
    },
    Migration {
        version: 7,
        name: "clock steps",
        // An older program would write a case without its steps, and cannot read what they tell.
        reads_from: 7,
        sql: include_str!("../migrations/0007_clock_steps.sql"),
    },
    // Older programs know no whistle, and could not read the cases' events that tell of one.
    Migration {
        version: 8,
        name: "whistles",
        reads_from: 8,
        sql: include_str!("../migrations/0008_whistles.sql"),
    },
    // An older program goes on beside it; what it commits is told by a newer one.
    Migration {
        version: 9,
        name: "notices",
        reads_from: 8,
        sql: include_str!("../migrations/0009_notices.sql"),
    },
    Migration {
        version: 10,
        name: "rights",
        reads_from: 8,
        sql: include_str!("../migrations/0010_rights.sql"),
    },
    Migration {
        version: 11,
        name: "dispatch",
        // An older program cannot read what joint units, requests and questions tell, nor keep who has a part.
        reads_from: 11,
        sql: include_str!("../migrations/0011_dispatch.sql"),
    },
    // Older programs could not read the cases' events that tell of an erasure.
    Migration {
        version: 12,
        name: "erasure",
        reads_from: 12,
        sql: include_str!("../migrations/0012_erasure.sql"),
    },
    Migration {
        version: 13,
        name: "reopen requests",
        reads_from: 12,
        sql: include_str!("../migrations/0013_reopen_requests.sql"),
    },
    Migration {
        version: 14,
        name: "escalated",
        // An older program cannot read the clocks of joint units, nor keep how high up a case was told of.
        reads_from: 14,
        sql: include_str!("../migrations/0014_escalated.sql"),
    },
    // An older program beside it takes a calendar's first address for good until it ends.
    Migration {
        version: 15,
        name: "calendar",
        reads_from: 14,
        sql: include_str!("../migrations/0015_calendar.sql"),
    },
    // An older program goes on beside it: sessions have a default, and it never looks at the other ways to sign in.
    Migration {
        version: 16,
        name: "sign in",
        reads_from: 14,
        sql: include_str!("../migrations/0016_sign_in.sql"),
    },
    // An older program would send what is for the reader of a merged case to somebody else.
    Migration {
        version: 17,
        name: "readers",
        reads_from: 17,
        sql: include_str!("../migrations/0017_readers.sql"),
    },
    // Older programs would show a case of a class to every post, and lose what an event was told.
    Migration {
        version: 18,
        name: "narrow",
        reads_from: 18,
        sql: include_str!("../migrations/0018_narrow.sql"),
    },
    // An older program could not read deliveries that go to devices.
    Migration {
        version: 19,
        name: "push",
        reads_from: 19,
        sql: include_str!("../migrations/0019_push.sql"),
    },
    // The index has its old name and begins as it did.
    Migration {
        version: 20,
        name: "map",
        reads_from: 19,
        sql: include_str!("../migrations/0020_map.sql"),
    },
    Migration {
        version: 21,
        name: "whistles_of_a_class",
        reads_from: 19,
        sql: include_str!("../migrations/0021_whistles_of_a_class.sql"),
    },
    Migration {
        version: 22,
        name: "place_draft",
        reads_from: 19,
        sql: include_str!("../migrations/0022_place_draft.sql"),
    },
    // An older program would leave in the index what is erased.
    Migration {
        version: 23,
        name: "search",
        reads_from: 23,
        sql: include_str!("../migrations/0023_search.sql"),
    },
    Migration {
        version: 24,
        name: "console",
        reads_from: 23,
        sql: include_str!("../migrations/0024_console.sql"),
    },
    // An older program knows no rounds. What it reads of an event it reads as before; when something was done without a
    // network it does not show.
    Migration {
        version: 25,
        name: "rounds",
        reads_from: 23,
        sql: include_str!("../migrations/0025_rounds.sql"),
    },
    // An older program would go on keeping by which post a stop was seen, and at which minute.
    Migration {
        version: 26,
        name: "no track",
        reads_from: 26,
        sql: include_str!("../migrations/0026_no_track.sql"),
    },
    // An older program would change cases and not say so to who follows.
    Migration {
        version: 27,
        name: "changes",
        reads_from: 27,
        sql: include_str!("../migrations/0027_changes.sql"),
    },
    // An older program issues no briefings.
    Migration {
        version: 28,
        name: "briefing",
        reads_from: 27,
        sql: include_str!("../migrations/0028_briefing.sql"),
    },
];

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        *blake3::hash(self.sql.as_bytes()).as_bytes()
    }
}

/// Applies what is missing. `now` is what the log of migrations will say.
pub(crate) fn migrate(conn: &Conn, migrations: &[Migration], now: Timestamp) -> Result<()> {
    // Mostly there is nothing to do, and that is found without a lock.
    if pending(conn, migrations)?.is_empty() {
        return Ok(());
    }
    loop {
        conn.begin_alone()?;
        let step = apply_next(conn, migrations, now);
        if step.is_err() {
            conn.rollback()?;
        } else {
            conn.commit()?;
        }
        if !step? {
            return Ok(());
        }
    }
}

/// Refuses a database that this program does not know, without touching it.
pub(crate) fn check(conn: &Conn, migrations: &[Migration]) -> Result<()> {
    pending(conn, migrations).map(drop)
}

/// Applies the first missing step, inside a transaction: another process may have applied it just before.
fn apply_next(conn: &Conn, migrations: &[Migration], now: Timestamp) -> Result<bool> {
    let Some(next) = pending(conn, migrations)?.first() else {
        return Ok(false);
    };
    conn.define(
        "CREATE TABLE IF NOT EXISTS migration (
             version    BIGINT NOT NULL PRIMARY KEY,
             name       TEXT   NOT NULL,
             applied_at BIGINT NOT NULL,
             checksum   BYTEA  NOT NULL
         ) /* sqlite: STRICT */;",
    )?;
    conn.define(next.sql)?;
    conn.exec(
        "INSERT INTO migration (version, name, applied_at, checksum)
         VALUES ($1, $2, $3, $4)",
        params![next.version, next.name, now, next.checksum()],
    )?;
    if next.reads_from < next.version {
        // A column that the first steps did not have.
        conn.exec(
            "UPDATE migration
             SET reads_from = $2
             WHERE version = $1",
            params![next.version, next.reads_from],
        )?;
    }
    tracing::info!(version = next.version, name = next.name, "migration applied");
    Ok(true)
}

/// The steps that are missing, after a check of those that are there.
fn pending<'m>(conn: &Conn, migrations: &'m [Migration]) -> Result<&'m [Migration]> {
    if !conn.has_table("migration")? {
        return Ok(migrations);
    }
    let applied = conn.rows(
        "SELECT version, checksum
         FROM migration
         ORDER BY version",
        params![],
        |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())),
    )?;
    let known = migrations.last().map_or(0, |last| last.version);
    if let Some((found, _)) = applied.last().filter(|(found, _)| *found > known) {
        let found = *found;
        if !is_usable(conn, known)? {
            return Err(Error::TooNew { found, known });
        }
        tracing::info!(
            found,
            known,
            "the schema is newer than this program and can be used by it"
        );
    }
    for (migration, (version, checksum)) in migrations.iter().zip(&applied) {
        if migration.version != *version || migration.checksum() != checksum[..] {
            return Err(Error::MigrationChanged {
                version: migration.version,
                name: migration.name.to_owned(),
            });
        }
    }
    Ok(migrations.get(applied.len()..).unwrap_or_default())
}

/// Whether a program that knows the schema up to a version works on all steps after it.
fn is_usable(conn: &Conn, known: i64) -> Result<bool> {
    let demanded = conn.row(
        "SELECT MAX(COALESCE(reads_from, version))
         FROM migration
         WHERE version > $1",
        params![known],
        |row| row.int(0),
    )?;
    Ok(demanded <= known)
}

#[cfg(test)]
mod tests {
    use whistle_domain::{rights::Scope, words::JurisdictionId};

    use super::*;
    use crate::sqlite;

    const FIRST: Migration = Migration {
        version: 1,
        name: "first",
        reads_from: 1,
        sql: "CREATE TABLE a (n BIGINT) /* sqlite: STRICT */; ALTER TABLE migration ADD COLUMN reads_from BIGINT;",
    };
    const SECOND: Migration = Migration {
        version: 2,
        name: "second",
        reads_from: 2,
        sql: "CREATE TABLE b (n BIGINT) /* sqlite: STRICT */;",
    };

    fn database() -> (tempfile::TempDir, Conn) {
        let dir = tempfile::tempdir().unwrap();
        let conn = Conn::from(sqlite::open(&dir.path().join("test.db"), crate::conn::Role::Writer).unwrap());
        (dir, conn)
    }

    #[test]
    fn each_step_is_applied_once_and_in_order() {
        let (_dir, conn) = database();
        migrate(&conn, &[FIRST], Timestamp::UNIX_EPOCH).unwrap();
        migrate(&conn, &[FIRST, SECOND], Timestamp::UNIX_EPOCH).unwrap();
        migrate(&conn, &[FIRST, SECOND], Timestamp::UNIX_EPOCH).unwrap();
        let names = conn
            .rows("SELECT name FROM migration ORDER BY version", params![], |row| {
                Ok(row.text(0)?.to_owned())
            })
            .unwrap();
        assert_eq!(names, ["first", "second"]);
        assert!(conn.has_table("b").unwrap());
    }

    #[test]
    fn a_newer_database_is_refused() {
        let (_dir, conn) = database();
        migrate(&conn, &[FIRST, SECOND], Timestamp::UNIX_EPOCH).unwrap();
        let refusal = migrate(&conn, &[FIRST], Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            matches!(refusal, Error::TooNew { found: 2, known: 1 }),
            "{refusal}"
        );
    }

    #[test]
    fn a_newer_database_is_used_by_the_programs_that_its_steps_allow() {
        const ADDED: Migration = Migration {
            reads_from: 1,
            ..SECOND
        };
        const THIRD: Migration = Migration {
            version: 3,
            name: "third",
            reads_from: 2,
            sql: "CREATE TABLE c (n BIGINT) /* sqlite: STRICT */;",
        };
        let (_dir, conn) = database();
        migrate(&conn, &[FIRST, ADDED], Timestamp::UNIX_EPOCH).unwrap();
        migrate(&conn, &[FIRST], Timestamp::UNIX_EPOCH).unwrap();
        migrate(&conn, &[FIRST, ADDED, THIRD], Timestamp::UNIX_EPOCH).unwrap();
        migrate(&conn, &[FIRST, ADDED], Timestamp::UNIX_EPOCH).unwrap();
        let refusal = migrate(&conn, &[FIRST], Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            matches!(refusal, Error::TooNew { found: 3, known: 1 }),
            "{refusal}"
        );
    }

    #[test]
    fn a_migration_whose_text_changed_after_it_was_applied_is_refused() {
        let (_dir, conn) = database();
        migrate(&conn, &[FIRST], Timestamp::UNIX_EPOCH).unwrap();
        let changed = Migration {
            sql: "CREATE TABLE a (n TEXT);",
            ..FIRST
        };
        let refusal = migrate(&conn, &[changed, SECOND], Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(
            matches!(refusal, Error::MigrationChanged { version: 1, .. }),
            "{refusal}"
        );
        assert!(!conn.has_table("b").unwrap());
    }

    #[test]
    fn a_step_that_fails_leaves_nothing_of_itself() {
        let (_dir, conn) = database();
        let broken = Migration {
            sql: "CREATE TABLE b (n BIGINT); CREATE TABLE a (n BIGINT);",
            ..SECOND
        };
        migrate(&conn, &[FIRST, broken], Timestamp::UNIX_EPOCH).unwrap_err();
        assert!(conn.has_table("a").unwrap());
        assert!(!conn.has_table("b").unwrap());
    }

    #[test]
    fn a_key_from_before_scopes_may_do_what_it_could() {
        let (_dir, conn) = database();
        let before = MIGRATIONS.iter().position(|m| m.name == "rights").unwrap();
        migrate(&conn, &MIGRATIONS[..before], Timestamp::UNIX_EPOCH).unwrap();
        conn.exec(
            "INSERT INTO api_key (jurisdiction_id, key_id, key_hash, name, created_at)
             VALUES (1, 1, $1, 'town app', 0)",
            params![[7; 32]],
        )
        .unwrap();
        migrate(&conn, MIGRATIONS, Timestamp::UNIX_EPOCH).unwrap();
        let found = crate::account::key(&conn, JurisdictionId(1), &[7; 32], Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!(found, Some((1, Scope::ALL.to_vec())));
    }

    #[test]
    fn versions_ascend_from_one_without_a_gap() {
        let versions: Vec<_> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        assert_eq!(versions, (1..=MIGRATIONS.len() as i64).collect::<Vec<_>>());
    }

    #[test]
    fn every_table_is_strict_so_that_sqlite_takes_no_value_that_postgresql_would_refuse() {
        let (_dir, conn) = database();
        migrate(&conn, MIGRATIONS, Timestamp::UNIX_EPOCH).unwrap();
        let lax = conn
            .rows(
                "SELECT name FROM pragma_table_list
                 WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite%'",
                params![],
                |row| Ok(row.text(0)?.to_owned()),
            )
            .unwrap();
        assert_eq!(lax, Vec::<String>::new());
    }
}
