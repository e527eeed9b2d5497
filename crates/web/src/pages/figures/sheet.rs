//! The page of figures of a place, an area or a unit: how many, how fast, how content, what, where, who.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::HeaderMap,
    response::{Html, IntoResponse, Response},
};
use bytes::Bytes;
use whistle_domain::place::{AreaIndex, Level};
use whistle_figures::indicator::{Answer, Cut, Filters, Key, Period};
use whistle_service::{
    indicator::{Question, Told, indicator},
    list::Viewer,
};

use super::{
    answered,
    number::Shown,
    period,
    picture::{Draw, Picture, Table},
    step, told,
};
use crate::pages::{fault::Fault, form::Entered, page::Page, show::Group};

/// How many.
const MANY: [&str; 6] = [
    "filed",
    "accepted",
    "handled",
    "closed",
    "not_closed",
    "carried_over_overdue",
];

/// How fast.
const FAST: [&str; 8] = [
    "on_time_dispatch",
    "on_time_report_in",
    "on_time_handling",
    "on_time_closing",
    "median_to_dispatch",
    "median_of_handling",
    "median_whole",
    "p90_whole",
];

/// How well, and how content people are.
const CONTENT: [&str; 7] = [
    "response_rate",
    "resolution_rate",
    "satisfaction_rate",
    "rating_share",
    "first_time_right",
    "rework_rate",
    "reopen_rate",
];

/// Groups of services, and units, that are written out.
const MOST: usize = 20;

/// Of what the page is.
#[derive(Clone)]
enum Of {
    Place,
    Area(AreaIndex),
    Unit(String),
}

/// A figure with what it was before.
pub(crate) struct FigureLine {
    pub(crate) label: String,
    /// Where its formula is.
    pub(crate) page: String,
    pub(crate) now: Shown,
    pub(crate) last_year: String,
    pub(crate) change: String,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct Sheet<'a> {
    p: &'a Page,
    title: String,
    /// What leads up, and the station's or unit's other page.
    ways: Vec<(String, String)>,
    spans: Vec<Group>,
    span: String,
    address: String,
    as_of: String,
    lag: Option<String>,
    is_over: bool,
    many: Vec<FigureLine>,
    fast: Vec<FigureLine>,
    content: Vec<FigureLine>,
    course: Picture,
    on_time: Picture,
    what: Picture,
    channels: Picture,
    areas: Option<Picture>,
    units: Option<Table>,
}

type Pairs = Asked<Vec<(String, String)>>;

pub(crate) async fn of_place(page: Page, Asked(asked): Pairs, headers: HeaderMap) -> Result<Response, Fault> {
    sheet(page, Of::Place, asked, &headers).await
}

pub(crate) async fn of_area(
    page: Page,
    Path(code): Path<String>,
    Asked(asked): Pairs,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let area = page.here.place.areas.find(&code).ok_or(Fault::NoSuchPage)?;
    sheet(page, Of::Area(area), asked, &headers).await
}

pub(crate) async fn of_unit(
    page: Page,
    Path(code): Path<String>,
    Asked(asked): Pairs,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    page.here.place.unit(&code).ok_or(Fault::NoSuchPage)?;
    sheet(page, Of::Unit(code), asked, &headers).await
}

impl Of {
    fn filters(&self, page: &Page) -> Filters {
        let mut filters = Filters::default();
        match self {
            Self::Place => {}
            Self::Area(area) => filters
                .areas
                .push(page.here.place.areas.get(*area).code.to_string()),
            Self::Unit(code) => filters.units.push(code.clone()),
        }
        filters
    }

    /// The level by which its areas are told apart; none where nothing is below it.
    fn below(&self, page: &Page) -> Option<Level> {
        let areas = page.here.place.areas.all();
        let depth = match self {
            Self::Area(area) => page.here.place.areas.get(*area).level.depth() + 1,
            Self::Place | Self::Unit(_) => 1,
        };
        let mut levels = Level::ALL.into_iter().filter(|level| level.depth() >= depth);
        levels.find(|level| areas.iter().any(|area| area.level == *level))
    }

