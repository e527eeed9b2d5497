//! The reporter's own page: number and pick-up code open it. Nothing else links a reporter to a case.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{
    case::{Actor, Case, Event, PhotoKind, Rating},
    command::Act,
    public,
    transition::Verb,
    words::CaseNumber,
};
use whistle_service::Error;

use crate::guard;

use super::{
    cases::PublicCase,
    door,
    fault::Fault,
    form::{Entered, Posted, Wrongs},
    page::Page,
    show::Choice,
    words::verb,
};

#[derive(Template)]
#[template(path = "receipt.html")]
struct ReceiptPage<'a> {
    p: &'a Page,
    number: String,
    code: String,
    service: String,
    whereabouts: String,
    joined: bool,
}

/// The receipt of the report that was just sent.
pub(crate) async fn receipt(page: Page) -> Result<Response, Fault> {
    let Some((case, _, code)) = followed(&page).await? else {
        return Ok(Redirect::to("/follow").into_response());
    };
    let (case, by) = case;
    page.render(&ReceiptPage {
        p: &page,
        number: case.number.to_string(),
        service: page.service_name(case.service.as_str()),
        whereabouts: page.whereabouts(&case.location),
        joined: !matches!(by, Actor::Reporter { report: 1 }),
        code,
    })
}

/// What the cookie leads to: the case with the reporter, its log, and the code.
type Followed = ((Case, Actor), Vec<Event>, String);

async fn followed(page: &Page) -> Result<Option<Followed>, Fault> {
    let Some((number, code)) = door::following(page) else {
        return Ok(None);
    };
    match page.app.whistle.case_by_code(&page.here, number, &code).await {
        Ok((case, log, by)) => Ok(Some(((case, by), log, with_dash(&code)))),
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The code as it is printed: two halves.
fn with_dash(code: &str) -> String {
    match code.split_at_checked(code.len() / 2) {
        Some((one, other)) => format!("{one}-{other}"),
        None => code.to_owned(),
    }
}

#[derive(Template)]
#[template(path = "follow.html")]
struct FollowPage<'a> {
    p: &'a Page,
    number: &'a str,
    w: &'a Wrongs,
}

/// Asks for number and code.
pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    page.render(&FollowPage {
        p: &page,
        number: asked.get("number"),
        w: &Wrongs::default(),
    })
}

/// Lets in who has the right pair. A wrong number and a wrong code look the same.
pub(crate) async fn enter(page: Page, posted: Posted) -> Result<Response, Fault> {
    let fields = &posted.fields;
    let text: String = fields
        .get("number")
        .chars()
        .filter(char::is_ascii_digit)
        .take(19)
        .collect();
    let mut wrongs = Wrongs::default();
    if let Ok(number) = text.parse::<CaseNumber>() {
        if !guard::may_try(&page.here, &text) {
            return Err(Fault::TooManyTries);
        }
        let code = fields.get("code");
        match page.app.whistle.case_by_code(&page.here, number, code).await {
            Ok(_) => {
                // The code as it was computed, not as it was typed: O for 0 and spaces are forgiven.
                let cookie = door::follow(&page, number, &right_code(code));
                return Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/follow/case")).into_response());
            }
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    wrongs.add("number", page.t("follow-wrong"));
    let template = FollowPage {
        p: &page,
        number: fields.get("number"),
        w: &wrongs,
    };
    page.render_as(StatusCode::FORBIDDEN, &template)
}

/// A typed code in the letters of codes.
fn right_code(typed: &str) -> String {
    let upper = typed.to_uppercase().replace('O', "0");
    upper
        .replace(['I', 'L'], "1")
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect()
}

/// Forgets number and code on this device.
pub(crate) async fn leave(page: Page) -> Response {
    ([(header::SET_COOKIE, door::forget(&page))], Redirect::to("/")).into_response()
}

/// A thing that the reporter may do.
struct Deed {
    verb: &'static str,
    wrong: bool,
}

#[derive(Template)]
#[template(path = "follow_case.html")]
struct FollowedCase<'a> {
    p: &'a Page,
    c: PublicCase,
    e: &'a Entered,
    w: &'a Wrongs,
    hidden: bool,
    answers: Vec<super::show::Answered>,
    photos: Vec<super::show::Picture>,
    deeds: Vec<Deed>,
    ratings: Vec<Choice>,
    rated: Option<String>,
    done: Option<String>,
    version: u32,
    /// The case that goes on where this one was merged into it.
    goes_on: Option<PublicCase>,
    /// The link of the question that the reporter is asked.
    question: Option<String>,
}

impl FollowedCase<'_> {
    fn may(&self, verb: &str) -> bool {
        self.deeds.iter().any(|deed| deed.verb == verb)
    }

    fn is_wrong(&self, verb: &str) -> bool {
        self.deeds.iter().any(|deed| deed.verb == verb && deed.wrong)
    }
}

/// The reporter's page.
pub(crate) async fn case(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let Some(((case, by), log, _)) = followed(&page).await? else {
        return Ok(Redirect::to("/follow").into_response());
    };
    let asked = Entered::new(asked);
    let done = asked
        .some("done")
        .and_then(verb)
        .map(|verb| page.words.of("done", verb.as_str()));
    show(
        &page,
        &case,
        &log,
        &by,
        &Entered::default(),
        &Wrongs::default(),
        done,
        StatusCode::OK,
    )
    .await
}

