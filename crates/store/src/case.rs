//! Cases and their log: filed, changed, found. Event log, case row, counters and outbox change together, here.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{LazyLock, OnceLock},
};

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use whistle_domain::{
    calendar::Calendar,
    case::{Actor, Body, Case, Event, Told},
    clock::{ClockChange, UnitClock},
    escalation::Tier,
    geometry::Spot,
    place::Level,
    tally::{self, By},
    words::{AccessClass, CaseNumber, JurisdictionId, UnitCode},
};

use crate::{
    Conn, Counter, Tx,
    error::{Error, Result},
    list::MAX_PAGE,
    open_cases::Change,
    params,
    value::{Row, Value},
};

/// What `due_at` and `step_at` are when no clock runs, or none has a step left: later than every time.
pub const NEVER: i64 = i64::MAX;

/// Merged cases that are looked through, for the one that goes on or for who follows it; nobody reports a matter so often
/// that it matters.
pub const MAX_MERGED: usize = 200;

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
    /// In microseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<i64>,
    by: &'a Actor,
    body: &'a Body,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    clocks: &'a [ClockChange],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    parts: &'a [UnitClock],
    /// The hash of what the body was told, in hexadecimal. That stands beside the entry, so that it can be erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    told: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    made_at: Option<i64>,
    by: Actor,
    body: Body,
    #[serde(default)]
    clocks: Vec<ClockChange>,
    #[serde(default)]
    parts: Vec<UnitClock>,
}

/// The JSON of what the body of an event was told.
#[derive(Serialize, Deserialize)]
struct Beside {
    salt: u64,
    #[serde(flatten)]
    told: Told,
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

/// The events of a command with all that goes into the store with them, worked out before the writer's turn: folded,
/// hashed, counted, written out. Only the statements are left to the one thread that writes.
#[derive(Debug)]
pub struct Prepared {
    jurisdiction: JurisdictionId,
    case: Case,
    fold: String,
    hash: Hash,
    /// The version that the stored row must have; none for a new case.
    seen: Option<u32>,
    lines: Vec<Line>,
    counts: Vec<(Counter, i64)>,
    /// The ids of the photos that the events name.
    photos: Vec<String>,
    /// The units that have a part in the case now and had none, and the other way round.
    joined: Vec<UnitCode>,
    left: Vec<UnitCode>,
    /// Whether it comes to a list, or leaves one.
    relisted: bool,
}

/// Whether a change moves a case into a list or out of one, but for lists by when cases were changed.
fn is_relisted(before: &Case, after: &Case) -> bool {
    let listed = |case: &Case| (case.public, case.state.outcome(), case.service.clone());
    listed(before) != listed(after) || before.location != after.location
}

/// The units that have a part in a case.
pub(crate) fn units(case: &Case) -> BTreeSet<UnitCode> {
    case.joint.iter().map(|part| part.unit.clone()).collect()
}

/// One row of the log.
#[derive(Debug)]
struct Line {
    version: u32,
    at: Timestamp,
    entry: String,
    text: String,
    text_hash: Hash,
    told: Option<String>,
    hash: Hash,
}

impl Prepared {
    /// Works out the events of a command on `before`; `None` when they begin the case.
    pub fn new(
        jurisdiction: JurisdictionId,
        number: CaseNumber,
        before: Option<Stored>,
        events: Vec<Event>,
        calendar: &Calendar,
    ) -> Result<Self> {
        let fault = |what: String| Error::Log {
            number: number.0,
            what,
        };
        let seen = before.as_ref().map(|b| b.case.version);
        let photos = events.iter().flat_map(|event| event.body.photos());
        let photos = photos.map(|photo| photo.id.clone()).collect();
        let had_part = before.as_ref().map(|b| units(&b.case)).unwrap_or_default();
        let (earlier, mut hash) = before.map_or((None, [0; 32]), |b| (Some(b.case), b.hash));
        let mut case = earlier.clone();
        let mut lines = Vec::with_capacity(events.len());
        let mut counts = Vec::new();
        for event in events {
            let folded = match case.clone() {
                None => Case::begin(number, &event),
                Some(mut case) => case.apply(&event).map(|()| case),
            };
            let after = folded.map_err(|error| fault(error.to_string()))?;
            let additions = tally::additions(case.as_ref(), &after, &event, calendar);
            counts.extend(additions.iter().map(|a| (counter(jurisdiction, a), a.delta)));
            let (entry, told) = entry_of(&event);
            let text_hash = hash_of_text(&event.text);
            hash = link(
                &hash,
                jurisdiction,
                number.0,
                after.version,
                event.at,
                &entry,
                &text_hash,
            );
            lines.push(Line {
                version: after.version,
                at: event.at,
                entry,
                text: event.text,
                text_hash,
                told,
                hash,
            });
            case = Some(after);
        }
        let case = case
            .filter(|_| !lines.is_empty())
            .ok_or_else(|| fault("no events".to_owned()))?;
        let fold = serde_json::to_string(&case).expect("a case has string keys only");
        let has_part = units(&case);
        Ok(Self {
            relisted: earlier.is_none_or(|earlier| is_relisted(&earlier, &case)),
            joined: has_part.difference(&had_part).cloned().collect(),
            left: had_part.difference(&has_part).cloned().collect(),
            jurisdiction,
            case,
            fold,
            hash,
            seen,
            lines,
            counts,
            photos,
        })
    }

