//! What a narrowed post may see: the function that decides on one case, and the lists that ask the database, say the same of
//! every case, on whichever database the run has. Posts and cases are drawn; the seed is in every message.

use std::{collections::BTreeSet, fmt::Write, fs, path::Path};

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use whistle_domain::{
    case::{Actor, Case, Channel, Outcome},
    command::{Act, NewReport, Refusal, Whereabouts},
    geometry::{BBox, Point},
    rights,
    whistle::command::NewWhistle,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::{Change, SignIn, actor_of},
    case::With,
    list::{Order, Query, Viewer},
    time::{Chance, SystemClock},
};
use whistle_testbed::{Bed, copy_folder};

const POSTS: usize = 60;
const CASES: usize = 90;

const SERVICES: [&str; 7] = [
    "WAT-LEAK",
    "WAT-DRAIN",
    "RD-HOLE",
    "RD-SIGN",
    "CARE-HOME",
    "CARE-HIT",
    "CARE-ASK",
];
const UNITS: [&str; 6] = ["CITY", "T100", "T101", "WATER", "ROADS", "PIPES"];

/// What may stand in a column that narrows: one to three of these, or nothing.
fn some(rng: &mut StdRng, of: &[&str], blank: f64) -> String {
    if rng.random::<f64>() < blank {
        return String::new();
    }
    let n = rng.random_range(1..=3);
    let chosen: BTreeSet<&str> = (0..n).filter_map(|_| of.choose(rng).copied()).collect();
    chosen.into_iter().collect::<Vec<_>>().join("|")
}

/// A table with more columns, blank ones.
fn wider(text: &str, columns: &str) -> String {
    let blank = ",".repeat(columns.matches(',').count() + 1);
    let line = |(n, line): (usize, &str)| match n {
        0 => format!("{line},{columns}\n"),
        // Within a cell.
        _ if line.matches('"').count() == 1 && line.contains(",\"") => format!("{line}\n"),
        _ => format!("{line}{blank}\n"),
    };
    text.lines().enumerate().map(line).collect()
}

/// Something to report.
fn matter(service: &str, point: Point) -> NewReport {
    NewReport {
        service: service.parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(point),
            ..Whereabouts::default()
        },
        description: "It is broken.".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    }
}

struct Town {
    bed: Bed,
    whistle: Whistle,
    here: Here,
    runtime: tokio::runtime::Runtime,
    site: Site,
    seed: u64,
}

