//! A request as every resource meets it: the install, the format, what was asked, in which language.

use std::borrow::Cow;

use axum::{
    extract::{FromRequestParts, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::Response,
};
use jiff::{Timestamp, tz::TimeZone};
use whistle_domain::{
    case::Actor,
    place::{Place, Service},
    rights::Scope,
    words::Lang,
};
use whistle_service::{Error, Here};

use super::{
    answer::{Fault, Faults, Format, Node, quoted, write},
    parameters::Parameters,
};
use crate::{App, limits::RequestId, pages::page::accepted};

/// What was asked, without the body.
pub(super) struct Asked {
    pub(super) app: App,
    pub(super) format: Format,
    pub(super) query: Parameters,
    /// What the client calls this attempt, so that a retry is known as one.
    pub(super) idempotency_key: Option<String>,
    key: Option<String>,
    spoken: Option<Lang>,
    host: String,
    request_id: String,
}

impl FromRequestParts<App> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let text = |name: &str| parts.headers.get(name)?.to_str().ok().map(str::to_owned);
        let named = host(&parts.headers).map(str::to_owned);
        let host = named.or_else(|| parts.uri.authority().map(ToString::to_string));
        let request_id = parts.extensions.get::<RequestId>();
        Ok(Self {
            app: app.clone(),
            format: Format::asked(parts.uri.path()),
            query: Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()),
            idempotency_key: text("idempotency-key"),
            key: text("x-api-key"),
            spoken: spoken(&parts.headers),
            host: host.unwrap_or_default(),
            request_id: request_id.map_or_else(|| "unknown".to_owned(), |id| id.0.clone()),
        })
    }
}

impl Asked {
    /// The address under which the public reaches us, without a slash at the end.
    pub(super) fn base(&self) -> Cow<'_, str> {
        match &self.app.settings.base_url {
            Some(base) => base.trim_end_matches('/').into(),
            None => format!("http://{}", self.host).into(),
        }
    }

    /// The jurisdiction that is named; the only one when none is.
    pub(super) fn here(&self, parameters: &Parameters) -> Result<Here, Faults> {
        let places = self.app.whistle.places();
        let named = places.named(parameters.one("jurisdiction_id"));
        named.cloned().map_err(|error| self.faults(&error))
    }

    /// The jurisdiction of the address, where none is named: for what is asked before anything is known.
    pub(super) fn here_by_host(&self) -> Result<Here, Faults> {
        if self.query.one("jurisdiction_id").is_some() {
            return self.here(&self.query);
        }
        let places = self.app.whistle.places();
        let none = || Fault::not_found("open311-no-place", &[]).into();
        places.by_host(&self.host).cloned().ok_or_else(none)
    }

    /// The API key, from the body, the query or a header. Never logged. Of two that differ nobody knows who asks.
    pub(super) fn key<'a>(&'a self, parameters: &'a Parameters) -> Result<Option<&'a str>, Fault> {
        let header = self.key.as_deref().map(str::trim).filter(|key| !key.is_empty());
        let mut keys = parameters.every("api_key").chain(header);
        let first = keys.next();
        if keys.any(|other| Some(other) != first) {
            return Err(Fault::new(StatusCode::FORBIDDEN, "open311-two-keys", &[]));
        }
        Ok(first)
    }

    /// The client of the API key, which must be there and good for updates.
    pub(super) async fn client(&self, here: &Here, parameters: &Parameters) -> Result<Actor, Faults> {
        let Some(key) = self.key(parameters)? else {
            return Err(Fault::new(StatusCode::FORBIDDEN, "open311-key-needed", &[]).into());
        };
        let client = self.done(self.app.whistle.client(here, key).await)?;
        self.done(client.actor(Scope::Update))
    }

    /// The language that is asked for with `locale`, else by the headers; else the place's own.
    pub(super) fn language(&self, place: &Place, parameters: &Parameters) -> Lang {
        locale(parameters)
            .or(self.spoken)
            .or_else(|| place.jurisdiction.languages.first().copied())
            .unwrap_or_default()
    }

    /// What the service answers, or its error as faults.
    pub(super) fn done<T>(&self, result: Result<T, Error>) -> Result<T, Faults> {
        result.map_err(|error| self.faults(&error))
    }

    fn faults(&self, error: &Error) -> Faults {
        Faults::of(error, &self.request_id)
    }

    /// The answer, in the asked format.
    pub(super) fn answer(&self, root: &str, node: &Node<'_>) -> Response {
        write(self.format, StatusCode::OK, root, node)
    }
}

/// The language that is asked for with `locale`.
pub(super) fn locale(parameters: &Parameters) -> Option<Lang> {
    parameters.one("locale")?.parse().ok()
}

/// The language that a reader's program says they speak.
pub(super) fn spoken(headers: &HeaderMap) -> Option<Lang> {
    accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?)
}

/// The name under which we were reached.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// A service that residents may choose; any other does not exist here.
pub(super) fn public_service<'p>(place: &'p Place, code: &str) -> Result<&'p Service, Fault> {
    place
        .service(code)
        .filter(|service| service.public && !service.is_group())
        .ok_or_else(|| Fault::not_found("open311-no-service", &[("x", &quoted(code))]))
}

/// A time to the second, with the place's offset (B1).
pub(super) fn datetime(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned_datetime(zone.clone());
    local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What stands before the ending of a path's last part.
pub(super) fn stem(path: Result<axum::extract::Path<String>, PathRejection>) -> Result<String, Fault> {
    let unknown = || Fault::not_found("open311-no-resource", &[]);
    let axum::extract::Path(mut file) = path.map_err(|_| unknown())?;
    let format = Format::of_path(&file).ok_or_else(unknown)?;
    file.truncate(file.len() - format.extension().len() - 1);
    Ok(file)
}
