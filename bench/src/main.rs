//! Benchmarks. Each prints ratios against a reference that was measured in the same run, because the machine's own
//! speed changes from hour to hour. Run by `make bench`; see docs/benchmarks.md for what the figures mean.

mod clocks;
mod demo;
mod figures;
mod grid;
mod intake;
mod lists;
mod load;
mod postgres;
mod reference;
mod search;
mod server;

use std::process::ExitCode;

const USAGE: &str = "usage: whistle-bench [all|grid|intake|lists|clocks|search|figures|demo|postgres]";

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1).unwrap_or_else(|| "all".to_owned());
    match wanted.as_str() {
        // The bare handler is a process of its own, like the server it is compared with.
        "bare-handler" => reference::serve_bare(),
        "grid" => grid::run(),
        "intake" => intake::run(),
        "lists" => lists::run(),
        "clocks" => clocks::run(),
        "search" => search::run(),
        "demo" => demo::run(),
        "figures" => figures::run(),
        "postgres" => postgres::run(),
        "all" => {
            grid::run();
            intake::run();
            demo::run();
            lists::run();
            clocks::run();
            figures::run();
            search::run();
            postgres::run();
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Says whether a target is met, and by how much it is missed.
fn verdict(what: &str, value: f64, at_least: f64) {
    let said = if value >= at_least { "met" } else { "MISSED" };
    println!("  target {what}: {value:.2} of at least {at_least:.2}: {said}");
}

/// The same for a figure that should be small.
fn verdict_below(what: &str, value: f64, below: f64, unit: &str) {
    let said = if value < below { "met" } else { "MISSED" };
    println!("  target {what}: {value:.1} {unit} of less than {below:.0} {unit}: {said}");
}

/// The middle one.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
