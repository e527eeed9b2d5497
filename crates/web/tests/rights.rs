//! The table of rights: every route of every face, for everybody, on a case of their own area, of another one, on a
//! public one, and on one of a class of access in their own area. What the server answers is compared with one table, in `snapshots/rights__table.snap`: a route without
//! a line there fails, and so does one that lets in whom the table keeps out.

use std::{
    fmt::Write,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use axum::{
    Router,
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use futures_util::StreamExt;
use serde_json::json;
use tower::ServiceExt;
use whistle_domain::{
    case::{Actor, Channel, PhotoKind},
    command::{Act, NewReport, Whereabouts},
    rights::{Role, Scope},
    whistle::command::NewWhistle,
    words::{CaseNumber, Lang},
};
use whistle_service::{
    Here, Site, Whistle,
    account::{SignIn, SignedIn},
    briefing::{self, Counted, Wanted},
    case::With,
    secret::Contact,
};
use whistle_testbed::{Bed, copy_folder};
use whistle_web::{App, Settings, paths, router};

const PASSWORD: &str = "a long enough password";

/// The town of all roles, and the other one.
const OWN: &str = "230599100";
const OTHER: &str = "230599101";

const LEGEND: &str =
    "yes: done or shown; with o, t, p, s: lists the case (or account) of the own area, of the other, the public one (of the city), that of a class
no: 403; none: 404; sign-in, code: asks for those first; heard: let in, but what was sent is refused";

/// A round in the own area, and one in the other.
const ROUNDS: &str = "round,round_name,area,code,name,lon,lat,every
OWN,own,230599100,OWN-1,well,131.805,46.205,1
OTHER,other,230599101,OTHER-1,bridge,131.825,46.205,1
";

/// Methods that are tried on every path.
const METHODS: [Method; 5] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
];

/// Somebody who asks.
#[derive(Clone)]
struct Asker {
    column: String,
    login: Option<String>,
    key: Option<String>,
    session: Option<String>,
    /// The pick-up code of another case, and the cookie that it was changed for.
    follows: Option<(String, String)>,
}

/// A case that is asked about.
struct Matter {
    /// Which one, in the table and in its description.
    row: &'static str,
    number: i64,
    photo: String,
    /// The number of an account that holds a post in the same town.
    account: i64,
    /// The number of a whistle that this post has blown on it; 0 where nobody may.
    whistle: i64,
    /// The pick-up code of its reporter.
    code: String,
}

impl Matter {
    /// How a list that shows it says so in the table.
    fn letter(&self) -> &'static str {
        match self.row {
            "other" => "t",
            row => &row[..1],
        }
    }
}

impl Matter {
    /// The round in its area.
    fn round(&self) -> String {
        let row = if self.row == "own" { "own" } else { "other" };
        row.to_uppercase()
    }
}

struct Town {
    whistle: Whistle,
    here: Here,
    router: Router,
    asset: String,
    matters: Vec<Matter>,
    _dir: Bed,
}

/// A table with more columns, blank ones.
fn wider(text: &str, columns: &str) -> String {
    let blank = ",".repeat(columns.matches(',').count() + 1);
    let line = |(n, line): (usize, &str)| match n {
        0 => format!("{line},{columns}\n"),
        // Within a cell.
        _ if line.matches('"').count() == 1 && line.contains(",\"") => format!("{line}\n"),
        _ => format!("{line}{blank}\n"),
    };
    text.lines().enumerate().map(line).collect()
}

