//! What the app keeps on the phone: its shell, its words, the shift's data; and the worker that serves it without a network.
//!
//! The shell is the same for whoever has the phone: who is signed in, and what they may see, comes with `session` and
//! `shift`, never from what is kept for all.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    Json,
    extract::{Path, Query as Asked},
    http::header,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};
use whistle_domain::{
    case::{Body, Outcome},
    place::Place,
    whistle,
    words::Lang,
};
use whistle_service::{
    list::{Order, Page as PageOf, Query, Viewer},
    round::Walk,
    whistle::Query as WhistleQuery,
};

use crate::{
    api::wire::{
        case::{Depth, StaffCase},
        place::Service,
        round::Round,
        whistle::Whistle,
    },
    pages::{
        assets::{self, Front},
        fault::Fault,
        form::Entered,
        page::Page,
        staff::Staff,
        words::Words,
    },
};

/// The source of the script and style of the app, and the name of its worker among what was built.
const ENTRY: &str = "src/field/app.ts";
const WORKER: &str = "field-worker.js";

/// The most cases and whistles that are taken along for a shift.
const CASES: usize = 100;
const WHISTLES: usize = 50;

/// Photos of one report or act; some phones have no room for more at once.
const PHOTOS: usize = 10;

/// The messages that the script says.
const WORDS: [&str; 126] = [
    "field-title",
    "finding-fine",
    "finding-reported",
    "finding-fixed",
    "field-sending",
    "field-away",
    "field-online",
    "field-kept-count",
    "field-refused-count",
    "field-others",
    "field-send-now",
    "field-outbox",
    "field-all-sent",
    "field-no-worker",
    "field-signed-out",
    "field-signed-out-kept",
    "field-nothing-shown",
    "field-nothing-yet",
    "field-back",
    "field-gone",
    "field-as-of",
    "field-report",
    "field-found",
    "field-fixed",
    "field-seen",
    "field-rounds",
    "field-cases",
    "field-whistles",
    "field-no-rounds",
    "field-no-cases",
    "field-no-whistles",
    "field-more-rounds",
    "field-more-rounds-take",
    "field-rounds-wanted",
    "field-due-count",
    "field-due",
    "field-every",
    "field-last",
    "field-never",
    "field-received",
    "field-called",
    "field-kept",
    "field-held",
    "field-was-refused",
    "field-made",
    "field-made-received",
    "field-sent",
    "field-photo-count",
    "field-push",
    "field-service",
    "field-choose",
    "field-choose-service",
    "field-answer",
    "field-at",
    "field-description",
    "field-done",
    "field-remark",
    "field-photos",
    "field-photos-hint",
    "field-too-many-photos",
    "field-bad-photo",
    "field-no-room",
    "field-keep",
    "field-where",
    "field-address",
    "field-here",
    "field-here-hint",
    "field-send-here",
    "field-send-here-hint",
    "field-here-taken",
    "field-here-denied",
    "field-no-where",
    "field-no-what",
    "field-no-done",
    "field-no-text",
    "field-label-seen",
    "field-label-report",
    "field-label-fixed",
    "field-due-at",
    "field-whole-case",
    "field-conflict",
    "field-yours",
    "field-meanwhile",
    "field-all-the-same",
    "field-drop",
    "field-again",
    "field-copy",
    "field-copied",
    "field-photos-show",
    "field-undo",
    "field-add-photo",
    "field-photo-late",
    "field-fixed-as",
    "field-fixed-more",
    "field-fixed-said",
    "field-draft",
    "field-draft-drop",
    "field-leave",
    "field-leave-kept",
    "field-leave-all-the-same",
    "field-leave-away",
    "field-why-wrong_stage",
    "field-why-wrong_call",
    "field-why-not_allowed",
    "field-why-not_found",
    "field-why-forbidden",
    "field-why-over",
    "field-why-given_up",
    "field-why-broken",
    "field-why-photo_lost",
    "field-outcome",
    "nav-queue",
    "optional",
    "sign-in",
    "sign-out",
    "where-lat",
    "where-lon",
    "verb-sign",
    "verb-report_in",
    "verb-handle",
    "verb-handle_joint",
    "verb-comment",
    "whistle-verb-sign",
    "whistle-verb-contact",
    "whistle-verb-report_in",
    "whistle-verb-leave",
];

/// What a page needs to begin the app.
pub(super) struct Start {
    pub(super) front: Front,
    /// What the script must know, as JSON.
    pub(super) told: String,
}

