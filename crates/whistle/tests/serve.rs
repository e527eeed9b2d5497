//! Serving: health, limits, how it stops and starts again.

mod harness;

use std::io::{Read, Write};

use harness::{Home, REQUESTS, Server, eventually, pothole, read_head};
use whistle_testbed::{Bed, Cluster};

#[test]
fn a_server_with_a_place_is_healthy_and_ready() {
    let home = Home::village();
    let server = home.serve();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 200);
    let metrics = server.get("/metrics");
    assert_eq!(metrics.status, 200);
    assert!(metrics.body.contains("whistle_build_info"), "{}", metrics.body);
    server.stop();
}

#[test]
fn a_server_without_a_place_says_so_and_is_ready_once_one_is_applied() {
    let home = Home::empty();
    let server = home.serve();
    assert_eq!(server.get("/healthz").status, 200);
    assert_eq!(server.get("/readyz").status, 503);
    eventually("the missing place is logged", || {
        server.log().contains("no place is in force")
    });
    home.run(&["apply", harness::village().to_str().unwrap()]).good();
    server.signal("HUP");
    eventually("the place is taken over", || server.get("/readyz").status == 200);
    server.stop();
}

#[test]
fn metrics_are_not_told_when_they_are_off() {
    let home = Home::village();
    let server = home.serve_with(&["--metrics", "false"]);
    assert_eq!(server.get("/metrics").status, 404);
}

#[test]
fn log_lines_are_json_with_a_request_id_when_asked_and_hold_no_personal_data() {
    let home = Home::village();
    let server = home.serve_with(&["--log-format", "json", "--log", "debug", "--rate", "0"]);
    let key = home.key();
    let mut form = pothole(&key, "call me: 13800138000").to_vec();
    form.push(("email", "someone@example.org"));
    form.push(("first_name", "Someone"));
    let answer = server.post(REQUESTS, &[], &form).unwrap();
    assert!(matches!(answer.status, 200 | 201), "{answer:#?}");
    eventually("the request is logged", || server.log().contains("request_id"));
    for line in server.log().lines() {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(entry["level"].is_string(), "{line}");
    }
    for secret in [key.as_str(), "13800138000", "someone", "Someone"] {
        assert!(!server.log().contains(secret), "{secret} is in\n{}", server.log());
    }
}

#[test]
fn an_address_in_use_is_refused_with_its_name() {
    let home = Home::village();
    let server = home.serve();
    let run = home.run(&["serve", "--listen", &server.address.to_string()]);
    assert_eq!(run.code, 1);
    let told = format!("cannot listen on {}", server.address);
    assert!(
        run.err.contains(&told) && run.err.contains("--listen"),
        "{run:#?}"
    );
}

#[test]
fn a_report_under_way_is_finished_when_the_server_is_told_to_stop() {
    let home = Home::village();
    let key = home.key();
    let mut server = home.serve();
    let (mut stream, body) = begin_report(&server, &key);
    server.signal("TERM");
    eventually("no more connections are taken", || {
        std::net::TcpStream::connect(server.address).is_err()
    });
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("service_request_id"), "{answer}");
    assert!(server.wait().success());
    assert_eq!(home.cases(), 1);
}

#[test]
fn a_server_starts_again_after_it_was_killed() {
    let home = Home::village();
    let key = home.key();
    let mut server = home.serve();
    let answer = server.report(&key, "before").unwrap();
    server.kill();
    let server = home.serve();
    let id = id_of(&answer.json());
    let found = server.get(&format!("/open311/v2/requests/{id}.json"));
    assert_eq!(found.status, 200, "{found:#?}");
    server.stop();
}

#[test]
fn a_body_over_the_limit_is_answered_413() {
    let home = Home::village();
    let key = home.key();
    let server = home.serve_with(&["--max-body", "16 KiB", "--rate", "0"]);
    let long = "x".repeat(20 * 1024);
    let refused = server.post(REQUESTS, &[], &pothole(&key, &long)).unwrap();
    assert_eq!(refused.status, 413, "{refused:#?}");
    let fine = server.report(&key, "short").unwrap();
    assert!(matches!(fine.status, 200 | 201) && !fine.closes, "{fine:#?}");
}

#[test]
fn an_address_that_asks_too_often_is_answered_429_and_when_to_try_again() {
    let home = Home::village();
    let server = home.serve_with(&["--rate", "1", "--burst", "3"]);
    let answers: Vec<_> = (0..20).map(|_| server.get("/open311/discovery.json")).collect();
    assert_ne!(answers[0].status, 429);
    let refused = answers
        .iter()
        .find(|a| a.status == 429)
        .expect("one of 20 at once is too many");
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    assert_eq!(server.get("/healthz").status, 200, "health is told to everybody");
}

#[test]
fn a_request_too_many_at_once_is_answered_503_and_when_to_try_again() {
    let home = Home::village();
    let key = home.key();
    let server = home.serve_with(&["--concurrency", "1", "--rate", "0"]);
    let (mut stream, body) = begin_report(&server, &key);
    let refused = server.report(&key, "one too many").unwrap();
    assert_eq!(
        (refused.status, refused.retry_after.as_deref(), refused.closes),
        (503, Some("1"), true),
        "{refused:#?}"
    );
    assert_eq!(
        server.get("/readyz").status,
        200,
        "a full server can say that it is well"
    );
    stream.write_all(body.as_bytes()).unwrap();
    let head = read_head(&mut stream);
    assert!(head.contains(" 200 ") || head.contains(" 201 "), "{head}");
    eventually("there is room again", || {
        server.report(&key, "again").unwrap().status < 300
    });
}

