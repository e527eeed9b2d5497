//! The lives that a case may lead, told as sentences.

mod village;

use jiff::{ToSpan, civil::date};
use village::{REPORTER, Tale, VILLAGE, matter, may, post, village_with};
use whistle_domain::{
    case::{
        Actor, Body, Channel, Outcome, Photo, PhotoKind, Rating, Respondent, Stage, State, SupervisionKind,
        Wish,
    },
    clock::ClockKind,
    command::{Act, Context, split},
    rights::may_see,
    words::CaseNumber,
};

const DONE: Act = Act::Handle {
    outcome: Outcome::Resolved,
};

fn to(unit: &str) -> Act {
    Act::Assign {
        unit: Some(unit.parse().unwrap()),
    }
}

fn not_ours(right: &str) -> Act {
    Act::Return {
        right_unit: right.parse().unwrap(),
    }
}

/// A lamp that the lights department has mended, and that awaits its verification.
fn mended_lamp() -> Tale<'static> {
    let mut tale = Tale::resident("lamp");
    tale.after(20).does("lights-handler", Act::ReportIn);
    tale.after(60).does("lights-handler", DONE);
    tale
}

/// A pothole that the roads department has mended.
fn mended_pothole() -> Tale<'static> {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", Act::Assign { unit: None })
        .does("roads-handler", Act::ReportIn)
        .after(30)
        .does("roads-handler", DONE);
    tale
}

fn closed_lamp() -> Tale<'static> {
    let mut tale = mended_lamp();
    tale.reporter_does(Act::Verify);
    tale
}

#[test]
fn an_unambiguous_report_goes_straight_through_to_its_unit() {
    let tale = Tale::resident("lamp");
    assert_eq!(tale.words(), ["reported", "accepted", "assigned"]);
    assert_eq!(tale.case.lead.as_ref().unwrap().as_str(), "lights");
    assert_eq!(tale.log[2].by, Actor::System);
    assert!(tale.clock(ClockKind::Triage).stopped_at.is_some());
    assert_eq!(tale.clock(ClockKind::ReportIn).due_at, may(13, 11, 0));
}

#[test]
fn a_service_with_two_standards_waits_for_a_person() {
    let tale = Tale::resident("pothole");
    assert_eq!(tale.words(), ["reported"]);
    assert_eq!(tale.clock(ClockKind::Triage).due_at, may(13, 11, 0));
}

#[test]
fn a_standard_that_staff_chose_goes_straight_through_with_its_own_limits() {
    let mut new = matter("pothole");
    new.standard = Some("P2".parse().unwrap());
    let tale = Tale::of(&VILLAGE, &new, &post("calls"));
    assert_eq!(tale.case.state, State::Assigned);
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(13, 11, 0));
    let refusal = Tale::told(&VILLAGE, &new, &Actor::Public, may(13, 9, 0), 0.5).err();
    assert_eq!(
        refusal.unwrap().word(),
        "may_not_name_standard",
        "a resident chooses no limits"
    );
}

#[test]
fn a_report_without_a_community_waits_for_a_person() {
    let mut new = matter("lamp");
    new.whereabouts.point = None;
    new.whereabouts.area = Some("V1".parse().unwrap());
    assert_eq!(Tale::of(&VILLAGE, &new, &Actor::Public).words(), ["reported"]);
}

#[test]
fn a_place_may_do_without_straight_through() {
    let place = village_with(|p| p.jurisdiction.settings.straight_through = false);
    assert_eq!(
        Tale::of(&place, &matter("lamp"), &Actor::Public).words(),
        ["reported"]
    );
}

#[test]
fn a_case_goes_from_report_to_a_verified_close() {
    let mut tale = mended_pothole();
    assert_eq!(tale.case.state, State::Handled(Outcome::Resolved));
    assert_eq!(tale.case.resolution, "because");
    tale.after(10).does("mill-patrol", Act::Verify);
    assert_eq!(tale.case.state, State::Closed(Outcome::Resolved));
    assert_eq!(tale.case.times.closed_at, Some(tale.now));
    assert_eq!(
        tale.words(),
        [
            "reported",
            "accepted",
            "assigned",
            "reported_in",
            "handled",
            "verified"
        ]
    );
}

#[test]
fn the_unit_that_fixed_it_cannot_verify_it() {
    let mut tale = mended_pothole();
    let Actor::Post { account, .. } = post("roads-handler") else {
        unreachable!()
    };
    let same_person_as_patrol = Actor::Post {
        post: "mill-patrol".parse().unwrap(),
        unit: "S-V11".parse().unwrap(),
        account,
    };
    for act in [Act::Verify, Act::Rework] {
        assert_eq!(
            tale.refused(&same_person_as_patrol, act.clone()),
            "fixer_cannot_verify"
        );
        assert_eq!(tale.refused(&post("roads-handler"), act), "not_allowed");
    }
    let mut tale = Tale::resident("litter");
    tale.chance = 0.05;
    tale.does("cleaners-handler", Act::ReportIn)
        .does("cleaners-handler", DONE);
    assert_eq!(
        tale.refused(&post("cleaners-patrol"), Act::Verify),
        "fixer_cannot_verify"
    );
}

#[test]
fn a_fixer_who_reported_it_cannot_verify_it_by_the_pick_up_code() {
    let handler = post("roads-handler");
    for (channel, verifies) in [(Channel::Patrol, false), (Channel::Web, false)] {
        let mut new = matter("pothole");
        new.channel = channel;
        let mut tale = Tale::of(&VILLAGE, &new, &handler);
        tale.does("dispatcher", Act::Accept { standard: None })
            .does("dispatcher", to("roads"))
            .does("roads-handler", Act::ReportIn)
            .does("roads-handler", DONE);
        assert_eq!(tale.tries(&REPORTER, &Act::Verify, "").is_ok(), verifies);
        let rate = Act::Rate { rating: Rating::Good };
        tale.does("dispatcher", Act::Verify);
        assert_eq!(tale.refused(&REPORTER, rate), "fixer_cannot_verify");
    }
}

