//! What goes wrong, in the one shape of the JSON API.
//!
//! A handler answers a [`Problem`]; [`in_shape`] writes it out once the request's id is known, and dresses what the
//! limits or the router said by themselves in the same shape.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;
use whistle_domain::{command::Refusal, whistle::command as whistle};
use whistle_service::Error;

use super::wire::{case::EventLog, whistle::WhistleLog};
use crate::status;

/// The result of a handler.
pub(crate) type Result<T, E = Problem> = std::result::Result<T, E>;

/// Why a request was not done.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The service says no.
    Service(Error),
    /// Somebody else changed the case or whistle meanwhile.
    Stale {
        /// In the service's words.
        error: Error,
        /// The version it has now.
        version: u32,
        /// What happened since.
        changes: Changes,
    },
    /// The request itself cannot be read.
    Request {
        /// The status.
        status: StatusCode,
        /// The stable word.
        code: &'static str,
        /// What is wrong and what would be right.
        message: String,
        /// Which field, parameter or header.
        field: Option<String>,
    },
}

impl Problem {
    /// A request that cannot be read.
    pub(crate) fn bad(
        code: &'static str,
        field: impl Into<Option<String>>,
        message: impl Into<String>,
    ) -> Self {
        Self::Request {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            field: field.into(),
        }
    }

    /// A value that a field or parameter cannot have.
    pub(crate) fn value(field: &str, message: impl Into<String>) -> Self {
        Self::bad("invalid", field.to_owned(), message)
    }

    /// A thing that is not there, or that the asker may not know of.
    pub(crate) fn not_found(what: &'static str, id: impl ToString) -> Self {
        let id = id.to_string();
        Self::Service(Error::NotFound { what, id })
    }

    /// A pick-up code that opens no case. A wrong number looks the same.
    pub(crate) fn code(error: Error) -> Self {
        match error {
            Error::NotFound { .. } => Self::Request {
                status: StatusCode::UNAUTHORIZED,
                code: "wrong_code",
                message: "this pick-up code is of no report of a case with this number".to_owned(),
                field: Some("X-Pickup-Code".to_owned()),
            },
            other => other.into(),
        }
    }

    /// Credentials of several who could be asking, each of them good.
    pub(crate) fn several_callers(header: &str) -> Self {
        let message = "these credentials are of different callers; send those of one: an API key, a session's token \
                       or a pick-up code (which may come with an API key)";
        Self::bad("several_callers", header.to_owned(), message)
    }

    /// Something that only staff may say.
    pub(crate) fn staff_only(field: &str) -> Self {
        Self::Request {
            status: StatusCode::FORBIDDEN,
            code: "staff_only",
            message: format!("only staff who are signed in may say {field:?}"),
            field: Some(field.to_owned()),
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            // Open311 wants 403 for a bad key; here, as everywhere else, missing or wrong credentials are 401.
            Self::Service(Error::BadKey(_)) => StatusCode::UNAUTHORIZED,
            Self::Service(error) | Self::Stale { error, .. } => status::status_of(error),
            Self::Request { status, .. } => *status,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::Service(refusal.into())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut answer = self.status().into_response();
        answer.extensions_mut().insert(Arc::new(self));
        answer
    }
}

/// What every error looks like.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"error": {
    "code": "not_found", "message": "there is no case \"99\" here", "request_id": "18f2a6c3b1d-2a"
}}))]
pub(crate) struct ErrorAnswer {
    error: ErrorBody,
}

/// What was wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ErrorBody {
    /// A stable word for machines, such as `not_found`, `stale`, `unknown_field`, `busy`.
    code: &'static str,
    /// A sentence for people: what was wrong, and what would be right.
    message: String,
    /// Which field, parameter or header was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// The request's id; operators find it in their log.
    request_id: String,
    /// With `stale`: the version that the case or whistle has now.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// With `stale`: what happened since the version that was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
}

/// What happened to a case or whistle since it was seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Changes {
    /// To a case, as who asks may see it.
    Case(EventLog),
    /// To a whistle.
    Whistle(WhistleLog),
}

