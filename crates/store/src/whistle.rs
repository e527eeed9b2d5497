//! Whistles and their log: blown, changed, found, listed. Event log, whistle row, cases, calls and outbox change together,
//! here, as `case` does it for cases.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use whistle_domain::{
    case::Actor,
    clock::UnitClock,
    place::Level,
    whistle::{Body, Call, CallState, Event, Stage, Whistle, transition},
    words::{AccessClass, CaseNumber, JurisdictionId, UnitCode, WhistleNumber},
};

use crate::{
    Conn, Tx,
    audit::Audit,
    case::{Hash, NEVER, OfNumbers, Tell, hash_at, hash_of_text, link},
    error::{Error, Result},
    list::{After, MAX_PAGE},
    params,
    value::{Row, Value},
};

/// A whistle as it is stored, with the head of its log's chain.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The whistle.
    pub whistle: Whistle,
    /// The hash of its last event.
    pub hash: Hash,
}

/// The JSON of an event without its time and text.
#[derive(Serialize, Deserialize)]
struct Entry {
    by: Actor,
    body: Body,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    clocks: Vec<UnitClock>,
}

/// The next free number of a whistle.
pub fn next_number(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<WhistleNumber> {
    tx.next_id(jurisdiction.0, "whistle").map(WhistleNumber)
}

/// Writes the events of a command on `before`, all or none; `None` when they begin the whistle. Answers the whistle
/// afterwards.
///
/// Fails with [`Error::Stale`] when the stored row is no longer `before`.
pub fn commit(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: WhistleNumber,
    before: Option<Stored>,
    events: Vec<Event>,
    tell: Tell,
) -> Result<Whistle> {
    let fault = |what: String| Error::Log {
        number: number.0,
        what,
    };
    let (earlier, mut hash) = before.map_or((None, [0; 32]), |b| (Some(b.whistle), b.hash));
    let seen = earlier.as_ref().map(|whistle| whistle.version);
    let mut whistle = earlier.clone();
    for event in events {
        let folded = match whistle.take() {
            None => Whistle::begin(number, &event),
            Some(mut whistle) => whistle.apply(&event).map(|()| whistle),
        };
        let after = folded.map_err(|error| fault(error.to_string()))?;
        hash = append(tx, jurisdiction, number, after.version, &hash, event)?;
        whistle = Some(after);
    }
    let whistle = whistle
        .filter(|after| Some(after.version) != seen)
        .ok_or_else(|| fault("no events".to_owned()))?;
    let columns = Columns::of(&whistle);
    match seen {
        None => insert(tx, jurisdiction, &columns, &hash)?,
        Some(seen) => update(tx, jurisdiction, &columns, &hash, seen)?,
    }
    if earlier.is_none() {
        for case in &whistle.cases {
            tx.queue(
                "INSERT INTO whistle_case (jurisdiction_id, case_number, number)
                 VALUES ($1, $2, $3)",
                params![jurisdiction.0, case.0, number.0],
            )?;
        }
    }
    let was = earlier.as_ref().map(calls).unwrap_or_default();
    for call in calls(&whistle).into_iter().filter(|call| !was.contains(call)) {
        tx.queue(
            "INSERT INTO whistle_call (jurisdiction_id, number, unit_code, state, is_open, due_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (jurisdiction_id, number, unit_code) DO UPDATE
             SET state = EXCLUDED.state, is_open = EXCLUDED.is_open, due_at = EXCLUDED.due_at",
            params![
                jurisdiction.0,
                number.0,
                call.unit,
                call.state,
                i64::from(call.is_open),
                call.due_at
            ],
        )?;
    }
    if tell == Tell::Outbox {
        tx.queue(
            "INSERT INTO whistle_outbox (jurisdiction_id, number, version, since_version, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![
                jurisdiction.0,
                number.0,
                whistle.version,
                seen.unwrap_or(0) + 1,
                whistle.times.updated_at
            ],
        )?;
    }
    Ok(whistle)
}

/// Appends an event to the log. Answers its hash.
fn append(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: WhistleNumber,
    version: u32,
    previous: &Hash,
    event: Event,
) -> Result<Hash> {
    let entry = Entry {
        by: event.by,
        body: event.body,
        clocks: event.clocks,
    };
    let entry = serde_json::to_string(&entry).expect("an event has string keys only");
    let text_hash = hash_of_text(&event.text);
    let hash = link(
        previous,
        jurisdiction,
        number.0,
        version,
        event.at,
        &entry,
        &text_hash,
    );
    tx.queue(
        "INSERT INTO whistle_event (jurisdiction_id, number, version, at, entry, text, text_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        params![
            jurisdiction.0,
            number.0,
            version,
            event.at,
            entry,
            event.text,
            text_hash,
            hash
        ],
    )?;
    Ok(hash)
}

