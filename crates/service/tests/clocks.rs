//! Clocks that act, on both databases: steps are taken once, in order and in time, whoever is in charge and whatever
//! happens to the processes, the calendar and the cases meanwhile.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Body, Case, Channel, Event},
    clock::{ClockChange, ClockKind},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
    whistle::command::NewWhistle,
    words::{CaseNumber, Lang, WhistleNumber},
};
use whistle_service::{
    Here, Site, Whistle,
    account::actor_of,
    case::With,
    demo::DemoOptions,
    explain,
    list::{Order, Query, Viewer},
    time::{Chance, Clock},
};
use whistle_store::{Store, Target, case as stored};
use whistle_testbed::{Bed, copy_folder};

/// The time of day, how long the processes have run, and how long they seem to take between two looks at that.
#[derive(Clone)]
struct Hands(Arc<Mutex<(Timestamp, Duration, Duration)>>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().0
    }

    fn running(&self) -> Duration {
        let mut hands = self.0.lock().unwrap();
        let slow = hands.2;
        hands.1 += slow;
        hands.1
    }
}

impl Hands {
    fn pass(&self, time: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.0 += SignedDuration::try_from(time).unwrap();
        hands.1 += time;
    }

    fn slow(&self, down: Duration) {
        self.0.lock().unwrap().2 = down;
    }
}

struct Install {
    bed: Bed,
    hands: Hands,
    seed: u64,
}

impl Install {
    /// Begins on a Monday, at nine o'clock there.
    fn begin() -> Self {
        let monday = "2026-11-02T01:00:00Z".parse().unwrap();
        let hands = (monday, Duration::from_secs(1000), Duration::ZERO);
        Self {
            bed: Bed::new(),
            hands: Hands(Arc::new(Mutex::new(hands))),
            seed: 0,
        }
    }

    fn process(&mut self) -> Whistle {
        self.seed += 1;
        let site = Site {
            database_url: self.bed.database_url().map(str::to_owned),
            ..self.bed.path().into()
        };
        Whistle::open_with(site, Box::new(self.hands.clone()), Chance::from_seed(self.seed)).unwrap()
    }

    fn store(&self) -> Store {
        let target = self.bed.target(Target::Postgres);
        Store::open(target, Timestamp::UNIX_EPOCH).unwrap()
    }
}

fn all_cases(store: &Store, here: &Here) -> Vec<Case> {
    let mut cases = Vec::new();
    store
        .read_blocking(|conn| {
            stored::each(conn, here.id, |case| {
                cases.push(case);
                Ok(())
            })
        })
        .unwrap();
    cases
}

