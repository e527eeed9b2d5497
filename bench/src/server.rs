//! The real server on a temporary directory.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The program under test.
pub fn whistle() -> PathBuf {
    let here = std::env::current_exe().expect("a running program has a path");
    let program = here.with_file_name("whistle");
    assert!(
        program.exists(),
        "{} is missing; build it with `cargo build --release -p whistle`",
        program.display()
    );
    program
}

/// Where benchmarks keep their files: beside the build, on a real disk, never on a memory file system.
pub fn scratch() -> PathBuf {
    let here = std::env::current_exe().expect("a running program has a path");
    let dir = here
        .parent()
        .expect("it lies in a directory")
        .join("bench-scratch");
    fs::create_dir_all(&dir).expect("a directory beside the program");
    dir
}

/// The sample place.
pub fn three_rivers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/three-rivers")
}

/// Where an install's data is.
#[derive(Debug, Clone)]
pub enum Home {
    /// SQLite, in a directory.
    Directory(PathBuf),
    /// PostgreSQL; the directory holds the key.
    Postgres {
        /// The data directory.
        dir: PathBuf,
        /// The database's address.
        url: String,
    },
}

impl Home {
    /// What tells it to the program.
    pub fn arguments(&self) -> Vec<String> {
        let (Self::Directory(dir) | Self::Postgres { dir, .. }) = self;
        let mut arguments = vec!["--data".to_owned(), dir.display().to_string()];
        if let Self::Postgres { url, .. } = self {
            arguments.extend(["--database-url".to_owned(), url.clone()]);
        }
        arguments
    }

    /// Runs a command of the program on it and answers what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let home = self.arguments();
        let home: Vec<&str> = home.iter().map(String::as_str).collect();
        run(&[arguments, &home].concat())
    }
}

/// Runs a command of the program to its end and answers what it printed.
pub fn run(arguments: &[&str]) -> String {
    let output = Command::new(whistle())
        .args(arguments)
        .output()
        .expect("it can be started");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "whistle {arguments:?}: {text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    /// Where it listens, without a slash at the end.
    pub url: String,
    /// From its start until it was ready.
    pub started_in: Duration,
}

impl Server {
    /// Serves an install, without a limit per address, and waits until it is ready.
    pub fn start(home: &Home) -> Self {
        let began = Instant::now();
        let mut child = Command::new(whistle())
            .args([
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--rate",
                "0",
                "--log",
                "error",
            ])
            .args(home.arguments())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let stdout = child.stdout.take().expect("its output is piped");
        let mut lines = BufReader::new(stdout).lines();
        let url = lines
            .find_map(|line| {
                let line = line.ok()?;
                Some(
                    line.split_once("http://")?
                        .1
                        .split_whitespace()
                        .next()?
                        .trim_end_matches('/')
                        .to_owned(),
                )
            })
            .expect("it says where it listens");
        std::thread::spawn(move || lines.for_each(drop));
        let mut server = Self {
            child,
            url: format!("http://{url}"),
            started_in: began.elapsed(),
        };
        while ureq::get(format!("{}/readyz", server.url)).call().is_err() {
            assert!(
                began.elapsed() < Duration::from_mins(1),
                "the server does not get ready"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        server.started_in = began.elapsed();
        server
    }

    /// The processor time it has used, in seconds.
    pub fn processor_seconds(&self) -> f64 {
        processor_seconds(self.child.id())
    }

    /// Its resident memory, in MB.
    pub fn resident_mb(&self) -> f64 {
        resident_mb(self.child.id())
    }
}

/// The resident memory of a process, in MB.
pub fn resident_mb(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).expect("it runs");
    let line = status
        .lines()
        .find_map(|l| l.strip_prefix("VmRSS:"))
        .expect("the kernel says it");
    line.trim()
        .trim_end_matches(" kB")
        .trim()
        .parse::<f64>()
        .expect("a number")
        / 1024.0
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The processor time that a process has used, in seconds; those it waited for included.
pub fn processor_seconds(process: u32) -> f64 {
    // Linux counts in hundredths of a second on every machine (USER_HZ).
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name in brackets may hold spaces; user and system time are the 12th to 15th field after it.
    let fields = stat.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = fields.split_whitespace().skip(11).take(4);
    ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / TICKS_PER_SECOND
}
