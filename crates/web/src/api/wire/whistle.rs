//! Whistles on the wire: kinds, one whistle with its calls and duties, its log, lists, and what may be done to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::{
    case::Actor as DomainActor,
    limit::Limit,
    place::{Place, WhistleKind as DomainKind},
    whistle::{
        self as domain, Body,
        command::{self, may_finish},
        transition::{Transition, offered},
    },
};

use super::{
    Approval, AreaPath, CallState, Code, Cursor, Level, Point, Rating, Role, Short, Text, Time, WhistleNeed,
    WhistleStage, WhistleVerb, Words,
    case::{Actor, Clock},
    few,
};
use crate::api::{
    error::{Problem, Result},
    read,
};

/// Which whistles.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WhistleListQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// Those by which the post's unit is called, what it must do first at the top; else those that stations in its area
    /// blew, the last one at the top.
    #[serde(default)]
    #[param(required = false)]
    pub(crate) called: bool,
    /// Those that are over, or with which the unit has no more to do.
    #[serde(default)]
    #[param(required = false)]
    pub(crate) over: bool,
    /// Where the page begins; `next` of the page before.
    pub(crate) after: Option<Cursor>,
    /// How many at most; 50 by default.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<usize>,
}

/// A page of whistles.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistlePage {
    pub(crate) items: Vec<Whistle>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// The kinds of whistle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistleKindList {
    pub(crate) items: Vec<WhistleKind>,
}

/// A kind of whistle: who may blow it, who approves it, and how soon the units must come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistleKind {
    code: Code,
    name: Words,
    /// The levels whose stations may blow it.
    levels: Vec<Level>,
    /// The posts of such a station that may.
    roles: Vec<Role>,
    /// Who approves it; absent when nobody need.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval: Option<Approval>,
    /// From the call to "we have read it".
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<String>,
    /// From the call to the first word with the station.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// From the call to "we are here".
    #[schema(example = "3d working")]
    report_in: String,
    /// From "we are here" to leaving.
    #[serde(skip_serializing_if = "Option::is_none")]
    leave: Option<String>,
    /// The highest level to which it may be raised.
    highest: Level,
}

impl From<&DomainKind> for WhistleKind {
    fn from(kind: &DomainKind) -> Self {
        Self {
            code: Code::of(&kind.code),
            name: (&kind.name).into(),
            levels: kind.levels.iter().map(|level| (*level).into()).collect(),
            roles: kind.roles.iter().map(|role| (*role).into()).collect(),
            approval: kind.approval.map(Into::into),
            sign: kind.sign.map(String::from),
            contact: kind.contact.map(String::from),
            report_in: kind.report_in.into(),
            leave: kind.leave.map(String::from),
            highest: kind.highest.into(),
        }
    }
}

/// A whistle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Whistle {
    /// Its number.
    #[schema(minimum = 1, example = 7)]
    number: i64,
    /// How many events it has; what an act must have seen.
    version: u32,
    stage: WhistleStage,
    /// Its kind.
    kind: Code,
    /// The stations that answer for it: who blew it, then those to which it was raised.
    stations: Vec<Code>,
    /// The level at which it stands.
    level: Level,
    /// The areas of the station that blew it.
    areas: AreaPath,
    /// The cases it is about.
    cases: Vec<i64>,
    /// The unit that leads.
    lead: Code,
    /// Where to come.
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    point: Option<Point>,
    /// When to come; absent for as soon as possible.
    #[serde(skip_serializing_if = "Option::is_none")]
    meet_at: Option<Time>,
    /// What it is about.
    matter: String,
    /// The units that are called.
    calls: Vec<Call>,
    /// What was agreed.
    minutes: String,
    /// Who does what after it.
    duties: Vec<Duty>,
    /// The remark with which it ended, or why it was withdrawn or not approved.
    ending: String,
    asked_at: Time,
    updated_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    blown_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Time>,
    /// What the signed-in post may do now; not in lists.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    offered: Vec<WhistleOffer>,
}

/// Something that may be done to a whistle now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistleOffer {
    verb: WhistleVerb,
    /// What the sender must add.
    needs: Vec<WhistleNeed>,
    /// With `unit` among the needs: the units that may be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    units: Vec<Code>,
    /// With `duty` among the needs: the duties that may be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    duties: Vec<u32>,
}

