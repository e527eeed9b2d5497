//! Duties: what must be done by itself while the service runs. Each is safe to do twice and to be stopped at any point.

use std::time::Duration;

use jiff::SignedDuration;
use whistle_domain::{case::Actor, command::Act};
use whistle_store::{case as stored, intake};

use crate::{
    Whistle,
    case::change,
    error::{Error, Result},
    place::Here,
};

/// How often the duties are looked after.
pub const EVERY: Duration = Duration::from_secs(2);

/// How long an idempotency key is remembered.
const ANSWERS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How often what is kept long enough is erased and forgotten.
const TIDY_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Cases of one round: few enough that reports are not kept waiting.
const ROUND: usize = 100;

/// What the duties did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Cases that need no longer wait.
    pub woken: u64,
    /// Reports whose contact data was erased.
    pub erased: u64,
    /// Answers to retries that were forgotten.
    pub forgotten: u64,
    /// Photos removed that no case named.
    pub removed: u64,
}

impl Whistle {
    /// Looks after the duties of all jurisdictions once.
    pub fn do_duties(&self) -> Result<Done> {
        self.reload_places()?;
        self.store.keep_up()?;
        let tidy = self.is_hour_over();
        let mut done = Done::default();
        for here in self.places().all() {
            done.woken += self.wake_parked(here)?;
            if tidy {
                done.erased += self.erase_contacts(here)?;
                done.forgotten += self.forget_answers(here)?;
                done.removed += self.remove_unused_photos(here)?;
            }
        }
        Ok(done)
    }

    /// Lets cases run on whose parking is over. One that cannot run on is logged and left.
    fn wake_parked(&self, here: &Here) -> Result<u64> {
        let (id, now) = (here.id, self.clock.now());
        let today = here.place.calendar.zone().to_datetime(now).date();
        let parked = self
            .store
            .read_blocking(|conn| stored::parked_until(conn, id, today, ROUND))?;
        let mut woken = 0;
        for number in parked {
            let place = here.place.clone();
            let result = self.store.write_blocking(move |tx| -> Result<bool> {
                let Some(before) = stored::find_to_change(tx, id, number)? else {
                    return Ok(false);
                };
                if before.case.flags.parked_until.is_none_or(|until| until > today) {
                    return Ok(false);
                }
                change(
                    tx,
                    id,
                    &place,
                    before,
                    None,
                    &Act::Resume,
                    "",
                    &Actor::System,
                    now,
                    1.0,
                )?;
                Ok(true)
            });
            match result {
                Ok(done) => woken += u64::from(done),
                Err(Error::Refused(refusal)) => {
                    tracing::error!(case = number.0, %refusal, "a parked case cannot be resumed");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(woken)
    }

    /// Erases contact data that was kept long enough after closing, in rounds that keep nobody waiting.
    fn erase_contacts(&self, here: &Here) -> Result<u64> {
        let kept =
            SignedDuration::from_hours(24 * i64::from(here.place.jurisdiction.settings.retention_days));
        let (id, before) = (here.id, self.clock.now() - kept);
        let mut erased = 0;
        loop {
            let numbers = self
                .store
                .read_blocking(|conn| intake::contacts_to_erase(conn, id, before, ROUND))?;
            let last = numbers.len() < ROUND;
            erased += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut erased = 0;
                for &number in &numbers {
                    erased += intake::erase_contacts(tx, id, number)?;
                }
                Ok(erased)
            })?;
            if last {
                return Ok(erased);
            }
        }
    }

    fn forget_answers(&self, here: &Here) -> Result<u64> {
        let (id, before) = (here.id, self.clock.now() - ANSWERS_KEPT);
        Ok(self
            .store
            .write_blocking(move |tx| intake::forget_answers(tx, id, before))?)
    }

    /// Whether the duties of the hour are due; at most one caller is told so.
    fn is_hour_over(&self) -> bool {
        let now = self.clock.now();
        let mut tidied = self
            .tidied_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let over = tidied.is_none_or(|at| now.duration_since(at) >= TIDY_EVERY);
        if over {
            *tidied = Some(now);
        }
        over
    }
}
