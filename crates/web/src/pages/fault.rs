//! What went wrong, as a page in the reader's language.

use std::sync::Arc;

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::Error;

use super::page::Page;
use crate::status;

/// Why a page could not be shown.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A use case failed or refused.
    Service(Error),
    /// There is no such page.
    NoSuchPage,
    /// A form was not sent by our own page, or its session is another.
    Forged,
    /// A form that no page of ours sends.
    Garbled,
    /// The request's body is too large.
    TooLarge,
    /// Too many tries.
    TooManyTries,
    /// Nobody is signed in; where to go on after signing in.
    SignIn(String),
    /// The account must have a password of its own first.
    MustChangePassword,
    /// The account must have a second factor first.
    MustEnrol,
    /// Something of ours is broken; it was logged.
    Broken,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl IntoResponse for Fault {
    /// Only carries the fault; `page::dress` makes the page.
    fn into_response(self) -> Response {
        let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        answer.extensions_mut().insert(Arc::new(self));
        answer
    }
}

/// Every address that leads nowhere.
pub(crate) async fn no_such_page() -> Fault {
    Fault::NoSuchPage
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage<'a> {
    p: &'a Page,
    title: String,
    message: String,
    unexpected: bool,
}

/// The page of a fault.
pub(crate) fn page(p: &Page, fault: &Fault) -> Response {
    if let Fault::SignIn(next) = fault {
        let query = [("next".to_owned(), next.clone())];
        return Redirect::to(&super::form::with_query("/staff/sign-in", &query)).into_response();
    }
    if let Fault::MustChangePassword = fault {
        return Redirect::to(super::staff::OWN_PASSWORD).into_response();
    }
    if let Fault::MustEnrol = fault {
        return Redirect::to(super::staff::ENROLMENT).into_response();
    }
    let (status, kind) = match fault {
        Fault::Service(error) => (status::status_of(error), "refused"),
        Fault::NoSuchPage => (StatusCode::NOT_FOUND, "no-page"),
        Fault::Forged => (StatusCode::FORBIDDEN, "forged"),
        Fault::Garbled => (StatusCode::BAD_REQUEST, "garbled"),
        Fault::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
        Fault::TooManyTries => (StatusCode::TOO_MANY_REQUESTS, "too-many-tries"),
        Fault::SignIn(_) | Fault::MustChangePassword | Fault::MustEnrol | Fault::Broken => {
            (StatusCode::INTERNAL_SERVER_ERROR, "broken")
        }
    };
    let title = match status {
        StatusCode::NOT_FOUND => p.t("fault-title-not-found"),
        s if s.is_server_error() => p.t("fault-title-broken"),
        _ => p.t("fault-title-refused"),
    };
    let message = match fault {
        Fault::Service(error) => {
            // Logs an unexpected one.
            status::message_of(error, &p.request_id);
            p.words.error(error)
        }
        _ => p.words.of("fault", kind),
    };
    let template = FaultPage {
        p,
        title,
        message,
        unexpected: status == StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut answer = p
        .render_as(status, &template)
        .unwrap_or_else(|_| status.into_response());
    let wait = match fault {
        Fault::Service(error) => status::retry_after(error).map(|after| after.as_secs().max(1)),
        Fault::TooManyTries => Some(10),
        _ => None,
    };
    if let Some(value) = wait.and_then(|wait| wait.to_string().parse().ok()) {
        answer.headers_mut().insert(header::RETRY_AFTER, value);
    }
    answer
}
