//! Service requests as others read them: many, one, and the id of a token. Only public cases, through the domain's
//! sieve for the public; nothing of a reporter is here to be shown.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::{
    Extension,
    extract::{Path, rejection::PathRejection},
    response::Response,
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use whistle_domain::{
    case::{Answer, Case, Event, Outcome},
    clock::ClockKind,
    geometry::BBox,
    mask::mask,
    place::{Place, Standard},
    public,
    words::{AreaCode, CaseNumber, Lang, ServiceCode},
};
use whistle_service::{
    Here,
    list::{DEFAULT_PAGE, MAX_PAGE, Order, Page, Query, Viewer},
};

use super::{
    answer::{Fault, Faults, Node, quoted},
    asked::{Asked, datetime, public_service, stem},
    cursors::{Cursors, Key},
    parameters::Parameters,
    services::value,
    words,
};

/// The span of a search that names none, and the longest (B7).
pub(super) const WINDOW: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The most requests of a page that was asked for; without paging the specification's 1000.
pub(super) const MAX_PAGE_SIZE: usize = 500;

/// The radius around lat and long when none is given, in metres.
const DEFAULT_RADIUS: f64 = 1000.0;

/// The most ids of one question.
const MAX_IDS: usize = 1000;

/// GET requests.
pub(super) async fn list(
    asked: Asked,
    Extension(cursors): Extension<Arc<Cursors>>,
) -> Result<Response, Faults> {
    let here = asked.here(&asked.query)?;
    let cases = if asked.query.one("service_request_id").is_some() {
        named(&asked, &here).await?
    } else {
        searched(&asked, &here, &cursors).await?
    };
    answer(&asked, &here, &cases).await
}

/// The cases of a list of ids, newest first. The ids override every other argument; an id that is none finds nothing.
async fn named(asked: &Asked, here: &Here) -> Result<Vec<Case>, Faults> {
    let ids: HashSet<CaseNumber> = asked
        .query
        .list("service_request_id")
        .filter_map(|id| id.parse().ok())
        .collect();
    if ids.len() > MAX_IDS {
        let most = MAX_IDS.to_string();
        return Err(Fault::bad("open311-too-many-ids", &[("most", &most)]).into());
    }
    let numbers = ids.into_iter().collect();
    let mut cases = asked.done(asked.app.whistle.public_cases(here, numbers).await)?;
    cases.sort_unstable_by_key(|case| std::cmp::Reverse((case.times.reported_at, case.number)));
    Ok(cases)
}

async fn searched(asked: &Asked, here: &Here, cursors: &Cursors) -> Result<Vec<Case>, Faults> {
    let now = asked.app.whistle.now();
    let page = Paging::of(&asked.query)?;
    let mut query = query(&asked.query, here, now)?;
    query.limit = page.size;
    let list = list_name(asked, here, page.size);
    // Before the list is read: what is written meanwhile makes a counted key old at once.
    let load = asked.app.whistle.load();
    let commits = match query.order {
        Order::Updated => load.commits_of_cases,
        _ => load.commits_of_lists,
    };
    let find = || cursors.find(&list, page.number, now, commits);
    query.after = find();
    let mut turn = None;
    if query.after.is_none() && page.number > 1 {
        turn = Some(cursors.turn(&list, page.number).await);
        query.after = find();
    }
    if query.after.is_some() {
        turn = None;
    } else {
        query.skip = (page.number - 1).saturating_mul(page.size);
    }
    let found = asked.app.whistle.cases(here, &query, Viewer::Public).await;
    let Page { items, again, next } = asked.done(found)?;
    if let Some(again) = again {
        cursors.keep(list.clone(), page.number, Key::Counted(again, commits), now);
    }
    drop(turn);
    if let Some(next) = next {
        cursors.keep(list, page.number + 1, Key::Walked(next), now);
    }
    Ok(items)
}

/// What tells one list from another: all that was asked but the page, and how the answer looks.
fn list_name(asked: &Asked, here: &Here, size: usize) -> String {
    let mut name = format!("{} by {size}", here.id.0);
    for (parameter, value) in asked.query.iter() {
        if !matches!(
            parameter,
            "page" | "page_size" | "api_key" | "extensions" | "locale" | "jurisdiction_id"
        ) {
            name.extend(["\n", parameter, "=", value]);
        }
    }
    name
}

