//! Cases are found by what is written in them, by those who may read it, and by nothing that was erased; on whichever database
//! the run has.

use std::{fs, future::Future, path::Path};

use whistle_domain::{
    case::{Actor, Case, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::actor_of,
    case::{Receipt, With},
    list::{Order, Query, Viewer},
    time::{Chance, SystemClock},
};
use whistle_store::{Error as StoreError, Store, Target, case as stored, search as index};
use whistle_testbed::{Bed, copy_folder};

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
        fs::create_dir_all(bed.path().join("store")).unwrap();
        let chance = Chance::from_seed(5);
        let whistle = Whistle::open_with(site(&bed), Box::new(SystemClock), chance).unwrap();
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        let village = Self {
            bed,
            whistle,
            here,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        };
        // All cases were gone through: there are none.
        assert_eq!(village.duties_are_done(), 0);
        village
    }

    fn wait<T, E: std::fmt::Debug>(&self, f: impl Future<Output = Result<T, E>>) -> T {
        self.runtime.block_on(f).unwrap()
    }

    fn report(&self, text: &str, address: &str) -> Receipt {
        let new = NewReport {
            service: "RD-HOLE".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.805, 46.21).unwrap()),
                address: address.to_owned(),
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

    fn desk(&self) -> Actor {
        actor_of(self.here.place.post("CITY-D").unwrap(), 1)
    }

    fn act(&self, number: CaseNumber, act: Act, text: &str) -> Case {
        let by = self.desk();
        self.wait(self.whistle.act(&self.here, number, None, act, text.into(), by))
    }

    /// What a server's threads do.
    fn duties_are_done(&self) -> u64 {
        self.whistle.do_duties().unwrap();
        let mut done = 0;
        loop {
            match self.whistle.index_cases().unwrap() {
                0 => return done,
                cases => done += cases,
            }
        }
    }

    fn searched(&self, query: Query, viewer: Viewer<'_>) -> Vec<CaseNumber> {
        let page = self.wait(self.whistle.cases(&self.here, &query, viewer));
        page.items.iter().map(|case| case.number).collect()
    }

    fn found(&self, text: &str, viewer: Viewer<'_>) -> Vec<CaseNumber> {
        let query = Query {
            text: Some(text.to_owned()),
            ..Query::default()
        };
        self.searched(query, viewer)
    }

    fn public_finds(&self, text: &str) -> Vec<CaseNumber> {
        self.found(text, Viewer::Public)
    }

    fn staff_finds(&self, text: &str) -> Vec<CaseNumber> {
        self.found(text, Viewer::Staff(&self.desk()))
    }

    fn findings(&self) -> Vec<String> {
        self.whistle.audit(&self.here, |_| {}).unwrap().findings
    }

    /// Where its database is.
    fn target(&self) -> Target {
        match self.bed.database_url() {
            Some(url) => Target::Postgres(url.to_owned()),
            None => Target::Directory(self.bed.path().join("store")),
        }
    }

    /// Whether a word is in a file of the install or, on PostgreSQL, in a dump of the database.
    fn is_kept(&self, word: &str) -> bool {
        let has = |bytes: &[u8]| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        let files = fs::read_dir(self.bed.path().join("store")).unwrap().flatten();
        let in_files = files
            .filter(|entry| entry.path().is_file())
            .any(|entry| has(&fs::read(entry.path()).unwrap()));
        let in_dump = self.bed.database_url().is_some_and(|url| {
            let dump = std::process::Command::new("pg_dump").arg(url).output().unwrap();
            assert!(dump.status.success());
            has(&dump.stdout)
        });
        in_files || in_dump
    }
}

#[test]
fn a_report_is_found_by_its_words_its_place_and_its_number() {
    let village = Village::open();
    let lamp = village
        .report("三江路口的路灯坏了, very dark", "北桥头 Mill Lane 12")
        .number;
    let hole = village.report("井盖丢了", "").number;
    assert_eq!(village.staff_finds("路灯"), [], "not yet");
    assert_eq!(village.duties_are_done(), 2);
    assert_eq!(village.duties_are_done(), 0, "each once");
    for text in [
        "路灯",
        "灯坏",
        "路灯坏了",
        "桥头",
        "灯",
        "DARK",
        "mill lane",
        "12",
        "路灯 桥头 dark",
    ] {
        assert_eq!(village.staff_finds(text), [lamp], "{text}");
        assert_eq!(village.public_finds(text), [lamp], "{text}");
    }
    for text in ["灯路", "路灯 井盖", "lan", "drk"] {
        assert_eq!(village.staff_finds(text), [], "{text}");
    }
    // By the names of the service, its group and the areas, newest first.
    for text in ["坑洞", "pothole", "roads", "上游镇", "east bank", "东岸"] {
        assert_eq!(village.public_finds(text), [hole, lamp], "{text}");
    }
    assert_eq!(village.public_finds(&hole.to_string()), [hole]);
    for wrong in ["!", "", &"灯".repeat(101)] {
        let query = Query {
            text: Some(wrong.to_owned()),
            ..Query::default()
        };
        let refused = village.whistle.cases(&village.here, &query, Viewer::Public);
        let refused = village.runtime.block_on(refused);
        assert!(
            matches!(refused, Err(Error::Invalid { field: "q", .. })),
            "{wrong}"
        );
    }
}

