//! Searching a million cases: words that many cases have and words that few have, Chinese, English and numbers, for a post that
//! sees all of it, for one that sees a village, and for the public. Each page is made as for a reader, filtered by what they
//! may see, with the cases read. The reference is a page of the plain list of the same reader, in the same run.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use whistle_domain::{
    case::{Actor, Case, Channel},
    command::{Context, NewReport, Whereabouts, report},
    place::Level,
    rights::{Role, sight},
    search::words,
    words::{AreaCode, CaseNumber},
};
use whistle_service::{
    Here, Site, Whistle,
    account::actor_of,
    list::{Query, Viewer},
};
use whistle_store::{
    Store, Target,
    case::{Prepared, Tell},
    search::{self as index, Entry, Pass},
};

use crate::{
    postgres::Cluster,
    server::{self, Home},
    verdict_below,
};

/// Cases that are searched, when nothing else is said by `WHISTLE_BENCH_SEARCH`.
const CASES: i64 = 1_000_000;
/// Cases of one commit while they are made.
const BATCH: i64 = 1_000;
/// Searches of each kind.
const SEARCHES: usize = 200;
/// Cases of a page.
const PAGE: usize = 20;
/// Words there are, of each language. The first is in a third of all texts, the hundredth in one of a hundred and fifty, the
/// last in some ten of a million.
const WORDS: usize = 20_000;
/// Words of a text, of each language.
const WORDS_OF_A_TEXT: usize = 6;

/// Runs it on both databases.
pub fn run() {
    let cases = std::env::var("WHISTLE_BENCH_SEARCH").ok();
    let cases = cases.and_then(|n| n.parse().ok()).unwrap_or(CASES);
    let dir = tempfile::tempdir_in(server::scratch()).expect("a directory");
    println!("search: {cases} cases, pages of {PAGE}, {SEARCHES} searches of each kind, on SQLite");
    measure(&Home::Directory(dir.path().to_owned()), cases);
    let file = std::fs::metadata(dir.path().join("whistle.db")).map_or(0, |file| file.len());
    println!("  the database has {} MB", file >> 20);
    drop(dir);
    let cluster = Cluster::start();
    println!("search: the same on PostgreSQL");
    let home = cluster.home("search");
    measure(&home, cases);
    let size = |what: &str| cluster.psql("search", &format!("SELECT {what} >> 20"));
    println!(
        "  the database has {} MB, entries and index of words {} MB, of which the index {} MB",
        size("pg_database_size('search')").trim(),
        size("pg_total_relation_size('case_search')").trim(),
        size("pg_relation_size('case_search_words')").trim()
    );
}

fn measure(home: &Home, cases: i64) {
    let (Home::Directory(dir) | Home::Postgres { dir, .. }) = home;
    let url = match home {
        Home::Postgres { url, .. } => Some(url.clone()),
        Home::Directory(_) => None,
    };
    let target = match &url {
        Some(url) => Target::Postgres(url.clone()),
        None => Target::Directory(dir.clone()),
    };
    let site = Site {
        database_url: url,
        ..dir.clone().into()
    };
    std::fs::create_dir_all(dir).expect("a directory");
    let whistle = Whistle::open(site).expect("it opens");
    whistle.apply(&server::three_rivers()).expect("it is sound");
    let here = whistle.places().all()[0].clone();
    make(target, &here, cases);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let post = |level: Level| {
        let fits = |post: &&whistle_domain::place::Post| {
            let of_level = here.place.areas.get(post.area).level == level;
            of_level && sight(&actor_of(post, 1), &here.place).area.is_some()
        };
        let post = here
            .place
            .posts()
            .find(|post| post.roles.contains(&Role::Dispatcher) && fits(post));
        actor_of(post.or_else(|| here.place.posts().find(fits)).expect("a post"), 1)
    };
    let (city, village) = (post(Level::City), post(Level::Community));
    let viewers = [
        ("all", Viewer::Staff(&city)),
        ("a village", Viewer::Staff(&village)),
        ("the public", Viewer::Public),
    ];
    for (who, viewer) in viewers {
        let page = |text: Option<String>| {
            let query = Query {
                text,
                limit: PAGE,
                ..Query::default()
            };
            let began = Instant::now();
            let page = runtime
                .block_on(whistle.cases(&here, &query, viewer))
                .expect("a page");
            (began.elapsed(), page.items.len())
        };
        let list = Times::of((0..SEARCHES).map(|_| page(None)));
        println!("  for who sees {who}: the plain list {list}");
        let mut worst = Duration::ZERO;
        for (what, search) in KINDS {
            let mut rng = StdRng::seed_from_u64(7);
            // What was never read comes from the disk; that is another measurement.
            let searches: Vec<String> = (0..SEARCHES).map(|_| search(&mut rng, cases)).collect();
            for text in searches.iter().take(SEARCHES / 4) {
                page(Some(text.clone()));
            }
            let times = Times::of(searches.iter().map(|text| page(Some(text.clone()))));
            println!(
                "    {what}: {times}, {:.1} times the list",
                times.p99.as_secs_f64() / list.p99.as_secs_f64()
            );
            worst = worst.max(times.p99);
        }
        verdict_below("worst p99", worst.as_secs_f64() * 1_000.0, 50.0, "ms");
    }
    whistle.close();
}

