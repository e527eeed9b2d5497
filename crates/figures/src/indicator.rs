//! Indicators: declared formulas over facts, and what they come to.
//!
//! An indicator says what its rows are, which of them count in a period, and what is counted of them. [`Book::read`] checks
//! declarations, [`ask`] gives figures, [`rows`] the cases behind one, [`Indicator::formula`] says in words what was counted. Does
//! not know where facts come from, nor who may see what.

use std::{collections::HashMap, sync::OnceLock};

use whistle_domain::words::Text;

mod answer;
pub mod column;
pub mod condition;
mod declare;
mod engine;
mod formula;
mod house;
mod mask;
mod period;
mod scan;
mod shown;

pub use answer::{Answer, Figure, Figures, Key, Ratio};
pub use condition::{Condition, KnownCodes, Measure, Statistic};
pub use declare::{DeclarationFault, MAX_INDICATORS};
pub use engine::{Ask, AskError, Cut, Filters, Listed, Page, Part, Sight, ask, rows};
pub use mask::LEAST;
pub use period::{Period, PeriodError, Step};
pub use shown::{NO_VALUE, grouped, tenths};

/// What the rows of an indicator are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Cases.
    Case,
    /// Runs of clocks: one stage of a case with the unit that had it.
    Run,
    /// Units of the place.
    Unit,
    /// Units that are stations.
    Station,
    /// Posts of the place.
    Post,
    /// Areas of the place.
    Area,
}

impl Subject {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Case,
        Self::Run,
        Self::Unit,
        Self::Station,
        Self::Post,
        Self::Area,
    ];

    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Run => "run",
            Self::Unit => "unit",
            Self::Station => "station",
            Self::Post => "post",
            Self::Area => "area",
        }
    }

    /// Whether it is counted from the place itself, and not from its work.
    pub const fn is_of_place(self) -> bool {
        !matches!(self, Self::Case | Self::Run)
    }
}

/// In what a figure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// How many rows.
    Count,
    /// Numerator by denominator, in hundredths.
    Percent,
    /// Numerator by denominator, in thousandths.
    PerThousand,
    /// Seconds.
    Duration,
    /// Metres.
    Distance,
    /// A number without a unit: returns a case.
    Number,
}

impl Unit {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Count,
        Self::Percent,
        Self::PerThousand,
        Self::Duration,
        Self::Distance,
        Self::Number,
    ];

    /// The word in declarations.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Percent => "percent",
            Self::PerThousand => "per_thousand",
            Self::Duration => "duration",
            Self::Distance => "distance",
            Self::Number => "number",
        }
    }

    /// Whether it is a numerator by a denominator.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::Percent | Self::PerThousand)
    }
}

/// Which rows fall in a period.
#[derive(Debug, PartialEq)]
pub struct Rule {
    /// The word in declarations.
    pub name: &'static str,
    /// What rows it is for.
    pub of: &'static [Subject],
    /// The condition that it stands for.
    pub text: &'static str,
    /// The moment that decides, by which time steps and hours are cut; none where it is a state.
    pub moment: Option<column::Moment>,
    /// In a Chinese sentence.
    pub zh: &'static str,
    /// In an English sentence.
    pub en: &'static str,
}

const OF_CASE: &[Subject] = &[Subject::Case];
const OF_RUN: &[Subject] = &[Subject::Run];
const OF_PLACE: &[Subject] = &[Subject::Unit, Subject::Station, Subject::Post, Subject::Area];

