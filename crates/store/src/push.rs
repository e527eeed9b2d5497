//! Push: the key by which push services know a place, and the devices of accounts. Knows nothing of how they are reached.

use jiff::Timestamp;
use whistle_domain::words::{JurisdictionId, Lang, PostCode};

use crate::{
    Conn, Row, Tx,
    case::{Hash, hash_at},
    error::Result,
    params,
};

/// The most devices of an account: a telephone, a tablet, computers at the desk and at home.
pub const MAX_DEVICES: usize = 10;

/// The key of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The private key, sealed.
    pub sealed: Vec<u8>,
    /// Whom push services write to.
    pub contact: String,
    /// Since when it is in force.
    pub created_at: Timestamp,
}

/// The key of a place; none where push is off.
pub fn key(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Option<Key>> {
    conn.row_optional(
        "SELECT sealed, contact, created_at
         FROM push_key
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
        |row| {
            Ok(Key {
                sealed: row.bytes(0)?.to_vec(),
                contact: row.text(1)?.to_owned(),
                created_at: row.time(2)?,
            })
        },
    )
}

/// Keeps a key of a place, in the place of the one before.
pub fn keep_key(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, key: &Key) -> Result<()> {
    tx.exec(
        "INSERT INTO push_key (jurisdiction_id, sealed, contact, created_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (jurisdiction_id) DO UPDATE
         SET sealed = excluded.sealed, contact = excluded.contact, created_at = excluded.created_at",
        params![jurisdiction.0, key.sealed, key.contact.as_str(), key.created_at],
    )?;
    Ok(())
}

/// Keeps the same key sealed anew. Answers how many rows it were.
pub fn seal_key_anew(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, old: &Key, sealed: &[u8]) -> Result<u64> {
    tx.exec(
        "UPDATE push_key
         SET sealed = $3
         WHERE jurisdiction_id = $1 AND sealed = $2",
        params![jurisdiction.0, old.sealed.as_slice(), sealed],
    )
}

/// Forgets the key of a place, and all devices: they take messages of that key alone. Answers whether there was one.
pub fn forget_key(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<bool> {
    tx.exec(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
    )?;
    let gone = tx.exec(
        "DELETE FROM push_key
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
    )?;
    Ok(gone == 1)
}

/// A device of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its number; 0 until it is kept.
    pub id: i64,
    /// Whose it is.
    pub account: i64,
    /// Which push service.
    pub service: i64,
    /// Of its address there.
    pub subscription_hash: Hash,
    /// Of the cookie of its browser.
    pub browser_hash: Hash,
    /// Where it is reached, sealed.
    pub sealed: Vec<u8>,
    /// What its holder calls it.
    pub name: String,
    /// In which language it is told.
    pub lang: Lang,
    /// When it was added.
    pub created_at: Timestamp,
    /// When something was last sent to it.
    pub told_at: Option<Timestamp>,
}

fn device(row: &Row<'_>) -> Result<Device> {
    Ok(Device {
        id: row.int(0)?,
        account: row.int(1)?,
        service: row.int(2)?,
        subscription_hash: hash_at(row, 3)?,
        browser_hash: hash_at(row, 4)?,
        sealed: row.bytes(5)?.to_vec(),
        name: row.text(6)?.to_owned(),
        // A word of a newer program is not known; that is as good as none.
        lang: row.text(7)?.parse().unwrap_or_default(),
        created_at: row.time(8)?,
        told_at: row.time_opt(9)?,
    })
}

/// The device with a number, if its account is in force, with the posts that it holds.
pub fn reached(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    id: i64,
) -> Result<Option<(Device, Vec<PostCode>)>> {
    let found = conn.row_optional(
        "SELECT d.device_id, d.account_id, d.service, d.subscription_hash, d.browser_hash, d.sealed, d.name, d.lang,
                d.created_at, d.told_at
         FROM push_device AS d
         JOIN account AS a ON a.jurisdiction_id = d.jurisdiction_id AND a.account_id = d.account_id
         WHERE d.jurisdiction_id = $1 AND d.device_id = $2 AND a.disabled_at IS NULL",
        params![jurisdiction.0, id],
        device,
    )?;
    let Some(found) = found else { return Ok(None) };
    let posts = crate::account::posts(conn, jurisdiction, found.account)?;
    Ok(Some((found, posts)))
}

/// The devices of an account, the oldest first.
pub fn of(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Vec<Device>> {
    conn.rows(
        "SELECT device_id, account_id, service, subscription_hash, browser_hash, sealed, name, lang, created_at, told_at
         FROM push_device
         WHERE jurisdiction_id = $1 AND account_id = $2
         ORDER BY device_id
         LIMIT $3",
        params![jurisdiction.0, account, MAX_DEVICES as i64],
        device,
    )
}

/// Devices above a number, in the order of their numbers.
pub fn after(conn: &Conn, jurisdiction: JurisdictionId, after: i64, limit: usize) -> Result<Vec<Device>> {
    conn.rows(
        "SELECT device_id, account_id, service, subscription_hash, browser_hash, sealed, name, lang, created_at, told_at
         FROM push_device
         WHERE jurisdiction_id = $1 AND device_id > $2
         ORDER BY device_id
         LIMIT $3",
        params![jurisdiction.0, after, limit as i64],
        device,
    )
}

/// Keeps the address of a device sealed anew. Answers how many rows it were.
pub fn seal_anew(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, old: &Device, sealed: &[u8]) -> Result<u64> {
    tx.exec(
        "UPDATE push_device
         SET sealed = $4
         WHERE jurisdiction_id = $1 AND device_id = $2 AND sealed = $3",
        params![jurisdiction.0, old.id, old.sealed.as_slice(), sealed],
    )
}

/// A post, and a device of an account that holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtPost {
    /// The post.
    pub post: PostCode,
    /// The device.
    pub device: i64,
    /// Its push service.
    pub service: i64,
}

/// All devices of accounts in force, by the posts that these hold; in the order of their numbers.
pub fn at_posts(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<AtPost>> {
    conn.rows(
        "SELECT h.post_code, d.device_id, d.service
         FROM push_device AS d
         JOIN account AS a ON a.jurisdiction_id = d.jurisdiction_id AND a.account_id = d.account_id
         JOIN holding AS h ON h.jurisdiction_id = d.jurisdiction_id AND h.account_id = d.account_id
         WHERE d.jurisdiction_id = $1 AND a.disabled_at IS NULL
         ORDER BY d.device_id",
        params![jurisdiction.0],
        |row| {
            Ok(AtPost {
                post: row.parsed(0)?,
                device: row.int(1)?,
                service: row.int(2)?,
            })
        },
    )
}

/// The push services of all devices.
pub fn services(conn: &Conn, jurisdiction: JurisdictionId) -> Result<Vec<i64>> {
    conn.rows(
        "SELECT DISTINCT service
         FROM push_device
         WHERE jurisdiction_id = $1
         ORDER BY service",
        params![jurisdiction.0],
        |row| row.int(0),
    )
}

/// The number of a device to be.
pub fn next_device(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<i64> {
    tx.next_id(jurisdiction.0, "push_device")
}

/// Adds a device, in the place of any that is in the same browser, whosever that was, unless its account has [`MAX_DEVICES`]
/// others. Answers whether there was room.
pub fn add(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, new: &Device) -> Result<bool> {
    tx.exec(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND (subscription_hash = $2 OR browser_hash = $3)",
        params![jurisdiction.0, new.subscription_hash, new.browser_hash],
    )?;
    if of(tx, jurisdiction, new.account)?.len() >= MAX_DEVICES {
        return Ok(false);
    }
    tx.exec(
        "INSERT INTO push_device (jurisdiction_id, device_id, account_id, service, subscription_hash, browser_hash, sealed,
                                  name, lang, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        params![
            jurisdiction.0,
            new.id,
            new.account,
            new.service,
            new.subscription_hash,
            new.browser_hash,
            new.sealed,
            new.name.as_str(),
            new.lang.as_str(),
            new.created_at
        ],
    )?;
    Ok(true)
}

/// Notes that something was sent to a device.
pub fn told(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64, now: Timestamp) -> Result<()> {
    tx.queue(
        "UPDATE push_device
         SET told_at = $3
         WHERE jurisdiction_id = $1 AND device_id = $2",
        params![jurisdiction.0, id, now],
    )
}

/// Removes a device. What waits for it is dropped when its time comes.
pub fn remove(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND device_id = $2",
        params![jurisdiction.0, id],
    )
}

/// Removes a device if it is this account's.
pub fn remove_own(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64, id: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND device_id = $3 AND account_id = $2",
        params![jurisdiction.0, account, id],
    )
}

/// Removes all devices of an account.
pub fn remove_all(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )
}

/// Removes all devices of the account with a login.
pub(crate) fn remove_all_of(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, login: &str) -> Result<()> {
    tx.exec(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1
           AND account_id IN (SELECT account_id FROM account WHERE jurisdiction_id = $1 AND login = $2)",
        params![jurisdiction.0, login],
    )?;
    Ok(())
}

/// Removes the device of a browser: who used it is signed out there.
pub fn remove_of_browser(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, browser_hash: &Hash) -> Result<()> {
    tx.queue(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND browser_hash = $2",
        params![jurisdiction.0, *browser_hash],
    )
}

/// Removes the device of a browser if it is another account's than that of a session: somebody else has signed in there.
pub fn remove_of_others(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    browser_hash: &Hash,
    token_hash: &Hash,
) -> Result<()> {
    tx.queue(
        "DELETE FROM push_device
         WHERE jurisdiction_id = $1 AND browser_hash = $2
           AND NOT EXISTS (SELECT 1
                           FROM session AS s
                           WHERE s.jurisdiction_id = push_device.jurisdiction_id
                             AND s.account_id = push_device.account_id AND s.token_hash = $3)",
        params![jurisdiction.0, *browser_hash, *token_hash],
    )
}
