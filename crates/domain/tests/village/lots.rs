//! Random tales: what anybody may try to do with a case, drawn by lot.

use jiff::Span;
use proptest::prelude::*;
use whistle_domain::{
    case::{Actor, Case, Channel, Outcome, Photo, PhotoKind, Rating, Respondent, SupervisionKind},
    command::{Act, NewReport, Whereabouts},
    transition::{Transition, Verb},
    words::CaseNumber,
};

use super::{POSTS, REPORTER, Tale, VILLAGE, matter, may, post};

/// An act, by whom, how many minutes after the one before, and the lot drawn.
#[derive(Debug, Clone)]
pub struct Step {
    pub by: Actor,
    pub act: Act,
    pub minutes: i64,
    pub chance: f64,
}

pub fn any_actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        12 => prop::sample::select(&POSTS[..]).prop_map(|(code, ..)| post(code)),
        3 => (1_u32..3).prop_map(|report| Actor::Reporter { report }),
        1 => (1_u32..9).prop_map(|question| Actor::Asked { question }),
        2 => Just(Actor::System),
        1 => Just(Actor::Client { key: 1 }),
        1 => Just(Actor::Public),
    ]
}

pub fn any_unit() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["roads", "lights", "cleaners", "S-V11", "S-V1", "nobody"])
}

pub fn any_whereabouts() -> impl Strategy<Value = Whereabouts> {
    let area = prop::sample::select(vec!["V", "V1", "V11-1", "V22", "V21"]);
    let point = (120.0..120.45, 30.0..30.1)
        .prop_map(|(lon, lat)| whistle_domain::geometry::Point::new(lon, lat).unwrap());
    (prop::option::of(point), area, "[a-z]{0,3}Mill?").prop_map(|(point, area, address)| Whereabouts {
        point,
        address,
        area: Some(area.parse().unwrap()),
    })
}

pub fn any_service() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["pothole", "lamp", "litter", "rats"])
}

pub fn any_photo() -> impl Strategy<Value = Photo> {
    any::<bool>().prop_map(|public| Photo {
        id: "0f".into(),
        kind: PhotoKind::After,
        public,
    })
}

pub fn any_respondent() -> impl Strategy<Value = Respondent> {
    prop_oneof![
        (1_u32..3).prop_map(|report| Respondent::Reporter { report }),
        Just(Respondent::Outside),
    ]
}

pub fn any_choices() -> impl Strategy<Value = Vec<String>> {
    prop::sample::select(vec![vec![], vec!["yes"], vec!["yes", "no"], vec!["yes", "yes"]])
        .prop_map(|choices| choices.into_iter().map(str::to_owned).collect())
}

pub fn any_act() -> impl Strategy<Value = Act> {
    let outcome = || prop::sample::select(&Outcome::ALL[..]);
    let of_work = prop::sample::select(&Outcome::OF_WORK[..]);
    prop_oneof![
        6 => prop::option::of(prop::sample::select(vec!["P1", "P2", "L1"]))
            .prop_map(|code| Act::Accept { standard: code.map(|c| c.parse().unwrap()) }),
        1 => Just(Act::Decline),
        1 => (6_i64..9).prop_map(|into| Act::Merge { into: CaseNumber(into) }),
        1 => Just(Act::Refer),
        1 => Just(Act::Withdraw),
        8 => prop::option::of(any_unit())
            .prop_map(|code| Act::Assign { unit: code.map(|c| c.parse().unwrap()) }),
        4 => Just(Act::Sign),
        8 => Just(Act::ReportIn),
        4 => any_unit().prop_map(|code| Act::Return { right_unit: code.parse().unwrap() }),
        8 => of_work.prop_map(|outcome| Act::Handle { outcome }),
        1 => outcome().prop_map(|outcome| Act::Handle { outcome }),
        4 => Just(Act::Verify),
        4 => Just(Act::Rework),
        1 => outcome().prop_map(|outcome| Act::Settle { outcome }),
        4 => Just(Act::RequestReopen),
        4 => Just(Act::Reopen),
        2 => Just(Act::RefuseReopen),
        3 => (-1_i32..70).prop_map(|days| Act::Park {
            until: jiff::civil::date(2026, 5, 13) + Span::new().days(days),
        }),
        3 => Just(Act::Resume),
        3 => Just(Act::Extend),
        3 => any_service().prop_map(|code| Act::Reclassify { service: code.parse().unwrap() }),
        2 => any_whereabouts().prop_map(|whereabouts| Act::Relocate { whereabouts }),
        1 => Just(Act::Join { channel: Channel::Phone }),
        1 => any::<bool>().prop_map(|public| Act::Comment { public }),
        1 => any_photo().prop_map(|photo| Act::AddPhoto { photo }),
        1 => prop::sample::select(&Rating::ALL[..]).prop_map(|rating| Act::Rate { rating }),
        1 => (any::<bool>(), prop::sample::select(&SupervisionKind::ALL[..]))
            .prop_map(|(on, kind)| Act::Supervise { on, kind }),
        1 => (10_i64..20, prop::collection::vec(any_photo(), 0..3))
            .prop_map(|(from, photos)| Act::Absorb { from: CaseNumber(from), photos }),
        1 => (20_i64..30).prop_map(|into| Act::Split { into: CaseNumber(into) }),
        5 => any_unit().prop_map(|code| Act::AssignJoint {
            unit: code.parse().unwrap(),
            limit: Some("1d working".parse().unwrap()),
        }),
        4 => Just(Act::HandleJoint),
        2 => any_unit().prop_map(|code| Act::ReleaseJoint { unit: code.parse().unwrap() }),
        2 => Just(Act::VerifyPartly),
        3 => (-1_i32..70).prop_map(|days| Act::AskToPark {
            until: jiff::civil::date(2026, 5, 13) + Span::new().days(days),
        }),
        3 => Just(Act::AskToExtend),
        3 => Just(Act::GrantRequest),
        2 => Just(Act::RefuseRequest),
        8 => (any_respondent(), any_choices(), -1_i32..40).prop_map(|(of, choices, days)| Act::Ask {
            of,
            choices,
            reachable: days % 5 != 0,
            until: jiff::civil::date(2026, 5, 13) + Span::new().days(days),
        }),
        10 => prop::option::of(Just("yes".to_owned())).prop_map(|choice| Act::Answer { choice }),
        1 => any::<bool>().prop_map(|public| Act::Show { public }),
        1 => Just(Act::Reckon),
        6 => Just(Act::Escalate),
        1 => Just(Act::Erase { contact: true, texts: 1, photos: vec![] }),
    ]
}

