//! How the log of a case folds to its row and its runs.
//!
//! The case itself is folded by the domain; beside it, each event is asked what it did to the clocks. Knows of the place only
//! where its stations are.

use std::collections::HashMap;

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Body, Case, Channel, Event, Outcome, PhotoKind, Rating, Respondent, Stage},
    clock::{ClockChange, ClockKind},
    geometry::Point,
    place::{AreaPath, Place, UnitKind},
    words::{AreaCode, CaseNumber, UnitCode},
};

use super::{CaseRow, Ended, Fact, Moment, NEVER, NONE, NOTHING, RunRow, flag};

/// Why a log comes to no fact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// It is no log of a case.
    #[error(transparent)]
    Log(#[from] whistle_domain::case::FoldError),
    /// Its number has no column.
    #[error("the number {0} of a case is none of the first four billion, of which there are figures")]
    Number(i64),
}

/// The stations of one version of a place: where they stand, and which of them answers for an area.
#[derive(Debug, Clone, Default)]
pub struct Stations {
    points: Vec<Point>,
    of_area: HashMap<AreaCode, UnitCode>,
}

impl Stations {
    /// Those of a place. A station of which it is not said where it stands, stands in the middle of its area.
    pub fn of(place: &Place) -> Self {
        let stations = place.units().iter().filter(|unit| unit.kind == UnitKind::Station);
        let middle = |unit: &whistle_domain::place::Unit| place.areas.get(unit.area).shape.inside_point();
        let answers = (0..).zip(place.areas.all()).filter_map(|(index, area)| {
            let station = place.answering_station(index)?;
            Some((area.code.clone(), station.code.clone()))
        });
        Self {
            points: stations
                .map(|unit| unit.point.unwrap_or_else(|| middle(unit)))
                .collect(),
            of_area: answers.collect(),
        }
    }

    /// The station that answers for the deepest of some areas that has one.
    fn answering(&self, areas: &AreaPath) -> Option<&UnitCode> {
        areas
            .0
            .iter()
            .rev()
            .flatten()
            .find_map(|code| self.of_area.get(code))
    }

    /// Tens of metres to the nearest.
    fn distance(&self, from: Point) -> u16 {
        // On a flat map that is true around the point: the nearest is found by it, though not how near it is.
        let shrunk = from.lat.to_radians().cos();
        let flat = |to: &Point| {
            let (x, y) = ((to.lon - from.lon) * shrunk, to.lat - from.lat);
            x * x + y * y
        };
        let nearest = self
            .points
            .iter()
            .min_by(|one, other| flat(one).total_cmp(&flat(other)));
        nearest.map_or(NONE, |to| {
            let tens = (from.distance_metres(to) / 10.0).round();
            (tens as u16).min(NONE - 1)
        })
    }
}

/// The version of the place that a log was begun under, whose [`Stations`] its fold needs.
pub fn place_version(log: &[Event]) -> Option<u32> {
    match log.first()?.body {
        Body::Reported { place_version, .. } => Some(place_version),
        _ => None,
    }
}

/// What the whole log of a case comes to. `stations` are those of the version of the place it was filed under
/// ([`place_version`]): so the log alone decides, and a fact made anew is the same in every year.
pub fn fold(number: CaseNumber, log: &[Event], stations: &Stations) -> Result<Fact, FoldError> {
    let Ok(short) = u32::try_from(number.0) else {
        return Err(FoldError::Number(number.0));
    };
    let mut events = log.iter();
    let first = events.next().ok_or(whistle_domain::case::FoldError::Empty)?;
    let mut case = Case::begin(number, first)?;
    let mut story = Story::default();
    story.note(first, &case, stations);
    for event in events {
        case.apply(event)?;
        story.note(event, &case, stations);
    }
    Ok(story.end(short, case, stations))
}

/// A run that is being followed.
struct Run {
    row: RunRow,
    unit: Option<UnitCode>,
    /// Since when it stands still.
    stood: Option<Timestamp>,
    due: Timestamp,
}

impl Run {
    fn is_live(&self) -> bool {
        self.row.ended == Ended::Running as u8 || self.row.ended == Ended::Standing as u8
    }

    fn end(&mut self, how: Ended, at: Timestamp) {
        if !self.is_live() {
            return;
        }
        // What stood still grew no older.
        let at = self.stood.map_or(at, |stood| stood.min(at));
        self.row.ended = how as u8;
        self.row.stopped = moment(at);
        // Late by less than a second is late, too.
        if at > self.due && self.row.stopped <= self.row.due {
            self.row.stopped = self.row.due.saturating_add(1).min(NEVER - 1);
        }
    }

    fn is_due(&mut self, due: Timestamp) {
        self.due = due;
        self.row.due = moment(due);
    }

    fn is_late(&self) -> bool {
        self.row.stopped != NEVER && self.row.stopped > self.row.due
    }
}

