//! The place as the demo sees it: who may act where, where matters lie, what is asked for how often, and when.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use whistle_domain::{
    case::{Actor, Answer, Case},
    geometry::Point,
    place::{AreaIndex, Datatype, Level, Place, Post, Service, UnitKind},
    rights::{self, Role},
    words::{Lang, UnitCode},
};

use super::words::{Theme, theme_of};
use crate::account::actor_of;

/// Numbers of accounts that nobody has: the demo's staff. One for each post, so that each is another person.
const ACCOUNTS: i64 = 1_000_000;

/// Where matters gather: markets, stations, old quarters.
const HOT_SPOTS: usize = 24;

/// A unit that takes longer than others.
const SLOW_SHARE: f64 = 0.15;

/// One thing that may be asked for, with its weight.
pub(super) struct Ware<'p> {
    pub service: &'p Service,
    pub theme: Theme,
}

/// A smallest area, where matters lie.
struct Spot {
    area: AreaIndex,
    /// Where matters gather in it; none in most.
    centre: Option<Point>,
}

pub(super) struct World<'p> {
    pub place: &'p Place,
    /// The language that most people write.
    pub lang: Lang,
    wares: Vec<Ware<'p>>,
    /// Sums of the weights of the wares.
    ware_sums: Vec<f64>,
    spots: Vec<Spot>,
    hot: usize,
    in_area: HashMap<(AreaIndex, Role), Vec<Actor>>,
    in_unit: HashMap<Role, HashMap<&'p str, Vec<Actor>>>,
    everybody: Vec<(&'p Post, Actor)>,
    working_units: Vec<&'p UnitCode>,
    slow: HashMap<&'p str, bool>,
}

impl<'p> World<'p> {
    /// None when the place has no service or no area.
    pub fn new(place: &'p Place, rng: &mut ChaCha8Rng) -> Option<Self> {
        let wares: Vec<Ware<'p>> = place
            .services()
            .iter()
            .filter(|s| !s.is_group() && place.default_standard(&s.code).is_some())
            .map(|service| Ware {
                service,
                theme: theme_of(place, service),
            })
            .collect();
        let (mut sum, mut ware_sums) = (0.0, Vec::with_capacity(wares.len()));
        // Zipf by place in the list within a theme, themes by how common they are; a little chance on top.
        let mut met: HashMap<Theme, f64> = HashMap::new();
        for ware in &wares {
            let rank = met.entry(ware.theme).or_insert(0.0);
            *rank += 1.0;
            sum += ware.theme.weight() / rank.powf(0.8) * rng.random_range(0.6..1.4);
            ware_sums.push(sum);
        }
        let all = place.areas.all();
        let mut has_children = vec![false; all.len()];
        for area in all {
            if let Some(parent) = area.parent {
                has_children[parent as usize] = true;
            }
        }
        let mut spots: Vec<Spot> = (0..all.len())
            .filter(|i| !has_children[*i])
            .map(|i| Spot {
                area: i as AreaIndex,
                centre: None,
            })
            .collect();
        let hot = HOT_SPOTS.min(spots.len() / 2);
        for i in 0..hot {
            let other = rng.random_range(i..spots.len());
            spots.swap(i, other);
            spots[i].centre = Some(all[spots[i].area as usize].shape.inside_point());
        }
        let mut in_area = HashMap::new();
        let mut in_unit: HashMap<Role, HashMap<&'p str, Vec<Actor>>> = HashMap::new();
        let is_station = |post: &Post| {
            let unit = place.unit(post.unit.as_str());
            unit.is_some_and(|unit| unit.kind == UnitKind::Station)
        };
        let mut everybody = Vec::new();
        for (account, post) in (ACCOUNTS..).zip(place.posts()) {
            let actor = actor_of(post, account);
            everybody.push((post, actor.clone()));
            for role in &post.roles {
                // Leads of departments lead their unit; those of stations decide for its area.
                if *role != Role::Lead || is_station(post) {
                    let area: &mut Vec<Actor> = in_area.entry((post.area, *role)).or_default();
                    area.push(actor.clone());
                }
                let unit = in_unit.entry(*role).or_default().entry(post.unit.as_str());
                unit.or_default().push(actor.clone());
            }
        }
        let can_work = |code: &str| {
            [Role::Handler, Role::Lead]
                .iter()
                .any(|role| in_unit.get(role).is_some_and(|units| units.contains_key(code)))
        };
        let working_units = place
            .units()
            .iter()
            .filter(|u| u.kind != UnitKind::Station && can_work(u.code.as_str()))
            .map(|u| &u.code)
            .collect();
        let slow = place
            .units()
            .iter()
            .map(|u| (u.code.as_str(), rng.random_bool(SLOW_SHARE)))
            .collect();
        if wares.is_empty() || spots.is_empty() {
            return None;
        }
        Some(Self {
            place,
            lang: place.jurisdiction.languages.first().copied().unwrap_or_default(),
            wares,
            ware_sums,
            spots,
            hot,
            in_area,
            in_unit,
            everybody,
            working_units,
            slow,
        })
    }

