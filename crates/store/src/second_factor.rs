//! What accounts show besides their passwords: sealed secrets of codes that change with time, and recovery codes. Knows
//! neither how a code is computed nor the key of the seal.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{Conn, Tx, case::Hash, error::Result, params};

/// The second factor of an account.
#[derive(Debug, Clone)]
pub struct SecondFactor {
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// Whether a code was right once; before that it is asked for nowhere.
    pub is_confirmed: bool,
}

/// The second factor of an account.
pub fn find(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Option<SecondFactor>> {
    conn.row_optional(
        "SELECT secret, confirmed_at
         FROM second_factor
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
        |row| {
            Ok(SecondFactor {
                secret: row.bytes(0)?.to_vec(),
                is_confirmed: row.time_opt(1)?.is_some(),
            })
        },
    )
}

/// Begins a second factor, in place of one that was never confirmed. Answers whether there is no confirmed one.
pub fn begin(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    secret: &[u8],
    now: Timestamp,
) -> Result<bool> {
    let changed = tx.exec(
        "INSERT INTO second_factor (jurisdiction_id, account_id, secret, created_at, last_step)
         VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (jurisdiction_id, account_id)
         DO UPDATE SET secret = $3, created_at = $4
         WHERE second_factor.confirmed_at IS NULL",
        params![jurisdiction.0, account, secret, now],
    )?;
    Ok(changed == 1)
}

/// Takes the code of a step of time. Answers whether none of that step or a later one was taken before.
pub fn take_step(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64, step: i64) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE second_factor
         SET last_step = $3
         WHERE jurisdiction_id = $1 AND account_id = $2 AND last_step < $3",
        params![jurisdiction.0, account, step],
    )?;
    Ok(changed == 1)
}

/// Puts the second factor in force, with its recovery codes.
pub fn confirm(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    codes: &[Hash],
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "UPDATE second_factor
         SET confirmed_at = $3
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account, now],
    )?;
    for code in codes {
        tx.queue(
            "INSERT INTO recovery_code (jurisdiction_id, account_id, code_hash)
             VALUES ($1, $2, $3)",
            params![jurisdiction.0, account, *code],
        )?;
    }
    Ok(())
}

/// Takes a recovery code, by the hashes that it may be known by. Answers whether it was there; it is not any more.
pub fn take_code(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    hashes: &[Hash],
) -> Result<bool> {
    for hash in hashes {
        let gone = tx.exec(
            "DELETE FROM recovery_code
             WHERE jurisdiction_id = $1 AND account_id = $2 AND code_hash = $3",
            params![jurisdiction.0, account, *hash],
        )?;
        if gone == 1 {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends the recovery codes of all accounts.
pub fn end_codes(tx: &mut Tx<'_>, jurisdiction: JurisdictionId) -> Result<()> {
    tx.queue(
        "DELETE FROM recovery_code
         WHERE jurisdiction_id = $1",
        params![jurisdiction.0],
    )
}

/// The next few accounts after one with a second factor, in their order, with their sealed secrets.
pub fn after(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    account: i64,
    limit: usize,
) -> Result<Vec<(i64, Vec<u8>)>> {
    conn.rows(
        "SELECT account_id, secret
         FROM second_factor
         WHERE jurisdiction_id = $1 AND account_id > $2
         ORDER BY account_id
         LIMIT $3",
        params![jurisdiction.0, account, limit as i64],
        |row| Ok((row.int(0)?, row.bytes(1)?.to_vec())),
    )
}

/// Keeps the same secret sealed anew, unless there is another one meanwhile. Answers how many rows it were.
pub fn seal_anew(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    old: &[u8],
    sealed: &[u8],
) -> Result<u64> {
    tx.exec(
        "UPDATE second_factor
         SET secret = $4
         WHERE jurisdiction_id = $1 AND account_id = $2 AND secret = $3",
        params![jurisdiction.0, account, old, sealed],
    )
}

/// How many recovery codes are left.
pub fn codes_left(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<i64> {
    conn.row(
        "SELECT COUNT(*)
         FROM recovery_code
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
        |row| row.int(0),
    )
}

/// Removes the second factor of an account, and its recovery codes.
pub fn remove(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM recovery_code
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )?;
    tx.queue(
        "DELETE FROM second_factor
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )
}
