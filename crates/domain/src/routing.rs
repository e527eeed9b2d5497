//! Routing: (standard, area) → lead unit, the most specific rule first.
//!
//! A rule names what it is about (a standard, a service, a group, or everything) and where it holds (an area and
//! all below it). Of the rules that hold, the one about the narrower matter wins; of those, the one for the deeper
//! area. A standard's own lead unit is a rule about that standard for the whole city.

use std::collections::{BTreeSet, HashMap};

use crate::{
    place::{Area, AreaIndex, Level, Place, Post, Service, Standard, Unit, UnitKind},
    transition::{Need, Transition, Verb, Who},
    words::{AccessClass, ServiceCode, StandardCode, UnitCode},
};

/// What a rule is about, narrowest first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Matter {
    /// One standard.
    Standard(StandardCode),
    /// One service, or a group with all its services.
    Service(ServiceCode),
    /// Everything.
    All,
}

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leader {
    /// This unit.
    Unit(UnitCode),
    /// The station of the case's area at this level, or the nearest above it; written `@town`.
    Station(Level),
}

/// One line of routing.csv.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it is about.
    pub matter: Matter,
    /// Where it holds, with all areas below.
    pub area: AreaIndex,
    /// Who leads.
    pub leader: Leader,
}

/// All rules of a place.
#[derive(Debug, Default)]
pub struct Routing {
    rules: HashMap<(Matter, AreaIndex), Leader>,
}

impl Routing {
    /// Collects the rules. Two rules about the same matter for the same area are a fault that the `place` crate
    /// reports; here the first one stands.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut by_key = HashMap::new();
        for rule in rules {
            by_key.entry((rule.matter, rule.area)).or_insert(rule.leader);
        }
        Self { rules: by_key }
    }

    pub(crate) fn lead<'p>(
        &self,
        place: &'p Place,
        service: &Service,
        standard: &Standard,
        area: AreaIndex,
    ) -> Option<&'p Unit> {
        let about_standard = Matter::Standard(standard.code.clone());
        let of_the_standard = || standard.lead.as_ref().and_then(|unit| place.unit(unit.as_str()));
        let broader = std::iter::once(Matter::Service(service.code.clone()))
            .chain(service.group.clone().map(Matter::Service))
            .chain(std::iter::once(Matter::All));
        self.leader(place, about_standard, area)
            .or_else(of_the_standard)
            .or_else(|| {
                broader
                    .into_iter()
                    .find_map(|matter| self.leader(place, matter, area))
            })
    }

    fn leader<'p>(&self, place: &'p Place, matter: Matter, area: AreaIndex) -> Option<&'p Unit> {
        let mut key = (matter, area);
        for at in place.areas.upward(area) {
            key.1 = at;
            let found = match self.rules.get(&key) {
                Some(Leader::Unit(code)) => place.unit(code.as_str()),
                Some(Leader::Station(level)) => station_at(place, area, *level),
                None => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }
}

fn station_at(place: &Place, area: AreaIndex, level: Level) -> Option<&Unit> {
    place
        .areas
        .upward(area)
        .filter(|i| place.areas.get(*i).level <= level)
        .find_map(|i| place.station(i))
}

/// An open link in the chain of responsibility: a service and standard that nobody leads in an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenLink {
    /// The standard without a lead.
    pub standard: StandardCode,
    /// The area in which it has none.
    pub area: AreaIndex,
    /// Whether some area below it has one.
    pub led_below: bool,
}

/// Every standard × area with no lead unit. Empty when routing is total. Where nothing below an area is led either,
/// the area alone is named, so that one missing rule gives one line.
pub fn open_links(place: &Place) -> Vec<OpenLink> {
    let of_standard = |standard: &Standard| {
        let open = open_areas(place, |area| place.lead(standard, area).is_some());
        let code = standard.code.clone();
        open.into_iter().map(move |(area, led_below)| OpenLink {
            standard: code.clone(),
            area,
            led_below,
        })
    };
    place.standards().iter().flat_map(of_standard).collect()
}

