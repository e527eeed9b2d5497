//! Lists of cases: a filter, an order that an index follows, pages by key. A test holds every hot list to its index.

use std::{borrow::Cow, cmp::Ordering, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use whistle_domain::{
    case::Case,
    place::Level,
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn,
    case::{self, fold},
    error::Result,
    open_cases::{self, OpenCases},
};

/// The most cases of one page of a list.
pub const MAX_PAGE: usize = 1000;

/// In which order a list runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Reported last comes first.
    #[default]
    Newest,
    /// Changed first comes first; for those who follow the changes.
    Updated,
    /// Due first comes first; open cases only.
    Due,
}

impl Order {
    /// How two places in a list stand to each other.
    pub(crate) fn compare(self, one: &After, other: &After) -> Ordering {
        let ascending = (one.key, one.number).cmp(&(other.key, other.number));
        match self {
            Self::Newest => ascending.reverse(),
            Self::Updated | Self::Due => ascending,
        }
    }
}

/// Where a page begins: after this key in the list's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The value of the order's time, microseconds since 1970.
    pub key: i64,
    /// The case number at that time.
    pub number: i64,
}

/// Which cases a list shows. Every condition that is set must hold.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Open ones, or closed ones.
    pub open: Option<bool>,
    /// Public ones only.
    pub public: bool,
    /// One of these stages.
    pub stages: Vec<&'static str>,
    /// One of these services.
    pub services: Vec<String>,
    /// In this area: its level and code.
    pub area: Option<(Level, String)>,
    /// Led by this unit.
    pub lead: Option<String>,
    /// In one of these areas or led by this unit: what an actor may see.
    pub sight: Option<Sight>,
    /// Reported in this time; microseconds.
    pub reported: Option<RangeInclusive<i64>>,
    /// Changed in this time; microseconds.
    pub updated: Option<RangeInclusive<i64>>,
    /// Due before this time; microseconds.
    pub due_before: Option<i64>,
    /// With a Z-order key in one of these ranges.
    pub spots: Option<Vec<RangeInclusive<i64>>>,
}

/// What an actor may see: an area, and the cases of a unit wherever they are.
#[derive(Debug, Clone)]
pub struct Sight {
    /// The level and code of the area; none sees no area.
    pub area: Option<(Level, String)>,
    /// The unit.
    pub lead: Option<String>,
}

fn area_column(level: Level) -> &'static str {
    match level {
        Level::City => "city_code",
        Level::Town => "town_code",
        Level::Community => "community_code",
        Level::Cell => "cell_code",
    }
}

/// A statement in the making: conditions with their parameters.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Owned>,
}

enum Owned {
    Int(i64),
    Text(String),
}

impl crate::ToValue for Owned {
    fn to_value(&self) -> crate::Value<'_> {
        match self {
            Self::Int(n) => crate::Value::Int(*n),
            Self::Text(text) => crate::Value::Text(text),
        }
    }
}

