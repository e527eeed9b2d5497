//! The case: its state, outcome and flags, its events, and how the events fold to it.
//!
//! Folding needs nothing but the log: whatever a place or calendar decided is written into the event.
//! What may happen next is in `transition`; what a command makes happen is in `command`.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    clock::{Clock, ClockChange, ClockKind, Clocks, UnitClock},
    escalation::Tier,
    geometry::Point,
    place::{AreaPath, Place},
    whistle,
    words::{AccessClass, CaseNumber, PostCode, ServiceCode, StandardCode, UnitCode, WhistleNumber},
};

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The matter is mended.
    Resolved,
    /// A part of it is mended.
    PartlyResolved,
    /// Nothing to mend; the reporter was told why.
    Explained,
    /// Not accepted.
    Declined,
    /// Already reported; the other case goes on.
    Duplicate,
    /// Handed to somebody outside this place.
    Referred,
    /// Taken back by the reporter.
    Withdrawn,
    /// Nothing was found on site.
    Unfounded,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 8] = [
        Self::Resolved,
        Self::PartlyResolved,
        Self::Explained,
        Self::Declined,
        Self::Duplicate,
        Self::Referred,
        Self::Withdrawn,
        Self::Unfounded,
    ];

    /// The outcomes with which a unit may hand in its work.
    pub const OF_WORK: [Self; 4] = [
        Self::Resolved,
        Self::PartlyResolved,
        Self::Explained,
        Self::Unfounded,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::PartlyResolved => "partly_resolved",
            Self::Explained => "explained",
            Self::Declined => "declined",
            Self::Duplicate => "duplicate",
            Self::Referred => "referred",
            Self::Withdrawn => "withdrawn",
            Self::Unfounded => "unfounded",
        }
    }
}

/// Where a case stands, without the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Told, not yet looked at.
    Reported,
    /// Ours to handle; no unit has it.
    Accepted,
    /// A unit has it.
    Assigned,
    /// The unit is there.
    InProgress,
    /// The unit says it is done.
    Handled,
    /// Over.
    Closed,
    /// Over, but somebody asked to go on.
    ReopenRequested,
}

impl Stage {
    /// All stages, in the order of a smooth case.
    pub const ALL: [Self; 7] = [
        Self::Reported,
        Self::Accepted,
        Self::Assigned,
        Self::InProgress,
        Self::Handled,
        Self::Closed,
        Self::ReopenRequested,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reported => "reported",
            Self::Accepted => "accepted",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::Handled => "handled",
            Self::Closed => "closed",
            Self::ReopenRequested => "reopen_requested",
        }
    }
}

/// The state of a case. A closed one carries its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// See [`Stage::Reported`].
    Reported,
    /// See [`Stage::Accepted`].
    Accepted,
    /// See [`Stage::Assigned`].
    Assigned,
    /// See [`Stage::InProgress`].
    InProgress,
    /// Handled, with the outcome the unit claims.
    Handled(Outcome),
    /// Closed, with its outcome.
    Closed(Outcome),
    /// Closed with this outcome, and asked to go on.
    ReopenRequested(Outcome),
}

impl State {
    /// The state without its outcome.
    pub const fn stage(self) -> Stage {
        match self {
            Self::Reported => Stage::Reported,
            Self::Accepted => Stage::Accepted,
            Self::Assigned => Stage::Assigned,
            Self::InProgress => Stage::InProgress,
            Self::Handled(_) => Stage::Handled,
            Self::Closed(_) => Stage::Closed,
            Self::ReopenRequested(_) => Stage::ReopenRequested,
        }
    }

    /// The outcome, claimed or final.
    pub const fn outcome(self) -> Option<Outcome> {
        match self {
            Self::Handled(o) | Self::Closed(o) | Self::ReopenRequested(o) => Some(o),
            _ => None,
        }
    }

    /// Whether the public is told "open"; a case whose reopening was asked for is closed until that is granted.
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed(_) | Self::ReopenRequested(_))
    }

    /// Whether somebody has something to do or to decide, and a clock runs for it.
    pub const fn is_undecided(self) -> bool {
        !matches!(self, Self::Closed(_))
    }
}

/// Who did something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Actor {
    /// One who reported it, by the pick-up code. The first report is 1.
    Reporter {
        /// Which report of the case.
        report: u32,
    },
    /// A post, and the account that held it.
    Post {
        /// The post.
        post: PostCode,
        /// The unit of the post.
        unit: UnitCode,
        /// The account.
        account: i64,
    },
    /// Another system, by its API key.
    Client {
        /// The key's number.
        key: i64,
    },
    /// Anyone, without a code or key.
    Public,
    /// Somebody outside who was asked one question, by its link.
    Asked {
        /// The question: the version of the case with which it was asked.
        question: u32,
    },
    /// Whistle itself, by its rules.
    System,
}

