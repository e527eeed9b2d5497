//! What a request carries: the place, who asks, the parameters, the body. Each is bounded and checked here, once.

use axum::{
    body::Bytes,
    extract::{FromRef, FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::IntoResponse,
};
use serde::{Deserialize, de::DeserializeOwned};
use whistle_service::{
    Error, Here,
    account::{Client, SignedIn},
};

use super::error::{Problem, Result};
use crate::{
    App,
    pages::{door, page::is_secure},
};

/// The most bytes of a JSON body: every text in four-byte letters, and room.
pub(crate) const MAX_JSON: usize = 256 * 1024;

/// The place that a request is about: the one that `jurisdiction_id` names, or the only one.
pub(crate) struct At(pub(crate) Here);

impl<S> FromRequestParts<S> for At
where
    App: FromRef<S>,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        #[derive(Deserialize)]
        struct Named {
            jurisdiction_id: Option<String>,
        }
        let Query(named) = parse_query::<Named>(parts)?;
        let places = App::from_ref(state).whistle.places();
        Ok(Self(places.named(named.jurisdiction_id.as_deref())?.clone()))
    }
}

/// Who asks.
pub(crate) enum Caller {
    /// Anyone.
    Public,
    /// Another system, by its API key.
    Client(Client),
    /// A member of staff, by a session.
    Staff(Box<SignedIn>),
}

/// A request to a place by somebody. Credentials that are sent and not good are refused, even where none are needed and
/// whatever good one stands beside them.
pub(crate) struct Visit {
    /// The place.
    pub(crate) here: Here,
    /// Who asks.
    pub(crate) caller: Caller,
    /// A reporter's pick-up code, not yet compared with any case.
    pub(crate) code: Option<String>,
    /// The session's token.
    pub(crate) token: Option<String>,
}

impl Visit {
    /// The member of staff who asks, or the request to sign in.
    pub(crate) fn staff(&self) -> Result<&SignedIn> {
        self.staff_if_any().ok_or(Problem::Service(match self.caller {
            Caller::Client(_) => Error::Forbidden,
            _ => Error::SignedOut,
        }))
    }

    /// The member of staff who asks, if it is one.
    pub(crate) fn staff_if_any(&self) -> Option<&SignedIn> {
        match &self.caller {
            Caller::Staff(signed_in) => Some(signed_in),
            _ => None,
        }
    }
}

impl<S> FromRequestParts<S> for Visit
where
    App: FromRef<S>,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let At(here) = At::from_request_parts(parts, state).await?;
        let whistle = &App::from_ref(state).whistle;
        let Credentials {
            keys,
            mut token,
            code,
            form,
        } = Credentials::read(&parts.headers)?;
        if let Some(form) = form {
            if token.is_some() {
                return Err(Problem::several_callers(FORM_TOKEN));
            }
            token = Some(session_of_page(&App::from_ref(state), &parts.headers, &form)?);
        }
        // Each is tried before they are compared, so that a bad one is never hidden by a good one.
        let mut callers = Vec::with_capacity(1);
        for key in &keys {
            callers.push(Caller::Client(whistle.client(&here, key).await?));
        }
        if let Some(token) = &token {
            callers.push(Caller::Staff(Box::new(whistle.signed_in(&here, token).await?)));
        }
        let caller = callers.pop().unwrap_or(Caller::Public);
        if !callers.is_empty() {
            return Err(Problem::several_callers("Authorization"));
        }
        Ok(Self {
            here,
            caller,
            code,
            token,
        })
    }
}

/// A request that nobody may make without credentials: that is said before anything else is looked at.
pub(crate) struct Known(pub(crate) Visit);

impl<S> FromRequestParts<S> for Known
where
    App: FromRef<S>,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        if Credentials::read(&parts.headers)? == Credentials::default() {
            return Err(Error::SignedOut.into());
        }
        Visit::from_request_parts(parts, state).await.map(Self)
    }
}

/// By what a request says who asks.
#[derive(Debug, Default, PartialEq, Eq)]
struct Credentials {
    /// API keys; two when both headers bear one.
    keys: Vec<String>,
    /// A session's token.
    token: Option<String>,
    /// A reporter's pick-up code.
    code: Option<String>,
    /// The token of a page's forms, which makes the cookie of its session count.
    form: Option<String>,
}

/// The header in which a script of our own pages says which session it belongs to.
const FORM_TOKEN: &str = "x-form-token";

/// The token of the session that a page was made for. The cookie alone is nothing: another site's page could send it. And a page
/// of one session never acts in another, whoever signed in meanwhile.
fn session_of_page(app: &App, headers: &HeaderMap, form: &str) -> Result<String> {
    door::session_in(headers, is_secure(app, headers))
        .filter(|token| app.whistle.is_form_token(token, form))
        .ok_or(Problem::Service(Error::SignedOut))
}