#[test]
fn a_caller_may_verify_what_the_call_takers_own_station_fixed() {
    let mut new = matter("pothole");
    new.channel = Channel::Phone;
    let mut tale = Tale::of(&VILLAGE, &new, &post("mill-patrol"));
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("S-V11"))
        .does("mill-handler", Act::ReportIn)
        .does("mill-handler", DONE)
        .reporter_does(Act::Verify);
}

#[test]
fn the_reporter_is_asked_first_where_the_standard_says_so() {
    let mut tale = mended_lamp();
    assert_eq!(tale.refused(&post("dispatcher"), Act::Verify), "missing");
    assert!(
        mended_lamp()
            .tries(&post("dispatcher"), &Act::Rework, "dark")
            .is_ok()
    );
    tale.after(24 * 60 + 1).does("dispatcher", Act::Verify);
    let mut tale = mended_lamp();
    tale.reporter_does(Act::Verify);
}

#[test]
fn a_returned_case_names_the_right_unit_and_is_assigned_again() {
    let mut tale = Tale::resident("lamp");
    assert_eq!(
        tale.refused(&post("lights-handler"), not_ours("lights")),
        "missing"
    );
    assert_eq!(
        tale.refused(&post("lights-handler"), not_ours("nobody")),
        "unknown_unit"
    );
    tale.after(30).does("lights-handler", not_ours("roads"));
    assert_eq!(tale.case.state, State::Accepted);
    assert_eq!(tale.case.right_unit.as_ref().unwrap().as_str(), "roads");
    assert_eq!(tale.case.lead, None);
    assert_eq!(tale.clock(ClockKind::Triage).started_at, tale.now);
    tale.after(30).does("west-dispatcher", to("roads"));
    assert_eq!(tale.clock(ClockKind::Resolve).started_at, tale.now);
}

#[test]
fn a_returned_case_cannot_be_pushed_on_by_its_receiver() {
    let mut tale = Tale::resident("lamp");
    assert_eq!(tale.refused(&post("lights-handler"), to("roads")), "not_allowed");
    tale.does("lights-handler", not_ours("roads"));
    assert_eq!(tale.refused(&post("lights-handler"), to("roads")), "not_allowed");
    assert_eq!(
        tale.refused(&post("lights-handler"), not_ours("roads")),
        "wrong_stage"
    );
}

#[test]
fn after_two_returns_the_stations_lead_decides_and_it_cannot_bounce_again() {
    let mut tale = Tale::resident("lamp");
    tale.does("lights-handler", not_ours("roads"))
        .does("dispatcher", to("roads"))
        .does("roads-handler", not_ours("lights"));
    assert_eq!(tale.case.flags.returned, 2);
    for not_a_stations_lead in ["dispatcher", "west-dispatcher"] {
        let by = post(not_a_stations_lead);
        assert_eq!(tale.refused(&by, to("lights")), "lead_must_decide");
        assert_eq!(tale.refused(&by, Act::Decline), "lead_must_decide");
        assert_eq!(tale.refused(&by, Act::Refer), "lead_must_decide");
    }
    assert_eq!(tale.refused(&Actor::System, to("lights")), "lead_must_decide");
    assert_eq!(tale.refused(&post("roads-lead"), to("lights")), "not_allowed");
    tale.does("west-lead", to("lights"));
    assert_eq!(
        tale.refused(&post("lights-handler"), not_ours("roads")),
        "no_more_returns"
    );
    assert_eq!(tale.refused(&post("dispatcher"), to("roads")), "lead_must_decide");
    tale.does("lights-handler", Act::ReportIn)
        .does("lights-handler", DONE);
}

#[test]
fn a_case_is_taken_from_a_unit_that_does_not_move() {
    let mut tale = Tale::resident("lamp");
    assert_eq!(
        tale.refused(&post("dispatcher"), to("lights")),
        "missing",
        "it has it already"
    );
    tale.does("lights-handler", Act::ReportIn)
        .after(60)
        .does("dispatcher", to("road-crew"));
    assert_eq!(tale.case.state, State::Assigned);
    assert_eq!(tale.case.times.reported_in_at, None);
    assert_eq!(tale.refused(&post("lights-handler"), DONE), "wrong_stage");
    assert_eq!(
        tale.refused(&post("lights-handler"), Act::ReportIn),
        "not_allowed"
    );
}

#[test]
fn failed_work_goes_back_and_its_limit_runs_on_from_where_it_stood() {
    // Handed in on Wednesday at 10:20, after 1 h 20 min; found wanting at 15:00; 2 h 40 min of four hours are left.
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("roads"))
        .does("roads-handler", Act::ReportIn)
        .after(80)
        .does("roads-handler", DONE)
        .at(may(13, 15, 0))
        .does("mill-patrol", Act::Rework);
    assert_eq!(tale.case.state, State::InProgress);
    assert_eq!(tale.case.flags.reworked, 1);
    assert_eq!(tale.case.resolution, "", "what was claimed is not so");
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(13, 17, 40));
    assert!(tale.clock(ClockKind::Verify).stopped_at.is_some());
    tale.does("roads-handler", DONE).does("mill-patrol", Act::Verify);
}

#[test]
fn parking_moves_the_deadline_by_exactly_the_parked_working_time() {
    // Four working hours from Wednesday 09:00 are due at 15:00. Parked at 10:00 until Saturday the 16th, which is
    // worked: one hour was used, three are left from Saturday morning on, whenever somebody notices.
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("roads"));
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(13, 15, 0));
    tale.at(may(13, 10, 0)).does(
        "dispatcher",
        Act::Park {
            until: date(2026, 5, 16),
        },
    );
    assert!(tale.case.clocks.next_due().is_none());
    tale.at(may(16, 16, 0));
    assert_eq!(tale.tries(&Actor::System, &Act::Resume, ""), Ok(1));
    let resolve = tale.clock(ClockKind::Resolve);
    assert_eq!(resolve.due_at, may(16, 11, 0));
    let (parked, moved) = (
        VILLAGE.calendar.working_between(may(13, 10, 0), may(16, 0, 0)),
        VILLAGE.calendar.working_between(may(13, 15, 0), resolve.due_at),
    );
    assert_eq!(parked, moved);
}

