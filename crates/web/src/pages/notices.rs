//! The way out of mails, for a person and for a mail program (RFC 8058).

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::header,
    response::{IntoResponse, Response},
};
use whistle_domain::words::Subject;
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
    lead: String,
    this: String,
    token: String,
    done: Option<String>,
}

/// Asks how much somebody wants no more of. Opening the link changes nothing: programs that look at mail open links.
pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    show(&page, Entered::new(asked).get("t"), None)
}

/// Does it. A mail program's one click stops what is about the case or whistle.
pub(crate) async fn stop(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
    posted: Posted,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let token = asked.get("t");
    let what = match posted.fields.get("what") {
        "all" => Stopping::All,
        _ => Stopping::This,
    };
    let again = posted.fields.has("again", "yes");
    let whistle = &page.app.whistle;
    whistle.stop_mail(&page.here, token, what, !again).await?;
    if again && what == Stopping::All {
        // Who wants mail again wants that of this one as well.
        whistle
            .stop_mail(&page.here, token, Stopping::This, false)
            .await?;
    }
    let done = page.t(match (again, what) {
        (true, _) => "stop-done-again",
        (false, Stopping::This) => "stop-done-this",
        (false, Stopping::All) => "stop-done-all",
    });
    if posted.fields.has("List-Unsubscribe", "One-Click") {
        let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        return Ok((kind, format!("{done}\n")).into_response());
    }
    show(&page, token, Some(done))
}

fn show(page: &Page, token: &str, done: Option<String>) -> Result<Response, Fault> {
    let subject = page.app.whistle.subject_of_stop(&page.here, token)?;
    let number = subject.number().to_string();
    let (lead, this) = match subject {
        Subject::Case(_) => ("stop-lead", "stop-case"),
        Subject::Whistle(_) => ("stop-lead-whistle", "stop-whistle"),
    };
    page.render(&StopPage {
        p: page,
        lead: page.x(lead, &number),
        this: page.x(this, &number),
        token: token.to_owned(),
        done,
    })
}
