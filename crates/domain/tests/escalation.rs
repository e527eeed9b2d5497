//! Clocks that act: when the steps of a ladder are due, that each is taken once and in order, and who is told.

mod village;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use village::{Tale, VILLAGE, matter, may, post, settings, village_with};
use whistle_domain::{
    calendar::{Calendar, CalendarRules},
    case::{Actor, Body, Outcome},
    clock::{Clock, ClockKind, Pause},
    command::Act,
    escalation::{Ladder, Mark, Rung, Tier, To},
    limit::{Limit, LimitUnit},
    words::UnitCode,
};

/// A matter that its unit has, from nine o'clock on.
fn assigned(service: &str) -> Tale<'static> {
    let mut tale = Tale::of(&VILLAGE, &matter(service), &post("calls"));
    if service == "pothole" {
        tale.does("dispatcher", Act::Accept { standard: None });
        tale.does("dispatcher", Act::Assign { unit: None });
    }
    tale
}

fn clock_of(limit: &str, start: Timestamp, pauses: &[(Timestamp, Timestamp)]) -> Clock {
    let limit = limit.parse().unwrap();
    let mut clock = Clock::started(ClockKind::Resolve, limit, start, start);
    clock.pauses = pauses
        .iter()
        .map(|&(from, to)| Pause { from, to: Some(to) })
        .collect();
    clock
}

fn ladder_of(marks: &[&str]) -> Ladder {
    let rung = |at: &&str| Rung {
        clock: ClockKind::Resolve,
        at: at.parse().unwrap(),
        to: To::UnitLead,
    };
    Ladder {
        code: "test".parse().unwrap(),
        rungs: marks.iter().map(rung).collect(),
    }
}

fn times(clock: &Clock, marks: &[&str]) -> Vec<Timestamp> {
    let ladder = ladder_of(marks);
    let times = ladder.times(clock, &VILLAGE.calendar).map(|(_, at)| at);
    times.collect()
}

#[test]
fn a_share_counts_in_the_clocks_own_kind_of_time() {
    let from = may(13, 11, 0);
    let of = |limit, mark| times(&clock_of(limit, from, &[]), &[mark])[0];
    assert_eq!(of("4h working", "50%"), may(13, 15, 0), "lunch is left out");
    assert_eq!(of("4h running", "50%"), may(13, 13, 0));
    assert_eq!(of("2d calendar", "75%"), may(14, 23, 0));
    assert_eq!(of("4h working", "overdue"), may(13, 17, 0));
    assert_eq!(of("4h working", "200%"), may(14, 11, 0), "the limit once more");
    assert_eq!(of("4h working", "overdue + 2h running"), may(13, 19, 0));
    assert_eq!(of("4h working", "overdue + 1d working"), may(14, 18, 0));
}

#[test]
fn a_part_of_a_working_day_is_that_part_of_its_working_time() {
    let from = may(12, 11, 0);
    let of = |limit, mark| times(&clock_of(limit, from, &[]), &[mark])[0];
    assert_eq!(of("1d working", "50%"), may(13, 12, 0));
    assert_eq!(of("1d working", "overdue"), may(13, 18, 0));
    assert_eq!(of("2d working", "75%"), may(14, 12, 0));
    assert_eq!(of("2d working", "50%"), may(13, 18, 0), "the close of the first");
    assert_eq!(of("2d working", "150%"), may(16, 18, 0), "after the holiday");
}

#[test]
fn a_pause_moves_what_is_still_to_come() {
    let paused = [(may(13, 15, 0), may(14, 9, 0))];
    let clock = clock_of("4h working", may(13, 11, 0), &paused);
    let marks = ["25%", "75%", "overdue", "overdue + 1h running"];
    assert_eq!(
        times(&clock, &marks),
        [may(13, 12, 0), may(14, 10, 0), may(14, 11, 0), may(14, 12, 0)]
    );
}

#[test]
fn no_rung_is_reached_before_the_one_below_it() {
    let clock = clock_of("4h working", may(13, 9, 0), &[]);
    let marks = ["overdue + 3d calendar", "200%"];
    let reached = times(&clock, &marks);
    assert_eq!(reached[0], reached[1]);
}

