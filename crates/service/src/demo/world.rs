//! The place as the demo sees it: who may act where, where matters lie, what is asked for how often, and when. The figures are
//! the model's.

use std::collections::{HashMap, HashSet};

use jiff::{SignedDuration, Timestamp, civil::Date};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use whistle_domain::{
    case::{Actor, Answer, Case},
    geometry::Point,
    place::{AreaIndex, Datatype, Level, Place, Post, Service, UnitKind},
    rights::{self, Role},
    words::{Lang, ServiceCode, UnitCode},
};

use super::{
    model::{self, Hours, Matter, Pace},
    rounds::{self, Walked},
    words::{Theme, theme_of},
};
use crate::account::actor_of;

/// Numbers of accounts that nobody has: the demo's staff. One for each post, so that each is another person.
const ACCOUNTS: i64 = 1_000_000;

/// Of the teams that units have in towns, how many take longer than others.
const SLOW_SHARE: f64 = 0.15;

/// One thing that may be asked for.
pub(super) struct Ware<'p> {
    pub service: &'p Service,
    pub theme: Theme,
    pub matter: &'static Matter,
    /// Its part of the model's share.
    share: f64,
}

/// A smallest area, where matters lie.
struct Spot {
    area: AreaIndex,
    /// Where matters gather in it.
    centre: Point,
}

pub(super) struct World<'p> {
    pub place: &'p Place,
    /// The language that most people write.
    pub lang: Lang,
    wares: Vec<Ware<'p>>,
    spots: Vec<Spot>,
    /// Sums of how much lies in each spot.
    spot_sums: Vec<f64>,
    in_area: HashMap<(AreaIndex, Role), Vec<Actor>>,
    in_unit: HashMap<Role, HashMap<&'p str, Vec<Actor>>>,
    everybody: Vec<(&'p Post, Actor)>,
    working_units: Vec<&'p UnitCode>,
    /// Units and the towns in which their teams are slow. Not whole units: a matter of which one unit has the most would be slow everywhere.
    slow: HashSet<(&'p str, &'p str)>,
    /// Where patrols go.
    pub walked: Vec<Walked<'p>>,
}

impl<'p> World<'p> {
    /// None when the place has no service or no area.
    pub fn new(place: &'p Place, rng: &mut ChaCha8Rng) -> Option<Self> {
        let mut wares: Vec<Ware<'p>> = place
            .services()
            .iter()
            .filter(|s| !s.is_group() && place.default_standard(&s.code).is_some())
            .map(|service| Ware {
                service,
                theme: theme_of(place, service),
                matter: Matter::of(service),
                share: 0.0,
            })
            .collect();
        share_out(&mut wares, rng);
        let (spots, spot_sums) = spots(place, rng);
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
        let mut slow = HashSet::new();
        for unit in place.units() {
            let towns = place.areas.all().iter().filter(|area| area.level == Level::Town);
            for town in towns {
                if rng.random_bool(SLOW_SHARE) {
                    slow.insert((unit.code.as_str(), town.code.as_str()));
                }
            }
        }
        if wares.is_empty() || spots.is_empty() {
            return None;
        }
        let mut world = Self {
            place,
            lang: place.jurisdiction.languages.first().copied().unwrap_or_default(),
            wares,
            spots,
            spot_sums,
            in_area,
            in_unit,
            everybody,
            working_units,
            slow,
            walked: Vec::new(),
        };
        world.walked = rounds::walked(&world, rng);
        Some(world)
    }