    pub fn ware(&self, rng: &mut ChaCha8Rng) -> &Ware<'p> {
        let drawn = rng.random::<f64>() * self.ware_sums.last().copied().unwrap_or_default();
        let i = self.ware_sums.partition_point(|sum| *sum <= drawn);
        &self.wares[i.min(self.wares.len() - 1)]
    }

    /// Where a matter lies: an area, and a point in it. A third lies in few places.
    pub fn spot(&self, rng: &mut ChaCha8Rng) -> (AreaIndex, Point) {
        let is_hot = self.hot > 0 && rng.random_bool(0.35);
        let i = if is_hot {
            // The first ones more than the last.
            let skewed: f64 = rng.random::<f64>().powi(2);
            ((skewed * self.hot as f64) as usize).min(self.hot - 1)
        } else {
            rng.random_range(0..self.spots.len())
        };
        let spot = &self.spots[i];
        let shape = &self.place.areas.get(spot.area).shape;
        if let Some(centre) = spot.centre.filter(|_| is_hot) {
            // Some hundred metres around; outside the area it falls back to the middle.
            let point = nearby(rng, centre, 150.0);
            return (spot.area, if shape.contains(point) { point } else { centre });
        }
        let bbox = shape.bbox();
        for _ in 0..12 {
            let lon = rng.random_range(bbox.west..=bbox.east);
            let lat = rng.random_range(bbox.south..=bbox.north);
            if let Ok(point) = Point::new(rounded(lon), rounded(lat))
                && shape.contains(point)
            {
                return (spot.area, point);
            }
        }
        (spot.area, shape.inside_point())
    }

    /// Someone with a role whose area holds the case: of the nearest station mostly, else of one above.
    pub fn in_area(&self, rng: &mut ChaCha8Rng, case: &Case, role: Role) -> Option<&Actor> {
        let codes = case.location.areas.0.iter().rev().flatten();
        let mut found = None;
        for code in codes {
            let Some(index) = self.place.areas.find(code.as_str()) else {
                continue;
            };
            let actors = self.in_area.get(&(index, role));
            if let Some(actor) = actors.and_then(|actors| self.one_of(rng, actors, case)) {
                found = Some(actor);
                if rng.random_bool(0.7) {
                    break;
                }
            }
        }
        found
    }

    /// One of some, of those that a case is for.
    fn one_of<'a>(&self, rng: &mut ChaCha8Rng, actors: &'a [Actor], case: &Case) -> Option<&'a Actor> {
        let first = rng.random_range(0..actors.len());
        let (before, from) = actors.split_at(first);
        from.iter().chain(before).find(|actor| self.is_for(actor, case))
    }

    fn is_for(&self, actor: &Actor, case: &Case) -> bool {
        let Actor::Post { post, .. } = actor else {
            return true;
        };
        let post = self.place.post(post.as_str());
        post.is_some_and(|post| rights::is_within(&post.narrowed, case))
    }

    /// Someone with a role in an area itself, or in one above.
    pub fn at(&self, rng: &mut ChaCha8Rng, area: AreaIndex, role: Role) -> Option<&Actor> {
        let actors = self
            .place
            .areas
            .upward(area)
            .find_map(|i| self.in_area.get(&(i, role)))?;
        Some(&actors[rng.random_range(0..actors.len())])
    }

    /// All posts, with who holds them.
    pub fn everybody(&self) -> &[(&'p Post, Actor)] {
        &self.everybody
    }

    /// Someone of the unit that leads the case.
    pub fn in_lead(&self, rng: &mut ChaCha8Rng, case: &Case) -> Option<&Actor> {
        self.for_case(rng, case.lead.as_ref()?, case)
    }

    /// Someone of a unit.
    pub fn of_unit(&self, rng: &mut ChaCha8Rng, unit: &UnitCode) -> Option<&Actor> {
        let actors = self.who_work(unit)?;
        Some(&actors[rng.random_range(0..actors.len())])
    }

    /// The same, of those that a case is for.
    pub fn for_case(&self, rng: &mut ChaCha8Rng, unit: &UnitCode, case: &Case) -> Option<&Actor> {
        self.one_of(rng, self.who_work(unit)?, case)
    }

    fn who_work(&self, unit: &UnitCode) -> Option<&[Actor]> {
        let of = |role: Role| self.in_unit.get(&role)?.get(unit.as_str());
        of(Role::Handler).or_else(|| of(Role::Lead)).map(Vec::as_slice)
    }

    /// A unit other than the one that leads the case.
    pub fn other_unit(&self, rng: &mut ChaCha8Rng, case: &Case) -> Option<&'p UnitCode> {
        (0..8).find_map(|_| {
            let n = self.working_units.len();
            let unit = (n > 0).then(|| self.working_units[rng.random_range(0..n)])?;
            let works = || {
                let who = self.who_work(unit).unwrap_or_default();
                who.iter().any(|actor| self.is_for(actor, case))
            };
            (Some(unit) != case.lead.as_ref() && works()).then_some(unit)
        })
    }

    pub fn is_slow(&self, case: &Case) -> bool {
        case.lead
            .as_ref()
            .is_some_and(|unit| self.slow.get(unit.as_str()).copied().unwrap_or_default())
    }

    /// Where it is, in words.
    pub fn address(&self, rng: &mut ChaCha8Rng, area: AreaIndex) -> String {
        let areas = &self.place.areas;
        let community = areas
            .upward(area)
            .find(|i| areas.get(*i).level <= Level::Community)
            .unwrap_or(area);
        let name = areas.get(community).name.get(self.lang);
        let number = rng.random_range(1..260);
        match self.lang {
            Lang::Zh => format!("{name}{number}号"),
            Lang::En => format!("{name} {number}"),
        }
    }
}

