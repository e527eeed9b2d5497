//! Where a briefing takes its numbers from.

use jiff::{
    ToSpan,
    civil::{Date, date},
};
use serde::{Deserialize, Serialize};
use whistle_domain::{place::Level, words::Lang};

/// A text in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Said {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Said {
    /// The same in both.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            zh: text.clone(),
            en: text,
        }
    }

    /// Each of its own.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }

    /// For a reader.
    pub fn of(&self, lang: Lang) -> &str {
        match lang {
            Lang::Zh => &self.zh,
            Lang::En => &self.en,
        }
    }
}

/// Days, the first and the last included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

impl Period {
    /// A month, `2025-06`, or a year, `2025`.
    pub fn named(name: &str) -> Option<Self> {
        let year = |text: &str| (text.len() == 4).then(|| text.parse::<i16>().ok()).flatten();
        let (from, to) = match name.split_once('-') {
            None => (
                Date::new(year(name)?, 1, 1).ok()?,
                Date::new(year(name)?, 12, 31).ok()?,
            ),
            Some((name, month)) if month.len() == 2 => {
                let from = Date::new(year(name)?, month.parse().ok()?, 1).ok()?;
                (from, from.last_of_month())
            }
            Some(_) => return None,
        };
        Some(Self { from, to })
    }

    /// Whether it begins and ends with a month.
    pub fn is_months(&self) -> bool {
        self.from.day() == 1 && self.to == self.to.last_of_month() && self.from <= self.to
    }

    /// Its months when it is whole months.
    pub fn months(&self) -> i32 {
        let of = |day: Date| i32::from(day.year()) * 12 + i32::from(day.month());
        of(self.to) - of(self.from) + 1
    }

    /// The period before it: as many months where it is whole months, else as many days.
    pub fn before(&self) -> Self {
        let to = self.from.saturating_sub(1.day());
        let from = if self.is_months() {
            self.from.saturating_sub(self.months().months())
        } else {
            let days = (self.to - self.from).get_days() + 1;
            self.from.saturating_sub(days.days())
        };
        Self { from, to }
    }

    /// The same days of the year before; a month's last day stays its last.
    pub fn last_year(&self) -> Self {
        let back = |day: Date| day.saturating_sub(1.year());
        let mut to = back(self.to);
        if self.is_months() {
            to = to.last_of_month();
        }
        Self {
            from: back(self.from),
            to,
        }
    }
}

impl Default for Period {
    fn default() -> Self {
        Self {
            from: date(1970, 1, 1),
            to: date(1970, 12, 31),
        }
    }
}

/// What number is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Ask {
    /// The indicator's code.
    pub indicator: String,
    /// An area's code; the whole place without one.
    pub area: Option<String>,
    /// A unit's code.
    pub unit: Option<String>,
    /// A service's or a group's code.
    pub service: Option<String>,
    /// Over which days.
    pub period: Period,
    /// What else it is cut by, as the evidence writes it: `channel=web`, `hour=1-13`.
    pub cut: Option<String>,
}

impl Ask {
    /// What is the same in two briefings for the same number.
    pub fn key(&self) -> String {
        let Period { from, to } = self.period;
        let part = |name, value: &Option<String>| {
            value
                .as_ref()
                .map(|value| format!(" {name}={value}"))
                .unwrap_or_default()
        };
        let area = part("area", &self.area);
        let unit = part("unit", &self.unit);
        let service = part("service", &self.service);
        let cut = self.cut.as_ref().map(|cut| format!(" {cut}")).unwrap_or_default();
        format!("{}{area}{unit}{service}{cut} {from}..{to}", self.indicator)
    }
}

/// What numbers are set side by side by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// The areas of a level.
    Area(Level),
    /// The units.
    Unit,
    /// The groups of services.
    Group,
    /// The services.
    Service,
    /// The ways by which a matter was told.
    Channel,
    /// The days of the period.
    Day,
    /// Its weeks.
    Week,
    /// Its months.
    Month,
    /// The hours of the day, for each day of the week: seven times twenty-four numbers.
    Hour,
}

impl By {
    /// The words of a template, besides `area` with its level.
    pub const WORDS: [(&'static str, Self); 12] = [
        ("city", Self::Area(Level::City)),
        ("town", Self::Area(Level::Town)),
        ("community", Self::Area(Level::Community)),
        ("cell", Self::Area(Level::Cell)),
        ("unit", Self::Unit),
        ("group", Self::Group),
        ("service", Self::Service),
        ("channel", Self::Channel),
        ("day", Self::Day),
        ("week", Self::Week),
        ("month", Self::Month),
        ("hour", Self::Hour),
    ];

    /// Reads a word of a template.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS
            .into_iter()
            .find(|(known, _)| *known == word)
            .map(|(_, by)| by)
    }

