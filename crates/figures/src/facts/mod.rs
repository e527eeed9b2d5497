//! Facts: what figures are counted from, in columns. A row for each case, and a row for each run of a clock in it.
//!
//! A row is a pure function of the log of its case ([`fold`]) and of where the stations were in the version of the place that
//! the case was filed under, so that facts kept in step always equal facts made anew. Nothing in here tells of a person: no
//! reporter, no account, no post, no text.

mod columns;
mod fold;
mod snapshot;

use std::collections::HashMap;

use whistle_domain::{
    place::AreaPath,
    words::{ServiceCode, StandardCode, UnitCode},
};

pub use columns::{BLOCK, CaseBlock, Cases, Dictionary, RunBlock, Runs, Span};
pub use fold::{FoldError, Stations, fold, place_version};
pub use snapshot::{LogPlace, SnapshotError};

/// A moment in whole seconds since 1970, UTC, until 2106. [`NEVER`] where it has not come to pass.
pub type Moment = u32;

/// No moment.
pub const NEVER: Moment = Moment::MAX;

/// No code of a [`Dictionary`].
pub const NONE: u16 = u16::MAX;

/// No value of a column of bytes: no outcome, no rating.
pub const NOTHING: u8 = u8::MAX;

/// What else is true of a case: bits of [`CaseRow::flags`].
pub mod flag {
    /// The public may see it.
    pub const PUBLIC: u32 = 1;
    /// It has a class of access; it counts in figures, and no list of rows names it to who may not see it.
    pub const CLASSED: u32 = 1 << 1;
    /// It waits now.
    pub const PARKED: u32 = 1 << 2;
    /// It waited at least once.
    pub const WAS_PARKED: u32 = 1 << 3;
    /// Fixed by the one who found it.
    pub const ON_THE_SPOT: u32 = 1 << 4;
    /// Drawn for a re-check.
    pub const RECHECK: u32 = 1 << 5;
    /// Watched over from above, now or before.
    pub const SUPERVISED: u32 = 1 << 6;
    /// A step of a ladder told somebody of it.
    pub const ESCALATED: u32 = 1 << 7;
    /// A whistle was blown on it.
    pub const WHISTLED: u32 = 1 << 8;
    /// Another unit had a part in it.
    pub const JOINT: u32 = 1 << 9;
    /// A reporter was asked something.
    pub const ASKED: u32 = 1 << 10;
    /// It has been handled, and late: after the clock of handling was due.
    pub const HANDLED_LATE: u32 = 1 << 11;
    /// It was first dispatched late.
    pub const DISPATCHED_LATE: u32 = 1 << 12;
    /// It was last verified late.
    pub const VERIFIED_LATE: u32 = 1 << 13;
    /// It came from a dump of another system.
    pub const IMPORTED: u32 = 1 << 14;
    /// It was told by the public, with or without a name; not by a post, and it came from no dump.
    pub const BY_PUBLIC: u32 = 1 << 15;
    /// It has a photo of the matter after the work.
    pub const PROVED: u32 = 1 << 16;
}

/// A case, as figures know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseRow {
    /// Its number. A jurisdiction with more than four billion cases has none.
    pub number: u32,
    /// The deepest area it lies in, in [`Facts::areas`]; by the grid that it was filed under, or placed anew by.
    pub area: u16,
    /// What is asked for, in [`Facts::services`].
    pub service: u16,
    /// The standard it is held to, in [`Facts::standards`].
    pub standard: u16,
    /// The unit that leads, or led at the end, in [`Facts::units`].
    pub lead: u16,
    /// Place of `whistle_domain::case::Channel::ALL`.
    pub channel: u8,
    /// Place in `whistle_domain::case::Stage::ALL`.
    pub stage: u8,
    /// Place in `whistle_domain::case::Outcome::ALL`, claimed or final; or [`NOTHING`].
    pub outcome: u8,
    /// Place in `whistle_domain::case::Rating::ALL`, the last given; or [`NOTHING`].
    pub rating: u8,
    /// How many reports it has; 255 stands for more too.
    pub reports: u8,
    /// How often a unit returned it.
    pub returned: u8,
    /// How often the work failed the verification.
    pub reworked: u8,
    /// How often it was reopened.
    pub reopened: u8,
    /// How often a limit was extended.
    pub extended: u8,
    /// See [`flag`].
    pub flags: u32,
    /// When it was reported.
    pub reported: Moment,
    /// When it was first accepted.
    pub accepted: Moment,
    /// When a unit first got it; never where it was fixed on the spot.
    pub dispatched: Moment,
    /// When a unit first was there.
    pub arrived: Moment,
    /// When the work was handed in last.
    pub handled: Moment,
    /// When it was closed last; [`NEVER`] while it is open.
    pub closed: Moment,
    /// Until when it is, or was, to be handled: as the clock of handling says now.
    pub due: Moment,
    /// Metres from its point to the nearest station, in tens; [`NONE`] without a point. The stations are those of the version of
    /// the place it was filed under: one that moves later changes no figure of the past.
    pub distance: u16,
}