/// Answers to the questions that must be answered, and to some that need not.
pub(super) fn answers(rng: &mut ChaCha8Rng, service: &Service) -> Vec<Answer> {
    let mut answers = Vec::new();
    for question in service.questions.iter().filter(|q| q.variable) {
        if !question.required && rng.random_bool(0.6) {
            continue;
        }
        let value = match question.datatype {
            Datatype::Number => rng.random_range(1..20).to_string(),
            Datatype::Datetime => "2026-05-08T10:20:00Z".to_owned(),
            Datatype::String | Datatype::Text => format!("{:03}", rng.random_range(1..400)),
            Datatype::SingleValueList | Datatype::MultiValueList => {
                if question.values.is_empty() {
                    continue;
                }
                question.values[rng.random_range(0..question.values.len())]
                    .0
                    .clone()
            }
        };
        answers.push(Answer {
            question: question.code.clone(),
            values: vec![value],
        });
    }
    answers
}

fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

/// A point some way from another one.
pub(super) fn nearby(rng: &mut ChaCha8Rng, centre: Point, metres: f64) -> Point {
    const METRES_PER_DEGREE: f64 = 111_320.0;
    // Near the centre more than far off.
    let away = metres * rng.random::<f64>() * rng.random::<f64>();
    let (sin, cos) = (rng.random::<f64>() * std::f64::consts::TAU).sin_cos();
    let lat = centre.lat + away * sin / METRES_PER_DEGREE;
    let lon = centre.lon + away * cos / (METRES_PER_DEGREE * centre.lat.to_radians().cos().max(0.01));
    Point::new(rounded(lon), rounded(lat)).unwrap_or(centre)
}

