//! The audit: every log folded anew, every hash computed anew, every counter recounted, and compared with what is stored: rows
//! and their columns, and each table that is kept beside them so that lists find them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use whistle_domain::{
    calendar::Calendar,
    case::Case,
    place::{Level, Place},
    tally, transition,
    words::{CaseNumber, JurisdictionId, PostCode, UnitCode},
};

use crate::{
    Conn, Counter,
    case::{
        Columns, Hash, Stored, counter, event, fold, hash_at, hash_of_text, hash_of_told, link, told_hash,
        units,
    },
    error::Result,
    params, search,
    value::Row,
    whistle,
};

/// What a check of the whole store found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Audit {
    /// Cases looked at.
    pub cases: u64,
    /// Events looked at.
    pub events: u64,
    /// Whistles looked at.
    pub whistles: u64,
    /// Counters recounted.
    pub counters: u64,
    /// Everything that is not as it must be, at most [`MAX_FINDINGS`].
    pub findings: Vec<String>,
}

/// The most findings that are written out; more say no more.
pub const MAX_FINDINGS: usize = 100;

impl Audit {
    pub(crate) fn find(&mut self, what: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(what);
        }
    }
}

/// Checks a jurisdiction: the chain of hashes of every log, the fold of every log against the stored row and its
/// columns, the units with a part against their rows, every counter against a recount, the whistles in the same way, and the words by which cases are found. Memory does not grow with the number of cases.
pub fn audit(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    place: &Place,
    mut progress: impl FnMut(u64),
) -> Result<Audit> {
    let calendar = &place.calendar;
    let mut audit = Audit::default();
    let mut recount: BTreeMap<Counter, i64> = BTreeMap::new();
    let mut current: Option<Replay> = None;
    conn.each(
        "SELECT c.number, c.version, c.fold, c.hash, e.version, e.at, e.entry, e.text, e.told, e.text_hash, e.hash,
                c.stage, c.outcome, c.is_open, c.is_public, c.service_code, c.lead_code, c.town_code,
                c.community_code, c.reported_at, c.updated_at, c.due_at, c.spot, c.step_at, c.standard_code,
                c.city_code, c.cell_code, c.channel, c.place_version, c.closed_at, c.parked_until, c.escalated,
                c.access_code
         FROM cases AS c
         LEFT JOIN event AS e ON e.jurisdiction_id = c.jurisdiction_id AND e.number = c.number
         WHERE c.jurisdiction_id = $1
         ORDER BY c.number, e.version",
        params![jurisdiction.0],
        |row| {
            let number = CaseNumber(row.int(0)?);
            if current.as_ref().is_none_or(|replay| replay.number != number) {
                if let Some(done) = current.take() {
                    done.finish(&mut audit);
                    progress(audit.cases);
                }
                current = Some(Replay::begin(row, number)?);
            }
            if let Some(replay) = &mut current {
                replay.step(row, jurisdiction, calendar, &mut recount, &mut audit)?;
            }
            Ok(())
        },
    )?;
    if let Some(done) = current {
        done.finish(&mut audit);
    }
    compare_units(conn, jurisdiction, &mut audit)?;
    find_orphans(conn, jurisdiction, &mut audit)?;
    compare_counters(conn, jurisdiction, recount, &mut audit)?;
    whistle::audit(conn, jurisdiction, &mut audit)?;
    search::audit(conn, jurisdiction, place, &mut audit)?;
    check_sequences(conn, jurisdiction, &mut audit)?;
    check_handovers(conn, jurisdiction, &mut audit)?;
    check_briefings(conn, jurisdiction, &mut audit)?;
    Ok(audit)
}

/// What the JSON of a case with parts in it has: the list is left out where there are none, and a quotation mark in a text
/// has a backslash before it.
const WITH_PARTS: &str = "%\"joint\":[%";

