//! What Whistle is compared with: a bare axum handler, and a plain group commit of 256 rows.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use axum::{Json, Router, routing::post};
use rusqlite::{Connection, params};

/// A bare handler in a process of its own; ended when dropped.
pub struct Bare {
    child: Child,
    /// Where it listens.
    pub url: String,
}

impl Bare {
    /// Starts it.
    pub fn start() -> Self {
        let program = std::env::current_exe().expect("a running program has a path");
        let mut child = Command::new(program)
            .arg("bare-handler")
            .stdout(Stdio::piped())
            .spawn()
            .expect("it can be started");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it says where it listens");
        Self {
            child,
            url: line.trim().to_owned(),
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A handler that reads the body and answers 290 bytes of JSON made for each request.
#[tokio::main]
pub async fn serve_bare() {
    let handler = async |body: axum::body::Bytes| {
        Json(serde_json::json!({
            "service_request_id": body.len().to_string(),
            "service_notice": "x".repeat(210),
            "account_id": null,
        }))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    println!("http://{}/", listener.local_addr().expect("it is bound"));
    std::io::stdout().flush().expect("somebody listens");
    axum::serve(listener, Router::new().route("/", post(handler)))
        .await
        .expect("it serves");
}

/// Rows per second of a plain commit of 256 requests with an event each: a row of some 500 bytes with three indexes,
/// WAL, synchronous FULL.
pub fn group_commit(seconds: u64) -> f64 {
    const GROUP: usize = 256;
    let dir = tempfile::tempdir_in(crate::server::scratch()).expect("a temporary directory");
    let db = Connection::open(dir.path().join("plain.db")).expect("a database");
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 8000;
         CREATE TABLE request (id INTEGER PRIMARY KEY, service TEXT, area TEXT, lon REAL, lat REAL, at INTEGER,
                               status TEXT, description TEXT);
         CREATE INDEX request_at ON request (at);
         CREATE INDEX request_area ON request (area, at);
         CREATE INDEX request_service ON request (service, at);
         CREATE TABLE event (id INTEGER PRIMARY KEY, request INTEGER, at INTEGER, body TEXT);",
    )
    .expect("the schema");
    let description = "d".repeat(342);
    let (began, mut rows) = (Instant::now(), 0_usize);
    while began.elapsed() < Duration::from_secs(seconds) {
        db.execute_batch("BEGIN IMMEDIATE").expect("begins");
        {
            let mut request = db
                .prepare_cached("INSERT INTO request (service, area, lon, lat, at, status, description) VALUES (?, ?, ?, ?, ?, ?, ?)")
                .expect("a statement");
            let mut event = db
                .prepare_cached("INSERT INTO event (request, at, body) VALUES (?, ?, ?)")
                .expect("a statement");
            for _ in 0..GROUP {
                rows += 1;
                let (n, at) = (rows as i64, 1_700_000_000_000_000 + rows as i64);
                let (service, area) = (format!("S{}", n % 60), format!("A{}", n * 7919 % 1200));
                request
                    .execute(params![
                        service,
                        area,
                        131.0 + n as f64 * 1e-6,
                        46.0,
                        at,
                        "open",
                        description
                    ])
                    .expect("a row");
                event
                    .execute(params![n, at, r#"{"event":"reported","by":{"who":"public"}}"#])
                    .expect("a row");
            }
        }
        db.execute_batch("COMMIT").expect("commits");
    }
    rows as f64 / began.elapsed().as_secs_f64()
}
