//! The notices: each a template, and a line of one table.

use std::{fmt, str::FromStr};

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

/// By the order of the variants: the word.
const WORDS: [(Notice, &str); 40] = [
    (Notice::Accepted, "accepted"),
    (Notice::Assigned, "assigned"),
    (Notice::InProgress, "in_progress"),
    (Notice::Comment, "comment"),
    (Notice::Received, "received"),
    (Notice::Joined, "joined"),
    (Notice::Handled, "handled"),
    (Notice::Reopened, "reopened"),
    (Notice::ReopenRefused, "reopen_refused"),
    (Notice::Declined, "declined"),
    (Notice::Merged, "merged"),
    (Notice::Referred, "referred"),
    (Notice::Closed, "closed"),
    (Notice::StationNew, "station_new"),
    (Notice::UnitComment, "unit_comment"),
    (Notice::UnitPartDone, "unit_part_done"),
    (Notice::UnitPartReleased, "unit_part_released"),
    (Notice::UnitAnswered, "unit_answered"),
    (Notice::UnitUnanswered, "unit_unanswered"),
    (Notice::StationReopen, "station_reopen"),
    (Notice::StationParkAsked, "station_park_asked"),
    (Notice::StationExtensionAsked, "station_extension_asked"),
    (Notice::UnitParked, "unit_parked"),
    (Notice::UnitExtended, "unit_extended"),
    (Notice::UnitRequestRefused, "unit_request_refused"),
    (Notice::UnitSupervised, "unit_supervised"),
    (Notice::UnitTakenAway, "unit_taken_away"),
    (Notice::UnitReturned, "unit_returned"),
    (Notice::UnitReopened, "unit_reopened"),
    (Notice::UnitEscalated, "unit_escalated"),
    (Notice::UnitRework, "unit_rework"),
    (Notice::UnitJoint, "unit_joint"),
    (Notice::UnitAssigned, "unit_assigned"),
    (Notice::StationRefused, "station_refused"),
    (Notice::UnitMinuted, "unit_minuted"),
    (Notice::CallOverdue, "call_overdue"),
    (Notice::UnitWhistled, "unit_whistled"),
    (Notice::UnitWhistleWithdrawn, "unit_whistle_withdrawn"),
    (Notice::Digest, "digest"),
    (Notice::Footer, "footer"),
];

impl Notice {
    /// All of them. Where one command makes several for one reader, the last in this order is told.
    pub fn all() -> impl Iterator<Item = Self> {
        WORDS.iter().map(|(notice, _)| *notice)
    }

    /// The word in columns, file names and commands.
    pub fn as_str(self) -> &'static str {
        WORDS[self as usize].1
    }

    /// Whether it cannot wait to be gathered with others: a limit runs out.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::UnitEscalated)
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
        let found = WORDS.iter().find(|(_, word)| *word == text);
        found.map(|(notice, _)| *notice).ok_or_else(|| {
            let words: Vec<_> = WORDS.iter().map(|(_, word)| *word).collect();
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
        assert!("news".parse::<Notice>().unwrap_err().contains("reopen_refused"));
    }
}
