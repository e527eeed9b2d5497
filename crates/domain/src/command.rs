//! Commands: given a case, what somebody wants to do, the place and the time, the events it makes, or why not.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    case::{
        Actor, Answer, Body, Case, Channel, Event, FoldError, Location, MAX_PHOTOS, MAX_TEXT, Outcome, Photo,
        Rating, Stage, State,
    },
    clock::{ClockChange, ClockKind, resume},
    geometry::Point,
    limit::Limit,
    place::{AreaIndex, Datatype, Level, Place, Service, Standard, Verification},
    rights::Role,
    transition::{Need, Transition, Verb},
    words::{AreaCode, CaseNumber, ServiceCode, StandardCode, UnitCode},
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
    },
    /// See [`Verb::Show`].
    Show {
        /// Whether it is shown.
        public: bool,
    },
    /// See [`Verb::Reckon`].
    Reckon,
}

impl Act {
    /// The verb, and with it the line of the table.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Accept { .. } => Verb::Accept,
            Self::Decline => Verb::Decline,
            Self::Merge { .. } => Verb::Merge,
            Self::Refer => Verb::Refer,
            Self::Withdraw => Verb::Withdraw,
            Self::Assign { .. } => Verb::Assign,
            Self::ReportIn => Verb::ReportIn,
            Self::Return { .. } => Verb::Return,
            Self::Handle { .. } => Verb::Handle,
            Self::Verify => Verb::Verify,
            Self::Rework => Verb::Rework,
            Self::Settle { .. } => Verb::Settle,
            Self::RequestReopen => Verb::RequestReopen,
            Self::Reopen => Verb::Reopen,
            Self::RefuseReopen => Verb::RefuseReopen,
            Self::Park { .. } => Verb::Park,
            Self::Resume => Verb::Resume,
            Self::Extend => Verb::Extend,
            Self::Reclassify { .. } => Verb::Reclassify,
            Self::Relocate { .. } => Verb::Relocate,
            Self::Join { .. } => Verb::Join,
            Self::Comment { .. } => Verb::Comment,
            Self::AddPhoto { .. } => Verb::AddPhoto,
            Self::Rate { .. } => Verb::Rate,
            Self::Supervise { .. } => Verb::Supervise,
            Self::Show { .. } => Verb::Show,
            Self::Reckon => Verb::Reckon,
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
    /// The standard, when a member of staff chose one.
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
    /// Something on the line is missing.
    #[error("{:?} needs {need:?}", .verb.as_str())]
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
            Self::MergedIntoItself => "merged_into_itself",
            Self::OnlyPostsFix => "only_posts_fix",
            Self::Stale { .. } => "stale",
        }
    }
}

/// The events of a new report: the report itself, and as far as it goes straight through, its acceptance and
/// assignment; or, fixed on the spot, the work.
pub fn report(new: &NewReport, number: CaseNumber, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let Context { place, now, by, .. } = context;
    let service = reportable(place, &new.service, by)?;
    check_text(&new.description)?;
    if new.description.trim().is_empty() && new.photos.is_empty() {
        return Err(Refusal::NoDescription);
    }
    if new.photos.len() > MAX_PHOTOS {
        return Err(Refusal::TooManyPhotos);
    }
    // What comes from another system was never asked our questions.
    let must_answer = *by != Actor::System;
    check_answers(service, &new.answers, must_answer)?;
    let location = locate(place, &new.whereabouts)?;
    let chosen = new
        .standard
        .as_ref()
        .map(|code| standard_of(place, &service.code, code))
        .transpose()?;
    let standard = chosen.or_else(|| place.default_standard(&service.code));

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
        vec![story.start(ClockKind::Triage, triage)]
    };
    story.tell(
        Body::Reported {
            place_version: place.version,
            service: service.code.clone(),
            channel: new.channel,
            location,
            answers: new.answers.clone(),
            public: service.public,
            photos: new.photos.clone(),
        },
        new.description.trim(),
        clocks,
    );
    if let Some(done) = &new.fixed {
        check_text(done)?;
        let Actor::Post { .. } = by else {
            return Err(Refusal::OnlyPostsFix);
        };
        let standard = standard.ok_or_else(|| Refusal::UnknownStandard(service.code.to_string()))?;
        let text = if done.trim().is_empty() { "" } else { done.trim() };
        story.tell(
            Body::Accepted {
                standard: standard.code.clone(),
            },
            "",
            vec![],
        );
        story.hand_in(standard, Outcome::Resolved, true, text);
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
            let system = Story {
                context: Context {
                    by: &Actor::System,
                    now,
                    ..context
                },
                ..story
            };
            let mut story = system;
            story.tell(
                Body::Accepted {
                    standard: standard.code.clone(),
                },
                "",
                vec![],
            );
            story.assign(&lead.code, standard);
            return Ok(story.events);
        }
    }
    Ok(story.events)
}

