//! Commands: given a case, what somebody wants to do, the place and the time, the events it makes, or why not.

use std::borrow::Cow;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    case::{
        Actor, Answer, Body, Case, Channel, Event, FoldError, JointPart, Location, MAX_CHOICE, MAX_CHOICES,
        MAX_JOINT, MAX_PHOTOS, MAX_SPLIT, MAX_TEXT, Outcome, Photo, Question, Rating, Respondent, Stage,
        State, SupervisionKind, Wish,
    },
    clock::{Clock, ClockChange, ClockKind, UnitClock, resume},
    escalation::Ladder,
    geometry::Point,
    limit::Limit,
    place::{AreaIndex, Datatype, Level, Partly, Place, Service, Settings, Standard, Verification},
    rights::{Access, Role, may_report},
    transition::{Need, Transition, Verb, Who},
    whistle,
    words::{AccessClass, AreaCode, CaseNumber, ServiceCode, StandardCode, UnitCode, WhistleNumber},
};

/// What somebody wants to do to a case, with what it needs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Act {
    /// See [`Verb::Accept`].
    Accept {
        /// The standard; the service's default one when absent.
        #[serde(default)]
        standard: Option<StandardCode>,
    },
    /// See [`Verb::Decline`].
    Decline,
    /// See [`Verb::Merge`].
    Merge {
        /// The case that goes on.
        into: CaseNumber,
    },
    /// See [`Verb::Absorb`].
    Absorb {
        /// The case that is merged into this one.
        from: CaseNumber,
        /// Its photos.
        #[serde(default)]
        photos: Vec<Photo>,
    },
    /// See [`Verb::Split`]; the new case is told by [`split`].
    Split {
        /// The number of the new case.
        into: CaseNumber,
    },
    /// See [`Verb::Refer`].
    Refer,
    /// See [`Verb::Withdraw`].
    Withdraw,
    /// See [`Verb::Assign`].
    Assign {
        /// The unit; the one that routing names when absent.
        #[serde(default)]
        unit: Option<UnitCode>,
    },
    /// See [`Verb::AssignJoint`].
    AssignJoint {
        /// The unit.
        unit: UnitCode,
        /// How long it may take.
        #[serde(default)]
        limit: Option<Limit>,
    },
    /// See [`Verb::HandleJoint`].
    HandleJoint,
    /// See [`Verb::ReleaseJoint`].
    ReleaseJoint {
        /// The unit.
        unit: UnitCode,
    },
    /// See [`Verb::Sign`].
    Sign,
    /// See [`Verb::ReportIn`].
    ReportIn,
    /// See [`Verb::Return`].
    Return {
        /// Whose it is.
        right_unit: UnitCode,
    },
    /// See [`Verb::Handle`].
    Handle {
        /// What the unit claims.
        outcome: Outcome,
    },
    /// See [`Verb::Verify`].
    Verify,
    /// See [`Verb::VerifyPartly`].
    VerifyPartly,
    /// See [`Verb::Rework`].
    Rework,
    /// See [`Verb::Settle`].
    Settle {
        /// How it ended there.
        outcome: Outcome,
    },
    /// See [`Verb::RequestReopen`].
    RequestReopen,
    /// See [`Verb::Reopen`].
    Reopen,
    /// See [`Verb::RefuseReopen`].
    RefuseReopen,
    /// See [`Verb::Park`].
    Park {
        /// Until the start of this date.
        until: Date,
    },
    /// See [`Verb::Resume`].
    Resume,
    /// See [`Verb::Extend`].
    Extend,
    /// See [`Verb::AskToPark`].
    AskToPark {
        /// Until the start of this date.
        until: Date,
    },
    /// See [`Verb::AskToExtend`].
    AskToExtend,
    /// See [`Verb::GrantRequest`].
    GrantRequest,
    /// See [`Verb::RefuseRequest`].
    RefuseRequest,
    /// See [`Verb::Ask`].
    Ask {
        /// Who is asked.
        of: Respondent,
        /// The answers to choose from; free text when there are none.
        #[serde(default)]
        choices: Vec<String>,
        /// Until the start of this date.
        until: Date,
        /// Whether the reporter who is asked said how they can be reached. Whoever keeps that says so, not who asks.
        #[serde(default)]
        reachable: bool,
    },
    /// See [`Verb::Answer`].
    Answer {
        /// The answer that is chosen, where the question offers some.
        #[serde(default)]
        choice: Option<String>,
    },
    /// See [`Verb::Reclassify`].
    Reclassify {
        /// What is asked for.
        service: ServiceCode,
    },
    /// See [`Verb::Relocate`].
    Relocate {
        /// Where it lies.
        #[serde(flatten)]
        whereabouts: Whereabouts,
    },
    /// See [`Verb::Join`].
    Join {
        /// By which way it came.
        channel: Channel,
    },
    /// See [`Verb::Comment`].
    Comment {
        /// Whether the public may read it.
        #[serde(default)]
        public: bool,
    },
    /// See [`Verb::AddPhoto`].
    AddPhoto {
        /// The photo.
        photo: Photo,
    },
    /// See [`Verb::Rate`].
    Rate {
        /// How content.
        rating: Rating,
    },
    /// See [`Verb::Supervise`].
    Supervise {
        /// Whether it is watched over.
        on: bool,
        /// Why.
        #[serde(default)]
        kind: SupervisionKind,
    },
    /// See [`Verb::Show`].
    Show {
        /// Whether it is shown.
        public: bool,
    },
    /// See [`Verb::Whistle`].
    Whistle {
        /// Which whistle.
        whistle: WhistleNumber,
        /// Where it stands now.
        stage: whistle::Stage,
    },
    /// See [`Verb::Reckon`].
    Reckon,
    /// See [`Verb::Escalate`].
    Escalate,
    /// See [`Verb::Erase`]. That the log's own texts go, is for whoever keeps the log.
    Erase {
        /// Whether it was known how they can be reached.
        contact: bool,
        /// How many texts.
        texts: u32,
        /// The ids of the photos.
        photos: Vec<String>,
    },
}

impl Act {
    /// The verb, and with it the line of the table.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Accept { .. } => Verb::Accept,
            Self::Decline => Verb::Decline,
            Self::Merge { .. } => Verb::Merge,
            Self::Absorb { .. } => Verb::Absorb,
            Self::Split { .. } => Verb::Split,
            Self::Refer => Verb::Refer,
            Self::Withdraw => Verb::Withdraw,
            Self::Assign { .. } => Verb::Assign,
            Self::AssignJoint { .. } => Verb::AssignJoint,
            Self::HandleJoint => Verb::HandleJoint,
            Self::ReleaseJoint { .. } => Verb::ReleaseJoint,
            Self::Sign => Verb::Sign,
            Self::ReportIn => Verb::ReportIn,
            Self::Return { .. } => Verb::Return,
            Self::Handle { .. } => Verb::Handle,
            Self::Verify => Verb::Verify,
            Self::VerifyPartly => Verb::VerifyPartly,
            Self::Rework => Verb::Rework,
            Self::Settle { .. } => Verb::Settle,
            Self::RequestReopen => Verb::RequestReopen,
            Self::Reopen => Verb::Reopen,
            Self::RefuseReopen => Verb::RefuseReopen,
            Self::Park { .. } => Verb::Park,
            Self::Resume => Verb::Resume,
            Self::Extend => Verb::Extend,
            Self::AskToPark { .. } => Verb::AskToPark,
            Self::AskToExtend => Verb::AskToExtend,
            Self::GrantRequest => Verb::GrantRequest,
            Self::RefuseRequest => Verb::RefuseRequest,
            Self::Ask { .. } => Verb::Ask,
            Self::Answer { .. } => Verb::Answer,
            Self::Reclassify { .. } => Verb::Reclassify,
            Self::Relocate { .. } => Verb::Relocate,
            Self::Join { .. } => Verb::Join,
            Self::Comment { .. } => Verb::Comment,
            Self::AddPhoto { .. } => Verb::AddPhoto,
            Self::Rate { .. } => Verb::Rate,
            Self::Supervise { .. } => Verb::Supervise,
            Self::Show { .. } => Verb::Show,
            Self::Whistle { .. } => Verb::Whistle,
            Self::Reckon => Verb::Reckon,
            Self::Escalate => Verb::Escalate,
            Self::Erase { .. } => Verb::Erase,
        }
    }
}

