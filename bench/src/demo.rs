//! Making cases through the rules: how many a second, with all their events, committed.

use std::time::Instant;

use crate::{server, verdict};

/// How many cases are made; the lists are measured on them afterwards.
pub const CASES: u64 = 1_000_000;

/// Where they are kept between the benchmarks of one run, and from run to run.
pub fn data() -> std::path::PathBuf {
    server::scratch().join(format!("demo-{CASES}"))
}

/// Makes them anew.
pub fn run() {
    println!("demo: {CASES} cases through the rules, with all their events, committed");
    let data = data();
    if data.exists() {
        std::fs::remove_dir_all(&data).expect("last run's data can be removed");
    }
    let made = make();
    println!("  {made:.0} cases/s");
    verdict("cases/s in thousands", made / 1000.0, 5.0);
}

/// Makes them, and answers how many a second.
pub fn make() -> f64 {
    let began = Instant::now();
    let (dir, cases) = (data().display().to_string(), CASES.to_string());
    server::run(&[
        "demo",
        "--dir",
        &dir,
        "--cases",
        &cases,
        "--seed",
        "1",
        "--no-serve",
    ]);
    CASES as f64 / began.elapsed().as_secs_f64()
}