#[test]
fn a_wait_ends_at_its_date_whoever_goes_on_with_the_case_and_however_late() {
    // As above: three hours are left from Saturday 08:00 on, so that it was due at 11:00.
    let parked = || {
        let mut tale = Tale::resident("pothole");
        tale.does("dispatcher", Act::Accept { standard: None })
            .does("dispatcher", to("roads"));
        let until = date(2026, 5, 16);
        tale.at(may(13, 10, 0)).does("dispatcher", Act::Park { until });
        tale
    };
    let overdue = |tale: &Tale| {
        let resolve = tale.clock(ClockKind::Resolve);
        (resolve.due_at, resolve.is_overdue(tale.now))
    };
    let mut by_hand = parked();
    by_hand.at(may(16, 16, 0)).does("dispatcher", Act::Resume);
    assert_eq!(overdue(&by_hand), (may(16, 11, 0), true));
    let mut before = parked();
    before.at(may(14, 10, 0)).does("dispatcher", Act::Resume);
    assert_eq!(overdue(&before), (may(14, 15, 0), false));
    // Nobody let it run on before it ended.
    for (at, late) in [(may(16, 10, 59), false), (may(16, 11, 1), true)] {
        let mut ended = parked();
        ended.at(at).reporter_does(Act::Withdraw);
        assert_eq!(overdue(&ended), (may(16, 11, 0), late));
    }
    let mut ended_before = parked();
    ended_before.at(may(15, 10, 0)).reporter_does(Act::Withdraw);
    assert!(!overdue(&ended_before).1);
}

#[test]
fn a_case_is_parked_once_until_a_date_that_is_not_too_far() {
    let mut tale = Tale::resident("lamp");
    let park = |day| Act::Park {
        until: date(2026, 5, 13) + day,
    };
    assert_eq!(tale.refused(&post("dispatcher"), park(0.days())), "park_date");
    assert_eq!(tale.refused(&post("dispatcher"), park(61.days())), "park_date");
    tale.does("dispatcher", park(60.days()));
    assert_eq!(tale.refused(&post("lights-handler"), Act::ReportIn), "missing");
    assert_eq!(tale.refused(&post("dispatcher"), park(2.days())), "parked_before");
    tale.does("dispatcher", Act::Resume);
    assert_eq!(tale.refused(&post("dispatcher"), park(2.days())), "parked_before");
    assert_eq!(tale.refused(&post("dispatcher"), Act::Resume), "missing");
}

#[test]
fn a_limit_that_ran_over_while_it_stood_was_not_missed() {
    let mut tale = Tale::resident("lamp");
    let until = date(2026, 6, 30);
    tale.after(30).does("dispatcher", Act::Park { until });
    tale.at(may(28, 9, 0)).reporter_does(Act::Withdraw);
    for clock in tale.case.clocks.all() {
        assert!(!clock.is_overdue(tale.now), "{clock:?}");
    }
}

#[test]
fn a_limit_is_extended_as_often_as_the_place_allows_and_only_before_it_is_over() {
    let mut tale = Tale::resident("lamp");
    // Three working days from Wednesday: Thursday, Saturday (worked), Monday.
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(18, 18, 0));
    tale.does("dispatcher", Act::Extend);
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(21, 18, 0));
    assert_eq!(
        tale.refused(&post("dispatcher"), Act::Extend),
        "no_more_extensions"
    );
    let mut tale = Tale::resident("lamp");
    tale.at(may(18, 18, 1));
    assert_eq!(tale.refused(&post("dispatcher"), Act::Extend), "overdue");
}

#[test]
fn a_pause_within_an_extension_moves_the_deadline_too() {
    // Four hours from 09:00, due 15:00; extended by four to 09:00 on Thursday. Parked on Wednesday 16:00, after the
    // first due, and taken up again on Thursday 16:00, before it was to end: three hours are left, two on Thursday, none on the holiday, one on Saturday.
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("roads"))
        .does("dispatcher", Act::Extend);
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(14, 9, 0));
    tale.at(may(13, 16, 0)).does(
        "dispatcher",
        Act::Park {
            until: date(2026, 5, 16),
        },
    );
    tale.at(may(14, 16, 0)).does("dispatcher", Act::Resume);
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(16, 9, 0));
}

#[test]
fn a_closed_case_goes_on_when_reopening_is_granted() {
    let mut tale = closed_lamp();
    tale.after(60).reporter_does(Act::RequestReopen);
    assert!(
        !tale.case.state.is_open(),
        "until it is granted the case counts as closed"
    );
    tale.after(60).does("west-lead", Act::Reopen);
    assert_eq!(tale.case.state, State::InProgress);
    assert_eq!(tale.case.times.closed_at, None);
    assert_eq!(tale.case.resolution, "");
    assert_eq!(tale.clock(ClockKind::Resolve).started_at, tale.now);
    tale.does("lights-handler", DONE).reporter_does(Act::Verify);
}

#[test]
fn a_closed_case_stays_closed_when_reopening_is_refused() {
    let mut tale = closed_lamp();
    let (state, closed_at) = (tale.case.state, tale.case.times.closed_at);
    tale.after(60).reporter_does(Act::RequestReopen);
    tale.does("west-lead", Act::RefuseReopen);
    assert_eq!((tale.case.state, tale.case.times.closed_at), (state, closed_at));
}