impl Actor {
    /// The unit on whose behalf it was done.
    pub fn unit(&self) -> Option<&UnitCode> {
        match self {
            Self::Post { unit, .. } => Some(unit),
            _ => None,
        }
    }
}

/// By which way a report came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The pages.
    Web,
    /// A call taker's telephone.
    Phone,
    /// A counter or station.
    Counter,
    /// A patrol.
    Patrol,
    /// Open311.
    Open311,
    /// The JSON API.
    Api,
    /// A dump of another system.
    Import,
}

impl Channel {
    /// All channels.
    pub const ALL: [Self; 7] = [
        Self::Web,
        Self::Phone,
        Self::Counter,
        Self::Patrol,
        Self::Open311,
        Self::Api,
        Self::Import,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Phone => "phone",
            Self::Counter => "counter",
            Self::Patrol => "patrol",
            Self::Open311 => "open311",
            Self::Api => "api",
            Self::Import => "import",
        }
    }
}

/// Where the matter lies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Location {
    /// The point, WGS84.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// How it was described: street, number, landmark.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The areas it lies in.
    pub areas: AreaPath,
}

/// The answer to a question of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The question's code.
    pub question: String,
    /// The values given; one, but for a multi-value list.
    pub values: Vec<String>,
}

/// What a photo shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhotoKind {
    /// The matter as it was found.
    #[default]
    Before,
    /// The matter after the work.
    After,
}

/// A photo of a case. The picture itself is in the object store under its id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// A keyed hash of the re-encoded picture, in hexadecimal; its name in the object store.
    pub id: String,
    /// What it shows.
    pub kind: PhotoKind,
    /// Whether the public may see it.
    pub public: bool,
}

/// How content the reporter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rating {
    /// Content.
    Good,
    /// In between.
    Fair,
    /// Not content.
    Poor,
}

impl Rating {
    /// All ratings, best first.
    pub const ALL: [Self; 3] = [Self::Good, Self::Fair, Self::Poor];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Poor => "poor",
        }
    }
}

/// The flags: what is true of a case besides its state.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Flags {
    /// Parked until this date; its clocks stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parked_until: Option<Date>,
    /// Whether it was ever parked; once only.
    pub was_parked: bool,
    /// How often a limit was extended.
    pub extended: u8,
    /// How often a unit returned it.
    pub returned: u8,
    /// How often the work failed the verification.
    pub reworked: u8,
    /// How often it was reopened.
    pub reopened: u8,
    /// How often the unit that had it let its clocks stand by asking a reporter.
    #[serde(skip_serializing_if = "is_zero")]
    pub asked: u8,
    /// Watched over from above.
    pub supervised: bool,
    /// Fixed by the one who found it.
    pub on_the_spot: bool,
    /// Drawn for a re-check by another post.
    pub recheck: bool,
    /// How high up it was told of that a clock ran out, or nearly did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalated: Option<Tier>,
}

/// Who handed in the work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fixer {
    /// The unit.
    pub unit: UnitCode,
    /// The account; a person cannot verify their own work in another post either.
    pub account: i64,
}

/// The part of a unit in a case that another unit leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JointPart {
    /// The unit.
    pub unit: UnitCode,
    /// What it is to do. Empty once erased.
    pub task: String,
    /// When it got it.
    pub assigned_at: Timestamp,
    /// Until when, where the desk set a limit; as its clock says, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// Its clock, where the desk set a limit. A part from before parts had clocks has none.
    #[serde(default, skip_serializing_if = "Clocks::is_empty")]
    pub clocks: Clocks,
    /// What it handed in; none as long as it is at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_in: Option<HandedIn>,
}

impl JointPart {
    /// Whether the unit is still at work.
    pub const fn is_open(&self) -> bool {
        self.handed_in.is_none()
    }

    /// Its clock, where the desk set a limit.
    pub fn clock(&self) -> Option<&Clock> {
        self.clocks.get(ClockKind::Joint)
    }

    /// Whether it was, or is, handed in too late. What stands still grows no older.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let ended = self.handed_in.as_ref().map_or(now, |done| done.at);
        match self.clock() {
            Some(clock) => clock.is_overdue(now),
            None => self.due_at.is_some_and(|due| due < ended),
        }
    }
}

/// What a joint unit handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandedIn {
    /// When.
    pub at: Timestamp,
    /// The account.
    pub account: i64,
    /// What was done. Empty once erased.
    pub result: String,
}

/// What a unit may ask of its station.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wish", rename_all = "snake_case")]
pub enum Wish {
    /// To let the case wait.
    Park {
        /// Until the start of this date.
        until: Date,
    },
    /// To add the running limit once more.
    Extend,
}

/// What the unit of a case asked of its station, as long as that has not decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What it asks for.
    #[serde(flatten)]
    pub wish: Wish,
    /// When.
    pub at: Timestamp,
    /// Why. Empty once erased.
    pub why: String,
}

