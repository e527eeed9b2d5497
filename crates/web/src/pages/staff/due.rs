//! What is due, as a calendar (iCalendar, RFC 5545) that other programs read by a link, which can be changed.

use axum::{
    extract::Query as Asked,
    http::{StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use icalendar::{Calendar, Component, Event, EventLike};
use jiff::Timestamp;

use super::session::StaffForm;
use crate::pages::{fault::Fault, form::Entered, page::Page};

/// The calendar of the account that the key was made for.
pub(crate) async fn calendar(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let asked = Entered::new(asked);
    let cases = page.app.whistle.calendar(&page.here, asked.get("key")).await?;
    let base = page.base();
    let mut calendar = Calendar::new();
    calendar.name(&page.x("due-calendar", page.place_name()));
    for case in &cases {
        let Some(clock) = case.clocks.next_due() else {
            continue;
        };
        let line = page.staff_line(case);
        calendar.push(
            Event::new()
                .uid(&format!(
                    "case-{}@{}",
                    line.number, page.here.place.jurisdiction.code
                ))
                .add_property("DTSTAMP", utc(case.times.updated_at))
                .add_property("DTSTART", utc(clock.due_at))
                .summary(&format!("{} {} · {}", line.number, line.service, line.status))
                .location(&line.area)
                .url(&format!("{base}/staff/cases/{}", line.number))
                .done(),
        );
    }
    let kind = [(header::CONTENT_TYPE, "text/calendar; charset=utf-8")];
    Ok((StatusCode::OK, kind, calendar.done().to_string()).into_response())
}

/// Takes a new link; the old one is good no more.
pub(crate) async fn renew(form: StaffForm) -> Result<Response, Fault> {
    let staff = &form.staff;
    let whistle = &staff.page.app.whistle;
    whistle.renew_calendar(&staff.page.here, &staff.signed).await?;
    Ok(Redirect::to("/staff?calendar=new").into_response())
}

fn utc(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}