    fn title(&self, page: &Page) -> String {
        match self {
            Self::Place => page.x("figures-title-of", page.place_name()),
            Self::Area(area) => page.x(
                "figures-title-of",
                page.here.place.areas.get(*area).name.get(page.lang()),
            ),
            Self::Unit(code) => page.x("figures-title-of", &page.unit_name(code)),
        }
    }

    fn address(&self, page: &Page) -> String {
        match self {
            Self::Place => "/figures".to_owned(),
            Self::Area(area) => format!("/figures/areas/{}", page.here.place.areas.get(*area).code),
            Self::Unit(code) => format!("/figures/units/{code}"),
        }
    }

    /// What lies above it, and beside it.
    fn ways(&self, page: &Page, period: Period) -> Vec<(String, String)> {
        let areas = &page.here.place.areas;
        let whole = (
            format!("/figures?period={period}"),
            page.x("figures-title-of", page.place_name()),
        );
        match self {
            Self::Place => Vec::new(),
            Self::Area(area) => {
                let mut above = Vec::new();
                let mut next = areas.get(*area).parent;
                while let Some(index) = next {
                    let outer = areas.get(index);
                    if outer.level != Level::City {
                        above.push((
                            format!("/figures/areas/{}?period={period}", outer.code),
                            outer.name.get(page.lang()).to_owned(),
                        ));
                    }
                    next = outer.parent;
                }
                above.push(whole);
                above.reverse();
                above
            }
            Self::Unit(code) => {
                let station = page.station_area(code);
                let own = station.map(|area| {
                    (
                        format!("/figures/areas/{area}?period={period}"),
                        page.t("figures-station-area"),
                    )
                });
                std::iter::once(whole).chain(own).collect()
            }
        }
    }
}

async fn sheet(
    page: Page,
    of: Of,
    asked: Vec<(String, String)>,
    headers: &HeaderMap,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let period = period(&page, &asked)?;
    let questions = questions(&page, &of, period);
    let told = match told(&page, Viewer::Public, &questions).await? {
        Ok(told) => told,
        Err(waiting) => return Ok(waiting),
    };
    let kept = &page.app.kept_pages;
    let address = format!(
        "{} {} {} {}",
        page.here.id.0,
        page.lang().as_str(),
        page.address(),
        page.secure
    );
    answered(&page, headers, &told.mark, || {
        let text = if let Some(text) = kept.get(&address, &told.mark) {
            text
        } else {
            let text = Bytes::from(rendered(&page, &of, period, &questions, &told)?);
            kept.keep(address.clone(), told.mark.clone(), text.clone());
            text
        };
        Ok(Html(text).into_response())
    })
}

/// What the page asks, in the order in which it is told.
fn questions(page: &Page, of: &Of, period: Period) -> Vec<Question> {
    let filters = of.filters(page);
    let by = |indicators: &[&str], cut| Question {
        cut,
        filters: filters.clone(),
        ..Question::new(indicators, period)
    };
    let first: Vec<&str> = [&MANY[..], &FAST, &CONTENT].concat();
    let whole = Question {
        with_last_year: true,
        ..by(&first, Cut::Nothing)
    };
    let time = Cut::Time(step(period));
    let mut questions = vec![
        whole,
        by(&["filed", "closed"], time),
        by(&["on_time_handling", "satisfaction_rate"], time),
        by(&["filed"], Cut::Group),
        by(&["filed"], Cut::Channel),
    ];
    if let Some(level) = of.below(page) {
        questions.push(by(
            &["filed", "not_closed", "on_time_handling", "median_whole"],
            Cut::Area(level),
        ));
    }
    if !matches!(of, Of::Unit(_)) {
        questions.push(by(
            &[
                "due",
                "on_time_handling",
                "median_of_handling",
                "satisfaction_rate",
            ],
            Cut::Unit,
        ));
    }
    questions
}