fn log(store: &Store, here: &Here, number: CaseNumber) -> Vec<Event> {
    store
        .read_blocking(|conn| stored::with_log(conn, here.id, number))
        .unwrap()
        .unwrap()
        .1
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

/// A copy of the village with one file changed.
fn village_with(dir: &Path, file: &str, change: impl FnOnce(String) -> String) -> PathBuf {
    let folder = dir.join(format!("with-{file}"));
    copy_folder(&village(), &folder);
    let text = fs::read_to_string(folder.join(file)).unwrap();
    fs::write(folder.join(file), change(text)).unwrap();
    folder
}

fn here(whistle: &Whistle) -> Here {
    whistle.places().all()[0].clone()
}

fn report(whistle: &Whistle, service: &str) -> CaseNumber {
    let new = NewReport {
        service: service.parse().unwrap(),
        standard: None,
        whereabouts: Whereabouts {
            point: Some(Point::new(131.8152, 46.2051).unwrap()),
            ..Whereabouts::default()
        },
        description: "It is broken.".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let place = here(whistle);
    let sent = whistle.report(&place, new, Actor::Public, With::default());
    wait(sent).unwrap().number
}

fn escalations(log: &[Event]) -> Vec<(ClockKind, u8, Timestamp, Timestamp)> {
    let of = |event: &Event| match &event.body {
        Body::Escalated {
            clock, step, due_at, ..
        } => Some((*clock, *step, *due_at, event.at)),
        _ => None,
    };
    log.iter().filter_map(of).collect()
}

#[track_caller]
fn is_whole(whistle: &Whistle) {
    let audit = whistle.audit(&here(whistle), |_| {}).unwrap();
    assert_eq!(audit.findings, Vec::<String>::new());
}

#[test]
fn a_step_is_taken_within_a_second_of_its_time_and_told() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let place = here(&whistle);
    let number = report(&whistle, "WAT-DRAIN");
    assert_eq!(whistle.do_duties().unwrap().escalated, 0);
    let case = wait(whistle.case(&place, number)).unwrap();
    let step_at = case.clocks.next_step().unwrap().step_at.unwrap();
    let wait_for = step_at.duration_since(whistle.now()) - SignedDuration::from_secs(1);
    install.hands.pass(wait_for.try_into().unwrap());
    assert_eq!(whistle.do_duties().unwrap().escalated, 0, "a second too early");
    install.hands.pass(Duration::from_secs(1));
    assert_eq!(whistle.take_steps().unwrap(), 1);
    assert_eq!(whistle.take_steps().unwrap(), 0);
    let (case, log) = wait(whistle.case_and_log(&place, number)).unwrap();
    assert_eq!(escalations(&log), [(ClockKind::Resolve, 1, step_at, step_at)]);
    assert!(case.flags.escalated.is_some());

    // What the command line says of it.
    let told = &explain::clocks(&case, &log, &place.place, whistle.now());
    let resolve = told
        .iter()
        .find(|clock| clock.kind == ClockKind::Resolve)
        .unwrap();
    let taken: Vec<bool> = resolve.steps.iter().map(|step| step.taken_at.is_some()).collect();
    assert_eq!(taken, [true, false, false, false]);
    assert!(resolve.steps.is_sorted_by_key(|step| step.due_at));
    assert_eq!(resolve.steps[1].due_at, resolve.due_at);
    assert!(
        resolve.explanations[0]
            .sentence(Lang::En)
            .contains("8 working hours")
    );
    is_whole(&whistle);
}

#[test]
fn a_stop_of_days_is_caught_up_in_the_order_of_time() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let (place, store) = (here(&whistle), install.store());
    let options = DemoOptions {
        cases: 900,
        seed: 5,
        from: Some(whistle.now() - SignedDuration::from_hours(24 * 12)),
        to: whistle.now(),
    };
    whistle.make_demo(&place, options, |_| {}).unwrap();
    // Nobody looks for three days.
    install.hands.pass(Duration::from_hours(72));
    // So slow that each look ends after a batch or two: what was taken by then is all earlier than what was not.
    install.hands.slow(Duration::from_secs(2));
    let (mut taken, mut rounds) = (0, 0);
    loop {
        let round = whistle.do_duties().unwrap().escalated;
        let due: Vec<Timestamp> = all_cases(&store, &place)
            .iter()
            .filter_map(|case| case.clocks.next_step()?.step_at)
            .filter(|at| *at <= whistle.now())
            .collect();
        taken += round;
        rounds += 1;
        let all = all_cases(&store, &place);
        let logs = all.iter().map(|case| log(&store, &place, case.number));
        let last = logs.flat_map(|log| escalations(&log)).map(|e| e.2).max();
        if let (Some(last), Some(first)) = (last, due.iter().min()) {
            assert!(last <= *first, "{last} was taken before {first}");
        } else {
            break;
        }
        assert!(round > 0, "it stands still");
    }
    assert!(taken > 300 && rounds > 2, "{taken} steps in {rounds} rounds");
    is_whole(&whistle);
}

