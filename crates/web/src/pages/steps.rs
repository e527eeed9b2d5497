//! The report in three steps, which a script makes of the same form: what its page must know, and what it asks the server on
//! the way. Each answer is public, and small.

use axum::{
    Form, Json,
    extract::Query as Asked,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;
use whistle_domain::{
    case::MAX_TEXT,
    geometry::Point,
    place::{AreaIndex, Level},
    words::{AreaCode, MAX_CODE, ServiceCode},
};
use whistle_service::media::MAX_PHOTOS_AT_ONCE;

use super::{
    assets::{self, Front},
    form::{Entered, with_query},
    map::tiles::{A_MINUTE, FOR_GOOD, marked},
    page::Page,
    report::read_point,
    show::Group,
};

/// The parameter that asks for the plain form.
pub(crate) const PLAIN: &str = "plain";

/// The source of the script and style.
const ENTRY: &str = "src/report.ts";

/// Names that are given at most, the largest areas first: some 100 KB compressed.
const MAX_NAMES: usize = 20_000;

/// Characters of the name of a thing that a link may carry; it becomes the address, which its reader can change.
pub(crate) const MAX_LABEL: usize = 80;

/// What the page of the three steps is made of.
pub(crate) struct Steps {
    pub(crate) front: Front,
    /// What the script must know, as JSON.
    pub(crate) told: String,
    pub(crate) key: String,
    pub(crate) services: Vec<Group>,
    pub(crate) areas: Vec<Group>,
}

impl Steps {
    /// None where this program was built without scripts.
    pub(crate) fn new(page: &Page, fields: &Entered) -> Option<Self> {
        Some(Self {
            front: assets::front_at_first(ENTRY)?,
            told: told(page, fields),
            key: page.app.whistle.fresh_token(),
            services: page.service_groups("", true),
            areas: page.area_groups(fields.get("area")),
        })
    }
}

fn told(page: &Page, fields: &Entered) -> String {
    const WORDS: [&str; 26] = [
        "map-near-denied",
        "summary-title",
        "title-wrong",
        "steps-found",
        "steps-locating",
        "steps-nearer",
        "steps-next",
        "steps-no-answer",
        "steps-no-map",
        "steps-no-network",
        "steps-no-photo",
        "steps-no-place",
        "steps-no-service",
        "steps-no-text",
        "steps-none",
        "steps-not-found",
        "steps-not-sent",
        "steps-now-exact",
        "steps-photo",
        "steps-photo-broken",
        "steps-photo-remove",
        "steps-photos-many",
        "steps-photos-reading",
        "steps-photos-taken",
        "steps-sending",
        "steps-taken-used",
    ];
    let words = WORDS.map(|key| (key.to_owned(), page.t(key)));
    let mut told = page.told_of_ground(fields.some("area"), words);
    let names = with_query("/report/names", &[("v".to_owned(), names_version(page))]);
    told.insert("names".to_owned(), names.into());
    told.insert("photos".to_owned(), MAX_PHOTOS_AT_ONCE.into());
    json!(told).to_string()
}

/// A form as a link such as a QR code's begins it: `at=LAT,LON` is where the thing is, `label` and `asset` its name and code,
/// which become the address. What is no point or no code is left out; nothing of a link is believed more than what is typed.
pub(crate) fn from_link(page: &Page, mut fields: Entered) -> Entered {
    if let Some(point) = fields.some("at").and_then(spot) {
        fields.set("lat", &format!("{:.6}", point.lat));
        fields.set("lon", &format!("{:.6}", point.lon));
    }
    let label = fields.some("label").map(|text| {
        let shown = text.chars().filter(|c| !c.is_control());
        shown.take(MAX_LABEL).collect::<String>()
    });
    let asset = fields
        .some("asset")
        .filter(|code| is_code(code))
        .map(str::to_owned);
    let address = match (label, asset) {
        (Some(label), Some(asset)) => Some(page.words.aside(&label, &asset)),
        (label, asset) => label.or(asset),
    };
    if let Some(address) = address.filter(|_| fields.some("address").is_none()) {
        fields.set("address", &address);
    }
    Entered::new(fields.carried(&["at", "label", "asset"]))
}

/// `46.5173,132.2660`.
fn spot(text: &str) -> Option<Point> {
    let (lat, lon) = text.split_once(',')?;
    Point::new(lon.trim().parse().ok()?, lat.trim().parse().ok()?).ok()
}

/// Whether a text may be the code of a thing: what is painted on it or printed beside it.
pub(crate) fn is_code(text: &str) -> bool {
    let is_fitting = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '#');
    !text.is_empty() && text.chars().count() <= MAX_CODE && text.chars().all(is_fitting)
}

