//! Open311 GeoReport v2, line by line of `reference/open311_checklist.md`, over the whole frame, in both formats.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use jiff::Timestamp;
use quick_xml::{Reader, events::Event};
use serde_json::{Value, json};
use tower::ServiceExt;
use whistle_domain::{case::Outcome, command::Act, rights::Scope, words::CaseNumber};
use whistle_service::{Here, Site, Whistle, account::actor_of, time};
use whistle_testbed::{Bed, copy_folder};
use whistle_web::{App, Settings, router};

const VILLAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../place/tests/folders/village");

/// Inside the village 东岸村, cell 2.
const HERE: &str = "lat=46.205&long=131.805";

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

const MULTIPART: &str = "multipart/form-data; boundary=XX";

const NONE: [&str; 0] = [];

struct Clock(Arc<AtomicI64>);

impl time::Clock for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// A city in a temporary directory, with its own time.
struct City {
    faces: Router,
    whistle: Whistle,
    here: Here,
    key: String,
    now: Arc<AtomicI64>,
    dir: Bed,
}

/// An answer as it came.
struct Got {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json; charset=utf-8");
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    fn xml(&self) -> Element {
        const DECLARATION: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        assert_eq!(self.headers["content-type"], "text/xml; charset=utf-8");
        assert!(self.text.starts_with(DECLARATION), "{}", self.text);
        Element::parse(&self.text)
    }

    fn id(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.text);
        self.json()[0]["service_request_id"].as_str().unwrap().to_owned()
    }

    fn has(&self, status: u16, faults_told: usize) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(faults(&self.json()).len(), faults_told, "{}", self.text);
    }
}

/// An element of an answer, read back by an independent parser.
#[derive(Debug, Default)]
struct Element {
    name: String,
    children: Vec<Element>,
    text: String,
}

impl Element {
    fn parse(text: &str) -> Self {
        let named = |name: &[u8]| Self {
            name: String::from_utf8(name.to_vec()).unwrap(),
            ..Self::default()
        };
        let mut reader = Reader::from_str(text);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    assert_eq!(start.attributes().count(), 0, "no attributes, no namespace");
                    open.push(named(start.name().as_ref().as_ref()));
                }
                Event::Empty(start) => {
                    let empty = named(start.name().as_ref().as_ref());
                    open.last_mut().unwrap().children.push(empty);
                }
                Event::End(_) => {
                    let done = open.pop().unwrap();
                    open.last_mut().unwrap().children.push(done);
                }
                Event::Text(text) => {
                    open.last_mut().unwrap().text.push_str(&text);
                }
                Event::GeneralRef(name) => {
                    let letter = match &*name {
                        "amp" => '&',
                        "lt" => '<',
                        "gt" => '>',
                        "quot" => '"',
                        "apos" => '\'',
                        other => panic!("&{other};"),
                    };
                    open.last_mut().unwrap().text.push(letter);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let mut document = open.pop().unwrap();
        assert!(open.is_empty() && document.children.len() == 1, "one root");
        document.children.pop().unwrap()
    }

    /// Whether this says what the JSON says, by the Spark rule.
    fn says(&self, json: &Value) {
        match json {
            Value::Null => assert!(self.children.is_empty() && self.text.is_empty(), "{self:?}"),
            Value::String(text) => assert_eq!(self.text, *text, "{}", self.name),
            Value::Bool(bool) => assert_eq!(self.text, bool.to_string(), "{}", self.name),
            Value::Number(number) => {
                let read: f64 = self.text.parse().unwrap();
                assert!((read - number.as_f64().unwrap()).abs() < 1e-12, "{}", self.name);
            }
            Value::Array(items) => {
                assert_eq!(self.children.len(), items.len(), "{}", self.name);
                assert!(self.children.windows(2).all(|two| two[0].name == two[1].name));
                for (child, item) in self.children.iter().zip(items) {
                    child.says(item);
                }
            }
            Value::Object(fields) => {
                let names: Vec<_> = self.children.iter().map(|c| c.name.as_str()).collect();
                assert_eq!(names, fields.keys().collect::<Vec<_>>(), "{}", self.name);
                for (child, value) in self.children.iter().zip(fields.values()) {
                    child.says(value);
                }
            }
        }
    }
}

impl City {
    async fn new() -> Self {
        Self::with("", Settings::default()).await
    }

    /// A city whose settings have more lines.
    async fn with(more: &str, settings: Settings) -> Self {
        let (dir, more) = (Bed::new(), more.to_owned());
        let now = Arc::new(AtomicI64::new(0));
        let clock = Clock(now.clone());
        let folder = dir.path().join("village");
        let site = Site {
            database_url: dir.database_url().map(str::to_owned),
            ..dir.path().join("data").into()
        };
        let made = tokio::task::spawn_blocking(move || {
            copy_folder(Path::new(VILLAGE), &folder);
            let file = folder.join("jurisdiction.toml");
            // No chance in what is verified by whom.
            let text = std::fs::read_to_string(&file).unwrap();
            let text = text.replace("recheck_share = 0.2", "recheck_share = 0");
            std::fs::write(&file, text + &more).unwrap();
            let start: Timestamp = "2026-05-08T02:20:00.250Z".parse().unwrap();
            clock.0.store(start.as_microsecond(), Ordering::SeqCst);
            let chance = time::Chance::from_seed(7);
            let whistle = Whistle::open_with(site, Box::new(clock), chance).unwrap();
            whistle.apply(&folder).unwrap();
            let here = whistle.places().all()[0].clone();
            let key = whistle.add_key(&here, "partner", &Scope::ALL, None).unwrap();
            (whistle, here, key)
        });
        let (whistle, here, key) = made.await.unwrap();
        let settings = Settings {
            base_url: Some("https://willow.example.org".to_owned()),
            ..settings
        };
        Self {
            faces: router(App::new(whistle.clone(), settings, None)),
            whistle,
            here,
            key,
            now,
            dir,
        }
    }

