//! Periods: whole days of the place, from one to another.

use std::{fmt, str::FromStr};

use jiff::{
    Span, ToSpan as _,
    civil::{Date, ISOWeekDate, Weekday},
    tz::TimeZone,
};

use crate::facts::Moment;

/// The years of facts: their moments are counted from 1970 in 32 bits.
const FIRST: Date = Date::constant(1970, 1, 2);
const LAST: Date = Date::constant(2106, 1, 1);

/// A piece of time by which people count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Step {
    /// A day.
    Day,
    /// A week from Monday to Sunday (ISO 8601).
    Week,
    /// A month.
    Month,
    /// A quarter of a year.
    Quarter,
    /// A year.
    Year,
}

impl Step {
    /// All of them, the shortest first.
    pub const ALL: [Self; 5] = [Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// The word in addresses and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    fn span(self) -> Span {
        match self {
            Self::Day => 1.day(),
            Self::Week => 7.days(),
            Self::Month => 1.month(),
            Self::Quarter => 3.months(),
            Self::Year => 1.year(),
        }
    }

    /// The first day of the one that a day lies in.
    fn start(self, day: Date) -> Date {
        let first_of = |month: i8| Date::new(day.year(), month, 1).unwrap_or(day);
        match self {
            Self::Day => day,
            Self::Week => {
                let past = i32::from(day.weekday().to_monday_zero_offset());
                day.checked_sub(past.days()).unwrap_or(day)
            }
            Self::Month => first_of(day.month()),
            Self::Quarter => first_of((day.month() - 1) / 3 * 3 + 1),
            Self::Year => first_of(1),
        }
    }
}

/// A time that is no period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeriodError {
    /// It cannot be read.
    #[error(
        "{0:?} is no period; write 2025, 2025-Q3, 2025-07, 2025-W27, 2025-07-01 or 2025-07-01/2025-09-30"
    )]
    Unreadable(String),
    /// It ends before it begins.
    #[error("the period ends before it begins; write the earlier day first")]
    Backward,
    /// No fact can lie in it.
    #[error("the period lies outside the years 1971 to 2105")]
    Outside,
}

/// From the start of one day to the start of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Period {
    from: Date,
    /// The day after the last one.
    to: Date,
    /// Whether it is a day, week, month, quarter or year.
    step: Option<Step>,
}

impl Period {
    /// The day, week, month, quarter or year in which a day lies.
    pub fn of(step: Step, day: Date) -> Result<Self, PeriodError> {
        let from = step.start(day);
        let to = from.checked_add(step.span()).map_err(|_| PeriodError::Outside)?;
        Self::checked(from, to, Some(step))
    }

    /// A year.
    pub fn year(year: i16) -> Result<Self, PeriodError> {
        Self::of(Step::Year, date(year, 1)?)
    }

    /// A quarter of a year, from 1 to 4.
    pub fn quarter(year: i16, quarter: i8) -> Result<Self, PeriodError> {
        if !(1..=4).contains(&quarter) {
            return Err(PeriodError::Unreadable(format!("{year}-Q{quarter}")));
        }
        Self::of(Step::Quarter, date(year, quarter * 3 - 2)?)
    }

    /// A month, from 1 to 12.
    pub fn month(year: i16, month: i8) -> Result<Self, PeriodError> {
        Self::of(Step::Month, date(year, month)?)
    }

    /// From one day to another, both within it.
    pub fn between(first: Date, last: Date) -> Result<Self, PeriodError> {
        let to = last.tomorrow().map_err(|_| PeriodError::Outside)?;
        Self::checked(first, to, None)
    }

    fn checked(from: Date, to: Date, step: Option<Step>) -> Result<Self, PeriodError> {
        if from >= to {
            return Err(PeriodError::Backward);
        }
        if from < FIRST || to > LAST {
            return Err(PeriodError::Outside);
        }
        Ok(Self { from, to, step })
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        self.from
    }

