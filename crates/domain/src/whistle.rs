//! The whistle: a call by an area's station for several units to come together over one or more cases.
//!
//! Like a case it is what its own log folds to, and folding needs nothing but the log. What may be done to it is in
//! `transition`; what a command makes happen is in `command`. Each unit that is called has a state and clocks of its
//! own. Rated are units and the whistle, never a person; of a unit's position no more is known than whether it was near.

pub mod command;
pub mod transition;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Actor, Rating},
    clock::{ClockKind, Clocks, UnitClock},
    geometry::Point,
    limit::Limit,
    place::{Approval, AreaPath, Level},
    words::{AccessClass, CaseNumber, UnitCode, WhistleKindCode, WhistleNumber},
};

/// Where a whistle stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// A post wants it; somebody must approve.
    Asked,
    /// The units are called.
    Blown,
    /// Over: there are minutes, and the duties are split.
    Closed,
    /// Taken back.
    Withdrawn,
    /// Not approved.
    Refused,
}

impl Stage {
    /// All stages, in the order of a smooth whistle, then the others.
    pub const ALL: [Self; 5] = [
        Self::Asked,
        Self::Blown,
        Self::Closed,
        Self::Withdrawn,
        Self::Refused,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Blown => "blown",
            Self::Closed => "closed",
            Self::Withdrawn => "withdrawn",
            Self::Refused => "refused",
        }
    }

    /// Whether anything is still to come.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Asked | Self::Blown)
    }
}

/// Where a called unit stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallState {
    /// It was called.
    Called,
    /// It has read the call.
    Signed,
    /// It does not come, and said why.
    Refused,
    /// It says that it is there.
    ReportedIn,
    /// The station saw it.
    Present,
    /// The station did not find it.
    Absent,
    /// It has left.
    Left,
}

impl CallState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Called,
        Self::Signed,
        Self::Refused,
        Self::ReportedIn,
        Self::Present,
        Self::Absent,
        Self::Left,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Signed => "signed",
            Self::Refused => "refused",
            Self::ReportedIn => "reported_in",
            Self::Present => "present",
            Self::Absent => "absent",
            Self::Left => "left",
        }
    }
}

/// What the station thinks of a unit that it called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitRating {
    /// How fast it came.
    pub speed: Rating,
    /// How good its part was.
    pub quality: Rating,
}

/// A unit that is called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The unit.
    pub unit: UnitCode,
    /// Where it stands.
    pub state: CallState,
    /// When it was called.
    pub called_at: Timestamp,
    /// When it signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// When it first spoke with the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contacted_at: Option<Timestamp>,
    /// When it said that it was there; its own time when it had no connection then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_in_at: Option<Timestamp>,
    /// When that was received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// Whether it was near the place then; none when it did not say where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub near: Option<bool>,
    /// When the station said whether it was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmed_at: Option<Timestamp>,
    /// When it left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_at: Option<Timestamp>,
    /// Why it does not come. Empty unless it refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What the station thinks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<UnitRating>,
    /// What it thinks of the whistle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating_of_whistle: Option<Rating>,
    /// Its clocks.
    pub clocks: Clocks,
}

impl Call {
    fn new(unit: UnitCode, called_at: Timestamp) -> Self {
        Self {
            unit,
            state: CallState::Called,
            called_at,
            signed_at: None,
            contacted_at: None,
            reported_in_at: None,
            received_at: None,
            near: None,
            confirmed_at: None,
            left_at: None,
            reason: String::new(),
            rating: None,
            rating_of_whistle: None,
            clocks: Clocks::default(),
        }
    }
}

/// What a unit took upon itself in the minutes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duty {
    /// For which case.
    pub case: CaseNumber,
    /// The unit.
    pub unit: UnitCode,
    /// What it does.
    pub what: String,
    /// How long that may take, from the minutes on.
    pub limit: Limit,
    /// When it is due.
    pub due_at: Timestamp,
    /// When it was done; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done_at: Option<Timestamp>,
}

