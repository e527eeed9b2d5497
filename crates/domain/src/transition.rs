//! The table of transitions: what may be done to a case in which stage, by whom, where it leads, and what it needs.
//!
//! This is the one table. `command` obeys it, the pages draw their buttons from it, the API describes itself by it,
//! and the tests walk it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    case::{self, Actor, Body, Case, Stage},
    command::{unmet, untimely},
    place::{Place, Post, UnitKind},
    rights::{Role, is_of_area, is_within, may_report},
};

/// What may be done to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Take it on, under a standard.
    Accept,
    /// Refuse it.
    Decline,
    /// Close it as a duplicate of another case.
    Merge,
    /// Take over who reported a case that is merged into it, and its photos.
    Absorb,
    /// Make a part of it a case of its own.
    Split,
    /// Hand it to somebody outside.
    Refer,
    /// Take it back.
    Withdraw,
    /// Give it to a unit.
    Assign,
    /// Give another unit a part in it.
    AssignJoint,
    /// Hand in one's part.
    HandleJoint,
    /// Let another unit off its part.
    ReleaseJoint,
    /// Say "we have seen it and take it".
    Sign,
    /// Say "we are here".
    ReportIn,
    /// Say "not ours", and whose it is.
    Return,
    /// Hand in the work.
    Handle,
    /// Report it as mended already, in one step.
    FixOnTheSpot,
    /// Find the work done.
    Verify,
    /// Find a part of the work done; the standard says what that leads to.
    VerifyPartly,
    /// Find the work not done.
    Rework,
    /// Close it because the system it was imported from had.
    Settle,
    /// Ask to go on with a closed case.
    RequestReopen,
    /// Grant that.
    Reopen,
    /// Refuse that.
    RefuseReopen,
    /// Let it wait until a date.
    Park,
    /// Let it wait no longer.
    Resume,
    /// Add the running limit once more.
    Extend,
    /// Ask the station to let it wait.
    AskToPark,
    /// Ask the station for more time.
    AskToExtend,
    /// Grant what the unit asked for.
    GrantRequest,
    /// Refuse that.
    RefuseRequest,
    /// Ask a reporter, or somebody outside, one question.
    Ask,
    /// Answer it.
    Answer,
    /// Change its service.
    Reclassify,
    /// Change its place.
    Relocate,
    /// Report the same matter once more.
    Join,
    /// Say something.
    Comment,
    /// Add a photo.
    AddPhoto,
    /// Say how content one is.
    Rate,
    /// Watch over it, or no longer.
    Supervise,
    /// Show it to the public or hide it.
    Show,
    /// Note that a whistle was blown on it, or how that one ended. The rights are the whistle's.
    Whistle,
    /// Compute its clocks anew.
    Reckon,
    /// Take the step of a clock's ladder that is due, or end the time for an answer.
    Escalate,
    /// Erase what a reporter wrote and sent, and how they can be reached.
    Erase,
}

impl Verb {
    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Merge => "merge",
            Self::Absorb => "absorb",
            Self::Split => "split",
            Self::Refer => "refer",
            Self::Withdraw => "withdraw",
            Self::Assign => "assign",
            Self::AssignJoint => "assign_joint",
            Self::HandleJoint => "handle_joint",
            Self::ReleaseJoint => "release_joint",
            Self::Sign => "sign",
            Self::ReportIn => "report_in",
            Self::Return => "return",
            Self::Handle => "handle",
            Self::FixOnTheSpot => "fix_on_the_spot",
            Self::Verify => "verify",
            Self::VerifyPartly => "verify_partly",
            Self::Rework => "rework",
            Self::Settle => "settle",
            Self::RequestReopen => "request_reopen",
            Self::Reopen => "reopen",
            Self::RefuseReopen => "refuse_reopen",
            Self::Park => "park",
            Self::Resume => "resume",
            Self::Extend => "extend",
            Self::AskToPark => "ask_to_park",
            Self::AskToExtend => "ask_to_extend",
            Self::GrantRequest => "grant_request",
            Self::RefuseRequest => "refuse_request",
            Self::Ask => "ask",
            Self::Answer => "answer",
            Self::Reclassify => "reclassify",
            Self::Relocate => "relocate",
            Self::Join => "join",
            Self::Comment => "comment",
            Self::AddPhoto => "add_photo",
            Self::Rate => "rate",
            Self::Supervise => "supervise",
            Self::Show => "show",
            Self::Whistle => "whistle",
            Self::Reckon => "reckon",
            Self::Escalate => "escalate",
            Self::Erase => "erase",
        }
    }
}

