//! The place: what it is, its areas, units, services, standards, and the table of transitions.

use axum::{Json, extract::Path};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::{place::Level, transition::TRANSITIONS};

use super::{
    error::{Problem, Result},
    extract::{At, Query, Visit},
    read,
    wire::{
        Code,
        place::{
            Area, AreaDetail, AreaPage, AreaQuery, Located, Place, PlaceOnly, PointQuery, Privacy, Service,
            ServiceList, Standard, StandardList, StandardQuery, Transition, TransitionTable, Unit, UnitList,
        },
    },
};
use crate::App;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(place))
        .routes(routes!(privacy))
        .routes(routes!(areas))
        .routes(routes!(area_at))
        .routes(routes!(area))
        .routes(routes!(units))
        .routes(routes!(services))
        .routes(routes!(standards))
        .routes(routes!(transitions))
}

/// The place: name, languages, levels, rules.
#[utoipa::path(get, path = "/place", tag = "place", operation_id = "get_place", params(PlaceOnly),
    responses((status = 200, body = Place, description = "The place.")))]
async fn place(At(here): At, _known: Query<PlaceOnly>) -> Json<Place> {
    Json(here.place.as_ref().into())
}

/// What is stored about people: made from the store's own list of its columns.
#[utoipa::path(get, path = "/privacy", tag = "place", operation_id = "get_privacy", params(PlaceOnly),
    responses((status = 200, body = Privacy, description = "All that is stored about people, by what it is for.")))]
async fn privacy(At(here): At, _known: Query<PlaceOnly>) -> Json<Privacy> {
    Json(Privacy::of(&here))
}

/// The areas, in the order of their codes, page by page.
#[utoipa::path(get, path = "/areas", tag = "place", operation_id = "list_areas", params(AreaQuery),
    responses((status = 200, body = AreaPage, description = "A page of areas.")))]
async fn areas(At(here): At, Query(query): Query<AreaQuery>) -> Result<Json<AreaPage>> {
    let (place, limit) = (&here.place, read::limit(query.limit)?);
    let parent = match &query.parent {
        Some(code) => Some(found_area(&here.place, code.as_str())?),
        None => None,
    };
    let level = query.level.map(Level::from);
    let after = query.after.as_ref().map(|code| code.as_str());
    let wanted = place.areas.all().iter().filter(|area| {
        level.is_none_or(|level| area.level == level)
            && parent.is_none_or(|parent| area.parent == Some(parent))
            && after.is_none_or(|after| area.code.as_str() > after)
    });
    // All areas are in memory in the grid's order; one look at each is cheaper than keeping them in another order.
    let mut wanted: Vec<_> = wanted.collect();
    let more = wanted.len() > limit;
    if more {
        wanted.select_nth_unstable_by(limit, |a, b| a.code.cmp(&b.code));
        wanted.truncate(limit);
    }
    wanted.sort_unstable_by(|a, b| a.code.cmp(&b.code));
    let last = wanted.last().filter(|_| more);
    Ok(Json(AreaPage {
        next: last.map(|area| Code::of(&area.code)),
        items: wanted.into_iter().map(|area| Area::of(place, area)).collect(),
    }))
}

fn found_area(place: &whistle_domain::place::Place, code: &str) -> Result<whistle_domain::place::AreaIndex> {
    place
        .areas
        .find(code)
        .ok_or_else(|| Problem::not_found("area", code))
}

/// Where a point lies: the deepest area that holds it, and all above.
#[utoipa::path(get, path = "/areas/at", tag = "place", operation_id = "get_area_at", params(PointQuery),
    responses((status = 200, body = Located, description = "Where it lies. 404 outside the place.")))]
async fn area_at(At(here): At, Query(query): Query<PointQuery>) -> Result<Json<Located>> {
    let (place, point) = (&here.place, read::point(query.lon, query.lat)?);
    let outside = || Problem::not_found("area at point", format!("{}, {}", point.lon, point.lat));
    let index = place.areas.locate(point).ok_or_else(outside)?;
    Ok(Json(Located {
        point: point.into(),
        area: Area::of(place, place.areas.get(index)),
        path: (&place.areas.path(index)).into(),
    }))
}

/// One area, with what surrounds it.
#[utoipa::path(get, path = "/areas/{code}", tag = "place", operation_id = "get_area",
    params(("code" = Code, Path, description = "The area's code, percent-encoded; `at` is not a code."), PlaceOnly),
    responses((status = 200, body = AreaDetail, description = "The area.")))]
async fn area(At(here): At, Path(code): Path<String>, _known: Query<PlaceOnly>) -> Result<Json<AreaDetail>> {
    Ok(Json(AreaDetail::of(&here.place, found_area(&here.place, &code)?)))
}

/// All units: departments, teams, stations.
#[utoipa::path(get, path = "/units", tag = "place", operation_id = "list_units", params(PlaceOnly),
    responses((status = 200, body = UnitList, description = "The units.")))]
async fn units(At(here): At, _known: Query<PlaceOnly>) -> Json<UnitList> {
    let units = here.place.units().iter();
    Json(UnitList {
        items: units.map(|unit| Unit::of(&here.place, unit)).collect(),
    })
}

/// The services with their questions; staff see those that are not public too.
#[utoipa::path(get, path = "/services", tag = "place", operation_id = "list_services", params(PlaceOnly),
    security((), ("api_key" = []), ("session" = [])),
    responses((status = 200, body = ServiceList, description = "The services.")))]
async fn services(visit: Visit, _known: Query<PlaceOnly>) -> Json<ServiceList> {
    let all = visit.staff_if_any().is_some();
    let services = visit.here.place.services().iter();
    let shown = services.filter(|service| all || service.public || service.is_group());
    Json(ServiceList {
        items: shown.map(Service::from).collect(),
    })
}

/// The standards: limits, lead unit, closing condition and legal basis of each service.
#[utoipa::path(get, path = "/standards", tag = "place", operation_id = "list_standards", params(StandardQuery),
    security((), ("api_key" = []), ("session" = [])),
    responses((status = 200, body = StandardList, description = "The standards.")))]
async fn standards(visit: Visit, Query(query): Query<StandardQuery>) -> Result<Json<StandardList>> {
    let (place, all) = (&visit.here.place, visit.staff_if_any().is_some());
    let is_shown = |code: &str| place.service(code).is_some_and(|service| all || service.public);
    if let Some(code) = &query.service
        && !is_shown(code.as_str())
    {
        return Err(Problem::not_found("service", code.as_str()));
    }
    let shown = place.standards().iter().filter(|standard| {
        let service = standard.service.as_str();
        query.service.as_ref().is_none_or(|code| code.as_str() == service) && is_shown(service)
    });
    Ok(Json(StandardList {
        items: shown.map(Standard::from).collect(),
    }))
}

/// The table of transitions: what may be done to a case in which stage, by whom, and what it needs.
#[utoipa::path(get, path = "/transitions", tag = "place", operation_id = "list_transitions", params(PlaceOnly),
    responses((status = 200, body = TransitionTable, description = "The table.")))]
async fn transitions(_here: At, _known: Query<PlaceOnly>) -> Json<TransitionTable> {
    Json(TransitionTable {
        items: TRANSITIONS.iter().map(Transition::from).collect(),
    })
}
