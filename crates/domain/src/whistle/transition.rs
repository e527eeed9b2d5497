//! The table of what may be done to a whistle: at which stage, with the call of a unit in which state, by whom, and what
//! it needs. `command` obeys it, the pages draw their buttons from it, the API describes itself by it, the tests walk it.

use serde::{Deserialize, Serialize};

use super::{
    Body, CallState, Stage, Whistle,
    command::{Refusal, unmet},
};
use crate::{
    case::Actor,
    place::{Approval, AreaIndex, Place, Post, Unit, UnitKind, WhistleKind},
    rights::Role,
    words::UnitCode,
};

/// What may be done to a whistle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Call the units, or ask that they be called.
    Blow,
    /// Approve it; the units are called.
    Approve,
    /// Not approve it.
    RefuseApproval,
    /// Take it back.
    Withdraw,
    /// Hand it to the next station above as well.
    Raise,
    /// Say "we have read it".
    Sign,
    /// Say "we do not come".
    Refuse,
    /// Say that one has spoken with the station.
    Contact,
    /// Say "we are here".
    ReportIn,
    /// Say whether a unit is there.
    Confirm,
    /// Say "we leave".
    Leave,
    /// Write what was agreed, and who does what.
    Minutes,
    /// End it.
    Close,
    /// Say that a duty is done.
    Finish,
    /// Rate a unit.
    RateUnit,
    /// Rate the whistle.
    RateWhistle,
    /// Note which limits of the units ran out.
    Remind,
    /// Compute its clocks anew.
    Reckon,
}

impl Verb {
    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blow => "blow",
            Self::Approve => "approve",
            Self::RefuseApproval => "refuse_approval",
            Self::Withdraw => "withdraw",
            Self::Raise => "raise",
            Self::Sign => "sign",
            Self::Refuse => "refuse",
            Self::Contact => "contact",
            Self::ReportIn => "report_in",
            Self::Confirm => "confirm",
            Self::Leave => "leave",
            Self::Minutes => "minutes",
            Self::Close => "close",
            Self::Finish => "finish",
            Self::RateUnit => "rate_unit",
            Self::RateWhistle => "rate_whistle",
            Self::Remind => "remind",
            Self::Reckon => "reckon",
        }
    }
}

/// Who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A post of a station that answers for it, with a role by which its kind may be blown.
    Whistler,
    /// A post with this role of a station that answers for it.
    Station(Role),
    /// A post with this role of a station above.
    Above(Role),
    /// A lead who must approve it.
    Approver,
    /// A post with this role of a unit that is called.
    Called(Role),
    /// Whistle itself.
    System,
}

/// What it needs besides the right actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A written matter, reason or minutes.
    Text,
    /// A unit that is called.
    Unit,
    /// That the unit has not spoken with the station yet.
    NotContacted,
    /// A station above, up to which this kind may be raised.
    HigherStation,
    /// That there are minutes.
    Minutes,
    /// A duty that is open: the unit's own, where a unit says so.
    Duty,
    /// A rating.
    Rating,
    /// Cases, units and who of them leads; never done to a whistle that is there already.
    AtBlow,
}

impl Need {
    /// What is needed, in the middle of a sentence.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Text => "a written matter, reason or minutes",
            Self::Unit => "a unit that is called",
            Self::NotContacted => "a unit that has not spoken with the station yet",
            Self::HigherStation => "a station above, to which this kind may be raised",
            Self::Minutes => "minutes",
            Self::Duty => "an open duty",
            Self::Rating => "a rating",
            Self::AtBlow => "cases, units and a lead",
        }
    }

    /// Whether the sender must add it; the others are true of the whistle, or not.
    pub const fn is_sent(self) -> bool {
        matches!(self, Self::Text | Self::Unit | Self::Duty | Self::Rating)
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// What is done.
    pub verb: Verb,
    /// At which stages.
    pub from: &'static [Stage],
    /// Where it leads; none when it stays.
    pub to: Option<Stage>,
    /// In which state the unit's call must be; none for what is not about one unit.
    pub calls: &'static [CallState],
    /// By whom.
    pub who: &'static [Who],
    /// What it needs.
    pub needs: &'static [Need],
}

use CallState::{Absent, Called, Present, ReportedIn, Signed};
use Stage::{Asked, Blown, Closed};

const WHISTLERS: &[Who] = &[Who::Whistler, Who::Station(Role::Lead)];
const CONTROL: &[Who] = &[Who::Whistler, Who::Station(Role::Lead), Who::Above(Role::Lead)];
const UNIT: &[Who] = &[Who::Called(Role::Handler), Who::Called(Role::Lead)];

