//! Temporary: serves the village for schemathesis.
use std::{fs, net::SocketAddr, path::Path};
use whistle_service::Whistle;
use whistle_web::{App, Settings, router};

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let whistle = Whistle::open(dir.path()).unwrap();
    let w = whistle.clone();
    let key = tokio::task::spawn_blocking(move || {
        w.apply(&from).unwrap();
        let places = w.places();
        let here = places.named(None).unwrap();
        w.add_user(here, "desk", "a short sentence", &["CITY-D".parse().unwrap(), "CITY-L".parse().unwrap()]).unwrap();
        w.add_key(here, "schemathesis", None).unwrap()
    })
    .await
    .unwrap();
    fs::write("/tmp/whistle-api-key", &key).unwrap();
    let settings = Settings { rate: 0, ..Settings::default() };
    let app = router(App::new(whistle, settings, None));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8391").await.unwrap();
    println!("key {key}");
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
}
