//! How long something may take: `4h working`, `2d calendar`.
//!
//! A limit knows an amount and what kind of time counts towards it. When it ends is the calendar's to say.

use crate::words::Lang;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The kind of time that counts towards a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LimitUnit {
    /// Every hour counts, nights and holidays too (紧急工作时).
    RunningHours,
    /// Only time inside the calendar's working slots counts (工作时).
    WorkingHours,
    /// Whole working dates count (工作日).
    WorkingDays,
    /// Every date counts (自然日).
    CalendarDays,
}

impl LimitUnit {
    pub const ALL: [LimitUnit; 4] = [
        LimitUnit::RunningHours,
        LimitUnit::WorkingHours,
        LimitUnit::WorkingDays,
        LimitUnit::CalendarDays,
    ];

    /// Whether amounts are whole days; otherwise they are whole minutes.
    pub const fn counts_days(self) -> bool {
        matches!(self, LimitUnit::WorkingDays | LimitUnit::CalendarDays)
    }

    /// The longest limit: ten years of this kind of time, in minutes or days. A working year is taken as
    /// 262 days of 8 hours. Longer is a slip of the pen, and calendars stay bounded.
    pub const fn longest(self) -> u32 {
        match self {
            LimitUnit::RunningHours => 3_660 * 24 * 60,
            LimitUnit::WorkingHours => 2_620 * 8 * 60,
            LimitUnit::WorkingDays => 2_620,
            LimitUnit::CalendarDays => 3_660,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            LimitUnit::RunningHours => "running",
            LimitUnit::WorkingHours | LimitUnit::WorkingDays => "working",
            LimitUnit::CalendarDays => "calendar",
        }
    }
}

/// A duration of one kind of time, longer than nothing and at most [`LimitUnit::longest`].
///
/// Written `30m running`, `2h running`, `1.5h working`, `5d working`, `2d calendar`; case and extra spaces
/// do not matter. In JSON it is that text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Limit {
    amount: u32,
    unit: LimitUnit,
}

/// Why a text or an amount is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    #[error("limit \"{text}\" is no duration; write 30m running, 4h working, 5d working or 2d calendar")]
    NotADuration { text: String },
    #[error("limit \"{text}\" is no whole number of {base}; write a whole number, such as {example}")]
    NotWhole {
        text: String,
        base: &'static str,
        example: &'static str,
    },
    #[error("limit \"{text}\" leaves no time at all; write an amount above 0")]
    Nothing { text: String },
    #[error("limit \"{text}\" is longer than ten years; write at most {longest}")]
    TooLong { text: String, longest: String },
}

impl Limit {
    /// A limit of `amount` minutes (hour units) or days (day units). Refuses 0 and more than
    /// [`LimitUnit::longest`].
    pub fn new(amount: u32, unit: LimitUnit) -> Result<Self, LimitError> {
        Self::checked(u64::from(amount), unit, || spelled(amount, unit))
    }

    /// The amount in whole minutes for the hour units, in whole days for the day units.
    pub const fn amount(self) -> u32 {
        self.amount
    }

    pub const fn unit(self) -> LimitUnit {
        self.unit
    }

    /// The limit in words for a reader: "4 working hours", "4 个工作小时".
    pub fn describe(self, lang: Lang) -> String {
        if self.unit.counts_days() {
            return match (lang, self.unit) {
                (Lang::En, _) => counted(&self.amount.to_string(), self.unit.word(), "day"),
                (Lang::Zh, LimitUnit::WorkingDays) => format!("{} 个工作日", self.amount),
                (Lang::Zh, _) => format!("{} 个自然日", self.amount),
            };
        }
        let hours = match (self.amount / 60, self.amount % 60) {
            (hours, 0) => Some(hours.to_string()),
            (hours, 30) if hours > 0 => Some(format!("{hours}.5")),
            _ => None,
        };
        let running = self.unit == LimitUnit::RunningHours;
        match (lang, hours) {
            (Lang::En, Some(hours)) => counted(&hours, self.unit.word(), "hour"),
            (Lang::En, None) => counted(&self.amount.to_string(), self.unit.word(), "minute"),
            (Lang::Zh, Some(hours)) if running => format!("{hours} 个紧急工作时"),
            (Lang::Zh, Some(hours)) => format!("{hours} 个工作小时"),
            (Lang::Zh, None) if running => format!("{} 分钟（紧急工作时）", self.amount),
            (Lang::Zh, None) => format!("{} 分钟（工作时）", self.amount),
        }
    }