/// The table.
pub const TRANSITIONS: &[Transition] = &[
    line(
        Verb::Blow,
        &[],
        Some(Asked),
        &[],
        &[Who::Whistler],
        &[Need::Text, Need::AtBlow],
    ),
    line(Verb::Approve, &[Asked], Some(Blown), &[], &[Who::Approver], &[]),
    line(
        Verb::RefuseApproval,
        &[Asked],
        Some(Stage::Refused),
        &[],
        &[Who::Approver],
        &[Need::Text],
    ),
    line(
        Verb::Withdraw,
        &[Asked, Blown],
        Some(Stage::Withdrawn),
        &[],
        CONTROL,
        &[Need::Text],
    ),
    line(
        Verb::Raise,
        &[Blown],
        None,
        &[],
        WHISTLERS,
        &[Need::Text, Need::HigherStation],
    ),
    line(Verb::Sign, &[Blown], None, &[Called], UNIT, &[]),
    line(
        Verb::Refuse,
        &[Blown],
        None,
        &[Called, Signed],
        UNIT,
        &[Need::Text],
    ),
    line(
        Verb::Contact,
        &[Blown],
        None,
        &[Signed],
        UNIT,
        &[Need::NotContacted],
    ),
    // Who is there has read the call and can speak with the station, signed or not; who was not found may come after all.
    line(
        Verb::ReportIn,
        &[Blown],
        None,
        &[Called, Signed, Absent],
        UNIT,
        &[],
    ),
    line(
        Verb::Confirm,
        &[Blown],
        None,
        &[ReportedIn, Absent],
        WHISTLERS,
        &[Need::Unit],
    ),
    line(Verb::Leave, &[Blown], None, &[ReportedIn, Present], UNIT, &[]),
    line(Verb::Minutes, &[Blown], None, &[], WHISTLERS, &[Need::Text]),
    line(
        Verb::Close,
        &[Blown],
        Some(Closed),
        &[],
        WHISTLERS,
        &[Need::Minutes],
    ),
    line(
        Verb::Finish,
        &[Closed],
        None,
        &[],
        &[
            Who::Called(Role::Handler),
            Who::Called(Role::Lead),
            Who::Whistler,
            Who::Station(Role::Lead),
        ],
        &[Need::Duty],
    ),
    line(
        Verb::RateUnit,
        &[Closed],
        None,
        &CallState::ALL,
        WHISTLERS,
        &[Need::Unit, Need::Rating],
    ),
    line(
        Verb::RateWhistle,
        &[Closed],
        None,
        &CallState::ALL,
        UNIT,
        &[Need::Rating],
    ),
    line(Verb::Remind, &[Blown], None, &[], &[Who::System], &[]),
    line(Verb::Reckon, &[Blown], None, &[], &[Who::System], &[]),
];

const fn line(
    verb: Verb,
    from: &'static [Stage],
    to: Option<Stage>,
    calls: &'static [CallState],
    who: &'static [Who],
    needs: &'static [Need],
) -> Transition {
    Transition {
        verb,
        from,
        to,
        calls,
        who,
        needs,
    }
}

impl Transition {
    /// The line of a verb.
    pub fn of(verb: Verb) -> &'static Self {
        TRANSITIONS
            .iter()
            .find(|t| t.verb == verb)
            .expect("every verb has a line; a test walks them")
    }

    /// Whether this need is on the line.
    pub fn needs(&self, need: Need) -> bool {
        self.needs.contains(&need)
    }

    /// Whether an actor is one of those who may do it to this whistle.
    pub fn permits(&self, actor: &Actor, whistle: &Whistle, place: &Place) -> bool {
        self.who.iter().any(|who| who.is(actor, whistle, place))
    }

    /// Whether it may lead from one stage to another.
    pub fn leads(&self, before: Stage, after: Stage) -> bool {
        self.from.contains(&before) && after == self.to.unwrap_or(before)
    }
}

/// Whether the table has a line by which this event leads from one stage to the other; before its first event a whistle
/// has none.
pub fn allows(before: Option<Stage>, body: &Body, after: Stage) -> bool {
    match (before, verb_of(body)) {
        (None, Verb::Blow) => after == Asked,
        (Some(before), verb) => Transition::of(verb).leads(before, after),
        _ => false,
    }
}

/// The verb whose line an event goes by.
const fn verb_of(body: &Body) -> Verb {
    match body {
        Body::Asked { .. } => Verb::Blow,
        // Also without anybody's approval: who may approve it blows it at once.
        Body::Blown => Verb::Approve,
        Body::Refused => Verb::RefuseApproval,
        Body::Withdrawn => Verb::Withdraw,
        Body::Raised { .. } => Verb::Raise,
        Body::Signed { .. } => Verb::Sign,
        Body::CallRefused { .. } => Verb::Refuse,
        Body::Contacted { .. } => Verb::Contact,
        Body::ReportedIn { .. } => Verb::ReportIn,
        Body::Confirmed { .. } => Verb::Confirm,
        Body::Left { .. } => Verb::Leave,
        Body::Minuted | Body::DutyGiven { .. } => Verb::Minutes,
        Body::Closed => Verb::Close,
        Body::DutyDone { .. } => Verb::Finish,
        Body::UnitRated { .. } => Verb::RateUnit,
        Body::WhistleRated { .. } => Verb::RateWhistle,
        Body::Overdue { .. } => Verb::Remind,
        Body::Reckoned => Verb::Reckon,
    }
}

