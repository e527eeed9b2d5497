//! The pages, walked as a browser without JavaScript walks them, on the small place of Willow Brook.

use std::{
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use jiff::Timestamp;
use serde_json::json;
use tower::ServiceExt;
use whistle_domain::{rights::Role, words::Text};
use whistle_service::{
    Site, Whistle,
    account::Change,
    notices::{Courier, Outgoing, Outlet},
    provider::{Counts, Provider},
    time::{Chance, Clock},
};
use whistle_testbed::{
    Bed, copy_folder,
    post::{Fate, MailServer, Receiver},
    provider::{CLIENT, Provider as There, Signed},
};
use whistle_web::{App, Settings, router};

const PASSWORD: &str = "a long enough password";

/// Each look is a second later than the last.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0.fetch_add(1, Ordering::Relaxed)).unwrap()
    }
}

struct Town {
    dir: Bed,
    whistle: Whistle,
    runtime: tokio::runtime::Runtime,
}

impl Town {
    fn open() -> Self {
        Self::open_with(|_| ())
    }

    fn open_with(set: impl FnOnce(&mut Site)) -> Self {
        let dir = Bed::new();
        let mut site = Site {
            database_url: dir.database_url().map(str::to_owned),
            ..dir.path().into()
        };
        set(&mut site);
        let begin: Timestamp = "2026-05-07T01:00:00Z".parse().unwrap();
        let clock = Ticking(AtomicI64::new(begin.as_second()));
        let whistle = Whistle::open_with(site, Box::new(clock), Chance::from_seed(7)).unwrap();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
        whistle.apply(&folder).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        Self {
            dir,
            whistle,
            runtime,
        }
    }

    fn add_user(&self, login: &str, posts: &[&str]) {
        let here = self.whistle.places().all()[0].clone();
        let posts: Vec<_> = posts.iter().map(|p| p.parse().unwrap()).collect();
        self.whistle.add_user(&here, login, PASSWORD, &posts).unwrap();
    }

    fn browser(&self, lang: &'static str) -> Browser<'_> {
        let settings = Settings {
            private_webhooks: true,
            ..Settings::default()
        };
        let app = App::new(self.whistle.clone(), settings, None);
        Browser {
            town: self,
            router: router(app),
            lang,
            cookies: Vec::new(),
        }
    }
}

struct Browser<'t> {
    town: &'t Town,
    router: Router,
    lang: &'static str,
    cookies: Vec<(String, String)>,
}

struct Seen {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Seen {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    fn says(&self, what: &str) -> &Self {
        assert!(self.text().contains(what), "{what:?} is not in:\n{}", self.text());
        self
    }

    #[track_caller]
    fn says_nothing_of(&self, what: &str) -> &Self {
        assert!(!self.text().contains(what), "{what:?} is in:\n{}", self.text());
        self
    }

    #[track_caller]
    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The value of a hidden field.
    #[track_caller]
    fn hidden(&self, name: &str) -> String {
        let text = self.text();
        let (_, rest) = text
            .split_once(&format!("name=\"{name}\" value=\""))
            .unwrap_or_else(|| panic!("no {name} in:\n{text}"));
        rest.split('"').next().unwrap().to_owned()
    }

    fn location(&self) -> String {
        self.headers[header::LOCATION].to_str().unwrap().to_owned()
    }
}

impl Browser<'_> {
    fn send(&mut self, mut request: Request<Body>) -> Seen {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT_LANGUAGE, self.lang.parse().unwrap());
        headers.insert(header::HOST, "willow.example.org".parse().unwrap());
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, cookies.join("; ").parse().unwrap());
        }
        let router = self.router.clone();
        let seen = self.town.runtime.block_on(async {
            let answer = router.oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, 1 << 24).await.unwrap();
            Seen {
                status: parts.status,
                headers: parts.headers,
                body,
            }
        });
        for cookie in seen.headers.get_all(header::SET_COOKIE) {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(n, _)| n != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        assert!(
            !seen.text().contains('⟦'),
            "a message is missing:\n{}",
            seen.text()
        );
        seen
    }

    fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).body(Body::empty()).unwrap())
    }

    fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let body: Vec<String> = fields
            .iter()
            .map(|(n, v)| format!("{n}={}", encoded(v)))
            .collect();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body.join("&"))).unwrap())
    }

    fn post_with_photo(&mut self, path: &str, fields: &[(&str, &str)], photo: &[u8]) -> Seen {
        self.post_with_file(path, fields, ("photos", "p.png"), photo)
    }

    fn post_with_file(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        (name, file_name): (&str, &str),
        file: &[u8],
    ) -> Seen {
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend(part.into_bytes());
        }
        let head = format!(
            "--X\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: image/png\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend(file);
        body.extend(b"\r\n--X--\r\n");
        let request = Request::post(path).header(header::CONTENT_TYPE, "multipart/form-data; boundary=X");
        self.send(request.body(Body::from(body)).unwrap())
    }

    /// The page that a post leads to.
    #[track_caller]
    fn post_on(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let seen = self.post(path, fields);
        seen.is(303);
        self.get(&seen.location())
    }

    #[track_caller]
    fn sign_in(&mut self, login: &str) {
        let fields = [("login", login), ("password", PASSWORD), ("next", "/staff")];
        assert_eq!(self.post("/staff/sign-in", &fields).is(303).location(), "/staff");
    }

    /// Does something to a case from its page, as its form does.
    #[track_caller]
    fn act(&mut self, number: &str, verb: &str, more: &[(&str, &str)]) -> Seen {
        let page = self.get(&format!("/staff/cases/{number}"));
        let (token, version) = (page.is(200).hidden("token"), page.hidden("seen"));
        let fields = [&[("token", token.as_str()), ("seen", version.as_str())], more].concat();
        self.post(&format!("/staff/cases/{number}/{verb}"), &fields)
    }

    /// Blows an emergency whistle on a case, from the case's page; answers the address of the whistle.
    #[track_caller]
    fn blow(&mut self, case: &str, units: &[&str]) -> String {
        let to = self.blow_kind("URGENT", case, units);
        to.split('?').next().unwrap().to_owned()
    }

    /// Blows one of a kind; answers where that leads to.
    #[track_caller]
    fn blow_kind(&mut self, kind: &str, case: &str, units: &[&str]) -> String {
        let link = format!("/staff/whistles/new?case={case}");
        self.get(&format!("/staff/cases/{case}")).is(200).says(&link);
        let form = self.get(&link);
        let (token, key) = (form.is(200).hidden("token"), form.hidden("key"));
        let mut fields = vec![
            ("token", token.as_str()),
            ("key", key.as_str()),
            ("cases", case),
            ("kind", kind),
            ("matter", "The main has burst below the road"),
            ("place", "At the mill"),
            ("lead", units[0]),
        ];
        fields.extend(units.iter().map(|unit| ("unit", *unit)));
        self.post("/staff/whistles/new", &fields).is(303).location()
    }

    /// Does something to a whistle from its page, as its form does; answers the page that follows.
    #[track_caller]
    fn whistle(&mut self, address: &str, verb: &str, more: &[(&str, &str)]) -> Seen {
        let page = self.get(address);
        page.is(200).says(&format!("action=\"{address}/{verb}\""));
        let (token, version) = (page.hidden("token"), page.hidden("seen"));
        let fields = [&[("token", token.as_str()), ("seen", version.as_str())], more].concat();
        self.post_on(&format!("{address}/{verb}"), &fields)
    }

    /// Reports a leak somewhere else, as a matter of its own; answers its number.
    fn report_at(&mut self, place: &[(&str, &str)]) -> String {
        let key = self.get("/report?service=WAT-LEAK").hidden("key");
        let of_leak = LEAK
            .iter()
            .filter(|(name, _)| place.iter().all(|(other, _)| other != name));
        let fields: Vec<(&str, &str)> = of_leak
            .chain(place)
            .copied()
            .chain([("key", key.as_str())])
            .collect();
        number_and_code(&self.post_on("/report", &fields)).0
    }

    /// Reports a leak; answers number and code.
    fn report(&mut self, more: &[(&str, &str)]) -> (String, String) {
        let key = self.get("/report?service=WAT-LEAK").hidden("key");
        let fields = [&LEAK[..], &[("key", &key)], more].concat();
        let receipt = self.post_on("/report", &fields);
        number_and_code(&receipt)
    }
}

const LEAK: [(&str, &str); 5] = [
    ("service", "WAT-LEAK"),
    ("lat", "46.205"),
    ("lon", "131.805"),
    ("description", "Water runs over the road; call 13812345678"),
    ("answer-size", "stream"),
];

fn number_and_code(receipt: &Seen) -> (String, String) {
    let text = receipt.text();
    let big = |class: &str| {
        let (_, rest) = text
            .split_once(&format!("<dd class=\"{class}\">"))
            .expect("a receipt");
        rest.split('<').next().unwrap().to_owned()
    };
    (big("big"), big("big code"))
}

fn encoded(text: &str) -> String {
    text.bytes()
        .flat_map(|b| format!("%{b:02X}").into_bytes())
        .map(char::from)
        .collect()
}

/// A red square of four by four.
fn picture() -> Vec<u8> {
    let hex = "89504e470d0a1a0a0000000d4948445200000004000000040802000000269309290000001049444154789c6338212707470cc47100b16310413b4b63820000000049454e44ae426082";
    let pairs = (0..hex.len()).step_by(2);
    pairs
        .map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap())
        .collect()
}

#[test]
fn a_report_leads_to_a_receipt_and_the_code_on_it_to_the_case() {
    let town = Town::open();
    let mut browser = town.browser("en");
    browser
        .get("/report")
        .is(200)
        .says("Leaking pipe")
        .says_nothing_of("Broken sign");
    browser
        .get("/report?q=pothole")
        .says("Pothole")
        .says_nothing_of("Leaking pipe");
    let (number, code) = browser.report(&[("email", "s@example.org")]);
    browser.get("/follow/case").is(200).says(&format!("No. {number}"));

    let mut other = town.browser("zh");
    let followed = other.post_on("/follow", &[("number", &number), ("code", &code.to_lowercase())]);
    followed.is(200).says("案件");
    other
        .get(&format!("/cases/{number}"))
        .is(200)
        .says("•••")
        .says_nothing_of("13812345678")
        .says_nothing_of("s@example.org");
    other.get("/cases").is(200).says(&format!("/cases/{number}"));
    other
        .post_on(
            "/follow/case",
            &[("verb", "comment"), ("text", "It is worse now")],
        )
        .says("已记录");
    other.post_on("/follow/leave", &[]).is(200);
    assert_eq!(other.get("/follow/case").is(303).location(), "/follow");
}

#[test]
fn what_is_missing_is_said_at_once_and_what_was_entered_is_kept() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let fields = [("service", "WAT-LEAK"), ("lat", "north"), ("name", "Wu")];
    let page = browser.post("/report", &fields);
    page.is(400)
        .says("There is a problem")
        .says("href=\"#lat\"")
        .says("href=\"#description\"")
        .says("href=\"#answer-size\"")
        .says("value=\"Wu\"")
        .says("value=\"north\"");
    let outside = [&LEAK[..], &[("lat", "10")]].concat();
    let outside: Vec<_> = outside.into_iter().rev().collect();
    browser
        .post("/report", &outside)
        .is(400)
        .says("outside the place");
}

#[test]
fn a_report_sent_twice_makes_one_case() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let key = browser.get("/report?service=WAT-LEAK").hidden("key");
    let fields = [&LEAK[..], &[("key", &key), ("step", "anyway")]].concat();
    let first = number_and_code(&browser.post_on("/report", &fields));
    let second = number_and_code(&browser.post_on("/report", &fields));
    assert_eq!(first, second);
    let changed = [&fields[..], &[("name", "Wu")]].concat();
    browser
        .post("/report", &changed)
        .is(422)
        .says("sent once already");
}

