//! A million running clocks: how late their steps are taken, and how fast what a stop has left is caught up. At the end the
//! logs are read: each step that was due was taken once, and in the order of their times.
//!
//! In one process, on its own clock: cases are reported within an hour all over the place, and have four hours of working
//! time until somebody must have looked, so that all clocks run before the first of an hour of steps is due. The reference are
//! plain acts upon single cases, many at once, by the same program on the same database.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Answer, Body, Channel},
    command::{Act, Context, NewReport, Whereabouts, report},
    place::Level,
    rights::Role,
    words::{AreaCode, CaseNumber},
};
use whistle_service::{
    Here, Site, Whistle,
    account::actor_of,
    time::{Chance, Clock},
};
use whistle_store::{
    Store, Target,
    case::{self as stored, NEVER, Prepared, Tell},
};

use crate::{median, server, verdict, verdict_below};

/// Clocks that run, when nothing else is said by `WHISTLE_BENCH_CLOCKS`.
const CLOCKS: i64 = 1_000_000;
/// The time in which they were started, and so the time in which they have their next steps.
const SPREAD: SignedDuration = SignedDuration::from_hours(1);
/// How long the scheduler is watched at its daily work.
const WATCHED: Duration = Duration::from_secs(20);
/// Duties are looked at so often.
const TICK: Duration = Duration::from_millis(500);
/// The stop that is caught up.
const STOP: SignedDuration = SignedDuration::from_mins(3);
/// The clocks of a new version of the place are computed anew so long after it came into force.
const SETTLED: Duration = Duration::from_secs(6);
/// A look at the duties that takes no longer has left nothing for the next one.
const SHORT: Duration = Duration::from_secs(1);
/// Cases whose logs are read at once, and cases behind the last step that must have taken none.
const READ: usize = 1000;
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

/// Runs it on SQLite.
pub fn run() {
    measure(None);
}

/// Where the clocks are.
struct Place {
    dir: tempfile::TempDir,
    /// The address of a database on PostgreSQL.
    url: Option<String>,
}

impl Place {
    fn whistle(&self, hands: &Hands) -> Whistle {
        let site = Site {
            database_url: self.url.clone(),
            ..self.dir.path().into()
        };
        Whistle::open_with(site, Box::new(hands.clone()), Chance::from_seed(1)).expect("it opens")
    }

    fn store(&self, now: Timestamp) -> Store {
        let target = match &self.url {
            Some(url) => Target::Postgres(url.clone()),
            None => self.dir.path().into(),
        };
        Store::open(target, now).expect("it opens")
    }
}

/// Runs it in a directory, or in an empty database.
pub fn measure(url: Option<String>) {
    let clocks = std::env::var("WHISTLE_BENCH_CLOCKS").ok();
    let clocks = clocks.and_then(|n| n.parse().ok()).unwrap_or(CLOCKS);
    println!("clocks: {clocks} run, with their next steps within {SPREAD:#}");
    let dir = tempfile::tempdir_in(server::scratch()).expect("a directory");
    let place = Place { dir, url };
    // A Monday, nine o'clock there.
    let monday: Timestamp = "2026-11-02T01:00:00Z".parse().expect("a time");
    let hands = Hands(Arc::new(Mutex::new((monday, Instant::now()))));
    let whistle = place.whistle(&hands);
    whistle.apply(&patient(place.dir.path())).expect("it is sound");
    let here = whistle.places().all()[0].clone();
    whistle.close();
    drop(whistle);
    let mut due = make(&place, &here, monday, clocks);
    due.sort_unstable();
    assert_eq!(
        due.len() as i64,
        clocks,
        "each case has a clock with a step ahead"
    );
    let first = Timestamp::from_microsecond(due[0].0).expect("a time");
    let reported = monday + SPREAD;
    assert!(reported < first, "all clocks run before the first step is due");

    hands.set(reported);
    let began = Instant::now();
    let whistle = place.whistle(&hands);
    println!("  opened in {:.2} s", began.elapsed().as_secs_f64());
    let busy = settle(&whistle);
    println!(
        "  the clocks of all were looked at once, after a new version of the place, in {:.1} s; resident {:.0} MB",
        busy.as_secs_f64(),
        server::resident_mb(std::process::id())
    );
    assert!(hands.now() < first, "nothing was due meanwhile");

    hands.set(first);
    let (mut delays, mut busy, mut taken) = (Vec::new(), Duration::ZERO, 0);
    let began = Instant::now();
    while began.elapsed() < WATCHED {
        let tick = Instant::now();
        let steps = whistle.do_duties().expect("duties").escalated as usize;
        busy += tick.elapsed();
        let now = hands.now().as_microsecond();
        let these = &due[taken..taken + steps];
        delays.extend(these.iter().map(|(at, _)| (now - at) as f64 / 1e6));
        taken += steps;
        std::thread::sleep(TICK.saturating_sub(tick.elapsed()));
    }
    delays.sort_by(f64::total_cmp);
    let p99 = delays.get(delays.len() * 99 / 100).copied().unwrap_or(f64::NAN);
    println!(
        "  {} steps in {WATCHED:?}: delay p50 {:.2} s, p99 {p99:.2} s; busy {:.1} % of the time",
        delays.len(),
        median(delays.clone()),
        100.0 * busy.as_secs_f64() / WATCHED.as_secs_f64()
    );
    verdict_below(
        "longest delay",
        delays.last().copied().unwrap_or(f64::NAN),
        5.0,
        "s",
    );

    let acts = acts_per_second(&whistle, &here, clocks);
    hands.set(hands.now() + STOP);
    // While that is caught up more comes due, which is not waited for.
    let until = hands.now().as_microsecond();
    let behind = due.partition_point(|(at, _)| *at <= until) - taken;
    let (began, mut steps) = (Instant::now(), 0);
    while steps < behind {
        let more = whistle.do_duties().expect("duties").escalated as usize;
        assert!(more > 0, "{} steps that are due are not taken", behind - steps);
        steps += more;
    }
    let rate = steps as f64 / began.elapsed().as_secs_f64();
    println!("  a stop of {STOP:#}: {steps} steps caught up, {rate:.0} steps/s; {acts:.0} plain acts/s");
    verdict("steps taken by plain acts", rate / acts, 0.5);
    whistle.close();
    drop(whistle);
    each_once_in_order(&place, &here, &due, taken + steps);
}

