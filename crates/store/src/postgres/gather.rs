//! Rows that are put with the same statement, sent as one statement of many rows: the server's work for a statement
//! is several times that for a row.

use std::fmt::Write as _;

use super::{Connection, Owned, Queued};
use crate::error::Result;
use crate::tables::TABLES;

/// Rows of one statement at most. A power of two: statements are prepared for powers of two only, so that there are few.
const ROWS_AT_MOST: usize = 64;

/// Rows that were put with one text, in their order.
struct Rows {
    sql: Box<str>,
    rows: Vec<Vec<Owned>>,
}

/// The same queue in fewer statements. What is put keeps its place among what is not; among itself it is put in the order
/// of `tables`, where what a row refers to comes before it.
pub(super) fn gather(connection: &Connection, queue: Vec<Queued>) -> Result<Vec<Queued>> {
    let mut gathered = Vec::with_capacity(queue.len());
    let mut puts: Vec<Rows> = Vec::new();
    for queued in queue {
        match queued {
            Queued::Put { sql, params } => match puts.iter_mut().find(|rows| rows.sql == sql) {
                Some(known) => known.rows.push(params),
                None => puts.push(Rows {
                    sql,
                    rows: vec![params],
                }),
            },
            other => {
                join(connection, &mut puts, &mut gathered)?;
                gathered.push(other);
            }
        }
    }
    join(connection, &mut puts, &mut gathered)?;
    Ok(gathered)
}

fn join(connection: &Connection, puts: &mut Vec<Rows>, to: &mut Vec<Queued>) -> Result<()> {
    puts.sort_by_key(|rows| place(&rows.sql));
    for Rows { sql, rows } in puts.drain(..) {
        let mut left = rows.len();
        let mut rows = rows.into_iter();
        while left > 0 {
            let count = ROWS_AT_MOST.min(1 << left.ilog2());
            left -= count;
            let params: Vec<Owned> = rows.by_ref().take(count).flatten().collect();
            let sql: Box<str> = of_rows(&sql, count, params.len() / count).into();
            let borrowed: Vec<_> = params.iter().map(Owned::borrowed).collect();
            let statement = connection.statement(&sql, &borrowed)?;
            to.push(Queued::Statement {
                sql,
                statement,
                params,
                must_change_one: None,
            });
        }
    }
    Ok(())
}

/// Where the table of an `INSERT INTO table …` stands in the list of all.
fn place(sql: &str) -> Option<usize> {
    let name = sql.split_whitespace().nth(2)?;
    TABLES.iter().position(|table| table.name == name)
}

/// `INSERT … VALUES ($1, $2) …` for so many rows of so many parameters.
fn of_rows(sql: &str, rows: usize, width: usize) -> String {
    const VALUES: &str = "VALUES (";
    let start = sql.find(VALUES).expect("what is put is an INSERT of VALUES") + VALUES.len();
    let end = start + sql[start..].find(')').expect("its values end");
    let mut text = String::with_capacity(sql.len() + rows * width * 6);
    text.push_str(&sql[..start]);
    for row in 0..rows {
        if row > 0 {
            text.push_str("), (");
        }
        for place in 1..=width {
            let separator = if place == 1 { "" } else { ", " };
            let _ = write!(text, "{separator}${}", row * width + place);
        }
    }
    text.push_str(&sql[end..]);
    text
}

#[cfg(test)]
mod tests {
    use super::of_rows;

    #[test]
    fn a_statement_of_many_rows_numbers_its_parameters_through() {
        let one =
            "INSERT INTO t (a, b)\n VALUES ($1,\n $2)\n ON CONFLICT (a) DO UPDATE SET b = t.b + excluded.b";
        assert_eq!(
            of_rows(one, 3, 2),
            "INSERT INTO t (a, b)\n VALUES ($1, $2), ($3, $4), ($5, $6)\n ON CONFLICT (a) DO UPDATE SET b = t.b + excluded.b"
        );
    }
}
