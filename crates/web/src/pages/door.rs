//! Cookies.

use axum::http::{HeaderMap, HeaderValue, header};
use whistle_domain::words::CaseNumber;

use super::page::Page;

/// The cookie of the chosen language.
pub(crate) const LANGUAGE: &str = "whistle_lang";

/// How long a reporter who gave number and code is known, in seconds: an hour.
const FOLLOWING_LASTS: u32 = 3600;

/// How long a browser keeps the cookie of a session, in seconds; the server ends it by its own clock.
const SESSION_LASTS: u32 = 12 * 3600;

/// The cookies of a request.
pub(crate) fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .take(50)
        .collect()
}

/// A `Set-Cookie` header. Values are ours: letters, digits, `-`, `_`, `.`.
pub(crate) fn set(name: &str, value: &str, seconds: u32, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// The cookie's name; over https with the prefix that makes browsers keep it to this host.
fn name(plain: &str, secure: bool) -> String {
    if secure {
        format!("__Host-{plain}")
    } else {
        plain.to_owned()
    }
}

/// The token of the session that a request carries.
pub(crate) fn session(page: &Page) -> Option<&str> {
    page.cookie(&name("whistle_session", page.secure))
        .filter(|token| !token.is_empty())
}

/// The same, of a request that is for no page.
pub(crate) fn session_in(headers: &HeaderMap, secure: bool) -> Option<String> {
    let wanted = name("whistle_session", secure);
    let found = cookies(headers).into_iter().find(|(name, _)| *name == wanted);
    found.map(|(_, token)| token).filter(|token| !token.is_empty())
}

/// The cookie that opens a session.
pub(crate) fn open_session(page: &Page, token: &str) -> HeaderValue {
    set(
        &name("whistle_session", page.secure),
        token,
        SESSION_LASTS,
        page.secure,
    )
}

/// The cookie that ends it.
pub(crate) fn close_session(page: &Page) -> HeaderValue {
    set(&name("whistle_session", page.secure), "", 0, page.secure)
}

/// How long a browser keeps what it shows at the end of a way to sign in, in seconds; the server ends it by its own clock.
const WAY_LASTS: u32 = 15 * 60;

/// By which this browser is known that began a way to sign in.
pub(crate) fn way(page: &Page) -> Option<&str> {
    page.cookie(&name("whistle_way", page.secure))
        .filter(|token| !token.is_empty())
}

/// The cookie that remembers it.
pub(crate) fn begin_way(page: &Page, token: &str) -> HeaderValue {
    set(&name("whistle_way", page.secure), token, WAY_LASTS, page.secure)
}

/// How long a browser knows that it is told of notices, in seconds: as long as browsers keep any cookie.
const DEVICE_LASTS: u32 = 400 * 24 * 3600;

/// By which this browser is known as a device that is told of notices.
pub(crate) fn device(page: &Page) -> Option<&str> {
    page.cookie(&name("whistle_device", page.secure))
        .filter(|token| !token.is_empty())
}

/// The cookie that remembers it.
pub(crate) fn keep_device(page: &Page, token: &str) -> HeaderValue {
    set(
        &name("whistle_device", page.secure),
        token,
        DEVICE_LASTS,
        page.secure,
    )
}

/// The case that a reporter gave the right code for, and the code.
pub(crate) fn following(page: &Page) -> Option<(CaseNumber, String)> {
    let value = page.cookie(&name("whistle_follow", page.secure))?;
    let (pair, seal) = value.rsplit_once('.')?;
    let (number, code) = pair.split_once('.')?;
    // Sealed by the install's key, so that nobody tries codes here, past the guard of the form.
    let ours = page.app.whistle.is_form_token(&follow_text(page, pair), seal);
    ours.then(|| Some((number.parse().ok()?, code.to_owned())))?
}

/// The cookie that remembers it.
pub(crate) fn follow(page: &Page, number: CaseNumber, code: &str) -> HeaderValue {
    let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    let pair = format!("{number}.{code}");
    let seal = page.app.whistle.form_token(&follow_text(page, &pair));
    set(
        &name("whistle_follow", page.secure),
        &format!("{pair}.{seal}"),
        FOLLOWING_LASTS,
        page.secure,
    )
}

/// The cookie that forgets it.
pub(crate) fn forget(page: &Page) -> HeaderValue {
    set(&name("whistle_follow", page.secure), "", 0, page.secure)
}

/// What is sealed. No session's token holds a slash, so no form's token is ever the seal of this.
fn follow_text(page: &Page, pair: &str) -> String {
    format!("follow/{}/{pair}", page.here.id.0)
}
