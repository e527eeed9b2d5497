//! Whistles: blown, listed, read, acted upon. For staff only.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::{
    whistle::{Event, command::Refusal},
    words::WhistleNumber,
};
use whistle_service::{Error, whistle::Query as Wanted};

use super::{
    ActVersion, act_version,
    error::{Changes, ErrorAnswer, Problem, Result},
    extract::{At, Json, Known, Query, header_text},
    read,
    wire::{
        place::PlaceOnly,
        whistle::{
            NewWhistle, Whistle, WhistleAct, WhistleEvent, WhistleKindList, WhistleListQuery, WhistleLog,
            WhistlePage,
        },
    },
};
use crate::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(kinds))
        .routes(routes!(whistles, blow))
        .routes(routes!(whistle))
        .routes(routes!(events))
        .routes(routes!(act))
}

fn number(text: &str) -> Result<WhistleNumber> {
    text.parse().map_err(|_| Problem::not_found("whistle", text))
}

/// The kinds of whistle: who may blow them, who approves, how soon the units must come.
#[utoipa::path(get, path = "/whistle-kinds", tag = "whistles", operation_id = "list_whistle_kinds", params(PlaceOnly),
    responses((status = 200, body = WhistleKindList, description = "The kinds.")))]
async fn kinds(At(here): At, _known: Query<PlaceOnly>) -> Answer<WhistleKindList> {
    Answer(WhistleKindList {
        items: here.place.whistle_kinds().iter().map(Into::into).collect(),
    })
}

