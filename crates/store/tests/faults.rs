//! What may happen between a process and PostgreSQL, made to happen. After each: what was acknowledged is there, once.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use whistle_store::{Counter, Error, Store, Target, Tx, params};
use whistle_testbed::{
    Bed, Cluster,
    proxy::{Next, Proxy},
    sql,
};

const PLACE: i64 = 1;

fn open(url: &str) -> Store {
    Store::open(Target::Postgres(url.to_owned()), Timestamp::UNIX_EPOCH).unwrap()
}

/// One row and one count, by which a command that was lost or done twice shows.
fn file(day: i64) -> impl Fn(&mut Tx<'_>) -> Result<(), Error> + Send + 'static {
    move |tx| {
        tx.queue(
            "INSERT INTO counter (jurisdiction_id, name, area_code, unit_code, service_code, day, n)
             VALUES ($1, 'row', '', '', '', $2, 1)",
            params![PLACE, day],
        )?;
        tx.count(Counter::total(PLACE, "filed"), 1);
        Ok(())
    }
}

fn number(url: &str, question: &str) -> i64 {
    sql(url, question).parse().unwrap()
}

/// Rows and what was counted of them.
fn filed(url: &str) -> (i64, i64) {
    (
        number(url, "SELECT COUNT(*) FROM counter WHERE name = 'row'"),
        number(
            url,
            "SELECT COALESCE(SUM(n), 0) FROM counter WHERE name = 'filed'",
        ),
    )
}

#[track_caller]
fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
        thread::park_timeout(Duration::from_millis(2));
    }
}

/// Files from several threads until told to stop; answers how many were acknowledged. Every command must succeed.
fn under_load(store: &Store, meanwhile: impl FnOnce(&AtomicUsize)) -> i64 {
    const CLIENTS: i64 = 8;
    let (stop, acknowledged) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (stop, acknowledged, store) = (&stop, &acknowledged, store.clone());
            scope.spawn(move || {
                for i in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    store.write_blocking(file(i * CLIENTS + client)).unwrap();
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        meanwhile(&acknowledged);
        stop.store(true, Ordering::Relaxed);
    });
    acknowledged.load(Ordering::Relaxed) as i64
}

fn more(acknowledged: &AtomicUsize, by: usize) {
    let before = acknowledged.load(Ordering::Relaxed);
    eventually("commands are committed", || {
        acknowledged.load(Ordering::Relaxed) >= before + by
    });
}

#[test]
fn connections_ended_by_the_server_at_any_moment_lose_nothing_and_double_nothing() {
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap();
    let store = open(url);
    let filed_by_clients = under_load(&store, |acknowledged| {
        for round in 0..20 {
            more(acknowledged, 7 * round % 40 + 1);
            sql(
                url,
                "SELECT pg_terminate_backend(pid)
                 FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            );
        }
        more(acknowledged, 10);
    });
    assert_eq!(filed(url), (filed_by_clients, filed_by_clients));
    eprintln!("{filed_by_clients} commands, 20 cuts");
}

#[test]
fn a_crash_of_the_server_is_waited_out_and_nothing_that_was_acknowledged_is_lost() {
    if Bed::postgres().is_none() {
        return;
    }
    let cluster = Cluster::start();
    let store = open(&cluster.url());
    let filed_by_clients = under_load(&store, |acknowledged| {
        for _ in 0..2 {
            more(acknowledged, 50);
            cluster.crash();
            let refused =
                store.read_blocking(|conn| conn.row("SELECT 1::bigint", params![], |row| row.int(0)));
            assert!(matches!(refused, Err(Error::Away { .. })), "{refused:?}");
            cluster.start_again();
        }
        more(acknowledged, 50);
    });
    assert_eq!(filed(&cluster.url()), (filed_by_clients, filed_by_clients));
    let read = store.read_blocking(|conn| conn.row("SELECT 1::bigint", params![], |row| row.int(0)));
    assert_eq!(read.unwrap(), 1);
    eprintln!("{filed_by_clients} commands, 2 crashes");
}

#[test]
fn a_standby_that_is_promoted_is_found_and_has_all_that_was_acknowledged() {
    if Bed::postgres().is_none() {
        return;
    }
    let first = Cluster::start();
    let second = first.standby();
    let store = open(&first.url_or(&second));
    let filed_by_clients = under_load(&store, |acknowledged| {
        more(acknowledged, 50);
        first.crash();
        second.promote();
        more(acknowledged, 50);
    });
    assert_eq!(filed(&second.url()), (filed_by_clients, filed_by_clients));
    let read = store.read_blocking(|conn| conn.row("SELECT 1::bigint", params![], |row| row.int(0)));
    assert_eq!(read.unwrap(), 1);
    eprintln!("{filed_by_clients} commands, one failover");
    first.start_again();
}

