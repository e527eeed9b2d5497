//! Lists of cases: a filter, an order that an index follows, pages by key. A test holds every hot list to its index.

use std::{borrow::Cow, cmp::Ordering, ops::RangeInclusive};

use serde::{Deserialize, Serialize};
use whistle_domain::{
    case::Case,
    place::Level,
    rights::Unclassed,
    words::{CaseNumber, JurisdictionId},
};

use crate::{
    Conn,
    case::{self, fold},
    error::Result,
    open_cases::{self, OpenCases},
    value::Owned,
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
    /// With a part of this unit in it, while another leads.
    pub part: Option<String>,
    /// Told of so high up or higher; see `Tier::rank`.
    pub escalated: Option<i64>,
    /// What an actor may see.
    pub sight: Option<Sight>,
    /// And what another post may see, where only that is asked for.
    pub seen_by: Option<Sight>,
    /// Those that wait until a date, or those that do not.
    pub parked: Option<bool>,
    /// Reported in this time; microseconds.
    pub reported: Option<RangeInclusive<i64>>,
    /// Changed in this time; microseconds.
    pub updated: Option<RangeInclusive<i64>>,
    /// Due before this time; microseconds.
    pub due_before: Option<i64>,
    /// With a Z-order key in one of these ranges.
    pub spots: Option<Vec<RangeInclusive<i64>>>,
}

/// What an actor may see, in the words of the columns: an area, and the cases that a unit leads or has a part in, wherever
/// they are; of these, what its post is for. It is `whistle_domain::rights::Sight`, and says the same of every case.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// Whether every area is seen.
    pub everywhere: bool,
    /// The level and code of the area; none sees no area.
    pub area: Option<(Level, String)>,
    /// Of the cases of the area, those that one of these units leads or has a part in; none: all.
    pub units: Option<Vec<String>>,
    /// The unit.
    pub unit: Option<String>,
    /// Cases of these services; none: of all.
    pub services: Option<Vec<String>>,
    /// Which cases without a class of access.
    pub unclassed: Unclassed,
    /// Cases of these classes of access.
    pub classes: Vec<String>,
    /// Also every case that the public sees.
    pub or_public: bool,
}

fn area_column(level: Level) -> &'static str {
    match level {
        Level::City => "city_code",
        Level::Town => "town_code",
        Level::Community => "community_code",
        Level::Cell => "cell_code",
    }
}

/// The condition that one of the units of some parameters has a part. The first parameter of every list is the jurisdiction.
fn with_part_of(places: &str) -> String {
    format!("number IN (SELECT number FROM case_unit WHERE jurisdiction_id = $1 AND unit_code IN ({places}))")
}

/// The condition that no case fulfils.
const NEVER: &str = "1 = 0";

