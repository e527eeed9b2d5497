//! Pages of text: what is stored of whom, and what this is.

use askama::Template;
use axum::response::Response;
use whistle_service::privacy::{About, stored_of_people};

use super::{fault::Fault, page::Page, words::StoredWords};

/// What is stored of one kind of people.
struct Group {
    title: String,
    stored: Vec<StoredWords>,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct Privacy<'a> {
    p: &'a Page,
    groups: [Group; 2],
    /// For how many days looks at the stops of rounds are kept.
    looks: i64,
}

pub(crate) async fn privacy(page: Page) -> Result<Response, Fault> {
    let stored = stored_of_people(&page.here);
    let group = |about: About| Group {
        title: page.words.of("privacy-about", about.as_str()),
        stored: stored
            .iter()
            .filter(|one| one.about.contains(&about))
            .map(|one| page.words.stored(one))
            .collect(),
    };
    page.render(&Privacy {
        p: &page,
        groups: [About::Reporter, About::Staff].map(group),
        looks: i64::from(page.here.place.jurisdiction.settings.look_retention_days),
    })
}

#[derive(Template)]
#[template(path = "about.html")]
struct AboutPage<'a> {
    p: &'a Page,
    reopen_days: i64,
}

pub(crate) async fn about(page: Page) -> Result<Response, Fault> {
    let reopen_days = i64::from(page.here.place.jurisdiction.settings.reopen_days);
    page.render(&AboutPage {
        p: &page,
        reopen_days,
    })
}
