//! The rights: what each role may do and where. The table of transitions says which role may move a case; this
//! file says what the roles are, what an actor may see, which other doors a role opens, and what an API key may do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Actor, Case, Stage},
    place::{AreaIndex, Level, Place, UnitKind},
    whistle::Whistle,
    words::{PostCode, UnitCode},
};

/// What a post may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reports what it sees on its rounds, and verifies what others fixed.
    Patrol,
    /// Takes reports by telephone or at the counter and accepts them.
    CallTaker,
    /// Accepts, assigns, verifies, in its area.
    Dispatcher,
    /// Reports in and handles, for its unit.
    Handler,
    /// Leads a unit or station: decides after returns, approves, reopens.
    Lead,
    /// Reads everything in its area, changes nothing.
    Auditor,
    /// Keeps accounts, keys and the place folder.
    Administrator,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 7] = [
        Self::Patrol,
        Self::CallTaker,
        Self::Dispatcher,
        Self::Handler,
        Self::Lead,
        Self::Auditor,
        Self::Administrator,
    ];

    /// The word in posts.csv.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Patrol => "patrol",
            Self::CallTaker => "call_taker",
            Self::Dispatcher => "dispatcher",
            Self::Handler => "handler",
            Self::Lead => "lead",
            Self::Auditor => "auditor",
            Self::Administrator => "administrator",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        let wanted = text.trim().to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == wanted)
            .ok_or(UnknownRole(text.trim().to_owned()))
    }
}

/// A role that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "role {0:?} does not exist; write patrol, call_taker, dispatcher, handler, lead, auditor or administrator"
)]
pub struct UnknownRole(pub String);

/// What an API key may do besides what anyone may. Its system reads what the public reads, with any key or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// File reports, join them to cases, send photos.
    Report,
    /// Say what happened to a case: what the table of transitions lets a system do.
    Update,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 2] = [Self::Report, Self::Update];

    /// The word on the command line and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Report => "report",
            Self::Update => "update",
        }
    }
}

impl std::str::FromStr for Scope {
    type Err = UnknownScope;

    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == text)
            .ok_or_else(|| UnknownScope(text.to_owned()))
    }
}

/// A scope that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("scope {0:?} does not exist; write report or update")]
pub struct UnknownScope(pub String);

/// What an actor may see: an area with all below it, and the cases that a unit leads or has a part in, wherever they are. The one rule
/// for single cases and for lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The area; none sees no area.
    pub area: Option<AreaIndex>,
    /// The unit.
    pub unit: Option<UnitCode>,
}

impl Sight {
    /// Whether it is every case, also those from before an area was redrawn.
    pub fn is_whole(&self, place: &Place) -> bool {
        self.area
            .is_some_and(|area| place.areas.get(area).level == Level::City)
    }
}

/// What an actor may see of all cases. A handler sees what its unit leads or has a part in; every other role sees its area too.
pub fn sight(actor: &Actor, place: &Place) -> Sight {
    let Actor::Post { post, unit, .. } = actor else {
        return Sight::default();
    };
    let Some(post) = place.post(post.as_str()) else {
        return Sight::default();
    };
    let station = place
        .unit(unit.as_str())
        .is_some_and(|u| u.kind == UnitKind::Station);
    let sees_area = post.roles.iter().any(|role| match role {
        Role::Handler => false,
        Role::Lead => station,
        Role::Patrol | Role::CallTaker | Role::Dispatcher | Role::Auditor | Role::Administrator => true,
    });
    Sight {
        area: sees_area.then_some(post.area),
        unit: Some(unit.clone()),
    }
}

/// The posts that may report a matter or join a report. The others read or keep the house.
const REPORTING: [Role; 5] = [
    Role::Patrol,
    Role::CallTaker,
    Role::Dispatcher,
    Role::Handler,
    Role::Lead,
];