/// The sample place, where a new report may wait for half a working day.
fn patient(dir: &Path) -> PathBuf {
    let folder = dir.join("place");
    copy(&server::three_rivers(), &folder);
    let settings = folder.join("jurisdiction.toml");
    let text = fs::read_to_string(&settings).expect("it is there");
    let patient = text.replace("triage = \"30m working\"", "triage = \"4h working\"");
    assert_ne!(text, patient, "the sample place names its limit for triage");
    fs::write(settings, patient).expect("room for it");
    folder
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Does what must be done once after a place was applied. Answers how long it worked.
fn settle(whistle: &Whistle) -> Duration {
    let (began, mut busy) = (Instant::now(), Duration::ZERO);
    loop {
        let look = Instant::now();
        whistle.do_duties().expect("duties");
        busy += look.elapsed();
        if began.elapsed() > SETTLED && look.elapsed() < SHORT {
            return busy;
        }
        std::thread::sleep(TICK.saturating_sub(look.elapsed()));
    }
}

/// Reads the logs of the cases whose steps were taken, and of those that come next.
fn each_once_in_order(place: &Place, here: &Here, due: &[(i64, CaseNumber)], taken: usize) {
    let store = place.store(Timestamp::UNIX_EPOCH);
    let (mut wrong, mut last) = (0, Timestamp::MIN);
    for (nth, some) in due.chunks(READ).enumerate().take(taken / READ + 2) {
        let numbers: Vec<CaseNumber> = some.iter().map(|(_, number)| *number).collect();
        let logs = store
            .read_blocking(|conn| stored::logs(conn, here.id, &numbers))
            .expect("logs");
        let mut steps: HashMap<CaseNumber, Vec<(Timestamp, Timestamp)>> = HashMap::new();
        for (number, event) in logs {
            if let Body::Escalated { due_at, .. } = event.body {
                steps.entry(number).or_default().push((due_at, event.at));
            }
        }
        for (of, (at, number)) in some.iter().enumerate() {
            let expected = nth * READ + of < taken;
            match steps.get(number).map_or(&[][..], Vec::as_slice) {
                [] if !expected => {}
                [(due_at, done_at)] if expected && due_at.as_microsecond() == *at && last <= *done_at => {
                    last = *done_at;
                }
                _ => wrong += 1,
            }
        }
    }
    println!("  {taken} steps were each taken once and in order; {wrong} were not");
    assert_eq!(wrong, 0, "each step is taken once, in the order of the times");
}

/// Makes the cases, and answers when the next step of each is due.
fn make(place: &Place, here: &Here, monday: Timestamp, clocks: i64) -> Vec<(i64, CaseNumber)> {
    let store = place.store(monday);
    let areas = here.place.areas.all().iter();
    let communities = areas.filter(|area| area.level == Level::Community);
    let communities: Vec<&AreaCode> = communities.map(|area| &area.code).collect();
    let new = |number: i64| NewReport {
        // Several standards, so that somebody must look: one clock runs.
        service: "GY-JG".parse().expect("a code"),
        standard: None,
        whereabouts: Whereabouts {
            area: Some(communities[number as usize % communities.len()].clone()),
            ..Whereabouts::default()
        },
        description: "It is broken.".to_owned(),
        answers: vec![Answer {
            question: "traffic".to_owned(),
            values: vec!["yes".to_owned()],
        }],
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
                let new = new(number);
                let number = CaseNumber(number);
                let events = report(&new, number, context).expect("a report");
                Prepared::new(here.id, number, None, events, &here.place.calendar).expect("it folds")
            })
            .collect();
        let steps = (batch..).map(CaseNumber).zip(&prepared);
        let steps = steps.map(|(number, prepared)| (prepared.step_at(), number));
        due.extend(steps.filter(|(at, _)| *at != NEVER));
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