impl WhistleOffer {
    fn of(line: &Transition, whistle: &domain::Whistle, actor: &DomainActor) -> Self {
        use whistle_domain::whistle::transition::Need;
        let needs = line.needs.iter().filter(|need| need.is_sent());
        let duties = whistle.duties.iter().zip(1..);
        Self {
            verb: line.verb.into(),
            needs: needs.map(|need| (*need).into()).collect(),
            units: if line.needs(Need::Unit) {
                line.units(whistle, actor).map(Code::of).collect()
            } else {
                Vec::new()
            },
            duties: duties
                .filter(|(duty, _)| line.needs(Need::Duty) && duty.done_at.is_none())
                .filter(|(duty, _)| may_finish(whistle, &duty.unit, actor))
                .map(|(_, number)| number)
                .collect(),
        }
    }
}

/// A unit that is called.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Call {
    unit: Code,
    state: CallState,
    called_at: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    signed_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contacted_at: Option<Time>,
    /// When it said that it was there; its own time when it had no connection then.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported_in_at: Option<Time>,
    /// When that was received.
    #[serde(skip_serializing_if = "Option::is_none")]
    received_at: Option<Time>,
    /// Whether it was near the place then; absent when it did not say where it was. The position itself is kept nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    near: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    left_at: Option<Time>,
    /// Why it does not come.
    reason: String,
    /// What the station thinks of how fast it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<Rating>,
    /// What the station thinks of its part.
    #[serde(skip_serializing_if = "Option::is_none")]
    quality: Option<Rating>,
    /// What it thinks of the whistle.
    #[serde(skip_serializing_if = "Option::is_none")]
    rating_of_whistle: Option<Rating>,
    clocks: Vec<Clock>,
}

/// What a unit took upon itself in the minutes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Duty {
    /// Which, from 1.
    number: u32,
    /// For which case.
    case: i64,
    unit: Code,
    /// What it does.
    what: String,
    /// How long that may take.
    #[schema(example = "2d working")]
    limit: String,
    due_at: Time,
    /// When it was done; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<Time>,
}

impl Whistle {
    /// A whistle; for `actor`, with what may be done.
    pub(crate) fn of(
        whistle: &domain::Whistle,
        place: &Place,
        now: Timestamp,
        actor: Option<&DomainActor>,
    ) -> Self {
        let offers = |actor| {
            let lines = offered(whistle, actor, place);
            lines.map(|line| WhistleOffer::of(line, whistle, actor)).collect()
        };
        let duty = |(duty, number): (&domain::Duty, u32)| Duty {
            number,
            case: duty.case.0,
            unit: Code::of(&duty.unit),
            what: duty.what.clone(),
            limit: duty.limit.into(),
            due_at: Time(duty.due_at),
            done_at: duty.done_at.map(Time),
        };
        Self {
            number: whistle.number.0,
            version: whistle.version,
            stage: whistle.stage.into(),
            kind: Code::of(&whistle.kind),
            stations: whistle.stations.iter().map(Code::of).collect(),
            level: whistle.level.into(),
            areas: (&whistle.areas).into(),
            cases: whistle.cases.iter().map(|case| case.0).collect(),
            lead: Code::of(&whistle.lead),
            place: whistle.place.clone(),
            point: whistle.point.map(Into::into),
            meet_at: whistle.meet_at.map(Time),
            matter: whistle.matter.clone(),
            calls: whistle
                .calls
                .iter()
                .map(|call| Call::of(call, place, now))
                .collect(),
            minutes: whistle.minutes.clone(),
            duties: whistle.duties.iter().zip(1..).map(duty).collect(),
            ending: whistle.ending.clone(),
            asked_at: Time(whistle.times.asked_at),
            updated_at: Time(whistle.times.updated_at),
            blown_at: whistle.times.blown_at.map(Time),
            closed_at: whistle.times.closed_at.map(Time),
            offered: actor.map(offers).unwrap_or_default(),
        }
    }
}

impl Call {
    fn of(call: &domain::Call, place: &Place, now: Timestamp) -> Self {
        let clocks = call.clocks.all().iter();
        Self {
            unit: Code::of(&call.unit),
            state: call.state.into(),
            called_at: Time(call.called_at),
            signed_at: call.signed_at.map(Time),
            contacted_at: call.contacted_at.map(Time),
            reported_in_at: call.reported_in_at.map(Time),
            received_at: call.received_at.map(Time),
            near: call.near,
            confirmed_at: call.confirmed_at.map(Time),
            left_at: call.left_at.map(Time),
            reason: call.reason.clone(),
            speed: call.rating.map(|rating| rating.speed.into()),
            quality: call.rating.map(|rating| rating.quality.into()),
            rating_of_whistle: call.rating_of_whistle.map(Into::into),
            clocks: clocks.map(|clock| Clock::of(clock, place, now, None)).collect(),
        }
    }
}

