//! Cases: listed, read, acted upon.

use axum::{
    Json as Answer,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::IntoResponse,
};
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::{
    case::{Actor, Case, Event},
    command::Refusal,
    geometry::BBox,
    public,
    rights::{self, Scope},
    words::{CaseNumber, Lang},
};
use whistle_service::{
    Error, Here,
    case::{Acted, Sent},
    list::{self, Viewer},
    media::Size,
};

use super::{
    ActVersion, act_version,
    error::{Changes, ErrorAnswer, Problem, Result},
    extract::{Caller, Json, Known, Query, Visit, header_text},
    read,
    wire::{
        Code, Time,
        act::Act,
        case::{
            CaseListQuery, CasePage, CaseQuery, CaseView, ContactList, Count, CountList, CountQuery, Depth,
            EventLog, Order, PhotoQuery, PhotoSize, PublicCase, ReportContact, ReporterCase, StaffCase, View,
        },
        place::PlaceOnly,
    },
};
use crate::{App, guard};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(cases))
        .routes(routes!(case))
        .routes(routes!(events))
        .routes(routes!(contacts))
        .routes(routes!(photo))
        .routes(routes!(act))
        .routes(routes!(counts))
}

/// Whose eyes see a case.
enum Eyes {
    Public,
    Reporter(Actor),
    Staff(Actor),
}

/// A case with its log and the eyes that see it; "not found" when they may not.
async fn look(
    app: &App,
    visit: &Visit,
    number: &str,
    view: Option<View>,
) -> Result<(Case, Vec<Event>, Eyes)> {
    let (whistle, here) = (&app.whistle, &visit.here);
    let number = read::number(number)?;
    // Tried first: a code that opens nothing is refused, whoever else asks and whatever they want to see.
    let opened = match &visit.code {
        Some(code) => Some(
            guard::case_by_code(whistle, here, number, code)
                .await
                .map_err(Problem::code)?,
        ),
        None => None,
    };
    if opened.is_some() && visit.staff_if_any().is_some() {
        return Err(Problem::several_callers("X-Pickup-Code"));
    }
    let signed_in = match view {
        Some(View::Staff) => Some(visit.staff()?),
        Some(View::Public) => None,
        None => visit.staff_if_any(),
    };
    if let Some(signed_in) = signed_in {
        let (case, log) = whistle.case_and_log(here, number).await?;
        if rights::may_see(&case, &signed_in.actor, &here.place) {
            return Ok((case, log, Eyes::Staff(signed_in.actor.clone())));
        }
        return if case.public && view.is_none() {
            Ok((case, log, Eyes::Public))
        } else {
            Err(Problem::not_found("case", number))
        };
    }
    if let (Some((case, log, reporter)), None) = (opened, view) {
        return Ok((case, log, Eyes::Reporter(reporter)));
    }
    let (case, log) = whistle.public_case_and_log(here, number).await?;
    Ok((case, log, Eyes::Public))
}

fn show(app: &App, here: &Here, case: &Case, eyes: &Eyes, lang: Option<Lang>) -> CaseView {
    let place = &here.place;
    let lang = lang.unwrap_or_else(|| place.jurisdiction.languages.first().copied().unwrap_or_default());
    match eyes {
        Eyes::Public => CaseView::Public(PublicCase::of(case, place)),
        Eyes::Reporter(actor) => CaseView::Reporter(ReporterCase::of(case, actor, place, app.whistle.now())),
        Eyes::Staff(actor) => {
            let depth = Depth::Whole(actor, lang);
            CaseView::Staff(Box::new(StaffCase::of(case, place, app.whistle.now(), depth)))
        }
    }
}

