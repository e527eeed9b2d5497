//! routing.csv: who leads what where; and the links of the chain of responsibility that nobody holds.

use std::collections::HashMap;

use serde::Serialize;
use whistle_domain::{
    place::{AreaIndex, Level, Place, Standard},
    routing::{self, Gap, Leader, Matter, Rule, open_links},
    transition::Verb,
};

use crate::{
    areas::AreaBook,
    fault::{Faults, at},
    services::ServiceBook,
    standards::StandardBook,
    table::{Layout, Row, Table, filled, free},
    text::{did_you_mean, shown},
    units::UnitBook,
};

pub(crate) const ROUTING: Layout = Layout {
    file: "routing.csv",
    row: "rule",
    columns: &[
        filled("matter", &["事项", "类别", "小类", "标准"]),
        free("area", &["网格", "区域", "辖区", "网格编码"]),
        filled("unit", &["单位", "牵头单位", "处置单位", "责任主体"]),
    ],
};

const EVERYTHING: [&str; 2] = ["*", "全部"];
const STATIONS: [(&str, Level); 3] = [
    ("@city", Level::City),
    ("@town", Level::Town),
    ("@community", Level::Community),
];

/// What a rule may refer to. A book that could not be read is none, and nothing is looked up in it.
#[derive(Clone, Copy)]
pub(crate) struct Books<'a> {
    pub areas: Option<&'a AreaBook>,
    pub units: Option<&'a UnitBook>,
    pub services: Option<&'a ServiceBook>,
    pub standards: Option<&'a StandardBook>,
}

/// Reads routing.csv.
pub(crate) fn read(table: &Table, books: Books<'_>, faults: &mut Faults) -> Vec<Rule> {
    let mut rules = Vec::new();
    let mut lines: HashMap<(Matter, AreaIndex), u32> = HashMap::new();
    for row in &table.rows {
        let matter = matter(row, books, faults);
        let area = match (row.cell("area"), books.areas) {
            ("*" | "", areas) => areas.map(|_| AreaBook::CITY),
            (code, Some(areas)) => areas.expect(code, row.at(), faults).map(|(index, _)| index),
            (_, None) => None,
        };
        let leader = leader(row, books.units, faults);
        let (Some(matter), Some(area)) = (matter, area) else {
            continue;
        };
        if let Some(first) = lines.get(&(matter.clone(), area)) {
            faults.error(
                row.at(),
                format!(
                    "{} in area {} is already routed on line {first}",
                    shown(row.cell("matter")),
                    shown(match row.cell("area") {
                        "" => "*",
                        area => area,
                    }),
                ),
                "remove one of the two rules",
            );
            continue;
        }
        lines.insert((matter.clone(), area), row.line());
        rules.extend(leader.map(|leader| Rule { matter, area, leader }));
    }
    // Among faulty services and standards a rule may seem idle that is not.
    if !faults.has_errors() {
        warn_of_idle(&rules, &lines, books, faults);
    }
    rules
}

fn matter(row: &Row, books: Books<'_>, faults: &mut Faults) -> Option<Matter> {
    let code = row.cell("matter");
    if EVERYTHING.contains(&code) {
        return Some(Matter::All);
    }
    let (services, standards) = (books.services?, books.standards?);
    match (services.codes.line(code), standards.codes.line(code)) {
        (Some(_), Some(_)) => {
            faults.error(
                row.at(),
                format!("{} is the code of a service and of a standard", shown(code)),
                "rename one of them, so that it is clear which is meant",
            );
            None
        }
        (Some(_), None) => row.value("matter", faults).map(Matter::Service),
        (None, Some(_)) => row.value("matter", faults).map(Matter::Standard),
        (None, None) => {
            let known = services.services.iter().map(|s| s.code.as_str());
            let known = known.chain(standards.standards.iter().map(|s| s.code.as_str()));
            let mend = did_you_mean(
                code,
                known,
                "write the code of a group, service or standard, or *",
            );
            faults.error(row.at(), format!("matter {} is not known", shown(code)), mend);
            None
        }
    }
}

fn leader(row: &Row, units: Option<&UnitBook>, faults: &mut Faults) -> Option<Leader> {
    let unit = row.cell("unit");
    if unit.starts_with('@') {
        let level = row.word("unit", &STATIONS, faults)?;
        return Some(Leader::Station(level));
    }
    let code = row.value("unit", faults)?;
    units
        .is_none_or(|units| units.codes.expect(unit, row.at(), faults))
        .then_some(Leader::Unit(code))
}

