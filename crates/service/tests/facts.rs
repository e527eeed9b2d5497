//! Facts are what the log comes to: whatever is done to cases, by whichever process, and across a start; on whichever database the
//! run has.

use std::{
    fs,
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Channel, Outcome},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    words::CaseNumber,
};
use whistle_figures::facts::{Facts, NEVER, Stations, flag, fold};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::actor_of,
    case::{Receipt, With},
    demo::DemoOptions,
    facts,
};
use whistle_store::{Store, Target, change};
use whistle_testbed::{Bed, copy_folder, sql};

struct Village {
    bed: Bed,
    whistle: Whistle,
    here: Here,
    runtime: tokio::runtime::Runtime,
}

fn site(bed: &Bed) -> Site {
    Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().join("store").into()
    }
}

impl Village {
    fn open() -> Self {
        let bed = Bed::new();
        let folder = bed.path().join("place");
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
            &folder,
        );
        let whistle = Whistle::open(site(&bed)).unwrap();
        whistle.apply(&folder).unwrap();
        Self {
            here: whistle.places().all()[0].clone(),
            bed,
            whistle,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    /// Another process on the same install.
    fn another(&self) -> Whistle {
        Whistle::open(site(&self.bed)).unwrap()
    }

    fn wait<T, E: std::fmt::Debug>(&self, f: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(f).unwrap()
    }

    fn report(&self, text: &str) -> Receipt {
        let new = NewReport {
            service: "RD-HOLE".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.805, 46.21).unwrap()),
                address: "by the bridge".to_owned(),
                area: None,
            },
            description: text.to_owned(),
            answers: vec![],
            channel: Channel::Web,
            photos: vec![],
            fixed: None,
        };
        self.wait(
            self.whistle
                .report(&self.here, new, Actor::Public, With::default()),
        )
    }

    fn act(&self, number: CaseNumber, act: Act) {
        let by = actor_of(self.here.place.post("CITY-D").unwrap(), 1);
        self.wait(self.whistle.act(&self.here, number, None, act, "why".into(), by));
    }

    fn demo(&self, cases: u64) {
        let options = DemoOptions {
            cases,
            seed: 3,
            from: None,
            to: Timestamp::now(),
        };
        self.whistle.make_demo(&self.here, options, |_| {}).unwrap();
    }

    fn file(&self) -> PathBuf {
        let folder = self.bed.path().join("store/facts");
        folder.join(format!("{}.facts", self.here.id.0))
    }

    /// Changes the log behind everybody's back.
    fn tamper(&self, statement: &str) {
        if let Some(url) = self.bed.database_url() {
            drop(sql(url, statement));
        } else {
            let file = self.bed.path().join("store/whistle.db");
            let connection = rusqlite::Connection::open(file).unwrap();
            connection.execute_batch(statement).unwrap();
        }
    }

    /// Compares everything that an install keeps with all logs.
    fn is_what_the_log_says(&self, whistle: &Whistle) -> usize {
        let store = Store::open(
            match self.bed.database_url() {
                Some(url) => Target::Postgres(url.to_owned()),
                None => Target::Directory(self.bed.path().join("store")),
            },
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let (id, stations) = (self.here.id, Stations::of(&self.here.place));
        let logs =
            store.read_blocking(|conn| change::logs_between(conn, id, CaseNumber(0), CaseNumber(100_000)));
        let mut anew = Facts::new();
        for (number, log) in logs.unwrap() {
            anew.put(&fold(number, &log, &stations).unwrap());
        }
        let compare = |kept: &Facts| {
            for number in &anew.cases.number {
                assert_eq!(kept.get(*number), anew.get(*number), "case {number}");
            }
            assert_eq!((kept.len(), kept.live_runs()), (anew.len(), anew.live_runs()));
            kept.len()
        };
        whistle.with_facts(&self.here, compare).unwrap()
    }
}

#[test]
fn facts_are_not_there_before_they_were_made_and_then_follow_whatever_is_done() {
    let village = Village::open();
    let (here, whistle) = (&village.here, &village.whistle);
    assert!(matches!(
        whistle.with_facts(here, Facts::len),
        Err(Error::Busy(_))
    ));
    assert_eq!((whistle.facts_lag(here), whistle.facts_load().lag), (None, None));
    village.demo(150);
    whistle.follow_facts().unwrap();
    assert_eq!(village.is_what_the_log_says(whistle), 150);
    // Merged, split, erased, withdrawn, reopened.
    let (one, other) = (village.report("a hole"), village.report("the same hole"));
    village.act(other.number, Act::Merge { into: one.number });
    let split = village.report("a hole and a lamp");
    let by = actor_of(here.place.post("CITY-D").unwrap(), 1);
    let _ =
        village
            .runtime
            .block_on(whistle.act(here, split.number, None, Act::Decline, "not ours".into(), by));
    village.wait(whistle.erase_own(here, one.number, &one.code));
    whistle.follow_facts().unwrap();
    assert!(village.is_what_the_log_says(whistle) >= 153);
    let merged = whistle
        .with_facts(here, |facts| facts.get(other.number.0 as u32).unwrap().row)
        .unwrap();
    assert_eq!(
        usize::from(merged.outcome),
        Outcome::ALL
            .iter()
            .position(|it| *it == Outcome::Duplicate)
            .unwrap()
    );
    assert_ne!(merged.closed, NEVER);
    assert_ne!(merged.flags & flag::BY_PUBLIC, 0);
    assert_eq!(whistle.check_facts(here).unwrap(), 0);
    assert!(whistle.facts_lag(here).unwrap() < Duration::from_mins(1));
    let load = whistle.facts_load();
    assert!(load.rows >= 153 && load.bytes > 0 && load.differences == 0);
}