impl Who {
    fn is(self, actor: &Actor, whistle: &Whistle, place: &Place) -> bool {
        let post = match (self, actor) {
            (Self::System, actor) => return *actor == Actor::System,
            (_, Actor::Post { post, .. }) => place.post(post.as_str()),
            _ => None,
        };
        let Some(post) = post else { return false };
        match self {
            Self::Whistler => {
                whistle.stations.contains(&post.unit)
                    && place
                        .whistle_kind(whistle.kind.as_str())
                        .is_some_and(|kind| kind.roles.iter().any(|role| post.roles.contains(role)))
            }
            Self::Station(role) => whistle.stations.contains(&post.unit) && post.roles.contains(&role),
            Self::Above(role) => post.roles.contains(&role) && is_above(post, whistle, place),
            Self::Approver => approves(post, whistle.approval, whistle.stations.first(), place),
            Self::Called(role) => whistle.call(&post.unit).is_some() && post.roles.contains(&role),
            Self::System => false,
        }
    }
}

/// Whether a post's unit is a station above the one that blew the whistle.
fn is_above(post: &Post, whistle: &Whistle, place: &Place) -> bool {
    let blew = whistle
        .stations
        .first()
        .and_then(|unit| place.unit(unit.as_str()));
    blew.is_some_and(|blew| is_station_above(post, blew.area, place))
}

fn is_station_above(post: &Post, area: AreaIndex, place: &Place) -> bool {
    place.unit(post.unit.as_str()).is_some_and(|unit| {
        unit.kind == UnitKind::Station && unit.area != area && place.areas.is_within(area, unit.area)
    })
}

/// Whether a post is one of those who approve a whistle of this station.
pub(super) fn approves(
    post: &Post,
    approval: Option<Approval>,
    station: Option<&UnitCode>,
    place: &Place,
) -> bool {
    let Some(station) = station.and_then(|unit| place.unit(unit.as_str())) else {
        return false;
    };
    let own = post.unit == station.code;
    post.roles.contains(&Role::Lead)
        && match approval {
            None => false,
            Some(Approval::Lead) => own,
            Some(Approval::Above) if place.station_above(station.area).is_none() => own,
            Some(Approval::Above) => is_station_above(post, station.area, place),
        }
}

/// The station whose lead must approve a whistle: its own, or the one next above; none where nobody need.
pub fn approver<'p>(whistle: &Whistle, place: &'p Place) -> Option<&'p Unit> {
    let station = whistle
        .stations
        .first()
        .and_then(|unit| place.unit(unit.as_str()))?;
    match whistle.approval? {
        Approval::Lead => Some(station),
        Approval::Above => place.station_above(station.area).or(Some(station)),
    }
}

/// Whether a post may blow whistles of a kind, or ask for them. A post that is narrowed would not see its own.
pub fn may_blow(kind: &WhistleKind, post: &Post, place: &Place) -> bool {
    post.narrowed.is_whole()
        && place.unit(post.unit.as_str()).is_some_and(|unit| {
            unit.kind == UnitKind::Station
                && kind.levels.contains(&place.areas.get(unit.area).level)
                && kind.roles.iter().any(|role| post.roles.contains(role))
        })
}

/// What an actor may do to a whistle now, in the table's order. The pages draw a button for each.
pub fn offered<'a>(
    whistle: &'a Whistle,
    actor: &'a Actor,
    place: &'a Place,
) -> impl Iterator<Item = &'static Transition> + 'a {
    TRANSITIONS.iter().filter(move |line| {
        line.from.contains(&whistle.stage)
            && line.permits(actor, whistle, place)
            && (line.calls.is_empty() || line.units(whistle, actor).next().is_some())
            && unmet(line, whistle, actor, place).is_none()
    })
}

impl Transition {
    /// The units with whose calls an actor may do it: its own, or all in the right state where it names one.
    pub fn units<'w>(&self, whistle: &'w Whistle, actor: &Actor) -> impl Iterator<Item = &'w UnitCode> {
        let own = (!self.needs(Need::Unit)).then(|| actor.unit().cloned()).flatten();
        let any = self.needs(Need::Unit);
        let fitting = whistle
            .calls
            .iter()
            .filter(|call| self.calls.contains(&call.state));
        fitting
            .filter(move |call| any || own.as_ref() == Some(&call.unit))
            .map(|call| &call.unit)
    }

    /// Refuses when the call of the unit is not in a state in which this is done.
    pub(super) fn meets(&self, whistle: &Whistle, unit: &UnitCode) -> Result<(), Refusal> {
        let call = whistle
            .call(unit)
            .ok_or_else(|| Refusal::NotCalled(unit.to_string()))?;
        if self.calls.contains(&call.state) {
            Ok(())
        } else {
            Err(Refusal::WrongCall {
                verb: self.verb,
                state: call.state,
            })
        }
    }
}