/// Who may do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One who reported it, by pick-up code.
    Reporter,
    /// The one who reported it first, by pick-up code. Anyone may join a report, the fixer too, so the word of those
    /// who joined closes nothing.
    FirstReporter,
    /// Anyone who may report.
    Anyone,
    /// Another system with an API key.
    Client,
    /// Whistle itself.
    System,
    /// A post with this role whose area holds the case.
    InArea(Role),
    /// A post with this role in a station whose area holds the case.
    InStation(Role),
    /// A post with this role in the unit that leads the case.
    InLead(Role),
    /// A post with this role in another unit that has a part in the case.
    InJoint(Role),
    /// The one who was asked the question that is open.
    Respondent,
}

/// Where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum To {
    /// To one of these stages.
    Stage(&'static [Stage]),
    /// It stays in its stage.
    Same,
}

/// What it needs besides the right actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// A written reason, resolution or remark.
    Text,
    /// A unit.
    Unit,
    /// The unit that is the right one.
    RightUnit,
    /// The outcome of the work.
    Outcome,
    /// The number of the original case.
    Original,
    /// A date.
    Until,
    /// A service.
    Service,
    /// A location.
    Location,
    /// A rating.
    Rating,
    /// An actor who did not do the work.
    NotFixer,
    /// A station's lead, once the case was returned too often.
    LeadAfterReturns,
    /// A case that was not yet returned too often.
    ReturnsLeft,
    /// That the window after closing is still open.
    Window,
    /// A case that is parked.
    Parked,
    /// A case that is not parked.
    NotParked,
    /// A case that its unit has not signed.
    NotSigned,
    /// A case that was never parked.
    NeverParked,
    /// A limit that was not yet extended too often.
    ExtensionsLeft,
    /// A limit that is not over yet.
    NotOverdue,
    /// Where the standard says so: the reporter, as long as the limit for the verification runs.
    ReporterFirst,
    /// A case that nobody else has joined, and the one who reported it.
    OnlyReport,
    /// Room for one more photo.
    PhotosLeft,
    /// The report itself; never done to a case that is there already.
    AtReport,
    /// An actor whose unit is still at work on its part.
    OwnOpenPart,
    /// A case with a part that another unit is still at work on.
    AnyOpenPart,
    /// A case whose other units have handed in their parts, or were let off.
    PartsDone,
    /// Room for one more part.
    JointRoom,
    /// Room for one more case that is split off.
    SplitRoom,
    /// A case that was not merged into another.
    NotMerged,
    /// A case whose unit asks for something that can still be granted.
    Request,
    /// A case whose unit asks for something.
    AnyRequest,
    /// A case whose unit asks for nothing yet.
    NoRequest,
    /// A question that can still be answered.
    Question,
    /// A case without an open question.
    NoQuestion,
}

impl Need {
    /// What is needed, in the middle of a sentence.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::Text => "a written reason, result or remark",
            Self::Unit => "a unit, another one than now",
            Self::RightUnit => "the unit that is the right one, another one than now",
            Self::Outcome => "an outcome",
            Self::Original => "the number of the case that goes on",
            Self::Until => "a date",
            Self::Service => "a service",
            Self::Location => "a location",
            Self::Rating => "a rating",
            Self::NotFixer => "somebody else than the one who did the work",
            Self::LeadAfterReturns => "the lead of the station, after so many returns",
            Self::ReturnsLeft => "a case that was not returned too often",
            Self::Window => "an open window after closing",
            Self::Parked => "a parked case",
            Self::NotParked => "a case that is not parked",
            Self::NotSigned => "a case that its unit has not signed",
            Self::NeverParked => "a case that was never parked",
            Self::ExtensionsLeft => "a limit that was not extended too often",
            Self::NotOverdue => "a limit that is not over",
            Self::ReporterFirst => "the reporter's word, until the limit for it is over",
            Self::OnlyReport => "the one who reported it, and nobody else who joined",
            Self::PhotosLeft => "room for one more photo",
            Self::AtReport => "a new report",
            Self::OwnOpenPart => "a part that your unit has not handed in",
            Self::AnyOpenPart => "a unit with an open part in the case",
            Self::PartsDone => "the parts of the other units, handed in or released",
            Self::JointRoom => "room for one more unit",
            Self::SplitRoom => "room for one more part",
            Self::NotMerged => "a case that was not merged",
            Self::Request => "a request of its unit that can be granted",
            Self::AnyRequest => "a request of its unit",
            Self::NoRequest => "a case without an open request",
            Self::Question => "an open question",
            Self::NoQuestion => "a case without an open question",
        }
    }
}

