//! Signing in by a provider of OpenID Connect that does what these tests tell it. A real one is met in `tests/browser`.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use whistle_domain::{
    rights::Role,
    words::{JurisdictionId, Text},
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::{Change, SignIn, SignedIn},
    provider::{Answer, Begun, Counts, Ended, Fault, Provider, StepFault},
    time::{Chance, Clock},
};
use whistle_testbed::{
    Bed,
    provider::{CLIENT, Provider as There, Signed},
};

const PASSWORD: &str = "a long enough password";

/// Where the provider sends browsers back to.
const BACK: &str = "https://whistle.example.org/staff/sign-in/provider/back";

const MEI: &str = "mei@city.example";

/// The time of day, and how long the processes have run.
#[derive(Clone)]
struct Hands(Arc<Mutex<(Timestamp, Duration)>>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn running(&self) -> Duration {
        self.0.lock().unwrap().1
    }
}

impl Hands {
    fn pass(&self, time: SignedDuration) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += time;
        hands.1 += Duration::try_from(time).unwrap();
    }
}

/// An install of two processes, and the provider.
struct Town {
    whistle: Whistle,
    other: Whistle,
    here: Here,
    there: There,
    hands: Hands,
    runtime: tokio::runtime::Runtime,
    _bed: Bed,
}

impl Town {
    fn open() -> Self {
        Self::open_with(|_| ())
    }

    fn open_with(set: impl FnOnce(&mut Site)) -> Self {
        let (bed, there) = (Bed::new(), There::new());
        let monday = "2026-11-02T01:00:00Z".parse().unwrap();
        let hands = Hands(Arc::new(Mutex::new((monday, Duration::from_secs(1000)))));
        let mut site = Site {
            database_url: bed.database_url().map(str::to_owned),
            provider: Some(Provider {
                issuer: there.issuer(),
                client_id: CLIENT.0.to_owned(),
                client_secret: CLIENT.1.to_owned(),
                label: Text::plain("City account"),
                scopes: vec!["email".to_owned()],
                name_claim: "email".to_owned(),
                second_factor: Counts::Never,
            }),
            ..bed.path().into()
        };
        set(&mut site);
        let open = |seed| {
            Whistle::open_with(site.clone(), Box::new(hands.clone()), Chance::from_seed(seed)).unwrap()
        };
        let whistle = open(1);
        whistle.apply(&village()).unwrap();
        let other = open(2);
        let here = whistle.places().all()[0].clone();
        let town = Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
            whistle,
            other,
            here,
            there,
            hands,
            _bed: bed,
        };
        for (login, post) in [("mei", "CITY-D"), ("lei", "T100-P"), ("lead", "CITY-L")] {
            let post = post.parse().unwrap();
            town.whistle
                .add_user(&town.here, login, PASSWORD, &[post])
                .unwrap();
        }
        town
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    fn begin(&self) -> Begun {
        let begun = self
            .whistle
            .begin_at_provider(&self.here, (BACK, "/staff/cases/12"), None);
        self.wait(begun).unwrap()
    }

    /// Lets the provider let somebody in, and answers with what the browser comes back.
    fn lets_in(&self, begun: &Begun, signed: Signed, change: impl FnOnce(&mut Value)) -> Answer {
        let now = self.hands.now().as_second();
        let (state, code) = self.there.lets_in(&begun.address, now, signed, change);
        Answer {
            state,
            code,
            browser: begun.browser.clone(),
            ..Answer::default()
        }
    }

    fn end(&self, answer: Answer) -> Result<Ended, Error> {
        self.wait(self.whistle.end_at_provider(&self.here, answer))
    }

    /// The whole way, of somebody of whom the token says some more.
    fn comes(&self, says: Value) -> Result<SignIn, Error> {
        let begun = self.begin();
        if let Some(subject) = says.get("sub") {
            self.there.says(json!({"sub": subject}));
        }
        let answer = self.lets_in(&begun, Signed::Well, |claims| merge(claims, says));
        self.end(answer).map(|ended| match ended {
            Ended::SignedIn(signed_in, next) => {
                assert_eq!(next, "/staff/cases/12");
                signed_in
            }
            Ended::Linked => panic!("nobody wanted to link"),
        })
    }

