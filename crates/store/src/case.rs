//! Cases and their log: filed, changed, found, listed. Event log, case row, counters and outbox change together, here.

use std::{collections::BTreeMap, ops::RangeInclusive};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use whistle_domain::{
    calendar::Calendar,
    case::{Actor, Body, Case, Event},
    clock::ClockChange,
    geometry::Spot,
    place::Level,
    tally::{self, By},
    transition,
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn, Counter, Tx,
    error::{Error, Result},
    params,
    value::Row,
};

/// What `due_at` is when no clock runs: later than every time.
pub const NEVER: i64 = i64::MAX;

/// A hash of BLAKE3.
pub type Hash = [u8; 32];

/// A case as it is stored, with the head of its log's chain.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The case.
    pub case: Case,
    /// The hash of its last event.
    pub hash: Hash,
}

/// Whether somebody must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// A message goes to the outbox.
    Outbox,
    /// Nobody: this is history from elsewhere.
    Nobody,
}

/// The JSON of an event without its time and text.
#[derive(Serialize)]
struct EntryRef<'a> {
    by: &'a Actor,
    body: &'a Body,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    clocks: &'a [ClockChange],
}

#[derive(Deserialize)]
struct Entry {
    by: Actor,
    body: Body,
    #[serde(default)]
    clocks: Vec<ClockChange>,
}

/// Days since 1970-01-01.
pub fn day_number(date: Date) -> i64 {
    let epoch = jiff::civil::date(1970, 1, 1);
    epoch.until(date).map_or(0, |span| i64::from(span.get_days()))
}

/// The next free case number.
pub fn next_number(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<CaseNumber> {
    tx.next_id(jurisdiction.0, "case").map(CaseNumber)
}

/// Writes the events of a command, all or none: the log with its hashes, the row, the counters, the outbox.
/// `before` is the stored case, or `None` when the events begin it. Answers the case after them.
///
/// Fails with [`Error::Stale`] when the stored row is no longer what `before` says.
pub fn commit(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    before: Option<Stored>,
    events: &[Event],
    calendar: &Calendar,
    tell: Tell,
) -> Result<Case> {
    let seen = before.as_ref().map(|b| b.case.version);
    let (mut case, mut hash) = before.map_or((None, [0; 32]), |b| (Some(b.case), b.hash));
    let mut hashed = Vec::with_capacity(events.len());
    for event in events {
        let folded = match case.clone() {
            None => Case::begin(number, event),
            Some(mut case) => case.apply(event).map(|()| case),
        };
        let after = folded.map_err(|error| Error::Log {
            number: number.0,
            what: error.to_string(),
        })?;
        for addition in tally::additions(case.as_ref(), &after, event, calendar) {
            tx.count(counter(jurisdiction, &addition), addition.delta);
        }
        let entry = entry_of(event);
        let text_hash = *blake3::hash(event.text.as_bytes()).as_bytes();
        hash = link(
            &hash,
            jurisdiction,
            number,
            after.version,
            event.at,
            &entry,
            &text_hash,
        );
        hashed.push((after.version, entry, text_hash, hash));
        case = Some(after);
    }
    let Some(case) = case else {
        return Err(Error::Log {
            number: number.0,
            what: "no events".to_owned(),
        });
    };
    match seen {
        None => insert(tx, jurisdiction, &case, &hash)?,
        Some(seen) => update(tx, jurisdiction, &case, &hash, seen)?,
    }
    for (event, (version, entry, text_hash, hash)) in events.iter().zip(&hashed) {
        tx.exec(
            "INSERT INTO event (jurisdiction_id, number, version, at, entry, text, text_hash, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            params![
                jurisdiction.0,
                number.0,
                *version,
                event.at,
                entry,
                event.text,
                *text_hash,
                *hash
            ],
        )?;
    }
    if tell == Tell::Outbox && !events.is_empty() {
        tx.exec(
            "INSERT INTO outbox (jurisdiction_id, number, version, since_version, created_at)
             VALUES ($1, $2, $3, $4, $5)",
            params![
                jurisdiction.0,
                number.0,
                case.version,
                seen.unwrap_or(0) + 1,
                case.times.updated_at
            ],
        )?;
    }
    Ok(case)
}