/// When a whistle reached each stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// When the units were called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blown_at: Option<Timestamp>,
    /// When it was over, in whichever way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// A whistle: what its log folds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Whistle {
    /// Its number.
    pub number: WhistleNumber,
    /// How many events it has; the version that a command must have seen.
    pub version: u32,
    /// Where it stands.
    pub stage: Stage,
    /// Its kind.
    pub kind: WhistleKindCode,
    /// Who must approve it; none when nobody need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The stations that answer for it: who blew it, then those to which it was raised.
    pub stations: Vec<UnitCode>,
    /// The level at which it stands.
    pub level: Level,
    /// The areas of the station that blew it.
    pub areas: AreaPath,
    /// The cases it is about.
    pub cases: Vec<CaseNumber>,
    /// The unit that leads.
    pub lead: UnitCode,
    /// Where to come.
    pub place: String,
    /// The point of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// When to come; none for as soon as possible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meet_at: Option<Timestamp>,
    /// What it is about.
    pub matter: String,
    /// The units that are called.
    pub calls: Vec<Call>,
    /// What was agreed. Empty until then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub minutes: String,
    /// Who does what after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<Duty>,
    /// The remark with which it ended, or why it was withdrawn or refused.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ending: String,
    /// Its times.
    pub times: Times,
    /// The classes of access that its cases have today: who may not see one of them sees nothing of it. They are theirs, and
    /// not in its log.
    #[serde(skip)]
    pub classes: Vec<AccessClass>,
}

/// One thing that happened to a whistle. Never changed; free text is kept beside the body, as with cases.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it.
    pub by: Actor,
    /// What happened.
    pub body: Body,
    /// What was written with it: matter, reason, minutes, duty, remark. Empty when nothing was, or once erased.
    pub text: String,
    /// What it did to the clocks of the units.
    pub clocks: Vec<UnitClock>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Body {
    /// The first event of every whistle. Text: the matter.
    Asked {
        /// The version of the place folder.
        place_version: u32,
        /// Its kind.
        kind: WhistleKindCode,
        /// Who must approve it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        approval: Option<Approval>,
        /// Which station blows it.
        station: UnitCode,
        /// The level of that station.
        level: Level,
        /// The areas of that station.
        areas: AreaPath,
        /// The cases.
        cases: Vec<CaseNumber>,
        /// The units to come.
        units: Vec<UnitCode>,
        /// The unit that leads.
        lead: UnitCode,
        /// Where to come.
        place: String,
        /// The point of that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        point: Option<Point>,
        /// When to come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        meet_at: Option<Timestamp>,
    },
    /// The units are called. Text: a remark of who approved it.
    Blown,
    /// It was not approved. Text: why.
    Refused,
    /// It was taken back. Text: why.
    Withdrawn,
    /// The next station above answers for it too. Text: why.
    Raised {
        /// That station.
        station: UnitCode,
        /// Its level.
        level: Level,
        /// Further units that are called with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        units: Vec<UnitCode>,
    },
    /// A unit has read the call.
    Signed {
        /// The unit.
        unit: UnitCode,
    },
    /// A unit does not come. Text: why.
    CallRefused {
        /// The unit.
        unit: UnitCode,
    },
    /// A unit spoke with the station. Text: what was said.
    Contacted {
        /// The unit.
        unit: UnitCode,
    },
    /// A unit says that it is there.
    ReportedIn {
        /// The unit.
        unit: UnitCode,
        /// When it was there, where it had no connection at that time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made_at: Option<Timestamp>,
        /// Whether it was near the place; none when it did not say where it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        near: Option<bool>,
    },
    /// The station says whether a unit is there.
    Confirmed {
        /// The unit.
        unit: UnitCode,
        /// Whether it is.
        present: bool,
    },
    /// A unit has left.
    Left {
        /// The unit.
        unit: UnitCode,
    },
    /// Minutes were written; duties of earlier ones no longer count. Text: the minutes.
    Minuted,
    /// A unit took a duty upon itself. Text: what it does.
    DutyGiven {
        /// For which case.
        case: CaseNumber,
        /// The unit.
        unit: UnitCode,
        /// How long that may take.
        limit: Limit,
        /// When it is due.
        due_at: Timestamp,
    },
    /// It is over. Text: a remark.
    Closed,
    /// A duty was done. Text: a remark.
    DutyDone {
        /// Which, from 1.
        duty: u32,
    },
    /// The station rated a unit. Text: why.
    UnitRated {
        /// The unit.
        unit: UnitCode,
        /// What the station thinks of it.
        #[serde(flatten)]
        rating: UnitRating,
    },
    /// A unit rated the whistle. Text: why.
    WhistleRated {
        /// The unit.
        unit: UnitCode,
        /// Whether it was rightly blown and well led.
        rating: Rating,
    },
    /// A limit of a called unit ran out.
    Overdue {
        /// The unit.
        unit: UnitCode,
        /// Which of its clocks.
        clock: ClockKind,
    },
    /// The calendar changed and the clocks were computed anew.
    Reckoned,
}

