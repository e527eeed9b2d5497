//! What is told to those of the staff who look on: what commits here and in other processes, to whom it concerns and to nobody else, for
//! as long as they are signed in.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use tokio::time::timeout;
use whistle_domain::{
    case::{Actor, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    rights,
    whistle::command::NewWhistle,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::{SignIn, actor_of},
    case::With,
    live::{News, STREAMS_OF_ACCOUNT, Watch},
};
use whistle_testbed::Bed;

const PASSWORD: &str = "a long enough password";

/// Within which time a change elsewhere is told.
const WITHIN: Duration = Duration::from_secs(2);

/// How long a test waits before it fails.
const DEADLINE: Duration = Duration::from_secs(30);

/// More streams than any test opens.
const PLENTY: usize = 100;

const UPSTREAM: (f64, f64) = (131.81, 46.205);
const DOWNSTREAM: (f64, f64) = (131.83, 46.205);

struct Town {
    _bed: Bed,
    site: Site,
    whistle: Whistle,
    here: Here,
    runtime: tokio::runtime::Runtime,
}

impl Town {
    fn open() -> Self {
        let bed = Bed::new();
        let site = Site {
            database_url: bed.database_url().map(str::to_owned),
            ..bed.path().join("store").into()
        };
        fs::create_dir_all(bed.path().join("store")).unwrap();
        let whistle = Whistle::open(site.clone()).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&folder).unwrap();
        let here = whistle.places().all()[0].clone();
        for (login, post) in [
            ("desk", "CITY-D"),
            ("upstream", "T100-P"),
            ("downstream", "T101-P"),
            ("water", "WATER-H"),
            ("roads", "ROADS-H"),
        ] {
            whistle
                .add_user(&here, login, PASSWORD, &[post.parse().unwrap()])
                .unwrap();
        }
        Self {
            _bed: bed,
            site,
            whistle,
            here,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    fn wait<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime
            .block_on(async { timeout(DEADLINE, future).await.expect("in good time") })
    }

    fn token(&self, login: &str) -> String {
        let signed = self.whistle.sign_in(&self.here, login, PASSWORD.to_owned(), None);
        self.wait(signed).and_then(SignIn::done).unwrap()
    }

    /// Somebody who looks on from now.
    fn watch(&self, login: &str) -> Watch {
        let token = self.token(login);
        let watch = self
            .whistle
            .watch(&self.here, &token, Some(Timestamp::now()), PLENTY);
        self.wait(watch).unwrap()
    }

    /// A case at a spot, reported in a process.
    fn report(&self, at: &Whistle, service: &str, (lon, lat): (f64, f64)) -> CaseNumber {
        let new = NewReport {
            service: service.parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(lon, lat).unwrap()),
                ..Whereabouts::default()
            },
            description: "It is broken.".to_owned(),
            answers: Vec::new(),
            channel: Channel::Web,
            photos: Vec::new(),
            fixed: None,
        };
        let filed = at.report(&self.here, new, Actor::System, With::default());
        self.wait(filed).unwrap().number
    }

    fn actor(&self, post: &str) -> Actor {
        actor_of(self.here.place.post(post).unwrap(), 7)
    }

    /// Waits until somebody hears of a case.
    fn hears(&self, watch: &mut Watch, number: CaseNumber) {
        self.wait(async {
            while !matches!(watch.next().await, Some(News::Case(told, _)) if told == number) {}
        });
    }
}

#[test]
fn a_change_in_this_process_and_in_another_one_is_told_within_two_seconds() {
    let town = Town::open();
    let beside = Whistle::open(town.site.clone()).unwrap();
    let mut desk = town.watch("desk");
    for at in [&town.whistle, &beside, &town.whistle, &beside] {
        let number = town.report(at, "RD-HOLE", UPSTREAM);
        let committed = Instant::now();
        town.hears(&mut desk, number);
        assert!(committed.elapsed() < WITHIN, "{:?}", committed.elapsed());
    }
}

