//! The page of one question: who has its link answers it, once, without a code and without an account.

use askama::Template;
use axum::{
    extract::{Path, Query},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    case::{Actor, Question},
    command::Act,
};
use whistle_service::{Error, case::Asked};

use super::{
    door,
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    page::Page,
    show::Moment,
};
use crate::status::status_of;

/// Says in the address after an answer that the case's reporter gave it.
const REPORTER: &str = "reporter";

#[derive(Template)]
#[template(path = "ask.html")]
struct AskPage<'a> {
    p: &'a Page,
    number: String,
    service: String,
    /// None when it was answered or can no longer be.
    open: Option<Open<'a>>,
    /// Whether it was answered just now.
    thanks: bool,
    /// Where its reporter sees how the case goes on.
    follow: Option<String>,
    e: &'a Entered,
    w: &'a Wrongs,
}

struct Open<'a> {
    question: &'a Question,
    until: Moment,
}

async fn asked(page: &Page, link: &str) -> Result<Asked, Fault> {
    let asked = page.app.whistle.asked(&page.here, link).await;
    asked.map_err(|error| match error {
        Error::NotFound { .. } => Fault::NoSuchPage,
        other => other.into(),
    })
}

/// The question, or that it is over.
pub(crate) async fn question(
    page: Page,
    Path(link): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = asked(&page, &link).await?;
    show(
        &page,
        &asked,
        Entered::new(query).get("done"),
        &Entered::default(),
        &Wrongs::default(),
        StatusCode::OK,
    )
}

/// Takes the answer.
pub(crate) async fn answer(page: Page, Path(link): Path<String>, posted: Posted) -> Result<Response, Fault> {
    let question = asked(&page, &link).await?;
    let fields = &posted.fields;
    if question.open.is_none() {
        return show(&page, &question, "", fields, &Wrongs::default(), StatusCode::GONE);
    }
    let act = Act::Answer {
        choice: fields.some("choice").map(str::to_owned),
    };
    let done = page.app.whistle.act(
        &page.here,
        question.case.number,
        None,
        act,
        fields.get("text").to_owned(),
        question.by.clone(),
    );
    match done.await {
        Ok(_) => {
            // Whom it was put to is forgotten with the question.
            let done = match question.by {
                Actor::Reporter { .. } => REPORTER,
                _ => "yes",
            };
            Ok(Redirect::to(&format!("/ask/{link}?done={done}")).into_response())
        }
        Err(error @ Error::Refused(_)) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("answer", page.words.error(&error));
            show(&page, &question, "", fields, &wrongs, status_of(&error))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(
    page: &Page,
    asked: &Asked,
    done: &str,
    fields: &Entered,
    wrongs: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let open = asked.open.as_ref().map(|question| Open {
        question,
        until: page.moment(question.until),
    });
    let number = asked.case.number;
    let follow = match door::following(page) {
        Some((following, _)) if following == number => Some("/follow/case".to_owned()),
        _ => (done == REPORTER).then(|| format!("/follow?number={number}")),
    };
    let mut answer = page.render_as(
        status,
        &AskPage {
            p: page,
            number: number.to_string(),
            service: page.service_name(asked.case.service.as_str()),
            thanks: !done.is_empty() && open.is_none(),
            follow: follow.filter(|_| open.is_none()),
            open,
            e: fields,
            w: wrongs,
        },
    )?;
    // Who has the address may answer, so no other site is told of it.
    let headers = answer.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(answer)
}
