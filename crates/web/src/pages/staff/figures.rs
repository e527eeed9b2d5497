//! Figures for the staff: what is to be done now in the area or unit of a post, how far cases have come, when and where they are
//! told; and the rows behind each.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::HeaderMap,
    response::Response,
};
use whistle_domain::{
    place::{AreaIndex, Level},
    rights,
};
use whistle_figures::indicator::{Answer, Cut, Filters, Key, Part, Period, Step};
use whistle_service::{
    export::ExportFormat,
    indicator::{self, Question, Sought, cut, cut_word, indicator, key, key_word},
    list::Viewer,
};

use super::session::Staff;
use crate::{
    api::indicator::attached,
    pages::{
        fault::Fault,
        figures::{
            answered,
            number::Shown,
            period,
            picture::{Draw, Picture, Table, TableCell, TableRow},
            today, told,
        },
        form::{Entered, with_query},
        page::Page,
        show::{Group, Line},
    },
};

/// What is to be done now, whatever the period.
const NOW: [&str; 6] = [
    "due_tomorrow",
    "overdue",
    "not_closed",
    "open_over_7_days",
    "open_over_30_days",
    "open_over_90_days",
];

/// What happened in the period.
const HAPPENED: [&str; 10] = [
    "filed",
    "closed",
    "due",
    "carried_over_overdue",
    "on_time_dispatch",
    "on_time_report_in",
    "on_time_handling",
    "on_time_closing",
    "rework_rate",
    "return_rate",
];

/// How far the cases of the period have come.
const COME: [&str; 6] = [
    "filed",
    "filed_accepted",
    "filed_dispatched",
    "filed_arrived",
    "filed_handled",
    "filed_closed",
];

/// How old the open ones are.
const AGES: [&str; 4] = [
    "open_up_to_7_days",
    "open_7_to_30_days",
    "open_30_to_90_days",
    "open_over_90_days",
];

/// Units that are written out.
const MOST: usize = 30;

/// A figure that opens its rows.
struct Opened {
    label: String,
    now: Shown,
    before: String,
    change: String,
    rows: Option<String>,
    formula: String,
}

#[derive(Template)]
#[template(path = "staff/figures.html")]
struct Overview<'a> {
    p: &'a Page,
    of: String,
    spans: Vec<Group>,
    span: String,
    as_of: String,
    lag: Option<String>,
    is_masked: bool,
    now: Vec<Opened>,
    happened: Vec<Opened>,
    come: Picture,
    ages: Picture,
    heat: Picture,
    areas: Option<Picture>,
    units: Option<Table>,
}

/// What a post looks at: its area, or its unit.
struct Own {
    name: String,
    filters: Filters,
    area: Option<AreaIndex>,
    sees_units: bool,
}

fn own(staff: &Staff) -> Own {
    let page = &staff.page;
    let sight = rights::sight(staff.actor(), &page.here.place);
    let mut filters = Filters::default();
    if let Some(area) = sight.area {
        let found = page.here.place.areas.get(area);
        // The whole place has the cases of all grids that it ever had.
        if found.level != Level::City {
            filters.areas.push(found.code.to_string());
        }
        return Own {
            name: found.name.get(page.lang()).to_owned(),
            filters,
            area: Some(area),
            sees_units: true,
        };
    }
    let unit = staff.signed.post.unit.to_string();
    let name = page.unit_name(&unit);
    filters.units.push(unit);
    Own {
        name,
        filters,
        area: None,
        sees_units: false,
    }
}