/// Someone with a role in the whole place, for the accounts to try it out with.
pub(super) fn post_with(place: &Place, role: Role, wanted: impl Fn(&Post) -> bool) -> Option<&Post> {
    place
        .posts()
        .filter(|p| p.roles.contains(&role))
        .find(|p| wanted(p))
}

/// When reports come: each day of a span with the share of all that came by its end.
pub(super) struct Days {
    all: Vec<Date>,
    sums: Vec<f64>,
    from: Timestamp,
    to: Timestamp,
}

/// How much comes on a weekday, Monday first.
const WEEK: [f64; 7] = [1.25, 1.15, 1.1, 1.05, 1.1, 0.75, 0.6];

/// How much comes in a month: frozen pipes in winter, rain and warm nights in summer.
const YEAR: [f64; 12] = [1.1, 0.8, 0.95, 0.95, 1.0, 1.1, 1.25, 1.2, 1.0, 0.95, 1.05, 1.15];

/// How much comes in an hour.
const HOURS: [u32; 24] = [
    3, 2, 1, 1, 1, 3, 10, 25, 52, 60, 58, 45, 30, 34, 48, 50, 48, 44, 36, 30, 26, 20, 12, 6,
];

impl Days {
    pub fn new(world: &World<'_>, from: Timestamp, to: Timestamp, rng: &mut ChaCha8Rng) -> Self {
        let zone = world.place.calendar.zone();
        let last = zone.to_datetime(to).date();
        let mut day = zone.to_datetime(from).date();
        let (mut days, mut sums, mut sum) = (Vec::new(), Vec::new(), 0.0);
        while day <= last {
            let start = zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap_or(from).max(from);
            let next = day.tomorrow().unwrap_or(day);
            let end = zone.to_timestamp(next.at(0, 0, 0, 0)).unwrap_or(to).min(to);
            let share = end.duration_since(start).as_secs_f64().max(0.0) / 86_400.0;
            let weekday = WEEK[day.weekday().to_monday_zero_offset() as usize];
            let month = YEAR[day.month() as usize - 1];
            // Now and then a storm.
            let weather = if rng.random_bool(0.02) {
                2.2
            } else {
                rng.random_range(0.8..1.2)
            };
            sum += weekday * month * weather * share;
            days.push(day);
            sums.push(sum);
            if next == day {
                break;
            }
            day = next;
        }
        Self {
            all: days,
            sums,
            from,
            to,
        }
    }

    /// On which day the `i`th of `n` comes: an index for [`Days::times`].
    pub fn of(&self, i: u64, n: u64) -> usize {
        let wanted = (i as f64 + 0.5) / n as f64 * self.sums.last().copied().unwrap_or_default();
        self.sums
            .partition_point(|sum| *sum <= wanted)
            .min(self.all.len() - 1)
    }

    /// The times of `count` reports on a day, in order.
    pub fn times(&self, world: &World<'_>, day: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<Timestamp> {
        let zone = world.place.calendar.zone();
        let total: u32 = HOURS.iter().sum();
        let mut times: Vec<Timestamp> = (0..count)
            .map(|_| {
                let mut drawn = rng.random_range(0..total);
                let hour = HOURS
                    .iter()
                    .position(|share| {
                        let here = drawn < *share;
                        drawn = drawn.saturating_sub(*share);
                        here
                    })
                    .unwrap_or(9);
                let local = self.all[day].at(hour as i8, rng.random_range(0..60), rng.random_range(0..60), 0);
                let time = zone.to_timestamp(local).unwrap_or(self.from);
                if time >= self.from && time < self.to {
                    return time;
                }
                // The first and the last day are not whole.
                let start = zone
                    .to_timestamp(self.all[day].at(0, 0, 0, 0))
                    .unwrap_or(self.from)
                    .max(self.from);
                let left = self.to.duration_since(start).as_secs().clamp(1, 86_400);
                start + SignedDuration::from_secs(rng.random_range(0..left))
            })
            .collect();
        times.sort_unstable();
        times
    }
}
