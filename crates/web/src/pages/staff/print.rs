//! What is printed: the sheet of a case, the list for a day's round, and posters by which residents report. Sheets have A4's size
//! and are as whole on the screen.

use askama::Template;
use axum::{
    extract::{Path, Query as Asked},
    http::StatusCode,
    response::Response,
};
use whistle_domain::{
    case::Case,
    geometry::Spot,
    place::Level,
    rights,
    words::{AreaCode, Lang},
};
use whistle_service::list::{Order, Query, Viewer};

use super::{
    case::{self, PartView, seen},
    session::Staff,
};
use crate::pages::{
    cases::number,
    clocks::{self, ClockView},
    fault::Fault,
    form::{Entered, Wrongs, with_query},
    page::Page,
    qr,
    report::read_point,
    show::{Answered, Entry, Group, Line, Moment, Picture},
    steps,
    words::Words,
};

/// Cases on a day's round at most: more than anybody visits.
const MAX_ROUND: usize = 200;

/// Posters of one print at most: a town has fewer communities, and each brings a picture of some 20 KB.
const MAX_POSTERS: usize = 100;

/// Lines of a case's history on its sheet at most, the newest: with more it is no sheet but a file.
const MAX_HISTORY: usize = 12;

/// Photos on the sheet at most: one row.
const MAX_PHOTOS: usize = 4;

#[derive(Template)]
#[template(path = "staff/sheet.html")]
struct Sheet<'a> {
    p: &'a Page,
    number: String,
    qr: String,
    service: String,
    status: String,
    flags: Vec<String>,
    description: String,
    answers: Vec<Answered>,
    whereabouts: String,
    point: Option<String>,
    lead: String,
    standard: String,
    closing: String,
    channel: String,
    reported: Moment,
    reports: i64,
    resolution: String,
    joint: Vec<PartView>,
    clocks: Vec<ClockView>,
    photos: Vec<Picture>,
    timeline: Vec<Entry>,
    left_out: i64,
    printed: Moment,
}

/// The sheet of a case. How its reporters are reached is not on it: who looks at that is noted, and paper lies about.
pub(crate) async fn sheet(staff: Staff, Path(text): Path<String>) -> Result<Response, Fault> {
    let (case, log) = seen(&staff, number(&text)?).await?;
    let (page, place) = (&staff.page, &staff.page.here.place);
    let standard = case.standard.as_ref().and_then(|s| place.standard(s.as_str()));
    let mut timeline = page.staff_timeline(&log);
    let left_out = timeline.len().saturating_sub(MAX_HISTORY) as i64;
    timeline.truncate(MAX_HISTORY);
    page.render(&Sheet {
        p: page,
        number: case.number.to_string(),
        qr: qr::picture(&format!("{}/staff/cases/{}", page.base(), case.number))?,
        service: page.service_name(case.service.as_str()),
        status: page.staff_status(&case),
        flags: page.flags(&case),
        description: case.description.clone(),
        answers: page.answers(&case),
        whereabouts: page.whereabouts(&case.location),
        point: case.location.point.map(|p| format!("{:.6}, {:.6}", p.lat, p.lon)),
        lead: page.lead(&case),
        standard: standard.map_or_else(String::new, |s| page.standard_name(s.code.as_str())),
        closing: standard.map_or_else(String::new, |s| s.closing.get(page.lang()).to_owned()),
        channel: page.words.of("channel", case.channel.as_str()),
        reported: page.moment(case.times.reported_at),
        reports: i64::from(case.reports),
        resolution: case.resolution.clone(),
        joint: case.joint.iter().map(|one| case::part(page, one)).collect(),
        clocks: clocks::views(&case, &log, place, page.now, page.words),
        photos: page.pictures(&case, case.photos.iter().take(MAX_PHOTOS)),
        timeline,
        left_out,
        printed: page.moment(page.now),
    })
}

/// Cases of one area on a round.
struct Stop {
    area: String,
    lines: Vec<Visit>,
}

/// A case on a round.
struct Visit {
    line: Line,
    address: String,
}

#[derive(Template)]
#[template(path = "staff/round.html")]
struct Round<'a> {
    p: &'a Page,
    title: String,
    /// Whether the other list, of the area, can be asked for.
    sees_area: bool,
    of_area: bool,
    stops: Vec<Stop>,
    count: i64,
    more: bool,
    printed: Moment,
}

/// The open cases of the unit, or of the area, in the order of their places; those due first where there are too many.
pub(crate) async fn round(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let sees_area = rights::sight(staff.actor(), &page.here.place).area.is_some();
    let of_area = sees_area && asked.has("of", "area");
    let unit = &staff.signed.post.unit;
    let query = Query {
        lead: (!of_area).then(|| unit.clone()),
        order: Order::Due,
        limit: MAX_ROUND,
        ..Query::default()
    };
    let found = page
        .app
        .whistle
        .cases(&page.here, &query, Viewer::Staff(staff.actor()))
        .await?;
    let title = if of_area {
        page.t("round-area")
    } else {
        page.x("round-unit", &page.unit_name(unit.as_str()))
    };
    page.render(&Round {
        p: page,
        title,
        sees_area,
        of_area,
        count: found.items.len() as i64,
        more: found.next.is_some(),
        stops: stops(page, found.items),
        printed: page.moment(page.now),
    })
}

