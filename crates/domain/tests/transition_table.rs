//! The table of transitions as people read it, and the words of refusals.

mod village;

use std::{collections::BTreeSet, fmt::Write as _};

use village::{POSTS, Tale, VILLAGE, post};
use whistle_domain::{
    case::{Actor, Stage},
    command::Refusal,
    rights::Role,
    transition::{Need, TRANSITIONS, To, Transition, Verb, Who, allows, offered},
    words::CaseNumber,
};

fn who(who: Who) -> String {
    match who {
        Who::Reporter => "reporter".into(),
        Who::FirstReporter => "the first reporter".into(),
        Who::Anyone => "anyone".into(),
        Who::Client => "client".into(),
        Who::System => "system".into(),
        Who::InArea(role) => format!("{} in the area", role.as_str()),
        Who::InStation(role) => format!("{} of a station in the area", role.as_str()),
        Who::InLead(role) => format!("{} of the leading unit", role.as_str()),
        Who::InJoint(role) => format!("{} of a unit with a part in it", role.as_str()),
        Who::Respondent => "the one who was asked".into(),
    }
}

fn stages(stages: &[Stage]) -> String {
    stages.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(" | ")
}

#[test]
fn the_table_reads_so() {
    let mut text = String::new();
    for line in TRANSITIONS {
        let to = match line.to {
            To::Stage(to) => stages(to),
            To::Same => "(same)".into(),
        };
        let who: Vec<_> = line.who.iter().copied().map(who).collect();
        let needs: Vec<_> = line
            .needs
            .iter()
            .map(|n| serde_json::to_value(n).unwrap().as_str().unwrap().to_owned())
            .collect();
        writeln!(text, "{}", line.verb.as_str()).unwrap();
        writeln!(text, "    from   {}", stages(line.from)).unwrap();
        writeln!(text, "    to     {to}").unwrap();
        writeln!(text, "    by     {}", who.join(", ")).unwrap();
        if !needs.is_empty() {
            writeln!(text, "    needs  {}", needs.join(", ")).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_matrix_of_verbs_and_stages_reads_so() {
    let mark = |stage: Stage| match stage {
        Stage::Reported => "R",
        Stage::Accepted => "A",
        Stage::Assigned => "S",
        Stage::InProgress => "P",
        Stage::Handled => "H",
        Stage::Closed => "C",
        Stage::ReopenRequested => "Q",
    };
    let mut text = format!("{:16}", "");
    for stage in Stage::ALL {
        write!(text, "{:18}", format!("{} {}", mark(stage), stage.as_str())).unwrap();
    }
    for line in TRANSITIONS {
        write!(text, "\n{:16}", line.verb.as_str()).unwrap();
        for stage in Stage::ALL {
            let cell = match (line.from.contains(&stage), line.to) {
                (false, _) => "·".to_owned(),
                (true, To::Same) => "=".to_owned(),
                (true, To::Stage(to)) => to.iter().copied().map(mark).collect(),
            };
            write!(text, "{cell:18}").unwrap();
        }
    }
    let text: Vec<_> = text.lines().map(str::trim_end).collect();
    insta::assert_snapshot!(text.join("\n"));
}

#[test]
fn who_may_do_what_to_a_lamp_in_mill_reads_so() {
    let reported = Tale::resident("pothole").case;
    let mut assigned = Tale::resident("lamp");
    let mut text = String::new();
    let mut matrix = |title: &str, case: &whistle_domain::case::Case| {
        writeln!(text, "{title}").unwrap();
        let everybody = POSTS.iter().map(|(code, ..)| (*code, post(code))).chain([
            ("(reporter)", village::REPORTER),
            ("(client)", Actor::Client { key: 1 }),
            ("(anyone)", Actor::Public),
            ("(system)", Actor::System),
        ]);
        for (name, actor) in everybody {
            let verbs: Vec<_> = offered(case, &actor, &VILLAGE, case.times.updated_at)
                .map(|l| l.verb.as_str())
                .collect();
            writeln!(text, "    {name:18}{}", verbs.join(" ")).unwrap();
        }
    };
    matrix("reported", &reported);
    matrix("assigned to the lights department", &assigned.case);
    assigned
        .does("lights-handler", whistle_domain::command::Act::ReportIn)
        .does(
            "lights-handler",
            whistle_domain::command::Act::Handle {
                outcome: whistle_domain::case::Outcome::Resolved,
            },
        );
    matrix("handled by the lights department", &assigned.case);
    assigned.reporter_does(whistle_domain::command::Act::Verify);
    matrix("closed", &assigned.case);
    insta::assert_snapshot!(text);
}

#[test]
fn every_verb_has_exactly_one_line() {
    let words: BTreeSet<_> = TRANSITIONS.iter().map(|t| t.verb.as_str()).collect();
    assert_eq!(words.len(), TRANSITIONS.len());
    for line in TRANSITIONS {
        let word = serde_json::to_value(line.verb).unwrap();
        assert_eq!(word.as_str(), Some(line.verb.as_str()));
        let verb: Verb = serde_json::from_value(word).unwrap();
        assert_eq!(Transition::of(verb).verb, line.verb);
        assert!(!line.who.is_empty() && !line.from.is_empty());
    }
}

#[test]
fn every_open_stage_can_be_left_and_every_closed_one_reopened() {
    for stage in Stage::ALL {
        let leads_on =
            |line: &&Transition| Stage::ALL.iter().any(|to| *to != stage && line.leads(stage, *to));
        assert!(TRANSITIONS.iter().any(|line| leads_on(&line)), "{stage:?}");
    }
}

#[test]
fn an_auditor_and_an_administrator_change_nothing() {
    for who in TRANSITIONS.iter().flat_map(|line| line.who) {
        let (Who::InArea(role) | Who::InStation(role) | Who::InLead(role) | Who::InJoint(role)) = who else {
            continue;
        };
        assert!(!matches!(role, Role::Auditor | Role::Administrator));
    }
}

#[test]
fn a_log_that_jumps_over_a_stage_is_not_allowed() {
    use whistle_domain::case::{Body, Outcome};
    let verified = Body::Verified {
        outcome: Outcome::Resolved,
    };
    let handled = Body::Handled {
        outcome: Outcome::Resolved,
        on_the_spot: false,
        recheck: false,
    };
    assert!(!allows(Some(Stage::Assigned), &verified, Stage::Closed));
    assert!(!allows(Some(Stage::Accepted), &handled, Stage::Handled));
    assert!(!allows(None, &handled, Stage::Handled));
    assert!(!allows(Some(Stage::Closed), &Body::Resumed, Stage::Closed));
    assert!(allows(Some(Stage::Handled), &verified, Stage::Closed));
}

#[test]
fn the_words_of_refusals_are_unique_and_stable() {
    let park = jiff::civil::date(2026, 7, 12);
    let all = [
        Refusal::WrongStage {
            verb: Verb::Assign,
            stage: Stage::Closed,
        },
        Refusal::NotAllowed(Verb::Assign),
        Refusal::MayNotReport,
        Refusal::Missing {
            verb: Verb::Decline,
            need: Need::Text,
        },
        Refusal::FixerCannotVerify,
        Refusal::LeadMustDecide(2),
        Refusal::NoMoreReturns(2),
        Refusal::ParkedBefore,
        Refusal::ParkDate(park),
        Refusal::NoMoreExtensions(1),
        Refusal::Overdue,
        Refusal::WindowOver(15),
        Refusal::UnknownService("lampe".into()),
        Refusal::IsGroup("street".into()),
        Refusal::NotPublic("rats".into()),
        Refusal::UnknownStandard("L9".into()),
        Refusal::UnknownUnit("nobody".into()),
        Refusal::NoLead,
        Refusal::UnknownArea("V9".into()),
        Refusal::OutsidePlace { lon: 1.5, lat: 2.5 },
        Refusal::NoLocation,
        Refusal::TextTooLong { letters: 4001 },
        Refusal::NoDescription,
        Refusal::TooManyPhotos,
        Refusal::BadAnswer {
            question: "size".into(),
            what: "choose one of its values".into(),
        },
        Refusal::NotAnOutcomeOfWork(whistle_domain::case::Outcome::Declined),
        Refusal::MergedInto(CaseNumber(3)),
        Refusal::OriginalMerged(CaseNumber(3)),
        Refusal::OtherClass,
        Refusal::OfAClass("confidential".into()),
        Refusal::TooManyParts,
        Refusal::TooManySplit,
        Refusal::AskDate(park),
        Refusal::BadChoices,
        Refusal::NotAChoice,
        Refusal::NoSuchReport(9),
        Refusal::QuestionOver,
        Refusal::MergedIntoItself,
        Refusal::OnlyPostsFix,
        Refusal::Stale { seen: 3, now: 4 },
    ];
    let words: BTreeSet<_> = all.iter().map(Refusal::word).collect();
    assert_eq!(words.len(), all.len());
    let text: Vec<_> = all.iter().map(|r| format!("{:24}{r}", r.word())).collect();
    insta::assert_snapshot!(text.join("\n"));
    assert_eq!(CaseNumber(7).to_string(), "7");
}
