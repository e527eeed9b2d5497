//! Push: switched on and off for a place by the operator; devices added and removed by who holds an account.
//!
//! A device is told what the units are told at whose posts its account is. It goes with the session: who signs out in its browser,
//! or is signed out by others, is told nothing there any more.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use whistle_domain::words::{JurisdictionId, Lang};
use whistle_notices::push::{Key, Subscription, check_contact};
use whistle_store::{
    Conn,
    admin::{self, Deed, Doer},
    lease::{self, Held},
    push as stored,
};

use crate::{
    Whistle,
    account::{SignedIn, token_hash},
    error::{Error, Result},
    place::Here,
    time::Chance,
};

pub use whistle_store::push::MAX_DEVICES;

/// The longest name of a device.
pub const MAX_NAME: usize = 64;

/// The most push services of a place: each is a way of its own that is looked at every second. There are a handful, one of which has
/// some dozen names.
const MAX_SERVICES: usize = 50;

/// Devices that are looked at in one go.
const ROUND: usize = 1_000;

/// How push stands in a place where it is on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PushStanding {
    /// The public key.
    pub key: String,
    /// Whom push services write to.
    pub contact: String,
    /// Since when.
    pub created_at: Timestamp,
    /// How many devices are told.
    pub devices: usize,
}

/// A device to be.
#[derive(Debug, Clone, Copy)]
pub struct NewDevice<'a> {
    /// What its browser says of where it is reached, JSON.
    pub subscription: &'a str,
    /// What its holder calls it.
    pub name: &'a str,
    /// In which language it is told.
    pub lang: Lang,
    /// Whether its push service may be on this machine or its network.
    pub private: bool,
}

/// A device, as its holder sees it.
#[derive(Debug, Clone)]
pub struct OwnDevice {
    /// By which it is removed.
    pub id: i64,
    /// What its holder calls it.
    pub name: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When something was last sent to it.
    pub told_at: Option<Timestamp>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// A key of random bytes, nearly all of which are one.
fn new_key(chance: &Chance) -> Key {
    loop {
        if let Some(key) = Key::new(&chance.bytes()) {
            return key;
        }
    }
}

impl Whistle {
    /// Switches push on in a place, under a new key, or says anew whom push services write to. Answers the public key.
    pub fn switch_push_on(&self, here: &Here, contact: &str) -> Result<String> {
        check_contact(contact).map_err(|what| Error::invalid("contact", what))?;
        let (id, now) = (here.id, self.clock.now());
        let before = self.store.read_blocking(|conn| stored::key(conn, id))?;
        let (sealed, created_at, key) = if let Some(before) = before {
            let key = self.opened_key(id, &before)?;
            (before.sealed, before.created_at, key)
        } else {
            let key = new_key(&self.chance);
            let sealed = self.secret.seal_push_key(&key.bytes(), id, &self.chance);
            (sealed, now, key)
        };
        let new = stored::Key {
            sealed,
            contact: contact.to_owned(),
            created_at,
        };
        self.store.write_blocking(move |tx| {
            stored::keep_key(tx, id, &new)?;
            let by = Doer::Operator;
            admin::note(tx, id, &by, Deed::PushSwitchedOn, "", &new.contact, now)
        })?;
        Ok(key.public())
    }

    /// Switches push off in a place. Its key and all devices are forgotten: they take messages of that key alone.
    pub fn switch_push_off(&self, here: &Here) -> Result<()> {
        let (id, now) = (here.id, self.clock.now());
        let was_on = self.store.write_blocking(move |tx| {
            let was_on = stored::forget_key(tx, id)?;
            if was_on {
                admin::note(tx, id, &Doer::Operator, Deed::PushSwitchedOff, "", "", now)?;
            }
            Ok::<_, whistle_store::Error>(was_on)
        })?;
        if was_on {
            Ok(())
        } else {
            Err(Error::not_found("push", "key"))
        }
    }

    /// How push stands in a place; none where it is off.
    pub fn push_standing(&self, here: &Here) -> Result<Option<PushStanding>> {
        let id = here.id;
        let Some(key) = self.store.read_blocking(|conn| stored::key(conn, id))? else {
            return Ok(None);
        };
        let devices = self.store.read_blocking(|conn| all_devices(conn, id))?;
        Ok(Some(PushStanding {
            key: self.opened_key(id, &key)?.public(),
            contact: key.contact,
            created_at: key.created_at,
            devices: devices.len(),
        }))
    }

    /// The public key that browsers subscribe with; none where push is off.
    pub async fn push_key(&self, here: &Here) -> Result<Option<String>> {
        let id = here.id;
        let key = self.store.look_up(move |conn| stored::key(conn, id)).await?;
        key.map(|key| Ok(self.opened_key(id, &key)?.public())).transpose()
    }

    fn opened_key(&self, id: JurisdictionId, key: &stored::Key) -> Result<Key> {
        let opened = self.secret.open_push_key(&key.sealed, id);
        opened.and_then(|bytes| Key::new(&bytes)).ok_or_else(|| {
            let what = "the key of push was sealed with another key; switch push off and on again";
            Error::invalid("secret.key", what)
        })
    }

