//! What no sequence of commands, by whomever and whenever, can break. [`Tale`] itself checks after every step that
//! the table allowed it, that the log folds to the case, that times do not go backwards, and what the clocks may do.

mod village;

use std::collections::BTreeMap;

use jiff::{Span, Timestamp};
use proptest::prelude::*;
use village::{
    POSTS, Tale, VILLAGE,
    lots::{any_act, any_report, any_steps, tale_of},
    post,
};
use whistle_domain::{
    case::{
        Actor, Body, Case, Channel, Event, FoldError, JointPart, MAX_PHOTOS, Outcome, Photo, PhotoKind,
        Rating, Respondent, State, SupervisionKind,
    },
    clock::{ClockChange, ClockKind, UnitClock},
    command::{Act, Refusal, Whereabouts},
    place::Level,
    tally::{By, Counted, additions},
    transition::{TRANSITIONS, Verb, offered},
    words::CaseNumber,
};

/// A step of every verb, with something that fits, for "is it refused".
fn fitting(verb: Verb, case: &Case, now: Timestamp) -> Option<Act> {
    let another = ["roads", "lights"]
        .into_iter()
        .find(|code| case.lead.as_ref().is_none_or(|lead| lead.as_str() != *code))
        .unwrap();
    Some(match verb {
        Verb::Accept => Act::Accept { standard: None },
        Verb::Decline => Act::Decline,
        Verb::Merge => Act::Merge { into: CaseNumber(3) },
        Verb::Refer => Act::Refer,
        Verb::Withdraw => Act::Withdraw,
        Verb::Assign => Act::Assign {
            unit: Some(another.parse().unwrap()),
        },
        Verb::Sign => Act::Sign,
        Verb::ReportIn => Act::ReportIn,
        Verb::Return => Act::Return {
            right_unit: another.parse().unwrap(),
        },
        Verb::Handle => Act::Handle {
            outcome: Outcome::Resolved,
        },
        Verb::FixOnTheSpot => return None,
        Verb::Verify => Act::Verify,
        Verb::Rework => Act::Rework,
        Verb::Settle => Act::Settle {
            outcome: Outcome::Resolved,
        },
        Verb::RequestReopen => Act::RequestReopen,
        Verb::Reopen => Act::Reopen,
        Verb::RefuseReopen => Act::RefuseReopen,
        Verb::Park => Act::Park {
            until: VILLAGE.calendar.zone().to_datetime(now).date() + Span::new().days(3),
        },
        Verb::Resume => Act::Resume,
        Verb::Extend => Act::Extend,
        Verb::Reclassify => Act::Reclassify {
            service: "lamp".parse().unwrap(),
        },
        Verb::Relocate => Act::Relocate {
            whereabouts: Whereabouts {
                area: Some("V22".parse().unwrap()),
                ..Whereabouts::default()
            },
        },
        Verb::Join => Act::Join {
            channel: Channel::Web,
        },
        Verb::Comment => Act::Comment { public: false },
        Verb::AddPhoto => Act::AddPhoto {
            photo: Photo {
                id: "0f".into(),
                kind: PhotoKind::Before,
                public: true,
            },
        },
        Verb::Rate => Act::Rate { rating: Rating::Good },
        Verb::Supervise => Act::Supervise {
            on: true,
            kind: SupervisionKind::Ordered,
        },
        Verb::Absorb => Act::Absorb {
            from: CaseNumber(3),
            photos: vec![],
        },
        Verb::Split => Act::Split { into: CaseNumber(3) },
        Verb::AssignJoint => {
            let is_free = |code: &&str| {
                let unit = code.parse().unwrap();
                let has_part = |part: &JointPart| part.is_open() && part.unit == unit;
                case.lead.as_ref() != Some(&unit) && !case.joint.iter().any(has_part)
            };
            let free = VILLAGE
                .units()
                .iter()
                .map(|unit| unit.code.as_str())
                .find(is_free);
            Act::AssignJoint {
                unit: free.unwrap().parse().unwrap(),
                limit: [None, Some("4h working".parse().unwrap())][case.version as usize % 2],
            }
        }
        Verb::HandleJoint => Act::HandleJoint,
        Verb::ReleaseJoint => Act::ReleaseJoint {
            unit: match case.joint.iter().find(|part| part.is_open()) {
                Some(part) => part.unit.clone(),
                None => another.parse().unwrap(),
            },
        },
        Verb::VerifyPartly => Act::VerifyPartly,
        Verb::AskToPark => Act::AskToPark {
            until: VILLAGE.calendar.zone().to_datetime(now).date() + Span::new().days(3),
        },
        Verb::AskToExtend => Act::AskToExtend,
        Verb::GrantRequest => Act::GrantRequest,
        Verb::RefuseRequest => Act::RefuseRequest,
        Verb::Ask => Act::Ask {
            of: Respondent::Outside,
            choices: vec![],
            reachable: false,
            until: VILLAGE.calendar.zone().to_datetime(now).date() + Span::new().days(3),
        },
        Verb::Answer => Act::Answer {
            choice: case.question.as_ref().and_then(|q| q.choices.first().cloned()),
        },
        Verb::Show => Act::Show { public: true },
        Verb::Whistle => Act::Whistle {
            whistle: whistle_domain::words::WhistleNumber(1),
            stage: whistle_domain::whistle::Stage::Blown,
        },
        Verb::Reckon => Act::Reckon,
        Verb::Escalate => Act::Escalate,
        Verb::Erase => Act::Erase {
            contact: true,
            texts: 1,
            photos: vec![],
        },
    })
}

