//! One's own account: where it is signed in, and its password.

use askama::Template;
use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{Error, account::OpenSession, notices::led_unit, provider::Link};

use super::session::{Staff, StaffForm};
use crate::{
    limits::Address,
    pages::{
        fault::Fault,
        form::Wrongs,
        notices::{ChoiceForm, OF_UNITS},
        page::Page,
        show::Moment,
    },
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
    /// The unit whose notices this post chooses, and what it chose.
    unit: String,
    choice: Option<ChoiceForm>,
    /// Whether devices can be told of notices.
    has_push: bool,
    done: Option<String>,
    /// What the provider is called, if there is one, and who the account is there.
    provider: Option<(&'a str, Option<LinkLine>)>,
    /// Whether it can be linked to somebody there now.
    may_link: bool,
}

/// Who the account is at the provider.
pub(super) struct LinkLine {
    pub(super) name: String,
    /// Whether nobody has come yet.
    pub(super) waits: bool,
    pub(super) used: Option<Moment>,
}

impl LinkLine {
    pub(super) fn of(page: &Page, link: Link) -> Self {
        Self {
            waits: link.subject.is_none(),
            used: link.used_at.map(|at| page.moment(at)),
            name: link.name,
        }
    }
}

pub(crate) async fn account(staff: Staff) -> Result<Response, Fault> {
    let page = &staff.page;
    let done = match page.address().split_once("?done=") {
        Some((_, what @ ("password" | "linked" | "unlinked"))) => {
            Some(page.t(&format!("account-{what}-done")))
        }
        Some((_, "notices")) => Some(page.t("choice-done")),
        _ => None,
    };
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
    let link = whistle.own_link(&page.here, &staff.signed).await?;
    let label = whistle.provider_label().map(|label| label.get(page.lang()));
    let unit = led_unit(&page.here, staff.actor());
    let choice = match &unit {
        Some(unit) => Some(whistle.chosen_of_unit(&page.here, unit).await?),
        None => None,
    };
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
            unit: unit.map(|unit| page.unit_name(unit.as_str())).unwrap_or_default(),
            choice: choice.map(|choice| ChoiceForm::new(page, choice, &OF_UNITS, "choice-unit")),
            has_push: whistle.push_key(&page.here).await?.is_some(),
            done,
            may_link: link.as_ref().is_none_or(|link| link.subject.is_none()),
            provider: label.map(|label| (label, link.map(|link| LinkLine::of(page, link)))),
        },
    )
}

/// Keeps what the unit of the post chooses of its notices.
pub(crate) async fn choose(form: StaffForm) -> Result<Response, Fault> {
    let (staff, fields) = (&form.staff, &form.posted.fields);
    let choice = ChoiceForm::read(fields);
    let whistle = &staff.page.app.whistle;
    whistle
        .choose_for_unit(&staff.page.here, staff.actor(), choice)
        .await?;
    Ok(Redirect::to("/staff/account?done=notices").into_response())
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