impl Start {
    pub(super) fn of(page: &Page) -> Option<Self> {
        Some(Self {
            front: assets::front(ENTRY)?,
            told: told(page).to_string(),
        })
    }
}

/// What the script must know: its words, and what is the same for everybody.
fn told(page: &Page) -> Value {
    let mut words: serde_json::Map<_, _> = WORDS
        .iter()
        .map(|key| ((*key).to_owned(), page.t(key).into()))
        .collect();
    let mut add = |kind: &str, word: &str| {
        words.insert(format!("{kind}-{word}"), page.of_kind(kind, word).into());
    };
    for word in Body::WORDS {
        add("event", word);
    }
    for word in whistle::Body::WORDS {
        add("whistle-event", word);
    }
    for outcome in Outcome::OF_WORK {
        add("outcome", outcome.as_str());
    }
    for stage in whistle_domain::case::Stage::ALL {
        add("stage", stage.as_str());
    }
    json!({
        "language": language(page.lang()),
        "place": page.here.place.jurisdiction.code,
        "zone": zone(page),
        "photos": PHOTOS,
        "words": words,
    })
}

const fn language(lang: Lang) -> &'static str {
    match lang {
        Lang::Zh => "zh",
        Lang::En => "en",
    }
}

#[derive(Template)]
#[template(path = "field/shell.html")]
struct Shell<'a> {
    p: &'a Page,
    app: Option<Start>,
}

/// The page in a language, whatever the reader's is.
fn in_language(mut page: Page, lang: &str) -> Result<Page, Fault> {
    page.words = Words(lang.parse().map_err(|_| Fault::NoSuchPage)?);
    Ok(page)
}

/// The page of the app without anything on it.
pub(super) async fn shell(page: Page, Path(lang): Path<String>) -> Result<Response, Fault> {
    let page = in_language(page, &lang)?;
    let app = Start::of(&page);
    page.render(&Shell { p: &page, app })
}

/// What a phone must know to have the app on its first screen.
pub(super) async fn manifest(page: Page, Path(lang): Path<String>) -> Result<Response, Fault> {
    let page = in_language(page, &lang)?;
    let icon = |name: &str, sizes: &str, purpose: &str| json!({"src": page.asset(name), "sizes": sizes, "type": "image/png", "purpose": purpose});
    let manifest = json!({
        "id": "/field",
        "name": page.x("field-app-name", page.place_name()),
        "short_name": page.t("field-title"),
        "description": page.t("field-app-what"),
        "lang": page.language(),
        "start_url": "/field",
        // Signing in and the whole of a case are the staff's pages.
        "scope": "/",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#0b5d6b",
        "icons": [
            icon("icon-192.png", "192x192", "any"),
            icon("icon-512.png", "512x512", "any"),
            icon("icon-mask-512.png", "512x512", "maskable"),
        ],
    });
    let kind = [(header::CONTENT_TYPE, "application/manifest+json")];
    Ok((kind, manifest.to_string()).into_response())
}

/// The worker: the built script, after one line that says what to keep. That line changes with whatever is kept, so that
/// browsers find another worker then, and only then.
pub(super) async fn worker(page: Page) -> Result<Response, Fault> {
    // None where this program was built without front/: a worker that keeps nothing.
    let script = assets::front_text(WORKER).unwrap_or_default();
    let mut files = Vec::new();
    let mut made_of = String::new();
    for lang in [Lang::Zh, Lang::En] {
        let page = in_language(page.clone(), language(lang))?;
        let app = Start::of(&page);
        let front = app.iter().map(|app| &app.front);
        for file in front.flat_map(|front| front.imports.iter().chain(&front.styles).chain([&front.script])) {
            if !files.contains(file) {
                files.push(file.clone());
            }
        }
        let shell = Shell { p: &page, app };
        made_of.push_str(&shell.render().map_err(|_| Fault::Broken)?);
        files.push(format!("/field/shell/{}", language(lang)));
        files.push(format!("/field/manifest/{}", language(lang)));
    }
    files.extend(["whistle.css", "icon.svg", "icon-192.png"].map(|name| page.asset(name).to_owned()));
    let version = page.app.whistle.form_token(&format!("field/{made_of}/{files:?}"));
    let place = page.here.place.jurisdiction.code.as_str();
    let shell = json!({"version": version, "files": files, "place": place});
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (
            header::HeaderName::from_static("service-worker-allowed"),
            "/field",
        ),
    ];
    Ok((headers, format!("self.SHELL={shell};\n{script}")).into_response())
}