fn entry_of(event: &Event) -> String {
    let entry = EntryRef {
        by: &event.by,
        body: &event.body,
        clocks: &event.clocks,
    };
    serde_json::to_string(&entry).expect("an event has string keys only")
}

/// The next link of a chain. Every field is fixed in length or preceded by its length.
fn link(
    previous: &Hash,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
    version: u32,
    at: Timestamp,
    entry: &str,
    text_hash: &Hash,
) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&jurisdiction.0.to_le_bytes());
    hasher.update(&number.0.to_le_bytes());
    hasher.update(&version.to_le_bytes());
    hasher.update(&at.as_microsecond().to_le_bytes());
    hasher.update(text_hash);
    hasher.update(entry.as_bytes());
    *hasher.finalize().as_bytes()
}

pub(crate) fn counter(jurisdiction: JurisdictionId, addition: &tally::Addition<'_>) -> Counter {
    let mut counter = Counter::total(jurisdiction.0, addition.counted.as_str());
    match addition.by {
        By::Area(code) => counter.area_code = code.into(),
        By::Service(code) => counter.service_code = code.into(),
    }
    counter.day = addition.day.map_or(Counter::TOTAL, day_number);
    counter
}

/// The columns that are derived from a case, in the order of the statements below.
struct Columns<'c> {
    case: &'c Case,
    fold: String,
    spot: Option<i64>,
    due_at: i64,
    parked_until: Option<i64>,
}

impl<'c> Columns<'c> {
    fn of(case: &'c Case) -> Self {
        Self {
            case,
            fold: serde_json::to_string(case).expect("a case has string keys only"),
            spot: case.location.point.map(|p| i64::from(Spot::of(p))),
            due_at: case
                .clocks
                .next_due()
                .map_or(NEVER, |c| c.due_at.as_microsecond()),
            parked_until: case.flags.parked_until.map(day_number),
        }
    }

    fn area(&self, level: Level) -> Option<&str> {
        self.case.location.areas.at(level).map(|code| code.as_str())
    }
}

macro_rules! case_params {
    ($jurisdiction:expr, $columns:expr, $hash:expr $(, $more:expr)*) => {
        params![
            $jurisdiction.0,
            $columns.case.number.0,
            $columns.case.version,
            $columns.case.state.stage().as_str(),
            $columns.case.state.outcome().map(|o| o.as_str()),
            i64::from($columns.case.state.is_open()),
            i64::from($columns.case.public),
            $columns.case.service.as_str(),
            $columns.case.standard.as_ref().map(|s| s.as_str()),
            $columns.case.lead.as_ref().map(|u| u.as_str()),
            $columns.area(Level::City),
            $columns.area(Level::Town),
            $columns.area(Level::Community),
            $columns.area(Level::Cell),
            $columns.spot,
            $columns.case.channel.as_str(),
            $columns.case.place_version,
            $columns.case.times.reported_at,
            $columns.case.times.updated_at,
            $columns.case.times.closed_at,
            $columns.due_at,
            $columns.parked_until,
            $columns.fold,
            *$hash
            $(, $more)*
        ]
    };
}

fn insert(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, case: &Case, hash: &Hash) -> Result<()> {
    let columns = Columns::of(case);
    tx.exec(
        "INSERT INTO cases (jurisdiction_id, number, version, stage, outcome, is_open, is_public, service_code,
                            standard_code, lead_code, city_code, town_code, community_code, cell_code, spot,
                            channel, place_version, reported_at, updated_at, closed_at, due_at, parked_until,
                            fold, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, $24)",
        case_params!(jurisdiction, columns, hash),
    )?;
    Ok(())
}

