//! Several processes on one PostgreSQL, and what may befall them: killed, paused, replaced, their database crashed. After
//! each: all verifies, every acknowledged report is there once, no duty was done twice.
//!
//! `WHISTLE_FAULT_SEED` repeats what chance did. Broken connections in mid-commit are tested in the store (`faults.rs`).

mod harness;

use std::{
    collections::BTreeMap,
    io::{BufRead, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use harness::{Home, REQUESTS, Server, agent, eventually, post, pothole, village};
use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Channel},
    command::{Act, NewReport, Whereabouts},
    geometry::Point,
};
use whistle_service::{
    Site, Whistle,
    account::actor_of,
    case,
    time::{Chance, Clock},
};
use whistle_testbed::{
    Bed, Cluster,
    proxy::{Next, Proxy},
    sql,
};

const CLIENTS: usize = 6;

/// Within which time another process must have a dead one's duties.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(10);

/// Within which time a place that was applied must be in force everywhere.
const LIVE_WITHIN: Duration = Duration::from_secs(2);

fn chance() -> StdRng {
    let seed = std::env::var("WHISTLE_FAULT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random::<u64>);
    eprintln!("WHISTLE_FAULT_SEED={seed}");
    StdRng::seed_from_u64(seed)
}

// ---- load -------------------------------------------------------------------------------------------------------

/// Clients that report without a pause, each report until it is acknowledged, at whichever process answers.
struct Load<'l> {
    api_key: &'l str,
    /// Where processes listen now.
    urls: &'l Mutex<Vec<String>>,
    /// Whether a process may say that it cannot just now.
    may_refuse: bool,
    stop: AtomicBool,
    /// The case of each retry key.
    acknowledged: Mutex<BTreeMap<String, String>>,
    sent_again: AtomicUsize,
}

impl<'l> Load<'l> {
    fn new(api_key: &'l str, urls: &'l Mutex<Vec<String>>) -> Self {
        Self {
            api_key,
            urls,
            may_refuse: false,
            stop: AtomicBool::new(false),
            acknowledged: Mutex::default(),
            sent_again: AtomicUsize::new(0),
        }
    }

    /// Runs the clients beside `meanwhile`.
    fn during(&self, meanwhile: impl FnOnce()) {
        thread::scope(|scope| {
            for client in 0..CLIENTS {
                scope.spawn(move || self.report_on(client));
            }
            let ended = Ended(&self.stop);
            meanwhile();
            drop(ended);
        });
    }

    fn report_on(&self, client: usize) {
        let agent = agent();
        for i in 0.. {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let key = format!("{client}-{i}");
            let id = self.report(&agent, client + i, &key);
            self.acknowledged.lock().unwrap().insert(key, id);
        }
    }

    fn report(&self, agent: &ureq::Agent, first: usize, key: &str) -> String {
        let began = Instant::now();
        for turn in first.. {
            assert!(began.elapsed() < harness::DEADLINE, "{key} is never acknowledged");
            let url = {
                let urls = self.urls.lock().unwrap();
                format!("{}{REQUESTS}", urls[turn % urls.len()])
            };
            let form = pothole(self.api_key, key);
            match post(agent, &url, &[("Idempotency-Key", key)], &form) {
                Ok(answer) if answer.status < 300 => return id_of(&answer.json()),
                Ok(answer) => {
                    assert!(self.may_refuse && answer.status == 503, "{answer:#?}");
                    assert!(answer.retry_after.is_some(), "{answer:#?}");
                }
                // Killed in the middle: nobody knows what became of it.
                Err(_) => {}
            }
            self.sent_again.fetch_add(1, Ordering::Relaxed);
            thread::park_timeout(Duration::from_millis(20));
        }
        unreachable!()
    }

    fn count(&self) -> usize {
        self.acknowledged.lock().unwrap().len()
    }

    /// Waits until some more are acknowledged.
    fn more(&self, by: usize) {
        let before = self.count();
        eventually("reports are acknowledged", || self.count() >= before + by);
    }

    /// Every acknowledged report is a case of its own, and there are `others` more. Says what was done.
    fn judge(&self, home: &Home, others: usize) {
        let acknowledged = self.acknowledged.lock().unwrap();
        let mut ids: Vec<_> = acknowledged.values().collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), acknowledged.len(), "two reports have one case");
        assert_eq!(
            home.cases(),
            (ids.len() + others) as i64,
            "a report has two cases, or none"
        );
        let url = home.database_url().unwrap();
        let there = sql(
            url,
            &format!("SELECT count(*) FROM cases WHERE number IN ({})", join(&ids)),
        );
        assert_eq!(there, ids.len().to_string(), "acknowledged and lost");
        let again = self.sent_again.load(Ordering::Relaxed);
        eprintln!("{} reports acknowledged, {again} of them sent again", ids.len());
    }
}