/// Compares who has a part in a case with the rows by which the unit finds it. That the case itself is what its log folds to
/// was looked at before.
fn compare_units(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    let compare = |audit: &mut Audit, case: &Case, rows: &BTreeSet<UnitCode>| {
        if units(case) != *rows {
            audit.find(format!(
                "case {}: the units in case_unit are not those with a part in it",
                case.number
            ));
        }
    };
    let mut current: Option<(Case, BTreeSet<UnitCode>)> = None;
    conn.each(
        "SELECT c.number, c.fold, u.unit_code
         FROM cases AS c
         LEFT JOIN case_unit AS u ON u.jurisdiction_id = c.jurisdiction_id AND u.number = c.number
         WHERE c.jurisdiction_id = $1 AND (u.unit_code IS NOT NULL OR c.fold LIKE $2)
         ORDER BY c.number, u.unit_code",
        params![jurisdiction.0, WITH_PARTS],
        |row| {
            let number = CaseNumber(row.int(0)?);
            if current.as_ref().is_none_or(|(case, _)| case.number != number) {
                if let Some((case, rows)) = current.take() {
                    compare(audit, &case, &rows);
                }
                current = Some((fold(row, 1)?, BTreeSet::new()));
            }
            if let (Some((_, rows)), Some(unit)) = (&mut current, row.text_opt(2)?) {
                let unit = unit
                    .parse()
                    .map_err(|error| row.wrong(2, "the code of a unit", error))?;
                rows.insert(unit);
            }
            Ok(())
        },
    )?;
    if let Some((case, rows)) = current {
        compare(audit, &case, &rows);
    }
    Ok(())
}

/// Finds rows that belong to nothing.
fn find_orphans(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    const CASE_OR_WHISTLE: &str = "p.jurisdiction_id = e.jurisdiction_id AND p.number = e.number";
    const EVENT: &str =
        "p.jurisdiction_id = e.jurisdiction_id AND p.number = e.number AND p.version = e.version";
    for (table, parent, belongs, what) in [
        ("event", "cases", CASE_OR_WHISTLE, "events belong to no case"),
        (
            "case_unit",
            "cases",
            CASE_OR_WHISTLE,
            "rows of case_unit belong to no case",
        ),
        (
            "case_search",
            "cases",
            CASE_OR_WHISTLE,
            "entries of the index of words belong to no case",
        ),
        (
            "contact_view",
            "cases",
            CASE_OR_WHISTLE,
            "looks at contact data belong to no case",
        ),
        (
            "imported",
            "cases",
            CASE_OR_WHISTLE,
            "rows of imported belong to no case",
        ),
        (
            "outbox",
            "event",
            EVENT,
            "messages in the outbox tell of no event of a case",
        ),
        (
            "whistle_outbox",
            "whistle_event",
            EVENT,
            "messages in the outbox tell of no event of a whistle",
        ),
        (
            "whistle_event",
            "whistle",
            CASE_OR_WHISTLE,
            "events of whistles belong to no whistle",
        ),
        (
            "whistle_call",
            "whistle",
            CASE_OR_WHISTLE,
            "calls of units belong to no whistle",
        ),
        (
            "whistle_case",
            "whistle",
            CASE_OR_WHISTLE,
            "cases of whistles belong to no whistle",
        ),
    ] {
        let sql = format!(
            "SELECT COUNT(*)
             FROM {table} AS e
             WHERE e.jurisdiction_id = $1
               AND NOT EXISTS (SELECT 1
                               FROM {parent} AS p
                               WHERE {belongs})"
        );
        let orphans: i64 = conn.row(&sql, params![jurisdiction.0], |row| row.int(0))?;
        if orphans > 0 {
            audit.find(format!("{orphans} {what}"));
        }
    }
    Ok(())
}