    /// Its last day.
    pub fn last_day(self) -> Date {
        self.to.yesterday().unwrap_or(self.to)
    }

    /// When it begins, and when it is over, by the clocks of a place.
    pub fn bounds(self, zone: &TimeZone) -> (Moment, Moment) {
        (midnight(self.from, zone), midnight(self.to, zone))
    }

    /// The one before: the month before a month, and as many days before some days.
    pub fn before(self) -> Result<Self, PeriodError> {
        if let Some(step) = self.step {
            let day = self.from.yesterday().map_err(|_| PeriodError::Outside)?;
            return Self::of(step, day);
        }
        let length = self.to - self.from;
        let from = self.from.checked_sub(length).map_err(|_| PeriodError::Outside)?;
        Self::checked(from, self.from, None)
    }

    /// The same of the year before: of a week the one 52 weeks before, so that it has the same days.
    pub fn last_year(self) -> Result<Self, PeriodError> {
        let back = match self.step {
            Some(Step::Week) => 364.days(),
            _ => 1.year(),
        };
        let earlier = |day: Date| day.checked_sub(back).map_err(|_| PeriodError::Outside);
        let from = earlier(self.from)?;
        match self.step {
            Some(step) => Self::of(step, from),
            // The 28th and 29th of February of a leap year are one day in the year before.
            None => Self::checked(from, earlier(self.to)?.max(from.tomorrow().unwrap_or(from)), None),
        }
    }

    /// Its days, weeks, months, quarters or years; the first and the last are cut where the period begins and ends within them.
    pub fn steps(self, step: Step) -> impl Iterator<Item = Self> {
        let mut next = Some(self.from);
        std::iter::from_fn(move || {
            let from = next.filter(|from| *from < self.to)?;
            let whole = step.start(from);
            let end = whole.checked_add(step.span()).unwrap_or(self.to);
            let to = end.min(self.to);
            next = Some(to);
            let is_whole = whole == from && end == to;
            Some(Self {
                from,
                to,
                step: is_whole.then_some(step),
            })
        })
    }
}

fn date(year: i16, month: i8) -> Result<Date, PeriodError> {
    Date::new(year, month, 1).map_err(|_| PeriodError::Unreadable(format!("{year}-{month:02}")))
}

/// When a day begins; 0 or the last moment where that cannot be said in facts.
pub(super) fn midnight(day: Date, zone: &TimeZone) -> Moment {
    let start = day
        .to_zoned_datetime(zone.clone())
        .map(|start| start.timestamp().as_second());
    Moment::try_from(start.unwrap_or_default().max(0)).unwrap_or(Moment::MAX - 1)
}

impl fmt::Display for Period {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = self.from;
        match self.step {
            Some(Step::Year) => write!(out, "{:04}", day.year()),
            Some(Step::Quarter) => write!(out, "{:04}-Q{}", day.year(), (day.month() + 2) / 3),
            Some(Step::Month) => write!(out, "{:04}-{:02}", day.year(), day.month()),
            Some(Step::Week) => {
                let week = day.iso_week_date();
                write!(out, "{:04}-W{:02}", week.year(), week.week())
            }
            Some(Step::Day) => write!(out, "{day}"),
            None => write!(out, "{day}/{}", self.last_day()),
        }
    }
}

