//! Style sheet, pictures and scripts of the pages, in the binary, under addresses that carry the hash of their content.
//!
//! What is written by hand is in `assets/`. What is built from `front/` (see its README) has the hash in its names already, and
//! stands beside compressed copies of itself. It may be missing: a program that was built without it has pages without a map.

use std::{
    collections::{BTreeMap, HashMap},
    fmt::Write,
    sync::LazyLock,
};

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::Embed;
use serde::Deserialize;

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

#[derive(Embed)]
#[folder = "../../front/dist/"]
#[allow_missing = true]
struct Built;

/// How much of the hash an address carries: 40 bits.
const HASH_BYTES: usize = 5;

/// What stands in place of the hash in addresses of what was built.
const FRONT: &str = "front";

/// The list that the build leaves: which file came of which source.
const MANIFEST: &str = ".vite/manifest.json";

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

static ENTRIES: LazyLock<BTreeMap<String, Entry>> = LazyLock::new(|| {
    let Some(file) = Built::get(MANIFEST) else {
        tracing::warn!(
            "this program was built without front/, so /map is a list and /report one long form; run `make front` and build again"
        );
        return BTreeMap::new();
    };
    serde_json::from_slice(&file.data).unwrap_or_else(|error| {
        tracing::error!(%error, "the list of what front/ was built to cannot be read; run `make front` and build again");
        BTreeMap::new()
    })
});

/// A line of the build's list.
#[derive(Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    css: Vec<String>,
    #[serde(default)]
    imports: Vec<String>,
    #[serde(default, rename = "dynamicImports")]
    later: Vec<String>,
}

/// What a page must load for a script.
pub(crate) struct Front {
    /// The script.
    pub(crate) script: String,
    /// Its style sheets.
    pub(crate) styles: Vec<String>,
    /// Scripts that it imports, at once or soon: a browser may get them beside it.
    pub(crate) imports: Vec<String>,
}

fn built(name: &str) -> String {
    format!("/assets/{FRONT}/{name}")
}

/// What came of a source of `front/`, with what it loads later, which a browser gets beside it; none when this program was
/// built without.
pub(crate) fn front(source: &str) -> Option<Front> {
    needs(source, true)
}

/// The same without what it may load later and perhaps never does.
pub(crate) fn front_at_first(source: &str) -> Option<Front> {
    needs(source, false)
}

fn needs(source: &str, with_later: bool) -> Option<Front> {
    let entry = ENTRIES.get(source)?;
    let mut names = Vec::new();
    for name in &entry.imports {
        import(name, &mut names);
    }
    for name in entry.later.iter().filter(|_| with_later) {
        import(name, &mut names);
    }
    let imports: Vec<&Entry> = names.iter().filter_map(|name| ENTRIES.get(*name)).collect();
    // Those of libraries first, so that the page's own rules come after them.
    let styles = imports.iter().copied().chain([entry]);
    Some(Front {
        script: built(&entry.file),
        styles: styles.flat_map(|one| &one.css).map(|name| built(name)).collect(),
        imports: imports.iter().map(|import| built(&import.file)).collect(),
    })
}

/// Adds what a file imports, and then the file, each once.
fn import<'e>(name: &'e str, names: &mut Vec<&'e str>) {
    if names.contains(&name) {
        return;
    }
    let Some(entry) = ENTRIES.get(name) else { return };
    // Before its own imports, so that two files that import each other come to an end.
    names.push(name);
    let at = names.len() - 1;
    for inner in &entry.imports {
        import(inner, names);
    }
    names[at..].rotate_left(1);
}

/// What is under an address with a hash never changes.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

/// The text of a script that was built from `front/` and is served under an address of its own.
pub(crate) fn front_text(name: &str) -> Option<String> {
    let file = Built::get(name)?;
    String::from_utf8(file.data.into_owned()).ok()
}

/// The address of an asset.
pub(crate) fn address(name: &str) -> &'static str {
    ADDRESSES.get(name).map_or("/assets/", String::as_str)
}

/// An asset. A hash of another version is no such page: what is kept for a year must be what it says.
pub(crate) async fn asset(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    if hash == FRONT {
        return of_front(&name, &headers).unwrap_or_else(|| StatusCode::NOT_FOUND.into_response());
    }
    let known = ADDRESSES
        .get(&name)
        .is_some_and(|a| *a == format!("/assets/{hash}/{name}"));
    if known {
        served(&name, FOR_GOOD)
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
    (headers_of(name, cached), file.data.into_owned()).into_response()
}

/// A built file: the smallest copy that the asker can read.
fn of_front(name: &str, headers: &HeaderMap) -> Option<Response> {
    // Copies are found by the name of what they are of.
    let is_copy = matches!(name.rsplit_once('.'), Some((_, "br" | "gz")));
    if is_copy || name.starts_with('.') {
        return None;
    }
    let accepted = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok());
    let takes = |coding: &str| {
        let all = accepted.unwrap_or_default().split(',');
        all.map(|one| one.split_once(';').unwrap_or((one, "")))
            .any(|(one, quality)| one.trim() == coding && !matches!(quality.trim(), "q=0" | "q=0.0"))
    };
    let copy = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .filter(|(coding, _)| takes(coding))
        .find_map(|(coding, end)| Some((coding, Built::get(&format!("{name}{end}"))?)));
    let (coding, file) = match copy {
        Some((coding, file)) => (Some(coding), file),
        None => (None, Built::get(name)?),
    };
    let mut answer = (headers_of(name, FOR_GOOD), file.data.into_owned()).into_response();
    let headers = answer.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(answer)
}

fn headers_of(name: &str, cached: &'static str) -> [(header::HeaderName, &'static str); 2] {
    let kind = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("css") => "text/css; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    };
    [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cached)]
}
