//! An install moves to another database: whole, also when it is killed on the way, and never into one that is taken.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Channel},
    command::{NewReport, Whereabouts},
    geometry::Point,
    rights::Scope,
    words::CaseNumber,
};
use whistle_service::{
    Here, Site, Whistle,
    case::With,
    demo::DemoOptions,
    secret::Contact,
    time::{Chance, Clock},
    transfer::{self, Doing},
};
use whistle_store::{Store, Target, params};
use whistle_testbed::Bed;

const NOW: &str = "2026-11-01T03:00:00Z";

/// Cases of the demo.
const CASES: u64 = 300;

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn at(now: &str, site: Site) -> Whistle {
    let clock = Box::new(Fixed(now.parse().unwrap()));
    Whistle::open_with(site, clock, Chance::from_seed(1)).unwrap()
}

fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

fn report(whistle: &Whistle, here: &Here, what: &str) -> i64 {
    let new = NewReport {
        service: "RD-HOLE".parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Point::new(131.8152, 46.2051).ok(),
            ..Whereabouts::default()
        },
        description: what.to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let with = With {
        contact: Contact {
            phone: "0700 12345".to_owned(),
            ..Contact::default()
        },
        idempotency_key: Some(what.to_owned()),
        ..With::default()
    };
    block_on(whistle.report(here, new, Actor::Public, with))
        .unwrap()
        .number
        .0
}

/// Two places: an install with a history in a folder, and where it is to go.
struct Road {
    from: Bed,
    to: Bed,
}

impl Road {
    fn begin() -> Self {
        let road = Self {
            from: Bed::new(),
            to: Bed::new(),
        };
        let whistle = at(NOW, road.source());
        whistle.apply(&village()).unwrap();
        let here = whistle.places().all()[0].clone();
        let to: Timestamp = NOW.parse().unwrap();
        let options = DemoOptions {
            cases: CASES,
            seed: 5,
            from: None,
            to,
        };
        whistle.make_demo(&here, options, |_| {}).unwrap();
        whistle.demo_accounts(&here).unwrap();
        whistle.add_key(&here, "town app", &Scope::ALL, None).unwrap();
        report(&whistle, &here, "a hole before the move");
        whistle.close();
        road
    }

    fn source(&self) -> Site {
        self.from.path().into()
    }

    /// On the backend of this run, with the key and the photos of the old folder, or a folder of its own.
    fn target(&self) -> Site {
        let Some(url) = self.to.database_url() else {
            std::fs::copy(
                self.from.path().join("secret.key"),
                self.to.path().join("secret.key"),
            )
            .unwrap();
            return self.to.path().into();
        };
        Site {
            database_url: Some(url.to_owned()),
            ..self.from.path().into()
        }
    }

    /// Changes the target behind everybody's back.
    fn tamper(&self, statement: &str) {
        match self.to.database_url() {
            Some(url) => drop(whistle_testbed::sql(url, statement)),
            None => rusqlite::Connection::open(self.to.path().join("whistle.db"))
                .and_then(|database| database.execute_batch(statement))
                .unwrap(),
        }
    }
}

/// Moves in a process of its own, which dies after so many batches.
fn die_after(batches: u64, road: &Road) {
    let target = road.target();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", HELPER, "--nocapture"])
        .env("WHISTLE_TEST_FROM", road.from.path())
        .env("WHISTLE_TEST_TO", &target.dir)
        .env(
            "WHISTLE_TEST_TO_DATABASE",
            target.database_url.unwrap_or_default(),
        )
        .env("WHISTLE_TEST_BATCHES", batches.to_string())
        .status()
        .unwrap();
    assert!(!status.success(), "it did not die");
}

const HELPER: &str = "a_move_that_is_killed_goes_on_where_it_was_and_comes_out_whole";

/// The helper's part, when this process is one.
fn die_if_told() {
    let Ok(from) = std::env::var("WHISTLE_TEST_FROM") else {
        return;
    };
    let told = |name: &str| std::env::var(name).unwrap();
    let batches: u64 = told("WHISTLE_TEST_BATCHES").parse().unwrap();
    let to = Site {
        database_url: Some(told("WHISTLE_TEST_TO_DATABASE")).filter(|url| !url.is_empty()),
        ..PathBuf::from(told("WHISTLE_TEST_TO")).into()
    };
    let mut told = 0;
    let _ = transfer::transfer(&PathBuf::from(from).into(), &to, |_| {
        told += 1;
        if told > batches {
            // No destructor runs and nothing is said to the database, as by kill -9.
            std::process::abort();
        }
    });
}