/// What happened to a whistle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistleLog {
    pub(crate) items: Vec<WhistleEvent>,
}

/// One event of a whistle's log. What it changed is in the whistle.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhistleEvent {
    /// Which event of the log, from 1.
    version: u32,
    at: Time,
    by: Actor,
    /// The event's word.
    #[schema(example = "reported_in")]
    event: &'static str,
    /// The called unit that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Code>,
    /// `confirmed`: whether the unit is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    present: Option<bool>,
    /// `raised`: the station above.
    #[serde(skip_serializing_if = "Option::is_none")]
    station: Option<Code>,
    /// `duty_done`: which duty.
    #[serde(skip_serializing_if = "Option::is_none")]
    duty: Option<u32>,
    /// What was written with it.
    text: String,
}

impl WhistleEvent {
    pub(crate) fn of(event: &domain::Event, version: u32) -> Self {
        let (mut present, mut station, mut duty) = (None, None, None);
        match &event.body {
            Body::Confirmed { present: is, .. } => present = Some(*is),
            Body::Raised { station: above, .. } => station = Some(Code::of(above)),
            Body::DutyDone { duty: done } => duty = Some(*done),
            _ => {}
        }
        Self {
            version,
            at: Time(event.at),
            by: (&event.by).into(),
            event: event.body.as_str(),
            unit: event.body.unit().map(Code::of),
            present,
            station,
            duty,
            text: event.text.clone(),
        }
    }
}

/// A whistle to be blown.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewWhistle {
    /// Its kind; see `/whistle-kinds`.
    kind: Code,
    /// The numbers of the cases it is about: open ones in the area of the station.
    #[serde(deserialize_with = "few::<_, _, 20>")]
    #[schema(min_items = 1, max_items = 20)]
    cases: Vec<i64>,
    /// The units to come.
    #[serde(deserialize_with = "few::<_, _, 30>")]
    #[schema(min_items = 1, max_items = 30)]
    units: Vec<Code>,
    /// Which of them leads.
    lead: Code,
    /// Where to come; the first case's address when absent.
    #[serde(default)]
    place: Short,
    /// When to come; as soon as possible when absent.
    meet_at: Option<Time>,
    /// What it is about.
    matter: Text,
}

impl NewWhistle {
    /// The same in the domain's types.
    pub(crate) fn wanted(self) -> Result<command::NewWhistle> {
        let case = |number: &i64| read::number(&number.to_string());
        Ok(command::NewWhistle {
            kind: self
                .kind
                .as_str()
                .parse()
                .map_err(|_| refusal(command::Refusal::UnknownKind(self.kind.0.clone())))?,
            cases: self.cases.iter().map(case).collect::<Result<_>>()?,
            units: self.units.iter().map(unit).collect::<Result<_>>()?,
            lead: unit(&self.lead)?,
            place: self.place.0,
            meet_at: self.meet_at.map(|time| time.0),
            matter: self.matter.0,
        })
    }
}

fn refusal(refusal: command::Refusal) -> Problem {
    Problem::Service(refusal.into())
}

fn unit(code: &Code) -> Result<whistle_domain::words::UnitCode> {
    code.as_str()
        .parse()
        .map_err(|_| refusal(command::Refusal::UnknownUnit(code.0.clone())))
}