impl Town {
    /// The village, with services of two classes of access, a standard that has one of its own, and posts that were drawn.
    fn open(seed: u64) -> Self {
        let bed = Bed::new();
        let folder = bed.path().join("place");
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
            &folder,
        );
        let mut rng = StdRng::seed_from_u64(seed);
        let change = |file: &str, edit: &mut dyn FnMut(String) -> String| {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(path, edit(text)).unwrap();
        };
        change("services.csv", &mut |text| {
            let text = wider(&text, "access");
            format!(
                "{text}CARE,-,关怀,,Care,,,,\nCARE-HOME,CARE,家事,,Homes,,,yes,family\nCARE-HIT,CARE,暴力,,Violence,,,yes,confidential\nCARE-ASK,CARE,咨询,,Advice,,,yes,staff\n"
            )
        });
        change("standards.csv", &mut |text| {
            let text = wider(&text, "access");
            format!(
                "{text}CARE-HOME-1,CARE-HOME,,,,,,2d working,,WATER,,,post,\nCARE-HIT-1,CARE-HIT,,,,,,2d working,,,,,post,\n\
                CARE-ASK-1,CARE-ASK,,,yes,,,2d working,,,,,post,\nCARE-ASK-2,CARE-ASK,delicate,,,,,2d working,,,,,post,family\n"
            )
        });
        change("posts.csv", &mut |text| {
            let mut text = wider(&text, "units,services,access");
            text += "DESK,desk,,,CITY,,dispatcher,,,staff|family|confidential\nKEEPER,keeper,,,CITY,,administrator,,RD,\n";
            let roles = ["patrol", "call_taker", "dispatcher", "handler", "lead", "auditor"];
            for n in 0..POSTS {
                let unit = UNITS.choose(&mut rng).unwrap();
                let area = ["", "230599", "230599100", "230599101"].choose(&mut rng).unwrap();
                let role = roles.choose(&mut rng).unwrap();
                let units = some(&mut rng, &UNITS, 0.6);
                let services = some(&mut rng, &[&SERVICES[..], &["WAT", "RD", "CARE"]].concat(), 0.5);
                let access = some(&mut rng, &["public", "staff", "family", "confidential"], 0.4);
                writeln!(
                    text,
                    "X-{n},post,,,{unit},{area},{role},{units},{services},{access}"
                )
                .unwrap();
            }
            text
        });
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().join("store").into()
        };
        fs::create_dir_all(bed.path().join("store")).unwrap();
        let chance = Chance::from_seed(seed);
        let whistle = Whistle::open_with(site.clone(), Box::new(SystemClock), chance).unwrap();
        whistle
            .apply(&folder)
            .unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let here = whistle.places().all()[0].clone();
        Self {
            bed,
            whistle,
            here,
            runtime: tokio::runtime::Runtime::new().unwrap(),
            site,
            seed,
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// A case somewhere, of something, and what became of it.
    fn live(&self, rng: &mut StdRng) -> CaseNumber {
        let service = SERVICES.choose(rng).unwrap();
        let point = Point::new(
            rng.random_range(131.801..131.839),
            rng.random_range(46.201..46.219),
        );
        let new = matter(service, point.unwrap());
        let filed = self
            .wait(
                self.whistle
                    .report(&self.here, new, Actor::System, With::default()),
            )
            .unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        for _ in 0..rng.random_range(0..6) {
            let unit = UNITS.choose(rng).unwrap().parse().unwrap();
            let (act, by) = match rng.random_range(0..9) {
                0 => (Act::Accept { standard: None }, Actor::System),
                1 => (
                    Act::Accept {
                        standard: Some("CARE-ASK-2".parse().unwrap()),
                    },
                    Actor::System,
                ),
                2 | 3 => (Act::Assign { unit: Some(unit) }, Actor::System),
                4 | 5 => (Act::AssignJoint { unit, limit: None }, self.actor("CITY-D")),
                6 => (
                    Act::Reclassify {
                        service: SERVICES.choose(rng).unwrap().parse().unwrap(),
                    },
                    self.actor("CITY-D"),
                ),
                7 => (Act::Show { public: rng.random() }, self.actor("CITY-D")),
                _ => (
                    Act::Settle {
                        outcome: Outcome::Explained,
                    },
                    Actor::System,
                ),
            };
            // What the table of transitions refuses is left.
            let done = self
                .whistle
                .act(&self.here, filed.number, None, act, "so".into(), by);
            match self.wait(done) {
                Ok(_) | Err(Error::Refused(_) | Error::NotFound { .. }) => {}
                Err(error) => panic!("seed {}: {error}", self.seed),
            }
        }
        filed.number
    }

    fn actor(&self, post: &str) -> Actor {
        actor_of(self.here.place.post(post).unwrap(), 7)
    }

    /// All of a list, page by page.
    fn list(&self, whistle: &Whistle, query: &Query, by: &Actor) -> BTreeSet<CaseNumber> {
        let (mut query, mut all) = (query.clone(), BTreeSet::new());
        loop {
            let page = self
                .wait(whistle.cases(&self.here, &query, Viewer::Staff(by)))
                .unwrap();
            for case in &page.items {
                assert!(all.insert(case.number), "seed {}: twice in a list", self.seed);
            }
            query.after = page.next;
            if query.after.is_none() {
                return all;
            }
        }
    }
}

#[test]
fn a_list_of_what_another_post_sees_has_the_cases_that_both_may_see() {
    let seed = 11;
    let town = Town::open(seed);
    let mut rng = StdRng::seed_from_u64(seed);
    let numbers: Vec<CaseNumber> = (0..CASES / 2).map(|_| town.live(&mut rng)).collect();
    let cases: Vec<Case> = numbers
        .iter()
        .map(|number| town.wait(town.whistle.case(&town.here, *number)).unwrap())
        .collect();
    let (mut some, mut fewer) = (0, 0);
    for n in 0..POSTS / 3 {
        let (own, post) = (town.actor(&format!("X-{n}")), format!("X-{}", n + POSTS / 3));
        let other = town.actor(&post);
        let place = &town.here.place;
        for (open, order) in [(None, Order::Newest), (Some(true), Order::Due)] {
            let query = Query {
                open,
                order,
                post: Some(post.parse().unwrap()),
                limit: 7,
                ..Query::default()
            };
            let both =
                |case: &&Case| rights::may_see(case, &own, place) && rights::may_see(case, &other, place);
            let wanted: BTreeSet<CaseNumber> = cases
                .iter()
                .filter(|case| open.is_none() || case.state.is_open())
                .filter(both)
                .map(|case| case.number)
                .collect();
            some += wanted.len();
            let own = town
                .list(
                    &town.whistle,
                    &Query {
                        post: None,
                        ..query.clone()
                    },
                    &own,
                )
                .len();
            fewer += own - wanted.len();
            assert_eq!(
                town.list(&town.whistle, &query, &town.actor(&format!("X-{n}"))),
                wanted,
                "seed {seed}: {n}"
            );
        }
    }
    assert!(some > 20 && fewer > 20, "{some} in both, {fewer} in one alone");
}