/// Who is asked a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "whom", rename_all = "snake_case")]
pub enum Respondent {
    /// One who reported the case. Its clocks may stand until the answer is there; see [`Question::stops_clocks`].
    Reporter {
        /// Which report of the case.
        report: u32,
    },
    /// Somebody outside. The clocks run on.
    Outside,
}

/// The one question that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// The version of the case with which it was asked; no other question has it.
    pub number: u32,
    /// Who is asked.
    #[serde(flatten)]
    pub of: Respondent,
    /// What is asked. Empty once erased.
    pub text: String,
    /// The answers to choose from; free text when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Until when it can be answered.
    pub until: Timestamp,
    /// Whether the clocks run on although a reporter is asked.
    #[serde(default, skip_serializing_if = "is_false")]
    pub runs_on: bool,
}

impl Question {
    /// Whether the clocks wait for the answer.
    pub const fn stops_clocks(&self) -> bool {
        matches!(self.of, Respondent::Reporter { .. }) && !self.runs_on
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(n: &u8) -> bool {
    *n == 0
}

/// Why a case is watched over from above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupervisionKind {
    /// Its limit is over.
    Overdue,
    /// It matters to many, or much.
    #[default]
    Important,
    /// Somebody above ordered it.
    Ordered,
}

impl SupervisionKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Overdue, Self::Important, Self::Ordered];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Important => "important",
            Self::Ordered => "ordered",
        }
    }
}

/// Who watches over a case, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// Which kind.
    pub kind: SupervisionKind,
    /// The post that began it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post: Option<PostCode>,
    /// Since when.
    pub since: Timestamp,
    /// Why. Empty once erased.
    pub why: String,
}

/// When a case reached each stage last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When it was reported.
    pub reported_at: Timestamp,
    /// When anything last happened.
    pub updated_at: Timestamp,
    /// When it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_at: Option<Timestamp>,
    /// When a unit got it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_at: Option<Timestamp>,
    /// When the unit said that it has seen it and takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// When the unit said "we are here".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_in_at: Option<Timestamp>,
    /// When the work was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handled_at: Option<Timestamp>,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

/// One matter at one place, from report to close. What its log folds to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub number: CaseNumber,
    /// How many events it has; the version that a command must have seen.
    pub version: u32,
    /// Where it stands.
    pub state: State,
    /// What else is true of it.
    pub flags: Flags,
    /// The version of the place folder it was filed under.
    pub place_version: u32,
    /// What is asked for.
    pub service: ServiceCode,
    /// The standard it is held to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard: Option<StandardCode>,
    /// By which way the first report came.
    pub channel: Channel,
    /// Who reported it first.
    pub reporter: Actor,
    /// How many reports it has.
    pub reports: u32,
    /// Where it lies.
    pub location: Location,
    /// What the first reporter wrote. Empty once erased.
    pub description: String,
    /// The answers to the service's questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
    /// Whether the public may see it.
    pub public: bool,
    /// Its class of access, where it is only for the posts that name it. Such a case is never public.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessClass>,
    /// The unit that leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead: Option<UnitCode>,
    /// The unit that the last return named as the right one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_unit: Option<UnitCode>,
    /// Who handed in the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixer: Option<Fixer>,
    /// What was done, or why it was closed. Empty until then.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resolution: String,
    /// The case it is a duplicate of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<CaseNumber>,
    /// The cases that were merged into it; who reported those follows this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absorbed: Vec<CaseNumber>,
    /// The case that it was a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_from: Option<CaseNumber>,
    /// The cases that its parts became.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub split_into: Vec<CaseNumber>,
    /// The parts of other units in it; of one unit at most one is open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub joint: Vec<JointPart>,
    /// What its unit asks of the station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Request>,
    /// The question that awaits an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// Who watches over it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supervision: Option<Supervision>,
    /// What the reporter thinks of the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// Its photos.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Photo>,
    /// Its clocks.
    pub clocks: Clocks,
    /// Its times.
    pub times: Times,
}

/// The most photos a case may have.
pub const MAX_PHOTOS: usize = 20;

/// The most parts of other units that a case may have: what needs more of them is several cases.
pub const MAX_JOINT: usize = 8;

/// The most cases that may be split off from one.
pub const MAX_SPLIT: usize = 10;

/// The most answers that a question may offer; more do not fit on a small screen.
pub const MAX_CHOICES: usize = 8;

/// The most letters of one such answer.
pub const MAX_CHOICE: usize = 100;

/// The most letters of any free text; Open311's bound for a description.
pub const MAX_TEXT: usize = 4000;

/// One thing that happened to a case. Never changed; free text is kept beside the body, so that it can be erased
/// without breaking the chain of hashes.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When; of what was done without a network, when it was received. Clocks go by this.
    pub at: Timestamp,
    /// When it was done by the clock of the one who did it, where that was before it was received.
    pub made_at: Option<Timestamp>,
    /// Who did it.
    pub by: Actor,
    /// What happened.
    pub body: Body,
    /// What was written with it: description, reason, resolution, comment. Empty when nothing was, or once erased.
    pub text: String,
    /// A drawn number that is hashed with what the body was [`Told`], so that nobody who has the hash alone finds that again
    /// by trying. 0 where it was told nothing, and once that is erased.
    pub salt: u64,
    /// What it did to the clocks.
    pub clocks: Vec<ClockChange>,
    /// What it did to the clocks of the parts that other units have in it.
    pub parts: Vec<UnitClock>,
}

