//! The second factor of one's own account: set up with an app, removed, and its recovery codes, shown once.

use askama::Template;
use axum::{
    Extension,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use qrcode::{QrCode, render::svg};
use whistle_service::{Error, second_factor::Standing};

use super::session::{Staff, StaffForm};
use crate::{
    limits::Address,
    pages::{fault::Fault, form::Wrongs, page::Page},
};

#[derive(Template)]
#[template(path = "staff/second_factor.html")]
struct SecondFactorPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    must: bool,
    standing: Standing,
    /// What was begun and not confirmed: the QR code as an image's address, and the secret.
    begun: Option<(String, String)>,
    /// New recovery codes.
    codes: Vec<String>,
}

pub(crate) async fn ask(staff: Staff) -> Result<Response, Fault> {
    show(&staff, &Wrongs::default(), Vec::new(), StatusCode::OK).await
}

async fn show(staff: &Staff, w: &Wrongs, codes: Vec<String>, status: StatusCode) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let standing = whistle.second_factor(&page.here, &staff.signed).await?;
    let begun = whistle.begun_second_factor(&page.here, &staff.signed).await?;
    let begun = begun
        .map(|begun| Ok::<_, Fault>((picture(&begun.address)?, begun.secret)))
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

/// A QR code, as the address of an image.
fn picture(text: &str) -> Result<String, Fault> {
    let code = QrCode::new(text).map_err(|error| {
        tracing::error!(%error, "a QR code was not drawn");
        Fault::Broken
    })?;
    let svg = code.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    let escaped: String = form_urlencoded::byte_serialize(svg.as_bytes()).collect();
    Ok(format!("data:image/svg+xml,{}", escaped.replace('+', "%20")))
}

/// Makes a new secret.
pub(crate) async fn begin(form: StaffForm) -> Result<Response, Fault> {
    let page = &form.staff.page;
    page.app
        .whistle
        .begin_second_factor(&page.here, &form.staff.signed)
        .await?;
    Ok(Redirect::to("/staff/account/second-factor").into_response())
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
        Ok(codes) => show(staff, &Wrongs::default(), codes, StatusCode::OK).await,
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
    let Error::BadCode = error else {
        return Err(error.into());
    };
    let mut wrongs = Wrongs::default();
    wrongs.add("code", staff.page.words.error(&error));
    show(staff, &wrongs, Vec::new(), StatusCode::BAD_REQUEST).await
}
