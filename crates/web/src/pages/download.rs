//! Files that lie on the disk, handed out to be kept.

use std::path::Path;

use axum::{
    extract::Request,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use tower::ServiceExt as _;
use tower_http::services::ServeFile;

/// A file under a name, with ranges and validators as the request asks. `cached` says how long it stays as it is.
pub(super) async fn file(
    path: &Path,
    request: Request,
    media_type: &'static str,
    cached: &'static str,
    name: &str,
) -> Response {
    let mut answer = match ServeFile::new(path).oneshot(request).await {
        Ok(answer) => answer.into_response(),
        Err(never) => match never {},
    };
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
