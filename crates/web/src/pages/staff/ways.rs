//! The ways to sign in of an account that an administrator keeps: who it is at the provider, and its passkeys.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{Error, provider};

use super::{
    account::LinkLine,
    session::{Staff, StaffForm},
};
use crate::{
    pages::{fault::Fault, form::Wrongs, page::Page},
    status,
};

#[derive(Template)]
#[template(path = "staff/ways.html")]
struct WaysPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    id: i64,
    login: &'a str,
    /// What the provider is called, if there is one, and who the account is there.
    provider: Option<(&'a str, Option<LinkLine>)>,
    /// What was entered.
    entered: &'a str,
    /// How many passkeys it has.
    passkeys: i64,
    has_passkeys: bool,
}

pub(crate) async fn show(staff: Staff, Path(account): Path<String>) -> Result<Response, Fault> {
    page(
        &staff,
        number(&account)?,
        (&Wrongs::default(), ""),
        StatusCode::OK,
    )
    .await
}

async fn page(
    staff: &Staff,
    account: i64,
    (w, name): (&Wrongs, &str),
    status: StatusCode,
) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let ways = whistle.kept_ways(&page.here, &staff.signed, account).await?;
    let label = whistle.provider_label().map(|label| label.get(page.lang()));
    page.render_as(
        status,
        &WaysPage {
            p: page,
            w,
            id: account,
            login: &ways.login,
            provider: label.map(|label| (label, ways.link.map(|link| LinkLine::of(page, link)))),
            entered: name,
            has_passkeys: ways.passkeys > 0,
            passkeys: ways.passkeys,
        },
    )
}

/// Says by which name the provider knows its holder.
pub(crate) async fn link(Path(account): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let (staff, account) = (&form.staff, number(&account)?);
    let (page_of, name) = (&staff.page, form.posted.fields.get("name"));
    let linked = page_of
        .app
        .whistle
        .link_kept(&page_of.here, &staff.signed, account, name)
        .await;
    match linked {
        Ok(()) => Ok(back(account)),
        Err(error @ (Error::Invalid { field: "name", .. } | Error::Provider(provider::Fault::Taken))) => {
            let mut wrongs = Wrongs::default();
            wrongs.add("name", page_of.words.error(&error));
            page(staff, account, (&wrongs, name), status::status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Ends what it is linked to.
pub(crate) async fn unlink(Path(account): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let (page, account) = (&form.staff.page, number(&account)?);
    page.app
        .whistle
        .unlink_kept(&page.here, &form.staff.signed, account)
        .await?;
    Ok(back(account))
}

/// Removes its passkeys.
pub(crate) async fn remove_passkeys(Path(account): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let (page, account) = (&form.staff.page, number(&account)?);
    page.app
        .whistle
        .remove_kept_passkeys(&page.here, &form.staff.signed, account)
        .await?;
    Ok(back(account))
}

fn back(account: i64) -> Response {
    Redirect::to(&format!("/staff/accounts/{account}/ways")).into_response()
}

fn number(account: &str) -> Result<i64, Fault> {
    account.parse().map_err(|_| Fault::NoSuchPage)
}