    /// Writes it, all or none: the log with its hashes, the row, the counters, the outbox; and that its photos are used.
    ///
    /// Fails with [`Error::Stale`] when the stored row is no longer what it was prepared on, with
    /// [`Error::PhotoGone`] when a photo of it is being removed.
    pub fn write(&self, tx: &mut Tx<'_>, tell: Tell) -> Result<()> {
        let (jurisdiction, number) = (self.jurisdiction, self.case.number);
        let columns = Columns::of(&self.case, &self.fold);
        match self.seen {
            None => insert(tx, jurisdiction, &columns, &self.hash)?,
            Some(seen) => update(tx, jurisdiction, &columns, &self.hash, seen)?,
        }
        for line in &self.lines {
            tx.put(
                "INSERT INTO event (jurisdiction_id, number, version, at, entry, text, text_hash, hash, told)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                params![
                    jurisdiction.0,
                    number.0,
                    line.version,
                    line.at,
                    line.entry,
                    line.text,
                    line.text_hash,
                    line.hash,
                    line.told.as_deref()
                ],
            )?;
        }
        for unit in &self.joined {
            tx.put(
                "INSERT INTO case_unit (jurisdiction_id, number, unit_code)
                 VALUES ($1, $2, $3)",
                params![jurisdiction.0, number.0, unit.as_str()],
            )?;
        }
        for unit in &self.left {
            tx.queue(
                "DELETE FROM case_unit
                 WHERE jurisdiction_id = $1 AND number = $2 AND unit_code = $3",
                params![jurisdiction.0, number.0, unit.as_str()],
            )?;
        }
        for photo in &self.photos {
            crate::photo::use_up(tx, jurisdiction, photo, self.case.times.updated_at)?;
        }
        crate::search::note_change(tx, jurisdiction, number, self.case.version)?;
        for (counter, delta) in &self.counts {
            tx.count(counter.clone(), *delta);
        }
        tx.note_change(jurisdiction.0, number.0);
        tx.changed(self.relisted, || Change::of(jurisdiction, &columns));
        if tell == Tell::Outbox {
            tx.put(
                "INSERT INTO outbox (jurisdiction_id, number, version, since_version, created_at)
                 VALUES ($1, $2, $3, $4, $5)",
                params![
                    jurisdiction.0,
                    number.0,
                    self.case.version,
                    self.seen.unwrap_or(0) + 1,
                    self.case.times.updated_at
                ],
            )?;
        }
        Ok(())
    }

