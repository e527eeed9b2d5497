//! The staff's pages: signing in, the queue, one case, taking a report, the calendar.

mod act;
mod case;
mod due;
mod queue;
mod report;
mod session;
mod whistle;
mod whistles;

use axum::{
    Router,
    routing::{get, post},
};

use crate::App;

pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/staff", get(queue::queue))
        .route("/staff/sign-in", get(session::ask).post(session::enter))
        .route("/staff/sign-out", post(session::leave))
        .route("/staff/post", post(session::change_post))
        .route("/staff/cases", get(queue::search))
        .route("/staff/cases/{number}", get(case::case))
        .route("/staff/cases/{number}/contacts", post(case::contacts))
        .route("/staff/cases/{number}/{verb}", post(act::act))
        .route("/staff/whistles", get(whistles::list))
        .route("/staff/whistles/new", get(whistles::ask).post(whistles::send))
        .route("/staff/whistles/{number}", get(whistle::whistle))
        .route(
            "/staff/whistles/{number}/minutes",
            get(whistle::minutes).post(whistle::write_minutes),
        )
        .route("/staff/whistles/{number}/{verb}", post(whistle::act))
        .route("/staff/due.ics", get(due::calendar))
        .route("/staff/report", get(report::ask).post(report::send))
}