    fn signed_in(&self, token: &str) -> SignedIn {
        self.wait(self.whistle.signed_in(&self.here, token)).unwrap()
    }

    /// The login of whom the provider let in.
    fn login(&self, says: Value) -> Result<String, Error> {
        let token = self.comes(says)?.done()?;
        Ok(self.signed_in(&token).login)
    }

    /// Signs in with the password.
    fn session(&self, login: &str) -> (String, SignedIn) {
        let begun = self.whistle.sign_in(&self.here, login, PASSWORD.to_owned(), None);
        let token = self.wait(begun).unwrap().done().unwrap();
        let signed_in = self.wait(self.whistle.signed_in_to_enrol(&self.here, &token));
        (token, signed_in.unwrap())
    }
}

fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

fn merge(claims: &mut Value, says: Value) {
    let Value::Object(says) = says else { return };
    claims.as_object_mut().unwrap().extend(says);
}

fn address(email: &str) -> Value {
    json!({"email": email, "email_verified": true})
}

fn person(subject: &str, email: &str) -> Value {
    json!({"sub": subject, "email": email, "email_verified": true})
}

#[track_caller]
fn is_fault<T: std::fmt::Debug>(outcome: Result<T, Error>, wanted: Fault) {
    match outcome {
        Err(Error::Provider(fault)) if fault == wanted => {}
        other => panic!("{wanted:?} was wanted: {other:?}"),
    }
}

#[track_caller]
fn is_step_fault<T: std::fmt::Debug>(outcome: Result<T, Error>, wanted: StepFault) {
    match outcome {
        Err(Error::Step(fault)) if fault == wanted => {}
        other => panic!("{wanted:?} was wanted: {other:?}"),
    }
}

#[test]
fn who_is_awaited_by_a_name_is_known_by_the_subject_from_the_first_time_on() {
    let town = Town::open();
    is_fault(town.comes(address(MEI)), Fault::Unlinked);
    town.whistle
        .link_user(&town.here, "mei", " Mei@City.example")
        .unwrap();
    assert_eq!(town.login(person("7", "MEI@city.example")).unwrap(), "mei");
    // She marries; and somebody new gets her old address.
    assert_eq!(town.login(person("7", "mei.li@city.example")).unwrap(), "mei");
    is_fault(town.comes(person("8", MEI)), Fault::Unlinked);
    // The provider need not even tell an address then.
    assert_eq!(town.login(json!({"sub": "7"})).unwrap(), "mei");
}

#[test]
fn an_address_that_the_provider_has_not_verified_names_nobody() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    is_fault(
        town.comes(json!({"sub": "person-1", "email": MEI})),
        Fault::Unlinked,
    );
    let unverified = json!({"sub": "person-1", "email": MEI, "email_verified": false});
    is_fault(town.comes(unverified), Fault::Unlinked);
    assert_eq!(town.login(address(MEI)).unwrap(), "mei");
}

#[test]
fn a_token_that_is_not_good_signs_nobody_in() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    let now = town.hands.now().as_second();
    let tokens = [
        (Signed::Well, json!({"nonce": "another"}), Fault::WrongNonce),
        (Signed::Well, json!({"nonce": null}), Fault::WrongNonce),
        (Signed::Well, json!({"aud": "another"}), Fault::WrongAudience),
        (
            Signed::Well,
            json!({"aud": ["whistle", "another"]}),
            Fault::WrongAudience,
        ),
        (
            Signed::Well,
            json!({"iss": "https://another.example"}),
            Fault::WrongIssuer,
        ),
        (Signed::Well, json!({"exp": now - 1}), Fault::ExpiredToken),
        (Signed::Well, json!({"exp": null}), Fault::BadToken),
        (Signed::ByAnother, json!({}), Fault::BadToken),
        (Signed::NotAtAll, json!({}), Fault::BadToken),
    ];
    for (signed, says, wanted) in tokens {
        let answer = town.lets_in(&town.begin(), signed, |claims| {
            merge(claims, address(MEI));
            merge(claims, says.clone());
        });
        is_fault(town.end(answer), wanted);
    }
    let sessions = town.wait(town.whistle.own_sessions(&town.here, &town.session("mei").1, ""));
    assert_eq!(sessions.unwrap().len(), 1);
    assert_eq!(town.login(address(MEI)).unwrap(), "mei");
}