/// Stops the clients, also when what runs beside them panics.
struct Ended<'e>(&'e AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn join(ids: &[&String]) -> String {
    ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

fn id_of(answer: &serde_json::Value) -> String {
    let id = &answer[0]["service_request_id"];
    id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)
}

#[track_caller]
fn verify(home: &Home) {
    let verified = home.run(&["verify"]);
    assert_eq!(verified.code, 0, "{verified:#?}");
    eprintln!("{}", verified.out.trim());
}

// ---- duties -----------------------------------------------------------------------------------------------------

/// Sixteen days behind: more than the five working days of the cases' limit, whatever holidays lie between.
struct Behind;

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        let then = Timestamp::now() - SignedDuration::from_hours(16 * 24);
        Timestamp::from_microsecond(then.as_microsecond()).unwrap()
    }
}

/// A process whose clock is behind: what it parks until its tomorrow is due to run on for all others, and then its limit
/// is over. It has no duties.
struct Parker(Whistle);

impl Parker {
    fn of(home: &Home) -> Self {
        let site = Site {
            database_url: home.database_url().map(str::to_owned),
            ..home.data().into()
        };
        Self(Whistle::open_with(site, Box::new(Behind), Chance::from_machine()).unwrap())
    }

    /// Reports a case and parks it.
    fn park(&self) {
        let here = self.0.places().all()[0].clone();
        let lead = actor_of(here.place.post("CITY-L").unwrap(), 1);
        let today = here.place.calendar.zone().to_datetime(self.0.now()).date();
        let report = NewReport {
            service: "RD-HOLE".parse().unwrap(),
            standard: None,
            whereabouts: Whereabouts {
                point: Some(Point::new(131.8152, 46.2051).unwrap()),
                ..Whereabouts::default()
            },
            description: "A hole that can wait.".to_owned(),
            answers: Vec::new(),
            channel: Channel::Web,
            photos: Vec::new(),
            fixed: None,
        };
        let park = Act::Park {
            until: today.tomorrow().unwrap(),
        };
        let parked = async {
            let with = case::With::default();
            let made = self.0.report(&here, report, Actor::Public, with).await?;
            let why = "Later.".to_owned();
            self.0.act(&here, made.number, None, park, why, lead).await
        };
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(parked)
            .unwrap();
    }
}

/// How often each case was made to run on.
fn resumed(home: &Home) -> String {
    sql(
        home.database_url().unwrap(),
        "SELECT count(DISTINCT number) || ' of ' || count(*)
         FROM event
         WHERE entry LIKE '%\"resumed\"%'",
    )
}

/// How many steps of clocks were taken, and how many of them are not taken twice.
fn steps(home: &Home) -> (usize, usize) {
    let counts = sql(
        home.database_url().unwrap(),
        "SELECT count(*) || ' ' || count(DISTINCT (number, (entry::jsonb -> 'body')::text))
         FROM event
         WHERE entry LIKE '%\"escalated\"%'",
    );
    let (all, different) = counts.split_once(' ').unwrap();
    (all.parse().unwrap(), different.parse().unwrap())
}

/// Waits until the clocks of so many cases have taken the steps before and at the end of their limit; none was taken twice.
fn each_step_is_taken_once(home: &Home, cases: usize) {
    eventually("the steps of their clocks are taken", || {
        steps(home).0 >= 2 * cases
    });
    let (all, different) = steps(home);
    eprintln!("{all} steps of clocks were taken, {different} of them different");
    assert_eq!(all, different);
}

fn has_duties(server: &Server) -> bool {
    server.log().contains("this process looks after a duty now")
}