#[test]
fn nobody_hears_of_a_case_or_whistle_that_their_post_may_not_see() {
    let town = Town::open();
    let posts = [
        ("desk", "CITY-D"),
        ("upstream", "T100-P"),
        ("downstream", "T101-P"),
        ("water", "WATER-H"),
        ("roads", "ROADS-H"),
    ];
    let mut watches = posts.map(|(login, _)| town.watch(login));
    let mut numbers = Vec::new();
    for (service, spot) in [
        ("RD-HOLE", UPSTREAM),
        ("RD-HOLE", DOWNSTREAM),
        ("WAT-LEAK", UPSTREAM),
        ("WAT-DRAIN", DOWNSTREAM),
        ("RD-SIGN", UPSTREAM),
    ] {
        numbers.push(town.report(&town.whistle, service, spot));
    }
    let new = NewWhistle {
        kind: "URGENT".parse().unwrap(),
        cases: vec![numbers[0]],
        units: vec!["WATER".parse().unwrap()],
        lead: "WATER".parse().unwrap(),
        place: String::new(),
        meet_at: None,
        matter: "now".to_owned(),
    };
    let blown = town.whistle.blow(&town.here, new, town.actor("CITY-D"), None);
    let blown = town.wait(blown).unwrap();
    let (mut told, mut kept) = (0, 0);
    for ((_, post), watch) in posts.iter().zip(&mut watches) {
        let actor = town.actor(post);
        let place = &town.here.place;
        let mut wanted: BTreeSet<i64> = BTreeSet::new();
        for number in &numbers {
            let case = town.wait(town.whistle.case(&town.here, *number)).unwrap();
            if rights::may_see(&case, &actor, place) {
                wanted.insert(number.0);
            } else {
                kept += 1;
            }
        }
        // The last news is of the whistle, or where that is not theirs, of a case that is reported now and that they see.
        let sees_whistle = rights::may_see_whistle(&blown, &actor, place);
        let (mut heard, mut heard_whistle) = (BTreeSet::new(), false);
        let missing = |heard: &BTreeSet<i64>, whistle: bool| {
            !wanted.iter().all(|number| heard.contains(number)) || sees_whistle && !whistle
        };
        town.wait(async {
            while missing(&heard, heard_whistle) {
                match watch.next().await.expect("the session is good") {
                    News::Case(number, _) => drop(heard.insert(number.0)),
                    News::Whistle(..) => heard_whistle = true,
                    other => panic!("{post}: {other:?}"),
                }
            }
        });
        assert_eq!(heard, wanted, "{post}");
        assert_eq!(heard_whistle, sees_whistle, "{post}");
        // Nothing of the rest is on its way: all of it committed before this one, which comes next.
        let spot = if *post == "T101-P" { DOWNSTREAM } else { UPSTREAM };
        let last = town.report(&town.whistle, "RD-HOLE", spot);
        let unit = place.post(post).unwrap().unit.clone();
        let act = Act::Assign { unit: Some(unit) };
        let assigned = town
            .whistle
            .act(&town.here, last, None, act, "so".into(), Actor::System);
        // Its station leads it already.
        let assigned = town.wait(assigned);
        assert!(matches!(assigned, Ok(_) | Err(Error::Refused(_))), "{assigned:?}");
        town.wait(async {
            // What was heard of may have gone on meanwhile.
            while let Some(News::Case(number, _)) = watch.next().await {
                let is_theirs = number == last || wanted.contains(&number.0);
                assert!(is_theirs, "{post} hears of {number}");
                if number == last {
                    return;
                }
            }
            panic!("{post} does not hear of {last}");
        });
        numbers.push(last);
        told += heard.len();
        if *post == "CITY-D" {
            assert_eq!(heard.len(), 5, "the city sees all");
        }
    }
    assert!(told > 8 && kept > 8, "{told} told, {kept} kept");
}

#[test]
fn a_stream_ends_within_seconds_when_its_session_does() {
    let town = Town::open();
    let token = town.token("desk");
    let mut watch = town
        .wait(town.whistle.watch(&town.here, &token, None, PLENTY))
        .unwrap();
    town.wait(town.whistle.sign_out(&town.here, &token, None))
        .unwrap();
    let ended = Instant::now();
    assert_eq!(town.wait(watch.next()), Some(News::SignedOut));
    assert_eq!(town.wait(watch.next()), None);
    assert!(ended.elapsed() < Duration::from_secs(10), "{:?}", ended.elapsed());
    let again = town.wait(town.whistle.watch(&town.here, &token, None, PLENTY));
    assert!(matches!(again, Err(Error::SignedOut)));
}

#[test]
fn an_account_and_a_process_have_so_many_streams_and_no_more() {
    let town = Town::open();
    let token = town.token("desk");
    let open = |most| town.wait(town.whistle.watch(&town.here, &token, None, most));
    let mut streams: Vec<Watch> = (0..STREAMS_OF_ACCOUNT).map(|_| open(PLENTY).unwrap()).collect();
    assert!(matches!(open(PLENTY), Err(Error::Busy(_))));
    let other = town.token("water");
    let full = town.whistle.watch(&town.here, &other, None, STREAMS_OF_ACCOUNT);
    assert!(matches!(town.wait(full), Err(Error::Busy(_))));
    streams.pop();
    streams.push(open(PLENTY).unwrap());
    assert_eq!(town.whistle.watching(), STREAMS_OF_ACCOUNT);
    drop(streams);
    assert_eq!(town.whistle.watching(), 0);
}

#[test]
fn what_changed_between_a_page_and_its_stream_is_told_and_what_the_page_has_is_not() {
    let town = Town::open();
    let token = town.token("desk");
    let long_ago = Timestamp::now();
    let number = town.report(&town.whistle, "RD-HOLE", UPSTREAM);
    let since = |since| {
        town.wait(town.whistle.watch(&town.here, &token, since, PLENTY))
            .unwrap()
    };
    let mut missed = since(Some(long_ago));
    town.hears(&mut missed, number);
    // Another stream, of a page that was made in a minute: nothing is old enough to wait for.
    let mut fresh = since(Some(Timestamp::now() + jiff::SignedDuration::from_secs(60)));
    let next = town.report(&town.whistle, "RD-HOLE", DOWNSTREAM);
    let first = town.wait(fresh.next()).unwrap();
    assert!(matches!(first, News::Case(told, _) if told == next), "{first:?}");
}
