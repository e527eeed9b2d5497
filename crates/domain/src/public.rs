//! What the public may see of a case: the coarse step, the masked text, a timeline without names of people.
//!
//! The same log, read through a sieve. Nothing of a reporter is in a case, so nothing of one can leak from here
//! but what they wrote themselves; that is masked.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    case::{Body, Case, Event, Outcome, Photo, Stage, State},
    mask::mask,
    words::UnitCode,
};

/// The coarse step that the public is shown (上报→立案→派遣→处置→反馈→结案).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Told, or taken on.
    Received,
    /// A unit has it.
    Assigned,
    /// The unit is at work.
    InProgress,
    /// Done, being checked.
    Checking,
    /// Over.
    Closed,
}

impl Step {
    /// All steps, in order.
    pub const ALL: [Self; 5] = [
        Self::Received,
        Self::Assigned,
        Self::InProgress,
        Self::Checking,
        Self::Closed,
    ];

    /// The step of a state.
    pub const fn of(state: State) -> Self {
        Self::of_stage(state.stage())
    }

    /// The step of a stage.
    pub const fn of_stage(stage: Stage) -> Self {
        match stage {
            Stage::Reported | Stage::Accepted => Self::Received,
            Stage::Assigned => Self::Assigned,
            Stage::InProgress => Self::InProgress,
            Stage::Handled => Self::Checking,
            Stage::Closed | Stage::ReopenRequested => Self::Closed,
        }
    }

    /// Whether the matter goes on; see [`State::is_open`].
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed)
    }

    /// The word in the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::Checking => "checking",
            Self::Closed => "closed",
        }
    }
}

/// One line of the public timeline.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Which event of the log, from 1.
    pub version: u32,
    /// When.
    pub at: Timestamp,
    /// The event's word.
    pub event: &'static str,
    /// The unit that did it or got it.
    pub unit: Option<UnitCode>,
    /// The outcome, where the event has one.
    pub outcome: Option<Outcome>,
    /// What was written, masked.
    pub text: String,
}

/// The description for the public.
pub fn description(case: &Case) -> String {
    mask(&case.description).into_owned()
}

/// The address for the public.
pub fn address(case: &Case) -> String {
    mask(&case.location.address).into_owned()
}

/// What was done, or why it was closed, for the public.
pub fn resolution(case: &Case) -> String {
    mask(&case.resolution).into_owned()
}

/// The photos for the public.
pub fn photos(case: &Case) -> impl Iterator<Item = &Photo> {
    case.photos.iter().filter(|p| p.public)
}

/// The photos for the reporter who made this report: the public ones, and those that they sent themselves.
pub fn photos_of_reporter<'c>(case: &'c Case, log: &[Event], report: u32) -> impl Iterator<Item = &'c Photo> {
    let sent = |event: &&Event| event.report() == Some(report);
    let sent = log.iter().filter(sent).flat_map(|event| event.body.photos());
    let own: Vec<String> = sent.map(|photo| photo.id.clone()).collect();
    let is_seen = move |photo: &&Photo| photo.public || own.contains(&photo.id);
    case.photos.iter().filter(is_seen)
}

/// The timeline for the public: who did it only as a unit, and no inner word.
pub fn timeline(events: &[Event]) -> Vec<Entry> {
    events
        .iter()
        .zip(1..)
        .filter_map(|(event, version)| entry(event, version))
        .collect()
}

fn entry(event: &Event, version: u32) -> Option<Entry> {
    let acting = event.by.unit().cloned();
    let (unit, outcome, text_is_public) = match &event.body {
        Body::Assigned { unit } | Body::JointAssigned { unit, .. } => (Some(unit.clone()), None, false),
        Body::Handled { outcome, .. } | Body::Verified { outcome } | Body::Settled { outcome } => {
            (acting, Some(*outcome), true)
        }
        Body::Declined | Body::Referred | Body::Parked { .. } | Body::ReopenRefused | Body::Reopened => {
            (acting, None, true)
        }
        Body::Reported { .. }
        | Body::Joined { .. }
        | Body::Accepted { .. }
        | Body::Withdrawn
        | Body::Merged { .. }
        | Body::ReportedIn
        | Body::Reworked
        | Body::ReopenRequested
        | Body::Split { .. }
        | Body::JointHandled { .. }
        | Body::Asked { .. }
        | Body::Answered { .. }
        | Body::Unanswered
        | Body::Resumed => (acting, None, false),
        Body::Commented { public: true } => (acting, None, true),
        Body::Commented { public: false }
        | Body::Absorbed { .. }
        | Body::Returned { .. }
        | Body::JointReleased { .. }
        | Body::ParkAsked { .. }
        | Body::ExtensionAsked
        | Body::RequestRefused
        | Body::Extended
        | Body::Reclassified { .. }
        | Body::Relocated { .. }
        | Body::PhotoAdded { .. }
        | Body::Rated { .. }
        | Body::Supervised { .. }
        | Body::Shown { .. }
        | Body::Signed
        | Body::Whistled { .. }
        | Body::Reckoned
        | Body::Escalated { .. }
        | Body::Erased { .. } => return None,
    };
    let text = if text_is_public {
        mask(&event.text).into_owned()
    } else {
        String::new()
    };
    Some(Entry {
        version,
        at: event.at,
        event: event.body.as_str(),
        unit,
        outcome,
        text,
    })
}
