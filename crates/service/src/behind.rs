//! Writing behind: one thread makes batches, another has them committed in their order, so that neither waits for the
//! other but at a bounded queue. For long work from a file or a generator; single commands go to the store directly.

use std::{
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use whistle_store::{Store, Tx};

use crate::error::{Error, Result};

/// Batches that may wait for the writer: one being committed, one ready, one being handed over.
const WAITING: usize = 2;

/// How often a batch is offered again when the store is busy with others.
const TRIES: u32 = 60;

/// Where batches are sent to.
pub(crate) struct Behind<B>(SyncSender<B>);

impl<B> Behind<B> {
    /// Hands a batch over; waits while too many are under way. Fails when an earlier one could not be committed.
    pub fn send(&self, batch: B) -> Result<()> {
        self.0
            .send(batch)
            .map_err(|_| Error::Store(whistle_store::Error::Closed))
    }
}

/// Runs `make` here and commits what it sends by `write` behind it, each batch whole or not at all; `written` gets what
/// `write` answered, once for each batch that stands. Returns when all is on the disk. The first batch that fails ends it
/// all; those before it stand.
pub(crate) fn write_behind<B, A, T>(
    store: &Store,
    write: impl Fn(&mut Tx<'_>, &B) -> Result<A> + Send + Sync + 'static,
    mut written: impl FnMut(A) + Send,
    make: impl FnOnce(&Behind<B>) -> Result<T>,
) -> Result<T>
where
    B: Send + Sync + 'static,
    A: Send + 'static,
{
    let write = Arc::new(write);
    thread::scope(|scope| {
        let (send, receive) = sync_channel::<B>(WAITING);
        let committing = scope.spawn(move || -> Result<()> {
            for batch in receive {
                written(commit(store, &Arc::new(batch), &write)?);
            }
            Ok(())
        });
        let behind = Behind(send);
        let made = make(&behind);
        drop(behind);
        let committed = committing
            .join()
            .unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        // What the writer met is why the maker could not go on.
        committed.and(made)
    })
}

fn commit<B, A, W>(store: &Store, batch: &Arc<B>, write: &Arc<W>) -> Result<A>
where
    B: Send + Sync + 'static,
    A: Send + 'static,
    W: Fn(&mut Tx<'_>, &B) -> Result<A> + Send + Sync + 'static,
{
    let mut tries = 0;
    loop {
        let (batch, write) = (Arc::clone(batch), Arc::clone(write));
        match store.write_blocking(move |tx| write(tx, &batch)) {
            Err(Error::Busy(wait)) if tries < TRIES => {
                tries += 1;
                thread::sleep(wait.min(Duration::from_secs(1)));
            }
            answer => return answer,
        }
    }
}
