//! What the log of a case comes to, and that facts kept in step are those made anew.

#[path = "../../domain/tests/village/mod.rs"]
mod village;

use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;
use village::{
    Tale, VILLAGE,
    lots::{any_report, any_steps, tale_of},
    matter, may, post,
};
use whistle_domain::{
    case::{Actor, Body, Case, Outcome, Photo, PhotoKind, Rating, Respondent},
    clock::ClockKind,
    command::{Act, NewReport},
    words::CaseNumber,
};
use whistle_figures::facts::{
    BLOCK, Ended, Fact, Facts, FoldError, LogPlace, NEVER, NONE, NOTHING, RunRow, SnapshotError, Stations,
    flag, fold, place_version,
};

fn stations() -> Stations {
    Stations::of(&VILLAGE)
}

fn fact(tale: &Tale<'_>) -> Fact {
    fold(tale.case.number, &tale.log, &stations()).unwrap()
}

fn moment(at: Timestamp) -> u32 {
    at.as_second().try_into().unwrap()
}

const DONE: Act = Act::Handle {
    outcome: Outcome::Resolved,
};

/// The lights department comes, and hands in its work.
fn mend(tale: &mut Tale<'_>) {
    tale.does("lights-handler", Act::ReportIn)
        .does("lights-handler", DONE);
}

fn to(unit: &str) -> Act {
    Act::Assign {
        unit: Some(unit.parse().unwrap()),
    }
}

/// Kind, unit, how it ended.
fn runs(fact: &Fact) -> Vec<(ClockKind, &str, u8)> {
    let told = fact.runs.iter().map(|(run, unit)| {
        let unit = unit.as_ref().map_or("", |unit| unit.as_str());
        (ClockKind::ALL[usize::from(run.kind)], unit, run.ended)
    });
    told.collect()
}

fn run_of(fact: &Fact, kind: ClockKind) -> RunRow {
    let runs = fact.runs.iter().map(|(run, _)| *run);
    runs.rev()
        .find(|run| ClockKind::ALL[usize::from(run.kind)] == kind)
        .unwrap()
}

#[test]
fn a_case_that_goes_well_has_a_run_for_each_stage_and_all_are_done() {
    let mut tale = Tale::resident("lamp");
    tale.after(20).does("lights-handler", Act::ReportIn);
    tale.after(40).does("lights-handler", DONE);
    tale.after(10).reporter_does(Act::Verify);
    let fact = fact(&tale);
    let row = fact.row;
    assert_eq!(place_version(&tale.log), Some(1));
    assert_eq!(
        (row.reported, row.dispatched),
        (moment(may(13, 9, 0)), moment(may(13, 9, 0)))
    );
    assert_eq!(
        (row.arrived, row.handled),
        (moment(may(13, 9, 20)), moment(may(13, 10, 0)))
    );
    assert_eq!(row.closed, moment(may(13, 10, 10)));
    assert_eq!(
        row.flags & (flag::BY_PUBLIC | flag::HANDLED_LATE),
        flag::BY_PUBLIC
    );
    assert_eq!(
        (fact.service.as_str(), fact.lead.as_ref().unwrap().as_str()),
        ("lamp", "lights")
    );
    let done = Ended::Done as u8;
    let stages = runs(&fact);
    assert!(stages.iter().all(|(.., ended)| *ended == done), "{stages:?}");
    assert_eq!(stages[0], (ClockKind::Triage, "S-V11", done));
    assert_eq!(stages.last(), Some(&(ClockKind::Verify, "S-V11", done)));
    assert_eq!(run_of(&fact, ClockKind::Resolve).started, row.dispatched);
    assert_eq!(run_of(&fact, ClockKind::Resolve).due, row.due);
}

#[test]
fn a_returned_case_has_a_run_of_each_unit_that_had_it() {
    let mut tale = Tale::resident("lamp");
    tale.after(5).does(
        "lights-handler",
        Act::Return {
            right_unit: "roads".parse().unwrap(),
        },
    );
    tale.after(5).does("dispatcher", to("roads"));
    let fact = fact(&tale);
    assert_eq!(fact.row.returned, 1);
    assert_eq!(fact.row.dispatched, moment(may(13, 9, 0)), "the first time");
    let resolve: Vec<_> = runs(&fact)
        .into_iter()
        .filter(|(kind, ..)| *kind == ClockKind::Resolve)
        .collect();
    let (lights, roads) = (Ended::Returned as u8, Ended::Running as u8);
    assert_eq!(
        resolve,
        [
            (ClockKind::Resolve, "lights", lights),
            (ClockKind::Resolve, "roads", roads)
        ]
    );
}

