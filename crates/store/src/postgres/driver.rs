//! Waiting for PostgreSQL on threads that are not async, and on such as are.
//!
//! One thread of its own moves the bytes of all connections but the writer's. A runtime of a connection's own would save
//! the hand-over, but cannot be waited for on a thread that runs async work already, and readers may be asked there.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{JoinHandle, Thread};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// Cloning shares it; the last clone ends the thread.
#[derive(Clone)]
pub(super) struct Driver {
    running: Arc<Running>,
}

struct Running {
    handle: Handle,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Driver {
    pub fn start() -> Result<Self> {
        let fault = |error: std::io::Error| Error::Away {
            detail: format!("no thread for its connections: {error}"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(fault)?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("store-postgres".into())
            .spawn(move || {
                let _ = runtime.block_on(stopped);
            })
            .map_err(fault)?;
        let running = Running {
            handle,
            stop: Some(stop),
            thread: Some(thread),
        };
        Ok(Self {
            running: Arc::new(running),
        })
    }

    /// Runs a future over there, and waits for it here.
    pub fn run<T: Send + 'static>(
        &self,
        future: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (done, outcome) = mpsc::channel();
        self.running.handle.spawn(async move {
            let _ = done.send(future.await);
        });
        outcome.recv().unwrap_or(Err(Error::Closed))
    }

    /// Waits on this thread for a future whose bytes and timers move over there.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        let _its_timers = self.running.handle.enter();
        // On a thread that runs async work, a timer would else wait for that work's next turn, which is behind this.
        block_on(tokio::task::unconstrained(future))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Waits on this thread for a future that needs no runtime, or one that runs elsewhere.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
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
