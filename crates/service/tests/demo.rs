//! The demo: lifelike, deterministic, and never past the rules.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use jiff::{Timestamp, civil::DateTime};
use whistle_domain::{
    case::{Actor, Body, Case, Channel},
    clock::ClockKind,
    place::{Level, UnitKind},
    rights::Role,
    whistle::{self, Stage},
    words::{CaseNumber, WhistleNumber},
};
use whistle_service::{
    Here, Site, Whistle,
    demo::{DemoOptions, DemoReport},
    time::{Chance, Clock},
};
use whistle_store::{Store, Target, case as stored, whistle as stored_whistle};
use whistle_testbed::Bed;

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../examples")
        .join(name)
}

fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

struct Made {
    dir: Bed,
    whistle: Whistle,
    here: Here,
    report: DemoReport,
}

const TO: &str = "2026-11-01T03:00:00Z";

fn make(folder: &Path, cases: u64, seed: u64) -> Made {
    make_from(folder, cases, seed, None)
}

fn make_from(folder: &Path, cases: u64, seed: u64, from: Option<Timestamp>) -> Made {
    let dir = Bed::new();
    let to: Timestamp = TO.parse().unwrap();
    let site = Site {
        database_url: dir.database_url().map(str::to_owned),
        ..dir.path().into()
    };
    let whistle = Whistle::open_with(site, Box::new(Fixed(to)), Chance::from_seed(1)).unwrap();
    whistle.apply(folder).unwrap();
    let here = whistle.places().all()[0].clone();
    let options = DemoOptions {
        cases,
        seed,
        from,
        to,
    };
    let begun = std::time::Instant::now();
    let report = whistle.make_demo(&here, options, |_| {}).unwrap();
    eprintln!(
        "{:.0} cases/s; {report:?}",
        report.cases as f64 / begun.elapsed().as_secs_f64()
    );
    Made {
        dir,
        whistle,
        here,
        report,
    }
}