    /// A stop of a round at which something that is asked for may be the matter.
    pub fn stop_of(&self, rng: &mut ChaCha8Rng, service: &Service) -> Option<&Walked<'p>> {
        let fits = |walked: &&Walked<'p>| walked.stop.service.as_ref() == Some(&service.code);
        let all: Vec<&Walked<'p>> = self.walked.iter().filter(fits).collect();
        (!all.is_empty()).then(|| all[rng.random_range(0..all.len())])
    }

    /// One thing that is asked for, as often as it is.
    pub fn ware(&self, rng: &mut ChaCha8Rng) -> &Ware<'p> {
        let sums = sums(self.wares.iter().map(|ware| ware.share));
        &self.wares[drawn(&sums, rng)]
    }

    /// Where a matter lies: an area, and a point in it. A third lies about the middles of the areas.
    pub fn spot(&self, rng: &mut ChaCha8Rng) -> (AreaIndex, Point) {
        let spot = &self.spots[drawn(&self.spot_sums, rng)];
        let shape = &self.place.areas.get(spot.area).shape;
        if rng.random_bool(0.35) {
            // Some hundred metres around; outside the area it falls back to the middle.
            let point = nearby(rng, spot.centre, 150.0);
            return (spot.area, if shape.contains(point) { point } else { spot.centre });
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
        (spot.area, spot.centre)
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
        let (Some(unit), Some(town)) = (&case.lead, case.location.areas.at(Level::Town)) else {
            return false;
        };
        self.slow.contains(&(unit.as_str(), town.as_str()))
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

/// Shares the model's share of each kind out among the place's services of that kind: the first in the list have more.
fn share_out(wares: &mut [Ware<'_>], rng: &mut ChaCha8Rng) {
    let mut met: HashMap<*const Matter, (f64, f64)> = HashMap::new();
    for ware in wares.iter_mut() {
        let (rank, sum) = met.entry(std::ptr::from_ref(ware.matter)).or_default();
        *rank += 1.0;
        ware.share = rng.random_range(0.6..1.4) / rank.powf(0.8);
        *sum += ware.share;
    }
    for ware in wares {
        let (_, sum) = met[&std::ptr::from_ref(ware.matter)];
        ware.share *= ware.matter.share / sum;
    }
}

/// The smallest areas, and sums of how much lies in each.
fn spots(place: &Place, rng: &mut ChaCha8Rng) -> (Vec<Spot>, Vec<f64>) {
    let all = place.areas.all();
    let mut children = vec![0_u32; all.len()];
    for area in all {
        if let Some(parent) = area.parent {
            children[parent as usize] += 1;
        }
    }
    let of_area: Vec<f64> = all
        .iter()
        .map(|_| log_normal(rng, 1.0, model::COMMUNITIES_DIFFER))
        .collect();
    let leaves: Vec<usize> = (0..all.len()).filter(|i| children[*i] == 0).collect();
    let sums = sums(leaves.iter().map(|i| {
        let parent = all[*i].parent.map_or(*i, |parent| parent as usize);
        of_area[parent] * log_normal(rng, 1.0, model::CELLS_DIFFER) / f64::from(children[parent].max(1))
    }));
    let spot = |i: &usize| Spot {
        area: *i as AreaIndex,
        centre: all[*i].shape.inside_point(),
    };
    (leaves.iter().map(spot).collect(), sums)
}

fn sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut sum = 0.0;
    let add = |weight| {
        sum += weight;
        sum
    };
    weights.map(add).collect()
}

/// Which of some is drawn, by the sums of their weights; the first of none.
fn drawn(sums: &[f64], rng: &mut ChaCha8Rng) -> usize {
    let drawn = rng.random::<f64>() * sums.last().copied().unwrap_or_default();
    let i = sums.partition_point(|sum| *sum <= drawn);
    i.min(sums.len().saturating_sub(1))
}

/// A draw whose logarithm is normal, about a median.
pub(super) fn log_normal(rng: &mut ChaCha8Rng, median: f64, spread: f64) -> f64 {
    // Box and Muller; 1 − x keeps the logarithm from zero.
    let radius = (-2.0 * (1.0 - rng.random::<f64>()).ln()).sqrt();
    let normal = radius * (rng.random::<f64>() * std::f64::consts::TAU).cos();
    median * (normal * spread).exp()
}

/// When reports come, what of, and by whom: each day of a span with the share of all that came by its end.
pub(super) struct Days<'w, 'p> {
    world: &'w World<'p>,
    all: Vec<Day>,
    sums: Vec<f64>,
    from: Timestamp,
    to: Timestamp,
}

struct Day {
    date: Date,
    is_working: bool,
    /// A working day of the week on which offices are closed.
    is_holiday: bool,
}

/// A report that comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coming {
    pub at: Timestamp,
    /// What of: which ware.
    ware: usize,
    /// Whether a patrol finds it; else a resident tells of it.
    pub by_patrol: bool,
}

impl<'w, 'p> Days<'w, 'p> {
    pub fn new(world: &'w World<'p>, from: Timestamp, to: Timestamp, rng: &mut ChaCha8Rng) -> Self {
        let calendar = &world.place.calendar;
        let zone = calendar.zone();
        let last = zone.to_datetime(to).date();
        let mut date = zone.to_datetime(from).date();
        let (mut all, mut sums, mut sum, mut week) = (Vec::new(), Vec::new(), 0.0, 1.0);
        while date <= last {
            let start = zone.to_timestamp(date.at(0, 0, 0, 0)).unwrap_or(from).max(from);
            let next = date.tomorrow().unwrap_or(date);
            let end = zone.to_timestamp(next.at(0, 0, 0, 0)).unwrap_or(to).min(to);
            let share = end.duration_since(start).as_secs_f64().max(0.0) / 86_400.0;
            let is_working = !calendar.working_between(start, end).is_zero();
            let weekday = date.weekday().to_monday_zero_offset();
            let day = Day {
                date,
                is_working,
                is_holiday: !is_working && weekday < 5,
            };
            if weekday == 0 {
                week = log_normal(rng, 1.0, model::WEEKS_STRAY);
            }
            let (storms, strength) = model::STORM;
            let weather = if rng.random_bool(storms) {
                strength
            } else {
                log_normal(rng, 1.0, model::DAYS_STRAY)
            };
            let years = start.duration_since(from).as_secs_f64() / (86_400.0 * 365.25);
            let expected: f64 = weights(world, &day).sum();
            sum += expected * week * weather * share * model::GROWTH.powf(years);
            all.push(day);
            sums.push(sum);
            if next == date {
                break;
            }
            date = next;
        }
        Self {
            world,
            all,
            sums,
            from,
            to,
        }
    }

    /// On which day the `i`th of `n` comes: an index for [`Days::reports`].
    pub fn of(&self, i: u64, n: u64) -> usize {
        let wanted = (i as f64 + 0.5) / n as f64 * self.sums.last().copied().unwrap_or_default();
        self.sums
            .partition_point(|sum| *sum <= wanted)
            .min(self.all.len() - 1)
    }

    /// The `count` reports of a day, in order.
    pub fn reports(&self, day: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<Coming> {
        let sums = sums(weights(self.world, &self.all[day]));
        let mut reports: Vec<Coming> = (0..count)
            .map(|_| {
                let i = drawn(&sums, rng);
                let (ware, by_patrol) = (i / 2, i % 2 == 1);
                let hours = if by_patrol {
                    &model::ON_DUTY
                } else {
                    self.world.wares[ware].matter.hours
                };
                Coming {
                    at: self.time(day, hours, rng),
                    ware,
                    by_patrol,
                }
            })
            .collect();
        reports.sort_by_key(|coming| coming.at);
        reports
    }

    fn time(&self, day: usize, hours: &Hours, rng: &mut ChaCha8Rng) -> Timestamp {
        let zone = self.world.place.calendar.zone();
        let sums = sums(hours.iter().map(|hour| f64::from(*hour)));
        let date = self.all[day].date;
        let local = date.at(
            drawn(&sums, rng) as i8,
            rng.random_range(0..60),
            rng.random_range(0..60),
            0,
        );
        let time = zone.to_timestamp(local).unwrap_or(self.from);
        if time >= self.from && time < self.to {
            return time;
        }
        // The first and the last day are not whole.
        let start = zone
            .to_timestamp(date.at(0, 0, 0, 0))
            .unwrap_or(self.from)
            .max(self.from);
        let left = self.to.duration_since(start).as_secs().clamp(1, 86_400);
        start + SignedDuration::from_secs(rng.random_range(0..left))
    }
}

/// How much of each ware comes on a day: by residents and by patrols, in turn.
fn weights(world: &World<'_>, day: &Day) -> impl Iterator<Item = f64> {
    let month = day.date.month() as usize - 1;
    let weekday = day.date.weekday().to_monday_zero_offset() as usize;
    let residents_come = if day.is_holiday { model::ON_HOLIDAYS } else { 1.0 };
    let patrols_go = if day.is_working {
        1.0
    } else {
        model::PATROLS_ON_FREE_DAYS
    };
    world.wares.iter().flat_map(move |ware| {
        let Matter {
            year, week, patrol, ..
        } = *ware.matter;
        let all = ware.share * year[month];
        [
            all * (1.0 - patrol) * week[weekday] * residents_come,
            all * patrol * patrols_go,
        ]
    })
}

impl<'p> World<'p> {
    /// What a report is of.
    pub fn ware_of(&self, coming: Coming) -> &Ware<'p> {
        &self.wares[coming.ware]
    }

    /// How long what a service is for takes, before limits press.
    pub fn pace(&self, service: &ServiceCode) -> Pace {
        let found = self.wares.iter().find(|ware| ware.service.code == *service);
        found.map_or(model::BY_LIMIT, |ware| ware.matter.pace)
    }
}
