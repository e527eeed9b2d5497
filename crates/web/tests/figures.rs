//! Pages and API of figures on a small place: who is told what, that a number is its rows, and what is kept back.

use std::path::Path;

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode, header},
};
use jiff::Timestamp;
use serde_json::Value;
use tower::ServiceExt;
use whistle_service::{Here, Site, Whistle, account::SignIn, demo::DemoOptions, open_data::OpenFile};
use whistle_testbed::{Bed, copy_folder};
use whistle_web::{App, Settings, router};

const PASSWORD: &str = "a long enough password";

/// The days of the cases.
const PERIOD: &str = "2026-03-01/2026-05-31";

struct Village {
    router: Router,
    whistle: Whistle,
    here: Here,
    _bed: Bed,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        serde_json::from_slice(&self.bytes).expect("JSON")
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }
}

fn settle(cases: u64) -> (Bed, Whistle) {
    let bed = Bed::new();
    let folder = bed.path().join("village");
    copy_folder(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village"),
        &folder,
    );
    let store = bed.path().join("store");
    std::fs::create_dir_all(&store).expect("a folder");
    let site = Site {
        database_url: bed.database_url().map(str::to_owned),
        ..store.into()
    };
    let whistle = Whistle::open(site).expect("a store");
    whistle.apply(&folder).expect("the village is in force");
    let here = whistle.places().all()[0].clone();
    for (login, post) in [("centre", "CITY-D"), ("water", "WATER-H"), ("patrol", "T100-P")] {
        let post = post.parse().expect("a code");
        whistle
            .add_user(&here, login, PASSWORD, &[post])
            .expect("an account");
    }
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let options = DemoOptions {
        cases,
        seed: 5,
        from: Some(at("2026-03-01T00:00:00Z")),
        to: at("2026-05-31T00:00:00Z"),
    };
    whistle.make_demo(&here, options, |_| {}).expect("cases");
    (bed, whistle)
}

impl Village {
    async fn new(cases: u64) -> Self {
        let village = Self::not_counted(cases).await;
        let whistle = village.whistle.clone();
        let counted = tokio::task::spawn_blocking(move || whistle.follow_facts());
        counted.await.expect("no panic").expect("facts");
        village
    }

    async fn not_counted(cases: u64) -> Self {
        let (bed, whistle) = tokio::task::spawn_blocking(move || settle(cases))
            .await
            .expect("a village");
        let settings = Settings {
            rate: 0,
            ..Settings::default()
        };
        Self {
            router: router(App::new(whistle.clone(), settings, None)),
            here: whistle.places().all()[0].clone(),
            whistle,
            _bed: bed,
        }
    }

    async fn token(&self, login: &str) -> String {
        let signed_in = self
            .whistle
            .sign_in(&self.here, login, PASSWORD.to_owned(), None)
            .await;
        signed_in.and_then(SignIn::done).expect("a session")
    }

    async fn ask(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::get(path).header(header::HOST, "willow.example.org");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::empty()).expect("a request");
        let (parts, body) = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("no error")
            .into_parts();
        Answer {
            status: parts.status,
            headers: parts.headers,
            bytes: axum::body::to_bytes(body, usize::MAX)
                .await
                .expect("a body")
                .to_vec(),
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(path, &[]).await
    }

    /// As JSON for who is signed in.
    async fn api(&self, path: &str, token: &str) -> Answer {
        self.ask(
            &format!("/api/v1{path}"),
            &[("authorization", &format!("Bearer {token}"))],
        )
        .await
    }

    /// A page of the staff.
    async fn page(&self, path: &str, token: &str) -> Answer {
        self.ask(path, &[("cookie", &format!("whistle_session={token}"))])
            .await
    }
}

const PAGES: [&str; 6] = [
    "/figures?period=2026",
    "/figures/areas/230599100?period=2026-Q2",
    "/figures/units/WATER?period=2026-04",
    "/figures/indicators",
    "/figures/indicators/on_time_handling?by=month&period=2026",
    "/figures/indicators/filed?by=hour&period=2026&area=230599100",
];

