//! Photos in an S3-compatible store: a small one of our own, which keeps what is put in memory.

mod harness;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use harness::{Home, Server};

/// What of S3 is used: objects put, got and looked at, by requests that are signed with the right key's name.
#[derive(Clone, Default)]
struct Store {
    objects: Arc<Mutex<BTreeMap<String, Bytes>>>,
    broken: Arc<AtomicBool>,
    full: Arc<AtomicBool>,
}

impl Store {
    fn start() -> (Self, SocketAddr) {
        let store = Self::default();
        let router = Router::new().fallback(answer).with_state(store.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(async {
                    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                    axum::serve(listener, router).await.unwrap();
                });
        });
        (store, address)
    }

    fn names(&self) -> Vec<String> {
        self.objects.lock().unwrap().keys().cloned().collect()
    }
}

async fn answer(
    State(store): State<Store>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = headers
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=the-key/"));
    if !signed || store.broken.load(Ordering::Relaxed) {
        return StatusCode::FORBIDDEN.into_response();
    }
    if store.full.load(Ordering::Relaxed) && method == Method::PUT {
        return StatusCode::INSUFFICIENT_STORAGE.into_response();
    }
    let name = uri.path().to_owned();
    let mut objects = store.objects.lock().unwrap();
    let headers = |length: usize| {
        [
            ("etag", "\"1\"".to_owned()),
            ("last-modified", "Mon, 02 Nov 2026 08:00:00 GMT".to_owned()),
            ("content-length", length.to_string()),
        ]
    };
    match (method, objects.get(&name)) {
        (Method::PUT, _) => {
            objects.insert(name, body);
            headers(0).into_response()
        }
        (Method::GET | Method::HEAD, Some(object)) => (headers(object.len()), object.clone()).into_response(),
        (Method::DELETE, _) => {
            objects.remove(&name);
            StatusCode::NO_CONTENT.into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn serve(home: &Home, store: SocketAddr) -> Server {
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--rate", "0"]);
    command
        .env("WHISTLE_MEDIA", "s3://city/whistle")
        .env("AWS_ENDPOINT_URL", format!("http://{store}"))
        .env("AWS_ALLOW_HTTP", "true")
        .env("AWS_ACCESS_KEY_ID", "the-key")
        .env("AWS_SECRET_ACCESS_KEY", "a secret")
        .env("AWS_REGION", "here");
    Server::of(command)
}

/// Reports with a photo of one dot.
fn report(server: &Server, api_key: &str) -> harness::Answer {
    harness::report_with(server, api_key, &image::RgbImage::new(1, 1))
}

#[test]
fn photos_are_kept_in_a_bucket_and_shown_by_every_process() {
    let (store, address) = Store::start();
    let home = Home::village();
    let api_key = home.key();
    let (one, other) = (serve(&home, address), serve(&home, address));
    let answer = report(&one, &api_key);
    assert!(answer.status < 300, "{answer:#?}");
    let names = store.names();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with("/city/whistle/photos/")),
        "{names:?}"
    );
    let case = &answer.json()[0]["service_request_id"];
    let id = names[0].rsplit('/').next().unwrap().split('.').next().unwrap();
    let photo = other.head(&format!("/cases/{}/photos/{id}", case.as_str().unwrap()));
    assert_eq!(photo, (200, "image/jpeg".to_owned()));
    assert!(!home.data().join("media/photos").exists());

    // A store that refuses makes no case.
    store.broken.store(true, Ordering::Relaxed);
    let refused = report(&one, &api_key);
    assert_eq!(refused.status, 503, "{refused:#?}");
    assert!(refused.retry_after.is_some(), "{refused:#?}");
    assert_eq!(home.cases(), 1);
    store.broken.store(false, Ordering::Relaxed);
    // So does one without room, and says so.
    store.full.store(true, Ordering::Relaxed);
    let full = report(&one, &api_key);
    eprintln!("a bucket without room: {}", full.status);
    assert_eq!(full.status, 507, "{full:#?}");
    assert_eq!(home.cases(), 1);
    store.full.store(false, Ordering::Relaxed);
    assert!(report(&other, &api_key).status < 300);
    one.stop();
    other.stop();
    home.run(&["verify"]).good();
}
