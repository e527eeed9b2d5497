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

use crate::{
    App,
    limits::Address,
    pages::{
        door,
        fault::Fault,
        form::{Entered, Posted, Wrongs},
        page::Page,
    },
};

/// Where who must have a second factor and has none is sent, and the only place where they may be.
pub(crate) const ENROLMENT: &str = "/staff/account/second-factor";

/// Where who must choose a password of their own is sent, and the only place where they may be.
pub(crate) const OWN_PASSWORD: &str = "/staff/account/password";

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
        let signed = if path.starts_with(ENROLMENT) || path == OWN_PASSWORD || path == "/staff/sign-out" {
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
        if signed.must_change_password && path.starts_with(ENROLMENT) {
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
}

pub(crate) async fn ask(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    page.render(&SignInPage {
        p: &page,
        login: "",
        next: asked.get("next"),
        w: &Wrongs::default(),
    })
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
        Ok(SignIn::Done(token)) => Ok(let_in(&page, &token, fields)),
        Ok(SignIn::HalfWay(half)) => {
            let template = SignInCode {
                p: &page,
                half: &half,
                next: fields.get("next"),
                w: &Wrongs::default(),
            };
            page.render(&template)
        }
        Err(error @ Error::BadPassword) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("login", page.words.error(&error));
            let template = SignInPage {
                p: &page,
                login,
                next: fields.get("next"),
                w: &wrongs,
            };
            page.render_as(StatusCode::UNAUTHORIZED, &template)
        }
        Err(error) => Err(error.into()),
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
        Ok(token) => Ok(let_in(&page, &token, fields)),
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

fn let_in(page: &Page, token: &str, fields: &Entered) -> Response {
    let cookie = door::open_session(page, token);
    let next = Redirect::to(inside(fields.get("next")));
    ([(header::SET_COOKIE, cookie)], next).into_response()
}

/// Where to go after signing in: a page of the staff's, never another site.
fn inside(next: &str) -> &str {
    let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    let of_staff = next == "/staff" || next.starts_with("/staff/") || next.starts_with("/staff?");
    if plain && of_staff { next } else { "/staff" }
}

pub(crate) async fn leave(form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    page.app.whistle.sign_out(&page.here, &form.staff.token).await?;
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
            "",
        ] {
            assert_eq!(inside(next), "/staff", "{next}");
        }
        assert_eq!(inside("/staff/cases/12"), "/staff/cases/12");
        assert_eq!(inside("/staff?tab=mine"), "/staff?tab=mine");
    }
}
