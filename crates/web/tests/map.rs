//! The map over HTTP: tiles that can be read, small ones, known again by their mark, with nothing in them that is not public.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use fast_mvt::{MvtFeature, MvtReaderRef};
use tower::ServiceExt;
use whistle_domain::{
    case::{Actor, Channel},
    command::{NewReport, Whereabouts},
    geometry::Point,
    tile::project,
};
use whistle_service::{
    Site, Whistle,
    case::With,
    time::{Chance, SystemClock},
};
use whistle_testbed::Bed;
use whistle_web::{App, Settings, router};

/// What no tile may exceed.
const MAX_BYTES: usize = 500_000;

/// A spot in the village.
const SPOT: (f64, f64) = (131.805, 46.205);

struct Town {
    bed: Bed,
    whistle: Whistle,
    runtime: tokio::runtime::Runtime,
    router: Router,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The features of a layer.
    fn features(&self, layer: &str) -> Vec<MvtFeature> {
        if self.status == StatusCode::NO_CONTENT {
            return Vec::new();
        }
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(
            self.header(header::CONTENT_TYPE),
            "application/vnd.mapbox-vector-tile"
        );
        assert!(self.body.len() <= MAX_BYTES, "{} bytes", self.body.len());
        let reader = MvtReaderRef::new(&self.body).unwrap();
        let layers = reader.layers().filter(|one| one.name() == layer);
        layers
            .flat_map(|layer| {
                layer
                    .features()
                    .map(|one| one.to_feature().unwrap())
                    .collect::<Vec<_>>()
            })
            .collect()
    }
}

fn number(feature: &MvtFeature, key: &str) -> Option<i64> {
    let value = feature.properties.iter().find(|(name, _)| name == key)?;
    let text = format!("{:?}", value.1);
    text.chars()
        .filter(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .ok()
}

impl Town {
    fn open() -> Self {
        Self::open_with(|_| ())
    }

    fn open_with(set: impl FnOnce(&mut Settings)) -> Self {
        let bed = Bed::new();
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().into()
        };
        let whistle = Whistle::open_with(site, Box::new(SystemClock), Chance::from_seed(7)).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&folder).unwrap();
        let mut settings = Settings {
            rate: 0,
            ..Settings::default()
        };
        set(&mut settings);
        Self {
            router: router(App::new(whistle.clone(), settings, None)),
            bed,
            whistle,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn report(&self, service: &str, (lon, lat): (f64, f64)) -> i64 {
        let new = NewReport {
            service: service.parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(lon, lat).unwrap()),
                ..Whereabouts::default()
            },
            description: "打电话 13912345678".to_owned(),
            answers: Vec::new(),
            channel: Channel::Phone,
            photos: Vec::new(),
            fixed: None,
        };
        let here = self.whistle.places().all()[0].clone();
        let filed = self.whistle.report(&here, new, Actor::System, With::default());
        self.runtime.block_on(filed).unwrap().number.0
    }

    fn get_with(&self, path: &str, headers: &[(header::HeaderName, &str)]) -> Answer {
        let mut request = Request::get(path).header(header::HOST, "willow.example.org");
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Body::empty()).unwrap();
        self.runtime.block_on(async {
            let answer = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: axum::body::to_bytes(body, usize::MAX).await.unwrap().to_vec(),
            }
        })
    }

    fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[])
    }

    /// Makes many closed cases of one, on a square of so many degrees around it.
    fn multiply(&self, number: i64, times: u32, degrees: f64) {
        let spot = format!(
            "spot + CAST(n % 1009 AS BIGINT) * {}",
            if degrees > 0.0 { 1_000_003 } else { 0 }
        );
        let value = |name: &str| match name {
            "number" => "number + n".to_owned(),
            "stage" => "'closed'".to_owned(),
            "is_open" => "0".to_owned(),
            "spot" => spot.clone(),
            name => name.to_owned(),
        };
        let series = "WITH RECURSIVE series(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < ";
        let insert = |names: Vec<String>| {
            let values: Vec<String> = names.iter().map(|name| value(name)).collect();
            format!(
                "INSERT INTO cases ({}) {series}{times}) SELECT {} FROM cases, series WHERE number = {number}",
                names.join(", "),
                values.join(", ")
            )
        };
        if let Some(url) = self.bed.database_url() {
            let names = "SELECT string_agg(column_name, ',') FROM information_schema.columns
                WHERE table_name = 'cases' AND table_schema = current_schema()";
            let names = whistle_testbed::sql(url, names);
            whistle_testbed::sql(url, &insert(names.split(',').map(str::to_owned).collect()));
            return;
        }
        let conn = rusqlite::Connection::open(self.bed.path().join("whistle.db")).unwrap();
        let mut columns = conn
            .prepare("SELECT name FROM pragma_table_info('cases')")
            .unwrap();
        let names: Vec<String> = columns
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        conn.execute_batch(&insert(names)).unwrap();
    }
}

/// The tile of a zoom with a place in it.
fn tile(kind: &str, zoom: u8, (lon, lat): (f64, f64)) -> String {
    let [x, y] = project(Point::new(lon, lat).unwrap());
    let side = f64::from(1_u32 << zoom);
    format!(
        "/map/tiles/{kind}/{zoom}/{}/{}.mvt",
        (x * side) as u32,
        (y * side) as u32
    )
}

#[test]
fn a_tile_has_a_single_case_with_its_number_and_step_and_nothing_that_was_written() {
    let town = Town::open();
    let hole = town.report("RD-HOLE", SPOT);
    let answer = town.get(&tile("cases", 14, SPOT));
    let features = answer.features("cases");
    assert_eq!(features.len(), 1);
    assert_eq!(number(&features[0], "number"), Some(hole));
    let keys: Vec<&str> = features[0]
        .properties
        .iter()
        .map(|(key, _)| key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["n", "open", "from", "to", "service", "group", "number", "step"]
    );
    assert!(!answer.text().contains("139"), "a telephone number");
}