    /// When the next step of the case is due afterwards; microseconds since 1970, [`NEVER`] when none is.
    pub fn step_at(&self) -> i64 {
        Columns::of(&self.case, &self.fold).step_at
    }

    /// The case after the events.
    pub fn into_case(self) -> Case {
        self.case
    }
}

/// Prepares and writes in one go, for commands that must look at the stored case first. Answers the case afterwards.
pub fn commit(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Stored,
    events: Vec<Event>,
    calendar: &Calendar,
    tell: Tell,
) -> Result<Case> {
    let number = before.case.number;
    let was_asked = before.case.question.is_some();
    let prepared = Prepared::new(jurisdiction, number, Some(before), events, calendar)?;
    prepared.write(tx, tell)?;
    // Nobody is asked any more, so nobody's address is needed.
    if was_asked && prepared.case.question.is_none() {
        crate::intake::erase_respondents(tx, jurisdiction, number)?;
    }
    Ok(prepared.into_case())
}

/// Erases the texts of some events, and what was typed into the bodies of some. The log's chain holds their hashes, and
/// stands; nobody finds the case by its words until it is cut into them anew. Answers the case as its log folds without them, to be committed with the event that tells of it, and how many
/// there were.
pub fn erase_texts(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Stored,
    texts: impl IntoIterator<Item = u32>,
    told: impl IntoIterator<Item = u32>,
) -> Result<(Stored, u32)> {
    let number = before.case.number;
    let mut erased = 0;
    for version in texts {
        erased += tx.exec(
            "UPDATE event
             SET text = NULL
             WHERE jurisdiction_id = $1 AND number = $2 AND version = $3 AND text <> ''",
            params![jurisdiction.0, number.0, version],
        )? as u32;
    }
    let mut inside = false;
    for version in told {
        let gone = tx.exec(
            "UPDATE event
             SET told = NULL
             WHERE jurisdiction_id = $1 AND number = $2 AND version = $3 AND told IS NOT NULL",
            params![jurisdiction.0, number.0, version],
        )? as u32;
        erased += gone;
        if gone == 0 && take_out(tx, jurisdiction, number, version)? {
            erased += 1;
            inside = true;
        }
    }
    if erased == 0 {
        return Ok((before, 0));
    }
    crate::search::forget(tx, jurisdiction, number, before.case.version + 1)?;
    let hash = if inside {
        link_anew(tx, jurisdiction, number)?
    } else {
        before.hash
    };
    let log = logs(tx, jurisdiction, &[number])?;
    let case = Case::fold(number, log.iter().map(|(_, event)| event)).map_err(|error| Error::Log {
        number: number.0,
        what: error.to_string(),
    })?;
    Ok((Stored { case, hash }, erased))
}

/// Takes out of an entry what was typed into its body: a program before this one kept it there. Answers whether there was
/// anything; the chain breaks at this event then.
fn take_out(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, number: CaseNumber, version: u32) -> Result<bool> {
    let entry = tx.row_optional(
        "SELECT entry
         FROM event
         WHERE jurisdiction_id = $1 AND number = $2 AND version = $3",
        params![jurisdiction.0, number.0, version],
        |row| {
            serde_json::from_str::<Entry>(row.text(0)?)
                .map_err(|error| row.wrong(0, "the JSON of an event", error))
        },
    )?;
    let Some(mut entry) = entry else {
        return Ok(false);
    };
    if entry.body.take_told().is_none() {
        return Ok(false);
    }
    let entry = EntryRef {
        made_at: entry.made_at,
        by: &entry.by,
        body: &entry.body,
        clocks: &entry.clocks,
        parts: &entry.parts,
        told: None,
    };
    let entry = written(&entry);
    tx.exec(
        "UPDATE event
         SET entry = $4
         WHERE jurisdiction_id = $1 AND number = $2 AND version = $3",
        params![jurisdiction.0, number.0, version, entry],
    )?;
    Ok(true)
}