/// The columns that are derived from a whistle.
#[derive(Debug, PartialEq)]
struct Columns {
    number: i64,
    version: u32,
    stage: &'static str,
    is_open: bool,
    kind: String,
    town: Option<String>,
    community: Option<String>,
    asked_at: Timestamp,
    updated_at: Timestamp,
    due_at: i64,
    step_at: i64,
    fold: String,
}

impl Columns {
    fn of(whistle: &Whistle) -> Self {
        let area = |level| whistle.areas.at(level).map(ToString::to_string);
        Self {
            number: whistle.number.0,
            version: whistle.version,
            stage: whistle.stage.as_str(),
            is_open: whistle.stage.is_open(),
            kind: whistle.kind.to_string(),
            town: area(Level::Town),
            community: area(Level::Community),
            asked_at: whistle.times.asked_at,
            updated_at: whistle.times.updated_at,
            due_at: whistle.due_at().map_or(NEVER, Timestamp::as_microsecond),
            step_at: whistle.step_at().map_or(NEVER, Timestamp::as_microsecond),
            fold: serde_json::to_string(whistle).expect("a whistle has string keys only"),
        }
    }
}

fn insert(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, columns: &Columns, hash: &Hash) -> Result<()> {
    tx.queue(
        "INSERT INTO whistle (jurisdiction_id, number, version, stage, is_open, kind_code, town_code, community_code,
                              asked_at, updated_at, due_at, fold, hash, step_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        params![
            jurisdiction.0,
            columns.number,
            columns.version,
            columns.stage,
            i64::from(columns.is_open),
            columns.kind,
            columns.town,
            columns.community,
            columns.asked_at,
            columns.updated_at,
            columns.due_at,
            columns.fold,
            *hash,
            columns.step_at
        ],
    )
}

fn update(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    columns: &Columns,
    hash: &Hash,
    seen: u32,
) -> Result<()> {
    tx.queue_one(
        "UPDATE whistle
         SET version = $3, stage = $4, is_open = $5, updated_at = $6, due_at = $7, fold = $8, hash = $9,
             step_at = $11
         WHERE jurisdiction_id = $1 AND number = $2 AND version = $10",
        params![
            jurisdiction.0,
            columns.number,
            columns.version,
            columns.stage,
            i64::from(columns.is_open),
            columns.updated_at,
            columns.due_at,
            columns.fold,
            *hash,
            seen,
            columns.step_at
        ],
        Error::Stale {
            number: columns.number,
        },
    )
}

/// A row of `whistle_call`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CallRow {
    unit: String,
    state: String,
    is_open: bool,
    due_at: i64,
}

/// The calls of a whistle as rows; none before it is blown.
fn calls(whistle: &Whistle) -> Vec<CallRow> {
    let row = |call: &Call| CallRow {
        unit: call.unit.to_string(),
        state: call.state.as_str().to_owned(),
        is_open: whistle.stage == Stage::Blown && !matches!(call.state, CallState::Refused | CallState::Left),
        due_at: due_of(call),
    };
    let blown = whistle.times.blown_at.is_some();
    whistle.calls.iter().filter(|_| blown).map(row).collect()
}

fn due_of(call: &Call) -> i64 {
    call.clocks
        .next_due()
        .map_or(NEVER, |clock| clock.due_at.as_microsecond())
}

fn fold(row: &Row<'_>, column: usize) -> Result<Whistle> {
    serde_json::from_str(row.text(column)?).map_err(|error| row.wrong(column, "the JSON of a whistle", error))
}

/// The classes of access that the cases of the whistle `w` have today, with blanks between them.
macro_rules! classes {
    () => {
        "(SELECT string_agg(c.access_code, ' ')
          FROM whistle_case AS k
          JOIN cases AS c ON c.jurisdiction_id = k.jurisdiction_id AND c.number = k.case_number
          WHERE k.jurisdiction_id = w.jurisdiction_id AND k.number = w.number AND c.access_code <> '')"
    };
}

