//! Reports: filed, joined, and the near duplicates that are offered before. Photos on their way in.

use axum::{
    Json as Answer,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Request, State, multipart::MultipartError},
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::IntoResponse,
};
use bytes::Bytes;
use utoipa_axum::{router::OpenApiRouter, routes};
use whistle_domain::{
    case::{self as domain, Actor, Channel, PhotoKind},
    command::{self, Refusal},
    rights::{self, Scope},
};
use whistle_service::{Whistle, case::With, list::Viewer, media::MAX_PHOTO_BYTES, secret};

use super::{
    error::{Problem, Result},
    extract::{Caller, Json, Query, Visit, body, header_text, too_large_or_broken, wrong_media_type},
    read,
    wire::{
        PhotoTicket,
        act::whereabouts,
        case::PublicCase,
        place::PlaceOnly,
        report::{Contact, JoinReport, KeptPhoto, Near, NearList, NearQuery, NewReport, PhotoForm, Receipt},
    },
};
use crate::{App, pages::page::accepted};

/// What a multipart form adds to its photo.
const FORM_AROUND_PHOTO: usize = 16 * 1024;

/// The bound of a photo in words.
const MOST: &str = "a photo has at most 10 MiB; send a smaller one";

pub(crate) fn routes() -> OpenApiRouter<App> {
    let photos = OpenApiRouter::new()
        .routes(routes!(photo))
        .layer(DefaultBodyLimit::max(MAX_PHOTO_BYTES + FORM_AROUND_PHOTO));
    OpenApiRouter::new()
        .routes(routes!(report))
        .routes(routes!(near))
        .routes(routes!(join))
        .merge(photos)
}

/// Who reports: staff, a system with its key, or anyone where the place allows that.
async fn reporter(whistle: &Whistle, visit: &Visit) -> Result<Actor> {
    Ok(match &visit.caller {
        Caller::Staff(signed_in) => signed_in.actor.clone(),
        Caller::Client(client) => client.actor(Scope::Report)?,
        Caller::Public => whistle.reporter(&visit.here, None).await?,
    })
}