/// Whether an actor may report: everybody, but of the posts only those with a duty in the work.
pub fn may_report(actor: &Actor, place: &Place) -> bool {
    let post = match actor {
        Actor::Post { post, .. } => post,
        Actor::Asked { .. } => return false,
        _ => return true,
    };
    place
        .post(post.as_str())
        .is_some_and(|post| REPORTING.iter().any(|role| post.roles.contains(role)))
}

/// Whether an actor may see a case.
pub fn may_see(case: &Case, actor: &Actor, place: &Place) -> bool {
    let sight = sight(actor, place);
    is_in_area(case, &sight, place) || sight.unit.is_some_and(|unit| case.concerns(&unit))
}

/// Whether a case lies where somebody sees every case.
fn is_in_area(case: &Case, sight: &Sight, place: &Place) -> bool {
    let in_area = sight
        .area
        .is_some_and(|i| case.location.areas.passes(&place.areas.get(i).code));
    sight.is_whole(place) || in_area
}

/// Whether an actor keeps accounts.
pub fn may_administer(actor: &Actor, place: &Place) -> bool {
    administered(actor, place).is_some()
}

/// Whether an actor keeps the webhooks of the place. They may hear of everything in it, so who keeps a part of it does not.
pub fn may_keep_webhooks(actor: &Actor, place: &Place) -> bool {
    administered(actor, place).is_some_and(|area| place.areas.get(area).level == Level::City)
}

/// Whether an actor keeps the account that holds some posts: all of them lie in the actor's area. Posts that the place no
/// longer has, or none at all, are for who keeps the whole place.
pub fn may_keep_account(actor: &Actor, place: &Place, posts: &[PostCode]) -> bool {
    let Some(area) = administered(actor, place) else {
        return false;
    };
    let lies_within = |code: &PostCode| {
        place
            .post(code.as_str())
            .is_some_and(|post| place.areas.is_within(post.area, area))
    };
    place.areas.get(area).level == Level::City || (!posts.is_empty() && posts.iter().all(lies_within))
}

/// The area whose accounts an actor keeps.
fn administered(actor: &Actor, place: &Place) -> Option<AreaIndex> {
    let Actor::Post { post, .. } = actor else {
        return None;
    };
    let post = place.post(post.as_str())?;
    post.roles.contains(&Role::Administrator).then_some(post.area)
}

/// Whether an actor may see a whistle: the stations that answer for it, those whose area holds the station that blew it,
/// and once it is blown the units that it calls.
pub fn may_see_whistle(whistle: &Whistle, actor: &Actor, place: &Place) -> bool {
    let sight = sight(actor, place);
    let in_area = sight.area.is_some_and(|i| {
        let area = place.areas.get(i);
        area.level == Level::City || whistle.areas.passes(&area.code)
    });
    let takes_part = sight.unit.is_some_and(|unit| {
        let called = whistle.times.blown_at.is_some() && whistle.call(&unit).is_some();
        called || whistle.stations.contains(&unit)
    });
    in_area || takes_part
}

/// Whether an actor may see how the reporters of a case can be reached: those who must answer for the case, as long as
/// it is open or may be reopened.
pub fn may_reach_reporters(case: &Case, actor: &Actor, place: &Place, now: Timestamp) -> bool {
    let Actor::Post { post, unit, .. } = actor else {
        return false;
    };
    let Some(post) = place.post(post.as_str()) else {
        return false;
    };
    let has = |roles: &[Role]| roles.iter().any(|role| post.roles.contains(role));
    let leads = case.lead.as_ref() == Some(unit);
    // A unit that has a part in the case asks the one that leads it.
    let answers_for = || leads || is_in_area(case, &sight(actor, place), place);
    let answers = has(&[Role::CallTaker, Role::Dispatcher, Role::Lead]) && answers_for();
    let handles = leads && has(&[Role::Handler]);
    let days = place.jurisdiction.settings.reopen_days;
    let goes_on = case.state.stage() != Stage::Closed || case.may_reopen(now, days);
    (answers || handles) && goes_on
}
