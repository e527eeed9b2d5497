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
    /// How long a stop goes on taking connections.
    pub drain: Duration,
    /// How long a stop waits for requests under way.
    pub stop_within: Duration,
}

/// Serves until `stop` and for a while on, then takes no more connections and finishes the requests that were begun. Answers how many
/// connections had to be cut.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: impl Future<Output = ()>,
) -> u32 {
    let slots = Arc::new(Semaphore::new(limits.connections as usize));
    let (ending, end) = watch::channel(());
    let mut stop = pin!(async {
        stop.await;
        time::sleep(limits.drain).await;
    });
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

#[cfg(test)]
mod tests {
    use std::future::pending;

    use axum::{extract::State, routing::get};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::{Notify, mpsc, oneshot},
        task::JoinHandle,
    };

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 8,
        header_timeout: Duration::from_secs(30),
        drain: Duration::ZERO,
        stop_within: Duration::from_secs(30),
    };

    /// A server with one slow answer, which says when it has begun and ends when it may.
    struct Slow {
        address: SocketAddr,
        begun: mpsc::UnboundedReceiver<()>,
        go: Arc<Notify>,
        stop: oneshot::Sender<()>,
        served: JoinHandle<u32>,
    }

    async fn slow(limits: Limits) -> Slow {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (begin, begun) = mpsc::unbounded_channel();
        let (go, (stop, stopped)) = (Arc::new(Notify::new()), oneshot::channel());
        let answer = async |State((begin, go)): State<(mpsc::UnboundedSender<()>, Arc<Notify>)>| {
            begin.send(()).unwrap();
            go.notified().await;
            "done"
        };
        let router = Router::new()
            .route("/", get(answer))
            .with_state((begin, Arc::clone(&go)));
        let stopped = async { drop(stopped.await) };
        let served = tokio::spawn(serve(listener, router, limits, stopped));
        Slow {
            address,
            begun,
            go,
            stop,
            served,
        }
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            .await
            .unwrap();
        stream
    }

    async fn rest(mut stream: TcpStream) -> String {
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        text
    }

    #[tokio::test]
    async fn a_request_under_way_is_answered_after_the_stop_and_its_connection_closed() {
        let mut slow = slow(LIMITS).await;
        let stream = ask(slow.address).await;
        slow.begun.recv().await.unwrap();
        slow.stop.send(()).unwrap();
        slow.go.notify_one();
        assert!(rest(stream).await.ends_with("done"));
        assert_eq!(slow.served.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn connections_are_still_taken_for_a_while_after_the_stop() {
        let mut slow = slow(Limits {
            drain: Duration::from_millis(300),
            ..LIMITS
        })
        .await;
        slow.stop.send(()).unwrap();
        let stream = ask(slow.address).await;
        slow.begun.recv().await.unwrap();
        slow.go.notify_one();
        assert!(rest(stream).await.ends_with("done"));
        assert_eq!(slow.served.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn an_idle_connection_does_not_delay_the_stop() {
        let mut slow = slow(LIMITS).await;
        let idle = TcpStream::connect(slow.address).await.unwrap();
        let used = ask(slow.address).await;
        slow.begun.recv().await.unwrap();
        slow.go.notify_one();
        slow.stop.send(()).unwrap();
        assert_eq!(slow.served.await.unwrap(), 0);
        drop((idle, used));
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_to_stop_is_cut_and_counted() {
        let stop_within = Duration::from_millis(20);
        let mut slow = slow(Limits {
            stop_within,
            ..LIMITS
        })
        .await;
        let _stream = ask(slow.address).await;
        slow.begun.recv().await.unwrap();
        slow.stop.send(()).unwrap();
        assert_eq!(slow.served.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn who_sends_no_head_in_time_is_let_go() {
        let header_timeout = Duration::from_millis(20);
        let slow = slow(Limits {
            header_timeout,
            ..LIMITS
        })
        .await;
        let mut stream = TcpStream::connect(slow.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
        assert_eq!(rest(stream).await, "");
    }

    #[tokio::test]
    async fn a_connection_too_many_waits_until_another_ends() {
        let mut slow = slow(Limits {
            connections: 1,
            ..LIMITS
        })
        .await;
        let first = ask(slow.address).await;
        slow.begun.recv().await.unwrap();
        let second = ask(slow.address).await;
        // The kernel has taken the second one; the server must not have.
        tokio::task::yield_now().await;
        assert!(slow.begun.try_recv().is_err());
        slow.go.notify_one();
        drop(first);
        slow.begun.recv().await.unwrap();
        slow.go.notify_one();
        drop(second);
        slow.stop.send(()).unwrap();
        assert_eq!(slow.served.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_server_that_nobody_stops_serves_on() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(async || "done"));
        let served = tokio::spawn(serve(listener, router, LIMITS, pending()));
        let mut stream = ask(address).await;
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        assert!(!served.is_finished());
    }
}
