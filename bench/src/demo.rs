//! Making cases through the rules: how many a second, with all their events, committed.

use std::{fs, path::PathBuf, time::Instant};

use crate::{
    server::{self, Home},
    verdict,
};

/// How many cases are made; the lists are measured on them afterwards.
pub const CASES: u64 = 1_000_000;

/// Where they are kept between the benchmarks of one run, and from run to run.
pub fn home() -> Home {
    Home::Directory(data())
}

fn data() -> PathBuf {
    server::scratch().join(format!("demo-{CASES}"))
}

/// Makes them anew.
pub fn run() {
    println!("demo: {CASES} cases through the rules, with all their events, committed");
    if data().exists() {
        fs::remove_dir_all(data()).expect("last run's data can be removed");
    }
    let made = make(&home());
    println!("  {made:.0} cases/s");
    verdict("cases/s in thousands", made / 1000.0, 5.0);
}

/// Makes them if they are not there.
pub fn ensure() -> Home {
    if !data().exists() {
        make(&home());
    }
    home()
}

/// Makes them, and answers how many a second.
pub fn make(home: &Home) -> f64 {
    let began = Instant::now();
    let mut arguments = vec!["demo".to_owned(), "--no-serve".to_owned(), "--dir".to_owned()];
    match home {
        Home::Directory(dir) => arguments.push(dir.display().to_string()),
        Home::Postgres { dir, url } => {
            arguments.extend([
                dir.display().to_string(),
                "--database-url".to_owned(),
                url.clone(),
            ]);
        }
    }
    arguments.extend([
        "--cases".to_owned(),
        CASES.to_string(),
        "--seed".to_owned(),
        "1".to_owned(),
    ]);
    server::run(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    CASES as f64 / began.elapsed().as_secs_f64()
}
