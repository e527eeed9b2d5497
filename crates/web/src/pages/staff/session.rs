//! Signing in and out, and the guard of every staff page and form.

use std::sync::Arc;

use askama::Template;
use axum::{
    Extension,
    extract::{FromRequest, FromRequestParts, Query as Asked, Request},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use whistle_domain::{case::Actor, words::PostCode};
use whistle_service::{
    Error,
    account::{SignIn, SignedIn},
};

use super::passkeys;
use crate::{
    App,
    limits::Address,
    pages::{
        assets::{self, Front},
        door,
        fault::Fault,
        form::{Entered, Posted, Wrongs, with_query},
        page::Page,
    },
    status,
};

/// Where who must have a second factor and has none is sent.
pub(crate) const ENROLMENT: &str = "/staff/account/second-factor";

/// Where who must choose a password of their own is sent, and the only place where they may be.
pub(crate) const OWN_PASSWORD: &str = "/staff/account/password";
/// The other place where they may be: a passkey is a second factor by itself.
pub(super) const PASSKEYS: &str = "/staff/account/passkeys";

/// A signed-in member of staff, with the page they see.
pub(crate) struct Staff {
    pub(crate) page: Page,
    pub(crate) signed: Arc<SignedIn>,
    token: String,
}

impl Staff {
    /// The token of the session.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    /// As an actor.
    pub(crate) fn actor(&self) -> &Actor {
        &self.signed.actor
    }
}

impl FromRequestParts<App> for Staff {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let mut page = Page::from_request_parts(parts, app).await?;
        let back = if parts.method == "GET" {
            page.address().to_owned()
        } else {
            "/staff".to_owned()
        };
        let token = door::session(&page)
            .ok_or_else(|| Fault::SignIn(back.clone()))?
            .to_owned();
        let path = parts.uri.path();
        let enrols = path.starts_with(ENROLMENT) || path.starts_with(PASSKEYS);
        let signed = if enrols || path == OWN_PASSWORD || path == "/staff/sign-out" {
            app.whistle.signed_in_to_enrol(&page.here, &token).await
        } else {
            app.whistle.signed_in(&page.here, &token).await
        };
        let signed = signed.map_err(|error| match error {
            Error::SignedOut => Fault::SignIn(back),
            Error::MustChangePassword => Fault::MustChangePassword,
            Error::MustEnrol => Fault::MustEnrol,
            other => other.into(),
        })?;
        if signed.must_change_password && enrols {
            return Err(Fault::MustChangePassword);
        }
        let signed = Arc::new(signed);
        page.sign(signed.clone(), &token);
        Ok(Self { page, signed, token })
    }
}

/// A form that a signed-in member of staff sent from a page of their own session.
pub(crate) struct StaffForm {
    pub(crate) staff: Staff,
    pub(crate) posted: Posted,
}

impl FromRequest<App> for StaffForm {
    type Rejection = Fault;

    async fn from_request(request: Request, app: &App) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let staff = Staff::from_request_parts(&mut parts, app).await?;
        let posted = Posted::from_request(Request::from_parts(parts, body), app).await?;
        if app
            .whistle
            .is_form_token(&staff.token, posted.fields.get("token"))
        {
            Ok(Self { staff, posted })
        } else {
            Err(Fault::Forged)
        }
    }
}

#[derive(Template)]
#[template(path = "staff/sign_in.html")]
struct SignInPage<'a> {
    p: &'a Page,
    login: &'a str,
    next: &'a str,
    w: &'a Wrongs,
    /// What the button for the provider says, and where it leads.
    provider: Option<(&'a str, String)>,
    /// Whether passkeys can be used here.
    passkeys: bool,
    /// Whether somebody who is signed in must do so anew.
    again: bool,
    /// The script by which this device forgets what the app took along for a shift: whoever signs out, from whichever page, comes here.
    forget: Option<Front>,
}

impl<'a> SignInPage<'a> {
    fn new(page: &'a Page, login: &'a str, next: &'a str, w: &'a Wrongs) -> Self {
        let label = page.app.whistle.provider_label();
        let lang = page.lang();
        let to = || with_query(PROVIDER, &[("next".to_owned(), inside(next).to_owned())]);
        Self {
            p: page,
            login,
            next,
            w,
            provider: label.map(|label| (label.get(lang), to())),
            passkeys: passkeys::are_offered(page),
            again: false,
            forget: assets::front(FORGET),
        }
    }
}

/// The source of the script that forgets what the app kept of who was signed in.
const FORGET: &str = "src/field/forget.ts";

/// Where the way to the provider begins.
pub(super) const PROVIDER: &str = "/staff/sign-in/provider";

pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    page.render(&SignInPage {
        again: asked.has("again", "yes"),
        ..SignInPage::new(&page, "", asked.get("next"), &Wrongs::default())
    })
}

/// The sign-in page with why nobody was signed in by another way than a password.
pub(super) fn refused(page: &Page, error: &Error, next: &str) -> Result<Response, Fault> {
    let mut wrongs = Wrongs::default();
    wrongs.add("login", page.words.error(error));
    page.render_as(
        status::status_of(error),
        &SignInPage::new(page, "", next, &wrongs),
    )
}

pub(crate) async fn enter(
    page: Page,
    Extension(address): Extension<Address>,
    posted: Posted,
) -> Result<Response, Fault> {
    let fields = &posted.fields;
    let login = fields.get("login");
    let password = fields.get("password").to_owned();
    let whistle = &page.app.whistle;
    match whistle.sign_in(&page.here, login, password, address.0).await {
        Ok(signed_in) => go_on(&page, signed_in, fields.get("next")).await,
        Err(error @ (Error::BadPassword | Error::PasskeyNeeded)) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("login", page.words.error(&error));
            let template = SignInPage::new(&page, login, fields.get("next"), &wrongs);
            page.render_as(StatusCode::UNAUTHORIZED, &template)
        }
        Err(error) => Err(error.into()),
    }
}

/// Lets in who has shown all they must, or asks for the code.
pub(super) async fn go_on(page: &Page, signed_in: SignIn, next: &str) -> Result<Response, Fault> {
    match signed_in {
        SignIn::Done(token) => let_in(page, &token, next).await,
        SignIn::HalfWay(half) => page.render(&SignInCode {
            p: page,
            half: &half,
            next,
            w: &Wrongs::default(),
        }),
    }
}

#[derive(Template)]
#[template(path = "staff/sign_in_code.html")]
struct SignInCode<'a> {
    p: &'a Page,
    half: &'a str,
    next: &'a str,
    w: &'a Wrongs,
}

/// The second step of signing in.
pub(crate) async fn enter_code(
    page: Page,
    Extension(address): Extension<Address>,
    posted: Posted,
) -> Result<Response, Fault> {
    let (fields, whistle) = (&posted.fields, &page.app.whistle);
    let (half, code) = (fields.get("half"), fields.get("code"));
    match whistle.sign_in_with_code(&page.here, half, code, address.0).await {
        Ok(token) => let_in(&page, &token, fields.get("next")).await,
        Err(error @ Error::BadCode) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("code", page.words.error(&error));
            let template = SignInCode {
                p: &page,
                half,
                next: fields.get("next"),
                w: &wrongs,
            };
            page.render_as(StatusCode::UNAUTHORIZED, &template)
        }
        // It took too long, or the password is another by now.
        Err(Error::SignedOut) => Err(Fault::SignIn(inside(fields.get("next")).to_owned())),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn let_in(page: &Page, token: &str, next: &str) -> Result<Response, Fault> {
    if let Some(device) = door::device(page) {
        let whistle = &page.app.whistle;
        whistle.sign_in_at_device(&page.here, token, device).await?;
    }
    let cookie = door::open_session(page, token);
    let next = Redirect::to(inside(next));
    Ok(([(header::SET_COOKIE, cookie)], next).into_response())
}

/// Where to go after signing in: a page of the staff's, never another site.
pub(super) fn inside(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let of_staff = ["/staff", "/field"].into_iter().any(|own| {
        let rest = next.strip_prefix(own);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    });
    if plain && of_staff { next } else { "/staff" }
}

pub(crate) async fn leave(form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    page.app
        .whistle
        .sign_out(&page.here, &form.staff.token, door::device(page))
        .await?;
    let cookie = door::close_session(page);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/staff/sign-in")).into_response())
}

pub(crate) async fn change_post(form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    let post: PostCode = form
        .posted
        .fields
        .get("post")
        .parse()
        .map_err(|_| Fault::Garbled)?;
    page.app
        .whistle
        .change_post(&page.here, &form.staff.token, post)
        .await?;
    Ok(Redirect::to("/staff").into_response())
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn after_signing_in_nobody_is_sent_to_another_site() {
        for next in [
            "https://evil.example",
            "//evil.example",
            "/staff@evil",
            "/staff/\\evil",
            "/stafff",
            "/fields",
            "",
        ] {
            assert_eq!(inside(next), "/staff", "{next}");
        }
        assert_eq!(inside("/staff/cases/12"), "/staff/cases/12");
        assert_eq!(inside("/staff?tab=mine"), "/staff?tab=mine");
        assert_eq!(inside("/field"), "/field");
        assert_eq!(inside("/field/rounds/R1"), "/field/rounds/R1");
    }
}
