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
    /// Serves a data directory, without a limit per address, and waits until it is ready.
    pub fn start(data: &Path) -> Self {
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
                "--data",
            ])
            .arg(data)
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

    /// Its resident memory, in MB.
    pub fn resident_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
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
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