/// A duty to be written into the minutes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewDuty {
    /// For which case of the whistle.
    #[schema(minimum = 1)]
    case: i64,
    /// A unit that is called.
    unit: Code,
    /// What it does.
    what: Text,
    /// How long that may take, such as `4h working` or `2d calendar`.
    #[schema(example = "2d working")]
    limit: Short,
}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty),* $(,)? }),* $(,)?) => {
        /// Something to do to a whistle; `verb` says what. Which verbs are offered, and what each needs, is in the whistle
        /// itself (`offered`).
        #[derive(Debug, Deserialize, ToSchema)]
        #[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
        pub(crate) enum WhistleAct {
            $(
                $(#[$doc])*
                $name {
                    $($(#[$field_meta])* $field: $kind,)*
                    /// The reason, remark or minutes that go with it.
                    #[serde(default)]
                    text: Text,
                    /// The version of the whistle that was seen. When it is sent and something else happened since, the
                    /// act is refused; what was done without a connection goes without it.
                    #[schema(maximum = 2_147_483_647)]
                    seen: Option<u32>,
                }
            ),*
        }

        impl WhistleAct {
            /// The version that was seen.
            pub(crate) fn seen(&self) -> Option<u32> {
                match self { $(Self::$name { seen, .. })|* => *seen }
            }

            /// Takes the text out.
            pub(crate) fn take_text(&mut self) -> String {
                match self { $(Self::$name { text, .. })|* => std::mem::take(&mut text.0) }
            }
        }
    };
}

acts! {
    /// Approve it; the units are called.
    Approve {},
    /// Not approve it.
    RefuseApproval {},
    /// Take it back.
    Withdraw {},
    /// Hand it to the next station above as well.
    Raise {
        /// Further units to call.
        #[serde(default, deserialize_with = "few::<_, _, 30>")]
        #[schema(max_items = 30)]
        units: Vec<Code>,
    },
    /// Say "we have read it".
    Sign {},
    /// Say "we do not come".
    Refuse {},
    /// Say that one has spoken with the station.
    Contact {},
    /// Say "we are here".
    ReportIn {
        /// When the unit was there, if it had no connection then: after the call, and not in the future.
        made_at: Option<Time>,
        /// Where it was. Only whether that is near the place is kept.
        position: Option<Point>,
    },
    /// Say whether a unit is there.
    Confirm {
        /// The unit.
        unit: Code,
        /// Whether it is.
        present: bool,
    },
    /// Say "we leave".
    Leave {},
    /// Write what was agreed, in place of what was written before.
    Minutes {
        /// Who does what.
        #[serde(default, deserialize_with = "few::<_, _, 50>")]
        #[schema(max_items = 50)]
        duties: Vec<NewDuty>,
    },
    /// End it; the duties become assignments where whoever ends it may assign the case.
    Close {},
    /// Say that a duty is done.
    Finish {
        /// Which, from 1.
        #[schema(minimum = 1, maximum = 50)]
        duty: u32,
    },
    /// Rate a unit, never a person.
    RateUnit {
        /// The unit.
        unit: Code,
        /// How fast it came.
        speed: Rating,
        /// How good its part was.
        quality: Rating,
    },
    /// Rate the whistle, never a person.
    RateWhistle {
        /// Whether it was rightly blown and well led.
        rating: Rating,
    },
}

impl WhistleAct {
    /// The same in the domain's types.
    pub(crate) fn wanted(self) -> Result<command::Act> {
        use command::Act as Wanted;
        Ok(match self {
            Self::Approve { .. } => Wanted::Approve,
            Self::RefuseApproval { .. } => Wanted::RefuseApproval,
            Self::Withdraw { .. } => Wanted::Withdraw,
            Self::Raise { units, .. } => Wanted::Raise {
                units: units.iter().map(unit).collect::<Result<_>>()?,
            },
            Self::Sign { .. } => Wanted::Sign,
            Self::Refuse { .. } => Wanted::Refuse,
            Self::Contact { .. } => Wanted::Contact,
            Self::ReportIn {
                made_at, position, ..
            } => Wanted::ReportIn {
                made_at: made_at.map(|time| time.0),
                position: position
                    .map(|p| whistle_domain::geometry::Point::new(p.lon, p.lat))
                    .transpose()
                    .map_err(|error| Problem::value("position", error.to_string()))?,
            },
            Self::Confirm {
                unit: code, present, ..
            } => Wanted::Confirm {
                unit: unit(&code)?,
                present,
            },
            Self::Leave { .. } => Wanted::Leave,
            Self::Minutes { duties, .. } => Wanted::Minutes {
                duties: duties.into_iter().map(NewDuty::wanted).collect::<Result<_>>()?,
            },
            Self::Close { .. } => Wanted::Close,
            Self::Finish { duty, .. } => Wanted::Finish { duty },
            Self::RateUnit {
                unit: code,
                speed,
                quality,
                ..
            } => Wanted::RateUnit {
                unit: unit(&code)?,
                speed: speed.into(),
                quality: quality.into(),
            },
            Self::RateWhistle { rating, .. } => Wanted::RateWhistle {
                rating: rating.into(),
            },
        })
    }
}

impl NewDuty {
    fn wanted(self) -> Result<command::NewDuty> {
        let limit: Result<Limit, _> = self.limit.parse();
        Ok(command::NewDuty {
            case: read::number(&self.case.to_string())?,
            unit: unit(&self.unit)?,
            what: self.what.0,
            limit: limit.map_err(|error| Problem::value("duties.limit", error.to_string()))?,
        })
    }
}