#[test]
fn a_case_that_another_unit_is_given_leaves_the_first_ones_runs_dropped() {
    let mut tale = Tale::resident("lamp");
    tale.after(5).does("dispatcher", to("roads"));
    let fact = fact(&tale);
    for (kind, unit, ended) in runs(&fact) {
        let expected = match (kind, unit) {
            (ClockKind::Triage, _) => Ended::Done,
            (_, "lights") => Ended::Dropped,
            _ => Ended::Running,
        };
        assert_eq!(ended, expected as u8, "{kind:?} of {unit}");
    }
}

#[test]
fn a_case_that_is_taken_back_drops_what_ran() {
    let mut tale = Tale::resident("lamp");
    tale.after(5).reporter_does(Act::Withdraw);
    let fact = fact(&tale);
    assert_eq!(fact.row.outcome, 6, "withdrawn");
    assert_eq!(fact.row.handled, NEVER);
    assert_eq!(run_of(&fact, ClockKind::Resolve).ended, Ended::Dropped as u8);
    assert_eq!(run_of(&fact, ClockKind::Triage).ended, Ended::Done as u8);
}

#[test]
fn a_rework_goes_on_with_the_run_and_a_reopened_case_begins_another() {
    let mut tale = Tale::resident("lamp");
    mend(tale.after(20));
    tale.after(20).does("mill-patrol", Act::Rework);
    let again = fact(&tale);
    assert_eq!(run_of(&again, ClockKind::Resolve).ended, Ended::Running as u8);
    assert_eq!(run_of(&again, ClockKind::Verify).ended, Ended::Done as u8);
    assert_eq!(
        again.row.handled,
        moment(may(13, 9, 20)),
        "it was handed in, if in vain"
    );
    tale.after(20).does("lights-handler", DONE);
    tale.after(20).reporter_does(Act::Verify);
    tale.after(60).reporter_does(Act::RequestReopen);
    tale.after(60).does("west-lead", Act::Reopen);
    let reopened = fact(&tale);
    assert_eq!(
        (reopened.row.reopened, reopened.row.reworked, reopened.row.closed),
        (1, 1, NEVER)
    );
    let resolve = runs(&reopened)
        .into_iter()
        .filter(|(kind, ..)| *kind == ClockKind::Resolve);
    assert_eq!(resolve.count(), 2);
}

#[test]
fn what_is_late_by_its_clock_is_late_by_its_run_and_flag() {
    let mut tale = Tale::resident("lamp");
    mend(tale.after(60 * 24 * 40));
    let fact = fact(&tale);
    assert_ne!(fact.row.flags & flag::HANDLED_LATE, 0);
    let run = run_of(&fact, ClockKind::Resolve);
    assert!(run.stopped > run.due);
}

#[test]
fn what_was_asked_proved_and_rated_is_known_and_what_was_said_is_not() {
    let mut tale = Tale::resident("lamp");
    tale.does(
        "lights-handler",
        Act::Ask {
            of: Respondent::Reporter { report: 1 },
            choices: vec![],
            reachable: true,
            until: jiff::civil::date(2026, 5, 14),
        },
    );
    let standing = run_of(&fact(&tale), ClockKind::Resolve);
    assert_eq!((standing.ended, standing.stopped), (Ended::Standing as u8, NEVER));
    tale.after(30).reporter_does(Act::Answer { choice: None });
    let photo = Photo {
        id: "0f".into(),
        kind: PhotoKind::After,
        public: true,
    };
    tale.does("lights-handler", Act::AddPhoto { photo });
    mend(&mut tale);
    tale.reporter_does(Act::Verify);
    tale.reporter_does(Act::Rate { rating: Rating::Fair });
    let row = fact(&tale).row;
    assert_eq!(
        row.flags & (flag::ASKED | flag::PROVED),
        flag::ASKED | flag::PROVED
    );
    assert_eq!((row.rating, row.outcome), (1, 0));
}

#[test]
fn a_case_fixed_on_the_spot_was_never_dispatched_and_one_without_a_point_is_nowhere_near() {
    let new = NewReport {
        fixed: Some("done".to_owned()),
        ..matter("litter")
    };
    let tale = Tale::of(&VILLAGE, &new, &post("mill-patrol"));
    let on_the_spot = fact(&tale);
    assert_eq!((on_the_spot.row.dispatched, on_the_spot.row.due), (NEVER, NEVER));
    assert_eq!(
        on_the_spot.row.flags & (flag::ON_THE_SPOT | flag::BY_PUBLIC),
        flag::ON_THE_SPOT
    );
    assert!(on_the_spot.row.distance < NONE);
    let mut new = matter("lamp");
    new.whereabouts.point = None;
    new.whereabouts.area = Some("V1".parse().unwrap());
    let nowhere = fact(&Tale::of(&VILLAGE, &new, &Actor::Public));
    assert_eq!((nowhere.row.distance, nowhere.row.rating), (NONE, NOTHING));
}

