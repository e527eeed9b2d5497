//! The rights: what each role may do and where. The table of transitions says which role may move a case; this
//! file says what the roles are, what an actor may see, and which other doors a role opens.

use serde::{Deserialize, Serialize};

use crate::{
    case::{Actor, Case},
    place::{AreaIndex, Level, Place, UnitKind},
    words::UnitCode,
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

/// What an actor may see: an area with all below it, and the cases that a unit leads or has a part in, wherever they are. The one rule
/// for single cases and for lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The area; none sees no area.
    pub area: Option<AreaIndex>,
    /// The unit.
    pub unit: Option<UnitCode>,
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
    let whole_city = sight
        .area
        .is_some_and(|i| place.areas.get(i).level == Level::City);
    let in_area = sight
        .area
        .is_some_and(|i| case.location.areas.passes(&place.areas.get(i).code));
    whole_city || in_area || sight.unit.is_some_and(|unit| case.concerns(&unit))
}

/// Whether an actor may see how the reporters of a case can be reached: those who must answer for the case, as long as
/// it is open or may be reopened.
pub fn may_reach_reporters(case: &Case, actor: &Actor, place: &Place) -> bool {
    let Actor::Post { post, unit, .. } = actor else {
        return false;
    };
    let Some(post) = place.post(post.as_str()) else {
        return false;
    };
    let answers = [Role::CallTaker, Role::Dispatcher, Role::Lead]
        .iter()
        .any(|role| post.roles.contains(role))
        && may_see(case, actor, place);
    let leads = case.lead.as_ref() == Some(unit) && post.roles.contains(&Role::Handler);
    answers || leads
}