#[test]
fn an_answer_is_taken_once_in_time_and_in_the_browser_that_began() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    let comes = |begun: &Begun| town.lets_in(begun, Signed::Well, |claims| merge(claims, address(MEI)));
    let begun = town.begin();
    let answer = comes(&begun);
    let elsewhere = Answer {
        browser: town.begin().browser,
        ..answer.clone()
    };
    is_step_fault(town.end(elsewhere), StepFault::Unknown);
    let invented = Answer {
        state: "A".repeat(43),
        ..answer.clone()
    };
    is_step_fault(town.end(invented), StepFault::Unknown);
    town.end(answer.clone()).unwrap();
    is_step_fault(town.end(answer), StepFault::Before);
    let late = town.begin();
    town.hands.pass(SignedDuration::from_mins(10));
    is_step_fault(town.end(comes(&late)), StepFault::TooLate);
    town.hands.pass(SignedDuration::from_hours(2));
    town.whistle.do_duties().unwrap();
    is_step_fault(town.end(comes(&late)), StepFault::Unknown);
}

#[test]
fn a_code_of_another_way_is_no_good() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    let stolen = town.lets_in(&town.begin(), Signed::Well, |claims| merge(claims, address(MEI)));
    let own = town.lets_in(&town.begin(), Signed::Well, |_| ());
    let mixed = Answer {
        code: stolen.code,
        ..own
    };
    is_fault(town.end(mixed), Fault::Refused);
}

#[test]
fn an_answer_that_names_another_issuer_or_brings_no_code_is_refused() {
    let town = Town::open();
    let answer = town.lets_in(&town.begin(), Signed::Well, |_| ());
    let other = Answer {
        issuer: Some("https://another.example".to_owned()),
        ..answer
    };
    is_fault(town.end(other), Fault::WrongIssuer);
    let answer = town.lets_in(&town.begin(), Signed::Well, |_| ());
    let none = Answer {
        code: String::new(),
        ..answer
    };
    is_fault(town.end(none), Fault::Refused);
}

#[test]
fn one_process_ends_what_another_began() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    let answer = town.lets_in(&town.begin(), Signed::Well, |claims| merge(claims, address(MEI)));
    let ended = town.wait(town.other.end_at_provider(&town.here, answer.clone()));
    assert!(
        matches!(ended, Ok(Ended::SignedIn(SignIn::Done(_), _))),
        "{ended:?}"
    );
    is_step_fault(town.end(answer), StepFault::Before);
}

#[test]
fn a_browser_that_has_begun_twice_ends_both() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    let first = town.begin();
    let again = town
        .whistle
        .begin_at_provider(&town.here, (BACK, "/staff"), Some(&first.browser));
    let second = town.wait(again).unwrap();
    assert_eq!(first.browser, second.browser);
    for begun in [first, second] {
        let answer = town.lets_in(&begun, Signed::Well, |claims| merge(claims, address(MEI)));
        town.end(answer).unwrap();
    }
}

#[test]
fn a_provider_that_is_away_is_said_to_be_and_left_alone_for_a_moment() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    town.there.set_away(true);
    let begin = || town.wait(town.whistle.begin_at_provider(&town.here, (BACK, ""), None));
    is_fault(begin(), Fault::Down);
    town.there.set_away(false);
    is_fault(begin(), Fault::Down);
    town.hands.pass(SignedDuration::from_secs(5));
    let begun = begin().unwrap();
    // What was known of it goes on to count while it is away.
    let answer = town.lets_in(&begun, Signed::Well, |claims| merge(claims, address(MEI)));
    town.there.set_away(true);
    is_fault(town.end(answer), Fault::Down);
    town.hands.pass(SignedDuration::from_hours(2));
    assert!(begin().is_ok());
}

#[test]
fn what_the_provider_says_of_itself_is_remembered_and_its_new_keys_are_found() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    for _ in 0..3 {
        town.login(address(MEI)).unwrap();
    }
    assert_eq!(town.there.asked("/keys"), 1);
    town.there.rotate();
    town.login(address(MEI)).unwrap();
    assert_eq!(town.there.asked("/keys"), 2);
    town.hands.pass(SignedDuration::from_hours(1));
    town.login(address(MEI)).unwrap();
    assert_eq!(town.there.asked("/.well-known/openid-configuration"), 3);
}