/// The whistle of a fold, with the classes of its cases, from two columns of which the first is `column`.
fn with_classes(row: &Row<'_>, column: usize) -> Result<Whistle> {
    let mut whistle = fold(row, column)?;
    for class in row.text_opt(column + 1)?.unwrap_or_default().split_whitespace() {
        let class = class
            .parse()
            .map_err(|error| row.wrong(column + 1, "a class of access", error))?;
        if !whistle.classes.contains(&class) {
            whistle.classes.push(class);
        }
    }
    Ok(whistle)
}

const FIND: &str = concat!(
    "SELECT w.hash, w.fold, ",
    classes!(),
    "
         FROM whistle AS w
         WHERE w.jurisdiction_id = $1 AND w.number = $2"
);

fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        hash: hash_at(row, 0)?,
        whistle: with_classes(row, 1)?,
    })
}

/// The whistle with a number.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, number: WhistleNumber) -> Result<Option<Stored>> {
    conn.row_optional(FIND, params![jurisdiction.0, number.0], stored)
}

/// The bound that always holds is written out, so that the partial index can be used.
const STEPS_DUE: &str = "SELECT number
         FROM whistle
         WHERE jurisdiction_id = $1 AND step_at <= $2 AND step_at < 9223372036854775807
         ORDER BY step_at, number
         LIMIT $3";

/// Whistles of which a limit has run out that was not noted yet, in the order of time.
pub fn steps_due(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<WhistleNumber>> {
    conn.rows(STEPS_DUE, params![jurisdiction.0, now, limit as i64], |row| {
        Ok(WhistleNumber(row.int(0)?))
    })
}

/// Some whistles by their numbers, in no order; who has none is left out.
pub fn some(conn: &Conn, jurisdiction: JurisdictionId, numbers: &[i64]) -> Result<Vec<Whistle>> {
    static SQL: OfNumbers = OfNumbers::new(|places| {
        format!(
            "SELECT w.fold, {}
             FROM whistle AS w
             WHERE w.jurisdiction_id = $1 AND w.number IN ({places})",
            classes!()
        )
    });
    let mut found = Vec::with_capacity(numbers.len());
    SQL.each(conn, jurisdiction, numbers, |row| {
        found.push(with_classes(row, 0)?);
        Ok(())
    })?;
    Ok(found)
}

/// The whistle with a number for a command that will change it; other processes wait with theirs.
pub fn find_to_change(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: WhistleNumber,
) -> Result<Option<Stored>> {
    tx.row_to_change(FIND, params![jurisdiction.0, number.0], stored)
}

/// A whistle as it was at a version, with its log so far, for telling of that. It is for no more eyes than it is today.
pub fn at_version(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: WhistleNumber,
    version: u32,
) -> Result<Option<(Whistle, Vec<Event>)>> {
    let Some(Stored { whistle: today, .. }) = find(conn, jurisdiction, number)? else {
        return Ok(None);
    };
    let mut log = log(conn, jurisdiction, number)?;
    log.truncate(version as usize);
    let then = Whistle::fold(number, &log).ok().map(|mut then| {
        then.classes = today.classes;
        (then, log)
    });
    Ok(then)
}

/// The whole log of a whistle, from its first event.
pub fn log(conn: &Conn, jurisdiction: JurisdictionId, number: WhistleNumber) -> Result<Vec<Event>> {
    conn.rows(
        "SELECT at, entry, text
         FROM whistle_event
         WHERE jurisdiction_id = $1 AND number = $2
         ORDER BY version",
        params![jurisdiction.0, number.0],
        |row| event(row, 0),
    )
}

/// An event from the columns `at, entry, text`, the first of which is `column`.
fn event(row: &Row<'_>, column: usize) -> Result<Event> {
    let entry: Entry = serde_json::from_str(row.text(column + 1)?)
        .map_err(|error| row.wrong(column + 1, "the JSON of an event", error))?;
    Ok(Event {
        at: row.time(column)?,
        by: entry.by,
        body: entry.body,
        text: row.text_opt(column + 2)?.unwrap_or_default().to_owned(),
        clocks: entry.clocks,
    })
}

/// The whistles that were blown on a case, or asked for, newest first; the last hundred of them.
pub fn of_case(conn: &Conn, jurisdiction: JurisdictionId, case: CaseNumber) -> Result<Vec<Whistle>> {
    conn.rows(
        concat!(
            "SELECT w.fold, ",
            classes!(),
            "
         FROM whistle_case AS o
         JOIN whistle AS w ON w.jurisdiction_id = o.jurisdiction_id AND w.number = o.number
         WHERE o.jurisdiction_id = $1 AND o.case_number = $2
         ORDER BY w.asked_at DESC, w.number DESC
         LIMIT 100"
        ),
        params![jurisdiction.0, case.0],
        |row| with_classes(row, 0),
    )
}

/// Whose whistles a list shows.
#[derive(Debug, Clone)]
pub enum Whose {
    /// All of the jurisdiction.
    All,
    /// Those that stations in this area blew.
    Area(Level, String),
    /// Those by which this unit is called.
    Unit(UnitCode),
}

/// A page of whistles, and where the next one begins; of those about cases that have a class of access, only the ones where all
/// of these are among `cleared`. Those of a station by when they were asked for, last first; those of
/// a unit, as long as it has to do with them, by what it must do first, and of the others the last first.
pub fn list(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    whose: &Whose,
    cleared: &[AccessClass],
    open: bool,
    after: Option<After>,
    limit: usize,
) -> Result<(Vec<Whistle>, Option<After>)> {
    // No station is one of a cell.
    if matches!(whose, Whose::Area(Level::Cell, _)) {
        return Ok((Vec::new(), None));
    }
    let limit = limit.clamp(1, MAX_PAGE);
    let first = match (whose, open) {
        (Whose::Unit(_), true) => After {
            key: i64::MIN,
            number: i64::MIN,
        },
        _ => After {
            key: i64::MAX,
            number: i64::MAX,
        },
    };
    let after = after.unwrap_or(first);
    let (is_open, one_more) = (i64::from(open), limit as i64 + 1);
    let mut values = params![jurisdiction.0, is_open, after.key, after.number, one_more].to_vec();
    values.extend(whose.code().map(Value::Text));
    let places = cleared.iter().map(|class| {
        values.push(Value::Text(class.as_str()));
        format!("${}", values.len())
    });
    let sql = statement(whose, open, &not_closed_to(&places.collect::<Vec<_>>()));
    let mut found = conn.rows(&sql, &values, |row| Ok((row.int(0)?, fold(row, 1)?)))?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more);
    let next = last.map(|(key, whistle)| After {
        key: *key,
        number: whistle.number.0,
    });
    Ok((found.into_iter().map(|(_, whistle)| whistle).collect(), next))
}

