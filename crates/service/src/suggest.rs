//! What a report may be about: suggestions of services, learnt from what the public reads of closed cases anyway.
//!
//! Learning is looked after beside the requests, in each process for itself, and only for places in which somebody was given
//! suggestions. What is learnt is in memory: it ends with the process, and what was erased is gone from it with the next look.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use whistle_domain::{
    case::Outcome,
    place::Place,
    public,
    suggest::{Learner, Model},
    words::{JurisdictionId, ServiceCode},
};
use whistle_store::list::{Filter, List, MAX_PAGE, Order};

use crate::{Whistle, error::Result, place::Here};

/// How often it is looked whether a place waits to be learnt from.
pub const EVERY: Duration = Duration::from_secs(1);

/// How often is learnt anew: cases close over days.
pub const LEARN_EVERY: Duration = Duration::from_hours(6);

/// Closed cases that are read, the newest: what people call things changes, and reading them takes a second.
pub const LEARN_FROM: usize = 10_000;

/// Places whose models are held, some megabytes each; the one asked last stays.
const HELD: usize = 64;

/// The models of places, the one asked last at the end.
#[derive(Default)]
pub(crate) struct Suggesting(Mutex<Vec<Held>>);

/// The model of one place.
#[derive(Clone)]
struct Held {
    here: Here,
    model: Arc<Model>,
    /// When it was learnt, in the time that the process runs; none while it knows no more than names.
    learnt_at: Option<Duration>,
}

impl Suggesting {
    /// The model of a place as it is in force now; what it knows of another version is no longer believed.
    fn of(&self, here: &Here) -> Arc<Model> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.iter().position(|held| held.here.id == here.id);
        let held = known
            .map(|i| all.remove(i))
            .filter(|held| Arc::ptr_eq(&held.here.place, &here.place));
        let held = held.unwrap_or_else(|| Held {
            model: Arc::new(Learner::new(here.place.services()).done()),
            here: here.clone(),
            learnt_at: None,
        });
        if all.len() >= HELD {
            all.remove(0);
        }
        let model = held.model.clone();
        all.push(held);
        model
    }

    /// Places whose models are as old as may be, at a time.
    fn waiting(&self, now: Duration) -> Vec<Here> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |held: &&Held| held.learnt_at.is_none_or(|at| now >= at + LEARN_EVERY);
        all.iter().filter(is_old).map(|held| held.here.clone()).collect()
    }

    fn learnt(&self, here: &Here, model: Model, now: Duration) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let held = all
            .iter_mut()
            .find(|held| held.here.id == here.id && Arc::ptr_eq(&held.here.place, &here.place));
        if let Some(held) = held {
            held.model = Arc::new(model);
            held.learnt_at = Some(now);
        }
    }
}

impl Whistle {
    /// The services that a text may be about, the likeliest first; none where nothing in it is known.
    pub fn suggest(&self, here: &Here, text: &str) -> Vec<ServiceCode> {
        let model = self.suggesting.of(here);
        model.suggest(text).into_iter().cloned().collect()
    }

    /// Learns from the closed cases of the places that wait for it; how many cases those were.
    pub fn learn(&self) -> Result<u64> {
        let mut read = 0;
        for here in self.suggesting.waiting(self.clock.running()) {
            let (id, place) = (here.id, here.place.clone());
            let model = self
                .store
                .read_blocking(move |conn| learnt_from(conn, id, &place))?;
            read += u64::from(model.learnt_from());
            self.suggesting.learnt(&here, model, self.clock.running());
        }
        Ok(read)
    }
}

/// Reads what the public may read of closed cases. A case that was declined was never looked at by who knows its service.
fn learnt_from(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    place: &Place,
) -> whistle_store::Result<Model> {
    let mut learner = Learner::new(place.services());
    let (mut after, mut read) = (None, 0);
    while read < LEARN_FROM {
        let closed = Filter {
            open: Some(false),
            public: true,
            ..Filter::default()
        };
        let (cases, next) = List::begin(conn, id, closed, Order::Newest).page(after, 0, MAX_PAGE)?;
        read += cases.len();
        for case in &cases {
            if case.state.outcome() != Some(Outcome::Declined) {
                learner.read(&case.service, &public::description(case));
            }
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(learner.done())
}
