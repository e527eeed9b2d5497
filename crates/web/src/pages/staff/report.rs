//! Taking a report: at the telephone, at the counter, on patrol.

use axum::{extract::Query as Asked, response::Response};

use whistle_domain::command::Refusal;
use whistle_service::Error;

use super::session::{Staff, StaffForm};
use crate::pages::{fault::Fault, form::Entered, report::Draft};

pub(crate) async fn ask(staff: Staff, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let actor = staff.actor().clone();
    if !staff.page.may_report() {
        return Err(Error::from(Refusal::MayNotReport).into());
    }
    Draft::new(staff.page, Entered::new(asked), Some(actor)).ask()
}

pub(crate) async fn send(form: StaffForm) -> Result<Response, Fault> {
    let actor = form.staff.actor().clone();
    Draft::posted(form.staff.page, form.posted, Some(actor))
        .send()
        .await
}
