//! The scheduler of clocks: takes the steps of their ladders when they are due, each once and in the order of their times.
//!
//! What is due is asked of the store, in the order of time, so that it costs what is due and not what runs. A step is an
//! event of its case, written under the lease of the duty: who is stopped goes on where the log ends, and two who
//! believe to be in charge take nothing twice. After a stop of days the same loop takes what has come due meanwhile.
//!
//! A place that is applied may change the times. Each process that is in charge computes them anew once for the version in
//! force, cases and whistles, beside its other work; what is put off is noted when its step would have been taken
//! (`domain::command`).

use std::{
    collections::{BinaryHeap, HashMap},
    time::Duration,
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Case},
    command::{Act, Context, decide},
    whistle::command::Act as OnWhistle,
    words::{CaseNumber, JurisdictionId, WhistleNumber},
};
use whistle_store::{
    case::{self as stored, Due},
    lease, place as stored_place, whistle as whistles,
};

use crate::{
    Whistle,
    case::change,
    duties::Duty,
    error::{Error, Result},
    lease::InCharge,
    place::Here,
};

/// Steps of one group in the writer: few enough that reports are not kept waiting.
const BATCH: usize = 200;

/// How long one look may take while steps are due; the other duties have their turn then.
const LOOK: Duration = Duration::from_secs(2);

/// A case whose step failed is left alone for so long; the others go on.
const AFTER_FAILURE: Duration = Duration::from_mins(10);

/// A case that had no step to take after all is left alone for so long: somebody changed it in between.
const AFTER_NOTHING: Duration = Duration::from_secs(2);

/// More failing cases than this are no longer the cases' fault.
const MAX_ASIDE: usize = 10_000;

/// Open cases looked at in one go after a place was applied, between two looks for steps that are due.
const RECKONED_AT_ONCE: usize = 500;

/// How long after a place came into force here the clocks of its open cases are looked at once more: within 2 s every process
/// decides by it, and what one decided just before by the last one is written soon after.
const SETTLED_AFTER: Duration = Duration::from_secs(5);

/// What the scheduler knows besides the store. Lost with the process, and nothing with it.
#[derive(Default)]
pub(crate) struct Stepping {
    /// Cases that are left alone, until when in the time that this process runs.
    aside: HashMap<(JurisdictionId, CaseNumber), Duration>,
    /// Whistles that are.
    whistles_aside: HashMap<(JurisdictionId, WhistleNumber), Duration>,
    reckoned: HashMap<JurisdictionId, Reckoned>,
}

/// How far the clocks were computed anew for a version of the place.
struct Reckoned {
    version: u32,
    /// When that version was applied: what the lease notes as done.
    applied_at: Timestamp,
    /// When it was first met here, in the time that this process runs.
    since: Duration,
    /// What comes next; none when all are.
    after: Option<After>,
}

/// After which one the rest is still to be computed: the cases, then the whistles.
#[derive(Debug, Clone, Copy)]
enum After {
    Case(CaseNumber),
    Whistle(WhistleNumber),
}

/// What one look did.
#[derive(Default)]
pub(crate) struct Climbed {
    /// Steps that were taken.
    pub steps: u64,
    /// Cases whose clocks were computed anew.
    pub reckoned: u64,
}

/// What a batch did.
#[derive(Default)]
struct Taken {
    /// How late each of its steps was, in seconds.
    delays: Vec<f64>,
    /// Cases that had nothing to take.
    idle: Vec<CaseNumber>,
}

impl Whistle {
    /// Takes the steps that are due, of the clocks that this process looks after. Answers how many. A second caller at the
    /// same time has nothing to do.
    pub fn take_steps(&self) -> Result<u64> {
        let places = self.places();
        let mut taken = 0;
        for charge in self.leases.own(Duty::Escalation) {
            let here = places
                .all()
                .iter()
                .find(|here| here.id == charge.held.jurisdiction);
            if let Some(here) = here {
                match self.climb(&charge, here) {
                    Err(Error::Store(whistle_store::Error::Fenced { .. })) => {}
                    outcome => taken += outcome?.steps,
                }
            }
        }
        Ok(taken)
    }

    /// Takes the steps that are due in a place, and computes clocks anew for which another process still went by the version
    /// before, or which an `apply` left when it was killed.
    pub(crate) fn climb(&self, charge: &InCharge, here: &Here) -> Result<Climbed> {
        let mut climbed = Climbed::default();
        let Ok(mut stepping) = self.stepping.try_lock() else {
            return Ok(climbed);
        };
        // What is wrong with the one keeps the other from nothing.
        let of_cases = self.climb_cases(&mut stepping, charge, here, &mut climbed);
        let of_whistles = self.remind_called(&mut stepping, charge.held, here);
        of_cases?;
        climbed.steps += of_whistles?;
        Ok(climbed)
    }