/// What somebody typed into a body: kept beside the event like its text, and erased like it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Told {
    /// See [`Location::address`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub address: String,
    /// The answers to the service's questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answers: Vec<Answer>,
}

/// What happened. No free text in here, but for what it was [`Told`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Body {
    /// The first event of every case. Text: the description.
    Reported {
        /// The version of the place folder.
        place_version: u32,
        /// What is asked for.
        service: ServiceCode,
        /// By which way it came.
        channel: Channel,
        /// Where it lies.
        location: Location,
        /// The answers to the service's questions.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        answers: Vec<Answer>,
        /// Whether the public may see it.
        public: bool,
        /// The photos sent with it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        photos: Vec<Photo>,
        /// The case that it was a part of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split_from: Option<CaseNumber>,
        /// Its class of access, where it is only for the posts that name it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access: Option<AccessClass>,
    },
    /// Somebody else reported the same. Text: what they wrote.
    Joined {
        /// Which report of the case this is.
        report: u32,
        /// By which way it came.
        channel: Channel,
    },
    /// It is ours to handle.
    Accepted {
        /// The standard it is held to.
        standard: StandardCode,
        /// The class of access that it has by the standard.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access: Option<AccessClass>,
    },
    /// It is not ours to handle. Text: why.
    Declined,
    /// It is already reported. Text: why, if said.
    Merged {
        /// The case that goes on.
        into: CaseNumber,
    },
    /// Another case was merged into it.
    Absorbed {
        /// The case that was closed.
        from: CaseNumber,
        /// Its photos, as far as there was room.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        photos: Vec<Photo>,
    },
    /// A part of it became a case of its own. Text: that part.
    Split {
        /// The new case.
        into: CaseNumber,
    },
    /// It was handed to somebody outside. Text: to whom and why.
    Referred,
    /// The reporter took it back.
    Withdrawn,
    /// A unit has it.
    Assigned {
        /// The unit.
        unit: UnitCode,
    },
    /// Another unit has a part in it. Text: what it is to do.
    JointAssigned {
        /// The unit.
        unit: UnitCode,
        /// Until when, where the desk set a limit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due_at: Option<Timestamp>,
    },
    /// The unit handed in its part. Text: what was done.
    JointHandled {
        /// The unit.
        unit: UnitCode,
    },
    /// The unit need not do its part. Text: why.
    JointReleased {
        /// The unit.
        unit: UnitCode,
    },
    /// The unit has seen it and takes it.
    Signed,
    /// The unit is there.
    ReportedIn,
    /// The unit says it is not theirs. Text: why.
    Returned {
        /// Whose it is.
        right_unit: UnitCode,
    },
    /// The unit says it is done. Text: what was done.
    Handled {
        /// What the unit claims.
        outcome: Outcome,
        /// Found and fixed by the same post.
        on_the_spot: bool,
        /// Drawn for a re-check.
        recheck: bool,
    },
    /// Somebody else found it done; closed. Text: a remark.
    Verified {
        /// How it ended.
        outcome: Outcome,
    },
    /// Somebody else found it not done. Text: what is missing.
    Reworked,
    /// The system it was imported from had closed it. Text: what that system said.
    Settled {
        /// How it ended.
        outcome: Outcome,
    },
    /// Somebody asked to go on. Text: why.
    ReopenRequested,
    /// It goes on. Text: why.
    Reopened,
    /// It stays closed. Text: why.
    ReopenRefused,
    /// It waits. Text: why.
    Parked {
        /// Until the start of this date.
        until: Date,
    },
    /// It no longer waits.
    Resumed,
    /// A limit was extended. Text: why.
    Extended,
    /// The unit asks to let it wait. Text: why.
    ParkAsked {
        /// Until the start of this date.
        until: Date,
    },
    /// The unit asks for more time. Text: why.
    ExtensionAsked,
    /// The station refused what the unit asked for. Text: why.
    RequestRefused,
    /// Somebody is asked one question. Text: the question.
    Asked {
        /// Who.
        #[serde(flatten)]
        of: Respondent,
        /// The answers to choose from; free text when there are none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        choices: Vec<String>,
        /// Until when it can be answered.
        until: Timestamp,
        /// Whether the clocks run on although a reporter is asked.
        #[serde(default, skip_serializing_if = "is_false")]
        runs_on: bool,
    },
    /// The question was answered. Text: the answer, or what was added to it.
    Answered {
        /// The answer that was chosen.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        choice: Option<String>,
    },
    /// The question was not answered in time.
    Unanswered,
    /// It is another service. Text: why, if said.
    Reclassified {
        /// What is asked for.
        service: ServiceCode,
        /// The standard it is held to now; none while it is not accepted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        standard: Option<StandardCode>,
        /// Whether the public may still see it; a service for staff only hides it.
        public: bool,
        /// The class of access that it has now.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        access: Option<AccessClass>,
    },
    /// It lies elsewhere. Text: why, if said.
    Relocated {
        /// Where.
        location: Location,
    },
    /// Text: what was said.
    Commented {
        /// Whether the public may read it.
        public: bool,
    },
    /// A photo came.
    PhotoAdded {
        /// The photo.
        photo: Photo,
    },
    /// The reporter said how content they are. Text: why, if said.
    Rated {
        /// How content.
        rating: Rating,
    },
    /// It is watched over from above, or no longer. Text: why.
    Supervised {
        /// Whether it is.
        on: bool,
        /// Which kind; none when it no longer is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<SupervisionKind>,
    },
    /// It was shown to the public or hidden. Text: why.
    Shown {
        /// Whether it is shown.
        public: bool,
    },
    /// A whistle was blown on it, or that one is over.
    Whistled {
        /// Which.
        whistle: WhistleNumber,
        /// Where the whistle stands now.
        stage: whistle::Stage,
    },
    /// The calendar or a ladder changed and its clocks were computed anew.
    Reckoned,
    /// A step of a clock's ladder was due, and somebody is told.
    Escalated {
        /// Which clock.
        clock: ClockKind,
        /// Whose part it limits, where it is the clock of one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        part: Option<UnitCode>,
        /// Which step of its ladder, from 1.
        step: u8,
        /// When the step was due; it may have been taken later.
        due_at: Timestamp,
        /// How high up it is told.
        level: Tier,
        /// The unit whose leads are told; none where the place has nobody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<UnitCode>,
        /// The one post that is told, where the ladder names one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        post: Option<PostCode>,
    },
    /// What reporters had said of themselves and of the matter was erased: by a reporter, their own; by Whistle, because
    /// it was kept for long enough. The texts of the earlier events are gone from the log.
    Erased {
        /// Whether it was known how they can be reached.
        contact: bool,
        /// How many texts.
        texts: u32,
        /// The ids of the photos.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        photos: Vec<String>,
    },
}

