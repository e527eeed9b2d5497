//! A bounded set of connections that only read. Each read sees one unchanging state and waits for no writer.

use std::ops::Deref;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::conn::Conn;
use crate::error::{Error, Result};
use crate::open_cases::OpenCases;
use crate::sqlite::{self, Role};

/// Reads that may wait for a connection; who comes then is told to come again.
pub const QUEUE_LIMIT: usize = 1024;

/// Connections per core: reads of cold pages wait for the disk, so a few more than cores are of use.
const PER_CORE: usize = 2;
const AT_LEAST: usize = 4;
const AT_MOST: usize = 32;

/// When who was turned away should come again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

pub(crate) struct Readers {
    pool: Arc<Pool>,
}

struct Pool {
    idle: Mutex<Vec<Conn>>,
    /// As many permits as connections; closed with the pool.
    free: Arc<Semaphore>,
    size: usize,
    waiting: AtomicUsize,
}

impl Readers {
    pub fn open(path: &Path, open_cases: &Arc<OpenCases>) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let size = (cores * PER_CORE).clamp(AT_LEAST, AT_MOST);
        let idle = (0..size)
            .map(|_| {
                let conn = Conn::from(sqlite::open(path, Role::Reader)?);
                Ok(conn.with_open_cases(open_cases))
            })
            .collect::<Result<Vec<_>>>()?;
        let free = Arc::new(Semaphore::new(size));
        Ok(Self {
            pool: Arc::new(Pool {
                idle: Mutex::new(idle),
                free,
                size,
                waiting: AtomicUsize::new(0),
            }),
        })
    }

    /// Runs `f` on a thread where it may take its time.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Conn) -> Result<T, E> + Send + 'static,
    {
        let reader = self.pool.reader().await?;
        tokio::task::spawn_blocking(move || reader.snapshot(f))
            .await
            .unwrap_or_else(|fault| {
                Err(match fault.try_into_panic() {
                    Ok(payload) => Error::panicked(&*payload),
                    Err(_) => Error::Closed,
                }
                .into())
            })
    }

    /// Runs `f` here and now, once a connection is free.
    pub async fn look_up<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        self.pool.reader().await?.snapshot(f)
    }

    pub fn read_blocking<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        block_on(self.pool.reader())?.snapshot(f)
    }

    /// Reads that are running or waiting.
    pub fn active(&self) -> usize {
        self.pool.size - self.pool.free.available_permits() + self.pool.waiting.load(Ordering::Relaxed)
    }

    /// Lets running reads end, refuses waiting and later ones.
    pub fn close(&self) {
        let pool = &self.pool;
        // All permits at once: given only when no read is running.
        let all = u32::try_from(pool.size).unwrap_or(u32::MAX);
        if let Ok(permits) = block_on(pool.free.acquire_many(all)) {
            pool.free.close();
            drop(permits);
        }
        pool.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Pool {
    async fn reader(self: &Arc<Self>) -> Result<Lent> {
        let permit = match self.free.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(tokio::sync::TryAcquireError::Closed) => return Err(Error::Closed),
            Err(tokio::sync::TryAcquireError::NoPermits) => {
                let _place = Place::take(&self.waiting)?;
                self.free
                    .clone()
                    .acquire_owned()
                    .await
                    .map_err(|_| Error::Closed)?
            }
        };
        let conn = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(Lent {
            conn: Some(conn.ok_or(Error::Closed)?),
            pool: self.clone(),
            _permit: permit,
        })
    }
}

/// A place in the queue, given back when the wait ends or is given up.
struct Place<'p>(&'p AtomicUsize);

impl<'p> Place<'p> {
    fn take(waiting: &'p AtomicUsize) -> Result<Self> {
        if waiting.fetch_add(1, Ordering::Relaxed) < QUEUE_LIMIT {
            return Ok(Self(waiting));
        }
        waiting.fetch_sub(1, Ordering::Relaxed);
        Err(Error::Busy {
            what: "too many reads are waiting",
            retry_after: RETRY_AFTER,
        })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection that goes back when this is dropped, also by a panic. The permit goes after it.
struct Lent {
    conn: Option<Conn>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Deref for Lent {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("a connection is lent until the drop")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(conn) = self.conn.take() {
            self.pool
                .idle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(conn);
        }
    }
}

/// Waits on this thread for a future that needs no runtime.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
