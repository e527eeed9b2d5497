//! The demo: cases with a lifelike history, made through the domain's rules by the posts of the place, and accounts to try
//! it out. The same place, options and empty data directory give the same cases to the last bit.
//!
//! What is lifelike about it: when, where and what is reported, by whom, and how long it takes (`demo/model.rs`, from real dumps);
//! whistles, a few in each town and month; slow units, returns, reworks, parking, duplicates, reopening, the rush when a quarter
//! ends; rounds; and that the last weeks are still being worked on. No event is written that the rules did not make.

mod life;
mod model;
mod rounds;
mod words;
mod world;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use whistle_domain::{
    place::{Level, UnitKind},
    rights::Role,
    words::{CaseNumber, JurisdictionId, PostCode, WhistleNumber},
};
use whistle_store::{
    Tx,
    case::{self as stored, Prepared, Tell},
    round as stored_round, whistle as stored_whistle,
};

use self::{
    life::{Blown, Recent, Refusals, Whistles, live},
    rounds::Seen,
    world::{Days, World, post_with},
};
use crate::{
    Whistle,
    behind::write_behind,
    error::{Error, Result},
    password,
    place::Here,
};

/// Cases committed together.
const BATCH: usize = 200;

/// Looks committed together; each is two small rows.
const LOOKS: usize = 2_000;

/// Case numbers taken at a time.
const NUMBERS: u64 = 10_000;

/// Cases that a new one may turn out to be a duplicate of.
const RECENT: usize = 48;

/// How long a demo's history is when nothing is said.
const SPAN: SignedDuration = SignedDuration::from_hours(24 * 365);

/// The most cases of a demo.
const MOST_CASES: u64 = 50_000_000;

/// What demo to make.
#[derive(Debug, Clone, Copy)]
pub struct DemoOptions {
    /// How many cases.
    pub cases: u64,
    /// Chance begins here: the same seed gives the same demo.
    pub seed: u64,
    /// When the first case is reported; a year before the end when nothing is said.
    pub from: Option<Timestamp>,
    /// When the demo's time ends: what would come later has not happened yet.
    pub to: Timestamp,
}

/// What was made.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DemoReport {
    /// Cases.
    pub cases: u64,
    /// Their events.
    pub events: u64,
    /// Whistles that were blown on them, or asked for.
    pub whistles: u64,
    /// Looks at the stops of rounds.
    pub looks: u64,
    /// Cases by the stage they are in.
    pub stages: BTreeMap<&'static str, u64>,
    /// Deeds that the rules refused; 0, or the demo does what no one may.
    pub refused: u64,
    /// The first few of them.
    pub refusals: Vec<String>,
}

/// An account to try the demo with.
#[derive(Debug, Clone, Serialize)]
pub struct DemoAccount {
    /// The name to sign in with.
    pub login: String,
    /// The password, shown this once.
    pub password: String,
    /// The post it holds.
    pub post: PostCode,
    /// What it is there to show.
    pub role: &'static str,
}

/// What is committed together.
type Batch = Vec<Piece>;

/// One thing to commit.
enum Piece {
    /// A case, the whistle that was blown on it, and the look that found it.
    Case(Box<(Prepared, Option<Blown>, Option<Seen>)>),
    /// A look that found nothing.
    Look(Seen),
}

impl Piece {
    fn write(&self, tx: &mut Tx<'_>, id: JurisdictionId) -> Result<()> {
        let look = |tx: &mut Tx<'_>, seen: &Seen| {
            stored_round::keep(tx, id, &seen.stop, &seen.look, seen.case).map_err(Error::from)
        };
        match self {
            Self::Look(seen) => look(tx, seen),
            Self::Case(made) => {
                let (case, blown, seen) = &**made;
                case.write(tx, Tell::Nobody)?;
                if let Some(Blown { whistle, events, .. }) = blown {
                    stored_whistle::commit(tx, id, whistle.number, None, events.clone(), Tell::Nobody)?;
                }
                seen.as_ref().map_or(Ok(()), |seen| look(tx, seen))
            }
        }
    }
}