/// The events of a command, or why it is refused. `text` is the reason, resolution or remark that goes with it.
pub fn decide(case: &Case, act: &Act, text: &str, context: Context<'_>) -> Result<Vec<Event>, Refusal> {
    let Context { place, now, by, .. } = context;
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
    let text = text.trim();
    check_text(text)?;
    if line.needs(Need::Text) && text.is_empty() {
        return Err(Refusal::Missing {
            verb,
            need: Need::Text,
        });
    }
    let settings = &place.jurisdiction.settings;
    if line.needs(Need::Window) && !within_window(case, now, settings.reopen_days) {
        return Err(Refusal::WindowOver(settings.reopen_days));
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
                None => place
                    .default_standard(&case.service)
                    .ok_or_else(|| Refusal::UnknownService(case.service.to_string()))?,
            };
            story.tell(
                Body::Accepted {
                    standard: standard.code.clone(),
                },
                text,
                vec![],
            );
        }
        Act::Decline => story.close(Body::Declined, text),
        Act::Merge { into } => {
            if *into == case.number {
                return Err(Refusal::MergedIntoItself);
            }
            story.close(Body::Merged { into: *into }, text);
        }
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
            story.assign(&lead.code, standard);
            story.say(text);
        }
        Act::ReportIn => {
            let stop = story.stop(&[ClockKind::ReportIn]);
            story.tell(Body::ReportedIn, text, stop);
        }
        Act::Return { right_unit } => {
            if case.flags.returned > settings.max_returns {
                return Err(Refusal::NoMoreReturns(case.flags.returned));
            }
            let right = place
                .unit(right_unit.as_str())
                .filter(|unit| Some(&unit.code) != case.lead.as_ref())
                .ok_or_else(|| Refusal::UnknownUnit(right_unit.to_string()))?;
            let triage = standard_held(place, case)
                .ok()
                .and_then(|s| s.triage)
                .unwrap_or(settings.triage);
            let mut clocks = story.stop(&[ClockKind::ReportIn, ClockKind::Resolve]);
            clocks.push(story.start(ClockKind::Triage, triage));
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
        Act::Rework => {
            let mut clocks = story.stop(&[ClockKind::Verify]);
            clocks.extend(story.run_on(ClockKind::Resolve));
            story.tell(Body::Reworked, text, clocks);
        }
        Act::Settle { outcome } => story.close(Body::Settled { outcome: *outcome }, text),
        Act::RequestReopen => story.tell(Body::ReopenRequested, text, vec![]),
        Act::Reopen => {
            let clocks = if case.lead.is_some() {
                let limit = standard_held(place, case)?.resolve;
                vec![story.start(ClockKind::Resolve, limit)]
            } else {
                vec![story.start(ClockKind::Triage, settings.triage)]
            };
            story.tell(Body::Reopened, text, clocks);
            if story.case().state == State::Accepted && story.case().standard.is_none() {
                let standard = place
                    .default_standard(&case.service)
                    .ok_or_else(|| Refusal::UnknownService(case.service.to_string()))?;
                story.tell(
                    Body::Accepted {
                        standard: standard.code.clone(),
                    },
                    "",
                    vec![],
                );
            }
        }
        Act::RefuseReopen => story.tell(Body::ReopenRefused, text, vec![]),
        Act::Park { until } => {
            if case.flags.was_parked {
                return Err(Refusal::ParkedBefore);
            }
            let today = place.calendar.zone().to_datetime(now).date();
            let last = today.saturating_add(jiff::Span::new().days(i64::from(settings.max_park_days)));
            if *until <= today || *until > last {
                return Err(Refusal::ParkDate(last));
            }
            let clocks = story
                .running()
                .into_iter()
                .map(|kind| ClockChange::Pause { kind })
                .collect();
            story.tell(Body::Parked { until: *until }, text, clocks);
        }
        Act::Resume => {
            let clocks = story
                .standing()
                .into_iter()
                .filter_map(|kind| story.run_on(kind))
                .collect();
            story.tell(Body::Resumed, text, clocks);
        }
        Act::Extend => {
            if case.flags.extended >= settings.max_extensions {
                return Err(Refusal::NoMoreExtensions(case.flags.extended));
            }
            let clock = case.clocks.get(ClockKind::Resolve).filter(|c| c.is_running());
            let clock = clock.ok_or(Refusal::WrongStage {
                verb,
                stage: case.state.stage(),
            })?;
            if clock.is_overdue(now) {
                return Err(Refusal::Overdue);
            }
            let due_at = place.calendar.due(clock.due_at, clock.limit);
            let clocks = vec![ClockChange::Extend {
                kind: ClockKind::Resolve,
                due_at,
            }];
            story.tell(Body::Extended, text, clocks);
        }
        Act::Reclassify { service } => {
            let service = reportable(place, service, by)?;
            story.tell(
                Body::Reclassified {
                    service: service.code.clone(),
                },
                text,
                vec![],
            );
            if case.state == State::Accepted {
                let standard = place
                    .default_standard(&service.code)
                    .ok_or_else(|| Refusal::UnknownService(service.code.to_string()))?;
                story.tell(
                    Body::Accepted {
                        standard: standard.code.clone(),
                    },
                    "",
                    vec![],
                );
            }
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
        Act::AddPhoto { photo } => {
            if case.photos.len() >= MAX_PHOTOS {
                return Err(Refusal::TooManyPhotos);
            }
            story.tell(Body::PhotoAdded { photo: photo.clone() }, text, vec![]);
        }
        Act::Rate { rating } => story.tell(Body::Rated { rating: *rating }, text, vec![]),
        Act::Supervise { on } => story.tell(Body::Supervised { on: *on }, text, vec![]),
        Act::Show { public } => story.tell(Body::Shown { public: *public }, text, vec![]),
        Act::Reckon => {
            let clocks: Vec<_> = case
                .clocks
                .all()
                .iter()
                .filter(|c| c.is_running())
                .map(|c| (c, c.reckon(&place.calendar)))
                .filter(|(c, due_at)| c.due_at != *due_at)
                .map(|(c, due_at)| ClockChange::Reckon { kind: c.kind, due_at })
                .collect();
            if !clocks.is_empty() {
                story.tell(Body::Reckoned, text, clocks);
            }
        }
    }
    Ok(story.events)
}