/// Where a point lies, in words.
#[derive(Serialize)]
pub(crate) struct Where {
    inside: bool,
    area: Option<AreaCode>,
    text: String,
}

/// In which area a point lies; kindly, where it lies outside.
pub(crate) async fn place(page: Page, Asked(asked): Asked<Vec<(String, String)>>) -> Response {
    let Ok(Some(point)) = read_point(&Entered::new(asked)) else {
        return (StatusCode::BAD_REQUEST, page.t("wrong-point")).into_response();
    };
    let areas = &page.here.place.areas;
    let found = match areas.locate(point) {
        Some(area) => Where {
            inside: true,
            text: page.x("steps-where", &page.path_name(&areas.path(area))),
            area: Some(areas.get(area).code.clone()),
        },
        None => Where {
            inside: false,
            text: page.x("steps-outside", page.place_name()),
            area: None,
        },
    };
    Json(found).into_response()
}

/// Something that has a name and lies somewhere.
#[derive(Serialize)]
struct Named<'p> {
    zh: &'p str,
    en: &'p str,
    at: [f64; 2],
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    bounds: Option<[f64; 4]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'p str>,
    /// The number of the area around it, among the names.
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    outer: Option<usize>,
}

/// The names of the place's areas, and of its units that stand somewhere, in both languages: they are searched in the browser,
/// so that nobody is told what is typed. The answer is the same for every reader.
pub(crate) async fn names(
    page: Page,
    Asked(asked): Asked<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Response {
    let mark = names_version(&page);
    let is_named = Entered::new(asked).get("v") == mark;
    let cache = if is_named { FOR_GOOD } else { A_MINUTE };
    marked(&headers, &mark, cache, || Json(all_names(&page)).into_response())
}

/// What the names are known by: the drawing's version has the areas, the place's the units.
fn names_version(page: &Page) -> String {
    let place = &page.here.place;
    format!("{}-{}", page.app.drawings.of(place).version(), place.version)
}

fn all_names(page: &Page) -> Vec<Named<'_>> {
    use whistle_domain::words::Lang::{En, Zh};
    let place = &page.here.place;
    let mut order: Vec<AreaIndex> = (0..place.areas.all().len() as AreaIndex).collect();
    order.sort_by_key(|index| place.areas.get(*index).level.depth());
    order.truncate(MAX_NAMES);
    let mut number = vec![None; place.areas.all().len()];
    for (i, index) in order.iter().enumerate() {
        number[*index as usize] = Some(i);
    }
    // That it is in the city goes without saying.
    let around = |index: Option<AreaIndex>| {
        let index = index.filter(|index| place.areas.get(*index).level != Level::City)?;
        number.get(index as usize).copied().flatten()
    };
    let areas = order.iter().map(|index| {
        let area = place.areas.get(*index);
        let middle = area.shape.inside_point();
        Named {
            zh: area.name.get(Zh),
            en: area.name.get(En),
            at: [middle.lon, middle.lat].map(rounded),
            bounds: Some(<[f64; 4]>::from(area.shape.bbox()).map(rounded)),
            code: Some(area.code.as_str()),
            outer: around(area.parent),
        }
    });
    let units = place.units().iter().filter_map(|unit| {
        let point = unit.point?;
        Some(Named {
            zh: unit.name.get(Zh),
            en: unit.name.get(En),
            at: [point.lon, point.lat].map(rounded),
            bounds: None,
            code: None,
            outer: around(Some(unit.area)),
        })
    });
    areas.chain(units).take(MAX_NAMES).collect()
}

/// To ten centimetres, which is finer than anybody points.
fn rounded(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

/// What a text may be about: codes of services, the likeliest first. The text is forgotten with the answer.
pub(crate) async fn suggest(page: Page, Form(fields): Form<Vec<(String, String)>>) -> Json<Vec<ServiceCode>> {
    let fields = Entered::new(fields);
    let text: String = fields.get("text").chars().take(MAX_TEXT).collect();
    Json(page.app.whistle.suggest(&page.here, &text))
}
