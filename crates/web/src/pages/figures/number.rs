//! Figures, their differences and periods in the reader's words.

use jiff::civil::Date;
use whistle_domain::place::UnitKind;
use whistle_figures::indicator::{
    Cut, Figure, Filters, Indicator, Key, Period, Subject, Unit, grouped, tenths,
};

use crate::pages::page::Page;

/// A figure as it is shown.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Shown {
    /// In words.
    pub(crate) text: String,
    /// For a chart; none where there is none, or it is kept back.
    pub(crate) size: Option<f64>,
    /// What was counted, out of what; empty where that says nothing more.
    pub(crate) of: String,
}

impl Page {
    /// A figure in words.
    pub(crate) fn figure(&self, figure: &Figure, unit: Unit) -> Shown {
        let of = if unit.is_share() && !figure.is_masked && figure.value.is_some() {
            format!("{} / {}", grouped(figure.numerator), grouped(figure.denominator))
        } else {
            String::new()
        };
        let times = match unit {
            Unit::Percent => 100.0,
            Unit::PerThousand => 1000.0,
            Unit::Duration => 1.0 / 3600.0,
            _ => 1.0,
        };
        let value = figure.value.filter(|_| !figure.is_masked);
        Shown {
            text: figure.shown(unit, self.lang()),
            size: value.map(|value| value.as_f64() * times),
            of,
        }
    }

    /// By how much a figure differs from an earlier one: shares in points, all else in per cent of the earlier. Empty where there is
    /// nothing to compare.
    pub(crate) fn change(&self, now: &Figure, earlier: &Figure, unit: Unit) -> String {
        let (Some(new), Some(old)) = (now.value, earlier.value) else {
            return String::new();
        };
        let signed = |difference: i128| {
            let sign = match difference {
                ..0 => "−",
                0 => "±",
                1.. => "+",
            };
            format!(
                "{sign}{}",
                tenths(u64::try_from(difference.unsigned_abs()).unwrap_or(u64::MAX))
            )
        };
        if unit.is_share() {
            let parts = if unit == Unit::Percent { 1_000 } else { 10_000 };
            let points = i128::from(new.rounded(parts)) - i128::from(old.rounded(parts));
            return self.x("figures-points", &signed(points));
        }
        if old.over == 0 {
            return String::new();
        }
        // new / old - 1, in thousandths.
        let (over, under) = (
            i128::from(new.over) * i128::from(old.under),
            i128::from(old.over) * i128::from(new.under),
        );
        let thousandths = (over - under) * 1_000;
        let half = if thousandths < 0 { -under } else { under };
        format!("{}%", signed((2 * thousandths + half) / (2 * under)))
    }

    /// A period in words.
    pub(crate) fn span(&self, period: Period) -> String {
        let (text, first) = (period.to_string(), period.first_day());
        let year = i64::from(first.year());
        if text.contains('/') {
            let (from, to) = (self.words.date(first), self.words.date(period.last_day()));
            return self
                .words
                .with("figures-from", &[("from", from.into()), ("to", to.into())]);
        }
        match text.len() {
            4 => self.words.n("figures-year", year),
            _ if text.contains("-Q") => {
                let quarter = i64::from((first.month() + 2) / 3);
                self.words.with(
                    "figures-quarter",
                    &[("year", year.to_string().into()), ("n", quarter.into())],
                )
            }
            _ if text.contains("-W") => {
                let week = i64::from(first.iso_week_date().week());
                let year = i64::from(first.iso_week_date().year());
                self.words.with(
                    "figures-week",
                    &[("year", year.to_string().into()), ("n", week.into())],
                )
            }
            7 => self.words.month(first),
            _ => self.words.date(first),
        }
    }

    /// A step of time under a column of a chart, as short as it can be.
    pub(crate) fn step(&self, period: Period) -> String {
        let (text, first) = (period.to_string(), period.first_day());
        match text.len() {
            4 => text,
            7 if !text.contains("-Q") && !text.contains("-W") => {
                self.words.n("figures-short-month", first.month().into())
            }
            _ => short_day(first),
        }
    }

    /// What a row of an answer is called.
    pub(crate) fn key_name(&self, cut: Cut, key: &Key) -> String {
        match (cut, key) {
            (Cut::Area(_), Key::Code(code)) => self.area_name(code),
            (Cut::Unit, Key::Code(code)) => self.unit_name(code),
            (Cut::Standard, Key::Code(code)) => self.standard_name(code),
            (_, Key::Code(code)) => self.service_name(code),
            (_, Key::Word(_, word)) => self.of_kind("channel", word),
            (_, Key::Step(period)) => self.span(*period),
            (_, Key::Hour { weekday, hour }) => {
                format!(
                    "{} {hour:02}:00",
                    self.t(&format!("figures-weekday-{}", weekday + 1))
                )
            }
            (Cut::Service | Cut::Group | Cut::Standard, Key::Unknown) => self.t("figures-others"),
            (_, Key::Unknown) => self.t("figures-nowhere"),
        }
    }

    /// Of what a figure is, in words: what it is narrowed to, and the row of a cut.
    pub(crate) fn within_words(&self, filters: &Filters, cut: Cut, row: Option<&Key>) -> Vec<String> {
        let areas = filters.areas.iter().map(|code| self.area_name(code));
        let units = filters.units.iter().map(|code| self.unit_name(code));
        let services = filters.services.iter().chain(&filters.groups);
        let services = services.map(|code| self.service_name(code));
        let channels = filters.channels.iter().map(|word| self.of_kind("channel", word));
        let row = row.map(|key| self.key_name(cut, key));
        areas
            .chain(units)
            .chain(services)
            .chain(channels)
            .chain(row)
            .collect()
    }

    /// Where the figures of a row of an answer are, if it has a page.
    pub(crate) fn key_page(&self, cut: Cut, key: &Key, period: Period) -> Option<String> {
        let Key::Code(code) = key else { return None };
        let place = &self.here.place;
        match cut {
            Cut::Area(_) => place
                .areas
                .find(code)
                .map(|_| format!("/figures/areas/{code}?period={period}")),
            Cut::Unit => place
                .unit(code)
                .map(|_| format!("/figures/units/{code}?period={period}")),
            _ => None,
        }
    }

    /// The name of a unit, post or area.
    pub(crate) fn name_of(&self, subject: Subject, code: &str) -> String {
        match subject {
            Subject::Post => self.post_name(code),
            Subject::Area => self.area_name(code),
            _ => self.unit_name(code),
        }
    }

    /// The name of an indicator.
    pub(crate) fn label(&self, indicator: &Indicator) -> String {
        indicator.label.get(self.lang()).to_owned()
    }

    /// Whether a unit is a station, whose figures are those of its area too.
    pub(crate) fn station_area(&self, unit: &str) -> Option<String> {
        let unit = self
            .here
            .place
            .unit(unit)
            .filter(|unit| unit.kind == UnitKind::Station)?;
        Some(self.here.place.areas.get(unit.area).code.to_string())
    }
}

fn short_day(day: Date) -> String {
    format!("{}-{:02}", day.month(), day.day())
}
