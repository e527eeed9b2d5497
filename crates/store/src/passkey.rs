//! Passkeys of accounts: public keys and what is checked of them. Knows nothing of how a signature is checked.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{Conn, Row, Tx, error::Result, params};

/// The most passkeys of an account: a telephone, a computer, keys for the drawer, and some.
pub const MAX_PASSKEYS: usize = 20;

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// Its id, as the device gives it.
    pub id: Vec<u8>,
    /// Whose it is.
    pub account: i64,
    /// What its holder calls it.
    pub name: String,
    /// By which the device knows the account.
    pub user_handle: Vec<u8>,
    /// The public key, the counter, and what else is checked.
    pub credential: String,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it last signed somebody in.
    pub used_at: Option<Timestamp>,
}

fn read(row: &Row<'_>) -> Result<Passkey> {
    Ok(Passkey {
        id: row.bytes(0)?.to_vec(),
        account: row.int(1)?,
        name: row.text(2)?.to_owned(),
        user_handle: row.bytes(3)?.to_vec(),
        credential: row.text(4)?.to_owned(),
        created_at: row.time(5)?,
        used_at: row.time_opt(6)?,
    })
}

/// The passkey with an id.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, id: &[u8]) -> Result<Option<Passkey>> {
    conn.row_optional(
        "SELECT credential_id, account_id, name, user_handle, credential, created_at, used_at
         FROM passkey
         WHERE jurisdiction_id = $1 AND credential_id = $2",
        params![jurisdiction.0, id],
        read,
    )
}

/// The passkeys of an account, the oldest first.
pub fn of(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Vec<Passkey>> {
    conn.rows(
        "SELECT credential_id, account_id, name, user_handle, credential, created_at, used_at
         FROM passkey
         WHERE jurisdiction_id = $1 AND account_id = $2
         ORDER BY created_at, credential_id
         LIMIT $3",
        params![jurisdiction.0, account, MAX_PASSKEYS as i64],
        read,
    )
}

/// How many passkeys an account has.
pub fn count(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<i64> {
    conn.row(
        "SELECT COUNT(*)
         FROM passkey
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
        |row| row.int(0),
    )
}

/// Adds a passkey, unless its account has [`MAX_PASSKEYS`]. Fails with [`crate::Error::Conflict`] when the id is known
/// already. Answers whether there was room.
pub fn add(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, passkey: &Passkey) -> Result<bool> {
    if count(tx, jurisdiction, passkey.account)? >= MAX_PASSKEYS as i64 {
        return Ok(false);
    }
    tx.exec(
        "INSERT INTO passkey (jurisdiction_id, credential_id, account_id, name, user_handle, credential, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            passkey.id,
            passkey.account,
            passkey.name.as_str(),
            passkey.user_handle,
            passkey.credential.as_str(),
            passkey.created_at
        ],
    )?;
    Ok(true)
}

/// Notes a use. Answers whether the credential is still as the signature was checked against it: of two answers with the same
/// counter, one is taken.
pub fn see(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    id: &[u8],
    (old, new): (&str, &str),
    now: Timestamp,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE passkey
         SET credential = $4, used_at = $5
         WHERE jurisdiction_id = $1 AND credential_id = $2 AND credential = $3",
        params![jurisdiction.0, id, old, new, now],
    )?;
    Ok(changed == 1)
}

/// Gives a passkey of an account another name. Answers whether there is one.
pub fn rename(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    id: &[u8],
    name: &str,
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE passkey
         SET name = $4
         WHERE jurisdiction_id = $1 AND credential_id = $3 AND account_id = $2",
        params![jurisdiction.0, account, id, name],
    )?;
    Ok(changed == 1)
}

/// Removes a passkey of an account. Answers whether there was one.
pub fn remove(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64, id: &[u8]) -> Result<bool> {
    let gone = tx.exec(
        "DELETE FROM passkey
         WHERE jurisdiction_id = $1 AND credential_id = $3 AND account_id = $2",
        params![jurisdiction.0, account, id],
    )?;
    Ok(gone == 1)
}

/// Removes all passkeys of an account.
pub fn remove_all(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM passkey
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )
}
