//! Rounds: what there is to look at, when each stop was last seen, and that it was seen. For staff only.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::words::{RoundCode, StopCode};

use super::{
    error::{ErrorAnswer, Problem, Result},
    extract::{Json, Known, Query, header_text},
    wire::{
        Code,
        place::PlaceOnly,
        round::{FoundList, NewLook, Round, RoundListQuery, RoundPage},
    },
};
use crate::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rounds))
        .routes(routes!(round))
        .routes(routes!(looks, look))
}

fn stop(text: &str) -> Result<StopCode> {
    text.parse().map_err(|_| Problem::not_found("stop", text))
}

/// The rounds that the signed-in post may see, with the day on which each stop was last seen and by which unit; by code, page by page.
#[utoipa::path(get, path = "/rounds", tag = "rounds", operation_id = "list_rounds", params(RoundListQuery),
    security(("session" = [])),
    responses(
        (status = 200, body = RoundPage, description = "A page of at most 50 rounds."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn rounds(
    State(app): State<App>,
    Known(visit): Known,
    Query(query): Query<RoundListQuery>,
) -> Result<Answer<RoundPage>> {
    let actor = &visit.staff()?.actor;
    let unknown = |after: &Code| Problem::not_found("round", after.as_str());
    let after = query.after.as_ref();
    let after: Option<RoundCode> = after
        .map(|after| after.as_str().parse().map_err(|_| unknown(after)))
        .transpose()?;
    let page = app.whistle.rounds(&visit.here, actor, after.as_ref()).await?;
    Ok(Answer(RoundPage {
        items: page
            .items
            .iter()
            .map(|walk| Round::of(walk, &visit.here.place))
            .collect(),
        next: page.next.map(Code),
    }))
}

/// One round, with when each stop was last seen.
#[utoipa::path(get, path = "/rounds/{code}", tag = "rounds", operation_id = "get_round",
    params(("code" = Code, Path, description = "The round's code, percent-encoded."), PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = Round, description = "The round."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn round(
    State(app): State<App>,
    Known(visit): Known,
    Path(code): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<Round>> {
    let actor = &visit.staff()?.actor;
    let walk = app.whistle.round(&visit.here, &code, actor).await?;
    Ok(Answer(Round::of(&walk, &visit.here.place)))
}

/// What was found at a stop of late, the newest first. By whom, and at what time, is not kept.
#[utoipa::path(get, path = "/stops/{code}/looks", tag = "rounds", operation_id = "list_looks",
    params(("code" = Code, Path, description = "The stop's code, percent-encoded."), PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = FoundList, description = "At most 50 looks."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn looks(
    State(app): State<App>,
    Known(visit): Known,
    Path(code): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<FoundList>> {
    let actor = &visit.staff()?.actor;
    let found = app.whistle.found_at(&visit.here, &stop(&code)?, actor).await?;
    Ok(Answer(FoundList {
        items: found.iter().map(Into::into).collect(),
    }))
}

/// Say that a stop was looked at and all was well. What is not well is reported, by `POST /reports` with its `stop`.
#[utoipa::path(post, path = "/stops/{code}/looks", tag = "rounds", operation_id = "create_look",
    params(("code" = Code, Path, description = "The stop's code, percent-encoded."), PlaceOnly,
        ("Idempotency-Key" = Option<String>, Header, max_length = 200,
            description = "As for `POST /reports`: what is sent again with it is said once.")),
    security(("session" = [])), request_body = NewLook,
    responses(
        (status = 204, description = "It is kept."),
        (status = 403, body = ErrorAnswer, description = "This post walks no rounds."),
        (status = 422, body = ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn look(
    State(app): State<App>,
    Known(visit): Known,
    Path(code): Path<String>,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(look): Json<NewLook>,
) -> Result<StatusCode> {
    let actor = &visit.staff()?.actor;
    let key = header_text(&headers, "idempotency-key")?;
    let made_at = look.made_at.map(|time| time.0);
    app.whistle
        .saw_fine(&visit.here, &stop(&code)?, made_at, actor, key)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
