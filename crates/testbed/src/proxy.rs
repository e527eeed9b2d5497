//! A proxy between a process and PostgreSQL that cuts, or holds, a connection in the midst of a commit.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::Bed;

/// What the proxy does with the next commit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// It is passed on.
    Pass,
    /// The server gets it; its answer is not passed on.
    CutAfter,
    /// The server never gets it, and sees the connection end.
    CutBefore,
    /// The client sees the connection end, while the server gets it only later.
    CutAndDelay,
    /// The server gets nothing any more and does not see the connection end: a broken cable.
    CutAndKeep,
    /// The server gets it; from there on nothing passes either way, and both connections stay.
    HangAfter,
    /// The same, and the server never gets it.
    HangBefore,
    /// The same, not at a commit but with the next that is sent.
    HangAtOnce,
}

impl Next {
    fn hangs(self) -> bool {
        matches!(self, Self::HangAfter | Self::HangBefore | Self::HangAtOnce)
    }
}

/// Between a process and the server, with a knife.
pub struct Proxy {
    /// Where processes find the database through it.
    pub url: String,
    next: Arc<Mutex<Next>>,
}

impl Proxy {
    /// Before the database of a bed, which must be PostgreSQL's.
    pub fn before(bed: &Bed) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, _) = bed.database_url().unwrap().split_once("@/").unwrap();
        let (_, rest) = bed.database_url().unwrap().split_once("@/").unwrap();
        let name = rest.split('?').next().unwrap();
        let url = format!(
            "{address}@127.0.0.1:{}/{name}?sslmode=disable",
            listener.local_addr().unwrap().port()
        );
        let next = Arc::new(Mutex::new(Next::Pass));
        let (socket, shared) = (bed.socket().unwrap(), next.clone());
        thread::spawn(move || {
            for client in listener.incoming() {
                let (socket, next) = (socket.clone(), shared.clone());
                thread::spawn(move || serve(client.unwrap(), socket, &next));
            }
        });
        Self { url, next }
    }

    /// Says what to do with the next commit.
    pub fn set(&self, next: Next) {
        *self.next.lock().unwrap() = next;
    }

    /// Whether it was done.
    pub fn was_used(&self) -> bool {
        *self.next.lock().unwrap() == Next::Pass
    }
}

fn serve(mut client: TcpStream, socket: PathBuf, next: &Mutex<Next>) {
    const COMMIT: &[u8] = b"COMMIT\0";
    let mut server = UnixStream::connect(socket).unwrap();
    let (mut from_server, mut to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let now = Arc::new(Mutex::new(Next::Pass));
    let done_now = now.clone();
    let answering = thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(n @ 1..) = from_server.read(&mut bytes) {
            let now = *done_now.lock().unwrap();
            if now.hangs() {
                continue;
            }
            if now != Next::Pass {
                break;
            }
            if to_client.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = to_client.shutdown(Shutdown::Both);
    });
    let mut bytes = vec![0; 65536];
    while let Ok(n @ 1..) = client.read(&mut bytes) {
        let sent = &bytes[..n];
        let is_commit = sent.windows(COMMIT.len()).any(|w| w == COMMIT);
        let what = {
            let mut next = next.lock().unwrap();
            if is_commit || *next == Next::HangAtOnce {
                std::mem::replace(&mut *next, Next::Pass)
            } else {
                Next::Pass
            }
        };
        *now.lock().unwrap() = what;
        if matches!(what, Next::Pass | Next::CutAfter | Next::HangAfter) {
            server.write_all(sent).unwrap();
        }
        if what.hangs() {
            while let Ok(1..) = client.read(&mut bytes) {}
            return;
        }
        if what == Next::CutAfter {
            // Its answer has come, and goes nowhere.
            answering.join().unwrap();
            return;
        }
        if what == Next::CutBefore {
            break;
        }
        if what == Next::CutAndDelay {
            let _ = client.shutdown(Shutdown::Both);
            thread::sleep(Duration::from_millis(300));
            let _ = server.write_all(sent);
            return;
        }
        if what == Next::CutAndKeep {
            let _ = client.shutdown(Shutdown::Both);
            thread::park_timeout(Duration::from_secs(30));
            return;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = client.shutdown(Shutdown::Both);
}
