//! The page on which the one who reported first says whether the work is done: by the link of a mail, until it was judged,
//! without a code.

use askama::Template;
use axum::{
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{command::Act, transition::Verb};
use whistle_service::{Error, case::Judging};

use super::{
    cases::PublicCase,
    fault::Fault,
    follow::{perform, with_photos},
    form::{Entered, Posted, Wrongs},
    page::Page,
    words::verb,
};
use crate::status::status_of;

#[derive(Template)]
#[template(path = "judge.html")]
struct JudgePage<'a> {
    p: &'a Page,
    c: PublicCase,
    /// Whether it is still to be judged.
    open: bool,
    version: u32,
    e: &'a Entered,
    w: &'a Wrongs,
}

impl JudgePage<'_> {
    fn is_wrong(&self, verb: &str) -> bool {
        !self.w.is_empty() && self.e.has("verb", verb)
    }
}

async fn judging(page: &Page, link: &str) -> Result<Judging, Fault> {
    let judging = page.app.whistle.judging(&page.here, link).await;
    judging.map_err(|error| match error {
        Error::NotFound { .. } => Fault::NoSuchPage,
        other => other.into(),
    })
}

/// What was done, or that it was judged. Opening the link changes nothing: programs that look at mail open links.
pub(crate) async fn ask(page: Page, Path(link): Path<String>) -> Result<Response, Fault> {
    let judging = judging(&page, &link).await?;
    show(
        &page,
        &judging,
        &Entered::default(),
        &Wrongs::default(),
        StatusCode::OK,
    )
}

/// Takes the word.
pub(crate) async fn judge(page: Page, Path(link): Path<String>, posted: Posted) -> Result<Response, Fault> {
    let judging = judging(&page, &link).await?;
    let fields = &posted.fields;
    if !judging.open {
        return show(&page, &judging, fields, &Wrongs::default(), StatusCode::GONE);
    }
    let acts = match verb(fields.get("verb")) {
        Some(Verb::Verify) => vec![Act::Verify],
        Some(Verb::VerifyPartly) => with_photos(Act::VerifyPartly, &posted),
        Some(Verb::Rework) => with_photos(Act::Rework, &posted),
        _ => return Err(Fault::Garbled),
    };
    if !posted.wrong_photos.is_empty() {
        let mut wrongs = Wrongs::default();
        for wrong in &posted.wrong_photos {
            wrongs.add("photos", wrong.clone());
        }
        return show(&page, &judging, fields, &wrongs, StatusCode::BAD_REQUEST);
    }
    let done = perform(&page, &posted, judging.case.number, acts, &judging.by);
    match done.await {
        Ok(()) => Ok(Redirect::to(&format!("/judge/{link}")).into_response()),
        Err(error @ Error::Refused(_)) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("answer", page.words.error(&error));
            show(&page, &judging, fields, &wrongs, status_of(&error))
        }
        Err(error) => Err(error.into()),
    }
}

fn show(
    page: &Page,
    judging: &Judging,
    fields: &Entered,
    wrongs: &Wrongs,
    status: StatusCode,
) -> Result<Response, Fault> {
    let mut answer = page.render_as(
        status,
        &JudgePage {
            p: page,
            c: PublicCase::new(page, &judging.case, &judging.log),
            open: judging.open,
            version: judging.case.version,
            e: fields,
            w: wrongs,
        },
    )?;
    // Who has the address may judge, so no other site is told of it.
    let headers = answer.headers_mut();
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(answer)
}
