//! The whistle: its rules, told with the village's stations and units, and what holds whatever anybody tries.

mod village;

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use village::{CITY, POSTS, Tale, VILLAGE, may, post, village_with};
use whistle_domain::{
    case::{Actor, Case, Rating},
    clock::ClockKind,
    command::Context,
    geometry::Point,
    place::{Approval, Place},
    rights::{Role, may_see_whistle},
    whistle::{
        CallState, Event, Stage, UnitRating, Whistle,
        command::{Act, MAX_DAYS_AHEAD, NewDuty, NewWhistle, Refusal, blow, decide},
        transition::{TRANSITIONS, Transition, Who, allows, offered},
    },
    words::{CaseNumber, UnitCode, WhistleNumber},
};

fn code(text: &str) -> UnitCode {
    text.parse().unwrap()
}

/// A pothole in Mill.
fn pothole() -> Case {
    Tale::resident("pothole").case
}

fn new(kind: &str) -> NewWhistle {
    NewWhistle {
        kind: kind.parse().unwrap(),
        cases: vec![CaseNumber(7)],
        units: vec![code("roads"), code("lights"), code("cleaners")],
        lead: code("roads"),
        place: String::new(),
        meet_at: None,
        matter: "The road caves in; cables lie below.".into(),
    }
}

fn duty(unit: &str, what: &str) -> NewDuty {
    NewDuty {
        case: CaseNumber(7),
        unit: code(unit),
        what: what.into(),
        limit: "2d working".parse().unwrap(),
    }
}

/// A whistle with its log, told command by command.
struct Call<'p> {
    place: &'p Place,
    whistle: Whistle,
    log: Vec<Event>,
    now: Timestamp,
}

impl<'p> Call<'p> {
    fn blown_in(place: &'p Place, by: &str, new: &NewWhistle) -> Result<Self, Refusal> {
        let (now, by) = (may(13, 9, 0), post(by));
        let context = Context {
            place,
            now,
            by: &by,
            chance: 0.5,
        };
        let log = blow(new, WhistleNumber(1), &[pothole()], context)?;
        let call = Self {
            place,
            whistle: Whistle::fold(WhistleNumber(1), &log).unwrap(),
            log,
            now,
        };
        call.holds();
        Ok(call)
    }

    /// The west town's dispatcher calls roads, lights and cleaners on Wednesday at nine.
    fn joint() -> Call<'static> {
        Call::blown_in(&VILLAGE, "west-dispatcher", &new("joint")).unwrap()
    }

    fn after(&mut self, minutes: i64) -> &mut Self {
        self.now += SignedDuration::from_mins(minutes);
        self
    }

    fn tries(&mut self, by: &Actor, act: &Act, text: &str) -> Result<(), Refusal> {
        let context = Context {
            place: self.place,
            now: self.now,
            by,
            chance: 0.5,
        };
        let events = decide(&self.whistle, act, text, context)?;
        for event in &events {
            let before = self.whistle.stage;
            self.whistle.apply(event).unwrap();
            assert!(allows(Some(before), &event.body, self.whistle.stage), "{event:?}");
        }
        self.log.extend(events);
        self.holds();
        Ok(())
    }

    fn does(&mut self, by: &str, act: Act) -> &mut Self {
        let tried = self.tries(&post(by), &act, "because");
        assert!(tried.is_ok(), "{by} does {act:?}: {tried:?}");
        self
    }

    fn refused(&mut self, by: &str, act: Act) -> &'static str {
        let before = self.whistle.clone();
        let refusal = self.tries(&post(by), &act, "because").expect_err("it is refused");
        assert_eq!(self.whistle, before);
        refusal.word()
    }

    fn of(&self, unit: &str) -> &whistle_domain::whistle::Call {
        self.whistle.call(&code(unit)).unwrap()
    }

    fn due(&self, unit: &str, kind: ClockKind) -> Timestamp {
        self.of(unit).clocks.get(kind).unwrap().due_at
    }

    fn words(&self) -> Vec<&'static str> {
        self.log.iter().map(|event| event.body.as_str()).collect()
    }

    /// What is true of every whistle at any time.
    fn holds(&self) {
        let Self { whistle, log, .. } = self;
        assert_eq!(Whistle::fold(whistle.number, log).as_ref(), Ok(whistle));
        assert_eq!(whistle.version as usize, log.len());
        assert!(log.is_sorted_by_key(|event| event.at));
        for call in &whistle.calls {
            let running = call.clocks.all().iter().filter(|clock| clock.is_running());
            if whistle.stage != Stage::Blown || matches!(call.state, CallState::Refused | CallState::Left) {
                assert_eq!(running.count(), 0, "{call:?}");
            } else if matches!(
                call.state,
                CallState::Called | CallState::Signed | CallState::Absent
            ) {
                assert!(running.count() > 0, "a unit that may take for ever: {call:?}");
            }
        }
        let json = serde_json::to_string(whistle).unwrap();
        assert_eq!(serde_json::from_str::<Whistle>(&json).unwrap(), *whistle);
    }
}

