//! Figures of several jurisdictions: what is printed is what a recount from their logs gives.

mod harness;

use std::collections::BTreeMap;

use harness::Home;
use serde_json::{Value, json};
use whistle_domain::{
    case::{Body, Case},
    words::CaseNumber,
};
use whistle_service::{Site, Whistle, demo::DemoOptions};

/// Cases of each of the two places.
const CASES: [(&str, u64); 2] = [("willow-brook", 60), ("willow-hill", 25)];

/// What one event adds, read from the log alone.
struct Count {
    jurisdiction: &'static str,
    service: String,
    month: String,
    name: &'static str,
}

/// Two places with a history each, and a recount of both.
fn two_places() -> (Home, Vec<Count>) {
    let home = Home::village();
    let other = home.copy_of_village().join("jurisdiction.toml");
    let text = std::fs::read_to_string(&other).unwrap();
    let text = text
        .replace("\"willow-brook\"", "\"willow-hill\"")
        .replace("willow.example", "hill.example");
    std::fs::write(other, text).unwrap();
    home.run(&["apply", "place"]).good();
    let site = Site {
        database_url: home.database_url().map(str::to_owned),
        ..home.data().into()
    };
    let whistle = Whistle::open(site).unwrap();
    let mut counts = Vec::new();
    for (jurisdiction, cases) in CASES {
        let here = whistle.places().by_code(jurisdiction).unwrap().clone();
        let options = DemoOptions {
            cases,
            seed: cases,
            from: None,
            to: "2026-11-01T00:00:00Z".parse().unwrap(),
        };
        whistle.make_demo(&here, options, |_| {}).unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        for number in (1..=cases as i64).map(CaseNumber) {
            let (_, log) = runtime.block_on(whistle.case_and_log(&here, number)).unwrap();
            let mut case: Option<Case> = None;
            for event in log {
                let was_open = case.as_ref().is_some_and(|case| case.state.is_open());
                match &mut case {
                    None => case = Some(Case::begin(number, &event).unwrap()),
                    Some(case) => case.apply(&event).unwrap(),
                }
                let after = case.as_ref().unwrap();
                let zone = here.place.calendar.zone();
                let names = [
                    (event.body.as_str() == "reported", "filed"),
                    (was_open && !after.state.is_open(), "closed"),
                    (matches!(event.body, Body::Reopened), "reopened"),
                    (matches!(event.body, Body::Returned { .. }), "returned"),
                    (matches!(event.body, Body::Reworked), "reworked"),
                ];
                counts.extend(
                    names
                        .into_iter()
                        .filter(|(is_so, _)| *is_so)
                        .map(|(_, name)| Count {
                            jurisdiction,
                            service: after.service.to_string(),
                            month: zone.to_datetime(event.at).strftime("%Y-%m").to_string(),
                            name,
                        }),
                );
            }
            let case = case.unwrap();
            if case.state.is_open() {
                counts.push(Count {
                    jurisdiction,
                    service: case.service.to_string(),
                    month: String::new(),
                    name: "open",
                });
            }
        }
    }
    whistle.close();
    (home, counts)
}

/// The name of a column, and what stands in it.
type Part<'a> = (&'a str, fn(&Count) -> &String);

/// The rows that a recount gives, in the shape that `--json` prints.
fn rows(counts: &[Count], names: &[&str], part: Option<Part<'_>>) -> Value {
    let mut sums = BTreeMap::<_, BTreeMap<&str, i64>>::new();
    for count in counts.iter().filter(|count| names.contains(&count.name)) {
        let key = (count.jurisdiction, part.map(|(_, of)| of(count)));
        *sums.entry(key).or_default().entry(count.name).or_default() += 1;
    }
    let rows = sums.into_iter().map(|((jurisdiction, key), sums)| {
        let mut row = json!({"jurisdiction": jurisdiction});
        if let (Some((name, _)), Some(key)) = (part, key) {
            row[name] = json!(key);
        }
        for name in names {
            row[*name] = json!(sums.get(name).copied().unwrap_or_default());
        }
        row
    });
    rows.collect()
}

const WITH_DAY: [&str; 5] = ["filed", "closed", "reopened", "returned", "reworked"];
const ALL: [&str; 6] = ["filed", "closed", "reopened", "returned", "reworked", "open"];

#[test]
fn figures_of_two_jurisdictions_are_what_a_recount_of_their_logs_gives() {
    let (home, counts) = two_places();
    let figures = |more: &[&str]| home.run(&[&["figures"], more].concat()).good();
    let all = figures(&["--json"]).json();
    assert_eq!(all, rows(&counts, &ALL, None));
    assert_eq!(all[0]["filed"], CASES[0].1);
    assert_eq!(all[1]["filed"], CASES[1].1);
    assert_eq!(
        figures(&["--json", "--by", "service"]).json(),
        rows(&counts, &ALL, Some(("service", |count| &count.service)))
    );
    let by_month = rows(&counts, &WITH_DAY, Some(("month", |count| &count.month)));
    assert_eq!(figures(&["--json", "--by", "month"]).json(), by_month);

    // A span of days leaves out what was counted before and after; what is open is open now.
    let in_month: Vec<Value> = by_month
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["month"] == "2026-10")
        .cloned()
        .collect();
    assert!(!in_month.is_empty() && in_month.len() < by_month.as_array().unwrap().len());
    assert_eq!(
        figures(&[
            "--json",
            "--by",
            "month",
            "--from",
            "2026-10-01",
            "--until",
            "2026-10-31"
        ])
        .json(),
        Value::from(in_month.clone())
    );
    let in_span = figures(&["--json", "--from", "2026-10-01", "--until", "2026-10-31"]).json();
    for row in &in_month {
        let here = |other: &&Value| other["jurisdiction"] == row["jurisdiction"];
        let of_span = in_span.as_array().unwrap().iter().find(here).unwrap();
        let of_all = all.as_array().unwrap().iter().find(here).unwrap();
        assert_eq!(of_span["filed"], row["filed"]);
        assert_eq!(of_span["closed"], row["closed"]);
        assert_eq!(of_span["open"], of_all["open"]);
    }

    let csv = figures(&["--csv"]).out;
    let first = &all[0];
    let numbers = ALL.map(|name| first[name].to_string()).join(",");
    assert!(
        csv.starts_with(&format!(
            "jurisdiction,{}\nwillow-brook,{numbers}\nwillow-hill,",
            ALL.join(",")
        )),
        "{csv}"
    );
    let table = figures(&["--by", "service"]).out;
    assert!(table.starts_with("JURISDICTION  SERVICE "), "{table}");
    home.run(&["verify"]).good();
}

#[test]
fn a_place_without_a_case_has_a_row_of_zeros_and_a_span_that_ends_before_it_begins_is_wrong_usage() {
    let home = Home::village();
    let figures = home.run(&["figures", "--csv"]).good();
    assert_eq!(
        figures.out,
        format!("jurisdiction,{}\nwillow-brook,0,0,0,0,0,0\n", ALL.join(","))
    );
    assert_eq!(
        home.run(&["figures", "--by", "month", "--json"]).good().json(),
        json!([])
    );
    let wrong = home.run(&["figures", "--from", "2027-02-01", "--until", "2027-01-01"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("is before --from"), "{wrong:#?}");
}