#[test]
fn a_server_that_stays_away_is_told_and_found_again() {
    if Bed::postgres().is_none() {
        return;
    }
    let cluster = Cluster::start();
    let store = open(&cluster.url());
    cluster.crash();
    assert!(matches!(store.write_blocking(file(1)), Err(Error::Away { .. })));
    // Told once, it is told at once.
    let began = Instant::now();
    assert!(matches!(store.write_blocking(file(2)), Err(Error::Away { .. })));
    assert!(began.elapsed() < Duration::from_secs(5));
    cluster.start_again();
    store.write_blocking(file(3)).unwrap();
    assert_eq!(filed(&cluster.url()), (1, 1));
}

// ---- a commit whose answer is lost ------------------------------------------------------------------------------

#[test]
fn a_commit_whose_answer_is_lost_is_found_out_and_done_once() {
    let Some(bed) = Bed::postgres() else { return };
    let proxy = Proxy::before(&bed);
    let store = open(&proxy.url);
    let mut expected = 0;
    for next in [
        Next::CutAfter,
        Next::CutBefore,
        Next::CutAndDelay,
        Next::CutAndKeep,
    ] {
        for _ in 0..3 {
            proxy.set(next);
            store.write_blocking(file(expected)).unwrap();
            assert!(proxy.was_used(), "{next:?}: nothing was cut");
            eprintln!("{next:?}: {} filed, each once", expected + 1);
            expected += 1;
            assert_eq!(
                filed(bed.database_url().unwrap()),
                (expected, expected),
                "{next:?}"
            );
        }
    }
}

#[test]
fn a_server_that_keeps_the_connection_and_says_nothing_is_given_up_and_found_again() {
    if Bed::postgres().is_none() {
        return;
    }
    // Each waits as long as the writer does, so they wait together.
    thread::scope(|scope| {
        for next in [Next::HangAfter, Next::HangBefore, Next::HangAtOnce] {
            scope.spawn(move || {
                let bed = Bed::new();
                let proxy = Proxy::before(&bed);
                let store = open(&proxy.url);
                store.write_blocking(file(0)).unwrap();
                proxy.set(next);
                let began = Instant::now();
                let (told, outcome) = mpsc::channel();
                let writer = store.clone();
                thread::spawn(move || told.send(writer.write_blocking(file(1))));
                let outcome = outcome.recv_timeout(Duration::from_mins(1));
                outcome.expect("the writer waits no longer").unwrap();
                eprintln!("{next:?}: {:?}", began.elapsed());
                assert!(proxy.was_used(), "{next:?}: nothing hung");
                assert_eq!(filed(bed.database_url().unwrap()), (2, 2), "{next:?}");
                store.write_blocking(file(2)).unwrap();
            });
        }
    });
}

#[test]
fn cuts_at_any_commit_under_load_lose_nothing_and_double_nothing() {
    let Some(bed) = Bed::postgres() else { return };
    let proxy = Proxy::before(&bed);
    let store = open(&proxy.url);
    let filed_by_clients = under_load(&store, |acknowledged| {
        for round in 0..12 {
            more(acknowledged, 5);
            proxy.set([Next::CutAfter, Next::CutBefore, Next::CutAndDelay][round % 3]);
            eventually("a commit is cut", || proxy.was_used());
        }
        more(acknowledged, 5);
    });
    assert_eq!(
        filed(bed.database_url().unwrap()),
        (filed_by_clients, filed_by_clients)
    );
}

// ---- several processes ------------------------------------------------------------------------------------------

#[test]
fn two_processes_that_change_the_same_rows_in_opposite_order_both_come_through() {
    const EACH: i64 = 40;
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap();
    let stores = [open(url), open(url)];
    let add = |tx: &mut Tx<'_>, name: &'static str| {
        tx.queue(
            "INSERT INTO sequence (jurisdiction_id, name, next)
             VALUES ($1, $2, 1)
             ON CONFLICT (jurisdiction_id, name)
             DO UPDATE SET next = sequence.next + 1",
            params![PLACE, name],
        )
    };
    thread::scope(|scope| {
        for (store, names) in stores.iter().zip([["a", "b"], ["b", "a"]]) {
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let writes: Vec<_> = (0..EACH)
                    .map(|i| {
                        let name = names[i as usize % 2];
                        store.write(move |tx| add(tx, name))
                    })
                    .collect();
                for write in writes {
                    runtime.block_on(write).unwrap();
                }
            });
        }
    });
    assert_eq!(
        sql(url, "SELECT string_agg(next::text, ' ') FROM sequence"),
        format!("{EACH} {EACH}")
    );
}