/// The place of Willow Brook, with a post of each role at the station of one town.
fn settle() -> (Bed, Whistle, [i64; 3]) {
    let dir = Bed::new();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../place/tests/folders/village");
    let folder = dir.path().join("village");
    copy_folder(&from, &folder);
    let posts = folder.join("posts.csv");
    let mut text = fs::read_to_string(&posts).expect("the posts");
    for role in Role::ALL {
        writeln!(text, "X-{role},{role},,,T100,{OWN},{role}", role = role.as_str()).expect("a line");
    }
    text = wider(&text, "services,access");
    writeln!(text, "X-narrowed,narrowed,,,T100,{OWN},dispatcher,WAT,").expect("a line");
    writeln!(
        text,
        "X-cleared,cleared,,,T100,{OWN},dispatcher,,staff|confidential"
    )
    .expect("a line");
    writeln!(text, "CITY-C,cleared,,,CITY,,dispatcher,,staff|confidential").expect("a line");
    fs::write(&posts, text).expect("the posts");
    let services = folder.join("services.csv");
    let text = fs::read_to_string(&services).expect("the services");
    let text = wider(&text, "access");
    fs::write(
        &services,
        format!("{text}RD-HIT,RD,撞击,,Hit,,,yes,confidential\n"),
    )
    .expect("the services");
    let standards = folder.join("standards.csv");
    let text = fs::read_to_string(&standards).expect("the standards");
    fs::write(
        &standards,
        format!("{text}RD-HIT-1,RD-HIT,,,,,,7d calendar,,,,,post\n"),
    )
    .expect("the standards");
    fs::write(folder.join("rounds.csv"), ROUNDS).expect("the rounds");
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
    for role in Role::ALL {
        let post = format!("X-{}", role.as_str()).parse().expect("a code");
        whistle
            .add_user(here, role.as_str(), PASSWORD, &[post])
            .expect("an account");
    }
    for (login, post) in [("narrowed", "X-narrowed"), ("cleared", "X-cleared")] {
        let post = post.parse().expect("a code");
        whistle
            .add_user(here, login, PASSWORD, &[post])
            .expect("an account");
    }
    let add = |login: &str, post: &str| {
        let post = post.parse().expect("a code");
        whistle
            .add_user(here, login, PASSWORD, &[post])
            .expect("an account")
    };
    add("centre", "CITY-C");
    let accounts = [
        add(&mark("own"), "T100-P"),
        add(&mark("other"), "T101-P"),
        add(&mark("public"), "CITY-D"),
    ];
    (dir, whistle, accounts)
}

impl Town {
    async fn new() -> Self {
        let (dir, whistle, accounts) = tokio::task::spawn_blocking(settle).await.expect("a town");
        let settings = Settings {
            rate: 0,
            ..Settings::default()
        };
        let here = whistle.places().named(None).expect("one place").clone();
        let mut town = Self {
            router: router(App::new(whistle.clone(), settings, None)),
            whistle,
            here,
            asset: String::new(),
            matters: Vec::new(),
            _dir: dir,
        };
        let centre = town.sign_in("centre").await.actor;
        let rows = [
            ("own", "RD-SIGN", OWN, "T100"),
            ("other", "RD-SIGN", OTHER, "T101"),
            ("public", "RD-HOLE", OTHER, "T101"),
            ("secret", "RD-HIT", OWN, "T100"),
        ];
        // The account of the first is asked about with the last one too.
        for ((row, service, area, unit), account) in rows.into_iter().zip(accounts.into_iter().cycle()) {
            let mut matter = town.matter(&centre, row, service, area, unit).await;
            matter.account = account;
            if row == "secret" {
                let blown = town
                    .whistle
                    .blow(&town.here, whistle_on(&matter), centre.clone(), None);
                assert!(blown.await.is_err(), "who is called would see it");
                town.matters.push(matter);
                continue;
            }
            let by = town.sign_in(&mark(row)).await.actor;
            let blown = town.whistle.blow(&town.here, whistle_on(&matter), by, None).await;
            matter.whistle = blown.expect("a whistle").number.0;
            town.matters.push(matter);
        }
        let home = Request::get("/").header(header::HOST, "willow.example.org");
        let home = town.send(home.body(Body::empty()).expect("a request")).await.1;
        let from = home.find("/assets/").expect("an asset");
        town.asset = home[from..]
            .split('"')
            .next()
            .map(str::to_owned)
            .expect("an asset");
        let (whistle, here) = (town.whistle.clone(), town.here.clone());
        let counted = tokio::task::spawn_blocking(move || {
            whistle.follow_facts()?;
            let march = briefing::period(
                "2026-03-01".parse().expect("a day"),
                "2026-03-31".parse().expect("a day"),
            )?;
            // The first one is for everybody, the second for the staff.
            for public in [true, false] {
                let evidence = Arc::new(Counted::of(&whistle, &here, public)?);
                let document = whistle.briefing(
                    &here,
                    evidence,
                    Wanted {
                        period: march,
                        lang: Lang::En,
                        public,
                    },
                    "",
                )?;
                whistle.issue_briefing(&here, &document, None, public)?;
            }
            whistle.make_open_data(&here)
        });
        counted
            .await
            .expect("no panic")
            .expect("facts, briefings, and files of open data");
        town
    }