#[test]
fn a_near_duplicate_is_offered_and_can_be_joined_with_photos() {
    let town = Town::open();
    let (number, code) = town.browser("en").report(&[]);
    let mut browser = town.browser("en");
    let key = browser.get("/report?service=WAT-LEAK").hidden("key");
    let fields = [&LEAK[..], &[("key", &key), ("photos_public", "yes")]].concat();
    let offer = browser.post_with_photo("/report", &fields, &picture());
    offer
        .is(200)
        .says("Is it one of these?")
        .says(&format!("/cases/{number}/join"));
    let photo = offer.hidden("photo");
    let kept = [&fields[..], &[("photo", &photo)]].concat();
    let receipt = browser.post_on(&format!("/cases/{number}/join"), &kept);
    let (joined, own_code) = number_and_code(&receipt);
    assert_eq!(joined, number);
    assert_ne!(own_code, code);

    let (id, _tag) = photo.split_once('-').expect("a ticket");
    let picture = format!("/cases/{number}/photos/{id}");
    let shown = town.browser("en").get(&picture);
    assert_eq!(shown.is(200).headers[header::CONTENT_TYPE], "image/jpeg");
    town.browser("en").get(&format!("{picture}/thumbnail")).is(200);
    // Told that it is something else, it becomes a case of its own.
    let anyway = [&LEAK[..], &[("key", "another"), ("step", "anyway")]].concat();
    assert_ne!(number_and_code(&browser.post_on("/report", &anyway)).0, number);
}

#[test]
fn the_three_steps_are_told_where_a_point_lies_what_has_a_name_and_what_is_near() {
    let town = Town::open();
    let (number, _) = town.browser("en").report(&[]);
    let mut browser = town.browser("zh");
    let inside = browser.get("/report/where?lat=46.205&lon=131.805");
    inside.is(200).says("\"inside\":true").says("位于");
    let outside = browser.get("/report/where?lat=10&lon=10");
    outside.is(200).says("\"inside\":false").says("范围内");
    browser.get("/report/where?lat=north").is(400);

    let names = browser.get("/report/names");
    let all: serde_json::Value = serde_json::from_str(&names.is(200).text()).unwrap();
    let areas = town.whistle.places().all()[0].place.areas.all().len();
    assert!(all.as_array().unwrap().len() >= areas);
    assert!(
        all[1]["in"].is_null(),
        "that a town is in the city goes without saying"
    );
    let mark = names.headers[header::ETAG].clone();
    let again = Request::get("/report/names").header(header::IF_NONE_MATCH, mark);
    let again = browser.send(again.body(Body::empty()).unwrap());
    assert!(again.is(304).body.is_empty());

    let near = "/report/near?service=WAT-LEAK&lat=46.205&lon=131.805";
    browser.get(near).is(200).says(&format!("/cases/{number}/join"));
    for none in [
        "/report/near",
        "/report/near?service=WAT-LEAK",
        "/report/near?service=RD-SIGN&lat=46.205&lon=131.805",
    ] {
        browser.get(none).is(200).says_nothing_of("join");
    }
    let suggested = browser.post("/report/suggest", &[("text", "A pothole in the road")]);
    suggested.is(200).says("RD-HOLE").says_nothing_of("RD-SIGN");
    assert_eq!(browser.post("/report/suggest", &[("text", "?!")]).text(), "[]");
}

#[test]
fn a_link_begins_the_form_and_what_is_no_point_or_code_is_left_out() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let link = format!(
        "/report?service=WAT-LEAK&at=46.205,131.805&asset=LD-7&label={}",
        encoded("Lamp <7>")
    );
    browser
        .get(&link)
        .is(200)
        .says("value=\"46.205000\"")
        .says("value=\"131.805000\"")
        .says("Lamp &#60;7&#62; (LD-7)");
    let long = "x".repeat(500);
    let odd = format!(
        "/report?service=WAT-LEAK&at=north,east&asset={}&label={long}",
        encoded("a<b>")
    );
    browser
        .get(&odd)
        .is(200)
        .says_nothing_of("value=\"north\"")
        .says_nothing_of("a&#60;b")
        .says(&format!("value=\"{}\"", "x".repeat(80)));
    // What was typed is not overwritten by a link.
    browser
        .get("/report?service=WAT-LEAK&address=Here&label=There")
        .says("value=\"Here\"");
}

#[test]
fn photos_that_are_not_public_are_seen_by_reporter_and_staff_only() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let mut reporter = town.browser("en");
    let sent = reporter.post_with_photo("/report", &LEAK, &picture());
    let (number, _) = number_and_code(&{
        let to = sent.is(303).location();
        reporter.get(&to)
    });
    let page = reporter.get("/follow/case").text();
    let (_, rest) = page
        .split_once(&format!("/cases/{number}/photos/"))
        .expect("a photo");
    let picture = format!("/cases/{number}/photos/{}", &rest[..64]);
    assert_eq!(
        reporter.get(&picture).is(200).headers[header::CACHE_CONTROL],
        "private, max-age=86400"
    );
    town.browser("en").get(&picture).is(404);
    let mut joiner = town.browser("en");
    joiner.post_on(&format!("/cases/{number}/join"), &[("text", "me too")]);
    joiner.get("/follow/case").is(200).says_nothing_of(&picture);
    joiner.get(&picture).is(404);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.get(&picture).is(200);
    let fields = [&LEAK[..], &[("step", "anyway")]].concat();
    reporter
        .post_with_photo("/report", &fields, b"no picture")
        .is(400)
        .says("no picture that can be read");
}

#[test]
fn a_wrong_code_is_refused_and_guessing_is_slowed_down() {
    let town = Town::open();
    let (number, _) = town.browser("en").report(&[]);
    let mut browser = town.browser("en");
    let guess = [("number", number.as_str()), ("code", "AAAAA-AAAAA")];
    browser
        .post("/follow", &guess)
        .is(403)
        .says("do not belong together");
    browser
        .post("/follow", &[("number", "999999"), ("code", "AAAAA-AAAAA")])
        .is(403);
    let last = (0..40).map(|_| browser.post("/follow", &guess).status).last();
    assert_eq!(last, Some(StatusCode::TOO_MANY_REQUESTS));
    browser.cookies.push((
        "whistle_follow".to_owned(),
        format!("{number}.AAAAAAAAAA.{}", "0".repeat(64)),
    ));
    assert_eq!(browser.get("/follow/case").is(303).location(), "/follow");
}

#[test]
fn staff_take_a_case_from_triage_to_a_check_by_another_post() {
    let town = Town::open();
    for (login, post) in [
        ("desk", "CITY-D"),
        ("water", "WATER-H"),
        ("patrol", "T100-P"),
        ("far", "T101-P"),
    ] {
        town.add_user(login, &[post]);
    }
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[("phone", "0469 555")]);

    let mut desk = town.browser("en");
    assert!(
        desk.get("/staff")
            .is(303)
            .location()
            .starts_with("/staff/sign-in")
    );
    desk.sign_in("desk");
    desk.get("/staff")
        .is(200)
        .says("To triage")
        .says(&format!("/staff/cases/{number}"));
    desk.act(&number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
    desk.get(&format!("/staff/cases/{number}"))
        .says("Water Department (suggested)")
        .says_nothing_of("0469 555");
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    desk.act(&number, "verify", &[])
        .is(409)
        .says("is not possible now");
    let token = desk.get("/staff").hidden("token");
    desk.post(&format!("/staff/cases/{number}/contacts"), &[("token", &token)])
        .is(200)
        .says("0469 555");

    let mut water = town.browser("zh");
    water.sign_in("water");
    water
        .get("/staff")
        .is(200)
        .says("本单位待办")
        .says(&format!("/staff/cases/{number}"));
    let early = water.get(&format!("/staff/cases/{number}")).hidden("seen");
    water.act(&number, "report_in", &[]).is(303);
    let stale = [
        ("seen", early.as_str()),
        ("outcome", "resolved"),
        ("text", "阀门已更换"),
    ];
    let token = water.get("/staff").hidden("token");
    let stale = [&stale[..], &[("token", &token)]].concat();
    water
        .post(&format!("/staff/cases/{number}/handle"), &stale)
        .is(409)
        .says("在此期间发生了")
        .says("承办单位已报到")
        .says("阀门已更换");
    water
        .act(&number, "handle", &[("outcome", "resolved")])
        .is(400)
        .says("不符合办理条件：须填写文字说明");
    water
        .act(
            &number,
            "handle",
            &[("outcome", "resolved"), ("text", "阀门已更换")],
        )
        .is(303);
    water
        .get(&format!("/staff/cases/{number}"))
        .says_nothing_of("/verify\"");

    let mut far = town.browser("en");
    far.sign_in("far");
    far.get(&format!("/staff/cases/{number}")).is(404);
    let mut patrol = town.browser("en");
    patrol.sign_in("patrol");
    patrol
        .get("/staff?tab=verify")
        .is(200)
        .says(&format!("/staff/cases/{number}"));
    patrol.act(&number, "verify", &[]).is(303);
    town.browser("en")
        .get(&format!("/cases/{number}"))
        .is(200)
        .says("Closed: resolved")
        .says("阀门已更换");

    reporter
        .post_on("/follow/case", &[("verb", "rate"), ("rating", "poor")])
        .says("Thank you");
    reporter
        .post("/follow/case", &[("verb", "request_reopen")])
        .is(400);
    reporter
        .post_on(
            "/follow/case",
            &[("verb", "request_reopen"), ("text", "It leaks again")],
        )
        .is(200);
    desk.get("/staff?tab=reopen")
        .is(200)
        .says(&format!("/staff/cases/{number}"));
    // Nothing of it is due, and the next shift must know of it all the same.
    desk.get("/staff/handover")
        .says("Reopen requests")
        .says(&format!("/staff/cases/{number}"));
    patrol
        .get("/staff/handover")
        .says_nothing_of(&format!("/staff/cases/{number}"));
    desk.act(&number, "reopen", &[("text", "Another look")]).is(303);
}

#[test]
fn a_station_calls_three_units_together_and_they_come_or_say_why_not() {
    let town = Town::open();
    for (login, post) in [
        ("patrol", "T100-P"),
        ("desk", "CITY-D"),
        ("water", "WATER-H"),
        ("roads", "ROADS-H"),
        ("other", "T101-P"),
    ] {
        town.add_user(login, &[post]);
    }
    let (number, _) = town.browser("en").report(&[]);
    let signed = |login: &str, lang| {
        let mut browser = town.browser(lang);
        browser.sign_in(login);
        browser
    };
    let mut station = signed("patrol", "en");
    let (mut water, mut roads) = (signed("water", "zh"), signed("roads", "en"));

    // What is missing is said at its field, and what was entered is kept.
    let form = station.get("/staff/whistles/new");
    let token = form
        .is(200)
        .says("Emergency")
        .says_nothing_of("Joint handling")
        .hidden("token");
    let half = [
        ("token", token.as_str()),
        ("place", "At the mill"),
        ("unit", "ROADS"),
    ];
    station
        .post("/staff/whistles/new", &half)
        .is(400)
        .says("href=\"#cases\"")
        .says("href=\"#matter\"")
        .says("value=\"At the mill\"")
        .says("value=\"ROADS\" checked");

    let address = station.blow(&number, &["WATER", "ROADS", "PIPES"]);
    station
        .get(&address)
        .is(200)
        .says("0 of 3 are there")
        .says(" min<")
        .says("At the mill");
    station
        .get("/staff/whistles")
        .says(&address)
        .says("0 of 3 are there");
    station
        .get(&format!("/staff/cases/{number}"))
        .says(&address)
        .says("Whistle 1 (Blown)");
    signed("other", "en").get(&address).is(404);
    // Nothing of it is told to the public.
    town.browser("en")
        .get(&format!("/cases/{number}"))
        .is(200)
        .says_nothing_of("histle 1");

    water
        .get("/staff/whistles")
        .is(200)
        .says(&address)
        .says("待签收")
        .says("分钟");
    water.whistle(&address, "sign", &[]).is(200).says("已签收");
    water.whistle(&address, "report_in", &[]).is(200).says("已报到");
    roads
        .whistle(&address, "refuse", &[("text", "All diggers are out")])
        .says("Noted.");
    roads.get("/staff/whistles").says_nothing_of(&address);
    roads.get("/staff/whistles?tab=called_over").says(&address);
    // Who has refused is offered nothing more.
    roads.get(&address).says("Nothing, for your post");

    let confirm = [("unit", "WATER"), ("present", "yes")];
    station
        .whistle(&address, "confirm", &confirm)
        .is(200)
        .says("1 of 3 are there")
        .says("All diggers are out");
    station
        .get(&address)
        .says_nothing_of(&format!("action=\"{address}/close\""));
    let minutes = [
        ("text", "Shut the valve first, then dig."),
        ("duty-1-what", "shut the valve"),
        ("duty-1-unit", "WATER"),
        ("duty-1-case", number.as_str()),
        ("duty-1-limit", "4h working"),
        ("duty-3-what", "mend the pipe"),
        ("duty-3-unit", "PIPES"),
        ("duty-3-limit", "2d working"),
    ];
    station
        .whistle(&address, "minutes", &minutes)
        .is(200)
        .says("Shut the valve first")
        .says("mend the pipe");
    let sheet = station.get(&format!("{address}/minutes"));
    sheet
        .is(200)
        .says("class=\"wide sheet\"")
        .says("Signature")
        .says("2. mend the pipe")
        .says("Water Department");
    water.get(&format!("{address}/minutes")).is(200).says("会商纪要");

    let page = station.get(&address);
    let (token, stale) = (page.hidden("token"), "2");
    station
        .post(&format!("{address}/close"), &[("token", &token), ("seen", stale)])
        .is(409)
        .says("Something else happened meanwhile");
    station
        .whistle(&address, "close", &[("text", "Done for today")])
        .is(200)
        .says("Closed");
    water
        .whistle(&address, "finish", &[("duty", "1")])
        .is(200)
        .says("已完成");
    station
        .whistle(
            &address,
            "rate_unit",
            &[("unit", "WATER"), ("speed", "good"), ("quality", "fair")],
        )
        .says("speed good, quality fair");
    roads
        .whistle(&address, "rate_whistle", &[("rating", "poor")])
        .says("poor");
    station.get("/staff/whistles").says_nothing_of(&address);
    station.get("/staff/whistles?tab=area_over").says(&address);
}

