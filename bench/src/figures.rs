//! Facts of ten million cases: what they take up in memory, how long they take to be written to a file and read back, and what
//! figures cost that are counted from all of them: of one year by area, how many cases, how many of them in time, and the
//! exact median of what handling took. Counted by the engine that answers pages, and beside it by code written for this one
//! question and by DuckDB, of a table that it made of the same rows, in the same run.

use std::{
    collections::HashMap,
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    thread,
    time::Instant,
};

use jiff::{Timestamp, civil::date};
use parquet::{
    basic::Compression,
    data_type::{Int32Type, Int64Type},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    clock::ClockKind,
    place::{AreaPath, Level, Place},
    words::{Lang, ServiceCode, StandardCode, UnitCode},
};
use whistle_figures::{
    facts::{CaseBlock, CaseRow, Ended, Fact, Facts, LogPlace, Moment, NEVER, NONE, NOTHING, RunRow},
    indicator::{Answer, Ask, Book, Cut, Figure, Key, KnownCodes, Period, ask},
};
use whistle_place::{Folder, compile};

use crate::{median, server, verdict, verdict_below};

/// Cases, when nothing else is said by `WHISTLE_BENCH_FIGURES`.
const CASES: u32 = 10_000_000;
/// Years over which they are spread.
const YEARS: i64 = 5;
/// Towns, and communities in each: ninety-six.
const TOWNS: usize = 12;
const COMMUNITIES: usize = 8;
const SERVICES: usize = 40;
const UNITS: usize = 60;
/// How often each figure is counted.
const ROUNDS: usize = 7;
/// Rows of one group of the file that DuckDB reads.
const GROUP: usize = 1_000_000;

/// Runs it.
pub fn run() {
    let cases = std::env::var("WHISTLE_BENCH_FIGURES").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(CASES);
    println!("figures: {cases} cases over {YEARS} years, with their runs");
    let began = Instant::now();
    let facts = made(cases);
    println!(
        "  made in {:.1} s: {} runs, {} MB, {:.0} bytes a case",
        began.elapsed().as_secs_f64(),
        facts.live_runs(),
        facts.bytes() >> 20,
        facts.bytes() as f64 / facts.len() as f64
    );
    let dir = tempfile::tempdir_in(server::scratch()).expect("a directory");
    snapshot(&facts, dir.path());
    let (place, book, year) = (three_rivers(), book(), Period::year(2025).expect("a year"));
    let (from, until) = year.bounds(place.calendar.zone());
    let (by_hand, times) = measured(|| scan_by_hand(&facts, from, until));
    let counted: u64 = by_hand.iter().map(|area| area.cases).sum();
    let by_hand_took = median(times);
    println!(
        "  one year by area ({counted} cases): by hand {:.1} ms",
        by_hand_took * 1000.0
    );
    let (answer, times) = measured(|| year_by_area(&facts, &place, &book, year));
    compare(&facts, &answer, &by_hand);
    let engine_took = median(times);
    println!("  by the engine {:.1} ms", engine_took * 1000.0);
    verdict_below(
        "the engine by the scan by hand",
        engine_took / by_hand_took,
        3.0,
        "times",
    );
    match duckdb(&facts, dir.path(), from, until) {
        Ok((rows, took)) => {
            assert_eq!(rows, by_hand, "DuckDB counts otherwise");
            println!("  DuckDB, the same figures: {:.1} ms", took * 1000.0);
            verdict(
                "the engine against DuckDB, times as fast",
                took / engine_took,
                3.0,
            );
        }
        Err(why) => println!("  DuckDB was not asked: {why}"),
    }
}

/// Runs something some times; answers what it came to, and how many seconds each time took.
fn measured<T>(mut f: impl FnMut() -> T) -> (T, Vec<f64>) {
    let mut answer = f();
    let times = (0..ROUNDS).map(|_| {
        let began = Instant::now();
        answer = f();
        began.elapsed().as_secs_f64()
    });
    let times = times.collect();
    (answer, times)
}

fn snapshot(facts: &Facts, dir: &Path) {
    let (path, read) = (dir.join("facts"), LogPlace::new());
    let began = Instant::now();
    let mut file = BufWriter::new(File::create(&path).expect("a file"));
    let bytes = facts.save(&mut file, "bench", &read).expect("it is written");
    file.into_inner()
        .expect("it is written")
        .sync_all()
        .expect("it is on the disk");
    println!(
        "  written to a file in {:.1} s: {} MB",
        began.elapsed().as_secs_f64(),
        bytes >> 20
    );
    let began = Instant::now();
    let (again, _) = Facts::load(&path, "bench").expect("it is read");
    let took = began.elapsed();
    assert_eq!(again.len(), facts.len());
    assert_eq!(
        again.get(facts.len() as u32 / 2),
        facts.get(facts.len() as u32 / 2)
    );
    verdict_below("reading it back at a start", took.as_secs_f64(), 5.0, "s");
}