#[test]
fn the_station_that_fixed_it_cannot_refuse_to_reopen_it() {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("S-V11"))
        .does("mill-handler", Act::ReportIn)
        .does("mill-handler", DONE)
        .does("dispatcher", Act::Verify)
        .reporter_does(Act::RequestReopen);
    assert_eq!(
        tale.refused(&post("mill-handler"), Act::RefuseReopen),
        "fixer_cannot_verify"
    );
    tale.does("mill-handler", Act::Reopen);
}

#[test]
fn reopening_and_rating_have_a_window() {
    let mut tale = closed_lamp();
    let rate = Act::Rate { rating: Rating::Poor };
    tale.after(15 * 24 * 60).reporter_does(rate.clone());
    assert_eq!(tale.case.rating, Some(Rating::Poor));
    tale.after(1);
    assert_eq!(tale.refused(&REPORTER, rate), "window_over");
    assert_eq!(tale.refused(&REPORTER, Act::RequestReopen), "window_over");
}

#[test]
fn a_declined_case_begins_anew_when_it_is_reopened() {
    let mut tale = Tale::resident("pothole");
    tale.does("calls", Act::Decline);
    assert_eq!(tale.case.state, State::Closed(Outcome::Declined));
    tale.reporter_does(Act::RequestReopen)
        .does("dispatcher", Act::Reopen);
    assert_eq!(tale.case.state, State::Reported);
    assert_eq!(tale.clock(ClockKind::Triage).started_at, tale.now);
    tale.does(
        "dispatcher",
        Act::Accept {
            standard: Some("P2".parse().unwrap()),
        },
    );
}

#[test]
fn what_was_fixed_on_the_spot_awaits_a_check_by_somebody_else() {
    let mut new = matter("pothole");
    new.fixed = Some("filled it".into());
    new.channel = Channel::Patrol;
    let mut tale = Tale::of(&VILLAGE, &new, &post("mill-patrol"));
    assert_eq!(tale.words(), ["reported", "accepted", "handled"]);
    assert_eq!(tale.case.state, State::Handled(Outcome::Resolved));
    assert!(tale.case.flags.on_the_spot);
    assert_eq!(tale.case.resolution, "filled it");
    assert_eq!(
        tale.refused(&post("mill-patrol"), Act::Verify),
        "fixer_cannot_verify"
    );
    assert_eq!(
        tale.refused(&REPORTER, Act::Verify),
        "fixer_cannot_verify",
        "the code is the patrol's own"
    );
    tale.does("dispatcher", Act::Rework);
    assert_eq!(tale.case.state, State::InProgress);
    assert_eq!(
        tale.clock(ClockKind::Resolve).due_at,
        may(13, 15, 0),
        "now it has a limit"
    );
    tale.does("mill-handler", DONE).does("dispatcher", Act::Verify);
}

#[test]
fn self_checked_work_is_closed_with_its_handing_in_by_the_rule_of_its_standard() {
    let mut new = matter("litter");
    new.fixed = Some(String::new());
    let tale = Tale::of(&VILLAGE, &new, &post("mill-patrol"));
    assert_eq!(tale.words(), ["reported", "accepted", "handled", "verified"]);
    assert_eq!(tale.case.state, State::Closed(Outcome::Resolved));
    assert_eq!(tale.log[3].by, Actor::System);
    assert!(!tale.case.flags.recheck);
}

#[test]
fn self_checked_work_that_is_drawn_for_a_recheck_awaits_another_post() {
    let mut new = matter("litter");
    new.fixed = Some("swept".into());
    let mut tale = Tale::told(&VILLAGE, &new, &post("mill-patrol"), may(13, 9, 0), 0.09).unwrap();
    assert_eq!(tale.case.state.stage(), Stage::Handled);
    assert!(tale.case.flags.recheck);
    assert_eq!(
        tale.refused(&post("mill-patrol"), Act::Verify),
        "fixer_cannot_verify"
    );
    tale.does("west-dispatcher", Act::Verify);
}

#[test]
fn only_a_post_that_may_act_there_fixes_on_the_spot() {
    let mut new = matter("litter");
    new.fixed = Some("swept".into());
    for (by, word) in [
        (Actor::Public, "only_posts_fix"),
        (Actor::Client { key: 1 }, "only_posts_fix"),
        (post("auditor"), "may_not_report"),
        (post("east-patrol"), "not_allowed"),
    ] {
        let refusal = Tale::told(&VILLAGE, &new, &by, may(13, 9, 0), 0.5).err();
        assert_eq!(refusal.map(|r| r.word()), Some(word), "{by:?}");
    }
}

#[test]
fn a_department_lead_has_no_say_over_other_units_cases() {
    let mut tale = mended_lamp();
    for act in [
        Act::Verify,
        Act::Rework,
        Act::Decline,
        Act::Supervise {
            on: true,
            kind: SupervisionKind::Important,
        },
    ] {
        assert!(tale.tries(&post("roads-lead"), &act, "why").is_err(), "{act:?}");
    }
}

#[test]
fn a_reporter_takes_back_only_what_nobody_else_reported() {
    let mut tale = Tale::resident("lamp");
    assert_eq!(
        tale.tries(
            &Actor::Public,
            &Act::Join {
                channel: Channel::Web
            },
            "me too"
        ),
        Ok(1)
    );
    assert_eq!(tale.case.reports, 2);
    assert_eq!(tale.refused(&REPORTER, Act::Withdraw), "missing");
    assert_eq!(
        tale.refused(&Actor::Reporter { report: 2 }, Act::Withdraw),
        "missing"
    );
}

#[test]
fn who_joined_a_report_follows_it_but_their_word_closes_nothing() {
    let joiner = Actor::Reporter { report: 2 };
    let mut tale = mended_lamp();
    tale.does(
        "calls",
        Act::Join {
            channel: Channel::Phone,
        },
    );
    assert_eq!(tale.refused(&joiner, Act::Verify), "not_allowed");
    assert_eq!(tale.refused(&joiner, Act::Rework), "not_allowed");
    tale.reporter_does(Act::Verify);
    let rate = Act::Rate { rating: Rating::Good };
    assert_eq!(tale.refused(&joiner, rate), "not_allowed");
    assert!(
        tale.tries(&joiner, &Act::RequestReopen, "it is out again")
            .is_ok()
    );
}

