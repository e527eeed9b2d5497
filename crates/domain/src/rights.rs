//! The rights: what each role may do and where. The table of transitions says which role may move a case; this
//! file says what the roles are, what an actor may see, which other doors a role opens, and what an API key may do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::{Actor, Case, Stage},
    place::{AreaIndex, Level, Place, Post, UnitKind},
    round::Round,
    whistle::Whistle,
    words::{AccessClass, PostCode, ServiceCode, UnitCode, WordError},
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

/// For whose eyes cases are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Access {
    /// Anybody's.
    Public,
    /// Those of the posts whose area or unit it is.
    #[default]
    Staff,
    /// Of those posts, only the ones that name this class.
    Class(AccessClass),
}

impl Access {
    /// The word for [`Access::Public`] in the place folder, which is no class.
    pub const PUBLIC: &str = "public";
    /// The word for [`Access::Staff`].
    pub const STAFF: &str = "staff";

    /// The class, where it is one.
    pub const fn class(&self) -> Option<&AccessClass> {
        match self {
            Self::Class(class) => Some(class),
            Self::Public | Self::Staff => None,
        }
    }
}

impl std::str::FromStr for Access {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let text = text.trim();
        // Whoever writes `Staff` means no class of their own, and would shut everybody out by one.
        let is = |word: &str| text.eq_ignore_ascii_case(word);
        Ok(if is(Self::PUBLIC) {
            Self::Public
        } else if is(Self::STAFF) {
            Self::Staff
        } else {
            Self::Class(text.parse()?)
        })
    }
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Public => Self::PUBLIC,
            Self::Staff => Self::STAFF,
            Self::Class(class) => class.as_str(),
        })
    }
}

/// Which cases that have no class of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unclassed {
    /// All of them.
    #[default]
    All,
    /// Those that the public sees too.
    Public,
    /// None.
    Nothing,
}

/// Which classes of access a post may see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clearance {
    /// Of the cases without a class.
    pub unclassed: Unclassed,
    /// The classes.
    pub classes: Vec<AccessClass>,
}

impl Clearance {
    /// What some words of the place folder stand for; `staff` holds `public`.
    pub fn of(named: impl IntoIterator<Item = Access>) -> Self {
        let mut all = Self {
            unclassed: Unclassed::Nothing,
            classes: Vec::new(),
        };
        for access in named {
            match access {
                Access::Staff => all.unclassed = Unclassed::All,
                Access::Public if all.unclassed == Unclassed::Nothing => all.unclassed = Unclassed::Public,
                Access::Public => {}
                Access::Class(class) if all.classes.contains(&class) => {}
                Access::Class(class) => all.classes.push(class),
            }
        }
        all
    }

    /// Whether it is enough for cases that are for such eyes.
    pub fn is_enough(&self, access: &Access) -> bool {
        match access {
            Access::Public => self.unclassed != Unclassed::Nothing,
            Access::Staff => self.unclassed == Unclassed::All,
            Access::Class(class) => self.classes.contains(class),
        }
    }

    /// Whether it is enough for all of some classes.
    pub fn are_enough(&self, classes: &[AccessClass]) -> bool {
        classes.iter().all(|class| self.classes.contains(class))
    }

    fn shows(&self, case: &Case) -> bool {
        match &case.access {
            Some(class) => self.classes.contains(class),
            None if case.public => self.unclassed != Unclassed::Nothing,
            None => self.unclassed == Unclassed::All,
        }
    }
}

/// What a post is for, of all that lies in its area and with its unit; by default all of it but the classes of access.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Narrowing {
    /// Of the cases of its area, those that one of these units leads or has a part in; none: all.
    pub units: Option<Vec<UnitCode>>,
    /// Cases of these services, with those of groups written out; none: of all.
    pub services: Option<Vec<ServiceCode>>,
    /// Cases of these classes of access.
    pub clearance: Clearance,
}

impl Narrowing {
    /// Whether it leaves in all cases that have no class of access.
    pub fn is_whole(&self) -> bool {
        self.units.is_none() && self.services.is_none() && self.clearance.unclassed == Unclassed::All
    }