// ---- what is counted --------------------------------------------------------------------------------------------

/// What is counted of one area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct OfArea {
    /// Its number in [`Facts::areas`].
    pub area: u16,
    /// Cases reported in the time that have been handled.
    pub cases: u64,
    /// Of those, handled when they were due or before.
    pub in_time: u64,
    /// The median of the seconds from dispatch to handling; of two in the middle, their mean.
    pub median: f64,
}

/// The reference of what any other way of counting is measured against: the columns gone through by code that was written for
/// this one question, over all cores, leaving out the blocks in which nothing can be.
pub(crate) fn scan_by_hand(facts: &Facts, from: Moment, until: Moment) -> Vec<OfArea> {
    let blocks: Vec<CaseBlock> = facts
        .cases
        .blocks()
        .filter(|it| it.reported.meets(from, until))
        .collect();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let areas = facts.areas.codes().len();
    let parts: Vec<(Vec<u64>, Vec<Vec<u32>>)> = thread::scope(|scope| {
        let parts = blocks.chunks(blocks.len().div_ceil(threads).max(1));
        let parts: Vec<_> = parts
            .map(|part| scope.spawn(move || scan_part(facts, part, areas, from, until)))
            .collect();
        parts
            .into_iter()
            .map(|part| part.join().expect("no thread panics"))
            .collect()
    });
    let by_area: Vec<u16> = (0..areas as u16).collect();
    thread::scope(|scope| {
        let parts = &parts;
        let work = by_area.chunks(areas.div_ceil(threads).max(1)).map(|areas| {
            scope.spawn(move || {
                areas
                    .iter()
                    .filter_map(|area| of_area(*area, parts))
                    .collect::<Vec<_>>()
            })
        });
        let work: Vec<_> = work.collect();
        work.into_iter()
            .flat_map(|part| part.join().expect("no thread panics"))
            .collect()
    })
}

fn scan_part(
    facts: &Facts,
    blocks: &[CaseBlock],
    areas: usize,
    from: Moment,
    until: Moment,
) -> (Vec<u64>, Vec<Vec<u32>>) {
    let cases = &facts.cases;
    let (mut in_time, mut took) = (vec![0; areas], vec![Vec::new(); areas]);
    for CaseBlock { rows, .. } in blocks {
        let (reported, handled) = (&cases.reported[rows.clone()], &cases.handled[rows.clone()]);
        let (dispatched, due) = (&cases.dispatched[rows.clone()], &cases.due[rows.clone()]);
        let area = &cases.area[rows.clone()];
        for at in 0..reported.len() {
            if reported[at] >= from && reported[at] < until && handled[at] != NEVER && dispatched[at] != NEVER
            {
                let area = usize::from(area[at]);
                in_time[area] += u64::from(handled[at] <= due[at]);
                took[area].push(handled[at].saturating_sub(dispatched[at]));
            }
        }
    }
    (in_time, took)
}

fn of_area(area: u16, parts: &[(Vec<u64>, Vec<Vec<u32>>)]) -> Option<OfArea> {
    let at = usize::from(area);
    let mut took: Vec<u32> = parts.iter().flat_map(|(_, took)| &took[at]).copied().collect();
    if took.is_empty() {
        return None;
    }
    let (cases, middle) = (took.len(), took.len() / 2);
    let (below, upper, _) = took.select_nth_unstable(middle);
    let upper = f64::from(*upper);
    let median = match below.iter().max() {
        Some(lower) if cases % 2 == 0 => f64::midpoint(f64::from(*lower), upper),
        _ => upper,
    };
    Some(OfArea {
        area,
        cases: cases as u64,
        in_time: parts.iter().map(|(in_time, _)| in_time[at]).sum(),
        median,
    })
}

// ---- the engine -------------------------------------------------------------------------------------------------

/// What is counted by hand, declared.
const DECLARED: &str = r#"
[[indicator]]
code = "worked"
subject = "case"
period = "filed"
numerator = "handled and dispatched"
unit = "count"
label = { zh = "数", en = "Count" }