fn update(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, case: &Case, hash: &Hash, seen: u32) -> Result<()> {
    let columns = Columns::of(case);
    let changed = tx.exec(
        "UPDATE cases
         SET version = $3, stage = $4, outcome = $5, is_open = $6, is_public = $7, service_code = $8,
             standard_code = $9, lead_code = $10, city_code = $11, town_code = $12, community_code = $13,
             cell_code = $14, spot = $15, channel = $16, place_version = $17, reported_at = $18,
             updated_at = $19, closed_at = $20, due_at = $21, parked_until = $22, fold = $23, hash = $24
         WHERE jurisdiction_id = $1 AND number = $2 AND version = $25",
        case_params!(jurisdiction, columns, hash, seen),
    )?;
    if changed == 1 {
        Ok(())
    } else {
        Err(Error::Stale {
            number: case.number.0,
        })
    }
}

fn fold(row: &Row<'_>, column: usize) -> Result<Case> {
    serde_json::from_str(row.text(column)?).map_err(|error| row.wrong(column, "the JSON of a case", error))
}

fn hash_at(row: &Row<'_>, column: usize) -> Result<Hash> {
    row.bytes(column)?
        .try_into()
        .map_err(|_| row.wrong(column, "a hash of 32 bytes", "another length"))
}

/// The case with a number.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Option<Stored>> {
    conn.row_optional(
        "SELECT fold, hash
         FROM cases
         WHERE jurisdiction_id = $1 AND number = $2",
        params![jurisdiction.0, number.0],
        |row| {
            Ok(Stored {
                case: fold(row, 0)?,
                hash: hash_at(row, 1)?,
            })
        },
    )
}

/// The whole log of a case, from its first event.
pub fn log(conn: &Conn, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Vec<Event>> {
    conn.rows(
        "SELECT at, entry, text
         FROM event
         WHERE jurisdiction_id = $1 AND number = $2
         ORDER BY version",
        params![jurisdiction.0, number.0],
        |row| event(row, 0),
    )
}

/// The whole logs of some cases, by number and version.
pub fn logs(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    numbers: &[CaseNumber],
) -> Result<Vec<(CaseNumber, Event)>> {
    /// Cases of one statement: its text must be constant, so a short round is filled up with a number none has.
    const ROUND: usize = 50;
    let places: Vec<String> = (2..ROUND + 2).map(|i| format!("${i}")).collect();
    let sql = format!(
        "SELECT number, at, entry, text
         FROM event
         WHERE jurisdiction_id = $1 AND number IN ({})
         ORDER BY number, version",
        places.join(", ")
    );
    let mut found = Vec::new();
    for round in numbers.chunks(ROUND) {
        let mut values = vec![crate::Value::Int(0); ROUND + 1];
        values[0] = crate::Value::Int(jurisdiction.0);
        for (value, number) in values[1..].iter_mut().zip(round) {
            *value = crate::Value::Int(number.0);
        }
        conn.each(&sql, &values, |row| {
            found.push((CaseNumber(row.int(0)?), event(row, 1)?));
            Ok(())
        })?;
    }
    Ok(found)
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

/// The most cases of one page of a list.
pub const MAX_PAGE: usize = 1000;

/// In which order a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Reported last comes first.
    #[default]
    Newest,
    /// Changed first comes first; for those who follow the changes.
    Updated,
    /// Due first comes first; open cases only.
    Due,
}

/// Where a page begins: after this key in the list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The value of the order's time, microseconds since 1970.
    pub key: i64,
    /// The case number at that time.
    pub number: i64,
}