/// The condition that no case of the whistle `w` has a class of access but those whose placeholders are given.
fn not_closed_to(cleared: &[String]) -> String {
    let but = match cleared {
        [] => String::new(),
        cleared => format!(" AND c.access_code NOT IN ({})", cleared.join(", ")),
    };
    format!(
        "NOT EXISTS (SELECT 1
              FROM whistle_case AS k
              JOIN cases AS c ON c.jurisdiction_id = k.jurisdiction_id AND c.number = k.case_number
              WHERE k.jurisdiction_id = w.jurisdiction_id AND k.number = w.number AND c.access_code <> ''{but})"
    )
}

impl Whose {
    /// The code that the list is about.
    fn code(&self) -> Option<&str> {
        match self {
            Self::All => None,
            Self::Area(_, code) => Some(code),
            Self::Unit(unit) => Some(unit.as_str()),
        }
    }
}

/// The text of a list's statement, of those whistles that `seen` holds for.
fn statement(whose: &Whose, open: bool, seen: &str) -> String {
    let of_area = match whose {
        Whose::All | Whose::Area(Level::City | Level::Cell, _) => "",
        Whose::Area(Level::Town, _) => " AND w.town_code = $6",
        Whose::Area(Level::Community, _) => " AND w.community_code = $6",
        Whose::Unit(_) => {
            let (beyond, order) = if open { (">", "ASC") } else { ("<", "DESC") };
            return format!(
                "SELECT o.due_at, w.fold
                 FROM whistle_call AS o
                 JOIN whistle AS w ON w.jurisdiction_id = o.jurisdiction_id AND w.number = o.number
                 WHERE o.jurisdiction_id = $1 AND o.is_open = $2 AND (o.due_at, o.number) {beyond} ($3, $4)
                   AND o.unit_code = $6 AND {seen}
                 ORDER BY o.due_at {order}, o.number {order}
                 LIMIT $5"
            );
        }
    };
    format!(
        "SELECT w.asked_at, w.fold
         FROM whistle AS w
         WHERE w.jurisdiction_id = $1 AND w.is_open = $2 AND (w.asked_at, w.number) < ($3, $4){of_area} AND {seen}
         ORDER BY w.asked_at DESC, w.number DESC
         LIMIT $5"
    )
}