#[tokio::test(flavor = "multi_thread")]
async fn before_the_facts_are_there_pages_say_so_and_when_to_come_again() {
    let village = Village::not_counted(5).await;
    for path in ["/figures", "/figures/units/WATER", "/figures/indicators/filed"] {
        let answer = village.get(path).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert!(answer.headers.contains_key(header::RETRY_AFTER), "{path}");
        assert!(answer.text().contains("<h1>"), "{path} is a page");
    }
    assert_eq!(
        village.get("/api/v1/indicators/filed").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(
        village.get("/api/v1/indicators").await.status,
        StatusCode::OK,
        "the formulas need no facts"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_whole_in_both_languages_and_is_not_sent_twice() {
    let village = Village::new(120).await;
    for path in PAGES
        .iter()
        .chain(&["/open-data", "/figures?from=2026-03-05&to=2026-03-20"])
    {
        for lang in ["zh", "en"] {
            let accept = [("accept-language", lang)];
            let answer = village.ask(path, &accept).await;
            let text = answer.text();
            assert_eq!(answer.status, StatusCode::OK, "{path}: {text}");
            assert!(
                !text.contains('⟦'),
                "{path} in {lang}: {}",
                &text[text.find('⟦').unwrap_or(0)..][..60]
            );
            let Some(mark) = answer.headers.get(header::ETAG) else {
                continue;
            };
            let mark = mark.to_str().expect("letters").to_owned();
            let again = village.ask(path, &[accept[0], ("if-none-match", &mark)]).await;
            assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{path} in {lang}");
        }
    }
    for wrong in ["/figures?period=tomorrow", "/figures/indicators/filed?by=moon"] {
        assert_eq!(
            village.get(wrong).await.status,
            StatusCode::BAD_REQUEST,
            "{wrong}"
        );
    }
    for unknown in [
        "/figures/areas/nowhere",
        "/figures/units/nobody",
        "/figures/indicators/nothing",
    ] {
        assert_eq!(
            village.get(unknown).await.status,
            StatusCode::NOT_FOUND,
            "{unknown}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_has_its_formula_and_what_it_was_counted_from() {
    let village = Village::new(120).await;
    let path = format!("/api/v1/indicators/on_time_handling?period={PERIOD}&by=area:town&compare=last_year");
    let mut answer = village.get(&path).await.json();
    for changing in ["counted_at", "lag_seconds"] {
        assert!(
            answer
                .as_object_mut()
                .expect("an object")
                .remove(changing)
                .is_some(),
            "{changing}"
        );
    }
    insta::assert_json_snapshot!("answer", answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_see_every_figure_and_the_public_none_of_few_cases() {
    let village = Village::new(60).await;
    let centre = village.token("centre").await;
    let path = format!("/indicators/filed?period={PERIOD}&by=day");
    let all = village.api(&path, &centre).await.json();
    assert_eq!(all["masks"], false);
    let whole = all["whole"]["now"]["numerator"].as_u64().expect("a number");
    let days = all["items"].as_array().expect("items");
    let sum: u64 = days
        .iter()
        .filter_map(|day| day["now"]["numerator"].as_u64())
        .sum();
    assert_eq!((whole, sum), (60, 60));
    let public = village.get(&format!("/api/v1{path}")).await.json();
    assert_eq!(public["masks"], true);
    for day in public["items"].as_array().expect("items") {
        let shown = day["now"]["numerator"].as_u64();
        assert!(shown.is_none_or(|n| n == 0 || n >= 5), "{day}");
        assert_eq!(day["now"]["masked"], shown.is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_everybodys_is_told_to_nobody_by_its_name() {
    let village = Village::new(120).await;
    let centre = village.token("centre").await;
    let path = format!("/indicators/filed?period={PERIOD}&by=service");
    let keys = |answer: &Value| -> Vec<String> {
        let items = answer["items"].as_array().expect("items").iter();
        items
            .filter_map(|item| item["key"].as_str().map(str::to_owned))
            .collect()
    };
    assert!(
        keys(&village.api(&path, &centre).await.json()).contains(&"RD-SIGN".to_owned()),
        "the demo has some"
    );
    let public = keys(&village.get(&format!("/api/v1{path}")).await.json());
    assert!(
        !public.contains(&"RD-SIGN".to_owned()) && public.contains(&"-".to_owned()),
        "{public:?}"
    );
    let named = format!("/api/v1/indicators/filed?period={PERIOD}&service=RD-SIGN");
    assert_eq!(village.get(&named).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_its_rows_for_who_may_see_them() {
    let village = Village::new(120).await;
    let (centre, water, patrol) = (
        village.token("centre").await,
        village.token("water").await,
        village.token("patrol").await,
    );
    for (code, more) in [
        ("filed", ""),
        ("on_time_handling", "&by=unit"),
        ("not_closed", "&by=area:town"),
    ] {
        let figure = village
            .api(&format!("/indicators/{code}?period={PERIOD}{more}"), &centre)
            .await
            .json();
        let rows = format!("/indicators/{code}/rows?period={PERIOD}{more}");
        let of = |figure: &Value, part: &str| figure["now"][part].as_u64().expect("a number");
        for item in figure["items"]
            .as_array()
            .expect("items")
            .iter()
            .chain([&figure["whole"]])
        {
            let key = item["key"]
                .as_str()
                .map(|key| format!("&key={key}"))
                .unwrap_or_default();
            for part in ["numerator", "denominator"] {
                let listed = village
                    .api(&format!("{rows}{key}&part={part}"), &centre)
                    .await
                    .json();
                assert_eq!(
                    listed["rows"].as_u64(),
                    Some(of(item, part)),
                    "{code} {key} {part}"
                );
                assert_eq!(listed["hidden"], 0);
            }
        }
    }
    let all = format!("/indicators/filed/rows?period={PERIOD}");
    assert_eq!(
        village.get(&format!("/api/v1{all}")).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        village.api(&all, &water).await.status,
        StatusCode::FORBIDDEN,
        "the place is not the unit's"
    );
    assert_eq!(
        village.api(&all, &patrol).await.status,
        StatusCode::FORBIDDEN,
        "nor the town's"
    );
    let own = village.api(&format!("{all}&unit=WATER"), &water).await.json();
    assert!(own["total"].as_u64().is_some_and(|total| total > 0), "{own}");
    let town = village
        .api(&format!("{all}&area=230599100"), &patrol)
        .await
        .json();
    assert!(town["total"].as_u64().is_some_and(|total| total > 0), "{town}");
    assert_eq!(
        village
            .api(&format!("{all}&area=230599101"), &patrol)
            .await
            .status,
        StatusCode::FORBIDDEN
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_files_that_programs_open() {
    let village = Village::new(60).await;
    let centre = village.token("centre").await;
    let file = async |format: &str| {
        let path = format!("/indicators/filed/rows?period={PERIOD}&format={format}");
        let answer = village.api(&path, &centre).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let named = answer.headers[header::CONTENT_DISPOSITION]
            .to_str()
            .expect("letters");
        assert_eq!(named, format!("attachment; filename=\"filed.{format}\""));
        answer.bytes
    };
    let csv = String::from_utf8(file("csv").await).expect("text");
    assert_eq!(csv.lines().count(), 61, "a head and a line for each");
    let head = csv.lines().next().expect("a head");
    assert!(head.starts_with("service_request_id,"), "{head}");
    assert!(head.split(',').all(|column| column != "description"), "{head}");
    assert!(file("xlsx").await.starts_with(b"PK"));
    let parquet = file("parquet").await;
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_the_staff_opens_the_rows_of_each_number() {
    let village = Village::new(120).await;
    for (login, may) in [("centre", true), ("water", true), ("patrol", true)] {
        let token = village.token(login).await;
        let answer = village.page("/staff/figures?period=2026", &token).await;
        let text = answer.text();
        assert_eq!(answer.status, StatusCode::OK, "{login}: {text}");
        assert!(!text.contains('⟦'), "{login}");
        let links: Vec<String> = text
            .split("href=\"")
            .filter(|rest| rest.starts_with("/staff/figures/"))
            .filter_map(|rest| rest.split('"').next())
            .map(|link| link.replace("&#38;", "&").replace("&amp;", "&"))
            .collect();
        assert_eq!(!links.is_empty(), may, "{login}");
        for link in links.iter().step_by(links.len().div_ceil(12)) {
            let rows = village.page(link, &token).await;
            assert_eq!(rows.status, StatusCode::OK, "{login} {link}: {}", rows.text());
            assert!(!rows.text().contains('⟦'), "{login} {link}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn open_data_is_made_for_who_asks_and_has_nobodys_words() {
    let village = Village::new(60).await;
    let first = village.get("/open-data/cases.csv").await;
    assert_eq!(
        first.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "it is not there yet"
    );
    assert!(first.headers.contains_key(header::RETRY_AFTER));
    let (whistle, here) = (village.whistle.clone(), village.here.clone());
    let made = tokio::task::spawn_blocking(move || whistle.make_open_data(&here));
    made.await.expect("no panic").expect("files");
    for file in OpenFile::ALL {
        let answer = village.get(&format!("/open-data/{}", file.name())).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", file.name());
        assert!(!answer.bytes.is_empty());
    }
    let cases = village.get("/open-data/cases.csv").await.text();
    let head = cases.lines().next().expect("a head");
    for none in ["description", "status_notes", "address"] {
        assert!(head.split(',').all(|column| column != none), "{head}");
    }
    assert!(!cases.contains("RD-SIGN"), "what is not public is not in it");
    let indicators = village.get("/open-data/indicators.csv").await.text();
    assert!(indicators.contains("\r\nfiled,1,"), "{indicators}");
}