#[test]
fn a_log_that_is_none_comes_to_no_fact() {
    assert!(matches!(
        fold(CaseNumber(1), &[], &stations()),
        Err(FoldError::Log(_))
    ));
    let tale = Tale::resident("lamp");
    let far = CaseNumber(i64::from(u32::MAX) + 1);
    assert!(matches!(
        fold(far, &tale.log, &stations()),
        Err(FoldError::Number(_))
    ));
}

/// Many cases of different lengths, numbered from 1.
fn many(cases: u32) -> Facts {
    let mut facts = Facts::new();
    let (short, mut long) = (Tale::resident("lamp"), Tale::resident("lamp"));
    mend(long.after(20));
    let (short, long) = (fact(&short), fact(&long));
    for number in 1..=cases {
        let mut fact = if number % 3 == 0 {
            long.clone()
        } else {
            short.clone()
        };
        fact.row.number = number;
        facts.put(&fact);
    }
    facts
}

#[test]
fn facts_are_read_back_as_they_were_put_and_dead_runs_do_not_pile_up() {
    let mut facts = many(2 * BLOCK as u32);
    let mut tale = Tale::resident("lamp");
    mend(tale.after(20));
    let long = fact(&tale);
    for number in 1..=2 * BLOCK as u32 {
        let mut fact = long.clone();
        fact.row.number = number;
        facts.put(&fact);
        assert!(facts.runs.case.len() <= facts.live_runs() * 4 / 3 + BLOCK);
    }
    assert_eq!(facts.len(), 2 * BLOCK);
    assert_eq!(facts.live_runs(), long.runs.len() * facts.len());
    for number in [1, 7, BLOCK as u32, 2 * BLOCK as u32] {
        let kept = facts.get(number).unwrap();
        assert_eq!(kept.runs, long.runs);
        assert_eq!(kept.row.number, number);
    }
    assert_eq!(facts.get(0), None);
    assert_eq!(facts.get(2 * BLOCK as u32 + 1), None);
    assert!(facts.bytes() / facts.len() < 400);
    facts.clear();
    assert!(facts.is_empty());
}

#[test]
fn an_absurd_number_costs_no_memory_and_is_found_all_the_same() {
    let mut facts = many(10);
    let mut far = facts.get(1).unwrap();
    far.row.number = u32::MAX;
    facts.put(&far);
    facts.put(&far);
    assert_eq!((facts.len(), facts.get(u32::MAX)), (11, Some(far)));
    assert!(facts.bytes() < 64 << 20);
}

#[test]
fn a_block_has_no_moment_outside_its_span() {
    let facts = many(BLOCK as u32 + 5);
    let blocks: Vec<_> = facts.cases.blocks().collect();
    assert_eq!(blocks.len(), 2);
    assert_eq!(blocks[1].rows, BLOCK..BLOCK + 5);
    for block in &blocks {
        let at = moment(may(13, 9, 0));
        assert!(block.reported.meets(at, at + 1));
        assert!(!block.reported.meets(at + 1, u32::MAX) && !block.reported.meets(0, at));
        assert!(!block.closed.meets(0, NEVER), "none is closed");
    }
    let runs = facts.runs.blocks().map(|block| block.rows.len()).sum::<usize>();
    assert_eq!(runs, facts.runs.case.len());
}

#[test]
fn a_redrawn_grid_leaves_old_cases_on_their_old_path() {
    let mut facts = many(2);
    let mut moved = facts.get(2).unwrap();
    let deepest = moved.area.deepest().cloned();
    moved.area.0[1] = Some("V2".parse().unwrap());
    facts.put(&moved);
    assert_eq!(moved.area.deepest().cloned(), deepest);
    assert_eq!(facts.areas.codes().len(), 2);
    assert_ne!(facts.get(1).unwrap().area, facts.get(2).unwrap().area);
}

