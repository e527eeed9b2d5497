//! The store as its callers meet it. Tests that need another process start this test binary again.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;
use whistle_store::{Counter, Error, Store, Target, Tx, lease, limits, params, restore};
use whistle_testbed::Bed;

const PLACE: i64 = 1;

fn open(target: impl Into<Target>) -> Store {
    Store::open(target, Timestamp::UNIX_EPOCH).unwrap()
}

fn target(bed: &Bed) -> Target {
    bed.target(Target::Postgres)
}

fn temporary() -> (Bed, Store) {
    let bed = Bed::new();
    let store = open(target(&bed));
    (bed, store)
}

/// A store in files, for what is not done on PostgreSQL.
fn in_files() -> Option<(Bed, Store)> {
    let bed = Bed::sqlite()?;
    let store = open(bed.path());
    Some((bed, store))
}

/// Adds to a counter's row directly: the tables of cases are none of this crate's engine, counters are at hand.
fn add_row(tx: &mut Tx<'_>, day: i64) -> Result<(), Error> {
    tx.exec(
        "INSERT INTO counter (jurisdiction_id, name, area_code, unit_code, service_code, day, n)
         VALUES ($1, 'row', '', '', '', $2, 1)",
        params![PLACE, day],
    )?;
    Ok(())
}

fn rows(store: &Store) -> HashSet<i64> {
    store
        .read_blocking(|conn| {
            conn.rows(
                "SELECT day FROM counter WHERE jurisdiction_id = $1 AND name = 'row'",
                params![PLACE],
                |row| row.int(0),
            )
        })
        .map(|days: Vec<i64>| days.into_iter().collect())
        .unwrap()
}

fn counted(store: &Store, name: &str) -> Option<i64> {
    store
        .read_blocking(|conn| {
            conn.row_optional(
                "SELECT CAST(SUM(n) AS BIGINT)
                 FROM counter
                 WHERE jurisdiction_id = $1 AND name = $2 AND day = 0
                 HAVING COUNT(*) > 0",
                params![PLACE, name],
                |row| row.int(0),
            )
        })
        .unwrap()
}

/// Holds the writer inside a command until the sender is used or dropped; what is queued meanwhile is one group.
fn hold(store: &Store) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel();
    let (running, begun) = mpsc::channel();
    drop(store.write(move |_| -> Result<(), Error> {
        // Run again, it holds nobody.
        let _ = running.send(());
        let _ = held.recv();
        Ok(())
    }));
    begun.recv().unwrap();
    release
}

/// Runs one test of this binary in another process, as a helper: it does its part when it is told where.
fn helper(test: &str, bed: &Bed) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("WHISTLE_TEST_DIR", bed.path())
        .env("WHISTLE_TEST_DATABASE", bed.database_url().unwrap_or_default())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Where the helper is to do its part; none in the test itself.
fn told() -> Option<Target> {
    let dir = std::env::var_os("WHISTLE_TEST_DIR")?;
    Some(match std::env::var("WHISTLE_TEST_DATABASE") {
        Ok(url) if !url.is_empty() => Target::Postgres(url),
        _ => Target::Directory(dir.into()),
    })
}

/// The numbers a helper prints, one a line after a mark that the test harness never prints.
fn numbers(child: &mut Child) -> impl Iterator<Item = i64> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("number ")?.parse().ok())
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    if let Some(there) = told() {
        let store = open(there);
        let mut next = rows(&store).iter().max().map_or(1, |last| last + 1);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        loop {
            // Several at once, so that groups form and the kill falls into one.
            let days = next..next + 20;
            next = days.end;
            let writes: Vec<_> = days
                .map(|day| (day, store.write(move |tx| add_row(tx, day))))
                .collect();
            for (day, write) in writes {
                runtime.block_on(write).unwrap();
                println!("number {day}");
            }
        }
    }
    let bed = Bed::new();
    let mut acknowledged = HashSet::new();
    for kill_after in [1, 7, 150, 33, 400, 2] {
        let mut child = helper("what_was_acknowledged_is_there_after_kill_9", &bed);
        let mut said = numbers(&mut child);
        acknowledged.extend(said.by_ref().take(kill_after));
        child.kill().unwrap();
        // What it still said before it died counts as well.
        acknowledged.extend(said);
        child.wait().unwrap();
        let store = open(target(&bed));
        let missing: Vec<_> = acknowledged.difference(&rows(&store)).copied().collect();
        assert_eq!(missing, Vec::<i64>::new());
    }
    assert!(acknowledged.len() >= 593);
}

