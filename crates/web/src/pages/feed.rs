//! The newest public cases as an Atom feed (RFC 4287).

use askama::Template;
use axum::{
    http::{HeaderValue, header},
    response::Response,
};
use whistle_service::list::{Query, Viewer};

use super::{fault::Fault, page::Page, show::Moment};

/// Cases in the feed.
const ENTRIES: usize = 50;

#[derive(Template)]
#[template(path = "feed.xml")]
struct Feed<'a> {
    p: &'a Page,
    base: String,
    updated: Moment,
    entries: Vec<FeedEntry>,
}

struct FeedEntry {
    number: String,
    title: String,
    text: String,
    reported: Moment,
    updated: Moment,
}

pub(crate) async fn cases(page: Page) -> Result<Response, Fault> {
    let query = Query {
        limit: ENTRIES,
        ..Query::default()
    };
    let found = page.app.whistle.cases(&page.here, &query, Viewer::Public).await?;
    let entry = |case| {
        let line = page.public_line(case);
        FeedEntry {
            title: format!("{} {} · {}", line.number, line.service, line.area),
            text: format!("{} {}", line.status, line.excerpt),
            number: line.number,
            reported: line.reported,
            updated: page.moment(case.times.updated_at),
        }
    };
    let mut answer = page.render(&Feed {
        p: &page,
        base: page.base(),
        updated: page.moment(
            found
                .items
                .iter()
                .map(|c| c.times.updated_at)
                .max()
                .unwrap_or(page.now),
        ),
        entries: found.items.iter().map(entry).collect(),
    })?;
    let kind = HeaderValue::from_static("application/atom+xml; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}