/// Which cases a list shows. Every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Public ones only.
    pub public: bool,
    /// One of these stages.
    pub stages: Vec<&'static str>,
    /// One of these services.
    pub services: Vec<String>,
    /// In this area: its level and code.
    pub area: Option<(Level, String)>,
    /// Led by this unit.
    pub lead: Option<String>,
    /// In one of these areas or led by this unit: what an actor may see.
    pub sight: Option<Sight>,
    /// Reported in this time; microseconds.
    pub reported: Option<RangeInclusive<i64>>,
    /// Changed in this time; microseconds.
    pub updated: Option<RangeInclusive<i64>>,
    /// Due before this time; microseconds.
    pub due_before: Option<i64>,
    /// With a Z-order key in one of these ranges.
    pub spots: Option<Vec<RangeInclusive<i64>>>,
}

/// What an actor may see: an area, and the cases of a unit wherever they are.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The level and code of the area; none sees no area.
    pub area: Option<(Level, String)>,
    /// The unit.
    pub lead: Option<String>,
}

fn area_column(level: Level) -> &'static str {
    match level {
        Level::City => "city_code",
        Level::Town => "town_code",
        Level::Community => "community_code",
        Level::Cell => "cell_code",
    }
}

/// A statement in the making: conditions with their parameters.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Owned>,
}

enum Owned {
    Int(i64),
    Text(String),
}

impl crate::ToValue for Owned {
    fn to_value(&self) -> crate::Value<'_> {
        match self {
            Self::Int(n) => crate::Value::Int(*n),
            Self::Text(text) => crate::Value::Text(text),
        }
    }
}

impl Conditions {
    /// The placeholder of one more parameter.
    fn hold(&mut self, value: Owned) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() {
            "WHERE "
        } else {
            "\n           AND "
        });
        self.sql.push_str(condition);
    }

    fn one_of(&mut self, column: &str, values: impl Iterator<Item = String>) {
        let places: Vec<String> = values.map(|v| self.hold(Owned::Text(v))).collect();
        if !places.is_empty() {
            self.and(&format!("{column} IN ({})", places.join(", ")));
        }
    }

    fn within(&mut self, column: &str, range: &RangeInclusive<i64>) {
        let from = self.hold(Owned::Int(*range.start()));
        let to = self.hold(Owned::Int(*range.end()));
        self.and(&format!("{column} BETWEEN {from} AND {to}"));
    }

    fn of(jurisdiction: JurisdictionId, filter: &Filter) -> Self {
        let mut all = Self::default();
        let place = all.hold(Owned::Int(jurisdiction.0));
        all.and(&format!("jurisdiction_id = {place}"));
        match filter.open {
            // Written out, so that the partial indexes of open cases can be used.
            Some(true) => all.and("is_open = 1"),
            Some(false) => all.and("is_open = 0"),
            None => {}
        }
        if filter.public {
            all.and("is_public = 1");
        }
        all.one_of("stage", filter.stages.iter().map(|s| (*s).to_owned()));
        all.one_of("service_code", filter.services.iter().cloned());
        if let Some((level, code)) = &filter.area {
            let place = all.hold(Owned::Text(code.clone()));
            all.and(&format!("{} = {place}", area_column(*level)));
        }
        if let Some(lead) = &filter.lead {
            let place = all.hold(Owned::Text(lead.clone()));
            all.and(&format!("lead_code = {place}"));
        }
        if let Some(sight) = &filter.sight {
            let mut either = Vec::new();
            if let Some((level, code)) = &sight.area {
                let place = all.hold(Owned::Text(code.clone()));
                either.push(format!("{} = {place}", area_column(*level)));
            }
            if let Some(lead) = &sight.lead {
                let place = all.hold(Owned::Text(lead.clone()));
                either.push(format!("lead_code = {place}"));
            }
            all.and(&if either.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("({})", either.join(" OR "))
            });
        }
        if let Some(range) = &filter.reported {
            all.within("reported_at", range);
        }
        if let Some(range) = &filter.updated {
            all.within("updated_at", range);
        }
        if let Some(before) = filter.due_before {
            let place = all.hold(Owned::Int(before));
            all.and(&format!("due_at < {place}"));
        }
        if let Some(spots) = &filter.spots {
            let either: Vec<String> = spots
                .iter()
                .map(|range| {
                    let from = all.hold(Owned::Int(*range.start()));
                    let to = all.hold(Owned::Int(*range.end()));
                    format!("spot BETWEEN {from} AND {to}")
                })
                .collect();
            all.and(&if either.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("({})", either.join(" OR "))
            });
        }
        all
    }
}

