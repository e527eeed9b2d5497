//! Durable report intake over HTTP, everything on: grid, clocks, log with hashes, counters, outbox.

use std::{fmt::Write as _, fs, path::Path};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use whistle_place::{Compiled, Folder, compile};

use crate::{
    load::{Load, wrk},
    median, reference,
    server::{self, Home},
    verdict, verdict_below,
};

const ROUNDS: usize = 3;
const SECONDS: u32 = 8;
const CONNECTIONS: u32 = 64;

/// Runs it.
pub fn run() {
    println!(
        "intake: reports over HTTP at {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, each beside its references"
    );
    let dir = tempfile::tempdir_in(server::scratch()).expect("a temporary directory");
    let (data, script) = (dir.path().join("data"), dir.path().join("report.lua"));
    let home = Home::Directory(data.clone());
    prepare(&home, &script);

    let bare = reference::Bare::start();
    let whistle = server::Server::start(&home);
    let url = format!("{}{PATH}", whistle.url);
    let (mut of_bare, mut of_group, mut loads) = (Vec::new(), Vec::new(), Vec::<Load>::new());
    let mut accepted = 0;
    for round in 1..=ROUNDS {
        let handler = wrk(&bare.url, CONNECTIONS, SECONDS, Some(&script), &[]);
        let group = reference::group_commit(u64::from(SECONDS));
        let intake = wrk(&url, CONNECTIONS, SECONDS, Some(&script), &[]);
        assert_eq!(intake.refused, 0, "every report must be accepted");
        accepted += intake.answers;
        println!(
            "  round {round}: intake {:.0}/s (p50 {:.1} ms, p99 {:.1} ms), bare handler {:.0}/s, group commit {group:.0} rows/s",
            intake.per_second, intake.p50, intake.p99, handler.per_second
        );
        of_bare.push(intake.per_second / handler.per_second);
        of_group.push(intake.per_second / group);
        loads.push(intake);
    }
    drop(whistle);
    let stored = cases_in(&data);
    println!("  accepted {accepted}, stored {stored}");
    assert!(stored >= accepted, "what was answered must be there");
    verdict("share of the bare handler's requests/s", median(of_bare), 0.20);
    verdict("share of the plain group commit's rows/s", median(of_group), 0.20);
    verdict_below("p99", median(loads.iter().map(|l| l.p99).collect()), 60.0, "ms");
}

/// Where reports are sent.
pub const PATH: &str = "/open311/v2/requests.json";

/// Puts the sample place in force in an empty install, and writes the script that reports in it.
pub fn prepare(home: &Home, script: &Path) {
    let place = server::three_rivers();
    home.run(&["apply", &place.display().to_string()]);
    let key = home.run(&["key", "add", "bench"]);
    let key = key.lines().last().expect("the key is the last line");
    fs::write(script, reports(&place, key)).expect("a script");
}

fn cases_in(data: &Path) -> u64 {
    let db = rusqlite::Connection::open(data.join("whistle.db")).expect("the database");
    db.query_row("SELECT COUNT(*) FROM cases", [], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
        .expect("a count")
}

/// A script for wrk: reports at random points inside the place, of random services that ask no question.
fn reports(place: &Path, key: &str) -> String {
    let folder = Folder::read(place).expect("the sample place can be read");
    let Compiled { place, .. } = compile(&folder, 1).expect("the sample place has no faults");
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let services: Vec<_> = place
        .services()
        .iter()
        .filter(|s| !s.is_group() && s.public && !s.questions.iter().any(|q| q.required))
        .collect();
    let cells: Vec<_> = place
        .areas
        .all()
        .iter()
        .filter(|a| a.level == whistle_domain::place::Level::Cell)
        .collect();
    let mut bodies = String::new();
    for _ in 0..4_000 {
        let service = services[rng.random_range(0..services.len())];
        let cell = cells[rng.random_range(0..cells.len())];
        let bbox = cell.shape.bbox();
        let point = (0..50)
            .map(|_| {
                let (lon, lat) = (
                    rng.random_range(bbox.west..bbox.east),
                    rng.random_range(bbox.south..bbox.north),
                );
                whistle_domain::geometry::Point { lon, lat }
            })
            .find(|p| cell.shape.contains(*p))
            .unwrap_or_else(|| cell.shape.inside_point());
        let description = "The+cover+is+broken+and+water+stands+on+the+road.+".repeat(7);
        let _ = writeln!(
            bodies,
            "  \"service_code={}&lat={:.6}&long={:.6}&description={description}&api_key={key}\",",
            service.code, point.lat, point.lon
        );
    }
    format!(
        "local bodies = {{\n{bodies}}}\nlocal n = 0\nwrk.method = \"POST\"\n\
         wrk.headers[\"Content-Type\"] = \"application/x-www-form-urlencoded\"\n\
         request = function()\n  n = n % #bodies + 1\n  return wrk.format(nil, nil, nil, bodies[n])\nend\n"
    )
}