/// Links the chain of a case anew, and answers the hash of its last event.
fn link_anew(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Hash> {
    let mut hash = [0; 32];
    let links = tx.rows(
        "SELECT version, at, entry, text_hash
         FROM event
         WHERE jurisdiction_id = $1 AND number = $2
         ORDER BY version",
        params![jurisdiction.0, number.0],
        |row| {
            let version = row.int(0)? as u32;
            let text_hash = hash_at(row, 3)?;
            let (at, entry) = (row.time(1)?, row.text(2)?);
            hash = link(&hash, jurisdiction, number.0, version, at, entry, &text_hash);
            Ok((version, hash))
        },
    )?;
    for (version, hash) in links {
        tx.queue(
            "UPDATE event
             SET hash = $4
             WHERE jurisdiction_id = $1 AND number = $2 AND version = $3",
            params![jurisdiction.0, number.0, version, hash],
        )?;
    }
    Ok(hash)
}

/// The hash of a text; most events have none.
pub(crate) fn hash_of_text(text: &str) -> Hash {
    static OF_NONE: LazyLock<Hash> = LazyLock::new(|| *blake3::hash(b"").as_bytes());
    if text.is_empty() {
        *OF_NONE
    } else {
        *blake3::hash(text.as_bytes()).as_bytes()
    }
}

/// The entry of an event, and what stands beside it.
fn entry_of(event: &Event) -> (String, Option<String>) {
    let mut body = std::borrow::Cow::Borrowed(&event.body);
    let told = event.body.is_told().then(|| body.to_mut().take_told()).flatten();
    let beside = told.map(|told| {
        let beside = Beside {
            salt: event.salt,
            told,
        };
        serde_json::to_string(&beside).expect("it has string keys only")
    });
    let hash = beside.as_deref().map(hash_of_told);
    let entry = EntryRef {
        made_at: event.made_at.map(Timestamp::as_microsecond),
        by: &event.by,
        body: &body,
        clocks: &event.clocks,
        parts: &event.parts,
        told: hash,
    };
    (written(&entry), beside)
}

fn written(entry: &EntryRef<'_>) -> String {
    serde_json::to_string(entry).expect("an event has string keys only")
}

/// The hash by which an entry knows what stands beside it.
pub(crate) fn hash_of_told(beside: &str) -> String {
    blake3::hash(beside.as_bytes()).to_hex().to_string()
}

/// The hash that an entry has of what stands beside it.
pub(crate) fn told_hash(entry: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Hashed {
        told: Option<String>,
    }
    serde_json::from_str::<Hashed>(entry).ok()?.told
}

/// The next link of a chain. Every field is fixed in length or preceded by its length.
pub(crate) fn link(
    previous: &Hash,
    jurisdiction: JurisdictionId,
    number: i64,
    version: u32,
    at: Timestamp,
    entry: &str,
    text_hash: &Hash,
) -> Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(previous);
    hasher.update(&jurisdiction.0.to_le_bytes());
    hasher.update(&number.to_le_bytes());
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
pub(crate) struct Columns<'c> {
    pub(crate) case: &'c Case,
    pub(crate) fold: &'c str,
    pub(crate) spot: Option<i64>,
    pub(crate) due_at: i64,
    pub(crate) step_at: i64,
    pub(crate) parked_until: Option<i64>,
    /// See [`Tier::rank`]; 0 for not at all.
    pub(crate) escalated: i64,
}

impl<'c> Columns<'c> {
    pub(crate) fn of(case: &'c Case, fold: &'c str) -> Self {
        Self {
            case,
            fold,
            spot: case.location.point.map(|p| i64::from(Spot::of(p))),
            due_at: case
                .clocks
                .next_due()
                .map_or(NEVER, |c| c.due_at.as_microsecond()),
            step_at: case.next_step_at().map_or(NEVER, jiff::Timestamp::as_microsecond),
            parked_until: case.flags.parked_until.map(day_number),
            escalated: case.flags.escalated.map_or(0, Tier::rank),
        }
    }

