use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use whistle_domain::{
    case::{Body, Channel, Outcome, Rating, Stage, SupervisionKind},
    clock::ClockKind,
    escalation::Tier,
    public::Step,
    transition::TRANSITIONS,
    whistle,
};
use whistle_service::{
    notices::{Notice, Why},
    privacy::Purpose,
};

use super::*;

fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn keys(language: &str) -> BTreeSet<String> {
    let files = fs::read_dir(crate_dir().join("locales").join(language)).unwrap();
    let text: String = files
        .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let key = |line: &str| {
        let (key, _) = line.split_once(" =")?;
        let fits = key.starts_with(|c: char| c.is_ascii_lowercase());
        fits.then(|| key.to_owned())
    };
    text.lines().filter_map(key).collect()
}

fn sources(dir: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            sources(&entry.path(), into);
        } else if entry
            .path()
            .extension()
            .is_some_and(|e| ["rs", "html", "xml"].iter().any(|x| e == *x))
        {
            into.push(fs::read_to_string(entry.path()).unwrap());
        }
    }
}

#[test]
fn both_languages_have_the_same_keys() {
    assert_eq!(keys("zh"), keys("en"));
    assert!(keys("zh").len() > 300);
}

#[test]
fn every_key_that_a_page_uses_is_in_the_catalogue() {
    let mut texts = Vec::new();
    sources(&crate_dir().join("templates"), &mut texts);
    sources(&crate_dir().join("src/pages"), &mut texts);
    let known = keys("en");
    let mut used = 0;
    for text in &texts {
        for call in [
            ".t(\"",
            ".n(\"",
            ".x(\"",
            ".with(\n                \"",
            "set(\"flag",
            "counted(\"flag",
        ] {
            for rest in text.split(call).skip(1) {
                let key = rest.split('"').next().unwrap();
                let key = if call.ends_with("flag") {
                    format!("flag{key}")
                } else {
                    key.to_owned()
                };
                assert!(known.contains(&key), "{key:?} is used and not in the catalogue");
                used += 1;
            }
        }
    }
    assert!(used > 200, "only {used} uses were found");
}

#[test]
fn every_message_of_open311_is_in_the_catalogue() {
    let mut texts = Vec::new();
    sources(&crate_dir().join("src/open311"), &mut texts);
    let known = keys("en");
    let used: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split("\"open311-").skip(1))
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    let named: BTreeSet<&str> = known
        .iter()
        .filter_map(|key| key.strip_prefix("open311-"))
        .collect();
    assert_eq!(used, named);
}