/// Which page, from 1 on, and how many on each.
pub(super) struct Paging {
    pub(super) number: usize,
    pub(super) size: usize,
}

impl Paging {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, Fault> {
        let (number, size) = (parameters.count("page")?, parameters.count("page_size")?);
        let size = match (number, size) {
            (None, None) => MAX_PAGE,
            (_, size) => size.unwrap_or(DEFAULT_PAGE).min(MAX_PAGE_SIZE),
        };
        Ok(Self {
            number: number.unwrap_or(1),
            size,
        })
    }
}

/// The span between start_date and end_date: 90 days at most, cut at its end; the last 90 days when neither is given.
pub(super) fn window(
    parameters: &Parameters,
    now: Timestamp,
    zone: &TimeZone,
) -> Result<(Timestamp, Timestamp), Fault> {
    let start = parameters.time_from("start_date", zone)?;
    let end = parameters.time_to("end_date", zone)?;
    let earlier = |t: Timestamp| t.checked_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let later = |t: Timestamp| t.checked_add(WINDOW).unwrap_or(Timestamp::MAX);
    Ok(match (start, end) {
        (Some(start), end) => (start, end.map_or(later(start), |end| end.min(later(start)))),
        (None, Some(end)) => (earlier(end), end),
        (None, None) => (earlier(now), now),
    })
}

fn query(parameters: &Parameters, here: &Here, now: Timestamp) -> Result<Query, Faults> {
    let zone = here.place.calendar.zone();
    let mut faults = Faults::default();
    let mut query = Query::default();
    for code in parameters.list("service_code") {
        if let Some(code) = faults.take(service_or_group(&here.place, code))
            && !query.services.contains(&code)
        {
            query.services.push(code);
        }
    }
    query.open = faults.take(is_open(parameters)).flatten();
    query.updated_from = faults.take(parameters.time_from("updated_after", zone)).flatten();
    query.updated_to = faults.take(parameters.time_to("updated_before", zone)).flatten();
    let follows = query.updated_from.is_some() || query.updated_to.is_some();
    let spans = parameters.one("start_date").is_some() || parameters.one("end_date").is_some();
    if let Some((from, to)) = faults.take(window(parameters, now, zone))
        && (spans || !follows)
    {
        query.reported_from = Some(from);
        query.reported_to = Some(to);
    }
    // Who follows the changes needs an order in which what changes meanwhile comes later.
    query.order = if follows { Order::Updated } else { Order::Newest };
    query.bbox = faults.take(bbox(parameters)).flatten();
    let point = faults.take(parameters.point()).flatten();
    let radius = faults.take(parameters.metres("radius")).flatten();
    query.near = point.map(|point| (point, radius.unwrap_or(DEFAULT_RADIUS)));
    faults.none()?;
    Ok(query)
}

fn service_or_group(place: &Place, code: &str) -> Result<ServiceCode, Fault> {
    match place.service(code) {
        Some(group) if group.is_group() => Ok(group.code.clone()),
        _ => public_service(place, code).map(|service| service.code.clone()),
    }
}

/// Open ones, closed ones, or both.
fn is_open(parameters: &Parameters) -> Result<Option<bool>, Fault> {
    let (mut open, mut closed) = (false, false);
    for status in parameters.list("status") {
        match status.to_ascii_lowercase().as_str() {
            "open" => open = true,
            "closed" => closed = true,
            _ => {
                return Err(Fault::bad(
                    "open311-no-status",
                    &[("x", &quoted(status)), ("known", "open, closed")],
                ));
            }
        }
    }
    Ok((open != closed).then_some(open))
}

fn bbox(parameters: &Parameters) -> Result<Option<BBox>, Fault> {
    let Some(text) = parameters.one("bbox") else {
        return Ok(None);
    };
    let wrong = || Fault::bad("open311-no-box", &[]);
    let sides: Vec<f64> = text
        .split(',')
        .map(|side| side.trim().parse().ok())
        .collect::<Option<_>>()
        .ok_or_else(wrong)?;
    let [west, south, east, north] = sides[..] else {
        return Err(wrong());
    };
    BBox::new(west, south, east, north).map(Some).map_err(|_| wrong())
}