#[test]
fn two_processes_never_get_the_same_number() {
    const EACH: usize = 500;
    let take = |tx: &mut Tx<'_>| -> Result<i64, Error> { tx.next_id(PLACE, "case") };
    if let Some(there) = told() {
        let store = open(there);
        for _ in 0..EACH {
            println!("number {}", store.write_blocking(take).unwrap());
        }
        return;
    }
    let bed = Bed::new();
    // Both make the database, at the same time.
    let mut child = helper("two_processes_never_get_the_same_number", &bed);
    let store = open(target(&bed));
    let mut taken: Vec<i64> = (0..EACH).map(|_| store.write_blocking(take).unwrap()).collect();
    taken.extend(numbers(&mut child));
    child.wait().unwrap();
    assert_eq!(taken.len(), 2 * EACH);
    assert_eq!(taken.iter().collect::<HashSet<_>>().len(), 2 * EACH);
}

#[test]
fn numbers_taken_by_a_failed_command_are_not_given_to_two_others() {
    let (_dir, store) = temporary();
    let release = hold(&store);
    let mut answers = Vec::new();
    for command in 0..300 {
        answers.push(store.write(move |tx| -> Result<i64, Error> {
            let number = tx.next_id(PLACE, "case")?;
            // Every third fails, some of them just after they took a new block.
            if command % 3 == 0 {
                Err(Error::Closed)
            } else {
                Ok(number)
            }
        }));
    }
    drop(release);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let given: Vec<i64> = answers
        .into_iter()
        .filter_map(|answer| runtime.block_on(answer).ok())
        .collect();
    assert_eq!(given.len(), 200);
    assert_eq!(given.iter().collect::<HashSet<_>>().len(), 200);
    let next: i64 = store
        .read_blocking(|conn| {
            conn.row(
                "SELECT next FROM sequence WHERE jurisdiction_id = $1",
                params![PLACE],
                |row| row.int(0),
            )
        })
        .unwrap();
    assert!(
        given.iter().all(|number| *number < next),
        "a number given lies beyond what the table has given out"
    );
}

#[tokio::test]
async fn a_failed_command_is_rolled_back_alone() {
    let (_dir, store) = temporary();
    let release = hold(&store);
    let before = store.write(|tx| add_row(tx, 1));
    let failed = store.write(|tx| {
        add_row(tx, 2)?;
        tx.count(Counter::total(PLACE, "failed"), 1);
        add_row(tx, 1)
    });
    let after = store.write(|tx| {
        tx.count(Counter::total(PLACE, "succeeded"), 1);
        add_row(tx, 3)
    });
    drop(release);
    before.await.unwrap();
    assert!(matches!(failed.await, Err(Error::Conflict { .. })));
    after.await.unwrap();
    assert_eq!(rows(&store), HashSet::from([1, 3]));
    assert_eq!(
        (counted(&store, "failed"), counted(&store, "succeeded")),
        (None, Some(1))
    );
}

#[tokio::test]
async fn the_first_of_a_group_may_fail_and_the_others_stand() {
    let (_dir, store) = temporary();
    let release = hold(&store);
    let failing = |tx: &mut Tx<'_>| {
        add_row(tx, 9)?;
        Err::<(), _>(Error::Closed)
    };
    let (first, second, third) = (
        store.write(failing),
        store.write(failing),
        store.write(|tx| add_row(tx, 1)),
    );
    drop(release);
    assert!(first.await.is_err() && second.await.is_err());
    third.await.unwrap();
    assert_eq!(rows(&store), HashSet::from([1]));
}