    fn checked(amount: u64, unit: LimitUnit, text: impl Fn() -> String) -> Result<Self, LimitError> {
        let longest = unit.longest();
        match u32::try_from(amount) {
            Ok(0) => Err(LimitError::Nothing { text: text() }),
            Ok(amount) if amount <= longest => Ok(Self { amount, unit }),
            _ => Err(LimitError::TooLong {
                text: text(),
                longest: spelled(longest, unit),
            }),
        }
    }
}

/// "1 working hour", "4 working hours".
fn counted(amount: &str, kind: &str, noun: &str) -> String {
    let plural = if amount == "1" { "" } else { "s" };
    format!("{amount} {kind} {noun}{plural}")
}

/// The canonical text of an amount, also of one that is no limit.
fn spelled(amount: u32, unit: LimitUnit) -> String {
    let word = unit.word();
    if unit.counts_days() {
        format!("{amount}d {word}")
    } else if amount.is_multiple_of(60) {
        format!("{}h {word}", amount / 60)
    } else {
        format!("{amount}m {word}")
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&spelled(self.amount, self.unit))
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        limit.to_string()
    }
}

impl TryFrom<String> for Limit {
    type Error = LimitError;

    fn try_from(text: String) -> Result<Self, LimitError> {
        text.parse()
    }
}

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let given = || text.to_owned();
        let no_duration = || LimitError::NotADuration { text: given() };

        let lower = text.trim().to_ascii_lowercase();
        let number_end = lower
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(lower.len());
        let (number, rest) = lower.split_at(number_end);
        let mut words = rest.split_whitespace();
        let (Some(size), Some(kind), None) = (words.next(), words.next(), words.next()) else {
            return Err(no_duration());
        };
        // How many base units (minutes or days) one of the written units holds.
        let (unit, per_one) = match (size, kind) {
            ("m", "running") => (LimitUnit::RunningHours, 1),
            ("h", "running") => (LimitUnit::RunningHours, 60),
            ("m", "working") => (LimitUnit::WorkingHours, 1),
            ("h", "working") => (LimitUnit::WorkingHours, 60),
            ("d", "working") => (LimitUnit::WorkingDays, 1),
            ("d", "calendar") => (LimitUnit::CalendarDays, 1),
            _ => return Err(no_duration()),
        };
        let (scaled, scale) = decimal(number).ok_or_else(no_duration)?;
        let in_base = scaled * per_one;
        if in_base % scale != 0 {
            let (base, example) = if unit.counts_days() {
                ("days", "2d working")
            } else {
                ("minutes", "90m working")
            };
            return Err(LimitError::NotWhole {
                text: given(),
                base,
                example,
            });
        }
        Self::checked(in_base / scale, unit, given)
    }
}