#[test]
fn each_step_is_taken_once_whoever_is_in_charge_and_whatever_happens() {
    let seed = rand::rng().random::<u64>() % 1_000_000;
    eprintln!("seed {seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let mut install = Install::begin();
    let mut processes = vec![install.process(), install.process()];
    processes[0].apply(&village()).unwrap();
    let place = here(&processes[0]);
    let holiday = village_with(install.bed.path(), "calendar.csv", |text| {
        text + "2026-11-04,holiday,停工日,,,\n"
    });
    let hands = install.hands.clone();
    let mut numbers = Vec::new();
    for turn in 0..60 {
        let whistle = &processes[turn % 2];
        if rng.random_bool(0.4) {
            numbers.push(report(whistle, ["WAT-DRAIN", "RD-HOLE"][turn % 2]));
        }
        if let Some(number) = numbers.get(rng.random_range(0..8)) {
            let desk = actor_of(place.place.post("CITY-D").unwrap(), 1);
            let lead = actor_of(place.place.post("CITY-L").unwrap(), 2);
            let until = place.place.calendar.zone().to_datetime(whistle.now()).date();
            let act = match rng.random_range(0..5) {
                0 => Act::Park {
                    until: until.tomorrow().unwrap(),
                },
                1 => Act::Extend,
                2 => Act::Assign { unit: None },
                3 => Act::Resume,
                _ => Act::Accept { standard: None },
            };
            // Most are refused, which is as good.
            let by = if rng.random_bool(0.5) { desk } else { lead };
            let _ = wait(whistle.act(&here(whistle), *number, None, act, "because".to_owned(), by));
        }
        match rng.random_range(0..8) {
            // One is restarted, in good order or not.
            0 => {
                let gone = processes.remove(0);
                if rng.random_bool(0.5) {
                    gone.close();
                }
                processes.push(install.process());
            }
            1 if turn > 30 => drop(processes[1].apply(&holiday).unwrap()),
            _ => {}
        }
        hands.pass(Duration::from_mins(rng.random_range(1..400)));
        for process in &processes {
            process.do_duties().unwrap();
            process.take_steps().unwrap();
        }
    }
    // Both look on until all is done; whoever was silent is replaced.
    for _ in 0..12 {
        hands.pass(Duration::from_secs(1));
        for process in &processes {
            process.do_duties().unwrap();
        }
    }
    let (store, now) = (install.store(), processes[0].now());
    let mut steps = 0;
    for case in all_cases(&store, &place) {
        let next = case.clocks.next_step().and_then(|clock| clock.step_at);
        assert!(next.is_none_or(|at| at > now), "{next:?} is due in {case:?}");
        let mut last = HashMap::<ClockKind, (u8, Timestamp)>::new();
        for event in log(&store, &place, case.number) {
            for change in &event.clocks {
                if let ClockChange::Start { kind, .. } = change {
                    last.insert(*kind, (0, event.at));
                }
            }
            if let Some(&(clock, step, due_at, at)) = escalations(&[event]).first() {
                assert_eq!(step, last[&clock].0 + 1, "case {}", case.number);
                assert!(due_at <= at && last[&clock].1 <= at);
                last.insert(clock, (step, at));
                steps += 1;
            }
        }
        // By the plain look: every running clock has taken what its ladder and the calendar say.
        let place = &here(&processes[0]).place;
        for clock in case.clocks.all().iter().filter(|clock| clock.is_running()) {
            let times = place.ladder_of(&case).times(clock, &place.calendar);
            let reached = times.filter(|(_, at)| *at <= now).count();
            assert!(
                usize::from(clock.steps_fired) >= reached,
                "{clock:?} of case {}",
                case.number
            );
        }
    }
    assert!(steps > 8, "only {steps} steps");
    is_whole(&processes[0]);
}

#[test]
fn another_ladder_holds_for_the_clocks_that_run_already() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let place = here(&whistle);
    let number = report(&whistle, "WAT-DRAIN");
    whistle.do_duties().unwrap();
    let steep = village_with(install.bed.path(), "escalations.csv", |text| {
        text.replace("default,*,80%", "default,*,10%")
    });
    assert_eq!(whistle.apply(&steep).unwrap().reckoned, 1);
    install.hands.pass(Duration::from_mins(48));
    assert_eq!(whistle.do_duties().unwrap().escalated, 1);
    let (_, log) = wait(whistle.case_and_log(&place, number)).unwrap();
    assert_eq!(escalations(&log)[0].2, whistle.now());
    is_whole(&whistle);
}

