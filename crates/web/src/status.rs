//! Which HTTP status an error of the service has, and what an unexpected one shows.

use std::time::Duration;

use axum::http::StatusCode;
use whistle_domain::{command::Refusal, whistle::command as whistle};
use whistle_service::Error;

/// The status of an error.
pub(crate) fn status_of(error: &Error) -> StatusCode {
    match error {
        Error::Refused(refusal) => status_of_refusal(refusal),
        Error::Whistle(refusal) => match refusal {
            whistle::Refusal::Stale { .. }
            | whistle::Refusal::WrongStage { .. }
            | whistle::Refusal::WrongCall { .. } => StatusCode::CONFLICT,
            whistle::Refusal::NotAllowed(_) => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        },
        Error::NotFound { .. } => StatusCode::NOT_FOUND,
        Error::WhichJurisdiction(_)
        | Error::Invalid { .. }
        | Error::BadPhoto(_)
        | Error::BreachedPassword
        | Error::SamePassword => StatusCode::BAD_REQUEST,
        Error::BadKey(_)
        | Error::MissingScope(_)
        | Error::Forbidden
        | Error::MustChangePassword
        | Error::MustEnrol => StatusCode::FORBIDDEN,
        Error::SignedOut | Error::BadPassword | Error::BadCode | Error::CodeNeeded => {
            StatusCode::UNAUTHORIZED
        }
        Error::KeyReused | Error::Faults(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::TooManyTries(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::Full => StatusCode::INSUFFICIENT_STORAGE,
        Error::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::Store(_) | Error::Io { .. } => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn status_of_refusal(refusal: &Refusal) -> StatusCode {
    match refusal {
        Refusal::Stale { .. } | Refusal::WrongStage { .. } => StatusCode::CONFLICT,
        Refusal::NotAllowed(_)
        | Refusal::MayNotReport
        | Refusal::MayNotNameStandard
        | Refusal::FixerCannotVerify
        | Refusal::LeadMustDecide(_) => StatusCode::FORBIDDEN,
        Refusal::UnknownService(_) => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// What the asker reads: the error's own words when they were made for them; for an unexpected one only that it
/// happened, after it was logged once under the request's id.
pub(crate) fn message_of(error: &Error, request_id: &str) -> String {
    match error {
        Error::Store(_) | Error::Io { .. } => {
            tracing::error!(request_id, %error, "a request failed");
            format!("something went wrong here; tell the operator this number: {request_id}")
        }
        other => other.to_string(),
    }
}

/// After which time to try again, for a `Retry-After` header.
pub(crate) fn retry_after(error: &Error) -> Option<Duration> {
    match error {
        Error::Busy(after) | Error::TooManyTries(after) => Some(*after),
        _ => None,
    }
}
