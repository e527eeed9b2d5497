//! Photos of cases: public ones to anyone, the others to the reporter and to the staff who may see the case.

use axum::{
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
};
use whistle_domain::{
    case::{Actor, Case},
    public, rights,
};
use whistle_service::{Error, media::Size};

use super::{cases::number, door, fault::Fault, page::Page};

pub(crate) async fn full(page: Page, Path((case, id)): Path<(String, String)>) -> Result<Response, Fault> {
    photo(&page, &case, &id, Size::Full).await
}

pub(crate) async fn thumbnail(
    page: Page,
    Path((case, id)): Path<(String, String)>,
) -> Result<Response, Fault> {
    photo(&page, &case, &id, Size::Thumbnail).await
}

async fn photo(page: &Page, text: &str, id: &str, size: Size) -> Result<Response, Fault> {
    let no_photo = || Error::NotFound {
        what: "photo",
        id: id.chars().take(64).collect(),
    };
    let case = page
        .app
        .whistle
        .case(&page.here, number(text)?)
        .await
        .map_err(|error| match error {
            Error::NotFound { .. } => no_photo(),
            other => other,
        })?;
    let photo = case.photos.iter().find(|p| p.id == id).ok_or_else(no_photo)?;
    // A photo may still be hidden later: kept by shared caches for an hour, by the reader's own for a day.
    let cache = if case.public && photo.public {
        "public, max-age=3600"
    } else if is_reporters(page, &case, id).await || is_staff(page, &case).await {
        "private, max-age=86400"
    } else {
        return Err(no_photo().into());
    };
    let bytes = page.app.whistle.photo(id, size).await?;
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, cache),
    ];
    Ok((headers, bytes).into_response())
}

/// Whether the asker gave a pick-up code of the case that opens this photo.
async fn is_reporters(page: &Page, case: &Case, id: &str) -> bool {
    let Some((number, code)) = door::following(page) else {
        return false;
    };
    if number != case.number {
        return false;
    }
    match page.app.whistle.case_by_code(&page.here, number, &code).await {
        Ok((case, log, Actor::Reporter { report })) => {
            public::photos_of_reporter(&case, &log, report).any(|photo| photo.id == id)
        }
        _ => false,
    }
}

/// Whether the asker is staff who may see the case.
async fn is_staff(page: &Page, case: &Case) -> bool {
    let Some(token) = door::session(page) else {
        return false;
    };
    let signed = page.app.whistle.signed_in(&page.here, token).await;
    signed.is_ok_and(|signed| rights::may_see(case, &signed.actor, &page.here.place))
}