#[test]
fn who_only_reads_or_keeps_the_house_does_not_join_reports() {
    let mut tale = Tale::resident("lamp");
    let join = Act::Join {
        channel: Channel::Phone,
    };
    assert_eq!(tale.refused(&post("auditor"), join), "not_allowed");
}

#[test]
fn a_case_is_merged_into_another_but_not_into_itself() {
    let mut tale = Tale::resident("lamp");
    assert_eq!(
        tale.refused(&post("calls"), Act::Merge { into: CaseNumber(7) }),
        "merged_into_itself"
    );
    tale.does("calls", Act::Merge { into: CaseNumber(3) });
    assert_eq!(tale.case.state, State::Closed(Outcome::Duplicate));
    assert_eq!(tale.case.duplicate_of, Some(CaseNumber(3)));
}

#[test]
fn a_case_that_becomes_a_matter_for_staff_is_hidden_and_gets_that_services_standard() {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None });
    tale.does(
        "dispatcher",
        Act::Reclassify {
            service: "rats".parse().unwrap(),
        },
    );
    assert_eq!(tale.case.standard.as_ref().unwrap().as_str(), "R1");
    assert!(!tale.case.public);
    tale.does(
        "dispatcher",
        Act::Reclassify {
            service: "lamp".parse().unwrap(),
        },
    );
    assert!(!tale.case.public, "nothing is shown again by itself");
}

#[test]
fn a_clock_of_the_machine_that_steps_back_does_not_turn_the_log_back() {
    let mut tale = Tale::resident("lamp");
    tale.after(-60).does("lights-handler", Act::ReportIn);
    assert_eq!(tale.case.times.reported_in_at, Some(may(13, 9, 0)));
}

#[test]
fn work_is_handed_in_with_an_outcome_of_work_and_a_word() {
    let mut tale = Tale::resident("lamp");
    tale.does("lights-handler", Act::ReportIn);
    let declined = Act::Handle {
        outcome: Outcome::Declined,
    };
    assert_eq!(
        tale.refused(&post("lights-handler"), declined),
        "not_an_outcome_of_work"
    );
    assert_eq!(
        tale.tries(&post("lights-handler"), &DONE, "  ")
            .unwrap_err()
            .word(),
        "missing"
    );
}

#[test]
fn a_changed_calendar_recomputes_the_open_clocks_and_says_so() {
    let tale = Tale::resident("lamp");
    let place = village_with(|p| {
        let mut rules = p.calendar.rules().clone();
        rules.holidays.clear();
        p.calendar = whistle_domain::calendar::Calendar::new(rules).unwrap();
    });
    let mut tale = Tale {
        place: &place,
        ..tale
    };
    assert_eq!(tale.tries(&Actor::System, &Act::Reckon, ""), Ok(1));
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(16, 18, 0));
    assert!(matches!(tale.log.last().unwrap().body, Body::Reckoned));
    assert_eq!(
        tale.tries(&Actor::System, &Act::Reckon, ""),
        Ok(0),
        "nothing is left to recompute"
    );
}

fn with_part_of(unit: &str) -> Act {
    Act::AssignJoint {
        unit: unit.parse().unwrap(),
        limit: Some("4h working".parse().unwrap()),
    }
}

fn rid_of(unit: &str) -> Act {
    Act::ReleaseJoint {
        unit: unit.parse().unwrap(),
    }
}

/// A lamp at which the lights department is, while the roads department has a part in it.
fn lamp_with_a_part_of_roads() -> Tale<'static> {
    let mut tale = Tale::resident("lamp");
    tale.does("lights-handler", Act::ReportIn)
        .does("dispatcher", with_part_of("roads"));
    tale
}

#[test]
fn the_lead_hands_in_when_the_other_units_have() {
    let mut tale = lamp_with_a_part_of_roads();
    assert_eq!(tale.case.joint[0].due_at, Some(may(13, 15, 0)));
    assert_eq!(tale.case.joint[0].task, "because");
    assert_eq!(tale.refused(&post("lights-handler"), DONE), "missing");
    assert_eq!(
        tale.refused(&post("cleaners-handler"), Act::HandleJoint),
        "not_allowed"
    );
    tale.does("roads-handler", Act::HandleJoint);
    assert_eq!(tale.refused(&post("roads-handler"), Act::HandleJoint), "missing");
    tale.does("lights-handler", DONE);
    assert_eq!(tale.case.state.stage(), Stage::Handled);
}

#[test]
fn a_unit_that_the_desk_lets_off_keeps_nobody_waiting() {
    let mut tale = lamp_with_a_part_of_roads();
    assert_eq!(
        tale.refused(&post("lights-handler"), rid_of("roads")),
        "not_allowed"
    );
    assert_eq!(tale.refused(&post("dispatcher"), rid_of("cleaners")), "missing");
    tale.does("dispatcher", rid_of("roads"))
        .does("lights-handler", DONE);
    assert_eq!(tale.case.joint, []);
    // It did nothing, and so may look at what the others did.
    assert!(!may_see(&tale.case, &post("roads-handler"), &VILLAGE));
}

#[test]
fn a_joint_unit_sees_the_case_and_speaks_in_it_but_the_lead_acts() {
    let mut tale = Tale::resident("lamp");
    let roads = post("roads-handler");
    assert!(!may_see(&tale.case, &roads, &VILLAGE));
    tale.does("dispatcher", with_part_of("roads"));
    assert!(may_see(&tale.case, &roads, &VILLAGE));
    tale.does("roads-handler", Act::Comment { public: false });
    assert_eq!(tale.refused(&roads, Act::ReportIn), "not_allowed");
    assert_eq!(tale.refused(&roads, not_ours("cleaners")), "not_allowed");
}