#[test]
fn who_blows_a_whistle_that_waits_for_approval_is_told_that_it_waits() {
    let town = Town::open();
    let village = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let folder = town.dir.path().join("village");
    copy_folder(&village, &folder);
    let posts = folder.join("posts.csv");
    let more = "T100-D,派遣员,,Dispatcher,T100,230599100,dispatcher\nT100-L,站长,,Head,T100,230599100,lead\n";
    std::fs::write(&posts, std::fs::read_to_string(&posts).unwrap() + more).unwrap();
    town.whistle.apply(&folder).unwrap();
    town.add_user("town", &["T100-D"]);
    town.add_user("head", &["T100-L"]);
    let (number, _) = town.browser("en").report(&[]);
    let [mut zh, mut en, mut head] = ["zh", "en", "en"].map(|lang| town.browser(lang));
    zh.sign_in("town");
    en.sign_in("town");
    head.sign_in("head");
    let waits = zh.blow_kind("HARD", &number, &["WATER"]);
    zh.get(&waits)
        .says("已提交，待批准后召集。")
        .says("待审批")
        .says_nothing_of("正在通知应哨单位");
    en.get(&waits).says("Sent for approval.");
    let address = waits.split('?').next().unwrap();
    head.whistle(address, "approve", &[])
        .is(200)
        .says("Approved; the units are called.");
    let called = zh.blow_kind("URGENT", &number, &["WATER"]);
    zh.get(&called).says("已吹哨，正在通知应哨单位。");
}

#[test]
fn what_is_hidden_is_not_there_for_the_public_but_for_its_reporter() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.act(&number, "show", &[]).is(400);
    desk.act(&number, "show", &[("text", "It names a neighbour")])
        .is(303);
    let mut public = town.browser("en");
    for path in [format!("/cases/{number}"), format!("/cases/{number}/join")] {
        public.get(&path).is(404);
    }
    public.get("/cases").says_nothing_of(&format!("/cases/{number}"));
    public
        .post(&format!("/cases/{number}/join"), &[("text", "me too")])
        .is(404);
    reporter.get("/follow/case").is(200).says("not public");
}

#[test]
fn what_cannot_be_read_is_told_at_its_field_in_plain_words() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let anyway = |more: &[(&'static str, &'static str)]| [&LEAK[..], more, &[("step", "anyway")]].concat();
    let half = &picture()[..40];
    browser
        .post_with_photo("/report", &anyway(&[]), half)
        .is(400)
        .says("damaged or did not arrive whole")
        .says("Water runs over the road");
    let other = browser.post_with_file("/report", &anyway(&[]), ("attachment", "p.png"), &picture());
    other.is(400);
    for (lat, lon) in [("1e308", "131.8"), ("NaN", "131.8"), ("46.2", "")] {
        let fields: Vec<_> = LEAK
            .into_iter()
            .filter(|(name, _)| !matches!(*name, "lat" | "lon"))
            .collect();
        let fields = [&fields[..], &[("lat", lat), ("lon", lon)]].concat();
        browser
            .post("/report", &fields)
            .is(400)
            .says("Write both as decimal degrees");
    }
    let long = "x".repeat(1 << 20);
    let fields: Vec<_> = LEAK
        .into_iter()
        .filter(|(name, _)| *name != "description")
        .collect();
    let fields = [&fields[..], &[("description", long.as_str())]].concat();
    browser.post("/report", &fields).is(400).says("at most 4000 fit");
    browser
        .post_with_photo("/report", &fields, &picture())
        .is(413)
        .says("at most 4000 letters");
}

#[test]
fn a_photo_too_large_is_refused_and_the_rest_of_the_form_is_kept() {
    let town = Town::open();
    let page = town
        .browser("en")
        .post_with_photo("/report", &LEAK, &vec![0; (10 << 20) + 1]);
    page.is(400)
        .says("larger than 10 MB")
        .says("Water runs over the road");
}

#[test]
fn a_patrol_reports_what_it_fixed_on_the_spot() {
    let town = Town::open();
    town.add_user("patrol", &["T100-P", "T101-P"]);
    let mut patrol = town.browser("en");
    patrol.sign_in("patrol");
    let form = patrol.get("/staff/report?service=RD-HOLE");
    let token = form.is(200).says("Fixed on the spot").hidden("token");
    let fields = [
        ("token", token.as_str()),
        ("service", "RD-HOLE"),
        ("area", "230599100200"),
        ("description", "A small hole"),
        ("fixed", "yes"),
        ("done", "Filled with gravel"),
        ("channel", "patrol"),
    ];
    let (number, _) = number_and_code(patrol.post("/staff/report", &fields).is(200));
    patrol
        .get(&format!("/staff/cases/{number}"))
        .is(200)
        .says("fixed on the spot");
    patrol
        .post_on("/staff/post", &[("token", &token), ("post", "T101-P")])
        .is(200);
    patrol.get(&format!("/staff/cases/{number}")).is(404);
    assert_eq!(
        patrol
            .post("/staff/sign-out", &[("token", &token)])
            .is(303)
            .location(),
        "/staff/sign-in"
    );
    patrol.get("/staff").is(303);
}

#[test]
fn forged_forms_are_refused() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (number, _) = town.browser("en").report(&[]);
    let mut desk = town.browser("en");
    desk.post(
        "/staff/sign-in",
        &[("login", "desk"), ("password", "wrong wrong wrong")],
    )
    .is(401);
    desk.sign_in("desk");
    let accept = format!("/staff/cases/{number}/accept");
    desk.post(&accept, &[("token", "0".repeat(64).as_str())])
        .is(403)
        .says("expired");
    desk.post(&accept, &[]).is(403);
    let token = desk.get("/staff").hidden("token");
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let request = Request::post(&accept)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(name, value);
        desk.send(request.body(Body::from(format!("token={token}"))).unwrap())
            .is(403);
    }
    desk.post(&accept, &[("token", &token)]).is(303);
}

/// The first thing on a page that begins like this.
#[track_caller]
fn address(seen: &Seen, begin: &str) -> String {
    let text = seen.text();
    let (_, rest) = text
        .split_once(begin)
        .unwrap_or_else(|| panic!("no {begin} in:\n{text}"));
    let rest = rest.split(['"', '<']).next().unwrap();
    format!("{begin}{rest}")
}

#[test]
fn several_units_work_on_a_case_and_the_lead_hands_it_in_last() {
    let town = Town::open();
    for (login, post) in [("desk", "CITY-D"), ("water", "WATER-H"), ("roads", "ROADS-H")] {
        town.add_user(login, &[post]);
    }
    let (number, _) = town.browser("en").report(&[]);
    let case = format!("/staff/cases/{number}");
    let [mut desk, mut water, mut roads] = ["desk", "water", "roads"].map(|login| {
        let mut browser = town.browser("en");
        browser.sign_in(login);
        browser
    });
    desk.act(&number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    roads.get(&case).is(404);
    let part = [("unit", "ROADS"), ("text", "Close the lane")];
    desk.act(
        &number,
        "assign_joint",
        &[&part[..], &[("limit", "soon")]].concat(),
    )
    .is(400)
    .says("Choose one of the limits.")
    .says("4 working hours");
    desk.act(
        &number,
        "assign_joint",
        &[&part[..], &[("limit", "4h working")]].concat(),
    )
    .is(303);
    roads.get("/staff?tab=joint").is(200).says(&case);
    roads
        .get(&case)
        .is(200)
        .says("Close the lane")
        .says("Part in it")
        .says_nothing_of("/report_in\"");
    water.act(&number, "report_in", &[]).is(303);
    let work = [("outcome", "resolved"), ("text", "A new valve")];
    water
        .act(&number, "handle", &work)
        .is(400)
        .says("parts, handed in or released");
    roads
        .act(&number, "handle_joint", &[("text", "The lane was closed")])
        .is(303);
    water.get(&case).says("The lane was closed");
    water.act(&number, "handle", &work).is(303);
}

#[test]
fn a_unit_asks_its_station_decides_and_lists_show_what_is_asked() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("lead", &["CITY-L"]);
    town.add_user("water", &["WATER-H"]);
    let (number, _) = town.browser("en").report(&[]);
    let [mut desk, mut lead, mut water] = ["desk", "lead", "water"].map(|login| {
        let mut browser = town.browser("en");
        browser.sign_in(login);
        browser
    });
    desk.act(&number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    water
        .act(
            &number,
            "ask_to_park",
            &[("until", "2026-05-20"), ("text", "Parts are ordered")],
        )
        .is(303);
    desk.get("/staff?tab=open").says("asks to park until 20 May 2026");
    let page = desk.get(&format!("/staff/cases/{number}"));
    page.says("Parts are ordered").says("Grant the request");
    desk.act(&number, "grant_request", &[]).is(303);
    desk.get("/staff?tab=open").says("parked until 20 May 2026");
    lead.act(
        &number,
        "supervise",
        &[("kind", "ordered"), ("text", "The mayor asked")],
    )
    .is(303);
    water
        .get(&format!("/staff/cases/{number}"))
        .says("supervised: ordered from above")
        .says("The mayor asked");
}

#[test]
fn a_question_is_answered_on_its_own_page_without_a_code_and_once() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("crew", &["WATER-H"]);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[("email", "r@example.org")]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let ask = [
        ("report", "1"),
        ("choices", "Yes\nNo"),
        ("until", "2026-05-10"),
        ("text", "Is the gate open?"),
    ];
    desk.get(&format!("/staff/cases/{number}"))
        .says("Answer by")
        .says("<option value=\"1\" selected>");
    // Nobody is asked by mistake.
    for nobody in ["", "x"] {
        desk.act(&number, "ask", &[&[("report", nobody)], &ask[1..]].concat())
            .is(400)
            .says("Choose who is asked.");
    }
    desk.act(&number, "ask", &ask).is(303);
    let shown = desk.get(&format!("/staff/cases/{number}"));
    shown.says("Is the gate open?").says("standing still");
    let link = address(&shown, "/ask/");
    reporter.get("/follow/case").says(&link);
    // The unit that has to wait for the answer does not get the link to answer itself.
    desk.act(&number, "accept", &[]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    let mut crew = town.browser("en");
    crew.sign_in("crew");
    crew.get(&format!("/staff/cases/{number}"))
        .says("Is the gate open?")
        .says_nothing_of(&link);
    let mut stranger = town.browser("zh");
    let page = stranger.get(&link);
    page.is(200).says("Is the gate open?").says("value=\"Yes\"");
    assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
    page.says_nothing_of("Water runs over");
    stranger
        .post(&link, &[("choice", "Perhaps")])
        .is(400)
        .says("请从所列答案中选择");
    stranger
        .post_on(&link, &[("choice", "No"), ("text", "Only at night")])
        .is(200)
        .says("已收到您的答复，谢谢。")
        .says(&format!("/follow?number={number}"));
    stranger.post(&link, &[("choice", "Yes")]).is(410);
    stranger
        .get(&link)
        .is(200)
        .says("该问题已答复或已过期限。")
        .says_nothing_of("/follow?number=");
    // Who follows the case on this device goes back to it.
    reporter.get(&link).is(200).says("\"/follow/case\"");
    stranger.get(&format!("{}0", &link[..link.len() - 1])).is(404);
    desk.get(&format!("/staff/cases/{number}"))
        .says("Only at night")
        .says("The question was answered")
        .says_nothing_of("standing still");
}

#[test]
fn a_reporter_says_that_it_is_only_partly_fixed_and_shows_it() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("water", &["WATER-H"]);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[]);
    let (mut desk, mut water) = (town.browser("en"), town.browser("en"));
    desk.sign_in("desk");
    water.sign_in("water");
    desk.act(&number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    water.act(&number, "report_in", &[]).is(303);
    water
        .act(
            &number,
            "handle",
            &[("outcome", "resolved"), ("text", "A new valve")],
        )
        .is(303);
    let page = reporter.get("/follow/case");
    page.says("Yes, it is fixed")
        .says("Only partly")
        .says("No, it is not");
    let version = page.hidden("seen");
    let fields = [("verb", "verify_partly"), ("seen", version.as_str())];
    reporter.post("/follow/case", &fields).is(400).says("a few words");
    let fields = [&fields[..], &[("text", "The wall is still wet")]].concat();
    reporter
        .post_with_photo("/follow/case", &fields, &picture())
        .is(303);
    // The standard of the leak sends it back to work.
    water
        .get(&format!("/staff/cases/{number}"))
        .says("The wall is still wet")
        .says("reworked once")
        .says(&format!("/cases/{number}/photos/"));
}

