//! Pages of text: what is stored of whom, and what this is.

use askama::Template;
use axum::response::Response;

use super::{fault::Fault, page::Page};

#[derive(Template)]
#[template(path = "privacy.html")]
struct Privacy<'a> {
    p: &'a Page,
    retention_days: i64,
}

pub(crate) async fn privacy(page: Page) -> Result<Response, Fault> {
    let retention_days = i64::from(page.here.place.jurisdiction.settings.retention_days);
    page.render(&Privacy {
        p: &page,
        retention_days,
    })
}

#[derive(Template)]
#[template(path = "about.html")]
struct About<'a> {
    p: &'a Page,
    reopen_days: i64,
}

pub(crate) async fn about(page: Page) -> Result<Response, Fault> {
    let reopen_days = i64::from(page.here.place.jurisdiction.settings.reopen_days);
    page.render(&About {
        p: &page,
        reopen_days,
    })
}
