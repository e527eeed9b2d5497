//! Load from a second process: wrk, and what it printed.

use std::{path::Path, process::Command};

/// What a run of wrk gave.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Answers per second.
    pub per_second: f64,
    /// The 50th percentile, in milliseconds.
    pub p50: f64,
    /// The 99th percentile, in milliseconds.
    pub p99: f64,
    /// Answers in all.
    pub answers: u64,
    /// Answers that were not 2xx or 3xx.
    pub refused: u64,
}

/// Asks `url` over some connections for some seconds. A script says what is asked.
pub fn wrk(url: &str, connections: u32, seconds: u32, script: Option<&Path>, headers: &[String]) -> Load {
    let mut command = Command::new("wrk");
    command.args([
        "--latency",
        "-t1",
        &format!("-c{connections}"),
        &format!("-d{seconds}s"),
    ]);
    for header in headers {
        command.args(["-H", header]);
    }
    if let Some(script) = script {
        command.arg("-s").arg(script);
    }
    let output = command
        .arg(url)
        .output()
        .expect("wrk runs; `scripts/setup bench` installs it");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "wrk: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let after = |label: &str| {
        text.lines()
            .find_map(|l| l.trim().strip_prefix(label))
            .unwrap_or("")
            .trim()
    };
    Load {
        per_second: after("Requests/sec:").parse().unwrap_or(0.0),
        p50: milliseconds(after("50%")),
        p99: milliseconds(after("99%")),
        answers: text
            .lines()
            .find(|l| l.contains(" requests in "))
            .and_then(|l| l.split_whitespace().next()?.parse().ok())
            .unwrap_or(0),
        refused: after("Non-2xx or 3xx responses:").parse().unwrap_or(0),
    }
}

fn milliseconds(text: &str) -> f64 {
    let units = [("us", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    units
        .iter()
        .find_map(|(unit, factor)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * factor))
        .unwrap_or(f64::NAN)
}