/// Cases: filtered, in one order, page by page. With a session: those that the post may see; else the public ones.
#[utoipa::path(get, path = "/cases", tag = "cases", operation_id = "list_cases", params(CaseListQuery),
    security((), ("api_key" = []), ("session" = [])),
    responses(
        (status = 200, body = CasePage, description = "A page of cases."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn cases(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<CaseListQuery>,
) -> Result<Answer<CasePage>> {
    let signed_in = match query.view {
        Some(View::Staff) => Some(visit.staff()?),
        Some(View::Public) => None,
        None => visit.staff_if_any(),
    };
    let viewer = signed_in.map_or(Viewer::Public, |signed_in| Viewer::Staff(&signed_in.actor));
    let place = &visit.here.place;
    let page = app.whistle.cases(&visit.here, &wanted(query)?, viewer).await?;
    let now = app.whistle.now();
    let view = |case: &Case| match viewer {
        Viewer::Public => CaseView::Public(PublicCase::of(case, place)),
        Viewer::Staff(_) => CaseView::Staff(Box::new(StaffCase::of(case, place, now, Depth::Row))),
    };
    Ok(Answer(CasePage {
        items: page.items.iter().map(view).collect(),
        next: page.next,
    }))
}

/// The service's query.
fn wanted(query: CaseListQuery) -> Result<list::Query> {
    let bbox = match query.bbox.as_slice() {
        [] => None,
        [west, south, east, north] => {
            let bbox = BBox::new(*west, *south, *east, *north);
            Some(bbox.map_err(|error| Problem::value("bbox", error.to_string()))?)
        }
        _ => return Err(Problem::value("bbox", "write west,south,east,north")),
    };
    let near = match (query.lon, query.lat, query.radius) {
        (None, None, None) => None,
        (Some(lon), Some(lat), Some(radius)) if radius > 0.0 && radius <= MAX_RADIUS => {
            Some((read::point(lon, lat)?, radius))
        }
        (Some(_), Some(_), Some(_)) => {
            return Err(Problem::value(
                "radius",
                format!("a radius is more than 0 and at most {MAX_RADIUS} metres"),
            ));
        }
        _ => return Err(Problem::value("radius", "lon, lat and radius go together")),
    };
    Ok(list::Query {
        open: query.open,
        stages: query.stage.into_iter().map(Into::into).collect(),
        services: query.service.iter().map(read::service).collect::<Result<_>>()?,
        area: query.area.as_ref().map(read::area).transpose()?,
        lead: query.unit.as_ref().map(read::unit).transpose()?,
        part: query.joint.as_ref().map(read::unit).transpose()?,
        escalated: query.escalated.map(Into::into),
        reported_from: query.reported_from.map(|time| time.0),
        reported_to: query.reported_to.map(|time| time.0),
        updated_from: query.updated_from.map(|time| time.0),
        updated_to: query.updated_to.map(|time| time.0),
        due_before: query.due_before.map(|time| time.0),
        bbox,
        near,
        text: query.q,
        order: match query.order {
            Order::Newest => whistle_service::list::Order::Newest,
            Order::Updated => whistle_service::list::Order::Updated,
            Order::Due => whistle_service::list::Order::Due,
        },
        after: query.after.map(|cursor| cursor.0),
        limit: read::limit(query.limit)?,
        ..list::Query::default()
    })
}

/// The widest circle of a list, in metres: a large city.
const MAX_RADIUS: f64 = 100_000.0;

/// One case: for staff in full, with clocks that explain themselves and what may be done now; for its reporter with
/// what they may do; for everybody else the public view.
#[utoipa::path(get, path = "/cases/{number}", tag = "cases", operation_id = "get_case",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), CaseQuery),
    security((), ("api_key" = []), ("session" = []), ("pickup_code" = [])),
    responses(
        (status = 200, body = CaseView, description = "The case."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn case(
    State(app): State<App>,
    visit: Visit,
    Path(number): Path<String>,
    Query(query): Query<CaseQuery>,
) -> Result<Answer<CaseView>> {
    let (case, _, eyes) = look(&app, &visit, &number, query.view).await?;
    Ok(Answer(show(
        &app,
        &visit.here,
        &case,
        &eyes,
        query.lang.map(Into::into),
    )))
}

/// What happened to a case: the whole log for staff, else the public timeline.
#[utoipa::path(get, path = "/cases/{number}/events", tag = "cases", operation_id = "list_events",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), CaseQuery),
    security((), ("api_key" = []), ("session" = []), ("pickup_code" = [])),
    responses(
        (status = 200, body = EventLog, description = "The events, first things first."),
        (status = 403, body = ErrorAnswer, description = "An API key has no staff view."),
    ))]
async fn events(
    State(app): State<App>,
    visit: Visit,
    Path(number): Path<String>,
    Query(query): Query<CaseQuery>,
) -> Result<Answer<EventLog>> {
    let (_, log, eyes) = look(&app, &visit, &number, query.view).await?;
    Ok(Answer(log_for(&eyes, &log, 0)))
}

fn log_for(eyes: &Eyes, log: &[Event], seen: u32) -> EventLog {
    match eyes {
        Eyes::Staff(_) => EventLog::staff(log, seen),
        Eyes::Public | Eyes::Reporter(_) => EventLog::public(log, seen),
    }
}

/// How the reporters of a case can be reached, and those of cases that were merged into it; for those who must answer them.
/// The view is logged.
#[utoipa::path(get, path = "/cases/{number}/contacts", tag = "cases", operation_id = "list_contacts",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly),
    security(("session" = [])),
    responses(
        (status = 200, body = ContactList, description = "By case and report, the case itself first; those without contact data are left out."),
        (status = 403, body = ErrorAnswer, description = "This post need not reach the reporters."),
    ))]