#[test]
fn a_dead_holder_of_duties_is_replaced_within_10_s_and_a_paused_one_does_nothing_more() {
    let home = Home::village();
    if !home.is_on_postgres() {
        return;
    }
    let mut first = home.serve();
    eventually("the first process has the duties", || has_duties(&first));
    let second = home.serve();
    first.kill();
    let killed = Instant::now();
    eventually("the second has them", || has_duties(&second));
    let took = killed.elapsed();
    eprintln!("killed with -9, replaced after {took:?}");
    assert!(took < TAKEN_OVER_WITHIN, "{took:?}");

    let third = home.serve();
    second.signal("STOP");
    let paused = Instant::now();
    eventually("the third has them", || has_duties(&third));
    eprintln!("paused, replaced after {:?}", paused.elapsed());
    assert!(paused.elapsed() < TAKEN_OVER_WITHIN);
    let parker = Parker::of(&home);
    (0..5).for_each(|_| parker.park());
    second.signal("CONT");
    eventually("the parked cases run on", || resumed(&home).starts_with('5'));
    // Both have looked at their duties a few times since.
    let beats = || {
        sql(home.database_url().unwrap(), "SELECT max(beat) FROM lease")
            .parse::<i64>()
            .unwrap()
    };
    let before = beats();
    eventually("the holder goes on", || beats() >= before + 2);
    assert_eq!(resumed(&home), "5 of 5");
    each_step_is_taken_once(&home, 5);
    parker.0.close();
    second.stop();
    third.stop();
    verify(&home);
}

// ---- processes --------------------------------------------------------------------------------------------------

#[test]
fn three_processes_of_which_one_is_killed_each_second_lose_nothing_and_do_no_duty_twice() {
    const KILLS: usize = 8;
    const PARKED_EACH: usize = 3;
    let home = Home::village();
    if !home.is_on_postgres() {
        return;
    }
    let mut chance = chance();
    let api_key = home.key();
    let mut servers: Vec<Server> = (0..3).map(|_| home.serve()).collect();
    let urls = Mutex::new(servers.iter().map(|server| server.url.clone()).collect());
    let load = Load::new(&api_key, &urls);
    let parker = Parker::of(&home);
    load.during(|| {
        for kill in 0..KILLS {
            load.more(5);
            (0..PARKED_EACH).for_each(|_| parker.park());
            let began = Instant::now();
            let victim = chance.random_range(0..servers.len());
            servers[victim].kill();
            servers[victim] = home.serve();
            urls.lock().unwrap()[victim].clone_from(&servers[victim].url);
            eprintln!("kill {kill}: process {victim}, {} acknowledged", load.count());
            let rest = Duration::from_secs(1).saturating_sub(began.elapsed());
            thread::park_timeout(rest);
        }
    });
    let parked = KILLS * PARKED_EACH;
    eventually("all parked cases run on", || {
        resumed(&home).starts_with(&format!("{parked} "))
    });
    assert_eq!(resumed(&home), format!("{parked} of {parked}"));
    eprintln!("{parked} parked cases ran on, each once");
    each_step_is_taken_once(&home, parked);
    load.judge(&home, parked);
    parker.0.close();
    servers.into_iter().for_each(Server::stop);
    verify(&home);
}

#[test]
fn processes_wait_out_a_crash_of_the_database_and_acknowledge_nothing_that_is_lost() {
    if !Home::empty().is_on_postgres() {
        return;
    }
    let mut chance = chance();
    let cluster = Cluster::start();
    let home = Home::at(cluster.url()).with_village();
    let api_key = home.key();
    let servers = [home.serve(), home.serve()];
    let urls = Mutex::new(servers.iter().map(|server| server.url.clone()).collect());
    let load = Load {
        may_refuse: true,
        ..Load::new(&api_key, &urls)
    };
    load.during(|| {
        for crash in 0..2 {
            load.more(chance.random_range(10..60));
            cluster.crash();
            cluster.start_again();
            eprintln!("crash {crash}: {} acknowledged", load.count());
        }
        load.more(20);
    });
    load.judge(&home, 0);
    servers.into_iter().for_each(Server::stop);
    verify(&home);
}

#[test]
fn a_process_whose_connections_are_cut_in_mid_commit_acknowledges_nothing_that_is_lost() {
    const CUTS: usize = 12;
    let Some(bed) = Bed::postgres() else { return };
    let proxy = Proxy::before(&bed);
    let home = Home::from(bed).through(proxy.url.clone()).with_village();
    let mut chance = chance();
    let api_key = home.key();
    let server = home.serve();
    let urls = Mutex::new(vec![server.url.clone()]);
    let load = Load {
        may_refuse: true,
        ..Load::new(&api_key, &urls)
    };
    let parker = Parker::of(&home);
    load.during(|| {
        for cut in 0..CUTS {
            load.more(chance.random_range(2..12));
            parker.park();
            let next = [Next::CutAfter, Next::CutBefore, Next::CutAndDelay];
            let next = next[chance.random_range(0..next.len())];
            proxy.set(next);
            eventually("a commit is cut", || proxy.was_used());
            eprintln!("cut {cut}, {next:?}: {} acknowledged", load.count());
        }
        load.more(5);
    });
    eventually("all parked cases run on", || {
        resumed(&home).starts_with(&format!("{CUTS} "))
    });
    each_step_is_taken_once(&home, CUTS);
    load.judge(&home, CUTS);
    parker.0.close();
    server.stop();
    verify(&home);
}

