//! The words of the notices in force, with made-up values, for who keeps the place.

use askama::Template;
use axum::{extract::Query as Asked, response::Response};
use whistle_domain::{rights, words::Lang};

use whistle_service::{
    Error,
    notices::{Notice, Words},
};

use super::session::Staff;
use crate::pages::{fault::Fault, form::Entered, page::Page};

struct NoticeLine {
    word: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "staff/notices.html")]
struct NoticesPage<'a> {
    p: &'a Page,
    notices: Vec<NoticeLine>,
    langs: Vec<(&'static str, bool)>,
    /// The file that holds the words, or would.
    file: String,
    is_own: bool,
    words: Words,
}

pub(crate) async fn show(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let here = &page.here;
    if !rights::may_keep_place(staff.actor(), &here.place) {
        return Err(Error::Forbidden.into());
    }
    let notice: Notice = match asked.some("notice") {
        None => Notice::Received,
        Some(word) => word.parse().map_err(|_| Fault::NoSuchPage)?,
    };
    let lang = match asked.some("lang") {
        None => page.lang(),
        Some(word) => word.parse::<Lang>().map_err(|_| Fault::NoSuchPage)?,
    };
    let line = |one: Notice| NoticeLine {
        word: one.as_str(),
        chosen: one == notice,
    };
    page.render(&NoticesPage {
        p: page,
        notices: Notice::all().map(line).collect(),
        langs: Lang::ALL
            .into_iter()
            .map(|one| (one.as_str(), one == lang))
            .collect(),
        file: format!("notices/{lang}/{notice}.txt"),
        is_own: here.notices.is_own(notice, lang),
        words: page.app.whistle.preview(here, notice, Some(lang))?,
    })
}