/// Numbers of open whistles after one, in their order.
pub fn open_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    after: WhistleNumber,
    limit: usize,
) -> Result<Vec<WhistleNumber>> {
    conn.rows(
        "SELECT number
         FROM whistle
         WHERE jurisdiction_id = $1 AND number > $2 AND is_open = 1
         ORDER BY number
         LIMIT $3",
        params![jurisdiction.0, after.0, limit as i64],
        |row| row.int(0).map(WhistleNumber),
    )
}

/// The whistles with numbers after one, in their order.
pub fn all_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    after: WhistleNumber,
    limit: usize,
) -> Result<Vec<Whistle>> {
    conn.rows(
        "SELECT fold
         FROM whistle
         WHERE jurisdiction_id = $1 AND number > $2
         ORDER BY number
         LIMIT $3",
        params![jurisdiction.0, after.0, limit as i64],
        |row| fold(row, 0),
    )
}

/// Checks the whistles of a jurisdiction: chain, fold and columns of each, and its rows of cases and calls.
pub(crate) fn audit(conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
    /// Whistles that are looked at together.
    const ROUND: i64 = 200;
    let mut after = i64::MIN;
    loop {
        let round = conn.rows(
            "SELECT number, version, stage, is_open, kind_code, town_code, community_code, asked_at, updated_at, due_at, step_at,
                    fold, hash
             FROM whistle
             WHERE jurisdiction_id = $1 AND number > $2
             ORDER BY number
             LIMIT $3",
            params![jurisdiction.0, after, ROUND],
            Kept::read,
        )?;
        let Some(last) = round.last() else { break };
        after = last.number.0;
        for kept in round {
            kept.check(conn, jurisdiction, audit)?;
        }
    }
    conn.each(
        "SELECT c.case_number, w.fold
         FROM whistle_case AS c
         JOIN whistle AS w ON w.jurisdiction_id = c.jurisdiction_id AND w.number = c.number
         WHERE c.jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| {
            let (case, whistle) = (CaseNumber(row.int(0)?), fold(row, 1)?);
            if !whistle.cases.contains(&case) {
                let number = whistle.number;
                audit.find(format!(
                    "whistle {number}: case {case} leads to it, and it is not about that"
                ));
            }
            Ok(())
        },
    )?;
    Ok(())
}

/// A row of `whistle` as it is kept.
struct Kept {
    number: WhistleNumber,
    columns: Vec<String>,
    stored: Stored,
}

impl Kept {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            number: WhistleNumber(row.int(0)?),
            columns: (1..11)
                .map(|i| row.value(i).map(|v| format!("{v:?}")))
                .collect::<Result<_>>()?,
            stored: Stored {
                whistle: fold(row, 11)?,
                hash: hash_at(row, 12)?,
            },
        })
    }

    fn check(self, conn: &Conn, jurisdiction: JurisdictionId, audit: &mut Audit) -> Result<()> {
        audit.whistles += 1;
        let number = self.number;
        let mut whistle: Option<Whistle> = None;
        let (mut hash, mut erased) = ([0; 32], false);
        conn.each(
            "SELECT version, at, entry, text, text_hash, hash
             FROM whistle_event
             WHERE jurisdiction_id = $1 AND number = $2
             ORDER BY version",
            params![jurisdiction.0, number.0],
            |row| {
                audit.events += 1;
                let (version, text_hash) = (row.int(0)?, hash_at(row, 4)?);
                match row.text_opt(3)? {
                    Some(text) if hash_of_text(text) != text_hash => {
                        audit.find(format!(
                            "whistle {number}: the text of event {version} was changed"
                        ));
                    }
                    Some(_) => {}
                    None => erased = true,
                }
                let (at, entry) = (row.time(1)?, row.text(2)?);
                hash = link(
                    &hash,
                    jurisdiction,
                    number.0,
                    version as u32,
                    at,
                    entry,
                    &text_hash,
                );
                if hash != hash_at(row, 5)? {
                    audit.find(format!(
                        "whistle {number}: the chain of hashes breaks at event {version}"
                    ));
                    hash = hash_at(row, 5)?;
                }
                let event = event(row, 1)?;
                let before = whistle.as_ref().map(|whistle| whistle.stage);
                let folded = match whistle.take() {
                    None => Whistle::begin(number, &event),
                    Some(mut whistle) => whistle.apply(&event).map(|()| whistle),
                };
                match folded {
                    Err(error) => audit.find(format!("whistle {number}: {error}")),
                    Ok(after) => {
                        if i64::from(after.version) != version {
                            audit.find(format!("whistle {number}: event {} is missing", after.version));
                        }
                        if !transition::allows(before, &event.body, after.stage) {
                            audit.find(format!(
                                "whistle {number}: event {version} ({}) leads where the table does not",
                                event.body.as_str()
                            ));
                        }
                        whistle = Some(after);
                    }
                }
                Ok(())
            },
        )?;
        let Some(whistle) = whistle else {
            audit.find(format!("whistle {number}: it has no log"));
            return Ok(());
        };
        if hash != self.stored.hash {
            audit.find(format!(
                "whistle {number}: the row has not the hash of its last event"
            ));
        }
        if whistle != self.stored.whistle && !erased {
            audit.find(format!("whistle {number}: the row is not what its log folds to"));
        }
        if self.columns != Columns::of(&whistle).checked() {
            audit.find(format!(
                "whistle {number}: the columns of the row are not what its log folds to"
            ));
        }
        check_rows(conn, jurisdiction, &whistle, audit)
    }
}

