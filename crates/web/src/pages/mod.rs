//! Stub, being written.
use crate::App;
use axum::Router;
pub(crate) fn router() -> Router<App> {
    Router::new()
}