#[test]
fn what_a_drawn_post_may_see_of_drawn_cases_is_what_its_lists_show() {
    for seed in [1, 20_261_126] {
        let town = Town::open(seed);
        let mut rng = StdRng::seed_from_u64(seed ^ 0x9e37);
        let numbers: Vec<CaseNumber> = (0..CASES).map(|_| town.live(&mut rng)).collect();
        let cases: Vec<Case> = numbers
            .iter()
            .map(|number| town.wait(town.whistle.case(&town.here, *number)).unwrap())
            .collect();
        let classed = cases.iter().filter(|case| case.access.is_some()).count();
        assert!(classed > 10, "seed {seed}: {classed} of a class");
        assert!(cases.iter().all(|case| case.access.is_none() || !case.public));
        town.whistle.do_duties().unwrap();
        while town.whistle.index_cases().unwrap() > 0 {}
        let everywhere = BBox::new(131.8, 46.2, 131.84, 46.22).unwrap();
        let (mut seen_any, mut hidden_any) = (false, false);
        for n in 0..POSTS {
            let post = format!("X-{n}");
            let actor = town.actor(&post);
            for (open, bbox, order, text) in [
                (None, None, Order::Newest),
                (None, None, Order::Updated),
                (Some(true), None, Order::Due),
                (Some(false), None, Order::Newest),
                (None, Some(everywhere), Order::Newest),
                // All that were drawn have these words.
                (None, None, Order::Newest),
                (Some(true), None, Order::Newest),
                (Some(false), Some(everywhere), Order::Newest),
            ]
            .into_iter()
            .zip((0..).map(|n| (n >= 5).then(|| "It is BROKEN".to_owned())))
            .map(|((open, bbox, order), text)| (open, bbox, order, text))
            {
                let query = Query {
                    open,
                    bbox,
                    order,
                    text,
                    limit: 7,
                    ..Query::default()
                };
                let wanted = |case: &&Case| open.is_none_or(|open| case.state.is_open() == open);
                let seen: BTreeSet<CaseNumber> = cases
                    .iter()
                    .filter(wanted)
                    .filter(|case| rights::may_see(case, &actor, &town.here.place))
                    .map(|case| case.number)
                    .collect();
                seen_any |= !seen.is_empty();
                hidden_any |= seen.len() < cases.len();
                let row = town.here.place.post(&post).unwrap();
                assert_eq!(
                    town.list(&town.whistle, &query, &actor),
                    seen,
                    "seed {seed}: {open:?} {order:?} {row:?}"
                );
            }
        }
        assert!(seen_any && hidden_any);
        let audit = town.whistle.audit(&town.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new(), "seed {seed}");
        // A process that reads the open cases anew lists the same.
        let open = Query {
            open: Some(true),
            ..Query::default()
        };
        let posts = (0..POSTS).map(|n| town.actor(&format!("X-{n}")));
        let before: Vec<_> = posts
            .map(|by| (town.list(&town.whistle, &open, &by), by))
            .collect();
        town.whistle.close();
        let again = Whistle::open(town.site.clone()).unwrap();
        for (listed, by) in before {
            assert_eq!(town.list(&again, &open, &by), listed, "seed {seed}");
        }
        again.close();
    }
}

