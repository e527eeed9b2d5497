//! The notices: each a template, and a line of one table.

use std::{fmt, str::FromStr};

use crate::choice::Kinds;

/// What somebody is told. Its word is the name of its template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Notice {
    /// To the reporter: it is ours to handle.
    Accepted,
    /// To the reporter: a unit has it.
    Assigned,
    /// To the reporter: the unit is there.
    InProgress,
    /// To the reporter: somebody said something publicly.
    Comment,
    /// To the reporter: we have it. After the above, which are no news to who is told of their case for the first time.
    Received,
    /// To who joins a case that somebody else has reported: we have it, and it is added.
    Joined,
    /// To the reporter: the unit says it is done; is it?
    Handled,
    /// To the reporter: it goes on.
    Reopened,
    /// To the reporter: it stays closed.
    ReopenRefused,
    /// To the reporter: it is not ours to handle.
    Declined,
    /// To the reporter: it was reported before.
    Merged,
    /// To the reporter: it was handed to somebody outside.
    Referred,
    /// To the reporter: it is over.
    Closed,
    /// To the reporter, or to somebody outside: one question, with the link by which it is answered.
    Asked,
    /// To a station: a case was reported in its area that no unit has.
    StationNew,
    /// To a unit and a station: a reporter said something.
    UnitComment,
    /// To the unit that leads a case: another has done its part.
    UnitPartDone,
    /// To the unit that leads a case: another need not do its part.
    UnitPartReleased,
    /// To who asked, and the unit of the case: a question was answered.
    UnitAnswered,
    /// To the same: a question was not answered in time.
    UnitUnanswered,
    /// To a station: somebody asks to go on with a closed case.
    StationReopen,
    /// To a station: the unit asks to let a case wait.
    StationParkAsked,
    /// To a station: the unit asks for more time.
    StationExtensionAsked,
    /// To a unit: its case waits.
    UnitParked,
    /// To a unit: it has more time.
    UnitExtended,
    /// To a unit: what it asked for was refused.
    UnitRequestRefused,
    /// To a unit: its case is watched over from above.
    UnitSupervised,
    /// To a unit: it need do no more about a case, or its part in one.
    UnitTakenAway,
    /// To a station: a unit sent a case back.
    UnitReturned,
    /// To a unit: a closed case goes on.
    UnitReopened,
    /// To a unit: time runs out, and nothing has happened.
    UnitEscalated,
    /// To a unit: the work was found not done.
    UnitRework,
    /// To a unit: it has a part in a case that another leads.
    UnitJoint,
    /// To a unit: a case is its.
    UnitAssigned,
    /// To the station that asked for a whistle: it was approved, and the units are called.
    WhistleApproved,
    /// To the station that asked for a whistle: it was not approved.
    WhistleRefused,
    /// To a station: a whistle is asked for, and it must approve it.
    WhistleAsked,
    /// To the station above: a whistle was raised to it.
    WhistleRaised,
    /// To a station: a unit that a whistle calls does not come.
    StationRefused,
    /// To a called unit: what was agreed, and who does what.
    UnitMinuted,
    /// To a called unit, and to the stations: it has not done in time what the call asks.
    CallOverdue,
    /// To a unit: a whistle calls it.
    UnitWhistled,
    /// To a called unit: the whistle was taken back.
    UnitWhistleWithdrawn,
    /// To anybody: several notices in one.
    Digest,
    /// Below each mail to a reporter: how to follow, and how to be told no more.
    Footer,
}

/// To which narrower choices of a reader a notice belongs.
type In = &'static [Kinds];
const NONE: In = &[];
const MILESTONE: In = &[Kinds::Milestones];
const ANSWER: In = &[Kinds::Answers];
const BOTH: In = &[Kinds::Milestones, Kinds::Answers];