/// Gives an error answer of `/api/v1` its body. Leaves every other answer as it is.
pub(crate) fn in_shape(mut answer: Response, request_id: &str) -> Response {
    let status = answer.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return answer;
    }
    let problem = answer.extensions_mut().remove::<Arc<Problem>>();
    let mut body = ErrorBody {
        code: word_of(status),
        message: sentence_of(status).to_owned(),
        field: None,
        request_id: request_id.to_owned(),
        version: None,
        changes: None,
    };
    let mut retry_after = None;
    match problem.map(Arc::try_unwrap) {
        Some(Ok(Problem::Service(error))) => {
            body.code = error.word();
            body.message = status::message_of(&error, request_id);
            body.field = field_of(&error);
            retry_after = status::retry_after(&error);
        }
        Some(Ok(Problem::Stale {
            error,
            version,
            changes,
        })) => {
            body.code = error.word();
            body.message = error.to_string();
            body.field = Some("seen".to_owned());
            body.version = Some(version);
            body.changes = Some(changes);
        }
        Some(Ok(Problem::Request {
            code, message, field, ..
        })) => {
            body.code = code;
            body.message = message;
            body.field = field;
        }
        Some(Err(_)) | None => {}
    }
    let text = serde_json::to_vec(&ErrorAnswer { error: body }).unwrap_or_default();
    let headers = answer.headers_mut();
    headers.remove(header::CONTENT_ENCODING);
    headers.insert(header::CONTENT_LENGTH, text.len().into());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(after) = retry_after {
        headers.insert(header::RETRY_AFTER, after.as_secs().max(1).into());
    } else if status == StatusCode::SERVICE_UNAVAILABLE {
        headers
            .entry(header::RETRY_AFTER)
            .or_insert(HeaderValue::from_static("1"));
    }
    *answer.body_mut() = Body::from(text);
    answer
}

/// The field that an error of the service is about.
fn field_of(error: &Error) -> Option<String> {
    let field = match error {
        Error::Invalid { field, .. } => field,
        Error::BadPhoto(_) | Error::NotFound { what: "photo", .. } => "photo",
        Error::WhichJurisdiction(_) => "jurisdiction_id",
        Error::KeyReused => "Idempotency-Key",
        Error::BadCode | Error::CodeNeeded => "code",
        Error::BreachedPassword | Error::SamePassword => "password",
        Error::Refused(refusal) => match refusal {
            Refusal::UnknownService(_) | Refusal::IsGroup(_) | Refusal::NotPublic(_) => "service",
            Refusal::UnknownStandard(_) | Refusal::MayNotNameStandard => "standard",
            Refusal::UnknownUnit(_) | Refusal::NoLead => "unit",
            Refusal::UnknownArea(_) => "area",
            Refusal::OutsidePlace { .. } => "point",
            Refusal::NoDescription => "description",
            Refusal::TooManyPhotos => "photos",
            Refusal::NotAnOutcomeOfWork(_) => "outcome",
            Refusal::MergedIntoItself | Refusal::OriginalMerged(_) | Refusal::OtherClass => "into",
            Refusal::BadChoices => "choices",
            Refusal::NotAChoice => "choice",
            Refusal::NoSuchReport(_) => "report",
            Refusal::ParkDate(_) | Refusal::AskDate(_) => "until",
            Refusal::OnlyPostsFix => "fixed",
            Refusal::TextTooLong { .. } => "text",
            Refusal::BadAnswer { question, .. } => return Some(format!("answers.{question}")),
            _ => return None,
        },
        Error::Whistle(refusal) => match refusal {
            whistle::Refusal::UnknownKind(_) => "kind",
            whistle::Refusal::UnknownUnit(_)
            | whistle::Refusal::HowManyUnits
            | whistle::Refusal::CallsItself => "units",
            whistle::Refusal::NotCalled(_) => "unit",
            whistle::Refusal::HowManyCases
            | whistle::Refusal::CaseElsewhere(_)
            | whistle::Refusal::CaseClosed(_) => "cases",
            whistle::Refusal::LeadNotCalled => "lead",
            whistle::Refusal::MeetTime => "meet_at",
            whistle::Refusal::MadeTime => "made_at",
            whistle::Refusal::TooManyDuties | whistle::Refusal::BadDuty(_) => "duties",
            whistle::Refusal::TextTooLong { .. } => "text",
            _ => return None,
        },
        _ => return None,
    };
    Some(field.to_owned())
}

fn word_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "media_type",
        StatusCode::TOO_MANY_REQUESTS => "too_many_requests",
        StatusCode::SERVICE_UNAVAILABLE => "busy",
        s if s.is_server_error() => "internal",
        _ => "bad_request",
    }
}

fn sentence_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "there is nothing at this address; /api/v1/openapi.json lists what there is",
        StatusCode::METHOD_NOT_ALLOWED => {
            "this address does not take this method; the Allow header says which"
        }
        StatusCode::PAYLOAD_TOO_LARGE => "the body is too large",
        StatusCode::TOO_MANY_REQUESTS => "too many requests from your address; slow down",
        StatusCode::SERVICE_UNAVAILABLE => "too much at once, or it took too long; try again soon",
        s if s.is_server_error() => "something went wrong here; tell the operator the request_id",
        _ => "this request cannot be read",
    }
}