    async fn token(&self, login: &str) -> String {
        let signed_in = self
            .whistle
            .sign_in(&self.here, login, PASSWORD.to_owned(), None)
            .await;
        signed_in
            .and_then(SignIn::done)
            .unwrap_or_else(|error| panic!("{login}: {error}"))
    }

    async fn sign_in(&self, login: &str) -> SignedIn {
        let token = self.token(login).await;
        self.whistle
            .signed_in(&self.here, &token)
            .await
            .expect("a session")
    }

    /// A case with a photo that is for staff, in the hands of a unit.
    async fn matter(&self, by: &Actor, row: &'static str, service: &str, area: &str, unit: &str) -> Matter {
        let kept = self
            .whistle
            .keep_photo(&self.here, PIXEL.into())
            .await
            .expect("a photo");
        let new = NewReport {
            service: service.parse().expect("a code"),
            standard: None,
            whereabouts: Whereabouts {
                area: Some(area.parse().expect("a code")),
                address: lane(row),
                ..Whereabouts::default()
            },
            description: mark(row),
            answers: Vec::new(),
            channel: Channel::Phone,
            photos: vec![kept.shown(PhotoKind::Before, false)],
            fixed: None,
        };
        let with = With {
            contact: Contact {
                phone: telephone(row),
                ..Contact::default()
            },
            ..With::default()
        };
        let filed = self.whistle.report(&self.here, new, by.clone(), with).await;
        let filed = filed.expect("a case");
        let number = filed.number;
        let unit = Some(unit.parse().expect("a code"));
        for act in [Act::Accept { standard: None }, Act::Assign { unit }] {
            let seen = self
                .whistle
                .case(&self.here, number)
                .await
                .expect("a case")
                .version;
            let done = self
                .whistle
                .act(&self.here, number, Some(seen), act, String::new(), by.clone())
                .await;
            done.expect("it is done");
        }
        Matter {
            row,
            number: number.0,
            photo: kept.id,
            account: 0,
            whistle: 0,
            code: filed.code,
        }
    }

