//! What the public is shown of a case, and what it is not.

mod village;

use proptest::prelude::*;
use village::{Tale, VILLAGE, matter, post};
use whistle_domain::{
    case::{Actor, Channel, Outcome, Photo, PhotoKind, Respondent, State, SupervisionKind},
    command::{Act, NewReport},
    mask::{MASK, mask},
    public::{self, Step},
};

/// A long case in which every text holds a secret.
fn told_with(secret: &str) -> Tale<'static> {
    let text = format!("call {secret} now");
    let mut new = NewReport {
        description: text.clone(),
        ..matter("lamp")
    };
    new.whereabouts.address.clone_from(&text);
    let mut tale = Tale::of(&VILLAGE, &new, &Actor::Public);
    let photo = |public| Act::AddPhoto {
        photo: Photo {
            id: "0f".into(),
            kind: PhotoKind::Before,
            public,
        },
    };
    let back = Act::Return {
        right_unit: "roads".parse().unwrap(),
    };
    let again = Act::Assign {
        unit: Some("lights".parse().unwrap()),
    };
    let until = jiff::civil::date(2026, 5, 20);
    let done = Act::Handle {
        outcome: Outcome::Resolved,
    };
    for (by, act) in [
        (
            Actor::Public,
            Act::Join {
                channel: Channel::Web,
            },
        ),
        (post("lights-handler"), back),
        (post("dispatcher"), again),
        (post("dispatcher"), Act::Comment { public: false }),
        (post("dispatcher"), Act::Comment { public: true }),
        (
            post("city-lead"),
            Act::Supervise {
                on: true,
                kind: SupervisionKind::Important,
            },
        ),
        (post("dispatcher"), Act::Extend),
        (post("dispatcher"), Act::Park { until }),
        (post("dispatcher"), Act::Resume),
        (
            post("dispatcher"),
            Act::AssignJoint {
                unit: "roads".parse().unwrap(),
                limit: None,
            },
        ),
        (post("roads-handler"), Act::HandleJoint),
        (
            post("dispatcher"),
            Act::Ask {
                of: Respondent::Reporter { report: 1 },
                choices: vec![],
                until,
                reachable: true,
            },
        ),
        (village::REPORTER, Act::Answer { choice: None }),
        (village::REPORTER, photo(true)),
        (post("lights-handler"), photo(false)),
        (post("lights-handler"), Act::ReportIn),
        (post("lights-handler"), done.clone()),
        (post("dispatcher"), Act::Rework),
        (post("lights-handler"), done),
        (village::REPORTER, Act::Verify),
        (village::REPORTER, Act::RequestReopen),
        (post("west-lead"), Act::RefuseReopen),
    ] {
        let tried = tale.after(5).tries(&by, &act, &text);
        assert!(tried.is_ok(), "{act:?}: {tried:?}");
    }
    tale
}

/// All that the public reads of a case, as one text.
fn shown(tale: &Tale<'_>) -> String {
    [
        serde_json::to_string(&public::timeline(&tale.log)).unwrap(),
        public::description(&tale.case),
        public::address(&tale.case),
        public::resolution(&tale.case),
    ]
    .join("\n")
}

#[test]
fn the_timeline_tells_what_happened_by_units_and_keeps_inner_words_inside() {
    let tale = told_with("me");
    let lines: Vec<_> = public::timeline(&tale.log)
        .into_iter()
        .map(|e| {
            let unit = e.unit.map(|u| u.to_string()).unwrap_or_default();
            let outcome = e.outcome.map(Outcome::as_str).unwrap_or_default();
            let line = format!("{:>3} {:17}{unit:10}{outcome:10}{}", e.version, e.event, e.text);
            line.trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn no_post_account_or_channel_reaches_the_public() {
    let text = shown(&told_with("me"));
    for inner in [
        "handler",
        "dispatcher",
        "lead\"",
        "account",
        "post",
        "web",
        "report\":",
    ] {
        assert!(!text.contains(inner), "{inner} in {text}");
    }
}

#[test]
fn only_public_photos_are_shown() {
    let tale = told_with("me");
    assert_eq!(tale.case.photos.len(), 2);
    assert!(public::photos(&tale.case).all(|p| p.public));
    assert_eq!(public::photos(&tale.case).count(), 1);
}

#[test]
fn the_step_is_closed_until_reopening_is_granted() {
    let open = [
        (State::Reported, Step::Received),
        (State::Accepted, Step::Received),
        (State::Assigned, Step::Assigned),
        (State::InProgress, Step::InProgress),
        (State::Handled(Outcome::Resolved), Step::Checking),
    ];
    for (state, step) in open {
        assert_eq!((Step::of(state), state.is_open()), (step, true));
    }
    for state in [
        State::Closed(Outcome::Resolved),
        State::ReopenRequested(Outcome::Resolved),
    ] {
        assert_eq!((Step::of(state), state.is_open()), (Step::Closed, false));
    }
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "1[3-9][0-9]{9}",
        "\\+41 [1-9][0-9] [0-9]{3} [0-9]{2} [0-9]{2}",
        "\\([1-9][0-9]{2}\\) [0-9]{3}-[0-9]{4}",
        "0[1-9][0-9]{2}-[0-9]{8}",
        "[a-z]{3,9}\\.[a-z]{2,9}@[a-z]{3,9}\\.(org|com|cn)",
        "[1-6][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|1[0-9])[0-9]{3}X",
        "黑[A-Z][0-9]{5}",
        "ZH [0-9]{6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_secret_in_any_text_is_not_shown(secret in secret()) {
        let text = shown(&told_with(&secret));
        prop_assert!(!text.contains(&secret), "{}", text);
        prop_assert!(text.contains(MASK));
        let digits: String = secret.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= 7 {
            let left: String = text.lines().skip(1).flat_map(str::chars).filter(char::is_ascii_digit).collect();
            prop_assert!(left.is_empty(), "{}", left);
        }
    }

    #[test]
    fn a_masked_text_is_not_masked_further(text in "[a-z0-9 +@.()-]{0,60}") {
        let once = mask(&text).into_owned();
        prop_assert_eq!(mask(&once).into_owned(), once.clone());
    }
}