#[tokio::test]
async fn among_commands_that_can_be_run_again_a_failed_one_goes_alone_and_nothing_is_counted_twice() {
    let (_dir, store) = temporary();
    let (release, held) = mpsc::channel::<()>();
    let (running, begun) = mpsc::channel();
    let first = store.write(move |tx| {
        let _ = running.send(());
        let _ = held.recv();
        tx.count(Counter::total(PLACE, "again"), 1);
        add_row(tx, 1)
    });
    begun.recv().unwrap();
    let counting = |day| {
        move |tx: &mut Tx<'_>| {
            tx.count(Counter::total(PLACE, "again"), 1);
            add_row(tx, day)
        }
    };
    let second = store.write(counting(2));
    let failing = store.write(|tx| {
        tx.count(Counter::total(PLACE, "again"), 1);
        add_row(tx, 9)?;
        Err::<(), _>(Error::Closed)
    });
    let third = store.write(counting(3));
    let used_up = store.write(counting(4));
    drop(release);
    assert!(failing.await.is_err());
    first.await.unwrap();
    second.await.unwrap();
    third.await.unwrap();
    used_up.await.unwrap();
    assert_eq!(rows(&store), HashSet::from([1, 2, 3, 4]));
    assert_eq!(counted(&store, "again"), Some(4));
}

#[tokio::test]
async fn a_panic_in_a_command_is_its_error_and_the_writer_goes_on() {
    let (_dir, store) = temporary();
    let panicked = store
        .write(|tx| -> Result<(), Error> {
            add_row(tx, 1)?;
            panic!("out of cheese")
        })
        .await;
    assert!(matches!(panicked, Err(Error::Panicked { message }) if message == "out of cheese"));
    store.write(|tx| add_row(tx, 2)).await.unwrap();
    assert_eq!(rows(&store), HashSet::from([2]));
}

#[tokio::test]
async fn a_command_that_ends_the_transaction_fails_with_those_before_it_and_not_with_those_after() {
    let Some((_dir, store)) = in_files() else { return };
    let release = hold(&store);
    let before = store.write(|tx| {
        tx.count(Counter::total(PLACE, "before"), 1);
        add_row(tx, 1)
    });
    let ending = store.write(|tx| tx.exec("ROLLBACK", params![]));
    let after = store.write(|tx| add_row(tx, 2));
    drop(release);
    assert!(matches!(before.await, Err(Error::RolledBack)));
    assert!(matches!(ending.await, Err(Error::RolledBack)));
    after.await.unwrap();
    assert_eq!(rows(&store), HashSet::from([2]));
    assert_eq!(counted(&store, "before"), None);
}

#[test]
fn a_group_that_changed_nothing_counts_as_no_commit() {
    let (_bed, store) = temporary();
    let commits = || store.load().commits;
    let before = commits();
    store.keep_up().unwrap();
    store
        .write_blocking(|tx| {
            tx.row(
                "SELECT COUNT(*) FROM counter WHERE jurisdiction_id = $1",
                params![PLACE],
                |row| row.int(0),
            )
        })
        .unwrap();
    assert_eq!(commits(), before);
    store.write_blocking(|tx| add_row(tx, 1)).unwrap();
    assert_eq!(commits(), before + 1);
    store
        .write_blocking(|tx| {
            tx.count(Counter::total(PLACE, "only"), 1);
            Ok::<_, Error>(())
        })
        .unwrap();
    assert_eq!((commits(), counted(&store, "only")), (before + 2, Some(1)));
}