#[test]
fn a_place_that_is_applied_is_in_force_in_all_processes_within_two_seconds() {
    let home = Home::village();
    let servers = [home.serve(), home.serve()];
    let folder = home.copy_of_village();
    let services = folder.join("services.csv");
    for turn in 0..3 {
        let text = std::fs::read_to_string(&services).unwrap();
        let name = format!("Pothole {turn}");
        let (before, after) = text.split_once("RD-HOLE,RD,路面坑洞,,").unwrap();
        let (_, after) = after.split_once(',').unwrap();
        std::fs::write(&services, format!("{before}RD-HOLE,RD,路面坑洞,,{name},{after}")).unwrap();
        home.run(&["apply", folder.to_str().unwrap()]).good();
        let applied = Instant::now();
        for server in &servers {
            eventually("the place is in force", || {
                server
                    .get("/open311/v2/services.json?locale=en")
                    .body
                    .contains(&name)
            });
        }
        eprintln!("in force everywhere after {:?}", applied.elapsed());
        assert!(applied.elapsed() < LIVE_WITHIN);
    }
    servers.into_iter().for_each(Server::stop);
}

/// A stream of what changes, of an account at a process.
struct Stream(std::io::BufReader<TcpStream>);

impl Stream {
    /// Signs in by the form and begins.
    fn of(server: &Server, login: &str, password: &str) -> Self {
        let form = format!("login={login}&password={}", password.replace(' ', "+"));
        let mut entering = server.connect();
        write!(
            entering,
            "POST /staff/sign-in HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        let head = harness::read_head(&mut entering);
        let cookie = head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .unwrap_or_else(|| panic!("nobody is let in: {head}"));
        let cookie = cookie.split(';').next().unwrap();
        let mut stream = server.connect();
        write!(
            stream,
            "GET /staff/live HTTP/1.1\r\nHost: here\r\nAccept: text/event-stream\r\nCookie: {cookie}\r\n\r\n"
        )
        .unwrap();
        let head = harness::read_head(&mut stream);
        assert!(head.contains("text/event-stream"), "{head}");
        let mut stream = Self(std::io::BufReader::new(stream));
        stream.hears("event: begin");
        stream
    }

    /// Waits until something is told.
    fn hears(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "it ended before {what}");
        }
    }

    /// Whether it ends.
    fn ends(mut self) {
        self.0.read_to_string(&mut String::new()).unwrap();
    }
}

#[test]
fn a_change_through_one_process_is_told_to_who_looks_on_at_another_within_two_seconds() {
    let home = Home::village();
    if !home.is_on_postgres() {
        return;
    }
    let password = "a long enough password";
    let add = ["user", "add", "desk", "--post", "CITY-D", "--password-stdin"];
    home.run_with_input(&add, password).good();
    let api_key = home.key();
    let (first, second) = (home.serve(), home.serve());
    let mut stream = Stream::of(&second, "desk", password);
    for (turn, server) in [&first, &second, &first].into_iter().enumerate() {
        let answer = server.report(&api_key, &format!("turn {turn}")).unwrap();
        let reported = Instant::now();
        stream.hears(&format!("{:?}", id_of(&answer.json())));
        eprintln!("told after {:?}", reported.elapsed());
        assert!(reported.elapsed() < LIVE_WITHIN, "{:?}", reported.elapsed());
    }
    // A stream keeps no process from stopping.
    let stopped = Instant::now();
    second.stop();
    stream.ends();
    assert!(
        stopped.elapsed() < Duration::from_secs(10),
        "{:?}",
        stopped.elapsed()
    );
    first.stop();
    verify(&home);
}

// ---- a rolling restart ------------------------------------------------------------------------------------------

/// A balancer: passes each connection on to one of the processes that say they are ready.
struct Balancer {
    url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    members: Mutex<Vec<SocketAddr>>,
    ready: Mutex<Vec<SocketAddr>>,
    turn: AtomicUsize,
    stop: AtomicBool,
}