/// By the order of the variants: the word, and who wants it of those who do not want all.
const TABLE: [(Notice, &str, In); 45] = [
    (Notice::Accepted, "accepted", MILESTONE),
    (Notice::Assigned, "assigned", NONE),
    (Notice::InProgress, "in_progress", NONE),
    (Notice::Comment, "comment", ANSWER),
    (Notice::Received, "received", BOTH),
    (Notice::Joined, "joined", BOTH),
    (Notice::Handled, "handled", BOTH),
    (Notice::Reopened, "reopened", BOTH),
    (Notice::ReopenRefused, "reopen_refused", BOTH),
    (Notice::Declined, "declined", BOTH),
    (Notice::Merged, "merged", BOTH),
    (Notice::Referred, "referred", BOTH),
    (Notice::Closed, "closed", BOTH),
    (Notice::Asked, "asked", BOTH),
    (Notice::StationNew, "station_new", MILESTONE),
    (Notice::UnitComment, "unit_comment", NONE),
    (Notice::UnitPartDone, "unit_part_done", MILESTONE),
    (Notice::UnitPartReleased, "unit_part_released", MILESTONE),
    (Notice::UnitAnswered, "unit_answered", BOTH),
    (Notice::UnitUnanswered, "unit_unanswered", BOTH),
    (Notice::StationReopen, "station_reopen", BOTH),
    (Notice::StationParkAsked, "station_park_asked", BOTH),
    (Notice::StationExtensionAsked, "station_extension_asked", BOTH),
    (Notice::UnitParked, "unit_parked", BOTH),
    (Notice::UnitExtended, "unit_extended", BOTH),
    (Notice::UnitRequestRefused, "unit_request_refused", BOTH),
    (Notice::UnitSupervised, "unit_supervised", MILESTONE),
    (Notice::UnitTakenAway, "unit_taken_away", MILESTONE),
    (Notice::UnitReturned, "unit_returned", BOTH),
    (Notice::UnitReopened, "unit_reopened", BOTH),
    (Notice::UnitEscalated, "unit_escalated", BOTH),
    (Notice::UnitRework, "unit_rework", BOTH),
    (Notice::UnitJoint, "unit_joint", MILESTONE),
    (Notice::UnitAssigned, "unit_assigned", MILESTONE),
    (Notice::WhistleApproved, "whistle_approved", MILESTONE),
    (Notice::WhistleRefused, "whistle_refused", BOTH),
    (Notice::WhistleAsked, "whistle_asked", BOTH),
    (Notice::WhistleRaised, "whistle_raised", BOTH),
    (Notice::StationRefused, "station_refused", BOTH),
    (Notice::UnitMinuted, "unit_minuted", MILESTONE),
    (Notice::CallOverdue, "call_overdue", BOTH),
    (Notice::UnitWhistled, "unit_whistled", BOTH),
    (Notice::UnitWhistleWithdrawn, "unit_whistle_withdrawn", BOTH),
    (Notice::Digest, "digest", BOTH),
    (Notice::Footer, "footer", BOTH),
];

impl Notice {
    /// All of them. Where one command makes several for one reader, the last in this order is told.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(notice, ..)| *notice)
    }

    /// The word in columns, file names and commands.
    pub fn as_str(self) -> &'static str {
        TABLE[self as usize].1
    }
}

impl Notice {
    /// Whether it is for somebody who wants these.
    pub fn is_among(self, kinds: Kinds) -> bool {
        kinds == Kinds::All || TABLE[self as usize].2.contains(&kinds)
    }

    /// Whether it cannot wait for the next morning, whatever its reader chose: a limit runs out, or somebody waits for an
    /// answer until then.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::Asked | Self::UnitEscalated)
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Notice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = TABLE.iter().find(|(_, word, _)| *word == text);
        found.map(|(notice, ..)| *notice).ok_or_else(|| {
            let words: Vec<_> = TABLE.iter().map(|(_, word, _)| *word).collect();
            format!("{text:?} is no notice; it is one of {}", words.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_stand_in_the_order_of_the_variants() {
        for (at, notice) in Notice::all().enumerate() {
            assert_eq!(notice as usize, at, "{notice}");
            assert_eq!(notice.as_str().parse(), Ok(notice));
        }
        assert!(Notice::Assigned.is_among(Kinds::All) && !Notice::Assigned.is_among(Kinds::Milestones));
        assert!(Notice::Comment.is_among(Kinds::Answers) && !Notice::Comment.is_among(Kinds::Milestones));
        assert!("news".parse::<Notice>().unwrap_err().contains("reopen_refused"));
    }
}