pub fn any_step() -> impl Strategy<Value = Step> {
    // Mostly forward by some hours, at times by weeks, now and then back.
    let minutes = prop_oneof![6 => 0_i64..600, 1 => 0_i64..30_000, 1 => -3_000_i64..0];
    (any_actor(), any_act(), minutes, 0.0..1.0).prop_map(|(by, act, minutes, chance)| Step {
        by,
        act,
        minutes,
        chance,
    })
}

/// One who may do it, if any: most steps of a random tale would otherwise be refused at the door.
pub fn somebody_who_may(case: &Case, verb: Verb, drawn: &Actor) -> Actor {
    let line = Transition::of(verb);
    let posts = POSTS.iter().map(|(code, ..)| post(code));
    let question = case
        .question
        .as_ref()
        .map(|question| question.number)
        .unwrap_or_default();
    let all = [Actor::Asked { question }].into_iter().chain(posts);
    let all = all.chain([REPORTER, Actor::System, Actor::Public]);
    let mut may = all.filter(|actor| line.permits(actor, case, &VILLAGE));
    if line.permits(drawn, case, &VILLAGE) {
        drawn.clone()
    } else {
        may.next().unwrap_or_else(|| drawn.clone())
    }
}

pub fn any_report() -> impl Strategy<Value = (NewReport, Actor)> {
    (any_service(), any_whereabouts(), any::<bool>(), any_actor()).prop_map(
        |(service, whereabouts, fixed, by)| {
            let new = NewReport {
                whereabouts,
                fixed: fixed.then(|| "done".to_owned()),
                ..matter(service)
            };
            (new, by)
        },
    )
}

/// A random tale; refused steps must have changed nothing.
pub fn tale_of(report: &(NewReport, Actor), steps: &[(Step, bool)]) -> Option<Tale<'static>> {
    let (new, by) = report;
    let plain = NewReport {
        fixed: None,
        ..matter("lamp")
    };
    let mut tale = Tale::told(&VILLAGE, new, by, may(13, 9, 0), 0.5)
        .or_else(|_| Tale::told(&VILLAGE, &plain, &Actor::Public, may(13, 9, 0), 0.5))
        .ok()?;
    for (step, as_drawn) in steps {
        tale.after(step.minutes).chance = step.chance;
        let by = if *as_drawn {
            step.by.clone()
        } else {
            somebody_who_may(&tale.case, step.act.verb(), &step.by)
        };
        let (case, length) = (tale.case.clone(), tale.log.len());
        if tale.tries(&by, &step.act, "because").is_err() {
            assert_eq!((&tale.case, tale.log.len()), (&case, length));
        }
    }
    Some(tale)
}

pub fn any_steps(most: usize) -> impl Strategy<Value = Vec<(Step, bool)>> {
    prop::collection::vec((any_step(), prop::bool::weighted(0.2)), 0..most)
}