#[test]
fn a_file_gives_back_what_was_written_and_a_bad_one_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("facts");
    let mut facts = many(5_000);
    let mut moved = facts.get(2).unwrap();
    moved.area.0[1] = Some("V2".parse().unwrap());
    facts.put(&moved);
    let read = LogPlace::from([("a".to_owned(), 7)]);
    let mut bytes = Vec::new();
    let written = facts.save(&mut bytes, "here/1", &read).unwrap();
    assert_eq!(written, bytes.len() as u64);
    fs::write(&path, &bytes).unwrap();
    let (again, place) = Facts::load(&path, "here/1").unwrap();
    assert_eq!(place, read);
    assert_eq!(again.len(), facts.len());
    for number in 1..=5_000 {
        assert_eq!(again.get(number), facts.get(number));
    }
    assert_eq!(again.live_runs(), facts.live_runs());
    assert!(matches!(
        Facts::load(&path, "there/1"),
        Err(SnapshotError::Unusable(_))
    ));
    for cut in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert!(
            matches!(Facts::load(&path, "here/1"), Err(SnapshotError::Unusable(_))),
            "cut at {cut}"
        );
    }
    for place in (8..bytes.len()).step_by(bytes.len() / 97) {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1;
        fs::write(&path, &damaged).unwrap();
        assert!(Facts::load(&path, "here/1").is_err(), "damaged at {place}");
    }
}

proptest! {
    /// Put event after event, by whatever path, facts are what the whole logs come to; and what the case itself says.
    #[test]
    fn facts_kept_in_step_are_those_made_anew(
        tales in prop::collection::vec((any_report(), any_steps(30)), 1..4),
        skips in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let stations = stations();
        let mut kept = Facts::new();
        let tales: Vec<Tale<'_>> = tales.iter().filter_map(|(report, steps)| tale_of(report, steps)).collect();
        let longest = tales.iter().map(|tale| tale.log.len()).max().unwrap_or(0);
        // All at once, an event at a time, some of them left out as a late follower does.
        for length in 1..=longest {
            for (number, tale) in (1..).zip(&tales) {
                let is_last = length == tale.log.len();
                if length > tale.log.len() || (skips[length % skips.len()] && !is_last) {
                    continue;
                }
                let fact = fold(CaseNumber(number), &tale.log[..length], &stations).unwrap();
                kept.put(&fact);
                prop_assert_eq!(kept.get(number as u32), Some(fact));
            }
        }
        let mut anew = Facts::new();
        for (number, tale) in (1..).zip(&tales) {
            let fact = fold(CaseNumber(number), &tale.log, &stations).unwrap();
            anew.put(&fact);
            prop_assert_eq!(kept.get(number as u32), anew.get(number as u32));
            agrees(&fact, &tale.case, tale)?;
        }
        prop_assert_eq!(kept.len(), anew.len());
        prop_assert_eq!(kept.live_runs(), anew.live_runs());
    }
}

/// What a fact and its case both know.
fn agrees(fact: &Fact, case: &Case, tale: &Tale<'_>) -> Result<(), TestCaseError> {
    let row = &fact.row;
    prop_assert_eq!(row.closed == NEVER, case.times.closed_at.is_none());
    prop_assert_eq!(row.reported, moment(case.times.reported_at));
    for (run, unit) in &fact.runs {
        let is_live = run.ended == Ended::Running as u8 || run.ended == Ended::Standing as u8;
        prop_assert_eq!(is_live, run.stopped == NEVER);
        prop_assert!(is_live || run.started <= run.stopped, "{:?}", run);
        prop_assert!(
            case.state.is_undecided() || !is_live,
            "{:?} of a closed case",
            run
        );
        prop_assert!(
            unit.is_some() || run.kind == 0 || row.flags & flag::ON_THE_SPOT != 0,
            "{:?} of nobody",
            run
        );
    }
    // The last run of each kind is the clock of the case.
    for clock in case.clocks.all() {
        let run = run_of(fact, clock.kind);
        prop_assert_eq!(run.started, moment(clock.started_at));
        prop_assert_eq!(run.due, moment(clock.due_at));
        prop_assert_eq!(
            run.ended == Ended::Running as u8,
            clock.is_running(),
            "{:?} {:?}",
            run,
            clock
        );
        prop_assert_eq!(
            run.ended == Ended::Standing as u8,
            clock.is_paused(),
            "{:?} {:?}",
            run,
            clock
        );
        if clock.stopped_at.is_some() {
            prop_assert_eq!(
                run.stopped > run.due,
                clock.is_overdue(tale.now),
                "{:?} {:?}",
                run,
                clock
            );
        }
    }
    let joint = tale
        .log
        .iter()
        .any(|event| matches!(event.body, Body::JointAssigned { .. }));
    prop_assert_eq!(row.flags & flag::JOINT != 0, joint);
    Ok(())
}
