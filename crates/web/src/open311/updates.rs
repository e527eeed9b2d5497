//! servicerequestupdates: what happened to cases, for those who follow; and what a partner's system says about one.

use std::collections::HashMap;

use axum::{extract::Request, response::Response};
use bytes::Bytes;
use whistle_domain::{
    case::Body,
    place::Place,
    public,
    words::{CaseNumber, Lang},
};
use whistle_service::list::{Happening, MAX_PAGE, MAX_SKIP};

use super::{
    answer::{Fault, Faults, Node, quoted},
    asked::{Asked, datetime},
    parameters::{Parameters, Sent},
    report::{add_line, checked_url, fits, keep_photos},
    requests::{Paging, photo_url, window},
    words::{self, Status},
};

/// The longest update_id, in bytes.
const MAX_UPDATE_ID: usize = 100;

/// GET servicerequestupdates: public events between start_date and end_date.
pub(super) async fn list(asked: Asked) -> Result<Response, Faults> {
    let here = asked.here(&asked.query)?;
    let (from, to) = window(&asked.query, asked.app.whistle.now(), here.place.calendar.zone())?;
    let page = Paging::of(&asked.query)?;
    let base = asked.base();
    let mut reader = Reader {
        place: &here.place,
        lang: asked.language(&here.place, &asked.query),
        base: &base,
        statuses: HashMap::new(),
    };
    let skipped = (page.number - 1).saturating_mul(page.size);
    let (mut told, mut events, mut updates) = (0, 0, Vec::new());
    while updates.len() < page.size {
        if events > MAX_SKIP {
            let most = MAX_SKIP.to_string();
            return Err(Fault::bad("open311-too-deep", &[("most", &most)]).into());
        }
        let whistle = &asked.app.whistle;
        let round = asked.done(whistle.happenings(&here, from, to, events, MAX_PAGE).await)?;
        for happening in &round {
            let Some(update) = reader.update(happening) else {
                continue;
            };
            told += 1;
            if told > skipped && updates.len() < page.size {
                updates.push((happening.event.at, update));
            }
        }
        events += round.len();
        if round.len() < MAX_PAGE {
            break;
        }
    }
    updates.sort_by_key(|(at, _)| *at);
    let updates = updates.into_iter().map(|(_, update)| update).collect();
    Ok(asked.answer("service_request_updates", &Node::List("request_update", updates)))
}

/// Turns events into updates, one after the other as their cases lived them.
struct Reader<'a> {
    place: &'a Place,
    lang: Lang,
    base: &'a str,
    /// The status of each case after its last event that was read.
    statuses: HashMap<CaseNumber, Status>,
}

impl Reader<'_> {
    /// None for the first event, which is the request itself, for one more report of it, and for what is not public.
    fn update(&mut self, happening: &Happening) -> Option<Node<'static>> {
        let (number, event) = (happening.number, &happening.event);
        let before = self.statuses.get(&number).copied().unwrap_or_else(|| {
            let closed = happening.closed_at.is_some_and(|closed_at| closed_at <= event.at);
            if closed { Status::Closed } else { Status::Open }
        });
        let (status, code) = words::status_after(&event.body, before);
        self.statuses.insert(number, status);
        let photo = match &event.body {
            Body::Reported { .. } | Body::Joined { .. } => return None,
            Body::PhotoAdded { photo } if photo.public => Some(photo_url(self.base, number, &photo.id)),
            _ => None,
        };
        let entry = public::timeline(std::slice::from_ref(event)).pop();
        if entry.is_none() && photo.is_none() {
            return None;
        }
        let text = entry.map(|entry| words::told(&entry, self.place, self.lang));
        let at = datetime(event.at, self.place.calendar.zone());
        Some(Node::Object(vec![
            ("update_id", update_id(number, happening.version).into()),
            ("service_request_id", number.to_string().into()),
            ("status", status.as_str().into()),
            ("updated_datetime", at.into()),
            ("description", text.into()),
            ("media_url", photo.into()),
            ("external_status_code", code.into()),
        ]))
    }
}

