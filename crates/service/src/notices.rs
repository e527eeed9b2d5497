//! Notices: from the outbox to who must be told.
//!
//! A command leaves a message in the outbox, in its own transaction. `spread` makes deliveries of it, one for each reader and
//! way; the `courier` sends them, and sends again what did not arrive. Where a process dies between sending and noting, the
//! same goes once more under the same id. Nobody's address is kept with a delivery: it is looked up when it goes.
//!
//! - [`Courier`]: does all that, in the process that looks after the duty.
//! - Use cases for operators, here: deliveries shown, tried again, dropped. `hooks`: webhooks.
//! - `devices`: on which devices who holds an account is told, by push.
//! - `due`: the calendar of what is due. `wish`: what readers say: no more mail, or an answer. `choices`: what they want to be
//!   told, and when. `returned`: addresses from which mail comes back.

mod choices;
mod courier;
mod devices;
mod due;
mod hooks;
mod letter;
mod returned;
mod spread;
mod wish;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::words::CaseNumber;
use whistle_store::{lease, notice as stored};

use crate::{
    Whistle,
    duties::FORGOTTEN_AT_ONCE,
    error::{Error, Result},
    lease::InCharge,
    place::Here,
};

pub use choices::{Chosen, led_unit};
pub use courier::{Courier, Outgoing, Round};
pub use devices::{MAX_DEVICES, NewDevice, OwnDevice, PushStanding};
pub use hooks::{KnownWebhook, NewWebhook, WebhookChange};
pub use whistle_notices::choice::{Choice, Kinds, Pace};
pub use whistle_notices::{Notice, Why, mail::Outlet, reply::MAX_MAIL, template::Words};
pub use whistle_store::notice::{Channel, Delivery, Failing, State};
pub use wish::{Stopping, Taken};

/// How often the outbox is looked at.
pub const EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// How long it is remembered what was sent or dropped.
const SENT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long what was given up can still be tried again.
pub(crate) const DEAD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Deliveries of one page.
pub const MAX_PAGE: usize = 200;

impl Whistle {
    /// Deliveries in a state, the newest first, below an id.
    pub fn deliveries(&self, here: &Here, state: State, below: Option<i64>) -> Result<Vec<Delivery>> {
        let (id, below) = (here.id, below.unwrap_or(i64::MAX));
        Ok(self
            .store
            .read_blocking(|conn| stored::in_state(conn, id, state, below, MAX_PAGE))?)
    }

    /// What was told of a case, the newest first.
    pub async fn deliveries_of(&self, here: &Here, number: CaseNumber) -> Result<Vec<Delivery>> {
        let id = here.id;
        Ok(self
            .store
            .read(move |conn| stored::of_case(conn, id, number, MAX_PAGE))
            .await?)
    }

    /// Lets a delivery that was given up wait again; all of them without an id. An address from which mail came back is trusted
    /// again with it. Answers how many.
    pub fn retry_deliveries(&self, here: &Here, delivery: Option<i64>) -> Result<u64> {
        let (whistle, at) = (self.clone(), here.clone());
        self.change_dead(here, delivery, move |tx, id, one, now| {
            if let Some(found) = stored::find(tx, id, one)? {
                whistle.trust_reader(tx, &at, &found)?;
            }
            Ok(stored::retry(tx, id, one, now)?)
        })
    }

    /// Drops a delivery that waits or was given up; without an id, all that were given up. Answers how many.
    pub fn drop_deliveries(&self, here: &Here, delivery: Option<i64>) -> Result<u64> {
        self.change_dead(here, delivery, |tx, id, one, now| {
            Ok(stored::discard(
                tx,
                id,
                one,
                Why::DroppedByOperator.as_str(),
                now,
            )?)
        })
    }

    fn change_dead(
        &self,
        here: &Here,
        delivery: Option<i64>,
        change: impl Fn(
            &mut whistle_store::Tx<'_>,
            whistle_domain::words::JurisdictionId,
            i64,
            Timestamp,
        ) -> Result<bool>
        + Clone
        + Send
        + 'static,
    ) -> Result<u64> {
        let (id, now) = (here.id, self.clock.now());
        let mut changed = 0;
        loop {
            let some = if let Some(one) = delivery {
                vec![one]
            } else {
                let dead = self.deliveries(here, State::Dead, None)?;
                dead.into_iter().map(|one| one.id).collect()
            };
            let more = delivery.is_none() && some.len() == MAX_PAGE;
            let change = change.clone();
            changed += self.store.write_blocking(move |tx| -> Result<u64> {
                let mut changed = 0;
                for &one in &some {
                    changed += u64::from(change(tx, id, one, now)?);
                }
                Ok(changed)
            })?;
            if let (Some(one), 0) = (delivery, changed) {
                return Err(Error::not_found("delivery that can be changed", one));
            }
            if !more {
                return Ok(changed);
            }
        }
    }

    /// Forgets deliveries that are over for long, and devices of who is at no post any more, in rounds that keep nobody waiting, and notes that this is done for the hour.
    pub(crate) fn forget_deliveries(&self, charge: &InCharge, here: &Here, now: Timestamp) -> Result<u64> {
        let (id, held) = (here.id, charge.held);
        let mut forgotten = 0;
        for (state, kept) in [
            (State::Sent, SENT_KEPT),
            (State::Dropped, SENT_KEPT),
            (State::Dead, DEAD_KEPT),
        ] {
            loop {
                let over = self
                    .store
                    .read_blocking(|conn| stored::over(conn, id, state, now - kept, FORGOTTEN_AT_ONCE))?;
                let last = over.len() < FORGOTTEN_AT_ONCE;
                forgotten += over.len() as u64;
                self.store.write_blocking(move |tx| {
                    lease::hold(tx, &held)?;
                    stored::forget(tx, id, state, &over)
                })?;
                if last {
                    break;
                }
            }
        }
        forgotten += self.forget_devices(here, held)?;
        self.store.write_blocking(move |tx| {
            lease::finish(tx, &held, now)?;
            stored::forget_failing(tx, id, now - returned::REMEMBERED)
        })?;
        Ok(forgotten)
    }
}