#[test]
fn processes_that_change_the_same_row_take_turns_and_nothing_is_lost() {
    const EACH: i64 = 100;
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap();
    let stores = [open(url), open(url)];
    sql(
        url,
        "INSERT INTO sequence (jurisdiction_id, name, next) VALUES (1, 'hot', 0)",
    );
    // As a case is changed: read, and written only if it is still what was read.
    let step = |tx: &mut Tx<'_>| {
        let found = tx.row_to_change(
            "SELECT next
             FROM sequence
             WHERE jurisdiction_id = $1 AND name = 'hot'",
            params![PLACE],
            |row| row.int(0),
        )?;
        let seen = found.unwrap_or_default();
        tx.queue_one(
            "UPDATE sequence
             SET next = $2 + 1
             WHERE jurisdiction_id = $1 AND name = 'hot' AND next = $2",
            params![PLACE, seen],
            Error::Stale { number: seen },
        )
    };
    thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || {
                for _ in 0..EACH {
                    store.write_blocking(step).unwrap();
                }
            });
        }
    });
    assert_eq!(number(url, "SELECT next FROM sequence"), 2 * EACH);
}

#[test]
fn processes_that_number_the_same_do_not_wait_for_each_other() {
    /// So many that the next block is reserved, and more than are left without it.
    const FEW: usize = 40;
    const MANY: usize = 65;
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap();
    let (one, other) = (open(url), open(url));
    let numbers = |n: usize| {
        move |tx: &mut Tx<'_>| -> Result<Vec<i64>, Error> {
            (0..n).map(|_| tx.next_id(PLACE, "case")).collect()
        }
    };
    let first = one.write_blocking(numbers(FEW)).unwrap();
    let (held, release) = (mpsc::channel(), mpsc::channel::<()>());
    let runs = Arc::new(AtomicUsize::new(0));
    let (of_one, of_other) = thread::scope(|scope| {
        let (told, go, runs) = (held.0, Mutex::new(release.1), runs.clone());
        let one = &one;
        let numbering = scope.spawn(move || {
            one.write_blocking(move |tx| {
                runs.fetch_add(1, Ordering::Relaxed);
                let numbers = numbers(MANY)(tx)?;
                let _ = told.send(());
                let _ = go.lock().unwrap().recv();
                Ok::<_, Error>(numbers)
            })
        });
        held.1.recv().unwrap();
        let of_other = other.write_blocking(numbers(1)).unwrap();
        drop(release.0);
        (numbering.join().unwrap().unwrap(), of_other)
    });
    assert_eq!(
        runs.load(Ordering::Relaxed),
        1,
        "the server ended what another waited for"
    );
    let mut all = [first, of_one, of_other].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), FEW + MANY + 1, "a number was given twice");
}

#[test]
fn processes_that_count_the_same_do_not_wait_for_each_other() {
    let Some(bed) = Bed::postgres() else { return };
    let url = bed.database_url().unwrap();
    let (one, other) = (open(url), open(url));
    let count = |tx: &mut Tx<'_>| {
        tx.count(Counter::total(PLACE, "filed"), 1);
        Ok::<_, Error>(())
    };
    one.write_blocking(count).unwrap();
    // Somebody holds the row that the first process counts in.
    let (held, release) = (mpsc::channel(), mpsc::channel::<()>());
    thread::scope(|scope| {
        scope.spawn(|| {
            let holder = open(url);
            let (told, go) = (held.0, Mutex::new(release.1));
            holder
                .write_blocking(move |tx| {
                    tx.exec("UPDATE counter SET n = n WHERE slot = 0", params![])?;
                    let _ = told.send(());
                    let _ = go.lock().unwrap().recv();
                    Ok::<_, Error>(())
                })
                .unwrap();
        });
        held.1.recv().unwrap();
        other.write_blocking(count).unwrap();
        drop(release.0);
    });
    assert_eq!(filed(url).1, 2);
}