fn escalations(tale: &Tale<'_>) -> Vec<(ClockKind, u8, Timestamp, Tier, Option<String>)> {
    let of = |body: &Body| match body {
        Body::Escalated {
            clock,
            step,
            due_at,
            level,
            unit,
            post,
            ..
        } => {
            let told = post.as_ref().map(ToString::to_string);
            let told = told.or_else(|| unit.as_ref().map(ToString::to_string));
            Some((*clock, *step, *due_at, *level, told))
        }
        _ => None,
    };
    tale.log.iter().filter_map(|event| of(&event.body)).collect()
}

/// Takes all steps that are due, one by one.
fn drain(tale: &mut Tale<'_>) {
    for _ in 0..200 {
        if tale.tries(&Actor::System, &Act::Escalate, "").unwrap() == 0 {
            return;
        }
    }
    panic!("it never ends: {:?}", tale.words());
}

#[test]
fn the_steps_of_a_lamp_climb_from_the_unit_to_the_city() {
    use ClockKind::Resolve;
    let mut tale = Tale::resident("lamp");
    tale.does("lights-handler", Act::ReportIn);
    tale.at(may(31, 0, 0));
    drain(&mut tale);
    let town = |tier, unit: &str| (tier, Some(unit.to_owned()));
    let told: Vec<_> = escalations(&tale)
        .into_iter()
        .map(|e| (e.0, e.1, e.2, (e.3, e.4)))
        .collect();
    assert_eq!(
        told,
        [
            (Resolve, 1, may(16, 12, 0), town(Tier::Unit, "lights")),
            (Resolve, 2, may(18, 18, 0), town(Tier::ParentUnit, "S-V11")),
            (Resolve, 3, may(18, 20, 0), town(Tier::Unit, "roads")),
            (Resolve, 4, may(20, 12, 0), town(Tier::Community, "S-V11")),
            (Resolve, 5, may(20, 18, 0), town(Tier::Town, "S-V1")),
            (Resolve, 6, may(26, 18, 0), town(Tier::City, "city-lead")),
        ]
    );
    assert_eq!(tale.case.flags.escalated, Some(Tier::City));
    assert_eq!(tale.case.clocks.next_step(), None);
    assert_eq!(tale.clock(Resolve).steps_fired, 6);
}

#[test]
fn a_case_without_a_unit_is_told_to_the_station_that_answers() {
    let new = whistle_domain::command::NewReport {
        whereabouts: whistle_domain::command::Whereabouts {
            area: Some("V2".parse().unwrap()),
            ..Default::default()
        },
        ..matter("pothole")
    };
    let mut tale = Tale::of(&VILLAGE, &new, &Actor::Public);
    tale.at(may(14, 0, 0));
    drain(&mut tale);
    let told: Vec<_> = escalations(&tale)
        .into_iter()
        .map(|e| (e.2, e.3, e.4.unwrap()))
        .collect();
    assert_eq!(
        told,
        [
            (may(13, 10, 36), Tier::Unit, "S-V2".to_owned()),
            (may(13, 11, 0), Tier::Unit, "S-V2".to_owned()),
            (may(13, 15, 0), Tier::Town, "S-V2".to_owned()),
            (may(13, 17, 0), Tier::City, "S-V".to_owned()),
        ]
    );
}

#[test]
fn a_standard_with_no_ladder_tells_nobody() {
    let mut tale = Tale::resident("litter");
    tale.at(may(31, 0, 0));
    drain(&mut tale);
    assert_eq!(escalations(&tale), []);
}

#[test]
fn an_extension_moves_the_steps_that_were_not_taken() {
    let mut tale = assigned("pothole");
    tale.does("roads-handler", Act::ReportIn);
    assert_eq!(tale.clock(ClockKind::Resolve).step_at, Some(may(13, 14, 12)));
    tale.at(may(13, 14, 0)).does("dispatcher", Act::Extend);
    let step_at = tale.clock(ClockKind::Resolve).step_at;
    assert_eq!(step_at, Some(may(13, 17, 24)), "80 % of eight working hours");
    tale.at(may(13, 16, 0));
    drain(&mut tale);
    assert_eq!(escalations(&tale), [], "what was due before is not any more");
    tale.at(may(13, 17, 24));
    drain(&mut tale);
    assert_eq!(escalations(&tale).len(), 1);
}

