//! Escalation: who is told when, while a clock runs and nothing happens.
//!
//! A ladder is data: for each clock its rungs, from the bottom. A rung says at which mark of the clock it is reached, and
//! who is told. When a mark is reached is reckoned in the clock's own kind of time, by the calendar. The event
//! of a rung carries when the next one is due, so that folding the log needs no ladder.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    calendar::Calendar,
    case::Case,
    clock::{Clock, ClockKind},
    command::area_of,
    limit::Limit,
    place::{Level, Place, Unit, UnitKind},
    words::{LadderCode, PostCode, UnitCode},
};

/// The most rungs of one clock: who has been told so often is not told better by one more.
pub const MAX_RUNGS: usize = 12;

/// The highest share of a limit that a rung can stand at, in per cent: nine more limits after the first.
const MAX_SHARE: u16 = 1000;

/// At which mark of a clock a rung stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mark {
    /// When so many per cent of the limit are used up, its extensions among it. 100 is when it is due; each hundred
    /// after that is the limit once more.
    Share(u16),
    /// When so much time has passed since it was due.
    Overdue(Limit),
}

/// Why a text is no mark.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {0:?} is no mark of a clock; write 80%, overdue, 200% or overdue + 4h working")]
pub struct MarkError(String);

impl FromStr for Mark {
    type Err = MarkError;

    fn from_str(text: &str) -> Result<Self, MarkError> {
        let wrong = || MarkError(text.to_owned());
        let lower = text.trim().to_lowercase().replace('％', "%").replace('＋', "+");
        if let Some(share) = lower.strip_suffix('%') {
            let share = share.trim_end();
            let is_number = !share.is_empty() && share.bytes().all(|b| b.is_ascii_digit());
            let share = is_number.then(|| share.parse().ok()).flatten();
            return share
                .filter(|share| (1..=MAX_SHARE).contains(share))
                .map(Self::Share)
                .ok_or_else(wrong);
        }
        let after = ["overdue", "超期"]
            .iter()
            .find_map(|word| lower.strip_prefix(word))
            .ok_or_else(wrong)?
            .trim_start();
        if after.is_empty() {
            return Ok(Self::Share(100));
        }
        let limit = after.strip_prefix('+').ok_or_else(wrong)?;
        limit.parse().map(Self::Overdue).map_err(|_| wrong())
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share(100) => f.write_str("overdue"),
            Self::Share(share) => write!(f, "{share}%"),
            Self::Overdue(limit) => write!(f, "overdue + {limit}"),
        }
    }
}

impl From<Mark> for String {
    fn from(mark: Mark) -> Self {
        mark.to_string()
    }
}

impl TryFrom<String> for Mark {
    type Error = MarkError;

    fn try_from(text: String) -> Result<Self, MarkError> {
        text.parse()
    }
}

/// Who is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// The leads of the unit that the clock runs for; of the station that answers for the area, where none has the case.
    UnitLead,
    /// The leads of the unit above that one; of the station that answers for the area, where there is none above.
    ParentUnitLead,
    /// The leads of the station of the community, town or city that the case lies in, or of the next one above.
    Station(Level),
    /// The leads of this unit.
    Unit(UnitCode),
    /// This post.
    Post(PostCode),
}

/// How high up a case was told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// In the unit that must act.
    Unit,
    /// In the unit above it.
    ParentUnit,
    /// In the station of the community.
    Community,
    /// In the station of the town.
    Town,
    /// In the station of the city.
    City,
}

impl Tier {
    /// All tiers, from the bottom.
    pub const ALL: [Self; 5] = [
        Self::Unit,
        Self::ParentUnit,
        Self::Community,
        Self::Town,
        Self::City,
    ];

    /// The word in codes and columns.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::ParentUnit => "parent_unit",
            Self::Community => "community",
            Self::Town => "town",
            Self::City => "city",
        }
    }

    /// Its place in columns, from 1 at the bottom: an order that a database knows.
    pub const fn rank(self) -> i64 {
        match self {
            Self::Unit => 1,
            Self::ParentUnit => 2,
            Self::Community => 3,
            Self::Town => 4,
            Self::City => 5,
        }
    }

    const fn of(level: Level) -> Self {
        match level {
            Level::City => Self::City,
            Level::Town => Self::Town,
            Level::Community | Level::Cell => Self::Community,
        }
    }
}

/// One step of a ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rung {
    /// Of which clock.
    pub clock: ClockKind,
    /// When it is reached.
    pub at: Mark,
    /// Who is told then.
    pub to: To,
}

/// What happens while clocks run and nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ladder {
    /// Its code, unique in the place.
    pub code: LadderCode,
    /// Its rungs; those of one clock from the bottom, at most [`MAX_RUNGS`].
    pub rungs: Vec<Rung>,
}

/// Whom a step tells in a place, by the ladder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// How high up that is.
    pub level: Tier,
    /// The unit whose leads are told; none where the place has nobody.
    pub unit: Option<UnitCode>,
    /// The one post that is told, where the ladder names one.
    pub post: Option<PostCode>,
}

impl Ladder {
    /// The code of the ladder that holds where a standard names none.
    pub const DEFAULT: &'static str = "default";

    /// The code of the ladder without rungs.
    pub const NONE: &'static str = "none";

    /// The ladder that holds where the place says nothing: the unit's lead shortly before and when a clock is due, the
    /// town after the limit once more, then the city.
    pub fn usual() -> Self {
        let rungs = ClockKind::ALL.into_iter().flat_map(|clock| {
            [
                (80, To::UnitLead),
                (100, To::UnitLead),
                (200, To::Station(Level::Town)),
                (300, To::Station(Level::City)),
            ]
            .map(|(share, to)| Rung {
                clock,
                at: Mark::Share(share),
                to,
            })
        });
        Self {
            code: Self::DEFAULT.parse().expect("a plain word is a code"),
            rungs: rungs.collect(),
        }
    }

