//! A bounded set of connections that only read. Each read sees one unchanging state and waits for no writer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::conn::{Conn, Database, Role};
use crate::error::{Error, Result};
use crate::postgres::block_on;

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
    database: Database,
    /// Those not lent. None stands for one that must be opened first: it was never needed, or was lost.
    idle: Mutex<Vec<Option<Conn>>>,
    /// As many permits as connections; closed with the pool.
    free: Arc<Semaphore>,
    size: usize,
    waiting: AtomicUsize,
}

impl Readers {
    pub fn open(database: &Database) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let size = (cores * PER_CORE).clamp(AT_LEAST, AT_MOST);
        let idle = (0..size)
            .map(|_| {
                if database.is_remote() {
                    // A server has a bounded number of them for all processes.
                    return Ok(None);
                }
                database.open(Role::Reader).map(Some)
            })
            .collect::<Result<Vec<_>>>()?;
        let free = Arc::new(Semaphore::new(size));
        Ok(Self {
            pool: Arc::new(Pool {
                database: database.clone(),
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
        let lent = self.pool.reader().await?;
        lent.elsewhere(|conn| conn.snapshot(f)).await
    }

    /// Runs `f`, which asks one statement, once a connection is free: here and now, unless the answer comes over a network.
    pub async fn look_up<T, E, F>(&self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Conn) -> Result<T, E> + Send + 'static,
    {
        let mut lent = self.pool.reader().await?;
        if self.pool.database.is_remote() {
            return lent.elsewhere(|conn| conn.single(f)).await;
        }
        lent.conn()?.single(f)
    }

    pub fn read_blocking<T, E: From<Error>>(&self, f: impl FnOnce(&Conn) -> Result<T, E>) -> Result<T, E> {
        block_on(self.pool.reader())?.conn()?.snapshot(f)
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
            conn: conn.ok_or(Error::Closed)?,
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

impl Lent {
    /// Runs `f` on a thread where it may take its time.
    async fn elsewhere<T, E, F>(mut self, f: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&Conn) -> Result<T, E> + Send + 'static,
    {
        tokio::task::spawn_blocking(move || f(self.conn()?))
            .await
            .unwrap_or_else(|fault| {
                Err(match fault.try_into_panic() {
                    Ok(payload) => Error::panicked(&*payload),
                    Err(_) => Error::Closed,
                }
                .into())
            })
    }

    /// The connection, opened anew if it was lost meanwhile. May wait for the network.
    fn conn(&mut self) -> Result<&Conn> {
        match &mut self.conn {
            Some(conn) if !conn.is_lost() => {}
            gone => *gone = Some(self.pool.database.open(Role::Reader)?),
        }
        Ok(self.conn.as_ref().expect("opened just now"))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let mut idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self.conn.take());
    }
}
