//! What anyone may see of cases: the list, and one.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    response::Response,
};
use whistle_domain::{
    case::{Actor, Case, Event},
    public,
    search::Search,
    transition::Verb,
    words::CaseNumber,
};
use whistle_service::{
    Error,
    list::{Page as CasePage, Query, Viewer},
};

use super::{
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Entry, Group, Line, Moment, Picture, StepView},
};

/// The filters of a list, from its address.
pub(crate) fn filters(asked: &Entered) -> Query {
    Query {
        open: match asked.get("state") {
            "open" => Some(true),
            "closed" => Some(false),
            _ => None,
        },
        services: asked
            .some("service")
            .and_then(|s| s.parse().ok())
            .into_iter()
            .collect(),
        area: asked.some("area").and_then(|a| a.parse().ok()),
        lead: asked.some("unit").and_then(|u| u.parse().ok()),
        text: asked.some("q").map(str::to_owned),
        after: asked.some("after").map(str::to_owned),
        ..Query::default()
    }
}

/// A page of the list that an address asks for; an empty one, and what is wrong with the words looked for, where there are
/// none in it or too many.
pub(crate) async fn listed(
    page: &Page,
    asked: &Entered,
    query: Query,
    viewer: Viewer<'_>,
) -> Result<(CasePage<Case>, Option<String>), Fault> {
    if let Some(Err(wrong)) = asked.some("q").map(str::parse::<Search>) {
        let nothing = CasePage {
            items: Vec::new(),
            again: None,
            next: None,
        };
        return Ok((nothing, Some(page.words.of("search-wrong", wrong.as_str()))));
    }
    let found = page.app.whistle.cases(&page.here, &query, viewer).await?;
    Ok((found, None))
}

/// The address of the next page, with the same filters.
pub(crate) fn next_page(path: &str, asked: &Entered, page: &CasePage<Case>) -> Option<String> {
    let next = page.next.clone()?;
    let mut pairs = asked.carried(&["after", "done", "lang"]);
    pairs.push(("after".to_owned(), next));
    Some(with_query(path, &pairs))
}

#[derive(Template)]
#[template(path = "cases.html")]
struct Cases<'a> {
    p: &'a Page,
    e: &'a Entered,
    services: Vec<Group>,
    areas: Vec<Group>,
    lines: Vec<Line>,
    next: Option<String>,
    wrong: Option<String>,
}

pub(crate) async fn list(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let (found, wrong) = listed(&page, &asked, filters(&asked), Viewer::Public).await?;
    page.render(&Cases {
        p: &page,
        services: page.service_groups(asked.get("service"), true),
        areas: page.area_groups(asked.get("area")),
        lines: found.items.iter().map(|case| page.public_line(case)).collect(),
        next: next_page("/cases", &asked, &found),
        e: &asked,
        wrong,
    })
}

/// What the public sees of a case; also the upper half of the reporter's page.
pub(crate) struct PublicCase {
    pub(crate) number: String,
    pub(crate) service: String,
    pub(crate) status: String,
    pub(crate) open: bool,
    pub(crate) steps: Vec<StepView>,
    pub(crate) description: String,
    pub(crate) address: String,
    pub(crate) area: String,
    pub(crate) reported: Moment,
    pub(crate) reports: i64,
    pub(crate) lead: String,
    pub(crate) resolution: String,
    pub(crate) promise: String,
    pub(crate) overdue: bool,
    pub(crate) photos: Vec<Picture>,
    pub(crate) timeline: Vec<Entry>,
    pub(crate) original: Option<String>,
}

impl PublicCase {
    pub(crate) fn new(page: &Page, case: &Case, log: &[Event]) -> Self {
        let running = case.clocks.all().iter().filter(|c| c.is_running());
        let last = running.max_by_key(|clock| clock.due_at);
        let promise = match (case.flags.parked_until, last) {
            (Some(date), _) if case.state.is_open() => page.words.x("promise-parked", &page.words.date(date)),
            (_, Some(clock)) if !case.state.is_open() => {
                page.words.x("promise-reopen", &page.moment(clock.due_at).text)
            }
            (_, Some(clock)) => page.words.x(
                &format!("promise-{}", clock.kind.as_str()),
                &page.moment(clock.due_at).text,
            ),
            _ => String::new(),
        };
        Self {
            number: case.number.to_string(),
            service: page.service_name(case.service.as_str()),
            status: page.public_status(case),
            open: case.state.is_open(),
            steps: page.steps(case),
            description: public::description(case),
            address: public::address(case),
            area: page.path_name(&case.location.areas),
            reported: page.moment(case.times.reported_at),
            reports: i64::from(case.reports),
            lead: page.lead(case),
            resolution: public::resolution(case),
            overdue: last.is_some_and(|clock| clock.is_overdue(page.now)),
            promise,
            photos: page.pictures(case, public::photos(case)),
            timeline: page.public_timeline(log),
            original: case.duplicate_of.map(|n| n.to_string()),
        }
    }
}

#[derive(Template)]
#[template(path = "case.html")]
struct CaseView<'a> {
    p: &'a Page,
    c: PublicCase,
    may_join: bool,
}

/// The number in a path. What is no number is no case.
pub(crate) fn number(text: &str) -> Result<CaseNumber, Fault> {
    let unknown = |_| Error::NotFound {
        what: "case",
        id: text.chars().take(20).collect(),
    };
    Ok(text.parse().map_err(unknown)?)
}

pub(crate) async fn case(page: Page, Path(text): Path<String>) -> Result<Response, Fault> {
    let (case, log) = page
        .app
        .whistle
        .public_case_and_log(&page.here, number(&text)?)
        .await?;
    let offered = page.offered(&case, &Actor::Public);
    page.render(&CaseView {
        p: &page,
        c: PublicCase::new(&page, &case, &log),
        may_join: offered.iter().any(|line| line.verb == Verb::Join),
    })
}