/// Where a reporter says it is; at least one of the three.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The point, WGS84.
    #[serde(default)]
    pub point: Option<Point>,
    /// Street, number, landmark.
    #[serde(default)]
    pub address: String,
    /// The code of the area.
    #[serde(default)]
    pub area: Option<AreaCode>,
}

/// A report of a new matter.
#[derive(Debug, Clone, PartialEq)]
pub struct NewReport {
    /// What is asked for.
    pub service: ServiceCode,
    /// The standard, named by one who may accept the case where it lies.
    pub standard: Option<StandardCode>,
    /// Where it is.
    pub whereabouts: Whereabouts,
    /// What the reporter wrote.
    pub description: String,
    /// The answers to the service's questions.
    pub answers: Vec<Answer>,
    /// By which way it came.
    pub channel: Channel,
    /// The photos sent with it.
    pub photos: Vec<Photo>,
    /// What was done, when the reporting post fixed it on the spot.
    pub fixed: Option<String>,
}

/// Under which circumstances a command is decided.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The place as it is now.
    pub place: &'a Place,
    /// The time.
    pub now: Timestamp,
    /// Who does it.
    pub by: &'a Actor,
    /// A number drawn evenly from 0 to 1, for the re-check.
    pub chance: f64,
}

/// Why a command was refused. Each has a stable word for machines; pages say it in the reader's language.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The verb has no line from this stage.
    #[error("a case that is {} cannot be met with {:?}", .stage.as_str(), .verb.as_str())]
    WrongStage {
        /// What was tried.
        verb: Verb,
        /// Where the case stands.
        stage: Stage,
    },
    /// The actor is none of those on the line.
    #[error("this post may not do {:?} to this case", .0.as_str())]
    NotAllowed(Verb),
    /// The actor holds a post that does not report.
    #[error("this post does not report; a patrol, call taker, dispatcher, handler or lead does")]
    MayNotReport,
    /// The actor may not accept the case, and so not say by which standard.
    #[error(
        "only who may accept a case there names its standard: a call taker, a dispatcher or the station's lead; leave the standard out"
    )]
    MayNotNameStandard,
    /// Something on the line is missing.
    #[error("{:?} needs {}", .verb.as_str(), .need.phrase())]
    Missing {
        /// What was tried.
        verb: Verb,
        /// What it needs.
        need: Need,
    },
    /// Whoever fixed it cannot verify it.
    #[error("whoever fixed it cannot verify it; another unit's post or the reporter must")]
    FixerCannotVerify,
    /// It was returned so often that the station's lead must decide.
    #[error("it was returned {0} times; the lead of the station must decide now")]
    LeadMustDecide(u8),
    /// It was returned so often, and decided, that it cannot bounce again.
    #[error("it was returned {0} times and the station has decided; it cannot be returned again")]
    NoMoreReturns(u8),
    /// A case is parked once only.
    #[error("it was parked before; a case is parked once only")]
    ParkedBefore,
    /// The date lies in the past or too far ahead.
    #[error("a case is parked until a date from tomorrow to {0}")]
    ParkDate(Date),
    /// The limit was extended often enough.
    #[error("its limit was extended {0} times; no more is allowed")]
    NoMoreExtensions(u8),
    /// An overdue limit is not extended.
    #[error("the limit is over already; only a running one can be extended")]
    Overdue,
    /// The window after closing is over.
    #[error("the window of {0} days after closing is over; please make a new report")]
    WindowOver(u16),
    /// The place has no such service.
    #[error("service {0:?} is unknown here")]
    UnknownService(String),
    /// The service is a group.
    #[error("{0:?} is a group of services; choose a service in it")]
    IsGroup(String),
    /// The service is for staff only.
    #[error("service {0:?} is not open to the public")]
    NotPublic(String),
    /// The place has no such standard for this service.
    #[error("standard {0:?} is unknown for this service")]
    UnknownStandard(String),
    /// The place has no such unit.
    #[error("unit {0:?} is unknown here")]
    UnknownUnit(String),
    /// Routing names nobody, and nobody was named.
    #[error("no unit leads this service in this area; name one")]
    NoLead,
    /// The place has no such area.
    #[error("area {0:?} is unknown here")]
    UnknownArea(String),
    /// The point lies outside the place.
    #[error("the point {lat}, {lon} lies outside this place")]
    OutsidePlace {
        /// Degrees.
        lon: f64,
        /// Degrees.
        lat: f64,
    },
    /// Nothing says where it is.
    #[error("say where it is: a point, an address or an area")]
    NoLocation,
    /// A text is too long.
    #[error("the text has {letters} letters; at most {MAX_TEXT} fit")]
    TextTooLong {
        /// How many it has.
        letters: usize,
    },
    /// Neither words nor a photo.
    #[error("describe the matter in a few words")]
    NoDescription,
    /// Too many photos.
    #[error("a case holds at most {MAX_PHOTOS} photos")]
    TooManyPhotos,
    /// An answer does not fit its question.
    #[error("the answer to {question:?} does not fit: {what}")]
    BadAnswer {
        /// The question's code.
        question: String,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// The outcome is none of work.
    #[error("work cannot end as {:?}; choose resolved, partly_resolved, explained or unfounded", .0.as_str())]
    NotAnOutcomeOfWork(Outcome),
    /// It goes on as another case.
    #[error("it was merged into case {0}, which goes on; look there")]
    MergedInto(CaseNumber),
    /// The case that should take this one in was itself merged into another.
    #[error("that case is a duplicate too; name {0}, into which it was merged")]
    OriginalMerged(CaseNumber),
    /// Those who reported the one would read of the other.
    #[error("these cases are not for the same eyes (class of access); only cases of one class are merged")]
    OtherClass,
    /// A case of a class of access is never public.
    #[error("it is of the class {0:?}, whose cases the public never sees")]
    OfAClass(String),
    /// Enough units have a part in it.
    #[error("{MAX_JOINT} parts were given in this case; what needs more units is several cases")]
    TooManyParts,
    /// Enough cases were split off.
    #[error("{MAX_SPLIT} cases were split off from this one already")]
    TooManySplit,
    /// The date for an answer lies in the past or too far ahead.
    #[error("a question can be answered until a date from tomorrow to {0}")]
    AskDate(Date),
    /// The answers to choose from are none.
    #[error("a question has no choices or 2 to {MAX_CHOICES} different ones of at most {MAX_CHOICE} letters")]
    BadChoices,
    /// The question offers answers, and this is none of them.
    #[error("choose one of the answers that the question offers")]
    NotAChoice,
    /// The case has no such report.
    #[error("the case has no report {0}")]
    NoSuchReport(u32),
    /// The time for the answer is over.
    #[error("the time to answer is over")]
    QuestionOver,
    /// A case cannot be merged into itself.
    #[error("a case is no duplicate of itself")]
    MergedIntoItself,
    /// Only a post can fix on the spot.
    #[error("only a post can fix a matter on the spot")]
    OnlyPostsFix,
    /// The case changed since the sender looked.
    #[error("the case has version {now}, you saw {seen}; look again")]
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
            Self::NotAllowed(_) => "not_allowed",
            Self::MayNotReport => "may_not_report",
            Self::MayNotNameStandard => "may_not_name_standard",
            Self::Missing { .. } => "missing",
            Self::FixerCannotVerify => "fixer_cannot_verify",
            Self::LeadMustDecide(_) => "lead_must_decide",
            Self::NoMoreReturns(_) => "no_more_returns",
            Self::ParkedBefore => "parked_before",
            Self::ParkDate(_) => "park_date",
            Self::NoMoreExtensions(_) => "no_more_extensions",
            Self::Overdue => "overdue",
            Self::WindowOver(_) => "window_over",
            Self::UnknownService(_) => "unknown_service",
            Self::IsGroup(_) => "is_group",
            Self::NotPublic(_) => "not_public",
            Self::UnknownStandard(_) => "unknown_standard",
            Self::UnknownUnit(_) => "unknown_unit",
            Self::NoLead => "no_lead",
            Self::UnknownArea(_) => "unknown_area",
            Self::OutsidePlace { .. } => "outside_place",
            Self::NoLocation => "no_location",
            Self::TextTooLong { .. } => "text_too_long",
            Self::NoDescription => "no_description",
            Self::TooManyPhotos => "too_many_photos",
            Self::BadAnswer { .. } => "bad_answer",
            Self::NotAnOutcomeOfWork(_) => "not_an_outcome_of_work",
            Self::MergedInto(_) => "merged_into",
            Self::OriginalMerged(_) => "original_merged",
            Self::OtherClass => "other_class",
            Self::OfAClass(_) => "of_a_class",
            Self::TooManyParts => "too_many_parts",
            Self::TooManySplit => "too_many_split",
            Self::AskDate(_) => "ask_date",
            Self::BadChoices => "bad_choices",
            Self::NotAChoice => "not_a_choice",
            Self::NoSuchReport(_) => "no_such_report",
            Self::QuestionOver => "question_over",
            Self::MergedIntoItself => "merged_into_itself",
            Self::OnlyPostsFix => "only_posts_fix",
            Self::Stale { .. } => "stale",
        }
    }
}