    fn climb_cases(
        &self,
        stepping: &mut Stepping,
        charge: &InCharge,
        here: &Here,
        climbed: &mut Climbed,
    ) -> Result<()> {
        let began = self.clock.running();
        loop {
            let running = self.clock.running();
            stepping.aside.retain(|_, until| *until > running);
            let (now, due) = self.due(stepping, here)?;
            let waits = due
                .first()
                .map_or(0, |first| now.as_microsecond().saturating_sub(first.at));
            metrics::gauge!("whistle_clock_lag_seconds", "jurisdiction" => here.place.jurisdiction.code.to_string())
                .set(waits as f64 / 1e6);
            if due.is_empty() {
                if self.reckon_on(stepping, charge, here, &mut climbed.reckoned)? {
                    return Ok(());
                }
            } else {
                climbed.steps += self.take(stepping, charge, here, now, due)?;
            }
            if self.clock.running().saturating_sub(began) >= LOOK {
                return Ok(());
            }
        }
    }

    /// Notes the limits of called units that have run out, each once. Answers of how many whistles. One that cannot be read
    /// stops no other.
    fn remind_called(&self, stepping: &mut Stepping, held: lease::Held, here: &Here) -> Result<u64> {
        /// Whistles of one look; the rest is left for the next.
        const ROUND: usize = 100;
        let (id, now, running) = (here.id, self.clock.now(), self.clock.running());
        let aside = &mut stepping.whistles_aside;
        aside.retain(|_, until| *until > running);
        if aside.len() > MAX_ASIDE {
            return Err(Error::invalid("clocks", "the limits of too many whistles fail"));
        }
        let most = ROUND + aside.len();
        let mut due = self
            .store
            .read_blocking(|conn| whistles::steps_due(conn, id, now, most))?;
        due.retain(|number| !aside.contains_key(&(id, *number)));
        due.truncate(ROUND);
        let (noted, failed) = self.in_round(Some(held), here, &OnWhistle::Remind, due)?;
        for (number, error) in failed {
            tracing::error!(
                whistle = number.0,
                %error,
                "the limits of a whistle cannot be noted; it is tried again in {} s",
                AFTER_FAILURE.as_secs()
            );
            aside.insert((id, number), running + AFTER_FAILURE);
        }
        Ok(noted)
    }

    /// What is due now, of the cases that are not left alone.
    fn due(&self, stepping: &Stepping, here: &Here) -> Result<(Timestamp, Vec<Due>)> {
        let (id, now) = (here.id, self.clock.now());
        if stepping.aside.len() > MAX_ASIDE {
            return Err(Error::invalid("clocks", "the steps of too many cases fail"));
        }
        let most = BATCH + stepping.aside.len();
        let mut due = self
            .store
            .read_blocking(|conn| stored::steps_due(conn, id, now, most))?;
        due.retain(|due| !stepping.aside.contains_key(&(id, due.number)));
        due.truncate(BATCH);
        Ok((now, due))
    }

    /// Takes a batch; where it fails, case by case, so that one that fails stops no other.
    fn take(
        &self,
        stepping: &mut Stepping,
        charge: &InCharge,
        here: &Here,
        now: Timestamp,
        due: Vec<Due>,
    ) -> Result<u64> {
        let running = self.clock.running();
        let mut leave = |number, wait| stepping.aside.insert((here.id, number), running + wait);
        let batches = match self.take_batch(charge, here, now, due.clone()) {
            Ok(taken) => vec![taken],
            Err(error) if is_everybodys(&error) => return Err(error),
            Err(_) => {
                let mut batches = Vec::new();
                for due in due {
                    match self.take_batch(charge, here, now, vec![due]) {
                        Ok(taken) => batches.push(taken),
                        Err(error) if is_everybodys(&error) => return Err(error),
                        Err(error) => {
                            tracing::error!(
                                case = due.number.0,
                                %error,
                                "a step of a clock cannot be taken; it is tried again in {} s",
                                AFTER_FAILURE.as_secs()
                            );
                            leave(due.number, AFTER_FAILURE);
                        }
                    }
                }
                batches
            }
        };
        let mut steps = 0;
        for taken in batches {
            steps += taken.delays.len() as u64;
            for number in taken.idle {
                leave(number, AFTER_NOTHING);
            }
            for delay in taken.delays {
                metrics::histogram!("whistle_clock_step_delay_seconds").record(delay);
            }
        }
        metrics::counter!("whistle_clock_steps_total").increment(steps);
        Ok(steps)
    }

