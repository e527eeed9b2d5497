//! Commands on a whistle: given the whistle, what somebody wants, the place and the time, the events it makes, or why not.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    Body, CallState, Event, FoldError, Stage, UnitRating, Whistle,
    transition::{Need, Transition, Verb, approves, may_blow},
};
use crate::{
    case::{Actor, Case, MAX_TEXT, Rating},
    clock::{ClockChange, ClockKind, UnitClock},
    command::{Context, clean},
    geometry::Point,
    limit::Limit,
    place::{Place, Unit, WhistleKind},
    words::{CaseNumber, UnitCode, WhistleKindCode, WhistleNumber},
};

/// The most cases of one whistle.
pub const MAX_CASES: usize = 20;

/// The most units that one whistle calls; a meeting that is larger decides nothing.
pub const MAX_UNITS: usize = 30;

/// The most duties of one whistle's minutes.
pub const MAX_DUTIES: usize = 50;

/// The most days ahead for which units are called.
pub const MAX_DAYS_AHEAD: i64 = 60;

/// How far from the place a unit may be and still be near it, in metres: a large yard, and a telephone's own error.
pub const NEAR_METRES: f64 = 300.0;

/// A whistle to be blown.
#[derive(Debug, Clone, PartialEq)]
pub struct NewWhistle {
    /// Its kind.
    pub kind: WhistleKindCode,
    /// The cases it is about.
    pub cases: Vec<CaseNumber>,
    /// The units to come.
    pub units: Vec<UnitCode>,
    /// Which of them leads.
    pub lead: UnitCode,
    /// Where to come; the first case's address when empty.
    pub place: String,
    /// When to come; as soon as possible when absent.
    pub meet_at: Option<Timestamp>,
    /// What it is about.
    pub matter: String,
}

/// A duty to be written into the minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewDuty {
    /// For which case.
    pub case: CaseNumber,
    /// The unit.
    pub unit: UnitCode,
    /// What it does.
    pub what: String,
    /// How long that may take.
    pub limit: Limit,
}

/// What somebody wants to do to a whistle, with what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// See [`Verb::Approve`].
    Approve,
    /// See [`Verb::RefuseApproval`].
    RefuseApproval,
    /// See [`Verb::Withdraw`].
    Withdraw,
    /// See [`Verb::Raise`].
    Raise {
        /// Further units to call.
        #[serde(default)]
        units: Vec<UnitCode>,
    },
    /// See [`Verb::Sign`].
    Sign,
    /// See [`Verb::Refuse`].
    Refuse,
    /// See [`Verb::Contact`].
    Contact,
    /// See [`Verb::ReportIn`].
    ReportIn {
        /// When the unit was there, if it could not say so then.
        #[serde(default)]
        made_at: Option<Timestamp>,
        /// Where it was. Only whether that is near the place is kept.
        #[serde(default)]
        position: Option<Point>,
    },
    /// See [`Verb::Confirm`].
    Confirm {
        /// The unit.
        unit: UnitCode,
        /// Whether it is there.
        present: bool,
    },
    /// See [`Verb::Leave`].
    Leave,
    /// See [`Verb::Minutes`].
    Minutes {
        /// Who does what.
        #[serde(default)]
        duties: Vec<NewDuty>,
    },
    /// See [`Verb::Close`].
    Close,
    /// See [`Verb::Finish`].
    Finish {
        /// Which duty, from 1.
        duty: u32,
    },
    /// See [`Verb::RateUnit`].
    RateUnit {
        /// The unit.
        unit: UnitCode,
        /// How fast it came.
        speed: Rating,
        /// How good its part was.
        quality: Rating,
    },
    /// See [`Verb::RateWhistle`].
    RateWhistle {
        /// Whether it was rightly blown and well led.
        rating: Rating,
    },
    /// See [`Verb::Remind`].
    Remind,
    /// See [`Verb::Reckon`].
    Reckon,
}