    /// Whether it leaves the cases of a service in.
    pub fn is_for(&self, service: &ServiceCode) -> bool {
        self.services
            .as_ref()
            .is_none_or(|services| services.contains(service))
    }

    /// Whether it leaves in all that another one does.
    fn covers(&self, other: &Self) -> bool {
        fn within<T: PartialEq>(own: Option<&Vec<T>>, theirs: Option<&Vec<T>>) -> bool {
            own.is_none_or(|own| theirs.is_some_and(|theirs| theirs.iter().all(|one| own.contains(one))))
        }
        let unclassed = match other.clearance.unclassed {
            Unclassed::Nothing => true,
            Unclassed::Public => self.clearance.unclassed != Unclassed::Nothing,
            Unclassed::All => self.clearance.unclassed == Unclassed::All,
        };
        let mut classes = other.clearance.classes.iter();
        unclassed
            && classes.all(|class| self.clearance.classes.contains(class))
            && within(self.units.as_ref(), other.units.as_ref())
            && within(self.services.as_ref(), other.services.as_ref())
    }

    /// Whether one of its units leads a case of the area or has a part in it.
    fn is_with(&self, case: &Case) -> bool {
        self.units
            .as_ref()
            .is_none_or(|units| units.iter().any(|unit| case.concerns(unit)))
    }
}

/// Whether a case lies in an area, and is one of those there that a post is for. Cases from before an area was redrawn lie in the
/// whole place too.
pub(crate) fn is_of_area(area: AreaIndex, narrowed: &Narrowing, case: &Case, place: &Place) -> bool {
    let area = place.areas.get(area);
    let lies_there = area.level == Level::City || case.location.areas.passes(&area.code);
    lies_there && narrowed.is_with(case)
}

/// Whether a case is among those that a post is for, wherever it lies and whoever leads it.
pub fn is_within(narrowed: &Narrowing, case: &Case) -> bool {
    narrowed.is_for(&case.service) && narrowed.clearance.shows(case)
}

/// What an actor may see: an area with all below it, and the cases that a unit leads or has a part in, wherever they are; of
/// these, what its post is for. The one rule for single cases and for lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The area; none sees no area.
    pub area: Option<AreaIndex>,
    /// Whether that is the whole place, also with the cases from before an area was redrawn.
    pub is_everywhere: bool,
    /// The unit.
    pub unit: Option<UnitCode>,
    /// What is left of all that.
    pub narrowed: Narrowing,
}

impl Sight {
    /// Whether it is every case that has no class of access.
    pub fn is_whole(&self) -> bool {
        self.is_everywhere && self.narrowed.is_whole()
    }

    /// Whether a case lies in the area, and is one of those there that it is for.
    fn holds(&self, case: &Case, place: &Place) -> bool {
        self.area
            .is_some_and(|area| is_of_area(area, &self.narrowed, case, place))
    }