#[test]
fn a_move_that_is_killed_goes_on_where_it_was_and_comes_out_whole() {
    die_if_told();
    let road = Road::begin();
    for batches in [0, 3, 10, 13] {
        die_after(batches, &road);
        let served = Whistle::open(road.target())
            .err()
            .expect("nobody serves a half-moved install");
        assert!(served.to_string().contains("not whole yet"), "{served}");
    }
    let mut first = None;
    let same = transfer::transfer(&road.source(), &road.target(), |step| {
        if step.doing == Doing::Moving && step.done > 0 {
            first.get_or_insert(step.done);
        }
    })
    .unwrap();
    assert!(same.rows() > 3 * CASES, "{same:?}");
    assert_eq!(
        same.tables.iter().find(|t| t.table == "cases").unwrap().rows,
        CASES + 1
    );
    for table in [
        "event", "account", "holding", "api_key", "contact", "counter", "sequence", "outbox",
    ] {
        let found = same.tables.iter().find(|t| t.table == table).unwrap();
        assert!(found.rows > 0, "{table} moved nothing: {same:?}");
    }
    let whistle = at(NOW, road.target());
    let here = whistle.places().all()[0].clone();
    let audit = whistle.audit(&here, |_| {}).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
    assert_eq!(audit.cases, CASES + 1);
    // What was asked before the move is answered after it, and numbers go on behind those that were given.
    let again = report(&whistle, &here, "a hole before the move");
    let new = report(&whistle, &here, "a hole after the move");
    assert!(new > again, "{again} was given before {new}");
    let contacts = here.place.posts().find_map(|post| {
        let by = whistle_service::account::actor_of(post, 1);
        block_on(whistle.contacts(&here, CaseNumber(again), &by)).ok()
    });
    assert_eq!(contacts.unwrap()[0].contact.phone, "0700 12345");
    assert_eq!(whistle.audit(&here, |_| {}).unwrap().cases, CASES + 2);
}

#[test]
fn a_row_that_is_changed_in_the_target_is_found() {
    let road = Road::begin();
    die_after(12, &road);
    road.tamper("UPDATE counter SET n = n + 1");
    let refusal = transfer::transfer(&road.source(), &road.target(), |_| {}).unwrap_err();
    assert!(
        refusal.to_string().contains("table counter is not the same"),
        "{refusal}"
    );
    road.tamper("UPDATE counter SET n = n - 1");
    transfer::transfer(&road.source(), &road.target(), |_| {}).unwrap();
    transfer::compare(&road.source(), &road.target(), |_| {}).unwrap();
    road.tamper("UPDATE account SET login = 'else' WHERE account_id = 1");
    let found = transfer::compare(&road.source(), &road.target(), |_| {}).unwrap_err();
    assert!(
        found.to_string().contains("table account is not the same"),
        "{found}"
    );
}

#[test]
fn an_install_moves_into_nothing_that_is_taken() {
    let road = Road::begin();
    let other = Bed::new();
    at("2026-11-02T03:00:00Z", other.path().into())
        .apply(&village())
        .unwrap();
    die_after(2, &road);
    let halfway = transfer::transfer(&other.path().into(), &road.target(), |_| {}).unwrap_err();
    assert!(
        halfway
            .to_string()
            .contains("another install is being moved there"),
        "{halfway}"
    );
    transfer::transfer(&road.source(), &road.target(), |_| {}).unwrap();
    let full = transfer::transfer(&other.path().into(), &road.target(), |_| {}).unwrap_err();
    assert!(full.to_string().contains("holds data already"), "{full}");
}

#[test]
fn nothing_moves_where_no_key_to_contact_data_is() {
    let road = Road::begin();
    let refusal = transfer::transfer(&road.source(), &road.to.path().into(), |_| {}).unwrap_err();
    assert!(refusal.to_string().contains("secret.key"), "{refusal}");
}

#[test]
fn an_install_moves_back_from_postgresql_into_a_file() {
    let road = Road::begin();
    let Some(url) = road.to.database_url() else {
        return;
    };
    transfer::transfer(&road.source(), &road.target(), |_| {}).unwrap();
    let back = Bed::new();
    std::fs::copy(
        road.from.path().join("secret.key"),
        back.path().join("secret.key"),
    )
    .unwrap();
    let same = transfer::transfer(&road.target(), &back.path().into(), |_| {}).unwrap();
    assert!(same.rows() > 3 * CASES);
    let cases = |target: Target| -> i64 {
        let store = Store::open(target, Timestamp::UNIX_EPOCH).unwrap();
        store
            .read_blocking(|conn| conn.row("SELECT COUNT(*) FROM cases", params![], |row| row.int(0)))
            .unwrap()
    };
    assert_eq!(cases(back.path().into()), cases(Target::Postgres(url.to_owned())));
    transfer::compare(&road.source(), &back.path().into(), |_| {}).unwrap();
}