#[test]
fn what_another_process_writes_is_read_once_a_second_and_not_by_every_write() {
    const EACH: i64 = 10;
    let Some((bed, store)) = in_files() else { return };
    let beside = open(target(&bed));
    let asked = || store.load().statements;
    let before = asked();
    for day in 0..EACH {
        beside.write_blocking(move |tx| add_row(tx, day)).unwrap();
        store.write_blocking(move |tx| add_row(tx, EACH + day)).unwrap();
    }
    assert_eq!(asked(), before + EACH as u64);
    store.keep_up().unwrap();
    assert_eq!(
        asked(),
        before + EACH as u64 + 3,
        "whether, what is open, and what is asked to be"
    );
    store.keep_up().unwrap();
    assert_eq!(asked(), before + EACH as u64 + 4, "only whether");
}

#[tokio::test]
async fn a_full_queue_answers_busy_at_once() {
    let (_dir, store) = temporary();
    let release = hold(&store);
    // More than fit: PostgreSQL's other lane, which nothing holds, takes some meanwhile.
    let asked: Vec<_> = (0..4 * limits::WAITING_WRITES as i64)
        .map(|day| store.write(move |tx| add_row(tx, day)))
        .collect();
    assert!(store.load().waiting_writes >= limits::WAITING_WRITES);
    drop(release);
    let (mut done, mut busy) = (0, 0);
    for write in asked {
        match write.await {
            Ok(()) => done += 1,
            Err(Error::Busy { .. }) => busy += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        busy > 0 && done >= limits::WAITING_WRITES,
        "{done} done, {busy} busy"
    );
    assert_eq!(rows(&store).len(), done);
}

#[test]
fn closing_commits_what_was_accepted_and_refuses_the_rest() {
    let (bed, store) = temporary();
    let release = hold(&store);
    for day in 0..1000 {
        drop(store.write(move |tx| add_row(tx, day)));
    }
    drop(release);
    store.close();
    assert!(matches!(
        store.write_blocking(|tx| add_row(tx, -1)),
        Err(Error::Closed)
    ));
    assert!(matches!(
        store.read_blocking(|_| Ok::<_, Error>(())),
        Err(Error::Closed)
    ));
    drop(store);
    assert!(!bed.path().join("whistle.db-wal").exists());
    assert_eq!(rows(&open(target(&bed))).len(), 1000);
}

#[tokio::test]
async fn increments_of_a_group_are_added_up_and_added_to_what_was_there() {
    let (_dir, store) = temporary();
    let count = |tx: &mut Tx<'_>| {
        tx.count(Counter::total(PLACE, "filed"), 2);
        tx.count(
            Counter {
                area_code: "T-01".into(),
                day: 20_000,
                ..Counter::total(PLACE, "filed")
            },
            1,
        );
        Ok::<_, Error>(())
    };
    for _round in 0..2 {
        let release = hold(&store);
        let writes: Vec<_> = (0..50).map(|_| store.write(count)).collect();
        drop(release);
        for write in writes {
            write.await.unwrap();
        }
    }
    assert_eq!(counted(&store, "filed"), Some(200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_sees_what_was_answered_and_one_state_throughout() {
    let (_dir, store) = temporary();
    store.write(|tx| add_row(tx, 1)).await.unwrap();
    let count = |conn: &whistle_store::Conn| {
        conn.row(
            "SELECT count(*) FROM counter WHERE name = 'row'",
            params![],
            |row| row.int(0),
        )
    };
    let (asked, go_on) = (mpsc::channel(), mpsc::channel());
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .read(move |conn| {
                    let first = count(conn)?;
                    asked.0.send(()).unwrap();
                    go_on.1.recv().unwrap();
                    Ok::<_, Error>((first, count(conn)?))
                })
                .await
        }
    });
    asked.1.recv().unwrap();
    store.write(|tx| add_row(tx, 2)).await.unwrap();
    go_on.0.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (1, 1));
    assert_eq!(store.look_up(count).await.unwrap(), 2);
}

