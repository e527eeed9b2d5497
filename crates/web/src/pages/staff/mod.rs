//! The staff's pages: signing in, the queue, one case, taking a report, handing over a shift.

mod act;
mod case;
mod handover;
mod queue;
mod report;
mod session;

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
        .route("/staff/handover", get(handover::handover).post(handover::keep))
        .route("/staff/report", get(report::ask).post(report::send))
}