#[test]
fn nobody_of_a_joint_unit_verifies_what_it_had_a_part_in() {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("roads"))
        .does("dispatcher", with_part_of("cleaners"))
        .does("roads-handler", Act::ReportIn)
        .does("cleaners-handler", Act::HandleJoint)
        .does("roads-handler", DONE);
    for act in [Act::Verify, Act::VerifyPartly, Act::Rework] {
        assert_eq!(tale.refused(&post("cleaners-patrol"), act), "fixer_cannot_verify");
    }
    // Nor by the account in another post.
    let Actor::Post { account, .. } = post("cleaners-handler") else {
        unreachable!()
    };
    let elsewhere = Actor::Post {
        post: "mill-patrol".parse().unwrap(),
        unit: "S-V11".parse().unwrap(),
        account,
    };
    assert_eq!(tale.refused(&elsewhere, Act::Verify), "fixer_cannot_verify");
    tale.does("mill-patrol", Act::Verify);
}

#[test]
fn a_joint_unit_that_gets_the_whole_has_no_part_beside_it() {
    let mut tale = lamp_with_a_part_of_roads();
    assert_eq!(
        tale.refused(&post("dispatcher"), with_part_of("roads")),
        "missing"
    );
    assert_eq!(
        tale.refused(&post("dispatcher"), with_part_of("lights")),
        "missing"
    );
    tale.does("dispatcher", to("roads"));
    assert_eq!(tale.case.joint, []);
}

#[test]
fn a_part_of_a_case_becomes_a_case_of_its_own_and_both_say_so() {
    let mut tale = Tale::resident("lamp");
    let part = whistle_domain::command::NewReport {
        description: "And rubbish lies under it.".into(),
        ..matter("litter")
    };
    let by = post("dispatcher");
    let context = Context {
        place: &VILLAGE,
        now: tale.now,
        by: &by,
        chance: 0.5,
    };
    let told = split(&tale.case, &part, CaseNumber(8), context).unwrap();
    for event in &told.original {
        tale.case.apply(event).unwrap();
    }
    assert_eq!(tale.case.split_into, [CaseNumber(8)]);
    assert_eq!(tale.case.state.stage(), Stage::Assigned);
    let part = whistle_domain::case::Case::fold(CaseNumber(8), &told.part).unwrap();
    assert_eq!(part.split_from, Some(CaseNumber(7)));
    assert_eq!(part.lead.unwrap().as_str(), "cleaners");
    // The one who reported the whole has no code for the part.
    assert_eq!((part.reporter, part.reports), (by, 1));
}

#[test]
fn a_merged_case_is_not_reopened_but_points_to_the_one_that_goes_on() {
    let mut tale = Tale::resident("lamp");
    tale.does("dispatcher", Act::Merge { into: CaseNumber(3) });
    assert_eq!(tale.refused(&REPORTER, Act::RequestReopen), "merged_into");
}

#[test]
fn the_case_that_goes_on_takes_over_as_many_photos_as_fit() {
    let photo = |n: usize| Photo {
        id: format!("{n:02x}"),
        kind: PhotoKind::Before,
        public: true,
    };
    let mut tale = Tale::resident("lamp");
    for n in 0..19 {
        tale.reporter_does(Act::AddPhoto { photo: photo(n) });
    }
    let act = Act::Absorb {
        from: CaseNumber(3),
        photos: vec![photo(4), photo(40), photo(41)],
    };
    tale.tries(&Actor::System, &act, "").unwrap();
    assert_eq!(tale.case.photos.len(), 20);
    assert_eq!(tale.case.photos[19], photo(40));
    assert_eq!(tale.case.absorbed, [CaseNumber(3)]);
}

#[test]
fn the_station_grants_what_the_unit_asks_for_with_the_units_reason() {
    let mut tale = Tale::resident("lamp");
    let until = date(2026, 5, 20);
    tale.does("lights-handler", Act::AskToPark { until });
    assert_eq!(tale.case.request.as_ref().unwrap().wish, Wish::Park { until });
    assert_eq!(tale.refused(&post("lights-handler"), Act::AskToExtend), "missing");
    assert_eq!(
        tale.refused(&post("lights-handler"), Act::GrantRequest),
        "not_allowed"
    );
    tale.tries(&post("dispatcher"), &Act::GrantRequest, "").unwrap();
    assert_eq!(tale.case.flags.parked_until, Some(until));
    assert_eq!(tale.case.request, None);
    assert_eq!(tale.log.last().unwrap().text, "because");
    tale.does("dispatcher", Act::Resume);
    assert_eq!(
        tale.refused(&post("lights-handler"), Act::AskToPark { until }),
        "parked_before"
    );
}

#[test]
fn more_time_is_asked_for_in_time_and_may_be_granted_later() {
    let mut tale = Tale::resident("lamp");
    tale.at(may(18, 17, 0)).does("lights-handler", Act::AskToExtend);
    let due = tale.clock(ClockKind::Resolve).due_at;
    tale.at(due + 1.hour()).does("dispatcher", Act::GrantRequest);
    assert_eq!(tale.case.flags.extended, 1);
    assert_eq!(
        tale.refused(&post("lights-handler"), Act::AskToExtend),
        "no_more_extensions"
    );
    let mut late = Tale::resident("lamp");
    late.at(due + 1.hour());
    assert_eq!(late.refused(&post("lights-handler"), Act::AskToExtend), "overdue");
}

#[test]
fn a_request_is_refused_with_a_reason_or_falls_with_the_day_it_asks_for() {
    let mut tale = Tale::resident("lamp");
    let until = date(2026, 5, 20);
    tale.does("lights-handler", Act::AskToPark { until })
        .at(may(20, 9, 0));
    assert_eq!(tale.refused(&post("dispatcher"), Act::GrantRequest), "park_date");
    let silent = tale.tries(&post("dispatcher"), &Act::RefuseRequest, "");
    assert_eq!(silent.unwrap_err().word(), "missing");
    tale.does("dispatcher", Act::RefuseRequest);
    assert_eq!(tale.case.request, None);
    tale.does(
        "lights-handler",
        Act::AskToPark {
            until: date(2026, 5, 25),
        },
    );
    // What one unit asked for, another does not get.
    tale.does("dispatcher", to("roads"));
    assert_eq!(tale.case.request, None);
}

