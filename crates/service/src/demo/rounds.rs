//! The rounds of the demo: on working days patrols look at what is due, but for what they leave for the next day. Mostly all
//! is well; what was found at a stop and reported is told with its case.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use whistle_domain::{
    case::Actor,
    place::AreaIndex,
    rights::{self, Role},
    round::{Finding, Stop},
    words::{CaseNumber, StopCode, UnitCode},
};
use whistle_store::round::Look;

use super::world::World;

/// The share of due stops that are seen on a working day; the others wait for the next.
const SEEN: f64 = 0.9;

/// A look at a stop, and the case that was made of what was found.
#[derive(Debug)]
pub(super) struct Seen {
    pub stop: StopCode,
    pub look: Look,
    pub case: Option<CaseNumber>,
}

/// A stop, the smallest area that holds it, and who walks there.
pub(super) struct Walked<'p> {
    pub stop: &'p Stop,
    pub area: AreaIndex,
    pub by: Actor,
    unit: UnitCode,
}

/// All stops of the place that somebody walks to.
pub(super) fn walked<'p>(world: &World<'p>, rng: &mut ChaCha8Rng) -> Vec<Walked<'p>> {
    let place = world.place;
    let mut all = Vec::new();
    for round in place.rounds() {
        for stop in &round.stops {
            let Some(area) = place.areas.locate(stop.point) else {
                continue;
            };
            let by = world.at(rng, area, Role::Patrol).cloned();
            let by = by.filter(|by| rights::may_walk(round, by, place));
            if let Some(Actor::Post { unit, .. }) = &by {
                let unit = unit.clone();
                all.extend(by.map(|by| Walked { stop, area, by, unit }));
            }
        }
    }
    all
}

impl Walked<'_> {
    /// That it was looked at.
    pub fn seen(&self, on: Date, finding: Finding, case: Option<CaseNumber>) -> Seen {
        Seen {
            stop: self.stop.code.clone(),
            look: Look {
                finding,
                made_on: on,
                received_on: on,
                unit: Some(self.unit.clone()),
            },
            case,
        }
    }
}

/// The looks of a span at which all was well, in the order of days.
pub(super) fn fine(
    world: &World<'_>,
    walked: &[Walked<'_>],
    from: Timestamp,
    to: Timestamp,
    rng: &mut ChaCha8Rng,
) -> Vec<Seen> {
    let calendar = &world.place.calendar;
    let mut last: HashMap<&str, Date> = HashMap::new();
    let (mut all, mut day) = (Vec::new(), calendar.zone().to_datetime(from).date());
    while calendar.start_of(day) < to {
        let begins = calendar.start_of(day);
        let Ok(next) = day.tomorrow() else { break };
        if !calendar
            .working_between(begins, calendar.start_of(next))
            .is_zero()
        {
            for walked in walked {
                let at = begins + SignedDuration::from_secs(rng.random_range(8 * 3600..17 * 3600));
                let before = last.get(walked.stop.code.as_str()).copied();
                let is_seen = walked.stop.is_due(before, day) && rng.random_bool(SEEN);
                if is_seen && at >= from && at < to {
                    last.insert(walked.stop.code.as_str(), day);
                    all.push(walked.seen(day, Finding::Fine, None));
                }
            }
        }
        day = next;
    }
    all
}
