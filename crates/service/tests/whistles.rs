//! Whistles through the use cases, on whichever database the run has: what goes together goes together, who may not see
//! one cannot tell that it is there, and a request sent again does nothing twice.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use jiff::Timestamp;
use whistle_domain::{
    case::{Actor, Answer, Body, Case, Channel},
    command::{Act as CaseAct, NewReport, Whereabouts},
    geometry::Point,
    whistle::{
        CallState, Stage, Whistle as Blown,
        command::{Act, NewDuty, NewWhistle},
    },
    words::{CaseNumber, UnitCode, WhistleNumber},
};
use whistle_service::{
    Here, Site, Whistle,
    account::actor_of,
    case::With,
    time::{Chance, Clock},
    whistle::Query,
};
use whistle_store::{Store, Target};
use whistle_testbed::{Bed, copy_folder};

#[derive(Clone)]
struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.load(Ordering::Relaxed)).unwrap()
    }
}

/// The village, with somebody to act for the pipe crew.
struct Village {
    bed: Bed,
    whistle: Whistle,
    here: Here,
    hands: Hands,
    runtime: tokio::runtime::Runtime,
}

impl Village {
    fn open() -> Self {
        let bed = Bed::new();
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().into()
        };
        let begin: Timestamp = "2026-05-13T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(AtomicI64::new(begin.as_second())));
        let whistle = Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(3)).unwrap();
        let folder = bed.path().join("place");
        let village = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        copy_folder(&village, &folder);
        let posts = fs::read_to_string(folder.join("posts.csv")).unwrap();
        fs::write(
            folder.join("posts.csv"),
            posts + "PIPES-H,抢修员,,Handler,PIPES,,handler\nT100-H,处置员,,Handler,T100,,handler\n",
        )
        .unwrap();
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        Self {
            bed,
            whistle,
            here,
            hands,
            runtime,
        }
    }

    fn post(&self, code: &str) -> Actor {
        actor_of(self.here.place.post(code).unwrap(), 1)
    }

    fn later(&self, minutes: i64) {
        self.hands.0.fetch_add(minutes * 60, Ordering::Relaxed);
    }

    /// A leak in the area of station T100, assigned to the water department.
    fn leak(&self) -> CaseNumber {
        let new = NewReport {
            service: "WAT-LEAK".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.805, 46.205).unwrap()),
                ..Whereabouts::default()
            },
            description: "Water runs over the road".into(),
            answers: vec![Answer {
                question: "size".into(),
                values: vec!["stream".into()],
            }],
            channel: Channel::Phone,
            photos: vec![],
            fixed: None,
        };
        let by = self.post("CITY-D");
        let receipt = self
            .runtime
            .block_on(self.whistle.report(&self.here, new, by, With::default()));
        let number = receipt.unwrap().number;
        for act in [CaseAct::Accept { standard: None }, CaseAct::Assign { unit: None }] {
            let by = self.post("CITY-D");
            let done = self.whistle.act(&self.here, number, None, act, String::new(), by);
            self.runtime.block_on(done).unwrap();
        }
        number
    }

    fn blow(&self, by: &str, cases: &[CaseNumber], key: Option<&str>) -> Result<Blown, &'static str> {
        let new = NewWhistle {
            kind: "URGENT".parse().unwrap(),
            cases: cases.to_vec(),
            units: ["WATER", "ROADS", "PIPES"].map(unit).to_vec(),
            lead: unit("PIPES"),
            place: "At the mill".into(),
            meet_at: None,
            matter: "The main has burst below the road".into(),
        };
        let blown = self
            .whistle
            .blow(&self.here, new, self.post(by), key.map(str::to_owned));
        self.runtime.block_on(blown).map_err(|error| error.word())
    }

    fn act_with(
        &self,
        by: &str,
        number: WhistleNumber,
        seen: Option<u32>,
        act: Act,
        key: Option<&str>,
    ) -> Result<Blown, &'static str> {
        let (by, key) = (self.post(by), key.map(str::to_owned));
        let done = self
            .whistle
            .act_on_whistle(&self.here, number, seen, act, "because".into(), by, key);
        let done = self.runtime.block_on(done).map_err(|error| error.word());
        done.map(|acted| acted.now)
    }

    fn act(&self, by: &str, number: WhistleNumber, act: Act) -> Result<Blown, &'static str> {
        self.act_with(by, number, None, act, None)
    }

    fn case(&self, number: CaseNumber) -> Case {
        self.runtime
            .block_on(self.whistle.case(&self.here, number))
            .unwrap()
    }

    fn listed(&self, by: &str, called: bool, over: bool) -> Vec<i64> {
        let query = Query {
            called,
            over,
            ..Query::default()
        };
        let by = self.post(by);
        let page = self.whistle.whistles(&self.here, &query, &by);
        let page = self.runtime.block_on(page).unwrap();
        page.items.iter().map(|whistle| whistle.number.0).collect()
    }

    /// Everything is as its log says.
    fn is_sound(&self, whistles: u64) {
        let audit = self.whistle.audit(&self.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
        assert_eq!(audit.whistles, whistles);
    }
}