/// Report a matter: one case, straight through to its unit where nothing is in doubt.
#[utoipa::path(post, path = "/reports", tag = "reports", operation_id = "create_report",
    params(PlaceOnly, ("Idempotency-Key" = Option<String>, Header, max_length = 200,
        description = "Any text of up to 200 plain ASCII letters that is new for each report. Sent again with the same \
                       body within a week, the first answer comes again and no second case is made.")),
    security((), ("api_key" = []), ("session" = [])), request_body = NewReport,
    responses(
        (status = 201, body = Receipt, description = "The case was filed.",
            headers(("Location" = String, description = "Where the case is."))),
        (status = 403, body = super::error::ErrorAnswer, description = "A field that only staff may send."),
        (status = 422, body = super::error::ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn report(
    State(app): State<App>,
    visit: Visit,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(new): Json<NewReport>,
) -> Result<impl IntoResponse> {
    let by = reporter(&app.whistle, &visit).await?;
    if visit.staff_if_any().is_none() {
        let fields = [
            ("channel", new.channel.is_some()),
            ("standard", new.standard.is_some()),
            ("fixed", new.fixed.is_some()),
            ("made_at", new.made_at.is_some()),
            ("stop", new.stop.is_some()),
        ];
        if let Some((field, _)) = fields.into_iter().find(|(_, sent)| *sent) {
            return Err(Problem::staff_only(field));
        }
    }
    let with = With {
        made_at: new.made_at.map(|time| time.0),
        stop: new.stop.as_ref().map(read::stop).transpose()?,
        ..with(new.contact, &headers)?
    };
    let answers = new.answers.into_iter().map(|answer| domain::Answer {
        question: answer.question.0,
        values: answer.values.into_iter().map(|value| value.0).collect(),
    });
    let mut photos = Vec::with_capacity(new.photos.len());
    for ticket in &new.photos {
        let kept = app.whistle.kept_photo(&visit.here, ticket).await?;
        let photo = kept.shown(PhotoKind::Before, new.photos_public);
        if !photos.contains(&photo) {
            photos.push(photo);
        }
    }
    let wanted = command::NewReport {
        service: read::service(&new.service)?,
        standard: new.standard.as_ref().map(read::standard).transpose()?,
        whereabouts: whereabouts(new.point, new.address, new.area.as_ref())?,
        description: new.description.0,
        answers: answers.collect(),
        channel: new.channel.map_or(Channel::Api, Into::into),
        photos,
        fixed: new.fixed.map(|text| text.0),
    };
    let receipt = app.whistle.report(&visit.here, wanted, by, with).await?;
    Ok(receive(&receipt))
}

fn with(contact: Contact, headers: &HeaderMap) -> Result<With> {
    Ok(With {
        contact: reached_by(contact, headers),
        idempotency_key: header_text(headers, "idempotency-key")?,
        ..With::default()
    })
}

/// How somebody can be reached, in the language that they read.
pub(super) fn reached_by(contact: Contact, headers: &HeaderMap) -> secret::Contact {
    secret::Contact {
        name: contact.name.0,
        email: contact.email.0,
        phone: contact.phone.0,
        lang: headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| accepted(value.to_str().ok()?)),
        ..secret::Contact::default()
    }
}

fn receive(
    receipt: &whistle_service::case::Receipt,
) -> (StatusCode, [(HeaderName, String); 1], Answer<Receipt>) {
    let answer = Receipt {
        number: receipt.number.0,
        report: receipt.report,
        code: receipt.code.clone(),
        again: receipt.again,
    };
    let location = format!("/api/v1/cases/{}", receipt.number);
    (
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Answer(answer),
    )
}

/// Open cases that may be the same matter; to offer before a report is sent.
#[utoipa::path(get, path = "/reports/near", tag = "reports", operation_id = "list_near_reports", params(NearQuery),
    security((), ("api_key" = []), ("session" = [])),
    responses((status = 200, body = NearList, description = "Nearest first, at most five.")))]
async fn near(
    State(app): State<App>,
    visit: Visit,
    Query(query): Query<NearQuery>,
) -> Result<Answer<NearList>> {
    let point = read::point(query.lon, query.lat)?;
    let service = read::service(&query.service)?;
    let found = app
        .whistle
        .near(&visit.here, service, point, Viewer::Public)
        .await?;
    let items = found.iter().map(|near| Near {
        metres: near.metres,
        case: PublicCase::of(&near.case, &visit.here.place),
    });
    Ok(Answer(NearList {
        items: items.collect(),
    }))
}

/// Join one more report to a case; its reporter gets a pick-up code of their own.
#[utoipa::path(post, path = "/cases/{number}/reports", tag = "reports", operation_id = "join_case",
    params(("number" = i64, Path, minimum = 1, description = "The case's number."), PlaceOnly,
        ("Idempotency-Key" = Option<String>, Header, max_length = 200, description = "As for `POST /reports`.")),
    security((), ("api_key" = []), ("session" = [])), request_body = JoinReport,
    responses(
        (status = 201, body = Receipt, description = "The report was joined.",
            headers(("Location" = String, description = "Where the case is."))),
        (status = 403, body = super::error::ErrorAnswer, description = "This post may not join reports to it."),
        (status = 409, body = super::error::ErrorAnswer, description = "The case is closed."),
        (status = 422, body = super::error::ErrorAnswer, description = "The key came with another body before."),
    ))]