#[test]
fn a_parked_clock_takes_no_step_and_one_that_is_stopped_neither() {
    let mut tale = assigned("pothole");
    let until = jiff::civil::date(2026, 5, 20);
    tale.does("dispatcher", Act::Park { until });
    assert_eq!(tale.case.clocks.next_step(), None);
    tale.at(may(19, 0, 0));
    drain(&mut tale);
    tale.at(may(20, 0, 0)).does("dispatcher", Act::Resume);
    assert_eq!(escalations(&tale), []);
    assert_eq!(tale.clock(ClockKind::Resolve).step_at, Some(may(20, 11, 12)));
    tale.does("roads-handler", Act::ReportIn).does(
        "roads-handler",
        Act::Handle {
            outcome: Outcome::Resolved,
        },
    );
    tale.does("dispatcher", Act::Verify).at(may(31, 0, 0));
    assert_eq!(tale.case.clocks.next_step(), None);
}

/// A lamp at which the lights department is, while the roads department has a part in it, from nine o'clock on.
fn with_a_part_of_roads(service: &str, limit: &str) -> Tale<'static> {
    let mut tale = assigned(service);
    let (lead, unit) = match service {
        "lamp" => ("lights-handler", "roads"),
        _ => ("roads-handler", "cleaners"),
    };
    tale.does(lead, Act::ReportIn);
    let act = Act::AssignJoint {
        unit: unit.parse().unwrap(),
        limit: Some(limit.parse().unwrap()),
    };
    tale.does("dispatcher", act);
    tale
}

/// The steps of the part, and who was told.
fn of_the_part(tale: &Tale<'_>) -> Vec<(u8, Timestamp, Tier, Option<String>)> {
    let of = |body: &Body| match body {
        Body::Escalated {
            part: Some(part),
            clock,
            step,
            due_at,
            level,
            unit,
            ..
        } => {
            assert_eq!((part, *clock), (&tale.case.joint[0].unit, ClockKind::Joint));
            Some((*step, *due_at, *level, unit.as_ref().map(ToString::to_string)))
        }
        _ => None,
    };
    tale.log.iter().filter_map(|event| of(&event.body)).collect()
}

#[test]
fn the_steps_of_a_part_climb_from_its_own_unit_over_the_town_to_the_city() {
    let mut tale = with_a_part_of_roads("pothole", "2h working");
    assert_eq!(tale.case.joint[0].due_at, Some(may(13, 11, 0)));
    tale.at(may(14, 0, 0));
    drain(&mut tale);
    let told = |unit: &str| Some(unit.to_owned());
    assert_eq!(
        of_the_part(&tale),
        [
            (1, may(13, 10, 36), Tier::Unit, told("cleaners")),
            (2, may(13, 11, 0), Tier::Unit, told("cleaners")),
            (3, may(13, 15, 0), Tier::Town, told("S-V1")),
            (4, may(13, 17, 0), Tier::City, told("S-V")),
        ]
    );
    assert_eq!(tale.case.flags.escalated, Some(Tier::City));
    assert!(tale.case.joint[0].is_overdue(tale.now));
    assert_eq!(
        tale.clock(ClockKind::Resolve).steps_fired,
        2,
        "the whole climbs for itself"
    );
}

#[test]
fn a_ladder_that_says_nothing_of_parts_has_for_them_what_it_has_for_the_work() {
    let mut tale = with_a_part_of_roads("lamp", "4h working");
    tale.at(may(14, 0, 0));
    drain(&mut tale);
    let told = |unit: &str| Some(unit.to_owned());
    assert_eq!(
        of_the_part(&tale),
        [
            (1, may(13, 11, 0), Tier::Unit, told("roads")),
            (2, may(13, 15, 0), Tier::ParentUnit, told("S-V11")),
            (3, may(13, 17, 0), Tier::Unit, told("roads")),
            (4, may(13, 17, 0), Tier::Community, told("S-V11")),
        ]
    );
}

#[test]
fn a_part_stands_with_the_case_and_is_extended_with_it() {
    let mut tale = with_a_part_of_roads("pothole", "2h working");
    tale.at(may(13, 10, 0)).does("dispatcher", Act::Extend);
    let clock = |tale: &Tale<'_>| tale.case.joint[0].clock().unwrap().clone();
    assert_eq!(
        clock(&tale).due_at,
        may(13, 15, 0),
        "two hours more, lunch left out"
    );
    let until = jiff::civil::date(2026, 5, 18);
    tale.at(may(13, 11, 0)).does("dispatcher", Act::Park { until });
    assert!(clock(&tale).is_paused());
    tale.at(may(17, 0, 0));
    drain(&mut tale);
    assert_eq!(of_the_part(&tale), []);
    tale.at(may(18, 9, 0)).does("dispatcher", Act::Resume);
    assert_eq!(
        clock(&tale).due_at,
        may(18, 11, 0),
        "two of its four hours were left"
    );
    tale.at(may(18, 10, 0)).does("cleaners-handler", Act::HandleJoint);
    assert!(!tale.case.joint[0].is_overdue(may(31, 0, 0)));
    assert_eq!(clock(&tale).step_at, None);
}