/// One page of cases, and where the next one begins; none at the end. `skip` rows are passed over in the index, without
/// being read; who can should page by `after` instead.
pub fn list(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Case>, Option<After>)> {
    let limit = limit.clamp(1, MAX_PAGE);
    let (sql, values) = page_statement(jurisdiction, filter, order, after, skip, limit);
    let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
    let mut rows = conn.rows(&sql, &values, |row| {
        Ok((
            After {
                key: row.int(0)?,
                number: row.int(1)?,
            },
            fold(row, 2)?,
        ))
    })?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more {
        rows.last().map(|(key, _)| *key)
    } else {
        None
    };
    Ok((rows.into_iter().map(|(_, case)| case).collect(), next))
}

/// The statement of one page and its parameters. Asks for one row more than the page holds, to know whether more follow.
fn page_statement(
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    skip: usize,
    limit: usize,
) -> (String, Vec<Owned>) {
    let mut conditions = Conditions::of(jurisdiction, filter);
    let (column, direction) = match order {
        Order::Newest => ("reported_at", "DESC"),
        Order::Updated => ("updated_at", "ASC"),
        Order::Due => ("due_at", "ASC"),
    };
    if let Some(after) = after {
        let key = conditions.hold(Owned::Int(after.key));
        let number = conditions.hold(Owned::Int(after.number));
        let sign = if direction == "DESC" { "<" } else { ">" };
        conditions.and(&format!("({column}, number) {sign} ({key}, {number})"));
    }
    let most = conditions.hold(Owned::Int(limit as i64 + 1));
    let skip = conditions.hold(Owned::Int(skip as i64));
    let sql = format!(
        "SELECT {column}, number, fold
         FROM cases
         {}
         ORDER BY {column} {direction}, number {direction}
         LIMIT {most} OFFSET {skip}",
        conditions.sql
    );
    (sql, conditions.values)
}

/// How many cases a filter finds, counted up to `most` only.
pub fn count_up_to(conn: &Conn, jurisdiction: JurisdictionId, filter: &Filter, most: usize) -> Result<usize> {
    let mut conditions = Conditions::of(jurisdiction, filter);
    let most = conditions.hold(Owned::Int(most as i64));
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cases {} LIMIT {most}) AS found",
        conditions.sql
    );
    let values: Vec<_> = conditions.values.iter().map(crate::ToValue::to_value).collect();
    conn.row(&sql, &values, |row| Ok(row.int(0)? as usize))
}

/// Cases whose parking ends on this day or before.
pub fn parked_until(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    day: Date,
    limit: usize,
) -> Result<Vec<CaseNumber>> {
    conn.rows(
        "SELECT number
         FROM cases
         WHERE jurisdiction_id = $1 AND parked_until IS NOT NULL AND parked_until <= $2
         ORDER BY parked_until
         LIMIT $3",
        params![jurisdiction.0, day_number(day), limit as i64],
        |row| row.int(0).map(CaseNumber),
    )
}

/// Numbers of open cases after one, in their order.
pub fn open_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    after: CaseNumber,
    limit: usize,
) -> Result<Vec<CaseNumber>> {
    conn.rows(
        "SELECT number
         FROM cases
         WHERE jurisdiction_id = $1 AND number > $2 AND is_open = 1
         ORDER BY number
         LIMIT $3",
        params![jurisdiction.0, after.0, limit as i64],
        |row| row.int(0).map(CaseNumber),
    )
}