#[expect(
    clippy::too_many_arguments,
    reason = "the page has so many parts; called twice"
)]
async fn show(
    page: &Page,
    case: &Case,
    log: &[Event],
    by: &Actor,
    fields: &Entered,
    wrongs: &Wrongs,
    done: Option<String>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let offered = page.offered(case, by);
    let is_asked = offered.iter().any(|line| line.verb == Verb::Answer);
    let goes_on = page.app.whistle.goes_on_as(&page.here, case).await?;
    let deeds = offered
        .iter()
        .filter(|line| line.verb != Verb::Join)
        .map(|line| Deed {
            verb: line.verb.as_str(),
            wrong: !wrongs.is_empty() && fields.get("verb") == line.verb.as_str(),
        });
    let rating = |rating: Rating| Choice {
        value: rating.as_str().to_owned(),
        label: page.words.of("rating", rating.as_str()),
        chosen: case.rating == Some(rating),
    };
    // What another reporter answered, or sent for staff alone, is not for whoever joins the case.
    let report = match by {
        Actor::Reporter { report } => Some(*report),
        _ => None,
    };
    let template = FollowedCase {
        p: page,
        c: PublicCase::new(page, case, log),
        e: fields,
        w: wrongs,
        hidden: !case.public,
        answers: match report {
            Some(1) => page.answers(case),
            _ => Vec::new(),
        },
        photos: page.pictures(
            case,
            public::photos_of_reporter(case, log, report.unwrap_or_default()),
        ),
        deeds: deeds.collect(),
        ratings: Rating::ALL.map(rating).into(),
        rated: case.rating.map(|r| page.words.of("rating", r.as_str())),
        done,
        version: case.version,
        goes_on: goes_on.map(|(case, log)| PublicCase::new(page, &case, &log)),
        question: page
            .app
            .whistle
            .question_link(&page.here, case)
            .filter(|_| is_asked),
    };
    page.render_as(status, &template)
}

/// Does what the reporter wants.
pub(crate) async fn act(page: Page, posted: Posted) -> Result<Response, Fault> {
    let Some(((case, by), _, code)) = followed(&page).await? else {
        return Ok(Redirect::to("/follow").into_response());
    };
    let mut wrongs = Wrongs::default();
    for wrong in &posted.wrong_photos {
        wrongs.add("photos", wrong.clone());
    }
    let acts = wanted(&page, &posted, &mut wrongs);
    let mut status = StatusCode::BAD_REQUEST;
    if wrongs.is_empty() {
        match perform(&page, &posted, case.number, acts, &by).await {
            Ok(()) => {
                let next = format!("/follow/case?done={}", posted.fields.get("verb"));
                return Ok(Redirect::to(&next).into_response());
            }
            Err(error @ (Error::Refused(_) | Error::Invalid { .. })) => {
                status = crate::status::status_of(&error);
                wrongs.add("done", page.words.error(&error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let (case, log, by) = page
        .app
        .whistle
        .case_by_code(&page.here, case.number, &code)
        .await?;
    show(&page, &case, &log, &by, &posted.fields, &wrongs, None, status).await
}

/// What the form asks for. A photo each is an act of its own.
fn wanted(page: &Page, posted: &Posted, wrongs: &mut Wrongs) -> Vec<Act> {
    let fields = &posted.fields;
    let rating = Rating::ALL
        .into_iter()
        .find(|r| r.as_str() == fields.get("rating"));
    match verb(fields.get("verb")) {
        Some(Verb::Withdraw) => vec![Act::Withdraw],
        Some(Verb::Verify) => vec![Act::Verify],
        Some(Verb::VerifyPartly) => with_photos(Act::VerifyPartly, posted),
        Some(Verb::Rework) => with_photos(Act::Rework, posted),
        Some(Verb::RequestReopen) => vec![Act::RequestReopen],
        Some(Verb::Comment) => vec![Act::Comment { public: false }],
        Some(Verb::Rate) => {
            if rating.is_none() {
                wrongs.add("rating-good", page.t("need-rating-first"));
            }
            rating.map(|rating| Act::Rate { rating }).into_iter().collect()
        }
        Some(Verb::AddPhoto) => {
            if posted.photos.is_empty() && wrongs.is_empty() {
                wrongs.add("photos", page.t("photo-none"));
            }
            let shown = fields.has("photos_public", "yes");
            let photos = posted.photos(PhotoKind::Before, shown).into_iter();
            photos.map(|photo| Act::AddPhoto { photo }).collect()
        }
        _ => {
            wrongs.add("done", page.t("fault-garbled"));
            Vec::new()
        }
    }
}

/// What the reporter says, with the photos that show it.
pub(super) fn with_photos(act: Act, posted: &Posted) -> Vec<Act> {
    let shown = posted.fields.has("photos_public", "yes");
    let photos = posted.photos(PhotoKind::After, shown).into_iter();
    let photos = photos.map(|photo| Act::AddPhoto { photo });
    std::iter::once(act).chain(photos).collect()
}

/// Does one after the other.
pub(super) async fn perform(
    page: &Page,
    posted: &Posted,
    number: CaseNumber,
    acts: Vec<Act>,
    by: &Actor,
) -> Result<(), Error> {
    let mut seen = posted.fields.some("seen").and_then(|v| v.parse().ok());
    let text = posted.fields.get("text");
    for act in acts {
        let words = if matches!(act, Act::AddPhoto { .. }) {
            ""
        } else {
            text
        };
        // A comment or a photo stands beside whatever else happened meanwhile.
        if matches!(act, Act::Comment { .. } | Act::AddPhoto { .. } | Act::Rate { .. }) {
            seen = None;
        }
        page.app
            .whistle
            .act(&page.here, number, seen, act, words.to_owned(), by.clone())
            .await?;
        seen = None;
    }
    Ok(())
}