/// The first need of a line that the case and actor themselves do not meet; what the sender must add is not asked.
pub(crate) fn unmet(line: &Transition, case: &Case, by: &Actor, place: &Place) -> Option<Refusal> {
    line.needs.iter().find_map(|need| match need {
        Need::NotFixer => is_fixer(case, by, place).then_some(Refusal::FixerCannotVerify),
        Need::LeadAfterReturns => {
            let too_often = case.flags.returned >= place.jurisdiction.settings.max_returns;
            let lead = match by {
                Actor::Post { post, .. } => place
                    .post(post.as_str())
                    .is_some_and(|p| p.roles.contains(&Role::Lead)),
                _ => false,
            };
            (too_often && !lead).then_some(Refusal::LeadMustDecide(case.flags.returned))
        }
        Need::Parked => case.flags.parked_until.is_none().then_some(Refusal::Missing {
            verb: line.verb,
            need: *need,
        }),
        Need::NotParked => case.flags.parked_until.is_some().then_some(Refusal::Missing {
            verb: line.verb,
            need: *need,
        }),
        _ => None,
    })
}

fn is_fixer(case: &Case, by: &Actor, place: &Place) -> bool {
    let (Some(fixer), Actor::Post { unit, account, .. }) = (&case.fixer, by) else {
        return false;
    };
    let self_check = case
        .standard
        .as_ref()
        .and_then(|code| place.standard(code.as_str()))
        .is_some_and(|s| s.verification == Verification::SelfCheck && !case.flags.recheck);
    !self_check && (fixer.unit == *unit || fixer.account == *account)
}

fn within_window(case: &Case, now: Timestamp, days: u16) -> bool {
    let window = jiff::SignedDuration::from_hours(24 * i64::from(days));
    case.times
        .closed_at
        .is_some_and(|closed| now.duration_since(closed) <= window)
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
    held.or_else(|| place.default_standard(&case.service))
        .ok_or_else(|| Refusal::UnknownService(case.service.to_string()))
}

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
    check_text(&whereabouts.address)?;
    let address = whereabouts.address.trim().to_owned();
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
        area_named_in(place, &address)
    };
    Ok(Location {
        point: whereabouts.point,
        address,
        areas: place.areas.path(index),
    })
}

