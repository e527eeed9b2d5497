//! An install moves between databases by the command line, is spread where that is possible, and comes back from
//! PostgreSQL's own backup.

mod harness;

use std::process::Command;

use harness::{Home, Run, eventually, village};
use whistle_testbed::{Bed, Cluster, sql};

/// A demo in the folder `old`, whatever this run's backend is.
fn demo(home: &Home) {
    let mut command = home.command(&["demo", "--dir", "old", "--no-serve", "--json", "--cases", "300"]);
    command
        .args(["--place", village().to_str().unwrap()])
        .env_remove("WHISTLE_DATABASE_URL");
    harness::finish(command, "").good();
}

fn in_file(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.command(arguments);
    command.env_remove("WHISTLE_DATABASE_URL");
    harness::finish(command, "")
}

/// Where the install is to go: `--to` and its database.
fn to(home: &Home) -> String {
    home.database_url()
        .map_or_else(|| format!("sqlite:{}", home.data().display()), str::to_owned)
}

#[test]
fn an_install_is_moved_verified_and_compared_and_says_where_its_photos_are() {
    let home = Home::empty();
    demo(&home);
    std::fs::create_dir_all(home.data()).unwrap();
    std::fs::copy(home.path().join("old/secret.key"), home.data().join("secret.key")).unwrap();
    let ends = ["--from", "sqlite:old", "--to", &to(&home)];
    let moved = home.run(&[&["migrate"][..], &ends].concat()).good();
    assert!(
        moved.out.contains(" tables: the same on both sides"),
        "{moved:#?}"
    );
    assert!(moved.out.contains("300 cases"), "{moved:#?}");
    assert!(moved.out.contains("all as they must be"), "{moved:#?}");
    assert!(moved.out.contains("media/"), "{moved:#?}");
    assert_eq!(moved.err, "", "no bar where no terminal is");
    home.run(&["verify"]).good();
    let again = home.run(&[&["migrate"][..], &ends].concat());
    assert_eq!(again.code, 1);
    assert!(again.err.contains("holds data already"), "{again:#?}");
    let compared = home
        .run(&[&["migrate", "--compare", "--json"][..], &ends].concat())
        .good()
        .json();
    assert_eq!(compared["moved"], false);
    assert!(compared["rows"].as_u64().unwrap() > 1_000, "{compared}");
    home.tamper("UPDATE event SET text = 'else' WHERE number = 7 AND version = 1");
    let differs = home.run(&[&["migrate", "--compare"][..], &ends].concat());
    assert_eq!(differs.code, 1);
    assert!(
        differs.err.contains("the table event is not the same"),
        "{differs:#?}"
    );
}

#[test]
fn a_move_from_nowhere_or_to_nowhere_is_refused() {
    let home = Home::empty();
    let nothing = home.run(&["migrate", "--from", "sqlite:nowhere", "--to", "sqlite:data"]);
    assert_eq!(nothing.code, 1);
    assert!(nothing.err.contains("there is none in nowhere"), "{nothing:#?}");
    assert!(!home.path().join("nowhere").exists());
    let unsaid = in_file(&home, &["migrate", "--from", "sqlite:nowhere"]);
    assert_eq!(unsaid.code, 2, "{unsaid:#?}");
    let wrong = home.run(&["migrate", "--from", "mysql://there"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("sqlite:DIR"), "{wrong:#?}");
}

#[test]
fn tables_are_not_distributed_without_citus_but_the_statements_are_shown() {
    let home = Home::village();
    let refused = home.run(&["distribute"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("the tables are not distributed: "),
        "{refused:#?}"
    );
    let shown = home.run(&["distribute", "--dry-run", "--shards", "64"]);
    if !home.is_on_postgres() {
        assert_eq!(shown.code, 1);
        assert!(shown.err.contains("SQLite"), "{shown:#?}");
        return;
    }
    assert_eq!(shown.code, 0, "{shown:#?}");
    assert!(
        shown
            .out
            .contains("SELECT create_reference_table('jurisdiction');"),
        "{shown:#?}"
    );
    assert!(shown.out.contains("shard_count => 64"), "{shown:#?}");
    home.run(&["verify"]).good();
}

#[test]
fn an_install_comes_back_from_pg_dump_whole() {
    let home = Home::empty();
    let Some(url) = home.database_url() else {
        return;
    };
    demo(&home);
    let ends = ["migrate", "--from", "sqlite:old", "--to", url];
    home.run(&ends).good();
    let dump = home.path().join("whistle.dump");
    tool(
        "pg_dump",
        &["--format=custom", "--file", dump.to_str().unwrap(), url],
    );
    let other = Home::empty();
    let there = other.database_url().unwrap();
    tool(
        "pg_restore",
        &[
            "--exit-on-error",
            "--single-transaction",
            "--no-owner",
            "--dbname",
            there,
            dump.to_str().unwrap(),
        ],
    );
    std::fs::create_dir_all(other.data()).unwrap();
    std::fs::copy(
        home.path().join("old/secret.key"),
        other.data().join("secret.key"),
    )
    .unwrap();
    let verified = other.run(&["verify"]).good();
    assert!(verified.out.contains("300 cases"), "{verified:#?}");
    home.run(&["migrate", "--compare", "--from", url, "--to", there])
        .good();
    // Numbers go on, and nothing is given twice.
    let key = other.key();
    let server = other.serve();
    let answer = server.report(&key, "after the restore").unwrap();
    assert!(answer.status < 300, "{answer:#?}");
    server.stop();
    other.run(&["verify"]).good();
    assert_eq!(other.cases(), 301);
}

#[test]
fn an_install_on_postgresql_goes_back_to_any_moment_after_a_base_copy() {
    if Bed::postgres().is_none() {
        return;
    }
    let cluster = Cluster::archiving();
    let home = Home::at(cluster.url()).with_village();
    let key = home.key();
    let server = home.serve();
    let report = |of: &str, count: i64| {
        for i in 0..count {
            let answer = server.report(&key, &format!("{of} {i}")).unwrap();
            assert!(answer.status < 300, "{answer:#?}");
        }
    };
    report("before the copy", 10);
    cluster.base_copy();
    report("after it", 15);
    let moment = sql(&cluster.url(), "SELECT clock_timestamp()");
    report("too late", 5);
    assert_eq!(home.cases(), 30);
    server.stop();
    cluster.go_back(&moment);
    eventually("the log was followed to that moment", || {
        sql(&cluster.url(), "SELECT pg_is_in_recovery()") == "f"
    });
    assert_eq!(home.cases(), 25);
    home.run(&["verify"]).good();
    // Numbers go on, and nothing is given twice.
    let server = home.serve();
    let answer = server.report(&key, "once more").unwrap();
    assert!(answer.status < 300, "{answer:#?}");
    server.stop();
    home.run(&["verify"]).good();
    assert_eq!(home.cases(), 26);
}

#[track_caller]
fn tool(name: &str, arguments: &[&str]) {
    let output = Command::new(name)
        .args(arguments)
        .output()
        .expect("PostgreSQL's tools are on the path");
    assert!(
        output.status.success(),
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
