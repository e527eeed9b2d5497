//! The use cases of Whistle: one function per command. Each loads, asks the domain, commits, and checks rights.
//!
//! Knows the domain, the place folder and the store. Does not know HTTP or the command line, and has no SQL.
//!
//! - [`Whistle`]: an install, opened on its [`Site`]; all use cases are its methods.
//! - [`case`]: report, join, act, read. [`whistle`]: calls of several units together. [`list`]: pages of cases. [`search`]: found by words. [`round`]: what was looked at, and when. [`live`]: what changes, told to who looks on. [`map`]: all of them in memory, for tiles. [`media`]: photos.
//! - [`place`]: plan, apply, the places in memory. [`account`]: accounts, sessions, keys.
//!   [`second_factor`]: the second step of signing in. `password`: which ones are good, and how they are kept.
//!   [`provider`]: signing in by OpenID Connect. [`passkey`]: signing in by a passkey.
//! - [`notices`]: who is told of it, by mail and webhooks.
//! - [`keep`]: backup, restore, audit. [`transfer`]: the move to another database, or to many machines.
//! - [`station`]: the stations of the grid.
//! - [`view`]: filters of the queue that staff keep.
//! - [`suggest`]: what a report may be about, learnt from closed cases.
//! - [`facts`]: what figures are counted from, in memory, in step with the log.
//! - [`indicator`]: figures of a place and the rows behind them, for whom they are. [`open_data`]: files for everybody.
//! - [`figures`]: what the counters of all jurisdictions add up to.
//! - [`briefing`]: period reports: written, issued, kept, compared.
//! - [`import`], [`export`]: whole files of cases in and out. [`demo`]: cases with a lifelike history, to try things out.
//! - [`duties`]: what must happen by itself; `escalation`: when clocks run out; `lease`: in which process.
//! - [`explain`]: why a clock stands where it does.
//! - [`admin`]: what administrators and operators did.
//! - [`privacy`]: what is stored of whom; what reporters see, correct and erase of their own.
//! - [`secret`]: the install's key and what is made with it.

pub mod account;
pub mod admin;
mod behind;
pub mod briefing;
pub mod case;
pub mod demo;
pub mod duties;
mod error;
mod escalation;
pub mod explain;
pub mod export;
pub mod facts;
pub mod figures;
pub mod handover;
pub mod import;
pub mod indicator;
pub mod keep;
mod lease;
pub mod list;
pub mod live;
pub mod map;
pub mod media;
pub mod notices;
pub mod open_data;
pub mod passkey;
mod password;
pub mod place;
pub mod privacy;
pub mod provider;
pub mod round;
pub mod search;
pub mod second_factor;
pub mod secret;
mod site;
pub mod station;
pub mod suggest;
pub mod time;
pub mod transfer;
pub mod view;
pub mod whistle;

use std::{
    collections::{HashMap, VecDeque},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use whistle_domain::words::{CaseNumber, JurisdictionId};
use whistle_store::{Store, case::Hash};

pub use error::{Error, Result};
pub use place::Here;
pub use site::{Bucket, Site};

use crate::{
    duties::Tidying,
    escalation::Stepping,
    lease::Leases,
    media::Media,
    place::Places,
    secret::Secret,
    time::{Chance, Clock, SystemClock},
};

/// Runs what may look at a million cases, or compile a place, on a thread where it holds nobody up.
async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Store(whistle_store::Error::Closed))
}

/// How long a store is waited for that is asked whether it is ready; a balancer asks every few seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(3);

/// Pictures decoded at once: each may take a core for half a second and some hundred megabytes.
const DECODED_AT_ONCE: usize = 2;

/// Passwords compared at once: each takes a core and 19 MiB, and anybody may ask for it.
const HASHED_AT_ONCE: usize = 4;

/// An install of Whistle. Cloning shares it.
#[derive(Clone)]
pub struct Whistle(Arc<Install>);