impl FromStr for Period {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let unreadable = || PeriodError::Unreadable(text.chars().take(40).collect());
        let day = |text: &str| text.parse::<Date>().map_err(|_| unreadable());
        if let Some((first, last)) = text.split_once('/') {
            return Self::between(day(first)?, day(last)?);
        }
        let is_number = |text: &str, letters: usize| {
            text.len() == letters && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        let Some(year) = text.get(..4).filter(|year| is_number(year, 4)) else {
            return Err(unreadable());
        };
        let year: i16 = year.parse().map_err(|_| unreadable())?;
        let rest = &text[4..];
        let number = |from: &str, letters: usize| {
            let digits = rest.strip_prefix(from).filter(|rest| is_number(rest, letters))?;
            digits.parse::<i8>().ok()
        };
        if rest.is_empty() {
            Self::year(year)
        } else if let Some(quarter) = number("-Q", 1) {
            Self::quarter(year, quarter).map_err(|_| unreadable())
        } else if let Some(week) = number("-W", 2) {
            let monday = ISOWeekDate::new(year, week, Weekday::Monday).map_err(|_| unreadable())?;
            Self::of(Step::Week, monday.date())
        } else if let Some(month) = number("-", 2) {
            Self::month(year, month).map_err(|_| unreadable())
        } else {
            Self::of(Step::Day, day(text)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }

    #[test]
    fn a_period_is_written_as_it_is_read() {
        for text in [
            "2025",
            "2025-Q3",
            "2025-07",
            "2025-W01",
            "2025-07-01",
            "2025-07-01/2025-09-29",
        ] {
            assert_eq!(period(text).to_string(), text);
        }
        for wrong in [
            "",
            "25",
            "2025-Q5",
            "2025-13",
            "2025-W54",
            "2025-02-30",
            "2025-3",
            "世世世世",
            "2025-07-01/",
        ] {
            assert!(
                matches!(wrong.parse::<Period>(), Err(PeriodError::Unreadable(_))),
                "{wrong}"
            );
        }
        assert_eq!(
            "2025-02-02/2025-02-01".parse::<Period>(),
            Err(PeriodError::Backward)
        );
        assert_eq!("1066".parse::<Period>(), Err(PeriodError::Outside));
        assert_eq!("2106".parse::<Period>(), Err(PeriodError::Outside));
    }

    #[test]
    fn a_period_knows_the_one_before_and_that_of_last_year() {
        let told = |text: &str| {
            let it = period(text);
            (
                it.before().unwrap().to_string(),
                it.last_year().unwrap().to_string(),
            )
        };
        let both = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(told("2025"), both("2024", "2024"));
        assert_eq!(told("2025-Q1"), both("2024-Q4", "2024-Q1"));
        assert_eq!(told("2025-03"), both("2025-02", "2024-03"));
        assert_eq!(told("2025-W01"), both("2024-W52", "2024-W01"));
        assert_eq!(told("2024-02-29"), both("2024-02-28", "2023-02-28"));
        assert_eq!(
            told("2025-03-01/2025-03-10"),
            both("2025-02-19/2025-02-28", "2024-03-01/2024-03-10")
        );
        assert_eq!(told("2024-02-29/2024-02-29").1, "2023-02-28/2023-02-28");
    }

    #[test]
    fn steps_are_cut_at_the_ends_and_leave_no_gap() {
        let shown = |text: &str, step| {
            let steps = period(text).steps(step);
            steps.map(|it| it.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(shown("2025-Q1", Step::Month), ["2025-01", "2025-02", "2025-03"]);
        assert_eq!(
            shown("2025-01-15/2025-03-02", Step::Month),
            ["2025-01-15/2025-01-31", "2025-02", "2025-03-01/2025-03-02"]
        );
        assert_eq!(shown("2024", Step::Day).len(), 366);
        assert_eq!(
            shown("2025", Step::Week)[..2],
            ["2025-01-01/2025-01-05", "2025-W02"]
        );
        assert_eq!(shown("2025", Step::Quarter).len(), 4);
    }

    #[test]
    fn a_day_begins_by_the_clocks_of_the_place() {
        let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
        let (from, to) = period("2025-07-01").bounds(&shanghai);
        // 30 June 2025, 16:00 UTC.
        assert_eq!(from, 1_751_299_200);
        assert_eq!(to - from, 86_400);
        let zurich = TimeZone::get("Europe/Zurich").unwrap();
        let (from, to) = period("2025-03-30").bounds(&zurich);
        assert_eq!(
            to - from,
            23 * 3_600,
            "an hour is missing when summer time begins"
        );
    }
}
