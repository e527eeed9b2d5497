//! Rounds: named lists of places to look at, and when a place is due to be looked at again.
//!
//! A round says what was looked at and when, never where whoever looks is: nothing here holds a position of a person,
//! and nothing is counted by person or post (§1).

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Serialize};

use crate::{
    geometry::Point,
    place::AreaIndex,
    words::{PostCode, RoundCode, ServiceCode, StopCode, Text},
};

/// The most stops of one round: a day's walk, and what a phone shows in one list.
pub const MAX_STOPS: usize = 200;

/// The longest time between two looks at a stop, in days: a year and a day.
pub const MAX_EVERY_DAYS: u16 = 366;

/// A list of places to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Round {
    /// Its code, unique in the place.
    pub code: RoundCode,
    /// Its name.
    pub name: Text,
    /// The area it belongs to.
    pub area: AreaIndex,
    /// The post that walks it, where it is one post's.
    pub post: Option<PostCode>,
    /// What to look at, in the order of the way.
    pub stops: Vec<Stop>,
}

/// One place to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct Stop {
    /// Its code, unique in the place.
    pub code: StopCode,
    /// Its name.
    pub name: Text,
    /// Where it is.
    pub point: Point,
    /// What is mostly the matter there.
    pub service: Option<ServiceCode>,
    /// The asset that stands there, as the place calls it; may be empty.
    pub asset: String,
    /// How often it is looked at, in days.
    pub every_days: u16,
}

impl Stop {
    /// The day from which on it should be looked at again; none when nobody ever looked, which is due at once.
    pub fn due_on(&self, seen: Option<Date>) -> Option<Date> {
        Some(seen?.saturating_add(i64::from(self.every_days).days()))
    }

    /// Whether it should be looked at on a day of the place.
    pub fn is_due(&self, seen: Option<Date>, today: Date) -> bool {
        self.due_on(seen).is_none_or(|day| day <= today)
    }
}

/// What somebody found who looked at a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// All is well.
    Fine,
    /// Something is wrong, and was reported.
    Reported,
    /// Something was wrong, and was fixed on the spot.
    Fixed,
}

impl Finding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fine, Self::Reported, Self::Fixed];

    /// The word in the database, the API and the message catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Reported => "reported",
            Self::Fixed => "fixed",
        }
    }

    /// The one with a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|finding| finding.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn well(every_days: u16) -> Stop {
        Stop {
            code: "W1".parse().unwrap(),
            name: Text::plain("the well"),
            point: Point { lon: 1.0, lat: 1.0 },
            service: None,
            asset: String::new(),
            every_days,
        }
    }

    #[test]
    fn a_stop_is_due_by_days_of_the_place() {
        let day = |day| jiff::civil::date(2026, 3, day);
        assert!(!well(1).is_due(Some(day(1)), day(1)));
        assert!(well(1).is_due(Some(day(1)), day(2)));
        assert!(!well(7).is_due(Some(day(1)), day(7)));
        assert!(well(7).is_due(Some(day(1)), day(8)));
        assert!(well(7).is_due(None, day(1)));
    }

    #[test]
    fn every_finding_is_read_back_by_its_word() {
        for finding in Finding::ALL {
            assert_eq!(Finding::of(finding.as_str()), Some(finding));
        }
        assert_eq!(Finding::of("so-so"), None);
    }
}