#[test]
fn supervision_says_of_which_kind_it_is_by_whom_and_why_until_it_is_released() {
    let mut tale = Tale::resident("lamp");
    let kind = SupervisionKind::Ordered;
    tale.does("city-lead", Act::Supervise { on: true, kind });
    let supervision = tale.case.supervision.clone().unwrap();
    assert_eq!((supervision.kind, supervision.why.as_str()), (kind, "because"));
    assert_eq!(supervision.post.unwrap().as_str(), "city-lead");
    tale.does("city-lead", Act::Supervise { on: false, kind });
    assert_eq!(
        (&tale.case.supervision, tale.case.flags.supervised),
        (&None, false)
    );
}

#[test]
fn half_a_job_is_closed_or_goes_back_as_the_standard_says() {
    let mut pothole = mended_pothole();
    pothole.reporter_does(Act::VerifyPartly);
    assert_eq!(pothole.case.state, State::Closed(Outcome::PartlyResolved));
    let mut lamp = mended_lamp();
    lamp.reporter_does(Act::VerifyPartly);
    assert_eq!(
        (lamp.case.state, lamp.case.flags.reworked),
        (State::InProgress, 1)
    );
}

fn question(of: Respondent, choices: &[&str]) -> Act {
    Act::Ask {
        of,
        choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        until: date(2026, 5, 20),
        reachable: true,
    }
}

const OF_THE_REPORTER: Respondent = Respondent::Reporter { report: 1 };

#[test]
fn the_clocks_stand_while_the_reporter_is_asked_and_run_on_with_the_answer() {
    let mut tale = Tale::resident("lamp");
    let due = tale.clock(ClockKind::Resolve).due_at;
    tale.after(60).does("dispatcher", question(OF_THE_REPORTER, &[]));
    assert!(tale.case.clocks.all().iter().all(|clock| !clock.is_running()));
    assert_eq!(tale.refused(&post("dispatcher"), Act::Extend), "missing");
    // A working day.
    tale.after(24 * 60);
    let silent = tale.tries(&REPORTER, &Act::Answer { choice: None }, "");
    assert_eq!(silent.unwrap_err().word(), "missing");
    tale.reporter_does(Act::Answer { choice: None });
    assert!(tale.clock(ClockKind::Resolve).is_running());
    assert!(tale.clock(ClockKind::Resolve).due_at > due);
    assert_eq!(
        tale.refused(&REPORTER, Act::Answer { choice: None }),
        "not_allowed",
        "one answer only"
    );
}

#[test]
fn the_case_moves_on_when_no_answer_came_in_time() {
    let mut tale = Tale::resident("lamp");
    tale.does("dispatcher", question(OF_THE_REPORTER, &[]));
    let end = may(20, 0, 0);
    assert_eq!(tale.case.next_step_at(), Some(end));
    tale.at(end);
    assert_eq!(
        tale.refused(&REPORTER, Act::Answer { choice: None }),
        "question_over"
    );
    assert_eq!(tale.tries(&Actor::System, &Act::Escalate, ""), Ok(1));
    assert_eq!(*tale.words().last().unwrap(), "unanswered");
    assert_eq!(tale.case.question, None);
    assert!(tale.clock(ClockKind::Resolve).is_running());
}

#[test]
fn somebody_outside_answers_by_the_link_of_the_question_while_the_clocks_run() {
    let mut tale = Tale::resident("lamp");
    tale.does("dispatcher", question(Respondent::Outside, &["yes", "no"]));
    assert!(tale.clock(ClockKind::Resolve).is_running());
    let number = tale.case.question.as_ref().unwrap().number;
    let asked = Actor::Asked { question: number };
    let other = Actor::Asked { question: number - 1 };
    let choose = |choice: &str| Act::Answer {
        choice: Some(choice.to_owned()),
    };
    assert_eq!(tale.refused(&other, choose("yes")), "not_allowed");
    assert_eq!(tale.refused(&REPORTER, choose("yes")), "not_allowed");
    assert_eq!(tale.refused(&asked, choose("perhaps")), "not_a_choice");
    assert_eq!(tale.refused(&asked, Act::Comment { public: true }), "not_allowed");
    tale.tries(&asked, &choose("yes"), "").unwrap();
    assert_eq!(tale.refused(&asked, choose("yes")), "not_allowed");
}

#[test]
fn work_that_is_handed_in_while_the_reporter_is_asked_can_be_reworked_with_the_right_limit() {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", Act::Assign { unit: None })
        .does("roads-handler", Act::ReportIn)
        .does("dispatcher", question(OF_THE_REPORTER, &[]))
        .after(60)
        .does("roads-handler", DONE)
        .after(60)
        .reporter_does(Act::Rework);
    // Nine to eleven did not count: four working hours from eleven, with the lunch between.
    let resolve = tale.clock(ClockKind::Resolve);
    assert_eq!(resolve.due_at, may(13, 17, 0));
    assert!(resolve.is_running());
}

#[test]
fn a_question_has_no_choices_or_several_and_an_end_that_is_near() {
    let mut tale = Tale::resident("lamp");
    let by = post("dispatcher");
    for choices in [&["yes"][..], &["yes", "yes"], &["yes", ""]] {
        assert_eq!(
            tale.refused(&by, question(OF_THE_REPORTER, choices)),
            "bad_choices"
        );
    }
    let of = Respondent::Reporter { report: 2 };
    assert_eq!(tale.refused(&by, question(of, &[])), "no_such_report");
    for until in [date(2026, 5, 13), date(2026, 6, 13)] {
        let ask = Act::Ask {
            of: OF_THE_REPORTER,
            choices: vec![],
            until,
            reachable: true,
        };
        assert_eq!(tale.refused(&by, ask), "ask_date");
    }
}

