//! What changes, told at once to those of the staff who look on.
//!
//! One task of a process follows what commits, as long as somebody looks on: after each commit of its own, and twice a second
//! for those of other processes, it asks the store what changed lately, along an index. What is new goes to all who look on, of whom
//! each gets what the rule of sight shows their post, and of that no more than number and version: the page asks for the rest
//! itself, where it is asked who it is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{self, Instant, Interval, MissedTickBehavior},
};
use whistle_domain::{
    case::{Actor, Case},
    rights,
    whistle::Whistle as Blown,
    words::{CaseNumber, JurisdictionId, WhistleNumber},
};
use whistle_store::{case as cases, live as stored, whistle as whistles};

use crate::{
    Install, Whistle,
    error::{Error, Result},
    place::Here,
};

/// How often it is looked what other processes committed: seen on a page within two seconds, with the way there and back.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long what commits here is gathered before it is looked at: a busy writer commits some hundred times a second.
const GATHERED: Duration = Duration::from_millis(100);

/// How far back it is looked: longer than a command waits for a database that went away, and than clocks of processes differ.
const LATELY: SignedDuration = SignedDuration::from_secs(60);

/// A page that was made just before its stream began may lack what committed in between.
const SLACK: SignedDuration = SignedDuration::from_secs(5);

/// Cases, and whistles, that are looked at in one look. What is beyond is found by the pages' own look once a minute; nobody reads a
/// thousand changes a second.
const MOST: usize = 1_000;

/// Changes that wait for a slow stream. One that falls behind is told to look at everything again.
const WAITING: usize = 1_024;

/// How often it is asked whether a session is still good: after a sign-out, a stream ends within this time.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Streams of one account: windows that are in sight at once, on all its screens.
pub const STREAMS_OF_ACCOUNT: usize = 8;

/// When who was turned away should come again.
const COME_AGAIN: Duration = Duration::from_secs(30);

/// What somebody who looks on is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// A case changed.
    Case(CaseNumber, u32),
    /// A whistle did.
    Whistle(WhistleNumber, u32),
    /// So much that not each was told: look at everything again.
    Much,
    /// The session is over.
    SignedOut,
}

/// A case or whistle as it is now.
#[derive(Debug, Clone)]
enum Changed {
    Case(Arc<Case>),
    Whistle(Arc<Blown>),
}

impl Changed {
    fn key(&self) -> Key {
        match self {
            Self::Case(case) => (Kind::Case, case.number.0),
            Self::Whistle(whistle) => (Kind::Whistle, whistle.number.0),
        }
    }

    fn version(&self) -> u32 {
        match self {
            Self::Case(case) => case.version,
            Self::Whistle(whistle) => whistle.version,
        }
    }

    fn at(&self) -> Timestamp {
        match self {
            Self::Case(case) => case.times.updated_at,
            Self::Whistle(whistle) => whistle.times.updated_at,
        }
    }

    /// Whether a page that was made at a time has it.
    fn is_before(&self, made: Timestamp) -> bool {
        made.duration_since(self.at()) > SLACK
    }

    /// What a post is told of it: nothing of what it may not see.
    fn news(&self, actor: &Actor, here: &Here) -> Option<News> {
        let place = &here.place;
        match self {
            Self::Case(case) => {
                rights::may_see(case, actor, place).then_some(News::Case(case.number, case.version))
            }
            Self::Whistle(whistle) => rights::may_see_whistle(whistle, actor, place)
                .then_some(News::Whistle(whistle.number, whistle.version)),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Case,
    Whistle,
}

type Key = (Kind, i64);

/// What is told to all streams.
#[derive(Debug, Clone)]
struct Told {
    jurisdiction: JurisdictionId,
    changed: Changed,
    /// Whether it was found by the first look at a place, and may have been on the pages for long.
    is_first: bool,
}

/// What the follower of a process knows.
pub(crate) struct Live {
    told: broadcast::Sender<Told>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Streams of each account.
    streams: HashMap<(JurisdictionId, i64), usize>,
    /// Whether the task runs.
    is_followed: bool,
    /// What changed lately in the places that somebody looks at.
    lately: HashMap<JurisdictionId, HashMap<Key, Changed>>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            told: broadcast::Sender::new(WAITING),
            state: Mutex::default(),
        }
    }
}