/// The overview.
pub(crate) async fn overview(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let asked = Entered::new(asked);
    let today = today(page);
    let period = if asked.some("period").is_some() || asked.some("from").is_some() {
        period(page, &asked)?
    } else {
        // What is to be done is of these days.
        Period::of(Step::Month, today).map_err(|_| Fault::Broken)?
    };
    let day = Period::of(Step::Day, today).map_err(|_| Fault::Broken)?;
    let own = own(&staff);
    let areas = &page.here.place.areas;
    let depth = own.area.map_or(1, |area| areas.get(area).level.depth() + 1);
    let mut levels = Level::ALL.into_iter().filter(|level| level.depth() >= depth);
    let below = levels.find(|level| areas.all().iter().any(|area| area.level == *level));
    let by = |indicators: &[&str], period, cut| Question {
        cut,
        filters: own.filters.clone(),
        ..Question::new(indicators, period)
    };
    let happened = Question {
        with_before: true,
        ..by(&HAPPENED, period, Cut::Nothing)
    };
    let mut questions = vec![
        by(&NOW, day, Cut::Nothing),
        happened,
        by(&COME, period, Cut::Nothing),
        by(&AGES, day, Cut::Nothing),
        by(&["filed"], period, Cut::Hour),
    ];
    if own.sees_units {
        questions.push(by(&["not_closed", "overdue", "due_tomorrow"], day, Cut::Unit));
    }
    if let Some(level) = below {
        questions.push(by(
            &["not_closed", "overdue", "due_tomorrow"],
            day,
            Cut::Area(level),
        ));
    }
    let told = match told(page, Viewer::Staff(staff.actor()), &questions).await? {
        Ok(told) => told,
        Err(waiting) => return Ok(waiting),
    };
    let [now, happened, come, ages, heat, ..] = &told.answers[..] else {
        return Err(Fault::Broken);
    };
    let is_masked = told.masked.contains(&true);
    let cut_of = |is_meant: fn(&Cut) -> bool| {
        let at = questions.iter().position(|question| is_meant(&question.cut))?;
        Some((questions[at].cut, told.answers.get(at)?))
    };
    let rows_of = |period: Period, cut: Cut| {
        let own = &own;
        move |code: &str, key: Option<&Key>| (!is_masked).then(|| rows_address(own, code, period, cut, key))
    };
    answered(page, &headers, &told.mark, || {
        let units = cut_of(|cut| *cut == Cut::Unit).map(|(cut, answer)| {
            let rows = rows_of(day, cut);
            let answer = Page::most_first(answer, MOST);
            page.table_of(&answer, cut, page.t("figures-unit"), &|code, key| {
                rows(code, Some(key))
            })
        });
        let areas = cut_of(|cut| matches!(cut, Cut::Area(_))).map(|(cut, answer)| {
            let rows = rows_of(day, cut);
            let answer = page.within(answer, own.area);
            let table = page.table_of(&answer, cut, page.t("figures-area"), &|code, key| {
                rows(code, Some(key))
            });
            page.map_of(page.t("figures-open-where"), &answer, table)
        });
        let hours = rows_of(period, Cut::Hour);
        page.render(&Overview {
            of: own.name.clone(),
            spans: page.spans(period),
            span: page.span(period),
            as_of: page.moment(told.counted_at).text,
            lag: page.lag(&told),
            is_masked,
            now: opened(page, now, &rows_of(day, Cut::Nothing)),
            happened: opened(page, happened, &rows_of(period, Cut::Nothing)),
            come: ladder(page, page.t("figures-come"), come, &rows_of(period, Cut::Nothing)),
            ages: ladder(page, page.t("figures-ages"), ages, &rows_of(day, Cut::Nothing)),
            heat: page.heat_of(page.t("figures-heat"), heat, &|code, key| hours(code, Some(key))),
            areas,
            units,
            p: page,
        })
    })
}

/// Where the rows of a figure are.
fn rows_address(own: &Own, code: &str, period: Period, cut: Cut, key: Option<&Key>) -> String {
    let mut pairs = vec![("period".to_owned(), period.to_string())];
    let lists = [("area", &own.filters.areas), ("unit", &own.filters.units)];
    for (name, codes) in lists {
        pairs.extend(codes.iter().map(|code| (name.to_owned(), code.clone())));
    }
    if let Some(key) = key {
        pairs.push(("by".to_owned(), cut_word(cut)));
        pairs.push(("key".to_owned(), key_word(key)));
    }
    with_query(&format!("/staff/figures/{code}"), &pairs)
}

fn opened(page: &Page, answer: &Answer, rows: &dyn Fn(&str, Option<&Key>) -> Option<String>) -> Vec<Opened> {
    let figures = answer.headings.iter().zip(&answer.whole.now).enumerate();
    let lines = figures.map(|(at, (heading, figure))| {
        let before = answer.whole.before.as_ref().and_then(|figures| figures.get(at));
        let found = indicator(&page.here, &heading.code).ok();
        Opened {
            label: found.map_or_else(|| heading.code.clone(), |it| page.label(it)),
            now: page.figure(figure, heading.unit),
            before: before
                .map(|before| page.figure(before, heading.unit).text)
                .unwrap_or_default(),
            change: before
                .map(|before| page.change(figure, before, heading.unit))
                .unwrap_or_default(),
            rows: rows(&heading.code, None).filter(|_| figure.denominator > 0),
            formula: format!("/figures/indicators/{}?period={}", heading.code, answer.period),
        }
    });
    lines.collect()
}