/// A statement in the making: conditions with their parameters.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Owned>,
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
        let places: Vec<String> = values.map(|v| self.hold(Owned::Text(v.into()))).collect();
        if !places.is_empty() {
            self.and(&format!("{column} IN ({})", places.join(", ")));
        }
    }

    fn within(&mut self, column: &str, range: &RangeInclusive<i64>) {
        let from = self.hold(Owned::Int(*range.start()));
        let to = self.hold(Owned::Int(*range.end()));
        self.and(&format!("{column} BETWEEN {from} AND {to}"));
    }

    /// The placeholders of some codes, for `IN (…)`.
    fn hold_all(&mut self, codes: &[String]) -> String {
        let places: Vec<String> = codes
            .iter()
            .map(|code| self.hold(Owned::Text(code.as_str().into())))
            .collect();
        places.join(", ")
    }

    /// The condition that one of some units leads or has a part.
    fn concerns(&mut self, units: &[String]) -> String {
        if units.is_empty() {
            return NEVER.to_owned();
        }
        let places = self.hold_all(units);
        format!("(lead_code IN ({places}) OR {})", with_part_of(&places))
    }

    /// The conditions of what an actor may see. What holds for most posts (no class of access) is written out, so that
    /// it is not taken for a reason to look elsewhere.
    fn seen(&mut self, sight: &Sight) {
        let mut among = Vec::new();
        let area = match &sight.area {
            _ if sight.everywhere => Some("1 = 1".to_owned()),
            Some((level, code)) => {
                let place = self.hold(Owned::Text(code.as_str().into()));
                Some(format!("{} = {place}", area_column(*level)))
            }
            None => None,
        };
        match (area, &sight.units) {
            (Some(area), Some(units)) => {
                let with = self.concerns(units);
                among.push(format!("({area} AND {with})"));
            }
            (Some(area), None) => among.push(area),
            (None, _) => {}
        }
        if let Some(unit) = &sight.unit
            && !(sight.everywhere && sight.units.is_none())
        {
            let with = self.concerns(std::slice::from_ref(unit));
            among.push(with);
        }
        let mut all = vec![match among.as_slice() {
            [] => NEVER.to_owned(),
            [one] => one.clone(),
            several => format!("({})", several.join(" OR ")),
        }];
        match sight.services.as_deref() {
            None => {}
            Some([]) => all.push(NEVER.to_owned()),
            Some(services) => {
                let places = self.hold_all(services);
                all.push(format!("service_code IN ({places})"));
            }
        }
        let mut cleared = Vec::new();
        match sight.unclassed {
            Unclassed::All => cleared.push("access_code = ''".to_owned()),
            Unclassed::Public => cleared.push("access_code = '' AND is_public = 1".to_owned()),
            Unclassed::Nothing => {}
        }
        if !sight.classes.is_empty() {
            let places = self.hold_all(&sight.classes);
            // Written so that the partial index of these cases can be used.
            cleared.push(format!("access_code <> '' AND access_code IN ({places})"));
        }
        all.push(match cleared.as_slice() {
            [] => NEVER.to_owned(),
            [one] => one.clone(),
            several => format!("({})", several.join(" OR ")),
        });
        let seen = all.join("\n           AND ");
        self.and(&if sight.or_public {
            format!("(is_public = 1 OR ({seen}))")
        } else {
            seen
        });
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
            let place = all.hold(Owned::Text(code.as_str().into()));
            all.and(&format!("{} = {place}", area_column(*level)));
        }
        if let Some(lead) = &filter.lead {
            let place = all.hold(Owned::Text(lead.as_str().into()));
            all.and(&format!("lead_code = {place}"));
        }
        if let Some(unit) = &filter.part {
            let place = all.hold(Owned::Text(unit.as_str().into()));
            all.and(&with_part_of(&place));
        }
        if let Some(rank) = filter.escalated {
            // The bound that always holds is written out, so that the partial indexes can be used.
            let place = all.hold(Owned::Int(rank));
            all.and(&format!("escalated > 0 AND escalated >= {place}"));
        }
        for sight in filter.sight.iter().chain(&filter.seen_by) {
            all.seen(sight);
        }
        match filter.parked {
            Some(true) => all.and("parked_until IS NOT NULL"),
            Some(false) => all.and("parked_until IS NULL"),
            None => {}
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

/// A list that is about to be read, in pages.
///
/// Begin it before the first statement of its state: what memory knows of open cases must not be newer than the rows. A
/// case that is closed in between is then among both, and the rows decide; the other way round it would be among
/// none. A case opened again in between is not in a box on the map before the next look.
pub struct List<'c> {
    conn: &'c Conn,
    jurisdiction: JurisdictionId,
    filter: Filter,
    order: Order,
    found_by: FoundBy<'c>,
}

/// Where the cases of a list are found.
enum FoundBy<'c> {
    /// By indexes alone.
    Rows,
    /// All of them are open: in memory.
    Memory(&'c OpenCases),
    /// By place: the index has the closed ones, memory had these open ones, in no order.
    Both { open: Vec<After>, closed: Box<Filter> },
}

impl<'c> List<'c> {
    /// Looks into memory, and asks nothing yet.
    pub fn begin(conn: &'c Conn, jurisdiction: JurisdictionId, filter: Filter, order: Order) -> Self {
        let found_by = match (conn.open_cases(), filter.open) {
            (Some(open), Some(true)) => FoundBy::Memory(open),
            (Some(open), None) if filter.spots.is_some() => FoundBy::Both {
                open: open.all(jurisdiction, &filter, order),
                closed: Box::new(Filter {
                    open: Some(false),
                    ..filter.clone()
                }),
            },
            _ => FoundBy::Rows,
        };
        Self {
            conn,
            jurisdiction,
            filter,
            order,
            found_by,
        }
    }

    /// The same list without its box on the map: one that holds most cases is found faster in the order of the list.
    #[must_use]
    pub fn everywhere(self) -> Self {
        let filter = Filter {
            spots: None,
            ..self.filter
        };
        Self::begin(self.conn, self.jurisdiction, filter, self.order)
    }

