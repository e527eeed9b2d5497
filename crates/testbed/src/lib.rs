//! Where tests put an install: a temporary directory and, when they run on PostgreSQL, a new database.
//!
//! `WHISTLE_TEST_POSTGRES` says on which backend tests run: it is the address of a server on which databases may be made,
//! as `scripts/postgres with COMMAND` sets it. Without it they run on SQLite. Knows nothing of the store, so that the
//! store's own tests can use it.

pub mod device;
pub mod post;
pub mod provider;
pub mod proxy;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

const SERVER: &str = "WHISTLE_TEST_POSTGRES";

/// What PostgreSQL calls its socket.
const SOCKET: &str = ".s.PGSQL.5432";

/// A directory and perhaps a database, for one test; both go with it.
pub struct Bed {
    dir: TempDir,
    database: Option<Database>,
}

impl Bed {
    /// On the backend that this run is for.
    #[expect(clippy::new_without_default, reason = "it makes things in the world")]
    pub fn new() -> Self {
        Self {
            dir: directory(),
            database: server().map(|server| Database::on(&server)),
        }
    }

    /// On SQLite, for what only that can do; none when the run is for PostgreSQL, so that nothing is tested twice.
    pub fn sqlite() -> Option<Self> {
        server().is_none().then(Self::new)
    }

    /// On PostgreSQL, for what only that can do; none when the run is for SQLite.
    pub fn postgres() -> Option<Self> {
        server().is_some().then(Self::new)
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The address of the database; none on SQLite.
    pub fn database_url(&self) -> Option<&str> {
        self.database.as_ref().map(|database| database.url.as_str())
    }

    /// The file behind which the server listens; none on SQLite.
    pub fn socket(&self) -> Option<PathBuf> {
        let (_, dir) = self.database_url()?.split_once("host=")?;
        Some(Path::new(dir).join(SOCKET))
    }

    /// What the store is opened on: an address, or a directory.
    pub fn target<T: From<PathBuf>>(&self, postgres: impl FnOnce(String) -> T) -> T {
        match self.database_url() {
            Some(url) => postgres(url.to_owned()),
            None => T::from(self.path().to_owned()),
        }
    }
}

fn directory() -> TempDir {
    TempDir::new().expect("a temporary directory")
}

fn server() -> Option<String> {
    std::env::var(SERVER).ok().filter(|server| !server.is_empty())
}

/// A database of one test's own.
struct Database {
    server: String,
    name: String,
    url: String,
}

impl Database {
    fn on(server: &str) -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "test_{}_{}",
            std::process::id(),
            MADE.fetch_add(1, Ordering::Relaxed)
        );
        sql(server, &format!("CREATE DATABASE {name}"));
        Self {
            url: server.replacen("/postgres?", &format!("/{name}?"), 1),
            server: server.to_owned(),
            name,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let _ = psql(&self.server, &drop).status();
    }
}

/// Copies a folder with all that is in it, such as a place to be changed. Makes what is not there.
#[track_caller]
pub fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Runs SQL at an address, beside the program under test; answers the first column of the first row.
#[track_caller]
pub fn sql(url: &str, sql: &str) -> String {
    let output = psql(url, sql).output().expect("psql runs");
    assert!(
        output.status.success(),
        "{sql}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn psql(url: &str, sql: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.args([
        "-X",
        "-q",
        "-A",
        "-t",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        url,
        "-c",
        sql,
    ]);
    psql
}

/// A PostgreSQL server of one test's own, to be treated badly.
pub struct Cluster {
    dir: TempDir,
}

impl Cluster {
    /// Starts one that writes to the disk as a real one does.
    pub fn start() -> Self {
        let cluster = Self { dir: directory() };
        Self::script(&["start", cluster.path(), "-c", "fsync=on"]);
        cluster
    }

    /// Starts one that keeps its log beside it, so that it can go back to any moment after a [`Self::base_copy`].
    pub fn archiving() -> Self {
        let cluster = Self { dir: directory() };
        Self::script(&["archiving", cluster.path()]);
        cluster
    }

    /// Keeps a copy of all of it, from which [`Self::go_back`] begins.
    pub fn base_copy(&self) {
        Self::script(&["base", self.path()]);
    }

    /// Starts again as it was at a moment, which PostgreSQL wrote out. What came after that is gone.
    pub fn go_back(&self, to: &str) {
        Self::script(&["restore", self.path(), to]);
    }

    pub fn start_again(&self) {
        Self::script(&["start", self.path(), "-c", "fsync=on"]);
    }

    /// Stops it as by a crash.
    pub fn crash(&self) {
        Self::script(&["stop", self.path(), "immediate"]);
    }

    /// Starts another one that follows this one; from then on this one acknowledges nothing that the other has not.
    pub fn standby(&self) -> Self {
        let standby = Self { dir: directory() };
        Self::script(&["standby", standby.path(), self.path()]);
        sql(&self.url(), "ALTER SYSTEM SET synchronous_standby_names = '*'");
        sql(&self.url(), "SELECT pg_reload_conf()");
        let follows = || {
            sql(
                &self.url(),
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'",
            )
        };
        while follows() != "1" {
            std::thread::park_timeout(std::time::Duration::from_millis(20));
        }
        standby
    }

    /// Makes a standby the one that is written to.
    pub fn promote(&self) {
        Self::script(&["promote", self.path()]);
    }

    pub fn url(&self) -> String {
        format!("postgres://whistle@/postgres?host={}", self.path())
    }

    /// The address of this one and another, for whichever of them can write.
    pub fn url_or(&self, other: &Self) -> String {
        let socket = |one: &Self| one.path().replace('/', "%2F");
        format!("postgres://whistle@{},{}/postgres", socket(self), socket(other))
    }

    fn path(&self) -> &str {
        self.dir.path().to_str().expect("a path in UTF-8")
    }

    #[track_caller]
    fn script(arguments: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/postgres");
        let status = Command::new(script)
            .args(arguments)
            .status()
            .expect("the script runs");
        assert!(status.success(), "scripts/postgres {arguments:?}");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.crash();
    }
}