/// Compares the rows of cases and calls with what the log folds to.
fn check_rows(conn: &Conn, jurisdiction: JurisdictionId, whistle: &Whistle, audit: &mut Audit) -> Result<()> {
    let number = whistle.number;
    let mut rows = conn.rows(
        "SELECT unit_code, state, is_open, due_at
         FROM whistle_call
         WHERE jurisdiction_id = $1 AND number = $2",
        params![jurisdiction.0, number.0],
        |row| {
            Ok(CallRow {
                unit: row.text(0)?.to_owned(),
                state: row.text(1)?.to_owned(),
                is_open: row.int(2)? == 1,
                due_at: row.int(3)?,
            })
        },
    )?;
    let mut wanted = calls(whistle);
    rows.sort();
    wanted.sort();
    if rows != wanted {
        audit.find(format!(
            "whistle {number}: its calls are not what its log folds to"
        ));
    }
    for case in &whistle.cases {
        let linked = conn.row_optional(
            "SELECT 1
             FROM whistle_case
             WHERE jurisdiction_id = $1 AND case_number = $2 AND number = $3",
            params![jurisdiction.0, case.0, number.0],
            |row| row.int(0),
        )?;
        if linked.is_none() {
            audit.find(format!("whistle {number}: it is not found by its case {case}"));
        }
    }
    Ok(())
}

impl Columns {
    /// The columns that lists look for, as the audit reads them.
    fn checked(&self) -> Vec<String> {
        params![
            self.version,
            self.stage,
            i64::from(self.is_open),
            self.kind,
            self.town,
            self.community,
            self.asked_at,
            self.updated_at,
            self.due_at,
            self.step_at,
        ]
        .iter()
        .map(|value| format!("{value:?}"))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn what_has_run_out_is_found_along_its_index() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let steps = store.read_blocking(|conn| {
            conn.rows(
                &format!("EXPLAIN QUERY PLAN {STEPS_DUE}"),
                params![1_i64, 5_i64, 50_i64],
                |row| Ok(row.text(3)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("; ");
        assert!(plan.contains("INDEX whistle_by_step "), "{plan}");
        assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
    }

    #[test]
    fn every_list_runs_along_its_index() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let unit = || Whose::Unit("roads".parse().unwrap());
        let area = |level| Whose::Area(level, "1".to_owned());
        for (whose, open, index) in [
            (Whose::All, true, "whistle_by_time"),
            (area(Level::Town), true, "whistle_by_town"),
            (area(Level::Community), false, "whistle_by_community"),
            (unit(), true, "whistle_call_by_unit"),
            (unit(), false, "whistle_call_by_unit"),
        ] {
            let mut values = params![1_i64, 1_i64, 5_i64, 5_i64, 50_i64].to_vec();
            values.extend(whose.code().map(Value::Text));
            let sql = statement(&whose, open, &not_closed_to(&["'confidential'".to_owned()]));
            let steps = store.read_blocking(|conn| {
                conn.rows(&format!("EXPLAIN QUERY PLAN {sql}"), &values, |row| {
                    Ok(row.text(3)?.to_owned())
                })
            });
            let plan = steps.unwrap().join("; ");
            assert!(plan.contains(&format!("INDEX {index} ")), "{whose:?}: {plan}");
            assert!(!plan.contains("SCAN"), "a full scan: {plan}");
            assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
        }
    }
}