impl Act {
    /// The verb, and with it the line of the table.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Approve => Verb::Approve,
            Self::RefuseApproval => Verb::RefuseApproval,
            Self::Withdraw => Verb::Withdraw,
            Self::Raise { .. } => Verb::Raise,
            Self::Sign => Verb::Sign,
            Self::Refuse => Verb::Refuse,
            Self::Contact => Verb::Contact,
            Self::ReportIn { .. } => Verb::ReportIn,
            Self::Confirm { .. } => Verb::Confirm,
            Self::Leave => Verb::Leave,
            Self::Minutes { .. } => Verb::Minutes,
            Self::Close => Verb::Close,
            Self::Finish { .. } => Verb::Finish,
            Self::RateUnit { .. } => Verb::RateUnit,
            Self::RateWhistle { .. } => Verb::RateWhistle,
            Self::Remind => Verb::Remind,
            Self::Reckon => Verb::Reckon,
        }
    }

    /// The called unit that it is about: the one it names, else the actor's own.
    fn unit<'a>(&'a self, by: &'a Actor) -> Option<&'a UnitCode> {
        match self {
            Self::Confirm { unit, .. } | Self::RateUnit { unit, .. } => Some(unit),
            _ => by.unit(),
        }
    }
}

/// Why a command on a whistle was refused. Each has a stable word for machines.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The verb has no line from this stage.
    #[error("a whistle that is {} cannot be met with {:?}", .stage.as_str(), .verb.as_str())]
    WrongStage {
        /// What was tried.
        verb: Verb,
        /// Where the whistle stands.
        stage: Stage,
    },
    /// The verb has no line from the state of the unit's call.
    #[error("a call that is {} cannot be met with {:?}", .state.as_str(), .verb.as_str())]
    WrongCall {
        /// What was tried.
        verb: Verb,
        /// Where the unit stands.
        state: CallState,
    },
    /// The actor is none of those on the line.
    #[error("this post may not do {:?} to this whistle", .0.as_str())]
    NotAllowed(Verb),
    /// Something on the line is missing.
    #[error("{:?} needs {}", .verb.as_str(), .need.phrase())]
    Missing {
        /// What was tried.
        verb: Verb,
        /// What it needs.
        need: Need,
    },
    /// The place has no such kind.
    #[error("kind of whistle {0:?} is unknown here")]
    UnknownKind(String),
    /// The place has no such unit.
    #[error("unit {0:?} is unknown here")]
    UnknownUnit(String),
    /// No such case, or too many.
    #[error("a whistle is about 1 to {MAX_CASES} cases, each named once")]
    HowManyCases,
    /// A case is not the station's.
    #[error("case {0} does not lie in the area of this station")]
    CaseElsewhere(CaseNumber),
    /// A case is over.
    #[error("case {0} is closed; a whistle is about open ones")]
    CaseClosed(CaseNumber),
    /// No unit, too many, or one twice.
    #[error("a whistle calls 1 to {MAX_UNITS} units, each once")]
    HowManyUnits,
    /// The station would call itself.
    #[error("a station does not call itself")]
    CallsItself,
    /// The lead is not among the units.
    #[error("the unit that leads is one of those that are called")]
    LeadNotCalled,
    /// The unit is not called.
    #[error("unit {0:?} is not called by this whistle")]
    NotCalled(String),
    /// The time to meet lies in the past or too far ahead.
    #[error("units are called for a time from now to {MAX_DAYS_AHEAD} days ahead")]
    MeetTime,
    /// A report-in was made before the call, or before the station did not find the unit, or will be made.
    #[error(
        "a report-in was made between the call, or the station's word that the unit is not there, and now"
    )]
    MadeTime,
    /// Too many duties.
    #[error("minutes hold at most {MAX_DUTIES} duties")]
    TooManyDuties,
    /// A duty is about a case or unit that the whistle has not, or says nothing.
    #[error("duty {0}: name a case of this whistle, a unit that is called, and what it does")]
    BadDuty(u32),
    /// A text is too long.
    #[error("the text has {letters} letters; at most {MAX_TEXT} fit")]
    TextTooLong {
        /// How many it has.
        letters: usize,
    },
    /// The whistle changed since the sender looked.
    #[error("the whistle has version {now}, you saw {seen}; look again")]
    Stale {
        /// The version that the sender saw.
        seen: u32,
        /// The version it has.
        now: u32,
    },
}

