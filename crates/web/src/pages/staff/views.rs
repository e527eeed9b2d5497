//! Views of the queue: kept, renamed, removed, begun with.

use axum::{
    extract::Path,
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{Error, view::Change};

use super::{
    queue::{address_of, canonical},
    session::StaffForm,
};
use crate::pages::fault::Fault;

/// Keeps the filter of the queue under a name.
pub(crate) async fn keep(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let (name, query) = (fields.get("name"), canonical(fields.get("query")));
    let shared = fields.has("shared", "yes");
    let kept = page
        .app
        .whistle
        .keep_view(&page.here, &staff.signed, name, &query, shared)
        .await?;
    Ok(Redirect::to(&address_of(kept, &query)).into_response())
}

pub(crate) async fn change(
    Path((view, word)): Path<(String, String)>,
    StaffForm { staff, posted }: StaffForm,
) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let change = match word.as_str() {
        "rename" => Change::Rename(fields.get("name").to_owned()),
        "remove" => Change::Remove,
        "first" => Change::BeginWith,
        "not-first" => Change::BeginWithout,
        _ => return Err(Fault::NoSuchPage),
    };
    let unknown = |_| Error::NotFound {
        what: "view",
        id: view.chars().take(20).collect(),
    };
    let number = view.parse().map_err(unknown)?;
    let query = canonical(fields.get("query"));
    let to = match change {
        // Without the view, but as it was: the filter is not lost at once.
        Change::Remove => format!("/staff?{query}"),
        _ => address_of(number, &query),
    };
    let whistle = &page.app.whistle;
    whistle
        .change_view(&page.here, &staff.signed, number, change)
        .await?;
    Ok(Redirect::to(&to).into_response())
}
