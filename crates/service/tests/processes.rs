//! Several processes on one database, each a [`Whistle`] of its own: what one does is so for all, and a duty is one's.
//! Their clocks are the test's: the time of day, which may jump, and the time that they run.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Actor, Body, Case, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::actor_of,
    case::With,
    duties::Done,
    time::{Chance, Clock},
};
use whistle_testbed::Bed;

const PASSWORD: &str = "a long enough password";

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
    fn begin() -> Self {
        let monday = "2026-11-02T01:00:00Z".parse().unwrap();
        Self(Arc::new(Mutex::new((monday, Duration::from_secs(1000)))))
    }

    /// Time goes by.
    fn pass(&self, time: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += SignedDuration::try_from(time).unwrap();
        hands.1 += time;
    }

    /// Somebody sets the clock.
    fn jump(&self, by: SignedDuration) {
        self.0.lock().unwrap().0 += by;
    }
}

/// Some processes that share an install.
struct Processes {
    bed: Bed,
    hands: Hands,
    all: Vec<Whistle>,
    here: Here,
}

fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

impl Processes {
    fn start(n: u64) -> Self {
        let (bed, hands) = (Bed::new(), Hands::begin());
        let open = |seed| open(&bed, &hands, seed);
        let mut all = vec![open(1)];
        all[0].apply(&village()).unwrap();
        all.extend((2..=n).map(open));
        let here = all[0].places().all()[0].clone();
        Self {
            bed,
            hands,
            all,
            here,
        }
    }

    /// What each did in a round of its duties.
    fn round(&self) -> Vec<Done> {
        self.all
            .iter()
            .map(|whistle| whistle.do_duties().unwrap())
            .collect()
    }

    #[track_caller]
    fn is_whole(&self) {
        let audit = self.all[0].audit(&self.here, |_| {}).unwrap();
        assert_eq!(audit.findings, Vec::<String>::new());
    }
}

fn open(bed: &Bed, hands: &Hands, seed: u64) -> Whistle {
    let site = Site {
        database_url: bed.database_url().map(str::to_owned),
        ..bed.path().into()
    };
    Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(seed)).unwrap()
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn report(whistle: &Whistle) -> Case {
    let here = whistle.places().all()[0].clone();
    let new = NewReport {
        service: "RD-HOLE".parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(Point::new(131.8152, 46.2051).unwrap()),
            ..Whereabouts::default()
        },
        description: "A hole.".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let receipt = wait(whistle.report(&here, new, Actor::Public, With::default())).unwrap();
    wait(whistle.case(&here, receipt.number)).unwrap()
}

/// A case that is parked until tomorrow.
fn parked(whistle: &Whistle) -> CaseNumber {
    let here = &whistle.places().all()[0].clone();
    let case = report(whistle);
    let desk = actor_of(here.place.post("CITY-D").unwrap(), 1);
    let lead = actor_of(here.place.post("CITY-L").unwrap(), 2);
    let today = here.place.calendar.zone().to_datetime(whistle.now()).date();
    let act = |act, text: &str, by: &Actor| {
        wait(whistle.act(here, case.number, None, act, text.to_owned(), by.clone()))
    };
    let until = today.tomorrow().unwrap();
    let park = Act::Park { until };
    if act(park.clone(), "The street is closed.", &lead).is_err() {
        act(Act::Accept { standard: None }, "", &desk).unwrap();
        act(park, "The street is closed.", &lead).unwrap();
    }
    case.number
}

fn resumed(whistle: &Whistle, here: &Here, number: CaseNumber) -> usize {
    let (_, log) = wait(whistle.case_and_log(here, number)).unwrap();
    log.iter()
        .filter(|event| matches!(event.body, Body::Resumed))
        .count()
}

// ---- what one does is so for all --------------------------------------------------------------------------------