#[test]
fn who_takes_a_place_over_computes_what_the_one_who_applied_it_did_not() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let place = here(&whistle);
    let number = report(&whistle, "WAT-DRAIN");
    whistle.do_duties().unwrap();
    // A program that knew no steps wrote this row, or one that died between two cases.
    let store = install.store();
    store
        .write_blocking(move |tx| -> Result<(), whistle_store::Error> {
            let found = stored::find_to_change(tx, place.id, number)?.unwrap();
            let clocks = found.case.clocks.all().iter().filter(|clock| clock.is_running());
            let without = Event {
                at: found.case.times.updated_at,
                made_at: None,
                by: Actor::System,
                body: Body::Reckoned,
                text: String::new(),
                salt: 0,
                clocks: clocks
                    .map(|clock| ClockChange::Reckon {
                        kind: clock.kind,
                        due_at: clock.due_at,
                        step_at: None,
                    })
                    .collect(),
                parts: Vec::new(),
            };
            let calendar = &place.place.calendar;
            stored::commit(tx, place.id, found, vec![without], calendar, stored::Tell::Nobody).map(drop)
        })
        .unwrap();
    drop(store);
    whistle.close();
    let place = here(&whistle);
    let whistle = install.process();
    install.hands.pass(Duration::from_secs(1));
    let holiday = village_with(install.bed.path(), "units.csv", |text| {
        text.replace("公路局", "交通局")
    });
    whistle.apply(&holiday).unwrap();
    whistle.do_duties().unwrap();
    // Until then another process may still write by the version before.
    install.hands.pass(Duration::from_secs(5));
    assert_eq!(whistle.do_duties().unwrap().reckoned, 1);
    let case = wait(whistle.case(&place, number)).unwrap();
    assert!(case.clocks.next_step().is_some(), "{:?}", case.clocks);
    is_whole(&whistle);
}

/// A whistle of the city on a case, by a process as it is now.
fn blow(whistle: &Whistle, kind: &str, case: CaseNumber) -> WhistleNumber {
    let place = here(whistle);
    let new = NewWhistle {
        kind: kind.parse().unwrap(),
        cases: vec![case],
        units: ["WATER", "ROADS"].map(|unit| unit.parse().unwrap()).to_vec(),
        lead: "WATER".parse().unwrap(),
        place: "At the mill".to_owned(),
        meet_at: None,
        matter: "The main has burst below the road.".to_owned(),
    };
    let by = actor_of(place.place.post("T100-D").unwrap(), 1);
    wait(whistle.blow(&place, new, by, None)).unwrap().number
}

/// The village with a dispatcher in the upstream station.
fn staffed(dir: &Path) -> PathBuf {
    village_with(dir, "posts.csv", |text| {
        text + "T100-D,派遣员,,Dispatcher,T100,230599100,dispatcher\n"
    })
}

fn words_of(whistle: &Whistle, number: WhistleNumber) -> Vec<&'static str> {
    let place = here(whistle);
    let by = actor_of(place.place.post("T100-D").unwrap(), 1);
    let (_, log) = wait(whistle.whistle_and_log(&place, number, &by)).unwrap();
    log.iter().map(|event| event.body.as_str()).collect()
}

#[test]
fn a_whistle_that_cannot_be_read_stops_no_clock_but_its_own() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&staffed(install.bed.path())).unwrap();
    let id = here(&whistle).id;
    let case = report(&whistle, "WAT-DRAIN");
    let broken = blow(&whistle, "URGENT", case);
    let sound = blow(&whistle, "URGENT", case);
    let store = install.store();
    store
        .write_blocking(move |tx| {
            tx.exec(
                "UPDATE whistle SET fold = '{' WHERE jurisdiction_id = $1 AND number = $2",
                whistle_store::params![id.0, broken.0],
            )
        })
        .unwrap();
    whistle.do_duties().unwrap();
    install.hands.pass(Duration::from_hours(24));
    whistle.do_duties().unwrap();
    let (_, log) = wait(whistle.case_and_log(&here(&whistle), case)).unwrap();
    assert!(!escalations(&log).is_empty(), "the case's clocks stand");
    assert_eq!(
        words_of(&whistle, sound),
        ["asked", "blown", "overdue", "overdue", "overdue", "overdue"]
    );
}

