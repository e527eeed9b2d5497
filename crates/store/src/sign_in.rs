//! Ways to sign in besides a password: who an account is at a provider, and the steps that were begun and wait for their
//! answer. Knows nothing of the protocols.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{Conn, Row, Tx, case::Hash, error::Result, params};

/// Who an account is at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The account.
    pub account: i64,
    /// By which the provider tells people apart; none before the first sign-in.
    pub subject: Option<String>,
    /// What the provider calls them.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last signed somebody in.
    pub used_at: Option<Timestamp>,
}

fn read_link(row: &Row<'_>) -> Result<Link> {
    Ok(Link {
        account: row.int(0)?,
        subject: row.text_opt(1)?.map(str::to_owned),
        name: row.text(2)?.to_owned(),
        created_at: row.time(3)?,
        used_at: row.time_opt(4)?,
    })
}

/// The link of an account.
pub fn link_of(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    issuer: &str,
    account: i64,
) -> Result<Option<Link>> {
    conn.row_optional(
        "SELECT account_id, subject, name, created_at, used_at
         FROM account_link
         WHERE jurisdiction_id = $1 AND account_id = $3 AND issuer = $2",
        params![jurisdiction.0, issuer, account],
        read_link,
    )
}

/// The link of a subject.
pub fn link_by_subject(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    issuer: &str,
    subject: &str,
) -> Result<Option<Link>> {
    conn.row_optional(
        "SELECT account_id, subject, name, created_at, used_at
         FROM account_link
         WHERE jurisdiction_id = $1 AND issuer = $2 AND subject = $3",
        params![jurisdiction.0, issuer, subject],
        read_link,
    )
}

/// The link that waits for somebody of this name.
pub fn link_awaiting(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    issuer: &str,
    name: &str,
) -> Result<Option<Link>> {
    conn.row_optional(
        "SELECT account_id, subject, name, created_at, used_at
         FROM account_link
         WHERE jurisdiction_id = $1 AND issuer = $2 AND name = $3 AND subject IS NULL",
        params![jurisdiction.0, issuer, name],
        read_link,
    )
}

/// Links an account, in place of what it was linked to before. Fails with [`crate::Error::Conflict`] when the subject, or the
/// name that is awaited, is another account's.
pub fn link(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, issuer: &str, link: &Link) -> Result<()> {
    tx.exec(
        "INSERT INTO account_link (jurisdiction_id, account_id, issuer, subject, name, created_at, used_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (jurisdiction_id, account_id, issuer)
         DO UPDATE SET subject = $4, name = $5, created_at = $6, used_at = $7",
        params![
            jurisdiction.0,
            link.account,
            issuer,
            link.subject.as_deref(),
            link.name.as_str(),
            link.created_at,
            link.used_at
        ],
    )?;
    Ok(())
}

/// Gives the link that waits for somebody their subject. Answers whether it still waited.
pub fn meet(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    issuer: &str,
    (account, name, subject): (i64, &str, &str),
) -> Result<bool> {
    let changed = tx.exec(
        "UPDATE account_link
         SET subject = $5
         WHERE jurisdiction_id = $1 AND account_id = $3 AND issuer = $2 AND name = $4 AND subject IS NULL",
        params![jurisdiction.0, issuer, account, name, subject],
    )?;
    Ok(changed == 1)
}

/// Notes that a link signed somebody in.
pub fn see_link(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    issuer: &str,
    account: i64,
    now: Timestamp,
) -> Result<()> {
    tx.queue(
        "UPDATE account_link
         SET used_at = $4
         WHERE jurisdiction_id = $1 AND account_id = $3 AND issuer = $2",
        params![jurisdiction.0, issuer, account, now],
    )
}

/// Ends the links of an account, to all providers. Answers how many.
pub fn unlink(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, account: i64) -> Result<u64> {
    tx.exec(
        "DELETE FROM account_link
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account],
    )
}

/// A step that waits for its answer.
#[derive(Debug, Clone)]
pub struct Step {
    /// Of what comes back with the answer.
    pub hash: Hash,
    /// Of the cookie of the browser that began it.
    pub browser: Hash,
    /// Which way of signing in it is a step of.
    pub kind: &'static str,
    /// What the answer is compared with.
    pub held: String,
    /// Until when an answer is taken.
    pub expires_at: Timestamp,
}

/// Begins a step.
pub fn begin(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, step: &Step) -> Result<()> {
    tx.queue(
        "INSERT INTO sign_in_step (jurisdiction_id, step_hash, browser_hash, kind, held, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        params![
            jurisdiction.0,
            step.hash,
            step.browser,
            step.kind,
            step.held.as_str(),
            step.expires_at
        ],
    )
}

/// What became of the step that an answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It waited, and does not any more: what it held.
    Now(String),
    /// An answer was taken before.
    Before,
    /// It waited too long.
    TooLate,
    /// No such step was begun in this browser, or it is long over.
    Unknown,
}

/// Takes the step of an answer, once and for the browser that began it.
pub fn take(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    (hash, browser, kind): (&Hash, &Hash, &str),
    now: Timestamp,
) -> Result<Taken> {
    let held = tx.row_optional(
        "UPDATE sign_in_step
         SET taken_at = $5
         WHERE jurisdiction_id = $1 AND step_hash = $2 AND browser_hash = $3 AND kind = $4
           AND taken_at IS NULL AND expires_at > $5
         RETURNING held",
        params![jurisdiction.0, *hash, *browser, kind, now],
        |row| Ok(row.text(0)?.to_owned()),
    )?;
    if let Some(held) = held {
        return Ok(Taken::Now(held));
    }
    let known = tx.row_optional(
        "SELECT taken_at
         FROM sign_in_step
         WHERE jurisdiction_id = $1 AND step_hash = $2 AND browser_hash = $3 AND kind = $4",
        params![jurisdiction.0, *hash, *browser, kind],
        |row| row.time_opt(0),
    )?;
    Ok(match known {
        None => Taken::Unknown,
        Some(None) => Taken::TooLate,
        Some(Some(_)) => Taken::Before,
    })
}

/// Forgets steps that ended before a time, at most `most`.
pub fn forget_old_steps(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    before: Timestamp,
    most: usize,
) -> Result<u64> {
    tx.exec(
        "DELETE FROM sign_in_step
         WHERE jurisdiction_id = $1
           AND step_hash IN (SELECT step_hash FROM sign_in_step WHERE jurisdiction_id = $1 AND expires_at < $2 LIMIT $3)",
        params![jurisdiction.0, before, most as i64],
    )
}