/// A number is given once: the next one lies behind all that are there.
fn check_sequences(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    for (sql, name) in [
        (
            "SELECT COALESCE(MAX(number), 0)
             FROM cases
             WHERE jurisdiction_id = $1",
            "case",
        ),
        (
            "SELECT COALESCE(MAX(number), 0)
             FROM whistle
             WHERE jurisdiction_id = $1",
            "whistle",
        ),
    ] {
        let last: i64 = conn.row(sql, params![jurisdiction.0], |row| row.int(0))?;
        let next = conn.row_optional(
            "SELECT next
             FROM sequence
             WHERE jurisdiction_id = $1 AND name = $2",
            params![jurisdiction.0, name],
            |row| row.int(0),
        )?;
        if next.unwrap_or(1) <= last {
            audit.find(format!(
                "the sequence {name} would give {} again: {last} is the last of its numbers that is there",
                next.unwrap_or(1)
            ));
        }
    }
    Ok(())
}

/// A handover folds from nothing; but none is written without a post and words.
fn check_handovers(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    conn.each(
        "SELECT post_code, account_id, note
         FROM handover
         WHERE jurisdiction_id = $1
         ORDER BY post_code, at, account_id",
        params![jurisdiction.0],
        |row| {
            let (post, account) = (row.text(0)?, row.int(1)?);
            let is_kept = post.parse::<PostCode>().is_ok() && account > 0 && !row.text(2)?.trim().is_empty();
            if !is_kept {
                audit.find(format!(
                    "the handover of account {account} at post {post:?} is none that the service writes"
                ));
            }
            Ok(())
        },
    )
}

/// An issued briefing is what it was: its document has its hash.
fn check_briefings(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    conn.each(
        "SELECT briefing_id, document, hash
         FROM briefing
         WHERE jurisdiction_id = $1
         ORDER BY briefing_id",
        params![jurisdiction.0],
        |row| {
            let hash = blake3::hash(row.text(1)?.as_bytes()).to_hex();
            if hash.as_str() != row.text(2)? {
                audit.find(format!(
                    "briefing {}: its document is not the one that was issued",
                    row.int(0)?
                ));
            }
            Ok(())
        },
    )
}

fn compare_counters(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    mut recount: BTreeMap<Counter, i64>,
    audit: &mut Audit,
) -> Result<()> {
    conn.each(
        "SELECT name, area_code, unit_code, service_code, day, CAST(SUM(n) AS BIGINT)
         FROM counter
         WHERE jurisdiction_id = $1
         GROUP BY name, area_code, unit_code, service_code, day",
        params![jurisdiction.0],
        |row| {
            audit.counters += 1;
            let name = row.text(0)?;
            let Some(counted) = tally::Counted::ALL.into_iter().find(|c| c.as_str() == name) else {
                audit.find(format!("counter {name:?} is unknown"));
                return Ok(());
            };
            let counter = Counter {
                jurisdiction_id: jurisdiction.0,
                name: counted.as_str(),
                area_code: row.text(1)?.into(),
                unit_code: row.text(2)?.into(),
                service_code: row.text(3)?.into(),
                day: row.int(4)?,
            };
            let stored = row.int(5)?;
            let counted = recount.remove(&counter).unwrap_or_default();
            if stored != counted {
                audit.find(format!(
                    "counter {counter:?} says {stored}, a recount gives {counted}"
                ));
            }
            Ok(())
        },
    )?;
    for (counter, n) in recount.into_iter().filter(|(_, n)| *n != 0) {
        audit.find(format!("counter {counter:?} is missing, a recount gives {n}"));
    }
    Ok(())
}

/// A case being folded anew from its log.
struct Replay {
    number: CaseNumber,
    stored: Stored,
    version: i64,
    columns: Vec<String>,
    case: Option<Case>,
    hash: Hash,
}

impl Replay {
    fn begin(row: &Row<'_>, number: CaseNumber) -> Result<Self> {
        let columns = (11..33)
            .map(|i| row.value(i).map(|v| format!("{v:?}")))
            .collect::<Result<_>>()?;
        Ok(Self {
            number,
            stored: Stored {
                case: fold(row, 2)?,
                hash: hash_at(row, 3)?,
            },
            version: row.int(1)?,
            columns,
            case: None,
            hash: [0; 32],
        })
    }