impl Refusal {
    /// The stable word for machines.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::WrongStage { .. } => "wrong_stage",
            Self::WrongCall { .. } => "wrong_call",
            Self::NotAllowed(_) => "not_allowed",
            Self::Missing { .. } => "missing",
            Self::UnknownKind(_) => "unknown_kind",
            Self::UnknownUnit(_) => "unknown_unit",
            Self::HowManyCases => "how_many_cases",
            Self::CaseElsewhere(_) => "case_elsewhere",
            Self::CaseClosed(_) => "case_closed",
            Self::HowManyUnits => "how_many_units",
            Self::CallsItself => "calls_itself",
            Self::LeadNotCalled => "lead_not_called",
            Self::NotCalled(_) => "not_called",
            Self::MeetTime => "meet_time",
            Self::MadeTime => "made_time",
            Self::TooManyDuties => "too_many_duties",
            Self::BadDuty(_) => "bad_duty",
            Self::TextTooLong { .. } => "text_too_long",
            Self::Stale { .. } => "stale",
        }
    }
}

/// The events of a new whistle: that it is asked for, and where nobody else need approve it, that it is blown. `cases`
/// are those that it names, in any order.
pub fn blow(
    new: &NewWhistle,
    number: WhistleNumber,
    cases: &[Case],
    context: Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let Context { place, now, by, .. } = context;
    let kind = place
        .whistle_kind(new.kind.as_str())
        .ok_or_else(|| Refusal::UnknownKind(new.kind.to_string()))?;
    let post = match by {
        Actor::Post { post, .. } => place.post(post.as_str()),
        _ => None,
    };
    let Some(post) = post.filter(|post| may_blow(kind, post, place)) else {
        return Err(Refusal::NotAllowed(Verb::Blow));
    };
    let station = known(place, &post.unit)?;
    let matter = cleaned(&new.matter)?;
    if matter.is_empty() {
        return Err(Refusal::Missing {
            verb: Verb::Blow,
            need: Need::Text,
        });
    }
    let first = check_cases(new, cases, station, place)?;
    if new.units.is_empty() {
        return Err(Refusal::HowManyUnits);
    }
    check_units(&new.units, &[], &station.code, place)?;
    if !new.units.contains(&new.lead) {
        return Err(Refusal::LeadNotCalled);
    }
    let latest = now + SignedDuration::from_hours(24 * MAX_DAYS_AHEAD);
    if new.meet_at.is_some_and(|at| at < now || at > latest) {
        return Err(Refusal::MeetTime);
    }
    let given = cleaned(&new.place)?;
    let meets_at_case = given.is_empty();
    let mut story = Story {
        context,
        whistle: None,
        events: Vec::with_capacity(2),
        number,
    };
    story.tell(
        Body::Asked {
            place_version: place.version,
            kind: kind.code.clone(),
            approval: kind.approval,
            station: station.code.clone(),
            level: place.areas.get(station.area).level,
            areas: place.areas.path(station.area),
            cases: new.cases.clone(),
            units: new.units.clone(),
            lead: new.lead.clone(),
            place: if meets_at_case {
                first.location.address.clone()
            } else {
                given.into_owned()
            },
            point: first.location.point.filter(|_| meets_at_case),
            meet_at: new.meet_at,
        },
        &matter,
        vec![],
    );
    if kind.approval.is_none() || approves(post, kind.approval, Some(&station.code), place) {
        story.call_out(kind, "");
    }
    Ok(story.events)
}

