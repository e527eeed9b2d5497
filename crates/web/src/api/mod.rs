//! `/api/v1`: the native JSON API, for all commands and lists, described by an OpenAPI document made from this code.
//!
//! - `place`, `report`, `case`, `session`: the handlers. `wire`: what goes over the wire.
//! - `extract`: who asks, where, with what. `error`: the one shape of errors. `document`: the OpenAPI document.

mod case;
mod document;
mod error;
mod extract;
mod place;
mod read;
mod report;
mod session;
mod wire;

use axum::{Router, extract::DefaultBodyLimit, http::StatusCode, response::Response};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

pub(crate) fn router() -> Router<App> {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(extract::MAX_JSON))
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::base())
        .merge(place::routes())
        .merge(report::routes())
        .merge(case::routes())
        .merge(session::routes())
        .routes(routes!(document::openapi))
}

/// Gives an error answer to a request for this face its one shape, whoever made it: a handler, the router, the limits.
pub(crate) fn in_shape(path: &str, answer: Response, request_id: &str) -> Response {
    match path.strip_prefix("/api/v1") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => error::in_shape(answer, request_id),
        _ => answer,
    }
}
