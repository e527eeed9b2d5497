//! What tests need: facts written as tables, the village, indicators written as text, and chance.

use std::{path::Path, sync::OnceLock};

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use whistle_domain::{place::Place, words::Lang};

use super::{
    Book, Indicator, KnownCodes, Subject,
    column::{CHANNELS, Column, ENDINGS, OUTCOMES, RATINGS, RUN_KINDS, STAGES, Source, Word, columns},
};
use crate::facts::{CaseRow, Facts, Moment, NEVER, NONE, NOTHING, RunRow};

/// Compiled once: what takes long in it is its grid.
pub(super) fn village() -> &'static Place {
    static VILLAGE: OnceLock<Place> = OnceLock::new();
    VILLAGE.get_or_init(|| {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        let folder = whistle_place::Folder::read(&dir).expect("the village can be read");
        whistle_place::compile(&folder, 1)
            .expect("the village is sound")
            .place
    })
}

pub(super) const NO_CASE: CaseRow = CaseRow {
    number: 0,
    area: NONE,
    service: NONE,
    standard: NONE,
    lead: NONE,
    channel: 0,
    stage: 0,
    outcome: NOTHING,
    rating: NOTHING,
    reports: 1,
    returned: 0,
    reworked: 0,
    reopened: 0,
    extended: 0,
    flags: 0,
    reported: NEVER,
    accepted: NEVER,
    dispatched: NEVER,
    arrived: NEVER,
    handled: NEVER,
    closed: NEVER,
    due: NEVER,
    distance: NONE,
};

/// `03-05T08:00` of 2025 by the clocks of the village; `-` is never.
pub(super) fn moment(text: &str) -> Moment {
    if text == "-" {
        return NEVER;
    }
    let text = if text.len() < 16 {
        format!("2025-{text}")
    } else {
        text.to_owned()
    };
    let at: DateTime = text.parse().expect("a moment");
    let zone = TimeZone::get("Asia/Shanghai").expect("the zone is known");
    at.to_zoned_datetime(zone)
        .expect("in time")
        .timestamp()
        .as_second() as Moment
}

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::from_second(i64::from(moment(text))).expect("in time")
}

fn word(words: &[Word], text: &str) -> u8 {
    match text {
        "-" => NOTHING,
        text => words.iter().position(|word| word.code == text).expect("a word") as u8,
    }
}

pub(super) fn push_case(facts: &mut Facts, row: CaseRow) {
    let cases = &mut facts.cases;
    cases.number.push(row.number);
    cases.area.push(row.area);
    cases.service.push(row.service);
    cases.standard.push(row.standard);
    cases.lead.push(row.lead);
    cases.channel.push(row.channel);
    cases.stage.push(row.stage);
    cases.outcome.push(row.outcome);
    cases.rating.push(row.rating);
    cases.reports.push(row.reports);
    cases.returned.push(row.returned);
    cases.reworked.push(row.reworked);
    cases.reopened.push(row.reopened);
    cases.extended.push(row.extended);
    cases.flags.push(row.flags);
    cases.reported.push(row.reported);
    cases.accepted.push(row.accepted);
    cases.dispatched.push(row.dispatched);
    cases.arrived.push(row.arrived);
    cases.handled.push(row.handled);
    cases.closed.push(row.closed);
    cases.due.push(row.due);
    cases.distance.push(row.distance);
}

pub(super) fn push_run(facts: &mut Facts, case: u32, row: RunRow) {
    let runs = &mut facts.runs;
    runs.case.push(case);
    runs.kind.push(row.kind);
    runs.ended.push(row.ended);
    runs.unit.push(row.unit);
    runs.started.push(row.started);
    runs.due.push(row.due);
    runs.stopped.push(row.stopped);
}

/// The number of an area, with its path as the village draws it.
pub(super) fn area(facts: &mut Facts, place: &Place, code: &str) -> u16 {
    if code == "-" {
        return NONE;
    }
    let number = facts.areas.number(code);
    if usize::from(number) == facts.paths.len() {
        let path = place.areas.find(code).map(|index| place.areas.path(index));
        facts.paths.push(path.unwrap_or_default());
    }
    number
}

