//! What notices arrive at, on loopback: a mail server and a receiver of requests, which take, refuse, or break off as a test
//! tells them.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::Duration,
};

/// The longest that a test waits for something to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a server does with the next thing that comes.
#[derive(Debug, Clone)]
pub enum Fate {
    /// Takes it and says so.
    Take,
    /// Answers this instead: an SMTP reply to the recipient, or an HTTP status with its words.
    Refuse(&'static str),
    /// Takes it and hangs up without a word.
    TakeAndHangUp,
    /// Hangs up in the middle, before it has all.
    HangUp,
    /// Takes it and says so only when [`Desk::release`] is called.
    TakeAndWait,
    /// Takes it and says so after this time, whether or not somebody still listens.
    TakeLate(Duration),
}

/// What arrives at a server, and what it shall do.
pub struct Desk<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    fates: VecDeque<Fate>,
    taken: Vec<T>,
    held: usize,
    released: usize,
}

impl<T: Clone> Desk<T> {
    fn new() -> Arc<Self> {
        let state = State {
            fates: VecDeque::new(),
            taken: Vec::new(),
            held: 0,
            released: 0,
        };
        Arc::new(Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap()
    }

    /// What happens to those that come next, in this order; all others are taken.
    pub fn next(&self, fates: impl IntoIterator<Item = Fate>) {
        self.lock().fates.extend(fates);
    }

    /// All others that come are taken.
    pub fn forget_fates(&self) {
        self.lock().fates.clear();
    }

    /// How often somebody waited for an answer.
    pub fn held(&self) -> usize {
        self.lock().held
    }

    /// All that was taken so far.
    pub fn taken(&self) -> Vec<T> {
        self.lock().taken.clone()
    }

    /// Waits until somebody waits for an answer, however often that happened before.
    pub fn wait_until_held(&self, times: usize) {
        let state = self.lock();
        let (_state, late) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.held < times)
            .unwrap();
        assert!(!late.timed_out(), "nothing came");
    }

    /// Waits until so many were taken.
    pub fn wait_until_taken(&self, times: usize) {
        let state = self.lock();
        let (_state, late) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.taken.len() < times)
            .unwrap();
        assert!(!late.timed_out(), "fewer came");
    }

    /// Answers all who wait.
    pub fn release(&self) {
        let mut state = self.lock();
        state.released = state.held;
        self.changed.notify_all();
    }

    fn fate(&self) -> Fate {
        self.lock().fates.pop_front().unwrap_or(Fate::Take)
    }

    fn take(&self, it: T) {
        self.lock().taken.push(it);
        self.changed.notify_all();
    }

    /// Whether the answer may be given.
    fn hold(&self) -> bool {
        let mut state = self.lock();
        state.held += 1;
        let own = state.held;
        self.changed.notify_all();
        let (_state, late) = self
            .changed
            .wait_timeout_while(state, PATIENCE, |state| state.released < own)
            .unwrap();
        !late.timed_out()
    }
}

pub(crate) fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// A mail as the server got it.
#[derive(Debug, Clone)]
pub struct Mail {
    /// Envelope.
    pub from: String,
    /// Envelope.
    pub to: String,
    /// Head and body, line ends as LF.
    pub text: String,
}

impl Mail {
    /// The value of a header, unfolded.
    pub fn header(&self, name: &str) -> Option<String> {
        let (head, _) = self.text.split_once("\n\n")?;
        let head = head.replace("\n ", " ").replace("\n\t", " ");
        let start = format!("{}:", name.to_lowercase());
        let line = head
            .lines()
            .find(|line| line.to_lowercase().starts_with(&start))?;
        Some(line[start.len()..].trim().to_owned())
    }
}

/// A mail server on loopback, for as long as the process runs.
pub struct MailServer {
    /// Where it listens.
    pub address: SocketAddr,
    /// What arrived.
    pub desk: Arc<Desk<Mail>>,
}

impl MailServer {
    #[expect(clippy::new_without_default, reason = "it makes things in the world")]
    pub fn new() -> Self {
        let desk = Desk::new();
        let own = Arc::clone(&desk);
        let address = listen(move |stream| {
            // Whoever hangs up is no fault of the test's.
            let _ = smtp(&stream, &own);
        });
        Self { address, desk }
    }

    /// Its address as Whistle takes it.
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }
}

