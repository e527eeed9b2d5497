//! Views of the queue that staff keep: a filter under a name, of one account, or shared with a post.

use jiff::Timestamp;
use whistle_domain::words::{JurisdictionId, PostCode};

use crate::{Conn, Tx, error::Result, params};

/// A view that an account may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its number.
    pub id: i64,
    /// The account that keeps it.
    pub account: i64,
    /// The post whose holders have it too.
    pub post: Option<PostCode>,
    /// What it is called.
    pub name: String,
    /// The filter, as it stands in an address.
    pub query: String,
    /// Whether the account that asks begins with it.
    pub is_first: bool,
}

/// Two halves, each along its own index: SQLite takes none for an OR.
const OF: &str = "SELECT v.view_id, v.account_id, v.post_code, v.name, v.query, a.first_view
         FROM saved_view AS v
         JOIN account AS a ON a.jurisdiction_id = v.jurisdiction_id AND a.account_id = $2
         WHERE v.jurisdiction_id = $1 AND v.account_id = $2
         UNION
         SELECT v.view_id, v.account_id, v.post_code, v.name, v.query, a.first_view
         FROM saved_view AS v
         JOIN account AS a ON a.jurisdiction_id = v.jurisdiction_id AND a.account_id = $2
         WHERE v.jurisdiction_id = $1 AND v.post_code = $3
         ORDER BY 4, 1
         LIMIT $4";

/// The views of an account and those shared with a post, by name.
pub fn of(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    account: i64,
    post: &PostCode,
    most: usize,
) -> Result<Vec<View>> {
    conn.rows(
        OF,
        params![jurisdiction.0, account, post.as_str(), most as i64],
        |row| {
            let post = row.text_opt(2)?;
            let post = post.map(|post| post.parse().map_err(|e| row.wrong(2, "a post", e)));
            let id = row.int(0)?;
            Ok(View {
                id,
                account: row.int(1)?,
                post: post.transpose()?,
                name: row.text(3)?.to_owned(),
                query: row.text(4)?.to_owned(),
                is_first: row.int_opt(5)? == Some(id),
            })
        },
    )
}

/// Keeps a view. Answers its number.
pub fn keep(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    post: Option<&PostCode>,
    name: &str,
    query: &str,
    now: Timestamp,
) -> Result<i64> {
    let id = tx.next_id(jurisdiction.0, "saved_view")?;
    tx.queue(
        "INSERT INTO saved_view (jurisdiction_id, view_id, account_id, post_code, name, query, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            jurisdiction.0,
            id,
            account,
            post.map(PostCode::as_str),
            name,
            query,
            now
        ],
    )?;
    Ok(id)
}

/// Gives a view another name.
pub fn rename(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, view: i64, name: &str) -> Result<()> {
    tx.queue(
        "UPDATE saved_view
         SET name = $3
         WHERE jurisdiction_id = $1 AND view_id = $2",
        params![jurisdiction.0, view, name],
    )
}

/// Removes a view. Who began with it begins as everybody does.
pub fn remove(tx: &mut Tx<'_>, jurisdiction: JurisdictionId, view: i64) -> Result<()> {
    tx.queue(
        "DELETE FROM saved_view
         WHERE jurisdiction_id = $1 AND view_id = $2",
        params![jurisdiction.0, view],
    )?;
    tx.queue(
        "UPDATE account
         SET first_view = NULL
         WHERE jurisdiction_id = $1 AND first_view = $2",
        params![jurisdiction.0, view],
    )
}

/// Says with which view an account begins; none: as everybody does.
pub fn begin_with(
    tx: &mut Tx<'_>,
    jurisdiction: JurisdictionId,
    account: i64,
    view: Option<i64>,
) -> Result<()> {
    tx.queue(
        "UPDATE account
         SET first_view = $3
         WHERE jurisdiction_id = $1 AND account_id = $2",
        params![jurisdiction.0, account, view],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    #[test]
    fn the_views_of_an_account_and_its_post_are_found_by_indexes() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let steps: Result<Vec<String>> = store.read_blocking(|conn| {
            conn.rows(
                &format!("EXPLAIN QUERY PLAN {OF}"),
                params![1_i64, 1_i64, "P", 9_i64],
                |row| Ok(row.text(3)?.to_owned()),
            )
        });
        let plan = steps.unwrap().join("; ");
        assert!(plan.contains("saved_view_by_account"), "{plan}");
        assert!(plan.contains("saved_view_by_post"), "{plan}");
        assert!(!plan.contains("SCAN"), "a full scan: {plan}");
    }
}
