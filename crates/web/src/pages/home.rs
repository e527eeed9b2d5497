//! The first page of a place.

use askama::Template;
use axum::response::Response;
use whistle_service::list::{Query, Viewer};

use super::{fault::Fault, page::Page, show::Line};

/// Newest cases on the first page.
const NEWEST: usize = 8;

/// Days that "lately" means.
const LATELY: i32 = 30;

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    p: &'a Page,
    open: i64,
    closed: i64,
    newest: Vec<Line>,
}

pub(crate) async fn home(page: Page) -> Result<Response, Fault> {
    let (whistle, here) = (&page.app.whistle, &page.here);
    let query = Query {
        limit: NEWEST,
        ..Query::default()
    };
    let newest = whistle.cases(here, &query, Viewer::Public).await?;
    let counts = whistle.counts(here, LATELY, Viewer::Public).await?;
    let sum = |name: &str| {
        let of_services = counts
            .iter()
            .filter(|c| c.name == name && !c.service_code.is_empty());
        of_services.map(|c| c.n).sum()
    };
    page.render(&Home {
        p: &page,
        open: sum("open"),
        closed: sum("closed"),
        newest: newest.items.iter().map(|case| page.public_line(case)).collect(),
    })
}
