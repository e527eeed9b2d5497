//! Indicators on the wire: what there is to ask, the answers, and the rows behind them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use whistle_domain::{
    case,
    words::{Lang, Text},
};
use whistle_figures::indicator::{self as figures, Period, Unit};
use whistle_service::{
    Here, export,
    indicator::{Question, Told, cut, cut_word, key_word},
    open_data::value,
};

use super::{Channel, Code, Day, Lang as WireLang, Time, Words, case::StaffCase, commas};
use crate::api::error::{Problem, Result};

/// All indicators of a place.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IndicatorList {
    /// The version of the place that declares them.
    pub(crate) place_version: u32,
    /// In the order in which they are declared.
    pub(crate) items: Vec<Indicator>,
}

/// A declared formula.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Indicator {
    /// By which it is asked for.
    code: Code,
    /// The version of its formula: it rises when the same code comes to count something else.
    version: u32,
    /// What its rows are: `case`, `run`, `unit`, `station`, `post`, `area`.
    #[schema(example = "case")]
    subject: &'static str,
    /// In what it is told: `count`, `percent`, `per_thousand`, `duration` (seconds), `distance` (metres), `number`.
    #[schema(example = "percent")]
    unit: &'static str,
    /// Which of the rows fall in a period.
    #[schema(example = "due")]
    period_rule: &'static str,
    /// Its name.
    label: Words,
    /// What a reader should know of it.
    note: Words,
    /// What is counted, in words made from the declaration.
    formula: Words,
}

impl From<&figures::Indicator> for Indicator {
    fn from(indicator: &figures::Indicator) -> Self {
        let [zh, en] = [Lang::Zh, Lang::En].map(|lang| indicator.formula(lang));
        Self {
            code: Code(indicator.code.clone()),
            version: indicator.version,
            subject: indicator.subject.as_str(),
            unit: indicator.unit.as_str(),
            period_rule: indicator.rule.name,
            label: (&indicator.label).into(),
            note: (&indicator.note).into(),
            formula: (&Text::both(zh, en)).into(),
        }
    }
}

/// With what a figure is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Compared {
    /// The period before.
    Before,
    /// The same of last year.
    LastYear,
}

/// Which of the rows behind a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RowPart)]
pub(crate) enum Part {
    /// Those that are counted.
    #[default]
    Numerator,
    /// Those out of which they are; of a measure those that are measured.
    Denominator,
}

impl From<Part> for figures::Part {
    fn from(part: Part) -> Self {
        match part {
            Part::Numerator => Self::Numerator,
            Part::Denominator => Self::Denominator,
        }
    }
}

/// As what rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RowFormat {
    /// A page as JSON.
    #[default]
    Json,
    /// All of them as CSV.
    Csv,
    /// All of them as a workbook.
    Xlsx,
    /// All of them as Parquet.
    Parquet,
}

impl RowFormat {
    /// The format of a file; none for a page.
    pub(crate) const fn of_file(self) -> Option<export::ExportFormat> {
        match self {
            Self::Json => None,
            Self::Csv => Some(export::ExportFormat::Csv),
            Self::Xlsx => Some(export::ExportFormat::Xlsx),
            Self::Parquet => Some(export::ExportFormat::Parquet),
        }
    }
}

