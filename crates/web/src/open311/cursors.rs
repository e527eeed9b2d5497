//! Where pages begin: Open311 counts its pages, the store follows keys. Whoever walks from page to page finds each at
//! once, since the page before left its key here; whoever jumps has the keys counted.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

/// How long a key is good: longer than a walk pauses, shorter than a page's content is worth.
const GOOD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// How many keys are kept in each of the two generations.
const KEPT: usize = 4096;

/// The longest description of a list that is remembered, in bytes.
const LONGEST: usize = 1000;

/// The keys at which pages begin, by the list and the page's number.
#[derive(Default)]
pub(super) struct Cursors(Mutex<Generations>);

type Known = HashMap<(String, usize), (Timestamp, String)>;

#[derive(Default)]
struct Generations {
    young: Known,
    old: Known,
}

impl Cursors {
    /// The key at which a page of a list begins.
    pub(super) fn find(&self, list: &str, page: usize, now: Timestamp) -> Option<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (list.to_owned(), page);
        let (since, key) = known.young.get(&place).or_else(|| known.old.get(&place))?;
        (now.duration_since(*since) <= GOOD_FOR).then(|| key.clone())
    }

    /// Remembers it.
    pub(super) fn keep(&self, list: String, page: usize, key: String, now: Timestamp) {
        if list.len() > LONGEST {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.young.len() >= KEPT {
            known.old = mem::take(&mut known.young);
        }
        known.young.insert((list, page), (now, key));
    }
}
