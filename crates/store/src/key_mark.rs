//! The mark that a secret key leaves in the database it is used with, so that no process works there with another one. It tells
//! nothing of the key.

use crate::{Conn, Tx, case::Hash, error::Result, params};

/// The mark; none before the first place is in force.
pub fn find(conn: &Conn) -> Result<Option<Hash>> {
    conn.row_optional(
        "SELECT mark
         FROM key_mark",
        params![],
        |row| crate::case::hash_at(row, 0),
    )
}

/// Leaves a mark where there is none. Answers the one that stands: where two processes begin at once, that of the first.
pub fn leave(tx: &mut Tx<'_>, mark: &Hash) -> Result<Hash> {
    tx.exec(
        "INSERT INTO key_mark (key_mark_id, mark)
         VALUES (1, $1)
         ON CONFLICT (key_mark_id)
         DO NOTHING",
        params![*mark],
    )?;
    Ok(find(tx)?.unwrap_or(*mark))
}

/// Leaves a mark in place of the one that stands.
pub fn replace(tx: &mut Tx<'_>, mark: &Hash) -> Result<()> {
    tx.exec(
        "INSERT INTO key_mark (key_mark_id, mark)
         VALUES (1, $1)
         ON CONFLICT (key_mark_id)
         DO UPDATE SET mark = excluded.mark",
        params![*mark],
    )?;
    Ok(())
}
