//! Briefings that were issued. Never changed and never removed: what was told can be looked up.

use jiff::{Timestamp, civil::Date};
use whistle_domain::words::JurisdictionId;

use crate::{Conn, Tx, error::Result, params, value::Row};

/// What is told of an issue in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// Its number in the jurisdiction, from 1.
    pub id: i64,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// `zh` or `en`.
    pub language: String,
    /// The hash of the template.
    pub template_hash: String,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The post that issued it; empty where an operator did.
    pub post: String,
    /// Whether anybody may read it.
    pub public: bool,
    /// The hash of the document.
    pub hash: String,
}

/// A briefing that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// `zh` or `en`.
    pub language: String,
    /// The hash of the template.
    pub template_hash: String,
    /// The post that issues it; empty where an operator does.
    pub post: String,
    /// Whether anybody may read it.
    pub public: bool,
    /// The document as JSON.
    pub document: String,
    /// The hash of the document.
    pub hash: String,
}

/// Keeps a briefing, and gives it its number.
pub fn keep(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, draft: &Draft, now: Timestamp) -> Result<i64> {
    // One after the other, not in blocks of a process: issues are quoted by their number, and a gap would ask where one is.
    let id = tx.row(
        "INSERT INTO sequence (jurisdiction_id, name, next)
         VALUES ($1, 'briefing', 2)
         ON CONFLICT (jurisdiction_id, name)
         DO UPDATE SET next = sequence.next + 1
         RETURNING next - 1",
        params![jurisdiction.0],
        |row| row.int(0),
    )?;
    tx.exec(
        "INSERT INTO briefing (jurisdiction_id, briefing_id, period_from, period_to, language, template_hash,
                               issued_at, post_code, public, document, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        params![
            jurisdiction.0,
            id,
            draft.from.to_string(),
            draft.to.to_string(),
            draft.language,
            draft.template_hash,
            now,
            draft.post,
            draft.public,
            draft.document,
            draft.hash
        ],
    )?;
    Ok(id)
}

/// The issues with a number below `before`, the newest first; those that anybody may read, or all.
pub fn list(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    all: bool,
    before: i64,
    limit: usize,
) -> Result<Vec<Issue>> {
    conn.rows(
        "SELECT briefing_id, period_from, period_to, language, template_hash, issued_at, post_code, public, hash
         FROM briefing
         WHERE jurisdiction_id = $1 AND briefing_id < $2 AND (public OR $3)
         ORDER BY briefing_id DESC
         LIMIT $4",
        params![jurisdiction.0, before, all, limit as i64],
        issue,
    )
}

/// One issue and its document.
pub fn one(conn: &Conn, jurisdiction: JurisdictionId, id: i64) -> Result<Option<(Issue, String)>> {
    conn.row_optional(
        "SELECT briefing_id, period_from, period_to, language, template_hash, issued_at, post_code, public, hash, document
         FROM briefing
         WHERE jurisdiction_id = $1 AND briefing_id = $2",
        params![jurisdiction.0, id],
        |row| Ok((issue(row)?, row.text(9)?.to_owned())),
    )
}

fn issue(row: &Row<'_>) -> Result<Issue> {
    let day = |column| -> Result<Date> {
        let text = row.text(column)?;
        text.parse().map_err(|_| row.wrong(column, "a day", text))
    };
    Ok(Issue {
        id: row.int(0)?,
        from: day(1)?,
        to: day(2)?,
        language: row.text(3)?.to_owned(),
        template_hash: row.text(4)?.to_owned(),
        issued_at: row.time(5)?,
        post: row.text(6)?.to_owned(),
        public: row.bool(7)?,
        hash: row.text(8)?.to_owned(),
    })
}