/// A written decimal as (digits without the point, power of ten to divide by). At most nine digits, which
/// is more than any limit needs and keeps the arithmetic far from overflow.
fn decimal(text: &str) -> Option<(u64, u64)> {
    const MOST_DIGITS: usize = 9;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = format!("{whole}{fraction}");
    let is_number = !whole.is_empty() && !fraction.is_empty() && digits.len() <= MOST_DIGITS + 1;
    if !is_number {
        return None;
    }
    Some((digits.parse().ok()?, 10_u64.pow(fraction.len() as u32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn limit(text: &str) -> Limit {
        text.parse().unwrap()
    }

    fn refusal(text: &str) -> String {
        text.parse::<Limit>().unwrap_err().to_string()
    }

    #[test]
    fn every_written_form_is_read_as_minutes_or_days() {
        let table = [
            ("30m running", 30, LimitUnit::RunningHours),
            ("2h running", 120, LimitUnit::RunningHours),
            ("1.5h working", 90, LimitUnit::WorkingHours),
            ("90m working", 90, LimitUnit::WorkingHours),
            ("0.1h working", 6, LimitUnit::WorkingHours),
            ("4h working", 240, LimitUnit::WorkingHours),
            ("5d working", 5, LimitUnit::WorkingDays),
            ("2.0d calendar", 2, LimitUnit::CalendarDays),
        ];
        for (text, amount, unit) in table {
            assert_eq!(limit(text), Limit::new(amount, unit).unwrap(), "{text}");
        }
    }

    #[test]
    fn spaces_and_upper_case_do_not_matter() {
        assert_eq!(limit("  4H   Working "), limit("4h working"));
        assert_eq!(limit("4 h\tWORKING"), limit("4h working"));
    }

    #[test]
    fn a_refusal_says_what_is_wrong_and_what_would_be_right() {
        assert_eq!(
            refusal("4 wh"),
            r#"limit "4 wh" is no duration; write 30m running, 4h working, 5d working or 2d calendar"#
        );
        assert_eq!(
            refusal("1.5d working"),
            r#"limit "1.5d working" is no whole number of days; write a whole number, such as 2d working"#
        );
        assert_eq!(
            refusal("0.33h working"),
            r#"limit "0.33h working" is no whole number of minutes; write a whole number, such as 90m working"#
        );
        assert_eq!(
            refusal("0h working"),
            r#"limit "0h working" leaves no time at all; write an amount above 0"#
        );
        assert_eq!(
            refusal("4000d calendar"),
            r#"limit "4000d calendar" is longer than ten years; write at most 3660d calendar"#
        );
    }

    #[test]
    fn half_written_limits_are_no_durations() {
        for text in [
            "",
            "4",
            "4h",
            "h working",
            "-4h working",
            "4h working days",
            "2d running",
            "4h calendar",
            ".h working",
            ".5h working",
            "1.h working",
            "1.2.3h working",
            "4hworking",
            "9999999999h working",
            "四h working",
        ] {
            assert!(
                matches!(text.parse::<Limit>(), Err(LimitError::NotADuration { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn a_limit_is_above_nothing_and_at_most_ten_years() {
        for unit in LimitUnit::ALL {
            assert!(matches!(Limit::new(0, unit), Err(LimitError::Nothing { .. })));
            assert!(Limit::new(unit.longest(), unit).is_ok());
            assert!(matches!(
                Limit::new(unit.longest() + 1, unit),
                Err(LimitError::TooLong { .. })
            ));
            assert!(matches!(
                Limit::new(u32::MAX, unit),
                Err(LimitError::TooLong { .. })
            ));
        }
    }

    #[test]
    fn a_limit_is_described_in_the_readers_language() {
        let table = [
            ("4h working", "4 working hours", "4 个工作小时"),
            ("1h working", "1 working hour", "1 个工作小时"),
            ("90m working", "1.5 working hours", "1.5 个工作小时"),
            ("45m working", "45 working minutes", "45 分钟（工作时）"),
            ("2h running", "2 running hours", "2 个紧急工作时"),
            ("30m running", "30 running minutes", "30 分钟（紧急工作时）"),
            ("1d working", "1 working day", "1 个工作日"),
            ("7d calendar", "7 calendar days", "7 个自然日"),
        ];
        for (text, en, zh) in table {
            assert_eq!(limit(text).describe(Lang::En), en);
            assert_eq!(limit(text).describe(Lang::Zh), zh);
        }
    }

    #[test]
    fn json_holds_the_written_form() {
        assert_eq!(
            serde_json::to_string(&limit("1.5h working")).unwrap(),
            r#""90m working""#
        );
        assert_eq!(
            serde_json::from_str::<Limit>(r#""2D calendar""#).unwrap(),
            limit("2d calendar")
        );
        assert!(serde_json::from_str::<Limit>(r#""soon""#).is_err());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            amount in 1_u32..=3_660, unit in prop::sample::select(&LimitUnit::ALL),
        ) {
            if let Ok(limit) = Limit::new(amount, unit) {
                prop_assert_eq!(limit.to_string().parse(), Ok(limit));
            }
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(
            text in "[0-9. ]{0,12}[mhd]? ?(running|working|calendar|\\PC{0,8})",
        ) {
            let _ = text.parse::<Limit>();
        }
    }
}