fn cases(n: u32) -> ProptestConfig {
    ProptestConfig {
        cases: n,
        ..ProptestConfig::default()
    }
}

proptest! {
    // Each tale is tried by everybody with every verb, hence fewer.
    #![proptest_config(cases(60))]

    #[test]
    fn what_is_offered_is_not_refused_and_what_is_not_offered_is(
        report in any_report(), steps in any_steps(25), later in 0_i64..40_000,
    ) {
        let mut tale = tale_of(&report, &steps).unwrap();
        tale.after(later);
        let now = tale.now.max(tale.case.times.updated_at);
        let question = tale.case.question.as_ref().map(|question| question.number).unwrap_or_default();
        let everybody = POSTS.iter().map(|(code, ..)| post(code)).chain([
            Actor::Asked { question }, village::REPORTER, Actor::Reporter { report: 2 }, Actor::System, Actor::Client { key: 1 }, Actor::Public,
        ]);
        for actor in everybody {
            let offers: Vec<Verb> = offered(&tale.case, &actor, tale.place, now)
                .map(|line| line.verb)
                .collect();
            for line in TRANSITIONS {
                let Some(act) = fitting(line.verb, &tale.case, now) else {
                    prop_assert!(!offers.contains(&line.verb));
                    continue;
                };
                let mut trial = Tale {
                    place: tale.place, case: tale.case.clone(), log: tale.log.clone(), now: tale.now, chance: 0.5,
                };
                let tried = trial.tries(&actor, &act, "because");
                prop_assert_eq!(
                    tried.is_ok(), offers.contains(&line.verb),
                    "{:?} by {:?} on {:?}: {:?}", line.verb, actor, tale.case, tried
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(250))]

    #[test]
    fn no_sequence_of_commands_breaks_a_rule(report in any_report(), steps in any_steps(40)) {
        let tale = tale_of(&report, &steps).unwrap();
        prop_assert_eq!(tale.case.version as usize, tale.log.len());
        for event in &tale.log {
            if let Body::Verified { .. } = event.body {
                prop_assert!(tale.case.state.outcome().is_some() || tale.case.flags.reopened > 0);
            }
        }
    }

    #[test]
    fn a_case_and_its_events_come_back_from_json_as_they_were(
        report in any_report(), steps in any_steps(25),
    ) {
        let tale = tale_of(&report, &steps).unwrap();
        let text = serde_json::to_string(&tale.case).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Case>(&text).unwrap(), &tale.case);
        let stored: Vec<Event> = tale.log.iter().map(|event| Event {
            at: event.at,
            made_at: event.made_at,
            by: again(&event.by),
            body: again(&event.body),
            text: event.text.clone(),
            salt: event.salt,
            clocks: again::<Vec<ClockChange>>(&event.clocks),
            parts: again::<Vec<UnitClock>>(&event.parts),
        }).collect();
        prop_assert_eq!(&stored, &tale.log);
        prop_assert_eq!(Case::fold(tale.case.number, &stored).unwrap(), tale.case);
        for event in &tale.log {
            let body = serde_json::to_value(&event.body).unwrap();
            prop_assert_eq!(body["event"].as_str(), Some(event.body.as_str()));
        }
    }

    #[test]
    fn every_act_comes_back_from_json_as_it_was(act in any_act()) {
        prop_assert_eq!(&again(&act), &act);
        let value = serde_json::to_value(&act).unwrap();
        prop_assert_eq!(value["verb"].as_str(), Some(act.verb().as_str()));
    }

    #[test]
    fn the_counters_are_what_a_recount_of_the_cases_gives(
        told in prop::collection::vec((any_report(), any_steps(25)), 1..6),
    ) {
        let tales: Vec<Tale> = told.iter().map(|(report, steps)| tale_of(report, steps).unwrap()).collect();
        let mut sums: BTreeMap<(Counted, String), i64> = BTreeMap::new();
        for tale in &tales {
            let mut before: Option<Case> = None;
            for nth in 1..=tale.log.len() {
                let after = Case::fold(tale.case.number, &tale.log[..nth]).unwrap();
                for addition in additions(before.as_ref(), &after, &tale.log[nth - 1], &VILLAGE.calendar) {
                    prop_assert_eq!(addition.day.is_none(), addition.counted == Counted::Open);
                    *sums.entry((addition.counted, key(&addition.by))).or_default() += addition.delta;
                }
                before = Some(after);
            }
        }
        let of = |counted, prefix: &str| -> i64 {
            sums.iter().filter(|((c, k), _)| *c == counted && k.starts_with(prefix)).map(|(_, n)| n).sum()
        };
        let count = |wanted: &dyn Fn(&Case) -> i64| tales.iter().map(|t| wanted(&t.case)).sum::<i64>();
        for prefix in ["area ", "service "] {
            prop_assert_eq!(of(Counted::Filed, prefix), tales.len() as i64);
            prop_assert_eq!(of(Counted::Reopened, prefix), count(&|c| i64::from(c.flags.reopened)));
            prop_assert_eq!(of(Counted::Returned, prefix), count(&|c| i64::from(c.flags.returned)));
            prop_assert_eq!(of(Counted::Reworked, prefix), count(&|c| i64::from(c.flags.reworked)));
            let closed = count(&|c| i64::from(!c.state.is_open()));
            prop_assert_eq!(of(Counted::Closed, prefix) - of(Counted::Reopened, prefix), closed);
        }
        let mut open: BTreeMap<String, i64> = BTreeMap::new();
        for case in tales.iter().map(|t| &t.case).filter(|c| c.state.is_open()) {
            let areas = &case.location.areas;
            let area = areas.at(Level::Community).or(areas.at(Level::Town)).or(areas.at(Level::City)).unwrap();
            *open.entry(format!("area {area}")).or_default() += 1;
            *open.entry(format!("service {}", case.service)).or_default() += 1;
        }
        let counted: BTreeMap<String, i64> = sums
            .into_iter()
            .filter(|((counted, _), n)| *counted == Counted::Open && *n != 0)
            .map(|((_, key), n)| (key, n))
            .collect();
        prop_assert_eq!(counted, open);
    }
}

fn again<T: serde::Serialize + serde::de::DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn key(by: &By<'_>) -> String {
    match by {
        By::Area(code) => format!("area {code}"),
        By::Service(code) => format!("service {code}"),
    }
}

#[test]
fn random_tales_reach_every_stage_and_tell_every_event() {
    // Else the properties above would hold of little.
    use proptest::{
        strategy::ValueTree,
        test_runner::{RngAlgorithm, TestRng, TestRunner},
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let mut words = std::collections::BTreeSet::new();
    for _ in 0..400 {
        let report = any_report().new_tree(&mut runner).unwrap().current();
        let steps = any_steps(40).new_tree(&mut runner).unwrap().current();
        let tale = tale_of(&report, &steps).unwrap();
        words.extend(tale.words());
    }
    let by_itself = ["whistled", "reckoned"];
    let wanted = Body::WORDS.into_iter().filter(|w| !by_itself.contains(w));
    let missing: Vec<_> = wanted.filter(|w| !words.contains(w)).collect();
    assert!(missing.is_empty(), "never told: {missing:?}");
}

#[test]
fn a_log_begins_with_a_report_and_has_only_one() {
    let tale = Tale::resident("lamp");
    let number = CaseNumber(7);
    assert_eq!(Case::fold(number, []), Err(FoldError::Empty));
    assert_eq!(
        Case::fold(number, &tale.log[1..]),
        Err(FoldError::NoReport("accepted"))
    );
    let twice = [tale.log[0].clone(), tale.log[0].clone()];
    assert_eq!(Case::fold(number, &twice), Err(FoldError::SecondReport(2)));
}

#[test]
fn a_case_holds_a_bounded_number_of_photos() {
    let mut tale = Tale::resident("lamp");
    let photo = Photo {
        id: "0f".into(),
        kind: PhotoKind::Before,
        public: true,
    };
    for _ in 0..MAX_PHOTOS {
        tale.reporter_does(Act::AddPhoto { photo: photo.clone() });
    }
    assert_eq!(
        tale.refused(&village::REPORTER, Act::AddPhoto { photo }),
        "too_many_photos"
    );
}

#[test]
fn a_misspelt_field_of_an_act_is_refused() {
    for text in [
        r#"{"verb":"park","until":"2026-06-01","untill":1}"#,
        r#"{"verb":"relocate","area":"V1","zone":"x"}"#,
        r#"{"verb":"assign","unti":"roads"}"#,
        r#"{"verb":"fix_on_the_spot"}"#,
    ] {
        assert!(serde_json::from_str::<Act>(text).is_err(), "{text}");
    }
}

#[test]
fn an_extended_and_parked_clock_is_still_reckoned_from_its_own_record() {
    let mut tale = Tale::resident("lamp");
    tale.does("dispatcher", Act::Extend)
        .after(7 * 24 * 60)
        .does(
            "dispatcher",
            Act::Park {
                until: jiff::civil::date(2026, 5, 22),
            },
        )
        .after(3 * 24 * 60)
        .does("dispatcher", Act::Resume);
    let clock = tale.clock(ClockKind::Resolve);
    assert_eq!((clock.extensions, clock.pauses.len()), (1, 1));
    assert_eq!(clock.due_at, clock.reckon(&VILLAGE.calendar));
    assert_eq!(tale.case.state, State::Assigned);
    assert_eq!(Refusal::Overdue.word(), "overdue");
}