/// The events of a command, or why it is refused. `text` is the reason, remark or minutes that go with it.
pub fn decide(whistle: &Whistle, act: &Act, text: &str, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let Context { place, by, .. } = context;
    // A clock of the machine may step back; a log may not.
    let now = context.now.max(whistle.times.updated_at);
    let context = Context { now, ..context };
    let verb = act.verb();
    let line = Transition::of(verb);
    if !line.from.contains(&whistle.stage) {
        return Err(Refusal::WrongStage {
            verb,
            stage: whistle.stage,
        });
    }
    if !line.permits(by, whistle, place) {
        return Err(Refusal::NotAllowed(verb));
    }
    if !line.calls.is_empty() {
        let unit = act.unit(by).ok_or(Refusal::NotAllowed(verb))?;
        line.meets(whistle, unit)?;
    }
    if let Some(refusal) = unmet(line, whistle, by, place) {
        return Err(refusal);
    }
    let text = &*cleaned(text)?;
    if line.needs(Need::Text) && text.is_empty() {
        return Err(Refusal::Missing {
            verb,
            need: Need::Text,
        });
    }
    let kind = place.whistle_kind(whistle.kind.as_str());
    let mut story = Story {
        context,
        whistle: Some(whistle.clone()),
        events: Vec::with_capacity(1),
        number: whistle.number,
    };
    let own = || by.unit().cloned().ok_or(Refusal::NotAllowed(verb));
    match act {
        Act::Approve => {
            let kind = kind.ok_or_else(|| Refusal::UnknownKind(whistle.kind.to_string()))?;
            story.call_out(kind, text);
        }
        Act::RefuseApproval => story.tell(Body::Refused, text, vec![]),
        Act::Withdraw => story.end(Body::Withdrawn, text),
        Act::Raise { units } => story.raise(kind, units, text)?,
        Act::Sign => {
            let unit = own()?;
            let stop = story.stop(&unit, &[ClockKind::Sign]);
            story.tell(Body::Signed { unit }, text, stop);
        }
        Act::Refuse => {
            let unit = own()?;
            let stop = story.stop(&unit, &ClockKind::OF_CALL);
            story.tell(Body::CallRefused { unit }, text, stop);
        }
        Act::Contact => {
            let unit = own()?;
            let stop = story.stop(&unit, &[ClockKind::Contact]);
            story.tell(Body::Contacted { unit }, text, stop);
        }
        Act::ReportIn { made_at, position } => {
            story.report_in(kind, own()?, *made_at, *position, text)?;
        }
        Act::Confirm { unit, present } => story.confirm(kind, unit, *present, text),
        Act::Leave => {
            let unit = own()?;
            let stop = story.stop(&unit, &ClockKind::OF_CALL);
            story.tell(Body::Left { unit }, text, stop);
        }
        Act::Minutes { duties } => story.minutes(duties, text)?,
        Act::Close => story.end(Body::Closed, text),
        Act::Finish { duty } => {
            let missing = || Refusal::Missing {
                verb,
                need: Need::Duty,
            };
            let nth = (*duty as usize).checked_sub(1).ok_or_else(missing)?;
            let found = whistle.duties.get(nth).ok_or_else(missing)?;
            if found.done_at.is_some() || !may_finish(whistle, &found.unit, by) {
                return Err(missing());
            }
            story.tell(Body::DutyDone { duty: *duty }, text, vec![]);
        }
        Act::RateUnit { unit, speed, quality } => {
            let (speed, quality) = (*speed, *quality);
            let rating = UnitRating { speed, quality };
            let unit = unit.clone();
            story.tell(Body::UnitRated { unit, rating }, text, vec![]);
        }
        Act::RateWhistle { rating } => {
            let (unit, rating) = (own()?, *rating);
            story.tell(Body::WhistleRated { unit, rating }, text, vec![]);
        }
        Act::Remind => story.remind(),
        Act::Reckon => story.reckon(),
    }
    Ok(story.events)
}

/// Whether an actor may say that a duty of this unit is done: the unit itself, or a station that answers for the whistle.
pub fn may_finish(whistle: &Whistle, unit: &UnitCode, by: &Actor) -> bool {
    by.unit()
        .is_some_and(|own| own == unit || whistle.stations.contains(own))
}

