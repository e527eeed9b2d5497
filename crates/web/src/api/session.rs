//! Sessions of staff: opened with login and password, ended, moved to another post.

use axum::{
    Extension, Json as Answer,
    extract::State,
    http::{StatusCode, header},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_service::{
    Error, Here,
    account::{SignIn as Begun, SignedIn},
};

use super::{
    error::{ErrorAnswer, Problem, Result},
    extract::{At, Json, Known, Query},
    wire::{
        Code,
        place::PlaceOnly,
        report::{NewSession, Post, PostChoice, Session, SignIn},
    },
};
use crate::{App, limits::Address};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in))
        .routes(routes!(current, sign_out))
        .routes(routes!(change_post))
}

fn session(here: &Here, signed_in: &SignedIn) -> Session {
    let posts = signed_in
        .posts
        .iter()
        .filter_map(|code| here.place.post(code.as_str()));
    Session {
        login: signed_in.login.clone(),
        post: Code::of(&signed_in.post.code),
        posts: posts.map(|post| Post::of(&here.place, post)).collect(),
    }
}

/// Sign in.
#[utoipa::path(post, path = "/sessions", tag = "sessions", operation_id = "create_session", params(PlaceOnly),
    request_body = SignIn,
    responses(
        (status = 201, body = NewSession, description = "Signed in.",
            headers(("Cache-Control" = String, description = "`no-store`: the token is a secret."))),
        (status = 401, body = ErrorAnswer, description = "The login and password do not fit together; or a code is needed \
            (`code_needed`), or not right (`bad_code`); or a passkey is, which only the pages take (`passkey_needed`)."),
        (status = 403, body = ErrorAnswer, description = "The account must have a second factor and has none yet \
            (`must_enrol`), or an administrator set its password and it must choose its own (`must_change_password`)."),
        (status = 429, body = ErrorAnswer, description = "Too many tries with this login from this address, or from all; see Retry-After."),
    ))]
async fn sign_in(
    State(app): State<App>,
    At(here): At,
    _known: Query<PlaceOnly>,
    Extension(address): Extension<Address>,
    Json(who): Json<SignIn>,
) -> Result<impl IntoResponse> {
    let whistle = &app.whistle;
    let begun = whistle
        .sign_in(&here, who.login.as_str(), who.password.0, address.0)
        .await?;
    let token = match (begun, who.code) {
        (Begun::Done(token), _) => token,
        (Begun::HalfWay(half), Some(code)) => {
            whistle
                .sign_in_with_code(&here, &half, &code.0, address.0)
                .await?
        }
        (Begun::HalfWay(_), None) => return Err(Error::CodeNeeded.into()),
    };
    let signed_in = app.whistle.signed_in(&here, &token).await?;
    let opened = NewSession {
        token,
        session: session(&here, &signed_in),
    };
    Ok((
        StatusCode::CREATED,
        [(header::CACHE_CONTROL, "no-store")],
        Answer(opened),
    ))
}

/// Who is signed in, and for which post.
#[utoipa::path(get, path = "/sessions/current", tag = "sessions", operation_id = "get_session", params(PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = Session, description = "The session."),
        (status = 403, body = ErrorAnswer, description = "An API key has no session."),
    ))]
async fn current(Known(visit): Known, _known: Query<PlaceOnly>) -> Result<Answer<Session>> {
    Ok(Answer(session(&visit.here, visit.staff()?)))
}

/// Sign out.
#[utoipa::path(delete, path = "/sessions/current", tag = "sessions", operation_id = "delete_session", params(PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 204, description = "Signed out."),
        (status = 403, body = ErrorAnswer, description = "An API key has no session."),
    ))]
async fn sign_out(
    State(app): State<App>,
    Known(visit): Known,
    _known: Query<PlaceOnly>,
) -> Result<StatusCode> {
    visit.staff()?;
    let token = visit.token.as_deref().ok_or(Problem::Service(Error::SignedOut))?;
    app.whistle.sign_out(&visit.here, token, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Act for another post that the account holds.
#[utoipa::path(put, path = "/sessions/current/post", tag = "sessions", operation_id = "change_post", params(PlaceOnly),
    security(("session" = [])), request_body = PostChoice,
    responses(
        (status = 200, body = Session, description = "The session, with its new post."),
        (status = 403, body = ErrorAnswer, description = "An API key has no session."),
    ))]
async fn change_post(
    State(app): State<App>,
    Known(visit): Known,
    _known: Query<PlaceOnly>,
    Json(choice): Json<PostChoice>,
) -> Result<Answer<Session>> {
    visit.staff()?;
    let token = visit.token.as_deref().ok_or(Problem::Service(Error::SignedOut))?;
    let unknown = || Problem::not_found("post", choice.post.as_str());
    let post: whistle_domain::words::PostCode = choice.post.as_str().parse().map_err(|_| unknown())?;
    visit.here.place.post(post.as_str()).ok_or_else(unknown)?;
    app.whistle.change_post(&visit.here, token, post).await?;
    let signed_in = app.whistle.signed_in(&visit.here, token).await?;
    Ok(Answer(session(&visit.here, &signed_in)))
}