impl Event {
    /// Whose words and photos it brings, where it is a reporter's: which report of the case.
    pub fn report(&self) -> Option<u32> {
        match (&self.body, &self.by) {
            (Body::Reported { .. }, _) => Some(1),
            (Body::Joined { report, .. }, _) | (_, Actor::Reporter { report }) => Some(*report),
            _ => None,
        }
    }
}

impl Body {
    /// All words, in the order of the variants.
    pub const WORDS: [&'static str; 43] = [
        "reported",
        "joined",
        "accepted",
        "declined",
        "merged",
        "absorbed",
        "split",
        "referred",
        "withdrawn",
        "assigned",
        "joint_assigned",
        "joint_handled",
        "joint_released",
        "signed",
        "reported_in",
        "returned",
        "handled",
        "verified",
        "reworked",
        "settled",
        "reopen_requested",
        "reopened",
        "reopen_refused",
        "parked",
        "resumed",
        "extended",
        "park_asked",
        "extension_asked",
        "request_refused",
        "asked",
        "answered",
        "unanswered",
        "reclassified",
        "relocated",
        "commented",
        "photo_added",
        "rated",
        "supervised",
        "shown",
        "whistled",
        "reckoned",
        "escalated",
        "erased",
    ];

    /// Whether somebody typed something into it that is there yet.
    pub fn is_told(&self) -> bool {
        match self {
            Self::Reported {
                location, answers, ..
            } => !location.address.is_empty() || !answers.is_empty(),
            Self::Relocated { location } => !location.address.is_empty(),
            _ => false,
        }
    }

    /// Takes out what somebody typed into it; none where there is nothing.
    pub fn take_told(&mut self) -> Option<Told> {
        let mut told = Told::default();
        match self {
            Self::Reported {
                location, answers, ..
            } => {
                told.address = std::mem::take(&mut location.address);
                told.answers = std::mem::take(answers);
            }
            Self::Relocated { location } => told.address = std::mem::take(&mut location.address),
            _ => {}
        }
        (told != Told::default()).then_some(told)
    }

    /// Puts in what was taken out.
    pub fn tell(&mut self, told: Told) {
        match self {
            Self::Reported {
                location, answers, ..
            } => {
                location.address = told.address;
                *answers = told.answers;
            }
            Self::Relocated { location } => location.address = told.address,
            _ => {}
        }
    }

    /// The photos that it brings.
    pub fn photos(&self) -> &[Photo] {
        match self {
            Self::Reported { photos, .. } | Self::Absorbed { photos, .. } => photos,
            Self::PhotoAdded { photo } => std::slice::from_ref(photo),
            _ => &[],
        }
    }

