//! What every page knows: the place by the host name, the reader's language, the time, the cookies.

use std::{
    str::FromStr,
    sync::{Arc, OnceLock},
};

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use jiff::Timestamp;
use whistle_domain::{rights, words::Lang};
use whistle_service::{Here, account::SignedIn};

use super::{door, fault, fault::Fault, words::Words};
use crate::{App, limits::RequestId};

/// What every page knows. Cloning is cheap.
#[derive(Clone)]
pub(crate) struct Page {
    /// The use cases.
    pub(crate) app: App,
    /// The place.
    pub(crate) here: Here,
    /// The catalogue in the reader's language.
    pub(crate) words: Words,
    /// The time of the request.
    pub(crate) now: Timestamp,
    /// Whether the request came over https.
    pub(crate) secure: bool,
    /// Who is signed in; known on staff pages only.
    pub(crate) signed: Option<Arc<SignedIn>>,
    /// The token that the session's forms carry; empty when nobody is signed in.
    pub(crate) form_token: String,
    /// The same two for whoever has this page too: the one that a fault is shown on is made before anybody is known.
    known: Arc<OnceLock<(Arc<SignedIn>, String)>>,
    pub(crate) request_id: String,
    address: String,
    host: String,
    pub(crate) cookies: Vec<(String, String)>,
}

/// How long the chosen language is remembered, in seconds: a year.
const LANGUAGE_LASTS: u32 = 365 * 24 * 3600;

impl Page {
    fn of(app: &App, request: &Request) -> Option<Self> {
        let headers = request.headers();
        let host = text(headers, header::HOST).unwrap_or_default();
        let here = app.whistle.places().by_host(host)?.clone();
        let cookies = door::cookies(headers);
        let asked = query_value(request, "lang").and_then(|l| Lang::from_str(&l).ok());
        let kept = || {
            let kept = cookies.iter().find(|(name, _)| name == door::LANGUAGE)?;
            Lang::from_str(&kept.1).ok()
        };
        let lang = asked
            .or_else(kept)
            .or_else(|| accepted(text(headers, header::ACCEPT_LANGUAGE)?))
            .or_else(|| here.place.jurisdiction.languages.first().copied())
            .unwrap_or_default();
        let id = request.extensions().get::<RequestId>();
        Some(Self {
            secure: is_secure(app, headers),
            now: app.whistle.now(),
            words: Words(lang),
            signed: None,
            form_token: String::new(),
            known: Arc::default(),
            request_id: id.map(|id| id.0.clone()).unwrap_or_default(),
            address: address_without_language(request),
            host: host.to_owned(),
            app: app.clone(),
            here,
            cookies,
        })
    }

    /// Makes it the page of who is signed in.
    pub(crate) fn sign(&mut self, signed: Arc<SignedIn>, token: &str) {
        self.form_token = self.app.whistle.form_token(token);
        // One request has one session.
        let _ = self.known.set((signed.clone(), self.form_token.clone()));
        self.signed = Some(signed);
    }

    /// The page for a fault: signed in as whoever the request was known to come from.
    async fn for_fault(mut self, fault: &Fault) -> Self {
        if let Some((signed, token)) = self.known.get().cloned() {
            (self.signed, self.form_token) = (Some(signed), token);
        } else if matches!(fault, Fault::NoSuchPage | Fault::Forged)
            && self.address.starts_with("/staff")
            && let Some(token) = door::session(&self).map(str::to_owned)
            && let Ok(signed) = self.app.whistle.signed_in(&self.here, &token).await
        {
            // No page of the staff's looked at the session.
            self.sign(Arc::new(signed), &token);
        }
        self
    }

    /// Whether who is signed in may take a report.
    pub(crate) fn may_report(&self) -> bool {
        let may = |signed: &Arc<SignedIn>| rights::may_report(&signed.actor, &self.here.place);
        self.signed.as_ref().is_some_and(may)
    }

    /// Whether who is signed in keeps accounts.
    pub(crate) fn may_administer(&self) -> bool {
        let may = |signed: &Arc<SignedIn>| rights::may_administer(&signed.actor, &self.here.place);
        self.signed.as_ref().is_some_and(may)
    }

    /// The reader's language.
    pub(crate) const fn lang(&self) -> Lang {
        self.words.0
    }

