//! Several units, several cases and one question, on both databases: who sees what, who follows what, and that a case
//! moves on by itself.

use std::{
    fs,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, ToSpan};
use whistle_domain::{
    case::{Actor, Body, Case, Channel, Photo, PhotoKind, Respondent, Stage},
    clock::ClockKind,
    command::{Act, NewReport, Whereabouts},
    escalation::Tier,
    geometry::Point,
    rights,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::actor_of,
    case::{Receipt, With},
    explain,
    list::{Order, Query, Viewer},
    secret::Contact,
    time::{Chance, Clock},
};
use whistle_testbed::{Bed, copy_folder};

#[derive(Clone)]
struct Hands(Arc<Mutex<(Timestamp, Duration)>>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn running(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

struct Town {
    _bed: Bed,
    hands: Hands,
    whistle: Whistle,
    here: Here,
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

impl Town {
    /// Begins on a Monday, at nine o'clock there.
    fn open() -> Self {
        Self::open_with(|_| {})
    }

    /// The same; the files of the place are changed before they are applied.
    fn open_with(change: impl FnOnce(&Path)) -> Self {
        let bed = Bed::new();
        let folder = bed.path().join("village");
        copy_folder(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
            &folder,
        );
        change(&folder);
        let monday = "2026-11-02T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(Mutex::new((monday, Duration::from_secs(1000)))));
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().into()
        };
        let whistle = Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(1)).unwrap();
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        Self {
            _bed: bed,
            hands,
            whistle,
            here,
        }
    }

    fn pass(&self, time: Duration) {
        let mut hands = self.hands.0.lock().unwrap();
        hands.0 += SignedDuration::try_from(time).unwrap();
        hands.1 += time;
    }

    fn post(&self, code: &str) -> Actor {
        actor_of(self.here.place.post(code).unwrap(), 7)
    }

    fn report(&self, service: &str, email: &str) -> Receipt {
        self.report_at(Point::new(131.8152, 46.2051).unwrap(), service, email)
    }

    fn report_at(&self, point: Point, service: &str, email: &str) -> Receipt {
        let new = NewReport {
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
        };
        let with = With {
            contact: Contact {
                email: email.to_owned(),
                ..Contact::default()
            },
            ..With::default()
        };
        wait(self.whistle.report(&self.here, new, Actor::Public, with)).unwrap()
    }

    fn tries(&self, number: CaseNumber, by: &Actor, act: Act) -> Result<Case, Error> {
        let text = "because".to_owned();
        wait(self.whistle.act(&self.here, number, None, act, text, by.clone()))
    }

    #[track_caller]
    fn does(&self, number: CaseNumber, by: &str, act: Act) -> Case {
        self.tries(number, &self.post(by), act).unwrap()
    }

    fn case(&self, number: CaseNumber) -> Case {
        wait(self.whistle.case(&self.here, number)).unwrap()
    }

    fn list(&self, query: &Query, by: &str) -> Vec<CaseNumber> {
        let actor = self.post(by);
        let page = wait(self.whistle.cases(&self.here, query, Viewer::Staff(&actor))).unwrap();
        page.items.iter().map(|case| case.number).collect()
    }

    /// No list and no case shows a post what the other would not.
    #[track_caller]
    fn lists_show_what_may_be_seen(&self, numbers: &[CaseNumber]) {
        for post in ["WATER-H", "ROADS-H", "T100-P", "CITY-D"] {
            let actor = self.post(post);
            for open in [Some(true), Some(false), None] {
                let query = Query {
                    open,
                    order: Order::Newest,
                    ..Query::default()
                };
                let mut listed = self.list(&query, post);
                listed.sort();
                let cases = numbers.iter().map(|number| self.case(*number));
                let seen = cases
                    .filter(|case| open.is_none_or(|open| case.state.is_open() == open))
                    .filter(|case| rights::may_see(case, &actor, &self.here.place));
                let seen: Vec<CaseNumber> = seen.map(|case| case.number).collect();
                assert_eq!(listed, seen, "{post} {open:?}");
            }
        }
    }

    #[track_caller]
    fn is_whole(&self) {
        let audit = self.whistle.audit(&self.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
    }
}

fn joint(unit: &str) -> Act {
    Act::AssignJoint {
        unit: unit.parse().unwrap(),
        limit: Some("4h working".parse().unwrap()),
    }
}

fn word(refused: Result<Case, Error>) -> &'static str {
    refused.unwrap_err().word()
}

#[test]
fn a_joint_unit_finds_the_case_in_its_lists_as_long_as_it_has_a_part() {
    let town = Town::open();
    let hole = town.report("RD-HOLE", "").number;
    let other = town.report("RD-HOLE", "").number;
    let mine = Query {
        part: Some("WATER".parse().unwrap()),
        order: Order::Due,
        ..Query::default()
    };
    assert_eq!(town.list(&Query::default(), "WATER-H"), []);
    town.does(hole, "CITY-D", joint("WATER"));
    town.does(other, "CITY-D", joint("WATER"));
    assert_eq!(town.list(&mine, "WATER-H"), [hole, other]);
    town.lists_show_what_may_be_seen(&[hole, other]);
    town.does(
        other,
        "CITY-D",
        Act::ReleaseJoint {
            unit: "WATER".parse().unwrap(),
        },
    );
    assert_eq!(town.list(&mine, "WATER-H"), [hole]);

    town.does(hole, "ROADS-H", Act::ReportIn);
    let done = Act::Handle {
        outcome: whistle_domain::case::Outcome::Resolved,
    };
    assert_eq!(
        word(town.tries(hole, &town.post("ROADS-H"), done.clone())),
        "missing"
    );
    town.does(hole, "WATER-H", Act::HandleJoint);
    town.does(hole, "ROADS-H", done);
    // Closed by now, and still theirs to look up.
    town.lists_show_what_may_be_seen(&[hole, other]);
    town.is_whole();
}

#[test]
fn who_reported_a_merged_case_follows_the_one_that_goes_on() {
    let town = Town::open();
    let first = town.report("WAT-DRAIN", "first@example.org");
    let second = town.report("WAT-DRAIN", "second@example.org");
    let third = town.report("WAT-DRAIN", "third@example.org");
    let photo = |id: &str, public| Act::AddPhoto {
        photo: Photo {
            id: id.into(),
            kind: PhotoKind::Before,
            public,
        },
    };
    town.tries(second.number, &Actor::Reporter { report: 1 }, photo("0a", true))
        .unwrap();
    town.does(second.number, "CITY-D", Act::Show { public: false });
    // A chain: the third into the second, that into the first.
    let into = |into| Act::Merge { into };
    town.does(third.number, "CITY-D", into(second.number));
    town.does(second.number, "CITY-D", into(first.number));

    let original = town.case(first.number);
    assert_eq!(original.absorbed, [second.number]);
    assert_eq!(original.photos.len(), 1);
    assert!(!original.photos[0].public, "what was hidden stays hidden");

    // Who answers for the one that goes on reaches all of them; each case says that somebody looked.
    let desk = town.post("CITY-D");
    assert_eq!(
        wait(town.whistle.merged_reports(&town.here, &original, &desk)).unwrap(),
        2
    );
    let reached = wait(town.whistle.contacts(&town.here, first.number, &desk)).unwrap();
    let reached: Vec<_> = reached
        .iter()
        .map(|one| (one.number, one.report, one.contact.email.as_str()))
        .collect();
    assert_eq!(
        reached,
        [
            (first.number, 1, "first@example.org"),
            (second.number, 1, "second@example.org"),
            (third.number, 1, "third@example.org"),
        ]
    );
    for receipt in [&first, &second, &third] {
        let views = wait(town.whistle.contact_views(&town.here, receipt.number)).unwrap();
        assert_eq!(views.len(), 1, "case {}", receipt.number);
    }
    let auditor = town
        .whistle
        .contacts(&town.here, first.number, &Actor::Reporter { report: 1 });
    assert_eq!(wait(auditor).unwrap_err().word(), "forbidden");

    let by_code = town.whistle.case_by_code(&town.here, third.number, &third.code);
    let (case, ..) = wait(by_code).unwrap();
    let (goes_on, _) = wait(town.whistle.goes_on_as(&town.here, &case)).unwrap().unwrap();
    assert_eq!(goes_on.number, first.number);
    let again = town.tries(third.number, &Actor::Reporter { report: 1 }, Act::RequestReopen);
    assert_eq!(word(again), "merged_into");
    let back = town.tries(first.number, &town.post("CITY-D"), into(third.number));
    assert_eq!(word(back), "original_merged", "it would go round in a circle");
    town.is_whole();
}

#[test]
fn a_case_is_merged_only_into_one_that_goes_on() {
    let town = Town::open();
    let [first, second] = [1, 2].map(|_| town.report("WAT-DRAIN", "").number);
    town.tries(first, &Actor::Reporter { report: 1 }, Act::Withdraw)
        .unwrap();
    let into = |into| Act::Merge { into };
    let closed = town.tries(second, &town.post("CITY-D"), into(first));
    assert_eq!(word(closed), "wrong_stage");
    assert!(town.case(second).state.is_open(), "nothing happened");
    town.is_whole();
}

#[test]
fn a_case_out_of_sight_is_no_more_merged_into_than_one_that_is_not_there() {
    // The patrol of one town has its desk as well, and sees nothing of the other town.
    let town = Town::open_with(|folder| {
        let posts = folder.join("posts.csv");
        let text = fs::read_to_string(&posts).unwrap();
        let with_desk = text.replace("T100,230599100,patrol", "T100,230599100,patrol|dispatcher");
        assert_ne!(text, with_desk);
        fs::write(posts, with_desk).unwrap();
    });
    let own = town.report("WAT-DRAIN", "").number;
    let elsewhere = Point::new(131.825, 46.2051).unwrap();
    let elsewhere = town.report_at(elsewhere, "WAT-DRAIN", "").number;
    let desk = town.post("T100-P");
    let into = |into| town.tries(own, &desk, Act::Merge { into }).unwrap_err();
    let nowhere = CaseNumber(elsewhere.0 + 1000);
    let (unseen, missing) = (into(elsewhere), into(nowhere));
    assert_eq!(unseen.word(), "not_found");
    assert_eq!(
        unseen.to_string().replace(&elsewhere.to_string(), "N"),
        missing.to_string().replace(&nowhere.to_string(), "N")
    );
    assert!(town.case(own).state.is_open() && town.case(elsewhere).absorbed.is_empty());
    // Who sees both may.
    town.does(own, "CITY-D", Act::Merge { into: elsewhere });
    assert_eq!(town.case(elsewhere).absorbed, [own]);
    town.is_whole();
}

#[test]
fn a_split_writes_both_cases_or_none() {
    let town = Town::open();
    let whole = town.report("WAT-DRAIN", "first@example.org").number;
    let split = |seen, service: &str| {
        wait(town.whistle.split(
            &town.here,
            whole,
            seen,
            service.parse().unwrap(),
            Whereabouts::default(),
            "The road has sunk there.".to_owned(),
            town.post("CITY-D"),
        ))
    };
    let (original, part) = split(None, "RD-HOLE").unwrap();
    assert_eq!(
        (original.split_into, part.split_from),
        (vec![part.number], Some(whole))
    );
    assert_eq!(part.lead.as_ref().unwrap().as_str(), "ROADS");
    assert_eq!(part.location.point, original.location.point);
    assert_eq!(part.description, "The road has sunk there.");
    assert_eq!(town.case(part.number), part);
    let reachable = wait(
        town.whistle
            .contacts(&town.here, part.number, &town.post("CITY-D")),
    );
    assert_eq!(reachable.unwrap(), [], "the reports stay with the whole");

    let before = town.case(whole);
    assert_eq!(split(Some(1), "RD-HOLE").unwrap_err().word(), "stale");
    assert_eq!(split(None, "RD").unwrap_err().word(), "is_group");
    assert_eq!(town.case(whole), before);
    town.is_whole();
}

/// The steps of the parts in a case: which, how high up, and whose leads were told.
fn steps_of_parts(town: &Town, number: CaseNumber) -> Vec<(u8, Tier, String)> {
    let (_, log) = wait(town.whistle.case_and_log(&town.here, number)).unwrap();
    let of = |body: &Body| match body {
        Body::Escalated {
            part: Some(_),
            step,
            level,
            unit,
            ..
        } => Some((*step, *level, unit.as_ref().unwrap().to_string())),
        _ => None,
    };
    log.iter().filter_map(|event| of(&event.body)).collect()
}

#[test]
fn the_limit_of_a_part_climbs_by_the_scheduler_each_step_once_and_lists_find_it() {
    let town = Town::open();
    let hole = town.report("RD-HOLE", "").number;
    let other = town.report("RD-HOLE", "").number;
    town.does(hole, "CITY-D", joint("WATER"));
    town.does(other, "CITY-D", joint("WATER"));
    let until = "2026-11-20".parse().unwrap();
    town.does(other, "CITY-D", Act::Park { until });
    town.whistle.do_duties().unwrap();
    let up_to = |tier, order| {
        let query = Query {
            escalated: Some(tier),
            order,
            ..Query::default()
        };
        town.list(&query, "CITY-D")
    };
    assert_eq!(up_to(Tier::Unit, Order::Due), []);
    for _ in 0..3 {
        town.pass(Duration::from_hours(24));
        town.whistle.do_duties().unwrap();
        town.whistle.take_steps().unwrap();
        assert_eq!(town.whistle.take_steps().unwrap(), 0);
    }
    let told = steps_of_parts(&town, hole);
    let levels: Vec<_> = told.iter().map(|(step, level, _)| (*step, *level)).collect();
    assert_eq!(
        levels,
        [(1, Tier::Unit), (2, Tier::Unit), (3, Tier::Town), (4, Tier::City)]
    );
    assert!(told[..2].iter().all(|(.., unit)| unit == "WATER"), "{told:?}");
    assert_eq!(
        steps_of_parts(&town, other),
        [],
        "it stands while the case is parked"
    );

    for order in [Order::Due, Order::Newest, Order::Updated] {
        for tier in Tier::ALL {
            assert_eq!(up_to(tier, order), [hole], "{tier:?} {order:?}");
        }
    }
    let query = Query {
        escalated: Some(Tier::Unit),
        ..Query::default()
    };
    let public = wait(town.whistle.cases(&town.here, &query, Viewer::Public));
    assert_eq!(public.unwrap_err().word(), "invalid");
    let (case, log) = wait(town.whistle.case_and_log(&town.here, hole)).unwrap();
    let stories = explain::clocks(&case, &log, &town.here.place, town.whistle.now());
    let part = stories.iter().find(|story| story.part.is_some()).unwrap();
    assert_eq!((part.kind, part.steps.len()), (ClockKind::Joint, 4));
    assert!(part.overdue && part.steps.iter().all(|step| step.taken_at.is_some()));
    // Closed or not, and also for a process that has just begun to run.
    town.does(hole, "WATER-H", Act::HandleJoint);
    town.does(hole, "ROADS-H", Act::ReportIn);
    let outcome = whistle_domain::case::Outcome::Resolved;
    town.does(hole, "ROADS-H", Act::Handle { outcome });
    assert_eq!(up_to(Tier::City, Order::Newest), [hole]);
    town.is_whole();
}

fn ask(town: &Town, of: Respondent, days: i64, choices: &[&str]) -> Act {
    let zone = town.here.place.calendar.zone();
    Act::Ask {
        of,
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        until: zone.to_datetime(town.whistle.now()).date() + days.days(),
        reachable: false,
    }
}

#[test]
fn a_question_is_answered_once_by_its_link() {
    let town = Town::open();
    let number = town.report("WAT-DRAIN", "").number;
    let case = town.does(
        number,
        "CITY-D",
        ask(&town, Respondent::Outside, 3, &["yes", "no"]),
    );
    let link = town.whistle.question_link(&town.here, &case).unwrap();
    let asked = |link: &str| wait(town.whistle.asked(&town.here, link));
    let found = asked(&link).unwrap();
    assert_eq!(found.open.unwrap().choices, ["yes", "no"]);
    let choose = |choice: &str| Act::Answer {
        choice: Some(choice.to_owned()),
    };
    town.tries(number, &found.by, choose("yes")).unwrap();
    assert!(asked(&link).unwrap().open.is_none());
    assert_eq!(word(town.tries(number, &found.by, choose("no"))), "not_allowed");
    // The link of one question does not open the next.
    let case = town.does(number, "CITY-D", ask(&town, Respondent::Outside, 3, &[]));
    assert!(asked(&link).unwrap().open.is_none());
    assert_ne!(town.whistle.question_link(&town.here, &case).unwrap(), link);
    let forged = link.replacen(&number.to_string(), "99", 1);
    assert_eq!(asked(&forged).unwrap_err().word(), "not_found");
    town.is_whole();
}

#[test]
fn a_question_to_the_reporter_stops_the_clocks_and_lapses_by_itself() {
    let town = Town::open();
    let number = town.report("WAT-DRAIN", "resident@example.org").number;
    let of = Respondent::Reporter { report: 1 };
    let case = town.does(number, "CITY-D", ask(&town, of, 2, &[]));
    assert!(case.clocks.all().iter().all(|clock| !clock.is_running()));
    let link = town.whistle.question_link(&town.here, &case).unwrap();
    let by = wait(town.whistle.asked(&town.here, &link)).unwrap().by;
    assert_eq!(by, Actor::Reporter { report: 1 });
    town.whistle.do_duties().unwrap();
    assert!(town.case(number).question.is_some(), "not before its time");
    // Nine on Monday to midnight on Wednesday.
    town.pass(Duration::from_hours(39));
    town.whistle.do_duties().unwrap();
    let (case, log) = wait(town.whistle.case_and_log(&town.here, number)).unwrap();
    assert_eq!(log.last().unwrap().body.as_str(), "unanswered");
    assert!(
        case.question.is_none()
            && case
                .clocks
                .all()
                .iter()
                .any(whistle_domain::clock::Clock::is_running)
    );
    assert!(
        wait(town.whistle.asked(&town.here, &link))
            .unwrap()
            .open
            .is_none()
    );
    assert_eq!(case.state.stage(), Stage::Assigned);
    town.is_whole();
}

#[test]
fn a_question_to_a_reporter_who_left_no_word_stops_no_clock() {
    let town = Town::open();
    let of = Respondent::Reporter { report: 1 };
    let runs = |case: &Case| {
        let mut clocks = case.clocks.all().iter();
        clocks.any(whistle_domain::clock::Clock::is_running)
    };
    let anonymous = town.report("WAT-DRAIN", "").number;
    assert!(runs(&town.does(anonymous, "CITY-D", ask(&town, of, 2, &[]))));
    // Whoever says that they can be reached is not believed.
    let number = town.report("WAT-DRAIN", "").number;
    let mut claimed = ask(&town, of, 2, &[]);
    if let Act::Ask { reachable, .. } = &mut claimed {
        *reachable = true;
    }
    assert!(runs(&town.does(number, "CITY-D", claimed)));
    let known = town.report("WAT-DRAIN", "resident@example.org").number;
    assert!(!runs(&town.does(known, "CITY-D", ask(&town, of, 2, &[]))));
    town.is_whole();
}

#[test]
fn a_note_is_forgotten_after_ninety_days() {
    let town = Town::open();
    let note = "Mrs Li calls again at ten.";
    wait(town.whistle.hand_over(&town.here, &town.post("CITY-D"), note)).unwrap();
    let notes = || wait(town.whistle.handovers(&town.here, &"CITY-D".parse().unwrap())).unwrap();
    town.pass(Duration::from_hours(24 * 89));
    town.whistle.do_duties().unwrap();
    assert_eq!(notes().len(), 1);
    town.pass(Duration::from_hours(25));
    town.whistle.do_duties().unwrap();
    assert_eq!(notes(), []);
}

#[test]
fn a_note_is_for_the_next_holder_of_the_post_and_names_who_wrote_it() {
    let town = Town::open();
    let hand_over = |by: &Actor, note: &str| wait(town.whistle.hand_over(&town.here, by, note));
    hand_over(&town.post("CITY-D"), "Call the water works at ten.").unwrap();
    town.pass(Duration::from_mins(1));
    hand_over(&town.post("CITY-D"), " Done. ").unwrap();
    assert_eq!(
        hand_over(&town.post("CITY-D"), "  ").unwrap_err().word(),
        "invalid"
    );
    assert_eq!(hand_over(&Actor::Public, "x").unwrap_err().word(), "forbidden");
    let notes = |post: &str| wait(town.whistle.handovers(&town.here, &post.parse().unwrap())).unwrap();
    let found: Vec<(String, i64)> = notes("CITY-D").into_iter().map(|n| (n.note, n.account)).collect();
    assert_eq!(
        found,
        [
            ("Done.".to_owned(), 7),
            ("Call the water works at ten.".to_owned(), 7)
        ]
    );
    assert_eq!(notes("CITY-L"), []);
}
