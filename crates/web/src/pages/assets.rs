//! Style sheet, pictures and script of the pages, in the binary, under addresses that carry the hash of their content.

use std::{collections::HashMap, fmt::Write, sync::LazyLock};

use axum::{
    extract::Path,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::Embed;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// How much of the hash an address carries: 40 bits.
const HASH_BYTES: usize = 5;

static ADDRESSES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    Assets::iter()
        .filter_map(|name| {
            let hash = Assets::get(&name)?.metadata.sha256_hash();
            let hash = hash[..HASH_BYTES].iter().fold(String::new(), |mut text, byte| {
                let _ = write!(text, "{byte:02x}");
                text
            });
            Some((name.to_string(), format!("/assets/{hash}/{name}")))
        })
        .collect()
});

/// The address of an asset.
pub(crate) fn address(name: &str) -> &'static str {
    ADDRESSES.get(name).map_or("/assets/", String::as_str)
}

/// An asset. A hash of another version is no such page: what is kept for a year must be what it says.
pub(crate) async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    let known = ADDRESSES
        .get(&name)
        .is_some_and(|a| *a == format!("/assets/{hash}/{name}"));
    if known {
        served(&name, "public, max-age=31536000, immutable")
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

/// An asset under an address that stays the same whatever is in it, so that it is looked at anew each time.
pub(crate) fn unhashed(name: &str) -> Response {
    served(name, "no-cache")
}

fn served(name: &str, cached: &'static str) -> Response {
    let Some(file) = Assets::get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cached)];
    (headers, file.data.into_owned()).into_response()
}
