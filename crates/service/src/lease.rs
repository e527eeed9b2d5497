//! Which process looks after which duty. See `whistle_store::lease` for how processes agree on it.
//!
//! A process dies: its beats stop, and after [`SILENT`] another takes its duties over, at the latest some 7 s after its last
//! beat. It is stopped in good order: it gives them up, and another has them with its next round. Its machine was asleep: it
//! learns so at its next transaction, which changes nothing.
//!
//! It is only slow: a thread beside the work goes on showing that it lives, so that what takes longer than [`SILENT`] is not
//! begun by one after the other and finished by none. It does so for [`PATIENCE`] only: what has hung until then is left to
//! others.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use whistle_domain::words::JurisdictionId;
use whistle_store::lease::{self as stored, Held, Lease, Pulse};

use crate::{
    Whistle,
    duties::Duty,
    error::{Error, Result},
    place::Here,
    time::Chance,
};

/// How long a holder may be silent before its duties are taken over.
const SILENT: Duration = Duration::from_secs(5);

/// How often a holder with nothing to do shows that it lives: a few times while others wait for it.
const BEAT_EVERY: Duration = Duration::from_secs(2);

/// How long one thing that is done for a duty may take before its process counts as hung. No query of a duty takes so long.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a process knows of leases.
pub(crate) struct Leases {
    /// The process's own name.
    holder: String,
    known: Mutex<Known>,
    /// When the work last went on, in the time that this process runs.
    went_on: Mutex<Duration>,
    /// Whether it takes no more.
    leaving: AtomicBool,
}

#[derive(Default)]
struct Known {
    /// What others hold: their pulse, and since when it stands still, in the time that this process runs.
    others: HashMap<(JurisdictionId, Duty), (Pulse, Duration)>,
    /// What this process holds.
    own: Vec<InCharge>,
    /// When it last showed that it lives.
    beat: Duration,
}

impl Leases {
    pub(crate) fn new(chance: &Chance) -> Self {
        Self {
            holder: format!("{:032x}", u128::from_le_bytes(chance.bytes())),
            known: Mutex::default(),
            went_on: Mutex::default(),
            leaving: AtomicBool::new(false),
        }
    }