impl Credentials {
    fn read(headers: &HeaderMap) -> Result<Self> {
        let mut sent = Self {
            keys: header_text(headers, "x-api-key")?.into_iter().collect(),
            token: None,
            code: header_text(headers, "x-pickup-code")?,
            form: header_text(headers, FORM_TOKEN)?,
        };
        if let Some(authorization) = header_text(headers, header::AUTHORIZATION.as_str())? {
            let bearer = authorization
                .split_once(' ')
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, value)| value.trim().to_owned())
                .ok_or(Problem::Service(Error::BadKey(
                    "write Authorization: Bearer TOKEN",
                )))?;
            if !bearer.starts_with("whk_") {
                sent.token = Some(bearer);
            } else if !sent.keys.contains(&bearer) {
                sent.keys.push(bearer);
            }
        }
        Ok(sent)
    }
}

/// A header's text; none when it is absent or empty. Sent twice, nobody could say which one was meant.
pub(crate) fn header_text(headers: &HeaderMap, name: &str) -> Result<Option<String>> {
    /// The most bytes of a header that we read.
    const LONGEST: usize = 1000;
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::value(
            name,
            "this header stands here twice; send it once",
        ));
    }
    let text = value
        .to_str()
        .ok()
        .filter(|text| text.len() <= LONGEST)
        .ok_or_else(|| Problem::value(name, "this header takes up to 1000 plain ASCII letters"))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// The parameters after the `?`.
pub(crate) struct Query<T>(pub(crate) T);

impl<S, T> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        parse_query(parts)
    }
}

fn parse_query<T: DeserializeOwned>(parts: &Parts) -> Result<Query<T>> {
    let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
    read.map(|query| Query(query.0)).map_err(|rejection| {
        let message = rejection.body_text();
        let message = message
            .strip_prefix("Failed to deserialize query string: ")
            .unwrap_or(&message);
        let (path, reason) = message.split_once(": ").unwrap_or(("", message));
        let path = path
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_')
            .then_some(path);
        unreadable("bad_parameter", path.unwrap_or_default(), in_plain_words(reason))
    })
}

/// What a parser of numbers says, as what would be right.
fn in_plain_words(reason: &str) -> &str {
    match reason {
        "cannot parse float from empty string" | "invalid float literal" => "write a number, such as 131.805",
        "cannot parse integer from empty string"
        | "invalid digit found in string"
        | "number too large to fit in target type" => "write a whole number, from 0 on and not huge",
        "provided string was not `true` or `false`" => "write true or false",
        other => other,
    }
}

/// A JSON body, strictly read.
pub(crate) struct Json<T>(pub(crate) T);

impl<S, T> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self> {
        let media_type = header_text(request.headers(), header::CONTENT_TYPE.as_str())?.unwrap_or_default();
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(wrong_media_type("send JSON, with Content-Type: application/json"));
        }
        let bytes = body(request, state, "JSON has at most 256 KiB here").await?;
        let mut reader = serde_json::Deserializer::from_slice(&bytes);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let path = if path == "." { String::new() } else { path };
            let inner = error.inner();
            if inner.is_data() {
                unreadable("bad_body", &path, &inner.to_string())
            } else {
                Problem::bad("bad_json", None, format!("this is no JSON: {inner}"))
            }
        })?;
        reader
            .end()
            .map_err(|error| Problem::bad("bad_json", None, format!("this is no JSON: {error}")))?;
        Ok(Self(value))
    }
}

/// The bytes of a body, up to the limit of its route, which `most` says.
pub(crate) async fn body<S: Send + Sync>(request: Request, state: &S, most: &str) -> Result<Bytes> {
    let read = Bytes::from_request(request, state).await;
    read.map_err(|rejection| too_large_or_broken(rejection.into_response().status(), most))
}

/// The problem behind a body that could not be received.
pub(crate) fn too_large_or_broken(status: StatusCode, most: &str) -> Problem {
    if status == StatusCode::PAYLOAD_TOO_LARGE {
        Problem::Request {
            status,
            code: "too_large",
            message: format!("the body is too large: {most}"),
            field: None,
        }
    } else {
        Problem::bad("bad_body", None, "the body did not arrive whole")
    }
}

pub(crate) fn wrong_media_type(message: &str) -> Problem {
    Problem::Request {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        code: "media_type",
        message: message.to_owned(),
        field: Some("Content-Type".to_owned()),
    }
}

/// Names the field in serde's words: at the end of the path, or in the message itself.
fn unreadable(code: &'static str, path: &str, reason: &str) -> Problem {
    let named = |lead: &str| {
        let rest = &reason[reason.find(lead)? + lead.len()..];
        rest.split_once('`').map(|(name, _)| name)
    };
    let (code, name) = if let Some(name) = named("unknown field `") {
        ("unknown_field", Some(name))
    } else if let Some(name) = named("missing field `") {
        ("missing_field", Some(name))
    } else {
        (code, named("duplicate field `"))
    };
    let field = match (path, name) {
        ("", None) => None,
        ("", Some(name)) => Some(name.to_owned()),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => {
            Some(format!("{path}.{name}"))
        }
        (path, _) => Some(path.to_owned()),
    };
    Problem::bad(code, field, reason)
}