#[test]
fn who_signs_in_at_one_process_is_known_to_all_and_gone_from_all_at_once() {
    let processes = Processes::start(2);
    let here = &processes.here;
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let post = "CITY-D".parse().unwrap();
    one.add_user(here, "desk", PASSWORD, &[post]).unwrap();
    let sign_in = || wait(one.sign_in(here, "desk", PASSWORD.to_owned())).unwrap();
    let is_known = |token: &str| wait(other.signed_in(here, token)).is_ok();
    let token = sign_in();
    assert!(is_known(&token));
    wait(one.sign_out(here, &token)).unwrap();
    assert!(!is_known(&token), "signed out");
    let token = sign_in();
    assert!(is_known(&token));
    one.disable_user(here, "desk").unwrap();
    assert!(!is_known(&token), "disabled");
    assert!(wait(other.sign_in(here, "desk", PASSWORD.to_owned())).is_err());
}

#[test]
fn a_key_that_is_revoked_is_refused_everywhere_within_a_second_even_if_the_clock_jumps_back() {
    let processes = Processes::start(2);
    let here = &processes.here;
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let key = one.add_key(here, "a test", None).unwrap();
    assert!(wait(other.client(here, &key)).is_ok());
    one.revoke_key(here, one.keys(here).unwrap()[0].id).unwrap();
    processes.hands.pass(Duration::from_secs(1));
    processes.hands.jump(SignedDuration::from_hours(-1));
    for whistle in [one, other] {
        assert!(matches!(wait(whistle.client(here, &key)), Err(Error::BadKey(_))));
    }
}

#[test]
fn tries_to_sign_in_are_counted_by_all_processes_together_and_forgotten_in_time() {
    let processes = Processes::start(2);
    let here = &processes.here;
    processes.all[0]
        .add_user(here, "desk", PASSWORD, &["CITY-D".parse().unwrap()])
        .unwrap();
    let sign_in = |i: usize, password: &str| {
        wait(processes.all[i % 2].sign_in(here, "desk", password.to_owned())).map(drop)
    };
    for i in 0..20 {
        assert!(
            matches!(sign_in(i, "a wrong password"), Err(Error::BadPassword)),
            "{i}"
        );
    }
    for i in 0..2 {
        let refused = sign_in(i, PASSWORD);
        assert!(matches!(refused, Err(Error::TooManyTries(_))), "{refused:?}");
    }
    processes.hands.jump(SignedDuration::from_hours(-1));
    sign_in(0, PASSWORD).expect("a clock that was put back locks nobody out for longer");
    for i in 0..20 {
        assert!(sign_in(i, "a wrong password").is_err());
    }
    processes.hands.pass(Duration::from_mins(11));
    sign_in(1, PASSWORD).unwrap();
}

