//! What an administrator keeps: the way to each page of it.

use askama::Template;
use axum::response::Response;
use whistle_domain::{case::Actor, place::Place, rights};

use super::session::Staff;
use crate::pages::{fault::Fault, page::Page};

/// A page of the house: where it is, its title and what is done there, and who may.
struct Door {
    to: &'static str,
    title: &'static str,
    hint: &'static str,
    may: fn(&Actor, &Place) -> bool,
}

const DOORS: [Door; 6] = [
    Door {
        to: "/staff/accounts",
        title: "accounts-title",
        hint: "house-accounts",
        may: rights::may_administer,
    },
    Door {
        to: "/staff/place",
        title: "place-title",
        hint: "house-place",
        may: rights::may_keep_place,
    },
    Door {
        to: "/staff/notices",
        title: "templates-title",
        hint: "house-templates",
        may: rights::may_keep_place,
    },
    Door {
        to: "/staff/keys",
        title: "keys-title",
        hint: "house-keys",
        may: rights::may_keep_keys,
    },
    Door {
        to: "/staff/webhooks",
        title: "webhooks-title",
        hint: "house-webhooks",
        may: rights::may_keep_webhooks,
    },
    Door {
        to: "/staff/acts",
        title: "audit-title",
        hint: "house-acts",
        may: rights::may_read_acts,
    },
];

#[derive(Template)]
#[template(path = "staff/house.html")]
struct HousePage<'a> {
    p: &'a Page,
    doors: Vec<&'static Door>,
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    let (page, by) = (&staff.page, staff.actor());
    let doors: Vec<_> = DOORS
        .iter()
        .filter(|door| (door.may)(by, &page.here.place))
        .collect();
    if doors.is_empty() {
        return Err(whistle_service::Error::Forbidden.into());
    }
    page.render(&HousePage { p: page, doors })
}
