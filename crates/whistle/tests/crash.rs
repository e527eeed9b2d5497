//! `kill -9` at random moments under load: what was acknowledged is there, nothing is there twice, all verifies.

mod harness;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use harness::{DEADLINE, Home, REQUESTS, Server, agent, eventually, post, pothole};
use rand::{RngExt, SeedableRng, rngs::StdRng};

const ROUNDS: usize = 6;
const CLIENTS: usize = 12;

/// What clients know: the id that each retry key was acknowledged with, none while there was no answer.
type Known = BTreeMap<String, Option<String>>;

#[test]
fn what_was_acknowledged_survives_kill_9_and_no_retry_makes_a_second_case() {
    let seed = std::env::var("SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(rand::random::<u64>);
    eprintln!("SEED={seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let home = Home::village();
    let api_key = home.key();
    let known = Mutex::new(Known::new());
    for round in 0..ROUNDS {
        let mut server = home.serve();
        send_again(&server, &api_key, &mut known.lock().unwrap());
        let answers = chance.random_range(1..400);
        kill_after(&mut server, answers, round, &api_key, &known);
        let sent = known.lock().unwrap();
        let acknowledged = sent.values().flatten().count();
        eprintln!(
            "round {round}: killed after {answers} answers; {acknowledged} of {} acknowledged",
            sent.len()
        );
    }
    let server = home.serve();
    let mut known = known.into_inner().unwrap();
    send_again(&server, &api_key, &mut known);
    let mut ids: Vec<_> = known.values().map(|id| id.clone().unwrap()).collect();
    for id in &ids {
        let found = server.get(&format!("/open311/v2/requests/{id}.json"));
        assert_eq!(
            found.status, 200,
            "case {id} was acknowledged and is lost; SEED={seed}"
        );
    }
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), known.len(), "two keys have one case; SEED={seed}");
    assert_eq!(
        home.cases(),
        known.len() as i64,
        "a key has made two cases; SEED={seed}"
    );
    server.stop();
    let verified = home.run(&["verify"]);
    assert_eq!(verified.code, 0, "SEED={seed}: {verified:#?}");
}

/// Reports from many clients at once, and kills the server once so many answers have come.
fn kill_after(server: &mut Server, answers: usize, round: usize, api_key: &str, known: &Mutex<Known>) {
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let url = format!("{}{REQUESTS}", server.url);
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, answered, url) = (&stop, &answered, url.as_str());
            scope.spawn(move || {
                let agent = agent();
                for i in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let retry_key = format!("{round}-{client}-{i}");
                    known.lock().unwrap().insert(retry_key.clone(), None);
                    let form = pothole(api_key, &retry_key);
                    // The connection breaks when the server is killed: it is not known then what became of the report.
                    let Ok(answer) = post(&agent, url, &[("Idempotency-Key", &retry_key)], &form) else {
                        return;
                    };
                    assert!(answer.status < 300, "{answer:#?}");
                    known
                        .lock()
                        .unwrap()
                        .insert(retry_key, Some(id_of(&answer.json())));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("the reports are answered", || {
            answered.load(Ordering::Relaxed) >= answers
        });
        server.kill();
        stop.store(true, Ordering::Relaxed);
    });
}

/// Sends everything again, as careful clients do, under the same keys.
fn send_again(server: &Server, api_key: &str, known: &mut Known) {
    for (retry_key, id) in known.iter_mut() {
        let answer = server.report(api_key, retry_key).unwrap();
        assert!(answer.status < 300, "{answer:#?}");
        let answered = id_of(&answer.json());
        if let Some(id) = id {
            assert_eq!(*id, answered, "the key {retry_key} has made a second case");
        }
        *id = Some(answered);
    }
}

fn id_of(answer: &serde_json::Value) -> String {
    let id = &answer[0]["service_request_id"];
    assert!(!id.is_null(), "{answer} after at most {DEADLINE:?}");
    id.as_str().map_or_else(|| id.to_string(), ToOwned::to_owned)
}

/// How many cases figures are counted from.
fn facts(server: &Server) -> Option<f64> {
    let metrics = server.get("/metrics").body;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("whistle_facts_rows "))?;
    line.rsplit(' ').next()?.parse().ok()
}

#[test]
fn facts_are_in_step_with_the_log_across_kill_9_and_a_file_that_was_torn() {
    let home = Home::village();
    let key = home.key();
    let mut reported = 0;
    for round in 0..4 {
        let mut server = home.serve();
        for nth in 0..3 {
            server.report(&key, &format!("{round}-{nth}")).unwrap();
            reported += 1;
        }
        eventually("every case is a fact", || {
            facts(&server) == Some(f64::from(reported))
        });
        match round {
            0 | 2 => server.kill(),
            // Written down at the end; then torn, as by a disk that was full.
            _ => server.stop(),
        }
        let folder = home.data().join("facts");
        if round == 1 {
            let file = std::fs::read_dir(&folder)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path();
            let bytes = std::fs::read(&file).unwrap();
            std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        }
        assert_eq!(home.run(&["verify"]).code, 0, "after round {round}");
    }
    let server = home.serve();
    eventually("every case is a fact", || {
        facts(&server) == Some(f64::from(reported))
    });
}