/// What every question about figures has.
macro_rules! asked {
    ($(#[$doc:meta])* $name:ident { $($(#[$more:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Deserialize, IntoParams)]
        #[serde(deny_unknown_fields)]
        #[into_params(parameter_in = Query)]
        pub(crate) struct $name {
            /// The jurisdiction; needed only where one install serves several.
            #[param(required = false)]
            #[expect(dead_code, reason = "read by the extractor of the place")]
            jurisdiction_id: Option<Code>,
            /// A year (`2026`), quarter (`2026-Q3`), month (`2026-07`), week (`2026-W27`), day, or two days with a slash between, both
            /// within it. This year where neither it nor `from` is there.
            #[param(example = "2026-Q3", max_length = 40)]
            pub(crate) period: Option<String>,
            /// Instead of `period`: its first day.
            pub(crate) from: Option<Day>,
            /// With `from`: its last day; today where it is left out.
            pub(crate) to: Option<Day>,
            /// By what it is cut: `area:city`, `area:town`, `area:community`, `area:cell`, `unit`, `service`, `group`, `standard`,
            /// `channel`, `hour`, `day`, `week`, `month`, `quarter`, `year`. By nothing where it is left out.
            #[param(example = "area:town", max_length = 20)]
            pub(crate) by: Option<String>,
            /// In one of these areas, at any level, as cases were filed.
            #[serde(default, deserialize_with = "commas::<_, _, 50>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 50)]
            pub(crate) area: Vec<Code>,
            /// Of one of these units.
            #[serde(default, deserialize_with = "commas::<_, _, 50>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 50)]
            pub(crate) unit: Vec<Code>,
            /// Of one of these services.
            #[serde(default, deserialize_with = "commas::<_, _, 50>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 50)]
            pub(crate) service: Vec<Code>,
            /// Of one of these groups of services.
            #[serde(default, deserialize_with = "commas::<_, _, 50>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 50)]
            pub(crate) group: Vec<Code>,
            /// Of one of these standards.
            #[serde(default, deserialize_with = "commas::<_, _, 50>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 50)]
            pub(crate) standard: Vec<Code>,
            /// Told by one of these ways.
            #[serde(default, deserialize_with = "commas::<_, _, 7>")]
            #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 7)]
            pub(crate) channel: Vec<Channel>,
            $($(#[$more])* pub(crate) $field: $kind,)*
        }

        impl $name {
            /// What is asked of an indicator.
            pub(crate) fn question(&self, code: &str, here: &Here, now: Timestamp) -> Result<Question> {
                let codes = |codes: &[Code]| codes.iter().map(|code| code.as_str().to_owned()).collect();
                let channels = self.channel.iter().map(|channel| case::Channel::from(*channel).as_str().to_owned());
                Ok(Question {
                    cut: cut(self.by.as_deref().unwrap_or_default())?,
                    filters: figures::Filters {
                        areas: codes(&self.area),
                        units: codes(&self.unit),
                        services: codes(&self.service),
                        groups: codes(&self.group),
                        standards: codes(&self.standard),
                        channels: channels.collect(),
                    },
                    ..Question::new(&[code], period(self.period.as_deref(), self.from, self.to, here, now)?)
                })
            }
        }
    };
}

asked!(
    /// When, of what, and how it is told apart.
    FigureQuery {
        /// With what it is compared.
        #[serde(default, deserialize_with = "commas::<_, _, 2>")]
        #[param(required = false, style = Form, explode = false, min_items = 1, max_items = 2)]
        compare: Vec<Compared>,
    }
);

asked!(
    /// The rows behind which figure, and as what.
    RowQuery {
        /// At which key of the cut: `key` of the answer's item. All of them where it is left out.
        #[param(max_length = 100)]
        key: Option<String>,
        /// Which of them; those that are counted where it is left out.
        #[serde(default)]
        #[param(required = false, inline)]
        part: Part,
        /// As what; a page as JSON where it is left out.
        #[serde(default)]
        #[param(required = false, inline)]
        format: RowFormat,
        /// In which language a file names things.
        #[param(inline)]
        lang: Option<WireLang>,
        /// Where the page begins; `next` of the page before.
        #[param(format = Int64, minimum = 0, maximum = 4_294_967_295i64)]
        after: Option<u32>,
        /// How many at most; 100 by default.
        #[param(minimum = 1, maximum = 100)]
        limit: Option<usize>,
    }
);

fn period(
    period: Option<&str>,
    from: Option<Day>,
    to: Option<Day>,
    here: &Here,
    now: Timestamp,
) -> Result<Period> {
    let today = here.place.calendar.zone().to_datetime(now).date();
    let (field, read) = match (period, from) {
        (Some(_), Some(_)) => {
            return Err(Problem::value(
                "from",
                "period and from say the same; send one of them",
            ));
        }
        (None, None) if to.is_some() => {
            return Err(Problem::value("to", "to needs from; send both, or period"));
        }
        (Some(_), None) if to.is_some() => {
            return Err(Problem::value("to", "period says when it ends; leave to out"));
        }
        (Some(text), None) => ("period", text.parse()),
        (None, Some(from)) => ("from", Period::between(from.0, to.map_or(today, |to| to.0))),
        (None, None) => ("period", Period::year(today.year())),
    };
    read.map_err(|error| Problem::value(field, error.to_string()))
}

/// What an indicator comes to, with all that it was counted from.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FigureAnswer)]
pub(crate) struct Answer {
    indicator: Indicator,
    /// The period, in the shortest way to write it.
    #[schema(example = "2026-Q3")]
    period: String,
    /// Its first day.
    from: Day,
    /// Its last day.
    to: Day,
    /// Whether it was over when this was counted; else it was counted up to then.
    is_over: bool,
    /// By what it is cut; absent where it is not.
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
    /// The version of the place whose declarations were used.
    place_version: u32,
    /// When it was counted.
    counted_at: Time,
    /// By how many seconds it may lag behind the cases.
    lag_seconds: f64,
    /// Whether figures of few cases are kept back from who asks. Each says so itself.
    masks: bool,
    /// Of all rows together.
    whole: Figures,
    /// A row for each key of the cut.
    items: Vec<Figures>,
}

/// A row of an answer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FigureRow)]
pub(crate) struct Figures {
    /// A code, channel, period, or weekday and hour; `-` for what belongs to none. Absent for the whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// Of the period.
    now: Figure,
    /// Of the period before.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Figure>,
    /// Of the same of last year.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_year: Option<Figure>,
}

/// One figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Figure {
    /// How many rows were counted; of a measure how many were measured. Absent where it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    numerator: Option<u64>,
    /// Out of how many. Absent where it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    denominator: Option<u64>,
    /// What it comes to in its unit; absent where the denominator is empty, which is never 100 %, and where it is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    /// Whether it is kept back because so few cases stand behind it, or behind one beside it.
    masked: bool,
}

impl Figure {
    fn of(figure: &figures::Figure, unit: Unit) -> Self {
        let shown = |number: u64| (!figure.is_masked).then_some(number);
        Self {
            numerator: shown(figure.numerator),
            denominator: shown(figure.denominator),
            value: value(figure, unit),
            masked: figure.is_masked,
        }
    }
}

impl Answer {
    /// The answer to the only question, about one indicator.
    pub(crate) fn of(told: &Told, question: &Question, indicator: &figures::Indicator) -> Option<Self> {
        let (answer, masks) = (told.answers.first()?, *told.masked.first()?);
        let heading = answer.headings.first()?;
        let one =
            |figures: &[figures::Figure]| figures.first().map(|figure| Figure::of(figure, heading.unit));
        let row = |row: &figures::Figures| {
            Some(Figures {
                key: row.key.as_ref().map(key_word),
                now: one(&row.now)?,
                before: row.before.as_deref().and_then(one),
                last_year: row.last_year.as_deref().and_then(one),
            })
        };
        Some(Self {
            indicator: indicator.into(),
            period: answer.period.to_string(),
            from: Day(answer.period.first_day()),
            to: Day(answer.period.last_day()),
            is_over: answer.is_over,
            by: cut_word(question.cut),
            place_version: answer.place_version,
            counted_at: Time(told.counted_at),
            lag_seconds: told.lag.as_secs_f64(),
            masks,
            whole: row(&answer.whole)?,
            items: answer.rows.iter().filter_map(row).collect(),
        })
    }
}

/// A page of the rows behind a figure.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RowPage {
    /// How many cases, units, posts or areas may be listed, on all pages.
    pub(crate) total: u64,
    /// How many rows stand behind the figure; a case may have several.
    pub(crate) rows: u64,
    /// How many rows are not listed because the asker may not see the case; of those with a class of access, on this page.
    pub(crate) hidden: u64,
    /// The cases, by their numbers.
    pub(crate) items: Vec<StaffCase>,
    /// Codes, of an indicator that is counted from the place itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) codes: Vec<String>,
    /// What to send as `after` for the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Int64, minimum = 0, maximum = 4_294_967_295i64)]
    pub(crate) next: Option<u32>,
}