#[test]
fn a_number_is_found_by_its_last_digits_and_the_whole_one_stands_first() {
    let village = Village::open();
    let all: Vec<CaseNumber> = (0..120).map(|_| village.report("a hole", "").number).collect();
    village.report("number 105 is dark", "");
    let last = *all.last().unwrap();
    village.duties_are_done();
    let found = village.public_finds("105");
    assert_eq!(found.first(), Some(&CaseNumber(105)));
    assert_eq!(
        found.len(),
        2,
        "the case, and the one that speaks of it: {found:?}"
    );
    assert_eq!(village.public_finds("921"), [], "nobody's last digits");
    assert_eq!(village.public_finds(&format!("00{last}")), [last]);
    assert_eq!(village.public_finds("5"), [CaseNumber(5)]);
}

#[test]
fn the_public_finds_by_public_words_only_and_nobody_by_what_is_masked() {
    let village = Village::open();
    let number = village
        .report("hole, call 13812345678 or mail ann@example.org", "")
        .number;
    village.act(number, Act::Comment { public: false }, "内部备注 xylophone");
    village.act(number, Act::Comment { public: true }, "公开说明 marimba");
    let hidden = village.report("hole with glockenspiel", "").number;
    village.act(hidden, Act::Show { public: false }, "so");
    village.duties_are_done();
    for (text, public, staff) in [
        ("hole", vec![number], vec![hidden, number]),
        ("公开", vec![number], vec![number]),
        ("marimba", vec![number], vec![number]),
        ("内部", vec![], vec![number]),
        ("xylophone", vec![], vec![number]),
        ("hole xylophone", vec![], vec![number]),
        ("glockenspiel", vec![], vec![hidden]),
        ("13812345678", vec![], vec![]),
        ("example", vec![], vec![]),
        ("ann", vec![], vec![]),
    ] {
        assert_eq!(village.public_finds(text), public, "{text}");
        assert_eq!(village.staff_finds(text), staff, "{text}");
    }
    assert_eq!(village.public_finds(&hidden.to_string()), []);
    // Hidden now, and the index does not know it yet.
    village.act(number, Act::Show { public: false }, "so");
    assert_eq!(village.public_finds("hole"), []);
    assert_eq!(village.findings(), Vec::<String>::new());
}

#[test]
fn filters_and_pages_hold_for_what_is_found() {
    let village = Village::open();
    let numbers: Vec<CaseNumber> = (0..30).map(|_| village.report("路灯坏了", "").number).collect();
    for number in numbers.iter().step_by(3) {
        let reporter = Actor::Reporter { report: 1 };
        let whistle = &village.whistle;
        village.wait(whistle.act(
            &village.here,
            *number,
            None,
            Act::Withdraw,
            String::new(),
            reporter,
        ));
    }
    village.duties_are_done();
    let query = |open| Query {
        text: Some("路灯".to_owned()),
        open,
        limit: 7,
        ..Query::default()
    };
    for open in [None, Some(true), Some(false)] {
        let meant = numbers.iter().enumerate().rev();
        let meant = meant.filter(|(at, _)| open.is_none_or(|open| open == (at % 3 != 0)));
        let meant: Vec<CaseNumber> = meant.map(|(_, number)| *number).collect();
        let (mut all, mut asked) = (Vec::new(), query(open));
        loop {
            let page = village.wait(village.whistle.cases(&village.here, &asked, Viewer::Public));
            all.extend(page.items.iter().map(|case| case.number));
            asked.after = page.next;
            if asked.after.is_none() {
                break;
            }
        }
        assert_eq!(all, meant, "{open:?}");
    }
    let elsewhere = Query {
        area: Some("230599101".parse().unwrap()),
        ..query(None)
    };
    assert_eq!(village.searched(elsewhere, Viewer::Public), []);
    let by_due = Query {
        order: Order::Due,
        ..query(None)
    };
    let refused = village.whistle.cases(&village.here, &by_due, Viewer::Public);
    assert!(village.runtime.block_on(refused).is_err());
}

