//! Taking a report: at the telephone, at the counter, on patrol.

use axum::{extract::Query as Asked, response::Response};

use whistle_domain::{case::Actor, command::Refusal};
use whistle_service::Error;

use super::session::{Staff, StaffForm};
use crate::pages::{fault::Fault, form::Entered, report::Draft};

pub(crate) async fn ask(staff: Staff, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let actor = taker(&staff)?;
    Draft::new(staff.page, Entered::new(asked), Some(actor)).ask()
}

pub(crate) async fn send(form: StaffForm) -> Result<Response, Fault> {
    let actor = taker(&form.staff)?;
    Draft::posted(form.staff.page, form.posted, Some(actor))
        .send()
        .await
}

/// Who takes the report, if their post may.
fn taker(staff: &Staff) -> Result<Actor, Fault> {
    if staff.page.may_report() {
        Ok(staff.actor().clone())
    } else {
        Err(Error::from(Refusal::MayNotReport).into())
    }
}
