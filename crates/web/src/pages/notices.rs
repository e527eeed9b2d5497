//! The way out of mails, for a person and for a mail program (RFC 8058).

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::header,
    response::{IntoResponse, Response},
};
use whistle_service::notices::Stopping;

use super::{
    fault::Fault,
    form::{Entered, Posted},
    page::Page,
};

#[derive(Template)]
#[template(path = "stop.html")]
struct StopPage<'a> {
    p: &'a Page,
    number: String,
    token: String,
    done: Option<String>,
}

/// Asks how much somebody wants no more of. Opening the link changes nothing: programs that look at mail open links.
pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    show(&page, Entered::new(asked).get("t"), None)
}

/// Does it. A mail program's one click stops what is about the case.
pub(crate) async fn stop(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
    posted: Posted,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let token = asked.get("t");
    let what = match posted.fields.get("what") {
        "all" => Stopping::All,
        _ => Stopping::Case,
    };
    let again = posted.fields.has("again", "yes");
    let whistle = &page.app.whistle;
    whistle.stop_mail(&page.here, token, what, !again).await?;
    if again && what == Stopping::All {
        // Who wants mail again wants that of this case as well.
        whistle
            .stop_mail(&page.here, token, Stopping::Case, false)
            .await?;
    }
    let done = page.t(match (again, what) {
        (true, _) => "stop-done-again",
        (false, Stopping::Case) => "stop-done-case",
        (false, Stopping::All) => "stop-done-all",
    });
    if posted.fields.has("List-Unsubscribe", "One-Click") {
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, format!("{done}\n")).into_response());
    }
    show(&page, token, Some(done))
}

fn show(page: &Page, token: &str, done: Option<String>) -> Result<Response, Fault> {
    let number = page.app.whistle.case_of_stop(&page.here, token)?;
    page.render(&StopPage {
        p: page,
        number: number.to_string(),
        token: token.to_owned(),
        done,
    })
}