#[test]
fn a_case_that_is_decided_on_an_older_place_keeps_that_version_and_lives_on() {
    let processes = Processes::start(2);
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let folder = processes.bed.path().join("place");
    std::fs::create_dir(&folder).unwrap();
    for entry in std::fs::read_dir(village()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    let routing = folder.join("routing.csv");
    let text = std::fs::read_to_string(&routing).unwrap();
    std::fs::write(&routing, text.replace("RD,*,ROADS", "RD,*,WATER")).unwrap();
    one.apply(&folder).unwrap();
    let lead = |case: &Case| case.lead.as_ref().unwrap().to_string();
    let (new, old) = (report(one), report(other));
    assert_eq!((new.place_version, lead(&new)), (2, "WATER".to_owned()));
    assert_eq!((old.place_version, lead(&old)), (1, "ROADS".to_owned()));
    assert!(other.reload_places().unwrap());
    let newest = report(other);
    assert_eq!((newest.place_version, lead(&newest)), (2, "WATER".to_owned()));
    processes.is_whole();
}

// ---- duties -----------------------------------------------------------------------------------------------------

#[test]
fn one_process_does_a_duty_and_another_takes_it_over_when_that_falls_silent() {
    let processes = Processes::start(3);
    let [first, ..] = &processes.all[..] else {
        unreachable!()
    };
    processes.round();
    let number = parked(first);
    processes.hands.jump(SignedDuration::from_hours(24));
    processes.hands.pass(Duration::from_secs(1));
    let woken: Vec<u64> = processes.round().iter().map(|done| done.woken).collect();
    assert_eq!(woken, [1, 0, 0]);
    assert_eq!(resumed(first, &processes.here, number), 1);

    // The first goes on looking, and nobody takes over however long that lasts.
    for _ in 0..20 {
        processes.hands.pass(Duration::from_secs(1));
        assert!(
            processes
                .round()
                .iter()
                .all(|done| *done == Done::default() || done.forgotten + done.escalated > 0)
        );
    }
    let number = parked(first);
    processes.hands.jump(SignedDuration::from_hours(24));
    // It falls silent.
    let mut seconds = 0;
    let woken_by_second = loop {
        processes.hands.pass(Duration::from_secs(1));
        seconds += 1;
        let woken = processes.all[1].do_duties().unwrap().woken;
        if woken > 0 {
            break woken;
        }
        assert!(seconds < 10, "nobody takes over");
    };
    assert_eq!(woken_by_second, 1);
    eprintln!("taken over after {seconds} s of silence");
    // It wakes up, and finds nothing to do.
    assert_eq!(first.do_duties().unwrap(), Done::default());
    assert_eq!(resumed(first, &processes.here, number), 1);
    processes.is_whole();
}

#[test]
fn a_process_that_stops_gives_its_duties_up_at_once() {
    let mut processes = Processes::start(2);
    processes.round();
    parked(&processes.all[0]);
    processes.hands.jump(SignedDuration::from_hours(24));
    let first = processes.all.remove(0);
    assert_eq!(processes.round()[0].woken, 0);
    first.close();
    assert_eq!(processes.round()[0].woken, 1);
    processes.is_whole();
}

#[test]
fn what_is_done_every_hour_is_done_once_an_hour_by_all_together() {
    let mut processes = Processes::start(2);
    let give_up = |processes: &mut Processes| {
        let first = processes.all.remove(0);
        first.close();
        let next = open(&processes.bed, &processes.hands, processes.all.len() as u64 + 10);
        processes.all.push(next);
    };
    let done_at = |processes: &Processes| {
        let store = whistle_store::Store::open(
            processes.bed.target(whistle_store::Target::Postgres),
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        let leases = store.read_blocking(whistle_store::lease::all).unwrap();
        let mut hourly = leases.iter().filter(|lease| lease.name == "retention");
        hourly.find_map(|lease| lease.done_at).unwrap()
    };
    processes.round();
    let first = done_at(&processes);
    processes.hands.pass(Duration::from_mins(30));
    give_up(&mut processes);
    processes.round();
    assert_eq!(done_at(&processes), first, "not again after half an hour");
    processes.hands.pass(Duration::from_mins(30));
    processes.round();
    assert_eq!(done_at(&processes), processes.hands.now());
}

// ---- a clock that jumps -----------------------------------------------------------------------------------------

#[test]
fn when_the_clock_jumps_back_an_hour_work_goes_on_and_all_is_whole() {
    let processes = Processes::start(2);
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let here = &processes.here;
    processes.round();
    let before = report(one);
    processes.hands.pass(Duration::from_mins(5));
    let number = parked(one);
    processes.hands.jump(SignedDuration::from_hours(-1));
    let desk = actor_of(here.place.post("CITY-D").unwrap(), 1);
    let remark = Act::Comment { public: false };
    wait(other.act(here, before.number, None, remark, "Seen.".to_owned(), desk)).unwrap();
    let after = report(other);
    assert!(after.times.reported_at < before.times.reported_at);
    // Leases do not mind, and what is parked until tomorrow runs on tomorrow, once.
    processes.hands.pass(Duration::from_secs(1));
    assert!(processes.round().iter().all(|done| done.woken == 0));
    processes.hands.jump(SignedDuration::from_hours(25));
    processes.round();
    processes.hands.jump(SignedDuration::from_hours(-1));
    processes.round();
    assert_eq!(resumed(one, here, number), 1);
    processes.is_whole();
}
