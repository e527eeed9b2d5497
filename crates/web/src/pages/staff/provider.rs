//! Signing in by the provider of OpenID Connect, and linking one's own account to it.

use askama::Template;
use axum::{
    extract::Query as Asked,
    http::header,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{
    Error,
    provider::{Answer, Ended},
};

use super::session::{PROVIDER, Staff, StaffForm, go_on, inside, refused};
use crate::pages::{door, fault::Fault, form::Entered, page::Page};

/// Where the provider sends the browser back to; it is registered there.
fn back(page: &Page) -> String {
    format!("{}{PROVIDER}/back", page.base())
}

/// Sends the browser to the provider. A link and no form: the policy for forms keeps them here.
pub(crate) async fn go(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let next = inside(asked.get("next"));
    let begun = page
        .app
        .whistle
        .begin_at_provider(&page.here, (&back(&page), next), door::way(&page))
        .await;
    match begun {
        Ok(begun) => {
            let cookie = door::begin_way(&page, &begun.browser);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&begun.address)).into_response())
        }
        Err(error @ Error::Provider(_)) => refused(&page, &error, next),
        Err(error) => Err(error.into()),
    }
}

/// Takes the browser back.
pub(crate) async fn come_back(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let answer = Answer {
        state: asked.get("state").to_owned(),
        code: asked.get("code").to_owned(),
        issuer: asked.some("iss").map(str::to_owned),
        browser: door::way(&page).unwrap_or_default().to_owned(),
        session: door::session(&page).map(str::to_owned),
    };
    match page.app.whistle.end_at_provider(&page.here, answer).await {
        Ok(Ended::SignedIn(signed_in, next)) => go_on(&page, signed_in, &next).await,
        Ok(Ended::Linked) => Ok(Redirect::to("/staff/account?done=linked").into_response()),
        Err(Error::SignedOut) => Err(Fault::SignIn("/staff/account".to_owned())),
        // Who is signed in came from their account's page.
        Err(error @ (Error::Provider(_) | Error::Step(_))) if door::session(&page).is_none() => {
            refused(&page, &error, "")
        }
        Err(error) => Err(error.into()),
    }
}

#[derive(Template)]
#[template(path = "staff/provider.html")]
struct GoPage<'a> {
    p: &'a Page,
    label: &'a str,
    address: &'a str,
}

/// Begins to link one's own account.
pub(crate) async fn link(form: StaffForm) -> Result<Response, Fault> {
    let Staff { page, signed, .. } = &form.staff;
    let whistle = &page.app.whistle;
    let begun = whistle
        .begin_link(&page.here, signed, &back(page), door::way(page))
        .await;
    let begun = match begun {
        Err(Error::SignInAgain) => return Err(Fault::SignInAgain("/staff/account")),
        other => other?,
    };
    let label = whistle.provider_label().map(|label| label.get(page.lang()));
    let mut answer = page.render(&GoPage {
        p: page,
        label: label.unwrap_or_default(),
        address: &begun.address,
    })?;
    let cookie = door::begin_way(page, &begun.browser);
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(answer)
}

/// Ends what one's own account is linked to.
pub(crate) async fn unlink(form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    page.app
        .whistle
        .unlink_own(&page.here, &form.staff.signed, form.staff.token())
        .await?;
    Ok(Redirect::to("/staff/account?done=unlinked").into_response())
}
