//! The real binary for tests: run with arguments, or served on a free port and talked to.
//!
//! Each test has a [`Home`] of its own, a temporary folder in which the data folder is `data`. A [`Server`] is killed
//! when it is dropped. Nothing sleeps for a time: [`eventually`] waits for a condition, with a deadline.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use whistle_testbed::{Bed, copy_folder};

/// How long anything may take before a test fails: far more than it needs on a busy machine.
pub const DEADLINE: Duration = Duration::from_mins(1);

/// Waits until something is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < DEADLINE, "waited in vain for this: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// The small place that tests apply.
pub fn village() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village")
}

/// A temporary folder with room for a data folder.
pub struct Home {
    bed: Bed,
    /// The address of another database than the bed's.
    elsewhere: Option<String>,
}

/// What a finished command said.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// The same, after checking that it went well.
    #[track_caller]
    pub fn good(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl From<Bed> for Home {
    fn from(bed: Bed) -> Self {
        Self { bed, elsewhere: None }
    }
}

impl Home {
    /// A folder without an install.
    pub fn empty() -> Self {
        Bed::new().into()
    }

    /// The same, with the database at an address.
    pub fn at(database_url: String) -> Self {
        Self {
            elsewhere: Some(database_url),
            ..Self::empty()
        }
    }

    /// This one, with its database found at another address.
    pub fn through(self, database_url: String) -> Self {
        Self {
            elsewhere: Some(database_url),
            ..self
        }
    }

    /// The same, with the database in a file; none when these tests run on PostgreSQL.
    pub fn in_files() -> Option<Self> {
        Bed::sqlite().map(Self::from)
    }

    /// A folder with an install in which the village is in force.
    pub fn village() -> Self {
        Self::empty().with_village()
    }

    /// Whether the database is PostgreSQL's.
    pub fn is_on_postgres(&self) -> bool {
        self.database_url().is_some()
    }

    /// The address of the database; none on SQLite.
    pub fn database_url(&self) -> Option<&str> {
        self.elsewhere.as_deref().or(self.bed.database_url())
    }

    /// Changes the database behind everybody's back.
    pub fn tamper(&self, statement: &str) {
        match self.database_url() {
            Some(url) => drop(whistle_testbed::sql(url, statement)),
            None => self.database().execute_batch(statement).unwrap(),
        }
    }

    /// Puts the village in force.
    pub fn with_village(self) -> Self {
        self.run(&["apply", village().to_str().unwrap()]).good();
        self
    }

    pub fn path(&self) -> &Path {
        self.bed.path()
    }

    pub fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A copy of the village in this folder, to be changed.
    pub fn copy_of_village(&self) -> PathBuf {
        let copy = self.path().join("place");
        copy_folder(&village(), &copy);
        copy
    }

    /// The command, with this folder as the current one and no settings but where the install is.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.command_of(Path::new(env!("CARGO_BIN_EXE_whistle")), arguments)
    }

    /// The same of another program: an older Whistle.
    pub fn command_of(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("WHISTLE_") {
                command.env_remove(name);
            }
        }
        command
            .current_dir(self.path())
            .env("WHISTLE_DATA", self.data())
            .env("WHISTLE_DATABASE_URL", self.database_url().unwrap_or_default())
            .args(arguments);
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_with_input(arguments, "")
    }

    /// Runs a command that reads standard input.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Run {
        finish(self.command(arguments), input)
    }

    /// Makes an API key.
    pub fn key(&self) -> String {
        let run = self.run(&["key", "add", "tests"]).good();
        run.out.lines().last().unwrap().to_owned()
    }

    /// How many cases there are.
    pub fn cases(&self) -> i64 {
        let sql = "SELECT COUNT(*) FROM cases";
        match self.database_url() {
            Some(url) => whistle_testbed::sql(url, sql).parse().unwrap(),
            None => self.database().query_row(sql, [], |row| row.get(0)).unwrap(),
        }
    }

    /// The database file, opened beside the server; for tests that look into it or damage it.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data().join("whistle.db")).unwrap()
    }

    /// Serves this folder on a free port, without limits on the rate.
    pub fn serve(&self) -> Server {
        self.serve_with(&["--rate", "0"])
    }

    /// Serves this folder on a free port.
    pub fn serve_with(&self, arguments: &[&str]) -> Server {
        Server::start(self.command(&["serve", "--listen", "127.0.0.1:0"]), arguments)
    }
}

/// Runs a command to its end.
pub fn finish(mut command: Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that ends without reading closes the pipe; that is its right.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A server of the real binary.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pub address: SocketAddr,
    agent: ureq::Agent,
    log: Arc<Mutex<String>>,
}

/// What a server answered; any status is one.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    /// Whether the connection is closed after it.
    pub closes: bool,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