#[test]
fn who_reported_a_merged_case_sees_by_the_old_code_how_the_other_goes_on() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (original, _) = town.browser("en").report(&[]);
    let mut second = town.browser("en");
    let (merged, _) = second.report(&[("step", "anyway"), ("email", "second@example.org")]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.act(&merged, "merge", &[("into", &original)]).is(303);
    desk.act(&original, "decline", &[("text", "It is rain water")])
        .is(303);
    second
        .get("/follow/case")
        .is(200)
        .says(&format!("Goes on as case {original}"))
        .says("It is rain water")
        .says_nothing_of("request_reopen");
    let case = format!("/staff/cases/{original}");
    let page = desk.get(&case);
    page.says("Merged into this one")
        .says("One reporter of a merged case is answered here too.")
        .says_nothing_of("second@example.org");
    let token = page.hidden("token");
    desk.post(&format!("{case}/contacts"), &[("token", &token)])
        .is(200)
        .says("second@example.org")
        .says(&format!("<a href=\"/staff/cases/{merged}\">{merged}</a> · "));
    desk.get(&format!("/staff/cases/{merged}"))
        .says("Contact data looked at");
    // Whoever names a duplicate is told which case goes on.
    let (third, _) = town.browser("en").report(&[("step", "anyway")]);
    desk.act(&third, "merge", &[("into", &merged)])
        .is(400)
        .says(&format!("It was merged into {original}; write that number."));
}

#[test]
fn what_was_escalated_is_a_list_of_its_own_with_how_high_up() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("water", &["WATER-H"]);
    let (number, _) = town.browser("en").report(&[]);
    for login in ["desk", "water"] {
        let mut browser = town.browser("en");
        browser.sign_in(login);
        browser
            .get("/staff?tab=escalated&escalated=town")
            .is(200)
            .says("<option value=\"town\" selected>to the town or higher</option>")
            .says_nothing_of(&format!("/staff/cases/{number}\""));
        browser
            .get("/staff/cases?escalated=city")
            .is(200)
            .says("<option value=\"city\" selected>")
            .says_nothing_of(&format!("/staff/cases/{number}\""));
    }
}

#[test]
fn the_queue_is_narrowed_by_unit_post_area_service_stage_and_what_is_due() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (number, _) = town.browser("en").report(&[]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.act(&number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    let row = format!("data-number=\"{number}\"");
    for holds in [
        "unit=WATER",
        "post=WATER-H",
        "post=T100-P",
        "area=230599100",
        "service=WAT",
        "service=WAT-LEAK&order=newest",
        "stage=assigned&order=updated",
        "parked=no",
        // A code that the place no longer has narrows nothing.
        "unit=GONE&post=GONE&area=GONE&service=GONE",
    ] {
        desk.get(&format!("/staff?tab=open&{holds}")).is(200).says(&row);
    }
    for does_not in [
        "unit=ROADS",
        "post=ROADS-H",
        "post=T101-P",
        "area=230599101",
        "service=RD",
        "stage=handled",
        "parked=yes",
        "due=overdue",
        "unit=WATER&area=230599101",
    ] {
        desk.get(&format!("/staff?tab=open&{does_not}"))
            .is(200)
            .says_nothing_of(&row);
    }
}

#[test]
fn a_view_is_kept_for_oneself_or_for_the_post_begun_with_renamed_and_removed() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("relief", &["CITY-D"]);
    town.add_user("water", &["WATER-H"]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let token = desk.get("/staff?tab=open&area=230599100").hidden("token");
    let keep = |browser: &mut Browser<'_>, token: &str, name: &str, more: &[(&str, &str)]| {
        let query = ("query", "tab=open&area=230599100&evil=1\r\nx");
        let fields = [&[("token", token), ("name", name), query], more].concat();
        browser.post("/staff/views", &fields)
    };
    keep(&mut desk, &token, " ", &[]).is(400).says("needs a name");
    let own = keep(&mut desk, &token, "Mill side", &[]).is(303).location();
    assert_eq!(own, "/staff?tab=open&area=230599100&view=1");
    let shared = keep(&mut desk, &token, "For <all>", &[("shared", "yes")]);
    shared.is(303);
    desk.get(&own)
        .says("aria-current=\"page\">Mill side</a>")
        .says("For &#60;all&#62;</a> <span class=\"tag\">of the post</span>");
    let mut relief = town.browser("en");
    relief.sign_in("relief");
    let seen = relief.get("/staff");
    seen.says("For &#60;all&#62;").says_nothing_of("Mill side");
    let other = seen.hidden("token");
    let mut water = town.browser("en");
    water.sign_in("water");
    let seen = water.get("/staff");
    seen.says_nothing_of("Mill side")
        .says_nothing_of("For &#60;all&#62;");
    let foreign = seen.hidden("token");
    for (browser, token, view) in [(&mut water, &foreign, 2), (&mut relief, &other, 1)] {
        for change in ["rename", "remove", "first"] {
            let fields = [("token", token.as_str()), ("name", "mine now")];
            browser
                .post(&format!("/staff/views/{view}/{change}"), &fields)
                .is(404);
        }
    }
    let rename = [("token", other.as_str()), ("name", "Ours"), ("query", "tab=open")];
    relief.post("/staff/views/2/rename", &rename).is(303);
    desk.post("/staff/views/1/first", &[("token", &token)]).is(303);
    // Whoever signs in begins with it; a tab leads elsewhere.
    desk.get("/staff")
        .says("aria-current=\"page\">Mill side</a>")
        .says("<option value=\"230599100\" selected>")
        .says(">Ours</a>");
    desk.get("/staff?tab=mine")
        .says_nothing_of("aria-current=\"page\">Mill side");
    desk.post("/staff/views/1/remove", &[("token", &token)]).is(303);
    desk.get("/staff")
        .says_nothing_of("Mill side")
        .says_nothing_of("<option value=\"230599100\" selected>");
    for n in 0..20 {
        keep(&mut desk, &token, &format!("view {n}"), &[]).is(303);
    }
    keep(&mut desk, &token, "one more", &[])
        .is(400)
        .says("remove one first");
}

#[test]
fn one_step_is_done_to_several_cases_each_by_itself_and_what_came_of_each_is_said() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("water", &["WATER-H"]);
    let mut reporter = town.browser("en");
    let spots = [
        ("46.205", "131.805"),
        ("46.215", "131.835"),
        ("46.206", "131.831"),
    ];
    let numbers = spots.map(|(lat, lon)| {
        let at = [("lat", lat), ("lon", lon), ("send", "yes"), ("seen", "yes")];
        reporter.report_at(&at)
    });
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    for number in &numbers {
        desk.act(number, "accept", &[("standard", "WAT-LEAK-2")]).is(303);
        desk.act(number, "assign", &[("unit", "WATER")]).is(303);
    }
    let mut water = town.browser("en");
    water.sign_in("water");
    let queue = water.get("/staff?tab=mine");
    let token = queue.hidden("token");
    let picks: Vec<String> = numbers
        .iter()
        .map(|number| {
            let text = queue.text();
            let (_, rest) = text
                .split_once(&format!("name=\"case\" value=\"{number}."))
                .unwrap_or_else(|| panic!("{number} is not in:\n{text}"));
            format!("{number}.{}", rest.split('"').next().unwrap())
        })
        .collect();
    let with = |token: &str, more: &[(&str, &str)]| -> Vec<(String, String)> {
        let mut fields = vec![("token".to_owned(), token.to_owned())];
        fields.extend(picks.iter().map(|pick| ("case".to_owned(), pick.clone())));
        fields.extend(more.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        fields
    };
    let post = |browser: &mut Browser<'_>, path: &str, fields: &[(String, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        browser.post(path, &fields)
    };
    let asked = post(&mut water, "/staff/bulk", &with(&token, &[]));
    asked
        .is(200)
        .says("3 cases are selected.")
        .says("action=\"/staff/bulk/report_in\"")
        .says_nothing_of("action=\"/staff/bulk/handle\"");
    // One of them is changed by somebody else meanwhile.
    water.act(&numbers[1], "report_in", &[]).is(303);
    let done = post(&mut water, "/staff/bulk/report_in", &with(&token, &[]));
    done.is(200)
        .says("Done with 2 cases")
        .says("one was not done")
        .says("name=\"case\"");
    water
        .get(&format!("/staff/cases/{}", numbers[2]))
        .says("action=\"/staff/cases/");
    // What the table of transitions does not let them do together, or what is no such step, is refused.
    let nothing = [("token".to_owned(), token.clone())];
    post(&mut water, "/staff/bulk", &nothing)
        .is(200)
        .says("No case is selected");
    post(&mut water, "/staff/bulk/merge", &with(&token, &[])).is(404);
    post(&mut water, "/staff/bulk/report_in", &nothing).is(400);
    // A post that may not see a case learns nothing of it, whatever it sends.
    town.add_user("roads", &["ROADS-H"]);
    let mut roads = town.browser("en");
    roads.sign_in("roads");
    let token = roads.get("/staff").hidden("token");
    post(&mut roads, "/staff/bulk", &with(&token, &[]))
        .is(200)
        .says("No case is selected")
        .says_nothing_of("Leaking pipe");
    post(
        &mut roads,
        "/staff/bulk/comment",
        &with(&token, &[("text", "so")]),
    )
    .is(400);
}

#[test]
fn a_part_of_a_case_is_split_off_and_both_pages_name_the_other() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (number, _) = town.browser("en").report(&[]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.act(&number, "split", &[("service", "RD-HOLE")])
        .is(400)
        .says("a few words");
    let split = desk.act(
        &number,
        "split",
        &[("service", "RD-HOLE"), ("text", "The road has sunk")],
    );
    let part = split.is(303).location();
    assert!(!part.contains(&format!("/{number}?")), "{part}");
    desk.get(&part)
        .is(200)
        .says("Split off; this is the new case.")
        .says("The road has sunk")
        .says(&format!(
            "<dt>Split off from</dt><dd><a href=\"/staff/cases/{number}\""
        ));
    desk.get(&format!("/staff/cases/{number}"))
        .says("<dt>Split into</dt>");
}

#[test]
fn staff_who_meet_a_fault_keep_their_menu_and_find_back_to_the_queue() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let mut desk = town.browser("en");
    let outside = |seen: &Seen| {
        seen.says("To the first page").says_nothing_of("/staff/sign-out");
    };
    outside(desk.get("/staff/nothing").is(404));
    desk.sign_in("desk");
    let inside = |seen: &Seen| {
        seen.says("href=\"/staff\">To your queue")
            .says("/staff/sign-out")
            .says_nothing_of("To the first page");
        // The form that signs out is one of this session's.
        assert!(!seen.hidden("token").is_empty());
    };
    inside(desk.get("/staff/nothing").is(404));
    inside(desk.get("/staff/cases/999").is(404));
    inside(desk.get("/staff/accounts").is(403));
    inside(desk.post("/staff/handover", &[("note", "x")]).is(403));
    // Who reads the public pages is not looked up.
    outside(desk.get("/nothing").is(404));
}

