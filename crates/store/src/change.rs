//! Which cases changed, commit by commit: what somebody follows who keeps something of all cases in step with the log.
//!
//! Each group commit leaves one row for each jurisdiction of which it changed cases, whatever changed them. A writer counts its
//! rows from 1 without a gap, and its commits follow each other, so whoever has read up to a number has everything that this
//! writer did until then. Writers know nothing of each other: a follower remembers how far it read of each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::Event,
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn, Tx,
    case::{OfNumbers, event},
    error::Result,
    params,
    value::Row,
};

/// How much longer than its rows it is remembered how far a writer came: a file of a follower names it, and is worth nothing once that
/// is forgotten.
const WRITERS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 40);

/// What one writer's commits change, gathered until the group ends.
pub(crate) struct Changes {
    writer: String,
    /// The last number of each jurisdiction that is committed.
    counted: BTreeMap<i64, i64>,
    /// Of the group that is being run.
    pending: BTreeMap<i64, BTreeSet<i64>>,
    /// Numbers that are written and not committed.
    written: Vec<(i64, i64)>,
}

impl Changes {
    pub fn begin() -> Self {
        Self {
            writer: name(),
            counted: BTreeMap::new(),
            pending: BTreeMap::new(),
            written: Vec::new(),
        }
    }

    /// A case was changed by a command that stands.
    pub fn note(&mut self, jurisdiction: i64, number: i64) {
        self.pending.entry(jurisdiction).or_default().insert(number);
    }

    /// Writes down what the group changed, in its transaction.
    pub fn flush(&mut self, conn: &Conn) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let at = Timestamp::now();
        while let Some((jurisdiction, numbers)) = self.pending.pop_first() {
            let seq = 1 + self.counted.get(&jurisdiction).copied().unwrap_or(0);
            conn.put(
                "INSERT INTO change (jurisdiction_id, writer_id, seq, at, numbers)
                 VALUES ($1, $2, $3, $4, $5)",
                params![jurisdiction, self.writer, seq, at, packed(&numbers)],
            )?;
            conn.put(
                "INSERT INTO change_writer (jurisdiction_id, writer_id, seq, at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (jurisdiction_id, writer_id)
                 DO UPDATE SET seq = excluded.seq, at = excluded.at",
                params![jurisdiction, self.writer, seq, at],
            )?;
            self.written.push((jurisdiction, seq));
        }
        Ok(())
    }

    /// The group is committed: its numbers are given.
    pub fn keep(&mut self) {
        self.counted.extend(self.written.drain(..));
    }

    /// The group is lost, and its numbers are given again.
    pub fn forget(&mut self) {
        self.pending.clear();
        self.written.clear();
    }

    /// Nobody can tell whether the group was committed: whatever comes counts from 1 under another name.
    pub fn begin_anew(&mut self) {
        *self = Self::begin();
    }
}

fn name() -> String {
    let random = crate::postgres::random;
    format!("{:016x}{:016x}", random(), random())
}

/// Numbers as bytes: each is the distance to the one before, seven bits to a byte, the lowest first; the eighth says that more follow.
fn packed(numbers: &BTreeSet<i64>) -> Vec<u8> {
    let (mut bytes, mut last) = (Vec::with_capacity(numbers.len() + 8), 0_i64);
    for &number in numbers {
        let mut rest = number.wrapping_sub(last) as u64;
        last = number;
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
    }
    bytes
}

/// None where they are no such bytes.
fn unpacked(bytes: &[u8]) -> Option<Vec<CaseNumber>> {
    let (mut numbers, mut last) = (Vec::new(), 0_i64);
    let (mut value, mut shift) = (0_u64, 0);
    for byte in bytes {
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            last = last.wrapping_add(value as i64);
            numbers.push(CaseNumber(last));
            (value, shift) = (0, 0);
        } else {
            shift += 7;
        }
    }
    (shift == 0).then_some(numbers)
}

