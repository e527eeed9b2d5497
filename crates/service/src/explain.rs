//! Why a clock stands where it does: for the case page and `whistle explain`.

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::{
    calendar::Explanation,
    case::{Body, Case, Event},
    clock::{Clock, ClockKind},
    escalation::{Mark, Tier},
    limit::Limit,
    place::Place,
    words::{CaseNumber, PostCode, UnitCode},
};
use whistle_store::case as stored;

use crate::{
    Whistle,
    error::{Error, Result},
    place::Here,
};

/// All there is to say about one clock of a case.
#[derive(Debug, Clone, Serialize)]
pub struct ClockStory {
    /// What it limits.
    pub kind: ClockKind,
    /// Whose part of the case, where it limits that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<UnitCode>,
    /// How long it may run.
    pub limit: Limit,
    /// When it started.
    pub started_at: Timestamp,
    /// When it is due.
    pub due_at: Timestamp,
    /// How it stands.
    pub state: Standing,
    /// Whether it was, or is, over its due time.
    pub overdue: bool,
    /// When it stood still, from and to; open while it still stands.
    pub pauses: Vec<(Timestamp, Option<Timestamp>)>,
    /// How many times its limit was added once more.
    pub extensions: u8,
    /// When it was stopped for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped_at: Option<Timestamp>,
    /// The limit and each of its extensions, explained by the calendar in force.
    pub explanations: Vec<Explanation>,
    /// The steps of its ladder.
    pub steps: Vec<StepStory>,
}

/// How a clock stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It runs.
    Running,
    /// It stands while the case is parked.
    Paused,
    /// It was stopped for good.
    Stopped,
}

/// One step of a clock's ladder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepStory {
    /// At which mark of the clock. None when it was taken by a ladder that is no longer in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Mark>,
    /// When it was or will be due.
    pub due_at: Timestamp,
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<Timestamp>,
    /// How high up that is.
    pub level: Tier,
    /// Whose leads are told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitCode>,
    /// The one post that is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<PostCode>,
}

impl Whistle {
    /// The case with a number and its whole log, of one moment; blocks.
    pub fn explained(&self, here: &Here, number: CaseNumber) -> Result<(Case, Vec<Event>)> {
        let id = here.id;
        self.store.read_blocking(|conn| {
            stored::with_log(conn, id, number)?.ok_or_else(|| Error::not_found("case", number))
        })
    }
}

impl ClockStory {
    /// Whether a step is still to come: not taken, and the clock has not been stopped.
    pub fn is_to_come(&self, step: &StepStory) -> bool {
        step.taken_at.is_none() && self.state != Standing::Stopped
    }
}

/// The clocks of a case with their reasons, in the order in which they were started, and after them those of the parts of
/// other units in it. `log` is the whole log of the case.
pub fn clocks(case: &Case, log: &[Event], place: &Place, now: Timestamp) -> Vec<ClockStory> {
    let whole = case.clocks.all().iter().map(|clock| (None, clock));
    let parts = case.joint.iter();
    let parts = parts.filter_map(|part| Some((Some(&part.unit), part.clock()?)));
    whole
        .chain(parts)
        .map(|(part, clock)| story(part, clock, case, log, place, now))
        .collect()
}

fn story(
    part: Option<&UnitCode>,
    clock: &Clock,
    case: &Case,
    log: &[Event],
    place: &Place,
    now: Timestamp,
) -> ClockStory {
    let calendar = &place.calendar;
    let pauses = clock.closed_pauses();
    let mut explanations = vec![calendar.explain_with_pauses(clock.started_at, clock.limit, &pauses)];
    for nth in 0..usize::from(clock.extensions) {
        let from = explanations[nth].due;
        explanations.push(calendar.explain_with_pauses(from, clock.limit, &pauses));
    }
    ClockStory {
        kind: clock.kind,
        part: part.cloned(),
        limit: clock.limit,
        started_at: clock.started_at,
        due_at: clock.due_at,
        state: if clock.is_running() {
            Standing::Running
        } else if clock.is_paused() {
            Standing::Paused
        } else {
            Standing::Stopped
        },
        overdue: clock.is_overdue(now),
        pauses: clock.pauses.iter().map(|pause| (pause.from, pause.to)).collect(),
        extensions: clock.extensions,
        stopped_at: clock.stopped_at,
        explanations,
        steps: steps(part, clock, case, log, place),
    }
}

/// The steps that were taken, from the log, and those above them by the ladder in force.
fn steps(
    part: Option<&UnitCode>,
    clock: &Clock,
    case: &Case,
    log: &[Event],
    place: &Place,
) -> Vec<StepStory> {
    let ladder = place.ladder_of(case);
    let rungs: Vec<_> = ladder.times(clock, &place.calendar).collect();
    let taken = log
        .iter()
        .filter(|event| event.at >= clock.started_at && clock.stopped_at.is_none_or(|at| event.at <= at))
        .filter_map(|event| {
            let Body::Escalated {
                clock: kind,
                part: whose,
                step,
                due_at,
                level,
                unit,
                post,
            } = &event.body
            else {
                return None;
            };
            (*kind == clock.kind && whose.as_ref() == part).then(|| StepStory {
                at: rungs
                    .get(usize::from(*step).saturating_sub(1))
                    .map(|(rung, _)| rung.at),
                due_at: *due_at,
                taken_at: Some(event.at),
                level: *level,
                unit: unit.clone(),
                post: post.clone(),
            })
        });
    // A clock that was started anew in the same moment has its own steps only.
    let mut all: Vec<StepStory> = taken.collect();
    all.drain(..all.len().saturating_sub(usize::from(clock.steps_fired)));
    let to_come = rungs.iter().skip(usize::from(clock.steps_fired));
    all.extend(to_come.map(|(rung, due_at)| {
        let told = rung.to.told(clock.kind, part, case, place);
        StepStory {
            at: Some(rung.at),
            due_at: *due_at,
            taken_at: None,
            level: told.level,
            unit: told.unit,
            post: told.post,
        }
    }));
    all
}
