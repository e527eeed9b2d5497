//! The staff's pages: signing in, the queue, one case, taking a report, whistles, handing over a shift, accounts, keys, webhooks,
//! the place, what administrators did, the calendar, paper.

mod account;
mod accounts;
mod act;
mod acts;
mod board;
mod briefings;
mod bulk;
mod case;
mod devices;
mod due;
mod figures;
mod handover;
mod house;
mod keys;
mod live;
mod notices;
mod passkeys;
mod place;
mod print;
mod provider;
mod queue;
mod report;
mod second_factor;
mod session;
mod stations;
mod views;
mod ways;
mod webhooks;
mod whistle;
mod whistles;

use axum::routing::{get, post};

pub(super) use session::{ENROLMENT, OWN_PASSWORD, Staff, StaffForm};

use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/staff", get(queue::queue))
        .route("/staff/sign-in", get(session::ask).post(session::enter))
        .route("/staff/sign-in/code", post(session::enter_code))
        .route("/staff/sign-in/passkey", post(passkeys::enter))
        .route("/staff/sign-in/passkey/begin", post(passkeys::ask_to_enter))
        .route("/staff/sign-in/provider", get(provider::go))
        .route("/staff/sign-in/provider/back", get(provider::come_back))
        .route("/staff/sign-out", post(session::leave))
        .route("/staff/post", post(session::change_post))
        .route("/staff/live", get(live::stream))
        .route("/staff/board", get(board::board))
        .route("/staff/bulk", post(bulk::ask))
        .route("/staff/bulk/{verb}", post(bulk::act))
        .route("/staff/views", post(views::keep))
        .route("/staff/views/{view}/{change}", post(views::change))
        .route("/staff/cases", get(queue::search))
        .route("/staff/cases/{number}", get(case::case))
        .route("/staff/cases/{number}/print", get(print::sheet))
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
        .route("/staff/round", get(print::round))
        .route("/staff/poster", get(print::poster))
        .route("/staff/due.ics", get(due::calendar))
        .route("/staff/due", post(due::renew))
        .route("/staff/account", get(account::account))
        .route("/staff/account/sessions", post(account::end_session))
        .route("/staff/account/notices", post(account::choose))
        .route("/staff/account/devices", get(devices::list).post(devices::add))
        .route("/staff/account/devices/remove", post(devices::remove))
        .route("/staff/push-worker.js", get(devices::worker))
        .route(
            OWN_PASSWORD,
            get(account::ask_password).post(account::change_password),
        )
        .route("/staff/account/passkeys", get(passkeys::list).post(passkeys::add))
        .route("/staff/account/passkeys/begin", post(passkeys::ask_to_add))
        .route("/staff/account/passkeys/rename", post(passkeys::rename))
        .route("/staff/account/passkeys/remove", post(passkeys::remove))
        .route("/staff/account/provider", post(provider::link))
        .route("/staff/account/provider/remove", post(provider::unlink))
        .route(
            "/staff/account/second-factor",
            get(second_factor::ask).post(second_factor::begin),
        )
        .route(
            "/staff/account/second-factor/confirm",
            post(second_factor::confirm),
        )
        .route("/staff/account/second-factor/remove", post(second_factor::remove))
        .route("/staff/accounts", get(accounts::list))
        .route(
            "/staff/accounts/{account}/password",
            post(accounts::reset_password),
        )
        .route(
            "/staff/accounts/{account}/second-factor",
            post(accounts::reset_second_factor),
        )
        .route("/staff/accounts/{account}/{change}", post(accounts::change))
        .route("/staff/accounts/{account}/ways", get(ways::show))
        .route("/staff/accounts/{account}/ways/link", post(ways::link))
        .route("/staff/accounts/{account}/ways/unlink", post(ways::unlink))
        .route(
            "/staff/accounts/{account}/ways/passkeys",
            post(ways::remove_passkeys),
        )
        .route("/staff/webhooks", get(webhooks::list).post(webhooks::add))
        .route("/staff/webhooks/{webhook}", get(webhooks::one))
        .route("/staff/webhooks/{webhook}/{change}", post(webhooks::change))
        .route("/staff/acts", get(acts::list))
        .route("/staff/stations", get(stations::list))
        .route("/staff/stations/{code}", get(stations::one))
        .route("/staff/figures", get(figures::overview))
        .route("/staff/figures/{code}", get(figures::rows))
        .route("/staff/figures/{code}/file", get(figures::file))
        .route("/staff/briefings", get(briefings::list).post(briefings::issue))
        .route("/staff/briefings/draft", get(briefings::draft))
        .route("/staff/house", get(house::list))
        .route("/staff/keys", get(keys::list).post(keys::add))
        .route("/staff/keys/{key}/revoke", post(keys::revoke))
        .route("/staff/notices", get(notices::show))
        .route("/staff/place", get(place::show).post(place::send))
        .route("/staff/place/apply", post(place::apply))
        .route("/staff/place/drop", post(place::discard))
        .route("/staff/handover", get(handover::handover).post(handover::keep))
        .route("/staff/report", get(report::ask).post(report::send))
}
