//! The API keys of other systems, for who administers the whole place: added, listed, revoked.

use askama::Template;
use axum::{
    extract::Path,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use jiff::{Timestamp, civil::Date};
use whistle_domain::rights::Scope;
use whistle_service::{
    Error,
    account::{Key, end_of},
};

use super::session::{Staff, StaffForm};
use crate::{
    pages::{
        fault::Fault,
        form::{Entered, Wrongs},
        page::Page,
        show::Moment,
    },
    status::status_of,
};

struct KeyLine {
    id: i64,
    name: String,
    may: Vec<String>,
    added: Moment,
    ends: Option<Moment>,
    /// The word of where it stands, and whether it is good.
    state: &'static str,
    is_good: bool,
}

#[derive(Template)]
#[template(path = "staff/keys.html")]
struct KeysPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    e: &'a Entered,
    keys: Vec<KeyLine>,
    scopes: [&'static str; 2],
    /// The one that was just added.
    added: Option<String>,
}

fn line(page: &Page, key: Key, now: Timestamp) -> KeyLine {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "key-revoked",
        (None, Some(end)) if end <= now => "key-over",
        (None, _) => "key-good",
    };
    let words = |scope: &Scope| page.words.of("key-may", scope.as_str());
    KeyLine {
        id: key.id,
        may: key.scopes.iter().map(words).collect(),
        name: key.name,
        added: page.moment(key.created_at),
        ends: key.expires_at.map(|at| page.moment(at)),
        state,
        is_good: state == "key-good",
    }
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    let (nothing, right) = (Entered::default(), Wrongs::default());
    show(&staff, &nothing, &right, None, StatusCode::OK).await
}

async fn show(
    staff: &Staff,
    e: &Entered,
    w: &Wrongs,
    added: Option<String>,
    status: StatusCode,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let found = page.app.whistle.keys_for(&page.here, staff.actor()).await?;
    let now = page.app.whistle.now();
    let keys = found.into_iter().map(|key| line(page, key, now)).collect();
    page.render_as(
        status,
        &KeysPage {
            p: page,
            w,
            e,
            keys,
            scopes: Scope::ALL.map(Scope::as_str),
            added,
        },
    )
}

/// Adds one. The key itself is on the answer alone.
pub(crate) async fn add(StaffForm { staff, posted }: StaffForm) -> Result<Response, Fault> {
    let (page, fields) = (&staff.page, &posted.fields);
    let mut wrongs = Wrongs::default();
    let scopes: Vec<Scope> = fields
        .all("scopes")
        .filter_map(|word| word.parse().ok())
        .collect();
    let end = match fields.some("expires").map(str::parse::<Date>) {
        None => Ok(None),
        Some(Ok(day)) => end_of(day, &page.here, page.app.whistle.now()).map(Some),
        Some(Err(error)) => Err(Error::Invalid {
            field: "expires",
            what: error.to_string(),
        }),
    };
    let added = match end {
        Ok(end) => {
            let (whistle, name) = (&page.app.whistle, fields.get("name"));
            whistle
                .add_key_as(&page.here, staff.actor(), name, &scopes, end)
                .await
        }
        Err(error) => Err(error),
    };
    match added {
        Ok(key) => {
            let nothing = Entered::default();
            show(&staff, &nothing, &wrongs, Some(key), StatusCode::CREATED).await
        }
        Err(error @ Error::Invalid { field, .. }) => {
            let (field, message) = match field {
                "scopes" => ("scopes", "key-wrong-scopes"),
                "expires" => ("expires", "key-wrong-expires"),
                _ => ("name", "key-wrong-name"),
            };
            wrongs.add(field, page.t(message));
            show(&staff, fields, &wrongs, None, status_of(&error)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Revokes one; the system that has it is refused within a second.
pub(crate) async fn revoke(
    Path(key): Path<String>,
    StaffForm { staff, .. }: StaffForm,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let key = key.parse().map_err(|_| Fault::NoSuchPage)?;
    page.app
        .whistle
        .revoke_key_as(&page.here, staff.actor(), key)
        .await?;
    Ok(Redirect::to("/staff/keys").into_response())
}