impl Whistle {
    /// Makes the cases of a demo. `progress` is told how many are made. Blocks; not for async threads.
    pub fn make_demo(
        &self,
        here: &Here,
        options: DemoOptions,
        mut progress: impl FnMut(u64),
    ) -> Result<DemoReport> {
        let whole_second = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
        let to = whole_second(options.to);
        let from = whole_second(options.from.unwrap_or(to - SPAN));
        if from >= to {
            return Err(Error::invalid("from", "the demo must begin before it ends"));
        }
        if options.cases > MOST_CASES {
            return Err(Error::invalid("cases", format!("at most {MOST_CASES}")));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
        let world = World::new(&here.place, &mut rng)
            .ok_or_else(|| Error::invalid("place", "it has no service to report"))?;
        let days = Days::new(&world, from, to, &mut rng);
        let mut report = DemoReport::default();
        let mut refusals = Refusals::default();
        let (id, place) = (here.id, here.place.clone());
        let write =
            move |tx: &mut Tx<'_>, batch: &Batch| batch.iter().try_for_each(|piece| piece.write(tx, id));
        write_behind(&self.store, write, drop, |behind| {
            let mut recent: VecDeque<Recent> = VecDeque::with_capacity(RECENT);
            let mut numbers: VecDeque<CaseNumber> = VecDeque::new();
            let mut whistles = Whistles::default();
            let mut batch = Batch::with_capacity(BATCH);
            let mut next = 0;
            while next < options.cases {
                let day = days.of(next, options.cases);
                let mut end = next + 1;
                while end < options.cases && days.of(end, options.cases) == day {
                    end += 1;
                }
                for coming in days.reports(day, (end - next) as usize, &mut rng) {
                    if numbers.is_empty() {
                        numbers = self.take_numbers(here, NUMBERS.min(options.cases - next))?;
                    }
                    if whistles.numbers.is_empty() {
                        whistles.numbers = self.take_whistle_numbers(here)?;
                    }
                    next += 1;
                    let Some(number) = numbers.pop_front() else { break };
                    let twin = (rng.random_bool(0.04) && !recent.is_empty())
                        .then(|| &recent[rng.random_range(0..recent.len())])
                        .filter(|twin| is_likely_twin(twin, coming.at));
                    let lived = live(
                        &world,
                        &mut rng,
                        &mut refusals,
                        &mut whistles,
                        number,
                        coming,
                        to,
                        twin,
                    );
                    let Some(lived) = lived else { continue };
                    report.cases += 1;
                    report.events += lived.events.len() as u64;
                    *report
                        .stages
                        .entry(lived.case.state.stage().as_str())
                        .or_default() += 1;
                    if lived.case.duplicate_of.is_none() && lived.case.public {
                        if recent.len() == RECENT {
                            recent.pop_front();
                        }
                        recent.push_back(lived.recent);
                    }
                    report.whistles += u64::from(lived.blown.is_some());
                    report.looks += u64::from(lived.seen.is_some());
                    let case = Prepared::new(id, number, None, lived.events, &place.calendar)?;
                    batch.push(Piece::Case(Box::new((case, lived.blown, lived.seen))));
                    if batch.len() == BATCH {
                        behind.send(std::mem::replace(&mut batch, Batch::with_capacity(BATCH)))?;
                        progress(report.cases);
                    }
                }
            }
            behind.send(batch)?;
            let fine = rounds::fine(&world, &world.walked, from, to, &mut rng);
            report.looks += fine.len() as u64;
            let mut fine = fine.into_iter().map(Piece::Look).peekable();
            while fine.peek().is_some() {
                behind.send(fine.by_ref().take(LOOKS).collect())?;
            }
            Ok(())
        })?;
        progress(report.cases);
        report.refused = refusals.count;
        report.refusals = refusals.first;
        Ok(report)
    }

    fn take_numbers(&self, here: &Here, count: u64) -> Result<VecDeque<CaseNumber>> {
        let id = here.id;
        Ok(self.store.write_blocking(move |tx| {
            (0..count)
                .map(|_| stored::next_number(tx, id))
                .collect::<whistle_store::Result<_>>()
        })?)
    }

    fn take_whistle_numbers(&self, here: &Here) -> Result<VecDeque<WhistleNumber>> {
        /// What is not used of it is a gap.
        const BLOCK: usize = 32;
        let id = here.id;
        Ok(self.store.write_blocking(move |tx| {
            (0..BLOCK)
                .map(|_| stored_whistle::next_number(tx, id))
                .collect::<whistle_store::Result<_>>()
        })?)
    }

    /// Makes one account for each kind of post, with passwords that can be read out. An account that is there gets a new
    /// password.
    pub fn demo_accounts(&self, here: &Here) -> Result<Vec<DemoAccount>> {
        let place = &here.place;
        let is_city = |area| place.areas.get(area).level == Level::City;
        let is_station = |unit: &str| place.unit(unit).is_some_and(|u| u.kind == UnitKind::Station);
        let departments: Vec<_> = place
            .posts()
            .filter(|p| p.roles.contains(&Role::Handler) && !is_station(p.unit.as_str()))
            .collect();
        let other_unit = departments
            .iter()
            .find(|p| departments.first().is_some_and(|first| first.unit != p.unit));
        let wanted = [
            (
                "dispatcher",
                "dispatcher",
                post_with(place, Role::Dispatcher, |p| is_city(p.area))
                    .or_else(|| post_with(place, Role::Dispatcher, |_| true)),
            ),
            (
                "calls",
                "call_taker",
                post_with(place, Role::CallTaker, |p| {
                    is_city(p.area) && !p.roles.contains(&Role::Dispatcher)
                })
                .or_else(|| post_with(place, Role::CallTaker, |_| true)),
            ),
            ("handler", "handler", departments.first().copied()),
            ("handler2", "handler", other_unit.copied()),
            (
                "patrol",
                "patrol",
                post_with(place, Role::Patrol, |p| !is_city(p.area))
                    .or_else(|| post_with(place, Role::Patrol, |_| true)),
            ),
            (
                "lead",
                "lead",
                post_with(place, Role::Lead, |p| {
                    is_station(p.unit.as_str()) && is_city(p.area)
                })
                .or_else(|| post_with(place, Role::Lead, |p| is_station(p.unit.as_str()))),
            ),
            ("auditor", "auditor", post_with(place, Role::Auditor, |_| true)),
            (
                "admin",
                "administrator",
                post_with(place, Role::Administrator, |_| true),
            ),
        ];
        let known = self.holders(here)?;
        let mut accounts = Vec::new();
        for (login, role, post) in wanted {
            let Some(post) = post else { continue };
            let password = password::readable(&self.chance);
            if known.iter().any(|(known, _)| known == login) {
                self.set_password(here, login, &password)?;
            } else {
                self.add_user(here, login, &password, std::slice::from_ref(&post.code))?;
            }
            accounts.push(DemoAccount {
                login: login.to_owned(),
                password,
                post: post.code.clone(),
                role,
            });
        }
        Ok(accounts)
    }
}

/// Whether a report at a time may be about a case: of the last two days, and surely still open then.
fn is_likely_twin(twin: &Recent, at: Timestamp) -> bool {
    twin.closed_at
        .is_none_or(|closed| closed > at + SignedDuration::from_hours(48))
}