/// The deepest area whose name stands in the text; the city when none does. Of equally deep ones the longest name.
fn area_named_in(place: &Place, text: &str) -> AreaIndex {
    let lower = text.to_lowercase();
    let stands = |name: &str| name.chars().count() > 1 && lower.contains(&name.to_lowercase());
    place
        .areas
        .all()
        .iter()
        .enumerate()
        .filter(|(_, area)| area.level != Level::Cell)
        .filter_map(|(i, area)| {
            let names = [Some(&area.name.own), area.name.zh.as_ref(), area.name.en.as_ref()];
            let longest = names
                .into_iter()
                .flatten()
                .filter(|n| stands(n))
                .map(String::len)
                .max()?;
            Some((area.level, longest, i as AreaIndex))
        })
        .max_by_key(|(level, longest, i)| (*level, *longest, std::cmp::Reverse(*i)))
        .map_or(0, |(_, _, i)| i)
}

fn check_text(text: &str) -> Result<(), Refusal> {
    if text.len() <= MAX_TEXT {
        return Ok(());
    }
    let letters = text.chars().count();
    if letters > MAX_TEXT {
        Err(Refusal::TextTooLong { letters })
    } else {
        Ok(())
    }
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
    for answer in answers {
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

    fn tell(&mut self, body: Body, text: &str, clocks: Vec<ClockChange>) {
        // A clock of the machine may step back; a case's log may not.
        let at = self
            .case
            .as_ref()
            .map_or(self.context.now, |c| c.times.updated_at.max(self.context.now));
        let event = Event {
            at,
            by: self.context.by.clone(),
            body,
            text: text.to_owned(),
            clocks,
        };
        let folded: Result<(), FoldError> = match &mut self.case {
            Some(case) => case.apply(&event),
            None => Case::begin(self.number, &event).map(|case| self.case = Some(case)),
        };
        debug_assert!(folded.is_ok(), "{folded:?}");
        self.events.push(event);
    }

    /// Attaches a text to the last event.
    fn say(&mut self, text: &str) {
        if let Some(event) = self.events.last_mut() {
            event.text = text.to_owned();
        }
    }

    fn start(&self, kind: ClockKind, limit: Limit) -> ClockChange {
        let at = self
            .case
            .as_ref()
            .map_or(self.context.now, |c| c.times.updated_at.max(self.context.now));
        ClockChange::Start {
            kind,
            limit,
            due_at: self.context.place.calendar.due(at, limit),
        }
    }

    fn live(&self, kinds: &[ClockKind], wanted: impl Fn(&crate::clock::Clock) -> bool) -> Vec<ClockKind> {
        let clocks = self.case().clocks.all();
        clocks
            .iter()
            .filter(|c| kinds.contains(&c.kind) && wanted(c))
            .map(|c| c.kind)
            .collect()
    }

    fn running(&self) -> Vec<ClockKind> {
        self.live(&ClockKind::ALL, crate::clock::Clock::is_running)
    }

    fn standing(&self) -> Vec<ClockKind> {
        self.live(&ClockKind::ALL, crate::clock::Clock::is_paused)
    }

    fn stop(&self, kinds: &[ClockKind]) -> Vec<ClockChange> {
        let live = self.live(kinds, |c| c.stopped_at.is_none());
        live.into_iter().map(|kind| ClockChange::Stop { kind }).collect()
    }

    fn run_on(&self, kind: ClockKind) -> Option<ClockChange> {
        let mut clock = self.case().clocks.get(kind)?.clone();
        resume(&mut clock, self.case().times.updated_at.max(self.context.now));
        Some(ClockChange::Resume {
            kind,
            due_at: clock.reckon(&self.context.place.calendar),
        })
    }

    fn close(&mut self, body: Body, text: &str) {
        let stop = self.stop(&ClockKind::ALL);
        self.tell(body, text, stop);
    }

    fn assign(&mut self, unit: &UnitCode, standard: &Standard) {
        let mut clocks = self.stop(&[ClockKind::Triage]);
        clocks.extend(
            standard
                .report_in
                .map(|limit| self.start(ClockKind::ReportIn, limit)),
        );
        clocks.push(self.start(ClockKind::Resolve, standard.resolve));
        self.tell(Body::Assigned { unit: unit.clone() }, "", clocks);
    }

    /// Hands in work. Self-checked work that was not drawn for a re-check is closed with it.
    fn hand_in(&mut self, standard: &Standard, outcome: Outcome, on_the_spot: bool, text: &str) {
        let settings = &self.context.place.jurisdiction.settings;
        let self_check = standard.verification == Verification::SelfCheck;
        let recheck = self_check && self.context.chance < settings.recheck_share;
        let mut clocks = self.stop(&[ClockKind::Triage, ClockKind::ReportIn, ClockKind::Resolve]);
        let closes = self_check && !recheck;
        if !closes {
            clocks.push(self.start(ClockKind::Verify, standard.verify.unwrap_or(settings.verify)));
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
            self.tell(Body::Verified { outcome }, "", vec![]);
        }
    }
}
