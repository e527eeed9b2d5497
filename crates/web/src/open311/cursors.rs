//! Where pages begin: Open311 counts its pages, the store follows keys. Whoever walks from page to page finds each at
//! once, since the page before left its key here, and goes on where it ended whatever was reported meanwhile. Whoever
//! jumps has the keys counted, one at a time; what was counted is good for others as long as no case came to a list or left
//! one, and for who asked before it was counted.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long a key is good: longer than a walk pauses, shorter than a page's content is worth.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How long a counted key is good at the most: another process may have written cases.
const COUNTED_GOOD_FOR: SignedDuration = SignedDuration::from_secs(5);

/// How many keys are kept in each of the two generations.
const KEPT: usize = 4096;

/// Pages that are counted at a time: each keeps a processor of the database busy for some milliseconds.
const TURNS: usize = 8;

/// The longest description of a list that is remembered, in bytes.
const LONGEST: usize = 1000;

/// The keys at which pages begin, by the list and the page's number.
#[derive(Default)]
pub(super) struct Cursors {
    known: Mutex<Generations>,
    turns: [tokio::sync::Mutex<()>; TURNS],
    places: RandomState,
}

type Known = HashMap<(String, usize), Kept>;

/// A key, and how long it is good.
struct Kept {
    since: Timestamp,
    key: Key,
}

/// The key at which a page begins.
#[derive(Debug, Clone)]
pub(super) enum Key {
    /// Left by the page before.
    Walked(String),
    /// Counted when this process had made so many commits that change such lists.
    Counted(String, u64),
}

#[derive(Default)]
struct Generations {
    young: Known,
    old: Known,
}

impl Cursors {
    /// The key at which a page of a list begins; `commits` are those that change such lists and that this process had made when it was asked for.
    pub(super) fn find(&self, list: &str, page: usize, now: Timestamp, commits: u64) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (list.to_owned(), page);
        let kept = known.young.get(&place).or_else(|| known.old.get(&place))?;
        let age = now.duration_since(kept.since);
        let (key, good) = match &kept.key {
            Key::Walked(key) => (key, age <= GOOD_FOR),
            Key::Counted(key, then) => (key, age <= COUNTED_GOOD_FOR && *then >= commits),
        };
        good.then(|| key.clone())
    }

    /// Waits for its turn to count a page: who counted the same one meanwhile has left its key.
    pub(super) async fn turn(&self, list: &str, page: usize) -> tokio::sync::MutexGuard<'_, ()> {
        let place = self.places.hash_one((list, page)) as usize % TURNS;
        self.turns[place].lock().await
    }

    /// Remembers it.
    pub(super) fn keep(&self, list: String, page: usize, key: Key, now: Timestamp) {
        if list.len() > LONGEST {
            return;
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= KEPT {
            known.old = mem::take(&mut known.young);
        }
        known.young.insert((list, page), Kept { since: now, key });
    }
}