/// The areas in which something does not hold, each with whether it does somewhere below; of those where it does not, the
/// uppermost alone.
fn open_areas(place: &Place, holds: impl Fn(AreaIndex) -> bool) -> Vec<(AreaIndex, bool)> {
    let areas = place.areas.all();
    let held: Vec<bool> = (0..areas.len() as AreaIndex).map(holds).collect();
    let mut held_below = held.clone();
    // Parents stand before their children.
    for (index, area) in areas.iter().enumerate().rev() {
        if let (true, Some(parent)) = (held_below[index], area.parent) {
            held_below[parent as usize] = true;
        }
    }
    let spoken_for = |area: &Area| area.parent.is_some_and(|parent| !held_below[parent as usize]);
    let open = areas.iter().enumerate();
    let open = open.filter(|(index, area)| !held[*index] && !spoken_for(area));
    open.map(|(index, _)| (index as AreaIndex, held_below[index]))
        .collect()
}

/// What must be done to every case: by somebody who may see it.
const WORK: [Verb; 3] = [Verb::Accept, Verb::Handle, Verb::Verify];

/// Work on the cases of a class of access that nobody does who may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncleared {
    /// The standard of the cases.
    pub standard: StandardCode,
    /// Their class.
    pub class: AccessClass,
    /// The work.
    pub verb: Verb,
    /// Where, or whose work it is.
    pub at: Gap,
}

/// Where nobody does something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// In an area.
    Area {
        /// The area.
        area: AreaIndex,
        /// Whether somebody does in some area below it.
        done_below: bool,
    },
    /// In a unit to which routing leads.
    Unit(UnitCode),
}

/// What of the work on the cases of classes of access nobody may do, by the table of transitions and what posts are narrowed
/// to. Empty for a place without posts, which has nobody yet.
pub fn uncleared(place: &Place) -> Vec<Uncleared> {
    let mut found = Vec::new();
    if place.posts().next().is_none() {
        return found;
    }
    for standard in place.standards() {
        let service = place.service(standard.service.as_str());
        let access = service.map(|service| place.access(service, Some(standard)));
        let Some((class, access)) = access.and_then(|access| Some((access.class()?, access))) else {
            continue;
        };
        let is_cleared = |post: &&Post| {
            post.narrowed.is_for(&standard.service) && post.narrowed.clearance.is_enough(access)
        };
        let cleared: Vec<&Post> = place.posts().filter(is_cleared).collect();
        for verb in WORK {
            let line = Transition::of(verb);
            let is_done = |area| {
                let lead = place.lead(standard, area).map(|unit| &unit.code);
                let one_does = |post: &Post| does(post, line, area, lead, place);
                // Where nobody else than the fixer's unit could check anything, it is not the class that stops it.
                cleared.iter().any(|post| one_does(post))
                    || (line.needs(Need::NotFixer) && !place.posts().any(one_does))
            };
            let gaps: Vec<Gap> = if line.who.iter().any(|who| matches!(who, Who::InLead(_))) {
                let areas = (0..place.areas.all().len() as AreaIndex).filter(|area| !is_done(*area));
                let units: BTreeSet<&UnitCode> = areas
                    .filter_map(|area| Some(&place.lead(standard, area)?.code))
                    .collect();
                units.into_iter().cloned().map(Gap::Unit).collect()
            } else {
                let open = open_areas(place, is_done).into_iter();
                open.map(|(area, done_below)| Gap::Area { area, done_below })
                    .collect()
            };
            found.extend(gaps.into_iter().map(|at| Uncleared {
                standard: standard.code.clone(),
                class: class.clone(),
                verb,
                at,
            }));
        }
    }
    found
}

/// Whether a post does something to a case of an area that a unit leads, or is to lead.
fn does(post: &Post, line: &Transition, area: AreaIndex, lead: Option<&UnitCode>, place: &Place) -> bool {
    let named = post.narrowed.units.as_ref();
    // Nobody leads a case that is not accepted.
    let lead_then = lead.filter(|_| line.verb != Verb::Accept);
    let holds = || {
        place.areas.is_within(area, post.area)
            && named.is_none_or(|units| lead_then.is_some_and(|lead| units.contains(lead)))
    };
    let is_lead = lead == Some(&post.unit);
    let is_station = || {
        let unit = place.unit(post.unit.as_str());
        unit.is_some_and(|unit| unit.kind == UnitKind::Station)
    };
    let is_one = line.who.iter().any(|who| match who {
        Who::InArea(role) => post.roles.contains(role) && holds(),
        Who::InStation(role) => post.roles.contains(role) && is_station() && holds(),
        Who::InLead(role) => post.roles.contains(role) && is_lead,
        _ => false,
    });
    is_one && !(is_lead && line.needs(Need::NotFixer))
}
