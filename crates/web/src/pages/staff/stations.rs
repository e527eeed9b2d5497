//! The stations of the grid: all that a post sees, and one of them with its posts, its units, its figures and its whistles.

use std::collections::BTreeMap;

use askama::Template;
use axum::{extract::Path, response::Response};
use whistle_domain::{
    place::{Level, UnitKind},
    tally::Counted,
    whistle::Whistle,
};
use whistle_service::{
    station::{DAYS, Station},
    whistle::Query,
};

use super::session::Staff;
use crate::pages::{fault::Fault, page::Page};

/// Whistles that a station's page shows.
const WHISTLES: usize = 20;

/// The figures of a station, in the order of the columns.
const FIGURES: [Counted; 4] = [Counted::Open, Counted::Filed, Counted::Closed, Counted::Returned];

struct StationLine {
    href: String,
    name: String,
    area: String,
    /// How deep in the grid: `city`, `town`, `community`.
    level: &'static str,
    figures: Vec<i64>,
    posts: i64,
    vacant: i64,
}

struct PostLine {
    name: String,
    roles: String,
    is_vacant: bool,
}

struct UnitLine {
    name: String,
    phone: String,
    /// How many services it leads here.
    services: i64,
    href: String,
    /// Where its figures are.
    figures: String,
}

struct WhistleOn {
    number: String,
    kind: String,
    matter: String,
}

#[derive(Template)]
#[template(path = "staff/stations.html")]
struct StationsPage<'a> {
    p: &'a Page,
    days: i64,
    stations: Vec<StationLine>,
}

#[derive(Template)]
#[template(path = "staff/station.html")]
struct StationPage<'a> {
    p: &'a Page,
    days: i64,
    station: StationLine,
    phone: String,
    queue: String,
    /// Where the figures of its area are.
    figures: String,
    posts: Vec<PostLine>,
    units: Vec<UnitLine>,
    below: Vec<StationLine>,
    whistles: Vec<WhistleOn>,
}

fn line(page: &Page, station: &Station) -> StationLine {
    let area = page.here.place.areas.get(station.area);
    StationLine {
        href: format!("/staff/stations/{}", area.code),
        name: page.unit_name(station.unit.as_str()),
        area: page.area_name(area.code.as_str()),
        level: area.level.as_str(),
        figures: FIGURES.iter().map(|one| station.count(*one)).collect(),
        posts: station.posts.len() as i64,
        vacant: station.vacant() as i64,
    }
}

pub(crate) async fn list(staff: Staff) -> Result<Response, Fault> {
    let page = &staff.page;
    let stations = page.app.whistle.stations(&page.here, staff.actor()).await?;
    page.render(&StationsPage {
        p: page,
        days: i64::from(DAYS),
        stations: stations.iter().map(|one| line(page, one)).collect(),
    })
}

pub(crate) async fn one(staff: Staff, Path(code): Path<String>) -> Result<Response, Fault> {
    let (page, whistle) = (&staff.page, &staff.page.app.whistle);
    let place = &page.here.place;
    let all = whistle.stations(&page.here, staff.actor()).await?;
    let area = place.areas.find(&code);
    let found = area.and_then(|area| all.iter().find(|one| one.area == area));
    let Some(station) = found else {
        return Err(Fault::NoSuchPage);
    };
    let query = Query {
        area: Some(station.area),
        limit: WHISTLES,
        ..Query::default()
    };
    let whistles = whistle.whistles(&page.here, &query, staff.actor()).await?;
    let below = all.iter().filter(|one| {
        let level = place.areas.get(one.area).level;
        let next = place.areas.get(station.area).level.depth() + 1;
        level.depth() == next && place.areas.is_within(one.area, station.area)
    });
    page.render(&StationPage {
        p: page,
        days: i64::from(DAYS),
        station: line(page, station),
        phone: place
            .unit(station.unit.as_str())
            .map(|unit| unit.phone.clone())
            .unwrap_or_default(),
        queue: format!("/staff?tab=open&area={code}"),
        figures: format!("/figures/areas/{code}"),
        posts: posts(page, station),
        units: units(page, station),
        below: below.map(|one| line(page, one)).collect(),
        whistles: whistles.items.iter().map(|one| on(page, one)).collect(),
    })
}

fn posts(page: &Page, station: &Station) -> Vec<PostLine> {
    let line = |(code, holders): &(whistle_domain::words::PostCode, usize)| {
        let roles = page.here.place.post(code.as_str()).map(|post| {
            let roles = post.roles.iter().map(|role| page.words.of("role", role.as_str()));
            roles.collect::<Vec<_>>().join(&page.t("station-and"))
        });
        PostLine {
            name: page.post_name(code.as_str()),
            roles: roles.unwrap_or_default(),
            is_vacant: *holders == 0,
        }
    };
    station.posts.iter().map(line).collect()
}

/// The units to which routing leads in the area, with how many services each has, the busiest first.
fn units(page: &Page, station: &Station) -> Vec<UnitLine> {
    let place = &page.here.place;
    let mut services: BTreeMap<&str, i64> = BTreeMap::new();
    for standard in place.standards() {
        if let Some(unit) = place.lead(standard, station.area)
            && unit.kind != UnitKind::Station
        {
            *services.entry(unit.code.as_str()).or_default() += 1;
        }
    }
    let mut lines: Vec<UnitLine> = services
        .into_iter()
        .map(|(code, services)| UnitLine {
            name: page.unit_name(code),
            phone: place
                .unit(code)
                .map(|unit| unit.phone.clone())
                .unwrap_or_default(),
            services,
            figures: format!("/figures/units/{code}"),
            href: format!(
                "/staff?tab=open&unit={code}&area={}",
                place.areas.get(station.area).code
            ),
        })
        .collect();
    lines.sort_by_key(|line| -line.services);
    lines
}

fn on(page: &Page, whistle: &Whistle) -> WhistleOn {
    WhistleOn {
        number: whistle.number.to_string(),
        kind: page
            .here
            .place
            .whistle_kind(whistle.kind.as_str())
            .map_or(whistle.kind.as_str(), |kind| kind.name.get(page.lang()))
            .to_owned(),
        matter: whistle.matter.clone(),
    }
}

impl StationLine {
    fn is_city(&self) -> bool {
        self.level == Level::City.as_str()
    }
}