#[test]
fn a_whistle_blown_by_the_calendar_before_is_computed_anew() {
    let mut install = Install::begin();
    let (first, second) = (install.process(), install.process());
    let folder = staffed(install.bed.path());
    first.apply(&folder).unwrap();
    second.reload_places().unwrap();
    first.do_duties().unwrap();
    let case = report(&first, "WAT-DRAIN");
    let calendar = fs::read_to_string(folder.join("calendar.csv")).unwrap();
    fs::write(
        folder.join("calendar.csv"),
        calendar + "2026-11-04,holiday,停工,,No work,\n",
    )
    .unwrap();
    let known = blow(&first, "JOINT", case);
    first.apply(&folder).unwrap();
    assert_eq!(words_of(&first, known), ["asked", "blown", "reckoned"]);
    // It has not heard of it yet.
    let late = blow(&second, "JOINT", case);
    first.do_duties().unwrap();
    assert_eq!(words_of(&first, late), ["asked", "blown"]);
    install.hands.pass(Duration::from_secs(5));
    first.do_duties().unwrap();
    assert_eq!(words_of(&first, late), ["asked", "blown", "reckoned"]);
    is_whole(&first);
}

#[test]
fn a_request_to_reopen_is_looked_for_by_its_clock_also_after_a_restart() {
    let mut install = Install::begin();
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let place = here(&whistle);
    let number = report(&whistle, "WAT-DRAIN");
    let act = |whistle: &Whistle, act, by| {
        wait(whistle.act(&place, number, None, act, "because".to_owned(), by)).unwrap()
    };
    let outcome = whistle_domain::case::Outcome::Resolved;
    act(&whistle, Act::Settle { outcome }, Actor::System);
    whistle.do_duties().unwrap();
    act(&whistle, Act::RequestReopen, Actor::Reporter { report: 1 });
    let steep = village_with(install.bed.path(), "escalations.csv", |text| {
        text.replace("default,*,80%", "default,*,10%")
    });
    assert_eq!(whistle.apply(&steep).unwrap().reckoned, 1);
    let step_at = wait(whistle.case(&place, number)).unwrap().next_step_at();
    let until_step = step_at.unwrap().duration_since(whistle.now());
    install.hands.pass(until_step.try_into().unwrap());
    assert_eq!(whistle.take_steps().unwrap(), 1);
    whistle.close();
    let whistle = install.process();
    install.hands.pass(Duration::from_hours(24 * 7));
    assert_eq!(whistle.do_duties().unwrap().escalated, 3);
    act(
        &whistle,
        Act::RefuseReopen,
        actor_of(place.place.post("CITY-L").unwrap(), 2),
    );
    install.hands.pass(Duration::from_hours(24 * 7));
    assert_eq!(whistle.do_duties().unwrap().escalated, 0);
    is_whole(&whistle);
}

#[test]
fn a_look_costs_what_is_due_and_not_what_runs() {
    let Some(bed) = Bed::sqlite() else {
        // There an index does it, which the store's own tests look at.
        return;
    };
    let mut install = Install {
        bed,
        ..Install::begin()
    };
    let whistle = install.process();
    whistle.apply(&village()).unwrap();
    let place = here(&whistle);
    let options = DemoOptions {
        cases: 20_000,
        seed: 3,
        from: Some(whistle.now() - SignedDuration::from_hours(24)),
        to: whistle.now(),
    };
    whistle.make_demo(&place, options, |_| {}).unwrap();
    let began = Instant::now();
    let mut taken = 0;
    while let steps @ 1.. = whistle.do_duties().unwrap().escalated {
        taken += steps;
    }
    eprintln!("{taken} steps in {:?}", began.elapsed());
    let fastest = |work: &mut dyn FnMut()| {
        let time = |_| {
            let began = Instant::now();
            work();
            began.elapsed()
        };
        (0..5).map(time).min().unwrap()
    };
    let look = fastest(&mut || assert_eq!(whistle.take_steps().unwrap(), 0));
    // A list of open cases looks through all of them once.
    let desk = actor_of(place.place.post("CITY-L").unwrap(), 1);
    let query = Query {
        open: Some(true),
        order: Order::Due,
        limit: 1,
        ..Query::default()
    };
    let all = fastest(&mut || {
        wait(whistle.cases(&place, &query, Viewer::Staff(&desk))).unwrap();
    });
    eprintln!("a look: {look:?}; a list: {all:?}");
    assert!(
        look * 4 < all,
        "a look takes {look:?}, to go through all takes {all:?}"
    );
}
