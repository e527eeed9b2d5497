//! One indicator: what it counts, and what it comes to, cut as the reader likes. And the list of all.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::HeaderMap,
    response::Response,
};
use whistle_domain::place::Level;
use whistle_figures::indicator::{Cut, Filters, Key, Step};
use whistle_service::{
    indicator::{Question, cut, cut_word, indicator, indicators, key},
    list::Viewer,
};

use super::{
    answered,
    number::Shown,
    period,
    picture::{Draw, Picture},
    told,
};
use crate::pages::{
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Choice, Group},
};

/// Rows of the table: all towns and communities of a city, and more services than a place has.
const MOST: usize = 400;

/// By what the page offers to cut.
fn cuts(page: &Page) -> Vec<Cut> {
    let areas = page.here.place.areas.all();
    let levels = [Level::Town, Level::Community];
    let levels = levels
        .into_iter()
        .filter(|level| areas.iter().any(|area| area.level == *level));
    let times = [Step::Month, Step::Quarter, Step::Year].map(Cut::Time);
    let others = [Cut::Unit, Cut::Group, Cut::Service, Cut::Channel];
    times
        .into_iter()
        .chain(levels.map(Cut::Area))
        .chain(others)
        .collect()
}

struct Listed {
    code: String,
    label: String,
    formula: String,
}

#[derive(Template)]
#[template(path = "figures_list.html")]
struct List<'a> {
    p: &'a Page,
    items: Vec<Listed>,
}

/// All indicators with their formulas.
pub(crate) async fn all(page: Page) -> Result<Response, Fault> {
    let items = indicators(&page.here).map(|it| Listed {
        code: it.code.clone(),
        label: page.label(it),
        formula: it.formula(page.lang()),
    });
    page.render(&List {
        p: &page,
        items: items.collect(),
    })
}

#[derive(Template)]
#[template(path = "figures_one.html")]
struct One<'a> {
    p: &'a Page,
    /// Of what, where it is not of the whole place.
    of: String,
    code: String,
    label: String,
    note: String,
    formula: String,
    version: i64,
    place_version: i64,
    spans: Vec<Group>,
    span: String,
    areas: Vec<Group>,
    cuts: Vec<Choice>,
    now: Shown,
    before: String,
    last_year: String,
    as_of: String,
    lag: Option<String>,
    picture: Option<Picture>,
    /// Where staff find the rows, and programs the answer.
    rows: String,
    api: String,
    is_masked: bool,
}

/// One indicator.
pub(crate) async fn one(
    page: Page,
    Path(code): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let found = indicator(&page.here, &code)?;
    let period = period(&page, &asked)?;
    let by = cut(asked.get("by"))?;
    let one_of = |name: &str| asked.some(name).map(str::to_owned).into_iter().collect();
    let filters = Filters {
        areas: one_of("area"),
        units: one_of("unit"),
        services: one_of("service"),
        groups: one_of("group"),
        ..Filters::default()
    };
    let row = asked.some("key").map(|text| key(by, text)).transpose()?;
    let of = page.within_words(&filters, by, row.as_ref()).join(" · ");
    let whole = Question {
        filters,
        with_before: true,
        with_last_year: true,
        ..Question::new(&[&code], period)
    };
    let mut questions = vec![whole.clone()];
    if by != Cut::Nothing {
        questions.push(Question {
            cut: by,
            with_before: false,
            with_last_year: false,
            ..whole
        });
    }
    let told = match told(&page, Viewer::Public, &questions).await? {
        Ok(told) => told,
        Err(waiting) => return Ok(waiting),
    };
    answered(&page, &headers, &told.mark, || {
        let Some(answer) = told.answers.first() else {
            return Err(Fault::Broken);
        };
        let picture = told.answers.get(1).map(|answer| {
            let none = |_: &str, _: &Key| None;
            let is_in_order = matches!(by, Cut::Time(_) | Cut::Hour);
            let answer = if is_in_order {
                answer.clone()
            } else {
                Page::most_first(answer, MOST)
            };
            let draw = if is_in_order && found.unit.is_share() {
                Draw::Lines
            } else {
                Draw::Bars
            };
            let table = page.table_of(&answer, by, page.cut_name(by), &none);
            match by {
                Cut::Hour => page.heat_of(page.cut_name(by), &answer, &none),
                Cut::Area(_) => page.map_of(page.cut_name(by), &answer, table),
                _ => page.picture_of(page.cut_name(by), &answer, draw, table),
            }
        });
        let figure = |figures: &[whistle_figures::indicator::Figure]| {
            figures
                .first()
                .map(|figure| page.figure(figure, found.unit))
                .unwrap_or_default()
        };
        let is_whole = row.is_none();
        let other = |figures: &Option<Vec<whistle_figures::indicator::Figure>>| {
            let figures = figures.as_deref().filter(|_| is_whole);
            figures.map(figure).unwrap_or_default().text
        };
        let asked_for = |path: String| {
            let mut pairs = asked.carried(&["lang", "from", "to", "period"]);
            pairs.push(("period".to_owned(), period.to_string()));
            with_query(&path, &pairs)
        };
        // One row of a cut alone, as a briefing cites it.
        let of_row = row.as_ref().map(|row| {
            let mut rows = told.answers.get(1).into_iter().flat_map(|answer| &answer.rows);
            let found = rows.find(|one| one.key.as_ref() == Some(row));
            found.map_or_else(Shown::default, |row| figure(&row.now))
        });
        page.render(&One {
            of,
            label: page.label(found),
            note: found.note.get(page.lang()).to_owned(),
            formula: found.formula(page.lang()),
            version: i64::from(found.version),
            place_version: i64::from(answer.place_version),
            spans: page.spans(period),
            span: page.span(period),
            areas: page.area_groups(asked.get("area")),
            cuts: page.cut_choices(by),
            now: of_row.unwrap_or_else(|| figure(&answer.whole.now)),
            before: other(&answer.whole.before),
            last_year: other(&answer.whole.last_year),
            as_of: page.moment(told.counted_at).text,
            lag: page.lag(&told),
            picture,
            rows: asked_for(format!("/staff/figures/{code}")),
            api: asked_for(format!("/api/v1/indicators/{code}")),
            is_masked: told.masked.first().copied().unwrap_or(true),
            code: code.clone(),
            p: &page,
        })
    })
}

impl Page {
    /// What a cut is called.
    pub(crate) fn cut_name(&self, cut: Cut) -> String {
        match cut {
            Cut::Area(level) => self.here.place.jurisdiction.level_names[level.depth()]
                .get(self.lang())
                .to_owned(),
            Cut::Nothing => self.t("figures-by-nothing"),
            cut => self.t(&format!("figures-by-{}", cut_word(cut))),
        }
    }

    fn cut_choices(&self, chosen: Cut) -> Vec<Choice> {
        let mut all = vec![Cut::Nothing];
        all.extend(cuts(self));
        if !all.contains(&chosen) {
            all.push(chosen);
        }
        let choice = |cut: Cut| Choice {
            value: cut_word(cut),
            label: self.cut_name(cut),
            chosen: cut == chosen,
        };
        all.into_iter().map(choice).collect()
    }
}