#[test]
fn what_is_erased_is_found_no_more_from_that_moment_and_kept_nowhere() {
    let village = Village::open();
    let Receipt { number, code, .. } = village.report("my neighbour Quirin said so", "Zwiebelgasse 77");
    village.act(number, Act::Comment { public: false }, "looked at it");
    village.duties_are_done();
    assert_eq!(village.staff_finds("quirin zwiebelgasse"), [number]);
    assert!(village.is_kept("quirin"));
    assert!(village.wait(village.whistle.erase_own(&village.here, number, &code)));
    assert_eq!(village.staff_finds("quirin"), []);
    assert_eq!(village.public_finds("zwiebelgasse"), []);
    // And once it was cut anew, without that.
    assert_eq!(village.duties_are_done(), 1);
    assert_eq!(village.staff_finds("quirin"), []);
    assert_eq!(village.staff_finds("looked"), [number]);
    assert_eq!(village.findings(), Vec::<String>::new());
    village.whistle.close();
    for word in ["quirin", "zwiebelgasse"] {
        assert!(!village.is_kept(word), "{word} is still there");
    }
}

#[test]
fn a_change_of_names_is_taken_over_and_an_index_of_another_rule_made_anew() {
    let village = Village::open();
    let numbers: Vec<CaseNumber> = (0..250).map(|_| village.report("a hole", "").number).collect();
    village.duties_are_done();
    assert_eq!(village.public_finds("坑洞").len(), 50);
    assert_eq!(village.public_finds("深坑"), []);
    let services = village.bed.path().join("place/services.csv");
    let text = fs::read_to_string(&services).unwrap();
    fs::write(&services, text.replace("路面坑洞", "路面深坑")).unwrap();
    village.whistle.apply(&village.bed.path().join("place")).unwrap();
    assert_eq!(
        village.findings(),
        Vec::<String>::new(),
        "it is known that they are to be cut anew"
    );
    assert_eq!(village.duties_are_done(), 250);
    assert_eq!(village.public_finds("坑洞"), []);
    assert_eq!(village.public_finds("深坑").first(), numbers.last());
    assert_eq!(village.findings(), Vec::<String>::new());
}

#[test]
fn a_database_without_an_index_gets_one_and_new_reports_come_before_old_ones() {
    let village = Village::open();
    let old: Vec<CaseNumber> = (0..250).map(|_| village.report("路灯坏了", "").number).collect();
    // As if they were from before there was an index.
    village.duties_are_done();
    let target = village.target();
    let store = Store::open(target, village.whistle.now()).unwrap();
    let id = village.here.id;
    let cleared: Result<(), StoreError> = store.write_blocking(move |tx| index::clear(tx, &[id]));
    cleared.unwrap();
    assert_eq!(village.public_finds("路灯"), []);
    let new = village.report("井盖丢了", "").number;
    village.whistle.do_duties().unwrap();
    while village.public_finds("井盖").is_empty() {
        village.whistle.index_cases().unwrap();
    }
    assert_eq!(village.public_finds("井盖"), [new]);
    village.duties_are_done();
    assert_eq!(village.public_finds("路灯").first(), old.last());
    assert_eq!(village.findings(), Vec::<String>::new());
}

#[test]
fn of_two_processes_one_keeps_the_index_and_the_other_takes_it_over() {
    let village = Village::open();
    let number = village.report("路灯坏了", "").number;
    village.whistle.do_duties().unwrap();
    let other = Whistle::open(site(&village.bed)).unwrap();
    other.do_duties().unwrap();
    assert_eq!(other.index_cases().unwrap(), 0, "it is not its duty");
    assert_eq!(village.staff_finds("路灯"), []);
    village.whistle.close();
    other.do_duties().unwrap();
    assert_eq!(other.index_cases().unwrap(), 1);
    let query = Query {
        text: Some("路灯".to_owned()),
        ..Query::default()
    };
    let page = village.wait(other.cases(&village.here, &query, Viewer::Public));
    assert_eq!(page.items[0].number, number);
}

#[test]
fn a_wrong_index_is_noticed_and_made_anew() {
    let village = Village::open();
    let number = village.report("路灯坏了", "").number;
    village.report("井盖丢了", "");
    village.duties_are_done();
    assert_eq!(village.findings(), Vec::<String>::new());
    // An entry that says something else, as a fault would leave it.
    let store = Store::open(village.target(), village.whistle.now()).unwrap();
    let id = village.here.id;
    let written: Result<(), StoreError> = store.write_blocking(move |tx| {
        let stored = stored::find(tx, id, number)?.unwrap();
        let entry = index::Entry {
            jurisdiction: id,
            number,
            version: stored.case.version,
            words: vec!["wrong".to_owned()],
        };
        index::put(tx, &[entry])
    });
    written.unwrap();
    let findings = village.findings();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("whistle search rebuild"), "{findings:?}");
    assert_eq!(village.staff_finds("路灯"), []);
    let mut told = 0;
    assert_eq!(village.whistle.rebuild_search(|done| told = done).unwrap(), 2);
    assert_eq!(told, 2);
    assert_eq!(village.staff_finds("路灯"), [number]);
    assert_eq!(village.staff_finds("wrong"), []);
    assert_eq!(village.findings(), Vec::<String>::new());
}
