//! `/api/v1`: the native JSON API, for all commands and lists, described by an OpenAPI document made from this code.
//!
//! - `place`, `report`, `own`, `case`, `whistle`, `round`, `indicator`, `session`: the handlers. `wire`: what goes over the wire.
//! - `extract`: who asks, where, with what. `error`: the one shape of errors. `document`: the OpenAPI document.

mod case;
mod document;
mod error;
mod extract;
pub(crate) mod indicator;
mod own;
mod place;
mod read;
mod report;
mod round;
mod session;
mod whistle;
pub(crate) mod wire;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderName, HeaderValue, StatusCode},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{App, limits::Face};

pub(crate) fn router() -> Router<App> {
    let (router, _) = routes().split_for_parts();
    router
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(DefaultBodyLimit::max(extract::MAX_JSON))
}

/// The header that says which version an act led to, beside a body that shows what there is now.
type ActVersion = [(HeaderName, HeaderValue); 1];

fn act_version(version: u32) -> ActVersion {
    [(HeaderName::from_static("act-version"), version.into())]
}

/// The path of every route below `/api/v1`: what the document describes.
pub(crate) fn paths() -> Vec<String> {
    routes().into_openapi().paths.paths.into_keys().collect()
}

fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(document::base())
        .merge(place::routes())
        .merge(report::routes())
        .merge(own::routes())
        .merge(case::routes())
        .merge(whistle::routes())
        .merge(round::routes())
        .merge(indicator::routes())
        .merge(session::routes())
        .routes(routes!(document::openapi))
}

/// Every error of this face has one shape.
pub(crate) const FACE: Face = Face {
    under: "/api/v1",
    shape: |_, _| Box::new(error::in_shape),
};