fn unit(code: &str) -> UnitCode {
    code.parse().unwrap()
}

const HERE: Act = Act::ReportIn {
    made_at: None,
    position: None,
};

fn duty(case: CaseNumber, code: &str, what: &str) -> NewDuty {
    NewDuty {
        case,
        unit: unit(code),
        what: what.into(),
        limit: "2d working".parse().unwrap(),
    }
}

#[test]
fn a_whistle_goes_from_the_call_to_assignments_and_ratings() {
    let village = Village::open();
    let (leak, other) = (village.leak(), village.leak());
    assert_eq!(village.case(leak).lead, Some(unit("WATER")));
    let blown = village.blow("T100-P", &[other, leak], None).unwrap();
    let number = blown.number;
    village.later(5);
    village.act("WATER-H", number, Act::Sign).unwrap();
    village.act("PIPES-H", number, HERE).unwrap();
    village.act("ROADS-H", number, Act::Refuse).unwrap();
    let present = Act::Confirm {
        unit: unit("PIPES"),
        present: true,
    };
    village.act("T100-P", number, present).unwrap();
    let duties = vec![
        duty(leak, "WATER", "shut the valve"),
        duty(leak, "PIPES", "mend the pipe"),
        duty(other, "WATER", "look after it"),
        NewDuty {
            limit: "3d working".parse().unwrap(),
            ..duty(leak, "WATER", "open it again")
        },
    ];
    village.act("T100-P", number, Act::Minutes { duties }).unwrap();
    // The city's station takes it on; a dispatcher may assign cases, a patrol may not.
    village
        .act("T100-P", number, Act::Raise { units: vec![] })
        .unwrap();
    village.is_sound(1);
    let closed = village.act("CITY-D", number, Act::Close).unwrap();
    assert_eq!(closed.stage, Stage::Closed);
    assert_eq!(
        village.case(leak).lead,
        Some(unit("PIPES")),
        "the lead's duty makes its unit the case's lead"
    );
    assert_eq!(village.case(other).lead, Some(unit("WATER")));
    assert_eq!(village.case(other).joint, []);
    // Who has a duty beside it has a part, with what it is to do and the longest of its limits.
    let parts = village.case(leak).joint;
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].unit, unit("WATER"));
    assert_eq!(parts[0].task, "shut the valve\nopen it again");
    let limit = parts[0].clock().unwrap().limit;
    assert_eq!(limit, "3d working".parse().unwrap());
    let log = village.whistle.case_and_log(&village.here, leak);
    let (_, log) = village.runtime.block_on(log).unwrap();
    let told: Vec<_> = log
        .iter()
        .filter_map(|event| match &event.body {
            Body::Whistled { whistle, stage } => Some((*whistle, *stage)),
            _ => None,
        })
        .collect();
    assert_eq!(told, [(number, Stage::Blown), (number, Stage::Closed)]);
    village.act("WATER-H", number, Act::Finish { duty: 1 }).unwrap();
    let by = village.post("WATER-H");
    let done = village
        .whistle
        .act(&village.here, leak, None, CaseAct::HandleJoint, "shut".into(), by);
    village.runtime.block_on(done).unwrap();
    assert!(village.case(leak).joint[0].handed_in.is_some());
    let rating = whistle_domain::case::Rating::Good;
    village
        .act("ROADS-H", number, Act::RateWhistle { rating })
        .unwrap();
    village.is_sound(1);
}