#[tokio::test]
async fn a_look_up_over_a_network_is_one_statement_without_a_transaction() {
    let Some(bed) = Bed::postgres() else { return };
    let store = open(target(&bed));
    let isolation = |conn: &whistle_store::Conn| {
        conn.row(
            "SELECT current_setting('transaction_isolation')",
            params![],
            |row| Ok(row.text(0)?.to_owned()),
        )
    };
    assert_eq!(store.look_up(isolation).await.unwrap(), "read committed");
    assert_eq!(store.read(isolation).await.unwrap(), "repeatable read");
    let two = store
        .look_up(move |conn| isolation(conn).and_then(|_| isolation(conn)))
        .await;
    assert!(matches!(two, Err(Error::Panicked { .. })), "{two:?}");
}

#[test]
fn a_reader_cannot_write() {
    let (_dir, store) = temporary();
    let refused = store.read_blocking(|conn| {
        conn.row(
            "INSERT INTO sequence (jurisdiction_id, name, next) VALUES (1, 'x', 1) RETURNING next",
            params![],
            |row| row.int(0),
        )
    });
    assert!(matches!(refused, Err(Error::Sql { .. })), "{refused:?}");
}

#[test]
fn parameters_bind_by_number_in_any_order_and_more_than_once() {
    let (_dir, store) = temporary();
    let text: String = store
        .read_blocking(|conn| {
            conn.row("SELECT $2 || $1 || $2", params!["a", String::from("b")], |row| {
                Ok(row.text(0)?.to_owned())
            })
        })
        .unwrap();
    assert_eq!(text, "bab");
    for sql in [
        "SELECT $1",
        "SELECT $1, $3",
        "SELECT $1, :name",
        "SELECT $1, $2, $3",
    ] {
        let refused = store.read_blocking(|conn| conn.row(sql, params![1_i64, 2_i64], |row| row.int(0)));
        assert!(
            matches!(refused, Err(Error::Parameters { given: 2, .. })),
            "{sql}"
        );
    }
}

#[test]
fn every_kind_of_value_comes_back_as_it_went_in() {
    let (_dir, store) = temporary();
    let time: Timestamp = "2026-02-03T04:05:06.789012Z".parse().unwrap();
    store
        .read_blocking(|conn| {
            conn.row(
                "SELECT $1 AS a, $2 AS b, $3 AS c, $4 AS d, $5 AS e, $6 AS f, $7 AS g",
                params![-7_i64, 0.5, "三江", [0_u8, 255], true, time, None::<i64>],
                |row| {
                    assert_eq!(
                        (row.int(0)?, row.text(2)?, row.bytes(3)?),
                        (-7, "三江", &[0, 255][..])
                    );
                    assert_eq!(
                        (row.real_opt(1)?, row.bool(4)?, row.time(5)?),
                        (Some(0.5), true, time)
                    );
                    assert_eq!((row.text_opt(6)?, row.int_opt(6)?), (None, None));
                    let wrong = row.int(2).unwrap_err().to_string();
                    assert_eq!(wrong, "column c: expected an integer, found a text");
                    Ok(())
                },
            )
        })
        .unwrap();
}

#[test]
fn a_text_that_one_database_could_not_keep_is_refused_by_both() {
    let (_bed, store) = temporary();
    let refused = store.read_blocking(|conn| {
        conn.row_optional("SELECT 1 AS one WHERE $1 = 'a'", params!["a\0"], |row| row.int(0))
    });
    assert!(matches!(refused, Err(Error::Nul)), "{refused:?}");
}