/// Rows below their header, cells between blanks.
fn rows(table: &str) -> impl Iterator<Item = Vec<(&str, &str)>> {
    let mut lines = table.lines().filter(|line| !line.trim().is_empty());
    let header: Vec<&str> = lines.next().unwrap_or_default().split_whitespace().collect();
    lines.map(move |line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(cells.len(), header.len(), "{line}");
        header.iter().copied().zip(cells).collect()
    })
}

/// Cases by a table of them; what a table has no column for is empty.
pub(super) fn cases(place: &Place, table: &str) -> Facts {
    let mut facts = Facts::default();
    for row in rows(table) {
        let mut case = NO_CASE;
        for (column, cell) in row {
            let number = || cell.parse::<u8>().expect("a number");
            match column {
                "number" => case.number = cell.parse().expect("a number"),
                "area" => case.area = area(&mut facts, place, cell),
                "service" | "unit" | "flags" | "metres" if cell == "-" => {}
                "service" => case.service = facts.services.number(cell),
                "unit" => case.lead = facts.units.number(cell),
                "channel" => case.channel = word(CHANNELS, cell),
                "stage" => case.stage = word(STAGES, cell),
                "outcome" => case.outcome = word(OUTCOMES, cell),
                "rating" => case.rating = word(RATINGS, cell),
                "reports" => case.reports = number(),
                "returned" => case.returned = number(),
                "reworked" => case.reworked = number(),
                "reopened" => case.reopened = number(),
                "extended" => case.extended = number(),
                "flags" => case.flags = cell.split('+').map(flag).sum(),
                "metres" => case.distance = cell.parse::<u16>().expect("metres") / 10,
                "reported" => case.reported = moment(cell),
                "accepted" => case.accepted = moment(cell),
                "dispatched" => case.dispatched = moment(cell),
                "arrived" => case.arrived = moment(cell),
                "handled" => case.handled = moment(cell),
                "closed" => case.closed = moment(cell),
                "due" => case.due = moment(cell),
                other => panic!("no column {other}"),
            }
        }
        push_case(&mut facts, case);
    }
    facts
}

/// The bit of a flag's name.
pub(super) fn flag(name: &str) -> u32 {
    let column: &Column = columns(Subject::Case)
        .iter()
        .find(|column| column.name == name)
        .expect(name);
    match column.source {
        Source::Flag(bit) => bit,
        _ => panic!("{name} is no flag"),
    }
}

/// Adds runs of clocks by a table of them.
pub(super) fn runs(facts: &mut Facts, table: &str) {
    for row in rows(table) {
        let mut case = 0;
        let mut run = RunRow {
            kind: 0,
            ended: 0,
            unit: NONE,
            started: NEVER,
            due: NEVER,
            stopped: NEVER,
        };
        for (column, cell) in row {
            match column {
                "case" => {
                    let number: u32 = cell.parse().expect("a number");
                    let found = facts.cases.number.iter().position(|it| *it == number);
                    case = found.expect("a case") as u32;
                }
                "kind" => run.kind = word(RUN_KINDS, cell),
                "ended" => run.ended = word(ENDINGS, cell),
                "unit" => run.unit = facts.units.number(cell),
                "started" => run.started = moment(cell),
                "due" => run.due = moment(cell),
                "stopped" => run.stopped = moment(cell),
                other => panic!("no column {other}"),
            }
        }
        push_run(facts, case, run);
    }
}

/// One indicator by the keys that matter.
pub(super) fn indicator(subject: &str, period: &str, unit: &str, keys: &[(&str, &str)]) -> Indicator {
    let mut text = format!(
        "[[indicator]]\ncode = \"it\"\nsubject = \"{subject}\"\nperiod = \"{period}\"\nunit = \"{unit}\"\nlabel = {{ zh = \"它\", en = \"It\" }}\n"
    );
    for (key, value) in keys {
        text.push_str(key);
        text.push_str(" = \"");
        text.push_str(value);
        text.push_str("\"\n");
    }
    let (book, faults) = Book::read(&text, &KnownCodes::default(), &Lang::ALL);
    assert_eq!(faults, [], "{text}");
    book.get("it").expect("it is declared").clone()
}

/// Chance that gives the same again (SplitMix64).
pub(super) struct Chance(pub u64);

impl Chance {
    pub fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ (x >> 31)) % most
    }

    pub fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len() as u64) as usize]
    }
}