impl Conditions {
    /// The placeholder of one more parameter.
    fn hold(&mut self, value: Owned) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(if self.sql.is_empty() {
            "WHERE "
        } else {
            "\n           AND "
        });
        self.sql.push_str(condition);
    }

    fn one_of(&mut self, column: &str, values: impl Iterator<Item = String>) {
        let places: Vec<String> = values.map(|v| self.hold(Owned::Text(v))).collect();
        if !places.is_empty() {
            self.and(&format!("{column} IN ({})", places.join(", ")));
        }
    }

    fn within(&mut self, column: &str, range: &RangeInclusive<i64>) {
        let from = self.hold(Owned::Int(*range.start()));
        let to = self.hold(Owned::Int(*range.end()));
        self.and(&format!("{column} BETWEEN {from} AND {to}"));
    }

    fn of(jurisdiction: JurisdictionId, filter: &Filter) -> Self {
        let mut all = Self::default();
        let place = all.hold(Owned::Int(jurisdiction.0));
        all.and(&format!("jurisdiction_id = {place}"));
        match filter.open {
            // Written out, so that the partial indexes of open cases can be used.
            Some(true) => all.and("is_open = 1"),
            Some(false) => all.and("is_open = 0"),
            None => {}
        }
        if filter.public {
            all.and("is_public = 1");
        }
        all.one_of("stage", filter.stages.iter().map(|s| (*s).to_owned()));
        all.one_of("service_code", filter.services.iter().cloned());
        if let Some((level, code)) = &filter.area {
            let place = all.hold(Owned::Text(code.clone()));
            all.and(&format!("{} = {place}", area_column(*level)));
        }
        if let Some(lead) = &filter.lead {
            let place = all.hold(Owned::Text(lead.clone()));
            all.and(&format!("lead_code = {place}"));
        }
        if let Some(sight) = &filter.sight {
            let mut either = Vec::new();
            if let Some((level, code)) = &sight.area {
                let place = all.hold(Owned::Text(code.clone()));
                either.push(format!("{} = {place}", area_column(*level)));
            }
            if let Some(lead) = &sight.lead {
                let place = all.hold(Owned::Text(lead.clone()));
                either.push(format!("lead_code = {place}"));
            }
            all.and(&if either.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("({})", either.join(" OR "))
            });
        }
        if let Some(range) = &filter.reported {
            all.within("reported_at", range);
        }
        if let Some(range) = &filter.updated {
            all.within("updated_at", range);
        }
        if let Some(before) = filter.due_before {
            let place = all.hold(Owned::Int(before));
            all.and(&format!("due_at < {place}"));
        }
        if let Some(spots) = &filter.spots {
            let either: Vec<String> = spots
                .iter()
                .map(|range| {
                    let from = all.hold(Owned::Int(*range.start()));
                    let to = all.hold(Owned::Int(*range.end()));
                    format!("spot BETWEEN {from} AND {to}")
                })
                .collect();
            all.and(&if either.is_empty() {
                "1 = 0".to_owned()
            } else {
                format!("({})", either.join(" OR "))
            });
        }
        all
    }
}

