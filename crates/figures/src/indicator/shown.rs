//! How a figure is written for a reader.

use whistle_domain::words::Lang;

use super::{Figure, LEAST, Unit};

const MINUTE: f64 = 60.0;
const HOUR: f64 = 60.0 * MINUTE;
const DAY: f64 = 24.0 * HOUR;

/// What stands where there is nothing to count.
pub const NO_VALUE: &str = "—";

impl Figure {
    /// The figure in words and signs: `93.4%`, `5.3 小时`, `—` where there is nothing to count, `<5` where it is kept back.
    pub fn shown(&self, unit: Unit, lang: Lang) -> String {
        if self.is_masked {
            return format!("<{LEAST}");
        }
        let Some(value) = self.value else {
            return NO_VALUE.to_owned();
        };
        let number = value.as_f64();
        match unit {
            Unit::Count => whole(value.over, lang),
            Unit::Percent => format!("{:.1}%", number * 100.0),
            Unit::PerThousand => format!("{:.1}‰", number * 1000.0),
            Unit::Duration => duration(number, lang),
            Unit::Distance => distance(number, lang),
            Unit::Number => format!("{number:.2}"),
        }
    }
}

/// English groups thousands; a Chinese report writes digits on end, or counts by 万, which would round.
fn whole(n: u64, lang: Lang) -> String {
    let digits = n.to_string();
    if lang == Lang::Zh {
        return digits;
    }
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// In the unit in which it has one to three digits before the point.
fn duration(seconds: f64, lang: Lang) -> String {
    let (n, zh, en) = if seconds < HOUR {
        (format!("{:.0}", seconds / MINUTE), "分钟", "min")
    } else if seconds < 2.0 * DAY {
        (format!("{:.1}", seconds / HOUR), "小时", "hours")
    } else {
        (format!("{:.1}", seconds / DAY), "天", "days")
    };
    match lang {
        Lang::Zh => format!("{n}{zh}"),
        Lang::En => format!("{n} {en}"),
    }
}

fn distance(metres: f64, lang: Lang) -> String {
    let is_far = metres >= 1000.0;
    let n = if is_far {
        format!("{:.1}", metres / 1000.0)
    } else {
        format!("{metres:.0}")
    };
    match (lang, is_far) {
        (Lang::Zh, true) => format!("{n}公里"),
        (Lang::Zh, false) => format!("{n}米"),
        (Lang::En, true) => format!("{n} km"),
        (Lang::En, false) => format!("{n} m"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Ratio, *};

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
        assert_eq!(shown(12_345, 1, Unit::Count), ["12345", "12,345"]);
        assert_eq!(shown(123, 1, Unit::Count), ["123", "123"]);
        assert_eq!(shown(737, 972, Unit::Percent), ["75.8%", "75.8%"]);
        assert_eq!(shown(1, 400, Unit::PerThousand), ["2.5‰", "2.5‰"]);
        assert_eq!(shown(2_100, 1, Unit::Duration), ["35分钟", "35 min"]);
        assert_eq!(shown(19_080, 1, Unit::Duration), ["5.3小时", "5.3 hours"]);
        assert_eq!(shown(216_000, 1, Unit::Duration), ["2.5天", "2.5 days"]);
        assert_eq!(shown(640, 1, Unit::Distance), ["640米", "640 m"]);
        assert_eq!(shown(1_240, 1, Unit::Distance), ["1.2公里", "1.2 km"]);
        assert_eq!(shown(1, 3, Unit::Number), ["0.33", "0.33"]);
    }

    #[test]
    fn nothing_to_count_is_a_dash_and_few_are_kept_back() {
        assert_eq!(Figure::default().shown(Unit::Percent, Lang::Zh), "—");
        let masked = Figure {
            is_masked: true,
            ..Figure::default()
        };
        assert_eq!(masked.shown(Unit::Count, Lang::En), "<5");
    }
}
