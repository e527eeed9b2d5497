//! Keeps SQLite's log short without a commit waiting for it.
//!
//! Commits append to the log; a checkpoint copies it to the database file, and once all of it is copied the log begins
//! anew. Done within a commit, that copy is the worst delay of all. So a thread of its own copies the bulk while the
//! writer goes on; what the writer added meanwhile is little, and the writer copies it between two groups, because
//! only then does the log stand still long enough to be copied whole.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;

use rusqlite::Connection;

use crate::conn::{Conn, Database, Location, Role};
use crate::error::{Error, Result};
use crate::sqlite;

/// Length of the log, in pages of 4 KiB, at which copying begins: 16 MiB, some thousand commits.
const COPY_AT_PAGES: u32 = 4000;

/// The copying thread and what the writer shares with it.
pub(crate) struct Checkpointer {
    shared: Arc<Shared>,
    /// One request is as good as many: the queue holds one.
    request: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    /// Length of the log after the last commit, in pages.
    log_pages: AtomicU32,
    /// The bulk is copied; the writer shall copy the rest.
    bulk_done: AtomicBool,
}

/// The writer's side.
pub(crate) struct LogKeeper {
    checkpointer: Checkpointer,
    copy_at: u32,
    copying: bool,
}

impl LogKeeper {
    /// Watches the commits of `writer`; none where there is no such log.
    pub fn watch(writer: &mut Conn, database: &Database) -> Result<Option<Self>> {
        let (Some(writer), Location::Sqlite(path, _)) = (writer.sqlite_mut(), &database.location) else {
            return Ok(None);
        };
        let checkpointer = Checkpointer::spawn(path)?;
        let shared = checkpointer.shared.clone();
        sqlite::on_commit(writer, move |pages| {
            shared.log_pages.store(pages, Ordering::Relaxed);
        })?;
        Ok(Some(Self {
            checkpointer,
            copy_at: COPY_AT_PAGES,
            copying: false,
        }))
    }

    /// To be called between two groups.
    pub fn between_groups(&mut self, writer: &Connection) {
        let shared = &self.checkpointer.shared;
        if !self.copying {
            if shared.log_pages.load(Ordering::Relaxed) >= self.copy_at {
                self.copying = true;
                self.checkpointer.request_bulk();
            }
        } else if shared.bulk_done.swap(false, Ordering::Acquire) {
            self.copying = false;
            match sqlite::checkpoint(writer) {
                Ok(Some(it)) if it.done == it.pages => self.copy_at = COPY_AT_PAGES,
                // A long reader holds the rest back: try again when there is as much once more.
                Ok(Some(it)) => self.copy_at = it.pages.saturating_add(COPY_AT_PAGES),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "the log could not be copied to the database file"),
            }
        }
    }

    /// Ends the thread and copies all there is.
    pub fn close(mut self, writer: &Connection) {
        self.checkpointer.stop();
        if let Err(error) = sqlite::checkpoint_at_close(writer) {
            tracing::error!(%error, "the log could not be copied to the database file; it stays and will be read at the next start");
        }
    }
}

impl Checkpointer {
    fn spawn(path: &Path) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        let connection = sqlite::open(path, Role::Writer)?;
        let (request, requests) = mpsc::sync_channel::<()>(1);
        let thread = std::thread::Builder::new()
            .name("store-checkpoint".into())
            .spawn({
                let shared = shared.clone();
                move || {
                    while requests.recv().is_ok() {
                        if let Err(error) = sqlite::checkpoint(&connection) {
                            tracing::error!(%error, "the log could not be copied to the database file");
                        }
                        shared.bulk_done.store(true, Ordering::Release);
                    }
                }
            })
            .map_err(|error| Error::io(path, error))?;
        Ok(Self {
            shared,
            request: Some(request),
            thread: Some(thread),
        })
    }

    fn request_bulk(&self) {
        if let Some(request) = &self.request {
            // Full means that it was asked already, closed that the thread is gone: neither is worth a word.
            let _ = request.try_send(());
        }
    }

    fn stop(&mut self) {
        self.request = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.stop();
    }
}