    /// The class of access; empty where there is none.
    pub(crate) fn access(&self) -> &str {
        self.case.access.as_ref().map_or("", AccessClass::as_str)
    }

    pub(crate) fn area(&self, level: Level) -> Option<&str> {
        self.case
            .location
            .areas
            .at(level)
            .map(whistle_domain::words::AreaCode::as_str)
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
            $columns.step_at,
            $columns.parked_until,
            $columns.fold,
            *$hash,
            $columns.escalated,
            $columns.access()
            $(, $more)*
        ]
    };
}

fn insert(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, columns: &Columns<'_>, hash: &Hash) -> Result<()> {
    tx.put(
        "INSERT INTO cases (jurisdiction_id, number, version, stage, outcome, is_open, is_public, service_code,
                            standard_code, lead_code, city_code, town_code, community_code, cell_code, spot,
                            channel, place_version, reported_at, updated_at, closed_at, due_at, step_at,
                            parked_until, fold, hash, escalated, access_code)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                 $22, $23, $24, $25, $26, $27)",
        case_params!(jurisdiction, columns, hash),
    )
}

fn update(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    columns: &Columns<'_>,
    hash: &Hash,
    seen: u32,
) -> Result<()> {
    tx.queue_one(
        "UPDATE cases
         SET version = $3, stage = $4, outcome = $5, is_open = $6, is_public = $7, service_code = $8,
             standard_code = $9, lead_code = $10, city_code = $11, town_code = $12, community_code = $13,
             cell_code = $14, spot = $15, channel = $16, place_version = $17, reported_at = $18,
             updated_at = $19, closed_at = $20, due_at = $21, step_at = $22, parked_until = $23, fold = $24,
             hash = $25, escalated = $26, access_code = $27
         WHERE jurisdiction_id = $1 AND number = $2 AND version = $28",
        case_params!(jurisdiction, columns, hash, seen),
        Error::Stale {
            number: columns.case.number.0,
        },
    )
}

pub(crate) fn fold(row: &Row<'_>, column: usize) -> Result<Case> {
    serde_json::from_str(row.text(column)?).map_err(|error| row.wrong(column, "the JSON of a case", error))
}

pub(crate) fn hash_at(row: &Row<'_>, column: usize) -> Result<Hash> {
    row.bytes(column)?
        .try_into()
        .map_err(|_| row.wrong(column, "a hash of 32 bytes", "another length"))
}

const FIND: &str = "SELECT fold, hash
         FROM cases
         WHERE jurisdiction_id = $1 AND number = $2";

fn stored(row: &Row<'_>) -> Result<Stored> {
    Ok(Stored {
        case: fold(row, 0)?,
        hash: hash_at(row, 1)?,
    })
}

/// The case with a number.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Option<Stored>> {
    conn.row_optional(FIND, params![jurisdiction.0, number.0], stored)
}

/// The same for a command that will change it; other processes wait with theirs.
pub fn find_to_change(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
) -> Result<Option<Stored>> {
    tx.row_to_change(FIND, params![jurisdiction.0, number.0], stored)
}

/// The case that goes on where one was merged into another, and that one into a further; itself where it was not. A merged
/// case is never reopened, so no chain leads back to its beginning.
pub fn goes_on_as(conn: &Conn, jurisdiction: JurisdictionId, number: CaseNumber) -> Result<Option<Case>> {
    let (mut next, mut last) = (Some(number), None);
    for _ in 0..=MAX_MERGED {
        let Some(number) = next else { break };
        let Some(Stored { case, .. }) = find(conn, jurisdiction, number)? else {
            break;
        };
        next = case.duplicate_of;
        last = Some(case);
    }
    Ok(last)
}