    /// Whether it shows a case.
    pub fn shows(&self, case: &Case, place: &Place) -> bool {
        let is_own = || self.unit.as_ref().is_some_and(|unit| case.concerns(unit));
        is_within(&self.narrowed, case) && (self.holds(case, place) || is_own())
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
    let area = post.sees_area(place).then_some(post.area);
    Sight {
        area,
        is_everywhere: area.is_some_and(|area| place.areas.get(area).level == Level::City),
        unit: Some(unit.clone()),
        narrowed: post.narrowed.clone(),
    }
}

impl Post {
    /// Whether it sees the cases of its area, and not those of its unit alone.
    pub fn sees_area(&self, place: &Place) -> bool {
        let is_station = || {
            let unit = place.unit(self.unit.as_str());
            unit.is_some_and(|unit| unit.kind == UnitKind::Station)
        };
        self.roles.iter().any(|role| role.sees_area(is_station))
    }
}

impl Role {
    /// Whether a post of this role sees its area. A lead does where its unit is a station.
    pub fn sees_area(self, is_station: impl Fn() -> bool) -> bool {
        match self {
            Self::Handler => false,
            Self::Lead => is_station(),
            Self::Patrol | Self::CallTaker | Self::Dispatcher | Self::Auditor | Self::Administrator => true,
        }
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

/// Whether an actor may see a round: the post that walks it, and those that see all of the area it belongs to. What is seen
/// there may be anything, so it is no matter of a post that is for some of it.
pub fn may_see_round(round: &Round, actor: &Actor, place: &Place) -> bool {
    let Actor::Post { post, .. } = actor else {
        return false;
    };
    let sight = sight(actor, place);
    let area = sight.area.filter(|_| sight.narrowed.is_whole());
    let walks = round.post.as_ref() == Some(post) && place.post(post.as_str()).is_some();
    walks || area.is_some_and(|area| place.areas.is_within(round.area, area))
}

/// Whether an actor may say that a stop of a round was seen: who may see the round, of the posts with a duty in the work.
pub fn may_walk(round: &Round, actor: &Actor, place: &Place) -> bool {
    may_see_round(round, actor, place) && may_report(actor, place)
}

/// Whether an actor may see a case.
pub fn may_see(case: &Case, actor: &Actor, place: &Place) -> bool {
    sight(actor, place).shows(case, place)
}

/// Whether an actor keeps accounts.
pub fn may_administer(actor: &Actor, place: &Place) -> bool {
    administered(actor, place).is_some()
}

/// Whether an actor keeps the webhooks of the place. They may hear of everything in it, so who keeps a part of it does not.
pub fn may_keep_webhooks(actor: &Actor, place: &Place) -> bool {
    keeps_whole_place(actor, place)
}

/// Whether an actor keeps the keys of other systems.
pub fn may_keep_keys(actor: &Actor, place: &Place) -> bool {
    keeps_whole_place(actor, place)
}

/// Whether an actor sees the versions of the place, and what a change of its folder would do.
pub fn may_keep_place(actor: &Actor, place: &Place) -> bool {
    keeps_whole_place(actor, place)
}

/// Whether an actor may put a version of the place in force. It says what each post is for: whoever makes a post be for more than
/// it is now must be for that too, or they would clear themselves. The operator puts in force whatever has no fault.
pub fn may_put_in_force(actor: &Actor, place: &Place, candidate: &Place) -> bool {
    let Actor::Post { post, .. } = actor else {
        return false;
    };
    let own = place.post(post.as_str());
    let gets_no_more = |post: &Post| {
        let now = place.post(post.code.as_str());
        now.is_some_and(|now| now.narrowed.covers(&post.narrowed))
    };
    let covers_all = |own: &Post| {
        let mut posts = candidate.posts();
        posts.all(|post| gets_no_more(post) || own.narrowed.covers(&post.narrowed))
    };
    // Nor does anybody take a class off what they may not see: later cases would be open to them.
    let keeps_classes = |own: &Post| {
        let mut classed = place.services().iter().flat_map(|service| {
            let classes = place.accesses_of(service.code.as_str()).filter_map(Access::class);
            classes.map(move |class| (&service.code, class))
        });
        classed.all(|(service, class)| {
            own.narrowed.clearance.classes.contains(class)
                || candidate.service(service.as_str()).is_none()
                || candidate
                    .accesses_of(service.as_str())
                    .any(|access| access.class() == Some(class))
        })
    };
    may_keep_place(actor, place) && own.is_some_and(|own| covers_all(own) && keeps_classes(own))
}

/// Whether an actor reads what administrators and operators did.
pub fn may_read_acts(actor: &Actor, place: &Place) -> bool {
    keeps_whole_place(actor, place)
}

fn keeps_whole_place(actor: &Actor, place: &Place) -> bool {
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

/// Whether an actor may let its holder into an account that it keeps, by another password say: only into what its own post is for, or it
/// would let itself in. The operator lets into the others.
pub fn may_let_in(actor: &Actor, place: &Place, posts: &[PostCode]) -> bool {
    let Actor::Post { post, .. } = actor else {
        return false;
    };
    place.post(post.as_str()).is_some_and(|own| {
        let mut theirs = posts.iter().filter_map(|code| place.post(code.as_str()));
        theirs.all(|post| own.narrowed.covers(&post.narrowed))
    })
}

/// The area whose accounts an actor keeps.
fn administered(actor: &Actor, place: &Place) -> Option<AreaIndex> {
    let Actor::Post { post, .. } = actor else {
        return None;
    };
    let post = place.post(post.as_str())?;
    post.roles.contains(&Role::Administrator).then_some(post.area)
}

/// Whether an actor may see a whistle: the stations that answer for it, those whose area holds the station that blew it (but
/// not a post that is narrowed), and once it is blown the units that it calls. Of these, where cases of it have a class of access
/// by now, only the posts that may see all of them.
pub fn may_see_whistle(whistle: &Whistle, actor: &Actor, place: &Place) -> bool {
    let sight = sight(actor, place);
    if !sight.narrowed.clearance.are_enough(&whistle.classes) {
        return false;
    }
    // A whistle is about whatever is wrong there: it is no matter of a post that is for some of it.
    let area = sight.area.filter(|_| sight.narrowed.is_whole());
    let in_area = area.is_some_and(|i| {
        let area = place.areas.get(i);
        area.level == Level::City || whistle.areas.passes(&area.code)
    });
    let takes_part = sight.unit.as_ref().is_some_and(|unit| {
        let called = whistle.times.blown_at.is_some() && whistle.call(unit).is_some();
        called || (sight.narrowed.is_whole() && whistle.stations.contains(unit))
    });
    in_area || takes_part
}

/// Whether an actor may see the figures of a station: its area is in theirs, and they are for all that happens there.
pub fn may_see_station(actor: &Actor, place: &Place, area: AreaIndex) -> bool {
    let sight = sight(actor, place);
    let holds = |own| place.areas.is_within(area, own);
    sight.narrowed.is_whole() && sight.area.is_some_and(holds)
}

/// Whether an actor may see figures of some areas, or of some units, as they were counted, small ones too, and the rows behind them:
/// all of them lie in their area, or are their own unit. What a post is for only in part, it sees as the public does.
pub fn may_see_figures(actor: &Actor, place: &Place, areas: &[String], units: &[String]) -> bool {
    let sight = sight(actor, place);
    let lies_within = |code: &String| {
        let area = place.areas.find(code);
        area.is_some_and(|area| sight.area.is_some_and(|own| place.areas.is_within(area, own)))
    };
    let is_own = |code: &String| sight.unit.as_ref().is_some_and(|unit| unit.as_str() == code);
    let in_area = sight.is_everywhere || (!areas.is_empty() && areas.iter().all(lies_within));
    let of_unit = !units.is_empty() && units.iter().all(is_own);
    sight.narrowed.is_whole() && (in_area || of_unit)
}

/// Whether an actor reads briefings that are not for everybody, and writes new ones: they tell figures of the whole place as they were
/// counted, small ones too.
pub fn may_read_briefings(actor: &Actor, place: &Place) -> bool {
    may_see_figures(actor, place, &[], &[])
}

/// Whether an actor issues briefings: of those who read them, the posts that answer for the work or keep the place. An auditor
/// changes nothing.
pub fn may_issue_briefings(actor: &Actor, place: &Place) -> bool {
    const ISSUING: [Role; 3] = [Role::Dispatcher, Role::Lead, Role::Administrator];
    let Actor::Post { post, .. } = actor else {
        return false;
    };
    let post = place.post(post.as_str());
    may_read_briefings(actor, place)
        && post.is_some_and(|post| ISSUING.iter().any(|role| post.roles.contains(role)))
}

/// Whether an actor who may reach the reporters of a case may also reach those of one that was merged into it: wherever that
/// lies and whoever led it, but only if it is what their post is for.
pub fn may_reach_merged(merged: &Case, actor: &Actor, place: &Place) -> bool {
    is_within(&sight(actor, place).narrowed, merged)
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
    let answers_for = || leads || sight(actor, place).holds(case, place);
    let answers = has(&[Role::CallTaker, Role::Dispatcher, Role::Lead]) && answers_for();
    let handles = leads && has(&[Role::Handler]);
    let goes_on = case.state.stage() != Stage::Closed || case.may_reopen(now, place);
    (answers || handles) && goes_on && may_see(case, actor, place)
}
