//! The pages at `/field`, for those who are out and about: rounds, and the app that works without a network.
//!
//! Each page is complete without JavaScript while there is a network. `app` serves what the script keeps on the phone.

mod app;

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use whistle_domain::words::{RoundCode, StopCode};
use whistle_service::{
    Error,
    list::{Query, Viewer},
    round::{Walk, Walked},
};

use super::{
    fault::Fault,
    form::{Entered, with_query},
    page::Page,
    show::{Line, Moment},
    staff::{Staff, StaffForm},
};
use crate::routes::Routes;

/// Cases of the unit on the first page; the queue has them all.
const CASES: usize = 20;

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/field", get(home))
        .route("/field/rounds/{round}", get(round))
        .route("/field/rounds/{round}/print", get(sheet))
        .route("/field/stops/{stop}/seen", post(seen))
        .route("/field/session", get(app::session))
        .route("/field/shift", get(app::shift))
        .route("/field/more-rounds", get(app::more_rounds))
        .route("/field/shell/{lang}", get(app::shell))
        .route("/field/manifest/{lang}", get(app::manifest))
        .route("/field/worker.js", get(app::worker))
}

/// A round in a list.
struct RoundLine {
    href: String,
    name: String,
    area: String,
    stops: i64,
    due: i64,
}

#[derive(Template)]
#[template(path = "field/home.html")]
struct HomePage<'a> {
    p: &'a Page,
    rounds: Vec<RoundLine>,
    next: Option<String>,
    title: String,
    lines: Vec<Line>,
    /// What the script must load and know; none when this program was built without.
    app: Option<app::Start>,
}

async fn home(staff: Staff, Asked(asked): Asked<Vec<(String, String)>>) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let after: Option<RoundCode> = asked.some("after").and_then(|after| after.parse().ok());
    let whistle = &page.app.whistle;
    let rounds = whistle.rounds(&page.here, staff.actor(), after.as_ref()).await?;
    let own = Query {
        lead: Some(staff.signed.post.unit.clone()),
        order: whistle_service::list::Order::Due,
        limit: CASES,
        ..Query::default()
    };
    let cases = whistle
        .cases(&page.here, &own, Viewer::Staff(staff.actor()))
        .await?;
    let line = |walk: &Walk| RoundLine {
        href: format!("/field/rounds/{}", encoded(walk.round.code.as_str())),
        name: walk.round.name.get(page.lang()).to_owned(),
        area: page.area_name(page.here.place.areas.get(walk.round.area).code.as_str()),
        stops: walk.stops.len() as i64,
        due: walk.due() as i64,
    };
    page.render(&HomePage {
        p: page,
        rounds: rounds.items.iter().map(line).collect(),
        next: rounds
            .next
            .map(|next| with_query("/field", &[("after".to_owned(), next)])),
        title: page.t("field-cases"),
        lines: cases.items.iter().map(|case| page.staff_line(case)).collect(),
        app: app::Start::of(page),
    })
}

/// A code as a part of a path: codes may have a `/`.
fn encoded(code: &str) -> String {
    let query = with_query("", &[(String::new(), code.to_owned())]);
    query.trim_start_matches(['?', '=']).to_owned()
}

/// A stop of a round, and what can be done at it.
struct StopLine {
    code: String,
    name: String,
    asset: String,
    where_it_is: String,
    every: i64,
    is_due: bool,
    last: Option<Seen>,
    action: String,
    report: String,
    fix: String,
    key: String,
}

/// A day, to read and for programs.
struct Day {
    text: String,
    iso: String,
}

/// On which day a stop was last seen.
struct Seen {
    finding: String,
    unit: Option<String>,
    made: Day,
    /// Where that was later.
    received: Option<String>,
}

#[derive(Template)]
#[template(path = "field/round.html")]
struct RoundPage<'a> {
    p: &'a Page,
    name: String,
    area: String,
    round: String,
    /// The same on paper.
    print: String,
    may_walk: bool,
    stops: Vec<StopLine>,
    done: Option<String>,
}