/// The figures of an answer as bars, one for each indicator.
fn ladder(
    page: &Page,
    title: String,
    answer: &Answer,
    rows: &dyn Fn(&str, Option<&Key>) -> Option<String>,
) -> Picture {
    let bars = opened(page, answer, rows).into_iter().map(|one| TableRow {
        name: one.label,
        page: None,
        cells: vec![TableCell {
            shown: one.now,
            rows: one.rows,
        }],
    });
    let table = Table {
        heads: vec![page.t("figures-indicator"), page.t("figures-cases")],
        rows: bars.collect(),
    };
    page.chart(title, Draw::Bars, None, table)
}

struct CodeLine {
    code: String,
    name: String,
}

#[derive(Template)]
#[template(path = "staff/figures_rows.html")]
struct RowsPage<'a> {
    p: &'a Page,
    label: String,
    note: String,
    formula: String,
    /// Of what: the period, the area or unit, the key.
    of: Vec<String>,
    part: &'static str,
    other: String,
    total: i64,
    hidden: i64,
    lines: Vec<Line>,
    codes: Vec<CodeLine>,
    next: Option<String>,
    files: Vec<(&'static str, String)>,
}

fn sought(page: &Page, code: &str, asked: &Entered) -> Result<Sought, Fault> {
    let list = |name: &str| asked.all(name).map(str::to_owned).collect();
    let question = Question {
        cut: cut(asked.get("by"))?,
        filters: Filters {
            areas: list("area"),
            units: list("unit"),
            services: list("service"),
            groups: list("group"),
            standards: list("standard"),
            channels: list("channel"),
        },
        ..Question::new(&[code], period(page, asked)?)
    };
    Ok(Sought {
        key: asked
            .some("key")
            .map(|text| key(question.cut, text))
            .transpose()?,
        part: if asked.has("part", "denominator") {
            Part::Denominator
        } else {
            Part::Numerator
        },
        question,
    })
}

/// The rows behind a figure.
pub(crate) async fn rows(
    staff: Staff,
    Path(code): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let asked = Entered::new(asked);
    let found = indicator(&page.here, &code)?;
    let sought = sought(page, &code, &asked)?;
    let after = asked.some("after").and_then(|text| text.parse().ok());
    let whistle = &page.app.whistle;
    let behind = whistle
        .rows_behind(&page.here, staff.actor(), &sought, after, indicator::MAX_ROWS)
        .await?;
    let path = format!("/staff/figures/{code}");
    let with = |path: &str, but: &[&str], name: &str, value: &str| {
        let mut pairs = asked.carried(but);
        pairs.push((name.to_owned(), value.to_owned()));
        with_query(path, &pairs)
    };
    let is_denominator = sought.part == Part::Denominator;
    let (part, other) = if is_denominator {
        ("denominator", "numerator")
    } else {
        ("numerator", "denominator")
    };
    let file = |format| {
        (
            format,
            with(
                &format!("{path}/file"),
                &["after", "lang", "format"],
                "format",
                format,
            ),
        )
    };
    let named = |code: &String| CodeLine {
        name: page.name_of(found.subject, code),
        code: code.clone(),
    };
    page.render(&RowsPage {
        label: page.label(found),
        note: found.note.get(page.lang()).to_owned(),
        formula: found.formula(page.lang()),
        of: of(page, &sought),
        part,
        other: with(&path, &["after", "lang", "part"], "part", other),
        total: behind.total as i64,
        hidden: behind.hidden as i64,
        lines: behind.cases.iter().map(|case| page.staff_line(case)).collect(),
        codes: behind.codes.iter().map(named).collect(),
        next: behind
            .next
            .map(|next| with(&path, &["after", "lang"], "after", &next.to_string())),
        files: ["csv", "xlsx", "parquet"].map(file).into(),
        p: page,
    })
}

/// In words, of what a figure is, its period first.
fn of(page: &Page, sought: &Sought) -> Vec<String> {
    let question = &sought.question;
    let mut all = vec![page.span(question.period)];
    all.extend(page.within_words(&question.filters, question.cut, sought.key.as_ref()));
    all
}

/// The rows behind a figure as a file.
pub(crate) async fn file(
    staff: Staff,
    Path(code): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let asked = Entered::new(asked);
    let format: ExportFormat = asked.get("format").parse()?;
    let sought = sought(page, &code, &asked)?;
    let file = page
        .app
        .whistle
        .file_of_rows(&page.here, staff.actor(), &sought, format, page.lang())
        .await?;
    Ok(attached(file, &code, format))
}