impl Live {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets the places that nobody looks at. Answers whether those are all; then nothing is followed any more.
    fn is_deserted(&self) -> bool {
        let mut state = self.state();
        let State { streams, lately, .. } = &mut *state;
        lately.retain(|place, _| streams.keys().any(|(watched, _)| watched == place));
        state.is_followed = !state.streams.is_empty();
        !state.is_followed
    }
}

impl Whistle {
    /// How many look on; for metrics.
    pub fn watching(&self) -> usize {
        self.live.state().streams.values().sum()
    }

    /// Begins to tell the holder of a session what changes. `since`, when the page was made that is on their screen: what
    /// changed since then comes first. `most` streams run in this process at most, and [`STREAMS_OF_ACCOUNT`] of one account.
    ///
    /// Fails with [`Error::SignedOut`] and its like where the session is not good, with [`Error::Busy`] where it is one too many.
    pub async fn watch(
        &self,
        here: &Here,
        token: &str,
        since: Option<Timestamp>,
        most: usize,
    ) -> Result<Watch> {
        let signed = self.session(here, token).await?;
        let account = (here.id, signed.account);
        let mut state = self.live.state();
        let own = state.streams.get(&account).copied().unwrap_or(0);
        if own >= STREAMS_OF_ACCOUNT || state.streams.values().sum::<usize>() >= most {
            return Err(Error::Busy(COME_AGAIN));
        }
        state.streams.insert(account, own + 1);
        let told = self.live.told.subscribe();
        let fresh = |changed: &&Changed| since.is_some_and(|since| !changed.is_before(since));
        let lately = state.lately.get(&here.id);
        let missed = lately.map(|lately| lately.values().filter(fresh).cloned().collect());
        if !state.is_followed {
            state.is_followed = true;
            tokio::spawn(follow(Arc::downgrade(&self.0)));
        }
        drop(state);
        let mut asking = time::interval_at(Instant::now() + ASK_EVERY, ASK_EVERY);
        asking.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Watch {
            whistle: self.clone(),
            here: here.clone(),
            token: token.to_owned(),
            account,
            actor: signed.actor,
            since,
            missed: missed.unwrap_or_default(),
            told,
            asking,
            is_over: false,
        })
    }

    /// Looks once what changed in the places that somebody looks at, and tells it.
    async fn look_what_changed(&self) -> Result<()> {
        let mut watched: Vec<JurisdictionId> = self
            .live
            .state()
            .streams
            .keys()
            .map(|(place, _)| *place)
            .collect();
        watched.sort_unstable();
        watched.dedup();
        for id in watched {
            let since = self.clock.now() - LATELY;
            let known: HashMap<Key, u32> = self
                .live
                .state()
                .lately
                .get(&id)
                .into_iter()
                .flatten()
                .map(|(key, changed)| (*key, changed.version()))
                .collect();
            let found = self
                .store
                .read(move |conn| changed(conn, id, since, &known))
                .await?;
            self.tell(id, since, found);
        }
        Ok(())
    }

    /// Remembers what was found, forgets what is old, and tells all streams.
    fn tell(&self, id: JurisdictionId, since: Timestamp, found: Vec<Changed>) {
        let mut state = self.live.state();
        let is_first = !state.lately.contains_key(&id);
        let lately = state.lately.entry(id).or_default();
        lately.retain(|_, changed| changed.at() >= since);
        if lately.len() > 2 * MOST {
            let mut times: Vec<Timestamp> = lately.values().map(Changed::at).collect();
            times.sort_unstable_by(|one, other| other.cmp(one));
            lately.retain(|_, changed| changed.at() > times[2 * MOST]);
        }
        for changed in found {
            lately.insert(changed.key(), changed.clone());
            // Nobody may be there any more, which is nothing wrong.
            let _ = self.live.told.send(Told {
                jurisdiction: id,
                changed,
                is_first,
            });
        }
    }
}