    /// The ladder without rungs.
    pub fn none() -> Self {
        Self {
            code: Self::NONE.parse().expect("a plain word is a code"),
            rungs: Vec::new(),
        }
    }

    /// The rungs of a clock, from the bottom. Where a ladder says nothing of a part in a case, that climbs as the work of the
    /// whole does.
    pub fn of(&self, kind: ClockKind) -> impl Iterator<Item = &Rung> {
        let is_named = self.rungs.iter().any(|rung| rung.clock == kind);
        let kind = match kind {
            ClockKind::Joint if !is_named => ClockKind::Resolve,
            named => named,
        };
        self.rungs.iter().filter(move |rung| rung.clock == kind)
    }

    /// The rungs of a clock with the times at which they are reached, by this calendar and with the clock's closed pauses
    /// left out. No rung is reached before the one below it.
    pub fn times<'a>(
        &'a self,
        clock: &'a Clock,
        calendar: &'a Calendar,
    ) -> impl Iterator<Item = (&'a Rung, Timestamp)> {
        let due_at = clock.reckon(calendar);
        let mut reached = clock.started_at;
        self.of(clock.kind).map(move |rung| {
            reached = reached.max(clock.reaches(rung.at, due_at, calendar));
            (rung, reached)
        })
    }

    /// The next rung of a clock, after those that have fired, and when it is reached.
    pub fn next(&self, clock: &Clock, calendar: &Calendar) -> Option<(&Rung, Timestamp)> {
        self.next_until(clock, clock.reckon(calendar), calendar)
    }

    /// [`Ladder::next`] of a clock that is known to be due at `due_at` by this calendar.
    pub(crate) fn next_until(
        &self,
        clock: &Clock,
        due_at: Timestamp,
        calendar: &Calendar,
    ) -> Option<(&Rung, Timestamp)> {
        let fired = usize::from(clock.steps_fired);
        let mut next = None;
        for rung in self.of(clock.kind).take(fired + 1) {
            let below = next.map_or(clock.started_at, |(_, at)| at);
            next = Some((rung, clock.reaches(rung.at, due_at, calendar).max(below)));
        }
        next.filter(|_| self.of(clock.kind).count() > fired)
    }
}

impl To {
    /// Who that is for a clock of a case, or of the part of a unit in it, in this place.
    pub fn told(&self, kind: ClockKind, part: Option<&UnitCode>, case: &Case, place: &Place) -> Told {
        let answering = || area_of(place, case).and_then(|area| place.answering_station(area));
        // Triage and verification are the station's to do; the rest, the unit's that has the case.
        let acting = || {
            let lead = match kind {
                ClockKind::Triage | ClockKind::Verify => None,
                _ => part.or(case.lead.as_ref()),
            };
            lead.and_then(|code| place.unit(code.as_str())).or_else(answering)
        };
        let by_unit = |level, unit: Option<&Unit>| Told {
            level,
            unit: unit.map(|unit| unit.code.clone()),
            post: None,
        };
        let tier_of = |unit: Option<&Unit>| match unit {
            Some(unit) if unit.kind == UnitKind::Station => Tier::of(place.areas.get(unit.area).level),
            _ => Tier::Unit,
        };
        match self {
            Self::UnitLead => by_unit(Tier::Unit, acting()),
            Self::ParentUnitLead => {
                let parent = acting().and_then(|unit| unit.parent.as_ref());
                let parent = parent.and_then(|code| place.unit(code.as_str()));
                by_unit(Tier::ParentUnit, parent.or_else(answering))
            }
            Self::Station(level) => {
                let area = case.location.areas.at(*level);
                let area = area.and_then(|code| place.areas.find(code.as_str()));
                let station = area.and_then(|area| place.answering_station(area));
                by_unit(Tier::of(*level), station.or_else(answering))
            }
            Self::Unit(code) => {
                let unit = place.unit(code.as_str());
                by_unit(tier_of(unit), unit)
            }
            Self::Post(code) => {
                let post = place.post(code.as_str());
                let unit = post.and_then(|post| place.unit(post.unit.as_str()));
                Told {
                    post: post.map(|post| post.code.clone()),
                    ..by_unit(tier_of(unit), unit)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_share_of_the_limit_or_a_time_after_it() {
        for (text, mark) in [
            ("80%", Mark::Share(80)),
            (" 50 % ", Mark::Share(50)),
            ("120％", Mark::Share(120)),
            ("overdue", Mark::Share(100)),
            ("超期", Mark::Share(100)),
            ("Overdue+2d working", Mark::Overdue("2d working".parse().unwrap())),
            (
                "超期 ＋ 30m running",
                Mark::Overdue("30m running".parse().unwrap()),
            ),
        ] {
            assert_eq!(text.parse(), Ok(mark), "{text}");
            assert_eq!(mark.to_string().parse(), Ok(mark));
        }
        for text in [
            "",
            "80",
            "0%",
            "1001%",
            "-5%",
            "+5%",
            "5.5%",
            "overdue 2h working",
            "overdue + 2h",
            "due",
        ] {
            assert!(text.parse::<Mark>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_usual_ladder_climbs_from_the_unit_to_the_city_for_every_clock() {
        let usual = Ladder::usual();
        for kind in ClockKind::ALL {
            let marks: Vec<String> = usual.of(kind).map(|rung| rung.at.to_string()).collect();
            assert_eq!(marks, ["80%", "overdue", "200%", "300%"]);
        }
    }
}