#[test]
fn a_shift_is_handed_over_with_what_is_open_and_a_note() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("night", &["CITY-D"]);
    town.add_user("far", &["T101-P"]);
    let (number, _) = town.browser("en").report(&[]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let page = desk.get("/staff/handover");
    page.is(200)
        .says("Also open")
        .says(&format!("/staff/cases/{number}"));
    page.says_nothing_of("Open whistles of the area");
    let whistle = desk.blow(&number, &["WATER"]);
    desk.get("/staff/handover")
        .says("Open whistles of the area")
        .says(&whistle);
    let token = page.hidden("token");
    desk.post("/staff/handover", &[("token", &token)])
        .is(400)
        .says("at most 2000 letters");
    desk.post_on(
        "/staff/handover",
        &[("token", &token), ("note", "The key is at the gate")],
    )
    .says("The note is kept.");
    let mut night = town.browser("zh");
    night.sign_in("night");
    night
        .get("/staff/handover")
        .says("The key is at the gate")
        .says("交班人：desk");
    let mut far = town.browser("en");
    far.sign_in("far");
    far.get("/staff/handover")
        .is(200)
        .says_nothing_of("The key is at the gate")
        .says_nothing_of(&format!("/staff/cases/{number}"));
}

#[test]
fn every_page_is_whole_in_both_languages() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    let (number, _) = town.browser("en").report(&[]);
    for lang in ["zh", "en"] {
        let mut browser = town.browser(lang);
        browser.sign_in("lead");
        let case = format!("/cases/{number}");
        let (join, staff_case) = (format!("{case}/join"), format!("/staff{case}"));
        let new_whistle = format!("/staff/whistles/new?case={number}");
        let sheet = format!("{staff_case}/print");
        for path in [
            "/",
            // In three steps it has a script, where scripts were built; see tests/browser/steps.test.js.
            "/report?plain=1",
            "/report?service=WAT-LEAK",
            "/report?service=RD-HOLE&area=230599100200",
            "/cases",
            "/cases?state=open&service=WAT&area=230599100",
            &case,
            &join,
            "/follow",
            "/privacy",
            "/about",
            "/feeds/cases.atom",
            "/staff/sign-in",
            "/staff",
            "/staff?tab=open",
            "/staff?tab=reopen",
            "/staff/cases",
            "/staff/cases?stage=reported&unit=WATER",
            &staff_case,
            "/staff/report",
            "/staff/report?service=WAT-LEAK",
            "/staff/round",
            "/staff/poster?area=230599100&each=yes",
            &sheet,
            "/staff/whistles",
            "/staff/whistles?tab=called_over",
            "/staff/whistles/new",
            &new_whistle,
            "/staff/account",
            "/staff/account/second-factor",
            "/staff/accounts",
            "/staff/handover",
            "/staff/webhooks",
            "/staff/house",
            "/staff/keys",
            "/staff/notices",
            "/staff/place",
        ] {
            let page = browser.get(path);
            page.is(200);
            assert!(page.headers.contains_key(header::CONTENT_SECURITY_POLICY));
            if !path.ends_with("atom") {
                assert_eq!(page.text().matches("<h1").count(), 1, "{path}");
                // A script is a file of this server, and none is within a page.
                let (text, of_front) = (page.text(), "<script type=\"module\" src=\"/assets/front/");
                let scripts = text.matches("<script").count();
                assert_eq!(scripts, text.matches(of_front).count(), "{path}");
                assert!(!text.contains(" style="), "{path}");
            }
        }
        browser.get("/nowhere").is(404);
        browser.get("/cases/0").is(404);
        browser.get("/cases/99999999").is(404);
        browser.get("/cases?after=zzz").is(400);
    }
    // The switch is remembered.
    let mut browser = town.browser("en");
    browser
        .get("/cases?lang=zh&state=open")
        .says("公开案件")
        .says("/cases?state=open&#38;lang=en");
    browser.get("/").says("上报问题");
}

#[test]
fn the_privacy_page_names_every_field_about_people_and_the_days_of_the_place() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let page = browser.get("/privacy");
    page.says(
        "Until 180 days after the case is closed; if it was merged into another, after that one is closed.",
    );
    for purpose in whistle_service::privacy::Purpose::ALL {
        for column in purpose.columns() {
            page.says(&format!("<code>{column}</code>"));
        }
    }
    town.browser("zh")
        .get("/privacy")
        .says("结案 180 天后删除；已并入其他案件的，从后者结案起算。");
}

#[test]
fn a_reporter_sees_who_looked_corrects_and_erases_and_staff_see_that_it_was_erased() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let mut reporter = town.browser("en");
    reporter.get("/follow/mine").is(303);
    let (number, _) = reporter.report(&[("name", "Wang"), ("email", "wang@example.org")]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let case = format!("/staff/cases/{number}");
    let token = desk
        .get(&case)
        .says_nothing_of("Contact data looked at")
        .hidden("token");
    desk.post(&format!("{case}/contacts"), &[("token", &token)])
        .says("wang@example.org")
        .says("Contact data looked at");
    let page = reporter.get("/follow/mine");
    page.is(200)
        .says("wang@example.org")
        .says("Water runs over the road");
    page.says("· Dispatcher").says("Nothing so far.");
    let file = reporter.get("/follow/mine.json");
    let disposition = file.is(200).headers[header::CONTENT_DISPOSITION]
        .to_str()
        .unwrap();
    assert_eq!(
        disposition,
        format!("attachment; filename=\"whistle-{number}.json\"")
    );
    let own: serde_json::Value = serde_json::from_str(&file.text()).unwrap();
    assert_eq!(own["contact"]["email"], "wang@example.org");
    assert_eq!(own["views"][0]["post"], "CITY-D");

    reporter
        .post("/follow/mine/contact", &[("email", "nobody")])
        .is(400);
    reporter
        .post("/follow/mine/contact", &[("phone", "0700 2")])
        .is(303);
    reporter
        .get("/follow/mine?done=contact")
        .says("0700 2")
        .says("What you left empty is not stored.")
        .says_nothing_of("wang@example.org");
    reporter.post("/follow/mine/erase", &[]).is(303);
    reporter
        .get("/follow/mine?done=erase")
        .says("There is nothing left to erase.")
        .says_nothing_of("0700 2")
        .says_nothing_of("Water runs over the road");
    desk.get(&case)
        .is(200)
        .says("Reporter&#39;s data erased")
        // The description, and the address as it was typed.
        .says("contact data, 2 texts")
        .says_nothing_of("Water runs over the road");
    town.browser("zh").get(&format!("/cases/{number}")).is(200);
}

#[test]
fn an_account_ends_its_other_sessions_and_changes_its_password() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (mut here, mut lost) = (town.browser("en"), town.browser("en"));
    here.sign_in("desk");
    lost.sign_in("desk");
    let page = here.get("/staff/account");
    page.is(200).says("This one").says("Where I am signed in");
    let (token, session) = (page.hidden("token"), page.hidden("session"));
    here.post_on(
        "/staff/account/sessions",
        &[("token", &token), ("session", &session)],
    )
    .is(200)
    .says_nothing_of("name=\"session\"");
    lost.get("/staff").is(303);

    lost.sign_in("desk");
    let new = "a new and longer sentence";
    let set = |browser: &mut Browser<'_>, old: &str, new: &str, again: &str| {
        let fields = [
            ("token", token.as_str()),
            ("old", old),
            ("new", new),
            ("again", again),
        ];
        browser.post("/staff/account/password", &fields)
    };
    set(&mut here, "not it at all", new, new)
        .is(400)
        .says("not the password until now");
    set(&mut here, PASSWORD, new, "something else")
        .is(400)
        .says("not the same");
    set(&mut here, PASSWORD, "short", "short").is(400).says("10");
    lost.get("/staff").is(200);
    set(&mut here, PASSWORD, new, new).is(303);
    here.get("/staff/account?done=password")
        .is(200)
        .says("all other sessions are ended");
    lost.get("/staff").is(303);
    lost.post("/staff/sign-in", &[("login", "desk"), ("password", PASSWORD)])
        .is(401);
    lost.post("/staff/sign-in", &[("login", "desk"), ("password", new)])
        .is(303);
}

/// What an app shows that got a secret, at a step of time from the one that has just begun: each look at the clock takes a second.
fn code(town: &Town, secret: &str, steps: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(secret).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret).build().unwrap();
    let begun = std::iter::repeat_with(|| town.whistle.now().as_second()).find(|second| second % 30 < 3);
    let at = begun.unwrap() + 30 * steps;
    totp.generate(at as u64).to_string()
}

/// Sets up a second factor from its page; answers the secret and the recovery codes.
fn enrol(town: &Town, browser: &mut Browser<'_>) -> (String, Vec<String>) {
    enrol_with(town, browser, PASSWORD)
}

/// The same for an account with another password.
fn enrol_with(town: &Town, browser: &mut Browser<'_>, password: &str) -> (String, Vec<String>) {
    const PAGE: &str = "/staff/account/second-factor";
    let token = browser.get(PAGE).is(200).hidden("token");
    // A session that somebody left open is not enough.
    browser
        .post(PAGE, &[("token", &token), ("password", "not it at all")])
        .is(400)
        .says("This is not your password.")
        .says_nothing_of("data:image/svg+xml,");
    let page = browser.post(PAGE, &[("token", &token), ("password", password)]);
    page.is(200).says("data:image/svg+xml,");
    let codes_in = |page: &Seen| -> Vec<String> {
        let text = page.text();
        let parts = text.split("<code>").skip(1);
        parts
            .map(|part| part.split('<').next().unwrap().to_owned())
            .collect()
    };
    let secret = codes_in(&page).remove(0);
    let confirm = format!("{PAGE}/confirm");
    let wrong = code(town, &secret, 50);
    browser
        .post(&confirm, &[("token", &token), ("code", &wrong)])
        .is(400)
        .says("The code that the app shows now")
        .says_nothing_of(&secret);
    browser
        .get(PAGE)
        .says_nothing_of(&secret)
        .says_nothing_of("data:image/svg+xml,");
    let right = code(town, &secret, -1);
    let done = browser.post(&confirm, &[("token", &token), ("code", &right)]);
    done.is(200).says("shown this once only");
    browser
        .get(PAGE)
        .says("Recovery codes left")
        .says_nothing_of(&secret);
    (secret, codes_in(&done))
}

#[test]
fn with_a_second_factor_the_password_is_half_the_way_and_no_code_is_taken_twice() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (mut desk, mut other) = (town.browser("en"), town.browser("en"));
    desk.sign_in("desk");
    other.sign_in("desk");
    let (secret, recovery) = enrol(&town, &mut desk);
    assert_eq!(recovery.len(), 10);
    desk.get("/staff").is(200);
    other.get("/staff").is(303);

    let half = other
        .post("/staff/sign-in", &[("login", "desk"), ("password", PASSWORD)])
        .is(200)
        .hidden("half");
    other.get("/staff").is(303);
    let enter = |browser: &mut Browser<'_>, half: &str, code: &str| {
        browser
            .post("/staff/sign-in/code", &[("half", half), ("code", code)])
            .status
            .as_u16()
    };
    let now = code(&town, &secret, 0);
    assert_eq!(enter(&mut other, &half, &code(&town, &secret, 50)), 401);
    assert_eq!(enter(&mut other, &half.replace('.', "0."), &now), 303);
    other.get("/staff").is(303);
    assert_eq!(enter(&mut other, &half, &now), 303);
    other.get("/staff").is(200);
    let mut third = town.browser("en");
    assert_eq!(enter(&mut third, &half, &now), 401, "used before");
    let lost = recovery[3].to_lowercase().replace('-', " ");
    assert_eq!(enter(&mut third, &half, &lost), 303);
    third.get("/staff").is(200);
    assert_eq!(enter(&mut third, &half, &lost), 401, "used before");

    let here = town.whistle.places().all()[0].clone();
    town.whistle.reset_second_factor(&here, "desk").unwrap();
    third.get("/staff").is(303);
    third.sign_in("desk");
}

/// A town whose staff can sign in by a provider.
fn with_provider() -> (There, Town) {
    let there = There::new();
    let provider = Provider {
        issuer: there.issuer(),
        client_id: CLIENT.0.to_owned(),
        client_secret: CLIENT.1.to_owned(),
        label: Text::plain("City account"),
        scopes: vec!["email".to_owned()],
        name_claim: "email".to_owned(),
        second_factor: Counts::Never,
    };
    let town = Town::open_with(|site| site.provider = Some(provider));
    (there, town)
}