impl Need {
    /// Whether the sender must add it; the others are true of the case and the actor, or not.
    pub const fn is_sent(self) -> bool {
        matches!(
            self,
            Self::Text
                | Self::Unit
                | Self::RightUnit
                | Self::Outcome
                | Self::Original
                | Self::Until
                | Self::Service
                | Self::Location
                | Self::Rating
        )
    }
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
pub struct Transition {
    /// What is done.
    pub verb: Verb,
    /// In which stages.
    pub from: &'static [Stage],
    /// Where it leads.
    pub to: To,
    /// By whom.
    pub who: &'static [Who],
    /// What it needs.
    pub needs: &'static [Need],
}

use Role::{CallTaker, Dispatcher, Handler, Lead, Patrol};
use Stage::{Accepted, Assigned, Closed, Handled, InProgress, ReopenRequested, Reported};
use Who::{Anyone, Client, FirstReporter, InArea, InJoint, InLead, InStation, Reporter, Respondent, System};

const INTAKE: &[Who] = &[InArea(CallTaker), InArea(Dispatcher), InStation(Lead), System];
const DESK: &[Who] = &[InArea(Dispatcher), InStation(Lead), System];
const CONTROL: &[Who] = &[InArea(Dispatcher), InStation(Lead)];
const UNIT: &[Who] = &[InLead(Handler), InLead(Lead)];
const JOINT: &[Who] = &[InJoint(Handler), InJoint(Lead)];
const ASKING: &[Who] = &[
    InArea(CallTaker),
    InArea(Dispatcher),
    InStation(Lead),
    InLead(Handler),
    InLead(Lead),
];
const ANSWERING: &[Who] = &[Respondent, InArea(CallTaker), InArea(Dispatcher), InStation(Lead)];
const STAFF: &[Who] = &[
    InArea(Patrol),
    InArea(CallTaker),
    InArea(Dispatcher),
    InStation(Lead),
    InLead(Handler),
    InLead(Lead),
    InJoint(Handler),
    InJoint(Lead),
    Client,
    Reporter,
];
const VERIFIERS: &[Who] = &[FirstReporter, InArea(Patrol), InArea(Dispatcher), InStation(Lead)];
const DOUBTERS: &[Who] = &[Reporter, InArea(Patrol), InArea(Dispatcher), InStation(Lead)];
const FINDERS: &[Who] = &[
    InArea(Patrol),
    InArea(CallTaker),
    InArea(Dispatcher),
    InArea(Handler),
    InArea(Lead),
];
const OPEN: &[Stage] = &[Reported, Accepted, Assigned, InProgress, Handled];
const UNFINISHED: &[Stage] = &[Reported, Accepted, Assigned, InProgress, Handled, ReopenRequested];

/// The table of transitions.
pub const TRANSITIONS: &[Transition] = &[
    line(Verb::Accept, &[Reported], To::Stage(&[Accepted]), INTAKE, &[]),
    line(
        Verb::Decline,
        &[Reported, Accepted],
        To::Stage(&[Closed]),
        INTAKE,
        &[Need::Text, Need::LeadAfterReturns],
    ),
    line(
        Verb::Merge,
        &[Reported, Accepted, Assigned],
        To::Stage(&[Closed]),
        INTAKE,
        &[Need::Original],
    ),
    line(Verb::Absorb, UNFINISHED, To::Same, &[System], &[]),
    line(
        Verb::Split,
        &[Reported, Accepted, Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Text, Need::Service, Need::SplitRoom],
    ),
    line(
        Verb::Refer,
        &[Reported, Accepted],
        To::Stage(&[Closed]),
        INTAKE,
        &[Need::Text, Need::LeadAfterReturns],
    ),
    line(
        Verb::Withdraw,
        &[Reported, Accepted, Assigned],
        To::Stage(&[Closed]),
        &[Reporter],
        &[Need::OnlyReport],
    ),
    // From the later stages too: a unit whose posts are vacant must not hold a case for ever.
    line(
        Verb::Assign,
        &[Accepted, Assigned, InProgress],
        To::Stage(&[Assigned]),
        DESK,
        &[Need::Unit, Need::LeadAfterReturns, Need::NotParked],
    ),
    line(
        Verb::AssignJoint,
        &[Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Text, Need::Unit, Need::NotParked, Need::JointRoom],
    ),
    line(
        Verb::HandleJoint,
        &[Accepted, Assigned, InProgress],
        To::Same,
        JOINT,
        &[Need::Text, Need::OwnOpenPart, Need::NotParked],
    ),
    line(
        Verb::ReleaseJoint,
        &[Accepted, Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Text, Need::Unit, Need::AnyOpenPart],
    ),
    line(
        Verb::Sign,
        &[Assigned],
        To::Same,
        UNIT,
        &[Need::NotParked, Need::NotSigned],
    ),
    line(
        Verb::ReportIn,
        &[Assigned],
        To::Stage(&[InProgress]),
        UNIT,
        &[Need::NotParked],
    ),
    line(
        Verb::Return,
        &[Assigned, InProgress],
        To::Stage(&[Accepted]),
        UNIT,
        &[Need::Text, Need::RightUnit, Need::ReturnsLeft, Need::NotParked],
    ),
    line(
        Verb::Handle,
        &[InProgress],
        To::Stage(&[Handled, Closed]),
        UNIT,
        &[Need::Text, Need::Outcome, Need::NotParked, Need::PartsDone],
    ),
    // The report accepts the case by its standard, and so the work is handed in from there.
    line(
        Verb::FixOnTheSpot,
        &[Accepted],
        To::Stage(&[Handled, Closed]),
        FINDERS,
        &[Need::AtReport],
    ),
    line(
        Verb::Verify,
        &[Handled],
        To::Stage(&[Closed]),
        VERIFIERS,
        &[Need::NotFixer, Need::ReporterFirst],
    ),
    line(
        Verb::VerifyPartly,
        &[Handled],
        To::Stage(&[Closed, InProgress]),
        VERIFIERS,
        &[Need::Text, Need::NotFixer, Need::ReporterFirst],
    ),
    line(
        Verb::Rework,
        &[Handled],
        To::Stage(&[InProgress]),
        VERIFIERS,
        &[Need::Text, Need::NotFixer],
    ),
    line(Verb::Settle, OPEN, To::Stage(&[Closed]), &[System], &[]),
    line(
        Verb::RequestReopen,
        &[Closed],
        To::Stage(&[ReopenRequested]),
        DOUBTERS,
        &[Need::Text, Need::Window, Need::NotMerged],
    ),
    line(
        Verb::Reopen,
        &[ReopenRequested],
        To::Stage(&[InProgress, Accepted, Reported]),
        CONTROL,
        &[Need::Text, Need::NotMerged],
    ),
    line(
        Verb::RefuseReopen,
        &[ReopenRequested],
        To::Stage(&[Closed]),
        CONTROL,
        &[Need::Text, Need::NotFixer],
    ),
    line(
        Verb::Park,
        &[Accepted, Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Text, Need::Until, Need::NeverParked, Need::NoQuestion],
    ),
    line(
        Verb::Resume,
        &[Accepted, Assigned, InProgress],
        To::Same,
        DESK,
        &[Need::Parked],
    ),
    line(
        Verb::Extend,
        &[Assigned, InProgress],
        To::Same,
        CONTROL,
        &[
            Need::Text,
            Need::NotParked,
            Need::ExtensionsLeft,
            Need::NotOverdue,
            Need::NoQuestion,
        ],
    ),
    line(
        Verb::AskToPark,
        &[Assigned, InProgress],
        To::Same,
        UNIT,
        &[Need::Text, Need::Until, Need::NeverParked, Need::NoRequest],
    ),
    // It must not be over when it is asked for; the station may take its time to decide.
    line(
        Verb::AskToExtend,
        &[Assigned, InProgress],
        To::Same,
        UNIT,
        &[
            Need::Text,
            Need::NotParked,
            Need::ExtensionsLeft,
            Need::NotOverdue,
            Need::NoRequest,
        ],
    ),
    line(
        Verb::GrantRequest,
        &[Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Request],
    ),
    line(
        Verb::RefuseRequest,
        &[Assigned, InProgress],
        To::Same,
        CONTROL,
        &[Need::Text, Need::AnyRequest],
    ),
    line(
        Verb::Ask,
        &[Reported, Accepted, Assigned, InProgress],
        To::Same,
        ASKING,
        &[Need::Text, Need::Until, Need::NotParked, Need::NoQuestion],
    ),
    line(Verb::Answer, OPEN, To::Same, ANSWERING, &[Need::Question]),
    line(
        Verb::Reclassify,
        &[Reported, Accepted],
        To::Same,
        INTAKE,
        &[Need::Service],
    ),
    line(
        Verb::Relocate,
        &[Reported, Accepted],
        To::Same,
        INTAKE,
        &[Need::Location],
    ),
    line(Verb::Join, OPEN, To::Same, &[Anyone], &[]),
    line(Verb::Comment, &Stage::ALL, To::Same, STAFF, &[Need::Text]),
    line(Verb::AddPhoto, &Stage::ALL, To::Same, STAFF, &[Need::PhotosLeft]),
    line(
        Verb::Rate,
        &[Closed],
        To::Same,
        &[FirstReporter],
        &[Need::Rating, Need::NotFixer, Need::Window],
    ),
    line(Verb::Supervise, OPEN, To::Same, &[InStation(Lead)], &[Need::Text]),
    line(Verb::Show, &Stage::ALL, To::Same, CONTROL, &[Need::Text]),
    line(Verb::Whistle, &Stage::ALL, To::Same, &[System], &[]),
    line(Verb::Reckon, UNFINISHED, To::Same, &[System], &[]),
    line(Verb::Escalate, UNFINISHED, To::Same, &[System], &[]),
    line(Verb::Erase, &Stage::ALL, To::Same, &[Reporter, System], &[]),
];

const fn line(
    verb: Verb,
    from: &'static [Stage],
    to: To,
    who: &'static [Who],
    needs: &'static [Need],
) -> Transition {
    Transition {
        verb,
        from,
        to,
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

    /// Whether an actor is one of those who may do it to this case.
    pub fn permits(&self, actor: &Actor, case: &Case, place: &Place) -> bool {
        self.who.iter().any(|who| who.is(actor, case, place))
    }

    /// Whether there are cases to which an actor may do it; for what is drawn before it is known where a case lies.
    pub fn permits_somewhere(&self, actor: &Actor, place: &Place) -> bool {
        self.who.iter().any(|who| who.is_somewhere(actor, place))
    }

    /// Whether it may lead from one stage to another.
    pub fn leads(&self, before: Stage, after: Stage) -> bool {
        self.from.contains(&before)
            && match self.to {
                To::Stage(stages) => stages.contains(&after),
                To::Same => before == after,
            }
    }
}

/// Whether the table has a line by which this event leads from one stage to the other; before its first event a case
/// has none. A whole log can be checked against the table by this.
pub fn allows(before: Option<Stage>, body: &Body, after: Stage) -> bool {
    match (before, verb_of(body)) {
        (None, None) => after == Stage::Reported,
        (Some(before), Some(verb)) => Transition::of(verb).leads(before, after),
        _ => false,
    }
}

/// The verb whose line an event goes by; none for the report itself.
const fn verb_of(body: &Body) -> Option<Verb> {
    Some(match body {
        Body::Reported { .. } => return None,
        Body::Joined { .. } => Verb::Join,
        Body::Accepted { .. } => Verb::Accept,
        Body::Declined => Verb::Decline,
        Body::Merged { .. } => Verb::Merge,
        Body::Absorbed { .. } => Verb::Absorb,
        Body::Split { .. } => Verb::Split,
        Body::Referred => Verb::Refer,
        Body::Withdrawn => Verb::Withdraw,
        Body::Assigned { .. } => Verb::Assign,
        Body::JointAssigned { .. } => Verb::AssignJoint,
        Body::JointHandled { .. } => Verb::HandleJoint,
        Body::JointReleased { .. } => Verb::ReleaseJoint,
        Body::Signed => Verb::Sign,
        Body::ReportedIn => Verb::ReportIn,
        Body::Returned { .. } => Verb::Return,
        Body::Handled {
            on_the_spot: true, ..
        } => Verb::FixOnTheSpot,
        Body::Handled { .. } => Verb::Handle,
        Body::Verified { .. } => Verb::Verify,
        Body::Reworked => Verb::Rework,
        Body::Settled { .. } => Verb::Settle,
        Body::ReopenRequested => Verb::RequestReopen,
        Body::Reopened => Verb::Reopen,
        Body::ReopenRefused => Verb::RefuseReopen,
        Body::Parked { .. } => Verb::Park,
        Body::Resumed => Verb::Resume,
        Body::Extended => Verb::Extend,
        Body::ParkAsked { .. } => Verb::AskToPark,
        Body::ExtensionAsked => Verb::AskToExtend,
        Body::RequestRefused => Verb::RefuseRequest,
        Body::Asked { .. } => Verb::Ask,
        Body::Answered { .. } => Verb::Answer,
        Body::Reclassified { .. } => Verb::Reclassify,
        Body::Relocated { .. } => Verb::Relocate,
        Body::Commented { .. } => Verb::Comment,
        Body::PhotoAdded { .. } => Verb::AddPhoto,
        Body::Rated { .. } => Verb::Rate,
        Body::Supervised { .. } => Verb::Supervise,
        Body::Shown { .. } => Verb::Show,
        Body::Whistled { .. } => Verb::Whistle,
        Body::Reckoned => Verb::Reckon,
        Body::Escalated { .. } | Body::Unanswered => Verb::Escalate,
        Body::Erased { .. } => Verb::Erase,
    })
}

impl Who {
    pub(crate) fn is(self, actor: &Actor, case: &Case, place: &Place) -> bool {
        let here = || match (self, actor) {
            (Self::InArea(_) | Self::InStation(_), Actor::Post { post, .. }) => {
                place.post(post.as_str()).is_some_and(|p| {
                    is_within(&p.narrowed, case) && is_of_area(p.area, &p.narrowed, case, place)
                })
            }
            (Self::InLead(_), Actor::Post { post, .. }) => place
                .post(post.as_str())
                .is_some_and(|p| is_within(&p.narrowed, case) && case.lead.as_ref() == Some(&p.unit)),
            (Self::InJoint(_), Actor::Post { post, .. }) => place.post(post.as_str()).is_some_and(|p| {
                is_within(&p.narrowed, case) && case.joint.iter().any(|part| part.unit == p.unit)
            }),
            (Self::Respondent, actor) => {
                let question = case.question.as_ref();
                question.is_some_and(|question| match (question.of, actor) {
                    (case::Respondent::Reporter { report }, Actor::Reporter { report: by }) => report == *by,
                    (case::Respondent::Outside, Actor::Asked { question: by }) => question.number == *by,
                    _ => false,
                })
            }
            _ => true,
        };
        self.is_somewhere(actor, place) && here()
    }

    /// Whether an actor is that one for some case.
    fn is_somewhere(self, actor: &Actor, place: &Place) -> bool {
        match (self, actor) {
            (Self::Anyone, actor) => may_report(actor, place),
            (Self::Reporter, Actor::Reporter { .. })
            | (Self::FirstReporter, Actor::Reporter { report: 1 })
            | (Self::Respondent, Actor::Reporter { .. } | Actor::Asked { .. })
            | (Self::Client, Actor::Client { .. })
            | (Self::System, Actor::System) => true,
            (
                Self::InArea(role) | Self::InStation(role) | Self::InLead(role) | Self::InJoint(role),
                Actor::Post { post, .. },
            ) => {
                let in_station = |p: &Post| {
                    let unit = place.unit(p.unit.as_str());
                    unit.is_some_and(|u| u.kind == UnitKind::Station)
                };
                place.post(post.as_str()).is_some_and(|p| {
                    p.roles.contains(&role) && (!matches!(self, Self::InStation(_)) || in_station(p))
                })
            }
            _ => false,
        }
    }
}

/// What an actor may do to a case now, in the table's order. The pages draw a button for each.
pub fn offered<'a>(
    case: &'a Case,
    actor: &'a Actor,
    place: &'a Place,
    now: Timestamp,
) -> impl Iterator<Item = &'static Transition> + 'a {
    TRANSITIONS.iter().filter(move |t| {
        t.from.contains(&case.state.stage())
            && t.permits(actor, case, place)
            && unmet(t, case, actor, place).is_none()
            && untimely(t, case, actor, place, now).is_none()
    })
}
