//! Who looks after a duty that any of several processes could: a row for each duty of each jurisdiction.
//!
//! The holder counts the row's beat up. Who has seen a beat stand still for long enough, by a clock of its own that never
//! jumps, takes the row over and counts its token up: no two clocks are ever compared. That a holder is dead cannot be
//! known, only that it is silent; so what it writes for the duty is written under its token ([`hold`]), in the same
//! transaction, and one that wakes up late changes nothing.

use jiff::Timestamp;
use whistle_domain::words::JurisdictionId;

use crate::{
    Conn, Tx,
    error::{Error, Result},
    params,
};

/// A duty as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Of which jurisdiction.
    pub jurisdiction: JurisdictionId,
    /// Which duty.
    pub name: String,
    /// Which process has it; none when it was given up.
    pub holder: Option<String>,
    /// How far it has come.
    pub pulse: Pulse,
    /// When a duty that has a pace was last done, by the clock of who did it.
    pub done_at: Option<Timestamp>,
}

/// By which a holder shows that it lives: one that does not change stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// Counts up with every change of hands.
    pub token: i64,
    /// Counts up while somebody has it.
    pub beat: i64,
}

/// A duty that this process has, or had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Of which jurisdiction.
    pub jurisdiction: JurisdictionId,
    /// Which duty.
    pub name: &'static str,
    /// Under which token.
    pub token: i64,
}

/// All duties that somebody ever took.
pub fn all(conn: &Conn) -> Result<Vec<Lease>> {
    conn.rows(
        "SELECT jurisdiction_id, name, holder, token, beat, done_at
         FROM lease
         ORDER BY jurisdiction_id, name",
        params![],
        |row| {
            Ok(Lease {
                jurisdiction: JurisdictionId(row.int(0)?),
                name: row.text(1)?.to_owned(),
                holder: Some(row.text(2)?.to_owned()).filter(|holder| !holder.is_empty()),
                pulse: Pulse {
                    token: row.int(3)?,
                    beat: row.int(4)?,
                },
                done_at: row.time_opt(5)?,
            })
        },
    )
}

/// Takes a duty over from whoever had it when it was seen with this pulse; one that nobody ever took, with none. Answers
/// none when its pulse is another by now.
pub fn take(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    name: &'static str,
    holder: &str,
    seen: Option<Pulse>,
) -> Result<Option<Held>> {
    let token = seen.map_or(1, |seen| seen.token + 1);
    let changed = match seen {
        None => tx.exec(
            "INSERT INTO lease (jurisdiction_id, name, holder, token, beat)
             VALUES ($1, $2, $3, $4, 0)
             ON CONFLICT (jurisdiction_id, name) DO NOTHING",
            params![jurisdiction.0, name, holder, token],
        )?,
        Some(seen) => tx.exec(
            "UPDATE lease
             SET holder = $3, token = $4, beat = 0
             WHERE jurisdiction_id = $1 AND name = $2 AND token = $5 AND beat = $6",
            params![jurisdiction.0, name, holder, token, seen.token, seen.beat],
        )?,
    };
    Ok((changed == 1).then_some(Held {
        jurisdiction,
        name,
        token,
    }))
}

/// What a transaction for a duty begins with: shows that the holder lives, and keeps the duty from being taken over before
/// the transaction ends. Fails with [`Error::Fenced`] when it was taken over before.
pub fn hold(tx: &mut Tx<'_>, held: &Held) -> Result<()> {
    tx.queue_one(
        "UPDATE lease
         SET beat = beat + 1
         WHERE jurisdiction_id = $1 AND name = $2 AND token = $3",
        params![held.jurisdiction.0, held.name, held.token],
        Error::Fenced { name: held.name },
    )
}

/// [`hold`], and notes that the duty was done.
pub fn finish(tx: &mut Tx<'_>, held: &Held, now: Timestamp) -> Result<()> {
    tx.queue_one(
        "UPDATE lease
         SET beat = beat + 1, done_at = $4
         WHERE jurisdiction_id = $1 AND name = $2 AND token = $3",
        params![held.jurisdiction.0, held.name, held.token, now],
        Error::Fenced { name: held.name },
    )
}

/// Gives a duty up, so that another process need not wait for it. One that was taken over stays where it is.
pub fn give_up(tx: &mut Tx<'_>, held: &Held) -> Result<()> {
    tx.queue(
        "UPDATE lease
         SET holder = '', token = token + 1
         WHERE jurisdiction_id = $1 AND name = $2 AND token = $3",
        params![held.jurisdiction.0, held.name, held.token],
    )
}
