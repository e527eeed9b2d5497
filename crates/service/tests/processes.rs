//! Several processes on one database, each a [`Whistle`] of its own: what one does is so for all, and a duty is one's.
//! Their clocks are the test's: the time of day, which may jump, and the time that they run.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{
    case::{Actor, Body, Case, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    rights::Scope,
    words::CaseNumber,
};
use whistle_service::{
    Error, Here, Site, Whistle,
    account::{Change, actor_of},
    case::With,
    duties::Done,
    time::{Chance, Clock},
};
use whistle_testbed::{Bed, copy_folder};

const PASSWORD: &str = "a long enough password";

/// The network address from which the staff sign in.
const HOME: Option<IpAddr> = address(1);

/// Some network address.
#[expect(clippy::unnecessary_wraps, reason = "it is what signing in takes")]
const fn address(n: u32) -> Option<IpAddr> {
    Some(IpAddr::V4(Ipv4Addr::from_bits(0xcb00_7100 + n)))
}

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

    /// A copy of the village, to be changed.
    fn copy_of_village(&self) -> PathBuf {
        let folder = self.bed.path().join("place");
        copy_folder(&village(), &folder);
        folder
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
    let sign_in = || {
        let begun = wait(one.sign_in(here, "desk", PASSWORD.to_owned(), HOME)).unwrap();
        begun.done().unwrap()
    };
    let is_known = |token: &str| wait(other.signed_in(here, token)).is_ok();
    let token = sign_in();
    assert!(is_known(&token));
    wait(one.sign_out(here, &token, None)).unwrap();
    assert!(!is_known(&token), "signed out");
    let token = sign_in();
    assert!(is_known(&token));
    one.change_user(here, "desk", Change::Disable).unwrap();
    assert!(!is_known(&token), "disabled");
    assert!(wait(other.sign_in(here, "desk", PASSWORD.to_owned(), HOME)).is_err());
    other.change_user(here, "desk", Change::Enable).unwrap();
    assert!(!is_known(&token), "enabled again, and still to sign in anew");
    let token = sign_in();
    assert!(is_known(&token));
    one.change_user(here, "desk", Change::SignOut).unwrap();
    assert!(!is_known(&token), "signed out by another");
    assert!(is_known(&sign_in()));
}

