//! What commands print: lines and tables for people, JSON for machines, progress on a terminal only.

use std::{
    io::{self, IsTerminal, Write},
    process,
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

/// Prints a line. Who reads no further (`whistle … | head`) ends the program quietly.
pub(crate) fn line(text: impl AsRef<str>) {
    let mut out = io::stdout().lock();
    if let Err(error) = writeln!(out, "{}", text.as_ref()).and_then(|()| out.flush()) {
        if error.kind() == io::ErrorKind::BrokenPipe {
            process::exit(0);
        }
        eprintln!("error: cannot print: {error}");
        process::exit(1);
    }
}

/// Prints a value as JSON, indented.
pub(crate) fn json(value: &impl Serialize) {
    line(serde_json::to_string_pretty(value).expect("what is printed has string keys only"));
}

/// Prints rows under a head, in columns.
pub(crate) fn table(head: &[&str], rows: &[impl AsRef<[String]>]) {
    let head: Vec<String> = head.iter().map(|name| name.to_uppercase()).collect();
    let all = || std::iter::once(head.as_slice()).chain(rows.iter().map(AsRef::as_ref));
    let mut widths = vec![0; head.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in all() {
        let mut text = String::new();
        for (width, cell) in widths.iter().zip(row) {
            let gap = width - cell.chars().count() + 2;
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', gap));
        }
        line(text.trim_end());
    }
}

/// `1 case`, `2 cases`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// A bar for work of a known size; a counter when the size is 0. Silent where standard error is no terminal.
pub(crate) fn progress(what: &'static str, total: u64) -> ProgressBar {
    let template = match total {
        0 => "{msg} {human_pos} ({per_sec}, {elapsed})",
        _ => "{msg} [{bar:32}] {human_pos}/{human_len} ({eta} left)",
    };
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr_with_hz(10)
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target((total > 0).then_some(total), target);
    bar.set_style(
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> "),
    );
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.with_message(what)
}
