//! The faces of Whistle over HTTP: pages, Open311, the JSON API, and what operators watch.
//!
//! Knows HTTP and the service. Has no SQL and no rules: a handler extracts, calls one use case, and renders.
//!
//! - [`App`] and [`router`]: what the binary serves.
//! - `status`: which HTTP status a refusal has. `limits`: what a request may cost. `ops`: health and metrics.
//! - `guard`: against guessing pick-up codes.
//! - `open311`, `api`, `pages`: the three faces. `routes`: how they add routes, and [`paths`] of all.

mod api;
mod guard;
mod limits;
mod open311;
mod ops;
mod pages;
mod routes;
mod status;

use std::{net::IpAddr, path::PathBuf, sync::Arc, time::Duration};

pub use pages::clocks::explain;

use axum::{
    Router,
    http::StatusCode,
    response::Redirect,
    routing::{any, get},
};
use metrics_exporter_prometheus::PrometheusHandle;
use routes::Routes;
use tokio::sync::watch;
use whistle_service::Whistle;

/// How the faces behave; set by the binary from its configuration.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The address under which the public reaches this install, without a slash at the end; from the request's `Host`
    /// when unknown.
    pub base_url: Option<String>,
    /// The most bytes of a request's body, photos included.
    pub max_body: usize,
    /// How long a request may take.
    pub timeout: Duration,
    /// Requests worked on at once; more are turned away with 503.
    pub concurrency: usize,
    /// Pages of the staff that are told at once what changes; further ones are as they were made.
    pub streams: usize,
    /// Requests per second and address, over time; 0 for no limit.
    pub rate: u32,
    /// Requests that an address may send at once before the rate counts.
    pub burst: u32,
    /// Addresses of proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether webhooks may lead to this machine or its network.
    pub private_webhooks: bool,
    /// A PMTiles file that the map is drawn on, or a folder of them, each named by the code of its place.
    pub basemap: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base_url: None,
            max_body: 64 * 1024 * 1024,
            timeout: Duration::from_secs(30),
            concurrency: 512,
            streams: 1_000,
            rate: 20,
            burst: 200,
            trusted_proxies: Vec::new(),
            private_webhooks: false,
            basemap: None,
        }
    }
}

/// What handlers share. Cloning is cheap.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// See [`App`].
pub struct Shared {
    /// The use cases.
    pub whistle: Whistle,
    /// How the faces behave.
    pub settings: Settings,
    /// Where the metrics are read; none in tests that do not look.
    pub metrics: Option<PrometheusHandle>,
    /// The grids of places, ready to be cut into tiles.
    pub(crate) drawings: pages::map::Drawings,
    /// Pages of figures that are the same for every reader.
    pub(crate) kept_pages: pages::figures::KeptPages,
    stopping: watch::Sender<bool>,
}

impl std::ops::Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(whistle: Whistle, settings: Settings, metrics: Option<PrometheusHandle>) -> Self {
        Self(Arc::new(Shared {
            whistle,
            settings,
            metrics,
            drawings: pages::map::Drawings::default(),
            kept_pages: pages::figures::KeptPages::default(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// Tells the balancer to send requests elsewhere: `/readyz` says no, every answer closes its connection, and what goes on
    /// without an end is ended. Those that come all the same are answered.
    pub fn begin_stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Becomes true when the process is told to stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// All faces, with the limits around them. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`.
pub fn router(app: App) -> Router {
    const FACES: &[limits::Face] = &[api::FACE, open311::FACE];
    let routes = bare_ends()
        .into_router()
        .merge(pages::router(&app))
        .nest(open311::FACE.under, open311::router())
        .nest(api::FACE.under, api::router());
    limits::around(routes, FACES, &app)
        .merge(ops::routes().into_router())
        .with_state(app)
}

/// A nest takes its bare path and what is below, but not the bare path with a slash.
fn bare_ends() -> Routes {
    Routes::new()
        .route("/api/v1/", any(async || StatusCode::NOT_FOUND))
        .route("/open311/", get(async || Redirect::permanent("/open311")))
}

/// The path of every route of [`router`], in axum's words.
pub fn paths() -> Vec<String> {
    let below = |face: limits::Face, paths: Vec<String>| {
        let whole = move |path: String| format!("{}{}", face.under, path.trim_end_matches('/'));
        paths.into_iter().map(whole)
    };
    let mut paths = bare_ends().paths();
    paths.extend(pages::routes().paths());
    paths.extend(below(open311::FACE, open311::routes().paths()));
    paths.extend(below(api::FACE, api::paths()));
    paths.extend(ops::routes().paths());
    paths
}
