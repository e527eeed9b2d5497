//! Answers: figures with all that they were counted from.

use super::{Period, Subject, Unit};

/// A number as it was counted: nothing is rounded before it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// Above the line.
    pub over: u64,
    /// Below it; never 0.
    pub under: u64,
}

impl Ratio {
    /// A whole number.
    pub const fn whole(over: u64) -> Self {
        Self { over, under: 1 }
    }

    /// For charts, and for people after rounding.
    pub fn as_f64(self) -> f64 {
        self.over as f64 / self.under as f64
    }
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figure {
    /// How many rows were counted; of a measure how many were measured.
    pub numerator: u64,
    /// Out of how many.
    pub denominator: u64,
    /// What it comes to, without its unit's hundred or thousand: rows, a share of one, seconds, metres. None where the denominator is
    /// empty: that is "—" and never 100 %.
    pub value: Option<Ratio>,
    /// Whether it is kept back because so few rows stand behind it, or behind one beside it. Then all else is empty.
    pub is_masked: bool,
}

/// By what a row of an answer is told from others.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A code of the place: of an area, unit, service, group or standard.
    Code(String),
    /// A word, and its place among those of its column.
    Word(u8, &'static str),
    /// A step of time.
    Step(Period),
    /// An hour of a weekday; Monday is 0.
    Hour {
        /// From 0, Monday, to 6.
        weekday: u8,
        /// From 0 to 23.
        hour: u8,
    },
    /// Rows that belong to none of the others: a case without a point has no community.
    Unknown,
}

/// A row of an answer, with a figure for each indicator that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// None for the whole.
    pub key: Option<Key>,
    /// Of the period.
    pub now: Vec<Figure>,
    /// Of the period before, where it was asked for.
    pub before: Option<Vec<Figure>>,
    /// Of the same of last year, where it was asked for.
    pub last_year: Option<Vec<Figure>>,
}

/// Which formula a column of an answer is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The indicator's code.
    pub code: String,
    /// The version of its formula.
    pub version: u32,
    /// In what it is told.
    pub unit: Unit,
    /// What its rows are.
    pub subject: Subject,
}

/// What an [`Ask`](super::Ask) came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The version of the place whose declarations were asked.
    pub place_version: u32,
    /// The period.
    pub period: Period,
    /// Whether it was over; a figure of a period that is not can still change by the day.
    pub is_over: bool,
    /// The indicators, in the order in which they were asked for.
    pub headings: Vec<Heading>,
    /// A row for each key, in their order.
    pub rows: Vec<Figures>,
    /// Of all rows together.
    pub whole: Figures,
}