/// How far a writer has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// In which jurisdiction.
    pub jurisdiction: JurisdictionId,
    /// Who.
    pub writer: String,
    /// The number of its last commit there.
    pub seq: i64,
}

/// What one commit changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub seq: i64,
    /// The cases.
    pub numbers: Vec<CaseNumber>,
}

/// How far all writers have come, in all jurisdictions: one statement, a few rows for each process that ran lately.
pub fn heads(conn: &Conn) -> Result<Vec<Head>> {
    conn.rows(
        "SELECT jurisdiction_id, writer_id, seq
         FROM change_writer
         ORDER BY jurisdiction_id, writer_id",
        params![],
        |row| {
            Ok(Head {
                jurisdiction: JurisdictionId(row.int(0)?),
                writer: row.text(1)?.to_owned(),
                seq: row.int(2)?,
            })
        },
    )
}

/// The commits of a writer after one of them, in their order.
pub fn after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    writer: &str,
    seq: i64,
    limit: usize,
) -> Result<Vec<Change>> {
    conn.rows(
        "SELECT seq, numbers
         FROM change
         WHERE jurisdiction_id = $1 AND writer_id = $2 AND seq > $3
         ORDER BY seq
         LIMIT $4",
        params![jurisdiction.0, writer, seq, limit as i64],
        |row| {
            let numbers = unpacked(row.bytes(1)?);
            Ok(Change {
                seq: row.int(0)?,
                numbers: numbers.ok_or_else(|| row.wrong(1, "packed numbers of cases", "other bytes"))?,
            })
        },
    )
}

