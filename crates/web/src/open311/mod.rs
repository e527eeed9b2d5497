//! Open311 GeoReport v2: what other systems, apps and portals speak to a city.
//!
//! Knows the specification and its dialects (`reference/open311_checklist.md`, `docs/open311.md`), and turns them into
//! the service's use cases and back. Has no rule of a case of its own, and fetches nothing that a client points to.
//!
//! - `answer`: one tree from which both XML and JSON are written; faults.
//! - `parameters`: what was sent: query, form, multipart. `asked`: a request as every resource meets it.
//! - `discovery`, `services`, `requests`, `report`, `updates`: the resources. `cursors`: where pages begin.
//! - `words`: our states and events in the words of the outside.

mod answer;
mod asked;
mod cursors;
mod discovery;
mod parameters;
mod report;
mod requests;
mod services;
mod updates;
mod words;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::Request,
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};

use answer::{Asking, Fault, Format};
use asked::Asked;

use crate::{App, limits::Face, routes::Routes};

/// Faults are written in the format and the language that a request asks for.
pub(crate) const FACE: Face = Face {
    under: "/open311",
    shape: |app, request| {
        let asking = Asking::of(app, request);
        Box::new(move |answer, _| asking.finish(answer))
    },
};

/// The resources under `/open311`.
pub(crate) fn routes() -> Routes {
    let mut routes = Routes::new()
        .route("/", get(listing))
        .route("/v2/services/{*file}", get(services::definition))
        .route("/v2/requests/{*file}", get(requests::one))
        .route("/v2/tokens/{*file}", get(requests::token));
    for format in Format::ALL {
        let ending = format.extension();
        routes = routes
            .route(&format!("/discovery.{ending}"), get(discovery::discovery))
            .route(&format!("/v2/services.{ending}"), get(services::list))
            .route(
                &format!("/v2/requests.{ending}"),
                get(requests::list).merge(post(report::report)),
            )
            .route(
                &format!("/v2/servicerequestupdates.{ending}"),
                get(updates::list).merge(post(updates::take)),
            );
    }
    routes
}

/// The resources, with what is said for those that are not there.
pub(crate) fn router() -> Router<App> {
    routes()
        .into_router()
        .fallback(async || Fault::not_found("open311-not-listed", &[]))
        .method_not_allowed_fallback(async || {
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "open311-method", &[])
        })
        .layer(middleware::from_fn(for_all_readers))
        .layer(Extension(Arc::new(cursors::Cursors::default())))
}

/// Lets pages of other sites read (and only read), and tells caches that another reader may get another language.
async fn for_all_readers(request: Request, next: Next) -> Response {
    const READS: &str = "GET, HEAD";
    let reads = match *request.method() {
        Method::OPTIONS => request
            .headers()
            .get(header::ACCESS_CONTROL_REQUEST_METHOD)
            .is_none_or(|method| method == "GET" || method == "HEAD"),
        ref method => method == Method::GET || method == Method::HEAD,
    };
    let mut answer = if request.method() == Method::OPTIONS {
        let kept = [
            (header::ACCESS_CONTROL_ALLOW_METHODS, READS),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ];
        (StatusCode::NO_CONTENT, kept).into_response()
    } else {
        next.run(request).await
    };
    answer
        .headers_mut()
        .append(header::VARY, HeaderValue::from_static("accept-language"));
    if reads {
        let anyone = HeaderValue::from_static("*");
        answer
            .headers_mut()
            .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    }
    answer
}

/// What a person sees who opens the address.
async fn listing(asked: Asked) -> Response {
    let base = asked.base();
    let mut text = format!(
        "Open311 GeoReport v2\n\nSpecification  http://wiki.open311.org/GeoReport_v2\nEndpoint       {base}/open311/v2\n\n"
    );
    for (method, path) in [
        ("GET ", "discovery"),
        ("GET ", "v2/services"),
        ("GET ", "v2/services/SERVICE_CODE"),
        ("GET ", "v2/requests"),
        ("POST", "v2/requests"),
        ("GET ", "v2/requests/SERVICE_REQUEST_ID"),
        ("GET ", "v2/tokens/TOKEN"),
        ("GET ", "v2/servicerequestupdates"),
        ("POST", "v2/servicerequestupdates"),
    ] {
        text.extend([method, "  ", &base, "/open311/", path, ".xml  .json\n"]);
    }
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}