/// How a run of a clock ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Ended {
    /// It runs.
    Running,
    /// It stands still.
    Standing,
    /// What it limits was done.
    Done,
    /// The unit returned the case: the run was not its to end.
    Returned,
    /// Another run of the same kind took its place, or the case ended without what it limits.
    Dropped,
}

/// A run of a clock: one stage of a case, with the unit that had it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRow {
    /// Place in `whistle_domain::clock::ClockKind::ALL`.
    pub kind: u8,
    /// See [`Ended`].
    pub ended: u8,
    /// The unit it limits, in [`Facts::units`]: of triage and verification the station that does them.
    pub unit: u16,
    /// When it started.
    pub started: Moment,
    /// When it is, or was, due at the last.
    pub due: Moment,
    /// When it ended; [`NEVER`] while it does not. One that stood still when it ended, ended when it began to stand: the run is
    /// late where this is after `due`.
    pub stopped: Moment,
}

/// What the log of one case comes to: its row and its runs, with the codes that stand for themselves. In the rows, the columns
/// of codes are [`NONE`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its row.
    pub row: CaseRow,
    /// The areas it lies in.
    pub area: AreaPath,
    /// What is asked for.
    pub service: ServiceCode,
    /// The standard it is held to.
    pub standard: Option<StandardCode>,
    /// The unit that leads, or led at the end.
    pub lead: Option<UnitCode>,
    /// Its runs in the order in which they started, each with the unit that it limits.
    pub runs: Vec<(RunRow, Option<UnitCode>)>,
}

/// Every fact of one jurisdiction.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Of the deepest areas of cases. Where a redrawn grid puts an area elsewhere, its code is in here once for each path to it:
    /// `paths` tells them apart.
    pub areas: Dictionary,
    /// The path from the city to each of `areas`, as the cases were filed: a redrawn grid moves no figure of the past.
    pub paths: Vec<AreaPath>,
    /// Of services.
    pub services: Dictionary,
    /// Of standards.
    pub standards: Dictionary,
    /// Of units.
    pub units: Dictionary,
    /// A row for each case, in the order in which they were met, which is nearly that of their numbers.
    pub cases: Cases,
    /// A row for each run of a clock. Those of one case stand together, in the order in which they started.
    pub runs: Runs,
    pub(crate) index: Index,
}

/// What is found by what.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    /// The number of each path.
    paths: HashMap<AreaPath, u16>,
    /// The row of each number of a case; [`NO_ROW`] of one that there is not.
    rows: Vec<u32>,
    /// The rows of numbers so far beyond all others that a list of all before them would be absurd.
    far: HashMap<u32, u32>,
    /// The first run of each row; [`NO_ROW`] where it has none.
    first_run: Vec<u32>,
    /// Runs whose case has newer ones.
    dead_runs: usize,
}

const NO_ROW: u32 = u32::MAX;

/// How far the list of rows by number grows beyond the numbers that are there: numbers are given out densely, in blocks of a
/// process, so that more is a fault somewhere, and must cost no memory.
const SLACK: usize = 1 << 20;

/// Runs of a case that goes well: triage, report-in, resolve, verify.
const USUAL_RUNS: usize = 4;

/// Dead runs are thrown out when they are more than this part of all.
const DEAD_PART: usize = 4;

/// Below so many, nothing is thrown out.
const FEW_RUNS: usize = BLOCK;