/// The events of a new report: the report itself, and as far as it goes straight through, its acceptance and
/// assignment; or, fixed on the spot, the work.
pub fn report(new: &NewReport, number: CaseNumber, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    begin(new, number, None, context)
}

/// What a split makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// The events of the case that the part was in.
    pub original: Vec<Event>,
    /// The events of the new case.
    pub part: Vec<Event>,
}

/// Makes a part of a case a case of its own, `number`: described, classified and placed anew by the station's desk. The
/// reports stay with the case they were made for; both logs name the other.
pub fn split(
    case: &Case,
    part: &NewReport,
    number: CaseNumber,
    context: Context<'_>,
) -> Result<Split, Refusal> {
    let act = Act::Split { into: number };
    Ok(Split {
        original: decide(case, &act, &part.description, context)?,
        part: begin(part, number, Some(case), context)?,
    })
}

fn begin(
    new: &NewReport,
    number: CaseNumber,
    split_from: Option<&Case>,
    context: Context<'_>,
) -> Result<Vec<Event>, Refusal> {
    let Context { place, by, .. } = context;
    if !may_report(by, place) {
        return Err(Refusal::MayNotReport);
    }
    let service = reportable(place, &new.service, by)?;
    let description = clean(&new.description)?;
    if description.is_empty() && new.photos.is_empty() {
        return Err(Refusal::NoDescription);
    }
    if new.photos.len() > MAX_PHOTOS {
        return Err(Refusal::TooManyPhotos);
    }
    // What comes from another system, and who reported the whole, was never asked our questions.
    let must_answer = *by != Actor::System && split_from.is_none();
    check_answers(service, &new.answers, must_answer)?;
    let location = locate(place, &new.whereabouts)?;
    let chosen = new
        .standard
        .as_ref()
        .map(|code| standard_of(place, &service.code, code))
        .transpose()?;
    let standard = chosen.or_else(|| place.default_standard(&service.code));

    let access = place.access(service, standard);
    let mut story = Story {
        context,
        case: None,
        events: Vec::with_capacity(3),
        number,
    };
    let triage = standard
        .and_then(|s| s.triage)
        .unwrap_or(place.jurisdiction.settings.triage);
    let clocks = if new.fixed.is_some() {
        vec![]
    } else {
        vec![story.start(ClockKind::Triage, triage, standard)]
    };
    story.tell(
        Body::Reported {
            place_version: place.version,
            service: service.code.clone(),
            channel: new.channel,
            location,
            answers: new.answers.clone(),
            public: service.public && *access == Access::Public && split_from.is_none_or(|case| case.public),
            photos: new.photos.clone(),
            split_from: split_from.map(|case| case.number),
            access: class_of(access, split_from),
        },
        &description,
        clocks,
    );
    // Who names a standard accepts the case by it.
    if chosen.is_some() && !Transition::of(Verb::Accept).permits(by, story.case(), place) {
        return Err(Refusal::MayNotNameStandard);
    }
    if let Some(done) = &new.fixed {
        let done = clean(done)?;
        let Actor::Post { .. } = by else {
            return Err(Refusal::OnlyPostsFix);
        };
        if !Transition::of(Verb::FixOnTheSpot).permits(by, story.case(), place) {
            return Err(Refusal::NotAllowed(Verb::FixOnTheSpot));
        }
        let standard = standard.ok_or_else(|| Refusal::UnknownStandard(service.code.to_string()))?;
        story.accept(&SYSTEM, standard, "");
        story.hand_in(standard, Outcome::Resolved, true, &done);
        return Ok(story.events);
    }
    let unambiguous = chosen.is_some() || place.standards_of(&service.code).count() == 1;
    if let (true, true, Some(standard)) = (
        place.jurisdiction.settings.straight_through,
        unambiguous,
        standard,
    ) {
        let case = story.case();
        let area = case
            .location
            .areas
            .deepest()
            .and_then(|code| place.areas.find(code.as_str()));
        let precise = case.location.areas.at(Level::Community).is_some();
        let lead = area
            .filter(|_| precise)
            .and_then(|area| place.lead(standard, area));
        if let Some(lead) = lead {
            story.accept(&SYSTEM, standard, "");
            story.assign(&SYSTEM, &lead.code, standard, "");
        }
    }
    Ok(story.events)
}