async fn round(
    staff: Staff,
    Path(code): Path<String>,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let page = &staff.page;
    let walk = page.app.whistle.round(&page.here, &code, staff.actor()).await?;
    let asked = Entered::new(asked);
    let done = asked.some("seen").and_then(|seen| page.here.place.stop(seen));
    page.render(&RoundPage {
        p: page,
        name: walk.round.name.get(page.lang()).to_owned(),
        area: page.area_name(page.here.place.areas.get(walk.round.area).code.as_str()),
        round: walk.round.code.to_string(),
        print: format!("/field/rounds/{}/print", encoded(walk.round.code.as_str())),
        may_walk: walk.may_walk,
        stops: walk.stops.iter().map(|stop| page.stop_line(stop)).collect(),
        done: done.map(|(_, stop)| page.x("field-seen-done", stop.name.get(page.lang()))),
    })
}

/// A round on paper.
#[derive(Template)]
#[template(path = "field/sheet.html")]
struct Sheet<'a> {
    p: &'a Page,
    name: String,
    area: String,
    round: String,
    due: i64,
    stops: Vec<StopLine>,
    printed: Moment,
}

/// The sheet of a round: its stops with boxes to tick, for who goes without a phone. What is found is entered afterwards.
async fn sheet(staff: Staff, Path(code): Path<String>) -> Result<Response, Fault> {
    let page = &staff.page;
    let walk = page.app.whistle.round(&page.here, &code, staff.actor()).await?;
    page.render(&Sheet {
        p: page,
        name: walk.round.name.get(page.lang()).to_owned(),
        area: page.area_name(page.here.place.areas.get(walk.round.area).code.as_str()),
        round: encoded(walk.round.code.as_str()),
        due: walk.due() as i64,
        stops: walk.stops.iter().map(|stop| page.stop_line(stop)).collect(),
        printed: page.moment(page.now),
    })
}

impl Page {
    fn stop_line(&self, walked: &Walked) -> StopLine {
        let stop = &walked.stop;
        let report = |fixed: bool| {
            let mut pairs = vec![
                ("stop".to_owned(), stop.code.to_string()),
                ("lat".to_owned(), stop.point.lat.to_string()),
                ("lon".to_owned(), stop.point.lon.to_string()),
                ("address".to_owned(), stop.name.get(self.lang()).to_owned()),
                ("channel".to_owned(), "patrol".to_owned()),
            ];
            pairs.extend(
                stop.service
                    .iter()
                    .map(|code| ("service".to_owned(), code.to_string())),
            );
            if fixed {
                pairs.push(("fixed".to_owned(), "yes".to_owned()));
            }
            with_query("/staff/report", &pairs)
        };
        StopLine {
            code: stop.code.to_string(),
            name: stop.name.get(self.lang()).to_owned(),
            asset: stop.asset.clone(),
            where_it_is: format!("{:.5}, {:.5}", stop.point.lat, stop.point.lon),
            every: i64::from(stop.every_days),
            is_due: walked.is_due,
            last: walked.last.as_ref().map(|look| Seen {
                finding: self.of_kind("finding", look.finding.as_str()),
                unit: look.unit.as_ref().map(|unit| self.unit_name(unit.as_str())),
                made: Day {
                    text: self.words.date(look.made_on),
                    iso: look.made_on.to_string(),
                },
                received: (look.received_on > look.made_on).then(|| self.words.date(look.received_on)),
            }),
            action: format!("/field/stops/{}/seen", encoded(stop.code.as_str())),
            report: report(false),
            fix: report(true),
            key: self.app.whistle.fresh_token(),
        }
    }
}

/// "Seen, fine", from the form of a page.
async fn seen(Path(code): Path<String>, form: StaffForm) -> Result<Response, Fault> {
    let (page, fields) = (&form.staff.page, &form.posted.fields);
    let unknown = |_| Error::NotFound {
        what: "stop",
        id: code.clone(),
    };
    let stop: StopCode = code.parse().map_err(unknown)?;
    let key = fields.some("key").map(str::to_owned);
    page.app
        .whistle
        .saw_fine(&page.here, &stop, None, form.staff.actor(), key)
        .await?;
    let to = format!("/field/rounds/{}", encoded(fields.get("round")));
    let to = with_query(&to, &[("seen".to_owned(), stop.to_string())]);
    Ok(Redirect::to(&to).into_response())
}
