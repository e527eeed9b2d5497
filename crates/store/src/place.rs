//! Versions of place folders, kept as the files they were applied from. A place is compiled from them anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use whistle_domain::words::{JurisdictionCode, JurisdictionId};

use crate::{
    Conn, Tx,
    error::{Error, Result},
    params,
};

/// The files of a folder by their path in it.
pub type Files = BTreeMap<String, Vec<u8>>;

/// A jurisdiction and the version of its place that is in force.
#[derive(Debug, Clone)]
pub struct Current {
    /// Its key.
    pub id: JurisdictionId,
    /// Its code.
    pub code: JurisdictionCode,
    /// The version in force.
    pub version: u32,
    /// The hash of that version's files.
    pub hash: Vec<u8>,
}

/// All jurisdictions, the first applied first.
pub fn all(conn: &Conn) -> Result<Vec<Current>> {
    conn.rows(
        "SELECT j.jurisdiction_id, j.code, j.version, v.hash
         FROM jurisdiction AS j
         JOIN place_version AS v ON v.jurisdiction_id = j.jurisdiction_id AND v.version = j.version
         ORDER BY j.jurisdiction_id",
        params![],
        |row| {
            Ok(Current {
                id: JurisdictionId(row.int(0)?),
                code: row.parsed(1)?,
                version: row.int(2)? as u32,
                hash: row.bytes(3)?.to_vec(),
            })
        },
    )
}

/// When a version was applied.
pub fn applied_at(conn: &Conn, jurisdiction: JurisdictionId, version: u32) -> Result<Option<Timestamp>> {
    conn.row_optional(
        "SELECT applied_at
         FROM place_version
         WHERE jurisdiction_id = $1 AND version = $2",
        params![jurisdiction.0, version],
        |row| row.time(0),
    )
}

/// A version that was in force or is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub version: u32,
    /// When it was applied.
    pub applied_at: Timestamp,
}

/// Versions before one, the newest first.
pub fn versions(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    before: u32,
    limit: usize,
) -> Result<Vec<Version>> {
    conn.rows(
        "SELECT version, applied_at
         FROM place_version
         WHERE jurisdiction_id = $1 AND version < $2
         ORDER BY version DESC
         LIMIT $3",
        params![jurisdiction.0, i64::from(before), limit as i64],
        |row| {
            Ok(Version {
                version: row.int(0)? as u32,
                applied_at: row.time(1)?,
            })
        },
    )
}

/// The files that an account sent to have a look at what they would change; none where it sent none.
pub fn draft(conn: &Conn, jurisdiction: JurisdictionId, account: i64) -> Result<Option<Files>> {
    let rows = conn.rows(
        "SELECT path, content
         FROM place_draft
         WHERE jurisdiction_id = $1 AND account_id = $2
         ORDER BY path",
        params![jurisdiction.0, account],
        |row| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec())),
    )?;
    let files: Files = rows.into_iter().collect();
    Ok((!files.is_empty()).then_some(files))
}

/// Keeps files that an account sent in place of earlier ones.
pub fn keep_draft(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    files: &Files,
    sent_at: Timestamp,
) -> Result<()> {
    drop_draft(tx, jurisdiction, account)?;
    for (path, content) in files {
        tx.exec(
            "INSERT INTO place_draft (jurisdiction_id, account_id, path, sent_at, content)
             VALUES ($1, $2, $3, $4, $5)",
            params![jurisdiction.0, account, path, sent_at, content.as_slice()],
        )?;
    }
    Ok(())
}

/// Forgets drafts that were sent before a time, at most `most` files of them.
pub fn forget_drafts(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    // Nobody has many, so their table is looked through whole.
    tx.exec(
        "DELETE FROM place_draft
         WHERE jurisdiction_id = $1
           AND (account_id, path) IN (SELECT account_id, path
                                      FROM place_draft
                                      WHERE jurisdiction_id = $1 AND sent_at < $2
                                      LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

/// Drops the draft of an account.
pub fn drop_draft(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<()> {
    tx.exec(
        "DELETE FROM place_draft
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )?;
    Ok(())
}

/// The files of a version.
pub fn files(conn: &Conn, jurisdiction: JurisdictionId, version: u32) -> Result<Files> {
    let rows = conn.rows(
        "SELECT path, content
         FROM place_file
         WHERE jurisdiction_id = $1 AND version = $2
         ORDER BY path",
        params![jurisdiction.0, version],
        |row| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec())),
    )?;
    Ok(rows.into_iter().collect())
}

/// Puts a new version in force. `seen` is the version that the files were compared with; 0 for a new jurisdiction.
/// Fails with [`Error::Stale`] when another one was applied meanwhile.
pub fn apply(
    tx: &mut Tx<'_>,
    code: &JurisdictionCode,
    seen: u32,
    files: &Files,
    hash: &[u8],
    now: Timestamp,
) -> Result<(JurisdictionId, u32)> {
    let version = seen + 1;
    // Locked, so that of two who apply at once the second finds out that it compared with the wrong version.
    let known = tx.row_to_change(
        "SELECT jurisdiction_id, version
         FROM jurisdiction
         WHERE code = $1",
        params![code.as_str()],
        |row| Ok((row.int(0)?, row.int(1)? as u32)),
    )?;
    let id = match known {
        Some((_, now_there)) if now_there != seen => {
            return Err(Error::Stale {
                number: i64::from(now_there),
            });
        }
        Some((id, _)) => id,
        None => {
            let id = tx.row(
                "SELECT COALESCE(MAX(jurisdiction_id), 0) + 1 FROM jurisdiction",
                params![],
                |row| row.int(0),
            )?;
            tx.exec(
                "INSERT INTO jurisdiction (jurisdiction_id, code, version)
                 VALUES ($1, $2, 0)",
                params![id, code.as_str()],
            )?;
            id
        }
    };
    tx.exec(
        "INSERT INTO place_version (jurisdiction_id, version, applied_at, hash)
         VALUES ($1, $2, $3, $4)",
        params![id, version, now, hash],
    )?;
    for (path, content) in files {
        tx.exec(
            "INSERT INTO place_file (jurisdiction_id, version, path, content)
             VALUES ($1, $2, $3, $4)",
            params![id, version, path, content],
        )?;
    }
    tx.exec(
        "UPDATE jurisdiction
         SET version = $2
         WHERE jurisdiction_id = $1",
        params![id, version],
    )?;
    Ok((JurisdictionId(id), version))
}
