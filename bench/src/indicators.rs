//! Indicators: one year by community, the count, the share handled on time and the exact median, through the engine that answers
//! pages; and beside it the same written by hand over the same columns.
//!
//! The rows are spread over five years in the order in which they were reported, as facts are.

use std::{path::Path, time::Instant};

use jiff::Timestamp;
use whistle_domain::{
    place::{Level, Place},
    words::Lang,
};
use whistle_figures::{
    facts::{Facts, NEVER, flag},
    indicator::{Answer, Ask, Book, Cut, Key, KnownCodes, Period, Ratio, ask},
};
use whistle_place::{Folder, compile};

use crate::{median, verdict_below};

const ROWS: u32 = 10_000_000;
const YEARS: [i16; 2] = [2021, 2025];
const ROUNDS: usize = 7;

const DECLARED: &str = r#"
[[indicator]]
code = "count"
subject = "case"
period = "filed"
unit = "count"
label = { zh = "数", en = "Count" }

[[indicator]]
code = "on_time"
subject = "case"
period = "filed"
numerator = "handled and not handled_late"
denominator = "due"
unit = "percent"
label = { zh = "按期", en = "On time" }

[[indicator]]
code = "median"
subject = "case"
period = "filed"
measure = "median of handled - reported"
unit = "duration"
label = { zh = "中位", en = "Median" }
"#;

pub fn run() {
    println!(
        "indicators: {ROWS} cases of five years; one year by community: count, share on time, exact median"
    );
    let place = three_rivers();
    let facts = facts(&place);
    let book = book();
    let year = Period::year(2024).expect("a year");
    let zone = place.calendar.zone();
    let (from, to) = year.bounds(zone);
    let mut engine = Vec::new();
    let mut by_hand = Vec::new();
    for _ in 0..ROUNDS {
        let started = Instant::now();
        let answer = year_by_area(&facts, &place, &book, year, Level::Community);
        engine.push(started.elapsed().as_secs_f64());
        let started = Instant::now();
        let hand = scan(&facts, from, to);
        by_hand.push(started.elapsed().as_secs_f64());
        compare(&answer, &hand);
    }
    let (engine, by_hand) = (median(engine), median(by_hand));
    println!(
        "  by the engine {:.1} ms, by hand {:.1} ms",
        engine * 1e3,
        by_hand * 1e3
    );
    verdict_below("times the scan by hand", engine / by_hand, 3.0, "times");
}

fn three_rivers() -> Place {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/three-rivers");
    let folder = Folder::read(&dir).expect("the example can be read");
    compile(&folder, 1).expect("the example is sound").place
}

fn book() -> Book {
    let (book, faults) = Book::read(DECLARED, &KnownCodes::default(), &Lang::ALL);
    assert!(faults.is_empty(), "{faults:?}");
    book
}

/// What pages ask for when they show a year by area.
pub fn year_by_area(facts: &Facts, place: &Place, book: &Book, year: Period, level: Level) -> Answer {
    let indicators = ["count", "on_time", "median"].map(|code| book.get(code).expect("it is declared"));
    let now = Timestamp::from_second(1_800_000_000).expect("in time");
    let mut it = Ask::new(indicators.to_vec(), year, now);
    it.cut = Cut::Area(level);
    ask(facts, place, &it).expect("it has an answer")
}

/// Only the columns that are asked for.
fn facts(place: &Place) -> Facts {
    let mut facts = Facts::default();
    let cells = place
        .areas
        .all()
        .iter()
        .enumerate()
        .filter(|(_, area)| area.level == Level::Community);
    for (index, area) in cells {
        facts.areas.number(area.code.as_str());
        facts.paths.push(place.areas.path(index as u32));
    }
    let areas = facts.paths.len() as u64;
    let zone = place.calendar.zone();
    let start = Period::year(YEARS[0]).expect("a year").bounds(zone).0;
    let end = Period::year(YEARS[1]).expect("a year").bounds(zone).1;
    let step = f64::from(end - start) / f64::from(ROWS);
    let mut seed = 1_u64;
    let mut below = |most: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % most
    };
    let cases = &mut facts.cases;
    for number in 0..ROWS {
        let reported = start + (f64::from(number) * step) as u32;
        let handled = reported + 600 + below(20 * 86_400) as u32;
        let due = reported + 86_400 * (1 + below(14) as u32);
        let is_open = below(50) == 0;
        cases.number.push(number);
        cases.area.push(below(areas) as u16);
        cases.reported.push(reported);
        cases.due.push(if below(20) == 0 { NEVER } else { due });
        cases.handled.push(if is_open { NEVER } else { handled });
        cases.flags.push(if !is_open && handled > due {
            flag::HANDLED_LATE
        } else {
            flag::PUBLIC
        });
    }
    facts
}

#[derive(Clone, Default)]
struct Area {
    count: u64,
    due: u64,
    on_time: u64,
    times: Vec<u32>,
}

/// The same, as one would write it for this question alone: on both cores, with a vector of times for each area.
fn scan(facts: &Facts, from: u32, to: u32) -> Vec<Area> {
    let cases = &facts.cases;
    let areas = facts.paths.len();
    let rows = cases.number.len();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(8);
    let part = rows.div_ceil(threads);
    let mut parts: Vec<Vec<Area>> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    let mut found = vec![Area::default(); areas];
                    for row in thread * part..((thread + 1) * part).min(rows) {
                        let reported = cases.reported[row];
                        if reported < from || reported >= to {
                            continue;
                        }
                        let area = &mut found[usize::from(cases.area[row])];
                        area.count += 1;
                        let handled = cases.handled[row];
                        if handled != NEVER {
                            area.times.push(handled - reported);
                        }
                        if cases.due[row] != NEVER {
                            area.due += 1;
                            area.on_time +=
                                u64::from(handled != NEVER && cases.flags[row] & flag::HANDLED_LATE == 0);
                        }
                    }
                    found
                })
            })
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("it counts"))
            .collect()
    });
    let mut whole = parts.pop().unwrap_or_default();
    for part in parts {
        for (area, other) in whole.iter_mut().zip(part) {
            area.count += other.count;
            area.due += other.due;
            area.on_time += other.on_time;
            area.times.extend(other.times);
        }
    }
    for area in &mut whole {
        let rank = area.times.len().div_ceil(2).max(1);
        if !area.times.is_empty() {
            let median = *area.times.select_nth_unstable(rank - 1).1;
            area.times = vec![median];
        }
    }
    whole
}

/// Both must say the same, or the comparison is of nothing.
fn compare(answer: &Answer, by_hand: &[Area]) {
    let mut sums = (0, 0);
    for row in &answer.rows {
        assert!(
            matches!(row.key, Some(Key::Code(_))),
            "every case has a community"
        );
        sums.0 += row.now[0].numerator;
        sums.1 += row.now[1].numerator;
    }
    let hand: (u64, u64) = by_hand
        .iter()
        .fold((0, 0), |sum, it| (sum.0 + it.count, sum.1 + it.on_time));
    assert_eq!(sums, hand);
    let mut medians: Vec<u64> = answer
        .rows
        .iter()
        .filter_map(|row| row.now[2].value)
        .map(|Ratio { over, .. }| over)
        .collect();
    let mut others: Vec<u64> = by_hand
        .iter()
        .filter_map(|it| it.times.first())
        .map(|it| u64::from(*it))
        .collect();
    medians.sort_unstable();
    others.sort_unstable();
    assert_eq!(medians, others);
}