/// All rules of the period. What has yet to come is not in a period: `end` is now, where the period is not over, so that a
/// deadline of next week lowers no figure of this month.
pub static RULES: &[Rule] = &[
    Rule {
        name: "filed",
        of: OF_CASE,
        text: "reported >= start and reported < end",
        moment: Some(column::Moment::Reported),
        zh: "在本期内上报的",
        en: "reported in the period",
    },
    Rule {
        name: "accepted",
        of: OF_CASE,
        text: "accepted >= start and accepted < end",
        moment: Some(column::Moment::Accepted),
        zh: "在本期内受理的",
        en: "accepted in the period",
    },
    Rule {
        name: "dispatched",
        of: OF_CASE,
        text: "dispatched >= start and dispatched < end",
        moment: Some(column::Moment::Dispatched),
        zh: "在本期内派遣的",
        en: "dispatched in the period",
    },
    Rule {
        name: "arrived",
        of: OF_CASE,
        text: "arrived >= start and arrived < end",
        moment: Some(column::Moment::Arrived),
        zh: "在本期内到场的",
        en: "where a unit arrived in the period",
    },
    Rule {
        name: "handled",
        of: OF_CASE,
        text: "handled >= start and handled < end",
        moment: Some(column::Moment::Handled),
        zh: "在本期内处置完成的",
        en: "handled in the period",
    },
    Rule {
        name: "closed",
        of: OF_CASE,
        text: "closed >= start and closed < end",
        moment: Some(column::Moment::Closed),
        zh: "在本期内结案的",
        en: "closed in the period",
    },
    Rule {
        name: "due",
        of: OF_CASE,
        text: "due >= start and due < end",
        moment: Some(column::Moment::Due),
        zh: "处置期限在本期内届满的",
        en: "whose deadline of handling falls in the period",
    },
    Rule {
        name: "open_at_end",
        of: OF_CASE,
        text: "reported < end and not closed < end",
        moment: None,
        zh: "期末尚未结案的",
        en: "open at the end of the period",
    },
    Rule {
        name: "carried_over_overdue",
        of: OF_CASE,
        text: "due < start and not handled < start and not closed < start",
        moment: None,
        zh: "期初已超期而未处置的（上期结转）",
        en: "that were overdue already when the period began",
    },
    Rule {
        name: "due_next_day",
        of: OF_CASE,
        text: "due >= next_day and due < day_after",
        moment: None,
        zh: "处置期限在次日届满的",
        en: "whose deadline of handling falls on the day after",
    },
    Rule {
        name: "started",
        of: OF_RUN,
        text: "started >= start and started < end",
        moment: Some(column::Moment::Started),
        zh: "在本期内开始计时的",
        en: "that started in the period",
    },
    Rule {
        name: "due",
        of: OF_RUN,
        text: "due >= start and due < end",
        moment: Some(column::Moment::RunDue),
        zh: "在本期内到期的",
        en: "whose deadline falls in the period",
    },
    Rule {
        name: "stopped",
        of: OF_RUN,
        text: "stopped >= start and stopped < end",
        moment: Some(column::Moment::Stopped),
        zh: "在本期内停止计时的",
        en: "that stopped in the period",
    },
    Rule {
        name: "running_at_end",
        of: OF_RUN,
        text: "started < end and not stopped < end",
        moment: None,
        zh: "期末仍在计时的",
        en: "that ran at the end of the period",
    },
    Rule {
        name: "now",
        of: OF_PLACE,
        text: "all",
        moment: None,
        zh: "现有的",
        en: "as the place is now",
    },
];

/// A declared formula.
#[derive(Debug, Clone, PartialEq)]
pub struct Indicator {
    /// By which it is asked for.
    pub code: String,
    /// What its rows are.
    pub subject: Subject,
    /// Which of them fall in a period.
    pub rule: &'static Rule,
    /// The condition of the rule.
    pub(crate) period: Condition,
    /// Which of the denominator's rows are counted.
    pub numerator: Condition,
    /// Which rows are looked at.
    pub denominator: Condition,
    /// Which are left out of both; none where nothing is.
    pub exclude: Option<Condition>,
    /// What is measured of them; none where they are only counted.
    pub measure: Option<Measure>,
    /// In what the figure is told.
    pub unit: Unit,
    /// Its name.
    pub label: Text,
    /// What a reader should know of it.
    pub note: Text,
    /// The version of the formula: it rises when the same code comes to count something else.
    pub version: u32,
}

/// All indicators of a place, the shipped ones first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Book {
    list: Vec<Indicator>,
    by_code: HashMap<String, usize>,
}

impl Book {
    /// The indicators of a place that declares none of its own.
    pub fn shipped() -> &'static Self {
        static SHIPPED: OnceLock<Book> = OnceLock::new();
        SHIPPED.get_or_init(declare::shipped)
    }

    /// All of them, in the order in which they were declared.
    pub fn all(&self) -> &[Indicator] {
        &self.list
    }

    /// The one with a code.
    pub fn get(&self, code: &str) -> Option<&Indicator> {
        self.by_code.get(code).map(|place| &self.list[*place])
    }

    /// Takes one in, in the place of the one that has its code.
    fn put(&mut self, indicator: Indicator) {
        if let Some(place) = self.by_code.get(&indicator.code) {
            self.list[*place] = indicator;
        } else {
            self.by_code.insert(indicator.code.clone(), self.list.len());
            self.list.push(indicator);
        }
    }
}

#[cfg(test)]
mod property;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod worked;
