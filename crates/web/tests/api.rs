//! `/api/v1` from outside: every route for everybody, and what must never happen.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::Path,
};

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode},
};
use serde_json::{Value, json};
use tower::ServiceExt;
use whistle_domain::rights::Scope;
use whistle_service::{
    Site, Whistle,
    notices::{Courier, Outgoing, Outlet},
};
use whistle_testbed::{Bed, copy_folder, post::MailServer};
use whistle_web::{App, Settings, router};

/// Who asks, by name of column.
const EVERYBODY: [&str; 9] = [
    "anyone",
    "key",
    "patrol",
    "call_taker",
    "dispatcher",
    "water",
    "roads",
    "auditor",
    "administrator",
];

/// Login, post, and the line of those posts that the village lacks.
const POSTS: [(&str, &str, &str); 7] = [
    ("patrol", "T100-P", ""),
    (
        "call_taker",
        "CITY-C",
        "CITY-C,接线员,,Call Taker,CITY,,call_taker",
    ),
    ("dispatcher", "CITY-D", ""),
    ("water", "WATER-H", ""),
    ("roads", "ROADS-H", ""),
    (
        "auditor",
        "T100-A",
        "T100-A,审计员,,Auditor,T100,230599100,auditor",
    ),
    ("administrator", "CITY-L", ""),
];

const PASSWORD: &str = "a short sentence";

/// A served village with an account for each role.
struct Village {
    router: Router,
    /// The header with which each asks.
    headers: HashMap<&'static str, (&'static str, String)>,
    whistle: Whistle,
    dir: Bed,
}

/// An answer, read.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    json: Value,
}

impl Village {
    async fn new() -> Self {
        let (dir, whistle, key) = tokio::task::spawn_blocking(settle).await.expect("a village");
        let settings = Settings {
            rate: 0,
            ..Settings::default()
        };
        let mut village = Self {
            router: router(App::new(whistle.clone(), settings, None)),
            headers: HashMap::from([("key", ("X-Api-Key", key))]),
            whistle,
            dir,
        };
        for (who, ..) in POSTS {
            let body = json!({"login": who, "password": PASSWORD});
            let answer = village.post("/sessions", "anyone", body).await;
            assert_eq!(answer.status, 201, "{who}: {}", answer.json);
            let token = answer.json["token"].as_str().expect("a token");
            let bearer = format!("Bearer {token}");
            village.headers.insert(who, ("Authorization", bearer));
        }
        village
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.expect("no error");
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        Answer {
            status: parts.status,
            headers: parts.headers,
            json: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        }
    }

    fn request(&self, method: &str, path: &str, who: &str) -> axum::http::request::Builder {
        let request = Request::builder()
            .method(Method::from_bytes(method.as_bytes()).expect("a method"))
            .uri(format!("/api/v1{path}"));
        match self.headers.get(who) {
            Some((name, value)) => request.header(*name, value),
            None => request,
        }
    }

