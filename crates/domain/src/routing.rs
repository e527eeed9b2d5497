//! Routing: (standard, area) → lead unit, the most specific rule first.
//!
//! A rule names what it is about (a standard, a service, a group, or everything) and where it holds (an area and
//! all below it). Of the rules that hold, the one about the narrower matter wins; of those, the one for the deeper
//! area. A standard's own lead unit is a rule about that standard for the whole city.

use std::collections::HashMap;

use crate::{
    place::{Area, AreaIndex, Level, Place, Service, Standard, Unit},
    words::{ServiceCode, StandardCode, UnitCode},
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
    let areas = place.areas.all();
    let mut open = Vec::new();
    for standard in place.standards() {
        let led: Vec<bool> = (0..areas.len() as AreaIndex)
            .map(|index| place.lead(standard, index).is_some())
            .collect();
        let mut led_below = led.clone();
        // Parents stand before their children.
        for (index, area) in areas.iter().enumerate().rev() {
            if let (true, Some(parent)) = (led_below[index], area.parent) {
                led_below[parent as usize] = true;
            }
        }
        let spoken_for = |area: &Area| area.parent.is_some_and(|parent| !led_below[parent as usize]);
        let unled = areas
            .iter()
            .enumerate()
            .filter(|(index, area)| !led[*index] && !spoken_for(area))
            .map(|(index, _)| OpenLink {
                standard: standard.code.clone(),
                area: index as AreaIndex,
                led_below: led_below[index],
            });
        open.extend(unled);
    }
    open
}