/// The first need of a line that the whistle itself does not meet. What the sender must add is not asked.
pub(super) fn unmet(line: &Transition, whistle: &Whistle, by: &Actor, place: &Place) -> Option<Refusal> {
    let missing = |need| Refusal::Missing {
        verb: line.verb,
        need,
    };
    line.needs.iter().find_map(|&need| match need {
        Need::NotContacted => by
            .unit()
            .and_then(|unit| whistle.call(unit))
            .is_none_or(|call| call.contacted_at.is_some())
            .then(|| missing(need)),
        Need::HigherStation => station_to_raise_to(whistle, place)
            .is_none()
            .then(|| missing(need)),
        Need::Minutes => whistle.minutes.is_empty().then(|| missing(need)),
        Need::Duty => {
            let open = |duty: &super::Duty| duty.done_at.is_none() && may_finish(whistle, &duty.unit, by);
            (!whistle.duties.iter().any(open)).then(|| missing(need))
        }
        Need::AtBlow => Some(missing(need)),
        Need::Text | Need::Unit | Need::Rating => None,
    })
}

/// The next station above the one at whose level the whistle stands, if its kind may be raised so far.
pub fn station_to_raise_to<'p>(whistle: &Whistle, place: &'p Place) -> Option<&'p Unit> {
    let kind = place.whistle_kind(whistle.kind.as_str())?;
    let now = place.unit(whistle.stations.last()?.as_str())?;
    let above = place.station_above(now.area)?;
    let level = place.areas.get(above.area).level;
    (level.depth() >= kind.highest.depth()).then_some(above)
}

/// Checks the cases of a new whistle and gives the one that it names first.
fn check_cases<'c>(
    new: &NewWhistle,
    cases: &'c [Case],
    station: &Unit,
    place: &Place,
) -> Result<&'c Case, Refusal> {
    let twice = (1..new.cases.len()).any(|n| new.cases[..n].contains(&new.cases[n]));
    if new.cases.len() > MAX_CASES || twice {
        return Err(Refusal::HowManyCases);
    }
    let area = &place.areas.get(station.area).code;
    let mut first = None;
    for number in &new.cases {
        let case = cases
            .iter()
            .find(|case| case.number == *number)
            .ok_or(Refusal::CaseElsewhere(*number))?;
        if !case.location.areas.passes(area) {
            return Err(Refusal::CaseElsewhere(*number));
        }
        if !case.state.is_open() {
            return Err(Refusal::CaseClosed(*number));
        }
        first.get_or_insert(case);
    }
    first.ok_or(Refusal::HowManyCases)
}

/// Checks units that are to be called besides those that are.
fn check_units(
    units: &[UnitCode],
    called: &[super::Call],
    station: &UnitCode,
    place: &Place,
) -> Result<(), Refusal> {
    let twice =
        |nth: usize| units[..nth].contains(&units[nth]) || called.iter().any(|call| call.unit == units[nth]);
    if units.len() + called.len() > MAX_UNITS || (0..units.len()).any(twice) {
        return Err(Refusal::HowManyUnits);
    }
    for unit in units {
        known(place, unit)?;
        if unit == station {
            return Err(Refusal::CallsItself);
        }
    }
    Ok(())
}

fn known<'p>(place: &'p Place, unit: &UnitCode) -> Result<&'p Unit, Refusal> {
    place
        .unit(unit.as_str())
        .ok_or_else(|| Refusal::UnknownUnit(unit.to_string()))
}

fn cleaned(text: &str) -> Result<Cow<'_, str>, Refusal> {
    clean(text).map_err(|_| Refusal::TextTooLong {
        letters: text.trim().chars().count(),
    })
}

/// Events in the making: each is folded into the whistle at once, so that the next sees what it did.
struct Story<'a> {
    context: Context<'a>,
    whistle: Option<Whistle>,
    events: Vec<Event>,
    number: WhistleNumber,
}