#[test]
fn a_key_that_is_revoked_is_refused_everywhere_within_a_second_even_if_the_clock_jumps_back() {
    let processes = Processes::start(2);
    let here = &processes.here;
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let key = one.add_key(here, "a test", &Scope::ALL, None).unwrap();
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
        wait(processes.all[i % 2].sign_in(here, "desk", password.to_owned(), HOME)).map(drop)
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
fn a_stranger_who_knows_a_name_locks_only_their_own_address_out_of_it() {
    let processes = Processes::start(2);
    let here = &processes.here;
    processes.all[0]
        .add_user(here, "desk", PASSWORD, &["CITY-D".parse().unwrap()])
        .unwrap();
    let sign_in = |i: u32, password: &str, from| {
        let whistle = &processes.all[i as usize % 2];
        wait(whistle.sign_in(here, "desk", password.to_owned(), from)).map(drop)
    };
    // Far more than the name may have from all addresses: those that are refused for theirs do not count against it.
    let refused = (0..250)
        .filter(|i| {
            let answer = sign_in(*i, "a wrong password", address(2));
            matches!(answer, Err(Error::TooManyTries(_)))
        })
        .count();
    assert_eq!(refused, 230);
    assert!(matches!(
        sign_in(0, PASSWORD, address(2)),
        Err(Error::TooManyTries(_))
    ));
    sign_in(0, PASSWORD, HOME).unwrap();
    sign_in(1, PASSWORD, HOME).unwrap();

    // Many addresses together: the name is locked for all, and free again in time.
    for i in 20..200 {
        let answer = sign_in(i, "a wrong password", address(3 + i / 20));
        assert!(matches!(answer, Err(Error::BadPassword)), "{i}: {answer:?}");
    }
    for from in [HOME, address(99)] {
        assert!(matches!(sign_in(0, PASSWORD, from), Err(Error::TooManyTries(_))));
    }
    processes.hands.pass(Duration::from_mins(11));
    sign_in(1, PASSWORD, HOME).unwrap();
}

#[test]
fn a_case_that_is_decided_on_an_older_place_keeps_that_version_and_lives_on() {
    let processes = Processes::start(2);
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    let folder = processes.copy_of_village();
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

#[test]
fn clocks_that_a_process_set_by_the_last_calendar_while_a_newer_came_into_force_are_computed_anew() {
    let processes = Processes::start(2);
    let [one, other] = &processes.all[..] else {
        unreachable!()
    };
    // The one that will look after it is the one that lags behind.
    other.do_duties().unwrap();
    let folder = processes.copy_of_village();
    let calendar = folder.join("calendar.csv");
    let text = std::fs::read_to_string(&calendar).unwrap();
    std::fs::write(&calendar, text + "2026-11-03,holiday,村庆,,Village Day,\n").unwrap();
    assert_eq!(one.apply(&folder).unwrap().reckoned, 0, "there is no case yet");
    let due = |number| -> Vec<Timestamp> {
        let case = wait(one.case(&processes.here, number)).unwrap();
        case.clocks.all().iter().map(|clock| clock.due_at).collect()
    };
    let (late, right) = (report(other).number, report(one).number);
    assert_ne!(due(late), due(right));
    let reckoned_by_second: Vec<u64> = (0..8)
        .map(|_| {
            let reckoned = processes.round().iter().map(|done| done.reckoned).sum();
            processes.hands.pass(Duration::from_secs(1));
            reckoned
        })
        .collect();
    assert_eq!(reckoned_by_second, [0, 0, 0, 0, 0, 1, 0, 0]);
    assert_eq!(due(late), due(right));
    let (_, log) = wait(one.case_and_log(&processes.here, late)).unwrap();
    assert!(matches!(log.last().unwrap().body, Body::Reckoned));
    processes.is_whole();
}

#[test]
fn clocks_that_an_apply_left_when_it_was_killed_are_computed_anew_after_a_start() {
    let mut processes = Processes::start(1);
    let number = report(&processes.all[0]).number;
    let folder = processes.copy_of_village();
    let calendar = folder.join("calendar.csv");
    let text = std::fs::read_to_string(&calendar).unwrap();
    std::fs::write(&calendar, text + "2026-11-03,holiday,村庆,,Village Day,\n").unwrap();
    assert_eq!(processes.all[0].apply(&folder).unwrap().reckoned, 1);
    let due = |whistle: &Whistle, here| -> Vec<Timestamp> {
        let case = wait(whistle.case(here, number)).unwrap();
        case.clocks.all().iter().map(|clock| clock.due_at).collect()
    };
    let right = due(&processes.all[0], &processes.here);
    // As if the village were in force again, and no clock had been looked at.
    let again = processes.all[0].apply(&village()).unwrap();
    assert_eq!((again.plan.version, again.reckoned), (3, 1));
    let without = due(&processes.all[0], &processes.here);
    assert_ne!(without, right);
    processes.all.remove(0).close();
    let in_force = "UPDATE jurisdiction SET version = 2";
    match processes.bed.database_url() {
        Some(url) => drop(whistle_testbed::sql(url, in_force)),
        None => rusqlite::Connection::open(processes.bed.path().join("whistle.db"))
            .and_then(|database| database.execute_batch(in_force))
            .unwrap(),
    }
    let next = open(&processes.bed, &processes.hands, 7);
    assert_eq!(due(&next, &processes.here), without);
    next.do_duties().unwrap();
    processes.hands.pass(Duration::from_secs(5));
    assert_eq!(next.do_duties().unwrap().reckoned, 1);
    assert_eq!(due(&next, &processes.here), right);
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

/// Hands of a process whose work stops where it asks for the time of day, while the gate is shut.
#[derive(Clone)]
struct Gated {
    hands: Hands,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    /// Whether it is shut, and whether somebody waits there.
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Gate {
    fn set(&self, shut: bool) {
        self.state.lock().unwrap().0 = shut;
        self.changed.notify_all();
    }

    fn wait_for_somebody(&self) {
        let state = self.state.lock().unwrap();
        drop(self.changed.wait_while(state, |(_, waits)| !*waits).unwrap());
    }
}

impl Clock for Gated {
    fn now(&self) -> Timestamp {
        let mut state = self.gate.state.lock().unwrap();
        if state.0 {
            state.1 = true;
            self.gate.changed.notify_all();
            drop(self.gate.changed.wait_while(state, |(shut, _)| *shut).unwrap());
        }
        self.hands.now()
    }

    fn running(&self) -> Duration {
        self.hands.running()
    }
}

#[test]
fn who_works_for_long_keeps_its_duties_and_who_has_hung_does_not() {
    let processes = Processes::start(1);
    let other = &processes.all[0];
    let gate = Arc::new(Gate::default());
    let clock = Gated {
        hands: processes.hands.clone(),
        gate: gate.clone(),
    };
    let site = Site {
        database_url: processes.bed.database_url().map(str::to_owned),
        ..processes.bed.path().into()
    };
    let slow = Whistle::open_with(site, Box::new(clock), Chance::from_seed(8)).unwrap();
    slow.do_duties().unwrap();
    let target = processes.bed.target(whistle_store::Target::Postgres);
    let store = whistle_store::Store::open(target, Timestamp::UNIX_EPOCH).unwrap();
    let pulse = || {
        let leases = store.read_blocking(whistle_store::lease::all).unwrap();
        let mut retention = leases.iter().filter(|lease| lease.name == "retention");
        retention.next().unwrap().pulse
    };
    let token = pulse().token;
    gate.set(true);
    std::thread::scope(|scope| {
        let work = scope.spawn(|| slow.do_duties());
        gate.wait_for_somebody();
        // Longer than anybody may be silent.
        for _ in 0..3 {
            let before = pulse();
            processes.hands.pass(Duration::from_secs(3));
            let began = Instant::now();
            while pulse() == before {
                assert!(
                    began.elapsed() < Duration::from_secs(30),
                    "it shows no sign of life"
                );
                std::thread::yield_now();
            }
            assert_eq!(other.do_duties().unwrap(), Done::default());
            assert_eq!(pulse().token, token, "it was taken for dead");
        }
        // So long no work takes.
        processes.hands.pass(Duration::from_mins(1));
        other.do_duties().unwrap();
        assert!(pulse().token > token);
        gate.set(false);
        work.join().unwrap().unwrap();
    });
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
    // So does each step of a clock happen once, however often its time comes.
    for hours in [24 * 30, -1, 1, -1, 1] {
        processes.hands.jump(SignedDuration::from_hours(hours));
        processes.round();
    }
    let (_, log) = wait(one.case_and_log(here, before.number)).unwrap();
    let taken = log.iter().filter_map(|event| match &event.body {
        Body::Escalated { clock, step, .. } => Some((*clock, *step)),
        _ => None,
    });
    let steps: Vec<_> = taken.collect();
    eprintln!("a jump back, four more, and a month between: {steps:?}");
    assert!(steps.len() >= 2, "{steps:?}");
    let mut once = steps.clone();
    once.dedup();
    assert_eq!(once, steps);
    processes.is_whole();
}
