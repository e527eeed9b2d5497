//! Photos that were sent: waiting for a case, used by one, left by one whose reporter erased it, or leaving because no case
//! names them. The pictures themselves are in
//! the object store; a row is there before its files are, and gone only after them.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{
    Conn, Tx,
    error::{Error, Result},
    params,
};

/// Remembers that a photo was sent, before its files are written. Fails as busy while an earlier copy of it is leaving:
/// its files would go with that one's.
pub fn receive(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: &str, now: Timestamp) -> Result<()> {
    let received = tx.exec(
        "INSERT INTO photo (jurisdiction_id, photo_id, sent_at, state)
         VALUES ($1, $2, $3, 'waiting')
         ON CONFLICT (jurisdiction_id, photo_id) DO UPDATE
         SET sent_at = excluded.sent_at
         WHERE photo.state <> 'leaving'",
        params![jurisdiction.0, id, now],
    )?;
    if received == 1 {
        return Ok(());
    }
    Err(Error::Busy {
        what: "this photo is being removed",
        retry_after: std::time::Duration::from_secs(1),
    })
}

/// Remembers that the log of a case names a photo. Fails when it is leaving.
pub(crate) fn use_up(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: &str, now: Timestamp) -> Result<()> {
    let used = tx.exec(
        "INSERT INTO photo (jurisdiction_id, photo_id, sent_at, state)
         VALUES ($1, $2, $3, 'used')
         ON CONFLICT (jurisdiction_id, photo_id) DO UPDATE
         SET state = 'used'
         WHERE photo.state <> 'leaving'",
        params![jurisdiction.0, id, now],
    )?;
    if used == 1 {
        Ok(())
    } else {
        Err(Error::PhotoGone { id: id.to_owned() })
    }
}

/// Whether a photo is being removed, so that no case can name it any more.
pub fn is_leaving(conn: &Conn, jurisdiction: JurisdictionId, id: &str) -> Result<bool> {
    let one = conn.row_optional(
        "SELECT 1
         FROM photo
         WHERE jurisdiction_id = $1 AND photo_id = $2 AND state = 'leaving'",
        params![jurisdiction.0, id],
        |row| row.int(0),
    )?;
    Ok(one.is_some())
}

/// Photos that were sent before a time and that no case names, at most `limit`. From here on none can name them; when
/// their files are removed, [`forget`] them. Names those again whose removal was broken off.
pub fn leave(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    limit: usize,
) -> Result<Vec<String>> {
    let unused = tx.rows(
        "SELECT photo_id
         FROM photo
         WHERE jurisdiction_id = $1 AND state <> 'used' AND state <> 'left' AND sent_at < $2
         ORDER BY sent_at
         LIMIT $3",
        params![jurisdiction.0, before, limit as i64],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    let mut leaving = Vec::with_capacity(unused.len());
    for id in unused {
        // Asked again, since another process may have used it or received it anew between the two statements.
        let left = tx.exec(
            "UPDATE photo
             SET state = 'leaving'
             WHERE jurisdiction_id = $1 AND photo_id = $2 AND state <> 'used' AND state <> 'left' AND sent_at < $3",
            params![jurisdiction.0, id.as_str(), before],
        )?;
        if left == 1 {
            leaving.push(id);
        }
    }
    Ok(leaving)
}

/// Remembers that a case names a photo no longer; [`settle_left`] finds out whether another does.
pub fn let_go(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, id: &str) -> Result<()> {
    tx.exec(
        "UPDATE photo
         SET state = 'left', sent_at = 0
         WHERE jurisdiction_id = $1 AND photo_id = $2 AND state = 'used'",
        params![jurisdiction.0, id],
    )?;
    Ok(())
}

/// Photos that a case left, at most `limit`, each with whether another case names it. Reads all cases for each: for now
/// and then, not for every request.
pub fn left(conn: &Conn, jurisdiction: JurisdictionId, limit: usize) -> Result<Vec<(String, bool)>> {
    let left = conn.rows(
        "SELECT photo_id
         FROM photo
         WHERE jurisdiction_id = $1 AND state = 'left'
         LIMIT $2",
        params![jurisdiction.0, limit as i64],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    let is_named = |id: String| {
        let one = conn.row_optional(
            "SELECT 1
             FROM cases
             WHERE jurisdiction_id = $1 AND fold LIKE $2
             LIMIT 1",
            params![jurisdiction.0, format!("%{id}%")],
            |row| row.int(0),
        )?;
        Ok((id, one.is_some()))
    };
    left.into_iter().map(is_named).collect()
}

/// Settles what becomes of a photo that a case left: another one names it, or it may leave unless it was sent again since
/// `before`. One that a case came to use meanwhile is used, and stays.
pub fn settle_left(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    id: &str,
    is_named: bool,
    before: Timestamp,
) -> Result<()> {
    let state = if is_named { "used" } else { "leaving" };
    let before = if is_named { Timestamp::MAX } else { before };
    tx.exec(
        "UPDATE photo
         SET state = $3
         WHERE jurisdiction_id = $1 AND photo_id = $2 AND state = 'left' AND sent_at < $4",
        params![jurisdiction.0, id, state, before],
    )?;
    Ok(())
}

/// How many photos that no case names were sent before a time, those that a case left among them, and when the oldest was.
pub fn unused(conn: &Conn, jurisdiction: JurisdictionId, before: Timestamp) -> Result<crate::intake::Due> {
    conn.row(
        "SELECT COUNT(*), MIN(CASE WHEN sent_at > 0 THEN sent_at END)
         FROM photo
         WHERE jurisdiction_id = $1 AND state <> 'used' AND sent_at < $2",
        params![jurisdiction.0, before],
        |row| {
            Ok(crate::intake::Due {
                n: row.int(0)? as u64,
                oldest: row.time_opt(1)?,
            })
        },
    )
}

/// Forgets photos that left.
pub fn forget(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, ids: &[String]) -> Result<()> {
    for id in ids {
        tx.exec(
            "DELETE FROM photo
             WHERE jurisdiction_id = $1 AND photo_id = $2 AND state = 'leaving'",
            params![jurisdiction.0, id.as_str()],
        )?;
    }
    Ok(())
}