/// Every case in the order of its number, none kept in memory; for exports.
pub fn each(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    mut visit: impl FnMut(Case) -> Result<()>,
) -> Result<()> {
    conn.each(
        "SELECT fold
         FROM cases
         WHERE jurisdiction_id = $1
         ORDER BY number",
        params![jurisdiction.0],
        |row| visit(fold(row, 0)?),
    )
}

/// An event of a public case, with what a follower must know of the case.
#[derive(Debug, Clone)]
pub struct Happening {
    /// The case, as it is now.
    pub number: CaseNumber,
    /// Which event of its log.
    pub version: u32,
    /// The event.
    pub event: Event,
    /// When the case was closed, if it is closed now.
    pub closed_at: Option<Timestamp>,
}

/// Events of public cases in a span of time, in the order in which their cases last changed, then of their log;
/// without the first `skip` of them.
pub fn happenings(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    from: Timestamp,
    to: Timestamp,
    skip: usize,
    limit: usize,
) -> Result<Vec<Happening>> {
    conn.rows(
        "SELECT e.number, e.version, e.at, e.entry, e.text, c.closed_at
         FROM cases AS c
         JOIN event AS e ON e.jurisdiction_id = c.jurisdiction_id AND e.number = c.number
         WHERE c.jurisdiction_id = $1 AND c.updated_at >= $2 AND c.is_public = 1 AND e.at BETWEEN $2 AND $3
         ORDER BY c.updated_at, c.number, e.version
         LIMIT $4 OFFSET $5",
        params![jurisdiction.0, from, to, limit.min(MAX_PAGE) as i64, skip as i64],
        |row| {
            Ok(Happening {
                number: CaseNumber(row.int(0)?),
                version: row.int(1)? as u32,
                event: event(row, 2)?,
                closed_at: row.time_opt(5)?,
            })
        },
    )
}

/// What a check of the whole store found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Audit {
    /// Cases looked at.
    pub cases: u64,
    /// Events looked at.
    pub events: u64,
    /// Counters recounted.
    pub counters: u64,
    /// Everything that is not as it must be, at most [`MAX_FINDINGS`].
    pub findings: Vec<String>,
}

/// The most findings that are written out; more say no more.
pub const MAX_FINDINGS: usize = 100;

impl Audit {
    fn find(&mut self, what: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(what);
        }
    }
}