const HERE: Act = Act::ReportIn {
    made_at: None,
    position: None,
};

fn there(unit: &str, present: bool) -> Act {
    Act::Confirm {
        unit: code(unit),
        present,
    }
}

#[test]
fn the_table_reads_so() {
    let mut text = String::new();
    for line in TRANSITIONS {
        let words = |words: Vec<&str>| words.join(" | ");
        writeln!(text, "{}", line.verb.as_str()).unwrap();
        writeln!(
            text,
            "    from   {}",
            words(line.from.iter().map(|s| s.as_str()).collect())
        )
        .unwrap();
        if let Some(to) = line.to {
            writeln!(text, "    to     {}", to.as_str()).unwrap();
        }
        if !line.calls.is_empty() {
            writeln!(
                text,
                "    unit   {}",
                words(line.calls.iter().map(|s| s.as_str()).collect())
            )
            .unwrap();
        }
        let who = line.who.iter().map(|who| match who {
            Who::Whistler => "whoever may blow it".to_owned(),
            Who::Station(role) => format!("{} of its stations", role.as_str()),
            Who::Above(role) => format!("{} of a station above", role.as_str()),
            Who::Approver => "who approves it".into(),
            Who::Called(role) => format!("{} of a called unit", role.as_str()),
            Who::System => "system".into(),
        });
        writeln!(text, "    by     {}", who.collect::<Vec<_>>().join(", ")).unwrap();
        if !line.needs.is_empty() {
            let needs = line
                .needs
                .iter()
                .map(|n| serde_json::to_string(n).unwrap().replace('"', ""));
            writeln!(text, "    needs  {}", needs.collect::<Vec<_>>().join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_whistle_that_nobody_need_approve_calls_its_units_at_once() {
    let call = Call::joint();
    assert_eq!(call.words(), ["asked", "blown"]);
    assert_eq!(call.whistle.stage, Stage::Blown);
    assert_eq!(call.due("roads", ClockKind::Sign), may(13, 10, 0));
    assert_eq!(call.due("lights", ClockKind::Contact), may(13, 15, 0));
    assert_eq!(call.whistle.due_at(), Some(may(13, 10, 0)));
}

#[test]
fn a_whistle_is_walked_from_the_call_to_the_ratings() {
    let mut call = Call::joint();
    call.after(20)
        .does("roads-handler", Act::Sign)
        .does("roads-handler", Act::Contact)
        .does("lights-handler", HERE)
        .does("roads-handler", HERE);
    assert_eq!(call.of("lights").state, CallState::ReportedIn);
    assert_eq!(
        call.of("lights").clocks.next_due(),
        None,
        "who is there has met them all"
    );
    call.does("west-dispatcher", there("roads", true))
        .does("west-dispatcher", there("lights", false));
    assert_eq!(call.of("lights").state, CallState::Absent);
    let refused = call.tries(&post("cleaners-handler"), &Act::Refuse, "");
    assert_eq!(refused.unwrap_err().word(), "missing");
    call.does("cleaners-handler", Act::Refuse);
    assert_eq!(call.of("cleaners").reason, "because");
    assert_eq!(call.refused("west-dispatcher", Act::Close), "missing");
    call.after(30)
        .does("lights-handler", HERE)
        .does("west-lead", there("lights", true));
    let duties = vec![duty("roads", "fill the hole"), duty("lights", "move the cable")];
    call.does("west-dispatcher", Act::Minutes { duties });
    call.does("roads-handler", Act::Leave)
        .does("west-dispatcher", Act::Close);
    assert_eq!(call.whistle.duties[0].due_at, may(16, 18, 0));
    assert_eq!(call.refused("lights-handler", Act::Finish { duty: 1 }), "missing");
    call.does("roads-handler", Act::Finish { duty: 1 });
    assert_eq!(call.refused("roads-handler", Act::Finish { duty: 1 }), "missing");
    let (speed, quality) = (Rating::Good, Rating::Fair);
    let unit = code("roads");
    call.does("west-dispatcher", Act::RateUnit { unit, speed, quality });
    call.does("roads-lead", Act::RateWhistle { rating: Rating::Poor });
    assert_eq!(call.of("roads").rating, Some(UnitRating { speed, quality }));
    assert_eq!(call.of("roads").rating_of_whistle, Some(Rating::Poor));
}

#[test]
fn a_kind_that_needs_approval_waits_for_it_and_shows_itself_to_no_unit() {
    let mut call = Call::blown_in(&VILLAGE, "west-dispatcher", &new("hard")).unwrap();
    assert_eq!(call.whistle.stage, Stage::Asked);
    assert!(!may_see_whistle(&call.whistle, &post("roads-handler"), &VILLAGE));
    assert_eq!(call.refused("roads-handler", Act::Sign), "wrong_stage");
    assert_eq!(call.refused("west-dispatcher", Act::Approve), "not_allowed");
    assert_eq!(call.refused("city-lead", Act::Approve), "not_allowed");
    call.after(60).does("west-lead", Act::Approve);
    assert_eq!(call.due("roads", ClockKind::Sign), may(13, 11, 0));
    assert!(may_see_whistle(&call.whistle, &post("roads-handler"), &VILLAGE));
    assert!(!may_see_whistle(
        &call.whistle,
        &post("east-dispatcher"),
        &VILLAGE
    ));
    assert!(may_see_whistle(&call.whistle, &post("auditor"), &VILLAGE));
}

#[test]
fn who_may_approve_a_whistle_blows_it_at_once() {
    let call = Call::blown_in(&VILLAGE, "west-lead", &new("hard")).unwrap();
    assert_eq!(call.whistle.stage, Stage::Blown);
}

#[test]
fn approval_from_above_is_the_upper_stations_to_give_or_refuse() {
    let place = village_with(|parts| parts.whistle_kinds[1].approval = Some(Approval::Above));
    let mut call = Call::blown_in(&place, "west-lead", &new("hard")).unwrap();
    assert_eq!(call.whistle.stage, Stage::Asked);
    assert_eq!(call.refused("west-lead", Act::Approve), "not_allowed");
    call.does("city-lead", Act::RefuseApproval);
    assert_eq!(call.whistle.stage, Stage::Refused);
    assert_eq!(call.whistle.ending, "because");
    // Nobody is above the city.
    let call = Call::blown_in(&place, "city-lead", &new("hard")).unwrap();
    assert_eq!(call.whistle.stage, Stage::Blown);
}

#[test]
fn only_the_posts_and_stations_that_its_kind_names_blow_it() {
    let blown = |by: &str, kind: &str| match Call::blown_in(&VILLAGE, by, &new(kind)) {
        Ok(call) => call.whistle.stage.as_str(),
        Err(refusal) => refusal.word(),
    };
    assert_eq!(blown("mill-patrol", "emergency"), "blown");
    assert_eq!(blown("mill-patrol", "joint"), "not_allowed");
    // No community's station.
    assert_eq!(blown("mill-handler", "hard"), "not_allowed");
    assert_eq!(blown("roads-lead", "joint"), "not_allowed");
    assert_eq!(blown("auditor", "emergency"), "not_allowed");
    // The case lies in the west.
    assert_eq!(blown("east-dispatcher", "joint"), "case_elsewhere");
    assert_eq!(blown("dispatcher", "none"), "unknown_kind");
}

#[test]
fn a_whistle_that_makes_no_sense_is_refused() {
    let refused = |change: fn(&mut NewWhistle)| {
        let mut new = new("joint");
        change(&mut new);
        Call::blown_in(&VILLAGE, "west-dispatcher", &new)
            .err()
            .unwrap()
            .word()
    };
    assert_eq!(refused(|new| new.cases.clear()), "how_many_cases");
    assert_eq!(
        refused(|new| new.cases = vec![CaseNumber(7); 2]),
        "how_many_cases"
    );
    assert_eq!(refused(|new| new.cases = vec![CaseNumber(8)]), "case_elsewhere");
    assert_eq!(refused(|new| new.units.clear()), "how_many_units");
    assert_eq!(refused(|new| new.units.push(code("roads"))), "how_many_units");
    assert_eq!(refused(|new| new.units.push(code("S-V1"))), "calls_itself");
    assert_eq!(refused(|new| new.units.push(code("navy"))), "unknown_unit");
    assert_eq!(refused(|new| new.lead = code("S-V")), "lead_not_called");
    assert_eq!(refused(|new| new.matter = " ".into()), "missing");
    assert_eq!(refused(|new| new.matter = "x".repeat(4001)), "text_too_long");
    assert_eq!(refused(|new| new.meet_at = Some(may(13, 8, 59))), "meet_time");
    let far = |new: &mut NewWhistle| {
        new.meet_at = Some(may(13, 9, 1) + SignedDuration::from_hours(24 * MAX_DAYS_AHEAD));
    };
    assert_eq!(refused(far), "meet_time");
}

#[test]
fn a_closed_case_is_no_longer_whistled_on() {
    let mut case = Tale::resident("pothole");
    case.reporter_does(whistle_domain::command::Act::Withdraw);
    let by = post("west-dispatcher");
    let context = Context {
        place: &VILLAGE,
        now: may(13, 9, 0),
        by: &by,
        chance: 0.5,
    };
    let refusal = blow(&new("joint"), WhistleNumber(1), &[case.case], context).unwrap_err();
    assert_eq!(refusal, Refusal::CaseClosed(CaseNumber(7)));
}

#[test]
fn what_was_reported_without_a_connection_counts_from_when_it_was() {
    let mut call = Call::blown_in(&VILLAGE, "mill-patrol", &new("emergency")).unwrap();
    call.after(120);
    let made = |at| Act::ReportIn {
        made_at: Some(at),
        position: None,
    };
    assert_eq!(call.refused("roads-handler", made(may(13, 8, 59))), "made_time");
    assert_eq!(call.refused("roads-handler", made(may(13, 11, 1))), "made_time");
    call.does("roads-handler", made(may(13, 9, 25)))
        .does("lights-handler", HERE);
    let roads = call.of("roads");
    assert_eq!(roads.reported_in_at, Some(may(13, 9, 25)));
    assert_eq!(roads.received_at, Some(may(13, 11, 0)));
    let late = |unit| {
        call.of(unit)
            .clocks
            .get(ClockKind::ReportIn)
            .unwrap()
            .is_overdue(call.now)
    };
    assert!(!late("roads"), "half an hour was not over");
    assert!(late("lights"));
}

#[test]
fn of_a_position_only_whether_it_is_near_is_kept() {
    let mut call = Call::joint();
    let at = |lon, lat| Act::ReportIn {
        made_at: None,
        position: Some(Point::new(lon, lat).unwrap()),
    };
    call.does("roads-handler", at(120.021_23, 30.05))
        .does("lights-handler", at(120.031_23, 30.05));
    call.does("cleaners-handler", HERE);
    assert_eq!(call.of("roads").near, Some(true));
    assert_eq!(call.of("lights").near, Some(false));
    assert_eq!(call.of("cleaners").near, None);
    let kept = format!("{:?} {:?}", call.whistle, call.log);
    assert!(!kept.contains("120.021") && !kept.contains("120.031"), "{kept}");
}

#[test]
fn a_unit_that_was_not_found_has_its_limit_anew() {
    let mut call = Call::blown_in(&VILLAGE, "mill-patrol", &new("emergency")).unwrap();
    call.after(5)
        .does("roads-handler", HERE)
        .after(10)
        .does("mill-patrol", there("roads", false));
    assert_eq!(call.due("roads", ClockKind::ReportIn), may(13, 9, 45));
    assert_eq!(call.refused("mill-patrol", there("lights", true)), "wrong_call");
    assert_eq!(call.refused("mill-patrol", there("S-V", true)), "not_called");
    assert_eq!(call.refused("roads-handler", there("roads", true)), "not_allowed");
    call.does("mill-patrol", there("roads", true));
    assert_eq!(call.of("roads").state, CallState::Present);
}

#[test]
fn a_unit_that_was_not_found_was_not_there_before() {
    let mut call = Call::blown_in(&VILLAGE, "mill-patrol", &new("emergency")).unwrap();
    let made = |at| Act::ReportIn {
        made_at: Some(at),
        position: None,
    };
    call.after(60)
        .does("roads-handler", HERE)
        .after(30)
        .does("mill-patrol", there("roads", false))
        .after(10);
    assert_eq!(call.refused("roads-handler", made(may(13, 10, 10))), "made_time");
    call.does("roads-handler", made(may(13, 10, 35)));
    let clock = call.of("roads").clocks.get(ClockKind::ReportIn).unwrap();
    assert_eq!(
        (clock.started_at, clock.stopped_at),
        (may(13, 10, 30), Some(may(13, 10, 35)))
    );
}

#[test]
fn nobody_is_late_before_the_time_to_meet() {
    // In twelve days; three working days from the call are over long before.
    let meet_at = may(25, 14, 0);
    let mut with_time = new("joint");
    with_time.meet_at = Some(meet_at);
    let mut call = Call::blown_in(&VILLAGE, "west-dispatcher", &with_time).unwrap();
    let report_in = call.of("roads").clocks.get(ClockKind::ReportIn).unwrap();
    assert_eq!(
        (report_in.started_at, report_in.due_at),
        (meet_at, may(28, 18, 0))
    );
    call.after(7 * 24 * 60);
    call.tries(&Actor::System, &Act::Reckon, "").unwrap();
    call.tries(&Actor::System, &Act::Remind, "").unwrap();
    let late = |event: &Event| matches!(&event.body, whistle_domain::whistle::Body::Overdue { clock, .. } if *clock == ClockKind::ReportIn);
    assert!(!call.log.iter().any(late), "{:?}", call.words());
    assert_eq!(call.due("roads", ClockKind::ReportIn), may(28, 18, 0));
    // Who is there earlier is there in time.
    call.does("roads-handler", HERE);
    let report_in = call.of("roads").clocks.get(ClockKind::ReportIn).unwrap();
    assert!(!report_in.is_overdue(may(31, 0, 0)));
    call.does("west-dispatcher", there("roads", false));
    assert_eq!(call.due("roads", ClockKind::ReportIn), may(28, 18, 0));
    // Whom a raise calls too, meets at the same time.
    call.does(
        "west-dispatcher",
        Act::Raise {
            units: vec![code("S-V11")],
        },
    );
    assert_eq!(call.due("S-V11", ClockKind::ReportIn), may(28, 18, 0));
}

#[test]
fn the_limit_to_leave_begins_with_being_there() {
    let place = village_with(|parts| {
        parts.whistle_kinds[2].leave = Some("2h running".parse().unwrap());
    });
    let mut call = Call::blown_in(&place, "mill-patrol", &new("emergency")).unwrap();
    call.after(15).does("roads-handler", HERE);
    assert_eq!(call.due("roads", ClockKind::Leave), may(13, 11, 15));
    call.after(60).does("roads-handler", Act::Leave);
    assert_eq!(call.of("roads").clocks.next_due(), None);
}

#[test]
fn a_whistle_is_raised_station_by_station_and_no_higher_than_its_kind_says() {
    let mut call = Call::blown_in(&VILLAGE, "mill-patrol", &new("emergency")).unwrap();
    let raise = |units: &[&str]| Act::Raise {
        units: units.iter().map(|unit| code(unit)).collect(),
    };
    assert_eq!(call.refused("west-dispatcher", raise(&[])), "not_allowed");
    call.does("mill-patrol", raise(&[]));
    assert_eq!(call.whistle.stations, [code("S-V11"), code("S-V1")]);
    assert_eq!(call.refused("west-dispatcher", raise(&["S-V11"])), "calls_itself");
    assert_eq!(
        call.refused("west-dispatcher", raise(&["roads"])),
        "how_many_units"
    );
    call.after(30).does("west-dispatcher", raise(&["road-crew"]));
    assert_eq!(call.due("road-crew", ClockKind::ReportIn), may(13, 10, 0));
    assert_eq!(call.refused("dispatcher", raise(&[])), "missing");
    // All of them answer for it.
    call.does("roads-handler", HERE)
        .does("dispatcher", there("roads", true));
    call.does("mill-patrol", Act::Withdraw);

    let town = village_with(|parts| parts.whistle_kinds[2].highest = whistle_domain::place::Level::Town);
    let mut call = Call::blown_in(&town, "mill-patrol", &new("emergency")).unwrap();
    call.does("mill-patrol", raise(&[]));
    assert_eq!(call.refused("west-dispatcher", raise(&[])), "missing");
}

#[test]
fn a_whistle_is_taken_back_by_its_station_or_by_a_lead_above() {
    for by in ["west-dispatcher", "west-lead", "city-lead"] {
        let mut call = Call::joint();
        call.does(by, Act::Withdraw);
        assert_eq!(call.whistle.stage, Stage::Withdrawn);
        assert_eq!(call.refused("roads-handler", Act::Sign), "wrong_stage");
    }
    for by in ["roads-lead", "east-dispatcher", "dispatcher", "auditor"] {
        assert_eq!(Call::joint().refused(by, Act::Withdraw), "not_allowed", "{by}");
    }
}

#[test]
fn duties_are_about_the_whistles_cases_and_units() {
    let mut call = Call::joint();
    let minutes = |duties: Vec<NewDuty>| Act::Minutes { duties };
    let other = NewDuty {
        case: CaseNumber(8),
        ..duty("roads", "dig")
    };
    assert_eq!(call.refused("west-dispatcher", minutes(vec![other])), "bad_duty");
    assert_eq!(
        call.refused("west-dispatcher", minutes(vec![duty("S-V", "dig")])),
        "bad_duty"
    );
    assert_eq!(
        call.refused("west-dispatcher", minutes(vec![duty("roads", " ")])),
        "bad_duty"
    );
    assert_eq!(
        call.refused("west-dispatcher", minutes(vec![duty("roads", "dig"); 51])),
        "too_many_duties"
    );
    call.does(
        "west-dispatcher",
        minutes(vec![duty("roads", "dig"), duty("lights", "light")]),
    );
    call.does("west-dispatcher", minutes(vec![duty("lights", "only light")]));
    assert_eq!(
        call.whistle.duties.len(),
        1,
        "later minutes replace the earlier ones"
    );
}

fn any_act() -> impl Strategy<Value = Act> {
    let unit = prop::sample::select(vec!["roads", "lights", "cleaners", "S-V", "road-crew"]);
    let rating = prop::sample::select(Rating::ALL.to_vec());
    prop_oneof![
        Just(Act::Approve),
        Just(Act::RefuseApproval),
        Just(Act::Withdraw),
        Just(Act::Raise { units: vec![] }),
        unit.clone().prop_map(|unit| Act::Raise {
            units: vec![code(unit)]
        }),
        Just(Act::Sign),
        Just(Act::Refuse),
        Just(Act::Contact),
        (0_i64..300).prop_map(|minutes| Act::ReportIn {
            made_at: (minutes > 100).then(|| may(13, 9, 0) + SignedDuration::from_mins(minutes)),
            position: (minutes % 3 == 0).then(village::in_mill),
        }),
        (unit.clone(), any::<bool>()).prop_map(|(unit, present)| there(unit, present)),
        Just(Act::Leave),
        unit.clone().prop_map(|unit| Act::Minutes {
            duties: vec![duty(unit, "something")],
        }),
        Just(Act::Close),
        (0_u32..3).prop_map(|duty| Act::Finish { duty }),
        (unit, rating.clone(), rating.clone()).prop_map(|(unit, speed, quality)| Act::RateUnit {
            unit: code(unit),
            speed,
            quality,
        }),
        rating.prop_map(|rating| Act::RateWhistle { rating }),
        Just(Act::Remind),
        Just(Act::Reckon),
    ]
}

/// Somebody: mostly one of those who have to do with it, so that the tales go on for a while.
fn anybody() -> impl Strategy<Value = Actor> {
    let close = [
        "west-dispatcher",
        "west-lead",
        "roads-handler",
        "lights-handler",
        "cleaners-handler",
    ];
    prop_oneof![
        4 => prop::sample::select(close.to_vec()).prop_map(post),
        2 => prop::sample::select(POSTS.to_vec()).prop_map(|(code, ..)| post(code)),
        1 => prop::sample::select(vec![Actor::Public, Actor::System, village::REPORTER, Actor::Client { key: 1 }]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_is_tried_the_fold_is_the_log_and_nobody_acts_who_is_not_in_the_table(
        kind in prop::sample::select(vec!["joint", "hard", "emergency"]),
        tries in prop::collection::vec((anybody(), any_act(), 0_i64..90, any::<bool>()), 1..40),
    ) {
        let mut call = Call::blown_in(&VILLAGE, "west-dispatcher", &new(kind)).unwrap();
        for (by, act, minutes, says_why) in tries {
            call.after(minutes);
            let before = call.whistle.clone();
            let line = Transition::of(act.verb());
            let offered = offered(&before, &by, &VILLAGE).any(|one| one.verb == act.verb());
            let done = call.tries(&by, &act, if says_why { "because" } else { "" });
            if done.is_ok() && call.whistle != before {
                prop_assert!(line.permits(&by, &before, &VILLAGE));
                prop_assert!(line.from.contains(&before.stage));
                prop_assert!(offered, "{:?} did {:?}, which no button offered", by, act);
                prop_assert!(by == Actor::System || may_see_whistle(&before, &by, &VILLAGE));
            } else {
                prop_assert_eq!(&call.whistle, &before);
            }
        }
    }

    #[test]
    fn who_has_no_part_in_it_does_nothing(act in any_act()) {
        for by in ["east-dispatcher", "east-patrol", "mill-patrol", "auditor", "administrator", "cleaners-patrol"] {
            let mut call = Call::joint();
            let why = call.refused(by, act.clone());
            prop_assert!(["not_allowed", "wrong_stage"].contains(&why), "{} because {}", by, why);
        }
    }
}

#[test]
fn the_default_kinds_are_blown_by_roles_that_a_station_has() {
    for kind in VILLAGE.whistle_kinds() {
        assert!(kind.roles.contains(&Role::Lead), "{kind:?}");
        assert!(!kind.levels.is_empty() && kind.highest.depth() <= kind.levels[0].depth());
    }
    assert_eq!(VILLAGE.areas.get(CITY).level, whistle_domain::place::Level::City);
}

#[test]
fn a_changed_calendar_recomputes_the_clocks_of_the_units_and_says_so() {
    let call = Call::joint();
    // Three working days from Wednesday the 13th leave out the 15th.
    assert_eq!(call.due("roads", ClockKind::ReportIn), may(18, 18, 0));
    let place = village_with(|parts| {
        let mut rules = parts.calendar.rules().clone();
        rules.holidays.clear();
        parts.calendar = whistle_domain::calendar::Calendar::new(rules).unwrap();
    });
    let mut call = Call {
        place: &place,
        ..call
    };
    call.tries(&Actor::System, &Act::Reckon, "").unwrap();
    assert_eq!(call.due("roads", ClockKind::ReportIn), may(16, 18, 0));
    assert_eq!(call.words(), ["asked", "blown", "reckoned"]);
    call.tries(&Actor::System, &Act::Reckon, "").unwrap();
    assert_eq!(
        call.words().len(),
        3,
        "a calendar that changes nothing is not told of"
    );
}