    async fn send(&self, request: Request<Body>) -> (StatusCode, String, String) {
        let answer = self.router.clone().oneshot(request).await.expect("no error");
        let (parts, body) = answer.into_parts();
        let to = parts.headers.get(header::LOCATION);
        let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default().to_owned();
        let kind = parts.headers.get(header::CONTENT_TYPE);
        let bytes = if kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
            // It has no end; that it has begun says who is let in.
            let first = body.into_data_stream().next().await;
            first.expect("a frame").expect("no error")
        } else {
            axum::body::to_bytes(body, usize::MAX).await.expect("a body")
        };
        (parts.status, String::from_utf8_lossy(&bytes).into_owned(), to)
    }

    /// Whether a path takes a method.
    async fn takes(&self, method: &Method, path: &str) -> bool {
        let request = Request::builder()
            .method(method)
            .uri(self.address(path, &self.matters[0]))
            .header(header::HOST, "willow.example.org");
        let (status, ..) = self.send(request.body(Body::empty()).expect("a request")).await;
        status != StatusCode::METHOD_NOT_ALLOWED
    }

    /// What somebody is answered who asks for a route: the status, the text, and where to.
    async fn ask(
        &self,
        method: &Method,
        path: &str,
        matter: &Matter,
        asker: &Asker,
    ) -> (StatusCode, String, String) {
        let uri = self.address(path, matter);
        let mut request = Request::builder()
            .method(method)
            .uri(&uri)
            .header(header::HOST, "willow.example.org");
        if let Some(key) = &asker.key {
            request = request.header("X-Api-Key", key);
        }
        let is_api = path.starts_with("/api/");
        if let Some(token) = &asker.session {
            request = if is_api {
                request.header(header::AUTHORIZATION, format!("Bearer {token}"))
            } else {
                request.header(header::COOKIE, format!("whistle_session={token}"))
            };
        }
        if let Some((code, cookie)) = &asker.follows {
            request = if is_api {
                request.header("X-Pickup-Code", code)
            } else {
                request.header(header::COOKIE, cookie)
            };
        }
        let body = if matches!(*method, Method::GET | Method::DELETE) {
            Body::empty()
        } else if path == "/api/v1/photos" {
            request = request.header(header::CONTENT_TYPE, "image/png");
            PIXEL.into()
        } else if is_api {
            request = request.header(header::CONTENT_TYPE, "application/json");
            self.json(path, matter).await.into()
        } else {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            let token = asker.session.as_deref().map(|s| self.whistle.form_token(s));
            format!(
                "token={}&{}",
                token.unwrap_or_default(),
                self.form(path, matter).await
            )
            .into()
        };
        self.send(request.body(body).expect("a request")).await
    }

    /// The same in a word.
    async fn verdict(&self, method: &Method, path: &str, matter: &Matter, asker: &Asker) -> String {
        let uri = self.address(path, matter);
        let (status, text, to) = self.ask(method, path, matter, asker).await;
        let verdict = match status.as_u16() {
            _ if status.is_redirection() && to.starts_with("/staff/sign-in?") => "sign-in",
            _ if status.is_redirection() && to == "/follow" => "code",
            200 if *method == Method::GET && !path.contains("{number}") && !path.contains("{*file}") => {
                return self.shown_in(&text);
            }
            200..400 => "yes",
            401 => "sign-in",
            403 => "no",
            404 => "none",
            400 | 409 | 415 | 422 => "heard",
            _ => panic!("{method} {uri} as {}: {status}: {text}", asker.column),
        };
        verdict.to_owned()
    }

    /// What a list shows: the first letters of the cases.
    fn shown_in(&self, text: &str) -> String {
        let mut shown = "yes".to_owned();
        for matter in &self.matters {
            if text.contains(&mark(matter.row)) {
                shown = format!("{shown} {}", matter.letter());
            }
        }
        shown
    }

    /// The address of a route for a case.
    fn address(&self, path: &str, matter: &Matter) -> String {
        let number = if path.contains("/whistles/") {
            matter.whistle
        } else {
            matter.number
        };
        let number = number.to_string();
        let path = match path {
            "/assets/{hash}/{name}" => self.asset.as_str(),
            "/open311/v2/services/{*file}" => "/open311/v2/services/RD-HOLE.json",
            "/open311/v2/requests/{*file}" => "/open311/v2/requests/{number}.json",
            "/open311/v2/tokens/{*file}" => "/open311/v2/tokens/{number}.json",
            "/api/v1/areas/at" => "/api/v1/areas/at?lon=131.805&lat=46.205",
            "/api/v1/reports/near" => "/api/v1/reports/near?service=RD-HOLE&lon=131.805&lat=46.205",
            "/report/where" => "/report/where?lat=46.205&lon=131.805",
            "/report/near" => "/report/near?service=RD-HOLE&lat=46.205&lon=131.805",
            "/api/v1/rounds/{code}" => "/api/v1/rounds/{round}",
            "/api/v1/stops/{code}/looks" => "/api/v1/stops/{stop}/looks",
            "/api/v1/indicators/{code}" => "/api/v1/indicators/filed?area={code}",
            "/api/v1/indicators/{code}/rows" => "/api/v1/indicators/filed/rows?area={code}&part=denominator",
            "/figures/indicators/{code}" => "/figures/indicators/filed",
            "/figures/units/{code}" => "/figures/units/WATER",
            "/briefings/{briefing}/changes" => "/briefings/1/changes?since=1",
            "/staff/briefings/{briefing}/changes" => "/staff/briefings/{briefing}/changes?since=1",
            "/staff/briefings/draft" => "/staff/briefings/draft?from=2026-03-01&to=2026-03-31&language=en",
            "/open-data/{name}" => "/open-data/cases.csv",
            "/staff/figures/{code}" => "/staff/figures/filed?area={code}",
            "/staff/figures/{code}/file" => "/staff/figures/filed/file?area={code}&format=csv",
            "/map/tiles/grid/{zoom}/{x}/{y}" => "/map/tiles/grid/0/0/0.mvt",
            "/map/tiles/cases/{zoom}/{x}/{y}" => "/map/tiles/cases/0/0/0.mvt",
            other => other,
        };
        let path = path
            .replace("{number}", &number)
            .replace("{id}", &matter.photo)
            .replace("{photo}", &matter.photo)
            .replace("{link}", "1-1-AAAA")
            .replace("{code}", OWN)
            .replace("{round}", &matter.round())
            .replace("{stop}", &format!("{}-1", matter.round()))
            .replace("{lang}", "en")
            .replace("{account}", &matter.account.to_string())
            .replace("{webhook}", "1")
            .replace("{key}", "1")
            .replace("{view}", "1")
            .replace("{briefing}", if path.starts_with("/staff") { "2" } else { "1" })
            .replace("{format}", "json")
            .replace(
                "{change}",
                if path.contains("/webhooks/") {
                    "pause"
                } else if path.contains("/views/") {
                    "remove"
                } else {
                    "sign-out"
                },
            )
            .replace(
                "{verb}",
                if path.contains("/whistles/") {
                    "withdraw"
                } else {
                    "comment"
                },
            );
        assert!(!path.contains('{'), "say in this test what {path} is called with");
        path
    }

    /// What is posted to the JSON API.
    async fn json(&self, path: &str, matter: &Matter) -> String {
        match path.trim_start_matches("/api/v1") {
            "/" | "/stops/{code}/looks" => json!({}),
            "/reports" => json!({"service": "RD-HOLE", "area": OWN, "description": "a hole",
                "answers": [{"question": "depth", "values": ["12"]}]}),
            "/cases/{number}/reports" => json!({"text": "me too"}),
            "/cases/{number}/own/contact" => json!({"phone": "0700"}),
            "/cases/{number}/acts" => {
                json!({"verb": "comment", "text": "so", "seen": self.version(matter).await})
            }
            "/whistles" => {
                json!({"kind": "URGENT", "cases": [matter.number], "units": ["WATER"], "lead": "WATER",
                "matter": "now"})
            }
            "/whistles/{number}/acts" => json!({"verb": "withdraw", "text": "so", "seen": 99}),
            "/sessions" => json!({"login": stranger(), "password": "nothing of the kind"}),
            "/sessions/current/post" => json!({"post": "X-patrol"}),
            other => panic!("say in this test what is posted to {other}"),
        }
        .to_string()
    }

    /// What is posted by forms, and by Open311's clients.
    async fn form(&self, path: &str, matter: &Matter) -> String {
        let number = matter.number;
        match path {
            "/report" | "/staff/report" => {
                format!("service=RD-HOLE&area={OWN}&description=hole&answer-depth=12&send=yes&seen=yes")
            }
            "/report/suggest" => "text=a+hole".to_owned(),
            "/cases/{number}/join" => "text=me+too".to_owned(),
            "/follow" => format!("number={number}&code=ABCD-EFGH-JKMN"),
            "/follow/case" => "verb=comment&text=so".to_owned(),
            "/staff/cases/{number}/{verb}" => format!("text=so&seen={}", self.version(matter).await),
            "/staff/whistles/new" => {
                format!("case={number}&kind=URGENT&unit=WATER&lead=WATER&matter=now")
            }
            "/staff/whistles/{number}/minutes" | "/staff/whistles/{number}/{verb}" => {
                "text=so&seen=99".to_owned()
            }
            "/field/stops/{stop}/seen" => format!("round={}", matter.round()),
            "/notices/stop" => "what=all".to_owned(),
            "/ask/{link}" | "/judge/{link}" => "text=so&verb=rework".to_owned(),
            "/follow/mine/notices" | "/staff/account/notices" => {
                "kinds=answers&pace=daily&lang=en".to_owned()
            }
            "/staff/webhooks" => "url=https%3A%2F%2Fexample.org%2Fhook&events=verified".to_owned(),
            "/staff/webhooks/{webhook}/{change}" => "so=so".to_owned(),
            "/staff/keys" => "name=app&scopes=report".to_owned(),
            "/staff/place" => "files=none".to_owned(),
            "/staff/place/apply" => "hash=so".to_owned(),
            "/staff/briefings" => "from=2026-03-01&to=2026-03-31&language=en&said=so".to_owned(),
            "/staff/handover" => "note=so".to_owned(),
            "/staff/bulk" | "/staff/bulk/{verb}" => {
                format!("case={number}.{}&text=so", self.version(matter).await)
            }
            "/staff/views" => "name=so&query=tab%3Dopen".to_owned(),
            "/staff/views/{view}/{change}" => "query=tab%3Dopen".to_owned(),
            "/staff/sign-in" => format!("login={}&password=nothing+of+the+kind", stranger()),
            "/staff/account/password" => {
                "old=nothing+of+the+kind&new=another+long+one&again=another+long+one".to_owned()
            }
            "/staff/account/second-factor" => format!("password={}", PASSWORD.replace(' ', "+")),
            "/staff/account/sessions" => format!("session={}", "A".repeat(43)),
            "/staff/sign-in/code" => "half=1.1.x&code=123456".to_owned(),
            "/staff/account/second-factor/confirm" | "/staff/account/second-factor/remove" => {
                "code=123456".to_owned()
            }
            "/staff/post" => "post=X-patrol".to_owned(),
            _ if path.starts_with("/open311/v2/requests.") => {
                format!("service_code=RD-HOLE&address_id={OWN}&description=hole&attribute%5Bdepth%5D=12")
            }
            _ if path.starts_with("/open311/v2/servicerequestupdates.") => format!(
                "service_request_id={number}&status=open&description=seen&updated_datetime=2026-05-07T01:00:00Z&update_id=1"
            ),
            "/staff/account/devices" => "name=telephone&answer=%7B%7D".to_owned(),
            "/staff/account/devices/remove" => "device=1".to_owned(),
            "/staff/account/passkeys" => "name=key&answer=%7B%7D".to_owned(),
            "/staff/account/passkeys/rename" => "name=key&passkey=AAAA".to_owned(),
            "/staff/account/passkeys/remove" => "passkey=AAAA".to_owned(),
            "/staff/sign-in/passkey" => "answer=%7B%7D".to_owned(),
            "/staff/accounts/{account}/ways/link" => "name=mei@city.example".to_owned(),
            "/follow/mine/contact" => "phone=0700".to_owned(),
            "/follow/leave"
            | "/follow/mine/erase"
            | "/staff/account/passkeys/begin"
            | "/staff/sign-in/passkey/begin"
            | "/staff/accounts/{account}/ways/passkeys"
            | "/staff/account/provider"
            | "/staff/account/provider/remove"
            | "/staff/accounts/{account}/ways/unlink"
            | "/staff/keys/{key}/revoke"
            | "/staff/place/drop"
            | "/staff/sign-out"
            | "/staff/due"
            | "/staff/accounts/{account}/{change}"
            | "/staff/accounts/{account}/password"
            | "/staff/accounts/{account}/second-factor"
            | "/staff/cases/{number}/contacts" => String::new(),
            other => panic!("say in this test what is posted to {other}"),
        }
    }

    async fn version(&self, matter: &Matter) -> u32 {
        let case = self.whistle.case(&self.here, CaseNumber(matter.number)).await;
        case.expect("a case").version
    }
}

