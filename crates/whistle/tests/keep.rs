//! Keeping: a backup under load comes back whole, and no tampering goes unseen. On SQLite: PostgreSQL has its own tools.

mod harness;

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use harness::{Home, eventually, finish};
use rusqlite::Connection;

#[test]
fn a_backup_made_under_load_is_restored_and_verifies() {
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    let key = home.key();
    let server = home.serve();
    let photo = home.data().join("media/photos/ab/ab12.jpg");
    fs::create_dir_all(photo.parent().unwrap()).unwrap();
    fs::write(&photo, b"a picture").unwrap();
    let (stop, sent) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for client in 0..4 {
            let (server, key, stop, sent) = (&server, &key, &stop, &sent);
            scope.spawn(move || {
                for i in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let answer = server.report(key, &format!("{client}-{i}")).unwrap();
                    assert!(answer.status < 300, "{answer:#?}");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        eventually("some reports are in", || sent.load(Ordering::Relaxed) >= 40);
        let backup = home.run(&["backup", "copies/one"]);
        let before = sent.load(Ordering::Relaxed);
        eventually("more reports come in", || sent.load(Ordering::Relaxed) > before);
        stop.store(true, Ordering::Relaxed);
        backup.good();
    });
    let again = home.run(&["backup", "copies/one"]);
    assert_eq!(again.code, 1, "a backup is never overwritten: {again:#?}");
    let restored = home.run(&["restore", "copies/one", "--data", "other"]).good();
    assert!(restored.out.contains("1 photo file"), "{restored:#?}");
    let verified = home.run(&["verify", "--data", "other", "--json"]).good().json();
    let cases = verified["jurisdictions"][0]["cases"].as_u64().unwrap();
    assert!(cases >= 40, "{verified}");
    assert_eq!(
        fs::read(home.path().join("other/media/photos/ab/ab12.jpg")).unwrap(),
        b"a picture"
    );
    assert_eq!(
        fs::read(home.path().join("other/secret.key")).unwrap(),
        fs::read(home.data().join("secret.key")).unwrap()
    );
    let left: Vec<_> = fs::read_dir(home.path().join("copies"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["one"]);
    server.stop();
}

#[test]
fn a_backup_holds_the_key_in_force_whatever_the_data_folder_has() {
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    // The village was applied without a key in the environment, so the folder has one that is not in force below.
    let in_force = "5a".repeat(32);
    let backup = |to: &str| {
        let mut command = home.command(&["backup", to]);
        command.env("WHISTLE_SECRET_KEY", &in_force);
        finish(command, "").good();
        fs::read(home.path().join(to).join("secret.key")).unwrap()
    };
    assert_eq!(backup("beside-another"), [0x5a; 32]);
    fs::remove_file(home.data().join("secret.key")).unwrap();
    assert_eq!(backup("without-a-file"), [0x5a; 32]);
}

#[test]
fn an_install_with_cases_gets_no_fresh_key_in_place_of_a_lost_one() {
    let home = Home::village();
    let key = home.data().join("secret.key");
    if !home.is_on_postgres() {
        fs::remove_file(&key).unwrap();
        home.run(&["check"]).good();
        assert!(key.is_file(), "without a case nothing is lost");
    }
    let api_key = home.key();
    let server = home.serve();
    assert!(server.report(&api_key, "a hole").unwrap().status < 300);
    server.stop();
    let kept = fs::read(&key).unwrap();
    fs::remove_file(&key).unwrap();
    let refused = home.run(&["check"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(refused.err.contains("secret.key is missing"), "{refused:#?}");
    assert!(!key.exists(), "{refused:#?}");
    fs::write(&key, kept).unwrap();
    home.run(&["check"]).good();
}

#[test]
fn a_database_refuses_another_key_than_its_own_until_that_is_given_up() {
    let home = Home::village();
    let api_key = home.key();
    let server = home.serve();
    assert!(server.report(&api_key, "a hole").unwrap().status < 300);
    server.stop();
    let key = home.data().join("secret.key");
    let own = fs::read(&key).unwrap();
    fs::write(&key, [7; 32]).unwrap();
    let refused = home.run(&["check"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    assert!(
        refused.err.contains("used with another secret key"),
        "{refused:#?}"
    );
    assert!(refused.err.contains("whistle secret adopt"), "{refused:#?}");
    // Its own behind another one: as after a rotation.
    fs::write(&key, [[7; 32].as_slice(), &own].concat()).unwrap();
    home.run(&["check"]).good();
    fs::write(&key, [8; 32]).unwrap();
    assert_eq!(home.run(&["check"]).code, 1);
    home.run(&["secret", "adopt"]).good();
    home.run(&["check"]).good();
    let acts = home.run(&["audit"]).good();
    assert!(acts.out.contains("secret_adopted"), "{acts:#?}");
    fs::write(&key, own).unwrap();
    assert_eq!(home.run(&["check"]).code, 1, "what was given up is another now");
}

#[cfg(unix)]
#[test]
fn a_backup_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    home.run(&["backup", "copy"]).good();
    let mode = |name: &str| fs::metadata(home.path().join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("copy"), 0o700);
    assert_eq!(mode("copy/secret.key"), 0o600);
    assert_eq!(mode("copy/whistle.db"), 0o600);
}

#[test]
fn a_restore_replaces_nothing_unasked_and_never_under_a_running_server() {
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    home.run(&["backup", "copy"]).good();
    let refused = home.run(&["restore", "copy"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("--force"), "{refused:#?}");
    let server = home.serve();
    let in_use = home.run(&["restore", "copy", "--force"]);
    assert_eq!(in_use.code, 1);
    assert!(in_use.err.contains("stop it first"), "{in_use:#?}");
    server.stop();
    home.run(&["restore", "copy", "--force"]).good();
    assert!(home.data().join("whistle.before-restore.db").is_file());
    home.run(&["verify"]).good();
}

#[test]
fn a_restore_from_what_is_no_backup_changes_nothing() {
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    let database = home.data().join("whistle.db");
    fs::create_dir(home.path().join("empty")).unwrap();
    let none = home.run(&["restore", "empty", "--force"]);
    assert_eq!(none.code, 1);
    assert!(none.err.contains("there is no whistle.db in it"), "{none:#?}");
    home.run(&["backup", "copy"]).good();
    let whole = fs::read(home.path().join("copy/whistle.db")).unwrap();
    fs::write(home.path().join("copy/whistle.db"), &whole[..whole.len() / 2]).unwrap();
    let before = fs::read(&database).unwrap();
    assert_eq!(home.run(&["restore", "copy", "--force"]).code, 1);
    assert_eq!(fs::read(&database).unwrap(), before);
    home.run(&["verify"]).good();
}

#[test]
fn no_change_behind_the_back_of_the_store_goes_unseen() {
    type Tamper = fn(&Connection);
    let tampers: [(&str, &str, Tamper); 7] = [
        ("an event's text", "the text of event", |db| {
            change(
                db,
                "UPDATE event SET text = text || '!' WHERE text IS NOT NULL AND text <> ''",
            );
        }),
        ("an event's body", "chain of hashes breaks", |db| {
            change(db, "UPDATE event SET at = at + 1 WHERE version = 1");
        }),
        ("a missing event", "case", |db| {
            change(
                db,
                "DELETE FROM event WHERE version = (SELECT MAX(version) FROM event)",
            );
        }),
        ("a column of the row", "columns of the row", |db| {
            change(db, "UPDATE cases SET due_at = due_at + 1");
        }),
        ("the row's hash", "hash of its last event", |db| {
            change(db, "UPDATE cases SET hash = zeroblob(32)");
        }),
        ("a counter", "a recount gives", |db| {
            change(db, "UPDATE counter SET n = n + 1");
        }),
        ("a missing counter", "is missing, a recount gives", |db| {
            change(db, "DELETE FROM counter");
        }),
    ];
    let Some(home) = Home::in_files().map(Home::with_village) else {
        return;
    };
    let key = home.key();
    let server = home.serve();
    for i in 0..3 {
        let answer = server.report(&key, &format!("hole {i}")).unwrap();
        assert!(answer.status < 300, "{answer:#?}");
    }
    server.stop();
    home.run(&["verify"]).good();
    home.run(&["backup", "clean"]).good();
    for (what, found, tamper) in tampers {
        home.run(&["restore", "clean", "--force"]).good();
        tamper(&home.database());
        let run = home.run(&["verify"]);
        assert_eq!(run.code, 1, "{what} was changed and not found: {run:#?}");
        assert!(
            run.out.contains(found) || run.err.contains(found),
            "{what}: {run:#?}"
        );
    }
    home.run(&["restore", "clean", "--force"]).good();
    home.run(&["verify"]).good();
}

#[track_caller]
fn change(database: &Connection, statement: &str) {
    assert!(database.execute(statement, []).unwrap() > 0, "{statement}");
}