/// Checks a jurisdiction: the chain of hashes of every log, the fold of every log against the stored row and its
/// columns, and every counter against a recount. Memory does not grow with the number of cases.
pub fn audit(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    calendar: &Calendar,
    mut progress: impl FnMut(u64),
) -> Result<Audit> {
    let mut audit = Audit::default();
    let mut recount: BTreeMap<Counter, i64> = BTreeMap::new();
    let mut current: Option<Replay> = None;
    conn.each(
        "SELECT c.number, c.version, c.fold, c.hash, e.version, e.at, e.entry, e.text, e.text_hash, e.hash,
                c.stage, c.outcome, c.is_open, c.is_public, c.service_code, c.lead_code, c.town_code,
                c.community_code, c.reported_at, c.updated_at, c.due_at, c.spot
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
    let orphans: i64 = conn.row(
        "SELECT COUNT(*)
         FROM event AS e
         WHERE e.jurisdiction_id = $1
           AND NOT EXISTS (SELECT 1
                           FROM cases AS c
                           WHERE c.jurisdiction_id = e.jurisdiction_id AND c.number = e.number)",
        params![jurisdiction.0],
        |row| row.int(0),
    )?;
    if orphans > 0 {
        audit.find(format!("{orphans} events belong to no case"));
    }
    compare_counters(conn, jurisdiction, recount, &mut audit)?;
    Ok(audit)
}

fn compare_counters(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    mut recount: BTreeMap<Counter, i64>,
    audit: &mut Audit,
) -> Result<()> {
    conn.each(
        "SELECT name, area_code, unit_code, service_code, day, n
         FROM counter
         WHERE jurisdiction_id = $1",
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
    erased: bool,
}

impl Replay {
    fn begin(row: &Row<'_>, number: CaseNumber) -> Result<Self> {
        let columns = (10..22)
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
            erased: false,
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
        let (entry, text, text_hash) = (row.text(6)?, row.text_opt(7)?, hash_at(row, 8)?);
        match text {
            Some(text) if *blake3::hash(text.as_bytes()).as_bytes() != text_hash => {
                audit.find(format!("case {number}: the text of event {version} was changed"));
            }
            Some(_) => {}
            None => self.erased = true,
        }
        self.hash = link(
            &self.hash,
            jurisdiction,
            number,
            version as u32,
            row.time(5)?,
            entry,
            &text_hash,
        );
        if self.hash != hash_at(row, 9)? {
            audit.find(format!(
                "case {number}: the chain of hashes breaks at event {version}"
            ));
            self.hash = hash_at(row, 9)?;
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
        if case != self.stored.case && !self.erased {
            audit.find(format!("case {number}: the row is not what its log folds to"));
        }
        let columns = Columns::of(&case).checked();
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
            case.state.outcome().map(|o| o.as_str()),
            i64::from(case.state.is_open()),
            i64::from(case.public),
            case.service.as_str(),
            case.lead.as_ref().map(|u| u.as_str()),
            self.area(Level::Town),
            self.area(Level::Community),
            case.times.reported_at,
            case.times.updated_at,
            self.due_at,
            self.spot,
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

    /// How SQLite would run the page of a list.
    fn plan(filter: &Filter, order: Order) -> String {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let after = Some(After { key: 1, number: 1 });
        let (sql, values) = page_statement(JurisdictionId(1), filter, order, after, 0, 50);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        let steps = store.read_blocking(|conn| {
            conn.rows(&format!("EXPLAIN QUERY PLAN {sql}"), &values, |row| {
                Ok(row.text(3)?.to_owned())
            })
        });
        steps.unwrap().join("; ")
    }

    fn runs_along(filter: &Filter, order: Order, index: &str) {
        let plan = plan(filter, order);
        assert!(plan.contains(&format!("USING INDEX {index}")), "{plan}");
        assert!(!plan.contains("SCAN"), "a full scan: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
    }

    #[test]
    fn the_public_list_runs_along_the_time_of_the_report() {
        let public = Filter {
            public: true,
            ..Filter::default()
        };
        runs_along(&public, Order::Newest, "cases_by_report");
        let window = Filter {
            reported: Some(1..=9),
            open: Some(true),
            ..public
        };
        runs_along(&window, Order::Newest, "cases_by_report");
    }

    #[test]
    fn followers_run_along_the_time_of_the_change() {
        let changed = Filter {
            public: true,
            updated: Some(5..=i64::MAX),
            ..Filter::default()
        };
        runs_along(&changed, Order::Updated, "cases_by_update");
    }

    #[test]
    fn queues_run_along_what_is_due() {
        let open = Filter {
            open: Some(true),
            ..Filter::default()
        };
        runs_along(&open, Order::Due, "open_cases_by_due");
        let lead = Filter {
            lead: Some("U1".to_owned()),
            ..open.clone()
        };
        runs_along(&lead, Order::Due, "open_cases_by_lead");
        let town = Filter {
            area: Some((Level::Town, "T1".to_owned())),
            ..open.clone()
        };
        runs_along(&town, Order::Due, "open_cases_by_town");
        let community = Filter {
            area: Some((Level::Community, "C1".to_owned())),
            ..open
        };
        runs_along(&community, Order::Due, "open_cases_by_community");
    }

    #[test]
    fn a_box_on_the_map_is_found_by_its_spots() {
        let spots = Filter {
            spots: Some(vec![1..=2, 5..=9]),
            open: Some(true),
            ..Filter::default()
        };
        let plan = plan(&spots, Order::Newest);
        assert!(
            plan.contains("cases_by_spot") || plan.contains("cases_by_report"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN cases"), "{plan}");
    }
}