/// GET requests/ID.
pub(super) async fn one(asked: Asked, path: Result<Path<String>, PathRejection>) -> Result<Response, Faults> {
    let (here, case) = public_case(&asked, &stem(path)?).await?;
    answer(&asked, &here, &[case]).await
}

/// GET tokens/TOKEN: every report gets its number at once, so the number is its own token.
pub(super) async fn token(
    asked: Asked,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Faults> {
    let (_, case) = public_case(&asked, &stem(path)?).await?;
    let number = case.number.to_string();
    let request = Node::Object(vec![
        ("service_request_id", number.clone().into()),
        ("token", number.into()),
    ]);
    Ok(asked.answer("service_requests", &Node::List("request", vec![request])))
}

async fn public_case(asked: &Asked, id: &str) -> Result<(Here, Case), Faults> {
    let here = asked.here(&asked.query)?;
    let unknown = || Fault::not_found("open311-no-request", &[("x", &quoted(id))]);
    let number: CaseNumber = id.parse().map_err(|_| unknown())?;
    let case = match asked.app.whistle.case(&here, number).await {
        Ok(case) if case.public => case,
        Ok(_) | Err(whistle_service::Error::NotFound { .. }) => return Err(unknown().into()),
        Err(error) => return asked.done(Err(error)),
    };
    Ok((here, case))
}

async fn answer(asked: &Asked, here: &Here, cases: &[Case]) -> Result<Response, Faults> {
    let more = if asked.query.is_true("extensions") {
        Some(More::of(asked, here, cases).await?)
    } else {
        None
    };
    let base = asked.base();
    let view = View {
        place: &here.place,
        lang: asked.language(&here.place, &asked.query),
        base: &base,
        more: more.as_ref(),
    };
    let requests = cases.iter().map(|case| view.request(case)).collect();
    Ok(asked.answer("service_requests", &Node::List("request", requests)))
}

/// What the extensions need besides the cases; read for all of them at once.
struct More {
    timelines: HashMap<CaseNumber, Vec<public::Entry>>,
    public_originals: HashSet<CaseNumber>,
}

impl More {
    async fn of(asked: &Asked, here: &Here, cases: &[Case]) -> Result<Self, Faults> {
        let whistle = &asked.app.whistle;
        let numbers = cases.iter().map(|case| case.number).collect();
        let logs: HashMap<_, Vec<Event>> = asked.done(whistle.logs(here, numbers).await)?;
        let originals: Vec<_> = cases.iter().filter_map(|case| case.duplicate_of).collect();
        let originals = if originals.is_empty() {
            Vec::new()
        } else {
            asked.done(whistle.public_cases(here, originals).await)?
        };
        Ok(Self {
            timelines: logs
                .into_iter()
                .map(|(number, log)| (number, public::timeline(&log)))
                .collect(),
            public_originals: originals.into_iter().map(|case| case.number).collect(),
        })
    }
}

/// How cases are shown in one answer.
struct View<'a> {
    place: &'a Place,
    lang: Lang,
    base: &'a str,
    more: Option<&'a More>,
}