#[test]
fn a_backup_taken_while_writing_is_one_state_of_the_database() {
    let Some((dir, store)) = in_files() else { return };
    let to = dir.path().join("copy.db");
    let (stop, stopped) = mpsc::channel::<()>();
    let (begun, beginning) = mpsc::channel();
    let writing = std::thread::spawn({
        let store = store.clone();
        move || {
            let mut day = 0;
            while stopped.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
                // Two rows in one command: a state has both or neither.
                store
                    .write_blocking(move |tx| add_row(tx, day).and_then(|()| add_row(tx, -1 - day)))
                    .unwrap();
                day += 1;
                if day == 2000 {
                    begun.send(()).unwrap();
                }
            }
        }
    });
    beginning.recv().unwrap();
    let mut told = Vec::new();
    store.backup(&to, |progress| told.push(progress)).unwrap();
    drop(stop);
    writing.join().unwrap();
    let last = told.last().unwrap();
    assert!(last.total > 0 && last.done == last.total);
    assert!(matches!(store.backup(&to, |_| ()), Err(Error::Exists { .. })));

    let elsewhere = tempfile::tempdir().unwrap();
    restore(&to, elsewhere.path(), false, |_| ()).unwrap();
    let copied = rows(&open(elsewhere.path()));
    assert!(copied.len() >= 4000 && copied.iter().all(|day| copied.contains(&(-1 - day))));
}

#[test]
fn restoring_needs_force_over_a_database_and_keeps_the_old_one_beside_it() {
    let Some((dir, store)) = in_files() else { return };
    store.write_blocking(|tx| add_row(tx, 1)).unwrap();
    let backup = dir.path().join("copy.db");
    store.backup(&backup, |_| ()).unwrap();
    store.write_blocking(|tx| add_row(tx, 2)).unwrap();

    assert!(matches!(
        restore(&backup, dir.path(), true, |_| ()),
        Err(Error::InUse { .. })
    ));
    drop(store);
    assert!(matches!(
        restore(&backup, dir.path(), false, |_| ()),
        Err(Error::Exists { .. })
    ));
    assert_eq!(rows(&open(dir.path())), HashSet::from([1, 2]));
    restore(&backup, dir.path(), true, |_| ()).unwrap();
    assert_eq!(rows(&open(dir.path())), HashSet::from([1]));
    assert!(dir.path().join("whistle.before-restore.db").exists());
}

#[test]
fn a_damaged_or_foreign_file_is_neither_restored_nor_opened() {
    let Some((dir, store)) = in_files() else { return };
    for day in 0..5000 {
        drop(store.write(move |tx| add_row(tx, day)));
        if day % 1000 == 999 {
            store.write_blocking(|_| Ok::<_, Error>(())).unwrap();
        }
    }
    let backup = dir.path().join("copy.db");
    store.backup(&backup, |_| ()).unwrap();
    let mut bytes = std::fs::read(&backup).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0x5a);
    std::fs::write(&backup, bytes).unwrap();
    let note = dir.path().join("note.txt");
    std::fs::write(
        &note,
        "no database at all, but long enough to be read as the head of one, were it one".repeat(20),
    )
    .unwrap();

    let empty = tempfile::tempdir().unwrap();
    for bad in [&backup, &note] {
        let refused = restore(bad, empty.path(), false, |_| ());
        assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
        assert!(!empty.path().join("whistle.db").exists());
    }
    std::fs::copy(&note, empty.path().join("whistle.db")).unwrap();
    let refused = Store::open(empty.path(), Timestamp::UNIX_EPOCH).err();
    assert!(matches!(refused, Some(Error::Corrupt { .. })), "{refused:?}");
}

#[test]
fn the_log_is_cut_while_writing_goes_on() {
    let Some((dir, store)) = in_files() else { return };
    let text = "x".repeat(100_000);
    // Some 100 MiB of pages in all: without checkpoints the log would hold them.
    for day in 0..1000 {
        let text = text.clone();
        store
            .write_blocking(move |tx| {
                tx.exec(
                    "INSERT INTO counter (jurisdiction_id, name, area_code, unit_code, service_code, day, n)
                     VALUES ($1, 'long', $2, '', '', $3, 1)
                     ON CONFLICT DO NOTHING",
                    params![PLACE, text, day],
                )
            })
            .unwrap();
    }
    let log = std::fs::metadata(dir.path().join("whistle.db-wal"))
        .unwrap()
        .len();
    assert!(log < 60 << 20, "the log has {log} bytes");
}