#[test]
fn who_cannot_assign_closes_the_whistle_all_the_same() {
    let village = Village::open();
    let leak = village.leak();
    let number = village.blow("T100-P", &[leak], None).unwrap().number;
    let duties = vec![duty(leak, "PIPES", "mend the pipe")];
    village.act("T100-P", number, Act::Minutes { duties }).unwrap();
    let closed = village.act("T100-P", number, Act::Close).unwrap();
    assert_eq!(closed.duties.len(), 1);
    assert_eq!(village.case(leak).lead, Some(unit("WATER")));
    village.is_sound(1);
}

#[test]
fn each_sees_in_its_list_what_it_may_see() {
    let village = Village::open();
    let leak = village.leak();
    let number = village.blow("T100-P", &[leak], None).unwrap().number;
    for (by, area, called) in [
        ("T100-P", vec![number.0], vec![]),
        ("CITY-D", vec![number.0], vec![]),
        ("T101-P", vec![], vec![]),
        ("WATER-H", vec![], vec![number.0]),
        ("PIPES-H", vec![], vec![number.0]),
    ] {
        assert_eq!(village.listed(by, false, false), area, "{by}");
        assert_eq!(village.listed(by, true, false), called, "{by}");
        let actor = village.post(by);
        let seen = village.whistle.whistle_and_log(&village.here, number, &actor);
        let may = !area.is_empty() || !called.is_empty();
        // Found, or as if it were not there.
        assert_eq!(village.runtime.block_on(seen).is_ok(), may, "{by}");
    }
    assert_eq!(village.act("T101-P", number, Act::Withdraw), Err("not_found"));
    village.act("ROADS-H", number, Act::Refuse).unwrap();
    assert_eq!(village.listed("ROADS-H", true, false), [0; 0]);
    assert_eq!(village.listed("ROADS-H", true, true), [number.0]);
    village.act("CITY-L", number, Act::Withdraw).unwrap();
    assert_eq!(village.listed("WATER-H", true, false), [0; 0]);
    assert_eq!(village.listed("T100-P", false, true), [number.0]);
    let by = village.post("CITY-D");
    let on = village.whistle.whistles_on(&village.here, leak, &by);
    assert_eq!(village.runtime.block_on(on).unwrap().len(), 1);
    village.is_sound(1);
}

#[test]
fn a_units_list_begins_with_what_it_must_do_first_and_goes_on_page_by_page() {
    let village = Village::open();
    let leak = village.leak();
    let numbers: Vec<i64> = (0..5)
        .map(|_| {
            village.later(1);
            village.blow("T100-P", &[leak], None).unwrap().number.0
        })
        .collect();
    // Who has signed has more time than who has not.
    village
        .act("WATER-H", WhistleNumber(numbers[0]), Act::Sign)
        .unwrap();
    let pages = |called: bool| {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let query = Query {
                called,
                after,
                limit: 2,
                ..Query::default()
            };
            let by = village.post(if called { "WATER-H" } else { "T100-P" });
            let page = village
                .runtime
                .block_on(village.whistle.whistles(&village.here, &query, &by))
                .unwrap();
            found.extend(page.items.iter().map(|whistle| whistle.number.0));
            match page.next {
                Some(next) => after = Some(next),
                None => return found,
            }
        }
    };
    assert_eq!(
        pages(true),
        [numbers[1], numbers[2], numbers[3], numbers[4], numbers[0]]
    );
    assert_eq!(pages(false), numbers.iter().rev().copied().collect::<Vec<_>>());
}

#[test]
fn what_is_sent_again_is_done_once() {
    let village = Village::open();
    let leak = village.leak();
    let first = village.blow("T100-P", &[leak], Some("k1")).unwrap();
    let again = village.blow("T100-P", &[leak], Some("k1")).unwrap();
    assert_eq!(first.number, again.number);
    let sign = || village.act_with("WATER-H", first.number, Some(2), Act::Sign, Some("k2"));
    assert_eq!(sign().unwrap().version, 3);
    assert_eq!(sign().unwrap().version, 3);
    let reused = village.act_with("WATER-H", first.number, Some(2), HERE, Some("k2"));
    assert_eq!(reused, Err("key_reused"));
    let stale = village.act_with("ROADS-H", first.number, Some(2), Act::Sign, None);
    assert_eq!(stale, Err("stale"));
    village.is_sound(1);
}