fn question_until(day: i8, reachable: bool) -> Act {
    Act::Ask {
        of: OF_THE_REPORTER,
        choices: vec![],
        until: date(2026, 5, day),
        reachable,
    }
}

#[test]
fn work_handed_in_after_the_time_for_the_answer_took_as_long_as_it_did() {
    // Four hours from Wednesday 09:00; an hour is used when the reporter is asked until Thursday, three are left from
    // Thursday 08:00 on. Nobody noticed that the time for the answer was over.
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", to("roads"))
        .does("roads-handler", Act::ReportIn);
    tale.at(may(13, 10, 0))
        .does("dispatcher", question_until(14, true));
    let outcome = Outcome::Resolved;
    tale.at(may(14, 15, 0))
        .does("roads-handler", Act::Handle { outcome });
    let resolve = tale.clock(ClockKind::Resolve);
    assert_eq!(
        (resolve.due_at, resolve.is_overdue(tale.now)),
        (may(14, 11, 0), true)
    );
    tale.at(may(14, 16, 0)).does("dispatcher", Act::Rework);
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(14, 11, 0));
}

#[test]
fn a_reporter_who_cannot_be_reached_stops_no_clock() {
    let mut tale = Tale::resident("lamp");
    tale.does("dispatcher", question_until(20, false));
    assert!(tale.clock(ClockKind::Resolve).is_running());
    assert!(!tale.case.question.as_ref().unwrap().stops_clocks());
    tale.reporter_does(Act::Answer { choice: None });
}

#[test]
fn a_unit_stops_its_clocks_by_two_questions_and_then_no_more() {
    let mut tale = Tale::resident("lamp");
    for asked in 1..=2 {
        tale.after(10).does("lights-handler", question_until(14, true));
        assert!(!tale.clock(ClockKind::Resolve).is_running());
        assert_eq!(tale.case.flags.asked, asked);
        tale.after(10).reporter_does(Act::Answer { choice: None });
    }
    tale.does("lights-handler", question_until(30, true));
    assert!(tale.clock(ClockKind::Resolve).is_running());
    assert_eq!(tale.case.flags.asked, 2);
    tale.reporter_does(Act::Answer { choice: None });
    // The station answers for the time itself.
    tale.does("dispatcher", question_until(30, true));
    assert!(!tale.clock(ClockKind::Resolve).is_running());
}

#[test]
fn a_unit_stops_its_clocks_for_no_longer_than_its_limit() {
    // Three working days from Wednesday: Thursday, Saturday the make-up day, Monday.
    let mut lamp = Tale::resident("lamp");
    assert_eq!(
        lamp.refused(&post("lights-handler"), question_until(19, true)),
        "ask_date"
    );
    lamp.does("lights-handler", question_until(18, true));
    // Two hours, and so till the next morning.
    let mut new = matter("pothole");
    new.standard = Some("P2".parse().unwrap());
    let mut pothole = Tale::of(&VILLAGE, &new, &post("calls"));
    assert_eq!(
        pothole.refused(&post("roads-handler"), question_until(15, true)),
        "ask_date"
    );
    pothole.does("roads-handler", question_until(14, true));
}

#[test]
fn a_question_heals_no_limit_that_is_over() {
    let mut tale = Tale::resident("lamp");
    tale.at(may(19, 9, 0));
    let before = tale.clock(ClockKind::Resolve).clone();
    assert!(before.is_overdue(tale.now));
    tale.does("lights-handler", question_until(30, true));
    assert_eq!(*tale.clock(ClockKind::Resolve), before);
    assert_eq!(tale.case.flags.asked, 0);
    tale.reporter_does(Act::Answer { choice: None });
    tale.does("dispatcher", question_until(30, true));
    assert_eq!(
        *tale.clock(ClockKind::Resolve),
        before,
        "it is told of further up meanwhile"
    );
}

#[test]
fn a_unit_that_gets_a_case_while_its_reporter_is_asked_begins_with_standing_clocks() {
    let mut tale = Tale::resident("pothole");
    tale.does("dispatcher", Act::Accept { standard: None })
        .does("dispatcher", question_until(20, true))
        .after(60)
        .does("dispatcher", to("roads"));
    for kind in [ClockKind::ReportIn, ClockKind::Resolve] {
        assert!(tale.clock(kind).is_paused(), "{kind:?}");
    }
    tale.after(60).does("roads-handler", not_ours("lights"));
    assert!(tale.clock(ClockKind::Triage).is_paused());
    tale.does("dispatcher", to("lights"))
        .after(120)
        .reporter_does(Act::Answer { choice: None });
    // By the standard of the pothole, from one o'clock: that is lunch, so four working hours end at six.
    assert_eq!(tale.clock(ClockKind::Resolve).due_at, may(13, 18, 0));
    assert_eq!(tale.clock(ClockKind::ReportIn).due_at, may(13, 14, 0));
}

#[test]
fn a_request_to_reopen_has_a_limit_until_the_station_decides() {
    let mut tale = closed_lamp();
    tale.after(60).reporter_does(Act::RequestReopen);
    let triage = tale.clock(ClockKind::Triage);
    assert!(triage.is_running());
    assert_eq!(triage.due_at, may(13, 15, 20), "two working hours from 11:20");
    tale.does("west-lead", Act::RefuseReopen);
    assert!(
        tale.case
            .clocks
            .all()
            .iter()
            .all(|clock| clock.stopped_at.is_some())
    );
    tale.reporter_does(Act::RequestReopen);
    tale.does("west-lead", Act::Reopen);
    assert!(!tale.clock(ClockKind::Triage).is_running());
    assert!(tale.clock(ClockKind::Resolve).is_running());
}