#[test]
fn another_process_follows_within_two_seconds() {
    let village = Village::open();
    let other = village.another();
    other.look_after_facts().unwrap();
    for nth in 0..3 {
        village.report("a hole");
        let began = Instant::now();
        while other.with_facts(&village.here, Facts::len).unwrap() <= nth {
            other.look_after_facts().unwrap();
            assert!(began.elapsed() < Duration::from_secs(2), "it does not follow");
            std::thread::park_timeout(facts::EVERY);
        }
    }
    // Also what is brought in by batches.
    village.demo(120);
    other.follow_facts().unwrap();
    assert_eq!(village.is_what_the_log_says(&other), 123);
}

#[test]
fn a_start_goes_on_from_the_file_and_one_that_is_torn_or_of_another_log_is_made_anew() {
    let village = Village::open();
    village.demo(60);
    village.whistle.look_after_facts().unwrap();
    assert!(
        village.file().is_file(),
        "what took long to make is written down at once"
    );
    let first = fs::read(village.file()).unwrap();
    // What is changed in the log behind everybody's back shows whether it was read again.
    village.tamper("UPDATE event SET entry = REPLACE(entry, '\"channel\":\"web\"', '\"channel\":\"phone\"') WHERE version = 1");
    let is_read_again = |whistle: &Whistle| {
        whistle.follow_facts().unwrap();
        let web = Channel::ALL.iter().position(|it| *it == Channel::Web).unwrap() as u8;
        let len = whistle.with_facts(&village.here, Facts::len).unwrap();
        assert!(len >= 60);
        !whistle
            .with_facts(&village.here, |facts| facts.cases.channel[..60].contains(&web))
            .unwrap()
    };
    let second = village.another();
    assert!(!is_read_again(&second), "the file was there");
    // What was reported since is in it all the same.
    let more = village.report("a hole").number.0 as u32;
    let third = village.another();
    assert!(!is_read_again(&third));
    assert!(
        third
            .with_facts(&village.here, |facts| facts.get(more).is_some())
            .unwrap()
    );
    third.close();
    let after_close = fs::read(village.file()).unwrap();
    assert_ne!(first, after_close, "written when it ended");
    for (what, bytes) in [
        ("torn", &after_close[..after_close.len() - 9]),
        ("no file at all", b"hello".as_slice()),
    ] {
        fs::write(village.file(), bytes).unwrap();
        let whistle = village.another();
        assert!(is_read_again(&whistle), "{what}");
    }
    // The file of a database that had gone further than this one has: a backup was brought back.
    fs::write(village.file(), &after_close).unwrap();
    village.tamper("UPDATE change_writer SET seq = 1 WHERE seq > 1; DELETE FROM change WHERE seq > 1");
    assert!(is_read_again(&village.another()));
    // What changed since is forgotten.
    fs::write(village.file(), &after_close).unwrap();
    village.tamper("UPDATE change_writer SET seq = seq + 1000");
    let whistle = village.another();
    assert!(is_read_again(&whistle));
    village.is_what_the_log_says(&whistle);
}

#[test]
fn what_is_kept_otherwise_than_its_log_says_is_found_counted_and_put_right() {
    let village = Village::open();
    village.report("a hole");
    village.whistle.look_after_facts().unwrap();
    assert_eq!(
        village.whistle.audit(&village.here, |_| {}).unwrap().findings,
        Vec::<String>::new()
    );
    village.tamper("UPDATE event SET entry = REPLACE(entry, '\"channel\":\"web\"', '\"channel\":\"phone\"')");
    let findings = village.whistle.audit(&village.here, |_| {}).unwrap().findings;
    assert!(
        findings
            .iter()
            .any(|it| it.starts_with("case 1: the facts in ") && it.ends_with("which is whole")),
        "{findings:?}"
    );
    // Another number may be drawn than that of the one case, if numbers began later.
    while village.whistle.check_facts(&village.here).unwrap() == 0 {}
    assert_eq!(village.whistle.check_facts(&village.here).unwrap(), 0);
    assert_eq!(village.whistle.facts_load().differences, 1);
    village.is_what_the_log_says(&village.whistle);
}

#[test]
fn stations_that_move_leave_the_past_where_it_was() {
    let village = Village::open();
    let number = village.report("a hole").number.0 as u32;
    village.whistle.follow_facts().unwrap();
    let distance = |whistle: &Whistle| {
        whistle.follow_facts().unwrap();
        whistle
            .with_facts(&village.here, |facts| facts.get(number).unwrap())
            .unwrap()
    };
    let before = distance(&village.whistle);
    let folder = village.bed.path().join("place");
    let units = fs::read_to_string(folder.join("units.csv")).unwrap();
    assert!(units.contains("station"));
    fs::write(folder.join("units.csv"), units.replace("46.21,", "46.213,")).unwrap();
    let applied = village.whistle.apply(&folder);
    assert!(applied.is_ok(), "{applied:?}");
    village.act(CaseNumber(i64::from(number)), Act::Comment { public: false });
    let after = distance(&village.whistle);
    assert_eq!(
        (before.row.distance, before.area),
        (after.row.distance, after.area)
    );
    // Made anew by a process that never knew the old place.
    let _ = fs::remove_file(village.file());
    assert_eq!(distance(&village.another()).row.distance, before.row.distance);
}