    /// Takes the steps of some cases in the order of their times, in one transaction.
    fn take_batch(&self, charge: &InCharge, here: &Here, now: Timestamp, due: Vec<Due>) -> Result<Taken> {
        let (id, place, held) = (here.id, here.place.clone(), charge.held);
        // What lies behind a full batch must not be overtaken by the further steps of those in it.
        let until = match due.last() {
            Some(last) if due.len() == BATCH => last.at,
            _ => now.as_microsecond(),
        };
        self.store.write_blocking(move |tx| -> Result<Taken> {
            lease::hold(tx, &held)?;
            let (mut taken, mut events) = (Taken::default(), 0);
            let mut ladder: BinaryHeap<_> = due.iter().copied().map(std::cmp::Reverse).collect();
            while let Some(std::cmp::Reverse(due)) = ladder.pop() {
                events += 1;
                if events > BATCH {
                    break;
                }
                let before =
                    stored::find_to_change(tx, id, due.number)?.filter(|s| s.case.state.is_undecided());
                let Some(before) = before else {
                    taken.idle.push(due.number);
                    continue;
                };
                let (seen, fired) = (before.case.version, steps_fired(&before.case));
                let case = change(
                    tx,
                    id,
                    &place,
                    before,
                    None,
                    &Act::Escalate,
                    "",
                    &Actor::System,
                    now,
                    1.0,
                )?;
                if case.version == seen {
                    taken.idle.push(due.number);
                    continue;
                }
                // One that is put off by now is noted, not taken.
                if steps_fired(&case) > fired {
                    let late = now.as_microsecond().saturating_sub(due.at);
                    taken.delays.push(late as f64 / 1e6);
                }
                let next = case.next_step_at();
                ladder.extend(
                    next.map(Timestamp::as_microsecond)
                        .filter(|at| *at <= until)
                        .map(|at| {
                            std::cmp::Reverse(Due {
                                at,
                                number: due.number,
                            })
                        }),
                );
            }
            Ok(taken)
        })
    }

    /// Computes the clocks of some more cases or whistles anew, where the place was applied since that was last done. Answers
    /// whether all are done.
    fn reckon_on(
        &self,
        stepping: &mut Stepping,
        charge: &InCharge,
        here: &Here,
        changed: &mut u64,
    ) -> Result<bool> {
        let (id, version) = (here.id, here.place.version);
        let known = stepping
            .reckoned
            .get(&id)
            .filter(|known| known.version == version);
        if known.is_none() {
            let applied_at = self
                .store
                .read_blocking(|conn| stored_place::applied_at(conn, id, version))?;
            let Some(applied_at) = applied_at else {
                return Ok(true);
            };
            let reckoned = Reckoned {
                version,
                applied_at,
                since: self.clock.running(),
                after: (charge.done_at != Some(applied_at)).then_some(After::Case(CaseNumber(0))),
            };
            stepping.reckoned.insert(id, reckoned);
        }
        let Some(reckoned) = stepping.reckoned.get_mut(&id) else {
            return Ok(true);
        };
        let Some(after) = reckoned.after else {
            return Ok(true);
        };
        if self.clock.running().saturating_sub(reckoned.since) < SETTLED_AFTER {
            return Ok(true);
        }
        let held = Some(charge.held);
        let next = match after {
            After::Case(after) => {
                let (more, last) = self.reckon_after(here, after, RECKONED_AT_ONCE, held)?;
                *changed += more;
                Some(last.map_or(After::Whistle(WhistleNumber(0)), After::Case))
            }
            After::Whistle(after) => self.reckon_whistles_after(here, after, held)?.map(After::Whistle),
        };
        if next.is_none() {
            let (held, applied_at) = (charge.held, reckoned.applied_at);
            self.store
                .write_blocking(move |tx| lease::finish(tx, &held, applied_at))?;
        }
        reckoned.after = next;
        Ok(next.is_none())
    }

    /// Computes the clocks of cases anew, at most `most` cases after one. Answers how many changed, and the last one
    /// that was looked at; none when there are no more.
    pub(crate) fn reckon_after(
        &self,
        here: &Here,
        after: CaseNumber,
        most: usize,
        held: Option<lease::Held>,
    ) -> Result<(u64, Option<CaseNumber>)> {
        let (id, now) = (here.id, self.clock.now());
        let cases = self
            .store
            .read_blocking(|conn| stored::undecided_after(conn, id, after, most))?;
        let last = cases.last().map(|case| case.number);
        // Most are as they were, and those are not the writer's business.
        let context = Context {
            place: &here.place,
            now,
            by: &Actor::System,
            chance: 1.0,
        };
        let differ =
            |case: &&Case| decide(case, &Act::Reckon, "", context).is_ok_and(|events| !events.is_empty());
        let numbers: Vec<CaseNumber> = cases.iter().filter(differ).map(|case| case.number).collect();
        let mut changed = 0;
        for round in numbers.chunks(BATCH) {
            changed += self.reckon_round(here, round.to_vec(), held)?;
        }
        Ok((changed, last))
    }
}

fn steps_fired(case: &Case) -> usize {
    let parts = case.joint.iter().flat_map(|part| part.clocks.all());
    let clocks = case.clocks.all().iter().chain(parts);
    clocks.map(|clock| usize::from(clock.steps_fired)).sum()
}

/// Whether an error has nothing to do with the case or whistle at hand.
pub(crate) fn is_everybodys(error: &Error) -> bool {
    matches!(
        error,
        Error::Busy(_) | Error::Full | Error::Store(whistle_store::Error::Fenced { .. })
    )
}
