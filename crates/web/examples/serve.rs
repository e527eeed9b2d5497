use std::{net::SocketAddr, path::Path};
use whistle_service::Whistle;
use whistle_web::{App, Settings, router};
fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let folder = std::env::args().nth(2).unwrap();
    let whistle = Whistle::open(Path::new(&dir)).unwrap();
    let _ = whistle.apply(Path::new(&folder)).map_err(|e| println!("{e}"));
    let here = whistle.places().all()[0].clone();
    for post in here.place.posts() {
        let login = post.code.as_str().to_lowercase();
        let _ = whistle.add_user(&here, &login, "correct horse battery", &[post.code.clone()]);
    }
    let all: Vec<_> = here.place.posts().take(3).map(|p| p.code.clone()).collect();
    let _ = whistle.add_user(&here, "many", "correct horse battery", &all);
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let app = App::new(whistle, Settings::default(), None);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:8399").await.unwrap();
        let service = router(app).into_make_service_with_connect_info::<SocketAddr>();
        axum::serve(listener, service).await.unwrap();
    });
}