impl Body {
    /// All words, in the order of the variants.
    pub const WORDS: [&'static str; 19] = [
        "asked",
        "blown",
        "refused",
        "withdrawn",
        "raised",
        "signed",
        "call_refused",
        "contacted",
        "reported_in",
        "confirmed",
        "left",
        "minuted",
        "duty_given",
        "closed",
        "duty_done",
        "unit_rated",
        "whistle_rated",
        "overdue",
        "reckoned",
    ];

    /// The word in codes; the same as the tag in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked { .. } => "asked",
            Self::Blown => "blown",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Raised { .. } => "raised",
            Self::Signed { .. } => "signed",
            Self::CallRefused { .. } => "call_refused",
            Self::Contacted { .. } => "contacted",
            Self::ReportedIn { .. } => "reported_in",
            Self::Confirmed { .. } => "confirmed",
            Self::Left { .. } => "left",
            Self::Minuted => "minuted",
            Self::DutyGiven { .. } => "duty_given",
            Self::Closed => "closed",
            Self::DutyDone { .. } => "duty_done",
            Self::UnitRated { .. } => "unit_rated",
            Self::WhistleRated { .. } => "whistle_rated",
            Self::Overdue { .. } => "overdue",
            Self::Reckoned => "reckoned",
        }
    }

    /// The called unit that it is about.
    pub const fn unit(&self) -> Option<&UnitCode> {
        match self {
            Self::Signed { unit }
            | Self::CallRefused { unit }
            | Self::Contacted { unit }
            | Self::ReportedIn { unit, .. }
            | Self::Confirmed { unit, .. }
            | Self::Left { unit }
            | Self::DutyGiven { unit, .. }
            | Self::UnitRated { unit, .. }
            | Self::Overdue { unit, .. }
            | Self::WhistleRated { unit, .. } => Some(unit),
            _ => None,
        }
    }
}

/// Why the log of a whistle cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The log is empty.
    #[error("the log is empty; a whistle begins with being asked for")]
    Empty,
    /// The first event is another.
    #[error("the log begins with {0:?}; a whistle begins with being asked for")]
    NoBeginning(&'static str),
    /// It is asked for in the middle.
    #[error("event {0} is a second beginning")]
    SecondBeginning(u32),
    /// An event is about a unit that was never called.
    #[error("unit {0:?} is not called")]
    NotCalled(String),
    /// An event is about a duty that nobody has.
    #[error("there is no duty {0}")]
    NoSuchDuty(u32),
}