/// The events of a command, or why it is refused. `text` is the reason, resolution or remark that goes with it.
pub fn decide(case: &Case, act: &Act, text: &str, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let Context { place, by, .. } = context;
    // A clock of the machine may step back; a case's log may not.
    let now = context.now.max(case.times.updated_at);
    let context = Context { now, ..context };
    let verb = act.verb();
    let line = Transition::of(verb);
    if !line.from.contains(&case.state.stage()) {
        return Err(Refusal::WrongStage {
            verb,
            stage: case.state.stage(),
        });
    }
    if !line.permits(by, case, place) {
        return Err(Refusal::NotAllowed(verb));
    }
    if let Some(refusal) = unmet(line, case, by, place) {
        return Err(refusal);
    }
    let text = &*clean(text)?;
    if line.needs(Need::Text) && text.is_empty() {
        return Err(Refusal::Missing {
            verb,
            need: Need::Text,
        });
    }
    if let Some(refusal) = untimely(line, case, by, place, now) {
        return Err(refusal);
    }
    let mut story = Story {
        context,
        case: Some(case.clone()),
        events: Vec::with_capacity(1),
        number: case.number,
    };
    match act {
        Act::Accept { standard } => {
            let standard = match standard {
                Some(code) => standard_of(place, &case.service, code)?,
                None => default_standard(place, &case.service)?,
            };
            story.accept(by, standard, text);
        }
        Act::Decline => story.close(Body::Declined, text),
        Act::Merge { into } => {
            if *into == case.number {
                return Err(Refusal::MergedIntoItself);
            }
            story.close(Body::Merged { into: *into }, text);
        }
        Act::Absorb { from, photos } => {
            let room = MAX_PHOTOS.saturating_sub(case.photos.len());
            let is_new = |photo: &&Photo| case.photos.iter().all(|known| known.id != photo.id);
            let photos = photos.iter().filter(is_new).take(room).cloned().collect();
            story.tell(Body::Absorbed { from: *from, photos }, text, vec![]);
        }
        Act::Split { into } => story.tell(Body::Split { into: *into }, text, vec![]),
        Act::Refer => story.close(Body::Referred, text),
        Act::Withdraw => story.close(Body::Withdrawn, text),
        Act::Assign { unit } => {
            let standard = standard_held(place, case)?;
            let lead = match unit {
                Some(code) => place
                    .unit(code.as_str())
                    .ok_or_else(|| Refusal::UnknownUnit(code.to_string()))?,
                None => area_of(place, case)
                    .and_then(|area| place.lead(standard, area))
                    .ok_or(Refusal::NoLead)?,
            };
            // The same unit once more would only set its clocks back.
            if case.lead.as_ref() == Some(&lead.code) {
                return Err(Refusal::Missing {
                    verb,
                    need: Need::Unit,
                });
            }
            story.assign(by, &lead.code, standard, text);
        }
        Act::AssignJoint { unit, limit } => {
            let unit = place
                .unit(unit.as_str())
                .ok_or_else(|| Refusal::UnknownUnit(unit.to_string()))?;
            if case.lead.as_ref() == Some(&unit.code) || open_part(case, &unit.code).is_some() {
                return Err(Refusal::Missing {
                    verb,
                    need: Need::Unit,
                });
            }
            let body = Body::JointAssigned {
                unit: unit.code.clone(),
                due_at: limit.map(|limit| place.calendar.due(now, limit)),
            };
            let turns = story.start_part(&unit.code, *limit);
            story.tell(body, text, turns);
        }
        Act::HandleJoint => {
            let unit = by.unit().ok_or(Refusal::NotAllowed(verb))?.clone();
            let turns = Turns {
                parts: story.stop_parts(|part| *part == unit),
                ..Turns::default()
            };
            story.tell(Body::JointHandled { unit }, text, turns);
        }
        Act::ReleaseJoint { unit } => {
            let part = open_part(case, unit).ok_or(Refusal::Missing {
                verb,
                need: Need::AnyOpenPart,
            })?;
            let unit = part.unit.clone();
            story.tell(Body::JointReleased { unit }, text, vec![]);
        }
        Act::Sign => {
            let stop = story.stop(&[ClockKind::Sign]);
            story.tell(Body::Signed, text, stop);
        }
        Act::ReportIn => {
            let stop = story.stop(&[ClockKind::Sign, ClockKind::ReportIn]);
            story.tell(Body::ReportedIn, text, stop);
        }
        Act::Return { right_unit } => {
            let right = place
                .unit(right_unit.as_str())
                .ok_or_else(|| Refusal::UnknownUnit(right_unit.to_string()))?;
            if case.lead.as_ref() == Some(&right.code) {
                return Err(Refusal::Missing {
                    verb,
                    need: Need::RightUnit,
                });
            }
            let mut clocks = story.stop(OF_UNIT);
            let triage = story.start_triage();
            clocks.extend(story.unless_asked(triage));
            story.tell(
                Body::Returned {
                    right_unit: right.code.clone(),
                },
                text,
                clocks,
            );
        }
        Act::Handle { outcome } => {
            if !Outcome::OF_WORK.contains(outcome) {
                return Err(Refusal::NotAnOutcomeOfWork(*outcome));
            }
            let standard = standard_held(place, case)?;
            story.hand_in(standard, *outcome, false, text);
        }
        Act::Verify => {
            let outcome = case.state.outcome().unwrap_or(Outcome::Resolved);
            story.close(Body::Verified { outcome }, text);
        }
        Act::VerifyPartly => {
            let partly = standard_held(place, case).map_or(Partly::Rework, |standard| standard.partly);
            match partly {
                Partly::Close => {
                    let outcome = Outcome::PartlyResolved;
                    story.close(Body::Verified { outcome }, text);
                }
                Partly::Rework => story.rework(text)?,
            }
        }
        Act::Rework => story.rework(text)?,
        Act::Settle { outcome } => story.close(Body::Settled { outcome: *outcome }, text),
        // Somebody must look at it as at a new report, within the same time.
        Act::RequestReopen => {
            let triage = story.start_triage();
            story.tell(Body::ReopenRequested, text, vec![triage]);
        }
        Act::Reopen => {
            let clocks = if case.lead.is_some() {
                let standard = standard_held(place, case)?;
                let mut clocks = story.stop(&[ClockKind::Triage]);
                clocks.push(story.start(ClockKind::Resolve, standard.resolve, Some(standard)));
                clocks
            } else {
                vec![story.start_triage()]
            };
            let turns = Turns {
                clocks,
                parts: story.start_parts_anew(),
            };
            story.tell(Body::Reopened, text, turns);
        }
        Act::RefuseReopen => story.close(Body::ReopenRefused, text),
        Act::Park { until } => {
            check_park_date(place, now, *until)?;
            story.park(*until, text);
        }
        Act::Resume => {
            let clocks = story.all_run_on();
            story.tell(Body::Resumed, text, clocks);
        }
        Act::Extend => story.extend(text)?,
        Act::AskToPark { until } => {
            check_park_date(place, now, *until)?;
            story.tell(Body::ParkAsked { until: *until }, text, vec![]);
        }
        Act::AskToExtend => story.tell(Body::ExtensionAsked, text, vec![]),
        Act::GrantRequest => {
            let request = case.request.as_ref().ok_or(Refusal::Missing {
                verb,
                need: Need::Request,
            })?;
            // The reason that was given stands, unless the station gives its own.
            let why = if text.is_empty() { &request.why } else { text };
            match request.wish {
                Wish::Park { until } => story.park(until, why),
                Wish::Extend => story.extend(why)?,
            }
        }
        Act::RefuseRequest => story.tell(Body::RequestRefused, text, vec![]),
        Act::Ask {
            of,
            choices,
            until,
            reachable,
        } => story.ask(*of, choices, *until, *reachable, text)?,
        Act::Answer { choice } => {
            let offered = case
                .question
                .as_ref()
                .map_or(&[][..], |question| &question.choices);
            match choice {
                None if offered.is_empty() && text.is_empty() => {
                    return Err(Refusal::Missing {
                        verb,
                        need: Need::Text,
                    });
                }
                None if offered.is_empty() => {}
                Some(choice) if offered.contains(choice) => {}
                _ => return Err(Refusal::NotAChoice),
            }
            let clocks = story.all_run_on();
            let choice = choice.clone();
            story.tell(Body::Answered { choice }, text, clocks);
        }
        Act::Reclassify { service } => {
            let service = reportable(place, service, by)?;
            let standard = match case.state {
                State::Accepted => Some(default_standard(place, &service.code)?.code.clone()),
                _ => None,
            };
            let held = place.default_standard(&service.code);
            let ladder = place.ladder(held);
            let access = place.access(service, held);
            story.tell(
                Body::Reclassified {
                    service: service.code.clone(),
                    standard,
                    public: case.public && service.public && *access == Access::Public,
                    access: class_of(access, case.split_from.and(Some(case))),
                },
                text,
                reckoned(case, ladder, place),
            );
        }
        Act::Relocate { whereabouts } => {
            let location = locate(place, whereabouts)?;
            story.tell(Body::Relocated { location }, text, vec![]);
        }
        Act::Join { channel } => {
            story.tell(
                Body::Joined {
                    report: case.reports + 1,
                    channel: *channel,
                },
                text,
                vec![],
            );
        }
        Act::Comment { public } => story.tell(Body::Commented { public: *public }, text, vec![]),
        Act::AddPhoto { photo } => story.tell(Body::PhotoAdded { photo: photo.clone() }, text, vec![]),
        Act::Rate { rating } => story.tell(Body::Rated { rating: *rating }, text, vec![]),
        Act::Supervise { on, kind } => {
            let kind = on.then_some(*kind);
            story.tell(Body::Supervised { on: *on, kind }, text, vec![]);
        }
        Act::Show { public } => {
            if let Some(class) = case.access.as_ref().filter(|_| *public) {
                return Err(Refusal::OfAClass(class.to_string()));
            }
            story.tell(Body::Shown { public: *public }, text, vec![]);
        }
        Act::Whistle { whistle, stage } => {
            let (whistle, stage) = (*whistle, *stage);
            story.tell(Body::Whistled { whistle, stage }, text, vec![]);
        }
        Act::Reckon => {
            let turns = reckoned(case, place.ladder_of(case), place);
            if !turns.is_empty() {
                story.tell(Body::Reckoned, text, turns);
            }
        }
        Act::Escalate => {
            if let Some(at) = case.next_step_at().filter(|at| *at <= now) {
                let step = case.next_step().filter(|(_, clock)| clock.step_at == Some(at));
                if let Some((part, clock)) = step {
                    story.escalate(part, clock);
                } else {
                    let clocks = story.all_run_on();
                    story.tell(Body::Unanswered, text, clocks);
                }
            }
        }
        Act::Erase {
            contact,
            texts,
            photos,
        } => {
            let (contact, texts, photos) = (*contact, *texts, photos.clone());
            story.tell(
                Body::Erased {
                    contact,
                    texts,
                    photos,
                },
                text,
                vec![],
            );
        }
    }
    Ok(story.events)
}