/// Some cases by their numbers; who has none is left out.
pub fn some(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    numbers: &[CaseNumber],
) -> Result<HashMap<CaseNumber, Case>> {
    static SQL: OfNumbers = OfNumbers::new(|places| {
        format!(
            "SELECT number, fold
             FROM cases
             WHERE jurisdiction_id = $1 AND number IN ({places})"
        )
    });
    let mut found = HashMap::with_capacity(numbers.len());
    SQL.each(conn, jurisdiction, &bare(numbers), |row| {
        found.insert(CaseNumber(row.int(0)?), fold(row, 1)?);
        Ok(())
    })?;
    Ok(found)
}

fn bare(numbers: &[CaseNumber]) -> Vec<i64> {
    numbers.iter().map(|number| number.0).collect()
}

/// A statement about cases or whistles by their numbers, in two lengths: its text must be constant, so a round that is shorter is filled up with
/// a number that none has.
pub(crate) struct OfNumbers {
    text: fn(&str) -> String,
    page: OnceLock<String>,
    many: OnceLock<String>,
}

impl OfNumbers {
    /// Cases of one statement: those of a page, and the most that are asked for at once.
    const PAGE: usize = 50;
    const MANY: usize = 1000;

    /// `text` makes the statement around its placeholders; the first one is the jurisdiction's.
    pub(crate) const fn new(text: fn(&str) -> String) -> Self {
        Self {
            text,
            page: OnceLock::new(),
            many: OnceLock::new(),
        }
    }

