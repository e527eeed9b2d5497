//! Facts: what figures are counted from, in columns. A row for each case, and a row for each run of a clock in it.
//!
//! A row is a pure function of the log of its case (`fold`), so that facts kept in step always equal facts made anew. Nothing
//! in here tells of a person: no reporter, no account, no post, no text.

use std::collections::HashMap;

use whistle_domain::place::AreaPath;

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
    /// It was dispatched late.
    pub const DISPATCHED_LATE: u32 = 1 << 12;
    /// It was verified late.
    pub const VERIFIED_LATE: u32 = 1 << 13;
    /// It came from a dump of another system.
    pub const IMPORTED: u32 = 1 << 14;
    /// It was told anonymously or by the public; not by a post.
    pub const BY_PUBLIC: u32 = 1 << 15;
    /// It has a photo of the matter after the work.
    pub const PROVED: u32 = 1 << 16;
}

/// A case, as figures know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CaseRow {
    /// Its number. A jurisdiction with more than four billion cases has none.
    pub number: u32,
    /// The deepest area it was filed under, in [`Facts::areas`].
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
    /// When a unit first got it.
    pub dispatched: Moment,
    /// When a unit first was there.
    pub arrived: Moment,
    /// When the work was handed in last.
    pub handled: Moment,
    /// When it was closed last; [`NEVER`] while it is open.
    pub closed: Moment,
    /// Until when it is, or was, to be handled: as the clock of handling says now.
    pub due: Moment,
    /// Metres from its point to the nearest station, in tens; [`NONE`] without a point.
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
    /// When it ended; [`NEVER`] while it does not.
    pub stopped: Moment,
}

/// Codes by the small number that stands for them in a column. Numbers are given out in the order in which codes are met, and
/// are of one process: only codes leave it.
#[derive(Debug, Clone, Default)]
pub struct Dictionary {
    codes: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Dictionary {
    /// The number of a code, a new one where it has none; [`NONE`] when there are too many, which no place has.
    pub fn number(&mut self, code: &str) -> u16 {
        if let Some(number) = self.numbers.get(code) {
            return *number;
        }
        let Some(number) = u16::try_from(self.codes.len()).ok().filter(|it| *it != NONE) else {
            return NONE;
        };
        self.codes.push(code.into());
        self.numbers.insert(code.into(), number);
        number
    }

    /// The number of a code that was met.
    pub fn find(&self, code: &str) -> Option<u16> {
        self.numbers.get(code).copied()
    }

    /// The code of a number.
    pub fn code(&self, number: u16) -> Option<&str> {
        self.codes.get(usize::from(number)).map(|code| &**code)
    }

    /// All codes, in the order of their numbers.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &str> {
        self.codes.iter().map(|code| &**code)
    }
}

/// Every fact of one jurisdiction.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Of the deepest areas of cases.
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
    /// A row for each run of a clock.
    pub runs: Runs,
}

/// The columns of [`CaseRow`]. All are of one length.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is the column of the field of that name")]
pub struct Cases {
    pub number: Vec<u32>,
    pub area: Vec<u16>,
    pub service: Vec<u16>,
    pub standard: Vec<u16>,
    pub lead: Vec<u16>,
    pub channel: Vec<u8>,
    pub stage: Vec<u8>,
    pub outcome: Vec<u8>,
    pub rating: Vec<u8>,
    pub reports: Vec<u8>,
    pub returned: Vec<u8>,
    pub reworked: Vec<u8>,
    pub reopened: Vec<u8>,
    pub extended: Vec<u8>,
    pub flags: Vec<u32>,
    pub reported: Vec<Moment>,
    pub accepted: Vec<Moment>,
    pub dispatched: Vec<Moment>,
    pub arrived: Vec<Moment>,
    pub handled: Vec<Moment>,
    pub closed: Vec<Moment>,
    pub due: Vec<Moment>,
    pub distance: Vec<u16>,
}

/// The columns of [`RunRow`]. All are of one length.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "each is the column of the field of that name")]
pub struct Runs {
    /// Which row of [`Cases`] it belongs to; [`u32::MAX`] where a newer row has taken its place.
    pub case: Vec<u32>,
    pub kind: Vec<u8>,
    pub ended: Vec<u8>,
    pub unit: Vec<u16>,
    pub started: Vec<Moment>,
    pub due: Vec<Moment>,
    pub stopped: Vec<Moment>,
}