/// The address with which the browser comes back whom the provider lets in.
fn comes_back(town: &Town, there: &There, address: &str, email: &str) -> String {
    let now = town.whistle.now().as_second();
    let (state, code) = there.lets_in(address, now, Signed::Well, |claims| {
        claims["email"] = json!(email);
        claims["email_verified"] = json!(true);
        claims["sub"] = json!(email);
    });
    format!("/staff/sign-in/provider/back?state={state}&code={code}")
}

#[test]
fn the_provider_signs_in_whom_an_administrator_linked_and_the_code_of_the_app_is_asked_for_after_it() {
    let (there, town) = with_provider();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("lead", &["CITY-L"]);
    let (mut desk, mut lead) = (town.browser("en"), town.browser("en"));
    let begin = "/staff/sign-in/provider?next=%2Fstaff%2Fcases%3Fq%3D1";
    desk.get("/staff/sign-in?next=%2Fstaff%2Fcases%3Fq%3D1")
        .says("Sign in with City account")
        .says(begin);
    let begun = desk.get(begin);
    let cookie = begun.is(303).headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    let back = comes_back(&town, &there, &begun.location(), "mei@city.example");
    desk.get(&back).is(403).says("No account here is linked");
    desk.get(&back).is(400).says("good once only");

    lead.sign_in("lead");
    let ways = "/staff/accounts/1/ways";
    let token = lead.get(ways).is(200).says("Linked to nobody").hidden("token");
    let link = format!("{ways}/link");
    lead.post(&link, &[("token", &token), ("name", " ")]).is(400);
    lead.post_on(&link, &[("token", &token), ("name", "Mei@city.example")])
        .says("Waits for mei@city.example");

    let begun = desk.get(begin);
    let back = comes_back(&town, &there, &begun.location(), "mei@city.example");
    assert_eq!(desk.get(&back).is(303).location(), "/staff/cases?q=1");
    desk.get("/staff").is(200);
    enrol(&town, &mut desk);
    let mut other = town.browser("zh");
    let begun = other.get("/staff/sign-in/provider");
    let back = comes_back(&town, &there, &begun.location(), "mei@city.example");
    other.get(&back).is(200).says("name=\"half\"");
    other.get("/staff").is(303);
    lead.post(&format!("{ways}/unlink"), &[("token", &token)]).is(303);
    desk.get("/staff").is(303);
}

#[test]
fn an_account_is_linked_by_a_form_of_its_own_session_and_from_no_other_site() {
    let (there, town) = with_provider();
    town.add_user("desk", &["CITY-D"]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let token = desk.get("/staff/account").says("Link my account").hidden("token");
    desk.post("/staff/account/provider", &[("token", "another")])
        .is(403);
    desk.get("/staff/account/provider").is(405);
    let page = desk.post("/staff/account/provider", &[("token", &token)]);
    page.is(200).says("Go to City account");
    let text = page.text().replace("&#38;", "&").replace("&amp;", "&");
    let from = text.find(&there.issuer()).unwrap();
    let address = text[from..].split('"').next().unwrap();
    let back = comes_back(&town, &there, address, "mei@city.example");
    // Whoever is sent that address is neither signed in nor linked.
    town.browser("zh").get(&back).is(400).says("重新开始");
    assert_eq!(desk.get(&back).is(303).location(), "/staff/account?done=linked");
    desk.get("/staff/account?done=linked")
        .says("Your account is linked.")
        .says("Linked to mei@city.example");
    desk.post("/staff/account/provider/remove", &[("token", &token)])
        .is(303);
    desk.get("/staff/account").says("Link my account");
}

#[test]
fn a_provider_that_does_not_answer_is_said_so_beside_the_form_for_the_password() {
    let (there, town) = with_provider();
    town.add_user("desk", &["CITY-D"]);
    there.set_away(true);
    let mut desk = town.browser("zh");
    desk.get("/staff/sign-in/provider?next=%2Fstaff")
        .is(502)
        .says("统一认证平台没有响应")
        .says("name=\"password\"");
    desk.sign_in("desk");
}

#[test]
fn codes_cannot_be_guessed_one_after_the_other() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let (secret, _) = enrol(&town, &mut desk);
    let half = desk
        .post("/staff/sign-in", &[("login", "desk"), ("password", PASSWORD)])
        .hidden("half");
    let mut enter = |code: &str| {
        let fields = [("half", half.as_str()), ("code", code)];
        desk.post("/staff/sign-in/code", &fields).status.as_u16()
    };
    let wrong = code(&town, &secret, 50);
    let answers: Vec<u16> = (0..7).map(|_| enter(&wrong)).collect();
    assert_eq!(answers, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(enter(&code(&town, &secret, 0)), 429);
}

#[test]
fn who_must_have_a_second_factor_gets_nowhere_without_one() {
    let town = Town::open_with(|site| site.second_factor_for = vec![Role::Lead]);
    town.add_user("lead", &["CITY-L"]);
    town.add_user("desk", &["CITY-D"]);
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    for path in ["/staff", "/staff/accounts", "/staff/cases", "/staff/account"] {
        assert_eq!(
            lead.get(path).is(303).location(),
            "/staff/account/second-factor",
            "{path}"
        );
    }
    lead.get("/staff/account/second-factor")
        .is(200)
        .says("Your post needs a second factor");
    enrol(&town, &mut lead);
    lead.get("/staff").is(200);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.get("/staff").is(200);
}

#[test]
fn an_administrator_disables_an_account_and_lets_it_in_again_but_not_their_own() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    town.add_user("patrol", &["T100-P"]);
    let (mut lead, mut patrol) = (town.browser("en"), town.browser("en"));
    lead.sign_in("lead");
    patrol.sign_in("patrol");
    patrol.get("/staff").is(200).says_nothing_of("/staff/accounts");
    let page = lead.get("/staff/accounts");
    page.is(200).says("signed in").says("Your own");
    let token = page.hidden("token");
    let address = |page: &Seen, change: &str| {
        let text = page.text();
        let before = text.split(&format!("/{change}\"")).next().unwrap().to_owned();
        format!(
            "{}/{change}",
            &before[before.rfind("/staff/accounts/").unwrap()..]
        )
    };
    let disable = address(&page, "disable");
    let page = lead.post_on(&disable, &[("token", &token)]);
    page.is(200).says("disabled</span>");
    patrol.get("/staff").is(303);
    patrol
        .post("/staff/sign-in", &[("login", "patrol"), ("password", PASSWORD)])
        .is(401);
    lead.post_on(&address(&page, "enable"), &[("token", &token)])
        .says_nothing_of("disabled</span>");
    patrol.sign_in("patrol");

    lead.post("/staff/accounts/1/disable", &[("token", &token)])
        .is(400);
    lead.post("/staff/accounts/99/disable", &[("token", &token)])
        .is(404);
    lead.post(&disable, &[("token", "forged")]).is(403);
    lead.get("/staff").is(200);
}

#[test]
fn an_administrator_resets_a_password_that_its_holder_must_change_and_a_second_factor() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    town.add_user("patrol", &["T100-P"]);
    let (mut lead, mut patrol) = (town.browser("en"), town.browser("en"));
    lead.sign_in("lead");
    patrol.sign_in("patrol");
    let page = lead.get("/staff/accounts");
    let token = page.hidden("token");
    let reset = address(&page, "/staff/accounts/");
    assert!(reset.ends_with("/disable"), "{reset}");
    let reset = reset.replace("/disable", "/password");
    let second = reset.replace("/password", "/second-factor");
    lead.post("/staff/accounts/1/password", &[("token", &token)])
        .is(400)
        .says("Nobody changes their own account here.");
    let page = lead.post(&reset, &[("token", &token)]);
    page.is(200).says("patrol").says("shown this once only");
    let text = page.text();
    let password = text.split_once("<code>").unwrap().1;
    let password = password.split('<').next().unwrap().to_owned();
    lead.get("/staff/accounts").says_nothing_of(&password);

    // The old one is good no more, and the new one leads to a page that asks for another.
    patrol.get("/staff").is(303);
    let sign_in = |browser: &mut Browser<'_>, password: &str| {
        browser
            .post("/staff/sign-in", &[("login", "patrol"), ("password", password)])
            .status
            .as_u16()
    };
    assert_eq!(sign_in(&mut patrol, PASSWORD), 401);
    assert_eq!(sign_in(&mut patrol, &password), 303);
    for path in [
        "/staff",
        "/staff/account",
        "/staff/account/second-factor",
        "/staff/cases",
    ] {
        let to = patrol.get(path).is(303).location();
        assert_eq!(to, "/staff/account/password", "{path}");
    }
    let page = patrol.get("/staff/account/password");
    let own = page
        .is(200)
        .says("An administrator reset your password.")
        .hidden("token");
    let mut set = |new: &str| {
        let fields = [
            ("token", own.as_str()),
            ("old", password.as_str()),
            ("new", new),
            ("again", new),
        ];
        patrol.post("/staff/account/password", &fields)
    };
    set(&password).is(400).says("This is the password until now.");
    set("a sentence of their own").is(303);
    patrol.get("/staff").is(200);
    assert_eq!(sign_in(&mut town.browser("en"), &password), 401);
    assert_eq!(sign_in(&mut town.browser("en"), "a sentence of their own"), 303);

    // Who lost the app and the codes signs in by the password again.
    let (mut again, fresh) = (town.browser("en"), "a sentence of their own");
    assert_eq!(sign_in(&mut again, fresh), 303);
    enrol_with(&town, &mut again, fresh);
    let mut lost = town.browser("en");
    assert_eq!(sign_in(&mut lost, fresh), 200);
    lead.post_on(&second, &[("token", &token)])
        .says("The second factor of patrol is taken off");
    again.get("/staff").is(303);
    assert_eq!(sign_in(&mut lost, fresh), 303);
    lost.get("/staff").is(200);

    // Who keeps no accounts resets none.
    let token = lost.get("/staff").hidden("token");
    lost.post(&reset, &[("token", &token)]).is(403);
}