/// Cases by town and community, and in each as they lie beside each other.
fn stops(page: &Page, mut cases: Vec<Case>) -> Vec<Stop> {
    let area = |case: &Case, level| case.location.areas.at(level).map(ToString::to_string);
    let around = |case: &Case| (area(case, Level::Town), area(case, Level::Community));
    cases.sort_by_cached_key(|case| {
        let spot = case.location.point.map(Spot::of);
        (around(case), area(case, Level::Cell), spot, case.number)
    });
    let same_area = |one: &Case, other: &Case| around(one) == around(other);
    let visit = |case: &Case| Visit {
        line: page.staff_line(case),
        address: case.location.address.clone(),
    };
    let stop = |cases: &[Case]| {
        let (town, community) = around(&cases[0]);
        let names = [town, community]
            .into_iter()
            .flatten()
            .map(|code| page.area_name(&code));
        let names: Vec<String> = names.collect();
        Stop {
            area: if names.is_empty() {
                page.t("round-nowhere")
            } else {
                names.join(" › ")
            },
            lines: cases.iter().map(visit).collect(),
        }
    };
    cases.chunk_by(same_area).map(stop).collect()
}

/// A poster: what a QR code leads to, in both languages.
struct Poster {
    qr: String,
    link: String,
    zh: String,
    en: String,
    code: String,
}

#[derive(Template)]
#[template(path = "staff/poster.html")]
struct PosterPage<'a> {
    p: &'a Page,
    e: &'a Entered,
    w: &'a Wrongs,
    areas: Vec<Group>,
    posters: Vec<Poster>,
    left_out: i64,
    /// The words and what is the place's own, in each language.
    zh: Words,
    en: Words,
    place_zh: &'a str,
    place_en: &'a str,
    contact_zh: &'a str,
    contact_en: &'a str,
}

/// Posters of an area, of all areas right inside it, or of a thing at a spot; without either, the form that asks which.
pub(crate) async fn poster(
    staff: Staff,
    Asked(asked): Asked<Vec<(String, String)>>,
) -> Result<Response, Fault> {
    let (page, asked) = (&staff.page, Entered::new(asked));
    let mut wrongs = Wrongs::default();
    let links = links(page, &asked, &mut wrongs);
    let left_out = links.len().saturating_sub(MAX_POSTERS) as i64;
    let posters = links.into_iter().take(MAX_POSTERS);
    let posters: Vec<Poster> = posters.map(|link| made(page, link)).collect::<Result<_, _>>()?;
    let status = if wrongs.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let own = &page.here.place.jurisdiction;
    page.render_as(
        status,
        &PosterPage {
            p: page,
            areas: page.area_groups(asked.get("area")),
            e: &asked,
            w: &wrongs,
            posters,
            left_out,
            zh: Words(Lang::Zh),
            en: Words(Lang::En),
            place_zh: own.name.get(Lang::Zh),
            place_en: own.name.get(Lang::En),
            contact_zh: own.contact.get(Lang::Zh),
            contact_en: own.contact.get(Lang::En),
        },
    )
}

/// What a poster stands for.
enum Target {
    Area(AreaCode),
    Thing { at: String, label: String, code: String },
}

fn links(page: &Page, asked: &Entered, wrongs: &mut Wrongs) -> Vec<Target> {
    let areas = &page.here.place.areas;
    let point = read_point(asked);
    if let Ok(None) = point {
        let Some(index) = asked.some("area").and_then(|code| areas.find(code)) else {
            return Vec::new();
        };
        let inner = areas.children(index).filter(|_| asked.has("each", "yes"));
        let mut inner: Vec<_> = inner.map(|i| areas.get(i).code.clone()).collect();
        if inner.is_empty() {
            inner.push(areas.get(index).code.clone());
        }
        return inner.into_iter().map(Target::Area).collect();
    }
    let code = asked.get("asset").trim().to_owned();
    if !code.is_empty() && !steps::is_code(&code) {
        wrongs.add("asset", page.t("poster-bad-code"));
    }
    match point.ok().flatten() {
        None => wrongs.add("lat", page.t("wrong-point")),
        Some(point) if areas.locate(point).is_none() => {
            wrongs.add("lat", page.x("steps-outside", page.place_name()));
        }
        Some(point) if wrongs.is_empty() => {
            let label = asked.get("label").trim();
            return vec![Target::Thing {
                at: format!("{:.6},{:.6}", point.lat, point.lon),
                label: label.chars().take(steps::MAX_LABEL).collect(),
                code,
            }];
        }
        Some(_) => {}
    }
    Vec::new()
}

fn made(page: &Page, target: Target) -> Result<Poster, Fault> {
    let areas = &page.here.place.areas;
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let (pairs, zh, en, code) = match target {
        Target::Area(code) => {
            let name = areas.find(code.as_str()).map(|index| &areas.get(index).name);
            let name = |lang| name.map_or("", |name| name.get(lang)).to_owned();
            let pairs = vec![pair("area", code.as_str())];
            (pairs, name(Lang::Zh), name(Lang::En), String::new())
        }
        Target::Thing { at, label, code } => {
            let all = [pair("at", &at), pair("asset", &code), pair("label", &label)];
            let pairs = all.into_iter().filter(|(_, value)| !value.is_empty()).collect();
            (pairs, label.clone(), label, code)
        }
    };
    let link = with_query(&format!("{}/report", page.base()), &pairs);
    Ok(Poster {
        qr: qr::picture(&link)?,
        link,
        zh,
        en,
        code,
    })
}
