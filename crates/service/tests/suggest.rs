//! Suggestions: how often they are right on cases that the model has not seen, and what they are learnt from. What
//! docs/reporting.md says of the first is held against what is measured here.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Actor, Channel, Outcome},
    command::{Act, NewReport, Whereabouts},
    place::Service,
    public,
    rights::Access,
    suggest::{Learner, Model},
    words::{ServiceCode, Text},
};
use whistle_service::{
    Here, Site, Whistle,
    case::With,
    demo::DemoOptions,
    list::{MAX_PAGE, Query, Viewer},
    suggest::LEARN_EVERY,
    time::{Chance, Clock},
};
use whistle_testbed::Bed;

const NOW: &str = "2026-11-01T03:00:00Z";

/// Every so manieth case is kept back, and asked about.
const HELD_OUT: usize = 5;

/// The time stands still, and the process runs for as long as it is told.
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    fn now(&self) -> Timestamp {
        NOW.parse().unwrap()
    }

    fn running(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::Relaxed))
    }
}

struct Town {
    whistle: Whistle,
    here: Here,
    running: Arc<AtomicU64>,
    _bed: Bed,
}

fn town(folder: &str, cases: u64) -> Town {
    let (bed, running) = (Bed::new(), Arc::<AtomicU64>::default());
    let site = Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().into()
    };
    let whistle = Whistle::open_with(site, Box::new(Told(running.clone())), Chance::from_seed(1)).unwrap();
    whistle
        .apply(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .unwrap();
    let here = whistle.places().all()[0].clone();
    if cases > 0 {
        let to: Timestamp = NOW.parse().unwrap();
        let options = DemoOptions {
            cases,
            seed: 3,
            from: Some(to - SignedDuration::from_hours(24 * 300)),
            to,
        };
        whistle.make_demo(&here, options, |_| {}).unwrap();
    }
    Town {
        whistle,
        here,
        running,
        _bed: bed,
    }
}

/// How often the first suggestion is right, and one of three, in percent; and of how many.
fn measured(model: &Model, held_out: &[(ServiceCode, String)]) -> (f64, f64, usize) {
    let (mut first, mut among) = (0, 0);
    for (service, text) in held_out {
        let suggested = model.suggest(text);
        first += usize::from(suggested.first() == Some(&service));
        among += usize::from(suggested.contains(&service));
    }
    let share = |n: usize| 100.0 * n as f64 / held_out.len().max(1) as f64;
    (share(first), share(among), held_out.len())
}

/// Learns from most of some cases and asks about the others; a line of the table in docs/reporting.md for the names alone, and
/// one for what was learnt.
fn lines(what: &str, services: &[Service], cases: &[(ServiceCode, String)]) -> String {
    let (mut learner, mut held_out) = (Learner::new(services), Vec::new());
    for (i, (service, text)) in cases.iter().enumerate() {
        if i % HELD_OUT == 0 {
            held_out.push((service.clone(), text.clone()));
        } else {
            learner.read(service, text);
        }
    }
    let mut lines = String::new();
    for (how, model) in [
        ("names and keywords alone", Learner::new(services).done()),
        ("learnt", learner.done()),
    ] {
        let (first, among, asked) = measured(&model, &held_out);
        let from = model.learnt_from();
        writeln!(
            lines,
            "| {what}, {how} | {from} | {asked} | {first:.0} % | {among:.0} % |"
        )
        .unwrap();
    }
    lines
}