#[test]
fn assets_are_kept_for_a_year_under_the_hash_of_what_they_are() {
    let town = Town::open();
    let mut browser = town.browser("en");
    let page = browser.get("/").text();
    let (_, rest) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let css = browser.get(rest.split('"').next().unwrap());
    assert!(
        css.is(200).headers[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
    assert!(css.body.len() < 25_000);
    browser.get("/assets/0000000000/whistle.css").is(404);
}

#[test]
fn pages_look_as_they_did() {
    let town = Town::open();
    let (number, _) = town.browser("en").report(&[]);
    let main = |seen: Seen| {
        let text = seen.text();
        let (_, rest) = text.split_once("<main").unwrap();
        rest.split("</main>").next().unwrap().to_owned()
    };
    insta::assert_snapshot!("home_zh", main(town.browser("zh").get("/")));
    insta::assert_snapshot!(
        "case_en",
        main(town.browser("en").get(&format!("/cases/{number}")))
    );
    insta::assert_snapshot!("services_zh", main(town.browser("zh").get("/report?plain=1")));
}

#[test]
fn no_page_asks_the_database_more_than_six_statements() {
    const AT_MOST: u64 = 6;
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("lead", &["CITY-L"]);
    town.add_user("water", &["WATER-H"]);
    let mut reporter = town.browser("en");
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let mut other = town.browser("en");
    let (number, _) = other.report(&[]);
    // More than one page of them, three merged into the first; the last is followed as one of these.
    for _ in 0..60 {
        other.report(&[("step", "anyway")]);
    }
    let mut merged = String::new();
    for _ in 0..3 {
        merged = reporter.report(&[("step", "anyway")]).0;
        let into = [("into", number.as_str()), ("text", "the same")];
        desk.act(&merged, "merge", &into).is(303);
    }
    let whistle = desk.blow(&number, &["WATER"]);
    let merged = format!("/staff/cases/{merged}");
    let sheet = format!("{whistle}/minutes");
    let case = format!("/cases/{number}");
    let staff_case = format!("/staff/cases/{number}");
    let public = [
        "/",
        "/report",
        "/report?service=WAT-LEAK",
        "/cases",
        &case,
        "/follow",
        "/follow/case",
        "/follow/mine",
        "/privacy",
        "/about",
        "/feeds/cases.atom",
        "/map",
        "/open311/v2/services.json",
        "/open311/v2/requests.json",
    ];
    let kept = [
        "/staff/house",
        "/staff/accounts",
        "/staff/acts",
        "/staff/keys",
        "/staff/notices",
        "/staff/place",
        "/staff/webhooks",
        &staff_case,
    ];
    let of_unit = ["/staff", "/staff/whistles", "/staff/handover", &whistle];
    let staff = [
        "/staff",
        "/staff/board",
        "/staff/cases",
        "/staff/cases?q=water",
        &staff_case,
        "/staff/report",
        "/staff/report?service=WAT-LEAK",
        "/staff/whistles",
        "/staff/whistles?tab=called",
        "/staff/whistles/new",
        &whistle,
        &sheet,
        "/staff/account",
        "/staff/account/devices",
        "/staff/account/passkeys",
        "/staff/handover",
        "/staff/stations",
        "/staff/stations/230599",
        &merged,
    ];
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    let mut water = town.browser("en");
    water.sign_in("water");
    let mut over = Vec::new();
    for (browser, paths) in [
        (&mut reporter, &public[..]),
        (&mut desk, &staff[..]),
        (&mut lead, &kept[..]),
        (&mut water, &of_unit[..]),
    ] {
        for path in paths {
            let before = town.whistle.load().statements;
            browser.get(path).is(200);
            let asked = town.whistle.load().statements - before;
            eprintln!("{path}: {asked}");
            if asked > AT_MOST {
                over.push((*path, asked));
            }
        }
    }
    assert_eq!(over, []);
}

#[test]
fn no_form_asks_the_database_more_than_six_statements_beside_those_of_its_commit() {
    const AT_MOST: u64 = 6;
    /// A report has its rows, one by which other processes learn of it, and a counter for each level of its area and for its
    /// service; a step of a case has fewer.
    const IN_COMMIT: u64 = 17;
    let town = Town::open();
    let logins = [("desk", "CITY-D"), ("water", "WATER-H"), ("patrol", "T100-P")];
    let (desk, water, patrol) = (0, 1, 2);
    let mut staff = logins.map(|(login, post)| {
        town.add_user(login, &[post]);
        town.browser("en")
    });
    let mut reporter = town.browser("en");
    let mut over = Vec::new();
    let mut post = |browser: &mut Browser<'_>, path: &str, fields: &[(&str, &str)]| {
        let before = town.whistle.load();
        let seen = browser.post(path, fields);
        let after = town.whistle.load();
        let in_commit = after.statements_of_writes - before.statements_of_writes;
        let beside = after.statements - before.statements - in_commit;
        eprintln!("{path}: {beside} and {in_commit}");
        assert!(in_commit > 0, "{path} changed nothing");
        if beside > AT_MOST || in_commit > IN_COMMIT {
            over.push((path.to_owned(), beside, in_commit));
        }
        seen.is(303).location()
    };
    let key = reporter.get("/report?service=WAT-LEAK").hidden("key");
    let receipt = post(&mut reporter, "/report", &[&LEAK[..], &[("key", &key)]].concat());
    let (number, _) = number_and_code(&reporter.get(&receipt));
    for (browser, (login, _)) in staff.iter_mut().zip(logins) {
        let fields = [("login", login), ("password", PASSWORD), ("next", "/staff")];
        post(browser, "/staff/sign-in", &fields);
    }
    type Step = (usize, &'static str, &'static [(&'static str, &'static str)]);
    let steps: [Step; 6] = [
        (desk, "accept", &[("standard", "WAT-LEAK-2")]),
        (desk, "assign", &[("unit", "WATER")]),
        (water, "report_in", &[]),
        (water, "comment", &[("text", "On the way")]),
        (
            water,
            "handle",
            &[("outcome", "resolved"), ("text", "A new valve")],
        ),
        (patrol, "verify", &[]),
    ];
    for (who, verb, fields) in steps {
        let browser = &mut staff[who];
        let page = browser.get(&format!("/staff/cases/{number}"));
        let (token, version) = (page.is(200).hidden("token"), page.hidden("seen"));
        let fields = [&[("token", token.as_str()), ("seen", version.as_str())], fields].concat();
        post(browser, &format!("/staff/cases/{number}/{verb}"), &fields);
    }
    post(
        &mut reporter,
        "/follow/case",
        &[("verb", "rate"), ("rating", "good")],
    );
    assert_eq!(over, []);
}

// ---- notices ------------------------------------------------------------------------------------------------------

/// An address of ours in a mail that came, as a path.
fn path_in(mail: &str, header: &str) -> String {
    let (_, rest) = mail
        .split_once(&format!("{header}: <https://willow.example.org"))
        .unwrap();
    rest.split('>').next().unwrap().to_owned()
}

/// A courier to a mail server of the test's; answers to its mails go to `reply`.
fn courier(town: &Town, reply: Option<&str>) -> (Courier, MailServer) {
    let server = MailServer::new();
    let outgoing = Outgoing {
        mail: Some(Outlet {
            smtp: server.url(),
            from: "whistle@example.org".to_owned(),
            reply: reply.map(str::to_owned),
            timeout: Outlet::TIMEOUT,
        }),
        base_url: None,
        private_webhooks: false,
    };
    town.whistle.do_duties().unwrap();
    let courier = Courier::open(town.whistle.clone(), outgoing).unwrap();
    (courier, server)
}

/// The path of a link in a mail.
fn link_in(mail: &str, path: &str) -> String {
    let mail = mail.replace("=\n", "").replace("=3D", "=");
    let from = mail.find(path).unwrap_or_else(|| panic!("no {path} in {mail}"));
    let end = mail[from..].find(|c: char| !c.is_ascii_alphanumeric() && !"/-".contains(c));
    mail[from..from + end.unwrap()].to_owned()
}

#[test]
fn a_reporter_judges_the_work_on_the_page_of_the_mail_until_it_was_judged() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("water", &["WATER-H"]);
    let (courier, server) = courier(&town, Some("reply@example.org"));
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[]);
    let (mut desk, mut water) = (town.browser("en"), town.browser("en"));
    desk.sign_in("desk");
    water.sign_in("water");
    desk.act(&number, "accept", &[]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    water.act(&number, "report_in", &[]).is(303);
    courier.round().unwrap();
    // By now, so that the one mail is not gathered with those of before.
    reporter
        .post_on("/follow/mine/contact", &[("email", "s@example.org")])
        .is(200);
    let done = [("outcome", "resolved"), ("text", "The pipe is tight.")];
    water.act(&number, "handle", &done).is(303);
    courier.round().unwrap();
    let mail = server.desk.taken().pop().unwrap().text;
    let link = link_in(&mail, "/judge/");
    let mut stranger = town.browser("zh");
    let page = stranger.get(&link);
    page.is(200)
        .says("The pipe is tight.")
        .says("name=\"verb\" value=\"rework\"");
    assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
    stranger.get(&link).is(200).says("name=\"verb\"");
    let seen = page.hidden("seen");
    let judge = |stranger: &mut Browser<'_>, verb: &str, text: &str| {
        stranger.post(&link, &[("verb", verb), ("seen", &seen), ("text", text)])
    };
    judge(&mut stranger, "rework", "").is(400).says("open>");
    judge(&mut stranger, "withdraw", "").is(400);
    let fields = [("verb", "rework"), ("seen", &seen), ("text", "It still drips.")];
    stranger.post_with_photo(&link, &fields, b"no photo").is(400);
    stranger.post_with_photo(&link, &fields, &picture()).is(303);
    let here = town.whistle.places().all()[0].clone();
    let kept = town.whistle.case(&here, number.parse().unwrap());
    assert_eq!(town.runtime.block_on(kept).unwrap().photos.len(), 1);
    stranger
        .get(&link)
        .is(200)
        .says("已有答复")
        .says_nothing_of("name=\"verb\"");
    judge(&mut stranger, "verify", "").is(410);
    stranger.get("/judge/1-1-AAAA").is(404);
    desk.get(&format!("/staff/cases/{number}"))
        .says("It still drips.");
}

#[test]
fn what_a_reader_is_told_they_choose_with_their_code_or_by_the_link_and_a_unit_by_its_lead() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    town.add_user("desk", &["CITY-D"]);
    let (courier, server) = courier(&town, Some("reply@example.org"));
    let mut reporter = town.browser("en");
    let (_, _) = reporter.report(&[("email", "s@example.org")]);
    courier.round().unwrap();
    reporter
        .get("/follow/mine")
        .is(200)
        .says("What you are told")
        .says("value=\"all\" checked");
    let chosen = [("kinds", "answers"), ("pace", "daily"), ("lang", "zh")];
    reporter
        .post_on("/follow/mine/notices", &chosen)
        .says("Kept.")
        .says("value=\"answers\" checked")
        .says("value=\"daily\" checked");
    // What they correct leaves the choice as it is.
    reporter
        .post_on("/follow/mine/contact", &[("email", "t@example.org")])
        .says("value=\"answers\" checked");
    let mail = server
        .desk
        .taken()
        .into_iter()
        .find(|mail| mail.to == "s@example.org");
    let path = path_in(&mail.unwrap().text, "List-Unsubscribe");
    let mut stranger = town.browser("en");
    stranger.get(&path).is(200).says("value=\"answers\" checked");
    let back = [
        ("what", "choose"),
        ("kinds", "all"),
        ("pace", "at_once"),
        ("lang", "en"),
    ];
    stranger
        .post(&path, &back)
        .is(200)
        .says("Kept.")
        .says("value=\"all\" checked");
    reporter.get("/follow/mine").says("value=\"at_once\" checked");

    let mut lead = town.browser("zh");
    lead.sign_in("lead");
    let account = lead.get("/staff/account");
    account.is(200).says("柳溪市协调指挥中心的通知");
    let token = account.hidden("token");
    let chosen = [
        ("token", token.as_str()),
        ("kinds", "answers"),
        ("pace", "daily"),
        ("lang", "en"),
    ];
    lead.post_on("/staff/account/notices", &chosen)
        .says("已保存")
        .says("value=\"daily\" checked");
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let account = desk.get("/staff/account");
    account.is(200).says_nothing_of("name=\"pace\"");
    let token = account.hidden("token");
    desk.post("/staff/account/notices", &[("token", &token), ("kinds", "all")])
        .is(403);
}

#[test]
fn somebody_outside_is_mailed_the_link_of_a_question_from_its_form() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (courier, server) = courier(&town, Some("reply@example.org"));
    let (number, _) = town.browser("en").report(&[]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let ask = |email| {
        [
            ("report", "outside"),
            ("email", email),
            ("until", "2026-05-10"),
            ("text", "Whose gate is it?"),
        ]
    };
    desk.act(&number, "ask", &ask("museum"))
        .is(400)
        .says("Write an address such as name@example.org.");
    desk.act(&number, "ask", &ask("museum@example.org")).is(303);
    courier.round().unwrap();
    let mail = server.desk.taken().pop().unwrap();
    assert_eq!(mail.to, "museum@example.org");
    let mut museum = town.browser("en");
    museum
        .get(&link_in(&mail.text, "/ask/"))
        .is(200)
        .says("Whose gate is it?");
    let way_out = path_in(&mail.text, "List-Unsubscribe");
    museum.get(&way_out).is(200).says_nothing_of("name=\"pace\"");
    desk.get(&format!("/staff/cases/{number}"))
        .says("Somebody outside: a question")
        .says_nothing_of("museum@example.org");
}

#[test]
fn staff_who_look_how_to_reach_a_reporter_see_that_mail_comes_back() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (courier, server) = courier(&town, Some("reply@example.org"));
    let (number, _) = town.browser("en").report(&[("email", "s@example.org")]);
    server.desk.next([Fate::Refuse("550 5.1.1 <{to}>: nobody here")]);
    courier.round().unwrap();
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let case = format!("/staff/cases/{number}");
    let token = desk.get(&case).hidden("token");
    desk.post(&format!("{case}/contacts"), &[("token", &token)])
        .is(200)
        .says("s@example.org")
        .says("mail comes back");
}