/// What changed since a time and is not known yet, the first first.
fn changed(
    conn: &whistle_store::Conn,
    id: JurisdictionId,
    since: Timestamp,
    known: &HashMap<Key, u32>,
) -> whistle_store::Result<Vec<Changed>> {
    let news = |kind, moved: Vec<stored::Moved>| -> Vec<i64> {
        let is_new = |one: &stored::Moved| known.get(&(kind, one.number)) != Some(&one.version);
        moved.into_iter().filter(is_new).map(|one| one.number).collect()
    };
    let numbers = news(Kind::Case, stored::cases(conn, id, since, MOST)?);
    let numbers: Vec<CaseNumber> = numbers.into_iter().map(CaseNumber).collect();
    let cases = cases::some(conn, id, &numbers)?.into_values();
    let mut found: Vec<Changed> = cases.map(|case| Changed::Case(Arc::new(case))).collect();
    let numbers = news(Kind::Whistle, stored::whistles(conn, id, since, MOST)?);
    let whistles = whistles::some(conn, id, &numbers)?.into_iter();
    found.extend(whistles.map(|whistle| Changed::Whistle(Arc::new(whistle))));
    found.sort_by_key(Changed::at);
    Ok(found)
}

/// Follows what commits until nobody looks on any more, or the install is gone.
async fn follow(install: Weak<Install>) {
    let Some(mut committed) = install.upgrade().map(|install| install.store.committed()) else {
        return;
    };
    let mut following = Following(install.clone());
    // Held no longer than a look takes, so that an install that is dropped meanwhile is closed.
    while let Some(whistle) = install.upgrade().map(Whistle) {
        if let Err(error) = whistle.look_what_changed().await {
            tracing::debug!(%error, "what changed is looked for again");
        }
        if whistle.live.is_deserted() {
            following.0 = Weak::new();
            return;
        }
        drop(whistle);
        time::sleep(GATHERED).await;
        // It errs when the store is gone; then so is the install.
        let _ = time::timeout(LOOK_EVERY, committed.changed()).await;
    }
}

/// Notes that the task ended by no will of its own: it panicked, or its runtime was shut down. The next stream begins it anew.
struct Following(Weak<Install>);

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(install) = self.0.upgrade() {
            install.live.state().is_followed = false;
        }
    }
}

/// Somebody who looks on.
pub struct Watch {
    whistle: Whistle,
    here: Here,
    token: String,
    account: (JurisdictionId, i64),
    actor: Actor,
    since: Option<Timestamp>,
    /// What changed before the stream began, and is not on the page.
    missed: Vec<Changed>,
    told: broadcast::Receiver<Told>,
    asking: Interval,
    is_over: bool,
}

impl Watch {
    /// Waits for what the post may know next. None after the session is over, or the install is closed. It may be dropped while it
    /// waits, and called again.
    pub async fn next(&mut self) -> Option<News> {
        loop {
            if self.is_over {
                return None;
            }
            if let Some(changed) = self.missed.pop() {
                match changed.news(&self.actor, &self.here) {
                    Some(news) => return Some(news),
                    None => continue,
                }
            }
            tokio::select! {
                told = self.told.recv() => match told {
                    Ok(told) => if let Some(news) = self.news(&told) {
                        return Some(news);
                    },
                    Err(RecvError::Lagged(_)) => return Some(News::Much),
                    Err(RecvError::Closed) => return None,
                },
                _ = self.asking.tick() => if self.is_signed_out().await {
                    return Some(News::SignedOut);
                },
            }
        }
    }

    fn news(&self, told: &Told) -> Option<News> {
        if told.jurisdiction != self.here.id {
            return None;
        }
        if told.is_first && self.since.is_none_or(|since| told.changed.is_before(since)) {
            return None;
        }
        told.changed.news(&self.actor, &self.here)
    }

    /// Asks for which post the session is, and which place is in force; and whether it is over.
    async fn is_signed_out(&mut self) -> bool {
        let places = self.whistle.places();
        if let Some(here) = places.all().iter().find(|here| here.id == self.here.id) {
            self.here = here.clone();
        }
        match self.whistle.session(&self.here, &self.token).await {
            Ok(signed) => self.actor = signed.actor,
            // The database may be away for a moment. Nothing commits there either.
            Err(Error::Busy(_)) => {}
            Err(Error::Store(error)) => {
                tracing::debug!(%error, "a stream ends");
                self.is_over = true;
            }
            Err(_) => {
                self.is_over = true;
                return true;
            }
        }
        false
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.whistle.live.state();
        if let Some(streams) = state.streams.get_mut(&self.account) {
            *streams -= 1;
            if *streams == 0 {
                state.streams.remove(&self.account);
            }
        }
    }
}