/// A whistle on it.
fn whistle_on(matter: &Matter) -> NewWhistle {
    NewWhistle {
        kind: "URGENT".parse().expect("a code"),
        cases: vec![CaseNumber(matter.number)],
        units: vec!["WATER".parse().expect("a code")],
        lead: "WATER".parse().expect("a code"),
        place: String::new(),
        meet_at: None,
        matter: mark(matter.row),
    }
}

/// The word by which a case is known in a list.
fn mark(row: &str) -> String {
    format!("{row}-matter")
}

/// A name that nobody has, another one each time: tries with one name are counted.
fn stranger() -> String {
    static LAST: AtomicU32 = AtomicU32::new(0);
    format!("nobody{}", LAST.fetch_add(1, Ordering::Relaxed))
}

/// How a case is said to lie.
fn lane(row: &str) -> String {
    format!("{row}-lane 9")
}

/// How its reporter is reached.
fn telephone(row: &str) -> String {
    format!("0700-{row}")
}

/// A picture of one pixel, PNG.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00,
    0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x02, 0x00, 0x00, 0x00, 0x90, 0x77, 0x53, 0xde, 0x00,
    0x00, 0x00, 0x0c, 0x49, 0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0xf8, 0xcf, 0xc0, 0x00, 0x00, 0x03, 0x01,
    0x01, 0x00, 0xc9, 0xfe, 0x92, 0xef, 0x00, 0x00, 0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60,
    0x82,
];

