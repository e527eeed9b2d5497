//! The same on PostgreSQL: reports over HTTP by one process and by two, beside pgbench; then the lists.
//!
//! The server is one of its own, from the installed packages, and writes as durably as it does by default.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use crate::{
    clocks, demo,
    intake::{self, PATH},
    lists,
    load::{Load, wrk},
    median,
    server::{self, Home, Server},
    verdict, verdict_below,
};

const ROUNDS: usize = 3;
const SECONDS: u32 = 8;
const CONNECTIONS: u32 = 64;

/// Runs it.
pub fn run() {
    let cluster = Cluster::start();
    intake(&cluster);
    println!("postgres: making {} cases", demo::CASES);
    let home = cluster.home("lists");
    let made = demo::make(&home);
    println!("  {made:.0} cases/s");
    // As it is found some time after: not while all that was just written goes to the disk.
    cluster.psql("lists", "VACUUM ANALYZE");
    cluster.psql("lists", "CHECKPOINT");
    lists::measure(&home);
    clocks::measure(Some(cluster.database("clocks")));
}

fn intake(cluster: &Cluster) {
    println!(
        "postgres: reports over HTTP at {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, each beside pgbench"
    );
    let home = cluster.home("intake");
    let script = cluster.dir.path().join("report.lua");
    intake::prepare(&home, &script);
    cluster.prepare_pgbench();

    let servers = [Server::start(&home), Server::start(&home)];
    let [first, second] = &servers;
    let (mut of_plain, mut of_one, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    let mut accepted = 0;
    for round in 1..=ROUNDS {
        let plain = cluster.pgbench();
        let one = Spent::during(cluster, &servers, || reports(&[first], &script));
        let two = Spent::during(cluster, &servers, || reports(&[first, second], &script));
        for (what, spent) in [("one process", &one), ("two", &two)] {
            println!("  round {round}: {what} {spent}");
        }
        println!("  round {round}: pgbench {plain:.0} transactions/s");
        accepted += one.load.answers + two.load.answers;
        of_plain.push(one.load.per_second / plain);
        of_one.push(two.load.per_second / one.load.per_second);
        p99.push(one.load.p99);
    }
    drop(servers);
    let stored: u64 = cluster
        .psql("intake", "SELECT COUNT(*) FROM cases")
        .trim()
        .parse()
        .expect("a count");
    println!("  accepted {accepted}, stored {stored}");
    assert!(stored >= accepted, "what was answered must be there");
    verdict("share of pgbench's transactions/s", median(of_plain), 0.4);
    verdict_below("p99", median(p99), 60.0, "ms");
    verdict("two processes by one", median(of_one), 1.5);
}

/// Reports to these servers at once, over all the connections together.
fn reports(servers: &[&Server], script: &Path) -> Load {
    let connections = CONNECTIONS / u32::try_from(servers.len()).expect("a few");
    let loads: Vec<Load> = thread::scope(|scope| {
        let running: Vec<_> = servers
            .iter()
            .map(|server| {
                let url = format!("{}{PATH}", server.url);
                scope.spawn(move || wrk(&url, connections, SECONDS, Some(script), &[]))
            })
            .collect();
        running
            .into_iter()
            .map(|run| run.join().expect("the load runs"))
            .collect()
    });
    let refused = loads.iter().map(|l| l.refused).sum();
    assert_eq!(refused, 0, "every report must be accepted");
    let worst = |of: fn(&Load) -> f64| loads.iter().map(of).fold(0.0, f64::max);
    Load {
        per_second: loads.iter().map(|l| l.per_second).sum(),
        p50: worst(|l| l.p50),
        p99: worst(|l| l.p99),
        answers: loads.iter().map(|l| l.answers).sum(),
        refused,
    }
}

/// A load, and what processor time it cost: what shows whether the database or the machine was the limit.
struct Spent {
    load: Load,
    /// Microseconds a report, in the servers.
    whistle: f64,
    /// … in PostgreSQL.
    postgres: f64,
    /// The share of all processors' time in which something ran.
    busy: f64,
}

impl Spent {
    fn during(cluster: &Cluster, servers: &[Server], load: impl FnOnce() -> Load) -> Self {
        let of_servers = || servers.iter().map(Server::processor_seconds).sum::<f64>();
        let before = (of_servers(), cluster.processor_seconds(), Machine::now());
        let load = load();
        let after = (of_servers(), cluster.processor_seconds(), Machine::now());
        let each = |seconds: f64| seconds * 1_000_000.0 / load.answers as f64;
        Self {
            load,
            whistle: each(after.0 - before.0),
            postgres: each(after.1 - before.1),
            busy: (after.2.busy - before.2.busy) / (after.2.all - before.2.all),
        }
    }
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Load {
            per_second, p50, p99, ..
        } = self.load;
        write!(
            f,
            "{per_second:.0}/s (p50 {p50:.1} ms, p99 {p99:.1} ms); processor time a report: Whistle {:.0} µs, \
             PostgreSQL {:.0} µs; the processors were busy {:.0} %",
            self.whistle,
            self.postgres,
            self.busy * 100.0
        )
    }
}