#[test]
fn a_disabled_account_is_refused_and_its_link_has_ended() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    assert_eq!(town.login(address(MEI)).unwrap(), "mei");
    town.whistle
        .change_user(&town.here, "mei", Change::Disable)
        .unwrap();
    is_fault(town.comes(address(MEI)), Fault::Unlinked);
    // Linked again, for when she comes back.
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    is_fault(town.comes(address(MEI)), Fault::Disabled);
    town.whistle
        .change_user(&town.here, "mei", Change::Enable)
        .unwrap();
    assert_eq!(town.login(address(MEI)).unwrap(), "mei");
}

#[test]
fn a_name_that_is_not_in_the_token_is_asked_for_and_only_that_of_the_same_person_counts() {
    let town = Town::open();
    town.whistle.link_user(&town.here, "mei", MEI).unwrap();
    town.there.says(person("somebody-else", MEI));
    is_fault(town.comes(json!({})), Fault::BadToken);
    town.there.says(person("person-1", MEI));
    assert_eq!(town.login(json!({})).unwrap(), "mei");
}

#[test]
fn another_claim_may_name_the_account() {
    let town = Town::open_with(|site| {
        let provider = site.provider.as_mut().unwrap();
        provider.name_claim = "preferred_username".to_owned();
    });
    town.whistle.link_user(&town.here, "lei", "lei.wang").unwrap();
    let says = json!({"preferred_username": "Lei.Wang", "email": MEI, "email_verified": true});
    assert_eq!(town.login(says).unwrap(), "lei");
}

#[test]
fn also_one_that_the_standard_does_not_know_in_the_token_or_asked_for() {
    for in_token in [true, false] {
        let town = Town::open_with(|site| {
            let provider = site.provider.as_mut().unwrap();
            provider.name_claim = "staff_number".to_owned();
        });
        town.whistle.link_user(&town.here, "lei", "0815").unwrap();
        let mut says = json!({"staff_number": "0815"});
        if !in_token {
            merge(&mut says, json!({"sub": "person-1"}));
            town.there.says(std::mem::replace(&mut says, json!({})));
        }
        assert_eq!(town.login(says).unwrap(), "lei");
    }
}

/// A town where leads must have a second factor, with what counts as one at the provider.
fn strict(counts: Counts) -> Town {
    let town = Town::open_with(|site| {
        site.second_factor_for = vec![Role::Lead];
        site.provider.as_mut().unwrap().second_factor = counts;
    });
    town.whistle.link_user(&town.here, "lead", MEI).unwrap();
    town
}

#[test]
fn whether_the_provider_counts_as_a_second_factor_is_a_setting() {
    let mfa = || Counts::When(vec!["acr:gold".to_owned(), "amr:mfa".to_owned()]);
    for (counts, says, is_enough) in [
        (Counts::Never, json!({"amr": ["pwd", "mfa"]}), false),
        (Counts::Always, json!({}), true),
        (mfa(), json!({}), false),
        (mfa(), json!({"amr": ["pwd"], "acr": "silver"}), false),
        (mfa(), json!({"amr": ["pwd", "mfa"]}), true),
        (mfa(), json!({"acr": "gold"}), true),
    ] {
        let town = strict(counts.clone());
        let mut all = address(MEI);
        merge(&mut all, says.clone());
        let token = town.comes(all).unwrap().done().unwrap();
        let signed_in = town.wait(town.whistle.signed_in_to_enrol(&town.here, &token));
        assert_eq!(!signed_in.unwrap().must_enrol, is_enough, "{counts:?} {says}");
    }
}

#[test]
fn a_provider_that_is_asked_for_a_step_hears_of_it() {
    let town = strict(Counts::When(vec!["acr:gold".to_owned(), "amr:mfa".to_owned()]));
    assert!(town.begin().address.contains("acr_values=gold"));
}