/// What is gathered along a log beside the case.
#[derive(Default)]
struct Story {
    runs: Vec<Run>,
    accepted: Option<Moment>,
    dispatched: Option<Moment>,
    arrived: Option<Moment>,
    handled: Option<Moment>,
    flags: u32,
}

impl Story {
    /// What an event did; `case` is the case after it.
    fn note(&mut self, event: &Event, case: &Case, stations: &Stations) {
        let at = event.at;
        let is_first_dispatch = self.dispatched.is_none();
        match &event.body {
            Body::Accepted { .. } => self.accepted = self.accepted.or(Some(moment(at))),
            Body::Assigned { unit } => {
                self.dispatched = self.dispatched.or(Some(moment(at)));
                // Who leads the whole has no part beside it.
                if let Some(part) = self.last(ClockKind::Joint, Some(unit)) {
                    part.end(Ended::Dropped, at);
                }
            }
            Body::ReportedIn => self.arrived = self.arrived.or(Some(moment(at))),
            Body::Handled { .. } => self.handled = Some(moment(at)),
            // The other system says that the work was done, and not when.
            Body::Settled { outcome } if is_work(*outcome) => {
                self.handled = self.handled.or(Some(moment(at)));
            }
            Body::JointAssigned { .. } => self.flags |= flag::JOINT,
            Body::Asked {
                of: Respondent::Reporter { .. },
                ..
            } => self.flags |= flag::ASKED,
            Body::Supervised { on: true, .. } => self.flags |= flag::SUPERVISED,
            Body::Whistled { .. } => self.flags |= flag::WHISTLED,
            Body::Relocated { .. } => {
                let station = stations.answering(&case.location.areas);
                for run in self.runs.iter_mut().filter(|run| run.is_live()) {
                    if is_of_station(ClockKind::ALL[usize::from(run.row.kind)]) {
                        run.unit = station.cloned();
                    }
                }
            }
            _ => {}
        }
        for change in &event.clocks {
            let kind = change.kind();
            let unit = if is_of_station(kind) {
                stations.answering(&case.location.areas)
            } else {
                case.lead.as_ref()
            };
            self.turn(change, unit, None, &event.body, at);
        }
        for part in &event.parts {
            self.turn(&part.change, Some(&part.unit), Some(&part.unit), &event.body, at);
        }
        if !case.state.is_undecided() {
            for run in &mut self.runs {
                run.end(Ended::Dropped, at);
            }
        }
        let late = |story: &mut Self, kind, which: u32| {
            let is_late = story.last(kind, None).is_some_and(|run| run.is_late());
            story.flags = if is_late {
                story.flags | which
            } else {
                story.flags & !which
            };
        };
        match &event.body {
            Body::Assigned { .. } if is_first_dispatch => {
                late(self, ClockKind::Triage, flag::DISPATCHED_LATE);
            }
            Body::Handled { .. } => late(self, ClockKind::Resolve, flag::HANDLED_LATE),
            Body::Settled { outcome } if is_work(*outcome) => {
                late(self, ClockKind::Resolve, flag::HANDLED_LATE);
            }
            Body::Verified { .. } | Body::Reworked => late(self, ClockKind::Verify, flag::VERIFIED_LATE),
            _ => {}
        }
    }

    /// The last run of a kind; of parts, of those of one unit.
    fn last(&mut self, kind: ClockKind, part: Option<&UnitCode>) -> Option<&mut Run> {
        let kind = place_of(kind, &ClockKind::ALL);
        let is_it =
            |run: &&mut Run| run.row.kind == kind && part.is_none_or(|unit| run.unit.as_ref() == Some(unit));
        self.runs.iter_mut().rev().find(is_it)
    }

    fn turn(
        &mut self,
        change: &ClockChange,
        unit: Option<&UnitCode>,
        part: Option<&UnitCode>,
        body: &Body,
        at: Timestamp,
    ) {
        let kind = change.kind();
        if let ClockChange::Start { from, due_at, .. } = *change {
            if let Some(older) = self.last(kind, part) {
                older.end(Ended::Dropped, at);
            }
            self.runs.push(Run {
                row: RunRow {
                    kind: place_of(kind, &ClockKind::ALL),
                    ended: Ended::Running as u8,
                    unit: NONE,
                    started: moment(from.unwrap_or(at)),
                    due: moment(due_at),
                    stopped: NEVER,
                },
                unit: unit.cloned(),
                stood: None,
                due: due_at,
            });
            return;
        }
        let Some(run) = self.last(kind, part) else {
            return;
        };
        match *change {
            ClockChange::Stop { .. } => run.end(how_ended(kind, body), at),
            ClockChange::Pause { .. } if run.is_live() => {
                run.row.ended = Ended::Standing as u8;
                run.stood = run.stood.or(Some(at));
            }
            ClockChange::Resume { due_at, .. } => {
                run.row.ended = Ended::Running as u8;
                run.row.stopped = NEVER;
                run.stood = None;
                run.is_due(due_at);
            }
            ClockChange::Extend { due_at, .. } | ClockChange::Reckon { due_at, .. } => run.is_due(due_at),
            ClockChange::Start { .. } | ClockChange::Pause { .. } | ClockChange::Step { .. } => {}
        }
    }