/// RFC 5321 as far as a client needs it that sends one mail after the other.
fn smtp(stream: &TcpStream, desk: &Desk<Mail>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    let say = |text: &str| -> std::io::Result<()> {
        let mut out = stream;
        out.write_all(format!("{text}\r\n").as_bytes())
    };
    say("220 testbed ESMTP")?;
    let (mut from, mut to, mut fate) = (String::new(), String::new(), Fate::Take);
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let command = line.trim_end();
        let path = || command.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match command.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => say("250-testbed\r\n250-8BITMIME\r\n250 SMTPUTF8")?,
            "HELO" | "NOOP" | "RSET" => say("250 testbed")?,
            "MAIL" => {
                from = path();
                say("250 so far")?;
            }
            "RCPT" => {
                to = path();
                fate = desk.fate();
                match fate {
                    Fate::Refuse(answer) => say(&answer.replace("{to}", &to))?,
                    _ => say("250 so far")?,
                }
            }
            "DATA" => {
                say("354 go on")?;
                let mut text = String::new();
                loop {
                    line.clear();
                    if lines.read_line(&mut line)? == 0 {
                        return Ok(());
                    }
                    if matches!(fate, Fate::HangUp) {
                        return Ok(());
                    }
                    let one = line.trim_end_matches(['\r', '\n']);
                    if one == "." {
                        break;
                    }
                    text += one.strip_prefix('.').unwrap_or(one);
                    text.push('\n');
                }
                desk.take(Mail {
                    from: from.clone(),
                    to: to.clone(),
                    text,
                });
                match fate {
                    Fate::TakeAndHangUp => return Ok(()),
                    Fate::TakeAndWait if !desk.hold() => return Ok(()),
                    Fate::TakeLate(time) => {
                        thread::sleep(time);
                        say("250 taken")?;
                    }
                    _ => say("250 taken")?,
                }
            }
            "QUIT" => return say("221 bye"),
            _ => say("502 not here")?,
        }
    }
}

/// A request as the receiver got it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Method, path, and the headers' names in small letters.
    pub head: Vec<String>,
    /// The body, as text.
    pub body: String,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Call {
    /// Reads the head; none when whoever called has gone.
    pub(crate) fn begin(reader: &mut impl BufRead) -> std::io::Result<Option<Self>> {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => head.push(line.to_owned()),
            }
        }
        let (body, bytes) = (String::new(), Vec::new());
        Ok(Some(Self { head, body, bytes }))
    }

    /// Reads the body.
    pub(crate) fn finish(&mut self, reader: &mut impl Read) -> std::io::Result<()> {
        let length = self.header("content-length").and_then(|n| n.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body)?;
        self.body = String::from_utf8_lossy(&body).into_owned();
        self.bytes = body;
        Ok(())
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = |line: &'_ str| -> Option<usize> {
            let (found, _) = line.split_once(':')?;
            (found.eq_ignore_ascii_case(name)).then_some(found.len() + 1)
        };
        self.head
            .iter()
            .find_map(|line| value(line).map(|start| line[start..].trim()))
    }
}

/// A receiver of requests on loopback, for as long as the process runs.
pub struct Receiver {
    /// Where it listens.
    pub address: SocketAddr,
    /// What arrived.
    pub desk: Arc<Desk<Call>>,
}

impl Receiver {
    #[expect(clippy::new_without_default, reason = "it makes things in the world")]
    pub fn new() -> Self {
        let desk = Desk::new();
        let own = Arc::clone(&desk);
        let address = listen(move |stream| {
            let _ = http(&stream, &own);
        });
        Self { address, desk }
    }

    /// Its address as Whistle takes it.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }
}

/// One request for each connection.
fn http(mut stream: &TcpStream, desk: &Desk<Call>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(mut call) = Call::begin(&mut reader)? else {
        return Ok(());
    };
    let fate = desk.fate();
    if matches!(fate, Fate::HangUp) {
        return Ok(());
    }
    call.finish(&mut reader)?;
    let status = if let Fate::Refuse(status) = fate {
        status
    } else {
        desk.take(call);
        "204 No Content"
    };
    match fate {
        Fate::TakeAndHangUp => return Ok(()),
        Fate::TakeAndWait if !desk.hold() => return Ok(()),
        Fate::TakeLate(time) => thread::sleep(time),
        _ => {}
    }
    stream
        .write_all(format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").as_bytes())
}