#[test]
fn a_part_waits_with_the_lead_for_the_papers_of_a_reporter() {
    let mut tale = with_a_part_of_roads("pothole", "2h working");
    let ask = Act::Ask {
        of: whistle_domain::case::Respondent::Reporter { report: 1 },
        choices: vec![],
        until: jiff::civil::date(2026, 5, 18),
        reachable: true,
    };
    tale.at(may(13, 10, 0)).does("dispatcher", ask);
    assert!(tale.case.joint[0].clock().unwrap().is_paused());
    // One that gets its part now waits too.
    let act = Act::AssignJoint {
        unit: "lights".parse().unwrap(),
        limit: Some("1h working".parse().unwrap()),
    };
    tale.does("dispatcher", act);
    assert!(tale.case.joint[1].clock().unwrap().is_paused());
    tale.at(may(14, 9, 0)).reporter_does(Act::Answer { choice: None });
    let due: Vec<_> = tale.case.joint.iter().map(|part| part.due_at.unwrap()).collect();
    assert_eq!(due, [may(14, 10, 0), may(14, 10, 0)]);
}

#[test]
fn an_overdue_part_is_not_extended_with_the_case() {
    let mut tale = with_a_part_of_roads("pothole", "1h working");
    tale.at(may(13, 10, 30)).does("dispatcher", Act::Extend);
    let clock = tale.case.joint[0].clock().unwrap();
    assert_eq!((clock.due_at, clock.extensions), (may(13, 10, 0), 0));
    assert_eq!(tale.clock(ClockKind::Resolve).extensions, 1);
}

#[test]
fn a_step_that_another_calendar_puts_off_is_noted_and_not_taken() {
    let shut = village_with(|parts| {
        let mut rules = CalendarRules::office_week("Asia/Shanghai");
        rules.holidays = vec![whistle_domain::calendar::Holiday {
            date: jiff::civil::date(2026, 5, 13),
            name: Default::default(),
        }];
        parts.calendar = Calendar::new(rules).unwrap();
    });
    let mut before = assigned("pothole");
    before.does("roads-handler", Act::ReportIn);
    let mut tale = Tale {
        place: &shut,
        case: before.case.clone(),
        log: before.log.clone(),
        now: may(13, 16, 0),
        chance: 0.5,
    };
    drain(&mut tale);
    assert_eq!(escalations(&tale), []);
    assert_eq!(tale.clock(ClockKind::Resolve).step_at, Some(may(14, 11, 12)));
    assert_eq!(tale.words().last(), Some(&"reckoned"));
}

#[test]
fn an_assignment_is_signed_by_signing_or_by_being_there() {
    let mut tale = assigned("rats");
    let signing = tale.clock(ClockKind::Sign).clone();
    assert_eq!((signing.due_at, signing.is_running()), (may(13, 11, 0), true));
    assert_eq!(tale.refused(&post("roads-lead"), Act::Sign), "not_allowed");
    tale.after(20).does("west-lead", Act::Sign);
    assert_eq!(tale.case.times.signed_at, Some(tale.now));
    assert!(tale.clock(ClockKind::Sign).stopped_at.is_some());
    assert_eq!(tale.refused(&post("west-lead"), Act::Sign), "missing");
    tale.after(20).does("west-lead", Act::ReportIn);
    assert_eq!(tale.case.times.signed_at, Some(may(13, 9, 20)));

    let mut tale = assigned("rats");
    tale.after(30).does("west-lead", Act::ReportIn);
    assert_eq!(tale.case.times.signed_at, Some(tale.now));
    assert!(tale.clock(ClockKind::Sign).stopped_at.is_some());
}

#[test]
fn every_assignment_has_a_sign_clock_where_the_settings_say_so() {
    let signing = village_with(|parts| {
        parts.jurisdiction.settings = whistle_domain::place::Settings {
            sign: Some("1h working".parse().unwrap()),
            ..settings()
        };
    });
    let mut tale = Tale::of(&signing, &matter("pothole"), &Actor::Public);
    tale.does("dispatcher", Act::Accept { standard: None });
    tale.does("dispatcher", Act::Assign { unit: None });
    assert_eq!(tale.clock(ClockKind::Sign).due_at, may(13, 10, 0));
    tale.does("roads-handler", Act::Sign);
    tale.does(
        "dispatcher",
        Act::Assign {
            unit: Some("lights".parse().unwrap()),
        },
    );
    assert_eq!(tale.case.times.signed_at, None, "the next unit has not seen it");
    assert!(tale.clock(ClockKind::Sign).is_running());
}