/// The first need of a line that the case and actor themselves do not meet. What the sender must add is not asked,
/// nor what the time brings: see [`untimely`].
pub(crate) fn unmet(line: &Transition, case: &Case, by: &Actor, place: &Place) -> Option<Refusal> {
    let settings = &place.jurisdiction.settings;
    let flags = &case.flags;
    let missing = |need| Refusal::Missing {
        verb: line.verb,
        need,
    };
    line.needs.iter().find_map(|&need| match need {
        Need::NotFixer => is_fixer(case, by).then_some(Refusal::FixerCannotVerify),
        Need::LeadAfterReturns => {
            let lead = || Who::InStation(Role::Lead).is(by, case, place);
            (is_settled_by_lead(case, settings) && !lead()).then_some(Refusal::LeadMustDecide(flags.returned))
        }
        Need::ReturnsLeft => {
            (flags.returned >= settings.max_returns).then_some(Refusal::NoMoreReturns(flags.returned))
        }
        Need::Parked => flags.parked_until.is_none().then(|| missing(need)),
        Need::NotParked => flags.parked_until.is_some().then(|| missing(need)),
        Need::NotSigned => case.times.signed_at.is_some().then(|| missing(need)),
        Need::NeverParked => flags.was_parked.then_some(Refusal::ParkedBefore),
        Need::ExtensionsLeft => {
            (flags.extended >= settings.max_extensions).then_some(Refusal::NoMoreExtensions(flags.extended))
        }
        Need::OnlyReport => (case.reports > 1 || matches!(by, Actor::Reporter { report } if *report != 1))
            .then(|| missing(need)),
        Need::PhotosLeft => (case.photos.len() >= MAX_PHOTOS).then_some(Refusal::TooManyPhotos),
        Need::AtReport => Some(missing(need)),
        Need::OwnOpenPart => {
            let own = by.unit().and_then(|unit| open_part(case, unit));
            own.is_none().then(|| missing(need))
        }
        Need::AnyOpenPart => (!case.has_open_part()).then(|| missing(need)),
        Need::PartsDone => case.has_open_part().then(|| missing(need)),
        Need::JointRoom => (case.joint.len() >= MAX_JOINT).then_some(Refusal::TooManyParts),
        Need::SplitRoom => (case.split_into.len() >= MAX_SPLIT).then_some(Refusal::TooManySplit),
        Need::NotMerged => case.duplicate_of.map(Refusal::MergedInto),
        Need::Request => match &case.request {
            None => Some(missing(need)),
            Some(request) => unmet(wished(request.wish), case, by, place),
        },
        Need::AnyRequest => case.request.is_none().then(|| missing(need)),
        Need::NoRequest => case.request.is_some().then(|| missing(need)),
        Need::Question => case.question.is_none().then(|| missing(need)),
        Need::NoQuestion => case.question.is_some().then(|| missing(need)),
        Need::Text
        | Need::Unit
        | Need::RightUnit
        | Need::Outcome
        | Need::Original
        | Need::Until
        | Need::Service
        | Need::Location
        | Need::Rating
        | Need::Window
        | Need::NotOverdue
        | Need::ReporterFirst => None,
    })
}

/// The first need of a line for which it is too early or too late.
pub(crate) fn untimely(
    line: &Transition,
    case: &Case,
    by: &Actor,
    place: &Place,
    now: Timestamp,
) -> Option<Refusal> {
    line.needs.iter().find_map(|&need| match need {
        Need::Window => {
            let days = place.jurisdiction.settings.reopen_days;
            (!case.may_reopen(now, place)).then_some(Refusal::WindowOver(days))
        }
        Need::NotOverdue => {
            let resolve = case.clocks.get(ClockKind::Resolve);
            resolve
                .is_none_or(|clock| clock.is_overdue(now))
                .then_some(Refusal::Overdue)
        }
        Need::ReporterFirst => must_wait_for_reporter(case, by, place, now).then_some(Refusal::Missing {
            verb: line.verb,
            need,
        }),
        Need::Request => match case.request.as_ref()?.wish {
            Wish::Park { until } => check_park_date(place, now, until).err(),
            Wish::Extend => None,
        },
        Need::Question => (case.question.as_ref()?.until <= now).then_some(Refusal::QuestionOver),
        _ => None,
    })
}

/// Whether it bounced so often that only the station's lead may say what becomes of it.
fn is_settled_by_lead(case: &Case, settings: &Settings) -> bool {
    case.flags.returned > 0 && case.flags.returned >= settings.max_returns
}

/// The line of what a unit asks for.
fn wished(wish: Wish) -> &'static Transition {
    Transition::of(match wish {
        Wish::Park { .. } => Verb::Park,
        Wish::Extend => Verb::Extend,
    })
}

/// The part of a unit that it is still at work on.
fn open_part<'c>(case: &'c Case, unit: &UnitCode) -> Option<&'c JointPart> {
    case.joint
        .iter()
        .find(|part| part.is_open() && part.unit == *unit)
}

/// The latest day up to which somebody may be given time to answer, from today.
const MAX_ASK_DAYS: i64 = 30;

/// How many questions of the unit that has a case let its clocks stand; after those its station decides, by parking or more time.
pub const MAX_STANDING_QUESTIONS: u8 = 2;

fn check_park_date(place: &Place, now: Timestamp, until: Date) -> Result<(), Refusal> {
    let today = place.calendar.zone().to_datetime(now).date();
    let days = i64::from(place.jurisdiction.settings.max_park_days);
    let last = today.saturating_add(jiff::Span::new().days(days));
    if until <= today || until > last {
        return Err(Refusal::ParkDate(last));
    }
    Ok(())
}

fn check_choices(choices: &[String]) -> Result<Vec<String>, Refusal> {
    let mut kept: Vec<String> = Vec::with_capacity(choices.len());
    for choice in choices {
        let choice = clean(choice)?;
        let fits = !choice.is_empty() && choice.chars().count() <= MAX_CHOICE;
        if !fits || kept.iter().any(|known| *known == choice) {
            return Err(Refusal::BadChoices);
        }
        kept.push(choice.into_owned());
    }
    if kept.len() == 1 || kept.len() > MAX_CHOICES {
        return Err(Refusal::BadChoices);
    }
    Ok(kept)
}

/// Whether this is the unit or the person who did the work, or a part of it. A pick-up code is theirs too when they reported the
/// matter themselves, not when they took somebody's call.
fn is_fixer(case: &Case, by: &Actor) -> bool {
    let joint = case.joint.iter();
    let joint = joint.map(|part| (&part.unit, part.handed_in.as_ref().map(|done| done.account)));
    let lead = case.fixer.iter().map(|fixer| (&fixer.unit, Some(fixer.account)));
    let mut fixers = lead.chain(joint);
    match (by, &case.reporter) {
        (Actor::Post { unit, account, .. }, _) => {
            fixers.any(|(theirs, by)| theirs == unit || by == Some(*account))
        }
        (Actor::Reporter { report: 1 }, Actor::Post { unit, account, .. }) => {
            let for_somebody = matches!(case.channel, Channel::Phone | Channel::Counter);
            fixers.any(|(theirs, by)| by == Some(*account) || (theirs == unit && !for_somebody))
        }
        _ => false,
    }
}