impl Server {
    /// One that is told everything by its command.
    pub fn of(command: Command) -> Self {
        Self::start(command, &[])
    }

    fn start(mut command: Command, arguments: &[&str]) -> Self {
        let mut child = command
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        gather(child.stderr.take().unwrap(), Arc::clone(&log));
        let stdout = child.stdout.take().unwrap();
        let (found, url) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening on ") {
                    let _ = found.send(url.to_owned());
                }
            }
        });
        let Ok(url) = url.recv_timeout(DEADLINE) else {
            let _ = child.kill();
            panic!("the server does not listen: {}", log.lock().unwrap());
        };
        Self {
            child,
            address: url.trim_start_matches("http://").parse().unwrap(),
            agent: agent(),
            url,
            log,
        }
    }

    /// A client that takes every status for an answer. Clones share connections.
    pub fn agent(&self) -> ureq::Agent {
        self.agent.clone()
    }

    pub fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("{}{path}", self.url)).call()).unwrap()
    }

    /// Sends a form. Fails when the connection does.
    pub fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        form: &[(&str, &str)],
    ) -> Result<Answer, ureq::Error> {
        post(&self.agent, &format!("{}{path}", self.url), headers, form)
    }

    /// Sends a body of another kind than a form.
    pub fn post_bytes(&self, path: &str, kind: &str, body: &[u8]) -> Result<Answer, ureq::Error> {
        let request = self.agent.post(format!("{}{path}", self.url));
        answer(request.header("Content-Type", kind).send(body))
    }

    /// The status of a page, and what kind it is.
    pub fn head(&self, path: &str) -> (u16, String) {
        let answer = self.agent.head(format!("{}{path}", self.url)).call().unwrap();
        let kind = answer.headers().get("content-type");
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        (answer.status().as_u16(), kind.to_owned())
    }

    /// Reports a pothole through Open311.
    pub fn report(&self, api_key: &str, retry_key: &str) -> Result<Answer, ureq::Error> {
        self.post(
            REQUESTS,
            &[("Idempotency-Key", retry_key)],
            &pothole(api_key, retry_key),
        )
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A connection of its own, for requests that are sent in pieces.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream
    }

    /// Sends a signal: TERM, INT, HUP.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.child.id().to_string()])
            .status();
        assert!(sent.unwrap().success());
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        status.unwrap()
    }

    /// Stops it as an operator does.
    pub fn stop(self) {
        self.signal("TERM");
        self.stop_was_asked();
    }

    /// Waits for the end of one that was told to stop.
    pub fn stop_was_asked(mut self) {
        let status = self.wait();
        assert!(status.success(), "{status}: {}", self.log());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the server's log:\n{}", self.log());
        }
    }
}

/// Where Open311 reports go.
pub const REQUESTS: &str = "/open311/v2/requests.json";

/// The form of a report of a pothole in the village.
pub fn pothole<'a>(api_key: &'a str, description: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("api_key", api_key),
        ("service_code", "RD-HOLE"),
        ("lat", "46.2051"),
        ("long", "131.8152"),
        ("description", description),
    ]
}

/// Sends a form.
pub fn post(
    agent: &ureq::Agent,
    url: &str,
    headers: &[(&str, &str)],
    form: &[(&str, &str)],
) -> Result<Answer, ureq::Error> {
    let mut request = agent.post(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(request.send_form(form.iter().copied()))
}

/// A client that takes every status for an answer.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(DEADLINE))
        .build()
        .into()
}

fn answer(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Answer, ureq::Error> {
    let mut response = response?;
    let header = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
    let (retry_after, connection) = (header("retry-after"), header("connection"));
    Ok(Answer {
        status: response.status().as_u16(),
        retry_after: retry_after.map(ToOwned::to_owned),
        closes: connection == Some("close"),
        body: response.body_mut().read_to_string()?,
    })
}

/// Reads the head of an answer, and leaves the rest.
pub fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn gather(from: impl Read + Send + 'static, log: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            let mut log = log.lock().unwrap();
            log.push_str(&line);
            log.push('\n');
        }
    });
}

/// Reports with a photo.
pub fn report_with(server: &Server, api_key: &str, photo: &image::RgbImage) -> Answer {
    let mut file = Vec::new();
    photo
        .write_to(&mut std::io::Cursor::new(&mut file), image::ImageFormat::Png)
        .unwrap();
    let mut body = Vec::new();
    for (name, value) in pothole(api_key, "with a photo") {
        body.extend(
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
        );
    }
    body.extend(b"--X\r\nContent-Disposition: form-data; name=\"media\"; filename=\"a.png\"\r\n");
    body.extend(b"Content-Type: image/png\r\n\r\n");
    body.extend(&file);
    body.extend(b"\r\n--X--\r\n");
    server
        .post_bytes(REQUESTS, "multipart/form-data; boundary=X", &body)
        .unwrap()
}