#[test]
fn another_service_has_another_ladder() {
    let by_hand = village_with(|parts| parts.jurisdiction.settings.straight_through = false);
    let mut tale = Tale::of(&by_hand, &matter("pothole"), &Actor::Public);
    assert_eq!(tale.clock(ClockKind::Triage).step_at, Some(may(13, 10, 36)));
    let service = "lamp".parse().unwrap();
    tale.does("dispatcher", Act::Reclassify { service });
    assert_eq!(tale.clock(ClockKind::Triage).step_at, Some(may(13, 10, 0)));
}

#[test]
fn a_request_to_reopen_that_nobody_looks_at_is_told_to_the_station_and_further_up() {
    let mut tale = assigned("pothole");
    let outcome = Outcome::Resolved;
    tale.does("roads-handler", Act::ReportIn)
        .does("roads-handler", Act::Handle { outcome })
        .does("dispatcher", Act::Verify);
    assert_eq!(tale.case.next_step_at(), None);
    tale.reporter_does(Act::RequestReopen).at(may(14, 0, 0));
    drain(&mut tale);
    let told: Vec<_> = escalations(&tale)
        .into_iter()
        .map(|e| (e.0, e.2, e.4.unwrap()))
        .collect();
    let station = |at, unit: &str| (ClockKind::Triage, at, unit.to_owned());
    assert_eq!(
        told,
        [
            station(may(13, 10, 36), "S-V11"),
            station(may(13, 11, 0), "S-V11"),
            station(may(13, 15, 0), "S-V1"),
            station(may(13, 17, 0), "S-V"),
        ]
    );
}

#[test]
fn who_accepts_by_another_standard_sets_the_ladder_of_that_one() {
    let steep = village_with(|parts| {
        parts.standards[1].ladder = Some("steep".parse().unwrap());
        assert_eq!(parts.standards[1].code.as_str(), "P2");
    });
    let mut tale = Tale::of(&steep, &matter("pothole"), &Actor::Public);
    assert_eq!(
        tale.clock(ClockKind::Triage).step_at,
        Some(may(13, 10, 36)),
        "80 %"
    );
    let standard = Some("P2".parse().unwrap());
    tale.does("dispatcher", Act::Accept { standard });
    assert_eq!(
        tale.clock(ClockKind::Triage).step_at,
        Some(may(13, 10, 0)),
        "50 %"
    );
}

/// When a share of a limit of hours has passed, minute by minute: another way to the same time.
fn walked(start: Timestamp, limit: Limit, hundredths: u32, pauses: &[(Timestamp, Timestamp)]) -> Timestamp {
    let minute = SignedDuration::from_mins(1);
    let mut left = limit.amount() * hundredths;
    let mut at = start;
    loop {
        let stands = pauses.iter().any(|(from, to)| (*from..*to).contains(&at));
        let counts = limit.unit() == LimitUnit::RunningHours || VILLAGE.calendar.is_working(at);
        at += minute;
        if counts && !stands {
            left = left.saturating_sub(100);
            if left == 0 {
                return at;
            }
        }
    }
}

fn any_pauses() -> impl Strategy<Value = Vec<(Timestamp, Timestamp)>> {
    let pause = (0_i64..6_000, 1_i64..2_000).prop_map(|(from, length)| {
        let from = may(13, 9, 0) + SignedDuration::from_mins(from);
        (from, from + SignedDuration::from_mins(length))
    });
    prop::collection::vec(pause, 0..3)
}

fn any_limit() -> impl Strategy<Value = Limit> {
    (1_u32..40, prop::sample::select(&LimitUnit::ALL[..])).prop_map(|(amount, unit)| {
        let amount = if unit.counts_days() {
            amount / 4 + 1
        } else {
            amount * 20
        };
        Limit::new(amount, unit).unwrap()
    })
}