    /// The word in codes and columns; the same as the tag in JSON.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Reported { .. } => "reported",
            Self::Joined { .. } => "joined",
            Self::Accepted { .. } => "accepted",
            Self::Declined => "declined",
            Self::Merged { .. } => "merged",
            Self::Absorbed { .. } => "absorbed",
            Self::Split { .. } => "split",
            Self::Referred => "referred",
            Self::Withdrawn => "withdrawn",
            Self::Assigned { .. } => "assigned",
            Self::JointAssigned { .. } => "joint_assigned",
            Self::JointHandled { .. } => "joint_handled",
            Self::JointReleased { .. } => "joint_released",
            Self::Signed => "signed",
            Self::ReportedIn => "reported_in",
            Self::Returned { .. } => "returned",
            Self::Handled { .. } => "handled",
            Self::Verified { .. } => "verified",
            Self::Reworked => "reworked",
            Self::Settled { .. } => "settled",
            Self::ReopenRequested => "reopen_requested",
            Self::Reopened => "reopened",
            Self::ReopenRefused => "reopen_refused",
            Self::Parked { .. } => "parked",
            Self::Resumed => "resumed",
            Self::Extended => "extended",
            Self::ParkAsked { .. } => "park_asked",
            Self::ExtensionAsked => "extension_asked",
            Self::RequestRefused => "request_refused",
            Self::Asked { .. } => "asked",
            Self::Answered { .. } => "answered",
            Self::Unanswered => "unanswered",
            Self::Reclassified { .. } => "reclassified",
            Self::Relocated { .. } => "relocated",
            Self::Commented { .. } => "commented",
            Self::PhotoAdded { .. } => "photo_added",
            Self::Rated { .. } => "rated",
            Self::Supervised { .. } => "supervised",
            Self::Shown { .. } => "shown",
            Self::Whistled { .. } => "whistled",
            Self::Reckoned => "reckoned",
            Self::Escalated { .. } => "escalated",
            Self::Erased { .. } => "erased",
        }
    }
}

/// Why a log cannot be folded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The log is empty.
    #[error("the log is empty; a case begins with a report")]
    Empty,
    /// The first event is no report.
    #[error("the log begins with {0:?}; a case begins with a report")]
    NoReport(&'static str),
    /// A report stands in the middle.
    #[error("event {0} is a second beginning")]
    SecondReport(u32),
}