    /// Tells a device from now on what the units are told at whose posts the account is. `browser` is what the browser kept of the
    /// time before; answers what it keeps now.
    pub async fn add_device(
        &self,
        here: &Here,
        by: &SignedIn,
        new: NewDevice<'_>,
        browser: Option<&str>,
    ) -> Result<String> {
        let name = new.name.trim();
        if name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            let what = format!("at most {MAX_NAME} letters fit");
            return Err(Error::invalid("name", what));
        }
        if self.push_key(here).await?.is_none() {
            return Err(Error::not_found("push", "key"));
        }
        let subscription = Subscription::read(new.subscription, new.private)
            .map_err(|what| Error::invalid("subscription", what))?;
        let browser = browser.map_or_else(|| self.fresh_token(), str::to_owned);
        let device = stored::Device {
            id: 0,
            account: by.account,
            service: subscription.service(),
            subscription_hash: subscription.hash(),
            browser_hash: token_hash(&browser),
            sealed: Vec::new(),
            name: name.to_owned(),
            lang: new.lang,
            created_at: self.clock.now(),
            told_at: None,
        };
        let (id, whistle) = (here.id, self.clone());
        let had_room = self
            .store
            .write(move |tx| -> Result<bool> {
                let known = stored::services(tx, id)?;
                if known.len() >= MAX_SERVICES && !known.contains(&device.service) {
                    let what = format!("the devices here have {MAX_SERVICES} push services already");
                    return Err(Error::invalid("subscription", what));
                }
                let number = stored::next_device(tx, id)?;
                let sealed = whistle
                    .secret
                    .seal_device(&subscription, (id, number), &whistle.chance);
                let device = stored::Device {
                    id: number,
                    sealed,
                    ..device.clone()
                };
                Ok(stored::add(tx, id, &device)?)
            })
            .await?;
        if had_room {
            Ok(browser)
        } else {
            let what = format!("at most {MAX_DEVICES} fit; remove one first");
            Err(Error::invalid("device", what))
        }
    }

    /// The devices of who is signed in, the oldest first.
    pub async fn own_devices(
        &self,
        here: &Here,
        by: &SignedIn,
        browser: Option<&str>,
    ) -> Result<Vec<OwnDevice>> {
        let (id, account) = (here.id, by.account);
        let this = browser.map(token_hash);
        let found = self
            .store
            .look_up(move |conn| stored::of(conn, id, account))
            .await?;
        let own = |device: stored::Device| OwnDevice {
            is_this: Some(device.browser_hash) == this,
            id: device.id,
            name: device.name,
            created_at: device.created_at,
            told_at: device.told_at,
        };
        Ok(found.into_iter().map(own).collect())
    }

    /// Tells a device of who is signed in nothing any more.
    pub async fn remove_device(&self, here: &Here, by: &SignedIn, device: i64) -> Result<()> {
        let (id, account) = (here.id, by.account);
        Ok(self
            .store
            .write(move |tx| stored::remove_own(tx, id, account, device))
            .await?)
    }

    /// Removes the device of a browser in which somebody has signed in now, unless it is theirs: nobody reads on what is for
    /// others.
    pub async fn sign_in_at_device(&self, here: &Here, token: &str, browser: &str) -> Result<()> {
        let (id, session, browser) = (here.id, token_hash(token), token_hash(browser));
        Ok(self
            .store
            .write(move |tx| stored::remove_of_others(tx, id, &browser, &session))
            .await?)
    }

    /// Forgets devices whose accounts are at no post of the place any more. Answers how many it were.
    pub(super) fn forget_devices(&self, here: &Here, held: Held) -> Result<u64> {
        let id = here.id;
        let (all, at_posts) = self.store.read_blocking(|conn| -> Result<_> {
            Ok((all_devices(conn, id)?, stored::at_posts(conn, id)?))
        })?;
        let known = at_posts
            .into_iter()
            .filter(|one| here.place.post(one.post.as_str()).is_some());
        let known: HashSet<i64> = known.map(|one| one.device).collect();
        let over: Vec<i64> = all.into_iter().filter(|device| !known.contains(device)).collect();
        let forgotten = over.len() as u64;
        if forgotten > 0 {
            self.store.write_blocking(move |tx| {
                lease::hold(tx, &held)?;
                over.iter().try_for_each(|&device| stored::remove(tx, id, device))
            })?;
        }
        Ok(forgotten)
    }
}

/// The numbers of all devices.
fn all_devices(conn: &Conn, id: JurisdictionId) -> whistle_store::Result<Vec<i64>> {
    let mut all = Vec::new();
    loop {
        let some = stored::after(conn, id, all.last().copied().unwrap_or(0), ROUND)?;
        let is_last = some.len() < ROUND;
        all.extend(some.into_iter().map(|device| device.id));
        if is_last {
            return Ok(all);
        }
    }
}