proptest! {
    #[test]
    fn a_share_of_hours_is_what_a_walk_through_the_minutes_finds(
        amount in 1_u32..30, working in any::<bool>(), fifths in 1_u32..12,
        start in 0_i64..3_000, pauses in any_pauses(),
    ) {
        let unit = if working { LimitUnit::WorkingHours } else { LimitUnit::RunningHours };
        // Whole minutes, so that the walk meets the time.
        let limit = Limit::new(amount * 5, unit).unwrap();
        let start = may(13, 9, 0) + SignedDuration::from_mins(start);
        let reached = VILLAGE.calendar.share_with_pauses(start, limit, fifths * 20, &pauses);
        prop_assert_eq!(reached, walked(start, limit, fifths * 20, &pauses));
    }

    #[test]
    fn shares_come_in_order_and_a_hundred_are_the_whole(
        limit in any_limit(), start in 0_i64..20_000, pauses in any_pauses(),
        one in 1_u32..400, more in 0_u32..300,
    ) {
        let calendar = &VILLAGE.calendar;
        let start = may(1, 0, 0) + SignedDuration::from_mins(start);
        let share = |hundredths| calendar.share_with_pauses(start, limit, hundredths, &pauses);
        prop_assert!(start <= share(one) && share(one) <= share(one + more));
        prop_assert_eq!(share(100), calendar.due_with_pauses(start, limit, &pauses));
        let later = start + SignedDuration::from_mins(7);
        prop_assert!(calendar.share_with_pauses(later, limit, one, &pauses) >= share(one));
        prop_assert!(share(one) >= calendar.share_with_pauses(start, limit, one, &[]));
    }

    #[test]
    fn each_step_is_taken_once_and_in_order_whatever_happens(
        service in prop::sample::select(vec!["pothole", "lamp", "rats"]),
        acts in prop::collection::vec((0_usize..12, 0_i64..4_000, any::<bool>()), 1..25),
    ) {
        let mut tale = assigned(service);
        let anybody = [
            "dispatcher", "city-lead", "west-lead", "roads-handler", "lights-handler", "cleaners-handler", "mill-patrol",
        ];
        for (nth, minutes, looks) in acts {
            tale.after(minutes);
            let until = VILLAGE.calendar.zone().to_datetime(tale.now).date().tomorrow().unwrap();
            let act = [
                Act::Sign, Act::ReportIn, Act::Extend, Act::Park { until }, Act::Resume, Act::Reckon,
                Act::Handle { outcome: Outcome::Resolved }, Act::Rework, Act::Assign { unit: None },
                Act::AssignJoint {
                    unit: "cleaners".parse().unwrap(),
                    limit: Some("6h working".parse().unwrap()),
                },
                Act::HandleJoint, Act::ReleaseJoint { unit: "cleaners".parse().unwrap() },
            ][nth].clone();
            for by in anybody.map(post).into_iter().chain([Actor::System]) {
                if tale.tries(&by, &act, "because").is_ok() {
                    break;
                }
            }
            if looks && tale.case.state.is_open() {
                drain(&mut tale);
                let next = tale.case.next_step_at();
                prop_assert!(next.is_none_or(|at| at > tale.now));
            }
        }
        // Since each start of a clock its steps are 1, 2, 3, …, in the order of their times, and none before its time.
        let mut taken = std::collections::HashMap::<(ClockKind, Option<UnitCode>), (u8, Timestamp)>::new();
        for event in &tale.log {
            let whole = event.clocks.iter().map(|change| (None, change));
            let parts = event.parts.iter().map(|part| (Some(part.unit.clone()), &part.change));
            for (part, change) in whole.chain(parts) {
                if let whistle_domain::clock::ClockChange::Start { kind, .. } = change {
                    taken.insert((*kind, part), (0, event.at));
                }
            }
            if let Body::Escalated { clock, part, step, due_at, .. } = &event.body {
                let last = taken[&(*clock, part.clone())];
                prop_assert_eq!(*step, last.0 + 1);
                prop_assert!(*due_at >= last.1 && *due_at <= event.at, "{:?}", event);
                taken.insert((*clock, part.clone()), (*step, *due_at));
            }
        }
    }
}

#[test]
fn marks_and_tiers_are_written_as_they_are_read() {
    for mark in [
        Mark::Share(80),
        Mark::Share(100),
        Mark::Overdue("1d working".parse().unwrap()),
    ] {
        let json = serde_json::to_string(&mark).unwrap();
        assert_eq!(serde_json::from_str::<Mark>(&json).unwrap(), mark);
    }
    for tier in Tier::ALL {
        assert_eq!(serde_json::to_value(tier).unwrap(), tier.as_str());
    }
    assert!(Tier::ALL.is_sorted(), "the highest is the greatest");
}