/// Warns of rules that lose everywhere: each standard they are about has a narrower rule that holds in their area,
/// or a lead of its own.
fn warn_of_idle(
    rules: &[Rule],
    lines: &HashMap<(Matter, AreaIndex), u32>,
    books: Books<'_>,
    faults: &mut Faults,
) {
    let (Some(areas), Some(services), Some(standards)) = (books.areas, books.services, books.standards)
    else {
        return;
    };
    let group_of: HashMap<&str, &str> = services
        .services
        .iter()
        .filter_map(|s| Some((s.code.as_str(), s.group.as_ref()?.as_str())))
        .collect();
    // Narrowest first, as the domain tries them.
    let ladder = |standard: &Standard| {
        let group = group_of.get(standard.service.as_str());
        let mut matters = vec![
            Matter::Standard(standard.code.clone()),
            Matter::Service(standard.service.clone()),
        ];
        matters.extend(group.and_then(|g| g.parse().ok()).map(Matter::Service));
        matters.push(Matter::All);
        matters
    };
    let ladders: Vec<(bool, Vec<Matter>)> = standards
        .standards
        .iter()
        .map(|s| (s.lead.is_some(), ladder(s)))
        .collect();
    // A rule about everything is a net below the others, and good to have.
    for rule in rules.iter().filter(|rule| rule.matter != Matter::All) {
        let can_win = ladders.iter().any(|(has_lead, ladder)| {
            let Some(step) = ladder.iter().position(|matter| *matter == rule.matter) else {
                return false;
            };
            let is_beaten = |matter: &Matter| {
                let mut above = Some(rule.area);
                std::iter::from_fn(|| {
                    let here = above?;
                    above = areas.parent(here);
                    Some(here)
                })
                .any(|area| lines.contains_key(&(matter.clone(), area)))
            };
            (step == 0 || !has_lead) && !ladder[..step].iter().any(is_beaten)
        });
        if !can_win {
            let line = lines.get(&(rule.matter.clone(), rule.area)).copied().unwrap_or(1);
            faults.warn(
                at(ROUTING.file, line),
                "this rule never wins: every standard it is about has a lead or a narrower rule",
                "remove it, or the lead in standards.csv",
            );
        }
    }
}

/// A standard that nobody leads in an area, in words for people and fields for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkFault {
    /// The service's code.
    pub service: String,
    /// The standard's code.
    pub standard: String,
    /// The area's code.
    pub area: String,
    /// What is open.
    pub what: String,
    /// What would close it.
    pub mend: String,
}

impl std::fmt::Display for LinkFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}; {}", self.what, self.mend)
    }
}

/// Every standard × area with no lead unit. Empty when the chain of responsibility has no open link.
pub fn check(place: &Place) -> Vec<LinkFault> {
    let links = open_links(place);
    let worded = links.into_iter().filter_map(|link| {
        let standard = place.standard(link.standard.as_str())?;
        let area = place.areas.get(link.area);
        let (code, service) = (&standard.code, &standard.service);
        let below = match area.level {
            Level::Cell => "",
            _ if link.led_below => " itself, only in some areas below it",
            _ => " and all below it",
        };
        Some(LinkFault {
            service: service.to_string(),
            standard: code.to_string(),
            area: area.code.to_string(),
            what: format!(
                "nobody leads standard {code} (service {service}) in {} {:?}{below}",
                area.level.as_str(),
                area.code.as_str(),
            ),
            mend: format!(
                "add a line to routing.csv: {service},{},UNIT; or name a lead in standards.csv",
                match area.level {
                    Level::City => "*",
                    _ => area.code.as_str(),
                }
            ),
        })
    });
    worded.collect()
}

/// Work on cases of a class of access that nobody may do, in words for people and fields for machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnclearedFault {
    /// The service's code.
    pub service: String,
    /// The standard's code.
    pub standard: String,
    /// The class of access.
    pub class: String,
    /// What nobody does: the word of `accept`, `handle` or `verify`.
    pub verb: &'static str,
    /// The area's code, where it is work of an area's posts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The unit's code, where it is work of a unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// What is missing.
    pub what: String,
    /// What would mend it.
    pub mend: String,
}

impl std::fmt::Display for UnclearedFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}; {}", self.what, self.mend)
    }
}

/// Whatever must be done to cases of a class of access and nobody does who may see them: the class would stop the work.
pub fn uncleared(place: &Place) -> Vec<UnclearedFault> {
    let worded = routing::uncleared(place).into_iter().filter_map(|gap| {
        let standard = place.standard(gap.standard.as_str())?;
        let (code, service, class) = (&standard.code, &standard.service, gap.class.as_str());
        let (area, unit, whose) = match &gap.at {
            Gap::Area { area, done_below } => {
                let area = place.areas.get(*area);
                let below = match area.level {
                    Level::Cell => "",
                    _ if *done_below => " itself, only in some areas below it",
                    _ => " and all below it",
                };
                let whose = format!("in {} {:?}{below}", area.level.as_str(), area.code.as_str());
                (Some(area.code.to_string()), None, whose)
            }
            Gap::Unit(unit) => (
                None,
                Some(unit.to_string()),
                format!("in unit {:?}", unit.as_str()),
            ),
        };
        let (verb, roles) = match gap.verb {
            Verb::Handle => ("handles", "a handler or lead of that unit"),
            Verb::Verify => (
                "verifies",
                "a patrol, a dispatcher or a station's lead, not of the unit that handles them,",
            ),
            _ => ("accepts", "a call taker, a dispatcher or a station's lead"),
        };
        Some(UnclearedFault {
            service: service.to_string(),
            standard: code.to_string(),
            class: class.to_owned(),
            verb: gap.verb.as_str(),
            area,
            unit,
            what: format!(
                "nobody who may see class {class} {verb} cases of standard {code} (service {service}) {whose}"
            ),
            mend: format!("write {class} into access of {roles} in posts.csv"),
        })
    });
    worded.collect()
}
