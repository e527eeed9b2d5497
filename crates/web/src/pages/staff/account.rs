//! One's own account: where it is signed in, and its password.

use askama::Template;
use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{Error, account::OpenSession};

use super::session::{Staff, StaffForm};
use crate::{
    limits::Address,
    pages::{fault::Fault, form::Wrongs, page::Page, show::Moment},
};

/// One of the account's sessions.
struct SessionLine {
    id: String,
    post: String,
    since: Moment,
    seen: Moment,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "staff/account.html")]
struct AccountPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    login: &'a str,
    sessions: Vec<SessionLine>,
    done: Option<String>,
}

pub(crate) async fn account(staff: Staff) -> Result<Response, Fault> {
    let done = staff.page.address().ends_with("?done=password");
    let done = done.then(|| staff.page.t("account-password-done"));
    show(&staff, &Wrongs::default(), done, StatusCode::OK).await
}

async fn show(
    staff: &Staff,
    w: &Wrongs,
    done: Option<String>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let sessions = whistle
        .own_sessions(&page.here, &staff.signed, staff.token())
        .await?;
    let line = |session: OpenSession| SessionLine {
        post: page.post_name(session.post.as_str()),
        since: page.moment(session.created_at),
        seen: page.moment(session.seen_at),
        is_this: session.is_this,
        id: session.id,
    };
    page.render_as(
        status,
        &AccountPage {
            p: page,
            w,
            login: &staff.signed.login,
            sessions: sessions.into_iter().map(line).collect(),
            done,
        },
    )
}

#[derive(Template)]
#[template(path = "staff/password.html")]
struct PasswordPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    must: bool,
}

/// The form for a new password alone, for who must have one of their own.
pub(crate) async fn ask_password(staff: Staff) -> Result<Response, Fault> {
    show_password(&staff, &Wrongs::default(), StatusCode::OK)
}

fn show_password(staff: &Staff, w: &Wrongs, status: StatusCode) -> Result<Response, Fault> {
    let (page, must) = (&staff.page, staff.signed.must_change_password);
    page.render_as(status, &PasswordPage { p: page, w, must })
}

/// Ends one of the account's sessions.
pub(crate) async fn end_session(form: StaffForm) -> Result<Response, Fault> {
    let (staff, fields) = (&form.staff, &form.posted.fields);
    let whistle = &staff.page.app.whistle;
    whistle
        .end_own_session(&staff.page.here, &staff.signed, fields.get("session"))
        .await?;
    Ok(Redirect::to("/staff/account").into_response())
}

/// Sets a new password.
pub(crate) async fn change_password(
    Extension(address): Extension<Address>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let (staff, fields) = (&form.staff, &form.posted.fields);
    let page = &staff.page;
    let mut wrongs = Wrongs::default();
    let (old, new) = (fields.get("old").to_owned(), fields.get("new").to_owned());
    if fields.get("again") != new {
        wrongs.add("again", page.t("account-password-differs"));
        return show_again(staff, &wrongs).await;
    }
    let changed = page
        .app
        .whistle
        .change_password(&page.here, &staff.signed, staff.token(), (old, new), address.0)
        .await;
    match changed {
        Ok(()) if staff.signed.must_change_password => return Ok(Redirect::to("/staff").into_response()),
        Ok(()) => return Ok(Redirect::to("/staff/account?done=password").into_response()),
        Err(Error::BadPassword) => wrongs.add("old", page.t("account-password-wrong")),
        Err(error @ (Error::Invalid { .. } | Error::BreachedPassword | Error::SamePassword)) => {
            wrongs.add("new", page.words.error(&error));
        }
        Err(error) => return Err(error.into()),
    }
    show_again(staff, &wrongs).await
}

/// The page that the form for a new password was on.
async fn show_again(staff: &Staff, wrongs: &Wrongs) -> Result<Response, Fault> {
    if staff.signed.must_change_password {
        show_password(staff, wrongs, StatusCode::BAD_REQUEST)
    } else {
        show(staff, wrongs, None, StatusCode::BAD_REQUEST).await
    }
}