/// What an install is made of; reached through [`Whistle`].
pub struct Install {
    store: Store,
    secret: Secret,
    media: Media,
    places: ArcSwap<Places>,
    /// Held by who takes over places, so that an older state never follows a newer one.
    reloading: Mutex<()>,
    clock: Box<dyn Clock>,
    chance: Chance,
    decoding: Semaphore,
    hashing: Arc<Semaphore>,
    /// Who else signs staff in.
    provider: Option<provider::Client>,
    /// Case numbers that are reserved and not used yet.
    numbers: Mutex<HashMap<JurisdictionId, VecDeque<CaseNumber>>>,
    /// API keys that were good a moment ago, and until when that is believed, in the time that this process runs.
    keys: Mutex<HashMap<(JurisdictionId, Hash), (account::Client, Duration)>>,
    leases: Leases,
    maps: map::Maps,
    live: live::Live,
    keeping: facts::Keeping,
    asking: indicator::Asked,
    /// Held by who writes or sets a briefing: one at a time, since each takes a core for seconds.
    pressing: Arc<Semaphore>,
    opening: open_data::Opening,
    suggesting: suggest::Suggesting,
    /// Held by who takes steps of clocks.
    stepping: Mutex<Stepping>,
    tidying: Mutex<Tidying>,
    site: Site,
}

impl std::ops::Deref for Whistle {
    type Target = Install;

    fn deref(&self) -> &Install {
        &self.0
    }
}

impl Whistle {
    /// Opens an install, and makes what is missing of it. A path is one that has all of it.
    pub fn open(site: impl Into<Site>) -> Result<Self> {
        Self::open_with(site, Box::new(SystemClock), Chance::from_machine())
    }

    /// The same, with another source of time and chance.
    pub fn open_with(site: impl Into<Site>, clock: Box<dyn Clock>, chance: Chance) -> Result<Self> {
        let site = site.into();
        site.prepare()?;
        password::check_list(site.breached_passwords.as_ref())?;
        let provider = site.provider.clone().map(provider::Client::open).transpose();
        let provider = provider.map_err(|what| Error::invalid("oidc_issuer", what))?;
        let store = Store::open(site.database(), clock.now())?;
        let mut secret = Secret::load(&site, &store, &chance)?;
        secret.claim(&store, site.database_url.is_some())?;
        secret.remember(&store)?;
        let install = Install {
            secret,
            media: Media::open(&site)?,
            places: ArcSwap::default(),
            reloading: Mutex::default(),
            decoding: Semaphore::new(DECODED_AT_ONCE),
            hashing: Arc::new(Semaphore::new(HASHED_AT_ONCE)),
            provider,
            numbers: Mutex::default(),
            keys: Mutex::default(),
            leases: Leases::new(&chance),
            maps: map::Maps::default(),
            live: live::Live::default(),
            keeping: facts::Keeping::default(),
            asking: indicator::Asked::default(),
            pressing: Arc::new(Semaphore::new(1)),
            opening: open_data::Opening::default(),
            suggesting: suggest::Suggesting::default(),
            stepping: Mutex::default(),
            tidying: Mutex::default(),
            site,
            store,
            clock,
            chance,
        };
        let whistle = Self(Arc::new(install));
        whistle.reload_places()?;
        Ok(whistle)
    }

    /// The data directory.
    pub fn dir(&self) -> &Path {
        &self.site.dir
    }

    /// The time now, as the install tells it.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the store answers; for readiness.
    pub async fn is_ready(&self) -> Result<()> {
        let asked = self
            .store
            .look_up(|conn| whistle_store::place::all(conn).map(drop));
        match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
            Ok(answered) => Ok(answered?),
            Err(_) => Err(Error::Busy(ANSWERS_WITHIN)),
        }
    }

    /// What the store is doing; for metrics.
    pub fn load(&self) -> whistle_store::Load {
        self.store.load()
    }

    /// Accepts no more work and blocks until what was accepted is on the disk. Other processes may look after its duties.
    pub fn close(&self) {
        self.give_up_leases();
        // The name of the files is asked of the store.
        self.end_facts();
        self.store.close();
    }
}