#[test]
fn a_post_does_to_a_case_only_what_it_is_for() {
    let town = Town::open(3);
    let mut rng = StdRng::seed_from_u64(3);
    for _ in 0..40 {
        let number = town.live(&mut rng);
        for n in 0..POSTS {
            let actor = town.actor(&format!("X-{n}"));
            let case = town.wait(town.whistle.case(&town.here, number)).unwrap();
            let now = town.whistle.now();
            let offered = whistle_domain::transition::offered(&case, &actor, &town.here.place, now);
            let verbs: Vec<_> = offered
                .filter(|line| line.verb != whistle_domain::transition::Verb::Join)
                .map(|line| line.verb)
                .collect();
            if !rights::may_see(&case, &actor, &town.here.place) {
                assert!(verbs.is_empty(), "X-{n} is offered {verbs:?} unseen");
                let act = Act::Comment { public: false };
                let done = town
                    .whistle
                    .act(&town.here, number, None, act, "so".into(), actor.clone());
                assert!(town.wait(done).is_err());
                assert!(
                    town.wait(town.whistle.contacts(&town.here, number, &actor))
                        .is_err()
                );
            }
        }
    }
}

impl Town {
    /// The place with something else in a file.
    fn here_with(&self, file: &str, from: &str, to: &str) -> whistle_domain::place::Place {
        let folder = self.bed.path().join("place");
        let mut files = whistle_place::Folder::read(&folder).unwrap().files().clone();
        let text = String::from_utf8(files[file].clone()).unwrap();
        assert!(text.contains(from), "{text}");
        files.insert(file.to_owned(), text.replace(from, to).into_bytes());
        let folder = whistle_place::Folder::from_files(files).unwrap();
        whistle_place::compile(&folder, 2).unwrap().place
    }

    fn report(&self, service: &str) -> CaseNumber {
        let new = matter(service, Point::new(131.81, 46.21).unwrap());
        let filed = self
            .whistle
            .report(&self.here, new, Actor::Public, With::default());
        self.wait(filed).unwrap().number
    }

    fn act(&self, number: CaseNumber, act: Act) -> Result<Case, Error> {
        let by = self.actor("DESK");
        self.wait(self.whistle.act(&self.here, number, None, act, "so".into(), by))
    }
}

#[test]
fn cases_of_different_classes_are_not_merged_and_a_part_keeps_the_class_of_the_whole() {
    let town = Town::open(4);
    let (open, secret) = (town.report("RD-HOLE"), town.report("CARE-HIT"));
    for (one, into) in [(open, secret), (secret, open)] {
        let merged = town.act(one, Act::Merge { into });
        assert!(
            matches!(merged, Err(Error::Refused(Refusal::OtherClass))),
            "{merged:?}"
        );
    }
    let same = town.report("CARE-HIT");
    town.act(same, Act::Merge { into: secret }).unwrap();
    let shown = town.act(secret, Act::Show { public: true });
    assert!(
        matches!(shown, Err(Error::Refused(Refusal::OfAClass(_)))),
        "{shown:?}"
    );
    let whole = town.report("CARE-HIT");
    let at = Whereabouts {
        point: Some(Point::new(131.81, 46.21).unwrap()),
        ..Whereabouts::default()
    };
    let (service, by) = ("CARE-ASK".parse().unwrap(), town.actor("DESK"));
    let split = town
        .whistle
        .split(&town.here, whole, None, service, at, "A part.".into(), by);
    let (_, part) = town.wait(split).unwrap();
    let case = town.act(
        part.number,
        Act::Reclassify {
            service: "RD-HOLE".parse().unwrap(),
        },
    );
    assert_eq!(case.unwrap().access, Some("confidential".parse().unwrap()));
}

#[test]
fn what_got_a_class_later_is_told_of_as_if_it_had_it_before() {
    let town = Town::open(5);
    let number = town.report("RD-HOLE");
    let (_, log) = town.wait(town.whistle.case_and_log(&town.here, number)).unwrap();
    let classed = town.report("CARE-HIT");
    let now = town.wait(town.whistle.case(&town.here, classed)).unwrap();
    let mut then = Case::fold(number, &log[..1]).unwrap();
    assert!(then.public && then.access.is_none());
    then.close_like(&now);
    assert!(!then.public && then.access.is_some());
}

