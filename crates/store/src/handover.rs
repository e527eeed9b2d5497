//! Handovers: what one holder of a post tells the next.

use jiff::Timestamp;
use whistle_domain::words::{JurisdictionId, PostCode};

use crate::{Conn, Tx, error::Result, params};

/// A note of a holder of a post to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// When.
    pub at: Timestamp,
    /// The account that held the post.
    pub account: i64,
    /// The name that it signs in with; none once the account is gone.
    pub login: Option<String>,
    /// What the next one must know.
    pub note: String,
}

/// Keeps a note of an account that holds a post.
pub fn keep(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    post: &PostCode,
    account: i64,
    note: &str,
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "INSERT INTO handover (jurisdiction_id, post_code, at, account_id, note)
         VALUES ($1, $2, $3, $4, $5)",
        params![jurisdiction.0, post.as_str(), now, account, note],
    )
}

/// Forgets notes that are older than a time, at most `most`. Answers how many it were.
pub fn forget_old(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM handover
         WHERE jurisdiction_id = $1
           AND (post_code, at, account_id) IN (SELECT post_code, at, account_id
                                               FROM handover
                                               WHERE jurisdiction_id = $1 AND at < $2
                                               LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}

/// The last notes of a post, the newest first.
pub fn last(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    post: &PostCode,
    limit: usize,
) -> Result<Vec<Handover>> {
    conn.rows(
        "SELECT h.at, h.account_id, a.login, h.note
         FROM handover AS h
         LEFT JOIN account AS a ON a.jurisdiction_id = h.jurisdiction_id AND a.account_id = h.account_id
         WHERE h.jurisdiction_id = $1 AND h.post_code = $2
         ORDER BY h.at DESC, h.account_id DESC
         LIMIT $3",
        params![jurisdiction.0, post.as_str(), limit as i64],
        |row| {
            Ok(Handover {
                at: row.time(0)?,
                account: row.int(1)?,
                login: row.text_opt(2)?.map(str::to_owned),
                note: row.text(3)?.to_owned(),
            })
        },
    )
}