/// Who is signed in, and the token with which a script of this session's pages acts.
fn who(staff: &Staff) -> Value {
    let (page, signed) = (&staff.page, &staff.signed);
    json!({
        "login": signed.login,
        "post": signed.post.code,
        "post_name": page.post_name(signed.post.code.as_str()),
        "unit": signed.post.unit,
        "may_report": page.may_report(),
        "token": page.form_token,
        "now": page.moment(page.now).iso,
    })
}

/// Who is signed in; asked before anything is sent, so that it is sent as whoever made it, or not at all.
pub(super) async fn session(staff: Staff) -> Json<Value> {
    Json(who(&staff))
}

/// All that the signed-in post needs for a shift without a network.
pub(super) async fn shift(staff: Staff) -> Result<Json<Value>, Fault> {
    let (page, actor) = (&staff.page, staff.actor());
    let (whistle, here) = (&page.app.whistle, &page.here);
    let unit = &staff.signed.post.unit;
    let of_unit = |lead: bool| Query {
        open: Some(true),
        lead: lead.then(|| unit.clone()),
        part: (!lead).then(|| unit.clone()),
        order: Order::Due,
        limit: CASES,
        ..Query::default()
    };
    let mut cases = Vec::new();
    for lead in [true, false] {
        let found = whistle.cases(here, &of_unit(lead), Viewer::Staff(actor)).await?;
        // What is kept on a phone is not for the eyes of a class: whoever handles such a case opens its page.
        cases.extend(found.items.into_iter().filter(|case| case.access.is_none()));
    }
    let called = WhistleQuery {
        called: true,
        limit: WHISTLES,
        ..WhistleQuery::default()
    };
    let called = whistle.whistles(here, &called, actor).await?;
    let rounds = Along::of(page, &whistle.rounds(here, actor, None).await?);
    let (place, now) = (&here.place, page.now);
    let depth = Depth::Whole(actor, page.lang());
    Ok(Json(json!({
        "who": who(&staff),
        "zone": zone(page),
        "rounds": rounds.rounds,
        "next_rounds": rounds.next_rounds,
        "units": rounds.units,
        "cases": cases.iter().map(|case| StaffCase::of(case, place, now, depth)).collect::<Vec<_>>(),
        "areas": cases.iter().map(|case| (case.number.to_string(), page.path_name(&case.location.areas))).collect::<BTreeMap<_, _>>(),
        "whistles": called.items.iter().map(|one| Whistle::of(one, place, now, Some(actor))).collect::<Vec<_>>(),
        "kinds": kinds(page),
        "services": services(place, page.may_report()),
        "push": whistle.push_key(here).await?.is_some(),
    })))
}

/// Rounds as the app takes them along, a page of them.
#[derive(Serialize)]
struct Along {
    rounds: Vec<Round>,
    /// Where they go on; null at the end.
    next_rounds: Option<String>,
    /// The names of the units that looked last.
    units: BTreeMap<String, String>,
}

impl Along {
    fn of(page: &Page, walked: &PageOf<Walk>) -> Self {
        let stops = walked.items.iter().flat_map(|walk| &walk.stops);
        let units = stops.filter_map(|stop| stop.last.as_ref()?.unit.as_ref());
        Self {
            rounds: walked
                .items
                .iter()
                .map(|walk| Round::of(walk, &page.here.place))
                .collect(),
            next_rounds: walked.next.clone(),
            units: units
                .map(|unit| (unit.to_string(), page.unit_name(unit.as_str())))
                .collect(),
        }
    }
}

/// More rounds than the shift has at first, from the one after `after` on.
pub(super) async fn more_rounds(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Json<Value>, Fault> {
    let page = &staff.page;
    let after = Entered::new(asked)
        .some("after")
        .and_then(|after| after.parse().ok());
    let rounds = page.app.whistle.rounds(&page.here, staff.actor(), after.as_ref());
    Ok(Json(json!(Along::of(page, &rounds.await?))))
}

/// The place's time zone, by which the app tells days and times.
fn zone(page: &Page) -> Option<&str> {
    page.here.place.calendar.zone().iana_name()
}

/// The names of the kinds of whistle.
fn kinds(page: &Page) -> BTreeMap<String, String> {
    let kinds = page.here.place.whistle_kinds().iter();
    let named = kinds.map(|kind| (kind.code.to_string(), kind.name.get(page.lang()).to_owned()));
    named.collect()
}

/// The services that the post may report, with their questions.
fn services(place: &Place, may_report: bool) -> Vec<Service> {
    let services = place.services().iter().filter(|_| may_report);
    services.map(Service::from).collect()
}