/// What the kernel counted for all processors together, in its ticks.
struct Machine {
    busy: f64,
    all: f64,
}

impl Machine {
    fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").expect("the kernel says it");
        let first = stat.lines().next().unwrap_or_default();
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is counted in these.
        let ticks: Vec<f64> = first
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|t| t.parse().ok())
            .collect();
        let all = ticks.iter().sum();
        let idle: f64 = ticks.iter().skip(3).take(2).sum();
        Self {
            busy: all - idle,
            all,
        }
    }
}

/// A server of PostgreSQL in a directory of its own; ended when dropped.
pub struct Cluster {
    dir: tempfile::TempDir,
}

impl Cluster {
    pub fn start() -> Self {
        let dir = tempfile::tempdir_in(server::scratch()).expect("a temporary directory");
        let options = ["-c", "fsync=on", "-c", "full_page_writes=on"];
        script(&[&["start", &dir.path().display().to_string()], &options[..]].concat());
        Self { dir }
    }

    /// A new database, with a data directory of its own.
    pub fn home(&self, name: &str) -> Home {
        Home::Postgres {
            dir: self.dir.path().join(name),
            url: self.database(name),
        }
    }

    /// A new database, by its address.
    fn database(&self, name: &str) -> String {
        self.psql("postgres", &format!("CREATE DATABASE {name}"));
        format!("postgres://whistle@/{name}?host={}", self.dir.path().display())
    }

    /// What a statement answers.
    pub fn psql(&self, database: &str, statement: &str) -> String {
        output(self.client("psql", database).args(["-qAt", "-c", statement]))
    }

    fn client(&self, program: &str, database: &str) -> Command {
        let mut command = Command::new(program);
        command
            .args(["-U", "whistle", "-h"])
            .arg(self.dir.path())
            .args(["-d", database]);
        command
    }

    /// The bare row of a case and of an event, as in `reference::group_commit`.
    fn prepare_pgbench(&self) {
        self.psql("postgres", "CREATE DATABASE plain");
        for statement in [
            "CREATE TABLE request (id BIGSERIAL PRIMARY KEY, service TEXT, area TEXT, lon DOUBLE PRECISION, \
             lat DOUBLE PRECISION, at BIGINT, status TEXT, description TEXT)",
            "CREATE TABLE event (id BIGSERIAL PRIMARY KEY, request BIGINT, at BIGINT, body TEXT)",
        ] {
            self.psql("plain", statement);
        }
        let statement = format!(
            "\\set n random(1, 1000000)\n\
             WITH filed AS (INSERT INTO request (service, area, lon, lat, at, status, description) \
             VALUES ('S' || :n % 60, 'A' || :n % 1200, 131.0, 46.0, :n, 'open', '{}') RETURNING id) \
             INSERT INTO event (request, at, body) SELECT id, :n, '{{\"event\":\"reported\"}}' FROM filed;\n",
            "d".repeat(342)
        );
        fs::write(self.dir.path().join("report.sql"), statement).expect("a script");
    }

    /// How many of these a second, over 16 connections.
    fn pgbench(&self) -> f64 {
        let printed = output(
            self.client("pgbench", "plain")
                .args(["-n", "-M", "prepared", "-c", "16", "-j", "2", "-T"])
                .arg(SECONDS.to_string())
                .arg("-f")
                .arg(self.dir.path().join("report.sql")),
        );
        printed
            .lines()
            .find_map(|l| l.strip_prefix("tps = ")?.split_whitespace().next()?.parse().ok())
            .expect("it says how many")
    }

    /// The processor time that all its processes have used, in seconds.
    fn processor_seconds(&self) -> f64 {
        let pid = fs::read_to_string(self.dir.path().join("data/postmaster.pid")).expect("it runs");
        let postmaster: u32 = pid
            .lines()
            .next()
            .and_then(|l| l.trim().parse().ok())
            .expect("a number");
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"))
            .expect("the kernel says it");
        let children = children.split_whitespace().filter_map(|p| p.parse().ok());
        server::processor_seconds(postmaster) + children.map(server::processor_seconds).sum::<f64>()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        script(&["stop", &self.dir.path().display().to_string(), "immediate"]);
    }
}

fn script(arguments: &[&str]) {
    let script: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres");
    output(Command::new(script).args(arguments));
}

fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