    async fn ask(&self, method: &str, path: &str, who: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path, who);
        let request = match body {
            Some(body) => request
                .header("Content-Type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }

    async fn get(&self, path: &str, who: &str) -> Answer {
        self.ask("GET", path, who, None).await
    }

    async fn post(&self, path: &str, who: &str, body: Value) -> Answer {
        self.ask("POST", path, who, Some(&body)).await
    }

    /// The same with one header more, by anyone.
    async fn post_with(&self, path: &str, who: &str, header: (&str, &str), body: Value) -> Answer {
        let request = self
            .request("POST", path, who)
            .header("Content-Type", "application/json")
            .header(header.0, header.1)
            .body(Body::from(body.to_string()));
        self.send(request.expect("a request")).await
    }

    /// Sends bytes of a media type.
    async fn raw(&self, path: &str, media_type: Option<&str>, body: Vec<u8>) -> Answer {
        let mut request = self.request("POST", path, "anyone");
        if let Some(media_type) = media_type {
            request = request.header("Content-Type", media_type);
        }
        self.send(request.body(Body::from(body)).expect("a request"))
            .await
    }

    /// Files a report; the case's number and the pick-up code.
    async fn report(&self, who: &str, body: Value) -> (i64, String) {
        let answer = self.post("/reports", who, body).await;
        assert_eq!(answer.status, 201, "{}", answer.json);
        let code = answer.json["code"].as_str().expect("a code").to_owned();
        (answer.json["number"].as_i64().expect("a number"), code)
    }

    /// Does something to a case as it is now.
    async fn act(&self, number: i64, who: &str, mut act: Value) -> Answer {
        let case = self.get(&format!("/cases/{number}"), who).await;
        act["seen"] = case.json["version"].clone();
        self.post(&format!("/cases/{number}/acts"), who, act).await
    }
}

/// A picture of one pixel, PNG.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00,
    0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01,
    0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60,
    0x82,
];

/// Applies the village, with the posts it lacks, and adds the accounts and a key.
fn settle() -> (Bed, Whistle, String) {
    let dir = Bed::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let folder = dir.path().join("village");
    copy_folder(&from, &folder);
    let posts = folder.join("posts.csv");
    let mut text = fs::read_to_string(&posts).expect("the posts");
    for (_, _, line) in POSTS.iter().filter(|(_, _, line)| !line.is_empty()) {
        text.push_str(line);
        text.push('\n');
    }
    fs::write(&posts, text).expect("the posts");

    let store = dir.path().join("store");
    fs::create_dir_all(&store).expect("a folder");
    let site = Site {
        database_url: dir.database_url().map(str::to_owned),
        ..store.into()
    };
    let whistle = Whistle::open(site).expect("a store");
    whistle.apply(&folder).expect("the village is in force");
    let places = whistle.places();
    let here = places.named(None).expect("one place");
    for (login, post, _) in POSTS {
        let posts = [post.parse().expect("a code")];
        whistle
            .add_user(here, login, PASSWORD, &posts)
            .expect("an account");
    }
    let key = whistle.add_key(here, "a test", &Scope::ALL, None).expect("a key");
    (dir, whistle, key)
}

fn leak() -> Value {
    json!({
        "service": "WAT-LEAK",
        "point": {"lon": 131.805, "lat": 46.205},
        "address": "East Bank 15",
        "description": "Water comes up; call me at 0469-123 4567",
        "answers": [{"question": "size", "values": ["stream"]}],
        "contact": {"name": "Wang", "email": "wang@example.org"}
    })
}

/// The id under which a case shows a photo, from what its sender got for it.
fn shown(ticket: &Value) -> &str {
    let (id, _tag) = ticket.as_str().and_then(|t| t.split_once('-')).expect("a ticket");
    id
}

/// One shape, whatever went wrong.
#[track_caller]
fn assert_error(answer: &Answer, status: u16, code: &str, field: Option<&str>) {
    let error = &answer.json["error"];
    assert_eq!(answer.status, status, "{}", answer.json);
    assert_eq!(error["code"], code, "{}", answer.json);
    assert_eq!(error["field"].as_str(), field, "{}", answer.json);
    assert!(
        error["message"].as_str().is_some_and(|m| m.len() > 8),
        "{}",
        answer.json
    );
    let id = answer.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    assert_eq!(error["request_id"].as_str(), id);
    assert_eq!(answer.headers["content-type"], "application/json");
}

fn items(answer: &Answer) -> &Vec<Value> {
    answer.json["items"].as_array().expect("items")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everybody_as_the_table_says() {
    let village = Village::new().await;
    let photo = village.raw("/photos", Some("image/png"), PIXEL.into()).await.json["id"].clone();
    let mut body = leak();
    body["photos"] = json!([photo]);
    body["photos_public"] = json!(true);
    // One case is public, in the town of patrol and auditor, and led by the water department.
    let (open, _) = village.report("anyone", body).await;
    // The other is for staff only, in the other town, and led by the roads department.
    let sign = json!({"service": "RD-SIGN", "area": "230599101", "description": "bent"});
    let (inner, _) = village.report("call_taker", sign).await;
    for (number, unit) in [(open, "WATER"), (inner, "ROADS")] {
        for act in [json!({"verb": "accept"}), json!({"verb": "assign", "unit": unit})] {
            let done = village.act(number, "dispatcher", act).await;
            assert_eq!(done.status, 200, "{}", done.json);
        }
    }

    let whistle = village.whistle.clone();
    let counted = tokio::task::spawn_blocking(move || whistle.follow_facts());
    counted.await.expect("no panic").expect("facts");

    let photo = shown(&photo);
    let new = json!({"service": "RD-HOLE", "area": "230599100", "description": "a hole",
        "answers": [{"question": "depth", "values": ["12"]}]});
    let join = json!({"text": "me too"});
    let stale = json!({"verb": "comment", "text": "so", "seen": 99});
    let whistle =
        json!({"kind": "URGENT", "cases": [open], "units": ["WATER"], "lead": "WATER", "matter": "now"});
    let blown = village.post("/whistles", "patrol", whistle.clone()).await;
    assert_eq!(
        (blown.status.as_u16(), &blown.json["number"]),
        (201, &json!(1)),
        "{}",
        blown.json
    );
    let stale_leave = json!({"verb": "leave", "seen": 99});
    let post = json!({"post": "T100-P"});
    let sign_in = json!({"login": "patrol", "password": "not the password"});
    //                                anyone key patrol call_taker dispatcher water roads auditor administrator
    let nowhere = [401, 403, 404, 404, 404, 404, 404, 404, 404];
    let look = json!({});
    let staff = [401, 403, 200, 200, 200, 200, 200, 200, 200];
    let of_inner = [404, 404, 404, 200, 200, 404, 200, 404, 200];
    let none: Option<&Value> = None;
    let table = [
        ("GET", "/openapi.json", String::new(), none, [200; 9]),
        ("GET", "/place", String::new(), none, [200; 9]),
        ("GET", "/privacy", String::new(), none, [200; 9]),
        ("GET", "/areas", String::new(), none, [200; 9]),
        (
            "GET",
            "/areas/at",
            "?lon=131.805&lat=46.205".into(),
            none,
            [200; 9],
        ),
        (
            "GET",
            "/areas/{code}",
            "/areas/230599100".to_owned(),
            none,
            [200; 9],
        ),
        ("GET", "/units", String::new(), none, [200; 9]),
        ("GET", "/services", String::new(), none, [200; 9]),
        ("GET", "/standards", String::new(), none, [200; 9]),
        ("GET", "/transitions", String::new(), none, [200; 9]),
        ("GET", "/counts", String::new(), none, [200; 9]),
        ("GET", "/whistle-kinds", String::new(), none, [200; 9]),
        ("GET", "/whistles", String::new(), none, staff),
        ("GET", "/whistles", "?called=true&over=true".into(), none, staff),
        (
            "POST",
            "/whistles",
            String::new(),
            Some(&whistle),
            [401, 403, 201, 403, 201, 403, 403, 403, 201],
        ),
        (
            "GET",
            "/whistles/{number}",
            "/whistles/1".to_owned(),
            none,
            [401, 403, 200, 200, 200, 200, 404, 200, 200],
        ),
        (
            "GET",
            "/whistles/{number}/events",
            "/whistles/1/events".to_owned(),
            none,
            [401, 403, 200, 200, 200, 200, 404, 200, 200],
        ),
        (
            "POST",
            "/whistles/{number}/acts",
            "/whistles/1/acts".to_owned(),
            Some(&stale_leave),
            [401, 403, 409, 409, 409, 409, 404, 409, 409],
        ),
        ("GET", "/cases", String::new(), none, [200; 9]),
        ("GET", "/cases", "?view=staff".into(), none, staff),
        (
            "GET",
            "/reports/near",
            "?service=WAT-LEAK&lon=131.805&lat=46.205".into(),
            none,
            [200; 9],
        ),
        (
            "POST",
            "/reports",
            String::new(),
            Some(&new),
            [201, 201, 201, 201, 201, 201, 201, 403, 201],
        ),
        (
            "POST",
            "/photos",
            String::new(),
            none,
            [415, 415, 415, 415, 415, 415, 415, 403, 415],
        ),
        ("GET", "/cases/{number}", format!("/cases/{open}"), none, [200; 9]),
        (
            "GET",
            "/cases/{number}",
            format!("/cases/{open}?view=staff"),
            none,
            [401, 403, 200, 200, 200, 200, 404, 200, 200],
        ),
        (
            "GET",
            "/cases/{number}",
            format!("/cases/{inner}"),
            none,
            of_inner,
        ),
        (
            "GET",
            "/cases/{number}/events",
            format!("/cases/{open}/events"),
            none,
            [200; 9],
        ),
        (
            "GET",
            "/cases/{number}/events",
            format!("/cases/{inner}/events"),
            none,
            of_inner,
        ),
        (
            "GET",
            "/cases/{number}/contacts",
            format!("/cases/{open}/contacts"),
            none,
            [401, 403, 403, 200, 200, 200, 404, 403, 200],
        ),
        (
            "GET",
            "/cases/{number}/own",
            format!("/cases/{open}/own"),
            none,
            [401; 9],
        ),
        (
            "DELETE",
            "/cases/{number}/own",
            format!("/cases/{open}/own"),
            none,
            [401; 9],
        ),
        (
            "PUT",
            "/cases/{number}/own/contact",
            format!("/cases/{open}/own/contact"),
            none,
            [401, 415, 415, 415, 415, 415, 415, 415, 415],
        ),
        (
            "GET",
            "/cases/{number}/photos/{photo}",
            format!("/cases/{open}/photos/{photo}"),
            none,
            [200; 9],
        ),
        (
            "GET",
            "/cases/{number}/photos/{photo}",
            format!("/cases/{inner}/photos/{photo}"),
            none,
            [404; 9],
        ),
        (
            "POST",
            "/cases/{number}/acts",
            format!("/cases/{open}/acts"),
            Some(&stale),
            [401, 409, 409, 409, 409, 409, 404, 409, 409],
        ),
        (
            "POST",
            "/cases/{number}/acts",
            format!("/cases/{inner}/acts"),
            Some(&stale),
            [401, 404, 404, 409, 409, 404, 409, 404, 409],
        ),
        (
            "POST",
            "/cases/{number}/reports",
            format!("/cases/{open}/reports"),
            Some(&join),
            [201, 201, 201, 201, 201, 201, 201, 403, 201],
        ),
        (
            "POST",
            "/cases/{number}/reports",
            format!("/cases/{inner}/reports"),
            Some(&join),
            [404, 404, 404, 201, 201, 404, 201, 404, 201],
        ),
        // The village has no rounds; who sees which one `rights.rs` walks.
        ("GET", "/rounds", String::new(), none, staff),
        ("GET", "/rounds/{code}", "/rounds/UP".to_owned(), none, nowhere),
        (
            "GET",
            "/stops/{code}/looks",
            "/stops/UP-1/looks".to_owned(),
            none,
            nowhere,
        ),
        (
            "POST",
            "/stops/{code}/looks",
            "/stops/UP-1/looks".to_owned(),
            Some(&look),
            nowhere,
        ),
        ("GET", "/indicators", String::new(), none, [200; 9]),
        (
            "GET",
            "/indicators/{code}",
            "/indicators/filed?by=area:town".to_owned(),
            none,
            [200; 9],
        ),
        (
            "GET",
            "/indicators/{code}/rows",
            "/indicators/filed/rows?area=230599100".to_owned(),
            none,
            [401, 403, 200, 200, 200, 403, 403, 200, 200],
        ),
        ("POST", "/sessions", String::new(), Some(&sign_in), [401; 9]),
        ("GET", "/sessions/current", String::new(), none, staff),
        (
            "PUT",
            "/sessions/current/post",
            String::new(),
            Some(&post),
            [401, 403, 200, 404, 404, 404, 404, 404, 404],
        ),
        (
            "DELETE",
            "/sessions/current",
            String::new(),
            none,
            [401, 403, 204, 204, 204, 204, 204, 204, 204],
        ),
        (
            "GET",
            "/sessions/current",
            String::new(),
            none,
            [401, 403, 401, 401, 401, 401, 401, 401, 401],
        ),
    ];
    let mut wrong = Vec::new();
    for (method, template, path, body, statuses) in &table {
        let path = if path.starts_with('/') {
            path.clone()
        } else {
            format!("{template}{path}")
        };
        for (who, status) in EVERYBODY.iter().zip(statuses) {
            let answer = village.ask(method, &path, who, *body).await;
            if answer.status != *status {
                wrong.push(format!(
                    "{method} {path} as {who}: {}, not {status}: {}",
                    answer.status, answer.json
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let document = village.get("/openapi.json", "anyone").await.json;
    let described = operations(&document);
    let described: BTreeSet<_> = described
        .iter()
        .map(|(m, p, _)| (m.to_uppercase(), p.clone()))
        .collect();
    let walked: BTreeSet<_> = table
        .iter()
        .map(|(method, template, ..)| ((*method).to_owned(), (*template).to_owned()))
        .collect();
    assert_eq!(walked, described);
}

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("an item") {
            all.push((method.clone(), path.clone(), operation.clone()));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_is_whole() {
    let village = Village::new().await;
    let document = village.get("/openapi.json", "anyone").await.json;
    assert!(document["openapi"].as_str().is_some_and(|v| v.starts_with("3.1")));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().expect("an id").to_owned();
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(operation["summary"].is_string(), "{id} says nothing");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(responses.keys().any(|s| s.starts_with('2')), "{method} {path}");
        for status in ["400", "404", "429", "500", "503"] {
            let schema = &responses[status]["content"]["application/json"]["schema"];
            assert_eq!(
                schema["$ref"], "#/components/schemas/ErrorAnswer",
                "{id} {status}"
            );
        }
        let mut names = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = parameter["name"].as_str().expect("a name");
            assert!(names.insert(name), "{id} has {name} twice");
            assert!(parameter["description"].is_string(), "{id}: {name}");
        }
        for scheme in operation["security"].as_array().into_iter().flatten() {
            for name in scheme.as_object().expect("a scheme").keys() {
                let defined = &document["components"]["securitySchemes"][name];
                assert!(defined.is_object(), "{name}");
            }
        }
    }
    let mut referred = Vec::new();
    refer(&document, &mut referred);
    assert!(referred.len() > 100);
    for pointer in referred {
        let pointer = pointer.strip_prefix('#').expect("a reference into the document");
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
    let schemas = &document["components"]["schemas"];
    for name in [
        "NewReport",
        "JoinReport",
        "SignIn",
        "PostChoice",
        "NewAnswer",
        "Contact",
        "NewPhoto",
    ] {
        assert_eq!(schemas[name]["additionalProperties"], false, "{name}");
        assert_bounded(schemas, name, &schemas[name]);
    }
    for act in schemas["Act"]["oneOf"].as_array().expect("acts") {
        assert_eq!(act["additionalProperties"], false);
        assert_bounded(schemas, "Act", act);
    }
}

/// Every text and list that comes in has a documented bound.
fn assert_bounded(schemas: &Value, name: &str, schema: &Value) {
    for (field, property) in schema["properties"].as_object().expect("properties") {
        let reference = property["$ref"]
            .as_str()
            .or(property["oneOf"][0]["$ref"].as_str());
        let property = match reference.and_then(|r| r.rsplit('/').next()) {
            Some(other) => &schemas[other],
            None => property,
        };
        let bounded = match property["type"].as_str() {
            Some("string") => ["maxLength", "enum", "format"]
                .iter()
                .any(|b| property[b] != Value::Null),
            Some("array") => property["maxItems"].is_u64(),
            _ => true,
        };
        assert!(bounded, "{name}.{field} has no bound: {property}");
    }
}

fn refer(value: &Value, to: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(pointer)) = fields.get("$ref") {
                to.push(pointer.clone());
            }
            for value in fields.values() {
                refer(value, to);
            }
        }
        Value::Array(items) => {
            for value in items {
                refer(value, to);
            }
        }
        _ => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_with_its_key_makes_no_second_case() {
    let village = Village::new().await;
    let key = ("Idempotency-Key", "k-1");
    let first = village.post_with("/reports", "key", key, leak()).await;
    let again = village.post_with("/reports", "key", key, leak()).await;
    assert_eq!(
        (first.status, again.status),
        (StatusCode::CREATED, StatusCode::CREATED)
    );
    assert_eq!(first.json["number"], again.json["number"]);
    assert_eq!(first.json["code"], again.json["code"]);
    assert_eq!(
        (&first.json["again"], &again.json["again"]),
        (&json!(false), &json!(true))
    );
    let location = format!("/api/v1/cases/{}", first.json["number"]);
    assert_eq!(first.headers["location"], location.as_str());

    let mut other = leak();
    other["description"] = json!("another matter");
    let other = village.post_with("/reports", "key", key, other).await;
    assert_error(&other, 422, "key_reused", Some("Idempotency-Key"));
    // The same key of another sender is another key.
    let another = village.post_with("/reports", "dispatcher", key, leak()).await;
    assert_ne!(another.json["number"], first.json["number"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_act_is_refused_with_what_changed() {
    let village = Village::new().await;
    let (number, code) = village.report("anyone", leak()).await;
    let acts = format!("/cases/{number}/acts");
    let case = village
        .get(&format!("/cases/{number}?lang=en"), "dispatcher")
        .await
        .json;
    assert_eq!(
        (&case["view"], &case["stage"]),
        (&json!("staff"), &json!("reported"))
    );
    let offered: Vec<_> = case["offered"]
        .as_array()
        .expect("verbs")
        .iter()
        .map(|o| &o["verb"])
        .collect();
    assert!(
        offered.contains(&&json!("accept")) && !offered.contains(&&json!("handle")),
        "{offered:?}"
    );
    assert!(
        case["clocks"][0]["explanation"][0]
            .as_str()
            .is_some_and(|s| s.contains("due")),
        "{case}"
    );

    let accept = json!({"verb": "accept", "standard": "WAT-LEAK-1"});
    let unseen = village.post(&acts, "dispatcher", accept.clone()).await;
    assert_error(&unseen, 400, "missing_field", Some("seen"));
    let done = village.act(number, "dispatcher", accept).await;
    assert_eq!(done.json["stage"], "accepted", "{}", done.json);

    let late = json!({"verb": "decline", "text": "no", "seen": case["version"]});
    let late = village.post(&acts, "dispatcher", late).await;
    assert_error(&late, 409, "stale", Some("seen"));
    let error = &late.json["error"];
    assert_eq!(error["version"], done.json["version"]);
    assert_eq!(error["changes"]["view"], "staff");
    assert_eq!(error["changes"]["items"][0]["event"], "accepted");
    assert_eq!(error["changes"]["items"][0]["by"]["post"], "CITY-D");

    // The reporter, by code: no version needed, and only what the table allows.
    let code = ("X-Pickup-Code", code.as_str());
    let wrong = ("X-Pickup-Code", "AAAAA-AAAAA");
    let withdraw = json!({"verb": "withdraw"});
    let refused = village.post_with(&acts, "anyone", wrong, withdraw.clone()).await;
    assert_error(&refused, 401, "wrong_code", Some("X-Pickup-Code"));
    let decline = json!({"verb": "decline", "text": "x"});
    assert_error(
        &village.post_with(&acts, "anyone", code, decline).await,
        403,
        "not_allowed",
        None,
    );
    let withdrawn = village.post_with(&acts, "anyone", code, withdraw).await;
    assert_eq!(withdrawn.json["view"], "reporter", "{}", withdrawn.json);
    assert_eq!(withdrawn.json["outcome"], "withdrawn");
    let again = village.act(number, "dispatcher", json!({"verb": "accept"})).await;
    assert_error(&again, 409, "wrong_stage", None);

    // Another system may say something, and no more.
    let comment = village
        .post(&acts, "key", json!({"verb": "comment", "text": "noted"}))
        .await;
    assert_eq!(
        (comment.status, &comment.json["view"]),
        (StatusCode::OK, &json!("public"))
    );
    let hide = json!({"verb": "show", "public": false, "text": "x"});
    assert_error(&village.post(&acts, "key", hide).await, 403, "not_allowed", None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_report_to_verified_close() {
    let village = Village::new().await;
    let (number, _) = village.report("key", leak()).await;
    let handle = json!({"verb": "handle", "outcome": "resolved", "text": "mended, ask 0469-765 4321"});
    for (who, act, stage) in [
        (
            "call_taker",
            json!({"verb": "accept", "standard": "WAT-LEAK-1"}),
            "accepted",
        ),
        (
            "dispatcher",
            json!({"verb": "assign", "unit": "WATER"}),
            "assigned",
        ),
        ("water", json!({"verb": "report_in"}), "in_progress"),
        ("water", handle, "handled"),
        ("patrol", json!({"verb": "verify"}), "closed"),
    ] {
        let done = village.act(number, who, act).await;
        assert_eq!(done.json["stage"], stage, "{}", done.json);
    }
    let events = village.get(&format!("/cases/{number}/events"), "patrol").await;
    let words: Vec<_> = items(&events).iter().map(|e| e["event"].clone()).collect();
    let told = [
        "reported",
        "accepted",
        "assigned",
        "reported_in",
        "handled",
        "verified",
    ];
    assert_eq!(words, told);
    let case = village.get(&format!("/cases/{number}"), "anyone").await.json;
    assert_eq!(
        (&case["step"], &case["outcome"]),
        (&json!("closed"), &json!("resolved"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_units_a_request_a_question_and_a_split_go_by_the_wire() {
    let village = Village::new().await;
    let (number, _) = village.report("anyone", leak()).await;
    let accept = json!({"verb": "accept", "standard": "WAT-LEAK-2"});
    for (who, act) in [
        ("dispatcher", accept),
        ("dispatcher", json!({"verb": "assign", "unit": "WATER"})),
        ("water", json!({"verb": "sign"})),
        ("water", json!({"verb": "ask_to_extend", "text": "It is deep"})),
        (
            "dispatcher",
            json!({"verb": "assign_joint", "unit": "ROADS", "limit": "4h working", "text": "Close the lane"}),
        ),
    ] {
        let done = village.act(number, who, act).await;
        assert_eq!(done.status, 200, "{}", done.json);
    }
    let bad = json!({"verb": "assign_joint", "unit": "CITY", "limit": "soon", "text": "x"});
    assert_error(
        &village.act(number, "dispatcher", bad).await,
        400,
        "invalid",
        Some("limit"),
    );
    let case = village.get(&format!("/cases/{number}"), "roads").await.json;
    assert_eq!(case["joint"][0]["unit"], "ROADS");
    assert_eq!(case["joint"][0]["task"], "Close the lane");
    assert_eq!(case["request"]["why"], "It is deep");
    let listed = village
        .get("/cases?view=staff&joint=ROADS&order=due", "roads")
        .await;
    assert_eq!(items(&listed)[0]["number"], number);

    let granted = village
        .act(number, "dispatcher", json!({"verb": "grant_request"}))
        .await;
    assert_eq!(granted.json["flags"]["extended"], 1, "{}", granted.json);
    let until = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * 5);
    let until = until.strftime("%Y-%m-%d").to_string();
    let ask = json!({"verb": "ask", "report": 1, "choices": ["yes", "no"], "until": until, "text": "Still?"});
    let asked = village.act(number, "dispatcher", ask).await;
    assert_eq!(
        asked.json["question"]["choices"],
        json!(["yes", "no"]),
        "{}",
        asked.json
    );
    assert!(
        asked.json["clocks"]
            .as_array()
            .expect("clocks")
            .iter()
            .all(|clock| clock["state"] != "running")
    );
    let wrong = json!({"verb": "answer", "choice": "perhaps"});
    assert_error(
        &village.act(number, "dispatcher", wrong).await,
        400,
        "not_a_choice",
        Some("choice"),
    );
    let answered = village
        .act(number, "dispatcher", json!({"verb": "answer", "choice": "yes"}))
        .await;
    assert_eq!(answered.json["question"], Value::Null, "{}", answered.json);

    let split = json!({"verb": "split", "service": "RD-HOLE", "text": "The road has sunk"});
    let split = village.act(number, "dispatcher", split).await;
    let part = split.json["split_into"][0].as_i64().expect("a new case");
    let part = village.get(&format!("/cases/{part}"), "dispatcher").await.json;
    assert_eq!(part["split_from"], number);
    assert_eq!(part["lead"], "ROADS");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_view_leaks_nothing() {
    let village = Village::new().await;
    let (number, code) = village.report("anyone", leak()).await;
    let inner = json!({"verb": "comment", "text": "an inner word"});
    assert_eq!(village.act(number, "dispatcher", inner).await.status, 200);
    for path in [
        format!("/cases/{number}"),
        format!("/cases/{number}/events"),
        "/cases?view=public".to_owned(),
        "/reports/near?service=WAT-LEAK&lon=131.805&lat=46.205".to_owned(),
    ] {
        for who in ["anyone", "key", "roads"] {
            let answer = village.get(&path, who).await;
            let text = answer.json.to_string();
            assert_eq!(answer.status, 200, "{path} {text}");
            let private = [
                "123 4567",
                "Wang",
                "wang@",
                "an inner word",
                "CITY-D",
                &code,
                "answers",
                "account",
            ];
            for word in private {
                assert!(!text.contains(word), "{path} as {who} tells {word:?}: {text}");
            }
        }
    }
    let contacts = village
        .get(&format!("/cases/{number}/contacts"), "dispatcher")
        .await;
    assert_eq!(items(&contacts)[0]["email"], "wang@example.org");
    // Hidden, it is gone for all but staff and its reporter.
    let hide = json!({"verb": "show", "public": false, "text": "names somebody"});
    assert_eq!(village.act(number, "dispatcher", hide).await.status, 200);
    let path = format!("/cases/{number}");
    assert_error(&village.get(&path, "anyone").await, 404, "not_found", None);
    assert!(items(&village.get("/cases", "anyone").await).is_empty());
    let request = village
        .request("GET", &path, "anyone")
        .header("X-Pickup-Code", &code);
    let seen = village
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(seen.json["view"], "reporter");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_reports_and_acts_are_refused_by_the_name_of_the_field() {
    let village = Village::new().await;
    let (number, _) = village.report("anyone", leak()).await;
    for (name, value, status, code, field) in [
        ("ethnicity", json!("x"), 400, "unknown_field", Some("ethnicity")),
        (
            "point",
            json!({"lon": 1, "lat": 2, "z": 3}),
            400,
            "unknown_field",
            Some("point.z"),
        ),
        (
            "point",
            json!({"lon": "east", "lat": 2}),
            400,
            "bad_body",
            Some("point.lon"),
        ),
        (
            "point",
            json!({"lon": 46.2, "lat": 131.8}),
            400,
            "invalid",
            Some("point"),
        ),
        (
            "point",
            json!({"lon": 0, "lat": 0}),
            400,
            "outside_place",
            Some("point"),
        ),
        (
            "description",
            json!("x".repeat(4001)),
            400,
            "bad_body",
            Some("description"),
        ),
        (
            "service",
            json!("NO-SUCH"),
            404,
            "unknown_service",
            Some("service"),
        ),
        (
            "service",
            json!("no such"),
            404,
            "unknown_service",
            Some("service"),
        ),
        ("service", json!("RD-SIGN"), 400, "not_public", Some("service")),
        ("service", json!("WAT"), 400, "is_group", Some("service")),
        ("answers", json!([]), 400, "bad_answer", Some("answers.size")),
        ("photos", json!(["00"]), 404, "not_found", Some("photo")),
        ("photos", json!(vec!["0"; 21]), 400, "bad_body", Some("photos")),
        (
            "standard",
            json!("WAT-LEAK-1"),
            403,
            "staff_only",
            Some("standard"),
        ),
        ("fixed", json!("done"), 403, "staff_only", Some("fixed")),
        (
            "contact",
            json!({"email": "nobody"}),
            400,
            "invalid",
            Some("email"),
        ),
    ] {
        let mut body = leak();
        body[name] = value;
        assert_error(
            &village.post("/reports", "anyone", body).await,
            status,
            code,
            field,
        );
    }
    let empty = village.post("/reports", "anyone", json!({})).await;
    assert_error(&empty, 400, "missing_field", Some("service"));
    for (body, code, field) in [
        (
            json!({"verb": "decline", "outcome": "resolved", "seen": 1}),
            "unknown_field",
            Some("outcome"),
        ),
        (json!({"verb": "reckon", "seen": 1}), "bad_body", Some("verb")),
        (json!({"seen": 1}), "missing_field", Some("verb")),
        (
            json!({"verb": "park", "until": "soon", "seen": 1}),
            "bad_body",
            None,
        ),
    ] {
        let answer = village
            .post(&format!("/cases/{number}/acts"), "dispatcher", body)
            .await;
        assert_error(&answer, 400, code, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_has_one_shape() {
    let village = Village::new().await;
    for (path, status, code, field) in [
        ("/nothing", 404, "not_found", None),
        ("", 404, "not_found", None),
        ("/", 404, "not_found", None),
        ("/cases/0", 404, "not_found", None),
        ("/cases/x", 404, "not_found", None),
        ("/cases/99999999999999999999", 404, "not_found", None),
        ("/cases/%FF", 400, "bad_request", None),
        ("/cases?limit=1001", 400, "invalid", Some("limit")),
        ("/cases?limit=many", 400, "bad_parameter", Some("limit")),
        ("/cases?colour=red", 400, "unknown_field", Some("colour")),
        ("/cases?after=nowhere", 400, "invalid", Some("after")),
        ("/cases?bbox=1,2,3", 400, "invalid", Some("bbox")),
        ("/cases?lon=1&lat=2", 400, "invalid", Some("radius")),
        ("/cases?stage=sleeping", 400, "bad_parameter", Some("stage")),
        ("/cases?area=nowhere", 404, "not_found", None),
        ("/areas/at?lon=NaN&lat=1", 400, "invalid", Some("lon")),
        ("/areas/at?lon=0&lat=0", 404, "not_found", None),
        ("/place?jurisdiction_id=atlantis", 404, "not_found", None),
        ("/counts?days=0", 400, "invalid", Some("days")),
    ] {
        assert_error(&village.get(path, "anyone").await, status, code, field);
    }
    let method = village.ask("DELETE", "/cases", "anyone", None).await;
    assert_error(&method, 405, "method_not_allowed", None);
    assert_eq!(method.headers["allow"], "GET,HEAD");

    let json_type = Some("application/json");
    let leak = leak().to_string();
    let untyped = village.raw("/reports", None, leak.clone().into()).await;
    assert_error(&untyped, 415, "media_type", Some("Content-Type"));
    let text = village.raw("/reports", Some("text/plain"), leak.into()).await;
    assert_error(&text, 415, "media_type", Some("Content-Type"));
    let broken = village.raw("/reports", json_type, b"{".into()).await;
    assert_error(&broken, 400, "bad_json", None);
    let large = village.raw("/reports", json_type, vec![b' '; 300 * 1024]).await;
    assert_error(&large, 413, "too_large", None);
    let deep = [vec![b'['; 100_000], vec![b']'; 100_000]].concat();
    assert_eq!(village.raw("/reports", json_type, deep).await.status, 400);

    for (name, value, status, code) in [
        ("Authorization", "Bearer nonsense", 401, "signed_out"),
        ("Authorization", "Bearer whk_nonsense", 401, "bad_key"),
        ("Authorization", "Basic eDp5", 401, "bad_key"),
        ("X-Api-Key", "nonsense", 401, "bad_key"),
    ] {
        let request = village.request("GET", "/cases", "anyone").header(name, value);
        let answer = village
            .send(request.body(Body::empty()).expect("a request"))
            .await;
        assert_error(&answer, status, code, None);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_not_good_is_refused_whatever_good_one_stands_beside_it() {
    let village = Village::new().await;
    let (number, code) = village.report("anyone", leak()).await;
    let (key, token) = (&village.headers["key"].1, &village.headers["dispatcher"].1);
    let (case, acts) = (format!("/cases/{number}"), format!("/cases/{number}/acts"));
    let bad_key = "whk_0000000000000000000000000000000000000000";
    let bearer_of = |key: &str| format!("Bearer {key}");
    let ask = async |method: &str, path: &str, headers: &[(&str, &str)]| {
        let mut request = village.request(method, path, "anyone");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let act = json!({"verb": "comment", "text": "seen", "seen": 1});
        let body = if method == "POST" {
            act.to_string()
        } else {
            String::new()
        };
        let request = request.header("Content-Type", "application/json");
        village
            .send(request.body(Body::from(body)).expect("a request"))
            .await
    };
    for (method, path) in [("GET", &case), ("POST", &acts)] {
        for (word, headers) in [
            ("bad_key", [("X-Api-Key", bad_key), ("Authorization", token)]),
            (
                "signed_out",
                [("X-Api-Key", key), ("Authorization", "Bearer nobody")],
            ),
            (
                "bad_key",
                [("X-Api-Key", key), ("Authorization", &bearer_of(bad_key))],
            ),
            ("bad_key", [("X-Api-Key", bad_key), ("X-Pickup-Code", &code)]),
            (
                "wrong_code",
                [("X-Pickup-Code", "AAAAA-AAAAA"), ("Authorization", token)],
            ),
            (
                "wrong_code",
                [("X-Pickup-Code", "AAAAA-AAAAA"), ("X-Api-Key", key)],
            ),
        ] {
            let answer = ask(method, path, &headers).await;
            assert_eq!(answer.status, 401, "{method} {headers:?}: {}", answer.json);
            assert_eq!(answer.json["error"]["code"], word, "{method} {headers:?}");
        }
        for headers in [
            [("X-Api-Key", key.as_str()), ("Authorization", token.as_str())],
            [
                ("X-Pickup-Code", code.as_str()),
                ("Authorization", token.as_str()),
            ],
        ] {
            let answer = ask(method, path, &headers).await;
            assert_eq!(answer.status, 400, "{method} {headers:?}: {}", answer.json);
            assert_eq!(answer.json["error"]["code"], "several_callers");
        }
        let twice = ask(method, path, &[("X-Api-Key", key), ("X-Api-Key", bad_key)]).await;
        assert_eq!(twice.status, 400, "{}", twice.json);
    }
    // The same key twice is one caller; an empty header is no credential; a reporter's app has a key of its own.
    let bearer = bearer_of(key);
    let same = ask("GET", &case, &[("X-Api-Key", key), ("Authorization", &bearer)]).await;
    assert_eq!(same.status, 200, "{}", same.json);
    let staff = ask("GET", &case, &[("X-Api-Key", ""), ("Authorization", token)]).await;
    assert_eq!(staff.json["view"], "staff", "{}", staff.json);
    let reporter = ask("POST", &acts, &[("X-Api-Key", key), ("X-Pickup-Code", &code)]).await;
    assert_eq!(reporter.json["view"], "reporter", "{}", reporter.json);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_a_photo_has_one_part_and_no_other() {
    let village = Village::new().await;
    let form = |names: &[&str]| {
        let mut body = Vec::new();
        for name in names {
            let head = format!(
                "--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n"
            );
            body.extend(head.bytes());
            body.extend(PIXEL);
            body.extend(b"\r\n");
        }
        body.extend(b"--edge--\r\n");
        body
    };
    let edge = Some("multipart/form-data; boundary=edge");
    for (names, code, field) in [
        (&["photo", "note"][..], "unknown_field", "note"),
        (&["", "photo"], "unknown_field", ""),
        (&["photo", "photo"], "bad_body", "photo"),
        (&[], "missing_field", "photo"),
    ] {
        let answer = village.raw("/photos", edge, form(names)).await;
        assert_error(&answer, 400, code, Some(field));
    }
    assert_eq!(village.raw("/photos", edge, form(&["photo"])).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn photos_come_in_raw_or_in_a_form_and_are_seen_by_whom_they_should() {
    let village = Village::new().await;
    let form = |name: &str| {
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.png\"\r\n\r\n");
        [head.as_bytes(), PIXEL, b"\r\n--edge--\r\n"].concat()
    };
    let edge = Some("multipart/form-data; boundary=edge");
    let kept = village.raw("/photos", edge, form("photo")).await;
    assert_eq!(kept.status, 201, "{}", kept.json);
    let same = village.raw("/photos", Some("image/png"), PIXEL.into()).await;
    assert_eq!(
        kept.json["id"], same.json["id"],
        "the same picture has the same id"
    );
    let no_picture = village
        .raw("/photos", Some("image/png"), b"no picture".into())
        .await;
    assert_error(&no_picture, 400, "invalid", Some("photo"));
    let gif = village.raw("/photos", Some("image/gif"), PIXEL.into()).await;
    assert_error(&gif, 415, "media_type", Some("Content-Type"));
    let no_edge = village
        .raw("/photos", Some("multipart/form-data"), form("photo"))
        .await;
    assert_error(&no_edge, 400, "invalid", Some("Content-Type"));
    let other = village.raw("/photos", edge, form("other")).await;
    assert_error(&other, 400, "unknown_field", Some("other"));
    let large = village.raw("/photos", Some("image/png"), vec![0; 11 << 20]).await;
    assert_error(&large, 413, "too_large", None);

    let mut body = leak();
    body["photos"] = json!([kept.json["id"]]);
    let (number, _) = village.report("anyone", body).await;
    let path = format!("/cases/{number}/photos/{}", shown(&kept.json["id"]));
    assert_error(
        &village.get(&path, "anyone").await,
        404,
        "not_found",
        Some("photo"),
    );
    assert_eq!(village.get(&path, "dispatcher").await.status, 200);
    let thumbnail = village.get(&format!("{path}?size=thumbnail"), "patrol").await;
    assert_eq!(thumbnail.status, 200);
    assert_eq!(thumbnail.headers["content-type"], "image/jpeg");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_with_what_would_be_right() {
    let village = Village::new().await;
    let near = |lon: &str, lat: &str| format!("/reports/near?service=WAT-LEAK&lon={lon}&lat={lat}");
    for (path, code, field, says) in [
        (
            near("131.8", "1e308"),
            "invalid",
            "lat",
            "latitude 1e308 is outside -90 to 90",
        ),
        (
            near("1e308", "46.2"),
            "invalid",
            "lon",
            "longitude 1e308 is outside -180 to 180",
        ),
        (near("131.8", "NaN"), "invalid", "lat", "finite numbers"),
        (near("inf", "46.2"), "invalid", "lon", "finite numbers"),
        (near("", "46.2"), "bad_parameter", "lon", "write a number"),
        (near("east", "46.2"), "bad_parameter", "lon", "write a number"),
        (
            "/cases?limit=-1".to_owned(),
            "bad_parameter",
            "limit",
            "write a whole number",
        ),
        ("/cases?limit=0".to_owned(), "invalid", "limit", "1 to 1000"),
        (
            "/cases?limit=99999999999999999999".to_owned(),
            "bad_parameter",
            "limit",
            "not huge",
        ),
        (
            "/cases?open=yes".to_owned(),
            "bad_parameter",
            "open",
            "true or false",
        ),
        (
            "/cases?stage=".to_owned(),
            "bad_parameter",
            "stage",
            "leave it out",
        ),
        (
            "/cases?service=,".to_owned(),
            "bad_parameter",
            "service",
            "a part is empty",
        ),
        (
            "/cases?service=WAT,,RD".to_owned(),
            "bad_parameter",
            "service",
            "a part is empty",
        ),
    ] {
        let answer = village.get(&path, "anyone").await;
        assert_error(&answer, 400, code, Some(field));
        let message = answer.json["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{path}: {message}");
    }
    let mut long = leak();
    long["description"] = json!("x".repeat(1 << 20));
    let answer = village.post("/reports", "anyone", long).await;
    assert_error(&answer, 413, "too_large", None);
    assert!(
        answer.json["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .contains("256 KiB")
    );
    for (sent, says) in [
        (b"Dear city".to_vec(), "send JPEG, PNG or WebP"),
        (PIXEL[..50].to_vec(), "send it again"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01".to_vec(), "send it again"),
    ] {
        let answer = village.raw("/photos", Some("image/png"), sent).await;
        assert_error(&answer, 400, "invalid", Some("photo"));
        let message = answer.json["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standard_is_named_by_those_only_who_may_accept_the_case() {
    let village = Village::new().await;
    let mut body = leak();
    body["standard"] = json!("WAT-LEAK-2");
    for who in ["patrol", "water", "roads"] {
        let answer = village.post("/reports", who, body.clone()).await;
        assert_error(&answer, 403, "may_not_name_standard", Some("standard"));
    }
    for who in ["call_taker", "dispatcher"] {
        let (number, _) = village.report(who, body.clone()).await;
        let case = village.get(&format!("/cases/{number}"), "dispatcher").await;
        assert_eq!(case.json["standard"], "WAT-LEAK-2", "{who}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sees_a_photo_of_a_case_cannot_put_it_into_another() {
    let village = Village::new().await;
    let ticket = village.raw("/photos", Some("image/png"), PIXEL.into()).await.json["id"].clone();
    let mut body = leak();
    body["photos"] = json!([ticket, ticket]);
    body["photos_public"] = json!(true);
    let (number, _) = village.report("anyone", body.clone()).await;
    let case = village.get(&format!("/cases/{number}"), "anyone").await;
    let photos = case.json["photos"].as_array().expect("photos");
    assert_eq!(photos.len(), 1, "sent twice, kept once");
    let id = photos[0]["id"].clone();
    body["photos"] = json!([id]);
    assert_error(
        &village.post("/reports", "anyone", body).await,
        404,
        "not_found",
        Some("photo"),
    );
    let add = json!({"verb": "add_photo", "photo": {"id": id, "kind": "after"}});
    assert_error(
        &village.act(number, "dispatcher", add).await,
        404,
        "not_found",
        Some("photo"),
    );
    let add = json!({"verb": "add_photo", "photo": {"id": ticket, "kind": "after"}});
    assert_eq!(village.act(number, "dispatcher", add).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_together_hold_every_case_once_while_new_ones_arrive() {
    let village = Village::new().await;
    let mut filed = BTreeSet::new();
    for _ in 0..23 {
        filed.insert(village.report("anyone", leak()).await.0);
    }
    let boxed = "&bbox=131.8,46.2,131.81,46.21&area=230599100200&stage=reported,accepted";
    let circle = "&lon=131.805&lat=46.205&radius=50&service=WAT&open=true";
    for (who, order, filter) in [
        ("anyone", "newest", ""),
        ("dispatcher", "newest", ""),
        ("dispatcher", "due", ""),
        ("anyone", "updated", ""),
        ("patrol", "updated", boxed),
        ("anyone", "newest", circle),
    ] {
        let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
        let mut new = BTreeSet::new();
        let mut after = String::new();
        let mut pages = 0;
        loop {
            let path = format!("/cases?limit=5&order={order}{filter}{after}");
            let page = village.get(&path, who).await;
            assert_eq!(page.status, 200, "{}", page.json);
            for case in items(&page) {
                *seen
                    .entry(case["number"].as_i64().expect("a number"))
                    .or_default() += 1;
            }
            pages += 1;
            assert!(pages < 100, "a list that does not end");
            // New cases come while somebody pages, but not for ever.
            if pages < 4 {
                new.insert(village.report("anyone", leak()).await.0);
            }
            match page.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert!(seen.values().all(|n| *n == 1), "{order}: {seen:?}");
        assert!(filed.iter().all(|n| seen.contains_key(n)), "{order}{filter}");
        assert!(pages > 4);
        filed.extend(new);
    }
    let mut codes = Vec::new();
    let mut after = String::new();
    loop {
        let page = village.get(&format!("/areas?limit=2{after}"), "anyone").await;
        let page_codes = items(&page)
            .iter()
            .map(|a| a["code"].as_str().expect("a code").to_owned());
        codes.extend(page_codes);
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(
        codes.len(),
        items(&village.get("/areas?limit=1000", "anyone").await).len()
    );
    assert!(codes.is_sorted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_server_says_when_to_come_again_in_the_same_shape() {
    let (dir, whistle, _) = tokio::task::spawn_blocking(settle).await.expect("a village");
    let settings = Settings {
        concurrency: 0,
        ..Settings::default()
    };
    let full = Village {
        router: router(App::new(whistle.clone(), settings, None)),
        headers: HashMap::new(),
        whistle,
        dir,
    };
    let answer = full.get("/place", "anyone").await;
    assert_error(&answer, 503, "busy", None);
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whistle_is_blown_met_and_closed_over_the_api() {
    let village = Village::new().await;
    let (case, _) = village.report("anyone", leak()).await;
    let kinds = village.get("/whistle-kinds", "anyone").await;
    assert_eq!(items(&kinds)[2]["report_in"], "30m running");
    let new = json!({"kind": "URGENT", "cases": [case], "units": ["WATER", "ROADS"], "lead": "WATER",
        "matter": "The main has burst"});
    let without = village.post(
        "/whistles",
        "patrol",
        json!({"kind": "URGENT", "cases": [case], "units": [],
        "lead": "WATER", "matter": "x"}),
    );
    assert_error(&without.await, 400, "how_many_units", Some("units"));
    let far = json!({"kind": "URGENT", "cases": [99], "units": ["WATER"], "lead": "WATER", "matter": "x"});
    assert_error(
        &village.post("/whistles", "patrol", far).await,
        400,
        "case_elsewhere",
        Some("cases"),
    );
    let blown = village.post("/whistles", "patrol", new).await;
    assert_eq!(blown.status, 201, "{}", blown.json);
    let address = format!("/whistles/{}", blown.json["number"]);
    assert_eq!(blown.headers["location"], format!("/api/v1{address}"));
    let acts = format!("{address}/acts");

    let listed = village.get("/whistles?called=true", "water").await;
    assert_eq!(items(&listed).len(), 1, "{}", listed.json);
    let seen = village.get(&address, "water").await;
    let offered: Vec<&Value> = seen.json["offered"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["verb"])
        .collect();
    assert_eq!(offered, ["sign", "refuse", "report_in"]);
    let future = json!({"verb": "report_in", "made_at": "2999-01-01T00:00:00Z"});
    assert_error(
        &village.post(&acts, "water", future).await,
        400,
        "made_time",
        Some("made_at"),
    );
    let here = json!({"verb": "report_in", "position": {"lon": 131.805, "lat": 46.2051}});
    let there = village.post(&acts, "water", here).await;
    assert_eq!(there.json["calls"][0]["near"], true, "{}", there.json);
    assert!(!there.json.to_string().contains("46.2051"), "a position is kept");
    assert_error(
        &village.post(&acts, "water", json!({"verb": "sign"})).await,
        409,
        "wrong_call",
        None,
    );
    let confirm = json!({"verb": "confirm", "unit": "WATER", "present": true, "seen": 3});
    assert_eq!(
        village.post(&acts, "patrol", confirm).await.json["calls"][0]["state"],
        "present"
    );
    let minutes = json!({"verb": "minutes", "text": "Shut the valve.", "duties": [
        {"case": case, "unit": "WATER", "what": "shut it", "limit": "soon"}]});
    assert_error(
        &village.post(&acts, "patrol", minutes).await,
        400,
        "invalid",
        Some("duties.limit"),
    );
    let minutes = json!({"verb": "minutes", "text": "Shut the valve.", "duties": [
        {"case": case, "unit": "WATER", "what": "shut it", "limit": "4h working"}]});
    assert_eq!(village.post(&acts, "patrol", minutes).await.status, 200);
    let stale = json!({"verb": "close", "seen": 4});
    let stale = village.post(&acts, "patrol", stale).await;
    assert_error(&stale, 409, "stale", Some("seen"));
    let error = &stale.json["error"];
    assert_eq!(error["version"], 6);
    let meanwhile = error["changes"]["items"].as_array().unwrap().iter();
    let meanwhile: Vec<_> = meanwhile
        .map(|event| (&event["version"], &event["event"]))
        .collect();
    assert_eq!(
        meanwhile,
        [(&json!(5), &json!("minuted")), (&json!(6), &json!("duty_given"))]
    );
    let closed = village.post(&acts, "patrol", json!({"verb": "close"})).await;
    assert_eq!(closed.json["stage"], "closed", "{}", closed.json);
    let log = village.get(&format!("{address}/events"), "water").await;
    let words: Vec<&Value> = items(&log).iter().map(|event| &event["event"]).collect();
    assert_eq!(
        words,
        [
            "asked",
            "blown",
            "reported_in",
            "confirmed",
            "minuted",
            "duty_given",
            "closed"
        ]
    );
    let told = village
        .get(&format!("/cases/{case}/events?view=staff"), "dispatcher")
        .await;
    let whistled: Vec<&Value> = items(&told)
        .iter()
        .filter(|event| event["event"] == "whistled")
        .collect();
    assert_eq!(whistled.len(), 2);
    assert_eq!(whistled[1]["whistle_stage"], "closed");
}

#[tokio::test]
async fn privacy_says_of_every_column_about_people_what_it_is_for() {
    let village = Village::new().await;
    let answer = village.get("/privacy", "anyone").await;
    assert_eq!(answer.json["retention_days"], 180);
    let contact = items(&answer)
        .iter()
        .find(|item| item["purpose"] == "contact")
        .expect("contact data");
    assert_eq!(
        contact["columns"],
        json!(["contact.sealed", "question_contact.sealed"])
    );
    assert_eq!(contact["about"], json!(["reporter"]));
    assert_eq!(
        contact["kept"]["zh"],
        "结案 180 天后删除；已并入其他案件的，从后者结案起算。"
    );
    assert_eq!(
        contact["kept"]["en"],
        "Until 180 days after the case is closed; if it was merged into another, after that one is closed."
    );
    let views = items(&answer)
        .iter()
        .find(|item| item["purpose"] == "views")
        .unwrap();
    assert_eq!(views["about"], json!(["reporter", "staff"]));
}

// What is stored of a reporter, for themselves.

impl Village {
    /// A request with a pick-up code.
    async fn with_code(&self, method: &str, path: &str, code: &str, body: Option<&Value>) -> Answer {
        let request = self.request(method, path, "anyone").header("X-Pickup-Code", code);
        let request = match body {
            Some(body) => request
                .header("Content-Type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reporter_sees_corrects_and_erases_their_own_by_code() {
    let village = Village::new().await;
    let new = json!({
        "service": "RD-HOLE", "area": "230599100", "address": "Mill Lane 5", "description": "a hole",
        "answers": [{"question": "depth", "values": ["12"]}], "contact": {"phone": "0700 1"},
    });
    let filed = village.post("/reports", "anyone", new).await;
    let (number, code) = (
        filed.json["number"].to_string(),
        filed.json["code"].as_str().expect("a code"),
    );
    let own = format!("/cases/{number}/own");
    let seen = village.with_code("GET", &own, code, None).await;
    assert_eq!(seen.status, 200, "{}", seen.json);
    assert_eq!(seen.headers["cache-control"], "no-store");
    assert_eq!(seen.json["contact"]["phone"], "0700 1");
    assert_eq!(seen.json["texts"][0]["text"], "a hole");
    assert_eq!(seen.json["matter"]["location"]["address"], "Mill Lane 5");
    assert_eq!(seen.json["matter"]["answers"][0]["values"][0], "12");

    let contact = format!("{own}/contact");
    let wrong = json!({"email": "nobody"});
    let refused = village.with_code("PUT", &contact, code, Some(&wrong)).await;
    assert_error(&refused, 400, "invalid", Some("email"));
    let right = json!({"email": "wang@example.org"});
    let kept = village.with_code("PUT", &contact, code, Some(&right)).await;
    assert_eq!(kept.status, 200, "{}", kept.json);
    assert_eq!(
        kept.json["contact"],
        json!({"name": "", "email": "wang@example.org", "phone": "", "kinds": "all", "pace": "at_once"})
    );

    let erased = village.with_code("DELETE", &own, code, None).await;
    assert_eq!(erased.json, json!({"erased": true}));
    let left = village.with_code("GET", &own, code, None).await;
    assert!(left.json.get("contact").is_none(), "{}", left.json);
    assert_eq!(left.json["texts"], json!([]));
    assert_eq!(left.json["matter"]["location"]["address"], "");
    assert_eq!(left.json["matter"]["answers"], json!([]));
    let again = village.with_code("DELETE", &own, code, None).await;
    assert_eq!(again.json, json!({"erased": false}));
    let case = village.get(&format!("/cases/{number}"), "dispatcher").await;
    assert_eq!(
        (&case.json["address"], &case.json["description"]),
        (&json!(""), &json!(""))
    );

    // Nobody without the code, and no member of staff for them.
    for who in ["anyone", "key", "dispatcher", "administrator"] {
        let refused = village.get(&own, who).await;
        assert_eq!(refused.status, 401, "{who}: {}", refused.json);
    }
    let refused = village.with_code("GET", &own, "AAAAA-AAAAA", None).await;
    assert_error(&refused, 401, "wrong_code", Some("X-Pickup-Code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reporter_sees_by_code_what_they_were_told_and_how_they_want_to_be() {
    let village = Village::new().await;
    let new = json!({
        "service": "RD-HOLE", "area": "230599100", "description": "a hole",
        "answers": [{"question": "depth", "values": ["12"]}], "contact": {"email": "wang@example.org"},
    });
    let filed = village
        .post_with("/reports", "anyone", ("Accept-Language", "zh"), new)
        .await;
    let (number, code) = (
        filed.json["number"].as_i64().expect("a number"),
        filed.json["code"].as_str().expect("a code"),
    );
    let own = format!("/cases/{number}/own");
    let seen = village.with_code("GET", &own, code, None).await;
    assert_eq!(
        seen.json["contact"],
        json!({"name": "", "email": "wang@example.org", "phone": "", "lang": "zh", "kinds": "all", "pace": "at_once"})
    );
    assert_eq!(seen.json["notices"], json!([]));

    let whistle = village.whistle.clone();
    let sent = tokio::task::spawn_blocking(move || {
        let server = MailServer::new();
        let outgoing = Outgoing {
            mail: Some(Outlet {
                smtp: server.url(),
                from: "whistle@example.org".to_owned(),
                reply: None,
                timeout: Outlet::TIMEOUT,
            }),
            base_url: None,
            private_webhooks: false,
        };
        whistle.do_duties()?;
        Courier::open(whistle, outgoing)?.round()
    });
    sent.await.expect("no panic").expect("a round");
    let seen = village.with_code("GET", &own, code, None).await;
    let notice = &seen.json["notices"][0];
    assert_eq!(
        (&notice["channel"], &notice["state"], &notice["notice"]),
        (&json!("mail"), &json!("sent"), &json!("received")),
        "{}",
        seen.json
    );
    assert!(
        notice["at"].is_string() && notice.get("error").is_none(),
        "{notice}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_guessed_at_the_pace_of_the_page_and_a_right_one_is_no_guess() {
    let village = Village::new().await;
    let new = json!({"service": "RD-HOLE", "area": "230599100", "description": "a hole",
        "answers": [{"question": "depth", "values": ["12"]}]});
    let filed = village.post("/reports", "anyone", new).await;
    let (number, code) = (
        filed.json["number"].to_string(),
        filed.json["code"].as_str().expect("a code"),
    );
    let case = format!("/cases/{number}");
    for _ in 0..60 {
        let seen = village.with_code("GET", &case, code, None).await;
        assert_eq!(seen.status, 200, "{}", seen.json);
    }
    let mut refused = None;
    for n in 0..60 {
        let path = if n % 2 == 0 {
            case.clone()
        } else {
            format!("{case}/own")
        };
        let guess = village
            .with_code("GET", &path, &format!("AAAAA-AAA{n:02}"), None)
            .await;
        if guess.status == 429 {
            refused = Some(guess);
            break;
        }
        assert_eq!(guess.status, 401);
    }
    let refused = refused.expect("so many guesses are too many");
    assert!(refused.headers.contains_key("retry-after"));
    // Whoever had it right goes on.
    assert_eq!(village.with_code("GET", &case, code, None).await.status, 200);
}

// Counts.

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_and_the_api_count_the_same_cases_and_none_of_a_class() {
    let village = Village::new().await;
    let folder = village.dir.path().join("village");
    let wider = |file: &str, class: &str, row: &str| {
        let text = fs::read_to_string(folder.join(file)).expect("a file");
        let line = |(n, line): (usize, &str)| match n {
            0 => format!("{line},access\n"),
            _ if line.starts_with(row) => format!("{line},{class}\n"),
            _ => format!("{line},\n"),
        };
        let text: String = text.lines().enumerate().map(line).collect();
        fs::write(folder.join(file), text).expect("a file");
    };
    wider("standards.csv", "confidential", "RD-HOLE-1");
    wider("posts.csv", "staff|confidential", "CITY-C");
    let whistle = village.whistle.clone();
    let applied = tokio::task::spawn_blocking(move || whistle.apply(&folder)).await;
    applied.expect("no panic").expect("the village is in force");

    for service in ["WAT-DRAIN", "RD-HOLE", "RD-SIGN"] {
        let new = json!({"service": service, "area": "230599100", "description": "wrong",
            "answers": if service == "RD-HOLE" { json!([{"question": "depth", "values": ["12"]}]) } else { json!([]) }});
        let _filed = village.report("dispatcher", new).await;
    }
    let mut seen = Vec::new();
    for who in ["anyone", "dispatcher", "call_taker"] {
        let counts = village.get("/counts", who).await;
        let open = items(&counts).iter().filter(|count| count["name"] == "open");
        let of_services = open.filter_map(|count| count["service"].as_str().map(str::to_owned));
        let mut of_services: Vec<String> = of_services.collect();
        of_services.sort();
        seen.push(of_services.join(" "));
    }
    assert_eq!(
        seen,
        ["WAT-DRAIN", "RD-SIGN WAT-DRAIN", "RD-HOLE RD-SIGN WAT-DRAIN"]
    );
    let home = Request::builder().uri("/").header("Accept-Language", "en");
    let home = home.body(Body::empty()).expect("a request");
    let home = village.router.clone().oneshot(home).await.expect("no error");
    let bytes = axum::body::to_bytes(home.into_body(), usize::MAX).await;
    let page = String::from_utf8(bytes.expect("a body").to_vec()).expect("text");
    assert!(
        page.contains("<dd>1</dd>") && !page.contains("<dd>2</dd>"),
        "{page}"
    );
}