// ---- several processes ------------------------------------------------------------------------------------------

#[test]
fn a_duty_is_one_holders_and_what_an_old_one_writes_for_it_is_undone() {
    let (_bed, store) = temporary();
    let place = JurisdictionId(PLACE);
    let take = |holder: &'static str, seen| {
        store.write_blocking(move |tx| lease::take(tx, place, "parking", holder, seen))
    };
    let pulse = || store.read_blocking(lease::all).unwrap()[0].pulse;
    let work = |held: lease::Held, day| {
        store.write_blocking(move |tx| {
            lease::hold(tx, &held)?;
            add_row(tx, day)
        })
    };
    let old = take("one", None).unwrap().unwrap();
    assert_eq!(take("other", None).unwrap(), None, "it is taken");
    let seen = pulse();
    work(old, 1).unwrap();
    assert_eq!(take("other", Some(seen)).unwrap(), None, "its holder lives");
    let new = take("other", Some(pulse())).unwrap().unwrap();
    assert!(new.token > old.token);
    let refused = work(old, 2);
    assert!(
        matches!(refused, Err(Error::Fenced { name: "parking" })),
        "{refused:?}"
    );
    work(new, 3).unwrap();
    assert_eq!(rows(&store), HashSet::from([1, 3]));
    // Given up by one who has it no more, it stays where it is.
    store.write_blocking(move |tx| lease::give_up(tx, &old)).unwrap();
    assert_eq!(
        store.read_blocking(lease::all).unwrap()[0].holder.as_deref(),
        Some("other")
    );
    store.write_blocking(move |tx| lease::give_up(tx, &new)).unwrap();
    assert_eq!(store.read_blocking(lease::all).unwrap()[0].holder, None);
    assert!(matches!(work(new, 4), Err(Error::Fenced { .. })));
}

#[test]
fn a_program_goes_on_and_starts_beside_a_newer_one_whose_schema_it_can_use() {
    let (bed, store) = temporary();
    let known = store
        .read_blocking(|conn| conn.row("SELECT MAX(version) FROM migration", params![], |row| row.int(0)))
        .unwrap();
    let newer = |version: i64, reads_from: Option<i64>| {
        store
            .write_blocking(move |tx| {
                tx.exec(
                    "INSERT INTO migration (version, name, applied_at, checksum, reads_from)
                     VALUES ($1, 'newer', 0, $2, $3)",
                    params![version, &[0_u8; 32][..], reads_from],
                )
            })
            .unwrap();
    };
    newer(known + 1, Some(known));
    store.write_blocking(|tx| add_row(tx, 1)).unwrap();
    let beside = open(target(&bed));
    beside.write_blocking(|tx| add_row(tx, 2)).unwrap();
    assert_eq!(rows(&store), HashSet::from([1, 2]));
    newer(known + 2, None);
    let refused = Store::open(target(&bed), Timestamp::UNIX_EPOCH).map(drop);
    assert!(matches!(refused, Err(Error::TooNew { .. })), "{refused:?}");
}

#[test]
fn on_postgresql_the_steps_that_are_due_are_found_along_their_index() {
    let Some(bed) = Bed::postgres() else { return };
    drop(open(target(&bed)));
    let statement = whistle_store::case::STEPS_DUE
        .replace("$1", "1")
        .replace("$2", "5")
        .replace("$3", "200");
    // So few rows would be read through otherwise.
    let explain = format!("SET enable_seqscan = off; EXPLAIN {statement}");
    let plan = whistle_testbed::sql(bed.database_url().unwrap(), &explain);
    assert!(plan.contains("cases_by_step") && !plan.contains("Sort"), "{plan}");
}