impl Made {
    fn store(&self) -> Store {
        Store::open(self.dir.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
    }

    fn cases(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        self.store()
            .read_blocking(|conn| {
                stored::each(conn, self.here.id, |case| {
                    cases.push(case);
                    Ok(())
                })
            })
            .unwrap();
        cases
    }

    /// The heads of all chains of hashes: equal when every event of every case is.
    fn content(&self) -> blake3::Hash {
        let store = self.store();
        let mut hasher = blake3::Hasher::new();
        for case in self.cases() {
            let found = store.read_blocking(|conn| stored::find(conn, self.here.id, case.number));
            hasher.update(&case.number.0.to_le_bytes());
            hasher.update(&found.unwrap().unwrap().hash);
        }
        for (whistle, _) in self.whistles() {
            hasher.update(serde_json::to_string(&whistle).unwrap().as_bytes());
        }
        hasher.finalize()
    }

    fn case(&self, number: CaseNumber) -> Case {
        let found = self
            .store()
            .read_blocking(|conn| stored::find(conn, self.here.id, number));
        found.unwrap().unwrap().case
    }

    fn whistles(&self) -> Vec<(whistle::Whistle, Vec<whistle::Event>)> {
        let read = self.store().read_blocking(|conn| -> whistle_store::Result<_> {
            let all = stored_whistle::all_after(conn, self.here.id, WhistleNumber(0), 10_000)?;
            all.into_iter()
                .map(|whistle| {
                    let log = stored_whistle::log(conn, self.here.id, whistle.number)?;
                    Ok((whistle, log))
                })
                .collect()
        });
        read.unwrap()
    }

    fn audit(&self) -> whistle_store::audit::Audit {
        self.store()
            .read_blocking(|conn| whistle_store::audit::audit(conn, self.here.id, &self.here.place, |_| {}))
            .unwrap()
    }
}

#[test]
fn five_thousand_cases_meet_every_stage_outcome_and_most_deeds_and_no_refusal() {
    let made = make(&example("three-rivers"), 5000, 5);
    assert_eq!(made.report.refused, 0, "{:?}", made.report.refusals);
    assert_eq!(made.report.cases, 5000);
    let audit = made.audit();
    assert_eq!(audit.findings, Vec::<String>::new());
    let of_whistles: usize = made.whistles().iter().map(|(_, log)| log.len()).sum();
    let events = made.report.events + of_whistles as u64;
    assert_eq!((audit.cases, audit.events), (5000, events));

    let store = made.store();
    let (mut stages, mut outcomes) = (BTreeMap::new(), BTreeMap::new());
    let (mut events, mut flags) = (BTreeMap::new(), BTreeSet::new());
    let to: Timestamp = TO.parse().unwrap();
    let mut numbers = BTreeSet::new();
    for case in made.cases() {
        *stages.entry(case.state.stage().as_str()).or_insert(0) += 1;
        if let Some(outcome) = case.state.outcome() {
            *outcomes.entry(outcome.as_str()).or_insert(0) += 1;
        }
        assert!(
            case.times.updated_at < to,
            "case {} is ahead of its time",
            case.number
        );
        if let Some(original) = case.duplicate_of {
            assert!(
                numbers.contains(&original),
                "case {} duplicates none",
                case.number
            );
        }
        for (flag, is_set) in [
            ("returned twice", case.flags.returned >= 2),
            ("reworked", case.flags.reworked > 0),
            ("parked now", case.flags.parked_until.is_some()),
            ("on the spot", case.flags.on_the_spot),
            ("recheck", case.flags.recheck),
            ("rated", case.rating.is_some()),
            ("hidden", !case.public),
            ("joined", case.reports > 1),
        ] {
            if is_set {
                flags.insert(flag);
            }
        }
        numbers.insert(case.number);
        let (_, log) = store
            .read_blocking(|conn| stored::with_log(conn, made.here.id, case.number))
            .unwrap()
            .unwrap();
        for event in log {
            *events.entry(event.body.as_str()).or_insert(0) += 1;
            if let Actor::Post { post, unit, .. } = &event.by {
                let post = made.here.place.post(post.as_str()).expect("a real post");
                assert_eq!(post.unit, *unit);
            }
        }
    }
    eprintln!("{stages:?}\n{outcomes:?}\n{events:?}\n{flags:?}");
    assert!(numbers.contains(&CaseNumber(1)));
    for stage in [
        "reported",
        "accepted",
        "assigned",
        "in_progress",
        "handled",
        "closed",
    ] {
        assert!(stages.contains_key(stage), "no case is {stage}: {stages:?}");
    }
    for outcome in whistle_domain::case::Outcome::ALL {
        assert!(
            outcomes.contains_key(outcome.as_str()),
            "no case is {outcome:?}: {outcomes:?}"
        );
    }
    // A demo has no pictures, was not imported, its calendar does not change, each of its cases is told alone, and nobody
    // erases what is theirs.
    let elsewhere = [
        "photo_added",
        "settled",
        "reckoned",
        "absorbed",
        "split",
        "erased",
    ];
    for event in Body::WORDS.into_iter().filter(|word| !elsewhere.contains(word)) {
        assert!(events.contains_key(event), "nothing was {event}: {events:?}");
    }
    assert_eq!(flags.len(), 8, "{flags:?}");
    let closed = f64::from(stages["closed"]) / 5000.0;
    assert!((0.7..0.995).contains(&closed), "{closed} of all are closed");
}

#[test]
fn every_town_blows_a_few_whistles_a_month_and_they_meet_most_of_what_may_befall_one() {
    let made = make(&example("three-rivers"), 5000, 2);
    let whistles = made.whistles();
    assert_eq!(whistles.len() as u64, made.report.whistles);
    let audit = made.audit();
    assert_eq!(audit.findings, Vec::<String>::new());
    assert_eq!(audit.whistles, made.report.whistles);
    let (mut months, mut stages, mut events) = (BTreeMap::new(), BTreeSet::new(), BTreeMap::new());
    let zone = made.here.place.calendar.zone();
    let mut parts = 0;
    for (whistle, log) in &whistles {
        let case = made.case(whistle.cases[0]);
        let town = case.location.areas.at(Level::Town).unwrap().to_string();
        let month = zone.to_datetime(whistle.times.asked_at).month();
        *months.entry((town, month)).or_insert(0) += 1;
        stages.insert(whistle.stage.as_str());
        for event in log {
            *events.entry(event.body.as_str()).or_insert(0) += 1;
            if let Actor::Post { post, .. } = &event.by {
                made.here.place.post(post.as_str()).expect("a real post");
            }
        }
        if whistle.stage == Stage::Closed {
            parts += case.joint.len();
            assert!(!whistle.minutes.is_empty());
        }
    }
    eprintln!(
        "{} whistles; {stages:?}; {events:?}; {parts} parts",
        whistles.len()
    );
    let most = months.values().max().unwrap();
    assert!(*most <= 6, "{most} whistles of one town in a month");
    let mean = whistles.len() as f64 / months.len() as f64;
    assert!((1.0..4.0).contains(&mean), "{mean} whistles in a town and month");
    assert!(parts > whistles.len() / 3, "{parts} parts of other units");
    for stage in ["closed", "withdrawn", "refused"] {
        assert!(stages.contains(stage), "no whistle is {stage}: {stages:?}");
    }
    for event in whistle::Body::WORDS
        .into_iter()
        .filter(|word| !["left", "reckoned"].contains(word))
    {
        assert!(events.contains_key(event), "nothing was {event}: {events:?}");
    }
}

#[test]
fn the_same_seed_makes_the_same_and_another_one_another() {
    let (a, b, c) = (
        make(&village(), 400, 7),
        make(&village(), 400, 7),
        make(&village(), 400, 8),
    );
    assert_eq!(a.content(), b.content());
    assert_ne!(a.content(), c.content());
    for made in [a, b, c] {
        assert_eq!(made.report.refused, 0, "{:?}", made.report.refusals);
        assert_eq!(made.audit().findings, Vec::<String>::new());
    }
}

#[test]
fn every_example_can_be_filled_without_a_refusal() {
    for name in ["zurich", "new-york", "taipei"] {
        let made = make(&example(name), 300, 3);
        assert_eq!(made.report.refused, 0, "{name}: {:?}", made.report.refusals);
        assert!(made.report.cases >= 300, "{name}");
    }
}

#[test]
fn each_kind_of_post_gets_an_account_that_can_sign_in() {
    let made = make(&example("three-rivers"), 1, 1);
    let accounts = made.whistle.demo_accounts(&made.here).unwrap();
    let roles: Vec<_> = accounts.iter().map(|a| a.role).collect();
    assert_eq!(
        roles,
        [
            "dispatcher",
            "call_taker",
            "handler",
            "handler",
            "patrol",
            "lead",
            "auditor",
            "administrator"
        ]
    );
    let again = made.whistle.demo_accounts(&made.here).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let sign_in = |account: &whistle_service::demo::DemoAccount| {
        runtime.block_on(
            made.whistle
                .sign_in(&made.here, &account.login, account.password.clone(), None),
        )
    };
    assert!(sign_in(&again[0]).is_ok());
    assert!(sign_in(&accounts[0]).is_err(), "a new password ends the old one");
}

/// Speed, by hand: `cargo test --release -p whistle-service --test demo -- --ignored --nocapture`.
#[test]
#[ignore = "takes a minute; a benchmark"]
fn fifty_thousand_cases() {
    let made = make(&example("three-rivers"), 50_000, 1);
    assert_eq!(made.report.refused, 0, "{:?}", made.report.refusals);
}

/// What the shape of a demo is told by: two years of Three Rivers.
struct Shape {
    made: Made,
    cases: Vec<Case>,
}

impl Shape {
    fn new() -> Self {
        let made = make_from(
            &example("three-rivers"),
            3000,
            11,
            Some("2024-11-01T00:00:00+08:00".parse().unwrap()),
        );
        assert_eq!(made.report.refused, 0, "{:?}", made.report.refusals);
        let cases = made.cases();
        assert_eq!(cases.len(), 3000);
        Self { made, cases }
    }