fn rendered(
    page: &Page,
    of: &Of,
    period: Period,
    questions: &[Question],
    told: &Told,
) -> Result<String, Fault> {
    let answer = |cut: fn(&Cut) -> bool| {
        let found = questions.iter().position(|question| cut(&question.cut));
        found.and_then(|at| Some((questions[at].cut, told.answers.get(at)?)))
    };
    let [whole, course, on_time, groups, channels, ..] = &told.answers[..] else {
        return Err(Fault::Broken);
    };
    let none = |_: &str, _: &Key| None;
    let time = Cut::Time(step(period));
    let table = |answer: &Answer, cut: Cut, head: &str| page.table_of(answer, cut, page.t(head), &none);
    let picture = |title: &str, answer: &Answer, draw, cut, head: &str| {
        page.picture_of(page.t(title), answer, draw, table(answer, cut, head))
    };
    let groups = Page::most_first(groups, MOST);
    let channels = Page::most_first(channels, MOST);
    let inside = match of {
        Of::Area(area) => Some(*area),
        Of::Place | Of::Unit(_) => None,
    };
    let areas = answer(|cut| matches!(cut, Cut::Area(_))).map(|(cut, answer)| {
        let answer = page.within(answer, inside);
        page.map_of(
            page.t("figures-where"),
            &answer,
            table(&answer, cut, "figures-area"),
        )
    });
    let units = answer(|cut| *cut == Cut::Unit).map(|(cut, answer)| {
        let answer = Page::most_first(answer, MOST);
        table(&answer, cut, "figures-unit")
    });
    let mut lines = page.lines_of(whole).into_iter();
    let many = lines.by_ref().take(MANY.len()).collect();
    let fast = lines.by_ref().take(FAST.len()).collect();
    let content = lines.collect();
    let sheet = Sheet {
        title: of.title(page),
        ways: of.ways(page, period),
        spans: page.spans(period),
        span: page.span(period),
        address: of.address(page),
        as_of: page.moment(told.counted_at).text,
        lag: page.lag(told),
        is_over: whole.is_over,
        many,
        fast,
        content,
        course: picture("figures-course", course, Draw::Bars, time, "figures-time"),
        on_time: picture("figures-on-time", on_time, Draw::Lines, time, "figures-time"),
        what: picture("figures-what", &groups, Draw::Bars, Cut::Group, "figures-group"),
        channels: picture(
            "figures-channels",
            &channels,
            Draw::Bars,
            Cut::Channel,
            "figures-channel",
        ),
        areas,
        units,
        p: page,
    };
    page.text(&sheet)
}

impl Page {
    /// The figures of an answer, one below the other, each beside that of last year.
    pub(crate) fn lines_of(&self, answer: &Answer) -> Vec<FigureLine> {
        let headings = answer.headings.iter().enumerate();
        let lines = headings.filter_map(|(at, heading)| {
            let now = answer.whole.now.get(at)?;
            let last_year = answer
                .whole
                .last_year
                .as_ref()
                .and_then(|figures| figures.get(at));
            let found = indicator(&self.here, &heading.code).ok();
            Some(FigureLine {
                label: found.map_or_else(|| heading.code.clone(), |it| self.label(it)),
                page: format!("/figures/indicators/{}?period={}", heading.code, answer.period),
                now: self.figure(now, heading.unit),
                last_year: last_year
                    .map(|figure| self.figure(figure, heading.unit).text)
                    .unwrap_or_default(),
                change: last_year
                    .map(|figure| self.change(now, figure, heading.unit))
                    .unwrap_or_default(),
            })
        });
        lines.collect()
    }

    /// By how much figures lag behind the cases, where that is more than people would expect.
    pub(crate) fn lag(&self, told: &Told) -> Option<String> {
        let is_much = told.lag > whistle_service::facts::SHOWN_BEYOND;
        is_much.then(|| self.n("figures-lag", &(told.lag.as_secs() as i64)))
    }
}
