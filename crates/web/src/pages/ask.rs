//! The page of one question: who has its link answers it, once, without a code and without an account.

use askama::Template;
use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{case::Question, command::Act};
use whistle_service::{Error, case::Asked};

use super::{
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    page::Page,
    show::Moment,
};
use crate::status::status_of;

#[derive(Template)]
#[template(path = "ask.html")]
struct AskPage<'a> {
    p: &'a Page,
    number: String,
    service: String,
    /// None when it was answered or can no longer be.
    open: Option<Open<'a>>,
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
pub(crate) async fn question(page: Page, Path(link): Path<String>) -> Result<Response, Fault> {
    let asked = asked(&page, &link).await?;
    show(
        &page,
        &asked,
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
        return show(&page, &question, fields, &Wrongs::default(), StatusCode::GONE);
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
        Ok(_) => Ok(Redirect::to(&format!("/ask/{link}")).into_response()),
        Err(error @ Error::Refused(_)) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("answer", page.words.error(&error));
            show(&page, &question, fields, &wrongs, status_of(&error))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(
    page: &Page,
    asked: &Asked,
    fields: &Entered,
    wrongs: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let open = asked.open.as_ref().map(|question| Open {
        question,
        until: page.moment(question.until),
    });
    let mut answer = page.render_as(
        status,
        &AskPage {
            p: page,
            number: asked.case.number.to_string(),
            service: page.service_name(asked.case.service.as_str()),
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