    /// One page of cases, and where the next one begins; none at the end. `skip` rows are passed over in the index,
    /// without being read; who can should page by `after` instead.
    pub fn page(
        &self,
        after: Option<After>,
        skip: usize,
        limit: usize,
    ) -> Result<(Vec<Case>, Option<After>)> {
        let limit = limit.clamp(1, MAX_PAGE);
        // One more than the page holds, to know whether more follow.
        let most = limit + 1;
        let mut rows = match &self.found_by {
            FoundBy::Rows => self.stored(&self.filter, after, skip, most)?,
            FoundBy::Memory(open) => self.open_ones(after, skip, most, |after, most| {
                open.first(self.jurisdiction, &self.filter, self.order, after, most)
            })?,
            FoundBy::Both { open, closed } => {
                let mut rows = self.stored(closed, after, 0, skip + most)?;
                rows.extend(self.open_ones(after, 0, skip + most, |after, most| {
                    open_cases::first(open.iter().copied(), self.order, after, most)
                })?);
                rows.sort_by(|(one, _), (other, _)| self.order.compare(one, other));
                rows.into_iter().skip(skip).take(most).collect()
            }
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

    /// How many cases there are, counted up to `most` only. One that is closed just now may be counted twice.
    pub fn count_up_to(&self, most: usize) -> Result<usize> {
        let (open, filter) = match &self.found_by {
            FoundBy::Rows => (0, &self.filter),
            FoundBy::Memory(open) => return Ok(open.count(self.jurisdiction, &self.filter).min(most)),
            FoundBy::Both { open, closed } => (open.len(), &**closed),
        };
        let mut conditions = Conditions::of(self.jurisdiction, filter);
        let limit = conditions.hold(Owned::Int(most as i64));
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM cases {} LIMIT {limit}) AS found",
            conditions.sql
        );
        let values: Vec<_> = conditions.values.iter().map(crate::ToValue::to_value).collect();
        let stored = self.conn.row(&sql, &values, |row| Ok(row.int(0)? as usize))?;
        Ok((open + stored).min(most))
    }

    /// Rows by their statement.
    fn stored(
        &self,
        filter: &Filter,
        after: Option<After>,
        skip: usize,
        most: usize,
    ) -> Result<Vec<(After, Case)>> {
        let (sql, values) = page_statement(self.jurisdiction, filter, self.order, after, skip, most);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        self.conn.rows(&sql, &values, |row| {
            let key = After {
                key: row.int(0)?,
                number: row.int(1)?,
            };
            Ok((key, fold(row, 2)?))
        })
    }