    /// Reads the rows of some numbers.
    pub(crate) fn each(
        &self,
        conn: &Conn,
        jurisdiction: JurisdictionId,
        numbers: &[i64],
        mut of_row: impl FnMut(&Row<'_>) -> Result<()>,
    ) -> Result<()> {
        let (sql, size) = if numbers.len() <= Self::PAGE {
            (&self.page, Self::PAGE)
        } else {
            (&self.many, Self::MANY)
        };
        let sql = sql.get_or_init(|| {
            let places: Vec<String> = (2..size + 2).map(|i| format!("${i}")).collect();
            (self.text)(&places.join(", "))
        });
        for round in numbers.chunks(size) {
            let mut values = vec![Value::Int(0); size + 1];
            values[0] = Value::Int(jurisdiction.0);
            for (value, number) in values[1..].iter_mut().zip(round) {
                *value = Value::Int(*number);
            }
            conn.each(sql, &values, &mut of_row)?;
        }
        Ok(())
    }
}

/// A case and its whole log, from its first event, in one statement.
pub fn with_log(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    number: CaseNumber,
) -> Result<Option<(Case, Vec<Event>)>> {
    let (mut case, mut log) = (None, Vec::new());
    conn.each(
        "SELECT e.at, e.entry, e.text, e.told, CASE WHEN e.version = 1 THEN c.fold END AS fold
         FROM cases AS c
         JOIN event AS e ON e.jurisdiction_id = c.jurisdiction_id AND e.number = c.number
         WHERE c.jurisdiction_id = $1 AND c.number = $2
         ORDER BY e.version",
        params![jurisdiction.0, number.0],
        |row| {
            if case.is_none() {
                case = Some(fold(row, 4)?);
            }
            log.push(event(row, 0)?);
            Ok(())
        },
    )?;
    Ok(case.map(|case| (case, log)))
}

/// The whole logs of some cases, by number and version.
pub fn logs(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    numbers: &[CaseNumber],
) -> Result<Vec<(CaseNumber, Event)>> {
    static SQL: OfNumbers = OfNumbers::new(|places| {
        format!(
            "SELECT number, at, entry, text, told
             FROM event
             WHERE jurisdiction_id = $1 AND number IN ({places})
             ORDER BY number, version"
        )
    });
    let mut found = Vec::new();
    SQL.each(conn, jurisdiction, &bare(numbers), |row| {
        found.push((CaseNumber(row.int(0)?), event(row, 1)?));
        Ok(())
    })?;
    Ok(found)
}

/// An event from the columns `at, entry, text, told`, the first of which is `column`.
pub(crate) fn event(row: &Row<'_>, column: usize) -> Result<Event> {
    let entry: Entry = serde_json::from_str(row.text(column + 1)?)
        .map_err(|error| row.wrong(column + 1, "the JSON of an event", error))?;
    let mut body = entry.body;
    let mut salt = 0;
    if let Some(beside) = row.text_opt(column + 3)? {
        let beside: Beside = serde_json::from_str(beside)
            .map_err(|error| row.wrong(column + 3, "the JSON of what an event was told", error))?;
        salt = beside.salt;
        body.tell(beside.told);
    }
    let made_at = entry.made_at.map(Timestamp::from_microsecond).transpose();
    Ok(Event {
        at: row.time(column)?,
        made_at: made_at.map_err(|error| row.wrong(column + 1, "a time", error))?,
        by: entry.by,
        body,
        text: row.text_opt(column + 2)?.unwrap_or_default().to_owned(),
        salt,
        clocks: entry.clocks,
        parts: entry.parts,
    })
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

/// Whether there is a case in any jurisdiction.
pub fn is_any(conn: &Conn) -> Result<bool> {
    let one = conn.row_optional("SELECT number FROM cases LIMIT 1", params![], |row| row.int(0))?;
    Ok(one.is_some())
}

/// How many cases there are of each class of access, by class.
pub fn of_classes(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<(AccessClass, u64)>> {
    conn.rows(OF_CLASSES, params![jurisdiction.0], |row| {
        Ok((row.parsed(0)?, row.int(1)? as u64))
    })
}

pub(crate) const OF_CLASSES: &str = "SELECT access_code, COUNT(*)
         FROM cases
         WHERE jurisdiction_id = $1 AND access_code <> ''
         GROUP BY access_code
         ORDER BY access_code";

/// A step of a running clock that is to be taken: when it is due, and of which case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// Microseconds since 1970.
    pub at: i64,
    /// The case.
    pub number: CaseNumber,
}

/// The statement of [`steps_due`] on PostgreSQL. The bound that always holds is written out, so that the partial index can
/// be used.
pub const STEPS_DUE: &str = "SELECT step_at, number
         FROM cases
         WHERE jurisdiction_id = $1 AND step_at <= $2 AND step_at < 9223372036854775807
         ORDER BY step_at, number
         LIMIT $3";

/// The first cases that have a step due at a time, in the order of their steps.
pub fn steps_due(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Due>> {
    let now = now.as_microsecond();
    if let Some(open) = conn.open_cases() {
        return Ok(open.steps_until(jurisdiction, now, limit));
    }
    conn.rows(STEPS_DUE, params![jurisdiction.0, now, limit as i64], |row| {
        Ok(Due {
            at: row.int(0)?,
            number: CaseNumber(row.int(1)?),
        })
    })
}

/// The cases in which clocks may run, with numbers after one, in their order: the open ones, and those that are asked to be
/// reopened.
pub fn undecided_after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    after: CaseNumber,
    limit: usize,
) -> Result<Vec<Case>> {
    conn.rows(
        // Each half along its own partial index.
        "SELECT fold
         FROM (SELECT number, fold
               FROM (SELECT number, fold
                     FROM cases
                     WHERE jurisdiction_id = $1 AND number > $2 AND is_open = 1
                     ORDER BY number
                     LIMIT $3) AS open
               UNION ALL
               SELECT number, fold
               FROM (SELECT number, fold
                     FROM cases
                     WHERE jurisdiction_id = $1 AND number > $2 AND stage = 'reopen_requested'
                     ORDER BY number
                     LIMIT $3) AS requested) AS undecided
         ORDER BY number
         LIMIT $3",
        params![jurisdiction.0, after.0, limit as i64],
        |row| fold(row, 0),
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
        "SELECT e.number, e.version, e.at, e.entry, e.text, e.told, c.closed_at
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
                closed_at: row.time_opt(6)?,
            })
        },
    )
}