impl Facts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many cases.
    pub fn len(&self) -> usize {
        self.cases.number.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.cases.number.is_empty()
    }

    /// Runs that belong to a case.
    pub fn live_runs(&self) -> usize {
        self.runs.case.len() - self.index.dead_runs
    }

    /// Bytes that it takes up in memory, more or less.
    pub fn bytes(&self) -> usize {
        let Index {
            rows, far, first_run, ..
        } = &self.index;
        self.cases.bytes()
            + self.runs.bytes()
            + (rows.capacity() + first_run.capacity() + 4 * far.capacity()) * size_of::<u32>()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Makes room for so many more cases, and for as many runs as they mostly have.
    pub fn reserve(&mut self, cases: usize) {
        self.cases.reserve(cases);
        self.runs.reserve(cases.saturating_mul(USUAL_RUNS));
        self.index.first_run.reserve(cases);
    }

    /// Puts what a case comes to in the place of what it came to before.
    pub fn put(&mut self, fact: &Fact) {
        let row = CaseRow {
            area: self.area(&fact.area),
            service: self.services.number(fact.service.as_str()),
            standard: number_of(
                &mut self.standards,
                fact.standard.as_ref().map(StandardCode::as_str),
            ),
            lead: number_of(&mut self.units, fact.lead.as_ref().map(UnitCode::as_str)),
            ..fact.row
        };
        let at = if let Some(at) = self.row_of(row.number) {
            self.cases.set(at, &row);
            at
        } else {
            let at = self.cases.number.len();
            self.cases.push(&row);
            self.index.first_run.push(NO_ROW);
            self.index.note(row.number, at as u32);
            at
        };
        self.put_runs(at, &fact.runs);
    }

    /// What tells these facts from others, whatever the order in which they were met; with the version of the place, from which some
    /// indicators are counted too.
    pub fn fingerprint(&self, place_version: u32) -> String {
        let mut sum = 0_u128;
        let mut add = |hasher: &blake3::Hasher| {
            let mut half = [0; 16];
            half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
            sum = sum.wrapping_add(u128::from_le_bytes(half));
        };
        for at in 0..self.len() {
            let row = self.cases.row(at);
            let mut hasher = blake3::Hasher::new();
            let area = self.paths.get(usize::from(row.area)).and_then(AreaPath::deepest);
            for code in [
                area.map_or("", |code| code.as_str()),
                self.services.code(row.service).unwrap_or_default(),
                self.standards.code(row.standard).unwrap_or_default(),
                self.units.code(row.lead).unwrap_or_default(),
            ] {
                hasher.update(code.as_bytes());
                hasher.update(&[0]);
            }
            let bytes = [
                row.channel,
                row.stage,
                row.outcome,
                row.rating,
                row.reports,
                row.returned,
                row.reworked,
                row.reopened,
                row.extended,
            ];
            hasher.update(&bytes);
            for n in [
                row.number,
                row.flags,
                row.reported,
                row.accepted,
                row.dispatched,
                row.arrived,
                row.handled,
                row.closed,
                row.due,
                u32::from(row.distance),
            ] {
                hasher.update(&n.to_le_bytes());
            }
            for at in self.runs_of(at) {
                let run = self.runs.row(at);
                hasher.update(self.units.code(run.unit).unwrap_or_default().as_bytes());
                hasher.update(&[0, run.kind, run.ended]);
                for moment in [run.started, run.due, run.stopped] {
                    hasher.update(&moment.to_le_bytes());
                }
            }
            add(&hasher);
        }
        let mut all = blake3::Hasher::new();
        all.update(&place_version.to_le_bytes());
        all.update(&sum.to_le_bytes());
        all.finalize().to_hex().to_string()
    }

    /// The row of the case with a number.
    pub fn row_of(&self, number: u32) -> Option<usize> {
        let near = self.index.rows.get(number as usize).copied();
        let row = near.filter(|row| *row != NO_ROW);
        let row = row.or_else(|| self.index.far.get(&number).copied());
        row.map(|row| row as usize)
    }

    /// The runs of a row.
    pub fn runs_of(&self, row: usize) -> std::ops::Range<usize> {
        let first = self.index.first_run.get(row).copied().unwrap_or(NO_ROW);
        if first == NO_ROW {
            return 0..0;
        }
        let (first, row) = (first as usize, row as u32);
        let count = self.runs.case[first..]
            .iter()
            .take_while(|case| **case == row)
            .count();
        first..first + count
    }

    /// What is kept of the case with a number, as it was put.
    pub fn get(&self, number: u32) -> Option<Fact> {
        let at = self.row_of(number)?;
        let row = self.cases.row(at);
        let runs = self.runs_of(at).map(|at| {
            let run = self.runs.row(at);
            let unit = self.units.code(run.unit).and_then(|code| code.parse().ok());
            (RunRow { unit: NONE, ..run }, unit)
        });
        Some(Fact {
            area: self.paths.get(usize::from(row.area)).cloned().unwrap_or_default(),
            service: self.services.code(row.service)?.parse().ok()?,
            standard: self
                .standards
                .code(row.standard)
                .and_then(|code| code.parse().ok()),
            lead: self.units.code(row.lead).and_then(|code| code.parse().ok()),
            runs: runs.collect(),
            row: CaseRow {
                area: NONE,
                service: NONE,
                standard: NONE,
                lead: NONE,
                ..row
            },
        })
    }

    fn area(&mut self, path: &AreaPath) -> u16 {
        if let Some(number) = self.index.paths.get(path) {
            return *number;
        }
        let code = path.deepest().map_or("", |code| code.as_str());
        let number = self.areas.once_more(code);
        if number != NONE {
            self.paths.push(path.clone());
            self.index.paths.insert(path.clone(), number);
        }
        number
    }

    fn put_runs(&mut self, at: usize, runs: &[(RunRow, Option<UnitCode>)]) {
        let old = self.runs_of(at);
        let (old_len, row) = (old.len(), at as u32);
        let mut coded = Vec::with_capacity(runs.len());
        for (run, unit) in runs {
            let unit = number_of(&mut self.units, unit.as_ref().map(UnitCode::as_str));
            coded.push(RunRow { unit, ..*run });
        }
        if coded.len() <= old_len {
            for (place, run) in old.clone().zip(&coded) {
                self.runs.set(place, run);
            }
            for place in old.skip(coded.len()) {
                self.runs.case[place] = NO_ROW;
            }
            self.index.dead_runs += old_len - coded.len();
            if coded.is_empty() {
                self.index.first_run[at] = NO_ROW;
            }
        } else {
            for place in old {
                self.runs.case[place] = NO_ROW;
            }
            self.index.dead_runs += old_len;
            self.index.first_run[at] = self.runs.case.len() as u32;
            for run in &coded {
                self.runs.push_of(row, run);
            }
        }
        let all = self.runs.case.len();
        if all > FEW_RUNS && self.index.dead_runs > all / DEAD_PART {
            self.runs.retain_live();
            self.index_runs();
        }
    }

    /// Finds out again which runs belong to which row.
    fn index_runs(&mut self) {
        let first_run = &mut self.index.first_run;
        first_run.clear();
        first_run.resize(self.cases.number.len(), NO_ROW);
        self.index.dead_runs = 0;
        for (place, case) in (0..).zip(&self.runs.case) {
            match first_run.get_mut(*case as usize) {
                Some(first) => *first = (*first).min(place),
                None => self.index.dead_runs += 1,
            }
        }
    }

    /// Finds out again which number has which row, and which path which number.
    fn index_all(&mut self) {
        let numbers = std::mem::take(&mut self.cases.number);
        self.index = Index {
            paths: (0..)
                .zip(&self.paths)
                .map(|(number, path)| (path.clone(), number))
                .collect(),
            ..Index::default()
        };
        for (row, number) in (0..).zip(&numbers) {
            self.index.note(*number, row);
        }
        self.cases.number = numbers;
        self.index_runs();
        self.cases.span_all();
        self.runs.span_all();
    }
}

impl Index {
    fn note(&mut self, number: u32, row: u32) {
        let place = number as usize;
        if place >= self.rows.len() {
            // Of what was given out, at least half is there.
            if place > 2 * (row as usize + 1) + SLACK {
                self.far.insert(number, row);
                return;
            }
            self.rows.resize(place + 1, NO_ROW);
        }
        self.rows[place] = row;
    }
}

fn number_of(dictionary: &mut Dictionary, code: Option<&str>) -> u16 {
    code.map_or(NONE, |code| dictionary.number(code))
}