/// The id of an update: the case and which event of its log.
fn update_id(number: CaseNumber, version: u32) -> String {
    format!("{number}.{version}")
}

/// POST servicerequestupdates: a partner's word on a case becomes a public remark. It moves nothing: whether work is done
/// is for a unit to say and for another to verify, so a closing status is written down, not executed. Who wrote it
/// there (names, addresses) is not kept.
pub(super) async fn take(asked: Asked, request: Request) -> Result<Response, Faults> {
    let Sent { parameters, files } = Sent::read(request, asked.app.settings.max_body).await?;
    let parameters = parameters.and(asked.query.clone());
    let told = tell(&asked, &parameters, files).await;
    told.map_err(|faults| faults.for_reader_of(&parameters))
}

async fn tell(asked: &Asked, parameters: &Parameters, files: Vec<Bytes>) -> Result<Response, Faults> {
    let here = asked.here(parameters)?;
    let by = asked.client(&here, parameters).await?;
    let own = here
        .place
        .jurisdiction
        .languages
        .first()
        .copied()
        .unwrap_or_default();
    let Remark { number, text, key } = remark(parameters, own, !files.is_empty())?;
    let key = asked.idempotency_key.clone().or(key);
    let photos = keep_photos(asked, &here, files).await?;
    let said = asked
        .app
        .whistle
        .remark(&here, number, text, photos, by, key)
        .await;
    let version = asked.done(said)?;
    let update = Node::Object(vec![("update_id", update_id(number, version).into())]);
    let node = Node::List("request_update", vec![update]);
    Ok(asked.answer("service_request_updates", &node))
}

struct Remark {
    number: CaseNumber,
    text: String,
    key: Option<String>,
}

fn remark(parameters: &Parameters, lang: Lang, has_photos: bool) -> Result<Remark, Faults> {
    let mut faults = Faults::default();
    let number = match parameters.one("service_request_id") {
        Some(id) => {
            let number: Result<CaseNumber, _> = id.parse();
            let unknown = |_| Fault::not_found("open311-no-request", &[("x", &quoted(id))]);
            faults.take(number.map_err(unknown))
        }
        None => faults.take(Err(Fault::bad(
            "open311-missing",
            &[("name", "service_request_id")],
        ))),
    };
    let text = faults
        .take(text(parameters, lang, has_photos))
        .unwrap_or_default();
    let id = parameters.one("update_id");
    if id.is_some_and(|id| id.len() > MAX_UPDATE_ID) {
        let most = MAX_UPDATE_ID.to_string();
        faults.push(Fault::bad("open311-update-id", &[("most", &most)]));
    }
    faults.none()?;
    let Some(number) = number else {
        return Err(Fault::bad("open311-missing", &[("name", "service_request_id")]).into());
    };
    Ok(Remark {
        number,
        text,
        key: id.map(|id| format!("update {number}/{id}")),
    })
}

/// What is written down: the words, the other system's status when it is more than "open", the addresses of photos.
fn text(parameters: &Parameters, lang: Lang, has_photos: bool) -> Result<String, Fault> {
    let mut text = parameters.one("description").unwrap_or_default().to_owned();
    if let Some(status) = parameters.one("status") {
        let status = status.to_ascii_lowercase();
        if !words::EXTENDED.contains(&status.as_str()) {
            let known = words::EXTENDED.join(", ");
            return Err(Fault::bad(
                "open311-no-status",
                &[("x", &quoted(&status)), ("known", &known)],
            ));
        }
        if text.is_empty() || !matches!(status.as_str(), "open" | "unchanged") {
            add_line(&mut text, &words::status_elsewhere(&status, lang));
        }
    }
    for url in parameters.every("media_url") {
        add_line(&mut text, checked_url(url)?);
    }
    fits(&text)?;
    if text.is_empty() && has_photos {
        words::a_photo(lang).clone_into(&mut text);
    }
    if text.is_empty() {
        return Err(Fault::bad("open311-nothing-said", &[]));
    }
    Ok(text)
}