/// One page of cases, and where the next one begins; none at the end. `skip` rows are passed over in the index, without
/// being read; who can should page by `after` instead.
pub fn list(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    skip: usize,
    limit: usize,
) -> Result<(Vec<Case>, Option<After>)> {
    let limit = limit.clamp(1, MAX_PAGE);
    // One more than the page holds, to know whether more follow.
    let most = limit + 1;
    let mut rows = match (conn.open_cases(), filter.open) {
        (Some(open), Some(true)) => open_ones(conn, open, jurisdiction, filter, order, after, skip, most)?,
        // Found by place: the index has the closed ones, the table in memory has the open ones.
        (Some(open), None) if filter.spots.is_some() => {
            let closed = Filter {
                open: Some(false),
                ..filter.clone()
            };
            let mut rows = stored(conn, jurisdiction, &closed, order, after, 0, skip + most)?;
            rows.extend(open_ones(
                conn,
                open,
                jurisdiction,
                filter,
                order,
                after,
                0,
                skip + most,
            )?);
            rows.sort_by(|(one, _), (other, _)| order.compare(one, other));
            rows.into_iter().skip(skip).take(most).collect()
        }
        _ => stored(conn, jurisdiction, filter, order, after, skip, most)?,
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = if more {
        rows.last().map(|(key, _)| *key)
    } else {
        None
    };
    Ok((rows.into_iter().map(|(_, case)| case).collect(), next))
}

/// Rows of a list by its statement.
fn stored(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    skip: usize,
    most: usize,
) -> Result<Vec<(After, Case)>> {
    let (sql, values) = page_statement(jurisdiction, filter, order, after, skip, most);
    let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
    conn.rows(&sql, &values, |row| {
        let key = After {
            key: row.int(0)?,
            number: row.int(1)?,
        };
        Ok((key, fold(row, 2)?))
    })
}

/// Open cases of a list by the table in memory. A case that has changed since the table was asked is held against the
/// filter again; where one no longer fits, the next ones move up.
#[expect(clippy::too_many_arguments, reason = "those of `list`")]
fn open_ones(
    conn: &Conn,
    open: &OpenCases,
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    mut skip: usize,
    most: usize,
) -> Result<Vec<(After, Case)>> {
    let (mut after, mut found) = (after, Vec::with_capacity(most));
    loop {
        let keys = open.first(jurisdiction, filter, order, after, skip + most - found.len());
        let (keys, is_last) = (
            &keys[skip.min(keys.len())..],
            keys.len() < skip + most - found.len(),
        );
        skip = 0;
        let numbers: Vec<CaseNumber> = keys.iter().map(|key| CaseNumber(key.number)).collect();
        let mut cases = case::some(conn, jurisdiction, &numbers)?;
        for key in keys {
            if let Some(case) = cases.remove(&CaseNumber(key.number))
                && open_cases::fits(&case, filter)
            {
                found.push((*key, case));
            }
        }
        after = keys.last().copied();
        if is_last || found.len() >= most {
            return Ok(found);
        }
    }
}

/// The statement of a page and its parameters.
fn page_statement(
    jurisdiction: JurisdictionId,
    filter: &Filter,
    order: Order,
    after: Option<After>,
    skip: usize,
    most: usize,
) -> (String, Vec<Owned>) {
    let mut conditions = Conditions::of(jurisdiction, filter);
    let (column, direction) = match order {
        Order::Newest => ("reported_at", "DESC"),
        Order::Updated => ("updated_at", "ASC"),
        Order::Due => ("due_at", "ASC"),
    };
    if let Some(after) = after {
        let key = conditions.hold(Owned::Int(after.key));
        let number = conditions.hold(Owned::Int(after.number));
        let sign = if direction == "DESC" { "<" } else { ">" };
        conditions.and(&format!("({column}, number) {sign} ({key}, {number})"));
    }
    let most = conditions.hold(Owned::Int(most as i64));
    let skip = conditions.hold(Owned::Int(skip as i64));
    let sql = format!(
        "SELECT {column}, number, fold
         FROM cases
         {}
         ORDER BY {column} {direction}, number {direction}
         LIMIT {most} OFFSET {skip}",
        conditions.sql
    );
    (sql, conditions.values)
}

/// How many cases a filter finds, counted up to `most` only.
pub fn count_up_to(conn: &Conn, jurisdiction: JurisdictionId, filter: &Filter, most: usize) -> Result<usize> {
    let (open, filter) = match (conn.open_cases(), filter.open) {
        (Some(open), Some(true)) => return Ok(open.count(jurisdiction, filter).min(most)),
        (Some(open), None) if filter.spots.is_some() => {
            let closed = Filter {
                open: Some(false),
                ..filter.clone()
            };
            (open.count(jurisdiction, filter), Cow::Owned(closed))
        }
        _ => (0, Cow::Borrowed(filter)),
    };
    let mut conditions = Conditions::of(jurisdiction, &filter);
    let limit = conditions.hold(Owned::Int(most as i64));
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM cases {} LIMIT {limit}) AS found",
        conditions.sql
    );
    let values: Vec<_> = conditions.values.iter().map(crate::ToValue::to_value).collect();
    let stored = conn.row(&sql, &values, |row| Ok(row.int(0)? as usize))?;
    Ok((open + stored).min(most))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::Store;

    /// How SQLite would run the page of a list.
    fn plan(filter: &Filter, order: Order) -> String {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let after = Some(After { key: 1, number: 1 });
        let (sql, values) = page_statement(JurisdictionId(1), filter, order, after, 0, 50);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        let steps = store.read_blocking(|conn| {
            conn.rows(&format!("EXPLAIN QUERY PLAN {sql}"), &values, |row| {
                Ok(row.text(3)?.to_owned())
            })
        });
        steps.unwrap().join("; ")
    }

    fn runs_along(filter: &Filter, order: Order, index: &str) {
        let plan = plan(filter, order);
        assert!(plan.contains(&format!("USING INDEX {index}")), "{plan}");
        assert!(!plan.contains("SCAN"), "a full scan: {plan}");
        assert!(!plan.contains("TEMP B-TREE"), "a sort of everything: {plan}");
    }

    #[test]
    fn the_public_list_runs_along_the_time_of_the_report() {
        let public = Filter {
            public: true,
            ..Filter::default()
        };
        runs_along(&public, Order::Newest, "cases_by_report");
        let window = Filter {
            reported: Some(1..=9),
            open: Some(true),
            ..public
        };
        runs_along(&window, Order::Newest, "cases_by_report");
    }

    #[test]
    fn followers_run_along_the_time_of_the_change() {
        let changed = Filter {
            public: true,
            updated: Some(5..=i64::MAX),
            ..Filter::default()
        };
        runs_along(&changed, Order::Updated, "cases_by_update");
    }

    #[test]
    fn a_box_on_the_map_is_found_by_its_spots() {
        let spots = Filter {
            spots: Some(vec![1..=2, 5..=9]),
            open: Some(false),
            ..Filter::default()
        };
        let plan = plan(&spots, Order::Newest);
        assert!(
            plan.contains("cases_by_spot") || plan.contains("cases_by_report"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN cases"), "{plan}");
    }
}