#[test]
fn who_administers_the_whole_place_adds_tries_pauses_and_removes_a_webhook() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    town.add_user("desk", &["CITY-D"]);
    let receiver = Receiver::new();
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.get("/staff").says_nothing_of("/staff/webhooks");
    desk.get("/staff/webhooks").is(403);
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    let page = lead.get("/staff/webhooks");
    page.is(200).says("There is none.");
    let token = page.hidden("token");
    let url = receiver.url();
    for (url, events, said) in [
        ("ftp://example.org", "", "Write an address of the open internet"),
        (url.as_str(), "closed", "Write words of events"),
        (url.as_str(), "sms", "added by the operator"),
    ] {
        let fields = [("token", token.as_str()), ("url", url), ("events", events)];
        lead.post("/staff/webhooks", &fields).is(400).says(said);
    }
    let fields = [
        ("token", token.as_str()),
        ("url", &url),
        ("events", "verified, declined"),
        ("all", "yes"),
    ];
    lead.post("/staff/webhooks", &fields)
        .is(201)
        .says("whsec_")
        .says("shown this once only");
    lead.get("/staff/webhooks").says(&url).says_nothing_of("whsec_");
    let hook = "/staff/webhooks/1";
    lead.get(hook)
        .is(200)
        .says("verified, declined")
        .says("Nothing so far.");
    let change =
        |lead: &mut Browser<'_>, word: &str| lead.post(&format!("{hook}/{word}"), &[("token", &token)]);
    change(&mut lead, "test").is(200).says("The test arrived.");
    assert!(receiver.desk.taken()[0].body.contains("\"type\":\"test\""));
    receiver.desk.next([Fate::Refuse("500 Broken")]);
    change(&mut lead, "test")
        .is(200)
        .says("The test did not arrive")
        .says("500");
    change(&mut lead, "pause").is(303);
    lead.get(hook).says("Resume").says("paused");
    change(&mut lead, "resume").is(303);
    change(&mut lead, "burn").is(404);
    assert_eq!(change(&mut lead, "remove").is(303).location(), "/staff/webhooks");
    lead.get(hook).is(404);
}

#[test]
fn who_administers_the_whole_place_makes_and_revokes_keys() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    town.add_user("desk", &["CITY-D"]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    for page in ["/staff/house", "/staff/keys", "/staff/notices", "/staff/place"] {
        desk.get(page).is(403);
    }
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    lead.get("/staff/house")
        .is(200)
        .says("/staff/keys")
        .says("/staff/acts");
    let token = lead
        .get("/staff/keys")
        .is(200)
        .says("There is none.")
        .hidden("token");
    for (name, scope, expires, said) in [
        ("", "report", "", "Say in 1 to 100 letters"),
        ("town app", "", "", "Say what it may do"),
        ("town app", "report", "2020-01-01", "Name a day to come"),
        ("town app", "report", "soon", "Name a day to come"),
    ] {
        let fields = [
            ("token", token.as_str()),
            ("name", name),
            ("scopes", scope),
            ("expires", expires),
        ];
        lead.post("/staff/keys", &fields).is(400).says(said);
    }
    let fields = [
        ("token", token.as_str()),
        ("name", "town app"),
        ("scopes", "report"),
    ];
    let added = lead.post("/staff/keys", &fields);
    let key = added
        .is(201)
        .text()
        .split("whk_")
        .nth(1)
        .map(|rest| format!("whk_{}", &rest[..32]));
    let here = town.whistle.places().all()[0].clone();
    let client = |key: &str| town.runtime.block_on(town.whistle.client(&here, key));
    assert!(client(key.as_deref().unwrap()).is_ok());
    lead.get("/staff/keys")
        .says("town app")
        .says("file and join reports")
        .says_nothing_of("whk_");
    lead.post("/staff/keys/1/revoke", &[("token", &token)]).is(303);
    lead.get("/staff/keys").says("revoked");
    lead.post("/staff/keys/1/revoke", &[("token", &token)]).is(404);
    lead.get("/staff/acts").says("town app: report");
}

#[test]
fn each_station_has_a_page_with_its_figures_posts_units_and_whistles() {
    let town = Town::open();
    for (login, post) in [("desk", "CITY-D"), ("patrol", "T100-P"), ("water", "WATER-H")] {
        town.add_user(login, &[post]);
    }
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let (number, _) = desk.report(&[("step", "anyway")]);
    desk.blow(&number, &["WATER"]);
    let all = desk.get("/staff/stations");
    all.is(200)
        .says("/staff/stations/230599")
        .says("/staff/stations/230599100");
    let city = desk.get("/staff/stations/230599");
    city.is(200)
        .says("The main has burst below the road")
        .says("/staff/stations/230599100")
        .says("vacant")
        .says("Water");
    let upstream = desk.get("/staff/stations/230599100");
    upstream.is(200).says("/staff?tab=open&#38;area=230599100");
    desk.get("/staff/stations/230599101")
        .is(200)
        .says_nothing_of("The main has burst");
    desk.get("/staff/stations/999").is(404);
    let mut patrol = town.browser("en");
    patrol.sign_in("patrol");
    patrol
        .get("/staff/stations")
        .is(200)
        .says_nothing_of("/staff/stations/230599101");
    patrol.get("/staff/stations/230599100").is(200);
    patrol.get("/staff/stations/230599").is(404);
    let mut water = town.browser("en");
    water.sign_in("water");
    water.get("/staff/stations").is(403);
}

#[test]
fn the_words_of_notices_are_shown_with_made_up_values() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    lead.get("/staff/notices?notice=unit_assigned&lang=zh")
        .is(200)
        .says("notices/zh/unit_assigned.txt");
    lead.get("/staff/notices?notice=nothing").is(404);
}

#[test]
fn files_of_the_place_are_looked_at_before_they_are_put_in_force() {
    let town = Town::open();
    town.add_user("lead", &["CITY-L"]);
    let mut lead = town.browser("en");
    lead.sign_in("lead");
    let token = lead.get("/staff/place").is(200).hidden("token");
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village/units.csv");
    let units = std::fs::read_to_string(units).unwrap();
    let send = |lead: &mut Browser<'_>, token: &str, name: &str, text: &str| {
        lead.post_with_file(
            "/staff/place",
            &[("token", token)],
            ("files", name),
            text.as_bytes(),
        )
    };
    send(&mut lead, "forged", "units.csv", &units).is(403);
    send(&mut lead, &token, "nonsense.csv", "a,b")
        .is(400)
        .says("nonsense.csv");
    send(&mut lead, &token, "units.csv", "code,name\nA").is(303);
    lead.get("/staff/place")
        .is(200)
        .says("What you sent has faults")
        .says("units.csv:");
    let renamed = units.replace("Upstream Station", "Mill Station");
    send(&mut lead, &token, "units.csv", &renamed).is(303);
    let page = lead.get("/staff/place");
    page.is(200)
        .says("Upstream Station → Mill Station")
        .says("What version 2 would change");
    let hash = page.hidden("hash");
    let apply = |lead: &mut Browser<'_>, hash: &str| {
        lead.post("/staff/place/apply", &[("token", token.as_str()), ("hash", hash)])
    };
    apply(&mut lead, "another").is(400).says("look at it once more");
    assert_eq!(
        apply(&mut lead, &hash).is(303).location(),
        "/staff/place?applied=2"
    );
    lead.get("/staff/place?applied=2")
        .says("Version 2 is in force")
        .says_nothing_of("Mill Station");
    apply(&mut lead, &hash).is(404);
    lead.get("/staff/acts").says("lead");
    send(&mut lead, &token, "units.csv", &units).is(303);
    lead.post("/staff/place/drop", &[("token", &token)]).is(303);
    lead.get("/staff/place").says_nothing_of("What version");
}

#[test]
fn a_mail_can_be_stopped_by_one_click_of_a_program_or_by_a_person_and_staff_see_what_was_told() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (courier, server) = courier(&town, None);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[("email", "s@example.org")]);
    courier.round().unwrap();
    let mail = server.desk.taken().pop().unwrap().text;
    assert!(
        mail.contains(&format!("case {number}")),
        "in the language of the page: {mail}"
    );

    let mut desk = town.browser("en");
    desk.sign_in("desk");
    let case = format!("/staff/cases/{number}");
    desk.get(&case)
        .says("Who was told")
        .says("received · sent")
        .says_nothing_of("s@example.org");

    // A mail program has no cookie and no page of ours; what opens a link stops nothing.
    let path = path_in(&mail, "List-Unsubscribe");
    let mut program = town.browser("en");
    program.get(&path).is(200).says("No more mails about case");
    program
        .get("/notices/stop?t=n-1-1-1-00000000000000000000")
        .is(404);
    let comments = |desk: &mut Browser<'_>, text: &str| {
        desk.act(&number, "comment", &[("text", text), ("public", "yes")])
            .is(303);
        courier.round().unwrap()
    };
    assert_eq!(comments(&mut desk, "One.").sent, 1);
    let click = Request::post(&path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let click = click.body(Body::from("List-Unsubscribe=One-Click")).unwrap();
    program.send(click).is(200).says("no more mails about this");
    assert_eq!(comments(&mut desk, "Two.").dropped, 1);
    program
        .post(&path, &[("again", "yes"), ("what", "all")])
        .says("You get mails again");
    assert_eq!(comments(&mut desk, "Three.").failed, 0);
    program
        .post(&path, &[("what", "all")])
        .says("no more mails to this address");
    assert_eq!(server.desk.taken().len(), 2);
}

#[test]
fn a_calendar_program_reads_what_is_due_by_a_link_for_as_long_as_the_account_is_in_force() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    town.add_user("crew", &["WATER-H"]);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[("email", "s@example.org")]);
    let mut desk = town.browser("en");
    desk.sign_in("desk");
    desk.act(&number, "accept", &[]).is(303);
    desk.act(&number, "assign", &[("unit", "WATER")]).is(303);
    let mut crew = town.browser("en");
    crew.sign_in("crew");
    let queue = crew.get("/staff").text();
    let (_, rest) = queue.split_once("href=\"/staff/due.ics").unwrap();
    let link = format!("/staff/due.ics{}", rest.split('"').next().unwrap());
    let mut program = town.browser("en");
    let calendar = program.get(&link);
    calendar
        .is(200)
        .says("BEGIN:VCALENDAR")
        .says(&format!("UID:case-{number}@willow-brook"))
        .says("DTSTART:2026")
        .says_nothing_of("s@example.org");
    assert_eq!(
        calendar.headers[header::CONTENT_TYPE],
        "text/calendar; charset=utf-8"
    );
    for wrong in [
        "/staff/due.ics",
        "/staff/due.ics?key=1-00000000000000000000000000000000",
    ] {
        program.get(wrong).is(404);
    }
    let here = town.whistle.places().all()[0].clone();
    town.whistle.change_user(&here, "crew", Change::Disable).unwrap();
    program.get(&link).is(404);
}

#[test]
fn the_link_of_a_calendar_is_changed_by_who_has_it_and_ends_with_the_sessions_that_others_end() {
    let town = Town::open();
    town.add_user("crew", &["WATER-H"]);
    let link = |crew: &mut Browser<'_>| {
        let queue = crew.get("/staff").text();
        let (_, rest) = queue.split_once("href=\"/staff/due.ics").unwrap();
        format!("/staff/due.ics{}", rest.split('"').next().unwrap())
    };
    let mut crew = town.browser("en");
    crew.sign_in("crew");
    let first = link(&mut crew);
    assert_eq!(link(&mut crew), first);
    let mut program = town.browser("en");
    program.get(&first).is(200);
    let token = crew.get("/staff").says("New calendar address").hidden("token");
    crew.post("/staff/due", &[("token", &token)]).is(303);
    crew.get("/staff?calendar=new")
        .says("The calendar has a new address");
    let second = link(&mut crew);
    program.get(&first).is(404);
    program.get(&second).is(200);
    let here = town.whistle.places().all()[0].clone();
    for change in [Change::SignOut, Change::Disable, Change::Enable] {
        town.whistle.change_user(&here, "crew", change).unwrap();
    }
    for old in [&first, &second] {
        program.get(old).is(404);
    }
    crew.sign_in("crew");
    let third = link(&mut crew);
    program.get(&third).is(200);
    let password = town
        .whistle
        .set_password(&here, "crew", "another long one, and new");
    password.unwrap();
    program.get(&third).is(404);
}

#[test]
fn why_a_notice_did_not_arrive_is_said_in_the_readers_language_and_a_servers_answer_is_quoted() {
    let town = Town::open();
    town.add_user("desk", &["CITY-D"]);
    let (courier, server) = courier(&town, None);
    let mut reporter = town.browser("en");
    let (number, _) = reporter.report(&[("email", "s@example.org")]);
    server
        .desk
        .next(std::iter::repeat_n(Fate::Refuse("550 5.1.1 nobody here"), 3));
    courier.round().unwrap();
    let mut desk = town.browser("zh");
    desk.sign_in("desk");
    desk.get(&format!("/staff/cases/{number}"))
        .says("邮件服务器拒收 <q lang=\"en\">")
        .says("nobody here")
        .says_nothing_of("mail_refused");
}
