//! Rounds on the wire: their stops, and when each was last seen.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::{place::Place, round as domain};
use whistle_service::round::{Found as StoredFound, Look as StoredLook, Walk, Walked};

use super::{Code, Day, Point, Time, Words};

/// Which rounds.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RoundListQuery {
    /// The jurisdiction; needed only where one install serves several.
    #[param(required = false)]
    #[expect(dead_code, reason = "read by the extractor of the place")]
    jurisdiction_id: Option<Code>,
    /// Where the page begins; `next` of the page before.
    pub(crate) after: Option<Code>,
}

/// A page of rounds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RoundPage {
    pub(crate) items: Vec<Round>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<Code>,
}

/// A list of places to look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Round {
    code: Code,
    name: Words,
    /// The area it belongs to.
    area: Code,
    /// The post that walks it, where it is one post's.
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Code>,
    /// Whether the signed-in post may say that a stop was seen.
    may_walk: bool,
    /// How many stops should be looked at today.
    due: usize,
    /// What to look at, in the order of the way.
    stops: Vec<Stop>,
}

impl Round {
    pub(crate) fn of(walk: &Walk, place: &Place) -> Self {
        let round = &walk.round;
        Self {
            code: Code::of(&round.code),
            name: (&round.name).into(),
            area: Code::of(&place.areas.get(round.area).code),
            post: round.post.as_ref().map(Code::of),
            may_walk: walk.may_walk,
            due: walk.due(),
            stops: walk.stops.iter().map(Stop::from).collect(),
        }
    }
}

/// One place to look at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stop {
    code: Code,
    name: Words,
    point: Point,
    /// What is mostly the matter there.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Code>,
    /// The asset that stands there; may be empty.
    asset: String,
    /// How often it is looked at, in days.
    every_days: u16,
    /// The day from which on it should be looked at again; absent for at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_on: Option<Day>,
    /// Whether that day has come.
    is_due: bool,
    /// The last look; absent when nobody ever looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Look>,
}

impl From<&Walked> for Stop {
    fn from(walked: &Walked) -> Self {
        let stop = &walked.stop;
        Self {
            code: Code::of(&stop.code),
            name: (&stop.name).into(),
            point: stop.point.into(),
            service: stop.service.as_ref().map(Code::of),
            asset: stop.asset.clone(),
            every_days: stop.every_days,
            due_on: walked.due_on.map(Day),
            is_due: walked.is_due,
            last: walked.last.as_ref().map(Look::from),
        }
    }
}

/// What somebody found who looked at a stop.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Finding {
    /// All was well.
    Fine,
    /// Something was wrong, and was reported.
    Reported,
    /// Something was wrong, and was fixed on the spot.
    Fixed,
}

impl From<domain::Finding> for Finding {
    fn from(finding: domain::Finding) -> Self {
        match finding {
            domain::Finding::Fine => Self::Fine,
            domain::Finding::Reported => Self::Reported,
            domain::Finding::Fixed => Self::Fixed,
        }
    }
}

/// The last look at a stop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Look {
    finding: Finding,
    /// On which day of the place, by the clock of whoever looked.
    made_on: Day,
    /// On which day that was received.
    received_on: Day,
    /// By which unit; by which post, and at what time, is not kept. Absent of what was kept before units were.
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<Code>,
}

impl From<&StoredLook> for Look {
    fn from(look: &StoredLook) -> Self {
        Self {
            finding: look.finding.into(),
            made_on: Day(look.made_on),
            received_on: Day(look.received_on),
            unit: look.unit.as_ref().map(Code::of),
        }
    }
}

/// Looks at a stop.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundList {
    pub(crate) items: Vec<Found>,
}

/// What was found at a stop, and on which day.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Found {
    finding: Finding,
    /// On which day of the place, by the clock of whoever looked.
    made_on: Day,
    /// On which day that was received.
    received_on: Day,
}

impl From<&StoredFound> for Found {
    fn from(found: &StoredFound) -> Self {
        Self {
            finding: found.finding.into(),
            made_on: Day(found.made_on),
            received_on: Day(found.received_on),
        }
    }
}

/// "Seen, and all is well."
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewLook {
    /// When it was seen, if that was without a network: in the last thirty days.
    pub(crate) made_at: Option<Time>,
}