    fn step(
        &mut self,
        row: &Row<'_>,
        jurisdiction: JurisdictionId,
        calendar: &Calendar,
        recount: &mut BTreeMap<Counter, i64>,
        audit: &mut Audit,
    ) -> Result<()> {
        let Some(version) = row.int_opt(4)? else {
            return Ok(());
        };
        audit.events += 1;
        let number = self.number;
        let (entry, text, text_hash) = (row.text(6)?, row.text_opt(7)?, hash_at(row, 9)?);
        if text.is_some_and(|text| hash_of_text(text) != text_hash) {
            audit.find(format!("case {number}: the text of event {version} was changed"));
        }
        if let Some(beside) = row.text_opt(8)?
            && told_hash(entry).as_deref() != Some(hash_of_told(beside).as_str())
        {
            audit.find(format!(
                "case {number}: what event {version} was told was changed"
            ));
        }
        self.hash = link(
            &self.hash,
            jurisdiction,
            number.0,
            version as u32,
            row.time(5)?,
            entry,
            &text_hash,
        );
        if self.hash != hash_at(row, 10)? {
            audit.find(format!(
                "case {number}: the chain of hashes breaks at event {version}"
            ));
            self.hash = hash_at(row, 10)?;
        }
        let event = event(row, 5)?;
        let folded = match self.case.clone() {
            None => Case::begin(number, &event),
            Some(mut case) => case.apply(&event).map(|()| case),
        };
        match folded {
            Err(error) => audit.find(format!("case {number}: {error}")),
            Ok(after) => {
                if i64::from(after.version) != version {
                    audit.find(format!("case {number}: event {} is missing", after.version));
                }
                let before = self.case.as_ref().map(|case| case.state.stage());
                if !transition::allows(before, &event.body, after.state.stage()) {
                    audit.find(format!(
                        "case {number}: event {version} ({}) leads where the table of transitions does not",
                        event.body.as_str()
                    ));
                }
                for addition in tally::additions(self.case.as_ref(), &after, &event, calendar) {
                    *recount.entry(counter(jurisdiction, &addition)).or_default() += addition.delta;
                }
                self.case = Some(after);
            }
        }
        Ok(())
    }

    fn finish(self, audit: &mut Audit) {
        audit.cases += 1;
        let number = self.number;
        let Some(case) = self.case else {
            audit.find(format!("case {number}: it has no log"));
            return;
        };
        if self.hash != self.stored.hash {
            audit.find(format!(
                "case {number}: the row has not the hash of its last event"
            ));
        }
        if case != self.stored.case {
            audit.find(format!("case {number}: the row is not what its log folds to"));
        }
        let columns = Columns::of(&case, "").checked();
        if self.version != i64::from(case.version) || columns != self.columns {
            audit.find(format!(
                "case {number}: the columns of the row are not what its log folds to"
            ));
        }
    }
}

impl Columns<'_> {
    /// The columns that lists look for, as the audit reads them.
    fn checked(&self) -> Vec<String> {
        let case = self.case;
        params![
            case.state.stage().as_str(),
            case.state.outcome().map(whistle_domain::case::Outcome::as_str),
            i64::from(case.state.is_open()),
            i64::from(case.public),
            case.service.as_str(),
            case.lead.as_ref().map(whistle_domain::words::UnitCode::as_str),
            self.area(Level::Town),
            self.area(Level::Community),
            case.times.reported_at,
            case.times.updated_at,
            self.due_at,
            self.spot,
            self.step_at,
            case.standard
                .as_ref()
                .map(whistle_domain::words::StandardCode::as_str),
            self.area(Level::City),
            self.area(Level::Cell),
            case.channel.as_str(),
            case.place_version,
            case.times.closed_at,
            self.parked_until,
            self.escalated,
            self.access(),
        ]
        .iter()
        .map(|value| format!("{value:?}"))
        .collect()
    }
}
