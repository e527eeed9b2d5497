//! The accounts that an administrator keeps: who holds what, and who may not sign in any more.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::account::{ACCOUNTS_AT_ONCE, Change};

use super::session::{Staff, StaffForm};
use crate::pages::{
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
};

struct AccountLine {
    id: i64,
    login: String,
    posts: Vec<String>,
    disabled: bool,
    signed_in: bool,
    /// Whose own account it is: somebody else keeps that.
    is_own: bool,
}

#[derive(Template)]
#[template(path = "staff/accounts.html")]
struct AccountsPage<'a> {
    p: &'a Page,
    accounts: Vec<AccountLine>,
    next: Option<String>,
    done: Option<String>,
}

/// What is shown of an account whose password was reset, this once.
#[derive(Template)]
#[template(path = "staff/password_set.html")]
struct PasswordSet<'a> {
    p: &'a Page,
    login: String,
    password: String,
}

pub(crate) async fn list(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let mut found = page
        .app
        .whistle
        .kept_accounts(&page.here, &staff.signed, asked.get("after"))
        .await?;
    let more = found.len() > ACCOUNTS_AT_ONCE;
    found.truncate(ACCOUNTS_AT_ONCE);
    let last = found.last().filter(|_| more);
    let next = last.map(|last| with_query("/staff/accounts", &[("after".to_owned(), last.login.clone())]));
    let accounts = found.into_iter().map(|account| AccountLine {
        posts: account
            .posts
            .iter()
            .map(|post| page.post_name(post.as_str()))
            .collect(),
        disabled: account.disabled_at.is_some(),
        signed_in: account.sessions > 0,
        is_own: account.id == staff.signed.account,
        id: account.id,
        login: account.login,
    });
    page.render(&AccountsPage {
        p: page,
        accounts: accounts.collect(),
        next,
        done: asked
            .some("reset")
            .map(|login| page.words.x("accounts-second-reset", login)),
    })
}

/// Gives an account a new password, shown in the answer only.
pub(crate) async fn reset_password(Path(account): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    let account = account.parse().map_err(|_| Fault::NoSuchPage)?;
    let (login, password) = page
        .app
        .whistle
        .reset_password(&page.here, &form.staff.signed, account)
        .await?;
    page.render(&PasswordSet {
        p: page,
        login,
        password,
    })
}

/// Takes the second factor off an account.
pub(crate) async fn reset_second_factor(
    Path(account): Path<String>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let page = &form.staff.page;
    let account = account.parse().map_err(|_| Fault::NoSuchPage)?;
    let login = page
        .app
        .whistle
        .reset_kept_second_factor(&page.here, &form.staff.signed, account)
        .await?;
    let to = with_query("/staff/accounts", &[("reset".to_owned(), login)]);
    Ok(Redirect::to(&to).into_response())
}

/// Disables an account, lets it sign in again, or ends its sessions.
pub(crate) async fn change(
    Path((account, word)): Path<(String, String)>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let changes = [Change::Disable, Change::Enable, Change::SignOut];
    let change = changes.into_iter().find(|change| change.as_str() == word);
    let (Some(change), Ok(account)) = (change, account.parse()) else {
        return Err(Fault::NoSuchPage);
    };
    let page = &form.staff.page;
    page.app
        .whistle
        .keep_account(&page.here, &form.staff.signed, account, change)
        .await?;
    Ok(Redirect::to("/staff/accounts").into_response())
}