impl Story<'_> {
    fn whistle(&self) -> &Whistle {
        self.whistle
            .as_ref()
            .expect("a story is told from its first event on")
    }

    fn tell(&mut self, body: Body, text: &str, clocks: Vec<UnitClock>) {
        let event = Event {
            at: self.context.now,
            by: self.context.by.clone(),
            body,
            text: text.to_owned(),
            clocks,
        };
        let folded: Result<(), FoldError> = match &mut self.whistle {
            Some(whistle) => whistle.apply(&event),
            None => Whistle::begin(self.number, &event).map(|whistle| self.whistle = Some(whistle)),
        };
        debug_assert!(folded.is_ok(), "{folded:?}");
        self.events.push(event);
    }

    fn start(&self, unit: &UnitCode, kind: ClockKind, limit: Limit, from: Timestamp) -> UnitClock {
        // Nobody is awaited before the time to meet.
        let meet_at = self.whistle().meet_at;
        let later = meet_at.filter(|meet_at| kind == ClockKind::ReportIn && *meet_at > from);
        let due_at = self.context.place.calendar.due(later.unwrap_or(from), limit);
        UnitClock {
            unit: unit.clone(),
            change: ClockChange::Start {
                kind,
                limit,
                from: later,
                due_at,
                // Whoever stays on longer keeps nobody waiting.
                step_at: (kind != ClockKind::Leave).then_some(due_at),
            },
        }
    }

    /// Stops those clocks of a unit that run.
    fn stop(&self, unit: &UnitCode, kinds: &[ClockKind]) -> Vec<UnitClock> {
        let call = self.whistle().call(unit);
        let clocks = call.map_or(&[][..], |call| call.clocks.all());
        clocks
            .iter()
            .filter(|clock| clock.is_running() && kinds.contains(&clock.kind))
            .map(|clock| UnitClock {
                unit: unit.clone(),
                change: ClockChange::Stop { kind: clock.kind },
            })
            .collect()
    }

    /// The clocks that a call starts.
    fn clocks_of_call(&self, kind: &WhistleKind, unit: &UnitCode) -> impl Iterator<Item = UnitClock> {
        let limits = [
            (ClockKind::Sign, kind.sign),
            (ClockKind::Contact, kind.contact),
            (ClockKind::ReportIn, Some(kind.report_in)),
        ];
        let now = self.context.now;
        limits
            .map(|(clock, limit)| limit.map(|limit| self.start(unit, clock, limit, now)))
            .into_iter()
            .flatten()
    }

    fn call_out(&mut self, kind: &WhistleKind, text: &str) {
        let calls = self.whistle().calls.iter();
        let clocks = calls
            .flat_map(|call| self.clocks_of_call(kind, &call.unit))
            .collect();
        self.tell(Body::Blown, text, clocks);
    }

    fn raise(&mut self, kind: Option<&WhistleKind>, units: &[UnitCode], text: &str) -> Result<(), Refusal> {
        let place = self.context.place;
        let (Some(kind), Some(above)) = (kind, station_to_raise_to(self.whistle(), place)) else {
            return Err(Refusal::Missing {
                verb: Verb::Raise,
                need: Need::HigherStation,
            });
        };
        check_units(units, &self.whistle().calls, &above.code, place)?;
        if units.iter().any(|unit| self.whistle().stations.contains(unit)) {
            return Err(Refusal::CallsItself);
        }
        let clocks = units
            .iter()
            .flat_map(|unit| self.clocks_of_call(kind, unit))
            .collect();
        let body = Body::Raised {
            station: above.code.clone(),
            level: place.areas.get(above.area).level,
            units: units.to_vec(),
        };
        self.tell(body, text, clocks);
        Ok(())
    }

    fn report_in(
        &mut self,
        kind: Option<&WhistleKind>,
        unit: UnitCode,
        made_at: Option<Timestamp>,
        position: Option<Point>,
        text: &str,
    ) -> Result<(), Refusal> {
        let now = self.context.now;
        let call = self.whistle().call(&unit);
        // Where the station did not find it, it was not there before.
        let not_found = call.filter(|call| call.state == CallState::Absent);
        let not_found = not_found.and_then(|call| call.confirmed_at);
        let earliest = not_found.or_else(|| call.map(|call| call.called_at));
        if made_at.is_some_and(|at| at < earliest.unwrap_or(now) || at > now) {
            return Err(Refusal::MadeTime);
        }
        let near = self
            .whistle()
            .point
            .zip(position)
            .map(|(place, position)| place.distance_metres(&position) <= NEAR_METRES);
        let mut clocks = self.stop(&unit, &[ClockKind::Sign, ClockKind::Contact, ClockKind::ReportIn]);
        let leave = kind.and_then(|kind| kind.leave);
        clocks.extend(leave.map(|limit| self.start(&unit, ClockKind::Leave, limit, made_at.unwrap_or(now))));
        self.tell(Body::ReportedIn { unit, made_at, near }, text, clocks);
        Ok(())
    }

    /// A unit that was not found must report in anew, and its limit begins again: it is told so only now.
    fn confirm(&mut self, kind: Option<&WhistleKind>, unit: &UnitCode, present: bool, text: &str) {
        let was = self.whistle().call(unit).map(|call| call.state);
        let mut clocks = vec![];
        match (present, kind) {
            (false, Some(kind)) if was == Some(CallState::ReportedIn) => {
                clocks = self.stop(unit, &[ClockKind::Leave]);
                clocks.push(self.start(unit, ClockKind::ReportIn, kind.report_in, self.context.now));
            }
            (true, Some(kind)) if was == Some(CallState::Absent) => {
                clocks = self.stop(unit, &[ClockKind::ReportIn]);
                let leave = kind.leave;
                clocks.extend(leave.map(|limit| self.start(unit, ClockKind::Leave, limit, self.context.now)));
            }
            _ => {}
        }
        let unit = unit.clone();
        self.tell(Body::Confirmed { unit, present }, text, clocks);
    }

    fn minutes(&mut self, duties: &[NewDuty], text: &str) -> Result<(), Refusal> {
        if duties.len() > MAX_DUTIES {
            return Err(Refusal::TooManyDuties);
        }
        self.tell(Body::Minuted, text, vec![]);
        for (duty, nth) in duties.iter().zip(1..) {
            let what = cleaned(&duty.what)?;
            let whistle = self.whistle();
            let fits = whistle.cases.contains(&duty.case) && whistle.call(&duty.unit).is_some();
            if !fits || what.is_empty() {
                return Err(Refusal::BadDuty(nth));
            }
            let body = Body::DutyGiven {
                case: duty.case,
                unit: duty.unit.clone(),
                limit: duty.limit,
                due_at: self.context.place.calendar.due(self.context.now, duty.limit),
            };
            self.tell(body, &what, vec![]);
        }
        Ok(())
    }

    fn end(&mut self, body: Body, text: &str) {
        let calls = self.whistle().calls.iter();
        let stop = calls
            .flat_map(|call| self.stop(&call.unit, &ClockKind::OF_CALL))
            .collect();
        self.tell(body, text, stop);
    }

    /// Notes each limit once that has run out.
    fn remind(&mut self) {
        let mut over = Vec::new();
        for call in &self.whistle().calls {
            for clock in call.clocks.all().iter().filter(|clock| clock.is_running()) {
                if clock.step_at.is_some_and(|at| at <= self.context.now) {
                    over.push((call.unit.clone(), clock.kind));
                }
            }
        }
        for (unit, clock) in over {
            let change = ClockChange::Step {
                kind: clock,
                step_at: None,
            };
            let noted = UnitClock {
                unit: unit.clone(),
                change,
            };
            self.tell(Body::Overdue { unit, clock }, "", vec![noted]);
        }
    }

    fn reckon(&mut self) {
        let calendar = &self.context.place.calendar;
        let running = self.whistle().calls.iter().flat_map(|call| {
            let clocks = call.clocks.all().iter().filter(|clock| clock.is_running());
            clocks.map(move |clock| (&call.unit, clock))
        });
        let changed: Vec<UnitClock> = running
            .filter_map(|(unit, clock)| {
                let due_at = calendar.due(clock.started_at, clock.limit);
                (due_at != clock.due_at).then(|| UnitClock {
                    unit: unit.clone(),
                    change: ClockChange::Reckon {
                        kind: clock.kind,
                        due_at,
                        // What was noted stays so.
                        step_at: clock.step_at.map(|_| due_at),
                    },
                })
            })
            .collect();
        if !changed.is_empty() {
            self.tell(Body::Reckoned, "", changed);
        }
    }
}