/// What is searched for.
type Kind = (&'static str, fn(&mut StdRng, i64) -> String);

const KINDS: [Kind; 11] = [
    ("frequent, of two letters", |rng, _| {
        chinese(rng.random_range(0..50))
    }),
    ("less frequent", |rng, _| chinese(rng.random_range(500..1_500))),
    ("rare", |rng, _| chinese(rng.random_range(15_000..WORDS))),
    ("two frequent", |rng, _| {
        format!(
            "{} {}",
            chinese(rng.random_range(0..50)),
            chinese(rng.random_range(0..50))
        )
    }),
    ("a frequent and a rare", |rng, _| {
        format!(
            "{} {}",
            chinese(rng.random_range(0..50)),
            chinese(rng.random_range(15_000..WORDS))
        )
    }),
    ("one letter", |rng, _| {
        chinese(rng.random_range(0..1_000)).chars().take(1).collect()
    }),
    ("frequent English", |rng, _| english(rng.random_range(0..50))),
    ("rare English", |rng, _| english(rng.random_range(15_000..WORDS))),
    ("English and Chinese", |rng, _| {
        format!(
            "{} {}",
            english(rng.random_range(0..500)),
            chinese(rng.random_range(0..500))
        )
    }),
    ("last four digits", |rng, _| {
        format!("{:04}", rng.random_range(0..10_000))
    }),
    ("whole number", |rng, cases| {
        rng.random_range(1..=cases).to_string()
    }),
];

/// How long pages took.
struct Times {
    p50: Duration,
    p99: Duration,
    /// Cases on a page, in the middle.
    items: usize,
}

impl Times {
    fn of(pages: impl Iterator<Item = (Duration, usize)>) -> Self {
        let (mut times, mut items): (Vec<Duration>, Vec<usize>) = pages.unzip();
        times.sort_unstable();
        items.sort_unstable();
        Self {
            p50: times[times.len() / 2],
            p99: times[times.len() * 99 / 100],
            items: items[items.len() / 2],
        }
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let millis = |time: Duration| time.as_secs_f64() * 1_000.0;
        let (p50, p99) = (millis(self.p50), millis(self.p99));
        write!(f, "p50 {p50:.2} ms, p99 {p99:.2} ms ({} on a page)", self.items)
    }
}

/// A Chinese word of two letters.
fn chinese(rank: usize) -> String {
    let letter = |n: usize| char::from_u32(0x4e00 + n as u32).expect("a letter");
    [letter(rank % 1_000), letter(1_000 + rank * 7 / 40)]
        .into_iter()
        .collect()
}

fn english(rank: usize) -> String {
    const SYLLABLES: [&str; 28] = [
        "ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we",
        "xi", "yo", "za", "bre", "cla", "dro", "fli", "gra", "ple", "sti", "tro",
    ];
    [rank % 28, rank / 28 % 28, rank / 784]
        .map(|at| SYLLABLES[at % 28])
        .concat()
}

/// The rank of a word by chance: each half as frequent as the one of half its rank.
fn rank(rng: &mut StdRng) -> usize {
    let spread = (WORDS as f64).ln();
    (((rng.random::<f64>() * spread).exp() - 1.0) as usize).min(WORDS - 1)
}

/// Reports all over the place, with texts of six words in each of two languages, and puts them into the index.
fn make(target: Target, here: &Here, cases: i64) {
    let store = Store::open(target, Timestamp::UNIX_EPOCH).expect("it opens");
    let areas = here.place.areas.all().iter();
    let communities = areas.filter(|area| area.level == Level::Community);
    let communities: Vec<&AreaCode> = communities.map(|area| &area.code).collect();
    let service = here
        .place
        .services()
        .iter()
        .find(|s| !s.is_group() && s.public && !s.questions.iter().any(|question| question.required));
    let service = service.expect("something to report").code.clone();
    let begin: Timestamp = "2024-11-02T01:00:00Z".parse().expect("a time");
    let mut rng = StdRng::seed_from_u64(1);
    let (mut writing, mut indexing) = (Duration::ZERO, Duration::ZERO);
    for batch in (1..=cases).step_by(BATCH as usize) {
        let (mut prepared, mut entries) = (Vec::new(), Vec::new());
        for number in batch..(batch + BATCH).min(cases + 1) {
            let mut text: String = (0..WORDS_OF_A_TEXT).map(|_| chinese(rank(&mut rng))).collect();
            for _ in 0..WORDS_OF_A_TEXT {
                text.push(' ');
                text.push_str(&english(rank(&mut rng)));
            }
            let new = NewReport {
                service: service.clone(),
                standard: None,
                whereabouts: Whereabouts {
                    area: Some(communities[rng.random_range(0..communities.len())].clone()),
                    address: format!(
                        "{}路{}号",
                        chinese(rng.random_range(0..300)),
                        rng.random_range(1..2_000)
                    ),
                    ..Whereabouts::default()
                },
                description: text,
                answers: Vec::new(),
                channel: Channel::Web,
                photos: Vec::new(),
                fixed: None,
            };
            let context = Context {
                place: &here.place,
                now: begin + SignedDuration::from_secs(60 * number),
                by: &Actor::Public,
                chance: 0.5,
            };
            let number = CaseNumber(number);
            let log = report(&new, number, context).expect("a report");
            let case = Case::fold(number, &log).expect("it folds");
            entries.push(Entry {
                jurisdiction: here.id,
                number,
                version: case.version,
                words: words(&case, &log, &here.place),
            });
            prepared.push(Prepared::new(here.id, number, None, log, &here.place.calendar).expect("it folds"));
        }
        let began = Instant::now();
        store
            .write_blocking(move |tx| prepared.iter().try_for_each(|one| one.write(tx, Tell::Nobody)))
            .expect("they are written");
        writing += began.elapsed();
        let (id, began) = (here.id, Instant::now());
        store
            .write_blocking(move |tx| {
                index::put(tx, &entries)?;
                entries
                    .iter()
                    .try_for_each(|one| index::settle(tx, id, one.number, one.version))
            })
            .expect("they are written");
        indexing += began.elapsed();
    }
    let pass = Pass {
        rule: index::rule(&here.place),
        below: 0,
    };
    let id = here.id;
    store
        .write_blocking(move |tx| index::note_pass(tx, id, pass))
        .expect("it is written");
    let each = |time: Duration| time.as_secs_f64() * 1e6 / cases as f64;
    println!(
        "  made: {:.0} µs a case to write it, {:.0} µs to put it into the index",
        each(writing),
        each(indexing)
    );
}
