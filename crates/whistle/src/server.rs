//! The HTTP server: connections, their limits, and how they end. Knows sockets and signals; what is answered is the
//! web crate's.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time,
};
use tower::ServiceExt;

/// The most bytes of a request's head: cookies and long query strings fit in; hyper's own limit is 400 KiB.
const MAX_HEAD: usize = 64 * 1024;

/// How long to pause when no socket can be had (out of descriptors), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections held open at once; further ones wait in the kernel's queue.
    pub connections: u32,
    /// How long the head of a request may take, idle time before it included.
    pub header_timeout: Duration,
    /// How long a stop waits for requests under way.
    pub stop_within: Duration,
}

/// Serves until `stop`, then takes no more connections and finishes the requests that were begun. Answers how many
/// connections had to be cut.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> u32 {
    let slots = Arc::new(Semaphore::new(limits.connections as usize));
    let (ending, end) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await;
            (slot, accept(&listener).await)
        };
        let (slot, (stream, peer)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let (router, end) = (router.clone(), end.clone());
        tokio::spawn(async move {
            if let Err(error) = answer(stream, peer, router, limits.header_timeout, end).await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    drop(ending);
    let all_done = slots.acquire_many(limits.connections);
    match time::timeout(limits.stop_within, all_done).await {
        Ok(_) => 0,
        Err(_) => limits.connections - slots.available_permits() as u32,
    }
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The peer's doing: it left before it was let in.
            Err(error) if is_the_peers(&error) => {}
            Err(error) => {
                tracing::error!(%error, "no connection can be accepted");
                time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_the_peers(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset
    )
}

/// Answers the requests of one connection until it ends, or until `end`, after the one under way.
async fn answer(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    header_timeout: Duration,
    mut end: watch::Receiver<()>,
) -> hyper::Result<()> {
    // Answers are written whole; waiting to fill packets would only delay them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        done = connection.as_mut() => return done,
        _ = end.changed() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}