[[indicator]]
code = "in_time"
subject = "case"
period = "filed"
numerator = "handled <= due"
denominator = "handled and dispatched"
unit = "percent"
label = { zh = "按期", en = "In time" }

[[indicator]]
code = "took"
subject = "case"
period = "filed"
measure = "median of handled - dispatched"
unit = "duration"
label = { zh = "中位", en = "Median" }
"#;

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
fn year_by_area(facts: &Facts, place: &Place, book: &Book, year: Period) -> Answer {
    let indicators = ["worked", "in_time", "took"].map(|code| book.get(code).expect("it is declared"));
    let now = Timestamp::from_second(1_900_000_000).expect("in time");
    let mut it = Ask::new(indicators.to_vec(), year, now);
    it.cut = Cut::Area(Level::Community);
    ask(facts, place, &it).expect("it has an answer")
}

/// Both must say the same, or the comparison is of nothing. Of two values in the middle the engine takes the lower one, as its
/// percentiles are by the nearest rank; the mean of both is as far from it as they are from one another.
fn compare(facts: &Facts, answer: &Answer, by_hand: &[OfArea]) {
    let found: HashMap<&str, &[Figure]> = answer
        .rows
        .iter()
        .filter_map(|row| match &row.key {
            Some(Key::Code(code)) => Some((code.as_str(), row.now.as_slice())),
            _ => None,
        })
        .collect();
    for area in by_hand {
        let code = facts.areas.code(area.area).expect("a code");
        let [worked, in_time, took] = found[code] else {
            panic!("three figures")
        };
        assert_eq!(
            (worked.numerator, in_time.numerator),
            (area.cases, area.in_time),
            "{code}"
        );
        let middle = took.value.expect("a median").as_f64();
        assert!(
            middle <= area.median && area.median - middle < 60.0,
            "{code}: {middle}, {}",
            area.median
        );
    }
}

// ---- DuckDB -----------------------------------------------------------------------------------------------------

/// Lets DuckDB count the same, of a table that it has made of the same rows. Answers the figures, and the median of the seconds.
fn duckdb(facts: &Facts, dir: &Path, from: Moment, until: Moment) -> Result<(Vec<OfArea>, f64), String> {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let python = here.join("../target/duckdb/bin/python");
    if !python.exists() {
        return Err("scripts/setup bench sets it up".to_owned());
    }
    let file = dir.join("cases.parquet");
    write_parquet(facts, &file).map_err(|error| error.to_string())?;
    let output = Command::new(python)
        .arg(here.join("duckdb/figures.py"))
        .arg(&file)
        .args([from.to_string(), until.to_string(), ROUNDS.to_string()])
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let said: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    println!(
        "  DuckDB {} has its table in {:.1} s",
        said["version"],
        said["loaded"].as_f64().unwrap_or_default()
    );
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    let rows = said["rows"].as_array().into_iter().flatten().map(|row| OfArea {
        area: number(&row[0]) as u16,
        cases: number(&row[1]),
        in_time: number(&row[2]),
        median: row[3].as_f64().unwrap_or_default(),
    });
    let times = said["times"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(serde_json::Value::as_f64);
    Ok((rows.collect(), median(times.collect())))
}

/// The columns that the figure is counted from, as a file of Parquet.
fn write_parquet(facts: &Facts, to: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let schema = parse_message_type(
        "message cases {
             REQUIRED INT32 area;
             REQUIRED INT64 reported;
             REQUIRED INT64 dispatched;
             REQUIRED INT64 handled;
             REQUIRED INT64 due;
         }",
    )?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::UNCOMPRESSED)
        .build();
    let mut writer = SerializedFileWriter::new(File::create(to)?, Arc::new(schema), Arc::new(properties))?;
    let cases = &facts.cases;
    for begin in (0..facts.len()).step_by(GROUP) {
        let rows = begin..facts.len().min(begin + GROUP);
        let mut group = writer.next_row_group()?;
        let mut column = group.next_column()?.ok_or("a column")?;
        let areas: Vec<i32> = cases.area[rows.clone()]
            .iter()
            .map(|area| i32::from(*area))
            .collect();
        column.typed::<Int32Type>().write_batch(&areas, None, None)?;
        column.close()?;
        for moments in [&cases.reported, &cases.dispatched, &cases.handled, &cases.due] {
            let mut column = group.next_column()?.ok_or("a column")?;
            let moments: Vec<i64> = moments[rows.clone()]
                .iter()
                .map(|moment| i64::from(*moment))
                .collect();
            column.typed::<Int64Type>().write_batch(&moments, None, None)?;
            column.close()?;
        }
        group.close()?;
    }
    writer.close()?;
    Ok(())
}