    /// Whether it is an order of time.
    pub fn is_time(self) -> bool {
        matches!(self, Self::Day | Self::Week | Self::Month)
    }
}

/// A number as a fraction, exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fraction {
    /// Above the line.
    pub over: i64,
    /// Below it, at least 1.
    pub under: i64,
}

impl Fraction {
    /// For a picture.
    pub fn as_f64(self) -> f64 {
        self.over as f64 / self.under as f64
    }

    /// Whether it is the same number.
    pub fn equals(self, other: Self) -> bool {
        i128::from(self.over) * i128::from(other.under) == i128::from(other.over) * i128::from(self.under)
    }
}

/// What kind of number, by which a change of it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// How many.
    Count,
    /// A part of a whole, shown in percent.
    Share,
    /// How long, in seconds.
    Duration,
    /// Anything else: points, metres, yuan.
    Amount,
}

/// A number with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// What was asked.
    pub ask: Ask,
    /// What it is called.
    pub label: Said,
    /// Of what it is: the names of area, unit and service; empty for the whole place.
    pub of: Said,
    /// What kind of number.
    pub measure: Measure,
    /// How it is written, with its sign of percent or unit of time; "—" where there is no value.
    pub shown: Said,
    /// What it counts in, as "件": set beside numbers in annexes and tables. Empty where `shown` says it.
    pub unit: Said,
    /// Exactly; none where there is nothing to count.
    pub value: Option<Fraction>,
    /// What was counted.
    pub numerator: Option<i64>,
    /// Of how many.
    pub denominator: Option<i64>,
    /// How it is counted, in words.
    pub formula: Said,
    /// The page that lists the rows behind it: from `/` on.
    pub link: String,
}

/// The numbers of one row of a cut, in the order of the indicators that were asked for; for [`By::Hour`] one for each hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The code of the area, unit, service or step.
    pub code: String,
    /// Its name.
    pub name: Said,
    /// Its numbers.
    pub numbers: Vec<Number>,
}

/// Which stories are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What kind: a word of [`STORIES`].
    pub kind: String,
    /// At most.
    pub most: usize,
    /// In an area.
    pub area: Option<String>,
    /// Of a service or group.
    pub service: Option<String>,
    /// Closed on which days.
    pub period: Period,
}

/// The kinds of stories: whistles that were answered, cases that a reporter praised, cases with many reports, cases fixed fast,
/// cases that took long and were solved.
pub const STORIES: [&str; 5] = ["whistle", "praised", "shared", "fast", "hard"];

/// A case that tells what was done. Public ones only, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// What it is called.
    pub title: Said,
    /// What happened, in paragraphs.
    pub text: Vec<Said>,
    /// When it ended.
    pub date: Date,
    /// Where.
    pub area: Said,
    /// Its page: from `/` on.
    pub link: String,
}

/// An area as a shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// Its code.
    pub code: String,
    /// Its name.
    pub name: Said,
    /// Rings of longitude and latitude: outer ones and holes.
    pub rings: Vec<Vec<(f64, f64)>>,
}

/// On what the numbers stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// The place.
    pub place: Said,
    /// The time of its clocks at which it was counted, as `2025-07-01 08:00`.
    pub computed_at: String,
    /// The hash of the data: the same for the same data only.
    pub data_hash: String,
}

/// Why there is no number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Absent {
    /// The place has no such indicator.
    #[error("there is no indicator {0:?}")]
    Indicator(String),
    /// There is no such area, unit or service.
    #[error("there is no {what} {code:?}")]
    Code {
        /// "area", "unit", "service".
        what: &'static str,
        /// What was written.
        code: String,
    },
    /// The indicator cannot be cut so.
    #[error("{0:?} cannot be set out by that")]
    Cut(String),
    /// Something else.
    #[error("{0}")]
    Failed(String),
}

/// What a briefing takes its numbers from.
pub trait Evidence: Send + Sync {
    /// On what the numbers stand.
    fn basis(&self) -> Basis;

    /// Whether there is data of a kind: "cases", "whistles", "works", "training" and the like. A chapter that needs what is not there
    /// is left out.
    fn has(&self, need: &str) -> bool;

    /// One number.
    fn number(&self, ask: &Ask) -> Result<Number, Absent>;

    /// Numbers of several indicators side by side. The asks differ in their indicators alone; their area, unit and service say
    /// within what.
    fn cut(&self, asks: &[Ask], by: By) -> Result<Vec<Row>, Absent>;

    /// Stories, the most telling first.
    fn stories(&self, choice: &Choice) -> Result<Vec<Story>, Absent>;

    /// The areas of a level as shapes.
    fn shapes(&self, level: Level) -> Vec<Shape>;

    /// The name of an area, a unit or a service.
    fn name(&self, what: &str, code: &str) -> Option<Said>;
}