    /// Open cases by their keys from memory, of which `first` gives so many after one. A case that has changed since is held
    /// against the filter again; where one no longer fits, the next ones move up.
    fn open_ones(
        &self,
        mut after: Option<After>,
        mut skip: usize,
        most: usize,
        first: impl Fn(Option<After>, usize) -> Vec<After>,
    ) -> Result<Vec<(After, Case)>> {
        let mut found = Vec::with_capacity(most);
        loop {
            let wanted = skip + most - found.len();
            let keys = first(after, wanted);
            let (keys, is_last) = (&keys[skip.min(keys.len())..], keys.len() < wanted);
            skip = 0;
            let numbers: Vec<CaseNumber> = keys.iter().map(|key| CaseNumber(key.number)).collect();
            let mut cases = case::some(self.conn, self.jurisdiction, &numbers)?;
            for key in keys {
                if let Some(case) = cases.remove(&CaseNumber(key.number))
                    && open_cases::fits(&case, &self.filter)
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
}

/// The filter of a list that goes on after a key. Where the filter has a range of the list's own time, the range ends
/// (or begins) at the key: of two bounds SQLite takes the first for its search, and would walk from there to the page.
fn begun(filter: &Filter, order: Order, after: Option<After>) -> Cow<'_, Filter> {
    let mut begun = Cow::Borrowed(filter);
    if let Some(After { key, .. }) = after {
        match (order, &filter.reported, &filter.updated) {
            (Order::Newest, Some(range), _) => {
                begun.to_mut().reported = Some(*range.start()..=key.min(*range.end()));
            }
            (Order::Updated, _, Some(range)) => {
                begun.to_mut().updated = Some(key.max(*range.start())..=*range.end());
            }
            _ => {}
        }
    }
    begun
}

/// Those of some cases that a filter lets through, in no order.
pub(crate) fn chosen(
    conn: &Conn,
    jurisdiction: JurisdictionId,
    filter: &Filter,
    numbers: &[i64],
) -> Result<Vec<Case>> {
    let mut cases = Vec::with_capacity(numbers.len());
    for round in numbers.chunks(CHOSEN_AT_ONCE) {
        let (sql, values) = chosen_statement(jurisdiction, filter, round);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        conn.each(&sql, &values, |row| {
            cases.push(fold(row, 0)?);
            Ok(())
        })?;
    }
    Ok(cases)
}

/// Cases of one statement: its text must be one of few, so a short round is filled up with a number none has.
const CHOSEN_AT_ONCE: usize = 50;

fn chosen_statement(jurisdiction: JurisdictionId, filter: &Filter, round: &[i64]) -> (String, Vec<Owned>) {
    let mut conditions = Conditions::of(jurisdiction, filter);
    let filled = round
        .iter()
        .copied()
        .chain(std::iter::repeat(0))
        .take(CHOSEN_AT_ONCE);
    let places: Vec<String> = filled.map(|number| conditions.hold(Owned::Int(number))).collect();
    conditions.and(&format!("number IN ({})", places.join(", ")));
    (
        format!("SELECT fold\n         FROM cases\n         {}", conditions.sql),
        conditions.values,
    )
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
    let (column, direction) = match order {
        Order::Newest => ("reported_at", "DESC"),
        Order::Updated => ("updated_at", "ASC"),
        Order::Due => ("due_at", "ASC"),
    };
    let mut conditions = Conditions::of(jurisdiction, &begun(filter, order, after));
    if let Some(after) = after {
        let key = conditions.hold(Owned::Int(after.key));
        let number = conditions.hold(Owned::Int(after.number));
        let sign = if direction == "DESC" { "<" } else { ">" };
        conditions.and(&format!("({column}, number) {sign} ({key}, {number})"));
    }
    let most = conditions.hold(Owned::Int(most as i64));
    let found = format!(
        "FROM cases
         {}
         ORDER BY {column} {direction}, number {direction}
         LIMIT {most}",
        conditions.sql
    );
    let sql = if skip == 0 {
        format!("SELECT {column}, number, fold\n         {found}")
    } else {
        // Passed over by the index alone: PostgreSQL would read each row that it skips.
        let skip = conditions.hold(Owned::Int(skip as i64));
        format!(
            "SELECT page.key, page.number, cases.fold
         FROM (
         SELECT {column} AS key, number
         {found} OFFSET {skip}) AS page
         JOIN cases ON cases.jurisdiction_id = $1 AND cases.number = page.number
         ORDER BY page.key {direction}, page.number {direction}"
        )
    };
    (sql, conditions.values)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use whistle_domain::{
        calendar::{Calendar, CalendarRules},
        case::{Actor, Body, Channel, Event, Location},
        geometry::{Point, Spot},
        place::AreaPath,
    };
    use whistle_testbed::{Bed, sql};

    use super::*;
    use crate::{
        Store, Target,
        case::{Prepared, Tell},
    };

    const PLACE: JurisdictionId = JurisdictionId(1);

    fn open(bed: &Bed) -> Store {
        Store::open(bed.target(Target::Postgres), Timestamp::UNIX_EPOCH).unwrap()
    }

    // ---- what is found while others write ---------------------------------------------------------------------------

    fn well() -> Point {
        Point::new(115.0, 38.0).unwrap()
    }

    fn reported() -> Body {
        Body::Reported {
            place_version: 1,
            service: "WAT-LEAK".parse().unwrap(),
            channel: Channel::Web,
            location: Location {
                point: Some(well()),
                address: String::new(),
                areas: AreaPath::default(),
            },
            answers: Vec::new(),
            public: true,
            photos: Vec::new(),
            split_from: None,
            access: None,
        }
    }

    /// Commits one more event of a case.
    fn happens(store: &Store, number: i64, body: Body) {
        let calendar = Calendar::new(CalendarRules::office_week("Asia/Shanghai")).unwrap();
        let number = CaseNumber(number);
        let written = store.write_blocking(move |tx| {
            let before = case::find_to_change(tx, PLACE, number)?;
            let event = Event {
                at: Timestamp::UNIX_EPOCH,
                made_at: None,
                by: Actor::Public,
                body: body.clone(),
                text: String::new(),
                salt: 0,
                clocks: Vec::new(),
                parts: Vec::new(),
            };
            Prepared::new(PLACE, number, before, vec![event], &calendar)?.write(tx, Tell::Nobody)
        });
        written.unwrap();
    }

    /// All cases around the well, open and closed.
    fn around_the_well() -> Filter {
        let spot = i64::from(Spot::of(well()));
        Filter {
            spots: Some(vec![spot - 5..=spot + 5]),
            ..Filter::default()
        }
    }

    fn numbers(list: &List<'_>) -> Vec<i64> {
        let (cases, next) = list.page(None, 0, 10).unwrap();
        assert_eq!(next, None);
        cases.iter().map(|case| case.number.0).collect()
    }

    #[test]
    fn a_case_that_is_closed_while_a_box_is_read_is_in_it_once() {
        for rows_are_older in [true, false] {
            let bed = Bed::new();
            let store = open(&bed);
            happens(&store, 1, reported());
            let seen: Result<_> = store.read_blocking(|conn| {
                let list = List::begin(conn, PLACE, around_the_well(), Order::Newest);
                if rows_are_older {
                    assert_eq!(list.count_up_to(10)?, 1);
                }
                happens(&store, 1, Body::Declined);
                Ok(numbers(&list))
            });
            assert_eq!(seen.unwrap(), [1], "rows are older: {rows_are_older}");
        }
    }

    #[test]
    fn open_cases_of_another_process_are_listed_once_it_was_looked_for_them() {
        let bed = Bed::new();
        let (store, beside) = (open(&bed), open(&bed));
        happens(&beside, 1, reported());
        happens(&store, 2, reported());
        store.keep_up().unwrap();
        let filter = Filter {
            open: Some(true),
            ..Filter::default()
        };
        let seen: Result<_> = store
            .read_blocking(|conn| Ok(numbers(&List::begin(conn, PLACE, filter.clone(), Order::Updated))));
        assert_eq!(seen.unwrap(), [1, 2]);
    }

    // ---- how lists are found ----------------------------------------------------------------------------------------

    /// A city's worth of rows, spread as real ones are; one in ten is open.
    const CITY: &str = "
        INSERT INTO cases (jurisdiction_id, number, version, stage, is_open, is_public, service_code, lead_code,
                           city_code, town_code, community_code, spot, channel, place_version, reported_at,
                           updated_at, due_at, fold, hash, escalated)
        SELECT 1, n, 1, CASE WHEN n % 10 = 0 THEN 'assigned' ELSE 'closed' END, CAST(n % 10 = 0 AS INT), 1,
               'S-' || n % 20, 'U-' || n * 7 % 40, 'C', 'T-' || n * 11 % 15, 'M-' || n * 13 % 150,
               n * 7919 % 1000000, 'web', 1, n * 1000, n * 1000 + n * 31 % 5000, n * 1000 + n * 17 % 9000,
               repeat('f', 600), 'h', CASE WHEN n % 50 = 0 THEN 1 + n / 50 % 5 ELSE 0 END
        FROM generate_series(1, 20000) AS n;
        ANALYZE cases;";

    /// How PostgreSQL would run pages of a list: the first, and one behind a key.
    fn postgres_plans(store: &Store, filter: &Filter, order: Order) -> Vec<String> {
        let after = After {
            key: 10_000_000,
            number: 10_000,
        };
        let explained = |after| {
            store.read_blocking(|conn| {
                let (sql, values) = page_statement(PLACE, filter, order, after, 0, 50);
                let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
                conn.rows(&format!("EXPLAIN {sql}"), &values, |row| {
                    Ok(row.text(0)?.to_owned())
                })
            })
        };
        [None, Some(after)]
            .map(|after| explained(after).unwrap().join("\n"))
            .into()
    }

    #[test]
    fn on_postgresql_every_hot_list_runs_along_an_index_of_its_order() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        sql(bed.database_url().unwrap(), CITY);
        let (all, open) = (
            Filter::default(),
            Filter {
                open: Some(true),
                ..Filter::default()
            },
        );
        let lists = [
            ("open_cases_by_due", Order::Due, open.clone()),
            (
                "open_cases_by_lead",
                Order::Due,
                Filter {
                    lead: Some("U-7".to_owned()),
                    ..open.clone()
                },
            ),
            (
                "open_cases_by_town",
                Order::Due,
                Filter {
                    area: Some((Level::Town, "T-11".to_owned())),
                    ..open.clone()
                },
            ),
            (
                "open_cases_by_community",
                Order::Due,
                Filter {
                    area: Some((Level::Community, "M-13".to_owned())),
                    ..open.clone()
                },
            ),
            (
                "cases_by_report",
                Order::Newest,
                Filter {
                    public: true,
                    ..all.clone()
                },
            ),
            (
                "cases_by_report",
                Order::Newest,
                Filter {
                    public: true,
                    reported: Some(5_000_000..=15_000_000),
                    ..all.clone()
                },
            ),
            (
                "cases_by_update",
                Order::Updated,
                Filter {
                    public: true,
                    updated: Some(5_000_000..=i64::MAX),
                    ..all.clone()
                },
            ),
        ];
        let escalated = |open| Filter {
            open,
            escalated: Some(4),
            ..Filter::default()
        };
        let lists = lists.into_iter().chain([
            ("escalated_cases_by_due", Order::Due, escalated(Some(true))),
            ("escalated_cases_by_report", Order::Newest, escalated(None)),
            ("escalated_cases_by_update", Order::Updated, escalated(None)),
        ]);
        for (index, order, filter) in lists {
            for plan in postgres_plans(&store, &filter, order) {
                assert!(plan.contains(&format!("using {index} on cases")), "{plan}");
                assert!(!plan.contains("Seq Scan"), "a full scan: {plan}");
                assert!(!plan.contains("Sort"), "a sort of everything: {plan}");
            }
        }
    }

    /// What a post sees that is for some services of a town, or for one class of access alone.
    fn narrowed(services: Option<&[&str]>, classes: &[&str]) -> Sight {
        Sight {
            area: Some((Level::Town, "T-11".to_owned())),
            unit: Some("U-7".to_owned()),
            services: services.map(|all| all.iter().map(|code| (*code).to_owned()).collect()),
            unclassed: if classes.is_empty() {
                Unclassed::All
            } else {
                Unclassed::Nothing
            },
            classes: classes.iter().map(|class| (*class).to_owned()).collect(),
            ..Sight::default()
        }
    }

    #[test]
    fn on_postgresql_what_a_narrowed_post_sees_is_found_without_a_look_at_everything() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        sql(bed.database_url().unwrap(), CITY);
        let of_services = Filter {
            open: Some(true),
            sight: Some(narrowed(Some(&["S-3", "S-4"]), &[])),
            ..Filter::default()
        };
        for plan in postgres_plans(&store, &of_services, Order::Due) {
            assert!(!plan.contains("Seq Scan on cases"), "a full scan: {plan}");
        }
        let of_a_class = Filter {
            sight: Some(narrowed(None, &["confidential"])),
            ..Filter::default()
        };
        for plan in postgres_plans(&store, &of_a_class, Order::Newest) {
            assert!(plan.contains("cases_of_a_class"), "{plan}");
        }
        let whole = Filter {
            open: Some(true),
            sight: Some(Sight {
                everywhere: true,
                ..Sight::default()
            }),
            ..Filter::default()
        };
        for plan in postgres_plans(&store, &whole, Order::Due) {
            assert!(plan.contains("using open_cases_by_due on cases"), "{plan}");
            assert!(!plan.contains("Sort"), "a sort of everything: {plan}");
        }
    }