/// Whistles that the signed-in post may see, page by page: those that call its unit, or those of its area.
#[utoipa::path(get, path = "/whistles", tag = "whistles", operation_id = "list_whistles", params(WhistleListQuery),
    security(("session" = [])),
    responses(
        (status = 200, body = WhistlePage, description = "A page of whistles."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn whistles(
    State(app): State<App>,
    Known(visit): Known,
    Query(query): Query<WhistleListQuery>,
) -> Result<Answer<WhistlePage>> {
    let actor = &visit.staff()?.actor;
    let wanted = Wanted {
        called: query.called,
        area: None,
        over: query.over,
        after: query.after.map(|cursor| cursor.0),
        limit: read::limit(query.limit)?,
    };
    let page = app.whistle.whistles(&visit.here, &wanted, actor).await?;
    let (place, now) = (&visit.here.place, app.whistle.now());
    let view = |whistle| Whistle::of(whistle, place, now, None);
    Ok(Answer(WhistlePage {
        items: page.items.iter().map(view).collect(),
        next: page.next,
    }))
}

/// Blow a whistle: call several units together over one or more cases. Where its kind says so, it waits for approval.
#[utoipa::path(post, path = "/whistles", tag = "whistles", operation_id = "blow_whistle",
    params(PlaceOnly, ("Idempotency-Key" = Option<String>, Header, max_length = 200, description = "As for `POST /reports`.")),
    security(("session" = [])), request_body = NewWhistle,
    responses(
        (status = 201, body = Whistle, description = "It was blown, or waits for approval.",
            headers(("Location" = String, description = "Where the whistle is."))),
        (status = 403, body = ErrorAnswer, description = "This post may not blow a whistle of this kind."),
        (status = 422, body = ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn blow(
    State(app): State<App>,
    Known(visit): Known,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(new): Json<NewWhistle>,
) -> Result<impl IntoResponse> {
    let actor = visit.staff()?.actor.clone();
    let key = header_text(&headers, "idempotency-key")?;
    let whistle = app
        .whistle
        .blow(&visit.here, new.wanted()?, actor.clone(), key)
        .await?;
    let location = format!("/api/v1/whistles/{}", whistle.number);
    let view = Whistle::of(&whistle, &visit.here.place, app.whistle.now(), Some(&actor));
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Answer(view)))
}

/// One whistle, with the units that are called, their clocks, and what may be done now.
#[utoipa::path(get, path = "/whistles/{number}", tag = "whistles", operation_id = "get_whistle",
    params(("number" = i64, Path, minimum = 1, description = "The whistle's number."), PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = Whistle, description = "The whistle."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn whistle(
    State(app): State<App>,
    Known(visit): Known,
    Path(text): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<Whistle>> {
    let actor = &visit.staff()?.actor;
    let found = app.whistle.whistle_and_log(&visit.here, number(&text)?, actor);
    let (whistle, _) = found.await?;
    let (place, now) = (&visit.here.place, app.whistle.now());
    Ok(Answer(Whistle::of(&whistle, place, now, Some(actor))))
}

/// What happened to a whistle, first things first.
#[utoipa::path(get, path = "/whistles/{number}/events", tag = "whistles", operation_id = "list_whistle_events",
    params(("number" = i64, Path, minimum = 1, description = "The whistle's number."), PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = WhistleLog, description = "The events."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn events(
    State(app): State<App>,
    Known(visit): Known,
    Path(text): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<WhistleLog>> {
    let actor = &visit.staff()?.actor;
    let found = app.whistle.whistle_and_log(&visit.here, number(&text)?, actor);
    let (_, log) = found.await?;
    Ok(Answer(log_since(&log, 0)))
}

/// Do something to a whistle, as the signed-in post. Answers the whistle as it is then.
#[utoipa::path(post, path = "/whistles/{number}/acts", tag = "whistles", operation_id = "act_on_whistle",
    params(("number" = i64, Path, minimum = 1, description = "The whistle's number."), PlaceOnly,
        ("Idempotency-Key" = Option<String>, Header, max_length = 200,
            description = "As for `POST /reports`: what is sent again with it, such as a report-in without a connection, \
                           is done once.")),
    security(("session" = [])), request_body = WhistleAct,
    responses(
        (status = 200, body = Whistle, description = "It was done; the whistle as it is now.",
            headers(("Act-Version" = u32, description = "The version that the act led to. An earlier one than the whistle's when the \
                request was sent again and something else was done since."))),
        (status = 403, body = ErrorAnswer, description = "Who asks may not do that to this whistle."),
        (status = 409, body = ErrorAnswer, description = "The whistle changed since it was seen (`stale`, with its \
            version and what changed), or it or the unit's call stands where this cannot be done (`wrong_stage`, \
            `wrong_call`)."),
        (status = 422, body = ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn act(
    State(app): State<App>,
    Known(visit): Known,
    Path(text): Path<String>,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(mut act): Json<WhistleAct>,
) -> Result<(ActVersion, Answer<Whistle>)> {
    let actor = visit.staff()?.actor.clone();
    let key = header_text(&headers, "idempotency-key")?;
    let (seen, text_of_act) = (act.seen(), act.take_text());
    let number = number(&text)?;
    let done = app
        .whistle
        .act_on_whistle(
            &visit.here,
            number,
            seen,
            act.wanted()?,
            text_of_act,
            actor.clone(),
            key,
        )
        .await;
    match done {
        Ok(acted) => {
            let (place, now) = (&visit.here.place, app.whistle.now());
            let shown = Whistle::of(&acted.now, place, now, Some(&actor));
            Ok((act_version(acted.version), Answer(shown)))
        }
        Err(error @ Error::Whistle(Refusal::Stale { seen, .. })) => {
            let found = app.whistle.whistle_and_log(&visit.here, number, &actor);
            let (whistle, log) = found.await?;
            Err(Problem::Stale {
                error,
                version: whistle.version,
                changes: Changes::Whistle(log_since(&log, seen)),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// What happened to a whistle after one of its versions.
fn log_since(log: &[Event], version: u32) -> WhistleLog {
    let since = log.iter().zip(1..).skip(version as usize);
    WhistleLog {
        items: since
            .map(|(event, version)| WhistleEvent::of(event, version))
            .collect(),
    }
}
