//! What a request may cost: bytes, time, a share of the server, requests per address. And what every answer carries:
//! a request id, the headers of a strict browser.

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Instant,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http_body::{Body as _, Frame, SizeHint};
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer, timeout::TimeoutLayer};

use crate::App;

/// The id of a request, on its log lines and its answer.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// The network address of who asks: the connection's, or what a trusted proxy says. An IPv6 network of 64 bits counts as
/// one. None where there is no connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Address(pub(crate) Option<IpAddr>);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How many addresses are remembered before old ones are forgotten.
const ADDRESSES: usize = 50_000;

/// How a face says what went wrong, whoever found it: a handler, the router, or the limits around them all.
#[derive(Clone, Copy)]
pub(crate) struct Face {
    /// The path at and below which it lies.
    pub(crate) under: &'static str,
    /// The shape of an error that answers a request; it outlives the request, on which it may depend.
    pub(crate) shape: fn(app: &App, request: &Request) -> Shape,
}

/// Gives an error answer to a request with this id its shape; leaves any other as it is.
pub(crate) type Shape = Box<dyn FnOnce(Response, &str) -> Response + Send>;

impl Face {
    fn holds(&self, path: &str) -> bool {
        path.strip_prefix(self.under)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

struct Gate {
    app: App,
    faces: &'static [Face],
    rate: Option<DefaultKeyedRateLimiter<IpAddr>>,
    under_way: AtomicUsize,
    started: u64,
    count: AtomicU64,
}

/// Puts the limits around all routes. What `faces` have no shape for is answered in plain words.
pub(crate) fn around(routes: Router<App>, faces: &'static [Face], app: &App) -> Router<App> {
    let settings = &app.settings;
    let rate = NonZeroU32::new(settings.rate).map(|rate| {
        let burst = NonZeroU32::new(settings.burst).unwrap_or(rate);
        RateLimiter::keyed(Quota::per_second(rate).allow_burst(burst))
    });
    let gate = Arc::new(Gate {
        app: app.clone(),
        faces,
        rate,
        under_way: AtomicUsize::new(0),
        started: app.whistle.now().as_millisecond() as u64,
        count: AtomicU64::new(0),
    });
    routes
        .layer(DefaultBodyLimit::max(settings.max_body))
        .layer(CompressionLayer::new())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::SERVICE_UNAVAILABLE,
            settings.timeout,
        ))
        .layer(CatchPanicLayer::custom(|_| {
            (StatusCode::INTERNAL_SERVER_ERROR, "something went wrong here\n").into_response()
        }))
        .layer(middleware::from_fn_with_state(gate, pass))
}

/// Lets a request in, or turns it away; counts and logs it.
async fn pass(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let id = format!(
        "{:x}-{:x}",
        gate.started,
        gate.count.fetch_add(1, Ordering::Relaxed)
    );
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("unmatched", MatchedPath::as_str)
        .to_owned();
    let method = request.method().clone();
    let face = gate.faces.iter().find(|face| face.holds(request.uri().path()));
    let shape = face.map(|face| (face.shape)(&gate.app, &request));
    let address = Address::of(&request, &gate.app);
    request.extensions_mut().insert(RequestId(id.clone()));
    request.extensions_mut().insert(address);
    let (request, left) = Left::watch(request);
    let mut answer = match gate.let_in(address) {
        Ok(_inside) => next.run(request).await,
        Err(turned_away) => {
            drop(request);
            *turned_away
        }
    };
    if let Some(shape) = shape {
        answer = shape(answer, &id);
    }
    let (status, took) = (answer.status(), began.elapsed());
    metrics::histogram!("whistle_request_seconds", "path" => path.clone(), "status" => status.as_str().to_owned())
        .record(took.as_secs_f64());
    // The route's pattern, not the path: a path may hold a code or a number that leads to a person.
    tracing::info!(request_id = id, %method, path, status = status.as_u16(), took_us = took.as_micros() as u64, "request");
    let headers = answer.headers_mut();
    headers.insert(
        REQUEST_ID,
        HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("unknown")),
    );
    if gate.app.is_stopping() || left.is_some_and(|left| left.load(Ordering::Relaxed)) {
        // Whoever keeps a connection for the next request opens one to another process instead; and a connection with a
        // body that nobody reads is closed after the answer: who is not told so sends the next request into it.
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    guard(headers);
    answer
}

/// A request's body that says when it goes whether something of it was left unread.
struct Left {
    body: Body,
    ended: bool,
    unread: Arc<AtomicBool>,
}

impl Left {
    /// Watches a request's body, where it has one.
    fn watch(request: Request) -> (Request, Option<Arc<AtomicBool>>) {
        if request.body().is_end_stream() {
            return (request, None);
        }
        let unread = Arc::new(AtomicBool::new(false));
        let watched = request.map(|body| {
            Body::new(Self {
                body,
                ended: false,
                unread: unread.clone(),
            })
        });
        (watched, Some(unread))
    }
}

impl http_body::Body for Left {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.ended |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Left {
    fn drop(&mut self) {
        let ended = self.ended || self.body.is_end_stream();
        self.unread.store(!ended, Ordering::Relaxed);
    }
}

/// One request under way.
struct Inside<'a>(&'a AtomicUsize);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Gate {
    fn let_in(&self, address: Address) -> Result<Inside<'_>, Box<Response>> {
        // Counted and looked at in one step, so that no two take the last place.
        let before_it = self.under_way.fetch_add(1, Ordering::Relaxed);
        let inside = Inside(&self.under_way);
        if before_it >= self.app.settings.concurrency {
            return Err(Box::new(turned_away(
                StatusCode::SERVICE_UNAVAILABLE,
                1,
                "too many requests at once; try again soon\n",
            )));
        }
        if self.is_too_often(address) {
            return Err(Box::new(turned_away(
                StatusCode::TOO_MANY_REQUESTS,
                1,
                "too many requests from your address; slow down\n",
            )));
        }
        Ok(inside)
    }

    fn is_too_often(&self, address: Address) -> bool {
        let (Some(rate), Some(address)) = (&self.rate, address.0) else {
            return false;
        };
        if rate.len() > ADDRESSES {
            rate.retain_recent();
        }
        rate.check_key(&address).is_err()
    }
}

fn turned_away(status: StatusCode, seconds: u64, what: &'static str) -> Response {
    metrics::counter!("whistle_turned_away_total", "status" => status.as_str().to_owned()).increment(1);
    (status, [(header::RETRY_AFTER, seconds.to_string())], what).into_response()
}

impl Address {
    fn of(request: &Request, app: &App) -> Self {
        let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
            return Self(None);
        };
        let peer = peer.ip().to_canonical();
        let trusted = &app.settings.trusted_proxies;
        let mut address = peer;
        if trusted.contains(&peer) {
            let hops = request
                .headers()
                .get_all("x-forwarded-for")
                .iter()
                .filter_map(|v| v.to_str().ok());
            let hops: Vec<IpAddr> = hops
                .flat_map(|v| v.split(','))
                .filter_map(|hop| hop.trim().parse().ok())
                .collect();
            address = hops
                .into_iter()
                .rev()
                .find(|hop| !trusted.contains(hop))
                .unwrap_or(peer);
        }
        Self(Some(match address {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        }))
    }
}

/// The headers that keep a browser strict. A face that needs another policy sets it itself.
fn guard(headers: &mut HeaderMap) {
    const ALL: [(HeaderName, &str); 4] = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; img-src 'self' data:; style-src 'self'; script-src 'self'; connect-src 'self'; \
             font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in ALL {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}