#[test]
fn every_word_of_the_domain_has_a_message() {
    for words in [Words(Lang::Zh), Words(Lang::En)] {
        let mut all: Vec<String> = Vec::new();
        let mut add = |kind: &str, word: &str| all.push(words.x(&format!("{kind}-{word}"), "?"));
        for line in TRANSITIONS {
            for kind in ["verb", "hint", "text-of", "done"] {
                add(kind, line.verb.as_str());
            }
            for need in line.needs {
                add("need", need_word(*need));
            }
        }
        for word in ["supervise_off", "show_off"] {
            add("verb", word);
            add("hint", word);
        }
        for stage in Stage::ALL {
            add("stage", stage.as_str());
        }
        for outcome in Outcome::ALL {
            add("outcome", outcome.as_str());
        }
        for rating in Rating::ALL {
            add("rating", rating.as_str());
        }
        for step in Step::ALL {
            add("step", step.as_str());
        }
        for clock in ClockKind::ALL {
            add("clock", clock.as_str());
            add("promise", clock.as_str());
        }
        for kind in SupervisionKind::ALL {
            add("supervision", kind.as_str());
        }
        for tier in Tier::ALL {
            add("tier", tier.as_str());
        }
        for channel in CHANNELS {
            add("channel", channel.as_str());
        }
        for event in Body::WORDS {
            add("event", event);
        }
        for purpose in Purpose::ALL {
            add("privacy-what", purpose.as_str());
            add("privacy-why", purpose.as_str());
            add("privacy-seen", purpose.seen().as_str());
            for about in purpose.about() {
                add("privacy-about", about.as_str());
            }
        }
        for line in whistle::transition::TRANSITIONS {
            for kind in ["whistle-verb", "whistle-hint", "whistle-text-of", "whistle-done"] {
                add(kind, line.verb.as_str());
            }
            for need in line.needs {
                add("whistle-need", whistle_need_word(*need));
            }
        }
        for stage in whistle::Stage::ALL {
            add("whistle-stage", stage.as_str());
        }
        for state in whistle::CallState::ALL {
            add("call-state", state.as_str());
        }
        for event in whistle::Body::WORDS {
            add("whistle-event", event);
        }
        for tab in ["called", "area", "called_over", "area_over"] {
            add("whistle-tab", tab);
        }
        for tab in ["called", "area"] {
            add("handover-whistles", tab);
        }
        for rating in Rating::ALL {
            add("mark", rating.as_str());
        }
        for notice in Notice::all().filter(|notice| !matches!(notice, Notice::Digest | Notice::Footer)) {
            add("notice", notice.as_str());
        }
        for why in Why::all() {
            add("undelivered", why.as_str());
        }
        for bad in whistle_service::media::BadPhoto::ALL {
            add("bad-photo", bad.word());
        }
        for deed in whistle_service::admin::Deed::ALL {
            add("admin-act", deed.as_str());
        }
        for sum in whistle_service::admin::Deed::SUMS {
            add("audit-detail", sum);
        }
        for tab in ["mine", "joint", "triage", "assign", "verify", "reopen", "open"] {
            add("tab", tab);
        }
        for purpose in Purpose::ALL {
            all.push(words.n(&format!("privacy-kept-{}", purpose.kept().as_str()), 1));
        }
        all.push(words.n("privacy-kept-texts_after_closing", 1));
        for span in ["minutes", "hours", "days"] {
            all.push(words.n(&format!("due-{span}"), 2));
            all.push(words.n(&format!("overdue-{span}"), 1));
        }
        for message in all {
            assert!(!message.contains(MISSING), "{message} in {:?}", words.0);
        }
    }
}

const CHANNELS: [Channel; 7] = [
    Channel::Web,
    Channel::Phone,
    Channel::Counter,
    Channel::Patrol,
    Channel::Open311,
    Channel::Api,
    Channel::Import,
];

#[test]
fn every_refusal_is_told_in_both_languages() {
    let x = || "X".to_owned();
    let all = [
        Refusal::WrongStage {
            verb: Verb::Verify,
            stage: Stage::Closed,
        },
        Refusal::NotAllowed(Verb::Accept),
        Refusal::MayNotNameStandard,
        Refusal::Missing {
            verb: Verb::Assign,
            need: Need::Unit,
        },
        Refusal::FixerCannotVerify,
        Refusal::LeadMustDecide(2),
        Refusal::NoMoreReturns(3),
        Refusal::ParkedBefore,
        Refusal::ParkDate(jiff::civil::date(2026, 5, 8)),
        Refusal::NoMoreExtensions(1),
        Refusal::Overdue,
        Refusal::WindowOver(15),
        Refusal::UnknownService(x()),
        Refusal::IsGroup(x()),
        Refusal::NotPublic(x()),
        Refusal::UnknownStandard(x()),
        Refusal::UnknownUnit(x()),
        Refusal::NoLead,
        Refusal::UnknownArea(x()),
        Refusal::OutsidePlace { lon: 0.0, lat: 0.0 },
        Refusal::NoLocation,
        Refusal::TextTooLong { letters: 4001 },
        Refusal::NoDescription,
        Refusal::TooManyPhotos,
        Refusal::BadAnswer {
            question: x(),
            what: x(),
        },
        Refusal::NotAnOutcomeOfWork(Outcome::Withdrawn),
        Refusal::MayNotReport,
        Refusal::MergedInto(whistle_domain::words::CaseNumber(3)),
        Refusal::OriginalMerged(whistle_domain::words::CaseNumber(3)),
        Refusal::OtherClass,
        Refusal::OfAClass(x()),
        Refusal::TooManyParts,
        Refusal::TooManySplit,
        Refusal::AskDate(jiff::civil::date(2026, 5, 8)),
        Refusal::BadChoices,
        Refusal::NotAChoice,
        Refusal::NoSuchReport(9),
        Refusal::QuestionOver,
        Refusal::MergedIntoItself,
        Refusal::OnlyPostsFix,
        Refusal::Stale { seen: 1, now: 2 },
    ];
    // One message for each, and no message for a refusal that does not exist.
    let told: BTreeSet<String> = all.iter().map(|r| format!("refusal-{}", r.word())).collect();
    let written: BTreeSet<String> = keys("en")
        .into_iter()
        .filter(|k| k.starts_with("refusal-"))
        .collect();
    assert_eq!(told, written);
    for words in [Words(Lang::Zh), Words(Lang::En)] {
        for refusal in &all {
            let message = words.refusal(refusal);
            assert!(!message.contains(MISSING), "{message}");
        }
    }
}