impl Whistle {
    /// Folds a whole log.
    pub fn fold<'e>(
        number: WhistleNumber,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let mut whistle = Self::begin(number, events.next().ok_or(FoldError::Empty)?)?;
        for event in events {
            whistle.apply(event)?;
        }
        Ok(whistle)
    }

    /// The whistle after its first event.
    pub fn begin(number: WhistleNumber, event: &Event) -> Result<Self, FoldError> {
        let Body::Asked {
            place_version: _,
            kind,
            approval,
            station,
            level,
            areas,
            cases,
            units,
            lead,
            place,
            point,
            meet_at,
        } = &event.body
        else {
            return Err(FoldError::NoBeginning(event.body.as_str()));
        };
        Ok(Self {
            number,
            version: 1,
            stage: Stage::Asked,
            kind: kind.clone(),
            approval: *approval,
            stations: vec![station.clone()],
            level: *level,
            areas: areas.clone(),
            cases: cases.clone(),
            lead: lead.clone(),
            place: place.clone(),
            point: *point,
            meet_at: *meet_at,
            matter: event.text.clone(),
            calls: units
                .iter()
                .map(|unit| Call::new(unit.clone(), event.at))
                .collect(),
            minutes: String::new(),
            duties: Vec::new(),
            ending: String::new(),
            times: Times {
                asked_at: event.at,
                updated_at: event.at,
                blown_at: None,
                closed_at: None,
            },
            classes: Vec::new(),
        })
    }

    /// Folds one more event in.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.version += 1;
        self.times.updated_at = self.times.updated_at.max(event.at);
        let at = event.at;
        // What was done without a connection counts from when it was done.
        let mut turned_at = at;
        match &event.body {
            Body::Asked { .. } => return Err(FoldError::SecondBeginning(self.version)),
            Body::Blown => {
                self.stage = Stage::Blown;
                self.times.blown_at = Some(at);
                for call in &mut self.calls {
                    call.called_at = at;
                }
            }
            Body::Refused => self.end(Stage::Refused, event),
            Body::Withdrawn => self.end(Stage::Withdrawn, event),
            Body::Raised {
                station,
                level,
                units,
            } => {
                self.stations.push(station.clone());
                self.level = *level;
                self.calls
                    .extend(units.iter().map(|unit| Call::new(unit.clone(), at)));
            }
            Body::Signed { unit } => {
                let call = self.call_to_change(unit)?;
                call.state = CallState::Signed;
                call.signed_at = Some(at);
            }
            Body::CallRefused { unit } => {
                let call = self.call_to_change(unit)?;
                call.state = CallState::Refused;
                call.reason.clone_from(&event.text);
            }
            Body::Contacted { unit } => self.call_to_change(unit)?.contacted_at = Some(at),
            Body::ReportedIn { unit, made_at, near } => {
                turned_at = made_at.unwrap_or(at);
                let call = self.call_to_change(unit)?;
                call.state = CallState::ReportedIn;
                call.reported_in_at = Some(turned_at);
                call.received_at = Some(at);
                call.near = *near;
            }
            Body::Confirmed { unit, present } => {
                let call = self.call_to_change(unit)?;
                call.state = if *present {
                    CallState::Present
                } else {
                    CallState::Absent
                };
                call.confirmed_at = Some(at);
            }
            Body::Left { unit } => {
                let call = self.call_to_change(unit)?;
                call.state = CallState::Left;
                call.left_at = Some(at);
            }
            Body::Minuted => {
                self.minutes.clone_from(&event.text);
                self.duties.clear();
            }
            Body::DutyGiven {
                case,
                unit,
                limit,
                due_at,
            } => self.duties.push(Duty {
                case: *case,
                unit: unit.clone(),
                what: event.text.clone(),
                limit: *limit,
                due_at: *due_at,
                done_at: None,
            }),
            Body::Closed => self.end(Stage::Closed, event),
            Body::DutyDone { duty } => {
                let found = (*duty as usize)
                    .checked_sub(1)
                    .and_then(|nth| self.duties.get_mut(nth));
                found.ok_or(FoldError::NoSuchDuty(*duty))?.done_at = Some(at);
            }
            Body::UnitRated { unit, rating } => self.call_to_change(unit)?.rating = Some(*rating),
            Body::WhistleRated { unit, rating } => {
                self.call_to_change(unit)?.rating_of_whistle = Some(*rating);
            }
            Body::Overdue { .. } | Body::Reckoned => {}
        }
        for UnitClock { unit, change } in &event.clocks {
            self.call_to_change(unit)?.clocks.apply(change, turned_at);
        }
        Ok(())
    }

    /// The call of a unit.
    pub fn call(&self, unit: &UnitCode) -> Option<&Call> {
        self.calls.iter().find(|call| call.unit == *unit)
    }

    /// When the clock that is due first, of whichever unit, is due.
    pub fn due_at(&self) -> Option<Timestamp> {
        let clocks = self.calls.iter().filter_map(|call| call.clocks.next_due());
        clocks.map(|clock| clock.due_at).min()
    }

    /// When the first limit of a called unit runs out that was not noted yet; none once it is over.
    pub fn step_at(&self) -> Option<Timestamp> {
        let calls = self.calls.iter().filter(|_| self.stage == Stage::Blown);
        calls.filter_map(|call| call.clocks.next_step()?.step_at).min()
    }

    fn call_to_change(&mut self, unit: &UnitCode) -> Result<&mut Call, FoldError> {
        let call = self.calls.iter_mut().find(|call| call.unit == *unit);
        call.ok_or_else(|| FoldError::NotCalled(unit.to_string()))
    }

    fn end(&mut self, stage: Stage, event: &Event) {
        self.stage = stage;
        self.ending.clone_from(&event.text);
        self.times.closed_at = Some(event.at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_events_are_those_that_are_read_and_written() {
        let unknown = serde_json::from_str::<Body>(r#"{"event": "?"}"#)
            .unwrap_err()
            .to_string();
        let known: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, Body::WORDS);
    }
}