    #[test]
    fn on_postgresql_what_the_filter_of_the_queue_asks_for_is_found_by_an_index() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        sql(bed.database_url().unwrap(), CITY);
        let open = || Filter {
            open: Some(true),
            ..Filter::default()
        };
        let town = || Some((Level::Town, "T-11".to_owned()));
        let filters = [
            Filter {
                lead: Some("U-7".to_owned()),
                area: town(),
                ..open()
            },
            Filter {
                area: town(),
                services: vec!["S-3".to_owned()],
                stages: vec!["assigned"],
                ..open()
            },
            Filter {
                sight: Some(Sight {
                    everywhere: true,
                    ..Sight::default()
                }),
                seen_by: Some(narrowed(None, &[])),
                due_before: Some(5_000_000),
                ..open()
            },
            Filter {
                parked: Some(true),
                area: town(),
                ..open()
            },
        ];
        for filter in filters {
            for plan in postgres_plans(&store, &filter, Order::Due) {
                assert!(
                    plan.contains("open_cases_by_") || plan.contains("parked_cases"),
                    "{plan}"
                );
                assert!(!plan.contains("Seq Scan on cases"), "a full scan: {plan}");
            }
        }
    }

    #[test]
    fn on_postgresql_a_box_on_the_map_is_found_by_its_spots_and_only_it_is_sorted() {
        let Some(bed) = Bed::postgres() else { return };
        let store = open(&bed);
        sql(bed.database_url().unwrap(), CITY);
        let filter = Filter {
            spots: Some(vec![1000..=1400, 5000..=5400]),
            ..Filter::default()
        };
        for plan in postgres_plans(&store, &filter, Order::Newest) {
            assert!(plan.contains("on cases_by_spot"), "{plan}");
            assert!(!plan.contains("Seq Scan"), "a full scan: {plan}");
        }
    }

    /// How SQLite would run the page of a list.
    fn plan(filter: &Filter, order: Order) -> String {
        let after = Some(After { key: 1, number: 1 });
        let (sql, values) = page_statement(JurisdictionId(1), filter, order, after, 0, 50);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        steps(&sql, &values)
    }

    /// How SQLite would run a statement.
    fn steps(sql: &str, values: &[crate::Value<'_>]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path(), Timestamp::UNIX_EPOCH).unwrap();
        let steps = store.read_blocking(|conn| {
            conn.rows(&format!("EXPLAIN QUERY PLAN {sql}"), values, |row| {
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
    fn what_a_post_sees_runs_along_the_order_of_the_list_and_a_class_along_its_own_index() {
        let seen = |sight| Filter {
            sight: Some(sight),
            ..Filter::default()
        };
        let whole = Sight {
            everywhere: true,
            ..Sight::default()
        };
        runs_along(&seen(whole), Order::Newest, "cases_by_report");
        let services = plan(&seen(narrowed(Some(&["S-3"]), &[])), Order::Newest);
        assert!(services.contains("cases_by_report"), "{services}");
        let class = plan(&seen(narrowed(None, &["confidential"])), Order::Newest);
        assert!(class.contains("cases_of_a_class"), "{class}");
        assert!(!class.contains("SCAN cases"), "{class}");
        let of_classes = steps(crate::case::OF_CLASSES, crate::params![1_i64]);
        assert!(
            of_classes.contains("COVERING INDEX cases_of_a_class"),
            "{of_classes}"
        );
        assert!(!of_classes.contains("SCAN"), "{of_classes}");
    }

    #[test]
    fn cases_that_a_search_named_are_looked_up_by_their_key() {
        let filter = Filter {
            open: Some(false),
            sight: Some(narrowed(Some(&["S-3"]), &[])),
            ..Filter::default()
        };
        let (sql, values) = chosen_statement(PLACE, &filter, &[3, 5]);
        let values: Vec<_> = values.iter().map(crate::ToValue::to_value).collect();
        let plan = steps(&sql, &values);
        assert!(
            plan.contains(
                "SEARCH cases USING INDEX sqlite_autoindex_cases_1 (jurisdiction_id=? AND number=?)"
            ),
            "{plan}"
        );
    }

    #[test]
    fn what_was_escalated_runs_along_its_own_indexes() {
        let escalated = Filter {
            escalated: Some(4),
            ..Filter::default()
        };
        runs_along(&escalated, Order::Newest, "escalated_cases_by_report");
        runs_along(&escalated, Order::Updated, "escalated_cases_by_update");
    }

    #[test]
    fn a_page_deep_in_a_span_of_time_begins_its_search_at_its_key() {
        let span = Filter {
            reported: Some(10..=1000),
            updated: Some(10..=1000),
            ..Filter::default()
        };
        let after = Some(After { key: 300, number: 7 });
        assert_eq!(begun(&span, Order::Newest, after).reported, Some(10..=300));
        assert_eq!(begun(&span, Order::Updated, after).updated, Some(300..=1000));
        assert_eq!(begun(&span, Order::Newest, None).reported, Some(10..=1000));
        let past = Some(After { key: 9999, number: 7 });
        assert_eq!(begun(&span, Order::Newest, past).reported, Some(10..=1000));
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
