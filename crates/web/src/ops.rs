//! What operators watch: `/healthz`, `/readyz`, `/metrics`. Outside the limits, so that a full server can say that it is.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};

use crate::{App, routes::Routes};

pub(crate) fn routes() -> Routes {
    Routes::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
}

/// Ready when the store answers and a place is in force, until the process is told to stop.
async fn ready(State(app): State<App>) -> Response {
    if app.is_stopping() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if let Err(error) = app.whistle.is_ready().await {
        tracing::warn!(%error, "not ready");
        return (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n").into_response();
    }
    if app.whistle.places().all().is_empty() {
        let what = "no place is in force; apply one with `whistle apply DIR`\n";
        return (StatusCode::SERVICE_UNAVAILABLE, what).into_response();
    }
    "ready\n".into_response()
}

async fn metrics(State(app): State<App>) -> Response {
    let Some(handle) = &app.metrics else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let load = app.whistle.load();
    metrics::gauge!("whistle_store_waiting_writes").set(load.waiting_writes as f64);
    metrics::gauge!("whistle_store_active_reads").set(load.active_reads as f64);
    metrics::gauge!("whistle_live_streams").set(app.whistle.watching() as f64);
    metrics::counter!("whistle_store_commits_total").absolute(load.commits);
    metrics::counter!("whistle_store_statements_total").absolute(load.statements);
    let facts = app.whistle.facts_load();
    metrics::gauge!("whistle_facts_rows").set(facts.rows as f64);
    metrics::gauge!("whistle_facts_bytes").set(facts.bytes as f64);
    metrics::gauge!("whistle_facts_differences").set(facts.differences as f64);
    // None while they are being made: a number would be a wrong one.
    metrics::gauge!("whistle_facts_lag_seconds").set(facts.lag.map_or(f64::NAN, |lag| lag.as_secs_f64()));
    handle.run_upkeep();
    (
        [(header::CONTENT_TYPE, "text/plain; version=0.0.4")],
        handle.render(),
    )
        .into_response()
}
