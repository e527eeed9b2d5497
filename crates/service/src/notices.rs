//! Notices: from the outbox to who must be told.
//!
//! A command leaves a message in the outbox, in its own transaction. `spread` makes deliveries of it, one for each reader and
//! way; the `courier` sends them, and sends again what did not arrive. Where a process dies between sending and noting, the
//! same goes once more under the same id. Nobody's address is kept with a delivery: it is looked up when it goes.
//!
//! - [`Courier`]: does all that, in the process that looks after the duty.
//! - Use cases for operators, here: deliveries shown, tried again, dropped; webhooks.
//! - `due`: the calendar of what is due. `wish`: what readers say: no more mail, or an answer.

mod courier;
mod due;
mod letter;
mod spread;
mod wish;

use jiff::{SignedDuration, Timestamp};
use whistle_domain::{case, whistle, words::CaseNumber};
use whistle_notices::webhook;
use whistle_store::{
    admin::{self, Deed, Doer},
    lease,
    notice::{self as stored, Webhook},
};

use crate::{
    Whistle,
    duties::FORGOTTEN_AT_ONCE,
    error::{Error, Result},
    lease::InCharge,
    place::Here,
};

pub use courier::{Courier, Outgoing, Round};
pub use whistle_notices::{Notice, Why, mail::Outlet, reply::MAX_MAIL, template::Words};
pub use whistle_store::notice::{Channel, Delivery, State};
pub use wish::{Answered, Stopping};

/// How often the outbox is looked at.
pub const EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// How long it is remembered what was sent or dropped.
const SENT_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);

/// How long what was given up can still be tried again.
pub(crate) const DEAD_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

/// Deliveries of one page.
pub const MAX_PAGE: usize = 200;

/// The most webhooks of a place: each event is written down for each.
const MAX_WEBHOOKS: usize = 20;

/// A webhook without its secret.
#[derive(Debug, Clone)]
pub struct KnownWebhook {
    /// Its number.
    pub id: i64,
    /// Where requests go.
    pub url: String,
    /// Words of events, or `*`.
    pub events: Vec<String>,
    /// Whether it is told of what the public does not see.
    pub all: bool,
    /// When it was added.
    pub created_at: Timestamp,
}

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

    /// Lets a delivery that was given up wait again; all of them without an id. Answers how many.
    pub fn retry_deliveries(&self, here: &Here, delivery: Option<i64>) -> Result<u64> {
        self.change_dead(here, delivery, stored::retry)
    }

    /// Drops a delivery that waits or was given up; without an id, all that were given up. Answers how many.
    pub fn drop_deliveries(&self, here: &Here, delivery: Option<i64>) -> Result<u64> {
        self.change_dead(here, delivery, |tx, id, one, now| {
            stored::discard(tx, id, one, Why::DroppedByOperator.as_str(), now)
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
        ) -> whistle_store::Result<bool>
        + Copy
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

    /// Adds a webhook, and answers its number and the secret that its requests are signed with, which is shown this once only.
    /// `events` are words of events, with `whistle.` before those of whistles, `*` for all that happens to either, `sms` for
    /// texts to telephones.
    pub fn add_webhook(
        &self,
        here: &Here,
        url: &str,
        events: &[String],
        all: bool,
        private: bool,
    ) -> Result<(i64, String)> {
        let events = checked_events(events)?;
        let url = webhook::check(url, private).map_err(|what| Error::invalid("url", what))?;
        let (secret, id, now) = (self.chance.bytes::<32>(), here.id, self.clock.now());
        // Sealed for its number, so that comes first.
        let number = self.store.write_blocking(move |tx| -> Result<i64> {
            if stored::webhooks(tx, id)?.len() >= MAX_WEBHOOKS {
                let what = format!("at most {MAX_WEBHOOKS} fit; remove one first");
                return Err(Error::invalid("webhook", what));
            }
            Ok(stored::next_webhook(tx, id)?)
        })?;
        let new = Webhook {
            id: number,
            url: url.to_string(),
            events,
            all,
            sealed: self.secret.seal_webhook(&secret, (id, number), &self.chance),
            created_at: now,
        };
        self.store.write_blocking(move |tx| -> Result<()> {
            stored::add_webhook(tx, id, &new)?;
            let scope = if new.all { "all" } else { "public" };
            let detail = format!("{} ({scope}): {}", new.url, new.events.join(" "));
            let (by, deed) = (Doer::Operator, Deed::WebhookAdded);
            Ok(admin::note(tx, id, &by, deed, &new.id.to_string(), &detail, now)?)
        })?;
        Ok((number, webhook::shown_secret(&secret)))
    }

    /// All webhooks.
    pub fn webhooks(&self, here: &Here) -> Result<Vec<KnownWebhook>> {
        let known = |hook: Webhook| KnownWebhook {
            id: hook.id,
            url: hook.url,
            events: hook.events,
            all: hook.all,
            created_at: hook.created_at,
        };
        let found = self.store.read_blocking(|conn| stored::webhooks(conn, here.id))?;
        Ok(found.into_iter().map(known).collect())
    }

    /// Removes a webhook. What waits for it is dropped.
    pub fn remove_webhook(&self, here: &Here, webhook: i64) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let known = self.store.write_blocking(move |tx| -> Result<bool> {
            let known = stored::remove_webhook(tx, id, webhook)?;
            if known {
                let (by, deed) = (Doer::Operator, Deed::WebhookRemoved);
                admin::note(tx, id, &by, deed, &webhook.to_string(), "", now)?;
            }
            Ok(known)
        })?;
        if known {
            Ok(())
        } else {
            Err(Error::not_found("webhook", webhook))
        }
    }

    /// Forgets deliveries that are over for long, in rounds that keep nobody waiting, and notes that this is done for the hour.
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
        self.store
            .write_blocking(move |tx| lease::finish(tx, &held, now))?;
        Ok(forgotten)
    }
}

fn checked_events(events: &[String]) -> Result<Vec<String>> {
    let mut checked: Vec<String> = Vec::new();
    for word in events
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
    {
        let known = match word.strip_prefix(webhook::WHISTLE) {
            Some(of_whistle) => whistle::Body::WORDS.contains(&of_whistle),
            None => word == "*" || word == webhook::SMS || case::Body::WORDS.contains(&word),
        };
        if !known {
            let (cases, whistles) = (case::Body::WORDS.join(", "), whistle::Body::WORDS.join(", "));
            let what = format!(
                "{word:?} is no event; it is *, sms, one of {cases}, or {} and one of {whistles}",
                webhook::WHISTLE
            );
            return Err(Error::invalid("events", what));
        }
        if !checked.iter().any(|known| known == word) {
            checked.push(word.to_owned());
        }
    }
    if checked.is_empty() {
        return Err(Error::invalid(
            "events",
            "name some, or * for all that happens to cases and whistles",
        ));
    }
    Ok(checked)
}
