//! What readers choose: which notices they want, and whether at once.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use whistle_domain::words::Lang;

/// Which notices a reader wants. Which of them a notice is among, the table of notices says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinds {
    /// All.
    #[default]
    All,
    /// Where the matter stands: accepted, handled, closed; not each step and word between.
    Milestones,
    /// What answers the reader, asks them something, or cannot wait.
    Answers,
}

impl Kinds {
    /// All, the widest first.
    pub const ALL: [Self; 3] = [Self::All, Self::Milestones, Self::Answers];

    /// The word in columns and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Milestones => "milestones",
            Self::Answers => "answers",
        }
    }
}

/// When a reader wants their notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// When something happens.
    #[default]
    AtOnce,
    /// Those of a day in one mail, the next morning; what cannot wait goes at once and takes the others along.
    Daily,
}

impl Pace {
    /// Both.
    pub const ALL: [Self; 2] = [Self::AtOnce, Self::Daily];

    /// The word in columns and forms.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Daily => "daily",
        }
    }
}

macro_rules! of_words {
    ($kind:ident, $what:literal) => {
        impl fmt::Display for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $kind {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let found = Self::ALL.into_iter().find(|one| one.as_str() == text);
                found.ok_or_else(|| {
                    let words = Self::ALL.map(Self::as_str).join(", ");
                    format!("{text:?} is no {}; it is one of {words}", $what)
                })
            }
        }
    };
}

of_words!(Kinds, "kind of notices");
of_words!(Pace, "pace");

/// What a reader chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// Which notices.
    pub kinds: Kinds,
    /// When.
    pub pace: Pace,
    /// In which language; the place's own where none is chosen.
    pub lang: Option<Lang>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_read_as_they_are_written() {
        for kinds in Kinds::ALL {
            assert_eq!(kinds.as_str().parse(), Ok(kinds));
            let stored = serde_json::to_value(kinds).unwrap();
            assert_eq!(stored, kinds.as_str());
        }
        for pace in Pace::ALL {
            assert_eq!(pace.as_str().parse(), Ok(pace));
            assert_eq!(serde_json::to_value(pace).unwrap(), pace.as_str());
        }
        assert!("weekly".parse::<Pace>().unwrap_err().contains("at_once, daily"));
    }
}