    fn end(self, number: u32, case: Case, stations: &Stations) -> Fact {
        let flags = &case.flags;
        let is = |is: bool, which: u32| if is { which } else { 0 };
        let set = self.flags
            | is(case.public, flag::PUBLIC)
            | is(case.access.is_some(), flag::CLASSED)
            | is(flags.parked_until.is_some(), flag::PARKED)
            | is(flags.was_parked, flag::WAS_PARKED)
            | is(flags.on_the_spot, flag::ON_THE_SPOT)
            | is(flags.recheck, flag::RECHECK)
            | is(flags.escalated.is_some(), flag::ESCALATED)
            | is(case.channel == Channel::Import, flag::IMPORTED)
            | is(is_of_public(&case), flag::BY_PUBLIC)
            | is(
                case.photos.iter().any(|photo| photo.kind == PhotoKind::After),
                flag::PROVED,
            );
        let outcome = case.state.outcome();
        let due = case
            .clocks
            .get(ClockKind::Resolve)
            .map(|clock| moment(clock.due_at));
        let row = CaseRow {
            number,
            area: NONE,
            service: NONE,
            standard: NONE,
            lead: NONE,
            channel: place_of(case.channel, &Channel::ALL),
            stage: place_of(case.state.stage(), &Stage::ALL),
            outcome: outcome.map_or(NOTHING, |outcome| place_of(outcome, &Outcome::ALL)),
            rating: case
                .rating
                .map_or(NOTHING, |rating| place_of(rating, &Rating::ALL)),
            reports: u8::try_from(case.reports).unwrap_or(u8::MAX),
            returned: flags.returned,
            reworked: flags.reworked,
            reopened: flags.reopened,
            extended: flags.extended,
            flags: set,
            reported: moment(case.times.reported_at),
            accepted: self.accepted.unwrap_or(NEVER),
            dispatched: self.dispatched.unwrap_or(NEVER),
            arrived: self.arrived.unwrap_or(NEVER),
            handled: self.handled.unwrap_or(NEVER),
            closed: case.times.closed_at.map_or(NEVER, moment),
            due: due.unwrap_or(NEVER),
            distance: case.location.point.map_or(NONE, |point| stations.distance(point)),
        };
        Fact {
            row,
            area: case.location.areas,
            service: case.service,
            standard: case.standard,
            lead: case.lead,
            runs: self.runs.into_iter().map(|run| (run.row, run.unit)).collect(),
        }
    }
}

/// Whether the station does what a clock limits.
fn is_of_station(kind: ClockKind) -> bool {
    matches!(kind, ClockKind::Triage | ClockKind::Verify)
}

fn is_work(outcome: Outcome) -> bool {
    Outcome::OF_WORK.contains(&outcome)
}

fn is_of_public(case: &Case) -> bool {
    let by_public = matches!(
        case.reporter,
        Actor::Public | Actor::Reporter { .. } | Actor::Client { .. }
    );
    by_public && case.channel != Channel::Import
}

/// What it means that an event stopped a clock for good.
fn how_ended(kind: ClockKind, body: &Body) -> Ended {
    match (body, kind) {
        (Body::Returned { .. }, _) => Ended::Returned,
        // The reporter spared everybody the work.
        (Body::Withdrawn, _) => Ended::Dropped,
        // Handed in with the whole, or never.
        (body, ClockKind::Joint) if !matches!(body, Body::JointHandled { .. }) => Ended::Dropped,
        (Body::Settled { outcome }, _) if is_work(*outcome) => Ended::Done,
        // The station has decided what becomes of it; what a unit had to do fell away, or goes on with another.
        (
            Body::Assigned { .. }
            | Body::Declined
            | Body::Merged { .. }
            | Body::Referred
            | Body::Settled { .. },
            kind,
        ) if kind != ClockKind::Triage => Ended::Dropped,
        _ => Ended::Done,
    }
}

/// Where something stands in the list of all.
fn place_of<T: PartialEq>(one: T, all: &[T]) -> u8 {
    all.iter()
        .position(|other| *other == one)
        .map_or(NOTHING, |place| place as u8)
}

/// In whole seconds. Before 1970 is then; after 2106 is the last second of which there are figures.
fn moment(at: Timestamp) -> Moment {
    at.as_second().clamp(0, i64::from(NEVER) - 1) as Moment
}