    fn local(&self, at: Timestamp) -> DateTime {
        self.made.here.place.calendar.zone().to_datetime(at)
    }

    /// How many of some there are.
    fn count(&self, is: impl Fn(&Case, DateTime) -> bool) -> f64 {
        let all = self.cases.iter();
        all.filter(|case| is(case, self.local(case.times.reported_at)))
            .count() as f64
    }

    /// The median of hours from the report to what the unit calls done.
    fn median(&self, services: &[&str]) -> f64 {
        let of = |case: &&Case| services.contains(&case.service.as_str()) && !case.flags.on_the_spot;
        let hours = |case: &Case| {
            let took = case.times.handled_at?.duration_since(case.times.reported_at);
            Some(took.as_secs_f64() / 3600.0)
        };
        let mut hours: Vec<f64> = self.cases.iter().filter(of).filter_map(hours).collect();
        assert!(hours.len() > 15, "{} of {services:?} were handled", hours.len());
        hours.sort_by(f64::total_cmp);
        hours[hours.len() / 2]
    }

    /// Whether the work of a case was in time, once that is decided at a time.
    fn in_time(case: &Case, now: Timestamp) -> Option<bool> {
        let clock = case.clocks.get(ClockKind::Resolve)?;
        (clock.stopped_at.is_some() || clock.is_overdue(now)).then(|| !clock.is_overdue(now))
    }
}

#[test]
fn two_years_have_the_weeks_seasons_paces_and_leftovers_of_a_real_place() {
    let shape = Shape::new();
    // All are told at once: one that is off seldom is alone.
    let off = RefCell::new(Vec::new());
    let between = |what: &str, value: f64, bounds: std::ops::Range<f64>| {
        eprintln!("{what}: {value:.3}");
        if !bounds.contains(&value) {
            off.borrow_mut()
                .push(format!("{what} is {value:.3}, not in {bounds:?}"));
        }
    };
    let is = |case: &Case, services: &[&str]| services.contains(&case.service.as_str());
    let rubbish = ["SR-BL", "SR-LJ", "SR-JZ", "SR-GC"];
    let noise = ["HJ-SH", "SG-ZS"];

    // Weeks: residents as in Zürich (0.89), patrols on duty.
    let ends = shape.count(|_, at| at.weekday().to_monday_zero_offset() > 4) / 2.0;
    let days = shape.count(|_, at| at.weekday().to_monday_zero_offset() < 5) / 5.0;
    between("a day of the weekend against another", ends / days, 0.6..0.92);

    // Seasons, each its own.
    let summer = |at: DateTime| (6..=8).contains(&at.month());
    let winter = |at: DateTime| [12, 1, 2].contains(&at.month());
    let rubbish_in = |season: &dyn Fn(DateTime) -> bool| shape.count(|c, at| is(c, &rubbish) && season(at));
    between(
        "rubbish in summer against winter",
        rubbish_in(&summer) / rubbish_in(&winter),
        1.2..2.2,
    );
    let heating = shape.count(|c, _| is(c, &["GY-RL"]));
    between(
        "heating in winter",
        shape.count(|c, at| is(c, &["GY-RL"]) && winter(at)) / heating,
        0.4..0.8,
    );
    between(
        "heating in summer",
        shape.count(|c, at| is(c, &["GY-RL"]) && summer(at)) / heating,
        0.0..0.05,
    );

    // Hours.
    let night = |at: DateTime| at.hour() >= 19 || at.hour() < 3;
    let loud = shape.count(|c, _| is(c, &noise));
    between(
        "noise at night",
        shape.count(|c, at| is(c, &noise) && night(at)) / loud,
        0.5..0.8,
    );
    let quiet = 3000.0 - loud;
    between(
        "all else at night",
        shape.count(|c, at| !is(c, &noise) && night(at)) / quiet,
        0.08..0.3,
    );

    // The year after has more.
    let second = shape.count(|_, at| at >= jiff::civil::date(2025, 11, 1).at(0, 0, 0, 0));
    between(
        "the second year against the first",
        second / (3000.0 - second),
        1.1..1.3,
    );

    // Paces, in the order that New York's have.
    let paces = [
        shape.median(&noise),
        shape.median(&["JM-LT", "JM-FJ"]),
        shape.median(&["DL-LM", "DL-RX", "DL-NC"]),
        shape.median(&["MS-WY"]),
    ];
    eprintln!("noise, parking, roads, housing: {paces:.1?}");
    assert!(paces.is_sorted(), "{paces:?}");
    between("the median of noise in hours", paces[0], 1.0..4.0);
    // New York's is 286, of 36 closings.
    between("the median of housing in hours", paces[3], 48.0..300.0);

    // What is in time, who is not, and what is carried over.
    let to: Timestamp = TO.parse().unwrap();
    let decided: Vec<bool> = shape.cases.iter().filter_map(|c| Shape::in_time(c, to)).collect();
    let in_time = decided.iter().filter(|in_time| **in_time).count() as f64 / decided.len() as f64;
    between("in time", in_time, 0.66..0.86);
    let mut by_unit: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for case in &shape.cases {
        if let (Some(unit), Some(in_time)) = (&case.lead, Shape::in_time(case, to)) {
            let (all, good) = by_unit.entry(unit.as_str()).or_default();
            *all += 1.0;
            *good += f64::from(u8::from(in_time));
        }
    }
    let rates = by_unit
        .values()
        .filter(|(all, _)| *all >= 40.0)
        .map(|(all, good)| good / all);
    let (least, most) = rates.fold((1.0_f64, 0.0_f64), |(least, most), rate| {
        (least.min(rate), most.max(rate))
    });
    between("the best unit above the worst", most - least, 0.1..0.7);
    let zone = shape.made.here.place.calendar.zone();
    for month in [2, 5, 8, 10] {
        let end = zone
            .to_timestamp(jiff::civil::date(2026, month, 1).at(0, 0, 0, 0))
            .unwrap();
        let is_carried = |c: &&Case| {
            let is_open = c.times.closed_at.is_none_or(|closed| closed >= end);
            let due = c.clocks.get(ClockKind::Resolve).map(|clock| clock.due_at);
            is_open && due.is_some_and(|due| due < end)
        };
        let carried = shape.cases.iter().filter(is_carried).count() as f64;
        between(
            &format!("carried over into month {month} of 2026"),
            carried,
            4.0..80.0,
        );
    }

    // What befalls a case.
    let share = |of: &dyn Fn(&Case) -> bool| shape.count(|c, _| of(c)) / 3000.0;
    between(
        "found by patrols",
        share(&|c| c.channel == Channel::Patrol),
        0.2..0.4,
    );
    between("returned", share(&|c| c.flags.returned > 0), 0.02..0.1);
    between("reworked", share(&|c| c.flags.reworked > 0), 0.02..0.12);
    between("extended", share(&|c| c.flags.extended > 0), 0.005..0.06);
    between("parked once", share(&|c| c.flags.was_parked), 0.01..0.06);
    between("closed", share(&|c| !c.state.is_open()), 0.9..0.99);
    between(
        "looks a year at 77 stops",
        shape.made.report.looks as f64 / 2.0,
        6_000.0..13_000.0,
    );
    let off = off.into_inner();
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn the_reference_place_has_a_hundred_and_eight_stations_and_nobody_is_missing_at_one() {
    let made = make(&example("three-rivers"), 1, 1);
    let place = &made.here.place;
    let areas = |level| {
        place
            .areas
            .all()
            .iter()
            .filter(|area| area.level == level)
            .count()
    };
    let levels = [Level::City, Level::Town, Level::Community].map(areas);
    assert_eq!(levels, [1, 12, 95]);
    let stations: Vec<_> = place
        .units()
        .iter()
        .filter(|unit| unit.kind == UnitKind::Station)
        .collect();
    assert_eq!(stations.len(), 108);
    for station in stations {
        let area = &place.areas.get(station.area);
        assert!(
            area.level <= Level::Community,
            "{} is no station's area",
            area.code
        );
        for role in [Role::Dispatcher, Role::Lead, Role::Patrol, Role::Handler] {
            let held = place
                .posts()
                .any(|post| post.unit == station.code && post.roles.contains(&role));
            assert!(held, "{} has no {role:?}", station.code);
        }
    }
}