/// Holds what the page says against what was measured.
fn held_against_the_docs(lines: &str) {
    println!("{lines}");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reporting.md");
    let page = std::fs::read_to_string(page).unwrap();
    for line in lines.lines() {
        assert!(page.contains(line), "docs/reporting.md must say:\n{lines}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_docs_say_of_the_demo_is_what_is_measured() {
    let town = tokio::task::spawn_blocking(|| town("../../examples/three-rivers", 3_000))
        .await
        .unwrap();
    let mut cases = Vec::new();
    let mut query = Query {
        open: Some(false),
        limit: MAX_PAGE,
        ..Query::default()
    };
    loop {
        let page = town
            .whistle
            .cases(&town.here, &query, Viewer::Public)
            .await
            .unwrap();
        let closed = page
            .items
            .iter()
            .filter(|case| case.state.outcome() != Some(Outcome::Declined));
        cases.extend(closed.map(|case| (case.service.clone(), public::description(case))));
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    assert!(cases.len() > 1_000, "{} cases", cases.len());
    held_against_the_docs(&lines(
        "Three Rivers, made up",
        town.here.place.services(),
        &cases,
    ));
}

/// The folder of real public data that developers share; users' builds have none.
fn shared_data() -> Option<PathBuf> {
    let shared = std::env::var_os("WHISTLE_SHARED").map(|shared| PathBuf::from(shared).join("data"));
    let above = || {
        let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        here.ancestors()
            .map(|folder| folder.join("shared/data"))
            .find(|folder| folder.is_dir())
    };
    let found = shared.or_else(above).filter(|folder| folder.is_dir());
    if found.is_none() {
        println!("skipped: no shared/data above this crate and no WHISTLE_SHARED");
    }
    found
}

#[test]
fn what_the_docs_say_of_new_york_is_what_is_measured() {
    let Some(data) = shared_data() else { return };
    let mut codes: Vec<String> = Vec::new();
    let mut cases = Vec::new();
    let mut rows = csv::Reader::from_path(data.join("nyc/requests.csv")).unwrap();
    for row in rows.records() {
        let row = row.unwrap();
        // The type of complaint is what is asked for; descriptor and kind of place are the words beside it.
        let (kind, text) = (row[5].to_lowercase(), format!("{} {}", &row[6], &row[7]));
        let at = codes.iter().position(|known| *known == kind).unwrap_or_else(|| {
            codes.push(kind);
            codes.len() - 1
        });
        cases.push((format!("C{at}").parse::<ServiceCode>().unwrap(), text));
    }
    let service = |(at, name): (usize, &String)| Service {
        code: format!("C{at}").parse().unwrap(),
        group: Some("ALL".parse().unwrap()),
        name: Text::plain(name.as_str()),
        description: Text::default(),
        keywords: Vec::new(),
        public: true,
        access: Access::default(),
        questions: Vec::new(),
    };
    let services: Vec<Service> = codes.iter().enumerate().map(service).collect();
    held_against_the_docs(&lines("New York 311, real", &services, &cases));
}

async fn report(town: &Town, service: &str, text: &str) {
    let new = NewReport {
        service: service.parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            address: "somewhere".to_owned(),
            area: Some("230599100".parse().unwrap()),
            ..Whereabouts::default()
        },
        description: text.to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let receipt = town
        .whistle
        .report(&town.here, new, Actor::Public, With::default())
        .await
        .unwrap();
    let reporter = Actor::Reporter { report: 1 };
    let withdraw = town.whistle.act(
        &town.here,
        receipt.number,
        None,
        Act::Withdraw,
        String::new(),
        reporter,
    );
    withdraw.await.unwrap();
}

/// What is suggested for a text.
fn suggested(town: &Town, text: &str) -> Vec<String> {
    let codes = town.whistle.suggest(&town.here, text);
    codes.iter().map(ToString::to_string).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_is_learnt_from_once_somebody_asked_and_again_when_that_is_old() {
    let town = tokio::task::spawn_blocking(|| town("../place/tests/folders/village", 0))
        .await
        .unwrap();
    let learn = || {
        let whistle = town.whistle.clone();
        tokio::task::spawn_blocking(move || whistle.learn().unwrap())
    };
    assert_eq!(learn().await.unwrap(), 0, "nobody asked yet");
    assert_eq!(suggested(&town, "flibbertigibbet"), [""; 0]);
    assert_eq!(learn().await.unwrap(), 0, "nothing is closed yet");
    for _ in 0..3 {
        report(&town, "WAT-DRAIN", "the flibbertigibbet is bent").await;
    }
    assert_eq!(learn().await.unwrap(), 0, "what is known is young");
    town.running.fetch_add(LEARN_EVERY.as_secs(), Ordering::Relaxed);
    assert_eq!(learn().await.unwrap(), 3);
    assert_eq!(suggested(&town, "A flibbertigibbet!"), ["WAT-DRAIN"]);
}