/// How often the balancer asks.
const ASKED_EVERY: Duration = Duration::from_millis(50);

/// How long a process that is stopped goes on: enough for the balancer to notice, on a busy machine too.
const DRAIN: &str = "1500ms";

impl Balancer {
    fn before(servers: &[Server]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::new(Shared::default());
        *shared.members.lock().unwrap() = servers.iter().map(|server| server.address).collect();
        let asking = Arc::clone(&shared);
        thread::spawn(move || {
            while !asking.stop.load(Ordering::Relaxed) {
                let members = asking.members.lock().unwrap().clone();
                let ready = members.into_iter().filter(is_ready).collect();
                *asking.ready.lock().unwrap() = ready;
                thread::park_timeout(ASKED_EVERY);
            }
        });
        let passing = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&passing);
                thread::spawn(move || pass(client, &shared));
            }
        });
        let balancer = Self { url, shared };
        eventually("all are ready", || balancer.ready() == servers.len());
        balancer
    }

    fn ready(&self) -> usize {
        self.shared.ready.lock().unwrap().len()
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

fn is_ready(address: &SocketAddr) -> bool {
    let asked = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    asked().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn pass(client: TcpStream, shared: &Shared) {
    let server = {
        let ready = shared.ready.lock().unwrap();
        let turn = shared.turn.fetch_add(1, Ordering::Relaxed);
        ready.get(turn % ready.len().max(1)).copied()
    };
    let Some(server) = server.and_then(|address| TcpStream::connect(address).ok()) else {
        return;
    };
    let (from_client, to_client) = (client.try_clone().unwrap(), client);
    let (from_server, to_server) = (server.try_clone().unwrap(), server);
    let back = thread::spawn(move || copy(from_server, to_client));
    copy(from_client, to_server);
    let _ = back.join();
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
}

/// The program that is replaced: this one, or the one that `WHISTLE_OLDER` names, on whose schema the place then begins
/// (`scripts/rolling` builds it).
#[test]
fn a_rolling_restart_of_two_processes_under_load_fails_no_request() {
    let home = Home::empty();
    if !home.is_on_postgres() {
        return;
    }
    let this = PathBuf::from(env!("CARGO_BIN_EXE_whistle"));
    let older = std::env::var_os("WHISTLE_OLDER").map_or_else(|| this.clone(), PathBuf::from);
    let place = home.command_of(&older, &["apply", village().to_str().unwrap()]);
    harness::finish(place, "").good();
    let key = harness::finish(home.command_of(&older, &["key", "add", "tests"]), "").good();
    let api_key = key.out.lines().last().unwrap().to_owned();
    let start = |program: &Path| {
        let arguments = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--rate",
            "0",
            "--drain",
            DRAIN,
        ];
        Server::of(home.command_of(program, &arguments))
    };
    let serve = || start(&this);
    let mut servers = vec![start(&older), start(&older)];
    let balancer = Balancer::before(&servers);
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, answered, api_key, url) = (&stop, &answered, &api_key, &balancer.url);
            scope.spawn(move || {
                let agent = agent();
                for i in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let key = format!("{client}-{i}");
                    let url = format!("{url}{REQUESTS}");
                    let answer = post(
                        &agent,
                        &url,
                        &[("Idempotency-Key", &key)],
                        &pothole(api_key, &key),
                    );
                    let answer = answer.unwrap_or_else(|error| panic!("{key}: {error}"));
                    assert!(answer.status < 300, "{key}: {answer:#?}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let ended = Ended(&stop);
        let more = || {
            let before = answered.load(Ordering::Relaxed);
            eventually("requests are answered", || {
                answered.load(Ordering::Relaxed) >= before + 20
            });
        };
        for turn in 0..4 {
            more();
            let old = servers.remove(0);
            old.signal("TERM");
            eventually("the balancer has noticed", || balancer.ready() == 1);
            old.stop_was_asked();
            servers.push(serve());
            *balancer.shared.members.lock().unwrap() = servers.iter().map(|server| server.address).collect();
            eventually("the new one is ready", || balancer.ready() == 2);
            eprintln!("restart {turn}: {} answered", answered.load(Ordering::Relaxed));
        }
        more();
        drop(ended);
    });
    assert_eq!(home.cases(), answered.load(Ordering::Relaxed) as i64);
    eprintln!(
        "{} requests answered, none failed",
        answered.load(Ordering::Relaxed)
    );
    servers.into_iter().for_each(Server::stop);
    verify(&home);
}