#[test]
fn the_holder_links_their_own_account_and_unlinks_it() {
    let town = Town::open();
    let (token, by) = town.session("mei");
    let begin = || town.wait(town.whistle.begin_link(&town.here, &by, BACK, None));
    let begun = begin().unwrap();
    let answer = Answer {
        session: Some(token.clone()),
        ..town.lets_in(&begun, Signed::Well, |claims| merge(claims, person("7", MEI)))
    };
    assert!(matches!(town.end(answer), Ok(Ended::Linked)));
    let link = town
        .wait(town.whistle.own_link(&town.here, &by))
        .unwrap()
        .unwrap();
    assert_eq!((link.subject.as_deref(), link.name.as_str()), (Some("7"), MEI));
    assert_eq!(town.login(json!({"sub": "7"})).unwrap(), "mei");
    // Nobody else gets the same person, by either way.
    let (other, lei) = town.session("lei");
    let begun = town
        .wait(town.whistle.begin_link(&town.here, &lei, BACK, None))
        .unwrap();
    let answer = Answer {
        session: Some(other),
        ..town.lets_in(&begun, Signed::Well, |claims| merge(claims, person("7", MEI)))
    };
    is_fault(town.end(answer), Fault::Taken);
    town.wait(town.whistle.unlink_own(&town.here, &by, &token))
        .unwrap();
    is_fault(town.comes(json!({"sub": "7"})), Fault::Unlinked);
    let sessions = town
        .wait(town.whistle.own_sessions(&town.here, &by, &token))
        .unwrap();
    assert!(sessions.iter().all(|session| session.is_this));
}

#[test]
fn linking_needs_a_session_that_is_fresh_and_still_there_at_the_end() {
    let town = Town::open();
    let (token, by) = town.session("mei");
    let begun = town
        .wait(town.whistle.begin_link(&town.here, &by, BACK, None))
        .unwrap();
    let comes = |session: Option<String>| Answer {
        session,
        ..town.lets_in(&begun, Signed::Well, |claims| merge(claims, person("7", MEI)))
    };
    let answer = comes(Some(town.session("lei").0));
    assert!(matches!(town.end(answer), Err(Error::SignedOut)));
    is_fault(town.comes(json!({"sub": "7"})), Fault::Unlinked);
    town.hands.pass(SignedDuration::from_mins(16));
    let stale = town.wait(town.whistle.begin_link(&town.here, &by, BACK, None));
    assert!(matches!(stale, Err(Error::SignInAgain)));
    assert!(town.wait(town.whistle.signed_in(&town.here, &token)).is_ok());
}

#[test]
fn an_administrator_links_what_is_theirs_to_keep_and_not_their_own() {
    let town = Town::open();
    let (_, lead) = town.session("lead");
    let (_, mei) = town.session("mei");
    let (_, lei) = town.session("lei");
    let link = |by: &SignedIn, account: i64, name: &str| {
        town.wait(town.whistle.link_kept(&town.here, by, account, name))
    };
    assert!(matches!(link(&lei, mei.account, MEI), Err(Error::Forbidden)));
    assert!(matches!(
        link(&lead, lead.account, MEI),
        Err(Error::Invalid { .. })
    ));
    assert!(matches!(link(&lead, 99, MEI), Err(Error::NotFound { .. })));
    assert!(matches!(
        link(&lead, mei.account, " "),
        Err(Error::Invalid { .. })
    ));
    link(&lead, mei.account, MEI).unwrap();
    is_fault(link(&lead, lei.account, MEI), Fault::Taken);
    let ways = town
        .wait(town.whistle.kept_ways(&town.here, &lead, mei.account))
        .unwrap();
    assert_eq!(ways.link.unwrap().name, MEI);
    assert_eq!(town.login(address(MEI)).unwrap(), "mei");
    town.wait(town.whistle.unlink_kept(&town.here, &lead, mei.account))
        .unwrap();
    is_fault(town.comes(address(MEI)), Fault::Unlinked);
    let own = town
        .wait(town.whistle.own_sessions(&town.here, &mei, ""))
        .unwrap();
    assert!(own.is_empty(), "its sessions end with the link");
}

#[test]
fn without_a_provider_there_is_no_way_to_one() {
    let town = Town::open_with(|site| site.provider = None);
    assert!(town.whistle.provider_label().is_none());
    let begun = town.wait(town.whistle.begin_at_provider(&town.here, (BACK, ""), None));
    assert!(matches!(begun, Err(Error::NotFound { .. })));
    assert_eq!(town.here.id, JurisdictionId(1));
}