/// Where the standard leaves the verification to the reporter, another post steps in when its limit is over.
fn must_wait_for_reporter(case: &Case, by: &Actor, place: &Place, now: Timestamp) -> bool {
    let Actor::Post { post, .. } = by else {
        return false;
    };
    let reported_it = matches!(&case.reporter, Actor::Post { post: reporting, .. } if reporting == post);
    let asks_reporter = case
        .standard
        .as_ref()
        .and_then(|code| place.standard(code.as_str()))
        .is_some_and(|standard| standard.verification == Verification::Reporter);
    asks_reporter
        && !reported_it
        && !case.flags.on_the_spot
        && case
            .clocks
            .get(ClockKind::Verify)
            .is_some_and(|clock| clock.is_running() && !clock.is_overdue(now))
}

fn reportable<'p>(place: &'p Place, code: &ServiceCode, by: &Actor) -> Result<&'p Service, Refusal> {
    let service = place
        .service(code.as_str())
        .ok_or_else(|| Refusal::UnknownService(code.to_string()))?;
    if service.is_group() {
        return Err(Refusal::IsGroup(code.to_string()));
    }
    let outsider = matches!(by, Actor::Reporter { .. } | Actor::Public | Actor::Client { .. });
    if outsider && !service.public {
        return Err(Refusal::NotPublic(code.to_string()));
    }
    Ok(service)
}

fn standard_of<'p>(
    place: &'p Place,
    service: &ServiceCode,
    code: &StandardCode,
) -> Result<&'p Standard, Refusal> {
    place
        .standard(code.as_str())
        .filter(|s| s.service == *service)
        .ok_or_else(|| Refusal::UnknownStandard(code.to_string()))
}

fn standard_held<'p>(place: &'p Place, case: &Case) -> Result<&'p Standard, Refusal> {
    let held = case
        .standard
        .as_ref()
        .and_then(|code| place.standard(code.as_str()));
    held.map_or_else(|| default_standard(place, &case.service), Ok)
}

fn default_standard<'p>(place: &'p Place, service: &ServiceCode) -> Result<&'p Standard, Refusal> {
    place
        .default_standard(service)
        .ok_or_else(|| Refusal::UnknownService(service.to_string()))
}

/// When the next step of a clock is due.
fn next_step(clock: &Clock, ladder: &Ladder, place: &Place) -> Option<Timestamp> {
    ladder.next(clock, &place.calendar).map(|(_, at)| at)
}

/// What an event does to the clocks of a case and to those of the parts in it.
#[derive(Default)]
struct Turns {
    clocks: Vec<ClockChange>,
    parts: Vec<UnitClock>,
}

impl Turns {
    fn is_empty(&self) -> bool {
        self.clocks.is_empty() && self.parts.is_empty()
    }
}

impl From<Vec<ClockChange>> for Turns {
    fn from(clocks: Vec<ClockChange>) -> Self {
        Self {
            clocks,
            parts: Vec::new(),
        }
    }
}

/// The class of access of a case by its service and standard. A part is for no more eyes than the whole was: what it `has` from that
/// it keeps.
fn class_of(access: &Access, has: Option<&Case>) -> Option<AccessClass> {
    access.class().or_else(|| has?.access.as_ref()).cloned()
}

/// The running clocks of a case and of its parts that are due at other times by this calendar and ladder, themselves or
/// their next steps.
fn reckoned(case: &Case, ladder: &Ladder, place: &Place) -> Turns {
    let anew = |c: &Clock| {
        let due_at = c.reckon(&place.calendar);
        let next = ladder.next_until(c, due_at, &place.calendar);
        let step_at = next.map(|(_, at)| at);
        let differs = (c.due_at, c.step_at) != (due_at, step_at);
        (c.is_running() && differs).then_some(ClockChange::Reckon {
            kind: c.kind,
            due_at,
            step_at,
        })
    };
    Turns {
        clocks: case.clocks.all().iter().filter_map(anew).collect(),
        parts: parts_where(case, anew),
    }
}

/// What happens to the clocks of the open parts, as far as it says.
fn parts_where<C: IntoIterator<Item = ClockChange>>(
    case: &Case,
    changes: impl Fn(&Clock) -> C,
) -> Vec<UnitClock> {
    case.part_clocks()
        .flat_map(|(unit, clock)| {
            let of_unit = |change| UnitClock {
                unit: unit.clone(),
                change,
            };
            changes(clock).into_iter().map(of_unit)
        })
        .collect()
}

/// The clocks that run for the unit that has a case.
const OF_UNIT: &[ClockKind] = &[ClockKind::Sign, ClockKind::ReportIn, ClockKind::Resolve];

/// The area of a case in the grid of today; the next one above that still exists.
pub fn area_of(place: &Place, case: &Case) -> Option<AreaIndex> {
    case.location
        .areas
        .0
        .iter()
        .rev()
        .flatten()
        .find_map(|code| place.areas.find(code.as_str()))
}

/// Finds the areas of a location: by its point, else its area, else a place name in its address.
pub fn locate(place: &Place, whereabouts: &Whereabouts) -> Result<Location, Refusal> {
    let address = clean(&whereabouts.address)?.into_owned();
    let index = if let Some(point) = whereabouts.point {
        place.areas.locate(point).ok_or(Refusal::OutsidePlace {
            lon: point.lon,
            lat: point.lat,
        })?
    } else if let Some(code) = &whereabouts.area {
        place
            .areas
            .find(code.as_str())
            .ok_or_else(|| Refusal::UnknownArea(code.to_string()))?
    } else if address.is_empty() {
        return Err(Refusal::NoLocation);
    } else {
        place.areas.named_in(&address)
    };
    Ok(Location {
        point: whereabouts.point,
        address,
        areas: place.areas.path(index),
    })
}

/// A text without blanks around it and without control characters, which no database and no XML takes; line breaks and
/// tabs stay.
pub(crate) fn clean(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let text = text.trim();
    if text.len() > MAX_TEXT {
        let letters = text.chars().count();
        if letters > MAX_TEXT {
            return Err(Refusal::TextTooLong { letters });
        }
    }
    let unfit = |c: char| c < ' ' && !matches!(c, '\n' | '\r' | '\t');
    Ok(if text.contains(unfit) {
        Cow::Owned(text.replace(unfit, ""))
    } else {
        Cow::Borrowed(text)
    })
}

/// The most letters of an answer.
const MAX_ANSWER: usize = 1000;

fn check_answers(service: &Service, answers: &[Answer], must_answer: bool) -> Result<(), Refusal> {
    let bad = |question: &str, what: &str| {
        Err(Refusal::BadAnswer {
            question: question.to_owned(),
            what: what.to_owned(),
        })
    };
    for (nth, answer) in answers.iter().enumerate() {
        if answers[..nth].iter().any(|a| a.question == answer.question) {
            return bad(&answer.question, "it is answered twice");
        }
        let Some(question) = service
            .questions
            .iter()
            .find(|q| q.code == answer.question && q.variable)
        else {
            return bad(&answer.question, "this service does not ask it");
        };
        if answer.values.iter().any(|v| v.chars().count() > MAX_ANSWER) {
            return bad(&answer.question, "it is longer than 1000 letters");
        }
        if question.datatype != Datatype::MultiValueList && answer.values.len() > 1 {
            return bad(&answer.question, "it takes one value");
        }
        if answer.values.len() > question.values.len().max(1) {
            return bad(&answer.question, "it has fewer values to choose from");
        }
        for value in answer.values.iter().filter(|v| !v.is_empty()) {
            let fits = match question.datatype {
                Datatype::String | Datatype::Text => true,
                Datatype::Number => value.trim().parse::<f64>().is_ok_and(f64::is_finite),
                Datatype::Datetime => {
                    value.parse::<Timestamp>().is_ok() || value.parse::<jiff::civil::DateTime>().is_ok()
                }
                Datatype::SingleValueList | Datatype::MultiValueList => {
                    question.values.iter().any(|(key, _)| key == value)
                }
            };
            if !fits {
                return bad(
                    &answer.question,
                    match question.datatype {
                        Datatype::Number => "write a number",
                        Datatype::Datetime => "write a date and time, 2026-05-08T10:20:00Z",
                        _ => "choose one of its values",
                    },
                );
            }
        }
    }
    let answered = |code: &str| {
        answers
            .iter()
            .any(|a| a.question == code && a.values.iter().any(|v| !v.trim().is_empty()))
    };
    match service
        .questions
        .iter()
        .find(|q| must_answer && q.required && q.variable && !answered(&q.code))
    {
        Some(question) => bad(&question.code, "it must be answered"),
        None => Ok(()),
    }
}