/// Sends the head of a report and waits until the server asks for its body, which is left to the caller.
fn begin_report(server: &Server, key: &str) -> (std::net::TcpStream, String) {
    let body = format!("api_key={key}&service_code=RD-HOLE&lat=46.2051&long=131.8152&description=a+hole");
    let mut stream = server.connect();
    write!(
        stream,
        "POST {REQUESTS} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .unwrap();
    let head = read_head(&mut stream);
    assert!(head.contains("100 Continue"), "{head}");
    (stream, body)
}

fn id_of(answer: &serde_json::Value) -> String {
    let id = &answer[0]["service_request_id"];
    id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)
}

#[test]
fn a_server_whose_database_went_away_says_so_and_goes_on_when_it_is_back() {
    if Bed::postgres().is_none() {
        return;
    }
    let (home, cluster) = (Home::empty(), Cluster::start());
    let database = ["--database-url", &cluster.url()];
    home.run(&[&["apply", harness::village().to_str().unwrap()], &database[..]].concat())
        .good();
    let key = home
        .run(&[&["key", "add", "tests"], &database[..]].concat())
        .good();
    let key = key.out.trim();
    let server = home.serve_with(&[&["--rate", "0"], &database[..]].concat());
    assert!(server.report(key, "before").unwrap().status < 300);
    assert_eq!(server.get("/readyz").status, 200);
    cluster.crash();
    assert_eq!(server.get("/readyz").status, 503);
    assert_eq!(server.get("/healthz").status, 200);
    let refused = server.report(key, "meanwhile").unwrap();
    assert_eq!(refused.status, 503, "{refused:#?}");
    assert!(refused.retry_after.is_some(), "{refused:#?}");
    cluster.start_again();
    assert_eq!(server.get("/readyz").status, 200);
    // Sent again, as a client does that was told to.
    assert!(server.report(key, "meanwhile").unwrap().status < 300);
    assert!(server.report(key, "before").unwrap().status < 300);
    server.stop();
    let verified = home.run(&[&["verify"], &database[..]].concat()).good();
    assert!(verified.out.contains("2 cases"), "{verified:#?}");
}

#[test]
fn processes_that_share_a_database_and_a_key_are_one_install() {
    let Some(bed) = Bed::postgres() else { return };
    let homes = [Home::empty(), Home::empty()];
    let shared = |home: &Home, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command
            .env("WHISTLE_DATABASE_URL", bed.database_url().unwrap())
            .env("WHISTLE_SECRET_KEY", "5eed".repeat(16));
        command
    };
    let finish = |home: &Home, arguments: &[&str]| harness::finish(shared(home, arguments), "").good();
    finish(&homes[0], &["apply", harness::village().to_str().unwrap()]);
    let key = finish(&homes[1], &["key", "add", "tests"]);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--rate", "0"];
    let servers = homes.each_ref().map(|home| Server::of(shared(home, &serve)));
    for i in 0..20 {
        let answer = servers[i % 2]
            .report(key.out.trim(), &format!("report {}", i / 2))
            .unwrap();
        assert!(answer.status < 300, "{answer:#?}");
    }
    // Each was sent to both under one key.
    let verified = finish(&homes[0], &["verify"]);
    assert!(verified.out.contains("10 cases"), "{verified:#?}");
    assert!(!homes[0].data().join("secret.key").exists());
    let shown = finish(&homes[0], &["config"]);
    assert!(
        !shown.out.contains("5eed") && !shown.out.contains("postgres://test"),
        "{shown:#?}"
    );
}

#[test]
fn tries_to_sign_in_count_for_the_address_that_a_trusted_proxy_names_and_for_no_other() {
    let home = Home::village();
    home.run_with_input(
        &["user", "add", "desk", "--post", "CITY-D", "--password-stdin"],
        "a short sentence\n",
    )
    .good();
    let sign_in = |server: &Server, from: &str, password: &str| {
        let form = [("login", "desk"), ("password", password)];
        let answer = server.post("/staff/sign-in", &[("X-Forwarded-For", from)], &form);
        answer.unwrap().status
    };
    let mut command = home.command(&["serve", "--listen", "127.0.0.1:0", "--rate", "0"]);
    command.env("WHISTLE_TRUSTED_PROXIES", "127.0.0.1");
    let behind_a_proxy = Server::of(command);
    for _ in 0..20 {
        assert_eq!(sign_in(&behind_a_proxy, "203.0.113.1", "a wrong sentence"), 401);
    }
    assert_eq!(sign_in(&behind_a_proxy, "203.0.113.1", "a short sentence"), 429);
    assert_eq!(
        sign_in(&behind_a_proxy, "203.0.113.9, 203.0.113.1", "a short sentence"),
        429,
        "what stands before the proxy's own word is anybody's"
    );
    let sent_on = sign_in(&behind_a_proxy, "203.0.113.2", "a short sentence");
    assert_eq!(sent_on, 200, "the client went where it was sent after signing in");

    let open = home.serve();
    for i in 0..20 {
        assert_eq!(
            sign_in(&open, &format!("198.51.100.{i}"), "a wrong sentence"),
            401
        );
    }
    assert_eq!(sign_in(&open, "198.51.100.99", "a short sentence"), 429);
}
