//! Passkeys: signing in by one, and one's own, added, named and removed. The script `passkey.js` asks the device; what it
//! gets and sends is text that no page looks into.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{
    Error,
    passkey::{Answer, Asked, Shown},
};

use super::session::{PASSKEYS, Staff, StaffForm, let_in, refused};
use crate::pages::{
    door,
    fault::Fault,
    form::{Posted, Wrongs},
    page::Page,
    show::Moment,
};

/// The address for which passkeys are made.
fn base(page: &Page) -> Option<&str> {
    page.app.settings.base_url.as_deref()
}

/// Whether passkeys can be used here.
pub(super) fn are_offered(page: &Page) -> bool {
    page.app.whistle.has_passkeys(base(page))
}

/// What the script is told, and the cookie by which the browser is known.
fn told(page: &Page, asked: Asked) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::SET_COOKIE, door::begin_way(page, &asked.browser)),
    ];
    (headers, asked.options).into_response()
}

fn answered<'a>(page: &'a Page, posted: &'a Posted) -> Answer<'a> {
    Answer {
        text: posted.fields.get("answer"),
        browser: door::way(page).unwrap_or_default(),
    }
}

/// Begins to sign in.
pub(crate) async fn ask_to_enter(page: Page) -> Result<Response, Fault> {
    let asked = page
        .app
        .whistle
        .begin_passkey_sign_in(&page.here, base(&page), door::way(&page))
        .await?;
    Ok(told(&page, asked))
}

/// Signs in by what the device answered.
pub(crate) async fn enter(page: Page, posted: Posted) -> Result<Response, Fault> {
    let next = posted.fields.get("next");
    let entered = page
        .app
        .whistle
        .sign_in_with_passkey(&page.here, base(&page), answered(&page, &posted))
        .await;
    match entered {
        Ok(token) => let_in(&page, &token, next).await,
        Err(error @ (Error::BadPasskey | Error::Step(_))) => refused(&page, &error, next),
        Err(error) => Err(error.into()),
    }
}

struct PasskeyLine {
    id: String,
    name: String,
    since: Moment,
    used: Option<Moment>,
}

#[derive(Template)]
#[template(path = "staff/passkeys.html")]
struct PasskeysPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    must: bool,
    offered: bool,
    passkeys: Vec<PasskeyLine>,
    /// What was entered as the name of a new one.
    entered: &'a str,
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    show(&staff, &Wrongs::default(), "", StatusCode::OK).await
}

async fn show(staff: &Staff, w: &Wrongs, name: &str, status: StatusCode) -> Result<Response, Fault> {
    let page = &staff.page;
    let own = page.app.whistle.own_passkeys(&page.here, &staff.signed).await?;
    let line = |one: Shown| PasskeyLine {
        since: page.moment(one.created_at),
        used: one.used_at.map(|at| page.moment(at)),
        id: one.id,
        name: one.name,
    };
    page.render_as(
        status,
        &PasskeysPage {
            p: page,
            w,
            must: staff.signed.must_enrol,
            offered: are_offered(page),
            passkeys: own.into_iter().map(line).collect(),
            entered: name,
        },
    )
}

/// Begins to add one.
pub(crate) async fn ask_to_add(form: StaffForm) -> Result<Response, Fault> {
    let Staff { page, signed, .. } = &form.staff;
    let asked = page
        .app
        .whistle
        .begin_passkey(&page.here, signed, base(page), door::way(page))
        .await?;
    Ok(told(page, asked))
}

/// Adds what the device has made.
pub(crate) async fn add(form: StaffForm) -> Result<Response, Fault> {
    let (staff, name) = (&form.staff, form.posted.fields.get("name"));
    let page = &staff.page;
    let added = page
        .app
        .whistle
        .add_passkey(
            &page.here,
            &staff.signed,
            (staff.token(), base(page)),
            name,
            answered(page, &form.posted),
        )
        .await;
    match added {
        Ok(()) => Ok(Redirect::to(PASSKEYS).into_response()),
        Err(Error::SignInAgain) => Err(Fault::SignInAgain(PASSKEYS)),
        Err(error) => refuse(staff, error, name).await,
    }
}

/// Gives one another name.
pub(crate) async fn rename(form: StaffForm) -> Result<Response, Fault> {
    let (staff, fields) = (&form.staff, &form.posted.fields);
    let renamed = staff
        .page
        .app
        .whistle
        .rename_passkey(
            &staff.page.here,
            &staff.signed,
            fields.get("passkey"),
            fields.get("name"),
        )
        .await;
    match renamed {
        Ok(()) => Ok(Redirect::to(PASSKEYS).into_response()),
        Err(error) => refuse(staff, error, "").await,
    }
}

/// Removes one.
pub(crate) async fn remove(form: StaffForm) -> Result<Response, Fault> {
    let (staff, passkey) = (&form.staff, form.posted.fields.get("passkey"));
    staff
        .page
        .app
        .whistle
        .remove_passkey(&staff.page.here, &staff.signed, staff.token(), passkey)
        .await?;
    Ok(Redirect::to(PASSKEYS).into_response())
}

async fn refuse(staff: &Staff, error: Error, name: &str) -> Result<Response, Fault> {
    let words = staff.page.words;
    let message = match &error {
        Error::Invalid { field: "name", .. } => words.t("passkey-name-wrong"),
        Error::Invalid { field: "passkey", .. } => words.t("passkey-too-many"),
        Error::BadPasskey | Error::Step(_) => words.error(&error),
        _ => return Err(error.into()),
    };
    let mut wrongs = Wrongs::default();
    wrongs.add("name", message);
    show(staff, &wrongs, name, StatusCode::BAD_REQUEST).await
}
