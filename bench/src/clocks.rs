//! A million running clocks: how late their steps are taken, and how fast what a stop has left is caught up.
//!
//! In one process, on its own clock: cases are reported within an hour, so that an hour of steps lies ahead. The
//! reference are plain acts upon single cases, many at once, by the same program on the same database.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Channel},
    command::{Act, Context, NewReport, Whereabouts, report},
    rights::Role,
    words::CaseNumber,
};
use whistle_service::{
    Here, Whistle,
    account::actor_of,
    time::{Chance, Clock},
};
use whistle_store::{
    Store,
    case::{NEVER, Prepared, Tell},
};

use crate::{median, server, verdict, verdict_below};

/// Clocks that run, when nothing else is said by `WHISTLE_BENCH_CLOCKS`.
const CLOCKS: i64 = 1_000_000;
/// The time in which they were started, and so the time in which they have their next steps.
const SPREAD: SignedDuration = SignedDuration::from_hours(1);
/// How long the scheduler is watched at its daily work.
const WATCHED: Duration = Duration::from_secs(20);
/// The stop that is caught up.
const STOP: SignedDuration = SignedDuration::from_mins(3);
/// Acts at once, for the reference.
const AT_ONCE: usize = 64;
const ACTS: usize = 20_000;
/// Cases of one commit while they are made.
const BATCH: i64 = 1000;

/// Time goes by as it does outside, from another beginning.
#[derive(Clone)]
struct Hands(Arc<Mutex<(Timestamp, Instant)>>);

impl Hands {
    fn set(&self, now: Timestamp) {
        *self.0.lock().expect("no one panics with it") = (now, Instant::now());
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        let (at, since) = *self.0.lock().expect("no one panics with it");
        let passed = SignedDuration::try_from(since.elapsed()).expect("a short time");
        let now = at + passed;
        Timestamp::from_microsecond(now.as_microsecond()).expect("a time of today")
    }
}

/// Runs it.
pub fn run() {
    let clocks = std::env::var("WHISTLE_BENCH_CLOCKS").ok();
    let clocks = clocks.and_then(|n| n.parse().ok()).unwrap_or(CLOCKS);
    println!("clocks: {clocks} run, with their next steps within {SPREAD:#}");
    let dir = tempfile::tempdir_in(server::scratch()).expect("a directory");
    // A Monday, nine o'clock there.
    let monday: Timestamp = "2026-11-02T01:00:00Z".parse().expect("a time");
    let hands = Hands(Arc::new(Mutex::new((monday, Instant::now()))));
    let open =
        || Whistle::open_with(dir.path(), Box::new(hands.clone()), Chance::from_seed(1)).expect("it opens");
    let whistle = open();
    whistle.apply(&server::three_rivers()).expect("it is sound");
    let here = whistle.places().all()[0].clone();
    whistle.close();
    drop(whistle);
    let mut due = make(dir.path(), &here, monday, clocks);
    due.sort_unstable();
    let first = Timestamp::from_microsecond(due[0]).expect("a time");

    hands.set(first - SignedDuration::from_secs(30));
    let began = Instant::now();
    let whistle = open();
    println!("  opened in {:.2} s", began.elapsed().as_secs_f64());
    // What must be looked at once after a place was applied.
    let began = Instant::now();
    while whistle.do_duties().expect("duties") != whistle_service::duties::Done::default() {}
    println!(
        "  the clocks of all were computed anew in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    hands.set(first);
    let (mut delays, mut busy, mut taken) = (Vec::new(), Duration::ZERO, 0);
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        let tick = Instant::now();
        let steps = whistle.take_steps().expect("steps") as usize;
        busy += tick.elapsed();
        let now = hands.now().as_microsecond();
        delays.extend(due[taken..taken + steps].iter().map(|at| (now - at) as f64 / 1e6));
        taken += steps;
        std::thread::sleep(Duration::from_secs(1).saturating_sub(tick.elapsed()));
    }
    delays.sort_by(f64::total_cmp);
    let p99 = delays.get(delays.len() * 99 / 100).copied().unwrap_or(f64::NAN);
    println!(
        "  {} steps in {WATCHED:?}: delay p50 {:.2} s, p99 {p99:.2} s; busy {:.1} % of the time",
        delays.len(),
        median(delays.clone()),
        100.0 * busy.as_secs_f64() / WATCHED.as_secs_f64()
    );
    verdict_below("delay p99", p99, 5.0, "s");

    let acts = acts_per_second(&whistle, &here, clocks);
    hands.set(hands.now() + STOP);
    let (began, mut steps) = (Instant::now(), 0);
    while let more @ 1.. = whistle.take_steps().expect("steps") {
        steps += more;
    }
    let rate = steps as f64 / began.elapsed().as_secs_f64();
    println!("  a stop of {STOP:#}: {steps} steps caught up, {rate:.0} steps/s; {acts:.0} plain acts/s");
    verdict("steps taken by plain acts", rate / acts, 0.5);
}