    /// The language code for `lang=""`.
    pub(crate) const fn language(&self) -> &'static str {
        match self.words.0 {
            Lang::Zh => "zh-Hans",
            Lang::En => "en",
        }
    }

    /// The language that the switch offers: its code and its name in itself.
    pub(crate) const fn other_language(&self) -> (&'static str, &'static str) {
        match self.words.0 {
            Lang::Zh => ("en", "English"),
            Lang::En => ("zh", "中文"),
        }
    }

    /// The address of this page in the other language.
    pub(crate) fn switch(&self) -> String {
        let joint = if self.address.contains('?') { '&' } else { '?' };
        format!("{}{joint}lang={}", self.address, self.other_language().0)
    }

    /// The address of this page, without the language.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The address under which the reader reaches this install.
    pub(crate) fn base(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        let own = self.app.settings.base_url.clone();
        own.unwrap_or_else(|| format!("{scheme}://{}", self.host))
    }

    /// See [`Words::t`].
    pub(crate) fn t(&self, key: &str) -> String {
        self.words.t(key)
    }

    /// See [`Words::n`].
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    pub(crate) fn n(&self, key: &str, n: &i64) -> String {
        self.words.n(key, *n)
    }

    /// See [`Words::x`].
    pub(crate) fn x(&self, key: &str, x: &str) -> String {
        self.words.x(key, x)
    }

    /// See [`Words::of`].
    pub(crate) fn of_kind(&self, kind: &str, word: &str) -> String {
        self.words.of(kind, word)
    }

    /// The address of an asset.
    #[expect(clippy::unused_self, reason = "templates reach functions through the page")]
    pub(crate) fn asset(&self, name: &str) -> &'static str {
        super::assets::address(name)
    }

    /// The name of the place.
    pub(crate) fn place_name(&self) -> &str {
        self.here.place.jurisdiction.name.get(self.lang())
    }

    /// A point in the place, as an example of how coordinates are written.
    pub(crate) fn example_point(&self) -> String {
        let areas = self.here.place.areas.all();
        let point = areas.first().map(|city| city.shape.inside_point());
        point.map_or_else(String::new, |p| format!("{:.4}, {:.4}", p.lat, p.lon))
    }

    /// How the public reaches the place otherwise.
    pub(crate) fn contact(&self) -> &str {
        self.here.place.jurisdiction.contact.get(self.lang())
    }

    /// The value of a cookie.
    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, value)| value.as_str())
    }

    /// Renders a template as this page. What is rendered for one reader is kept by nobody else.
    pub(crate) fn render(&self, template: &impl Template) -> Result<Response, Fault> {
        self.render_as(StatusCode::OK, template)
    }

    /// The same with a status.
    pub(crate) fn render_as(&self, status: StatusCode, template: &impl Template) -> Result<Response, Fault> {
        Ok((status, Html(self.text(template)?)).into_response())
    }

    /// The text of a template.
    pub(crate) fn text(&self, template: &impl Template) -> Result<String, Fault> {
        template.render().map_err(|error| {
            tracing::error!(request_id = self.request_id, %error, "a template failed");
            Fault::Broken
        })
    }
}

impl<S: Sync> FromRequestParts<S> for Page {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or(Fault::Broken)
    }
}

/// Around every page: refuses forged posts, makes the [`Page`], keeps the chosen language, and turns a [`Fault`] into
/// a page.
pub(crate) async fn dress(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Some(page) = Page::of(&app, &request) else {
        return (StatusCode::SERVICE_UNAVAILABLE, "no place is in force here yet\n").into_response();
    };
    let chosen = query_value(&request, "lang").and_then(|l| Lang::from_str(&l).ok());
    let mut answer = if is_forged(&app, &request) {
        Fault::Forged.into_response()
    } else {
        request.extensions_mut().insert(page.clone());
        next.run(request).await
    };
    if let Some(fault) = answer.extensions_mut().remove::<Arc<Fault>>() {
        let headers = std::mem::take(answer.headers_mut());
        answer = fault::page(&page.clone().for_fault(&fault).await, &fault);
        for (name, value) in headers.iter().filter(|(name, _)| *name == header::SET_COOKIE) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    // An asset or a tile is the same for every reader.
    let said = answer.headers().get(header::CACHE_CONTROL);
    if said.is_some_and(|said| said.as_bytes().starts_with(b"public")) {
        return answer;
    }
    if let Some(lang) = chosen {
        let cookie = door::set(door::LANGUAGE, lang.as_str(), LANGUAGE_LASTS, page.secure);
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    let headers = answer.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("accept-language, cookie"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private, no-store"));
    answer
}

/// Whether another site's page made the browser post this (OWASP: Fetch metadata, else the origin).
fn is_forged(app: &App, request: &Request) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let headers = request.headers();
    if let Some(site) = text(headers, "sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(headers, header::ORIGIN) else {
        return false;
    };
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let own = app.settings.base_url.as_deref();
    Some(origin) != own && text(headers, header::HOST) != Some(host)
}

pub(crate) fn is_secure(app: &App, headers: &HeaderMap) -> bool {
    let base = app.settings.base_url.as_deref();
    base.is_some_and(|b| b.starts_with("https://")) || text(headers, "x-forwarded-proto") == Some("https")
}

fn text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The languages that we speak, in the order of the reader's liking.
pub(crate) fn accepted(header: &str) -> Option<Lang> {
    let mut wanted: Vec<(f32, Lang)> = header
        .split(',')
        .take(20)
        .filter_map(|one| {
            let (tag, rest) = one.trim().split_once(';').unwrap_or((one.trim(), ""));
            let quality = rest
                .trim()
                .strip_prefix("q=")
                .map_or(Some(1.0), |q| q.parse().ok())?;
            Some((quality, Lang::from_str(tag).ok()?))
        })
        .filter(|(quality, _)| *quality > 0.0)
        .collect();
    wanted.sort_by(|a, b| b.0.total_cmp(&a.0));
    wanted.first().map(|(_, lang)| *lang)
}

fn pairs(request: &Request) -> Vec<(String, String)> {
    axum::extract::Query::try_from_uri(request.uri())
        .map(|q| q.0)
        .unwrap_or_default()
}

fn query_value(request: &Request, name: &str) -> Option<String> {
    pairs(request)
        .into_iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value)
}

/// Path and query without `lang`, for links back to this page.
fn address_without_language(request: &Request) -> String {
    let rest: Vec<_> = pairs(request)
        .into_iter()
        .filter(|(name, _)| name != "lang")
        .collect();
    super::form::with_query(request.uri().path(), &rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_that_the_reader_likes_best_is_taken() {
        assert_eq!(accepted("de, en;q=0.5, zh-CN;q=0.8"), Some(Lang::Zh));
        assert_eq!(accepted("en-GB,en;q=0.9"), Some(Lang::En));
        assert_eq!(accepted("fr, zh;q=0"), None);
        assert_eq!(accepted("zh;q=x"), None);
    }
}
