//! The OpenAPI document: made from the handlers and the wire's types, with what every operation has in common added.

use axum::{http::header, response::IntoResponse};
use bytes::Bytes;
use utoipa::{
    OpenApi,
    openapi::{
        Content, OpenApi as Document, Ref, RefOr, Response, ResponseBuilder,
        path::Operation,
        schema::{AdditionalProperties, Schema},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use std::sync::LazyLock;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Whistle",
        version = "1",
        description = "The native API of Whistle, a municipal case service: reports, cases, their events and the \
            place they lie in.\n\n\
            **Who asks**: anyone; another system by API key (`Authorization: Bearer whk_…` or `X-Api-Key`); staff by \
            session (`Authorization: Bearer TOKEN` from `POST /sessions`; a script of Whistle's own pages sends the \
            session's cookie, with the token of the page's forms in `X-Form-Token`); a reporter by pick-up code \
            (`X-Pickup-Code`).\n\n\
            **Lists** are pages by keyset: send `next` of a page as `after` until there is none.\n\n\
            **Errors** have one shape, `{\"error\": {\"code\", \"message\", \"field\", \"request_id\"}}`; `code` is \
            stable. Unknown fields and parameters are refused.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT")
    ),
    servers((url = "/api/v1")),
    tags(
        (name = "place", description = "The place: areas, units, services, standards, the table of transitions."),
        (name = "reports", description = "Telling of a matter."),
        (name = "cases", description = "Cases: listed, read, acted upon."),
        (name = "whistles", description = "Whistles: calls of several units together; blown, listed, read, acted upon."),
        (name = "rounds", description = "Rounds: places to look at, and when each was last seen."),
        (name = "figures", description = "Indicators: declared formulas, what they come to, and the rows behind them."),
        (name = "sessions", description = "Staff signing in and out."),
    ),
    components(schemas(super::error::ErrorAnswer, super::wire::Cursor, super::wire::Code, super::wire::PhotoId, super::wire::Time, super::wire::Stage, super::wire::Channel, super::wire::indicator::Compared))
)]
struct Base;

/// What the handlers' routes are added to.
pub(crate) fn base() -> Document {
    let mut document = Base::openapi();
    let components = document.components.get_or_insert_with(Default::default);
    let bearer = |says: &str| {
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .description(Some(says))
                .build(),
        )
    };
    let header = |name: &str, says: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, says)))
    };
    components.add_security_scheme("session", bearer("A session's token, from `POST /sessions`."));
    let says =
        "An API key, made with `whistle key add`. It may be sent as `Authorization: Bearer whk_…` too.";
    components.add_security_scheme("api_key", header("X-Api-Key", says));
    let says = "The pick-up code of a report, as on the receipt.";
    components.add_security_scheme("pickup_code", header("X-Pickup-Code", says));
    document
}

/// Adds what every operation has in common.
pub(crate) fn finish(document: &mut Document) {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            add_errors(operation);
        }
    }
    for name in ["Act", "WhistleAct"] {
        if let Some(components) = &mut document.components
            && let Some(RefOr::T(Schema::OneOf(acts))) = components.schemas.get_mut(name)
        {
            for act in &mut acts.items {
                if let RefOr::T(Schema::Object(act)) = act {
                    act.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
                }
            }
        }
    }
}

fn add_errors(operation: &mut Operation) {
    let mut common = vec![
        (
            "400",
            "The request cannot be read, or a value is not what it must be.",
        ),
        ("404", "There is no such thing, or the asker may not know of it."),
        ("429", "Too many requests from this address; see Retry-After."),
        (
            "500",
            "Something went wrong here; operators find the request_id in their log.",
        ),
        ("503", "Too much at once; see Retry-After."),
        ("507", "The server has no room left; nothing was kept."),
    ];
    if operation.security.is_some() {
        common.push(("401", "The credentials are missing, wrong or over."));
    }
    if operation.request_body.is_some() {
        common.push(("413", "The body is too large."));
        common.push(("415", "The body has another media type than this address takes."));
    }
    for (status, says) in common {
        let responses = &mut operation.responses.responses;
        responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(error(says)));
    }
}

fn error(says: &str) -> Response {
    let schema = Ref::from_schema_name("ErrorAnswer");
    ResponseBuilder::new()
        .description(says)
        .content("application/json", Content::new(Some(schema)))
        .build()
}

static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| {
    let mut document = super::routes().into_openapi();
    finish(&mut document);
    serde_json::to_vec_pretty(&document).unwrap_or_default().into()
});

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "place", operation_id = "get_openapi",
    responses((status = 200, body = Object, description = "OpenAPI 3.1.")))]
pub(crate) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.clone())
}
