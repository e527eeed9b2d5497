//! The pages: server-rendered, complete without JavaScript, in Chinese and English.
//!
//! A handler extracts, calls one use case, and renders a template. Which buttons a case page has is the transition
//! table's word; what the public may read is the `public` module's word; here is only how it looks and reads.
//!
//! - `page`: what every page knows: the place, the language, the time. `fault`: what went wrong, as a page.
//! - `words`: the message catalogue. `show`: things of the domain in the reader's words. `form`: what a form sent.
//! - `map`: the map with its tiles. `figures`: what is counted, and open data. `briefings`: what was reported of a period.
//! - `home`, `report`, `cases`, `follow`, `mine`, `ask`, `judge`, `notices`, `photo`, `feed`, `text`: the public's. `staff`: the staff's.
//! - `qr`: QR codes. `steps`: what a report in three steps asks the server.
//! - `field`: the app for those who are out and about. `door`: cookies and the guard against guessing. `download`: files.

mod ask;
mod assets;
mod briefings;
mod cases;
pub(crate) mod clocks;
pub(crate) mod door;
mod download;
mod fault;
mod feed;
mod field;
pub(crate) mod figures;
mod follow;
mod form;
mod home;
mod judge;
pub(crate) mod map;
mod mine;
mod notices;
pub(crate) mod page;
mod photo;
mod qr;
mod report;
mod show;
mod staff;
mod steps;
mod text;
pub(crate) mod words;

use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{get, post},
};

use crate::{App, routes::Routes};

pub(crate) fn router(app: &App) -> Router<App> {
    routes()
        .into_router()
        .fallback(fault::no_such_page)
        .layer(from_fn_with_state(app.clone(), page::dress))
}

/// All pages.
pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/", get(home::home))
        .route("/report", get(report::ask).post(report::send))
        .route("/report/where", get(steps::place))
        .route("/report/names", get(steps::names))
        .route("/report/suggest", post(steps::suggest))
        .route("/report/near", get(report::near))
        .route("/receipt", get(follow::receipt))
        .route("/cases", get(cases::list))
        .route("/cases/{number}", get(cases::case))
        .route(
            "/cases/{number}/join",
            get(report::ask_to_join).post(report::join),
        )
        .route("/cases/{number}/photos/{id}", get(photo::full))
        .route("/cases/{number}/photos/{id}/thumbnail", get(photo::thumbnail))
        .route("/map", get(map::map))
        .route("/map/tiles/grid/{zoom}/{x}/{y}", get(map::tiles::grid))
        .route("/map/tiles/cases/{zoom}/{x}/{y}", get(map::tiles::cases))
        .route("/map/base.pmtiles", get(map::tiles::basemap))
        .route("/follow", get(follow::ask).post(follow::enter))
        .route("/follow/case", get(follow::case).post(follow::act))
        .route("/follow/mine", get(mine::mine))
        .route("/follow/mine.json", get(mine::download))
        .route("/follow/mine/contact", post(mine::correct))
        .route("/follow/mine/notices", post(mine::choose))
        .route("/follow/mine/erase", post(mine::erase))
        .route("/follow/leave", post(follow::leave))
        .route("/notices/stop", get(notices::ask).post(notices::stop))
        .route("/ask/{link}", get(ask::question).post(ask::answer))
        .route("/judge/{link}", get(judge::ask).post(judge::judge))
        .route("/privacy", get(text::privacy))
        .route("/about", get(text::about))
        .route("/feeds/cases.atom", get(feed::cases))
        .route("/assets/{hash}/{name}", get(assets::asset))
        .merge(figures::routes())
        .merge(briefings::routes())
        .merge(field::routes())
        .merge(staff::routes())
}