impl Case {
    /// Folds a whole log.
    pub fn fold<'e>(
        number: CaseNumber,
        events: impl IntoIterator<Item = &'e Event>,
    ) -> Result<Self, FoldError> {
        let mut events = events.into_iter();
        let mut case = Self::begin(number, events.next().ok_or(FoldError::Empty)?)?;
        for event in events {
            case.apply(event)?;
        }
        Ok(case)
    }

    /// The case after its first event.
    pub fn begin(number: CaseNumber, event: &Event) -> Result<Self, FoldError> {
        let Body::Reported {
            place_version,
            service,
            channel,
            location,
            answers,
            public,
            photos,
            split_from,
            access,
        } = &event.body
        else {
            return Err(FoldError::NoReport(event.body.as_str()));
        };
        let mut case = Self {
            number,
            version: 1,
            state: State::Reported,
            flags: Flags::default(),
            place_version: *place_version,
            service: service.clone(),
            standard: None,
            channel: *channel,
            reporter: event.by.clone(),
            reports: 1,
            location: location.clone(),
            description: event.text.clone(),
            answers: answers.clone(),
            public: *public && access.is_none(),
            access: access.clone(),
            lead: None,
            right_unit: None,
            fixer: None,
            resolution: String::new(),
            duplicate_of: None,
            absorbed: Vec::new(),
            split_from: *split_from,
            split_into: Vec::new(),
            joint: Vec::new(),
            request: None,
            question: None,
            supervision: None,
            rating: None,
            photos: photos.clone(),
            clocks: Clocks::default(),
            times: Times {
                reported_at: event.at,
                updated_at: event.at,
                accepted_at: None,
                assigned_at: None,
                signed_at: None,
                reported_in_at: None,
                handled_at: None,
                closed_at: None,
            },
        };
        case.turn_clocks(event);
        Ok(case)
    }

    /// Folds one more event in.
    pub fn apply(&mut self, event: &Event) -> Result<(), FoldError> {
        self.version += 1;
        self.times.updated_at = self.times.updated_at.max(event.at);
        match &event.body {
            Body::Reported { .. } => return Err(FoldError::SecondReport(self.version)),
            Body::Joined { .. } => self.reports += 1,
            Body::Accepted { standard, access } => {
                self.state = State::Accepted;
                self.standard = Some(standard.clone());
                self.classify(access.as_ref());
                self.times.accepted_at = Some(event.at);
            }
            Body::Declined => self.close(Outcome::Declined, event),
            Body::Merged { into } => {
                self.duplicate_of = Some(*into);
                self.close(Outcome::Duplicate, event);
            }
            Body::Absorbed { from, photos } => {
                self.absorbed.push(*from);
                self.photos.extend_from_slice(photos);
            }
            Body::Split { into } => self.split_into.push(*into),
            Body::Referred => self.close(Outcome::Referred, event),
            Body::Withdrawn => self.close(Outcome::Withdrawn, event),
            Body::Assigned { unit } => {
                self.state = State::Assigned;
                self.lead = Some(unit.clone());
                // Who leads the whole has no open part beside it.
                self.joint.retain(|part| !part.is_open() || part.unit != *unit);
                self.request = None;
                self.times.assigned_at = Some(event.at);
                self.times.signed_at = None;
                self.times.reported_in_at = None;
            }
            Body::JointAssigned { unit, due_at } => self.joint.push(JointPart {
                unit: unit.clone(),
                task: event.text.clone(),
                assigned_at: event.at,
                due_at: *due_at,
                clocks: Clocks::default(),
                handed_in: None,
            }),
            Body::JointHandled { unit } => {
                let part = self
                    .joint
                    .iter_mut()
                    .find(|part| part.is_open() && part.unit == *unit);
                if let (Some(part), Actor::Post { account, .. }) = (part, &event.by) {
                    part.handed_in = Some(HandedIn {
                        at: event.at,
                        account: *account,
                        result: event.text.clone(),
                    });
                }
            }
            Body::JointReleased { unit } => {
                self.joint.retain(|part| !part.is_open() || part.unit != *unit);
            }
            Body::Signed => self.times.signed_at = Some(event.at),
            Body::ReportedIn => {
                self.state = State::InProgress;
                // Who is there has seen it.
                self.times.signed_at.get_or_insert(event.at);
                self.times.reported_in_at = Some(event.at);
            }
            Body::Returned { right_unit } => {
                self.state = State::Accepted;
                self.lead = None;
                self.request = None;
                self.right_unit = Some(right_unit.clone());
                self.flags.returned = self.flags.returned.saturating_add(1);
            }
            Body::Handled {
                outcome,
                on_the_spot,
                recheck,
            } => {
                self.state = State::Handled(*outcome);
                self.flags.on_the_spot = *on_the_spot;
                self.flags.recheck = *recheck;
                if let Actor::Post { unit, account, .. } = &event.by {
                    self.lead.get_or_insert_with(|| unit.clone());
                    self.fixer = Some(Fixer {
                        unit: unit.clone(),
                        account: *account,
                    });
                }
                self.request = None;
                // The work was done without the answer.
                if let Some(question) = &mut self.question {
                    question.runs_on = matches!(question.of, Respondent::Reporter { .. });
                }
                self.resolution.clone_from(&event.text);
                self.times.handled_at = Some(event.at);
            }
            Body::Verified { outcome } => {
                self.state = State::Closed(*outcome);
                self.question = None;
                self.times.closed_at = Some(event.at);
            }
            Body::Reworked => {
                self.state = State::InProgress;
                self.flags.reworked = self.flags.reworked.saturating_add(1);
                self.resolution.clear();
            }
            Body::Settled { outcome } => self.close(*outcome, event),
            Body::ReopenRequested => {
                self.state = State::ReopenRequested(self.state.outcome().unwrap_or(Outcome::Resolved));
            }
            Body::Reopened => {
                self.state = match (&self.lead, &self.standard) {
                    (Some(_), _) => State::InProgress,
                    (None, Some(_)) => State::Accepted,
                    (None, None) => State::Reported,
                };
                self.resolution.clear();
                self.flags.reopened = self.flags.reopened.saturating_add(1);
                self.rating = None;
                self.duplicate_of = None;
                self.times.closed_at = None;
            }
            Body::ReopenRefused => {
                self.state = State::Closed(self.state.outcome().unwrap_or(Outcome::Resolved));
            }
            Body::Parked { until } => {
                self.flags.parked_until = Some(*until);
                self.flags.was_parked = true;
                self.request = None;
            }
            Body::Resumed => self.flags.parked_until = None,
            Body::Extended => {
                self.flags.extended = self.flags.extended.saturating_add(1);
                self.request = None;
            }
            Body::ParkAsked { until } => self.request(Wish::Park { until: *until }, event),
            Body::ExtensionAsked => self.request(Wish::Extend, event),
            Body::RequestRefused => self.request = None,
            Body::Asked {
                of,
                choices,
                until,
                runs_on,
            } => {
                let question = Question {
                    number: self.version,
                    of: *of,
                    text: event.text.clone(),
                    choices: choices.clone(),
                    until: *until,
                    runs_on: *runs_on,
                };
                let of_unit = self.lead.is_some() && event.by.unit() == self.lead.as_ref();
                let stood = u8::from(of_unit && question.stops_clocks());
                self.flags.asked = self.flags.asked.saturating_add(stood);
                self.question = Some(question);
            }
            Body::Answered { .. } | Body::Unanswered => self.question = None,
            Body::Reclassified {
                service,
                standard,
                public,
                access,
            } => {
                self.service = service.clone();
                self.standard.clone_from(standard);
                self.public = *public;
                self.classify(access.as_ref());
            }
            Body::Relocated { location } => self.location = location.clone(),
            Body::Commented { .. } | Body::Whistled { .. } | Body::Reckoned => {}
            Body::PhotoAdded { photo } => self.photos.push(photo.clone()),
            Body::Rated { rating } => self.rating = Some(*rating),
            Body::Supervised { on, kind } => {
                self.flags.supervised = *on;
                self.supervision = on.then(|| Supervision {
                    kind: kind.unwrap_or_default(),
                    post: match &event.by {
                        Actor::Post { post, .. } => Some(post.clone()),
                        _ => None,
                    },
                    since: event.at,
                    why: event.text.clone(),
                });
            }
            Body::Escalated { level, .. } => self.flags.escalated = self.flags.escalated.max(Some(*level)),
            Body::Shown { public } => self.public = *public && self.access.is_none(),
            Body::Erased { photos, .. } => self.photos.retain(|photo| !photos.contains(&photo.id)),
        }
        self.turn_clocks(event);
        Ok(())
    }

    /// Takes on the class of access that it has by now: what was open to more eyes when something happened is told to no more than
    /// may see the case today.
    pub fn close_like(&mut self, now: &Self) {
        if self.access.is_none() {
            self.classify(now.access.as_ref());
        }
    }

    fn classify(&mut self, access: Option<&AccessClass>) {
        self.access = access.cloned();
        self.public &= access.is_none();
    }

    fn close(&mut self, outcome: Outcome, event: &Event) {
        self.state = State::Closed(outcome);
        self.flags.parked_until = None;
        self.request = None;
        self.question = None;
        self.resolution.clone_from(&event.text);
        self.times.closed_at = Some(event.at);
    }

    fn request(&mut self, wish: Wish, event: &Event) {
        self.request = Some(Request {
            wish,
            at: event.at,
            why: event.text.clone(),
        });
    }

    /// When something is due to happen by itself: the next step of a clock, or the end of the time for an answer.
    pub fn next_step_at(&self) -> Option<Timestamp> {
        let step = self.next_step().and_then(|(_, clock)| clock.step_at);
        let lapse = self.question.as_ref().map(|question| question.until);
        step.into_iter().chain(lapse).min()
    }

    /// The running clock whose next step is due first, and whose part it limits; of two at once, that of the whole.
    pub fn next_step(&self) -> Option<(Option<&UnitCode>, &Clock)> {
        let whole = self.clocks.next_step().map(|clock| (None, clock));
        let parts = self.joint.iter();
        let parts = parts.filter_map(|part| Some((Some(&part.unit), part.clocks.next_step()?)));
        whole
            .into_iter()
            .chain(parts)
            .min_by_key(|(_, clock)| clock.step_at)
    }

    /// The clocks of the parts that units are still at work on.
    pub fn part_clocks(&self) -> impl Iterator<Item = (&UnitCode, &Clock)> {
        let open = self.joint.iter().filter(|part| part.is_open());
        open.filter_map(|part| Some((&part.unit, part.clock()?)))
    }

    /// Whether a unit leads it or has a part in it.
    pub fn concerns(&self, unit: &UnitCode) -> bool {
        self.lead.as_ref() == Some(unit) || self.joint.iter().any(|part| part.unit == *unit)
    }

    /// Whether it was closed so few days ago that its reopening may be asked for in this place.
    pub fn may_reopen(&self, now: Timestamp, place: &Place) -> bool {
        let days = place.jurisdiction.settings.reopen_days;
        let closed = self.times.closed_at;
        closed.is_some_and(|closed| now <= place.calendar.days_after(closed, days))
    }

    /// Whether other units are still at work on their parts.
    pub fn has_open_part(&self) -> bool {
        self.joint.iter().any(JointPart::is_open)
    }

    fn turn_clocks(&mut self, event: &Event) {
        for change in &event.clocks {
            self.clocks.apply(change, event.at);
        }
        for UnitClock { unit, change } in &event.parts {
            // Of a unit's parts the last one is at work, or just was.
            if let Some(part) = self.joint.iter_mut().rfind(|part| part.unit == *unit) {
                part.clocks.apply(change, event.at);
                part.due_at = part.clock().map(|clock| clock.due_at).or(part.due_at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_events_are_those_that_are_read_and_written() {
        // The reader itself tells what it knows.
        let unknown = serde_json::from_str::<Body>(r#"{"event": "?"}"#)
            .unwrap_err()
            .to_string();
        let known: Vec<&str> = unknown.split('`').skip(3).step_by(2).collect();
        assert_eq!(known, Body::WORDS);
        assert_eq!(Body::Reckoned.as_str(), "reckoned");
        assert!(Body::WORDS.contains(&Body::Commented { public: true }.as_str()));
    }
}
