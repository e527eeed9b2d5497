//! What is counted from the place itself: its units, stations, posts and areas, in the columns of [`super::column`].

use std::collections::{HashMap, HashSet};

use whistle_domain::place::{AreaPath, Place, UnitKind};

use super::{
    Subject,
    column::{HELD, UNIT_FLAGS, WITH_POST, WITH_STATION},
};
use crate::facts::{Dictionary, NONE};

/// Rows of a place. All columns are of one length.
#[derive(Debug, Default)]
pub(super) struct House {
    /// What each row is called.
    pub codes: Vec<String>,
    pub areas: Dictionary,
    pub paths: Vec<AreaPath>,
    pub units: Dictionary,
    pub area: Vec<u16>,
    pub unit: Vec<u16>,
    pub kind: Vec<u8>,
    pub level: Vec<u8>,
    pub flags: Vec<u32>,
}

impl House {
    /// The rows of a subject. Posts are held that are in `held`.
    pub fn of(subject: Subject, place: &Place, held: Option<&HashSet<String>>) -> Self {
        let mut house = Self::default();
        let mut posts_of: HashMap<&str, usize> = HashMap::new();
        let mut posts_in: HashMap<u32, usize> = HashMap::new();
        for post in place.posts() {
            *posts_of.entry(post.unit.as_str()).or_default() += 1;
            *posts_in.entry(post.area).or_default() += 1;
        }
        let kind_of = |code: &str| place.unit(code).map_or(u8::MAX, |unit| unit.kind as u8);
        match subject {
            Subject::Case | Subject::Run => {}
            Subject::Unit | Subject::Station => {
                let [located, reachable] = UNIT_FLAGS;
                for unit in place.units() {
                    if subject == Subject::Station && unit.kind != UnitKind::Station {
                        continue;
                    }
                    let code = unit.code.as_str();
                    let flags = bit(unit.point.is_some(), located)
                        | bit(!unit.phone.is_empty() || !unit.email.is_empty(), reachable)
                        | bit(posts_of.contains_key(code), WITH_POST);
                    house.push(place, code, unit.area, Some(code), kind_of(code), flags);
                }
            }
            Subject::Post => {
                for post in place.posts() {
                    let code = post.code.as_str();
                    let unit = post.unit.as_str();
                    let flags = bit(held.is_some_and(|held| held.contains(code)), HELD);
                    house.push(place, code, post.area, Some(unit), kind_of(unit), flags);
                }
            }
            Subject::Area => {
                for (index, area) in place.areas.all().iter().enumerate() {
                    let index = index as u32;
                    let flags = bit(place.station(index).is_some(), WITH_STATION)
                        | bit(posts_in.contains_key(&index), WITH_POST);
                    house.push(place, area.code.as_str(), index, None, u8::MAX, flags);
                }
            }
        }
        house
    }

    fn push(&mut self, place: &Place, code: &str, area: u32, unit: Option<&str>, kind: u8, flags: u32) {
        let found = place.areas.get(area);
        let number = self.areas.number(found.code.as_str());
        if usize::from(number) == self.paths.len() {
            self.paths.push(place.areas.path(area));
        }
        self.codes.push(code.to_owned());
        self.area.push(number);
        self.unit.push(unit.map_or(NONE, |unit| self.units.number(unit)));
        self.kind.push(kind);
        self.level.push(found.level.depth() as u8);
        self.flags.push(flags);
    }
}

fn bit(is_set: bool, bit: u32) -> u32 {
    if is_set { bit } else { 0 }
}