#[test]
fn a_refused_whistle_leaves_no_trace() {
    let village = Village::open();
    let leak = village.leak();
    assert_eq!(village.blow("WATER-H", &[leak], None), Err("not_allowed"));
    assert_eq!(village.blow("T101-P", &[leak], None), Err("case_elsewhere"));
    assert_eq!(
        village.blow("T100-P", &[CaseNumber(999_999)], None),
        Err("case_elsewhere")
    );
    assert_eq!(village.case(leak).version, 3);
    village.is_sound(0);
}

#[test]
fn the_audit_finds_what_was_changed_behind_the_logs_back() {
    let village = Village::open();
    let leak = village.leak();
    let number = village.blow("T100-P", &[leak], None).unwrap().number;
    village.act("WATER-H", number, HERE).unwrap();
    assert_eq!(
        village.act("WATER-H", number, HERE),
        Err("wrong_call"),
        "{:?} is not met twice",
        CallState::ReportedIn
    );
    let store = Store::open(village.bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap();
    for (change, finding) in [
        (
            "UPDATE whistle_event SET text = 'nothing' WHERE jurisdiction_id = $1 AND version = 1",
            "the text of event 1 was changed",
        ),
        (
            "UPDATE whistle SET due_at = due_at + 1 WHERE jurisdiction_id = $1",
            "the columns of the row are not what its log folds to",
        ),
        (
            "DELETE FROM whistle_call WHERE jurisdiction_id = $1 AND unit_code = 'ROADS'",
            "its calls are not what its log folds to",
        ),
        (
            "DELETE FROM whistle_case WHERE jurisdiction_id = $1",
            "it is not found by its case",
        ),
        (
            "DELETE FROM whistle_event WHERE jurisdiction_id = $1 AND version = 2",
            "the chain of hashes breaks at event 3",
        ),
        (
            "DELETE FROM whistle WHERE jurisdiction_id = $1",
            "events of whistles belong to no whistle",
        ),
    ] {
        let id = village.here.id.0;
        store
            .write_blocking(move |tx| tx.exec(change, whistle_store::params![id]))
            .unwrap();
        let findings = village.whistle.audit(&village.here, |_| {}).unwrap().findings;
        assert!(
            findings.iter().any(|one| one.contains(finding)),
            "{change}: {findings:#?}"
        );
    }
}

/// Runs SQL beside the program, as no program of ours would.
fn tamper(village: &Village, statement: &str) {
    match village.bed.database_url() {
        Some(url) => drop(whistle_testbed::sql(url, statement)),
        None => rusqlite::Connection::open(village.bed.path().join("whistle.db"))
            .and_then(|database| database.execute_batch(statement))
            .unwrap(),
    }
}

#[test]
fn verify_names_each_table_beside_the_logs_that_was_damaged() {
    let village = Village::open();
    let (leak, other) = (village.leak(), village.leak());
    let by = village.post("CITY-D");
    let act = CaseAct::AssignJoint {
        unit: unit("ROADS"),
        limit: Some("4h working".parse().unwrap()),
    };
    let joined = village.whistle.act(
        &village.here,
        leak,
        None,
        act,
        "close the road".into(),
        by.clone(),
    );
    village.runtime.block_on(joined).unwrap();
    let number = village.blow("T100-P", &[leak], None).unwrap().number;
    village.act("WATER-H", number, Act::Sign).unwrap();
    let note = village
        .whistle
        .hand_over(&village.here, &by, "The road is closed.");
    village.runtime.block_on(note).unwrap();
    village.is_sound(1);

    let all: &[(&str, &str, &str)] = &[
        (
            "UPDATE case_unit SET unit_code = 'WATER'",
            "UPDATE case_unit SET unit_code = 'ROADS'",
            "case 1: the units in case_unit are not those with a part in it",
        ),
        (
            "DELETE FROM case_unit",
            "INSERT INTO case_unit VALUES (1, 1, 'ROADS')",
            "case 1: the units in case_unit are not those with a part in it",
        ),
        (
            "INSERT INTO case_unit VALUES (1, 2, 'ROADS')",
            "DELETE FROM case_unit WHERE number = 2",
            "case 2: the units in case_unit are not those with a part in it",
        ),
        (
            "INSERT INTO case_unit VALUES (1, 999, 'ROADS')",
            "DELETE FROM case_unit WHERE number = 999",
            "1 rows of case_unit belong to no case",
        ),
        (
            "UPDATE cases SET step_at = step_at + 1 WHERE number = 1",
            "UPDATE cases SET step_at = step_at - 1 WHERE number = 1",
            "case 1: the columns of the row",
        ),
        (
            "UPDATE cases SET escalated = 4 WHERE number = 1",
            "UPDATE cases SET escalated = 0 WHERE number = 1",
            "case 1: the columns of the row",
        ),
        (
            "UPDATE cases SET parked_until = 5 WHERE number = 2",
            "UPDATE cases SET parked_until = NULL WHERE number = 2",
            "case 2: the columns of the row",
        ),
        (
            "UPDATE whistle SET due_at = due_at + 1",
            "UPDATE whistle SET due_at = due_at - 1",
            "whistle 1: the columns of the row",
        ),
        (
            "UPDATE whistle SET step_at = step_at + 1",
            "UPDATE whistle SET step_at = step_at - 1",
            "whistle 1: the columns of the row",
        ),
        (
            "UPDATE whistle_call SET due_at = due_at + 1 WHERE unit_code = 'WATER'",
            "UPDATE whistle_call SET due_at = due_at - 1 WHERE unit_code = 'WATER'",
            "whistle 1: its calls are not",
        ),
        (
            "UPDATE whistle_call SET state = 'left' WHERE unit_code = 'WATER'",
            "UPDATE whistle_call SET state = 'signed' WHERE unit_code = 'WATER'",
            "whistle 1: its calls are not",
        ),
        (
            "INSERT INTO whistle_call VALUES (1, 999, 'WATER', 'called', 1, 5)",
            "DELETE FROM whistle_call WHERE number = 999",
            "1 calls of units belong to no whistle",
        ),
        (
            "UPDATE whistle_case SET case_number = 2",
            "UPDATE whistle_case SET case_number = 1",
            "whistle 1: case 2 leads to it, and it is not about that",
        ),
        (
            "UPDATE whistle_case SET case_number = 2",
            "UPDATE whistle_case SET case_number = 1",
            "whistle 1: it is not found by its case 1",
        ),
        (
            "INSERT INTO whistle_outbox VALUES (1, 1, 999, 999, 5)",
            "DELETE FROM whistle_outbox WHERE version = 999",
            "1 messages in the outbox tell of no event of a whistle",
        ),
        (
            "INSERT INTO outbox VALUES (1, 1, 999, 999, 5)",
            "DELETE FROM outbox WHERE version = 999",
            "1 messages in the outbox tell of no event of a case",
        ),
        (
            "INSERT INTO contact_view VALUES (1, 999, 5, 1, 'CITY-D')",
            "DELETE FROM contact_view WHERE number = 999",
            "1 looks at contact data belong to no case",
        ),
        (
            "INSERT INTO imported VALUES (1, 'elsewhere', 'A1', 999)",
            "DELETE FROM imported WHERE number = 999",
            "1 rows of imported belong to no case",
        ),
        (
            "UPDATE sequence SET next = -next WHERE name = 'whistle'",
            "UPDATE sequence SET next = -next WHERE name = 'whistle'",
            "the sequence whistle would give",
        ),
        (
            "UPDATE sequence SET next = -next WHERE name = 'case'",
            "UPDATE sequence SET next = -next WHERE name = 'case'",
            "the sequence case would give",
        ),
        (
            "UPDATE handover SET note = ' '",
            "UPDATE handover SET note = 'The road is closed.'",
            "the handover of account 1 at post \"CITY-D\"",
        ),
    ];
    assert_eq!((leak, other), (CaseNumber(1), CaseNumber(2)));
    for (damage, mend, expected) in all {
        tamper(&village, damage);
        let findings = village.whistle.audit(&village.here, |_| {}).unwrap().findings;
        assert!(
            findings.iter().any(|finding| finding.starts_with(expected)),
            "{damage}: {findings:?}"
        );
        tamper(&village, mend);
        village.is_sound(1);
    }
}