#[test]
fn what_is_not_public_is_in_no_tile_and_not_in_the_list() {
    let town = Town::open();
    let sign = town.report("RD-SIGN", SPOT);
    for zoom in [0, 9, 14, 18] {
        assert!(town.get(&tile("cases", zoom, SPOT)).features("cases").is_empty());
        let heat = format!("{}?view=heat", tile("cases", zoom, SPOT));
        assert!(town.get(&heat).features("cases").is_empty());
    }
    let list = town.get("/map");
    assert_eq!(list.status, StatusCode::OK);
    assert!(!list.text().contains(&format!("/cases/{sign}")));
}

#[test]
fn three_hundred_thousand_cases_in_one_spot_are_one_cluster_and_spread_ones_fit_into_their_tile() {
    let town = Town::open();
    let one = town.report("RD-HOLE", SPOT);
    town.multiply(one, 299_999, 0.0);
    for zoom in [0, 10, 18, 24] {
        let features = town.get(&tile("cases", zoom, SPOT)).features("cases");
        assert_eq!(features.len(), 1, "zoom {zoom}");
        assert_eq!(number(&features[0], "n"), Some(300_000));
        assert_eq!(number(&features[0], "closed"), Some(299_999));
        assert_eq!(number(&features[0], "open"), Some(1));
    }
    let list = town.get("/map?state=closed");
    assert!(list.text().contains("299999"), "{}", list.text());

    let spread = Town::open();
    let one = spread.report("RD-HOLE", SPOT);
    spread.multiply(one, 50_000, 0.1);
    for zoom in [0, 4, 8, 10, 12] {
        for view in ["", "?view=heat"] {
            let answer = spread.get(&format!("{}{view}", tile("cases", zoom, SPOT)));
            let features = answer.features("cases");
            assert!(!features.is_empty());
            println!(
                "zoom {zoom}{view}: {} features, {} bytes",
                features.len(),
                answer.body.len()
            );
        }
    }
}

#[test]
fn who_has_a_tile_is_told_so_until_something_changes() {
    let town = Town::open();
    town.report("RD-HOLE", SPOT);
    let path = tile("cases", 12, SPOT);
    let first = town.get(&path);
    let mark = first.header(header::ETAG).to_owned();
    assert!(mark.starts_with("W/\""), "{mark}");
    assert_eq!(first.header(header::CACHE_CONTROL), "public, max-age=5");
    assert_eq!(first.header(header::SET_COOKIE), "");
    let again = town.get_with(&path, &[(header::IF_NONE_MATCH, &mark)]);
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(again.header(header::ETAG), mark);
    let filtered = town.get(&format!("{path}?state=open"));
    assert_ne!(filtered.header(header::ETAG), mark);

    let grid = town.get(&tile("grid", 12, SPOT));
    assert_eq!(grid.header(header::CACHE_CONTROL), "public, max-age=60");
    let version = grid
        .header(header::ETAG)
        .trim_start_matches("W/\"")
        .trim_end_matches('"')
        .to_owned();
    let for_good = town.get(&format!("{}?v={version}", tile("grid", 12, SPOT)));
    assert!(for_good.header(header::CACHE_CONTROL).contains("immutable"));
    assert!(!for_good.features("areas").is_empty());
    let old = town.get(&format!("{}?v=0000", tile("grid", 12, SPOT)));
    assert_eq!(old.header(header::CACHE_CONTROL), "public, max-age=60");
}

#[test]
fn a_filter_that_is_none_is_refused_and_a_tile_that_is_none_is_not_there() {
    let town = Town::open();
    let path = tile("cases", 12, SPOT);
    for (query, status) in [
        ("state=half", 400),
        ("period=yesterday", 400),
        ("bbox=1,2,3", 400),
        ("bbox=3,4,1,2", 400),
        ("service=NONE", 404),
        ("area=999", 404),
        ("state=open&service=RD&period=30d", 204),
    ] {
        let answer = town.get(&format!("{path}?{query}"));
        assert_eq!(answer.status.as_u16(), status, "{query}: {}", answer.text());
    }
    for path in [
        "/map/tiles/cases/12/99999/1.mvt",
        "/map/tiles/cases/25/1/1.mvt",
        "/map/tiles/cases/1/1/1.png",
        "/map/tiles/grid/x/1/1.mvt",
        "/map/base.pmtiles",
    ] {
        assert_eq!(town.get(path).status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[test]
fn the_basemap_is_served_in_the_pieces_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("willow-brook.pmtiles"), b"PMTiles and more").unwrap();
    let code = Town::open().whistle.places().all()[0]
        .place
        .jurisdiction
        .code
        .to_string();
    std::fs::rename(
        folder.path().join("willow-brook.pmtiles"),
        folder.path().join(format!("{code}.pmtiles")),
    )
    .unwrap();
    let town = Town::open_with(|settings| settings.basemap = Some(folder.path().to_owned()));
    let piece = town.get_with(
        "/map/base.pmtiles",
        &[
            (header::RANGE, "bytes=0-6"),
            (header::ACCEPT_ENCODING, "gzip, br"),
        ],
    );
    assert_eq!((piece.status.as_u16(), piece.text().as_str()), (206, "PMTiles"));
    assert_eq!(piece.header(header::CONTENT_RANGE), "bytes 0-6/16");
    assert_eq!(piece.header(header::CONTENT_ENCODING), "");
    assert!(
        town.get("/map").text().contains("&quot;basemap&quot;:true")
            || town.get("/map").text().contains("&#34;basemap&#34;:true")
    );
}
