//! The dispatch board: for the area that a post sees, who has what to do and by when, which whistles are on and who has come. For a desk
//! or a wall; it follows what happens.

use askama::Template;
use axum::response::Response;
use whistle_domain::{
    case::Case,
    rights,
    whistle::{Call, Whistle},
};
use whistle_service::{
    list::{Order, Query, Viewer},
    whistle::Query as WhistleQuery,
};

use super::{live::Script, session::Staff};
use crate::pages::{
    fault::Fault,
    page::Page,
    show::{Due, Line},
};

/// Cases on the board, those that are due first: what a few dispatchers keep in sight.
const CASES: usize = 200;

/// Cases of a unit that are written out; of more it is said how many.
const OF_UNIT: usize = 6;

/// Cases of all units that are due next.
const NEXT: usize = 8;

/// Whistles on the board.
const WHISTLES: usize = 20;

/// What the script of the board says.
const WORDS: [&str; 2] = ["live-over", "live-away"];

/// What a unit has to do.
struct Column {
    unit: String,
    /// Where all of it is listed.
    href: String,
    lines: Vec<Line>,
    count: i64,
    overdue: i64,
    /// How many have not been reported in to.
    called: i64,
    more: usize,
}

/// A whistle with those that it calls.
struct Blown {
    number: String,
    kind: String,
    place: String,
    there: String,
    calls: Vec<CallLine>,
}

struct CallLine {
    unit: String,
    state: String,
    is_there: bool,
    due: Option<Due>,
}

#[derive(Template)]
#[template(path = "staff/board.html")]
struct Board<'a> {
    p: &'a Page,
    script: Script,
    place: String,
    sees_stations: bool,
    next: Vec<Line>,
    columns: Vec<Column>,
    whistles: Vec<Blown>,
    /// Whether there are more cases than the board holds.
    is_full: bool,
    most: i64,
}

pub(crate) async fn board(staff: Staff) -> Result<Response, Fault> {
    let page = &staff.page;
    let sight = rights::sight(staff.actor(), &page.here.place);
    let query = Query {
        order: Order::Due,
        open: Some(true),
        limit: CASES,
        ..Query::default()
    };
    let whistle = &page.app.whistle;
    let found = whistle
        .cases(&page.here, &query, Viewer::Staff(staff.actor()))
        .await?;
    let query = WhistleQuery {
        // Who sees no area, or only some of it, sees what calls their unit.
        called: sight.area.is_none() || !sight.narrowed.is_whole(),
        limit: WHISTLES,
        ..WhistleQuery::default()
    };
    let whistles = whistle.whistles(&page.here, &query, staff.actor()).await?;
    let area = sight.area.map(|area| &page.here.place.areas.get(area).code);
    page.render(&Board {
        p: page,
        script: page.script("src/board.ts", "/staff/board", &WORDS),
        place: area.map_or_else(
            || page.unit_name(staff.signed.post.unit.as_str()),
            |area| page.area_name(area.as_str()),
        ),
        sees_stations: sight
            .area
            .is_some_and(|area| rights::may_see_station(staff.actor(), &page.here.place, area)),
        next: found
            .items
            .iter()
            .take(NEXT)
            .map(|case| page.staff_line(case))
            .collect(),
        columns: columns(page, &found.items),
        whistles: whistles.items.iter().map(|one| blown(page, one)).collect(),
        is_full: found.next.is_some(),
        most: CASES as i64,
    })
}

/// The cases by the unit that leads; who is due first comes first.
fn columns(page: &Page, cases: &[Case]) -> Vec<Column> {
    let mut columns: Vec<(&str, Vec<&Case>)> = Vec::new();
    for case in cases {
        let unit = case.lead.as_ref().map_or("", |unit| unit.as_str());
        match columns.iter_mut().find(|(known, _)| *known == unit) {
            Some((_, of_unit)) => of_unit.push(case),
            None => columns.push((unit, vec![case])),
        }
    }
    columns
        .into_iter()
        .map(|(unit, cases)| column(page, unit, &cases))
        .collect()
}

fn column(page: &Page, unit: &str, cases: &[&Case]) -> Column {
    let count = |holds: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| holds(case)).count() as i64;
    Column {
        unit: if unit.is_empty() {
            page.t("no-unit")
        } else {
            page.unit_name(unit)
        },
        href: if unit.is_empty() {
            "/staff?tab=open".to_owned()
        } else {
            format!("/staff?tab=open&unit={unit}")
        },
        lines: cases
            .iter()
            .take(OF_UNIT)
            .map(|case| page.staff_line(case))
            .collect(),
        count: cases.len() as i64,
        overdue: count(&|case| {
            case.clocks
                .next_due()
                .is_some_and(|clock| clock.is_overdue(page.now))
        }),
        called: count(&|case| case.state == whistle_domain::case::State::Assigned),
        more: cases.len().saturating_sub(OF_UNIT),
    }
}

fn blown(page: &Page, whistle: &Whistle) -> Blown {
    let call = |call: &Call| CallLine {
        unit: page.unit_name(call.unit.as_str()),
        state: page.words.of("call-state", call.state.as_str()),
        is_there: call.reported_in_at.is_some(),
        due: call.clocks.next_due().map(|clock| page.due(clock)),
    };
    Blown {
        number: whistle.number.to_string(),
        kind: page.whistle_kind(whistle),
        place: whistle.place.clone(),
        there: page.there(whistle),
        calls: whistle.calls.iter().map(call).collect(),
    }
}
