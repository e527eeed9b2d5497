//! How a figure is written for a reader: pages, briefings and lists of rows write it here and nowhere else. Counted exactly,
//! rounded last, halves up.

use whistle_domain::words::Lang;

use super::{Figure, Ratio, Unit};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// What stands where there is nothing to count.
pub const NO_VALUE: &str = "—";

impl Figure {
    /// The figure in words and signs: `93.4%`, `5.3小时`, `—` where there is nothing to count, a word where it is kept back.
    pub fn shown(&self, unit: Unit, lang: Lang) -> String {
        if self.is_masked {
            return match lang {
                Lang::Zh => "不公开",
                Lang::En => "not shown",
            }
            .to_owned();
        }
        self.value
            .map_or_else(|| NO_VALUE.to_owned(), |value| value.shown(unit, lang))
    }
}

impl Ratio {
    /// A whole number of parts of it, as thousandths, halves rounded up.
    pub fn rounded(self, parts: u64) -> u64 {
        let (over, under) = (u128::from(self.over) * u128::from(parts), u128::from(self.under));
        u64::try_from((2 * over + under) / (2 * under)).unwrap_or(u64::MAX)
    }

    /// The number in its unit, one digit behind the point; lengths of time and way in the unit in which they are short.
    pub fn shown(self, unit: Unit, lang: Lang) -> String {
        let whole = self.rounded(1);
        match unit {
            Unit::Count => grouped(whole),
            Unit::Percent => format!("{}%", tenths(self.rounded(1_000))),
            Unit::PerThousand => format!("{}‰", tenths(self.rounded(10_000))),
            Unit::Number => {
                let hundredths = self.rounded(100);
                format!("{}.{:02}", grouped(hundredths / 100), hundredths % 100)
            }
            Unit::Distance if whole < 1_000 => in_unit(&whole.to_string(), "米", "m", lang),
            Unit::Distance => in_unit(&self.tenths_of(1_000), "公里", "km", lang),
            Unit::Duration if whole < 90 * MINUTE => {
                let minutes = Self {
                    under: self.under.saturating_mul(MINUTE),
                    ..self
                };
                in_unit(&minutes.rounded(1).to_string(), "分钟", "min", lang)
            }
            Unit::Duration if whole < 2 * DAY => in_unit(&self.tenths_of(HOUR), "小时", "h", lang),
            Unit::Duration => in_unit(&self.tenths_of(DAY), "天", "days", lang),
        }
    }

    fn tenths_of(self, size: u64) -> String {
        let under = self.under.saturating_mul(size);
        tenths(Self { under, ..self }.rounded(10))
    }
}

/// With a comma before each three digits, in both languages: GB/T 15835 allows it, and columns of figures are read by it.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Tenths with their point: 93.4.
pub fn tenths(number: u64) -> String {
    format!("{}.{}", grouped(number / 10), number % 10)
}

fn in_unit(number: &str, zh: &str, en: &str, lang: Lang) -> String {
    match lang {
        Lang::Zh => format!("{number}{zh}"),
        Lang::En => format!("{number} {en}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(over: u64, under: u64) -> Figure {
        Figure {
            numerator: over,
            denominator: under,
            value: Some(Ratio { over, under }),
            is_masked: false,
        }
    }

    #[test]
    fn a_figure_is_written_in_the_unit_that_a_reader_expects() {
        let shown = |over, under, unit| Lang::ALL.map(|lang| figure(over, under).shown(unit, lang));
        assert_eq!(shown(12_345, 1, Unit::Count), ["12,345", "12,345"]);
        assert_eq!(shown(123, 1, Unit::Count), ["123", "123"]);
        assert_eq!(shown(737, 972, Unit::Percent), ["75.8%", "75.8%"]);
        assert_eq!(shown(1, 400, Unit::PerThousand), ["2.5‰", "2.5‰"]);
        assert_eq!(shown(2_100, 1, Unit::Duration), ["35分钟", "35 min"]);
        assert_eq!(shown(19_080, 1, Unit::Duration), ["5.3小时", "5.3 h"]);
        assert_eq!(shown(216_000, 1, Unit::Duration), ["2.5天", "2.5 days"]);
        assert_eq!(shown(5_399, 1, Unit::Duration), ["90分钟", "90 min"]);
        assert_eq!(shown(5_400, 1, Unit::Duration), ["1.5小时", "1.5 h"]);
        assert_eq!(shown(172_800, 1, Unit::Duration), ["2.0天", "2.0 days"]);
        assert_eq!(shown(640, 1, Unit::Distance), ["640米", "640 m"]);
        assert_eq!(shown(1_240, 1, Unit::Distance), ["1.2公里", "1.2 km"]);
        assert_eq!(shown(1, 3, Unit::Number), ["0.33", "0.33"]);
    }

    #[test]
    fn halves_are_rounded_up_as_no_float_would_do_it() {
        let shown = |over, under, unit| figure(over, under).shown(unit, Lang::En);
        // 0.125 % and 2.675 are a hair less as floats.
        assert_eq!(shown(1, 2_000, Unit::Percent), "0.1%");
        assert_eq!(shown(267_500, 100_000, Unit::Number), "2.68");
        assert_eq!(shown(9_995, 10_000, Unit::Percent), "100.0%");
        assert_eq!(shown(u64::MAX, 1, Unit::Duration), "213,503,982,334,601.3 days");
    }

    #[test]
    fn nothing_to_count_is_a_dash_and_what_is_kept_back_says_so() {
        assert_eq!(Figure::default().shown(Unit::Percent, Lang::Zh), "—");
        let masked = Figure {
            is_masked: true,
            ..Figure::default()
        };
        assert_eq!(masked.shown(Unit::Count, Lang::En), "not shown");
    }
}