/// Forgets commits that were made before a time, the first of each writer first, at most so many; and writers that have been gone
/// for long. Answers how many commits.
pub fn forget(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, before: Timestamp, most: usize) -> Result<u64> {
    let writers = tx.rows(
        "SELECT writer_id
         FROM change_writer
         WHERE jurisdiction_id = $1
         ORDER BY writer_id",
        params![jurisdiction.0],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    let mut forgotten = 0;
    for writer in writers {
        let left = most.saturating_sub(forgotten as usize);
        let first = tx.rows(
            "SELECT seq, at
             FROM change
             WHERE jurisdiction_id = $1 AND writer_id = $2
             ORDER BY seq
             LIMIT $3",
            params![jurisdiction.0, writer, left as i64],
            |row| Ok((row.int(0)?, row.time(1)?)),
        )?;
        let old = first.iter().take_while(|(_, at)| *at < before);
        if let Some((last, _)) = old.last() {
            forgotten += tx.exec(
                "DELETE FROM change
                 WHERE jurisdiction_id = $1 AND writer_id = $2 AND seq <= $3",
                params![jurisdiction.0, writer, *last],
            )?;
        }
    }
    tx.exec(
        "DELETE FROM change_writer
         WHERE jurisdiction_id = $1 AND at < $2",
        params![jurisdiction.0, before - WRITERS_KEPT],
    )?;
    Ok(forgotten)
}

/// When this database began to note changes: no other one did at the same microsecond.
pub fn since(conn: &Conn) -> Result<Timestamp> {
    conn.row(
        "SELECT applied_at
         FROM migration
         WHERE version = 27",
        params![],
        |row| row.time(0),
    )
}

/// The highest number of a case; 0 where there is none.
pub fn highest(conn: &Conn, jurisdiction: JurisdictionId) -> Result<CaseNumber> {
    conn.row(
        "SELECT COALESCE(MAX(number), 0)
         FROM cases
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| row.int(0).map(CaseNumber),
    )
}

/// The log of a case, without a word that anybody wrote.
pub type Log = (CaseNumber, Vec<Event>);

/// The logs of the cases with numbers from after one up to another, in their order.
pub fn logs_between(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    after: CaseNumber,
    upto: CaseNumber,
) -> Result<Vec<Log>> {
    let mut logs = Vec::new();
    conn.each(
        "SELECT number, at, entry, CAST(NULL AS TEXT) AS text, CAST(NULL AS TEXT) AS told
         FROM event
         WHERE jurisdiction_id = $1 AND number > $2 AND number <= $3
         ORDER BY number, version",
        params![jurisdiction.0, after.0, upto.0],
        |row| add(&mut logs, row),
    )?;
    Ok(logs)
}

/// The logs of some cases; of one that there is not, none.
pub fn logs_of(conn: &Conn, jurisdiction: JurisdictionId, numbers: &[CaseNumber]) -> Result<Vec<Log>> {
    static SQL: OfNumbers = OfNumbers::new(|places| {
        format!(
            "SELECT number, at, entry, CAST(NULL AS TEXT) AS text, CAST(NULL AS TEXT) AS told
             FROM event
             WHERE jurisdiction_id = $1 AND number IN ({places})
             ORDER BY number, version"
        )
    });
    let bare: Vec<i64> = numbers.iter().map(|number| number.0).collect();
    let mut logs = Vec::new();
    SQL.each(conn, jurisdiction, &bare, |row| add(&mut logs, row))?;
    Ok(logs)
}

fn add(logs: &mut Vec<Log>, row: &Row<'_>) -> Result<()> {
    let number = CaseNumber(row.int(0)?);
    let event = event(row, 1)?;
    match logs.last_mut() {
        Some((last, log)) if *last == number => log.push(event),
        _ => logs.push((number, vec![event])),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use whistle_testbed::{Bed, sql};

    use super::*;
    use crate::{Error, Store, Target};

    const PLACE: JurisdictionId = JurisdictionId(1);

    fn open(bed: &Bed) -> Store {
        Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
    }

    /// A command that says of some cases that it changed them, and writes something, as all do.
    fn changing(store: &Store, numbers: &[i64]) -> Result<()> {
        let numbers = numbers.to_vec();
        store.write_blocking(move |tx| {
            for number in &numbers {
                tx.note_change(1, *number);
            }
            tx.next_id(1, "look").map(drop)
        })
    }

    fn read(store: &Store) -> Vec<(String, Vec<Change>)> {
        let all = store.read_blocking(|conn| -> Result<_> {
            heads(conn)?
                .into_iter()
                .map(|head| {
                    let changes = after(conn, PLACE, &head.writer, 0, 10_000)?;
                    assert_eq!(changes.last().map(|last| last.seq), Some(head.seq));
                    Ok((head.writer, changes))
                })
                .collect()
        });
        all.unwrap()
    }

    #[test]
    fn numbers_are_packed_and_unpacked_and_other_bytes_are_refused() {
        for numbers in [
            vec![],
            vec![1],
            vec![1, 2, 3, 200, 1_000_000, i64::MAX],
            vec![i64::MIN, 0, 7],
        ] {
            let set: BTreeSet<i64> = numbers.iter().copied().collect();
            let back = unpacked(&packed(&set)).unwrap();
            assert_eq!(back.iter().map(|number| number.0).collect::<Vec<_>>(), numbers);
        }
        assert_eq!(unpacked(&[0x80]), None);
        assert_eq!(unpacked(&[0xff; 12]), None);
    }

    #[test]
    fn each_commit_that_changed_cases_has_a_row_and_one_that_failed_has_none() {
        let bed = Bed::new();
        let store = open(&bed);
        changing(&store, &[5, 3, 5]).unwrap();
        store
            .write_blocking(|tx| tx.next_id(1, "look").map(drop))
            .unwrap();
        let failed: Result<()> = store.write_blocking(|tx| {
            tx.note_change(1, 9);
            tx.next_id(1, "look")?;
            Err(Error::Closed)
        });
        assert!(failed.is_err());
        changing(&store, &[4]).unwrap();
        let all = read(&store);
        let mut numbers: Vec<i64> = all
            .iter()
            .flat_map(|(_, changes)| changes)
            .flat_map(|change| &change.numbers)
            .map(|number| number.0)
            .collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [3, 4, 5]);
    }

    /// What a follower relies on: no number is left out, none comes after a later one was seen, and nothing is missed.
    #[test]
    fn followed_meanwhile_no_change_of_any_writer_is_missed() {
        let bed = Bed::new();
        let stores = [open(&bed), open(&bed)];
        let mut seen: BTreeMap<String, i64> = BTreeMap::new();
        let mut met = BTreeSet::new();
        let mut follow = |store: &Store| {
            let heads = store.read_blocking(heads).unwrap();
            for Head { writer, seq, .. } in heads {
                let from = seen.get(&writer).copied().unwrap_or(0);
                let more = store
                    .read_blocking(|conn| after(conn, PLACE, &writer, from, 1_000))
                    .unwrap();
                for (expected, change) in (from + 1..).zip(&more) {
                    assert_eq!(change.seq, expected, "a gap, or one that came late");
                    met.extend(change.numbers.iter().map(|number| number.0));
                }
                let last = more.last().map_or(from, |last| last.seq);
                assert!(last >= seq, "less than its head says");
                seen.insert(writer, last);
            }
        };
        std::thread::scope(|scope| {
            let writing: Vec<_> = (0..8_i64)
                .map(|hand| {
                    let store = &stores[hand as usize % 2];
                    scope.spawn(move || {
                        for nth in 0..40 {
                            let number = 1 + hand * 100 + nth;
                            if nth % 7 == 3 {
                                let failed: Result<()> = store.write_blocking(move |tx| {
                                    tx.note_change(1, -number);
                                    tx.next_id(1, "look")?;
                                    Err(Error::Closed)
                                });
                                failed.unwrap_err();
                            }
                            changing(store, &[number]).unwrap();
                        }
                    })
                })
                .collect();
            while !writing.iter().all(std::thread::ScopedJoinHandle::is_finished) {
                follow(&stores[0]);
            }
        });
        follow(&stores[0]);
        let all: BTreeSet<i64> = (0..8)
            .flat_map(|hand| (0..40).map(move |nth| 1 + hand * 100 + nth))
            .collect();
        assert_eq!(met, all);
    }

    #[test]
    fn what_is_old_is_forgotten_from_its_beginning_and_the_writer_is_remembered() {
        let bed = Bed::new();
        let store = open(&bed);
        for number in 1..=5 {
            changing(&store, &[number]).unwrap();
        }
        let heads_before = store.read_blocking(heads).unwrap();
        let forget_before = |before: Timestamp| {
            store
                .write_blocking(move |tx| forget(tx, PLACE, before, 2))
                .unwrap()
        };
        assert_eq!(forget_before(Timestamp::UNIX_EPOCH), 0);
        let later = Timestamp::now() + SignedDuration::from_hours(1);
        let mut rounds = vec![];
        loop {
            rounds.push(forget_before(later));
            if rounds.last() == Some(&0) {
                break;
            }
        }
        assert_eq!(rounds.iter().sum::<u64>(), 5);
        assert_eq!(store.read_blocking(heads).unwrap(), heads_before);
        forget_before(later + WRITERS_KEPT);
        assert_eq!(store.read_blocking(heads).unwrap(), []);
    }

    #[test]
    fn on_postgresql_the_changes_of_a_writer_are_found_along_the_key() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        sql(
            bed.database_url().unwrap(),
            "INSERT INTO change (jurisdiction_id, writer_id, seq, at, numbers)
             SELECT 1, 'w' || n % 3, n, n, 'x' FROM generate_series(1, 20000) AS n;
             ANALYZE change;",
        );
        let steps: Result<Vec<String>> = store.read_blocking(|conn| {
            conn.rows(
                "EXPLAIN SELECT seq, numbers
                 FROM change
                 WHERE jurisdiction_id = $1 AND writer_id = $2 AND seq > $3
                 ORDER BY seq
                 LIMIT $4",
                params![1_i64, "w1", 19_000_i64, 100_i64],
                |row| Ok(row.text(0)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("\n");
        assert!(
            plan.contains("change_pkey") && !plan.contains("Seq Scan"),
            "{plan}"
        );
    }
}