#[test]
fn every_refusal_of_a_whistle_is_told_in_both_languages() {
    use whistle::{
        command::Refusal,
        transition::{Need, Verb},
    };
    let (x, number) = (|| "X".to_owned(), whistle_domain::words::CaseNumber(7));
    let all = [
        Refusal::WrongStage {
            verb: Verb::Sign,
            stage: whistle::Stage::Closed,
        },
        Refusal::WrongCall {
            verb: Verb::Sign,
            state: whistle::CallState::Left,
        },
        Refusal::NotAllowed(Verb::Blow),
        Refusal::Missing {
            verb: Verb::Close,
            need: Need::Minutes,
        },
        Refusal::UnknownKind(x()),
        Refusal::UnknownUnit(x()),
        Refusal::HowManyCases,
        Refusal::CaseElsewhere(number),
        Refusal::CaseClosed(number),
        Refusal::HowManyUnits,
        Refusal::CallsItself,
        Refusal::LeadNotCalled,
        Refusal::NotCalled(x()),
        Refusal::MeetTime,
        Refusal::MadeTime,
        Refusal::TooManyDuties,
        Refusal::BadDuty(1),
        Refusal::TextTooLong { letters: 4001 },
        Refusal::Stale { seen: 1, now: 2 },
    ];
    let told: BTreeSet<String> = all
        .iter()
        .map(|r| format!("whistle-refusal-{}", r.word()))
        .collect();
    let written: BTreeSet<String> = keys("en")
        .into_iter()
        .filter(|k| k.starts_with("whistle-refusal-"))
        .collect();
    assert_eq!(told, written);
    for words in [Words(Lang::Zh), Words(Lang::En)] {
        for refusal in &all {
            let message = words.whistle_refusal(refusal);
            assert!(!message.contains(MISSING), "{message}");
        }
    }
}

#[test]
fn times_are_told_in_the_readers_words() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let now = at("2026-05-08T10:00:00Z");
    let en = Words(Lang::En);
    assert_eq!(en.until(at("2026-05-08T13:00:00Z"), now), "in 3 h");
    assert_eq!(en.until(at("2026-05-06T10:00:00Z"), now), "overdue by 2 days");
    assert_eq!(
        Words(Lang::Zh).until(at("2026-05-06T10:00:00Z"), now),
        "已超期 2 天"
    );
    let zone = TimeZone::get("Asia/Shanghai").unwrap();
    assert_eq!(en.time(now, &zone), "8 May 2026 18:00");
    assert_eq!(Words(Lang::Zh).time(now, &zone), "2026年5月8日 18:00");
}
