//! escalations.csv: who is told when a clock runs out, as ladders.

use std::collections::HashMap;

use whistle_domain::{
    clock::ClockKind,
    escalation::{Ladder, MAX_RUNGS, Mark, Rung, To},
    place::Level,
    words::LadderCode,
};

use crate::{
    fault::Faults,
    table::{Codes, Layout, Row, Table, carried, filled},
    text::shown,
    units::UnitBook,
};

pub(crate) const ESCALATIONS: Layout = Layout {
    file: "escalations.csv",
    row: "step",
    columns: &[
        carried("ladder", &["升级阶梯", "阶梯"]),
        filled("clock", &["时限"]),
        filled("at", &["时点", "节点"]),
        filled("to", &["告知", "升级对象"]),
    ],
};

const CLOCKS: [(&str, Option<ClockKind>); 14] = [
    ("*", None),
    ("triage", Some(ClockKind::Triage)),
    ("sign", Some(ClockKind::Sign)),
    ("report_in", Some(ClockKind::ReportIn)),
    ("resolve", Some(ClockKind::Resolve)),
    ("verify", Some(ClockKind::Verify)),
    ("joint", Some(ClockKind::Joint)),
    ("全部", None),
    ("派遣", Some(ClockKind::Triage)),
    ("签收", Some(ClockKind::Sign)),
    ("报到", Some(ClockKind::ReportIn)),
    ("处置", Some(ClockKind::Resolve)),
    ("核查", Some(ClockKind::Verify)),
    ("协办", Some(ClockKind::Joint)),
];

/// The words for who is told; anything else is the code of a post or a unit.
const ADDRESSEES: [(&str, To); 10] = [
    ("@unit_lead", To::UnitLead),
    ("@parent_unit_lead", To::ParentUnitLead),
    ("@community", To::Station(Level::Community)),
    ("@town", To::Station(Level::Town)),
    ("@city", To::Station(Level::City)),
    ("@单位负责人", To::UnitLead),
    ("@上级单位负责人", To::ParentUnitLead),
    ("@社区", To::Station(Level::Community)),
    ("@镇街", To::Station(Level::Town)),
    ("@市", To::Station(Level::City)),
];

/// The ladders as far as they could be read, and all their codes.
#[derive(Debug)]
pub(crate) struct LadderBook {
    pub ladders: Vec<Ladder>,
    codes: Codes,
}

impl LadderBook {
    /// Blames a standard whose ladder is not there. The two that every place has need not be.
    pub fn expect(&self, row: &Row, faults: &mut Faults) {
        let code = row.cell("ladder");
        if ![Ladder::DEFAULT, Ladder::NONE].contains(&code) {
            self.codes.expect(code, row.at(), faults);
        }
    }
}

impl Default for LadderBook {
    /// That of a place without the file.
    fn default() -> Self {
        Self {
            ladders: Vec::new(),
            codes: Codes::of("ladder"),
        }
    }
}

/// Reads escalations.csv. A book of units or posts that could not be read is none, and nothing is looked up in it.
pub(crate) fn read(
    table: &Table,
    units: Option<&UnitBook>,
    posts: Option<&Table>,
    faults: &mut Faults,
) -> LadderBook {
    let mut book = LadderBook::default();
    let mut places: HashMap<LadderCode, usize> = HashMap::new();
    for row in &table.rows {
        let code: Option<LadderCode> = row.value("ladder", faults);
        let clock = row.word("clock", &CLOCKS, faults);
        let at: Option<Mark> = row.value("at", faults);
        let to = addressee(row, units, posts, faults);
        let Some(code) = code else { continue };
        if code.as_str() == Ladder::NONE {
            let what = format!("{} is the ladder without steps", shown(Ladder::NONE));
            faults.error(row.at(), what, "give this one another code");
            continue;
        }
        let place = *places.entry(code.clone()).or_insert_with(|| {
            book.codes.add(code.as_str(), row.at(), faults);
            book.ladders.push(Ladder {
                code,
                rungs: Vec::new(),
            });
            book.ladders.len() - 1
        });
        let (Some(clock), Some(at), Some(to)) = (clock, at, to) else {
            continue;
        };
        let kinds: Vec<ClockKind> = clock.map_or_else(|| ClockKind::ALL.to_vec(), |kind| vec![kind]);
        for kind in kinds {
            let rung = Rung {
                clock: kind,
                at,
                to: to.clone(),
            };
            if !put(&mut book.ladders[place], rung, row, faults) {
                break;
            }
        }
    }
    book
}

/// Puts a rung on top of the others of its clock. Answers whether it could be.
fn put(ladder: &mut Ladder, rung: Rung, row: &Row, faults: &mut Faults) -> bool {
    let below = ladder.of(rung.clock).last().map(|below| below.at);
    if ladder.of(rung.clock).count() == MAX_RUNGS {
        let what = format!("is one step more than the {MAX_RUNGS} that a clock may have");
        faults.error(row.at(), what, "leave out what tells nobody anything new");
        return false;
    }
    let falls = match (below, rung.at) {
        (Some(Mark::Share(below)), Mark::Share(at)) => at < below,
        (Some(Mark::Overdue(_)), Mark::Share(at)) => at <= 100,
        (Some(Mark::Overdue(below)), Mark::Overdue(at)) => {
            below.unit() == at.unit() && at.amount() < below.amount()
        }
        (Some(Mark::Share(_)) | None, _) => false,
    };
    if falls {
        let what = format!(
            "step at {} stands below one that comes later, for the clock {}",
            rung.at,
            rung.clock.as_str()
        );
        faults.error(row.at(), what, "write the steps of a clock in their order");
        return false;
    }
    ladder.rungs.push(rung);
    true
}

fn addressee(row: &Row, units: Option<&UnitBook>, posts: Option<&Table>, faults: &mut Faults) -> Option<To> {
    let cell = row.cell("to");
    if cell.starts_with('@') {
        let found = ADDRESSEES.iter().find(|(word, _)| *word == cell.to_lowercase());
        if found.is_none() {
            faults.error(
                row.at(),
                format!("to {} is not known", shown(cell)),
                "write @unit_lead, @parent_unit_lead, @community, @town, @city, or the code of a post or unit",
            );
        }
        return found.map(|(_, to)| to.clone());
    }
    let (units, posts) = (units?, posts?);
    let is_post = posts.rows.iter().any(|post| post.cell("code") == cell);
    // Of those whose row could not be read, too.
    let is_post = is_post || posts.codes("post").line(cell).is_some();
    match (is_post, units.codes.line(cell)) {
        (true, Some(_)) => {
            faults.error(
                row.at(),
                format!("{} is the code of a post and of a unit", shown(cell)),
                "rename one of them, so that it is clear which is meant",
            );
            None
        }
        (true, None) => row.value("to", faults).map(To::Post),
        (false, Some(_)) => row.value("to", faults).map(To::Unit),
        (false, None) => {
            faults.error(
                row.at(),
                format!("{} is neither a post nor a unit", shown(cell)),
                "write the code of one, or @unit_lead, @parent_unit_lead, @community, @town, @city",
            );
            None
        }
    }
}
