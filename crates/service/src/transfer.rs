//! Moving an install from one database to another, and spreading it over the machines of a cluster.
//!
//! The rows alone move. The secret key and the photos are beside the database, and stay where they are.

use whistle_store::transfer as moving;

use crate::{
    Site, Whistle,
    error::{Error, Result},
    secret,
    time::{Clock, SystemClock},
};

pub use whistle_store::{
    distribute::SHARDS,
    transfer::{Doing, Same, Step},
};

/// Moves an install to an empty database and compares both. Nobody may serve either meanwhile. Run again after it was
/// stopped, it goes on. `step` is told after each batch.
pub fn transfer(from: &Site, to: &Site, step: impl FnMut(Step)) -> Result<Same> {
    ensure_taken(from)?;
    if !secret::is_given(to) {
        let why = format!(
            "copy secret.key into {} first, and media with it; without that key contact data cannot be read",
            to.dir.display()
        );
        return Err(Error::invalid("secret.key", why));
    }
    let now = SystemClock.now();
    Ok(moving::transfer(&from.database(), &to.database(), now, step)?)
}

/// Compares the rows of two databases that nobody changes meanwhile.
pub fn compare(from: &Site, to: &Site, step: impl FnMut(Step)) -> Result<Same> {
    ensure_taken(from)?;
    ensure_taken(to)?;
    let now = SystemClock.now();
    Ok(moving::compare(&from.database(), &to.database(), now, step)?)
}

fn ensure_taken(site: &Site) -> Result<()> {
    if site.is_taken()? {
        return Ok(());
    }
    let place = match &site.database_url {
        Some(_) => "that database".to_owned(),
        None => site.dir.display().to_string(),
    };
    Err(Error::invalid("install", format!("there is none in {place}")))
}

impl Whistle {
    /// Spreads jurisdictions over the machines of a Citus cluster; calls `ran` after each statement. Answers all that
    /// was run, nothing where all is in its place.
    pub fn distribute(&self, shards: u32, ran: impl FnMut(&str)) -> Result<Vec<String>> {
        Ok(self.store.distribute(shards, ran)?)
    }

    /// The statements that [`Whistle::distribute`] would run, also where there is no Citus.
    pub fn distribution(&self, shards: u32) -> Result<Vec<String>> {
        Ok(self.store.distribution(shards)?)
    }
}
