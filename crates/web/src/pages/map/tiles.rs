//! Tiles over HTTP: the grid's, the cases', and the basemap that an operator put beside them.
//!
//! All of it is public and the same for every reader, and says so; each answer has a mark of what it is made from, by which a
//! browser asks again without getting the same twice.

use std::path::Path as FilePath;

use axum::{
    extract::{Path, Query as Asked, Request},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use fast_mvt::{MvtCoord, MvtGeomType, MvtResult, MvtTileBuilder};
use tower::ServiceExt;
use tower_http::services::ServeFile;
use whistle_domain::{place::Place, public::Step, tile::Tile};
use whistle_service::{
    Error,
    map::{Cluster, FINELY_GATHERED, GATHERED},
};

use super::{grid::MAX_BYTES, wanted};
use crate::{
    pages::{form::Entered, page::Page},
    status::{message_of, status_of},
};

/// What a tile of cases may be asked for without being asked for again; what is shown is a few seconds old anyway.
const SOON: &str = "public, max-age=5";

/// A tile whose address names the version of the grid.
pub(crate) const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// One whose address names none, or an older one.
pub(crate) const A_MINUTE: &str = "public, max-age=60";

/// Why there is no tile, as a status and a sentence.
type Refused = (StatusCode, String);

fn refused(page: &Page, error: &Error) -> Refused {
    (
        status_of(error),
        format!("{}\n", message_of(error, &page.request_id)),
    )
}

/// The tile of an address: `12/3412/1534.mvt`.
fn tile((zoom, x, y): &(String, String, String)) -> Result<Tile, Refused> {
    let parsed = || {
        let y = y.strip_suffix(".mvt")?;
        Tile::new(zoom.parse().ok()?, x.parse().ok()?, y.parse().ok()?)
    };
    parsed().ok_or_else(|| {
        let what = "there is no such tile; write ZOOM/X/Y.mvt, X and Y below 2 to the power of ZOOM\n";
        (StatusCode::NOT_FOUND, what.to_owned())
    })
}

/// An answer that is known by a mark; without its body when the asker has it.
pub(crate) fn marked(
    headers: &HeaderMap,
    mark: &str,
    cache: &'static str,
    body: impl FnOnce() -> Response,
) -> Response {
    let mark = format!("W/\"{mark}\"");
    let known = headers.get_all(header::IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim() == mark || one.trim() == "*");
    let mut answer = if is_known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body()
    };
    let headers = answer.headers_mut();
    if let Ok(mark) = HeaderValue::from_str(&mark) {
        headers.insert(header::ETAG, mark);
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    answer
}

fn mvt(bytes: Bytes) -> Response {
    // MapLibre takes 204 for "nothing here"; an empty tile is no tile.
    if bytes.is_empty() {
        return StatusCode::NO_CONTENT.into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/vnd.mapbox-vector-tile")];
    (kind, bytes).into_response()
}

fn broken(page: &Page, error: &impl std::fmt::Display) -> Refused {
    tracing::error!(request_id = page.request_id, %error, "a tile could not be made");
    let what = format!(
        "something went wrong here; tell the operator this number: {}\n",
        page.request_id
    );
    (StatusCode::INTERNAL_SERVER_ERROR, what)
}

/// A tile of the grid.
pub(crate) async fn grid(
    page: Page,
    Path(at): Path<(String, String, String)>,
    Asked(asked): Asked<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let tile = tile(&at)?;
    let place = page.here.place.clone();
    let app = page.app.clone();
    // To cut a fine border takes its time.
    let made = tokio::task::spawn_blocking(move || {
        let drawing = app.drawings.of(&place);
        Ok::<_, fast_mvt::MvtError>((drawing.tile(tile)?, drawing))
    });
    let (bytes, drawing) = made
        .await
        .map_err(|error| broken(&page, &error))?
        .map_err(|error| broken(&page, &error))?;
    let named = Entered::new(asked).get("v") == drawing.version();
    let cache = if named { FOR_GOOD } else { A_MINUTE };
    Ok(marked(&headers, drawing.version(), cache, || mvt(bytes)))
}

/// A tile of the cases that a filter lets through.
pub(crate) async fn cases(
    page: Page,
    Path(at): Path<(String, String, String)>,
    Asked(asked): Asked<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let tile = tile(&at)?;
    let asked = Entered::new(asked);
    let whistle = &page.app.whistle;
    let filter = wanted(&asked).map_err(|error| refused(&page, &error))?;
    let map = whistle
        .map(&page.here)
        .await
        .map_err(|error| refused(&page, &error))?;
    let today = whistle
        .map_filter_today(&map, &filter)
        .map_err(|error| refused(&page, &error))?;
    let mark = mark(map.fingerprint(), page.here.place.version, &today);
    // Who has the tile is told so before it is made.
    let has_it = marked(&headers, &mark, SOON, || StatusCode::OK.into_response());
    if has_it.status() == StatusCode::NOT_MODIFIED {
        return Ok(has_it);
    }
    let is_heat = asked.has("view", "heat");
    let finest = if is_heat { FINELY_GATHERED } else { GATHERED };
    let mut bytes = Vec::new();
    for finer in (0..=finest).rev() {
        let clusters = whistle.map_tile(&map, tile, finer, &filter).await;
        let clusters = clusters.map_err(|error| refused(&page, &error))?;
        bytes = encoded(tile, &clusters, &page.here.place, is_heat).map_err(|error| broken(&page, &error))?;
        if bytes.len() <= MAX_BYTES {
            break;
        }
    }
    Ok(marked(&headers, &mark, SOON, || mvt(bytes.into())))
}

/// What a tile of cases is known by: the cases, the grid and services that give them names, and the filter as it is today.
fn mark(fingerprint: [u8; 16], version: u32, today: &str) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hash = DefaultHasher::new();
    (fingerprint, version, today, env!("CARGO_PKG_VERSION")).hash(&mut hash);
    format!("{:016x}", hash.finish())
}

/// The clusters as a vector tile. A single case has its number, a cluster how many are in which step.
fn encoded(tile: Tile, clusters: &[Cluster], place: &Place, is_heat: bool) -> MvtResult<Vec<u8>> {
    if clusters.is_empty() {
        return Ok(Vec::new());
    }
    let mut layer = MvtTileBuilder::new().layer("cases")?;
    for cluster in clusters {
        let [x, y] = tile.units(cluster.place).map(|along| along as i32);
        let mut feature = layer.feature_of(MvtGeomType::Point);
        feature.points([MvtCoord { x, y }])?;
        let count = cluster.count();
        feature.tag_uint("n", u64::from(count))?;
        if is_heat {
            layer = feature.end();
            continue;
        }
        let steps = Step::ALL.into_iter().zip(cluster.steps);
        let open: u32 = steps
            .clone()
            .filter(|(step, _)| step.is_open())
            .map(|(_, n)| n)
            .sum();
        feature.tag_uint("open", u64::from(open))?;
        feature.tag_int("from", cluster.reported.start().as_second())?;
        feature.tag_int("to", cluster.reported.end().as_second())?;
        if let Some(service) = &cluster.service {
            feature.tag("service", &**service)?;
            if let Some(group) = place.service(service).and_then(|s| s.group.as_ref()) {
                feature.tag("group", group.as_str())?;
            }
        }
        let mut with_cases = steps.filter(|(_, n)| *n > 0);
        if let Some(number) = cluster.only {
            feature.tag_int("number", number.0)?;
            if let Some((step, _)) = with_cases.next() {
                feature.tag("step", step.as_str())?;
            }
        } else {
            for (step, n) in with_cases {
                feature.tag_uint(step.as_str(), u64::from(n))?;
            }
        }
        layer = feature.end();
    }
    Ok(layer.encode())
}

/// The basemap's file for a place: the one that is set, or of a folder the one with the place's code.
pub(crate) fn basemap_of(page: &Page) -> Option<std::path::PathBuf> {
    let set = page.app.settings.basemap.as_ref()?;
    let file = if set.is_dir() {
        set.join(format!("{}.pmtiles", page.here.place.jurisdiction.code))
    } else {
        set.clone()
    };
    file.is_file().then_some(file)
}

/// The basemap, of which a browser asks for the pieces that it shows (`Range`).
pub(crate) async fn basemap(page: Page, request: Request) -> Result<Response, Refused> {
    let none = || (StatusCode::NOT_FOUND, "this place has no basemap\n".to_owned());
    let file = basemap_of(&page).ok_or_else(none)?;
    let mut answer = served(&file, request).await;
    let headers = answer.headers_mut();
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=3600"),
    );
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/vnd.pmtiles"),
    );
    Ok(answer)
}

async fn served(file: &FilePath, request: Request) -> Response {
    match ServeFile::new(file).oneshot(request).await {
        Ok(answer) => answer.into_response(),
        Err(never) => match never {},
    }
}