impl<'a> View<'a> {
    fn datetime(&self, at: Timestamp) -> Node<'a> {
        datetime(at, self.place.calendar.zone()).into()
    }

    fn request(&self, case: &'a Case) -> Node<'a> {
        let service = self.place.service(case.service.as_str());
        let service_name = service.map_or(case.service.as_str(), |service| service.name.get(self.lang));
        let lead = case.lead.as_ref();
        let agency = lead.map(|code| {
            let unit = self.place.unit(code.as_str());
            unit.map_or(code.as_str(), |unit| unit.name.get(self.lang))
        });
        let is_open = case.state.is_open();
        let updated_at = case.times.closed_at.filter(|_| !is_open);
        let resolve = case.clocks.get(ClockKind::Resolve);
        let point = case.location.point;
        let mut photos = public::photos(case);
        let photo = photos
            .next()
            .map(|photo| photo_url(self.base, case.number, &photo.id));
        let mut fields = Vec::with_capacity(if self.more.is_some() { 20 } else { 17 });
        fields.extend([
            ("service_request_id", case.number.to_string().into()),
            ("status", if is_open { "open" } else { "closed" }.into()),
            ("status_notes", public::resolution(case).into()),
            ("service_name", service_name.into()),
            ("service_code", case.service.as_str().into()),
            ("description", public::description(case).into()),
            ("agency_responsible", agency.into()),
            (
                "service_notice",
                words::notice(self.standard(case), self.lang).into(),
            ),
            ("requested_datetime", self.datetime(case.times.reported_at)),
            (
                "updated_datetime",
                self.datetime(updated_at.unwrap_or(case.times.updated_at)),
            ),
            (
                "expected_datetime",
                resolve.map_or(Node::Null, |clock| self.datetime(clock.due_at)),
            ),
            ("address", public::address(case).into()),
            (
                "address_id",
                case.location.areas.deepest().map(AreaCode::as_str).into(),
            ),
            ("zipcode", Node::Null),
            ("lat", point.map_or(Node::Null, |point| Node::Degrees(point.lat))),
            ("long", point.map_or(Node::Null, |point| Node::Degrees(point.lon))),
            ("media_url", photo.into()),
        ]);
        if let Some(more) = self.more {
            fields.push(("attributes", self.attributes(case)));
            fields.push(("extended_attributes", self.extended(case, more)));
            fields.push(("notes", self.notes(case, more)));
        }
        Node::Object(fields)
    }

    /// The standard that a case is held to; the service's default one before it is accepted.
    fn standard(&self, case: &Case) -> Option<&'a Standard> {
        let held = case.standard.as_ref();
        held.and_then(|code| self.place.standard(code.as_str()))
            .or_else(|| self.place.default_standard(&case.service))
    }

    fn attributes(&self, case: &'a Case) -> Node<'a> {
        let attributes = case.answers.iter().map(|answer| self.attribute(case, answer));
        Node::List("attribute", attributes.collect())
    }

    fn attribute(&self, case: &Case, answer: &'a Answer) -> Node<'a> {
        let question = self
            .place
            .service(case.service.as_str())
            .and_then(|service| service.questions.iter().find(|q| q.code == answer.question));
        let label = question.map(|question| question.label.get(self.lang));
        let values = answer.values.iter().map(|given| {
            let choice = question.and_then(|q| q.values.iter().find(|(key, _)| key == given));
            if let Some((key, name)) = choice {
                value(key, name.get(self.lang))
            } else {
                let shown = mask(given);
                Node::Object(vec![("key", shown.clone().into()), ("name", shown.into())])
            }
        });
        Node::Object(vec![
            ("code", answer.question.as_str().into()),
            ("description", label.into()),
            ("values", Node::List("value", values.collect())),
        ])
    }

    fn extended(&self, case: &'a Case, more: &More) -> Node<'a> {
        let urls = public::photos(case).map(|photo| photo_url(self.base, case.number, &photo.id).into());
        let original = case.duplicate_of.filter(|n| more.public_originals.contains(n));
        Node::Object(vec![
            ("title", title(&public::description(case)).into()),
            ("detailed_status", words::detailed_status(case.state).into()),
            (
                "outcome",
                case.state
                    .outcome()
                    .filter(|_| !case.state.is_open())
                    .map(Outcome::as_str)
                    .into(),
            ),
            // A case has a place, not yet an asset that it is about.
            ("service_object_id", Node::Null),
            ("media_urls", Node::List("media_url", urls.collect())),
            ("channel", case.channel.as_str().into()),
            ("reports", Node::Whole(i64::from(case.reports))),
            (
                "parent_service_request_id",
                original.map(|n| n.to_string()).into(),
            ),
        ])
    }

    fn notes(&self, case: &Case, more: &'a More) -> Node<'a> {
        let entries = more.timelines.get(&case.number).map_or(&[][..], Vec::as_slice);
        let notes = entries.iter().map(|entry| {
            Node::Object(vec![
                ("datetime", self.datetime(entry.at)),
                ("type", entry.event.into()),
                ("summary", words::summary(entry, self.place, self.lang).into()),
                ("description", entry.text.as_str().into()),
            ])
        });
        Node::List("note", notes.collect())
    }
}

/// Where a photo is seen; a page of ours.
pub(super) fn photo_url(base: &str, number: CaseNumber, photo: &str) -> String {
    format!("{base}/cases/{number}/photos/{photo}")
}

/// The first line of a text, short enough for a heading.
fn title(text: &str) -> String {
    const LETTERS: usize = 80;
    let line = text.lines().next().unwrap_or_default().trim();
    match line.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}