    fn pass(&self, minutes: i64) {
        self.now.fetch_add(minutes * 60_000_000, Ordering::SeqCst);
    }

    /// Changes a file of the place folder and applies it.
    async fn reapply(&self, file: &str, changes: &[(&str, &str)]) {
        let (whistle, folder) = (self.whistle.clone(), self.dir.path().join("village"));
        let file = folder.join(file);
        let mut text = std::fs::read_to_string(&file).unwrap();
        for (from, to) in changes {
            text = text.replace(from, to);
        }
        std::fs::write(&file, text).unwrap();
        let applied = tokio::task::spawn_blocking(move || whistle.apply(&folder).map(drop));
        applied.await.unwrap().unwrap();
    }

    async fn send(&self, request: Request<Body>) -> Got {
        let answer = self.faces.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        Got {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    async fn get(&self, path: &str) -> Got {
        let request = Request::get(format!("/open311{path}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    /// Asks for a resource in both formats, which must say the same. `{}` stands for the ending.
    async fn both(&self, path: &str) -> Value {
        self.answered(path, 200).await
    }

    async fn answered(&self, path: &str, status: u16) -> Value {
        let json = self.get(&path.replacen("{}", "json", 1)).await;
        let xml = self.get(&path.replacen("{}", "xml", 1)).await;
        let statuses = (json.status.as_u16(), xml.status.as_u16());
        assert_eq!(statuses, (status, status), "{path:.100}: {}", json.text);
        let value = json.json();
        xml.xml().says(&value);
        value
    }

    /// The descriptions of what is wrong, alike in both formats.
    async fn faults(&self, path: &str, status: u16) -> Vec<String> {
        faults(&self.answered(path, status).await)
    }

    async fn ids(&self, query: &str) -> Vec<String> {
        let requests = self.both(&format!("/v2/requests.{{}}?{query}")).await;
        let requests = requests.as_array().unwrap().iter();
        requests
            .map(|r| r["service_request_id"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn post(&self, path: &str, form: &str) -> Got {
        self.post_as(path, FORM, form.as_bytes().to_vec(), &[]).await
    }

    async fn post_as(&self, path: &str, kind: &str, body: Vec<u8>, headers: &[(&str, &str)]) -> Got {
        let mut request = Request::post(format!("/open311{path}")).header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body)).unwrap()).await
    }

    /// Posts a report; answers its id.
    async fn report(&self, form: &str) -> String {
        self.post("/v2/requests.json", form).await.id()
    }

    /// Reports a hole in the road; answers its id.
    async fn hole(&self, more: &str) -> String {
        let form = format!("service_code=RD-HOLE&{HERE}&description=hole&{more}");
        self.report(&form).await
    }

    async fn act(&self, id: &str, post: &str, act: Act, text: &str) {
        let post = self.here.place.post(post).unwrap();
        let by = actor_of(post, 1 + i64::from(post.unit.as_str() == "CITY"));
        let done = self
            .whistle
            .act(&self.here, id.parse().unwrap(), None, act, text.to_owned(), by);
        done.await.unwrap_or_else(|e| panic!("{e}"));
    }

    /// Takes a hole to its end.
    async fn mend(&self, id: &str, text: &str) {
        self.act(id, "ROADS-H", Act::ReportIn, "").await;
        let outcome = Outcome::Resolved;
        self.act(id, "ROADS-H", Act::Handle { outcome }, text).await;
        let number: CaseNumber = id.parse().unwrap();
        let case = self.whistle.case(&self.here, number).await.unwrap();
        if case.state.is_open() {
            self.act(id, "CITY-D", Act::Verify, "").await;
        }
    }
}

fn faults(errors: &Value) -> Vec<String> {
    let told = errors.as_array().unwrap().iter().map(|error| {
        let fields: Vec<_> = error.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["code", "description"]);
        let (code, description) = (error["code"].as_str(), error["description"].as_str());
        format!("{} {}", code.unwrap(), description.unwrap())
    });
    told.collect()
}

/// The smallest picture there is: PNG, one dot.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x00, 0x00, 0x0D, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xDE, 0x00,
    0x00, 0x00, 0x0C, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9C, 0x63, 0x10, 0x50, 0x30, 0x00, 0x00, 0x00, 0xA4,
    0x00, 0x61, 0x34, 0x66, 0x7D, 0x72, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60,
    0x82,
];

#[tokio::test]
async fn what_cannot_be_read_is_told_with_what_would_be_right() {
    let city = City::new().await;
    let form = |lat: &str, long: &str| format!("service_code=RD-HOLE&lat={lat}&long={long}&description=x");
    let is_told = |got: &Got, status: u16, says: &str| {
        assert_eq!(got.status, status, "{}", got.text);
        let description = got.json()[0]["description"].as_str().unwrap().to_owned();
        assert!(description.contains(says), "{description}");
    };
    for (lat, long, zh, en) in [
        (
            "1e308",
            "131.8",
            "lat：1e308 超出 -90 到 90",
            "lat: 1e308 is outside -90 to 90",
        ),
        (
            "46.2",
            "-200",
            "long：-200.0 超出 -180 到 180",
            "long: -200.0 is outside -180 to 180",
        ),
        (
            "131.8",
            "46.2",
            "应为 lat=46.2、long=131.8",
            "write lat=46.2, long=131.8",
        ),
        (
            "NaN",
            "131.8",
            "lat：\"NaN\" 不是数字",
            "lat: \"NaN\" is no number",
        ),
        (
            "46.2",
            "",
            "lat 和 long 须同时提供",
            "lat and long belong together",
        ),
    ] {
        for (locale, says) in [("zh", zh), ("en", en)] {
            let form = form(lat, long) + "&locale=" + locale;
            is_told(&city.post("/v2/requests.json", &form).await, 400, says);
        }
    }
    for (locale, no_count, too_large) in [
        ("zh", "不是从 1 起的整数", "不计文件，最多 128 KiB"),
        (
            "en",
            "no whole number from 1 on",
            "without files it has at most 128 KiB",
        ),
    ] {
        let path = format!("/v2/requests.{{}}?page_size=-1&locale={locale}");
        let told = city.faults(&path, 400).await;
        assert!(told[0].contains(no_count), "{told:?}");
        let long = form("46.2", "131.8") + "&x=" + &"x".repeat(1 << 20);
        let path = format!("/v2/requests.json?locale={locale}");
        is_told(&city.post(&path, &long).await, 413, too_large);
    }
    let fields = [("service_code", "RD-HOLE"), ("lat", "46.2"), ("long", "131.8")];
    for (file, zh, en) in [
        (
            &b"Dear city"[..],
            "这个文件不是可以读取的图片",
            "photo: this is no picture that can be read; send JPEG, PNG or WebP",
        ),
        (
            &PNG[..PNG.len() / 2],
            "照片已损坏或没有传完整",
            "photo: it is damaged or did not arrive whole; send it again",
        ),
    ] {
        for (locale, says) in [("zh", zh), ("en", en)] {
            let body = multipart(&fields, ("media", file));
            let path = format!("/v2/requests.json?locale={locale}");
            is_told(&city.post_as(&path, MULTIPART, body, &[]).await, 400, says);
        }
    }
}

#[tokio::test]
async fn of_two_keys_that_differ_none_is_taken() {
    let city = City::new().await;
    let form = |key: &str| format!("service_code=RD-HOLE&{HERE}&description=hole&api_key={key}");
    let post = async |key: &str, language: &str| {
        let form = form(key).into_bytes();
        let headers = [("X-Api-Key", city.key.as_str()), ("Accept-Language", language)];
        city.post_as("/v2/requests.json", FORM, form, &headers).await
    };
    for (language, says) in [
        ("zh", "收到两个不同的 api_key"),
        ("en", "two different api_keys were sent"),
    ] {
        let got = post("wrong", language).await;
        got.has(403, 1);
        assert!(got.text.contains(says), "{}", got.text);
    }
    assert_eq!(post(&city.key, "en").await.status, 200);
}

/// A multipart body of fields and one file.
fn multipart(fields: &[(&str, &str)], file: (&str, &[u8])) -> Vec<u8> {
    let mut body = Vec::new();
    let part = "--XX\r\nContent-Disposition: form-data; name=";
    for (name, value) in fields {
        body.extend(format!("{part}\"{name}\"\r\n\r\n{value}\r\n").bytes());
    }
    let (name, bytes) = file;
    body.extend(format!("{part}\"{name}\"; filename=\"a.png\"\r\n").bytes());
    body.extend(b"Content-Type: image/png\r\n\r\n");
    body.extend(bytes);
    body.extend(b"\r\n--XX--\r\n");
    body
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

#[tokio::test]
async fn discovery_names_the_endpoint_and_its_changeset_moves_with_the_place() {
    let city = City::new().await;
    let before = city.both("/discovery.{}").await;
    insta::assert_snapshot!("discovery.json", pretty(&before));
    insta::assert_snapshot!("discovery.xml", city.get("/discovery.xml").await.text);
    let listing = city.get("").await.text;
    assert!(listing.contains("https://willow.example.org/open311/v2/services.xml"));
    city.pass(60);
    city.reapply("services.csv", &[("Pothole", "Hole")]).await;
    let after = city.both("/discovery.{}").await;
    assert!(after["changeset"].as_str() > before["changeset"].as_str());
    assert_eq!(after["changeset"], after["endpoints"][0]["changeset"]);
}

#[tokio::test]
async fn services_are_the_public_ones_with_group_and_keywords() {
    let city = City::new().await;
    let services = city.both("/v2/services.{}").await;
    insta::assert_snapshot!("services.json", pretty(&services));
    insta::assert_snapshot!("services.xml", city.get("/v2/services.xml").await.text);
    assert!(!services.to_string().contains("RD-SIGN"), "for staff only");
    let english = city.both("/v2/services.{}?locale=en&extensions=true").await;
    assert_eq!(english[2]["service_name"], "Pothole");
    assert_eq!(english[2]["groups"], json!(["Roads"]));
    assert_eq!(services[0].get("groups"), None, "extensions are asked for");
    let there = city.both(&format!("/v2/services.{{}}?{HERE}")).await;
    assert_eq!(there, services, "all are led there");
    assert_eq!(city.both("/v2/services.{}?lat=1&long=1").await, json!([]));
    let unsaid = city.both("/v2/services.{}?lat=&long=").await;
    assert_eq!(unsaid, services, "empty is absent");
    assert_eq!(city.faults("/v2/services.{}?lat=46", 400).await.len(), 1);
}

#[tokio::test]
async fn a_definition_says_what_a_service_asks() {
    let city = City::new().await;
    let definition = city.both("/v2/services/WAT-LEAK.{}").await;
    insta::assert_snapshot!("definition.json", pretty(&definition));
    let xml = city.get("/v2/services/WAT-LEAK.xml").await.text;
    insta::assert_snapshot!("definition.xml", xml);
    let none = city.both("/v2/services/WAT-DRAIN.{}").await;
    assert_eq!(none, json!({"service_code": "WAT-DRAIN", "attributes": []}));
    for code in ["NONE", "RD-SIGN", "RD", "%FF", "a%2Fb", "."] {
        let faults = city.faults(&format!("/v2/services/{code}.{{}}"), 404).await;
        assert!(faults[0].starts_with("404 "), "{faults:?}");
    }
}

#[tokio::test]
async fn a_report_is_answered_with_its_id_and_read_back_with_every_field() {
    let city = City::new().await;
    let form = format!(
        "service_code=WAT-LEAK&{HERE}&address_string=%E4%B8%9C%E5%B2%B8%E6%9D%91+7%E5%8F%B7\
         &description=%E6%BC%8F%E6%B0%B4&attribute[size]=stream&attribute[since]=2026-05-08T01:00:00Z\
         &email=li@mail.example&first_name=Lei&last_name=Mustermann&phone=13812345678&device_id=gadget\
         &account_id=membership&jurisdiction_id=willow-brook"
    );
    let got = city.post("/v2/requests.xml", &form).await;
    got.xml();
    insta::assert_snapshot!("posted.xml", got.text);
    let again = city
        .post("/v2/requests.json", &format!("{form}&extensions=true"))
        .await;
    assert_eq!(again.id(), "2");
    let code = again.json()[0]["pickup_code"].as_str().unwrap().to_owned();
    assert_eq!(code.len(), 11);
    city.pass(5);
    let one = city.both("/v2/requests/1.{}").await;
    insta::assert_snapshot!("request.json", pretty(&one));
    insta::assert_snapshot!("request.xml", city.get("/v2/requests/1.xml").await.text);
    let extended = city.both("/v2/requests/1.{}?extensions=true&locale=en").await;
    insta::assert_snapshot!("request_extended.json", pretty(&extended));
    let xml = city
        .get("/v2/requests/1.xml?extensions=true&locale=en")
        .await
        .text;
    insta::assert_snapshot!("request_extended.xml", xml);
    let kept = city.whistle.case(&city.here, CaseNumber(2)).await.unwrap();
    let all = city.get("/v2/requests.json?extensions=true").await.text;
    for private in [
        "mail.example",
        "Lei",
        "Mustermann",
        "13812345678",
        "gadget",
        "membership",
        &code,
    ] {
        assert!(!all.contains(private), "{private}");
        assert!(!format!("{kept:?}").contains(private), "{private}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_report_is_said_at_once() {
    let city = City::new().await;
    let path = "/v2/requests.json";
    city.post(path, "description=x&attribute[size]=")
        .await
        .has(400, 2);
    let got = city
        .post("/v2/requests.xml", "service_code=WAT-LEAK&lat=&long=")
        .await;
    insta::assert_snapshot!("faults.xml", got.text);
    city.post(path, "service_code=WAT-LEAK&lat=&long=")
        .await
        .has(400, 2);
    let long = "長".repeat(4001);
    for (form, status) in [
        (format!("service_code=NONE&{HERE}"), 404),
        (format!("service_code=RD-SIGN&{HERE}&description=private"), 404),
        (format!("service_code=RD&{HERE}&description=group"), 404),
        (
            format!("service_code=RD-HOLE&{HERE}&jurisdiction_id=elsewhere"),
            404,
        ),
        ("service_code=RD-HOLE&lat=46.205".to_owned(), 400),
        ("service_code=RD-HOLE&lat=x&long=y".to_owned(), 400),
        ("service_code=RD-HOLE&lat=NaN&long=inf".to_owned(), 400),
        ("service_code=RD-HOLE&lat=131.805&long=46.205".to_owned(), 400),
        ("service_code=RD-HOLE&lat=0&long=0".to_owned(), 400),
        ("service_code=RD-HOLE&address_id=NONE".to_owned(), 400),
        (format!("service_code=RD-HOLE&{HERE}&description={long}"), 400),
        (format!("service_code=RD-HOLE&{HERE}&attribute[depth]=deep"), 400),
        (format!("service_code=RD-HOLE&{HERE}&attribute[none]=1"), 400),
        (format!("service_code=WAT-LEAK&{HERE}&attribute[size]=none"), 400),
        (format!("service_code=RD-HOLE&{HERE}&email=nobody"), 400),
        (format!("service_code=RD-HOLE&{HERE}&media_url=file:///x"), 400),
        (format!("service_code=RD-HOLE&{HERE}&api_key=wrong"), 403),
    ] {
        let json = city.post(path, &form).await;
        json.has(status, 1);
        let xml = city.post("/v2/requests.xml", &form).await;
        assert_eq!(xml.status, json.status);
        assert_eq!(xml.xml().name, "errors");
        xml.xml().says(&json.json());
    }
    let fits = "长".repeat(4000);
    city.report(&format!("service_code=RD-HOLE&{HERE}&description={fits}"))
        .await;
}

#[tokio::test]
async fn one_location_is_enough_and_so_is_a_service_without_words() {
    let city = City::new().await;
    for (location, area) in [
        (HERE, "230599100200002"),
        ("address_string=%E7%9F%B3%E6%A1%A5%E6%9D%91", "230599101202"),
        ("address_id=230599100201", "230599100201"),
    ] {
        let id = city.report(&format!("service_code=RD-HOLE&{location}")).await;
        let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
        assert_eq!(one[0]["address_id"], area);
        assert_eq!(one[0]["description"], "路面坑洞", "the service's name");
        assert_eq!(one[0]["zipcode"], Value::Null);
    }
}

#[tokio::test]
async fn the_key_is_needed_where_the_place_says_so() {
    let city = City::with("anonymous_reports = false\n", Settings::default()).await;
    let form = format!("service_code=RD-HOLE&{HERE}&description=x");
    let (path, key) = ("/v2/requests.json", city.key.clone());
    for bad in ["", "&api_key=", "&api_key=wrong"] {
        city.post(path, &format!("{form}{bad}")).await.has(403, 1);
    }
    city.report(&format!("{form}&api_key={key}")).await;
    city.post(&format!("{path}?api_key={key}"), &form).await.id();
    let header = [("x-api-key", key.as_str())];
    city.post_as(path, FORM, form.into_bytes(), &header).await.id();
    assert_eq!(city.ids("").await.len(), 3, "reading needs none");
}

#[tokio::test]
async fn a_list_is_filtered_by_service_status_time_and_id() {
    let city = City::new().await;
    let hole = city.hole("").await;
    city.pass(60);
    let drain = format!("service_code=WAT-DRAIN&{HERE}&description=drain");
    let drain = city.report(&drain).await;
    city.pass(60);
    let second = city.hole("").await;
    city.mend(&hole, "patched").await;
    let (hole, drain, second) = (hole.as_str(), drain.as_str(), second.as_str());
    for (query, found) in [
        ("", &[second, drain, hole][..]),
        ("service_code=&status=&start_date=&page=", &[second, drain, hole]),
        ("status=open,closed", &[second, drain, hole]),
        ("status=open&status=closed", &[second, drain, hole]),
        ("status=closed", &[hole]),
        ("status=OPEN", &[second, drain]),
        ("service_code=WAT-DRAIN,RD-HOLE", &[second, drain, hole]),
        (
            "service_code=WAT-DRAIN&service_code=RD-HOLE",
            &[second, drain, hole],
        ),
        ("service_code=WAT-DRAIN", &[drain]),
        ("service_code=RD&status=open", &[second]),
        ("end_date=2026-05-08T02:20:00Z", &[hole]),
        ("end_date=2026-05-08T10:20:00%2B08:00", &[hole]),
        ("end_date=2026-05-08T10:20:00+08:00", &[hole]),
        (
            "start_date=2026-05-08T02:20:01Z&end_date=2026-05-08T03:20:00Z",
            &[drain],
        ),
        (
            "start_date=2026-05-08&end_date=2026-05-08",
            &[second, drain, hole],
        ),
        ("end_date=2026-05-07", &[]),
        ("service_request_id=99", &[]),
    ] {
        assert_eq!(city.ids(query).await, found, "{query}");
    }
    let ids = format!("service_request_id={hole},{second}&service_request_id=99,x");
    assert_eq!(city.ids(&ids).await, [second, hole]);
    let overriding = format!("{ids}&status=nonsense&service_code=NONE&page=9&end_date=1999-01-01");
    assert_eq!(city.ids(&overriding).await, [second, hole]);
    let empty = city.get("/v2/requests.xml?end_date=1999-01-01").await.text;
    assert!(empty.ends_with("?><service_requests/>"), "{empty}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_the_asked_format() {
    let city = City::new().await;
    for (query, status) in [
        ("status=reopened", 400),
        ("start_date=yesterday", 400),
        ("end_date=2026-13-01T00:00:00Z", 400),
        ("page=0", 400),
        ("page=-1", 400),
        ("page_size=many", 400),
        ("bbox=1,2,3", 400),
        ("bbox=131.9,46,131.8,47", 400),
        ("lat=46", 400),
        ("lat=46&long=131&radius=-5", 400),
        ("service_code=NONE", 404),
        ("service_code=RD-SIGN", 404),
        ("jurisdiction_id=elsewhere", 404),
    ] {
        city.faults(&format!("/v2/requests.{{}}?{query}"), status).await;
    }
    let several = "/v2/requests.{}?status=x&bbox=y&service_code=NONE";
    assert_eq!(city.faults(several, 404).await.len(), 3);
    for path in [
        "/v2/requests/99.{}",
        "/v2/requests/x.{}",
        "/v2/requests/0.{}",
        "/v2/tokens/99.{}",
        "/v2/none.{}",
    ] {
        city.faults(path, 404).await;
    }
    for path in [
        "/v2/requests.csv",
        "/v2/requests",
        "/v2/requests/1.csv",
        "/v2/requests/1",
        "/discovery",
        "/v1/x",
    ] {
        let got = city.get(path).await;
        assert_eq!(got.status, 404, "{path}");
        assert_eq!(got.xml().name, "errors", "{path}");
    }
    let got = city.post("/v2/services.json", "").await;
    got.has(405, 1);
    assert!(got.headers.contains_key("allow"));
}

#[tokio::test]
async fn a_search_spans_ninety_days_at_most() {
    let city = City::new().await;
    let first = city.hole("").await;
    city.pass(89 * 24 * 60);
    let second = city.hole("").await;
    assert_eq!(city.ids("").await, [second.as_str(), &first]);
    city.pass(2 * 24 * 60);
    for (query, found) in [
        ("", vec![&second]),
        ("start_date=2026-05-01", vec![&first]),
        ("start_date=2026-05-01&end_date=2027-05-01", vec![&first]),
        ("end_date=2026-08-06T02:00:00Z", vec![&second, &first]),
        ("updated_after=2026-05-01", vec![&first, &second]),
    ] {
        assert_eq!(city.ids(query).await.iter().collect::<Vec<_>>(), found, "{query}");
    }
}

#[tokio::test]
async fn pages_begin_at_one_and_end_empty() {
    let city = City::new().await;
    let mut all = Vec::new();
    for _ in 0..7 {
        all.push(city.hole("").await);
        city.pass(1);
    }
    all.reverse();
    assert_eq!(city.ids("page=1&page_size=3").await, all[..3]);
    assert_eq!(city.ids("page=3&page_size=3").await, all[6..], "jumped to");
    assert_eq!(city.ids("page=2&page_size=3").await, all[3..6], "walked to");
    assert_eq!(city.ids("page=3&page_size=3").await, all[6..], "walked to");
    for past in ["4", "400", "9000000", "999999999999999999"] {
        let query = format!("page={past}&page_size=3");
        assert_eq!(city.ids(&query).await, NONE, "{past}");
    }
    assert_eq!(city.ids("").await, all);
    assert_eq!(city.ids("page=2").await, NONE, "50 on a page");
    assert_eq!(city.ids("page_size=2").await, all[..2]);
    assert_eq!(city.ids("page_size=100000").await, all);
    let boxed = "page=2&page_size=3&bbox=131.8,46.2,131.81,46.22";
    assert_eq!(city.ids(boxed).await, all[3..6]);
    let newer = city.hole("").await;
    assert_eq!(city.ids("page=1&page_size=3").await[0], newer);
    assert_eq!(city.ids("page=2&page_size=3").await, all[2..5], "after it");
}

#[tokio::test]
async fn changes_are_followed_by_update_time_and_places_by_box_and_circle() {
    let city = City::new().await;
    let (first, second) = (city.hole("").await, city.hole("").await);
    let far = "service_code=RD-HOLE&lat=46.215&long=131.835&description=far";
    let far = city.report(far).await;
    city.pass(60);
    city.act(&first, "ROADS-H", Act::ReportIn, "").await;
    let (first, second, far) = (first.as_str(), second.as_str(), far.as_str());
    for (query, found) in [
        ("updated_after=2026-05-08T03:00:00Z", &[first][..]),
        ("updated_before=2026-05-08T03:00:00Z", &[second, far]),
        ("bbox=131.83,46.21,131.84,46.22", &[far]),
        ("lat=46.215&long=131.835&radius=100", &[far]),
        ("lat=46.2051&long=131.805&radius=100", &[second, first]),
        ("lat=46.207&long=131.805&radius=100", &[]),
        ("lat=46.207&long=131.805", &[second, first]),
    ] {
        assert_eq!(city.ids(query).await, found, "{query}");
    }
}

#[tokio::test]
async fn a_closed_case_shows_its_closing_time_and_a_reopen_request_keeps_it_closed() {
    let city = City::new().await;
    let id = city.hole("").await;
    city.pass(30);
    city.mend(&id, "Patched, call 13812345678").await;
    city.pass(30);
    let act = Act::Comment { public: true };
    city.act(&id, "ROADS-H", act, "dry now").await;
    let path = format!("/v2/requests/{id}.{{}}?extensions=true");
    let one = &city.both(&path).await[0];
    assert_eq!(one["status"], "closed");
    assert_eq!(one["status_notes"], "Patched, call •••");
    assert_eq!(one["updated_datetime"], "2026-05-08T10:50:00+08:00");
    assert_eq!(one["agency_responsible"], "公路局");
    assert_eq!(one["extended_attributes"]["detailed_status"], "ARCHIVED");
    assert_eq!(one["extended_attributes"]["outcome"], "resolved");
    city.act(&id, "CITY-D", Act::RequestReopen, "sunk again").await;
    assert_eq!(city.both(&path).await[0]["status"], "closed");
    city.act(&id, "CITY-D", Act::Reopen, "look again").await;
    let one = &city.both(&path).await[0];
    assert_eq!(one["status"], "open");
    assert_eq!(one["extended_attributes"]["detailed_status"], "IN_PROCESS");
    assert_eq!(one["updated_datetime"], "2026-05-08T11:20:00+08:00");
}

#[tokio::test]
async fn a_duplicate_names_its_original_only_while_that_is_public() {
    let city = City::new().await;
    let original = city
        .report("service_code=RD-HOLE&address_id=230599&description=a")
        .await;
    let twin = city
        .report("service_code=RD-HOLE&address_id=230599&description=b")
        .await;
    let into: CaseNumber = original.parse().unwrap();
    city.act(&twin, "CITY-D", Act::Merge { into }, "").await;
    let path = format!("/v2/requests/{twin}.{{}}?extensions=true");
    let one = city.both(&path).await[0]["extended_attributes"].clone();
    assert_eq!(one["parent_service_request_id"], original);
    assert_eq!(one["detailed_status"], "REJECTED");
    let act = Act::Show { public: false };
    city.act(&original, "CITY-D", act, "private").await;
    let one = city.both(&path).await[0]["extended_attributes"].clone();
    assert_eq!(one["parent_service_request_id"], Value::Null);
}

#[tokio::test]
async fn hidden_cases_are_nowhere() {
    let city = City::new().await;
    let (hidden, shown) = (city.hole("").await, city.hole("").await);
    let act = Act::Show { public: false };
    city.act(&hidden, "CITY-D", act, "about a person").await;
    assert_eq!(city.ids("").await, [shown.as_str()]);
    let ids = format!("service_request_id={hidden},{shown}");
    assert_eq!(city.ids(&ids).await, [shown.as_str()]);
    city.faults(&format!("/v2/requests/{hidden}.{{}}"), 404).await;
    city.faults(&format!("/v2/tokens/{hidden}.{{}}"), 404).await;
    let updates = city.both("/v2/servicerequestupdates.{}").await.to_string();
    assert!(!updates.contains(&format!("\"{hidden}\"")), "{updates}");
    let form = format!("api_key={}&service_request_id={hidden}&description=x", city.key);
    city.post("/v2/servicerequestupdates.json", &form)
        .await
        .has(404, 1);
}

#[tokio::test]
async fn a_token_is_the_number_of_its_case() {
    let city = City::new().await;
    let id = city.hole("").await;
    let got = city.both(&format!("/v2/tokens/{id}.{{}}")).await;
    assert_eq!(got, json!([{"service_request_id": id, "token": id}]));
    let xml = city.get(&format!("/v2/tokens/{id}.xml")).await.xml();
    assert_eq!(xml.name, "service_requests");
    assert_eq!(xml.children[0].name, "request");
}

#[tokio::test]
async fn any_text_comes_back_alike_in_both_formats() {
    let city = City::new().await;
    for (sent, read) in [
        (
            "三江路 15 号：<b>积水</b> & \"漏\" 'x' ]]>",
            "三江路 15 号：<b>积水</b> & \"漏\" 'x' ]]>",
        ),
        ("one\r\ntwo\nthree\rfour\tfive", "one\ntwo\nthree\nfour\tfive"),
        ("a\u{0}b\u{8}c\u{1b}[31m\u{fffe}\u{ffff}d", "abc[31md"),
        ("🚰 \u{202e}x\u{e000}\u{85}y", "🚰 \u{202e}x\u{e000}\u{85}y"),
        ("&amp; &#65; &bogus;", "&amp; &#65; &bogus;"),
        ("{\"json\": [1]} \\u0041", "{\"json\": [1]} \\u0041"),
    ] {
        let encoded: String = form_urlencoded::byte_serialize(sent.as_bytes()).collect();
        let form = format!("service_code=RD-HOLE&{HERE}&description={encoded}");
        let id = city.report(&form).await;
        let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
        assert_eq!(one[0]["description"], read, "{sent:?}");
    }
}

#[tokio::test]
async fn broken_and_huge_input_is_borne() {
    let city = City::new().await;
    let path = "/v2/requests.json";
    for form in [
        "%",
        "%zz=%f",
        "&&&===",
        "\u{0}",
        "attribute[=x&attribute[]=y&attribute]=z",
        "service_code=%FF%FE",
    ] {
        let got = city.post(path, form).await;
        assert!(got.status.is_client_error(), "{form}");
        faults(&got.json());
    }
    let id = city.hole("address_string=100%+sure+%E4").await;
    let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
    assert_eq!(one[0]["address"], "100% sure \u{fffd}");
    city.post(path, &"x=1&".repeat(100_000)).await.has(413, 1);
    let many = vec!["RD-HOLE"; 2000].join(",");
    assert_eq!(city.ids(&format!("service_code={many}")).await.len(), 1);
    let ids: Vec<_> = (1..=1001).map(|n| n.to_string()).collect();
    let ids = format!("/v2/requests.{{}}?service_request_id={}", ids.join(","));
    city.faults(&ids, 400).await;
    let status = "x".repeat(50_000);
    let told = city
        .faults(&format!("/v2/requests.{{}}?status={status}"), 400)
        .await;
    assert!(told[0].len() < 200);
    let json = "application/json";
    city.post_as(path, json, b"{}".to_vec(), &[]).await.has(400, 1);
    let unbound = "multipart/form-data";
    city.post_as(path, unbound, b"x".to_vec(), &[]).await.has(400, 1);
    let rubbish = b"--XX\r\nrubbish".to_vec();
    city.post_as(path, MULTIPART, rubbish, &[]).await.has(400, 1);
}

#[tokio::test]
async fn photos_come_as_any_file_part_and_media_url_stays_text() {
    let city = City::new().await;
    let fields = [
        ("service_code", "RD-HOLE"),
        ("lat", "46.205"),
        ("long", "131.805"),
        ("description", "坑"),
    ];
    let post = async |file| {
        let body = multipart(&fields, file);
        city.post_as("/v2/requests.json", MULTIPART, body, &[]).await
    };
    for name in ["media", "media[]", "photo1", "file_0"] {
        let id = post((name, PNG)).await.id();
        let one = city
            .both(&format!("/v2/requests/{id}.{{}}?extensions=true"))
            .await;
        let url = one[0]["media_url"].as_str().unwrap();
        let ours = format!("https://willow.example.org/cases/{id}/photos/");
        assert!(url.starts_with(&ours), "{url}");
        assert_eq!(one[0]["extended_attributes"]["media_urls"], json!([url]));
    }
    post(("media", b"no picture")).await.has(400, 1);
    let id = post(("media", b"")).await.id();
    let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
    assert_eq!(one[0]["media_url"], Value::Null);
    let id = city.hole("media_url=https://photos.example.org/a.jpg").await;
    let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
    assert_eq!(one[0]["description"], "hole\nhttps://photos.example.org/a.jpg");
    assert_eq!(
        one[0]["media_url"],
        Value::Null,
        "nothing foreign is shown as ours"
    );
}

#[tokio::test]
async fn a_retry_makes_no_second_case() {
    let city = City::new().await;
    let form = format!("service_code=RD-HOLE&{HERE}&description=once");
    let header = [("idempotency-key", "k-1")];
    for _ in 0..3 {
        let form = form.clone().into_bytes();
        let got = city.post_as("/v2/requests.json", FORM, form, &header).await;
        assert_eq!(got.id(), "1");
    }
    let other = format!("{form}&email=a@example.org").into_bytes();
    let got = city.post_as("/v2/requests.json", FORM, other, &header).await;
    got.has(400, 1);
    assert_eq!(city.ids("").await.len(), 1);
}

#[tokio::test]
async fn updates_tell_what_happened_in_open_and_closed_with_finer_words() {
    let city = City::new().await;
    let id = city.hole("").await;
    city.pass(30);
    city.mend(&id, "Patched").await;
    city.pass(30);
    city.act(&id, "CITY-D", Act::RequestReopen, "inner reason").await;
    let act = Act::Comment { public: false };
    city.act(&id, "CITY-D", act, "inner word").await;
    let resource = "/v2/servicerequestupdates.{}?start_date=2026-05-08T0";
    let path = format!("{resource}2:00:00Z&end_date=2026-05-08T04:00:00Z");
    let updates = city.both(&path).await;
    insta::assert_snapshot!("updates.json", pretty(&updates));
    let xml = city.get(&path.replace("{}", "xml")).await.text;
    insta::assert_snapshot!("updates.xml", xml);
    assert!(!updates.to_string().contains("inner"));
    let between = format!("{resource}3:00:00Z&end_date=2026-05-08T03:10:00Z");
    assert_eq!(city.both(&between).await, json!([]));
    let mut walked = Vec::new();
    for page in 1..10 {
        let page = city.both(&format!("{path}&page={page}&page_size=1")).await;
        let Some(update) = page.as_array().unwrap().first() else {
            break;
        };
        walked.push(update.clone());
    }
    assert_eq!(Value::Array(walked), updates);
    assert_eq!(city.both(&format!("{path}&page=99")).await, json!([]));
    city.faults("/v2/servicerequestupdates.{}?start_date=x", 400)
        .await;
}

#[tokio::test]
async fn a_partner_may_remark_once_but_not_close() {
    let city = City::new().await;
    let id = city.hole("").await;
    let path = "/v2/servicerequestupdates.json";
    let form = format!(
        "service_request_id={id}&update_id=501&status=FIXED&updated_datetime=2026-05-08T10:00:00Z\
         &description=done+%3Cb%3E&first_name=Lei&email=li@example.org&phone=13812345678&title=Mr"
    );
    city.post(path, &form).await.has(403, 1);
    let keyed = format!("{form}&api_key={}", city.key);
    let got = city.post(path, &keyed).await;
    assert_eq!(got.status, 200, "{}", got.text);
    let update = got.json()[0]["update_id"].as_str().unwrap().to_owned();
    let again = city.post(path, &keyed).await;
    assert_eq!(again.json()[0]["update_id"], update, "the same, once");
    let xml = city.post("/v2/servicerequestupdates.xml", &keyed).await;
    insta::assert_snapshot!("update_posted.xml", xml.text);
    let one = city.both(&format!("/v2/requests/{id}.{{}}")).await;
    assert_eq!(one[0]["status"], "open", "a client closes nothing");
    let updates = city.both("/v2/servicerequestupdates.{}").await;
    let mut said = updates.as_array().unwrap().iter();
    let said = said.find(|u| u["update_id"] == update).unwrap();
    assert_eq!(said["description"], "done <b>\n对方系统状态：fixed");
    assert_eq!(said["status"], "open");
    assert_eq!(said["external_status_code"], "unchanged");
    let log = city.whistle.case_and_log(&city.here, id.parse().unwrap()).await;
    assert!(!format!("{log:?}").contains("Lei"), "who wrote is not kept");
    for (form, status) in [
        ("description=x".to_owned(), 400),
        (format!("service_request_id={id}"), 400),
        (format!("service_request_id={id}&status=SOLVED"), 400),
        ("service_request_id=99&description=x".to_owned(), 404),
        ("service_request_id=x&description=x".to_owned(), 404),
        (
            format!("service_request_id={id}&update_id=501&description=other"),
            400,
        ),
    ] {
        let form = format!("{form}&api_key={}", city.key);
        city.post(path, &form).await.has(status, 1);
    }
    let fields = [
        ("service_request_id", id.as_str()),
        ("api_key", &city.key),
        ("status", "OPEN"),
    ];
    let body = multipart(&fields, ("media", PNG));
    let got = city.post_as(path, MULTIPART, body, &[]).await;
    assert_eq!(got.status, 200, "{}", got.text);
    let updates = city.both("/v2/servicerequestupdates.{}").await;
    let mut updates = updates.as_array().unwrap().iter();
    assert!(updates.any(|u| u["media_url"].is_string()));
}

#[tokio::test]
async fn any_site_may_read_and_none_may_write() {
    const ORIGIN: &str = "access-control-allow-origin";
    let city = City::new().await;
    for path in [
        "/discovery.json",
        "/v2/services.xml",
        "/v2/requests.json",
        "/v2/requests/99.json",
        "/v2/none.xml",
    ] {
        assert_eq!(city.get(path).await.headers[ORIGIN], "*", "{path}");
    }
    let form = format!("service_code=RD-HOLE&{HERE}&description=x");
    for form in [form.as_str(), ""] {
        let got = city.post("/v2/requests.json", form).await;
        assert!(!got.headers.contains_key(ORIGIN));
    }
    let ask = async |method| {
        let request = Request::options("/open311/v2/requests.json")
            .header("origin", "https://else.example")
            .header("access-control-request-method", method);
        city.send(request.body(Body::empty()).unwrap()).await
    };
    let got = ask("GET").await;
    assert_eq!(got.status, 204);
    assert_eq!(got.headers[ORIGIN], "*");
    assert!(!ask("POST").await.headers.contains_key(ORIGIN));
}

#[tokio::test]
async fn refusals_of_the_frame_keep_the_asked_format_and_language() {
    let crowded = Settings {
        concurrency: 0,
        ..Settings::default()
    };
    let city = City::with("", crowded).await;
    let json = city.get("/v2/requests.json").await;
    json.has(503, 1);
    assert!(json.headers.contains_key("retry-after"));
    city.get("/v2/requests.xml").await.xml().says(&json.json());
    assert_eq!(faults(&json.json()), ["503 服务繁忙，请稍后再试"]);
    let told = city.faults("/v2/requests.{}?locale=en", 503).await;
    assert_eq!(told, ["503 the service is busy; try again soon"]);
    let narrow = Settings {
        max_body: 2000,
        ..Settings::default()
    };
    let city = City::with("", narrow).await;
    let long = "x".repeat(3000);
    city.post("/v2/requests.json", &long).await.has(413, 1);
    let body = multipart(&[("description", &long)], ("media", PNG));
    let got = city.post_as("/v2/requests.json", MULTIPART, body, &[]).await;
    got.has(413, 1);
}

#[tokio::test]
async fn where_several_places_are_served_one_must_be_named() {
    let city = City::new().await;
    let other = [
        ("willow-brook", "oak-hill"),
        ("willow.example.org", "oak.example.org"),
    ];
    city.reapply("jurisdiction.toml", &other).await;
    city.faults("/v2/services.{}", 400).await;
    city.faults("/v2/services.{}?jurisdiction_id=", 400).await;
    city.faults("/v2/services.{}?jurisdiction_id=elm", 404).await;
    city.both("/v2/services.{}?jurisdiction_id=oak-hill").await;
    city.both("/discovery.{}").await;
    let id = city.hole("jurisdiction_id=oak-hill").await;
    assert_eq!(city.ids("jurisdiction_id=oak-hill").await, [id.as_str()]);
    assert_eq!(city.ids("jurisdiction_id=willow-brook").await, NONE);
}