async fn askers(town: &Town) -> Vec<Asker> {
    let nobody = Asker {
        column: "anyone".to_owned(),
        login: None,
        key: None,
        session: None,
        follows: None,
    };
    let mut askers = vec![nobody.clone()];
    for scope in Scope::ALL {
        let (whistle, here) = (town.whistle.clone(), town.here.clone());
        let key = tokio::task::spawn_blocking(move || whistle.add_key(&here, "a test", &[scope], None));
        askers.push(Asker {
            column: format!("key {}", scope.as_str()),
            key: Some(key.await.expect("it runs").expect("a key")),
            ..nobody.clone()
        });
    }
    let roles = Role::ALL.map(Role::as_str);
    for login in roles.into_iter().chain(["narrowed", "cleared"]) {
        askers.push(Asker {
            column: login.to_owned(),
            login: Some(login.to_owned()),
            session: Some(town.token(login).await),
            ..nobody.clone()
        });
    }
    askers
}

/// Routes that end the session of who asks.
fn signs_out(method: &Method, path: &str) -> bool {
    path == "/staff/sign-out" || *method == Method::DELETE && path == "/api/v1/sessions/current"
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_whom_the_table_names_and_nobody_else() {
    let town = Town::new().await;
    let mut askers = askers(&town).await;
    let mut paths = paths();
    paths.sort();
    let mut lines = Vec::new();
    // First what only reads, so that lists hold nothing but what was there.
    for method in METHODS {
        for path in &paths {
            if !town.takes(&method, path).await {
                continue;
            }
            let one_case = is_of_one(&method, path);
            let rows = &town.matters[..if one_case { town.matters.len() } else { 1 }];
            for matter in rows {
                let row = if rows.len() == 1 { "" } else { matter.row };
                let mut line = format!("{:7}{path:46}{row:7}", method.as_str());
                for asker in &mut askers {
                    let verdict = town.verdict(&method, path, matter, asker).await;
                    write!(line, "{verdict:>14}").expect("a word");
                    if let (true, Some(login)) = (signs_out(&method, path), &asker.login) {
                        asker.session = Some(town.token(login).await);
                    }
                }
                lines.push((path, line));
            }
        }
    }
    lines.sort_by_key(|(path, _)| *path);
    let mut table = format!("{LEGEND}\n{:60}", "");
    for asker in &askers {
        write!(table, "{:>14}", asker.column).expect("a word");
    }
    for (_, line) in lines {
        write!(table, "\n{line}").expect("a line");
    }
    insta::assert_snapshot!("table", table);
}

/// Whether a route is about one case, whistle or account.
fn is_of_one(method: &Method, path: &str) -> bool {
    [
        "{number}",
        "{account}",
        "/rounds/{",
        "/stops/{",
        "requests/{*file}",
    ]
    .iter()
    .any(|part| path.contains(part))
        || *method == Method::POST && path.contains("servicerequestupdates")
}

/// Who has the pick-up code of a case, as a client of the API and as a browser.
async fn follower(town: &Town, matter: &Matter) -> Asker {
    let form = format!("number={}&code={}", matter.number, matter.code);
    let entered = Request::post("/follow")
        .header(header::HOST, "willow.example.org")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .expect("a request");
    let answer = town.router.clone().oneshot(entered).await.expect("no error");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("a cookie");
    Asker {
        column: format!("code of {}", matter.row),
        login: None,
        key: None,
        session: None,
        follows: Some((
            matter.code.clone(),
            cookie.split(';').next().expect("a cookie").to_owned(),
        )),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_a_case_that_is_not_theirs_by_any_route() {
    let town = Town::new().await;
    let all = askers(&town).await;
    let of = |column: &str| {
        let asker = all.iter().find(|asker| asker.column == column);
        asker.expect("an asker").clone()
    };
    let row = |row: &str| {
        town.matters
            .iter()
            .find(|matter| matter.row == row)
            .expect("a case")
    };
    let mut tried = vec![
        (of("anyone"), vec!["own", "other", "secret"]),
        (of("key report"), vec!["own", "other", "secret"]),
        (of("key update"), vec!["own", "other", "secret"]),
        // Its own unit leads the one of a class, for which it is not cleared.
        (of("handler"), vec!["other", "secret"]),
        (of("dispatcher"), vec!["other", "secret"]),
        (of("lead"), vec!["other", "secret"]),
        (of("auditor"), vec!["other", "secret"]),
        (of("administrator"), vec!["other", "secret"]),
        (of("narrowed"), vec!["own", "other", "secret"]),
        (of("cleared"), vec!["other"]),
    ];
    tried.push((
        follower(&town, row("public")).await,
        vec!["own", "other", "secret"],
    ));
    tried.push((follower(&town, row("own")).await, vec!["other", "secret"]));
    let mut paths = paths();
    paths.sort();
    let mut requests = 0;
    for method in METHODS {
        for path in &paths {
            if !town.takes(&method, path).await || signs_out(&method, path) || path == "/follow/leave" {
                continue;
            }
            for (asker, foreign) in &tried {
                for foreign in foreign {
                    let matter = row(foreign);
                    let (status, text, to) = town.ask(&method, path, matter, asker).await;
                    requests += 1;
                    let what = format!("{method} {path} of {foreign} as {}: {status} {to}", asker.column);
                    for word in [mark(foreign), lane(foreign), telephone(foreign)] {
                        // An account is named after the case of its town.
                        let is_login = path.contains("/accounts") && word == mark(foreign);
                        assert!(is_login || !text.contains(&word), "{what} tells {word}");
                    }
                    assert!(!text.contains(&matter.code), "{what} tells the code");
                    if !is_of_one(&method, path) || path.contains("{account}") {
                        continue;
                    }
                    // Guesses at codes are slowed down; who tries them under a name of their own is in the table.
                    let is_slowed = status.as_u16() == 429 && path.contains("/own");
                    let is_shut = matches!(status.as_u16(), 401 | 403 | 404)
                        || is_slowed
                        || status.is_redirection() && (to.starts_with("/staff/sign-in") || to == "/follow");
                    assert!(is_shut, "{what}: {text}");
                }
            }
        }
    }
    assert!(requests > 1000, "{requests}");
    // Nothing came of all that.
    for foreign in ["other", "secret"] {
        let case = town
            .whistle
            .case(&town.here, CaseNumber(row(foreign).number))
            .await
            .expect("a case");
        assert_eq!((case.reports, case.location.address), (1, lane(foreign)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_is_not_merged_into_one_that_its_post_may_not_see() {
    let town = Town::new().await;
    let all = askers(&town).await;
    let dispatcher = all
        .iter()
        .find(|asker| asker.column == "dispatcher")
        .expect("an asker");
    let own = &town.matters[0];
    for into in &town.matters[1..] {
        let act = json!({"verb": "merge", "into": into.number, "seen": town.version(own).await});
        let request = Request::post(format!("/api/v1/cases/{}/acts", own.number))
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", dispatcher.session.as_deref().expect("a session")),
            )
            .body(Body::from(act.to_string()));
        let (status, text, _) = town.send(request.expect("a request")).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "into {}: {text}", into.row);
        assert!(!text.contains(&mark(into.row)), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_counts_for_the_api_only_with_the_token_of_its_own_session() {
    let town = Town::new().await;
    let (own, other) = (town.token("patrol").await, town.token("dispatcher").await);
    let ask = |cookie: &str, form: Option<&str>| {
        let request = Request::get("/api/v1/sessions/current")
            .header(header::COOKIE, format!("whistle_session={cookie}"));
        let token = form.map(|token| town.whistle.form_token(token));
        let request = token
            .into_iter()
            .fold(request, |request, token| request.header("X-Form-Token", token));
        request.body(Body::empty()).expect("a request")
    };
    for (cookie, form, wanted) in [
        (own.as_str(), None, StatusCode::UNAUTHORIZED),
        (&own, Some(other.as_str()), StatusCode::UNAUTHORIZED),
        ("", Some(&own), StatusCode::UNAUTHORIZED),
        (&own, Some(&own), StatusCode::OK),
    ] {
        let (status, text, _) = town.send(ask(cookie, form)).await;
        assert_eq!(status, wanted, "{cookie} {form:?}: {text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_the_scope_is_told_which_one_it_lacks() {
    let town = Town::new().await;
    let askers = askers(&town).await;
    let key = askers[1].key.as_deref().expect("a key for reports");
    let public = town.matters[2].number;
    let act = Request::post(format!("/api/v1/cases/{public}/acts"))
        .header("X-Api-Key", key)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(json!({"verb": "comment", "text": "so"}).to_string()));
    let update = Request::post("/open311/v2/servicerequestupdates.json")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(format!(
            "api_key={key}&service_request_id={public}&description=seen"
        )));
    for request in [act, update] {
        let (status, text, _) = town.send(request.expect("a request")).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{text}");
        assert!(
            text.contains("\"update\"") || text.contains("\\\"update\\\""),
            "{text}"
        );
    }
}