async fn contacts(
    State(app): State<App>,
    Known(visit): Known,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
) -> Result<Answer<ContactList>> {
    let actor = &visit.staff()?.actor;
    let (case, ..) = look(&app, &visit, &number, Some(View::Staff)).await?;
    let contacts = app.whistle.contacts(&visit.here, case.number, actor).await?;
    let items = contacts.into_iter().map(|one| ReportContact {
        case: one.number.0,
        report: one.report,
        name: one.contact.name,
        email: one.contact.email,
        phone: one.contact.phone,
        failing_since: one.failing_since.map(Time),
    });
    Ok(Answer(ContactList {
        items: items.collect(),
    }))
}

/// A photo of a case. Staff see all of a case that they may see; others those that are public.
#[utoipa::path(get, path = "/cases/{number}/photos/{photo}", tag = "cases", operation_id = "get_photo",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."),
        ("photo" = super::wire::PhotoId, Path, description = "The photo's id."), PhotoQuery),
    security((), ("api_key" = []), ("session" = []), ("pickup_code" = [])),
    responses((status = 200, content_type = "image/jpeg", body = [u8], description = "The picture.")))]
async fn photo(
    State(app): State<App>,
    visit: Visit,
    Path((number, id)): Path<(String, String)>,
    Query(query): Query<PhotoQuery>,
) -> Result<impl IntoResponse> {
    let (case, _, eyes) = look(&app, &visit, &number, None).await?;
    let shown = match eyes {
        Eyes::Staff(_) => case.photos.iter().any(|photo| photo.id == id),
        Eyes::Public | Eyes::Reporter(_) => public::photos(&case).any(|photo| photo.id == id),
    };
    if !shown {
        return Err(Problem::not_found("photo", id));
    }
    let size = match query.size {
        PhotoSize::Full => Size::Full,
        PhotoSize::Thumbnail => Size::Thumbnail,
    };
    let bytes = app.whistle.photo(&id, size).await?;
    // Whether it may be seen can change, so nobody keeps it without asking again.
    let headers = [
        (header::CONTENT_TYPE, "image/jpeg"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    Ok((headers, bytes))
}

/// Do something to a case: as the signed-in post, as its reporter by pick-up code, or as a system with an API key.
/// The table of transitions says who may do what. Answers the case as it is then.
#[utoipa::path(post, path = "/cases/{number}/acts", tag = "cases", operation_id = "act_on_case",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly,
        ("Idempotency-Key" = Option<String>, Header, max_length = 200,
            description = "As for `POST /reports`: what is sent again with it is done once. Not for `split`.")),
    security(("api_key" = []), ("session" = []), ("pickup_code" = [])), request_body = Act,
    responses(
        (status = 200, body = CaseView, description = "It was done; the case as it is now.",
            headers(("Act-Version" = u32, description = "The version that the act led to. An earlier one than the case's when the \
                request was sent again and something else was done since."))),
        (status = 403, body = ErrorAnswer, description = "Who asks may not do that to this case."),
        (status = 409, body = ErrorAnswer, description = "The case changed since it was seen (`stale`, with its \
            version and what changed), or it stands where this cannot be done (`wrong_stage`)."),
        (status = 422, body = ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn act(
    State(app): State<App>,
    Known(visit): Known,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(mut act): Json<Act>,
) -> Result<(ActVersion, Answer<CaseView>)> {
    let (number, by, eyes) = who_acts(&app, &visit, &number).await?;
    let seen = act.seen();
    if seen.is_none() && matches!(eyes, Eyes::Staff(_)) {
        let message = "say which version of the case you saw";
        return Err(Problem::bad("missing_field", "seen".to_owned(), message));
    }
    if let Some(photo) = act.photo_mut() {
        // A case knows the photo, not what its sender holds.
        photo.id.0 = app.whistle.kept_photo(&visit.here, &photo.id).await?.id;
    }
    let text = act.take_text();
    let sent = sent(&app, &visit, &headers, &mut act).await?;
    let whistle = &app.whistle;
    let done = if let Some((service, whereabouts)) = act.split()? {
        let split = whistle.split(&visit.here, number, seen, service, whereabouts, text, by);
        split.await.map(|(original, _)| Acted {
            version: original.version,
            now: original,
        })
    } else {
        let respondent = act.respondent();
        whistle
            .act_once(
                &visit.here,
                number,
                seen,
                act.wanted()?,
                text,
                by,
                respondent,
                sent,
            )
            .await
    };
    match done {
        Ok(acted) => {
            let shown = show(&app, &visit.here, &acted.now, &eyes, None);
            Ok((act_version(acted.version), Answer(shown)))
        }
        Err(error @ Error::Refused(Refusal::Stale { seen, .. })) => {
            let (case, log) = app.whistle.case_and_log(&visit.here, number).await?;
            Err(Problem::Stale {
                error,
                version: case.version,
                changes: Changes::Case(log_for(&eyes, &log, seen)),
            })
        }
        Err(error) => Err(error.into()),
    }
}

/// What comes with an act.
async fn sent(app: &App, visit: &Visit, headers: &HeaderMap, act: &mut Act) -> Result<Sent> {
    let (made_at, photos) = (act.made_at(), act.take_photos());
    if visit.staff_if_any().is_none() {
        let fields = [("made_at", made_at.is_some()), ("photos", !photos.is_empty())];
        if let Some((field, _)) = fields.into_iter().find(|(_, sent)| *sent) {
            return Err(Problem::staff_only(field));
        }
    }
    let mut kept = Vec::with_capacity(photos.len());
    for photo in photos {
        let found = app.whistle.kept_photo(&visit.here, &photo.id).await?;
        kept.push(found.shown(photo.kind.into(), photo.public));
    }
    Ok(Sent {
        idempotency_key: header_text(headers, "idempotency-key")?,
        made_at: made_at.map(|time| time.0),
        photos: kept,
    })
}

/// Who acts on which case, and with whose eyes they see the answer.
async fn who_acts(app: &App, visit: &Visit, number: &str) -> Result<(CaseNumber, Actor, Eyes)> {
    Ok(match (&visit.caller, &visit.code) {
        (Caller::Staff(signed_in), _) => {
            let (case, _, eyes) = look(app, visit, number, Some(View::Staff)).await?;
            (case.number, signed_in.actor.clone(), eyes)
        }
        // An app sends its own key along: its user acts.
        (_, Some(_)) => match look(app, visit, number, None).await? {
            (case, _, Eyes::Reporter(reporter)) => (case.number, reporter.clone(), Eyes::Reporter(reporter)),
            _ => return Err(Error::SignedOut.into()),
        },
        (Caller::Client(client), None) => {
            let (case, _, eyes) = look(app, visit, number, Some(View::Public)).await?;
            (case.number, client.actor(Scope::Update)?, eyes)
        }
        (Caller::Public, None) => return Err(Error::SignedOut.into()),
    })
}

/// Counters of the last days, by area and by service; of services that are not public for who may see all their cases.
#[utoipa::path(get, path = "/counts", tag = "cases", operation_id = "list_counts", params(CountQuery),
    security((), ("api_key" = []), ("session" = [])),
    responses((status = 200, body = CountList, description = "The counters.")))]
async fn counts(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<CountQuery>,
) -> Result<Answer<CountList>> {
    let days = query.days.unwrap_or(30);
    if !(1..=3660).contains(&days) {
        return Err(Problem::value("days", "write 1 to 3660 days"));
    }
    let viewer = visit
        .staff_if_any()
        .map_or(Viewer::Public, |signed_in| Viewer::Staff(&signed_in.actor));
    let code = |text: String| (!text.is_empty()).then_some(Code(text));
    let counts = app.whistle.counts(&visit.here, days, viewer).await?;
    let items = counts.into_iter().map(|count| Count {
        name: count.name,
        area: code(count.area_code),
        service: code(count.service_code),
        n: count.n,
    });
    Ok(Answer(CountList {
        days,
        items: items.collect(),
    }))
}
