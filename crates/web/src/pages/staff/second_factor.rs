//! The second factor of one's own account: set up with an app, removed, and its recovery codes, shown once.

use askama::Template;
use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{
    Error,
    second_factor::{Enrolment, Standing},
};

use super::session::{Staff, StaffForm};
use crate::{
    limits::Address,
    pages::{fault::Fault, form::Wrongs, page::Page, qr},
};

#[derive(Template)]
#[template(path = "staff/second_factor.html")]
struct SecondFactorPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    must: bool,
    standing: Standing,
    /// What was begun just now: the QR code as an image's address, and the secret.
    begun: Option<(String, String)>,
    /// New recovery codes.
    codes: Vec<String>,
}

pub(crate) async fn ask(staff: Staff) -> Result<Response, Fault> {
    show(&staff, &Wrongs::default(), Shown::default(), StatusCode::OK).await
}

/// What is shown once only.
#[derive(Default)]
struct Shown {
    begun: Option<Enrolment>,
    codes: Vec<String>,
}

async fn show(staff: &Staff, w: &Wrongs, shown: Shown, status: StatusCode) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let standing = whistle.second_factor(&page.here, &staff.signed).await?;
    let Shown { begun, codes } = shown;
    let begun = begun
        .map(|begun| Ok::<_, Fault>((qr::picture(&begun.address)?, begun.secret)))
        .transpose()?;
    page.render_as(
        status,
        &SecondFactorPage {
            p: page,
            w,
            must: staff.signed.must_enrol,
            standing,
            begun,
            codes,
        },
    )
}

/// Makes a new secret, and shows it in the answer: no page shows it again.
pub(crate) async fn begin(
    Extension(address): Extension<Address>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let (staff, password) = (&form.staff, form.posted.fields.get("password").to_owned());
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let begun = whistle
        .begin_second_factor(&page.here, &staff.signed, password, address.0)
        .await;
    match begun {
        Ok(begun) => {
            let shown = Shown {
                begun: Some(begun),
                ..Shown::default()
            };
            show(staff, &Wrongs::default(), shown, StatusCode::OK).await
        }
        Err(error) => refused(staff, error).await,
    }
}

/// Puts it in force.
pub(crate) async fn confirm(
    Extension(address): Extension<Address>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let (staff, code) = (&form.staff, form.posted.fields.get("code"));
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let confirmed = whistle
        .confirm_second_factor(&page.here, &staff.signed, staff.token(), code, address.0)
        .await;
    match confirmed {
        Ok(codes) => {
            let shown = Shown {
                codes,
                ..Shown::default()
            };
            show(staff, &Wrongs::default(), shown, StatusCode::OK).await
        }
        Err(error) => refused(staff, error).await,
    }
}

/// Removes it.
pub(crate) async fn remove(
    Extension(address): Extension<Address>,
    form: StaffForm,
) -> Result<Response, Fault> {
    let (staff, code) = (&form.staff, form.posted.fields.get("code"));
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let removed = whistle
        .remove_second_factor(&page.here, &staff.signed, code, address.0)
        .await;
    match removed {
        Ok(()) => Ok(Redirect::to("/staff/account/second-factor").into_response()),
        Err(error) => refused(staff, error).await,
    }
}

async fn refused(staff: &Staff, error: Error) -> Result<Response, Fault> {
    let page = &staff.page;
    let mut wrongs = Wrongs::default();
    match error {
        Error::BadCode => wrongs.add("code", page.words.error(&error)),
        Error::BadPassword => wrongs.add("password", page.t("second-password-wrong")),
        error => return Err(error.into()),
    }
    show(staff, &wrongs, Shown::default(), StatusCode::BAD_REQUEST).await
}
