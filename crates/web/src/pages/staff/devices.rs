//! On which devices who is signed in is told of notices: added and removed. The script `push.js` asks the browser for a
//! subscription, and `push-worker.js` shows what comes.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use whistle_service::{
    Error,
    notices::{MAX_DEVICES, NewDevice, OwnDevice},
};

use super::session::{Staff, StaffForm};
use crate::pages::{assets, door, fault::Fault, form::Wrongs, page::Page, show::Moment};

/// The page of one's devices.
const DEVICES: &str = "/staff/account/devices";

struct DeviceLine {
    id: i64,
    name: String,
    since: Moment,
    told: Option<Moment>,
    is_this: bool,
}

#[derive(Template)]
#[template(path = "staff/devices.html")]
struct DevicesPage<'a> {
    p: &'a Page,
    w: &'a Wrongs,
    /// The key that browsers subscribe with; none where push is off.
    key: Option<String>,
    devices: Vec<DeviceLine>,
    /// What was entered as the name of a new one.
    entered: &'a str,
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    show(&staff, &Wrongs::default(), "", StatusCode::OK).await
}

async fn show(staff: &Staff, w: &Wrongs, entered: &str, status: StatusCode) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let key = whistle.push_key(&page.here).await?;
    let own = whistle
        .own_devices(&page.here, &staff.signed, door::device(page))
        .await?;
    let line = |one: OwnDevice| DeviceLine {
        id: one.id,
        since: page.moment(one.created_at),
        told: one.told_at.map(|at| page.moment(at)),
        is_this: one.is_this,
        name: if one.name.is_empty() {
            page.words.n("device-unnamed", one.id)
        } else {
            one.name
        },
    };
    page.render_as(
        status,
        &DevicesPage {
            p: page,
            w,
            key,
            devices: own.into_iter().map(line).collect(),
            entered,
        },
    )
}

/// Adds the device of this browser.
pub(crate) async fn add(form: StaffForm) -> Result<Response, Fault> {
    let (staff, fields) = (&form.staff, &form.posted.fields);
    let page = &staff.page;
    let new = NewDevice {
        subscription: fields.get("answer"),
        name: fields.get("name"),
        lang: page.lang(),
        private: page.app.settings.private_webhooks,
    };
    let added = page
        .app
        .whistle
        .add_device(&page.here, &staff.signed, new, door::device(page))
        .await;
    let wrong = match added {
        Ok(browser) => {
            let cookie = door::keep_device(page, &browser);
            return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(DEVICES)).into_response());
        }
        Err(Error::Invalid { field: "name", .. }) => page.t("device-name-wrong"),
        Err(Error::Invalid { field: "device", .. }) => page.words.n("device-too-many", MAX_DEVICES as i64),
        Err(Error::Invalid {
            field: "subscription",
            ..
        }) => page.t("device-refused"),
        Err(error) => return Err(error.into()),
    };
    let mut wrongs = Wrongs::default();
    wrongs.add("name", wrong);
    show(staff, &wrongs, fields.get("name"), StatusCode::BAD_REQUEST).await
}

/// Removes one.
pub(crate) async fn remove(form: StaffForm) -> Result<Response, Fault> {
    let staff = &form.staff;
    let device = form
        .posted
        .fields
        .get("device")
        .parse()
        .map_err(|_| Fault::Garbled)?;
    staff
        .page
        .app
        .whistle
        .remove_device(&staff.page.here, &staff.signed, device)
        .await?;
    Ok(Redirect::to(DEVICES).into_response())
}

/// The script that shows what comes, at the one address under which browsers look for another version of it.
pub(crate) async fn worker() -> Response {
    assets::unhashed("push-worker.js")
}