async fn join(
    State(app): State<App>,
    visit: Visit,
    Path(number): Path<String>,
    _known: Query<PlaceOnly>,
    headers: HeaderMap,
    Json(new): Json<JoinReport>,
) -> Result<impl IntoResponse> {
    let by = reporter(&app.whistle, &visit).await?;
    let number = read::number(&number)?;
    if let Some(signed_in) = visit.staff_if_any() {
        let case = app.whistle.case(&visit.here, number).await?;
        if !case.public && !rights::may_see(&case, &signed_in.actor, &visit.here.place) {
            return Err(Problem::not_found("case", number));
        }
    }
    let with = with(new.contact, &headers)?;
    let joined = app
        .whistle
        .join(&visit.here, number, Channel::Api, new.text.0, by, with);
    Ok(receive(&joined.await?))
}

/// Send a photo, to be named in a report or an act. It is decoded and drawn anew: only the picture is kept.
#[utoipa::path(post, path = "/photos", tag = "reports", operation_id = "create_photo", params(PlaceOnly),
    security((), ("api_key" = []), ("session" = [])),
    request_body(content(
        ("image/jpeg"), ("image/png"), ("image/webp"), (PhotoForm = "multipart/form-data")
    ), description = "The picture, of at most 10 MiB: as the body itself, or as the field `photo` of a form."),
    responses((status = 201, body = KeptPhoto, description = "The photo is kept.")))]
async fn photo(
    State(app): State<App>,
    visit: Visit,
    _known: Query<PlaceOnly>,
    request: Request,
) -> Result<(StatusCode, Answer<KeptPhoto>)> {
    let by = reporter(&app.whistle, &visit).await?;
    if !rights::may_report(&by, &visit.here.place) {
        return Err(Refusal::MayNotReport.into());
    }
    let sent = picture(request).await?;
    if sent.len() > MAX_PHOTO_BYTES {
        return Err(too_large_or_broken(StatusCode::PAYLOAD_TOO_LARGE, MOST));
    }
    // What it shows and to whom is said by the report or act that names it, by its sender's ticket.
    let kept = app.whistle.keep_photo(&visit.here, sent).await?;
    let id = PhotoTicket(kept.ticket);
    Ok((StatusCode::CREATED, Answer(KeptPhoto { id })))
}

/// The bytes of the picture in a body.
async fn picture(request: Request) -> Result<Bytes> {
    let media_type = header_text(request.headers(), header::CONTENT_TYPE.as_str())?.unwrap_or_default();
    let essence = media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "image/jpeg" | "image/png" | "image/webp" => body(request, &(), MOST).await,
        "multipart/form-data" => {
            let mut form = Multipart::from_request(request, &()).await.map_err(|_| {
                Problem::value(
                    "Content-Type",
                    "a form names its boundary: multipart/form-data; boundary=…",
                )
            })?;
            only_part(&mut form, "photo").await
        }
        _ => Err(wrong_media_type(
            "send image/jpeg, image/png, image/webp or multipart/form-data",
        )),
    }
}

/// The bytes of the one part that a form must have. Another part, or a second one, is a mistake of the sender's.
async fn only_part(form: &mut Multipart, wanted: &str) -> Result<Bytes> {
    /// The most letters of a part's name that are said back.
    const SHOWN: usize = 64;
    let mut found = None;
    while let Some(part) = form.next_field().await.map_err(broken_form)? {
        let name: String = part.name().unwrap_or_default().chars().take(SHOWN).collect();
        if name != wanted {
            let message = format!("the form has a part named {name:?}; it takes one part, named {wanted:?}");
            return Err(Problem::bad("unknown_field", name, message));
        }
        if found.is_some() {
            let message = format!("the form has two parts named {wanted:?}; send one photo at a time");
            return Err(Problem::bad("bad_body", name, message));
        }
        found = Some(part.bytes().await.map_err(broken_form)?);
    }
    found.ok_or_else(|| {
        let message = format!("the form has no part named {wanted:?}");
        Problem::bad("missing_field", wanted.to_owned(), message)
    })
}

fn broken_form(error: MultipartError) -> Problem {
    too_large_or_broken(error.status(), MOST)
}
