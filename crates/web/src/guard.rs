//! The guard against guessing pick-up codes, one for pages and API together. Passwords are guarded by the service, for all
//! processes together; codes are long enough that a pace for each process will do.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use whistle_domain::{
    case::{Actor, Case, Event},
    words::CaseNumber,
};
use whistle_service::{Error, Here, Result, Whistle};

/// Tries at once before the pace counts: a person who mistypes is far below, a machine soon above.
const TRIES: NonZeroU32 = NonZeroU32::new(20).expect("it is not zero");

/// The pace of further tries.
const PACE: Duration = Duration::from_secs(10);

/// How many keys are remembered before quiet ones are forgotten, and how many codes that were right.
const KEYS: usize = 20_000;

/// How long a code that was right counts as no try: as long as the cookie of the page, an hour.
const RIGHT_LASTS: Duration = Duration::from_hours(1);

static GUARD: LazyLock<DefaultKeyedRateLimiter<String>> = LazyLock::new(|| {
    let quota = Quota::with_period(PACE).unwrap_or(Quota::per_minute(TRIES));
    RateLimiter::keyed(quota.allow_burst(TRIES))
});

/// Codes that were right, by a hash under the install's key, and until when that counts.
static RIGHT: LazyLock<Mutex<HashMap<String, Instant>>> = LazyLock::new(Mutex::default);

/// Whether one more try at this case's codes is allowed now.
pub(crate) fn may_try(here: &Here, number: &str) -> bool {
    if GUARD.len() > KEYS {
        GUARD.retain_recent();
    }
    let number: String = number.chars().take(64).collect();
    GUARD.check_key(&format!("{}/code/{number}", here.id.0)).is_ok()
}

/// The case, its log and who the holder of a pick-up code is, for a client that sends the code each time. A code that was right
/// a while ago is no try.
pub(crate) async fn case_by_code(
    whistle: &Whistle,
    here: &Here,
    number: CaseNumber,
    code: &str,
) -> Result<(Case, Vec<Event>, Actor)> {
    let known = || RIGHT.lock().unwrap_or_else(PoisonError::into_inner);
    let key = whistle.form_token(&format!("code/{}/{number}/{code}", here.id.0));
    let is_known = known().get(&key).is_some_and(|until| Instant::now() < *until);
    if !is_known && !may_try(here, &number.to_string()) {
        return Err(Error::TooManyTries(PACE));
    }
    let found = whistle.case_by_code(here, number, code).await?;
    let mut known = known();
    if known.len() >= KEYS {
        known.clear();
    }
    known.insert(key, Instant::now() + RIGHT_LASTS);
    Ok(found)
}
