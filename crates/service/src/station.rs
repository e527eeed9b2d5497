//! Stations: of the city, its towns and communities; what is open and was done in the area of each, and who holds its posts.

use std::collections::HashMap;

use whistle_domain::{
    case::Actor,
    place::{AreaIndex, UnitKind},
    rights,
    tally::Counted,
    words::{PostCode, UnitCode},
};
use whistle_store::{account, intake};

use crate::{
    Whistle,
    error::{Error, Result},
    list::since,
    place::Here,
};

/// The days that the figures of a station look back on.
pub const DAYS: i32 = 30;

/// The station of an area.
#[derive(Debug, Clone)]
pub struct Station {
    /// Its unit.
    pub unit: UnitCode,
    /// Its area.
    pub area: AreaIndex,
    /// What is open now, and what happened in the last [`DAYS`] days, in the area and all below it.
    pub counts: HashMap<Counted, i64>,
    /// Its posts, with how many accounts hold each; none for one that is vacant.
    pub posts: Vec<(PostCode, usize)>,
}

impl Station {
    /// How many of something.
    pub fn count(&self, counted: Counted) -> i64 {
        self.counts.get(&counted).copied().unwrap_or(0)
    }

    /// How many of its posts nobody holds.
    pub fn vacant(&self) -> usize {
        self.posts.iter().filter(|(_, holders)| *holders == 0).count()
    }
}

impl Whistle {
    /// The stations in the area that the actor sees, in the order of units.csv.
    pub async fn stations(&self, here: &Here, by: &Actor) -> Result<Vec<Station>> {
        let place = &here.place;
        let units = place
            .units()
            .iter()
            .filter(|unit| unit.kind == UnitKind::Station && rights::may_see_station(by, place, unit.area));
        let units: Vec<_> = units.collect();
        if units.is_empty() {
            return Err(Error::Forbidden);
        }
        let (id, since) = (here.id, since(here, self.clock.now(), DAYS));
        let (counts, holders) = self
            .store
            .read(move |conn| -> Result<_> {
                let counts = intake::counts(conn, id, since)?;
                Ok((counts, account::holders(conn, id)?))
            })
            .await?;
        let mut held: HashMap<PostCode, usize> = HashMap::new();
        for (_, post) in holders {
            *held.entry(post).or_default() += 1;
        }
        let mut of_area: HashMap<AreaIndex, HashMap<Counted, i64>> = HashMap::new();
        for count in counts {
            let area = place.areas.find(&count.area_code);
            let counted = Counted::ALL.into_iter().find(|one| one.as_str() == count.name);
            if let (Some(area), Some(counted)) = (area, counted) {
                *of_area.entry(area).or_default().entry(counted).or_default() += count.n;
            }
        }
        let station = |unit: &whistle_domain::place::Unit| {
            let mut counts: HashMap<Counted, i64> = HashMap::new();
            let below = of_area
                .iter()
                .filter(|(area, _)| place.areas.is_within(**area, unit.area));
            for (counted, n) in below.flat_map(|(_, counts)| counts) {
                *counts.entry(*counted).or_default() += n;
            }
            let posts = place.posts().filter(|post| post.unit == unit.code);
            Station {
                unit: unit.code.clone(),
                area: unit.area,
                counts,
                posts: posts
                    .map(|post| (post.code.clone(), held.get(&post.code).copied().unwrap_or(0)))
                    .collect(),
            }
        };
        Ok(units.into_iter().map(station).collect())
    }
}
