//! Lists with a million cases stored: the staff queue page and the Open311 list of 50, at the first page and deep.

use std::{
    fs, thread,
    time::{Duration, Instant},
};

use crate::{
    demo,
    load::{Load, wrk},
    server::{self, Home},
    verdict, verdict_below,
};

const CONNECTIONS: u32 = 16;
const SECONDS: u32 = 8;

/// Runs it on SQLite.
pub fn run() {
    measure(&demo::ensure());
}

/// Measures the start and the lists of an install that holds the demo.
pub fn measure(home: &Home) {
    println!(
        "lists: {} cases stored, {CONNECTIONS} connections, {SECONDS} s each",
        demo::CASES
    );
    let server = server::Server::start(home);
    println!(
        "  start to ready {:.2} s, resident {:.0} MB",
        server.started_in.as_secs_f64(),
        server.resident_mb()
    );
    verdict_below("start", server.started_in.as_secs_f64() * 1000.0, 2000.0, "ms");
    verdict_below(
        "resident memory after the start",
        server.resident_mb(),
        300.0,
        "MB",
    );

    // Without dates: the last 90 days, a quarter of what the demo has.
    let list = format!("{}/open311/v2/requests.json?page_size=50", server.url);
    for page in ["1", "400"] {
        assert_eq!(items(&format!("{list}&page={page}")), 50, "page {page} is full");
    }
    let first = wrk(&format!("{list}&page=1"), CONNECTIONS, SECONDS, None, &[]);
    let deep = wrk(&format!("{list}&page=400"), CONNECTIONS, SECONDS, None, &[]);
    let api = format!("{}/api/v1/cases?limit=50", server.url);
    let keyset_first = wrk(&api, CONNECTIONS, SECONDS, None, &[]);
    let keyset_deep = wrk(
        &format!("{api}&after={}", cursor_after(&api, 400)),
        CONNECTIONS,
        SECONDS,
        None,
        &[],
    );
    let cookie = sign_in(&server.url, home);
    let headers = [format!("Cookie: {cookie}")];
    let queue = wrk(
        &format!("{}/staff", server.url),
        CONNECTIONS,
        SECONDS,
        None,
        &headers,
    );
    for (what, load) in [
        ("Open311 list, page 1", first),
        ("Open311 list, page 400", deep),
        ("API list, first page", keyset_first),
        ("API list, page 400 by its cursor", keyset_deep),
        ("staff queue page", queue),
    ] {
        told(what, &load);
        verdict_below("p99", load.p99, 25.0, "ms");
    }
    println!("  resident after the load {:.0} MB", server.resident_mb());
    verdict(
        "page 1 by page 400, by cursor (independent: 1)",
        keyset_deep.per_second / keyset_first.per_second,
        0.8,
    );
    verdict(
        "page 1 by page 400, by number (independent: 1)",
        deep.per_second / first.per_second,
        0.8,
    );
    dashboards(&server.url, &headers);
    map(&server.url);
    println!("  resident after the map {:.0} MB", server.resident_mb());
}

/// How long facts may take to be made of the log of a million cases before the run is given up.
const COUNTED_WITHIN: Duration = Duration::from_mins(10);

/// The pages of figures, first looked at and then by many: of the place, of one indicator by month, and the overview of the staff.
fn dashboards(url: &str, headers: &[String]) {
    let begun = Instant::now();
    let page = format!("{url}/figures");
    while ureq::get(&page).call().is_err() {
        assert!(begun.elapsed() < COUNTED_WITHIN, "the facts are not there");
        thread::sleep(Duration::from_millis(200));
    }
    println!(
        "  figures: counted after {:.1} s more",
        begun.elapsed().as_secs_f64()
    );
    let one = format!("{url}/figures/indicators/on_time_handling?by=month");
    for (what, address, headers) in [
        ("figures page of the place", page, &[][..]),
        ("figures page of one indicator", one, &[][..]),
        (
            "figures overview of the staff",
            format!("{url}/staff/figures"),
            headers,
        ),
    ] {
        let load = wrk(&address, CONNECTIONS, SECONDS, None, headers);
        told(what, &load);
        verdict_below("p99", load.p99, 100.0, "ms");
    }
}

/// The most bytes of a tile.
const TILE_AT_MOST: f64 = 500_000.0;

/// The map over the middle of the demo's city: the first look, by which its index is made, then tiles from far to near, and the
/// page with its list.
fn map(url: &str) {
    let tile = |zoom: u32| {
        let (lon, lat) = (132.266_f64, 46.517_3_f64.to_radians());
        let side = f64::from(1_u32 << zoom);
        let x = (lon + 180.0) / 360.0 * side;
        let y = (1.0 - lat.tan().asinh() / std::f64::consts::PI) / 2.0 * side;
        format!("{url}/map/tiles/cases/{zoom}/{}/{}.mvt", x.floor(), y.floor())
    };
    let begun = Instant::now();
    let first = bytes(&tile(8));
    let took = begun.elapsed().as_secs_f64() * 1000.0;
    assert!(first > 0, "the tile has cases");
    println!("  map, the first look: {took:.0} ms");
    for zoom in [8, 11, 14] {
        let (tile, what) = (tile(zoom), format!("map tile at zoom {zoom}"));
        verdict_below(&what, bytes(&tile) as f64, TILE_AT_MOST, "bytes");
        told(&what, &wrk(&tile, CONNECTIONS, SECONDS, None, &[]));
    }
    let page = format!("{url}/map");
    told("map page", &wrk(&page, CONNECTIONS, SECONDS, None, &[]));
}

/// How many bytes an answer has.
fn bytes(url: &str) -> usize {
    let mut answer = ureq::get(url).call().expect("an answer");
    answer.body_mut().read_to_vec().expect("it is read").len()
}

/// Prints what a load was answered.
fn told(what: &str, load: &Load) {
    println!(
        "  {what}: {:.0}/s, p50 {:.1} ms, p99 {:.1} ms",
        load.per_second, load.p50, load.p99
    );
    assert_eq!(load.refused, 0, "{what}: every request must be answered");
}

/// How many items a list of Open311 answers.
fn items(url: &str) -> usize {
    let mut answer = ureq::get(url).call().expect("an answer");
    let list: serde_json::Value = answer.body_mut().read_json().expect("it is JSON");
    list.as_array().expect("it is a list").len()
}

fn cursor_after(list: &str, pages: usize) -> String {
    let mut after = String::new();
    for _ in 0..pages {
        let url = if after.is_empty() {
            list.to_owned()
        } else {
            format!("{list}&after={after}")
        };
        let page: serde_json::Value = ureq::get(url)
            .call()
            .expect("a page")
            .body_mut()
            .read_json()
            .expect("it is JSON");
        page["next"]
            .as_str()
            .expect("there is more")
            .clone_into(&mut after);
    }
    after
}

/// Signs in as the demo's dispatcher of the city and answers the cookie.
fn sign_in(url: &str, home: &Home) -> String {
    const PASSWORD: &str = "a bench of its own";
    let file = server::scratch().join("password");
    fs::write(&file, PASSWORD).expect("a file for the password");
    home.run(&[
        "user",
        "password",
        "dispatcher",
        "--password-file",
        &file.display().to_string(),
    ]);
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let answer = agent
        .post(format!("{url}/staff/sign-in"))
        .header("Origin", url)
        .send_form([("login", "dispatcher"), ("password", PASSWORD)])
        .expect("the demo's dispatcher may sign in");
    let cookies = answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|c| c.to_str().ok());
    cookies
        .filter_map(|c| c.split(';').next())
        .collect::<Vec<_>>()
        .join("; ")
}
