//! Lists of cases show what a plain look through all cases shows, in the same order, whichever way they are found.

use std::{cmp::Reverse, path::Path};

use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use whistle_domain::{
    case::{Actor, Case, Channel, Stage},
    command::{Act, NewReport, Whereabouts},
    geometry::BBox,
    words::CaseNumber,
};
use whistle_service::{
    Here, Whistle,
    case::With,
    demo::DemoOptions,
    list::{Order, Page, Query, Viewer},
    time::{Chance, Clock},
};
use whistle_store::{Store, case as stored};

const NOW: &str = "2026-11-01T03:00:00Z";

struct Fixed(Timestamp);

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        self.0
    }
}

fn open(dir: &Path) -> Whistle {
    let clock = Box::new(Fixed(NOW.parse().unwrap()));
    Whistle::open_with(dir, clock, Chance::from_seed(1)).unwrap()
}

/// A village with a history of some cases, a part of them open.
fn village(cases: u64) -> (TempDir, Whistle, Here) {
    let dir = TempDir::new().unwrap();
    let whistle = open(dir.path());
    whistle
        .apply(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"))
        .unwrap();
    let here = whistle.places().all()[0].clone();
    let to: Timestamp = NOW.parse().unwrap();
    let options = DemoOptions {
        cases,
        seed: 7,
        from: Some(to - SignedDuration::from_hours(24 * 30)),
        to,
    };
    whistle.make_demo(&here, options, |_| {}).unwrap();
    (dir, whistle, here)
}

fn all_cases(dir: &Path, here: &Here) -> Vec<Case> {
    let store = Store::open(dir, Timestamp::UNIX_EPOCH).unwrap();
    let mut cases = Vec::new();
    store
        .read_blocking(|conn| {
            stored::each(conn, here.id, |case| {
                cases.push(case);
                Ok(())
            })
        })
        .unwrap();
    cases
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Runtime::new().unwrap().block_on(future)
}

fn cases_of(whistle: &Whistle, here: &Here, query: &Query) -> Page<Case> {
    wait(whistle.cases(here, query, Viewer::Public)).unwrap()
}

/// Every page of a list, one after the other.
fn every_page(whistle: &Whistle, here: &Here, mut query: Query) -> Vec<CaseNumber> {
    let mut found = Vec::new();
    loop {
        let page = cases_of(whistle, here, &query);
        assert!(page.items.len() <= query.limit);
        found.extend(page.items.iter().map(|case| case.number));
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

/// What the list must show.
fn looked_through(cases: &[Case], query: &Query) -> Vec<CaseNumber> {
    let due = |case: &Case| {
        case.clocks
            .next_due()
            .map_or(i64::MAX, |clock| clock.due_at.as_microsecond())
    };
    let mut fit: Vec<&Case> = cases
        .iter()
        .filter(|case| case.public)
        .filter(|case| {
            let wants_open = if query.order == Order::Due {
                Some(true)
            } else {
                query.open
            };
            wants_open.is_none_or(|open| case.state.is_open() == open)
        })
        .filter(|case| query.stages.is_empty() || query.stages.contains(&case.state.stage()))
        .filter(|case| query.lead.is_none() || case.lead == query.lead)
        .filter(|case| {
            let areas = &case.location.areas;
            query.area.as_ref().is_none_or(|area| areas.passes(area))
        })
        .filter(|case| query.services.is_empty() || query.services.contains(&case.service))
        .filter(|case| {
            query
                .bbox
                .is_none_or(|bbox| case.location.point.is_some_and(|point| bbox.contains(point)))
        })
        .collect();
    match query.order {
        Order::Newest => fit.sort_by_key(|case| Reverse((case.times.reported_at, case.number))),
        Order::Updated => fit.sort_by_key(|case| (case.times.updated_at, case.number)),
        Order::Due => fit.sort_by_key(|case| (due(case), case.number)),
    }
    fit.into_iter().map(|case| case.number).collect()
}

#[test]
fn every_list_shows_what_a_look_through_all_cases_shows() {
    let (dir, whistle, here) = village(400);
    let cases = all_cases(dir.path(), &here);
    let open = cases.iter().filter(|case| case.state.is_open()).count();
    assert!(open > 20 && open < cases.len(), "{open} open of {}", cases.len());
    let some = cases
        .iter()
        .find(|case| case.state.is_open() && case.lead.is_some() && case.location.point.is_some())
        .unwrap();
    let point = some.location.point.unwrap();
    let filters = [
        Query::default(),
        Query {
            stages: vec![Stage::Assigned, Stage::Handled],
            ..Query::default()
        },
        Query {
            lead: some.lead.clone(),
            ..Query::default()
        },
        Query {
            services: vec![some.service.clone()],
            ..Query::default()
        },
        Query {
            bbox: Some(BBox::around(point, 400.0)),
            ..Query::default()
        },
        Query {
            bbox: Some(BBox::around(point, 50_000.0)),
            ..Query::default()
        },
    ];
    let of_areas = some.location.areas.0.iter().flatten().map(|code| Query {
        area: Some(code.clone()),
        ..Query::default()
    });
    let mut looked_at = 0;
    for filter in filters.iter().cloned().chain(of_areas) {
        for order in [Order::Newest, Order::Updated, Order::Due] {
            for open in [None, Some(true), Some(false)] {
                if order == Order::Due && open == Some(false) {
                    continue;
                }
                let query = Query {
                    order,
                    open,
                    limit: 7,
                    ..filter.clone()
                };
                let listed = every_page(&whistle, &here, query.clone());
                assert_eq!(listed, looked_through(&cases, &query), "{query:?}");
                looked_at += listed.len();
            }
        }
    }
    assert!(looked_at > 2_000, "{looked_at}");
}

#[test]
fn a_list_skips_what_it_is_told_to() {
    let (dir, whistle, here) = village(120);
    let cases = all_cases(dir.path(), &here);
    let query = Query {
        open: Some(true),
        order: Order::Due,
        limit: 5,
        skip: 4,
        ..Query::default()
    };
    let page = cases_of(&whistle, &here, &query);
    let listed: Vec<_> = page.items.iter().map(|case| case.number).collect();
    assert_eq!(listed, looked_through(&cases, &query)[4..9]);
    // And says where that is, so that the next need not count.
    let query = Query {
        skip: 0,
        after: page.again,
        ..query
    };
    let again: Vec<_> = cases_of(&whistle, &here, &query)
        .items
        .iter()
        .map(|case| case.number)
        .collect();
    assert_eq!(again, listed);
}

#[test]
fn what_another_process_wrote_is_in_the_lists_after_the_next_round_of_duties() {
    let (dir, ours, here) = village(30);
    let theirs = open(dir.path());
    let point = here.place.areas.all()[0].shape.inside_point();
    let service = here
        .place
        .services()
        .iter()
        .find(|s| !s.is_group() && s.public && s.questions.is_empty())
        .unwrap();
    let report = NewReport {
        service: service.code.clone(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(point),
            ..Whereabouts::default()
        },
        description: "A lamp is out.".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let made = wait(theirs.report(&here, report, Actor::Public, With::default())).unwrap();
    ours.do_duties().unwrap();
    let query = Query {
        open: Some(true),
        limit: 1,
        ..Query::default()
    };
    let newest = || {
        let page = wait(ours.cases(&here, &query, Viewer::Public)).unwrap();
        page.items[0].number
    };
    assert_eq!(newest(), made.number);
    // And what is closed there is gone from the open ones here.
    let reporter = Actor::Reporter { report: 1 };
    let case = wait(theirs.case(&here, made.number)).unwrap();
    wait(theirs.act(
        &here,
        made.number,
        Some(case.version),
        Act::Withdraw,
        String::new(),
        reporter,
    ))
    .unwrap();
    ours.do_duties().unwrap();
    assert_ne!(newest(), made.number);
}

#[test]
fn only_a_commit_that_moves_a_case_into_a_list_or_out_of_one_is_counted_as_such() {
    let (_dir, whistle, here) = village(0);
    let report = NewReport {
        service: "RD-HOLE".parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(whistle_domain::geometry::Point::new(131.81, 46.21).unwrap()),
            ..Whereabouts::default()
        },
        description: "A hole".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let commits = || (whistle.load().commits_of_cases, whistle.load().commits_of_lists);
    let (cases, lists) = commits();
    let filed = wait(whistle.report(&here, report, Actor::Public, With::default())).unwrap();
    assert_eq!(commits(), (cases + 1, lists + 1));
    let desk = whistle_service::account::actor_of(here.place.post("CITY-D").unwrap(), 1);
    let act = |act| {
        let done = whistle.act(&here, filed.number, None, act, "so".to_owned(), desk.clone());
        wait(done).unwrap();
    };
    act(Act::Comment { public: true });
    assert_eq!(commits(), (cases + 2, lists + 1));
    act(Act::Show { public: false });
    assert_eq!(commits(), (cases + 3, lists + 2));
}

#[test]
fn cases_that_wait_until_a_date_are_listed_apart_from_those_that_do_not() {
    let (dir, whistle, here) = village(1_200);
    let cases = all_cases(dir.path(), &here);
    let waiting = |case: &&Case| case.public && case.flags.parked_until.is_some();
    assert!(cases.iter().filter(waiting).count() > 2, "some wait");
    for (order, open) in [
        (Order::Due, Some(true)),
        (Order::Newest, Some(true)),
        (Order::Newest, None),
    ] {
        for parked in [true, false] {
            let query = Query {
                order,
                open,
                parked: Some(parked),
                limit: 50,
                ..Query::default()
            };
            let plain = Query {
                parked: None,
                ..query.clone()
            };
            let mut wanted = every_page(&whistle, &here, plain);
            wanted.retain(|number| {
                let case = cases.iter().find(|case| case.number == *number).unwrap();
                case.flags.parked_until.is_some() == parked
            });
            assert_eq!(
                every_page(&whistle, &here, query),
                wanted,
                "{order:?} {open:?} {parked}"
            );
        }
    }
}
