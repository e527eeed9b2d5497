//! What is stored of a reporter, for themselves: seen, corrected, erased, by pick-up code as on the page.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::words::CaseNumber;
use whistle_service::{Error, notices::Choice, secret};

use super::{
    error::{Problem, Result},
    extract::{Json, Known, Query, Visit},
    read,
    wire::{
        own::{ErasedOwn, Own},
        place::PlaceOnly,
        report::Contact,
    },
};
use crate::{App, guard};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(own, erase))
        .routes(routes!(correct))
}

/// What a right code opens: the number of the case, and the code.
async fn opened<'v>(app: &App, visit: &'v Visit, number: &str) -> Result<(CaseNumber, &'v str)> {
    let number = read::number(number)?;
    let code = visit.code.as_deref().ok_or(Error::SignedOut)?;
    if visit.staff_if_any().is_some() {
        return Err(Problem::several_callers("X-Pickup-Code"));
    }
    guard::case_by_code(&app.whistle, &visit.here, number, code)
        .await
        .map_err(Problem::code)?;
    Ok((number, code))
}

/// Nobody on the way keeps it.
const NOT_KEPT: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// All that is stored of the holder of a pick-up code, who looked at how they can be reached among it.
#[utoipa::path(get, path = "/cases/{number}/own", tag = "reports", operation_id = "get_own",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly),
    security(("pickup_code" = [])),
    responses((status = 200, body = Own, description = "What is stored.",
        headers(("Cache-Control" = String, description = "`no-store`.")))))]
async fn own(
    State(app): State<App>,
    Known(visit): Known,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<impl IntoResponse> {
    let (number, code) = opened(&app, &visit, &number).await?;
    let own = app.whistle.own(&visit.here, number, code).await?;
    Ok((NOT_KEPT, Answer(Own::from(own))))
}

/// Correct how the holder of a pick-up code can be reached; what is left empty is stored no more. Answers all that is stored
/// then.
#[utoipa::path(put, path = "/cases/{number}/own/contact", tag = "reports", operation_id = "correct_contact",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly),
    security(("pickup_code" = [])), request_body = Contact,
    responses((status = 200, body = Own, description = "It is kept.",
        headers(("Cache-Control" = String, description = "`no-store`.")))))]
async fn correct(
    State(app): State<App>,
    Known(visit): Known,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(contact): Json<Contact>,
) -> Result<impl IntoResponse> {
    let (number, code) = opened(&app, &visit, &number).await?;
    let whistle = &app.whistle;
    let before = whistle.own(&visit.here, number, code).await?.contact;
    // Which notices they chose stays as it was.
    let chosen = before.as_ref().map(secret::Contact::choice).unwrap_or_default();
    let contact = super::report::reached_by(contact, &headers);
    let lang = contact.lang.or(chosen.lang);
    let contact = contact.with_choice(Choice { lang, ..chosen });
    whistle
        .correct_contact(&visit.here, number, code, contact)
        .await?;
    let own = whistle.own(&visit.here, number, code).await?;
    Ok((NOT_KEPT, Answer(Own::from(own))))
}

/// Erase what the holder of a pick-up code wrote and sent, where they said that it is, what they answered, and how they can be
/// reached. The case goes on, and its log says that it was erased.
#[utoipa::path(delete, path = "/cases/{number}/own", tag = "reports", operation_id = "erase_own",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly),
    security(("pickup_code" = [])),
    responses((status = 200, body = ErasedOwn, description = "Nothing of it is left.")))]
async fn erase(
    State(app): State<App>,
    Known(visit): Known,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<ErasedOwn>> {
    let (number, code) = opened(&app, &visit, &number).await?;
    let erased = app.whistle.erase_own(&visit.here, number, code).await?;
    Ok(Answer(ErasedOwn { erased }))
}