#[test]
fn a_whistle_about_what_got_a_class_later_is_for_those_alone_who_may_see_that() {
    let town = Town::open(7);
    let number = town.report("CARE-ASK");
    let new = NewWhistle {
        kind: "URGENT".parse().unwrap(),
        cases: vec![number],
        units: ["ROADS", "WATER"].map(|unit| unit.parse().unwrap()).to_vec(),
        lead: "ROADS".parse().unwrap(),
        place: "At the mill".into(),
        meet_at: None,
        matter: "The road sinks".into(),
    };
    let blown = town.whistle.blow(&town.here, new, town.actor("DESK"), None);
    let blown = town.wait(blown).unwrap().number;
    let sees = |post: &str| {
        let by = town.actor(post);
        let read = town.wait(town.whistle.whistle_and_log(&town.here, blown, &by));
        let on = town
            .wait(town.whistle.whistles_on(&town.here, number, &by))
            .unwrap();
        let listed = [true, false].map(|called| {
            let query = whistle_service::whistle::Query {
                called,
                ..Default::default()
            };
            let page = town.wait(town.whistle.whistles(&town.here, &query, &by));
            !page.unwrap().items.is_empty()
        });
        assert_eq!(read.is_ok(), !on.is_empty(), "{post}");
        assert_eq!(read.is_ok(), listed.contains(&true), "{post}");
        let sign = whistle_domain::whistle::command::Act::Sign;
        let signed = town
            .whistle
            .act_on_whistle(&town.here, blown, None, sign, String::new(), by, None);
        let signed = town.wait(signed);
        assert!(
            read.is_ok() || matches!(signed, Err(Error::NotFound { .. })),
            "{post}"
        );
        read.is_ok()
    };
    let everybody = ["DESK", "CITY-D", "ROADS-H"];
    assert_eq!(everybody.map(sees), [true; 3]);
    let reclassify = |service: &str| Act::Reclassify {
        service: service.parse().unwrap(),
    };
    town.act(number, reclassify("CARE-HIT")).unwrap();
    assert_eq!(everybody.map(sees), [true, false, false]);
    let desk = town.actor("DESK");
    let read = town.wait(town.whistle.whistle_and_log(&town.here, blown, &desk));
    let (whistle, log) = read.unwrap();
    let place = &town.here.place;
    assert_eq!(
        whistle_notices::webhook::whistle_event(&whistle, &log, place, ""),
        None
    );
    town.act(number, reclassify("CARE-ASK")).unwrap();
    assert_eq!(everybody.map(sees), [true; 3]);
}

#[test]
fn nobody_puts_a_version_in_force_that_clears_a_post_for_more_than_their_own_is_for() {
    let town = Town::open(8);
    let place = &town.here.place;
    let desk = "CITY-D,派遣员,,Dispatcher,CITY,,dispatcher|call_taker,,,";
    let widened = town.here_with("posts.csv", desk, &format!("{desk}staff|confidential"));
    let patrol = "T100-P,巡查员,,Patrol,T100,230599100,patrol,,,";
    let other = town.here_with("posts.csv", patrol, &format!("{patrol}public"));
    // What was for one class would be anybody's of the staff.
    let opened = town.here_with("services.csv", "yes,family", "yes,staff");
    for (post, expected) in [
        // One is cleared for no class; the other for roads alone; a third may see everything and administers nothing.
        ("CITY-L", [true, false, true, false]),
        ("KEEPER", [true, false, true, false]),
        ("DESK", [false; 4]),
    ] {
        let by = town.actor(post);
        let may = [place, &widened, &other, &opened]
            .map(|candidate| rights::may_put_in_force(&by, place, candidate));
        assert_eq!(may, expected, "{post}");
    }
}

#[test]
fn an_administrator_lets_nobody_into_more_than_they_see_themselves() {
    let town = Town::open(6);
    let add = |login: &str, post: &str| {
        let posts = [post.parse().unwrap()];
        town.whistle
            .add_user(&town.here, login, "a long enough password", &posts)
            .unwrap()
    };
    let (desk, roads) = (add("desk", "DESK"), add("roads", "KEEPER"));
    add("keeper", "KEEPER");
    let signed_in =
        town.wait(
            town.whistle
                .sign_in(&town.here, "keeper", "a long enough password".to_owned(), None),
        );
    let token = signed_in.and_then(SignIn::done).unwrap();
    let keeper = town.wait(town.whistle.signed_in(&town.here, &token)).unwrap();
    let reset = town.wait(town.whistle.reset_password(&town.here, &keeper, desk));
    assert!(matches!(reset, Err(Error::Invalid { .. })), "{reset:?}");
    let reset = town.wait(town.whistle.reset_kept_second_factor(&town.here, &keeper, desk));
    assert!(reset.is_err());
    town.wait(
        town.whistle
            .keep_account(&town.here, &keeper, desk, Change::Disable),
    )
    .unwrap();
    town.wait(town.whistle.reset_password(&town.here, &keeper, roads))
        .unwrap();
}