/// Makes the cases, and answers when the next step of each is due.
fn make(dir: &std::path::Path, here: &Here, monday: Timestamp, clocks: i64) -> Vec<i64> {
    let store = Store::open(dir, monday).expect("it opens");
    let new = NewReport {
        // Two standards, so that somebody must look: one clock runs.
        service: "GY-JG".parse().expect("a code"),
        standard: None,
        whereabouts: Whereabouts {
            address: "三江市".to_owned(),
            ..Whereabouts::default()
        },
        description: "It is broken.".to_owned(),
        answers: Vec::new(),
        channel: Channel::Web,
        photos: Vec::new(),
        fixed: None,
    };
    let (began, mut due) = (Instant::now(), Vec::new());
    for batch in (1..=clocks).step_by(BATCH as usize) {
        let prepared: Vec<Prepared> = (batch..(batch + BATCH).min(clocks + 1))
            .map(|number| {
                let context = Context {
                    place: &here.place,
                    now: monday + SPREAD * (number as i32) / (clocks as i32).max(1),
                    by: &Actor::Public,
                    chance: 0.5,
                };
                let number = CaseNumber(number);
                let events = report(&new, number, context).expect("a report");
                Prepared::new(here.id, number, None, events, &here.place.calendar).expect("it folds")
            })
            .collect();
        due.extend(prepared.iter().map(Prepared::step_at).filter(|at| *at != NEVER));
        store
            .write_blocking(move |tx| {
                prepared
                    .iter()
                    .try_for_each(|prepared| prepared.write(tx, Tell::Nobody))
            })
            .expect("they are written");
    }
    println!("  made in {:.0} s", began.elapsed().as_secs_f64());
    due
}

/// Comments on cases by chance, many at once: each a command of its own, committed in groups.
fn acts_per_second(whistle: &Whistle, here: &Here, cases: i64) -> f64 {
    let mut posts = here.place.posts();
    let desk = posts.find(|post| post.area == 0 && post.roles.contains(&Role::Dispatcher));
    let by = actor_of(desk.expect("the city has a dispatcher"), 1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let (done, began) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    runtime.block_on(async {
        let mut all = tokio::task::JoinSet::new();
        for seed in 0..AT_ONCE {
            let (whistle, here, by, done) = (whistle.clone(), here.clone(), by.clone(), Arc::clone(&done));
            all.spawn(async move {
                let mut rng = StdRng::seed_from_u64(seed as u64);
                while done.fetch_add(1, Ordering::Relaxed) < ACTS {
                    let number = CaseNumber(rng.random_range(1..=cases));
                    let act = Act::Comment { public: false };
                    let acted = whistle.act(&here, number, None, act, "Seen.".to_owned(), by.clone());
                    acted.await.expect("a comment is allowed");
                }
            });
        }
        while let Some(one) = all.join_next().await {
            one.expect("no task panics");
        }
    });
    ACTS as f64 / began.elapsed().as_secs_f64()
}