// ---- the cases --------------------------------------------------------------------------------------------------

fn moment(year: i16) -> Moment {
    let start = date(year, 1, 1).in_tz("UTC").expect("a date");
    start.timestamp().as_second() as Moment
}

/// Cases with a lifelike spread: reported by day more than by night, handled after a time with a long tail, mostly in time.
fn made(cases: u32) -> Facts {
    let mut chance = StdRng::seed_from_u64(6);
    let mut facts = Facts::new();
    facts.reserve(cases as usize);
    let paths: Vec<AreaPath> = (0..TOWNS)
        .flat_map(|town| (0..COMMUNITIES).map(move |community| (town, community)))
        .map(|(town, community)| {
            let code = |text: String| Some(text.parse().expect("a code"));
            AreaPath([
                code("C".to_owned()),
                code(format!("T{town}")),
                code(format!("T{town}-{community}")),
                None,
            ])
        })
        .collect();
    let services: Vec<ServiceCode> = (0..SERVICES)
        .map(|n| format!("S{n}").parse().expect("a code"))
        .collect();
    let standards: Vec<StandardCode> = (0..SERVICES)
        .map(|n| format!("S{n}-1").parse().expect("a code"))
        .collect();
    let units: Vec<UnitCode> = (0..UNITS)
        .map(|n| format!("U{n}").parse().expect("a code"))
        .collect();
    let (begin, end) = (moment(2026 - YEARS as i16 + 1), moment(2027));
    let step = f64::from(end - begin) / f64::from(cases);
    for number in 1..=cases {
        let reported = begin + (f64::from(number - 1) * step) as u32;
        let service = chance.random_range(0..SERVICES);
        let path = &paths[(chance.random::<f64>().powi(2) * paths.len() as f64) as usize];
        let dispatched = reported + chance.random_range(0..7_200);
        let limit = 3_600 * (4 + 8 * (service as u32 % 9));
        // A long tail: half within a third of the limit.
        let took = (f64::from(limit) / 3.0 * (1.1 / (1.0 - chance.random::<f64>()).max(1e-4) - 1.0).min(40.0))
            as u32;
        let handled = dispatched + took;
        let is_handled = handled < end;
        let closed = handled + chance.random_range(600..90_000);
        let due = dispatched + limit;
        let or_never = |moment: Moment| if is_handled { moment } else { NEVER };
        let run = |kind: ClockKind, started, due, stopped: Moment| RunRow {
            kind: ClockKind::ALL
                .iter()
                .position(|it| *it == kind)
                .unwrap_or_default() as u8,
            ended: if stopped == NEVER {
                Ended::Running
            } else {
                Ended::Done
            } as u8,
            unit: NONE,
            started,
            due,
            stopped,
        };
        let unit = Some(units[chance.random_range(0..UNITS)].clone());
        let arrived = dispatched + took / 3;
        let mut runs = vec![
            (
                run(ClockKind::Triage, reported, reported + 7_200, dispatched),
                Some(units[0].clone()),
            ),
            (
                run(
                    ClockKind::ReportIn,
                    dispatched,
                    dispatched + 3_600,
                    or_never(arrived),
                ),
                unit.clone(),
            ),
            (
                run(ClockKind::Resolve, dispatched, due, or_never(handled)),
                unit.clone(),
            ),
        ];
        if is_handled {
            let verify = run(ClockKind::Verify, handled, handled + 86_400, closed);
            runs.push((verify, Some(units[0].clone())));
        }
        let row = CaseRow {
            number,
            area: NONE,
            service: NONE,
            standard: NONE,
            lead: NONE,
            channel: chance.random_range(0..6),
            stage: if is_handled { 5 } else { 2 },
            outcome: if is_handled { 0 } else { NOTHING },
            rating: if is_handled && chance.random_bool(0.3) {
                0
            } else {
                NOTHING
            },
            reports: 1,
            returned: u8::from(chance.random_bool(0.03)),
            reworked: u8::from(chance.random_bool(0.05)),
            reopened: 0,
            extended: 0,
            flags: chance.random_range(0..1 << 17),
            reported,
            accepted: reported,
            dispatched,
            arrived: or_never(arrived),
            handled: or_never(handled),
            closed: or_never(closed),
            due,
            distance: chance.random_range(0..900),
        };
        facts.put(&Fact {
            row,
            area: path.clone(),
            service: services[service].clone(),
            standard: Some(standards[service].clone()),
            lead: unit,
            runs,
        });
    }
    facts
}
