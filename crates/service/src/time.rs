//! Time and chance, passed in: the service never asks the machine by itself, so a month can run in a second.

use std::{
    sync::{LazyLock, Mutex},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// Now. It may jump, also back, and differ from what other processes think.
    fn now(&self) -> Timestamp;

    /// How long this process has been running, more or less: for waits and for what is remembered a while. Never jumps.
    fn running(&self) -> Duration {
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    }
}

/// The machine's own clock, cut to microseconds as the store keeps them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }
}

/// Where chance comes from: cryptographically strong, seeded by the machine or, in tests, by a number.
pub struct Chance(Mutex<StdRng>);

impl Chance {
    /// Seeded by the machine.
    pub fn from_machine() -> Self {
        Self(Mutex::new(rand::make_rng()))
    }

    /// Seeded by a number: the same every time.
    pub fn from_seed(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// A number drawn evenly from 0 to 1.
    pub fn draw(&self) -> f64 {
        self.with(RngExt::random)
    }

    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        self.with(|rng| {
            let mut bytes = [0; N];
            rng.fill_bytes(&mut bytes);
            bytes
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut StdRng) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}