    /// What this process holds of a duty, as last read. Who has lost it meanwhile learns so when it writes.
    pub(crate) fn own(&self, duty: Duty) -> Vec<InCharge> {
        let known = self.known();
        known.own.iter().filter(|one| one.duty == duty).copied().collect()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A duty that this process looks after, as it stood when that was last read.
#[derive(Clone, Copy)]
pub(crate) struct InCharge {
    pub(crate) held: Held,
    pub(crate) duty: Duty,
    pub(crate) done_at: Option<jiff::Timestamp>,
}

impl Whistle {
    /// Takes what nobody looks after, shows others that this process lives, and answers what it looks after now.
    pub(crate) fn hold_leases(&self) -> Result<Vec<InCharge>> {
        if self.leases.leaving.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        let found: HashMap<_, Lease> = self
            .store
            .read_blocking(stored::all)?
            .into_iter()
            .map(|lease| ((lease.jurisdiction, lease.name.clone()), lease))
            .collect();
        let running = self.clock.running();
        let mut known = self.leases.known();
        let (mut own, mut free) = (Vec::new(), Vec::new());
        for here in self.places().all() {
            for duty in Duty::ALL {
                let lease = found.get(&(here.id, duty.as_str().to_owned()));
                match lease {
                    Some(lease) if lease.holder.as_ref() == Some(&self.leases.holder) => {
                        let held = Held {
                            jurisdiction: here.id,
                            name: duty.as_str(),
                            token: lease.pulse.token,
                        };
                        own.push(InCharge {
                            held,
                            duty,
                            done_at: lease.done_at,
                        });
                    }
                    lease if known.may_take(here.id, duty, lease, running) => {
                        let pulse = lease.map(|lease| lease.pulse);
                        free.push((here.id, duty, pulse, lease.and_then(|lease| lease.done_at)));
                    }
                    _ => {}
                }
            }
        }
        if running.saturating_sub(known.beat) >= BEAT_EVERY {
            self.beat(own.iter().map(|one| one.held))?;
            known.beat = running;
        }
        for (id, duty, pulse, done_at) in free {
            let holder = self.leases.holder.clone();
            let taken = self
                .store
                .write_blocking(move |tx| stored::take(tx, id, duty.as_str(), &holder, pulse))?;
            if let Some(held) = taken {
                tracing::info!(
                    jurisdiction = id.0,
                    duty = held.name,
                    token = held.token,
                    "this process looks after a duty now"
                );
                own.push(InCharge { held, duty, done_at });
            }
        }
        known.own.clone_from(&own);
        Ok(own)
    }

    /// Shows that this process lives.
    fn beat(&self, held: impl Iterator<Item = Held>) -> Result<()> {
        for held in held {
            match self.store.write_blocking(move |tx| stored::hold(tx, &held)) {
                // The next look tells who has it.
                Err(whistle_store::Error::Fenced { .. }) => {}
                outcome => outcome?,
            }
        }
        Ok(())
    }

    /// Does the work of a round, and shows meanwhile that this process lives, however long it takes.
    pub(crate) fn beating<T>(&self, work: impl FnOnce() -> T) -> T {
        let again = || {
            let running = self.clock.running();
            let mut known = self.leases.known();
            if running.saturating_sub(known.beat) < BEAT_EVERY {
                return Ok(());
            }
            known.beat = running;
            let own: Vec<Held> = known.own.iter().map(|one| one.held).collect();
            drop(known);
            self.beat(own.into_iter())
        };
        self.beside(again, work)
    }

    /// The same for duties that were seized.
    pub(crate) fn beating_for<T>(&self, charges: &[InCharge], work: impl FnOnce() -> T) -> T {
        self.beside(|| self.beat(charges.iter().map(|charge| charge.held)), work)
    }

    /// Notes that the work goes on: nothing in it has hung.
    pub(crate) fn goes_on(&self) {
        let mut went_on = self.leases.went_on.lock().unwrap_or_else(PoisonError::into_inner);
        *went_on = self.clock.running();
    }

    /// Does the work, and every [`BEAT_EVERY`] beside it something else, for as long as the work goes on.
    fn beside<T>(&self, again: impl Fn() -> Result<()> + Send, work: impl FnOnce() -> T) -> T {
        self.goes_on();
        let has_hung = || {
            let went_on = self.leases.went_on.lock().unwrap_or_else(PoisonError::into_inner);
            self.clock.running().saturating_sub(*went_on) >= PATIENCE
        };
        thread::scope(|scope| {
            let (working, is_over) = mpsc::channel::<()>();
            let beats = move || {
                while let Err(RecvTimeoutError::Timeout) = is_over.recv_timeout(BEAT_EVERY) {
                    if has_hung() {
                        tracing::error!(
                            "the duties have not gone on for {} s; others may take them over",
                            PATIENCE.as_secs()
                        );
                        return;
                    }
                    if let Err(error) = again() {
                        tracing::warn!(%error, "that this process lives cannot be shown");
                    }
                }
            };
            // Without that thread the work is done all the same.
            let _beats = thread::Builder::new()
                .name("whistle-beats".to_owned())
                .spawn_scoped(scope, beats);
            let done = work();
            drop(working);
            done
        })
    }

    /// Takes a duty from whoever has it: for a command that does it now, and gives it back. The holder learns so with its next
    /// transaction.
    pub(crate) fn seize(&self, here: &Here, duty: Duty) -> Result<InCharge> {
        /// The holder shows that it lives every other second; so often in a row it is not in between.
        const TRIES: usize = 20;
        let id = here.id;
        for _ in 0..TRIES {
            let all = self.store.read_blocking(stored::all)?;
            let lease = all
                .into_iter()
                .find(|lease| lease.jurisdiction == id && lease.name == duty.as_str());
            let pulse = lease.as_ref().map(|lease| lease.pulse);
            let holder = self.leases.holder.clone();
            let taken = self
                .store
                .write_blocking(move |tx| stored::take(tx, id, duty.as_str(), &holder, pulse))?;
            if let Some(held) = taken {
                let done_at = lease.and_then(|lease| lease.done_at);
                return Ok(InCharge { held, duty, done_at });
            }
        }
        Err(Error::Busy(BEAT_EVERY))
    }

    /// Gives back what was seized.
    pub(crate) fn give_back(&self, charge: &InCharge) -> Result<()> {
        let held = charge.held;
        Ok(self.store.write_blocking(move |tx| stored::give_up(tx, &held))?)
    }

    /// Gives up what this process looks after, so that others need not wait for it, and takes nothing any more.
    pub(crate) fn give_up_leases(&self) {
        self.leases.leaving.store(true, Ordering::Relaxed);
        let own = std::mem::take(&mut self.leases.known().own);
        if own.is_empty() {
            return;
        }
        let given_up = self
            .store
            .write_blocking(move |tx| own.iter().try_for_each(|one| stored::give_up(tx, &one.held)));
        if let Err::<_, whistle_store::Error>(error) = given_up {
            tracing::warn!(%error, "duties are not given up; another process takes them over in some seconds");
        }
    }
}

impl Known {
    /// Whether nobody looks after a duty: never did, gave it up, or has been silent for too long.
    fn may_take(&mut self, id: JurisdictionId, duty: Duty, lease: Option<&Lease>, running: Duration) -> bool {
        let Some(lease) = lease else { return true };
        if lease.holder.is_none() {
            return true;
        }
        let (pulse, since) = self.others.entry((id, duty)).or_insert((lease.pulse, running));
        if *pulse != lease.pulse {
            (*pulse, *since) = (lease.pulse, running);
        }
        running.saturating_sub(*since) >= SILENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: JurisdictionId = JurisdictionId(1);

    fn lease(token: i64, beat: i64) -> Lease {
        Lease {
            jurisdiction: PLACE,
            name: Duty::Parking.as_str().to_owned(),
            holder: Some("another".to_owned()),
            pulse: Pulse { token, beat },
            done_at: None,
        }
    }

    #[test]
    fn a_duty_is_free_once_its_holder_was_seen_silent_for_long_enough() {
        let mut known = Known::default();
        let mut may_take = |token, beat, seconds| {
            let running = Duration::from_secs(seconds);
            known.may_take(PLACE, Duty::Parking, Some(&lease(token, beat)), running)
        };
        assert!(!may_take(1, 1, 100), "seen for the first time");
        assert!(!may_take(1, 1, 104));
        assert!(!may_take(1, 2, 105), "it lives");
        assert!(!may_take(1, 2, 109));
        assert!(may_take(1, 2, 110));
        assert!(!may_take(2, 0, 110), "another was faster");
        let mut given_up = lease(2, 0);
        given_up.holder = None;
        assert!(known.may_take(PLACE, Duty::Parking, Some(&given_up), Duration::ZERO));
        assert!(known.may_take(PLACE, Duty::Parking, None, Duration::ZERO));
    }
}