static SYSTEM: Actor = Actor::System;

/// Events in the making: each is folded into the case at once, so that the next sees what it did.
struct Story<'a> {
    context: Context<'a>,
    case: Option<Case>,
    events: Vec<Event>,
    number: CaseNumber,
}

impl Story<'_> {
    fn case(&self) -> &Case {
        self.case
            .as_ref()
            .expect("a story is told from its first event on")
    }

    fn tell(&mut self, body: Body, text: &str, turns: impl Into<Turns>) {
        self.tell_of(self.context.by, body, text, turns);
    }

    fn tell_of(&mut self, by: &Actor, body: Body, text: &str, turns: impl Into<Turns>) {
        let Turns { clocks, parts } = turns.into();
        let event = Event {
            at: self.context.now,
            made_at: None,
            by: by.clone(),
            salt: if body.is_told() {
                self.context.chance.to_bits()
            } else {
                0
            },
            body,
            text: text.to_owned(),
            clocks,
            parts,
        };
        let folded: Result<(), FoldError> = match &mut self.case {
            Some(case) => case.apply(&event),
            None => Case::begin(self.number, &event).map(|case| self.case = Some(case)),
        };
        debug_assert!(folded.is_ok(), "{folded:?}");
        self.events.push(event);
    }

    fn start(&self, kind: ClockKind, limit: Limit, standard: Option<&Standard>) -> ClockChange {
        let Context { place, now, .. } = self.context;
        let calendar = &place.calendar;
        let due_at = calendar.due(now, limit);
        let clock = Clock::started(kind, limit, now, due_at);
        let first = place.ladder(standard).next_until(&clock, due_at, calendar);
        ClockChange::Start {
            kind,
            limit,
            from: None,
            due_at,
            step_at: first.map(|(_, at)| at),
        }
    }

    /// The clock by which the station must have decided what becomes of the case.
    fn start_triage(&self) -> ClockChange {
        let place = self.context.place;
        let standard = standard_held(place, self.case()).ok();
        let triage = standard.and_then(|standard| standard.triage);
        let limit = triage.unwrap_or(place.jurisdiction.settings.triage);
        self.start(ClockKind::Triage, limit, standard)
    }

    fn live(&self, kinds: &[ClockKind], wanted: impl Fn(&Clock) -> bool) -> Vec<ClockKind> {
        let clocks = self.case().clocks.all();
        clocks
            .iter()
            .filter(|c| kinds.contains(&c.kind) && wanted(c))
            .map(|c| c.kind)
            .collect()
    }

    fn stop(&self, kinds: &[ClockKind]) -> Vec<ClockChange> {
        let clocks = self.case().clocks.all().iter();
        let of_kinds = clocks.filter(|clock| kinds.contains(&clock.kind));
        of_kinds.flat_map(|clock| self.stops(clock)).collect()
    }

    /// That a clock is stopped for good, unless it is already. One that stands has run since what it waited for was over.
    fn stops(&self, clock: &Clock) -> Vec<ClockChange> {
        if clock.stopped_at.is_some() {
            return vec![];
        }
        let since = self.waited_until();
        let ran = clock.is_paused() && since < self.context.now;
        let runs_on = ran.then(|| self.run_on(clock, since));
        let stop = ClockChange::Stop { kind: clock.kind };
        runs_on.into_iter().chain([stop]).collect()
    }

    /// Since when what stands runs on, if it does now. A wait ends when it was to end, whoever notices that and when.
    fn waited_until(&self) -> Timestamp {
        let Context { place, now, .. } = self.context;
        let case = self.case();
        let parked = case.flags.parked_until.map(|date| place.calendar.start_of(date));
        let asked = case.question.as_ref().map(|question| question.until);
        parked.or(asked).map_or(now, |end| end.min(now))
    }

    /// That a clock which stood runs on, since the end of what it waited for.
    fn run_on(&self, clock: &Clock, since: Timestamp) -> ClockChange {
        let Context { place, now, .. } = self.context;
        let mut clock = clock.clone();
        resume(&mut clock, since);
        ClockChange::Resume {
            kind: clock.kind,
            due_at: clock.reckon(&place.calendar),
            step_at: next_step(&clock, place.ladder_of(self.case()), place),
            since: (since < now).then_some(since),
        }
    }

    /// That the limit of a clock is added once more.
    fn extended(&self, clock: &Clock) -> ClockChange {
        let place = self.context.place;
        let mut clock = clock.clone();
        clock.extensions = clock.extensions.saturating_add(1);
        ClockChange::Extend {
            kind: clock.kind,
            due_at: clock.reckon(&place.calendar),
            step_at: next_step(&clock, place.ladder_of(self.case()), place),
        }
    }

    /// The clock of a unit's new part, where the desk sets a limit. As long as the reporter's papers are awaited it stands.
    fn start_part(&self, unit: &UnitCode, limit: Option<Limit>) -> Turns {
        let standard = standard_held(self.context.place, self.case()).ok();
        let begins = limit.map(|limit| self.start(ClockKind::Joint, limit, standard));
        let changes = begins.into_iter().flat_map(|begins| self.unless_asked(begins));
        let of_unit = |change| UnitClock {
            unit: unit.clone(),
            change,
        };
        Turns {
            parts: changes.map(of_unit).collect(),
            ..Turns::default()
        }
    }

    /// The limits of the parts that were open when the case was closed begin anew, as that of the work does.
    fn start_parts_anew(&self) -> Vec<UnitClock> {
        let standard = standard_held(self.context.place, self.case()).ok();
        parts_where(self.case(), |clock| {
            Some(self.start(clock.kind, clock.limit, standard))
        })
    }

    fn stop_parts(&self, whose: impl Fn(&UnitCode) -> bool) -> Vec<UnitClock> {
        let mut parts = parts_where(self.case(), |clock| self.stops(clock));
        parts.retain(|part| whose(&part.unit));
        parts
    }

    /// Takes the step of a clock that is due, of the whole or of a unit's part; where it is due later by now, by another
    /// calendar or ladder, notes that.
    fn escalate(&mut self, part: Option<&UnitCode>, clock: &Clock) {
        let Context { place, now, .. } = self.context;
        let ladder = place.ladder_of(self.case());
        let of = |change: ClockChange| match part {
            None => Turns::from(vec![change]),
            Some(unit) => Turns {
                parts: vec![UnitClock {
                    unit: unit.clone(),
                    change,
                }],
                ..Turns::default()
            },
        };
        match ladder.next(clock, &place.calendar) {
            Some((rung, due_at)) if due_at <= now => {
                let told = rung.to.told(clock.kind, part, self.case(), place);
                let mut after = clock.clone();
                after.steps_fired = after.steps_fired.saturating_add(1);
                let body = Body::Escalated {
                    clock: clock.kind,
                    part: part.cloned(),
                    step: after.steps_fired,
                    due_at,
                    level: told.level,
                    unit: told.unit,
                    post: told.post,
                };
                let step = ClockChange::Step {
                    kind: clock.kind,
                    step_at: next_step(&after, ladder, place),
                };
                self.tell(body, "", of(step));
            }
            next => {
                let reckon = ClockChange::Reckon {
                    kind: clock.kind,
                    due_at: clock.reckon(&place.calendar),
                    step_at: next.map(|(_, at)| at),
                };
                self.tell(Body::Reckoned, "", of(reckon));
            }
        }
    }

    /// Lets those of the clocks that run stand still.
    fn stand(&self, which: impl Fn(&Clock) -> bool) -> Turns {
        let pause = |kind| ClockChange::Pause { kind };
        let stands = |clock: &Clock| clock.is_running() && which(clock);
        let clocks = self.live(&ClockKind::OF_CASE, stands).into_iter();
        Turns {
            clocks: clocks.map(pause).collect(),
            parts: parts_where(self.case(), |clock| stands(clock).then_some(pause(clock.kind))),
        }
    }

    /// Asks a question. The clocks wait for the papers of a reporter who can be reached, and for nobody else's. The unit whose
    /// clocks they are lets them stand but so often, for no longer than its limit, and not once that is over.
    fn ask(
        &mut self,
        of: Respondent,
        choices: &[String],
        until: Date,
        reachable: bool,
        text: &str,
    ) -> Result<(), Refusal> {
        let Context { place, now, by, .. } = self.context;
        let case = self.case();
        if let Respondent::Reporter { report } = of
            && !(1..=case.reports).contains(&report)
        {
            return Err(Refusal::NoSuchReport(report));
        }
        let choices = check_choices(choices)?;
        let zone = place.calendar.zone();
        let today = zone.to_datetime(now).date();
        let mut last = today.saturating_add(jiff::Span::new().days(MAX_ASK_DAYS));
        let mut stand = reachable && matches!(of, Respondent::Reporter { .. });
        if stand && case.lead.is_some() && by.unit() == case.lead.as_ref() {
            let resolve = case.clocks.get(ClockKind::Resolve);
            let in_time = resolve.is_some_and(|clock| !clock.is_overdue(now));
            stand = in_time && case.flags.asked < MAX_STANDING_QUESTIONS;
            if stand {
                let limit = standard_held(place, case)?.resolve;
                let over = zone.to_datetime(place.calendar.due(now, limit)).date();
                let tomorrow = today.saturating_add(jiff::Span::new().days(1));
                last = over.clamp(tomorrow, last);
            }
        }
        if until <= today || until > last {
            return Err(Refusal::AskDate(last));
        }
        let until = place.calendar.start_of(until);
        // What is over already stays so, and is told of further up.
        let pauses = if stand {
            self.stand(|clock| !clock.is_overdue(now))
        } else {
            Turns::default()
        };
        let body = Body::Asked {
            of,
            choices,
            until,
            runs_on: !stand && matches!(of, Respondent::Reporter { .. }),
        };
        self.tell(body, text, pauses);
        Ok(())
    }

    /// A clock that begins to run; it stands at once while the clocks wait for a reporter's answer.
    fn unless_asked(&self, begins: ClockChange) -> impl Iterator<Item = ClockChange> {
        let waits = self.case().question.as_ref().is_some_and(Question::stops_clocks);
        let stands = waits.then(|| ClockChange::Pause { kind: begins.kind() });
        std::iter::once(begins).chain(stands)
    }

    /// Lets the clocks that stand still run on.
    fn all_run_on(&self) -> Turns {
        let since = self.waited_until();
        let clocks = self.case().clocks.all().iter();
        let standing = clocks.filter(|clock| ClockKind::OF_CASE.contains(&clock.kind) && clock.is_paused());
        Turns {
            clocks: standing.map(|clock| self.run_on(clock, since)).collect(),
            parts: parts_where(self.case(), |clock| {
                clock.is_paused().then(|| self.run_on(clock, since))
            }),
        }
    }

    fn park(&mut self, until: Date, text: &str) {
        let clocks = self.stand(|_| true);
        self.tell(Body::Parked { until }, text, clocks);
    }

    /// Adds the limit of the work once more, and to each part that is in time its own.
    fn extend(&mut self, text: &str) -> Result<(), Refusal> {
        let now = self.context.now;
        let resolve = self.case().clocks.get(ClockKind::Resolve);
        let turns = Turns {
            clocks: vec![self.extended(resolve.ok_or(Refusal::Overdue)?)],
            parts: parts_where(self.case(), |clock| {
                let in_time = clock.is_running() && !clock.is_overdue(now);
                in_time.then(|| self.extended(clock))
            }),
        };
        self.tell(Body::Extended, text, turns);
        Ok(())
    }

    fn rework(&mut self, text: &str) -> Result<(), Refusal> {
        let mut clocks = self.stop(&[ClockKind::Verify]);
        // Work done on the spot had no limit to run on.
        clocks.push(
            if let Some(resolve) = self.case().clocks.get(ClockKind::Resolve) {
                self.run_on(resolve, self.context.now)
            } else {
                let standard = standard_held(self.context.place, self.case())?;
                self.start(ClockKind::Resolve, standard.resolve, Some(standard))
            },
        );
        self.tell(Body::Reworked, text, clocks);
        Ok(())
    }

    fn close(&mut self, body: Body, text: &str) {
        let stop = Turns {
            clocks: self.stop(&ClockKind::OF_CASE),
            parts: self.stop_parts(|_| true),
        };
        self.tell(body, text, stop);
    }

    /// Takes the case on under a standard, by whose ladder the clocks that run climb from now on.
    fn accept(&mut self, by: &Actor, standard: &Standard, text: &str) {
        let place = self.context.place;
        let (before, ladder) = (place.ladder_of(self.case()), place.ladder(Some(standard)));
        let clocks = if before == ladder {
            Turns::default()
        } else {
            reckoned(self.case(), ladder, place)
        };
        let service = place.service(self.case().service.as_str());
        let access = service.map(|service| place.access(service, Some(standard)));
        let body = Body::Accepted {
            standard: standard.code.clone(),
            access: class_of(
                access.unwrap_or(&Access::Staff),
                self.case().split_from.and(Some(self.case())),
            ),
        };
        self.tell_of(by, body, text, clocks);
        if self.case().public && access.is_some_and(|access| *access != Access::Public) {
            self.tell_of(&SYSTEM, Body::Shown { public: false }, "", Turns::default());
        }
    }

    fn assign(&mut self, by: &Actor, unit: &UnitCode, standard: &Standard, text: &str) {
        let mut clocks = self.stop(&[ClockKind::Triage, ClockKind::Sign, ClockKind::ReportIn]);
        let settings = &self.context.place.jurisdiction.settings;
        let limits = [
            (ClockKind::Sign, standard.sign.or(settings.sign)),
            (ClockKind::ReportIn, standard.report_in),
            (ClockKind::Resolve, Some(standard.resolve)),
        ];
        for (kind, limit) in limits {
            if let Some(limit) = limit {
                let begins = self.start(kind, limit, Some(standard));
                clocks.extend(self.unless_asked(begins));
            }
        }
        self.tell_of(by, Body::Assigned { unit: unit.clone() }, text, clocks);
    }

    /// Hands in work. Self-checked work that was not drawn for a re-check is closed with it.
    fn hand_in(&mut self, standard: &Standard, outcome: Outcome, on_the_spot: bool, text: &str) {
        let settings = &self.context.place.jurisdiction.settings;
        let self_check = standard.verification == Verification::SelfCheck;
        let recheck = self_check && self.context.chance < settings.recheck_share;
        let mut clocks = self.stop(&[ClockKind::Triage]);
        clocks.extend(self.stop(OF_UNIT));
        let closes = self_check && !recheck;
        if !closes {
            let limit = standard.verify.unwrap_or(settings.verify);
            clocks.push(self.start(ClockKind::Verify, limit, Some(standard)));
        }
        self.tell(
            Body::Handled {
                outcome,
                on_the_spot,
                recheck,
            },
            text,
            clocks,
        );
        if closes {
            // The standard's rule closes it, not the one who did the work.
            self.tell_of(&SYSTEM, Body::Verified { outcome }, "", vec![]);
        }
    }
}
